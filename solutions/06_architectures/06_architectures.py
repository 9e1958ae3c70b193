# %% [markdown]
# # 06 · Architectures that changed the field
#
# Between 2012 and 2015 the error of the best network on ImageNet fell from 16 to under 4 per cent.
# Four ideas did most of it, and each fits into a sentence: *use ReLU and a graphics card*; *small
# windows, many layers*; *several windows side by side*; *let the signal take a shortcut*. In this
# lesson you write the famous networks down in one line each, count what they cost, and find out by
# measurement why depth was a problem and what a shortcut does about it.
#
# **You will be able to**
#
# - say what AlexNet, VGG, Inception and ResNet brought, and what each costs;
# - build VGG-16's convolutional part in a loop, and a residual block with a projection;
# - measure the gradient of every layer, and read from the plot whether a network can learn;
# - compare networks fairly, at equal numbers of parameters.
#
# **Budget**, measured on 2 CPU cores: about 65 seconds to run, 1.2 GB of memory, 0 bytes of
# download: 6,000 pictures of CIFAR-10 come with the course. Reading, thinking and the exercises:
# three hours.
#
# There are four exercises, 16 points. Each is followed by checks that you can run as often as you
# like. A failed check names the mistake where it recognises it. Further checks, with fresh
# numbers, run when the lesson is graded.

# %% tags=["benchmark"] nbgrader={"grade_id": "setup", "locked": true}
import math
import os
import re
import time
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from autograder import checks
from autograder.experiments import compare_prediction, judge
from autograder.figures import show, use_course_style
from autograder.quiet import quiet_imports
from data_scripts import by_scale, course_scale, load, load_training_runs

# Our layers are so small that two threads for one layer only get in each other's way.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
with quiet_imports():
    import keras
    import tensorflow as tf

use_course_style()
keras.utils.set_random_seed(6)

# %% [markdown]
# ## 1 · A contest
#
# **ImageNet** is a collection of some 14 million photographs, sorted by what is on them. From 2010
# to 2017 it had a yearly contest, the ILSVRC: 1.2 million photographs to learn from, 1,000 classes
# (120 of them breeds of dogs), 100,000 photographs for the test. A network may name five classes
# for a photograph. If the right one is not among them, that is a **top-5 error**.
#
# **Predict.** In 2011 the winner, no network at all, was wrong on 25.8 % of the photographs. The
# next year a network took part and won. What was its error?

# %%
prediction_2012 = None  # per cent

# %%
winners = [  # year, name, layers with weights, top-5 error in per cent
    (2010, "NEC", 0, 28.2),
    (2011, "XRCE", 0, 25.8),
    (2012, "AlexNet", 8, 16.4),
    (2013, "Clarifai", 8, 11.7),
    (2014, "VGG", 19, 7.3),
    (2014, "GoogLeNet", 22, 6.7),
    (2015, "ResNet", 152, 3.6),
]
figure, axis = plt.subplots(figsize=(8, 3.7), layout="constrained")
shades = plt.get_cmap("viridis_r")
for place, (year, name, layers, error) in enumerate(winners):
    colour = shades(0.25 + 0.75 * math.log(layers) / math.log(152)) if layers else "#BBBBBB"
    axis.bar(place, error, width=0.68, color=colour)
    depth = f"{layers} layers" if layers else "no network"
    above = error + 0.6 if error > 5.1 else 5.7  # clear of the dashed line
    axis.text(place, above, f"{error} %", ha="center", size=11)
    axis.text(place, -1.1, f"{year}\n{name}\n{depth}", ha="center", va="top", size=9.5)
axis.axhline(5.1, color="black", ls="--", lw=1)
axis.text(-0.4, 5.6, "a trained person: 5.1 %", size=9)
axis.set(xticks=[], ylim=(0, 31), ylabel="top-5 error (%)", xlim=(-0.5, 6.5))
axis.tick_params(axis="x", length=0)
show(
    figure,
    alt="Top-5 errors on ImageNet by year. 2010 NEC 28.2 and 2011 XRCE 25.8 per cent, both without "
    "a network. 2012 AlexNet, 8 layers, 16.4; 2013 Clarifai, 8 layers, 11.7; 2014 VGG, 19 layers, "
    "7.3 and GoogLeNet, 22 layers, 6.7; 2015 ResNet, 152 layers, 3.6. A dashed line at 5.1 marks "
    "a trained person; only ResNet is below it.",
)
print(f"AlexNet: 16.4 %; you predicted {prediction_2012}")

# %% [markdown]
# Sources: Russakovsky and others 2015 (2010 to 2014, and the person: one trained annotator on 1,500
# photographs); Simonyan and Zisserman 2014 for VGG, which came second; He and others 2015. All are
# contest entries without further data, most of them averages of several networks. (The AlexNet
# paper names 15.3 % for an entry that had learned from more photographs.)
#
# The bars fall, the number of layers grows: 8, 19, 22, 152. It is tempting to conclude that deeper
# is better. Sections 5 to 8 look at what stands between the two.
#
# ## 2 · Networks in one line
#
# The VGG paper writes `conv3-64` for a convolution with windows of 3×3 and 64 filters. We take that
# up and stretch it a little, so that a whole network becomes a line of text:
#
# | word | meaning |
# |---|---|
# | `conv3-64` | convolution, 3×3, 64 filters, padding `"same"`, then the activation (ReLU) |
# | `conv11-96/4v` | `/4`: stride 4. `v`: padding `"valid"` |
# | `conv5-256g2` | `g2`: two groups; each half of the filters sees only one half of the maps |
# | `pool2/2` | max pooling, window 2, stride 2 |
# | `gap`, `flat` | global average pooling, flatten |
# | `dense10` | dense layer with 10 units; the last one is followed by softmax |
# | `[ … ]` | around these layers runs a shortcut: what comes in is added to what comes out |

# %% nbgrader={"grade_id": "networks_in_words", "locked": true}
ALEXNET = (
    "conv11-96/4v pool3/2v conv5-256g2 pool3/2v conv3-384 conv3-384g2 conv3-256g2 pool3/2v "
    "flat dense4096 dense4096 dense1000"
)
VGG_16 = (
    "conv3-64 conv3-64 pool2/2 conv3-128 conv3-128 pool2/2 conv3-256 conv3-256 conv3-256 pool2/2 "
    "conv3-512 conv3-512 conv3-512 pool2/2 conv3-512 conv3-512 conv3-512 pool2/2 "
    "flat dense4096 dense4096 dense1000"
)
VGG_19 = (  # one more convolution in each of the last three stages
    VGG_16.replace("256 conv3-256 pool", "256 conv3-256 conv3-256 pool").replace(
        "512 conv3-512 pool", "512 conv3-512 conv3-512 pool"
    )
)


def stage(blocks, first, others):
    """The words of a stage of ResNet: one block, then others."""
    return f"[ {first} ] " + f"[ {others} ] " * (blocks - 1)


RESNET_34 = (
    "conv7-64/2 pool3/2 "
    + stage(3, "conv3-64 conv3-64", "conv3-64 conv3-64")
    + stage(4, "conv3-128/2 conv3-128", "conv3-128 conv3-128")
    + stage(6, "conv3-256/2 conv3-256", "conv3-256 conv3-256")
    + stage(3, "conv3-512/2 conv3-512", "conv3-512 conv3-512")
    + "gap dense1000"
)


def bottlenecks(blocks, narrow, wide, stride=""):
    """The words of a stage of the deepest ResNets: narrow, look around, widen."""
    others = f"conv1-{narrow} conv3-{narrow} conv1-{wide}"
    return stage(blocks, others.replace(f"1-{narrow}", f"1-{narrow}{stride}"), others)


def deep_resnet(*blocks):
    """The words of a ResNet with so many bottleneck blocks in its four stages."""
    return (
        "conv7-64/2 pool3/2 "
        + bottlenecks(blocks[0], 64, 256)
        + bottlenecks(blocks[1], 128, 512, "/2")
        + bottlenecks(blocks[2], 256, 1024, "/2")
        + bottlenecks(blocks[3], 512, 2048, "/2")
        + "gap dense1000"
    )


RESNET_50, RESNET_152 = deep_resnet(3, 4, 6, 3), deep_resnet(3, 8, 36, 3)
print("VGG-16:", VGG_16.replace("pool2/2", "pool2/2\n       "))

# %% [markdown]
# **AlexNet** (Krizhevsky, Sutskever, Hinton 2012) is LeNet grown up: convolutions, then dense
# layers. New were its size and what made the size possible. *ReLU* instead of a sigmoid-like
# bend learned several times faster. *Dropout* kept 60 million parameters from learning 1.2 million
# photographs by heart, with crops, reflections and changes of colour as augmentation. It learned
# for five to six days on two graphics cards of 3 GB. The groups are there because it had to be cut
# in two to fit.
#
# **VGG** (Simonyan, Zisserman 2014) has one rule: 3×3 all the way. Two layers of 3×3 see as much as
# one of 5×5, three as much as one of 7×7 (lesson 02), with fewer weights and more bends:
# for depth $D$ in and out, $3·9·D^2 = 27D^2$ against $49D^2$. After each pooling the number of
# filters doubles, up to 512.
#
# **Inception** (Szegedy and others 2014; the network is called GoogLeNet) does not choose a window.
# In each module 1×1, 3×3 and 5×5 convolutions and a pooling stand *side by side*, and their maps
# are stacked in depth. Before the costly windows, 1×1 convolutions make the maps thin. There is no
# big dense layer at the end, only global average pooling. With 22 layers it needs, by its paper, 12
# times fewer parameters than AlexNet. It won in 2014; our one-line language has no words for "side
# by side".
#
# **ResNet** (He, Zhang, Ren, Sun 2015) adds, around every two or three layers, a **shortcut**. What
# comes in is added to what comes out: $y = x + f(x)$. So the layers have to learn only what is
# *different*, the residual. With batch normalisation, that made 152 layers trainable.
#
# Here are four of them, one bar for each layer. (The reading of the lines and the drawing are in
# the next two cells. The first is worth a look.)

# %% tags=["benchmark"] nbgrader={"grade_id": "reading_words", "locked": true}
_WORD = re.compile(r"(conv|pool|dense)(\d+)(?:-(\d+))?(?:g(\d+))?(?:/(\d+))?(v)?")


class Word(NamedTuple):
    """One word of a network's line."""

    text: str
    kind: str  # "conv", "pool", "dense", "gap", "flat", "[" or "]"
    size: int = 0  # side of the window; units of a dense layer
    filters: int = 0
    groups: int = 1
    stride: int = 1
    padding: str = "same"


def words(line):
    """Read a network's line; raise ValueError at a word that is none."""
    found = []
    for text in line.split():
        match = _WORD.fullmatch(text)
        if text in ("[", "]", "gap", "flat"):
            found.append(Word(text, text))
        elif match and (match[1] == "conv") == bool(match[3]):
            size, filters, groups, stride = (int(n) if n else 0 for n in match.groups()[1:5])
            padding = "valid" if match[6] else "same"
            found.append(Word(text, match[1], size, filters, groups or 1, stride or 1, padding))
        else:
            raise ValueError(f"{text!r} is no word of the language")
    return found


class Cost(NamedTuple):
    """What a layer costs, and the size and depth of its output."""

    word: str
    size: int
    depth: int
    parameters: int
    work: int  # multiply-adds for one picture


def account(line, size, depth=3, norm=False):
    """Count a network layer by layer, for square pictures, without building it.

    With `norm`, convolutions have no bias, and batch normalisation after them learns two numbers
    for each filter.
    """
    costs, before = [], None
    for word in words(line):
        parameters = work = 0
        if word.kind in ("conv", "pool"):
            lost = 0 if word.padding == "same" else word.size - 1
            size = math.ceil((size - lost) / word.stride)
        if word.kind == "conv":
            weights = word.filters * word.size**2 * depth // word.groups
            parameters = weights + (2 if norm else 1) * word.filters
            work = size * size * weights
            depth = word.filters
        elif word.kind == "dense":
            parameters, work, depth = (depth + 1) * word.size, depth * word.size, word.size
        elif word.kind == "flat":
            size, depth = 1, size * size * depth
        elif word.kind == "gap":
            size = 1
        elif word.kind == "[":
            before = (size, depth)
        elif word.kind == "]" and before != (size, depth):  # a 1×1 convolution makes it fit
            weights = before[1] * depth
            parameters, work = weights + (2 if norm else 1) * depth, size * size * weights
            costs.append(Cost("shortcut", size, depth, parameters, work))
        if word.kind not in ("[", "]"):
            costs.append(Cost(word.text, size, depth, parameters, work))
    return costs


