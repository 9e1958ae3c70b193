"""A small course in nbgrader's own layout, its honest answers, and what a student hands in."""

import copy
import datetime
import json
import os
import secrets
import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

COURSE_ID = "walls"
WALLS, BRICKS = "walls", "bricks"  # without TensorFlow, with Keras

# Points of the test cells. An attacker answers `warmup` honestly and everything else wrongly.
POINTS = {
    WALLS: {
        "test_warmup": 1.0,
        "test_double": 3.0,
        "test_ranked": 2.0,
        "test_total": 2.0,
        "test_halved": 2.0,
        "test_settings": 1.0,
        "test_applied": 2.0,
    },
    BRICKS: {"test_warmup": 1.0, "test_build_model": 3.0, "test_forward": 2.0},
}
EARNED = {
    WALLS: {name: 1.0 if name == "test_warmup" else 0.0 for name in POINTS[WALLS]},
    BRICKS: {name: 1.0 if name == "test_warmup" else 0.0 for name in POINTS[BRICKS]},
}

# Words that stand in the instructor's files only. No student may ever read one.
SOLUTION_WORD = "kestrel_solution"
HIDDEN_WORD = "merlin_hidden"
# What the hidden test of `ranked` passes in: the same for everybody, so worth stealing.
HIDDEN_NUMBER = 48_611

LONG = datetime.timedelta(days=1)  # from the release until everything is due

PLAIN = """\
c = get_config()
c.CourseDirectory.course_id = "walls"
c.LateSubmissionPlugin.penalty_method = "zero"
c.Exchange.root = {exchange!r}
c.Execute.timeout = 5
c.Execute.iopub_timeout = 5
"""

OURS = """\
import autograder

c = get_config()
autograder.configure(c)
c.CourseDirectory.course_id = "walls"
c.LateSubmissionPlugin.penalty_method = "zero"
c.Exchange.root = {exchange!r}
c.Sandbox.cell_seconds = 5
"""

CONFIGURATIONS = {"plain": PLAIN, "ours": OURS}


def _code(name: str, source: str, **about: Any) -> nbformat.NotebookNode:
    return _tell(new_code_cell(textwrap.dedent(source).strip(), id=name), name, about)


def _text(name: str, source: str, **about: Any) -> nbformat.NotebookNode:
    return _tell(new_markdown_cell(textwrap.dedent(source).strip(), id=name), name, about)


def _tell(cell: nbformat.NotebookNode, name: str, about: dict[str, Any]) -> nbformat.NotebookNode:
    defaults = {"grade": False, "locked": False, "solution": False, "task": False}
    cell.metadata["nbgrader"] = {**defaults, "grade_id": name, "schema_version": 3, **about}
    return cell


def _locked(name: str, source: str) -> nbformat.NotebookNode:
    return _code(name, source, locked=True)


def _answer(name: str, source: str) -> nbformat.NotebookNode:
    return _code(name, source, solution=True)


def _test(assignment: str, name: str, source: str) -> nbformat.NotebookNode:
    points = POINTS[assignment][name]
    return _code(name, source, grade=True, locked=True, points=points)


