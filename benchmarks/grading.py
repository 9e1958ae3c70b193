"""What grading a class costs: ``nbgrader autograde`` against ``autograder grade``.

::

    python -m benchmarks.grading                      # all notebooks, classes of 48
    python -m benchmarks.grading --students 6 tiny    # a quick look
    python -m benchmarks.grading coordination         # 10,000 empty gradings through Dask

Both grade the same notebooks, one after the other, on the same machine; nbgrader with its own
configuration, in one kernel a submission and with no walls. The scores are compared one by one.

*Own time* is what the cells of a submission take by themselves: their sum in a kernel that has the
libraries at hand, alone on the machine; or beside a second one, for what grades two at a time.
*Overhead* is what is paid on top, in seconds of processor cores: wall time × cores in use − own
time. nbgrader uses one core. Start-up of the commands counts.
"""

import argparse
import concurrent.futures
import contextlib
import copy
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "grading.json"
PICTURE = ROOT / "docs" / "pictures" / "grading_cost.png"
STUDENTS = 48
EMPTY = 10_000
SCALED = ("tiny", "training")  # classes that one worker grades, too
_PLAIN = """\
c = get_config()
c.CourseDirectory.course_id = "bench"
c.Execute.timeout = 120
c.ExecutePreprocessor.timeout = 120
"""
_OURS = """\
import autograder

c = get_config()
autograder.configure(c)
c.CourseDirectory.course_id = "bench"
c.Sandbox.cell_seconds = 120
"""


def tiny_notebook() -> NotebookNode:
    """Plain arithmetic: own time far below a second, so that only the cost of grading is seen."""
    notebook = new_notebook()
    notebook.cells = [
        new_markdown_cell("# Sums"),
        _cell("import numpy as np", "setup", locked=True),
        _cell(
            "def total(values):\n    ### BEGIN SOLUTION\n    return sum(values)\n"
            "    ### END SOLUTION",
            "total",
            solution=True,
        ),
        _cell(
            "assert total([1, 2]) == 3\n### BEGIN HIDDEN TESTS\n"
            "assert total(range(100)) == np.arange(100).sum()\n### END HIDDEN TESTS",
            "test_total",
            points=2,
        ),
        _cell(
            "def largest(values):\n    ### BEGIN SOLUTION\n    return max(values)\n"
            "    ### END SOLUTION",
            "largest",
            solution=True,
        ),
        _cell("assert largest([3, 7, 5]) == 7", "test_largest", points=1),
    ]
    return notebook


def training_notebook() -> NotebookNode:
    """Builds a Keras model and trains it for about a second; the tests call the trained model."""
    notebook = new_notebook()
    notebook.cells = [
        new_markdown_cell("# A small network"),
        _cell(
            "import keras\nimport numpy as np\n\nkeras.utils.set_random_seed(1)\n"
            "rng = np.random.default_rng(1)\n"
            "pictures = rng.normal(size=(4000, 16, 16, 1)).astype('float32')\n"
            "bright = (pictures.mean(axis=(1, 2, 3)) > 0).astype('int32')",
            "setup",
            locked=True,
        ),
        _cell(
            "def build():\n    ### BEGIN SOLUTION\n    return keras.Sequential([\n"
            "        keras.Input((16, 16, 1)),\n"
            "        keras.layers.Conv2D(8, 3, activation='relu'),\n"
            "        keras.layers.Flatten(),\n        keras.layers.Dense(2),\n    ])\n"
            "    ### END SOLUTION",
            "build",
            solution=True,
        ),
        _cell(
            "model = build()\nassert model.count_params() == 80 + 8 * 14 * 14 * 2 + 2\n"
            "assert model(pictures[:3]).shape == (3, 2)",
            "test_build",
            points=2,
        ),
        _cell(
            "### BEGIN SOLUTION\ntrained = build()\n"
            "loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
            "trained.compile('adam', loss)\n"
            "history = trained.fit(pictures, bright, batch_size=64, epochs=3, verbose=0)\n"
            "### END SOLUTION",
            "train",
            solution=True,
        ),
        _cell(
            "losses = history.history['loss']\nassert losses[-1] < losses[0]\n"
            "### BEGIN HIDDEN TESTS\nguess = np.argmax(trained(pictures[:500]), axis=1)\n"
            "assert (guess == bright[:500]).mean() > 0.6\n### END HIDDEN TESTS",
            "test_train",
            points=3,
        ),
    ]
    return notebook


