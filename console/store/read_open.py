"""The ledger's part of records.db at a moment: holdings, open runs, due actions, arming.

Read with every header, so it imports nothing that a start does not need.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from console.model.views import OpenItem
from console.store.read_outbox import troubles
from console.store.runlock import is_carried_out

DUE_GRACE_MS = 10 * 60_000
"""A due action that nobody took within this time is missed; `console.collector.due` keeps to it."""
MISSED = "missed: "
"""How the words of a row begin that was seen later than that."""

MISSED_SHOWN_MS = 24 * 60 * 60_000
"""For so long what was missed is somebody's to look after, unless it is cancelled before."""
ARMED_AT_MOST_MS = 24 * 60 * 60_000
"""Longer than anybody is armed (15 minutes): older rows are not looked at."""
KEEPERS = "cancel-run"
"""Only the keeper of a freeze has this done, and asks again by itself."""

FUTURE_MS = 1 << 60
"""Live, all that is written counts: a row written while we read bears a later time than the moment shown."""


def open_items(
    connection: sqlite3.Connection, at_ms: int, directory: Path, *, live: bool, uid: int | None = None
) -> tuple[OpenItem, ...]:
    """What somebody must look after, the most pressing first: runs without an end, then what they left behind. `uid`:
    of who reads it, who can end what is theirs alone."""
    written_ms = FUTURE_MS if live else at_ms
    return (
        *_runs(connection, written_ms, directory, live=live),
        *_holdings(connection, written_ms),
        *_due(connection, at_ms),
        *(troubles(connection, at_ms) if live else ()),
        *_armed(connection, at_ms, uid),
    )


def armed_until_ms(connection: sqlite3.Connection, at_ms: int, uid: int) -> int | None:
    """Until when that person need give no reason; None: not armed."""
    row = connection.execute(
        "SELECT expires_ms FROM arming WHERE id = (SELECT max(id) FROM arming WHERE uid = ?1 AND began_ms <= ?2) "
        "AND expires_ms > ?2",
        (uid, at_ms),
    ).fetchone()
    return row[0] if row else None


def unpinned_ms(connection: sqlite3.Connection, at_ms: int, *, live: bool) -> int | None:
    """When the newest pin that is over ended; None: no pin ever did."""
    row = connection.execute(
        "SELECT max(ended_ms) FROM holding WHERE kind = 'pinned' AND ended_ms <= ?", (FUTURE_MS if live else at_ms,)
    ).fetchone()
    return row[0] if row else None


def _armed(connection: sqlite3.Connection, at_ms: int, uid: int | None) -> Iterator[OpenItem]:
    """Who need give no reason for what they do. Of each person the newest row counts: a disarmament is one, too."""
    rows = connection.execute(
        "SELECT max(id), uid, operator, reason, began_ms, expires_ms FROM arming "
        "WHERE began_ms <= ?1 AND began_ms > ?1 - ?2 GROUP BY uid HAVING expires_ms > ?1 ORDER BY 1",
        (at_ms, ARMED_AT_MOST_MS),
    )
    for _, armed_uid, operator, reason, began_ms, expires_ms in rows:
        yield OpenItem(
            kind="arming", text=f"acts without giving a new reason: {reason}", owner=operator, since_ms=began_ms,
            expires_ms=expires_ms, undo="radar actions disarm" if armed_uid == uid else "",
            entry=("disarm", 0) if armed_uid == uid else None,
        )  # fmt: skip


def _runs(connection: sqlite3.Connection, at_ms: int, directory: Path, *, live: bool) -> Iterator[OpenItem]:
    rows = connection.execute(
        "SELECT id, token, title, operator, began_ms, outcome, pid, boot_id FROM run "
        "WHERE began_ms <= ?1 AND (ended_ms IS NULL OR ended_ms > ?1) ORDER BY id",
        (at_ms,),
    )
    for number, token, title, operator, began_ms, outcome, pid, boot_id in rows:
        kind = "running"
        if live and outcome == "unknown":
            kind = "unknown"
        elif live and not is_carried_out(directory, token, pid, boot_id):
            kind = "interrupted"
        yield OpenItem(
            kind=kind, text=f"run {number}: {title}", owner=operator, since_ms=began_ms, run=token,
            undo="" if kind == "running" else f"radar actions resume {number}",
        )  # fmt: skip


def _holdings(connection: sqlite3.Connection, at_ms: int) -> Iterator[OpenItem]:
    rows = connection.execute(
        "SELECT h.kind, h.text, h.owner, h.began_ms, h.expires_ms, h.undo, r.token, h.request FROM holding h "
        "LEFT JOIN run r ON r.id = h.run_id "
        "WHERE h.began_ms <= ?1 AND (h.ended_ms IS NULL OR h.ended_ms > ?1) ORDER BY h.id",
        (at_ms,),
    )
    for kind, text, owner, began_ms, expires_ms, undo, token, request in rows:
        wish = json.loads(request) if request else None
        yield OpenItem(
            kind=kind, text=text, owner=owner, since_ms=began_ms, expires_ms=expires_ms, undo=undo, run=token,
            request=(wish["action"], wish.get("parameters", {})) if wish else None,
        )  # fmt: skip


def _due(connection: sqlite3.Connection, at_ms: int) -> Iterator[OpenItem]:
    """What waits for its time; and for a day, or until somebody cancels it, what was to be done and was not."""
    rows = connection.execute(
        "SELECT id, title, operator, made_ms, due_ms, CASE WHEN taken_ms <= ?1 THEN words ELSE '' END FROM due "
        "WHERE made_ms <= ?1 AND due_ms > ?1 - ?2 AND (cancelled_ms IS NULL OR cancelled_ms > ?1) AND "
        "(taken_ms IS NULL OR taken_ms > ?1 OR (run_token IS NULL AND words != '' AND action != ?3)) ORDER BY due_ms",
        (at_ms, MISSED_SHOWN_MS, KEEPERS),
    )
    for number, title, operator, made_ms, due_ms, words in rows:
        is_missed = bool(words) or due_ms + DUE_GRACE_MS < at_ms
        why = words.removeprefix(MISSED) or "nobody took it: is `radar collect` running?"
        yield OpenItem(
            kind="missed" if is_missed else "due", text=f"{title}: {why}" if is_missed else title, owner=operator,
            since_ms=made_ms, expires_ms=due_ms, undo=f"radar actions cancel {number}",
            request=("cancel-due", {"due": number}),
        )  # fmt: skip
