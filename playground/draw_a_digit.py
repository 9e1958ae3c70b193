"""Draw a digit, and see what an MLP and a CNN read while you draw."""

from typing import Any

import anywidget
import numpy as np
import traitlets

from playground.digit_networks import KINDS, example_digits, load_network
from playground.digit_pictures import centred, on_pad
from playground.drawing_pad import FROM_BROWSER, as_picture
from playground.modules import script, style

SIZE = 112  # pixels of a side of the drawing that comes from the browser
FARTHEST = 10  # pixels of a shift
NAMES = {"mlp": "MLP", "cnn": "CNN"}
UNSURE = 0.5  # a probability below that is called unsure
NOTHING = "Nothing drawn yet. Draw a digit in the field on the left, or take an example."


class DrawADigit(anywidget.AnyWidget):
    """A field to draw on, and beside it what the two networks of lesson 01 read.

    The drawing is scaled and centred as MNIST's digits were, moved by ``right`` and ``down``, and
    given to both networks.

    Attributes
    ----------
    picture : bytes
        The drawing, 112 × 112 grey values, row by row, 0 for paper and 255 for ink.
    right, down : int
        Pixels by which the centred digit is moved, −10 … 10.
    seen : bytes
        What the networks see, 28 × 28 grey values; empty if nothing is drawn.
    answers : dict of list of float
        ``"mlp"`` and ``"cnn"``: ten probabilities each; empty if nothing is drawn.
    words : str
        What they say, as a sentence.

    Examples
    --------
    >>> widget = DrawADigit()
    >>> widget.answers, widget.words[:18]
    ({}, 'Nothing drawn yet.')
    >>> label = widget.take_example()
    >>> widget.reads("cnn") == label
    True
    """

    _esm = script("draw_a_digit.js")
    _css = style("drawing_pad.css", "draw_a_digit.css")

    size = traitlets.Int(SIZE, read_only=True).tag(sync=True)
    farthest = traitlets.Int(FARTHEST, read_only=True).tag(sync=True)
    picture = traitlets.Bytes(b"").tag(**FROM_BROWSER)
    right = traitlets.Int(0, min=-FARTHEST, max=FARTHEST).tag(sync=True)
    down = traitlets.Int(0, min=-FARTHEST, max=FARTHEST).tag(sync=True)
    seen = traitlets.Bytes(b"").tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode(NOTHING).tag(sync=True)
    # The page counts its questions, so that it knows which one an answer belongs to.
    asked = traitlets.Int(0).tag(sync=True, echo_update=False)
    answered = traitlets.Int(0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._examples = 0
        for kind in KINDS:  # read now, not at the first stroke
            load_network(kind)(np.zeros((1, 28, 28), np.float32))
        self.observe(self._answer, names=["picture", "right", "down", "asked"])
        self.on_msg(self._told)
        self._answer()

    def reads(self, kind: str) -> int | None:
        """Return the digit that ``"mlp"`` or ``"cnn"`` reads, None if nothing is drawn."""
        return int(np.argmax(self.answers[kind])) if self.answers else None

    def load(self, drawing: np.ndarray) -> None:
        """Show a drawing of shape ``(112, 112)``, 0 for paper … 255 for ink."""
        drawing = np.asarray(drawing, np.uint8)
        if drawing.shape != (SIZE, SIZE):
            raise ValueError(f"a drawing of shape {drawing.shape}; expected {(SIZE, SIZE)}")
        self.picture = drawing.tobytes()

    def take_example(self) -> int:
        """Show the next of a hundred digits from MNIST's test set; return its label."""
        digits, labels = example_digits()
        which = self._examples % len(labels)
        self._examples += 1
        label = int(labels[which])
        with self.hold_sync():
            self.load(on_pad(digits[which], SIZE))
            self.words = f"An example from the test set, labelled {label}. {self.words}"
        return label

    def _told(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        if message == {"do": "example"}:
            self.take_example()

    def _answer(self, _change: Any = None) -> None:
        """Ask both networks, and send everything in one message."""
        try:
            drawing = as_picture(self.picture, SIZE)
        except ValueError as error:
            self.words = f"This drawing cannot be read: {error}."
            return
        digit = centred(drawing, self.right, self.down)
        with self.hold_sync():
            if digit is None:
                self.seen, self.answers, self.words = b"", {}, NOTHING
            else:
                self.seen = np.round(digit.digit * 255).astype(np.uint8).tobytes()
                self.answers = {
                    kind: [round(float(p), 4) for p in load_network(kind)(digit.digit[None])[0]]
                    for kind in KINDS
                }
                self.words = _sentence(self.answers, digit.lost)
            self.answered = self.asked


def _sentence(answers: dict[str, list[float]], lost: float) -> str:
    """Say what the networks read, and how sure they are."""
    reads = {kind: int(np.argmax(shares)) for kind, shares in answers.items()}
    sure = {kind: max(shares) for kind, shares in answers.items()}
    told = {kind: f"{NAMES[kind]} {reads[kind]} ({_percent(sure[kind])})" for kind in KINDS}
    if reads["mlp"] == reads["cnn"]:
        words = f"Both read {reads['mlp']}: {told['mlp']}, {told['cnn']}."
    else:
        words = f"They disagree: {told['mlp']}, {told['cnn']}."
    unsure = [NAMES[kind] for kind in KINDS if sure[kind] < UNSURE]
    if unsure:
        words += f" {' and '.join(unsure)} cannot decide."
    if lost > 0.02:
        words += f" {_percent(lost)} of the ink lies outside the field."
    return words


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
