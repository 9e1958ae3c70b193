"""What a Keras model is made of, in whatever style it was written."""

import contextlib
import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.checks.comparison import describe_type, one_line


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer of a model as seen from outside.

    Attributes
    ----------
    kind : str
        Class name, such as ``"Conv2D"``.
    output_shape : tuple of int
        Shape of the output for one sample, without the batch axis.
    parameters : int
        Trainable and other weights of this layer.
    """

    kind: str
    output_shape: tuple[int, ...]
    parameters: int

    def __str__(self) -> str:
        return f"{self.kind} → {self.output_shape}, {self.parameters:,} parameters"


def layer_table(model: Any, input_shape: tuple[int, ...]) -> list[Layer]:
    """Run a model once on zeros and list its layers in the order in which they worked.

    Sequential, functional, nested and subclassed models that compute the same give the same table:

    * input layers are left out, and so are containers: models inside the model, and the author's or
      student's own ``Layer`` classes that hold other layers (their layers are listed instead);
    * a layer of Keras that holds others (``Bidirectional``, ``TimeDistributed``, ``LSTM``,
      ``MultiHeadAttention`` …) is one entry with all their parameters;
    * ``Activation``, ``Dropout``, ``Flatten``, ``BatchNormalization`` count like any other (so
      ``Dense(…, activation="relu")`` is one entry, ``Dense`` and then ``ReLU`` are two);
      batch normalisation counts its moving averages as parameters, as ``model.summary()`` does;
    * a shared layer is listed once for each use, a layer that is never used not at all;
    * a class derived from a layer of Keras counts as that layer, a class of one's own as ``Layer``;
    * arithmetic on tensors (``x + y``, ``keras.ops``) is no layer.

    Parameters
    ----------
    model : keras.Model
        A model with one input. It is called in inference mode. If it is not built yet, this builds
        it for `input_shape`, as the first call always does; nothing else about it changes.
    input_shape : tuple of int
        Shape of one sample, without the batch axis.

    Returns
    -------
    list of Layer
        For a layer with several outputs, the shape is that of the first.

    Raises
    ------
    TypeError
        If `model` is no Keras model.
    ValueError
        If the model has several inputs, does not accept inputs of this shape, cannot be watched
        because its ``call`` is a ``tf.function``, or cannot be looked into because its layers are
        of the student's own making, in another process.
    """
    import keras

    if not isinstance(model, keras.Model):
        raise TypeError(f"expected a Keras model, received {describe_type(model)}")
    if hasattr(type(model), "fetch_layers"):  # a stand-in for a model of the student's own class
        model.fetch_layers({"shape": list(input_shape), "dtype": "float32"})
    inputs = getattr(model, "inputs", None) or [None]
    if len(inputs) != 1:
        raise ValueError(f"the model has {len(inputs)} inputs; expected a model with one input")
    sample = np.zeros((1, *input_shape), "float32")
    seen: list[Layer] = []
    try:
        # The first call may run the code of a layer several times, on symbols, to build it.
        if not all(layer.built for layer in model._flatten_layers()):
            model(sample, training=False)
        with _unchanged_state(model), _watched_layers(seen):
            model(sample, training=False)
    except NotImplementedError as error:  # not answered yet: not a matter of shapes
        raise NotImplementedError(_reason(error)) from error
    except NameError as error:  # a misspelt name: neither
        raise NameError(_reason(error)) from error
    except Exception as error:
        raise ValueError(
            f"the model does not accept an input of shape {(None, *input_shape)}: {_reason(error)}"
        ) from error
    if not seen and any(not _is_container(layer) for layer in _inner_layers(model)):
        raise ValueError("no layer of the model was seen at work: is `call` a tf.function?")
    return seen


@contextlib.contextmanager
def _watched_layers(seen: list[Layer]) -> Iterator[None]:
    """Append to `seen` every layer that works in the body, outermost layers of Keras only.

    The one thing that is changed, and put back, is ``keras.layers.Layer.__call__``: no model is
    touched, so none can be left half changed.
    """
    import keras

    original = keras.layers.Layer.__call__
    inside = 0

    def recorded(layer: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal inside
        if inside or _is_container(layer):
            return original(layer, *args, **kwargs)
        inside += 1
        try:
            output = original(layer, *args, **kwargs)
        finally:
            inside -= 1
        tensors = [item for item in keras.tree.flatten(output) if hasattr(item, "shape")]
        shape = tuple(int(size) for size in tensors[0].shape[1:]) if tensors else ()
        seen.append(Layer(_kind(layer), shape, int(layer.count_params())))
        return output

    try:
        keras.layers.Layer.__call__ = recorded
        yield
    finally:
        keras.layers.Layer.__call__ = original


@contextlib.contextmanager
def _unchanged_state(model: Any) -> Iterator[None]:
    """Put back moving averages and random states, which ``training=True`` inside a model moves."""
    saved = [(variable, np.asarray(variable).copy()) for variable in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in saved:
            variable.assign(value)


def _kind(layer: Any) -> str:
    """Name of the layer of Keras that `layer` is or is derived from."""
    return next(
        cls.__name__ for cls in type(layer).__mro__ if cls.__module__.split(".")[0] == "keras"
    )


def _inner_layers(layer: Any) -> list[Any]:
    return list(layer._flatten_layers(include_self=False))


def _is_container(layer: Any) -> bool:
    import keras

    if isinstance(layer, keras.Model | keras.layers.InputLayer):
        return True
    return _kind(layer) == "Layer" and bool(_inner_layers(layer))


def _reason(error: Exception) -> str:
    """Return the one line of an error of Keras that says what is wrong."""
    text = str(error)
    # Keras wraps the error of a layer in a report, and prints the error itself in bold.
    bold = re.search("\x1b\\[1m(.*?)\x1b\\[0m", text, re.DOTALL)
    text = bold.group(1) if bold else text
    text = re.sub(r"\[\[.*\]\]", "[…]", text, flags=re.DOTALL)  # the values of an array
    lines = text.strip().splitlines()
    return one_line(lines[0]) if lines else type(error).__name__
