"""JSON from outside, read without trust: any field may be missing, null or of another type."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Never

from console.model.observation import Json
from console.model.text import clean

FLOAT_TIME_LIMIT_MS = 253_402_300_799_000  # the last second of the year 9999


class Unreadable(ValueError):
    """The bytes are no JSON; the text says why, without quoting them."""


def decode_json(body: bytes) -> Json:
    """The value in `body`. Raises `Unreadable` for anything else, NaN and bottomless nesting included."""
    try:
        value: Json = json.loads(body, parse_constant=_refuse)
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except ValueError:  # also undecodable bytes and numbers of thousands of digits
        raise Unreadable("the answer is no JSON" if body.strip() else "the answer is empty") from None
    return value


def decoded(body: bytes) -> Json:
    """`decode_json`; None for what is none, empty or cut off."""
    try:
        return decode_json(body)
    except Unreadable:
        return None


def mapping(value: object, *path: str) -> Mapping[str, Json]:
    """The object at `path` below `value`, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: object, *path: str) -> Sequence[Json]:
    """The list at `path` below `value`, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, list) else ()


def text(value: object, *path: str, limit: int = 200) -> str | None:
    """The text at `path`, clean and on one line; a number is given as text; None for anything else or empty."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return clean(str(found), limit) or None


def number(value: object, *path: str) -> float | None:
    """The finite number at `path`; None for anything else, booleans and digits in quotes included."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if abs(found) < 1e300 and math.isfinite(found) else None


def flag(value: object, *path: str) -> bool | None:
    """The boolean at `path`; None, which is unknown, for anything else."""
    found = at(value, *path)
    return found if isinstance(found, bool) else None


def time_ms(value: object, *path: str) -> int | None:
    """The time at `path` in ms since the epoch: ISO 8601 text (UTC where no zone is given), or a number of ms."""
    found = at(value, *path)
    if isinstance(found, str):
        return iso_ms(found)
    amount = number(found)
    return int(amount) if amount is not None and 0 < amount <= FLOAT_TIME_LIMIT_MS else None


def iso_ms(written: str) -> int | None:
    """ISO 8601 text as ms since the epoch; None when it is no time."""
    try:
        moment = datetime.fromisoformat(written.strip()[:40])
    except ValueError:
        return None
    try:
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (OverflowError, ValueError):
        return None


def at(value: object, *path: str) -> Json:
    """What lies at `path` below `value`; None where the path ends early."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else None


def _refuse(constant: str) -> Never:
    raise ValueError(constant)  # NaN and Infinity are no JSON, and SQLite's JSON would refuse them later
