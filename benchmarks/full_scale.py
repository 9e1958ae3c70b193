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
import statistics
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.recording import (
    DEFAULT_SEEDS,
    RESULTS,
    ROOT,
    BenchmarkError,
    cells_with,
    exit_code,
    hand_over,
    keep,
    machine,
    run_apart,
)
from data_scripts import course_scale

SCALES = ("full", "quick")
TAG = "benchmark"
_NO_CODE = frozenset({"ctx", "kind"})  # of a syntax tree: what follows from the rest


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
    trees = [_plain(_OneScale(scale).visit(ast.parse(cell))) for cell in cells]
    return hashlib.sha256(json.dumps(trees).encode()).hexdigest()


def _plain(node: Any) -> Any:
    """A syntax tree as lists and texts that every Python from 3.11 on makes of the same code.

    `ast.unparse` writes f-strings in another way from 3.12 on, `ast.dump` leaves out more from 3.13
    on.
    """
    if isinstance(node, ast.AST):
        fields = {
            name: _plain(value)
            for name, value in ast.iter_fields(node)
            if name not in _NO_CODE and value is not None and value != []
        }
        return [type(node).__name__, fields]
    return [_plain(one) for one in node] if isinstance(node, list) else repr(node)


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


def read_results(name: str) -> dict[str, Any]:
    """Read the results file of a lesson; an empty record if there is none yet."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {"lesson": name, "runs": []}
    return json.loads(path.read_text(encoding="utf-8"))


def write_results(record: dict[str, Any]) -> None:
    """Write the results file of a lesson; a reader sees the old file or the new one, whole."""
    record["runs"].sort(key=lambda run: (SCALES.index(run["scale"]), run["seed"]))
    keep(RESULTS / f"{record['lesson']}.json", record)


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

    cells = cells_with(name, TAG)
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
            outcome = run_apart(
                ["benchmarks.full_scale", name, "--child", str(seed)],
                what=f"{name}, {scale}, seed {seed}",
                show=lambda line: console.print(f"  {line}", markup=False, highlight=False),
                scale=scale,
                errors=subprocess.STDOUT,
            )
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
    return exit_code(lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    name = lesson_name(options.lesson)
    if options.child is not None:
        hand_over(run_cells(cells_with(name, TAG), options.child))
    else:
        measure(name, options.scale or SCALES, options.seeds, again=options.again)


if __name__ == "__main__":
    sys.exit(main())