def walls_notebook() -> nbformat.NotebookNode:
    """Tests of every kind: asserts, hidden asserts, partial credit, and `autograder.checks`."""
    return new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
        cells=[
            new_markdown_cell("# Walls", id="title"),
            _locked(
                "setup",
                """
                import numpy as np

                from autograder import checks

                TOLERANCE = 1e-9
                with open("numbers.csv") as file:
                    NUMBERS = [float(line) for line in file]


                def close(a, b):
                    return abs(a - b) < TOLERANCE
                """,
            ),
            _answer(
                "warmup",
                """
                def first(values):
                    ### BEGIN SOLUTION
                    kestrel_solution_of_first = values[0]
                    return kestrel_solution_of_first
                    ### END SOLUTION
                """,
            ),
            _test(
                WALLS,
                "test_warmup",
                """
                assert first([4, 5]) == 4
                ### BEGIN HIDDEN TESTS
                merlin_hidden_first = [9, 1]
                assert first(merlin_hidden_first) == 9
                ### END HIDDEN TESTS
                """,
            ),
            _answer(
                "double",
                """
                def double(number):
                    ### BEGIN SOLUTION
                    kestrel_solution_of_double = 2 * number
                    return kestrel_solution_of_double
                    ### END SOLUTION
                """,
            ),
            _test(
                WALLS,
                "test_double",
                """
                exercise = checks.Exercise("double", points=3)
                exercise.number("double of 5", lambda: double(5), 10)
                ### BEGIN HIDDEN TESTS
                merlin_hidden_number = int(exercise.rng.integers(10_000, 100_000))
                exercise.hidden.number(
                    "a drawn number",
                    lambda: double(merlin_hidden_number),
                    2 * merlin_hidden_number,
                    weight=2,
                )
                ### END HIDDEN TESTS
                exercise.score()
                """,
            ),
            _answer(
                "ranked",
                """
                def ranked(values):
                    ### BEGIN SOLUTION
                    kestrel_solution_of_ranked = sorted(values, reverse=True)
                    return kestrel_solution_of_ranked
                    ### END SOLUTION
                """,
            ),
            _test(
                WALLS,
                "test_ranked",
                """
                values = [3, 9, 5]
                assert ranked(values) == sorted(values, reverse=True), "largest first"
                ### BEGIN HIDDEN TESTS
                merlin_hidden_values = [7, 48_611, -2, 0]
                assert ranked(merlin_hidden_values) == sorted(merlin_hidden_values, reverse=True)
                ### END HIDDEN TESTS
                """,
            ),
            _answer(
                "total",
                """
                def total(values):
                    ### BEGIN SOLUTION
                    kestrel_solution_of_total = sum(values)
                    return kestrel_solution_of_total
                    ### END SOLUTION
                """,
            ),
            _test(
                WALLS,
                "test_total",
                """
                points = 0
                if close(total([1.5, 2.5]), 4.0):
                    points += 1
                ### BEGIN HIDDEN TESTS
                merlin_hidden_cases = [NUMBERS, NUMBERS[:3]]
                right = sum(total(case) == sum(case) for case in merlin_hidden_cases)
                points += right / 2
                ### END HIDDEN TESTS
                points
                """,
            ),
            _answer(
                "halved",
                """
                def halved(array):
                    ### BEGIN SOLUTION
                    kestrel_solution_of_halved = array / 2
                    return kestrel_solution_of_halved
                    ### END SOLUTION
                """,
            ),
            _test(
                WALLS,
                "test_halved",
                """
                assert np.allclose(halved(np.array([2.0, 4.0])), [1.0, 2.0])
                ### BEGIN HIDDEN TESTS
                merlin_hidden_array = np.arange(12.0).reshape(3, 4)
                merlin_hidden_result = halved(merlin_hidden_array)
                assert np.array_equal(merlin_hidden_result, merlin_hidden_array / 2)
                ### END HIDDEN TESTS
                """,
            ),
            _answer(
                "settings",
                """
                ### BEGIN SOLUTION
                settings = {"rate": 0.125, "layers": [8, 4]}  # kestrel_solution_of_settings
                ### END SOLUTION
                """,
            ),
            _test(
                WALLS,
                "test_settings",
                """
                assert settings["rate"] < 1, "a rate is below one"
                ### BEGIN HIDDEN TESTS
                assert settings == {"rate": 0.125, "layers": [8, 4]}, "merlin_hidden"
                ### END HIDDEN TESTS
                """,
            ),
            _answer(
                "applied",
                """
                def applied(function, values):
                    ### BEGIN SOLUTION
                    kestrel_solution_of_applied = [function(value) for value in values]
                    return kestrel_solution_of_applied
                    ### END SOLUTION
                """,
            ),
            _test(
                WALLS,
                "test_applied",
                """
                exercise = checks.Exercise("applied", points=2)
                exercise.equal("squares", lambda: applied(lambda x: x * x, [1, 2, 3]), [1, 4, 9])
                ### BEGIN HIDDEN TESTS
                merlin_hidden_shift = int(exercise.rng.integers(10_000, 100_000))
                exercise.hidden.equal(
                    "a drawn shift",
                    lambda: applied(lambda x: x + merlin_hidden_shift, [1, 2]),
                    [1 + merlin_hidden_shift, 2 + merlin_hidden_shift],
                )
                ### END HIDDEN TESTS
                exercise.score()
                """,
            ),
            _text(
                "reading",
                """
                ### BEGIN SOLUTION
                kestrel_solution_of_reading
                ### END SOLUTION
                """,
                grade=True,
                solution=True,
                points=2.0,
            ),
        ],
    )


