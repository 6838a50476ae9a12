"""Axes: from which value to which, at which values and times there are ticks, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from widgets.words import DAY_S, HOUR_S, MINUTE_S, clock, day, number, power

LARGEST = 1e300
"""Values beyond are drawn as if they were this: sums of them stay finite."""
_ENDS = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8)
_TARGET_REACH = 25
"""A target more than so many times as large as all values would leave them a flat line: it is only told."""
_STEPS_S = (
    *(1, 5, 10, 15, 30),
    *(minutes * MINUTE_S for minutes in (1, 2, 5, 10, 15, 20, 30)),
    *(hours * HOUR_S for hours in (1, 2, 3, 6, 12)),
    *(days * DAY_S for days in (1, 2, 5, 7, 10)),
)
_APART = 3
"""Blank columns between two labels of the time axis, at least."""
_FINER = 3
"""So many finer steps are tried where marks stand in the way of a label."""
_BARE = 0.55
"""Of the axis, how much may be without a label."""


_TICK = 5
"""Cells of a label at the axis of values."""
_UNITS = (("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12))


class Scale(NamedTuple):
    """The values at the lower and the upper end of a chart."""

    low: float
    high: float

    def height_of(self, value: float, top: float) -> float:
        """How high a value stands where `high` is at `top` and `low` at 0."""
        share = (finite(value) - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share)) * top


def finite(value: float) -> float:
    """The value within what can be added up."""
    return min(LARGEST, max(-LARGEST, value))


def scale_of(values: Iterable[float], target: float | None, unit: str, *, floor: bool = False) -> Scale:
    """From 0, or from below for negative values, to a clean number; with the target, where it is in reach.

    A share that must not fall below its target (`floor`) has its end at 100 %, and so much below that a miss is seen.
    """
    found = [finite(value) for value in values if not math.isnan(value)]
    if floor and unit == "%" and target is not None and all(0 <= value <= 100 for value in [target, *found]):
        return Scale(max(0.0, 100.0 - _clean(2 * (100.0 - min([target, *found])))), 100.0)
    low, high = min([0.0, *found]), max([0.0, *found])
    if target is not None and (high == low or abs(target) <= _TARGET_REACH * max(high, -low)):
        low, high = min(low, target), max(high, target)
    if unit == "%" and 50 < high <= 100 and low == 0:
        return Scale(0.0, 100.0)
    low, high = 0.0 - _clean(-low), _clean(high)
    return Scale(low, high) if high > low else Scale(0.0, 1.0)


def _clean(value: float) -> float:
    """The next number up whose half is short too: one of `_ENDS` times a power of ten."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    if power == 0:
        return value
    return next((step * power for step in _ENDS if value <= step * power * (1 + 1e-9)), 10 * power)


def ticks(scale: Scale, target: float | None, height: int) -> dict[int, float]:
    """Row from above -> value: the ends and 0, the middle where there is room; the target in a row that is free."""
    wanted = [scale.high, scale.low, 0.0]
    half = (scale.low + scale.high) / 2
    if height >= 5 and scale.low >= 0:
        wanted.append(half)
    found: dict[int, float] = {}
    for value in wanted:
        found.setdefault(row_of(value, scale, height), value)
    if target is not None and scale.low <= target <= scale.high:
        row = row_of(target, scale, height)
        middle = row_of(half, scale, height)
        if row not in (0, height - 1):
            # Its own label is worth more than the middle's beside it.
            if abs(row - middle) == 1 and found.get(middle) == half and scale.low >= 0:
                del found[middle]
            found[row] = target
    return found


def row_of(value: float, scale: Scale, height: int) -> int:
    """The row, from above, in which a value is drawn."""
    return height - 1 - int(scale.height_of(value, 4 * height - 1) + 0.5) // 4


def tick_words(value: float) -> str:
    """A number in five cells, never cut: `2,000`, `25k`, `1.5M`, `1e20`."""
    size = abs(value)
    text = f"{value:.4g}" if 10 <= size < 1_000 else number(value).replace("-0.", "-.")
    if size < 10_000 and len(text) <= _TICK:
        return text
    unit, factor = next(((unit, factor) for unit, factor in _UNITS if 999.5 <= size < 999.5 * factor), ("", 0.0))
    if unit:
        tries = (f"{float(f'{value / factor:.{digits}g}'):g}{unit}" for digits in (3, 2, 1))
        return next((text for text in tries if len(text) <= _TICK), text)
    text = power(f"{value:.0e}")
    return text if len(text) <= _TICK else "<-1e9"


