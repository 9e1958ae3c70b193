# %% [markdown]
# # 05 · Augmentation
#
# A cat that looks to the left is a cat. So is its mirror image, and so is the cat three pixels
# further to the right. You know that. A network does not, until it has seen it. **Augmentation**
# shows it: each time a picture is used for training, it is first changed a little, by chance, in a
# way that leaves its label alone. New pictures, for nothing.
#
# For nothing? This lesson asks which changes leave the label alone and which do not, what the
# network learns from them, and then the hard question: is a difference of two accuracies *real*?
#
# **You will be able to**
#
# - mirror and move pictures in NumPy, and put augmentation into a Keras model as layers;
# - say why it must be asleep when the network is used, and check that it is;
# - recognise an augmentation that destroys labels, and measure the damage;
# - count the steps of an epoch, and read old code that had to;
# - judge a difference between two networks from a few runs, and say how many runs it would take.
#
# **Budget**, measured on 2 CPU cores: about 80 seconds to run, 1.0 GB of memory, 0 bytes of
# download: the pictures come with the course. Reading, thinking and the exercises: three hours.
#
# There are five exercises, 17 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded.

# %% tags=["benchmark"] nbgrader={"grade_id": "setup", "locked": true}
import math
import time

import matplotlib.pyplot as plt
import numpy as np

from autograder import checks
from autograder.experiments import compare_prediction
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import CLASS_NAMES, by_scale, load, load_photograph

with quiet_imports():
    import keras
    import tensorflow as tf

use_course_style()
keras.utils.set_random_seed(5)

# %% nbgrader={"grade_id": "drawing", "locked": true}
# Only drawing in this cell: read it some other day.


def draw_picture(axis, picture, title="", **options):
    """Draw a picture without axes; numbers outside 0 … 1 are cut off."""
    axis.imshow(np.clip(picture, 0, 1), **{"vmin": 0, "vmax": 1, **options})
    axis.set_title(title, size=10)
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)


# %% [markdown]
# ## 1 · A layer that changes pictures
#
# In Keras, augmentation is a layer like any other. It has no parameters to learn; it throws dice.
#
# | layer | what it does to each picture |
# |---|---|
# | `RandomFlip("horizontal")` | mirrors it, left to right, with probability ½ |
# | `RandomTranslation(0.1, 0.1)` | moves it, by up to 10 % of its height and of its width |
# | `RandomRotation(0.05)` | turns it, by up to 5 % of a full turn: 18 degrees |
# | `RandomZoom(0.2)` | makes it smaller or larger, by up to 20 % |
# | `RandomContrast(0.5)` | pushes its colours apart, or together |
# | `RandomBrightness(0.3)` | makes it darker or brighter |
#
# The first two are what this lesson trains with. (In older code you find both in a class called
# `ImageDataGenerator`, with `horizontal_flip=True, width_shift_range=0.1, height_shift_range=0.1`.
# Keras 3 does not offer it any more. The layers draw from the same distribution, if you tell the
# second one how to fill the border; we come to that.)
#
# A photograph, and five draws of each layer:

# %%
coffee = load_photograph("coffee").astype("float32")[:, 30:280] / 255
coffee = np.array(keras.ops.average_pool(coffee[np.newaxis], 4))[0]  # smaller: 50×62 pixels
AUGMENTATIONS = {
    "flip": keras.layers.RandomFlip("horizontal", seed=8),
    "translation": keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=2),
    "rotation": keras.layers.RandomRotation(0.05, fill_mode="nearest", seed=3),
    "zoom": keras.layers.RandomZoom(0.2, fill_mode="nearest", seed=4),
    "contrast": keras.layers.RandomContrast(0.5, value_range=(0, 1), seed=5),
    "brightness": keras.layers.RandomBrightness(0.3, value_range=(0, 1), seed=6),
}
five = np.repeat(coffee[np.newaxis], 5, axis=0)

figure, axes = plt.subplots(6, 6, figsize=(8.2, 7), layout="constrained")
for line, (name, layer) in enumerate(AUGMENTATIONS.items()):
    changed = np.array(layer(five, training=True))
    draw_picture(axes[line, 0], coffee, "original" if line == 0 else "")
    axes[line, 0].set_ylabel(name, size=10)
    for place in range(5):
        draw_picture(axes[line, place + 1], changed[place], f"draw {place + 1}" * (line == 0))
show(
    figure,
    alt="A cup of coffee with a spoon, in six rows of six. Left in each row is the original, "
    "beside it five random draws. Flip: some have the spoon on the other side. Translation: "
    "moved a little, with the border smeared outwards. Rotation: tilted either way. Zoom: "
    "smaller or larger. Contrast: paler or stronger. Brightness: darker or brighter. All show "
    "the same cup.",
)

# %% [markdown]
# A cup, over and over. Where a die has fallen, hardly a pixel is what it was, and that is the
# point: to a network these are different inputs.
#
# ### What comes in at the border?
#
# A picture that moves leaves a strip behind that nobody photographed. `fill_mode` says what is put
# there. Below, all move by the same 25 % to the right and down.

# %%
figure, axes = plt.subplots(1, 4, figsize=(8.4, 2.2), layout="constrained")
for axis, mode in zip(axes, ("nearest", "reflect", "wrap", "constant"), strict=True):
    always = keras.layers.RandomTranslation((0.25, 0.25), (0.25, 0.25), fill_mode=mode)
    draw_picture(axis, np.array(always(coffee[np.newaxis], training=True))[0], f'"{mode}"')
show(
    figure,
    alt="The same photograph moved by a quarter to the right and down, with four fillings. "
    "Nearest: the outermost pixels are drawn out into stripes. Reflect: the strip mirrors "
    "what is beside it. Wrap: what has left on the other side comes in. Constant: the strip "
    "is black.",
)

# %% [markdown]
# - `"nearest"` repeats the outermost pixel. We use it: no hard edges, no second spoon.
# - `"reflect"` mirrors. It is the layer's default.
# - `"wrap"` lets come in what has left on the other side.
# - `"constant"` puts zeros: black bars, which the network has to learn to ignore.
#
# ### What a batch looks like
#
# Now both layers, and pictures of CIFAR-10: 32×32 pixels, ten classes. 10 % of 32 is 3.2 pixels.
# The layer also draws numbers in between, such as 1.7 pixels, and mixes neighbouring pixels for
# that; so some of the pictures are a little softer than they were.

# %% tags=["benchmark"] nbgrader={"grade_id": "pictures", "locked": true}
LEARN_FROM = by_scale(quick=1_000, full=45_000, grading=60)
VALIDATE_ON = by_scale(quick=500, full=5_000, grading=20)
TEST_ON = by_scale(quick=1_000, full=10_000, grading=20)

(x_all, y_all), (x_test, y_test) = load("cifar10")
x_all = x_all[: LEARN_FROM + VALIDATE_ON].astype("float32") / 255
x_train, x_val = np.split(x_all, [LEARN_FROM])
y_train, y_val = np.split(y_all[: LEARN_FROM + VALIDATE_ON], [LEARN_FROM])
x_test, y_test = x_test[:TEST_ON].astype("float32") / 255, y_test[:TEST_ON]

# %%
flip = keras.layers.RandomFlip("horizontal", seed=1)
move = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=4)
batch = x_train[[4, 7, 11, 16, 20, 27, 33, 41]]
labels = y_train[[4, 7, 11, 16, 20, 27, 33, 41]]

figure, axes = plt.subplots(4, 8, figsize=(8.6, 4.7), layout="constrained")
for line in range(4):
    pictures = batch if line == 0 else np.array(move(flip(batch, training=True), training=True))
    for axis, picture, label in zip(axes[line], pictures, labels, strict=True):
        draw_picture(axis, picture, CLASS_NAMES[label] if line == 0 else "")
    axes[line, 0].set_ylabel("as they are" if line == 0 else f"epoch {line}", size=10)
show(
    figure,
    alt="Eight small pictures of CIFAR-10 in the first row, and below them the same eight as they "
    "come out of the two layers in three epochs. Some are mirrored, all are moved by up to three "
    "pixels, with stripes at the border. Each picture still shows its class.",
)

# %% [markdown]
# The pictures are not stored anywhere. Each epoch draws anew: after 20 epochs a network has seen
# 20 versions of each picture, and hardly any of them twice.
#
# ### Asleep when the network is used
#
# Should a picture be mirrored by chance before the network says what it is? No: then it would say
# something else every time. So these layers, like `Dropout`, know two modes, and are told which by
# the argument `training`. `fit` passes `training=True`; `predict` and `evaluate` pass
# `training=False`, and then the pictures are handed on untouched.
#
# **Predict.** And a plain call, `layer(pictures)`, with no argument at all? `Dropout` sleeps then.
# Do these layers sleep, too?

# %%
prediction_plain_call = None  # "asleep" or "awake"

# %%
# NBVAL_CHECK_OUTPUT
layers = {**AUGMENTATIONS, "(Dropout)": keras.layers.Dropout(0.5, seed=7)}
calls = {
    "training=True": {"training": True},
    "training=False": {"training": False},
    "plain call": {},
}
print(f"{'pictures untouched?':20}" + "".join(f"{call:>16}" for call in calls))
asleep = {}
for name, layer in layers.items():
    asleep[name] = [np.array_equal(layer(five, **given), five) for given in calls.values()]
    print(f"{name:20}" + "".join(f"{answer!s:>16}" for answer in asleep[name]))
print("parameters of all:", sum(layer.count_params() for layer in layers.values()))

# %%
compare_prediction(prediction_plain_call, "asleep" if asleep["flip"][2] else "awake")

# %% [markdown]
# In Keras 3 an augmentation layer that is called just like that is **awake**. And so is a model
# with such layers in it: `model(pictures)` throws dice, `model.predict(pictures)` does not. This
# catches many. Whoever calls a model with augmentation directly, to save time or to take a
# gradient, writes `model(pictures, training=False)`.

# %% [markdown]
# ### Exercise 1 · `flip_and_shift` in NumPy (4 points)
#
# Do what the two layers do, but with the dice already thrown: for each picture of a batch you are
# told whether it is mirrored, and by how many whole pixels it moves. **First mirror, then move.**
# What enters at the border is the nearest pixel of the (mirrored) picture. The result has the shape
# and the dtype of the batch, and the pictures that came in stay as they were.


