"""Cells of stretches that are long closed, kept from read to read, so that a page is read anew only where time went on.

A cell is kept under its series, the length of the stretch and the position at which it begins; the position holds the
era. It is kept only when it was made of minutes or hours alone, and was closed well before. It is used only as long as
the rows that it was made of are kept too, so that no chart shows more than the store holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.model.grid import Grid
from console.store import blocks
from console.store.cells import Cell, Gathered
from console.store.moment import Moment
from console.store.names import BLOCK_MS, HOUR_MS
from console.store.timeline import position_of

SPARE_MS = 2 * BLOCK_MS
"""Minutes younger than this are read anew: a round that came late may have changed them."""
SPARE_HOURS_MS = 2 * HOUR_MS

Key = tuple[int, bool, bool, int, int]
"""Series, whether with quantiles, whether with histograms, step, position of the begin."""


class ClosedCells:
    """The kept cells of one opened file. Bounded: the oldest go first. None is a stretch without any sample."""

    LIMIT = 10_000

    def __init__(self) -> None:
        self._cells: dict[Key, Cell | None] = {}
        self._facts: dict[Hashable, Sequence[float | None]] = {}

    def facts(self, key: Hashable, read: Callable[[], Sequence[float | None]]) -> Sequence[float | None]:
        """What is known of a closed day; `read` gives it where it is not kept."""
        found = self._facts.get(key)
        if found is None:
            if len(self._facts) >= self.LIMIT:
                self._facts.clear()
            found = self._facts[key] = read()
        return found

    def get(self, key: Key) -> Cell | None:
        """A kept cell; it may have a histogram that is not asked for. Raises KeyError when it is not kept."""
        try:
            return self._cells[key]
        except KeyError:
            number, distribution, _, step_ms, position = key
            return self._cells[number, distribution, True, step_ms, position]

    def put(self, key: Key, cell: Cell | None) -> None:
        """Keep a cell, its histogram as bytes and only where it is asked for: decoded it is ten times as large."""
        if len(self._cells) >= self.LIMIT:
            for oldest in list(self._cells)[: self.LIMIT // 10]:
                del self._cells[oldest]
        _, _, merged, _, _ = key
        self._cells[key] = cell and (cell.packed() if merged else cell.bare())


@dataclass(frozen=True, slots=True)
class Kept:
    """From which position on the rows of a series are kept."""

    rollups: int
    """Of the grid's own kind: minutes or hours."""
    any: int


class Shelf:
    """The kept cells that belong to one grid at one moment."""

    def __init__(self, closed: ClosedCells, moment: Moment, grid: Grid) -> None:
        self._closed = closed
        self._grid = grid
        self._positions = list(_positions(moment, grid))

    def known(self, number: int, kept: Kept, gathered: Gathered) -> dict[int, Cell | None]:
        """By stretch: the cells that need not be read."""
        found: dict[int, Cell | None] = {}
        for index, position in enumerate(self._positions):
            if position is None:
                continue
            if position + self._grid.step_ms <= kept.any:
                found[index] = None
            elif position >= kept.rollups:
                try:
                    found[index] = self._closed.get(self._key(number, gathered, position))
                except KeyError:
                    continue
        return found

    def keep(self, number: int, gathered: Gathered, indexes: Iterable[int]) -> None:
        """Keep what was read of closed stretches."""
        for index in indexes:
            position = self._positions[index]
            if position is not None and not gathered.is_sampled(index):
                self._closed.put(self._key(number, gathered, position), gathered.cell(index))

    def _key(self, number: int, gathered: Gathered, position: int) -> Key:
        return number, gathered.distribution, gathered.merged, self._grid.step_ms, position


def _positions(moment: Moment, grid: Grid) -> Iterable[int | None]:
    """Where each stretch begins; None: it is not long closed, or lies in two eras."""
    settled = _settled(moment, grid)
    for index in range(grid.points):
        begin_ms, end_ms = grid.begin(index), grid.begin(index + 1)
        era = moment.timeline.era_at(begin_ms)
        is_whole = era == moment.timeline.era_at(end_ms - 1)
        closed = is_whole and position_of(era, end_ms) <= settled
        yield position_of(era, begin_ms) if closed else None


def _settled(moment: Moment, grid: Grid) -> int:
    """Up to where nothing changes any more."""
    unpacked, pending = (
        moment.connection.execute(query).fetchone()[0]
        for query in ("SELECT min(at) FROM recent", "SELECT min(start) FROM pending_hour")
    )
    settled = moment.position if unpacked is None else min(moment.position, blocks.floor(unpacked, BLOCK_MS))
    if grid.step_ms < HOUR_MS:
        return settled - SPARE_MS
    return (settled if pending is None else min(settled, int(pending))) - SPARE_HOURS_MS


def missing(known: Collection[Mapping[int, Cell | None]], points: int) -> tuple[int, int] | None:
    """The first and the last stretch that any series does not know; None: all know all."""
    unknown = [index for index in range(points) if any(index not in one for one in known)]
    return (unknown[0], unknown[-1]) if unknown else None
