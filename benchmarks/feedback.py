"""What pages of feedback cost: ``nbgrader generate_feedback`` against ``autograder feedback``.

::

    python -m benchmarks.feedback                   # a class of 60 in lesson 02
    python -m benchmarks.feedback --students 12     # a quick look
    python -m benchmarks.feedback --keep            # and write benchmarks/results/feedback.json

A class is made from the sample answers, handed in and graded for real; its free texts are marked.
Then both commands make the pages of the same graded class, one after the other, each into an empty
folder, and each several times in turn. nbgrader's command runs with nbgrader's own page and steps.
A third row is nbgrader's command with this package's page, as ``autograder.configure`` sets it up.
Start-up of the commands counts.
"""

import argparse
import copy
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from autograder.sample_class import cells_by_name, read_class, read_variants

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "feedback.json"
LESSON = "02_convolution"
STUDENTS = 60
ROUNDS = 3
# Takes its whole time limit; the sample class has one student who answers so.
_SLOW = "wrong/endless"
_CONFIG = """\
import autograder

c = get_config()
autograder.configure(c)
c.CourseDirectory.course_id = "bench"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "lessons"
"""
# The page and the steps that nbgrader has by itself.
_PLAIN = """\
from nbconvert.exporters import HTMLExporter

c.GenerateFeedback.exporter_class = HTMLExporter
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.HTMLExporter.filters = {}
c.HTMLExporter.sanitize_html = False
c.HTMLExporter.preprocessors = []
"""
# Last name, first name: what rosters hold.
NAMES = (
    ("Lovelace", "Ada"),
    ("O'Brien, Jr.", "Pat"),
    ("王", "小明"),
    ("Nuñez", 'María "Mary"'),
    ("<script>alert('name')</script>", "Robert"),
    ("=SUM(A1:A9)", "Ann & Bob"),
    ("Ångström", "Åsa"),
    ("", "Mononym"),
)
_FREE_TEXT = (
    "The curve falls because each layer without padding loses its border. With `same` it stays.",
    "**Depth** adds $2$ a layer, stride *multiplies*.\n\n- so the field grows\n- and the map "
    "shrinks",
    "I do not know.",
)


def mixed_class(lesson: str = LESSON, count: int = STUDENTS) -> list[tuple[str, bytes]]:
    """Submissions of a class: the sample class of a lesson, then students who vary in ability.

    Each exercise of a varied student is a right answer of any style, a wrong one, or untouched.
    The draws depend on nothing but the student's number.

    Parameters
    ----------
    lesson : str
        Name of the lesson; it needs a class file and a variants file in ``tests/``.
    count : int
        How many students.

    Returns
    -------
    list of (str, bytes)
        Student's id and notebook file.
    """
    variants = ROOT / "tests" / "variants" / f"{lesson}.toml"
    paths = {
        "lesson": ROOT / "lessons" / lesson / f"{lesson}.ipynb",
        "solution": ROOT / "solutions" / lesson / f"{lesson}.ipynb",
    }
    sample = read_class(ROOT / "tests" / "classes" / f"{lesson}.toml", variants=variants, **paths)
    made = [(student.id, student.content) for student in sample][:count]
    answers = read_variants(variants)
    starts = {name: json.loads(path.read_bytes()) for name, path in paths.items()}
    for number in range(len(made), count):
        made.append((f"student{number:02}", _varied(number, starts, answers)))
    return made


def _varied(number: int, starts: dict[str, Any], answers: dict[tuple[str, str], str]) -> bytes:
    rng = random.Random(f"a varied student:{number}")
    ability = rng.random()
    notebook = copy.deepcopy(starts["lesson"])
    solution = cells_by_name(starts["solution"])
    for position, (name, cell) in enumerate(cells_by_name(notebook).items()):
        about = cell["metadata"]["nbgrader"]
        if not about["solution"]:
            continue
        if about["grade"]:
            text = [solution[name]["source"], *_FREE_TEXT, cell["source"]]
            cell["source"] = rng.choice(text)
            continue
        mine = [kind for exercise, kind in answers if exercise == name and kind != _SLOW]
        wrong = [kind for kind in mine if kind.startswith("wrong/")]
        right = [kind for kind in mine if kind.startswith("right/")]
        # Later exercises are harder, and mistakes are not equally common.
        if rng.random() < 0.25 + 0.9 * ability - 0.02 * position:
            kind = rng.choice(["solution", "solution", *right])
        elif rng.random() < 0.2 * (1 - ability) + 0.02 * position or not wrong:
            continue
        else:
            kind = wrong[min(int(rng.expovariate(0.5)), len(wrong) - 1)]
        cell["source"] = solution[name]["source"] if kind == "solution" else answers[name, kind]
    return json.dumps(notebook, ensure_ascii=False).encode()


