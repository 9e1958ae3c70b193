"""Widgets to play with: draw a digit, see inside, step a convolution, teach a machine.

Each is a class in the module of its name, with its ES module and its style in files beside it, and
has a notebook of the same name in this folder, made from a text by ``python -m playground.build``.
``python -m playground`` serves the four as pages of their own. Nothing needs a network.
"""
