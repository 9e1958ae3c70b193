# %% [markdown]
# # 04 · A CNN for CIFAR-10
#
# Ten classes of small colour photographs, a network of half a million parameters, and a rival that
# has seven times as many. Training them takes a minute. What takes a career is to notice when
# something is wrong. So this lesson is about *looking*: at the data before training, at the curves
# during it, and at the mistakes afterwards.
#
# **You will be able to**
#
# - prepare a set of pictures and split it, without a leak from one part into the other;
# - design and build a CNN for pictures, and say where its parameters are;
# - keep the best epoch instead of the last one, with a checkpoint and early stopping;
# - read a loss curve, and name the fault behind a bad one;
# - read a confusion matrix, and find out what a network mistakes for what.
#
# **Budget**, measured on 2 CPU cores: about 60 seconds to run, 1.3 GB of memory, 0 bytes of
# download: 6,000 pictures come with the course. Reading, thinking and the exercises: three hours.
#
# There are six exercises, 20 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded.

# %% tags=["benchmark"] nbgrader={"grade_id": "setup", "locked": true}
import math
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from autograder import checks
from autograder.experiments import compare_prediction, judge
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import CLASS_NAMES, by_scale, load, load_training_runs

with quiet_imports():
    import keras

use_course_style()
keras.utils.set_random_seed(4)

# %% [markdown]
# ## 1 · The pictures
#
# **CIFAR-10** was put together in 2009 by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton: 60,000
# colour photographs of 32×32 pixels, 50,000 to learn from and 10,000 for the test, in ten classes
# of equal size. They are part of a much larger heap of pictures that had been collected from the
# web by search words, so that somebody had to look at each of them and decide whether the word was
# right. It was not always.
#
# The course brings 5,000 of the one and 1,000 of the other along. With `COURSE_SCALE=full` in the
# environment, this notebook loads all 60,000.

# %% tags=["benchmark"] nbgrader={"grade_id": "pictures", "locked": true}
(pictures, labels), (test_pictures, test_labels) = load("cifar10")
if by_scale(quick=False, full=False, grading=True):  # a token for the grader
    pictures, labels = pictures[:200], labels[:200]
    test_pictures, test_labels = test_pictures[:60], test_labels[:60]

# %%
# NBVAL_CHECK_OUTPUT
print("to learn from:", pictures.shape, " for the test:", test_pictures.shape, pictures.dtype)
print("numbers from", pictures.min(), "to", pictures.max(), " labels:", labels[:12])
print("pictures of each class:", np.bincount(labels, minlength=10))

# %%
rows = by_scale(quick=6, full=6, grading=1)
figure, axis = plt.subplots(figsize=(8.4, 5.4), layout="constrained")
wall = [np.hstack([pictures[labels == kind][row] for kind in range(10)]) for row in range(rows)]
axis.imshow(np.vstack(wall))
axis.set_xticks(np.arange(10) * 32 + 15.5, CLASS_NAMES, size=9)
axis.set_yticks([])
axis.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
axis.spines[:].set_visible(False)
show(
    figure,
    alt="Six small photographs of each class in ten columns: airplanes against the sky, cars, "
    "birds, cats, deer, dogs, frogs, horses, ships on water, trucks. They are coarse, taken from "
    "all sides and at all distances; some show only a head, and several are hard to make out.",
)

# %% [markdown]
# Compare them with the digits of lesson 01. Nothing is centred here. A dog may be all head, or a
# dot on a lawn; it may look left or right; the light changes, and the background may be larger than
# the thing. The mean picture of a class, which for the digits was still a digit, is a brown fog.
#
# Before you train anything, try a few yourself. It is the cheapest experiment there is.

# %%
figure, axes = plt.subplots(1, 8, figsize=(8.4, 1.5), layout="constrained")
for axis, place in zip(axes, range(8), strict=True):
    axis.imshow(test_pictures[place])
    axis.set_title(f"{place}", size=9)
    axis.axis("off")
show(
    figure,
    alt="Eight pictures of the test set in a row, numbered 0 to 7, without their names: guess what "
    "each shows. Blocks of colour, no more than 32 across.",
)

# %%
your_guesses = [None, None, None, None, None, None, None, None]  # "cat", "ship", …

# %%
truth = [CLASS_NAMES[label] for label in test_labels[:8]]
print("they are:", ", ".join(truth))
if any(your_guesses):
    print("you had", sum(a == b for a, b in zip(your_guesses, truth, strict=True)), "of 8")

# %% [markdown]
# ## 2 · Three parts, and no leak between them
#
# | part | what it is for | who may look |
# |---|---|---|
# | **training** | the optimiser changes the weights with it | the optimiser |
# | **validation** | *you* choose with it: an epoch, a network, a learning rate | you, often |
# | **test** | says at the end how good the chosen network is | you, once |
#
# Why is the validation part not enough for the last line? Because you chose by it. Of forty epochs
# the best one on 500 pictures is partly the best and partly the luckiest. The test part has had no
# say in any choice, so it has no reason to flatter.
#
# A **leak** is a way in which a part that should be unknown helps all the same. Two are common:
#
# - **A split without shuffling.** Data often comes sorted: by class, by day, by camera. Whoever
#   takes the last tenth for validation may get nothing but trucks.
# - **Statistics from all pictures.** Networks learn more quickly from numbers with mean 0 and
#   standard deviation 1 than from 0 … 255. So one subtracts the mean of each colour and divides by
#   its standard deviation. *Whose* mean? It belongs to what is learned, like a weight. It is taken
#   from the training part, and used for all.
#
# ### Exercise 1 · `prepare` (4 points)
#
# Split and standardise. The order of the pictures comes from a seed, so that everybody who has the
# seed gets the same split.


# %% nbgrader={"grade_id": "prepare", "solution": true}
def prepare(pictures, labels, validation, seed):
    """Shuffle, split and standardise.

    The order is ``np.random.default_rng(seed).permutation(len(pictures))``. The first `validation`
    pictures of that order are the validation part, all others, in that order, the training part.
    From each colour its mean over the training part is subtracted, and what is left is divided by
    its standard deviation over the training part (NumPy's default, with n and not n − 1).

    Parameters
    ----------
    pictures : numpy.ndarray
        Shape (n, height, width, depth), dtype uint8.
    labels : numpy.ndarray
        Shape (n,), whole numbers.
    validation : int
        How many pictures to set aside.
    seed : int
        Of the order.

    Returns
    -------
    (x_train, y_train), (x_validation, y_validation)
        Pictures as float32; labels as they were.
    """
    ### BEGIN SOLUTION
    order = np.random.default_rng(seed).permutation(len(pictures))
    aside, learn = order[:validation], order[validation:]
    mean = pictures[learn].mean(axis=(0, 1, 2))
    spread = pictures[learn].std(axis=(0, 1, 2))

    def standardised(chosen):
        return ((pictures[chosen] - mean) / spread).astype("float32")

    return (standardised(learn), labels[learn]), (standardised(aside), labels[aside])
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_prepare", "grade": true, "points": 4}
exercise = checks.Exercise(
    "prepare",
    points=4,
    hints={
        "all-pictures": "A leak: the validation pictures had a say in mean or spread.",
        "own-statistics": "Each part was standardised by itself: the same colour, two numbers.",
        "colours-mixed": "One mean for all colours: each colour has its own.",
        "by-pixel": "Each pixel has got a mean of its own; a colour has one for all its pixels.",
        "by-picture": "Each picture was standardised by itself: dark ones are not dark any more.",
        "not-divided": "The mean is gone, the spread is not 1 yet.",
        "variance": "That is divided by the variance. What is its root?",
        "one-less": "Divided by n − 1 under the root: NumPy's default is n.",
        "only-scaled": "Dividing by 255 gives 0 … 1, not mean 0 and spread 1.",
        "untouched": "The pixels are still 0 … 255.",
        "not-shuffled": "The pictures are still in the order in which they came.",
        "labels-stayed": "The labels are in their old order. The pictures should not be.",
        "wrong-end": "The validation part is the first pictures of the order, not the last.",
        "parts-exchanged": "Training and validation are exchanged: see the docstring.",
        "float64": "These are 64-bit numbers: twice the memory, and no network needs them.",
        "whole-numbers": "These are whole numbers: a standardised pixel is not one.",
    },
)
# Five pictures of one pixel and two colours. The order of seed 3 is 4, 2, 1, 3, 0.
_five = np.array([[30, 160], [0, 70], [50, 130], [10, 100], [20, 190]], "uint8")
_five = _five.reshape(5, 1, 1, 2)
_names = np.array([50, 51, 52, 53, 54], "uint8")


def _part(which, what):
    """Pixels, one row a picture, or labels of one part of the five pictures."""
    part = prepare(_five.copy(), _names.copy(), 3, 3)[which][what]
    return np.asarray(part) if what else np.asarray(part).reshape(-1, 2)


