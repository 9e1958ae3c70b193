"""Keras models, and parts of them, as data: configuration and weights.

A model crosses as the text of its configuration and its weight arrays, never as an archive. The
receiver compares the configuration with the list of :mod:`autograder.rooms.allowlist`, builds the
model without giving its weights any room, compares their shapes with the arrays that came, and only
then fills them in: nothing larger than the message is ever made.

=================================  =============================================================
kind                               after crossing
=================================  =============================================================
``Sequential``, functional model   the same, built or not as it was, weights to the last bit,
of Keras's own layers              compiled if loss, optimizer and metrics are Keras's own
model with classes of one's own    a functional model that computes the same, see
                                   :mod:`autograder.rooms.flattening`; if it has not seen an
                                   input yet, a :class:`keras.Model` that becomes one on the
                                   first call; if it cannot, one that can be called, and says so
                                   when it is looked into
layer of Keras                     the same, built or not, with its weights
optimizer, loss, metric,           the same configuration, without state
initializer, regularizer,
constraint, schedule
``History``                        a ``History`` with `history`, `epoch` and `params`
=================================  =============================================================
"""

import contextlib
import functools
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.rooms import allowlist
from autograder.rooms.errors import StudentError
from autograder.wire import WireError

MAX_CONFIG = 8 * 2**20  # characters
_MAX_STATE = 4096  # elements of a variable that is no weight: a seed, a counter

_PARTS = {
    "initializers": "Initializer",
    "regularizers": "Regularizer",
    "constraints": "Constraint",
    "losses": "Loss",
    "metrics": "Metric",
    "optimizers": "Optimizer",
    "optimizers.schedules": "LearningRateSchedule",
    "dtype_policies": "DTypePolicy",
}


def describe(value: Any) -> dict[str, Any] | None:
    """Describe a model, a layer or another part of Keras as data.

    Returns
    -------
    dict or None
        None for everything else, and for layers of one's own. For a model that has not been called
        yet and has classes of its own, a promise: its ``kind`` is ``"promise"``.
    """
    keras = sys.modules.get("keras")
    if not hasattr(keras, "Model"):
        return None
    kind = type(value)
    if issubclass(kind, keras.Model):
        return _describe_model(getattr(value, "flat_model", value) or value)
    if issubclass(kind, keras.callbacks.History):
        return {
            "kind": "history",
            "history": dict(value.history),
            "epoch": list(value.epoch),
            "params": _plain(value.params),
        }
    if issubclass(kind, (keras.layers.Layer, *_part_classes())):
        try:
            return _describe_part(value, weights=issubclass(kind, keras.layers.Layer))
        except Exception:  # of the student's own making: an object like any other
            return None
    return None


def rebuild(given: dict[str, Any]) -> Any:
    """Make a model, a layer or a part from its description; trust nothing about it.

    Raises
    ------
    WireError
        If it is no description, or names anything but Keras's own parts.
    """
    try:
        if given["kind"] == "history":
            return _rebuild_history(given)
        if given["kind"] not in ("model", "layer", "part"):
            raise WireError("an object of a kind that does not exist")
        return _rebuild(given)
    except WireError:
        raise
    except Exception as error:
        text = str(error).strip().split("\n")[0][:300]
        raise WireError(f"Keras could not rebuild the model: {text}") from None


def flattened(model: Any, shapes: Any) -> dict[str, Any]:
    """Describe a model of one's own classes by Keras's layers, in the student's room.

    Parameters
    ----------
    model : keras.Model
        The model.
    shapes : dict or list
        What :func:`shapes_of` gave for an input; nested as the model's input is.

    Raises
    ------
    WireError
        If what it computes cannot be told by layers of Keras.
    """
    from autograder.rooms.flattening import flatten

    flat = flatten(model, shapes)
    return _describe_native(flat, compiled=model)


def shapes_of(inputs: Any) -> Any:
    """Describe the shapes and dtypes of a model's input, without the batch axis.

    Returns
    -------
    dict, list or dict of such
        ``{"shape": [28, 28, 1], "dtype": "float32"}`` for an array, nested as `inputs` is.
    """
    if isinstance(inputs, list | tuple):
        return [shapes_of(item) for item in inputs]
    if isinstance(inputs, dict):
        return {"inputs": {key: shapes_of(item) for key, item in inputs.items()}}
    import keras

    shape = [None if size is None else int(size) for size in inputs.shape][1:]
    return {"shape": shape, "dtype": keras.backend.standardize_dtype(inputs.dtype)}


