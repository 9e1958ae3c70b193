"""Compare every two submissions, and weigh what they share by how rare it is in the class.

copydetect cuts each answer into overlapping runs of tokens (*fingerprints*) and finds those that
two answers have in common. Every run counts: of a window only the smallest hash would be kept, and
Python draws its hashes anew in each process, so that two runs would give two results.

Short exercises have few good answers, so honest ones are alike. Therefore a run counts by how rare
it is: log2((n + 1) / m) where m, at least 2, of the n who answered that cell wrote it. What the
instructor gave counts nothing. The *likeness* of two answers is the weight of the runs they share,
divided by the geometric mean of the weights of all runs of each: 0 for nothing, 1 for everything.
That of two submissions is the mean over the cells, each counted by the square root of the larger
weight, so that one long answer that was found by two does not decide alone.
"""

import dataclasses
import io
import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from copydetect import CodeFingerprint, compare_files

from autograder.similarity.answers import Answers
from autograder.similarity.tokens import (
    Alphabet,
    Tokens,
    code_tokens,
    imported_names,
    prose_tokens,
)

# Tokens in a run. Fewer and every loop is alike; more and one changed token hides a line.
RUN = 5
PROSE_RUN = 4
# A pair less alike than the first never stands out, one more alike than the second always does.
LEAST, MOST = 0.75, 0.85
# Fewer submissions say nothing about what is common.
FEW = 10

Key = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Passage:
    """Characters of an answer that the other answer has, too: from, to, and how rare it is.

    Attributes
    ----------
    start, end : int
        First character, and the one after the last.
    rarity : float
        From 0 (everybody wrote it) to 1 (only these two).
    """

    start: int
    end: int
    rarity: float


