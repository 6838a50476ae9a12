"""What is deleted, and that a clock that jumps deletes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from console.model.metrics import Rollup
from console.model.observation import Event
from console.model.states import State
from console.store import retention
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS, RAW_MS
from console.store.observe import Lease, ObservedStore
from console.store.read import StoreReader
from tests.store.samples import (
    ENVIRONMENT,
    START_MS,
    ManualClock,
    alert,
    component,
    failed,
    holder,
    judged,
    observed,
    verdict,
)

TABLES = ("block", "rollup_minute", "rollup_hour", "volatile", "figures", "span", "body", "event", "alert", "change")


def counts(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def oldest(path: Path, table: str, column: str = "start") -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute(f"SELECT min({column}) FROM {table}").fetchone()[0])


def started(path: Path, clock: ManualClock) -> tuple[ObservedStore, Lease]:
    store = ObservedStore.open(path, clock)
    lease = store.acquire(holder())
    assert lease is not None
    return store, lease


def live(store: ObservedStore, lease: Lease, clock: ManualClock, hours: float, step_ms: int = 10 * MINUTE_MS) -> None:
    """A round each ten minutes, each with another body, volatile value and figure."""
    for number in range(int(hours * HOUR_MS / step_ms)):
        now_ms = clock.pass_ms(step_ms)
        one = observed(facts={"n": clock.boot}, volatile={"raw": number})
        judgement = judged(now_ms, (component(figure=f"p95 {clock.boot} ms"),), up=1.0)
        store.write_round(lease, now_ms, [one], judgement, {"health": step_ms / 1000})
        store.maintain(lease, now_ms)


def test_raw_samples_and_lists_are_kept_two_days_and_rollups_longer(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    live(store, lease, clock, 72)
    for table, column in (("block", "start"), ("volatile", "at")):
        kept_ms = clock.wall - oldest(path, table, column)
        assert RAW_MS <= kept_ms <= RAW_MS + HOUR_MS
    assert clock.wall - oldest(path, "rollup_minute") >= 71 * HOUR_MS
    assert counts(path)["span"] > 400


def test_a_clock_ten_years_ahead_deletes_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    live(store, lease, clock, 40)
    before = counts(path)
    clock.wall += 3650 * DAY_MS
    live(store, lease, clock, 1)
    clock.wall -= 3650 * DAY_MS
    live(store, lease, clock, 1)
    after = counts(path)
    assert all(after[table] >= before[table] for table in TABLES if table != "figures")


def test_a_pass_deletes_no_more_than_the_monotonic_time_since_the_last_one(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    live(store, lease, clock, 60)
    kept_from = oldest(path, "block")
    clock.wall += 30 * DAY_MS  # by wall time all of it would be too old now
    clock.boot += HOUR_MS
    store.maintain(lease, clock.wall)
    assert oldest(path, "block") - kept_from <= HOUR_MS + 20 * MINUTE_MS


def test_time_with_the_machine_off_does_not_age_what_is_stored(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    live(store, lease, clock, 40)
    store.release(lease)
    blocks = counts(path)["block"]
    rebooted = ManualClock(wall=clock.wall + 300 * DAY_MS, boot=60_000, boot_id="boot-2")
    store, lease = started(path, rebooted)
    live(store, lease, rebooted, 2)
    assert counts(path)["block"] >= blocks


def test_authored_history_counts_as_passed(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    end_ms = START_MS
    minute = Rollup.of([1.0], distribution=False)
    assert minute is not None
    with HistoryWriter(path) as writer:
        starts = range(end_ms - 40 * DAY_MS, end_ms, HOUR_MS)
        writer.minutes("application|up", ((start, minute) for start in starts))
    clock = ManualClock(wall=end_ms)
    store, lease = started(path, clock)
    live(store, lease, clock, 0.5)
    assert 30 * DAY_MS <= clock.wall - oldest(path, "rollup_minute") <= 30 * DAY_MS + 2 * HOUR_MS


def test_what_is_shown_of_a_target_that_fails_for_long_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    began_ms = START_MS - 500 * DAY_MS
    with HistoryWriter(path) as writer:
        writer.observation(observed(facts={"kept": 1}), began_ms, began_ms + DAY_MS, 5.0)
        writer.observation(observed(facts={"gone": 1}), began_ms + 2 * DAY_MS, began_ms + 3 * DAY_MS, 5.0)
        writer.observation(observed(facts={"last": 1}), began_ms + 4 * DAY_MS, began_ms + 5 * DAY_MS, 5.0)
        writer.observation(failed(), began_ms + 5 * DAY_MS, START_MS, 5.0)
        writer.component(component(targets=("health",)), began_ms, START_MS)
    clock = ManualClock()
    store, lease = started(path, clock)
    store.write_round(lease, clock.pass_ms(5000), [failed()], judged(clock.wall, (component(targets=("health",)),)), {})
    store.maintain(lease, clock.wall)
    reads = StoreReader(path, tmp_path / "records.db", ENVIRONMENT, None, clock.wall_ms, machine=clock)
    target = reads.component("application", None).targets[0]
    assert target.facts == {"last": 1}
    assert len(target.history) == 2
    assert counts(path)["body"] == 4  # two of the target, the component's, the verdict's


def test_events_and_ended_alerts_are_kept_13_months_and_open_alerts_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    first_ms = START_MS - 500 * DAY_MS
    with HistoryWriter(path) as writer:
        for days in (0, 50, 200):
            at_ms = first_ms + days * DAY_MS
            writer.event(Event(at_ms=at_ms, kind="deployment", subject="vercel", text=f"day {days}"))
            writer.alert(alert("ended", began_ms=at_ms, ended_ms=at_ms + 1000))
        writer.alert(alert("open", began_ms=first_ms))
        writer.verdict(verdict(State.HEALTHY), START_MS - 1000, START_MS)
    clock = ManualClock()
    store, lease = started(path, clock)
    store.write_round(lease, clock.pass_ms(5000), [], judged(clock.wall), {})
    store.maintain(lease, clock.wall)
    assert counts(path)["event"] == 1
    assert counts(path)["alert"] == 2
    assert [each.rule for each in store.open_alerts()] == ["open"]


def test_figures_become_fewer_with_age_and_the_newest_stays(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    live(store, lease, clock, 3, step_ms=10_000)
    with sqlite3.connect(path) as connection:
        ages = [(clock.wall - row[0]) / 60_000 for row in connection.execute("SELECT at FROM figures")]
    assert sum(1 for age in ages if age < 55) > 300  # each round of the last hour
    assert 100 < sum(1 for age in ages if age > 75) < 115  # one a minute before
    assert min(ages) == 0


def test_volatile_lists_are_capped_and_the_newest_of_each_target_stays(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO target VALUES (90, 'a'), (91, 'b')")
        connection.execute("INSERT INTO volatile(target_id, at, data) VALUES (91, 1, zeroblob(1000))")
        rows = ((90, number, bytes(1024 * 1024)) for number in range(70))
        connection.executemany("INSERT INTO volatile(target_id, at, data) VALUES (?, ?, ?)", rows)
    store.maintain(lease, clock.wall)
    with sqlite3.connect(path) as connection:
        size, kept = connection.execute("SELECT sum(length(data)), count(*) FROM volatile").fetchone()
        of_b = connection.execute("SELECT count(*) FROM volatile WHERE target_id = 91").fetchone()[0]
    assert size <= retention.VOLATILE_BYTES + 1000
    assert (kept, of_b) == (65, 1)
