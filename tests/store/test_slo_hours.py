"""Hours that are counted by their minutes in one statement are what they are minute by minute."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.metrics import Rollup
from console.store import slo_counts
from console.store.history import HistoryWriter
from console.store.names import HOUR_MS, MINUTE_MS
from tests.store.test_slo import FULL, NOW_MS, gauge, of, read

HOURS = 40


def author(path: Path, seed: int) -> None:
    """Forty hours of a memory around its limit: whole ones, some with gaps in either series, some without minutes."""
    chance = random.Random(seed)
    with HistoryWriter(path) as writer:
        for hour in range(NOW_MS - HOURS * HOUR_MS, NOW_MS, HOUR_MS):
            missing = chance.choice((0.0, 0.0, 0.3, 1.0))
            for series, low, high in (("memory_bytes", 0, 1000), ("memory_limit_bytes", 700, 900)):
                minutes = [
                    (at, gauge(chance.uniform(low, high), chance.choice((1, 11, 12))))
                    for at in range(hour, hour + HOUR_MS, MINUTE_MS)
                    if chance.random() >= missing
                ]
                whole = Rollup.merged([rollup for _, rollup in minutes]) or gauge(high, 720, 60)
                writer.minutes(f"metrics|{series}", minutes)
                writer.hours(f"metrics|{series}", [(hour, whole)])
        writer.samples("metrics", NOW_MS, {"memory_bytes": 900.0, "memory_limit_bytes": 1000.0})


@pytest.mark.parametrize("limit", [None, 800])
@pytest.mark.parametrize("seed", range(4))
def test_one_statement_counts_what_single_minutes_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, limit: int | None
) -> None:
    path, environment = tmp_path / "observed.db", replace(FULL, memory_limit_bytes=limit)
    author(path, seed)
    windows_s = (7 * 3600, 33 * 3600, 48 * 3600)
    told = of(read(path, environment, NOW_MS + 500, NOW_MS + 500, windows_s=windows_s), "memory")
    monkeypatch.setattr(slo_counts, "hours_below", lambda share, limit_value: None)
    one_by_one = of(read(path, environment, NOW_MS + 500, NOW_MS + 500, windows_s=windows_s), "memory")
    assert any(cell.good_share not in (None, 0.0, 1.0) for cell in told.cells)
    for cell, expected in zip(told.cells, one_by_one.cells, strict=True):
        assert (cell.counted, cell.good_share) == (expected.counted, expected.good_share)
        assert cell.observed_share == expected.observed_share
        assert cell.value == pytest.approx(expected.value, rel=1e-12)


def test_hours_of_which_no_minute_is_kept_count_by_their_mean(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    with HistoryWriter(path) as writer:
        for series, value in (("memory_bytes", 900.0), ("memory_limit_bytes", 1000.0)):
            hours = range(NOW_MS - HOURS * HOUR_MS, NOW_MS, HOUR_MS)
            writer.hours(f"metrics|{series}", [(at, gauge(value, 720, 60)) for at in hours])
    cell = of(read(path, FULL, windows_s=(24 * 3600,)), "memory").cells[0]
    assert (cell.counted, cell.good_share) == (24 * 60, 0.0)
    assert cell.value == pytest.approx(0.9)
