"""Keras models between the two rooms."""

import json

import numpy as np
import pytest

from autograder import checks, wire
from autograder.rooms import allowlist, models
from autograder.rooms.errors import StudentError
from autograder.wire import WireError
from tests.autograder.rooms.test_rooms import Desk

keras = pytest.importorskip("keras")

SETUP = """
import keras, numpy as np
layers = keras.layers
"""


@pytest.fixture(scope="module")
def desk():
    desk = Desk([SETUP])
    desk.room.seconds = 60
    yield desk
    desk.student.close()


def outputs(model, *shape):
    return np.asarray(model(np.random.default_rng(1).random((2, *shape), "float32")))


# Each makes `model`, and `data` for it.
MODELS = {
    "sequential": """
model = keras.Sequential([
    keras.Input((8, 8, 3)),
    layers.Conv2D(np.int64(4), 3, activation=keras.ops.relu, kernel_regularizer="l2"),
    layers.BatchNormalization(), layers.MaxPooling2D(), layers.Dropout(0.5), layers.Flatten(),
    layers.Dense(5, activation="softmax", kernel_initializer="he_normal"),
])
shape = (8, 8, 3)
""",
    "functional with shared layers and operations": """
i = keras.Input((6,))
shared = layers.Dense(6, activation="gelu")
x = shared(shared(i)) + i * 2
x = keras.ops.concatenate([x, layers.LeakyReLU()(i)], axis=-1)
model = keras.Model(i, layers.LayerNormalization()(x))
shape = (6,)
""",
    "nested": """
body = keras.Sequential([layers.Conv2D(3, 2), layers.ReLU()], name="body")
head = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(2)])
model = keras.Sequential([keras.Input((5, 5, 1)), body, head])
shape = (5, 5, 1)
""",
    "recurrent": """
model = keras.Sequential([
    keras.Input((7, 3)), layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
    layers.TimeDistributed(layers.Dense(2)), layers.GRU(3),
])
shape = (7, 3)
""",
    "subclassed, built by a call": """
class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.last = layers.Dense(2)
        self.blocks = [layers.Dense(4, activation="relu") for _ in range(3)]
    def call(self, x, training=False):
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)
model = Own()
shape = (4,)
model(np.zeros((1, 4)))
""",
    "functional with a layer of one's own": """
class Block(layers.Layer):
    def __init__(self, n):
        super().__init__()
        self.dense = layers.Dense(n)
    def call(self, x):
        return keras.ops.tanh(self.dense(x))
i = keras.Input((4,))
model = keras.Model(i, Block(2)(Block(3)(i)))
shape = (4,)
""",
    "class derived from Dense": """
class Mine(layers.Dense):
    pass
model = keras.Sequential([keras.Input((3,)), Mine(4, activation="relu"), layers.Dense(2)])
shape = (3,)
""",
    "class derived from Sequential": """
class Mine(keras.Sequential):
    def __init__(self):
        super().__init__([keras.Input((3,)), layers.Dense(4)])
model = Mine()
shape = (3,)
""",
    "class derived from a functional model": """
class Mine(keras.Model):
    def __init__(self):
        i = keras.Input((3,))
        super().__init__(i, layers.Dense(4)(i))
model = Mine()
shape = (3,)
""",
    "low precision": """
model = keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="bfloat16")])
shape = (4,)
""",
}


@pytest.mark.parametrize("kind", MODELS)
def test_models_are_rebuilt_to_the_last_bit(desk, kind):
    source = (
        MODELS[kind]
        + """
data = np.random.default_rng(1).random((2, *shape), "float32")
answer = np.asarray(model(data)).astype("float64")
weights = [np.asarray(w) for w in model.weights]
shape = list(shape)
"""
    )
    model, answer, weights, shape = desk(source, "model", "answer", "weights", "shape")
    assert isinstance(model, keras.Model)
    assert model.built
    np.testing.assert_array_equal(outputs(model, *shape).astype("float64"), answer)
    key = lambda array: (array.shape, array.astype("float64").tobytes())  # noqa: E731
    assert sorted(map(key, weights)) == sorted(key(np.asarray(w)) for w in model.weights)
    model(np.zeros((2, *shape), "float32"), training=True)  # seeds and moving averages are there
    assert checks.layer_table(model, tuple(shape))