# %% nbgrader={"grade_id": "flip_and_shift", "solution": true}
def flip_and_shift(images, mirrored, dx, dy):
    """Mirror and move every picture of a batch, each in its own way.

    Parameters
    ----------
    images : numpy.ndarray
        Shape (pictures, height, width, depth).
    mirrored : numpy.ndarray of bool
        Shape (pictures,): whether a picture is mirrored, left to right.
    dx : numpy.ndarray of int
        Shape (pictures,): pixels to the right; negative: to the left.
    dy : numpy.ndarray of int
        Shape (pictures,): pixels down; negative: up.

    Returns
    -------
    numpy.ndarray
        A new array of the same shape and dtype.
    """
    ### BEGIN SOLUTION
    _, height, width, _ = images.shape
    changed = np.empty_like(images)
    for place, image in enumerate(images):
        if mirrored[place]:
            image = image[:, ::-1]
        # Where does each row and column come from? Beyond the border: from the border.
        rows = np.clip(np.arange(height) - dy[place], 0, height - 1)
        columns = np.clip(np.arange(width) - dx[place], 0, width - 1)
        changed[place] = image[rows][:, columns]
    return changed
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_flip_and_shift", "grade": true, "points": 4}
exercise = checks.Exercise(
    "flip_and_shift",
    points=4,
    hints={
        "wraps-around": "What leaves on one side comes in on the other. np.roll does that.",
        "zeros-filled": "Zeros came in at the border: the nearest pixel should.",
        "reflected": "The border is mirrored outwards; it should be repeated.",
        "opposite": "The pictures moved the other way.",
        "dy-upside-down": "dy counts downwards: row 0 is the uppermost row.",
        "swapped": "dx goes along a row, from column to column; dy from row to row.",
        "upside-down": "That is mirrored top to bottom: which axis goes from left to right?",
        "turned": "Both axes were reversed: that is a picture turned by half.",
        "depth-reversed": "The depth was reversed, which swaps red and blue. Which axis is which?",
        "shift-first": "First mirror, then move: the other order moves it the other way.",
        "never-mirrored": "Nothing was mirrored.",
        "all-mirrored": "All pictures were mirrored: each has its own True or False.",
        "first-for-all": "All pictures were treated like the first one.",
        "never-moved": "Nothing was moved.",
        "input-changed": "Your function changed the pictures that it was given: work on a copy.",
    },
)
_one = np.arange(1, 13, dtype="uint8").reshape(1, 3, 4, 1)


def _given(mirrored, dx, dy):
    """Arguments after the pictures, as arrays."""
    return np.array(mirrored), np.array(dx), np.array(dy)


def _picture(*rows):
    """Rows of numbers as a batch of one picture of depth 1."""
    return np.array(rows)[np.newaxis, :, :, np.newaxis]


exercise.array(
    "the numbers 1 … 12 in three rows, two pixels to the right",
    lambda: flip_and_shift(_one.copy(), *_given([False], [2], [0])),
    _picture([1, 1, 1, 2], [5, 5, 5, 6], [9, 9, 9, 10]),
    mistakes={
        "wraps-around": _picture([3, 4, 1, 2], [7, 8, 5, 6], [11, 12, 9, 10]),
        "zeros-filled": _picture([0, 0, 1, 2], [0, 0, 5, 6], [0, 0, 9, 10]),
        "reflected": _picture([2, 1, 1, 2], [6, 5, 5, 6], [10, 9, 9, 10]),
        "opposite": _picture([3, 4, 4, 4], [7, 8, 8, 8], [11, 12, 12, 12]),
        "swapped": _picture([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]),
        "all-mirrored": _picture([4, 4, 4, 3], [8, 8, 8, 7], [12, 12, 12, 11]),
        "never-moved": _one,
    },
)
exercise.array(
    "the same, one pixel up",
    lambda: flip_and_shift(_one.copy(), *_given([False], [0], [-1])),
    _picture([5, 6, 7, 8], [9, 10, 11, 12], [9, 10, 11, 12]),
    mistakes={
        "wraps-around": _picture([5, 6, 7, 8], [9, 10, 11, 12], [1, 2, 3, 4]),
        "zeros-filled": _picture([5, 6, 7, 8], [9, 10, 11, 12], [0, 0, 0, 0]),
        "dy-upside-down": _picture([1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 8]),
        "swapped": _picture([2, 3, 4, 4], [6, 7, 8, 8], [10, 11, 12, 12]),
        "never-moved": _one,
    },
)
exercise.array(
    "the same, mirrored",
    lambda: flip_and_shift(_one.copy(), *_given([True], [0], [0])),
    _picture([4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]),
    mistakes={
        "upside-down": _picture([9, 10, 11, 12], [5, 6, 7, 8], [1, 2, 3, 4]),
        "turned": _picture([12, 11, 10, 9], [8, 7, 6, 5], [4, 3, 2, 1]),
        "never-mirrored": _one,
    },
)
exercise.array(
    "the same, mirrored, then one pixel to the right",
    lambda: flip_and_shift(_one.copy(), *_given([True], [1], [0])),
    _picture([4, 4, 3, 2], [8, 8, 7, 6], [12, 12, 11, 10]),
    mistakes={
        "shift-first": _picture([3, 2, 1, 1], [7, 6, 5, 5], [11, 10, 9, 9]),
        "wraps-around": _picture([1, 4, 3, 2], [5, 8, 7, 6], [9, 12, 11, 10]),
        "zeros-filled": _picture([0, 4, 3, 2], [0, 8, 7, 6], [0, 12, 11, 10]),
        "never-mirrored": _picture([1, 1, 2, 3], [5, 5, 6, 7], [9, 9, 10, 11]),
        "never-moved": _picture([4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]),
        "opposite": _picture([3, 2, 1, 1], [7, 6, 5, 5], [11, 10, 9, 9]),
    },
)
_pair = np.array([[[[1, 10], [2, 20], [3, 30]]], [[[4, 40], [5, 50], [6, 60]]]])
exercise.array(
    "two pictures of depth 2: one pixel to the right; mirrored",
    lambda: flip_and_shift(_pair.copy(), *_given([False, True], [1, 0], [0, 0])),
    [[[[1, 10], [1, 10], [2, 20]]], [[[6, 60], [5, 50], [4, 40]]]],
    mistakes={
        "first-for-all": [[[[1, 10], [1, 10], [2, 20]]], [[[4, 40], [4, 40], [5, 50]]]],
        "all-mirrored": [[[[3, 30], [3, 30], [2, 20]]], [[[6, 60], [5, 50], [4, 40]]]],
        "depth-reversed": [[[[1, 10], [1, 10], [2, 20]]], [[[40, 4], [50, 5], [60, 6]]]],
        "never-mirrored": [[[[1, 10], [1, 10], [2, 20]]], [[[4, 40], [5, 50], [6, 60]]]],
    },
)


def _left_alone():
    """Whether the pictures are the same after the call."""
    arguments = _given([True], [1], [1])
    _, (left, *_) = checks.call_in_place(flip_and_shift, _one, *arguments)
    return np.array_equal(left, _one)


exercise.true(
    "the pictures that came in stay as they were",
    lambda: _left_alone(),
    otherwise="the argument has changed",
    hint="input-changed",
    weight=0.25,
)
### BEGIN HIDDEN TESTS


def _changed(images, mirrored, dx, dy, mode="edge", axis=1, moved_first=False):
    """Pad on all sides and look through a window."""
    results = []
    far = int(max(np.abs(dx).max(), np.abs(dy).max())) + 1
    for image, mirror, right, down in zip(images, mirrored, dx, dy, strict=True):
        _height, _width, _ = image.shape
        if mirror and not moved_first:
            image = np.flip(image, axis)
        wide = np.pad(image, ((far, far), (far, far), (0, 0)), mode=mode)
        image = wide[far - down : far - down + _height, far - right : far - right + _width]
        if mirror and moved_first:
            image = np.flip(image, axis)
        results.append(image)
    return np.array(results)


for _label, _largest, _kind in (
    ("small moves", 3, "uint8"),
    ("small moves", 4, "float32"),
    ("moves only", 3, "float64"),
    ("mirrored only", 0, "uint8"),
    ("some out of the picture", 20, "float32"),
):
    _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(9, 15))[:2])
    _count = 8
    _images = exercise.rng.integers(1, 250, size=(_count, _height, _width, 3)).astype(_kind)
    _mirror = exercise.rng.permutation(np.arange(_count) % 2 == 0)
    if _label == "moves only":
        _mirror[:] = False
    _dx = exercise.rng.permutation(np.linspace(-_largest, _largest, _count).round().astype(int))
    _dy = exercise.rng.permutation(np.linspace(-_largest, _largest, _count).round().astype(int))
    _all = (_images, _mirror, _dx, _dy)
    _right = _changed(*_all)
    _wrong = {
        "never-mirrored": _changed(_images, _mirror & False, _dx, _dy),
        "all-mirrored": _changed(_images, _mirror | True, _dx, _dy),
        "upside-down": _changed(*_all, axis=0),
        "turned": _changed(*_all, axis=(0, 1)),
        "depth-reversed": _changed(*_all, axis=2),
    }
    if _largest:
        _wrong |= {
            "shift-first": _changed(*_all, moved_first=True),
            "wraps-around": _changed(*_all, mode="wrap"),
            "zeros-filled": _changed(*_all, mode="constant"),
            "reflected": _changed(*_all, mode="symmetric"),
            "opposite": _changed(_images, _mirror, -_dx, -_dy),
            "dy-upside-down": _changed(_images, _mirror, _dx, -_dy),
            "swapped": _changed(_images, _mirror, _dy, _dx),
            "never-moved": _changed(_images, _mirror, 0 * _dx, 0 * _dy),
            "first-for-all": _changed(
                _images,
                np.full(_count, _mirror[0]),
                np.full(_count, _dx[0]),
                np.full(_count, _dy[0]),
            ),
        }
    exercise.hidden.array(
        f"drawn pictures, {_kind}, {_label}",
        lambda _all=_all: flip_and_shift(*(part.copy() for part in _all)),
        _right,
        dtype=_kind,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 2 · Augmentation inside the model
#
# Where do the layers go? In front of the network, in the same model. Then nobody can forget them,
# they run where the network runs, and `fit` and `predict` set the right mode by themselves. (They
# may also stand in the `map` of a `tf.data.Dataset`, and prepare the next batch while the network
# works on this one. Then *you* have to see to it that only training pictures go through.)
#
# This is the network of lesson 04:

# %% tags=["benchmark"] nbgrader={"grade_id": "small_cnn", "locked": true}


def small_cnn():
    """Build the small CNN of lesson 04 for pictures of 32×32; not compiled."""
    layers = [keras.Input((32, 32, 3))]
    for filters in (16, 32, 64):
        layers.append(keras.layers.Conv2D(filters, 2, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D(2))
    layers.append(keras.layers.Flatten())
    layers.append(keras.layers.Dense(500, activation="relu"))
    layers.append(keras.layers.Dense(10, activation="softmax"))
    return keras.Sequential(layers)


# %% [markdown]
# ### Exercise 2 · `augmented` (4 points)
#
# Put augmentation in front of **any** network. The model that you return
#
# - mirrors each picture left to right with probability ½ in training,
# - moves it by up to `shift` of its height and of its width, and fills with the nearest pixel,
# - hands it to the network that was given: this one, with its weights, not a copy that starts anew,
# - and is nothing but the network when it is used, that is with `training=False`.


# %% nbgrader={"grade_id": "augmented", "solution": true}
def augmented(network, shift):
    """Put random flips and shifts in front of a network.

    Parameters
    ----------
    network : keras.Model
        Takes pictures; built, so `network.input_shape` is (None, height, width, depth).
    shift : float
        Largest move, as a share of the height and of the width.

    Returns
    -------
    keras.Model
        Not compiled.
    """
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input(network.input_shape[1:]),
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomTranslation(shift, shift, fill_mode="nearest"),
            network,
        ]
    )
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_augmented", "grade": true, "points": 4}
exercise = checks.Exercise(
    "augmented",
    points=4,
    hints={
        "active-at-inference": "It is awake when it is used. Who passes `training=True`, and when?",
        "other-weights": "When it is used, it does not say what the given network says.",
        "nothing-happens": "In training the pictures come out as they went in.",
        "upside-down": "Some pictures stand on their heads: which flip did you ask for?",
        "never-mirrored": "No picture was mirrored.",
        "not-moved": "No picture was moved.",
        "one-axis-only": "The pictures move along one axis only.",
        "too-far": "Some pictures move further than `shift`.",
        "too-little": "No picture moves as far as `shift` allows.",
        "whole-batch": "All pictures of the batch were changed in the same way.",
        "stretched": "The pictures were not only mirrored and moved: they are turned or stretched.",
        "other-filling": "What comes in at the border is not the nearest pixel.",
        "asleep-in-training": "The network itself is not told that this is training: see Dropout.",
        "more-parameters": "Augmentation learns nothing: there are more parameters than before.",
    },
)


