"""Whether the journal's runs are what the audit's entries of them say: `radar actions` shows the journal, and only the
audit is chained."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from console.model.actions import RunOutcome
from console.model.times import date_time
from console.model.words import counted
from console.store import audit, audited

BEGUN, RESUMED = "begun", "resumed"
ENDS = frozenset({str(outcome) for outcome in RunOutcome} - {RunOutcome.RUNNING, RunOutcome.INTERRUPTED})
SAME_MS = 5_000
"""Entries of an older version do not repeat the row's time: they were made within its transaction, some ms later."""

Row = Mapping[str, Any]


def differences(connection: sqlite3.Connection, entries: Iterable[audit.Entry]) -> tuple[tuple[str, ...], int]:
    """What the journal and the audit say differently, in words; and how many runs were compared."""
    told: dict[str, list[audit.Entry]] = {}
    for entry in entries:
        if token := _data(entry).get("run"):
            told.setdefault(str(token), []).append(entry)
    rows = _rows(connection)
    found = [words for row in rows for words in _of_run(connection, row, told.pop(row["token"], []))]
    return (*found, *(_orphan(left) for left in told.values())), len(rows)


def _rows(connection: sqlite3.Connection) -> list[Row]:
    cursor = connection.execute("SELECT * FROM run ORDER BY id")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _orphan(entries: Sequence[audit.Entry]) -> str:
    first = entries[0]
    number = _data(first).get("id", "?")
    which = ", ".join(str(entry.id) for entry in entries)
    return f"run {number} is not in the journal: entry {which} of the audit tells of it ({first.words}, {first.actor})"


def _of_run(connection: sqlite3.Connection, row: Row, entries: Sequence[audit.Entry]) -> Iterator[str]:
    which = f"run {row['id']}"
    first = next((entry for entry in entries if entry.kind == BEGUN), None)
    if first is None:
        yield f"{which} ({row['title']}, {row['operator']}): the audit has no entry of its beginning"
    else:
        yield from (f"{which}: {words}" for words in _beginning(row, first))
    later = [entry for entry in entries if entry.kind in (RESUMED, *ENDS)]
    yield from (f"{which}: {words}" for words in _end(row, later[-1] if later else None))
    found = audited.lines(connection, row["id"])
    yield from (f"{which}: {words}" for entry in later for words in _lines(found, entry, row))


def _beginning(row: Row, entry: audit.Entry) -> Iterator[str]:
    yield from _compared(entry, (
        ("by", row["operator"], entry.actor),
        ("user id", row["operator_uid"], entry.actor_uid),
        ("target", row["target"], entry.subject),
        ("what, and why", f"{row['title']}: {row['reason']}"[: audit.TEXT_LIMIT], entry.words),
    ))  # fmt: skip
    data = _data(entry)
    now = audited.row_told(row)
    if "began_ms" in data:
        yield from _compared(entry, ((_NAMES.get(name, name), _shown(name, now[name]), _shown(name, data.get(name)))
                                     for name in audited.COLUMNS))  # fmt: skip
    elif abs(row["began_ms"] - entry.at_ms) > SAME_MS:
        yield _differ("confirmed at", date_time(row["began_ms"]), date_time(entry.at_ms), entry)


_NAMES = {"id": "number", "began_ms": "confirmed at"}


def _shown(name: str, value: object) -> object:
    if not name.endswith("_ms") or not isinstance(value, int):
        return value
    return f"{date_time(value)} ({value} ms)"  # two times of one minute differ too


def _end(row: Row, last: audit.Entry | None) -> Iterator[str]:
    ended = row["ended_ms"] is not None
    if last is None or last.kind not in ENDS:
        if ended or row["outcome"] is not None:
            yield f"the journal says it ended ({row['outcome']}): the audit has no entry of an end"
        return
    data = _data(last)
    yield from _compared(last, (
        ("outcome", row["outcome"], last.kind),
        ("words of the end", f"{row['title']}: {row['words'] or ''}"[: audit.TEXT_LIMIT], last.words),
    ))  # fmt: skip
    if "ended_ms" in data:
        told = _shown("_ms", data["ended_ms"])
        yield from _compared(last, (("ended at", _shown("_ms", row["ended_ms"]), told),))
    elif ended is (last.kind == RunOutcome.UNKNOWN):
        yield _differ("state", "ended" if ended else "open", last.kind, last)


def _lines(found: list[tuple[int, str, str, str, str]], entry: audit.Entry, row: Row) -> Iterator[str]:
    """The lines that stood when the entry was made; of an older version's entries nothing is known of them."""
    data = _data(entry)
    if "lines" not in data:
        return
    then = found[: data["lines"]]
    now, told = audited.outcomes(then), data["steps"]
    differing = [key for key in {**told, **now} if now.get(key) != told.get(key)]
    for key in differing:
        yield _differ(f"step {key}", now.get(key, "not begun"), told.get(key, "not begun"), entry)
    if not differing and audited.digest(then) != data["digest"]:
        yield f"what its steps said was changed after entry {entry.id} of the audit"
    if data.get("ended_ms") is not None and len(found) > data["lines"] and row["ended_ms"] is not None:
        more = counted(len(found) - data["lines"], "line")
        yield f"{more} more in its steps than at its end (entry {entry.id} of the audit)"


def _compared(entry: audit.Entry, pairs: Iterable[tuple[str, object, object]]) -> Iterator[str]:
    return (_differ(name, now, told, entry) for name, now, told in pairs if now != told)


def _differ(name: str, now: object, told: object, entry: audit.Entry) -> str:
    return f"{name}: the journal says {_quoted(now)}, entry {entry.id} of the audit {_quoted(told)}"


def _quoted(value: object) -> str:
    return "nothing" if value is None or value == "" else f'"{value}"'


def _data(entry: audit.Entry) -> dict[str, Any]:
    """What an entry keeps besides its words; an entry that was changed may hold anything."""
    try:
        found = json.loads(entry.data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
