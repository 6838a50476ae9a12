"""What a deployment did: p95 and error rate in the minutes before and after it went live, from the stored series.

What users met comes first; where the application gives no metrics, what the probes met stands for it, and says so.
The minute in which it went live belongs to neither side. Of a time of which no minutes are on record, whole hours tell:
the one before, and the one after; that in which it went live belongs to neither. Nothing is made up where both lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from console.model.bounds import total
from console.model.configuration import Environment
from console.model.deployments import BY_HOURS_S, Effect
from console.model.grid import Grid
from console.model.metrics import Rollup
from console.model.observation import Origin
from console.store.cells import Cell
from console.store.closed_cells import SPARE_HOURS_MS, SPARE_MS, ClosedCells
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.read_series import SeriesReader

WINDOW_MIN = 15
KEPT_MS = 29 * DAY_MS
"""Minutes are kept for thirty days; the window before begins a little earlier."""
LEAST_MIN = 2
"""A side of which less is known is not known: one slow minute is no figure."""
LEAST_HOUR_MS = 30 * MINUTE_MS
"""An hour of which less was observed is no figure either."""
LEAST_REQUESTS = 20.0
LEAST_PROBES = 6.0
_LATENCY, _REQUESTS, _ERRORS = "metrics|latency_ms", "metrics|requests", "metrics|errors"

Figures = Sequence[float | None]
"""p95 before and after, error share before and after: of the users, then of the probes. Empty: nothing is kept."""


class Effects:
    """Reads effects at a moment: by minutes, and where none are kept or ever were, by whole hours."""

    def __init__(self, reader: SeriesReader, environment: Environment, closed: ClosedCells, at_ms: int) -> None:
        self._reader, self._closed, self._at_ms = reader, closed, at_ms
        self._latencies = tuple(f"route:{route}|latency_ms" for route in environment.routes)
        self._oks = tuple(f"route:{route}|ok" for route in environment.routes)

    def of(self, live_ms: int, until_ms: int | None) -> tuple[Effect, ...]:
        """Of what went live then, and served until then (None: still). Empty: it is not live by the moment."""
        if live_ms > self._at_ms:
            return ()
        end_ms = min(until_ms or self._at_ms, self._at_ms)
        figures = self._by_minutes(live_ms, min(live_ms + (WINDOW_MIN + 1) * MINUTE_MS, end_ms))
        if figures:
            return _effects(figures, WINDOW_MIN * 60, _TOO_LITTLE, _TOO_LITTLE)
        hours_end_ms = _hour(live_ms) + 2 * HOUR_MS
        ends_within = end_ms < hours_end_ms
        after = (_ENDED if until_ms is not None and until_ms <= self._at_ms else _NOT_OVER) if ends_within else _NO_HOUR
        return _effects(self._by_hours(live_ms, ends_within) or (None,) * 8, BY_HOURS_S, _NO_HOUR, after)

    def _by_minutes(self, live_ms: int, end_ms: int) -> Figures:
        if self._at_ms - live_ms > KEPT_MS:
            return ()
        if end_ms + SPARE_MS > self._at_ms:
            return self._read_minutes(live_ms, end_ms)
        return self._closed.facts(("effect", live_ms, end_ms), lambda: self._read_minutes(live_ms, end_ms))

    def _by_hours(self, live_ms: int, ends_within: bool) -> Figures:
        if _hour(live_ms) + 2 * HOUR_MS + SPARE_HOURS_MS > self._at_ms:
            return self._read_hours(live_ms, ends_within)
        key = ("effect by hours", live_ms, ends_within)
        return self._closed.facts(key, lambda: self._read_hours(live_ms, ends_within))

    def _read_minutes(self, live_ms: int, end_ms: int) -> Figures:
        live_min = live_ms // MINUTE_MS * MINUTE_MS
        grid = Grid(live_min - WINDOW_MIN * MINUTE_MS, MINUTE_MS, 2 * WINDOW_MIN + 1)
        after = range(WINDOW_MIN + 1, max(WINDOW_MIN + 1, min(grid.points, grid.index(end_ms))))
        return self._figures(grid, range(WINDOW_MIN), after, LEAST_MIN)

    def _read_hours(self, live_ms: int, ends_within: bool) -> Figures:
        """The whole hour before that in which it went live, and the whole hour after, if it served through it."""
        grid = Grid(_hour(live_ms) - HOUR_MS, HOUR_MS, 3)
        return self._figures(grid, range(1), range(2, 2 if ends_within else 3), 1)

    def _figures(self, grid: Grid, before: range, after: range, least: int) -> Figures:
        keys = {_LATENCY, _REQUESTS, _ERRORS, *self._latencies, *self._oks}
        cells = self._reader.read(keys, {_LATENCY, *self._latencies}, grid)
        if not any(cell is not None for line in cells.values() for cell in line):
            return ()
        if grid.step_ms >= HOUR_MS:
            cells = {key: [_whole(cell, grid.begin(at)) for at, cell in enumerate(line)] for key, line in cells.items()}
        sides = [_Side(cells, before, least), _Side(cells, after, least)]
        return (
            *(side.p95((_LATENCY,), LEAST_REQUESTS) for side in sides),
            *(side.error_share() for side in sides),
            *(side.p95(self._latencies, LEAST_PROBES) for side in sides),
            *(side.failed_share(self._oks) for side in sides),
        )


_TOO_LITTLE = "too little was measured"
_NO_HOUR = "only hours are kept of that time, and too little of this one was measured"
_ENDED = "only hours are kept of that time, and it served for less than the whole hour after"
_NOT_OVER = "no minutes are on record, and the whole hour after is not over"


def _hour(at_ms: int) -> int:
    return at_ms // HOUR_MS * HOUR_MS


def _whole(cell: Cell | None, begin_ms: int) -> Cell | None:
    """An hour of which enough was observed; what only lasts from the hour before is none."""
    is_own = cell is not None and cell.first_ms >= begin_ms and cell.observed_ms >= LEAST_HOUR_MS
    return cell if is_own else None


class _Side:
    """The minutes or hours before, or those after."""

    def __init__(self, cells: dict[str, list[Cell | None]], stretches: range, least: int) -> None:
        self._cells, self._stretches, self._least = cells, stretches, least

    def p95(self, keys: Sequence[str], least: float) -> float | None:
        """Of all samples of the series together."""
        found = self._found(keys)
        whole = Rollup.merged([cell.whole for cell in found])
        return whole.p95 if whole is not None and whole.n >= least else None

    def error_share(self) -> float | None:
        """Failed requests by requests, as the application counted them."""
        requests = self._sum(self._found((_REQUESTS,)))
        return self._sum(self._found((_ERRORS,))) / requests if requests >= LEAST_REQUESTS else None

    def failed_share(self, keys: Sequence[str]) -> float | None:
        """Failed probes by probes."""
        found = self._found(keys)
        tried = total([cell.rollup.n for cell in found])
        return 1 - self._sum(found) / tried if tried >= LEAST_PROBES else None

    @staticmethod
    def _sum(found: Sequence[Cell]) -> float:
        return total([cell.rollup.sum for cell in found])

    def _found(self, keys: Sequence[str]) -> list[Cell]:
        """The cells of the stretches, each once: a value that lasts stands in several. None of too few."""
        found: list[Cell] = []
        seen: set[int] = set()
        for key in keys:
            cells = self._cells.get(key, ())
            known = {id(cell): cell for at in self._stretches if at < len(cells) and (cell := cells[at]) is not None}
            found += known.values()
            seen |= {at for at in self._stretches if at < len(cells) and cells[at] is not None}
        return found if len(seen) >= self._least else []


def _effects(figures: Figures, window_s: int, before_words: str, after_words: str) -> tuple[Effect, ...]:
    """Both figures; the users' where one of its sides is known. The words: why a side is not known."""
    users, probes = figures[:4], figures[4:]
    p95 = _effect("p95", "ms", window_s, users[:2], probes[:2])
    errors = _effect("errors", "share", window_s, users[2:], probes[2:])
    return tuple(_explained(each, before_words, after_words) for each in (p95, errors))


def _effect(
    figure: Literal["p95", "errors"],
    unit: str,
    window_s: int,
    users: Sequence[float | None],
    probes: Sequence[float | None],
) -> Effect:
    chosen, origin = (users, Origin.USERS) if any(each is not None for each in users) else (probes, Origin.PROBE)
    before, after = chosen
    is_known = before is not None or after is not None
    return Effect(
        figure=figure, before=before, after=after, unit=unit, origin=origin if is_known else Origin.NONE,
        window_s=window_s,
    )  # fmt: skip


def _explained(effect: Effect, before_words: str, after_words: str) -> Effect:
    """With the reason of each side that is not known; one reason once."""
    told = [f"before: {before_words}"] if effect.before is None else []
    told += [f"after: {after_words}"] if effect.after is None else []
    if len(told) == 2 and before_words == after_words:
        told = [before_words]
    return replace(effect, words="; ".join(told))