def total(costs, what):
    """Sum of one column of an account."""
    return sum(getattr(cost, what) for cost in costs)


# %% nbgrader={"grade_id": "drawing_networks", "locked": true}
# Only drawing in this cell: read it some other day.


def draw_network(axis, line, size, title):
    """Draw one bar a layer: its height is the size of the map, its colour the depth."""
    shades = plt.get_cmap("viridis_r")
    place, opened = 0, 0
    layers = [cost for cost in account(line, size) if cost.word != "shortcut"]
    for word in words(line):
        if word.kind == "[":
            opened = place
            continue
        if word.kind == "]":
            top = 1.07 * max(layer.size for layer in layers[max(opened - 1, 0) : place])
            arc = np.linspace(0, np.pi, 20)
            middle, width = (opened + place) / 2 - 0.5, (place - opened) / 2
            axis.plot(
                middle - width * np.cos(arc), top * 1.55 ** np.sin(arc), color="#D55E00", lw=1
            )
            continue
        layer = layers[place]
        dense = word.kind == "dense"
        height = 7 if dense else max(layer.size, 1.3)
        colour = "#D55E00" if dense else shades((math.log2(max(layer.depth, 16)) - 4) / 7)
        hatch = {"hatch": "////", "ec": "white"} if word.kind == "pool" else {"ec": "none"}
        axis.bar(place, height, width=0.86, color=colour, lw=0, **hatch)
        place += 1
    axis.set(yscale="log", ylim=(1, 480), yticks=[7, 28, 112], xticks=[], xlim=(-0.8, place - 0.2))
    axis.set_yticklabels(["7", "28", "112"])
    axis.minorticks_off()
    axis.set_title(title, loc="left", size=10.5)


def arrow(axis, start, end, colour="black", **options):
    """Draw an arrow."""
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.4, "shrinkA": 0, "shrinkB": 0} | options
    axis.annotate("", end, start, arrowprops=style)


def box(axis, x, y, text, colour, width=1.5, height=0.62):
    """Draw a labelled box around a point."""
    axis.add_patch(
        plt.Rectangle(
            (x - width / 2, y - height / 2), width, height, fc=colour, ec="black", lw=0.8, zorder=3
        )
    )
    axis.text(x, y, text, ha="center", va="center", size=9, zorder=4)


# %%
figure, axes = plt.subplots(4, 1, figsize=(8, 6.8), layout="constrained")
for axis, (title, line, size) in zip(
    axes,
    (
        ("AlexNet, 2012", ALEXNET, 227),
        ("VGG-16, 2014", VGG_16, 224),
        ("ResNet-34, 2015", RESNET_34, 224),
        ("ResNet-50, 2015", RESNET_50, 224),
    ),
    strict=True,
):
    draw_network(axis, line, size, title)
figure.supylabel("height and width of the map (pixels)", size=10)
scale = plt.cm.ScalarMappable(plt.Normalize(4, 11), "viridis_r")
bar = figure.colorbar(scale, ax=axes, label="depth", ticks=[4, 6, 8, 10], aspect=40)
bar.ax.set_yticklabels(["16", "64", "256", "1,024"])
show(
    figure,
    alt="Four networks, one bar for each layer; height is the size of the map, colour its depth. "
    "AlexNet: few layers, the maps fall at once from 55 to 13 pixels, three dense layers at "
    "the end. VGG-16: five steps from 224 down to 7, two or three layers on each, three dense "
    "layers. ResNet-34 and ResNet-50: four long steps from 56 to 7, with a shortcut drawn as an "
    "arc over every two or three layers, and one dense layer.",
)
print("orange bars: dense layers; hatched: pooling; arcs: shortcuts")

# %% [markdown]
# Look at how the three eras spend their layers. AlexNet throws away resolution in its first layer.
# VGG stays at 224 pixels for two layers, and goes down in even steps. ResNet hurries down to 56
# and then has many thin layers.
#
# ## 3 · What does it cost?
#
# Two prices matter. **Parameters** take memory and must be learned. **Multiply-adds** take time:
# for each number of the output, one multiplication and one addition for each weight of its window:
#
# $$\text{multiply-adds of a Conv2D} = H_{out}·W_{out}·K·F·F·D_{in}$$
#
# So that is the number of weights, times the number of *places*. In a dense layer there is one
# place, and every weight is used once.
#
# **Predict.** VGG-16 has five stages of convolutions and then three dense layers. Where are most of
# its parameters? And where is most of its work?

# %%
prediction_parameters = None  # "stage 1" … "stage 5" or "dense layers"
prediction_work = None

# %%
# NBVAL_CHECK_OUTPUT
stages = {}  # name of a stage → its costs
place = 1
for cost in account(VGG_16, 224):
    name = "dense layers" if cost.word.startswith(("dense", "flat")) else f"stage {place}"
    stages.setdefault(name, []).append(cost)
    place += cost.word.startswith("pool")

print(f"{'VGG-16':15}{'output':>14}{'parameters':>14}{'multiply-adds':>17}")
for name, costs in stages.items():
    last = costs[-1]
    shape = f"{last.size}×{last.size}×{last.depth}"
    print(f"{name:15}{shape:>14}{total(costs, 'parameters'):>14,}{total(costs, 'work'):>17,}")
every = account(VGG_16, 224)
without_top = total(every, "parameters") - total(stages["dense layers"], "parameters")
print(f"{'in all':15}{'':14}{total(every, 'parameters'):>14,}{total(every, 'work'):>17,}")
print(f"{'without its top':29}{without_top:>14,}")

# %%
figure, axis = plt.subplots(figsize=(7.6, 3.3), layout="constrained")
for offset, what, label, colour in (
    (0.2, "parameters", "parameters", "#0072B2"),
    (-0.2, "work", "multiply-adds", "#E69F00"),
):
    shares = [100 * total(costs, what) / total(every, what) for costs in stages.values()]
    bars = axis.barh(
        [5 - n + offset for n in range(6)], shares, height=0.38, color=colour, label=label
    )
    axis.bar_label(bars, [f"{share:.1f} %" for share in shares], padding=3, size=9)
axis.set(yticks=range(6), yticklabels=[*stages][::-1], xlim=(0, 100), xlabel="share of VGG-16 (%)")
axis.legend(loc="upper right")
show(
    figure,
    alt="Shares of VGG-16's parameters and multiply-adds by stage. The dense layers hold 89 per "
    "cent of the parameters and do 0.8 per cent of the work. Stages 2, 3 and 4 do 18, 30 and "
    "30 per cent of the work; stages 1 and 2 hold next to no parameters.",
)
for prediction, what in ((prediction_parameters, "parameters"), (prediction_work, "work")):
    largest = max(total(costs, what) for costs in stages.values())
    most = [name for name, costs in stages.items() if total(costs, what) == largest]
    compare_prediction(prediction, prediction if prediction in most else " and ".join(most))

# %% [markdown]
# Nine tenths of the parameters are in three dense layers that do less than a hundredth of the work.
# Whoever wants to *store* less looks at the end of the network, whoever wants to *compute* less at
# the middle. Inception and ResNet simply left the large dense layers out.
#
# Stages 3 and 4 do *exactly* the same work, to the last multiplication. That is no accident. From
# one stage to the next the number of places falls to a quarter. The filters double, and so does the
# depth they look at: four times the weights. ResNet kept this rule: **halve the map, double the
# filters**, and every layer works equally hard.
#
# The whole VGG-16 needs 550 MB for its weights alone, so we counted on paper. Its convolutional
# part is small enough to ask Keras whether the counting is right:

# %%
# NBVAL_CHECK_OUTPUT
ready_made = keras.applications.VGG16(
    weights=None,
    include_top=False,
    input_shape=by_scale(quick=(224, 224, 3), full=(224, 224, 3), grading=(32, 32, 3)),
)
print("Keras:   ", f"{ready_made.count_params():,}", ready_made.output.shape[1:])
print("counted: ", f"{without_top:,}")
del ready_made

# %% [markdown]
# Now all of them. (ResNets with batch normalisation, as in their paper; VGG and AlexNet came before
# it.)

# %%
# NBVAL_CHECK_OUTPUT
famous = {
    "AlexNet": account(ALEXNET, 227),
    "VGG-16": account(VGG_16, 224),
    "VGG-19": account(VGG_19, 224),
    "ResNet-34": account(RESNET_34, 224, norm=True),
    "ResNet-50": account(RESNET_50, 224, norm=True),
    "ResNet-152": account(RESNET_152, 224, norm=True),
}
print(f"{'':12}{'layers':>8}{'parameters':>14}{'in dense layers':>17}{'multiply-adds':>17}")
for name, costs in famous.items():
    dense = [cost for cost in costs if cost.word.startswith("dense")]
    layers = sum(cost.word.startswith(("conv", "dense")) for cost in costs)
    share = total(dense, "parameters") / total(costs, "parameters")
    print(
        f"{name:12}{layers:>8}{total(costs, 'parameters'):>14,}{share:>17.0%}"
        f"{total(costs, 'work'):>17,}"
    )

# %% [markdown]
# The papers say 60 million parameters for AlexNet, 138 and 144 million for VGG, 15.3 and 19.6
# thousand million multiply-adds for VGG-16 and VGG-19, 3.6, 3.8 and 11.3 for the ResNets: ours
# agree, by formulas that you know from lesson 02. **ResNet-152 has eight times as many layers as
# VGG-19, and does much less work.** Depth is not what costs; width at high resolution is.
#
# ### Exercise 1 · VGG in a loop (4 points)
#
# VGG's rule is so simple that a loop can build it. Write two functions:
#
# - `vgg_block(x, filters, convolutions)` takes a tensor, applies that many convolutions of 3×3 with
#   padding `"same"` and ReLU, then max pooling of 2×2 with stride 2, and returns the tensor;
# - `vgg_features(input_shape, plan)` builds the convolutional part, one block for each pair of the
#   plan, as a functional model with no dense layer. VGG-16's plan is
#   `[(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]`: pairs of (convolutions, filters).


# %% nbgrader={"grade_id": "vgg_features", "solution": true}
def vgg_block(x, filters, convolutions):
    """Apply some 3×3 convolutions with ReLU, then max pooling of 2×2, to a tensor; return it."""
    ### BEGIN SOLUTION
    for _ in range(convolutions):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return keras.layers.MaxPooling2D(2)(x)
    ### END SOLUTION


def vgg_features(input_shape, plan):
    """Build the convolutional part of a VGG network.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width and depth of the pictures.
    plan : list of (int, int)
        For each block: how many convolutions, and how many filters each of them has.

    Returns
    -------
    keras.Model
        Not compiled.
    """
    ### BEGIN SOLUTION
    inputs = keras.Input(input_shape)
    x = inputs
    for convolutions, filters in plan:
        x = vgg_block(x, filters, convolutions)
    return keras.Model(inputs, x)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_vgg_features", "grade": true, "points": 4}
exercise = checks.Exercise(
    "vgg_features",
    points=4,
    hints={
        "not-padded": "Each convolution loses a border: which padding keeps height and width?",
        "pooling-missing": "Nothing gets smaller: where is the pooling at the end of a block?",
        "pooling-after-each": "You pool after every convolution; a block pools once, at its end.",
        "pooling-between": "You pool between the blocks; the last block pools, too.",
        "pooling-overlaps": "The pooling windows overlap: check their size and their stride.",
        "average-pooling": "That is average pooling.",
        "one-convolution": "Each of your blocks has a single convolution.",
        "swapped": "Each pair is (convolutions, filters), in this order.",
        "filters-not-passed-on": "All your blocks have the filters of the first block.",
        "window-of-5": "VGG is 3×3 all the way.",
        "top-added": "There is a layer too many at the end: only the convolutional part is wanted.",
        "relu-missing": "Without ReLU between them, two convolutions do no more than one.",
        "relu-once": "Every convolution is followed by ReLU, not only the last one of a block.",
        "bias-missing": "VGG came before batch normalisation: its convolutions have biases.",
    },
)


def _layers(model, shape):
    """Kind, output shape and parameters of each layer; activations may be layers or not."""
    return [
        [item.kind, item.output_shape, item.parameters]
        for item in checks.layer_table(model, shape)
        if item.kind not in ("Activation", "ReLU")
    ]


def _column(place, shape, plan):
    return [row[place] for row in _layers(vgg_features(shape, plan), shape)]


