"""Which files students need: lessons, and the modules that lessons import, however far."""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGES = ("autograder", "data_scripts", "playground")
# What anybody may start from a terminal.
COMMANDS = ("data_scripts.__main__", "playground.__main__")
# The package's own first page imports what graders need.
REPLACED = {
    "autograder/__init__.py": '"""What lessons import: checks, figures, experiments."""\n',
}
_DEBRIS = ("__pycache__", ".ipynb_checkpoints", ".DS_Store")


class SelectionError(Exception):
    """A lesson cannot be published; the message says why."""


def lessons_in(root: Path, names: Iterable[str] = ()) -> list[str]:
    """Lessons that are published, by the beginnings of their names.

    Raises
    ------
    SelectionError
        If there is none, or a name fits none.
    """
    known = sorted(path.parent.name for path in (root / "lessons").glob("*/*.ipynb"))
    if not known:
        raise SelectionError(f"no lesson in {root / 'lessons'}: run autograder build first")
    chosen = set()
    for name in names:
        fitting = {lesson for lesson in known if lesson.startswith(name)}
        if not fitting:
            raise SelectionError(f"no lesson begins with {name!r}; there are {', '.join(known)}")
        chosen |= fitting
    return [lesson for lesson in known if lesson in chosen] if chosen else known


def select(root: Path, lessons: Iterable[str]) -> dict[str, bytes]:
    """Read the files that students need.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    lessons : iterable of str
        Names of lessons.

    Returns
    -------
    dict of str to bytes
        Relative name → content, sorted.
    """
    files: dict[str, bytes] = {}
    sources: list[str] = []
    for lesson in lessons:
        for path in _files(root / "lessons" / lesson):
            files[path.relative_to(root).as_posix()] = path.read_bytes()
            if path.suffix == ".ipynb":
                sources.append(code_of(path))
    with_playground = (root / "playground").is_dir()
    if with_playground:
        for path in _files(root / "playground"):
            if path.suffix != ".py":
                files[path.relative_to(root).as_posix()] = path.read_bytes()
            if path.suffix == ".ipynb":
                sources.append(code_of(path))
    for path in modules_needed(root, sources):
        files[path.relative_to(root).as_posix()] = path.read_bytes()
    for name in ("LICENSE", "LICENSE-TEXTS", "data_scripts/ATTRIBUTION.md"):
        if (root / name).is_file():
            files[name] = (root / name).read_bytes()
    if (root / "data_scripts" / "embedded").is_dir():
        for path in _files(root / "data_scripts" / "embedded"):
            files[path.relative_to(root).as_posix()] = path.read_bytes()
    files |= {name: text.encode() for name, text in REPLACED.items() if name in files}
    return dict(sorted(files.items()))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not set(path.parts) & set(_DEBRIS):
            yield path


def code_of(notebook: Path) -> str:
    """Python of a notebook, without lines that only IPython reads."""
    cells = json.loads(notebook.read_bytes())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return "\n".join(
        line for line in text.splitlines() if not line.lstrip().startswith(("%", "!", "?"))
    )


def modules_needed(root: Path, sources: Iterable[str]) -> list[Path]:
    """Modules of the course's own packages that some code imports, directly or not.

    Imports anywhere in a module count, also those inside functions.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    sources : iterable of str
        Python texts: those of lessons.
    """
    found: dict[str, Path] = {}
    waiting = [name for source in sources for name in imported(source)]
    waiting += [name for name in COMMANDS if _file_of(root, name)]
    while waiting:
        name = waiting.pop()
        if name.partition(".")[0] not in PACKAGES or name in found:
            continue
        path = _file_of(root, name)
        if path is None:
            continue  # `from package import something` that is no module
        found[name] = path
        waiting.append(name.rpartition(".")[0])
        relative = path.relative_to(root).as_posix()
        text = REPLACED.get(relative) or path.read_text(encoding="utf-8")
        waiting += imported(text, name if path.stem == "__init__" else name.rpartition(".")[0])
    return sorted(found.values())


def _file_of(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if name and path.is_file():
            return path
    return None


def imported(source: str, package: str = "") -> list[str]:
    """Full names that a piece of Python imports; members of a module are among them.

    Parameters
    ----------
    source : str
        Python. What cannot be parsed imports nothing.
    package : str
        The package that relative imports start from.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - max(0, node.level - 1)]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def distributions_imported(files: Mapping[str, bytes]) -> set[str]:
    """Names under which other packages are imported by chosen files: ``numpy``, ``PIL``."""
    found: set[str] = set()
    for name, content in files.items():
        if name.endswith(".py"):
            names = imported(content.decode())
        elif name.endswith(".ipynb"):
            cells = json.loads(content)["cells"]
            names = [
                module
                for cell in cells
                if cell["cell_type"] == "code"
                for module in imported("".join(cell["source"]))
            ]
        else:
            continue
        found |= {module.partition(".")[0] for module in names if module}
    return found - set(PACKAGES)
