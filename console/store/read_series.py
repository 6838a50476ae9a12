"""Many series on one grid of time, as they were known at a moment: raw samples, minutes or hours by the grid's step.

A minute or hour counts only when it was closed by the moment, and lies wholly in what its era shows; what is left at
the edges is read finer. So a read at `t` sees nothing that came after `t`, also where the clock was set back.
One query a table and kind of series, however many series, stretches and lines there are.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from console.model.grid import Grid
from console.model.metrics import Rollup
from console.model.observation import Sample
from console.store import blocks, codec
from console.store.cells import Cell, Gathered
from console.store.closed_cells import ClosedCells, Kept, Shelf, missing
from console.store.moment import Moment
from console.store.names import BLOCK_MS, HOUR_MS, MINUTE_MS, POLLED
from console.store.rollups import ROLLUP_COLUMNS
from console.store.timeline import ERA_SHIFT, Segment, wall_of
from console.store.window import ceiling

LEAD_MS = 120_000
"""How much before the first stretch is read, to know how long its first growth took."""
_WALL = (1 << ERA_SHIFT) - 1
_DEFAULT_INTERVAL_MS = 5_000
_NEVER = 1 << 62


class SeriesReader:
    """The series of a store at a moment."""

    def __init__(self, moment: Moment, closed: ClosedCells | None = None) -> None:
        """`closed`: what earlier reads of the same file found of stretches that are long closed."""
        self._moment = moment
        self._connection = moment.connection
        self._closed = closed or ClosedCells()
        self._rounds = Rounds(self._connection)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The ids of all series ever stored, by `TARGET|METRIC`."""
        rows = self._connection.execute(
            "SELECT t.key || '|' || s.metric, s.id FROM series s JOIN target t ON t.id = s.target_id WHERE metric != ?",
            (POLLED,),
        )
        return dict(rows.fetchall())

    def read(
        self,
        keys: Collection[str],
        distributions: Collection[str],
        grid: Grid,
        merged: Collection[str] | None = None,
    ) -> dict[str, list[Cell | None]]:
        """A cell for each stretch of each of `keys`; those in `distributions` with quantiles, of them those in `merged`
        (None: all) with their histograms too. Unknown keys are left out."""
        found = {key: self.numbers[key] for key in keys if key in self.numbers}
        series = {
            number: Gathered(
                grid,
                self.interval_ms(key),
                distribution=key in distributions,
                merged=merged is None or key in merged,
            )
            for key, number in found.items()
        }
        known = self._read(series, grid) if series else {}
        return {key: series[number].cells(self._moment.at_ms, known.get(number, {})) for key, number in found.items()}

    def _read(self, series: Mapping[int, Gathered], grid: Grid) -> dict[int, dict[int, Cell | None]]:
        """Gather what no earlier read kept; gives what one did, by series and stretch."""
        if grid.step_ms < MINUTE_MS:
            self._gather(series, grid, grid.start_ms, grid.end_ms)
            return {}
        shelf = Shelf(self._closed, self._moment, grid)
        known = {number: shelf.known(number, self._kept(number, grid), one) for number, one in series.items()}
        unknown = missing(known.values(), grid.points)
        if unknown is not None:
            first, last = unknown
            # One more on either side: how long a stretch was observed is seen beside its neighbours.
            self._gather(series, grid, grid.begin(first - 1), grid.begin(last + 2))
            for number, one in series.items():
                shelf.keep(number, one, (index for index in range(first, last + 1) if index not in known[number]))
        return known

    def _gather(self, series: Mapping[int, Gathered], grid: Grid, from_ms: int, end_ms: int) -> None:
        gathering = _Gathering(self._moment, grid, series, from_ms, self._rounds)
        for segment in self._moment.timeline.segments(from_ms, min(end_ms - 1, self._moment.at_ms)):
            gathering.segment(segment)

    def _kept(self, number: int, grid: Grid) -> Kept:
        hours, minutes, raw = (
            self._first(table, number, 0, _NEVER) for table in ("rollup_hour", "rollup_minute", "block")
        )
        return Kept(hours if grid.step_ms >= HOUR_MS else minutes, min(hours, minutes, raw))

    def minutes_from_ms(self, key: str, from_ms: int, until_ms: int) -> int:
        """From when on a window has minutes of a series: `from_ms` where nothing is kept more coarsely before them."""
        high = self._moment.timeline.position(until_ms)
        low = max(self._moment.timeline.position(from_ms), high >> ERA_SHIFT << ERA_SHIFT)
        number = self.numbers[key]
        hour = self._first("rollup_hour", number, blocks.floor(low, HOUR_MS), high)
        minute = self._first("rollup_minute", number, low, high)
        if hour == _NEVER or minute < hour + 2 * HOUR_MS:
            return from_ms
        return wall_of(minute) if minute < _NEVER else until_ms

    def interval_ms(self, key: str) -> int:
        """Between its polls, as they are while it answers: one that hangs is asked seldom."""
        target = key.rpartition("|")[0]
        span = self._moment.answered(target) or self._moment.span(target)
        return span.interval_ms if span is not None else _DEFAULT_INTERVAL_MS

    def least_step_ms(self, keys: Collection[str], from_ms: int, until_ms: int, step_ms: int = MINUTE_MS) -> int:
        """The shortest step, of those from `step_ms` on, for which what the window needs is still kept: 0, a minute or
        an hour.

        What is there more coarsely, and finely only from later on, is not kept any more.
        """
        timeline = self._moment.timeline
        high = timeline.position(until_ms)
        low = max(timeline.position(from_ms), high >> ERA_SHIFT << ERA_SHIFT)
        hour_low = blocks.floor(low, HOUR_MS)
        numbers = [self.numbers[key] for key in keys if key in self.numbers]
        for number in numbers:
            hour = self._first("rollup_hour", number, hour_low, high)
            if hour < _NEVER and hour + 2 * HOUR_MS <= self._first("rollup_minute", number, hour_low, high):
                return HOUR_MS
        is_gone = step_ms < MINUTE_MS and numbers and self._raw_is_gone(numbers, blocks.floor(low, MINUTE_MS), high)
        return MINUTE_MS if is_gone else 0

    def _raw_is_gone(self, numbers: Sequence[int], low: int, high: int) -> bool:
        """Whether there is a minute of a series without its samples: its ten minutes are no block, and its target has
        no round in it. So single rounds of long ago, as an authored past leaves them, stand for no minutes but theirs.
        """
        slot_start = f"m.start - (m.start & {_WALL}) % {BLOCK_MS}"
        polls = "SELECT 1 FROM %s WHERE at >= m.start AND at < m.start + 60000 AND target_id = slot.target_id"
        row = self._connection.execute(
            f"SELECT 1 FROM (SELECT DISTINCT series_id, s.target_id, {slot_start} AS start "
            f"FROM rollup_minute m JOIN series s ON s.id = m.series_id WHERE series_id IN ({_marks(numbers)}) "
            "AND m.start >= ? AND m.start <= ?) slot "
            "WHERE NOT EXISTS (SELECT 1 FROM block b WHERE b.series_id = slot.series_id AND b.start = slot.start) "
            "AND EXISTS (SELECT 1 FROM rollup_minute m WHERE m.series_id = slot.series_id "
            f"AND m.start >= max(slot.start, ?) AND m.start < slot.start + {BLOCK_MS} AND m.start <= ? "
            f"AND NOT EXISTS ({polls % 'recent'}) AND NOT EXISTS ({polls % 'recent_judged'})) LIMIT 1",
            (*numbers, low, high, low, high),
        ).fetchone()
        return row is not None

    def _first(self, table: str, number: int, low: int, high: int) -> int:
        row = self._connection.execute(
            f"SELECT min(start) FROM {table} WHERE series_id = ? AND start >= ? AND start <= ?", (number, low, high)
        ).fetchone()
        return int(row[0]) if row[0] is not None else _NEVER


