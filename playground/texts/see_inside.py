# %% [markdown]
# # See inside
#
# Here is the CNN of [lesson 01](../lessons/01_mlp_and_cnn/01_mlp_and_cnn.ipynb), layer by layer.
# Draw a digit, or take a picture, and see what each layer hands on: one small picture for each
# filter, a **feature map**. The darker a place (in a dark theme: the lighter), the larger its
# value.
#
# Choose a map with a click, or with <kbd>Tab</kbd>, the arrow keys and <kbd>Enter</kbd>. It is
# enlarged, with its filter's weights, the place of your picture that it answers to most, and what
# excites it most in a thousand test digits.

# %%
from playground.see_inside import SeeInside

widget = SeeInside()
widget

# %% [markdown]
# ## To try
#
# - In the first layer, find a filter for upright edges, and one for lying ones. Look at its four
#   weights: could you have told from them?
# - Follow one stroke of a digit. How far down can you still see where it is?
# - Compare the patches of the first, second and third convolution. What grows besides their size?
# - Give the network the photograph, as it is. It answers with a digit all the same. How sure is it?
# - Some maps are empty for every digit. What does that say about their filters?
#
# ## What you see
#
# Grey values are relative to the largest value of their layer, so maps of one layer can be compared
# with each other. The patches come from the 1,000 test digits of the course's small MNIST, at most
# one from each digit. More ways to look into networks:
# [lesson 08](../lessons/08_visualization/08_visualization.ipynb).
