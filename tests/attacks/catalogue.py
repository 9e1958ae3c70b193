"""The list of attacks: each tells what it wants, what it deserves, and what it gets elsewhere."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tests.attacks.course import EARNED, WALLS, Submission

if TYPE_CHECKING:
    from tests.attacks.classes import ClassRun

# What an attack achieves on plain nbgrader 0.9.6.
GAINS, HARMS, NOTHING = "gains", "harms", "nothing"
# Not run there: it would hurt the machine, or it aims at what only this project has.
UNTRIED = "not tried"


@dataclasses.dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes
    ----------
    name : str
        Also the name of the student who hands it in.
    family : str
        Kind of attack.
    wants : str
        One sentence.
    submit : callable
        Makes a hostile submission of an honest, wrong one.
    plain : str
        What it achieves on plain nbgrader; proven by running it there.
    alone : bool
        Whether it is run in a class of its own on plain nbgrader, because it hurts others.
    assignment : str
        What is handed in.
    late : bool
        Whether it is handed in after the assignment was due.
    honest : mapping of str to float
        Points of each test cell that the answers deserve.
    harm : callable or None
        Finds harm that the general canaries cannot see; gets the run and the student's id.
    again : callable or None
        Makes the second submission from what the student has read in the feedback of the first.
    """

    name: str
    family: str
    wants: str
    submit: Callable[[Submission], None]
    plain: str
    alone: bool
    assignment: str
    late: bool
    honest: Mapping[str, float]
    harm: "Callable[[ClassRun, str], list[str]] | None"
    again: Callable[[Submission, str], None] | None


ATTACKS: dict[str, Attack] = {}


def attack(
    wants: str,
    *,
    plain: str,
    alone: bool | None = None,
    assignment: str = WALLS,
    late: bool = False,
    honest: Mapping[str, float] | None = None,
    harm: "Callable[[ClassRun, str], list[str]] | None" = None,
    again: Callable[[Submission, str], None] | None = None,
) -> Callable[[Callable[[Submission], None]], Callable[[Submission], None]]:
    """Register a function as an attack; its name and its module's become name and family."""

    def register(submit: Callable[[Submission], None]) -> Callable[[Submission], None]:
        name = submit.__name__.replace("_", "-")
        assert name not in ATTACKS, name
        ATTACKS[name] = Attack(
            name=name,
            family=submit.__module__.rsplit(".", 1)[-1].replace("_", " "),
            wants=wants,
            submit=submit,
            plain=plain,
            alone=plain == HARMS if alone is None else alone,
            assignment=assignment,
            late=late,
            honest={**EARNED[assignment], **(honest or {})},
            harm=harm,
            again=again,
        )
        return submit

    return register


def load() -> dict[str, Attack]:
    """Import every family; return all attacks by name, in the order of the families' names."""
    from tests.attacks import families

    for module in sorted(info.name for info in pkgutil.iter_modules(families.__path__)):
        importlib.import_module(f"{families.__name__}.{module}")
    return ATTACKS


def mark_of(run: str, name: str) -> str:
    """The word by which everything that an attack leaves behind is known: 11 characters."""
    return f"{run}n{list(load()).index(name):03d}"