def test_several_inputs_and_outputs(desk):
    source = """
a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
x = layers.Concatenate()([layers.Dense(2)(a), b])
model = keras.Model({"a": a, "b": b}, [layers.Dense(1)(x), x])
data = {"a": np.ones((1, 3), "float32"), "b": np.ones((1, 2), "float32")}
expected = [np.asarray(item) for item in model(data)]
"""
    model, data, expected = desk(source, "model", "data", "expected")
    for got, right in zip(model(data), expected, strict=True):
        np.testing.assert_array_equal(np.asarray(got), right)


def test_a_model_that_is_not_built_is_not_built_here_either(desk):
    model = desk("model = keras.Sequential([layers.Dense(3)])", "model")
    assert not model.built
    assert checks.layer_table(model, (2,)) == [checks.Layer("Dense", (3,), 9)]


def test_how_a_model_was_compiled_crosses_and_it_can_be_trained(desk):
    source = """
def build():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 9, 0.9)),
                  "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
def own_loss(a, b): return keras.ops.mean(b)
def odd():
    model = build()
    model.compile("adam", own_loss)
    return model
"""
    build, odd = desk(source, "build", "odd")
    model = build()
    assert model.loss == "sparse_categorical_crossentropy"
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    history = model.fit(np.eye(4)[:3], np.arange(3), epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert not odd().compiled  # a loss of one's own stays where it is
    assert odd().count_params() == 15


def test_trainable_flags_cross(desk):
    source = "model = keras.Sequential([keras.Input((2,)), layers.Dense(3), layers.Dense(1)])\n"
    model = desk(source + "model.layers[0].trainable = False", "model")
    assert [layer.trainable for layer in model.layers] == [False, True]
    assert len(model.trainable_variables) == 2


def test_layers_optimizers_losses_and_histories(desk):
    source = """
layer = layers.Dense(3, activation="relu")
layer.build((None, 2))
fresh = layers.Conv2D(8, 3)
optimizer = keras.optimizers.Adam(0.25)
loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.25)
history = keras.callbacks.History()
history.history, history.epoch = {"loss": [np.float32(2), 1.0]}, [0, 1]
history.set_params({"epochs": 2})
kernel = np.asarray(layer.kernel)
variable = keras.Variable([1.0, 2.0])
policy = keras.dtype_policies.DTypePolicy("mixed_float16")
"""
    layer, fresh, optimizer, loss, history, kernel, variable, policy = desk(
        source, "layer", "fresh", "optimizer", "loss", "history", "kernel", "variable", "policy"
    )
    np.testing.assert_array_equal(np.asarray(layer.kernel), kernel)
    assert isinstance(fresh, keras.layers.Conv2D)
    assert (fresh.filters, fresh.built) == (8, False)
    assert float(optimizer.learning_rate) == 0.25
    assert loss.get_config()["label_smoothing"] == 0.25
    assert isinstance(history, keras.callbacks.History)
    assert history.history == {"loss": [2.0, 1.0]}
    assert (history.epoch, history.params) == ([0, 1], {"epochs": 2})
    np.testing.assert_array_equal(np.asarray(variable), [1.0, 2.0])
    assert policy.compute_dtype == "float16"


def test_models_layers_and_classes_go_the_other_way(desk):
    source = """
def describe(model, layer, kind):
    return model.count_params(), type(model).__name__, layer.units, kind is layers.Dense
def first_weight(model): return np.asarray(model.weights[0])
def same(model): return model
"""
    describe, first_weight, same = desk(source, "describe", "first_weight", "same")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    assert describe(model, keras.layers.Dense(7), keras.layers.Dense) == (9, "Sequential", 7, True)
    np.testing.assert_array_equal(first_weight(model), np.asarray(model.weights[0]))
    again = same(model)
    assert again is not model
    np.testing.assert_array_equal(outputs(again, 2), outputs(model, 2))


# ---------------------------------------------------------------- classes of one's own

OWN = """
class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = layers.Dense(4, activation="relu"), layers.Dense(2)
        self.drop = layers.Dropout(0.5)
    def call(self, x, training=None):
        return self.b(self.drop(self.a(x), training=training))
def build(): return Own()
class Weighty(keras.Model):
    def __init__(self):
        super().__init__()
        self.w = self.add_weight(shape=(3,), initializer="ones", name="w")
    def call(self, x): return x * self.w
class Unanswered(keras.Model):
    def call(self, x): raise NotImplementedError
class Misspelt(keras.Model):
    def call(self, x): return dens(x)
"""


def test_a_subclassed_model_becomes_one_of_layers_at_the_first_call(desk):
    build = desk(OWN, "build")
    model = build()
    assert isinstance(model, keras.Model)
    assert not model.built
    answer = outputs(model, 3)
    assert answer.shape == (2, 2)
    assert model.count_params() == 4 * 4 + 5 * 2
    assert [type(layer).__name__ for layer in model.layers if layer.count_params()] == [
        "Dense",
        "Dense",
    ]
    for weight in model.trainable_variables:
        weight.assign(np.ones(weight.shape))
    np.testing.assert_allclose(outputs(model, 3)[:, 0], outputs(model, 3)[:, 1])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
    trained = model(np.ones((1, 3)), training=True)
    assert trained.shape == (1, 2)


def test_a_subclassed_model_in_checks(desk):
    build = desk(OWN, "build")
    exercise = checks.Exercise("own", points=1)
    assert exercise.parameters("parameters", lambda: build(), 26, input_shape=(3,))
    plain = keras.Sequential(
        [keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    )
    assert exercise.layers("layers", lambda: build(), plain, input_shape=(3,))


def test_a_subclassed_model_can_be_fitted_or_given_back_at_once(desk):
    build, is_own = desk(OWN + "\ndef is_own(m): return type(m) is Own", "build", "is_own")
    assert is_own(build()) is True
    model = build()
    model.compile("sgd", "mse")
    assert "loss" in model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0).history


def test_a_subclassed_model_that_was_changed_here_is_given_back_as_it_is(desk):
    build, sums = desk(
        OWN + "\ndef sums(m): return float(sum(map(np.sum, m.get_weights())))", "build", "sums"
    )
    model = build()
    model(np.ones((1, 3)))
    for weight in model.trainable_variables:
        weight.assign(np.ones(weight.shape))
    assert sums(model) == 26


def test_a_model_of_the_examiners_own_class_that_is_not_built_is_refused(desk):
    class Own(keras.Model):
        pass

    f = desk("def f(model): return 1", "f")
    with pytest.raises(WireError, match="cannot be given to the student's code"):
        f(Own())


def test_a_model_with_weights_of_its_own_can_be_called_but_not_looked_into(desk):
    weighty = desk(OWN, "Weighty")
    model = weighty()
    np.testing.assert_array_equal(np.asarray(model(np.full((1, 3), 2.0, "float32"))), [[2, 2, 2]])
    np.testing.assert_array_equal(model.predict(np.ones((2, 3), "float32")), np.ones((2, 3)))
    assert model.count_params() == 3
    with pytest.raises(ValueError, match="made of classes of its own"):
        model.layers  # noqa: B018
    exercise = checks.Exercise("own", points=1)
    assert not exercise.parameters("parameters", lambda: weighty(), 3, input_shape=(3,))
    assert "use Keras's own layers" in exercise.findings[0].message


DECIDES = """
class Decides(keras.Model):
    def __init__(self):
        super().__init__()
        self.drop = layers.Dropout(0.5, seed=1)
    def call(self, x, training={default}):
        return self.drop(x, {told})
"""


@pytest.mark.parametrize("default", ["None", "False"])
def test_a_model_that_hands_on_training_drops_out_in_training_only(desk, default):
    model = desk(DECIDES.format(default=default, told="training=training"), "Decides")()
    ones = np.ones((1, 400), "float32")
    assert 0.3 < np.mean(np.asarray(model(ones, training=True)) == 0) < 0.7
    np.testing.assert_array_equal(np.asarray(model(ones, training=False)), ones)
    assert type(model.layers[-1]) is keras.layers.Dropout


@pytest.mark.parametrize("told", ["training=False", "training=True"])
def test_a_model_that_decides_itself_whether_it_trains_keeps_doing_so(desk, told):
    # As layers of a functional model, its dropout would follow whoever calls the model.
    model = desk(DECIDES.format(default="None", told=told), "Decides")()
    ones = np.ones((1, 400), "float32")
    for training in (True, False):
        share = np.mean(np.asarray(model(ones, training=training)) == 0)
        assert 0.3 < share < 0.7 if "True" in told else share == 0
    with pytest.raises(ValueError, match="it fixes training="):
        model.layers  # noqa: B018


@pytest.mark.parametrize(
    ("name", "hint"), [("Unanswered", "not-attempted"), ("Misspelt", "not-defined")]
)
def test_an_answer_that_is_missing_inside_a_model_is_told_as_such(desk, name, hint):
    kind = desk(OWN, name)
    exercise = checks.Exercise("own", points=1)
    exercise.parameters("parameters", lambda: kind(), 3, input_shape=(3,))
    assert [finding.hint_id for finding in exercise.findings] == [hint]


# ---------------------------------------------------------------- lies


def description(model):
    given = models.describe(model)
    return given | {"config": json.loads(given["config"])}


@pytest.fixture
def dense():
    return description(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="d")]))


