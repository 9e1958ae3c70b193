"""The students' repository: complete enough to work in, and no answer in any byte of it."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest

from autograder.authoring.leaks import lines_kept_back
from autograder.cli import main
from autograder.publishing import PublishError, publish
from autograder.publishing.secrets import Secrets
from tests.conftest import ROOT, TOY, write_course

SECRET = "secret_answer_of_double = 2 * number"
LESSON = "lessons/01_toy/01_toy.ipynb"


@pytest.fixture
def course(tmp_path):
    """The toy course, with a lesson that imports the package's checks."""
    root = write_course(tmp_path / "course")
    for name in ("pyproject.toml", "requirements.lock", "LICENSE", "LICENSE-TEXTS"):
        shutil.copy(ROOT / name, root)
    (root / "autograder").symlink_to(ROOT / "autograder")
    write_lesson(root, "from autograder import checks\nimport numpy as np")
    return root


def write_lesson(root, code, name="01_toy"):
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# 01 · Toys", id="title"),
            nbformat.v4.new_code_cell(code, id="code"),
        ]
    )
    graded = nbformat.v4.new_code_cell("checks", id="test")
    graded.metadata["nbgrader"] = {"grade": True, "points": 3, "grade_id": "test"}
    notebook.cells.append(graded)
    (root / "lessons" / name).mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, root / "lessons" / name / f"{name}.ipynb")


def git(folder, *words):
    environment = {**os.environ, "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@localhost",
                   "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@localhost"}  # fmt: skip
    return subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True,
        env=environment,
    ).stdout  # fmt: skip


def test_students_get_lessons_and_what_these_import(course, tmp_path):
    done = publish(course, tmp_path / "out")
    names = git(tmp_path / "out", "ls-files").split()
    assert len(names) == done.files + 1  # and the marker
    assert {LESSON, "README.md", "Makefile", "environment.yml", "requirements.txt",
            "pyproject.toml", "autograder/__init__.py", "autograder/checks/exercise.py",
            ".gitignore", "LICENSE"} <= set(names)  # fmt: skip
    for private in ("solutions", "tests", "grading", "examination", "kernels", "configuration",
                    "nbgrader_config", "exchange", "gradebook"):  # fmt: skip
        assert not [name for name in names if private in name], private
    assert git(tmp_path / "out", "remote") == ""
    readme = (tmp_path / "out" / "README.md").read_text()
    assert f"| [01 · Toys]({LESSON}) | 3 |" in readme


def test_the_environment_is_whole_and_no_larger_than_needed(course, tmp_path):
    publish(course, tmp_path / "out")
    pins = (tmp_path / "out" / "requirements.txt").read_text().splitlines()
    assert set(pins) < set((ROOT / "requirements.lock").read_text().splitlines())
    names = {re.split(r"[=<>! ;\[]", pin)[0] for pin in pins}
    assert {"numpy", "keras", "tensorflow", "tensorflow-cpu", "jupyterlab", "pywinpty"} <= names
    assert not {"nbgrader", "jupyterhub", "pytest", "distributed", "playwright"} & names
    # Whatever an installed package needs here is among them.
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    have = {canonicalize_name(name) for name in names}
    for name in names:
        try:
            below = map(Requirement, requires(name) or ())
        except PackageNotFoundError:
            continue
        for each in below:
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                assert canonicalize_name(each.name) in have, (name, each.name)
    text = (tmp_path / "out" / "environment.yml").read_text()
    assert all(f"'{pin}'" in text.replace("''", "'") for pin in pins)