exercise.equal(
    "one block of two convolutions: kinds of its layers",
    lambda: _column(0, (32, 32, 3), [(2, 8)]),
    ["Conv2D", "Conv2D", "MaxPooling2D"],
    weight=0.5,
    mistakes={
        "pooling-missing": ["Conv2D", "Conv2D"],
        "pooling-after-each": ["Conv2D", "MaxPooling2D"] * 2,
        "average-pooling": ["Conv2D", "Conv2D", "AveragePooling2D"],
        "one-convolution": ["Conv2D", "MaxPooling2D"],
        "swapped": ["Conv2D"] * 8 + ["MaxPooling2D"],
        "top-added": ["Conv2D", "Conv2D", "MaxPooling2D", "Flatten"],
    },
)
exercise.equal(
    "a block of one and a block of three: output shapes",
    lambda: _column(1, (20, 12, 3), [(1, 4), (3, 6)]),
    [(20, 12, 4), (10, 6, 4), (10, 6, 6), (10, 6, 6), (10, 6, 6), (5, 3, 6)],
    weight=0.5,
    mistakes={
        "not-padded": [(18, 10, 4), (9, 5, 4), (7, 3, 6), (5, 1, 6)],
        "pooling-between": [(20, 12, 4), (10, 6, 4), (10, 6, 6), (10, 6, 6), (10, 6, 6)],
        "pooling-overlaps": [
            (20, 12, 4), (19, 11, 4), (19, 11, 6), (19, 11, 6), (19, 11, 6), (18, 10, 6)
        ],
        "filters-not-passed-on": [
            (20, 12, 4), (10, 6, 4), (10, 6, 4), (10, 6, 4), (10, 6, 4), (5, 3, 4)
        ],
    },
)  # fmt: skip
exercise.parameters(
    "VGG-16 without its top: parameters",
    lambda: vgg_features((32, 32, 3), [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]),
    14_714_688,
    input_shape=(32, 32, 3),
    mistakes={"bias-missing": 14_710_464, "window-of-5": 40_867_136},
)


### BEGIN HIDDEN TESTS


def _vgg(
    shape,
    plan,
    *,
    window=3,
    padding="same",
    pooling=keras.layers.MaxPooling2D,
    stride=2,
    pool="block",
    bends="all",
    top=(),
    bias=True,
):
    layers = [keras.Input(shape)]
    for block, (convolutions, filters) in enumerate(plan, start=1):
        for place in range(1, convolutions + 1):
            bend = "relu" if bends == "all" or (bends == "last" and place == convolutions) else None
            layers.append(
                keras.layers.Conv2D(
                    filters, window, padding=padding, activation=bend, use_bias=bias
                )
            )
            if pool == "each":
                layers.append(pooling(2, strides=stride))
        if pool == "block" or (pool == "between" and block < len(plan)):
            layers.append(pooling(2, strides=stride))
    return keras.Sequential([*layers, *top])


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


for _blocks in (1, 2, 3):
    _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(40, 60))[:2])
    _shape = (_height, _width, int(exercise.rng.integers(1, 5)))
    _filters = exercise.rng.permutation(np.arange(5, 12))[:_blocks]
    _counts = exercise.rng.permutation([2, 3, 1] if _blocks > 2 else [2, 3])[:_blocks]
    _plan = [(int(n), int(k)) for n, k in zip(_counts, _filters, strict=True)]
    _label = f"{_blocks} drawn block{'s' if _blocks > 1 else ''}"
    exercise.hidden.equal(
        f"layers of {_label}",
        lambda _shape=_shape, _plan=_plan: _layers(vgg_features(_shape, list(_plan)), _shape),
        _planned(_vgg(_shape, _plan)),
        mistakes={
            name: _planned(_vgg(_shape, plan, **changed))
            for name, plan, changed in (
                ("not-padded", _plan, {"padding": "valid"}),
                ("pooling-missing", _plan, {"pool": "never"}),
                ("pooling-after-each", _plan, {"pool": "each"}),
                ("pooling-between", _plan, {"pool": "between"}),
                ("pooling-overlaps", _plan, {"stride": 1}),
                ("average-pooling", _plan, {"pooling": keras.layers.AveragePooling2D}),
                ("one-convolution", [(1, k) for _, k in _plan], {}),
                ("swapped", [(k, n) for n, k in _plan], {}),
                ("filters-not-passed-on", [(n, _plan[0][1]) for n, _ in _plan], {}),
                ("window-of-5", _plan, {"window": 5}),
                ("top-added", _plan, {"top": [keras.layers.Flatten()]}),
                ("bias-missing", _plan, {"bias": False}),
            )
            if _blocks == 2 or name in ("not-padded", "pooling-missing", "one-convolution")
        },
    )
    if _blocks == 1:
        continue
    _noise = exercise.rng.normal(size=(2, *_shape)).astype("float32")
    exercise.hidden.array(
        f"outputs of {_label}",
        lambda _shape=_shape, _plan=_plan, _noise=_noise: np.array(
            _weighted(vgg_features(_shape, list(_plan)), _shape)(_noise)
        ),
        np.array(_weighted(_vgg(_shape, _plan), _shape)(_noise)),
        rtol=1e-3,
        atol=1e-3,
        mistakes={
            "relu-missing": np.array(_weighted(_vgg(_shape, _plan, bends="none"), _shape)(_noise)),
            "relu-once": np.array(_weighted(_vgg(_shape, _plan, bends="last"), _shape)(_noise)),
        },
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 4 · Multiply-adds are not seconds
#
# Is the work that we counted the time that we wait? Keras can build the lines. (The next function
# reads the words and makes layers of them. It knows the plain shortcut only: what comes in and what
# comes out must have the same shape.)

# %% tags=["benchmark"] nbgrader={"grade_id": "network", "locked": true}


def network(line, input_shape, *, activation="relu", norm=False, initializer="glorot_uniform"):
    """Build the network that a line of words describes.

    Parameters
    ----------
    line : str
        Its words; the last one is that of a dense layer.
    input_shape : (int, int, int)
        Shape of a picture.
    activation : str
        What follows each layer but the last; inside a shortcut, what follows the addition.
    norm : bool
        Whether batch normalisation follows each convolution.
    initializer : str
        Where the first weights come from.

    Returns
    -------
    keras.Model
        With softmax as its last layer; not compiled.
    """
    todo = words(line)
    x = inputs = keras.Input(input_shape)
    for place, word in enumerate(todo):
        following = todo[place + 1].kind if place + 1 < len(todo) else "end"
        bend = following not in ("]", "end")
        options = {"strides": word.stride, "padding": word.padding}
        if word.kind == "conv":
            x = keras.layers.Conv2D(
                word.filters,
                word.size,
                use_bias=not norm,
                kernel_initializer=initializer,
                **options,
            )(x)
            if norm:
                # The usual momentum of 0.99 is for long trainings; its averages would lag behind.
                x = keras.layers.BatchNormalization(momentum=0.9)(x)
        elif word.kind == "dense":
            x = keras.layers.Dense(word.size)(x)
        elif word.kind == "pool":
            x = keras.layers.MaxPooling2D(word.size, **options)(x)
        elif word.kind == "gap":
            x = keras.layers.GlobalAveragePooling2D()(x)
        elif word.kind == "flat":
            x = keras.layers.Flatten()(x)
        elif word.kind == "[":
            before = x
        elif before.shape != x.shape:
            raise ValueError(f"{before.shape} does not fit {x.shape}: that needs a projection")
        else:
            x = keras.layers.add([before, x])
        if bend and word.kind in ("conv", "dense", "]"):
            x = keras.layers.Activation(activation)(x)
    return keras.Model(inputs, keras.layers.Softmax()(x))


# %% [markdown]
# We build three of them with all their filters and let them run on one core. Only the two dense
# layers of 4,096 units are left out, which would take hundreds of megabytes and do next to no work.
# (AlexNet runs without groups, which means more work; ResNet-34 without the three shortcuts that
# would have to change shape.) A fourth network joins them: 50 convolutions of only 16 filters, for
# pictures of 32×32. It is the one that we examine in section 6.
#
# **Predict.** By multiply-adds, ResNet-34 has a quarter of VGG-16's work. How does its *time*
# compare with VGG's, to within a fifth or so? The small network has less than a two-thousandth of
# VGG's work. How many times faster is it?

# %%
prediction_time = None  # "a quarter", "more than a quarter" or "less than a quarter"
prediction_small = None  # how many times faster than VGG-16

# %%


def without_large_layers(line):
    """The same line without dense layers of 4,096 units, and without groups."""
    return re.sub(r"g\d+", "", line).replace("flat dense4096 dense4096", "gap")


plain_stages = RESNET_34
for depth in (128, 256, 512):
    plain_stages = plain_stages.replace(
        f"[ conv3-{depth}/2 conv3-{depth} ]", f"conv3-{depth}/2 conv3-{depth}"
    )
candidates = {
    "AlexNet": (without_large_layers(ALEXNET), 227, False),
    "VGG-16": (without_large_layers(VGG_16), 224, False),
    "ResNet-34": (plain_stages, 224, True),
    "50 thin layers": (
        "conv3-16/2 pool2/2 " + "[ conv3-16 conv3-16 ] " * 25 + "gap dense10",
        32,
        False,
    ),
}
REPEATS = by_scale(quick=5, full=9, grading=0)
ready = {}  # name → its costs, the model, a picture
for name, (line, size, norm) in candidates.items():
    if by_scale(quick=False, full=False, grading=True):
        line, size = "conv3-4/2 gap dense10", 9
    model = network(line, (size, size, 3), norm=norm)
    picture = np.zeros((1, size, size, 3), "float32")
    model.predict_on_batch(picture)  # the first call prepares the computation, and does not count
    ready[name] = (account(line, size, norm=norm), model, picture)
taken = {name: [] for name in ready}
for _ in range(REPEATS):  # in turn, so that a busy moment of the machine hits them all
    for name, (_, model, picture) in ready.items():
        start = time.perf_counter()
        model.predict_on_batch(picture)
        taken[name].append(1000 * (time.perf_counter() - start))
timed = {}  # name → million multiply-adds and milliseconds for a picture
for name, (costs, *_) in ready.items():
    timed[name] = (total(costs, "work") / 1e6, min(taken[name], default=1.0))
    print(
        f"{name:15}{total(costs, 'parameters'):>11,} parameters"
        f"{timed[name][0]:>8,.0f} million multiply-adds{timed[name][1]:>8.1f} ms a picture"
    )
del ready, model

# %%
figure, axis = plt.subplots(figsize=(6.8, 3.7), layout="constrained")
work_vgg, time_vgg = timed["VGG-16"]
line_of_vgg = np.array([3, 40_000])
axis.plot(line_of_vgg, line_of_vgg * time_vgg / work_vgg, "--", color="#888888", lw=1)
for (name, (work, milliseconds)), marker in zip(timed.items(), "os^D", strict=True):
    axis.plot(work, milliseconds, marker, ms=10)
    left = name != "50 thin layers"  # the label stands to the left
    axis.annotate(
        name,
        (work, milliseconds),
        (-8, 8),
        textcoords="offset points",
        ha="right" if left else "left",
    )
slowest = max(milliseconds for _, milliseconds in timed.values())
axis.set(xscale="log", yscale="log", xlabel="multiply-adds of a picture (millions)")
axis.set(ylabel="measured time (ms)", xlim=(3, 40_000), ylim=(0.0002 * slowest, 3 * slowest))
axis.set_xticks([10, 100, 1000, 10_000], ["10", "100", "1,000", "10,000"])
ticks = [t for t in (0.1, 1, 10, 100, 1000) if 0.0002 < t / slowest < 3]
axis.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
axis.minorticks_off()
axis.text(90, 0.6 * 90 * time_vgg / work_vgg, "VGG's pace", color="#666666", size=9, va="top")
axis.grid(alpha=0.3)
show(
    figure,
    alt="Measured time for a picture against counted multiply-adds, both axes logarithmic. VGG-16 "
    "does the most work and takes the longest. AlexNet and ResNet-34 lie on or close to the "
    "dashed line of VGG's pace. The network of 50 thin layers lies far above it: it takes many "
    "times as long as its work says.",
)
ratio_work, ratio_time = (timed["ResNet-34"][n] / timed["VGG-16"][n] for n in (0, 1))
print(f"ResNet / VGG: work {ratio_work:.2f}, time {ratio_time:.2f}")
more = ratio_time > 1.25 * ratio_work
less = ratio_time < 0.8 * ratio_work
outcome = "more than a quarter" if more else "less than a quarter" if less else "a quarter"
compare_prediction(prediction_time, outcome)
less_work, faster = (timed["VGG-16"][n] / timed["50 thin layers"][n] for n in (0, 1))
print(
    f"50 thin layers: {less_work:,.0f} times less work than VGG, {faster:.0f} times faster;",
    end=" ",
)
print(f"you predicted {prediction_small}")

# %% [markdown]
# Multiply-adds are a property of the network, seconds one of network, program and machine together.
# Wide layers keep a core busy, and the famous networks all run at about the same pace. But moving
# numbers takes time, too, and so does starting a layer: many thin layers cost time that no
# multiply-add shows. When a paper counts multiply-adds and you wait for seconds, measure.
#
# ## 5 · The shortcut
#
# He and his colleagues began with a disappointment. A plain network of 56 layers was worse than one
# of 20, and not only on the test: *also on the pictures it had learned from*. So it was no
# overfitting. The deeper network could have copied the shallow one and passed the signal on in the
# other 36 layers. It did not find even that.
#
# Their remedy: make "pass it on" the easiest thing to learn. In a **residual block** the input runs
# around two layers and is added to what they make of it. If the two layers answer 0, the block
# passes its input on.

# %%
figure, axes = plt.subplots(1, 4, figsize=(8.4, 4.4), layout="constrained")
blue, yellow, grey = "#9CC9E8", "#F7DC8C", "#E6E6E6"

axes[0].set_title("VGG block")
for y, text, colour in (
    (4.6, "conv 3×3, ReLU", blue),
    (3.4, "conv 3×3, ReLU", blue),
    (2.2, "max pool 2×2", grey),
):
    box(axes[0], 0, y, text, colour, width=2.2)
for y in (5.6, 4.29, 3.09, 1.89):
    arrow(axes[0], (0, y), (0, y - (0.69 if y == 5.6 else 0.58)))

axes[1].set_title("Inception module")
columns = (("conv 1×1", None), ("1×1", "3×3"), ("1×1", "5×5"), ("pool", "1×1"))
for x, (low, high) in zip((-1.2, -0.4, 0.4, 1.2), columns, strict=True):
    first, second = (low.replace("conv ", ""), high) if high else (None, "1×1")
    if first:
        box(axes[1], x, 4.4, first, grey if first == "pool" else blue, width=0.7)
        arrow(axes[1], (x, 4.09), (x, 3.71))
        arrow(axes[1], (0, 5.6), (x, 4.71))
    else:  # past the box beside it
        axes[1].plot([0, x], [5.6, 4.71], color="black", lw=1.4)
        arrow(axes[1], (x, 4.71), (x, 3.71))
    box(axes[1], x, 3.4, second, blue, width=0.7)
    arrow(axes[1], (x, 3.09), (x * 0.6, 2.51))
box(axes[1], 0, 2.2, "stack in depth", yellow, width=2.2)
arrow(axes[1], (0, 1.89), (0, 1.31))

for axis, title, projection in (
    (axes[2], "residual block", False),
    (axes[3], "… with a projection", True),
):
    axis.set_title(title)
    for y, text in ((4.7, "conv 3×3"), (3.1, "conv 3×3")):
        box(axis, -0.35, y, text, blue, width=1.5, height=0.5)
        box(axis, -0.35, y - 0.5, "batch norm", grey, width=1.5, height=0.5)
    axis.text(-0.2, 3.62, "ReLU", size=9, va="center")
    if projection:
        axis.text(-0.2, 5.27, "stride 2", size=9, va="center", color="#D55E00")
    arrow(axis, (-0.35, 5.6), (-0.35, 4.95))
    arrow(axis, (-0.35, 3.95), (-0.35, 3.35))
    arrow(axis, (-0.35, 2.35), (-0.35, 1.95))
    axis.scatter([-0.35], [1.75], s=330, color=yellow, ec="black", lw=0.8, zorder=3)
    axis.text(-0.35, 1.74, "+", ha="center", va="center", size=12, zorder=4)
    axis.plot([-0.35, 1.05, 1.05], [5.45, 5.45, 1.75], color="#D55E00", lw=2)
    arrow(axis, (1.05, 1.75), (-0.13, 1.75), "#D55E00", lw=2)
    if projection:
        box(axis, 1.05, 3.9, "1×1", blue, width=0.95, height=0.5)
        box(axis, 1.05, 3.4, "norm", grey, width=0.95, height=0.5)
        axis.text(1.12, 4.3, "stride 2", size=9, ha="left", color="#D55E00")
    arrow(axis, (-0.35, 1.55), (-0.35, 0.95))
    axis.text(-0.2, 1.25, "ReLU", size=9, va="center")
for axis in axes:
    axis.set(xlim=(-1.65, 1.85), ylim=(0.8, 5.7))
    axis.axis("off")
show(
    figure,
    alt="Four blocks as flow charts. VGG: two convolutions with ReLU, then pooling. Inception: "
    "four columns side by side, 1×1, 1×1 then 3×3, 1×1 then 5×5, pool then 1×1, stacked in "
    "depth. Residual: convolution, batch norm, ReLU, convolution, batch norm; the input runs "
    "around them, is added, and ReLU follows. With a projection: the first convolution has "
    "stride 2, and on the way around stand a 1×1 convolution with stride 2 and a batch norm.",
)

# %% [markdown]
# One thing has to be taken care of. Two arrays can be added only if they have the same shape. Where
# a block halves the map (stride 2) or changes the number of filters, the shortcut needs a
# **projection**: a 1×1 convolution with the same stride and the same number of filters. It is the
# cheapest layer that can do that.
#
# The grey boxes are **batch normalisation** (Ioffe and Szegedy 2015). While the network learns, the
# layer takes each map over all places of all pictures of the batch, subtracts the mean, and divides
# by the standard deviation. So the next layer always gets numbers of the same size, whatever the
# weights before it are doing: deep networks start well, and larger learning rates are safe. Two
# learned numbers for each map, $\gamma$ and $\beta$, then set its spread and its mean; $\beta$ does
# the work of a bias. At inference a picture must not depend on its neighbours in the batch. So the
# layer uses moving averages of mean and variance, which it kept while learning: two more numbers
# for each map, counted among the parameters by Keras but not trained.
#
# ### Exercise 2 · `residual_block` (5 points)
#
# Build the block of ResNet-34 as a functional model:
#
# - on the way through: `Conv2D` 3×3 with the given stride, batch normalisation, ReLU, `Conv2D` 3×3
#   with stride 1, batch normalisation;
# - on the way around: the input itself if it fits; **only otherwise** a `Conv2D` 1×1 with the given
#   stride, and batch normalisation;
# - then the sum, and ReLU.
#
# All convolutions have padding `"same"` and no bias (batch normalisation adds its own).


# %% nbgrader={"grade_id": "residual_block", "solution": true}
def residual_block(input_shape, filters, stride=1):
    """Build a residual block.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width and depth of what comes in.
    filters : int
        Filters of the convolutions, and so the depth of what comes out.
    stride : int
        Stride of the first convolution.

    Returns
    -------
    keras.Model
        Not compiled.
    """
    ### BEGIN SOLUTION
    layers = keras.layers
    inputs = keras.Input(input_shape)

    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)

    around = inputs
    if stride != 1 or input_shape[2] != filters:
        around = layers.Conv2D(filters, 1, strides=stride, padding="same", use_bias=False)(around)
        around = layers.BatchNormalization()(around)

    return keras.Model(inputs, layers.ReLU()(layers.add([x, around])))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_residual_block", "grade": true, "points": 5}
