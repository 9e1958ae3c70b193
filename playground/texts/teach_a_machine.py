# %% [markdown]
# # Teach a machine
#
# Name two classes or more, give each some pictures, press **Teach**, and try a picture that the
# machine has not seen. Ten pictures a class are a beginning: cats and dogs, thumb up and thumb down
# before the camera, circles and crosses on the drawing pad.
#
# It takes seconds, because nearly everything has been learned before: a network that has seen more
# than a million photographs of ImageNet looks at your pictures, and only one small layer at its end
# learns your classes.
#
# Run the cell below to begin (in JupyterLab: <kbd>Shift</kbd>+<kbd>Enter</kbd>).

# %%
from playground.teach_a_machine import TeachAMachine

machine = TeachAMachine()
machine

# %% [markdown]
# ## To try
#
# - Teach it with one example a class, then with three, then with ten. Where does it stop getting
#   better? The curve says how it does on *your examples*. Why does that not answer the question?
# - Photograph all of one class before a bright wall, all of the other before a dark one. Then try a
#   picture with the walls exchanged. Where did it look?
# - Give it something that belongs to none of your classes. It says one of them all the same, and
#   perhaps with 99 %. What does that number mean, then?
# - Give one class thirty examples and the other three. Who suffers? (Each class counts the same in
#   the training here, however many examples it has. What would happen otherwise?)
#
# ## What happens
#
# EfficientNet-Lite0 turns each picture into 7 × 7 places with 1,280 numbers each, and takes the
# mean over the places. One dense layer with softmax learns from these means. So the score of a
# class is the mean of what each place says, and *where it looked* is no guess: the **class
# activation map** of [lesson 07](../lessons/07_transfer_learning/07_transfer_learning.ipynb) shows
# exactly what each place adds.
#
# Pictures stay in this notebook's kernel. **Save** writes a `.keras` file that
# `keras.models.load_model` opens anywhere: from pictures of shape (n, 224, 224, 3), 0 … 255, to
# probabilities.
#
# ## From code
#
# `machine.add_examples("cats", files_or_arrays)`, `machine.read_folder("my_pictures")`,
# `machine.train()`, `machine.ask("new.jpg")`, `machine.save("machine")` and
# `machine.load("machine.keras")`; `machine.classifier.model()` is the Keras model.
