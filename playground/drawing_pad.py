"""A field to draw on, with mouse, pen, finger or keyboard; the drawing comes as a picture.

Other widgets take the same field into their own script: ``import { createPad } from
"./drawing_pad.js"``, see :mod:`playground.modules`.
"""

import anywidget
import numpy as np
import traitlets

from playground.modules import script, style

# Of a trait of bytes that the browser sends: they come as a memoryview; and the browser knows what
# it has just sent, so they do not go back.
FROM_BROWSER = {
    "sync": True,
    "echo_update": False,
    "from_json": lambda value, _widget: bytes(value or b""),
}


def as_picture(grey: bytes, size: int) -> np.ndarray:
    """Turn the bytes of a drawing into an array.

    Parameters
    ----------
    grey : bytes
        ``size * size`` of them, row by row, 0 for paper and 255 for ink; or none: nothing drawn.
    size : int
        Pixels of a side.

    Returns
    -------
    numpy.ndarray
        Shape ``(size, size)``, dtype ``uint8``, may be changed in place.

    Raises
    ------
    ValueError
        If there are too few or too many bytes.
    """
    if not grey:
        return np.zeros((size, size), np.uint8)
    if len(grey) != size * size:
        raise ValueError(
            f"a drawing of {len(grey)} bytes; expected {size * size}, for {size} × {size} pixels"
        )
    return np.frombuffer(grey, np.uint8).reshape(size, size).copy()


class DrawingPad(anywidget.AnyWidget):
    """A field to draw on.

    Attributes
    ----------
    size : int
        Pixels of a side of the picture. Set it at the beginning only.
    line_width : float
        Of a stroke, as a share of the side.
    shown : int
        CSS pixels of a side on the page.
    label : str
        What the field is called, also by a screen reader.
    picture : bytes
        The drawing, updated while one draws, at most once an animation frame: ``size * size`` grey
        values, row by row, 0 for paper and 255 for ink. Empty before anything was drawn. Setting it
        shows a picture.

    Examples
    --------
    >>> pad = DrawingPad(size=64, label="Draw a cat")
    >>> pad.array().shape, pad.is_empty
    ((64, 64), True)
    >>> pad.observe(lambda change: print(pad.array().mean()), names="picture")
    """

    _esm = script("drawing_pad.js")
    _css = style("drawing_pad.css")

    size = traitlets.Int(112, min=8, max=512).tag(sync=True)
    line_width = traitlets.Float(0.085, min=0.005, max=0.5).tag(sync=True)
    shown = traitlets.Int(280, min=60, max=1000).tag(sync=True)
    label = traitlets.Unicode("Draw here").tag(sync=True)
    picture = traitlets.Bytes(b"").tag(**FROM_BROWSER)

    def array(self) -> np.ndarray:
        """Return the drawing, shape ``(size, size)``, dtype ``uint8``, 0 for paper, 255 for ink."""
        return as_picture(self.picture, self.size)

    @property
    def is_empty(self) -> bool:
        """Whether there is no ink at all."""
        return not any(self.picture)

    def clear(self) -> None:
        """Take everything off the field."""
        self.picture = b""

    def load(self, picture: np.ndarray) -> None:
        """Show a picture in place of the drawing.

        Parameters
        ----------
        picture : numpy.ndarray
            Shape ``(size, size)``, 0 for paper … 255 for ink.

        Raises
        ------
        ValueError
            If it has another shape, or values outside 0 … 255.
        """
        picture = np.asarray(picture)
        if picture.shape != (self.size, self.size):
            raise ValueError(
                f"a picture of shape {picture.shape}; expected {(self.size, self.size)}: "
                "scale it first"
            )
        if not np.isfinite(picture).all() or picture.min() < 0 or picture.max() > 255:
            raise ValueError(
                "a picture with values outside 0 … 255; expected 0 for paper, 255 for ink"
            )
        self.picture = np.round(picture).astype(np.uint8).tobytes()