exercise = checks.Exercise(
    "residual_block",
    points=5,
    seconds=20,
    hints={
        "no-shortcut": "What came in does not come out again: where is the sum?",
        "projection-always": "Where the input fits, it is added as it is: no layer on the way.",
        "projection-of-3x3": "The projection looks at one pixel at a time: 1×1.",
        "projection-without-norm": "There is a batch normalisation on the way around, too.",
        "norm-missing": "After each convolution comes batch normalisation.",
        "one-norm-missing": "Batch normalisation stands after the second convolution, too.",
        "bias-left-on": "Your convolutions have biases: use_bias=False.",
        "one-convolution": "There are two convolutions of 3×3 on the way through.",
        "stacked": "Your maps were put on top of each other; they should be added.",
        "stride-twice": "Only the first convolution has the stride; the second has stride 1.",
        "stride-in-the-second": "The stride belongs to the first convolution.",
        "stride-ignored": "The map keeps its size: what became of the stride?",
        "relu-last-missing": "After the sum comes ReLU.",
        "relu-before-sum": "ReLU comes after the sum; on its way there, x may well be negative.",
        "relu-too-many": "Two ReLUs around the sum: only the one after it belongs there.",
        "relu-between-missing": "Between the two convolutions, after the norm, stands a ReLU.",
        "relu-before-norm": "First batch normalisation, then ReLU.",
        "relu-on-shortcut": "Nothing bends what comes around: no ReLU before the sum.",
        "shortcut-pooled": "The shortcut should be projected by a convolution, not by pooling.",
    },
)


def _planted(model, shape):
    """Give every weight of a model a value that depends on its name and shape only."""
    model(np.zeros((1, *shape), "float32"))
    kinds = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
    for weight in model.weights:
        kind = weight.name.split("/")[-1]
        size = tuple(int(n) for n in weight.shape)
        dice = np.random.default_rng([kinds.index(kind) if kind in kinds else 9, *size])
        if kind == "kernel":
            weight.assign(dice.normal(scale=1 / math.sqrt(np.prod(size[:-1])), size=size))
        elif kind in ("gamma", "moving_variance"):
            weight.assign(dice.uniform(0.5, 1.5, size=size))
        elif kind in ("beta", "moving_mean", "bias"):
            weight.assign(dice.normal(scale=0.4, size=size))
    return model


def _what_comes_out():
    """What a block with a projection makes of zeros."""
    return np.array(residual_block((8, 8, 16), 32, 2)(np.zeros((1, 8, 8, 16), "float32")))


def _passed_on():
    """What a block makes of positive numbers if its convolutions answer 0."""
    model = residual_block((6, 6, 4), 4, 1)
    given = np.random.default_rng(1).uniform(0.1, 1, size=(2, 6, 6, 4)).astype("float32")
    model(given)
    for weight in model.weights:
        if weight.name.split("/")[-1] == "kernel":
            weight.assign(np.zeros(weight.shape, "float32"))
    return np.allclose(np.array(model(given, training=False)), given, atol=1e-5)


exercise.shape(
    "8×8×16, 32 filters, stride 2: output shape",
    lambda: _what_comes_out().shape[1:],
    (4, 4, 32),
    weight=0.5,
    mistakes={"stride-ignored": (8, 8, 32), "stride-twice": (2, 2, 32), "stacked": (4, 4, 64)},
)
exercise.shape(
    "7×9×4, 4 filters, stride 2: output shape",
    lambda: np.shape(residual_block((7, 9, 4), 4, 2)(np.zeros((1, 7, 9, 4), "float32")))[1:],
    (4, 5, 4),
    weight=0.5,
    mistakes={"stride-ignored": (7, 9, 4), "stride-twice": (2, 3, 4), "stacked": (4, 5, 8)},
)
exercise.parameters(
    "8×8×16, 16 filters, stride 1: parameters (moving averages included)",
    lambda: residual_block((8, 8, 16), 16, 1),
    4_736,
    input_shape=(8, 8, 16),
    weight=0.5,
    mistakes={
        "projection-always": 5_056,
        "norm-missing": 4_608,
        "one-norm-missing": 4_672,
        "bias-left-on": 4_768,
        "one-convolution": 2_368,
    },
)
exercise.parameters(
    "8×8×16, 32 filters, stride 2: parameters",
    lambda: residual_block((8, 8, 16), 32, 2),
    14_720,
    input_shape=(8, 8, 16),
    weight=0.5,
    mistakes={
        "no-shortcut": 14_080,
        "projection-of-3x3": 18_816,
        "projection-without-norm": 14_592,
        "norm-missing": 14_336,
        "bias-left-on": 14_816,
    },
)
exercise.true(
    "when its convolutions answer 0, a block passes positive numbers on",
    lambda: _passed_on(),
    otherwise="what came out is not what came in",
    hint="no-shortcut",
    weight=0.5,
)


### BEGIN HIDDEN TESTS


