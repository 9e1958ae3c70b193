# %% [markdown]
# # 10 · Convolutions beyond pictures
#
# Nothing in a convolution says *picture*. It says: what matters is near, and it means the same
# wherever it stands. A line of text is like that. So is a sound. In this lesson the window slides
# along one axis only: first over the letters of Python's own library, to tell code from prose, then
# over the samples of a plucked string, to say what comes next. The last page shows a dozen other
# things that people have fed to convolutions.
#
# **You will be able to**
#
# - compute a convolution along one axis, and count its output and its parameters;
# - write a filter that finds a piece of text, and say what max-over-time pooling makes of it;
# - build a text classifier with several window sizes, and see what its filters look for;
# - explain what *causal* means, and catch a network that looks into the future;
# - say how many samples a stack of dilated convolutions sees, and how many it needs.
#
# **Budget**, measured on 2 CPU cores: about 55 seconds to run, 0.9 GB of memory, 0 bytes of
# download: the text comes with Python, the sounds are made here. Reading, thinking and the
# exercises: three hours.
#
# There are six exercises, 18 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded.

# %% tags=["benchmark"] nbgrader={"grade_id": "setup", "locked": true}
import math
import os
import re
import time

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio, display

from autograder import checks
from autograder.experiments import compare_prediction, judge
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import by_scale, course_scale
from data_scripts.standard_library import read_standard_library

# Small layers: two threads for one of them only get in each other's way.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
with quiet_imports():
    import keras
    import tensorflow as tf

use_course_style()
keras.utils.set_random_seed(10)

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"

# %% [markdown]
# ## 1 · One axis instead of two
#
# Here are the temperatures of a week, one number for each hour. (They are made: days and nights,
# a cold front on day four, and noise.) A **kernel** of some numbers slides along them. At each
# place, multiply what lies under the window, add up, write down the sum. Two kernels, by hand:
#
# - 24 times 1/24: the **mean** of a day. Day and night are gone, the weather remains.
# - −1, eleven zeros, +1: how much **warmer** it is than twelve hours before.

# %%
hours = np.arange(7 * 24)
dice = np.random.default_rng(4)
temperature = 14 - 5 * np.cos(2 * np.pi * (hours - 3) / 24) - 7 / (1 + np.exp((80 - hours) / 3))
temperature += dice.normal(scale=0.7, size=len(hours))

mean_of_a_day = np.full(24, 1 / 24)
warmer = np.array([-1.0, *[0.0] * 11, 1.0])


def slide(numbers, kernel):
    """Slide a kernel along numbers: one sum of products for each place where it fits."""
    places = range(len(numbers) - len(kernel) + 1)
    return np.array([numbers[place : place + len(kernel)] @ kernel for place in places])


figure, axes = plt.subplots(3, 1, figsize=(8, 4.5), sharex=True, layout="constrained")
axes[0].plot(hours, temperature, color="#555555")
axes[0].axvspan(60, 84, color=BLUE, alpha=0.15, lw=0)
axes[0].text(86, temperature.max(), "← a window of 24 hours", va="top", color=BLUE, size=9.5)
axes[0].set(ylabel="°C", title="168 temperatures")
axes[1].plot(hours[23:], slide(temperature, mean_of_a_day), color=BLUE)
axes[1].set(ylabel="°C", title="24 × 1/24: 145 means", ylim=axes[0].get_ylim())
axes[2].plot(hours[12:], slide(temperature, warmer), color=ORANGE)
axes[2].axhline(0, color="black", lw=0.8)
axes[2].set(
    ylabel="°C", title="−1, eleven 0, +1: 156 differences", xlabel="hour (end of the window)"
)
axes[2].set_xticks(range(0, 169, 24))
for axis in axes:
    axis.grid(alpha=0.3)
show(
    figure,
    alt="Hourly temperatures of seven days, going up and down once a day and dropping by some "
    "seven degrees on day four. The means of 24 hours are a smooth step down without any days "
    "in it. The differences over twelve hours swing between minus ten and plus ten once a "
    "day; only on day four the rise is less than half as high.",
)

# %% [markdown]
# Keras calls this layer `Conv1D`. (As in lesson 02, nothing is flipped.) Its input has shape
# **(steps, depth)**: a line instead of a picture, and at each step one or more numbers. A filter
# has a weight for each number under the window, in all its depth, and one bias.
#
# | | pictures, `Conv2D` | lines, `Conv1D` |
# |---|---|---|
# | input | (height, width, depth) | (steps, depth) |
# | kernel | (F, F, depth, filters) | (F, depth, filters) |
# | parameters | $K·F·F·D + K$ | $K·F·D + K$ |
# | output, `"valid"`, stride 1 | (H−F+1, W−F+1, K) | (steps−F+1, K) |
#
# **Predict.** A line of 64 steps and depth 27 goes through `Conv1D(50, 4)`. What shape comes out,
# and how many parameters has the layer?

# %%
prediction_shape = None  # (steps, depth)
prediction_parameters = None

# %%
# NBVAL_CHECK_OUTPUT
by_keras = keras.ops.conv(
    temperature[np.newaxis, :, np.newaxis], warmer[:, np.newaxis, np.newaxis], padding="valid"
)
by_hand = slide(temperature, warmer)
print("by hand and by Keras:", np.allclose(np.array(by_keras)[0, :, 0], by_hand, atol=1e-4))
line = keras.Sequential([keras.Input((64, 27)), keras.layers.Conv1D(50, 4)])
print(f"{line.input_shape[1:]} → {line.output_shape[1:]}, {line.count_params():,} parameters")

# %%
compare_prediction(prediction_shape, line.output_shape[1:])
compare_prediction(prediction_parameters, line.count_params())

# %% [markdown]
# ## 2 · A text is a very low picture
#
# A network computes with numbers. A letter's place in the alphabet is a number, but a bad one: it
# would say that `b` lies between `a` and `c`, and that `z` is 26 times as much as `a`. So each
# letter becomes a row of zeros with a single 1, as the labels of lesson 01 did: **one-hot**. We use
# 27 characters, the blank and a to z. A text of 64 letters is then a picture one pixel high, 64
# wide, and 27 *deep*. Below it is turned: the depth goes upwards.

# %% tags=["benchmark"] nbgrader={"grade_id": "letters", "locked": true}
LETTERS = " abcdefghijklmnopqrstuvwxyz"


def numbered(text):
    """The number of each letter, 0 for a blank and 1 to 26 for a to z, as an array."""
    return np.array([LETTERS.index(letter) for letter in text], "int32")


def one_hot(text):
    """A text as rows of zeros with one 1; a character that is not in LETTERS is a row of zeros.

    Returns
    -------
    numpy.ndarray
        Shape (letters of the text, 27).
    """
    return np.array([[float(letter == other) for other in LETTERS] for letter in text], "float32")


# %%
TEXT = "whether the other theme was there or the weather"
seen = one_hot(TEXT) @ one_hot("the").T  # does letter n of the text equal letter m of "the"?
fit = np.array([seen[place + np.arange(3), np.arange(3)].sum() for place in range(len(TEXT) - 2)])

figure, axes = plt.subplots(
    2, 1, figsize=(8.4, 5), height_ratios=[27, 11], sharex=True, layout="constrained"
)
axes[0].imshow(one_hot(TEXT).T, cmap="cividis", aspect="auto", origin="lower")
axes[0].set_yticks(range(27), ["␣", *LETTERS[1:]], size=7, family="monospace")
axes[0].tick_params(length=0)
axes[0].set(title="one-hot: 48 steps, depth 27", ylabel="depth")
axes[1].bar(range(len(fit)), fit, color=[ORANGE if value == 3 else "#BBBBBB" for value in fit])
axes[1].set_xticks(range(len(TEXT)), TEXT.replace(" ", "␣"), family="monospace")
axes[1].set(title='answer of the filter "the", written where its window begins', ylim=(0, 3.3))
axes[1].set_yticks([0, 1, 2, 3])
show(
    figure,
    alt="Above, a text of 48 letters as a picture: in each of its 48 columns one of 27 squares is "
    "bright. Below, the answers of a filter whose kernel is the one-hot picture of the word "
    "the: 3 at the seven places where t, h, e stand in a row, also inside whether, other, "
    "theme, there and weather; 2 or 1 at four places and 0 at all others.",
)

# %% [markdown]
# The kernel in the lower half is the one-hot picture of `the`, 3 steps long and 27 deep. Laid on a
# piece of text, it counts how many letters are right *and in the right place*. With a bias and
# ReLU, counting becomes **finding**.
#
# ### Exercise 1 · `pattern_filter` (3 points)
#
# Write the filter for any pattern. A dot `·` in the pattern fits any letter: `f·r` finds *for* and
# *far*. Along a text, the filter followed by ReLU must answer **exactly 1 where the pattern
# begins, and 0 everywhere else**, also where all letters but one are right. (What does `one_hot`
# make of a dot?)


# %% nbgrader={"grade_id": "pattern_filter", "solution": true}
def pattern_filter(pattern):
    """Make a convolution's kernel and bias that find a pattern in one-hot text.

    Parameters
    ----------
    pattern : str
        Characters of LETTERS; a dot "·" stands for any of them. At least one is no dot.

    Returns
    -------
    kernel : numpy.ndarray
        Shape (letters of the pattern, 27).
    bias : float
    """
    ### BEGIN SOLUTION
    kernel = one_hot(pattern)
    return kernel, 1.0 - float(kernel.sum())
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_pattern_filter", "grade": true, "points": 3}
exercise = checks.Exercise(
    "pattern_filter",
    points=3,
    hints={
        "axes-swapped": "Steps first, then depth: one row for each letter of the pattern.",
        "flipped": "That finds the pattern written backwards. Keras does not flip a kernel.",
        "bias-missing": "It counts right letters; it does not yet tell all from nearly all.",
        "bias-too-high": "It also answers where one letter is wrong.",
        "never-fires": "The bias takes away everything, also where all letters are right.",
        "dot-counted": "A dot adds nothing to the sum. How large can the sum get, then?",
        "dot-is-blank": "The dot was taken for a blank; it fits any letter.",
    },
)


def _answers(text, kernel, bias):
    """ReLU of the filter's sums, for every place in a text where the window fits."""
    letters, kernel = one_hot(text), np.asarray(kernel, float)
    places = range(len(text) - len(kernel) + 1)
    sums = [float(np.sum(letters[place : place + len(kernel)] * kernel)) for place in places]
    return np.maximum(0, np.array(sums) + float(bias))


exercise.shape(
    "shape of the kernel for 'lesson'",
    lambda: np.shape(pattern_filter("lesson")[0]),
    (6, 27),
    weight=0.5,
    mistakes={"axes-swapped": (27, 6)},
)
exercise.array(
    "'the' in 'eh then the eht'",
    lambda: _answers("eh then the eht", *pattern_filter("the")),
    [0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0],
    mistakes={
        "flipped": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        "bias-missing": [0, 0, 0, 3, 0, 0, 0, 0, 3, 0, 0, 0, 1],
        "bias-too-high": [0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0],
        "never-fires": [0] * 13,
    },
)
exercise.array(
    "'f·r' in 'for far fir of fur'",
    lambda: _answers("for far fir of fur", *pattern_filter("f·r")),
    [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1],
    mistakes={
        "dot-counted": [0] * 16,
        "bias-missing": [2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 2],
    },
)
### BEGIN HIDDEN TESTS


def _wrong_filters(pattern):
    kernel = one_hot(pattern)
    fixed = float(kernel.sum())
    wrong = {
        "flipped": (kernel[::-1], 1 - fixed),
        "bias-missing": (kernel, 0),
        "bias-too-high": (kernel, 2 - fixed),
        "never-fires": (kernel, -fixed),
    }
    if "·" in pattern:
        del wrong["never-fires"]  # the same as the next, if there is one dot
        wrong["dot-counted"] = (kernel, 1 - len(pattern))
        blank = one_hot(pattern.replace("·", " "))
        wrong["dot-is-blank"] = (blank, 1 - len(pattern))
    if fixed == 2:
        del wrong["bias-too-high"]  # the same as no bias
    return wrong


