"""Recorded training runs: what a script of this repository once saw while it trained."""

import json
from importlib import resources
from typing import Any


def load_training_runs(name: str) -> dict[str, Any]:
    """Load a record of training runs that is embedded in the course.

    Parameters
    ----------
    name : str
        Name of a record: of a file in ``data_scripts/embedded/training_runs`` without its ending.

    Returns
    -------
    dict
        ``made_by``: the command that made it; ``machine``, ``date``: where and when; ``runs``: a
        list with one dict for each run, of one number for each epoch in lists.

    Raises
    ------
    ValueError
        If there is no record of this name.
    """
    folder = resources.files("data_scripts") / "embedded" / "training_runs"
    names = sorted(path.name.removesuffix(".json") for path in folder.iterdir())
    if name not in names:
        raise ValueError(
            f"there is no record of training runs {name!r}; expected one of {', '.join(names)}"
        )
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