# ---------------------------------------------------------------- describing


@functools.cache
def _part_classes() -> tuple[type, ...]:
    import keras

    found = []
    for module, name in _PARTS.items():
        place = keras
        for part in module.split("."):
            place = getattr(place, part)
        found.append(getattr(place, name))
    return tuple(found)


def _describe_model(model: Any) -> dict[str, Any]:
    try:
        return _describe_native(model, compiled=model)
    except WireError as error:
        reason = str(error)
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}"
    from autograder.rooms.flattening import known_shapes

    shapes = known_shapes(model)
    if shapes is not None:
        try:
            return flattened(model, shapes)
        except Exception as error:
            reason = str(error)[:500]
    return {"kind": "promise", "name": str(model.name)[:100], "reason": reason}


def _describe_native(model: Any, compiled: Any) -> dict[str, Any]:
    from autograder.rooms.flattening import configuration

    config = configuration(model)
    allowlist.check(config)
    return {
        "kind": "model",
        "config": json.dumps(config),
        "weights": [np.asarray(weight) for weight in model.weights],
        "compile": _compile_config(compiled),
    }


def _compile_config(model: Any) -> str | None:
    """Return loss, optimizer and metrics as text, if all of them are Keras's own."""
    if not model.compiled:
        return None
    try:
        config = json.loads(json.dumps(model.get_compile_config()))
        if not config:
            return None
        allowlist.check(config)
    except Exception:
        return None
    return json.dumps(config)


def _describe_part(value: Any, *, weights: bool) -> dict[str, Any]:
    import keras

    config = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
    allowlist.check(config)
    return {
        "kind": "layer" if weights else "part",
        "config": json.dumps(config),
        "weights": [np.asarray(weight) for weight in value.weights] if weights else [],
        "compile": None,
    }


def _plain(value: Any) -> dict[str, Any]:
    exact = (int, float, str, bool, type(None))
    return {key: item for key, item in dict(value or {}).items() if type(item) in exact}


# ---------------------------------------------------------------- rebuilding


def _rebuild(given: dict[str, Any]) -> Any:
    import keras

    config = _parse(given.get("config"))
    if type(config) is not dict or "class_name" not in config or "config" not in config:
        raise WireError("a Keras model without a configuration")
    weights = given.get("weights")
    if type(weights) is not list or not all(type(item) is np.ndarray for item in weights):
        raise WireError("weights that are no arrays")
    if given["kind"] == "part":
        made = keras.saving.deserialize_keras_object(config)
        if not isinstance(made, _part_classes()):
            raise WireError("a configuration that gives no part of a model")
        return made
    with _uninitialised():
        made = keras.saving.deserialize_keras_object(config)
    if not isinstance(made, keras.Model if given["kind"] == "model" else keras.layers.Layer):
        raise WireError("a configuration that gives no model")
    _fill(made, weights)
    if given["kind"] == "model" and given.get("compile") is not None:
        made.compile_from_config(_parse(given["compile"]))
    return made


def _parse(text: Any) -> Any:
    if type(text) is not str or len(text) > MAX_CONFIG:
        raise WireError("a Keras configuration that is no text, or too long")
    config = json.loads(text)
    allowlist.check(config)
    return config


