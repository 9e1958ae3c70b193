"""Compare the networks that could be embedded for style transfer with VGG-16.

::

    COURSE_DATA_MIRROR=../shared/data python -m benchmarks.style_networks
    python -m benchmarks.style_networks --kept FOLDER    # what takes minutes is made once

Needs the mirror: VGG-16, all of CIFAR-10, Caltech-101, the photographs and the paintings. It took
an hour on two cores that had much else to do, a quarter of it for the networks that are trained.

Each network draws two photographs in the style of three paintings, 128 × 128, by the same steps.
Losses are relative: a distance is divided by the size of what it is a distance from, so that the
scale of a network's maps does not matter. What is left is how much a network cares for style beside
content; that is found for each on one pair, such that *VGG-16* sees as much of the content as in
the picture that VGG-16 itself drew. Then all six pictures are judged by the whole VGG-16, with five
layers for style and ``block4_conv2`` for content. Seconds a step are measured one network at a time
at the end.

Figures go to ``benchmarks/results/style_networks.json``, the pictures side by side to
``docs/pictures/style_networks.jpg``.
"""

import argparse
import dataclasses
import datetime
import io
import json
import os
import statistics
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from benchmarks.recording import RESULTS, ROOT, BenchmarkError, machine
from data_scripts import make_style_network as make
from data_scripts.errors import DataError
from data_scripts.style_network import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    Convolution,
    build_style_network,
    unrounded,
)

RECORD = RESULTS / "style_networks.json"
PICTURE = ROOT / "docs" / "pictures" / "style_networks.jpg"
CONTENTS = {"cat": "content_cat_720p.jpg", "owl": "content_owl.jpg"}
STYLES = {
    "starry night": "style_starry_night_van_gogh_1889.jpg",
    "great wave": "style_great_wave_hokusai_1831.jpg",
    "scream": "style_the_scream_munch_1893.jpg",
}
SIDE = 128
STEPS = 60
RATE = 0.03
STYLE_WEIGHT = 5.0  # of VGG-16; the others' is found
VARIATION_WEIGHT = 20.0
TRIED_WEIGHTS = (1.0, 5.0, 25.0, 125.0, 625.0)
REFERENCE = "VGG-16"
CHOSEN = "VGG-16 to block4_conv1, 6 bits"
JUDGE_STYLE = (*STYLE_LAYERS, "block5_conv1")
JUDGE_CONTENT = "block4_conv2"
DISTILLED_FROM = 96  # pictures


@dataclasses.dataclass(frozen=True)
class Rival:
    """A network, what of it counts as style and as content, and what it would cost to embed."""

    network: Any
    style: tuple[str, ...]
    content: str
    bytes: int
    seconds_to_make: float = 0.0


def mirror() -> Path:
    """The mirror's folder."""
    folder = Path(os.environ.get("COURSE_DATA_MIRROR", ""))
    if not os.environ.get("COURSE_DATA_MIRROR") or not (folder / "images").is_dir():
        raise BenchmarkError(
            "COURSE_DATA_MIRROR names no folder with images/ in it, expected the mirror with the "
            "photographs and paintings"
        )
    return folder


def picture(path: Path, side: int) -> np.ndarray:
    """The middle square of a picture; shape ``(1, side, side, 3)``, 0 … 1."""
    with Image.open(path) as opened:
        whole = opened.convert("RGB")
    short = min(whole.size)
    left, top = (whole.width - short) // 2, (whole.height - short) // 2
    square = whole.crop((left, top, left + short, top + short))
    return np.asarray(square.resize((side, side), Image.Resampling.LANCZOS), "float32")[None] / 255


