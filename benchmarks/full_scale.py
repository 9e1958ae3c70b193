"""Train the networks of a lesson at full scale, with several seeds, and write down what came out.

::

    python -m benchmarks.full_scale 01                    # both scales, the lesson's own seeds
    python -m benchmarks.full_scale 01 --scale quick      # the embedded pictures only
    python -m benchmarks.full_scale 01 --seeds 1 2 3 4 5

The models are not copied: the command runs the lesson's own text. Cells of the author's file that
carry the tag ``benchmark`` are executed in order, in a fresh process for each seed, with
``COURSE_SCALE`` set. What such a lesson has to provide:

* a tuple ``SEEDS``, which is replaced by the one seed of the process;
* a dict ``results``: name of a network → one dict for each seed, with ``accuracy`` (per cent),
  ``seconds``, ``epochs`` and ``parameters``;
* optionally a dict ``moved_accuracy``: name → one list of accuracies for each seed.

What students train and what is measured here are therefore the same lines. After each seed the
results file is written, so a run that was stopped goes on where it was; a seed whose result stems
from other code (comments aside) is run again. ``python -m benchmarks.tables`` then puts the figures
into the texts.
"""

import argparse
import ast
import datetime
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data_scripts import course_scale

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SCALES = ("full", "quick")
DEFAULT_SEEDS = (1, 2, 3)
TAG = "benchmark"
_MARK = "RESULT "  # begins the line in which a child hands over its figures


class BenchmarkError(Exception):
    """A lesson could not be measured; the message says which, and why."""


def lesson_name(word: str) -> str:
    """Find the lesson that a name, or the beginning of a name such as ``"01"``, stands for.

    Raises
    ------
    BenchmarkError
        If none fits, or more than one.
    """
    from autograder.authoring import BuildError, lesson_names

    try:
        return lesson_names(ROOT, [word])[0]
    except BuildError as error:
        raise BenchmarkError(str(error)) from None


def tagged_cells(name: str) -> list[str]:
    """Return the source of every code cell of a lesson that carries the tag ``benchmark``.

    Raises
    ------
    BenchmarkError
        If there is none.
    """
    from autograder.authoring.source import read_source

    notebook = read_source(ROOT / "solutions" / name / f"{name}.py")
    cells = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])
    ]
    if not cells:
        raise BenchmarkError(f"{name} has no cells with the tag {TAG!r}")
    return cells


class _OneScale(ast.NodeTransformer):
    """Puts in place of ``by_scale(quick=…, full=…, grading=…)`` what it gives at one scale."""

    def __init__(self, scale: str) -> None:
        self.scale = scale

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "by_scale":
            for keyword in node.keywords:
                if keyword.arg == self.scale:
                    return keyword.value
        return node


def code_digest(cells: Sequence[str], scale: str) -> str:
    """SHA-256 of what the cells do at a scale.

    Comments, layout and the settings of other scales do not count.
    """
    trees = (_OneScale(scale).visit(ast.parse(cell)) for cell in cells)
    code = "\n".join(ast.unparse(tree) for tree in trees)
    return hashlib.sha256(code.encode()).hexdigest()


def measured_digest(cells: Sequence[str], scale: str) -> str:
    """`code_digest` of a lesson's cells without the first, which imports and sets the style."""
    return code_digest(cells[1:], scale)


def run_cells(cells: Sequence[str], seed: int) -> dict[str, Any]:
    """Execute a lesson's cells in one namespace, with one seed, at the scale in force.

    Returns
    -------
    dict
        ``code_sha256``: what was run; ``models``: name → accuracy, seconds, epochs, parameters;
        ``moved``: name → accuracies.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for place, cell in enumerate(cells):
        exec(compile(cell, f"<cell {place}>", "exec"), namespace)
        if "SEEDS" in namespace:
            namespace["SEEDS"] = (seed,)
    models = {}
    for name, runs in namespace["results"].items():
        (run,) = runs
        models[name] = {
            "accuracy": round(float(run["accuracy"]), 4),
            "seconds": round(float(run["seconds"]), 2),
            "epochs": int(run["epochs"]),
            "parameters": int(run["parameters"]),
        }
    moved = {
        name: [round(float(share), 4) for share in runs[0]]
        for name, runs in namespace.get("moved_accuracy", {}).items()
    }
    digest = measured_digest(cells, course_scale())
    return {"code_sha256": digest, "models": models, "moved": moved}


def machine() -> dict[str, Any]:
    """Describe the machine in words that say nothing about whose it is."""
    cpu = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    tensorflow = "tensorflow-cpu"
    try:
        tensorflow_version = version(tensorflow)
    except ModuleNotFoundError:
        tensorflow_version = version("tensorflow")
    return {
        "cpu": cpu,
        "cores": cores,
        "memory_gib": memory,
        "system": platform.system(),
        "python": platform.python_version(),
        "tensorflow": tensorflow_version,
        "keras": version("keras"),
    }


def read_results(name: str) -> dict[str, Any]:
    """Read the results file of a lesson; an empty record if there is none yet."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {"lesson": name, "runs": []}
    return json.loads(path.read_text(encoding="utf-8"))


