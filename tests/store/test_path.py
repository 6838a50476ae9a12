"""The whole path, thin: what the collector writes, the reader shows, at each moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.model.states import State
from console.store.observe import ObservedStore
from console.store.read import StoreReader
from console.store.records import AlertBook, Records, identity
from tests.store.samples import (
    ENVIRONMENT,
    ManualClock,
    alert,
    component,
    failed,
    holder,
    judged,
    observed,
    verdict,
)

INTERVALS = {"health": 5.0, "ping": 5.0}


def reader(directory: Path, clock: ManualClock) -> StoreReader:
    return StoreReader(
        directory / "observed.db", directory / "records.db", ENVIRONMENT, "f1", clock.wall_ms, machine=clock
    )


def test_a_missing_store_is_empty_and_no_error(tmp_path: Path) -> None:
    reads = reader(tmp_path, ManualClock())
    view = reads.health(None)
    assert view.verdict is None
    assert view.header.state is State.UNKNOWN
    assert not view.header.collector.alive
    assert reads.alerts(None).firing == ()
    assert reads.component("application", None).row.state is State.UNKNOWN
    assert reads.change_after(0, forward=True) is None


def test_a_failing_round_is_shown_with_value_error_and_alert(tmp_path: Path) -> None:
    clock = ManualClock()
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    first_ms = clock.wall
    store.write_round(lease, first_ms, [observed(), observed("ping")], judged(first_ms), INTERVALS)
    bad_ms = clock.pass_ms(5000)
    bad = judged(
        bad_ms,
        (component(state=State.UNHEALTHY, figure="database check fails"),),
        verdict(State.UNHEALTHY, "health"),
        alerts=(alert(began_ms=bad_ms),),
    )
    store.write_round(lease, bad_ms, [failed(), observed("ping")], bad, INTERVALS)

    reads = reader(tmp_path, clock)
    view = reads.health(None)
    assert (view.header.state, view.header.alerts_firing, view.header.sources) == (State.UNHEALTHY, 1, 2)
    assert view.header.collector.alive
    assert view.header.identity == "abcdref"
    assert view.verdict is not None and view.verdict.reasons[0].cause == "deployment 8f3c1d2"
    row = view.components[0]
    assert (row.state, row.since_ms, row.figure) == (State.UNHEALTHY, bad_ms, "database check fails")
    assert view.lately[0].text == "application unhealthy"

    before = reads.health(first_ms)
    assert before.header.state is State.HEALTHY
    assert before.header.alerts_firing == 0
    assert before.components[0].figure == "p95 81 ms"

    detail = reads.component("application", None)
    health = detail.targets[0]
    assert (health.words, health.seen_ms, health.tried_ms) == ("no answer in time", first_ms, bad_ms)
    assert health.facts == {"http_status": 200}
    assert len(health.history) == 2
    assert reads.change_after(first_ms, forward=True) == bad_ms
    assert reads.change_after(bad_ms, forward=False) == first_ms


def test_an_acknowledged_and_silenced_alert_says_by_whom(tmp_path: Path) -> None:
    clock = ManualClock()
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    store.write_round(lease, clock.wall, [observed()], judged(clock.wall, alerts=(alert(),)), INTERVALS)
    clock.pass_ms(1000)
    reads = StoreReader(tmp_path / "observed.db", tmp_path / "records.db", ENVIRONMENT, "f1", machine=clock)
    book = AlertBook(Records.open(tmp_path / "records.db"), reads, identity(), lambda _: "", str)
    firing = reads.alerts(None).firing
    book.acknowledge(firing[0].id, "looking")
    book.silence("error rate/routes", 30, "known")
    view = reads.alerts(None)
    assert view.firing[0].acknowledged_note == "looking"
    assert view.firing[0].silenced_by == identity().words
    assert view.header.alerts_firing == 0
    assert view.header.open_items[0].kind == "silence"
    book.end_silence(view.silences[0].id)
    assert reads.alerts(None).header.alerts_firing == 1


@pytest.mark.parametrize("gap_ms", [10_001, 60_000])
def test_a_collector_that_stopped_reads_as_stale(tmp_path: Path, gap_ms: int) -> None:
    clock = ManualClock()
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    store.write_round(lease, clock.wall, [observed()], judged(clock.wall), INTERVALS)
    clock.pass_ms(gap_ms)
    view = reader(tmp_path, clock).health(None)
    assert view.components[0].state is State.STALE
    assert "not polled since" in (view.components[0].error or "")
    assert view.header.state is State.STALE
    assert (view.header.sources_late, view.header.sources) == (1, 1)