@dataclasses.dataclass(frozen=True)
class CellPair:
    """One answer cell of two submissions.

    Attributes
    ----------
    notebook, cell : str
        Which.
    texts : tuple of str
        What each wrote; empty if nothing.
    passages : tuple of tuple of Passage
        What is alike, in each text.
    likeness : float
        From 0 to 1.
    share : float
        This cell's part in what the two have in common.
    """

    notebook: str
    cell: str
    texts: tuple[str, str]
    passages: tuple[tuple[Passage, ...], tuple[Passage, ...]]
    likeness: float
    share: float


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two submissions.

    Attributes
    ----------
    students : tuple of str
        Who.
    likeness : float
        From 0 to 1.
    weight : float
        Weight of what they share, in bits.
    """

    students: tuple[str, str]
    likeness: float
    weight: float


@dataclasses.dataclass(frozen=True)
class _Answer:
    text: str
    tokens: Tokens
    print: CodeFingerprint


class Comparison:
    """All pairs of a class.

    Parameters
    ----------
    answers : Answers
        Submissions, and what the instructor gave.
    on_pair : callable, optional
        Told how many pairs were compared, of how many.

    Attributes
    ----------
    pairs : list of Pair
        The likest first.
    fence : float
        Likeness from which a pair stands out: Tukey's outer fence, kept between `LEAST` and `MOST`.
    """

    def __init__(self, answers: Answers, on_pair: Callable[[int, int], None] | None = None) -> None:
        self.answers = answers
        self._alphabet = Alphabet()
        self._keep = imported_names(answers.instructor)
        self._runs = {
            (question.notebook, question.name): PROSE_RUN if question.prose else RUN
            for question in answers.questions
        }
        self._prose = {
            (question.notebook, question.name): question.prose for question in answers.questions
        }
        given = self._given()
        self._written: dict[str, dict[Key, _Answer]] = {}
        for submission in answers.submissions:
            self._written[submission.student] = {
                key: self._answer(key, text, given[key]) for key, text in submission.answers.items()
            }
        self._weights = {key: self._weigh(key) for key in self._runs}
        self._totals = {
            student: {key: self._sum(key, answer.print.hashes) for key, answer in written.items()}
            for student, written in self._written.items()
        }
        self.pairs = self._compare(on_pair)
        likeness = [pair.likeness for pair in self.pairs]
        low, high = np.percentile(likeness, (25, 75)) if len(answers.submissions) >= FEW else (0, 0)
        self.fence = min(max(LEAST, float(high + 3 * (high - low))), MOST)

    def stands_out(self, pair: Pair) -> bool:
        """Whether two are more alike than the class explains."""
        return pair.likeness >= self.fence

    def cells(self, pair: Pair) -> list[CellPair]:
        """Look at two submissions cell by cell, in the order of the lesson."""
        first, second = (self._written[student] for student in pair.students)
        found = []
        for question in self.answers.questions:
            key = (question.notebook, question.name)
            ours, theirs = first.get(key), second.get(key)
            if ours is None and theirs is None:
                continue
            if ours is None or theirs is None:
                texts = ("" if ours is None else ours.text, "" if theirs is None else theirs.text)
                found.append(CellPair(*key, texts, ((), ()), 0.0, 0.0))
                continue
            shared = ours.print.hashes & theirs.print.hashes
            weight = self._sum(key, shared)
            totals = [self._totals[student][key] for student in pair.students]
            found.append(
                CellPair(
                    *key,
                    (ours.text, theirs.text),
                    self._passages(key, ours, theirs),
                    _ratio(weight, *totals),
                    weight / pair.weight / self._runs[key] if pair.weight else 0.0,
                )
            )
        return found

    def _given(self) -> dict[Key, set[int]]:
        """Runs that the instructor handed out: code for every code cell, text for its own cell."""
        given: dict[Key, set[int]] = {}
        code: set[int] = set()
        for source in self.answers.instructor:
            code |= self._fingerprint(code_tokens(source, self._keep), RUN).hashes
        for question in self.answers.questions:
            key = (question.notebook, question.name)
            given[key] = code
            if question.prose:
                own = self._fingerprint(prose_tokens(question.given), PROSE_RUN)
                given[key] = set(own.hashes)
        return given

    def _answer(self, key: Key, text: str, given: set[int]) -> _Answer:
        tokens = prose_tokens(text) if self._prose[key] else code_tokens(text, self._keep)
        fingerprint = self._fingerprint(tokens, self._runs[key])
        # Taken out here: copydetect's own way counts runs that repeat as if they were given.
        fingerprint.hashes = set(fingerprint.hashes) - given
        fingerprint.hash_idx = {
            value: places
            for value, places in fingerprint.hash_idx.items()
            if value in fingerprint.hashes
        }
        return _Answer(text, tokens, fingerprint)

    def _fingerprint(self, tokens: Tokens, run: int) -> CodeFingerprint:
        text = self._alphabet.write(tokens.words)
        return CodeFingerprint("answer", run, 1, filter=False, fp=io.StringIO(text, newline=""))

    def _weigh(self, key: Key) -> dict[int, float]:
        prints = [written[key].print for written in self._written.values() if key in written]
        counts = Counter(value for item in prints for value in item.hashes)
        # What only one wrote counts no more than what two share: changes do not hide a copy.
        return {
            value: math.log2((len(prints) + 1) / max(many, 2)) for value, many in counts.items()
        }

    def _sum(self, key: Key, hashes: set[int]) -> float:
        weights = self._weights[key]
        return sum(weights[value] for value in hashes)

    def _compare(self, on_pair: Callable[[int, int], None] | None) -> list[Pair]:
        students = list(self._written)
        many = len(students) * (len(students) - 1) // 2
        pairs = []
        for number, (first, second) in enumerate(itertools.combinations(students, 2), start=1):
            ours, theirs = self._written[first], self._written[second]
            weight = alike = counted = 0.0
            for key in self._runs:
                totals = [self._totals[student].get(key, 0.0) for student in (first, second)]
                if not any(totals):
                    continue
                counts = math.sqrt(max(totals) / self._runs[key])
                counted += counts
                if all(totals):
                    shared = self._sum(key, ours[key].print.hashes & theirs[key].print.hashes)
                    weight += shared / self._runs[key]
                    alike += counts * _ratio(shared, *totals)
            likeness = min(1.0, round(alike / counted, 12)) if counted else 0.0
            pairs.append(Pair((first, second), likeness, weight))
            if on_pair is not None:
                on_pair(number, many)
        return sorted(pairs, key=lambda pair: (-pair.likeness, pair.students))

    def _passages(
        self, key: Key, ours: _Answer, theirs: _Answer
    ) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
        _, _, slices = compare_files(ours.print, theirs.print)
        weights = self._weights[key]
        shared = ours.print.hashes & theirs.print.hashes
        # Of n who answered, two at least wrote it.
        rarest = max((weights[value] for value in shared), default=0.0)
        answered = sum(key in written for written in self._written.values())
        top = max(rarest, math.log2((answered + 1) / 2))
        found = []
        for answer, (starts, ends) in zip(
            (ours, theirs), (item if len(item) else ([], []) for item in slices), strict=True
        ):
            marks = []
            for start, end in zip(_whole(starts), _whole(ends), strict=True):
                inside = [
                    weights[value]
                    for value in shared
                    for place in answer.print.hash_idx[value]
                    if start <= place < end
                ]
                spans = answer.tokens.spans[start:end]
                rarity = sum(inside) / len(inside) / top if inside and top else 0.0
                marks.append(Passage(spans[0][0], spans[-1][1], rarity))
            found.append(tuple(marks))
        return found[0], found[1]


def _whole(numbers: Sequence[float]) -> list[int]:
    return [int(number) for number in np.asarray(numbers)]


def _ratio(shared: float, first: float, second: float) -> float:
    return shared / math.sqrt(first * second) if first > 0 and second > 0 else 0.0
