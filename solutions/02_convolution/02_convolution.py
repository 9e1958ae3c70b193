# %% [markdown]
# # 02 · Convolution, the Conv2D layer and its formulas
#
# A convolution looks at a picture through a small window, and asks the same question at every
# place. That is nearly all of it. The rest is bookkeeping: how far the window moves, what happens
# at the border, how many questions are asked, how many numbers must be learned. This lesson makes
# you fluent in that bookkeeping, because every later lesson rests on it.
#
# **You will be able to**
#
# - compute by hand what a `Conv2D` layer does to a picture, and write it in NumPy;
# - predict the output shape and the number of parameters of any chain of `Conv2D` layers;
# - explain what local connectivity and parameter sharing save, in numbers;
# - say which pixels one output number can see, and how stride, depth and dilation widen that view.
#
# **Budget**, measured on 2 CPU cores: about 15 seconds to run (half of them for importing Keras),
# 0.7 GB of memory, 0 bytes of download: both photographs come with the course. Reading, thinking
# and the exercises: two to three hours.
#
# There are six exercises, 20 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded.

# %% nbgrader={"grade_id": "setup", "locked": true}
import math
import operator
import os

import matplotlib.pyplot as plt
import numpy as np

from autograder import checks
from autograder.experiments import compare_prediction
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import by_scale, load_photograph

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # before Keras is imported
with quiet_imports():
    import keras
    import tensorflow as tf

use_course_style()
keras.utils.set_random_seed(2)

# %% nbgrader={"grade_id": "drawing_grids", "locked": true}
# Only drawing in this cell: read it some other day.


def draw_grid(axis, values, title="", *, limits=None, window=None, colour="#D55E00", cmap="gray"):
    """Draw a small array as coloured squares with the numbers written on them."""
    low, high = limits or (np.min(values), np.max(values))
    axis.imshow(values, cmap=cmap, vmin=low, vmax=high)
    palette = plt.get_cmap(cmap)
    size = 9 if len(values) < 8 else 7.5
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = palette((value - low) / max(high - low, 1e-9))
        ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
        axis.text(column, row, f"{value:g}", ha="center", va="center", color=ink, size=size)
    if window:
        row, column, height, width = window
        axis.add_patch(
            plt.Rectangle((column - 0.5, row - 0.5), width, height, fill=False, ec=colour, lw=3)
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
# ## 1 · From one dot product to a feature map
#
# Take six by six pixels of a photograph: the hem of a dark coat, with a bright lawn to its right.
# Lay a **window** of 3×3 on them. Take nine more numbers, the **kernel**. Multiply each pixel
# under the window by the number of the kernel at the same place, and add the nine products. That
# is a dot product, and its result is *one* number of the output.
#
# Move the window by one pixel and do it again, with **the same kernel**. When the window has been
# everywhere, the results form a small picture of their own, the **feature map**: it tells how
# strongly the feature that the kernel looks for is present at each place.
#
# This kernel subtracts what is on the left from what is on the right. So it answers strongly where
# dark meets bright.

# %%
# NBVAL_CHECK_OUTPUT
camera = load_photograph("camera").astype("float32")
patch = camera[205:211, 70:76]
right_minus_left = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], "float32")

row, column = 1, 1  # ← move the window: 0 … 3
window = patch[row : row + 3, column : column + 3]
print("pixels under the window times kernel:")
print((window * right_minus_left).astype(int))
print("their sum:", int((window * right_minus_left).sum()))

# %% [markdown]
# Keras does the same at every place at once. `keras.ops.conv` wants a batch of pictures
# `(pictures, height, width, depth)` and a kernel `(height, width, depth, filters)`; we have one
# picture, depth 1 and one filter, hence the extra axes. Find the sum from above in the feature
# map.

# %%
feature_map = keras.ops.conv(
    patch[np.newaxis, :, :, np.newaxis], right_minus_left[:, :, np.newaxis, np.newaxis]
)
feature_map = np.array(feature_map)[0, :, :, 0]

figure, axes = plt.subplots(1, 3, figsize=(8, 3.1), width_ratios=[6, 3.6, 4.4])
draw_grid(axes[0], patch, "pixels, 6×6", limits=(0, 255), window=(row, column, 3, 3))
draw_grid(axes[1], right_minus_left, "kernel, 3×3", limits=(-2.2, 2.2), cmap="cividis")
draw_grid(
    axes[2],
    feature_map,
    "feature map, 4×4",
    limits=(-450, 450),
    cmap="cividis",
    window=(row, column, 1, 1),
)
figure.text(0.432, 0.45, "×", size=20, ha="center", va="center")
figure.text(0.665, 0.45, "→", size=22, ha="center", va="center")
show(
    figure,
    alt="Three grids of numbers. A 3 by 3 window lies on 6 by 6 pixels, dark on the left and "
    "bright on the right. The kernel has columns −1, 0, 1. Their product summed is one marked "
    "number of the 4 by 4 feature map. Its third column holds the largest numbers: there the "
    "window straddles the edge.",
)

# %% [markdown]
# ### The words you will meet
#
# | word | meaning |
# |---|---|
# | **window**, size $F$ | how many pixels one output number looks at: $F$ rows and $F$ columns |
# | **kernel** | the $F·F·D_{in}$ numbers that the window is multiplied by. They are *learned* |
# | **bias** | one more learned number, added to the sum |
# | **filter** | one kernel with its bias. A layer has $K$ filters and makes $K$ feature maps |
# | **depth** $D_{in}$ | numbers at each place of the input: 1 for grey, 3 for colours |
# | **stride** $S$ | how many pixels the window moves at a time |
# | **padding** | `"valid"`: the window stays on the picture. `"same"`: zeros are put around it |
#
# After a layer of $K$ filters the depth is $K$: for the next layer, that is $D_{in}$. With stride
# 1, padding `"same"` gives the output the same size as the input; hence its name.
#
# To move a window with your own hands, product by product, with any stride, padding and kernel,
# open [convolution_stepper](../../playground/convolution_stepper.ipynb) in the course's folder
# `playground`.
#
# In Keras a whole layer reads
# `keras.layers.Conv2D(filters, kernel_size, strides=1, padding="valid")`. Those are the defaults:
# stride 1, no padding. An activation such as ReLU may follow; it changes no shape and has no
# parameters, so this lesson leaves it out.
#
# ## 2 · Hand-made filters on a real photograph
#
# Before networks learned their kernels, people designed them. A layer of four filters asks four
# questions at once; here we write its weights by hand. Two of the kernels are named after Irwin
# Sobel: a difference in one direction, a little smoothing in the other.
#
# **Predict.** On the photograph below, the far bank of the river and the buildings on it make a
# broad *horizontal* line. Which kernel answers more strongly there: the one that compares left
# with right, or the one that compares above with below?

# %%
prediction_kernel = None  # "left-right" or "above-below"

# %%
sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
kernels = {
    "left-right": np.pad(sobel, 2),
    "above-below": np.pad(sobel.T, 2),
    "blur": np.full((7, 7), 1 / 49),
    "sharpen": np.pad([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], 2),
}

grey = (
    camera[:: by_scale(quick=1, full=1, grading=4), :: by_scale(quick=1, full=1, grading=4)] / 255
)
layer = keras.layers.Conv2D(filters=4, kernel_size=7, padding="same", use_bias=False)
layer.build((None, *grey.shape, 1))
layer.set_weights([np.stack(list(kernels.values()), axis=-1)[:, :, np.newaxis, :]])
maps = np.array(layer(grey[np.newaxis, :, :, np.newaxis]))[0]
print("input", grey.shape, "→ four feature maps", maps.shape)

# %%
figure, axes = plt.subplots(2, 3, figsize=(7.4, 5.2), layout="constrained")
edges = {"cmap": plt.get_cmap("cividis", 21), "vmin": -0.5, "vmax": 0.5}
light = {"cmap": plt.get_cmap("gray", 24), "vmin": 0, "vmax": 1}
draw_picture(axes[0, 0], grey, "the photograph", **light)
for axis, name, place in zip(axes.flat[1:], kernels, range(4), strict=False):
    draw_picture(axis, maps[:, :, place], name, **(edges if place < 2 else light))
strength = np.hypot(maps[..., 0], maps[..., 1])
any_edge = {"cmap": plt.get_cmap("viridis", 16), "vmin": 0, "vmax": 0.8}
draw_picture(axes[1, 2], strength, "edges of any direction", **any_edge)
show(
    figure,
    alt="A photograph of a man with a film camera, and what five hand-made filters make of it. "
    "left-right draws the upright lines of coat, tower and tripod and is blind to the horizon; "
    "above-below does the reverse. blur washes out detail and darkens the border, sharpen "
    "exaggerates detail, and the two edge maps together give an outline drawing.",
)

# %% [markdown]
# In the edge maps the middle colour is zero: nothing changes there. Bright means from dark to
# bright (towards the right, or downwards), dark blue means the reverse. Look at the lawn, too: the
# blur has nearly removed its grain. And look at the border of the blurred picture. It is dark,
# because the zeros of `"same"` padding were mixed in. Section 7 comes back to that.

# %%
strip = slice(round(0.34 * len(grey)), round(0.47 * len(grey)))
right_side = slice(round(0.7 * len(grey)), round(0.97 * len(grey)))
strength = np.abs(maps[strip, right_side, :2]).mean(axis=(0, 1))
print(
    f"mean strength at the river bank: left-right {strength[0]:.3f}, above-below {strength[1]:.3f}"
)
compare_prediction(prediction_kernel, list(kernels)[int(strength.argmax())])

# %% [markdown]
# ## 3 · Convolution or cross-correlation?
#
# Mathematicians turn the kernel by 180° before they multiply. That operation is called
# *convolution*. Multiplying without turning is called *cross-correlation*, and it is what `Conv2D`
# does, in Keras and in every other library for networks. Compare both on a row of numbers:

# %%
# NBVAL_CHECK_OUTPUT
signal = np.array([0, 1, 2, 3, 0, 0], "float32")
small_kernel = np.array([1, 0, -2], "float32")

