"""When a target is asked next. Pure: what was seen of it in, seconds out."""

from __future__ import annotations

import random
from dataclasses import dataclass

CONFIRM_S = 5.0
"""A poll that contradicts the settled state is repeated this soon, however long the interval."""
TROUBLE_S = 60.0
"""A target in trouble is asked at least this often, so that the end shows: a renewed certificate within a minute."""
LONGEST_HANG_S = 60.0
CIRCUIT_TIMEOUTS = 3
"""Time-outs in a row after which the circuit opens."""
JITTER_SHARE = 0.05
"""Intervals are shortened by up to this share, never lengthened: two polls lie within two rounds."""
FIRST_SPACING_S = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a target's polls have gone lately."""

    interval_s: float
    timeouts: int = 0
    """Polls in a row that ran into their time-out."""
    is_unsettled: bool = False
    """The newest poll contradicts the state that the polls before it settled."""
    is_troubled: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: the target hangs and is left alone between rare polls."""
        return self.timeouts >= CIRCUIT_TIMEOUTS


def pace_s(course: Course) -> float:
    """Seconds from one poll to the next.

    A probe that gives up leaves a connection open upstream for as long as the target hangs (300 s seen), so only
    time-outs make polls rare: 5, 10, 20, 40, 60 s. The first is followed up at the usual pace.
    """
    if course.timeouts > 1:
        hang_s = max(course.interval_s, CONFIRM_S) * 2.0 ** min(course.timeouts - 1, 10)
        return max(course.interval_s, min(hang_s, LONGEST_HANG_S))
    if course.is_unsettled:
        return min(course.interval_s, CONFIRM_S)
    return min(course.interval_s, TROUBLE_S) if course.is_troubled else course.interval_s


def next_due_ms(course: Course, started_ms: int, ended_ms: int, chance: random.Random) -> int:
    """When to ask again (steady ms). A poll that hung is counted from its end, others from their begin."""
    pace_ms = pace_s(course) * 1000 * (1 - JITTER_SHARE * chance.random())
    begin_ms = ended_ms if course.timeouts else started_ms
    return max(ended_ms, begin_ms + int(pace_ms))


def first_delay_s(position: int, count: int, interval_s: float) -> float:
    """The first poll of the target at `position` of `count`: all at once would measure our own queue."""
    return position * min(FIRST_SPACING_S, interval_s / max(1, count))