def write_results(record: dict[str, Any]) -> None:
    """Write the results file of a lesson; a reader sees the old file or the new one, whole."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{record['lesson']}.json"
    record["runs"].sort(key=lambda run: (SCALES.index(run["scale"]), run["seed"]))
    draft = path.with_suffix(".json.draft")
    draft.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def child_lines(name: str, scale: str, seed: int) -> Iterator[str]:
    """Run one seed in a process of its own and pass on what it prints.

    Raises
    ------
    BenchmarkError
        If the process fails; the message ends with the last of its errors.
    """
    environment = dict(
        os.environ,
        COURSE_SCALE=scale,
        TF_CPP_MIN_LOG_LEVEL="3",
        MPLBACKEND="agg",
        PYTHONUNBUFFERED="1",
    )
    command = [sys.executable, "-m", "benchmarks.full_scale", name, "--child", str(seed)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        tail: list[str] = []
        try:
            for line in process.stdout or ():
                tail = [*tail[-15:], line.rstrip("\n")]
                yield line.rstrip("\n")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise BenchmarkError(f"{name}, {scale}, seed {seed} failed:\n" + "\n".join(tail))


def measure(name: str, scales: Sequence[str], seeds: Sequence[int], *, again: bool = False) -> None:
    """Run every scale and seed that is not yet in the results file, with a progress display.

    Parameters
    ----------
    name : str
        Name of the lesson.
    scales : sequence of str
        ``"full"``, ``"quick"`` or both.
    seeds : sequence of int
        Seeds.
    again : bool
        Run also what is there already.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    cells = tagged_cells(name)
    record = read_results(name)
    wanted = [(scale, seed) for scale in scales for seed in seeds]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=len(wanted))
        for scale, seed in wanted:
            here = next(
                (r for r in record["runs"] if (r["scale"], r["seed"]) == (scale, seed)), None
            )
            if here and here["code_sha256"] == measured_digest(cells, scale) and not again:
                console.print(f"{scale}, seed {seed}: already measured on {here['date']}")
                progress.advance(task)
                continue
            progress.update(task, description=f"{name}, {scale}, seed {seed}")
            outcome = None
            for line in child_lines(name, scale, seed):
                if line.startswith(_MARK):
                    outcome = json.loads(line.removeprefix(_MARK))
                else:
                    console.print(f"  {line}", markup=False, highlight=False)
            if outcome is None:
                raise BenchmarkError(f"{name}, {scale}, seed {seed} handed over no figures")
            run = {
                "scale": scale,
                "seed": seed,
                "date": datetime.date.today().isoformat(),
                "machine": machine(),
                **outcome,
            }
            others = [r for r in record["runs"] if (r["scale"], r["seed"]) != (scale, seed)]
            record["runs"] = [*others, run]
            write_results(record)
            progress.advance(task)
    for scale in scales:
        _print_summary(record, scale)


def _print_summary(record: dict[str, Any], scale: str) -> None:
    runs = [run for run in record["runs"] if run["scale"] == scale]
    print(f"{record['lesson']}, {scale} scale, seeds {[run['seed'] for run in runs]}")
    for name in runs[0]["models"] if runs else ():
        scores = [run["models"][name]["accuracy"] for run in runs]
        spread = statistics.stdev(scores) if len(scores) > 1 else float("nan")
        print(f"  {name:20} {statistics.mean(scores):6.2f} % ± {spread:.2f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.full_scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lesson", help="name of a lesson, or its number: 01")
    parser.add_argument("--scale", choices=SCALES, action="append", help="default: both")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(DEFAULT_SEEDS))
    parser.add_argument("--again", action="store_true", help="measure also what is there already")
    parser.add_argument("--child", type=int, metavar="SEED", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        name = lesson_name(options.lesson)
        if options.child is not None:
            print(_MARK + json.dumps(run_cells(tagged_cells(name), options.child)), flush=True)
            return 0
        measure(name, options.scale or SCALES, options.seeds, again=options.again)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
