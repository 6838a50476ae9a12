"""What the audit's entries keep of a run: so much that an edit of its row or of its lines shows, and where."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from console.model.observation import Json

# What is fixed with the beginning and stands in no other part of the entry. `plan` is kept as its digest: it may have
# many kilobytes.
COLUMNS = ("id", "began_ms", "action", "risk", "exclusion", "authority", "plan")
PROGRESS = "progress"
"""The outcome of lines that only say how a step goes on."""


def beginning(connection: sqlite3.Connection, run_id: int) -> dict[str, Json]:
    """Of the run's row, within the transaction that made it."""
    row = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM run WHERE id = ?", (run_id,)).fetchone()
    return row_told(dict(zip(COLUMNS, row, strict=True)))


def row_told(row: Mapping[str, Any]) -> dict[str, Json]:
    """The same of a row that was read."""
    told: dict[str, Json] = {name: row[name] for name in COLUMNS}
    return {**told, "plan": hashlib.sha256(str(row["plan"]).encode()).hexdigest()}


def so_far(connection: sqlite3.Connection, run_id: int) -> dict[str, Json]:
    """Of the run's lines up to now, and of its end."""
    found = lines(connection, run_id)
    ended_ms = connection.execute("SELECT ended_ms FROM run WHERE id = ?", (run_id,)).fetchone()[0]
    return {"lines": len(found), "digest": digest(found), "steps": dict(outcomes(found)), "ended_ms": ended_ms}


def lines(connection: sqlite3.Connection, run_id: int) -> list[tuple[int, str, str, str, str]]:
    """(at_ms, step, outcome, words, data) of a run, oldest first."""
    return connection.execute(
        "SELECT at_ms, step, outcome, words, data FROM run_entry WHERE run_id = ? ORDER BY id", (run_id,)
    ).fetchall()


def digest(found: Sequence[tuple[int, str, str, str, str]]) -> str:
    """Of every word of these lines."""
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def outcomes(found: Sequence[tuple[int, str, str, str, str]]) -> dict[str, str]:
    """How each step stands after these lines."""
    return {step: outcome for _, step, outcome, _, _ in found if outcome != PROGRESS}
