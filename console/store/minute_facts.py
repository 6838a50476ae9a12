"""What the minutes of a page's lines were at most, and in how many of them a line was beyond its target.

A page of 30 days asks of 43,200 minutes a series: so each is looked at once for all lines of its series, and for the
target only on days on which the greatest of them passed it. Whole days that are long closed are kept from read to read.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from console.model.charts import SeriesSpec, Statistic
from console.store import blocks
from console.store.closed_cells import SPARE_MS, ClosedCells
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.read_lines import QUANTILES
from console.store.timeline import Segment
from console.store.window import ceiling

_VALUES = {
    Statistic.MEAN: "a.sum / a.n",
    Statistic.MIN: "a.min",
    Statistic.MAX: "a.max",
    Statistic.P50: "a.p50",
    Statistic.P95: "a.p95",
    Statistic.P99: "a.p99",
    Statistic.RATE: "a.sum / :seconds",
    Statistic.RATIO: "a.sum / b.sum",
}
"""What a minute's value is; `b` is what it is divided by. A division by 0 gives no value."""
_GREATEST = (*QUANTILES, Statistic.RATE, Statistic.MIN)
"""Those of one series whose greatest is asked for; a mean's is that of its own samples."""


class Piece(NamedTuple):
    """Minutes from `low` to before `high`, as positions of one era."""

    low: int
    high: int
    closed: bool
    """Whether it is a whole day that never changes any more."""


