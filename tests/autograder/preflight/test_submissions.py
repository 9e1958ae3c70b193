"""The made-up submissions: their texts, and which answers go into one."""

import ast
import json

import pytest

from autograder.preflight import bad_answers
from autograder.preflight.author_answers import AuthorAnswer, batches, place_of, read_answers
from autograder.preflight.report import PreflightError
from autograder.preflight.solved import Key, SolvedNotebook
from autograder.preflight.trials import ALL, ANY, LESS, usual_trials
from tests.autograder.preflight import lesson

SOURCE = """\
import math

def area(radius):
    '''Of a circle.'''
    return math.pi * radius**2

class Circle:
    def __init__(self, radius):
        self.radius = radius

unit, size = Circle(1), 3
double = lambda number: 2 * number
"""
MAKERS = (
    bad_answers.noisy,
    bad_answers.nothing,
    bad_answers.claiming,
    bad_answers.looking,
)


@pytest.mark.parametrize("make", MAKERS)
def test_every_bad_answer_binds_the_same_names(make, capsys):
    text = make(SOURCE)
    tree = ast.parse(text)
    bound = {node.name for node in ast.walk(tree) if hasattr(node, "name")}
    bound |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {"area", "Circle", "unit", "size", "double"} <= bound


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("source", ["def (", "%%html\n<b>", ""])
def test_no_text_is_too_odd(make, source):
    make(source)


def test_nothing_is_none():
    space = {}
    exec(bad_answers.nothing(SOURCE), space)
    assert space["area"](3) is None
    assert space["Circle"](1).anything(2) is None
    assert space["unit"] is space["size"] is None


def test_a_noisy_answer_is_still_right(capfd):
    space = {}
    with pytest.warns(UserWarning, match="deprecated"):
        exec(bad_answers.noisy(SOURCE) + "\nfound = area(1)", space)
    assert space["found"] == pytest.approx(3.14159, abs=1e-3)
    heard = capfd.readouterr()
    assert "debugging: called" in heard.out
    assert "cpu_feature_guard" in heard.err


def test_crashing_and_endless_answers_do_it_when_called_if_they_can():
    for make, words in (
        (bad_answers.crashing_when_called, "SIGKILL"),
        (bad_answers.endless, "while True"),
    ):
        body = ast.parse(make(SOURCE)).body
        assert all(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)
        assert words in make(SOURCE)
        assert not isinstance(ast.parse(make("size = 3")).body[0], ast.FunctionDef)


def solved(cells=None):
    released = json.loads(json.dumps(lesson.notebook(cells)))
    source = json.loads(json.dumps(released))
    for cell in released["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = "raise NotImplementedError"
    return {"sums": SolvedNotebook("sums", released, source)}


def test_experiments_are_left_out_unless_somebody_needs_them():
    cells = lesson.cells()
    cells.insert(3, lesson.code("helper = 3"))
    cells[4].source = lesson.DOUBLE.replace("2 * number", "2 * number + helper")
    [one] = solved(cells).values()
    assert one.needed == {3}
    texts = [cell["source"] for cell in json.loads(one.hand_in({"total": "x = 1"}))["cells"]]
    assert "helper = 3" in texts
    assert "x = 1" in texts
    assert not any("an experiment" in text for text in texts)
    whole = json.loads(one.hand_in({}, whole=True))
    assert any("an experiment" in cell["source"] for cell in whole["cells"])


def test_tests_belong_to_answers_by_name_by_use_or_by_place():
    cells = lesson.cells()
    cells[8].metadata.nbgrader["grade_id"] = "question_2"
    [one] = solved(cells).values()
    assert one.tests_of == {"double": ["test_double"], "total": ["question_2"]}
    cells[8].source = "import os"
    [one] = solved(cells).values()
    assert one.tests_of["total"] == ["question_2"]


def test_what_is_spoilt_costs_only_what_stands_on_it():
    cells = lesson.cells()
    cells[8].source = "assert total([double(1)]) == 2"
    trials = {trial.student: trial for trial in usual_trials(solved(cells))}
    keys = Key("sums", "test_double"), Key("sums", "test_total")
    assert [trials["solution"].should[key] for key in keys] == [ALL, ALL]
    assert [trials["endless"].should[key] for key in keys] == [LESS, ANY]
    trials = {trial.student: trial for trial in usual_trials(solved())}
    assert [trials["endless"].should[key] for key in keys] == [LESS, ALL]
    assert [trials["crashing"].should[key] for key in keys] == [ALL, LESS]


def test_a_name_that_a_test_binds_itself_is_not_an_earlier_one():
    cells = lesson.cells()
    cells[4].source += "\ngiven = double(3)"
    cells[8].source = "given = [1, 2]\ncall = lambda: total(given)\nassert call() == 3"
    [one] = solved(cells).values()
    assert not one.stands_on("test_total", "double")


def wrong(exercise, name):
    return Key("sums", exercise), AuthorAnswer("wrong", exercise, name, "x = 1")


def test_independent_answers_share_a_submission():
    given = [wrong("double", "a"), wrong("double", "b"), wrong("total", "c"), wrong("total", "d")]
    packed = batches(given, solved())
    assert [sorted(answer.name for answer in batch.values()) for batch in packed] == [
        ["a", "c"], ["b", "d"],
    ]  # fmt: skip


def test_answers_that_stand_on_each_other_do_not():
    cells = lesson.cells()
    cells[7].source = "def total(numbers):\n    return double(sum(numbers)) / 2\nnames = []"
    packed = batches([wrong("double", "a"), wrong("total", "b")], solved(cells))
    assert len(packed) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[wrong]]\nname = 'a'\nanswer = 'x'", "[[wrong]] number 1: needs exercise"),
        ("[[right]]\nexercise = 'a'\nname = 'b'\nanswer = 3", "needs answer"),
        ("[[worng]]\nname = 'a'", "unknown 'worng'"),
        ("wrong = 3", "'wrong' is no list"),
        ("[[wrong]\n", "is no TOML"),
        ("[[wrong]]\nexercise='a'\nname='b'\nanswer='x'\nhint=1", "hint is 1"),
    ],
)
def test_a_file_of_answers_that_cannot_be_read(tmp_path, text, words):
    path = tmp_path / "answers.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PreflightError) as caught:
        read_answers(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value).split("is no TOML")[0]


def test_an_answer_to_nothing(tmp_path):
    with pytest.raises(PreflightError, match="cannot be read"):
        read_answers(tmp_path / "missing.toml")
    _, answer = wrong("tripel", "a")
    with pytest.raises(PreflightError, match="answer cells are: double, total"):
        place_of(answer, solved())
