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
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.full_scale import measured_digest
from benchmarks.recording import (
    DEFAULT_SEEDS,
    RESULTS,
    cells_with,
    exit_code,
    hand_over,
    keep,
    machine,
    run_apart,
)

LESSON = "07_transfer_learning"
TAG = "cases"
RECORD = RESULTS / "four_cases.json"
SCALES = ("full", "quick", "grading")


def cases_cells() -> list[str]:
    """Return the source of every cell of the lesson that carries the tag ``cases``."""
    return cells_with(LESSON, TAG)


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
        outcome = run_apart(
            ["benchmarks.four_cases", "--child", str(seed)],
            what=f"seed {seed}",
            show=lambda line: print(f"  {line}", flush=True),
            scale=scale,
        )
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
        keep(RECORD, {"made_by": "python -m benchmarks.four_cases", "runs": runs})


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
    return exit_code(
        (lambda: measure(options.seeds, options.scale))
        if options.child is None
        else (lambda: hand_over(run_cells(options.child)))
    )


if __name__ == "__main__":
    sys.exit(main())
