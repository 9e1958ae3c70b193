"""Keras models that lie, run code, or are too large."""

from tests.attacks.catalogue import GAINS, NOTHING, UNTRIED, attack
from tests.attacks.course import BRICKS


@attack("A subclass that says what the tests want to hear about itself.", plain=GAINS,
        assignment=BRICKS)  # fmt: skip
def a_model_that_lies(sub):
    sub.answer(
        "build_model",
        """
        class Liar(keras.Sequential):
            def count_params(self):
                return 15
            def get_config(self):
                config = super().get_config()
                config["layers"] = []
                return config
            def summary(self, *args, **kwargs):
                print("Total params: 15")

        def build_model():
            return Liar([keras.Input((4,)), keras.layers.Dense(9)])
    """,
    )
    sub.answer(
        "forward",
        """
        def forward(model, batch):
            class Close:
                def __array_function__(self, *args):
                    return True
            return Close()
    """,
    )


@attack("Patch Keras itself: every layer is a Dense of three units.", plain=GAINS,
        assignment=BRICKS)  # fmt: skip
def keras_patched(sub):
    sub.answer(
        "build_model",
        """
        def build_model():
            return keras.Sequential([keras.Input((4,)), keras.layers.Dense(9)])

        keras.Model.count_params = keras.layers.Layer.count_params = lambda self: 15
        keras.layers.Layer.get_config = lambda self: {"units": 3}
        keras.layers.Dense.compute_output_shape = lambda self, shape: (None, 3)
        checks.Layer.__eq__ = lambda self, other: True
        np.allclose = lambda *args, **kwargs: True
    """,
    )


@attack("Layers with code in them: Lambda, a registered class, a config that names a module.",
        plain=NOTHING, assignment=BRICKS)  # fmt: skip
def models_with_code(sub):
    sub.answer(
        "build_model",
        """
        @keras.saving.register_keras_serializable("os")
        class system(keras.layers.Dense):
            def get_config(self):
                return {"name": "x", "units": 3, "command": "touch /tmp/$MARK",
                        "module": "os", "class_name": "system", "registered_name": "os>system"}

            @classmethod
            def from_config(cls, config):
                __import__("os").system("touch /tmp/$MARK")
                return cls(9)

        def build_model():
            code = keras.layers.Lambda(lambda x: __import__("os").getenv("LMS_TOKEN") and x)
            model = keras.Sequential([keras.Input((4,)), code, system(9)])
            plain_config = model.get_config
            def get_config():
                config = plain_config()
                config["layers"].append({
                    "module": "builtins", "class_name": "eval", "registered_name": None,
                    "config": {"value": "__import__('os').system('touch /tmp/$MARK')"}})
                config["layers"].append({
                    "class_name": "__lambda__", "module": "builtins", "registered_name": None,
                    "config": {"value": "4wAAAA=="}})
                return config
            model.get_config = get_config
            return model
    """,
    )


@attack("A model with more weights than the machine has memory, and one of a million layers.",
        plain=UNTRIED, assignment=BRICKS)  # fmt: skip
def models_too_large(sub):
    sub.answer(
        "build_model",
        """
        _calls = []

        def build_model():
            _calls.append(1)
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(9)])
            if len(_calls) == 1:
                plain_config = model.get_config
                def get_config():
                    config = plain_config()
                    config["layers"][-1]["config"]["units"] = 10**9
                    return config
                model.get_config = get_config
            else:
                layer = model.get_config()["layers"][-1]
                model.get_config = lambda: {"name": "x", "trainable": True,
                                            "layers": [layer] * 1_000_000}
            return model
    """,
    )
    sub.answer(
        "forward",
        """
        def forward(model, batch):
            return keras.Sequential([keras.layers.Input((10**6,)),
                                     keras.layers.Embedding(10**9, 10**3)])
    """,
    )


@attack("Take the model that a test hands over and give its expectations a new weight.",
        plain=GAINS, assignment=BRICKS)  # fmt: skip
def models_changed_in_place(sub):
    sub.answer(
        "build_model",
        """
        import sys

        def build_model():
            frame = sys._getframe(1)
            while frame is not None:
                for name in ("expected", "right", "wrong"):
                    wanted = frame.f_locals.get(name)
                    if isinstance(wanted, list):
                        wanted.clear()
                frame = frame.f_back
            checks.Layer.__init__ = lambda self, *args, **kwargs: None
            return keras.Sequential([keras.Input((4,)), keras.layers.Dense(9)])
    """,
    )
    sub.answer(
        "forward",
        """
        def forward(model, batch):
            model.set_weights([w * 0 for w in model.get_weights()])
            model.__class__.__call__ = lambda self, *args, **kwargs: 0
            batch[:] = 0
            return frame_value() if "frame_value" in globals() else _expected()

        def _expected():
            import ast, sys
            frame = sys._getframe(2)
            source = frame.f_globals["In"][-1].splitlines()[frame.f_lineno - 1]
            call = ast.parse(source).body[0].test
            return ast.literal_eval(call.args[1])
    """,
    )
