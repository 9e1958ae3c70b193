"""Run lesson 07's four cases at full scale: every strategy in every case, three seeds.

::

    COURSE_DATA_MIRROR=../shared/data python -m benchmarks.four_cases
    python -m benchmarks.four_cases --seeds 4 5

The experiment is the lesson's own text: its cells with the tag ``cases`` are executed, in a fresh
process for each seed, with 9,000 pictures where the lesson at quick scale has 1,500. After each
seed the record is written to ``benchmarks/results/four_cases.json``, so a run that was stopped goes
on where it was; a seed that stems from other code is run again. A seed takes twenty minutes on two
idle cores. ``python -m benchmarks.tables`` puts the figures into the texts.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.full_scale import (
    DEFAULT_SEEDS,
    RESULTS,
    ROOT,
    BenchmarkError,
    machine,
    measured_digest,
)

LESSON = "07_transfer_learning"
TAG = "cases"
RECORD = RESULTS / "four_cases.json"
SCALES = ("full", "quick", "grading")
_MARK = "RESULT "  # begins the line in which a child hands over its figures


def cases_cells() -> list[str]:
    """Return the source of every cell of the lesson that carries the tag ``cases``."""
    from autograder.authoring.source import read_source

    notebook = read_source(ROOT / "solutions" / LESSON / f"{LESSON}.py")
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])
    ]


def run_cells(seed: int) -> dict[str, Any]:
    """Execute the experiment with one seed, at the scale in force.

    Returns
    -------
    dict
        ``scores``: case → strategy → test pictures right, in per cent; ``pictures``: case → how
        many there were to learn from; ``minutes``: by the clock.
    """
    begun = time.perf_counter()
    names: dict[str, Any] = {"__name__": "__main__"}
    for place, cell in enumerate(cases_cells()):
        exec(compile(cell, f"<cell {place}>", "exec"), names)
        if "SEEDS" in names:
            names["SEEDS"] = (seed,)
    scores, pictures = {}, {}
    for (size, kind), outcomes in names["right"].items():
        case = f"{size} + {kind}"
        scores[case] = {
            strategy: round(100 * float(runs[0].mean()), 2) for strategy, runs in outcomes.items()
        }
        name = names["CASES"][size, kind]
        each = names["FEW" if size == "small" else "MANY"][name]
        pictures[case] = each * len(names["targets"][name].class_names)
    minutes = (time.perf_counter() - begun) / 60
    return {"scores": scores, "pictures": pictures, "minutes": round(minutes, 1)}


def run_apart(seed: int, scale: str) -> dict[str, Any]:
    """Run a seed in a process of its own, and show what it prints.

    Raises
    ------
    BenchmarkError
        If the process stops before its end.
    """
    command = [sys.executable, "-m", "benchmarks.four_cases", "--child", str(seed)]
    environment = dict(
        os.environ,
        COURSE_SCALE=scale,
        MPLBACKEND="agg",
        PYTHONUNBUFFERED="1",
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    tail = "it began"
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith(_MARK):
                    return json.loads(line.removeprefix(_MARK))
                tail = line.strip()
                print(f"  {tail}", flush=True)
        except BaseException:
            process.kill()
            raise
    raise BenchmarkError(f"seed {seed}: the run stopped; its last words: {tail}")


def measure(seeds: Sequence[int], scale: str) -> None:
    """Run the seeds that are not in the record; write it after each."""
    digest = measured_digest(cases_cells(), scale)
    runs: list[dict[str, Any]] = []
    if RECORD.exists():
        runs = json.loads(RECORD.read_text(encoding="utf-8"))["runs"]
        runs = [run for run in runs if run["code_sha256"] == digest]
    for seed in seeds:
        if any(run["seed"] == seed for run in runs):
            print(f"seed {seed}: recorded already")
            continue
        outcome = run_apart(seed, scale)
        print(f"seed {seed}: {outcome['minutes']} min, {outcome['scores']}", flush=True)
        if scale != "full":
            continue  # a rehearsal
        today = datetime.date.today().isoformat()
        runs.append(
            {
                "seed": seed,
                **outcome,
                "date": today,
                "machine": machine(),
                "code_sha256": digest,
            }
        )
        runs.sort(key=lambda run: run["seed"])
        draft = RECORD.with_suffix(".draft")
        record = {"made_by": "python -m benchmarks.four_cases", "runs": runs}
        draft.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(RECORD)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.four_cases",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(DEFAULT_SEEDS))
    parser.add_argument(
        "--scale", choices=SCALES, default="full", help="another one is not recorded"
    )
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.child is not None:
            print(_MARK + json.dumps(run_cells(options.child)), flush=True)
            return 0
        measure(options.seeds, options.scale)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
