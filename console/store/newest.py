"""What is `now`: each line's statistic over the last minute before the window's end, and so the same in every window.

A stretch of a short window is a few polls, one of a long window hours: neither tells what is now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from console.model.charts import SeriesSpec
from console.model.grid import Grid
from console.model.metrics import Rollup
from console.store import blocks
from console.store.cells import Cell
from console.store.moment import Moment
from console.store.names import BLOCK_MS, MINUTE_MS
from console.store.read_lines import Lines
from console.store.read_series import SeriesReader

NOW_MS = MINUTE_MS
LONGEST_NOW_MS = 7_200_000
"""Of a source that is polled more seldom `now` is what its last two polls told, up to so long ago."""


class Newest:
    """The last minute of one page."""

    def __init__(
        self, moment: Moment, reader: SeriesReader, end_ms: int, keys: Collection[str], distributions: Collection[str]
    ) -> None:
        """`end_ms`: where the window ends, not included; `keys`, `distributions`: as for `SeriesReader.read`."""
        self._moment, self._reader = moment, reader
        self._keys, self._distributions = keys, distributions
        self._end_ms = _told_until(moment, end_ms)

    def now(self, spec: SeriesSpec) -> float | None:
        """The line's value; None: nothing came in that time."""
        return self._lines.line(spec).values[0]

    @cached_property
    def _lines(self) -> Lines:
        """The minute as one stretch, made once for all lines."""
        cells: dict[str, Sequence[Cell | None]] = {}
        for minutes, keys in self._by_minutes.items():
            cells |= self._read(minutes, keys)
        return Lines(cells, Grid(self._end_ms - NOW_MS, NOW_MS, 1))

    @cached_property
    def _by_minutes(self) -> Mapping[int, list[str]]:
        """The series by how many minutes are looked back."""
        found: dict[int, list[str]] = {}
        for key in self._keys:
            found.setdefault(self._lookback(key), []).append(key)
        return found

    def _lookback(self, key: str) -> int:
        span = self._moment.span(key.rpartition("|")[0])
        longest_ms = min(LONGEST_NOW_MS, 2 * span.interval_ms) if span is not None else NOW_MS
        return -(-max(NOW_MS, longest_ms) // NOW_MS)

    def _read(self, minutes: int, keys: Collection[str]) -> dict[str, Sequence[Cell | None]]:
        found = self._read_until(self._end_ms, minutes, keys)
        whole_ms = self._end_ms // MINUTE_MS * MINUTE_MS
        gone = [key for key, (cell,) in found.items() if cell is None]
        # Of a series of which minutes are kept and no polls, the last whole one tells.
        return found | self._read_until(whole_ms, minutes, gone) if gone and whole_ms < self._end_ms else found

    def _read_until(self, end_ms: int, minutes: int, keys: Collection[str]) -> dict[str, Sequence[Cell | None]]:
        grid = Grid(end_ms - minutes * NOW_MS, NOW_MS, minutes)
        distributions = set(self._distributions) & set(keys)
        found = self._reader.read(keys, distributions, grid)
        return {key: [_merged([cell for cell in cells if cell is not None])] for key, cells in found.items()}


def _told_until(moment: Moment, end_ms: int) -> int:
    """To the end itself where its minute's polls are there one by one; else to where that minute began."""
    first = moment.connection.execute(
        "SELECT min(at) FROM (SELECT min(at) AS at FROM recent UNION ALL SELECT min(at) FROM recent_judged)"
    ).fetchone()[0]
    minute = blocks.floor(moment.timeline.position(end_ms), MINUTE_MS)
    is_packed = first is None or minute < blocks.floor(first, BLOCK_MS)
    return end_ms - end_ms % MINUTE_MS if is_packed else end_ms


def _merged(cells: list[Cell]) -> Cell | None:
    # A value that lasts is the same cell in several minutes, and counts once.
    cells = [*{id(cell): cell for cell in cells}.values()]
    if len(cells) < 2:
        return cells[0] if cells else None
    whole = Rollup.merged([cell.whole for cell in cells])
    if whole is None:
        return None
    observed_ms = sum(cell.observed_ms for cell in cells)
    return Cell(whole, observed_ms, cells[0].first_ms, cells[-1].last_ms, any(cell.foreign for cell in cells))
