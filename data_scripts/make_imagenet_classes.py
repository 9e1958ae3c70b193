"""Make the embedded table of ImageNet's 1,000 classes from the one that Keras publishes.

Fetch the file and run this script on it::

    python -m data_scripts.make_imagenet_classes imagenet_class_index.json

It compares the file with the checksum that Keras states, puts spaces for underscores, tells apart
the classes that share a name, and writes a line for each label: WordNet's identifier, a tab, the
name. ``--check`` writes nothing and compares only. The text comes out the same every time.
"""

import argparse
import hashlib
import json
from pathlib import Path

from data_scripts.embedding import EMBEDDED
from data_scripts.imagenet import CLASSES

MD5 = "c2c37ea517e94d9795004a39431a14cb"

SHARED = {
    134: "crane (bird)",
    517: "crane (machine)",
    639: "maillot (tank suit)",
}


def table(content: bytes) -> str:
    """Turn Keras's table into lines of text.

    Parameters
    ----------
    content : bytes
        JSON: a dictionary of labels, each with an identifier and a name.

    Returns
    -------
    str
        A line for each label.
    """
    classes = json.loads(content)
    rows = []
    for label in range(len(classes)):
        identifier, name = classes[str(label)]
        rows.append(f"{identifier}\t{SHARED.get(label, name.replace('_', ' '))}\n")
    return "".join(rows)


def main() -> int:
    """Write the embedded table and print its digest."""
    parser = argparse.ArgumentParser(prog="python -m data_scripts.make_imagenet_classes")
    parser.add_argument("source", type=Path, help="imagenet_class_index.json")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()

    content = options.source.read_bytes()
    received = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if received != MD5:
        print(f"{options.source} has MD5 {received}, expected {MD5}; nothing was written")
        return 1
    text = table(content).encode("utf-8")
    path = EMBEDDED / CLASSES.path
    if not options.check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        print(path)
    received = hashlib.sha256(text).hexdigest()
    right = received == CLASSES.sha256
    print(
        f"imagenet: {len(text.splitlines())} classes, sha256 {received}, "
        f"{'ok' if right else f'expected {CLASSES.sha256}'}"
    )
    return int(not right)


if __name__ == "__main__":
    raise SystemExit(main())
