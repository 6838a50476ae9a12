"""The samples of the last minutes, in memory, for rules that look back."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Reversible, Sequence
from fnmatch import fnmatchcase
from itertools import islice, takewhile
from typing import NamedTuple, TypeVar

from console.model.histograms import nearest_rank
from console.model.moment import Moment
from console.model.observation import Buckets, Sample

T = TypeVar("T")

LARGEST_SERIES = 20_000
"""Points kept of one series: more than an hour of rounds each 200 ms; a window longer than that is cut."""


UNANSWERED = "unanswered_ms"
"""Metric beside `latency_ms`: how long polls were waited for that gave no answer in time."""


class Estimate(NamedTuple):
    """A figure of which more may not be known than that it is at least so much."""

    value: float
    at_least: bool = False


def waited(answered: Sequence[float], unanswered: Sequence[float], q: float) -> Estimate | None:
    """The quantile of latencies, polls that gave no answer in time counted as what was waited for them."""
    value = nearest_rank([*answered, *unanswered], q)
    return Estimate(value, bool(unanswered) and value >= min(unanswered)) if value is not None else None


def bucket_quantile(buckets: Iterable[Buckets], q: float) -> Estimate | None:
    """The quantile of the merged `buckets`, linear inside a bucket; in the last one its finite lower bound.

    None without observations. What the exporter put above its highest bound is only known to be greater.
    """
    merged: dict[float, float] = {}
    for one in buckets:
        for bound, count in zip(one.bounds, one.counts, strict=True):
            merged[bound] = merged.get(bound, 0.0) + count
    return _inside(sorted(merged.items()), q * sum(merged.values()))


def _inside(ordered: Sequence[tuple[float, float]], rank: float) -> Estimate | None:
    below, lower = 0.0, 0.0
    for bound, count in ordered:
        if count and below + count >= rank:
            if math.isinf(bound):
                return Estimate(lower, at_least=True)
            return Estimate(lower + (bound - lower) * (rank - below) / count)
        below, lower = below + count, bound
    return None


class Windows:
    """Series by name (`TARGET|METRIC`), each point stamped on the steady clock."""

    def __init__(self, longest_s: float) -> None:
        self._longest_ms = int(longest_s * 1000)
        self._numbers: dict[str, deque[tuple[int, float]]] = {}
        self._histograms: dict[str, deque[tuple[int, Buckets]]] = {}

    def add(self, series: str, at: Moment, sample: Sample) -> None:
        """Append one sample. Points come in order of time."""
        if isinstance(sample, Buckets):
            self._append(self._histograms, series, at, sample)
        else:
            self._append(self._numbers, series, at, float(sample))

    def _append(self, kind: dict[str, deque[tuple[int, T]]], series: str, at: Moment, value: T) -> None:
        points = kind.get(series)
        if points is None:
            points = kind[series] = deque(maxlen=LARGEST_SERIES)
        points.append((at.steady_ms, value))
        oldest_ms = at.steady_ms - self._longest_ms
        while points[0][0] < oldest_ms:
            points.popleft()

    def matching(self, pattern: str) -> tuple[str, ...]:
        """The series whose name equals `pattern` or matches it with `*`."""
        names = self._numbers.keys() | self._histograms.keys()
        return (pattern,) if pattern in names else tuple(sorted(name for name in names if fnmatchcase(name, pattern)))

    def numbers(self, series: str, window_s: float, now: Moment) -> list[float]:
        """The plain numbers of the last `window_s` seconds, oldest first."""
        return _newer(self._numbers.get(series, ()), now.steady_ms - window_s * 1000)

    def histograms(self, series: str, window_s: float, now: Moment) -> list[Buckets]:
        """The foreign histograms of the last `window_s` seconds, oldest first."""
        return _newer(self._histograms.get(series, ()), now.steady_ms - window_s * 1000)

    def last(self, series: str, window_s: float, now: Moment) -> float | None:
        """The newest number of the last `window_s` seconds."""
        points = self._numbers.get(series)
        return points[-1][1] if points and points[-1][0] > now.steady_ms - window_s * 1000 else None

    def forget(self, series: str, since: Moment) -> None:
        """Drop the numbers from `since` on: what they told was not of their target."""
        points = self._numbers.get(series)
        while points and points[-1][0] >= since.steady_ms:
            points.pop()

    def newest(self, series: str, count: int) -> list[float]:
        """The newest numbers of a series, at most `count`, oldest first, however old."""
        return [value for _, value in islice(reversed(self._numbers.get(series, ())), count)][::-1]


def _newer(points: Reversible[tuple[int, T]], oldest_ms: float) -> list[T]:
    """The values after `oldest_ms`, oldest first. From the end: most points are older than most windows."""
    found = [value for _, value in takewhile(lambda point: point[0] > oldest_ms, reversed(points))]
    found.reverse()
    return found
