"""Whole hours counted by their minutes in one statement: a month of them is 43,200 minutes, of two series each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from console.model.slo import Count
from console.store.names import HOUR_MS, MINUTE_MS

HoursByMinutes = Callable[[sqlite3.Connection, Mapping[str, int], int, int], Mapping[int, Count]]
"""Given the series by role, and positions of one era: the counts of the hours from one to before the other."""


def hours_below(share: float, limit_value: float | None) -> HoursByMinutes:
    """How many minutes had a mean of `used` of at most that share of `limit`: as measured, unless `limit_value` is
    given. An hour without a minute of both is left out."""
    measured = not limit_value
    part = f"(a.sum / a.n) / {'(b.sum / b.n)' if measured else '?'}"
    other = "JOIN rollup_minute b ON b.series_id = ? AND b.start = a.start AND b.sum / b.n > 0" if measured else ""

    def counts(connection: sqlite3.Connection, numbers: Mapping[str, int], low: int, high: int) -> Mapping[int, Count]:
        if "used" not in numbers or (measured and "limit" not in numbers):
            return {}
        rows = connection.execute(
            "SELECT hour, count(part), sum(part <= ?), sum(part) FROM "
            f"(SELECT (a.start - ?) / ? AS hour, {part} AS part FROM rollup_minute a {other} "
            "WHERE a.series_id = ? AND a.start >= ? AND a.start <= ?) GROUP BY hour",
            (
                share,
                low,
                HOUR_MS,
                numbers["limit"] if measured else limit_value,
                numbers["used"],
                low,
                high - MINUTE_MS,
            ),
        )
        return {low + hour * HOUR_MS: _count(many, good, total) for hour, many, good, total in rows if many}

    return counts


def _count(many: int, good: int, total: float) -> Count:
    return Count(counted=many, good=good, minutes=many, total=total, weight=many)
