"""When a target is asked next."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.collector.schedule import Course, first_delay_s, next_due_ms, pace_s


@pytest.mark.parametrize(
    ("course", "seconds"),
    [
        (Course(interval_s=5), 5),
        (Course(interval_s=5, timeouts=1, is_unsettled=True, is_troubled=True), 5),
        (Course(interval_s=5, timeouts=2), 10),
        (Course(interval_s=5, timeouts=3), 20),
        (Course(interval_s=5, timeouts=4), 40),
        (Course(interval_s=5, timeouts=5), 60),
        (Course(interval_s=5, timeouts=5000), 60),
        (Course(interval_s=5, is_troubled=True), 5),
        (Course(interval_s=3600, is_unsettled=True), 5),
        (Course(interval_s=3600, is_troubled=True), 60),
        (Course(interval_s=3600, timeouts=9), 3600),
        (Course(interval_s=1, timeouts=2), 10),
    ],
)
def test_only_time_outs_make_polls_rare(course: Course, seconds: float) -> None:
    assert pace_s(course) == seconds


def test_the_circuit_opens_with_the_third_time_out() -> None:
    assert [Course(interval_s=5, timeouts=number).is_open for number in range(5)] == [False, False, False, True, True]


@given(
    interval_s=st.floats(0.5, 3600), took_ms=st.integers(0, 30_000), timeouts=st.integers(0, 8), seed=st.integers(0, 99)
)
def test_two_polls_lie_within_two_rounds_and_never_overlap(
    interval_s: float, took_ms: int, timeouts: int, seed: int
) -> None:
    course = Course(interval_s=interval_s, timeouts=timeouts)
    due_ms = next_due_ms(course, 1_000, 1_000 + took_ms, random.Random(seed))
    assert due_ms >= 1_000 + took_ms
    begin_ms = 1_000 + took_ms if timeouts else 1_000
    assert due_ms <= max(1_000 + took_ms, begin_ms + pace_s(course) * 1000)


@pytest.mark.parametrize(("count", "interval_s"), [(14, 5.0), (200, 5.0), (1000, 5.0)])
def test_the_first_polls_are_spread_within_one_interval(count: int, interval_s: float) -> None:
    delays = [first_delay_s(position, count, interval_s) for position in range(count)]
    assert delays[0] == 0 and max(delays) < interval_s
    assert all(0 < later - sooner <= 0.025 + 1e-9 for sooner, later in pairwise(delays))
