"""Models of every style give the same table, and come out of it as they went in."""

import numpy as np
import pytest

from autograder.checks import AuthorError, Exercise, Layer, layer_table

keras = pytest.importorskip("keras")
layers = keras.layers

TABLE = [
    Layer("Conv2D", (6, 6, 4), 112),
    Layer("ReLU", (6, 6, 4), 0),
    Layer("Flatten", (144,), 0),
    Layer("Dense", (10,), 1450),
]
SHAPE = (8, 8, 3)


def parts():
    return [layers.Conv2D(4, 3), layers.ReLU(), layers.Flatten(), layers.Dense(10)]


def sequential():
    return keras.Sequential([keras.Input(SHAPE), *parts()])


def not_built():
    return keras.Sequential(parts())


def with_input_shape():
    return keras.Sequential([layers.Conv2D(4, 3, input_shape=SHAPE), *parts()[1:]])


def functional():
    x = inputs = keras.Input(SHAPE)
    for layer in parts():
        x = layer(x)
    return keras.Model(inputs, x)


def nested():
    conv, relu, flatten, dense = parts()
    x = inputs = keras.Input(SHAPE)
    x = keras.Sequential([conv, keras.Sequential([relu])])(x)
    return keras.Model(inputs, keras.Sequential([flatten, dense])(x))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.flatten, self.relu, self.conv = reversed(parts())

    def call(self, x):
        return self.dense(self.flatten(self.relu(self.conv(x))))


class Block(layers.Layer):
    """A layer of one's own, which holds layers and may train where it should not."""

    def __init__(self, *inside, training=None, **kwargs):
        super().__init__(**kwargs)
        self.inside = list(inside)
        self.training = training

    def call(self, x, training=None):
        for layer in self.inside:
            x = layer(x) if self.training is None else layer(x, training=self.training)
        return x


def own_block():
    conv, relu, flatten, dense = parts()
    return keras.Sequential([Block(conv, Block(relu)), flatten, dense])


class OwnConv(layers.Conv2D):
    pass


def derived():
    return keras.Sequential([OwnConv(4, 3), *parts()[1:]])


STYLES = [
    sequential,
    not_built,
    with_input_shape,
    functional,
    nested,
    Subclassed,
    own_block,
    derived,
]


@pytest.mark.filterwarnings("ignore:Do not pass")
@pytest.mark.parametrize("style", STYLES)
def test_every_style_gives_the_same_table_twice(style):
    model = style()
    assert layer_table(model, SHAPE) == TABLE
    assert layer_table(model, SHAPE) == TABLE


@pytest.mark.filterwarnings("ignore:Do not pass")
@pytest.mark.parametrize("style", STYLES)
def test_every_style_passes_the_checks(style, capsys):
    one = Exercise("model", points=2)
    assert one.layers("layers", lambda: style(), TABLE, input_shape=SHAPE)
    assert one.hidden.layers("layers", style(), sequential, input_shape=SHAPE)
    assert one.parameters("parameters", style(), 1562, input_shape=SHAPE)
    assert one.score() == 2.0


def table_of(*inside, shape):
    return [str(layer) for layer in layer_table(keras.Sequential(list(inside)), shape)]


def test_layers_of_keras_that_hold_layers_are_one_entry():
    assert table_of(
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(2)),
        layers.GRU(3),
        shape=(5, 3),
    ) == [
        "Bidirectional → (5, 8), 256 parameters",
        "TimeDistributed → (5, 2), 18 parameters",
        "GRU → (3,), 63 parameters",
    ]


def test_layers_that_do_nothing_in_inference_count_too():
    assert table_of(
        layers.RandomFlip(),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Activation("relu"),
        shape=(4, 4, 2),
    ) == [
        "RandomFlip → (4, 4, 2), 0 parameters",
        "BatchNormalization → (4, 4, 2), 8 parameters",
        "Dropout → (4, 4, 2), 0 parameters",
        "Activation → (4, 4, 2), 0 parameters",
    ]


