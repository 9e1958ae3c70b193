"""What was handed in becomes what was released, with the student's answers in it."""

import base64
import json
import os
import socket
from types import SimpleNamespace

import nbformat
import pytest
from traitlets.config import Config

from autograder.assignment.released import ReleasedNotebook, cell_id, new_cell
from autograder.exchange.collect import Collect
from autograder.gradebook.withholding import SENTENCE, WithholdOutputs
from autograder.submissions import times
from autograder.submissions.intake import MAX_FILES, take_in
from autograder.submissions.reading import (
    RefusedError,
    UnreadableError,
    parse_submission,
    read_bytes,
    read_submission,
)
from autograder.submissions.sanitising import restore

PICTURE = base64.b64encode(b"picture").decode()


def template(name, source="", *, kind="code", **about):
    cell = new_cell(kind, source, cell_id(name))
    cell.metadata["nbgrader"] = nbformat.from_dict(
        {"grade_id": name, "grade": False, "solution": False, "locked": False, "task": False}
        | about
    )
    return cell


RELEASED = ReleasedNotebook(
    name="nb",
    templates={
        "setup": template("setup", "import os", locked=True),
        "first": template("first", "# your code", solution=True),
        "test_first": template("test_first", "assert first", grade=True, locked=True, points=2.0),
        "second": template("second", "# your code", solution=True),
        "test_second": template("test_second", "assert 2", grade=True, locked=True, points=1.0),
        "text": template(
            "text", "your words", kind="markdown", grade=True, solution=True, points=3.0
        ),
    },
    metadata={},
    names=None,
    ordered=True,
)
ORDER = list(RELEASED.templates)


def handed_in(*cells):
    """A notebook of (name or None, source) pairs."""
    return [
        nbformat.from_dict(
            {
                "cell_type": "markdown" if name == "text" else "code",
                "source": source,
                "metadata": {"nbgrader": {"grade_id": name}} if name else {},
            }
        )
        for name, source in cells
    ]


def restored(*cells, **kwargs):
    notes = []
    made = restore(handed_in(*cells), RELEASED, notes, **kwargs)
    names = [cell.metadata.get("nbgrader", {}).get("grade_id", cell.source) for cell in made]
    return made, names, notes


def everything():
    return [(name, f"my {name}") for name in ORDER]


def test_only_answers_are_taken():
    made, names, notes = restored(*everything())
    assert names == ORDER
    sources = dict(zip(names, (cell.source for cell in made), strict=True))
    assert sources == {
        "setup": "import os",
        "first": "my first",
        "test_first": "assert first",
        "second": "my second",
        "test_second": "assert 2",
        "text": "my text",
    }
    assert notes == []


def test_a_notebook_in_another_order_gains_nothing():
    _, names, notes = restored(*reversed(everything()))
    assert names == ORDER
    assert notes == [
        "put back into the lesson's order: test_second, second, test_first, first, setup"
    ]


def test_own_cells_stay_behind_what_they_followed():
    cells = [(None, "zero"), ("setup", ""), (None, "one"), ("first", "x"), (None, "two")]
    cells += [
        ("test_first", ""),
        ("second", "y"),
        ("test_second", ""),
        ("text", "t"),
        (None, "end"),
    ]
    _, names, notes = restored(*cells)
    assert names == [
        "zero", "setup", "one", "first", "two", "test_first", "second", "test_second", "text",
        "end",
    ]  # fmt: skip
    assert notes == []
    moved = [cells[0], cells[5], *cells[1:5], *cells[6:]]
    assert restored(*moved)[1] == names


def test_missing_cells_come_back_where_they_belong():
    _, names, notes = restored((None, "mine"), ("first", "x"), (None, "after"))
    # A set-up cell first, a test after what it may need.
    assert names == [
        "setup", "mine", "first", "after", "test_first", "second", "test_second", "text",
    ]  # fmt: skip
    assert notes == ["put back: setup, test_first, second, test_second, text"]


def test_repeated_cells_count_once():
    made, names, notes = restored(("first", "old"), ("test_first", "1"), *everything())
    assert sorted(name for name in names if name in ORDER) == sorted(ORDER)
    assert dict(zip(names, [cell.source for cell in made], strict=True))["first"] == "my first"
    assert "old" in names
    assert notes[:2] == [
        "cell 'first' stands there more than once: the last one counts",
        "cell 'test_first' stands there more than once: the last one counts",
    ]


