"""The audit: append-only, each entry's hash covers the entry and the hash before it.

That shows edits. Cutting off the end, or a rewrite of the whole by somebody who may write the file, it cannot show:
for that each hash also goes to sinks outside (`console.actions.anchors`).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console.model.observation import Json
from console.store.codec import plain
from console.store.identity import Who

FIRST = "0" * 64
"""What the first entry has as the hash before it."""
TEXT_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in the file."""

    id: int
    at_ms: int
    actor: str
    actor_uid: int
    kind: str
    subject: str
    words: str
    data: str
    previous: str
    hash: str

    @property
    def computed(self) -> str:
        """The hash that these values give."""
        told = [self.id, self.at_ms, self.actor, self.actor_uid, self.kind, self.subject, self.words, self.data]
        return hashlib.sha256(json.dumps([*told, self.previous]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Fact:
    """What is to be entered."""

    kind: str
    subject: str
    words: str
    data: Mapping[str, Json]


def append(connection: sqlite3.Connection, at_ms: int, who: Who, fact: Fact) -> Entry:
    """Enter it, within the caller's transaction."""
    newest = connection.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    bare = Entry(
        id=_next_id(connection),
        at_ms=at_ms,
        actor=plain(who.words),
        actor_uid=who.uid,
        kind=plain(fact.kind),
        subject=plain(fact.subject),
        words=plain(fact.words)[:TEXT_LIMIT],
        data=json.dumps(fact.data, sort_keys=True),
        previous=newest[1] if newest else FIRST,
        hash="",
    )
    values = (bare.id, bare.at_ms, bare.actor, bare.actor_uid, bare.kind, bare.subject, bare.words, bare.data)
    connection.execute(
        "INSERT INTO audit(id, at_ms, actor, actor_uid, kind, subject, words, data, previous, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, bare.previous, bare.computed),
    )
    return Entry(*values, bare.previous, bare.computed)


def entries(connection: sqlite3.Connection, after: int = 0) -> Iterator[Entry]:
    """All of them after an id, oldest first."""
    for row in connection.execute(
        "SELECT id, at_ms, actor, actor_uid, kind, subject, words, data, previous, hash FROM audit "
        "WHERE id > ? ORDER BY id",
        (after,),
    ):
        yield Entry(*row)


def _next_id(connection: sqlite3.Connection) -> int:
    """One more than the greatest that was ever given, as AUTOINCREMENT would: the hash covers the id."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    return int(row[0]) + 1 if row else 1
