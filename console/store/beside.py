"""What is said beside a line whose stretches are longer than a minute: its peak, how long it was beyond its target. A
mean of hours hides both, so they are told by minutes, and so alike in every window.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from console.model.charts import ChartSpec, SeriesSpec, Statistic
from console.model.grid import Grid
from console.store import blocks
from console.store.closed_cells import ClosedCells
from console.store.minute_facts import MinuteFacts
from console.store.moment import Moment
from console.store.names import BLOCK_MS, HOUR_MS, MINUTE_MS
from console.store.read_lines import Lines, line_of_target
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
        self._by_hours: dict[int, MinuteFacts] = {}
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

    def peak(self, chart: ChartSpec, line: SeriesSpec) -> float | None:
        """The greatest of the line's minutes, and of its hours where minutes are not kept. None: it is not told."""
        if not self._is_told(line):
            return None
        target = chart.target if line is line_of_target(chart) else None
        found = [facts.peak(line, target) for facts in self._facts_of(line)]
        return max([*self._counted(line), *(value for value in found if value is not None)], default=None)

    def over_s(self, chart: ChartSpec, line: SeriesSpec) -> float | None:
        """Seconds in which the line was beyond the chart's target, in whole minutes, and in whole hours where minutes
        are not kept. None where it is not told."""
        target, below = chart.target, chart.target_is_floor
        if target is None or not self._is_told(line):
            return None
        counted = self._counted(line)
        packed = [(facts.beyond(line, target, below=below), facts.size_ms) for facts in self._facts_of(line)]
        if not counted and all(many is None for many, _ in packed):
            return None
        own_ms = sum(value < target if below else value > target for value in counted) * MINUTE_MS
        return (own_ms + sum((many or 0) * size_ms for many, size_ms in packed)) / 1000

    def _is_told(self, line: SeriesSpec) -> bool:
        """A growth that is polled more seldom than each minute is no rate of its minute."""
        is_seldom = line.statistic is Statistic.RATE and self._reader.interval_ms(line.keys[0]) > MINUTE_MS
        return self._minutes.knows(line) and not is_seldom

    def _facts_of(self, line: SeriesSpec) -> list[MinuteFacts]:
        first_ms = self._reader.minutes_from_ms(line.keys[0], self._place.start_ms, self._end_ms)
        return [self._minutes] if first_ms <= self._place.start_ms else [self._hours(first_ms), self._minutes]

    def _counted(self, line: SeriesSpec) -> list[float]:
        """The values of the minutes that were read one by one."""
        found = (lines.line(line).values for _, lines in self._unpacked)
        return [value for values in found for value in values if value is not None]

    @cached_property
    def _minutes(self) -> MinuteFacts:
        """Of all others."""
        segments = self._packed_segments()
        return MinuteFacts(self._moment.connection, self._closed, self._reader.numbers, self._lines, segments)

    def _hours(self, until_ms: int) -> MinuteFacts:
        """Of the window's hours that began before its first minute."""
        if until_ms not in self._by_hours:
            begin_ms, end_ms = self._place.start_ms // HOUR_MS * HOUR_MS, min(until_ms, self._end_ms)
            segments = self._moment.timeline.segments(begin_ms, end_ms // HOUR_MS * HOUR_MS - 1)
            numbers, lines = self._reader.numbers, self._lines
            found = MinuteFacts(self._moment.connection, self._closed, numbers, lines, segments, HOUR_MS)
            self._by_hours[until_ms] = found
        return self._by_hours[until_ms]

    def _packed_segments(self) -> Iterator[Segment]:
        begin_ms = self._place.start_ms
        for grid, _ in self._unpacked:
            yield from self._moment.timeline.segments(begin_ms, grid.start_ms - 1)
            begin_ms = grid.end_ms
