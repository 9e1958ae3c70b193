"""What stands around the lessons in the students' repository: first page, environment, commands."""

import json
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import jinja2
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograder.publishing.selection import PACKAGES, distributions_imported

# What nobody imports, but students start.
_ALWAYS = ("ipykernel", "jupyterlab", "keras", "tensorflow")
_WITH_PLAYGROUND = ("voila",)
# The same modules in two packages, one for each kind of machine.
_PAIRS = {"tensorflow-cpu": "tensorflow", "tensorflow": "tensorflow-cpu"}
_HEADING = re.compile(r"^#\s+(.+)$", re.MULTILINE)


def surroundings(root: Path, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Write the files around the chosen ones.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder, with ``pyproject.toml`` and ``requirements.lock``.
    files : mapping of str to bytes
        What was chosen.

    Returns
    -------
    dict of str to bytes
        Relative name → content.
    """
    about = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = direct_requirements(about["dependencies"], files)
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pins = pinned(direct, lock)
    content = {
        "about": about,
        "direct": sorted(json.dumps(str(requirement)) for requirement in direct),
        "pins": pins,
        "packages": [name for name in PACKAGES if any(f.startswith(f"{name}/") for f in files)],
        "lessons": [
            lesson_row(name, json.loads(content))
            for name, content in files.items()
            if name.startswith("lessons/") and name.endswith(".ipynb")
        ],
        "playground": any(name.startswith("playground/") for name in files),
    }
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True
    )
    made = {}
    for template in resources.files("autograder.publishing").joinpath("templates").iterdir():
        if template.name.endswith(".j2"):
            text = environment.from_string(template.read_text(encoding="utf-8")).render(content)
            made[template.name.removesuffix(".j2").replace("dot_", ".")] = text.encode()
    return made


def lesson_row(name: str, notebook: Mapping[str, object]) -> dict[str, object]:
    """Title and points of a lesson."""
    cells = notebook["cells"]
    titles = [_HEADING.search("".join(cell["source"])) for cell in cells]
    points = sum(
        cell["metadata"].get("nbgrader", {}).get("points") or 0
        for cell in cells
        if cell["metadata"].get("nbgrader", {}).get("grade")
    )
    title = next((found[1] for found in titles if found), Path(name).stem)
    return {"path": name, "title": title, "points": f"{points:g}"}


def direct_requirements(dependencies: list[str], files: Mapping[str, bytes]) -> list[Requirement]:
    """Those of the course's requirements that chosen files import, or students start."""
    owners = packages_distributions()
    wanted = {
        canonicalize_name(owner)
        for module in distributions_imported(files)
        for owner in owners.get(module, ())
    }
    wanted |= set(_ALWAYS)
    if any(name.startswith("playground/") for name in files):
        wanted |= set(_WITH_PLAYGROUND)
    wanted |= {_PAIRS[name] for name in wanted & set(_PAIRS)}
    found = [Requirement(text) for text in dependencies]
    return [each for each in found if canonicalize_name(each.name) in wanted]


def pinned(direct: list[Requirement], lock: str) -> list[str]:
    """Lines of a lock file that some requirements need, on any system.

    Parameters
    ----------
    direct : list of packaging.requirements.Requirement
        Where to start.
    lock : str
        Text of ``requirements.lock``.
    """
    lines: dict[str, list[str]] = {}
    for line in lock.splitlines():
        if line.strip() and not line.startswith(("#", "-", " ")):
            lines.setdefault(canonicalize_name(Requirement(line).name), []).append(line.strip())
    needed: set[str] = set()
    waiting = [(canonicalize_name(each.name), frozenset(each.extras)) for each in direct]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        needed.add(name)
        try:
            below = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue  # for another system
        for each in below:
            marker = str(each.marker or "")
            if "extra ==" in marker and not any(f'"{extra}"' in marker for extra in extras):
                continue
            item = (canonicalize_name(each.name), frozenset(each.extras))
            if item[0] in lines and item not in seen:
                seen.add(item)
                waiting.append(item)
    return [line for name in sorted(needed) for line in lines.get(name, ())]
