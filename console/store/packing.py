"""Closing what is complete: ten minutes of rounds become blocks and minute rollups, sixty minutes an hour rollup."""

from __future__ import annotations

import logging
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from console.model.metrics import Rollup
from console.model.observation import Buckets, SeriesKind
from console.store import blocks, codec
from console.store.blocks import Timed
from console.store.memory import Memory
from console.store.names import BLOCK_MS, HOUR_MS, MINUTE_MS, POLLED
from console.store.rollups import ROLLUP_COLUMNS, rollup_from, rollup_values
from console.store.timeline import era_of

log = logging.getLogger("radar.store")

GRACE_MS = 30_000  # a round may be written this long after the moment that it is stamped with


def oldest_slot(connection: sqlite3.Connection) -> int | None:
    """Start of the oldest ten minutes that are not packed."""
    row = connection.execute(
        "SELECT min(at) FROM (SELECT min(at) AS at FROM recent UNION ALL SELECT min(at) FROM recent_judged)"
    ).fetchone()
    return blocks.floor(row[0], BLOCK_MS) if row[0] is not None else None


def is_complete(start: int, size_ms: int, now: int) -> bool:
    """Whether nothing more can come into a bucket, at position `now`."""
    return era_of(start) < era_of(now) or start + size_ms + GRACE_MS <= now


def waits(connection: sqlite3.Connection, now: int) -> bool:
    """Whether there is a slot or an hour to close."""
    slot = oldest_slot(connection)
    if slot is not None and is_complete(slot, BLOCK_MS, now):
        return True
    row = connection.execute("SELECT min(start) FROM pending_hour").fetchone()
    return row[0] is not None and is_complete(row[0], HOUR_MS, now)


def pack(connection: sqlite3.Connection, memory: Memory, start: int) -> int:
    """Turn the rounds of one slot into blocks and minute rollups; gives how many rows went into them."""
    slot = (start, start + BLOCK_MS)
    gathered: dict[int, list[Timed]] = defaultdict(list)
    packed = 0
    for table in ("recent", "recent_judged"):
        rows = connection.execute(f"SELECT at, target_id, data FROM {table} WHERE at >= ? AND at < ?", slot).fetchall()
        packed += len(rows)
        decoded = codec.rows_from([row[2] for row in rows])
        for (at, target, _), (answered, samples) in zip(rows, decoded, strict=True):
            if table == "recent":
                polled = memory.series_id(connection, target, POLLED, SeriesKind.GAUGE.value)
                gathered[polled].append((at, float(answered)))
            for series, sample in samples:
                gathered[series].append((at, sample))
        connection.execute(f"DELETE FROM {table} WHERE at >= ? AND at < ?", slot)
    metrics = {number: metric for (_, metric), number in memory.series.items()}
    for series, timed in gathered.items():
        with _alone(connection, metrics.get(series, ""), series):
            _pack_series(connection, series, metrics.get(series, ""), start, timed)
    connection.execute("INSERT OR IGNORE INTO pending_hour(start) VALUES (?)", (blocks.floor(start, HOUR_MS),))
    return packed


@contextmanager
def _alone(connection: sqlite3.Connection, metric: str, series: int) -> Iterator[None]:
    """What cannot be summed or read costs its own series: nothing of it is stored, the others and the slot go on."""
    connection.execute("SAVEPOINT series")
    try:
        yield
    except (ArithmeticError, ValueError, TypeError) as error:
        connection.execute("ROLLBACK TO series")
        log.error("series %d (%s) is not summed up: %s: %s", series, metric, type(error).__name__, error)
    finally:
        connection.execute("RELEASE series")


def _pack_series(connection: sqlite3.Connection, series: int, metric: str, start: int, timed: list[Timed]) -> None:
    row = connection.execute("SELECT data FROM block WHERE series_id = ? AND start = ?", (series, start)).fetchone()
    if row is not None:  # a round came late: the slot is closed again, from everything in it
        timed = [*blocks.decode(start, row[0]), *timed]
    timed.sort(key=lambda each: each[0])
    connection.execute(
        "INSERT OR REPLACE INTO block(series_id, start, n, data) VALUES (?, ?, ?, ?)",
        (series, start, len(timed), blocks.encode(start, timed)),
    )
    if metric != POLLED:
        connection.executemany(
            f"INSERT OR REPLACE INTO rollup_minute(series_id, start, {ROLLUP_COLUMNS}) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((series, minute, *rollup_values(rollup)[:-1]) for minute, rollup in minutes(metric, timed)),
        )


def minutes(metric: str, timed: Sequence[Timed]) -> list[tuple[int, Rollup]]:
    """(start, rollup) of each minute that has samples."""
    gathered: dict[int, list[Timed]] = defaultdict(list)
    for at, sample in timed:
        gathered[blocks.floor(at, MINUTE_MS)].append((at, sample))
    is_distribution = metric.endswith("_ms")
    found = (
        (minute, rollup_of([sample for _, sample in each], distribution=is_distribution))
        for minute, each in gathered.items()
    )
    return [(minute, rollup) for minute, rollup in found if rollup is not None]


def rollup_of(samples: Iterable[float | Buckets], *, distribution: bool) -> Rollup | None:
    """All of them as one rollup; when any is foreign, only those count."""
    plain, foreign = [], []
    for sample in samples:
        if isinstance(sample, Buckets):
            foreign.append(sample)
        else:
            plain.append(sample)
    if foreign:
        return Rollup.of_buckets(foreign)
    return Rollup.of(plain, distribution=distribution)


def close_hours(connection: sqlite3.Connection, now: int) -> int:
    """Make the hour rollups of every hour that is complete; gives how many hours were closed."""
    unpacked = oldest_slot(connection)
    closed = 0
    for (start,) in connection.execute("SELECT start FROM pending_hour ORDER BY start").fetchall():
        waits = unpacked is not None and start <= unpacked < start + HOUR_MS
        if waits or not is_complete(start, HOUR_MS, now):
            continue
        _close_hour(connection, start)
        connection.execute("DELETE FROM pending_hour WHERE start = ?", (start,))
        closed += 1
    return closed


def _close_hour(connection: sqlite3.Connection, start: int) -> None:
    for series, metric in connection.execute("SELECT id, metric FROM series").fetchall():
        with _alone(connection, metric, series):
            _close_series(connection, series, start)


def _close_series(connection: sqlite3.Connection, series: int, start: int) -> None:
    rows = connection.execute(
        f"SELECT {ROLLUP_COLUMNS} FROM rollup_minute WHERE series_id = ? AND start >= ? AND start < ?",
        (series, start, start + HOUR_MS),
    ).fetchall()
    rollup = Rollup.merged([rollup_from(row) for row in rows])
    if rollup is not None:
        connection.execute(
            f"INSERT OR REPLACE INTO rollup_hour(series_id, start, {ROLLUP_COLUMNS}, minutes) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (series, start, *rollup_values(rollup)),
        )
