# %% [markdown]
# # 08 · Seeing what a network sees
#
# A network of a few million numbers says "espresso", and is right. Why? Nobody wrote down a rule.
# But one can ask it questions: *Which pictures please you? Which pixels did you use? Where did you
# look?* This lesson asks an ImageNet network all three, gets beautiful answers, and then asks the
# question that matters most: which of these answers can be believed?
#
# **You will be able to**
#
# - take any layer's feature maps out of a network, and read them;
# - paint the picture that a filter or a class likes best, and let a network dream;
# - draw saliency maps, occlusion maps, class activation maps and Grad-CAM, and say what each means;
# - test whether a map explains anything, with a number;
# - fool a network on purpose, and measure how little that takes.
#
# **Budget**, measured on 2 CPU cores: about 70 seconds to run, 1.4 GB of memory, 0 bytes of
# download: network, photographs and digits come with the course. Reading, thinking and the
# exercises: three to four hours.
#
# There are five exercises, 18 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded.

# %% nbgrader={"grade_id": "setup", "locked": true}
import base64
import io
import math
import time

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from PIL import Image

from autograder import checks
from autograder.experiments import compare_prediction, judge
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import (
    by_scale,
    imagenet_class_names,
    load,
    load_network,
    load_photograph,
    square_picture,
    top_classes,
)

with quiet_imports():
    import keras
    import tensorflow as tf

use_course_style()
keras.utils.set_random_seed(8)

# %% [markdown]
# ## 1 · A network that has seen a million photographs
#
# **EfficientNet-Lite0** is a small network for telephones. It learned the 1,000 classes of ImageNet
# from 1.2 million photographs (lesson 06), and lesson 07 builds on it. Here it is the patient. It
# takes pictures of any size with pixels from 0 to 255, and answers with 1,000 probabilities.

# %%
# NBVAL_CHECK_OUTPUT
SIZE = by_scale(quick=192, full=224, grading=96)
NAMES = ("chelsea", "coffee", "rocket", "china", "flower")

network = load_network("efficientnet_lite0", input_size=None)
class_names = imagenet_class_names()
photographs = {name: square_picture(load_photograph(name), SIZE) for name in NAMES}
pictures = np.stack(list(photographs.values())).astype("float32")  # (5, SIZE, SIZE, 3)
print(f"{len(network.layers)} layers, {network.count_params():,} parameters")

# %% nbgrader={"grade_id": "drawing_pictures", "locked": true}
# Only drawing in this cell: read it some other day.


def picture_on(axis, values, title="", *, size=10, **options):
    """Draw a picture with pixels 0 … 255, or a map with options of imshow, without axes."""
    values = np.asarray(values)
    if values.ndim == 3:
        values = values.clip(0, 255).astype("uint8")
    drawn = axis.imshow(values, **options)
    axis.set_title(title, size=size)
    axis.axis("off")
    return drawn


SIXTEEN = plt.get_cmap("viridis", 16)  # shades, enough for the eye and kind to the file
GLOW = plt.get_cmap("inferno", 16)


def heat_on(axis, picture, heat, title="", *, size=10):
    """Draw a picture in grey with a map 0 … 1 over it; the map may be much coarser."""
    height, width = picture.shape[:2]
    grey = np.asarray(picture, float).mean(axis=2)
    axis.imshow(grey, cmap="gray", vmin=-60, vmax=315)
    axis.imshow(
        heat,
        cmap="inferno",
        vmin=0,
        vmax=1,
        alpha=0.6,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="bicubic" if max(heat.shape) < height else "nearest",
    )
    axis.set_title(title, size=size)
    axis.axis("off")