# To see what a model does with a picture, give it one that says where each pixel has come from.
def _places(height, width, count=64):
    """Pictures whose pixels hold their own row and column."""
    rows, columns = np.mgrid[:height, :width].astype("float32")
    return np.repeat(np.stack([rows, columns], axis=-1)[np.newaxis], count, axis=0)


def _hand_on(height, width, dropout=0.0):
    """A network that hands on what it gets."""
    layer = keras.layers.Dropout(dropout) if dropout else keras.layers.Identity()
    return keras.Sequential([keras.Input((height, width, 2)), layer])


def _in_training(height, width, shift):
    """What happens to pictures in training, in words."""
    model = augmented(_hand_on(height, width), shift)
    before = _places(height, width)
    after = np.array(model(before, training=True))
    if after.shape != before.shape:
        return f"pictures of shape {before.shape[1:]} become {after.shape[1:]}"
    if np.allclose(after, before, atol=1e-3):
        return "nothing happens"
    # Far from the border, one pixel further in the result is one pixel further in the picture.
    inner = after[:, height // 4 : -(height // 4), width // 4 : -(width // 4)]
    down, right = np.diff(inner, axis=1), np.diff(inner, axis=2)
    slope_rows, slope_columns = down[..., 0].mean((1, 2)), right[..., 1].mean((1, 2))
    steps = [down[..., 0] - slope_rows[:, None, None], right[..., 1] - slope_columns[:, None, None]]
    crooked = max(np.abs(part).max() for part in (*steps, down[..., 1], right[..., 0]))
    slopes = np.abs(np.stack([slope_rows, slope_columns]))
    if crooked > 0.01 or np.abs(slopes - 1).max() > 0.01:
        return "turned, stretched, or moved very far"
    if (slope_rows < 0).any():
        return "some stand on their heads"
    if (slope_columns > 0).all():
        return "none is mirrored"
    middle = inner.mean((1, 2))  # (pictures, 2): what has come to the middle
    moved = np.abs(middle - before.mean((1, 2))) / np.array([height, width])
    furthest = moved.max(axis=0)
    if furthest.max() < 0.002:
        return "none is moved"
    if furthest.min() < 0.002:
        return "moved along one axis only"
    if np.ptp(moved, axis=0).max() < 1e-4:
        return "all are changed alike"
    if furthest.max() > 1.02 * shift:
        return "some move too far"
    if furthest.min() < 0.6 * shift:
        return "all move too little"
    centre = (inner.shape[1] - 1) / 2 + height // 4, (inner.shape[2] - 1) / 2 + width // 4
    rows = middle[:, :1] + (np.arange(height) - centre[0]) * slope_rows[:, None]
    columns = middle[:, 1:] + (np.arange(width) - centre[1]) * slope_columns[:, None]
    filled = np.broadcast_arrays(
        np.clip(rows, 0, height - 1)[:, :, None], np.clip(columns, 0, width - 1)[:, None, :]
    )
    if np.abs(after - np.stack(filled, axis=-1)).max() > 0.05:
        return "the border is filled otherwise"
    return "mirrored or not, moved within the limits, filled with the nearest pixel"


_MISTAKES = {
    "nothing-happens": "nothing happens",
    "stretched": "turned, stretched, or moved very far",
    "upside-down": "some stand on their heads",
    "never-mirrored": "none is mirrored",
    "not-moved": "none is moved",
    "one-axis-only": "moved along one axis only",
    "whole-batch": "all are changed alike",
    "too-far": "some move too far",
    "too-little": "all move too little",
    "other-filling": "the border is filled otherwise",
}
_AS_ASKED = "mirrored or not, moved within the limits, filled with the nearest pixel"


def _when_used(network, shift, pictures):
    """What the model says when it is used, compared with the network alone, in words."""
    model = augmented(network, shift)
    answers = [np.array(model(pictures, training=False)) for _ in range(2)]
    if not np.allclose(*answers, atol=1e-5):
        return "something else every time"
    alone = np.array(network(pictures, training=False))
    if answers[0].shape != alone.shape or not np.allclose(answers[0], alone, atol=1e-5):
        return "always the same, but not what the network says"
    return "what the network says"


def _one_layer(height, width, depth, seed):
    """A small network with weights that are not those of a fresh one."""
    made = keras.Sequential([keras.Input((height, width, depth)), keras.layers.Flatten(),
                             keras.layers.Dense(3)])  # fmt: skip
    dice = np.random.default_rng(seed)
    made.set_weights([dice.normal(size=weight.shape) for weight in made.get_weights()])
    return made


_noise = np.random.default_rng(1).normal(size=(6, 12, 10, 2)).astype("float32")
exercise.equal(
    "when it is used (training=False), it says",
    lambda: _when_used(_one_layer(12, 10, 2, 1), 0.2, _noise),
    "what the network says",
    mistakes={
        "active-at-inference": "something else every time",
        "other-weights": "always the same, but not what the network says",
    },
)
exercise.equal(
    "in training, with shift=0.2, 64 pictures of 20×30 come out",
    lambda: _in_training(20, 30, 0.2),
    _AS_ASKED,
    mistakes=_MISTAKES,
    weight=1.5,
)
exercise.number(
    "parameters of the CNN with augmentation",
    lambda: augmented(small_cnn(), 0.1).count_params(),
    528_054,
    mistakes={"more-parameters": 2 * 528_054},
    weight=0.5,
)
### BEGIN HIDDEN TESTS
for _case in range(2):
    _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(20, 41, 2))[:2])
    _share = float((0.06, 0.17)[_case] + 0.04 * exercise.rng.random())
    exercise.hidden.equal(
        f"pictures of a drawn size in training, shift {'below' if _case == 0 else 'above'} 0.1",
        lambda _drawn=(_height, _width, _share): _in_training(*_drawn),
        _AS_ASKED,
        mistakes=_MISTAKES,
        weight=1.5,
    )
_weights = int(exercise.rng.integers(2**31))
_pictures = exercise.rng.normal(size=(5, 9, 14, 4)).astype("float32")
exercise.hidden.equal(
    "a drawn network, when it is used (training=False)",
    lambda: _when_used(_one_layer(9, 14, 4, _weights), 0.15, _pictures),
    "what the network says",
    mistakes={
        "active-at-inference": "something else every time",
        "other-weights": "always the same, but not what the network says",
    },
)


def _dropout_works():
    """Whether dropout inside the given network is at work in training, and only then."""
    model = augmented(_hand_on(20, 20, dropout=0.5), 0.1)
    ones = np.ones((4, 20, 20, 2), "float32")
    in_training, used = (np.array(model(ones, training=mode)) for mode in (True, False))
    if np.mean(in_training == 0) < 0.2:
        return "asleep in training"
    return "at work in training only" if np.array_equal(used, ones) else "at work when used"


exercise.hidden.equal(
    "dropout inside the network",
    lambda: _dropout_works(),
    "at work in training only",
    mistakes={
        "asleep-in-training": "asleep in training",
        "active-at-inference": "at work when used",
    },
    weight=0.5,
)
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 3 · Changes that destroy the label
#
# *In a way that leaves its label alone*: that condition is yours to check. No layer does it for
# you. Four pictures, and what a common augmentation makes of them:

# %% nbgrader={"grade_id": "drawing_signs", "locked": true}
# Only drawing in this cell.


def drawn(paint, size=96):
    """Let a function paint on an empty field, and return the pixels, 0 … 1."""
    figure = plt.figure(figsize=(1, 1), dpi=size)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(-1, 1), ylim=(-1, 1))
    axis.axis("off")
    paint(axis)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[:, :, :3].astype("float32") / 255
    plt.close(figure)
    return pixels


def turn_right_sign(axis):
    """A round blue sign: turn right ahead."""
    axis.add_patch(plt.Circle((0, 0), 0.92, color="#0057A8"))
    axis.add_patch(plt.Circle((0, 0), 0.84, fill=False, ec="white", lw=1.5))
    axis.plot([-0.3, -0.3, 0.25], [-0.55, 0.15, 0.15], color="white", lw=8, solid_capstyle="butt")
    axis.plot([-0.3], [0.15], "s", color="white", ms=7)
    axis.add_patch(plt.Polygon([(0.2, 0.5), (0.2, -0.2), (0.65, 0.15)], color="white"))


