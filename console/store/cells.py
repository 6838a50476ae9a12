"""What is known of one series in each stretch of a grid: gathered from samples and rollups, then closed into cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from console.model.grid import Grid
from console.model.histograms import ForeignHistogram, Histogram, histogram_from
from console.model.metrics import Rollup
from console.model.observation import LONGEST_GROWTH, Sample
from console.store.names import MINUTE_MS
from console.store.packing import rollup_of
from console.store.rollups import merged_from

_ENOUGH_GAPS = 8
_NEARLY_ALL = 0.75
_FORGIVEN = 3
_ON_TIME = 1.5


@dataclass(frozen=True, slots=True)
class Cell:
    """One series in one stretch."""

    rollup: Rollup
    observed_ms: float
    """How much of the stretch the samples speak for; what growths are divided by."""
    first_ms: int
    last_ms: int
    """When the first and the last sample were; of rollups, when their minute or hour began."""
    foreign: bool = False
    """Whether its histogram is somebody else's."""
    data: bytes | None = None
    """Its histogram as bytes, where the rollup has none."""

    @property
    def hist(self) -> Histogram | None:
        """Its histogram."""
        return histogram_from(self.data) if self.data is not None else self.rollup.hist

    @property
    def whole(self) -> Rollup:
        """Its rollup with its histogram."""
        return replace(self.rollup, hist=self.hist) if self.data is not None else self.rollup

    def packed(self) -> Cell:
        """The same with its histogram as bytes."""
        hist = self.rollup.hist
        return self if hist is None else self._without_histogram(hist.to_bytes_quickly())

    def bare(self) -> Cell:
        """The same with no more of its histogram than the quantiles; a foreign one tells where its bounds are open."""
        return self.packed() if self.foreign or self.rollup.hist is None else self._without_histogram(None)

    def _without_histogram(self, data: bytes | None) -> Cell:
        one = self.rollup  # `replace` takes three times as long, and a page closes a thousand
        rollup = Rollup(
            n=one.n, sum=one.sum, min=one.min, max=one.max, p50=one.p50, p95=one.p95, p99=one.p99, minutes=one.minutes
        )
        return Cell(rollup, self.observed_ms, self.first_ms, self.last_ms, self.foreign, data)


@dataclass(slots=True)
class Stretch:
    """What was found of one series in one stretch so far."""

    samples: list[Sample] = field(default_factory=list)
    sampled_ms: float = 0.0
    rollups: list[Rollup] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    """Rollups with their histograms, as `merged_from` takes them."""
    stored: float = 0.0
    """How many samples the rollups hold, of a gauge."""
    minutes: int = 0
    most: float = 0.0
    """The most samples in a minute."""
    first_ms: int = 0
    last_ms: int = -1

    def reach(self, first_ms: int, last_ms: int) -> None:
        """Take in when something was."""
        if self.last_ms < 0 or first_ms < self.first_ms:
            self.first_ms = first_ms
        if last_ms > self.last_ms:
            self.last_ms = last_ms


