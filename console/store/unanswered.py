"""When a target gave no answer although it was asked, or would have been: while it hangs it is left alone between rare
polls, and what was not asked then was missed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from console.model.observation import ErrorKind, Outcome
from console.model.situation import EGRESS
from console.store.moment import Moment

_OURS = (ErrorKind.EGRESS, ErrorKind.LIMIT, ErrorKind.CREDENTIALS, ErrorKind.RATE_LIMITED, ErrorKind.INTERNAL)
"""Why a poll may fail, or not be tried, that says nothing of the target."""
DEFAULT_INTERVAL_MS = 5_000
Stretch = tuple[int, int]
"""From and until, in wall ms."""


def unanswered(moment: Moment, target: str, from_ms: int) -> list[Stretch]:
    """The stretches since `from_ms` in which it failed or was held by its circuit, without those in which this host
    was offline; oldest first."""
    found = [
        (low, high)
        for low, high, _, outcome, kind in moment.recorded(target, from_ms)
        if (outcome == Outcome.FAILED and kind not in _OURS) or (outcome == Outcome.HELD and kind == ErrorKind.CIRCUIT)
    ]
    offline = [
        (low, high) for low, high, _, outcome, _ in moment.recorded(EGRESS, from_ms) if outcome != Outcome.ANSWERED
    ]
    return sorted(part for stretch in found for part in _without(stretch, offline))


def interval_ms(moment: Moment, target: str) -> int:
    """Between its polls while it answers."""
    span = moment.answered(target)
    return span.interval_ms if span is not None else DEFAULT_INTERVAL_MS


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