def rebuilt(given):
    """What the examiner makes of a description, by way of the wire."""
    given = dict(given)
    if not isinstance(given["config"], str):
        given["config"] = json.dumps(given["config"])
    data = wire.encode(object(), unknown=lambda value: given)
    return wire.decode(data, foreign=models.rebuild)


def test_an_honest_description_is_rebuilt(dense):
    assert rebuilt(dense).count_params() == 9


def replaced(**changes):
    def change(given):
        node = given["config"]["config"]["layers"][1]
        node |= changes

    return change


def configured(**changes):
    def change(given):
        given["config"]["config"]["layers"][1]["config"] |= changes

    return change


FUNCTION = {"module": "builtins", "class_name": "function", "registered_name": "function"}

MODEL_LIES = {
    "Lambda": replaced(class_name="Lambda"),
    "TFSMLayer": replaced(class_name="TFSMLayer", config={"filepath": "/etc"}),
    "TorchModuleWrapper": replaced(class_name="TorchModuleWrapper"),
    "vocabulary": replaced(class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
    "another module": replaced(module="os", class_name="system"),
    "a module of Keras's insides": replaced(module="keras.src.layers.core.lambda_layer"),
    "no module": replaced(module=None),
    "a registered name": replaced(registered_name="Custom>Dense"),
    "a class that does not exist": replaced(class_name="Densest"),
    "a class name that is a list": replaced(class_name=["Dense"]),
    "an unknown key": replaced(extra=1),
    "a compile config in a layer": replaced(compile_config={"loss": "mse"}),
    "a lambda": configured(activation={"class_name": "__lambda__", "config": {"value": "x"}}),
    "a type": configured(activation={"class_name": "__typespec__", "config": []}),
    "bytes": configured(activation={"class_name": "__bytes__", "config": {"value": "x"}}),
    "a function of the file system": configured(
        activation=FUNCTION | {"module": "keras.utils", "config": "get_file"}
    ),
    "deserialize": configured(activation=FUNCTION | {"config": "deserialize"}),
    "an unknown function": configured(activation=FUNCTION | {"config": "eval"}),
    "a lambda in an initializer": configured(
        kernel_initializer={"class_name": "Lambda", "module": "keras.layers", "config": {}}
    ),
    "more units than weights": configured(units=10**9),
    "a number beyond all sizes": configured(units=-(10**30)),
    "no config": lambda given: given["config"].pop("config"),
    "a config that is a list": lambda given: given.update(config=[1]),
    "a config that is no JSON": lambda given: given.update(config="{"),
    "endless nesting": lambda given: given.update(config="[" * 100_000),
    "a layer instead of a model": lambda given: given.update(
        config=given["config"]["config"]["layers"][1]
    ),
    "weights that are text": lambda given: given.update(weights=["x"]),
    "too few weights": lambda given: given["weights"].pop(),
    "weights of another shape": lambda given: given.update(weights=given["weights"][::-1]),
    "weights of another dtype": lambda given: given.update(
        weights=[weight.astype("float64") for weight in given["weights"]]
    ),
    "a compile config with a lambda": lambda given: given.update(
        compile=json.dumps({"optimizer": {"class_name": "__lambda__", "config": {"value": ""}}})
    ),
    "a compile config of another module": lambda given: given.update(
        compile=json.dumps({"loss": {"class_name": "system", "module": "os", "config": {}}})
    ),
}


@pytest.mark.parametrize("lie", MODEL_LIES)
def test_descriptions_that_lie_are_refused(dense, lie):
    MODEL_LIES[lie](dense)
    with pytest.raises(WireError):
        rebuilt(dense)


def test_a_class_that_the_author_registered_cannot_be_named(dense):
    @keras.saving.register_keras_serializable("Author")
    class Dense(keras.layers.Dense):
        pass

    replaced(registered_name="Author>Dense")(dense)
    with pytest.raises(WireError, match="Author>Dense is not one of Keras's own"):
        rebuilt(dense)


def test_huge_layers_take_no_memory_before_they_are_refused(dense):
    resource = pytest.importorskip("resource")
    configured(units=2 * 10**8)(dense)  # 1.6 GB of weights
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WireError, match="other shapes"):
        rebuilt(dense)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_nothing_remains_of_a_model_that_was_refused(dense):
    configured(units=5)(dense)
    with pytest.raises(WireError):
        rebuilt(dense)
    with keras.StatelessScope():
        pass  # at its end Keras fills in all variables that wait for values
    assert keras.layers.Dense(2)(np.ones((1, 2))).shape == (1, 2)


