"""Compare gradebooks and graded folders, whatever database and whatever order they came in."""

import json
import stat
from pathlib import Path

from sqlalchemy import create_engine, inspect, text


def dump(db_url: str) -> dict[str, list[tuple]]:
    """Every table of a gradebook as sorted rows, random ids replaced by the names behind them."""
    engine = create_engine(db_url)
    with engine.connect() as connection:
        tables = {
            name: [
                dict(row._mapping) for row in connection.execute(text(f'SELECT * FROM "{name}"'))
            ]
            for name in inspect(engine).get_table_names()
            if name != "alembic_version"
        }
    engine.dispose()
    names: dict[str, str] = {}
    for table in ("course", "student"):
        names.update({row["id"]: row["id"] for row in tables[table]})
    for table in ("assignment", "notebook", "base_cell", "source_cell"):
        for row in tables[table]:
            above = row.get("notebook_id") or row.get("assignment_id") or row.get("course_id")
            names[row["id"]] = f"{names.get(above, above)}/{row['name']}"
    for row in tables["submitted_assignment"]:
        names[row["id"]] = f"{names[row['assignment_id']]} by {row['student_id']}"
    for row in tables["submitted_notebook"]:
        names[row["id"]] = f"{names[row['notebook_id']]} in {names[row['assignment_id']]}"
    for table in ("grade", "comment"):
        for row in tables[table]:
            names[row["id"]] = f"{names[row['cell_id']]} of {names[row['notebook_id']]}"
    return {
        table: sorted(
            (
                tuple(sorted((key, _shown(names, key, value)) for key, value in row.items()))
                for row in rows
            ),
            key=repr,
        )
        for table, rows in tables.items()
    }


def _shown(names, key, value):
    if isinstance(value, str) and value in names:
        return names[value]
    if key == "flagged" or key.startswith("needs_") or key == "locked":
        return None if value is None else bool(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None if value is None else str(value).removesuffix(".000000")


def graded_tree(folder: Path) -> dict[str, object]:
    """Every file below ``autograded/``: mode, and content without what differs by the clock."""
    tree = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".ipynb":
                notebook = json.loads(content)
                notebook["metadata"]["autograder"].pop("seconds")
                content = notebook
            tree[str(path.relative_to(folder))] = (stat.S_IMODE(path.stat().st_mode), content)
    return tree