def bricks_notebook() -> nbformat.NotebookNode:
    """Two exercises on a Keras model, by `autograder.checks` and by asserts."""
    first = walls_notebook().cells[2:4]
    first[1].metadata.nbgrader.points = POINTS[BRICKS]["test_warmup"]
    return new_notebook(
        metadata=walls_notebook().metadata,
        cells=[
            _locked(
                "setup",
                """
                import keras
                import numpy as np

                from autograder import checks
                """,
            ),
            *first,
            _answer(
                "build_model",
                """
                def build_model():
                    ### BEGIN SOLUTION
                    kestrel_solution_of_model = [keras.Input((4,)), keras.layers.Dense(3)]
                    return keras.Sequential(kestrel_solution_of_model)
                    ### END SOLUTION
                """,
            ),
            _test(
                BRICKS,
                "test_build_model",
                """
                exercise = checks.Exercise("build_model", points=3)
                exercise.parameters("parameters", build_model, 15, input_shape=(4,))
                ### BEGIN HIDDEN TESTS
                merlin_hidden_layers = [checks.Layer("Dense", (3,), 15)]
                exercise.hidden.layers(
                    "layers", build_model, merlin_hidden_layers, input_shape=(4,), weight=2
                )
                ### END HIDDEN TESTS
                exercise.score()
                """,
            ),
            _answer(
                "forward",
                """
                def forward(model, batch):
                    ### BEGIN SOLUTION
                    kestrel_solution_of_forward = model(batch)
                    return np.asarray(kestrel_solution_of_forward)
                    ### END SOLUTION
                """,
            ),
            _test(
                BRICKS,
                "test_forward",
                """
                model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
                model.set_weights([np.array([[2.0], [3.0]]), np.array([5.0])])
                assert np.allclose(forward(model, np.ones((1, 2), "float32")), [[10.0]])
                ### BEGIN HIDDEN TESTS
                merlin_hidden_batch = np.array([[1.0, 2.0], [0.0, 4.0]], "float32")
                assert np.allclose(forward(model, merlin_hidden_batch), [[13.0], [17.0]])
                ### END HIDDEN TESTS
                """,
            ),
        ],
    )


# What an attacker writes where it does not attack: attempted, and wrong.
WRONG = {
    WALLS: {
        "warmup": "def first(values):\n    return values[0]",
        "double": "def double(number):\n    return number",
        "ranked": "def ranked(values):\n    return list(values)",
        "total": "def total(values):\n    return -1.0",
        "halved": "def halved(array):\n    return array",
        "settings": 'settings = {"rate": 7}',
        "applied": "def applied(function, values):\n    return values",
        "reading": "I do not know.",
    },
    BRICKS: {
        "warmup": "def first(values):\n    return values[0]",
        "build_model": "def build_model():\n    return keras.Sequential([keras.layers.Dense(9)])",
        "forward": "def forward(model, batch):\n    return batch",
    },
}


