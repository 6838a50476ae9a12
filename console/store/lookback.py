"""What a collector that starts reads of the time before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from console.model.bounds import usable
from console.model.judgement import AlertChange
from console.model.observation import ErrorKind, Event, Observation, Origin, Outcome, Sample
from console.model.states import State
from console.store import codec
from console.store.lease import read_lease
from console.store.moment import Moment
from console.store.names import COMPONENT
from console.store.rounds import own_key
from console.store.timeline import wall_of
from console.store.window import Series


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest span of a target."""

    observation: Observation
    began_ms: int
    last_ms: int
    answered_ms: int | None
    """When it last answered; None: never."""
    state_since_ms: int


def open_alerts(connection: sqlite3.Connection) -> tuple[AlertChange, ...]:
    """Alerts that have begun and not ended, oldest first."""
    rows = connection.execute(
        'SELECT rule, subject, severity, text, origin, pending_ms, began_ms, value, "limit", unit FROM alert '
        "WHERE id IN (SELECT alert_id FROM alert_open) ORDER BY at, id"
    )
    return tuple(
        AlertChange(
            rule=row[0],
            subject=row[1],
            severity=row[2],
            text=row[3],
            origin=Origin(row[4]),
            pending_ms=row[5],
            began_ms=row[6],
            value=row[7],
            limit=row[8],
            unit=row[9],
        )
        for row in rows
    )


def last_observation(connection: sqlite3.Connection, target: str) -> Seen | None:
    """The newest span of a target, as an observation without samples."""
    row = connection.execute(
        "SELECT s.outcome, s.error_kind, s.state, b.json, s.began_at, o.last_at, s.since_at, s.answered_id, s.id "
        "FROM target t JOIN open_span o ON o.target_id = t.id JOIN span s ON s.id = o.span_id "
        "JOIN body b ON b.id = s.body_id WHERE t.key = ?",
        (target,),
    ).fetchone()
    if row is None:
        return None
    body = codec.loads(row[3])
    observation = Observation(
        target=target,
        outcome=Outcome(row[0]),
        error_kind=ErrorKind(row[1]) if row[1] else None,
        state=State(row[2]),
        words=body["words"],
        origin=Origin(body["origin"]),
        facts=body["facts"],
    )
    answered_ms = wall_of(row[5]) if row[0] == Outcome.ANSWERED else _last_ms(connection, row[7])
    return Seen(observation, wall_of(row[4]), wall_of(row[5]), answered_ms, wall_of(row[6]))


def _last_ms(connection: sqlite3.Connection, span_id: int | None) -> int | None:
    row = connection.execute("SELECT last_at FROM span WHERE id = ?", (span_id,)).fetchone()
    return wall_of(row[0]) if row else None


def component_states(connection: sqlite3.Connection) -> Mapping[str, tuple[State, int]]:
    """Each component's newest state and since when."""
    rows = connection.execute(
        "SELECT t.key, s.state, s.since_at FROM open_span o JOIN target t ON t.id = o.target_id "
        "JOIN span s ON s.id = o.span_id WHERE t.key GLOB ?",
        (COMPONENT + "*",),
    )
    return {key.removeprefix(COMPONENT): (State(state), wall_of(since_at)) for key, state, since_at in rows}


def recent_events(connection: sqlite3.Connection, most: int) -> tuple[Event, ...]:
    """The events that happened last, oldest first, whole as they were written."""
    rows = connection.execute(
        "SELECT at_ms, kind, subject, text, state, key, data FROM event ORDER BY at_ms DESC, id DESC LIMIT ?", (most,)
    ).fetchall()
    return tuple(_event(*row) for row in reversed(rows))


def _event(at_ms: int, kind: str, subject: str, text: str, state: str | None, key: str, data: str) -> Event:
    return Event(
        at_ms=at_ms,
        kind=kind,
        subject=subject,
        text=text,
        state=State(state) if state else None,
        key="" if key == own_key(kind, subject, at_ms) else key,
        data=codec.loads(data),
    )


def recent_samples(connection: sqlite3.Connection, series: str, since_ms: int, now_ms: int) -> list[tuple[int, Sample]]:
    """(ms, sample) of a series from `since_ms` on, oldest first; without what was stored before it was refused."""
    found = Series(moment_of(connection, now_ms), series).samples(since_ms)
    return [each for each in found if usable(each[1])]


def moment_of(connection: sqlite3.Connection, now_ms: int) -> Moment:
    """Now, no earlier than the newest round."""
    lease = read_lease(connection)
    return Moment(connection, None, max(now_ms, wall_of(lease.last_at) if lease else now_ms))
