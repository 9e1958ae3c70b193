"""A class with copies in it: honest students from the variants, and some who disguise another's."""

import ast
import copy
import difflib
import functools
import json
import random
from pathlib import Path

from autograder.sample_class import cells_by_name
from tests.rehearsal import ROOT, variants

# Two honest students may happen to give the same answer to this share of the exercises. Many
# variants were made from one another by changing a word: texts this alike are the same answer.
SAME_BY_CHANCE = 0.5
SAME_TEXT = 0.8


def disguise(source: str, rng: random.Random) -> str:
    """Change an answer as a copier does: names, comments, layout, order of lines; not what it does.

    Parameters
    ----------
    source : str
        The answer.
    rng : random.Random
        Decides where comments go.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return f"# mine\n{source}\n\n"
    renamed = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    # Whoever passes an argument by its name uses the name.
    renamed -= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in renamed:
            node.id = f"{node.id[::-1]}_value"
        elif isinstance(node, ast.arg) and node.arg in renamed:
            node.arg = f"{node.arg[::-1]}_value"
    _reorder(tree)
    lines = ast.unparse(tree).splitlines()
    noted = [f"{line}  # then this" if line and rng.random() < 0.4 else line for line in lines]
    return "# my own solution\n" + "\n".join(noted)


def _reorder(tree: ast.AST) -> None:
    """Exchange neighbouring assignments that do not need each other."""
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            lines = getattr(node, field, None)
            if not isinstance(lines, list):
                continue
            at = 0
            while at + 1 < len(lines):
                first, second = lines[at], lines[at + 1]
                both = isinstance(first, ast.Assign) and isinstance(second, ast.Assign)
                if both and not _depend(first, second):
                    lines[at], lines[at + 1] = second, first
                    at += 1
                at += 1


def _depend(first: ast.AST, second: ast.AST) -> bool:
    def names(node: ast.AST, kind: type) -> set[str]:
        return {
            item.id
            for item in ast.walk(node)
            if isinstance(item, ast.Name) and isinstance(item.ctx, kind)
        }

    stored, then = names(first, ast.Store), names(second, ast.Store)
    read, later = names(first, ast.Load), names(second, ast.Load)
    return bool(stored & (later | then) or then & read)


def choose_honest(lesson: str, number: int, rng: random.Random) -> list[dict[str, str]]:
    """Answers (cell → source) of honest students, drawn from the solution and all variants."""
    pool: dict[str, list[str]] = {}
    solution = ROOT / "solutions" / lesson / f"{lesson}.ipynb"
    for name, cell in cells_by_name(json.loads(solution.read_bytes())).items():
        if cell["metadata"]["nbgrader"]["solution"] and cell["cell_type"] == "code":
            pool[name] = ["".join(cell["source"])]
    for kind in ("wrong", "right"):
        for item in variants(lesson)[kind]:
            pool[item["exercise"]].append(item["answer"].strip("\n"))

    @functools.cache
    def same(first: str, second: str) -> bool:
        matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
        return matcher.real_quick_ratio() >= SAME_TEXT and matcher.ratio() >= SAME_TEXT

    chosen: list[dict[str, str]] = []
    for _ in range(30_000):
        if len(chosen) == number:
            return chosen
        one = {name: rng.choice(answers) for name, answers in pool.items()}
        most = SAME_BY_CHANCE * len(one)
        if all(sum(same(one[name], other[name]) for name in one) <= most for other in chosen):
            chosen.append(one)
    raise AssertionError(
        f"{lesson}: its variants make {len(chosen)} different students, not {number}"
    )


def write_class(
    folder: Path, lesson: str, *, honest: int = 27, copies: int = 3, seed: int = 0
) -> set[tuple[str, str]]:
    """Write a course: the lesson as released, and what everybody handed in.

    Parameters
    ----------
    folder : pathlib.Path
        The course's folder.
    lesson : str
        Which lesson.
    honest, copies : int
        How many write for themselves, and how many disguise the work of one of these.
    seed : int
        Of all that is drawn.

    Returns
    -------
    set of tuple of str
        The planted pairs.
    """
    rng = random.Random(seed)
    released = json.loads((ROOT / "lessons" / lesson / f"{lesson}.ipynb").read_bytes())
    place = folder / "lessons" / lesson
    place.mkdir(parents=True)
    (place / f"{lesson}.ipynb").write_text(json.dumps(released))
    (folder / "nbgrader_config.py").write_text(CONFIG)
    students = choose_honest(lesson, honest, rng)
    for number, answers in enumerate(students):
        hand_in(folder, lesson, released, f"honest{number:02}", answers)
    pairs = set()
    for number in range(copies):
        answers = {name: disguise(source, rng) for name, source in students[number].items()}
        hand_in(folder, lesson, released, f"zcopy{number:02}", answers)
        pairs.add((f"honest{number:02}", f"zcopy{number:02}"))
    return pairs


def hand_in(
    folder: Path, lesson: str, released: dict, student: str, answers: dict[str, str]
) -> None:
    """Put a submission where nbgrader collects it."""
    notebook = copy.deepcopy(released)
    cells = cells_by_name(notebook)
    for name, source in answers.items():
        cells[name]["source"] = source
    place = folder / "submitted" / student / lesson
    place.mkdir(parents=True)
    (place / f"{lesson}.ipynb").write_text(json.dumps(notebook, ensure_ascii=False))


CONFIG = """\
import autograder

c = get_config()
autograder.configure(c)
c.CourseDirectory.course_id = "cnn"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "lessons"
"""
