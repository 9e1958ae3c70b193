"""Make the embedded paintings from the files of the mirror.

::

    COURSE_DATA_MIRROR=../shared/data python -m data_scripts.make_paintings

The mirror's ``images/`` has them as they are at Wikimedia Commons, in a smaller version. Each is
brought to a shorter side of 256 pixels and written as WebP, with loss: below 40 kB. Another version
of Pillow may write other bytes that look the same; the script then says that the digest differs.
"""

import hashlib
import io

import numpy as np
from PIL import Image

from data_scripts.embedding import EMBEDDED
from data_scripts.paintings import PAINTINGS, larger_copy

SHORTER_SIDE = 256
QUALITY = 80


def pack(content: bytes) -> bytes:
    """Shrink a picture to a shorter side of 256 pixels; bytes of a WebP file."""
    with Image.open(io.BytesIO(content)) as opened:
        image = opened.convert("RGB")
    factor = SHORTER_SIDE / min(image.size)
    size = (round(image.width * factor), round(image.height * factor))
    stream = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(stream, "webp", quality=QUALITY, method=6)
    return stream.getvalue()


def main() -> None:
    """Write every painting and print the digest of its file."""
    folder = EMBEDDED / "paintings"
    folder.mkdir(parents=True, exist_ok=True)
    for name, painting in PAINTINGS.items():
        path = larger_copy(painting)
        if path is None:
            raise SystemExit(
                f"COURSE_DATA_MIRROR names no folder with images/{painting.original} in it; "
                "expected the mirror with the paintings"
            )
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != painting.original_sha256:
            raise SystemExit(f"{path} is not the file that is catalogued")
        packed = pack(content)
        (folder / f"{name}.webp").write_bytes(packed)
        received = hashlib.sha256(packed).hexdigest()
        verdict = "ok" if received == painting.sha256 else f"expected {painting.sha256}"
        with Image.open(io.BytesIO(packed)) as image:
            shape = np.array(image).shape
        print(f"{name}: {shape}, {len(packed):,} bytes, sha256 {received}, {verdict}")


if __name__ == "__main__":
    main()
