# %% [markdown]
# # 03 · Pooling
#
# Pooling throws away. A pooling layer learns nothing, has no parameters, and hands on one number
# where four came in. And yet for two decades nearly every network for pictures had such layers.
# This lesson asks what they buy, what they cost, and whether the usual answers survive a
# measurement. One of them does not, quite.
#
# **You will be able to**
#
# - compute by hand what max, average and global pooling do, and write them in NumPy;
# - predict the output shape of any pooling layer, padded or not;
# - say in numbers what a smaller map saves, and what later layers see of the picture;
# - say which small movements pooling forgives, and which it does not;
# - train a network with and without pooling, and judge the difference.
#
# **Budget**, measured on 2 CPU cores: about 55 seconds to run, most of them for the experiment at
# the end, 1.3 GB of memory, 0 bytes of download: the pictures come with the course. Reading,
# thinking and the exercises: two to three hours.
#
# There are five exercises, 16 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded.

# %% tags=["benchmark"] nbgrader={"grade_id": "setup", "locked": true}
import math
import time

import matplotlib.pyplot as plt
import numpy as np

from autograder import checks
from autograder.experiments import compare_prediction, judge
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import by_scale, load, load_photograph

with quiet_imports():
    import keras
    import tensorflow as tf

use_course_style()
keras.utils.set_random_seed(3)

# %% nbgrader={"grade_id": "drawing_grids", "locked": true}
# Only drawing in this cell: read it some other day.


def draw_grid(axis, values, title="", *, limits=None, windows=(), cmap="viridis"):
    """Draw a small array as coloured squares with the numbers written on them."""
    low, high = limits or (np.min(values), np.max(values))
    axis.imshow(values, cmap=cmap, vmin=low, vmax=high)
    palette = plt.get_cmap(cmap)
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = palette((value - low) / max(high - low, 1e-9))
        ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
        axis.text(column, row, f"{value:.4g}", ha="center", va="center", color=ink, size=9)
    for row, column, side, colour in windows:
        axis.add_patch(
            plt.Rectangle(
                (column - 0.46, row - 0.46), side - 0.08, side - 0.08, fill=False, ec=colour, lw=3
            )
        )
    axis.set(title=title, xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)


def draw_picture(axis, values, title="", **options):
    """Draw a picture or a feature map without axes."""
    axis.imshow(values, **options)
    axis.set_title(title)
    axis.axis("off")


# %% [markdown]
# ## 1 · One number for a window
#
# A convolution answers at every place. Neighbouring places give similar answers: where an edge is,
# the filter says so three or four times in a row. **Max pooling** says it once. It lays a window on
# the feature map, keeps the *largest* number under it, and moves on. **Average pooling** keeps the
# mean instead.
#
# There is no kernel. Nothing is multiplied, nothing is learned.
#
# Here are six by six numbers of a real feature map: the hem of the dark coat from lesson 02, the
# filter that looks for *dark on the left, bright on the right*, and then ReLU. A window of 2×2
# moves by two.

# %%
# NBVAL_CHECK_OUTPUT
camera = load_photograph("camera").astype("float32")
right_minus_left = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], "float32")
answers = keras.ops.conv(
    camera[np.newaxis, :, :, np.newaxis], right_minus_left[:, :, np.newaxis, np.newaxis]
)
answers = np.array(keras.ops.relu(answers))  # (1, 254, 254, 1): one picture, depth 1

patch = answers[:, 205:211, 70:76]  # (1, 6, 6, 1)
row, column = 1, 1  # ← choose a window: 0 … 2
window = patch[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, 0]
print("under the window:", window.astype(int).ravel())
print("largest:", int(window.max()), "  mean:", float(window.mean()))

# %% [markdown]
# Keras does it for all windows, with two layers that differ in one word.

# %%
by_max = np.array(keras.layers.MaxPooling2D(2)(patch))[0, :, :, 0]
by_mean = np.array(keras.layers.AveragePooling2D(2)(patch))[0, :, :, 0]

figure, axes = plt.subplots(1, 3, figsize=(8, 3.5), width_ratios=[6, 3.8, 3.8])
colours = ["#D55E00", "#FFFFFF"]
nine = [(2 * r, 2 * c, 2, colours[(r + c) % 2]) for r in range(3) for c in range(3)]
ones = [(r, c, 1, colours[(r + c) % 2]) for r in range(3) for c in range(3)]
top = {"limits": (0, patch.max())}
draw_grid(axes[0], patch[0, :, :, 0], "feature map, 6×6", windows=nine, **top)
draw_grid(axes[1], by_max, "max pooling, 3×3", windows=ones, **top)
draw_grid(axes[2], by_mean.round(), "average pooling, 3×3", windows=ones, **top)
show(
    figure,
    alt="Six by six numbers, large in two columns and zero on the right, under nine windows of 2 "
    "by 2. Max pooling keeps 267, 367, 0; 127, 366, 0; 38, 318, 59: the bright column stays "
    "bright. Average pooling gives smaller numbers at the same places: 129, 249, 0; 59, 306, "
    "0; 23, 303, 20.",
)

# %% [markdown]
# ### The words you will meet
#
# | word | meaning |
# |---|---|
# | **pool size** $P$ | the window has $P$ rows and $P$ columns |
# | **stride** $S$ | how far the window moves. Unless you say otherwise, $S=P$: no overlap |
# | **padding** | `"valid"`: windows stay on the map. `"same"`: they may hang over its border |
# | **depth** | stays as it is: every feature map is pooled on its own |
#
# The layer reads `keras.layers.MaxPooling2D(pool_size=2, strides=None, padding="valid")`. Those are
# the defaults. Mind the stride: a convolution moves by 1 unless told otherwise, pooling by $P$.
#
# **Predict.** A volume of (100, 100, 15), that is 15 feature maps of 100×100, goes through max
# pooling of 2×2 with stride 2. What shape comes out? How many parameters has the layer?

# %%
prediction_shape = None  # (height, width, depth)
prediction_parameters = None

# %%
# NBVAL_CHECK_OUTPUT
model = keras.Sequential(
    [keras.Input((100, 100, 15)), keras.layers.MaxPooling2D(pool_size=2, strides=2)]
)
volume = np.random.default_rng(1).normal(size=(1, 100, 100, 15)).astype("float32")
pooled = np.array(model(volume))
print(f"{model.input_shape[1:]} → {model.output_shape[1:]}, {model.count_params()} parameters")
print(f"numbers kept: {pooled.size / volume.size:.0%}")

# Each map on its own: whoever shuffles the maps before pooling could as well do it afterwards.
order = np.random.default_rng(2).permutation(15)
print("pooling never mixes maps:", np.array_equal(model(volume[..., order]), pooled[..., order]))

# %%
compare_prediction(prediction_shape, model.output_shape[1:])
compare_prediction(prediction_parameters, model.count_params())

# %% [markdown]
# ## 2 · What is left of a picture
#
# One number of four is much. What about one of sixteen, of 64, of 256? Below, the whole feature map
# of the photograph, pooled with windows of 4×4, 8×8 and 16×16.
#
# **Predict.** With 16×16 windows, which of the two keeps the tripod's thin legs visible: max
# pooling or average pooling?

# %%
prediction_legs = None  # "max" or "average"

# %%
figure, axes = plt.subplots(2, 4, figsize=(8, 4.3), layout="constrained")
brightness = {"vmin": 0, "vmax": 500, "cmap": plt.get_cmap("viridis", 24)}
draw_picture(axes[0, 0], camera, "the photograph", cmap=plt.get_cmap("gray", 24))
draw_picture(axes[1, 0], answers[0, :, :, 0], "dark | bright", **brightness)
for place, P in enumerate((4, 8, 16), start=1):
    for line, (name, pool) in enumerate(
        (("max", keras.ops.max_pool), ("average", keras.ops.average_pool))
    ):
        small = np.array(pool(answers, P))[0, :, :, 0]
        draw_picture(axes[line, place], small, f"{name} {P}×{P}", **brightness)
show(
    figure,
    alt="A photograph of a man with a film camera on a tripod, its feature map of left edges, and "
    "that map pooled by 4, 8 and 16. Max pooling makes the lines thicker and coarser but "
    "keeps them bright: at 16 man and tripod are a bright figure of blocks. Average pooling "
    "fades, and at 16 the figure is hardly lighter than the ground.",
)

# %%
legs = answers[:, 150:214, 96:176]  # a piece of the feature map with the tripod's legs
strength = {
    "max": float(np.max(keras.ops.max_pool(legs, 16))),
    "average": float(np.max(keras.ops.average_pool(legs, 16))),
}
print(f"strongest answer at the legs: {legs.max():.0f}")
for name, value in strength.items():
    print(f"  after {name} pooling 16×16: {value:.0f}")
compare_prediction(prediction_legs, max(strength, key=strength.get))

# %% [markdown]
# The mean *dilutes*: one strong answer among 256 numbers hardly counts. The maximum says **the
# feature is somewhere in here**, at full strength, and keeps silent about where. That is what one
# wants from a detector. It is also why max pooling passes noise on: one wrong number is enough.
#
# ## 3 · The size of the output
#
# One axis, $H$ numbers, a window of $P$, stride $S$. The places are those of a convolution:
#
# - `"valid"`: $\lfloor (H-P)/S \rfloor + 1$. What is left over at the end is **never looked at**.
# - `"same"`: $\lceil H/S \rceil$. The last window may hang over the border.
#
# ($\lfloor\;\rfloor$ rounds down, $\lceil\;\rceil$ rounds up.) The depth is not in the formulas; it
# is the same before and after.