class Gathered:
    """One series on a grid."""

    def __init__(self, grid: Grid, interval_ms: float, *, distribution: bool, merged: bool = True) -> None:
        """`interval_ms`: between polls now. `distribution`: whether quantiles are asked for; `merged`: whether its
        histograms are too."""
        self.distribution = distribution
        self.merged = distribution and merged
        self._grid = grid
        self._interval_ms = interval_ms
        self._stretches: dict[int, Stretch] = {}
        self._made: dict[int, Cell | None] = {}

    def samples(self, timed: Sequence[tuple[int, Sample]], from_ms: int) -> None:
        """(wall ms, sample) in the order of time; those before `from_ms` only tell when the one after them began."""
        usual_ms = self._usual_ms([at for at, _ in timed])
        longest_ms = (LONGEST_GROWTH + 0.5) * usual_ms
        start_ms, end_ms = max(from_ms, self._grid.start_ms), self._grid.end_ms
        before_ms: int | None = None
        stretch, stretch_ends_ms = Stretch(), 0
        for at, sample in timed:
            gap_ms = at - before_ms if before_ms is not None else usual_ms
            before_ms = at
            if not start_ms <= at < end_ms:
                continue
            if at >= stretch_ends_ms:
                index = self._grid.index(at)
                stretch, stretch_ends_ms = self._stretch(index), self._grid.begin(index + 1)
                stretch.reach(at, at)
            stretch.samples.append(sample)
            stretch.sampled_ms += gap_ms if gap_ms <= longest_ms else usual_ms
            stretch.last_ms = at if at > stretch.last_ms else stretch.last_ms

    def _usual_ms(self, times: Sequence[int]) -> float:
        """Between polls: as they were, where there are enough to tell, else as they are now. Of the gaps a short one,
        since those of polls that did not come are long."""
        gaps = sorted(after - before for before, after in pairwise(times))
        if len(gaps) >= _ENOUGH_GAPS:
            self._interval_ms = max(1, gaps[len(gaps) // 10])
        return self._interval_ms

    def rollup(self, index: int, rollup: Rollup, at_ms: tuple[int, int], most: float) -> None:
        """One or more stored minutes or hours. `at_ms`: when the first and the last began; `most`: see `Stretch`."""
        stretch = self._stretch(index)
        stretch.rollups.append(rollup)
        stretch.stored += rollup.n
        stretch.minutes += rollup.minutes
        stretch.most = most if most > stretch.most else stretch.most
        stretch.reach(*at_ms)

    def rows(self, index: int, at_ms: tuple[int, int], rows: Sequence[tuple[Any, ...]]) -> None:
        """Stored minutes or hours of one stretch, as `merged_from` takes them. `at_ms`: when the first and the last
        began."""
        stretch = self._stretch(index)
        stretch.rows += rows
        stretch.minutes += sum([row[0] for row in rows])
        stretch.reach(*at_ms)

    def _stretch(self, index: int) -> Stretch:
        found = self._stretches.get(index)
        if found is None:
            found = self._stretches[index] = Stretch()
        return found

    def cells(self, at_ms: int, known: Mapping[int, Cell | None]) -> list[Cell | None]:
        """One for each stretch, those `known` as they are; None where nothing was seen. A value lasts until the next
        poll is due, so that a target polled more seldom than a stretch is long has no gaps; a poll that did not come
        leaves one."""
        indexes = range(self._grid.points)
        return self._lasting([known[index] if index in known else self.cell(index) for index in indexes], at_ms)

    def is_sampled(self, index: int) -> bool:
        """Whether samples that are in no rollup went into a stretch."""
        stretch = self._stretches.get(index)
        return stretch is not None and bool(stretch.samples)

    def cell(self, index: int) -> Cell | None:
        """What was gathered of one stretch."""
        if index not in self._made:
            stretch = self._stretches.get(index)
            self._made[index] = self._cell(index, stretch) if stretch is not None else None
        return self._made[index]

    def _cell(self, index: int, stretch: Stretch) -> Cell | None:
        parts = stretch.rollups
        if stretch.rows:
            parts = [*parts, merged_from(stretch.rows)]
        own = rollup_of(stretch.samples, distribution=self.distribution) if stretch.samples else None
        if own is not None:
            parts = [*parts, own]
        whole = parts[0] if len(parts) == 1 else Rollup.merged(parts)
        if whole is None:
            return None
        observed_ms = stretch.sampled_ms + (self._stored_ms(index, stretch) if stretch.minutes else 0.0)
        is_foreign = isinstance(whole.hist, ForeignHistogram)
        return Cell(whole, observed_ms, stretch.first_ms, stretch.last_ms, is_foreign)

    def _stored_ms(self, index: int, stretch: Stretch) -> float:
        """How long the stored minutes were observed: all of it, unless many of their polls are missing.

        Between minutes that were observed too, a missed poll or two are made up for by the next growth.
        """
        if self._interval_ms > MINUTE_MS:
            return min(stretch.stored * self._interval_ms, max(self._grid.step_ms, self._interval_ms))
        if self.distribution:  # its samples are not counted by minutes
            return float(stretch.minutes * MINUTE_MS)
        before, after = self._stretches.get(index - 1), self._stretches.get(index + 1)
        most = max(stretch.most, before.most if before is not None else 0.0, after.most if after is not None else 0.0)
        expected = most * stretch.minutes
        forgiven = _FORGIVEN if before is not None and after is not None else 0
        if not expected or stretch.stored + forgiven >= _NEARLY_ALL * expected:
            return float(stretch.minutes * MINUTE_MS)
        return stretch.minutes * MINUTE_MS * stretch.stored / expected

    def _lasting(self, cells: list[Cell | None], at_ms: int) -> list[Cell | None]:
        found, before = [*cells], None
        following = _first_after(cells, at_ms)
        for index, cell in enumerate(cells):
            if cell is not None:
                before = cell
            elif before is not None and self._grid.begin(index) <= at_ms:
                ends_ms = self._grid.begin(index + 1)
                is_due = ends_ms <= before.last_ms + 1.1 * self._interval_ms
                if following[index] > at_ms:  # no poll has come since: it may be that none comes
                    is_due = self._grid.begin(index) <= before.last_ms + 1.1 * self._interval_ms
                    found[index] = before if is_due else None
                elif is_due or following[index] - before.last_ms <= _ON_TIME * self._interval_ms:
                    found[index] = before
        return found


def _first_after(cells: Sequence[Cell | None], at_ms: int) -> list[int]:
    """When the next sample after each stretch was; after the moment of the read where there is none."""
    found, after_ms = [], at_ms + 1
    for cell in reversed(cells):
        found.append(after_ms)
        after_ms = cell.first_ms if cell is not None else after_ms
    return found[::-1]
