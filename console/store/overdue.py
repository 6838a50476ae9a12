"""Maintenance that is past its planned end and that nobody has ended: told once, by the collector's service."""

from __future__ import annotations

import sqlite3

from console.model.observation import Json
from console.model.text import clean
from console.model.times import date_time
from console.store import outbox
from console.store.maintenance import KIND
from console.store.records import Records

TELL_AFTER_MS = 2 * 60_000
"""What ends it at that moment, a person or the service, is given this time first."""
SEVERITY = "medium"

_UNTOLD = (
    "FROM holding h WHERE h.kind = ? AND h.ended_ms IS NULL AND h.expires_ms IS NOT NULL AND NOT EXISTS "
    "(SELECT 1 FROM outbox o WHERE o.event = 'maintenance/' || h.id || '/past-end/' || h.expires_ms)"
)


def next_ms(records: Records) -> int | None:
    """When the next one is to be told of, the past included; None: there is none."""

    def read(connection: sqlite3.Connection) -> int | None:
        (at_ms,) = connection.execute(f"SELECT min(h.expires_ms) {_UNTOLD}", (KIND,)).fetchone()
        return None if at_ms is None else int(at_ms) + TELL_AFTER_MS

    return records.read(read)


def tell(records: Records, now_ms: int, channels: tuple[str, ...], where: str) -> int:
    """Put into the outbox what is past its planned end and was not told; how many maintenances."""

    def work(connection: sqlite3.Connection) -> int:
        rows = connection.execute(
            f"SELECT h.id, h.subject, h.text, h.owner, h.expires_ms {_UNTOLD} AND h.expires_ms <= ?",
            (KIND, now_ms - TELL_AFTER_MS),
        ).fetchall()
        for number, subject, text, owner, expires_ms in rows:
            content: dict[str, Json] = {
                "kind": "notice",
                "where": where,
                "text": clean(f"Nobody has ended it, and nothing ends it by itself: {text}"),
                "severity": SEVERITY,
                "facts": {
                    "since": f"{date_time(expires_ms)} UTC (its planned end)",
                    "from": owner,
                    "do": "radar maintenance off; or radar maintenance on --for TIME sets another end",
                },
            }
            title = f"Maintenance of {subject} is past its planned end"
            for channel in channels:
                outbox.enter(connection, f"maintenance/{number}/past-end/{expires_ms}", channel, title, content)
        return len(rows)

    return records.write(work)