def model_notebook() -> NotebookNode:
    """Builds a Keras model and trains nothing: own time far below a second."""
    notebook = training_notebook()
    notebook.cells = notebook.cells[:4]
    return notebook


def _cell(
    source: str,
    name: str,
    *,
    locked: bool = False,
    solution: bool = False,
    points: float | None = None,
) -> NotebookNode:
    cell = new_code_cell(source, id=name)
    about: dict[str, Any] = {
        "grade": points is not None,
        "grade_id": name,
        "locked": locked or points is not None,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        about["points"] = points
    cell.metadata["nbgrader"] = about
    return cell


def lesson_notebook() -> NotebookNode:
    """Lesson 02 with its solutions: 14 s of reading, drawing and arithmetic at full size."""
    path = ROOT / "solutions" / "02_convolution" / "02_convolution.ipynb"
    return nbformat.read(path, as_version=4)


NOTEBOOKS = {
    "tiny": tiny_notebook,
    "model": model_notebook,
    "training": training_notebook,
    "lesson_02": lesson_notebook,
}


def submissions(solution: NotebookNode, count: int) -> Iterator[tuple[str, NotebookNode]]:
    """Students of a class: most have everything, every sixth leaves one answer out."""
    answers = [
        index
        for index, cell in enumerate(solution.cells)
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    ]
    for number in range(count):
        notebook = copy.deepcopy(solution)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        if number % 6 == 5:
            place = answers[number // 6 % len(answers)]
            notebook.cells[place].source = "raise NotImplementedError"
        yield f"student{number:03}", notebook


def make_course(folder: Path, name: str, students: int, config: str) -> Path:
    """Write a course, release its assignment and hand in for the whole class."""
    solution = NOTEBOOKS[name]()
    source = folder / "source" / name
    source.mkdir(parents=True)
    nbformat.write(solution, source / f"{name}.ipynb")
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    _run([_program("nbgrader"), "generate_assignment", name, "--force"], folder)
    for student, notebook in submissions(solution, students):
        place = folder / "submitted" / student / name
        place.mkdir(parents=True)
        nbformat.write(notebook, place / f"{name}.ipynb")
    return folder


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _environment() -> dict[str, str]:
    environment = dict(os.environ, COURSE_SCALE="grading", TF_CPP_MIN_LOG_LEVEL="2")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    # Compiled modules are read and kept: neither side pays for compiling them again.
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
        environment.pop(name, None)
    return environment


def _run(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command; return wall time, processor time and peak memory of it and all below it."""
    peak = _Peak()
    before = os.times()
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(), stdout=said, stderr=subprocess.STDOUT
        )
        with peak.watching(process.pid):
            code = process.wait()
        wall = time.perf_counter() - started
        if code:
            said.seek(0)
            sys.exit(f"{' '.join(command)}: exit code {code}\n{said.read().decode()[-3000:]}")
    after = os.times()
    spent = sum(after[2:4]) - sum(before[2:4])
    return {"wall": wall, "processor": spent, "peak_mb": peak.bytes / 1e6}


class _Peak:
    """The most memory that a process and everything below it had at a time."""

    def __init__(self) -> None:
        self.bytes = 0

    @contextlib.contextmanager
    def watching(self, pid: int) -> Iterator[None]:
        import psutil

        done = threading.Event()

        def look() -> None:
            while not done.wait(2.0):
                total = 0
                with contextlib.suppress(psutil.Error):
                    root = psutil.Process(pid)
                    for process in (root, *root.children(recursive=True)):
                        with contextlib.suppress(psutil.Error):
                            # Shared pages count once: rooms share most of theirs.
                            total += process.memory_full_info().pss
                self.bytes = max(self.bytes, total)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def own_seconds(name: str, repeats: int = 3) -> list[float]:
    """Sums of the cells' own time, alone, in a kernel that has the libraries at hand."""
    return _own_times(name, repeats)


def own_seconds_side_by_side(name: str, repeats: int = 4) -> list[float]:
    """The same when two such kernels run at a time, as they do while a class is graded.

    Cores share memory, and often two of them are one: what runs beside slows a cell down, whoever
    grades. That is no cost of grading.
    """
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        both = [pool.submit(_own_times, name, repeats) for _ in range(2)]
        # The last repeat of the slower one may have had the machine to itself.
        return [seconds for job in both for seconds in job.result()[:-1]]


def _own_times(name: str, repeats: int) -> list[float]:
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    solution = NOTEBOOKS[name]()
    sums = []
    for repeat in range(repeats + 1):
        notebook = copy.deepcopy(solution)
        client = NotebookClient(notebook, timeout=300, kernel_manager_class=AsyncKernelManager)
        total = 0.0
        with client.setup_kernel(env=_environment()):
            warm = new_code_cell("import keras, matplotlib.pyplot, numpy; keras.ops.ones(1)")
            notebook.cells.append(warm)
            client.execute_cell(warm, len(notebook.cells) - 1)
            notebook.cells.pop()
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    started = time.perf_counter()
                    client.execute_cell(cell, index)
                    total += time.perf_counter() - started
        if repeat:  # the first one finds cold caches
            sums.append(total)
    return sums


def scores(course: Path, name: str) -> dict[str, dict[str, float]]:
    """Student → cell → points, from a gradebook."""
    from nbgrader.api import Gradebook

    found: dict[str, dict[str, float]] = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "bench") as gradebook:
        for submission in gradebook.assignment_submissions(name):
            found[submission.student.id] = {
                grade.name: float(grade.auto_score or 0.0)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
    return found


def measure(name: str, students: int, *, workers: tuple[int, ...]) -> dict[str, Any]:
    """Grade one class by both commands, and by ours with 1 and 2 workers."""
    cores = len(os.sched_getaffinity(0))
    record: dict[str, Any] = {"students": students, "cores": cores}
    # A machine is faster at one time than at another: own time is taken before and after what it
    # is compared with.
    alone, beside = own_seconds(name), []
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        plain = make_course(Path(place) / "plain", name, students, _PLAIN)
        ours = make_course(Path(place) / "ours", name, students, _OURS)
        record["nbgrader"] = _run([_program("nbgrader"), "autograde", name], plain)
        _say(name, "nbgrader autograde", record["nbgrader"], students)
        alone += own_seconds(name)
        for count in workers:
            key = f"autograder_{count}"
            shutil.rmtree(ours / "autograded", ignore_errors=True)
            command = [_program("autograder"), "grade", name, "--workers", str(count), "--force"]
            if count == workers[-1]:
                beside += own_seconds_side_by_side(name)
            record[key] = _run(command, ours)
            _say(name, f"autograder grade --workers {count}", record[key], students)
        beside += own_seconds_side_by_side(name)
        theirs, mine = scores(plain, name), scores(ours, name)
    record["own_seconds"] = statistics.median(alone)
    record["own_seconds_beside"] = statistics.median(beside)
    differences = [
        (student, cell, points, mine.get(student, {}).get(cell))
        for student, cells in theirs.items()
        for cell, points in cells.items()
        if mine.get(student, {}).get(cell) != points
    ]
    record["scores"] = sum(len(cells) for cells in mine.values())
    record["differences"] = differences
    record |= derive(record, workers[-1])
    return record


def derive(record: dict[str, Any], workers: int) -> dict[str, float]:
    """Overheads and ratios of a record.

    Returns
    -------
    dict
        ``overhead_nbgrader`` and ``overhead`` (s of core a submission), their ``share``, each by
        the cells' own time under its circumstances (``…_alone``: by that of a lone kernel),
        ``speed`` (submissions a minute against nbgrader's), ``best_speed`` (if nothing but the
        cells' own time were spent, on all cores) and ``lower_bound`` (s for the class).
    """
    students, own = record["students"], record["own_seconds"]
    beside = record["own_seconds_beside"] if workers > 1 else own
    plain = record["nbgrader"]["wall"] / students
    mine = record[f"autograder_{workers}"]["wall"] / students
    used = min(workers, record["cores"])
    return {
        "overhead_nbgrader": plain - own,
        "overhead": mine * used - beside,
        "overhead_alone": mine * used - own,
        "share": (mine * used - beside) / (plain - own),
        "share_alone": (mine * used - own) / (plain - own),
        "speed": plain / mine,
        "best_speed": used * plain / beside,
        "lower_bound": beside * students / used,
    }


def _say(name: str, command: str, run: dict[str, float], students: int) -> None:
    print(
        f"{name:12} {command:32} {run['wall']:7.1f} s {60 * students / run['wall']:7.1f}/min "
        f"processor {run['processor']:7.1f} s  memory {run['peak_mb']:6.0f} MB",
        flush=True,
    )


def nothing(payload: bytes) -> bytes:
    """An empty grading."""
    return payload


def coordination(count: int = EMPTY) -> dict[str, float]:
    """Send empty gradings through the cluster; what remains is the cost of coordinating."""
    from autograder.workers.cluster import Cluster, Place

    with Cluster(Place(workers=len(os.sched_getaffinity(0)))) as cluster:
        list(cluster.examine([(0, b"x")], function="benchmarks.grading.nothing"))
        started = time.perf_counter()
        payload = b"x" * 20_000
        tasks = ((number, payload) for number in range(count))
        done = sum(1 for _ in cluster.examine(tasks, function="benchmarks.grading.nothing"))
        seconds = time.perf_counter() - started
    assert done == count, f"{done} of {count} came back"
    return {"gradings": count, "seconds": seconds, "milliseconds_each": 1000 * seconds / count}


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw where the time of one submission goes, by either command."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from benchmarks.tables import CLASSES

    names = [name for name in CLASSES if name in record]
    figure, axes = plt.subplots(figsize=(7.2, 0.55 + 0.75 * len(names)), layout="constrained")
    for place, name in enumerate(names):
        run = record[name]
        used = min(2, run["cores"])
        for shift, key, cores in ((-0.19, "nbgrader", 1), (0.19, "autograder_2", used)):
            wall = run[key]["wall"] / run["students"]
            own = min(run["own_seconds" if cores == 1 else "own_seconds_beside"] / cores, wall)
            axes.barh(place + shift, own, 0.34, color="#4477aa")
            axes.barh(place + shift, wall - own, 0.34, left=own, color="#ccbb44")
            label = "nbgrader autograde" if key == "nbgrader" else "autograder grade"
            axes.text(wall, place + shift, f"  {label}  {wall:.2f} s", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), [CLASSES[name] for name in names])
    axes.invert_yaxis()
    axes.set_xlabel("seconds a submission, two cores")
    axes.margins(x=0.32)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    for colour, words in (("#4477aa", "the cells themselves"), ("#ccbb44", "everything else")):
        axes.bar(0, 0, color=colour, label=words)
    axes.legend(loc="upper right", frameon=False, fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Measure, print, and keep the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help=f"of {', '.join(NOTEBOOKS)}, coordination (all)")
    parser.add_argument("--students", type=int, default=STUDENTS)
    parser.add_argument("--empty", type=int, default=EMPTY, help="gradings without content")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results")
    options = parser.parse_args()
    known = (*NOTEBOOKS, "coordination")
    unknown = [name for name in options.what if name not in known]
    if unknown:
        parser.error(f"nothing is called {unknown[0]!r}; there are {', '.join(known)}")
    record = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in options.what or known:
        if name == "coordination":
            record[name] = coordination(options.empty)
            print(f"coordination {record[name]['milliseconds_each']:.2f} ms a grading")
        else:
            workers = (1, 2) if name in SCALED else (2,)
            record[name] = measure(name, options.students, workers=workers)
            figures = record[name]
            print(
                f"{name:12} own time {figures['own_seconds']:.2f} s, "
                f"{figures['own_seconds_beside']:.2f} s side by side; overhead a submission "
                f"{figures['overhead']:.2f} against {figures['overhead_nbgrader']:.2f} core s "
                f"({figures['share']:.3f}; by own time alone {figures['share_alone']:.3f}); "
                f"{figures['speed']:.1f} times as fast (at best "
                f"{figures['best_speed']:.1f}); {figures['scores']} scores, "
                f"{len(figures['differences'])} differ",
                flush=True,
            )
        if options.keep:
            RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            draw(record, PICTURE)


if __name__ == "__main__":
    main()
