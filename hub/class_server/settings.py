"""Settings of the class server: one TOML file, checked before the hub starts."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

DEFAULT = Path("/etc/course-hub/settings.toml")
PROXY, HUB = "proxy", "hub"
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_MEMORY = re.compile(r"[1-9]\d*[KMGT]?")


class SettingsError(Exception):
    """A setting is wrong or missing; the message says which, and what was expected."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What differs from one class server to another; ``settings.example.toml`` explains each."""

    course: str
    instructor: str
    course_root: str
    exchange: str
    state: str
    students: str
    instructors: str
    repository: str
    branch: str
    tls: str
    certificate: str
    key: str
    memory: str
    processors: float
    processes: int
    servers: int
    idle_minutes: int

    def __post_init__(self) -> None:
        for name in ("course", "instructor", "students", "instructors"):
            self._expect(name, _NAME.fullmatch(getattr(self, name)), "a name in small letters")
        for name in ("course_root", "exchange", "state"):
            self._expect(name, getattr(self, name).startswith("/"), "an absolute path")
        self._expect("tls", self.tls in (PROXY, HUB), f"{PROXY!r} or {HUB!r}")
        if self.tls == HUB:
            for name in ("certificate", "key"):
                self._expect(name, getattr(self, name).startswith("/"), "the path of a file")
        self._expect("memory", _MEMORY.fullmatch(self.memory), "a size such as '2500M'")
        for name in ("processors", "processes", "servers", "idle_minutes"):
            self._expect(name, getattr(self, name) > 0, "more than 0")

    def _expect(self, name: str, good: object, what: str) -> None:
        if not good:
            raise SettingsError(f"{name} = {getattr(self, name)!r}: expected {what}")

    @classmethod
    def read(cls, path: Path = DEFAULT) -> "Settings":
        """Read a file of settings.

        Raises
        ------
        SettingsError
            If it is missing, is no TOML, or a setting is wrong, missing or unknown.
        """
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} is no TOML: {error}") from None
        kinds = {field.name: field.type for field in dataclasses.fields(cls)}
        for name in given.keys() - kinds.keys():
            raise SettingsError(f"{path}: {name!r} is no setting; there are {', '.join(kinds)}")
        for name in kinds.keys() - given.keys():
            raise SettingsError(f"{path}: {name!r} is missing; see settings.example.toml")
        for name, kind in kinds.items():
            given[name] = _converted(path, name, given[name], kind)
        try:
            return cls(**given)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None


def _converted(path: Path, name: str, value: Any, kind: Any) -> Any:
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise SettingsError(f"{path}: {name} = {value!r}: expected a {kind.__name__}")
    return value
