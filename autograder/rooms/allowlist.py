"""What the configuration of a Keras model may name.

Keras builds whatever a configuration names, and some of its layers run code or read files
(``Lambda``, ``TFSMLayer``, vocabularies …). So every node is compared with this list before Keras
sees any of it.
"""

import functools
from collections.abc import Iterator
from typing import Any

from autograder.wire import WireError

LAYERS = """
    Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average
    AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
    CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D
    Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D Dense
    DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU EinsumDense Embedding Flatten GRU GRUCell
    GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
    GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GroupNormalization GroupQueryAttention Identity InputLayer LSTM LSTMCell LayerNormalization
    LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention
    Multiply Normalization PReLU Permute RMSNormalization RNN RandomBrightness RandomContrast
    RandomCrop RandomFlip RandomHue RandomRotation RandomSaturation RandomShear RandomTranslation
    RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D
    SimpleRNN SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D
    SpectralNormalization StackedRNNCells Subtract TimeDistributed UnitNormalization UpSampling1D
    UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer
    LecunNormal LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform
    TruncatedNormal VarianceScaling Zeros
"""
LOSSES = """
    BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalHinge CosineSimilarity Dice Hinge Huber KLDivergence LogCosh MeanAbsoluteError
    MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    SparseCategoricalCrossentropy SquaredHinge Tversky
"""
METRICS = """
    AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy
    CategoricalCrossentropy CategoricalHinge CosineSimilarity F1Score FBetaScore FalseNegatives
    FalsePositives Hinge IoU KLDivergence LogCoshError Mean MeanAbsoluteError
    MeanAbsolutePercentageError MeanIoU MeanSquaredError MeanSquaredLogarithmicError OneHotIoU
    OneHotMeanIoU Poisson Precision PrecisionAtRecall R2Score Recall RecallAtPrecision
    RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy
    SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity
    SquaredHinge Sum TopKCategoricalAccuracy TrueNegatives TruePositives
"""
OPTIMIZERS = """
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer Nadam RMSprop SGD
"""
SCHEDULES = """
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
    PolynomialDecay
"""
FUNCTIONS = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
    softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
    binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
    categorical_crossentropy categorical_focal_crossentropy categorical_hinge cosine_similarity
    dice hinge huber kl_divergence log_cosh mean_absolute_error mean_absolute_percentage_error
    mean_squared_error mean_squared_logarithmic_error poisson sparse_categorical_accuracy
    sparse_categorical_crossentropy sparse_top_k_categorical_accuracy squared_hinge
    top_k_categorical_accuracy tversky
