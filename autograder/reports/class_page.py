"""The class report as one HTML file that stands alone."""

import hashlib
import json
from pathlib import Path

from autograder.reports import class_report, item_analysis
from autograder.reports.class_report import ClassReport
from autograder.reports.marks import ReportError
from autograder.reports.pages import digest_on, page
from autograder.reports.plots import WIDTH, plots_of
from autograder.whole_file import write_whole

MARK = "autograder-report"


def class_page(report: ClassReport) -> str:
    """Make the page."""
    content = json.dumps(report.to_dict(), sort_keys=True, ensure_ascii=False)
    return page(
        "class_report.html.j2",
        report=report,
        plots=plots_of(report),
        width=WIDTH,
        digest=hashlib.sha256(content.encode("utf-8", "replace")).hexdigest(),
        low=class_report.LOW_SHARE,
        fall=class_report.FALL,
        untried=class_report.UNTRIED,
        fewest=item_analysis.FEWEST,
    )


def write_class_page(report: ClassReport, path: Path, *, force: bool = False) -> None:
    """Write the page; it appears at once and whole.

    Parameters
    ----------
    report : ClassReport
        What it says.
    path : pathlib.Path
        Where. An earlier report there is replaced.
    force : bool
        Replace whatever stands there.

    Raises
    ------
    ReportError
        If something else stands there, or it cannot be written.
    """
    try:
        if not force and digest_on(path, MARK) == "":
            raise ReportError(f"{path} is not a class report: --force replaces it")
        write_whole(path, class_page(report).encode("utf-8", "replace"))
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written ({error.strerror}): choose another place with --output"
        ) from None
