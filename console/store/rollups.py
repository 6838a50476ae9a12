"""Rollups as rows, and back."""

from __future__ import annotations

from typing import Any

from console.model.metrics import Rollup, histogram_from

ROLLUP_COLUMNS = "n, sum, min, max, p50, p95, p99, hist"


def rollup_values(rollup: Rollup) -> tuple[Any, ...]:
    """The values of `ROLLUP_COLUMNS`, and the minutes."""
    hist = rollup.hist.to_bytes() if rollup.hist is not None else None
    return (
        rollup.n,
        rollup.sum,
        rollup.min,
        rollup.max,
        rollup.p50,
        rollup.p95,
        rollup.p99,
        hist,
        rollup.minutes,
    )


def rollup_from(row: tuple[Any, ...], minutes: int = 1) -> Rollup:
    """The rollup of a row of `ROLLUP_COLUMNS`."""
    n, total, low, high, p50, p95, p99, hist = row
    return Rollup(
        n=n,
        sum=total,
        min=low,
        max=high,
        p50=p50,
        p95=p95,
        p99=p99,
        hist=histogram_from(hist) if hist is not None else None,
        minutes=minutes,
    )
