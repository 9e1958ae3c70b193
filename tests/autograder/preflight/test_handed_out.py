"""Leaks and staleness of what students get, in folders written by hand."""

import copy
import json

import pytest
from traitlets.config import Config

from autograder.authoring.source import digest
from autograder.preflight import handed_out
from autograder.preflight.report import Report
from tests.autograder.preflight import lesson


def released(cells=None):
    """The notebook as nbgrader hands it out; nbgrader itself is asked in test_run.py."""
    made = lesson.notebook(cells)
    for cell in made.cells:
        lines, kept = [], True
        for line in cell.source.splitlines():
            kept = kept and "### BEGIN" not in line
            lines += [line] if kept and "### END" not in line else []
            kept = kept or "### END" in line
        cell.source = "\n".join(lines)
    return made


@pytest.fixture
def look(tmp_path):
    """Function that looks at a release; returns what it finds."""

    def look(notebook=None, *, source=None, files=None, config=None):
        folder = tmp_path / "release"
        folder.mkdir()
        text = json.dumps(released() if notebook is None else notebook)
        (folder / "sums.ipynb").write_text(text, encoding="utf-8")
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content)
        report = Report("sums")
        sources = {"sums": lesson.notebook() if source is None else source}
        delimiters = handed_out.Delimiters(config or Config())
        handed_out.check_leaks(folder, sources, delimiters, report)
        assert {finding.kind for finding in report.findings} <= {"leak"}
        return [str(finding) for finding in report.findings]

    return look


def test_nothing_in_an_honest_release(look):
    assert look(files={"numbers.csv": b"1\n2\n"}) == []


def test_a_solution_in_a_helper_file(look):
    [words] = look(files={"helper.py": b"def f(n):\n    carefully_doubled = 2 * number\n"})
    assert words.startswith("helper.py: holds a line that the source keeps back")


def test_an_answer_that_was_left_in(look):
    made = released()
    made.cells[3].source = lesson.DOUBLE
    words = look(made)
    assert any("holds the marker 'BEGIN SOLUTION'" in text for text in words)
    assert any("carefully_doubled = 2 * number" in text for text in words)


def test_an_answer_without_delimiters_is_private_as_a_whole(look):
    cells = lesson.cells()
    cells[3].source = "def double(number):\n    return number + number + 0"
    files = {"notes.txt": b"return number + number + 0"}
    made = released()
    made.cells[3].source = "raise NotImplementedError()"
    words = look(made, source=lesson.notebook(cells), files=files)
    assert words == [
        "notes.txt: holds a line that the source keeps back: 'return number + number + 0'"
    ]


def test_an_answer_that_an_experiment_shows(look):
    cells = lesson.cells()
    cells[5].source = "carefully_doubled = 2 * number\nif number:\n    return carefully_doubled"
    words = look(released(cells), source=lesson.notebook(cells))
    assert words == [
        "sums · double: every line of this answer also stands in a cell that students get"
    ]


def test_hidden_tests_below_a_misspelt_delimiter(look):
    cells = lesson.cells()
    cells[8].source = lesson.TEST_TOTAL.replace("HIDDEN TESTS", "HIDDEN TEST")
    made = released()
    made.cells[8].source = cells[8].source
    words = look(made, source=lesson.notebook(cells))
    assert any("'### BEGIN HIDDEN TEST' looks like a delimiter" in text for text in words)


def test_a_whole_notebook_that_leaks_is_told_in_a_few_lines(look):
    cells = lesson.cells()
    private = "\n".join(f"secret_number_{number} = {number}" for number in range(20))
    cells[3].source = f"### BEGIN SOLUTION\n{private}\n### END SOLUTION"
    words = look(lesson.notebook(cells), source=lesson.notebook(cells))
    assert len(words) == handed_out.MOST_LEAKS + 1
    assert words[-1] == "sums.ipynb: and 24 more like these"


def test_outputs_that_were_left_in(look):
    made = released()
    made.cells[5]["execution_count"] = 3
    assert look(made) == ["sums.ipynb: cell 6 still has outputs"]


def test_delimiters_of_the_course_s_own(look):
    cells = lesson.cells()
    cells[3].source = lesson.DOUBLE.replace("### BEGIN SOLUTION", "# >>>").replace(
        "### END SOLUTION", "# <<<"
    )
    config = Config()
    config.ClearSolutions.begin_solution_delimeter = "# >>>"
    config.ClearSolutions.end_solution_delimeter = "# <<<"
    config.ClearSolutions.code_stub = {"python": "pass"}
    made = released()
    source = lesson.notebook(cells)
    source.cells[7].source = source.cells[10].source = "pass"
    assert look(made, source=source, config=config, files={"a.txt": b"# >>>\n"}) == [
        "a.txt: holds the marker '# >>>'"
    ]


@pytest.fixture
def compare(tmp_path):
    """Function that compares a release with what would be made now."""

    def compare(given, made, *, more=()):
        report = Report("sums")
        for name, notebook in (("given", given), ("made", made)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "sums.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        for name in more:
            (tmp_path / name).write_text("x", encoding="utf-8")
        handed_out.check_up_to_date(tmp_path / "given", tmp_path / "made", report)
        assert all(finding.kind == "stale-release" for finding in report.findings)
        return [str(finding) for finding in report.findings]

    return compare


def test_a_release_is_compared_cell_by_cell(compare):
    made = released()
    old = copy.deepcopy(made)
    old.cells[4].source += "\n# older"
    assert compare(old, made) == [
        "sums.ipynb: is not what the source gives now (cell 'test_double' is one that differs): "
        "run `nbgrader generate_assignment --force` again"
    ]


def test_ids_and_checksums_of_cells_do_not_make_it_stale(compare):
    made = released()
    other = copy.deepcopy(made)
    other.cells[0]["id"] = "another"
    other.cells[3].metadata.nbgrader["checksum"] = "abc"
    assert compare(other, made) == []


def test_files_too_few_and_too_many(compare):
    words = compare(released(), released(), more=("given/old.csv", "made/new.csv"))
    assert [text.split(":")[0] for text in words] == ["new.csv", "old.csv"]


def test_a_notebook_older_than_the_author_s_text(tmp_path):
    (tmp_path / "a.py").write_text("# %%\n1\n", encoding="utf-8")
    made = lesson.notebook()
    for text, stale in (("# %%\n1\n", 0), ("# %%\n2\n", 1)):
        made.metadata["autograder"] = {"source_sha256": digest(text)}
        (tmp_path / "a.ipynb").write_text(json.dumps(made), encoding="utf-8")
        report = Report("a")
        handed_out.check_author_text(tmp_path, report)
        assert [finding.kind for finding in report.findings] == ["stale-source"] * stale
