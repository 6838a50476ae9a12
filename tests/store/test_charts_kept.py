"""Cells that are kept from read to read: the same as read anew, and never more than the store holds."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.grid import Grid
from console.model.metric_views import MetricsView
from console.model.metrics import Rollup
from console.store.cells import Cell
from console.store.closed_cells import ClosedCells
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.read import StoreReader
from tests.store.charts import BEGIN_MS, CANARY, SETTINGS, Charts, line

SERIES = "postgres.canary|latency_ms"
NOW_MS = BEGIN_MS + 40 * DAY_MS


def author(path: Path) -> None:
    """Forty days of hours, eight of minutes, each with other values; one day has none."""
    chance = random.Random(5)
    gap = range(NOW_MS - 4 * DAY_MS, NOW_MS - 3 * DAY_MS)
    with HistoryWriter(path) as writer:
        for series in (SERIES, "postgres.activity|commits", "postgres.activity|deadlocks"):
            for put, size_ms, days in ((writer.hours, HOUR_MS, 40), (writer.minutes, MINUTE_MS, 8)):
                starts = [at for at in range(NOW_MS - days * DAY_MS, NOW_MS, size_ms) if at not in gap]
                put(series, ((at, rollup(chance)) for at in starts))


def rollup(chance: random.Random) -> Rollup:
    found = Rollup.of([chance.lognormvariate(3, 1) for _ in range(5)], distribution=True)
    assert found is not None
    return replace(found, minutes=1)


def reader(path: Path) -> StoreReader:
    return StoreReader(path, path.with_name("records.db"), SETTINGS, None, lambda: NOW_MS)


def same(one: MetricsView, other: MetricsView) -> None:
    assert one.charts == other.charts
    assert one == other


@pytest.mark.parametrize("window_s", [21_600, 86_400, 604_800, 2_592_000])
def test_a_read_beside_kept_cells_is_the_same_as_one_without(tmp_path: Path, window_s: int) -> None:
    author(tmp_path / "observed.db")
    keeping, chance = reader(tmp_path / "observed.db"), random.Random(window_s)
    asked = Charts(tmp_path / "other").view().question
    for _ in range(12):
        back_ms = chance.choice([0, chance.randrange(30 * DAY_MS)])
        question = replace(asked, window_s=window_s, points=120, until_ms=NOW_MS - back_ms)
        at_ms = chance.choice([None, NOW_MS - back_ms - chance.randrange(HOUR_MS)])
        anew = reader(tmp_path / "observed.db")
        same(keeping.metrics(at_ms, question), anew.metrics(at_ms, question))
        anew.close()


def test_what_is_kept_is_not_read_again(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    charts, statements = Charts(tmp_path), list[str]()
    charts.clock.wall = NOW_MS
    first = charts.view(window_s=86_400, points=96)
    _trace(charts.reader, statements)
    same(charts.view(window_s=86_400, points=96), first)
    reads = {text for text in statements if "hist" in text and "FROM rollup_minute" in text}
    low = min(int(read.split("start >= ")[1].split(" ")[0]) for read in reads)
    assert low >= NOW_MS - HOUR_MS - 15 * MINUTE_MS  # the last hour may still change, the day before it does not


def _trace(reads: StoreReader, statements: list[str]) -> None:
    connection = reads._observed._connection
    assert connection is not None
    connection.set_trace_callback(statements.append)


def test_what_retention_deleted_is_shown_no_more(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    charts = Charts(tmp_path)
    charts.clock.wall = NOW_MS
    until_ms = NOW_MS - 5 * DAY_MS
    before = charts.view(window_s=21_600, points=72, until_ms=until_ms)
    assert None not in line(before, "canary", "p95").values
    with sqlite3.connect(tmp_path / "observed.db") as connection:
        connection.execute("DELETE FROM rollup_minute WHERE start < ?", (until_ms - 5 * HOUR_MS,))
    connection.close()
    after = line(charts.view(window_s=21_600, points=72, until_ms=until_ms), "canary", "p95")
    assert after.values[:12] == (None,) * 12  # what is left of that hour is its rollup, which is of the whole hour
    assert after.values[12:] == line(before, "canary", "p95").values[12:]
    with sqlite3.connect(tmp_path / "observed.db") as connection:
        connection.execute("DELETE FROM rollup_minute WHERE start < ?", (until_ms - 3 * HOUR_MS,))
        connection.execute("DELETE FROM rollup_hour WHERE start < ?", (until_ms - 3 * HOUR_MS,))
    connection.close()
    after = line(charts.view(window_s=21_600, points=72, until_ms=until_ms), "canary", "p95")
    assert after.values[:36] == (None,) * 36
    assert after.values[36:] == line(before, "canary", "p95").values[36:]


def test_a_clock_set_back_makes_kept_cells_of_the_other_reckoning_no_cells_of_this_one(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12 * 150, latency_ms=2.0)
    charts.pack()
    assert set(line(charts.view(window_s=9000, points=75), "canary", "p50").values) == {2.0}
    charts.clock.wall -= 2 * HOUR_MS
    charts.polls(12 * 110, latency_ms=9.0)
    charts.pack()
    found = line(charts.view(window_s=9000, points=75), "canary", "p50")
    back_ms = BEGIN_MS + 150 * MINUTE_MS - 2 * HOUR_MS
    view = charts.view(window_s=9000, points=75)
    for index, value in enumerate(found.values):
        begin_ms = view.start_ms + index * view.step_ms
        if begin_ms >= BEGIN_MS and begin_ms + view.step_ms <= back_ms:
            assert value == 2.0
        elif begin_ms >= back_ms + view.step_ms:
            assert value == 9.0


def test_a_file_that_was_replaced_has_no_kept_cells(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    reads = reader(tmp_path / "observed.db")
    question = replace(Charts(tmp_path / "other").view().question, window_s=604_800, points=80)
    assert any(line(reads.metrics(None, question), "canary", "p95").values)
    for part in tmp_path.glob("observed.db*"):
        part.unlink()
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.hours(SERIES, [(NOW_MS - 5 * HOUR_MS, rollup(random.Random(1)))])
    found = [value for value in line(reads.metrics(None, question), "canary", "p95").values if value is not None]
    assert len(found) == 1


def test_kept_cells_are_bounded_and_the_oldest_go_first() -> None:
    kept = ClosedCells()
    cell = Cell(Rollup(n=1, sum=1.0, min=1.0, max=1.0), 60_000.0, 0, 0)
    for number in range(kept.LIMIT + 1):
        kept.put((number, False, False, MINUTE_MS, 0), cell)
    assert kept.get((kept.LIMIT, False, False, MINUTE_MS, 0)) == cell
    with pytest.raises(KeyError):
        kept.get((0, False, False, MINUTE_MS, 0))


def test_a_late_round_into_the_last_minutes_is_seen(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12 * 25, latency_ms=2.0)
    charts.pack()
    assert set(line(charts.view(window_s=1500, points=25), "canary", "p99").values) == {2.0}
    with sqlite3.connect(tmp_path / "observed.db") as connection:  # as `packing` does for a round that came late
        late = Rollup.of([2.0, 50.0, 50.0], distribution=True)
        assert late is not None and late.hist is not None
        start = BEGIN_MS + 9 * MINUTE_MS
        connection.execute(
            "UPDATE rollup_minute SET p99 = ?, hist = ?, max = 50 WHERE start = ?",
            (late.p99, late.hist.to_bytes(), start),
        )
    connection.close()
    assert 50.0 in line(charts.view(window_s=1500, points=25), "canary", "p99").values


def test_an_earlier_grid_is_the_same_grid_earlier() -> None:
    assert Grid(DAY_MS * 3, HOUR_MS, 5).earlier(DAY_MS) == Grid(DAY_MS * 2, HOUR_MS, 5)
    assert CANARY in SERIES
