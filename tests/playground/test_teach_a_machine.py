"""Teach a machine: classes and examples, the training, the file, and the page in JupyterLab."""

import contextlib
import io
import json
import re
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from data_scripts import CLASS_NAMES, DataError, load
from data_scripts.picture_folders import write_folder
from playground.examples import LONGEST_NAME, MOST_CLASSES, ExampleError, Examples
from playground.picture_classifier import HeadTraining, ModelFileError, PictureClassifier
from playground.teach_a_machine import TeachAMachine
from tests.playground import browser as at

NAMES = ("cat", "truck")
EACH = 10


def some(half, name, count):
    """Pictures of a class of the embedded CIFAR-10: (count, 32, 32, 3)."""
    x, y = half
    return x[np.flatnonzero(y == CLASS_NAMES.index(name))[:count]]


@pytest.fixture(scope="module")
def cifar():
    """The embedded half to learn from, and the one for the test."""
    return load("cifar10", "quick")


# ---------------------------------------------------------------- classes and examples


def test_every_state_has_words():
    examples = Examples()
    assert "Nothing here yet" in examples.missing()
    first = examples.add_class("  cats ")
    assert "one class only, “cats”" in examples.missing()
    second = examples.add_class("trucks")
    examples.add(first.number, np.zeros((2, 2, 3)))
    assert "No examples of “trucks” yet" in examples.missing()
    examples.add(second.number, np.zeros((2, 2, 3)))
    assert examples.missing() == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("  ", "needs a name"),
        ("CATS", "a class “cats” already"),
        ("x" * (LONGEST_NAME + 1), "41 letters, and 40 fit"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name, words):
    examples = Examples()
    examples.add_class("cats")
    other = examples.add_class("dogs")
    with pytest.raises(ExampleError, match=words):
        examples.add_class(name)
    with pytest.raises(ExampleError, match=words):
        examples.rename_class(other.number, name)
    assert [one.name for one in examples.classes] == ["cats", "dogs"]


def test_a_renamed_class_keeps_its_examples_and_a_removed_one_is_gone():
    examples = Examples()
    one = examples.add_class("cats")
    kept = examples.add(one.number, np.zeros((2, 2, 3)))
    examples.rename_class(one.number, "Cats")  # its own name in other letters
    other = examples.add_class("dogs")
    lost = examples.add(other.number, np.zeros((2, 2, 3)))
    rows, labels, names = examples.table()
    assert ([row.number for row in rows], labels.tolist(), names) == (
        [kept.number, lost.number], [0, 1], ("Cats", "dogs"),
    )  # fmt: skip
    before = examples.version
    examples.remove(lost.number)
    examples.remove_class(one.number)
    assert examples.version != before
    assert len(examples) == 0
    with pytest.raises(ExampleError, match="removed already"):
        examples.remove(lost.number)
    with pytest.raises(ExampleError, match="has been removed"):
        examples.add(one.number, np.zeros((2, 2, 3)))
    # A new class never gets the number of an old one: a late message could mean the wrong one.
    assert examples.add_class("birds").number > other.number
    for number in range(MOST_CLASSES - 2):
        examples.add_class(str(number))
    with pytest.raises(ExampleError, match="which is the most"):
        examples.add_class("one more")


# ---------------------------------------------------------------- the head


def clouds(counts, seed=1, numbers=300):
    """Vectors of classes that differ a little in each of many numbers."""
    dice = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    centres = np.random.default_rng(0).normal(scale=0.3, size=(len(counts), numbers))
    vectors = dice.normal(size=(len(labels), numbers)) + centres[labels] + 2
    return vectors.astype("float32"), labels


def test_the_head_learns_and_its_weights_are_for_vectors_as_they_are():
    vectors, labels = clouds((20, 20, 20))
    training = HeadTraining(vectors, labels, 3, rounds=30)
    points = list(training)
    assert [point.number for point in points] == list(range(1, 31))
    assert points[-1].loss < 0.5 * points[0].loss
    assert points[-1].right == 1
    kernel, bias = training.weights()
    new, known = clouds((50, 50, 50), seed=2)
    assert ((new @ kernel + bias).argmax(axis=1) == known).mean() > 0.95


