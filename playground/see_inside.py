"""Follow a drawing or a picture through the CNN, and ask what a filter answers to."""

from typing import Any, Literal

import anywidget
import numpy as np
import traitlets
from PIL import Image

from data_scripts import load_photograph
from playground.digit_networks import Stage, example_digits, load_network
from playground.digit_pictures import centred, on_pad, whole
from playground.drawing_pad import FROM_BROWSER, as_picture
from playground.exciting_patches import WHOLE, WINDOWS, exciting_patches
from playground.modules import script, style

SIZE = 112
PATCHES = 12
NOTHING = "Nothing drawn yet. Draw something, take an example, or open a picture."
NOT_CHOSEN = "No map chosen yet. Click one, or go to it with the keyboard and press Enter."

EXPLANATIONS = {
    "picture": "What goes in: 28 × 28 pixels.",
    "convolution 1": "32 filters of 2 × 2 pixels slide over the picture; ReLU keeps what is above "
    "zero.",
    "pooling 1": "The largest of each 2 × 2: half as high, half as wide.",
    "convolution 2": "64 filters, each 2 × 2 places of all 32 maps at once.",
    "pooling 2": "Halved again.",
    "convolution 3": "64 filters, each 2 × 2 places of all 64 maps. A place sees 11 × 11 pixels.",
    "dense 1": "64 units, each sees all 1,600 numbers of the layer before.",
    "probabilities": "Ten units and softmax: one probability for each digit.",
}