def _block(
    shape,
    filters,
    stride,
    *,
    strides=None,
    shortcut="fitting",
    join="add",
    norms=(True, True, True),
    bends=("between", "last"),
    window=1,
    bias=False,
):
    layers = keras.layers

    def convolve(x, size, step):
        return layers.Conv2D(filters, size, strides=step, padding="same", use_bias=bias)(x)

    first, second = strides or (stride, 1)
    inputs = keras.Input(shape)
    x = convolve(inputs, 3, first)
    if "early" in bends:
        x = layers.ReLU()(x)
    x = layers.BatchNormalization()(x) if norms[0] else x
    if "between" in bends:
        x = layers.ReLU()(x)
    x = convolve(x, 3, second)
    x = layers.BatchNormalization()(x) if norms[1] else x
    if "before" in bends:
        x = layers.ReLU()(x)
    around = inputs
    needed = stride != 1 or shape[2] != filters
    if shortcut == "pooled" and stride != 1:
        around = layers.MaxPooling2D(stride, padding="same")(around)
    if shortcut == "always" or needed:
        step = 1 if shortcut == "pooled" else first * second
        around = convolve(around, window, step)
        around = layers.BatchNormalization()(around) if norms[2] else around
    if "around" in bends:
        around = layers.ReLU()(around)
    if join == "add":
        x = layers.add([x, around])
    elif join == "stack":
        x = layers.concatenate([x, around])
    return keras.Model(inputs, layers.ReLU()(x) if "last" in bends else x)


_WRONG = {
    "no-shortcut": {"join": "none"},
    "projection-always": {"shortcut": "always"},
    "projection-of-3x3": {"window": 3},
    "projection-without-norm": {"norms": (True, True, False)},
    "norm-missing": {"norms": (False, False, False)},
    "one-norm-missing": {"norms": (True, False, True)},
    "bias-left-on": {"bias": True},
    "stacked": {"join": "stack"},
    "relu-last-missing": {"bends": ("between",)},
    "relu-before-sum": {"bends": ("between", "before")},
    "relu-too-many": {"bends": ("between", "before", "last")},
    "relu-between-missing": {"bends": ("last",)},
    "relu-before-norm": {"bends": ("early", "last")},
    "relu-on-shortcut": {"bends": ("between", "around", "last")},
    "shortcut-pooled": {"shortcut": "pooled"},
    "stride-twice": {"strides": (2, 2)},
    "stride-in-the-second": {"strides": (1, 2)},
}
_CROOKED = (
    "relu-last-missing",
    "relu-before-sum",
    "relu-too-many",
    "relu-between-missing",
    "relu-before-norm",
)
_deep, _deeper = (int(n) for n in np.sort(exercise.rng.permutation(np.arange(3, 12))[:2]))
for _label, _depth, _filters, _stride, _likely in (
    (
        "as deep as before",
        _deep,
        _deep,
        1,
        ("no-shortcut", "projection-always", "one-norm-missing", "norm-missing", "bias-left-on"),
    ),
    ("deeper than before", _deep, _deeper, 1, ("projection-without-norm", "stacked", *_CROOKED)),
    (
        "as deep, stride 2",
        _deep,
        _deep,
        2,
        ("stride-twice", "stride-in-the-second", "shortcut-pooled", "projection-of-3x3"),
    ),
    ("less deep, stride 2", _deeper, _deep, 2, ("no-shortcut", "relu-on-shortcut")),
):
    _height, _width = (int(n) for n in exercise.rng.permutation(np.arange(7, 14))[:2])
    _given = ((_height, _width, _depth), _filters, _stride)
    _noise = exercise.rng.normal(size=(2, *_given[0])).astype("float32")
    exercise.hidden.array(
        f"outputs of a drawn block, {_label}",
        lambda _given=_given, _noise=_noise: np.array(
            _planted(residual_block(*_given), _given[0])(_noise, training=False)
        ),
        np.array(_planted(_block(*_given), _given[0])(_noise, training=False)),
        rtol=1e-3,
        atol=1e-4,
        mistakes={
            name: np.array(_planted(_block(*_given, **changed), _given[0])(_noise, training=False))
            for name, changed in ((name, _WRONG[name]) for name in _likely)
        },
    )
### END HIDDEN TESTS
exercise.score()

# %% [markdown]
# ## 6 · Measuring the gradient
#
# Training changes each weight in proportion to its **gradient**: how much the loss would change
# with that weight. The gradient is worked out from the last layer back to the first
# (*backpropagation*), and on its way back it is multiplied, layer by layer, by weights and by
# slopes of the activation. A product of many factors is a delicate thing: fifty factors of 0.5 make
# $10^{-15}$, fifty factors of 1.5 make $10^{9}$.
#
# So we measure it. An optimiser is handed the gradients of all weights in every step. Ours writes
# them down, and does nothing else:


# %%
class NoteTaker(keras.optimizers.SGD):
    """An optimiser that notes the gradients and leaves the weights alone."""

    def apply(self, grads, trainable_variables=None):
        """Keep the gradients of this step."""
        self.noted = [np.array(gradient) for gradient in grads]


def noted_gradients(model, pictures, labels):
    """Return the loss, and the norm of the gradient of every kernel from first layer to last."""
    notes = NoteTaker()
    model.compile(optimizer=notes, loss="sparse_categorical_crossentropy", run_eagerly=True)
    loss = model.train_on_batch(pictures, labels)
    kernels = [
        gradient
        for weight, gradient in zip(model.trainable_variables, notes.noted, strict=True)
        if weight.name == "kernel"
    ]
    return float(np.array(loss)), np.array([np.linalg.norm(kernel) for kernel in kernels])


# %% [markdown]
# The **norm** is the length of the gradient: the root of the sum of the squares of all its numbers.
#
# Now the pictures, 5,000 from CIFAR-10 (lesson 04 is all about them), and four kinds of deep
# networks. All have the same first layer, then `depth` convolutions of 3×3 with 16 filters on maps
# of 8×8, and the same end. They differ in one point each:
#
# - **sigmoid**: a sigmoid after each convolution, as was long usual;
# - **ReLU**: the same with ReLU;
# - **ReLU, He start**: the first weights are larger. `he_normal` makes up for ReLU, which sets half
#   of the numbers to zero, by weights of twice the variance (He and others 2015, *Delving deep*);
# - **residual**: as *ReLU*, with a shortcut around every two layers. No batch normalisation.

# %% tags=["benchmark"] nbgrader={"grade_id": "pictures", "locked": true}
(x_train, y_train), (x_test, y_test) = load("cifar10")
if by_scale(quick=False, full=False, grading=True):  # a token for the grader
    x_train, y_train, x_test, y_test = x_train[:128], y_train[:128], x_test[:60], y_test[:60]
centre, spread = x_train.mean(axis=(0, 1, 2)), x_train.std(axis=(0, 1, 2))
x_train = ((x_train - centre) / spread).astype("float32")  # each colour: mean 0, deviation 1
x_test = ((x_test - centre) / spread).astype("float32")

# %%
KINDS = {  # name → its activation, where its first weights come from, words of two layers, colour
    "sigmoid": ("sigmoid", "glorot_uniform", "conv3-16 conv3-16", "#000000"),
    "ReLU": ("relu", "glorot_uniform", "conv3-16 conv3-16", "#0072B2"),
    "ReLU, He start": ("relu", "he_normal", "conv3-16 conv3-16", "#E69F00"),
    "residual": ("relu", "glorot_uniform", "[ conv3-16 conv3-16 ]", "#D55E00"),
}
DEPTHS = by_scale(quick=(4, 10, 20, 50), full=(4, 10, 20, 34, 50, 100), grading=(2,))
LONG = by_scale(quick=50, full=50, grading=2)


def deep_network(kind, depth, seed=1):
    """Build a network of a kind with so many convolutions between its first layer and its end."""
    activation, start, two_layers, _ = KINDS[kind]
    keras.utils.set_random_seed(seed)
    line = "conv3-16/2 pool2/2 " + f"{two_layers} " * (depth // 2) + "gap dense10"
    return network(line, (32, 32, 3), activation=activation, initializer=start)


# %% [markdown]
# **Predict.** In the network of 50 layers with sigmoids: how many times smaller is the gradient of
# the 25th layer than that of the 50th? An order of magnitude is enough. And with ReLU?

# %%
prediction_sigmoid = None  # for example 1e3
prediction_relu = None

# %%
batch = slice(0, 64)
before = {}  # (kind, depth) → loss and norms before any training
for kind in KINDS:
    for depth in DEPTHS:
        model = deep_network(kind, depth)
        before[kind, depth] = noted_gradients(model, x_train[batch], y_train[batch])
del model

half = LONG // 2
print(f"{f'{LONG} layers':15}{'loss':>6}" + "".join(f"{f'layer {n}':>12}" for n in (1, half, LONG)))
for kind in KINDS:
    loss, norms = before[kind, LONG]
    print(f"{kind:15}{loss:6.2f}" + "".join(f"{norms[n]:12.1e}" for n in (1, half, LONG)))
print()
for kind, prediction in (("sigmoid", prediction_sigmoid), ("ReLU", prediction_relu)):
    norms = before[kind, LONG][1]
    print(
        f"{kind}: layer {LONG} has {norms[LONG] / norms[half]:.1e} times the gradient of layer "
        f"{half}; you predicted {prediction}"
    )

# %%
figure, axes = plt.subplots(
    1, 2, figsize=(8.4, 4.1), width_ratios=[1.25, 1], sharey=True, layout="constrained"
)
SMALLEST = 1e-19  # below this the axis ends
for (kind, (*_, colour)), marker in zip(KINDS.items(), "osD^", strict=True):
    norms = before[kind, LONG][1][:-1]  # without the dense layer
    shown = np.where(norms > SMALLEST, norms, np.nan)
    axes[0].plot(range(len(norms)), shown, color=colour, marker=marker, ms=3.5, label=kind)
    firsts = [before[kind, depth][1][1] for depth in DEPTHS]
    shown = np.where(np.array(firsts) > SMALLEST, firsts, np.nan)
    axes[1].plot(DEPTHS, shown, color=colour, marker=marker, ms=6)
axes[0].set(
    yscale="log",
    ylim=(SMALLEST, 1e3),
    xlabel=f"layer of {LONG} (0: the first convolution)",
    ylabel="norm of the gradient",
)
axes[0].set_title("layer by layer", loc="left")
axes[1].set(xlabel="number of layers", xlim=(0, 1.05 * max(DEPTHS)))
axes[1].set_title("layer 1, in networks of different depth", loc="left")
for axis in axes:
    axis.set_yticks([1e-18, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1])
    axis.minorticks_off()
    axis.grid(alpha=0.3)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
show(
    figure,
    alt="Norms of gradients before training, on a logarithmic axis. Left, 50 layers: the sigmoid's "
    "curve falls in a straight line from about 0.1 at the last layer to below 1e-18 in the "
    "middle of the network, where it leaves the picture. ReLU is level at about 1e-10, ReLU with "
    "He start level near 1e-3, residual level near 10. Right, first layers of networks of 4 to 50 "
    "layers: sigmoid and ReLU fall in straight lines, the sigmoid far more steeply; He start falls "
    "slightly, residual rises slightly.",
)

# %% [markdown]
# Three different things happen here, and only one of them is the picture that most books draw.
#
# - **Sigmoid: a slope.** The steepest place of a sigmoid has slope 1/4. Each layer on the way back
#   multiplies by about that, so the gradient falls by the same factor from layer to layer: a
#   straight line on a logarithmic axis. In the first layers of this network it is not small but
#   *zero*: smaller than the smallest number that 32 bits can hold.
# - **ReLU: level, but far down.** On its way back the gradient shrinks here, too, by about 0.7 a
#   layer. But on the way *forward* the signal shrinks by the same factor. The gradient of a kernel
#   is a product of both, so one loss makes up for the other: all layers are equally badly off, and
#   the network as a whole the worse, the deeper it is (right).
# - **ReLU, He start: level and much higher.** The factor is near 1 now. What is left is luck: fifty
#   random factors near 1 have a product that may wander.
#
# The residual network has the *same* first weights as "ReLU", layer for layer. The shortcut alone
# lifts the gradient by eleven orders of magnitude: on the way back, the sum hands the gradient on
# around each block undiminished. Here it is even a little too much of a good thing. Every block
# adds to the signal, the signal grows, and the loss at the start is far above $\ln 10 = 2.3$. That
# is one of the reasons why ResNets have batch normalisation.

# %% [markdown]
# ### Exercise 3 · `gradient_norms` (4 points)
#
# Write the measurement yourself, without an optimiser: with a **tape**. `with tf.GradientTape() as
# tape:` records what is computed in its body; `tape.gradient(loss, variables)` then gives the
# gradients.
#
# The models here end **without softmax**: they give scores (*logits*). The loss is the mean over
# the pictures of the cross-entropy after softmax; labels are whole numbers. Return the norms of the
# gradients of all kernels, from the first layer to the last. Layers without a kernel have no entry,
# and biases do not count.


# %% nbgrader={"grade_id": "gradient_norms", "solution": true}
def gradient_norms(model, pictures, labels):
    """Compute the norm of the gradient of every kernel.

    Parameters
    ----------
    model : keras.Model
        A sequential or functional model that gives logits. It stays as it is.
    pictures : numpy.ndarray
        A batch of inputs.
    labels : numpy.ndarray
        Its labels, whole numbers.

    Returns
    -------
    list of float
        One norm for each layer with a kernel, from the first layer to the last.
    """
    ### BEGIN SOLUTION
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(
            labels, model(pictures), from_logits=True
        )
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, [kernel.value for kernel in kernels])
    return [float(np.sqrt(np.sum(np.square(gradient)))) for gradient in gradients]
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_gradient_norms", "grade": true, "points": 4}
exercise = checks.Exercise(
    "gradient_norms",
    points=4,
    seconds=20,
    hints={
        "sum-for-mean": "That grows with the number of pictures: the loss is their mean.",
        "squared": "These are squares of norms: a root is missing.",
        "mean-of-sizes": "A norm is no mean: root of the *sum* of squares.",
        "root-of-mean": "You divided by the number of weights: root of the *sum* of squares.",
        "largest": "That is the largest number of each gradient, not its length.",
        "biases-too": "Only kernels count; you have the biases in the list, too.",
        "bias-in-norm": "The biases went into the norms of their layers; only kernels count.",
        "no-logits": "The model gives scores; the loss took them for probabilities.",
        "softmax-twice": "Softmax was applied twice: once by you, once by the loss.",
        "weights-not-gradients": "These are norms of the weights, not of their gradients.",
        "relative": "You divided by the norms of the weights.",
        "backwards": "That is the order of backpropagation; the first layer comes first.",
        "one-norm-for-all": "One number for each layer, not one for the whole network.",
        "model-changed": "The weights of the model are not what they were.",
    },
)


