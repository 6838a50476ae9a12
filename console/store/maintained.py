"""When the application was in maintenance, as the collector recorded it: the minutes that no burn rate counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from console.store.moment import Moment
from console.store.names import HOUR_MS, MINUTE_MS
from console.store.timeline import wall_of

KIND = "maintenance"
AFTER_MS = MINUTE_MS
"""What failed before its end is told by the scrape after it, and an edge serves the page some seconds longer."""
LONGEST_MS = 8 * 24 * HOUR_MS
"""A maintenance that began before that and has not ended yet is not looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """One maintenance, in wall ms."""

    began_ms: int
    ended_ms: int
    """At the latest the moment of the read."""
    by: str = ""
    announced: bool = False
    """Whether people were told of it in time, so that no budget counts it."""
    goes_on: bool = False

    def touches(self, low_ms: int, high_ms: int) -> bool:
        """Whether any of it lies in that stretch, what it leaves behind included."""
        return self.began_ms < high_ms and low_ms < self.ended_ms + AFTER_MS


def maintained(moment: Moment, from_ms: int) -> list[Maintained]:
    """Those of which something lies between `from_ms` and the moment, oldest first."""
    rows = moment.connection.execute(
        "SELECT at_ms, data FROM event WHERE kind = ? AND at_ms >= ? AND at <= ? ORDER BY at_ms, id",
        (KIND, from_ms - LONGEST_MS, moment.position),
    )
    found: dict[int, Maintained] = {}
    for at_ms, text in rows:
        data = json.loads(text)
        if data.get("on") is True:
            told = data.get("by"), data.get("announced") is True
            found[at_ms] = Maintained(
                began_ms=at_ms, ended_ms=moment.at_ms, by=str(told[0] or ""), announced=told[1], goes_on=True
            )
        elif (begun := found.get(data.get("since_ms"))) is not None:
            found[begun.began_ms] = Maintained(
                began_ms=begun.began_ms, ended_ms=at_ms, by=begun.by, announced=begun.announced
            )
    return [each for each in found.values() if each.ended_ms + AFTER_MS > from_ms]


class Holes:
    """The minutes that do not count."""

    def __init__(self, without: Sequence[Maintained]) -> None:
        self._without = tuple(without)

    def count(self, start: int) -> bool:
        """Whether the minute at that position counts."""
        low_ms = wall_of(start)
        return not any(each.touches(low_ms, low_ms + MINUTE_MS) for each in self._without)

    def hours(self, moment: Moment) -> frozenset[int]:
        """The positions of the hours in which some do not."""
        position = moment.timeline.position
        edges = ((each.began_ms // HOUR_MS * HOUR_MS, each.ended_ms + AFTER_MS) for each in self._without)
        return frozenset(position(at_ms) for low_ms, high_ms in edges for at_ms in range(low_ms, high_ms + 1, HOUR_MS))

    def minutes(self, high_ms: int, window_s: int) -> int:
        """How many of the window that ends then do not."""
        if not self._without:
            return 0
        first = -(-(high_ms - window_s * 1000) // MINUTE_MS)
        return sum(not self.count(minute * MINUTE_MS) for minute in range(first, high_ms // MINUTE_MS))
