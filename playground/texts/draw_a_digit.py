# %% [markdown]
# # Draw a digit
#
# Two networks have learned to read from the same 60,000 digits: an **MLP**, which gets the pixels
# as one long list, and a **CNN**, which gets them as a picture. Draw a digit, with the mouse, a
# pen, a finger or the arrow keys. Both answer while you draw.
#
# Run the cell below to begin (in JupyterLab: <kbd>Shift</kbd>+<kbd>Enter</kbd>).

# %%
from playground.draw_a_digit import DrawADigit

widget = DrawADigit()
widget

# %% [markdown]
# ## To try
#
# - Draw a 4, open at the top and closed. Draw a 7 with and without a bar, a 1 as a stroke and
#   with a flag. Which shapes does neither of them know?
# - Draw something between two digits, such as a 4 that is nearly a 9. How do the bars move, stroke
#   by stroke?
# - Take an example and **move** it, one pixel at a time. Which of the two loses it first, and after
#   how many pixels? What changed for an MLP when all pixels go one place to the right?
# - Draw a digit very small, or in a corner. Why does that hardly matter?
#
# ## What happens
#
# The makers of MNIST scaled each digit to fit a box of 20 × 20 pixels and put its centre of mass in
# the middle of 28 × 28. The same is done here to what you draw, for a network knows only what it
# has been shown. The sliders undo the second half of that on purpose. Neither network has ever
# seen a moved digit: [lesson 01](../lessons/01_mlp_and_cnn/01_mlp_and_cnn.ipynb) measures what
# follows.
#
# The examples are from MNIST's test set; no network has learned from them.