def pictures_to_distil_from(side: int = SIDE) -> np.ndarray:
    """Photographs of animals from Caltech-101, evenly taken from all classes."""
    path = mirror() / "caltech101" / "caltech101_animals10.zip"
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        chosen = names[:: len(names) // DISTILLED_FROM][:DISTILLED_FROM]
        found = [picture(io.BytesIO(archive.read(name)), side) for name in chosen]
    return np.concatenate(found)


def gram(maps: Any) -> Any:
    """Products of all pairs of maps, averaged over places; shape ``(filters, filters)``."""
    from keras import ops

    flat = ops.reshape(maps, (-1, maps.shape[-1]))
    return ops.matmul(ops.transpose(flat), flat) / ops.cast(ops.shape(flat)[0], "float32")


def relative(received: Any, expected: Any) -> Any:
    """Squared distance, divided by the squared size of what is expected."""
    from keras import ops

    return ops.sum(ops.square(received - expected)) / ops.sum(ops.square(expected))


def variation(image: Any) -> Any:
    """Mean squared difference of neighbours, down and across."""
    from keras import ops

    down, across = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    return ops.mean(ops.square(down)) + ops.mean(ops.square(across))


def outputs(network: Any, names: Sequence[str]) -> Any:
    """A network that returns the maps of several layers."""
    import keras

    return keras.Model(network.input, [network.get_layer(name).output for name in names])


def transfer(
    rival: Rival,
    content: np.ndarray,
    style: np.ndarray,
    style_weight: float,
    *,
    steps: int = STEPS,
    label: str = "",
) -> tuple[np.ndarray, float, float]:
    """Draw a picture: Adam on the pixels, from the content on.

    Returns
    -------
    image : numpy.ndarray
        Of the shape of `content`, 0 … 1.
    seconds : float
        Median of a step.
    processor_seconds : float
        Median of a step, all cores together: it hardly depends on what else the machine does.
    """
    import keras
    import tensorflow as tf

    maps = outputs(rival.network, (*rival.style, rival.content))
    grams = [gram(each) for each in maps(style)[:-1]]
    goal = maps(content)[-1]
    image = tf.Variable(content)
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(RATE, steps, alpha=0.1), beta_2=0.99
    )
    optimizer.build([image])

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            *now, deep = maps(image)
            pairs = zip(now, grams, strict=True)
            style_loss = sum(relative(gram(each), expected) for each, expected in pairs)
            loss = (
                relative(deep, goal)
                + style_weight * style_loss / len(grams)
                + VARIATION_WEIGHT * variation(image)
            )
        optimizer.apply([tape.gradient(loss, image)], [image])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))

    times = []
    for _ in tqdm(range(steps), desc=label, unit="step", leave=False):
        begun = time.perf_counter(), time.process_time()
        step()
        times.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    seconds, processor_seconds = map(statistics.median, zip(*times, strict=True))
    return image.numpy(), seconds, processor_seconds


class Judge:
    """The whole VGG-16 as it was trained, with maxima: how far a picture is from its models."""

    def __init__(self, vgg16: Mapping[str, Convolution]) -> None:
        network = build_style_network(vgg16, pooling="maximum")
        self.maps = outputs(network, (*JUDGE_STYLE, JUDGE_CONTENT))

    def __call__(
        self, image: np.ndarray, content: np.ndarray, style: np.ndarray
    ) -> tuple[float, float]:
        """Relative distances of an image from a content and from a style."""
        now, theirs = self.maps(image), self.maps(style)
        styles = [
            float(relative(gram(a), gram(b))) for a, b in zip(now[:-1], theirs[:-1], strict=True)
        ]
        return float(relative(now[-1], self.maps(content)[-1])), statistics.mean(styles)


def rivals(vgg16: Mapping[str, Convolution], kept: Path | None) -> Iterator[tuple[str, Rival]]:
    """Make every network; those that take minutes are read from `kept` if they are there."""
    yield (
        REFERENCE,
        Rival(
            build_style_network(make.cut(vgg16, "block5_conv1")),
            JUDGE_STYLE,
            JUDGE_CONTENT,
            sum(array.nbytes for layer in vgg16.values() for array in layer),
        ),
    )

    def stored(
        layers: Mapping[str, Convolution], levels: int, last: str, seconds: float = 0.0
    ) -> Rival:
        small = {name: make.rounded(layer, levels) for name, layer in layers.items()}
        network = build_style_network({name: unrounded(layer) for name, layer in small.items()})
        style = tuple(name for name in STYLE_LAYERS if name in small)
        return Rival(network, style, last, len(make.pack(small)), round(seconds, 1))

    for name, last in ((CHOSEN, CONTENT_LAYER), ("VGG-16 to block3_conv3, 6 bits", "block3_conv3")):
        yield name, stored(make.cut(vgg16, last), make.LEVELS, last)
    layers, seconds = _kept(
        kept and kept / "distilled.npz",
        lambda: make.distil(make.cut(vgg16, CONTENT_LAYER), pictures_to_distil_from()),
    )
    yield "half-width VGG, distilled, 8 bits", stored(layers, 127, CONTENT_LAYER, seconds)
    yield "EfficientNet-Lite0, early layers", _efficientnet()
    layers, seconds = _kept(kept and kept / "small.npz", _small_vgg)
    yield "small VGG on CIFAR-10, 8 bits", stored(layers, 127, CONTENT_LAYER, seconds)


def _small_vgg() -> dict[str, Convolution]:
    from data_scripts import load

    (pictures, labels), (test, answers) = load("cifar10", "full")
    layers, classifier = make.train_small_vgg(pictures, labels)
    said = classifier.predict(test.astype("float32"), batch_size=500, verbose=0).argmax(axis=1)
    print(f"small VGG: {100 * (said == answers).mean():.1f} % of the test pictures are right")
    return layers