class SeeInside(anywidget.AnyWidget):
    """A field to draw on, and all feature maps of lesson 01's CNN.

    Attributes
    ----------
    picture : bytes
        The drawing, 112 × 112 grey values, row by row, 0 for paper and 255 for ink.
    fit : {"digit", "whole"}
        Whether it is scaled and centred as MNIST's digits were, or given to the network as it is.
    maps : bytes
        Every map of every layer, row by row, as grey values; 255 is the largest value of its layer.
        Empty if nothing is drawn.
    chosen : dict
        ``{"layer": name, "map": number from 0}``, or empty.
    detail : dict
        What the page shows of the chosen map.
    words : str
        What the network reads, as a sentence.

    Examples
    --------
    >>> widget = SeeInside()
    >>> label = widget.take_example()
    >>> widget.choose("convolution 3", 5)
    >>> len(widget.detail["patches"]["labels"]) > 0
    True
    """

    _esm = script("see_inside.js")
    _css = style("drawing_pad.css", "draw_a_digit.css", "see_inside.css")

    size = traitlets.Int(SIZE, read_only=True).tag(sync=True)
    layers = traitlets.List().tag(sync=True)
    picture = traitlets.Bytes(b"").tag(**FROM_BROWSER)
    fit = traitlets.Enum(["digit", "whole"], "digit").tag(sync=True)
    maps = traitlets.Bytes(b"").tag(sync=True)
    largest = traitlets.List().tag(sync=True)
    words = traitlets.Unicode(NOTHING).tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)
    detail = traitlets.Dict().tag(sync=True)
    detail_pixels = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._network = load_network("cnn")
        self._examples = 0
        self._stages: list[Stage] = []
        self.layers = [_described(stage) for stage in self._network.stages(np.zeros((1, 28, 28)))]
        self.observe(self._look, names=["picture", "fit"])
        self.observe(self._show_chosen, names="chosen")
        self.on_msg(self._told)
        self._look()
        self._show_chosen()

    def load(self, picture: np.ndarray, fit: Literal["digit", "whole"] = "whole") -> None:
        """Show a picture of any shape ``(height, width)``, 0 for paper … 255 for ink."""
        picture = np.asarray(picture)
        if picture.ndim != 2 or not picture.size:
            raise ValueError(f"a picture of shape {picture.shape}; expected (height, width)")
        small = Image.fromarray(picture.astype(np.uint8)).resize((SIZE, SIZE), Image.Resampling.BOX)
        with self.hold_sync(), self.hold_trait_notifications():
            self.fit = fit
            self.picture = np.asarray(small).tobytes()

    def take_example(self) -> int:
        """Show the next of a hundred digits from MNIST's test set; return its label."""
        digits, labels = example_digits()
        which = self._examples % len(labels)
        self._examples += 1
        self.load(on_pad(digits[which], SIZE), fit="digit")
        return int(labels[which])

    def take_photograph(self) -> None:
        """Show a photograph, which is no digit at all."""
        self.load(255 - load_photograph("camera"))

    def choose(self, layer: str, number: int) -> None:
        """Enlarge a map, as a click on it does.

        Parameters
        ----------
        layer : str
            Such as ``"convolution 2"``.
        number : int
            Of the map, from 0.

        Raises
        ------
        ValueError
            If there is no such layer or map.
        """
        known = {described["name"]: described["depth"] for described in self.layers}
        if layer not in known:
            raise ValueError(f"there is no layer {layer!r}; expected one of {', '.join(known)}")
        if not 0 <= number < known[layer]:
            raise ValueError(f"{layer} has maps 0 to {known[layer] - 1}; received {number}")
        self.chosen = {"layer": layer, "map": number}

    def _told(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        if message == {"do": "example"}:
            label = self.take_example()
            self.words = f"An example from the test set, labelled {label}. {self.words}"
        elif message == {"do": "photograph"}:
            self.take_photograph()

    def _look(self, _change: Any = None) -> None:
        """Send the picture through the network."""
        try:
            drawing = as_picture(self.picture, SIZE)
        except ValueError as error:
            self.words = f"This drawing cannot be read: {error}."
            return
        if self.fit == "whole":
            field = whole(drawing) if drawing.any() else None
        else:
            found = centred(drawing)
            field = None if found is None else found.digit
        with self.hold_sync():
            if field is None:
                self._stages, self.maps, self.largest, self.words = [], b"", [], NOTHING
            else:
                self._stages = self._network.stages(field[None])
                self.largest = [round(float(stage.values.max()), 3) for stage in self._stages]
                self.maps = b"".join(map(_grey, self._stages))
                shares = self._stages[-1].values[0]
                best = int(shares.argmax())
                self.words = f"The CNN reads {best}, with probability {100 * shares[best]:.0f} %."
            if self.chosen:
                self._show_chosen()

    def _show_chosen(self, _change: Any = None) -> None:
        """Put together what is known about the chosen map."""
        names = [described["name"] for described in self.layers]
        layer, number = self.chosen.get("layer"), self.chosen.get("map")
        if layer not in names:
            self.detail, self.detail_pixels = {"words": NOT_CHOSEN}, b""
            return
        index = names.index(layer)
        tiles, note = self._weights(layer, number)
        patches = exciting_patches(self._network, layer, number, PATCHES)
        side = patches[0].pixels.shape[0] if patches else 0
        detail = {
            "layer": index,
            "map": number,
            "title": f"{_capital(layer)}, {_noun(layer)} {number + 1} of "
            f"{self.layers[index]['depth']}",
            "tiles": None,
            "patches": {"side": side, "labels": [patch.label for patch in patches]},
            "place": self._place(index, number),
            "weights": note,
            "words": "",
        }
        pixels = b""
        if tiles is not None:
            most = float(np.abs(tiles).max()) or 1.0
            detail["tiles"] = {
                "count": tiles.shape[0],
                "height": tiles.shape[1],
                "width": tiles.shape[2],
                "largest": round(most, 3),
                "values": np.round(tiles, 2).ravel().tolist() if tiles.size <= 4 else None,
            }
            pixels = np.round(127 * tiles / most).astype(np.int8).tobytes()
        pixels += b"".join(np.ascontiguousarray(patch.pixels).tobytes() for patch in patches)
        detail["words"] = self._sentence(index, number, detail["patches"]["labels"])
        with self.hold_sync():
            self.detail_pixels, self.detail = pixels, detail

    def _weights(self, layer: str, number: int) -> tuple[np.ndarray | None, str]:
        """Weights of a unit as small pictures, shape ``(maps before, height, width)``."""
        kind, _, place = layer.partition(" ")
        if kind == "picture":
            return None, "A picture has no weights."
        if kind == "pooling":
            return None, (
                f"A pooling has no weights: this is the largest of each 2 × 2 of convolution "
                f"{place}, map {number + 1}."
            )
        convolutions = [pair for pair in self._network.weights if pair[0].ndim == 4]
        dense = [pair for pair in self._network.weights if pair[0].ndim == 2]
        if kind == "convolution":
            weights, bias = convolutions[int(place) - 1]
            tiles = weights[..., number].transpose(2, 0, 1)
            over = "the picture" if len(tiles) == 1 else f"each of {len(tiles)} maps"
            words = f"Its filter: 2 × 2 weights for {over}"
        elif kind == "dense":
            weights, bias = dense[int(place) - 1]
            tiles = weights[:, number].reshape(5, 5, 64).transpose(2, 0, 1)
            words = "Its weights: 5 × 5 for each of 64 maps"
        else:
            weights, bias = dense[-1]
            tiles = weights[:, number].reshape(-1, 1, 1)
            words = f"Its weights: one for each of {len(tiles)} units"
        bias_words = f"{float(bias[number]):+.2f}".replace("-", "−")
        return tiles, f"{words}, and the bias {bias_words}."

    def _place(self, index: int, number: int) -> dict[str, int] | None:
        """Which part of the picture the map answers to most: row, column and side, in pixels."""
        if not self._stages:
            return None
        name, values = self._stages[index]
        one = values[0, ..., number]
        window = WINDOWS.get(name, WHOLE)
        if window == WHOLE or one.max() <= 0:
            return None
        row, column = np.unravel_index(int(one.argmax()), one.shape)
        return {
            "row": int(row) * window.step,
            "column": int(column) * window.step,
            "side": window.side,
        }

    def _sentence(self, index: int, number: int, labels: list[int]) -> str:
        name = self.layers[index]["name"]
        parts = []
        if not self._stages:
            parts.append("Nothing is drawn, so the map is empty.")
        else:
            largest = float(self._stages[index].values[0, ..., number].max())
            if largest <= 0:
                parts.append("This picture does not excite it: it is zero everywhere.")
            elif place := self._place(index, number):
                parts.append(
                    f"Its largest value here is {largest:.2f}, for the {place['side']} × "
                    f"{place['side']} pixels from row {place['row'] + 1}, column "
                    f"{place['column'] + 1}."
                )
            else:
                parts.append(f"Its value here is {largest:.2f}.")
        if not labels:
            parts.append("None of the 1,000 test digits excites it.")
        else:
            what = "digits" if WINDOWS.get(name, WHOLE) == WHOLE else "patches, from digits"
            parts.append(f"Most exciting {what} of 1,000: {', '.join(map(str, labels))}.")
        return " ".join(parts)


def _described(stage: Stage) -> dict[str, Any]:
    shape = stage.values.shape[1:]
    height, width, depth = shape if len(shape) == 3 else (1, 1, shape[0])
    return {
        "name": stage.name,
        "title": _capital(stage.name),
        "noun": _noun(stage.name),
        "height": height,
        "width": width,
        "depth": depth,
        "words": EXPLANATIONS[stage.name],
    }


def _noun(layer: str) -> str:
    return "map" if layer in WINDOWS else "digit" if layer == "probabilities" else "unit"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _grey(stage: Stage) -> bytes:
    """Every map of a layer, one after the other; 255 is the layer's largest value."""
    values = stage.values[0]
    most = float(values.max())
    grey = np.round(np.clip(values / most if most > 0 else values, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(grey, -1, 0)).tobytes()
