"""What Enter on a component opens: every target of it with value, tries, raw answer and history."""

from __future__ import annotations

from console.model.observation import Buckets, ErrorKind, Origin, Outcome
from console.model.states import State
from console.model.views import ComponentRow, EventRow, SpanRow, TargetDetail
from console.store import codec
from console.store.moment import Moment, SpanAt
from console.store.names import COMPONENT, POLLED
from console.store.read_health import clock_text, component_events, component_row, seen_ms
from console.store.timeline import wall_of
from console.store.window import last_value

HISTORY = 50
EVENTS = 20


def row(moment: Moment, key: str, slices: int) -> ComponentRow:
    """The component's row; one that was never judged is unknown."""
    return component_row(moment, key, slices) or unknown_row(key, slices)


def unknown_row(key: str, slices: int) -> ComponentRow:
    """A component of which nothing is stored."""
    return ComponentRow(
        key=key,
        name=key,
        state=State.UNKNOWN,
        since_ms=None,
        figure="",
        strip=(State.UNKNOWN,) * slices,
        seen_ms=None,
        interval_s=None,
        origin=Origin.NONE,
    )


def parts(moment: Moment, key: str) -> tuple[tuple[str, ...], tuple[TargetDetail, ...], tuple[EventRow, ...]]:
    """(explanation, targets, events) of a component."""
    component = moment.span(COMPONENT + key)
    names: list[str] = component.body["targets"] if component else []
    details = [detail(moment, span) for span in map(moment.span, names) if span is not None]
    explanation = tuple(component.body["explanation"]) if component else ()
    return explanation, tuple(details), component_events(moment, key, set(names), EVENTS)


def detail(moment: Moment, span: SpanAt) -> TargetDetail:
    """One target. When the newest try gave no value, the facts are those of the last that did."""
    answered = moment.answered_before(span) or span
    late, tried_ms = moment.late(span), min(wall_of(moment.tried_at(span)), moment.at_ms)
    volatile_ms, volatile = _volatile(moment, span.target)
    return TargetDetail(
        target=span.target,
        state=State.STALE if late else span.state,
        words=f"not polled since {clock_text(tried_ms)}; then: {span.body['words']}" if late else span.body["words"],
        outcome=Outcome(span.outcome),
        error_kind=ErrorKind(span.error_kind) if span.error_kind else None,
        origin=Origin(span.body["origin"]),
        seen_ms=seen_ms(moment, span),
        tried_ms=tried_ms,
        due_ms=tried_ms + 2 * span.interval_ms,
        interval_s=span.interval_ms / 1000,
        facts=answered.body["facts"],
        samples=_samples(moment, span.target),
        volatile=volatile,
        volatile_ms=volatile_ms,
        history=tuple(map(_span_row, moment.spans(span.target, HISTORY))),
    )


def _span_row(span: SpanAt) -> SpanRow:
    return SpanRow(
        began_ms=wall_of(span.began_at),
        last_ms=wall_of(span.last_at),
        outcome=Outcome(span.outcome),
        error_kind=ErrorKind(span.error_kind) if span.error_kind else None,
        state=span.state,
        words=span.body["words"],
    )


def _volatile(moment: Moment, target: str) -> tuple[int | None, codec.Record]:
    found = moment.connection.execute(
        "SELECT at, data FROM volatile WHERE target_id = ? AND at <= ? ORDER BY at DESC LIMIT 1",
        (moment.keys[target], moment.position),
    ).fetchone()
    return (wall_of(found[0]), codec.unpacked(found[1])) if found else (None, {})


def _samples(moment: Moment, target: str) -> dict[str, float]:
    """The newest samples by the moment: as polled, or from blocks, or the mean of the last whole minute."""
    found = moment.connection.execute(
        "SELECT data FROM recent WHERE target_id = ? AND at <= ? AND data LIKE '[1,%' ORDER BY at DESC LIMIT 1",
        (moment.keys[target], moment.position),
    ).fetchone()
    names = dict(moment.connection.execute("SELECT id, metric FROM series WHERE target_id = ?", (moment.keys[target],)))
    if found is not None:
        samples = codec.samples_from(found[0])[1]
        return {names[number]: sample for number, sample in samples if not isinstance(sample, Buckets)}
    values = {metric: last_value(moment, f"{target}|{metric}") for metric in names.values() if metric != POLLED}
    return {metric: value for metric, value in values.items() if value is not None}
