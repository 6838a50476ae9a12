"""Notes of an incident in records.db: what somebody saw, thought or did, with its time."""

from __future__ import annotations

import sqlite3

from console.model.action_views import NoteRow
from console.model.ports import Refused
from console.model.text import clean_block
from console.store.clock import now_ms
from console.store.identity import Who
from console.store.records import Conceal, Records, Refusal, refuse, refusing

NOTE_LIMIT = 2000


class NoteBook:
    """See `ports.Notes`."""

    def __init__(self, records: Records, who: Who, refusal: Refusal, conceal: Conceal) -> None:
        self._records = records
        self._who = who
        self._refusal = refusal
        self._conceal = conceal

    def add(self, text: str) -> str:
        """Put a note on record, without secrets; gives it as it stands there. Raises `Refused`."""
        refuse(self._refusal("note"))
        typed = text.strip()
        if not typed:
            raise Refused("the note is empty")
        if len(typed) > NOTE_LIMIT:
            raise Refused(f"a note has at most {NOTE_LIMIT} characters: this one has {len(typed)}")
        written = clean_block(self._conceal(typed))
        with refusing():
            self._records.write(
                lambda connection: connection.execute(
                    "INSERT INTO note(at_ms, by, text) VALUES (?, ?, ?)", (now_ms(), self._who.words, written)
                )
            )
        return written


def notes_between(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> tuple[NoteRow, ...]:
    """The notes of a stretch of time, oldest first."""
    rows = connection.execute(
        "SELECT id, at_ms, by, text FROM note WHERE at_ms BETWEEN ? AND ? ORDER BY at_ms, id", (from_ms, to_ms)
    )
    return tuple(NoteRow(id=row[0], at_ms=row[1], by=row[2], text=row[3]) for row in rows)
