"""A distribution over time as shaded cells: a column is a stretch of time, a row a range of values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from console.model.metric_views import Heat
from widgets.glyphs import Glyphs
from widgets.scale import tick_words
from widgets.words import number

_STEPS = (0.1, 0.3, 0.6)
"""Shares of a column from which the next darker sign is drawn; the first is for anything at all."""
_NEWEST = 3
"""Stretches from the end in which a value is of now."""


def heat_cells(heat: Heat, columns: int, rows: int, shades: str) -> list[str]:
    """Rows of signs from above. Stretches of one column are added; one that is wider fills all its columns."""
    running = [_running(heat, column, columns) for column in range(columns)]
    return [
        "".join(_shade(counts, low, high, shades) for counts in running) for low, high in reversed(_ranges(heat, rows))
    ]


def _running(heat: Heat, column: int, columns: int) -> list[float] | None:
    """The counts of a column, each with those before it; None without any."""
    points = len(heat.counts)
    begin = column * points // columns
    stretches = heat.counts[begin : max(begin + 1, (column + 1) * points // columns)]
    known = [counts for counts in stretches if counts and any(counts)]
    return [0.0, *accumulate(map(sum, zip(*known, strict=True)))] if known else None


def _shade(running: Sequence[float] | None, low: int, high: int, shades: str) -> str:
    if running is None or running[-1] <= 0:
        return shades[0]
    share = (running[high] - running[low]) / running[-1]
    return shades[0] if share <= 0 else shades[1 + sum(share >= step for step in _STEPS)]


def _ranges(heat: Heat, rows: int) -> list[tuple[int, int]]:
    """Row from below -> which counts belong to it. Rows go to where there are values, and all counts are in a row."""
    used = [at for counts in heat.counts if counts for at, count in enumerate(counts) if count > 0]
    total = max(1, len(heat.bounds) - 1)
    low, high = (min(used), max(used) + 1) if used else (0, total)
    spare = max(0, min(rows, total) - (high - low))
    high = min(total, high + (spare + 1) // 2)
    low = max(0, high - max(high - low, min(rows, total)))
    size = high - low
    if size >= rows:
        return [(low + row * size // rows, low + (row + 1) * size // rows) for row in range(rows)]
    # Fewer ranges than rows: each takes as many rows as the others, the same sign in all of them.
    return [(low + row * size // rows, low + row * size // rows + 1) for row in range(rows)]


def heat_labels(heat: Heat, rows: int) -> dict[int, str]:
    """The lower bound of the upper, the middle and the lower row, from above."""
    ranges = _ranges(heat, rows)[::-1]
    shown = (0, rows // 2, rows - 1) if rows >= 5 else (0, rows - 1)
    return {y: _bound_words(heat.bounds[ranges[y][0]]) for y in shown if ranges[y][0] < len(heat.bounds)}


def _bound_words(bound: float) -> str:
    """Bounds of our own histograms are no clean numbers: from ten on without decimals."""
    return tick_words(float(f"{bound:.0f}") if bound >= 10 else bound)


def heat_words(heat: Heat, at: int | None, unit: str, glyphs: Glyphs) -> str:
    """The most frequent range of a stretch, of the newest for None: `most 80–160 ms (62 %)`."""
    stretches = heat.counts[-_NEWEST:] if at is None else heat.counts[at : at + 1]
    known = [counts for counts in stretches if counts and any(counts)]
    counts = known[-1] if known else None
    if counts is None:
        return "?"
    index = max(range(len(counts)), key=counts.__getitem__)
    low, high = heat.bounds[index], heat.bounds[index + 1]
    between = f"{number(low)}{glyphs.dash}{number(high)}" if math.isfinite(high) else f"{glyphs.least} {number(low)}"
    return f"most {between} {unit}".rstrip() + f" ({100 * counts[index] / sum(counts):.0f} %)"


def heat_legend(shades: str) -> str:
    """What the signs mean."""
    bounds = [f"<{step * 100:.0f}" for step in _STEPS]
    return "  ".join(f"{shade}{bound}" for shade, bound in zip(shades[1:], [*bounds, " more"], strict=True)) + " %"
