"""What the writer remembers of the file, so that a round need not read it: ids, open spans, the last figures."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, field

from console.model.observation import Outcome
from console.store import codec
from console.store.names import VERDICT


def body_sha(text: str) -> bytes:
    """What tells bodies apart: 16 bytes of SHA-256."""
    return hashlib.sha256(text.encode()).digest()[:16]


@dataclass(slots=True)
class OpenSpan:
    """The newest span of a target, which an equal poll extends."""

    id: int
    began_at: int
    last_at: int
    due_at: int
    outcome: str
    error_kind: str | None
    state: str
    since_at: int
    same: bytes
    """Equal for equal bodies; for the verdict, for equal essences."""
    answered_id: int | None


@dataclass(slots=True)
class Memory:
    """Valid while this process holds the lease and no transaction failed; else it is loaded anew."""

    targets: dict[str, int] = field(default_factory=dict)
    series: dict[tuple[int, str], int] = field(default_factory=dict)
    open: dict[int, OpenSpan] = field(default_factory=dict)
    volatile_at: dict[int, int] = field(default_factory=dict)
    figures: bytes = b""

    def target_id(self, connection: sqlite3.Connection, key: str) -> int:
        """The id of a target, made when it is new."""
        found = self.targets.get(key)
        if found is None:
            found = target_id(connection, key)
            self.targets[key] = found
        return found

    def series_id(self, connection: sqlite3.Connection, owner: int, metric: str, kind: str) -> int:
        """The id of a series of a target, made when it is new."""
        found = self.series.get((owner, metric))
        if found is None:
            found = series_id(connection, owner, metric, kind)
            self.series[owner, metric] = found
        return found


def target_id(connection: sqlite3.Connection, key: str) -> int:
    """The id of a target, made when it is new."""
    key = codec.plain(key)
    row = connection.execute("SELECT id FROM target WHERE key = ?", (key,)).fetchone()
    return int(row[0]) if row else inserted(connection, "INSERT INTO target(key) VALUES (?)", (key,))


def series_id(connection: sqlite3.Connection, owner: int, metric: str, kind: str) -> int:
    """The id of a series, made when it is new."""
    metric = codec.plain(metric)
    row = connection.execute("SELECT id FROM series WHERE target_id = ? AND metric = ?", (owner, metric)).fetchone()
    if row:
        return int(row[0])
    return inserted(connection, "INSERT INTO series(target_id, metric, kind) VALUES (?, ?, ?)", (owner, metric, kind))


def body_id(connection: sqlite3.Connection, text: str) -> int:
    """The id of a body, stored once however often it comes."""
    sha = body_sha(text)
    row = connection.execute("SELECT id FROM body WHERE sha = ?", (sha,)).fetchone()
    return int(row[0]) if row else inserted(connection, "INSERT INTO body(sha, json) VALUES (?, ?)", (sha, text))


def inserted(connection: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> int:
    """Run an INSERT and give the new row's id."""
    row = connection.execute(statement, values).lastrowid
    assert row is not None  # sqlite3 sets it after every INSERT
    return row


def sameness(key: str, body: str) -> bytes:
    """What two bodies of a target must share for the second to extend the span of the first."""
    return body_sha(codec.essence(codec.loads(body)) if key == VERDICT else body)


def load(connection: sqlite3.Connection) -> Memory:
    """Read it all from the file."""
    memory = Memory(targets=dict(connection.execute("SELECT key, id FROM target")))
    keys = {number: key for key, number in memory.targets.items()}
    for number, owner, metric in connection.execute("SELECT id, target_id, metric FROM series"):
        memory.series[owner, metric] = number
    for row in connection.execute(
        "SELECT o.target_id, s.id, s.began_at, o.last_at, o.due_at, s.outcome, s.error_kind, s.state, s.since_at, "
        "b.json, s.answered_id FROM open_span o JOIN span s ON s.id = o.span_id JOIN body b ON b.id = s.body_id"
    ):
        same = sameness(keys[row[0]], row[9])
        target, span, began, last, due, outcome, kind, state, since, _, answered = row
        answered = span if outcome == Outcome.ANSWERED else answered
        memory.open[target] = OpenSpan(span, began, last, due, outcome, kind, state, since, same, answered)
    memory.volatile_at = dict(connection.execute("SELECT target_id, max(at) FROM volatile GROUP BY target_id"))
    newest = connection.execute("SELECT data FROM figures ORDER BY at DESC LIMIT 1").fetchone()
    memory.figures = newest[0] if newest else b""
    return memory
