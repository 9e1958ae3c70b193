"""Defects planted in copies of lesson 02 are found, each of them, and nothing else.

The small course of :mod:`test_run` shows each kind of finding; here they have to be found in a
lesson of real size, among 54 code cells and exercises that are whole.
"""

import dataclasses
import json
import tomllib

import nbformat
import pytest

from tests.autograder.preflight import lesson
from tests.autograder.preflight.test_run import BUSY
from tests.conftest import ROOT

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

LESSON = "02_convolution"
SOLUTION = "### BEGIN SOLUTION"
# A cell that is written again: its checks are plain asserts, nbgrader's own way.
VACUOUS = """\
try:
    assert conv2d_parameters(10, 5, 3) == 760
except Exception:
    pass"""
CALLABLE = "assert callable(conv2d_output_shape)"
TRUSTING = "assert conv2d(np.ones((4, 4, 1)), np.ones((3, 3, 1, 2)), np.zeros(2)) is not None"
MISTAKEN = """\
assert receptive_field([(3, 1, 1)] * 5) == 11
### BEGIN HIDDEN TESTS
assert receptive_field([(3, 1, 1)] * 6) == 14
### END HIDDEN TESTS"""
SLOW = BUSY.replace("240_", "640_").replace("2.5", "5.5")
OF_THE_ANSWERS = ("wrong-hint", "wrong-passes", "right-loses")
BUSY_CELL = "the slow cell"  # no name of nbgrader's: where it is tells its number
RIGHT_CHAIN = "input_shape, chain = draw_chain(my_seed)"


class Copy:
    """A copy of the lesson, to plant defects in."""

    def __init__(self):
        path = ROOT / "solutions" / LESSON / f"{LESSON}.ipynb"
        self.notebook = nbformat.read(path, as_version=4)

    def cell(self, name):
        """The cell that nbgrader knows by a name."""
        (found,) = [
            cell
            for cell in self.notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id") == name
        ]
        return found

    def insert_before(self, name, cell):
        """Put a cell before another one."""
        self.notebook.cells.insert(self.notebook.cells.index(self.cell(name)), cell)

    def write(self, folder, *, answers="", limits=""):
        """Write a course that holds the copy alone."""
        place = folder / "solutions" / LESSON
        place.mkdir(parents=True)
        nbformat.write(self.notebook, place / f"{LESSON}.ipynb")
        config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8") + limits
        (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
        if answers:
            place = folder / "tests" / "variants"
            place.mkdir(parents=True)
            (place / f"{LESSON}.toml").write_text(answers, encoding="utf-8")
        return folder


def own_chain_answers(copy):
    """Answers to the last exercise: one with another hint, one that is right, one that is wrong."""
    path = ROOT / "tests" / "variants" / f"{LESSON}.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    wrong = next(
        entry
        for entry in known["wrong"]
        if entry["exercise"] == "own_chain" and entry["hint"] == "stride-ignored"
    )
    solved = copy.cell("own_chain").source
    assert RIGHT_CHAIN in solved
    written = [
        ("wrong", "stride-1", {"hint": "swapped"}, wrong["answer"]),
        ("wrong", "the-solution", {}, solved),
        ("right", "four-shapes-only", {}, f"{solved}\nchain_parameters = chain_parameters[:3]"),
    ]
    return "\n".join(
        f'[[{kind}]]\nexercise = "own_chain"\nname = "{name}"\n'
        + "".join(f'{key} = "{value}"\n' for key, value in more.items())
        + f"answer = {json.dumps(answer)}\n"
        for kind, name, more, answer in written
    )


@pytest.fixture(scope="module")
def look(tmp_path_factory, cluster):
    """Function that lets preflight look at a copy, and returns its report."""

    def look(copy, **kwargs):
        from autograder.preflight.run import preflight

        folder = copy.write(tmp_path_factory.mktemp("course"), **kwargs)
        return preflight(folder, LESSON, cluster=cluster)

    return look