# %% nbgrader={"grade_id": "drawing_axis", "locked": true}
# Only drawing in this cell.


def draw_axis_windows(axis, title, size, pool, starts):
    """Draw numbers in a row, and windows that look at them."""
    seen = {place for start in starts for place in range(start, start + pool)}
    for place in range(size):
        lost = place not in seen
        axis.add_patch(
            plt.Rectangle(
                (place + 0.03, 0),
                0.94,
                1,
                fc="white" if lost else "#9CC9E8",
                ec="#999999" if lost else "black",
                ls=":" if lost else "-",
            )
        )
        ink = "#999999" if lost else "black"
        axis.text(place + 0.5, 0.5, f"$x_{{{place}}}$", ha="center", va="center", color=ink)
    for number, start in enumerate(starts):
        level = -0.3 - 0.35 * (number % 2)
        colour = ("#D55E00", "#009E73")[number % 2]
        axis.plot([start + 0.08, start + pool - 0.08], [level, level], color=colour, lw=4)
    axis.set(xlim=(-1.2, 12.2), ylim=(-0.9, 1.15), aspect="equal")
    axis.set_title(title, loc="left")
    axis.axis("off")


# %%
figure, axes = plt.subplots(3, 1, figsize=(8, 4.9), layout="constrained")
draw_axis_windows(
    axes[0], "P = 3, stride 3 (the default), 'valid': 3 windows", 11, 3, range(0, 9, 3)
)
draw_axis_windows(
    axes[1], "P = 3, stride 2, 'valid': 5 windows that overlap", 11, 3, range(0, 9, 2)
)
draw_axis_windows(
    axes[2], "P = 3, stride 3, 'same': 4 windows, the last hangs over", 11, 3, range(0, 12, 3)
)
show(
    figure,
    alt="Eleven numbers in a row under windows of three, three times. Stride 3, valid: three "
    "windows side by side; numbers 9 and 10 are pale because no window reaches them. Stride "
    "2, valid: five windows, each sharing one number with the next, all numbers seen. Stride "
    "3, same: four windows, and the last one hangs over the end by one place.",
)

# %% [markdown]
# ### What lies beyond the border?
#
# A convolution with `"same"` padding finds zeros there. Does pooling, too? Take five negative
# numbers, windows of 2, padding `"same"`. The last window holds $-5$ and one place outside.
#
# **Predict** the last number that max pooling gives, and the last that average pooling gives.

# %%
prediction_last_max = None
prediction_last_mean = None

# %%
# NBVAL_CHECK_OUTPUT
five = -np.arange(1, 6, dtype="float32")
last = {}
print("numbers           ", five)
for name, pool in (("max", keras.ops.max_pool), ("average", keras.ops.average_pool)):
    out = np.array(pool(five.reshape(1, 5, 1), 2, padding="same")).ravel()
    last[name] = float(out[-1])
    print(f"{name + ' pooling':18}", out)

# %%
compare_prediction(prediction_last_max, last["max"])
compare_prediction(prediction_last_mean, last["average"])

# %% [markdown]
# There is *nothing* there. Max pooling takes the largest of the numbers that exist; a zero would
# have beaten them all. Average pooling divides by how many numbers exist: here $-5/1$, not
# $-5/2$. (PyTorch's average pooling counts the padding, unless told `count_include_pad=False`.
# The same word, other numbers.)
#
# As with convolutions, an odd number of missing places is shared so that the extra one comes
# *after* the map: of $M = \max\big((\lceil H/S \rceil - 1)·S + P - H,\; 0\big)$ places,
# $\lfloor M/2 \rfloor$ come before it.
#
# ### The formulas against Keras
#
# All $H$ from 1 to 20, all windows and strides from 1 to 5, both paddings, both layers:

# %%
# NBVAL_CHECK_OUTPUT
sizes = by_scale(quick=range(1, 21), full=range(1, 21), grading=range(5, 7))
for kind in (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D):
    cases = agreements = 0
    for H in sizes:
        for P in range(1, 6):
            for S in range(1, 6):
                formula = {"valid": math.floor((H - P) / S) + 1, "same": math.ceil(H / S)}
                for padding, size in formula.items():
                    if padding == "valid" and P > H:
                        continue  # the window does not fit: Keras refuses
                    layer = kind(P, strides=S, padding=padding)
                    cases += 1
                    agreements += layer.compute_output_shape((None, H, H, 7)) == (
                        None, size, size, 7
                    )  # fmt: skip
    print(f"{kind.__name__}: {agreements} of {cases} cases agree")

# %% [markdown]
# ### Exercise 1 · `pool2d_output_shape` (3 points)
#
# Both axes at once. As in Keras, window and stride may each be one whole number or a pair
# (vertical, horizontal), and a stride that is not given is the window's size.