def _efficientnet() -> Rival:
    """The layers of the embedded network at sides 1/2, 1/2, 1/4 and 1/8, each after ReLU6."""
    import keras

    from data_scripts.networks import load_network

    layers = (
        "stem_relu6",
        "block2a_expand_relu6",
        "block3a_expand_relu6",
        "block4a_expand_relu6",
    )
    network = load_network("efficientnet_lite0", top=False, input_size=None)
    pictures = keras.Input((None, None, 3))
    maps = outputs(network, layers)(keras.layers.Rescaling(255.0)(pictures))
    named = [
        keras.layers.Identity(name=name)(each) for name, each in zip(layers, maps, strict=True)
    ]
    model = keras.Model(pictures, named)
    model.trainable = False
    used = keras.Model(network.input, network.get_layer(layers[-1]).output)
    # Two bytes for each number. The course has this file in any case.
    return Rival(model, layers, layers[-1], 2 * used.count_params())


def _kept(
    path: Path | None, function: Callable[[], Mapping[str, Convolution]]
) -> tuple[dict[str, Convolution], float]:
    """Layers and the seconds that they took, from a file if there is one."""
    if path and path.exists():
        with np.load(path) as archive:
            names = [name[:-7] for name in archive.files if name.endswith("/kernel")]
            layers = {
                name: Convolution(archive[f"{name}/kernel"], archive[f"{name}/bias"])
                for name in names
            }
            return layers, float(archive["seconds"])
    begun = time.perf_counter()
    layers = dict(function())
    seconds = time.perf_counter() - begun
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"{name}/{part}": array
            for name, layer in layers.items()
            for part, array in layer._asdict().items()
        }
        np.savez(path, seconds=seconds, **arrays)
    return layers, seconds


def rounding(vgg16: Mapping[str, Convolution]) -> list[dict[str, Any]]:
    """What fewer levels save and what they cost: mean relative error of maps and of Gram matrices.

    The errors are lengths, not squares: 0.01 is one per cent.
    """
    whole = make.cut(vgg16, CONTENT_LAYER)
    right = outputs(build_style_network(whole), STYLE_LAYERS)
    seen = [picture(mirror() / "images" / file, 256) for file in (CONTENTS | STYLES).values()]
    expected = [right(image) for image in seen]
    rows = []
    for name, levels in (
        ("float16", None),
        *((f"±{levels}", levels) for levels in (127, 63, 31, 15, 7)),
    ):
        if levels is None:
            halves = {
                key: Convolution(*(array.astype("float16") for array in layer))
                for key, layer in whole.items()
            }
            stream = io.BytesIO()
            np.savez_compressed(
                stream,
                **{f"{key}/{n}": a for key, layer in halves.items() for n, a in enumerate(layer)},
            )
            layers, size = halves, len(stream.getvalue())
        else:
            stored = {key: make.rounded(layer, levels) for key, layer in whole.items()}
            layers = {key: unrounded(layer) for key, layer in stored.items()}
            size = len(make.pack(stored))
        maps = outputs(build_style_network(layers), STYLE_LAYERS)
        errors = np.array(
            [
                [(float(relative(a, b)), float(relative(gram(a), gram(b)))) for a, b in pairs]
                for pairs in (
                    zip(maps(image), known, strict=True)
                    for image, known in zip(seen, expected, strict=True)
                )
            ]
        )
        of_maps, of_grams = np.sqrt(errors).mean(axis=0).T
        rows.append(
            {
                "kernels": name,
                "bytes": size,
                "error_of_maps": dict(zip(STYLE_LAYERS, of_maps.round(5).tolist(), strict=True)),
                "error_of_grams": dict(zip(STYLE_LAYERS, of_grams.round(5).tolist(), strict=True)),
            }
        )
        print(
            f"rounding {name}: {size:,} bytes, Gram matrices {of_grams.round(4).tolist()}",
            flush=True,
        )
    return rows


def fair_weight(
    rival: Rival, judge: Judge, content: np.ndarray, style: np.ndarray, aim: float, name: str
) -> float:
    """The weight of style at which VGG-16 sees as far from the content as `aim`, or the largest."""
    seen = []
    for weight in TRIED_WEIGHTS:
        image, *_ = transfer(rival, content, style, weight, label=f"{name}, weight {weight:g}")
        seen.append(judge(image, content, style)[0])
        if seen[-1] > aim:
            break
    # The distance grows with the weight; between two weights it is a line over the logarithm.
    tried = np.log(TRIED_WEIGHTS[: len(seen)])
    return float(np.exp(np.interp(aim, np.maximum.accumulate(seen), tried)))


