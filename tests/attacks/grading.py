"""Grade the attackers three ways, and put what came of it side by side."""

import dataclasses
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.attacks.catalogue import UNTRIED, Attack, load
from tests.attacks.classes import LAST, MODES, PLAIN, ClassRun, Outcome
from tests.attacks.course import BRICKS, WALLS, Course

# One class of everybody, and one notebook with one attacker.
CLASS_SECONDS, ALONE_SECONDS = 1500.0, 75.0


@dataclasses.dataclass
class Graded:
    """What became of all attackers in one way of grading.

    Attributes
    ----------
    outcomes : dict of str to Outcome
        By attack.
    problems : list of str
        What happened to the class as a whole: a neighbour's mark, a process that nobody owns.
    seconds : float
        Wall time of the commands.
    log : str
        What the commands said.
    """

    outcomes: dict[str, Outcome]
    problems: list[str]
    seconds: float
    log: str


class Attempts:
    """Builds the courses once, and grades the attackers when somebody asks.

    Parameters
    ----------
    base : pathlib.Path
        An empty folder.
    names : iterable of str, optional
        Only these attacks.
    keep : bool
        Keep the folders of finished classes.
    """

    def __init__(self, base: Path, names: Iterable[str] = (), *, keep: bool = False) -> None:
        self.base = base
        self.keep = keep
        chosen = set(names)
        self.attacks = {
            name: attack for name, attack in load().items() if not chosen or name in chosen
        }
        unknown = chosen - set(self.attacks)
        if unknown:
            raise KeyError(f"no attack named {', '.join(sorted(unknown))}")
        self._courses: dict[str, Course] = {}
        self._graded: dict[str, Graded] = {}

    @property
    def finished(self) -> list[str]:
        """Ways in which the class has been graded so far."""
        return list(self._graded)

    def graded(self, mode: str, tell: Callable[[str], None] = lambda text: None) -> Graded:
        """Grade in one of `MODES`; a second time, return what came of the first."""
        if mode not in self._graded:
            graded = Graded({}, [], 0.0, "")
            for assignment, late in ((WALLS, False), (WALLS, True), (BRICKS, False)):
                attacks = [
                    attack for attack in self.attacks.values()
                    if (attack.assignment, attack.late) == (assignment, late)
                ]  # fmt: skip
                if mode == PLAIN:
                    self._plain(graded, assignment, attacks, tell)
                elif attacks:
                    tell(f"{mode}: {len(attacks)} attackers of {assignment}")
                    self._class(graded, mode, assignment, attacks, tell)
            self._graded[mode] = graded
        return self._graded[mode]

    def _plain(
        self,
        graded: Graded,
        assignment: str,
        attacks: list[Attack],
        tell: Callable[[str], None],
    ) -> None:
        tried = [attack for attack in attacks if attack.plain != UNTRIED]
        together = [attack for attack in tried if not attack.alone]
        if together:
            tell(f"{PLAIN}: {len(together)} attackers of {assignment} in one class")
            self._class(graded, PLAIN, assignment, together, tell)
        for attack in tried:
            if attack.alone:
                tell(f"{PLAIN}: {attack.name}, alone")
                self._class(graded, PLAIN, assignment, [attack], tell, alone=True)

    def _class(
        self,
        graded: Graded,
        mode: str,
        assignment: str,
        attacks: list[Attack],
        tell: Callable[[str], None],
        *,
        alone: bool = False,
    ) -> None:
        # Not below pytest's long folder names: a socket's path has at most 107 characters.
        place = Path(tempfile.mkdtemp(prefix="atk"))
        place.chmod(0o755)
        course = self._course("plain" if mode == PLAIN else "ours").copy(place / "course")
        course.configure("plain" if mode == PLAIN else "ours")
        neighbours = {"neighbours": LAST} if alone else {}
        with ClassRun(course, mode, assignment, attacks, **neighbours) as run:
            run.hand_in()
            run.grade(seconds=ALONE_SECONDS if alone else CLASS_SECONDS, feedback=not alone)
        if alone:
            # Whatever happened to the class, there was only one who could have done it.
            run.outcomes[attacks[0].name].harms += run.problems
        else:
            graded.problems += run.problems
        for attack in attacks:
            outcome = graded.outcomes[attack.name] = run.outcomes[attack.name]
            for what in (*outcome.gains, *outcome.harms):
                tell(f"{mode} · {attack.name}: {what}")
            if mode == PLAIN and attack.plain not in outcome.word:
                tell(f"{mode} · {attack.name}: {outcome.word}, expected: {attack.plain}")
        if not alone:
            for what in run.problems:
                tell(f"{mode} · the class: {what}")
        graded.seconds += run.seconds
        graded.log += run.log
        if not self.keep:
            remove(place)

    def _course(self, flavour: str) -> Course:
        if flavour not in self._courses:
            root = self.base / flavour / "course"
            self._courses[flavour] = Course.build(root, flavour)
        return self._courses[flavour]


def remove(folder: Path) -> None:
    """Remove a folder in which somebody may have made removal hard."""
    # Not shutil: it gives up where folders are nested a thousand deep.
    subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", folder], check=False, stderr=subprocess.DEVNULL)


def table(attempts: Attempts, modes: Iterable[str] = MODES) -> str:
    """What every attack achieves in every way of grading, as a table in Markdown."""
    modes = list(modes)
    lines = [
        f"| family | attack | {' | '.join(modes)} |",
        f"|{'---|' * (len(modes) + 2)}",
    ]
    for attack in attempts.attacks.values():
        words = []
        for mode in modes:
            outcome = attempts.graded(mode).outcomes.get(attack.name)
            words.append("not tried" if outcome is None else outcome.word)
        lines.append(f"| {attack.family} | {attack.name} | {' | '.join(words)} |")
    totals = []
    for mode in modes:
        outcomes = attempts.graded(mode).outcomes.values()
        gains = sum(bool(outcome.gains) for outcome in outcomes)
        harms = sum(bool(outcome.harms) and not outcome.gains for outcome in outcomes)
        totals.append(f"{gains} gain, {harms} more harm, of {len(outcomes)}")
    lines.append(f"| | **{len(attempts.attacks)} attacks** | {' | '.join(totals)} |")
    return "\n".join(lines)
