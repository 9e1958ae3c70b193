"""Teach a machine to tell your own classes apart, by examples, in seconds."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from data_scripts import DataError
from data_scripts.picture_folders import read_folder, read_picture
from playground import picture_classifier
from playground.examples import Example, ExampleError, Examples
from playground.modules import script, style
from playground.picture_classifier import SIDE, HeadTraining, ModelFileError, PictureClassifier

THUMBNAIL = 64  # pixels of a side
SHOWN = 224  # pixels of a side of a picture that is tried
MOST_BYTES = 64 * 2**20  # of one file that comes from the browser
PART_BYTES = 512 * 1024  # of a file that goes to the browser, in one message
_EXPECTED = (DataError, ExampleError, ModelFileError)


class TeachAMachine(anywidget.AnyWidget):
    """Classes, examples, a training and a try.

    Everything that the page does can also be done from code. Methods that take long do it in this
    cell and return when it is done; what the page asks for runs beside the cells.

    Attributes
    ----------
    classes : list of dict
        ``{"number", "name", "examples"}`` for each class; examples are numbers of pictures.
    status : str
        The last sentence, as the page shows it.
    problem : bool
        Whether that sentence says that something went wrong.
    missing : str
        What is missing before the machine can be taught; empty if nothing is.
    training : bool
        Whether a training is under way.
    progress : float
        Of what is under way, 0 … 1.
    curve : list of (int, float, float)
        Round, cross-entropy in nats and share of examples that are right, of the last training.
    taught : list of str
        Names of the classes that the machine knows; empty before the first training.
    stale : bool
        Whether classes or examples have changed since.
    answer : dict
        What the machine says of the last picture that was tried; empty if there is none.
    classifier : playground.picture_classifier.PictureClassifier or None
        The machine itself.

    Examples
    --------
    >>> machine = TeachAMachine()  # doctest: +SKIP
    >>> machine.add_examples("cats", cats)  # doctest: +SKIP
    >>> machine.add_examples("trucks", trucks)  # doctest: +SKIP
    >>> machine.train()  # doctest: +SKIP
    >>> machine.ask("new.jpg")  # doctest: +SKIP
    {'cats': 0.97, 'trucks': 0.03}
    """

    _esm = script("teach_a_machine.js")
    _css = style("drawing_pad.css", "teach_a_machine.css")

    classes = traitlets.List().tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Bool(False).tag(sync=True)
    said = traitlets.Int(0).tag(sync=True)  # counts sentences: the same one may be said twice
    missing = traitlets.Unicode("").tag(sync=True)
    training = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.Float(0.0).tag(sync=True)
    curve = traitlets.List().tag(sync=True)
    rounds = traitlets.Int(picture_classifier.ROUNDS, min=1, max=1000).tag(sync=True)
    taught = traitlets.List().tag(sync=True)
    stale = traitlets.Bool(False).tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.examples = Examples()
        self.classifier: PictureClassifier | None = None
        self.train_seconds = float("nan")
        self._taught_version = -1
        self._tried: np.ndarray | None = None
        self._arriving: dict[str, _Arriving] = {}
        self._leaving: dict[str, bytes] = {}
        self._stop = threading.Event()
        self._changing = threading.RLock()
        # One after the other: TensorFlow uses all processors for each.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="teach-a-machine")
        self._show_classes()
        self._say(self.missing)
        self.on_msg(self._received)
        # Now, while classes get their names; what fails here fails again, with words, when needed.
        self._worker.submit(picture_classifier.prepare)

    # ---------------------------------------------------------------- from code

    def add_class(self, name: str) -> None:
        """Make a class.

        Raises
        ------
        ExampleError
            If the name is empty, too long or taken; one sentence.
        """
        with self._changing:
            self.examples.add_class(name)
            self._show_classes()

    def rename_class(self, name: str, new: str) -> None:
        """Give a class another name; its examples stay."""
        with self._changing:
            self.examples.rename_class(self.examples.named(name).number, new)
            self._show_classes()

    def remove_class(self, name: str) -> None:
        """Remove a class with its examples."""
        with self._changing:
            self.examples.remove_class(self.examples.named(name).number)
            self._show_classes()

    def add_examples(self, name: str, pictures: Sequence[np.ndarray | str | Path]) -> None:
        """Give a class examples; the class is made if it is not there.

        Parameters
        ----------
        name : str
            Of the class.
        pictures : sequence
            Files, or arrays of shape ``(height, width, 3)`` or ``(height, width)``, 0 … 255.

        Raises
        ------
        DataError, ExampleError
            If one of them is no picture, or there are too many; one sentence.
        """
        squares = [_square(picture) for picture in pictures]
        with self._changing:
            try:
                number = self.examples.named(name).number
            except ExampleError:
                number = self.examples.add_class(name).number
            try:
                for square in squares:
                    self.examples.add(number, square)
            finally:
                self._show_classes()

    def read_folder(self, folder: str | Path) -> str:
        """Add a folder with one subfolder of pictures for each class.

        Parameters
        ----------
        folder : str or path-like
            Where the kernel runs.

        Returns
        -------
        str
            What was found, and what was skipped and why.

        Raises
        ------
        DataError, ExampleError
            If it is no such folder; one sentence.
        """
        if not str(folder).strip():
            raise DataError(
                "no folder was named; write the path of a folder with one subfolder for each class."
            )
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = read_folder(folder, SIDE, bar=False, fewest=1)
        for label, name in enumerate(found.class_names):
            self.add_examples(name, list(found.pictures[found.labels == label]))
        words = f"{len(found.labels)} pictures of {_listed(found.class_names)} were read."
        return " ".join([words, *(_sentence(str(one.message)) for one in told)])

    def train(self) -> None:
        """Teach the machine with all examples; it can be interrupted.

        Raises
        ------
        ExampleError
            If there is something missing; the message is :attr:`missing`.
        """
        if self.missing:
            raise ExampleError(self.missing)
        self._stop.clear()
        self._teach(self.examples.version)

    def ask(self, picture: np.ndarray | str | Path) -> dict[str, float]:
        """Ask the machine about a picture, and show its answer on the page.

        Parameters
        ----------
        picture : file or array
            As in :meth:`add_examples`.

        Returns
        -------
        dict
            Name of a class → probability.

        Raises
        ------
        DataError
            If it is no picture.
        ExampleError
            If the machine has not been taught yet.
        """
        if self.classifier is None:
            raise ExampleError(_UNTAUGHT)
        self._try(_square(picture))
        return dict(zip(self.answer["names"], self.answer["probabilities"], strict=True))

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the machine as a ``.keras`` file; see :meth:`.PictureClassifier.save`."""
        if self.classifier is None:
            raise ModelFileError(_UNTAUGHT)
        return self.classifier.save(path, force=force)

    def load(self, path: str | Path) -> None:
        """Take the machine from a file that :meth:`save` has written; examples stay as they are.

        Raises
        ------
        ModelFileError
            If it is no such file; one sentence.
        """
        loaded = PictureClassifier.load(path)
        self._become(loaded, version=-1)
        self.curve = []

    # ---------------------------------------------------------------- work

    def _teach(self, version: int) -> None:
        """Train with the examples as they are now."""
        with self._changing:
            rows, labels, names = self.examples.table()
        begun = time.perf_counter()
        training = None
        with self._together():
            self.progress, self.curve, self.training = 0.0, [], True
        try:
            if not self._stop.is_set():
                self._say(f"Looking at {len(rows)} pictures …")
                self._look(rows)
            if not self._stop.is_set():
                vectors = np.stack([row.vector for row in rows])
                training = HeadTraining(vectors, labels, len(names), rounds=self.rounds)
                self._follow(training, begun)
        except KeyboardInterrupt:
            self._stop.set()
        finally:
            done = training.done if training else 0
            if done:
                self._become(PictureClassifier(names, *training.weights()), version)
            self.train_seconds = time.perf_counter() - begun
            with self._together():
                self.training = False
            if self._stop.is_set():
                self._say(_stopped(done, self.rounds, known=self.classifier is not None))
            elif done:
                right = self.curve[-1][2]
                self._say(
                    f"Taught in {self.train_seconds:.1f} seconds: {round(right * len(rows))} of "
                    f"{len(rows)} examples are right. Whether it has understood, only new pictures "
                    "can tell: try one."
                )
        if done and self._tried is not None:
            self._try(self._tried)

    def _look(self, rows: Sequence[Example]) -> None:
        """Compute the vectors that are not there yet: each picture goes through once."""
        new = [row for row in rows if row.vector is None]
        for done, (row, vector) in enumerate(
            zip(new, picture_classifier.vectors_of([row.picture for row in new]), strict=True), 1
        ):
            row.vector = vector
            if self.training:
                if self._stop.is_set():
                    return
                with self._together():
                    self.progress = 0.5 * done / len(new)

    def _follow(self, training: HeadTraining, begun: float) -> None:
        """Run the rounds; show the curve ten times a second, which is all that an eye sees."""
        shown, points = 0.0, []
        start = self.progress
        for point in training:
            points.append([point.number, round(point.loss, 4), round(point.right, 4)])
            now = time.perf_counter()
            if now - shown > 0.1 or point.number == point.of:
                shown = now
                with self._together():
                    self.curve = list(points)
                    self.progress = start + (1 - start) * point.number / point.of
                    self._say(f"Learning: round {point.number} of {point.of} …")
            if self._stop.is_set():
                with self._together():
                    self.curve = list(points)
                return

    def _become(self, classifier: PictureClassifier, version: int) -> None:
        self.classifier = classifier
        self._taught_version = version
        with self._together():
            self.taught = list(classifier.class_names)
            self.answer = {}
            self._show_classes()

    def _try(self, square: np.ndarray) -> None:
        self._tried = square
        found = self.classifier.ask(square)
        names = list(self.classifier.class_names)
        best = int(found.probabilities.argmax())
        # What speaks for a class is what scores higher for it than for all classes on average.
        places = found.places - found.places.mean(axis=2, keepdims=True)
        answer = {
            "names": names,
            "probabilities": [round(float(share), 4) for share in found.probabilities],
            "places": np.moveaxis(places, 2, 0).round(3).tolist(),
            "where": [_place_words(places[..., label]) for label in range(len(names))],
            "picture": _encoded(square, SHOWN),
        }
        with self._together():
            self.answer = answer
        share = found.probabilities[best]
        self._say(
            f"The machine says {names[best]}, {100 * share:.0f} %. It looked most at the "
            f"{_place_words(places[..., best])}."
        )

    # ---------------------------------------------------------------- what the page shows

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """Send what changes in the body as one message. Two threads change things here."""
        with self._changing, self.hold_sync():
            yield

    def _say(self, words: str, *, problem: bool = False) -> None:
        with self._together():
            self.problem, self.status, self.said = problem, words, self.said + 1

    def _show_classes(self) -> None:
        with self._together():
            self.classes = [
                {
                    "number": one.number,
                    "name": one.name,
                    "examples": [example.number for example in one.examples],
                }
                for one in self.examples.classes
            ]
            self.missing = self.examples.missing()
            self.stale = self.classifier is not None and (
                self._taught_version not in (-1, self.examples.version)
            )

    # ---------------------------------------------------------------- from the page

    def _received(self, _widget: object, content: Mapping[str, Any], buffers: list[Any]) -> None:
        action = getattr(self, f"_on_{content.get('do')}", None)
        if action is not None:
            with self._told():
                action(content, buffers)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Show what a person can do something about as a sentence; hide nothing else."""
        try:
            yield
        except _EXPECTED as error:
            self._say(_sentence(str(error)), problem=True)
        except Exception as error:
            self._say(
                f"That did not work ({type(error).__name__}: {str(error)[:200]}). Run the cell "
                "again.",
                problem=True,
            )
            raise

    def _later(self, work: Callable[[], None]) -> Future[None]:
        def run() -> None:
            with self._told():
                work()

        return self._worker.submit(run)

    def _on_add_class(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        self.add_class(str(content["name"]))
        self._say(f"Class “{self.examples.classes[-1].name}” is made. {self.missing}".strip())

    def _on_rename_class(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        number = int(content["number"])
        try:
            one = self.examples.rename_class(number, str(content["name"]))
            self._show_classes()
            self._say(f"The class is called “{one.name}” now.")
        finally:
            # The field shows the name that holds, also when the new one is refused.
            self.send(
                {"give": "name", "number": number, "name": self.examples.numbered(number).name}
            )

    def _on_remove_class(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        with self._changing:
            one = self.examples.remove_class(int(content["number"]))
            self._show_classes()
        self._say(f"“{one.name}” and its {_pictures(len(one.examples))} are removed.")

    def _on_remove_example(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        with self._changing:
            one = self.examples.remove(int(content["number"]))
            self._show_classes()
        self._say(f"Removed; “{one.name}” has {_pictures(len(one.examples))}.")

    def _on_thumbnails(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        wanted = set(content["numbers"])
        found = [
            row for one in self.examples.classes for row in one.examples if row.number in wanted
        ]
        # A few at a time: a message may not grow without bounds.
        for start in range(0, len(found), 50):
            part = found[start : start + 50]
            self.send(
                {"give": "thumbnails", "numbers": [row.number for row in part]},
                [_png(row.picture, THUMBNAIL) for row in part],
            )

    def _on_file(self, content: Mapping[str, Any], buffers: list[Any]) -> None:
        """Put the parts of a file together; browsers may send no message of more than 10 MB."""
        key = str(content["key"])
        arriving = self._arriving.setdefault(key, _Arriving(str(content["name"])))
        arriving.data += bytes(buffers[0]) if buffers else b""
        if len(arriving.data) > MOST_BYTES:
            del self._arriving[key]
            raise DataError(
                f"{arriving.name} has more than {MOST_BYTES // 2**20} MB: choose a smaller file."
            )
        if content["last"]:
            del self._arriving[key]
            self._take(arriving, str(content["as"]), content)

    def _take(self, arrived: _Arriving, purpose: str, content: Mapping[str, Any]) -> None:
        with arrived.on_disk() as path:
            if purpose == "model":
                self.load(path)
                self._say(
                    f"{arrived.name} is loaded: the machine knows {_listed(self.taught)}. Try a "
                    "picture."
                )
                return
            try:
                square = read_picture(path, SIDE)
            except DataError as error:
                # The path is one of ours, which nobody knows.
                reason = error.__cause__ or error
                raise DataError(
                    f"{arrived.name} could not be read as a picture ({reason}): open it in a "
                    "picture viewer and save it again, as JPEG or PNG, or leave it out."
                ) from error
        if purpose == "example":
            with self._changing:
                self.examples.add(int(content["number"]), square)
                one = self.examples.numbered(int(content["number"]))
                self._show_classes()
            self._say(f"“{one.name}” has {_pictures(len(one.examples))}. {self.missing}".strip())
            row = one.examples[-1]
            self._worker.submit(self._look, [row])
        else:
            self._ask_later(square)

    def _ask_later(self, square: np.ndarray) -> None:
        if self.classifier is None:
            raise ExampleError(_UNTAUGHT)
        self._say("Looking at the picture …")
        self._later(lambda: self._try(square))

    def _on_folder(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        self._say("Reading the folder …")

        def work() -> None:
            self._say(self.read_folder(str(content["path"])))
            self._look(self.examples.table()[0])

        self._later(work)

    def _on_train(self, _content: Mapping[str, Any], _buffers: list[Any]) -> None:
        if self.missing:
            raise ExampleError(self.missing)
        if not self.training:
            self._stop.clear()
            with self._together():
                self.progress, self.training = 0.0, True  # at once: nobody shall press twice
                self._say("Getting the network ready …")
            version = self.examples.version
            self._later(lambda: self._teach(version))

    def _on_stop(self, _content: Mapping[str, Any], _buffers: list[Any]) -> None:
        self._stop.set()

    def _on_save(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        name = str(content["name"]).strip()
        if not name or Path(name).name != name:
            raise ModelFileError("A file needs a name with no folders in it, such as “machine”.")

        def work() -> None:
            self._say("Writing the file …")
            path = self.save(name, force=bool(content.get("force")))
            self._say(f"Saved as {path.name}, beside this notebook: {_megabytes(path)}.")

        self._later(work)

    def _on_download(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        """Make the file; the browser then asks for one part after the other."""
        if self.classifier is None:
            raise ModelFileError(_UNTAUGHT)
        key = str(content["key"])

        def work() -> None:
            self._say("Writing the file …")
            with tempfile.TemporaryDirectory() as folder:
                data = self.save(Path(folder) / "machine.keras").read_bytes()
            self._leaving[key] = data
            self.send({"give": "file", "key": key, "size": len(data)})

        self._later(work)

    def _on_part(self, content: Mapping[str, Any], _buffers: list[Any]) -> None:
        key, start = str(content["key"]), int(content["start"])
        data = self._leaving.get(key)
        if data is None:
            return
        part = data[start : start + PART_BYTES]
        self.send({"give": "part", "key": key, "start": start}, [part])
        if start + len(part) >= len(data):
            del self._leaving[key]
            self._say(f"Downloaded: {len(data) / 1e6:.0f} MB.")

    def close(self) -> None:
        """Stop what is under way, and take the widget off the page."""
        if hasattr(self, "_worker"):
            self._stop.set()
            self._worker.shutdown(wait=False, cancel_futures=True)
        super().close()


class _Arriving:
    """A file whose parts come one after the other."""

    def __init__(self, name: str) -> None:
        # Some browsers send a made-up path before the name.
        self.name = re.split(r"[\\/]", name)[-1][-100:].strip() or "The picture"
        self.data = bytearray()

    @contextlib.contextmanager
    def on_disk(self) -> Iterator[Path]:
        """The file, for readers that want a path; it is removed afterwards."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / re.sub(r"[^\w. -]", "_", self.name).lstrip(".")
            path.write_bytes(self.data)
            yield path


