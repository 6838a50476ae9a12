"""Actions that are due at a time, in records.db: announced by a person, taken once by the collector's service.

A row is `waiting` until it is `cancelled`, `taken`, or `missed`: seen so late that nobody expects it any more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from console.model.notifications import STATUSPAGE
from console.model.observation import Json
from console.model.text import clean
from console.model.times import date_time
from console.store import outbox
from console.store.clock import now_ms as wall_ms
from console.store.codec import plain
from console.store.read_open import DUE_GRACE_MS, MISSED
from console.store.records import Records

CUT_OFF_MS = 5 * 60_000
"""A row that was taken longer ago than this and has neither run nor word was lost with the process that took it."""
WORDS_LIMIT = 300
SEVERITY = "medium"
"""Of what was announced and not done: people rely on it."""

State = Literal["waiting", "taken", "cancelled", "missed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEntry:
    """One row."""

    id: int
    made_ms: int
    due_ms: int
    action: str
    parameters: Mapping[str, Json]
    title: str
    reason: str
    operator: str
    operator_uid: int
    taken_ms: int | None
    run_token: str | None
    cancelled_ms: int | None
    cancelled_by: str | None
    words: str

    @property
    def state(self) -> State:
        """How it stands."""
        if self.cancelled_ms is not None:
            return "cancelled"
        if self.taken_ms is None:
            return "waiting"
        return "missed" if self.words.startswith(MISSED) else "taken"

    @property
    def is_not_done(self) -> bool:
        """Whether its time is over, and nothing was done: missed, refused, or lost by who took it."""
        return self.cancelled_ms is None and self.taken_ms is not None and self.run_token is None and self.words != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who is told of what was not done."""

    channels: tuple[str, ...] = ()
    where: str = ""
    """`[production · demo]`."""
    public: Callable[[DueEntry], Mapping[str, Json]] | None = None
    """What our status page is told of a maintenance that it has as scheduled; None: there is no such page."""


NOBODY = People()
_DO = {
    "maintenance": "radar maintenance on --in 1h announces it anew; radar maintenance cancel strikes it out",
    "maintenance-end": "radar maintenance off ends it",
}

_COLUMNS = (
    "id, made_ms, due_ms, action, parameters, title, reason, operator, operator_uid, taken_ms, run_token, "
    "cancelled_ms, cancelled_by, words"
)
_NAMES = [name.strip() for name in _COLUMNS.split(",")]


