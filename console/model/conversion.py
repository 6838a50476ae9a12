"""Plain parsed values (TOML tables, lists, scalars) into the typed dataclasses of `configuration`.

Not msgspec: it lets unknown keys of a dataclass pass, its messages can show the offending value, which may be a
secret, and beside the console's other imports it costs a start 4 ms; this costs 3.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from console.model.configuration import Secret, Withheld

T = TypeVar("T")
KeyPath = tuple[str | int, ...]
"""Where a value stands: names of tables and keys, positions in lists."""

MANY_LINES = frozenset({"sql", "query"})
"""Settings that are statements: people write those on several lines."""
_WORDS = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


class Misfit(Exception):
    """A value that does not fit: where, what is wrong, what to write. None of the three shows what may be secret."""

    def __init__(self, path: KeyPath, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.path = path
        self.problem = problem
        self.fix = fix


def convert(
    value: object,
    kind: type[T],
    path: KeyPath = (),
    *,
    given: Mapping[str, object] | None = None,
    beside: Collection[str] = (),
) -> T:
    """`value` as the dataclass `kind`; `given` are fields that the text does not hold. `beside` are settings that the
    same table may hold and that are read elsewhere: suggested too. Raises `Misfit`."""
    return typing.cast(T, _table(value, kind, path, given or {}, beside))


def as_key(path: KeyPath) -> str:
    """The path as people write it: `environments.production.rules[1].series`."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")


@functools.cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """Each field's type and whether it must be given."""
    hints = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(kind)
    }


def _table(
    value: object, kind: Any, path: KeyPath, given: Mapping[str, object], beside: Collection[str] = ()
) -> object:
    if not isinstance(value, dict):
        raise Misfit(path, "this must be a table", f"write it as [{as_key(path)}] with its keys below it")
    fields = {name: field for name, field in _fields(kind).items() if name not in given}
    for name in value:
        if name not in fields:
            raise Misfit((*path, name), f"{name!r} is not a setting here", _suggestion(name, (*fields, *beside)))
    for name, (_, required) in fields.items():
        if required and name not in value:
            raise Misfit((*path, name), "this is required", f"add {name} = … to [{as_key(path)}]")
    return kind(**given, **{name: _any(part, fields[name][0], (*path, name)) for name, part in value.items()})


def _suggestion(name: str, fields: Collection[str]) -> str:
    import difflib  # only a wrong file pays for it

    near = difflib.get_close_matches(name, fields, n=1)
    return f"did you mean {near[0]}?" if near else f"remove it; possible are: {', '.join(sorted(fields))}"


def _any(value: object, kind: Any, path: KeyPath) -> object:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional(value, kind, path)
    if origin is tuple:
        return _tuple(value, typing.get_args(kind)[0], path)
    if origin is Mapping:
        return _mapping(value, typing.get_args(kind)[1], path)
    if origin is typing.Literal:
        return _choice(value, typing.get_args(kind), path)
    return _table(value, kind, path, {}) if dataclasses.is_dataclass(kind) else _scalar(value, kind, path)


def _optional(value: object, kind: Any, path: KeyPath) -> object:
    """`X | None`. TOML has no null: `egress = false` switches a whole table off."""
    inner = next(part for part in typing.get_args(kind) if part is not type(None))
    return None if value is False and dataclasses.is_dataclass(inner) else _any(value, inner, path)


def _tuple(value: object, kind: Any, path: KeyPath) -> tuple[object, ...]:
    if not isinstance(value, list):
        table = dataclasses.is_dataclass(kind)
        fix = f"write [[{as_key(path)}]]" if table else "put it into square brackets"
        raise Misfit(path, "this must be a list", fix)
    return tuple(_any(part, kind, (*path, position)) for position, part in enumerate(value))


def _mapping(value: object, kind: Any, path: KeyPath) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Misfit(path, "this must be a table", f"write it as [{as_key(path)}] with its keys below it")
    return {name: _any(part, kind, (*path, name)) for name, part in value.items()}


def _choice(value: object, choices: tuple[object, ...], path: KeyPath) -> object:
    if value not in choices:
        raise Misfit(path, "this is not one of its values", f"write one of: {', '.join(map(repr, choices))}")
    return value


def _scalar(value: object, kind: Any, path: KeyPath) -> object:
    if kind is Secret:
        return Secret(value if isinstance(value, Withheld) else _text(value, path))
    if isinstance(value, Withheld):
        raise Misfit(path, "a variable is not set that is no secret", "write the value itself into radar.toml")
    if kind is str:
        return _text(value, path)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise Misfit(path, f"this must be {_WORDS[kind]}", f"write {_WORDS[kind]}")
    return value


def _joined(value: str) -> str:
    """A statement as it would stand on one line: tabs and line ends are blanks."""
    return re.sub(r"[\t\n]|\r\n", " ", value)


def _text(value: object, path: KeyPath) -> str:
    if not isinstance(value, str):
        raise Misfit(path, "this must be a text", "put it into double quotes")
    if not value.strip():
        raise Misfit(path, "this is empty", "write a value, or remove the line")
    if not (_joined(value) if path and path[-1] in MANY_LINES else value).isprintable():
        raise Misfit(path, "this holds a line break or a control character", "write it on one line, as plain text")
    return value