class _Gathering:
    """One read: what is found goes into the series' stretches."""

    def __init__(
        self, moment: Moment, grid: Grid, series: Mapping[int, Gathered], from_ms: int, rounds: Rounds
    ) -> None:
        self._connection = moment.connection
        self._rounds = rounds
        self._grid = grid
        self._from_ms = from_ms
        self._series = series
        self._targets = _targets_of(moment, series)
        self._plain = [number for number, one in series.items() if not one.distribution]
        self._distributions = [number for number, one in series.items() if one.distribution]

    def segment(self, segment: Segment) -> None:
        """All of one era's stretch of the window."""
        end = segment.high + 1
        timed: dict[int, list[tuple[int, Sample]]] = defaultdict(list)
        if self._grid.step_ms >= HOUR_MS:
            self._by_hours(segment.low, end, timed)
        elif self._grid.step_ms >= MINUTE_MS:
            self._by_minutes(segment.low, end, timed)
        else:
            self._packed(segment.low - LEAD_MS, end, timed)
        self._unpacked(segment.low - LEAD_MS, end, timed)
        for number, samples in timed.items():
            samples.sort(key=lambda each: each[0])
            walls = [(wall_of(at), sample) for at, sample in samples]
            self._series[number].samples(walls, wall_of(segment.low))

    def _by_hours(self, low: int, end: int, timed: dict[int, list[tuple[int, Sample]]]) -> None:
        first, last = ceiling(low, HOUR_MS), blocks.floor(end, HOUR_MS)
        pending = self._connection.execute(
            "SELECT min(start) FROM pending_hour WHERE start >= ? AND start < ?", (first, last)
        ).fetchone()[0]
        last = last if pending is None else pending
        if first >= last:
            self._by_minutes(low, end, timed)
            return
        self._rollups("rollup_hour", first, last)
        self._by_minutes(low, first, timed)
        self._by_minutes(last, end, timed)

    def _by_minutes(self, low: int, end: int, timed: dict[int, list[tuple[int, Sample]]]) -> None:
        first, last = ceiling(low, MINUTE_MS), blocks.floor(end, MINUTE_MS)
        if first >= last:
            self._packed(low, end, timed)
            return
        self._rollups("rollup_minute", first, last)
        self._packed(low, first, timed)
        self._packed(last, end, timed)

    # Rollups, from `low` to before `end`

    def _rollups(self, table: str, low: int, end: int) -> None:
        hour = table == "rollup_hour"
        if self._plain:
            self._sums(table, "sum(minutes)" if hour else "count(*)", low, end)
        if self._distributions:
            self._whole_rows(table, "minutes" if hour else "1", low, end)

    def _whole_rows(self, table: str, minutes: str, low: int, end: int) -> None:
        rows = self._connection.execute(
            f"SELECT {minutes}, {ROLLUP_COLUMNS}, series_id, start FROM {table} WHERE series_id IN "
            f"({_marks(self._distributions)}) AND start >= ? AND start < ? ORDER BY series_id, start",
            (*self._distributions, low, end),
        )
        start_ms, step_ms = self._grid.start_ms, self._grid.step_ms
        stretches: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:  # thousands: nothing is called for each
            stretches[row[-2], ((row[-1] & _WALL) - start_ms) // step_ms].append(row)
        for (number, index), found in stretches.items():
            self._series[number].rows(index, (wall_of(found[0][-1]), wall_of(found[-1][-1])), found)

    def _sums(self, table: str, minutes: str, low: int, end: int) -> None:
        rows = self._connection.execute(
            f"SELECT series_id, ((start & {_WALL}) - ?) / ? AS stretch, {minutes}, sum(n), sum(sum), min(min), "
            f"max(max), max(n), min(start), max(start) FROM {table} WHERE series_id IN ({_marks(self._plain)}) "
            "AND start >= ? AND start < ? GROUP BY series_id, stretch",
            (self._from_ms, self._grid.step_ms, *self._plain, low, end),
        )
        begin = self._grid.index(self._from_ms)
        for number, stretch, count, n, total, least, most, most_n, first, last in rows:
            rollup = Rollup(n=n, sum=total, min=least, max=most, minutes=count)
            times_ms = wall_of(first), wall_of(last)
            self._series[number].rollup(begin + stretch, rollup, times_ms, 0.0 if table == "rollup_hour" else most_n)

    # Samples, from `low` to before `end`

    def _packed(self, low: int, end: int, timed: dict[int, list[tuple[int, Sample]]]) -> None:
        if low >= end:
            return
        numbers = list(self._series)
        rows = self._connection.execute(
            f"SELECT series_id, start, data FROM block WHERE series_id IN ({_marks(numbers)}) "
            "AND start > ? AND start < ? ORDER BY series_id, start",
            (*numbers, low - BLOCK_MS, end),
        )
        for number, start, data in rows:
            timed[number] += [each for each in blocks.decode(start, data) if low <= each[0] < end]

    def _unpacked(self, low: int, end: int, timed: dict[int, list[tuple[int, Sample]]]) -> None:
        for at, samples in self._rounds.between(low, end, self._targets):
            for number, sample in samples:
                if number in self._series:
                    timed[number].append((at, sample))


class Rounds:
    """What is not packed yet, decoded once for all grids of a page."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: tuple[int, int, frozenset[int]] = (0, 0, frozenset())
        self._rounds: list[tuple[int, list[tuple[int, Sample]]]] = []

    def between(
        self, low: int, end: int, targets: frozenset[int]
    ) -> Iterable[tuple[int, Sequence[tuple[int, Sample]]]]:
        """(position, samples by series) from `low` to before `end`; of these targets, and maybe of others."""
        known_low, known_end, known_targets = self._known
        if not (known_low <= low and end <= known_end and targets <= known_targets):
            self._rounds = [*self._read("recent", low, end, targets), *self._read("recent_judged", low, end, targets)]
            self._known = low, end, targets
        return (each for each in self._rounds if low <= each[0] < end)

    def _read(
        self, table: str, low: int, end: int, targets: frozenset[int]
    ) -> Iterable[tuple[int, list[tuple[int, Sample]]]]:
        rows = self._connection.execute(f"SELECT at, target_id, data FROM {table} WHERE at >= ? AND at < ?", (low, end))
        ours = [(at, data) for at, target, data in rows if target in targets]
        decoded = codec.rows_from([data for _, data in ours])
        return ((at, samples) for (at, _), (_, samples) in zip(ours, decoded, strict=True))


def records_from_ms(moment: Moment) -> int | None:
    """The oldest moment of which samples or rollups are kept; None: there are none by the moment of the read."""
    rows = moment.connection.execute(
        "SELECT min((SELECT min(start) FROM rollup_hour WHERE series_id = s.id)), "
        "min((SELECT min(start) FROM rollup_minute WHERE series_id = s.id)), (SELECT min(at) FROM recent), "
        "(SELECT min(at) FROM recent_judged), (SELECT min(began_ms) FROM era) FROM series s"
    ).fetchone()
    *kept, set_back_to_ms = rows
    first = min((position for position in kept if position is not None), default=None)
    if first is None or first > moment.position:
        return None
    return wall_of(first) if set_back_to_ms is None else min(wall_of(first), max(set_back_to_ms, 0))


def _targets_of(moment: Moment, numbers: Collection[int]) -> frozenset[int]:
    rows = moment.connection.execute(
        f"SELECT DISTINCT target_id FROM series WHERE id IN ({_marks(numbers)})", tuple(numbers)
    )
    return frozenset(row[0] for row in rows)


def _marks(values: Collection[Any] | Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