Labels = list[tuple[int, str]]
"""Column and text."""


def time_labels(
    start_ms: int, end_ms: int, width: int, taken: frozenset[int], chosen: frozenset[int] = frozenset()
) -> Labels:
    """`(column, label)` of a time axis, each label centred on its moment.

    Of several steps that one is taken whose labels cover the fewest `taken` columns, none if that can be. Labels that
    cover some are left out while enough stand in all parts: an axis of time is worth more than all its marks. One that
    covers a `chosen` column is worse than any other.
    """
    span_ms = max(1, end_ms - start_ms)
    last = len(_STEPS_S) - 1
    ideal = next((at for at, step in enumerate(_STEPS_S) if step * 1000 / span_ms * width >= 5 + _APART), last)
    order = [ideal, *range(ideal - 1, ideal - _FINER - 1, -1), ideal + 1]
    # Days are not parted into hours: times without their dates say nothing there.
    steps = [_STEPS_S[at] for at in order if 0 <= at <= last and (_STEPS_S[at] < DAY_S) == (_STEPS_S[ideal] < DAY_S)]
    tries = [_sparing(_labels(start_ms, end_ms, width, step), width, taken, chosen) for step in steps]
    enough = [found for found in tries if len(found) >= 2 and (found is tries[0] or _reach(found, width))]
    return min(enough, key=lambda found: _cost(found, taken, chosen), default=max(tries, key=len))


def _sparing(labels: Labels, width: int, taken: frozenset[int], chosen: frozenset[int]) -> Labels:
    """Without the labels that cover most, as long as the others are enough."""
    while len(labels) > 2:
        worst = max(labels, key=lambda label: _cost([label], taken, chosen))
        rest = [label for label in labels if label is not worst]
        if _cost([worst], taken, chosen) == 0 or not _reach(rest, width):
            break
        labels = rest
    return labels


def touched(labels: Labels) -> frozenset[int]:
    """The columns on which a label stands, and those beside it."""
    return frozenset(x for begin, text in labels for x in range(begin - 1, begin + len(text) + 1))


def _cost(labels: Labels, taken: frozenset[int], chosen: frozenset[int]) -> int:
    columns = touched(labels)
    return len(columns & taken) + 1_000 * len(columns & chosen)


def _reach(found: Labels, width: int) -> bool:
    """Whether labels stand in all parts of an axis: no stretch without is longer than half of it."""
    middles = [begin + len(text) / 2 for begin, text in found]
    return all(after - before <= _BARE * width for before, after in pairwise([0.0, *middles, float(width)]))


def _labels(start_ms: int, end_ms: int, width: int, step_s: int) -> Labels:
    step_ms = step_s * 1000
    long = end_ms - start_ms > DAY_S * 500
    found: Labels = []
    free_from = -2
    for at_ms in range(-(-start_ms // step_ms) * step_ms, end_ms, step_ms):
        text = _label(at_ms, step_s, long)
        column = (at_ms - start_ms) * width // (end_ms - start_ms)
        begin = min(max(column - len(text) // 2, -2), width - len(text))
        if begin >= free_from:
            found.append((begin, text))
            free_from = begin + len(text) + 2
    return found


def _label(at_ms: int, step_s: int, long: bool) -> str:
    midnight = at_ms % (DAY_S * 1000) == 0
    if step_s >= DAY_S or (long and midnight):
        return day(at_ms)
    return clock(at_ms, seconds=step_s < MINUTE_S)


def stretch_words(at_ms: int, step_ms: int, now_ms: int) -> str:
    """When a stretch of time begins: with seconds where it is shorter than a minute, with the date of another day."""
    text = clock(at_ms, seconds=step_ms < MINUTE_S * 1000)
    same = at_ms // (DAY_S * 1000) == now_ms // (DAY_S * 1000)
    return text if same else f"{day(at_ms)} {text}"


def labelled(found: Sequence[tuple[int, str]], width: int, lead: int) -> list[str]:
    """The labels as characters of a row that begins `lead` cells before column 0."""
    cells = [" "] * (lead + width)
    for begin, text in found:
        cells[lead + begin : lead + begin + len(text)] = text
    return cells