def red_light(axis):
    """A traffic light that says stop."""
    axis.add_patch(plt.Rectangle((-0.42, -0.95), 0.84, 1.9, color="#222222"))
    for height, colour in ((0.6, "#E8202A"), (0, "#4A4A4A"), (-0.6, "#4A4A4A")):
        axis.add_patch(plt.Circle((0, height), 0.25, color=colour))


# %%
(digits, digit_labels), (test_digits, test_digit_labels) = load("mnist", scale="quick")


def grey(digit):
    """A digit as a picture in black on white."""
    return 1 - np.repeat(digit[:, :, np.newaxis], 3, axis=2) / 255


two, six = (grey(digits[np.flatnonzero(digit_labels == n)[place]]) for n, place in ((2, 5), (6, 2)))
sign, light = drawn(turn_right_sign), drawn(red_light)
destroyed = [
    ("a 2", two, "mirrored: no digit", two[:, ::-1]),
    ("a 6", six, "turned by half: a 9", six[::-1, ::-1]),
    ("turn right ahead", sign, "mirrored: turn left", sign[:, ::-1]),
    ("stop", light, "turned, hue shifted: go", light[::-1, ::-1, [2, 0, 1]]),
]
figure, axes = plt.subplots(2, 4, figsize=(8.2, 4.4), layout="constrained")
for place, (name, before, became, after) in enumerate(destroyed):
    draw_picture(axes[0, place], before, name)
    draw_picture(axes[1, place], after, became)
axes[0, 0].set_ylabel("before")
axes[1, 0].set_ylabel("after")
show(
    figure,
    alt="Four pictures and what becomes of them. A handwritten 2, mirrored, is no digit any more. "
    "A 6 turned by half a turn reads as a 9. A blue round sign with an arrow to the right, "
    "mirrored, points to the left. A traffic light with red above, turned and with its hue "
    "shifted, has green below.",
)

# %% [markdown]
# Whether a change is harmless depends on the *question*, not on the picture. For "is there a
# traffic sign?" a mirrored sign is as good as any. For "which one?" it is poison.
#
# How much poison? Take a small CNN for digits, and train it twice: with the digits as they are, and
# with every digit also turned by half a turn. (Half of the steps go to each kind; the number of
# steps in all is the same.) Tested are both on digits as they are. Three seeds each.
#
# **Predict.** A network that has learned *upright* digits is shown a turned 6, and a turned 7. What
# will it say most often?

# %%
prediction_turned_six = None  # a digit
prediction_turned_seven = None

# %% nbgrader={"grade_id": "digits_experiment", "locked": true}
DIGITS = by_scale(quick=4_000, full=4_000, grading=100)
DIGIT_EPOCHS = by_scale(quick=4, full=4, grading=0)  # half as many with twice the pictures
DIGIT_SEEDS = by_scale(quick=(1, 2, 3), full=(1, 2, 3), grading=(1, 2))


