"""What is kept for how long. By the monotonic odometer: a clock that jumps deletes nothing.

The odometer counts CLOCK_BOOTTIME while collectors run (and the time since boot after a reboot), and `mark` says
which position was reached at which reading. What lies before the mark of (now - keep) is deleted; so a pass never
deletes more than the monotonic time since the pass before justifies, and time with the machine off counts as none.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from console.store.names import BLOCK_MS, DAY_MS, HOUR_MS, MINUTE_MS, RAW_MS

MINUTES_MS = 30 * DAY_MS
LONG_MS = 396 * DAY_MS  # 13 months
VOLATILE_BYTES = 64 * 1024 * 1024
BATCH = 10_000  # rows a table and pass: what a pass deletes stays a short transaction

# (figures older than this, are kept once in this long)
_THINNING_MS = ((3_600_000, 60_000), (RAW_MS, 600_000), (MINUTES_MS, 3_600_000))


@dataclass(frozen=True, slots=True)
class Cuts:
    """Positions before which each kind is no longer kept; 0: nothing is that old."""

    raw: int
    minutes: int
    long: int


def cut(connection: sqlite3.Connection, odometer_ms: int, keep_ms: int) -> int:
    """The position reached `keep_ms` of monotonic time ago; 0 when that is before the first mark."""
    row = connection.execute(
        "SELECT at FROM mark WHERE odometer_ms <= ? ORDER BY odometer_ms DESC LIMIT 1", (odometer_ms - keep_ms,)
    ).fetchone()
    return int(row[0]) if row else 0


def apply(connection: sqlite3.Connection, odometer_ms: int) -> int:
    """Delete what is no longer kept; gives how many rows. Inside the caller's transaction."""
    cuts = Cuts(*(cut(connection, odometer_ms, keep_ms) for keep_ms in (RAW_MS, MINUTES_MS, LONG_MS)))
    before = connection.total_changes
    _series(connection, "block", cuts.raw - BLOCK_MS)
    _series(connection, "rollup_minute", cuts.minutes - MINUTE_MS)
    _series(connection, "rollup_hour", cuts.long - HOUR_MS)
    _volatile(connection, cuts.raw)
    _figures(connection, odometer_ms, cuts.long)
    _spans(connection, cuts.long)
    _happenings(connection, cuts.long)
    connection.execute("DELETE FROM mark WHERE at < ?", (cuts.long,))
    return connection.total_changes - before


def _series(connection: sqlite3.Connection, table: str, before: int) -> None:
    """Delete buckets that begin before; a bucket goes only when all of it is too old."""
    left = BATCH
    for (series,) in connection.execute("SELECT id FROM series").fetchall() if before > 0 else ():
        deleted = connection.execute(
            f"DELETE FROM {table} WHERE series_id = ?1 AND start < ?2 AND start IN "
            f"(SELECT start FROM {table} WHERE series_id = ?1 AND start < ?2 ORDER BY start LIMIT ?3)",
            (series, before, left),
        ).rowcount
        left -= deleted
        if left <= 0:
            return


def _volatile(connection: sqlite3.Connection, before: int) -> None:
    newest = "SELECT max(id) FROM volatile GROUP BY target_id"
    connection.execute(f"DELETE FROM volatile WHERE at < ? AND id NOT IN ({newest})", (before,))
    size = connection.execute("SELECT coalesce(sum(length(data)), 0) FROM volatile").fetchone()[0]
    if size <= VOLATILE_BYTES:
        return
    connection.execute(
        f"DELETE FROM volatile WHERE id NOT IN ({newest}) AND id <= (SELECT max(id) FROM (SELECT id, "
        "sum(length(data)) OVER (ORDER BY id DESC) AS size FROM volatile) WHERE size > ?)",
        (VOLATILE_BYTES,),
    )


def _figures(connection: sqlite3.Connection, odometer_ms: int, before: int) -> None:
    connection.execute("DELETE FROM figures WHERE at < ?", (before,))
    ends = [cut(connection, odometer_ms, age_ms) for age_ms, _ in _THINNING_MS] + [before]
    for (_, step_ms), until, start in zip(_THINNING_MS, ends, ends[1:], strict=False):
        connection.execute(
            "DELETE FROM figures WHERE at >= ?1 AND at < ?2 AND at NOT IN "
            "(SELECT min(at) FROM figures WHERE at >= ?1 AND at < ?2 GROUP BY at / ?3)",
            (start, until, step_ms),
        )


def _spans(connection: sqlite3.Connection, before: int) -> None:
    if not before:
        return
    for (target,) in connection.execute("SELECT id FROM target").fetchall():
        # The open span stays, and the last answer before it, which holds the value shown while a target fails.
        gone = connection.execute(
            "SELECT id, body_id FROM span WHERE target_id = ?1 AND began_at < ?2 AND last_at < ?2 "
            "AND id NOT IN (SELECT span_id FROM open_span WHERE target_id = ?1) AND id IS NOT (SELECT s.answered_id "
            "FROM open_span o JOIN span s ON s.id = o.span_id WHERE o.target_id = ?1) ORDER BY began_at LIMIT ?3",
            (target, before, BATCH),
        ).fetchall()
        connection.executemany("DELETE FROM span WHERE id = ?", ((span,) for span, _ in gone))
        connection.executemany(
            "DELETE FROM body WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM span WHERE body_id = ?1)",
            ((body,) for body in {body for _, body in gone}),
        )
    connection.execute("DELETE FROM change WHERE at < ?", (before,))


def _happenings(connection: sqlite3.Connection, before: int) -> None:
    connection.execute("DELETE FROM event WHERE at < ?", (before,))
    ended = "SELECT alert_id FROM alert_end WHERE at < ?"
    connection.execute(f"DELETE FROM alert WHERE id IN ({ended})", (before,))
    connection.execute("DELETE FROM alert_end WHERE at < ?", (before,))
