"""Where somebody arrives: JupyterLab's layout, with one of nbgrader's panels in front."""

import contextlib
import copy
import json
import os
from pathlib import Path
from typing import Any

LANDING = "HUB_LANDING"  # environment variable: one of the following
LIST, FORMGRADER = "nbgrader-assignment-list", "nbgrader-formgrader"
LAYOUT = "layout-restorer:data"
# JupyterLab's name for the workspace that opens at /lab: a slug and four digits of its digest.
DEFAULT_FILE = "default-37a8.jupyterlab-workspace"
_FRESH: dict[str, Any] = {
    "main": {"dock": {"type": "tab-area", "currentIndex": 0, "widgets": []}},
    "down": {"size": 0, "widgets": []},
    "left": {"collapsed": False, "visible": True, "current": "filebrowser", "widgets": []},
    "right": {"collapsed": True, "visible": True, "widgets": []},
    "relativeSizes": [0.22, 0.78, 0],
}


def with_in_front(workspace: dict[str, Any], panel: str) -> dict[str, Any]:
    """Copy a workspace, a panel open in it and in front; what was open stays open.

    Parameters
    ----------
    workspace : dict
        As JupyterLab stores it; an empty one gets a fresh layout.
    panel : str
        Name of the panel, such as `LIST`.

    Returns
    -------
    dict
        Unchanged if its layout is of a kind that is not known here.
    """
    widget = f"{panel}:{panel}"
    changed = copy.deepcopy(workspace)
    changed.setdefault("metadata", {"id": "default"})
    data = changed.setdefault("data", {})
    layout = data.setdefault(LAYOUT, copy.deepcopy(_FRESH))
    try:
        main = layout["main"]
        area = _find(main["dock"], widget) or _first_area(main["dock"])
        if area is None:
            main["dock"] = area = copy.deepcopy(_FRESH["main"]["dock"])
        if widget not in area["widgets"]:
            area["widgets"].insert(0, widget)
        area["currentIndex"] = area["widgets"].index(widget)
        main["current"] = widget
    except (KeyError, TypeError, AttributeError):
        return workspace
    data.setdefault(widget, {"data": {}})
    return changed


def _areas(dock: dict[str, Any] | None) -> list[dict[str, Any]]:
    if not dock:
        return []
    if dock["type"] == "tab-area":
        return [dock]
    return [area for child in dock["children"] for area in _areas(child)]


def _find(dock: dict[str, Any] | None, widget: str) -> dict[str, Any] | None:
    return next((area for area in _areas(dock) if widget in area["widgets"]), None)


def _first_area(dock: dict[str, Any] | None) -> dict[str, Any] | None:
    return next(iter(_areas(dock)), None)


def land_on(panel: str, home: Path) -> None:
    """Put a panel in front of somebody's default workspace.

    Parameters
    ----------
    panel : str
        Name of the panel.
    home : pathlib.Path
        Their home. A workspace that cannot be read or written is left alone: JupyterLab then opens
        as usual.
    """
    path = home / ".jupyter" / "lab" / "workspaces" / DEFAULT_FILE
    with contextlib.suppress(OSError, ValueError):
        workspace = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(with_in_front(workspace, panel)), encoding="utf-8")
        os.replace(draft, path)