# %% nbgrader={"grade_id": "pool2d_output_shape", "solution": true}
def pool2d_output_shape(input_shape, pool, stride=None, padding="valid"):
    """Predict the output shape of a pooling layer.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width and depth of the input.
    pool : int or (int, int)
        Window: one number for both axes, or (vertical, horizontal).
    stride : int, (int, int) or None
        Stride; None means as large as the window.
    padding : {"valid", "same"}

    Returns
    -------
    (int, int, int)
        Height, width and depth of the output.
    """
    ### BEGIN SOLUTION
    height, width, depth = input_shape
    windows = np.broadcast_to(pool, 2)
    steps = windows if stride is None else np.broadcast_to(stride, 2)
    sizes = []
    for size, window, step in zip((height, width), windows, steps, strict=True):
        if padding == "same":
            sizes.append(math.ceil(size / step))
        else:
            sizes.append((size - window) // step + 1)
    return (*sizes, depth)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_pool2d_output_shape", "grade": true, "points": 3}
exercise = checks.Exercise(
    "pool2d_output_shape",
    points=3,
    hints={
        "ceil-for-floor": "You rounded up. Does 'valid' keep a window that does not fit?",
        "floor-for-ceil": "You rounded down. May the last window hang over with 'same'?",
        "plus-one-forgotten": "You counted the steps between windows. And the first window?",
        "same-for-valid": "That is the size with padding 'same'.",
        "valid-for-same": "With padding 'same' the size of the window plays no part.",
        "stride-one": "The stride was not given: what does pooling take then?",
        "stride-is-pool": "The stride is given here: it need not be the window's size.",
        "depth-pooled": "Every feature map is pooled on its own: how many come out?",
        "swapped": "Height and width are swapped: the height comes first.",
        "pair-swapped": "In a pair the first number is vertical: it goes with the height.",
        "one-of-the-pair": "Both axes got the same number of a pair.",
    },
)
exercise.shape(
    "(50, 81, 12), window 4, the defaults",
    lambda: pool2d_output_shape((50, 81, 12), 4),
    (12, 20, 12),
    mistakes={
        "ceil-for-floor": (13, 21, 12),
        "plus-one-forgotten": (11, 19, 12),
        "stride-one": (47, 78, 12),
        "depth-pooled": (12, 20, 3),
        "swapped": (20, 12, 12),
    },
)
exercise.shape(
    "(50, 81, 12), window 5, stride 3, valid",
    lambda: pool2d_output_shape((50, 81, 12), 5, stride=3, padding="valid"),
    (16, 26, 12),
    mistakes={
        "ceil-for-floor": (16, 27, 12),
        "same-for-valid": (17, 27, 12),
        "plus-one-forgotten": (15, 25, 12),
        "stride-is-pool": (10, 16, 12),
        "depth-pooled": (16, 26, 2),
        "swapped": (26, 16, 12),
    },
)
exercise.shape(
    "(50, 81, 12), window 7, stride 4, same",
    lambda: pool2d_output_shape((50, 81, 12), 7, stride=4, padding="same"),
    (13, 21, 12),
    mistakes={
        "valid-for-same": (11, 19, 12),
        "floor-for-ceil": (12, 20, 12),
        "stride-is-pool": (8, 12, 12),
        "depth-pooled": (13, 21, 1),
        "swapped": (21, 13, 12),
    },
)
exercise.shape(
    "(60, 92, 8), window (2, 5), stride (3, 4), valid",
    lambda: pool2d_output_shape((60, 92, 8), (2, 5), stride=(3, 4)),
    (20, 22, 8),
    mistakes={
        "ceil-for-floor": (21, 23, 8),
        "same-for-valid": (20, 23, 8),
        "plus-one-forgotten": (19, 21, 8),
        "stride-is-pool": (30, 18, 8),
        "stride-one": (59, 88, 8),
        "pair-swapped": (14, 31, 8),
        "one-of-the-pair": (20, 31, 8),
        "swapped": (22, 20, 8),
    },
)
### BEGIN HIDDEN TESTS


def _side(size, window, step, padding, rounded):
    if padding == "same":
        return (rounded or math.ceil)(size / step)
    return (rounded or math.floor)((size - window) / step) + 1


def _shape(shape, pool, stride, padding, rounded=None):
    pool = np.broadcast_to(pool, 2)
    stride = pool if stride is None else np.broadcast_to(stride, 2)
    sides = zip(shape[:2], pool, stride, strict=True)
    return (*(_side(int(n), int(p), int(s), padding, rounded) for n, p, s in sides), shape[2])


for _case in range(8):
    _padding = ("valid", "same")[_case % 2]
    _other = ("same", "valid")[_case % 2]
    _pairs, _default = _case >= 4, _case % 4 >= 2
    while True:
        _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(31, 120))[:2])
        _input = (_height, _width, int(exercise.rng.integers(8, 33)))
        _pool, _stride = (int(n) for n in exercise.rng.permutation(np.arange(2, 8))[:2])
        if _pairs:
            _pool = tuple(int(n) for n in exercise.rng.permutation(np.arange(2, 8))[:2])
            _stride = tuple(int(n) for n in exercise.rng.permutation(np.arange(2, 8))[:2])
        _stride = None if _default else _stride
        _right = _shape(_input, _pool, _stride, _padding)
        _first = _pool[0] if _pairs else _pool
        _wrong = {
            "stride-one": _shape(_input, _pool, 1, _padding),
            "depth-pooled": (*_right[:2], _input[2] // _first),
            "swapped": (_right[1], _right[0], _right[2]),
        }
        _wrong["ceil-for-floor" if _padding == "valid" else "floor-for-ceil"] = _shape(
            _input, _pool, _stride, _padding, math.ceil if _padding == "valid" else math.floor
        )
        if _padding == "valid":
            _wrong["plus-one-forgotten"] = (_right[0] - 1, _right[1] - 1, _right[2])
        if not _default:  # with the default stride both roundings of one size look alike
            _name = "same-for-valid" if _padding == "valid" else "valid-for-same"
            _wrong[_name] = _shape(_input, _pool, _stride, _other)
            _wrong["stride-is-pool"] = _shape(_input, _pool, None, _padding)
        if _pairs:
            _turned = None if _default else _stride[::-1]
            _wrong["pair-swapped"] = _shape(_input, _pool[::-1], _turned, _padding)
            _same = None if _default else _stride[0]
            _wrong["one-of-the-pair"] = _shape(_input, _pool[0], _same, _padding)
        # A layer on which two mistakes look alike, or a mistake is right, would be unfair.
        if len({_right, *_wrong.values()}) == 1 + len(_wrong):
            break
    _given = {"padding": _padding} if _default else {"stride": _stride, "padding": _padding}
    exercise.hidden.shape(
        f"a drawn layer with {'pairs' if _pairs else 'single numbers'}, {_padding}, "
        f"stride {'not given' if _default else 'given'}",
        lambda _input=_input, _pool=_pool, _given=_given: pool2d_output_shape(
            _input, _pool, **_given
        ),
        _right,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### Exercise 2 · `pool2d` in NumPy (5 points)
#
# Now the layer itself, for one picture: max or average, any stride, both paddings. Two loops over
# the places of the output are quite all right. Think of three things before you begin. Which rows
# does output row $i$ look at? What is under a window that hangs over the border? And where does the
# depth stay?


# %% nbgrader={"grade_id": "pool2d", "solution": true}
def pool2d(image, pool, stride=None, padding="valid", mode="max"):
    """Do what a pooling layer does to one picture.

    Parameters
    ----------
    image : numpy.ndarray
        Shape (H, W, depth).
    pool : int
        Side of the window.
    stride : int or None
        Stride in both directions; None means as large as the window.
    padding : {"valid", "same"}
        As in Keras: where an odd number of places is missing, the extra one comes after the map.
        Places outside the map hold nothing: they neither win a maximum nor count in a mean.
    mode : {"max", "average"}

    Returns
    -------
    numpy.ndarray
        Shape (height, width, depth).
    """
    ### BEGIN SOLUTION
    stride = pool if stride is None else stride
    reduce = {"max": np.max, "average": np.mean}[mode]
    spans = []  # for both axes: first and last row (or column) of each window
    for size in image.shape[:2]:
        if padding == "same":
            count = math.ceil(size / stride)
            before = max((count - 1) * stride + pool - size, 0) // 2
        else:
            count, before = (size - pool) // stride + 1, 0
        starts = [place * stride - before for place in range(count)]
        spans.append([slice(max(start, 0), start + pool) for start in starts])
    rows, columns = spans
    return np.array([[reduce(image[r, c], axis=(0, 1)) for c in columns] for r in rows])
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_pool2d", "grade": true, "points": 5}
exercise = checks.Exercise(
    "pool2d",
    points=5,
    hints={
        "mode-ignored": "That is the other kind: look at `mode`.",
        "sum-for-mean": "That is the sum under the window, not its mean.",
        "smallest": "That is the smallest number under the window.",
        "stride-one": "The stride was not given, and the window moved by one.",
        "stride-is-pool": "The stride is given here: it need not be the window's size.",
        "depth-pooled": "The maps were mixed: every map is pooled on its own.",
        "incomplete-kept": "'valid' drops a window that does not fit on the map.",
        "same-for-valid": "The windows hang over the border although the padding is 'valid'.",
        "valid-for-same": "The padding is 'same': the windows at the border are missing.",
        "zeros-win": "A zero from outside the map has won a maximum.",
        "zeros-count": "Places outside the map were counted in the mean.",
        "padding-before": "The extra place is before the map; it belongs after it.",
        "not-centred": "All missing places are after the map; half of them belong before it.",
    },
)
_numbers = np.array(
    [[3.0, 8.0, 1.0, 2.0, 9.0], [4.0, 5.0, 7.0, 6.0, 0.0], [2.0, 1.0, 3.0, 5.0, 8.0]]
)[:, :, np.newaxis]


def _as_map(rows):
    """Rows of numbers as a feature map of depth 1."""
    return np.array(rows, float)[:, :, np.newaxis]


exercise.array(
    "three rows of five numbers, max, window 2, the defaults",
    lambda: pool2d(_numbers.copy(), 2),
    _as_map([[8, 7]]),
    mistakes={
        "mode-ignored": _as_map([[5, 4]]),
        "smallest": _as_map([[3, 1]]),
        "stride-one": _as_map([[8, 8, 7, 9], [5, 7, 7, 8]]),
        "incomplete-kept": _as_map([[8, 7, 9], [2, 5, 8]]),
    },
)
exercise.array(
    "the same, average",
    lambda: pool2d(_numbers.copy(), 2, mode="average"),
    _as_map([[5, 4]]),
    mistakes={
        "mode-ignored": _as_map([[8, 7]]),
        "sum-for-mean": _as_map([[20, 16]]),
        "stride-one": _as_map([[5, 5.25, 4, 4.25], [3, 4, 5.25, 4.75]]),
        "incomplete-kept": _as_map([[5, 4, 4.5], [1.5, 4, 8]]),
    },
)
exercise.array(
    "the same, max, window 3, stride 1",
    lambda: pool2d(_numbers.copy(), 3, stride=1),
    _as_map([[8, 8, 9]]),
    mistakes={"stride-is-pool": _as_map([[8]]), "smallest": _as_map([[1, 1, 0]])},
)
exercise.array(
    "all numbers negative, max, window 2, padding 'same'",
    lambda: pool2d(-_numbers, 2, padding="same"),
    _as_map([[-3, -1, 0], [-1, -3, -8]]),
    mistakes={
        "zeros-win": _as_map([[-3, -1, 0], [0, 0, 0]]),
        "valid-for-same": _as_map([[-3, -1]]),
        "smallest": _as_map([[-8, -7, -9], [-2, -5, -8]]),
    },
)
exercise.array(
    "the numbers, average, window 2, padding 'same'",
    lambda: pool2d(_numbers.copy(), 2, padding="same", mode="average"),
    _as_map([[5, 4, 4.5], [1.5, 4, 8]]),
    mistakes={
        "zeros-count": _as_map([[5, 4, 2.25], [0.75, 2, 2]]),
        "valid-for-same": _as_map([[5, 4]]),
        "sum-for-mean": _as_map([[20, 16, 9], [3, 8, 8]]),
    },
)
exercise.array(
    "two maps: the numbers, and ten times that behind them",
    lambda: pool2d(np.concatenate([_numbers, 10 * _numbers], axis=2), 2),
    [[[8, 80], [7, 70]]],
    mistakes={
        "depth-pooled": _as_map([[80, 70]]),
        "smallest": [[[3, 30], [1, 10]]],
        "mode-ignored": [[[5, 50], [4, 40]]],
    },
)
### BEGIN HIDDEN TESTS
_KERAS = {"max": keras.ops.max_pool, "average": keras.ops.average_pool}


def _pooled(image, pool, stride, padding, mode):
    return np.array(_KERAS[mode](image[np.newaxis], pool, strides=stride, padding=padding))[0]


def _missing(size, pool, stride):
    return max((math.ceil(size / stride) - 1) * stride + pool - size, 0)


def _by_padding(image, pool, stride, mode, share, value):
    """Pad by hand, `share` says how many places before and after; then pool unpadded."""
    amounts = [share(_missing(size, pool, stride)) for size in image.shape[:2]]
    wide = np.pad(image, (*amounts, (0, 0)), constant_values=value)
    if value == 0:
        return _pooled(wide, pool, stride, "valid", mode)
    there = np.pad(np.ones_like(image), (*amounts, (0, 0)))
    if mode == "max":
        return _pooled(np.where(there > 0, wide, -1e9), pool, stride, "valid", "max")
    total = _pooled(np.where(there > 0, wide, 0), pool, stride, "valid", "average")
    return total / _pooled(there, pool, stride, "valid", "average")


def _kept(image, pool, stride, mode):
    """What comes out when windows are cut off at the end of the map instead of dropped."""
    reduce = {"max": np.max, "average": np.mean}[mode]
    tops, lefts = (range(0, size, stride) for size in image.shape[:2])
    return np.array(
        [[reduce(image[i : i + pool, j : j + pool], axis=(0, 1)) for j in lefts] for i in tops]
    )


for _mode in ("max", "average"):
    _other_mode = "average" if _mode == "max" else "max"
    for _pool, _stride, _padding in (
        (2, None, "valid"),
        (3, 2, "valid"),
        (2, 3, "valid"),
        (2, None, "same"),
        (3, 2, "same"),
        (4, 3, "same"),
        (5, 2, "same"),
    ):
        _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(9, 16))[:2])
        if _padding == "valid" or _pool == 2:
            _height, _width = 2 * (_height // 2) + 1, 2 * (_width // 2) + 3
        elif _stride == 2:
            _width += (_width + _pool) % 2  # so that an odd number of places is missing
        _depth = int(exercise.rng.integers(2, 5))
        _image = exercise.rng.normal(loc=-4, size=(_height, _width, _depth)).astype("float32")
        _step = _stride or _pool
        _right = _pooled(_image, _pool, _step, _padding, _mode)
        _wrong = {
            "mode-ignored": _pooled(_image, _pool, _step, _padding, _other_mode),
            "depth-pooled": {"max": np.max, "average": np.mean}[_mode](
                _right, axis=2, keepdims=True
            ),
            ("stride-is-pool" if _stride else "stride-one"): _pooled(
                _image, _pool, _pool if _stride else 1, _padding, _mode
            ),
        }
        if _mode == "max":
            _wrong["smallest"] = -_pooled(-_image, _pool, _step, _padding, "max")
        if _padding == "valid":
            _wrong["incomplete-kept"] = _kept(_image, _pool, _step, _mode)
            _wrong["same-for-valid"] = _pooled(_image, _pool, _step, "same", _mode)
            if _mode == "average":
                _wrong["sum-for-mean"] = _right * _pool**2
        else:
            _wrong["valid-for-same"] = _pooled(_image, _pool, _step, "valid", _mode)
            _wrong["zeros-win" if _mode == "max" else "zeros-count"] = _by_padding(
                _image, _pool, _step, _mode, lambda zeros: (zeros // 2, zeros - zeros // 2), 0
            )
            for _name, _share in (
                ("padding-before", lambda zeros: (zeros - zeros // 2, zeros // 2)),
                ("not-centred", lambda zeros: (0, zeros)),
            ):
                _wrong[_name] = _by_padding(_image, _pool, _step, _mode, _share, np.nan)
        exercise.hidden.array(
            f"drawn maps, {_mode}, window {_pool}, stride {_stride or 'not given'}, {_padding}",
            lambda _image=_image, _given=(_pool, _stride, _padding, _mode): pool2d(
                _image.copy(), _given[0], stride=_given[1], padding=_given[2], mode=_given[3]
            ),
            _right,
            mistakes=_wrong,
            rtol=1e-4,
            atol=1e-4,
        )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 4 · Why make the maps smaller?
#
# There are two answers in every textbook. **Less to compute**: whatever follows has fewer numbers
# to process, and a dense layer fewer parameters. And **a wider view**: a window of 3×3 on a pooled
# map covers more of the picture than a window of 3×3 on the picture.
#
# We take one small network and build it four times. It looks at 24×24 pixels of a picture in
# colour. Three convolutions of 3×3, padding `"same"`, with 8, 8 and 16 filters; then `Flatten`;
# then dense layers. The four differ in what makes the maps smaller after each convolution:
#
# | name | after each convolution |
# |---|---|
# | `no pooling` | nothing |
# | `max pooling` | `MaxPooling2D(2)` |
# | `average pooling` | `AveragePooling2D(2)` |
# | `strided` | nothing, but the convolutions themselves have stride 2 |

# %% tags=["benchmark"] nbgrader={"grade_id": "network", "locked": true}
KINDS = ("no pooling", "max pooling", "average pooling", "strided")
FILTERS = (8, 8, 16)


def network(kind, units):
    """Build the small network of this lesson.

    Parameters
    ----------
    kind : str
        One of KINDS: what makes the maps smaller.
    units : int
        Units of the dense layer after Flatten.

    Returns
    -------
    keras.Sequential
        Not compiled. Its input has shape (24, 24, 3), its output ten probabilities.
    """
    layers = [keras.Input((24, 24, 3))]
    for filters in FILTERS:
        strides = 2 if kind == "strided" else 1
        layers.append(
            keras.layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu")
        )
        if kind == "max pooling":
            layers.append(keras.layers.MaxPooling2D(2))
        elif kind == "average pooling":
            layers.append(keras.layers.AveragePooling2D(2))
    layers.append(keras.layers.Flatten())
    layers.append(keras.layers.Dense(units, activation="relu"))
    layers.append(keras.layers.Dense(10, activation="softmax"))
    return keras.Sequential(layers)


# %% [markdown]
# **Predict.** The dense layer after `Flatten` gets 512 units. How many parameters has it without
# pooling, and how many with? (The last map has depth 16.)

# %%
prediction_dense_without = None
prediction_dense_with = None

# %%
# NBVAL_CHECK_OUTPUT
dense_512 = {}
print(f"{'':17}{'last map':>12}{'flattened':>11}{'Dense 512':>12}{'products of the':>18}")
print(f"{'':17}{'':>12}{'':>11}{'parameters':>12}{'convolutions':>18}")
for kind in KINDS:
    model = network(kind, units=512)
    *_, last_map, flatten, dense, _ = model.layers
    products = sum(
        math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:3])
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    )
    dense_512[kind] = dense.count_params()
    shape = "×".join(str(size) for size in last_map.output.shape[1:])
    print(
        f"{kind:17}{shape:>12}{flatten.output.shape[1]:>11,}{dense_512[kind]:>12,}{products:>18,}"
    )

# %%
compare_prediction(prediction_dense_without, dense_512["no pooling"])
compare_prediction(prediction_dense_with, dense_512["max pooling"])

# %% [markdown]
# Three poolings of 2×2 divide the flattened map by $4^3 = 64$, and with it the weights of the dense
# layer: $512 · h · w · \text{depth}$. The convolutions keep all their parameters, since a kernel
# does not know how large its map is; they only do less work.
#
# ### The wider view
#
# How much of the picture does one number of the last map see? We measure it as in lesson 02: all
# weights one, and the gradient of one output with respect to the picture. Where it is zero, the
# pixel has no say. (Max pooling passes its gradient to the winner only. But what a window *looks
# at* does not depend on what it does with it, so we measure with average pooling.)


# %%
def seen_by_one(kind, size=64):
    """Which pixels can change one number, in the middle, of the last map."""
    picture = tf.Variable(tf.zeros((1, size, size, 1)))
    with tf.GradientTape() as tape:
        x = picture
        for _ in FILTERS:
            x = keras.layers.Conv2D(
                1,
                3,
                strides=2 if kind == "strided" else 1,
                padding="same",
                kernel_initializer="ones",
            )(x)
            if "pooling" in kind and kind != "no pooling":
                x = keras.layers.AveragePooling2D(2)(x)
        middle = x.shape[1] // 2
        one = x[0, middle, middle, 0]
    return tape.gradient(one, picture).numpy()[0, :, :, 0] > 0


fields = {}
for kind in ("no pooling", "strided", "max pooling"):
    columns = np.flatnonzero(seen_by_one(kind).any(axis=0))
    fields[kind] = int(columns[-1] - columns[0] + 1)

_, (x_test, y_test) = load("cifar10")
horse = x_test[np.flatnonzero(y_test == 7)[13]][4:28, 4:28]
figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.9), layout="constrained")
for axis, (kind, field) in zip(axes, fields.items(), strict=True):
    draw_picture(axis, horse, f"{kind}:\n{field}×{field} pixels")
    corner = 11.5 - field / 2
    axis.add_patch(plt.Rectangle((corner, corner), field, field, fill=False, ec="white", lw=4))
    axis.add_patch(plt.Rectangle((corner, corner), field, field, fill=False, ec="#D55E00", lw=2))
