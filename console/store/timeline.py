"""Positions in recorded time, which go only forward even when the wall clock is set back.

Every time column of observed.db that orders rows holds a *position*: `era << 42 | ms since epoch`. The era is 0 until
the wall clock goes back; then a new era begins and its rows sort after all rows before, whatever their wall time. So
nothing is overwritten, a read at `t` finds what was recorded last under that name of time, and in a store whose clock
never went back a position is simply the time in ms (42 bits reach the year 2109).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ERA_SHIFT = 42
_WALL_MASK = (1 << ERA_SHIFT) - 1


def position_of(era: int, at_ms: int) -> int:
    """The position of a wall time in an era."""
    return era << ERA_SHIFT | max(0, min(at_ms, _WALL_MASK))


def wall_of(position: int) -> int:
    """The wall time in ms since epoch at a position."""
    return position & _WALL_MASK


def era_of(position: int) -> int:
    """The era of a position."""
    return position >> ERA_SHIFT


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one era, as positions: `low` exclusive of what an earlier era shows, `high` inclusive."""

    low: int
    high: int


class Timeline:
    """The eras of one store: which positions a wall time or a window of it means."""

    def __init__(self, eras: Iterable[tuple[int, int]]) -> None:
        """`eras`: (number ≥ 1, wall time of its begin in ms); era 0 has always been."""
        self._eras = sorted(eras, reverse=True)

    def era_at(self, at_ms: int) -> int:
        """The newest era that had begun by that wall time."""
        return next((era for era, began_ms in self._eras if began_ms <= at_ms), 0)

    def position(self, at_ms: int) -> int:
        """Where a read at that wall time stands: it sees every row at or below."""
        return position_of(self.era_at(at_ms), at_ms)

    def segments(self, from_ms: int, to_ms: int) -> list[Segment]:
        """The window `[from_ms, to_ms]` as stretches of eras, newest first; usually one."""
        found: list[Segment] = []
        high_ms = to_ms
        for era, began_ms in [*self._eras, (0, 0)]:
            if began_ms > high_ms:
                continue
            low_ms = max(from_ms, began_ms)
            found.append(Segment(position_of(era, low_ms), position_of(era, high_ms)))
            high_ms = began_ms - 1
            if high_ms < from_ms:
                break
        return found