exercise.array(
    "labels of the validation part, seed 3",
    lambda: _part(1, 1),
    [54, 52, 51],
    weight=0.5,
    mistakes={
        "wrong-end": [51, 53, 50],
        "parts-exchanged": [53, 50],
        "labels-stayed": [50, 51, 52],
    },
)
exercise.array(
    "labels of the training part",
    lambda: _part(0, 1),
    [53, 50],
    weight=0.5,
    mistakes={
        "wrong-end": [54, 52],
        "parts-exchanged": [54, 52, 51],
        "labels-stayed": [53, 54],
    },
)
exercise.array(
    "pixels of the training part: its colours have the means 20 and 130, the spreads 10 and 30",
    lambda: _part(0, 0),
    [[-1, -1], [1, 1]],
    rtol=0,
    atol=1e-3,
    mistakes={
        "all-pictures": [[-0.6975, -0.7071], [0.465, 0.7071]],
        "colours-mixed": [[-1.0948, 0.4211], [-0.7579, 1.4317]],
        "not-divided": [[-10, -30], [10, 30]],
        "variance": [[-0.1, -0.0333], [0.1, 0.0333]],
        "one-less": [[-0.7071, -0.7071], [0.7071, 0.7071]],
        "only-scaled": [[0.0392, 0.3922], [0.1176, 0.6275]],
        "untouched": [[10, 100], [30, 160]],
        "wrong-end": [[-1, 1], [1, -1]],
        "by-picture": [[-1, 1], [-1, 1]],
    },
)
exercise.array(
    "pixels of the validation part",
    lambda: _part(1, 0),
    [[0, 2], [3, 0], [-2, -2]],
    rtol=0,
    atol=1e-3,
    mistakes={
        "all-pictures": [[-0.1162, 1.4142], [1.6275, 0], [-1.2787, -1.4142]],
        "own-statistics": [[-0.1622, 1.2247], [1.2978, 0], [-1.1355, -1.2247]],
        "colours-mixed": [[-0.9264, 1.9369], [-0.4211, 0.9264], [-1.2632, -0.0842]],
        "not-divided": [[0, 60], [30, 0], [-20, -60]],
        "variance": [[0, 0.0667], [0.3, 0], [-0.2, -0.0667]],
        "one-less": [[0, 1.4142], [2.1213, 0], [-1.4142, -1.4142]],
        "only-scaled": [[0.0784, 0.7451], [0.1961, 0.5098], [0, 0.2745]],
        "untouched": [[20, 190], [50, 130], [0, 70]],
        "wrong-end": [[-2.3333, -3], [-1.6667, -2], [-0.3333, 0]],
        "not-shuffled": [[3, 0.3333], [-3, -1.6667], [7, -0.3333]],
    },
)
exercise.equal(
    "dtype of the pixels in both parts",
    lambda: [np.asarray(part[0]).dtype.name for part in prepare(_five.copy(), _names, 3, 3)],
    ["float32", "float32"],
    weight=0.5,
    mistakes={
        "float64": ["float64", "float64"],
        "whole-numbers": ["uint8", "uint8"],
    },
)
### BEGIN HIDDEN TESTS


def _prepared(x, y, validation, seed, how=""):
    order = np.random.default_rng(seed).permutation(len(x))
    if how == "not-shuffled":
        order = np.arange(len(x))
    aside, learn = order[:validation], order[validation:]
    if how == "wrong-end":
        aside, learn = order[-validation:], order[:-validation]
    if how == "parts-exchanged":
        aside, learn = learn, aside
    x = x.astype("float64")
    base = x if how == "all-pictures" else x[learn]
    axes = {"colours-mixed": None, "by-pixel": 0}.get(how, (0, 1, 2))
    mean, spread = base.mean(axis=axes), base.std(axis=axes, ddof=int(how == "one-less"))
    if how == "not-divided":
        spread = 1
    elif how == "variance":
        spread = spread**2
    elif how in ("only-scaled", "untouched"):
        mean, spread = 0, 255 if how == "only-scaled" else 1
    values = (x - mean) / spread
    if how == "by-picture":
        values = (x - x.mean(axis=(1, 2), keepdims=True)) / x.std(axis=(1, 2), keepdims=True)
    parts = [values[learn], values[aside]]
    if how == "own-statistics":
        parts[1] = (x[aside] - x[aside].mean(axis=(0, 1, 2))) / x[aside].std(axis=(0, 1, 2))
    place = np.arange(len(x)) if how == "labels-stayed" else order
    if how == "labels-stayed":
        return (parts[0], y[place[validation:]]), (parts[1], y[place[:validation]])
    return (parts[0], y[learn]), (parts[1], y[aside])


_HOW = (
    "all-pictures", "own-statistics", "colours-mixed", "by-pixel", "by-picture", "not-divided",
    "variance", "one-less", "only-scaled", "untouched", "not-shuffled", "wrong-end",
    "parts-exchanged",
)  # fmt: skip
for _round, _depth in enumerate((3, 4)):
    _n = int(exercise.rng.integers(17, 30))
    _shape = (_n, *(int(n) for n in exercise.rng.permutation(np.arange(3, 7))[:2]), _depth)
    _means = exercise.rng.permutation(np.linspace(60, 190, _depth))
    _x = exercise.rng.normal(_means, 10 + 6 * np.arange(_depth), size=_shape)
    _x = np.clip(_x, 0, 255).astype("uint8")
    _y = exercise.rng.permutation(np.arange(100, 100 + _n))
    _given = (int(exercise.rng.integers(5, 9)), int(exercise.rng.integers(1000, 9999)))
    for _which, _word in enumerate(("training", "validation")):
        for _what, _thing in enumerate(("pixels", "labels")):
            exercise.hidden.array(
                f"drawn pictures of depth {_depth}: {_thing} of the {_word} part",
                lambda _x=_x, _y=_y, _given=_given, _place=(_which, _what): np.asarray(
                    prepare(_x.copy(), _y.copy(), *_given)[_place[0]][_place[1]]
                ),
                _prepared(_x, _y, *_given)[_which][_what],
                rtol=0,
                atol=2e-3,
                weight=0.75 if _what == 0 else 0.5,
                mistakes={
                    how: _prepared(_x, _y, *_given, how)[_which][_what]
                    for how in (
                        ("labels-stayed", "wrong-end", "parts-exchanged") if _what else _HOW
                    )
                },
            )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# For the experiments below the notebook makes a split of its own: one tenth for validation. To
# spare you a surprise in the last digits it uses the same two round numbers for all colours, which
# are close to mean and spread of the training pictures.

# %% tags=["benchmark"] nbgrader={"grade_id": "split", "locked": true}
order = np.random.default_rng(4).permutation(len(pictures))
held = len(pictures) // 10
x_validation, y_validation = (pictures[order[:held]] / 255 - 0.47) / 0.25, labels[order[:held]]
x_train, y_train = (pictures[order[held:]] / 255 - 0.47) / 0.25, labels[order[held:]]
x_test, y_test = (test_pictures / 255 - 0.47) / 0.25, test_labels
x_train, x_validation, x_test = (x.astype("float32") for x in (x_train, x_validation, x_test))

# %%
# NBVAL_CHECK_OUTPUT
for name, x, y in (
    ("training", x_train, y_train),
    ("validation", x_validation, y_validation),
    ("test", x_test, y_test),
):
    print(f"{name:11}{len(x):>7,} pictures, of each class {np.bincount(y, minlength=10)}")
print("mean and spread of the training part:", x_train.mean().round(2), x_train.std().round(2))

# %% [markdown]
# ## 3 · Designing a network for pictures
#
# There is no formula for a good network. There are habits, and they have reasons:
#
# - **All pictures have the same size**, and its sides can be halved several times: 32, 64, or
#   224 = 7·32. `Flatten` needs a fixed size, and a map of odd size loses its last row when it is
#   pooled.
# - **Convolutions make it deeper.** The first layer finds edges and blobs of colour, and there are
#   not many kinds of those. Later layers find combinations, and there are more: 16, 32, 64 filters.
# - **ReLU follows each convolution.** Without a bend in between, two convolutions are one.
# - **Pooling makes it smaller**, and the following windows see more (lesson 03).
# - **Then it is flattened**, and dense layers decide: one unit for each class, softmax at the end.
# - **Powers of two** are a habit only. They please memory and processors, not the network.
#
# The network of this lesson follows them to the letter. Three times: a convolution with windows of
# 2×2, padding `"same"`, ReLU, with 16, 32 and 64 filters, then max pooling of 2×2. Then `Flatten`,
# a dense layer of 500 units with ReLU, and ten units with softmax.
#
# **Predict.** How many parameters has the first convolution? And the dense layer of 500 units?
# (Filters · window · window · depth of the input + one bias for each filter.)

# %%
prediction_first = None
prediction_dense = None

# %% [markdown]
# ### Exercise 2 · `build_cnn` (4 points)
#
# Build it, for pictures of any size and any number of classes, filters and units:
#
# - each number in `filters` is one convolution, windows of 2×2, padding `"same"`, ReLU, *followed
#   by* max pooling of 2×2;
# - then `Flatten`, a dense layer of `units` with ReLU, a dense layer with softmax.
#
# Sequential, functional or as a class of your own: what counts is what the network does.


# %% nbgrader={"grade_id": "build_cnn", "solution": true}
def build_cnn(input_shape, classes, filters, units):
    """Build a convolutional network for pictures.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width and depth of the pictures.
    classes : int
        Number of classes.
    filters : list of int
        Filters of each convolution; at least one.
    units : int
        Units of the dense layer before the last.

    Returns
    -------
    keras.Model
        Not compiled.
    """
    ### BEGIN SOLUTION
    picture = maps = keras.Input(input_shape)
    for count in filters:
        maps = keras.layers.Conv2D(count, 2, padding="same", activation="relu")(maps)
        maps = keras.layers.MaxPooling2D(2)(maps)
    hidden = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(maps))
    answer = keras.layers.Dense(classes, activation="softmax")(hidden)
    return keras.Model(picture, answer)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_build_cnn", "grade": true, "points": 4}