for _length, _dot in ((2, None), (4, None), (3, 1), (5, 2), (4, 0)):
    while True:
        _letters = [LETTERS[n] for n in 1 + exercise.rng.permutation(26)]
        _pattern, _filled = "".join(_letters[:_length]), "".join(_letters[:_length])
        if _dot is not None:
            _pattern = _pattern[:_dot] + "·" + _pattern[_dot + 1 :]
        _noise = ["".join(exercise.rng.choice([" ", *_letters[:6]], size=9)) for _ in range(4)]
        _text = _noise[0] + _filled + _noise[1] + _filled[::-1] + _noise[2]
        _text += _pattern.replace("·", " ") + _noise[3]
        _plain = one_hot(_pattern)
        _found = _answers(_text, _plain, 1 - _plain.sum())
        _mistakes = {
            name: _answers(_text, *given) for name, given in _wrong_filters(_pattern).items()
        }
        _rows = [tuple(row) for row in (_found, *_mistakes.values())]
        if len(set(_rows)) == len(_rows):
            break
    exercise.hidden.array(
        f"a drawn pattern of {('two', 'three', 'four', 'five')[_length - 2]} letters"
        + ("" if _dot is None else ", one of them a dot"),
        lambda _text=_text, _pattern=_pattern: _answers(_text, *pattern_filter(_pattern)),
        _found,
        mistakes=_mistakes,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# Such filters are called **n-gram detectors**: an n-gram is a piece of $n$ letters (or of $n$
# words, where words are the steps). A *learned* filter is softer. It may like `the`, somewhat less
# `tha`, and not mind the third letter at all.
#
# ## 3 · Is it anywhere in here? Max over time
#
# A filter answers at every place. For the question *code or prose?* it hardly matters where a tell-
# tale piece stands, only whether it is there. So take, for each filter, its **largest** answer in
# the whole text. That is global max pooling along the only axis there is, and with text it goes by
# the name **max-over-time pooling**.
#
# Yoon Kim's network of 2014 adds one more thing: windows of *several sizes* side by side, on the
# same letters. Short ones for short pieces, long ones for long pieces. Whatever the length of the
# text and of the windows, what comes out is one vector, with one number for each filter. (Kim's
# steps are words, his windows 3, 4 and 5 words, with 100 filters each.)

# %% nbgrader={"grade_id": "drawing_kim", "locked": true}
# Only drawing in this cell: read it some other day.
figure, axis = plt.subplots(figsize=(8.4, 4.5), layout="constrained")
text, top = "for name in names", 4.0
for place, letter in enumerate(text):
    axis.add_patch(plt.Rectangle((place, top), 0.92, 0.92, fc="#EEEEEE", ec="#999999"))
    axis.text(place + 0.46, top + 0.44, letter.replace(" ", "␣"), ha="center", va="center")
dice = np.random.default_rng(8)
row = 3.0
for window, colour, start in ((2, BLUE, 1), (4, GREEN, 4), (7, ORANGE, 9)):
    places = len(text) - window + 1
    answers = dice.random(places) ** 3
    answers[start] = 1.1
    axis.add_patch(
        plt.Rectangle(
            (start - 0.03, top - 0.06 - 0.04 * window), window - 0.02, 1.1 + 0.08 * window,
            fill=False, ec=colour, lw=2,
        )
    )  # fmt: skip
    for place, answer in enumerate(answers):
        shade = plt.matplotlib.colors.to_rgba(colour, min(answer, 1) * 0.95 + 0.04)
        winner = place == start
        axis.add_patch(
            plt.Rectangle(
                (place, row - 0.35), 0.92, 0.6, fc=shade,
                ec="black" if winner else "#CCCCCC", lw=2 if winner else 0.7,
            )
        )  # fmt: skip
    axis.text(-0.4, row - 0.05, f"window {window}", ha="right", va="center", color=colour)
    middle = 1.45 + (row - 2.1)
    axis.add_patch(plt.Rectangle((20.1, middle - 0.36), 0.92, 0.72, fc=colour, ec="black", lw=1.5))
    axis.annotate(
        "", (20.0, middle), (places + 0.15, row - 0.05),
        arrowprops={"arrowstyle": "->", "color": "#555555"},
    )  # fmt: skip
    row -= 0.95
axis.text(18.7, 3.15, "max over\ntime", ha="center", size=9.5)
axis.annotate("", (22.6, 1.45), (21.2, 1.45), arrowprops={"arrowstyle": "->", "color": "#555555"})
for place, (name, share) in enumerate((("code", 0.8), ("prose", 0.2))):
    axis.add_patch(plt.Rectangle((22.8, 1.55 - 0.7 * place), 1.6 * share, 0.5, fc="#777777"))
    axis.text(24.3, 1.8 - 0.7 * place, name, va="center")
axis.text(22.8, 2.35, "dense,\nsoftmax", size=9.5)
axis.set(xlim=(-3.4, 25.8), ylim=(0, 5.4))
axis.axis("off")
show(
    figure,
    alt="The text for name in names as a row of boxes, with frames of 2, 4 and 7 letters on it. "
    "Below it one row of answers for each window size, shorter the longer the window is; in "
    "each row the strongest answer is outlined. Arrows lead from each row to one box, the "
    "maximum over time, and from the three boxes to the shares of two classes, code and "
    "prose.",
)

# %% [markdown]
# ### Exercise 2 · `text_features` (3 points)
#
# The vector in the middle of that picture, in NumPy. `kernels` may have windows of different sizes
# and different numbers of filters. For each: convolution without padding, bias, ReLU, maximum over
# time. One vector, in the order of the kernels.


# %% nbgrader={"grade_id": "text_features", "solution": true}
def text_features(text, kernels, biases):
    """Largest answer of each filter along a text.

    Parameters
    ----------
    text : numpy.ndarray
        Shape (steps, depth).
    kernels : list of numpy.ndarray
        Each of shape (window, depth, filters); no window is longer than the text.
    biases : list of numpy.ndarray
        Each of shape (filters,).

    Returns
    -------
    numpy.ndarray
        Shape (all filters together,).
    """
    ### BEGIN SOLUTION
    features = []
    for kernel, bias in zip(kernels, biases, strict=True):
        window = len(kernel)
        answers = [
            np.tensordot(text[place : place + window], kernel, axes=2) + bias
            for place in range(len(text) - window + 1)
        ]
        features.append(np.maximum(0, np.max(answers, axis=0)))
    return np.concatenate(features)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_text_features", "grade": true, "points": 3}
exercise = checks.Exercise(
    "text_features",
    points=3,
    hints={
        "mean-for-max": "That is the mean over time, not the maximum.",
        "sum-for-max": "That is the sum over time, not the maximum.",
        "relu-missing": "A filter that likes nothing in this text answers 0, by ReLU.",
        "bias-forgotten": "Each filter adds its bias before ReLU.",
        "flipped": "The kernel lies backwards on the text; a layer does not flip it.",
        "last-window-missed": "The last place where the window fits was left out.",
        "padded": "The window hangs over the end of the text; here it must fit.",
        "over-filters": "The maximum was taken over the filters; take it along the text.",
        "first-kernel-only": "Only the first kernel has answered.",
    },
)
_line = np.array([[1.0], [4.0], [2.0], [0.0], [3.0]])
_rise = np.array([[[-1.0]], [[1.0]]])  # window 2, depth 1, one filter
_three = np.array([[[1.0, -1.0]], [[0.0, -1.0]], [[1.0, 0.0]]])  # window 3, depth 1, two filters
exercise.array(
    "1 4 2 0 3, one filter: how far does it rise in a step?",
    lambda: text_features(_line, [_rise], [np.zeros(1)]),
    [3],
    mistakes={
        "mean-for-max": [1.5],
        "sum-for-max": [6],
        "flipped": [2],
        "last-window-missed": [3],
    },
)
exercise.array(
    "1 4 2 0 3, a filter of window 2 and two of window 3, biases 0.5, −1, 1",
    lambda: text_features(_line, [_rise, _three], [np.array([0.5]), np.array([-1.0, 1.0])]),
    [3.5, 4, 0],
    mistakes={
        "relu-missing": [3.5, 4, -1],
        "bias-forgotten": [3, 5, 0],
        "last-window-missed": [3.5, 3, 0],
        "first-kernel-only": [3.5],
    },
)
### BEGIN HIDDEN TESTS


def _features(text, kernels, biases, reduce=np.max, relu=True, pad=0, drop=0):
    vectors = []
    for kernel, bias in zip(kernels, biases, strict=True):
        longer = np.pad(text, ((0, pad * (len(kernel) - 1)), (0, 0)))
        answers = np.array(keras.ops.conv(longer[np.newaxis], kernel))[0] + bias
        answers = answers[: len(answers) - drop]
        vectors.append(reduce(np.maximum(0, answers) if relu else answers, axis=0))
    return np.concatenate(vectors)


for _windows in ((3,), (2, 5), (4, 1, 6)):
    while True:
        _depth = int(exercise.rng.integers(2, 6))
        _steps = int(exercise.rng.integers(12, 20))
        _text = exercise.rng.normal(size=(_steps, _depth)).astype("float32")
        _text[-max(_windows) :] *= 1.7  # so that the last place often wins
        _filters = [int(n) for n in exercise.rng.integers(2, 6, size=len(_windows))]
        _kernels = [
            exercise.rng.normal(size=(window, _depth, count)).astype("float32")
            for window, count in zip(_windows, _filters, strict=True)
        ]
        _biases = [
            exercise.rng.choice([-9.0, 0.4, 0.9, 1.3], size=count, p=[0.3, 0.3, 0.2, 0.2])
            for count in _filters
        ]
        _biases[0][:2] = [-30, 0.8]  # one filter that likes nothing, one that likes something
        _given = (_text, _kernels, _biases)
        _wrong = {
            "mean-for-max": _features(*_given, reduce=np.mean),
            "sum-for-max": _features(*_given, reduce=np.sum),
            "relu-missing": _features(*_given, relu=False),
            "bias-forgotten": _features(_text, _kernels, [0 * bias for bias in _biases]),
            "last-window-missed": _features(*_given, drop=1),
            "padded": _features(*_given, pad=1),
        }
        if max(_windows) > 1:
            _wrong["flipped"] = _features(_text, [kernel[::-1] for kernel in _kernels], _biases)
        _vectors = [_features(*_given), *_wrong.values()]
        if all(
            np.abs(a - b).max() > 1e-3 for n, a in enumerate(_vectors) for b in _vectors[n + 1 :]
        ):
            break
    _wrong["over-filters"] = np.concatenate(
        [
            np.maximum(0, np.array(keras.ops.conv(_text[np.newaxis], kernel))[0] + bias).max(axis=1)
            for kernel, bias in zip(_kernels, _biases, strict=True)
        ]
    )
    if len(_windows) > 1:
        _wrong["first-kernel-only"] = _features(_text, _kernels[:1], _biases[:1])
    exercise.hidden.array(
        f"a drawn text, {('one window', 'two window sizes', 'three sizes')[len(_windows) - 1]}",
        lambda _text=_text, _kernels=_kernels, _biases=_biases: text_features(
            _text.copy(), [kernel.copy() for kernel in _kernels], [bias.copy() for bias in _biases]
        ),
        _features(*_given),
        mistakes=_wrong,
        rtol=1e-4,
        atol=1e-4,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 4 · Code or prose? A text that is always there
#
# Every Python brings its **standard library** along as text: hundreds of files, and in each of them
# two languages. What Python runs is *code*. Docstrings and comments are *prose*, in English. A
# small module of the course takes the files apart. (Your Python may be another version than ours,
# so your numbers will differ a little from those in this lesson. Nothing rests on the exact
# figures.)

# %% tags=["benchmark"]
library = read_standard_library(files=by_scale(quick=100, full=None, grading=6))

# %%
characters = {kind: sum(len(getattr(file, kind)) for file in library) for kind in ("code", "prose")}
print(f"{len(library)} files, {characters['code']:,} characters of code, ", end="")
print(f"{characters['prose']:,} of prose; in {library[0].name}, for example:")
print("code: ", library[0].code[:88], "…")
print("prose:", library[0].prose[:88], "…")

# %% [markdown]
# That looks too easy. Brackets, underlines and equals signs give code away: no network needed. So
# we take them away. All letters become small, and whatever is no letter becomes a blank. Then the
# texts are cut into pieces of **64 letters**, at most 40 of a kind from one file, so that no large
# file has the say.

# %% tags=["benchmark"]
LENGTH = 64
LEARN_FROM, TEST_ON = by_scale(quick=(2000, 1000), full=(16_000, 4_000), grading=(120, 60))


def only_letters(text):
    """A text in small letters; everything else becomes a blank, and blanks never stand in a row."""
    return re.sub("[^a-z]+", " ", text.lower()).strip()


def pieces(text, most=40):
    """Cut a text into pieces of LENGTH letters, no more than so many, from all over the text."""
    text = only_letters(text)
    starts = LENGTH * np.arange(len(text) // LENGTH)
    if len(starts) > most:
        starts = starts[np.linspace(0, len(starts) - 1, most).astype(int)]
    return [text[start : start + LENGTH] for start in starts]


def pieces_of(files, count, seed):
    """Draw pieces from files, half of them code (label 0) and half prose (label 1), mixed."""
    dice = np.random.default_rng(seed)
    drawn = []
    for label, kind in enumerate(("code", "prose")):
        pool = [piece for file in files for piece in pieces(getattr(file, kind))]
        chosen = dice.permutation(len(pool))[: count // 2]
        drawn += [(pool[place], label) for place in chosen]
    drawn = [drawn[place] for place in dice.permutation(len(drawn))]
    return [piece for piece, _ in drawn], np.array([label for _, label in drawn])


# %% [markdown]
# ### Which pieces for the test?
#
# Drawing the test pieces at random from all pieces would be the usual way, and it would be unfair.
# A file repeats itself: the same variable names, the same phrases, a method's code three times over
# with little changed. The network would be tested on half-known things. So we split **by file**: a
# fifth of the files is for the test, and no piece of them is learned from. How much is in it? Count
# stretches of 16 letters of the test pieces that also stand somewhere in the pieces learned from.

# %% tags=["benchmark"]
for_test = max(1, len(library) // 5)
texts_test, y_test = pieces_of(library[:for_test], TEST_ON, seed=1)
texts_train, y_train = pieces_of(library[for_test:], LEARN_FROM, seed=2)


def coded(texts):
    """Texts as an array of letters' numbers, shape (texts, LENGTH)."""
    return np.stack([numbered(text) for text in texts])


x_train, x_test = coded(texts_train), coded(texts_test)


# %%
def known(test, train, stretch=16):
    """Share of the stretches of test texts that also stand in training texts, in per cent."""
    cut = [
        {text[n : n + stretch] for text in texts for n in range(LENGTH - stretch + 1)}
        for texts in (test, train)
    ]
    return 100 * len(cut[0] & cut[1]) / len(cut[0])


mixed, _ = pieces_of(library, LEARN_FROM + TEST_ON, seed=3)
print(f"to learn from: {x_train.shape}, for the test: {x_test.shape}")
print("stretches of 16 letters of the test that are in the pieces learned from:")
print(f"  split by file:     {known(texts_test, texts_train):4.1f} %")
print(f"  split at random:   {known(mixed[:TEST_ON], mixed[TEST_ON:]):4.1f} %")

# %%
figure, axis = plt.subplots(figsize=(8.4, 3.3), layout="constrained")
for row in range(8):
    label = row // 4
    text = [text for text, kind in zip(texts_test, y_test, strict=True) if kind == label][row % 4]
    y, colour = -row - 0.35 * label, (ORANGE, BLUE)[label]
    axis.text(0, y, text, family="monospace", size=13, va="center")
    axis.text(-1, y, ("code", "prose")[label], ha="right", va="center", color=colour)
axis.set(xlim=(-5, 63), ylim=(-8, 0.7))
axis.axis("off")
show(
    figure,
    alt="Four pieces of code and four of prose, 64 small letters and blanks each, from the test "
    "files. Without brackets and signs the code is rows of words such as self, if, return and "
    "names; the prose is English cut off in the middle of words.",
)

# %% [markdown]
# Split by file, some stretches are known all the same: idioms and phrases that many files share.
#
# You can tell the two kinds apart. What do you go by? Single letters hardly; words and their
# endings, more likely.
#
# ### Exercise 3 · `text_cnn` (4 points)
#
# Build Kim's network for letters, for any number of classes and any window sizes:
#
# - input: a text as `length` whole numbers; an `Embedding` layer turns each into `embedding`
#   numbers (a **learned** table with a row for each character: shorter than one-hot, and letters of
#   like use can get like rows);
# - side by side on the embedded text, one convolution for each entry of `windows`: `filters`
#   filters, ReLU, no padding; each followed by max-over-time pooling;
# - all their features in one vector, then a dense layer with softmax.
#
# Two things stand side by side, so this is work for a functional model or a class of your own.


# %% tags=["benchmark"] nbgrader={"grade_id": "text_cnn", "solution": true}
def text_cnn(length, characters, classes, windows, filters, embedding=16):
    """Build a text classifier with several window sizes and max-over-time pooling.

    Parameters
    ----------
    length : int
        Letters of a text.
    characters : int
        How many different characters there are.
    classes : int
    windows : list of int
        Window size of each convolution, all different.
    filters : int
        Filters of each convolution.
    embedding : int
        Numbers that stand for a character.

    Returns
    -------
    keras.Model
        Not compiled. Its input has shape (length,), its output (classes,).
    """
    ### BEGIN SOLUTION
    text = keras.Input((length,), dtype="int32")
    letters = keras.layers.Embedding(characters, embedding)(text)
    features = []
    for window in windows:
        answers = keras.layers.Conv1D(filters, window, activation="relu")(letters)
        features.append(keras.layers.GlobalMaxPooling1D()(answers))
    vector = features[0] if len(features) == 1 else keras.layers.Concatenate()(features)
    return keras.Model(text, keras.layers.Dense(classes, activation="softmax")(vector))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_text_cnn", "grade": true, "points": 4}
exercise = checks.Exercise(
    "text_cnn",
    points=4,
    hints={
        "stacked": "The convolutions stand one behind the other; all of them must see the letters.",
        "embedding-each": "Each convolution has an embedding of its own; they share one.",
        "flattened": "Flatten hands on every place. Max over time hands on one number a filter.",
        "one-window": "Only one window size is there.",
        "padded": "The convolutions have padding 'same'; without it the answers get fewer.",
        "causal": "The convolutions are padded on the left; here they are not padded at all.",
        "mean-over-time": "That is the mean over time, not the maximum.",
        "relu-missing": "The convolutions have no ReLU.",
        "softmax-missing": "These are scores: softmax would turn them into probabilities.",
        "sigmoid": "Each output is a probability of its own: that is a sigmoid, not softmax.",
        "depends-on-place": "The same letters elsewhere give another answer: what sees places?",
        "hidden-layer": "One dense layer too many: the features go straight to the classes.",
        "filters-shared-out": "Each window size has `filters` filters, not a share of them.",
    },
)


def _with_weights(model, length, *, repeat=True):
    """Give a model weights that depend on their shapes only, so that any two alike answer alike.

    With `repeat`, the dense kernel repeats itself, so that it makes no difference in which order
    the windows' features stand.
    """
    model(np.zeros((1, length), "int32"))
    for weight in model.trainable_variables:
        shape = tuple(int(n) for n in weight.shape)
        dice = np.random.default_rng([len(shape), *shape])
        values = dice.normal(scale=1 / math.sqrt(np.prod(shape[:-1]) or 1), size=shape)
        if repeat and len(shape) == 2 and shape[0] % 5 == 0 and shape[1] < 5:  # the dense kernel
            values = np.tile(values[:5], (shape[0] // 5, 1)) * 2
        weight.assign(values.astype("float32"))
    return model


_given = (40, 27, 2, [2, 4, 7], 5, 6)
exercise.parameters(
    "40 letters of 27, 2 classes, windows 2, 4 and 7, 5 filters each, embedding 6",
    lambda: text_cnn(*_given),
    599,
    input_shape=(40,),
    mistakes={
        "stacked": 524,
        "embedding-each": 923,
        "flattened": 1669,
        "one-window": 239,
    },
)
exercise.shape(
    "three texts: shape of the output",
    lambda: np.shape(text_cnn(*_given)(np.zeros((3, 40), "int32"))),
    (3, 2),
    weight=0.5,
)
exercise.true(
    "the outputs of a text are positive and add up to 1",
    lambda: (
        (said := np.array(text_cnn(*_given)(np.arange(80).reshape(2, 40) % 27))).min() >= 0
        and np.allclose(said.sum(axis=1), 1, atol=1e-4)
    ),
    otherwise="the outputs are no probabilities",
    hint="softmax-missing",
    weight=0.5,
)


def _moved():
    """What one model says about the same nine letters at place 9 and at place 24."""
    texts = np.zeros((2, 40), "int32")
    texts[0, 9:18] = texts[1, 24:33] = [3, 15, 14, 22, 15, 12, 22, 5, 4]
    return np.array(_with_weights(text_cnn(*_given), 40, repeat=False)(texts))


exercise.true(
    "the same letters in another place give the same answer",
    lambda: np.allclose(*_moved(), atol=1e-5),
    otherwise="the answer changed when the letters moved",
    hint="depends-on-place",
)


### BEGIN HIDDEN TESTS


def _kim(
    length, characters, classes, windows, filters, embedding, *, padding="valid", bend="relu",
    pool=keras.layers.GlobalMaxPooling1D, last="softmax", each=False, stacked=False, hidden=0,
):  # fmt: skip
    text = keras.Input((length,), dtype="int32")
    table = keras.layers.Embedding(characters, embedding)
    letters, features = table(text), []
    for window in windows:
        if each and features:
            letters = keras.layers.Embedding(characters, embedding)(text)
        answers = keras.layers.Conv1D(filters, window, padding=padding, activation=bend)(letters)
        features.append(pool()(answers))
        letters = answers if stacked else letters
    features = features[-1:] if stacked else features
    vector = features[0] if len(features) == 1 else keras.layers.Concatenate()(features)
    if hidden:
        vector = keras.layers.Dense(hidden, activation="relu")(vector)
    return keras.Model(text, keras.layers.Dense(classes, activation=last)(vector))


def _counted(model, length):
    """Embedding, convolutions and dense layers with their parameters, in a fixed order."""
    table = checks.layer_table(model, (length,))
    kinds = ("Embedding", "Conv1D", "Dense")
    return sorted(
        [item.kind, *(int(n) for n in item.output_shape), item.parameters]
        for item in table
        if item.kind in kinds
    )


for _count in (1, 3):
    _length = int(exercise.rng.integers(30, 50))
    _classes = int(exercise.rng.integers(3, 5))
    _windows = [int(n) for n in exercise.rng.permutation(np.arange(2, 9))[:_count]]
    _drawn = (_length, int(exercise.rng.integers(20, 40)), _classes, _windows, 5)
    _drawn = (*_drawn, int(exercise.rng.integers(6, 12)))
    _words = "one window size" if _count == 1 else "three window sizes"
    _changes = {
        "padded": {"padding": "same"},
        "flattened": {"pool": keras.layers.Flatten},
        "hidden-layer": {"hidden": 5},
    }
    if _count > 1:
        _changes |= {"stacked": {"stacked": True}, "embedding-each": {"each": True}}
    _wrong = {name: _counted(_kim(*_drawn, **how), _length) for name, how in _changes.items()}
    if _count > 1:
        _wrong["one-window"] = _counted(_kim(*_drawn[:3], _windows[:1], *_drawn[4:]), _length)
        _wrong["filters-shared-out"] = _counted(_kim(*_drawn[:4], 5 // 3, _drawn[5]), _length)
    exercise.hidden.equal(
        f"layers with weights, {_words}",
        lambda _drawn=_drawn: _counted(text_cnn(*_drawn), _drawn[0]),
        _counted(_kim(*_drawn), _length),
        mistakes=_wrong,
    )
    _texts = exercise.rng.integers(0, _drawn[1], size=(6, _length)).astype("int32")
    exercise.hidden.array(
        f"what it says about drawn texts, {_words}",
        lambda _drawn=_drawn, _texts=_texts: np.array(
            _with_weights(text_cnn(*_drawn), _drawn[0])(_texts)
        ),
        np.array(_with_weights(_kim(*_drawn), _length)(_texts)),
        rtol=1e-3,
        atol=1e-4,
        weight=1.5,
        mistakes={
            name: np.array(_with_weights(_kim(*_drawn, **how), _length)(_texts))
            for name, how in (
                ("mean-over-time", {"pool": keras.layers.GlobalAveragePooling1D}),
                ("relu-missing", {"bend": None}),
                ("softmax-missing", {"last": None}),
                ("sigmoid", {"last": "sigmoid"}),
                ("padded", {"padding": "same"}),
                ("causal", {"padding": "causal"}),
            )
        },
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 5 · Experiment: how long must a window be?
#
# Six small networks of one convolution with 60 filters, and yours:
#
# | name | window | what is different |
# |---|--:|---|
# | `window 1` | 1 | sees single letters: which letters are there? |
# | `window 2`, `window 4`, `window 7` | 2, 4, 7 | sees pieces of so many letters |
# | `flatten` | 4 | `Flatten` instead of max over time: a weight for every filter at every place |
# | `shuffled` | 4 | learns from, and is tested on, pieces whose letters have been shuffled |
# | `2 + 4 + 7` | 2, 4, 7 | your `text_cnn`, 20 filters for each size |
#
# All of them see the same letters, three seeds each, as always.

# %% tags=["benchmark"]
SEEDS = by_scale(quick=(1, 2, 3), full=(1, 2, 3), grading=(1, 2))
EPOCHS, BATCH = by_scale(quick=(6, 64), full=(8, 64), grading=(0, 64))


def network(window, head=keras.layers.GlobalMaxPooling1D):
    """Build a text classifier with one window size and 60 filters."""
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(len(LETTERS), 16),
            keras.layers.Conv1D(60, window, activation="relu"),
            head(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def shuffled(texts, seed):
    """Shuffle the letters of each text, each in its own way."""
    return np.random.default_rng(seed).permuted(texts, axis=1)


def fit_with_every_seed(build, compiled, fit):
    """Yield a freshly begun, trained model for each seed; compiled once, to save time."""
    worker = compiled(build())
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        model = build()
        worker.set_weights(model.get_weights())
        for memory in worker.optimizer.variables:  # of the run before
            memory.assign(keras.ops.zeros_like(memory))
        fit(worker)
        model.set_weights(worker.get_weights())
        yield seed, model


results = {}  # name of a network → for each seed: accuracy, seconds, epochs, parameters
right = {}  # name of a network → for each seed: which test pieces it got right
trained = {}  # name of a network → the model of the last seed


def measure(name, build, train, test):
    """Train a text classifier with every seed, and keep what came out under its name."""

    def compiled(model):
        steps = math.ceil(len(train) / BATCH)
        rate = keras.optimizers.schedules.CosineDecay(5e-3, max(1, EPOCHS) * steps)
        model.compile(
            keras.optimizers.Adam(rate),
            "sparse_categorical_crossentropy",
            steps_per_execution=steps,  # saves the way back to Python after every batch
        )
        return model

    def fit(model):
        model.fit(train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=0)

    results[name], right[name] = [], []
    start = time.perf_counter()
    for seed, model in fit_with_every_seed(build, compiled, fit):
        seconds, start = time.perf_counter() - start, time.perf_counter()
        says = np.concatenate([np.argmax(model(part), axis=1) for part in np.array_split(test, 4)])
        right[name].append(says == y_test)
        trained[name] = model
        run = {"seed": seed, "accuracy": 100 * float(np.mean(right[name][-1])), "epochs": EPOCHS}
        results[name].append(run | {"seconds": seconds, "parameters": model.count_params()})
    scores = [run["accuracy"] for run in results[name]]
    spread = f" ± {np.std(scores, ddof=1):.1f}" if len(scores) > 1 else ""
    print(f"{name:12}{model.count_params():>8,} parameters: {np.mean(scores):5.1f} %{spread}")


# %% [markdown]
# **Predict.** Which of the six gets the most test pieces right? How many per cent will `window 1`
# get right, which only knows which letters are there? (Guessing gives 50.) And does `shuffled`,
# with its window of 4, come out nearer to `window 1` or to `window 4`?

# %%
prediction_best = None  # a name of the table
prediction_window_1 = None  # per cent
prediction_shuffled = None  # "window 1" or "window 4"

# %% tags=["benchmark"]
for window in (1, 2, 4, 7):
    measure(f"window {window}", lambda window=window: network(window), x_train, x_test)
measure("flatten", lambda: network(4, keras.layers.Flatten), x_train, x_test)
measure("shuffled", lambda: network(4), shuffled(x_train, 1), shuffled(x_test, 2))

# %% tags=["benchmark"]
try:
    text_cnn(LENGTH, len(LETTERS), 2, [2, 4, 7], 20)
except NotImplementedError:
    print("2 + 4 + 7: solve exercise 3, and your network takes part")
else:
    measure("2 + 4 + 7", lambda: text_cnn(LENGTH, len(LETTERS), 2, [2, 4, 7], 20), x_train, x_test)

# %%
mean = {name: np.mean([run["accuracy"] for run in runs]) for name, runs in results.items()}
compare_prediction(prediction_best, max(mean, key=mean.get))
print(f"window 1: {mean['window 1']:.1f} %; you predicted {prediction_window_1}")
distance = {name: abs(mean["shuffled"] - mean[name]) for name in ("window 1", "window 4")}
compare_prediction(prediction_shuffled, min(distance, key=distance.get))

# %%
figure, axis = plt.subplots(figsize=(8, 3.3), layout="constrained")
for row, name in enumerate(reversed(results)):
    scores = [run["accuracy"] for run in results[name]]
    colour = {"flatten": GREEN, "shuffled": ORANGE, "2 + 4 + 7": "black"}.get(name, BLUE)
    axis.plot(scores, [row] * len(scores), "o", mfc="none", mew=1.6, color=colour)
    axis.plot([np.mean(scores)], [row], "|", ms=20, mew=2.5, color=colour)
axis.set(xlabel="test pieces right (%)", ylim=(-0.7, len(results) - 0.3))
axis.set_yticks(range(len(results)), reversed(results))
axis.grid(axis="x", alpha=0.3)
show(
    figure,
    alt="Accuracy of the networks on test pieces, one circle for each seed and a bar at the mean. "
    "Window 1 is far to the left, at about 70 per cent, and shuffled close to it. Window 2 "
    "lies at about 85, flatten near it; windows 4 and 7 and the three sizes together lie "
    "close to one another at about 90.",
)

# %%
names = [("window 1", "window 2"), ("window 2", "window 4"), ("window 4", "window 7")]
names += [("flatten", "window 4"), ("window 1", "shuffled"), ("window 4", "2 + 4 + 7")]
for first, second in names:
    if second in right:
        judge(right, first, second)

# %% [markdown]
# - **Which letters are there** is worth something: twenty points above guessing, no more. *Which
#   letters follow one another* is worth as much again. Shuffling shows it from the other side. The
#   same letters, the same network with its window of 4, and nearly all of the advantage is gone.
# - Beyond four letters little is won. Neither is it with several sizes at once: in the recorded
#   runs at quick scale they could not be told from a window of 4. Kim's steps were words. Four
#   letters are often one word, so the question "which sizes?" has another answer there.
# - `flatten` has the same filters and more parameters behind them, and is worse. It has to learn
#   for each *place* of the piece what `self` means. That is lesson 01 once more: built-in
#   knowledge, here that a word means the same wherever it stands, saves examples.
#
# With all of the library (`COURSE_SCALE=full`, or the record of `python -m benchmarks.full_scale
# 10`):

# %% [markdown]
# <!-- results: 10_beyond_images -->
#
# | network | parameters | quick scale, % right | full scale, % right | epochs | seconds a run |
# |---|--:|--:|--:|--:|--:|
# | window 1 | 1,574 | 68.70 ± 0.60 | 73.23 ± 0.41 | 6 / 8 | 1 / 3 |
# | window 2 | 2,534 | 84.90 ± 1.85 | 91.04 ± 0.17 | 6 / 8 | 1 / 4 |
# | window 4 | 4,454 | 88.60 ± 0.78 | 93.55 ± 0.18 | 6 / 8 | 1 / 5 |
# | window 7 | 7,334 | 89.43 ± 0.78 | 93.49 ± 0.18 | 6 / 8 | 1 / 5 |
# | flatten | 11,654 | 83.17 ± 1.27 | 90.83 ± 0.57 | 6 / 8 | 1 / 5 |
# | shuffled | 4,454 | 72.57 ± 0.81 | 76.78 ± 0.67 | 6 / 8 | 1 / 5 |
# | 2 + 4 + 7 | 4,774 | 89.33 ± 0.25 | 93.17 ± 0.49 | 6 / 8 | 2 / 5 |
#
# Mean ± standard deviation over seeds 1, 2, 3. Recorded 2026-11-27 on 2 cores (AMD EPYC), Python
# 3.11.7, TensorFlow 2.21.0, Keras 3.15.1. Epochs and seconds: quick / full; the seconds depend on
# what else the machine is doing.
#
# <!-- /results -->
#
# Eight times as many pieces, and eight epochs where there were six, lift every network by four to
# eight points. What you saw stays: letters alone are worth least, their order most, and beyond
# four of them little is won.

# %% [markdown]
# ## 6 · What the filters look for
#
# In a picture network one looks at the filters. Here one can *read* them. Take the network `window
# 4`; let every filter answer at every place of all test pieces; and for each filter write down the
# pieces of four letters that it likes best. Which class a filter speaks for is in the dense layer:
# its weight for prose minus its weight for code.

# %%
reader = trained["window 4"]
letters_in, convolution, _, dense = reader.layers
answers = np.array(convolution(letters_in(x_test)))  # (pieces, 61 places, 60 filters)
lean = np.diff(dense.get_weights()[0], axis=1)[:, 0]  # above 0: speaks for prose
force = lean * answers.max(axis=1).mean(axis=0)  # how loudly it does so, on average


def favourites(filter_number, count=7):
    """The different four-letter pieces of the test that a filter answers to most strongly."""
    found = {}
    for place in np.argsort(answers[:, :, filter_number], axis=None)[::-1][:2000]:
        text, start = divmod(int(place), answers.shape[1])
        found.setdefault(texts_test[text][start : start + 4].replace(" ", "␣"), None)
        if len(found) == count:
            break
    return list(found)


print("the filters that speak most loudly, and what they like best (␣ is a blank)\n")
for kind, order in (("code", np.argsort(force)), ("prose", np.argsort(force)[::-1])):
    for number in order[:6]:
        print(f"{kind:6} filter {number:2}:  " + "  ".join(favourites(number)))
    print()

# %% [markdown]
# Most lists read like variations of one thing: a word that only code has, an ending that only
# English has, and their relatives. No filter was told what a word is. Some lists make no sense to
# us, and they need not: a filter is one voice of sixty.
#
# The same the other way round. For one piece of text, every filter's answer comes from **one**
# place, the winner's. Colour the letters there by how much the filter adds to the verdict. What you
# see is what the network went by; all other letters could be others, as long as no filter answers
# to them more strongly.

# %%
says = np.array(reader(x_test))[:, 1]  # probability of prose
order = np.argsort(says)
wrong = [n for n in order if (says[n] > 0.5) != y_test[n]]
examples = [order[1], order[3], order[-2], order[-4], *wrong[:2], *wrong[-2:]]

figure, axis = plt.subplots(figsize=(8.6, 4.5), layout="constrained")
shades = plt.get_cmap("PuOr")
for row, number in enumerate(examples):
    voice = np.zeros(LENGTH)
    winners, strength = answers[number].argmax(axis=0), answers[number].max(axis=0)
    for place, force_here in zip(winners, lean * strength, strict=True):
        voice[place : place + 4] += force_here / 4
    y = -row - (1 if row >= 4 else 0)
    for place, letter in enumerate(texts_test[number]):
        shade = shades(0.5 + 0.5 * np.tanh(voice[place] / 3))
        axis.add_patch(plt.Rectangle((place - 0.5, y - 0.4), 1, 0.8, color=shade, lw=0))
        ink = "white" if abs(voice[place]) > 3 else "black"
        axis.text(place, y, letter, ha="center", va="center", family="monospace", size=9, color=ink)
    truth = ("code", "prose")[y_test[number]]
    axis.text(-1, y, truth, ha="right", va="center", size=9.5)
    axis.text(LENGTH, y, f"{100 * says[number]:3.0f} %", va="center", size=9.5)
axis.text(-1, 0.75, "truth", ha="right", size=9.5)
axis.text(LENGTH, 0.75, "prose?", size=9.5)
axis.text(-0.5, 0.75, "orange: speaks for code", color="#B35806", size=9.5)
axis.text(24, 0.75, "purple: speaks for prose", color="#542788", size=9.5)
axis.text(-0.5, -4.1, "… and where it was most wrong:", size=9.5, va="center")
axis.set(xlim=(-6, 69), ylim=(-8.6, 1.3))
axis.axis("off")
show(
    figure,
    alt="Eight pieces of 64 letters, each letter on a ground between orange, for code, and "
    "purple, for prose. In two pieces of code the word self stands on orange; in two of prose "
    "to, the and of stand on purple. Below, four pieces judged wrongly: prose that speaks of "
    "self and of names, and code that holds an English sentence with the in it.",
)

# %% [markdown]
# Look at the mistakes before you blame the network. Prose that *is* a list of names, code that is a
# message to the user in English inside quotes: what is wrong there is partly the label.

# %% [markdown]
# ## 7 · Sound: what comes next?
#
# A sound is a line of numbers: the pressure at the ear, some thousand times a second. **WaveNet**
# (van den Oord and others 2016) learned to speak by one exercise only: *here are the samples up to
# now; say the next one*. Who can do that can go on for ever: say a sample, append it, say the next.
#
# We need a sound that is simple and yet cannot be guessed by drawing a smooth curve. Karplus and
# Strong found one in 1983: the **plucked string** in two lines. Fill one period with noise, that is
# the pluck. From then on, each sample is the mean of the two samples one period ago (and a hair
# less):
#
# $$x_t = 0.998\;\tfrac12\,(x_{t-20} + x_{t-21})$$
#
# Noise goes in, and what one hears is a string. Each pluck is other noise, so each string sounds a
# little different. Ours have a period of 20 samples.

# %% nbgrader={"grade_id": "strings", "locked": true}
PERIOD = 20


def pluck(strings, samples, seed, period=PERIOD):
    """Pluck strings.

    Returns
    -------
    numpy.ndarray
        Shape (strings, samples, 1).
    """
    sounds = np.zeros((strings, samples + 1), "float32")  # one silent sample before the pluck
    dice = np.random.default_rng(seed)
    sounds[:, 1 : period + 1] = dice.uniform(-1, 1, size=(strings, period))
    for now in range(period + 1, samples + 1):
        sounds[:, now] = 0.998 * (sounds[:, now - period] + sounds[:, now - period - 1]) / 2
    return sounds[:, 1:, np.newaxis]


# %%
string = pluck(1, 4000, seed=1)[0, :, 0]
figure, axes = plt.subplots(2, 1, figsize=(8.4, 4), layout="constrained")
axes[0].plot(string[:140], ".-", color="#555555", ms=4, lw=1)
for start in range(0, 140, PERIOD):
    axes[0].axvspan(
        start, start + PERIOD, color=BLUE, alpha=0.08 + 0.1 * (start // PERIOD % 2), lw=0
    )
axes[0].text(0.5, 1.12, "the pluck: noise", size=9, color=BLUE)
axes[0].set(ylim=(-1.1, 1.4), xlim=(0, 140), title="the first 140 samples")
axes[1].plot(string[:2000], color="#555555", lw=0.8)
axes[1].set(
    ylim=(-1.1, 1.1), xlim=(0, 2000), title="a quarter of a second: 2,000 samples", xlabel="sample"
)
show(
    figure,
    alt="Above, 140 samples of a plucked string in bands of 20. The first band is noise between "
    "minus one and one; each following band looks like the one before, a little smoother. "
    "Below, a quarter of a second: the sound dies away, quickly at first and then slowly.",
)
if course_scale() != "grading":
    display(Audio(string, rate=8000))  # 390 times a second: the g above middle c

# %% [markdown]
# ### Causal: no peeping
#
# The task, as arrays: what goes in is samples 0 … T−2, what should come out is samples 1 … T−1.
# The number at place $t$ of the output must be computed from places up to $t$ of the input, and
# **from no later one**: the next place holds the solution. A layer that keeps to this is called
# **causal**.
#
# With padding `"same"` a window hangs over both ends; half of it looks ahead. With
# `padding="causal"`, Keras puts *all* the zeros before the start. The output is as long as the
# input, and the window ends at the present.

# %% nbgrader={"grade_id": "drawing_padding", "locked": true}
# Only drawing in this cell.
figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.5), layout="constrained")
for axis, (title, before, after) in zip(
    axes, (('"valid"', 0, 0), ('"same"', 1, 1), ('"causal"', 2, 0)), strict=True
):
    for place in range(-before, 6 + after):
        zero = not 0 <= place < 6
        axis.add_patch(
            plt.Rectangle(
                (place - 0.42, -0.42), 0.84, 0.84, fc="white" if zero else "#BBDDEE",
                ec="#999999", ls=":" if zero else "-",
            )
        )  # fmt: skip
        axis.text(place, 0, "0" if zero else str(place), ha="center", va="center", size=9)
    for end in range(2 - before, 6 + after):
        out = end - after
        present = out == 3
        axis.add_patch(
            plt.Rectangle((out - 0.42, 1.58), 0.84, 0.84, fc=ORANGE if present else "#F5D9C6")
        )
        axis.text(out, 2, str(out), ha="center", va="center", size=9)
        for source in range(end - 2, end + 1):
            axis.plot(
                [source, out], [0.45, 1.55], color=ORANGE if present else "#DDDDDD",
                lw=2 if present else 0.8, zorder=2 if present else 0,
            )  # fmt: skip
    axis.set(title=title, xlim=(-2.6, 6.6), ylim=(-0.7, 2.7))
    axis.axis("off")
show(
    figure,
    alt="A window of three over six samples, three paddings. Valid: four outputs, for samples 2 "
    "to 5. Same: one zero before and one after, six outputs; output 3 sees samples 2, 3 and "
    "4, one of them in the future. Causal: two zeros before, six outputs; output 3 sees "
    "samples 1, 2 and 3.",
)

# %% [markdown]
# ### Exercise 4 · `causal_conv1d` (3 points)
#
# Write the layer in NumPy, with **dilation**: the numbers under the window are not neighbours but
# `dilation` steps apart. With window 3 and dilation 4, output $t$ is computed from $t-8$, $t-4$ and
# $t$. Before the start of the signal there is silence: zeros. Two questions first. Which of the
# kernel's rows belongs to the present? And how many zeros does it take?


# %% nbgrader={"grade_id": "causal_conv1d", "solution": true}
def causal_conv1d(signal, kernel, bias, dilation=1):
    """Do what Conv1D does to one signal with padding "causal" (no activation).

    Parameters
    ----------
    signal : numpy.ndarray
        Shape (steps, depth).
    kernel : numpy.ndarray
        Shape (window, depth, filters).
    bias : numpy.ndarray
        Shape (filters,).
    dilation : int
        Steps between two numbers under the window.

    Returns
    -------
    numpy.ndarray
        Shape (steps, filters).
    """
    ### BEGIN SOLUTION
    steps, zeros = len(signal), (len(kernel) - 1) * dilation
    padded = np.pad(signal, ((zeros, 0), (0, 0)))
    output = np.zeros((steps, kernel.shape[2])) + bias
    for row, weights in enumerate(kernel):
        output += padded[row * dilation : row * dilation + steps] @ weights
    return output
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_causal_conv1d", "grade": true, "points": 3}
exercise = checks.Exercise(
    "causal_conv1d",
    points=3,
    hints={
        "looks-ahead": "The zeros are after the signal: every output has seen its future.",
        "centred": "Half of the zeros are after the signal: it looks ahead. That is 'same'.",
        "flipped": "The kernel's rows are the wrong way round: the last belongs to the present.",
        "dilation-ignored": "The numbers under the window are neighbours: where is the dilation?",
        "too-few-zeros": "A dilated window is longer, and needs more zeros before the start.",
        "not-padded": "The output is shorter than the signal: the zeros before it are missing.",
        "one-late": "The window ends one sample before the present; the present may be seen.",
        "bias-forgotten": "Each filter adds its bias.",
        "cyclic": "Before the start there is silence, not the end of the signal.",
    },
)


def _column(*numbers):
    return np.array(numbers, float)[:, np.newaxis]


_signal = _column(1, 2, 4, 8, 16)
_two = np.array([[[10.0]], [[1.0]]])  # ten times the one before, plus the present
exercise.array(
    "1 2 4 8 16, kernel 10 and 1",
    lambda: causal_conv1d(_signal.copy(), _two.copy(), np.zeros(1)),
    _column(1, 12, 24, 48, 96),
    mistakes={
        "looks-ahead": _column(12, 24, 48, 96, 160),
        "flipped": _column(10, 21, 42, 84, 168),
        "not-padded": _column(12, 24, 48, 96),
        "one-late": _column(0, 1, 12, 24, 48),
        "cyclic": _column(161, 12, 24, 48, 96),
    },
)
exercise.array(
    "the same with dilation 3 and bias 5",
    lambda: causal_conv1d(_signal.copy(), _two.copy(), np.array([5.0]), dilation=3),
    _column(6, 7, 9, 23, 41),
    mistakes={
        "looks-ahead": _column(23, 41, 45, 85, 165),
        "centred": _column(9, 23, 41, 45, 85),
        "flipped": _column(15, 25, 45, 86, 167),
        "dilation-ignored": _column(6, 17, 29, 53, 101),
        "too-few-zeros": _column(9, 23, 41),
        "not-padded": _column(23, 41),
        "bias-forgotten": _column(1, 2, 4, 18, 36),
        "cyclic": _column(46, 87, 169, 23, 41),
    },
)


def _first_four(last):
    """The first four of five outputs for a signal with this last sample."""
    signal = np.vstack([_signal[:4], [[last]]])
    return np.array(causal_conv1d(signal, _two.copy(), np.zeros(1), 2))[:4]


exercise.true(
    "another last sample: the outputs before it stay as they are",
    lambda: np.allclose(_first_four(16.0), _first_four(-99.0)),
    otherwise="an output changed although only a later sample did",
    hint="looks-ahead",
    weight=0.5,
)
### BEGIN HIDDEN TESTS


def _conv(signal, kernel, bias, dilation, before, after=0):
    padded = np.pad(signal, ((before, after), (0, 0))).astype("float32")
    out = keras.ops.conv(padded[np.newaxis], kernel.astype("float32"), dilation_rate=dilation)
    return np.array(out)[0] + bias


for _window, _dilation in ((2, 1), (3, 2), (4, 3), (2, 5)):
    _depth, _filters = (int(n) for n in exercise.rng.integers(1, 5, size=2))
    _length = int(exercise.rng.integers(20, 30))
    _x = exercise.rng.normal(size=(_length, _depth))
    _kernel = exercise.rng.normal(size=(_window, _depth, _filters))
    _bias = exercise.rng.normal(size=_filters)
    _zeros = (_window - 1) * _dilation
    _given = (_x, _kernel, _bias, _dilation)
    _wrong = {
        "looks-ahead": _conv(*_given, 0, _zeros),
        "flipped": _conv(_x, _kernel[::-1], _bias, _dilation, _zeros),
        "not-padded": _conv(*_given, 0),
        "one-late": _conv(*_given, _zeros + 1)[:_length],
        "bias-forgotten": _conv(_x, _kernel, 0, _dilation, _zeros),
        "cyclic": _conv(np.vstack([_x[-_zeros:], _x]), _kernel, _bias, _dilation, 0),
    }
    if _zeros > 1:
        _wrong["centred"] = _conv(*_given, _zeros // 2, _zeros - _zeros // 2)
    if _dilation > 1:
        _wrong["dilation-ignored"] = _conv(_x, _kernel, _bias, 1, _window - 1)
        _wrong["too-few-zeros"] = _conv(*_given, _window - 1)
    exercise.hidden.array(
        f"a drawn signal, window {_window}, dilation {_dilation}",
        lambda _given=_given: causal_conv1d(
            _given[0].copy(), _given[1].copy(), _given[2].copy(), dilation=_given[3]
        ),
        _conv(*_given, _zeros),
        mistakes=_wrong,
        rtol=1e-3,
        atol=1e-4,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 8 · Dilation: seeing far with few layers
#
# Our string needs a look back of 21 samples: $x_t$ rests on $x_{t-21}$. A second of speech has
# 16,000. Each causal layer with a window of 2 sees *one* sample more than the layer before it. That
# would make 20 layers for a string and 15,999 for a second.
#
# WaveNet's answer: let the layers double their dilation, 1, 2, 4, 8 … Each layer then joins two
# stretches that the layers below have already summed up, with no gap between them.

# %% nbgrader={"grade_id": "drawing_stacks", "locked": true}
# Only drawing in this cell.
figure, axes = plt.subplots(1, 2, figsize=(8.4, 2.9), layout="constrained", sharey=True)
for axis, dilations, title in (
    (axes[0], (1, 1, 1, 1), "dilations 1, 1, 1, 1"),
    (axes[1], (1, 2, 4, 8), "dilations 1, 2, 4, 8"),
):
    needed = {15}  # places in the layer above that count
    for layer in range(4, -1, -1):
        colours = [ORANGE if place in needed else "white" for place in range(16)]
        axis.scatter(range(16), [layer] * 16, s=46, c=colours, ec="#777777", zorder=3, lw=0.8)
        if layer == 0:
            break
        step = dilations[layer - 1]
        for place in range(16):
            for source in (place, place - step):
                if source >= 0:
                    counts = place in needed
                    axis.plot(
                        [source, place], [layer - 1, layer], zorder=2 if counts else 1,
                        color=ORANGE if counts else "#E2E2E2", lw=1.8 if counts else 0.7,
                        antialiased=counts,
                    )  # fmt: skip
        needed |= {place - step for place in needed}
    axis.set(title=title, xlabel="sample", xlim=(-0.6, 15.6))
    axis.set_yticks(range(5), ["input", *(f"layer {n}" for n in range(1, 5))])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
show(
    figure,
    alt="Two stacks of four layers over 16 samples; what the last output at the upper right sees "
    "is marked. With dilation 1 everywhere it sees the last 5 samples. With dilations 1, 2, "
    "4, 8 the marked lines spread out like a tree and reach all 16 samples.",
)

# %% [markdown]
# **Predict.** Eight layers, window 2, dilations 1, 2, 4, … 128. How many samples does the last
# output see? We measure it as in lessons 02 and 03: all weights one, and the gradient of *one*
# output with respect to all the inputs. Where it is zero, the sample has no say.

# %%
prediction_eight = None

# %%
# NBVAL_CHECK_OUTPUT


def stack(layers, filters=1, padding="causal", **options):
    """Causal layers with window 2 and dilations 1, 2, 4 …, and one that says the next sample."""
    model = [keras.Input((None, 1))]
    for layer in range(layers):
        model.append(
            keras.layers.Conv1D(filters, 2, dilation_rate=2**layer, padding=padding, **options)
        )
    model.append(keras.layers.Conv1D(1, 1, **{**options, "activation": None}))
    return keras.Sequential(model)


def seen_by_last(model, samples=400):
    """How many samples can change the last output, by the gradient."""
    signal = tf.Variable(tf.zeros((1, samples, 1)))
    with tf.GradientTape() as tape:
        last = model(signal)[0, -1, 0]
    return int(np.count_nonzero(tape.gradient(last, signal)))


print("layers   measured   2^layers")
for layers in range(1, 9):
    measured = seen_by_last(stack(layers, kernel_initializer="ones"))
    print(f"{layers:6}{measured:11}{2**layers:11}")

# %%
compare_prediction(prediction_eight, measured)

# %% [markdown]
# $n$ layers see $2^n$ samples: one to begin with, and layer after layer 1, 2, 4 … more. The number
# of parameters grows with $n$, the field with $2^n$. WaveNet has ten such layers, up to a dilation
# of 512, and then begins again at 1, several times.
#
# ### Exercise 5 · `samples_seen` (2 points)
#
# The formula for every causal stack: any window, the same in all layers, and any dilations.


# %% nbgrader={"grade_id": "samples_seen", "solution": true}
def samples_seen(window, dilations):
    """How many samples of the input one output of a causal stack sees.

    Parameters
    ----------
    window : int
        Window of all layers.
    dilations : list of int
        Dilation of each layer; may be empty.

    Returns
    -------
    int
    """
    ### BEGIN SOLUTION
    return 1 + (window - 1) * sum(dilations)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_samples_seen", "grade": true, "points": 2}
exercise = checks.Exercise(
    "samples_seen",
    points=2,
    hints={
        "one-missing": "That is how far back it looks. The present is one sample more.",
        "window-too-long": "A window of F adds F − 1 steps to what is seen, not F.",
        "dilation-ignored": "A dilated window reaches further than its number of weights.",
        "last-layer-only": "Each layer adds to what the layers below it see.",
        "doubling-assumed": "The dilations need not double: use those that are given.",
        "window-of-two": "The window need not be 2.",
        "multiplied": "Each layer adds a stretch; nothing is multiplied.",
    },
)
exercise.number(
    "window 2, dilations 1, 2, 4, 8",
    lambda: samples_seen(2, [1, 2, 4, 8]),
    16,
    mistakes={
        "one-missing": 15,
        "window-too-long": 31,
        "dilation-ignored": 5,
        "last-layer-only": 9,
        "multiplied": 64,
    },
)
exercise.number(
    "window 3, dilations 1, 2, 4, 1, 2, 4",
    lambda: samples_seen(3, [1, 2, 4, 1, 2, 4]),
    29,
    mistakes={
        "one-missing": 28,
        "window-too-long": 43,
        "dilation-ignored": 13,
        "last-layer-only": 9,
        "doubling-assumed": 64,
        "window-of-two": 15,
        "multiplied": 729,
    },
)
exercise.number(
    "no layer at all", lambda: samples_seen(5, []), 1, mistakes={"one-missing": 0}, weight=0.5
)
### BEGIN HIDDEN TESTS
for _window in (2, 3, 5, 7):
    while True:
        _dilations = [
            int(n) for n in exercise.rng.integers(1, 30, size=exercise.rng.integers(3, 7))
        ]
        _reach = (_window - 1) * sum(_dilations)
        _wrong = {
            "one-missing": _reach,
            "window-too-long": 1 + _window * sum(_dilations),
            "dilation-ignored": 1 + len(_dilations) * (_window - 1),
            "last-layer-only": 1 + (_window - 1) * _dilations[-1],
            "doubling-assumed": 2 ** len(_dilations),
            "multiplied": _window ** len(_dilations),
        }
        if _window > 2:
            _wrong["window-of-two"] = 1 + sum(_dilations)
        else:
            del _wrong["multiplied"]  # the same as doubling
        if len({_reach + 1, *_wrong.values()}) == 1 + len(_wrong):
            break
    exercise.hidden.number(
        f"a drawn stack, window {_window}",
        lambda _given=(_window, tuple(_dilations)): samples_seen(_given[0], list(_given[1])),
        _reach + 1,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 9 · Experiment: how many layers does a string need?
#
# Networks with 1 to 6 layers (16 filters, ReLU) learn to say the next sample of our string, with
# three seeds each. Nobody tells them the rule or the period. They are then tested on strings that
# they have not heard, from the third period on: before that there is little to know. We give the
# error as a share: **100 %** is what silence would get (always saying 0), 0 % is perfect.
#
# Beside them, two things to compare with. The **best weighted sum** of the last $n$ samples, for
# every $n$, computed exactly (least squares, nothing trained). And one network, with
# 2 layers, in which one word is different: `padding="same"`.
#
# **Predict.** How many layers are needed? And which gets the smaller error with *two* layers,
# causal or same?

# %%
prediction_layers = None
prediction_two_layers = None  # "causal" or "same"

# %%
DEPTHS = by_scale(quick=(1, 2, 3, 4, 5, 6), full=(1, 2, 3, 4, 5, 6), grading=(2, 5))
PEEPING = (2,)  # layers of the network with padding "same"
STRINGS, BATCH_OF_STRINGS = by_scale(quick=(3200, 16), full=(32_000, 16), grading=(32, 16))
heard = pluck(STRINGS, 100, seed=2)
unheard = pluck(by_scale(quick=200, full=200, grading=8), 160, seed=3)
LATER = slice(2 * PERIOD, None)


def error(said, sounds):
    """Error of the next samples said for sounds, in per cent of what silence would get."""
    truth = sounds[:, 1:][:, LATER]
    return 100 * float(np.sum((said[:, LATER] - truth) ** 2) / np.sum(truth**2))


def learn(layers, padding):
    """Train stacks with every seed; return their errors and the last of them."""

    def compiled(model):
        rate = keras.optimizers.schedules.CosineDecay(1e-2, STRINGS // BATCH_OF_STRINGS)
        model.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=50)
        return model

    def fit(model):  # strings cost nothing: each is heard once, by the grader's token not at all
        once = by_scale(quick=1, full=1, grading=0)
        batch = BATCH_OF_STRINGS
        model.fit(heard[:, :-1], heard[:, 1:], batch_size=batch, epochs=once, verbose=0)

    errors = []
    for _, model in fit_with_every_seed(
        lambda: stack(layers, 16, padding, activation="relu"), compiled, fit
    ):
        errors.append(error(np.array(model(unheard[:, :-1])), unheard))
    return errors, model


errors, strings = {}, {}
print(f"{'layers':>6}{'sees':>6}{'causal':>18}{'same':>18}")
for layers in DEPTHS:
    row = f"{layers:6}{2**layers:6}"
    for padding in ("causal", "same") if layers in PEEPING else ("causal",):
        errors[padding, layers], strings[padding, layers] = learn(layers, padding)
        runs = errors[padding, layers]
        row += f"{np.mean(runs):10.2f} ± {np.std(runs, ddof=1):4.2f}%"
    print(row)

# %%
# The best weighted sum: least squares, for every number of samples, on other strings.
MOST = 40


def looking_back(sounds):
    """Rows of a sample to be said and the MOST samples before it, the latest first."""
    rows = np.lib.stride_tricks.sliding_window_view(sounds[:, :, 0], MOST + 1, axis=1)
    rows = rows[:, 2 * PERIOD + 1 - MOST :]  # the same samples as in `error`
    return rows.reshape(-1, MOST + 1)[:, ::-1].astype(float)


lagged, tests = looking_back(pluck(len(unheard), 160, seed=4)), looking_back(unheard)
products = lagged.T @ lagged
best_sum = []
for count in range(1, MOST + 1):
    past = slice(1, count + 1)
    weights, *_ = np.linalg.lstsq(products[past, past], products[past, 0])
    missed = tests[:, 0] - tests[:, past] @ weights
    best_sum.append(100 * float(np.sum(missed**2) / np.sum(tests[:, 0] ** 2)))

needed = next(n for n in range(1, 10) if 2**n >= PERIOD + 1)
compare_prediction(prediction_layers, needed)
two = {padding: np.mean(errors[padding, 2]) for padding in ("causal", "same")}
compare_prediction(prediction_two_layers, min(two, key=two.get))

# %%
figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
drawn = np.maximum(best_sum, 0.02)  # an axis of powers of ten has no place for 0
axis.plot(range(1, MOST + 1), drawn, color="#777777", lw=1.5, label="best sum, from 0.02 up")
for padding, colour, marker in (("causal", BLUE, "o"), ("same", ORANGE, "s")):
    runs = {2**layers: found for (how, layers), found in errors.items() if how == padding}
    axis.plot(list(runs), [np.mean(found) for found in runs.values()], color=colour, lw=1, ls=":")
    for field, found in runs.items():
        axis.plot([field] * len(found), found, marker, mfc="none", mew=1.5, color=colour)
    axis.plot(
        [], [], marker + ":", mfc="none", mew=1.5, color=colour, label=f'network, "{padding}"'
    )
axis.axvline(PERIOD + 1, color="black", ls="--", lw=1)
axis.text(PERIOD + 1.4, 60, f"{PERIOD + 1} samples", size=9.5)
axis.set(
    xscale="log", yscale="log", ylim=(0.015, 130), xlabel="samples under the network's windows"
)
axis.set_xticks([2**n for n in range(7)], [2**n for n in range(7)])
axis.minorticks_off()
axis.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
axis.set_ylabel("error (% of silence)")
axis.grid(alpha=0.3)
axis.legend(loc="lower left")
show(
    figure,
    alt="Error against the number of samples that a network sees, both axes logarithmic. The "
    "causal networks fall slowly, from 35 per cent at 2 samples to 17 at 16, and then to a "
    "fraction of one per cent at 32 and 64. The best weighted sum falls as slowly, and then, "
    "between 18 and 21 samples, off a cliff. The network with padding same is below one per "
    "cent at 4 samples.",
)

# %% [markdown]
# ### Let them play
#
# Now the real task. A network gets the first 60 samples of a string that it has not heard. From
# there on it hears only itself: it says a sample, the sample is appended, and so on. For the causal
# stack this can be done fast: everything that a layer has computed for earlier samples stays as it
# is, so each new sample costs one number a filter and a layer. For the other stack, the next sample
# is not there when it is needed. We give it what there is: silence.


# %%
def play_on(model, beginning, samples):
    """Continue a sound with a causal stack; every layer's past is kept, never computed again."""
    *hidden, last = [layer.get_weights() for layer in model.layers]
    past = [np.zeros((samples, weights.shape[1])) for weights, _ in [*hidden, last]]
    past[0][: len(beginning), 0] = beginning
    for now in range(samples - 1):
        for layer, (weights, bias) in enumerate(hidden):
            before = past[layer][now - 2**layer] if now >= 2**layer else 0 * past[layer][0]
            answer = before @ weights[0] + past[layer][now] @ weights[1] + bias
            past[layer + 1][now] = np.maximum(0, answer)
        if now + 1 >= len(beginning):
            past[0][now + 1] = past[-1][now] @ last[0][0] + last[1]
    return past[0][:, 0]


def play_on_slowly(model, beginning, samples):
    """Continue a sound with any stack: the whole of it for every sample, the future is silence."""
    sound = np.zeros((1, samples + 64, 1), "float32")
    sound[0, : len(beginning), 0] = beginning
    for now in range(len(beginning) - 1, samples - 1):
        sound[0, now + 1] = np.array(model(sound))[0, now]
    return sound[0, :samples, 0]


samples = by_scale(quick=160, full=160, grading=64)
truth, beginning = unheard[0, :samples, 0], unheard[0, :60, 0]
played = {
    "causal, 5 layers": play_on(strings["causal", 5], beginning, samples),
    f"causal, {DEPTHS[-3:][0]} layers": play_on(
        strings["causal", DEPTHS[-3:][0]], beginning, samples
    ),
    "same, 2 layers": play_on_slowly(strings["same", 2], beginning, samples),
}
figure, axes = plt.subplots(
    3, 1, figsize=(8.4, 4.5), sharex=True, sharey=True, layout="constrained"
)
for axis, (name, sound) in zip(axes, played.items(), strict=True):
    axis.axvspan(0, 59.5, color="#EEEEEE", lw=0)
    axis.plot(truth, color="#BBBBBB", lw=3, label="the string")
    axis.plot(range(59, samples), sound[59:], color=ORANGE if "same" in name else BLUE, lw=1.4)
    axis.set(title=name, xlim=(0, samples), ylim=(-1, 1))
axes[0].text(1, 0.78, "given", size=9.5)
axes[0].legend(loc="upper right", ncols=2)
axes[2].set_xlabel("sample")
show(
    figure,
    alt="Three networks continue a string after 60 given samples. The causal network with 5 "
    "layers follows the true string closely for five periods. The one with 4 layers leaves it "
    "at once and sinks to a nearly flat line. The one with padding same leaves it at once, "
    "too, and stays at zero.",
)

# %%
if course_scale() != "grading":
    first = pluck(1, 60, seed=5)[0, :, 0]
    print("the network with 5 layers; of 4,000 samples, 60 were given:")
    display(Audio(play_on(strings["causal", 5], first, 4000), rate=8000))

# %% [markdown]
# ### Exercise 6 · Reading the plots (3 points, marked by hand)
#
# Look at the table of errors, the plot of errors, and the three continuations. Answer in five to
# nine sentences, with numbers from **your** run:
#
# 1. Describe the errors of the causal networks from 1 to 6 layers. Where is the cliff, and what in
#    the rule of the string puts it there? What does the grey line add to your explanation?
# 2. The network with `"same"` and 2 layers has a small error and sees 4 samples only. Why is that
#    no success? Name a test that would have caught them, without looking at the code or at the name
#    of the padding.
# 3. Someone says: "Then take 20 layers for everything, to be safe." A string an octave lower has a
#    period of 40. How many layers does it need, and how many samples do 20 layers see? What could
#    go wrong with a field that is far too large? (Nothing in this lesson has measured that: say
#    what you would measure.)

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. Numbers of the run, for example: with 1 layer about 35 % of silence's error, falling slowly to
#    some 20 % with 4 layers (16 samples), and to less than 1 % with 5 (32 samples); 6 layers bring
#    nothing more. A sample is the mean of those 20 and 21 samples ago. Up to 16 samples neither of
#    them is seen, and only the smoothness of the sound helps to guess. 5 layers are the first to
#    see both. The grey line has all field sizes, not only powers of two: it falls between 18 and 21
#    and is 0 from 21 on, exactly where the rule says. It shows that the networks below the cliff
#    did not fail to learn; there was little more to be had.
# 2. Their window contains the sample that is to be said: they copy it. (In the first layer the
#    window holds t and t + 1; a weight of 1 on the second is perfect.) Tests that catch it: change
#    a later sample and look whether an earlier output changes; the gradient of an output with
#    respect to later inputs; let it play on, where the future does not exist (third panel: it
#    leaves the string at once); or simply that an error of 1 % with 4 samples beats the best
#    weighted sum and is too good to be true.
# 3. Period 40 needs 41 samples, so 6 layers (64). 20 layers see 2^20, more than a million samples,
#    two minutes at 8,000 a second. Possible harm: most of the padded signal is zeros for sounds
#    that are shorter than the field; deeper networks are harder and slower to train; more to
#    overfit by with few sounds. To measure: test error (several seeds) and training time against
#    layers, also with few strings to learn from.
#
# Marking: one point for each part. (1) the cliff between 16 and 32 with numbers *and* the 20/21 of
# the rule. (2) the target is under the window *and* one test that would work. (3) 6 layers and 2^20
# (or a million) *and* one possible harm with a measurement.
# ### END SOLUTION

# %% [markdown]
# ## 10 · One page of other things
#
# Letters, samples, pixels. To a convolution they are all the same: numbers on a grid, near ones
# belonging together. Here are fifteen uses of that idea. The pictures are **drawn by code in the
# next cell, no network has run** for them. They show what goes in (left) and what comes out
# (right), for that is the first thing to ask of any application.
#
# **Predict**, before you look: what kind of output does each of these four need? Write one of
# `"class"` (shares of a fixed number of classes), `"numbers"` (a few numbers, no shares), `"map"`
# (something for every place of the input) or `"sequence"` (a row whose length is not fixed).

# %%
prediction_go = None  # where to put the next stone on a board of 19×19
prediction_depth = None  # how far away is what one sees in a photograph
prediction_steering = None  # how far to turn the wheel
prediction_translation = None  # the same sentence in another language

# %% nbgrader={"grade_id": "drawing_applications", "locked": true}
# Only drawing in this cell: fifteen small drawings.
rng = np.random.default_rng(12)
Y, X = np.mgrid[0:96, 0:96]


def picture(axis, values, **options):
    grey = {"cmap": "gray", "vmin": 0, "vmax": 1}
    axis.imshow(values if options else np.round(20 * values) / 20, **(options or grey))


def bars(axis, names, values, colour=BLUE, zero=False):
    axis.barh(range(len(names)), values, color=colour, height=0.45)
    axis.set(ylim=(len(names) - 0.3, -0.8), xlim=(-1.1 if zero else 0, 1.25))
    for row, name in enumerate(names):
        axis.text(-1.05 if zero else 0.04, row - 0.43, name, size=8, va="center")
    if zero:
        axis.axvline(0, color="black", lw=0.8)


def boxes(axis, rows, size=9):
    """Rows of words in boxes: sequences."""
    for row, words in enumerate(rows):
        for place, word in enumerate(words):
            axis.add_patch(plt.Rectangle((place, -row), 0.9, 0.62, fc="#EEEEEE", ec="#999999"))
            axis.text(place + 0.45, 0.31 - row, word, ha="center", va="center", size=size)
    axis.set(xlim=(-0.1, max(map(len, rows))), ylim=(-len(rows) - 0.1, 1.7))


def code_or_prose(left, right):
    left.text(0.05, 0.5, "if self is none\nreturn default", family="monospace", size=8, va="center")
    bars(right, ["code", "prose"], [0.97, 0.03])


def next_sample(left, right):
    left.plot(pluck(1, 110, seed=1)[0, 60:, 0], color="#555555", lw=1)
    left.margins(0.05)
    at = np.linspace(-1, 1, 256)
    right.fill_between(at, np.exp(-((at - 0.2) ** 2) / 0.02), color=BLUE, lw=0)
    right.text(-1, 1.1, "256 levels", size=8)
    right.set(ylim=(0, 1.3))


def translation(left, right):
    boxes(left, [["wie", "alt"], ["bist", "du"]])
    boxes(right, [["how", "old"], ["are", "you"]])


def ball_game(left, right):
    for frame, shade in enumerate((0.25, 0.45, 0.7, 1.0)):
        left.plot(20 + 14 * frame, 70 - 13 * frame, "s", color=str(1 - shade), ms=5)
    left.add_patch(plt.Rectangle((88, 40), 4, 22, fc="black"))
    left.add_patch(plt.Rectangle((2, 55), 4, 22, fc="black"))
    left.set(xlim=(0, 96), ylim=(96, 0), facecolor="#F4F4F4")
    bars(right, ["up", "stay", "down"], [0.9, 0.35, -0.5], zero=True)


def go(left, right):
    board = np.zeros((19, 19))
    stones = [
        (15, 3),
        (3, 15),
        (3, 3),
        (15, 15),
        (13, 3),
        (15, 5),
        (5, 16),
        (9, 3),
        (2, 13),
        (14, 4),
    ]
    for line in range(19):
        left.plot([0, 18], [line, line], color="#B08040", lw=0.4, zorder=0)
        left.plot([line, line], [0, 18], color="#B08040", lw=0.4, zorder=0)
    for number, (row, column) in enumerate(stones):
        left.plot(column, row, "o", ms=4, mec="black", mfc=("black", "white")[number % 2], mew=0.6)
    left.set(xlim=(-1, 19), ylim=(19, -1), facecolor="#F2DEB8")
    grid = np.mgrid[0:19, 0:19]
    for row, column, weight in ((12, 4, 3), (6, 15, 1.5), (16, 13, 1)):
        board += weight * np.exp(-((grid[0] - row) ** 2 + (grid[1] - column) ** 2) / 2)
    picture(right, board, cmap="viridis", interpolation="nearest")


def doodle(left, right):
    left.plot([1, 1, 5, 5, 1], [0, 3, 3, 0, 0.02], color="black", lw=1.5)
    left.plot([0.7, 3.05, 5.2], [3.05, 5, 2.95], color="black", lw=1.5)
    left.plot([2.5, 2.5, 3.5, 3.5], [0, 1.6, 1.6, 0], color="black", lw=1.5)
    left.set(xlim=(0, 6), ylim=(-0.5, 5.5))
    bars(right, ["house", "envelope", "boat"], [0.86, 0.1, 0.04])


def trail(left, right):
    ground = np.where(Y > 40, 0.5, 0.7)
    path = np.abs(X - (58 - 0.25 * (Y - 40))) < (Y - 38) * 0.35
    trunks = sum(np.abs(X - x) < w for x, w in ((8, 4), (22, 2), (34, 2), (77, 2), (88, 5)))
    picture(left, np.where(trunks > 0, 0.15, np.where(path & (Y > 40), 0.85, ground)))
    bars(right, ["fly left", "straight on", "fly right"], [0.08, 0.3, 0.62])


def road(left, right):
    depth = np.clip((Y - 38) / 57, 0.02, None)
    middle = 48 - 26 * (1 - depth) ** 2
    side = np.abs(X - middle)
    scene = np.where(Y < 38, 0.8, np.where(side < 44 * depth, 0.4, 0.65))
    scene = np.where((Y >= 38) & (side < 2.2 * depth) & (np.sin(14 / depth) > 0), 0.95, scene)
    picture(left, scene)
    turn = np.linspace(0, 2 * np.pi, 60)
    right.plot(np.cos(turn), np.sin(turn), color="#555555", lw=4)
    for angle in (0.3, 0.3 + np.pi):
        right.plot([0, np.cos(angle)], [0, np.sin(angle)], color="#555555", lw=3)
    right.text(0, -1.75, "−17° (left)", ha="center", size=8)
    right.set(xlim=(-1.6, 1.6), ylim=(-2, 1.4))


def sign(left, right):
    corners = [(48, 12), (86, 80), (10, 80)]
    picture(left, np.full((96, 96), 0.75))
    left.add_patch(plt.Polygon(corners, fc="white", ec="#D55E00", lw=4, joinstyle="round"))
    left.text(48, 60, "!", ha="center", va="center", size=15, weight="bold")
    bars(right, ["danger", "give way", "bend"], [0.95, 0.03, 0.02])


def house_number(left, right):
    left.imshow(
        0.55 + 0.12 * ((Y // 12 + (X + 9 * (Y // 12 % 2)) // 18) % 2), cmap="gray", vmin=0, vmax=1
    )
    left.text(
        48, 50, "274", ha="center", va="center", size=17, color="white", rotation=-6, weight="bold"
    )
    boxes(right, [["2", "7", "4"]])
    right.text(0, 0.95, "length 3", size=8)


def scene():
    """Balls on a floor: brightness and distance of what is seen at every place."""
    far = np.where(Y > 40, 60 / (Y - 38.0).clip(1.5), 40.0)
    tiles = np.floor(3 * np.log(far)) + np.floor((X - 48) * far / 90)
    light = np.where(Y > 40, 0.45 + 0.15 * (tiles % 2), 0.85)
    for x, y, radius, distance in ((66, 42, 9, 9.0), (30, 54, 16, 4.0), (74, 70, 15, 2.4)):
        inside = (X - x) ** 2 + (Y - y) ** 2 < radius**2
        height = np.sqrt(np.clip(radius**2 - (X - x) ** 2 - (Y - y) ** 2, 0, None)) / radius
        shine = 0.15 + 0.75 * np.clip(
            0.6 * height - 0.5 * (X - x) / radius - 0.5 * (Y - y) / radius, 0, 1
        )
        light, far = np.where(inside, shine, light), np.where(inside, distance - 0.4 * height, far)
    return light, far


def depth(left, right):
    light, far = scene()
    picture(left, light)
    picture(right, -np.log(far), cmap="viridis")


def two_views(left, right):
    light, far = scene()
    picture(left, light)
    moved, nearest = np.full_like(light, np.nan), np.full(light.shape, np.inf)
    for y, x in np.argwhere(light > -1):  # a step to the right: near things move most
        target = x - round(18 / far[y, x])
        if 0 <= target < 96 and far[y, x] < nearest[y, target]:
            moved[y, target], nearest[y, target] = light[y, x], far[y, x]
    for column in range(1, 96):  # what the first view could not see: continued from the left
        moved[:, column] = np.where(
            np.isnan(moved[:, column]), moved[:, column - 1], moved[:, column]
        )
    picture(right, moved)


def face(axis, smile):
    axis.add_patch(plt.Circle((0, 0), 1, fc="#F0D0B0", ec="#8A6A50"))
    for x in (-0.38, 0.38):
        axis.plot(x, 0.25, "o", color="black", ms=3.5)
    mouth = np.linspace(-0.45, 0.45, 20)
    axis.plot(mouth, -0.5 + smile * (mouth**2 - 0.1), color="#8A2A2A", lw=2)
    axis.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))


def faces(left, right):
    face(left, -0.1)
    face(right, 1.4)


def night(left, right):
    dark = 0.15 + 0.25 * np.exp(-((X - 50) ** 2 + (Y - 60) ** 2) / 1200)
    animals = np.zeros((96, 96), bool)
    spots = ((34, 62, 1.0), (66, 56, 0.7))
    for x, y, size in spots:
        animals |= ((X - x) / 13) ** 2 + ((Y - y) / 6) ** 2 < size**2
        animals |= ((X - x - 13 * size) / 4) ** 2 + ((Y - y + 7 * size) / 4) ** 2 < size**2
        for leg in (-9, -5, 5, 9):
            animals |= (np.abs(X - x - leg * size) < 1.3) & (y < Y) & (y + 15 * size > Y)
    seen_at_night = np.where(animals, 0.75, dark)
    for axis in (left, right):
        picture(axis, seen_at_night)
    for x, y, size in spots:
        right.add_patch(
            plt.Rectangle(
                (x - 15 * size, y - 13 * size), 34 * size, 30 * size, fill=False, ec="#E69F00", lw=2
            )
        )
    right.text(4, 12, "2 deer", color="#E69F00", size=8.5)


def cells(left, right):
    tissue, mask = np.full((96, 96), 0.85), np.zeros((96, 96))
    for number in range(14):
        x, y, wide, high = *rng.uniform(8, 88, 2), *rng.uniform(5, 11, 2)
        inside = ((X - x) / wide) ** 2 + ((Y - y) / high) ** 2 < 1
        tissue = np.where(inside, rng.uniform(0.4, 0.6), tissue)
        mask = np.where(inside, 1 + number % 6, mask)
    picture(left, tissue)
    picture(right, mask, cmap="viridis", interpolation="nearest")


USES = {  # name → drawing, what comes out
    "code or prose (this lesson)": (code_or_prose, "class"),
    "the next sample: WaveNet": (next_sample, "class"),
    "translation": (translation, "sequence"),
    "a video game: DQN": (ball_game, "numbers"),
    "go: AlphaGo's move": (go, "map"),
    "what is being drawn": (doodle, "class"),
    "a drone on a forest trail": (trail, "class"),
    "driving in a game": (road, "numbers"),
    "traffic signs": (sign, "class"),
    "house numbers": (house_number, "sequence"),
    "depth from one picture": (depth, "map"),
    "a picture in 3-D": (two_views, "map"),
    "editing a face": (faces, "map"),
    "wildlife by night": (night, "numbers"),
    "cells under a microscope": (cells, "map"),
}
spaces = {"wspace": 0.2, "hspace": 0.3, "left": 0, "right": 1, "top": 1, "bottom": 0}
figure, axes = plt.subplots(5, 6, figsize=(8.8, 8.4), gridspec_kw=spaces)
for (name, (draw, _)), left, right in zip(
    USES.items(), axes[:, ::2].flat, axes[:, 1::2].flat, strict=True
):
    draw(left, right)
    left.set_title(name, loc="left", size=9.5)
    for axis in (left, right):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color="#CCCCCC")
        axis.set_box_aspect(1)
    left.set_zorder(3)  # its title and the arrow lie above the output
    left.annotate(
        "", (1.21, 0.5), (1.0, 0.5), xycoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "color": "black"},
    )  # fmt: skip
show(
    figure,
    alt="Fifteen pairs of drawings, input and output. Text to the shares of code and prose; a "
    "wave to 256 levels; wie alt bist du to how old are you; four frames of a ball game to a "
    "value for up, stay and down; a go board to a map of good moves; a drawn house to "
    "classes; a forest trail to fly left, straight on, right; a road to an angle of the "
    "wheel; a warning sign to classes; the house number 274 to its digits; balls on a floor "
    "to a depth map, and to the same balls seen from further right; an earnest face to a "
    "smiling one; a night picture to boxes around two deer; cells to a map that colours each "
    "cell.",
)

# %%
for prediction, name in (
    (prediction_go, "go: AlphaGo's move"),
    (prediction_depth, "depth from one picture"),
    (prediction_steering, "driving in a game"),
    (prediction_translation, "translation"),
):
    print(f"{name:24}", end="")
    compare_prediction(prediction, USES[name][1])

# %% [markdown]
# What have they in common? The body is the same everywhere: convolutions that look at near things
# together, with the same weights at every place, layer upon layer. What differs is the **head**,
# and the head follows from what is to come out:
#
# | comes out | last layers | loss |
# |---|---|---|
# | one of $k$ classes | pooling, dense, softmax | cross-entropy |
# | a few numbers | pooling or flatten, dense, no softmax | squared error |
# | something for each place | no dense layer; made large again in the end | at each place |
# | a row of unknown length | a causal stack, one element after the other | at each element |
#
# - *Classes*: traffic signs (Cireşan 2012), drawings (Yu 2015), the forest trail (Giusti 2016).
# - *Numbers*: what steering needs to know (Chen 2015); the value of each key (Mnih 2015), that is,
#   how many points it will bring in the end; boxes around animals.
# - *Maps*: go (Silver 2016), depth (Eigen 2014), 3-D (Niklaus 2019), cells (Ronneberger 2015). A
#   face comes from a few numbers by the way back, small to large (Radford 2016): add the numbers
#   that mean *smile*.
# - *Sequences*: translation (Gehring 2017), speech (van den Oord 2016), and house numbers
#   (Goodfellow 2014), where a row of at most five digits is five classes and a length.
#
# And what goes in differs in *depth* only: 3 for a photograph; 4 for the last four grey frames of a
# video game, or no one could see where the ball is going; 48 for a go board, one layer for each
# thing that players know about a place. Where neighbours mean nothing (the columns of a table,
# say), a convolution has nothing to offer. Lesson 01 has shown it with one permutation.
#
# Two warnings belong on this page. A number such as *"better than people at traffic signs"* was
# measured on **one** set of pictures, often taken in one country. And for long texts, Transformers
# have taken the place of convolutions since 2017: they choose for themselves where to look, instead
# of looking at what is near.

# %% [markdown]
# ## What the numbers say
#
# - **(64, 27) → (61, 50), 5,450 parameters.** One axis less than in a picture, and the same
#   arithmetic: $K·F·D + K$ parameters, steps − F + 1 places.
# - **About 70, 86 and 90 %.** So many pieces of 64 letters were told to be code or prose in the
#   recorded run at quick scale, with windows of 1, 2 and 4 letters. Which letters there are is half
#   of it; which follow which is the other half. Shuffled letters: about 73 %.
# - **No gain from 4 to 7 letters, nor from three sizes at once** that could be told from noise at
#   quick scale. A clever idea is one thing, a measured advantage on *this* task another.
# - **1 letter or 64: one vector.** Max over time forgets where. `Flatten`, which remembers, was
#   some five points worse.
# - **16, then 32 samples: from over 15 % to under 1 %.** A string with a period of 20 cannot be
#   continued by who sees 16 samples back, whatever the network. The field has to hold the cause.
# - **$2^n$ samples, $n$ layers.** $1 + (F-1)\sum d$ for any dilations.
# - **Under 1 % with four samples under the window** was no achievement: two of the four were the
#   future. If a result is better than it can be, look for the leak first.
#
# ## Further reading
#
# - Y. Kim: *Convolutional neural networks for sentence classification*, EMNLP 2014,
#   arXiv:1408.5882. Windows of several sizes, max over time.
# - X. Zhang, J. Zhao, Y. LeCun: *Character-level convolutional networks for text classification*,
#   NeurIPS 2015, arXiv:1509.01626. Letters instead of words.
# - A. van den Oord and others: *WaveNet: a generative model for raw audio*, 2016, arXiv:1609.03499.
#   With gates, shortcuts and 256 levels, all of which we have left out.
# - K. Karplus, A. Strong: *Digital synthesis of plucked-string and drum timbres*, Computer Music
#   Journal 7 (1983), 43–55.
# - S. Bai, J. Z. Kolter, V. Koltun: *An empirical evaluation of generic convolutional and recurrent
#   networks for sequence modeling*, 2018, arXiv:1803.01271. Dilated stacks on many tasks.
# - Of the last page: D. Cireşan and others, *Neural Networks* 32 (2012), traffic signs. D. Eigen,
#   C. Puhrsch, R. Fergus, NeurIPS 2014, depth. I. Goodfellow and others, ICLR 2014, house numbers.
#   V. Mnih and others, *Nature* 518 (2015), video games. O. Ronneberger, P. Fischer, T. Brox,
#   MICCAI 2015, cells. Q. Yu and others, BMVC 2015, drawings. C. Chen and others, ICCV 2015,
#   driving in a game. A. Radford, L. Metz, S. Chintala, ICLR 2016, faces. D. Silver and others,
#   *Nature* 529 (2016), go. A. Giusti and others, *IEEE Robotics and Automation Letters* 1 (2016),
#   forest trails. J. Gehring and others, ICML 2017, translation. M. S. Norouzzadeh and others,
#   *PNAS* 115 (2018), wildlife. S. Niklaus and others, *ACM Transactions on Graphics* 38 (2019), a
#   picture in 3-D.
# - Keras documentation, *Convolution layers*,
#   <https://keras.io/api/layers/convolution_layers/convolution1d/>.
