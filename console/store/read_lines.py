"""A chart's lines from the cells of their series, and what is said beside them: now, peak, beyond its target, heat."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from console.model.charts import ChartSpec, SeriesSpec, Statistic
from console.model.grid import Grid
from console.model.heat import heat_of, is_open
from console.model.metric_views import Heat, LineView
from console.model.metrics import Rollup
from console.store.cells import Cell

Cells = Mapping[str, Sequence[Cell | None]]
RECENT = 3
"""`now` is a value of the last so many stretches: the last one may have just begun."""
QUANTILES = {Statistic.P50: 0.50, Statistic.P95: 0.95, Statistic.P99: 0.99}


def line(spec: SeriesSpec, cells: Cells, grid: Grid) -> LineView:
    """One line on the grid."""
    values: list[float | None] = []
    bounds = set()
    for index in range(grid.points):
        value, is_bound = _value(spec, _at(spec.keys, cells, index), _at(spec.per, cells, index))
        values.append(value)
        if is_bound:
            bounds.add(index)
    known = [value for value in values if value is not None]
    recent = [value for value in values[-RECENT:] if value is not None]
    return LineView(
        label=spec.label,
        values=tuple(values),
        lower_bounds=frozenset(bounds),
        now=recent[-1] if recent else None,
        peak=max(known, default=None),
    )


def _at(keys: Sequence[str], cells: Cells, index: int) -> list[Cell]:
    return [cell for key in keys if key in cells and (cell := cells[key][index]) is not None]


def _value(spec: SeriesSpec, found: list[Cell], per: list[Cell]) -> tuple[float | None, bool]:
    """(value in the chart's unit, whether it is only a lower bound) of the cells of one stretch."""
    if not found:
        return None, False
    if spec.statistic in QUANTILES:
        value, is_bound = _quantile(found, spec.statistic)
    elif spec.statistic is Statistic.RATIO:
        value, is_bound = _ratio(found, per), False
    else:
        value, is_bound = _PLAIN[spec.statistic](found), False
    if value is None or not math.isfinite(value):
        return None, False
    return (1 - value if spec.complement else value) * spec.scale, is_bound


def _mean(found: list[Cell]) -> float | None:
    n = math.fsum(cell.rollup.n for cell in found)
    return math.fsum(cell.rollup.sum for cell in found) / n if n else None


def _rate(found: list[Cell]) -> float | None:
    observed_ms = max(cell.observed_ms for cell in found)
    return math.fsum(cell.rollup.sum for cell in found) / observed_ms * 1000 if observed_ms else None


def _ratio(found: list[Cell], per: list[Cell]) -> float | None:
    whole = math.fsum(cell.rollup.sum for cell in per)
    return math.fsum(cell.rollup.sum for cell in found) / whole if whole else None


_PLAIN: Mapping[Statistic, Callable[[list[Cell]], float | None]] = {
    Statistic.MEAN: _mean,
    Statistic.MIN: lambda found: min(cell.rollup.min for cell in found),
    Statistic.MAX: lambda found: max(cell.rollup.max for cell in found),
    Statistic.RATE: _rate,
}


def _quantile(found: list[Cell], statistic: Statistic) -> tuple[float | None, bool]:
    whole = found[0].rollup if len(found) == 1 else Rollup.merged([cell.rollup for cell in found])
    if whole is None:
        return None, False
    value = {Statistic.P50: whole.p50, Statistic.P95: whole.p95, Statistic.P99: whole.p99}[statistic]
    return value, is_open(whole.hist, QUANTILES[statistic])


def over_s(chart: ChartSpec, lines: Sequence[LineView], grid: Grid, at_ms: int) -> float | None:
    """Seconds of the window in which the line of the target was beyond it; of the stretch not closed, what has passed.

    None without a target, or where nothing is known.
    """
    named = [one for one in lines if one.label == chart.target_of] or list(lines[:1])
    if chart.target is None or not named:
        return None
    total_ms = 0
    for index, value in enumerate(named[0].values):
        if value is not None and (value < chart.target if chart.target_is_floor else value > chart.target):
            total_ms += min(grid.step_ms, at_ms - grid.begin(index))
    return max(0, total_ms) / 1000 if any(value is not None for value in named[0].values) else None


def heat(spec: SeriesSpec, cells: Cells, grid: Grid) -> Heat | None:
    """The distribution of the line's series over time; None where there is none."""
    merged = [Rollup.merged([cell.rollup for cell in _at(spec.keys, cells, index)]) for index in range(grid.points)]
    hists = [whole.hist if whole is not None else None for whole in merged]
    return heat_of(hists, spec.scale)
