"""Make the commands start sooner without changing what any library does."""

import contextlib
import importlib
import sys
import types
from collections.abc import Iterator


@contextlib.contextmanager
def postponed_grammar() -> Iterator[None]:
    """Import jsonschema without the grammar that it builds for one rarely used format.

    jsonschema checks ``"format": "iri"`` with ``rfc3987_syntax``, which takes more than a second
    to import; no schema of Jupyter asks for it. Within this context jsonschema finds a stand-in
    that imports the real module at the first question, and gives its answer.
    """
    name = "rfc3987_syntax"
    if name in sys.modules or "jsonschema" in sys.modules:
        yield
        return

    def is_valid_syntax(term: str, value: str) -> bool:
        return importlib.import_module(name).is_valid_syntax(term, value)

    stand_in = types.ModuleType(name, postponed_grammar.__doc__)
    stand_in.is_valid_syntax = is_valid_syntax
    sys.modules[name] = stand_in
    try:
        import jsonschema  # noqa: F401
    finally:
        # Whoever imports it from now on gets the real one.
        del sys.modules[name]
    yield