exercise = checks.Exercise(
    "build_cnn",
    points=4,
    hints={
        "not-padded": "The convolutions lose a row and a column: their padding is not 'same'.",
        "last-pool-missing": "After the last convolution, too, the maps are pooled.",
        "pooling-missing": "Nothing halves the maps: each convolution is followed by max pooling.",
        "pooling-overlaps": "The pooling windows overlap: is their stride 1?",
        "average-pooling": "That is average pooling.",
        "window-of-3": "The windows of the convolutions are 2×2, as odd as that may seem.",
        "global-pooling": "Global pooling hands on one number a map; Flatten hands on all of them.",
        "flatten-missing": "Without Flatten the dense layers work at each place of the map apart.",
        "dense-missing": "There is a dense layer of `units` between Flatten and the classes.",
        "filters-fixed": "These are the filters of the lesson's network, not the ones asked for.",
        "units-fixed": "These are the lesson's 500 units, not as many as asked for.",
        "classes-fixed": "The last layer has ten units, not as many as there are classes.",
        "depth-fixed": "The pictures need not be in three colours: see `input_shape`.",
        "relu-missing": "The convolutions have no ReLU.",
        "relu-missing-dense": "The convolutions are fine; the dense layer has no ReLU.",
        "softmax-missing": "These are scores: softmax would turn them into probabilities.",
        "sigmoid": "Each output is a probability of its own: that is a sigmoid, not softmax.",
    },
)


def _layers(model, shape):
    """Kind, output shape and parameters of each layer; activations may be layers or not."""
    table = checks.layer_table(model, shape)
    bends = ("Activation", "ReLU", "Softmax")
    return [
        [item.kind, item.output_shape, item.parameters] for item in table if item.kind not in bends
    ]


def _column(place):
    shape = (32, 32, 3)
    return [row[place] for row in _layers(build_cnn(shape, 10, [16, 32, 64], 500), shape)]


def _probabilities():
    """What a fresh network of five classes says about two pictures of noise."""
    noise = np.random.default_rng(1).normal(size=(2, 20, 24, 3)).astype("float32")
    return np.array(build_cnn((20, 24, 3), 5, [4, 6], 8)(noise))


exercise.equal(
    "the network of this lesson: kinds of its layers",
    lambda: _column(0),
    ["Conv2D", "MaxPooling2D"] * 3 + ["Flatten", "Dense", "Dense"],
    weight=0.5,
)
exercise.equal(
    "the network of this lesson: output shapes",
    lambda: _column(1),
    [
        (32, 32, 16), (16, 16, 16), (16, 16, 32), (8, 8, 32), (8, 8, 64), (4, 4, 64),
        (1024,), (500,), (10,),
    ],
    weight=0.5,
    mistakes={
        "not-padded": [
            (31, 31, 16), (15, 15, 16), (14, 14, 32), (7, 7, 32), (6, 6, 64), (3, 3, 64),
            (576,), (500,), (10,),
        ],
        "last-pool-missing": [
            (32, 32, 16), (16, 16, 16), (16, 16, 32), (8, 8, 32), (8, 8, 64),
            (4096,), (500,), (10,),
        ],
        "pooling-missing": [
            (32, 32, 16), (32, 32, 32), (32, 32, 64), (65536,), (500,), (10,)
        ],
        "pooling-overlaps": [
            (32, 32, 16), (31, 31, 16), (31, 31, 32), (30, 30, 32), (30, 30, 64), (29, 29, 64),
            (53824,), (500,), (10,),
        ],
    },
)  # fmt: skip
exercise.equal(
    "the network of this lesson: parameters, layer by layer",
    lambda: _column(2),
    [208, 0, 2_080, 0, 8_256, 0, 0, 512_500, 5_010],
    weight=0.5,
    mistakes={
        "window-of-3": [448, 0, 4_640, 0, 18_496, 0, 0, 512_500, 5_010],
        "not-padded": [208, 0, 2_080, 0, 8_256, 0, 0, 288_500, 5_010],
        "global-pooling": [208, 0, 2_080, 0, 8_256, 0, 0, 32_500, 5_010],
        "dense-missing": [208, 0, 2_080, 0, 8_256, 0, 0, 10_250],
    },
)
exercise.true(
    "two pictures: the outputs of each are positive and add up to 1",
    lambda: np.allclose(_probabilities().sum(axis=1), 1, atol=1e-4) and _probabilities().min() >= 0,
    otherwise="the outputs are no probabilities",
    hint="softmax-missing",
    weight=0.5,
)
### BEGIN HIDDEN TESTS


def _stack(
    shape,
    classes,
    filters,
    units,
    *,
    window=2,
    padding="same",
    pooling=keras.layers.MaxPooling2D,
    at_the_end=True,
    stride=2,
    flatten=keras.layers.Flatten,
    bends=("relu", "relu", "softmax"),
):
    stack = [keras.Input(shape)]
    for place, count in enumerate(filters, start=1):
        stack.append(keras.layers.Conv2D(count, window, padding=padding, activation=bends[0]))
        if pooling and (at_the_end or place < len(filters)):
            stack.append(pooling(2, strides=stride))
    if flatten:
        stack.append(flatten())
    if units:
        stack.append(keras.layers.Dense(units, activation=bends[1]))
    stack.append(keras.layers.Dense(classes, activation=bends[2]))
    return keras.Sequential(stack)


def _planned(model):
    """The same as _layers for a sequential model, without running it."""
    return [
        [layer.__class__.__name__, tuple(layer.output.shape[1:]), layer.count_params()]
        for layer in model.layers
    ]


def _weighted(model, shape):
    """Give a model weights that depend on their shapes only, so that any two alike answer alike."""
    model(np.zeros((1, *shape), "float32"))
    for weight in model.trainable_variables:
        dice = np.random.default_rng([len(weight.shape), *(int(n) for n in weight.shape)])
        spread = 0.5 if len(weight.shape) == 1 else math.sqrt(2 / np.prod(weight.shape[:-1]))
        weight.assign(dice.normal(scale=spread, size=tuple(weight.shape)))
    return model


for _blocks in (1, 3):
    _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(17, 33))[:2])
    _shape = (_height, _width, int(exercise.rng.integers(4, 7)))
    _filters = [int(n) for n in exercise.rng.permutation(np.arange(3, 12))[:_blocks]]
    _classes, _units = int(exercise.rng.integers(11, 20)), int(exercise.rng.integers(21, 40))
    _given = (_shape, _classes, _filters, _units)
    _plain = f"{_blocks} convolution{'s' if _blocks > 1 else ''}, a drawn picture"
    exercise.hidden.equal(
        f"layers for {_plain}",
        lambda _given=_given: _layers(
            build_cnn(_given[0], _given[1], list(_given[2]), _given[3]), _given[0]
        ),
        _planned(_stack(*_given)),
        weight=_blocks / 2 + 0.5,
        mistakes={
            name: _planned(_stack(*given, **changed))
            for name, given, changed in (
                ("not-padded", _given, {"padding": "valid"}),
                ("last-pool-missing", _given, {"at_the_end": False}),
                ("pooling-overlaps", _given, {"stride": 1}),
                ("average-pooling", _given, {"pooling": keras.layers.AveragePooling2D}),
                ("window-of-3", _given, {"window": 3}),
                ("global-pooling", _given, {"flatten": keras.layers.GlobalAveragePooling2D}),
                ("flatten-missing", _given, {"flatten": None}),
                ("dense-missing", (*_given[:3], 0), {}),
                ("filters-fixed", (_shape, _classes, [16, 32, 64], _units), {}),
                ("units-fixed", (_shape, _classes, _filters, 500), {}),
                ("classes-fixed", (_shape, 10, _filters, _units), {}),
            )
        },
    )
    if _blocks == 1:
        continue
    _noise = exercise.rng.normal(size=(3, *_shape)).astype("float32")
    exercise.hidden.array(
        f"outputs for {_plain}",
        lambda _given=_given, _noise=_noise: np.array(
            _weighted(build_cnn(_given[0], _given[1], list(_given[2]), _given[3]), _given[0])(
                _noise
            )
        ),
        np.array(_weighted(_stack(*_given), _shape)(_noise)),
        weight=2,
        rtol=1e-3,
        atol=1e-4,
        mistakes={
            name: np.array(_weighted(_stack(*_given, bends=bends), _shape)(_noise))
            for name, bends in (
                ("relu-missing", (None, "relu", "softmax")),
                ("relu-missing-dense", ("relu", None, "softmax")),
                ("softmax-missing", ("relu", "relu", None)),
                ("sigmoid", ("relu", "relu", "sigmoid")),
            )
        },
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### The network and its rival, layer by layer
#
# The rival is an MLP with two hidden layers, of 1,000 and 512 units.

# %% tags=["benchmark"] nbgrader={"grade_id": "networks", "locked": true}
CONV = {"kernel_size": 2, "padding": "same", "activation": "relu"}


def cnn():
    """The CNN of this lesson: 16, 32 and 64 filters, 500 units, ten classes."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *(part(n) for n in (16, 32, 64) for part in (_convolution, _pooling)),
            keras.layers.Flatten(),
            keras.layers.Dense(500, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def _convolution(filters):
    return keras.layers.Conv2D(filters, **CONV)


def _pooling(_):
    return keras.layers.MaxPooling2D(2)


def mlp():
    """The MLP of this lesson: 1,000 and 512 units, ten classes."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(1000, activation="relu"),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


# %%
# NBVAL_CHECK_OUTPUT
for name, build in (("CNN", cnn), ("MLP", mlp)):
    model = build()
    print(f"{name:16}{'output':>14}{'parameters':>12}{'share':>8}")
    for layer in model.layers:
        shape = " × ".join(str(size) for size in layer.output.shape[1:])
        count = layer.count_params()
        print(
            f"  {layer.__class__.__name__:14}{shape:>14}{count:>12,}"
            f"{count / model.count_params():>8.1%}"
        )
    print(f"  {'in all':14}{'':14}{model.count_params():>12,}\n")

# %%
*_, dense, _ = cnn().layers
compare_prediction(prediction_first, cnn().layers[0].count_params())
compare_prediction(prediction_dense, dense.count_params())

# %%
layers = cnn().layers
words = [layer.__class__.__name__.replace("MaxPooling2D", "MaxPool") for layer in layers]
numbers = [math.prod(layer.output.shape[1:]) for layer in layers]
counts = [layer.count_params() for layer in layers]
colours = {"Conv2D": "#0072B2", "MaxPool": "#E69F00", "Flatten": "#999999", "Dense": "#D55E00"}
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.5), sharey=True, layout="constrained")
for axis, values, title in (
    (axes[0], numbers, "numbers that a layer hands on"),
    (axes[1], counts, "parameters that it has learned"),
):
    bars = axis.barh(range(len(layers)), values, color=[colours[word] for word in words])
    axis.bar_label(bars, [f" {value:,}" for value in values], size=9)
    axis.set(title=title, xlim=(0, 1.28 * max(values)), xticks=[])
    axis.spines["bottom"].set_visible(False)
