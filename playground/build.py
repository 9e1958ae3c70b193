"""Make the playground's notebooks from their texts.

::

    python -m playground.build

reads ``texts/NAME.py``, a text in jupytext's percent format, and writes ``NAME.ipynb`` beside this
file: without outputs, and the same bytes every time. Edit the texts, never the notebooks.
"""

import argparse
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
COMMAND = "python -m playground.build"
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


def built(text: Path) -> str:
    """Turn a text into the notebook's JSON.

    Parameters
    ----------
    text : pathlib.Path
        In jupytext's percent format.

    Returns
    -------
    str
    """
    notebook = jupytext.reads(text.read_text(encoding="utf-8"), fmt="py:percent")
    for number, cell in enumerate(notebook.cells, start=1):
        cell["id"] = f"{text.stem.replace('_', '-')}-{number}"
        cell["metadata"] = {}
    notebook["metadata"] = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def stale(folder: Path = HERE) -> list[Path]:
    """Return the notebooks that are not what their texts give, or are missing."""
    return [
        folder / f"{text.stem}.ipynb"
        for text in sorted((folder / "texts").glob("*.py"))
        if not (folder / f"{text.stem}.ipynb").exists()
        or (folder / f"{text.stem}.ipynb").read_text(encoding="utf-8") != built(text)
    ]


def main() -> int:
    """Write what has changed, or only look."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Make the playground's notebooks from playground/texts.",
        epilog=f"Example: {COMMAND} --check   looks whether they are fresh, and writes nothing.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if one is stale")
    options = parser.parse_args()
    changed = stale()
    for notebook in changed:
        if options.check:
            print(f"{notebook.name} is not what its text gives: run {COMMAND}")
        else:
            notebook.write_text(built(HERE / "texts" / f"{notebook.stem}.py"), encoding="utf-8")
            print(f"{notebook.name}: written")
    if not changed:
        print("All notebooks of the playground are fresh.")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
