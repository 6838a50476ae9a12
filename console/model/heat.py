"""A distribution over time as rows between bounds, from histograms. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from console.model.histograms import ForeignHistogram, Histogram, LogHistogram
from console.model.metric_views import Heat

ROWS = 12


def heat_of(histograms: Sequence[Histogram | None], scale: float = 1.0) -> Heat | None:
    """One column for each histogram; None where there is nothing to show. Foreign histograms keep their own bounds."""
    foreign = [one for one in histograms if isinstance(one, ForeignHistogram)]
    if foreign:
        return _foreign(histograms, foreign, scale)
    own = [one for one in histograms if isinstance(one, LogHistogram) and one.n]
    return _own(histograms, own, scale) if own else None


def _own(histograms: Sequence[Histogram | None], own: Sequence[LogHistogram], scale: float) -> Heat:
    """At most `ROWS` rows of equal factor, which stand still while the window moves; the lowest begins at 0 where
    there are zeros."""
    filled = set[int]().union(*(one.counts for one in own))
    real = sorted(index for index in filled if not LogHistogram.is_zero(index)) or [1]
    zeros = int(len(filled) > 1 and any(LogHistogram.is_zero(index) for index in filled))
    each = next(
        size for size in range(1, real[-1] - real[0] + 2) if _row(real[-1], size) - _row(real[0], size) < ROWS - zeros
    )
    first, last = _row(real[0], each), _row(real[-1], each)
    bounds = [LogHistogram.bound(row * each) * scale for row in range(first, last + 2)]
    columns = [
        _counts(one, first, last, each, zeros) if isinstance(one, LogHistogram) and one.n else None
        for one in histograms
    ]
    return Heat(bounds=tuple([0.0] * zeros + bounds), counts=tuple(columns))


def _row(index: int, size: int) -> int:
    return (index - 1) // size


def _counts(one: LogHistogram, first: int, last: int, each: int, zeros: int) -> tuple[float, ...]:
    found = [0.0] * (last - first + 1 + zeros)
    before = first * each + 1 - zeros * each
    for index, count in one.counts.items():
        row = (index - before) // each
        found[row if row > 0 else 0] += count  # zeros are far below
    return tuple(found)


def _foreign(histograms: Sequence[Histogram | None], foreign: Sequence[ForeignHistogram], scale: float) -> Heat | None:
    edges = [0.0, *sorted({bound for one in foreign for part in one.parts for bound in part.bounds if bound > 0})]
    columns = [_between(one, edges) if isinstance(one, ForeignHistogram) and one.n > 0 else None for one in histograms]
    filled = [row for row in range(len(edges) - 1) if any(column and column[row] > 0 for column in columns)]
    if not filled:
        return None
    low, high = filled[0], filled[-1] + 1
    return Heat(
        bounds=tuple(edge * scale for edge in edges[low : high + 1]),
        counts=tuple(column[low:high] if column else None for column in columns),
        foreign=True,
    )


def _between(one: ForeignHistogram, edges: Sequence[float]) -> tuple[float, ...]:
    below = [0.0, *(one.at_most(edge) for edge in edges[1:])]
    return tuple(max(0.0, high - low) for low, high in pairwise(below))


def is_open(one: Histogram | None, q: float) -> bool:
    """Whether the quantile lies above a foreign histogram's highest bound, so that only that is known of it."""
    bounds = one.quantile_bounds(q) if isinstance(one, ForeignHistogram) else None
    return bounds is not None and math.isinf(bounds[1])