by_keras = keras.ops.conv(signal.reshape(1, 6, 1), small_kernel.reshape(3, 1, 1))
print("signal", signal.astype(int), "  kernel", small_kernel.astype(int))
print("cross-correlation (np.correlate):", np.correlate(signal, small_kernel, "valid").astype(int))
print("convolution (np.convolve):       ", np.convolve(signal, small_kernel, "valid").astype(int))
print("Keras:                           ", np.array(by_keras).ravel().astype(int))

# %% [markdown]
# In two dimensions one bright pixel shows it best: the answer to a single point is a picture of
# the kernel itself. We let the kernel be the letter F. For a true convolution we take a route of
# its own: multiplying Fourier transforms *is* convolution, flip included.

# %%
letter = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]], "float32")
letter = np.pad(letter, ((0, 0), (1, 1)))  # 5×5
point = np.zeros((11, 11), "float32")
point[5, 5] = 1


def keras_map(picture, kernel):
    """One grey picture, one kernel, padding "same"."""
    answer = keras.ops.conv(picture[None, :, :, None], kernel[:, :, None, None], padding="same")
    return np.array(answer)[0, :, :, 0]


full_size = (15, 15)  # room for 11 + 5 − 1 places
fourier = np.fft.irfft2(np.fft.rfft2(point, full_size) * np.fft.rfft2(letter, full_size), full_size)
fourier = fourier[2:-2, 2:-2].round(6)

figure, axes = plt.subplots(1, 4, figsize=(8, 2.3), layout="constrained")
draw_picture(axes[0], point, "the picture")
draw_picture(axes[1], letter, "the kernel")
draw_picture(axes[2], keras_map(point, letter), "Conv2D:\ncross-correlation")
draw_picture(axes[3], fourier, "mathematics:\nconvolution")
show(
    figure,
    alt="A picture with one bright pixel and a kernel shaped like the letter F. Keras answers with "
    "the F turned upside down, by 180 degrees; a true convolution answers with the F upright.",
)
flipped = keras_map(point, letter[::-1, ::-1])
print("Keras with the flipped kernel = convolution:", np.allclose(flipped, fourier, atol=1e-5))
sobel_flipped = sobel[::-1, ::-1]
print("Sobel's kernel flipped is its negative:     ", np.array_equal(sobel_flipped, -sobel))

# %% [markdown]
# Does it matter? Not for learning: a network that needs the flipped kernel learns the flipped
# kernel. It does matter when you carry kernels from a textbook on signals into a network: Sobel's
# edges change their sign. In this course *convolution* means what `Conv2D` does.
#
# ## 4 · Depth: one filter, all the colours
#
# A colour picture has depth 3. A filter then has depth 3 as well: one slice for red, one for
# green, one for blue. The window covers all three layers at once, and **all products go into one
# sum**. One filter gives one feature map, however deep the input is.
#
# Here is a filter that looks for red: it adds the red under a 5×5 window, and takes away half of
# the green and half of the blue.

# %%
coffee = load_photograph("coffee").astype("float32") / 255
red_finder = np.empty((5, 5, 3, 1), "float32")
red_finder[:] = np.array([[1], [-0.5], [-0.5]]) / 25  # red, green, blue

layer = keras.layers.Conv2D(filters=1, kernel_size=5, padding="same", use_bias=False)
layer.build((None, *coffee.shape))
layer.set_weights([red_finder])
redness = np.array(layer(coffee[np.newaxis]))[0, :, :, 0]

slices = [keras_map(coffee[:, :, d], red_finder[:, :, d, 0]) for d in range(3)]
print(f"kernel {red_finder.shape}: {red_finder.size} weights, one feature map {redness.shape}")
print("the three slices' answers add up to it:", np.allclose(sum(slices), redness, atol=1e-5))

# %%
spot = (150, 60)  # row and column of a place on the saucer
parts = [answer[spot] for answer in slices]

figure, axes = plt.subplots(1, 2, figsize=(6.6, 2.4), width_ratios=[1.5, 1], layout="constrained")
draw_picture(axes[0], coffee, "the photograph, depth 3")
axes[0].plot(spot[1], spot[0], "o", ms=10, mfc="none", mec="white", mew=2)
bars = axes[1].bar(
    ["red", "green", "blue", "sum"],
    [*parts, redness[spot]],
    color=["#888888"] * 3 + ["#000000"],
)
axes[1].bar_label(bars, fmt="%.2f", padding=2, size=9)
axes[1].axhline(0, color="black", lw=0.8)
axes[1].set(title="the three parts at the ringed place", ylim=(-0.2, 0.8), yticks=[])
axes[1].spines[["left", "bottom"]].set_visible(False)
axes[1].tick_params(length=0)
show(
    figure,
    alt="A photograph of an espresso in a white cup on a red saucer, with a ring on the saucer. "
    "Bars: there the red slice gives 0.65, green and blue take away little, so the sum stays "
    "above 0.5.",
)

figure, axes = plt.subplots(1, 4, figsize=(8, 1.75), layout="constrained")
for axis, name, answer in zip(
    axes,
    ("red · 1", "green · (−½)", "blue · (−½)", "their sum"),
    [*slices, redness],
    strict=True,
):
    drawn = axis.imshow(answer, cmap=plt.get_cmap("cividis", 41), vmin=-1, vmax=1)
    axis.set_title(name)
    axis.axis("off")
figure.colorbar(drawn, ax=axes, shrink=0.7)
show(
    figure,
    alt="Four maps of the same photograph. The red slice is bright on saucer and coffee, but "
    "brighter still on the white cup. The green and blue slices are darkest on the white cup. "
    "In the sum the white rim of the cup is near zero; saucer and coffee are the brightest.",
)

# %% [markdown]
# The red slice alone cannot tell red from white: white holds much red, too. Only the sum over
# depth can.
#
# ## 5 · What a convolution saves: local connections, shared weights
#
# A dense layer connects every input with every output, and each connection has a weight of its
# own. A convolution makes two bets about pictures:
#
# 1. **Local connectivity.** What belongs together lies together. One output looks at one window
#    only.
# 2. **Parameter sharing.** What is worth looking for *here* is worth looking for *there*. All
#    places use the same kernel.

# %% nbgrader={"grade_id": "drawing_connections", "locked": true}
# Only drawing in this cell.


def draw_connections(axis, title, pairs, colours):
    """Draw 8 inputs, 6 outputs and a coloured line for each (input, output)."""
    for (start, end), colour in zip(pairs, colours, strict=True):
        axis.plot([start, end + 1], [0, 1], color=colour, lw=1.6, zorder=1)
    axis.scatter(range(8), [0] * 8, s=75, color="white", ec="black", zorder=2)
    axis.scatter(range(1, 7), [1] * 6, s=75, color="black", zorder=2)
    axis.set(title=title, ylim=(-0.15, 1.15))
    axis.axis("off")


# %%
everything = [(i, o) for o in range(6) for i in range(8)]
windows = [(o + t, o) for o in range(6) for t in range(3)]

figure, axes = plt.subplots(1, 3, figsize=(7.5, 2), layout="constrained")
many = [plt.get_cmap("viridis")(i / 47) for i in range(48)]
draw_connections(axes[0], f"dense:\n{len(everything)} weights", everything, many)
draw_connections(axes[1], f"local:\n{len(windows)} weights", windows, many[4::2][: len(windows)])
draw_connections(
    axes[2], "local and shared:\n3 weights", windows, ["#0072B2", "#D55E00", "#E69F00"] * 6
)
show(
    figure,
    alt="Eight inputs below, six outputs above, three times. Dense: 48 lines of 48 colours. Local: "
    "each output has three lines to its neighbours, 18 colours. Local and shared: the same 18 "
    "lines, but only three colours that repeat at every output: three weights do all the work.",
)

# %% [markdown]
# ### In numbers: the first layer of AlexNet
#
# AlexNet won the ImageNet challenge of 2012. Its first layer takes pictures of 227×227×3 and has
# 96 filters of 11×11 with stride 4, unpadded. Its output is 55×55×96.
#
# **Predict.** With sharing the layer has about 35 thousand parameters. Suppose each of the
# 55×55×96 output numbers had a kernel and a bias of its own, for the same window. How many
# parameters would that be? An order of magnitude is enough.

# %%
prediction_unshared = None  # for example 1_000_000

# %%
# NBVAL_CHECK_OUTPUT
alexnet_1 = keras.Sequential([keras.Input((227, 227, 3)), keras.layers.Conv2D(96, 11, strides=4)])
places = math.prod(alexnet_1.output_shape[1:])
one_window = 11 * 11 * 3
shared = alexnet_1.count_params()
unshared = places * (one_window + 1)
print(f"output {alexnet_1.output_shape[1:]}: {places:,} numbers, each from {one_window} inputs")
print(f"shared    {shared:>13,} parameters")
print(f"unshared  {unshared:>13,} parameters, {unshared // shared:,} times as many")

# %%
if prediction_unshared is None:
    print("You wrote down no prediction.")
else:
    print(
        f"You predicted {prediction_unshared:,}, {prediction_unshared / unshared:.2g} times that."
    )

# %% [markdown]
# That one layer would hold more than the whole of AlexNet, 60 million by its paper. And a dense
# layer to the same output would need 227·227·3 weights for each number instead of 363. (Keras once
# had a layer without sharing, `LocallyConnected2D`. Keras 3 dropped it.) The paper says 224×224
# where we say 227×227. With 224 neither padding of Keras gives the paper's 55 (try it: section 6);
# with 227, as in Caffe's copy, `"valid"` does.
#
# Sharing is a bet on a **statistical invariant**: a regularity of the data that stays the same
# when you move. An edge is an edge in any corner of the picture. Networks for text make the same
# bet:
#
# - an **embedding** (a table of one learned vector a word) gives a word the same vector at each
#   position of the sentence;
# - a **recurrent** layer (it reads word after word) uses the same weights at each time step.
#
# There the invariant is moving in *time*; here it is moving in *space*.

# %%
# NBVAL_CHECK_OUTPUT
embedding = keras.layers.Embedding(10_000, 50)
embedding.build((None, 100))
recurrent = keras.layers.SimpleRNN(64)
recurrent.build((None, 100, 50))