def test_a_shared_layer_is_listed_for_each_use_and_an_unused_one_never():
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.unused = layers.Dense(3), layers.Dense(7)

        def call(self, x):
            return self.dense(self.dense(x)) + x

    one = Exercise("model", points=1)
    model = Twice()
    assert layer_table(model, (3,)) == [Layer("Dense", (3,), 12)] * 2
    assert one.parameters("counted once", model, 12, input_shape=(3,))


def test_several_outputs_of_a_layer():
    inputs = keras.Input((5, 3))
    sequence, state = layers.SimpleRNN(4, return_sequences=True, return_state=True)(inputs)
    model = keras.Model(inputs, {"sequence": sequence, "state": state})
    assert layer_table(model, (5, 3)) == [Layer("SimpleRNN", (5, 4), 32)]


def test_a_layer_made_from_nothing():
    class Scale(layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],))

        def call(self, x):
            return x * self.scale

    assert table_of(Scale(), shape=(4, 3)) == ["Layer → (4, 3), 3 parameters"]


# The model afterwards


def states(model):
    return [np.asarray(variable).copy() for variable in model.variables]


def forward_that_fails():
    class Fails(Subclassed):
        def call(self, x):
            self.conv(x)
            if self.fail:
                raise RuntimeError("no further")
            return super().call(x)

    model = Fails()
    model.fail = False
    model(np.zeros((1, *SHAPE), "float32"))
    model.fail = True
    return model


@pytest.mark.parametrize("style", [sequential, functional, Subclassed, forward_that_fails])
def test_the_model_is_unchanged(style, tmp_path):
    model = style()
    call = keras.layers.Layer.__call__
    x = np.random.default_rng(0).random((2, *SHAPE), "float32")
    if style is not forward_that_fails:
        model(x)
        before = [set(vars(layer)) for layer in model._flatten_layers()]
        states_before, output = states(model), np.array(model(x))
        layer_table(model, SHAPE)
        np.testing.assert_array_equal(model(x), output)
        for old, new in zip(states_before, states(model), strict=True):
            np.testing.assert_array_equal(old, new)
        model.save(tmp_path / "model.keras")
    else:
        before = [set(vars(layer)) for layer in model._flatten_layers()]
        with pytest.raises(ValueError, match="no further"):
            layer_table(model, SHAPE)
        model.fail = False
        assert model(x).shape == (2, 10)
    assert [set(vars(layer)) for layer in model._flatten_layers()] == before
    assert keras.layers.Layer.__call__ is call
    assert "call" not in {name for layer in model._flatten_layers() for name in vars(layer)}


def test_moving_averages_and_random_states_stay_even_if_the_model_trains_them():
    norm, dropout = layers.BatchNormalization(momentum=0.5), layers.Dropout(0.5)
    model = keras.Sequential([Block(norm, dropout, training=True)])
    model(np.full((4, 3), 5, "float32"))
    before = states(model)
    assert len(before) >= 5
    layer_table(model, (3,))
    for old, new in zip(before, states(model), strict=True):
        np.testing.assert_array_equal(old, new)


# What cannot be listed


class NotWritten(keras.Model):
    def call(self, x):
        raise NotImplementedError


class Misspelt(keras.Model):
    def call(self, x):
        return dense(x)  # noqa: F821


def two_inputs():
    a, b = keras.Input((3,)), keras.Input((3,))
    return keras.Model([a, b], layers.Add()([a, b]))


@pytest.mark.parametrize(
    ("model", "error", "text"),
    [
        (lambda: None, TypeError, "expected a Keras model, received an object"),
        (lambda: [sequential()], TypeError, "received a list"),
        (lambda: Subclassed, TypeError, "received a class"),
        (lambda: layers.Dense(3), TypeError, "received an object"),
        (two_inputs, ValueError, "2 inputs"),
        (sequential, ValueError, r"shape \(None, 3\): .*Expected shape \(None, 8, 8, 3\)"),
        (Subclassed, ValueError, r"shape \(None, 3\): .*expected min_ndim=4"),
        (NotWritten, NotImplementedError, "^.*$"),
        (Misspelt, NameError, "^name 'dense' is not defined$"),
    ],
)
def test_what_cannot_be_listed_is_said_in_one_sentence(model, error, text):
    with pytest.raises(error, match=text) as caught:
        layer_table(model(), (3,))
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "[[" not in str(caught.value)


