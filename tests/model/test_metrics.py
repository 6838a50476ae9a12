"""Histograms and rollups: how near quantiles are to the exact ones, and that merging is merging."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.histograms import RELATIVE_ERROR, ForeignHistogram, LogHistogram, histogram_from, nearest_rank
from console.model.metrics import Rollup
from console.model.observation import Buckets

LATENCY = st.floats(min_value=0.001, max_value=600_000.0)
LATENCIES = st.lists(LATENCY, min_size=1, max_size=200)
SHARE = st.floats(min_value=0.0, max_value=1.0)
PARTS = st.lists(LATENCIES, min_size=1, max_size=6)


def near(found: float | None, exact: float | None) -> bool:
    assert found is not None and exact is not None
    return math.isclose(found, exact, rel_tol=RELATIVE_ERROR * (1 + 1e-9))


@given(LATENCIES, SHARE)
def test_a_quantile_is_within_one_percent_of_the_nearest_rank(values: list[float], q: float) -> None:
    assert near(LogHistogram.of(values).quantile(q), nearest_rank(values, q))


@given(PARTS, SHARE)
def test_merged_minutes_have_the_quantiles_of_all_their_values(parts: list[list[float]], q: float) -> None:
    merged = LogHistogram()
    for part in parts:
        merged = merged.merge(LogHistogram.of(part))
    assert near(merged.quantile(q), nearest_rank([value for part in parts for value in part], q))


@given(LATENCIES, LATENCIES, LATENCIES)
def test_merging_is_associative_and_commutative(a: list[float], b: list[float], c: list[float]) -> None:
    one, two, three = map(LogHistogram.of, (a, b, c))
    assert one.merge(two).merge(three) == one.merge(two.merge(three)) == three.merge(one).merge(two)


@given(LATENCIES)
def test_bytes_give_the_histogram_back(values: list[float]) -> None:
    histogram = LogHistogram.of(values)
    assert LogHistogram.from_bytes(histogram.to_bytes()) == histogram == histogram_from(histogram.to_bytes())


def test_a_minute_of_latencies_is_small() -> None:
    minute = LogHistogram.of([80, 81, 83, 79, 95, 140, 82, 81, 80, 78, 82, 81])
    assert len(minute.to_bytes()) <= 40


def test_nothing_is_unknown_and_not_zero() -> None:
    assert LogHistogram().quantile(0.95) is None
    assert nearest_rank([], 0.5) is None
    assert ForeignHistogram().quantile(0.5) is None
    assert Rollup.of([], distribution=True) is None
    assert Rollup.of_buckets([Buckets((1.0, math.inf), (0.0, 0.0))]) is None
    assert Rollup.merged([]) is None


def test_zero_and_below_count_as_zero() -> None:
    assert LogHistogram.of([0.0, -5.0, 100.0]).quantile(0.5) == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="counted"):
        LogHistogram().add(value)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x93\x01\x02\x03", b"\xa3abc"])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        histogram_from(data)


def test_the_nearest_rank_is_the_floor() -> None:
    assert nearest_rank([10, 20, 30, 40], 0.5) == 20
    assert nearest_rank([10, 20, 30, 40], 0.95) == 30
    assert nearest_rank([10, 20, 30, 40], 1.0) == 40


BOUNDS = (100.0, 250.0, 500.0, math.inf)


def test_foreign_bounds_are_kept_and_shown() -> None:
    histogram = ForeignHistogram.of([Buckets(BOUNDS, (90, 9, 1, 0)), Buckets(BOUNDS, (0, 0, 0, 0))])
    assert histogram.parts == (Buckets(BOUNDS, (90, 9, 1, 0)),)
    assert histogram.quantile_bounds(0.95) == (100.0, 250.0)
    found = histogram.quantile(0.95)
    assert found is not None and 100 < found < 250


def test_the_open_bucket_gives_its_lower_bound() -> None:
    histogram = ForeignHistogram.of([Buckets(BOUNDS, (0, 0, 0, 7))])
    assert histogram.quantile_bounds(0.99) == (500.0, math.inf)
    assert histogram.quantile(0.99) == 500.0


def test_other_bounds_after_a_deployment_are_kept_apart() -> None:
    before, after = Buckets(BOUNDS, (10, 0, 0, 0)), Buckets((200.0, math.inf), (10, 0))
    merged = ForeignHistogram.of([before]).merge(ForeignHistogram.of([after]))
    assert merged.parts == (before, after)
    assert merged.n == 20
    found = merged.quantile(0.5)
    assert found is not None and found <= 200


COUNTS = st.lists(st.integers(0, 1000), min_size=4, max_size=4).map(lambda counts: Buckets(BOUNDS, tuple(counts)))


@given(st.lists(COUNTS, min_size=1, max_size=8), SHARE)
def test_a_foreign_quantile_lies_within_its_bounds(samples: list[Buckets], q: float) -> None:
    histogram = ForeignHistogram.of(samples)
    found, bounds = histogram.quantile(q), histogram.quantile_bounds(q)
    if histogram.n == 0:
        assert found is None and bounds is None
        return
    assert found is not None and bounds is not None
    assert bounds[0] <= found <= bounds[1]
    assert ForeignHistogram.from_bytes(histogram.to_bytes()) == histogram


@given(PARTS)
def test_a_rollup_of_rollups_is_the_rollup_of_all(parts: list[list[float]]) -> None:
    values = [value for part in parts for value in part]
    minutes = [rollup for part in parts if (rollup := Rollup.of(part, distribution=True)) is not None]
    hour = Rollup.merged(minutes)
    assert hour is not None
    assert (hour.n, hour.min, hour.max, hour.minutes) == (len(values), min(values), max(values), len(parts))
    assert math.isclose(hour.sum, math.fsum(values))
    assert near(hour.p95, nearest_rank(values, 0.95))
    assert math.isclose(hour.mean, math.fsum(values) / len(values))


def test_a_gauge_has_no_quantiles() -> None:
    rollup = Rollup.of([1.0, 0.0], distribution=False)
    assert rollup is not None and rollup.p95 is None and rollup.hist is None


def test_a_rollup_of_foreign_buckets_says_between_what_it_lies() -> None:
    rollup = Rollup.of_buckets([Buckets(BOUNDS, (0, 4, 0, 1))])
    assert rollup is not None
    assert (rollup.n, rollup.min, rollup.max) == (5, 100.0, 500.0)
    again = Rollup.merged([rollup, rollup])
    assert again is not None and again.n == 10
