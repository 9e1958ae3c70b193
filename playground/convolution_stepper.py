"""Step the window of a convolution over a small picture, and see every product and sum."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets

from playground.modules import script, style

LARGEST_PICTURE = 28  # pixels of a side: more would not be read
LARGEST_KERNEL = 7
LARGEST_STRIDE = 6
LARGEST_DILATION = 6
LARGEST_PADDING = 6

KERNELS: dict[str, list[list[float]]] = {
    "right minus left": [[-1, 0, 1]] * 3,
    "below minus above": [[-1] * 3, [0] * 3, [1] * 3],
    "Sobel, vertical edges": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "outline (Laplace)": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "mean (blur)": [[1 / 9] * 3] * 3,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "diagonal line": [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
    "one pixel to the left": [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
    "nothing changes": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "1 … 4": [[1, 2], [3, 4]],
}


@functools.cache
def pictures() -> dict[str, list[list[float]]]:
    """Pictures to choose from, in whole numbers from 0 for black to 9 for white.

    Returns
    -------
    dict
        Name → rows of numbers. Digits are MNIST's, without their margin and half as large. The
        photograph is the embedded ``"camera"``, a part of it, averaged.
    """
    from data_scripts import load, load_photograph

    (digits, labels), _ = load("mnist", "quick")
    found: dict[str, np.ndarray] = {}
    for digit in (7, 3, 4):
        whole = digits[np.flatnonzero(labels == digit)[0]].reshape(28, 28)
        found[f"digit {digit}"] = _averaged(whole[2:26, 2:26], 2)
    found["photograph: a man with a camera"] = _averaged(load_photograph("camera")[8:92, 70:154], 6)
    rows, columns = np.mgrid[:10, :10]
    found["dark meets bright"] = np.where(columns < 5, 1, 8)
    found["frame"] = np.where(np.maximum(abs(rows - 4.5), abs(columns - 4.5)) == 2.5, 9, 0)
    found["diagonal line"] = np.where(abs(rows + columns - 9) < 1, 9, 1)
    found["chessboard"] = np.where((rows + columns) % 2, 9, 0)
    found["one bright pixel"] = np.where((rows == 4) & (columns == 4), 9, 0)
    found["1 … 9"] = np.arange(1, 10).reshape(3, 3)
    found["empty"] = np.zeros((10, 10), int)
    return {name: _rows(grid) for name, grid in found.items()}


class Grid(traitlets.TraitType[list[list[float]], Any]):
    """Rows of finite numbers; takes all that becomes a NumPy array of two axes."""

    info_text = "rows of numbers"

    def __init__(self, *, most: int, square: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most, self.square = most, square

    def validate(self, obj: traitlets.HasTraits, value: Any) -> list[list[float]]:
        """Return the numbers as nested lists, or say in one sentence what is wrong with them."""
        kind = f"a square of 1 … {self.most}" if self.square else f"1 … {self.most}"
        wanted = f"expected {kind} rows and columns of finite numbers"
        try:
            grid = np.asarray(value, "float64")
        except (TypeError, ValueError):
            raise traitlets.TraitError(
                f"{self.name} is no table of numbers: received {type(value).__name__}, {wanted}"
            ) from None
        if (
            grid.ndim != 2
            or not 1 <= min(grid.shape) <= max(grid.shape) <= self.most
            or (self.square and grid.shape[0] != grid.shape[1])
        ):
            raise traitlets.TraitError(f"{self.name} has shape {grid.shape}, {wanted}")
        if not np.isfinite(grid).all():
            raise traitlets.TraitError(f"{self.name} has nan or inf in it, {wanted}")
        return _rows(grid)


class ConvolutionStepper(anywidget.AnyWidget):
    """A window that moves over a small picture.

    All of it runs in the browser, also without a kernel. The attributes are at the same time what
    one sees: read them to know what was set by hand, set them to change the page.

    Attributes
    ----------
    image : list of list of float
        The picture, at most 28 × 28. Anything that becomes an array of two axes may be set.
    kernel : list of list of float
        The weights, a square of at most 7 × 7.
    stride, dilation : int
        1 … 6.
    padding : {"valid", "same"} or int
        As in Keras, or a number of zeros on every side, as in PyTorch.
    position : (int, int)
        Row and column of the output where the window is.
    visited : list of int
        Places of the output that are filled, counted row by row from 0.
    white : float
        Number that is shown as white; a larger one in the picture takes its place.

    Raises
    ------
    traitlets.TraitError
        If a value is none of these. One sentence says what was received and what was expected.

    Examples
    --------
    >>> stepper = ConvolutionStepper(kernel=[[-1, 1], [-1, 1]], stride=2)
    >>> stepper.padding = "same"
    >>> stepper.position, len(stepper.kernel)
    ((0, 0), 2)
    """

    _esm = script("convolution_stepper.js")
    _css = style("convolution_stepper.css")

    image = Grid(most=LARGEST_PICTURE).tag(sync=True)
    kernel = Grid(most=LARGEST_KERNEL, square=True).tag(sync=True)
    stride = traitlets.Int(1, min=1, max=LARGEST_STRIDE).tag(sync=True)
    padding = traitlets.Any("valid").tag(sync=True)
    dilation = traitlets.Int(1, min=1, max=LARGEST_DILATION).tag(sync=True)
    position = traitlets.Any((0, 0)).tag(sync=True)
    visited = traitlets.List(traitlets.Int(min=0)).tag(sync=True)
    white = traitlets.Float(9.0, min=1e-6).tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    kernels = traitlets.Dict().tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("pictures", pictures())
        kwargs.setdefault("kernels", {name: _rows(np.array(k)) for name, k in KERNELS.items()})
        kwargs.setdefault("image", next(iter(kwargs["pictures"].values())))
        kwargs.setdefault("kernel", next(iter(kwargs["kernels"].values())))
        super().__init__(**kwargs)

    @traitlets.validate("padding")
    def _check_padding(self, proposal: Mapping[str, Any]) -> str | int:
        value = proposal["value"]
        if value in ("valid", "same"):
            return value
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or not 0 <= value <= LARGEST_PADDING:
            raise traitlets.TraitError(
                f"padding is {value!r}, expected 'valid', 'same' or a number of zeros on every "
                f"side, 0 … {LARGEST_PADDING}"
            )
        return int(value) or "valid"

    @traitlets.validate("position")
    def _check_position(self, proposal: Mapping[str, Any]) -> tuple[int, int]:
        value = proposal["value"]
        pair = isinstance(value, list | tuple | np.ndarray) and len(value) == 2
        if not pair or not all(isinstance(one, int | np.integer) and one >= 0 for one in value):
            raise traitlets.TraitError(
                f"position is {value!r}, expected a pair of whole numbers, row and column of the "
                "output, counted from 0"
            )
        return int(value[0]), int(value[1])

    @property
    def output(self) -> np.ndarray:
        """The whole feature map, by Keras, with the present settings.

        Returns
        -------
        numpy.ndarray
            Shape ``(height, width)``, dtype ``float32``: what the page fills in, place by place.

        Raises
        ------
        ValueError
            If the window is larger than the picture with its zeros.
        """
        from autograder.quiet import quiet_imports

        with quiet_imports():
            import keras

        grid, kernel = np.array(self.image, "float32"), np.array(self.kernel, "float32")
        padding = self.padding
        if not isinstance(padding, str):
            grid, padding = np.pad(grid, padding), "valid"
        # A dilated kernel is one with zeros between its weights. TensorFlow takes no dilation
        # together with a stride.
        spread = np.zeros([(len(kernel) - 1) * self.dilation + 1] * 2, "float32")
        spread[:: self.dilation, :: self.dilation] = kernel
        if padding == "valid" and len(spread) > min(grid.shape):
            raise ValueError(
                f"the window spans {len(spread)} pixels and the picture with its zeros has "
                f"{min(grid.shape)}; choose a smaller kernel or dilation, or more padding"
            )
        maps = keras.ops.conv(
            grid[np.newaxis, :, :, np.newaxis],
            spread[:, :, np.newaxis, np.newaxis],
            strides=self.stride,
            padding=padding,
            data_format="channels_last",
        )
        return np.array(maps)[0, :, :, 0]


def _averaged(picture: np.ndarray, side: int) -> np.ndarray:
    """Means of squares of pixels, as whole numbers 0 … 9."""
    height, width = (size // side for size in picture.shape)
    fields = picture[: height * side, : width * side].astype("float64")
    means = fields.reshape(height, side, width, side).mean(axis=(1, 3))
    return np.rint(means * 9 / 255).astype(int)


def _rows(grid: np.ndarray) -> list[list[float]]:
    """Nested lists; whole numbers as such, as JavaScript sends them back."""
    return [[int(value) if value == int(value) else float(value) for value in row] for row in grid]