def test_a_compiled_call_is_refused_rather_than_half_seen():
    tensorflow = pytest.importorskip("tensorflow")

    class Compiled(Subclassed):
        @tensorflow.function
        def call(self, x):
            return super().call(x)

    with pytest.raises(ValueError, match=r"tf\.function"):
        layer_table(Compiled(), SHAPE)


# Checks


def wider():
    return keras.Sequential([layers.Conv2D(5, 3), *parts()[1:]])


def test_a_layer_that_differs():
    one = Exercise("model", points=1, hints={"too-wide": "hint"})
    one.layers("named", wider, TABLE, input_shape=SHAPE, mistakes={"too-wide": wider})
    one.layers("visible", wider, TABLE, input_shape=SHAPE)
    one.hidden.layers("hidden", wider, TABLE, input_shape=SHAPE)
    one.layers("short", keras.Sequential(parts()[:3]), TABLE, input_shape=SHAPE)
    one.parameters("count", wider, 1562, input_shape=SHAPE)
    named, visible, hidden, short, count = one.findings
    assert named.hint_id == "too-wide"
    assert visible.message == (
        "layer 1 is Conv2D → (6, 6, 5), 140 parameters; expected Conv2D → (6, 6, 4), 112 parameters"
    )
    assert hidden.message == "layer 1, a Conv2D, is not as expected"
    assert short.message == "received 3 layers (Conv2D, ReLU, Flatten), expected 4"
    assert count.message == "received 1950, expected 1562"


def test_a_written_down_table_is_no_model():
    one = Exercise("model", points=1)
    assert not one.layers("table", TABLE, TABLE, input_shape=SHAPE)
    assert not one.layers("table", lambda: TABLE, TABLE, input_shape=SHAPE)
    assert not one.parameters("count", lambda: 1562, 1562, input_shape=SHAPE)


def test_errors_of_student_and_author_are_told_apart():
    one = Exercise("model", points=1, hints={"m": "hint"})
    assert not one.layers("c", NotWritten(), TABLE, input_shape=SHAPE)
    assert not one.layers("c", lambda: 1 / 0, TABLE, input_shape=SHAPE)
    assert not one.layers("c", sequential(), TABLE, input_shape=(3,))
    assert [finding.hint_id for finding in one.findings] == ["not-attempted", "raised", "raised"]
    for expected, mistakes in (("text", {}), (TABLE, {"m": NotWritten()}), (two_inputs(), {})):
        with pytest.raises(AuthorError):
            one.layers("c", sequential(), expected, input_shape=SHAPE, mistakes=mistakes)


def test_numbers_of_tensorflow_are_numbers():
    tensorflow = pytest.importorskip("tensorflow")
    one = Exercise("tensors", points=1)
    for value in (
        tensorflow.constant(5),
        tensorflow.Variable(5.0),
        keras.Variable(5.0),
        tensorflow.constant(5, tensorflow.float16),
    ):
        assert one.number("number", value, 5)
        assert one.array("array", lambda value=value: [value, value], [5, 5])
        assert one.equal("equal", value, 5)
    assert one.shape("shape", tensorflow.zeros((2, 3)).shape, (2, 3))
    assert one.shape("shape", keras.Input((3,)).shape, (None, 3))
    half = tensorflow.constant([1, 2], tensorflow.bfloat16)
    assert one.array("array", half, [1, 2])
    assert one.array("array", half, [1.0, 2.0], dtype="float")
    assert not one.array("array", half, [1.0, 2.0], dtype="float32")
    assert not one.number("symbolic", keras.Input(()), 5)
    assert [finding.hint_id for finding in one.findings] == ["wrong-dtype", "wrong-type"]
