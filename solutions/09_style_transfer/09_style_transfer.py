# %% [markdown]
# # 09 · Style transfer
#
# A cat, painted by Vincent van Gogh. He never saw that cat, and no program here was ever told how
# he painted. A network that learned to name things in photographs looks at one of his pictures and
# at a photograph, and we change the photograph, pixel by pixel, until the network finds the cat of
# the one and the brushwork of the other.
#
# **You will be able to**
#
# - say what a network keeps of a picture in its early and in its late layers;
# - describe a style by Gram matrices, and explain why they know *what* and not *where*;
# - write the four losses of style transfer, and a step that lowers them;
# - turn your own photograph into your own style, and tell from a result which term was too weak.
#
# **Budget**, measured on 2 CPU cores: about 80 seconds to run, 0.9 GB of memory, 0 bytes of
# download: the network, the photographs and the paintings come with the course. Reading, thinking
# and the exercises: three hours.
#
# There are six exercises, 20 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded. **This lesson runs on your answers**: from section 3 on
# the experiments use the functions that you write, so solve each exercise before you go on.

# %% tags=["picture"] nbgrader={"grade_id": "setup", "locked": true}
import base64
import io
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from PIL import Image

from autograder import checks
from autograder.experiments import compare_prediction
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import DataError, by_scale, load_photograph, square_picture
from data_scripts.paintings import load_painting
from data_scripts.picture_folders import read_picture
from data_scripts.style_network import STYLE_LAYERS, load_style_network

with quiet_imports():
    import keras
    import tensorflow as tf
    from keras import ops

use_course_style()
keras.utils.set_random_seed(9)

# %% tags=["picture"] nbgrader={"grade_id": "showing", "locked": true}
# Only drawing in this cell: read it some other day.


def photograph(name, side):
    """A photograph as numbers from 0 to 1, shape (side, side, 3)."""
    return square_picture(load_photograph(name), side).astype("float32") / 255


def painting(name, side):
    """A painting as numbers from 0 to 1, shape (side, side, 3)."""
    return load_painting(name, size=side).astype("float32") / 255


def few_colours(picture, colours):
    """A picture in so few colours that the notebook stays small; only for showing it."""
    whole = Image.fromarray((255 * np.clip(picture, 0, 1) + 0.5).astype("uint8"))
    return np.asarray(whole.quantize(colours, kmeans=2).convert("RGB"))


