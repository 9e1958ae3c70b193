"""A disguise does not show in the tokens, a different computation does."""

import ast
import random

import pytest

from autograder.similarity.tokens import Alphabet, code_tokens, imported_names, prose_tokens
from tests.autograder.similarity.planted import disguise

PLAIN = '''
def area(kernel, use_bias=True):
    """Say how large it is."""
    height, width = kernel  # two numbers
    total = height * width + 2
    return total, np.sum(kernel, axis=0), "a message with blanks"
'''


def words(source):
    return code_tokens(source, frozenset({"np"})).words


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("height", "h").replace("total", "result").replace("kernel", "k"),
        PLAIN.replace("use_bias", "with_bias").replace("area", "size"),
        PLAIN.replace("# two numbers", "# quite another comment"),
        PLAIN.replace('    """Say how large it is."""\n', ""),
        PLAIN.replace("    ", "\t").replace(" = ", "="),
        PLAIN.replace("height * width + 2", "(height * width) + (2)"),
        PLAIN.replace("+ 2", "+ 2.0").replace('"a message with blanks"', "'other words again'"),
        PLAIN.replace("axis=0)", "axis=0,)"),
    ],
)
def test_what_a_copier_changes_makes_no_difference(other):
    assert other != PLAIN
    assert words(other) == words(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("+ 2", "- 2"),
        PLAIN.replace("+ 2", "+ 3"),
        PLAIN.replace("np.sum", "np.mean"),
        PLAIN.replace("axis=", "dtype="),
        PLAIN.replace("height * width", "max(height, width)"),
    ],
)
def test_another_computation_makes_a_difference(other):
    assert other != PLAIN
    assert words(other) != words(PLAIN)


def test_every_token_knows_where_it_stood():
    tokens = code_tokens(PLAIN)
    texts = [PLAIN[start:end] for start, end in tokens.spans]
    assert texts[:4] == ["def", "area", "(", "kernel"]
    assert '"a message with blanks"' in texts
    assert len(tokens.words) == len(tokens.spans)
    assert list(tokens.spans) == sorted(tokens.spans)


@pytest.mark.parametrize(
    "source", ["", "def broken(:\n  x = ((", "%%time\n!ls", "'''never closed", "\x00 🙂 ) ) )"]
)
def test_text_that_is_no_python_is_cut_as_far_as_it_goes(source):
    tokens = code_tokens(source)
    assert all(0 <= start < end <= len(source) for start, end in tokens.spans)


def test_a_disguise_leaves_the_meaning():
    source = "def f(a, b=2):\n    x = a + b\n    y = a * b\n    return x - y"
    other = disguise(source, random.Random(0))
    assert other.index("b_value") < other.index("y_value") < other.index("x_value")
    results = []
    for text in (source, other):
        space = {}
        exec(compile(ast.parse(text), "answer", "exec"), space)
        results.append(space["f"](5, 3))
    assert results == [-7, -7]


def test_words_of_a_text():
    assert prose_tokens("The Curve\n\n- falls by 30%").words == (
        "the",
        "curve",
        "falls",
        "by",
        "30",
    )
    assert prose_tokens("卷积 conv").words == ("卷", "积", "conv")


def test_imports_and_letters():
    sources = ["import numpy as np\nfrom keras import layers, ops as o", "def broken("]
    assert imported_names(sources) == {"np", "layers", "o"}
    letters = Alphabet()
    assert len(letters.write(["a", "bcd", "a"])) == 3
    assert letters.write(["a"]) == letters.write(["a", "x"])[0] != letters.write(["bcd"])
