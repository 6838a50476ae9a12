"""What is said beside a line whose stretches are longer than a minute: its value now, its peak, how long it was beyond
its target. A mean of hours hides all of that, so it is told by minutes, and so alike in every window.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from console.model.charts import ChartSpec, SeriesSpec
from console.model.grid import Grid
from console.model.metrics import Rollup
from console.store import blocks
from console.store.cells import Cell
from console.store.closed_cells import ClosedCells
from console.store.minute_facts import MinuteFacts
from console.store.moment import Moment
from console.store.names import BLOCK_MS, HOUR_MS, MINUTE_MS
from console.store.read_lines import QUANTILES, Lines
from console.store.read_series import SeriesReader
from console.store.timeline import Segment, wall_of

NOW_MS = 300_000
LONGEST_NOW_MS = 7_200_000
"""Of a source that is polled seldom `now` is what its last two polls told, up to so long ago."""


class Beside:
    """The minutes behind one page of longer stretches."""

    def __init__(
        self,
        moment: Moment,
        reader: SeriesReader,
        closed: ClosedCells,
        place: Grid,
        until_ms: int | None,
        keys: Collection[str],
        distributions: Collection[str],
        lines: Sequence[SeriesSpec],
    ) -> None:
        """`keys`, `distributions`: as for `SeriesReader.read`; `lines`: all of the page."""
        self._lines = lines
        self._moment, self._reader, self._closed, self._place = moment, reader, closed, place
        ends_ms = [place.end_ms, moment.at_ms + 1, *([until_ms] if until_ms is not None else [])]
        self._end_ms = min(ends_ms)
        self._back_ms = {key: self._lookback_ms(key) for key in keys}
        grids = self._grids()
        self._tail = grids[-1]
        read = [reader.read(keys, distributions, grid) for grid in grids]
        self._cells = read[-1]
        self._unpacked = [(grid, Lines(cells, grid)) for grid, cells in zip(grids, read, strict=True)]

    def _lookback_ms(self, key: str) -> int:
        span = self._moment.span(key.rpartition("|")[0])
        return max(NOW_MS, min(LONGEST_NOW_MS, 2 * span.interval_ms)) if span is not None else NOW_MS

    def _grids(self) -> list[Grid]:
        """The minutes that are read one by one: those that are not packed, and the newest ones; usually together."""
        begin_ms = self._end_ms - max(self._back_ms.values(), default=NOW_MS)
        oldest, newest = self._moment.connection.execute(
            "SELECT min(at), max(at) FROM recent WHERE at <= ?", (self._moment.position,)
        ).fetchone()
        if oldest is None:
            return [self._minute_grid(begin_ms, self._end_ms)]
        first_ms, last_ms = wall_of(blocks.floor(oldest, BLOCK_MS)), min(wall_of(newest) + 1, self._end_ms)
        if first_ms >= self._end_ms or last_ms <= self._place.start_ms:
            return [self._minute_grid(begin_ms, self._end_ms)]
        if last_ms + BLOCK_MS < begin_ms:
            return [self._minute_grid(first_ms, last_ms), self._minute_grid(begin_ms, self._end_ms)]
        return [self._minute_grid(min(first_ms, begin_ms), self._end_ms)]

    def _minute_grid(self, begin_ms: int, end_ms: int) -> Grid:
        first_ms = max(begin_ms, self._place.start_ms) // MINUTE_MS * MINUTE_MS
        return Grid(first_ms, MINUTE_MS, max(1, -(-(end_ms - first_ms) // MINUTE_MS)))

    # Now

    def now(self, spec: SeriesSpec) -> float | None:
        """The line's statistic over the last minutes of the window; None: nothing came in them."""
        if any(key not in self._back_ms for key in (*spec.keys, *spec.per)):
            return None
        return self._now.line(spec).values[0]

    @cached_property
    def _now(self) -> Lines:
        """The newest minutes as one stretch, made once for all lines."""
        cells = {key: [self._newest(key)] for key in self._cells}
        return Lines(cells, Grid(self._end_ms - NOW_MS, NOW_MS, 1))

    def _newest(self, key: str) -> Cell | None:
        begin_ms = self._end_ms - self._back_ms[key]
        first = max(0, self._tail.index(begin_ms + MINUTE_MS - 1))
        found = [cell for cell in self._cells[key][first:] if cell is not None and cell.last_ms >= begin_ms]
        # A value that lasts is the same cell in several minutes, and counts once.
        return _merged([*{id(cell): cell for cell in found}.values()])

    # Peak and time beyond the target

    def peak(self, line: SeriesSpec) -> float | None:
        """The greatest of the minutes' own quantiles; None for other statistics, and where minutes are not kept."""
        if line.statistic not in QUANTILES or not self._is_told(line):
            return None
        packed = self._facts.peak(line)
        return max([*self._counted(line), *([packed] if packed is not None else [])], default=None)

    def over_s(self, chart: ChartSpec, line: SeriesSpec) -> float | None:
        """Seconds in which the line was beyond the chart's target, in whole minutes. None where it is not told."""
        target, below = chart.target, chart.target_is_floor
        if target is None or not self._is_told(line):
            return None
        counted = self._counted(line)
        packed = self._facts.beyond(line, target, below=below)
        if packed is None and not counted:
            return None
        many = sum(value < target if below else value > target for value in counted)
        return ((packed or 0) + many) * MINUTE_MS / 1000

    def _is_told(self, line: SeriesSpec) -> bool:
        return self._facts.knows(line) and self._kept(line.keys[0])

    def _kept(self, key: str) -> bool:
        end_ms = min(self._end_ms, self._moment.at_ms)
        return self._reader.least_step_ms([key], self._place.start_ms, end_ms) < HOUR_MS

    def _counted(self, line: SeriesSpec) -> list[float]:
        """The values of the minutes that were read one by one."""
        found = (lines.line(line).values for _, lines in self._unpacked)
        return [value for values in found for value in values if value is not None]

    @cached_property
    def _facts(self) -> MinuteFacts:
        """Of all others."""
        return MinuteFacts(
            self._moment.connection, self._closed, self._reader.numbers, self._lines, self._packed_segments()
        )

    def _packed_segments(self) -> Iterator[Segment]:
        begin_ms = self._place.start_ms
        for grid, _ in self._unpacked:
            yield from self._moment.timeline.segments(begin_ms, grid.start_ms - 1)
            begin_ms = grid.end_ms


def _merged(cells: list[Cell]) -> Cell | None:
    if len(cells) < 2:
        return cells[0] if cells else None
    whole = Rollup.merged([cell.whole for cell in cells])
    if whole is None:
        return None
    observed_ms = sum(cell.observed_ms for cell in cells)
    foreign = any(cell.foreign for cell in cells)
    return Cell(whole, observed_ms, cells[0].first_ms, cells[-1].last_ms, foreign)
