"""What a model with classes of its own computes, told by layers of Keras.

The model is called once on a symbol. Classes of one's own are seen through: their ``call`` runs in
place, so that only layers of Keras are recorded. The result is a functional model that shares
their weights. It works where the model is made of Keras's layers and of operations on tensors that
Keras knows (``x + y``, ``keras.ops``); not where it has weights of its own, uses TensorFlow
directly, or decides by values.
"""

import contextlib
import inspect
import json
from collections.abc import Iterator
from typing import Any

from autograder.wire import WireError

_MAX_AXES = 10


def known_shapes(model: Any) -> Any:
    """Return the shapes that a model was built for, as :func:`shapes_of`; None if it was not."""
    from autograder.rooms.models import shapes_of

    if getattr(model, "inputs", None) and hasattr(model, "_inputs_struct"):
        return shapes_of(model._inputs_struct)
    if not model.built:
        return None
    try:
        shape = (model.get_build_config() or {}).get("input_shape")
    except Exception:
        return None
    return _shapes_from(shape)


def _shapes_from(shape: Any) -> Any:
    if isinstance(shape, dict):
        inner = {key: _shapes_from(item) for key, item in shape.items()}
        return None if None in inner.values() else {"inputs": inner}
    if not isinstance(shape, list | tuple) or not shape:
        return None
    if all(size is None or isinstance(size, int) for size in shape):
        return {"shape": list(shape)[1:], "dtype": "float32"}
    inner = [_shapes_from(item) for item in shape]
    return None if None in inner else inner


def flatten(model: Any, shapes: Any) -> Any:
    """Return a functional model of Keras's own layers that computes what `model` computes.

    Parameters
    ----------
    model : keras.Model
        A model; it is built by this if it is not yet, as the first call always does.
    shapes : dict or list
        Shapes and dtypes of its input, see :func:`autograder.rooms.models.shapes_of`.

    Raises
    ------
    WireError
        If that is not possible; the message says why.
    NotImplementedError, NameError
        If the model's own code raises it: an answer that is missing, a name that is misspelt.
    """
    import keras

    inputs = _symbols(shapes)
    try:
        with _seen_through():
            outputs = model(inputs)
        flat = keras.Model(inputs, outputs, name=model.name)
    except (NotImplementedError, NameError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        raise WireError(f"{type(error).__name__}: {lines[0][:300]}") from error
    if set(map(id, flat.weights)) != set(map(id, model.weights)):
        raise WireError("it has weights outside of Keras's layers, or layers that are not used")
    return flat


def configuration(model: Any) -> dict[str, Any]:
    """Return the configuration of a model, in which classes derived from a layer of Keras, with
    nothing changed about what they compute, go by the name of that layer.
    """
    import keras

    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    _without_compilation(config)
    layers = config["config"].get("layers")
    operations = getattr(model, "operations", None)
    if not isinstance(layers, list) or operations is None:
        return config
    by_name = {operation.name: operation for operation in operations}
    for node in layers:
        operation = by_name.get(node.get("name"))
        base = None if operation is None else _base(type(operation))
        if base is not None and base is not type(operation):
            inner = {
                key: keras.saving.serialize_keras_object(value)
                for key, value in base.get_config(operation).items()
            }
            node |= {
                "module": "keras.layers",
                "class_name": base.__name__,
                "registered_name": None,
                "config": json.loads(json.dumps(inner)),
            }
    return config


def _without_compilation(config: Any) -> None:
    """Leave out how the model and models in it were compiled: that is told elsewhere."""
    if isinstance(config, dict):
        config.pop("compile_config", None)
        for item in config.values():
            _without_compilation(item)
    elif isinstance(config, list):
        for item in config:
            _without_compilation(item)


def _symbols(shapes: Any) -> Any:
    import keras

    match shapes:
        case {"shape": list(shape), "dtype": str(dtype)} if len(shape) <= _MAX_AXES:
            return keras.Input(tuple(shape), dtype=dtype)
        case {"inputs": dict(inner)}:
            return {key: _symbols(item) for key, item in inner.items()}
        case list(inner):
            return [_symbols(item) for item in inner]
    raise WireError("shapes that no input has")


def _is_keras(kind: type) -> bool:
    return kind.__module__.split(".")[0] == "keras"


def _base(kind: type) -> type | None:
    """Return the layer of Keras that a class computes the same as; None if there is none."""
    import keras

    base = next((base for base in kind.__mro__ if _is_keras(base)), None)
    if base is None or base in (keras.layers.Layer, keras.Model) or issubclass(base, keras.Model):
        return None
    own = kind.__mro__[: kind.__mro__.index(base)]
    changed = {"call", "__call__", "build", "compute_output_spec", "compute_output_shape"}
    return None if any(changed & set(vars(cls)) for cls in own) else base


def _is_own(layer: Any) -> bool:
    """Whether to see through a layer: of one's own class, or a model that holds such a one."""
    import keras

    if isinstance(layer, keras.Model):
        return not all(_is_keras(type(inner)) for inner in layer._flatten_layers())
    return not _is_keras(type(layer)) and _base(type(layer)) is None


def _heeds_training(layer: Any) -> bool:
    """Whether a layer computes something else in training.

    A functional model tells every such layer in which mode it is called itself, and overrules what
    the layer was told when the model was made. A model that decides this itself has no equal among
    functional models.
    """
    import keras

    parts = layer._flatten_layers() if isinstance(layer, keras.Model) else [layer]
    return any(
        "training" in inspect.signature(part.call).parameters
        for part in parts
        if not isinstance(part, keras.Model)
    )


@contextlib.contextmanager
def _seen_through() -> Iterator[None]:
    """Run the ``call`` of classes of one's own in place, where a layer would be recorded."""
    import keras

    original = keras.layers.Layer.__call__

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_own(layer):
            fixed = kwargs.get("training")
            if fixed is not None and _heeds_training(layer):
                raise ValueError(f"it fixes training={fixed} for its layer {layer.name!r}")
            return original(layer, *args, **kwargs)
        if not layer.built and not getattr(type(layer).build, "_is_default", False):
            shapes = keras.tree.map_structure(lambda item: tuple(item.shape), args[0])
            layer.build(shapes)
        names = inspect.signature(layer.call).parameters
        accepted = {
            name: value
            for name, value in kwargs.items()
            if name in names or name not in ("training", "mask")
        }
        if "training" in names:
            # Open, whatever the default says: the functional model is told later.
            accepted.setdefault("training", None)
        return layer.call(*args, **accepted)

    try:
        keras.layers.Layer.__call__ = call
        yield
    finally:
        keras.layers.Layer.__call__ = original
