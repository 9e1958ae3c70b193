"""The standard library as text: code here, prose there, nothing lost, nothing in both."""

import pytest

from data_scripts.errors import DataError
from data_scripts.standard_library import code_and_prose, read_standard_library

FILE = '''#!/usr/bin/env python
"""Count  things.

>>> count([1])
1
"""
import os  # the system's


def größe(x): "How large ü."; return f"{x} # no comment {'é'}"


class Box:
    """A box
    with lines."""

    text = """no docstring # here"""

    async def open(self):
        # Slowly.
        return self.text  # é: at once
'''


def test_docstrings_and_comments_are_prose_and_the_rest_is_code():
    code, prose = code_and_prose(FILE)
    assert prose == (
        "/usr/bin/env python Count things. 1 the system's How large ü. A box with lines. "
        "Slowly. é: at once"
    )
    assert code == (
        "import os def größe(x): ; return f\"{x} # no comment {'é'}\" class Box: "
        'text = """no docstring # here""" async def open(self): return self.text'
    )


def test_a_file_without_prose_is_all_code():
    assert code_and_prose("x = 1\n") == ("x = 1", "")


def test_reads_this_python_s_library_the_same_every_time():
    some = read_standard_library(12)
    assert len(some) == 12
    assert some == read_standard_library(20)[:12]
    assert len({source.name for source in some}) == 12
    for source in some:
        assert min(len(source.code), len(source.prose)) >= 400
        assert not {"test", "site-packages"} & set(source.name.split("/"))
        assert "\n" not in source.code + source.prose
        assert "  " not in source.code + source.prose


def test_passes_over_what_is_short_broken_or_no_library_of_python_s(tmp_path):
    long = '"""' + "word " * 100 + '"""\n' + "x = 1\n" * 100
    (tmp_path / "site-packages").mkdir()
    for name, content in (
        ("good.py", long),
        ("short.py", '"""Word."""\nx = 1\n'),
        ("broken.py", long + "def (:\n"),
        ("site-packages/other.py", long),
    ):
        (tmp_path / name).write_text(content)
    (tmp_path / "latin.py").write_bytes(long.replace("word", "w\xf6rd").encode("latin-1"))
    assert [source.name for source in read_standard_library(folder=tmp_path)] == ["good.py"]


def test_says_in_one_sentence_that_there_is_no_source(tmp_path):
    with pytest.raises(DataError, match="no source text") as caught:
        read_standard_library(folder=tmp_path)
    message = str(caught.value)
    assert message.endswith(".")
    assert ". " not in message
