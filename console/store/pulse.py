"""Keeping time in the file: positions, clock jumps, the monotonic odometer, and the marks that retention goes by."""

from __future__ import annotations

import sqlite3

from console.store.clock import Clock
from console.store.lease import LeaseRow
from console.store.timeline import era_of, position_of, wall_of

JUMP_MS = 2_000  # a step; slewing (at most 500 ppm) stays far below at the pace of rounds
SLEW = 0.001
MARK_MS = 600_000


def advance(connection: sqlite3.Connection, row: LeaseRow, clock: Clock, at_ms: int) -> int:
    """Renew the lease, note clock jumps, and give the position of a round at `at_ms`: always after the last one.

    Inside the caller's transaction. A wall clock that went back by more than 2 s begins a new era.
    """
    odometer_ms = row.odometer_ms + elapsed_ms(row, clock)
    position = _position(connection, row, at_ms)
    if era_of(position) == era_of(row.last_at):
        _note_jump(connection, row, clock, position)
    if odometer_ms // MARK_MS != row.odometer_ms // MARK_MS or row.last_at == 0:
        connection.execute("INSERT OR IGNORE INTO mark(odometer_ms, at) VALUES (?, ?)", (odometer_ms, position))
    connection.execute(
        "UPDATE lease SET renewed_boot_ms = ?, renewed_ms = ?, boot_id = ?, last_at = ?, odometer_ms = ?",
        (clock.boot_ms(), clock.wall_ms(), clock.boot_id, position, odometer_ms),
    )
    return position


def renew(connection: sqlite3.Connection, row: LeaseRow, clock: Clock) -> None:
    """Renew the lease without a round: the odometer goes on, the position stays."""
    connection.execute(
        "UPDATE lease SET renewed_boot_ms = ?, renewed_ms = ?, boot_id = ?, odometer_ms = ?",
        (clock.boot_ms(), clock.wall_ms(), clock.boot_id, row.odometer_ms + elapsed_ms(row, clock)),
    )


def resume(connection: sqlite3.Connection, row: LeaseRow, clock: Clock) -> None:
    """Account for the time since the holder before: before another is written into the lease."""
    now = position_of(era_of(row.last_at), clock.wall_ms())
    if now > row.last_at:  # else the first round begins an era, and that is told
        _note_jump(connection, row, clock, now)
    connection.execute("UPDATE lease SET odometer_ms = ?", (row.odometer_ms + elapsed_ms(row, clock),))


def elapsed_ms(row: LeaseRow, clock: Clock) -> int:
    """Monotonic ms since the last write; across a boot, the time since boot, which is certain to have passed."""
    if row.renewed_boot_ms < 0:  # an authored store: nobody has measured yet
        return 0
    if row.holder.boot_id != clock.boot_id:
        return clock.boot_ms()
    return max(0, clock.boot_ms() - row.renewed_boot_ms)


def _position(connection: sqlite3.Connection, row: LeaseRow, at_ms: int) -> int:
    last_ms, era = wall_of(row.last_at), era_of(row.last_at)
    if at_ms > last_ms:
        return position_of(era, at_ms)
    if last_ms - at_ms < JUMP_MS:  # two rounds in one ms, or a slewed clock
        return row.last_at + 1
    connection.execute("INSERT INTO era(id, began_ms) VALUES (?, ?)", (era + 1, at_ms))
    note(
        connection,
        position_of(era + 1, at_ms),
        f"clock/era/{era + 1}",
        f"the clock went back by {_duration(last_ms - at_ms)}: what was recorded before is kept beside",
    )
    return position_of(era + 1, at_ms)


def _note_jump(connection: sqlite3.Connection, row: LeaseRow, clock: Clock, position: int) -> None:
    if row.renewed_boot_ms < 0 or row.holder.boot_id != clock.boot_id:
        return
    elapsed = elapsed_ms(row, clock)
    jump_ms = clock.wall_ms() - row.renewed_ms - elapsed
    if abs(jump_ms) < max(JUMP_MS, elapsed * SLEW):
        return
    way = "forward" if jump_ms > 0 else "back"
    note(connection, position, f"clock/{position}", f"the clock jumped {way} by {_duration(abs(jump_ms))}")


def note(connection: sqlite3.Connection, position: int, key: str, text: str, kind: str = "clock") -> None:
    """An event of the store's own."""
    connection.execute(
        "INSERT OR IGNORE INTO event(at, at_ms, kind, subject, text, state, key, data) "
        "VALUES (?, ?, ?, 'collector', ?, NULL, ?, '{}')",
        (position, wall_of(position), kind, text, key),
    )


def _duration(ms: int) -> str:
    seconds = ms / 1000
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
