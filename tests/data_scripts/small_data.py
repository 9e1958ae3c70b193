"""Small arrays, their catalogue entries and their containers."""

import io
import re

import h5py
import numpy as np
from PIL import Image

from data_scripts.catalogue import Expected
from data_scripts.digests import digest
from data_scripts.sheets import to_sheet


def noise(seed, *shape, high=256):
    return np.random.default_rng(seed).integers(0, high, shape).astype("uint8")


def expected(arrays):
    return {name: Expected(array.shape, digest(array)) for name, array in arrays.items()}


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def webp(images, columns=10):
    stream = io.BytesIO()
    Image.fromarray(to_sheet(images, columns)).save(stream, "WEBP", lossless=True)
    return stream.getvalue()


def is_one_sentence(text):
    """One line that ends with a full stop and has none inside before a capital letter."""
    return text.endswith(".") and "\n" not in text and not re.search(r"[.!?] +[A-Z]", text)


def weights_file(path, layers):
    """Write weights as Keras has written them since its beginning.

    ``layers``: by name of a layer, its arrays in order.
    """
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            group = file.create_group(name)
            names = [f"{name}/weight_{number}:0" for number in range(len(arrays))]
            group.attrs["weight_names"] = [weight.encode() for weight in names]
            for weight, array in zip(names, arrays, strict=True):
                group.create_dataset(weight, data=array)
    return path
