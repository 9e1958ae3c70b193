"""Which names of a notebook stand for the student's values, and which are the author's own.

Only names that the instructor's notebook first binds in an answer cell are the student's. Imports
and locked cells belong to the examiner; any other name in a test cell is a mistake of the author,
found here before anybody is graded.
"""

import ast
import builtins
import dataclasses
import re
import symtable
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

# What IPython puts into every notebook.
_GIVEN = {
    *dir(builtins),
    *("get_ipython", "display", "In", "Out", "exit", "quit", "_", "__", "___", "_i", "_ii", "_iii"),
    *("_ih", "_oh", "_dh", "__name__", "__file__", "__doc__", "__annotations__"),
}
# Magics whose cell is ordinary Python.
_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")
_TIMED = re.compile(r"^(\s*)%time\s+", re.MULTILINE)


class NamesError(Exception):
    """A test cell uses a name that nothing stands for; the message says where and what to do."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A code cell of the instructor's notebook, seen as a place where names come from.

    Attributes
    ----------
    name : str
        Its ``grade_id``, or where it stands.
    kind : {"answer", "test", "locked", "open"}
        Open are cells that students may change and that earn nothing.
    source : str
        Its text; with the solution, if it is an answer.
    """

    name: str
    kind: str
    source: str


@dataclasses.dataclass(frozen=True)
class Names:
    """What :func:`instructor_names` found.

    Attributes
    ----------
    student : tuple of str
        Names that stand for the student's values, sorted.
    prelude : str
        Import statements of all cells, one a line.
    errors : tuple of str
        One sentence for each name that nothing stands for.
    warnings : tuple of str
        What had to be guessed.
    """

    student: tuple[str, ...]
    prelude: str
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Bindings:
    """Names of one cell.

    Attributes
    ----------
    bound, free : frozenset of str
        Names that the cell binds, and names that it looks up.
    imported : frozenset of str
        Of the bound ones, those that an import binds.
    imports : tuple of str
        Its import statements.
    star : bool
        Whether one of them is ``from … import *``.
    """

    bound: frozenset[str]
    free: frozenset[str]
    imported: frozenset[str]
    imports: tuple[str, ...]
    star: bool


def cell_kind(about: Mapping[str, Any]) -> str:
    """Tell ``answer``, ``test``, ``locked`` and ``open`` cells apart by what nbgrader notes."""
    if about.get("solution"):
        return "answer"
    if about.get("grade"):
        return "test"
    return "locked" if about.get("locked") else "open"


def cells_of(notebook: Mapping[str, Any], tested: Mapping[str, str] | None = None) -> list[Cell]:
    """Code cells of an instructor's notebook.

    Parameters
    ----------
    notebook : mapping
        The notebook, format 4.
    tested : mapping of str to str, optional
        Name → source for cells whose text is not that of the notebook (the gradebook's).
    """
    cells = []
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        about = cell["metadata"].get("nbgrader") or {}
        kind = cell_kind(about)
        name = about.get("grade_id") or f"number {number}"
        source = cell["source"]
        source = source if isinstance(source, str) else "".join(source)
        if kind in ("test", "locked"):
            source = (tested or {}).get(name, source)
        cells.append(Cell(name, kind, source))
    return cells


def instructor_names(cells: Iterable[Cell], *, complete: bool = True) -> Names:
    """Decide for every name of the test cells whose it is.

    Parameters
    ----------
    cells : iterable of Cell
        Code cells of the instructor's notebook, in order.
    complete : bool
        Whether the answer cells hold the solutions. If not, a name that nothing binds is taken for
        the student's, with a warning.

    Returns
    -------
    Names
    """
    student: set[str] = set()
    ours: set[str] = set()  # locked and test cells so far
    opened: set[str] = set()
    imports: list[str] = []
    errors: list[str] = []
    warnings: list[str] = []
    studied = [(cell, bindings(cell.source)) for cell in cells]
    # Imports hold for the whole notebook, wherever they stand.
    imported = {name for _, found in studied for name in found.imported}
    unlimited = any(found.star for _, found in studied)
    known = {**{name: "later" for _, found in studied for name in found.bound}}
    for cell, found in studied:
        imports += [line for line in found.imports if line not in imports]
        if cell.kind == "answer":
            student |= found.bound - found.imported - ours
            continue
        if cell.kind == "open":
            opened |= found.bound
            continue
        if cell.kind == "test" and not unlimited:
            unknown = found.free - found.bound - ours - student - imported - _GIVEN
            for name in sorted(unknown):
                if name in opened:
                    errors.append(
                        f"test cell {cell.name!r} uses {name!r}, which only a cell binds that "
                        "students may change: lock that cell, or bind the name in the test cell"
                    )
                elif not complete:
                    student.add(name)
                    warnings.append(
                        f"test cell {cell.name!r} uses {name!r}: taken for the student's, because "
                        "the instructor's notebook with the solutions is not there"
                    )
                else:
                    where = "only a later cell binds" if name in known else "no cell binds"
                    errors.append(
                        f"test cell {cell.name!r} uses {name!r}, which {where}: bind it in an "
                        "answer cell, in a locked cell before the test, or in the test cell itself"
                    )
        ours |= found.bound - student
    return Names(tuple(sorted(student)), "\n".join(imports), tuple(errors), tuple(warnings))


def bindings(source: str) -> Bindings:
    """Names that a cell binds and looks up; none where its text is no Python."""
    text = plain_python(source)
    try:
        tree = ast.parse(text)
        table = symtable.symtable(text, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError):
        # A cell in another language, or one that shows a syntax error on purpose.
        return Bindings(frozenset(), frozenset(), frozenset(), (), False)
    bound: set[str] = set()
    free: set[str] = set()
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            bound.add(symbol.get_name())
        elif symbol.is_referenced():
            free.add(symbol.get_name())
    for inner in _inside(table):
        for symbol in inner.get_symbols():
            name = symbol.get_name()
            if not symbol.is_global():
                continue
            if symbol.is_declared_global() and (symbol.is_assigned() or symbol.is_imported()):
                bound.add(name)
            elif symbol.is_referenced():
                free.add(name)
    bound |= _walrus_names(tree.body)
    statements = list(_import_statements(tree.body))
    imported = {
        (alias.asname or alias.name.split(".")[0])
        for statement in statements
        for alias in statement.names
        if alias.name != "*"
    }
    return Bindings(
        bound=frozenset(bound),
        free=frozenset(free),
        imported=frozenset(imported),
        imports=tuple(ast.unparse(statement) for statement in statements),
        star=any(alias.name == "*" for statement in statements for alias in statement.names),
    )


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inside(child)


def _walrus_names(body: Iterable[ast.AST]) -> set[str]:
    """Names that ``:=`` binds for the whole cell, also from within a comprehension."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.NamedExpr) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        found |= _walrus_names(ast.iter_child_nodes(node))
    return found


def _import_statements(body: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that run when the cell does: also below ``if``, ``try`` and ``with``."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            if not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
                yield statement
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                yield from _import_statements(getattr(statement, part, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _import_statements(handler.body)


def plain_python(source: str) -> str:
    """Turn IPython's own syntax (``%magic``, ``!command``, ``name?``) into Python."""
    text = source.lstrip()
    if text.startswith(_PYTHON_MAGICS):
        source = text.partition("\n")[2]
    elif text.startswith("%%"):
        return ""
    source = _TIMED.sub(r"\1", source)
    try:
        return TransformerManager().transform_cell(source)
    except (SyntaxError, RecursionError):
        return source
