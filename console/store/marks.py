"""What happened within a window, as marks on its axis: events, components that failed, alerts with their end."""

from __future__ import annotations

from console.model.grid import Grid
from console.model.metric_views import DEPLOYMENT, Mark
from console.model.states import State
from console.store.moment import Moment
from console.store.names import COMPONENT
from console.store.timeline import wall_of

LIMIT = 500
"""The newest of each kind of row; more are not told apart on any screen."""
_KINDS = frozenset({"deployment", "rollback", "migration", "fault", "maintenance", "vendor", "restart"})
_RELEASES = frozenset({"deployment", "rollback"})
_SEVERE = frozenset({"critical", "high"})
_OWNERS = {"migration": "database", "database": "database", "deployment": "vercel", "rollback": "vercel"}


def marks(moment: Moment, grid: Grid) -> tuple[Mark, ...]:
    """Oldest first. What was recorded after the moment is not known, nor is an end that came after it."""
    end_ms = min(grid.end_ms, moment.at_ms + 1)
    low_ms = grid.start_ms
    found = [
        *_events(moment, low_ms, end_ms),
        *_faults(moment, low_ms, end_ms),
        *_alerts(moment, low_ms, end_ms),
    ]
    return tuple(sorted(found, key=lambda mark: mark.at_ms))


def _events(moment: Moment, low_ms: int, end_ms: int) -> list[Mark]:
    rows = moment.connection.execute(
        "SELECT at_ms, kind, subject, text, state, key, json_extract(data, '$.id') FROM event "
        "WHERE at_ms >= ? AND at_ms < ? AND at <= ? "
        "ORDER BY at_ms DESC, id DESC LIMIT ?",
        (low_ms, end_ms, moment.position, LIMIT),
    )
    owners, found = _owners(moment), rows.fetchall()
    ends = {key: at_ms for at_ms, kind, _, _, _, key, _ in found if kind == "maintenance"}
    return [
        Mark(
            at_ms=at_ms,
            kind=_kind(kind, key),
            subject=subject,
            text=text,
            state=State(state) if state else None,
            until_ms=ends.get(_end_of(key)) if kind == "maintenance" else None,
            reference=_deployment(kind, name) or owners.get(subject) or _OWNERS.get(kind, ""),
        )
        for at_ms, kind, subject, text, state, key, name in found
    ]


def _deployment(kind: str, name: object) -> str:
    """What leads to the deployment that went live; empty: the event names none."""
    return f"{DEPLOYMENT}{name}" if kind in _RELEASES and isinstance(name, str) and name else ""


def _end_of(key: str) -> str:
    """The key of the event that ends what this one begins."""
    return key.removesuffix("/began") + "/ended" if key.endswith("/began") else ""


def _kind(kind: str, key: str) -> str:
    """The kind as marks name it: what is none of the known is a change."""
    if key.startswith("database/restarted"):
        return "restart"
    return kind if kind in _KINDS else "change"


def _owners(moment: Moment) -> dict[str, str]:
    """The component of each target judged at the moment, and of its own name."""
    found: dict[str, str] = {}
    for component in moment.components:
        span = moment.span(COMPONENT + component)
        found |= {target: component for target in span.body["targets"]} if span else {}
        found[component] = component
    return found


def _faults(moment: Moment, low_ms: int, end_ms: int) -> list[Mark]:
    """Components that became unhealthy."""
    rows = moment.connection.execute(
        "SELECT c.at, t.key FROM change c JOIN target t ON t.id = c.target_id "
        "WHERE c.at >= ? AND c.at <= ? AND c.state = ? AND t.key LIKE ? ORDER BY c.at DESC LIMIT ?",
        (moment.timeline.position(low_ms), moment.position, State.UNHEALTHY.value, f"{COMPONENT}%", LIMIT),
    )
    found = [(wall_of(at), key.removeprefix(COMPONENT)) for at, key in rows]
    return [
        Mark(
            at_ms=at_ms,
            kind="fault",
            subject=component,
            text=f"{component} unhealthy",
            state=State.UNHEALTHY,
            reference=component,
        )
        for at_ms, component in found
        if low_ms <= at_ms < end_ms
    ]


def _alerts(moment: Moment, low_ms: int, end_ms: int) -> list[Mark]:
    rows = moment.connection.execute(
        "SELECT a.id, a.rule, a.subject, a.severity, a.text, a.began_ms, e.ended_ms FROM alert a "
        "LEFT JOIN alert_end e ON e.alert_id = a.id AND e.at <= ?1 "
        "WHERE a.at <= ?1 AND a.began_ms >= ?2 AND a.began_ms < ?3 ORDER BY a.at DESC LIMIT ?4",
        (moment.position, low_ms, end_ms, LIMIT),
    )
    return [
        Mark(
            at_ms=began_ms,
            kind="alert",
            subject=subject,
            text=f"{rule}: {text}",
            state=State.UNHEALTHY if severity in _SEVERE else State.DEGRADED,
            until_ms=ended_ms,
            reference=str(number),
        )
        for number, rule, subject, severity, text, began_ms, ended_ms in rows
    ]
