"""What students would get: does it hold an answer or a hidden test, and is it up to date?"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions
from traitlets.config import Config

from autograder.authoring.leaks import MIN_CHARACTERS, REGIONS, leaks_of_file, private_lines
from autograder.authoring.source import digest
from autograder.preflight.report import Report
from autograder.preflight.solved import about_of, text_of

# Spelt a little otherwise, nbgrader does not know it and hands out what it should remove.
_ALMOST = re.compile(
    r"^[ \t]*#+[ \t]*(?:BEGIN|END)[ \t_-]*[\w \t-]*"
    r"(?:SOLUTION|HIDDEN|TESTS?|MARK|SCHEME|ANSWER)[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
MOST_LEAKS = 5  # that are told of one file
_DIVIDED = re.compile(r"BEGIN ([A-Z ]+)\n(.*?)END \1", re.DOTALL)


class Delimiters:
    """What begins and ends the parts that students do not get, as the course has set it.

    Parameters
    ----------
    config : traitlets.config.Config
        The course's configuration.
    """

    def __init__(self, config: Config) -> None:
        solutions = ClearSolutions(config=config)
        tests = ClearHiddenTests(config=config)
        schemes = ClearMarkScheme(config=config)
        self.pairs = (
            (solutions.begin_solution_delimeter, solutions.end_solution_delimeter),
            (tests.begin_test_delimeter, tests.end_test_delimeter),
            (schemes.begin_mark_scheme_delimeter, schemes.end_mark_scheme_delimeter),
        )

    @property
    def begins(self) -> tuple[str, ...]:
        """What begins a part."""
        return tuple(begin for begin, _ in self.pairs)

    def usual(self, text: str) -> str:
        """Write the course's delimiters in nbgrader's usual words."""
        for name, (begin, end) in zip(REGIONS, self.pairs, strict=True):
            text = text.replace(begin, f"BEGIN {name}").replace(end, f"END {name}")
        return text


def private_text(notebooks: Iterable[Mapping[str, Any]], delimiters: Delimiters) -> str:
    """Text of the author's notebooks, with every answer cell divided from the rest."""
    parts = []
    for notebook in notebooks:
        for cell in notebook["cells"]:
            text = delimiters.usual(text_of(cell))
            if about_of(cell).get("solution") and "BEGIN SOLUTION" not in text:
                text = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
            parts.append(text)
    return "\n".join(parts)


def check_leaks(
    folder: Path,
    sources: Mapping[str, Mapping[str, Any]],
    delimiters: Delimiters,
    report: Report,
) -> None:
    """Look into every file of a release.

    Parameters
    ----------
    folder : pathlib.Path
        What students get.
    sources : mapping of str to dict
        The author's notebooks.
    delimiters : Delimiters
        What divides the author's text.
    report : Report
        Gets what is found.
    """
    text = private_text(sources.values(), delimiters)
    secrets = dict.fromkeys(sorted(private_lines(text)), "the source")
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        if ".ipynb_checkpoints" in path.parts:
            continue
        where = str(path.relative_to(folder))
        problems = leaks_of_file(path, secrets, delimiters.begins)
        for problem in problems[:MOST_LEAKS]:
            report.find("leak", where, problem)
        if len(problems) > MOST_LEAKS:
            report.find("leak", where, f"and {len(problems) - MOST_LEAKS} more like these")
        if path.suffix == ".ipynb":
            _check_notebook(path, where, delimiters, report)
    _check_told_answers(sources, delimiters, report)


def _check_notebook(path: Path, where: str, delimiters: Delimiters, report: Report) -> None:
    known = [word for pair in delimiters.pairs for word in pair]
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for cell in cells:
        for line in _ALMOST.findall(text_of(cell)):
            if any(word in line for word in known):
                continue  # told already
            report.find(
                "leak",
                f"{where} · {about_of(cell).get('grade_id') or 'a cell'}",
                f"{line.strip()!r} looks like a delimiter that nbgrader does not know: what stands "
                "below it is handed out",
            )