show(
    figure,
    alt="A horse from the side, 24 by 24 pixels, three times, with a frame around what one number "
    "of the last map sees. No pooling: 7 by 7 pixels, a patch of its belly. Strided: 15 by "
    "15, most of its body. Max pooling: 22 by 22, nearly the whole picture.",
)

# %% [markdown]
# Without pooling, the third convolution still judges scraps of 7×7 pixels. With pooling it sees
# 22×22 of 24×24: nearly the whole animal. The parameters of the convolutions are the same.
#
# ### Or let the convolution do it: stride
#
# A convolution with stride 2 halves the map as well, and spares three quarters of its own work.
# What is it, really?

# %%
# NBVAL_CHECK_OUTPUT
dice = np.random.default_rng(5)
picture = dice.normal(size=(1, 24, 24, 3)).astype("float32")
kernel = dice.normal(size=(3, 3, 3, 8)).astype("float32")
all_places = np.array(keras.ops.conv(picture, kernel))
by_stride = np.array(keras.ops.conv(picture, kernel, strides=2))
every_second = all_places[:, ::2, ::2]
print("stride 2:", by_stride.shape, "  stride 1, then every second:", every_second.shape)
print("equal:", np.allclose(by_stride, every_second, atol=1e-4))

# %% [markdown]
# A strided convolution is a convolution followed by *keep every second number and do not look at
# the others*. Max pooling looks at all four and keeps the largest; average pooling looks at all
# four and mixes them. Keep these three in mind: **every second**, **largest**, **mean**. Section 5
# sends a moving picture through them.
#
# Springenberg and others (2015) showed that networks with stride alone can do as well as networks
# with pooling. Many networks of today mix both: a strided convolution here, a pooling there.
#
# ### Exercise 3 · `parameters_saved` (3 points)
#
# A network for any picture: convolutions with padding `"same"` and stride 1, each followed by
# pooling (stride as large as the window, padding `"valid"`; a window of 1 leaves the map as it is).
# Then `Flatten` and one dense layer. How many parameters does the network save compared with the
# same network without any pooling? Try it on paper for the network of section 4 first.


