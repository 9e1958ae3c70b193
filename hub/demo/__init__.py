"""A hub on one's own machine, to look around in: one instructor, three students, no isolation."""

BANNER = (
    "Demo hub: nobody is isolated here. Every account can read and change every other one's files, "
    "solutions and marks too. Not for a class."
)