def test_a_cell_that_lies_about_its_kind_keeps_the_released_one():
    made, _, _ = restored(*[(name, text) for name, text in everything() if name != "text"])
    lying = nbformat.from_dict(
        {"cell_type": "raw", "source": "x = 1", "metadata": {"nbgrader": {"grade_id": "first"}}}
    )
    notes = []
    (cell,) = [c for c in restore([lying], RELEASED, notes) if c.source == "x = 1"]
    assert cell.cell_type == "code"
    assert cell.outputs == []
    assert made[0].id == "setup"


def test_pictures_of_a_text_are_kept_and_nothing_else():
    (cell,) = handed_in(("text", "see ![](attachment:a.png)"))
    cell["attachments"] = {
        "a.png": {"image/png": PICTURE},
        "b.svg": {"image/svg+xml": PICTURE},
        "c.png": {"image/png": "<script>"},
        "d.png": "no bundle",
        "e.png": {"image/png": "QUJD" * 4_000_000},
    }
    notes = []
    text = restore([cell], RELEASED, notes, complete=True)[-1]
    assert text.attachments == {"a.png": {"image/png": PICTURE}}
    assert notes == ["3 attached files left out: only pictures, 10 MB together"]


def test_too_many_cells_of_one_s_own():
    _, names, notes = restored(*everything(), *[(None, f"x{i}") for i in range(2_500)])
    assert len(names) == len(ORDER) + 2_000
    assert notes == ["2500 cells of the student's own: the first 2000 are run"]


def test_names_of_cells_become_ids_that_the_format_allows():
    assert cell_id("plain_name-1") == "plain_name-1"
    for name in ("with space", "x" * 65, "own-1", "ä", ""):
        assert cell_id(name).startswith("cell-")
    assert cell_id("own-1") != cell_id("own-2")


def test_metadata_tags_and_outputs_are_not_read():
    hostile = {
        "nbformat": 4, "nbformat_minor": 9, "metadata": {"kernelspec": {"name": "bash"}, "x": 1},
        "cells": [
            {
                "cell_type": "code", "source": ["a", "b\ud800"], "id": "!!", "execution_count": "x",
                "metadata": {"tags": ["skip"], "nbgrader": {"grade_id": "q", "points": 9}},
                "outputs": [{"output_type": "evil"}],
            },
            {"cell_type": "markdown", "source": "t", "metadata": {"nbgrader": {"grade_id": 7}}},
        ],
    }  # fmt: skip
    notebook = parse_submission(json.dumps(hostile).encode())
    assert notebook.metadata == {}
    code, text = notebook.cells
    assert code.source == "ab?"
    assert code.metadata == {"nbgrader": {"grade_id": "q"}}
    assert code.outputs == []
    assert text.metadata == {}
    old = {
        "nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
        "worksheets": [{"cells": [{"cell_type": "code", "input": "1 + 1", "outputs": [],
                                   "language": "python", "metadata": {}}]}],
    }  # fmt: skip
    assert parse_submission(json.dumps(old).encode()).cells[0].source == "1 + 1"


@pytest.fixture
def submission(tmp_path):
    """A submission's folder; a function that looks at it."""
    folder = tmp_path / "submitted" / "ada" / "ps"
    folder.mkdir(parents=True)
    (folder / "nb.ipynb").write_text("{}")

    def look(ignore=(), **config):
        course = SimpleNamespace(
            root=str(tmp_path),
            submitted_directory="submitted",
            course_id="course",
            ignore=list(ignore),
            max_file_size=1000,
            max_dir_size=3000,
            format_path=lambda step, student, assignment: str(
                tmp_path / step / student / assignment
            ),
        )
        return take_in(course, Config(config), "ps", "ada")

    look.folder = folder
    return look


def test_ordinary_files_are_taken(submission):
    for name in ("data.csv", "helpers.py", "data/a b.txt", "images/cat.png", "test/one.csv"):
        path = submission.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (submission.folder / ".DS_Store").write_text("")
    (submission.folder / "__pycache__").mkdir()
    (submission.folder / "__pycache__" / "x.pyc").write_text("")
    intake = submission(ignore=["helpers.py"])
    assert set(intake.files) == {"data.csv", "data/a b.txt", "images/cat.png", "test/one.csv"}
    assert intake.files["data.csv"] == b"data.csv"
    assert [path.name for path in intake.notebooks] == ["nb.ipynb"]
    assert intake.remarks == ()