print(f"{'':44}{'shared':>12}{'unshared':>14}")
for name, parameters, copies in (
    ("embedding, 10,000 words × 50, 100 positions", embedding.count_params(), 100),
    ("recurrent layer, 50 → 64 units, 100 steps", recurrent.count_params(), 100),
    ("AlexNet's first layer, 55 × 55 places", shared, 55 * 55),
):
    print(f"{name:44}{parameters:>12,}{parameters * copies:>14,}")

# %% [markdown]
# Each unshared figure is the shared one times the number of positions, steps or places. That is
# all that sharing is.
#
# When is the bet lost? When position itself carries meaning: in passport photographs the eyes are
# always in the upper half, and a detector of eyes need not search the chin. For most pictures the
# bet wins.
#
# ### Counting the parameters of a Conv2D layer
#
# One filter has a weight for each of the $F·F·D_{in}$ numbers under its window, and one bias.
# There are $K$ filters:
#
# $$\text{parameters} \;=\; K·F·F·D_{in} \;+\; K$$
#
# The height and the width of the picture are not in the formula. Nor are stride and padding.

# %% [markdown]
# ### Exercise 1 · `conv2d_parameters` (2 points)
#
# Count the parameters of a `Conv2D` layer. Two things go beyond the formula: the window may be a
# rectangle, and the biases may be switched off (`use_bias=False`, usual before batch
# normalisation).


# %% nbgrader={"grade_id": "conv2d_parameters", "solution": true}
def conv2d_parameters(filters, kernel, depth, use_bias=True):
    """Count the parameters of a Conv2D layer.

    Parameters
    ----------
    filters : int
        Number of filters, K.
    kernel : int or (int, int)
        Side of a square window, or (height, width) of a rectangular one.
    depth : int
        Depth of the input.
    use_bias : bool
        Whether filters have a bias.

    Returns
    -------
    int
    """
    ### BEGIN SOLUTION
    height, width = kernel if isinstance(kernel, tuple | list) else (kernel, kernel)
    return filters * (height * width * depth + bool(use_bias))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_conv2d_parameters", "grade": true, "points": 2}
exercise = checks.Exercise(
    "conv2d_parameters",
    points=2,
    hints={
        "bias-forgotten": "All the weights are there, but a filter also adds a number to its sum.",
        "depth-forgotten": "A kernel is not flat: it has a slice for each layer of the input.",
        "one-bias-only": "The layer asks many questions, and each of them has its own bias.",
        "bias-per-weight": "The bias is added once, after the sum: not to each product.",
        "window-not-squared": "A window has rows and columns, and you counted one side only.",
        "one-side-for-both": "The window is a rectangle here: both its sides count.",
        "bias-not-switched-off": "With use_bias=False there is nothing to add to the sums.",
    },
)
exercise.number(
    "10 filters of 5×5 over depth 3",
    lambda: conv2d_parameters(10, 5, 3),
    760,
    mistakes={
        "bias-forgotten": 750,
        "depth-forgotten": 260,
        "one-bias-only": 751,
        "bias-per-weight": 1500,
        "window-not-squared": 160,
    },
)
exercise.number(
    "24 filters of 3×7 over depth 16",
    lambda: conv2d_parameters(24, (3, 7), 16),
    8088,
    mistakes={
        "bias-forgotten": 8064,
        "depth-forgotten": 528,
        "one-bias-only": 8065,
        "bias-per-weight": 16128,
        "one-side-for-both": 3480,
    },
)
exercise.number(
    "6 filters of 4×4 over depth 2, without biases",
    lambda: conv2d_parameters(6, 4, 2, use_bias=False),
    192,
    mistakes={"bias-not-switched-off": 198, "depth-forgotten": 96},
)
### BEGIN HIDDEN TESTS
for _sides in (1, 2, 1, 2):
    _k, _d = (int(n) for n in exercise.rng.integers(5, 60, size=2))
    _h, _w = (int(n) for n in exercise.rng.permutation(np.arange(2, 9))[:2])
    _h = _w if _sides == 1 else _h
    _kernel = _w if _sides == 1 else (_h, _w)
    exercise.hidden.number(
        "a drawn layer, square window" if _sides == 1 else "a drawn layer, rectangular window",
        lambda _k=_k, _d=_d, _kernel=_kernel: conv2d_parameters(_k, _kernel, _d),
        _k * _h * _w * _d + _k,
        mistakes={
            "bias-forgotten": _k * _h * _w * _d,
            "depth-forgotten": _k * _h * _w + _k,
            "one-bias-only": _k * _h * _w * _d + 1,
            "bias-per-weight": 2 * _k * _h * _w * _d,
            ("window-not-squared" if _sides == 1 else "one-side-for-both"): (
                _k * (_h if _sides == 2 else 1) * _h * _d + _k
            ),
        },
    )
exercise.hidden.number(
    "a drawn layer without biases",
    lambda: conv2d_parameters(_k, _kernel, _d, use_bias=False),
    _k * _h * _w * _d,
    mistakes={
        "bias-not-switched-off": _k * _h * _w * _d + _k,
        "depth-forgotten": _k * _h * _w,
        "one-side-for-both": _k * _h * _h * _d,
    },
)
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 6 · The size of the output
#
# **Depth.** $K$ filters, $K$ feature maps: the depth of the output is $K$. The depth of the input
# plays no part in it.
#
# **Height and width.** Think of one axis with $H$ pixels and a window of $F$.
#
# - `"valid"`: the window can start at pixel 0, 1, …, $H-F$. Those are $H-F+1$ places. With stride
#   $S$ it visits every $S$-th of them, the first included. So the output has
#   $\lceil (H-F+1)/S \rceil$ numbers. ($\lceil x \rceil$, `math.ceil`, rounds up.)
# - `"same"`: zeros are added so that the window may start at every $S$-th pixel of the picture,
#   whatever its size: $\lceil H/S \rceil$ numbers.
#
# How many zeros? Just enough for the last window:
# $P = \max\big((\lceil H/S \rceil - 1)·S + F - H,\; 0\big)$. Keras puts $\lfloor P/2 \rfloor$ of
# them before the picture and the rest after it. PyTorch, when you give it a number, pads *both*
# sides by that number, and then the windows may lie elsewhere. Here is one axis with $H=10$,
# $F=3$, $S=2$:

# %% nbgrader={"grade_id": "drawing_axis", "locked": true}
# Only drawing in this cell.


def draw_axis_windows(axis, title, starts, before, after, unseen=()):
    """Draw 10 pixels in a row with zeros around them, and the windows of 3 that look at them."""
    for pixel in range(-before, 10 + after):
        zero, lost = not 0 <= pixel < 10, pixel in unseen
        face = "white" if lost else "#D9D9D9" if zero else "#9CC9E8"
        ink = "#999999" if lost else "black"
        axis.add_patch(
            plt.Rectangle((pixel + 0.03, 0), 0.94, 1, fc=face, ec=ink, ls=":" if lost else "-")
        )
        text = "0" if zero else f"$x_{pixel}$"
        axis.text(pixel + 0.5, 0.5, text, ha="center", va="center", color=ink)
    for place, start in enumerate(starts):
        level = -0.3 - 0.35 * (place % 2)
        colour = ("#D55E00", "#009E73")[place % 2]
        axis.plot([start + 0.08, start + 2.92], [level, level], color=colour, lw=4)
    axis.set(xlim=(-1.6, 11.6), ylim=(-0.9, 1.15), aspect="equal")
    axis.set_title(title, loc="left")
    axis.axis("off")


# %%
figure, axes = plt.subplots(3, 1, figsize=(8, 5.1), layout="constrained")
draw_axis_windows(
    axes[0], "'valid': 4 windows, and pixel 9 is never seen", range(0, 8, 2), 0, 0, unseen=(9,)
)
draw_axis_windows(
    axes[1],
    "'same' in Keras: 5 windows, P = 1, the zero goes after the picture",
    range(0, 10, 2),
    0,
    1,
)
draw_axis_windows(
    axes[2],
    "a zero on either side (other libraries): also 5 windows, each one pixel further left",
    range(-1, 9, 2),
    1,
    1,
    unseen=(10,),
)
show(
    figure,
    alt="Ten pixels in a row under windows of three with stride two, three times. valid: four "
    "windows, pixel 9 is pale because no window reaches it. same in Keras: five windows, one "
    "zero after the picture. A zero on either side: five windows too, but all start one pixel "
    "further left and the zero at the end is never reached.",
)

# %%
# NBVAL_CHECK_OUTPUT
ramp = np.arange(10, dtype="float32")
ones = np.ones((3, 1, 1), "float32")


def sums(values, padding):
    """Answers of a window of three ones with stride 2, as whole numbers."""
    answer = keras.ops.conv(values.reshape(1, -1, 1), ones, strides=2, padding=padding)
    return np.array(answer).ravel().astype(int)


print("pixels                ", ramp.astype(int))
print("'valid'               ", sums(ramp, "valid"))
print("'same' in Keras       ", sums(ramp, "same"))
print("a zero on either side ", sums(np.pad(ramp, 1), "valid"))

# %% [markdown]
# The last two lines have the same length and share not one number. Whoever moves weights from one
# library to another meets this.
#
# ### The formula against Keras
#
# Never believe a formula that you can try. Here it meets Keras for each $H$ from 4 to 19, each $F$
# from 1 to 4, each $S$ from 1 to 3 and both paddings:

# %%
# NBVAL_CHECK_OUTPUT
heights = by_scale(quick=range(4, 20), full=range(4, 20), grading=range(4, 6))
cases = agreements = 0
for H in heights:
    for F in range(1, 5):
        for S in range(1, 4):
            formula = {"same": math.ceil(H / S), "valid": math.ceil((H - F + 1) / S)}
            for padding, size in formula.items():
                layer = keras.layers.Conv2D(1, F, strides=S, padding=padding)
                cases += 1
                agreements += layer.compute_output_shape((None, H, H, 1)) == (None, size, size, 1)
print(f"{agreements} of {cases} cases agree")

# %% [markdown]
# ### Why other books say something else
#
# You will find $(H-F)/S+1$ in many places, without a word on what happens when it is no whole
# number. There are three customs. Take $H=10$, $F=3$, $S=2$ without padding, as in the first row
# of the drawing:

