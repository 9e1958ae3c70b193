"""Planted copies rank first, honest answers to the same short exercise do not."""

import json
import random

import pytest
from nbgrader.coursedir import CourseDirectory

from autograder.configuration import load_course
from autograder.similarity.answers import (
    Answers,
    Question,
    SimilarityError,
    Submission,
    read_answers,
)
from autograder.similarity.comparison import Comparison
from tests.autograder.similarity import planted
from tests.rehearsal import LESSONS, ROOT

ONE = "02_convolution"
GIVEN = "def total(numbers):\n    raise NotImplementedError()"


def read(folder, lesson=ONE):
    return read_answers(CourseDirectory(config=load_course(folder)), lesson)


def ranks_first(folder, lesson, seed):
    pairs = planted.write_class(folder, lesson, seed=seed)
    comparison = Comparison(read(folder, lesson))
    assert len(comparison.pairs) == 30 * 29 / 2
    first = {pair.students for pair in comparison.pairs[: len(pairs)]}
    assert first == pairs
    honest = [
        pair for pair in comparison.pairs if not any("zcopy" in name for name in pair.students)
    ]
    assert len(honest) == 27 * 26 / 2
    assert not any(map(comparison.stands_out, honest))
    return comparison


def test_copies_rank_first_and_honest_pairs_do_not_stand_out(tmp_path):
    comparison = ranks_first(tmp_path, ONE, seed=0)
    assert all(map(comparison.stands_out, comparison.pairs[:3]))
    # What is shown side by side is what was compared.
    for cell in comparison.cells(comparison.pairs[0]):
        if cell.cell == "conv2d":
            assert cell.likeness > 0.9
            marked = [
                "".join(text[mark.start : mark.end] for mark in marks)
                for text, marks in zip(cell.texts, cell.passages, strict=True)
            ]
            assert all(len(text) > 0.5 * len(cell.texts[0]) for text in marked)
    shares = [cell.share for cell in comparison.cells(comparison.pairs[0])]
    assert sum(shares) == pytest.approx(1)


@pytest.mark.full
@pytest.mark.parametrize("lesson", [name for name in LESSONS if name != ONE])
def test_copies_rank_first_in_every_lesson(tmp_path, lesson):
    ranks_first(tmp_path, lesson, seed=1)


def answers(*texts, given=GIVEN, prose=False, lesson=()):
    """A class that answered one cell."""
    question = Question("sums", "total", prose, given)
    students = [
        Submission(f"s{number:02}", {("sums", "total"): text} if text else {})
        for number, text in enumerate(texts)
    ]
    return Answers((question,), () if prose else (given, *lesson), tuple(students), ())


def others(number):
    """As many answers that have nothing in common."""
    rng = random.Random(1)
    words = ["and", "or", "not", "in", "is", "lambda", "yield", "while", "if", "else"]
    return [
        "def total(numbers):\n    "
        + " ".join(f"{rng.choice(words)} {rng.random()}" for _ in range(40))
        for _ in range(number)
    ]


def likeness(comparison, first, second):
    wanted = (f"s{first:02}", f"s{second:02}")
    return next(pair.likeness for pair in comparison.pairs if pair.students == wanted)


def test_what_many_write_counts_less_than_what_two_write():
    common = "def total(numbers):\n    result = 0\n    for n in numbers:\n        result += n"
    rare = "def total(numbers):\n    return numbers[0] + total(numbers[1:]) if len(numbers) else 0"
    mixed = [f"{common}\n    return result ** {number}" for number in range(10)]
    unlike = [f"{rare}\n    # {number}" for number in range(2)]
    comparison = Comparison(answers(*mixed, *unlike, *others(8)))
    assert likeness(comparison, 10, 11) == 1
    weights = {pair.students: pair.weight for pair in comparison.pairs}
    assert weights["s10", "s11"] > 1.5 * weights["s00", "s01"]


def test_the_instructors_code_counts_nothing():
    demo = (
        "count = 0\nfor row in table:\n    for value in row:\n"
        "        count = count + value * 2\nprint(count)"
    )
    short = ["total = numbers[0] ** 2", "total = max(numbers, key=abs)", *others(10)]
    texts = [f"{demo}\n{short[0]}", f"{demo}\n{short[1]}", *short[2:]]
    assert likeness(Comparison(answers(*texts)), 0, 1) > 0.7
    given = Comparison(answers(*texts, lesson=[demo]))
    assert likeness(given, 0, 1) < 0.3  # where the two meet


