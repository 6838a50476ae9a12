"""When a target gave no answer although it was asked, or would have been: while it hangs it is left alone between rare
polls, and what was not asked then was missed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from console.model.observation import ErrorKind, Outcome
from console.store.moment import Moment
from console.store.timeline import Segment, wall_of

_OURS = (ErrorKind.EGRESS, ErrorKind.LIMIT, ErrorKind.CREDENTIALS, ErrorKind.RATE_LIMITED, ErrorKind.INTERNAL)
"""Why a poll may fail, or not be tried, that says nothing of the target."""
EGRESS = "egress"
"""The target that tells whether this host is online."""
DEFAULT_INTERVAL_MS = 5_000
Stretch = tuple[int, int]
"""From and until, in wall ms."""


def unanswered(moment: Moment, target: str, from_ms: int) -> list[Stretch]:
    """The stretches since `from_ms` in which it failed or was held by its circuit, without those in which this host
    was offline; oldest first."""
    found = [
        (low, high)
        for low, high, outcome, kind in _spans(moment, target, from_ms)
        if (outcome == Outcome.FAILED and kind not in _OURS) or (outcome == Outcome.HELD and kind == ErrorKind.CIRCUIT)
    ]
    offline = [(low, high) for low, high, outcome, _ in _spans(moment, EGRESS, from_ms) if outcome != Outcome.ANSWERED]
    return sorted(part for stretch in found for part in _without(stretch, offline))


def interval_ms(moment: Moment, target: str) -> int:
    """Between its polls while it answers."""
    row = moment.connection.execute(
        "SELECT (coalesce(o.due_at, s.due_at) - coalesce(o.last_at, s.last_at)) / 2 FROM span s LEFT JOIN open_span o "
        "ON o.target_id = s.target_id AND o.span_id = s.id WHERE s.target_id = ? AND s.began_at <= ? "
        "AND s.outcome = ? ORDER BY s.began_at DESC LIMIT 1",
        (moment.keys.get(target), moment.position, Outcome.ANSWERED.value),
    ).fetchone()
    return max(1, int(row[0])) if row else DEFAULT_INTERVAL_MS


def _spans(moment: Moment, target: str, from_ms: int) -> Iterator[tuple[int, int, str, str | None]]:
    """(from, until, outcome, kind of error): each until its due time, the next one or the moment."""
    for segment in moment.timeline.segments(from_ms, moment.at_ms):
        yield from _within(moment, moment.keys.get(target), segment)


def _within(moment: Moment, target: int | None, segment: Segment) -> Iterator[tuple[int, int, str, str | None]]:
    rows = moment.connection.execute(
        "SELECT s.began_at, coalesce(o.due_at, s.due_at), s.outcome, s.error_kind FROM span s LEFT JOIN open_span o "
        "ON o.target_id = s.target_id AND o.span_id = s.id WHERE s.target_id = ?1 AND s.began_at <= ?3 "
        "AND s.began_at >= coalesce((SELECT max(began_at) FROM span WHERE target_id = ?1 AND began_at <= ?2), ?2) "
        "ORDER BY s.began_at DESC",
        (target, segment.low, segment.high),
    )
    next_at = segment.high
    for began_at, due_at, outcome, kind in rows:
        low, high = max(began_at, segment.low), min(due_at, next_at)
        if low < high:
            yield wall_of(low), wall_of(high), outcome, kind
        next_at = began_at


def _without(stretch: Stretch, holes: list[Stretch]) -> Iterator[Stretch]:
    """What is left of a stretch."""
    low, high = stretch
    for begin, end in sorted(holes):
        if end <= low or begin >= high:
            continue
        if begin > low:
            yield low, begin
        low = end
    if low < high:
        yield low, high
