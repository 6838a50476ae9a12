"""The service-level targets at a moment, and the age of what each rests on: a value of before is none of now."""

from __future__ import annotations

from dataclasses import replace

from console.model.states import State, rank
from console.model.views import TargetRow
from console.store import codec
from console.store.moment import Moment, SpanAt
from console.store.names import JUDGED, RAW_MS
from console.store.read_health import seen_ms
from console.store.timeline import wall_of
from console.store.window import last_value

VALUE_AGE_MS = 120_000
USERS, CANARY = "metrics", "postgres.canary"
SOURCES = {"p95": USERS, "errors": USERS, "memory": USERS, "db query": CANARY}
"""The polled target from which each row's value comes."""


def targets(moment: Moment) -> tuple[TargetRow, ...]:
    """The service-level targets as judged. Where the figures are thinned out, their values come from minute rollups
    of what was judged, held against the limits of then. A row is STALE while nothing is judged, or while its source
    gives nothing; it keeps its last value."""
    if moment.figures is None:
        return ()
    rows = codec.targets_from(moment.figures)
    newest_ms = wall_of(moment.lease.last_at) if moment.lease else moment.at_ms
    if newest_ms - moment.at_ms > RAW_MS:
        rows = tuple(_as_of_minute(moment, row) for row in rows)
    late = not moment.judged
    return tuple(_aged(moment, row, late) for row in rows)


def _aged(moment: Moment, row: TargetRow, late: bool) -> TargetRow:
    span = moment.span(SOURCES.get(row.name, ""))
    failing = span is not None and (span.outcome != "answered" or moment.late(span))
    row = _with_last_value(moment, row, span) if failing and row.value is None else row
    # A row without any value is unknown, however old it is.
    stale = (late or failing) and row.value is not None
    return replace(row, seen_ms=seen_ms(moment, span), state=State.STALE if stale else row.state)


def _with_last_value(moment: Moment, row: TargetRow, span: SpanAt | None) -> TargetRow:
    """The row as it was judged when its source last answered, once the window of five minutes has lost that value."""
    seen_at = None if span is None else moment.last_answer(span)
    if seen_at is None or moment.position - seen_at > RAW_MS:
        return row
    figures = moment.figures_by(seen_at)
    then = {each.name: each for each in codec.targets_from(figures)} if figures else {}
    return replace(then[row.name], aside=row.aside) if row.name in then else row


def _as_of_minute(moment: Moment, row: TargetRow) -> TargetRow:
    value = last_value(moment, f"{JUDGED}|{row.name}", VALUE_AGE_MS)
    if value is None:
        return row
    met = value < row.limit
    state = State.HEALTHY if met else max(row.state, State.DEGRADED, key=rank)
    # Of a bound that a minute's value has left, the minutes do not tell whether there was another.
    return replace(row, value=value, state=state, at_least=row.at_least and value >= (row.value or 0))
