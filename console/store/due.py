"""Actions that are carried out at a time: rows of records.db, taken once by the collector's service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from console.model.observation import Json
from console.store.codec import plain
from console.store.records import Records


@dataclass(frozen=True, slots=True)
class Due:
    """One of them."""

    id: int
    due_ms: int
    action: str
    parameters: Mapping[str, Json]
    title: str
    reason: str
    operator: str
    operator_uid: int


_DUE = "id, due_ms, action, parameters, title, reason, operator, operator_uid"


def taken(records: Records, due: int) -> Due | None:
    """The row of that number, when it was taken and no run stands for it yet."""
    row = records.read(
        lambda connection: connection.execute(
            f"SELECT {_DUE} FROM due WHERE id = ? AND taken_ms IS NOT NULL AND run_token IS NULL "
            "AND cancelled_ms IS NULL",
            (due,),
        ).fetchone()
    )
    return Due(row[0], row[1], row[2], json.loads(row[3]), *row[4:]) if row else None


def note_run(records: Records, due: int, token: str) -> None:
    """Which run carries it out."""
    records.write(lambda connection: connection.execute("UPDATE due SET run_token = ? WHERE id = ?", (token, due)))


def note_refusal(records: Records, due: int, words: str) -> None:
    """Why it was not carried out."""
    records.write(lambda connection: connection.execute("UPDATE due SET words = ? WHERE id = ?", (plain(words), due)))