"""
# Operations on tensors whose result is no larger than what their operands, or a shape, say.
OPERATIONS = {
    "numpy": """
        Abs Absolute Add All Amax Amin Any Arccos Arcsin Arctan Arctan2 Argmax Argmin Argsort
        Average BroadcastTo Ceil Clip Concatenate Cos Cosh Cumprod Cumsum Divide DivideNoNan Dot
        Einsum Equal Exp ExpandDims Expm1 Flip Floor FloorDivide GetItem Greater GreaterEqual Less
        LessEqual Log Log10 Log1p Log2 Logaddexp LogicalAnd LogicalNot LogicalOr Matmul Max Maximum
        Mean Min Minimum Mod Moveaxis Multiply NanToNum Negative NotEqual OnesLike Outer Pad Power
        Prod Ravel Reciprocal Repeat Reshape Roll Round Sign Sin Sinh Sort Split Sqrt Square Squeeze
        Stack Std Subtract Sum Swapaxes Take Tan Tanh Tensordot Tile Transpose TrueDivide Var Vdot
        Where ZerosLike
    """,
    "nn": """
        AveragePool BatchNorm Celu Conv ConvTranspose DepthwiseConv DotProductAttention Elu Gelu Glu
        HardShrink HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool
        Moments Normalize OneHot Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax
        Softplus Softsign SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink Threshold
    """,
    "core": "Cast ConvertToTensor StopGradient Unstack",
    "math": "Erf Logsumexp Rsqrt",
    "image": "RGBToGrayscale Resize",
}

_NAMES = {
    "keras": "Sequential Functional DTypePolicy",
    "keras.models": "Sequential Functional",
    "keras.src.models.functional": "Functional",
    "keras.src.models.sequential": "Sequential",
    "keras.dtype_policies": "DTypePolicy",
    "keras.layers": LAYERS,
    "keras.initializers": INITIALIZERS,
    "keras.regularizers": "L1 L1L2 L2 OrthogonalRegularizer",
    "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "keras.losses": LOSSES,
    "keras.metrics": METRICS,
    "keras.optimizers": OPTIMIZERS,
    "keras.optimizers.schedules": SCHEDULES,
    # What keras.activations.relu records in a functional model; others record operations of nn.
    "keras.src.activations.activations": "ReLU",
    **{f"keras.src.ops.{name}": classes for name, classes in OPERATIONS.items()},
}
_FUNCTION_MODULES = ("builtins", "keras.activations", "keras.losses", "keras.metrics", "keras.ops")
_NODE_KEYS = {
    "module",
    "class_name",
    "config",
    "registered_name",
    "build_config",
    "name",
    "inbound_nodes",
    "shared_object_id",
}
_TENSOR_KEYS = {
    "__keras_tensor__": {"shape", "dtype", "keras_history"},
    "__tensor__": {"value", "dtype"},
    "__numpy__": {"value", "dtype"},
    "__slice__": {"start", "stop", "step"},
    "__ellipsis__": set(),
}
_MAX_NUMBER = 2**40
_MAX_NODES = 200_000
_MAX_DEPTH = 100


def check(config: Any) -> None:
    """Refuse a configuration that names anything but Keras's own parts.

    Parameters
    ----------
    config : Any
        What ``json.loads`` gave: dicts, lists, text and numbers.

    Raises
    ------
    WireError
        If something in it is not on the list; the message names it.
    """
    for count, node in enumerate(_nodes(config)):
        if count > _MAX_NODES:
            raise WireError(f"a Keras model with more than {_MAX_NODES:,} settings")
        if type(node) is dict:
            _check_node(node)
        elif type(node) is int and abs(node) > _MAX_NUMBER and not _is_seed(node):
            raise WireError(f"a Keras model with the number {str(node)[:30]} in it")


def is_known(module: str, name: str) -> bool:
    """Tell whether a class of Keras may be named."""
    return name in _names(module)


def _nodes(config: Any) -> Iterator[Any]:
    """Walk through a configuration without recursion."""
    left = [(config, 0)]
    while left:
        node, depth = left.pop()
        yield node
        if depth > _MAX_DEPTH:
            raise WireError("a Keras model that is nested too deeply")
        if type(node) is dict:
            # Shared objects are known by their address, which says nothing about a size.
            left += [(item, depth + 1) for key, item in node.items() if key != "shared_object_id"]
        elif type(node) is list:
            left += [(item, depth + 1) for item in node]


def _is_seed(number: int) -> bool:
    return 0 <= number < 2**64


@functools.cache
def _names(module: str) -> frozenset[str]:
    return frozenset(_NAMES.get(module, "").split())


def _check_node(node: dict[str, Any]) -> None:
    # Keras takes any dict with a class name for an object.
    if "class_name" not in node:
        if "config" in node and ("module" in node or "registered_name" in node):
            raise WireError("a part of a Keras model without a class")
        return
    name, module, config = node["class_name"], node.get("module"), node.get("config")
    if type(name) is not str:
        raise WireError("a part of a Keras model without a class")
    if name in _TENSOR_KEYS:
        if type(config) is not dict or not set(config) <= _TENSOR_KEYS[name] or module is not None:
            raise WireError(f"a {name} of a form that Keras does not write")
        return
    registered = node.get("registered_name")
    if name == "function":
        if module not in _FUNCTION_MODULES or config not in FUNCTIONS.split():
            raise WireError(f"the function {_short(config)} is not one of Keras's own")
        if registered not in (None, "function", config):
            raise WireError(f"the registered name {_short(registered)} is not one of Keras's own")
        return
    if type(module) is not str or not is_known(module, name):
        raise WireError(f"{_short(name)} is not on the list of Keras's own layers and parts")
    if registered not in (None, name):
        raise WireError(f"the registered name {_short(registered)} is not one of Keras's own")
    if type(config) is not dict or not set(node) <= _NODE_KEYS:
        raise WireError(f"a {name} of a form that Keras does not write")


def _short(value: Any) -> str:
    return str(value)[:60]