_UNTAUGHT = "The machine has not learned anything yet: teach it first, or load a model."


def _stopped(done: int, rounds: int, *, known: bool) -> str:
    """What is to be said after a training that did not come to its end."""
    if done:
        return (
            f"Training interrupted after round {done} of {rounds}. The machine keeps what it has "
            "learned so far; teach it again to go on from the beginning."
        )
    rest = "it still knows what it knew before" if known else "it has learned nothing"
    return f"Training interrupted before the first round: {rest}. Teach it again when you like."


def _square(picture: np.ndarray | str | Path) -> np.ndarray:
    """Bring a file or an array to the network's size; the middle counts, nothing is stretched."""
    if isinstance(picture, str | Path):
        return read_picture(picture, SIDE)
    from PIL import Image, ImageOps

    values = np.asarray(picture)
    flat = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    colour = flat.ndim == 3 and flat.shape[2] == 3
    if not (colour or flat.ndim == 2) or not flat.size or not np.isfinite(flat).all():
        raise DataError(
            f"received an array of shape {values.shape}, {values.dtype}; expected a picture, "
            "(height, width, 3) or (height, width), values 0 … 255."
        )
    if flat.min() < 0 or flat.max() > 255:
        raise DataError(
            f"received a picture with values from {flat.min():g} to {flat.max():g}; expected "
            "0 … 255: scale it."
        )
    image = Image.fromarray(np.rint(flat).astype("uint8")).convert("RGB")
    return np.array(ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.BICUBIC))


def _png(picture: np.ndarray, side: int) -> bytes:
    from PIL import Image

    image = Image.fromarray(picture)
    if image.width != side:
        image = image.resize((side, side), Image.Resampling.BOX)
    packed = io.BytesIO()
    image.save(packed, "png")
    return packed.getvalue()


def _encoded(picture: np.ndarray, side: int) -> str:
    import base64

    return f"data:image/png;base64,{base64.b64encode(_png(picture, side)).decode()}"


def _place_words(places: np.ndarray) -> str:
    """Where a map is highest, in words: a third of the picture each way."""
    row, column = np.unravel_index(places.argmax(), places.shape)
    vertical = ("top", "middle", "bottom")[int(3 * (row + 0.5) / places.shape[0])]
    horizontal = ("left", "middle", "right")[int(3 * (column + 0.5) / places.shape[1])]
    return vertical if vertical == horizontal else f"{vertical} {horizontal}"


def _pictures(count: int) -> str:
    return f"{count} picture{'s' * (count != 1)}"


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


def _sentence(text: str) -> str:
    """A message as a sentence: with a capital letter, except in a file's name, and a full stop."""
    text = text.strip()
    if text.split(" ")[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text + ("" if text.endswith((".", "!", "?", "…")) else ".")