def test_a_stopped_training_keeps_what_it_has():
    vectors, labels = clouds((100, 100))
    training = HeadTraining(vectors, labels, 2, rounds=50)
    for point in training:
        if point.number == 3:
            break
    assert training.done == 3
    kernel, bias = training.weights()
    assert ((vectors @ kernel + bias).argmax(axis=1) == labels).mean() > 0.9


def test_a_small_class_is_not_drowned():
    # Ninety against nine that lie among them: if each example counted the same, the head would
    # name the large class every time.
    vectors, labels = clouds((90, 9), numbers=2)
    training = HeadTraining(vectors, labels, 2, rounds=200)
    assert list(training)[-1].number == 200
    kernel, bias = training.weights()
    new, known = clouds((200, 200), seed=6, numbers=2)
    said = (new @ kernel + bias).argmax(axis=1)
    assert (said[known == 1] == 1).mean() > 0.3


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 2, 2], [0, 1, 3]])
def test_classes_without_examples_cannot_be_taught(labels):
    with pytest.raises(ValueError, match="an example of each"):
        HeadTraining(np.zeros((3, 5)), np.array(labels), 3)


# ---------------------------------------------------------------- the whole machine


@pytest.fixture(scope="module")
def machine(cifar):
    """Taught from code: ten cats and ten trucks."""
    machine = TeachAMachine()
    for name in NAMES:
        machine.add_examples(name, list(some(cifar[0], name, EACH)))
    machine.train()
    yield machine
    machine.close()


def test_ten_examples_a_class_are_enough(machine, cifar):
    asked = [(name, picture) for name in NAMES for picture in some(cifar[1], name, 5)]
    answers = [machine.ask(picture) for _, picture in asked]
    right = sum(
        max(answer, key=answer.get) == name
        for (name, _), answer in zip(asked, answers, strict=True)
    )
    assert right >= 9
    assert all(abs(sum(answer.values()) - 1) < 1e-3 for answer in answers)
    assert machine.taught == list(NAMES)
    assert len(machine.curve) == machine.rounds
    assert "20 of 20 examples are right" in machine.status or machine.status.startswith(
        "The machine says"
    )


def test_the_map_of_where_it_looked_is_exact(machine, cifar):
    picture = np.array(Image.fromarray(some(cifar[1], "cat", 1)[0]).resize((224, 224)))
    answer = machine.classifier.ask(picture)
    assert answer.places.shape == (7, 7, 2)
    scores = answer.places.mean(axis=(0, 1))
    powers = np.exp(scores - scores.max())
    np.testing.assert_allclose(powers / powers.sum(), answer.probabilities, atol=1e-4)
    # What lies in one half is seen there: the other half is the grey of nothing.
    half = picture.copy()
    half[:, 112:] = 127
    grey = machine.classifier.ask(np.full_like(half, 127)).places[..., 0]
    changed = np.abs(machine.classifier.ask(half).places[..., 0] - grey)
    assert changed[:, :4].mean() > 2 * changed[:, 5:].mean()


def test_a_saved_machine_is_the_same_here_and_in_keras(machine, cifar, tmp_path):
    import keras

    path = machine.save(tmp_path / "mine")
    assert path.name == "mine.keras"
    with pytest.raises(ModelFileError, match=r"mine\.keras is there already"):
        machine.save(path)
    machine.save(path, force=True)
    assert [one.name for one in tmp_path.iterdir()] == ["mine.keras"]  # nothing unfinished is left
    picture = np.array(Image.fromarray(some(cifar[1], "truck", 1)[0]).resize((224, 224)))
    expected = machine.classifier.ask(picture).probabilities
    loaded = PictureClassifier.load(path)
    assert loaded.class_names == NAMES
    np.testing.assert_array_equal(loaded.ask(picture).probabilities, expected)
    anywhere = keras.models.load_model(path)
    np.testing.assert_allclose(np.array(anywhere(picture[np.newaxis]))[0], expected, atol=1e-4)