def test_a_second_run_adds_a_commit_and_takes_away_what_is_gone(course, tmp_path):
    first = publish(course, tmp_path / "out")
    assert first.changed
    assert not publish(course, tmp_path / "out").changed
    git(tmp_path / "out", "rm", "-q", "--cached", "Makefile")
    git(tmp_path / "out", "reset", "-q", "--hard")
    (tmp_path / "out" / "own.md").write_text("kept")
    git(tmp_path / "out", "add", "own.md")
    git(tmp_path / "out", "commit", "-qm", "by hand")
    (course / "lessons" / "01_toy").rename(course / "lessons" / "02_toy")
    (course / "lessons" / "02_toy" / "01_toy.ipynb").rename(
        course / "lessons" / "02_toy" / "02_toy.ipynb"
    )
    second = publish(course, tmp_path / "out", message="Week 2")
    assert second.changed
    assert git(tmp_path / "out", "log", "--format=%s").split("\n")[:3] == [
        "Week 2", "by hand", "Lessons: 01_toy",
    ]  # fmt: skip
    assert not (tmp_path / "out" / LESSON).exists()
    assert (tmp_path / "out" / "own.md").read_text() == "kept"


def planted(course, how):
    """Put an answer where it must not be; what is said about it."""
    lesson = course / LESSON
    if how == "in code":
        write_lesson(course, f"def double(number):\n    {SECRET}")
        return LESSON
    if how == "in an output":
        notebook = json.loads(lesson.read_bytes())
        notebook["cells"][1]["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": [f"{SECRET}\n"]}
        ]
        lesson.write_text(json.dumps(notebook, ensure_ascii=True))
        return LESSON
    if how == "in an archive":
        with zipfile.ZipFile(course / "lessons" / "01_toy" / "more.zip", "w", 8) as archive:
            archive.writestr("notes.txt", TOY)
        return "more.zip"
    if how == "as base64":
        import base64

        packed = base64.b64encode(TOY.encode()).decode()
        (course / "lessons" / "01_toy" / "picture.svg").write_text(f"<svg>{packed}</svg>")
        return "picture.svg"
    if how == "by its marker":
        write_lesson(course, "### BEGIN HIDDEN TESTS\nx = 1")
        return "the marker 'BEGIN HIDDEN TESTS'"
    write_lesson(course, "import playground.helper")
    (course / "playground").mkdir()
    (course / "playground" / "__init__.py").write_text("")
    (course / "playground" / "helper.py").write_text(TOY)
    return "playground/helper.py"


