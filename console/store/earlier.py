"""What the lines of a page were a day or a week before, each chart at the finest step that is still kept of then."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from console.model.charts import ChartSpec
from console.model.grid import Grid
from console.model.metric_views import LineView
from console.model.times import date_time
from console.store.moment import Moment
from console.store.read_lines import QUANTILES, Lines
from console.store.read_series import SeriesReader, records_from_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The lines of one chart of then, on the grid of now."""

    lines: tuple[LineView, ...] = ()
    step_ms: int = 0
    absent: str | None = None


NOT_ASKED = Compared()


class Earlier:
    """One page so much before."""

    def __init__(
        self,
        moment: Moment,
        reader: SeriesReader,
        place: Grid,
        by_ms: int,
        specs: Sequence[ChartSpec],
        merged: Collection[str],
    ) -> None:
        """`place`: the grid of the page; `merged`: as for `SeriesReader.read`."""
        self._moment, self._reader, self._merged = moment, reader, merged
        self._before = place.earlier(by_ms)
        self._steps = {spec.key: self._step_ms(spec) for spec in specs}
        self._lines = {step_ms: self._read(specs, step_ms) for step_ms in set(self._steps.values())}

    def of(self, spec: ChartSpec) -> Compared:
        """The lines of a chart."""
        step_ms = self._steps[spec.key]
        lines, grid = self._lines[step_ms]
        held = tuple(_held(lines.line(one), grid, self._before) for one in spec.series)
        is_known = any(value is not None for line in held for value in line.values)
        return Compared(lines=held, step_ms=step_ms, absent=None if is_known else self._absent)

    def _step_ms(self, spec: ChartSpec) -> int:
        """No shorter than those of the page: a line is compared with its like."""
        end_ms = min(self._before.end_ms, self._moment.at_ms)
        least_ms = self._reader.least_step_ms(_keys([spec]), self._before.start_ms, end_ms, self._before.step_ms)
        return max(self._before.step_ms, least_ms)

    def _read(self, specs: Sequence[ChartSpec], step_ms: int) -> tuple[Lines, Grid]:
        """The charts that are read at one step, together."""
        meant = [spec for spec in specs if self._steps[spec.key] == step_ms]
        distributions = {key for spec in meant for one in spec.series if one.statistic in QUANTILES for key in one.keys}
        grid = _coarser(self._before, step_ms)
        return Lines(self._reader.read(_keys(meant), distributions, grid, self._merged), grid), grid

    @cached_property
    def _absent(self) -> str:
        first_ms = records_from_ms(self._moment)
        if first_ms is None or first_ms >= self._before.end_ms:
            return f"{_NOTHING}: records begin {date_time(first_ms)} UTC" if first_ms is not None else _NOTHING
        return _NOTHING


_NOTHING = "nothing is on record of then"


def _keys(specs: Sequence[ChartSpec]) -> set[str]:
    return {key for spec in specs for one in spec.series for key in (*one.keys, *one.per)}


def _coarser(grid: Grid, step_ms: int) -> Grid:
    """The stretches of `step_ms` that a grid touches."""
    start_ms = grid.start_ms // step_ms * step_ms
    return Grid(start_ms, step_ms, -(-(grid.end_ms - start_ms) // step_ms))


def _held(line: LineView, coarse: Grid, fine: Grid) -> LineView:
    """On the finer grid: the value of each stretch as long as it lasts."""
    if coarse == fine:
        return line
    indexes = [coarse.index(fine.begin(index)) for index in range(fine.points)]
    bounds = frozenset(at for at, index in enumerate(indexes) if index in line.lower_bounds)
    return replace(line, values=tuple(line.values[index] for index in indexes), lower_bounds=bounds)