def _linear_case():
    """One dense layer: its gradient is known on paper."""
    dice = np.random.default_rng(7)
    x, y = dice.normal(size=(6, 4)).astype("float32"), np.array([0, 1, 2, 2, 1, 0])
    w, b = dice.normal(size=(4, 3)).astype("float32"), dice.normal(size=3).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.set_weights([w, b])
    powers = np.exp(x @ w + b)
    errors = powers / powers.sum(axis=1, keepdims=True) - np.eye(3)[y]
    return model, x, y, x.T @ errors / len(x), errors.mean(axis=0)


def _small_cnn(seed, shape=(9, 7, 2), filters=(3, 4), classes=5):
    """A network with layers that have kernels and layers that have none."""
    layers = [keras.Input(shape)]
    for count in filters:
        layers += [keras.layers.Conv2D(count, 3, padding="same"), keras.layers.ReLU()]
    layers += [
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(classes),
    ]
    model = keras.Sequential(layers)
    dice = np.random.default_rng(seed)
    model.set_weights(
        [
            dice.normal(scale=0.3 if w.ndim == 1 else 1.5 / math.sqrt(w[..., 0].size), size=w.shape)
            for w in model.get_weights()
        ]
    )
    x = dice.normal(size=(8, *shape)).astype("float32")
    return model, x, dice.integers(0, classes, size=8)


_model, _x, _y, _g, _gb = _linear_case()
exercise.array(
    "one dense layer, compared with the formula",
    lambda: gradient_norms(_model, _x, _y),
    [np.linalg.norm(_g)],
    rtol=1e-3,
    mistakes={
        "sum-for-mean": [6 * np.linalg.norm(_g)],
        "squared": [np.sum(_g**2)],
        "mean-of-sizes": [np.mean(np.abs(_g))],
        "root-of-mean": [np.sqrt(np.mean(_g**2))],
        "largest": [np.abs(_g).max()],
        "biases-too": [np.linalg.norm(_g), np.linalg.norm(_gb)],
        "bias-in-norm": [math.hypot(np.linalg.norm(_g), np.linalg.norm(_gb))],
        "weights-not-gradients": [np.linalg.norm(_model.get_weights()[0])],
        "relative": [np.linalg.norm(_g) / np.linalg.norm(_model.get_weights()[0])],
        "one-norm-for-all": math.hypot(np.linalg.norm(_g), np.linalg.norm(_gb)),
    },
)
exercise.number(
    "two convolutions, ReLU, pooling, one dense layer: how many norms?",
    lambda: len(list(gradient_norms(*_small_cnn(1)))),
    3,
    weight=0.5,
    mistakes={"biases-too": 6, "one-norm-for-all": 1},
)


def _left_alone():
    """Whether the model's weights are the same after the call."""
    given, pictures, labels = _small_cnn(2)
    was = [weight.copy() for weight in given.get_weights()]
    _, (given, *_) = checks.call_in_place(gradient_norms, given, pictures, labels)
    return all(np.array_equal(a, b) for a, b in zip(was, given.get_weights(), strict=True))


exercise.true(
    "the model stays as it was",
    lambda: _left_alone(),
    otherwise="the model's weights have changed",
    hint="model-changed",
    weight=0.5,
)


### BEGIN HIDDEN TESTS


def _taped(model, x, y, *, reduce=tf.reduce_mean, logits=True, softmax=False, biases=False):
    """Gradients of all weights, or of all kernels."""
    weights = [w for w in model.trainable_variables if biases or len(w.shape) > 1]
    with tf.GradientTape() as tape:
        scores = tf.nn.softmax(model(x)) if softmax else model(x)
        loss = reduce(keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=logits))
    return [np.array(g) for g in tape.gradient(loss, [w.value for w in weights])]


def _norms(gradients):
    return [float(np.linalg.norm(gradient)) for gradient in gradients]


for _filters in ((4, 3), (3, 5, 4)):
    _shape = (*(int(n) for n in exercise.rng.permutation(np.arange(6, 11))[:2]), 2)
    _classes = int(exercise.rng.integers(3, 7))
    _given = _small_cnn(int(exercise.rng.integers(2**31)), _shape, _filters, _classes)
    _right = _taped(*_given)
    _sizes = [float(np.linalg.norm(w)) for w in _given[0].get_weights() if w.ndim > 1]
    _all = _norms(_taped(*_given, biases=True))
    exercise.hidden.array(
        f"a drawn network with {len(_filters)} convolutions",
        lambda _given=_given: gradient_norms(*_given),
        _norms(_right),
        rtol=1e-3,
        weight=1.5,
        mistakes={
            "sum-for-mean": _norms(_taped(*_given, reduce=tf.reduce_sum)),
            "squared": [n * n for n in _norms(_right)],
            "mean-of-sizes": [float(np.mean(np.abs(g))) for g in _right],
            "root-of-mean": [float(np.sqrt(np.mean(g**2))) for g in _right],
            "largest": [float(np.abs(g).max()) for g in _right],
            "biases-too": _all,
            "bias-in-norm": [math.hypot(*pair) for pair in zip(_all[::2], _all[1::2], strict=True)],
            "no-logits": _norms(_taped(*_given, logits=False)),
            "softmax-twice": _norms(_taped(*_given, softmax=True)),
            "weights-not-gradients": _sizes,
            "relative": [n / size for n, size in zip(_norms(_right), _sizes, strict=True)],
            "backwards": _norms(_right)[::-1],
            "one-norm-for-all": float(np.linalg.norm(_norms(_right))),
        },
    )
### END HIDDEN TESTS
exercise.score()

# %%
model = deep_network("residual", DEPTHS[0])
scores_only = keras.Model(model.inputs[0], model.layers[-1].input)  # everything but softmax
try:
    yours = np.array(gradient_norms(scores_only, x_train[batch], y_train[batch]))
    agree = np.allclose(yours, before["residual", DEPTHS[0]][1], rtol=1e-2)
    print("your gradient_norms agrees with the optimiser's notes:", agree)
except NotImplementedError:
    print("gradient_norms is not written yet")
except Exception as error:
    print("your gradient_norms fails here:", type(error).__name__)
del model, scores_only

# %% [markdown]
# ## 7 · Does it learn?
#
# A gradient at the start is only a promise. Now the four networks of 50 layers are trained for a
# short while, all in the same way: gradient descent with batches of 64, learning rate 0.05, and
# gradients longer than 1 cut to length 1, or the residual network would leap at its start. The
# loss of guessing is $\ln 10 = 2.303$.
#
# **Predict.** Which of the four will have got below 2.29?

# %%
prediction_learns = None  # a list of names, for example ["sigmoid", "ReLU"]

# %%
STEPS = by_scale(quick=70, full=300, grading=0)


def train_a_while(model, steps, rate=0.05, size=64):
    """Some steps of gradient descent with short gradients."""
    weights = [weight.value for weight in model.trainable_variables]

    @tf.function(autograph=False)
    def step(pictures, labels):
        with tf.GradientTape() as tape:
            answers = model(pictures, training=True)
            loss = keras.losses.sparse_categorical_crossentropy(labels, answers)
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(rate * tf.clip_by_norm(gradient / size, 1.0))

    dice = np.random.default_rng(1)
    for _ in range(steps):
        drawn = dice.integers(0, len(x_train), size=size)
        step(tf.constant(x_train[drawn]), tf.constant(y_train[drawn]))


def loss_of(model, number=300):
    """Mean loss on the first training pictures."""
    losses = keras.losses.sparse_categorical_crossentropy(y_train[:number], model(x_train[:number]))
    return float(np.mean(losses))


