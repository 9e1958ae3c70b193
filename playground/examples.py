"""Classes with names, and the pictures that somebody gave as examples of each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

MOST_CLASSES = 20
MOST_EXAMPLES = 500  # of all classes together: what a page can show and a kernel can hold
LONGEST_NAME = 40


class ExampleError(ValueError):
    """A class or a picture cannot be added or changed so; the message is one sentence."""


@dataclass
class Example:
    """One picture that belongs to a class.

    Attributes
    ----------
    number : int
        Never used again, also after the picture is removed.
    picture : numpy.ndarray
        Shape ``(side, side, 3)``, dtype ``uint8``.
    vector : numpy.ndarray or None
        What the frozen network makes of it, once that has been computed.
    """

    number: int
    picture: np.ndarray
    vector: np.ndarray | None = None


@dataclass
class ExampleClass:
    """A class: its name and its examples. The number stays when the name changes."""

    number: int
    name: str
    examples: list[Example] = field(default_factory=list)


class Examples:
    """Classes in the order in which they were made.

    Attributes
    ----------
    classes : list of ExampleClass
        To be changed by the methods only.
    version : int
        Another one after every change.
    """

    def __init__(self) -> None:
        self.classes: list[ExampleClass] = []
        self.version = 0
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return sum(len(one.examples) for one in self.classes)

    def named(self, name: str) -> ExampleClass:
        """Return the class of a name.

        Raises
        ------
        ExampleError
            If there is none.
        """
        wanted = " ".join(str(name).split())
        for one in self.classes:
            if one.name == wanted:
                return one
        known = ", ".join(one.name for one in self.classes) or "none yet"
        raise ExampleError(f"There is no class “{wanted}”; the classes are: {known}.")

    def numbered(self, number: int) -> ExampleClass:
        """Return the class of a number.

        Raises
        ------
        ExampleError
            If it has been removed.
        """
        for one in self.classes:
            if one.number == number:
                return one
        raise ExampleError("That class has been removed; choose another one.")

    def add_class(self, name: str) -> ExampleClass:
        """Make a class with no examples.

        Raises
        ------
        ExampleError
            If the name is empty, too long or taken, or there are too many classes.
        """
        if len(self.classes) >= MOST_CLASSES:
            raise ExampleError(f"There are {MOST_CLASSES} classes, which is the most; remove one.")
        made = ExampleClass(next(self._numbers), self._free_name(name))
        self.classes.append(made)
        self.version += 1
        return made

    def rename_class(self, number: int, name: str) -> ExampleClass:
        """Give a class another name; its examples stay.

        Raises
        ------
        ExampleError
            If the name is empty, too long or taken by another class.
        """
        one = self.numbered(number)
        new = self._free_name(name, besides=one)
        if new != one.name:
            one.name = new
            self.version += 1
        return one

    def remove_class(self, number: int) -> ExampleClass:
        """Remove a class with its examples."""
        one = self.numbered(number)
        self.classes.remove(one)
        self.version += 1
        return one

    def add(self, number: int, picture: np.ndarray) -> Example:
        """Give a class one more example.

        Raises
        ------
        ExampleError
            If there are too many, or the class has been removed.
        """
        if len(self) >= MOST_EXAMPLES:
            raise ExampleError(
                f"There are {MOST_EXAMPLES} pictures, which is the most; remove some first."
            )
        made = Example(next(self._numbers), picture)
        self.numbered(number).examples.append(made)
        self.version += 1
        return made

    def remove(self, number: int) -> ExampleClass:
        """Remove an example; return the class that had it.

        Raises
        ------
        ExampleError
            If it is not there any more.
        """
        for one in self.classes:
            for example in one.examples:
                if example.number == number:
                    one.examples.remove(example)
                    self.version += 1
                    return one
        raise ExampleError("That picture has been removed already.")

    def missing(self) -> str:
        """Say what is missing before a machine can be taught; nothing if nothing is."""
        if not self.classes:
            return "Nothing here yet: make two classes, and give each some pictures."
        if len(self.classes) == 1:
            return (
                f"There is one class only, “{self.classes[0].name}”: make another one, for a "
                "machine learns to tell things apart."
            )
        empty = [one.name for one in self.classes if not one.examples]
        if empty:
            names = " and ".join(f"“{name}”" for name in empty)
            return f"No examples of {names} yet: give some pictures, or remove what is empty."
        return ""

    def table(self) -> tuple[list[Example], np.ndarray, tuple[str, ...]]:
        """Return all examples, their labels (positions in the names) and the names."""
        rows = [
            (example, label) for label, one in enumerate(self.classes) for example in one.examples
        ]
        return (
            [example for example, _ in rows],
            np.array([label for _, label in rows], "int64"),
            tuple(one.name for one in self.classes),
        )

    def _free_name(self, name: str, besides: ExampleClass | None = None) -> str:
        new = " ".join(str(name).split())
        if not new:
            raise ExampleError("A class needs a name: write one, for instance “cats”.")
        if len(new) > LONGEST_NAME:
            raise ExampleError(
                f"That name has {len(new)} letters, and {LONGEST_NAME} fit: write a shorter one."
            )
        for one in self.classes:
            if one is not besides and one.name.casefold() == new.casefold():
                raise ExampleError(f"There is a class “{one.name}” already: choose another name.")
        return new
