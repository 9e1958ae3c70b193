"""No hostile submission gains a mark or does harm; on plain nbgrader most of them do.

Three classes of attackers among honest neighbours are graded: by plain nbgrader, by
``nbgrader autograde`` with this project's configuration, and by ``autograder grade``.
"""

import pytest

from tests.attacks.catalogue import GAINS, HARMS, UNTRIED, load
from tests.attacks.classes import MODES, PLAIN
from tests.attacks.course import POINTS, WALLS, Course
from tests.attacks.grading import Attempts, table
from tests.attacks.pages import problems

ATTACKS = load()
OURS = [mode for mode in MODES if mode != PLAIN]
# Both commands examine by the same function; these families meet what nbgrader's own does besides:
# reading, copying and timing submissions, and a grader that lives in the same process throughout.
BY_NBGRADER = {
    *("ipython hooks", "killing and outliving", "links and timestamps", "notebook structure"),
    "other rooms",
}
GRADED = [
    pytest.param(mode, name, id=f"{mode}-{name}")
    for mode in OURS
    for name, attack in ATTACKS.items()
    if "nbgrader" not in mode or attack.family in BY_NBGRADER
]
PROVEN = [name for name, attack in ATTACKS.items() if attack.plain in (GAINS, HARMS)]
# One of each family: all of them on plain nbgrader take a quarter of an hour, see `make attacks`.
SAMPLE = list({ATTACKS[name].family: name for name in PROVEN}.values())


@pytest.fixture(scope="module")
def attempts(tmp_path_factory):
    """Function that gives the classes of a mode, graded when first asked for."""
    names = {mode: [item.values[1] for item in GRADED if item.values[0] == mode] for mode in OURS}
    made = {mode: Attempts(tmp_path_factory.mktemp("attacks"), names[mode]) for mode in OURS}
    yield lambda mode: made[mode].graded(mode)
    for mode, attempts in made.items():
        if mode in attempts.finished:
            print("\n" + table(attempts, [mode]))


@pytest.fixture(scope="module")
def proofs(tmp_path_factory):
    """A few attackers, graded by plain nbgrader."""
    return Attempts(tmp_path_factory.mktemp("proofs"), SAMPLE)


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SAMPLE)
def test_it_works_on_plain_nbgrader(proofs, name):
    """Otherwise it is no attack, and stopping it proves nothing."""
    outcome = proofs.graded(PLAIN).outcomes[name]
    found = outcome.gains if ATTACKS[name].plain == GAINS else outcome.harms
    assert found, f"it {outcome.word}, with {outcome.scores}"


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("mode", "name"), GRADED)
def test_it_gains_nothing(attempts, mode, name):
    assert attempts(mode).outcomes[name].gains == []


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("mode", "name"), GRADED)
def test_it_harms_nobody(attempts, mode, name):
    assert attempts(mode).outcomes[name].harms == []


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", OURS)
def test_the_class_is_as_it_would_be_without_them(attempts, mode):
    """Neighbours keep full marks; nothing changed, nothing was left behind."""
    assert attempts(mode).problems == []


def test_there_are_enough_attacks():
    """At least forty, of every family, and most of them proven."""
    assert len(ATTACKS) >= 40
    assert len({attack.family for attack in ATTACKS.values()}) >= 18
    untried = [attack for attack in ATTACKS.values() if attack.plain == UNTRIED]
    assert len(untried) < len(ATTACKS) / 5


def test_honest_work_earns_everything_and_attackers_work_almost_nothing(tmp_path):
    """The course is fair: run in one ordinary namespace, as the student would."""
    course = Course(tmp_path / "course")
    from tests.attacks.course import WRONG, walls_notebook

    solved = walls_notebook().cells
    for answers, right in ((None, True), (WRONG[WALLS], False)):
        earned = _run_in_one_namespace(solved, answers, tmp_path)
        expected = POINTS[WALLS] if right else {"test_warmup": 1.0}
        assert earned == expected
    assert not course.root.exists()


def _run_in_one_namespace(cells, answers, folder):
    import ast
    import os

    (folder / "numbers.csv").write_text("3.5\n-1.25\n")
    here, names, earned = os.getcwd(), {}, {}
    os.chdir(folder)
    try:
        for cell in cells:
            about = cell.metadata.get("nbgrader", {})
            if cell.cell_type != "code":
                continue
            source = cell.source
            if answers and about["solution"]:
                source = answers[about["grade_id"]]
            tree = ast.parse(source)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            try:
                exec(compile(tree, about["grade_id"], "exec"), names)
                value = last and eval(compile(ast.Expression(last.value), "last", "eval"), names)
            except AssertionError:
                value = 0.0
            if about["grade"]:
                points = about["points"] if value is None else float(value)
                if points:
                    earned[about["grade_id"]] = points
    finally:
        os.chdir(here)
    return earned


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>mark</p><a href='https://example.org/mark'>see</a>", []),
        ("<img src='data:image/png;x' alt=mark>", []),
        ("&lt;script&gt;mark&lt;/script&gt;", []),
        ("<script>/*mark*/</script>", ["<script>"]),
        ("<img src=x onerror='mark'>", ["<img onerror=…>"]),
        ("<a href=' java&#115;cript:mark'>x</a>", ["<a href=script>"]),
        ("<img src='//outside/mark'>", ["<img src> fetches from outside"]),
        ("<div style='background:url(//mark)'>", ["<div style> reaches outside"]),
        ("<iframe srcdoc='mark'></iframe>", ["<iframe>"]),
        ("<style>/*mark*/</style>", ["<style>"]),
        ("<script>/*of the template*/</script>", []),
    ],
)  # fmt: skip
def test_pages_are_searched(page, found):
    assert problems(page, "mark") == found
