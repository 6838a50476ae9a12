"""Summaries of samples that merge: rollups of buckets of time."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from console.model.bounds import LARGEST, is_value, total, usable
from console.model.histograms import QUANTILES, ForeignHistogram, Histogram, LogHistogram, rank_of
from console.model.merging import merged_histogram
from console.model.observation import Buckets


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """All samples of a series in a bucket of time. Of a gauge there is no histogram and are no quantiles."""

    n: float
    sum: float
    min: float
    max: float
    hist: Histogram | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    minutes: int = 1
    """How many minutes of the bucket had samples."""

    @classmethod
    def of(cls, values: Sequence[float], *, distribution: bool) -> Self | None:
        """Of plain samples; None when there are none. What is beyond `LARGEST` (stored before that was refused) is
        left out."""
        if not values:
            return None
        low, high = min(values), max(values)
        if not (is_value(low) and is_value(high)):
            return cls.of([each for each in values if is_value(each)], distribution=distribution)
        if not distribution:
            return cls(n=len(values), sum=total(values), min=low, max=high)
        exact = sorted(values)
        p50, p95, p99 = (exact[rank_of(q, len(exact))] for q in QUANTILES)
        hist = LogHistogram.of(values)
        return cls(n=len(values), sum=total(values), min=low, max=high, hist=hist, p50=p50, p95=p95, p99=p99)

    @classmethod
    def of_buckets(cls, samples: Sequence[Buckets]) -> Self | None:
        """Of foreign histograms. Least and greatest are bounds, the sum is estimated from the buckets' middles."""
        hist = ForeignHistogram.of(filter(usable, samples))
        filled = [(low, high, count) for part in hist.parts for low, high, count in _intervals(part) if count > 0]
        if not filled:
            return None
        p50, p95, p99 = (hist.quantile(q) for q in QUANTILES)
        return cls(
            n=hist.n,
            sum=total(count * (low + _finite(high, low)) / 2 for low, high, count in filled),
            min=min(low for low, _, _ in filled),
            max=max(_finite(high, low) for low, high, _ in filled),
            hist=hist,
            p50=p50,
            p95=p95,
            p99=p99,
        )

    @classmethod
    def merged(cls, rollups: Sequence[Rollup]) -> Self | None:
        """Several as one, quantiles from the merged histograms; None when there are none."""
        if not rollups:
            return None
        whole = total([rollup.sum for rollup in rollups])
        if not is_value(whole) and (kept := [rollup for rollup in rollups if rollup.is_kept]) != [*rollups]:
            return cls.merged(kept)
        return cls.around(
            merged_histogram([rollup.hist for rollup in rollups if rollup.hist is not None]),
            n=total([rollup.n for rollup in rollups]),
            sum=whole,
            min=min(rollup.min for rollup in rollups),
            max=max(rollup.max for rollup in rollups),
            minutes=builtins.sum(rollup.minutes for rollup in rollups),
        )

    @classmethod
    def around(cls, hist: Histogram | None, *, n: float, sum: float, min: float, max: float, minutes: int) -> Self:
        """With the quantiles of a merged histogram. The true values lie between least and greatest, so a bucket's
        middle beyond them is pulled in."""
        p50, p95, p99 = (
            each if each is None or min <= each <= max else min if each < min else max for each in _quantiles(hist)
        )
        return cls(n=n, sum=sum, min=min, max=max, hist=hist, p50=p50, p95=p95, p99=p99, minutes=minutes)

    @property
    def is_kept(self) -> bool:
        """Whether its samples are values: of those that are not it was made before they were refused."""
        return is_value(self.min) and is_value(self.max) and abs(self.sum) <= LARGEST * max(1.0, self.n)

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return self.sum / self.n


def _quantiles(hist: Histogram | None) -> list[float | None]:
    if isinstance(hist, LogHistogram):
        return hist.quantiles(QUANTILES)
    return [None if hist is None else hist.quantile(q) for q in QUANTILES]


def _intervals(part: Buckets) -> list[tuple[float, float, float]]:
    return list(zip((0.0, *part.bounds[:-1]), part.bounds, part.counts, strict=True))


def _finite(high: float, low: float) -> float:
    return low if math.isinf(high) else high
