"""What happened between two times: from both files, as one time line."""

from __future__ import annotations

import sqlite3

from console.model.incident import Happening, alert_lines, event_lines, within
from console.model.states import State
from console.model.views import EventRow
from console.store.moment import Moment
from console.store.names import VERDICT
from console.store.notes import notes_between
from console.store.read_alerts import between
from console.store.read_records import RecordsAt
from console.store.timeline import wall_of

LIMIT = 2000
"""Lines of a kind: an incident is hours, and more is no time line."""


def observed(moment: Moment, records: RecordsAt, from_ms: int, to_ms: int) -> list[Happening]:
    """Alerts, events and changes of the whole state."""
    rows = moment.connection.execute(
        "SELECT at_ms, kind, subject, text, state FROM event WHERE at_ms BETWEEN ? AND ? ORDER BY at_ms, id LIMIT ?",
        (from_ms, to_ms, LIMIT),
    )
    events = [EventRow(at_ms=row[0], kind=row[1], subject=row[2], text=row[3]) for row in rows]
    return [
        *alert_lines(between(moment, records, from_ms, to_ms), from_ms, to_ms),
        *event_lines(events),
        *_states(moment, from_ms, to_ms),
    ]


def _states(moment: Moment, from_ms: int, to_ms: int) -> list[Happening]:
    if VERDICT not in moment.keys:
        return []
    rows = moment.connection.execute(
        "SELECT at, state, before FROM change WHERE target_id = ? AND before IS NOT state AND at <= ? "
        "ORDER BY at DESC LIMIT ?",
        (moment.keys[VERDICT], moment.position, LIMIT),
    )
    found = [
        Happening(at_ms=wall_of(at), kind="state", text=f"{State(state).value}, was {before or 'unknown'}")
        for at, state, before in rows
    ]
    return within(found, from_ms, to_ms)


def recorded(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> list[Happening]:
    """Notes, actions with their steps, silences."""
    notes = [Happening(at_ms=note.at_ms, kind="note", text=note.text, by=note.by)
             for note in notes_between(connection, from_ms, to_ms)]  # fmt: skip
    return [*notes, *_runs(connection, from_ms, to_ms), *_silences(connection, from_ms, to_ms)]


def _runs(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> list[Happening]:
    found = []
    for number, title, reason, operator, began_ms, ended_ms, outcome, words in connection.execute(
        "SELECT id, title, reason, operator, began_ms, ended_ms, outcome, words FROM run "
        "WHERE began_ms <= ? AND (ended_ms IS NULL OR ended_ms >= ?) ORDER BY id LIMIT ?",
        (to_ms, from_ms, LIMIT),
    ):
        found.append(Happening(at_ms=began_ms, kind="action", text=f"run {number}: {title}: {reason}", by=operator))
        if ended_ms is not None:
            text = f"run {number}: {outcome}: {words}"
            found.append(Happening(at_ms=ended_ms, kind="action over", text=text, by=operator))
    steps = connection.execute(
        "SELECT e.at_ms, e.run_id, e.step, e.outcome, e.words, "
        "(SELECT json_extract(s.value, '$.words') FROM run r, json_each(r.plan, '$.steps') s "
        " WHERE r.id = e.run_id AND json_extract(s.value, '$.key') = e.step) FROM run_entry e "
        "WHERE e.at_ms BETWEEN ? AND ? AND e.outcome NOT IN ('intended', 'progress') ORDER BY e.id LIMIT ?",
        (from_ms, to_ms, LIMIT),
    )
    found += [Happening(at_ms=at_ms, kind="step", text=f"run {run}: {told or step}: {outcome}: {words}")
              for at_ms, run, step, outcome, words, told in steps]  # fmt: skip
    return within(found, from_ms, to_ms)


def _silences(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> list[Happening]:
    rows = connection.execute(
        "SELECT began_ms, matcher, reason, by FROM silence WHERE began_ms BETWEEN ? AND ? ORDER BY id LIMIT ?",
        (from_ms, to_ms, LIMIT),
    )
    return [Happening(at_ms=row[0], kind="silence", text=f"{row[1]}: {row[2]}", by=row[3]) for row in rows]