def make_course(folder: Path, *, lesson: str = LESSON, count: int = STUDENTS) -> Path:
    """Write a course of one lesson into a folder, release it, and hand in for the class."""
    source = folder / "solutions" / lesson
    source.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / lesson / f"{lesson}.ipynb", source)
    (folder / "nbgrader_config.py").write_text(_CONFIG, encoding="utf-8")
    _run(["nbgrader", "generate_assignment", lesson, "--force"], folder)
    for student, content in mixed_class(lesson, count):
        place = folder / "submitted" / student / lesson
        place.mkdir(parents=True)
        (place / f"{lesson}.ipynb").write_bytes(content)
    return folder


def mark_free_texts(course: Path, lesson: str = LESSON) -> None:
    """Do what an instructor does in the formgrader: names, marks of the free texts, comments.

    Every seventh submission still waits.
    """
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "bench") as gradebook:
        for number, student in enumerate(sorted(gradebook.students, key=lambda who: who.id)):
            last, first = NAMES[number] if number < len(NAMES) else ("", "")
            student.last_name, student.first_name = last or None, first or None
        submissions = gradebook.assignment_submissions(lesson)
        for number, submission in enumerate(sorted(submissions, key=lambda one: one.student.id)):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.auto_score is None and number % 7:
                        grade.manual_score = grade.max_score * (number % 5) / 4
                        grade.needs_manual_grade = False
                for comment in notebook.comments:
                    if comment.cell.name == "reading" and number % 3 == 0:
                        comment.manual_comment = (
                            "Right about *depth*. What does padding do to the number of places?"
                        )
        gradebook.db.commit()


def _run(words: list[str], folder: Path) -> float:
    """Run a command of this environment; return its seconds."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="2", PYTHONWARNINGS="ignore")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    program = Path(sys.executable).parent / words[0]
    started = time.perf_counter()
    done = subprocess.run(
        [str(program), *words[1:]], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    # 1: a submission could not be graded, or has no page; its row says so.
    if done.returncode not in (0, 1) or (words[0] == "nbgrader" and done.returncode):
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr[-3000:]}")
    return seconds


COMMANDS = {
    "nbgrader": (["nbgrader", "generate_feedback"], _PLAIN),
    "autograder": (["autograder", "feedback"], ""),
    "nbgrader_with_our_page": (["nbgrader", "generate_feedback"], ""),
}


def measure(course: Path, lesson: str, rounds: int) -> dict[str, Any]:
    """Time each command several times, in turn, always into an empty folder."""
    record: dict[str, Any] = {
        "assignment": lesson,
        "cores": len(os.sched_getaffinity(0)),
        "students": len(list((course / "autograded").glob(f"*/{lesson}"))),
        "seconds": {name: [] for name in COMMANDS},
        "megabytes": {},
    }
    config = course / "nbgrader_config.py"
    for number in range(rounds):
        for name, (words, extra) in COMMANDS.items():
            shutil.rmtree(course / "feedback", ignore_errors=True)
            config.write_text(_CONFIG + extra, encoding="utf-8")
            seconds = _run([*words, lesson], course)
            pages = list((course / "feedback").glob(f"*/{lesson}/*.html"))
            if len(pages) != record["students"]:
                sys.exit(f"{name}: {len(pages)} pages for {record['students']} submissions")
            record["seconds"][name].append(round(seconds, 2))
            record["megabytes"][name] = round(
                sum(page.stat().st_size for page in pages) / 1e6 / len(pages), 3
            )
            print(f"round {number + 1}  {name:24} {seconds:7.2f} s", flush=True)
    config.write_text(_CONFIG, encoding="utf-8")
    record["again"] = round(_again(course, lesson), 2)
    medians = {name: statistics.median(times) for name, times in record["seconds"].items()}
    record["times_as_fast"] = round(medians["nbgrader"] / medians["autograder"], 1)
    return record


def _again(course: Path, lesson: str) -> float:
    """Seconds when every page is fresh."""
    _run(["autograder", "feedback", lesson], course)
    return _run(["autograder", "feedback", lesson], course)


def main() -> None:
    """Measure, print, and keep the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=STUDENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--course", type=Path, help="a course made and graded before")
    parser.add_argument("--keep", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        course = options.course
        if course is None:
            course = make_course(Path(place) / "course", count=options.students)
            seconds = _run(["autograder", "grade", LESSON], course)
            print(f"graded {options.students} submissions in {seconds:.0f} s", flush=True)
            mark_free_texts(course)
        record = measure(course, LESSON, options.rounds)
    for name, times in record["seconds"].items():
        print(
            f"{name:24} {statistics.median(times):7.2f} s (median of {len(times)}), "
            f"{record['megabytes'][name]:.3f} MB a page"
        )
    print(
        f"{record['students']} pages: autograder feedback is {record['times_as_fast']:.1f} times "
        f"as fast; {record['again']:.2f} s when every page is fresh"
    )
    if options.keep:
        RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