def show_pictures(pictures, alt, columns=None, width=8.2, size=10):
    """Show pictures side by side; `pictures` is a dict: title → picture, 0 … 1."""
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    tall = max(picture.shape[0] / picture.shape[1] for picture in pictures.values())
    height = rows * (width / columns * tall + 0.034 * size)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        axis.imshow(few_colours(picture, 150 // len(pictures)))
        axis.set_title(title, size=size)
    show(figure, alt=alt)


def write_numbers(axis, values, title, rows="", columns="", digits=".3g"):
    """A matrix as coloured squares with its numbers in them."""
    image = axis.imshow(values, cmap="cividis")
    for (row, column), value in np.ndenumerate(values):
        dark = image.norm(value) < 0.55
        ink = "white" if dark else "black"
        axis.text(column, row, format(value, digits), ha="center", va="center", color=ink, size=10)
    axis.set(title=title, ylabel=rows, xlabel=columns, xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


class Progress:
    """A bar that grows in its place, and above it the picture as it is now."""

    def __init__(self, total, label):
        self.total, self.label, self.begun = total, label, time.perf_counter()
        self.handle = display(self._shown(0), raw=True, display_id=True)

    def _shown(self, step, picture=None):
        seconds = f"{time.perf_counter() - self.begun:.0f} s"
        bar = "█" * (20 * step // self.total)
        words = f"{self.label}: step {step} of {self.total}, {seconds}"
        html = f'<progress value="{step}" max="{self.total}"></progress> {words}'
        if picture is not None:
            file = io.BytesIO()
            small = Image.fromarray((np.clip(picture, 0, 1) * 255).astype("uint8"))
            small.save(file, "png")
            data = base64.b64encode(file.getvalue()).decode()
            html = (
                f'<img width="256" alt="the picture after {step} steps" '
                f'src="data:image/png;base64,{data}"><br>{html}'
            )
        return {"text/plain": f"{bar:░<20} {words}", "text/html": html}

    def update(self, step, picture):
        """Show how far it is; the last time without the picture."""
        self.handle.update(self._shown(step, picture if step < self.total else None), raw=True)


# %% [markdown]
# ## 1 · One program, one style
#
# Programs that make paintings of photographs are older than networks that can do it. Somebody looks
# at a style, thinks about how it is made, and writes that down. Two examples, a dozen lines each.
#
# A **comic** has few tones, and black lines where the brightness jumps. **Pointillism** has dots
# of pure colour on a light ground, the small ones on top.


# %%
def comic(picture, tones=5, line=0.07):
    """Few tones in strong colours, and black lines."""
    height, width = picture.shape[:2]
    wide = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
    nine = [wide[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    smooth = np.mean(nine, axis=0)
    light = smooth.mean(axis=2, keepdims=True)
    strong = smooth + 0.9 * (smooth - light)  # further away from grey
    flat = strong * (np.ceil(light * tones) / tones) / light
    down, right = np.gradient(light[..., 0])
    return np.where(np.hypot(down, right)[..., np.newaxis] > line, 0.05, np.clip(flat, 0, 1))


def dots(picture, seed=1):
    """Dots of pure colour, large ones first."""
    dice = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    canvas = np.full(picture.shape, 0.93)
    for radius, each in ((4, 16), (3, 12), (2, 5)):  # one dot for so many pixels
        for row, column in dice.integers(0, (height, width), size=(height * width // each, 2)):
            part = (
                slice(max(row - radius, 0), row + radius + 1),
                slice(max(column - radius, 0), column + radius + 1),
            )
            inside = np.hypot(rows[part] - row, columns[part] - column) <= radius - 0.4
            colour = picture[row, column]
            pure = colour + 0.6 * (colour - colour.mean()) + dice.normal(0, 0.05, 3)
            canvas[part][inside] = np.clip(pure, 0, 1)
    return canvas


cat = photograph("chelsea", 128)
start = time.perf_counter()
by_program = {"photograph": cat, "comic": comic(cat), "dots": dots(cat)}
print(f"both programs: {time.perf_counter() - start:.1f} s")
show_pictures(
    by_program,
    alt="Three pictures: the photograph of a tabby cat's face; the same as a comic, with flat "
    "patches of few tones and black lines around eyes, nose and stripes; the same made of "
    "overlapping round dots in strong colours.",
)

# %% [markdown]
# They are quick, and not bad. But each knows **one** style, and the style is *in the program*:
# whoever wants Van Gogh has to find out what makes a Van Gogh, and write that down. For swirls of
# short strokes that follow the shapes of what they show, that is a life's work.
#
# In 2015 Leon Gatys, Alexander Ecker and Matthias Bethge turned the question round. They did not
# describe the style. They took a network that had learned to *recognise* things, and asked it
# whether two pictures have the same style. A picture that gives the right answer can be found by
# gradient descent.
#
# ## 2 · What a network keeps of a picture
#
# Our network is the beginning of VGG-16 from lesson 06, its first eight convolutions, with
# pretrained weights. It was trained on a million photographs to tell 1,000 classes apart; here it
# never learns anything again. It takes any picture size. We listen to it at four places:

# %% tags=["picture"]
NETWORK = by_scale(quick="embedded", full="vgg16", grading="embedded")
LAYERS = by_scale(quick=STYLE_LAYERS, full=(*STYLE_LAYERS, "block5_conv1"), grading=STYLE_LAYERS)
CONTENT_LAYER = "block4_conv1"

network = load_style_network(NETWORK)
listening = keras.Model(network.input, [network.get_layer(name).output for name in LAYERS])
_run = tf.function(listening, input_signature=[tf.TensorSpec((1, None, None, 3))])


def maps_of(picture):
    """The feature maps of one picture, 0 … 1: a list with (height, width, depth) for each layer."""
    return [maps[0] for maps in _run(tf.convert_to_tensor(picture, tf.float32)[tf.newaxis])]


# %%
# NBVAL_CHECK_OUTPUT
side = by_scale(quick=128, full=128, grading=32)
maps = maps_of(photograph("chelsea", side))
print(f"a picture of {side}×{side}×3: {side * side * 3:,} numbers")
for name, layer_maps in zip(LAYERS, maps, strict=True):
    height, width, depth = layer_maps.shape
    print(f"{name}: {depth:3} maps of {height:3}×{width:<3} = {height * width * depth:9,} numbers")

# %% [markdown]
# How do we find out what a layer knows? We ask for **another picture with the same maps**. We begin
# with noise and change the pixels until the layer cannot tell noise from cat. What the layer keeps
# will come back. What it has thrown away will not: there we see whatever the noise left.
#
# We need a number for *how different* two stacks of feature maps are. That is your first exercise.
#
# ### Exercise 1 · `content_loss` (3 points)
#
# Write the **mean of the squared differences** between two stacks of maps of the same shape
# (height, width, depth), over all places and all maps:
#
# $$\text{content}(F, P) = \frac{1}{h \cdot w \cdot d} \sum_{y,x,k} (F_{yxk} - P_{yxk})^2$$
#
# Use `keras.ops` (`ops.mean`, `ops.square` …), here and in all exercises of this lesson. A gradient
# has to find its way back through your function, and through NumPy it does not.
#
# (The first paper has half the *sum* instead. With the mean, a loss means the same for large and
# for small pictures.)


# %% tags=["picture"] nbgrader={"grade_id": "content_loss", "solution": true}
def content_loss(maps, goal):
    """How different are two stacks of feature maps?

    Parameters
    ----------
    maps, goal : array or tensor of shape (height, width, depth)

    Returns
    -------
    A number (a tensor without axes): the mean squared difference.
    """
    ### BEGIN SOLUTION
    return ops.mean(ops.square(maps - goal))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_content_loss", "grade": true, "points": 3}
exercise = checks.Exercise(
    "content_loss",
    points=3,
    hints={
        "sum": "That is the sum. Over how many numbers is the mean taken?",
        "half-sum": "Half the sum is in the first paper. Here the mean is asked for.",
        "per-place": "You divided by the number of places only. There are several maps.",
        "per-map": "You divided by the number of maps only. Each has many places.",
        "absolute": "Absolute differences: the formula squares them.",
        "not-squared": "Differences above and below cancel each other. What prevents that?",
        "root": "There is no root in the formula.",
        "only-maps": "You squared the maps. Where does the goal come in?",
    },
)


def content_mistakes(maps, goal):
    """What wrong answers would give, in float64."""
    difference = np.float64(maps) - np.float64(goal)
    square = difference**2
    height, width, depth = difference.shape
    return {
        "sum": square.sum(),
        "half-sum": square.sum() / 2,
        "per-place": square.sum() / (height * width),
        "per-map": square.sum() / depth,
        "absolute": np.abs(difference).mean(),
        "not-squared": difference.mean(),
        "root": np.sqrt(square.mean()),
        "only-maps": (np.float64(maps) ** 2).mean(),
    }


def content_right(maps, goal):
    """The mean squared difference in float64."""
    return np.mean((np.float64(maps) - np.float64(goal)) ** 2)


few = np.array([[[1, 0, 2, 5], [3, 1, 0, 2], [0, 4, 1, 1]]], "float32")
goal = np.array([[[1, 2, 2, 1], [0, 1, 0, 2], [5, 4, 0, 1]]], "float32")
exercise.number(
    "three places, four maps",
    lambda: content_loss(few, goal),
    content_right(few, goal),
    mistakes=content_mistakes(few, goal),
    rtol=1e-5,
)
exercise.number("the same maps twice", lambda: content_loss(goal, goal), 0.0)
exercise.number(
    "the two exchanged",
    lambda: content_loss(goal, few),
    content_right(goal, few),
    mistakes=content_mistakes(goal, few),
    rtol=1e-5,
)
### BEGIN HIDDEN TESTS
for _place in range(2):
    _shape = tuple(int(_size) for _size in exercise.rng.integers(3, 9, 3))
    _maps = exercise.rng.gamma(1.0, 3.0, _shape).astype("float32")
    _goal = exercise.rng.gamma(1.0, 3.0, _shape).astype("float32")
    exercise.hidden.number(
        f"drawn maps {_place + 1}",
        lambda _m=_maps, _g=_goal: content_loss(_m, _g),
        content_right(_maps, _goal),
        mistakes=content_mistakes(_maps, _goal),
        rtol=1e-5,
        weight=2,
    )
### END HIDDEN TESTS
exercise.score()


# %% [markdown]
# ### Noise that looks like a cat to a layer
#
# **Predict.** From which of the three layers below comes the picture that is nearest to the
# photograph? And what will the farthest one have lost, what will it have kept?

# %%
prediction_nearest = None  # "block1_conv1", "block2_conv1" or "block4_conv1"

# %%
SMALL = by_scale(quick=64, full=128, grading=16)
STEPS_SMALL = by_scale(quick=60, full=200, grading=2)


def with_the_maps_of(layer, side=SMALL, steps=STEPS_SMALL):
    """A picture that begins as noise and ends with the maps that the cat has in one layer."""
    until = keras.Model(network.input, network.get_layer(layer).output)
    until = tf.function(until)
    target = until(photograph("chelsea", side)[np.newaxis])[0]
    noise = np.random.default_rng(9).uniform(0.3, 0.7, (side, side, 3)).astype("float32")
    picture = tf.Variable(noise)
    optimizer = keras.optimizers.Adam(0.04, beta_2=0.99)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = content_loss(until(picture[tf.newaxis])[0], target)
        optimizer.apply([tape.gradient(loss, picture)], [picture])
        picture.assign(tf.clip_by_value(picture, 0.0, 1.0))
    return picture.numpy()


original = photograph("chelsea", SMALL)
came_back = {
    name: with_the_maps_of(name) for name in ("block1_conv1", "block2_conv1", CONTENT_LAYER)
}
wrong_by = {name: np.abs(found - original).mean() for name, found in came_back.items()}
for name, error in wrong_by.items():
    print(f"{name}: a pixel is wrong by {100 * error:.0f} % of the range, on average")
compare_prediction(prediction_nearest, min(wrong_by, key=wrong_by.get))
show_pictures(
    {"photograph": original, **came_back},
    alt="The photograph of the cat and three pictures made from noise. From block1_conv1: the "
    "photograph, hardly changed. From block2_conv1: the cat under a fine coloured grain. From "
    "block4_conv1: eyes, nose and stripes are in their places, in pale colours with noise.",
)

# %% [markdown]
# An early layer keeps pixels. A late layer keeps **what is where**, and is indifferent to much of
# how it is painted. That is what we shall call the **content** of a picture: the maps of
# `block4_conv1`. A picture may take any colours and any brushwork, as long as those maps stay.
#
# ## 3 · A style is what stays when places go
#
# Now the other half. Cut *The Starry Night* into pieces and shuffle them: no moon, no village, and
# still unmistakably that painting. So a description of style has to **forget places**, and keep
# which features there are and **which occur together**: yellow with round, blue with strokes that
# slant.
#
# Write the maps of a layer as a table: one row for each place, one column for each map. Multiply
# two columns place by place and take the mean: that is large if both maps are active at the same
# places. Do this for all pairs of columns, and you have the **Gram matrix** of the layer,
#
# $$G_{jk} = \frac{1}{h \cdot w} \sum_{y,x} F_{yxj}\, F_{yxk}.$$
#
# Here with numbers: a layer of three maps on 2×3 places. The six places are the rows of the table.

# %%
# NBVAL_CHECK_OUTPUT
tiny = np.array([[[2, 2, 0], [0, 0, 3], [1, 1, 0]], [[3, 2, 0], [0, 0, 1], [0, 1, 2]]], "float32")
table = tiny.reshape(6, 3)
order = np.random.default_rng(4).permutation(6)
print("mean product of maps 1 and 2:", np.mean(table[:, 0] * table[:, 1]).round(3))
print("mean product of maps 1 and 3:", np.mean(table[:, 0] * table[:, 2]).round(3))

products = {
    name: np.array([[np.mean(a * b) for a in rows.T] for b in rows.T])
    for name, rows in (("as it is", table), ("places shuffled", table[order]))
}
figure, axes = plt.subplots(
    1, 4, figsize=(8.2, 3.4), width_ratios=[3, 3, 3, 3], layout="constrained"
)
for place, (name, rows) in enumerate((("as it is", table), ("places shuffled", table[order]))):
    write_numbers(axes[2 * place], rows, f"table, {name}", rows="6 places", columns="3 maps")
    write_numbers(
        axes[2 * place + 1], products[name], "Gram matrix", rows="3 maps", columns="3 maps"
    )
show(
    figure,
    alt="A table of six places and three maps beside its Gram matrix with rows 2.33, 1.83, 0; "
    "1.83, 1.67, 0.333; 0, 0.333, 2.33. Then the same table with its rows shuffled, and its Gram "
    "matrix: the same nine numbers.",
)

# %% [markdown]
# Maps 1 and 2 are active at the same places: their product has a mean of 1.83. Maps 1 and 3 never
# are: 0. On the diagonal stand the mean squares of the maps. Shuffle the rows as you like: a sum
# does not care about order, and **all nine numbers stay**. That is how places vanish.
#
# **Predict.** `block1_conv1` has 64 maps. Which shape has its Gram matrix for a picture of 128×128?
# And for one of 256×512?

# %%
prediction_gram_128 = None  # (…, …)
prediction_gram_256_512 = None

# %% [markdown]
# ### Exercise 2 · `gram_matrix` (4 points)
#
# Maps of shape (height, width, depth) in, a matrix of (depth, depth) out, divided by the number of
# *places*. One `ops.reshape` and one `ops.matmul` are enough.


# %% tags=["picture"] nbgrader={"grade_id": "gram_matrix", "solution": true}
def gram_matrix(maps):
    """Which maps are active together?

    Parameters
    ----------
    maps : array or tensor of shape (height, width, depth)

    Returns
    -------
    tensor of shape (depth, depth): mean product of each pair of maps, over all places.
    """
    ### BEGIN SOLUTION
    height, width, depth = maps.shape
    table = ops.reshape(maps, (height * width, depth))
    return ops.matmul(ops.transpose(table), table) / (height * width)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_gram_matrix", "grade": true, "points": 4}
exercise = checks.Exercise(
    "gram_matrix",
    points=4,
    hints={
        "not-normalised": "That is the sum over all places. A larger picture would get a larger "
        "matrix. By what do you divide?",
        "divided-by-all": "You divided by height · width · depth. The mean is over places alone.",
        "divided-by-depth": "You divided by the number of maps. The sum runs over places.",
        "divided-by-height": "You divided by the height only. A place has a row and a column.",
        "positions": "Rows and columns of your matrix are places. They should be maps: which of "
        "the two tables has to be transposed?",
        "scrambled": "Reshaped to (depth, places) the numbers are torn apart: depth is the *last* "
        "axis. Make a table of (places, depth) first, then transpose it.",
        "centred": "You subtracted the means: that is a covariance. A Gram matrix subtracts "
        "nothing.",
        "cosine": "You scaled the maps to length 1. How strong a map is belongs to the style.",
    },
)


def gram_right(maps):
    """Mean products in float64."""
    rows = np.float64(maps).reshape(-1, maps.shape[-1])
    return rows.T @ rows / len(rows)


def gram_mistakes(maps):
    """What wrong answers would give, in float64."""
    height, depth = maps.shape[0], maps.shape[-1]
    rows = np.float64(maps).reshape(-1, depth)
    places = len(rows)
    total = rows.T @ rows
    torn = np.float64(maps).reshape(depth, -1)
    lengths = np.sqrt(np.diag(total))
    away = rows - rows.mean(axis=0)
    return {
        "not-normalised": total,
        "divided-by-all": total / (places * depth),
        "divided-by-depth": total / depth,
        "divided-by-height": total / height,
        "positions": rows @ rows.T / places,
        "scrambled": torn @ torn.T / places,
        "centred": away.T @ away / places,
        "cosine": total / np.maximum(np.outer(lengths, lengths), 1e-12),
    }


six_places = np.array(
    [[[2, 2, 0], [0, 0, 3], [1, 1, 0]], [[3, 2, 0], [0, 0, 1], [0, 1, 2]]], "float32"
)
exercise.array(
    "the six places of the text",
    lambda: gram_matrix(six_places),
    gram_right(six_places),
    mistakes=gram_mistakes(six_places),
)
one_place = np.array([[[1, 2, 3, 4]]], "float32")
exercise.array(
    "one place, four maps",
    lambda: gram_matrix(one_place),
    gram_right(one_place),
    mistakes=gram_mistakes(one_place),
)
twice = np.concatenate([six_places, six_places[::-1]], axis=1)
exercise.array(
    "the same maps twice, side by side: the same matrix",
    lambda: gram_matrix(twice),
    gram_right(six_places),
    mistakes=gram_mistakes(twice),
)
### BEGIN HIDDEN TESTS
for _place in range(2):
    _shape = tuple(int(_size) for _size in exercise.rng.permutation([4, 6, 9]) + _place)
    _maps = exercise.rng.gamma(1.0, 2.0, _shape).astype("float32")
    exercise.hidden.array(
        f"drawn maps {_place + 1}",
        lambda _m=_maps: gram_matrix(_m),
        gram_right(_maps),
        mistakes=gram_mistakes(_maps),
        weight=2,
    )
### END HIDDEN TESTS
exercise.score()

# %%
# NBVAL_CHECK_OUTPUT
shapes = {}
for height, width in by_scale(quick=((128, 128), (256, 512)), full=((128, 128), (256, 512)),
                              grading=((16, 16), (16, 32))):  # fmt: skip
    first = maps_of(np.zeros((height, width, 3), "float32"))[0]
    shapes[height, width] = tuple(gram_matrix(first).shape)
    print(f"picture {height}×{width}: {first.shape[2]} maps, Gram matrix {shapes[height, width]}")
for prediction, shape in zip(
    (prediction_gram_128, prediction_gram_256_512), shapes.values(), strict=True
):
    compare_prediction(prediction, shape)

# %% [markdown]
# The size of the picture does not appear. So two pictures of **different size and shape** can be
# compared, and the style need not be cut to the size of the photograph.
#
# ### Exercise 3 · `style_loss` (4 points)
#
# One layer sees one size of strokes. A style is described by several layers together:
#
# $$\text{style} = \sum_l w_l \cdot \text{mean}\big((G^l - A^l)^2\big)$$
#
# with $G^l$ the Gram matrix of the picture in layer $l$, $A^l$ that of the style, a weight $w_l$
# for each layer, and the mean over all entries of the matrix. You get lists of maps, one item for
# each layer. Use your `gram_matrix`.


# %% tags=["picture"] nbgrader={"grade_id": "style_loss", "solution": true}
def style_loss(maps, style_maps, weights):
    """How different are the styles of two pictures?

    Parameters
    ----------
    maps : list of tensors (height, width, depth), one for each layer, of the picture
    style_maps : the same for the style; depths are equal, heights and widths need not be
    weights : list of numbers, one for each layer

    Returns
    -------
    A number: the weighted sum over the layers of the mean squared difference of Gram matrices.
    """
    ### BEGIN SOLUTION
    return sum(
        weight * ops.mean(ops.square(gram_matrix(ours) - gram_matrix(theirs)))
        for ours, theirs, weight in zip(maps, style_maps, weights, strict=True)
    )
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_style_loss", "grade": true, "points": 4}
exercise = checks.Exercise(
    "style_loss",
    points=4,
    hints={
        "on-maps": "You compared the maps themselves. Then the picture would have to become the "
        "painting, place by place. Compare Gram matrices.",
        "weights-forgotten": "Every layer counts the same in your sum: where are the weights?",
        "averaged": "You divided by the number of layers. The formula has a sum; the weights are "
        "there to make it a mean, if one wants to.",
        "weights-normalised": "You divided by the sum of the weights. Take them as they are.",
        "weights-squared": "The weight is inside the square. It belongs outside.",
        "sum-for-mean": "Within a layer the mean over all entries of the matrix is asked for.",
        "gram-not-normalised": "Your Gram matrices are sums over places: then a style of another "
        "size looks like another style.",
        "first-layer": "Only the first layer counts. Does your loop return too early?",
        "last-layer": "Only the last layer counts. Is the loss overwritten in your loop?",
        "absolute": "Absolute differences: the formula squares them.",
    },
)


def gram64(maps, divided=True):
    """Gram matrix in float64."""
    rows = np.float64(maps).reshape(-1, maps.shape[-1])
    return rows.T @ rows / (len(rows) if divided else 1)


def style_right(maps, style_maps, weights):
    """The weighted sum in float64."""
    layers = zip(maps, style_maps, weights, strict=True)
    return sum(w * np.mean((gram64(a) - gram64(b)) ** 2) for a, b, w in layers)


def style_mistakes(maps, style_maps, weights):
    """What wrong answers would give, in float64."""
    pairs = list(zip(maps, style_maps, strict=True))
    differences = [gram64(a) - gram64(b) for a, b in pairs]
    means = np.array([np.mean(each**2) for each in differences])
    right = np.dot(weights, means)
    wrong = {
        "weights-forgotten": means.sum(),
        "averaged": right / len(weights),
        "weights-normalised": right / np.sum(weights),
        "weights-squared": np.dot(np.square(weights), means),
        "sum-for-mean": np.dot(weights, [np.sum(each**2) for each in differences]),
        "gram-not-normalised": np.dot(
            weights, [np.mean((gram64(a, False) - gram64(b, False)) ** 2) for a, b in pairs]
        ),
        "first-layer": weights[0] * means[0],
        "last-layer": weights[-1] * means[-1],
        "absolute": np.dot(weights, [np.abs(each).mean() for each in differences]),
    }
    if all(a.shape == b.shape for a, b in pairs):
        wrong["on-maps"] = np.dot(
            weights, [np.mean((np.float64(a) - np.float64(b)) ** 2) for a, b in pairs]
        )
    return wrong


ours = [np.array([[[1, 0], [2, 1]]], "float32"), np.array([[[3, 1, 0]]], "float32")]
theirs = [np.array([[[0, 3], [1, 1]]], "float32"), np.array([[[1, 1, 2]]], "float32")]
exercise.number(
    "two layers",
    lambda: style_loss(ours, theirs, [2.0, 0.5]),
    style_right(ours, theirs, [2.0, 0.5]),
    mistakes=style_mistakes(ours, theirs, [2.0, 0.5]),
    rtol=1e-5,
)
turned = [maps[:, ::-1] for maps in ours]
exercise.number(
    "the same maps, mirrored: the same style",
    lambda: style_loss(ours, turned, [1.0, 1.0]),
    0.0,
    mistakes=style_mistakes(ours, turned, [1.0, 1.0]),
)
larger = [np.concatenate([maps, maps[::-1], maps]) for maps in theirs]
exercise.number(
    "a style three times as high",
    lambda: style_loss(ours, larger, [2.0, 0.5]),
    style_right(ours, theirs, [2.0, 0.5]),
    mistakes=style_mistakes(ours, larger, [2.0, 0.5]),
    rtol=1e-5,
)
### BEGIN HIDDEN TESTS
_weights = exercise.rng.uniform(0.2, 3.0, 3).tolist()
_depths = [int(_size) for _size in exercise.rng.permutation([3, 4, 6])]
_ours = [exercise.rng.gamma(1.0, 2.0, (5, 4, _d)).astype("float32") for _d in _depths]
_same = [exercise.rng.gamma(1.0, 2.0, (5, 4, _d)).astype("float32") for _d in _depths]
_other = [exercise.rng.gamma(1.0, 2.0, (7, 3, _d)).astype("float32") for _d in _depths]
for _name, _style in (("of the same size", _same), ("of another size", _other)):
    exercise.hidden.number(
        f"drawn maps {_name}",
        lambda _s=_style: style_loss(_ours, _s, _weights),
        style_right(_ours, _style, _weights),
        mistakes=style_mistakes(_ours, _style, _weights),
        rtol=1e-5,
        weight=2,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ### Do Gram matrices know a painter?
#
# A test before we trust them. Three paintings, each cut into a left and a right half: six pieces.
# No two show the same thing. For each pair of pieces we take your `style_loss`, each layer divided
# by the size of its matrix (then 0 is *the same style*, and 1 is about *as different as nothing at
# all*).
#
# **Predict.** For how many of the six pieces is the *other half of its own painting* the nearest?
# Hokusai's right half has the small wave and the mountain; Munch's left half has the bridge and no
# screaming person.

# %%
prediction_halves = None  # 0 … 6


# %% tags=["picture"]
def share_of(style_maps, shares):
    """Weights of layers such that each share counts relative to the size of the Gram matrix."""
    sizes = [float(ops.mean(ops.square(gram_matrix(maps)))) for maps in style_maps]
    return [share / max(size, 1e-9) for share, size in zip(shares, sizes, strict=True)]


# %%
NAMES = ("starry_night", "great_wave", "scream")
side = by_scale(quick=128, full=256, grading=32)
pieces = {}
for name in NAMES:
    whole = painting(name, side)
    pieces[f"{name}, left"] = whole[:, : side // 2]
    pieces[f"{name}, right"] = whole[:, side // 2 :]
seen = [maps_of(piece) for piece in pieces.values()]


even = [1 / len(LAYERS)] * len(LAYERS)
apart = np.array([[float(style_loss(a, b, share_of(b, even))) for b in seen] for a in seen])
apart = (apart + apart.T) / 2
nearest = np.argmin(apart + np.diag([np.inf] * 6), axis=1)
partner = [1, 0, 3, 2, 5, 4]
compare_prediction(prediction_halves, int(np.sum(nearest == partner)))

figure, axes = plt.subplots(1, 2, figsize=(7.6, 4.2), width_ratios=[1, 2.4], layout="constrained")
axes[0].axis("off")
pairs = np.ones((3 * side + 24, side + 10, 3))
for row, name in enumerate(NAMES):
    top = row * (side + 12)
    pairs[top : top + side, : side // 2] = pieces[f"{name}, left"]
    pairs[top : top + side, side // 2 + 10 :] = pieces[f"{name}, right"]
half_size = pairs.reshape(len(pairs) // 2, 2, -1, 2, 3).mean(axis=(1, 3))
axes[0].imshow(few_colours(half_size, 120))
write_numbers(axes[1], np.sqrt(apart), "distance of styles (root of the loss)", digits=".2f")
words = [name.replace("_", " ").replace(", ", "\n") for name in pieces]
axes[1].set_yticks(range(6), words, size=8.5)
axes[1].set_xticks(range(6), [word.replace(" ", "\n") for word in words], size=8.5)
axes[1].tick_params(length=0)
show(
    figure,
    alt="Left: The Starry Night, The Great Wave and The Scream, each cut into halves. Right: a "
    "table of six by six distances. The diagonal is 0; the two halves of one painting are mostly "
    "nearer to each other than to the halves of the others.",
)

# %% [markdown]
# Nothing but your Gram matrices was compared, and no piece shows what its other half shows. Where a
# piece found a wrong partner, look at it again: half a wave without its sky is a style of its own.
#
# ## 4 · Total variation: no speckles
#
# The network looks at pixels through 3×3 windows and means of 2×2. There are patterns, fine grids
# of light and dark pixels, to which it hardly reacts. Gradient descent finds them and fills the
# picture with them. A third term punishes every jump between neighbours, a little.
#
# ### Exercise 4 · `total_variation` (3 points)
#
# The mean of the squared differences between vertical neighbours, **plus** the mean of the squared
# differences between horizontal neighbours, for a picture of (height, width, 3). A picture of
# height $h$ has $h-1$ vertical neighbours in each column: the last row and the first are no
# neighbours.


# %% tags=["picture"] nbgrader={"grade_id": "total_variation", "solution": true}
def total_variation(picture):
    """How much do neighbouring pixels differ?

    Parameters
    ----------
    picture : array or tensor of shape (height, width, 3)

    Returns
    -------
    A number: mean squared difference of vertical neighbours + the same of horizontal neighbours.
    """
    ### BEGIN SOLUTION
    down = picture[1:] - picture[:-1]
    across = picture[:, 1:] - picture[:, :-1]
    return ops.mean(ops.square(down)) + ops.mean(ops.square(across))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_total_variation", "grade": true, "points": 3}
exercise = checks.Exercise(
    "total_variation",
    points=3,
    hints={
        "wrapped": "The last row and the first are compared too, as if the picture were a ring. "
        "That is what np.roll does.",
        "down-only": "Vertical neighbours only. Which are missing?",
        "across-only": "Horizontal neighbours only. Which are missing?",
        "colours": "You compared red with green and green with blue: the last axis is colour.",
        "absolute": "Absolute differences: here they are squared.",
        "sum": "Sums instead of means: then a large picture varies more than a small one.",
        "averaged": "You took half: the two means are added.",
        "one-mean": "You took one mean over all differences. If the picture is not square, that is "
        "not the sum of two means.",
        "cropped": "You cut both differences to the same size and lost a row or a column.",
        "root": "There is no root in the formula.",
    },
)


def variation_right(picture):
    """Two means, in float64."""
    picture = np.float64(picture)
    return np.mean(np.diff(picture, axis=0) ** 2) + np.mean(np.diff(picture, axis=1) ** 2)


def variation_mistakes(picture):
    """What wrong answers would give, in float64."""
    picture = np.float64(picture)
    down, across = np.diff(picture, axis=0), np.diff(picture, axis=1)
    right = np.mean(down**2) + np.mean(across**2)
    ring = [np.mean((np.roll(picture, 1, axis) - picture) ** 2) for axis in (0, 1)]
    return {
        "wrapped": sum(ring),
        "down-only": np.mean(down**2),
        "across-only": np.mean(across**2),
        "colours": np.mean(np.diff(picture) ** 2),
        "absolute": np.mean(np.abs(down)) + np.mean(np.abs(across)),
        "sum": np.sum(down**2) + np.sum(across**2),
        "averaged": right / 2,
        "one-mean": np.mean(np.concatenate([down.ravel(), across.ravel()]) ** 2),
        "cropped": np.mean(down[:, :-1] ** 2) + np.mean(across[:-1] ** 2),
        "root": np.sqrt(np.mean(down**2)) + np.sqrt(np.mean(across**2)),
    }


red, green, blue = [1, 0, 0.2], [0, 1, 0.2], [0.3, 0, 1]
six_pixels = np.array([[red, green, blue], [red, red, green]], "float32")
exercise.number(
    "six pixels",
    lambda: total_variation(six_pixels),
    variation_right(six_pixels),
    mistakes=variation_mistakes(six_pixels),
    rtol=1e-5,
)
exercise.number(
    "a picture of one colour",
    lambda: total_variation(np.full((3, 5, 3), [0.9, 0.4, 0.1], "float32")),
    0.0,
    mistakes={"colours": np.mean(np.diff([0.9, 0.4, 0.1]) ** 2)},
)
ramp = np.array([0, 0.1, 0.3, 0.4, 0.8], "float32")
brighter = np.broadcast_to(ramp[:, None, None], (5, 4, 3)).copy()
exercise.number(
    "brighter from row to row",
    lambda: total_variation(brighter),
    variation_right(brighter),
    mistakes=variation_mistakes(brighter),
    rtol=1e-5,
)
### BEGIN HIDDEN TESTS
for _place in range(2):
    _height, _width = (int(_size) for _size in exercise.rng.permutation([4, 7]) + _place)
    _picture = exercise.rng.random((_height, _width, 3)).astype("float32")
    exercise.hidden.number(
        f"a drawn picture {_place + 1}",
        lambda _p=_picture: total_variation(_p),
        variation_right(_picture),
        mistakes=variation_mistakes(_picture),
        rtol=1e-5,
        weight=2,
    )
### END HIDDEN TESTS
exercise.score()

# %%
# NBVAL_CHECK_OUTPUT
speckled = cat + np.random.default_rng(2).normal(0, 0.1, cat.shape).astype("float32")
for name, picture in (
    ("one grey", np.full_like(cat, 0.5)),
    ("the cat", cat),
    ("the cat as dots", by_program["dots"].astype("float32")),
    ("the cat, speckled", speckled),
    ("nothing but noise", np.random.default_rng(2).random(cat.shape).astype("float32")),
):
    print(f"{name:18} total variation {float(total_variation(picture)):.4f}")

# %% [markdown]
# ## 5 · The picture is what we train
#
# In all other lessons the pictures stay and the weights learn. Here it is the other way round. The
# network is fixed. The **pixels are the parameters**, 49,152 of them in a picture of 128×128. We
# ask the same `GradientTape` for the gradient of the loss by the *picture*, and go a step downhill.
# Afterwards each pixel is brought back to where pixels may be, 0 … 1.
#
# ### Exercise 5 · `gradient_step` (3 points)
#
# Take one step. The loss is the mean squared difference between `model(picture)` and `goal`. The
# picture comes without a batch axis, the model wants one: `picture[None]`. The new picture is
#
# $$\text{clip}\big(\text{picture} - \text{rate} \cdot \text{gradient},\; 0,\; 1\big)$$


# %% nbgrader={"grade_id": "gradient_step", "solution": true}
def gradient_step(model, picture, goal, rate):
    """Change a picture a little, so that a model finds in it more of what it should.

    Parameters
    ----------
    model : keras.Model; takes (1, height, width, 3), returns (1, height, width, depth)
    picture : array of shape (height, width, 3), values 0 … 1
    goal : array of shape (height, width, depth)
    rate : float, the learning rate

    Returns
    -------
    The new picture: array or tensor of shape (height, width, 3), values 0 … 1.
    """
    ### BEGIN SOLUTION
    picture = tf.Variable(picture)
    with tf.GradientTape() as tape:
        loss = content_loss(model(picture[None])[0], goal)
    gradient = tape.gradient(loss, picture)
    return ops.clip(picture - rate * gradient, 0, 1)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_gradient_step", "grade": true, "points": 3}
exercise = checks.Exercise(
    "gradient_step",
    points=3,
    hints={
        "uphill": "The loss grew. Where does the gradient point, and where do you want to go?",
        "not-clipped": "Some values are below 0 or above 1: no pixel can show them.",
        "sum": "Your gradient is that of the *sum* of squares, many times too large.",
        "rate-forgotten": "You subtracted the whole gradient: where is the rate?",
        "sign": "You used only the sign of the gradient. That is another method (lesson 08).",
        "gradient": "You returned the gradient. What is asked for is the new picture.",
        "unchanged": "The picture is the one that came in.",
        "clipped-255": "You clipped to 0 … 255. These pixels live between 0 and 1.",
    },
)


def small_model(kernel, bias):
    """One convolution of 1×1 and ReLU: its gradient can be written down."""
    depth = len(bias)
    model = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(depth, 1, activation="relu")]
    )
    model.set_weights([np.reshape(kernel, (1, 1, 3, depth)), bias])
    return model


def step_answers(kernel, bias, picture, goal, rate):
    """The new picture, and what wrong answers would give, in float64."""
    kernel, bias, picture, goal = (np.float64(each) for each in (kernel, bias, picture, goal))
    before = picture @ kernel + bias
    error = np.maximum(before, 0) - goal
    gradient = 2 / error.size * (error * (before > 0)) @ kernel.T
    right = np.clip(picture - rate * gradient, 0, 1)
    return right, {
        "uphill": np.clip(picture + rate * gradient, 0, 1),
        "not-clipped": picture - rate * gradient,
        "sum": np.clip(picture - rate * error.size * gradient, 0, 1),
        "rate-forgotten": np.clip(picture - gradient, 0, 1),
        "sign": np.clip(picture - rate * np.sign(gradient), 0, 1),
        "gradient": gradient,
        "unchanged": picture,
        "clipped-255": np.clip(picture - rate * gradient, 0, 255),
    }


def loss_of(model, picture, goal):
    """Mean squared difference, in float64."""
    found = np.float64(model(np.float32(picture)[None])[0])
    return np.mean((found - np.float64(goal)) ** 2)


tiny_kernel = np.array([[1, 0], [0, 1], [1, -1]], "float32")
tiny_bias = np.array([0.1, 0.5], "float32")
tiny_model = small_model(tiny_kernel, tiny_bias)
tiny_picture = np.array([[[0.2, 0.9, 0.4], [0.7, 0.1, 0.3]]], "float32")
tiny_goal = np.array([[[1.0, 0.2], [0.0, 1.5]]], "float32")
expected, wrong = step_answers(tiny_kernel, tiny_bias, tiny_picture, tiny_goal, 0.3)
exercise.array(
    "two pixels, a small rate",
    lambda: gradient_step(tiny_model, tiny_picture, tiny_goal, 0.3),
    expected,
    mistakes=wrong,
)
exercise.true(
    "one step lowers the loss",
    lambda: (
        loss_of(
            tiny_model, np.array(gradient_step(tiny_model, tiny_picture, tiny_goal, 0.3)), tiny_goal
        )
        < loss_of(tiny_model, tiny_picture, tiny_goal)
    ),
    otherwise="the loss after the step is not smaller than before",
    hint="uphill",
)
expected, wrong = step_answers(tiny_kernel, tiny_bias, tiny_picture, tiny_goal, 4.0)
exercise.array(
    "two pixels, a rate so large that it has to be clipped",
    lambda: gradient_step(tiny_model, tiny_picture, tiny_goal, 4.0),
    expected,
    mistakes=wrong,
)
### BEGIN HIDDEN TESTS
_kernel = exercise.rng.normal(0, 0.7, (3, 5)).astype("float32")
_bias = exercise.rng.normal(0.3, 0.2, 5).astype("float32")
_picture = exercise.rng.random((4, 6, 3)).astype("float32")
_goal = exercise.rng.random((4, 6, 5)).astype("float32")
_model = small_model(_kernel, _bias)
for _name, _rate in (("gentle", 2.0), ("bold", 60.0)):
    _expected, _wrong = step_answers(_kernel, _bias, _picture, _goal, _rate)
    exercise.hidden.array(
        f"a drawn picture, {_name}",
        lambda _r=_rate: gradient_step(_model, _picture, _goal, _r),
        _expected,
        mistakes=_wrong,
        weight=2,
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 6 · A cat by Van Gogh
#
# Everything is there. The loss is a sum of three:
#
# $$L = \underbrace{\text{content}}_{\text{what is where}} \;+\;
# \alpha \cdot \underbrace{\text{style}}_{\text{how it is painted}} \;+\;
# \beta \cdot \underbrace{\text{total variation}}_{\text{no speckles}}$$
#
# Losses of different layers are numbers of very different size, since the maps are. So we divide
# each by the mean square of its goal: a relative loss of 1 means *as far from the goal as a map of
# zeros*. After that one $\alpha$ and one $\beta$ serve for all pictures: 20 and 20.
#
# Two things make it quicker and better than the plain step of exercise 5. The optimiser is Adam
# (lesson 01), whose steps are as large as the learning rate says, however flat the loss. And we
# work **from small to large**: first a picture of half the side, where large swirls are found with
# few steps; then it is enlarged, and the fine strokes are added.


# %% tags=["picture"]
class Drawn(NamedTuple):
    """A drawn picture, pictures on the way there, and the losses."""

    picture: np.ndarray  # (height, width, 3), 0 … 1
    strip: dict  # step → picture
    losses: np.ndarray  # (steps, 3): content, style, total variation, without their weights


def number_of(loss, name):
    """The loss, if a gradient can come back from it."""
    if not tf.is_tensor(loss):
        raise TypeError(
            f"{name} returned {type(loss).__name__}, expected a tensor: no gradient finds its way "
            "back through NumPy; write it with keras.ops"
        )
    return loss


def draw(
    content,
    style,
    *,
    begin=None,
    steps=50,
    rate=0.03,
    content_at=None,
    style_at=None,
    alpha=20.0,
    beta=20.0,
    keep=(),
    watch=None,
):
    """Find a picture with the content of one and the style of another.

    Parameters
    ----------
    content, style : array of shape (height, width, 3), 0 … 1; they may differ in size
    begin : the picture to begin with, of the size of the content; the content itself if omitted
    steps, rate : how many steps, and how long they are at first; at the end they are a tenth
    content_at : dict, layer → weight; {"block4_conv1": 1} if omitted
    style_at : dict, layer → share of alpha; all layers alike if omitted
    alpha, beta : weights of style and of total variation
    keep : steps after which the picture is kept
    watch : function of (step, picture), called now and then

    Returns
    -------
    Drawn
    """
    content_at = {CONTENT_LAYER: 1.0} if content_at is None else content_at
    style_at = dict.fromkeys(LAYERS, 1 / len(LAYERS)) if style_at is None else style_at
    goals, style_maps = maps_of(content), maps_of(style)
    shares = share_of(style_maps, [style_at.get(name, 0.0) for name in LAYERS])
    parts = [  # which layer, and its weight relative to the size of its maps
        (LAYERS.index(name), weight / float(ops.mean(ops.square(goals[LAYERS.index(name)]))))
        for name, weight in content_at.items()
    ]
    picture = tf.Variable(content if begin is None else begin, dtype="float32")
    optimizer = keras.optimizers.Adam(rate, beta_2=0.99)
    strip, losses = {}, []
    for step in range(steps + 1):
        if step in keep:
            strip[step] = picture.numpy()
        if watch and step % 5 == 0:
            watch(step, picture.numpy())
        if step == steps:
            break
        optimizer.learning_rate = rate * (0.55 + 0.45 * np.cos(np.pi * step / steps))
        with tf.GradientTape() as tape:
            maps = maps_of(picture)
            three = (
                sum(
                    (
                        w * number_of(content_loss(maps[k], goals[k]), "content_loss")
                        for k, w in parts
                    ),
                    tf.constant(0.0),
                ),
                number_of(style_loss(maps, style_maps, shares), "style_loss"),
                number_of(total_variation(picture), "total_variation"),
            )
            loss = three[0] + alpha * three[1] + beta * three[2]
        optimizer.apply([tape.gradient(loss, picture)], [picture])
        picture.assign(tf.clip_by_value(picture, 0.0, 1.0))
        losses.append([float(each) for each in three])
    return Drawn(picture.numpy(), strip, np.array(losses))


def resized(picture, height, width):
    """A picture, 0 … 1, brought to another size."""
    image = Image.fromarray((255 * np.clip(picture, 0, 1) + 0.5).astype("uint8"))
    small = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(small, "float32") / 255


# %% [markdown]
# **Predict.** We begin with the photograph itself: its content loss is 0, its style loss large. How
# will the *content* loss run? A line down, a line up, or first up and then down again?

# %%
prediction_content = None  # "down", "up" or "up, then down"

# %% tags=["picture"]
SIDE = by_scale(quick=128, full=512, grading=16)
STEPS = by_scale(quick=(50, 50), full=(120, 80), grading=(2, 1))  # at half the side, at the side
KEEP = by_scale(quick=(0, 3, 8, 20, 50), full=(0, 3, 8, 20, 120), grading=(0, 2))

content = photograph("chelsea", SIDE)  # ← or "china", "coffee", "flower", "rocket", "camera"
style = painting("starry_night", SIDE)  # ← or "great_wave", "scream"

watching = Progress(sum(STEPS), "painting")
begun = time.perf_counter()
half = draw(
    resized(content, SIDE // 2, SIDE // 2),
    resized(style, SIDE // 2, SIDE // 2),
    steps=STEPS[0],
    rate=0.05,
    keep=KEEP,
    watch=watching.update,
)
whole = draw(
    content,
    style,
    begin=resized(half.picture, SIDE, SIDE),
    steps=STEPS[1],
    watch=lambda step, picture: watching.update(STEPS[0] + step, picture),
)
seconds = time.perf_counter() - begun

# %%
show_pictures(
    {
        "content": content,
        "style": style,
        f"after {sum(STEPS)} steps": whole.picture,
    },
    alt="Three pictures: the photograph of the cat's face; Van Gogh's Starry Night; and the "
    "result, the cat's face in blue and yellow swirls of short strokes, the eyes as dark whirls, a "
    "pale yellow nose, stars in the fur.",
)
print(f"{SIDE}×{SIDE} pixels, {sum(STEPS)} steps: {seconds:.1f} s")

# %%
show_pictures(
    {("begin" if step == 0 else f"step {step}"): picture for step, picture in half.strip.items()}
    | {f"step {sum(STEPS)}": whole.picture},
    alt="Six pictures of the cat as it grows: the photograph; after 3 steps speckled in purple and "
    "yellow; after 8 steps blue speckles come in; after 20 a blue cat; after 50 dark blue with "
    "first strokes and a yellow star; at the end the same at twice the side, with fine strokes.",
)
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
curves = np.concatenate([half.losses, whole.losses])
curves[curves == 0] = np.nan  # a logarithm has no zero
for column, (name, weight, dashes) in enumerate(
    (("content", 1, "-"), ("20 · style", 20, "--"), ("20 · total variation", 20, ":"))
):
    axis.plot(np.arange(len(curves)), weight * curves[:, column], dashes, lw=2, label=name)
axis.axvline(STEPS[0], color="black", lw=0.8)
axis.text(STEPS[0], 0.03, "  now at twice the side", transform=axis.get_xaxis_transform())
axis.set(xlabel="step", ylabel="part of the loss", yscale="log", ylim=(0.02, 60))
axis.grid(alpha=0.3)
axis.legend(loc="upper right")
show(
    figure,
    alt="The three parts of the loss by step, on a logarithmic scale. Style falls steeply in the "
    "first ten steps and slowly after. Content rises at once and then stays level. At step 50, "
    "where the picture is enlarged, style and content jump up and total variation dips; then style "
    "and content sink again.",
)
peak, end = np.nanmax(curves[:, 0]), curves[-1, 0]
print(f"content: {half.losses[0, 0]:.2f} at first, {peak:.2f} at most, {end:.2f} at last")
print(f"style:   {half.losses[0, 1]:.3f} at first, {curves[-1, 1]:.3f} at last")
compare_prediction(prediction_content, "up, then down" if end < 0.9 * peak else "up")

# %% [markdown]
# ## 7 · Take away one term at a time
#
# Which term does what? **Ablation**: take one away, keep the rest, look. Small pictures and few
# steps will do, at 64×64 one sees enough.
#
# **Predict.** Which of the three, without style, without content, without total variation, gives a
# picture in which no cat can be found?

# %%
prediction_no_cat = None  # "no style", "no content" or "no variation"

# %%
TINY = by_scale(quick=64, full=256, grading=16)
FEW = by_scale(quick=40, full=150, grading=1)
little_cat, little_painting = photograph("chelsea", TINY), painting("starry_night", TINY)
noise = np.random.default_rng(5).uniform(0.2, 0.8, little_cat.shape).astype("float32")
ablated = {}


def ablate(experiments, alt):
    """Draw a small picture for each experiment, keep them, and show them side by side."""
    watching = Progress(len(experiments), "ablations")
    for number, (name, changed) in enumerate(experiments.items(), start=1):
        settings = {"steps": FEW, "rate": 0.05} | changed
        ablated[name] = draw(little_cat, little_painting, **settings)
        watching.update(number, ablated[name].picture)
    show_pictures({name: ablated[name].picture for name in experiments}, alt=alt)


ablate(
    {
        "all terms": {},
        "no style": {"alpha": 0.0, "begin": noise},
        "no content": {"content_at": {}, "begin": noise},
        "no variation": {"beta": 0.0},
    },
    alt="Four small pictures. All terms: the cat's face in dark blue swirls. No style: the cat, a "
    "little pale, in natural colours. No content: blue whirls, yellow spots, dark towers, and no "
    "cat. No variation: like the first, with a fine grid of coloured speckles.",
)

# %% [markdown]
# (Without style or without content we begin with noise, so that nothing of the photograph is there
# by itself.)
#
# Next, the style from **one layer at a time**.
#
# **Predict.** Style from `block1_conv1` only: what will be Van Gogh about the picture? The colours,
# the strokes, or the whirls?

# %%
prediction_first_layer = None  # "colours", "strokes" or "whirls"

# %%
ablate(
    {f"style: {name}": {"style_at": {name: 1.0}} for name in LAYERS[:4]},
    alt="Four small pictures of the cat. Style from block1: the photograph in Van Gogh's blues, "
    "without any strokes. From block2: the same, coarser, with grain. From block3: a brown cat "
    "made of short strokes. From block4: whirls and thick outlines in white, black and red; the "
    "face is hard to find.",
)

# %% [markdown]
# This prediction only your eyes can check. Last, the content from **other layers** (with ten times
# the weight, otherwise the style runs over them), and another **beginning**.

# %%
ablate(
    {
        "content: block1_conv1": {"content_at": {"block1_conv1": 10.0}},
        "content: block3_conv1": {"content_at": {"block3_conv1": 10.0}},
        "begin with noise": {"begin": noise},
        "noise, twice the steps": {"begin": noise, "steps": 2 * FEW},
    },
    alt="Four small pictures. Content from block1: the cat in its own warm colours, blue only "
    "along some edges. Content from block3: a bluish grey cat with all its outlines and hairs. "
    "Begun with noise: swirls among which a face is hard to find. With twice the steps: a dark, "
    "smoother picture with one clear eye.",
)

# %% [markdown]
# Now the figures. All twelve are measured with the same yardstick: content at `block4_conv1`, style
# over all layers, whatever each was drawn for.

# %%
full_content, full_style = maps_of(little_cat), maps_of(little_painting)
shares = share_of(full_style, even)
deep = LAYERS.index(CONTENT_LAYER)
size = float(ops.mean(ops.square(full_content[deep])))
print(f"{'':24}{'content':>9}{'style':>9}{'variation':>11}")
measured = {}
for name, drawn in {"the photograph": None, **ablated}.items():
    picture = little_cat if drawn is None else drawn.picture
    maps = maps_of(picture)
    measured[name] = (
        float(content_loss(maps[deep], full_content[deep])) / size,
        float(style_loss(maps, full_style, shares)),
        float(total_variation(picture)),
    )
    print(f"{name:24}{measured[name][0]:9.3f}{measured[name][1]:9.4f}{measured[name][2]:11.4f}")
first_row = ("no style", "no content", "no variation")
compare_prediction(prediction_no_cat, max(first_row, key=lambda name: measured[name][0]))

# %% [markdown]
# A content of 1 is as far from the cat as a map of zeros. Mind that even with all terms it is not
# small: the eye forgives what the layer counts.
#
# ### Exercise 6 · Reading the grid (3 points, marked by hand)
#
# Look at the twelve pictures and the table. Answer in five to nine sentences, with numbers from
# **your** run:
#
# 1. What does each of the three terms do? For each name the picture *and* the number of the table
#    that show it.
# 2. What does each of the four style layers bring? Explain the order by the receptive field (lesson
#    02): how much of the picture does a number in `block1_conv1` see, and one in `block4_conv1`?
# 3. Someone says: "Beginning with the photograph or with noise makes no difference; the loss is the
#    same." What do your pictures and numbers say, and which part of the sentence is true?

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. Numbers of the recorded run. Content keeps the cat: without it there is no cat, and the content
#    loss is 1.26 instead of 0.76, more than for a map of zeros. Style brings the painting: without
#    it the cat is a photograph and its style loss 0.58, ten times that of all terms (0.058). Total
#    variation removes speckles: without it they cover the picture, and the variation is 0.024
#    instead of 0.009, while content and style stay the same (0.77, 0.058).
# 2. block1_conv1 brings colours: a number there sees 3×3 pixels, so its Gram matrix is hardly more
#    than a statistic of colours and tiny edges. block2_conv1 sees 10×10 and brings grain,
#    block3_conv1 24×24 and brings strokes; block4_conv1 sees 60×60 of the 64×64 pixels (means
#    instead of maxima do not change that) and asks for whole shapes, whirls, outlines, but fixes
#    the colours no longer: its style loss over all layers is 0.32, as bad as that of block1.
# 3. The loss as a function is the same, so its minima are; that part is true. But gradient descent
#    with few steps ends near where it began. From noise the style is as good (0.060 against 0.058)
#    and the content worse (1.00 against 0.76): the cat is hard to find. With twice the steps the
#    style is better (0.031), the content (0.91) still worse. And even equal losses would not mean
#    equal pictures.
#
# Marking: one point for each part. (1) three terms, each with picture and number. (2) an order from
# colours to shapes *and* the receptive field as the reason. (3) same function, other end; a number
# from the last row.
# ### END SOLUTION

# %% [markdown]
# ## 8 · Your picture, your style
#
# Put two picture files beside this notebook, write their names into the cell below, and run it.
# Photographs of a phone are fine (they are turned upright), and so are PNG, WebP or a scan of your
# own drawing. The picture keeps its proportions; `side` is its shorter side. What is wrong with a
# file is said in one sentence. (Our example has `alpha=10`, half of the cat's: the temple should
# stay a temple.)


# %%
def stylise(content_file, style_file, result_file, side=128, steps=(50, 40), alpha=20.0, beta=20.0):
    """Draw one picture file in the style of another and write the result as PNG.

    Returns
    -------
    The result, shape (height, width, 3), 0 … 1; None if a file cannot be read.
    """
    try:
        content, style = (
            read_picture(path).astype("float32") / 255 for path in (content_file, style_file)
        )
    except DataError as error:
        print(error)
        return None

    def at(picture, shorter):
        height, width = picture.shape[:2]
        scale = shorter / min(height, width)
        # The network halves three times: sides that are multiples of 8 lose no row.
        return resized(picture, *(max(8 * round(scale * n / 8), 16) for n in (height, width)))

    watching = Progress(sum(steps), Path(result_file).name)
    small, large = at(content, side // 2), at(content, side)
    weights = {"alpha": alpha, "beta": beta}
    first = draw(
        small, at(style, side // 2), steps=steps[0], rate=0.05, watch=watching.update, **weights
    )
    second = draw(
        large,
        at(style, side),
        begin=resized(first.picture, *large.shape[:2]),
        steps=steps[1],
        watch=lambda step, picture: watching.update(steps[0] + step, picture),
        **weights,
    )
    Image.fromarray((255 * second.picture + 0.5).astype("uint8")).save(result_file)
    print(f"{Path(result_file).name}: {large.shape[1]}×{large.shape[0]} pixels")
    return second.picture


# Two files, so that there is something to read. Replace the paths by your own.
folder = Path(tempfile.mkdtemp())
Image.fromarray(load_photograph("china")).save(folder / "temple.jpg", quality=95)
Image.fromarray(load_painting("great_wave")).save(folder / "wave.png")

my_picture = folder / "temple.jpg"  # ← for example "my_picture.jpg"
my_style = folder / "wave.png"  # ← for example "my_style.png"
result = stylise(
    my_picture,
    my_style,
    folder / "result.png",
    side=by_scale(quick=128, full=512, grading=16),
    steps=by_scale(quick=(40, 25), full=(120, 80), grading=(1, 1)),
    alpha=10.0,
)

# %%
if result is not None:
    show_pictures(
        {
            "my picture": resized(read_picture(my_picture) / 255, *result.shape[:2]),
            "in my style": result,
        },
        alt="Left the photograph of a Chinese temple tower above trees and a lake, right the same "
        "in the style of Hokusai's Great Wave: the trees have become foaming waves in blue and "
        "cream, the roofs are blue, the sky is the colour of old paper.",
    )

# %% [markdown]
# And if something is wrong with a file:

# %%
(folder / "empty.jpg").write_bytes(b"")
(folder / "text.png").write_text("This is no picture.")
(folder / "torn.jpg").write_bytes((folder / "temple.jpg").read_bytes()[:9000])
for wrong_file in ("tempel.jpg", "empty.jpg", "text.png", "torn.jpg"):
    stylise(folder / wrong_file, my_style, folder / "result.png")

# %% [markdown]
# If a result disappoints you: cat gone → halve `alpha`. Looks like a filter over a photograph →
# double `alpha`, or begin with a style whose strokes are *large* in its picture. Speckles → double
# `beta`. Mushy → halve `beta`, or take more steps. A style of large even areas needs a content with
# large even areas; a portrait and a pattern of small tiles seldom become friends.
#
# ### What 128 pixels can show, and what they cannot
#
# They show the method whole, with all its terms. They do not show brushwork: at 128 pixels a stroke
# of Van Gogh's is one or two pixels wide. `COURSE_SCALE=full` draws at 512 pixels with the whole of
# VGG-16, if its weights are at hand, and listens to one more layer: 200 steps, seven minutes on two
# cores that had other work as well (`python -m benchmarks.style_transfer`). The course's README
# shows that picture.
#
# ## What the numbers say
#
# Of the recorded run; yours will differ a little.
#
# - **49,152 against 0.** So many pixels of a 128×128 picture are changed, and so many of the
#   network's 2,915,648 weights.
# - **5, 8 and 14 %.** So far are the pixels from the photograph's when a picture is found from its
#   maps alone, at the first, second and fourth block. Late layers keep what is where, and let go of
#   how it looks.
# - **64×64**, whatever the size of the picture: a Gram matrix knows maps and no places.
# - **5 of 6.** So many halves of paintings found their other half by style alone. Hokusai's left
#   half, all foam, is nearer to Van Gogh's right one (0.68) than to its own (0.74), all paper.
# - **0.70 → 0.02** in style, at the price of **0 → 0.68** in content. Style transfer is a
#   compromise, and the eye is lenient about content.
# - **3, 10, 24 and 60 pixels** wide is what a number of the four layers sees: colours, grain,
#   strokes, whirls. No single layer is a style.
# - **0.024 against 0.009** in total variation: speckles, to which the network hardly reacts.
#
# ## Further reading
#
# - L. A. Gatys, A. S. Ecker, M. Bethge: *Image style transfer using convolutional neural networks*,
#   CVPR 2016; first as *A neural algorithm of artistic style*, arXiv:1508.06576 (2015).
# - L. A. Gatys, A. S. Ecker, M. Bethge: *Texture synthesis using convolutional neural networks*,
#   NeurIPS 2015, arXiv:1505.07376. Gram matrices without a content.
# - A. Mahendran, A. Vedaldi: *Understanding deep image representations by inverting them*, CVPR
#   2015, arXiv:1412.0035. Section 2 of this lesson, thoroughly; total variation.
# - J. Johnson, A. Alahi, L. Fei-Fei: *Perceptual losses for real-time style transfer and
#   super-resolution*, ECCV 2016, arXiv:1603.08155. A network that learns one style and then needs
#   a single pass.
# - X. Huang, S. Belongie: *Arbitrary style transfer in real-time with adaptive instance
#   normalization*, ICCV 2017, arXiv:1703.06868. Means and spreads of maps instead of Gram matrices.
# - Y. Li, N. Wang, J. Liu, X. Hou: *Demystifying neural style transfer*, IJCAI 2017,
#   arXiv:1701.01036. Why matching Gram matrices is matching distributions.
# - A. Hertzmann: *Painterly rendering with curved brush strokes of multiple sizes*, SIGGRAPH 1998.
#   How well one program for one style can do.
