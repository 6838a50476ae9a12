"""Histograms whose buckets lie side by side say what the same counts say as a mapping."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec.msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.histograms import LogHistogram, histogram_from
from console.model.lanes import LEAST_BUCKETS, MARK, MOST, lanes_from, lanes_of
from console.model.merging import merged_bytes, merged_histogram

ZERO = -32_768


def hour(seed: int, many: int, zeros: int) -> list[float]:
    chance = random.Random(seed)
    return [chance.lognormvariate(4, 0.5) for _ in range(many)] + [0.0] * zeros


DENSE = st.builds(hour, st.integers(0, 10**6), st.integers(400, 900), st.integers(0, 40))
SPARSE = st.lists(st.floats(0, 1e9), min_size=1, max_size=20)
PARTS = st.lists(st.one_of(DENSE, DENSE, SPARSE), min_size=1, max_size=8)
QS = [0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0]


def stored(values: Sequence[float]) -> LogHistogram:
    found = histogram_from(LogHistogram.of(values).to_bytes())
    assert isinstance(found, LogHistogram)
    return found


def added_up(parts: Sequence[Sequence[float]]) -> LogHistogram:
    """One value after the other, never as lanes."""
    return LogHistogram.of(value for part in parts for value in part)


@given(PARTS, st.floats(-1, 1000))
def test_what_is_merged_is_what_the_values_are_together(parts: list[list[float]], bound: float) -> None:
    merged = merged_histogram([stored(part) for part in parts])
    expected = added_up(parts)
    assert isinstance(merged, LogHistogram)
    assert merged.quantiles(QS) == expected.quantiles(QS)
    assert (merged.n, merged.share_within(bound)) == (expected.n, expected.share_within(bound))
    assert merged == expected
    assert merged_bytes([LogHistogram.of(part).to_bytes() for part in parts]) == expected
    again = histogram_from(merged.to_bytes())
    assert again == expected


@given(DENSE)
def test_hours_are_stored_as_lanes_and_stay_so_when_merged(values: list[float]) -> None:
    data = LogHistogram.of(values).to_bytes()
    assert data[0] == MARK
    merged = merged_histogram([stored(values), stored(values)])
    assert isinstance(merged, LogHistogram) and merged.lanes is not None


@given(DENSE, st.floats(0, 1e6))
def test_what_is_added_later_counts_too(values: list[float], more: float) -> None:
    histogram = stored(values)
    histogram.add(more)
    histogram.take_in(stored(values))
    expected = added_up([values, values, [more]])
    assert (histogram.n, histogram.quantiles(QS)) == (expected.n, expected.quantiles(QS))


def test_many_hours_together_overflow_no_lane() -> None:
    values = [float(value) for value in range(100, 200)] * 300
    merged = merged_histogram([stored(values) for _ in range(7)])
    assert isinstance(merged, LogHistogram)
    assert merged.n == 7 * len(values) > 2 * MOST
    assert merged == added_up([values] * 7)


@pytest.mark.parametrize(
    "counts",
    [
        dict.fromkeys(range(LEAST_BUCKETS - 1), 1),
        dict.fromkeys(range(0, 4 * LEAST_BUCKETS, 4), 1),
        dict.fromkeys(range(LEAST_BUCKETS), MOST),
    ],
    ids=["few", "far apart", "too many"],
)
def test_what_is_no_shorter_as_lanes_is_stored_as_a_mapping(counts: dict[int, int]) -> None:
    assert lanes_of(counts, ZERO) is None
    assert msgspec.msgpack.decode(LogHistogram(counts).to_bytes()) == counts


def test_mappings_of_older_stores_are_read() -> None:
    counts = LogHistogram.of(random.Random(1).lognormvariate(4, 0.3) for _ in range(720)).counts
    assert histogram_from(msgspec.msgpack.encode(dict(counts))) == LogHistogram(counts)


@pytest.mark.parametrize("data", [bytes([MARK]), bytes([MARK]) + bytes(9), bytes([MARK, *bytes(10), 7])])
def test_damaged_lanes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="lanes"):
        histogram_from(data)
    with pytest.raises(ValueError):
        merged_bytes([LogHistogram.of([1.0]).to_bytes(), data])
    with pytest.raises(ValueError, match="lanes"):
        merged_bytes([data, data])


def test_lanes_of_nothing_are_not_told_as_lanes() -> None:
    with pytest.raises(ValueError, match="lanes"):
        lanes_from(LogHistogram.of([1.0, 2.0]).to_bytes() + bytes(16))