@pytest.mark.parametrize(
    "name",
    [
        "numpy.py", "random.py", "tensorflow.so", "keras.cpython-312-x86_64-linux-gnu.so",
        "autograder.py", "json/__init__.py", "sitecustomize.py", "usercustomize.py", "evil.pth",
        "ipython_config.py", "ipython_config.json", "jupyter_notebook_config.py", ".bashrc",
        ".ipython/profile_default/startup/a.py", "startup/00.py", "matplotlibrc", "zipfile.zip",
    ],
)  # fmt: skip
def test_files_that_libraries_would_read_are_left_out(submission, name):
    path = submission.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("raise SystemExit")
    intake = submission()
    assert intake.files == {}
    assert len(intake.refused) == len(intake.remarks) == 1
    assert intake.remarks[0].startswith(f"left out: {name.split('/')[0]}")


def test_links_pipes_and_sockets_are_not_touched(submission, tmp_path):
    folder = submission.folder
    secret = tmp_path / "gradebook.db"
    secret.write_text("secret")
    (folder / "link.csv").symlink_to(secret)
    (folder / "loop").symlink_to(folder)
    os.link(secret, folder / "hard.csv")
    os.mkfifo(folder / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(folder)
        server.bind("socket.csv")
    (folder / "big.csv").write_bytes(b"0" * 1_000_001)
    intake = submission()
    assert intake.files == {}
    said = " ".join(intake.remarks)
    for words in (
        "link.csv, a link", "loop, a link", "hard.csv, a link to another place (a hard link)",
        "pipe.csv, not a plain file", "socket.csv, ", "big.csv, it has 1 MB",
    ):  # fmt: skip
        assert words in said
    (folder / "x.ipynb").symlink_to(secret)
    with pytest.raises(UnreadableError, match="a link to another place"):
        read_submission(str(folder / "x.ipynb"))
    with pytest.raises(RefusedError, match="not a plain file"):
        read_bytes("/dev/zero", 10)


def test_odd_names_and_too_many_files(submission):
    folder = submission.folder
    (folder / "a\nb").write_text("")
    (folder / ("x" * 201)).write_text("")
    os.close(os.open(os.fsencode(folder) + b"/\xff.csv", os.O_CREAT))
    deep = folder
    for _ in range(12):
        deep = deep / "d"
        deep.mkdir()
    (deep / "x").write_text("")
    said = " ".join(submission().remarks)
    assert "a?b, a name" in said
    assert "no text in UTF-8" in said
    assert "more than 10 folders deep" in said
    assert "\n" not in said
    for number in range(MAX_FILES + 30):
        (folder / f"f{number:05}").write_text("")
    intake = submission()
    assert len(intake.files) == MAX_FILES
    assert intake.remarks[-1].startswith("left out: ")
    assert len(intake.remarks) == 21


def test_sizes_are_bounded_together(submission):
    for number in range(5):
        (submission.folder / f"f{number}").write_bytes(b"0" * 900_000)
    assert len(submission().files) == 3


def stamp(path, moment):
    seconds = times.read_time(moment).replace(tzinfo=times.datetime.UTC).timestamp()
    os.utime(path, (seconds, seconds))


EARLY, LATER = "2026-01-01 10:00:00.000000 UTC", "2026-01-02 10:00:00.000000 UTC"


def test_an_honest_time_counts(submission):
    assert submission().submitted is None
    (submission.folder / "timestamp.txt").write_text(EARLY)
    stamp(submission.folder / "nb.ipynb", EARLY)
    intake = submission()
    assert times.written(intake.submitted) == EARLY
    assert intake.remarks == ()
    assert intake.files == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"2990-01-01 10:00:00 UTC", "which was still to come"),
        (b"1970-01-01 10:00:00 UTC", "but a notebook was saved"),
        (b"garbage", "cannot be read"),
        (b"", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"9" * 100_000, "cannot be read"),
        (b"10000000000000-01-01", "cannot be read"),
        (b"2026-13-45 99:99:99 XYZ", "cannot be read"),
    ],
)
def test_a_forged_time_neither_helps_nor_stops_anything(submission, text, words):
    (submission.folder / "timestamp.txt").write_bytes(text)
    intake = submission()
    now = times._now()
    assert abs(now - intake.submitted) < times.datetime.timedelta(minutes=5)
    (doubt,) = intake.remarks
    assert words in doubt


def test_the_exchange_knows_better(submission, tmp_path):
    (submission.folder / "timestamp.txt").write_text(EARLY)
    stamp(submission.folder / "nb.ipynb", EARLY)
    entry = tmp_path / "exchange" / "course" / "inbound" / f"ada+ps+{EARLY}+abc"
    entry.mkdir(parents=True)
    intake = submission(Exchange={"root": str(tmp_path / "exchange")})
    # Its name says what timestamp.txt says, but the file system saw it being made just now.
    assert abs(times._now() - intake.submitted) < times.datetime.timedelta(minutes=5)
    assert "last changed" in intake.remarks[0]


