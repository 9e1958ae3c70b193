"""What every committed notebook must be: fresh, valid, readable, offline, free of debris."""

import ast
import json
import re

import nbformat
import pytest

from autograder.authoring import check
from autograder.authoring.execution import MAX_BYTES
from tests.conftest import ROOT
from tests.rehearsal import LESSONS

NOTEBOOKS = sorted(
    path
    for folder in ("solutions", "lessons", "playground")
    for path in (ROOT / folder).rglob("*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)
# What Keras 3 dropped or warns about; a sentence may name it, code may not.
DROPPED = {
    r"\.fit_generator\(": "model.fit takes generators",
    r"\bnp_utils\b": "keras.utils.to_categorical",
    r"(Conv2D|Dense|Flatten|MaxPooling2D)\([^)]*\binput_shape\s*=": "keras.Input(shape=…)",
    r"\bImageDataGenerator\b": "augmentation layers",
    r"\.hdf5\b": "the .keras format",
    r"\bfrom tensorflow\.keras\b|\btf\.keras\b": "import keras",
}


def code_cells(path):
    return [
        (index, "".join(cell["source"]))
        for index, cell in enumerate(json.loads(path.read_bytes())["cells"], start=1)
        if cell["cell_type"] == "code"
    ]


def test_there_are_lessons():
    assert LESSONS
    assert len(NOTEBOOKS) >= 2 * len(LESSONS)


def test_everything_is_fresh_and_nothing_leaks():
    assert check(ROOT) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_valid(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_small_and_knows_no_machine(path):
    content = path.read_bytes()
    assert len(content) <= MAX_BYTES
    assert str(ROOT).encode() not in content
    assert not re.search(rb"/(home|root|Users)/\w", content)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pictures_have_words_and_outputs_no_debris(path):
    for cell in json.loads(path.read_bytes())["cells"]:
        for output in cell.get("outputs", []):
            for kind in output.get("data", {}):
                if kind.startswith("image/"):
                    assert len(output["metadata"][kind]["alt"]) >= 20
            assert output.get("name") != "stderr"
            text = "".join(output.get("text", []))
            assert "\r" not in text
            assert "\x08" not in text
        for picture in re.findall(r"!\[([^\]]*)\]\(", "".join(cell["source"])):
            assert len(picture) >= 20, "a picture in a text needs alt text"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("pattern", DROPPED)
def test_code_uses_today_s_keras(path, pattern):
    for index, source in code_cells(path):
        assert not re.search(pattern, source), f"cell {index}: use {DROPPED[pattern]}"


@pytest.mark.parametrize("name", LESSONS)
def test_exercises_do_not_depend_on_experiments(name):
    """Test cells may use what answer cells and locked cells bind, and names of their own."""
    notebook = json.loads((ROOT / "solutions" / name / f"{name}.ipynb").read_bytes())
    bound = set(dir(__builtins__)) | set(__builtins__ if isinstance(__builtins__, dict) else ())
    for index, cell in enumerate(notebook["cells"], start=1):
        about = cell["metadata"].get("nbgrader")
        if cell["cell_type"] != "code" or about is None:
            continue
        tree = ast.parse("".join(cell["source"]))
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.arg):
                own.add(node.arg)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                own |= {(item.asname or item.name).split(".")[0] for item in node.names}
        used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        if about["grade"] and not about["solution"]:
            missing = used - own - bound
            assert not missing, f"cell {index} ({cell['id']}) uses {missing}"
        else:
            bound |= own