# %% nbgrader={"grade_id": "parameters_saved", "solution": true}
def parameters_saved(input_shape, filters, pools, units):
    """Count the parameters that pooling saves.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width and depth of the picture.
    filters : list of int
        Filters of each convolution.
    pools : list of int
        Window of the pooling after each convolution; as many as there are convolutions.
    units : int
        Units of the dense layer after Flatten.

    Returns
    -------
    int
        Parameters without pooling minus parameters with pooling.
    """
    ### BEGIN SOLUTION
    height, width, _ = input_shape
    pooled_height, pooled_width = height, width
    for pool in pools:
        pooled_height //= pool
        pooled_width //= pool
    # The convolutions have the same parameters in both networks, and so have the biases.
    return units * filters[-1] * (height * width - pooled_height * pooled_width)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_parameters_saved", "grade": true, "points": 3}
exercise = checks.Exercise(
    "parameters_saved",
    points=3,
    hints={
        "remaining": "That is what the dense layer has left, not what it has saved.",
        "without-pooling": "That is the dense layer without pooling. What has it with pooling?",
        "depth-of-picture": "What is flattened is the last map: how deep is that?",
        "depth-forgotten": "Flatten rolls out all maps, not one.",
        "one-side-only": "A window has rows and columns: both sides get shorter.",
        "last-pool-only": "Only the last pooling was counted; each makes the map smaller.",
        "numbers-only": "Those are numbers in the map. Each unit has a weight for each of them.",
        "bias-counted": "A unit has one bias, with pooling or without.",
        "rounded-up": "You rounded up. Does 'valid' keep a window that does not fit?",
        "not-rounded": "A map has a whole number of rows and columns.",
    },
)
exercise.number(
    "the network of section 4, 512 units",
    lambda: parameters_saved((24, 24, 3), [8, 8, 16], [2, 2, 2], 512),
    4_644_864,
    mistakes={
        "remaining": 74_240,
        "without-pooling": 4_719_104,
        "depth-of-picture": 870_912,
        "depth-forgotten": 290_304,
        "one-side-only": 4_128_768,
        "last-pool-only": 3_538_944,
        "numbers-only": 9_072,
        "bias-counted": 4_645_376,
    },
)
exercise.number(
    "30×45×1, 6 and 10 filters, windows of 2 and 4, 7 units",
    lambda: parameters_saved((30, 45, 1), [6, 10], [2, 4], 7),
    93_450,
    mistakes={
        "remaining": 1_057,
        "without-pooling": 94_507,
        "depth-of-picture": 9_345,
        "one-side-only": 85_050,
        "last-pool-only": 89_110,
        "numbers-only": 13_350,
        "bias-counted": 93_457,
        "rounded-up": 92_820,
        "not-rounded": 93_023.4375,
    },
)
exercise.number(
    "the same without any pooling: windows of 1",
    lambda: parameters_saved((30, 45, 1), [6, 10], [1, 1], 7),
    0,
    mistakes={"remaining": 94_507, "without-pooling": 94_507, "bias-counted": 7},
)
### BEGIN HIDDEN TESTS


def _saved(shape, filters, pools, units, rounded=math.floor, sides=2):
    height, width, _ = shape
    h, w = height, width
    for pool in pools:
        h = rounded(h / pool)
        w = rounded(w / pool) if sides == 2 else w
    return units * filters[-1] * (height * width - h * w)