def altered(path, to, **changes):
    """A copy of an archive with some members replaced."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            if changes.get(name, "") is not None:
                new.writestr(name, changes.get(name, old.read(name)))
    return to


def test_what_is_no_model_file_is_refused_in_one_sentence(machine, tmp_path):
    good = machine.save(tmp_path / "good.keras")
    known = machine.classifier
    text = tmp_path / "text.keras"
    text.write_text("a text that calls itself a model")
    half = tmp_path / "half.keras"
    half.write_bytes(good.read_bytes()[:5_000_000])
    about = {"format": 1, "network": "efficientnet_lite0", "class_names": ["a", "b", "c"]}
    cases = {
        text: "text.keras is no model file",
        half: "half.keras is no model file, or a damaged one",
        tmp_path / "none.keras": "There is no file",
        tmp_path: "cannot be read",
        altered(good, tmp_path / "names.keras", **{"playground.json": None}): "no names of classes",
        altered(good, tmp_path / "other.keras", **{"playground.json": json.dumps(about)}):
            "its weights have other shapes",
        altered(good, tmp_path / "later.keras",
                **{"playground.json": json.dumps(about | {"format": 2})}): "another version",
        altered(good, tmp_path / "json.keras", **{"playground.json": "[]"}): "no model file",
        altered(good, tmp_path / "weights.keras", **{"model.weights.h5": b"0"}): "no model file",
    }  # fmt: skip
    for path, words in cases.items():
        with pytest.raises(ModelFileError, match=re.escape(words)) as caught:
            machine.load(path)
        assert str(caught.value).count("\n") == 0
    assert machine.classifier is known  # what it knew it still knows
    machine.load(good)
    assert machine.taught == list(NAMES)
    machine.classifier = known


def test_before_it_is_taught_it_says_so(tmp_path):
    machine = TeachAMachine()
    assert "Nothing here yet" in machine.status
    for action in (lambda: machine.ask(np.zeros((8, 8, 3))), lambda: machine.save(tmp_path / "a")):
        with pytest.raises(ValueError, match="has not learned anything yet"):
            action()
    with pytest.raises(ExampleError, match="Nothing here yet"):
        machine.train()
    machine.add_class("cats")
    with pytest.raises(ExampleError, match="one class only"):
        machine.train()
    machine.close()


def test_pictures_of_all_kinds_are_taken_and_others_refused(tmp_path):
    machine = TeachAMachine()
    Image.new("L", (30, 20), 200).save(tmp_path / "grey.png")
    machine.add_examples("a", [tmp_path / "grey.png", np.zeros((9, 7)), np.full((5, 5, 3), 255)])
    assert [row.picture.shape for row in machine.examples.classes[0].examples] == [
        (224, 224, 3)
    ] * 3
    (tmp_path / "text.jpg").write_text("no picture")
    for wrong, words in (
        (tmp_path / "text.jpg", "could not be read as a picture"),
        (np.zeros((4, 4, 2)), r"shape \(4, 4, 2\)"),
        (np.full((4, 4), 300), "scale it"),
        (np.full((4, 4), np.nan), "expected a picture"),
    ):
        with pytest.raises(DataError, match=words):
            machine.add_examples("b", [wrong])
    assert [one["name"] for one in machine.classes] == ["a"]  # no empty class is left behind
    machine.close()


def test_a_folder_becomes_classes(cifar, tmp_path):
    pictures = np.concatenate([some(cifar[0], name, 2) for name in NAMES])
    folder = write_folder(tmp_path / "mine", pictures, np.repeat([0, 1], 2), NAMES)
    (folder / "cat" / "list.txt").write_text("milk")
    machine = TeachAMachine()
    words = machine.read_folder(folder)
    assert "4 pictures of “cat” and “truck”" in words
    assert "1 of 5 files skipped" in words
    assert [(one["name"], len(one["examples"])) for one in machine.classes] == [
        ("cat", 2), ("truck", 2),
    ]  # fmt: skip
    with pytest.raises(DataError, match="there is no folder"):
        machine.read_folder(tmp_path / "none")
    with pytest.raises(DataError, match="no folder was named"):
        machine.read_folder(" ")
    machine.close()


def test_an_interrupt_keeps_what_was_learned(cifar, monkeypatch):
    machine = TeachAMachine()
    for name in NAMES:
        machine.add_examples(name, list(some(cifar[0], name, 2)))
    rounds = HeadTraining.__iter__

    def interrupted(self):
        for point in rounds(self):
            yield point
            if point.number == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(HeadTraining, "__iter__", interrupted)
    machine.train()
    assert "Training interrupted after round 2 of 60" in machine.status
    assert not machine.training
    assert machine.taught == list(NAMES)
    machine.remove_class("cat")
    assert machine.stale
    machine.close()


def parts(data, key, purpose, size=1000, **more):
    """The messages by which a page sends a file."""
    for start in range(0, max(len(data), 1), size):
        yield (
            {"do": "file", "key": key, "name": "C:\\fakepath\\cat.png", "as": purpose,
             "last": start + size >= len(data), **more},
            [memoryview(data[start : start + size])],
        )  # fmt: skip


def test_files_that_arrive_in_parts_are_put_together(tmp_path):
    machine = TeachAMachine()
    machine.add_class("cats")
    packed = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, size=(60, 60, 3)).astype("uint8")
    Image.fromarray(noise).save(packed, "png")
    number = machine.classes[0]["number"]
    messages = list(parts(packed.getvalue(), "k", "example", number=number))
    assert len(messages) > 5
    for content, buffers in messages:
        assert not machine.classes[0]["examples"]
        machine._received(machine, content, buffers)
    assert len(machine.classes[0]["examples"]) == 1
    assert "“cats” has 1 picture" in machine.status
    for content, buffers in parts(b"no picture at all", "l", "example", number=number):
        machine._received(machine, content, buffers)
    assert machine.problem
    assert "could not be read as a picture" in machine.status
    assert machine.status.startswith("cat.png could not")  # not the name of a file of ours
    for content, buffers in parts(b"no model", "m", "model"):
        machine._received(machine, content, buffers)
    assert machine.status.startswith("cat.png is no model file")
    for content, buffers in parts(packed.getvalue(), "n", "try"):
        machine._received(machine, content, buffers)
    assert "has not learned anything yet" in machine.status
    machine.close()


# ---------------------------------------------------------------- the browser


@pytest.fixture(scope="module")
def files(cifar, tmp_path_factory):
    """Pictures as files: 2 × 10 to learn from, 10 to try."""
    folder = tmp_path_factory.mktemp("pictures")
    for part, half, count in (("learn", cifar[0], EACH), ("try", cifar[1], 5)):
        pictures = np.concatenate([some(half, name, count) for name in NAMES])
        write_folder(folder / part, pictures, np.repeat([0, 1], count), NAMES)
    return folder


@contextlib.contextmanager
def opened(browser, lab, name):
    """A copy of the notebook with a kernel of its own, run; nothing may go wrong in it."""
    shutil.copy(lab.folder / "teach_a_machine.ipynb", lab.folder / f"{name}.ipynb")
    page, seen = at.new_page(browser)
    page.set_default_timeout(120_000)
    at.open_notebook(page, lab, name)
    at.run_all(page)
    page.get_by_role("button", name="Add class").wait_for()
    yield page
    assert at.errors_in_cells(page) == []
    assert seen.problems() == []
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.context.close()


@pytest.fixture
def page(lab, browser, request):
    """The notebook, freshly run."""
    with opened(browser, lab, request.node.name) as page:
        yield page


def status(page):
    return page.locator(".pg-teach-status")


def wait_for_words(page, words):
    page.wait_for_function(
        "words => document.querySelector('.pg-teach-status').textContent.includes(words)",
        arg=words,
        timeout=180_000,
    )


def add_class(page, name):
    page.get_by_label("New class").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("radio", name=f"New pictures go to {name}").wait_for()


@pytest.mark.full
def test_two_classes_are_taught_by_files_and_ten_new_pictures_tried(page, files, lab, pictures):
    upload = page.get_by_label("Choose pictures, or drop them here:")
    page.get_by_role("button", name="Teach the machine").click()
    wait_for_words(page, "Nothing here yet")
    add_class(page, "cats")
    wait_for_words(page, "one class only")
    for given, (name, folder) in enumerate((("cats", "cat"), ("trucks", "truck"))):
        if given:
            add_class(page, name)
            page.get_by_role("button", name="Teach the machine").click()
            wait_for_words(page, "No examples of “trucks” yet")
        upload.set_input_files(sorted((files / "learn" / folder).iterdir()))
        page.get_by_role("button", name=f"Remove picture {EACH} of {name}").wait_for()
    # Each thumbnail is a picture that has arrived.
    page.wait_for_function(
        "() => [...document.querySelectorAll('.pg-teach-thumbnails img')]"
        ".filter(one => one.naturalWidth === 64).length === 20"
    )
    page.get_by_role("button", name="Teach the machine").focus()
    page.keyboard.press("Enter")
    wait_for_words(page, "Taught in")
    print(status(page).inner_text())
    page.get_by_role("img", name=re.compile("Curve of the teaching after 60 rounds")).wait_for()
    page.get_by_role("radio", name="new pictures go here, to be tried").check()
    right = 0
    for name, folder in (("cats", "cat"), ("trucks", "truck")):
        for path in sorted((files / "try" / folder).iterdir()):
            before = page.evaluate(
                "() => document.querySelector('.playground canvas[role=img]').dataset.answer"
            )
            upload.set_input_files(path)
            page.wait_for_function(
                "before => document.querySelector('.playground canvas[role=img]').dataset.answer"
                " !== before",
                arg=before,
            )
            right += page.locator(".pg-teach-best").inner_text().startswith(name)
    print(f"{right} of 10 new pictures right")
    assert right >= 9
    assert "It looked most at" in status(page).inner_text()
    page.locator(".playground").screenshot(path=pictures / "teach-light.png")

    # Kept beside the notebook, refused when it is there, and loaded again.
    page.get_by_label("Name", exact=True).fill("cats and trucks")
    save = page.get_by_role("button", name="Save beside the notebook")
    save.click()
    wait_for_words(page, "Saved as cats and trucks.keras, beside this notebook: 14 MB")
    path = lab.folder / "cats and trucks.keras"
    assert PictureClassifier.load(path).class_names == ("cats", "trucks")
    save.click()
    wait_for_words(page, "is there already")
    with page.expect_download(timeout=180_000) as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "cats and trucks.keras"
    assert PictureClassifier.load(download.value.path()).class_names == ("cats", "trucks")

    # Renamed by keyboard; a name that is taken is refused, and the field shows the one that holds.
    field = page.get_by_label("Name of class 2")
    field.fill("cats")
    field.press("Enter")
    wait_for_words(page, "There is a class “cats” already")
    page.wait_for_function("one => one.value === 'trucks'", arg=field.element_handle())
    field.fill("lorries")
    field.press("Enter")
    wait_for_words(page, "called “lorries” now")
    page.get_by_role("button", name="Remove picture 1 of cats").press("Enter")
    wait_for_words(page, "“cats” has 9 pictures")
    assert "teach it again" in page.locator(".playground").inner_text()
    page.get_by_role("button", name="Remove class lorries").press("Enter")
    wait_for_words(page, "“lorries” and its 10 pictures are removed")
    upload_model = page.get_by_label("Load a .keras file")
    upload_model.set_input_files(path)
    wait_for_words(page, "the machine knows “cats” and “trucks”")
    upload_model.set_input_files(files / "learn" / "cat" / "00000.png")
    wait_for_words(page, "00000.png is no model file")
    assert at.serious_findings(page) == []


@pytest.mark.full
def test_by_folder_by_drawing_and_stopped(page, files, lab, pictures):
    shutil.copytree(files / "learn", lab.folder / "learn", dirs_exist_ok=True)
    page.get_by_role("tab", name="Upload").focus()
    page.keyboard.press("ArrowLeft")  # round to the last: Folder
    page.get_by_label("Path").fill("nowhere")
    page.keyboard.press("Enter")
    wait_for_words(page, "There is no folder nowhere")
    page.get_by_label("Path").fill("learn")
    page.keyboard.press("Enter")
    wait_for_words(page, "20 pictures of “cat” and “truck” were read")
    page.get_by_role("tab", name="Draw").click()
    page.get_by_role("button", name="Add this drawing").click()
    wait_for_words(page, "Nothing is drawn yet")
    page.get_by_role("application", name="Draw a picture").focus()
    for key in (" ", "Shift+ArrowRight", "Shift+ArrowDown", " "):
        page.keyboard.press(key)
    page.get_by_role("button", name="Add this drawing").press("Enter")
    wait_for_words(page, "“cat” has 11 pictures")
    page.get_by_role("button", name="Remove picture 11 of cat").wait_for()

    # A long training, stopped by keyboard: the focus has moved to the button that stops.
    page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
             .requestExecute({ code: "machine.rounds = 1000" }).done"""
    )
    page.get_by_role("button", name="Teach the machine").press("Enter")
    wait_for_words(page, "Learning: round")
    page.get_by_role("button", name="Stop").press("Enter")
    wait_for_words(page, "Training interrupted after round")
    assert page.evaluate("() => document.activeElement.textContent") == "Teach the machine"
    assert "The machine knows: cat, truck" in page.locator(".playground").inner_text()

    page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:change-theme', "
        "{ theme: 'JupyterLab Dark' })"
    )
    page.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    page.get_by_role("radio", name="new pictures go here, to be tried").check()
    page.get_by_role("button", name="Try this drawing").wait_for()
    page.get_by_role("tab", name="Upload").click()
    page.get_by_label("Choose pictures, or drop them here:").set_input_files(
        files / "try" / "truck" / "00005.png"
    )
    wait_for_words(page, "It looked most at")
    page.wait_for_function(
        "() => document.querySelector('.playground canvas[role=img]').dataset.answer"
    )
    page.locator(".playground").screenshot(path=pictures / "teach-dark.png")
    assert at.serious_findings(page) == []


