"""What is said beside a line whose stretches are longer than a minute: its peak, how long it was beyond its target. A
mean of hours hides both, so they are told by minutes, and so alike in every window.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from console.model.charts import ChartSpec, SeriesSpec
from console.model.grid import Grid
from console.store import blocks
from console.store.closed_cells import ClosedCells
from console.store.minute_facts import MinuteFacts
from console.store.moment import Moment
from console.store.names import BLOCK_MS, HOUR_MS, MINUTE_MS
from console.store.read_lines import QUANTILES, Lines
from console.store.read_series import SeriesReader
from console.store.timeline import Segment, wall_of

TAIL_MS = 300_000
"""The newest minutes are read one by one where nothing waits to be packed."""


class Beside:
    """The minutes behind one page of longer stretches."""

    def __init__(
        self,
        moment: Moment,
        reader: SeriesReader,
        closed: ClosedCells,
        place: Grid,
        end_ms: int,
        keys: Collection[str],
        distributions: Collection[str],
        lines: Sequence[SeriesSpec],
    ) -> None:
        """`keys`, `distributions`: as for `SeriesReader.read`; `lines`: all of the page."""
        self._lines = lines
        self._moment, self._reader, self._closed, self._place = moment, reader, closed, place
        self._end_ms = end_ms
        grids = self._grids()
        read = (reader.read(keys, distributions, grid) for grid in grids)
        self._unpacked = [(grid, Lines(cells, grid)) for grid, cells in zip(grids, read, strict=True)]

    def _grids(self) -> list[Grid]:
        """The minutes that are read one by one: those that are not packed, and the newest ones; usually together."""
        begin_ms = self._end_ms - TAIL_MS
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