@contextlib.contextmanager
def _uninitialised() -> Iterator[None]:
    """Let variables made in the body have no values, and take no memory."""
    import keras
    from keras.src.backend.common import global_state

    # Keras would fill them in at the end of any later scope.
    waiting = "uninitialized_variables"
    before = global_state.get_global_attribute(waiting)
    global_state.set_global_attribute(waiting, [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(waiting, before)


def _fill(layer: Any, weights: list[np.ndarray]) -> None:
    """Give the weights of a layer the values that came, once all shapes agree."""
    variables = layer.weights
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [weight.shape for weight in weights]:
        raise WireError(
            f"a Keras model whose weights have other shapes than its layers: "
            f"{[weight.shape for weight in weights][:5]} … for {shapes[:5]} …"
        )
    given = {id(variable): weight for variable, weight in zip(variables, weights, strict=True)}
    for variable, weight in zip(variables, weights, strict=True):
        if weight.dtype.kind not in "biuf" and weight.dtype.name != "bfloat16":
            raise WireError(f"weights of dtype {weight.dtype}")
        if variable.dtype != weight.dtype.name:
            raise WireError(f"weights of dtype {weight.dtype} for {variable.dtype}")
    for variable in [*variables, *layer.variables]:
        weight = given.get(id(variable))
        if weight is None and int(np.prod(variable.shape)) > _MAX_STATE:
            raise WireError("a Keras layer with a large state that did not come along")
        if variable._value is None:
            if weight is not None:
                variable._initializer = lambda shape, dtype, weight=weight: weight
            variable._deferred_initialize()
        elif weight is not None:
            variable.assign(weight)


def _rebuild_history(given: dict[str, Any]) -> Any:
    import keras

    history, epoch, params = (given.get(name) for name in ("history", "epoch", "params"))
    if type(history) is not dict or type(epoch) is not list or type(params) is not dict:
        raise WireError("a training history of a form that Keras does not write")
    made = keras.callbacks.History()
    made.history, made.epoch = history, epoch
    made.set_params(params)
    return made


# ---------------------------------------------------------------- promises


def place_of(model: Any) -> Any:
    """Return the place of a promised model that nothing has been done with; None otherwise."""
    return getattr(type(model), "promised_place", lambda model: None)(model)


def promised_model(place: Any, given: dict[str, Any]) -> Any:
    """Make the stand-in of a model that has not seen an input yet.

    It is a :class:`keras.Model`. The first call, or ``build``, fetches what it is made of.
    """
    reason = given.get("reason")
    return _promise_class()(place, reason[:500] if type(reason) is str else "")


@functools.cache
def _promise_class() -> type:
    import keras

    class StudentModel(keras.Model):
        """A model of the student's own class."""

        def __init__(self, place: Any, reason: str) -> None:
            super().__init__()
            self._place = place
            self._reason = reason
            self._failed = False
            self._flat = []  # one model, tracked by Keras once it is there

        def promised_place(self) -> Any:
            return None if self._flat else self._place

        @property
        def flat_model(self) -> Any:
            return self._flat[0] if self._flat else None

        def fetch_layers(self, shapes: Any) -> None:
            """Fetch the layers, for an input of these shapes.

            Raises
            ------
            ValueError
                If what the model computes cannot be told by Keras's own layers.
            """
            if self._flat:
                return
            if not self._failed:
                try:
                    flat = self._place.ask("flatten", self, shapes)
                    if not isinstance(flat, keras.Model):
                        raise WireError("the answer is no model")
                except (StudentError, WireError) as error:
                    self._failed, self._reason = True, str(error)
                else:
                    self._flat = [flat]
                    self.built = True
                    if flat.compiled:
                        self.compile_from_config(flat.get_compile_config())
                    return
            raise ValueError(
                "the model cannot be looked into, because it is made of classes of its own "
                f"({self._reason}): use Keras's own layers, in a Sequential or functional model"
            )

        def build(self, input_shape: Any) -> None:
            self.fetch_layers({"shape": list(input_shape)[1:], "dtype": "float32"})

        def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._flat:
                try:
                    self.fetch_layers(shapes_of(_arrays(inputs)))
                except ValueError:
                    if _symbolic(inputs):
                        raise
                    return self._place.ask("call", self, [inputs, *args], kwargs)
            return super().__call__(inputs, *args, **kwargs)

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            return self._flat[0](inputs, training=training)

        def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._flat:
                try:
                    self.fetch_layers(shapes_of(_arrays(x)))
                except ValueError:
                    return self._place.ask("predict", self, x)
            return super().predict(x, *args, **kwargs)

        def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
            self.fetch_layers(shapes_of(_arrays(x)))
            return super().fit(x, *args, **kwargs)

        def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
            self.fetch_layers(shapes_of(_arrays(x)))
            return super().evaluate(x, *args, **kwargs)

        def count_params(self) -> int:
            if self._failed:
                number = self._place.ask("count", self)
                if type(number) is not int:
                    raise TypeError("the number of parameters is no whole number")
                return number
            return super().count_params()

        @property
        def layers(self) -> list[Any]:
            if self._failed:
                self.fetch_layers(None)
            return self._flat[0].layers if self._flat else []

    return StudentModel


def _arrays(inputs: Any) -> Any:
    if isinstance(inputs, list | tuple):
        return [_arrays(item) for item in inputs]
    if isinstance(inputs, dict):
        return {key: _arrays(item) for key, item in inputs.items()}
    return inputs if hasattr(inputs, "shape") else np.asarray(inputs)


def _symbolic(inputs: Any) -> bool:
    import keras

    return any(isinstance(item, keras.KerasTensor) for item in keras.tree.flatten(inputs))
