# %% [markdown]
# # Step a convolution
#
# A window moves over a picture. At each place, every pixel under it is multiplied with the weight
# of the kernel at the same place, and the products are added: **one** number of the output. Step
# from place to place with the button, with <kbd>Enter</kbd> or with the arrow keys; or let it play.
#
# Run the cell below to begin (in JupyterLab: <kbd>Shift</kbd>+<kbd>Enter</kbd>).

# %%
from playground.convolution_stepper import ConvolutionStepper

stepper = ConvolutionStepper()
stepper

# %% [markdown]
# ## To try
#
# - Choose the picture *one bright pixel* and the kernel *1 … 4*, and fill all. The output shows the
#   kernel once more. Which way round, and why?
# - **Predict** before you look: which kernel makes a flat grey area 0? Which leaves it as it is?
#   Which number of a kernel decides that?
# - Write a kernel of your own that finds the upper ends of strokes. Weights may be fractions, such
#   as 1/9.
# - Padding *same*, stride 2: on which sides are the zeros? Change the size of the kernel and watch
#   them. Then compare with *1 zero on every side*: the output has the same size. Has it the same
#   numbers?
# - Dilation 2: how many pixels does the window span now, and how many does it look at? Take the
#   picture *chessboard*. What can the window not see?
# - Which of the settings change the size of the output? The formula below the picture says it in
#   figures.
#
# ## From code
#
# All of it can be read and set. Change something here, run the cell, and look up.

# %%
stepper.stride, stepper.padding, stepper.kernel

# %% [markdown]
# `stepper.image = …` takes any array of at most 28 × 28 numbers, `stepper.kernel = …` any square
# one of at most 7 × 7, and `stepper.output` is the whole feature map, computed by Keras.
#
# The formulas and their reasons:
# [lesson 02](../lessons/02_convolution/02_convolution.ipynb). Windows that take the largest pixel
# or the mean instead: [lesson 03](../lessons/03_pooling/03_pooling.ipynb).
