"""Figures of a lesson: notebook width, small files, and words for those who cannot see them."""

import base64
import io
from collections.abc import Sequence
from typing import Any

# Wide enough for a notebook's column on a laptop, small enough for git.
DPI = 96
# Okabe and Ito's palette: its colours stay apart for readers who see no red or no green.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


# What a JPEG of photographs needs to be looked at a little larger than it is.
_PHOTOGRAPHS = {"quality": 31, "optimize": True, "progressive": True}
_LARGER = 1.25


def show(figure: Any, *, alt: str, photographs: bool = False) -> None:
    """Display a matplotlib figure with a text that says what it shows, and close it.

    The picture is reduced to 256 colours, which makes the file several times smaller and is hardly
    seen in a plot. The text becomes the ``alt`` metadata of the output, which nbconvert turns into
    the picture's ``alt`` attribute.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    alt : str
        What a reader sees in it: the message, not "a plot". At least 20 characters.
    photographs : bool, optional
        The figure is full of photographs: as JPEG it is several times smaller again.

    Raises
    ------
    ValueError
        If the text is missing or too short to say anything.
    """
    from IPython.display import display
    from matplotlib import pyplot
    from PIL import Image as PillowImage

    from data_scripts.scale import course_scale

    if len(alt.strip()) < 20:
        raise ValueError(f"alt text {alt!r} is too short: say what the figure shows")
    if course_scale() == "grading":
        # Nobody looks at the pictures of a submission that is being graded.
        pyplot.close(figure)
        return
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
    pyplot.close(figure)
    packed, words = io.BytesIO(), " ".join(alt.split())
    kind, metadata = "image/png", {"alt": words}
    with PillowImage.open(raw) as picture:
        colours = picture.convert("RGB")
        if photographs:
            kind, metadata = "image/jpeg", metadata | {"width": round(_LARGER * picture.width)}
            colours.save(packed, format="jpeg", **_PHOTOGRAPHS)
        else:
            colours.quantize(256).save(packed, format="png", optimize=True)
    display(
        # Where no picture can be shown, the words stand in its place.
        {kind: base64.b64encode(packed.getvalue()).decode(), "text/plain": words},
        metadata={kind: metadata},
        raw=True,
    )


def use_course_style(colours: Sequence[str] = COLOURS) -> None:
    """Set matplotlib's defaults for the course: readable colours, no jet, light grid."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=list(colours)),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "axes.labelsize": 10,
            "figure.dpi": DPI,
            "font.size": 10,
            "image.cmap": "viridis",
            "image.interpolation": "nearest",
            "legend.frameon": False,
        }
    )
