"""The values that may cross between the two rooms, and nothing else.

A message is `msgpack <https://msgpack.org>`_ without maps and extension types: None, booleans,
64-bit integers, floats, text and bytes stand for themselves, everything else is an array that
begins with a tag. There is no way to write down code, a class, or an attribute of anything.

What becomes of a value:

======================================  ========================================================
kind                                    after crossing
======================================  ========================================================
None, bool, int, float, complex,        the same, to the last bit (nan, -0.0, lone surrogates)
str, bytes, bytearray, range, slice,
Ellipsis
list, tuple, dict, set, frozenset       the same, copied; a dict keeps its order
Fraction, Decimal                       the same
date, time, datetime, timedelta         the same; a time zone becomes a fixed offset from UTC
pathlib.Path                            ``PurePath``: a name, without access to files
NumPy array                             the same dtype, shape and values, in C order, writable
NumPy scalar, ``np.dtype``              the same
array of objects                        the same, if every element may cross
TensorFlow tensor, Keras variable,      a tensor where TensorFlow is loaded, else an array
``tf.Variable``
``tf.TensorShape``, ``tf.DType``        ``tuple``, ``np.dtype``
``array.array``, ``memoryview``         NumPy array
built-in type, NumPy scalar type        the same, from a list of allowed names
subclass of one of these                the built-in type it extends: a named tuple becomes a
                                        tuple, an ``OrderedDict`` a dict, an ``IntEnum`` an int, a
                                        matrix an array; a masked array only if nothing is masked
anything else                           decided by the hooks that the rooms give (stand-ins,
                                        models); without them a :class:`WireError`
======================================  ========================================================

One object in two places arrives as two; an object that contains itself does not cross. Sizes,
nesting and the number of items are bounded on both sides, and the decoder believes no size before
it has seen that many bytes. It raises nothing but :class:`WireError`.
"""

from autograder.wire.decoding import decode
from autograder.wire.encoding import encode
from autograder.wire.kinds import Limits, WireError

__all__ = ["Limits", "WireError", "decode", "encode"]
