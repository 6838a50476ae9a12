"""Rollups as rows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.model.bounds import is_value, total
from console.model.histograms import histogram_from
from console.model.merging import merged_bytes
from console.model.metrics import Rollup

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
    n, whole, low, high, p50, p95, p99, hist = row
    return Rollup(
        n=n,
        sum=whole,
        min=low,
        max=high,
        p50=p50,
        p95=p95,
        p99=p99,
        hist=histogram_from(hist) if hist is not None else None,
        minutes=minutes,
    )


def merged_from(rows: Sequence[tuple[Any, ...]]) -> Rollup:
    """One or more rows that begin with minutes and `ROLLUP_COLUMNS` as one rollup, each histogram decoded once."""
    if len(rows) == 1:
        return rollup_from(rows[0][1:9], rows[0][0])
    minutes, n, sums, low, high, _, _, _, hists, *_ = zip(*rows, strict=True)
    whole = total(sums)
    if not is_value(whole) and (merged := Rollup.merged([rollup_from(row[1:9], row[0]) for row in rows])) is not None:
        return merged  # without what was stored before it was refused
    return Rollup.around(
        merged_bytes([hist for hist in hists if hist is not None]),
        n=total(n),
        sum=whole,
        min=min(low),
        max=max(high),
        minutes=sum(minutes),
    )
