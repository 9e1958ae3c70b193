"""Put the autograder into a course's nbgrader configuration, and read that configuration."""

import sys
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder import policy

CONFIG_FILE = "nbgrader_config.py"

# Read by nbgrader as import strings, so that nothing here is imported before it is needed.
_SANITISE = [
    "nbgrader.preprocessors.ClearOutput",
    # Does the work of OverwriteKernelspec, OverwriteCells and DeduplicateIds as well.
    "autograder.submissions.sanitising.RestoreFromRelease",
]
_AUTOGRADE = [
    "autograder.examination.step.Examine",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.gradebook.scoring.SaveVerdicts",
    "autograder.gradebook.scoring.SavePenalties",
]
# For courses that choose nbgrader's own page (c.GenerateFeedback.exporter_class): ours runs none.
_FEEDBACK = [
    "nbgrader.preprocessors.GetGrades",
    # The autograded notebook holds the hidden tests; what students see must not.
    "nbgrader.preprocessors.ClearHiddenTests",
    # Nor may what students' code printed once it had seen the inputs of hidden tests.
    "autograder.gradebook.withholding.WithholdOutputs",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]


class ConfigurationError(Exception):
    """A course's configuration is missing or broken; the message says what to do."""


def configure(c: Config) -> None:
    """Let nbgrader grade by explicit verdicts. Call it from a course's ``nbgrader_config.py``.

    Parameters
    ----------
    c : traitlets.config.Config
        The ``c`` of ``c = get_config()``. Anything set afterwards wins.

    Examples
    --------
    ::

        import autograder

        c = get_config()
        autograder.configure(c)
        c.CourseDirectory.course_id = "cnn"
    """
    # nbgrader calls alembic as a program: it must be found beside this Python.
    _put_environment_on_path()
    c.Autograde.exporter_class = "autograder.submissions.reading.SubmissionExporter"
    c.Autograde.sanitize_preprocessors = list(_SANITISE)
    c.Autograde.autograde_preprocessors = list(_AUTOGRADE)
    c.GenerateFeedback.exporter_class = "autograder.reports.feedback_exporter.FeedbackExporter"
    c.GenerateFeedback.preprocessors = list(_FEEDBACK)
    policy.protect(c)


def _put_environment_on_path() -> None:
    import os

    folder = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "")
    if folder not in path.split(os.pathsep):
        os.environ["PATH"] = folder + os.pathsep + path


def load_course(root: Path) -> Config:
    """Read a course's ``nbgrader_config.py``.

    nbgrader logs an error in this file and goes on with its defaults, which grade otherwise; here a
    broken file stops everything.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.

    Returns
    -------
    traitlets.config.Config
        The configuration, with ``CourseDirectory.root`` set.

    Raises
    ------
    ConfigurationError
        If the file is missing or cannot be run.
    """
    path = root / CONFIG_FILE
    if not path.is_file():
        raise ConfigurationError(
            f"no {CONFIG_FILE} in {root}: run this in the course's folder, or name it with --course"
        )
    try:
        config = PyFileConfigLoader(CONFIG_FILE, path=str(root)).load_config()
    except Exception as error:
        raise ConfigurationError(f"{path}: {type(error).__name__}: {error}") from None
    config.CourseDirectory.root = str(root)
    return config