# %%
# NBVAL_CHECK_OUTPUT
H, F, S = 10, 3, 2
places = (H - F) / S + 1
built = keras.layers.Conv2D(1, F, strides=S).compute_output_shape((None, H, H, 1))[1]
print(f"(H − F)/S + 1                           {places}")
print(f"round down: leave the last pixels out   {math.floor(places)}")
print(f"round up: let the window hang over      {math.ceil(places)}")
print(f"reject: these windows do not fit        {'an error' if places % 1 else int(places)}")
print(f"this lesson, ceil((H − F + 1)/S)        {math.ceil((H - F + 1) / S)}")
print(f"Keras                                   {built}")

# %% [markdown]
# - **Round down**: PyTorch's convolutions, and the guide by Dumoulin and Visin. Keras, too: in
#   whole numbers $\lfloor (H-F)/S \rfloor + 1$ and $\lceil (H-F+1)/S \rceil$ are always equal,
#   only written differently. What goes wrong is to mix the two: $\lfloor (H-F+1)/S \rfloor$ is in
#   no book.
# - **Round up**: Caffe's pooling, and PyTorch's pooling with `ceil_mode=True`.
# - **Reject**: the notes of Stanford's CS231n use this very case as an example of a stride that
#   does not fit. It is a sound habit for a designer: nothing is thrown away unseen.
#
# ### Four worked examples
#
# | input | layer | height and width | parameters |
# |---|---|---|---|
# | (200, 200, 1) | 16 filters of 2, stride 2, valid | ⌈199/2⌉ = ⌈99.5⌉ = 100 | 16·2·2·1+16 = 80 |
# | (128, 128, 3) | 32 filters of 3, stride 2, same | ⌈128/2⌉ = 64 | 32·3·3·3+32 = 896 |
# | (100, 100, 16) | 32 filters of 3, stride 1, same | 100 | 32·3·3·16+32 = 4,640 |
# | (100, 100, 32) | 64 filters of (2, 2), the defaults | **?** | **?** |
#
# The depth of the output is the number of filters, as always.
#
# **Predict** the last line before you run the model.

# %%
prediction_shape = None  # (height, width, depth)
prediction_parameters = None

# %%
# NBVAL_CHECK_OUTPUT
examples = [
    ((200, 200, 1), keras.layers.Conv2D(16, 2, strides=2)),
    ((128, 128, 3), keras.layers.Conv2D(32, 3, strides=2, padding="same")),
    ((100, 100, 16), keras.layers.Conv2D(32, 3, padding="same")),
    ((100, 100, 32), keras.layers.Conv2D(64, (2, 2))),
]
for shape, layer in examples:
    model = keras.Sequential([keras.Input(shape), layer])
    print(f"{shape!s:15} → {model.output_shape[1:]!s:15} {model.count_params():>6,} parameters")

# %%
compare_prediction(prediction_shape, model.output_shape[1:])
compare_prediction(prediction_parameters, model.count_params())

# %% [markdown]
# (`keras.Input(shape)` is how a model learns the shape of its input today. In older code you will
# see `input_shape=` inside the first layer instead.)
#
# ### Exercise 2 · `conv2d_output_shape` (3 points)
#
# Now both axes at once. Pictures need not be square, and as in Keras the window and the stride may
# each be one whole number or a pair (vertical, horizontal).


# %% nbgrader={"grade_id": "conv2d_output_shape", "solution": true}
def conv2d_output_shape(input_shape, filters, kernel, stride=1, padding="valid"):
    """Predict the output shape of a Conv2D layer.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width and depth of the input.
    filters : int
        Number of filters.
    kernel, stride : int or (int, int)
        Window and stride: one number for both axes, or (vertical, horizontal).
    padding : {"valid", "same"}

    Returns
    -------
    (int, int, int)
        Height, width and depth of the output.
    """
    ### BEGIN SOLUTION
    sizes = []
    for size, window, step in zip(
        input_shape[:2], np.broadcast_to(kernel, 2), np.broadcast_to(stride, 2), strict=True
    ):
        starts = size if padding == "same" else size - window + 1
        sizes.append(math.ceil(starts / step))
    return (*sizes, filters)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_conv2d_output_shape", "grade": true, "points": 3}
exercise = checks.Exercise(
    "conv2d_output_shape",
    points=3,
    hints={
        "same-for-valid": "Unpadded, the window stays on the picture: fewer places to start.",
        "valid-for-same": "With padding 'same' the size of the window plays no part.",
        "floor-for-ceil": "You rounded down. Does an incomplete step hold one more place?",
        "stride-ignored": "That is the size for stride 1.",
        "filters-forgotten": "That is the depth of the input. How many maps does the layer make?",
        "swapped": "Height and width are swapped: the height comes first.",
        "pair-swapped": "In a pair the first number is vertical: it goes with the height.",
        "one-of-the-pair": "Both axes got the same number of a pair.",
    },
)
exercise.shape(
    "(50, 80, 3), 12 filters of 5, stride 3, valid",
    lambda: conv2d_output_shape((50, 80, 3), 12, 5, stride=3, padding="valid"),
    (16, 26, 12),
    mistakes={
        "same-for-valid": (17, 27, 12),
        "floor-for-ceil": (15, 25, 12),
        "stride-ignored": (46, 76, 12),
        "filters-forgotten": (16, 26, 3),
        "swapped": (26, 16, 12),
    },
)
exercise.shape(
    "(50, 80, 3), 12 filters of 7, stride 3, same",
    lambda: conv2d_output_shape((50, 80, 3), 12, 7, stride=3, padding="same"),
    (17, 27, 12),
    mistakes={
        "valid-for-same": (15, 25, 12),
        "floor-for-ceil": (16, 26, 12),
        "stride-ignored": (50, 80, 12),
        "filters-forgotten": (17, 27, 3),
        "swapped": (27, 17, 12),
    },
)
exercise.shape(
    "(99, 64, 16), 64 filters of 2, the defaults",
    lambda: conv2d_output_shape((99, 64, 16), 64, 2),
    (98, 63, 64),
    mistakes={
        "same-for-valid": (99, 64, 64),
        "filters-forgotten": (98, 63, 16),
        "swapped": (63, 98, 64),
    },
)
exercise.shape(
    "(60, 90, 3), 8 filters of (3, 7), stride (2, 4), valid",
    lambda: conv2d_output_shape((60, 90, 3), 8, (3, 7), stride=(2, 4), padding="valid"),
    (29, 21, 8),
    mistakes={
        "same-for-valid": (30, 23, 8),
        "pair-swapped": (14, 44, 8),
        "one-of-the-pair": (29, 44, 8),
        "stride-ignored": (58, 84, 8),
        "filters-forgotten": (29, 21, 3),
        "swapped": (21, 29, 8),
    },
)
### BEGIN HIDDEN TESTS


def _side(size, window, step, padding, rounded=math.ceil):
    return rounded((size if padding == "same" else size - window + 1) / step)


def _shape(shape, filters, kernel, stride, padding, rounded=math.ceil):
    sides = zip(shape[:2], np.broadcast_to(kernel, 2), np.broadcast_to(stride, 2), strict=True)
    return (*(_side(int(n), int(f), int(s), padding, rounded) for n, f, s in sides), filters)


