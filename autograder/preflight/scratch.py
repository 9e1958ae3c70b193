"""A course of its own in which everything is tried: nothing of the real one is touched."""

import copy
import hashlib
import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from autograder.assignment.seeds import SECRET_FILE
from autograder.configuration import configure

_FOLDERS = ("source", "release", "submitted", "autograded", "feedback")
_OURS = "autograder.examination.step.Examine"


class ReleaseFailed(Exception):
    """nbgrader could not make the release; the message has its words."""


class ScratchCourse:
    """A copy of one assignment's source, in a folder with a gradebook of its own.

    Parameters
    ----------
    root : pathlib.Path
        An empty folder.
    config : traitlets.config.Config
        The real course's configuration.
    assignment : str
        Which assignment.

    Attributes
    ----------
    config : traitlets.config.Config
        The configuration, for this folder.
    mended : bool
        Whether the course does not grade with this package, and this copy of it does.
    """

    def __init__(self, root: Path, config: Config, assignment: str) -> None:
        self.root, self.assignment = root, assignment
        real = CourseDirectory(config=config, assignment_id=assignment)
        self.source = Path(real.format_path(real.source_directory, ".", assignment))
        self.config, self.mended = _config_for(root, config)
        self.course = CourseDirectory(config=self.config, assignment_id=assignment)
        shutil.copytree(self.source, root / "source" / assignment)
        # The same draws in every run on the same source: what is found can be looked into.
        (root / SECRET_FILE).write_bytes(_secret_of(self.source))
        (root / SECRET_FILE).chmod(0o600)

    @property
    def released(self) -> Path:
        """What students would get."""
        return self.root / "release" / self.assignment

    def release(self) -> None:
        """Let nbgrader make the release, and put the assignment into the gradebook.

        Raises
        ------
        ReleaseFailed
            With nbgrader's own words.
        """
        api = NbGraderAPI(coursedir=CourseDirectory(config=self.config), config=self.config)
        here = os.getcwd()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)
                result = api.generate_assignment(self.assignment)
        finally:
            os.chdir(here)
        if not result["success"]:
            raise ReleaseFailed(_reason(result))

    def hand_in(self, student: str, notebooks: Mapping[str, bytes]) -> None:
        """Put a submission where ``nbgrader collect`` puts it."""
        folder = self.root / "submitted" / student / self.assignment
        folder.mkdir(parents=True)
        for name, content in notebooks.items():
            (folder / f"{name}.ipynb").write_bytes(content)

    def graded(self, student: str) -> list[Path]:
        """The notebooks of a graded submission."""
        return sorted((self.root / "autograded" / student / self.assignment).glob("*.ipynb"))


def _config_for(root: Path, config: Config) -> tuple[Config, bool]:
    private = Config(copy.deepcopy(config))
    real_root = Path(str(config.CourseDirectory.get("root", ".")))
    course = private.CourseDirectory
    course.root = str(root)
    course.db_url = f"sqlite:///{root / 'gradebook.db'}"
    for name in _FOLDERS:
        setattr(course, f"{name}_directory", name)
    course.pop("directory_structure", None)
    course.pop("student_id_exclude", None)
    course.groupshared = False
    private.Exchange.root = str(root / "exchange")
    private.Autograde.create_student = True
    for section in ("BaseConverter", "Autograde"):
        # It may tell somebody that a student has been graded.
        private[section].pop("post_convert_hook", None)
    for name in ("header", "footer"):
        # nbgrader reads them from the course's folder, and this is another one.
        path = private.IncludeHeaderFooter.get(name)
        if path:
            private.IncludeHeaderFooter[name] = str(real_root / path)
    mended = _OURS not in list(private.Autograde.get("autograde_preprocessors", ()))
    if mended:
        configure(private)
    return private, mended


def _secret_of(source: Path) -> bytes:
    found = hashlib.sha512(b"preflight")
    for path in sorted(item for item in source.rglob("*.ipynb") if item.is_file()):
        found.update(path.read_bytes())
    return found.digest()


def _reason(result: dict[str, Any]) -> str:
    """Return the line of nbgrader's log that names the cause."""
    log = f"{result.get('log') or ''}\n{result.get('error') or ''}"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if "Error: " in line and not line.startswith("[")]
    chosen = telling or [line for line in lines if "ERROR" in line] or lines or ["no reason given"]
    return chosen[0][:400]
