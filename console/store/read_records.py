"""What records.db says of a moment: silences and acknowledgements. A file that is missing says nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from console.model.not_held import Frozen, Moved
from console.model.views import OpenItem, SilenceRow, alert_name
from console.store import freezes
from console.store.read_open import armed_until_ms, open_items, unpinned_ms


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has seen an alert."""

    rule: str
    subject: str
    began_ms: int
    by: str
    at_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records are read, by whom, and whether the moment is now."""

    directory: Path
    uid: int
    live: bool


@dataclass(frozen=True, slots=True)
class RecordsAt:
    """The people's records at a moment."""

    silences: tuple[SilenceRow, ...] = ()
    """All that had begun, newest first."""
    acknowledgements: dict[tuple[str, str, int], Acknowledgement] = field(default_factory=dict)
    """The newest of each alert, by (rule, subject, began_ms)."""
    trouble: str | None = None
    """In words why they cannot be read."""
    at_ms: int = 0
    left_open: tuple[OpenItem, ...] = ()
    """What actions left: runs without an end, holdings, what is due."""
    armed_until_ms: int | None = None
    unpinned_ms: int | None = None
    """When a run of ours last ended a pin of production."""
    freezes: tuple[Frozen, ...] = ()
    """Of the repository that stand in the ledger; `moves` are the runs of ours that moved production since."""
    moves: tuple[Moved, ...] = ()

    def silence_of(self, rule: str, subject: str | None = None) -> SilenceRow | None:
        """The silence in force that expires last of those that match the rule, or the name of the alert."""
        # `rule//route` is how a route's alert was called before; silences of it may be in force, and habits last.
        matchers = {rule} if subject is None else {rule, alert_name(rule, subject), f"{rule}/{subject}"}
        matching = [silence for silence in self.in_force() if silence.matcher in matchers]
        return max(matching, key=lambda silence: silence.expires_ms, default=None)

    def in_force(self) -> Iterable[SilenceRow]:
        """Silences begun, not ended and not expired."""
        return [
            silence
            for silence in self.silences
            if silence.expires_ms > self.at_ms and (silence.ended_ms is None or silence.ended_ms > self.at_ms)
        ]

    def open_items(self) -> tuple[OpenItem, ...]:
        """The ledger's rows: what actions left, silences in force, and the records themselves when unreadable."""
        items = list(self.left_open)
        items += [
            OpenItem(
                kind="silence",
                text=f"{silence.matcher}: {silence.reason}",
                owner=silence.by,
                since_ms=silence.began_ms,
                expires_ms=silence.expires_ms,
                undo=f"radar silence --end {silence.id}",
                entry=("end-silence", silence.id),
            )
            for silence in self.in_force()
        ]
        if self.trouble:
            items.insert(0, OpenItem(kind="records", text=self.trouble))
        return tuple(items)


def records_at(connection: sqlite3.Connection | None, at_ms: int, place: Place, past: int = 50) -> RecordsAt:
    """Read silences (those in force, and the newest `past`), acknowledgements and what actions left, at `at_ms`."""
    if connection is None:
        return RecordsAt(at_ms=at_ms)
    frozen = freezes.frozen_at(connection, at_ms)
    return RecordsAt(
        freezes=frozen,
        moves=freezes.moves(connection, min(each.began_ms for each in frozen)) if frozen else (),
        silences=silences_at(connection, at_ms, past),
        acknowledgements=_acknowledgements(connection, at_ms),
        at_ms=at_ms,
        left_open=open_items(connection, at_ms, place.directory, live=place.live, uid=place.uid),
        armed_until_ms=armed_until_ms(connection, at_ms, place.uid),
        unpinned_ms=unpinned_ms(connection, at_ms, live=place.live),
    )


def silences_at(connection: sqlite3.Connection, at_ms: int, past: int = 50) -> tuple[SilenceRow, ...]:
    """Silences in force at `at_ms` and the newest `past` before it, newest first. Later ends are not yet known then."""
    rows = connection.execute(
        "SELECT s.id, s.matcher, s.reason, s.by, s.began_ms, s.expires_ms, e.ended_ms FROM silence s "
        "LEFT JOIN silence_end e ON e.silence_id = s.id AND e.ended_ms <= ?1 "
        "WHERE s.began_ms <= ?1 AND (s.expires_ms > ?1 "
        "OR s.id IN (SELECT id FROM silence WHERE began_ms <= ?1 ORDER BY id DESC LIMIT ?2)) ORDER BY s.id DESC",
        (at_ms, past),
    )
    return tuple(
        SilenceRow(
            id=row[0], matcher=row[1], reason=row[2], by=row[3], began_ms=row[4], expires_ms=row[5], ended_ms=row[6]
        )
        for row in rows
    )


def _acknowledgements(connection: sqlite3.Connection, at_ms: int) -> dict[tuple[str, str, int], Acknowledgement]:
    rows = connection.execute(
        "SELECT rule, subject, began_ms, by, at_ms, note FROM acknowledgement WHERE at_ms <= ? "
        "AND id IN (SELECT id FROM acknowledgement ORDER BY id DESC LIMIT 1000) ORDER BY id",
        (at_ms,),
    )
    found = [Acknowledgement(*row) for row in rows]
    return {(each.rule, each.subject, each.began_ms): each for each in found}