after, losses = {}, {}  # kind → norms after training; loss before and after
for kind in KINDS:
    model = deep_network(kind, LONG)
    at_first = loss_of(model)
    train_a_while(model, STEPS)
    losses[kind] = (at_first, loss_of(model))
    after[kind] = noted_gradients(model, x_train[batch], y_train[batch])[1]
    told = "".join(f"{after[kind][n]:10.1e}" for n in (1, LONG // 2, LONG))
    print(f"{kind:15} loss {at_first:6.3f} → {losses[kind][1]:.3f}   gradients after it:{told}")
del model
compare_prediction(prediction_learns, [kind for kind in KINDS if losses[kind][1] < 2.29])

# %%
figure, axes = plt.subplots(1, 4, figsize=(8.6, 3.5), sharey=True, layout="constrained")
for axis, (kind, (*_, colour)) in zip(axes, KINDS.items(), strict=True):
    for norms, style, label in (
        (before[kind, LONG][1], {"color": "#AAAAAA", "lw": 3}, "before"),
        (after[kind], {"color": colour, "lw": 1.6}, "after"),
    ):
        norms = np.where(norms > SMALLEST, norms, np.nan)[:-1]
        axis.plot(norms, label=label if np.isfinite(norms).any() else f"{label}: 0", **style)
    axis.set_title(f"{kind}\nloss {losses[kind][0]:.2f} → {losses[kind][1]:.2f}", size=10)
    axis.set(yscale="log", ylim=(SMALLEST, 1e3), xlim=(-1, LONG + 1), xlabel=f"layer of {LONG}")
    axis.set_yticks([1e-18, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1])
    axis.minorticks_off()
    axis.grid(alpha=0.3)
    axis.legend(loc="upper left" if kind == "sigmoid" else "lower right", fontsize=9)
axes[0].set_ylabel("norm of the gradient")
show(
    figure,
    alt="Gradient norms by layer in four networks of 50 layers, before training in grey and after "
    "a short training in colour, on a logarithmic axis. Sigmoid: the same steep line before "
    "and after. ReLU: before level near 1e-10, after zero in all layers. He start: somewhat "
    "lower than before. Residual: before level near 10, after level near 0.1. Only the residual "
    "network's loss has fallen below that of guessing.",
)

# %% [markdown]
# What the others have "learned" in the meantime is how often each class occurs, in the biases of
# the last layer. That needs no gradient to travel anywhere.
#
# Where the legend says "after: 0", there is no line to draw. At the end of that network the signal
# is so faint that the first small steps of the biases drown it. When all 16 units of one layer
# have ended up below zero for every picture, ReLU's slope is 0 there, and no gradient gets past.
# Such units are called *dead*.
#
# With an optimiser that rescales each gradient, such as Adam, the network with the He start would
# begin to learn as well. Adam divides by the size of the gradients, so a small one is no hindrance
# as long as it points somewhere. In the sigmoid's first layers there is nothing to divide.
#
# Be careful with the moral. He and his colleagues used batch normalisation everywhere, and checked
# that in their *plain* networks the gradients had healthy sizes. Those were still harder to train.
# So vanishing gradients are **one** reason why deep plain networks fail, the one that ReLU, better
# first weights and normalisation cure. The shortcut helps beyond that.
#
# ### Exercise 4 · Reading the gradient plots (3 points, marked by hand)
#
# Look at the figure of section 6, the one above, and the losses. Answer in five to nine sentences:
#
# 1. The curve of the sigmoid is a straight line on a logarithmic axis. What does that say about
#    what happens from layer to layer? Read the factor for one layer off the left plot of section 6
#    (two points will do), and compare it with the 1/4 of the text.
# 2. A fellow student sees that "ReLU" is level and says: "All layers get the same gradient, so
#    nothing vanishes here." What do the right plot of section 6 and the losses say to that?
# 3. The residual network starts with the same weights as "ReLU" and with a *higher* loss. Why does
#    it learn all the same? What changed in its gradients during training, and why is that no sign
#    of vanishing?

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 1. A straight line on a logarithmic axis means: every layer multiplies by the same factor, the
#    fall is exponential in depth. From about $10^{-18}$ at layer 24 to about 0.3 at layer 50 there
#    are 26 layers and 17.5 powers of ten, 0.67 powers a layer: a factor of about 0.21. That is a
#    little below 1/4, the largest slope of the sigmoid: the units are not all at their steepest
#    place, and the weights with the Glorot start neither shrink nor stretch much.
# 2. Level means only that the layers are *equally* badly off: the loss on the way back is made up
#    by the loss of the signal on the way forward. The height is what counts, and it falls from 0.1
#    to $10^{-10}$ between 4 and 50 layers (right plot). A step of 0.05 times $10^{-10}$ changes no
#    weight. The loss stays at 2.30, that of guessing.
# 3. The shortcut hands the gradient past each block undiminished (the derivative of $x + f(x)$ is 1
#    plus something), so no product of fifty small factors arises: the gradient is about 10 in all
#    layers. The high loss at the start is the signal grown by fifty additions; it goes away within
#    some steps, since the gradient is there to do it. After training the gradients are about a
#    hundred times smaller, *in all layers alike*, because the loss and the signal have become
#    smaller. Level and near 0.1 is healthy: the first layer learns as fast as the last.
#
# Marking: one point for each part. (1) constant factor or exponential *and* a factor between 0.1
# and 0.3 from two points read off. (2) level is not the same as large: falls with depth *and* the
# loss stays at guessing. (3) the sum passes the gradient on *and* the fall after training is the
# same in all layers or belongs to the falling loss.
# ### END SOLUTION

# %% [markdown]
# ## 8 · Equal budgets
#
# Networks are often compared at whatever size they happen to have. We compare three with the
# **same number of parameters**, to within 2 per cent, the same data and the same training: two
# epochs with 2,400 pictures, more would take too long here; Adam, batches of 30, a learning rate
# that falls to 0 along a cosine, batch normalisation for all. (Full scale: 50,000 pictures, five
# epochs, batches of 100.)
#
# - **VGG-like**: five convolutions, pooling in between, more filters;
# - **plain**: twelve convolutions, thin;
# - **residual**: those twelve convolutions, with shortcuts around ten of them. A shortcut has no
#   parameters, so these two are exactly equal.

# %% tags=["benchmark"] nbgrader={"grade_id": "contenders", "locked": true}
BLOCKS = by_scale(quick=(3, 2), full=(3, 2), grading=(1, 0))
RESIDUAL = (
    "conv3-16/2 pool2/2 "
    + "[ conv3-16 conv3-16 ] " * BLOCKS[0]
    + "conv3-32/2 "
    + "[ conv3-32 conv3-32 ] " * BLOCKS[1]
    + "gap dense10"
)
CONTENDERS = {
    "VGG-like": "conv3-16/2 pool2/2 conv3-32 conv3-32 pool2/2 conv3-54 conv3-54 gap dense10",
    "plain": RESIDUAL.replace("[ ", "").replace("] ", ""),
    "residual": RESIDUAL,
}


def learned(model):
    """How many numbers a model learns; moving averages of batch normalisation do not count."""
    return sum(math.prod(weight.shape) for weight in model.trainable_variables)


# %%
# NBVAL_CHECK_OUTPUT
sizes = {}
for name, line in CONTENDERS.items():
    costs = account(line, 32, norm=True)
    sizes[name] = total(costs, "parameters")
    assert sizes[name] == learned(network(line, (32, 32, 3), norm=True)), "Keras counts otherwise"
    convolutions = sum(cost.word.startswith("conv") for cost in costs)
    print(
        f"{name:9}{convolutions:>3} convolutions{sizes[name]:>8,} parameters"
        f"{total(costs, 'work'):>11,} multiply-adds"
    )
print(f"largest / smallest: {max(sizes.values()) / min(sizes.values()):.4f}")

# %% [markdown]
# **Predict.** Which of the three is best after a short training on 2,400 pictures? And will
# *plain* and *residual* be distinguishable?

# %%
prediction_best = None  # "VGG-like", "plain" or "residual"
prediction_shortcut = None  # "residual", "plain" or "not distinguishable"

# %% tags=["benchmark"] nbgrader={"grade_id": "training", "locked": true}
SEEDS = by_scale(quick=(1, 2, 3), full=(1, 2, 3), grading=(1, 2))
PICTURES = by_scale(quick=2400, full=50_000, grading=100)
EPOCHS = by_scale(quick=2, full=5, grading=0)
BATCH = by_scale(quick=30, full=100, grading=50)  # divides PICTURES: all batches are equal
RATE = 6e-3

results = {}  # name of a network → for each seed: accuracy, seconds, epochs, parameters
right = {}  # name of a network → for each seed: which test pictures it got right


def says(model, pictures):
    """The class that a model takes each picture for."""
    pieces = np.split(pictures, range(1000, len(pictures), 1000))
    return np.concatenate([np.argmax(model(piece, training=False), axis=1) for piece in pieces])


def measure(name, line):
    """Train a network with every seed, and keep what came out under its name.

    To prepare the training of a network takes Keras some seconds. So one model is used for all
    seeds, and gets other first weights each time.
    """
    results[name], right[name] = [], []
    steps = max(1, EPOCHS * math.ceil(PICTURES / BATCH))
    schedule = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model = network(line, (32, 32, 3), norm=True)
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="sparse_categorical_crossentropy")
    at_first = model.get_weights()
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        for weight, value in zip(model.weights, at_first, strict=True):
            kernel = value.ndim > 1  # kernels are drawn anew; all others start as they always do
            weight.assign(keras.initializers.HeNormal()(value.shape) if kernel else value)
        for memory in model.optimizer.variables:
            memory.assign(keras.ops.zeros_like(memory))
        start = time.perf_counter()
        model.fit(
            x_train[:PICTURES], y_train[:PICTURES], batch_size=BATCH, epochs=EPOCHS, verbose=0
        )
        seconds = time.perf_counter() - start
        right[name].append(says(model, x_test) == y_test)
        results[name].append(
            {
                "seed": seed,
                "accuracy": 100 * float(np.mean(right[name][-1])),
                "seconds": seconds,
                "epochs": EPOCHS,
                "parameters": learned(model),
            }
        )


# %% tags=["benchmark"]
for name, line in CONTENDERS.items():
    measure(name, line)

# %%
print(f"{'network':10}{'parameters':>11}   accuracy of each seed, %      mean ± sd   time a run")
for name, runs in results.items():
    scores = [run["accuracy"] for run in runs]
    print(
        f"{name:10}{runs[0]['parameters']:>11,}   "
        + "".join(f"{score:8.1f}" for score in scores)
        + f"{np.mean(scores):13.1f} ± {np.std(scores, ddof=1):.1f}"
        + f"{np.mean([run['seconds'] for run in runs]):11.1f} s"
    )

# %%
figure, axis = plt.subplots(figsize=(7, 2.5), layout="constrained")
rows = [*CONTENDERS][::-1]
for row, (name, colour) in enumerate(zip(rows, ("#D55E00", "#0072B2", "#009E73"), strict=True)):
    scores = [run["accuracy"] for run in results[name]]
    middle, width = np.mean(scores), np.std(scores, ddof=1)
    axis.barh(row, 2 * width, left=middle - width, height=0.42, color=colour, alpha=0.2)
    axis.plot(scores, [row] * len(scores), "o", mfc="none", mew=1.6, color=colour)
    axis.plot([middle], [row], "|", ms=22, mew=2.5, color=colour)
axis.set(yticks=range(3), yticklabels=rows, xlabel="test pictures right (%)", ylim=(-0.6, 2.6))
axis.grid(axis="x", alpha=0.3)
axis.margins(x=0.08)
show(
    figure,
    alt="Test accuracy of three networks of equal size, one circle for each seed, a bar at the "
    "mean and a band of one standard deviation to each side. Plain lies far to the "
    "left; residual and VGG-like lie on the right, a few points apart at most.",
)

# %% [markdown]
# ### Is the difference real?
#
# (In the figure: a circle for each seed, a bar at the mean, a band of one standard deviation to
# each side.) As in lesson 01: a difference is **distinguishable** if it is larger than the noise
# of the seeds (2.8 times the standard error of three runs each) and of the test pictures (2 times
# theirs) together. Otherwise nothing can be said, which does not mean that there is no difference.

# %%
first_two = judge(right, "residual", "VGG-like")
judge(right, "plain", "VGG-like")
shortcut = judge(right, "plain", "residual")
print()
if first_two == "not distinguishable" and prediction_best in (None, "residual", "VGG-like"):
    print(f"best: residual or VGG-like, {first_two}; you predicted {prediction_best}")
else:
    compare_prediction(prediction_best, first_two)
compare_prediction(prediction_shortcut, shortcut)

# %% [markdown]
# Two things can be said, and one cannot.
#
# - **The shortcut.** *Plain* and *residual* have the same layers, the same number of parameters and
#   of multiply-adds. Only the additions differ. Where the line above names one of them, that is the
#   effect of the shortcut and of nothing else. And that with batch normalisation everywhere:
#   gradients do not vanish here. (Take away one block, `BLOCKS = (2, 2)`, and the difference is
#   smaller; try it.)
# - **Depth is no value in itself.** The *plain* network is the VGG-like one, stretched to twice the
#   depth at the same price. After a short training that is a loss. The shortcut wins most of it
#   back, or all: whether *residual* and *VGG-like* differ at all, the first line says.
# - **What a subset cannot show** is which of the two is better when training is long and pictures
#   are many. 160 steps reward what is quick to train. ResNets were built for a million
#   pictures and hundreds of thousands of steps. Below is the same comparison with all 50,000
#   pictures, and even that is a short training, of 5 epochs. (He and others trained their CIFAR-10
#   networks for 64,000 steps, some 160 epochs.)
#
# The course keeps a record of both scales, made from the cells of this notebook with
# `python -m benchmarks.full_scale 06`.

# %% [markdown]
# <!-- results: 06_architectures -->
#
# | network | parameters | quick scale, % right | full scale, % right | epochs | seconds a run |
# |---|--:|--:|--:|--:|--:|
# | VGG-like | 56,978 | 44.00 ± 0.53 | 72.31 ± 0.44 | 2 / 5 | 27 / 239 |
# | plain | 56,602 | 33.43 ± 2.89 | 64.97 ± 0.39 | 2 / 5 | 32 / 361 |
# | residual | 56,602 | 40.07 ± 0.85 | 69.49 ± 0.69 | 2 / 5 | 33 / 351 |
#
# Mean ± standard deviation over seeds 1, 2, 3. Recorded 2026-11-26 on 2 cores (AMD EPYC), Python
# 3.11.7, TensorFlow 2.21.0, Keras 3.15.1. Epochs and seconds: quick / full; the seconds depend on
# what else the machine is doing.
#
# <!-- /results -->

# %% [markdown]
# More pictures and more steps, and the order is the same, now far outside the spreads: at this size
# and in this time the network of half the depth is ahead, and the shortcut wins back more than half
# of what the depth has cost. It does not make a small network better by making it deeper. Depth
# pays where there is width, time and data to fill it.
#
# ## 9 · One data set, many winners
#
# CIFAR-10 has had its own contests, and their winners show how little "the best architecture" means
# by itself. One winner and two ResNets, in our language:

# %%
# NBVAL_CHECK_OUTPUT
graham = "conv2-320v conv2-320v pool2/2 "
for filters in (640, 960, 1280, 1600):
    graham += f"conv2-{filters}v conv2-{filters}v pool2/2 "
graham += "conv2-1920v conv1-1920 flat dense10"


def cifar_resnet(blocks):
    """The ResNets that He and others built for CIFAR-10, with so many blocks in each stage."""
    return (
        "conv3-16 "
        + stage(blocks, "conv3-16 conv3-16", "conv3-16 conv3-16")
        + stage(blocks, "conv3-32/2 conv3-32", "conv3-32 conv3-32")
        + stage(blocks, "conv3-64/2 conv3-64", "conv3-64 conv3-64")
        + "gap dense10"
    )


for name, costs in {
    "Graham, 2014": account(graham, 126),
    "ResNet-20, 2015": account(cifar_resnet(3), 32, norm=True),
    "ResNet-110, 2015": account(cifar_resnet(18), 32, norm=True),
}.items():
    print(
        f"{name:18}{total(costs, 'parameters'):>12,} parameters{total(costs, 'work'):>17,}", end=""
    )
    print(" multiply-adds")

# %% [markdown]
# - **95.53 %**, first of the Kaggle contest of 2014: Ben Graham. Windows of 2×2, 320 to 1,920
#   filters, leaky ReLU. The picture is put into a field of 126×126; affine and colour augmentation;
#   dropout that grows with depth from 10 to 50 %. 90 hours on one graphics card.
# - **94.15 %**, fifth of the same contest: nagadomi. VGG's rule on 32×32 pixels, whitened colours,
#   36 versions of each picture.
# - **93.57 %**, outside the contest, a year later: He and others with ResNet-110. 16 to 64 filters,
#   batch normalisation, shifts and reflections.
#
# (Sources: interview with the winners, blog.kaggle.com, 2 January 2015; nagadomi's own account,
# ultraist.hatenablog.com; He and others 2015, table 6, best of five runs. Graham's program skipped
# the empty places around the picture, so his real work was less than the count above.)
#
# All three are deep, all augment, and beyond that they hardly agree on anything: 2×2 or 3×3,
# pooling or strides, 55 million parameters or fewer than two million. Half of the skill is not in
# the architecture at all: it is in the versions of each picture, in dropout, in patience. What
# ResNet shows is how far a clean idea gets with a thirtieth of the parameters.
#
# ### Your own network
#
# Write a line, and see what it costs. Can you stay below a million parameters *and* below 100
# million multiply-adds for a picture of 128×128, with at least 20 convolutions? (Nothing is graded
# here.)

# %%
my_network = "conv5-16/2 pool2/2 [ conv3-16 conv3-16 ] conv3-32/2 [ conv3-32 conv3-32 ] gap dense10"

costs = account(my_network, 128, norm=True)
print(sum(cost.word.startswith("conv") for cost in costs), "convolutions,", end=" ")
print(f"{total(costs, 'parameters'):,} parameters, {total(costs, 'work'):,} multiply-adds")
figure, axis = plt.subplots(figsize=(7, 1.9), layout="constrained")
draw_network(axis, my_network, 128, "your network")
axis.set_ylabel("pixels")
show(
    figure,
    alt="The network that was written down in the cell above, one bar for each layer: its height "
    "is the size of the map, its colour the depth, arcs are shortcuts.",
)

# %% [markdown]
# ## 10 · A recipe for 80 % (optional)
#
# Lesson 04's network stops a little above 70 %, however long it trains. What does it take to get
# beyond 80 % on two cores, before a kettle has cooled down? Nothing that is not in this course:
#
# - **Small windows, many layers**: seven 3×3 convolutions, VGG's rule at a quarter of its width,
#   and an average over the map in place of dense layers. Little more than half the parameters of
#   lesson 04's network.
# - **Batch normalisation** after each convolution. It allows learning rates at which a network
#   without it falls apart.
# - **A learning rate that rises and falls.** It climbs to 0.1 in the first quarter, while the
#   weights are still far from anything good, then falls along a cosine to zero. High rates get far,
#   low rates settle. Most of the last points come while it falls.
# - **Augmentation**, lesson 05's two layers.
# - **Weight decay**: each step also shrinks the weights a little. With batch normalisation it keeps
#   the steps, compared with the weights, from becoming ever smaller.
#
# The loss is computed from the logits, so the last layer has no softmax.


# %% tags=["recipe"]
def recipe_network():
    """Small VGG with batch normalisation; augmentation layers first; returns logits."""
    image = keras.Input((32, 32, 3))
    x = keras.layers.RandomFlip("horizontal")(image)
    x = keras.layers.RandomTranslation(0.125, 0.125, fill_mode="nearest")(x)
    for filters, count in ((16, 1), (32, 2), (64, 2), (128, 2)):
        if filters > 16:
            x = keras.layers.MaxPooling2D()(x)
        for _ in range(count):
            x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
            x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(10)(x), name="recipe")


