"""Make the pictures of the hub's pages from what the browser tests have seen.

HUB_SCREENSHOTS=FOLDER make test-hub
python docs/make_hub_pictures.py FOLDER
"""

import sys
from pathlib import Path

from make_pictures import PICTURES, keep
from PIL import Image

COLOURS = 32
WIDTH = 760
# Picture → screenshot of the tests, and how much of its height is shown.
WANTED = {
    "hub_list.png": ("ada_list_of_lessons.png", 0.42),
    "hub_lesson.png": ("ada_ran.png", 0.75),
    "hub_formgrader.png": ("instructor_graded.png", 0.62),
    "hub_feedback.png": ("ada_feedback.png", 0.8),
}


def main(folder: Path) -> None:
    """Cut, shrink and write."""
    for name, (screenshot, share) in WANTED.items():
        with Image.open(folder / screenshot) as seen:
            seen = seen.convert("RGB").crop((0, 0, seen.width, round(seen.height * share)))
            small = seen.resize((WIDTH, round(seen.height * WIDTH / seen.width)), Image.LANCZOS)
        keep(small, PICTURES / name, colours=COLOURS)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/make_hub_pictures.py FOLDER")
    main(Path(sys.argv[1]))
