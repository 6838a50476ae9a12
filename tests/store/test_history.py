"""An authored past reads as if a collector had been there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.model.metrics import Rollup
from console.model.observation import Event, Origin
from console.model.states import State
from console.model.views import TargetRow
from console.store.clock import SystemClock
from console.store.errors import StoreBusy
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.observe import ObservedStore
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

NOW_MS = START_MS - START_MS % HOUR_MS
INTERVALS = {"health": 5.0}


def target_row(value: float | None, state: State = State.HEALTHY) -> TargetRow:
    return TargetRow(
        name="p95", value=value, unit="ms", limit=200.0, origin=Origin.PROBE, state=state, samples=60, window_s=300
    )


def author(path: Path, days: int = 30, holder_of_lease: bool = False, clock: ManualClock | None = None) -> None:
    """Healthy but for one hour, ten days ago; minutes and hours of uptime; figures each hour."""
    first_ms, bad_ms = NOW_MS - days * DAY_MS, NOW_MS - 10 * DAY_MS
    app = component(targets=("health",))
    with HistoryWriter(path) as writer:
        for began_ms, until_ms, state in (
            (first_ms, bad_ms, State.HEALTHY),
            (bad_ms, bad_ms + HOUR_MS, State.UNHEALTHY),
            (bad_ms + HOUR_MS, NOW_MS, State.HEALTHY),
        ):
            one = failed() if state is State.UNHEALTHY else observed()
            writer.observation(one, began_ms, until_ms - 5000, 5.0)
            writer.component(component(state=state, targets=("health",)), began_ms, until_ms - 5000)
            writer.verdict(verdict(state, *(["health"] if state is State.UNHEALTHY else [])), began_ms, until_ms - 5000)
        for start in range(first_ms, NOW_MS, HOUR_MS):
            minutes = [(start + n * MINUTE_MS, rollup(0.0 if start == bad_ms else 1.0)) for n in range(60)]
            writer.minutes("application|up", minutes)
            whole = Rollup.merged([each for _, each in minutes])
            assert whole is not None
            writer.hours("application|up", [(start, whole)])
            value = 1840.0 if start == bad_ms else 81.0
            writer.minutes("judged|p95", [(at, rollup(value + n)) for n, (at, _) in enumerate(minutes)])
            state = State.UNHEALTHY if start == bad_ms else State.HEALTHY
            writer.figures(judged(start, (app,), targets=(target_row(value, state),)))
        writer.event(
            Event(at_ms=bad_ms - 40_000, kind="deployment", subject="vercel", text='8f3c1d2 "pricing v2" live')
        )
        writer.alert(alert(began_ms=bad_ms + MINUTE_MS, ended_ms=bad_ms + HOUR_MS))
        if holder_of_lease:
            writer.lease(holder(), clock)


def rollup(value: float) -> Rollup:
    made = Rollup.of([value], distribution=False)
    assert made is not None
    return made


def reader(directory: Path, clock: ManualClock) -> StoreReader:
    return StoreReader(
        directory / "observed.db", directory / "records.db", ENVIRONMENT, None, clock.wall_ms, machine=clock
    )


def test_the_past_shows_what_was_wrong_then(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    reads = reader(tmp_path, ManualClock(wall=NOW_MS))
    bad_ms = NOW_MS - 10 * DAY_MS + 30 * MINUTE_MS
    view = reads.health(bad_ms)
    assert view.header.state is State.UNHEALTHY
    assert view.header.collector.alive
    assert view.header.alerts_firing == 1
    assert view.verdict is not None and view.verdict.reasons[0].key == "health"
    row = view.components[0]
    assert (row.state, row.since_ms) == (State.UNHEALTHY, NOW_MS - 10 * DAY_MS)
    assert set(row.strip[:-1]) == {State.UNHEALTHY}
    assert view.lately[0].text == "application unhealthy"
    assert view.lately[1].kind == "deployment"
    before = reads.health(NOW_MS - 10 * DAY_MS - MINUTE_MS)
    assert before.header.state is State.HEALTHY
    assert [event.kind for event in before.lately] == ["deployment"] or before.lately == ()
    assert reads.alerts(NOW_MS).history[0].ended_ms == NOW_MS - 10 * DAY_MS + HOUR_MS


def test_targets_of_long_ago_come_from_the_minutes_that_were_judged(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    reads = reader(tmp_path, ManualClock(wall=NOW_MS))
    bad = reads.health(NOW_MS - 10 * DAY_MS + 30 * MINUTE_MS).targets[0]
    assert (bad.value, bad.state, bad.limit) == (1840.0 + 29, State.UNHEALTHY, 200.0)
    well = reads.health(NOW_MS - 9 * DAY_MS + 10 * MINUTE_MS).targets[0]
    assert (well.value, well.state) == (81.0 + 9, State.HEALTHY)
    recent = reads.health(NOW_MS - HOUR_MS).targets[0]
    assert recent.value == 81.0  # as judged in full


def test_a_lower_bound_of_long_ago_is_one_until_the_minutes_leave_it(tmp_path: Path) -> None:
    hour_ms = NOW_MS - 9 * DAY_MS
    bound = replace(target_row(1000.0, State.DEGRADED), at_least=True)
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.figures(judged(hour_ms, (component(),), targets=(bound,)))
        writer.minutes("judged|p95", [(hour_ms + n * MINUTE_MS, rollup(value)) for n, value in enumerate((1000, 900))])
        writer.verdict(verdict(), hour_ms, NOW_MS - 5000)
    reads = reader(tmp_path, ManualClock(wall=NOW_MS))
    found = [reads.health(hour_ms + n * MINUTE_MS + 30_000).targets[0] for n in (1, 2)]
    assert [(row.value, row.at_least) for row in found] == [(1000.0, True), (900.0, False)]


def test_uptime_of_a_month_counts_the_bad_hour(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    day, week, month = reader(tmp_path, ManualClock(wall=NOW_MS)).health(NOW_MS).uptime
    assert day.up_share == week.up_share == 1.0
    assert month.up_share == pytest.approx(1 - 1 / 720)
    assert day.observed_share == week.observed_share == month.observed_share == 1.0
    assert month.budget_left_share == pytest.approx(1 - (1 / 720) / 0.001)


def test_a_collector_goes_on_from_the_authored_past(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    clock = ManualClock(wall=NOW_MS + 3000)
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    store.write_round(lease, clock.wall, [observed()], judged(clock.wall, up=1.0), INTERVALS)
    store.maintain(lease, clock.wall)
    view = reader(tmp_path, clock).health(None)
    assert view.components[0].since_ms == NOW_MS - 10 * DAY_MS + HOUR_MS  # healthy for ten days, not for three seconds
    assert all(row.kind != "clock" for row in view.lately)
    assert view.uptime[2].observed_share == pytest.approx(1.0, abs=0.001)


def test_stepping_goes_from_change_to_change(tmp_path: Path) -> None:
    author(tmp_path / "observed.db")
    reads = reader(tmp_path, ManualClock(wall=NOW_MS))
    bad_ms, moments, at_ms = NOW_MS - 10 * DAY_MS, [], 0
    while (found := reads.change_after(at_ms, forward=True)) is not None:
        moments.append(found)
        at_ms = found
    assert moments == [NOW_MS - 30 * DAY_MS, bad_ms, bad_ms + MINUTE_MS, bad_ms + HOUR_MS]
    back = [reads.change_after(each, forward=False) for each in moments]
    assert back == [None, *moments[:-1]]


def test_a_recorded_store_can_show_a_living_collector(tmp_path: Path) -> None:
    clock = ManualClock(wall=NOW_MS)
    author(tmp_path / "observed.db", 12, holder_of_lease=True, clock=clock)
    collector = reader(tmp_path, clock).health(None).header.collector
    assert collector.alive and collector.holder == "op1@bastion 1"


def test_a_past_is_not_authored_under_a_living_collector(tmp_path: Path) -> None:
    store = ObservedStore.open(tmp_path / "observed.db")
    lease = store.acquire(replace(holder(), boot_id=SystemClock().boot_id))
    assert lease is not None
    with pytest.raises(StoreBusy, match="collects into this file"):
        author(tmp_path / "observed.db", 1)
    store.release(lease)
    author(tmp_path / "observed.db", 12)


def test_what_fails_half_way_is_not_stored_at_all(tmp_path: Path) -> None:
    def fail() -> None:
        with HistoryWriter(tmp_path / "observed.db") as writer:
            writer.verdict(verdict(), NOW_MS - 1000, NOW_MS)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        fail()
    assert reader(tmp_path, ManualClock(wall=NOW_MS)).health(None).verdict is None
