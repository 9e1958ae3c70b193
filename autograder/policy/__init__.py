"""What keeps a class's exchange and pages safe, in one place.

:func:`autograder.configure` calls :func:`protect`, so every course has it. An installation adds one
line that says where the exchange is and how people are told apart::

    autograder.policy.use_exchange(c, "/srv/nbgrader/exchange", identity="system users")

The same line stands in the instructor's and the students' configuration.
"""

import os
from pathlib import Path

from traitlets.config import Config

from autograder.exchange.identity import KINDS, SYSTEM_USERS

_EXCHANGE = {
    "collect": "autograder.exchange.collect.Collect",
    "fetch_assignment": "autograder.exchange.student.FetchAssignment",
    "fetch_feedback": "autograder.exchange.student.FetchFeedback",
    "list": "autograder.exchange.student.List",
    "release_assignment": "autograder.exchange.instructor.ReleaseAssignment",
    "release_feedback": "autograder.exchange.instructor.ReleaseFeedback",
    "submit": "autograder.exchange.student.Submit",
}
# Overrides one template of nbconvert's: the one that fetches MathJax from a network address.
TEMPLATES = Path(__file__).parent / "jupyter"


def protect(c: Config) -> None:
    """Refuse what is forged, and show what students wrote as text, never as programs.

    Parameters
    ----------
    c : traitlets.config.Config
        nbgrader's configuration.
    """
    protect_exchange(c)
    protect_pages(c)


def protect_exchange(c: Config) -> None:
    """Use the strict classes of :mod:`autograder.exchange` in the place of nbgrader's own."""
    for name, place in _EXCHANGE.items():
        c.ExchangeFactory[name] = place


def protect_pages(c: Config) -> None:
    """Let no script of a student run in the formgrader or in feedback, and fetch nothing."""
    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.preprocessors = [
        "autograder.gradebook.notices.TellSandbox",
        "nbconvert.preprocessors.sanitize.SanitizeHTML",
    ]
    c.SanitizeHTML.enabled = True
    c.HTMLExporter.filters = {
        "clean_html": "autograder.reports.markup.clean_html",
        "strip_files_prefix": "autograder.reports.markup.strip_files_prefix",
    }
    # nbconvert has no option for this template: the macro has the address as its default.
    _put_on_path("JUPYTER_PATH", str(TEMPLATES))


def use_exchange(c: Config, root: str | Path, *, identity: str = SYSTEM_USERS) -> None:
    """Say where the exchange is, and how people are told apart.

    Parameters
    ----------
    c : traitlets.config.Config
        nbgrader's configuration, of an instructor or of a student.
    root : str or pathlib.Path
        The exchange's folder, the same for all. Releasing makes it, with mode 1777.
    identity : str
        ``"system users"``, ``"pods"`` or ``"one user"``; see
        :class:`autograder.exchange.identity.Identity`.

    Raises
    ------
    ValueError
        If `identity` is none of these, or `root` is no absolute path.
    """
    if identity not in KINDS:
        raise ValueError(f"identity={identity!r} is not known: choose one of {', '.join(KINDS)}")
    if not Path(root).is_absolute():
        raise ValueError(f"the exchange {str(root)!r} must be an absolute path, the same for all")
    protect_exchange(c)
    c.Exchange.root = str(root)
    c.Identity.kind = identity


def _put_on_path(variable: str, folder: str) -> None:
    before = os.environ.get(variable, "")
    if folder not in before.split(os.pathsep):
        os.environ[variable] = folder + (os.pathsep + before if before else "")
