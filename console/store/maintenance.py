"""What records.db says of maintenance: who put the application into it, and which windows people were told of."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from console.store.codec import plain

KIND, ACTION = "maintenance", "maintenance"
NOTICE_TOLERANCE_MS = 60_000
LOOK_BACK_MS = 8 * 86_400_000
"""No maintenance is announced for longer than a week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The ledger's entry, and the announced windows of the last days, `(from, to)` in ms."""

    since_ms: int | None = None
    """None: nobody put it into maintenance here."""
    by: str = ""
    until_ms: int | None = None
    announced: tuple[tuple[int, int], ...] = ()

    def is_announced(self, at_ms: int) -> bool:
        """Whether people were told of that moment in time."""
        return any(start <= at_ms < end for start, end in self.announced)


def held(connection: sqlite3.Connection, environment: str, now_ms: int, *, notice_ms: int, lasts_ms: int) -> Held:
    """As it stands. An announcement counts with the promised `notice_ms`, for as long as it said, else `lasts_ms`."""
    row = connection.execute(
        "SELECT began_ms, owner, expires_ms FROM holding WHERE kind = ? AND subject = ? AND ended_ms IS NULL "
        "ORDER BY id DESC",
        (KIND, plain(environment)),
    ).fetchone()
    rows = connection.execute(
        "SELECT due_ms, json_extract(parameters, '$.minutes') FROM due WHERE action = ? AND run_token IS NOT NULL "
        "AND due_ms > ? AND due_ms - made_ms >= ?",
        (ACTION, now_ms - LOOK_BACK_MS, notice_ms - NOTICE_TOLERANCE_MS),
    )
    windows = tuple((due_ms, due_ms + (int(minutes * 60_000) if minutes else lasts_ms)) for due_ms, minutes in rows)
    if row is None:
        return Held(announced=windows)
    return Held(since_ms=row[0], by=row[1], until_ms=row[2], announced=windows)
