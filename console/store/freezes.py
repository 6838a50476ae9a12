"""Deploy freezes as records.db has them: what is held, by whom, and until when."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

KIND = "freeze"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeEntry:
    """One freeze in force."""

    id: int
    subject: str
    """`OWNER/NAME`, or `OWNER/NAME run ID` where only that run is held."""
    owner: str
    owner_uid: int
    reason: str
    began_ms: int
    excepted: tuple[str, ...]
    """Targets of re-runs that people have asked for since, despite it: `#413 (19000000413)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often the end of an attempt of a CI run was asked for, and how the last of it went."""

    count: int
    last_ms: int
    in_vain: bool
    """The last one was refused, missed or failed: nothing was cancelled by it."""


def tries(connection: sqlite3.Connection, key: str) -> Tries:
    """The due rows that were announced as `key`, and as `key/NUMBER` when it was tried again."""
    rows = connection.execute(
        "SELECT due.made_ms, (due.run_token IS NULL AND due.words != '') OR "
        "(run.ended_ms IS NOT NULL AND run.outcome IN ('failed', 'not done')) FROM due "
        "LEFT JOIN run ON run.token = due.run_token WHERE due.cancelled_ms IS NULL AND "
        "(json_extract(due.parameters, '$.announced') = ?1 OR json_extract(due.parameters, '$.announced') LIKE ?2) "
        "ORDER BY due.id",
        (key, f"{key}/%"),
    ).fetchall()
    return Tries(count=len(rows), last_ms=max((row[0] for row in rows), default=0), in_vain=bool(rows and rows[-1][1]))


def in_force(connection: sqlite3.Connection, now_ms: int) -> tuple[FreezeEntry, ...]:
    """Freezes that were neither ended nor have expired, oldest first."""
    rows = connection.execute(
        "SELECT holding.id, subject, holding.owner, operator_uid, reason, holding.began_ms FROM holding "
        "JOIN run ON run.id = holding.run_id WHERE kind = ? AND holding.ended_ms IS NULL "
        "AND (expires_ms IS NULL OR expires_ms > ?) ORDER BY holding.id",
        (KIND, now_ms),
    ).fetchall()
    return tuple(
        FreezeEntry(
            id=number, subject=subject, owner=owner, owner_uid=uid, reason=reason, began_ms=began_ms,
            excepted=_excepted(connection, began_ms),
        )
        for number, subject, owner, uid, reason, began_ms in rows
    )  # fmt: skip


def _excepted(connection: sqlite3.Connection, since_ms: int) -> tuple[str, ...]:
    rows = connection.execute("SELECT target FROM run WHERE action = 'rerun' AND began_ms >= ?", (since_ms,))
    return tuple(target for (target,) in rows)
