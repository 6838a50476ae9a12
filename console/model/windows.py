"""The samples of the last minutes, in memory, for rules that look back."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from console.model.moment import Moment
from console.model.observation import Buckets, Sample

LARGEST_SERIES = 20_000
"""Points kept of one series: more than an hour of rounds each 200 ms; a window longer than that is cut."""


def nearest_rank(values: Sequence[float], q: float) -> float | None:
    """The value at rank ⌊q(n−1)⌋ of `values` (any order); None when there are none."""
    return sorted(values)[math.floor(q * (len(values) - 1))] if values else None


def bucket_quantile(buckets: Iterable[Buckets], q: float) -> float | None:
    """The quantile of the merged `buckets`, linear inside a bucket; in the last one its finite lower bound.

    None without observations. What the exporter put above its highest bound is only known to be greater.
    """
    merged: dict[float, float] = {}
    for one in buckets:
        for bound, count in zip(one.bounds, one.counts, strict=True):
            merged[bound] = merged.get(bound, 0.0) + count
    return _inside(sorted(merged.items()), q * sum(merged.values()))


def _inside(ordered: Sequence[tuple[float, float]], rank: float) -> float | None:
    below, lower = 0.0, 0.0
    for bound, count in ordered:
        if count and below + count >= rank:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / count
        below, lower = below + count, bound
    return None


class Windows:
    """Series by name (`TARGET|METRIC`), each point stamped on the steady clock."""

    def __init__(self, longest_s: float) -> None:
        self._longest_ms = int(longest_s * 1000)
        self._series: dict[str, deque[tuple[int, Sample]]] = {}

    def add(self, series: str, at: Moment, sample: Sample) -> None:
        """Append one sample. Points come in order of time."""
        points = self._series.setdefault(series, deque(maxlen=LARGEST_SERIES))
        points.append((at.steady_ms, sample))
        oldest_ms = at.steady_ms - self._longest_ms
        while points[0][0] < oldest_ms:
            points.popleft()

    def matching(self, pattern: str) -> tuple[str, ...]:
        """The series whose name equals `pattern` or matches it with `*`."""
        if pattern in self._series:
            return (pattern,)
        return tuple(sorted(name for name in self._series if fnmatchcase(name, pattern)))

    def numbers(self, series: str, window_s: float, now: Moment) -> list[float]:
        """The plain numbers of the last `window_s` seconds, oldest first."""
        return [sample for sample in self._within(series, window_s, now) if not isinstance(sample, Buckets)]

    def histograms(self, series: str, window_s: float, now: Moment) -> list[Buckets]:
        """The foreign histograms of the last `window_s` seconds, oldest first."""
        return [sample for sample in self._within(series, window_s, now) if isinstance(sample, Buckets)]

    def last(self, series: str, window_s: float, now: Moment) -> float | None:
        """The newest number of the last `window_s` seconds."""
        numbers = self.numbers(series, window_s, now)
        return numbers[-1] if numbers else None

    def newest(self, series: str, count: int) -> list[Sample]:
        """The newest samples of a series, at most `count`, oldest first."""
        return [sample for _, sample in list(self._series.get(series, ()))[-count:]]

    def total(self, series: str, window_s: float, now: Moment) -> float:
        """The sum of the numbers of the last `window_s` seconds."""
        return math.fsum(self.numbers(series, window_s, now))

    def _within(self, series: str, window_s: float, now: Moment) -> Iterator[Sample]:
        oldest_ms = now.steady_ms - window_s * 1000
        return (sample for at_ms, sample in self._series.get(series, ()) if at_ms > oldest_ms)