for _blocks in (1, 2, 3, 4):
    while True:
        _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(60, 150))[:2])
        _input = (_height, _width, int(exercise.rng.integers(1, 5)))
        _filters = [int(n) for n in exercise.rng.permutation(np.arange(5, 40))[:_blocks]]
        _pools = [int(n) for n in exercise.rng.integers(2, 4, size=_blocks)]
        if _blocks > 2:
            _pools[int(exercise.rng.integers(0, _blocks - 1))] = 1
        _units = int(exercise.rng.integers(20, 200))
        _given = (_input, _filters, _pools, _units)
        _right = _saved(*_given)
        _full = _units * _filters[-1] * _height * _width + _units
        _wrong = {
            "remaining": _full - _right,
            "without-pooling": _full,
            "depth-of-picture": _saved(_input, [_input[2]], _pools, _units),
            "one-side-only": _saved(*_given, sides=1),
            "numbers-only": _saved(_input, _filters, _pools, 1),
            "bias-counted": _right + _units,
            "rounded-up": _saved(*_given, rounded=math.ceil),
            "not-rounded": _saved(*_given, rounded=lambda size: size),
        }
        if _input[2] > 1:
            _wrong["depth-forgotten"] = _saved(_input, [1], _pools, _units)
        if _blocks > 1:
            _wrong["last-pool-only"] = _saved(_input, _filters, _pools[-1:], _units)
        if len({_right, *_wrong.values()}) == 1 + len(_wrong):
            break
    exercise.hidden.number(
        f"a drawn network, {_blocks} convolution{'s' if _blocks > 1 else ''}",
        lambda _given=_given: parameters_saved(
            _given[0], list(_given[1]), list(_given[2]), _given[3]
        ),
        _right,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 5 · What max pooling forgives
#
# *"The pooling operation used in convolutional neural networks is a big mistake and the fact that
# it works so well is a disaster,"* said Geoffrey Hinton in 2014. His reason: pooling throws away
# where things are. Its friends call the same thing a virtue: when a feature moves a little, the
# pooled map stays as it is. How little, and how often?
#
# Start with one bright number in a row of eight, and windows of 2. Let it wander from left to
# right.

# %%
wanderer = np.eye(8, dtype="float32")  # row n: the bright number is at place n
settled = np.array(keras.ops.max_pool(wanderer[:, :, np.newaxis], 2))[:, :, 0]
thinned = wanderer[:, ::2]

figure, axes = plt.subplots(1, 3, figsize=(7.6, 3.5), width_ratios=[8, 4, 4], layout="constrained")
for axis, values, title in (
    (axes[0], wanderer, "the row, moving by one"),
    (axes[1], settled, "max pooling, 2"),
    (axes[2], thinned, "every second"),
):
    draw_grid(axis, values, title, limits=(0, 1))
    axis.set_yticks(range(8), range(8))
    axis.tick_params(length=0)
axes[0].set_ylabel("pixels moved")
show(
    figure,
    alt="One bright number wanders through eight places, one step a line. Max pooling of 2 draws "
    "a staircase: two lines are alike, then the bright number jumps to the next place. "
    "Keeping every second number shows it in lines 0, 2, 4 and 6, and nothing at all in the "
    "others.",
)

# %% [markdown]
# Of the seven steps, max pooling does not notice four: the bright number stays in its window. The
# other three it notices fully, by a jump. *Every second* is worse off: the number is there,
# gone, there, gone. With windows of $P$, a single point may move by one pixel unnoticed in
# $P-1$ of $P$ cases.
#
# Real maps do not hold single points. So take the feature map of the photograph, lay a frame of
# 240×240 on it, and move the frame over the photograph pixel by pixel, so that only real pixels
# come in at its edge. All three ways turn 240×240 numbers into 60×60.
#
# **Predict.** Windows of 4×4, the picture moves by one pixel. Look only at numbers above zero. How
# many per cent of them stay *exactly* the same after max pooling? And after average pooling?

# %%
prediction_same_max = None  # per cent
prediction_same_mean = None

# %%
P = 4
WAYS = {
    "every fourth": lambda maps: np.array(maps)[:, ::P, ::P],
    "mean": lambda maps: np.array(keras.ops.average_pool(maps, P)),
    "largest": lambda maps: np.array(keras.ops.max_pool(maps, P)),
}


def framed(distance):
    """240×240 numbers of the feature map; the picture has moved to the right by a distance."""
    return answers[:, 8:248, 8 - distance : 248 - distance]


distances = range(by_scale(quick=9, full=9, grading=2))
change, same = {}, {}
for way, reduce in WAYS.items():
    before = reduce(framed(0))
    after = [reduce(framed(distance)) for distance in distances]
    change[way] = [100 * float(np.abs(a - before).mean() / before.mean()) for a in after]
    same[way] = [100 * float(np.mean((a == before)[before > 0])) for a in after]

print("after a move of one pixel:")
for way in WAYS:
    print(
        f"  {way:13} {same[way][1]:4.0f} % of the numbers exactly as before,"
        f"   mean change {change[way][1]:4.0f} %"
    )
compare_prediction(prediction_same_max, round(same["largest"][1]))
compare_prediction(prediction_same_mean, round(same["mean"][1]))

# %%
figure, axes = plt.subplots(3, 4, figsize=(8, 6.1), layout="constrained")
piece = np.s_[0, 6:26, 19:39, 0]  # head and camera, on the maps of 60×60
for line, (way, reduce) in enumerate(WAYS.items()):
    before, after = reduce(framed(0))[piece], reduce(framed(1))[piece]
    scale = {"vmin": 0, "vmax": 420 if way != "mean" else 180}
    draw_picture(axes[line, 1], before, f"{way}", **scale)
    draw_picture(axes[line, 2], after, "one pixel later", **scale)
    draw_picture(axes[line, 3], np.abs(after - before), "difference", **scale)
    axes[line, 0].axis("off")
pixels = camera[9:249, 9:249][24:104, 76:156]
draw_picture(axes[0, 0], pixels, "photograph", cmap=plt.get_cmap("gray", 32))
draw_picture(axes[1, 0], framed(0)[0, :, :, 0][24:104, 76:156], "its edges", vmin=0, vmax=420)
show(
    figure,
    alt="A man's head and camera, the edges in that piece, and the edges made sixteen times "
    "smaller in three ways, before and after a move of one pixel, with the difference. Every "
    "fourth: broken lines, which change places, and a difference as strong as the lines. Mean "
    "and largest: connected lines that stay where they are, and a difference that is weaker; "
    "for the largest it is zero at most places.",
)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for (way, marker), colour in zip(
    zip(WAYS, "^so", strict=True), ("#777777", "#0072B2", "#D55E00"), strict=True
):
    axes[0].plot(distances, change[way], marker=marker, color=colour, label=way)
    axes[1].plot(distances, same[way], marker=marker, color=colour, label=way)
axes[0].set(xlabel="pixels moved", ylabel="mean change (% of the mean)", ylim=(0, None))
axes[1].set(xlabel="pixels moved", ylabel="exactly as before (%)", ylim=(0, 103))
axes[1].legend(loc="upper right")
for axis in axes:
    axis.axvline(P, color="#BBBBBB", ls="--", lw=1)
    axis.set_xticks(list(distances))
    axis.grid(alpha=0.3)
show(
    figure,
    alt="Two plots against the pixels moved, 0 to 8. Mean change: every fourth jumps to 94 per "
    "cent after one pixel and stays near 160; mean and largest climb slowly, largest lowest, "
    "23 per cent after one pixel and 88 after four. Exactly as before: largest falls "
    "steadily from 100 over 62 to 12 per cent at four pixels; the other two are below 16 "
    "per cent after one.",
)

# %% [markdown]
# - **Largest** forgives most, and exactly: over half of its numbers do not change at all when the
#   picture moves by one pixel. It falls short of the 75 % of a lone point, because on a real map
#   the next-best number may enter the window.
# - **Mean** forgives, too, but differently: most numbers change, on average by a third.
# - **Every fourth** forgives least. One pixel changes its numbers by nearly as much as they are
#   large, and after two the map has little to do with what it was.
#
# And the limit: forgiveness ends with the window. Beyond 4 pixels the map has become another one.
# A network forgives more than that only by pooling again and again. One thing more: what happens
# when the picture moves by exactly one window?

# %%
# NBVAL_CHECK_OUTPUT
before, after = WAYS["largest"](framed(0)), WAYS["largest"](framed(P))
print("moved by 4 pixels, the pooled map has moved by one place:", end=" ")
print(np.array_equal(after[:, :, 1:], before[:, :, :-1]))

# %% [markdown]
# Nothing is lost, and nothing is the same. Pooling with a stride is not *invariant* under movement:
# when the picture moves, the pooled map moves, only in larger steps. It is tolerant of small
# movements. That is all, and it is a lot.
#
# You can watch it: [see_inside](../../playground/see_inside.ipynb), in the course's folder
# `playground`, shows the maps of a CNN before and after pooling while you draw.
#
# ## 6 · Global pooling: a volume becomes a vector
#
# What if the window is as large as the map? Then each map gives one number, and a volume of
# $(h, w, \text{depth})$ becomes a vector of $\text{depth}$ numbers, whatever $h$ and $w$ are.
#
# - **Global average pooling**: *how much* of this feature is in the picture?
# - **Global max pooling**: *is* it in the picture, anywhere?
#
# Lin, Chen and Yan brought the first one in with *Network in Network* (2014). Their last
# convolution has as many maps as there are classes; the mean of each map *is* the score of a class.
# No `Flatten`, no dense layer, no parameters there that could overfit.
#
# To see what the two ask, here is the filter for red of lesson 02 on the coffee, looked at through
# four frames.

# %%
coffee = load_photograph("coffee").astype("float32") / 255
red_finder = np.empty((5, 5, 3, 1), "float32")
red_finder[:] = np.array([[1], [-0.5], [-0.5]]) / 25  # red, green, blue
redness = keras.ops.relu(keras.ops.conv(coffee[np.newaxis], red_finder, padding="same"))
frames = {"A": (95, 45), "B": (140, 245), "C": (120, 150), "D": (0, 5)}  # row, column; 50×50

global_mean, global_max = keras.layers.GlobalAveragePooling2D(), keras.layers.GlobalMaxPooling2D()
answers_of = {}
for name, (top, left) in frames.items():
    framed_red = redness[:, top : top + 50, left : left + 50]
    answers_of[name] = float(global_mean(framed_red)[0, 0]), float(global_max(framed_red)[0, 0])

figure, axes = plt.subplots(1, 3, figsize=(8.2, 2.6), width_ratios=[3, 3, 2], layout="constrained")
draw_picture(axes[0], coffee, "the photograph")
draw_picture(axes[1], redness[0, :, :, 0], "redness", cmap=plt.get_cmap("cividis", 32), vmin=0)
for name, (top, left) in frames.items():
    for axis in axes[:2]:
        axis.add_patch(plt.Rectangle((left, top), 50, 50, fill=False, ec="white", lw=1.8))
        axis.text(
            left + 4,
            top + 15,
            name,
            color="white",
            weight="bold",
            size=10,
            bbox={"fc": "black", "alpha": 0.7, "lw": 0, "pad": 1.5},
        )
places = np.arange(len(frames))
for offset, (index, label, colour) in enumerate(
    ((0, "global average", "#0072B2"), (1, "global max", "#D55E00"))
):
    heights = [pair[index] for pair in answers_of.values()]
    axes[2].bar(places + 0.4 * offset - 0.2, heights, 0.38, color=colour, label=label)
axes[2].set_xticks(places, frames)
axes[2].set(ylabel="redness", xlabel="frame", ylim=(0, 0.9))
axes[2].legend(fontsize=8.5, loc="upper right")
show(
    figure,
    alt="A cup of espresso on a red saucer and its map of redness, with four frames. Bars: on the "
    "saucer, A, and on the table, B, average and maximum are close together. At the spoon, C, "
    "and in the dark corner, D, the average is 0.2 and less than half of the maximum: the "
    "maximum at the spoon is as large as on the saucer.",
)

# %% [markdown]
# Frame C shows mostly a spoon, with a strip of saucer at its rim. *Is there red?* As red as on the
# saucer, says the maximum. *How much?* Less than half, says the mean.
#
# ### Three gifts
#
# 1. **Few parameters.** A dense layer for 1,000 classes on the last map of VGG-16, 7×7×512,
#    flattened or pooled:

# %%
# NBVAL_CHECK_OUTPUT
for head in (keras.layers.Flatten(), keras.layers.GlobalAveragePooling2D()):
    model = keras.Sequential([keras.Input((7, 7, 512)), head, keras.layers.Dense(1000)])
    print(f"{head.__class__.__name__:24}{head.output.shape[1]:>7,} numbers", end="")
    print(f"{model.count_params():>12,} parameters")

# %% [markdown]
# 2. **Any size.** The vector has as many numbers as there are maps, so the same network, with the
#    same weights, takes pictures of any size. With `Flatten` it cannot even be built:

# %%
# NBVAL_CHECK_OUTPUT
for head in (keras.layers.GlobalAveragePooling2D(), keras.layers.Flatten()):
    name = head.__class__.__name__
    try:
        model = keras.Sequential(
            [keras.Input((None, None, 3)), keras.layers.Conv2D(8, 3), head, keras.layers.Dense(10)]
        )
        outputs = [tuple(model(np.ones((1, *size, 3))).shape) for size in ((24, 24), (200, 300))]
        print(f"{name}: 24×24 → {outputs[0]}, 200×300 → {outputs[1]}")
    except ValueError:
        print(f"{name}: the dense layer does not know how many weights it needs")

# %% [markdown]
# 3. **A map for each class.** Before the mean is taken, the last maps show *where* the evidence
#    lies. Lesson 07 makes a picture of that.
#
# The price: where something is in the picture is forgotten altogether. For *what is it* that is
# often welcome. For *which way does the arrow point* it is not.
#
# ### Exercise 4 · `global_average_pool` (2 points)
#
# Write it in NumPy, for a batch.


# %% nbgrader={"grade_id": "global_average_pool", "solution": true}
def global_average_pool(maps):
    """Take the mean of every feature map of every picture.

    Parameters
    ----------
    maps : numpy.ndarray
        Shape (pictures, height, width, depth).

    Returns
    -------
    numpy.ndarray
        Shape (pictures, depth).
    """
    ### BEGIN SOLUTION
    return maps.mean(axis=(1, 2))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_global_average_pool", "grade": true, "points": 2}
exercise = checks.Exercise(
    "global_average_pool",
    points=2,
    hints={
        "max-for-mean": "That is global max pooling.",
        "sum-for-mean": "That is the sum over a map: twice the size must not mean twice as much.",
        "over-depth": "You took the mean over the maps: each map has a mean of its own.",
        "over-batch": "Pictures were mixed: each has a vector of its own.",
        "one-axis-only": "A map has rows and columns, and only one of them was averaged over.",
        "channels-first": "The depth is the last axis here. Which axes are rows and columns?",
        "everything": "One number a picture: the maps must stay apart.",
        "axes-kept": "The numbers are right, but a vector has no rows and columns left.",
        "reshaped": "Reshaping does not move the depth to the front: it mixes the maps.",
    },
)


def _wrong_means(maps):
    """What the named mistakes would return."""
    pictures, _, _, depth = maps.shape
    return {
        "max-for-mean": maps.max(axis=(1, 2)),
        "sum-for-mean": maps.sum(axis=(1, 2)),
        "over-depth": maps.mean(axis=3),
        "over-batch": maps.mean(axis=(0, 1, 2)),
        "one-axis-only": maps.mean(axis=1),
        "channels-first": maps.mean(axis=(2, 3)),
        "everything": maps.mean(axis=(1, 2, 3)),
        "axes-kept": maps.mean(axis=(1, 2), keepdims=True),
        "reshaped": maps.reshape(pictures, depth, -1).mean(axis=2),
    }


_two = np.array([[[[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]], [[0.0, 0.0], [4.0, 40.0], [5.0, 50.0]]]])
exercise.array(
    "one picture, 2×3, two maps: 1, 2, 6, 0, 4, 5 and ten times that",
    lambda: global_average_pool(_two.copy()),
    [[3, 30]],
    mistakes=_wrong_means(_two),
)
exercise.array(
    "two pictures: the same, and twice that",
    lambda: global_average_pool(np.concatenate([_two, 2 * _two])),
    [[3, 30], [6, 60]],
    mistakes=_wrong_means(np.concatenate([_two, 2 * _two])),
)
### BEGIN HIDDEN TESTS
for _kind in ("float64", "float32"):
    _shape = tuple(int(n) for n in exercise.rng.permutation(np.arange(3, 10))[:4])
    _maps = exercise.rng.normal(loc=1, size=_shape).astype(_kind)
    exercise.hidden.array(
        f"drawn maps, {_kind}",
        lambda _maps=_maps: global_average_pool(_maps.copy()),
        np.einsum("nhwd->nd", _maps) / (_shape[1] * _shape[2]),
        mistakes=_wrong_means(_maps),
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 7 · With and without: the experiment
#
# Now we train the four networks of section 4, on CIFAR-10: small colour photographs of ten classes,
# from airplane to truck. (Lesson 04 is about them.) At quick scale there are 2,000 pictures to
# learn from and 1,000 for the test, so few that one run takes seconds. The dense layer has 128
# units instead of 512, to spare you the waiting.
#
# The pixels are scaled so that they have a mean near 0 and a spread near 1: with that, training
# gets going sooner. The pictures are 32×32. The networks see the 24×24 in the middle: then we can
# move that frame by up to 4 pixels later on, and only real pixels come in. Each network is trained
# three times, with other first weights and another order of the pictures; otherwise all have the
# same recipe. (The last digits may differ when you run it again: two cores do not always add up in
# the same order.)

# %% tags=["benchmark"] nbgrader={"grade_id": "experiment", "locked": true}
SEEDS = by_scale(quick=(1, 2, 3), full=(1, 2, 3), grading=(1, 2))
EPOCHS = by_scale(quick=8, full=8, grading=0)
LEARN_FROM = by_scale(quick=2_000, full=50_000, grading=100)
TEST_ON = by_scale(quick=1_000, full=10_000, grading=50)
UNITS = by_scale(quick=128, full=128, grading=8)
(x_train, y_train), (x_test, y_test) = load("cifar10")
x_train = (x_train[:LEARN_FROM].astype("float32") / 255 - 0.47) / 0.25
x_test = (x_test[:TEST_ON].astype("float32") / 255 - 0.47) / 0.25
y_train, y_test = y_train[:LEARN_FROM], y_test[:TEST_ON]


def middle(pictures, down=0, right=0):
    """The 24×24 pixels in the middle of each picture, or 24×24 beside them."""
    return pictures[:, 4 + down : 28 + down, 4 + right : 28 + right]


def says(model, pictures):
    """The class that a model takes each picture for."""
    pieces = np.split(pictures, range(500, len(pictures), 500))
    return np.concatenate([np.argmax(model(piece), axis=1) for piece in pieces])


def train(kind):
    """Train a network with every seed.

    Returns
    -------
    models : list of keras.Sequential
        One for each seed.
    curves : numpy.ndarray
        Shape (seeds, 2, epochs): per cent right of the pictures learned from, and of the test's.
    """
    model = network(kind, UNITS)
    steps = max(1, EPOCHS * math.ceil(len(x_train) / 64))
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(4e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    models, curves = [], []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        models.append(network(kind, UNITS))
        # Compiled once, begun afresh: new weights, and an optimiser that remembers nothing.
        model.set_weights(models[-1].get_weights())
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        history = model.fit(
            middle(x_train),
            y_train,
            batch_size=64,
            epochs=EPOCHS,
            validation_data=(middle(x_test), y_test),  # for the curve: nothing is chosen by it
            validation_batch_size=500,
            verbose=0,
        ).history
        models[-1].set_weights(model.get_weights())
        curves.append([history.get(name) or [0.0] for name in ("accuracy", "val_accuracy")])
    return models, 100 * np.array(curves)


# %% [markdown]
# **Predict.** Which of the four gets the most *test* pictures right? And which the most of the
# pictures that it has *learned from*?

# %%
prediction_best_test = None  # "no pooling", "max pooling", "average pooling" or "strided"
prediction_best_train = None

# %% tags=["benchmark"]
trained, curves, right, results = {}, {}, {}, {}
for kind in KINDS:
    start = time.perf_counter()
    trained[kind], curves[kind] = train(kind)
    seconds = (time.perf_counter() - start) / len(SEEDS)
    right[kind] = np.array([says(model, middle(x_test)) == y_test for model in trained[kind]])
    results[kind] = [
        {
            "seed": seed,
            "accuracy": 100 * float(marks.mean()),
            "seconds": seconds,
            "epochs": EPOCHS,
            "parameters": trained[kind][0].count_params(),
        }
        for seed, marks in zip(SEEDS, right[kind], strict=True)
    ]

# %%
print(f"{'':17}{'parameters':>11}{'learned from':>17}{'test':>15}{'gap':>8}{'a run':>9}")
for kind, runs in results.items():
    ends = curves[kind][:, 0, -1], np.array([run["accuracy"] for run in runs])
    learned, test = (f"{end.mean():.1f} ± {end.std(ddof=1):.1f} %" for end in ends)
    gap = ends[0].mean() - ends[1].mean()
    print(
        f"{kind:17}{runs[0]['parameters']:>11,}{learned:>17}{test:>15}{gap:>8.1f}"
        f"{runs[0]['seconds']:>7.1f} s"
    )

# %%
compare_prediction(prediction_best_test, max(KINDS, key=lambda kind: right[kind].mean()))
compare_prediction(
    prediction_best_train, max(KINDS, key=lambda kind: curves[kind][:, 0, -1].mean())
)

# %%
figure, axes = plt.subplots(1, 4, figsize=(8.4, 2.9), sharey=True, layout="constrained")
for axis, kind in zip(axes, KINDS, strict=True):
    epochs_run = np.arange(1, curves[kind].shape[2] + 1)
    for place, (name, colour) in enumerate((("learned from", "#0072B2"), ("test", "#D55E00"))):
        mean = curves[kind][:, place].mean(axis=0)
        spread = curves[kind][:, place].std(axis=0, ddof=1)
        axis.fill_between(epochs_run, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
        axis.plot(epochs_run, mean, color=colour, ls="-" if place else "--", lw=2, label=name)
    axis.set(title=kind, xlabel="epoch", ylim=(0, 102), xticks=epochs_run[::2])
    axis.grid(alpha=0.3)
axes[0].set_ylabel("right (%)")
axes[0].legend(fontsize=8.5, loc="upper left")
show(
    figure,
    alt="Accuracy by epoch on the pictures learned from and on the test pictures, four panels. "
    "Without pooling the two curves part after two or three epochs: the first climbs to about 95 "
    "per cent, the second stays near 35. With max pooling, average pooling and stride they stay "
    "closer together, at about 50 and 40 per cent at the end.",
)

# %% [markdown]
# The network without pooling has the most parameters by far, reaches the most on the pictures that
# it has learned from, and has the widest gap. That gap is **overfitting**: it knows those 2,000
# pictures, and little about pictures. (The curve of the training set is measured during the epoch,
# while the network is still learning; at the end of the training that hardly matters.)
#
# Are the differences on the test pictures real? As in lesson 01 there are two sources of noise:
# the seeds, and the choice of the test pictures. We call a difference distinguishable if it is
# larger than both together, at a confidence of about 95 %.

# %%
pairs = [("no pooling", kind) for kind in KINDS[1:]]
for first, second in [*pairs, ("strided", "max pooling"), ("average pooling", "max pooling")]:
    judge(right, first, second)

# %% [markdown]
# ### Does a network with pooling forgive movement?
#
# Section 5 measured one layer. Now the whole network: we move the frame by 1 to 4 pixels, for each
# picture in one of four directions, and ask how often the network still says **the same** as
# before, right or wrong.
#
# **Predict.** Which of the four changes its mind least often?

# %%
prediction_steady = None  # "no pooling", "max pooling", "average pooling" or "strided"

# %%
DIRECTIONS = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)])  # (down, right)
drawn = np.random.default_rng(6).integers(0, 4, size=len(x_test))


def moved(distance):
    """The frame moved by a distance, for each picture in its own direction."""
    frames = np.empty((len(x_test), 24, 24, 3), "float32")
    for number, (down, right_by) in enumerate(DIRECTIONS):
        chosen = drawn == number
        frames[chosen] = middle(x_test[chosen], distance * down, distance * right_by)
    return frames


steady = {}  # kind → (seeds, distances): share of the pictures with the same verdict, in per cent
for kind in KINDS:
    verdicts = np.array(
        [[says(model, moved(distance)) for distance in range(5)] for model in trained[kind]]
    )
    steady[kind] = 100 * np.mean(verdicts == verdicts[:, :1], axis=2)

print(f"{'pixels':17}" + "".join(f"{distance:>13}" for distance in range(1, 5)))
for kind in KINDS:
    pairs = zip(steady[kind].mean(axis=0)[1:], steady[kind].std(axis=0, ddof=1)[1:], strict=True)
    print(f"{kind:17}" + "".join(f"{mean:7.1f} ± {spread:3.1f}" for mean, spread in pairs))
compare_prediction(prediction_steady, max(KINDS, key=lambda kind: steady[kind][:, 1:].mean()))

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.2, 3.5), layout="constrained")
colours = dict(zip(KINDS, ("#000000", "#D55E00", "#0072B2", "#009E73"), strict=True))
for (kind, colour), marker in zip(colours.items(), "Xos^", strict=True):
    mean, spread = steady[kind].mean(axis=0), steady[kind].std(axis=0, ddof=1)
    axes[0].errorbar(range(5), mean, spread, marker=marker, color=colour, capsize=3, label=kind)
    scores = 100 * right[kind].mean(axis=1)
    row = -KINDS.index(kind)
    axes[1].plot(scores, [row] * len(scores), marker, color=colour, mfc="none", mew=1.6, ms=8)
    axes[1].plot([scores.mean()], [row], "|", ms=24, mew=2.5, color=colour)