def add(
    records: Records,
    *,
    key: str,
    due_ms: int,
    action: str,
    parameters: Mapping[str, Json],
    title: str,
    reason: str,
    operator: str,
    operator_uid: int,
) -> DueEntry:
    """Have `action` carried out at `due_ms`; the row that stands there already when `key` was added before.

    `key` is kept among the parameters as `announced`. Raises `StoreError`.
    """

    def work(connection: sqlite3.Connection) -> DueEntry:
        found = _announced(connection, key)
        if found is not None:
            return found
        values = (wall_ms(), due_ms, action, json.dumps({**parameters, "announced": key}), plain(title), plain(reason),
                  plain(operator), operator_uid)  # fmt: skip
        row = connection.execute(
            "INSERT INTO due(made_ms, due_ms, action, parameters, title, reason, operator, operator_uid) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        ).lastrowid
        return _one(connection, row or 0)

    return records.write(work)


def find(records: Records, due: int) -> DueEntry | None:
    """A row by its number."""
    return records.read(lambda connection: _find(connection, "id = ?", (due,)))


def waiting(records: Records) -> tuple[DueEntry, ...]:
    """Rows that neither happened nor were cancelled, the next one first."""
    return records.read(lambda connection: _all(connection, "taken_ms IS NULL AND cancelled_ms IS NULL"))


def not_done(records: Records, action: str) -> tuple[DueEntry, ...]:
    """Rows of that action whose time is over, of which nothing was done, and that nobody has struck out; newest
    first."""
    rows = records.read(
        lambda connection: _all(connection, "action = ? AND cancelled_ms IS NULL", (action,), "ORDER BY due_ms DESC")
    )
    return tuple(row for row in rows if row.is_not_done)


def cancel(records: Records, due: int, by: str) -> DueEntry | None:
    """Take it back while it waits, or strike out what was not done at its time; the row as it stands then, None when
    there is none of that number."""

    def work(connection: sqlite3.Connection) -> DueEntry | None:
        connection.execute(
            "UPDATE due SET cancelled_ms = ?, cancelled_by = ? WHERE id = ? AND cancelled_ms IS NULL "
            "AND (taken_ms IS NULL OR (run_token IS NULL AND words != ''))",
            (wall_ms(), plain(by), due),
        )
        return _find(connection, "id = ?", (due,))

    return records.write(work)


# --- the collector's service ------------------------------------------------------------------------------------------


def next_due_ms(records: Records) -> int | None:
    """When the next row is due, the past included; None: nothing waits. Also of a row that was lost when taken."""

    def read(connection: sqlite3.Connection) -> int | None:
        row = connection.execute(
            "SELECT min(CASE WHEN taken_ms IS NULL THEN due_ms ELSE taken_ms + ? END) FROM due WHERE "
            "cancelled_ms IS NULL AND (taken_ms IS NULL OR (run_token IS NULL AND words = ''))",
            (CUT_OFF_MS,),
        ).fetchone()
        return None if row[0] is None else int(row[0])

    return records.read(read)


def claim(records: Records, now_ms: int, people: People = NOBODY) -> tuple[DueEntry, ...]:
    """Take every row that is due now: each is given once, to one process. What is too late, or was lost by a process
    that took it and ended, is told to `people` and given to nobody. One transaction."""

    def work(connection: sqlite3.Connection) -> tuple[DueEntry, ...]:
        for lost in _all(connection, _LOST, (now_ms - CUT_OFF_MS,)):
            words = "it was taken and never begun: the process that took it ended; whether it was done is not known"
            _close(connection, lost, words, replace(people, public=None))
        found = _all(connection, "taken_ms IS NULL AND cancelled_ms IS NULL AND due_ms <= ?", (now_ms,))
        for entry in found:
            connection.execute("UPDATE due SET taken_ms = ? WHERE id = ?", (now_ms, entry.id))
        for late in (entry for entry in found if now_ms - entry.due_ms > DUE_GRACE_MS):
            minutes = (now_ms - late.due_ms) // 60_000
            words = f"{MISSED}first seen {minutes} min late, more than {DUE_GRACE_MS // 60_000}; nothing was done"
            _close(connection, late, words, people)
        return tuple(_one(connection, entry.id) for entry in found if now_ms - entry.due_ms <= DUE_GRACE_MS)

    return records.write(work)


_LOST = "taken_ms <= ? AND run_token IS NULL AND cancelled_ms IS NULL AND words = ''"


def taken(records: Records, due: int) -> DueEntry | None:
    """The row when it was taken and no run stands for it yet: what the runner may begin."""
    entry = find(records, due)
    return entry if entry and entry.state == "taken" and entry.run_token is None and not entry.words else None


def note_run(records: Records, due: int, token: str) -> None:
    """The run that carries it out."""

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE due SET run_token = ? WHERE id = ?", (token, due))

    records.write(work)


def note_refusal(records: Records, due: int, words: str, people: People = NOBODY) -> None:
    """Why it was not begun; told to `people`. What was noted first stays."""

    def work(connection: sqlite3.Connection) -> None:
        entry = _find(connection, "id = ? AND run_token IS NULL", (due,))
        if entry is None:
            return
        if not entry.words:
            _close(connection, entry, f"not done: {words}", people)
        else:
            _tell(connection, entry, entry.words, people)

    records.write(work)


# --- inside -----------------------------------------------------------------------------------------------------------


def _close(connection: sqlite3.Connection, entry: DueEntry, words: str, people: People) -> None:
    told = plain(clean(words, WORDS_LIMIT))
    connection.execute("UPDATE due SET words = ? WHERE id = ?", (told, entry.id))
    _tell(connection, entry, told, people)


def _tell(connection: sqlite3.Connection, entry: DueEntry, words: str, people: People) -> None:
    title, event = f"Announced and not done: {entry.title}", f"due/{entry.id}/not-done"
    facts: dict[str, Json] = {"was planned for": f"{date_time(entry.due_ms)} UTC", "from": entry.operator}
    facts["do"] = _DO.get(entry.action, "radar open")
    content: dict[str, Json] = {
        "kind": "notice", "where": people.where, "text": words, "facts": facts, "severity": SEVERITY, "due": entry.id,
    }  # fmt: skip
    for channel in people.channels:
        outbox.enter(connection, event, channel, title, content)
    if people.public is not None and entry.action == "maintenance":
        outbox.enter(connection, f"{event}/page", STATUSPAGE, f"{title}, to the public", people.public(entry))


def _announced(connection: sqlite3.Connection, key: str) -> DueEntry | None:
    return _find(connection, "json_extract(parameters, '$.announced') = ?", (key,))


def _one(connection: sqlite3.Connection, due: int) -> DueEntry:
    found = _find(connection, "id = ?", (due,))
    assert found is not None  # it was written or read in this transaction
    return found


def _find(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> DueEntry | None:
    return next(iter(_all(connection, where, values)), None)


def _all(
    connection: sqlite3.Connection, where: str, values: tuple[object, ...] = (), order: str = "ORDER BY due_ms, id"
) -> tuple[DueEntry, ...]:
    """`where` and `order` are conditions of ours."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM due WHERE {where} {order}", values).fetchall()
    return tuple(_entry(row) for row in rows)


def _entry(row: tuple[Any, ...]) -> DueEntry:
    values = dict(zip(_NAMES, row, strict=True))
    return DueEntry(**{**values, "parameters": json.loads(values["parameters"])})