def compare(kept: Path | None) -> None:
    """Make, draw, judge, write."""
    folder = mirror() / "images"
    vgg16 = make.load_vgg16()
    judge = Judge(vgg16)
    contents = {name: picture(folder / file, SIDE) for name, file in CONTENTS.items()}
    styles = {name: picture(folder / file, SIDE) for name, file in STYLES.items()}
    first = (next(iter(contents.values())), next(iter(styles.values())))
    record: dict[str, Any] = {
        "made_by": "python -m benchmarks.style_networks",
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),  # above the number of cores: seconds are too many
        "chosen": CHOSEN,
        "side": SIDE,
        "steps": STEPS,
        "variation_weight": VARIATION_WEIGHT,
        "networks": {},
    }
    drawn: dict[str, np.ndarray] = {}
    networks: dict[str, Rival] = {}
    aim = None
    for number, (name, rival) in enumerate(rivals(vgg16, kept)):
        networks[name] = rival
        path = kept / f"drawn_{number}.npz" if kept else None
        if path and path.exists():
            with np.load(path) as archive:
                drawn[name], entry = archive["images"], json.loads(str(archive["entry"]))
        else:
            weight = STYLE_WEIGHT
            if aim is not None:
                weight = fair_weight(rival, judge, *first, aim, name)
            drawn[name], entry = draw(rival, judge, contents, styles, weight, name)
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                np.savez(path, images=drawn[name], entry=json.dumps(entry))
        aim = aim or judge(drawn[name][0], *first)[0]
        record["networks"][name] = {
            "bytes": rival.bytes,
            "seconds_to_make": rival.seconds_to_make,
            **entry,
        }
        print(name, record["networks"][name], flush=True)
    record["rounding"] = rounding(vgg16)
    for name, rival in networks.items():
        weight = record["networks"][name]["style_weight"]
        _, *seconds = transfer(rival, *first, weight, steps=15, label=name)
        for key, value in zip(("seconds_a_step", "processor_seconds_a_step"), seconds, strict=True):
            record["networks"][name][key] = round(value, 3)
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    side_by_side(contents, styles, drawn).save(PICTURE, quality=70, optimize=True, progressive=True)
    print(f"{RECORD}\n{PICTURE}, {PICTURE.stat().st_size:,} bytes")


def draw(
    rival: Rival,
    judge: Judge,
    contents: Mapping[str, np.ndarray],
    styles: Mapping[str, np.ndarray],
    weight: float,
    name: str,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw every content in every style; return the pictures and what the judge says of them."""
    images, pairs = [], {}
    for subject, content in contents.items():
        for manner, style in styles.items():
            image, *_ = transfer(
                rival, content, style, weight, label=f"{name}: {subject}, {manner}"
            )
            images.append(image)
            pairs[f"{subject}, {manner}"] = [round(x, 4) for x in judge(image, content, style)]
    content_distance, style_distance = np.mean(list(pairs.values()), axis=0).round(4).tolist()
    return np.stack(images), {
        "style_weight": round(weight, 2),
        "content_distance": content_distance,
        "style_distance": style_distance,
        "content_and_style_distance": pairs,
    }


def side_by_side(
    contents: Mapping[str, np.ndarray],
    styles: Mapping[str, np.ndarray],
    drawn: Mapping[str, np.ndarray],
) -> Image.Image:
    """Rows: content and style, then each network; columns: each content in each style."""
    gap, margin = 4, 150
    font = ImageFont.load_default(15)
    columns = len(contents) * len(styles)
    size = (margin + columns * (SIDE + gap), (len(drawn) + 1) * (SIDE + gap))
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)

    def put(image: np.ndarray, row: int, column: int) -> None:
        pixels = np.rint(image[0] * 255).astype("uint8")
        sheet.paste(Image.fromarray(pixels), (margin + column * (SIDE + gap), row * (SIDE + gap)))

    def write(text: str, row: int) -> None:
        lines = text.replace(", ", ",\n").replace(" to ", "\nto ").replace(" on ", "\non ")
        pen.multiline_text((4, row * (SIDE + gap) + SIDE // 3), lines, "black", font)

    write("style, content", 0)
    pairs = [(content, style) for content in contents.values() for style in styles.values()]
    for column, (content, style) in enumerate(pairs):
        put(style, 0, column)
        small = Image.fromarray(np.rint(content[0] * 255).astype("uint8")).resize((48, 48))
        sheet.paste(small, (margin + column * (SIDE + gap) + SIDE - 48, SIDE - 48))
    for row, (name, images) in enumerate(drawn.items(), start=1):
        write(name, row)
        for column, image in enumerate(images):
            put(image, row, column)
    return sheet


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.style_networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kept", type=Path, help="folder of networks that were made before")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        compare(options.kept)
    except (BenchmarkError, DataError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