class Course:
    """A course in a folder of its own.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder; holds ``nbgrader_config.py``, ``source``, ``submitted`` and so on.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.exchange = root.parent / "exchange"
        self.database = f"sqlite:///{root / 'gradebook.db'}"

    @classmethod
    def build(cls, root: Path, flavour: str) -> "Course":
        """Write a course, release both assignments, and set when they are due.

        Parameters
        ----------
        root : pathlib.Path
            Folder to make.
        flavour : str
            ``"plain"`` or ``"ours"``, see `CONFIGURATIONS`.
        """
        course = cls(root)
        course.configure(flavour)
        for assignment, notebook in ((WALLS, walls_notebook()), (BRICKS, bricks_notebook())):
            folder = root / "source" / assignment
            folder.mkdir(parents=True)
            nbformat.write(notebook, folder / f"{assignment}.ipynb")
        (root / "source" / WALLS / "numbers.csv").write_text("3.5\n-1.25\n10.0\n0.75\n")
        course.release()
        return course

    def configure(self, flavour: str) -> None:
        """Write the configuration."""
        self.root.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATIONS[flavour].format(exchange=str(self.exchange))
        (self.root / "nbgrader_config.py").write_text(text)

    def release(self) -> None:
        """Let nbgrader make the lessons, and enter them into the gradebook."""
        from nbgrader.apps.api import NbGraderAPI
        from nbgrader.coursedir import CourseDirectory

        from autograder.configuration import load_course

        config = load_course(self.root)
        here = os.getcwd()
        try:
            api = NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)
            for assignment in (WALLS, BRICKS):
                done = api.generate_assignment(assignment)
                assert done["success"], done
        finally:
            os.chdir(here)
        for assignment in (WALLS, BRICKS):
            self.set_due(assignment, LONG)

    def set_due(self, assignment: str, left: datetime.timedelta) -> None:
        """Set when an assignment is due, from now."""
        from nbgrader.api import Gradebook

        due = datetime.datetime.now(datetime.UTC) + left
        with Gradebook(self.database, COURSE_ID) as gradebook:
            gradebook.update_or_create_assignment(
                assignment, duedate=due.replace(tzinfo=None).isoformat()
            )

    def copy(self, root: Path, flavour: str | None = None) -> "Course":
        """Copy the whole course to another folder."""
        shutil.copytree(self.root, root, symlinks=True)
        other = Course(root)
        if flavour:
            other.configure(flavour)
        return other

    def solution(self, assignment: str) -> dict[str, Any]:
        """The instructor's notebook."""
        return json.loads((self.root / "source" / assignment / f"{assignment}.ipynb").read_text())

    def lesson(self, assignment: str) -> dict[str, Any]:
        """The notebook that students get."""
        return json.loads((self.root / "release" / assignment / f"{assignment}.ipynb").read_text())

    def honest(self, assignment: str) -> dict[str, Any]:
        """A submission that earns every point, with none of the instructor's own words."""
        notebook = self.lesson(assignment)
        answers = {cell["id"]: cell["source"] for cell in self.solution(assignment)["cells"]}
        for cell in notebook["cells"]:
            about = cell["metadata"].get("nbgrader", {})
            if about.get("solution"):
                lines = "".join(answers[cell["id"]]).replace(SOLUTION_WORD, "mine")
                kept = (line for line in lines.splitlines() if "### " not in line)
                cell["source"] = "\n".join(kept)
        return notebook

    def submission(self, assignment: str, student: str) -> Path:
        """Folder of a submission."""
        return self.root / "submitted" / student / assignment

    def record(self, assignment: str, student: str, claimed: str | None = None) -> None:
        """Put a submission into the exchange, as `nbgrader submit` does.

        Parameters
        ----------
        assignment, student : str
            Whose submission.
        claimed : str, optional
            What time the entry's name tells: that program runs as the student.
        """
        now = datetime.datetime.now(datetime.UTC)
        stamp = claimed or now.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        folder = self.submission(assignment, student)
        if not os.path.lexists(folder / "timestamp.txt"):
            (folder / "timestamp.txt").write_text(stamp)
        inbound = self.exchange / COURSE_ID / "inbound"
        place = inbound / f"{student}+{assignment}+{stamp}+{secrets.token_hex(16)}"
        inbound.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, place, symlinks=True, copy_function=_copy_plain)

    def hand_in(self, assignment: str, student: str, notebook: dict[str, Any]) -> Path:
        """Hand in an honest notebook."""
        folder = self.submission(assignment, student)
        folder.mkdir(parents=True)
        (folder / f"{assignment}.ipynb").write_text(json.dumps(notebook))
        self._add_data(assignment, folder)
        self.record(assignment, student)
        return folder

    def _add_data(self, assignment: str, folder: Path) -> None:
        for path in (self.root / "release" / assignment).iterdir():
            if path.is_file() and path.suffix != ".ipynb":
                shutil.copyfile(path, folder / path.name)


