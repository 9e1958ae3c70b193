"""The course, for nbgrader and for everything built on it."""

import autograder

c = get_config()
autograder.configure(c)

c.CourseDirectory.course_id = "cnn"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "lessons"
# An author's text, and every other file that may hold an answer, stays out of what students get,
# and no module that a student hands in is imported.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "__pycache__",
    "*.py",
    "*.pyc",
    "*.toml",
    "feedback",
]