def test_an_answer_alike_everything_in_it_stays_as_it_is_when_repeated():
    # A run that repeats within one answer is not taken for the instructor's.
    loop = "def total(numbers):\n" + "    numbers.sort(key=len, reverse=True)\n" * 6
    comparison = Comparison(answers(loop, loop, *others(10)))
    assert likeness(comparison, 0, 1) == 1


def test_nothing_written_is_like_nothing():
    comparison = Comparison(answers("", "", "def total(numbers):\n    return 1 + 2 + 3 + 4", "x"))
    assert {pair.likeness for pair in comparison.pairs} == {0.0}
    assert not any(map(comparison.stands_out, comparison.pairs))
    assert comparison.cells(comparison.pairs[0]) is not None


def test_free_texts_are_compared_by_their_words():
    own = [
        "The curve falls since the window loses its border at every step of the walk.",
        "Padding with zeros keeps the size, and so the deepest map still sees all of it.",
        "卷积核在边缘处会丢失信息，所以输出的尺寸变小了。",
    ]
    copy = own[0].upper().replace(" ", "\n")
    chinese = own[2].replace("。", "！")
    rest = [f"Answer {number} says {number * 7} things of {number * 3}." for number in range(9)]
    comparison = Comparison(answers(*own, copy, chinese, *rest, given="", prose=True))
    first = {pair.students for pair in comparison.pairs[:2]}
    assert first == {("s00", "s03"), ("s02", "s04")}
    assert likeness(comparison, 0, 1) < 0.1


def test_what_is_handed_in_is_read_with_care(tmp_path):
    planted.write_class(tmp_path, ONE, honest=3, copies=1)
    submitted = tmp_path / "submitted"
    broken = submitted / "honest01" / ONE / f"{ONE}.ipynb"
    broken.write_text("{")
    link = submitted / "honest02" / ONE / f"{ONE}.ipynb"
    link.unlink()
    link.symlink_to(submitted / "honest00" / ONE / f"{ONE}.ipynb")
    (submitted / "empty" / ONE).mkdir(parents=True)
    released = json.loads((tmp_path / "lessons" / ONE / f"{ONE}.ipynb").read_text())
    planted.hand_in(tmp_path, ONE, released, "untouched", {})
    found = read(tmp_path)
    assert [item.student for item in found.submissions] == [
        "empty", "honest00", "honest01", "honest02", "untouched", "zcopy00",
    ]  # fmt: skip
    assert [remark.split(":")[0] for remark in found.remarks] == ["honest01", "honest02"]
    by_student = {item.student: item.answers for item in found.submissions}
    assert not by_student["honest02"]
    assert not by_student["untouched"]
    assert "reading" not in {name for _, name in by_student["honest00"]}
    assert Comparison(found).pairs[0].students == ("honest00", "zcopy00")


def test_which_cells_are_answers_is_the_lessons_decision(tmp_path):
    planted.write_class(tmp_path, ONE, honest=2, copies=0)
    path = tmp_path / "submitted" / "honest00" / ONE / f"{ONE}.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader")
        if about and about["grade_id"] == "setup":
            cell["source"] = "hidden = 'here'"
        if about:
            about["solution"] = not about["solution"]
    path.write_text(json.dumps(notebook))
    released = json.loads((ROOT / "lessons" / ONE / f"{ONE}.ipynb").read_text())
    names = {
        cell["metadata"]["nbgrader"]["grade_id"]
        for cell in released["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }
    found = read(tmp_path)
    assert {question.name for question in found.questions} == names
    assert {name for _, name in found.submissions[0].answers} <= names


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("lesson", "generate_assignment"),
        ("class", "it takes two"),
        ("broken", "cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_said(tmp_path, spoil, words):
    planted.write_class(tmp_path, ONE, honest=1, copies=0)
    lesson = tmp_path / "lessons" / ONE / f"{ONE}.ipynb"
    if spoil == "lesson":
        lesson.unlink()
    elif spoil == "broken":
        lesson.write_text("no notebook")
    with pytest.raises(SimilarityError, match=words):
        read(tmp_path)
