"""Make the pictures of README.md from the real thing.

Run it in the repository's folder, after `autograder demo`, where Chromium is installed::

    python docs/make_pictures.py            # all three
    python docs/make_pictures.py gallery    # one of lesson, class, gallery

A lesson is the executed solution notebook as nbconvert shows it; the graded class is the table that
the demo printed, read again from its gradebook. The gallery shows outputs of two lessons, and the
picture that `python -m benchmarks.style_transfer` drew.
"""

import base64
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbgrader.coursedir import CourseDirectory
from PIL import Image, ImageChops
from rich.console import Console

from autograder.configuration import load_course
from autograder.demo import _surprises
from autograder.grading import grade, submitted_students
from autograder.reports.class_table import class_table
from autograder.sample_class import read_class

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
ASSIGNMENT = "02_convolution"
MAX_BYTES = 150_000
# Where the picture of the lesson begins, and the cell after its last one.
FIRST = "## 2 · Hand-made filters"
NEXT = "In the edge maps"
# The gallery: two columns of outputs, each found by how its alt text begins.
COLUMNS = (
    (362, ("Pictures that please filters", "Grad-CAM for the cat", "Three maps of the cat")),
    (598, ("style", "Two dreams of", "The cat's face and the coffee side by side")),
)
GAP = 14  # pixels between two pictures


def main() -> None:
    """Make the pictures and say how large they are."""
    PICTURES.mkdir(exist_ok=True)
    wanted = sys.argv[1:] or ["gallery", "lesson", "class"]
    if "gallery" in wanted:
        keep_photographs(gallery(), PICTURES / "gallery.jpg")
    if not {"lesson", "class"} & {*wanted}:
        return
    with tempfile.TemporaryDirectory() as folder:
        if "lesson" in wanted:
            keep(picture_of_lesson(Path(folder)), PICTURES / "lesson.png", colours=128)
        if "class" in wanted:
            keep(picture_of_class(Path(folder)), PICTURES / "graded_class.png", colours=32)


def gallery() -> Image.Image:
    """Put outputs of lesson 08 and the large picture of lesson 09 side by side."""
    shown = {"style": Image.open(PICTURES / "style_transfer.jpg")}
    notebook = nbformat.read(ROOT / "solutions/08_visualization/08_visualization.ipynb", 4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            for kind in {"image/png", "image/jpeg"} & {*output.get("data", ())}:
                alt = output.metadata.get(kind, {}).get("alt", "")
                shown[alt] = Image.open(io.BytesIO(base64.b64decode(output.data[kind])))
    columns = []
    for width, beginnings in COLUMNS:
        found = [
            next(picture for alt, picture in shown.items() if alt.startswith(beginning))
            for beginning in beginnings
        ]
        scaled = [
            picture.convert("RGB").resize(
                (width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS
            )
            for picture in found
        ]
        height = sum(picture.height for picture in scaled) + GAP * (len(scaled) - 1)
        column = Image.new("RGB", (width, height), "white")
        top = 0
        for picture in scaled:
            column.paste(picture, (0, top))
            top += picture.height + GAP
        columns.append(column)
    sheet = Image.new(
        "RGB",
        (
            sum(column.width for column in columns) + GAP * (len(columns) - 1),
            max(column.height for column in columns),
        ),
        "white",
    )
    left = 0
    for column in columns:
        sheet.paste(column, (left, 0))
        left += column.width + GAP
    return sheet


def picture_of_lesson(folder: Path) -> Image.Image:
    """Show the cells from the hand-made filters to what they make of a photograph."""
    path = ROOT / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    texts = [cell.source for cell in notebook.cells]
    first = next(place for place, text in enumerate(texts) if FIRST in text)
    following = next(place for place, text in enumerate(texts) if text.startswith(NEXT))
    notebook.cells = notebook.cells[first:following]
    heading = notebook.cells[0]
    heading.source = heading.source[heading.source.index(FIRST) :]
    # The code that draws is for readers of the lesson; here is room for its result only.
    drawing = notebook.cells[-1]
    drawing.source = drawing.source.splitlines()[0] + "\n…"
    exporter = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="", mermaid_js_url="")
    html, _ = exporter.from_notebook_node(notebook)
    page = folder / "lesson.html"
    page.write_text(html, encoding="utf-8")
    return shoot(page, width=900, height=1500)


def picture_of_class(folder: Path) -> Image.Image:
    """Draw the table of an existing `demo_class/`."""
    course_folder = ROOT / "demo_class" / "course"
    course = CourseDirectory(config=load_course(course_folder), assignment_id=ASSIGNMENT)
    present = set(submitted_students(course, ASSIGNMENT))
    students = read_class(
        ROOT / "tests" / "classes" / f"{ASSIGNMENT}.toml",
        lesson=ROOT / "lessons" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb",
        solution=ROOT / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb",
        variants=ROOT / "tests" / "variants" / f"{ASSIGNMENT}.toml",
    )
    missing = {student.id for student in students} - present
    if missing:
        sys.exit(f"demo_class/ lacks {', '.join(sorted(missing))}: run `autograder demo` first")
    # What the demo graded has not changed: it is only read.
    found = {row.student: row for row in grade(course_folder, ASSIGNMENT)}
    rows = [found[student.id] for student in students]
    surprises = _surprises(students, rows)
    if surprises:
        sys.exit("demo_class/ is not as designed: " + "; ".join(surprises))
    console = Console(record=True, width=132, file=io.StringIO())
    marks = {row.student: "✓" for row in rows}
    console.print(class_table(rows, title=f"A sample class in {ASSIGNMENT}", marks=marks))
    svg = console.export_svg(title="autograder demo")
    page = folder / "class.html"
    # The fonts that rich names are on the network; the machine's own will do.
    svg = svg.replace("Fira Code, monospace", "DejaVu Sans Mono, monospace")
    svg = svg.replace("Fira Code", "DejaVu Sans Mono")
    page.write_text(f"<body style='margin:0;background:white'>{svg}</body>", encoding="utf-8")
    return shoot(page, width=1640, height=1400)


def shoot(page: Path, *, width: int, height: int) -> Image.Image:
    """Take a screenshot of a page and cut the white margin off."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), "")
    if not browser:
        sys.exit("Chromium is not on PATH; on Debian: sudo apt-get install chromium")
    shot = page.with_suffix(".png")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--hide-scrollbars", f"--user-data-dir={profile}",
             f"--window-size={width},{height}", f"--screenshot={shot}", page.as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    with Image.open(shot) as opened:
        picture = opened.convert("RGB")
    blank = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    left, top, right, bottom = ImageChops.difference(picture, blank).getbbox()
    margin = 12
    return picture.crop(
        (
            max(left - margin, 0),
            max(top - margin, 0),
            min(right + margin, picture.width),
            min(bottom + margin, picture.height),
        )
    )


def keep_photographs(picture: Image.Image, path: Path) -> None:
    """Write a picture as the best JPEG that is not too large."""
    for quality in range(90, 20, -4):
        picture.save(path, "jpeg", quality=quality, optimize=True)
        if path.stat().st_size < MAX_BYTES:
            break
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {picture.width} × {picture.height}, {size / 1000:.0f} kB")


def keep(picture: Image.Image, path: Path, *, colours: int) -> None:
    """Write a picture with few colours; refuse one that would make the repository heavy."""
    picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {picture.width} × {picture.height}, {size / 1000:.0f} kB")
    if size >= MAX_BYTES:
        sys.exit(
            f"{path.name} has {size} bytes; at most {MAX_BYTES}: fewer colours, or a smaller cut"
        )


if __name__ == "__main__":
    main()
