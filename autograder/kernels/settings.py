"""What an instructor may set about the rooms, in ``nbgrader_config.py``."""

import dataclasses
from typing import Any

from traitlets import Bool, Dict, Float, Integer, List, Unicode, default
from traitlets.config import Configurable

from autograder.kernels.client import PRELOAD
from autograder.kernels.limits import Limits

_BUILT_IN = Limits()


class Sandbox(Configurable):
    """Limits and contents of the rooms in which submissions run.

    Examples
    --------
    In ``nbgrader_config.py``::

        c.Sandbox.memory_mb = 2000
        c.Sandbox.cell_seconds = 60
        c.Sandbox.preload = ["numpy", "pandas"]
    """

    enabled = Bool(True, help="whether rooms have walls; without, student code can do harm").tag(
        config=True
    )
    memory_mb = Integer(_BUILT_IN.memory_mb, min=50, help="memory of one room, MB").tag(config=True)
    processes = Integer(_BUILT_IN.processes, min=4, help="processes of one room").tag(config=True)
    file_mb = Integer(_BUILT_IN.file_mb, min=1, help="size of one file, MB").tag(config=True)
    scratch_mb = Integer(
        _BUILT_IN.scratch_mb, min=10, help="size of a room's home, and of its /tmp, MB"
    ).tag(config=True)
    cell_seconds = Float(min=1, help="time for one cell; nbgrader's Execute.timeout if unset").tag(
        config=True
    )
    submission_seconds = Float(600.0, min=1, help="time for one notebook, all cells").tag(
        config=True
    )
    cell_processor_seconds = Float(
        _BUILT_IN.cell_processor_seconds, min=1, help="processor time of one cell"
    ).tag(config=True)
    processor_seconds = Float(
        _BUILT_IN.processor_seconds, min=1, help="processor time of one notebook"
    ).tag(config=True)
    output_characters = Integer(
        200_000, min=1000, help="how much output of one cell is kept, characters"
    ).tag(config=True)
    preload = List(
        Unicode(),
        default_value=list(PRELOAD),
        help="modules that every room has at hand; of the default those that an assignment needs",
    ).tag(config=True)
    read_only = List(Unicode(), help="more folders that rooms can read, such as data sets").tag(
        config=True
    )
    environment = Dict(help="more environment variables of the rooms").tag(config=True)

    @default("cell_seconds")
    def _cell_seconds_default(self) -> float:
        for section in ("Execute", "ExecutePreprocessor", "NotebookClient"):
            seconds = self.config.get(section, {}).get("timeout")
            if isinstance(seconds, int | float) and seconds >= 1:
                return float(seconds)
        return 30.0

    def limits(self) -> dict[str, float]:
        """Limits of a :class:`autograder.workers.tasks.Task`."""
        names = (field.name for field in dataclasses.fields(Limits))
        more = ("cell_seconds", "submission_seconds", "output_characters")
        return {name: getattr(self, name) for name in (*names, *more)}

    def settings(self) -> dict[str, Any]:
        """Settings of a :class:`autograder.workers.tasks.Task`."""
        return {
            "sandbox": self.enabled,
            "preload": list(self.preload),
            "read_only": list(self.read_only),
            "environment": dict(self.environment),
        }
