"""Every block of docs/keras_then_and_now.md runs, and does what the page says."""

import contextlib
import logging
import re
import warnings

import pytest

from tests.conftest import ROOT
from tests.docs.pages import blocks, sections, without_blocks

PAGE = (ROOT / "docs" / "keras_then_and_now.md").read_text(encoding="utf-8")
SECTIONS = sections(PAGE, 3)
(SETUP,) = (block.text for block in blocks(PAGE) if block.info == "python setup")
VERDICT = re.compile(r"^(Fails|Warns): `(.+)`$|^(Still works, but)\b", re.MULTILINE)
# h5py and NumPy talk to each other about copies; no reader of the page can do anything about it.
NOT_OURS = "__array__ implementation"


class Heard(logging.Handler):
    """Collects warnings, whether they are raised or logged."""

    def __init__(self):
        super().__init__(level=logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


@contextlib.contextmanager
def listening():
    heard = Heard()
    loggers = [logging.getLogger(name) for name in ("absl", "tensorflow", None)]
    for logger in loggers:
        logger.addHandler(heard)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard.texts
            heard.texts.extend(str(item.message) for item in caught)
    finally:
        for logger in loggers:
            logger.removeHandler(heard)
        # TensorFlow counts how often functions are traced anew: no matter of a single block.
        heard.texts[:] = [
            plain(text)
            for text in dict.fromkeys(heard.texts)
            if NOT_OURS not in text and "retracing" not in text
        ]


def plain(text):
    return " ".join(text.replace("`", "").split())


def then_and_now(section):
    found = blocks(section)
    assert [block.info for block in found] == ["python then", "python now"]
    return found[0].text, found[1].text


def verdict(section):
    found = VERDICT.findall(without_blocks(section))
    assert len(found) == 1, "a section has one line Fails: `…`, Warns: `…` or Still works, but …"
    kind, quoted, works = found[0]
    return kind or works, plain(quoted)


@pytest.fixture
def namespace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    exec(SETUP, names)
    return names


def test_every_section_is_about_one_old_line():
    assert len(SECTIONS) >= 30
    for section in SECTIONS.values():
        then_and_now(section)
        verdict(section)


def test_the_page_names_the_pinned_versions():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for package in ("keras", "tensorflow"):
        version = re.search(rf"^{package}==(\d+\.\d+)", lock, re.MULTILINE)[1]
        assert re.search(rf"{package} {re.escape(version)}\b", PAGE, re.IGNORECASE), package


@pytest.mark.parametrize("name", SECTIONS)
def test_then(name, namespace, monkeypatch):
    then, _ = then_and_now(SECTIONS[name])
    kind, quoted = verdict(SECTIONS[name])
    if "mnist.load_data" in then:
        without_download(monkeypatch, namespace)
    error = ""
    with listening() as heard:
        try:
            exec(then, namespace)
        except Exception as raised:
            error = plain(f"{type(raised).__name__}: {raised}")
    if kind == "Fails":
        assert error.startswith(quoted), error or "it ran"
    elif kind == "Warns":
        assert not error
        assert any(text.startswith(quoted) for text in heard), heard or "it said nothing"
    else:
        assert not error
        assert not heard


@pytest.mark.parametrize("name", SECTIONS)
def test_now(name, namespace):
    _, now = then_and_now(SECTIONS[name])
    with listening() as heard:
        exec(now, namespace)
    assert not heard


def without_download(monkeypatch, namespace):
    """Let `mnist.load_data` find a file where it would fetch one."""
    import keras.src.datasets.mnist as module

    np = namespace["np"]
    pictures, digits = np.zeros((2, 28, 28), "uint8"), np.zeros(2, "uint8")
    np.savez("mnist.npz", x_train=pictures, y_train=digits, x_test=pictures, y_test=digits)
    asked = []
    monkeypatch.setattr(module, "get_file", lambda *a, **k: asked.append(k) or "mnist.npz")


class TestClaimsInPassing:
    """Sentences of the page that are not blocks."""

    def test_three_numbers_are_a_stride(self, namespace):
        then, now = then_and_now(SECTIONS["Three numbers in Conv2D"])
        exec(then, namespace)
        assert namespace["layer"].strides == (3, 3)
        assert namespace["layer"](namespace["x"]).shape[1:3] == (9, 9)
        exec(now, namespace)
        assert namespace["layer"].strides == (1, 1)
        assert namespace["layer"].kernel_size == (3, 3)

    def test_old_and_new_decay_agree(self, namespace):
        _, now = then_and_now(SECTIONS["lr and decay"])
        exec(now.replace("1e-6", "0.01"), namespace)
        for step in (0, 1, 50):
            assert float(namespace["schedule"](step)) == pytest.approx(0.001 / (1 + 0.01 * step))

    def test_decay_alone_is_ignored_with_a_warning(self, namespace):
        with listening() as heard:
            namespace["keras"].optimizers.Adam(learning_rate=0.001, decay=1e-6)
        assert heard == ["Argument decay is no longer supported and will be ignored."]

    def test_sequence_is_py_dataset(self, namespace):
        utils = namespace["keras"].utils
        assert utils.Sequence is utils.PyDataset

    def test_the_old_generator_is_still_reachable_through_tensorflow(self):
        from tensorflow.keras.preprocessing.image import ImageDataGenerator

        assert ImageDataGenerator(horizontal_flip=True).horizontal_flip

    def test_augmentation_is_idle_at_prediction_time(self, namespace):
        _, now = then_and_now(SECTIONS["ImageDataGenerator"])
        exec(now, namespace)
        idle = namespace["augmentation"](namespace["x"], training=False)
        assert (namespace["np"].asarray(idle) == namespace["x"]).all()

    def test_renamed_arguments(self, namespace):
        layers = namespace["keras"].layers
        layers.Conv2D(
            filters=2, kernel_size=(3, 3), data_format="channels_last",
            kernel_regularizer="l2", use_bias=False,
        )  # fmt: skip
        a = namespace["keras"].Input((8,))
        for merged in (layers.add, layers.multiply):
            assert merged([a, a]).shape == (None, 8)
        shape = layers.Conv2D(32, 3).compute_output_shape((None, 28, 28, 1))
        assert shape == (None, 26, 26, 32)
        assert namespace["keras"].config.image_data_format() == "channels_last"
