"""Whose a name is: the student's, the examiner's, or the author's mistake."""

import pytest

from autograder.assignment.names import Cell, cells_of, instructor_names


def find(*cells, **kwargs):
    return instructor_names([Cell(*cell) for cell in cells], **kwargs)


def test_names_of_answer_cells_are_the_student_s():
    found = find(
        ("s", "locked", "import numpy as np\nlimit = 3\ndef helper(): return deep\ndeep = 1"),
        ("a", "answer", "def double(n):\n    inner = 2\n    return inner * n\nlimit = 4"),
        ("t", "test", "small = np.zeros(limit)\nassert double(len(small)) == helper() and 6"),
        ("b", "answer", "small = 1\nother = 2"),
        ("u", "test", "assert small and other"),
    )
    # `limit` and `small` belong to cells of the instructor that stand before.
    assert found.student == ("double", "other")
    assert found.errors == ()
    assert found.prelude == "import numpy as np"


@pytest.mark.parametrize(
    "source",
    [
        "x = 1", "x: int = 1", "x += 1", "a, *x = 1, 2", "for x in []: pass", "(x := 1)",
        "with open('f') as x: pass", "def x(): pass", "class x: pass", "async def x(): pass",
        "def f():\n    global x\n    x = 1", "[(x := i) for i in range(3)]", "%time x = 3",
        "%%time\nx = 3", "!ls\nx = 1", "import this\nx = 1", "try:\n    x = 1\nexcept E: pass",
        "if a:\n    x = 1", "match 1:\n    case x: pass", "len?\nx = 1", "[x] = [1]",
    ],
)  # fmt: skip
def test_every_way_to_bind_a_name(source):
    assert "x" in find(("a", "answer", source), ("t", "test", "assert x")).student


@pytest.mark.parametrize("source", ["def f(x): pass", "[x for x in y]", "lambda x: x", "a.x = 1"])
def test_what_binds_nothing_for_the_notebook(source):
    found = find(("a", "answer", source), ("t", "test", "assert x"), complete=True)
    inlined = source.startswith("[")  # comprehensions share the cell's names from Python 3.12 on
    assert inlined or "x" not in found.student


def test_imports_belong_to_the_examiner_wherever_they_stand():
    found = find(
        ("a", "answer", "from math import tau as turn\ntry:\n    import json\nexcept E: pass"),
        ("t", "test", "assert turn and json and os.path"),
        ("o", "open", "import os.path"),
    )
    assert found.student == ()
    assert found.errors == ()
    assert found.prelude.splitlines() == [
        "from math import tau as turn", "import json", "import os.path",
    ]  # fmt: skip


def test_names_that_nothing_stands_for_are_the_author_s_mistake():
    found = find(
        ("o", "open", "experiment = 1"),
        ("t", "test", "assert experiment\nassert len([later, typo])\ndef f(): return deep"),
        ("s", "locked", "later = 1"),
    )
    said = "\n".join(found.errors)
    assert "'t' uses 'experiment', which only a cell binds that students may change" in said
    assert "'t' uses 'later', which only a later cell binds" in said
    assert "'t' uses 'typo', which no cell binds" in said
    assert "'t' uses 'deep', which no cell binds" in said
    assert len(found.errors) == 4


def test_what_a_notebook_has_anyway_is_no_mistake():
    found = find(("t", "test", "print(__name__, get_ipython(), display)\n[i for i in range(3)]"))
    assert found.errors == ()


def test_star_imports_switch_the_check_off():
    found = find(("s", "locked", "from math import *"), ("t", "test", "assert sin(tau)"))
    assert found.errors == ()


def test_without_the_solution_unknown_names_are_the_student_s():
    cells = [("a", "answer", "# your code"), ("t", "test", "assert answer == 42")]
    assert find(*cells, complete=True).errors
    found = find(*cells, complete=False)
    assert found.student == ("answer",)
    assert found.errors == ()
    assert "taken for the student's" in found.warnings[0]


def test_cells_in_other_languages_are_passed_over():
    found = find(("a", "answer", "%%bash\nx=1"), ("b", "answer", "def broken("), ("t", "test", "1"))
    assert found.student == ()


def test_the_gradebook_s_text_of_a_test_counts():
    notebook = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ""},
            {"cell_type": "code", "metadata": {}, "source": ["a = 1\n", "b = 2"]},
            {
                "cell_type": "code", "source": "old",
                "metadata": {"nbgrader": {"grade_id": "t", "grade": True, "points": 1}},
            },
        ]
    }  # fmt: skip
    cells = cells_of(notebook, {"t": "new"})
    assert [(cell.name, cell.kind, cell.source) for cell in cells] == [
        ("number 2", "open", "a = 1\nb = 2"),
        ("t", "test", "new"),
    ]
