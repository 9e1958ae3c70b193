"""Write down training runs: on which machine, and whole.

Apart from the scripts that make the runs: a lesson's own code imports these, and what is planted in
the runs of another lesson must not come along with them.
"""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Describe the machine in words that say nothing about whose it is."""
    cpu = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    try:
        tensorflow = version("tensorflow-cpu")
    except PackageNotFoundError:
        tensorflow = version("tensorflow")
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "tensorflow": tensorflow,
        "keras": version("keras"),
    }


def write_whole(path: Path, content: dict[str, Any]) -> None:
    """Write JSON; a reader sees the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for opening in ('{"name"', '"runs"', '"val_loss"', '"accuracy"', '"val_accuracy"'):
        text = text.replace(opening, "\n" + opening)  # one list a line: a change can be read
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(path)