for _case in range(8):
    _padding = ("valid", "same")[_case % 2]
    _other = ("same", "valid")[_case % 2]
    while True:
        _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(31, 120))[:2])
        _input = (_height, _width, int(exercise.rng.integers(1, 20)))
        _filters = int(exercise.rng.integers(21, 65))
        _kernel, _stride = (int(exercise.rng.integers(4, 9)), int(exercise.rng.integers(2, 5)))
        if _case >= 4:
            _kernel = tuple(int(n) for n in exercise.rng.permutation(np.arange(2, 9))[:2])
            _stride = tuple(int(n) for n in exercise.rng.permutation(np.arange(2, 6))[:2])
        _right = _shape(_input, _filters, _kernel, _stride, _padding)
        _wrong = {
            ("same-for-valid" if _padding == "valid" else "valid-for-same"): _shape(
                _input, _filters, _kernel, _stride, _other
            ),
            "floor-for-ceil": _shape(_input, _filters, _kernel, _stride, _padding, math.floor),
            "stride-ignored": _shape(_input, _filters, _kernel, 1, _padding),
            "filters-forgotten": (*_right[:2], _input[2]),
            "swapped": (_right[1], _right[0], _right[2]),
        }
        if _case >= 4:
            _turned = _kernel[::-1], _stride[::-1]
            _wrong["pair-swapped"] = _shape(_input, _filters, *_turned, _padding)
            _first = _kernel[0], _stride[0]
            _wrong["one-of-the-pair"] = _shape(_input, _filters, *_first, _padding)
        # A layer on which two mistakes look alike, or a mistake is right, would be unfair.
        if len({_right, *_wrong.values()}) == 1 + len(_wrong):
            break
    _pair = f"{'pairs' if _case >= 4 else 'single numbers'}, {_padding}"
    _layer = {"stride": _stride, "padding": _padding}
    exercise.hidden.shape(
        f"a drawn layer with {_pair}",
        lambda _given=(_input, _filters, _kernel), _layer=_layer: conv2d_output_shape(
            *_given, **_layer
        ),
        _right,
        mistakes=_wrong,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### Exercise 3 · `conv2d` in NumPy (5 points)
#
# You have met all the parts: windows, products, one sum over rows, columns *and depth*, a bias for
# each filter, stride, padding. Put them together. Two loops over the places of the output are
# quite all right. (`np.pad` adds zeros; `np.tensordot` or `np.einsum` can sum over three axes at
# once.)
#
# Check yourself on a sheet of paper first: which rows of the input does output row $i$ look at?


# %% nbgrader={"grade_id": "conv2d", "solution": true}
def conv2d(image, kernel, bias, stride=1, padding="valid"):
    """Do what a Conv2D layer does to one picture.

    Parameters
    ----------
    image : numpy.ndarray
        Shape (H, W, D_in).
    kernel : numpy.ndarray
        Shape (F, F, D_in, K): the weights of K filters, in Keras's order.
    bias : numpy.ndarray
        Shape (K,).
    stride : int
        Stride, the same in both directions.
    padding : {"valid", "same"}
        As in Keras: where an odd number of zeros is needed, the extra one goes after the picture.

    Returns
    -------
    numpy.ndarray
        Shape (height, width, K).
    """
    ### BEGIN SOLUTION
    side, _, _, filters = kernel.shape
    if padding == "same":
        amounts = []
        for size in image.shape[:2]:
            zeros = max((math.ceil(size / stride) - 1) * stride + side - size, 0)
            amounts.append((zeros // 2, zeros - zeros // 2))
        image = np.pad(image, (*amounts, (0, 0)))
    height, width = ((size - side) // stride + 1 for size in image.shape[:2])
    output = np.empty((height, width, filters))
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            under = image[top : top + side, left : left + side]
            output[i, j] = np.tensordot(under, kernel, axes=3) + bias
    return output
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_conv2d", "grade": true, "points": 5}
exercise = checks.Exercise(
    "conv2d",
    points=5,
    hints={
        "kernel-flipped": "The kernel was turned by 180°: that is a mathematician's convolution.",
        "bias-ignored": "The sums of products are right. What is added to them at the end?",
        "stride-ignored": "The window moved by one pixel. How far should it move?",
        "same-for-valid": "You padded although the padding is 'valid'.",
        "valid-for-same": "The padding is 'same', but there are no zeros around the picture.",
        "padding-before": "There are zeros before the picture that belong after it.",
        "padding-both": "Zeros on both sides alike: Keras adds only as many as it needs.",
        "depth-not-summed": "Each slice of the input gave its own map. One filter makes one map.",
        "first-slice-only": "Only the first slice of the input took part in the sum.",
        "last-slice-only": "Only the last slice took part: does a loop overwrite its sum?",
        "depth-averaged": "That is the mean over depth; the products are added, not averaged.",
    },
)
_square = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])[:, :, np.newaxis]
_two = np.array([[1.0, 2.0], [3.0, 4.0]])[:, :, np.newaxis, np.newaxis]


def _as_map(rows):
    """Rows of numbers as a feature map of depth 1."""
    return np.array(rows)[:, :, np.newaxis]


exercise.array(
    "the numbers 1 … 9 as a picture, one filter [[1, 2], [3, 4]], no bias",
    lambda: conv2d(_square, _two, np.array([0.0])),
    _as_map([[37, 47], [67, 77]]),
    mistakes={
        "kernel-flipped": _as_map([[23, 33], [53, 63]]),
        "same-for-valid": _as_map([[37, 47, 21], [67, 77, 33], [23, 26, 9]]),
    },
)
exercise.array(
    "the same with bias 100",
    lambda: conv2d(_square, _two, np.array([100.0])),
    _as_map([[137, 147], [167, 177]]),
    mistakes={
        "bias-ignored": _as_map([[37, 47], [67, 77]]),
        "kernel-flipped": _as_map([[123, 133], [153, 163]]),
    },
)
exercise.array(
    "the same without bias, stride 2, padding 'same'",
    lambda: conv2d(_square, _two, np.array([0.0]), stride=2, padding="same"),
    _as_map([[37, 21], [23, 9]]),
    mistakes={
        "stride-ignored": _as_map([[37, 47, 21], [67, 77, 33], [23, 26, 9]]),
        "valid-for-same": _as_map([[37]]),
        "padding-before": _as_map([[4, 18], [36, 77]]),
        "kernel-flipped": _as_map([[23, 18], [22, 9]]),
    },
)
exercise.array(
    "a deep picture: the numbers 1 … 9, and 10 times that behind it",
    lambda: conv2d(
        np.concatenate([_square, 10 * _square], axis=2),
        np.concatenate([_two, 2 * _two], axis=2),
        np.array([0.0]),
    ),
    _as_map([[777, 987], [1407, 1617]]),
    mistakes={
        "first-slice-only": _as_map([[37, 47], [67, 77]]),
        "last-slice-only": _as_map([[740, 940], [1340, 1540]]),
        "depth-averaged": _as_map([[388.5, 493.5], [703.5, 808.5]]),
        "depth-not-summed": np.reshape([37, 740, 47, 940, 67, 1340, 77, 1540], (2, 2, 2, 1)),
        "kernel-flipped": _as_map([[483, 693], [1113, 1323]]),
    },
)
### BEGIN HIDDEN TESTS


def _keras_conv2d(image, kernel, bias, stride, padding):
    layer = keras.layers.Conv2D(kernel.shape[-1], kernel.shape[:2], strides=stride, padding=padding)
    layer.build((None, *image.shape))
    layer.set_weights([kernel, bias])
    return np.array(layer(image[np.newaxis]))[0]


def _padded(image, side, stride, share):
    amounts = []
    for size in image.shape[:2]:
        zeros = max((math.ceil(size / stride) - 1) * stride + side - size, 0)
        amounts.append(share(zeros))
    return np.pad(image, (*amounts, (0, 0)))


for _side_length, _step, _mode in (
    (3, 1, "valid"),
    (4, 3, "valid"),
    (2, 1, "same"),
    (3, 2, "same"),
    (5, 2, "same"),
    (4, 3, "same"),
    (1, 2, "same"),
):
    _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(7, 13))[:2])
    if _mode == "same" and _step == 2:
        _height, _width = 2 * (_height // 2), 2 * (_width // 2) + 2
    _depth, _filters = (int(n) for n in exercise.rng.integers(2, 5, size=2))
    _image = exercise.rng.normal(size=(_height, _width, _depth)).astype("float32")
    _kernel = exercise.rng.normal(size=(_side_length, _side_length, _depth, _filters))
    _kernel = _kernel.astype("float32")
    _bias = exercise.rng.normal(loc=3, size=_filters).astype("float32")
    _each = [
        _keras_conv2d(_image[..., d : d + 1], _kernel[:, :, d : d + 1], 0 * _bias, _step, _mode)
        for d in range(_depth)
    ]
    _wrong = {
        "kernel-flipped": _keras_conv2d(_image, _kernel[::-1, ::-1], _bias, _step, _mode),
        "bias-ignored": _keras_conv2d(_image, _kernel, 0 * _bias, _step, _mode),
        "stride-ignored": _keras_conv2d(_image, _kernel, _bias, 1, _mode),
        "depth-not-summed": np.stack(_each, axis=2) + _bias,
        "first-slice-only": _each[0] + _bias,
        "last-slice-only": _each[-1] + _bias,
        "depth-averaged": sum(_each) / _depth + _bias,
    }
    if _mode == "valid":
        _wrong["same-for-valid"] = _keras_conv2d(_image, _kernel, _bias, _step, "same")
    else:
        _wrong["valid-for-same"] = _keras_conv2d(_image, _kernel, _bias, _step, "valid")
        for _name, _share in (
            ("padding-before", lambda zeros: (zeros - zeros // 2, zeros // 2)),
            ("padding-both", lambda zeros: (zeros - zeros // 2, zeros - zeros // 2)),
        ):
            _wide = _padded(_image, _side_length, _step, _share)
            _wrong[_name] = _keras_conv2d(_wide, _kernel, _bias, _step, "valid")
    exercise.hidden.array(
        f"{_filters} drawn filters of {_side_length}×{_side_length}, stride {_step}, {_mode}",
        lambda _image=_image, _kernel=_kernel, _bias=_bias, _step=_step, _mode=_mode: conv2d(
            _image, _kernel, _bias, stride=_step, padding=_mode
        ),
        _keras_conv2d(_image, _kernel, _bias, _step, _mode),
        mistakes=_wrong,
        rtol=1e-4,
        atol=1e-4,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 7 · The border effect
#
# With `"valid"` padding each layer of 3×3 takes one pixel off each side. That is not the only
# loss: a pixel in the corner is looked at once, a pixel in the middle nine times. The network
# hardly notices what happens at the border.
#
# **Predict.** A map of 32×32 goes through ten `"valid"` layers of 3×3. How wide is it then? And
# what if the layers have 5×5?

# %%
prediction_width = None  # after ten layers of 3×3

# %%
# NBVAL_CHECK_OUTPUT
widths = {}
for F in (3, 5):
    x = keras.Input((32, 32, 1))
    widths[F] = [32]
    while len(widths[F]) <= 10 and widths[F][-1] >= F:
        x = keras.layers.Conv2D(1, F)(x)
        widths[F].append(x.shape[1])
    print(f"{F}×{F}, valid: {widths[F]}")

# %%
compare_prediction(prediction_width, widths[3][-1])

# %% [markdown]
# With 5×5 the eighth window no longer fits on the map of 4×4. Keras refuses to build that layer.
#
# How often is each pixel seen? Instead of counting, we let Keras tell. Give a filter only ones.
# Add up its whole output, and take the **gradient** of that sum with respect to the picture. The
# gradient at a pixel is the sum of the weights that touched it; all weights are one, so it is the
# number of windows that saw it.


# %%
def times_seen(padding, size=8, F=3):
    """How many windows look at each pixel of a size × size picture."""
    layer = keras.layers.Conv2D(1, F, padding=padding, kernel_initializer="ones")
    picture = tf.Variable(tf.zeros((1, size, size, 1)))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(picture))
    return tape.gradient(total, picture).numpy()[0, :, :, 0]


figure, axes = plt.subplots(1, 3, figsize=(8, 2.9), width_ratios=[1, 1, 1.15], layout="constrained")
for axis, padding in zip(axes, ("valid", "same"), strict=False):
    draw_grid(axis, times_seen(padding), f"times seen, '{padding}'", limits=(0, 9), cmap="viridis")
for F, colour in ((3, "#0072B2"), (5, "#D55E00")):
    axes[2].plot(widths[F], "o-", color=colour, ms=4, label=f"{F}×{F}, valid")
axes[2].plot([32] * 11, color="#000000", ls="--", label="same")
axes[2].set(
    xlabel="layers", ylabel="width of the map", ylim=(0, 36), title="what is left of 32 pixels"
)
axes[2].legend(loc="lower left", fontsize=8, bbox_to_anchor=(0, 0.02))
show(
    figure,
    alt="Two 8 by 8 grids count how many 3 by 3 windows see each pixel: without padding 1 in the "
    "corners, 3 along the edges, 9 inside; with same padding 4, 6 and 9. A plot of map width "
    "against layers: 3 by 3 falls from 32 to 12 in ten layers, 5 by 5 to 4 in seven, same "
    "stays at 32.",
)

# %% [markdown]
# `"same"` keeps the size and is fairer to the border. But it has a price of its own: the zeros are
# not part of the picture, and the layers carry them inwards. To see how far, send a picture of
# nothing but ones through `"same"` layers of ones. Wherever only the picture took part, each layer
# multiplies by exactly 9. Everything smaller has been touched by zeros.

# %%
# NBVAL_CHECK_OUTPUT
x = np.ones((1, 32, 32, 1))
touched = {}
for depth in range(1, 11):
    x = keras.layers.Conv2D(1, 3, padding="same", kernel_initializer="ones", dtype="float64")(x)
    touched[depth] = np.array(x)[0, :, :, 0] / 9**depth
    share = np.mean(np.array(x) < 9**depth)
    if depth in (1, 2, 5, 10):
        print(f"{depth:2} layers: {share:4.0%} of the map depends on zeros from outside")

# %%
figure, axes = plt.subplots(1, 3, figsize=(8, 2.9), layout="constrained")
for axis, depth in zip(axes, (1, 5, 10), strict=True):
    drawn = axis.imshow(touched[depth], vmin=0, vmax=1, cmap="viridis")
    axis.set(title=f"after {depth} layer{'s' if depth > 1 else ''}", xticks=[], yticks=[])
figure.colorbar(drawn, ax=axes, label="value, 1 = untouched", shrink=0.85)
show(
    figure,
    alt="Three maps of 32 by 32 that should be 1 everywhere. After one same-padded layer only the "
    "rim is lower; after five the rim is a broad soft frame; after ten only the middle is "
    "still at 1.",
)

# %% [markdown]
# The frame is $L$ pixels wide after $L$ layers of 3×3. On large maps nobody minds. On small deep
# maps nearly every number has zeros in it. A network can even learn to tell from them *where* in
# the picture it is (Islam and others, below).
#
# ## 8 · The receptive field
#
# One number of the first feature map sees $F×F$ pixels. One number of the second map sees $F×F$
# numbers of the first, and each of those sees pixels of its own. The set of pixels that can change
# an output number is its **receptive field**. What lies outside cannot influence it, whatever the
# weights are.

# %% nbgrader={"grade_id": "drawing_cone", "locked": true}
# Only drawing in this cell.


def draw_cone(axis, title, spacings, rows):
    """Draw stacked maps along one axis, and what one number on top looks at through windows of 3.

    ``spacings[l]`` is the distance in pixels between neighbours of map ``l``; map 0 is the picture.
    """
    reached = {0}
    reach_below = [reached]
    for spacing in spacings[-2::-1]:
        reached = {place + step * spacing for place in reached for step in (-1, 0, 1)}
        reach_below.append(reached)
    for level, (spacing, seen) in enumerate(zip(spacings, reach_below[::-1], strict=True)):
        every = range(-(12 // spacing) * spacing, 13, spacing)
        axis.scatter(every, [level] * len(every), s=34, color="white", ec="#999999", zorder=2)
        axis.scatter(list(seen), [level] * len(seen), s=34, color="#0072B2", zorder=3)
        if level:
            for place in seen:
                for step in (-1, 0, 1):
                    below = place + step * spacings[level - 1]
                    axis.plot([place, below], [level, level - 1], color="#56B4E9", lw=1, zorder=1)
        axis.text(-13.2, level, rows[level], ha="right", va="center", size=9)
    axis.set_title(title, loc="left")
    axis.set(xlim=(-19, 12.6), ylim=(-0.35, len(spacings) - 0.7))
    axis.axis("off")


# %%
figure, axes = plt.subplots(2, 1, figsize=(8, 5.4), layout="constrained")
names = ["picture", "map 1", "map 2", "map 3"]
draw_cone(axes[0], "three layers of 3, stride 1: 3, 5, 7 pixels", [1, 1, 1, 1], names)
draw_cone(
    axes[1], "the same, but the first two have stride 2: 3, 7, 15 pixels", [1, 2, 4, 4], names
)
show(
    figure,
    alt="Two pyramids of lines from one number of map 3 down to the pixels it depends on. With "
    "stride 1 it sees 7 pixels. With stride 2 in the first two layers neighbours on map 1 are "
    "2 pixels apart, on map 2 they are 4 apart, and the pyramid reaches 15 pixels.",
)

# %% [markdown]
# ### How to count it
#
# Walk up from the picture and keep two numbers. The **field** $r$ is how many pixels one number of
# this map sees; the **jump** $j$ is how many pixels apart its neighbours are. On the picture
# itself $r=1$ and $j=1$.
#
# A window of $F$ on a map reaches from its first number to its last over $F-1$ jumps. So a layer
# makes the field larger by $F-1$ times the jump of the map *that it looks at*. After that its
# stride multiplies the jump:
#
# $$r \leftarrow r + (F-1)·j \qquad\text{then}\qquad j \leftarrow j·S$$
#
# In the second drawing: $1+2·1=3$, then $3+2·2=7$, then $7+2·4=15$. A stride widens the view of
# all *later* layers, not of its own.
#
# **Dilation** is the other way. A window with dilation $d$ does not look at neighbours but at
# every $d$-th number. Three weights with $d=2$ look at numbers 0, 2 and 4. How many numbers does a
# window of $F$ weights span, then? You will need that in the exercise. (The field is measured from
# its first pixel to its last, gaps included.)
#
# ### Measuring it
#
# The gradient of section 7 can measure the field, too. Take *one* number in the middle of the
# output and ask for its gradient with respect to the picture. With all weights one, the gradient
# at a pixel counts the **paths** from that pixel to the output; where it is zero, there is none.


# %%
def paths(layers, size=64, neighbour=0):
    """Count paths from each pixel to the middle output (or a neighbour of it) of a stack.

    ``layers`` is a list of (kernel, stride, dilation).
    """
    picture = tf.Variable(tf.zeros((1, size, size, 1)))
    with tf.GradientTape() as tape:
        x = picture
        for F, S, dilation in layers:
            x = keras.layers.Conv2D(
                1, F, strides=S, dilation_rate=dilation, kernel_initializer="ones"
            )(x)
        middle = x.shape[1] // 2
        output = x[0, middle, middle + neighbour, 0]
    return tape.gradient(output, picture).numpy()[0, :, :, 0]


def first_and_last(counts):
    """First and last column in which a pixel has a path to the output."""
    columns = np.flatnonzero(counts.any(axis=0))
    return int(columns[0]), int(columns[-1])


figure, axes = plt.subplots(1, 4, figsize=(8, 2.5), layout="constrained")
for axis, (name, stack) in zip(
    axes,
    {
        "dilation 1": [(3, 1, 1)],
        "dilation 2": [(3, 1, 2)],
        "dilation 3": [(3, 1, 3)],
        "two of dilation 3": [(3, 1, 3), (3, 1, 3)],
    }.items(),
    strict=True,
):
    counts = paths(stack, size=31)
    middle = sum(first_and_last(counts)) // 2
    counts = counts[middle - 7 : middle + 8, middle - 7 : middle + 8]
    draw_picture(axis, np.ma.masked_equal(counts, 0), name, vmin=0)
    axis.add_patch(plt.Rectangle((-0.5, -0.5), 15, 15, fill=False, ec="#BBBBBB"))
show(
    figure,
    alt="Which of 15 by 15 pixels reach one output of a 3 by 3 layer. Dilation 1: nine pixels side "
    "by side. Dilation 2 and 3: nine pixels with gaps. Two layers of dilation 3: 25 pixels "
    "over a width of 13, still with two empty pixels between them.",
)

# %% [markdown]
# Dilation looks further for the same nine weights. The last picture shows the danger: equal
# dilations on top of each other leave gaps for ever, the *gridding* effect. Dilations of 1, 2, 4,
# … close them.
#
# **Predict.** How large is the receptive field of seven layers of 3×3, stride 1, no dilation?

# %%
prediction_field = None  # in pixels along one side

# %%
# NBVAL_CHECK_OUTPUT
first, last = first_and_last(paths([(3, 1, 1)] * 7))
measured_field = last - first + 1
print("measured receptive field of seven layers of 3×3:", measured_field)

# %%
compare_prediction(prediction_field, measured_field)

# %% [markdown]
# ### Depth, stride or dilation?
#
# The same measurement for four recipes, layer after layer:

# %%
# NBVAL_CHECK_OUTPUT
recipes = {
    "3×3": lambda layers: [(3, 1, 1)] * layers,
    "5×5": lambda layers: [(5, 1, 1)] * layers,
    "3×3, stride 2": lambda layers: [(3, 2, 1)] * layers,
    "3×3, dilation 1, 2, 4, …": lambda layers: [(3, 1, 2**level) for level in range(layers)],
}
depths = range(1, by_scale(quick=7, full=7, grading=3))
growth = {}
for name, recipe in recipes.items():
    growth[name] = []
    for depth in depths:
        first, last = first_and_last(paths(recipe(depth), size=192))
        growth[name].append(last - first + 1)
    print(f"{name:26}", growth[name])

# %%
figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
for name, marker in zip(recipes, "osD^", strict=True):
    hollow = {"mfc": "none", "ms": 11, "ls": "none", "mew": 1.8} if marker == "^" else {"ms": 6}
    axis.plot(depths, growth[name], marker=marker, label=name, **hollow)
axis.set(xlabel="layers", ylabel="receptive field (pixels)", yscale="log", xticks=list(depths))
axis.set_yticks([3, 7, 15, 31, 63, 127], [3, 7, 15, 31, 63, 127])
axis.minorticks_off()
axis.grid(alpha=0.3)
axis.legend(loc="upper left")
show(
    figure,
    alt="Receptive field against layers on a logarithmic axis. 3 by 3 and 5 by 5 layers flatten "
    "out, at 13 and 25 pixels after six layers. Stride 2 and doubling dilation coincide on a "
    "straight line from 3 to 127: they double with each layer.",
)

# %% [markdown]
# Depth alone *adds* to the field: $2$ pixels a layer for 3×3. Stride and doubling dilation
# *multiply* it: each layer doubles the view. That is why real networks make their maps smaller on
# the way up (lesson 03 does it by pooling).
#
# ### Exercise 4 · `receptive_field` (3 points)
#
# Write the count for any stack. Stride and dilation may come in any layer, also both in one.
# (Keras refuses both in one layer; the arithmetic does not mind.)


# %% nbgrader={"grade_id": "receptive_field", "solution": true}
def receptive_field(layers):
    """Compute how many pixels, along one side, one output number of a stack of layers can see.

    Parameters
    ----------
    layers : list of (int, int, int)
        (kernel, stride, dilation) of each layer, from the picture upwards.

    Returns
    -------
    int
    """
    ### BEGIN SOLUTION
    field = jump = 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * jump
        jump *= stride
    return field
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_receptive_field", "grade": true, "points": 3}
exercise = checks.Exercise(
    "receptive_field",
    points=3,
    hints={
        "stride-not-accumulated": "Each layer was counted as if it looked at the picture itself.",
        "previous-stride-only": "A layer sits on all the strides below it, not on the last alone.",
        "own-stride-too-early": "A stride moves a layer's windows apart; it does not stretch them.",
        "off-by-one": "From the first number of a window to its last: how many steps?",
        "one-missing": "Before any layer, a pixel sees itself.",
        "dilation-ignored": "A dilated window spans more than its number of weights.",
        "dilated-span": "Draw a dilated window: where are its first and its last weight?",
    },
)
exercise.number(
    "five layers of 3, nothing else",
    lambda: receptive_field([(3, 1, 1)] * 5),
    11,
    mistakes={"off-by-one": 16, "one-missing": 10},
)
exercise.number(
    "5 with stride 2, 3 with stride 2, 3, 3",
    lambda: receptive_field([(5, 2, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1)]),
    25,
    mistakes={
        "stride-not-accumulated": 11,
        "previous-stride-only": 15,
        "own-stride-too-early": 33,
        "off-by-one": 36,
        "one-missing": 24,
    },
)
exercise.number(
    "5 with dilation 1, 3 and 9",
    lambda: receptive_field([(5, 1, 1), (5, 1, 3), (5, 1, 9)]),
    53,
    mistakes={
        "dilation-ignored": 13,
        "dilated-span": 63,
        "off-by-one": 66,
        "one-missing": 52,
    },
)
exercise.number(
    "7 with stride 2, 3 with stride 2 and dilation 2, 2 with dilation 3",
    lambda: receptive_field([(7, 2, 1), (3, 2, 2), (2, 1, 3)]),
    27,
    mistakes={
        "stride-not-accumulated": 14,
        "previous-stride-only": 21,
        "own-stride-too-early": 41,
        "dilation-ignored": 15,
        "dilated-span": 37,
        "off-by-one": 44,
        "one-missing": 26,
    },
)
### BEGIN HIDDEN TESTS


def _field(layers, extent=lambda kernel, dilation: (kernel - 1) * dilation, jumps="all"):
    field = jump = before = 1
    for kernel, stride, dilation in layers:
        if jumps == "early":
            jump *= stride
        field += extent(kernel, dilation) * {"none": 1, "previous": before}.get(jumps, jump)
        if jumps != "early":
            jump *= stride
        before = stride
    return field


for _label, _strides, _dilations in (
    ("drawn windows", (1, 2), (1, 2)),
    ("drawn windows and strides", (2, 4), (1, 2)),
    ("drawn windows and dilations", (1, 2), (2, 5)),
    ("drawn windows, strides and dilations", (1, 4), (1, 4)),
    ("drawn windows, strides and dilations, many layers", (1, 3), (1, 4)),
):
    _count = 9 if "many" in _label else 4
    _stack = [
        tuple(int(exercise.rng.integers(*span)) for span in ((2, 8), _strides, _dilations))
        for _ in range(_count)
    ]
    # Where strides or dilations are drawn, not all of them may turn out as 1.
    _window, _stride, _dilation = _stack[0]
    _stack[0] = (
        _window,
        max(_stride, 2 if _strides[1] > 2 else 1),
        max(_dilation, 2 if _dilations[1] > 2 else 1),
    )
    exercise.hidden.number(
        _label,
        lambda _stack=_stack: receptive_field(_stack),
        _field(_stack),
        mistakes={
            "stride-not-accumulated": _field(_stack, jumps="none"),
            "previous-stride-only": _field(_stack, jumps="previous"),
            "own-stride-too-early": _field(_stack, jumps="early"),
            "dilation-ignored": _field(_stack, lambda kernel, dilation: kernel - 1),
            "dilated-span": _field(_stack, lambda kernel, dilation: kernel * dilation - 1),
            "off-by-one": _field(_stack, lambda kernel, dilation: kernel * dilation),
            "one-missing": _field(_stack) - 1,
        },
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 9 · One field, four ways
#
# Here are four stacks with the *same* receptive field of 15 pixels, measured as before. Above: the
# number of paths from each pixel to one output, relative to the largest. Below: the same, added up
# column by column.

# %%
# NBVAL_CHECK_OUTPUT
stacks = {
    "A · one 15×15": [(15, 1, 1)],
    "B · seven 3×3": [(3, 1, 1)] * 7,
    "C · three 3×3, stride 2": [(3, 2, 1)] * 3,
    "D · three 3×3, dilation 1, 2, 4": [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
}
path_counts = {}
print(f"{'stack':33}{'field':>6}{'weights':>9}{'next output':>13}{'map of 128×128':>17}")
for name, stack in stacks.items():
    path_counts[name] = paths(stack)
    first, last = first_and_last(path_counts[name])
    shift = first_and_last(paths(stack, neighbour=1))[0] - first
    weights = sum(F * F for F, _, _ in stack)
    x = keras.Input((128, 128, 1))
    for F, S, dilation in stack:
        x = keras.layers.Conv2D(1, F, strides=S, dilation_rate=dilation, padding="same")(x)
    moved = f"{shift} px on"
    print(
        f"{name:33}{last - first + 1:>6}{weights:>9}{moved:>13}{f'{x.shape[1]}×{x.shape[2]}':>17}"
    )

# %%
figure, axes = plt.subplots(
    2, 4, figsize=(8, 3.7), height_ratios=[2.2, 1], layout="constrained", sharex=True
)
for column, (name, counts) in enumerate(path_counts.items()):
    first, last = first_and_last(counts)
    field = counts[first : last + 1, first : last + 1]
    axes[0, column].imshow(field / field.max(), vmin=0, vmax=1)
    axes[0, column].set_title(
        name.replace(", ", ",\n", 1) if len(name) > 16 else name + "\n", size=9.5
    )
    axes[0, column].axis("off")
    axes[1, column].bar(range(15), field.sum(axis=0) / field.sum(axis=0).max(), width=0.85)
    axes[1, column].set(xticks=[0, 7, 14], ylim=(0, 1.05), yticks=[0, 1] if column == 0 else [])
    axes[1, column].tick_params(labelsize=8)
axes[1, 0].set_ylabel("paths")
figure.supxlabel("column of the receptive field", size=9)
show(
    figure,
    alt="Paths from each of 15 by 15 pixels to one output, as maps and as bars, column by column. "
    "A, one 15 by 15 layer: flat, all pixels equal. B, seven 3 by 3: a bell, high in the "
    "middle, nearly nothing at the rim. C, three with stride 2, and D, three with dilation 1, "
    "2, 4: the same comb pattern of peaks and dips, with a dip at the centre.",
)

# %% [markdown]
# ### Exercise 5 · Reading the plot (3 points, marked by hand)
#
# Look at the table and at the figure. Answer in four to eight sentences:
#
# 1. Someone says: "B has a receptive field of 15, so it uses 15×15 pixels as well as A does." What
#    does the picture say to that, and what could B have in return?
# 2. C and D show the same picture. What do they have in common, and what tells them apart? For
#    which kind of task would you take C, for which D?
# 3. All weights were one here. What can change in these pictures after training, and what cannot?

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. Both *can* see 15×15 pixels, but B does not see them alike: its counts form a bell. Many paths
#    lead from the middle, one single path from a corner, so the pixels of the rim hardly count.
#    The field that is effectively used is smaller than the theoretical one; only A treats all
#    pixels alike. In return B has 63 weights instead of 225, and there is room for six
#    nonlinearities between its layers.
# 2. Stride and dilation space out the steps of later windows in the same way (1, 2, 4 pixels), so
#    the paths are the same, the weights are as many (27) and the field is equal. What differs is
#    where the other outputs are: C's neighbours are 8 pixels apart and a picture of 128×128
#    becomes 16×16; D's neighbours are 1 pixel apart and the map keeps its size, at 64 times the
#    outputs in the last layer. C suits a verdict on the whole picture (classification) or little
#    computing time, D a verdict on every pixel (segmentation, depth, sound sample by sample).
# 3. Training changes the heights: weights can be large, small or negative, so paths can be
#    strengthened or cancel out. It cannot change the frame: a pixel outside the 15×15 has no path
#    and can never count.
#
# Marking: one point for each part. (1) bell or unequal counts named *and* one gain of B. (2) same
# paths or field *and* different distance or size of the map, with a fitting task for at least one.
# (3) heights can change *and* the limit of the field cannot.
# ### END SOLUTION

# %% [markdown]
# ## 10 · A chain of your own
#
# Everything at once, on a chain that nobody else has. The next cell deals four layers from a
# number. Try a few numbers until you like one: your birthday, your house, your favourite year.


# %% nbgrader={"grade_id": "deal_chain", "locked": true}
def is_seed(number):
    """Whether a value is a whole number from 0 upwards."""
    try:
        return not isinstance(number, bool | np.bool_) and operator.index(number) >= 0
    except TypeError:
        return False


def draw_chain(seed):
    """Deal the shape of a picture and four Conv2D layers from a whole number.

    Returns
    -------
    input_shape : (int, int, int)
        Height, width, depth.
    chain : list of dict
        Four layers, each with the keys "filters", "kernel", "stride" and "padding".
    """
    if not is_seed(seed):
        raise ValueError(f"the seed is {seed!r}; expected a whole number, 0 or more")
    dice = np.random.default_rng(int(seed))
    height, width = (int(n) for n in dice.choice(np.arange(60, 97), size=2, replace=False))
    input_shape = (height, width, int(dice.integers(2, 5)))
    strides = dice.permutation([1, 1, 2, 3])
    paddings = dice.permutation(["same", "same", "valid", "valid"])
    chain = [
        {
            "filters": int(dice.integers(5, 33)),
            "kernel": int(dice.integers(2, 5)),
            "stride": int(stride),
            "padding": str(padding),
        }
        for stride, padding in zip(strides, paddings, strict=True)
    ]
    return input_shape, chain


def print_chain(seed):
    """Print the chain that a seed deals."""
    input_shape, chain = draw_chain(seed)
    print(f"seed {seed}: a picture of {input_shape}, then")
    for place, layer in enumerate(chain, start=1):
        print(
            f"  {place}. {layer['filters']} filters of {layer['kernel']}×{layer['kernel']}, "
            f"stride {layer['stride']}, '{layer['padding']}'"
        )


# %%
# NBVAL_CHECK_OUTPUT
print_chain(7)  # ← try other numbers

# %% [markdown]
# ### Exercise 6 · `own_chain` (4 points)
#
# Write your number as `my_seed`. For its chain give
#
# - `chain_shapes`, a list of four output shapes `(height, width, depth)`;
# - `chain_parameters`, a list of four numbers of parameters;
# - `chain_model`, the chain as a Keras model, with no other layers in it.
#
# Work out shapes and parameters by hand, or with your own functions. `chain_model.summary()` then
# tells you whether you and Keras agree.

# %% nbgrader={"grade_id": "own_chain", "solution": true}
my_seed = None  # your own whole number
### BEGIN SOLUTION
my_seed = 1729

input_shape, chain = draw_chain(my_seed)
chain_shapes, chain_parameters = [], []
shape_now = input_shape
for step in chain:
    chain_parameters.append(conv2d_parameters(step["filters"], step["kernel"], shape_now[2]))
    shape_now = conv2d_output_shape(
        shape_now, step["filters"], step["kernel"], step["stride"], step["padding"]
    )
    chain_shapes.append(shape_now)

chain_model = keras.Sequential(
    [
        keras.Input(input_shape),
        *(
            keras.layers.Conv2D(
                step["filters"], step["kernel"], strides=step["stride"], padding=step["padding"]
            )
            for step in chain
        ),
    ]
)
### END SOLUTION

# %% nbgrader={"grade_id": "test_own_chain", "grade": true, "points": 4}
exercise = checks.Exercise(
    "own_chain",
    points=4,
    hints={
        "no-seed": "Write a whole number, 0 or more, after `my_seed =`.",
        "wrong-form": "Four layers: a list of four shapes, and a list of four numbers.",
        "model-disagrees": "Compare your lists with chain_model.summary(), layer by layer.",
        "same-for-valid": "These are the sizes with padding 'same' in every layer.",
        "valid-for-same": "These are the sizes with padding 'valid' in every layer.",
        "floor-for-ceil": "You rounded down. Does an incomplete step hold one more place?",
        "stride-ignored": "These are the sizes without the strides.",
        "filters-forgotten": "That is the depth of the picture. How many filters made this map?",
        "swapped": "Height and width are swapped: the height comes first.",
        "bias-forgotten": "All the weights are there, but a filter also adds a number to its sum.",
        "depth-forgotten": "A kernel is not flat: it has a slice for each layer of its input.",
        "depth-of-picture": "That layer looks at the map before it, not at the picture.",
        "padding-missing": "Your model has padding 'valid' everywhere, the default of Conv2D.",
        "strides-missing": "Your model has stride 1 everywhere, the default of Conv2D.",
    },
)


def _answered(answer):
    """The answer, once there is a seed that it can belong to."""
    if not is_seed(my_seed):
        raise NotImplementedError
    return answer()


def _agree():
    input_shape, _ = draw_chain(my_seed)
    table = checks.layer_table(chain_model, input_shape)
    return [layer.output_shape for layer in table] == [tuple(shape) for shape in chain_shapes] and [
        layer.parameters for layer in table
    ] == list(chain_parameters)


exercise.true(
    "my_seed is a whole number",
    lambda: my_seed is not None and is_seed(my_seed),
    otherwise="my_seed is no whole number from 0 upwards",
    hint="no-seed",
    weight=0.25,
)
exercise.true(
    "four shapes of three numbers, four numbers of parameters",
    lambda: _answered(
        lambda: (
            [len(shape) for shape in chain_shapes] == [3, 3, 3, 3] and len(chain_parameters) == 4
        )
    ),
    otherwise="the lists have another form",
    hint="wrong-form",
    weight=0.25,
)
exercise.true(
    "your lists and your model agree",
    lambda: _answered(_agree),
    otherwise="chain_model has other output shapes or parameters than your lists",
    hint="model-disagrees",
    weight=0.5,
)
### BEGIN HIDDEN TESTS
try:
    _input, _chain = draw_chain(my_seed)
except Exception:  # no seed, or none yet: the checks above say so
    _input, _chain = draw_chain(0)


def _sizes(padding=None, stride=None, rounded=math.ceil):
    shapes, (height, width) = [], _input[:2]
    for step in _chain:
        mode = padding or step["padding"]
        lost = 0 if mode == "same" else step["kernel"] - 1
        height, width = (
            rounded((size - lost) / (stride or step["stride"])) for size in (height, width)
        )
        shapes.append((height, width, step["filters"]))
    return shapes


def _built(padding=None, stride=None):
    return keras.Sequential(
        [
            keras.Input(_input),
            *(
                keras.layers.Conv2D(
                    step["filters"],
                    step["kernel"],
                    strides=stride or step["stride"],
                    padding=padding or step["padding"],
                )
                for step in _chain
            ),
        ]
    )


_shapes = _sizes()
_depths = [_input[2]] + [step["filters"] for step in _chain]
for _place, _step in enumerate(_chain):
    _height, _width, _filters = _shapes[_place]
    exercise.hidden.shape(
        f"output shape of layer {_place + 1}",
        lambda _place=_place: _answered(lambda: chain_shapes[_place]),
        _shapes[_place],
        weight=0.75,
        mistakes={
            "same-for-valid": _sizes(padding="same")[_place],
            "valid-for-same": _sizes(padding="valid")[_place],
            "floor-for-ceil": _sizes(rounded=math.floor)[_place],
            "stride-ignored": _sizes(stride=1)[_place],
            "filters-forgotten": (_height, _width, _input[2]),
            "swapped": (_width, _height, _filters),
        },
    )
for _place, _step in enumerate(_chain):
    _area = _step["kernel"] ** 2
    exercise.hidden.number(
        f"parameters of layer {_place + 1}",
        lambda _place=_place: _answered(lambda: chain_parameters[_place]),
        _step["filters"] * (_area * _depths[_place] + 1),
        weight=0.75,
        mistakes={
            "bias-forgotten": _step["filters"] * _area * _depths[_place],
            "depth-forgotten": _step["filters"] * (_area + 1),
            "depth-of-picture": _step["filters"] * (_area * _input[2] + 1),
        },
    )
exercise.hidden.layers(
    "the layers of chain_model",
    lambda: _answered(lambda: chain_model),
    _built(),
    input_shape=_input,
    weight=3,
    mistakes={
        "padding-missing": lambda: _built(padding="valid"),
        "strides-missing": lambda: _built(stride=1),
    },
)
exercise.hidden.parameters(
    "the parameters of chain_model",
    lambda: _answered(lambda: chain_model),
    _built().count_params(),
    input_shape=_input,
    weight=1,
)
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## What the numbers say
#
# - **34,944 against 105,705,600.** Sharing makes AlexNet's first layer 3,025 times smaller: once
#   for each of the 55×55 places. The number of parameters of a convolution does not depend on the
#   size of the picture.
# - **384 of 384.** With `"same"` the output has $\lceil H/S \rceil$ numbers, with `"valid"`
#   $\lceil (H-F+1)/S \rceil$, and its depth is $K$. Books that round otherwise do not contradict
#   Keras; they make another choice about the pixels that are left over.
# - **32 → 12.** Ten unpadded layers of 3×3 take 20 pixels. Padding keeps them, but then 86 % of
#   the map depends on zeros.
# - **13 against 127.** Six layers of 3×3 see 13 pixels; with stride 2 or doubling dilation they
#   see 127. Depth adds, stride and dilation multiply.
# - **225, 63, 27, 27.** The same field of 15 pixels costs very different numbers of weights, and
#   only the plainest stack treats all its pixels alike.
#
# ## Further reading
#
# - A. Krizhevsky, I. Sutskever, G. Hinton: *ImageNet classification with deep convolutional neural
#   networks*, NIPS 2012. The network whose first layer you counted.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: *Gradient-based learning applied to document
#   recognition*, Proceedings of the IEEE 86 (1998). Local connections and shared weights at work
#   on handwriting.
# - V. Dumoulin, F. Visin: *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285.
#   All cases of the shape formulas, with drawings.
# - W. Luo, Y. Li, R. Urtasun, R. Zemel: *Understanding the effective receptive field in deep
#   convolutional neural networks*, NIPS 2016. The bell of stack B, proved and measured in trained
#   networks.
# - M. A. Islam, S. Jia, N. D. B. Bruce: *How much position information do convolutional neural
#   networks encode?*, ICLR 2020. What zeros at the border tell a network.
# - F. Yu, V. Koltun: *Multi-scale context aggregation by dilated convolutions*, ICLR 2016. Stack
#   D, for labelling every pixel.
# - Stanford CS231n, *Convolutional Neural Networks*,
#   <https://cs231n.github.io/convolutional-networks/>. The notes that reject $H=10$, $F=3$, $S=2$.
# - Keras documentation, *Conv2D layer*,
#   <https://keras.io/api/layers/convolution_layers/convolution2d/>.