axes[0].set(xlabel="pixels moved", ylabel="says the same as before (%)", ylim=(0, 103))
axes[0].set_xticks(range(5))
axes[0].legend(loc="lower left", fontsize=8.5)
axes[1].set(xlabel="test pictures right (%)", ylim=(-3.6, 0.6))
axes[1].set_yticks([0, -1, -2, -3], KINDS)
axes[1].margins(x=0.1)
for axis in axes:
    axis.grid(alpha=0.3)
show(
    figure,
    alt="Left: how often the verdict stays the same when the frame moves by 1 to 4 pixels. Average "
    "pooling is highest, max pooling a little below, strided lower, and no pooling far below "
    "all of them. Right: accuracy on the test pictures, one mark for each seed and a bar at the "
    "mean: no pooling lowest, strided next, max and average pooling highest and close together.",
)

# %% [markdown]
# The promise holds: without pooling the network changes its mind most often, with pooling least,
# and stride lies in between. Yet in the recorded runs the steadiest is *average* pooling, not max,
# although section 5 found that max pooling leaves most numbers exactly as they were. Perhaps it
# is because those that do change, change by a jump, while means glide. That is a guess. What is
# measured is that the textbook sentence "max pooling makes a network insensitive to small
# movements" leaves something out: after one pixel, one verdict in five is another one.
#
# And steady is not the same as right. A network that says *frog* to everything never changes its
# mind.
#
# ### What 2,000 pictures can show, and what they cannot
#
# They can show the *mechanism*: too many parameters for too few pictures, a gap between what was
# learned and what is known, and a difference on 1,000 test pictures that is larger than its noise,
# or not. They cannot show how good any of these networks would be. So the same four networks were
# also trained, for as many epochs, on all 50,000 pictures, and tested on 10,000. The course keeps a
# record of both scales, made from the cells of this notebook with
# `python -m benchmarks.full_scale 03`. (With `COURSE_SCALE=full` in the environment this notebook
# does the same, and takes half an hour.)