shapes = ["×".join(str(size) for size in layer.output.shape[1:]) for layer in layers]
axes[0].set_yticks(
    range(len(layers)), [f"{word}  {shape}" for word, shape in zip(words, shapes, strict=True)]
)
axes[0].invert_yaxis()
show(
    figure,
    alt="Bars for the nine layers of the CNN. Left, numbers handed on: 16,384 after the first "
    "convolution, then halved or quartered step by step down to 1,024 flattened, 500 and 10. "
    "Right, parameters: 208, 2,080 and 8,256 in the three convolutions, hardly visible beside "
    "512,500 in the first dense layer; 5,010 in the last.",
)

# %% [markdown]
# Two pictures of one network. What flows through it gets less and less; what it has learned sits
# almost entirely in one place, the dense layer after `Flatten`: 97 of 100 parameters. The three
# convolutions, which do most of the work, have two of a hundred. The rival has 3.07 million weights
# in its *first* layer, because it looks at 3,072 numbers with 1,000 units.
#
# ## 4 · Keep the best epoch
#
# How long should one train? Here is a run that went on for far too long: this CNN, 4,000 of the
# embedded pictures, RMSprop with its default learning rate, and 60 epochs. It was recorded by
# `python -m data_scripts.make_training_runs`; what you see are its real numbers.
#
# **Predict.** After which of the 60 epochs is the loss on the *validation* pictures lowest?

# %%
prediction_best_epoch = None  # 1 … 60

# %%
# NBVAL_CHECK_OUTPUT
(overtrained,) = load_training_runs("04_overtrained")["runs"]  # entry 0: before training
best = int(np.argmin(overtrained["val_loss"]))
last = len(overtrained["val_loss"]) - 1
for name, epoch in (("before training", 0), ("best epoch", best), ("last epoch", last)):
    print(f"{name + ',':16} {epoch:2}:", end="")
    for measure in ("loss", "val_loss", "accuracy", "val_accuracy"):
        print(f"   {measure} {overtrained[measure][epoch]:.2f}", end="")
    print()
compare_prediction(prediction_best_epoch, best)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained")
for axis, measure, title in ((axes[0], "loss", "loss"), (axes[1], "accuracy", "right (%)")):
    factor = 100 if measure == "accuracy" else 1
    for prefix, name, colour, style in (
        ("", "training", "#0072B2", "--"),
        ("val_", "validation", "#D55E00", "-"),
    ):
        values = factor * np.array(overtrained[prefix + measure])
        axis.plot(values, style, color=colour, lw=2, label=name)
    axis.plot(best, factor * overtrained[f"val_{measure}"][best], "*", ms=16, color="black")
    axis.set(title=title, xlabel="epoch", ylim=(0, None))
    axis.grid(alpha=0.3)
axes[0].legend()
axes[0].annotate(
    "lowest validation loss",
    (best, overtrained["val_loss"][best]),
    (best + 14, 0.9),
    arrowprops={"arrowstyle": "->", "shrinkB": 9},
)
show(
    figure,
    alt="Loss and accuracy over 60 epochs. The training loss falls to zero and the training "
    "accuracy rises to 100 per cent within 25 epochs. The validation loss falls to 1.4 at "
    "epoch 8, marked by a star, and then climbs all the way to about 4. The validation "
    "accuracy reaches 53 per cent at the same epoch and stays there, trembling, to the end.",
)

# %% [markdown]
# After epoch 8 the network learns nothing more about pictures. It learns *these* pictures: from
# epoch 25 on it knows all 4,000 by heart. Its validation loss nearly triples, and in the end it is
# far above that of an honest "I do not know" (2.30, see section 5). The accuracy hardly moves.
# There are runs in which the last epoch is ruinous, and runs in which it is only useless. You do
# not know beforehand which you will get, and by the accuracy alone you would not have noticed.
#
# A checkpoint costs one line, and makes the whole question harmless. In Keras two callbacks do it:
#
# - `ModelCheckpoint(path, monitor="val_loss", save_best_only=True)` writes the model to a file
#   each time when it has become better. The file ends in `.keras` and holds everything: layers,
#   weights, optimiser. (The `.hdf5` files of older tutorials have been replaced by it.)
# - `EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)` ends the training
#   after three epochs in a row without a new best one. Without `restore_best_weights=True` you get
#   the weights of the *last* epoch, which is by construction not the best.

# %% nbgrader={"grade_id": "stopping_sizes", "locked": true}
LEARN_FROM = by_scale(quick=1_500, full=1_500, grading=60)
AT_MOST = by_scale(quick=30, full=30, grading=1)
RATE = by_scale(quick=1e-3, full=1e-3, grading=0.0)  # for the grader nothing has to move

# %%
keras.utils.set_random_seed(4)
model = cnn()
model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "best.keras"
    start = time.perf_counter()
    history = model.fit(
        x_train[:LEARN_FROM],
        y_train[:LEARN_FROM],
        validation_data=(x_validation, y_validation),
        epochs=AT_MOST,
        batch_size=64,
        validation_batch_size=500,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True),
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=3, restore_best_weights=True
            ),
        ],
    ).history
    seconds = time.perf_counter() - start
    megabytes = path.stat().st_size / 1e6
    from_file = keras.models.load_model(path)

seen = history["val_loss"]
kept = int(np.argmin(seen)) + 1
print(f"stopped after epoch {len(seen)} of at most {AT_MOST}, in {seconds:.1f} s")
print("validation loss:", " ".join(f"{loss:.2f}" for loss in seen))
print(f"best epoch: {kept}; file of {megabytes:.1f} MB: weights, and Adam's two numbers for each")
for name, restored in (("in memory", model), ("from the file", from_file)):
    loss, _ = restored.evaluate(x_validation, y_validation, batch_size=500, verbose=0)
    print(f"model {name + ',':15} validation loss {loss:.4f}")

# %% [markdown]
# Both ways lead to the same weights, those of the best epoch. The checkpoint also survives a
# crash of the machine, and the early stop saves time.
#
# Early stopping has a price. Curves on few pictures tremble, and with little patience one stops at
# a tremor. And training that ends by a schedule (a learning rate that falls to zero) is often best
# at its very end. So the experiment of section 6 keeps a checkpoint, and does not stop.
#
# ### Exercise 3 · `early_stopping` (2 points)
#
# What does patience do, exactly? Write it down. Given what the validation loss *would* be in each
# epoch: how many epochs are run, and which one is kept?


# %% nbgrader={"grade_id": "early_stopping", "solution": true}
def early_stopping(val_loss, patience):
    """Find out when training stops and which epoch is kept.

    Training stops after `patience` epochs in a row of which none was lower than the best one
    before. An epoch that only equals the best one is no new best.

    Parameters
    ----------
    val_loss : list of float
        Validation loss of epochs 1, 2, 3 …, at least one.
    patience : int
        At least 1.

    Returns
    -------
    (int, int)
        How many epochs are run (all of them, if training never stops early), and the number of
        the epoch whose weights are kept. Epochs are counted from 1.
    """
    ### BEGIN SOLUTION
    kept, waited = 1, 0
    for epoch, loss in enumerate(val_loss[1:], start=2):
        if loss < val_loss[kept - 1]:
            kept, waited = epoch, 0
        else:
            waited += 1
        if waited == patience:
            return epoch, kept
    return len(val_loss), kept
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_early_stopping", "grade": true, "points": 2}
exercise = checks.Exercise(
    "early_stopping",
    points=2,
    hints={
        "from-zero": "Epochs are counted from 1, and Python's places from 0.",
        "last-kept": "The last epoch that was run is kept only if it is the best.",
        "looks-ahead": "The best of *all* epochs: those after the stop were never run.",
        "patience-in-all": "The waiting begins anew with each new best.",
        "previous-epoch": "Compare with the best epoch so far, not with the one before.",
        "equal-is-better": "An epoch that equals the best one is no new best.",
        "one-too-soon": "Stopped one epoch too soon: count the epochs that were waited.",
        "one-too-late": "Stopped one epoch too late: count the epochs that were waited.",
        "never-stops": "This training never stops early.",
        "highest": "A loss is good when it is low.",
        "exchanged": "First the epochs that were run, then the one that is kept.",
    },
)
exercise.equal(
    "2.0 1.8 1.6 1.7 1.65 1.7 1.5, patience 3",
    lambda: early_stopping([2.0, 1.8, 1.6, 1.7, 1.65, 1.7, 1.5], 3),
    [6, 3],
    mistakes={
        "from-zero": [5, 2],
        "last-kept": [6, 6],
        "looks-ahead": [6, 7],
        "previous-epoch": [7, 7],
        "one-too-soon": [5, 3],
        "one-too-late": [7, 7],
        "never-stops": [7, 7],
        "exchanged": [3, 6],
        "highest": [4, 1],
    },
)
exercise.equal(
    "2.0 2.1 1.9 2.0 1.8 1.9 1.8 1.7, patience 2",
    lambda: early_stopping([2.0, 2.1, 1.9, 2.0, 1.8, 1.9, 1.8, 1.7], 2),
    [7, 5],
    mistakes={
        "from-zero": [6, 4],
        "last-kept": [7, 7],
        "looks-ahead": [7, 8],
        "patience-in-all": [4, 3],
        "equal-is-better": [8, 8],
        "never-stops": [8, 8],
        "one-too-soon": [2, 1],
        "one-too-late": [8, 8],
        "exchanged": [5, 7],
    },
)
exercise.equal(
    "2.0 1.9 1.8, patience 2",
    lambda: early_stopping([2.0, 1.9, 1.8], 2),
    [3, 3],
    mistakes={"from-zero": [2, 2], "highest": [3, 1]},
)
### BEGIN HIDDEN TESTS


