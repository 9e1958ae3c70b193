"""Draw the picture of lesson 09 at full size, and say how long it takes.

::

    COURSE_DATA_MIRROR=../shared/data python -m benchmarks.style_transfer
    python -m benchmarks.style_transfer --scale quick

Nothing is copied from the lesson: its cells with the tag ``picture`` are executed, the solutions of
the exercises among them. At full scale that is 512 × 512 pixels with the whole of VGG-16, from the
mirror or Keras's address; a larger copy of the painting is in the mirror only.

The figures go to ``benchmarks/results/style_transfer.json``; at full scale the photograph, the
painting and the result go to ``docs/pictures/style_transfer.jpg``, at most 100 kB.
"""

import argparse
import datetime
import io
import json
import os
import resource
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.full_scale import SCALES
from benchmarks.recording import RESULTS, ROOT, cells_with, machine
from data_scripts.errors import DataError

LESSON = "09_style_transfer"
TAG = "picture"
RECORD = RESULTS / "style_transfer.json"
PICTURE = ROOT / "docs" / "pictures" / "style_transfer.jpg"
MOST_BYTES = 100_000
GAP = 8  # pixels between the pictures


class Bar:
    """Stands in for the lesson's display, which needs a notebook."""

    def __init__(self, total: int, label: str) -> None:
        self.bar = tqdm(total=total, desc=label, unit="step")

    def update(self, step: int, picture: Any) -> None:
        """Show how far it is."""
        self.bar.update(step - self.bar.n)


def run_cells() -> dict[str, Any]:
    """Execute the lesson's tagged cells at the scale in force; return what they defined."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for place, cell in enumerate(cells_with(LESSON, TAG)):
        exec(compile(cell, f"<cell {place}>", "exec"), names)
        if "Progress" in names:
            names["Progress"] = Bar
    return names


def side_by_side(content: np.ndarray, style: np.ndarray, result: np.ndarray) -> Image.Image:
    """The two originals one above the other, half the size, and the result beside them."""
    side = result.shape[0]
    half = (side - GAP) // 2
    sheet = Image.new("RGB", (half + GAP + side, side), "white")
    for picture, size, place in (
        (content, half, (0, 0)),
        (style, half, (0, side - half)),
        (result, side, (half + GAP, 0)),
    ):
        image = Image.fromarray((255 * np.clip(picture, 0, 1) + 0.5).astype("uint8"))
        sheet.paste(image.resize((size, size), Image.Resampling.LANCZOS), place)
    return sheet


def packed(sheet: Image.Image) -> bytes:
    """The best JPEG file that is not too large."""
    for quality in range(92, 20, -4):
        stream = io.BytesIO()
        sheet.save(stream, "jpeg", quality=quality, optimize=True, progressive=True)
        if len(stream.getvalue()) <= MOST_BYTES:
            break
    return stream.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.style_transfer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scale", choices=SCALES, default="full")
    options = parser.parse_args(arguments)
    os.environ["COURSE_SCALE"] = options.scale
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        names = run_cells()
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    run = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "network": names["NETWORK"],
        "side": names["SIDE"],
        "steps": list(names["STEPS"]),
        "seconds": round(names["seconds"], 1),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    record |= {"made_by": "python -m benchmarks.style_transfer", options.scale: run}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.scale == "full":
        sheet = side_by_side(names["content"], names["style"], names["whole"].picture)
        PICTURE.write_bytes(packed(sheet))
    print(f"{run['side']} pixels, {sum(run['steps'])} steps: {run['seconds']} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
