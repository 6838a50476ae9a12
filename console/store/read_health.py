"""The Health screen at a moment: verdict, components with their strips, what happened lately."""

from __future__ import annotations

from datetime import UTC, datetime

from console.model.observation import Origin
from console.model.states import State, worst
from console.model.views import ComponentRow, EventRow, Verdict
from console.store import codec
from console.store.moment import Moment, SpanAt
from console.store.names import COMPONENT, VERDICT
from console.store.timeline import wall_of

STRIP_S = 1800
NOT_POLLED = "not polled yet"


def verdict(moment: Moment) -> tuple[Verdict | None, int | None]:
    """(verdict, ms when it was last judged). The text is the newest of the same judgement, while figures are kept."""
    span = moment.span(VERDICT)
    if span is None:
        return None, None
    record = span.body
    if moment.figures is not None and moment.figures_at >= span.began_at:
        newest = moment.figures["verdict"]
        record = newest if codec.essence(newest) == codec.essence(record) else record
    return codec.verdict_from(record), wall_of(span.last_at)


def component_rows(moment: Moment, slices: int, strip_s: int = STRIP_S) -> tuple[ComponentRow, ...]:
    """One row for each component judged at the moment."""
    rows = (component_row(moment, key, slices, strip_s) for key in moment.components)
    return tuple(row for row in rows if row is not None)


def component_row(moment: Moment, key: str, slices: int, strip_s: int = STRIP_S) -> ComponentRow | None:
    """The row of one component, or None when it was never judged by then."""
    span = moment.span(COMPONENT + key)
    if span is None:
        return None
    seen = _seen_ms(moment, span)
    never = seen is None and not any(moment.span(target) for target in span.body["targets"])
    # What is not configured stays so, and what was never polled is unknown: neither has a value that could be old.
    late = moment.late(span) and not never
    last_ms = wall_of(span.last_at)
    return ComponentRow(
        key=key,
        name=span.body["name"],
        state=State.STALE if late else span.state,
        since_ms=last_ms if late else wall_of(span.since_at),
        figure=NOT_POLLED if never and span.body["targets"] else moment.figure(key),
        strip=strip(moment, COMPONENT + key, slices, strip_s),
        seen_ms=seen,
        interval_s=span.body["interval_s"],
        origin=Origin(span.body["origin"]),
        error=f"not polled since {clock_text(last_ms)}" if late else span.body["error"],
    )


def _seen_ms(moment: Moment, component: SpanAt) -> int | None:
    seen = (seen_ms(moment, moment.span(target)) for target in component.body["targets"])
    return max((each for each in seen if each is not None), default=None)


def seen_ms(moment: Moment, span: SpanAt | None) -> int | None:
    """When the target of the span last answered by the moment."""
    if span is None:
        return None
    answered_at = moment.last_answer(span)
    # A clock that went back leaves what lies after now: it was seen now at the latest.
    return min(wall_of(answered_at), moment.at_ms) if answered_at is not None else None


def strip(moment: Moment, target: str, slices: int, strip_s: int) -> tuple[State, ...]:
    """The worst state of each slice, oldest first. Slices lie on whole multiples of their length, so that they stand
    still; the newest is the one that the moment is in. One observed for less than half of it is at least UNKNOWN."""
    size_ms = strip_s * 1000 // slices
    first_ms = (moment.at_ms // size_ms - slices + 1) * size_ms
    seen: list[list[State]] = [[] for _ in range(slices)]
    observed = [0] * slices
    for low, high, state in moment.stretches(target, first_ms):
        for index in range(max(0, (low - first_ms) // size_ms), min(slices - 1, (high - first_ms) // size_ms) + 1):
            start = first_ms + index * size_ms
            covered = min(high, start + size_ms) - max(low, start)
            if covered > 0 or low == high:
                seen[index].append(state)
                observed[index] += covered
    lengths = [min(size_ms, moment.at_ms - first_ms - index * size_ms) for index in range(slices)]
    return tuple(
        worst([*states, State.UNKNOWN]) if not states or observed[index] * 2 < lengths[index] else worst(states)
        for index, states in enumerate(seen)
    )


def lately(moment: Moment, limit: int) -> tuple[EventRow, ...]:
    """The newest events and component changes, newest first."""
    rows = [*_events(moment, limit), *_changes(moment, limit)]
    return tuple(sorted(rows, key=lambda row: row.at_ms, reverse=True)[:limit])


def _events(moment: Moment, limit: int) -> list[EventRow]:
    rows = moment.connection.execute(
        "SELECT at_ms, kind, subject, text, state FROM event WHERE at_ms <= ? AND at <= ? "
        "ORDER BY at_ms DESC, id DESC LIMIT ?",
        (moment.at_ms, moment.position, limit),
    )
    return [
        EventRow(at_ms=at_ms, kind=kind, subject=subject, text=text, state=State(state) if state else None)
        for at_ms, kind, subject, text, state in rows
    ]


def _changes(moment: Moment, limit: int, component: str | None = None) -> list[EventRow]:
    """Changes of components' states; the first judgement of one is none."""
    rows = moment.connection.execute(
        "SELECT c.at, t.key, c.state FROM change c JOIN target t ON t.id = c.target_id WHERE c.at <= ? "
        "AND t.key != ? AND c.before IS NOT NULL AND c.before != c.state AND (?3 IS NULL OR t.key = ?3) "
        "ORDER BY c.at DESC LIMIT ?4",
        (moment.position, VERDICT, COMPONENT + component if component else None, limit),
    )
    found = []
    for at, key, state in rows:
        name = key.removeprefix(COMPONENT)
        found.append(
            EventRow(at_ms=wall_of(at), kind="state", subject=name, text=f"{name} {state}", state=State(state))
        )
    return found


def component_events(moment: Moment, key: str, subjects: set[str], limit: int) -> tuple[EventRow, ...]:
    """Events of the component or its targets and its changes of state, newest first."""
    rows = [row for row in _events(moment, limit * 20) if row.subject in subjects or row.subject == key]
    rows += _changes(moment, limit, key)
    return tuple(sorted(rows, key=lambda row: row.at_ms, reverse=True)[:limit])


def clock_text(at_ms: int) -> str:
    """`03:04:05 UTC`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S UTC")
