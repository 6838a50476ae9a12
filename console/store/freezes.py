"""Deploy freezes as records.db has them: what is held, by whom, and until when."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from console.model.not_held import MOVES, Frozen, Moved

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
    own: frozenset[int] = frozenset()
    """The CI runs whose end the run that began it asks for itself."""
    own_ended_ms: int | None = None
    """When that run was at its end; None: it is not."""


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
        "SELECT holding.id, subject, holding.owner, operator_uid, reason, holding.began_ms, run.ended_ms, "
        "(SELECT json_group_array(json_extract(each.value, '$.id')) "
        "FROM json_each(run.plan, '$.data.hold_ci.runs') each) "
        "FROM holding JOIN run ON run.id = holding.run_id WHERE kind = ? AND holding.ended_ms IS NULL "
        "AND (expires_ms IS NULL OR expires_ms > ?) ORDER BY holding.id",
        (KIND, now_ms),
    ).fetchall()
    return tuple(
        FreezeEntry(
            id=number, subject=subject, owner=owner, owner_uid=uid, reason=reason, began_ms=began_ms,
            excepted=_excepted(connection, began_ms), own=frozenset(map(int, json.loads(own))), own_ended_ms=ended_ms,
        )
        for number, subject, owner, uid, reason, began_ms, ended_ms, own in rows
    )  # fmt: skip


def _excepted(connection: sqlite3.Connection, since_ms: int) -> tuple[str, ...]:
    rows = connection.execute("SELECT target FROM run WHERE action = 'rerun' AND began_ms >= ?", (since_ms,))
    return tuple(target for (target,) in rows)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A CI run whose end was asked for from here, and taken."""

    run: int
    number: int


def cancelled(connection: sqlite3.Connection, since_ms: int) -> tuple[Cancelled, ...]:
    """Those of all runs of ours since then that held the CI or kept a freeze, in the order of their end: by the
    journal, for a CI run that is attempted again keeps its old time of making."""
    by_freeze = connection.execute(
        "SELECT entry.at_ms, json_extract(each.value, '$.id'), json_extract(each.value, '$.number') "
        "FROM run_entry entry JOIN run ON run.id = entry.run_id, json_each(run.plan, '$.data.hold_ci.runs') each "
        "WHERE entry.at_ms >= ? AND entry.step = 'cancel-ci-' || json_extract(each.value, '$.id') "
        "AND entry.outcome = 'done' AND entry.words NOT LIKE '%nothing had to be%' AND entry.words NOT LIKE '%already'",
        (since_ms,),
    ).fetchall()
    by_keeper = connection.execute(
        "SELECT run.ended_ms, json_extract(run.plan, '$.data.run'), json_extract(run.plan, '$.data.number') "
        "FROM run JOIN due ON due.run_token = run.token WHERE run.began_ms >= ? AND run.action = 'cancel-run' "
        "AND run.outcome = 'done' AND json_extract(due.parameters, '$.announced') LIKE 'freeze/%'",
        (since_ms,),
    ).fetchall()
    found = sorted((*by_freeze, *by_keeper), key=lambda row: row[0] or since_ms)
    return tuple(dict.fromkeys(Cancelled(int(run), int(number or run)) for _, run, number in found if run))


def frozen_at(connection: sqlite3.Connection, at_ms: int) -> tuple[Frozen, ...]:
    """Freezes of a repository that stand in the ledger, those too whose time has run out; holds of one run are none."""
    rows = connection.execute(
        "SELECT id, owner, began_ms, expires_ms FROM holding WHERE kind = ?1 AND subject NOT LIKE '% run %' "
        "AND began_ms <= ?2 AND (ended_ms IS NULL OR ended_ms > ?2) ORDER BY id",
        (KIND, at_ms),
    )
    return tuple(Frozen(id=row[0], owner=row[1], began_ms=row[2], until_ms=row[3]) for row in rows)


def moves(connection: sqlite3.Connection, since_ms: int) -> tuple[Moved, ...]:
    """Runs of ours that moved production, or tried to, and were not over before then."""
    marks = ", ".join("?" * len(MOVES))
    rows = connection.execute(
        f"SELECT action, target, began_ms, ended_ms FROM run WHERE action IN ({marks}) "
        "AND (ended_ms IS NULL OR ended_ms >= ?) ORDER BY id",
        (*MOVES, since_ms),
    )
    return tuple(Moved(action=row[0], target=row[1], began_ms=row[2], ended_ms=row[3]) for row in rows)
