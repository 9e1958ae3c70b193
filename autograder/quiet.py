"""The lines that TensorFlow writes while it starts: nothing that a lesson's reader can use."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Import Keras and TensorFlow without the lines that they write to the error stream.

    ``TF_CPP_MIN_LOG_LEVEL`` is set to 2 unless it is set; one line about fast kernels, written by
    C++ code past Python's streams, no setting silences, so file descriptor 2 leads nowhere until
    the context ends. An exception leaves the context as usual, with its traceback.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    screen, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nowhere)