def _check_told_answers(
    sources: Mapping[str, Mapping[str, Any]], delimiters: Delimiters, report: Report
) -> None:
    """Find answers and hidden tests of which every line also stands where students see it."""
    shown = _shown_lines(sources, delimiters)
    for name, notebook in sources.items():
        for cell in notebook["cells"]:
            about = about_of(cell)
            if not about or cell["cell_type"] != "code":
                continue
            text = private_text([{"cells": [cell]}], delimiters)
            for kind, part in _DIVIDED.findall(text):
                lines = _telling(part)
                if lines and lines <= shown and sum(map(len, lines)) >= MIN_CHARACTERS:
                    what = "answer" if kind == "SOLUTION" else "hidden test"
                    report.find(
                        "leak",
                        f"{name} · {about.get('grade_id')}",
                        f"every line of this {what} also stands in a cell that students get",
                    )


def _shown_lines(
    sources: Mapping[str, Mapping[str, Any]], delimiters: Delimiters
) -> frozenset[str]:
    shown: set[str] = set()
    for notebook in sources.values():
        for cell in notebook["cells"]:
            text = private_text([{"cells": [cell]}], delimiters)
            shown |= {line.strip() for line in _DIVIDED.sub("", text).splitlines()}
    return frozenset(shown)


def _telling(part: str) -> set[str]:
    """Lines of a part that say something: no comments, imports or brackets."""
    lines = {line.strip() for line in part.splitlines()}
    return {
        line
        for line in lines
        if re.search(r"\w{2,}", line) and not line.startswith(("#", "import ", "from ", "raise "))
    }


def check_up_to_date(
    given: Path,
    made: Path,
    report: Report,
) -> None:
    """Compare the course's release with what nbgrader makes of the source now.

    Parameters
    ----------
    given, made : pathlib.Path
        The two folders.
    report : Report
        Gets what is found.
    """
    mend = "run `nbgrader generate_assignment --force` again"
    expected = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    there = {
        path.relative_to(given)
        for path in given.rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    for name in sorted(map(str, expected - there)):
        report.find("stale-release", name, f"is missing in the release: {mend}")
    for name in sorted(map(str, there - expected)):
        report.find(
            "stale-release", name, f"is in the release, but not made from the source: {mend}"
        )
    for name in sorted(map(str, expected & there)):
        if not name.endswith(".ipynb"):
            if (given / name).read_bytes() != (made / name).read_bytes():
                report.find("stale-release", name, f"differs from the source's: {mend}")
            continue
        old, new = _comparable(given / name), _comparable(made / name)
        if old != new:
            changed = [title for title, *rest in new if [title, *rest] not in old]
            words = f" (cell {changed[0]!r} is one that differs)" if changed and old else ""
            report.find("stale-release", name, f"is not what the source gives now{words}: {mend}")


def _comparable(path: Path) -> list[list[Any]]:
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    compared = []
    for index, cell in enumerate(cells, 1):
        about = {key: value for key, value in about_of(cell).items() if key != "checksum"}
        title = about.get("grade_id") or f"number {index}"
        compared.append([title, cell["cell_type"], text_of(cell), about])
    return compared


def check_author_text(folder: Path, report: Report) -> None:
    """Compare a notebook that ``autograder build`` made with the text beside it."""
    for path in sorted(folder.glob("*.ipynb")):
        text = path.with_suffix(".py")
        try:
            made_from = json.loads(path.read_bytes())["metadata"]["autograder"]["source_sha256"]
            now = digest(text.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if made_from != now:
            report.find(
                "stale-source",
                path.name,
                f"was made from an older {text.name}: run `autograder build {path.stem}`",
            )


def release_folder(course: CourseDirectory, assignment: str) -> Path:
    """Where the course keeps what students get."""
    return Path(course.format_path(course.release_directory, ".", assignment))


__all__ = [
    "Delimiters",
    "check_author_text",
    "check_leaks",
    "check_up_to_date",
    "private_text",
    "release_folder",
]
