"""Notebook structure and metadata: what a file claims about its own cells."""

import json

from tests.attacks.catalogue import GAINS, HARMS, NOTHING, UNTRIED, attack

TESTS = ("test_warmup", "test_double", "test_ranked", "test_total", "test_halved", "test_settings",
         "test_applied")  # fmt: skip


@attack("Tag the test cells `skip-execution`: a test that never runs earns full points.",
        plain=GAINS)  # fmt: skip
def tests_skipped_by_a_tag(sub):
    for name in TESTS:
        sub.cell(name)["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove_cell"]


@attack("Call the test cells text, so that they are not run.", plain=NOTHING)
def tests_become_text(sub):
    for name, kind in zip(TESTS[1:], ("markdown", "raw") * 3, strict=True):
        cell = sub.cell(name)
        cell["cell_type"] = kind
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
        cell["metadata"]["nbgrader"]["cell_type"] = kind


@attack("Leave the tests out.", plain=HARMS, alone=False)
def tests_deleted(sub):
    sub.notebook["cells"] = [
        cell for cell in sub.notebook["cells"] if cell["id"] not in TESTS[1:]
    ]  # fmt: skip


@attack("Rewrite the tests, unlock them, and say that they are answers worth many points.",
        plain=HARMS, alone=False)  # fmt: skip
def tests_rewritten(sub):
    for name in TESTS[1:]:
        cell = sub.cell(name)
        cell["source"] = "3.0"
        cell["metadata"]["nbgrader"] |= {
            "locked": False, "points": 1000, "solution": True, "checksum": "0" * 32,
        }  # fmt: skip
    sub.cell("double")["metadata"]["nbgrader"] |= {"grade": True, "points": 50}


@attack("Hand in each test twice, the second one being one's own.", plain=HARMS)
def tests_twice(sub):
    for name in TESTS[1:]:
        twin = sub.twin(name)
        twin["id"] = f"{name}-again"
        twin["source"] = "2.0"
        sub.notebook["cells"].insert(sub.index(name) + 1, twin)


@attack("Exchange names: an answer is called a test, and a test an answer.", plain=NOTHING)
def names_exchanged(sub):
    answer, test = sub.cell("ranked"), sub.cell("test_ranked")
    answer["metadata"]["nbgrader"], test["metadata"]["nbgrader"] = (
        test["metadata"]["nbgrader"],
        answer["metadata"]["nbgrader"],
    )
    test["source"] = "def ranked(values):\n    return []"


@attack("Put the tests before the cell that defines what they compare with.", plain=NOTHING)
def cells_in_another_order(sub):
    sub.notebook["cells"].reverse()


@attack("Carry the metadata of a future nbgrader: it stops the class and asks for an update.",
        plain=HARMS)  # fmt: skip
def schema_of_the_future(sub):
    for cell in sub.notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = 99


@attack("Metadata of wrong types everywhere.", plain=HARMS)
def metadata_of_wrong_types(sub):
    odd = [[], "text", 7, None, {"grade_id": ["double"]}, {"grade_id": {"a": 1}}]
    for cell, about in zip(sub.notebook["cells"], odd * 9, strict=False):
        if cell["id"] not in ("warmup", "test_warmup", "setup"):
            cell["metadata"]["nbgrader"] = about
    sub.notebook["metadata"] = {
        "kernelspec": {"name": "bash", "display_name": "bash", "language": "bash"},
        "language_info": {"name": "bash", "version": "9", "codemirror_mode": 7},
        "celltoolbar": "Create Assignment",
        "autograder": {"notes": ["$MARK"], "verdicts": {"test_double": {"points": 3}}},
    }


@attack("Write verdicts into the notebook's own metadata and outputs.", plain=HARMS, alone=False)
def verdicts_in_the_metadata(sub):
    for name in TESTS:
        verdict = {
            "exercise": name.removeprefix("test_"), "points": 3.0, "possible": 3.0, "remark": "",
            "hints": [], "findings": [],
        }  # fmt: skip
        about = sub.notebook["metadata"].setdefault("autograder", {"notes": [], "seconds": 0.1})
        about.setdefault("verdicts", {})[name] = verdict
        sub.cell(name)["outputs"] = [
            {"output_type": "execute_result", "execution_count": 1, "metadata": {},
             "data": {"text/plain": "3.0"}},
        ]  # fmt: skip
        sub.cell(name)["metadata"]["autograder"] = verdict
    sub.cell("reading")["metadata"]["nbgrader"] |= {"checksum": "x", "points": 99, "grade": False}


@attack("Twenty thousand cells.", plain=UNTRIED)
def very_many_cells(sub):
    for number in range(20_000):
        sub.notebook["cells"].append(
            {"cell_type": "code", "id": f"own{number}", "metadata": {}, "source": f"x = {number}",
             "outputs": [], "execution_count": None},
        )  # fmt: skip


@attack("A notebook nested a hundred thousand deep.", plain=HARMS)
def nested_json(sub):
    deep = "[" * 100_000 + "]" * 100_000
    text = json.dumps(sub.notebook)
    sub.raw = text.replace('"metadata": {', '"metadata": {"deep": ' + deep + ", ", 1).encode()


@attack("A notebook of 60 megabytes of spaces and surrogates.", plain=UNTRIED)
def huge_notebook(sub):
    sub.cell("double")["source"] += "\n# \ud800 \x00 $MARK" + " " * 60_000_000


@attack("Hand in lone surrogates, control characters, and names that look like paths.", plain=HARMS)
def odd_characters(sub):
    sub.answer("double", 'def double(number):\n    return "\\ud800\\x00" * 3  # \u202e\u0000\ud800')
    own = sub.own_cell("print('\ud800')", before="double")
    own["id"] = "../../x"
    for cell in (sub.cell("ranked"), sub.cell("total")):
        cell["id"] = "same"