def coarser(values, times):
    """Means of squares of pixels: a map with fewer, larger ones."""
    rows, columns = (size // times for size in values.shape[:2])
    cut = values[: rows * times, : columns * times]
    return cut.reshape(rows, times, columns, times, *values.shape[2:]).mean(axis=(1, 3))


# %% [markdown]
# **Predict.** Five photographs: a tabby cat, a cup of espresso, a rocket on its launch pad, a
# temple tower, a dahlia. On how many will the network's first guess be right, in your judgement? A
# hint: dahlias are not among the 1,000 classes.

# %%
prediction_right = None  # 0 … 5

# %%
answers = np.array(network(pictures, training=False))
figure, axes = plt.subplots(1, 5, figsize=(7, 2.35), layout="constrained")
for axis, picture, best in zip(axes, pictures, top_classes(answers, 4), strict=True):
    lines = [f"{probability:4.0%}  {name}" for name, probability in best]
    picture_on(axis, picture)
    axis.text(0, 1.04 * SIZE, "\n".join(lines), va="top", size=8)
show(
    figure,
    photographs=True,
    alt="Five photographs, and below each the four classes that the network finds most probable. A "
    "cat's face: Egyptian cat, tiger cat, tabby, lynx. Coffee: espresso, 98 per cent. A rocket: "
    "missile, projectile, space shuttle. A tower: palace, monastery, bell cote. A dahlia: daisy, "
    "pot, bee, mushroom, none of them above 28 per cent.",
)
print(f"You said: {prediction_right} of 5. Count for yourself: where is the network right?")

# %% [markdown]
# The flower gets *some* name, with some confidence: a network has no word for "none of these". Keep
# the numbers in mind. They are all that the network tells us by itself; everything below is an
# attempt to learn more.
#
# Two tools will be needed again and again. `look` gives the maps of the last convolution and the
# **logits**, the 1,000 scores before softmax. `pixel_gradients` turns the network around: it tells
# for every pixel how the score would change if the pixel were a little brighter.

# %%
PICTURES = tf.TensorSpec([None, None, None, 3])  # any number of pictures of any size
WEIGHTS = tf.TensorSpec([None, None])
until_logits = keras.Model(
    network.input, [network.get_layer(name).output for name in ("head_relu6", "logits")]
)


def compiled(*signature):
    """Let TensorFlow make one graph of a function: 3 s of work once, and each call is quick."""
    if by_scale(quick=True, full=True, grading=False):
        return tf.function(input_signature=signature, autograph=False)
    return lambda function: lambda *given: function(*map(tf.convert_to_tensor, given))


@compiled(PICTURES)
def look(pictures):
    """Maps of the last convolution, (n, h, w, 1280), and logits, (n, 1000)."""
    return until_logits(pictures, training=False)


@compiled(PICTURES, WEIGHTS)
def pixel_gradients(pictures, weights):
    """Gradient of the weighted sum of the logits with respect to the pixels, (n, h, w, 3)."""
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        _, logits = until_logits(pictures, training=False)
        score = tf.reduce_sum(weights * logits)
    return tape.gradient(score, pictures)


def only(labels):
    """Weights that choose one logit for each picture."""
    return keras.utils.to_categorical(labels, len(class_names)).astype("float32")


def softmax(logits):
    """Probabilities from logits."""
    return np.array(keras.ops.softmax(logits))


# %% [markdown]
# ## 2 · The filters of the first layer
#
# One layer's filters can simply be looked at: the first. Its input are colours, so a filter of
# 3×3×3 numbers *is* a tiny colour picture. (A filter of a later layer has as many channels as the
# maps before it. Nobody has eyes for 96 colours.)
#
# **Predict.** The network has 32 of them. Do you expect more filters for edges in grey, or more
# that compare *colours*?

# %%
prediction_first = None  # "grey" or "colour"

# %%
kernels = network.get_layer("stem_conv").get_weights()[0]  # (3, 3, 3, 32)
grey_part = kernels.mean(axis=2, keepdims=True)  # what all three colours have in common
energy = (kernels**2).sum(axis=(0, 1, 2))
alive = np.flatnonzero(energy > 1e-4 * energy.max())
grey_share = (3 * grey_part**2).sum(axis=(0, 1, 2))[alive] / energy[alive]
order = np.argsort(-grey_share)

figure, axes = plt.subplots(3, 12, figsize=(8, 2.4), layout="constrained")
for axis, number in zip(axes.flat, order, strict=False):
    kernel = kernels[..., alive[number]]
    picture_on(axis, 127.5 + 127.5 * kernel / np.abs(kernel).max())
    axis.set_title(f"{grey_share[number]:.0%}", size=8)
for axis in axes.flat[len(order) :]:
    axis.axis("off")
show(
    figure,
    alt="The 28 filters of the first layer that are not zero, as pictures of 3 by 3 pixels, sorted "
    "by the share that is grey, from 87 to 0 per cent. The first ones have bright and dark pixels "
    "side by side; the last seven are patches of one colour, green, violet, blue, orange, pink.",
)
more_grey = int((grey_share > 0.5).sum())
more_colour = len(order) - more_grey
print(f"mostly grey: {more_grey}, mostly colour: {more_colour}, all but zero: {32 - len(order)}")
compare_prediction(prediction_first, "grey" if more_grey > more_colour else "colour")

# %% [markdown]
# Edges in several directions, and colour against colour: nearly every network for photographs
# finds such filters, whatever it is trained for. Four more have died while learning, and nobody
# missed them. With 3×3 pixels there is little room; AlexNet's
# 11×11 filters (lesson 06) show it more prettily.
#
# ## 3 · Feature maps, layer by layer
#
# Later filters cannot be looked at, but their **answers** can: send a picture in, and take the
# feature maps out. In Keras a model is a graph of layers, and another model may begin and end
# anywhere in that graph. `keras.Model(inputs, outputs)` accepts a *list* of outputs, so one call
# gives the maps of many layers. (In old code you find `Sequential.output`, or `K.function`.)
#
# ### Exercise 1 · `feature_maps` (3 points)
#
# Take the outputs of the named layers for **one** picture. The model may have shortcuts, so that
# handing the picture from layer to layer in a loop does not work. Batch normalisation and dropout
# must behave as they do when a network is *used*.


# %% nbgrader={"grade_id": "feature_maps", "solution": true}
def feature_maps(model, picture, layer_names):
    """Compute what some layers of a model put out for one picture.

    Parameters
    ----------
    model : keras.Model
        A sequential or functional model with one input.
    picture : numpy.ndarray
        Shape (height, width, depth): no axis for several pictures.
    layer_names : list of str
        Names of layers, in any order.

    Returns
    -------
    list of numpy.ndarray
        The outputs of these layers in the order of the names, without an axis for several
        pictures: (h, w, d) for a layer that puts out maps.
    """
    ### BEGIN SOLUTION
    looking = keras.Model(model.input, {name: model.get_layer(name).output for name in layer_names})
    outputs = looking(picture[np.newaxis], training=False)
    return [np.array(outputs[name])[0] for name in layer_names]
    ### END SOLUTION


# %% nbgrader={"grade_id": "small_networks", "locked": true}
# Small networks with drawn weights, for the checks.


def small_network(seed, *, head="pooling", shape=(12, 10, 3), classes=4):
    """A network with a shortcut, batch normalisation and dropout that ends in logits."""
    layers = keras.layers
    inputs = keras.Input(shape)
    x = layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    x = around = layers.LeakyReLU(0.3, name="bend")(x)
    x = layers.Conv2D(4, 3, padding="same", name="second")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Add(name="sum")([x, around])
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Dropout(0.4, name="drop")(x)
    x = layers.Conv2D(6, 3, padding="same", name="last")(x)
    x = layers.LeakyReLU(0.3, name="last_bend")(x)
    x = layers.GlobalAveragePooling2D()(x) if head == "pooling" else layers.Flatten()(x)
    if head == "two dense":
        x = layers.LeakyReLU(0.3)(layers.Dense(7)(x))
    model = keras.Model(inputs, layers.Dense(classes, name="scores")(x))
    dice = np.random.default_rng(seed)
    for weight in model.weights:
        kind, size = weight.name.split("/")[-1], tuple(weight.shape)
        if kind in ("gamma", "moving_variance"):
            weight.assign(dice.uniform(0.5, 2, size=size))
        elif kind == "kernel":
            weight.assign(dice.normal(scale=1.5 / math.sqrt(np.prod(size[:-1])), size=size))
        else:
            weight.assign(dice.normal(scale=0.4, size=size))
    return model


def small_pictures(seed, number=1, shape=(12, 10, 3)):
    """Drawn pictures with pixels between −1 and 1."""
    return np.random.default_rng(seed).uniform(-1, 1, size=(number, *shape)).astype("float32")


# %% nbgrader={"grade_id": "test_feature_maps", "grade": true, "points": 3}
exercise = checks.Exercise(
    "feature_maps",
    points=3,
    seconds=20,
    hints={
        "batch-axis": "One picture went in: the axis for several pictures should be gone.",
        "one-name": "For a list of one output Keras returns the output itself, and no list.",
        "order": "The maps come in the order of the names that were asked for.",
        "layer-before": "That is what goes *into* the layer. What comes out of it?",
        "training": "Batch normalisation worked as in training: the network is being used.",
        "raw-kernel": "Those are the layer's weights, not its answer to the picture.",
        "averaged": "You averaged something away: every map keeps its places and its depth.",
        "depth-first": "The depth comes last: (height, width, depth).",
        "all-layers": "Only the layers that were asked for, please.",
    },
)
_model, _picture = small_network(1), small_pictures(2)[0]
_first = np.array(keras.Sequential(_model.layers[:2])(_picture[np.newaxis]))[0]
exercise.array(
    "one layer: the first convolution",
    lambda: feature_maps(_model, _picture, ["first"])[0],
    _first,
    mistakes={
        "batch-axis": _first[np.newaxis],
        "layer-before": _picture,
        "averaged": _first.mean(axis=2),
        "depth-first": _first.transpose(2, 0, 1),
        "one-name": _first[0],
        "raw-kernel": _model.get_layer("first").get_weights()[0],
    },
)
exercise.number(
    "three names: how many arrays?",
    lambda: len(feature_maps(_model, _picture, ["pool", "first", "sum"])),
    3,
    weight=0.5,
    mistakes={"all-layers": len(_model.layers)},
)
exercise.shape(
    "three names: shape of the first array, that of “pool”",
    lambda: np.shape(feature_maps(_model, _picture, ["pool", "first", "sum"])[0]),
    (6, 5, 4),
    weight=0.5,
    mistakes={
        "order": (12, 10, 4),
        "batch-axis": (1, 6, 5, 4),
        "depth-first": (4, 6, 5),
        "averaged": (6, 5),
    },
)
### BEGIN HIDDEN TESTS


def _answers_of(model, picture, names, training=False):
    """What comes out of layers, by a model that gives everything."""
    everything = keras.Model(model.input, {layer.name: layer.output for layer in model.layers})
    kept = model.get_weights()
    given = everything(picture[np.newaxis], training=training)
    model.set_weights(kept)  # training moves the averages of batch normalisation
    return [np.array(given[name])[0] for name in names]


for _names in (["last", "norm", "first"], ["sum", "last_bend", "drop"]):
    _given = small_network(int(exercise.rng.integers(2**31)), head="flat")
    _one = small_pictures(int(exercise.rng.integers(2**31)))[0]
    _right = _answers_of(_given, _one, _names)
    _in_training = _answers_of(_given, _one, _names, training=True)
    _line = [layer.name for layer in _given.layers]
    _before = _answers_of(_given, _one, [_line[_line.index(_name) - 1] for _name in _names])
    _sorted = _answers_of(_given, _one, sorted(_names, key=_line.index))
    for _place, _name in enumerate(_names):
        exercise.hidden.array(
            f"a drawn network: the maps of “{_name}”",
            lambda _given=_given, _one=_one, _names=_names, _place=_place: feature_maps(
                _given, _one, _names
            )[_place],
            _right[_place],
            rtol=1e-4,
            atol=1e-5,
            weight=0.5,
            mistakes={
                "batch-axis": _right[_place][np.newaxis],
                "order": _sorted[_place],
                "layer-before": _before[_place],
                "training": _in_training[_place],
                "averaged": _right[_place].mean(axis=2),
                "depth-first": _right[_place].transpose(2, 0, 1),
            },
        )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### The cat, layer by layer
#
# **Predict.** From layer to layer the maps get smaller and more numerous. The picture of the cat
# has SIZE·SIZE·3 numbers. Where in the network are *most* numbers: right at the beginning, in the
# middle, or at the end?

# %%
prediction_most = None  # "beginning", "middle" or "end"

# %%
STAGES = ("stem_relu6", "block2a_expand_relu6", "block3b_expand_relu6")
STAGES += ("block4c_expand_relu6", "block5c_expand_relu6", "head_relu6")
through = keras.Model(network.input, [network.get_layer(name).output for name in STAGES])
cat_maps = {
    name: np.array(maps)[0]
    for name, maps in zip(STAGES, through(pictures[:1], training=False), strict=True)
}
counts = {name: maps.size for name, maps in cat_maps.items()}
print(f"{'layer':24}{'maps':>16}{'numbers':>11}{'of them 0':>12}")
print(f"{'the picture':24}{f'{SIZE}×{SIZE}×3':>16}{3 * SIZE * SIZE:>11,}")
for name, maps in cat_maps.items():
    shape = "×".join(map(str, maps.shape))
    print(f"{name:24}{shape:>16}{maps.size:>11,}{np.mean(maps == 0):>12.0%}")
place = STAGES.index(max(counts, key=counts.get))
third = ("beginning", "middle", "end")[place // 2]
compare_prediction(prediction_most, third)

# %%
PICKED = ("stem_relu6", "block3b_expand_relu6", "block5c_expand_relu6", "head_relu6")
figure, axes = plt.subplots(4, 5, figsize=(5.2, 4.4), layout="constrained")
for row, name in zip(axes, PICKED, strict=True):
    maps = cat_maps[name]
    height, width, depth = maps.shape
    words = f"{name.removesuffix('_relu6')}\n\n{depth} maps\nof {height}×{width}"
    row[0].text(0.5, 0.5, words, ha="center", va="center", size=9)
    row[0].axis("off")
    liveliest = np.argsort(-maps.std(axis=(0, 1)))[[0, 1, 2, 4]]
    for axis, number in zip(row[1:], liveliest, strict=True):
        small = coarser(maps[..., number], max(1, height // 48))
        picture_on(axis, small, f"map {number}", size=8, cmap=SIXTEEN)
show(
    figure,
    alt="Four of the liveliest feature maps of four layers for the photograph of the cat, one row "
    "for each layer. In the first row one sees the cat's face, as shades and edges. In the "
    "second it is a pattern of coarse squares. In the third most squares are dark and a few "
    "bright; one or two maps are bright at two places, where the eyes are. The last row has "
    "maps of six by six squares, with one bright area each.",
)

# %% [markdown]
# Read the rows from top to bottom. First the maps are *pictures of the picture*: one sees the cat,
# once as shades, then as edges in this and that direction. Then they become coarse and sparse. Look
# for a map in the row of block 5 that is bright at two places only: where the cat has its eyes. At
# the end a map has 36 places, and says little more than "yes, on the left". *Where* has been traded
# for *what*. (ReLU6 cuts at 6, so the maps of the last rows look flat where they are bright.)
#
# A smaller network can be seen whole: [see_inside](../../playground/see_inside.ipynb), in the
# course's folder `playground`, follows a digit that you draw through all maps of a CNN.
#
# ## 4 · What does a filter like best?
#
# A map tells where a filter answers. It does not tell *to what*. So let us search: begin with noise
# and change the **picture**, step by step, so that the filter's mean answer grows. It is gradient
# descent turned round. The weights stay; the pixels learn.
#
# **Predict.** The filter sits in block 5 of 7. What will the picture look like that this search
# finds: an object, a texture, or noise?

# %%
prediction_plain = None  # "object", "texture" or "noise"

# %%


def pusher(layer_name):
    """Make a function that tells how pictures should change to please maps of a layer.

    It takes pictures, (n, h, w, 3), and weights, (n, maps of the layer), and returns the gradient
    of the weighted sum of the maps' means, (n, h, w, 3).
    """
    until = keras.Model(network.input, network.get_layer(layer_name).output)

    @compiled(PICTURES, WEIGHTS)
    def push(pictures, weights):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            maps = until(pictures, training=False)
            score = tf.reduce_sum(weights * tf.reduce_mean(maps, axis=(1, 2)))
        return tape.gradient(score, pictures)

    push.depth = until.output.shape[-1]
    return push


def blurred(pictures, amount):
    """Mix every pixel with its four neighbours; the picture goes on at the opposite side."""
    beside = sum(np.roll(pictures, step, axis) for step in (1, -1) for axis in (1, 2)) / 4
    return (1 - amount) * pictures + amount * beside


# %%
PAINT = 128  # pixels a side
STEPS = by_scale(quick=48, full=160, grading=0)
FILTER = 17  # of layer block5c
push_late = pusher("block5c_add")
dice = np.random.default_rng(4)

TREATMENTS = ("plain", "+ jitter", "+ jitter, blur")
painted = 127 + 10 * dice.normal(size=(1, PAINT, PAINT, 3)).astype("float32").repeat(3, axis=0)
wanted = keras.utils.to_categorical([FILTER] * 3, push_late.depth).astype("float32")
for step in range(STEPS):
    down, right = dice.integers(-8, 9, size=2)
    painted[1:] = np.roll(painted[1:], (down, right), axis=(1, 2))
    uphill = np.array(push_late(painted, wanted))
    painted += 6 * uphill / (uphill.std(axis=(1, 2, 3), keepdims=True) + 1e-12)
    painted[2:] = blurred(painted[2:], amount=0.6 * (1 - step / STEPS))
    painted = painted.clip(0, 255)
    painted[1:] = np.roll(painted[1:], (-down, -right), axis=(1, 2))

# %% [markdown]
# All pictures below please the filter. Only the ways differ. *Plain*: add the gradient, and
# again. *Jitter*: before each step, shift the picture by a few pixels at random, so that nothing
# can depend on a particular pixel's place. *Blur*: smooth a little after each step, much at first
# and less later.
#
# A fourth way changes not the pixels but the picture's **waves**. A photograph is a sum of waves of
# all lengths, and long ones are strong. If the strength of a wave of frequency $f$ is written as
# $f^{-\beta}$, what is $\beta$ for our five photographs? And colours are not independent either: in
# photographs red, green and blue rise and fall together. Both can be measured:

# %%
large = np.stack([square_picture(load_photograph(name), PAINT) for name in NAMES]) / 255.0
frequency = np.hypot(np.fft.fftfreq(PAINT)[:, np.newaxis], np.fft.rfftfreq(PAINT))
windowed = (large - large.mean(axis=(1, 2), keepdims=True)) * np.hanning(PAINT)[:, None, None]
windowed *= np.hanning(PAINT)[:, None]
strength = np.abs(np.fft.rfft2(windowed, axes=(1, 2))).mean(axis=(0, 3))
middle = (frequency > 0.02) & (frequency < 0.4)
BETA = -np.polyfit(np.log(frequency[middle]), np.log(strength[middle]), 1)[0]

(colours, _), _ = load("cifar10")
covariance = np.cov(colours[:1000].reshape(-1, 3).T / 255.0)
sizes, directions = np.linalg.eigh(covariance)
MIX = (directions * np.sqrt(sizes) / math.sqrt(sizes.max()))[:, ::-1]  # three independent colours
print(f"waves of our photographs: strength ∝ f^−{BETA:.2f}")
for part, direction in zip(sizes[::-1] / sizes.sum(), MIX.T, strict=True):
    told = ", ".join(f"{value:+.2f}" for value in direction)
    print(f"{part:6.1%} of the variation of CIFAR-10's colours: (red, green, blue) ∝ ({told})")

# %%


def paint(spectra):
    """Pictures 0 … 255, (n, side, side, 3), from real and imaginary parts of their waves."""
    side = spectra.shape[3]
    f = np.hypot(np.fft.fftfreq(side)[:, np.newaxis], np.fft.rfftfreq(side))
    scale = (side / 10 / np.maximum(f, 1 / side) ** BETA).astype("float32")
    waves = tf.complex(spectra[0] * scale, spectra[1] * scale)
    independent = tf.transpose(tf.signal.irfft2d(waves), (0, 2, 3, 1))
    return 255 * tf.sigmoid(tf.einsum("nhwc,dc->nhwd", independent, MIX.astype("float32")))


def shaken(pictures, dice, zoom):
    """The pictures a little larger or smaller, and a piece of them: jitter."""
    side = pictures.shape[1]
    frame = tf.pad(pictures, ((0, 0), (8, 8), (8, 8), (0, 0)), constant_values=127)
    size = max(side, int((side + 16) * dice.uniform(*zoom)))
    frame = tf.image.resize(frame, (size, size))
    top, left = dice.integers(0, size - side + 1, size=2)
    return frame[:, top : top + side, left : left + side]


def grow(push, weights, *, steps=STEPS, side=PAINT, zoom=(0.95, 1.1), rate=0.06, seed=0):
    """Paint the pictures that please weighted maps (or logits) most, one for each row."""
    dice = np.random.default_rng(seed)
    start = 0.01 * dice.normal(size=(2, len(weights), 3, side, side // 2 + 1))
    spectra = keras.Variable(start.astype("float32"))
    optimizer = keras.optimizers.Adam(rate)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            seen = shaken(paint(spectra.value), dice, zoom)
        uphill = push(seen, weights)  # how the pixels should change …
        uphill = tape.gradient(seen, spectra.value, output_gradients=uphill)  # … and the waves
        optimizer.apply([-uphill], [spectra])
    return np.array(paint(spectra.value))


# %%
by_waves = grow(push_late, wanted[:1])
until_late = keras.Model(network.input, network.get_layer("block5c_add").output)
compared = np.concatenate([painted, by_waves, pictures[:1, :PAINT, :PAINT]][: STEPS + 2])
liked = np.array(until_late(compared, training=False))[..., FILTER].mean(axis=(1, 2))
figure, axes = plt.subplots(1, 4, figsize=(5.8, 1.75), layout="constrained")
for axis, picture, title in zip(
    axes, [*painted, by_waves[0]], (*TREATMENTS, "waves and colours"), strict=True
):
    picture_on(axis, picture, title)
show(
    figure,
    photographs=True,
    alt=f"Four pictures that filter {FILTER} of layer block5c likes. Plain ascent: coloured noise "
    "in which dark spots can be made out. With jitter they are joined by wavy lines. With "
    "blur, too, the noise has gone pale, and rows of eyes look out of a wavy skin. Made of "
    "waves and independent colours: large soft areas of colour, and in them rows of dark "
    "eyes.",
)
for name, value in zip((*TREATMENTS, "waves and colours", "the cat"), liked, strict=False):
    print(f"{name:18} the filter's mean answer: {value:6.1f}")
print(f"you predicted: {prediction_plain}")

# %% [markdown]
# What does the filter like? Eyes, it seems, in rows. But plain ascent buries them in **noise**, and
# the noise is no flaw of the computation. Look at the numbers: it pleases the filter *most* of all
# four, and a real photograph leaves it cold. (Section 11 will make use of that.) To see something
# that a photograph could show, one has to search among pictures that resemble photographs. Jitter,
# blur and waves are three ways to say so. The painting is therefore a dialogue: part of it is the
# filter's taste, and part is ours. The colours of the last picture, for example, are free: another
# start gives other ones, and the same eyes.
#
# With the last way, filters at three depths:

# %%
LAYERS = {  # layer → filters, chosen among the first hundred because they are easy to describe
    "block2b_add": (0, 9, 14, 4),
    "block3b_add": (0, 5, 11, 33),
    "block5c_add": (3, 17, 40, 80),
}
gallery = {}
for name, filters in LAYERS.items():
    push = push_late if name == "block5c_add" else pusher(name)
    chosen = keras.utils.to_categorical(filters, push.depth).astype("float32")
    gallery[name] = grow(push, chosen)

# %%
figure, axes = plt.subplots(3, 4, figsize=(5.0, 4.2), layout="constrained")
for row, (name, filters) in zip(axes, LAYERS.items(), strict=True):
    for axis, number, picture in zip(row, filters, gallery[name], strict=True):
        picture_on(axis, picture, f"{name.removesuffix('_add')}, filter {number}", size=8)
show(
    figure,
    photographs=True,
    alt="Pictures that please filters of three layers. Block 2: fine slanting strokes, dots and "
    "stripes in a few colours. Block 3: nets, curls, brickwork, woven strips. Block 5: overlapping "
    "shells, rows of eyes in wavy skin, curved rows of bricks, a scaly neck.",
)

# %% [markdown]
# Strokes and dots; nets, bricks and weaves; shells, eyes and arches. Each layer combines what the
# one before has found. It is the spatial hierarchy of lesson 01, painted by the network itself.
#
# ## 5 · The picture of a class
#
# The same works for the last layer: which picture makes the *logit* of a class as large as
# possible? (The logit and not the probability. A probability also grows when all the others fall,
# and near 1 it hardly moves.)

# %%
CLASSES = by_scale(
    quick=("flamingo", "goldfish", "daisy", "volcano", "zebra"),
    full=(
        "flamingo",
        "goldfish",
        "daisy",
        "volcano",
        "zebra",
        "pineapple",
        "tarantula",
        "hourglass",
    ),
    grading=("daisy",),
)
labels = [class_names.index(name) for name in CLASSES]
side = by_scale(quick=PAINT, full=192, grading=64)
CLASS_STEPS = by_scale(quick=56, full=200, grading=0)
class_pictures = grow(
    pixel_gradients, only(labels), steps=CLASS_STEPS, side=side, zoom=(0.9, 1.4), rate=0.08, seed=3
)

rows = math.ceil(len(labels) / 5)
figure, axes = plt.subplots(rows, 5, figsize=(6.6, 1.65 * rows), layout="constrained")
for axis in axes.flat:
    axis.axis("off")
for axis, name, label, picture in zip(axes.flat, CLASSES, labels, class_pictures, strict=False):
    sure = softmax(look(picture[np.newaxis])[1])[0, label]
    picture_on(axis, picture, f"{name}: {sure:.0%}")
show(
    figure,
    photographs=True,
    alt="Pictures painted for five classes, each with the probability that the network gives it. "
    "Flamingo: pink birds with curved necks over water. Goldfish: orange fish, one with an eye. "
    "Daisy: white petals around yellow hearts. Volcano: a cone with glowing red slopes. Zebra: a "
    "striped head with a dark muzzle, before green.",
)

# %% [markdown]
# Nobody drew this. The network has been told nothing but names, and yet one sees what a flamingo is
# to it: a curved neck, pink, water below. Several at once, hardly a leg, no particular size: a sum
# of features and not an animal. A volcano is what glows on a slope.
#
# Two confessions. Each start gives another picture, and we tried four and show the best; `seed=3`
# is the place to try others. And the network is entirely sure of every one of them, also of those
# that we find poor. Its 100 % are no measure of likeness.
#
# ## 6 · Dreaming
#
# Begin with a photograph instead of noise, and you get what went through the press in 2015 as
# **DeepDream**. The recipe: take a layer, and make *whatever it sees* stronger. A hint of an eye
# becomes an eye. Its secret is the **octaves**: dream on a small version of the picture first, so
# that large shapes appear, then enlarge the result, put the lost detail back, and dream on.

# %%
OCTAVES = by_scale(quick=(0.5, 0.71, 1.0), full=(0.35, 0.5, 0.71, 1.0), grading=(0.25,))
DREAM_STEPS = by_scale(quick=12, full=24, grading=0)
dreams = {"shells": (3, 17), "arches": (40, 80)}  # filters of block5c


def resized(picture, size):
    """A picture, (1, h, w, 3), at another size."""
    return np.array(tf.image.resize(picture, size, antialias=True))


def dream(photograph, filters, *, steps=DREAM_STEPS, rate=2.0):
    """Let a photograph, (h, w, 3), drift to what filters of block5c like."""
    photograph = photograph[np.newaxis].astype("float32")
    weights = np.zeros((1, push_late.depth), "float32")
    weights[0, list(filters)] = 1
    full_size = np.array(photograph.shape[1:3])
    dice = np.random.default_rng(1)
    change = np.zeros((1, 8, 8, 3), "float32")
    for octave in OCTAVES:
        size = (full_size * octave).astype(int)
        original, change = resized(photograph, size), resized(change, size)
        for _ in range(steps):
            jitter = tuple(dice.integers(-16, 17, size=2))
            moved = np.roll((original + change).clip(0, 255), jitter, axis=(1, 2))
            uphill = np.roll(np.array(push_late(moved, weights)), np.negative(jitter), axis=(1, 2))
            change += rate * uphill / (np.abs(uphill).mean() + 1e-12)
    return (original + change)[0]


scene = load_photograph("china")
dreamt = {name: dream(scene, filters) for name, filters in dreams.items()}

# %%
figure, axes = plt.subplots(1, 2, figsize=(5.4, 2.1), layout="constrained")
for axis, (name, picture) in zip(axes, dreamt.items(), strict=True):
    picture_on(axis, picture, f"the tower, dreaming of {name}")
show(
    figure,
    photographs=True,
    alt="Two dreams of the photograph of the tower above the trees. In the first the trees have "
    "become round shells with fine ribs, scales cover the walls, and the pale sky is full of fans. "
    "In the second, sky and trees are laid in curved rows of little bricks around the tower.",
)

# %% [markdown]
# Every dream tells about the dreamer. Ask other filters, and the same tower grows other things:
# change the numbers in `dreams` and see. If you like a photograph of your own better, load it with
# Pillow and hand its pixels to `dream`.
#
# ## 7 · Which pixels did it use?
#
# From here on the question is about **one** photograph. Why "Egyptian cat"?
#
# ### The gradient as an explanation
#
# The simplest answer has been at hand all along. If a pixel gets a little brighter, how much does
# the logit $z_c$ of class $c$ change? That is the gradient $\partial z_c / \partial x$, one number
# for each pixel and colour. Turn the network around once, and you have all of them. Here are those
# of the cat, as they are: grey is 0, red positive, blue negative.

# %%
(_, logits) = look(pictures)
best_labels = np.argmax(logits, axis=1)
raw = np.array(pixel_gradients(pictures, only(best_labels)))  # (5, SIZE, SIZE, 3)

middle = slice(SIZE * 5 // 16, SIZE * 5 // 16 + 40)  # a piece of 40×40 pixels: an eye
near = (slice(SIZE // 4, SIZE // 4 + 40), middle)
figure, axes = plt.subplots(1, 4, figsize=(8, 2.3), layout="constrained")
picture_on(axes[0], pictures[0][near], "40×40 pixels of the cat")
limit = np.quantile(np.abs(raw[0]), 0.995)
pale = plt.get_cmap("RdBu_r", 17)
for axis, channel, name in zip(axes[1:], range(3), ("red", "green", "blue"), strict=True):
    values = raw[0][near][..., channel]
    picture_on(axis, values, f"gradient, {name}", cmap=pale, vmin=-limit, vmax=limit)
show(
    figure,
    alt="A piece of the cat's face with an eye, and three maps of the gradient with respect to the "
    "red, green and blue of its pixels: red and blue squares of both signs side by side, strongest "
    "for green, with no likeness to an eye.",
)
print(f"positive {np.mean(raw[0] > 0):.0%}, negative {np.mean(raw[0] < 0):.0%}")

# %% [markdown]
# As many positive as negative numbers, pixel beside pixel. For an explanation the sign is of little
# use: whether a whisker counts because it is brighter or darker than the fur does not matter. So
# one takes the *size*, and makes one number of the three colours. Simonyan, Vedaldi and Zisserman
# (2014) called the result a **saliency map** and took the largest of the three.
#
# ### Exercise 2 · `saliency` (4 points)
#
# Write it for any model that ends in logits: the gradient of **one class's logit** with respect to
# the pixels of one picture; its absolute values; the largest over the colours. A tape has to be
# told to `watch` what is no variable. Nothing is normalised.


# %% nbgrader={"grade_id": "saliency", "solution": true}
def saliency(model, picture, label):
    """Compute how strongly the logit of a class depends on each pixel.

    Parameters
    ----------
    model : keras.Model
        Ends in logits, with no softmax.
    picture : numpy.ndarray
        Shape (height, width, depth).
    label : int
        The class.

    Returns
    -------
    numpy.ndarray
        Shape (height, width): the largest absolute value of the gradient over the depth.
    """
    ### BEGIN SOLUTION
    pixels = tf.constant(picture[np.newaxis], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logit = model(pixels, training=False)[0, label]
    gradient = tape.gradient(logit, pixels)[0]
    return np.abs(gradient.numpy()).max(axis=-1)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_saliency", "grade": true, "points": 4}
exercise = checks.Exercise(
    "saliency",
    points=4,
    seconds=20,
    hints={
        "signed": "The largest *signed* number: a strong negative gradient is strong, too.",
        "abs-too-late": "Absolute values first, then the largest over the depth.",
        "sum-over-depth": "You added over the depth; the largest was asked for.",
        "mean-over-depth": "That is the mean over the depth; the largest was asked for.",
        "length": "That is the length over the depth; the largest was asked for.",
        "depth-kept": "One number for each pixel: what becomes of the depth?",
        "batch-axis": "One picture went in: the axis for several pictures should be gone.",
        "probability": "That is the gradient of a probability. Softmax mixes in all other classes.",
        "loss": "That is the gradient of a loss. It vanishes when the network is sure.",
        "best-class": "You took the network's favourite class, not the one that was asked for.",
        "all-classes": "You summed over all classes: only one logit was asked for.",
        "times-picture": "You multiplied by the picture: only the gradient was asked for.",
        "normalised": "The map was rescaled; it should be left as it is.",
    },
)


def _paper_case():
    """One dense layer on 2×2 pixels of depth 3: the gradients are its weights."""
    model = keras.Sequential(
        [keras.Input((2, 2, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    kernel = np.array(
        [[3, 1], [-5, 2], [1, 0], [0, 4], [2, -6], [1, 1],
         [-1, 3], [-2, 0], [-4, 2], [6, 1], [0, 5], [-6, -7]],
        "float32",
    )  # fmt: skip
    model.set_weights([kernel, np.zeros(2, "float32")])
    return model, kernel


_model, _kernel = _paper_case()
_picture = np.arange(12, dtype="float32").reshape(2, 2, 3) / 12
exercise.array(
    "one dense layer, class 0: the gradient is its weights",
    lambda: saliency(_model, _picture, 0),
    [[5, 2], [4, 6]],
    mistakes={
        "signed": [[3, 2], [-1, 6]],
        "abs-too-late": [[3, 2], [1, 6]],
        "sum-over-depth": [[9, 3], [7, 12]],
        "mean-over-depth": [[3, 1], [7 / 3, 4]],
        "length": np.sqrt([[35, 5], [21, 72]]),
        "depth-kept": np.abs(_kernel[:, 0]).reshape(2, 2, 3),
        "batch-axis": [[[5, 2], [4, 6]]],
        "best-class": [[2, 6], [3, 7]],
        "all-classes": [[4, 4], [2, 13]],
        "times-picture": (np.abs(_kernel[:, 0]).reshape(2, 2, 3) * _picture).max(axis=2),
        "normalised": np.array([[5, 2], [4, 6]]) / 6,
    },
)
exercise.array(
    "the same, class 1",
    lambda: saliency(_model, _picture, 1),
    [[2, 6], [3, 7]],
    mistakes={
        "signed": [[2, 4], [3, 5]],
        "all-classes": [[4, 4], [2, 13]],
        "batch-axis": [[[2, 6], [3, 7]]],
        "sum-over-depth": [[3, 11], [5, 13]],
        "normalised": np.array([[2, 6], [3, 7]]) / 7,
    },
)
### BEGIN HIDDEN TESTS


def _slope(model, picture, label, kind="logit", training=False):
    """Gradient for each pixel and colour of a logit, a probability or a loss."""
    kept, pixels = model.get_weights(), tf.constant(picture[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        scores = model(pixels, training=training)
        chosen = {
            "logit": scores[:, label],
            "probability": tf.nn.softmax(scores)[:, label],
            "loss": -tf.nn.log_softmax(scores)[:, label],
            "all": tf.reduce_sum(scores, axis=1),
        }[kind]
    model.set_weights(kept)
    return np.array(tape.gradient(chosen, pixels))[0]


for _head in ("pooling", "flat", "two dense"):
    _given = small_network(int(exercise.rng.integers(2**31)), head=_head)
    _one = small_pictures(int(exercise.rng.integers(2**31)))[0]
    _best = int(np.argmax(_given(_one[np.newaxis])))
    _label = (_best + int(exercise.rng.integers(1, 4))) % 4
    _g = _slope(_given, _one, _label)
    _map = np.abs(_g).max(axis=2)
    exercise.hidden.array(
        f"a drawn network ({_head}), a class that is not the network's favourite",
        lambda _given=_given, _one=_one, _label=_label: saliency(_given, _one, _label),
        _map,
        rtol=1e-3,
        atol=1e-6,
        weight=1.5,
        mistakes={
            "signed": _g.max(axis=2),
            "abs-too-late": np.abs(_g.max(axis=2)),
            "sum-over-depth": np.abs(_g).sum(axis=2),
            "mean-over-depth": np.abs(_g).mean(axis=2),
            "length": np.linalg.norm(_g, axis=2),
            "depth-kept": np.abs(_g),
            "batch-axis": _map[np.newaxis],
            "probability": np.abs(_slope(_given, _one, _label, "probability")).max(axis=2),
            "loss": np.abs(_slope(_given, _one, _label, "loss")).max(axis=2),
            "best-class": np.abs(_slope(_given, _one, _best)).max(axis=2),
            "all-classes": np.abs(_slope(_given, _one, _label, "all")).max(axis=2),
            "times-picture": np.abs(_g * _one).max(axis=2),
            "normalised": _map / _map.max(),
        },
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### SmoothGrad: ask many times
#
# Saliency maps of deep networks are speckled. The gradient is true for the exact picture, and jumps
# when the picture changes by next to nothing. **SmoothGrad** (Smilkov and others 2017) asks for the
# gradients of many slightly noisy copies and takes the mean of the maps: what is there for all
# copies stays, chance averages out.
#
# ### Occlusion: cover something up
#
# And one can do without any gradient: cover a square of the picture in grey and see by how much the
# probability falls. Then move the square (Zeiler and Fergus 2014). It is slow, a hundred questions
# instead of one, but it means what it says: *without this, the network would not have said cat*.
#
# **Predict.** Which part of the cat's face is missed most when it is covered: an eye, the nose, or
# the mouth and chin?

# %%
prediction_part = None  # "eye", "nose" or "mouth"

# %%
SAMPLES = by_scale(quick=12, full=50, grading=1)
WINDOW, STRIDE = SIZE // 5, by_scale(quick=SIZE // 12, full=SIZE // 24, grading=SIZE // 2)


def strength_map(gradients):
    """Length of the gradient over the three colours, (…, h, w)."""
    return np.linalg.norm(gradients, axis=-1)


def smooth_map(picture, label, samples=SAMPLES, noise=25.0, seed=0):
    """Mean of the maps of noisy copies of one picture."""
    dice = np.random.default_rng(seed)
    copies = picture + dice.normal(scale=noise, size=(samples, *picture.shape))
    gradients = pixel_gradients(copies.astype("float32"), only([label] * samples))
    return strength_map(np.array(gradients)).mean(axis=0)


def occlusion_map(picture, label, window=WINDOW, stride=STRIDE):
    """How much the probability falls when a window at each place is grey, (rows, columns)."""
    starts = range(-window // 2, SIZE - window // 2 + 1, stride)  # the window's middle: 0 … SIZE
    covered = np.repeat(picture[np.newaxis], len(starts) ** 2, axis=0)
    for number, (top, left) in enumerate((top, left) for top in starts for left in starts):
        covered[number, max(top, 0) : top + window, max(left, 0) : left + window] = 127
    asked = np.split(covered, range(32, len(covered), 32))
    sure = np.concatenate([softmax(look(some)[1])[:, label] for some in asked])
    before = softmax(look(picture[np.newaxis])[1])[0, label]
    return (before - sure).reshape(len(starts), -1)


shown = by_scale(quick=(0, 1), full=range(5), grading=(0,))
smooth = {n: smooth_map(pictures[n], best_labels[n]) for n in shown}
start = time.perf_counter()
occlusion = {n: occlusion_map(pictures[n], best_labels[n]) for n in shown}
seconds = time.perf_counter() - start

# %%
figure, axes = plt.subplots(
    len(shown), 3, figsize=(4.8, 1.75 * len(shown)), layout="constrained", squeeze=False
)
for row, n in zip(axes, shown, strict=True):
    for axis, values, title in (
        (row[0], strength_map(raw[n]), f"{class_names[best_labels[n]]}: gradient"),
        (row[1], smooth[n], "SmoothGrad"),
    ):
        values = coarser(values, 3)  # calmer to look at
        picture_on(axis, values, title, cmap="inferno", vmin=0, vmax=np.quantile(values, 0.995))
    heat_on(
        row[2], pictures[n], (occlusion[n] / max(occlusion[n].max(), 1e-9)).clip(0), "occlusion"
    )
show(
    figure,
    photographs=True,
    alt="Three maps of the cat and three of the coffee. The gradient is speckled; for the coffee "
    "one can make out the cup. SmoothGrad is brightest at the cat's two eyes and most of all "
    "at its mouth, and over the coffee and the front of the cup. Occlusion is a coarse map: "
    "for the cat bright at the chin, for the cup bright over the coffee, dark everywhere "
    "else.",
)
for n in shown:
    place = np.unravel_index(np.argmax(occlusion[n]), occlusion[n].shape)
    print(
        f"{class_names[best_labels[n]]}: a window around row {place[0] * STRIDE}, column "
        f"{place[1] * STRIDE} costs most: {100 * occlusion[n].max():.0f} points of probability"
    )
covered = sum(one.size for one in occlusion.values())
print(
    f"{covered} covered pictures in {seconds:.1f} s; for the cat you predicted: {prediction_part}"
)

# %% [markdown]
# The three do not agree, and need not: they answer different questions. The gradient asks about
# changes too small to see, occlusion about a square of fur. Where a class has many supports (two
# eyes, whiskers, stripes), covering one of them costs little, and occlusion shows nothing there.
# And a grey square is not *nothing*: it has edges of its own, and the network has never seen a cat
# with a grey square.
#
# ## 8 · Where did it look? From CAM to Grad-CAM
#
# The end of this network is simple: the last maps $A_d$ (here 1,280 of them) are averaged over all
# places, $g_d = \frac{1}{hw}\sum_{ij} A_d(i,j)$, and a dense layer makes logits of them,
# $z_c = \sum_d w_{dc}\, g_d + b_c$. Swap the two sums, and the logit becomes a mean over *places*:
#
# $$z_c = \frac{1}{hw} \sum_{ij} \underbrace{\sum_d w_{dc} A_d(i,j)}_{\text{CAM}_c(i,j)} + b_c$$
#
# The **class activation map** (Zhou and others 2016) says what each place contributes. It costs no
# gradient and one product of matrices. For a picture one keeps what is positive and divides by the
# largest value. Take a photograph with two things in it:

# %%
HEAD, _ = network.get_layer("logits").get_weights()  # (1280, 1000): w


def class_maps(pictures, labels):
    """CAM of one class for each picture, what is positive, at most 1: (n, h, w)."""
    maps, _ = look(np.asarray(pictures, "float32"))
    cam = np.einsum("nhwd,dn->nhw", maps, HEAD[:, labels]).clip(0)
    return cam / np.maximum(cam.max(axis=(1, 2), keepdims=True), 1e-9)


side_by_side = np.concatenate([photographs["chelsea"], photographs["coffee"]], axis=1)
two = ("Egyptian cat", "espresso", "cup")
twos = [class_names.index(name) for name in two]
probabilities = softmax(look(side_by_side[np.newaxis].astype("float32"))[1])[0]

figure, axes = plt.subplots(1, 4, figsize=(7.2, 1.4), layout="constrained")
picture_on(axes[0], side_by_side, "two photographs as one")
for axis, name, label, heat in zip(
    axes[1:], two, twos, class_maps([side_by_side] * 3, twos), strict=True
):
    heat_on(axis, side_by_side, heat, f"{name} ({probabilities[label]:.0%})")
show(
    figure,
    photographs=True,
    alt="The cat's face and the coffee side by side as one picture, and class activation maps. For "
    "Egyptian cat the left half glows, over the face; for espresso and cup the right half, over "
    "the cup.",
)

# %% [markdown]
# The same picture, the same forward pass; only the question was another one.
#
# CAM needs a network that ends in exactly this way. **Grad-CAM** (Selvaraju and others 2017) needs
# nothing but a layer with maps. In place of the weights $w_{dc}$ it takes the gradients of the
# logit, averaged over all places of a map:
#
# $$\alpha_{dc} = \frac{1}{hw} \sum_{ij} \frac{\partial z_c}{\partial A_d(i,j)}, \qquad
# \text{Grad-CAM}_c(i,j) = \max\Big(0,\; \sum_d \alpha_{dc}\, A_d(i,j)\Big)$$
#
# and divides by the largest value. On a pooling head both must agree. Why? Look at the formula of
# $z_c$ above: what is its derivative with respect to $A_d(i,j)$?

# %%
maps, _ = look(pictures[:1])
pooled_logits = keras.Model(
    network.get_layer("global_average_pooling").input, network.get_layer("logits").output
)
with tf.GradientTape() as tape:
    tape.watch(maps)
    logit = pooled_logits(maps)[0, int(best_labels[0])]
slopes = np.array(tape.gradient(logit, maps))[0]  # (h, w, 1280)
h, w = slopes.shape[:2]
print("the same at every place of a map:", bool(np.all(slopes == slopes[:1, :1])))
difference = np.abs(slopes - HEAD[:, best_labels[0]] / (h * w)).max()
print(f"largest difference from w / (h·w): {difference:.1e}, largest w / (h·w): {slopes.max():.1e}")

# %% [markdown]
# The gradient is $w_{dc} / (hw)$, at every place. So $\alpha_{dc}$ is the same, Grad-CAM is CAM
# after ReLU and divided by $hw$, and the division by the largest value removes the $hw$.
#
# ### Exercise 3 · `grad_cam` (4 points)
#
# Write it for any model that ends in logits, and any layer that gives maps. A model with two
# outputs gives maps and logits from the same pass; `tape.gradient(logit, maps)` works for whatever
# was computed under the tape. Where the map is zero everywhere, return zeros.


# %% nbgrader={"grade_id": "grad_cam", "solution": true}
def grad_cam(model, layer_name, picture, label):
    """Compute where the maps of a layer speak for a class.

    Parameters
    ----------
    model : keras.Model
        Ends in logits, with no softmax.
    layer_name : str
        A layer whose output are maps, (h, w, depth).
    picture : numpy.ndarray
        Shape (height, width, depth): one picture.
    label : int
        The class.

    Returns
    -------
    numpy.ndarray
        Shape (h, w), values from 0 to 1; the largest is 1, unless all are 0.
    """
    ### BEGIN SOLUTION
    looking = keras.Model(model.input, [model.get_layer(layer_name).output, model.output])
    with tf.GradientTape() as tape:
        maps, logits = looking(picture[np.newaxis], training=False)
        logit = logits[0, label]
    alphas = tf.reduce_mean(tape.gradient(logit, maps)[0], axis=(0, 1))
    heat = np.maximum(np.array(maps)[0] @ np.array(alphas), 0)
    return heat / heat.max() if heat.max() > 0 else heat
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_grad_cam", "grade": true, "points": 4}
exercise = checks.Exercise(
    "grad_cam",
    points=4,
    seconds=20,
    hints={
        "no-relu": "What speaks against the class should be 0: where is the ReLU?",
        "relu-too-early": "ReLU comes after the sum over the maps, not before.",
        "positive-weights": "Negative weights count as well; ReLU comes after the sum.",
        "absolute": "You took absolute values; what is negative should become 0.",
        "not-divided": "The largest value should be 1: divide by it.",
        "stretched": "You moved the smallest value to 0. Only divide by the largest.",
        "not-averaged": "Each map gets one weight, the mean of its gradients over all places.",
        "unweighted": "That is the sum of the maps: how much does each speak for the class?",
        "gradients-only": "Those are gradients alone; they weight the maps.",
        "weights-of-largest": "Take the mean over the places, not the largest gradient.",
        "probability": "That is the gradient of a probability: take the logit.",
        "best-class": "You took the network's favourite class, not the one that was asked for.",
        "batch-axis": "One picture went in: the axis for several pictures should be gone.",
        "nan": "Nothing speaks for the class, and you divided zero by zero.",
    },
)


def _paper_network(weights):
    """The picture itself as maps, then a dense layer on all their numbers: known on paper."""
    inputs = keras.Input((2, 2, 2))
    x = keras.layers.Conv2D(2, 1, use_bias=False, name="maps")(inputs)
    x = keras.layers.Dense(2, use_bias=False)(keras.layers.Flatten()(x))
    model = keras.Model(inputs, x)
    model.set_weights([np.eye(2, dtype="float32")[None, None], np.array(weights, "float32")])
    return model


# Two maps: 4 0 / 1 2 and 1 3 / 0 2. Weights of class 0 on the first: 2 0 / 2 0, mean 1; on the
# second: 0 −4 / 0 −4, mean −2. So: 4−2, 0−6, 1−0, 2−4 = 2 −6 1 −2, and after ReLU 2 0 1 0.
_weights = [[2, 1], [0, 0], [0, 3], [-4, 0], [2, 1], [0, 2], [0, 3], [-4, 2]]
_maps = np.array([[[4, 1], [0, 3]], [[1, 0], [2, 2]]], "float32")
exercise.array(
    "two maps of 2×2, on paper: the raw sums are 2, −6, 1, −2",
    lambda: grad_cam(_paper_network(_weights), "maps", _maps, 0),
    [[1, 0], [0.5, 0]],
    mistakes={
        "no-relu": [[1, -3], [0.5, -1]],
        "positive-weights": [[1, 0], [0.25, 0.5]],
        "absolute": [[1 / 3, 1], [1 / 6, 1 / 3]],
        "not-divided": [[2, 0], [1, 0]],
        "stretched": [[1, 0], [7 / 8, 1 / 2]],
        "not-averaged": [[1, 0], [0.25, 0]],
        "unweighted": [[1, 0.6], [0.2, 0.8]],
        "best-class": [[1, 1 / 3], [2 / 9, 2 / 3]],
        "batch-axis": [[[1, 0], [0.5, 0]]],
    },
)
exercise.array(
    "nothing speaks for the class",
    lambda: grad_cam(_paper_network(-np.ones((8, 2))), "maps", _maps, 1),
    np.zeros((2, 2)),
    weight=0.5,
    mistakes={
        "nan": np.full((2, 2), np.nan),
        "no-relu": [[5, 3], [1, 4]],
        "stretched": [[0, 0.5], [1, 0.25]],
        "absolute": [[1, 0.6], [0.2, 0.8]],
    },
)


def _pooling_case(seed, label):
    """A network with a pooling head, a picture, and CAM after ReLU and division."""
    model, picture = small_network(seed), small_pictures(seed + 1)[0]
    until_maps = keras.Model(model.input, model.get_layer("last_bend").output)
    cam = np.array(until_maps(picture[np.newaxis]))[0] @ model.get_weights()[-2][:, label]
    return model, picture, cam


_model, _picture, _cam = _pooling_case(23, 2)
exercise.array(
    "a pooling head: the same as CAM",
    lambda: grad_cam(_model, "last_bend", _picture, 2),
    _cam.clip(0) / _cam.max(),
    rtol=1e-4,
    atol=1e-4,
    mistakes={
        "no-relu": _cam / _cam.max(),
        "absolute": np.abs(_cam) / np.abs(_cam).max(),
        "stretched": (_cam - _cam.min()) / (_cam.max() - _cam.min()),
        "not-divided": _cam.clip(0) / _cam.size,
    },
)
### BEGIN HIDDEN TESTS


def _parts(model, name, picture, label, kind="logit"):
    """Maps, and the gradient of a score with respect to them."""
    looking = keras.Model(model.input, {"maps": model.get_layer(name).output, "all": model.output})
    with tf.GradientTape() as tape:
        given = looking(picture[np.newaxis], training=False)
        scores = given["all"] if kind == "logit" else tf.nn.softmax(given["all"])
        chosen = scores[:, label]
    return np.array(given["maps"])[0], np.array(tape.gradient(chosen, given["maps"]))[0]


def _heat(values):
    values = np.maximum(values, 0)
    return values / (values.max() or 1)


def _summed(model, name, picture, label, kind="logit", weigh=lambda g: g.mean(axis=(0, 1))):
    maps, slopes = _parts(model, name, picture, label, kind)
    return (maps * weigh(slopes)).sum(axis=2)


for _head, _layer in (
    ("pooling", "last_bend"), ("flat", "last_bend"), ("two dense", "last"), ("pooling", "first"),
):  # fmt: skip
    while True:
        _given = small_network(int(exercise.rng.integers(2**31)), head=_head)
        _one = small_pictures(int(exercise.rng.integers(2**31)))[0]
        _best = int(np.argmax(_given(_one[np.newaxis])))
        _label = (_best + int(exercise.rng.integers(1, 4))) % 4
        _asked = (_given, _layer, _one, _label)
        _sum = _summed(*_asked)
        _others = [_summed(_given, _layer, _one, _best)]
        _others.append(_summed(*_asked, weigh=lambda g: np.maximum(g.mean(axis=(0, 1)), 0)))
        # A map that is empty, or positive all over, would tell no mistake from another.
        if _sum.min() < -0.2 * _sum.max() < 0 and min(one.max() for one in _others) > 0:
            break
    _m, _g = _parts(*_asked)
    _wrong = {
        "no-relu": _sum / _sum.max(),
        "relu-too-early": _heat(np.maximum(_m * _g.mean(axis=(0, 1)), 0).sum(axis=2)),
        "positive-weights": _heat(_others[1]),
        "absolute": np.abs(_sum) / np.abs(_sum).max(),
        "not-divided": np.maximum(_sum, 0),
        "stretched": (_sum - _sum.min()) / (_sum.max() - _sum.min()),
        "unweighted": _heat(_m.sum(axis=2)),
        "best-class": _heat(_others[0]),
        "batch-axis": _heat(_sum)[np.newaxis],
        "probability": _heat(_summed(*_asked, "probability")),
        "gradients-only": _heat(_g.mean(axis=2)),
        "weights-of-largest": _heat(_summed(*_asked, weigh=lambda g: g.max(axis=(0, 1)))),
    }
    if _head != "pooling" or _layer != "last_bend":  # there it makes no difference
        _wrong["not-averaged"] = _heat((_m * _g).sum(axis=2))
    exercise.hidden.array(
        f"a drawn network ({_head}), layer “{_layer}”, a class that is not the favourite",
        lambda _asked=_asked: grad_cam(*_asked),
        _heat(_sum),
        rtol=1e-3,
        atol=1e-4,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### Yours on the big network
#
# With your function, the identity on all photographs; and Grad-CAM where CAM cannot go, at layers
# in the middle of the network.

# %%
scores_only = keras.Model(network.input, network.get_layer("logits").output)
INNER = ("block3b_add", "block4c_add", "block5c_add")
inner = {}
try:
    cams = class_maps(pictures, best_labels)
    compared = by_scale(quick=5, full=5, grading=0)
    worst = 0.0
    for picture, label, cam in list(zip(pictures, best_labels, cams, strict=True))[:compared]:
        yours = np.array(grad_cam(scores_only, "head_relu6", picture, int(label)))
        worst = max(worst, float(np.abs(yours - cam).max()))
    print(f"Grad-CAM against CAM, {compared} photographs: largest difference {worst:.1e}")
    for name in INNER[: by_scale(quick=3, full=3, grading=0)]:
        inner[name] = np.array(grad_cam(scores_only, name, pictures[0], int(best_labels[0])))
except NotImplementedError:
    print("grad_cam is not written yet")
except Exception as error:
    print("your grad_cam fails here:", type(error).__name__)

# %%
figure, axes = plt.subplots(1, 4, figsize=(5.6, 1.65), layout="constrained")
for axis, name in zip(axes, (*INNER, "head_relu6"), strict=True):
    heat = cams[0] if name == "head_relu6" else inner.get(name)
    if heat is None:
        picture_on(axis, np.full((SIZE, SIZE, 3), 230), f"{name}: write grad_cam", size=9)
    else:
        heat_on(axis, pictures[0], heat, f"{name.split('_')[0]}, {heat.shape[0]}×{heat.shape[1]}")
show(
    figure,
    photographs=True,
    alt="Grad-CAM for the cat at four layers. Block 3: small spots all over the "
    "picture. Blocks 4 and 5: the nose and both eyes. The last maps: one large smooth patch over "
    "the whole face.",
)

# %% [markdown]
# The last maps say *where*, and coarsely. In the middle of the network the map is finer: eyes and
# nose. Further forward it falls apart. One weight for a whole map is a crude summary where a map
# means no more than "an edge".

# %% [markdown]
# ## 9 · A check that a map must pass
#
# All these maps look convincing. That is the danger: a map can look convincing and explain nothing.
# Adebayo and others (2018) proposed a test so simple that it hurts. **Destroy what the network has
# learned, and make the map again.** If it stays the same, it cannot have shown what the network had
# learned.
#
# We destroy the network from its end: first the weights of the last layer are drawn anew, then also
# those of blocks 6 and 7, then of blocks 4 and 5, at last of all. Before and after, we make four
# maps of the class "found" in the intact network:
#
# - **gradient**: its length, as above;
# - **gradient × picture**, another map that is often seen in papers;
# - **CAM**;
# - **edges**: how strongly brightness changes from pixel to pixel. It does not know the network at
#   all, and shows what a fine map of nothing looks like.
#
# How alike two maps are is measured by their **rank correlation**: sort the pixels of both by
# value, and correlate the ranks. 1: the same order; 0: no relation. To draw a layer's weights anew,
# its learned numbers are shuffled: the same numbers, all in wrong places.
#
# **Predict.** Which of the four stays most like itself? And, among those that ask the network,
# which?

# %%
prediction_edges = None  # "gradient", "gradient × picture", "CAM" or "edges"
prediction_sturdy = None  # "gradient", "gradient × picture" or "CAM"

# %%
DESTROYED = {  # which layers are drawn anew: the beginnings of their names
    "intact": (),
    "last layer": ("logits",),
    "+ blocks 6, 7": ("logits", "head", "block7", "block6"),
    "+ blocks 4, 5": ("logits", "head", "block7", "block6", "block5", "block4"),
    "all": ("logits", "head", "block", "stem"),
}
learned = network.get_weights()


def destroy(beginnings, seed):
    """Restore the network, then mix the numbers of every kernel of some layers."""
    network.set_weights(learned)
    dice = np.random.default_rng(seed)
    for layer in network.layers:
        if layer.name.startswith(beginnings or ("no layer",)) and hasattr(layer, "kernel"):
            first, *others = layer.get_weights()
            layer.set_weights([dice.permutation(first.ravel()).reshape(first.shape), *others])


def ranks(values):
    """Place of every number in the sorted row of all."""
    order = np.argsort(values, axis=None, kind="stable")
    placed = np.empty(order.size)
    placed[order] = np.arange(order.size)
    return placed


def rank_correlation(first, second):
    """Correlation of the ranks of two maps; nan where one of them is the same everywhere."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def four_maps(pictures, labels):
    """The four maps of each picture, by name; CAM by the last layer's weights of this moment."""
    gradients = np.array(pixel_gradients(pictures, only(labels)))
    maps, _ = look(pictures)
    last = network.get_layer("logits").get_weights()[0][:, labels]
    down, right = np.gradient(pictures.mean(axis=3), axis=(1, 2))
    return {
        "gradient": strength_map(gradients),
        "gradient × picture": np.abs((gradients * (pictures - 127)).sum(axis=3)),
        "CAM": np.einsum("nhwd,dn->nhw", maps, last).clip(0),
        "edges": np.hypot(down, right),
    }


# %%
DRAWS = by_scale(quick=(1, 2, 3), full=range(1, 11), grading=(1,))
tested = pictures[: by_scale(quick=5, full=5, grading=1)]
stages = list(DESTROYED)[: by_scale(quick=5, full=5, grading=2)]
METHODS = ("gradient", "gradient × picture", "CAM", "edges")
kept_maps = four_maps(tested, best_labels[: len(tested)])
examples = {"intact": {method: kept_maps[method][0] for method in METHODS}}
alike = {(method, "intact"): np.ones((1, len(tested))) for method in METHODS}  # draws × pictures
for stage in stages[1:]:
    drawn = []
    for seed in DRAWS:
        destroy(DESTROYED[stage], seed)
        drawn.append(four_maps(tested, best_labels[: len(tested)]))
    examples[stage] = {method: drawn[0][method][0] for method in METHODS}
    for method in METHODS:
        alike[method, stage] = np.array(
            [
                [
                    rank_correlation(*pair)
                    for pair in zip(kept_maps[method], made[method], strict=True)
                ]
                for made in drawn
            ]
        )
network.set_weights(learned)


def mean_and_spread(method, stage):
    """Mean over pictures and draws, and the standard deviation between draws."""
    by_draw = np.nanmean(alike[method, stage], axis=1)
    return by_draw.mean(), by_draw.std(ddof=1) if len(by_draw) > 1 else 0.0


print(f"{'rank correlation':22}" + "".join(f"{stage:>18}" for stage in stages[1:]))
for method in METHODS:
    cells = ("{:+.2f} ± {:.2f}".format(*mean_and_spread(method, stage)) for stage in stages[1:])
    print(f"{method:22}" + "".join(f"{cell:>18}" for cell in cells))
steady = {m: np.mean([mean_and_spread(m, stage)[0] for stage in stages[1:]]) for m in METHODS}
compare_prediction(prediction_edges, max(steady, key=steady.get))
compare_prediction(prediction_sturdy, max(METHODS[:3], key=steady.get))

# %%
figure, axes = plt.subplots(4, len(stages) + 1, figsize=(6.3, 4.6), layout="constrained")
for row, method in zip(axes, METHODS, strict=True):
    row[0].text(0.5, 0.5, method.replace(" ×", "\n×"), ha="center", va="center", size=10)
    row[0].axis("off")
    for axis, stage in zip(row[1:], stages, strict=True):
        values = examples[stage][method]
        values = coarser(values, max(1, len(values) // 32))
        number = "" if stage == "intact" else f"{alike[method, stage][0, 0]:+.2f}"
        title = f"{stage}\n{number}" if method == METHODS[0] else number
        top = np.quantile(values, 0.99) or 1
        picture_on(axis, values, title, size=9, cmap=GLOW, vmin=0, vmax=top)
show(
    figure,
    alt="Four maps of the cat, one row each, for the intact network and for four stages of "
    "destruction, with the rank correlation above each. The edges stay the same. CAM changes at "
    "once. Gradient, and gradient times picture, trace eyes and nose of the cat at first, also "
    "without the last layer; then other places light up, and at last single points.",
)

# %%
figure, axis = plt.subplots(figsize=(6.6, 2.9), layout="constrained")
for method, marker in zip(METHODS, "osD^", strict=True):
    means, spreads = zip(*(mean_and_spread(method, stage) for stage in stages), strict=True)
    axis.errorbar(range(len(stages)), means, spreads, marker=marker, capsize=3, lw=2, label=method)
axis.axhline(0, color="black", lw=0.8)
axis.set_xticks(range(len(stages)), stages)
axis.set(xlabel="drawn anew", ylabel="rank correlation with\nthe intact network's map")
axis.set_ylim(-0.4, 1.08)
axis.grid(alpha=0.3)
axis.legend(fontsize=9, loc="upper right", bbox_to_anchor=(1, 0.93))
show(
    figure,
    alt="Rank correlation with the intact network's map against how much was destroyed: edges stay "
    "at 1; CAM falls at once; gradient and gradient times picture fall more slowly.",
)

# %% [markdown]
# The map of edges is the prettiest of all, and fails: it does not change, so it shows the picture
# and not the network. The other three change. CAM is unrecognisable as soon as blocks 6 and 7 are
# gone. The two maps of the gradient keep a good part of themselves until nearly everything is
# destroyed: a network without knowledge, too, reacts where the picture has contrast. So the cat's
# eyes in a gradient map are not all the network's knowledge.
#
# How much is chance? CAM has 36 places. Two unrelated maps of 36 numbers correlate by chance by
# about $\pm 1/\sqrt{35} = \pm 0.17$, and neighbouring places are not even unrelated. Read the error
# bars of CAM with that in mind. And a map that changes has passed the *minimum*, no more: it may
# still be wrong. Adebayo and others found popular methods that do not pass it, such as *guided
# backpropagation*, which draws the most beautiful outlines. It draws them with random weights, too.
#
# ## 10 · Live
#
# Nothing above takes long, so it can be done for every frame of a film. The clip here is made in
# code: a camera moves over a wide picture, made of four photographs side by side.
#
# **Predict.** Between two photographs the frame shows half of each. Will the network find both
# classes there, one of the two, or something else altogether?

# %%
prediction_between = None  # "both", "one" or "else"

# %%
FRAMES = by_scale(quick=25, full=97, grading=1)
wide = np.concatenate(
    [photographs[name] for name in ("chelsea", "coffee", "china", "flower")], axis=1
)


def clip(frames=FRAMES):
    """Frames, (SIZE, SIZE, 3), of a camera that moves to the right."""
    for left in np.linspace(0, wide.shape[1] - SIZE, frames).astype(int):
        yield wide[:, left : left + SIZE]


def watch(frame):
    """What the network says about one frame, and where: probabilities, label, map 0 … 1."""
    maps, logits = look(frame[np.newaxis].astype("float32"))
    label = int(np.argmax(logits[0]))
    heat = (np.array(maps)[0] @ HEAD[:, label]).clip(0)
    return softmax(logits)[0], label, heat / max(heat.max(), 1e-9)


seen, start = [], time.perf_counter()
for frame in clip():
    seen.append((frame, *watch(frame)))
seconds = (time.perf_counter() - start) / len(seen)
print(f"a frame takes {seconds:.3f} s: the network keeps up with a slow camera")

# %%
said = np.array([probabilities for _, probabilities, _, _ in seen])
figure, axes = plt.subplots(1, 9, figsize=(7.6, 1.4), layout="constrained")
for axis, number in zip(axes, np.linspace(0, len(seen) - 1, 9).astype(int), strict=True):
    frame, _, label, heat = seen[number]
    words = class_names[label].replace(" ", "\n")
    heat_on(axis, frame, heat, words, size=8.5)
show(
    figure,
    photographs=True,
    alt="Nine frames of the clip, each with its class activation map and the class that the "
    "network finds: Egyptian cat, espresso, cup, bell cote, cliff, mushroom, daisy. The maps "
    "glow where these are.",
)

# %%
figure, axis = plt.subplots(figsize=(7, 2.7), layout="constrained")
winners = list(dict.fromkeys(label for _, _, label, _ in seen))  # in the order of their appearance
winners = sorted(sorted(winners, key=lambda label: -said[:, label].max())[:7], key=winners.index)
for label, style in zip(winners, ("-", "--", "-.", ":", "-", "--", "-."), strict=False):
    axis.plot(100 * said[:, label], style, lw=2, label=class_names[label])
axis.set(xlabel="frame", ylabel="probability (%)", ylim=(0, 102), xlim=(0, max(len(seen) - 1, 1)))
axis.grid(alpha=0.3)
axis.legend(fontsize=9, ncols=2, loc="upper right")
show(
    figure,
    alt="Probability of seven classes against the frame: first the cat, then espresso up to "
    "98 per cent, then cup, then bell cote, palace and cliff one after another, and at the end "
    "daisy, below 30 per cent.",
)
print(f"you predicted: {prediction_between}")

# %% [markdown]
# From the cat to the coffee, one class hands over to the other, and the map wanders along. Between
# the tower and the flower, though, the network sees "cliff" and "mushroom", things that are in
# neither photograph. It always has to say something.
#
# **With a camera.** Your browser can give frames, too. The kernel may run somewhere else, on a
# server, so the browser has to send them. Set `CAMERA = True` and run the cell below: the browser
# asks for your permission, then sends two small frames a second, and the picture comes back bright
# where the network looked. Nothing is stored. (It needs JupyterLab or Notebook 7, a page opened by
# `https` or on `localhost`, and somebody who shows the network a cup of coffee.)

# %%
CAMERA = False  # ← True, if your browser has a camera

if CAMERA:
    import ipywidgets
    from IPython.display import Javascript

    def on_frame(change):
        """Look at a frame that the browser has sent, and show where and what."""
        sent = base64.b64decode(change["new"].partition(",")[2])
        frame = np.array(Image.open(io.BytesIO(sent)).convert("RGB").resize((SIZE, SIZE)))
        probabilities, label, heat = watch(frame)
        glow = tf.image.resize(heat[..., np.newaxis], (SIZE, SIZE), "bicubic").numpy().clip(0, 1)
        shaded = Image.fromarray((frame * (0.3 + 0.7 * glow)).astype("uint8"))
        packed = io.BytesIO()
        shaded.resize((384, 384)).save(packed, "png")
        view.value = packed.getvalue()
        words.value = f"{class_names[label]}: {probabilities[label]:.0%}"

    view, words = ipywidgets.Image(format="png", width=384), ipywidgets.Label("waiting for a frame")
    letterbox = ipywidgets.Textarea(layout={"display": "none"})
    letterbox.add_class("frames-from-the-browser")
    letterbox.observe(on_frame, "value")
    display(ipywidgets.VBox([view, words, letterbox]))
    display(
        Javascript("""
        navigator.mediaDevices.getUserMedia({video: true}).then((stream) => {
          const video = document.createElement("video");
          const canvas = document.createElement("canvas");
          video.srcObject = stream;
          video.play();
          canvas.width = canvas.height = 224;
          const put = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
          const timer = setInterval(() => {
            const box = document.querySelector(".frames-from-the-browser textarea");
            if (!box) { clearInterval(timer); stream.getTracks().forEach((t) => t.stop()); return; }
            const side = Math.min(video.videoWidth, video.videoHeight);
            if (!side) return;
            canvas.getContext("2d").drawImage(video, (video.videoWidth - side) / 2,
              (video.videoHeight - side) / 2, side, side, 0, 0, 224, 224);
            put.call(box, canvas.toDataURL("image/jpeg", 0.8));
            box.dispatchEvent(new Event("input", {bubbles: true}));
          }, 500);
        });
        """)
    )

# %% [markdown]
# To stop the camera, clear the cell's output.
#
# ## 11 · Fooling a network
#
# Section 4 found noise that a filter loves. The same tool, pointed at a photograph, is a weapon.
# How should the pixels change so that the loss $L$ grows fastest, if no pixel may change by more
# than $\varepsilon$? Every pixel goes the full way, in the direction of its gradient's **sign**:
#
# $$x' = x + \varepsilon \cdot \mathrm{sign}\!\left(\frac{\partial L}{\partial x}\right),
# \qquad\text{kept within } 0 \dots 255$$
#
# This is the **fast gradient sign method**, FGSM (Goodfellow, Shlens and Szegedy 2015). Why should
# tiny steps be enough? Because there are so many of them. If the loss were linear, it would grow by
# $\varepsilon \sum_i |\partial L / \partial x_i|$: a sum over 110,592 numbers, and none of them
# works against another.
#
# ### Exercise 4 · `fgsm` (4 points)
#
# The pixels here are whole numbers from 0 to 255, as float32, and so is $\varepsilon$. The result
# could be stored as a picture file: whole numbers, not below 0, not above 255, and no pixel further
# from the original than $\varepsilon$. The loss is the cross-entropy with the given labels.


# %% nbgrader={"grade_id": "fgsm", "solution": true}
def fgsm(model, pictures, labels, epsilon):
    """Change pictures a little, so that a model's loss grows.

    Parameters
    ----------
    model : keras.Model
        Takes pixels 0 … 255 and ends in logits, with no softmax.
    pictures : numpy.ndarray
        Shape (n, height, width, depth), float32, whole numbers 0 … 255.
    labels : numpy.ndarray
        Shape (n,): the right classes, whole numbers.
    epsilon : int
        How far a pixel may move.

    Returns
    -------
    numpy.ndarray
        Shape and dtype of the pictures.
    """
    ### BEGIN SOLUTION
    pixels = tf.constant(pictures, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logits = model(pixels, training=False)
        loss = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    uphill = np.sign(tape.gradient(loss, pixels).numpy())
    return (pictures + np.float32(epsilon) * uphill).clip(0, 255)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_fgsm", "grade": true, "points": 4}
exercise = checks.Exercise(
    "fgsm",
    points=4,
    seconds=20,
    hints={
        "downhill": "The loss gets smaller that way: whom do you want to help?",
        "not-clipped": "A pixel cannot be darker than 0 or brighter than 255.",
        "clipped-to-one": "The pixels run from 0 to 255 here, not from 0 to 1.",
        "no-sign": "Not the gradient but its sign: every pixel goes the full way.",
        "gradient-scaled": "You divided the gradient by its size; every pixel goes the full way.",
        "epsilon-as-share": "ε is in steps of brightness here: neither times nor divided by 255.",
        "logit-only": "You pushed one logit down. The loss also knows the other classes.",
        "best-class": "Use the labels that were given, not what the network says.",
        "favourite-up": "That raises a logit; what should grow is the loss.",
        "perturbation-only": "That is the change alone: where is the picture?",
        "too-far": "A pixel moved by more than ε.",
        "outside": "A pixel has left 0 … 255.",
        "no-harm": "After the attack the network should be wrong more often.",
    },
)


def _two_classes():
    """One dense layer and two classes: the loss grows where the other class has more weight."""
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
         keras.layers.Dense(2)]
    )  # fmt: skip
    kernel = np.array([[1, 3], [2, -1], [0, 4], [5, 1]], "float32")
    model.set_weights([kernel, np.zeros(2, "float32")])
    return model


def _as_pictures(*rows):
    return np.array(rows, "float32").reshape(-1, 2, 2, 1)


_given = _as_pictures([100, 100, 3, 2], [250, 8, 100, 200])
exercise.array(
    "one dense layer, ε = 6; class 1 weighs more at pixels 1 and 3",
    lambda: fgsm(_two_classes(), _given.copy(), np.array([0, 1]), 6),
    _as_pictures([106, 94, 9, 0], [244, 14, 94, 206]),
    mistakes={
        "downhill": _as_pictures([94, 106, 0, 8], [255, 2, 106, 194]),
        "not-clipped": _as_pictures([106, 94, 9, -4], [244, 14, 94, 206]),
        "clipped-to-one": _as_pictures([1, 1, 1, 0], [1, 1, 1, 1]),
        "logit-only": _as_pictures([94, 94, 3, 0], [244, 14, 94, 194]),
        "favourite-up": _as_pictures([106, 106, 3, 8], [255, 2, 106, 206]),
        "perturbation-only": _as_pictures([6, -6, 6, -6], [-6, 6, -6, 6]),
        "epsilon-as-share": _as_pictures([255, 0, 255, 0], [0, 255, 0, 255]),
    },
)


def _stripes(seed, number=40):
    """Bright left or bright right, some noise, and a network that tells them apart."""
    dice = np.random.default_rng(seed)
    labels = dice.integers(0, 2, size=number)
    side = np.where(np.arange(8) < 4, 1, -1) * 6
    signs = (1 - 2 * labels)[:, None, None, None]
    noise = dice.integers(-9, 10, size=(number, 8, 8, 1))
    pictures = (128 + signs * side[None, None, :, None] + noise).astype("float32")
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 128, offset=-1.0),
         keras.layers.Conv2D(2, 1), keras.layers.LeakyReLU(0.5), keras.layers.Flatten(),
         keras.layers.Dense(2)]
    )  # fmt: skip
    left = np.repeat(np.tile(side / 6.0, 8), 2)
    model.set_weights([np.ones((1, 1, 1, 2)), np.zeros(2), np.stack([left, -left], 1), np.zeros(2)])
    return model, pictures, labels


def _errors(model, pictures, labels):
    return float(np.mean(np.argmax(model(pictures), axis=1) != labels))


_net, _x, _y = _stripes(3)
exercise.true(
    "bright left or right, ε = 5: no pixel moves by more than 5",
    lambda: np.abs(np.asarray(fgsm(_net, _x, _y, 5), "float64") - _x).max() <= 5,
    otherwise="a pixel moved by more than 5",
    hint="too-far",
    weight=0.5,
)
exercise.true(
    f"wrong on {_errors(_net, _x, _y):.0%} before, on more than half after ε = 12",
    lambda: _errors(_net, np.asarray(fgsm(_net, _x, _y, 12), "float32"), _y) > 0.5,
    otherwise="the network is not wrong more often",
    hint="no-harm",
    weight=0.5,
)
### BEGIN HIDDEN TESTS


def _attacked_network(seed):
    """A network with a shortcut, for pixels 0 … 255."""
    inner = small_network(seed, head="flat")
    inputs = keras.Input((12, 10, 3))
    return keras.Model(inputs, inner(keras.layers.Rescaling(1 / 128, offset=-1.0)(inputs)))


def _uphill(model, pictures, labels, kind="loss", training=False):
    kept, pixels = model.get_weights(), tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        scores = model(pixels, training=training)
        hot = tf.one_hot(labels, scores.shape[1])
        value = {
            "loss": -tf.reduce_sum(hot * tf.nn.log_softmax(scores)),
            "logit": -tf.reduce_sum(hot * scores),
        }[kind]
    model.set_weights(kept)
    return np.array(tape.gradient(value, pixels))


for _epsilon in (3, 17):
    while True:
        _net = _attacked_network(int(exercise.rng.integers(2**31)))
        _x = exercise.rng.integers(0, 256, size=(3, 12, 10, 3)).astype("float32")
        _best = np.argmax(_net(_x), axis=1)
        _y = (_best + exercise.rng.integers(1, 4, size=3)) % 4
        _g = _uphill(_net, _x, _y)
        _sizes = np.abs(_g).reshape(3, -1)
        # Where a gradient is next to nothing, its sign would be a matter of rounding.
        if (_sizes.min(axis=1) > 2e-5 * _sizes.max(axis=1)).all():
            break
    _go = _epsilon * np.sign(_g)
    _flat = _epsilon * _g / np.abs(_g).max()
    exercise.hidden.array(
        f"a drawn network, three pictures that it gets wrong, ε = {_epsilon}",
        lambda _net=_net, _x=_x, _y=_y, _e=_epsilon: fgsm(_net, _x.copy(), _y, _e),
        (_x + _go).clip(0, 255),
        weight=1.5,
        mistakes={
            "downhill": (_x - _go).clip(0, 255),
            "not-clipped": _x + _go,
            "clipped-to-one": (_x + _go).clip(0, 1),
            "no-sign": (_x + _epsilon * _g).clip(0, 255),
            "gradient-scaled": (_x + _flat).clip(0, 255),
            "epsilon-as-share": (_x + np.sign(_g) * _epsilon / 255).clip(0, 255),
            "logit-only": (_x + _epsilon * np.sign(_uphill(_net, _x, _y, "logit"))).clip(0, 255),
            "best-class": (_x + _epsilon * np.sign(_uphill(_net, _x, _best))).clip(0, 255),
            "perturbation-only": _go,
        },
    )
_net, _x, _y = _stripes(int(exercise.rng.integers(2**31)))
exercise.hidden.true(
    "bright left or right, drawn anew: no pixel leaves 0 … 255, and none moves by more than ε",
    lambda: (
        (_out := np.asarray(fgsm(_net, _x, _y, 200), "float64")).min() >= 0
        and _out.max() <= 255
        and np.abs(_out - _x).max() <= 200
    ),
    otherwise="a pixel is outside",
    hint="outside",
    weight=0.5,
)
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### The espresso, attacked
#
# **Predict.** The network was 98 % sure of the espresso. By how many of 255 steps of brightness
# must its pixels move before another class wins: 1, 4, 16, or 64?

# %%
prediction_epsilon = None  # 1, 4, 16 or 64

# %%
EPSILONS = (1, 2, 4, 8)
attacked = {0: pictures}
_, logits = look(pictures)
# The gradient of the cross-entropy with respect to the logits is: probabilities − target.
toward_loss = np.sign(pixel_gradients(pictures, softmax(logits) - only(best_labels)))
for epsilon in EPSILONS:
    attacked[epsilon] = (pictures + epsilon * toward_loss).clip(0, 255)
print(f"{'':22}" + "".join(f"{f'ε = {epsilon}':>22}" for epsilon in (0, 1, 2, 4)))
_, logits = look(np.concatenate(list(attacked.values())))
rows = np.split(softmax(logits), len(attacked))
verdicts = {e: top_classes(row, 1) for e, row in zip(attacked, rows, strict=True)}
for number, name in enumerate(NAMES):
    cells = [f"{verdicts[e][number][0][0]} {verdicts[e][number][0][1]:.0%}" for e in (0, 1, 2, 4)]
    print(f"{name:22}" + "".join(f"{cell:>22}" for cell in cells))
furthest = max(np.abs(attacked[e].astype(float) - pictures).max() - e for e in EPSILONS)
print(f"largest excess over ε, in steps of brightness: {furthest:g}")
flipped = [e for e in EPSILONS if verdicts[e][1][0][0] != verdicts[0][1][0][0]]
lost = min(flipped, default=None)
print(f"the espresso is lost from ε = {lost} on; you predicted {prediction_epsilon}")

# %%
figure, axes = plt.subplots(1, 5, figsize=(7.2, 1.9), layout="constrained")
for axis, (number, epsilon) in zip(axes, ((1, 0), (1, 2), (2, 0), (2, 2)), strict=False):
    name, sure = verdicts[epsilon][number][0]
    picture_on(axis, attacked[epsilon][number], f"ε = {epsilon}\n{name} {sure:.0%}", size=9)
piece = 127 + 60 * toward_loss[2][near]
picture_on(axes[4], piece, "40×40 pixels of\nthe change, × 30", size=9)
show(
    figure,
    photographs=True,
    alt="Coffee and rocket, as they are and changed by 2 steps of brightness, with the network's "
    "verdicts. Nobody sees a difference, and yet the espresso has become a cup and the missile an "
    "obelisk. On the right a piece of the change, enlarged: pixels of eight colours without order.",
)

# %% [markdown]
# One step of brightness, the least that a picture file can hold, and two in the figure: no eye sees
# it. Look at the rows of the table, too. Larger is not always worse: at ε = 4 the espresso is back.
# The gradient holds where it was taken; a long step in its direction can overshoot. (Stronger
# attacks take many small steps.)
#
# ### Error against ε
#
# Five photographs are anecdotes. For numbers we need many pictures and several networks. So: digits
# again, small networks, three seeds. Each learns from 600 of MNIST's digits and is tested
# on 1,000 others. As a control, the same pictures get a *random* change of the same size: plus or
# minus $\varepsilon$, by the toss of a coin.
#
# The same training makes an experiment possible that shook the field in 2017. Zhang and others gave
# the pictures **random labels**: a 3 may be called "7", another 3 "0". There is nothing to learn.
# So each network has a twin that gets just those.
#
# **Predict.** (1) By how many steps of brightness must the digits' pixels move, by FGSM, until half
# of the verdicts are wrong? (2) What accuracy does the twin reach on the digits it has learned
# from, with random labels?

# %%
prediction_half = None  # 8, 16, 32, 64 or 128
prediction_twin = None  # per cent of the digits learned from: about 10, 40, 70 or 100

# %%
SEEDS = by_scale(quick=(1, 2, 3), full=(1, 2, 3), grading=(1,))
LEARN_FROM = by_scale(quick=600, full=10_000, grading=50)
EPOCHS = by_scale(quick=25, full=60, grading=0)
(x_train, y_train), (x_test, y_test) = load("mnist")
chosen = np.random.default_rng(0).permutation(len(x_train))[:LEARN_FROM]
x_train, y_train = x_train[chosen, :, :, np.newaxis].astype("float32"), y_train[chosen].astype(int)
x_test = x_test[: by_scale(quick=1_000, full=10_000, grading=50), :, :, np.newaxis].astype(
    "float32"
)
y_test = y_test[: len(x_test)].astype(int)


def digit_network():
    """A small CNN for digits: pixels 0 … 255 in, logits out."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )


def learn(labels, seed):
    """Train a network; return it and its accuracy on the digits learned from, by epoch."""
    keras.utils.set_random_seed(seed)
    model = digit_network()
    model.compile(
        optimizer=keras.optimizers.Adam(2e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=12,
    )
    history = model.fit(x_train, labels, batch_size=50, epochs=EPOCHS, verbose=0)
    return model, 100 * np.array(history.history.get("accuracy", [0.0]))


honest, twins, courses = [], [], {"true labels": [], "random labels": []}
start = time.perf_counter()
for seed in SEEDS:
    nonsense = np.random.default_rng(seed).integers(0, 10, size=len(y_train))
    for kind, labels, models in (
        ("true labels", y_train, honest),
        ("random labels", nonsense, twins),
    ):
        model, course = learn(labels, seed)
        models.append(model)
        courses[kind].append(course)
print(f"{2 * len(SEEDS)} trainings: {time.perf_counter() - start:.1f} s")
says = {
    kind: np.array([np.argmax(model(x_test), axis=1) for model in models])
    for kind, models in (("true labels", honest), ("random labels", twins))
}
print(f"{'':16}{'parameters':>12}{'learned from':>18}{'test':>18}")
for kind in courses:
    ends = np.array(courses[kind])[:, -1], 100 * (says[kind] == y_test).mean(axis=1)
    cells = [f"{e.mean():.1f} ± {e.std(ddof=1) if len(e) > 1 else 0:.1f} %" for e in ends]
    print(f"{kind:16}{honest[0].count_params():>12,}{cells[0]:>18}{cells[1]:>18}")

# %%
STEPS_OF_BRIGHTNESS = (0, 4, 8, 16, 24, 32, 48, 64, 96, 128)
TOSSED = 16  # the size of coin tosses that is looked at more closely below
errors = {"FGSM": [], "coin tosses": []}
right = {"unchanged": [], "coin tosses": []}
excess = -math.inf
for model, seed in zip(honest, SEEDS, strict=True):
    pixels = tf.constant(x_test)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logits = model(pixels, training=False)
        probabilities = tf.nn.softmax(logits)
        # A sum with this gradient in the logits: that of the cross-entropy.
        slope = tf.stop_gradient(probabilities - tf.one_hot(y_test, 10))
        score = tf.reduce_sum(slope * logits)
    direction = {
        "FGSM": np.sign(tape.gradient(score, pixels)),
        "coin tosses": np.random.default_rng(seed).choice([-1.0, 1.0], size=x_test.shape),
    }
    for kind, signs in direction.items():
        row = []
        for epsilon in STEPS_OF_BRIGHTNESS:
            changed = (x_test + epsilon * signs).clip(0, 255).astype("float32")
            excess = max(excess, float(np.abs(changed - x_test).max() - epsilon))
            verdict = np.argmax(model(changed), axis=1) == y_test
            row.append(100 * np.mean(~verdict))
            if kind == "coin tosses" and epsilon in (0, TOSSED):
                right["coin tosses" if epsilon else "unchanged"].append(verdict)
        errors[kind].append(row)
errors = {kind: np.array(rows) for kind, rows in errors.items()}
print(f"largest excess over ε: {excess:g}")
if len(SEEDS) == 3:  # judge is made for three
    print(f"coin tosses of ε = {TOSSED}, test digits right:")
    judge(right, "unchanged", "coin tosses")
means = zip(STEPS_OF_BRIGHTNESS, errors["FGSM"].mean(axis=0), strict=True)
half = next((epsilon for epsilon, wrong in means if wrong >= 50), None)
print(f"half of the verdicts are wrong from ε = {half} on; you predicted {prediction_half}")
reached = float(np.mean([course[-1] for course in courses["random labels"]]))
print(f"random labels, learned from: {reached:.0f} %; you predicted {prediction_twin}")
try:
    yours = np.array(fgsm(honest[0], x_test, y_test, 32), "float32")
    wrong = 100 * np.mean(np.argmax(honest[0](yours), axis=1) != y_test)
    told = dict(zip(STEPS_OF_BRIGHTNESS, errors["FGSM"][0], strict=True))[32]
    print(f"your fgsm, first network, ε = 32: {wrong:.1f} % wrong; above: {told:.1f} %")
except NotImplementedError:
    print("fgsm is not written yet")
except Exception as error:
    print("your fgsm fails here:", type(error).__name__)

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.4, 2.9), layout="constrained")
for (kind, rows), marker, place in zip(errors.items(), "os", ((56, 78), (88, 18)), strict=True):
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    drawn = axes[0].errorbar(STEPS_OF_BRIGHTNESS, mean, spread, marker=marker, capsize=3, lw=2)
    axes[0].text(*place, kind, color=drawn[0].get_color(), size=11)
axes[0].axhline(90, color="black", ls=":", lw=1)
axes[0].text(0, 92, "guessing", size=9)
axes[0].set(xlabel="ε (steps of brightness, of 255)", ylabel="wrong (%)", ylim=(0, 103))
for (kind, course), style in zip(courses.items(), ("-", "--"), strict=True):
    course = np.array(course)
    epochs = np.arange(1, course.shape[1] + 1)
    axes[1].plot(epochs, course.mean(axis=0), style, lw=2, label=kind)
    axes[1].fill_between(epochs, course.min(axis=0), course.max(axis=0), alpha=0.25, lw=0)
axes[1].axhline(10, color="black", ls=":", lw=1)
axes[1].text(EPOCHS, 12, "guessing", size=9, ha="right")
axes[1].set(xlabel="epoch", ylabel="right on the digits learned from (%)", ylim=(0, 103))
axes[1].legend(loc="center right", fontsize=9)
for axis in axes:
    axis.grid(alpha=0.3)
show(
    figure,
    alt="Left: error on test digits against ε. Under FGSM it climbs steeply to nearly 100 per "
    "cent; under coin tosses of the same size it stays near its start for long. Right: "
    "accuracy on the digits learned from, by epoch. True labels: near 100 per cent after a "
    "few epochs. Random labels: later, but also near 100 per cent.",
)

# %% [markdown]
# Same size, same pixels, other signs. In the recorded run coin tosses of 16 steps could not be told
# from no change at all, and FGSM of 16 steps made every second verdict wrong. So it is not the
# *size* of the change. A random change goes in all directions at once, some of which help and some
# of which harm, and they cancel. FGSM takes the one direction in which all of them harm.
#
# And the twins: they have learned 600 random labels by heart, all of them, with the same 206,922
# parameters, the same optimiser, and nearly as fast. On new digits they guess. So a perfect score
# on the pictures learned from says **nothing** about whether anything was understood; this network
# is large enough to get it without. What tells the two apart is not on the training curve at all.
#
# ### Quick scale, and what it cannot show
#
# Attack and memory were measured on small networks for digits, that of the ImageNet network on five
# photographs. Larger networks on photographs are, by all published accounts, *easier* to fool at
# the same $\varepsilon$, and memorise all of ImageNet with random labels (Zhang and others 2017).
# `COURSE_SCALE=full` takes 10,000 digits, five seeds and ten draws, and paints larger pictures for
# longer.
#
# ### Exercise 5 · Reading maps and curves (3 points, marked by hand)
#
# Answer in six to ten sentences, with numbers from **your** run:
#
# 1. Someone shows you a map with fine, sharp outlines of a cat and says: "Look how well the network
#    has understood what a cat is." What do you ask them to do first, which of the four rows in
#    section 9 do you have in mind, and what would you conclude from either outcome?
# 2. Compare FGSM and coin tosses at one $\varepsilon$ of your choice. Why is "the network cannot
#    stand a little noise" the wrong conclusion?
# 3. A colleague reports 100 % accuracy on the training set. Which curve of section 12 shows that
#    this proves nothing, and which number do you ask for instead?

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. I ask for the same map with the network's weights drawn anew, and for the rank correlation
#    with the first. I think of the row "edges": sharp outlines, correlation 1.00 at every stage,
#    although it does not know the network. If the map stays (nearly) the same, it shows the picture
#    and proves nothing about understanding. If it changes, as the gradient does (about 0.45 after
#    the last layer, below 0.1 when all is destroyed) or CAM (about 0 once blocks 6 and 7 are gone),
#    it has passed a minimum: it depends on what was learned. That does not make it right.
# 2. For example at 16 steps of brightness: FGSM makes 53 % of the verdicts wrong, coin tosses of
#    the same size 12 %, as many as without any change. Both change every pixel by the same amount.
#    So the network stands noise well; what it does not stand is one particular direction in which
#    all the small changes add up, and it takes the gradient to find that.
# 3. The dashed curve: with random labels, that nobody can understand, the network reaches about
#    100 % on the digits learned from as well. I ask for the accuracy on pictures it has not learned
#    from: 88 % with true labels, about 10 % (guessing) with random ones.
#
# Marking: one point for each part. (1) the randomisation test *and* the edges *and* that passing is
# only a minimum. (2) numbers for both at the same ε *and* direction, not size. (3) the curve of the
# random labels *and* accuracy on new pictures, with a number.
# ### END SOLUTION

# %% [markdown]
# ## What the numbers say
#
# - **17 and 11 of 32.** Mostly grey and mostly coloured filters in the first layer; the other four
#   have died while learning. Only there can weights be looked at; later one looks at maps, or
#   paints what a filter likes.
# - **$f^{-1.45}$.** So fast do the waves of our photographs weaken. Telling the search that, and
#   that colours go together, makes the difference between noise and pictures.
# - **Below 10⁻⁶.** So close together were Grad-CAM and CAM on the pooling head, on five
#   photographs. The gradient of a logit is $w_{dc}/(hw)$ at every place of a map: not similar, the
#   same thing.
# - **1.00, 0.36, 0.3, 0.** Rank correlation of edges, gradient × picture, gradient and CAM with
#   their former selves when the last layer and blocks 4 to 7 were drawn anew, about. What does not
#   change explains nothing.
# - **1 of 255.** One step of brightness for each pixel, and the espresso was none. No pixel moved
#   further than that, exactly.
# - **16 of 255.** From there on FGSM made the digit networks wrong on more than half. Coin tosses
#   of that size made no difference that three networks and 1,000 digits could show.
# - **100 and 100 %, 88 and 8 %.** Digits learned from and new digits, with true and with random
#   labels. Memory is not knowledge.
#
# ## Further reading
#
# - M. Zeiler, R. Fergus: *Visualizing and understanding convolutional networks*, ECCV 2014,
#   arXiv:1311.2901. Feature maps by layer, and occlusion.
# - K. Simonyan, A. Vedaldi, A. Zisserman: *Deep inside convolutional networks*, ICLR 2014 workshop,
#   arXiv:1312.6034. Saliency, and pictures of classes.
# - A. Mordvintsev, C. Olah, M. Tyka: *Inceptionism*, Google research blog, June 2015. DeepDream.
# - C. Olah, A. Mordvintsev, L. Schubert: *Feature visualization*, Distill 2017,
#   <https://doi.org/10.23915/distill.00007>. Waves, colours, jitter; and beautiful to look at.
# - B. Zhou and others: *Learning deep features for discriminative localization*, CVPR 2016,
#   arXiv:1512.04150. CAM.
# - R. Selvaraju and others: *Grad-CAM*, ICCV 2017, arXiv:1610.02391.
# - D. Smilkov and others: *SmoothGrad: removing noise by adding noise*, 2017, arXiv:1706.03825.
# - J. Adebayo and others: *Sanity checks for saliency maps*, NeurIPS 2018, arXiv:1810.03292.
# - I. Goodfellow, J. Shlens, C. Szegedy: *Explaining and harnessing adversarial examples*, ICLR
#   2015, arXiv:1412.6572. FGSM, and why linearity is enough.
# - C. Zhang and others: *Understanding deep learning requires rethinking generalization*, ICLR
#   2017, arXiv:1611.03530. Random labels.
# - M. Tan: *Higher accuracy on vision models with EfficientNet-Lite*, TensorFlow blog, March 2020.
