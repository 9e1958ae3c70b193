"""Put the measured figures into the texts that quote them.

::

    python -m benchmarks.tables            # write
    python -m benchmarks.tables --check    # exit code 1 if a text is out of step

A text says where it wants a table with two comments, and everything between them is replaced::

    <!-- results: 01_mlp_and_cnn -->
    <!-- /results -->

After the lesson's name may stand which table: ``accuracy`` (the default), ``full``, ``moved``,
``published``, ``recipe``, ``cases`` or ``picture``. In an author's py:percent file the comments,
and so the table, begin with ``# ``.
"""

import argparse
import json
import re
import statistics
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.full_scale import SCALES, read_results
from benchmarks.recipe import RECORD
from benchmarks.recording import ROOT

_BLOCK = re.compile(
    r"^(?P<indent>#? ?)<!-- results: (?P<lesson>\w+)(?: (?P<table>\w+))? -->\n"
    r"(?P<body>.*?)"
    r"^(?P=indent)<!-- /results -->$",
    re.MULTILINE | re.DOTALL,
)

WIDTH = 96  # of a line that is no row of a table

# Errors on MNIST's 10,000 test pictures, learned from the 60,000 as they are: no deskewing, no
# distorted copies. LeCun, Bottou, Bengio, Haffner (1998), figure 9.
LECUN_1998 = (
    ("linear classifier", 12.0),
    ("k nearest neighbours, Euclidean", 5.0),
    ("MLP, 300 hidden units", 4.7),
    ("MLP, 1,000 hidden units", 4.5),
    ("1,000 radial basis functions + linear classifier", 3.6),
    ("40 principal components + quadratic classifier", 3.3),
    ("MLP, 300 and 100 hidden units", 3.05),
    ("MLP, 500 and 150 hidden units", 2.95),
    ("CNN: LeNet-1, on 16×16 pixels", 1.7),
    ("support vector machine, polynomials of degree 4", 1.1),
    ("CNN: LeNet-4", 1.1),
    ("CNN: LeNet-5", 0.95),
)


def runs_at(record: dict[str, Any], scale: str) -> list[dict[str, Any]]:
    """Runs of one scale, in order of their seeds."""
    return sorted(
        (run for run in record["runs"] if run["scale"] == scale), key=lambda run: run["seed"]
    )


def mean_and_spread(values: Sequence[float], digits: int = 2) -> str:
    """Write ``97.93 ± 0.05``; without a spread if there is one value only."""
    text = f"{statistics.mean(values):.{digits}f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return text