class MinuteFacts:
    """Lines of one series, or of one divided by another, over stored minutes, or hours where minutes are not kept."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        closed: ClosedCells,
        numbers: Mapping[str, int],
        lines: Iterable[SeriesSpec],
        segments: Iterable[Segment],
        size_ms: int = MINUTE_MS,
    ) -> None:
        """`numbers`: the series by their keys; `lines`: all of the page; `segments`: the minutes that are meant;
        `size_ms`: of a minute or of an hour."""
        self._table, self.size_ms = "rollup_hour" if size_ms == HOUR_MS else "rollup_minute", size_ms
        self._connection, self._closed, self._numbers = connection, closed, numbers
        self._pieces = [piece for segment in segments for piece in _pieces(segment)]
        self._extremes: dict[int, tuple[str, ...]] = _extremes_of(lines, numbers)
        self._told: dict[Hashable, Sequence[float | None]] = {}

    def knows(self, line: SeriesSpec) -> bool:
        """Whether a line's minutes have values by themselves: it is of one series, or of one by one."""
        keys = (*line.keys, *line.per)
        is_single = len(line.keys) == 1 and len(line.per) <= 1
        return line.statistic in _VALUES and is_single and all(key in self._numbers for key in keys)

    def peak(self, line: SeriesSpec, target: float | None = None) -> float | None:
        """The greatest value of a line, in its chart's unit; None: there is none. `target`: of a line that has one; a
        ratio's minutes are looked at once for both."""
        if line.statistic is Statistic.RATIO:
            return self._greatest_ratio(line, target)
        if line.statistic not in _GREATEST:
            return None
        found = [value for piece in self._pieces if (value := self._greatest(line, piece)) is not None]
        return max(found, default=None)

    def _greatest_ratio(self, line: SeriesSpec, target: float | None) -> float | None:
        found = [self._ratio(line, target, piece)[1] for piece in self._pieces]
        greatest = max((value for value in found if value is not None), default=None)
        if greatest is None and _skips_none(line, target) and self._has_any(line):
            greatest = 0.0
        return None if greatest is None else greatest * line.scale

    def beyond(self, line: SeriesSpec, target: float, *, below: bool) -> int | None:
        """In how many minutes the line was over its target, or `below` it. None: no minute has a value."""
        many = sum(self._beyond(line, target, piece, below=below) for piece in self._pieces)
        return many or (0 if self._has_any(line) else None)

    def _greatest(self, line: SeriesSpec, piece: Piece) -> float | None:
        number = self._numbers[line.keys[0]]
        columns = self._extremes[number]
        values = ", ".join(columns).replace(":seconds", str(self.size_ms / 1000))
        query = f"SELECT {values} FROM {self._table} a WHERE series_id = ? AND start >= ? AND start <= ?"
        found = self._row(piece, query, (number,))
        value = found[columns.index(_extreme(line))]
        return None if value is None else (1 - value if line.complement else value) * line.scale

    def _beyond(self, line: SeriesSpec, target: float, piece: Piece, *, below: bool) -> int:
        if line.statistic in QUANTILES and not below:
            greatest = self._greatest(line, piece)
            if greatest is None or greatest <= target:
                return 0
        if line.statistic is Statistic.RATIO and not below:
            return int(self._ratio(line, target, piece)[0] or 0)
        value, source, numbers = self._value(line)
        query = f"SELECT count(*) {source} AND a.start >= ? AND a.start <= ? AND ({value}) * ? {'<>'[not below]} ?"
        return int(self._row(piece, query, numbers, (line.scale, target))[0] or 0)

    def _ratio(self, line: SeriesSpec, target: float | None, piece: Piece) -> Sequence[float | None]:
        """In how many minutes a ratio was over its target, and its greatest value before scaling."""
        value, source, numbers = self._value(line)
        only = _SOME if _skips_none(line, target) else ""
        greatest = "max" if line.scale >= 0 else "min"
        over = f"sum(({value}) * {line.scale!r} > {target!r})" if target is not None else "NULL"
        query = f"SELECT {over}, {greatest}({value}) {source} AND a.start >= ? AND a.start <= ?{only}"
        return self._row(piece, query, numbers)

    def _has_any(self, line: SeriesSpec) -> bool:
        value, source, numbers = self._value(line)
        query = f"SELECT 1 {source} AND a.start >= ? AND a.start <= ? AND {value} IS NOT NULL LIMIT 1"
        return any(
            self._connection.execute(query, (*numbers, piece.low, piece.high - self.size_ms)).fetchone()
            for piece in self._pieces
        )

    def _value(self, line: SeriesSpec) -> tuple[str, str, tuple[int, ...]]:
        """A minute's value, where it is found, and the numbers of its series."""
        numbers = tuple(self._numbers[key] for key in (*line.per, *line.keys))
        other = f"CROSS JOIN {self._table} b ON b.series_id = ? AND b.start = a.start" if line.per else ""
        value = _VALUES[line.statistic].replace(":seconds", str(self.size_ms / 1000))
        return (
            f"1 - {value}" if line.complement else value,
            f"FROM {self._table} a {other} WHERE a.series_id = ?",
            numbers,
        )

    def _row(
        self, piece: Piece, query: str, numbers: tuple[int, ...], more: tuple[float, ...] = ()
    ) -> Sequence[float | None]:
        """What a query tells of a piece: what it told before, of a closed one to an earlier read too."""

        def read() -> Sequence[float | None]:
            bounds = (piece.low, piece.high - self.size_ms)
            found: Sequence[float | None] = self._connection.execute(query, (*numbers, *bounds, *more)).fetchone()
            return found

        key = query, numbers, more, piece.low
        if piece.closed:
            return self._closed.facts(key, read)
        if key not in self._told:
            self._told[key] = read()
        return self._told[key]


_SOME = " AND a.sum != 0"
"""A share of nothing is over no target: without the errors' minutes that had none it takes a third of the time."""


def _skips_none(line: SeriesSpec, target: float | None) -> bool:
    return not line.complement and line.scale >= 0 and (target is None or target >= 0)


def _extreme(line: SeriesSpec) -> str:
    """What the greatest value of a line is made of."""
    return f"{'min' if line.complement != (line.scale < 0) else 'max'}({_VALUES[line.statistic]})"


def _extremes_of(lines: Iterable[SeriesSpec], numbers: Mapping[str, int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, set[str]] = defaultdict(set)
    for line in lines:
        if line.statistic in _GREATEST and len(line.keys) == 1 and line.keys[0] in numbers:
            found[numbers[line.keys[0]]].add(_extreme(line))
    return {number: tuple(sorted(columns)) for number, columns in found.items()}


def _pieces(segment: Segment) -> Iterator[Piece]:
    low, high = segment.low, segment.high + 1
    first, last = ceiling(low, DAY_MS), blocks.floor(high - SPARE_MS, DAY_MS)
    if first >= last:
        yield Piece(low, high, closed=False)
        return
    yield Piece(low, first, closed=False)
    for day in range(first, last, DAY_MS):
        yield Piece(day, day + DAY_MS, closed=True)
    yield Piece(last, high, closed=False)