@pytest.fixture(scope="module")
def report(look):
    copy = Copy()
    for name, source in [
        ("test_conv2d_parameters", VACUOUS),
        ("test_conv2d_output_shape", CALLABLE),
        ("test_conv2d", TRUSTING),
        ("test_receptive_field", MISTAKEN),
    ]:
        copy.cell(name).source = source
    last = copy.cell("test_own_chain")
    last.source = last.source.replace("HIDDEN TESTS", "HIDDEN TEST")
    last.metadata["nbgrader"]["points"] = 5
    answers = own_chain_answers(copy)
    solved = copy.cell("conv2d").source
    copy.insert_before("drawing_cone", lesson.code(solved.split(SOLUTION)[1].split("    ###")[0]))
    slow = lesson.code(SLOW)
    copy.insert_before("reading", slow)
    limits = "\nc.Sandbox.cell_processor_seconds = 8\nc.Sandbox.memory_mb = 800\n"
    report = look(copy, answers=answers, limits=limits)
    number = f"cell {copy.notebook.cells.index(slow) + 1}"
    report.findings = [
        dataclasses.replace(finding, where=finding.where.replace(number, BUSY_CELL))
        for finding in report.findings
    ]
    return report


@pytest.mark.parametrize(
    ("kind", "where", "words"),
    [
        ("never-fails", "test_conv2d_parameters", "whatever was tried kept all 2 points"),
        ("empty-passes", "test_conv2d_output_shape", "every answer is None earns 3 of 3"),
        ("hostile-gains", "test_conv2d", "(hostile: claims a score) earns 5 of 5"),
        ("solution-loses", "test_receptive_field", "a hidden test failed (AssertionError)"),
        ("wrong-passes", "test_own_chain", "'the-solution' to 'own_chain' keeps all points"),
        ("wrong-hint", "test_own_chain", "get the hint 'swapped'; it gets"),
        ("right-loses", "test_own_chain", "'four-shapes-only' to 'own_chain' loses points"),
        ("points", "test_own_chain", "Exercise(points=4) in a cell that is worth 5"),
        ("points", LESSON, "tells 4 points, the cells below it give 5"),
        ("leak", "conv2d", "every line of this answer also stands"),
        ("leak", "test_own_chain", "looks like a delimiter that nbgrader does not know"),
        ("too-slow", BUSY_CELL, "s of the 8 s of processor time that a cell may take"),
        ("too-much-memory", BUSY_CELL, "MB of the 800 that a room may use"),
    ],
)
def test_a_defect_in_the_lesson_is_found(report, kind, where, words):
    messages = [
        finding.message
        for finding in report.findings
        if finding.kind == kind and where in finding.where
    ]
    assert any(words in text for text in messages), [str(finding) for finding in report.findings]


def test_nothing_else_of_the_lesson_is_blamed(report):
    known = {
        ("never-fails", "test_conv2d_parameters"),
        ("empty-passes", "test_conv2d_output_shape"),
        ("hostile-gains", "test_conv2d"),
        ("solution-loses", "test_receptive_field"),
        ("leak", "conv2d"),
        *((kind, "test_own_chain") for kind in ("points", "leak", *OF_THE_ANSWERS)),
        ("points", LESSON),
        ("too-slow", BUSY_CELL),
        ("too-much-memory", BUSY_CELL),
    }
    blamed = {(found.kind, found.where.split(" · ")[-1]) for found in report.findings}
    assert blamed == known


def test_an_endless_cell_in_the_lesson_is_found(look):
    copy = Copy()
    cell = copy.cell("own_chain")
    cell.source = cell.source.replace("my_seed = 1729", "while True: pass")
    report = look(copy, limits="\nc.Sandbox.cell_seconds = 5\n")
    told = {finding.kind: str(finding) for finding in report.findings}
    # Without its last answer, the solution loses that exercise.
    assert set(told) == {"limit", "solution-loses"}
    assert "own_chain: the solution's cell: stopped after 5 s: a loop" in told["limit"]


def test_one_name_for_two_cells_is_found(look):
    copy = Copy()
    copy.cell("test_conv2d").metadata["nbgrader"]["grade_id"] = "test_conv2d_parameters"
    report = look(copy)
    assert {finding.kind for finding in report.findings} == {"grade-id"}
    assert not report.outcomes


def test_a_test_that_needs_an_experiment_is_found(look):
    copy = Copy()
    copy.insert_before("test_receptive_field", lesson.code("plain_stack = [(3, 1, 1)] * 5"))
    copy.cell("test_receptive_field").source = "assert receptive_field(plain_stack) == 11"
    report = look(copy)
    assert [finding.kind for finding in report.findings] == ["names"]
    assert not report.outcomes
