"""The journal's lists at a moment: holdings and due actions as rows."""

from __future__ import annotations

import sqlite3

from console.model.action_views import DueRow, HoldingRow
from console.store.read_open import DUE_GRACE_MS, KEEPERS, MISSED

DAY_MS = 24 * 60 * 60_000


def holdings_at(connection: sqlite3.Connection, at_ms: int) -> tuple[HoldingRow, ...]:
    """What actions left behind and nobody has undone, oldest first."""
    rows = connection.execute(
        "SELECT id, kind, subject, text, owner, began_ms, expires_ms, undo FROM holding "
        "WHERE began_ms <= ?1 AND (ended_ms IS NULL OR ended_ms > ?1) ORDER BY id",
        (at_ms,),
    )
    return tuple(
        HoldingRow(id=row[0], kind=row[1], subject=row[2], text=row[3], owner=row[4], began_ms=row[5],
                   expires_ms=row[6], undo=row[7])
        for row in rows
    )  # fmt: skip


def due_at(connection: sqlite3.Connection, at_ms: int) -> tuple[DueRow, ...]:
    """What is due after the moment or was within the day before it, the next first. What was refused to the keeper of a
    freeze is told for ten minutes: it asks again by itself while there is something to ask for."""
    rows = connection.execute(
        "SELECT id, action, title, due_ms, made_ms, operator, reason, taken_ms, cancelled_ms, words FROM due "
        "WHERE made_ms <= ?1 AND due_ms > ?2 "
        "AND NOT (action = ?3 AND run_token IS NULL AND words != '' AND taken_ms <= ?4) ORDER BY due_ms",
        (at_ms, at_ms - DAY_MS, KEEPERS, at_ms - DUE_GRACE_MS),
    )
    return tuple(
        DueRow(id=row[0], action=row[1], title=row[2], due_ms=row[3], made_ms=row[4], operator=row[5],
               reason=row[6], state=_state(row[3], row[7], row[8], row[9], at_ms),
               words=row[9] if row[7] is not None and row[7] <= at_ms else "")
        for row in rows
    )  # fmt: skip


def _state(due_ms: int, taken_ms: int | None, cancelled_ms: int | None, words: str, at_ms: int) -> str:
    if cancelled_ms is not None and cancelled_ms <= at_ms:
        return "cancelled"
    if taken_ms is not None and taken_ms <= at_ms:
        return "missed" if words.startswith(MISSED) else "refused" if words else "taken"
    return "missed" if due_ms + DUE_GRACE_MS < at_ms else "waiting"
