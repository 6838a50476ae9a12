"""A chart's lines from the cells of their series, and what is said beside them: now, peak, beyond its target, heat."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from console.model.bounds import total
from console.model.charts import ChartSpec, SeriesSpec, Statistic
from console.model.grid import Grid
from console.model.heat import heat_of, is_open
from console.model.metric_views import Heat, LineView
from console.model.metrics import Rollup
from console.store.cells import Cell
from console.store.names import MINUTE_MS

Cells = Mapping[str, Sequence[Cell | None]]
_OWN = (Statistic.MEAN, Statistic.MAX)
QUANTILES = {Statistic.P50: 0.50, Statistic.P95: 0.95, Statistic.P99: 0.99}


class Lines:
    """The lines and distributions of one grid."""

    def __init__(self, cells: Cells, grid: Grid) -> None:
        self._cells = cells
        self._grid = grid
        self._merged: dict[tuple[str, ...], list[Rollup | None]] = {}

    def line(self, spec: SeriesSpec, *, is_floor: bool = False) -> LineView:
        """One line. `is_floor`: its chart's target is one, so its lowest value is told, and not its peak."""
        found = self._quantiles(spec) if spec.statistic in QUANTILES else self._values(spec)
        values = [_scaled(spec, value) for value, _ in found]
        bounds = (index for index, (value, is_bound) in enumerate(found) if is_bound and value is not None)
        most, least = self._extremes(spec, [value for value in values if value is not None])
        return LineView(
            label=spec.label,
            values=tuple(values),
            lower_bounds=frozenset(bounds),
            peak=None if is_floor else most,
            lowest=least if is_floor else None,
        )

    @property
    def is_fine(self) -> bool:
        """Whether a stretch is short enough to be called now, and for its mean to be called a peak."""
        return self._grid.step_ms <= MINUTE_MS

    def _extremes(self, spec: SeriesSpec, values: Sequence[float]) -> tuple[float | None, float | None]:
        """The greatest and the least: of gauges those of their own samples, else of stretches that are short."""
        if spec.statistic in _OWN and len(spec.keys) == 1:
            rollups = [cell.rollup for cell in self._cells.get(spec.keys[0], ()) if cell is not None]
            found = [_scaled(spec, value) for rollup in rollups for value in (rollup.min, rollup.max)]
            values = [value for value in found if value is not None]
        elif not self.is_fine:
            return None, None
        return max(values, default=None), min(values, default=None)

    def heat(self, spec: SeriesSpec) -> Heat | None:
        """The distribution of the line's series over time; None where there is none."""
        found = [self._at(spec.keys, index) for index in range(self._grid.points)]
        if len(spec.keys) == 1:
            return heat_of([cells[0].hist if cells else None for cells in found], spec.scale)
        return heat_of([whole.hist if whole else None for whole in self._whole(spec.keys)], spec.scale)

    def _at(self, keys: Sequence[str], index: int) -> list[Cell]:
        cells = self._cells
        return [cell for key in keys if key in cells and (cell := cells[key][index]) is not None]

    def _values(self, spec: SeriesSpec) -> list[tuple[float | None, bool]]:
        found: list[tuple[float | None, bool]] = []
        for index in range(self._grid.points):
            cells = self._at(spec.keys, index)
            if not cells:
                found.append((None, False))
            elif spec.statistic is Statistic.RATIO:
                found.append((_ratio(cells, self._at(spec.per, index)), False))
            else:
                found.append((_PLAIN[spec.statistic](cells), False))
        return found

    def _quantiles(self, spec: SeriesSpec) -> list[tuple[float | None, bool]]:
        """(quantile, whether it is only a lower bound) of each stretch."""
        if len(spec.keys) == 1:
            return [_quantile_of(self._at(spec.keys, index), spec) for index in range(self._grid.points)]
        return [_quantile(whole, spec) if whole else (None, False) for whole in self._whole(spec.keys)]

    def _whole(self, keys: tuple[str, ...]) -> list[Rollup | None]:
        """All of the series as one, made once for all lines of them."""
        if keys not in self._merged:
            self._merged[keys] = [
                Rollup.merged([cell.whole for cell in self._at(keys, index)]) for index in range(self._grid.points)
            ]
        return self._merged[keys]


def line_of_target(chart: ChartSpec) -> SeriesSpec | None:
    """The line that the chart's target is meant for; None: it has no target, or no line."""
    named = [one for one in chart.series if one.label == chart.target_of] or list(chart.series[:1])
    return named[0] if named and chart.target is not None else None


def _quantile_of(cells: list[Cell], spec: SeriesSpec) -> tuple[float | None, bool]:
    """Of at most one cell. The histogram is looked at only where the bounds are somebody else's."""
    if not cells:
        return None, False
    return _quantile(cells[0].whole if cells[0].foreign else cells[0].rollup, spec)


def _quantile(whole: Rollup, spec: SeriesSpec) -> tuple[float | None, bool]:
    value = {Statistic.P50: whole.p50, Statistic.P95: whole.p95, Statistic.P99: whole.p99}[spec.statistic]
    return value, is_open(whole.hist, QUANTILES[spec.statistic])


def _scaled(spec: SeriesSpec, value: float | None) -> float | None:
    """In the chart's unit."""
    if value is None or not math.isfinite(value):
        return None
    return (1 - value if spec.complement else value) * spec.scale


def _mean(found: list[Cell]) -> float | None:
    n = total([cell.rollup.n for cell in found])
    return total([cell.rollup.sum for cell in found]) / n if n else None


def _rate(found: list[Cell]) -> float | None:
    observed_ms = max(cell.observed_ms for cell in found)
    return total([cell.rollup.sum for cell in found]) / observed_ms * 1000 if observed_ms else None


def _ratio(found: list[Cell], per: list[Cell]) -> float | None:
    whole = total([cell.rollup.sum for cell in per])
    return total([cell.rollup.sum for cell in found]) / whole if whole else None


_PLAIN: Mapping[Statistic, Callable[[list[Cell]], float | None]] = {
    Statistic.MEAN: _mean,
    Statistic.MIN: lambda found: min(cell.rollup.min for cell in found),
    Statistic.MAX: lambda found: max(cell.rollup.max for cell in found),
    Statistic.RATE: _rate,
}


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