def train_recipe(pictures, labels, epochs, seed, callbacks=()):
    """Train on all pictures (values 0 … 1) with one rise and one long fall of the learning rate."""
    keras.utils.set_random_seed(seed)
    model = recipe_network()
    steps = epochs * math.ceil(len(pictures) / 128)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=int(0.75 * steps),
        warmup_target=0.1,
        warmup_steps=steps - int(0.75 * steps),
    )
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-4),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(pictures, labels, batch_size=128, epochs=epochs, verbose=0, callbacks=list(callbacks))
    return model


# %% [markdown]
# **Predict.** The learning rate is highest after a quarter of the time. Halfway through it is still
# at three quarters of its height. What share of the test pictures is right halfway, if in the end
# it is about 83 %?

# %%
prediction_halfway = None  # "below 65 %", "65 to 75 %", "75 to 80 %" or "above 80 %"

# %%
record = load_training_runs("06_recipe")
machine = record["machine"]
print(f"{record['made_by']}, {record['date']}, {machine['cores']} cores ({machine['cpu']})\n")
print(f"{'':10}{'seeds':>6}{'min':>6}{'of a core':>11}{'test pictures right':>21}{'≥ 80 %':>8}")
lengths = sorted({run["epochs"] for run in record["runs"]})
for epochs in lengths:
    runs = [run for run in record["runs"] if run["epochs"] == epochs]
    last = np.array([run["accuracy"][-1] for run in runs])
    minutes = np.mean([run["minutes"][-1] for run in runs])
    worked = np.mean([run["processor_minutes"] for run in runs])
    spread = f" ± {last.std(ddof=1):.2f}" if len(runs) > 1 else ""
    print(
        f"{epochs:>3} epochs{len(runs):>6}{minutes:>6.1f}{worked:>11.1f}"
        f"{f'{last.mean():.2f}{spread} %':>21}{f'{sum(last >= 80)} of {len(runs)}':>8}"
    )

figure, axis = plt.subplots(figsize=(8.5, 4.2), layout="constrained")
colours, marks = ("#009E73", "#0072B2", "#D55E00"), "^os"
for epochs, colour, mark in zip(lengths, colours, marks, strict=False):
    label = f"{epochs} epochs"
    for run in record["runs"]:
        if run["epochs"] == epochs:
            axis.plot(run["minutes"], run["accuracy"], color=colour, lw=1.2, alpha=0.75)
            last = run["minutes"][-1], run["accuracy"][-1]
            axis.plot(*last, mark, color=colour, markersize=8, label=label)
            label = None  # one line of the legend for all seeds
axis.axhline(80, color="0.4", linestyle="--", linewidth=1)
axis.set(xlabel="minutes of training on 2 cores", ylabel="test pictures right (%)")
axis.set(xlim=(0, None), ylim=(30, 90))
axis.legend(loc="lower right")
axis.grid(alpha=0.3)
show(
    figure,
    alt="Test accuracy against minutes of training on two cores, one line for each seed, in two "
    "colours for 12 and for 30 epochs. The lines zigzag and cross while the learning rate is high, "
    "at 36 to 80 per cent. In the last third they close up, rise smoothly past the dashed line at "
    "80 per cent, and end together: near 83 after 12 epochs, near 86 after 30.",
)

# %%
runs = [run["accuracy"] for run in record["runs"] if run["epochs"] == 12]
halfway, last = (np.array([accuracy[place] for accuracy in runs]) for place in (5, 11))
print("halfway:", *(f"{share:.1f} %" for share in halfway), f"  mean {halfway.mean():.1f} %")
print("at the end:", *(f"{share:.1f} %" for share in last), f"  mean {last.mean():.1f} %")
print(f"between the seeds, from lowest to highest: {np.ptp(halfway):.1f}, then {np.ptp(last):.1f}")
places = np.searchsorted((65, 75, 80), halfway.mean())
compare_prediction(
    prediction_halfway, ("below 65 %", "65 to 75 %", "75 to 80 %", "above 80 %")[places]
)

# %% [markdown]
# Halfway the seeds are points apart, and a network that looked good may be worse an epoch later:
# with high rates the weights never come to rest. Then the rate falls, and all of them settle. Who
# judges such a training before its end judges the schedule, not the network. That is why the length
# must be chosen *before*: the schedule ends where you said it would.
#
# (The test pictures were looked at after each epoch for this figure only. Nothing was chosen by
# them; each run counts with its last epoch. The minutes are by the clock, on a machine that had
# other work at the same time, most of all during the two slower runs of 30 epochs: their lines are
# stretched. `of a core` counts only what the training itself worked, both cores together.)
#
# How far do twenty minutes go? The run that was disturbed least fitted 30 epochs into them and
# ended near 86 %, as did the others: three points above 12 epochs.
#
# **Your turn.** Change the recipe: twice the epochs? more filters for fewer epochs? shortcuts? no
# augmentation when time is short? `python -m data_scripts fetch cifar10` gets the whole data set.
# With `COURSE_SCALE=full` the cell below trains the recipe on it; in the repository,
# `python -m benchmarks.recipe --epochs 20 --seeds 1` records the curve, too. One seed is an
# anecdote: compare three.

# %%
if course_scale() == "full":
    start = time.perf_counter()
    (pictures, labels), (tests, answers) = load("cifar10")
    student = train_recipe(pictures / np.float32(255), labels, epochs=12, seed=1)
    says = student.predict(tests / np.float32(255), verbose=0).argmax(axis=1)
    share = np.mean(says == answers.ravel())
    print(f"{100 * share:.2f} % after {(time.perf_counter() - start) / 60:.1f} minutes")
else:
    print(
        f"{recipe_network().count_params():,} parameters; here they are trained at full scale only"
    )

# %% [markdown]
# ## What the numbers say
#
# - **138,357,544 and 14,714,688.** VGG-16 with and without its top. Nine tenths of the parameters
#   do less than a hundredth of the work.
# - **0.7, 15.5, 3.9, 11.3.** Thousand million multiply-adds for AlexNet, VGG-16, ResNet-50 and
#   ResNet-152. The deepest of them works less than VGG-16. And seconds are another matter again.
# - **1/4 to the power of 50.** With sigmoids, the first layers of a deep network get a gradient of
#   zero. With ReLU and Keras's usual start they get one of $10^{-10}$, and so does every other
#   layer. "Level" is not "healthy".
# - **+ x.** The same first weights with shortcuts: eleven orders of magnitude more gradient, and
#   the only one of four networks that learned. The addition costs no parameter.
# - **Equal budgets.** Twelve convolutions with and without shortcuts are many points apart, at the
#   same number of parameters and the same work. Which network is best depends on how long you train
#   and on how many pictures; that a shortcut helps a deep one showed after two epochs.
#
# ## Further reading
#
# - A. Krizhevsky, I. Sutskever, G. Hinton: *ImageNet classification with deep convolutional neural
#   networks*, NIPS 2012. AlexNet.
# - K. Simonyan, A. Zisserman: *Very deep convolutional networks for large-scale image recognition*,
#   arXiv:1409.1556 (2014), ICLR 2015. VGG.
# - C. Szegedy and others: *Going deeper with convolutions*, arXiv:1409.4842 (2014), CVPR 2015.
#   GoogLeNet and the Inception module.
# - K. He, X. Zhang, S. Ren, J. Sun: *Deep residual learning for image recognition*,
#   arXiv:1512.03385 (2015), CVPR 2016. ResNet, also for CIFAR-10.
# - K. He, X. Zhang, S. Ren, J. Sun: *Delving deep into rectifiers*, arXiv:1502.01852. The start
#   named after him.
# - O. Russakovsky and others: *ImageNet large scale visual recognition challenge*, IJCV 115 (2015).
#   The contest, its data, its winners, and how people do.
# - S. Hochreiter: *Untersuchungen zu dynamischen neuronalen Netzen*, diploma thesis, TU München
#   1991; Y. Bengio, P. Simard, P. Frasconi: *Learning long-term dependencies with gradient descent
#   is difficult*, IEEE Transactions on Neural Networks 5 (1994). Vanishing gradients, first seen in
#   recurrent networks.
# - S. Ioffe, C. Szegedy: *Batch normalization*, arXiv:1502.03167.
# - Keras documentation, *The functional API*, <https://keras.io/guides/functional_api/>.