# Keras itself cannot call these on a symbol, or not without further arguments.
NOT_SYMBOLIC = {"hard_silu", "hard_swish", "mish", "sparsemax", "threshold"}
ACTIVATIONS = [
    name
    for name in allowlist.FUNCTIONS.split()
    if hasattr(keras.activations, name) and name not in NOT_SYMBOLIC
]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_that_is_called_on_a_symbol_crosses(name):
    """``keras.activations.relu(x)`` records an operation of its own, which is no layer."""
    i = keras.Input((6,))
    model = keras.Model(i, getattr(keras.activations, name)(keras.layers.Dense(4)(i)))
    given = models.describe(model)
    assert given["kind"] == "model", given.get("reason")
    assert np.array_equal(outputs(models.rebuild(given), 6), outputs(model, 6))


def test_every_name_on_the_list_is_one_of_keras():
    import importlib

    for module, names in allowlist._NAMES.items():
        found = importlib.import_module(module)
        if module == "keras":
            names = names.replace("Functional", "")
        if module == "keras.models":
            names = names.replace("Functional", "")
        missing = [name for name in names.split() if not hasattr(found, name)]
        assert not missing, module


def test_an_examiners_model_with_a_lambda_is_refused_as_an_argument(desk):
    f = desk("def f(model): return 1", "f")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    with pytest.raises((WireError, StudentError)):
        f(model)
