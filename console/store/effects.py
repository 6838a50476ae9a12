"""What a deployment did: p95 and error rate in the minutes before and after it went live, from the stored series.

What users met comes first; where the application gives no metrics, what the probes met stands for it, and says so.
The minute in which it went live belongs to neither side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from console.model.configuration import Environment
from console.model.deployments import Effect
from console.model.grid import Grid
from console.model.metrics import Rollup
from console.model.observation import Origin
from console.store.cells import Cell
from console.store.closed_cells import SPARE_MS, ClosedCells
from console.store.names import DAY_MS, MINUTE_MS
from console.store.read_series import SeriesReader

WINDOW_MIN = 15
KEPT_MS = 29 * DAY_MS
"""Minutes are kept for thirty days; the window before begins a little earlier."""
LEAST_MIN = 2
"""A side of which less is known is not known: one slow minute is no figure."""
LEAST_REQUESTS = 20.0
LEAST_PROBES = 6.0
_LATENCY, _REQUESTS, _ERRORS = "metrics|latency_ms", "metrics|requests", "metrics|errors"

Figures = tuple[float | None, ...]
"""p95 before and after, error share before and after: of the users, then of the probes."""


class Effects:
    """Reads effects at a moment."""

    def __init__(self, reader: SeriesReader, environment: Environment, closed: ClosedCells, at_ms: int) -> None:
        self._reader, self._closed, self._at_ms = reader, closed, at_ms
        self._latencies = tuple(f"route:{route}|latency_ms" for route in environment.routes)
        self._oks = tuple(f"route:{route}|ok" for route in environment.routes)

    def of(self, live_ms: int, until_ms: int | None) -> tuple[Effect, ...]:
        """Of what went live then, and served until then (None: still). Empty: too long ago to be known."""
        if not 0 <= self._at_ms - live_ms <= KEPT_MS:
            return ()
        end_ms = min(live_ms + (WINDOW_MIN + 1) * MINUTE_MS, until_ms or self._at_ms, self._at_ms)
        if end_ms + SPARE_MS > self._at_ms:
            return _effects(self._read(live_ms, end_ms))
        return _effects(self._closed.facts(("effect", live_ms, end_ms), lambda: self._read(live_ms, end_ms)))

    def _read(self, live_ms: int, end_ms: int) -> Figures:
        live_min = live_ms // MINUTE_MS * MINUTE_MS
        grid = Grid(live_min - WINDOW_MIN * MINUTE_MS, MINUTE_MS, 2 * WINDOW_MIN + 1)
        keys = {_LATENCY, _REQUESTS, _ERRORS, *self._latencies, *self._oks}
        cells = self._reader.read(keys, {_LATENCY, *self._latencies}, grid)
        after = range(WINDOW_MIN + 1, max(WINDOW_MIN + 1, min(grid.points, grid.index(end_ms))))
        sides = [_Side(cells, range(WINDOW_MIN)), _Side(cells, after)]
        return (
            *(side.p95((_LATENCY,), LEAST_REQUESTS) for side in sides),
            *(side.error_share() for side in sides),
            *(side.p95(self._latencies, LEAST_PROBES) for side in sides),
            *(side.failed_share(self._oks) for side in sides),
        )


class _Side:
    """The minutes before, or those after."""

    def __init__(self, cells: dict[str, list[Cell | None]], minutes: range) -> None:
        self._cells, self._minutes = cells, minutes

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
        tried = math.fsum(cell.rollup.n for cell in found)
        return 1 - self._sum(found) / tried if tried >= LEAST_PROBES else None

    @staticmethod
    def _sum(found: Sequence[Cell]) -> float:
        return math.fsum(cell.rollup.sum for cell in found)

    def _found(self, keys: Sequence[str]) -> list[Cell]:
        """The cells of the minutes, each once: a value that lasts stands in several. None of too few minutes."""
        found: list[Cell] = []
        minutes: set[int] = set()
        for key in keys:
            cells = self._cells.get(key, ())
            known = {id(cell): cell for at in self._minutes if at < len(cells) and (cell := cells[at]) is not None}
            found += known.values()
            minutes |= {at for at in self._minutes if at < len(cells) and cells[at] is not None}
        return found if len(minutes) >= LEAST_MIN else []


def _effects(figures: Sequence[float | None]) -> tuple[Effect, ...]:
    """Both figures; the users' where one of its sides is known."""
    users, probes = figures[:4], figures[4:]
    return (
        _effect("p95", users[:2], probes[:2], "ms"),
        _effect("errors", users[2:], probes[2:], "share"),
    )


def _effect(figure: str, users: Sequence[float | None], probes: Sequence[float | None], unit: str) -> Effect:
    chosen, origin = (users, Origin.USERS) if any(each is not None for each in users) else (probes, Origin.PROBE)
    before, after = chosen
    return Effect(
        figure="p95" if figure == "p95" else "errors",
        before=before,
        after=after,
        unit=unit,
        origin=origin if before is not None or after is not None else Origin.NONE,
        window_s=WINDOW_MIN * 60,
    )
