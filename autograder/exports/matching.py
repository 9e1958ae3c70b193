"""Find each student of a list in the gradebook."""

import dataclasses
from collections.abc import Iterable, Sequence

from autograder.exports.marks import Enrolled, ExportError
from autograder.roster.people import Person, Roster, identities


@dataclasses.dataclass(frozen=True)
class Matching:
    """A list beside the gradebook.

    Attributes
    ----------
    pairs : tuple of (Person, Enrolled or None)
        Everybody in the list, in its order; None for those who are not in the gradebook.
    extra : tuple of Enrolled
        Those who are in the gradebook only.
    """

    pairs: tuple[tuple[Person, Enrolled | None], ...]
    extra: tuple[Enrolled, ...]

    @property
    def missing(self) -> tuple[Person, ...]:
        """Those who are in the list only."""
        return tuple(person for person, enrolled in self.pairs if enrolled is None)


def match(roster: Roster, students: Sequence[Enrolled]) -> Matching:
    """Match a list with the gradebook.

    The number on the learning platform decides first, then the id, as any of the list's own ids
    or what stands before the ``@``; then the e-mail address. Names decide nothing: two students
    may have the same.

    Raises
    ------
    ExportError
        If two students of the list are the same one in the gradebook.
    """
    by_number = _unique((student.lms_user_id, student) for student in students)
    by_id = {student.id: student for student in students}
    by_email = _unique((student.email.casefold(), student) for student in students)
    pairs: list[tuple[Person, Enrolled | None]] = []
    taken: dict[str, Person] = {}
    for person in roster.people:
        names = identities(person, roster.kind)
        candidates = [
            by_number.get(person.lms_user_id),
            *(by_id.get(name) for name in names),
            *(by_id.get(name.partition("@")[0]) for name in names if "@" in name),
            by_email.get(person.email.casefold()),
        ]
        found = next((student for student in candidates if student is not None), None)
        if found is not None and (twin := taken.setdefault(found.id, person)) is not person:
            raise ExportError(
                f"{roster.file}, lines {twin.line} and {person.line}, are both the student "
                f"{found.id!r} of the gradebook: correct the list, or import it with "
                "`autograder roster import`"
            )
        pairs.append((person, found))
    return Matching(tuple(pairs), tuple(student for student in students if student.id not in taken))


def _unique(items: Iterable[tuple[str, Enrolled]]) -> dict[str, Enrolled]:
    """Keep what stands for one student only."""
    found: dict[str, Enrolled] = {}
    shared: set[str] = set()
    for key, student in items:
        if found.setdefault(key, student) is not student:
            shared.add(key)
    return {key: student for key, student in found.items() if key and key not in shared}