def _stopped(losses, patience, how=""):
    """What Keras's rule gives, or a named mistake."""
    sign = -1 if how == "highest" else 1
    patience += {"one-too-soon": -1, "one-too-late": 1, "never-stops": 10**9}.get(how, 0)
    best, waited, run = 0, 0, len(losses)
    for place in range(1, len(losses)):
        now, before = sign * losses[place], sign * losses[best]
        better = now <= before if how == "equal-is-better" else now < before
        calm = losses[place] < losses[place - 1] if how == "previous-epoch" else better
        if better:
            best = place
        if calm:
            waited = waited if how == "patience-in-all" else 0
        else:
            waited += 1
        if waited >= max(patience, 1) and not calm:
            run = place + 1
            break
    kept = best
    if how == "last-kept":
        kept = run - 1
    elif how == "looks-ahead":
        kept = int(np.argmin(losses))
    answer = [run, kept + 1]
    if how == "from-zero":
        return [run - 1, kept]
    return answer[::-1] if how == "exchanged" else answer


_NAMES = (
    "from-zero", "last-kept", "looks-ahead", "patience-in-all", "previous-epoch", "one-too-soon",
    "one-too-late", "never-stops", "highest", "exchanged",
)  # fmt: skip
for _patience in (2, 3, 4, 5):
    while True:
        _losses = 1.5 + 0.7 * np.exp(-np.arange(24) / 3) + exercise.rng.normal(0, 0.06, size=24)
        _losses = [round(float(loss), 3) for loss in _losses]
        _losses[-1] = min(_losses) - 0.05
        _best = _stopped(_losses, _patience)[1]
        if _best + 1 < len(_losses) and exercise.rng.random() < 0.5:
            _losses[_best] = _losses[_best - 1]  # the epoch after the best one equals it
        _right = _stopped(_losses, _patience)
        _wrong = {name: _stopped(_losses, _patience, name) for name in _NAMES}
        if 6 < _right[0] < 22 and _right not in _wrong.values():
            break
    exercise.hidden.equal(
        f"a drawn run, patience {_patience}",
        lambda _losses=_losses, _patience=_patience: early_stopping(list(_losses), _patience),
        _right,
        mistakes={**_wrong, "equal-is-better": _stopped(_losses, _patience, "equal-is-better")},
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 5 · Reading loss curves
#
# A fault in a program ends with an error message. A fault in a training run ends with a number, and
# the number looks like any other. What gives it away are the curves, if one knows what to expect.
#
# ### What the loss is before training
#
# **Predict.** A fresh network knows nothing about the ten classes. What is its loss, the mean of
# $-\ln p$ over the pictures, where $p$ is the probability that it gives to the right class?

# %%
prediction_fresh = None  # to one decimal place

# %%
keras.utils.set_random_seed(5)
guesses = np.array(cnn()(x_test[:500]))
rows = np.arange(len(guesses))
fresh = float(-np.log(guesses[rows, y_test[: len(guesses)]]).mean())
print(f"a fresh network's loss on test pictures: {fresh:.3f}")
print(f"a tenth for each class: −ln 0.1 = ln 10 = {math.log(10):.3f}")
compare_prediction(prediction_fresh, round(fresh, 1))

# %% [markdown]
# **ln 10 = 2.303** is the loss of someone who knows nothing and says so. Remember this number (or
# ln of the number of classes; with 1,000 classes it is 6.9). Three things follow:
#
# - A sound run *starts* near ln 10. If it starts far above, the network is sure of something that
#   it cannot know.
# - A run that *stays* at ln 10 has learned nothing.
# - A validation loss that *ends* above ln 10 is worse than that of someone who knows nothing.
#
# ### A word about the two curves
#
# Keras prints the training loss as the mean *over* an epoch, while the network is still changing,
# and the validation loss *after* it. So in the first epochs a sound training curve may lie above
# the validation curve, and with dropout for longer. The runs below were measured in a cleaner way:
# both parts with the weights at rest, before training (entry 0 of each list) and after each epoch.
#
# ### Six kinds of runs
#
# | kind | what was done |
# |---|---|
# | `healthy` | nothing wrong, stopped in time |
# | `overfitting` | nothing wrong with data or settings, but too few pictures, and no stop in time |
# | `learning rate too high` | steps so long that they jump over every valley |
# | `labels shuffled` | the *training* labels were shuffled, so that they fit no picture |
# | `inputs not scaled` | the network got pixels of 0 … 255, its first weights were made for ±1 |
# | `train and validation swapped` | an overfitting run; in its record the curves changed places |
#
# All runs are real. They were made by `python -m data_scripts.make_training_runs` with the CNN of
# this lesson and a few thousand of the embedded pictures, and they are clear cases. Here are six of
# them, one of each kind.

# %% nbgrader={"grade_id": "runs", "locked": true}
KINDS = (
    "healthy",
    "overfitting",
    "learning rate too high",
    "labels shuffled",
    "inputs not scaled",
    "train and validation swapped",
)
RUNS = {run.pop("name"): run for run in load_training_runs("04_faults")["runs"]}


def draw_run(axes, run, title):
    """Draw a run: its loss on the first axis, its accuracy on the second."""
    for axis, measure, top, chance in (
        (axes[0], "loss", 5, math.log(10)),
        (axes[1], "accuracy", 100, 10),
    ):
        factor = 100 if measure == "accuracy" else 1
        for prefix, name, colour, style in (
            ("", "training", "#0072B2", "o--"),
            ("val_", "validation", "#D55E00", "s-"),
        ):
            values = factor * np.array(run[prefix + measure])
            axis.plot(values, style, color=colour, lw=1.8, ms=3.5, label=name)
            for epoch in np.flatnonzero(values > 1.04 * top)[:1]:
                side = ("right", -0.6) if epoch > 7 else ("left", 0.6)
                lift = 0.92 if prefix else 0.79
                axis.text(
                    epoch + 2.5 * side[1],
                    lift * top,
                    f"{values[epoch]:.0f} ↑",
                    color=colour,
                    ha=side[0],
                    size=9,
                )
        axis.axhline(chance, color="#777777", ls=":", lw=1.2)
        axis.set(ylim=(0, 1.04 * top))
        axis.grid(alpha=0.25)
    axes[0].set_title(title, weight="bold")


# %%
figure, axes = plt.subplots(4, 3, figsize=(8.4, 8.6), sharex=True, layout="constrained")
for place, letter in enumerate("ABCDEF"):
    line, column = divmod(place, 3)
    draw_run(axes[2 * line : 2 * line + 2, column], RUNS[letter], f"run {letter}")
for line in range(4):
    axes[line, 0].set_ylabel("right (%)" if line % 2 else "loss")
for axis in axes[3]:
    axis.set_xlabel("epoch")
axes[0, 0].legend(fontsize=8.5)
axes[2, 1].text(14, math.log(10) + 0.1, "ln 10", color="#555555", ha="right", size=9)
axes[3, 1].text(14, 12, "guessing", color="#555555", ha="right", size=9)
show(
    figure,
    alt="Six runs, each with its loss above and its accuracy below, over 14 epochs. A: training "
    "loss falls to 0.1; validation loss falls to 1.6, then rises to 2.4; accuracies end at "
    "96 and 46 per cent. B: training loss falls to 0.4 late; validation loss never falls "
    "and leaves the picture above 4; accuracies end at 86 and 10 per cent. C: both losses "
    "begin at 34, are at 2 after one epoch, then part; accuracies end at 91 and 40. D: both "
    "losses jump about ln 10 to the end, both accuracies stay near 10. E: both losses fall "
    "side by side to 1.1 and 1.6, accuracies rise to 61 and 43. F: validation loss falls to "
    "0.4 while training loss turns at 1.6 and rises to 2.1; accuracies end at 86 for "
    "validation and 44 for training.",
)

# %% [markdown]
# **Predict.** Which is which? Write your reading down before you go on. Each kind occurs once.

# %%
reading = {"A": None, "B": None, "C": None, "D": None, "E": None, "F": None}

# %% [markdown]
# Ask in this order: Where does it start? Does the *training* part get better, and does it ever
# leave ln 10 for good? Does the *validation* part come along, and is it better than guessing? Which
# of the two is better in the end, and which way do they part?
#
# ### Exercise 4 · `diagnose` (4 points)
#
# Now teach your reading to the computer. The record holds eighteen runs: A to F above, and twelve
# more, G to R, three of each kind in all, trained with other seeds, other optimisers and other
# numbers of pictures. Write a function that names the kind of any of them. The hidden checks try it
# on all eighteen, cut short by up to two epochs and slightly blurred, so it has to go by what is
# *typical*, not by a particular number. Two to six comparisons will do. Draw G to R with `draw_run`
# if you want to see more cases.


# %% nbgrader={"grade_id": "diagnose", "solution": true}
def diagnose(run):
    """Name the kind of a training run.

    Parameters
    ----------
    run : dict
        Four lists, "loss" and "accuracy" of the training part, "val_loss" and "val_accuracy" of
        the validation part. Entry 0 was measured before training, the others after each epoch.
        Accuracies lie between 0 and 1.

    Returns
    -------
    str
        One of KINDS.
    """
    ### BEGIN SOLUTION
    chance = math.log(10)
    if run["loss"][0] > 2 * chance:
        return "inputs not scaled"
    if np.mean(run["loss"][-3:]) > np.mean(run["val_loss"][-3:]) + 0.3:
        return "train and validation swapped"
    if np.mean(run["loss"][-5:]) > 0.75 * chance:
        return "learning rate too high"
    if np.mean(run["val_accuracy"][-3:]) < 0.2:
        return "labels shuffled"
    if np.mean(run["val_loss"][-2:]) > 1.1 * min(run["val_loss"]):
        return "overfitting"
    return "healthy"
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_diagnose", "grade": true, "points": 4}
import hashlib

exercise = checks.Exercise(
    "diagnose",
    points=4,
    hints={
        "not-healthy": "You call a run healthy that is not. Where does it start, and do both parts "
        "get better until the end?",
        "not-overfitting": "You call a run overfitting that is not. There the labels are right and "
        "the start is sound: validation first gets better, then its loss gets worse.",
        "not-rate": "You call the learning rate too high where it is not. There not even the "
        "training part is learned: does it get better here?",
        "not-labels": "You call the labels shuffled where they are not. Then nothing that is "
        "learned can help with the validation part: is it at guessing here?",
        "not-scaling": "You call the inputs not scaled where they are. That shows before the "
        "first step: look at entry 0 only.",
        "not-swapped": "You call the two parts swapped where they are not. Whose labels is a "
        "network shown in training, and on which part is it better at the end?",
        "no-such-kind": "That is none of KINDS: is it spelled as there?",
    },
)
_HINTS = dict(
    zip(
        KINDS,
        (
            "not-healthy", "not-overfitting", "not-rate", "not-labels", "not-scaling",
            "not-swapped",
        ),
        strict=True,
    )
)  # fmt: skip
# So that nobody reads in this cell what should be read from the curves.
_SEALS = {
    "A": "f4b9a75a",
    "B": "36bfc438",
    "C": "5e0d8c46",
    "D": "5b8d7ab5",
    "E": "1c5da206",
    "F": "f2f03dc2",
}


def _seal(letter, kind):
    return hashlib.sha256(f"{letter} {kind}".encode()).hexdigest()[:8]


def _fits(letter):
    """Whether the answer for a run has the right seal; otherwise what was answered."""
    answer = diagnose({name: list(values) for name, values in RUNS[letter].items()})
    if not isinstance(answer, str) or str(answer) not in KINDS:
        return f"no kind of run: {answer!r}"
    return "right" if _seal(letter, answer) == _SEALS[letter] else f"not {answer}"


for _letter in "ABCDEF":
    exercise.equal(
        f"run {_letter}",
        lambda _letter=_letter: _fits(_letter),
        "right",
        mistakes={hint: f"not {kind}" for kind, hint in _HINTS.items()},
        weight=0.5,
    )
exercise.true(
    "all six answers are among KINDS",
    lambda: all(not _fits(letter).startswith("no kind") for letter in "ABCDEF"),
    otherwise="one or more are not",
    hint="no-such-kind",
    weight=0.25,
)
### BEGIN HIDDEN TESTS
# Letters drawn by: python -m data_scripts.make_training_runs --key walnut-harbour-29
_KIND_OF = dict(
    zip("ABCDEFGHIJKLMNOPQR", (1, 3, 4, 2, 0, 5, 3, 2, 0, 5, 5, 1, 2, 4, 0, 4, 1, 3), strict=True)
)


def _blurred(run):
    """The run without its last epoch or two, or with them, and with a little noise."""
    length = len(run["loss"]) - int(exercise.rng.integers(0, 3))
    blurred = {}
    for name, values in run.items():
        noise = exercise.rng.normal(size=length)
        if "loss" in name:
            values = np.array(values[:length]) * (1 + 0.01 * noise)
        else:
            values = np.clip(np.array(values[:length]) + 0.004 * noise, 0, 1)
        blurred[name] = [round(float(value), 4) for value in values]
    return blurred


for _number, _letter in enumerate(exercise.rng.permutation(sorted(_KIND_OF)), start=1):
    _run = _blurred(RUNS[str(_letter)])
    exercise.hidden.equal(
        f"blurred run {_number}",
        lambda _run=_run: diagnose({name: list(values) for name, values in _run.items()}),
        KINDS[_KIND_OF[str(_letter)]],
        mistakes={hint: kind for kind, hint in _HINTS.items()},
        weight=0.5,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# When a run of your own looks wrong, try the cheapest suspect first. Look at eight pictures *with
# their labels*, just before they go into `fit`. Print minimum, maximum, mean and spread of the
# inputs. Compare the first loss with the logarithm of the number of classes. Try a tenth of the
# learning rate. And try to learn twenty pictures by heart: a network that cannot do that will not
# learn fifty thousand.
#
# ## 6 · The experiment: MLP against CNN
#
# Both networks learn from the same training part, are watched on the same validation part, and are
# tested on the same test part. Adam, a learning rate that falls to zero along a cosine, and a
# checkpoint: the epoch with the best validation accuracy is kept, and only that one is tested.
# Three seeds each.

# %% tags=["benchmark"] nbgrader={"grade_id": "experiment", "locked": true}
SEEDS = by_scale(quick=(1, 2, 3), full=(1, 2, 3), grading=(1, 2))
RECIPES = by_scale(
    quick={
        "MLP": {"epochs": 4, "batch_size": 128, "rate": 5e-4},
        "CNN": {"epochs": 8, "batch_size": 64, "rate": 2e-3},
    },
    full={
        "MLP": {"epochs": 5, "batch_size": 128, "rate": 5e-4},
        "CNN": {"epochs": 8, "batch_size": 128, "rate": 1.5e-3},
    },
    grading={kind: {"epochs": 0, "batch_size": 100, "rate": 1e-3} for kind in ("MLP", "CNN")},
)


def train(model, epochs, batch_size, rate):
    """Train a fresh model and keep its best epoch.

    Returns
    -------
    history : dict
        Accuracy of both parts, one number for each epoch.
    seconds : float
        How long it took.
    """
    steps = max(1, epochs * math.ceil(len(x_train) / batch_size))
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.weights.h5"  # weights only: quicker to write
        history = model.fit(
            x_train,
            y_train,
            validation_data=(x_validation, y_validation),
            epochs=epochs,
            batch_size=batch_size,
            validation_batch_size=500,
            verbose=0,
            callbacks=[
                keras.callbacks.ModelCheckpoint(
                    path, monitor="val_accuracy", save_best_only=True, save_weights_only=True
                )
            ],
        ).history
        if path.exists():  # not without a single epoch, as for the grader
            model.load_weights(path)
    history = {name: history.get(name) or [0.0] for name in ("accuracy", "val_accuracy")}
    return history, time.perf_counter() - start


def probabilities(model, x):
    """What a model says about pictures: shape (pictures, 10)."""
    pieces = np.split(x, range(500, len(x), 500))
    return np.concatenate([np.array(model(piece)) for piece in pieces])


results = {}  # name of a network → for each seed: accuracy, seconds, epochs, parameters
right = {}  # name of a network → for each seed: which test pictures it got right
said = {}  # name of a network → for each seed: its probabilities for the test pictures
curves = {}  # name of a network → for each seed: the history of its training


def measure(name, build):
    """Train a network with every seed, and keep what came out under its name."""
    results[name], right[name], said[name], curves[name] = [], [], [], []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        model = build()
        history, seconds = train(model, **RECIPES[name])
        curves[name].append(history)
        said[name].append(probabilities(model, x_test))
        right[name].append(said[name][-1].argmax(axis=1) == y_test)
        results[name].append(
            {
                "seed": seed,
                "accuracy": 100 * float(np.mean(right[name][-1])),
                "seconds": seconds,
                "epochs": RECIPES[name]["epochs"],
                "parameters": model.count_params(),
            }
        )
    scores = [run["accuracy"] for run in results[name]]
    spread = f" ± {np.std(scores, ddof=1):.1f}" if len(scores) > 1 else ""
    kept = [int(np.argmax(history["val_accuracy"])) + 1 for history in curves[name]]
    seconds = np.mean([run["seconds"] for run in results[name]])
    print(
        f"{name}  {model.count_params():>9,} parameters: {np.mean(scores):4.1f} %{spread} of the "
        f"test pictures   best epochs {kept} of {RECIPES[name]['epochs']}   ({seconds:.1f} s a run)"
    )


# %% [markdown]
# **Predict.** Someone who guesses has 10 % right. What will the two networks have, at the size at
# which you run this?

# %%
prediction_mlp = None  # per cent
prediction_cnn = None

# %% tags=["benchmark"]
measure("MLP", mlp)

# %% tags=["benchmark"]
measure("CNN", cnn)

# %%
for name, prediction in (("MLP", prediction_mlp), ("CNN", prediction_cnn)):
    score = np.mean([run["accuracy"] for run in results[name]])
    print(f"{name}: predicted {prediction}, came out {score:.1f} %")

# %%
figure, axes = plt.subplots(1, 3, figsize=(8.6, 3.2), layout="constrained", width_ratios=[3, 3, 2])
for axis, name in zip(axes, ("MLP", "CNN"), strict=False):
    for measured, label, colour, style in (
        ("accuracy", "training", "#0072B2", "o--"),
        ("val_accuracy", "validation", "#D55E00", "s-"),
    ):
        lines = 100 * np.array([history[measured] for history in curves[name]])
        epochs_run = np.arange(1, lines.shape[1] + 1)
        low, high = lines.min(axis=0), lines.max(axis=0)
        axis.fill_between(epochs_run, low, high, color=colour, alpha=0.2, lw=0)
        axis.plot(epochs_run, lines.mean(axis=0), style, color=colour, ms=4, label=label)
    axis.set(title=name, xlabel="epoch", ylim=(0, 102))
    axis.xaxis.set_major_locator(plt.MaxNLocator(integer=True, nbins=6))
axes[0].set_ylabel("right (%)")
axes[0].legend(loc="lower right")
for place, (name, colour) in enumerate((("MLP", "#CC79A7"), ("CNN", "#009E73"))):
    scores = [run["accuracy"] for run in results[name]]
    axes[2].plot([place] * len(scores), scores, "o", mfc="none", mew=1.6, ms=8, color=colour)
    axes[2].plot([place], [np.mean(scores)], "_", ms=26, mew=2.5, color=colour)
axes[2].axhline(10, color="#777777", ls=":", lw=1.2)
axes[2].text(-0.4, 11, "guessing", color="#555555", size=9)
axes[2].set(title="test, kept epoch", xticks=[0, 1], xticklabels=["MLP", "CNN"], xlim=(-0.5, 1.5))
axes[2].set_ylim(0, 102)
for axis in axes:
    axis.grid(alpha=0.3)
show(
    figure,
    alt="Accuracy by epoch of MLP and CNN on the training and the validation pictures, with a band "
    "over the seeds, and accuracy on the test pictures, one circle for each seed. The CNN's "
    "curves climb higher than the MLP's, and its circles lie well above those of the MLP; both "
    "are far above guessing.",
)

# %% [markdown]
# Is the difference larger than its noise? As in lesson 01: noise from the seeds and noise from the
# choice of the test pictures, together, at a confidence of about 95 %.

# %%
verdict = judge(right, "MLP", "CNN")

# %% [markdown]
# A seventh of the parameters, and more pictures right. On the digits of lesson 01 an MLP of this
# kind stood within a point or two of the CNN, because all digits are centred and a pixel there has
# nearly the same meaning in every picture. In photographs it has not.
#
# ## 7 · What is mistaken for what
#
# Accuracy is one number. Behind it are a hundred: how many cats were taken for dogs, how many
# trucks for ships. The **confusion matrix** lists them all: row $i$, column $j$ says how many
# pictures *of* class $i$ were taken *for* class $j$. On its diagonal is what was right. A row tells
# what becomes of the cats, a column what everything is that is called cat.
#
# ### Exercise 5 · `confusion_matrix` (3 points)
#
# Count. NumPy has a trap in store here. You will notice when the sum of all entries is not the
# number of pictures.


# %% nbgrader={"grade_id": "confusion_matrix", "solution": true}
def confusion_matrix(labels, answers, classes):
    """Count what was taken for what.

    Parameters
    ----------
    labels : numpy.ndarray
        What each picture shows: whole numbers 0 … classes − 1, shape (n,).
    answers : numpy.ndarray
        What each picture was taken for, shape (n,).
    classes : int
        Number of classes; some may occur neither in `labels` nor in `answers`.

    Returns
    -------
    numpy.ndarray
        Shape (classes, classes), whole numbers: entry [i, j] counts the pictures of class i that
        were taken for class j.
    """
    ### BEGIN SOLUTION
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (labels, answers), 1)
    return matrix
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_confusion_matrix", "grade": true, "points": 3}
exercise = checks.Exercise(
    "confusion_matrix",
    points=3,
    hints={
        "transposed-matrix": "Rows and columns are exchanged: a row belongs to what is shown.",
        "counted-once": "`matrix[labels, answers] += 1` adds 1 *once* to each place that occurs, "
        "however often it occurs.",
        "errors-only": "The diagonal is empty: what was right belongs there.",
        "right-only": "Only what was right is counted: where are the mistakes?",
        "class-dropped": "A class that does not occur has a row and a column all the same.",
        "shares-of-rows": "Those are shares of the rows; counts were asked for.",
        "shares-of-all": "Those are shares of all pictures; counts were asked for.",
        "both-ways": "Each picture was counted at [i, j] and at [j, i].",
    },
)
_labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
_answers = np.array([0, 1, 1, 1, 2, 2, 2, 2, 0])
exercise.array(
    "nine pictures of three classes",
    lambda: confusion_matrix(_labels.copy(), _answers.copy(), 3),
    [[1, 2, 0], [0, 1, 1], [1, 0, 3]],
    mistakes={
        "transposed-matrix": [[1, 0, 1], [2, 1, 0], [0, 1, 3]],
        "counted-once": [[1, 1, 0], [0, 1, 1], [1, 0, 1]],
        "errors-only": [[0, 2, 0], [0, 0, 1], [1, 0, 0]],
        "right-only": [[1, 0, 0], [0, 1, 0], [0, 0, 3]],
        "shares-of-rows": [[1 / 3, 2 / 3, 0], [0, 0.5, 0.5], [0.25, 0, 0.75]],
        "shares-of-all": [[1 / 9, 2 / 9, 0], [0, 1 / 9, 1 / 9], [1 / 9, 0, 1 / 3]],
        "both-ways": [[2, 2, 1], [2, 2, 1], [1, 1, 6]],
    },
)
exercise.array(
    "the same pictures, but there are five classes",
    lambda: confusion_matrix(_labels.copy(), _answers.copy(), 5),
    [[1, 2, 0, 0, 0], [0, 1, 1, 0, 0], [1, 0, 3, 0, 0], [0] * 5, [0] * 5],
    mistakes={
        "class-dropped": [[1, 2, 0], [0, 1, 1], [1, 0, 3]],
        "transposed-matrix": [[1, 0, 1, 0, 0], [2, 1, 0, 0, 0], [0, 1, 3, 0, 0], [0] * 5, [0] * 5],
        "counted-once": [[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [1, 0, 1, 0, 0], [0] * 5, [0] * 5],
    },
)
### BEGIN HIDDEN TESTS


def _counted(labels, answers, classes):
    return np.bincount(labels * classes + answers, minlength=classes**2).reshape(classes, classes)


for _classes, _missing in ((4, None), (7, 2), (10, 9)):
    _n = int(exercise.rng.integers(150, 300))
    _there = np.array([kind for kind in range(_classes) if kind != _missing])
    _labels_drawn = exercise.rng.choice(_there, size=_n)
    _answers_drawn = np.where(
        exercise.rng.random(_n) < 0.5, _labels_drawn, exercise.rng.choice(_there, size=_n)
    )
    _right = _counted(_labels_drawn, _answers_drawn, _classes)
    _eye = np.eye(_classes, dtype=int)
    _wrong = {
        "transposed-matrix": _right.T,
        "counted-once": np.minimum(_right, 1),
        "errors-only": _right * (1 - _eye),
        "right-only": _right * _eye,
        "shares-of-rows": _right / np.maximum(_right.sum(axis=1, keepdims=True), 1),
        "shares-of-all": _right / _n,
        "both-ways": _right + _right.T,
    }
    if _missing is not None:
        _wrong["class-dropped"] = _right[np.ix_(_there, _there)]
    exercise.hidden.array(
        f"drawn pictures, {_classes} classes"
        + ("" if _missing is None else ", one of them does not occur"),
        lambda _given=(_labels_drawn, _answers_drawn, _classes): confusion_matrix(
            _given[0].copy(), _given[1].copy(), _given[2]
        ),
        _right,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# The next figure is drawn with *your* function: the verdicts of the CNN, all seeds together, in
# per cent of each row.
#
# **Predict.** Which two classes will be mistaken for each other most often?

# %%
prediction_pair = None  # in alphabetical order, for example "frog and ship"

# %%
try:
    matrix = sum(
        confusion_matrix(y_test.astype(int), run.argmax(axis=1), 10) for run in said["CNN"]
    )
except NotImplementedError:
    matrix = None
    print("Answer exercise 5, then run this cell again.")
if matrix is not None:
    per_cent = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    mixed = np.triu(per_cent + per_cent.T, 1)
    pair = [CLASS_NAMES[place] for place in np.unravel_index(mixed.argmax(), (10, 10))]
    compare_prediction(prediction_pair, " and ".join(sorted(pair)))

    figure, axis = plt.subplots(figsize=(7.6, 6.4), layout="constrained")
    image = axis.imshow(per_cent, cmap=plt.get_cmap("viridis", 32), vmin=0, vmax=80)
    for (row, column), value in np.ndenumerate(per_cent):
        ink = "black" if value > 45 else "white"
        axis.text(column, row, f"{value:.0f}", ha="center", va="center", color=ink, size=10)
    axis.set_xticks(range(10), CLASS_NAMES, rotation=40, ha="right")
    axis.set_yticks(range(10), CLASS_NAMES)
    axis.set(xlabel="taken for", ylabel="shown")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    figure.colorbar(image, label="of the pictures shown (%)", shrink=0.8)
    show(
        figure,
        alt="Confusion matrix of the CNN, ten rows of what is shown and ten columns of what it is "
        "taken for, in per cent. The diagonal is brightest, but uneven: vehicles, frogs and "
        "horses are recognised more often than birds, cats and deer. Off the diagonal the largest "
        "entries are among the animals, cats and dogs above all, and between automobiles and "
        "trucks; few vehicles are taken for animals.",
    )

# %% [markdown]
# Read it along a row and down a column. A full column of large numbers belongs to a class that the
# network *likes to say*. And look for the two blocks: four vehicles, six animals. Nobody told the
# network that there are two such groups. Most of its mistakes stay within them all the same.
#
# ### The worst mistakes
#
# Now the single pictures. The *worst* mistakes are not those about which the network wavered. They
# are those in which it was sure. Here are the ten test pictures to which the CNN, in the mean over
# the seeds, gave the highest probability for a wrong class.

# %%
mean_said = np.mean(said["CNN"], axis=0)
answer = mean_said.argmax(axis=1)
wrong = np.flatnonzero(answer != y_test)
worst = wrong[np.argsort(-mean_said[wrong, answer[wrong]])][:10]
figure, axes = plt.subplots(2, 5, figsize=(8.4, 4.3), layout="constrained")
for axis in axes.flat:
    axis.axis("off")
for axis, place in zip(axes.flat, worst, strict=False):
    axis.imshow(test_pictures[place])
    axis.set_title(
        f"{CLASS_NAMES[answer[place]]}, {mean_said[place, answer[place]]:.0%}\n"
        f"is: {CLASS_NAMES[y_test[place]]}",
        size=10,
    )
show(
    figure,
    alt="Ten test pictures of which the CNN was surest and wrong. Above each what it said and how "
    "sure it was, and what the picture shows: mostly vehicles taken for other vehicles and "
    "animals for other animals, in unusual views, cut off, or before a background that belongs "
    "to the other class.",
)

# %%
sure = mean_said.max(axis=1)
print(f"{'sure of it':>16}{'pictures':>10}{'right':>9}")
for low, high in ((0, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01)):
    among = (sure >= low) & (sure < high)
    share = f"{100 * np.mean(answer[among] == y_test[among]):.0f} %" if among.any() else "–"
    print(f"{low:8.0%} … {min(high, 1):4.0%} {among.sum():>10}{share:>9}")

# %% [markdown]
# Some of these you would get wrong yourself. With others you see *what* it went by: a blue ground,
# a row of windows, legs against grass. The table says whether one can rely on its confidence: of
# the pictures of which it was 80 % sure, are 80 % right?
#
# ## 8 · Quick and full scale
#
# At quick scale the networks have learned from 4,500 pictures and were tested on 1,000. That is
# enough to show *that* the CNN is better. It is not enough to show how good it is, and with one
# picture in a thousand weighing 0.1 points, a difference of a point between two CNNs would be lost
# in the noise. Below, beside each other, what was recorded at quick scale and with all 60,000
# pictures, with the cells of this notebook, by `python -m benchmarks.full_scale 04`. A tenth of the
# training pictures is validation at both scales, and the test is that of the best epoch.

# %% [markdown]
# <!-- results: 04_cifar10_cnn -->
#
# | network | parameters | quick scale, % right | full scale, % right | epochs | seconds a run |
# |---|--:|--:|--:|--:|--:|
# | MLP | 3,590,642 | 41.73 ± 0.15 | 55.01 ± 0.36 | 4 / 5 | 5 / 46 |
# | CNN | 528,054 | 55.13 ± 0.93 | 71.92 ± 0.56 | 8 / 8 | 10 / 71 |
#
# Mean ± standard deviation over seeds 1, 2, 3. Recorded 2026-11-27 on 2 cores (AMD EPYC), Python
# 3.11.7, TensorFlow 2.21.0, Keras 3.15.1. Epochs and seconds: quick / full; the seconds depend on
# what else the machine is doing.
#
# <!-- /results -->

# %% [markdown]
# Which of the two gains more from ten times the pictures? Learn to expect it: the gap between a
# network that knows what a picture is and one that does not is not closed by data alone.
#
# Even at full scale this CNN is a modest one. It has no batch normalisation, no dropout, no
# augmentation, and 97 % of its parameters are in one dense layer. Lesson 05 adds pictures that cost
# nothing, lesson 06 better architectures, and lesson 07 what others have learned from a million
# pictures.
#
# A story for the way. A published run of this very network, with RMSprop and without a look at the
# curves, went on for 100 epochs. Its validation accuracy was 69 % at epoch 11, and 31 % at epoch
# 100. The checkpoint had kept epoch 11.
#
# ### Exercise 6 · Reading (3 points, marked by hand)
#
# Answer in six to ten sentences, with numbers from **your** run:
#
# 1. Compare the overlong run of section 4 by its validation *loss* and by its validation
#    *accuracy*. Do they tell the same story? Which probabilities must the network give, so that the
#    one gets so much worse while the other does not, and whom would that hurt?
# 2. Take the confusion matrix: name the class that is recognised worst, what it is taken for, and
#    one pair in which the confusion is not the same in both directions. Give a reason from what the
#    pictures look like, and say how you would test whether it is *the* reason.
# 3. Someone has trained for 40 epochs and reports the best *test* accuracy among them. What is
#    wrong with that, in which direction, and what should have been done?

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. No. The validation loss is lowest at epoch 8, 1.42, and ends at 4.09; the validation accuracy
#    is 53 % at epoch 8 and 53 % at epoch 60. As many pictures are right as before, but on those
#    that are wrong the network has become ever surer: the loss of a picture is −ln p, and for p =
#    0.0001 that is 9. The accuracy only asks which class is first. It hurts everyone who uses the
#    probability: who lets a person decide when the network is unsure, or weighs costs by it.
# 2. For example: of the cats 35 % are recognised, a fifth are taken for dogs, an eighth for birds
#    or frogs. Asymmetric, for example: 18 % of the deer are taken for birds, 10 % of the birds for
#    deer. A reason: cats and dogs have the same parts, colours and backgrounds (indoors, held
#    close to the camera), and 32×32 pixels leave little of what tells them apart. A test: show
#    only the background, with the animal masked, or only the animal on grey; or collect cats on
#    lawns and frogs on sofas; or train on pictures of higher resolution and see whether this pair
#    gains more than others.
# 3. The test part was used to choose, so the figure is too high: it is the best of forty draws, of
#    which part is luck. The epoch should have been chosen by the validation part, and the test
#    accuracy of that one epoch reported, with several seeds.
#
# Marking: one point for each part. (1) both numbers at two epochs *and* that wrong answers have
# become surer ones (or overconfidence in other words). (2) a class and a pair with numbers *and* a
# reason with a test that could refute it. (3) "too high, because chosen" *and* the remedy.
# ### END SOLUTION

# %% [markdown]
# ## What the numbers say
#
# - **208 + 2,080 + 8,256 + 512,500 + 5,010 = 528,054** against 3,590,642. A seventh of the
#   parameters, and 97 of 100 of them in the dense layer after `Flatten`.
# - **2.303 = ln 10.** The loss of someone who knows nothing of ten classes. A start far above it
#   points at the inputs, a stay at it to the learning rate, a validation loss that ends above it at
#   the labels.
# - **1.42 and 4.09.** Validation loss of the best epoch, the 8th, and of the 60th, with 53 % right
#   after each. The network did not become wrong more often. It became sure of being wrong.
# - **Best epoch, not last epoch.** Whoever keeps a checkpoint by validation need not know
#   beforehand how long to train. The price is one part of the pictures, and it must not be the test
#   part.
# - **Most mistakes stay in the family.** Vehicles are taken for vehicles and animals for animals. A
#   single accuracy does not show that; the matrix does.
#
# ## Further reading
#
# - A. Krizhevsky: *Learning multiple layers of features from tiny images*, technical report,
#   University of Toronto, 2009. Where CIFAR-10 comes from, and how it was labelled.
# - B. Recht, R. Roelofs, L. Schmidt, V. Shankar: *Do ImageNet classifiers generalize to ImageNet?*,
#   ICML 2019. New test sets, made like the old ones, also for CIFAR-10: all accuracies fall, the
#   order stays.
# - C. G. Northcutt, A. Athalye, J. Mueller: *Pervasive label errors in test sets destabilize
#   machine learning benchmarks*, NeurIPS 2021 (datasets and benchmarks). How many labels are wrong,
#   CIFAR-10 among them.
# - C. Zhang, S. Bengio, M. Hardt, B. Recht, O. Vinyals: *Understanding deep learning requires
#   rethinking generalization*, ICLR 2017. Networks learn shuffled labels by heart.
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger: *On calibration of modern neural networks*, ICML
#   2017. Why the loss can get worse while the accuracy does not.
# - L. Prechelt: *Early stopping – but when?*, in *Neural networks: tricks of the trade*, Springer
#   1998.
# - Keras documentation, *ModelCheckpoint* and *EarlyStopping*,
#   <https://keras.io/api/callbacks/>.
