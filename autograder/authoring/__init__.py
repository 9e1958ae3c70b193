"""From an author's text to an executed solution notebook and the lesson that students get.

One source, one direction: ``solutions/NN_name/NN_name.py`` → ``solutions/NN_name/NN_name.ipynb`` →
``lessons/NN_name/NN_name.ipynb``. Nothing is ever read back from a notebook into the text.
"""

from autograder.authoring.build import BuildError, build, check, lesson_names
from autograder.authoring.source import AuthoringError

__all__ = ["AuthoringError", "BuildError", "build", "check", "lesson_names"]
