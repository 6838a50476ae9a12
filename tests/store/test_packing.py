"""Samples over time: rounds, blocks, minutes, hours tell the same, and none tells what came after the moment."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from console.model.histograms import LogHistogram, nearest_rank
from console.model.metrics import Rollup
from console.model.observation import Buckets, Sample
from console.store import blocks, packing
from console.store.moment import Moment
from console.store.names import BLOCK_MS, DAY_MS, HOUR_MS, MINUTE_MS
from console.store.observe import Lease, ObservedStore
from console.store.read import StoreReader
from console.store.rollups import ROLLUP_COLUMNS, rollup_from
from console.store.window import Series, Tally
from tests.store.samples import ENVIRONMENT, ManualClock, holder, judged, observed

HOUR_START_MS = 1_760_000_400_000  # 09:00:00 UTC, a whole hour
assert HOUR_START_MS % HOUR_MS == 0


def started(path: Path, clock: ManualClock) -> tuple[ObservedStore, Lease]:
    store = ObservedStore.open(path, clock)
    lease = store.acquire(holder())
    assert lease is not None
    return store, lease


@pytest.mark.parametrize(
    "samples",
    [
        [(1000, 81.25)],
        [(1000 + n * 5000, n / 3) for n in range(120)],
        [(1000, Buckets((100.0, math.inf), (3.0, 0.5))), (6000, Buckets((100.0, math.inf), (0.0, 0.0)))],
        [(1000, 1.0), (2000, Buckets((5.0, math.inf), (1.0, 2.0)))],
    ],
)
def test_a_block_gives_its_samples_back_exactly(samples: list[tuple[int, Sample]]) -> None:
    assert blocks.decode(1000, blocks.encode(1000, samples)) == samples


@pytest.mark.parametrize("data", [b"", b"nonsense", blocks.encode(0, [(0, 1.0)] * 50)[:-9]])
def test_a_damaged_block_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        blocks.decode(0, data)


def hours_of_rounds(
    path: Path, clock: ManualClock, hours: float, maintain_every: int = 7
) -> list[tuple[int, float, float]]:
    """Rounds each 5 s with a gap of 20 minutes; maintained now and then."""
    chance = random.Random(7)
    store, lease = started(path, clock)
    stored = []
    for number in range(int(hours * 720)):
        now_ms = clock.pass_ms(5000)
        if 300 < number % 720 < 540:
            continue
        up, latency = float(chance.random() > 0.1), chance.lognormvariate(4, 1)
        sample = observed(samples={"latency_ms": latency})
        store.write_round(lease, now_ms, [sample], judged(now_ms, up=up), {"health": 5.0})
        stored.append((now_ms, up, latency))
        if number % maintain_every == 0:
            store.maintain(lease, now_ms)
    store.close()
    return stored


def tally(path: Path, series: str, from_ms: int, at_ms: int) -> Tally:
    with sqlite3.connect(path) as connection:
        return Series(Moment(connection, at_ms, at_ms), series).tally((at_ms - from_ms) // 1000)


def tally_of(rounds: list[tuple[int, float]]) -> Tally:
    return Tally(len(rounds), sum(up for _, up in rounds), len({at // MINUTE_MS for at, _ in rounds}))


@pytest.mark.parametrize("maintain_every", [1, 7, 100_000], ids=["always", "often", "never"])
def test_a_window_is_the_sum_of_its_rounds_and_of_none_after_the_moment(tmp_path: Path, maintain_every: int) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    stored = hours_of_rounds(path, clock, 3.3, maintain_every)
    for minutes_on in (5, 60, 61, 118, 120, 150, 198):
        for window_minutes in (1, 5, 59, 60, 61, 180, 1440):
            at_ms = HOUR_START_MS + minutes_on * MINUTE_MS
            from_ms = at_ms - window_minutes * MINUTE_MS
            found = tally(path, "application|up", from_ms, at_ms)
            # A bucket begins with its start and ends before its end; a round not packed yet is seen at its very moment.
            inside = [(at, up) for at, up, _ in stored if from_ms <= at < at_ms]
            at_the_end = [(at, up) for at, up, _ in stored if at == at_ms]
            assert found in (tally_of(inside), tally_of(inside + at_the_end)), (minutes_on, window_minutes)


def test_an_hour_has_the_quantiles_of_its_samples(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    stored = hours_of_rounds(path, clock, 2.2)
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            f"SELECT start, minutes, {ROLLUP_COLUMNS} FROM rollup_hour WHERE series_id = (SELECT s.id FROM series s "
            "JOIN target t ON t.id = s.target_id WHERE t.key = 'health' AND metric = 'latency_ms') ORDER BY start"
        ).fetchall()
    assert [row[0] for row in rows] == [HOUR_START_MS, HOUR_START_MS + HOUR_MS]
    for start, minutes, *row in rows:
        values = [latency for at, _, latency in stored if start <= at < start + HOUR_MS]
        hour = rollup_from(tuple(row), minutes)
        assert (hour.n, hour.min, hour.max) == (len(values), min(values), max(values))
        assert math.isclose(hour.sum, math.fsum(values))
        for found, q in ((hour.p50, 0.5), (hour.p95, 0.95), (hour.p99, 0.99)):
            exact = nearest_rank(values, q)
            assert found is not None and exact is not None and abs(found - exact) <= 0.0101 * exact
        assert isinstance(hour.hist, LogHistogram) and hour.hist.n == len(values)
        assert minutes == len({at // MINUTE_MS for at, _, _ in stored if start <= at < start + HOUR_MS})


def test_samples_stay_readable_one_by_one_while_blocks_are_kept(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    stored = hours_of_rounds(path, clock, 0.9)
    store = ObservedStore.open(path, clock)
    since_ms = HOUR_START_MS + 7 * MINUTE_MS
    found = store.recent_samples("health|latency_ms", since_ms)
    assert found == [(at, latency) for at, _, latency in stored if at >= since_ms]
    assert store.recent_samples("nobody|ok", 0) == []


def test_packing_empties_the_rounds_and_keeps_the_slot_that_is_still_open(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    hours_of_rounds(path, clock, 0.4)
    store, lease = started(path, clock.__class__(wall=clock.wall, boot=clock.boot + 20_000))
    store.maintain(lease, clock.wall)
    with sqlite3.connect(path) as connection:
        oldest = connection.execute("SELECT min(at) FROM recent").fetchone()[0]
        assert oldest is not None and oldest >= HOUR_START_MS + 2 * BLOCK_MS
        per_series = connection.execute("SELECT max(n), count(*) FROM block GROUP BY series_id").fetchall()
    assert all(row == (120, 2) for row in per_series)


def test_a_round_that_comes_after_its_slot_was_packed_is_not_lost(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    store.write_round(lease, HOUR_START_MS, [observed(samples={"ok": 1.0})], None, {"health": 5.0})
    late_ms = HOUR_START_MS + 1000
    clock.pass_ms(BLOCK_MS + 40_000)
    assert store.maintain(lease, clock.wall).packed_slots == 1
    store.write_round(lease, late_ms, [observed(samples={"ok": 0.0})], None, {"health": 5.0})
    assert store.maintain(lease, clock.wall).packed_slots == 1
    at_ms = HOUR_START_MS + 2 * MINUTE_MS
    assert tally(path, "health|ok", HOUR_START_MS, at_ms) == Tally(2, 1, 1)
    assert len(store.recent_samples("health|ok", 0)) == 2


def test_foreign_histograms_keep_their_bounds_through_minutes_and_hours(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    growth = Buckets((100.0, 250.0, math.inf), (8.0, 2.0, 0.0))
    for _ in range(241):
        now_ms = clock.pass_ms(15_000)
        store.write_round(lease, now_ms, [observed("metrics", samples={"latency_ms": growth})], None, {"metrics": 15.0})
    clock.pass_ms(60_000)
    store.maintain(lease, clock.wall)
    store.maintain(lease, clock.wall)
    with sqlite3.connect(path) as connection:
        row = connection.execute(f"SELECT {ROLLUP_COLUMNS} FROM rollup_hour").fetchone()
    hour = rollup_from(row)
    assert hour.n == 10 * 239
    assert hour.hist is not None and not isinstance(hour.hist, LogHistogram)
    assert hour.hist.parts[0].bounds == growth.bounds
    assert hour.p95 is not None and 100 < hour.p95 < 250


def test_samples_that_are_no_numbers_are_not_stored(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    wrong: dict[str, Sample] = {"ok": math.nan, "load1": math.inf, "latency_ms": Buckets((1.0,), (math.nan,)), "x": 2.0}
    store.write_round(lease, clock.wall, [observed(samples=wrong)], None, {"health": 5.0})
    reads = StoreReader(path, tmp_path / "records.db", ENVIRONMENT, None, clock.wall_ms)
    assert store.recent_samples("health|x", 0) == [(clock.wall, 2.0)]
    assert store.recent_samples("health|ok", 0) == []
    assert reads.health(None).header.sources == 1


def uptime_after(path: Path, clock: ManualClock, records: Path) -> list[tuple[float | None, float, float | None]]:
    reads = StoreReader(path, records, ENVIRONMENT, None, clock.wall_ms, machine=clock)
    return [
        (cell.up_share, round(cell.observed_share, 4), cell.budget_left_share) for cell in reads.health(None).uptime
    ]


def test_uptime_is_of_observed_time_and_unknown_when_too_little_was_observed(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    for number in range(13 * 60):
        now_ms = clock.pass_ms(MINUTE_MS)
        up = 0.0 if number < 39 else 1.0
        store.write_round(lease, now_ms, [], judged(now_ms, up=up), {})
        if number % 20 == 0:
            store.maintain(lease, now_ms)
    day, week, month = uptime_after(path, clock, tmp_path / "records.db")
    assert day[0] == pytest.approx(0.95)
    assert day[1] == pytest.approx(13 / 24, abs=0.002)
    assert day[2] == pytest.approx(1 - 0.05 / 0.001)
    assert week[0] is None and month[0] is None  # 13 hours say nothing of a week
    assert week[1] == pytest.approx(13 / 168, abs=0.002)


def test_unknown_time_is_neither_up_nor_down(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    for number in range(20 * 60):
        now_ms = clock.pass_ms(MINUTE_MS)
        up = None if 300 <= number < 600 else 1.0
        store.write_round(lease, now_ms, [], judged(now_ms, up=up), {})
    for _ in range(40):
        store.maintain(lease, clock.wall)
    day = uptime_after(path, clock, tmp_path / "records.db")[0]
    assert day[0] == 1.0
    assert day[1] == pytest.approx(15 / 24, abs=0.002)
    assert DAY_MS == 24 * HOUR_MS


def test_a_number_that_no_sum_can_hold_costs_no_other_series(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    for _ in range(780):
        now_ms = clock.pass_ms(5000)
        store.write_round(lease, now_ms, [observed(samples={"cpu_share": 0.5, "huge": 2.0})], None, {"health": 5.0})
    with sqlite3.connect(path) as connection:  # as a collector stored it that refused nothing
        connection.execute("UPDATE recent SET data = replace(data, ',2.0', ',1.7e308') WHERE at % 2 = 0")
        assert connection.execute("SELECT 1 FROM recent WHERE data LIKE '%e308%'").fetchone()
    while store.maintain(lease, now_ms).packed_slots:
        pass
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT s.metric, sum(h.n) FROM rollup_hour h JOIN series s ON s.id = h.series_id GROUP BY 1"
        ).fetchall()
        assert dict(rows)["cpu_share"] == 719
        assert connection.execute("SELECT count(*) FROM rollup_minute WHERE abs(sum) > 1e21").fetchone()[0] == 0
    store.close()


def test_what_is_too_great_is_not_stored(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    now_ms = clock.pass_ms(5000)
    store.write_round(lease, now_ms, [observed(samples={"cpu_share": 0.5, "huge": 1.7e308})], None, {"health": 5.0})
    assert [sample for _, sample in store.recent_samples("health|huge", HOUR_START_MS)] == []
    assert [sample for _, sample in store.recent_samples("health|cpu_share", HOUR_START_MS)] == [0.5]
    store.close()


def test_a_series_that_cannot_be_packed_costs_that_series_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "observed.db", ManualClock(wall=HOUR_START_MS)
    store, lease = started(path, clock)
    for _ in range(300):
        now_ms = clock.pass_ms(5000)
        store.write_round(lease, now_ms, [observed(samples={"cpu_share": 0.5, "bad": 2.0})], None, {"health": 5.0})
    whole = packing.minutes

    def failing(metric: str, timed: Sequence[blocks.Timed]) -> list[tuple[int, Rollup]]:
        if metric == "bad":
            raise OverflowError("no sum")
        return whole(metric, timed)

    monkeypatch.setattr(packing, "minutes", failing)
    assert store.maintain(lease, now_ms).packed_slots == 2
    assert "series" in caplog.text and "bad" in caplog.text and "OverflowError" in caplog.text
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT s.metric, count(*) FROM rollup_minute m JOIN series s ON s.id = m.series_id GROUP BY 1"
        ).fetchall()
        assert dict(rows) == {"cpu_share": 20}
        assert connection.execute("SELECT count(*) FROM recent WHERE at < ?", (now_ms - 600_000,)).fetchone()[0] == 0
    store.close()