def accuracy_table(record: dict[str, Any]) -> list[str]:
    """Accuracy of each network at both scales, with epochs and seconds."""
    names = _names(record)
    lines = [
        "| network | parameters | quick scale, % right | full scale, % right | epochs | "
        "seconds a run |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in names:
        cells = {}
        for scale in SCALES:
            found = [r["models"][name] for r in runs_at(record, scale) if name in r["models"]]
            cells[scale] = (
                (
                    mean_and_spread([run["accuracy"] for run in found]),
                    str(found[0]["epochs"]),
                    f"{statistics.mean([run['seconds'] for run in found]):.0f}",
                    f"{found[0]['parameters']:,}",
                )
                if found
                else ("–", "–", "–", "–")
            )
        full, quick = cells["full"], cells["quick"]
        parameters = full[3] if full[3] != "–" else quick[3]
        lines.append(
            f"| {name} | {parameters} | {quick[0]} | {full[0]} | "
            f"{quick[1]} / {full[1]} | {quick[2]} / {full[2]} |"
        )
    return [*lines, "", *_small_print(record)]


def full_table(record: dict[str, Any]) -> list[str]:
    """Accuracy of what was measured at full scale only."""
    runs = runs_at(record, "full")
    if not runs:
        return ["Not measured yet."]
    lines = ["| task | numbers that learn | test pictures right, % |", "|---|--:|--:|"]
    for name in _names(record):
        found = [run["models"][name] for run in runs if name in run["models"]]
        lines.append(
            f"| {name} | {found[0]['parameters']:,} | "
            f"{mean_and_spread([run['accuracy'] for run in found])} |"
        )
    return [*lines, "", _measured(runs)]


def cases_table(record: dict[str, Any]) -> list[str]:
    """Accuracy of every strategy in lesson 07's four cases, see :mod:`benchmarks.four_cases`."""
    path = ROOT / "benchmarks" / "results" / "four_cases.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    if not runs:
        return ["Not measured yet."]
    cases = list(runs[0]["scores"])
    lines = ["| strategy | " + " | ".join(cases) + " |", "|---|" + "--:|" * len(cases)]
    means = {
        case: {
            strategy: statistics.mean(run["scores"][case][strategy] for run in runs)
            for strategy in runs[0]["scores"][case]
        }
        for case in cases
    }
    for strategy in means[cases[0]]:
        cells = []
        for case in cases:
            figure = mean_and_spread([run["scores"][case][strategy] for run in runs], 1)
            best = max(means[case].values()) == means[case][strategy]
            cells.append(f"**{figure}**" if best else figure)
        lines.append(f"| `{strategy}` | " + " | ".join(cells) + " |")
    counts = ", ".join(f"{runs[0]['pictures'][case]:,} ({case})" for case in cases)
    minutes = statistics.median(run["minutes"] for run in runs)  # one may have had to share
    return [
        *lines,
        "",
        f"Test pictures right in per cent; bold: the best of a case. Pictures to learn from: "
        f"{counts}. {minutes:.0f} minutes a seed. {_measured(runs)}",
    ]


def picture_table(record: dict[str, Any]) -> list[str]:
    """What it takes to draw lesson 09's picture, see :mod:`benchmarks.style_transfer`."""
    lines = ["| scale | network | pixels | steps | seconds | memory |", "|---|---|--:|--:|--:|--:|"]
    for scale in SCALES:
        if scale in record:
            run = record[scale]
            lines.append(
                f"| {scale} | {run['network']} | {run['side']}×{run['side']} | "
                f"{sum(run['steps'])} | {run['seconds']:.0f} | {run['peak_bytes'] / 1e9:.1f} GB |"
            )
    if len(lines) == 2:
        return ["Not measured yet."]
    machine = next(record[scale]["machine"] for scale in SCALES if scale in record)
    return [*lines, "", f"On {machine['cores']} cores ({machine['cpu']})."]


def moved_table(record: dict[str, Any]) -> list[str]:
    """Accuracy of each network after each shift, at full scale."""
    runs = runs_at(record, "full")
    if not runs:
        return ["Not measured yet."]
    distances = range(len(next(iter(runs[0]["moved"].values()))))
    lines = [
        "| pixels moved | " + " | ".join(str(distance) for distance in distances) + " |",
        "|---|" + "--:|" * len(distances),
    ]
    for name in runs[0]["moved"]:
        cells = [
            mean_and_spread([run["moved"][name][distance] for run in runs], 1).replace(" ± ", "±")
            for distance in distances
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, "", "Test pictures right in per cent, full scale."]


def published_table(record: dict[str, Any]) -> list[str]:
    """Errors of 1998 and of our networks at full scale, the largest first."""
    runs = runs_at(record, "full")
    rows = [(error, f"{error:g}", name, "LeCun and others 1998") for name, error in LECUN_1998]
    for name in _names(record):
        if "permuted" in name or not runs:
            continue
        errors = [100 - run["models"][name]["accuracy"] for run in runs]
        rows.append(
            (
                statistics.mean(errors),
                f"**{mean_and_spread(errors)}**",
                f"**{name}**, {runs[0]['models'][name]['parameters']:,} parameters",
                "this lesson",
            )
        )
    lines = ["| classifier | errors, % | source |", "|---|--:|---|"]
    lines += [f"| {name} | {error} | {source} |" for _, error, name, source in sorted(rows)[::-1]]
    return lines


def cost_table(record: dict[str, Any]) -> list[str]:
    """What grading a class costs by nbgrader's command and by ours, see benchmarks.grading."""
    lines = [
        "| class of | own time | `nbgrader autograde` | `autograder grade` | as fast | at best | "
        "overhead, ours : nbgrader's |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, words in CLASSES.items():
        if name not in record:
            continue
        run = record[name]
        rates = [60 * run["students"] / run[key]["wall"] for key in ("nbgrader", "autograder_2")]
        lines.append(
            f"| {run['students']}: {words} | {run['own_seconds']:.2f} s, "
            f"{run['own_seconds_beside']:.2f} s | {rates[0]:.0f} a minute | "
            f"{rates[1]:.0f} a minute | {run['speed']:.1f} × | {run['best_speed']:.0f} × | "
            f"{run['overhead']:.2f} ({run['overhead_alone']:.2f}) : "
            f"{run['overhead_nbgrader']:.2f} s |"
        )
    if len(lines) == 2:
        return ["Not measured yet."]
    run = next(record[name] for name in CLASSES if name in record)
    coordination = record.get("coordination", {}).get("milliseconds_each")
    lines += [
        "",
        f"{run['cores']} cores, 2 workers, sandbox and start-up counted. Own time: of the cells, "
        "alone and two at a time. At best: nothing else spent. Overhead: seconds of a core beyond "
        "the own time of two at a time (of one alone)."
        + (f" Coordination: {coordination:.1f} ms a submission." if coordination else "")
        + _scaling(record),
    ]
    return lines


def recipe_table(record: dict[str, Any]) -> list[str]:
    """Accuracy and minutes of lesson 06's recipe by length, see :mod:`benchmarks.recipe`."""
    runs = json.loads(RECORD.read_text(encoding="utf-8"))["runs"] if RECORD.exists() else []
    if not runs:
        return ["Not measured yet."]
    lines = [
        "| epochs | minutes | processor minutes | test pictures right, % | seeds |",
        "|--:|--:|--:|--:|---|",
    ]
    for epochs in sorted({run["epochs"] for run in runs}):
        found = [run for run in runs if run["epochs"] == epochs]
        lines.append(
            f"| {epochs} | {mean_and_spread([run['minutes'][-1] for run in found], 1)} | "
            f"{mean_and_spread([run['processor_minutes'] for run in found], 1)} | "
            f"{mean_and_spread([run['accuracy'][-1] for run in found])} | "
            f"{', '.join(str(run['seed']) for run in found)} |"
        )
    machine = runs[0]["machine"]
    return [
        *lines,
        "",
        f"{runs[0]['parameters']:,} parameters, all 50,000 pictures, {machine['cores']} cores "
        f"({machine['cpu']}); minutes of training by the clock, on a machine that was also doing "
        "other things, up to twenty of them in the longer runs; processor minutes: of both cores "
        "together.",
    ]


def _scaling(record: dict[str, Any]) -> str:
    """How much faster two workers are than one."""
    ratios = [
        f"{record[name]['autograder_1']['wall'] / record[name]['autograder_2']['wall']:.1f} × "
        f"({words})"
        for name, words in CLASSES.items()
        if "autograder_1" in record.get(name, {})
    ]
    if not ratios:
        return ""
    return f" Two workers against one: {', '.join(ratios)}."


CLASSES = {
    "tiny": "plain arithmetic",
    "model": "a Keras model",
    "training": "a Keras model, trained",
    "lesson_02": "lesson 02",
}


TABLES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "accuracy": accuracy_table,
    "full": full_table,
    "cases": cases_table,
    "picture": picture_table,
    "moved": moved_table,
    "published": published_table,
    "cost": cost_table,
    "recipe": recipe_table,
}


def _names(record: dict[str, Any]) -> list[str]:
    names: list[str] = []
    for scale in SCALES:
        for run in runs_at(record, scale):
            names += [name for name in run["models"] if name not in names]
    return names


def _small_print(record: dict[str, Any]) -> list[str]:
    """Say from how many runs, when and on what machine."""
    runs = [run for scale in SCALES for run in runs_at(record, scale)]
    if not runs:
        return ["Not measured yet."]
    return [
        f"{_measured(runs)} Epochs and seconds: quick / full; the seconds depend on what else the "
        "machine is doing."
    ]


def _measured(runs: Sequence[dict[str, Any]]) -> str:
    machine = runs[0]["machine"]
    seeds = sorted({run["seed"] for run in runs})
    days = sorted({run["date"] for run in runs})
    return (
        f"Mean ± standard deviation over seeds {', '.join(map(str, seeds))}. "
        f"Recorded {' to '.join(sorted({days[0], days[-1]}))} on {machine['cores']} cores "
        f"({machine['cpu']}), Python {machine['python']}, TensorFlow {machine['tensorflow']}, "
        f"Keras {machine['keras']}."
    )


def updated(text: str) -> str:
    """Return a text with every table made anew.

    Raises
    ------
    KeyError
        If a comment asks for a table that does not exist.
    """

    def block(match: re.Match[str]) -> str:
        indent = match["indent"]
        record = read_results(match["lesson"])
        lines = TABLES[match["table"] or "accuracy"](record)
        first, last = match[0].split("\n", 1)[0], f"{indent}<!-- /results -->"
        # Markdown wants an empty line between a comment and a table.
        wrapped = [
            part
            for line in ("", *lines, "")
            for part in ([line] if line.startswith("|") else textwrap.wrap(line, WIDTH) or [""])
        ]
        body = [(indent + line).rstrip() for line in wrapped]
        return "\n".join([first, *body, last])

    return _BLOCK.sub(block, text)


def texts() -> list[Path]:
    """Files that may quote results."""
    candidates = [ROOT / "README.md", ROOT / "lessons" / "README.md"]
    return [path for path in candidates if path.exists()] + sorted(
        (ROOT / "solutions").glob("*/*.py")
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tables",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    options = parser.parse_args(arguments)
    stale = 0
    for path in texts():
        before = path.read_text(encoding="utf-8")
        after = updated(before)
        if after == before:
            continue
        stale += 1
        if options.check:
            print(f"{path.relative_to(ROOT)} is out of step; run python -m benchmarks.tables")
        else:
            path.write_text(after, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