@pytest.mark.full
def test_by_camera(lab, browser, tmp_path_factory):
    # A camera that shows moving figures, and a browser that asks nobody whether it may be used.
    wrapper = next(
        tmp_path_factory.getbasetemp().glob("chromium*/chromium-beside-the-server"), None
    )
    started = browser.browser_type.launch(
        executable_path=str(wrapper or at.chromium_found()),
        args=[
            "--disable-gpu",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
        ],
    )
    try:
        with opened(started, lab, "camera") as page:
            add_class(page, "moving")
            page.get_by_role("tab", name="Camera").click()
            page.get_by_role("button", name="Start the camera").press("Enter")
            page.get_by_role("button", name="Take a picture").press("Enter")
            page.get_by_role("button", name="Remove picture 1 of moving").wait_for()
            page.get_by_role("button", name="Take ten").press("Enter")
            page.get_by_role("button", name="Remove picture 11 of moving").wait_for()
            page.wait_for_function(
                "() => document.querySelector('.pg-teach-thumbnails img').naturalWidth === 64"
            )
            page.get_by_role("tab", name="Upload").click()  # leaving it switches the camera off
            assert (
                page.evaluate("() => document.querySelector('.playground video').srcObject") is None
            )
            assert at.serious_findings(page) == []
    finally:
        started.close()


@pytest.mark.full
def test_without_a_camera_it_says_so(page):
    add_class(page, "cats")
    page.get_by_role("tab", name="Camera").click()
    page.evaluate("() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.get_by_role("button", name="Start the camera").click()
    wait_for_words(page, "This browser gives no camera here")
