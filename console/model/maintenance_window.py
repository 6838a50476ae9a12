"""The regular maintenance window (SU1: monthly, 02:00 UTC): the next one, whether it is now, how long until then."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console.model.operations import Maintenance
from console.model.times import ago, clock, date_time

DAY, HOUR, MINUTES = 1, 2, 120
"""Where nothing is configured: what SU1 promises."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, ms since epoch; the end is no part of it."""

    start_ms: int
    end_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether a moment is in it."""
        return self.start_ms <= at_ms < self.end_ms

    def words(self, now_ms: int) -> str:
        """`2026-12-01 02:00 to 04:00 UTC, in 7 d`; `…, now, 40 m left`."""
        span = f"{date_time(self.start_ms)} to {clock(self.end_ms)[:5]} UTC"
        if self.holds(now_ms):
            return f"{span}, now, {ago((self.end_ms - now_ms) / 1000)} left"
        return f"{span}, in {ago((self.start_ms - now_ms) / 1000)}"


def window(at_ms: int, maintenance: Maintenance | None) -> Window:
    """The window that holds the moment, else the next one after it.

    A day that a month has not is its last one: the 31st is the 28th of February, never the 3rd of March.
    """
    day, hour, minutes = (
        (maintenance.window_day, maintenance.window_hour, maintenance.window_minutes)
        if maintenance
        else (DAY, HOUR, MINUTES)
    )
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    # One month back: a window of the last day of a month may reach into this one.
    found = [_window(moment, months, day, hour, minutes) for months in (-1, 0, 1, 2)]
    return next(each for each in found if at_ms < each.end_ms)


def _window(moment: datetime, months: int, day: int, hour: int, minutes: int) -> Window:
    place = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(place, 12)
    last = monthrange(year, month + 1)[1]
    start = datetime(year, month + 1, min(max(1, day), last), hour % 24, tzinfo=UTC)
    start_ms = int((start - _EPOCH) / timedelta(milliseconds=1))
    return Window(start_ms, start_ms + max(1, minutes) * 60_000)