def _copy_plain(source: str, target: str) -> str:
    # A copy of a pipe would wait for ever.
    return shutil.copy2(source, target) if os.path.isfile(source) else target


# Code that attackers share. They are dangerous to this grading run only: before they touch a
# process they make sure that it belongs to the run, or that they are in a sandbox of their own.
SHARED_CODE = {
    "GUARD": """\
def _ours(pid):
    import os
    if os.readlink("/proc/self/ns/pid") != "$PIDNS":
        return True
    while pid > 1:
        try:
            if b"ATTACK_RUN=$RUN" in open(f"/proc/{pid}/environ", "rb").read():
                return True
            pid = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            return False
    return False

def _others():
    import os
    mine = os.getpid()
    return [int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) != mine and _ours(int(n))]
""",
    "NAME_ME": """\
import ctypes
ctypes.CDLL(None).prctl(15, b"$MARK", 0, 0, 0)
""",
}


class Submission:
    """What an attacker works on: a submission that is honest and wrong.

    Attributes
    ----------
    notebook : dict
        The notebook; cells have lists or strings as sources.
    folder : pathlib.Path
        Folder that is handed in.
    words : mapping of str to str
        What ``$NAME`` stands for in the attacker's code: ``$MARK`` names this attack in everything
        that it leaves behind, ``$COURSE`` is the course's folder, and so on.
    """

    def __init__(
        self, course: Course, assignment: str, student: str, words: Mapping[str, str]
    ) -> None:
        self.course = course
        self.assignment = assignment
        self.student = student
        self.words = dict(words)
        self.folder = course.submission(assignment, student)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        course._add_data(assignment, self.folder)
        self.notebook = course.lesson(assignment)
        self.raw: bytes | None = None
        self.claimed: str | None = None  # the time that the exchange's entry is named after
        self.write_notebook = True
        for name, source in WRONG[assignment].items():
            self.cell(name)["source"] = source

    def code(self, source: str) -> str:
        """Attacker's code with the words filled in."""
        words = {"PIDNS": os.readlink("/proc/self/ns/pid"), **self.words}
        shared = {name: Template(text).safe_substitute(words) for name, text in SHARED_CODE.items()}
        return Template(textwrap.dedent(source).strip()).safe_substitute(words, **shared)

    def cell(self, name: str) -> dict[str, Any]:
        """The cell of that name."""
        return next(cell for cell in self.notebook["cells"] if cell.get("id") == name)

    def index(self, name: str) -> int:
        """Place of the cell of that name."""
        return self.notebook["cells"].index(self.cell(name))

    def answer(self, name: str, source: str) -> None:
        """Write an answer."""
        self.cell(name)["source"] = self.code(source)

    def own_cell(
        self,
        source: str,
        *,
        before: str | None = None,
        after: str | None = None,
        kind: str = "code",
    ) -> dict[str, Any]:
        """Add a cell of the student's own; at the very top unless a place is named."""
        text = self.code(source)
        maker = new_code_cell if kind == "code" else new_markdown_cell
        cell = json.loads(json.dumps(maker(text)))
        place = 0
        if before is not None:
            place = self.index(before)
        elif after is not None:
            place = self.index(after) + 1
        self.notebook["cells"].insert(place, cell)
        return cell

    def last_cell(self, source: str) -> dict[str, Any]:
        """Add a cell of the student's own at the very end."""
        return self.own_cell(source, after=self.notebook["cells"][-1]["id"])

    def twin(self, name: str) -> dict[str, Any]:
        """A copy of a cell, not yet in the notebook."""
        return copy.deepcopy(self.cell(name))

    def file(self, name: str, content: str | bytes) -> Path:
        """Add a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else self.code(content).encode())
        return path

    def hand_in(self) -> None:
        """Write everything down and leave it with the exchange."""
        if self.write_notebook:
            path = self.folder / f"{self.assignment}.ipynb"
            raw = json.dumps(self.notebook).encode() if self.raw is None else self.raw
            path.write_bytes(raw)
        self.course.record(self.assignment, self.student, self.claimed)
