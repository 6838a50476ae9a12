"""Axes: clean ends, few ticks, times in their columns."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.chart_parts import MINUTE, START
from widgets.chart_frame import Axis
from widgets.scale import Scale, row_of, scale_of, tick_words, ticks, time_labels, touched

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE


@pytest.mark.parametrize(
    ("values", "target", "unit", "scale"),
    [
        ([1840, 2010], None, "ms", (0, 2400)),
        ([0.4], None, "", (0, 0.4)),
        ([12, 31], 100.0, "ms", (0, 100)),
        ([2], 100.0, "ms", (0, 2)),
        ([0, 0], 1.0, "%", (0, 1)),
        ([61], None, "%", (0, 100)),
        ([41], None, "%", (0, 50)),
        ([140], None, "%", (0, 160)),
        ([-3, 5], None, "", (-3, 5)),
        ([-3], None, "", (-3, 0)),
        ([], None, "", (0, 1)),
        ([0], None, "", (0, 1)),
        ([math.nan, 3], None, "", (0, 3)),
        ([math.inf], None, "", (0, 1e300)),
        ([5e-324], None, "", None),
    ],
)
def test_a_scale_has_zero_and_a_clean_end(
    values: list[float], target: float | None, unit: str, scale: tuple[float, float] | None
) -> None:
    found = scale_of(values, target, unit)
    assert found.low < found.high and found.low <= 0 <= found.high
    if scale is not None:
        assert (found.low, found.high) == pytest.approx(scale)


@pytest.mark.parametrize(
    ("values", "scale"),
    [([100.0, 99.97], (99.8, 100)), ([100.0, 98.0], (96, 100)), ([100.0, 40.0], (0, 100)), ([120.0], (0, 120))],
)
def test_a_share_with_a_floor_is_shown_near_its_end(values: list[float], scale: tuple[float, float]) -> None:
    found = scale_of(values, 99.9, "%", floor=True)
    assert found == pytest.approx(scale)
    assert scale_of(values, 99.9, "%").low == 0


@given(st.lists(st.floats(), max_size=20), st.one_of(st.none(), st.floats(-1e300, 1e300)))
def test_every_value_has_a_row(values: list[float], target: float | None) -> None:
    scale = scale_of(values, target, "")
    for value in values:
        if not math.isnan(value):
            assert 0 <= row_of(value, scale, 8) < 8


def test_there_are_at_most_three_ticks_and_that_of_the_target() -> None:
    assert sorted(ticks(Scale(0, 2000), None, 6).values()) == [0, 1000, 2000]
    assert len(ticks(Scale(0, 2000), None, 4)) == 2
    assert 600 in ticks(Scale(0, 1000), 600.0, 20).values()
    assert sorted(ticks(Scale(-10, 10), None, 9).values()) == [-10, 0, 10]
    beside = ticks(Scale(0, 1000), 550.0, 6)
    assert 500 not in beside.values() or 550 not in beside.values()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.025, "0.025"),
        (2000, "2,000"),
        (-250, "-250"),
        (25_000, "25k"),
        (1_500_000, "1.5M"),
        (3e9, "3G"),
        (2e12, "2T"),
        (1e20, "1e20"),
        (99.95, "99.95"),
        (62.5, "62.5"),
        (1e300, "1e300"),
        (-2_000, "-2k"),
        (-1_250_000, "-1.2M"),
        (-0.025, "-.025"),
        (0.000123, "1e-4"),
    ],
)
def test_tick_labels_are_short(value: float, text: str) -> None:
    assert tick_words(value) == text


@given(st.floats(-1e300, 1e300))
def test_no_tick_label_is_wider_than_its_cells(value: float) -> None:
    assert 0 < len(tick_words(value)) <= 5


@pytest.mark.parametrize(
    ("start", "end", "first"),
    [
        (START, START + HOUR, "02:30"),
        (START + 7 * MINUTE, START + 12 * MINUTE, "02:08"),
        (START, START + DAY, "06:00"),
        (START, START + 7 * DAY, "24 Nov"),
        (START, START + 30 * DAY, "28 Nov"),
    ],
)
def test_labels_are_at_clean_times(start: int, end: int, first: str) -> None:
    labels = time_labels(start, end, 34, frozenset())
    assert len(labels) >= 2 and first in [text for _, text in labels]
    assert all(one + len(text) + 2 <= other for (one, text), (other, _) in pairwise(labels))


def test_a_label_covers_no_mark_where_that_can_be() -> None:
    for column in range(34):
        labels = time_labels(START, START + HOUR, 34, frozenset({column}))
        assert len(labels) >= 2 and column not in touched(labels)


@pytest.mark.parametrize("span", [5 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY])
@pytest.mark.parametrize("width", [33, 68, 140])
@given(st.sets(st.integers(0, 139), max_size=60), st.integers(0, 139))
def test_a_time_axis_has_labels_among_any_marks(span: int, width: int, taken: set[int], chosen: int) -> None:
    labels = time_labels(START, START + span, width, frozenset(taken), frozenset({chosen}))
    assert len(labels) >= 2
    assert all(one + len(text) + 2 <= other for (one, text), (other, _) in pairwise(labels))


@given(st.integers(1, 400), st.integers(2, 200))
def test_a_moment_is_in_the_column_of_its_stretch(points: int, width: int) -> None:
    axis = Axis(START, MINUTE, points, points)
    for point in (0, points // 2, points - 1):
        middle = START + point * MINUTE + MINUTE // 2
        assert axis.column_at(middle, width) == axis.column(point, width)
    assert axis.column_at(START - 1, width) is None and axis.column_at(axis.end_ms, width) is None
    assert axis.point_at(START) == 0 and axis.point_at(axis.end_ms) is None
