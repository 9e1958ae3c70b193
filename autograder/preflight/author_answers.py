"""The author's wrong and right answers: read, and packed into few submissions."""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.preflight.report import PreflightError
from autograder.preflight.solved import Key, SolvedNotebook


@dataclasses.dataclass(frozen=True)
class AuthorAnswer:
    """One answer of the author's to one exercise.

    Attributes
    ----------
    kind : {"wrong", "right"}
        Wrong ones must lose points, right ones keep all.
    exercise : str
        Name of the answer cell.
    name : str
        What sets it apart.
    source : str
        Text of the cell.
    hint : str
        Id of the mistake that a wrong one must get; empty if none is named.
    """

    kind: str
    exercise: str
    name: str
    source: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.kind} answer {self.name!r} to {self.exercise!r}"


def answers_path(root: Path, assignment: str) -> Path:
    """Where a course keeps its answers, if nobody says otherwise."""
    return root / "tests" / "variants" / f"{assignment}.toml"


def read_answers(path: Path) -> list[AuthorAnswer]:
    """Read a file with ``[[wrong]]`` and ``[[right]]`` tables, see CONTRIBUTING.md.

    Raises
    ------
    PreflightError
        If it cannot be read, or an answer has no exercise, name or text.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PreflightError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PreflightError(f"{path}: is no TOML: {error}") from None
    answers = []
    for kind in ("wrong", "right"):
        tables = content.pop(kind, [])
        if not isinstance(tables, list):
            raise PreflightError(f"{path}: {kind!r} is no list of tables: write [[{kind}]]")
        for number, table in enumerate(tables, 1):
            answers.append(_answer(kind, table, f"{path}: [[{kind}]] number {number}"))
    if content:
        raise PreflightError(
            f"{path}: unknown {', '.join(map(repr, sorted(content)))}; expected [[wrong]] and "
            "[[right]]"
        )
    return answers


def _answer(kind: str, table: object, where: str) -> AuthorAnswer:
    about = table if isinstance(table, dict) else {}
    for field in ("exercise", "name", "answer"):
        if not isinstance(about.get(field), str) or not about[field].strip():
            raise PreflightError(f"{where}: needs {field} = '…', received {about.get(field)!r}")
    hint = about.get("hint", "")
    if not isinstance(hint, str):
        raise PreflightError(f"{where}: hint is {hint!r}; expected the id of a mistake")
    return AuthorAnswer(kind, about["exercise"], about["name"], about["answer"].strip("\n"), hint)


def place_of(answer: AuthorAnswer, notebooks: Mapping[str, SolvedNotebook]) -> Key:
    """Find the cell that an answer is for.

    Raises
    ------
    PreflightError
        If there is none, or no test marks it.
    """
    for name, notebook in notebooks.items():
        if answer.exercise in notebook.answers:
            if not notebook.tests_of[answer.exercise]:
                raise PreflightError(f"no test cell marks {answer.exercise!r}, so {answer} is idle")
            return Key(name, answer.exercise)
    known = ", ".join(cell for notebook in notebooks.values() for cell in notebook.answers)
    raise PreflightError(
        f"there is no answer cell for the {answer}; the answer cells are: {known or 'none'}"
    )


def batches(
    answers: Iterable[tuple[Key, AuthorAnswer]], notebooks: Mapping[str, SolvedNotebook]
) -> list[dict[Key, AuthorAnswer]]:
    """Put answers to different exercises into one submission, where none can disturb another.

    Parameters
    ----------
    answers : iterable of (Key, AuthorAnswer)
        What is to be tried, and the cell it is for.
    notebooks : mapping of str to SolvedNotebook
        What stands on what.

    Returns
    -------
    list of dict
        Answer cell → answer, for each submission.
    """
    packed: list[dict[Key, AuthorAnswer]] = []
    for key, answer in answers:
        for batch in packed:
            if all(_apart(key, other, notebooks) for other in batch):
                batch[key] = answer
                break
        else:
            packed.append({key: answer})
    return packed


def _apart(one: Key, other: Key, notebooks: Mapping[str, SolvedNotebook]) -> bool:
    if one == other:
        return False
    if one.notebook != other.notebook:
        return True
    notebook = notebooks[one.notebook]
    return not any(
        notebook.stands_on(cell, answer)
        for this, answer in ((one.cell, other.cell), (other.cell, one.cell))
        for cell in (this, *notebook.tests_of[this])
    )