@pytest.mark.parametrize(
    "how",
    ["in code", "in an output", "in an archive", "as base64", "by its marker", "in a module"],
)
def test_a_planted_answer_is_found_and_nothing_written(course, tmp_path, how):
    publish(course, tmp_path / "before")  # negative control: without it, all is well
    where = planted(course, how)
    with pytest.raises(PublishError, match=re.escape(where)):
        publish(course, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("reachable", [True, False])
def test_an_answer_in_the_history_is_found(course, tmp_path, reachable):
    publish(course, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text(TOY)
    git(tmp_path / "out", "add", "notes.txt")
    git(tmp_path / "out", "commit", "-qm", "notes")
    if reachable:
        git(tmp_path / "out", "rm", "-q", "notes.txt")
        git(tmp_path / "out", "commit", "-qm", "away")
    else:
        git(tmp_path / "out", "reset", "-q", "--hard", "HEAD~1")
    with pytest.raises(PublishError, match=r"blob .* in the history: holds a line that 01_toy"):
        publish(course, tmp_path / "out")


def test_folders_and_messages_count_too(course, tmp_path):
    publish(course, tmp_path / "out")
    with pytest.raises(PublishError, match="message of the commit"):
        publish(course, tmp_path / "out", message=f"As in {SECRET}")
    (tmp_path / "out" / "solutions").mkdir()
    (tmp_path / "out" / "solutions" / "empty.txt").write_text("")
    git(tmp_path / "out", "add", ".")
    git(tmp_path / "out", "commit", "-qm", "x")
    with pytest.raises(PublishError, match="solutions: what has this name"):
        publish(course, tmp_path / "out")


def test_only_its_own_clean_folder_is_written_to(course, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("mine")
    with pytest.raises(PublishError, match="is not empty, and was not made by"):
        publish(course, foreign)
    assert [path.name for path in foreign.iterdir()] == ["thesis.tex"]
    with pytest.raises(PublishError, match="lies inside the course"):
        publish(course, course / "students")
    publish(course, tmp_path / "out")
    (tmp_path / "out" / "README.md").write_text("half a change")
    with pytest.raises(PublishError, match=r"not committed \(README.md\)"):
        publish(course, tmp_path / "out")
    assert (tmp_path / "out" / "README.md").read_text() == "half a change"
    git(tmp_path / "out", "checkout", "-q", "README.md")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text().replace('"toy"', '"other"'))
    with pytest.raises(PublishError, match="belongs to the course 'toy', this one is 'other'"):
        publish(course, tmp_path / "out")


def test_the_command(course, tmp_path, capsys):
    command = ["--course", str(course), "publish", str(tmp_path / "out")]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lessons"] == ["01_toy"]
    assert told["commit"] == git(tmp_path / "out", "rev-parse", "HEAD").strip()
    assert told["objects"] > told["files"]
    assert main([*command, "--lesson", "77"]) == 1
    assert "no lesson begins with '77'; there are 01_toy" in capsys.readouterr().err
    assert main(command) == 0
    assert "nothing new" in capsys.readouterr().out


def test_every_private_line_is_found_wherever_it_stands():
    secrets = Secrets.of_course(ROOT)
    lines = lines_kept_back(ROOT / "solutions")
    assert len(secrets.lines) > 1_000
    for number, line in enumerate(list(secrets.lines)[::25]):
        text = b"\x00" * number + b"x = 1\n\t" + line + b"\xff"
        assert secrets.leaks("a file", text), line
    assert set(lines) >= {line.decode() for line in secrets.lines}


@pytest.mark.full
@pytest.mark.timeout(900)
def test_a_clone_of_the_course_works_and_tells_nothing(tmp_path):
    """Publish, clone, install nothing, run a lesson with the clone's own packages."""
    publish(ROOT, tmp_path / "out")
    # With the recipes of lesson 04's runs at hand, they can be trained again and told apart.
    assert not (tmp_path / "out" / "data_scripts" / "make_training_runs.py").exists()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(tmp_path / "out"), str(clone))
    # An independent look, with Git's own search, at everything that was ever committed.
    for line in list(lines_kept_back(ROOT / "solutions"))[::40]:
        if "exercise.hidden.number(" in line:
            continue
        done = subprocess.run(
            ["git", "-C", str(clone), "grep", "-q", "--fixed-strings", "-e", line, "HEAD"]
        )
        assert done.returncode == 1, line
    name = "02_convolution"
    place = clone / "lessons" / name
    notebook = nbformat.read(place / f"{name}.ipynb", as_version=4)
    told = nbformat.v4.new_code_cell(
        "import autograder, data_scripts\nprint(autograder.__file__, data_scripts.__file__)"
    )
    notebook.cells.insert(0, told)
    from nbclient import NotebookClient

    environment = {**os.environ, "PYTHONPATH": str(clone), "PYTHONSAFEPATH": "1"}
    # Exercises without answers fail, as they should; set-up and experiments run.
    client = NotebookClient(
        notebook, timeout=300, allow_errors=True, resources={"metadata": {"path": str(place)}}
    )
    client.execute(env=environment)
    assert told.outputs[0].text.split() == [
        str(clone / "autograder" / "__init__.py"), str(clone / "data_scripts" / "__init__.py"),
    ]  # fmt: skip
    missing = [
        output.evalue
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error" and output.ename in ("ModuleNotFoundError", "ImportError")
    ]
    assert missing == []
    modules = subprocess.run(
        [sys.executable, "-c", "import data_scripts.__main__ as m; m.main(['list'])"],
        cwd=clone, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert modules.returncode == 0, modules.stderr
