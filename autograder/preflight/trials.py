"""The made-up submissions, and what each should earn."""

import dataclasses
from collections.abc import Callable, Mapping

from autograder.preflight import bad_answers
from autograder.preflight.author_answers import AuthorAnswer
from autograder.preflight.solved import Key, SolvedNotebook

ALL, NOTHING, LESS, ANY = "all", "nothing", "less", "any"
Notebooks = Mapping[str, SolvedNotebook]


@dataclasses.dataclass(frozen=True)
class Trial:
    """One made-up submission.

    Attributes
    ----------
    student : str
        Id in the scratch course.
    title : str
        What it is, in words.
    kind : str
        ``"solution"``, ``"dull"`` (nothing was answered), ``"noisy"``, ``"crashing"``,
        ``"endless"``, ``"hostile"`` or ``"answers"``.
    files : dict of str to bytes
        Its notebooks.
    should : dict of Key to str
        Test cell → what it should earn: ``"all"``, ``"nothing"``, ``"less"`` (than all) or
        ``"any"``. Empty for the author's answers, which are judged one by one.
    spoilt : tuple of Key
        The answer cells that crash or never end.
    answers : dict of Key to AuthorAnswer
        The author's answers in it.
    """

    student: str
    title: str
    kind: str
    files: dict[str, bytes]
    should: dict[Key, str]
    spoilt: tuple[Key, ...] = ()
    answers: dict[Key, AuthorAnswer] = dataclasses.field(default_factory=dict)


def usual_trials(notebooks: Notebooks) -> list[Trial]:
    """The solution, four kinds of nothing and noise, crashes, an endless loop, and attacks."""
    tests = [Key(name, test) for name, one in notebooks.items() for test in one.tests]
    nothing, everything = dict.fromkeys(tests, NOTHING), dict.fromkeys(tests, ALL)
    emptied = {name: one.hand_in(one.emptied()) for name, one in notebooks.items()}
    trials = [
        Trial(
            "solution", "the solution", "solution",
            {name: one.hand_in({}, whole=True) for name, one in notebooks.items()}, everything,
        ),
        *_stopped(notebooks),
        Trial(
            "untouched", "the untouched lesson", "dull",
            {name: one.untouched() for name, one in notebooks.items()}, nothing,
        ),
        Trial("empty", "every answer left empty", "dull", emptied, nothing),
        Trial(
            "none", "every answer is None", "dull",
            _everywhere(notebooks, bad_answers.nothing), dict.fromkeys(tests, LESS),
        ),
        Trial(
            "noisy", "the solution, noisy", "noisy",
            _everywhere(notebooks, bad_answers.noisy), everything,
        ),
        Trial(
            "claiming", "hostile: claims a score", "hostile",
            _everywhere(notebooks, bad_answers.claiming), nothing,
        ),
        Trial(
            "looking", "hostile: looks around, leaves", "hostile",
            _everywhere(notebooks, bad_answers.looking), nothing,
        ),
    ]  # fmt: skip
    return trials


def answer_trial(number: int, batch: dict[Key, AuthorAnswer], notebooks: Notebooks) -> Trial:
    """Make a submission with some of the author's answers."""
    files = {
        name: one.hand_in(
            {key.cell: answer.source for key, answer in batch.items() if key.notebook == name}
        )
        for name, one in notebooks.items()
    }
    title = f"the author's answers, batch {number}"
    return Trial(f"answers-{number:03d}", title, "answers", files, {}, answers=dict(batch))


def _everywhere(notebooks: Notebooks, make: Callable[[str], str]) -> dict[str, bytes]:
    return {
        name: one.hand_in({answer: make(one.source_of(answer)) for answer in one.answers})
        for name, one in notebooks.items()
    }


def _stopped(notebooks: Notebooks) -> list[Trial]:
    """Submissions of which one answer never ends, or crashes: the others must keep their points."""
    marked = [
        Key(name, answer)
        for name, one in notebooks.items()
        for answer in one.answers
        if one.tests_of[answer]
    ]
    if not marked:
        return []
    first, middle, last = marked[0], marked[len(marked) // 2], marked[-1]
    crashes = {middle: bad_answers.crashing}
    if last != middle:
        crashes[last] = bad_answers.crashing_when_called
    return [
        _spoilt("endless", "an answer that never ends", notebooks, {first: bad_answers.endless}),
        _spoilt("crashing", "answers that crash the kernel", notebooks, crashes),
    ]


def _spoilt(
    kind: str, title: str, notebooks: Notebooks, changed: Mapping[Key, Callable[[str], str]]
) -> Trial:
    files, should = {}, {}
    for name, one in notebooks.items():
        texts = {
            key.cell: make(one.source_of(key.cell))
            for key, make in changed.items()
            if key.notebook == name
        }
        files[name] = one.hand_in(texts)
        for test in one.tests:
            own = any(test in one.tests_of[cell] for cell in texts)
            touched = any(one.stands_on(test, cell) for cell in texts)
            should[Key(name, test)] = LESS if own else ANY if touched else ALL
    return Trial(kind, title, kind, files, should, spoilt=tuple(changed))