# %% [markdown]
# <!-- results: 03_pooling -->
#
# | network | parameters | quick scale, % right | full scale, % right | epochs | seconds a run |
# |---|--:|--:|--:|--:|--:|
# | no pooling | 1,183,042 | 35.33 ± 1.10 | 56.07 ± 0.91 | 8 / 8 | 35 / 571 |
# | max pooling | 21,826 | 39.87 ± 0.67 | 60.83 ± 0.10 | 8 / 8 | 25 / 146 |
# | average pooling | 21,826 | 38.70 ± 1.08 | 61.46 ± 1.30 | 8 / 8 | 21 / 188 |
# | strided | 21,826 | 37.40 ± 0.69 | 55.05 ± 0.32 | 8 / 8 | 15 / 126 |
#
# Mean ± standard deviation over seeds 1, 2, 3. Recorded 2026-11-26 on 2 cores (AMD EPYC), Python
# 3.11.7, TensorFlow 2.21.0, Keras 3.15.1. Epochs and seconds: quick / full; the seconds depend on
# what else the machine is doing.
#
# <!-- /results -->

# %% [markdown]
# With 25 times as many pictures every network is better by 15 points or more: what was missing was
# pictures, and no layer makes up for that. Pooling is still ahead of both networks without it. The
# network without pooling, with its fifty times as many parameters, has come level with the strided
# one; there is less to overfit now. Whether average pooling beats max pooling is a question for
# the spreads in the table.
#
# ### Exercise 5 · Reading the plots (3 points, marked by hand)
#
# Look at the table of accuracies, the curves, the lines of `judge`, and the last two plots. Answer
# in five to nine sentences, with numbers from **your** run:
#
# 1. With and without pooling: compare training and test accuracy. Which network overfits, how do
#    you see it, and what in section 4 explains it?
# 2. Someone says: "Max pooling makes a network insensitive to small movements; that is why it is
#    the most accurate." Which parts of this do your plots support, and which not?
# 3. Someone else says: "So pooling makes networks better." What has this experiment *not* shown?
#    Name one further run, with another network or other data, that could refute the sentence.

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. Numbers of the run, for example: without pooling 96 % of the pictures learned from are right
#    and 35 % of the test pictures; with max pooling it is 54 % and 40 %, so the gap is 14 points
#    instead of 61. The network without pooling overfits: its first curve goes on climbing while the
#    second has been level for many epochs. Section 4 names the cause: its dense layer gets 9,216
#    numbers instead of 144, so it has fifty times the parameters, for 2,000 pictures; and its
#    convolutions see 7×7 pixels only, so that everything larger is left to that dense layer, which
#    has separate weights for each place.
# 2. Supported: with max pooling the verdict changes less often than without pooling and than with
#    stride. Not supported: "insensitive" (after one pixel a fifth of the verdicts are others, after
#    four pixels four in ten), and "that is why": average pooling is steadier still, and not more
#    accurate. Nor is max pooling shown to be the most accurate: `judge` tells it from no pooling,
#    but in the recorded run neither from average pooling nor from stride.
# 3. It has shown four small networks on 2,000 pictures. Pooling changed several things at once:
#    the number of parameters, the receptive field, the size of the map. The accuracy may come from
#    any of them. Runs that could refute it: no pooling with so few dense units that the number of
#    parameters is the same; no pooling with global average pooling instead of Flatten; stride
#    with as large a field; all 50,000 pictures, or longer training for the pooled networks, which
#    have not learned all they could; a task in which places matter.
#
# Marking: one point for each part. (1) numbers *and* parameters (or field) as the cause. (2) one
# supported and one unsupported part, each with a plot or a line of `judge`. (3) a second cause or a
# limit of the data *and* a run that could go against the sentence.
# ### END SOLUTION

# %% [markdown]
# ## What the numbers say
#
# - **(100, 100, 15) → (50, 50, 15), 0 parameters.** Pooling keeps the depth, learns nothing, and
#   keeps a quarter. $\lfloor (H-P)/S \rfloor + 1$ for `"valid"`, $\lceil H/S \rceil$ for `"same"`.
# - **4,719,104 against 74,240.** Three poolings of 2×2 make the dense layer behind them 64 times
#   smaller. The convolutions keep their parameters.
# - **7 against 22 pixels.** The same three convolutions see scraps, or nearly the whole picture.
# - **62, 15 and 6 %.** So many numbers stay exactly the same when a photograph moves by one pixel,
#   for the largest, the mean and every fourth number of a window. A single point would give 75 %.
#   Max pooling forgives as far as its window reaches, and no further.
# - **About 61 points against 14.** So far apart were training and test accuracy in the recorded
#   run, without pooling and with max pooling: 96 and 35 %, 54 and 40 %. Fifty times the parameters
#   bought more memory of 2,000 pictures and less knowledge of the others.
# - **About 62, 75, 80 and 88 %** of the verdicts survived a move of one pixel: no pooling, stride,
#   max, average. Pooling steadies a network. It makes none of them insensitive.
# - **25,089,000 against 513,000.** Global average pooling instead of `Flatten` under a layer of
#   1,000 classes. The vector is as long as the volume was deep, whatever the size of the picture.
#
# ## Further reading
#
# - M. Lin, Q. Chen, S. Yan: *Network in network*, ICLR 2014, arXiv:1312.4400. Global average
#   pooling in place of dense layers.
# - D. Scherer, A. Müller, S. Behnke: *Evaluation of pooling operations in convolutional
#   architectures for object recognition*, ICANN 2010. Max against average, measured early.
# - Y.-L. Boureau, J. Ponce, Y. LeCun: *A theoretical analysis of feature pooling in visual
#   recognition*, ICML 2010. When the maximum is the better summary, and when the mean.
# - J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller: *Striving for simplicity: the all
#   convolutional net*, ICLR 2015 workshop, arXiv:1412.6806. Strides in place of pooling.
# - R. Zhang: *Making convolutional networks shift-invariant again*, ICML 2019. Blur before you
#   subsample: what section 5's "every fourth" lacks.
# - A. Azulay, Y. Weiss: *Why do deep convolutional networks generalize so poorly to small image
#   transformations?*, JMLR 20 (2019).
# - G. Hinton: *Ask me anything*, Reddit, r/MachineLearning, November 2014. The sentence about
#   the big mistake.
# - Keras documentation, *Pooling layers*, <https://keras.io/api/layers/pooling_layers/>.
