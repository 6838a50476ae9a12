"""The grid of time that all charts of a page share: which stretches a window has, and how long each is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

STEPS_MS = tuple(
    1000 * step_s
    for step_s in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)
)
"""Stretches lie on whole multiples of one of these, so that they stand still while the window moves."""


@dataclass(frozen=True, slots=True)
class Grid:
    """`points` stretches of `step_ms`, the first from `start_ms` on."""

    start_ms: int
    step_ms: int
    points: int

    @property
    def end_ms(self) -> int:
        """Where the last stretch ends."""
        return self.start_ms + self.step_ms * self.points

    def index(self, at_ms: int) -> int:
        """The stretch that a moment is in; outside of 0 to `points` - 1 where it is in none."""
        return (at_ms - self.start_ms) // self.step_ms

    def begin(self, index: int) -> int:
        """When a stretch begins, in ms."""
        return self.start_ms + index * self.step_ms

    def earlier(self, by_ms: int) -> Grid:
        """The same grid so much before."""
        return replace(self, start_ms=self.start_ms - by_ms)


def step_ms(window_s: int, points: int, least_ms: int = 0) -> int:
    """The shortest step, not below `least_ms`, with which the window has at most `points` stretches."""
    needed_ms = max(window_s * 1000 / max(1, points), least_ms)
    return next((step for step in STEPS_MS if step >= needed_ms), STEPS_MS[-1])


def grid(window_s: int, points: int, at_ms: int, until_ms: int | None = None, least_ms: int = 0) -> Grid:
    """The grid of a window that ends at `until_ms`, and in the stretch of `at_ms` at the latest.

    `at_ms` is the moment of the read; the stretch that it is in is the last one of a window that is not panned.
    """
    step = step_ms(window_s, points, least_ms)
    last = at_ms // step
    if until_ms is not None:
        last = min(last, -(-until_ms // step) - 1)
    count = max(1, min(points, -(-window_s * 1000 // step)))
    return Grid((last - count + 1) * step, step, count)


def provisional(grid: Grid, at_ms: int) -> int:
    """The first stretch that had not closed at `at_ms`; `points` when all had."""
    return max(0, min(grid.points, grid.index(at_ms)))
