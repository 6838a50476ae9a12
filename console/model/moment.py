"""A moment on two clocks: one to stamp with, one to measure durations with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """`steady_ms` orders moments and never jumps (CLOCK_BOOTTIME); `wall_ms` is for people and for the store.

    Rules that waited by the wall clock would fire or resolve alerts when somebody sets it.
    """

    steady_ms: int
    wall_ms: int

    def since_s(self, earlier: Moment) -> float:
        """Seconds that really passed since `earlier`."""
        return (self.steady_ms - earlier.steady_ms) / 1000

    def before(self, ms: int) -> Moment:
        """The moment `ms` earlier on both clocks."""
        return Moment(self.steady_ms - ms, self.wall_ms - ms)
