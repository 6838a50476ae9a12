"""What changed lately that bears on deployments: what went live, migrations, maintenance, vendors, alerts, actions."""

from __future__ import annotations

import sqlite3

from console.model import payload
from console.model.actions import RunOutcome
from console.model.deployment_rules import named
from console.model.states import State
from console.model.times import ago
from console.model.views import EventRow, alert_name
from console.store import codec
from console.store.freezes import KIND as FREEZE
from console.store.moment import Moment
from console.store.names import DAY_MS

SHOWN = 40
"""Lines: the highest terminal shows no more of a side column."""
BACK_MS = 30 * DAY_MS
_KINDS = "'deployment', 'rollback', 'migration', 'maintenance', 'vendor'"
_SEVERE = frozenset({"critical", "high"})
_STATES = {
    RunOutcome.DONE: State.HEALTHY,
    RunOutcome.WORSE: State.DEGRADED,
    RunOutcome.FAILED: State.UNHEALTHY,
    RunOutcome.UNKNOWN: State.UNKNOWN,
}
"""Of those that are told with a sign."""


def observed(moment: Moment) -> list[EventRow]:
    """Events and alerts, newest first."""
    rows = moment.connection.execute(
        "SELECT at_ms, kind, subject, text, state, data FROM event WHERE at_ms > ? AND at_ms <= ? AND at <= ? "
        f"AND kind IN ({_KINDS}) ORDER BY at_ms DESC, id DESC LIMIT ?",
        (moment.at_ms - BACK_MS, moment.at_ms, moment.position, SHOWN),
    )
    events = [
        EventRow(
            at_ms=at_ms,
            kind=kind,
            subject=subject,
            text=_short(kind, data) or text,
            state=State(state) if state else None,
        )
        for at_ms, kind, subject, text, state, data in rows
    ]
    return newest([*events, *_alerts(moment)])


def _short(kind: str, data: str) -> str:
    """Of what went live who and which: its message stands in the list beside it."""
    if kind not in ("deployment", "rollback"):
        return ""
    told = codec.loads(data)
    short, author = payload.text(told, "short"), payload.text(told, "author")
    if short is None:
        return ""
    return (f"rolled back to {short}" if kind == "rollback" else f"{short} live") + (f" ({author})" if author else "")


def _alerts(moment: Moment) -> list[EventRow]:
    """Their beginnings and their ends."""
    rows = moment.connection.execute(
        "SELECT a.rule, a.subject, a.severity, a.text, a.began_ms, e.ended_ms FROM alert a "
        "LEFT JOIN alert_end e ON e.alert_id = a.id AND e.at <= ?1 WHERE a.at <= ?1 AND a.began_ms > ?2 "
        "ORDER BY a.at DESC LIMIT ?3",
        (moment.position, moment.at_ms - BACK_MS, SHOWN),
    )
    found = []
    for rule, subject, severity, text, began_ms, ended_ms in rows:
        name = alert_name(rule, subject)
        state = State.UNHEALTHY if severity in _SEVERE else State.DEGRADED
        found.append(EventRow(at_ms=began_ms, kind="alert", subject=subject, text=f"{name}: {text}", state=state))
        if ended_ms is not None:
            words = f"{name} over after {ago((ended_ms - began_ms) / 1000)}"
            found.append(EventRow(at_ms=ended_ms, kind="alert", subject=subject, text=words, state=State.HEALTHY))
    return found


def recorded(connection: sqlite3.Connection, at_ms: int) -> list[EventRow]:
    """Actions with their outcome and who asked for them; freezes that ended at their time. Newest first."""
    return newest([*_runs(connection, at_ms), *_freezes(connection, at_ms)])


def _runs(connection: sqlite3.Connection, at_ms: int) -> list[EventRow]:
    """Each once: at its end, or where it has none yet at its begin."""
    rows = connection.execute(
        "SELECT action, title, operator, began_ms, CASE WHEN ended_ms <= ?1 THEN ended_ms END, outcome FROM run "
        "WHERE began_ms <= ?1 AND began_ms > ?2 ORDER BY began_ms DESC LIMIT ?3",
        (at_ms, at_ms - BACK_MS, SHOWN),
    )
    found = []
    for action, title, operator, began_ms, ended_ms, outcome in rows:
        ended = RunOutcome(outcome) if ended_ms is not None and outcome is not None else None
        words = f"{title}: {ended or 'not at its end'} ({named(operator)})"
        state = _STATES.get(ended) if ended is not None else None
        found.append(EventRow(at_ms=ended_ms or began_ms, kind="action", subject=action, text=words, state=state))
    return found


def _freezes(connection: sqlite3.Connection, at_ms: int) -> list[EventRow]:
    rows = connection.execute(
        "SELECT subject, owner, expires_ms FROM holding WHERE kind = ? AND expires_ms BETWEEN ? AND ? "
        "AND (ended_ms IS NULL OR ended_ms >= expires_ms) ORDER BY expires_ms DESC LIMIT ?",
        (FREEZE, at_ms - BACK_MS, at_ms, SHOWN),
    )
    return [
        EventRow(at_ms=expires_ms, kind="freeze", subject=subject, text=f"the freeze of {named(owner)} ran out")
        for subject, owner, expires_ms in rows
    ]


def newest(rows: list[EventRow]) -> list[EventRow]:
    """As many as are shown, newest first."""
    return sorted(rows, key=lambda row: row.at_ms, reverse=True)[:SHOWN]