def test_a_signed_record_counts_and_cannot_be_forged(submission, tmp_path):
    folder = submission.folder
    moment = times.read_time(LATER)
    times.write_record(folder, moment, ["left out: x"], root=tmp_path)
    intake = submission()
    assert times.written(intake.submitted) == LATER
    assert intake.remarks == ("left out: x",)
    # The instructor may change the time by hand.
    (folder / "timestamp.txt").write_text(EARLY)
    assert times.written(submission().submitted) == EARLY
    record = (folder / times.RECORD).read_text()
    (folder / times.RECORD).write_text(record.replace("2026-01-02", "2025-01-02"))
    assert times.read_record(folder, tmp_path) is None
    other = tmp_path / "submitted" / "eve" / "ps"
    other.mkdir(parents=True)
    (other / times.RECORD).write_text(record)
    assert times.read_record(other, tmp_path) is None


@pytest.fixture
def collect(toy_course, tmp_path):
    """An exchange; a function that collects from it, and the folder where entries go."""
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory

    from autograder.configuration import load_course

    inbound = tmp_path / "exchange" / "toy" / "inbound"
    inbound.mkdir(parents=True)
    (tmp_path / "exchange").chmod(0o777)

    def run(check_owner=False):
        config = load_course(toy_course)
        config.Exchange.root = str(tmp_path / "exchange")
        config.Collect.check_owner = check_owner
        course = CourseDirectory(config=config, assignment_id="01_toy")
        collector = Collect(
            coursedir=course, authenticator=Authenticator(config=config), config=config
        )
        collector.update = True
        collector.start()
        return toy_course / "submitted"

    run.inbound = inbound
    return run


def enter(inbound, student, when, content="{}"):
    entry = inbound / f"{student}+01_toy+{when}+xyz"
    entry.mkdir()
    (entry / "01_toy.ipynb").write_text(content)
    (entry / "timestamp.txt").write_text(when)
    return entry


def test_collecting_follows_no_link_and_believes_no_time(collect, tmp_path, toy_course):
    entry = enter(collect.inbound, "ada", EARLY)
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (entry / "link.txt").symlink_to(secret)
    (entry / "folder").symlink_to(tmp_path)
    os.mkfifo(entry / "pipe")
    (entry / "data").mkdir()
    (entry / "data" / "fine.csv").write_text("1")
    enter(collect.inbound, "ben", "garbage")
    enter(collect.inbound, "..", EARLY)
    submitted = collect()
    found = sorted(str(path.relative_to(submitted)) for path in submitted.rglob("*.*"))
    assert found == [
        "ada/01_toy/.autograder_record.json", "ada/01_toy/01_toy.ipynb",
        "ada/01_toy/data/fine.csv", "ada/01_toy/timestamp.txt",
        "ben/01_toy/.autograder_record.json", "ben/01_toy/01_toy.ipynb",
        "ben/01_toy/timestamp.txt",
    ]  # fmt: skip
    assert not (toy_course / "01_toy").exists()
    for student in ("ada", "ben"):
        text = (submitted / student / "01_toy" / "timestamp.txt").read_text()
        assert abs(times._now() - times.read_time(text)) < times.datetime.timedelta(minutes=5)
    doubts = times.read_record(submitted / "ada" / "01_toy", toy_course)["doubts"]
    assert "last changed" in doubts[0]
    assert {doubt.split("'")[1] for doubt in doubts[1:]} == {"link.txt", "folder", "pipe"}


def test_nobody_replaces_another_s_submission(collect):
    # The entries belong to whoever runs this test, who is not called Ada.
    enter(collect.inbound, "ada", EARLY)
    assert not (collect(check_owner=True) / "ada").exists()
    assert (collect() / "ada").exists()


def test_what_ran_after_the_first_test_is_not_in_the_feedback():
    cells = [
        template("setup", locked=True),
        template("first", solution=True),
        template("test_first", grade=True, locked=True, points=1.0),
        template("second", solution=True),
        new_cell("code", "print(stolen)", "own-1"),
        template("test_second", grade=True, locked=True, points=1.0),
    ]
    for cell in cells:
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output of {cell.id}")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    WithholdOutputs().preprocess(notebook, {})
    texts = ["".join(output.text for output in cell.outputs) for cell in notebook.cells]
    assert texts == [
        "output of setup", "output of first", "output of test_first", SENTENCE, "",
        "output of test_second",
    ]  # fmt: skip