def digit_cnn():
    """A small network for digits: two convolutions with stride 2."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def as_input(pictures):
    """Digits as a network takes them: 0 … 1, with a last axis of depth 1."""
    return pictures[:, :, :, np.newaxis].astype("float32") / 255


def digit_networks():
    """Train without turned digits and with them, for each seed; kind → networks."""
    upright, labels = as_input(digits[:DIGITS]), digit_labels[:DIGITS]
    both = np.concatenate([upright, upright[:, ::-1, ::-1]]), np.concatenate([labels, labels])
    steps = max(1, DIGIT_EPOCHS * math.ceil(DIGITS / 128))
    model = digit_cnn()
    schedule = keras.optimizers.schedules.CosineDecay(6e-3, steps)
    model.compile(keras.optimizers.Adam(schedule), loss="sparse_categorical_crossentropy")
    made = {"upright only": [], "turned, too": []}
    for kind, (pictures, answers), epochs in (
        ("upright only", (upright, labels), DIGIT_EPOCHS),
        ("turned, too", both, DIGIT_EPOCHS // 2),
    ):
        for seed in DIGIT_SEEDS:
            keras.utils.set_random_seed(seed)
            made[kind].append(digit_cnn())
            # Compiled once, begun afresh: new weights, an optimiser without memories.
            model.set_weights(made[kind][-1].get_weights())
            for variable in model.optimizer.variables:
                variable.assign(keras.ops.zeros_like(variable))
            model.fit(pictures, answers, batch_size=128, epochs=epochs, verbose=0)
            made[kind][-1].set_weights(model.get_weights())
    return made


# %%
made = digit_networks()
upright = as_input(test_digits)


def says_digit(network, pictures):
    """The digit that a network takes each picture for."""
    return np.argmax(network(pictures, training=False), axis=1)


table = np.zeros((10, 10))  # digit, shown turned; what the network of upright digits says
for network in made["upright only"]:
    answers = says_digit(network, upright[:, ::-1, ::-1])
    np.add.at(table, (test_digit_labels, answers), 1)
table = 100 * table / table.sum(axis=1, keepdims=True)
for digit, prediction in ((6, prediction_turned_six), (7, prediction_turned_seven)):
    print(f"a turned {digit}:", end=" ")
    compare_prediction(prediction, int(table[digit].argmax()))

by_digit = {}  # kind → (seeds, digits): per cent right, digits as they are
print("test digits as they are:")
for kind, networks in made.items():
    given = np.array([says_digit(network, upright) for network in networks])
    by_digit[kind] = 100 * np.array(
        [[np.mean(answers[test_digit_labels == n] == n) for n in range(10)] for answers in given]
    )
    scores = by_digit[kind].mean(axis=1)
    print(
        f"  trained with digits {kind:13}: {scores.mean():.1f} ± {scores.std(ddof=1):.1f} % right"
    )

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6), width_ratios=[1.25, 1], layout="constrained")
for kind, offset, colour in (("upright only", -0.2, "#0072B2"), ("turned, too", 0.2, "#E69F00")):
    means, spreads = 100 - by_digit[kind].mean(axis=0), by_digit[kind].std(axis=0, ddof=1)
    axes[0].bar(
        np.arange(10) + offset, means, 0.38, yerr=spreads, color=colour, ecolor="#555555",
        label=f"trained with digits {kind}",
    )  # fmt: skip
axes[0].set(xlabel="digit", ylabel="errors (%)", xticks=range(10))
axes[0].set_title("shown as they are", size=10)
axes[0].margins(y=0.25)
axes[0].set_ylim(bottom=0)
axes[0].legend(fontsize=8.5, loc="upper left")
axes[1].imshow(table, cmap="viridis", vmin=0, vmax=100)
for (row, column), share in np.ndenumerate(table):
    if share >= 20:
        ink = "black" if share > 60 else "white"
        axes[1].text(column, row, f"{share:.0f}", ha="center", va="center", size=8, color=ink)
axes[1].set(xticks=range(10), yticks=range(10), xlabel="the network says", ylabel="digit")
axes[1].set_title("shown turned; trained with upright only, %", size=10)
show(
    figure,
    alt="Left: errors for each digit, shown as it is, of networks trained with upright digits only "
    "and with turned ones, too. Nearly all bars of the second kind are higher, for 3 by about ten "
    "points. Right: what the network of upright digits says about turned ones, as a table. Most "
    "turned sixes are taken for nines, most nines and most sevens for sixes; only 1 and 5 are "
    "mostly taken for what they are.",
)

# %% [markdown]
# Look at the right-hand table first: a network that has never seen a turned digit takes most
# turned sixes for nines, and most turned nines for sixes. It is quite right. (It also takes a
# turned 7 for a 6. Look at one, and you see why.) Train it with turned digits, and it is told
# that the shape of a 9 is *sometimes* a 6. From then on it must go by the small differences in
# people's handwriting, and it has twice as many shapes to learn in the same number of steps. The
# bars are the price: a few points at nearly every digit, for a gift that nobody wanted, since no
# test digit stands on its head.
#
# **The rule.** Before you switch a layer on, look at a batch that comes out of it, and try to say
# the labels yourself. If you cannot, no network can.
#
# | question | harmless | destroys the label |
# |---|---|---|
# | which animal or vehicle? | flip left to right, moves, small turns, brightness | little |
# | which digit or letter? | moves, small turns, zoom | flips, half turns |
# | which traffic sign? | moves, zoom, brightness | flips; strong changes of hue |
# | which way is up? | flip left to right | every turn |
# | healthy or ill, on an X-ray? | moves, contrast | flips, if the side matters |

# %% [markdown]
# ## 4 · Steps per epoch
#
# Old code is full of lines like this one:
#
# ```python
# model.fit_generator(generator, steps_per_epoch=x_train.shape[0] // batch_size, epochs=100)
# ```
#
# Augmented pictures came from a Python **generator**, which goes on for ever. `fit` could not
# know when an epoch was over, so it had to be told how many batches to take: the **steps per
# epoch**. In Keras 3 augmentation is a layer, the pictures stay in an array, and an array knows
# its length. So does a `tf.data.Dataset`, and so does a `keras.utils.PyDataset`. Only where there
# is no end does `fit` need `steps_per_epoch` still.
#
# **Predict.** 1,000 pictures, batches of 64. How many steps has an epoch?

# %%
prediction_steps = None

# %%
# NBVAL_CHECK_OUTPUT
tiny = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
numbers = np.zeros((1_000, 1), "float32")
batches = tf.data.Dataset.from_tensor_slices((numbers, numbers)).batch(64)


def steps_taken(*data, **settings):
    """How often the weights are corrected in one epoch."""
    tiny.compile(optimizer="sgd", loss="mse")
    tiny.fit(*data, epochs=1, verbose=0, **settings)
    return int(tiny.optimizer.iterations)


steps = steps_taken(numbers, numbers, batch_size=64)
print("an array of 1,000, batches of 64:      ", steps, "steps")
print("a Dataset of it knows its length:      ", int(batches.cardinality()))
endless = batches.repeat()
print("repeated for ever:                     ", int(endless.cardinality()), "(means: no end)")
print(
    "repeated, with steps_per_epoch=10:     ",
    steps_taken(endless, steps_per_epoch=10, shuffle=False),
    "steps",
)

# %%
compare_prediction(prediction_steps, steps)

# %% [markdown]
# Fifteen full batches and one of 40. Mind the `//` in the old line: it leaves the last, incomplete
# batch out. With a generator that shuffled that did little harm: other pictures are missing each
# time.
#
# ### Exercise 3 · `steps_per_epoch` (2 points)
#
# How many steps has an epoch? Some of the pictures may be put aside for validation before, and an
# incomplete last batch may be dropped.


# %% nbgrader={"grade_id": "steps_per_epoch", "solution": true}
def steps_per_epoch(pictures, batch_size, validation=0, drop_remainder=False):
    """Count the training steps of one epoch.

    Parameters
    ----------
    pictures : int
        Pictures in all.
    batch_size : int
        Pictures in a full batch.
    validation : int
        How many of the pictures are put aside, and not trained with.
    drop_remainder : bool
        Whether a last batch that is not full is dropped.

    Returns
    -------
    int
    """
    ### BEGIN SOLUTION
    train = pictures - validation
    if drop_remainder:
        return train // batch_size
    return math.ceil(train / batch_size)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_steps_per_epoch", "grade": true, "points": 2}
exercise = checks.Exercise(
    "steps_per_epoch",
    points=2,
    hints={
        "last-batch-forgotten": "The pictures that do not fill a batch are trained with, too.",
        "last-batch-kept": "The last batch is not full, and is to be dropped here.",
        "always-one-more": "When the pictures fill their batches exactly, there is no further one.",
        "not-rounded": "A step is a whole batch, or it is none.",
        "validation-forgotten": "The pictures for validation are not trained with.",
        "validation-only": "Those are the steps for the validation pictures.",
    },
)
exercise.number(
    "1,000 pictures, batches of 64",
    lambda: steps_per_epoch(1_000, 64),
    16,
    mistakes={"last-batch-forgotten": 15, "not-rounded": 15.625},
)
exercise.number(
    "1,010 pictures, batches of 50",
    lambda: steps_per_epoch(1_010, 50),
    21,
    mistakes={"last-batch-forgotten": 20, "not-rounded": 20.2},
)
exercise.number(
    "50,000 pictures, 5,000 for validation, batches of 125",
    lambda: steps_per_epoch(50_000, 125, validation=5_000),
    360,
    mistakes={"validation-forgotten": 400, "validation-only": 40, "always-one-more": 361},
)
exercise.number(
    "50,000 pictures, 5,000 for validation, batches of 128, the last one dropped",
    lambda: steps_per_epoch(50_000, 128, validation=5_000, drop_remainder=True),
    351,
    mistakes={
        "last-batch-kept": 352,
        "validation-forgotten": 390,
        "validation-only": 39,
        "not-rounded": 351.5625,
    },
)
### BEGIN HIDDEN TESTS
for _left, _dropped in ((0.0, False), (0.2, False), (0.8, True), (0.3, True), (0.0, True)):
    while True:
        _batch = int(exercise.rng.integers(20, 200))
        _full = int(exercise.rng.integers(40, 400))
        _train = _full * _batch + int(_left * _batch)
        _aside = int(exercise.rng.integers(10, 30)) * _batch + int(exercise.rng.integers(3, 17))
        _count = _full + int(_left > 0 and not _dropped)
        _wrong = {
            "validation-forgotten": (_train + _aside) // _batch
            if _dropped
            else math.ceil((_train + _aside) / _batch),
            "validation-only": _aside // _batch if _dropped else math.ceil(_aside / _batch),
        }
        if _left:
            _wrong["last-batch-kept" if _dropped else "last-batch-forgotten"] = (
                _full + 1 if _dropped else _full
            )
            _wrong["not-rounded"] = _train / _batch
        else:
            _wrong["always-one-more"] = _full + 1
        if len({_count, *_wrong.values()}) == 1 + len(_wrong):
            break
    exercise.hidden.number(
        f"a drawn number of pictures, {'full batches only' if not _left else 'with a remainder'}"
        + (", dropped" if _dropped and _left else ""),
        lambda _given=(_train + _aside, _batch, _aside, _dropped): steps_per_epoch(*_given),
        _count,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 5 · With and without: the experiment
#
# Now the small CNN, with augmentation and without, and **fairly**:
#
# - both have the same number of epochs to themselves, and the same recipe: Adam, with a learning
#   rate that falls to 0 along a cosine (at full scale it stays as it is, see section 8);
# - of both the *best epoch* is kept, chosen by validation pictures that neither learns from. The
#   test pictures choose nothing;
# - the runs come in **pairs**: with the same seed, both start from the same first weights and see
#   the pictures in the same order. They differ in the augmentation, and in nothing else.
#
# At quick scale there are 1,000 pictures to learn from, 500 for validation, 1,000 for the test, so
# that six runs take less than a minute. So few pictures are soon known by heart: augmentation
# should matter *more* here than with all of CIFAR-10. Section 8 has the figures for 45,000. (An
# admission: with 20 epochs, the first choice, these three pairs were not distinguishable. 28 was
# chosen afterwards, on the same seeds. A verdict that was reached by trying is worth less than one
# from fresh seeds: set `SEEDS = (4, 5, 6)` and see whether it stands.)

# %% tags=["benchmark"] nbgrader={"grade_id": "training", "locked": true}
SEEDS = by_scale(quick=(1, 2, 3), full=(1, 2, 3), grading=(1, 2))
EPOCHS = by_scale(quick=28, full=30, grading=0)  # for both; the best one is kept
PATIENCE = by_scale(quick=28, full=8, grading=1)  # epochs without progress before it ends
BATCH = by_scale(quick=64, full=128, grading=20)
RATE = by_scale(quick=2e-3, full=1e-3, grading=1e-3)
AT_THE_END = by_scale(quick=0.0, full=1.0, grading=1.0)  # share of the rate that is left
KINDS = ("without", "with")


def network_and_model(kind, seed):
    """Build the CNN, and the model that is trained: with augmentation in front, or without."""
    keras.utils.set_random_seed(seed)
    network = small_cnn()
    layers = [keras.Input((32, 32, 3))]
    if kind == "with":
        layers.append(keras.layers.RandomFlip("horizontal"))
        layers.append(keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"))
    return network, keras.Sequential([*layers, network])


def says(network, pictures):
    """The class that a network takes each picture for; nothing is augmented."""
    pieces = np.split(pictures, range(500, len(pictures), 500))
    return np.concatenate([np.argmax(network(piece, training=False), axis=1) for piece in pieces])


results = {}  # kind → for each seed: accuracy, seconds, epochs, parameters
right = {}  # kind → for each seed: which test pictures were right
trained = {}  # kind → for each seed: the network, without the augmentation
curves = {}  # kind → for each seed: training and validation accuracy by epoch, in per cent


def measure(kind):
    """Train with every seed, and keep what came out."""
    network, model = network_and_model(kind, SEEDS[0])
    steps = max(1, EPOCHS * math.ceil(len(x_train) / BATCH))
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(RATE, steps, alpha=AT_THE_END)
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    results[kind], right[kind], trained[kind], curves[kind] = [], [], [], []
    for seed in SEEDS:
        # Compiled once, begun afresh: new weights, new dice, an optimiser without memories.
        fresh, fresh_model = network_and_model(kind, seed)
        for variable, value in zip(model.variables, fresh_model.variables, strict=True):
            variable.assign(value)
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        keras.utils.set_random_seed(seed)  # the same order of the pictures with and without
        keep_best = keras.callbacks.EarlyStopping(
            "val_accuracy", mode="max", patience=PATIENCE, restore_best_weights=True
        )
        start = time.perf_counter()
        history = model.fit(
            x_train,
            y_train,
            batch_size=BATCH,
            epochs=EPOCHS,
            validation_data=(x_val, y_val),
            validation_batch_size=500,
            callbacks=[keep_best],
            verbose=0,
        ).history
        seconds = time.perf_counter() - start
        fresh.set_weights(network.get_weights())
        trained[kind].append(fresh)
        right[kind].append(says(fresh, x_test) == y_test)
        curves[kind].append(
            [100 * np.array(history.get(k) or [0.0]) for k in ("accuracy", "val_accuracy")]
        )
        results[kind].append(
            {
                "seed": seed,
                "accuracy": 100 * float(np.mean(right[kind][-1])),
                "seconds": seconds,
                "epochs": EPOCHS,
                "best_epoch": keep_best.best_epoch + 1,
                "parameters": model.count_params(),
            }
        )


def accuracies(kind):
    """Test accuracy of each seed, in per cent."""
    return [run["accuracy"] for run in results[kind]]


# %% [markdown]
# **Predict.** By how many points will augmentation lift the accuracy on the test pictures? And
# which of the two will know its *training* pictures better?

# %%
prediction_gain = None  # points, for example 1.5
prediction_knows_training = None  # "without" or "with"

# %% tags=["benchmark"]
measure("without")

# %% tags=["benchmark"]
measure("with")

# %%
print(f"{'seed':>6}{'without':>12}{'with':>12}{'difference':>13}{'best epochs':>16}")
for first, second in zip(results["without"], results["with"], strict=True):
    print(
        f"{first['seed']:6}{first['accuracy']:10.1f} %{second['accuracy']:10.1f} %"
        f"{second['accuracy'] - first['accuracy']:+13.1f}"
        f"{first['best_epoch']:10} and {second['best_epoch']}"
    )
gains = np.subtract(accuracies("with"), accuracies("without"))
means = [
    f"{np.mean(accuracies(kind)):.1f} ± {np.std(accuracies(kind), ddof=1):.1f}" for kind in KINDS
]
print(f"mean  {means[0]:>12}{means[1]:>12}{gains.mean():+9.1f} ± {gains.std(ddof=1):.1f}")
for kind in KINDS:
    print(f"{kind}: {np.mean([run['seconds'] for run in results[kind]]):.1f} s a run")
ends = {kind: np.mean([run[0][-1] for run in curves[kind]]) for kind in KINDS}
print(f"gain: {gains.mean():+.1f} points; you predicted {prediction_gain}")
compare_prediction(prediction_knows_training, max(ends, key=ends.get))

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.2, 3.4), sharey=True, layout="constrained")
for axis, kind in zip(axes, KINDS, strict=True):
    runs = np.array(curves[kind])  # (seeds, 2, epochs)
    epochs_run = np.arange(1, runs.shape[2] + 1)
    for place, (name, colour, style) in enumerate(
        (("training", "#0072B2", "-"), ("validation", "#D55E00", "--"))
    ):
        mean, spread = runs[:, place].mean(axis=0), runs[:, place].std(axis=0, ddof=1)
        axis.fill_between(epochs_run, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
        axis.plot(epochs_run, mean, style, color=colour, lw=2, label=name)
    axis.set(title=f"{kind} augmentation", xlabel="epoch", ylim=(0, 100))
    axis.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    axis.grid(alpha=0.3)
axes[0].set_ylabel("right (%)")
axes[0].legend(loc="upper left")
show(
    figure,
    alt="Accuracy by epoch, mean and spread over the seeds. Without augmentation the training "
    "curve climbs to nearly 90 per cent, far above the validation curve, which ends near 46. With "
    "augmentation the training curve climbs more slowly, to 60 per cent, and the validation curve "
    "ends a little higher, near 48: the gap is less than a third as wide.",
)

# %% [markdown]
# Without augmentation the network learns its pictures by heart: the left gap is the
# **overfitting**. With it, there is nothing to learn by heart, since no picture comes twice. The
# training curve is lower for two reasons: the network knows these pictures less well, and it is
# measured while the dice are rolling, on pictures that are mirrored and moved; the validation
# pictures are not.
#
# ## 6 · Is the difference real?
#
# The means differ. Means of any two columns of figures differ. The question is whether the
# difference is large *compared with its own noise*.
#
# Since the runs come in pairs, look at the **differences** $d_1 \dots d_n$, one for each seed.
# What a good or bad start did to both has dropped out of them.
#
# $$\bar d = \frac1n \sum_i d_i \qquad
# s = \sqrt{\frac{1}{n-1} \sum_i (d_i - \bar d)^2} \qquad
# \text{error} = \frac{s}{\sqrt n}$$
#
# $s$ says how far one difference lies from the others, the **standard error** how far their *mean*
# may lie from the truth. If augmentation did nothing, $\bar d / \text{error}$ would hop around 0,
# rarely far from it. How far is too far? For many runs, ±2. For few runs $s$ itself is badly known,
# and the bound is wider. W. S. Gosset, who tested beer for Guinness, worked the bounds out in 1908
# and signed as *Student*: it is the **paired t-test**. Beyond the bound one would come by chance in
# 5 % of cases only.
#
# | runs $n$ | 2 | 3 | 4 | 5 | 6 | 10 | 30 |
# |---|--:|--:|--:|--:|--:|--:|--:|
# | degrees of freedom $n-1$ | 1 | 2 | 3 | 4 | 5 | 9 | 29 |
# | bound | 12.706 | 4.303 | 3.182 | 2.776 | 2.571 | 2.262 | 2.045 |
#
# (If the runs are *not* paired, the error comes from both columns,
# $\sqrt{s_1^2/n + s_2^2/n}$: Welch's test. It is the right one for two networks that share no
# seeds, and a blunt one where pairs exist.)

# %% nbgrader={"grade_id": "bounds", "locked": true}
# Two-sided 5 % bounds of Student's t, by degrees of freedom.
_one_to_ten = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_to_twenty = (2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)
BOUNDS = dict(enumerate((*_one_to_ten, *_to_twenty), start=1))

# %% [markdown]
# ### Exercise 4 · `judge` (4 points)
#
# From two lists of accuracies to a verdict, by the paired t-test. The first number of both lists
# belongs to the same seed, and so on. Use `BOUNDS[degrees of freedom]`.


# %% nbgrader={"grade_id": "judge", "solution": true}
def judge(first, second):
    """Judge the difference of two networks from paired runs.

    Parameters
    ----------
    first, second : list of float
        Accuracies in per cent, equally many, paired by seed; at least two.

    Returns
    -------
    difference : float
        Mean of second minus first, in points.
    error : float
        Standard error of that mean.
    verdict : {"first", "second", "not distinguishable"}
        Which one is better, if the difference is beyond the bound.
    """
    ### BEGIN SOLUTION
    differences = np.subtract(second, first)
    runs = len(differences)
    difference = differences.mean()
    error = differences.std(ddof=1) / math.sqrt(runs)
    if abs(difference) <= BOUNDS[runs - 1] * error:
        return difference, error, "not distinguishable"
    return difference, error, "second" if difference > 0 else "first"
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_judge", "grade": true, "points": 4}
exercise = checks.Exercise(
    "judge",
    points=4,
    hints={
        "sign": "It is second minus first: positive if the second is better.",
        "n-for-n-minus-1": "The spread is that of a sample: divide by n − 1. NumPy divides by n.",
        "spread-for-error": "That is the spread of single differences. A mean is better known.",
        "root-forgotten": "The spread is divided by the root of the number of runs.",
        "variance": "That is made of the variance: a root is missing.",
        "unpaired": "That is Welch's error, from both columns. What do the pairs say?",
        "normal-for-t": "The bound is wider than 2 when there are so few runs.",
        "degrees-of-freedom": "Which degrees of freedom belong to this number of runs?",
        "abs-forgotten": "A difference far below 0 is as far from 0 as one far above.",
        "always-a-winner": "Not every difference can be told from noise.",
        "names-swapped": "The verdict names the worse one.",
        "never-a-winner": "This difference is beyond the bound.",
    },
)


def _numbers(first, second):
    """Difference and error of an answer."""
    difference, error, _ = judge(list(first), list(second))
    return [float(difference), float(error)]


def _verdict(first, second):
    """Verdict of an answer."""
    return judge(list(first), list(second))[2]


_clear = [50.0, 52.0, 54.0], [53.0, 54.5, 57.5]
exercise.array(
    "difference and error: 50, 52, 54 against 53, 54.5, 57.5",
    lambda: _numbers(*_clear),
    [3, 0.288675],
    rtol=1e-4,
    mistakes={
        "sign": [-3, 0.288675],
        "n-for-n-minus-1": [3, 0.235702],
        "spread-for-error": [3, 0.5],
        "root-forgotten": [3, 0.166667],
        "variance": [3, 0.083333],
        "unpaired": [3, 1.755942],
    },
)
exercise.equal(
    "the verdict on them",
    lambda: _verdict(*_clear),
    "second",
    mistakes={
        "names-swapped": "first",
        "unpaired": "not distinguishable",
    },
)
exercise.equal(
    "differences of −2.1, −1.6, −1.8 and −2.3",
    lambda: _verdict([70.1, 69.5, 70.4, 69.8], [68.0, 67.9, 68.6, 67.5]),
    "first",
    mistakes={"names-swapped": "second", "abs-forgotten": "not distinguishable"},
)
exercise.equal(
    "differences of 0.5, −0.3 and 0.1",
    lambda: _verdict([60.0, 61.0, 59.5], [60.5, 60.7, 59.6]),
    "not distinguishable",
    mistakes={"always-a-winner": "second"},
)
exercise.equal(
    "differences of 1.0, 2.9 and 1.2: 2.8 times the error, from three runs",
    lambda: _verdict([50.0, 50.0, 50.0], [51.0, 52.9, 51.2]),
    "not distinguishable",
    mistakes={"normal-for-t": "second"},
)
exercise.equal(
    "differences of 1, 2 and 3: 3.5 times the error, from three runs",
    lambda: _verdict([50.0, 50.0, 50.0], [51.0, 52.0, 53.0]),
    "not distinguishable",
    mistakes={"degrees-of-freedom": "second"},
)
### BEGIN HIDDEN TESTS


def _pairs(runs, ratio):
    """Two lists whose mean difference is `ratio` times its standard error."""
    starts = exercise.rng.normal(60, 2, size=runs)
    noise = exercise.rng.normal(size=runs)
    noise -= noise.mean()
    size = exercise.rng.uniform(0.3, 0.9)
    noise *= size / noise.std(ddof=1)
    return starts.tolist(), (starts + noise + ratio * size / math.sqrt(runs)).tolist()


for _runs, _case in (
    (3, "clear"), (5, "clear"), (5, "the other way"), (3, "small"), (8, "small"),
    (3, "over 2"), (4, "over 2"), (3, "just below"), (5, "just below"), (10, "just above"),
):  # fmt: skip
    _bound = BOUNDS[_runs - 1]
    _ratio = {
        "clear": 3 * _bound,
        "the other way": -3 * _bound,
        "small": 0.8,
        "over 2": 0.5 * (2.05 + BOUNDS[_runs]),
        "just below": 0.5 * (BOUNDS[_runs] + _bound),
        "just above": 1.05 * _bound,
    }[_case]
    _first, _second = _pairs(_runs, _ratio)
    _expected = {"clear": "second", "the other way": "first", "just above": "second"}
    exercise.hidden.equal(
        f"a verdict on {_runs} drawn pairs: {_case}",
        lambda _lists=(_first, _second): _verdict(*_lists),
        _expected.get(_case, "not distinguishable"),
        mistakes={
            "clear": {"names-swapped": "first", "never-a-winner": "not distinguishable"},
            "the other way": {
                "abs-forgotten": "not distinguishable",
                "names-swapped": "second",
            },
            "small": {"always-a-winner": "second"},
            "over 2": {"normal-for-t": "second"},
            "just below": {"degrees-of-freedom": "second"},
            "just above": {"never-a-winner": "not distinguishable"},
        }[_case],
        weight=0.4,
    )
    if _case != "clear":
        continue
    _d = np.subtract(_second, _first)
    _mean, _s = _d.mean(), _d.std(ddof=1)
    _error = _s / math.sqrt(_runs)
    exercise.hidden.array(
        f"difference and error of {_runs} drawn pairs",
        lambda _lists=(_first, _second): _numbers(*_lists),
        [_mean, _error],
        rtol=1e-4,
        mistakes={
            "sign": [-_mean, _error],
            "n-for-n-minus-1": [_mean, _d.std() / math.sqrt(_runs)],
            "spread-for-error": [_mean, _s],
            "root-forgotten": [_mean, _s / _runs],
            "variance": [_mean, _s**2 / _runs],
            "unpaired": [
                _mean,
                math.sqrt((np.var(_first, ddof=1) + np.var(_second, ddof=1)) / _runs),
            ],
        },
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# Your function now judges the experiment of section 5.
#
# **Predict.** Look at its table again. Will your function call the difference real?

# %%
prediction_verdict = None  # "with", "without" or "not distinguishable"

# %%
try:
    difference, error, verdict = judge(accuracies("without"), accuracies("with"))
    verdict = {"first": "without", "second": "with"}.get(verdict, verdict)
    bound = BOUNDS[len(SEEDS) - 1]
    print(f"with − without: {difference:+.2f} points, standard error {error:.2f}")
    print(f"distinguishable if beyond ±{bound * error:.2f}   (bound {bound} for {len(SEEDS)} runs)")
    compare_prediction(prediction_verdict, verdict)
except NotImplementedError:
    print("judge is not written yet")
except Exception as failure:
    print("your judge fails here:", type(failure).__name__)

# %% [markdown]
# Whatever it says in your run: "with" does not mean *certainly*, and "not distinguishable" does not
# mean *no difference*. It means that three runs of this size cannot tell. How many could?
#
# ### Power: how many seeds does it take?
#
# Suppose the truth is a difference of $d$ points, and single differences scatter around it with a
# spread of $s$. How often does a paired t-test with $n$ runs find it? That share is the **power**
# of the test. Nobody needs a formula for it: throw the dice 20,000 times.


# %%
TRIES = by_scale(quick=20_000, full=20_000, grading=200)


def power(ratio, runs):
    """How often a paired t-test with so many runs finds a difference of `ratio` spreads."""
    dice = np.random.default_rng(runs)
    drawn = ratio + dice.normal(size=(TRIES, runs))
    t = drawn.mean(axis=1) / (drawn.std(axis=1, ddof=1) / math.sqrt(runs))
    return np.mean(np.abs(t) > BOUNDS[runs - 1])


counts = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20]
RATIOS = {3: ("#0072B2", "o"), 2: ("#D55E00", "s"), 1: ("#009E73", "^"), 0.5: ("#000000", "D")}
figure, axis = plt.subplots(figsize=(7.4, 3.7), layout="constrained")
for ratio, (colour, marker) in RATIOS.items():
    found = [100 * power(ratio, runs) for runs in counts]
    axis.plot(counts, found, marker=marker, color=colour, label=f"d = {ratio:g} s")
    enough = [runs for runs, share in zip(counts, found, strict=True) if share >= 80]
    print(
        f"d = {ratio:3g} s: three runs find it in {found[1]:3.0f} % of cases; for 80 % it takes "
        + (f"{enough[0]} runs" if enough else f"more than {counts[-1]}")
    )
axis.axhline(80, color="#777777", ls="--", lw=1)
axis.set(xlabel="runs n", ylabel="found (%)", ylim=(0, 103), xlim=(1.5, 20.5))
axis.set_xticks(counts)
axis.grid(alpha=0.3)
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
show(
    figure,
    alt="Share of experiments that find a true difference d, against the number of runs, for "
    "four ratios of d to the spread s. For d of 3 s, 80 per cent is passed at 4 runs; for 2 s at "
    "5; for 1 s at 10; for half the spread even 20 runs find it in little more than half of "
    "the cases. With three runs all curves are below 80 per cent.",
)

# %% [markdown]
# - Three runs find only what is large against the spread. If three runs say "not distinguishable",
#   that is often the fault of the three.
# - A rule of thumb for 80 %: $n \approx 8\,(s/d)^2 + 2$. Half the difference, four times the runs.
# - A smaller $s$ helps as much as a larger $d$: more test pictures, and pairs.
#
# ## 7 · A famous run that proves nothing
#
# A published run that many have read trains this very network on all of CIFAR-10, once without
# augmentation and once with it. Accuracy on the 10,000 test pictures: **68.0 %** and **68.3 %**.
# Does augmentation help?
#
# One run of each. Two kinds of noise, and neither was measured. But we can estimate both.
#
# **The test pictures.** An accuracy $p$ measured on $N$ pictures that were drawn by chance has the
# binomial standard error $\sqrt{p(1-p)/N}$. **The seeds.** Two single runs of the *same* network
# differ by $\sqrt 2$ times the spread of one.

# %%
p, N = 0.68, 10_000
binomial = 100 * math.sqrt(p * (1 - p) / N)
print(f"one accuracy of 68 % on 10,000 pictures: ± {binomial:.2f} points")
print(f"the difference of two such, on other pictures: ± {math.sqrt(2) * binomial:.2f} points")
disagree = np.mean(np.not_equal(right["without"], right["with"]))
print(
    f"the difference on the same pictures, if the networks disagree on {disagree:.0%} of them as "
    f"ours do: ± {100 * math.sqrt(disagree / N):.2f} points"
)
dice = np.random.default_rng(7)
for spread in (0.3, 0.5, 0.8):
    gaps = np.abs(dice.normal(scale=spread, size=(100_000, 2)) @ [1, -1])
    print(
        f"if the seeds spread by {spread} points: two runs of one and the same network differ by "
        f"0.3 or more in {np.mean(gaps >= 0.3):.0%} of cases"
    )

# %% [markdown]
# 0.3 points is less than *one* standard error of the pictures, and less than what two runs of one
# and the same network are usually apart. To see a true difference of 0.3 where $s$ is 0.7, the rule
# of thumb asks for $8 · (0.7/0.3)^2 + 2 \approx 46$ pairs of runs. The run does not show that
# augmentation helps. It does not show that it does not help, either: **it shows nothing**, and
# would show nothing if the figures were swapped.
#
# One thing more. In your curves of section 5, compare the validation accuracy of the two after a
# third of the epochs. With augmentation a network learns more slowly; who stops both early compares
# runners long before the finish.
#
# ## 8 · Full scale
#
# The same cells, with 45,000 pictures to learn from, 5,000 for validation, and the official 10,000
# for the test. (Command: `python -m benchmarks.full_scale 05`.) Both have 30 epochs to themselves,
# Adam with Keras's own learning rate of 0.001 throughout, and stop when the validation accuracy has
# made no progress for 8 epochs; of both the best epoch by the validation pictures is kept.

# %% [markdown]
# <!-- results: 05_augmentation -->
#
# | network | parameters | quick scale, % right | full scale, % right | epochs | seconds a run |
# |---|--:|--:|--:|--:|--:|
# | without | 528,054 | 44.70 ± 0.60 | 70.14 ± 0.46 | 28 / 30 | 12 / 379 |
# | with | 528,054 | 47.63 ± 1.07 | 76.10 ± 0.73 | 28 / 30 | 14 / 571 |
#
# Mean ± standard deviation over seeds 1, 2, 3. Recorded 2026-11-26 on 2 cores (AMD EPYC), Python
# 3.11.7, TensorFlow 2.21.0, Keras 3.15.1. Epochs and seconds: quick / full; the seconds depend on
# what else the machine is doing.
#
# <!-- /results -->

# %% [markdown]
# Look at the column *full scale*: by how many spreads are the two means apart? (The spreads in the
# table are those of each network over the seeds, not that of the differences.) Then compare with
# quick scale. More test pictures and more to learn from make the spread smaller; and a small spread
# does as much for a verdict as a large difference.
#
# A warning belongs beside that table. The gain is that of *one* recipe. Lesson 04's own, 8 epochs
# with a falling rate and no augmentation, does better than *without* does here (its table has the
# figure): a constant rate is hard on the network that soon knows its pictures by heart. So compare
# *with* also with that. An earlier trial had 20
# epochs, and a learning rate that fell to 0 within them; there the two ended a few tenths of a
# point apart. (One seed of each. You know what that proves.) The recipe was then changed, so that
# the network that learns more slowly gets the time that it may need. Whoever reports a gain has to
# say at which recipe, and which others were tried.
#
# What 1,000 pictures can show is the mechanism: the gap between the curves, and which way the
# accuracy goes. They cannot show how much there is to gain with 45 times as many.

# %% [markdown]
# ## 9 · What has the network learned? Three invariances
#
# A network is **invariant** under a change if it says the same before and after. Section 5 trained
# with flips and moves. So now move the *test* pictures: does the accuracy fall less? And does what
# was learned about moves help with something that was never practised: turning, and another size?

# %% tags=["benchmark"] nbgrader={"grade_id": "changing", "locked": true}
DRAWN = np.random.default_rng(9).integers(0, 4, size=len(x_test))  # one of four ways for each
WAYS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)], "float32")


def change(pictures, drawn, pixels=0.0, degrees=0.0, scale=1.0):
    """Move, turn and scale pictures about their middle; the border is filled by the nearest.

    Each picture moves in its own drawn direction, and turns left or right as drawn.
    """
    right, down = pixels * WAYS[drawn].T
    angle = np.deg2rad(degrees) * np.where(drawn % 2, 1, -1)
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    middle = (pictures.shape[1] - 1) / 2
    # Where each pixel of the result comes from: back by the move, then turned and scaled back.
    x0, y0 = middle + right, middle + down
    zero = np.zeros(len(pictures))
    rows = [cosine, sine, middle - cosine * x0 - sine * y0]
    rows += [-sine, cosine, middle + sine * x0 - cosine * y0, zero, zero]
    return np.array(
        keras.ops.image.affine_transform(
            pictures, np.stack(rows, axis=1).astype("float32"), fill_mode="nearest"
        )
    )


# %% tags=["benchmark"]
moved_accuracy = {}  # kind → for each seed: accuracy after 0 … 6 pixels
for kind in KINDS:
    moved_accuracy[kind] = [[] for _ in SEEDS]
for pixels in range(7):
    pictures = change(x_test, DRAWN, pixels=pixels)
    for kind in KINDS:
        for place, network in enumerate(trained[kind]):
            share = 100 * float(np.mean(says(network, pictures) == y_test))
            moved_accuracy[kind][place].append(share)

# %%
AMOUNTS = {
    "moved (pixels)": ("pixels", tuple(range(7))),
    "turned (degrees)": ("degrees", by_scale(
        quick=(0, 10, 20, 35, 60, 90), full=(0, 10, 20, 35, 60, 90), grading=(0, 90))),
    "size (× original)": ("scale", by_scale(
        quick=(0.6, 0.8, 1, 1.25, 1.6), full=(0.6, 0.8, 1, 1.25, 1.6), grading=(1, 1.6))),
}  # fmt: skip

one = x_test[[int(np.flatnonzero(y_test == 7)[1])]]
figure, axes = plt.subplots(3, 7, figsize=(8.6, 4.1), layout="constrained")
for line, (name, (argument, amounts)) in enumerate(AMOUNTS.items()):
    for axis in axes[line]:
        axis.axis("off")
    for axis, amount in zip(axes[line], amounts, strict=False):
        changed = change(one, np.array([0]), **{argument: amount})[0]
        draw_picture(axis, changed, f"{amount:g}")
        axis.axis("on")
    axes[line, 0].set_ylabel(name.replace(" (", "\n("), size=9)
show(
    figure,
    alt="One test picture, a horse, in three rows: moved to the right by 0 to 6 pixels, turned by "
    "0 to 90 degrees, and drawn at 0.6 to 1.6 times its size. What comes in at the border is "
    "smeared. A person recognises it in all of them, only less easily at 90 degrees.",
)

# %% [markdown]
# **Predict.** Training was with flips and with moves of up to 3 pixels. Where, among the largest
# changes of each row, is the *gain* by augmentation largest: moved, turned, or another size?

# %%
prediction_largest_gain = None  # "moved", "turned" or "size"

# %%
curve = {kind: {} for kind in KINDS}  # kind → name → (seeds, amounts)
for kind in KINDS:
    for name, (argument, amounts) in AMOUNTS.items():
        if argument == "pixels":
            curve[kind][name] = np.array(moved_accuracy[kind])
            continue
        shares = []
        for amount in amounts:
            pictures = change(x_test, DRAWN, **{argument: amount})
            shares.append([100 * np.mean(says(net, pictures) == y_test) for net in trained[kind]])
        curve[kind][name] = np.array(shares).T

gain_at = {}
for name, (_, amounts) in AMOUNTS.items():
    gains_by_amount = (curve["with"][name] - curve["without"][name]).mean(axis=0)
    gain_at[name.split(" ")[0]] = float(gains_by_amount[-1])
    print(f"{name:18}", "  ".join(f"{amount:>5g}" for amount in amounts))
    for kind in KINDS:
        values = curve[kind][name].mean(axis=0)
        print(f"  {kind:16}", "  ".join(f"{value:5.1f}" for value in values))
    print(f"  {'gain':16}", "  ".join(f"{value:+5.1f}" for value in gains_by_amount))
mirrored_share = {
    kind: np.mean([np.mean(says(net, x_test[:, :, ::-1]) == y_test) for net in trained[kind]])
    for kind in KINDS
}
print(
    "mirrored:", ", ".join(f"{kind} {100 * share:.1f} %" for kind, share in mirrored_share.items())
)
compare_prediction(prediction_largest_gain, max(gain_at, key=gain_at.get))

# %%
figure, axes = plt.subplots(1, 3, figsize=(8.8, 3.2), sharey=True, layout="constrained")
for axis, (name, (_, amounts)) in zip(axes, AMOUNTS.items(), strict=True):
    for kind, colour, marker in (("without", "#0072B2", "o"), ("with", "#D55E00", "s")):
        values = curve[kind][name]
        mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
        axis.fill_between(amounts, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
        axis.plot(amounts, mean, marker=marker, color=colour, label=f"{kind} augmentation")
    axis.axhline(10, color="#777777", ls="--", lw=1)
    axis.set(xlabel=name, ylim=(0, None))
    axis.grid(alpha=0.3)
axes[0].set_ylabel("test pictures right (%)")
axes[0].text(0, 11.5, "guessing", color="#777777", size=9)
axes[1].legend(loc="upper right", fontsize=8.5)
show(
    figure,
    alt="Accuracy on the test pictures against the amount of three changes, networks trained with "
    "and without augmentation. In all three plots both curves fall with the amount, and the curve "
    "with augmentation lies above the other and falls more slowly: when moved by up to 6 pixels, "
    "when turned by small angles, and at other sizes. Turned by 90 degrees both are close to 20 "
    "per cent.",
)

# %% [markdown]
# Read the three plots with care. The network was never shown turned or scaled pictures, and yet its
# accuracy under small turns and changes of size falls less. There are two explanations, and both
# may be true.
#
# - **To a small window, a slight zoom is a move.** If a picture becomes 1.25 times as large, the
#   middle stays and the rim moves outwards by 4 pixels; every part of the picture moves by
#   something in between. Small turns are the same: each part moves, in a direction of its own.
# - **Blur.** A picture that is turned or scaled has its pixels mixed anew, and is softer than
#   before. So is one that is moved by 1.7 pixels, as in training; but in the left plot the moves
#   are whole pixels, and nothing is mixed. The network may have learned to bear blur.
#
# One can tell them apart: move by *half* a pixel. That is hardly a move, but it blurs.

# %%
half = change(x_test, DRAWN, pixels=0.5)
print(f"{'test pictures right':22}{'as they are':>14}{'half a pixel':>15}")
for kind in KINDS:
    shares = [100 * np.mean(says(network, half) == y_test) for network in trained[kind]]
    print(f"{kind:22}{np.mean(accuracies(kind)):12.1f} %{np.mean(shares):13.1f} %")

# %% [markdown]
# In the recorded run half a pixel cost the network without augmentation two points, and the other
# one nothing. So part of the lead under turns and zooms has nothing to do with shapes: augmentation
# has, by the way, taught the network to bear blur. One learns more from a network's strengths by
# asking what *else* could explain them.
#
# At full scale, moved by whole pixels:
#
# <!-- results: 05_augmentation moved -->
#
# | pixels moved | 0 | 1 | 2 | 3 | 4 | 5 | 6 |
# |---|--:|--:|--:|--:|--:|--:|--:|
# | without | 70.1±0.5 | 69.6±0.4 | 68.0±0.4 | 65.6±0.1 | 62.3±0.3 | 58.2±0.5 | 53.5±0.8 |
# | with | 76.1±0.7 | 75.6±0.8 | 74.7±0.9 | 73.3±0.8 | 71.4±1.1 | 68.3±1.1 | 64.1±1.2 |
#
# Test pictures right in per cent, full scale.
#
# <!-- /results -->

# %% [markdown]
# ### Exercise 5 · Reading the results (3 points, marked by hand)
#
# Look at the table and the curves of section 5, the line of your `judge`, the power plot, and the
# plots of section 9. Answer in six to ten sentences, with numbers from **your** run:
#
# 1. Compare the gaps between training and validation accuracy with and without augmentation. What
#    has augmentation changed? Why is it no contradiction if the network with the *lower* training
#    accuracy is at least as good on the test pictures?
# 2. What does `judge` say, and what does that mean? Take $\bar d$ and $s$ from your table: about
#    how many pairs of runs would find a difference of that size in 80 % of cases?
# 3. Under which of the three changes does augmentation help, from what amount on, and where not?
#    Someone concludes: "Training with moves makes a network invariant under turns." What in the
#    plots supports this, what speaks against it, and what else could be the reason?

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. Numbers of the run, for example: without augmentation 87 % of the training pictures are right
#    at the end and 46 % of the validation pictures, a gap of 41 points; with augmentation 60 and
#    48 %, a gap of 12. Augmentation has taken away the overfitting, not the errors: no picture
#    comes twice, so there is nothing to learn by heart. What is learned by heart does not help
#    with other pictures, so less of it is no loss; and the training accuracy is measured on
#    changed pictures, which are harder, the validation accuracy on pictures as they are.
# 2. `judge`: +2.9 points, standard error 0.4, beyond ±1.6: "with" is better. By chance alone so
#    much would come in less than 5 % of cases. With d = 2.9 and s = 0.7, d is about 4 s: three
#    pairs are enough (d = 3 s: 75 % with three, more than 80 % with four). If the run says "not
#    distinguishable", say with d = 0.5 and s = 1.3: that does not mean that there is no
#    difference; 8·(1.3/0.5)² + 2, about 56 pairs would be needed.
# 3. The curve with augmentation is higher everywhere, by 3 points unchanged, by 6 at 6 pixels, by 6
#    at 10 to 35 degrees and by 8 at 1.25 times the size; at 90 degrees the gain is within the
#    spread. For the sentence: the gain under small turns is larger than without a change, and small
#    turns move each part of a picture a little. Against it: both curves fall, from 48 to 19 % with
#    augmentation; that is far from invariant. Other reasons: turned pictures are blurred, and the
#    network has learned to bear blur (half a pixel costs the other one two points); or it is just
#    the better network.
#
# Marking: one point for each part. (1) both gaps in numbers *and* why a lower training accuracy is
# no loss. (2) the right meaning of the verdict *and* a number of pairs from d and s (by the plot or
# the rule). (3) amounts for two changes at least, one argument against the sentence *and* one other
# reason.
# ### END SOLUTION

# %% [markdown]
# ## What the numbers say
#
# - **Awake on a plain call.** `predict` and `evaluate` switch augmentation off. `model(pictures)`
#   does not; `model(pictures, training=False)` does.
# - **9 and 6.** A network of upright digits takes most turned sixes for nines, and most turned
#   nines for sixes. Trained with turned digits, too, it got 89.5 instead of 93.8 % of upright
#   digits right in the recorded run. A change is harmless only if *you* would still give the same
#   label.
# - **16, not 15.** An epoch of 1,000 pictures in batches of 64 has 16 steps. `fit` counts them
#   itself, unless the data has no end.
# - **4.303, not 2.** That is the bound for three runs. A true difference as large as the spread is
#   found by three pairs of runs in one case of five; it takes ten pairs for 80 %.
# - **± 0.47 points** is the noise of *one* accuracy of 68 % on 10,000 pictures, before any seed has
#   been changed. 68.0 against 68.3 proves nothing.
# - **41 against 12 points.** So wide was the gap between training and validation accuracy in the
#   recorded quick run, without augmentation and with it. On the test pictures it gained 2.9 ± 0.7
#   points, three pairs of runs, distinguishable. It also gained under turns and zooms that were
#   never practised, in part because it had learned to bear blur.
#
# ## Further reading
#
# - P. Y. Simard, D. Steinkraus, J. C. Platt: *Best practices for convolutional neural networks
#   applied to visual document analysis*, ICDAR 2003. Why more data, made by distorting digits,
#   mattered more than anything else.
# - C. Shorten, T. M. Khoshgoftaar: *A survey on image data augmentation for deep learning*, Journal
#   of Big Data 6 (2019).
# - E. D. Cubuk, B. Zoph, J. Shlens, Q. V. Le: *RandAugment*, NeurIPS 2020, arXiv:1909.13719. Many
#   augmentations at once, with two settings to choose.
# - H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz: *mixup: beyond empirical risk minimization*,
#   ICLR 2018, arXiv:1710.09412. Mixing two pictures, and their labels.
# - Student (W. S. Gosset): *The probable error of a mean*, Biometrika 6 (1908), 1–25.
# - X. Bouthillier and others: *Accounting for variance in machine learning benchmarks*, MLSys 2021,
#   arXiv:2103.03098. How much of the published progress is seeds.
# - Keras documentation, *Image augmentation layers*,
#   <https://keras.io/api/layers/preprocessing_layers/image_augmentation/>.
