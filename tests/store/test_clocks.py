"""Wall clocks that jump: nothing is overwritten, nothing deleted, and it is told as an event."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.model.states import State
from console.store.names import HOUR_MS, MINUTE_MS
from console.store.observe import Lease, ObservedStore
from console.store.read import StoreReader
from console.store.timeline import ERA_SHIFT, Segment, Timeline, position_of, wall_of
from tests.store.samples import ENVIRONMENT, START_MS, ManualClock, component, holder, judged, observed, verdict

INTERVALS = {"health": 5.0}


def started(path: Path, clock: ManualClock) -> tuple[ObservedStore, Lease]:
    store = ObservedStore.open(path, clock)
    lease = store.acquire(holder())
    assert lease is not None
    return store, lease


def rounds(store: ObservedStore, lease: Lease, clock: ManualClock, count: int, words: str, state: State) -> None:
    for _ in range(count):
        now_ms = clock.pass_ms(5000)
        judgement = judged(now_ms, (component(state=state, targets=("health",)),), verdict(state), up=1.0)
        store.write_round(lease, now_ms, [observed(words=words, state=state)], judgement, INTERVALS)


def reader(directory: Path, clock: ManualClock) -> StoreReader:
    return StoreReader(
        directory / "observed.db", directory / "records.db", ENVIRONMENT, None, clock.wall_ms, machine=clock
    )


def clock_events(reads: StoreReader) -> list[str]:
    return [row.text for row in reads.health(None, events=20).lately if row.kind == "clock"]


def count(path: Path, table: str) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_clock_set_back_is_told_and_overwrites_nothing(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "observed.db"
    store, lease = started(path, clock)
    rounds(store, lease, clock, 24, "before", State.HEALTHY)
    before_ms = clock.wall
    rows = count(path, "recent")
    clock.wall -= HOUR_MS
    rounds(store, lease, clock, 3, "after", State.DEGRADED)
    reads = reader(tmp_path, clock)
    assert clock_events(reads) == [
        "the clock went back by 60 min: what was recorded before is kept beside",
    ]
    live = reads.component("application", None)
    assert (live.targets[0].words, live.targets[0].state) == ("after", State.DEGRADED)
    assert live.header.sources_late == 0
    assert live.row.state is State.DEGRADED
    assert live.row.strip[-1] is State.DEGRADED
    assert count(path, "recent") == rows + 3
    # What was seen then is shown for then.
    clock.wall = before_ms + 4 * HOUR_MS
    assert reads.component("application", before_ms - 10 * MINUTE_MS - HOUR_MS).targets == ()


def test_a_clock_set_back_and_forth_again_goes_on_where_it_was(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "observed.db"
    store, lease = started(path, clock)
    rounds(store, lease, clock, 24, "before", State.HEALTHY)
    clock.wall += 24 * HOUR_MS
    rounds(store, lease, clock, 3, "in the false future", State.UNHEALTHY)
    clock.wall -= 24 * HOUR_MS
    rounds(store, lease, clock, 24, "after", State.HEALTHY)
    reads = reader(tmp_path, clock)
    live = reads.component("application", None)
    assert live.targets[0].words == "after"
    assert State.UNHEALTHY not in live.row.strip
    assert reads.component("application", clock.wall - 3 * MINUTE_MS).targets[0].words == "before"
    assert len(clock_events(reads)) == 1  # the event of the jump forward lies in the false future
    day_later = reads.component("application", clock.wall + 23 * HOUR_MS)
    assert day_later.targets[0].state is State.STALE
    assert "after" in day_later.targets[0].words
    assert {row.words for row in live.targets[0].history} == {"before", "in the false future", "after"}


def test_uptime_counts_both_sides_of_a_clock_set_back(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "observed.db"
    store, lease = started(path, clock)
    for _ in range(13 * 60):
        store.write_round(lease, clock.pass_ms(MINUTE_MS), [], judged(clock.wall, up=1.0), {})
    clock.wall -= 5_000
    for _ in range(10):
        store.write_round(lease, clock.pass_ms(MINUTE_MS), [], judged(clock.wall, up=1.0), {})
    for _ in range(20):
        store.maintain(lease, clock.wall)
    day = reader(tmp_path, clock).health(None).uptime[0]
    assert day.observed_share == pytest.approx((13 * 60 + 10) / 1440, abs=0.002)
    assert day.up_share == 1.0


def test_a_jump_forward_is_told_and_leaves_a_gap_that_is_unknown(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "observed.db"
    store, lease = started(path, clock)
    rounds(store, lease, clock, 60, "before", State.HEALTHY)
    clock.wall += 10 * MINUTE_MS
    rounds(store, lease, clock, 60, "after", State.HEALTHY)
    reads = reader(tmp_path, clock)
    assert clock_events(reads) == ["the clock jumped forward by 10 min"]
    strip = reads.health(None).components[0].strip
    assert strip[-1] is State.HEALTHY
    assert State.UNKNOWN in strip[8:-2]


def test_a_jump_while_the_collector_was_off_is_told(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "observed.db"
    store, lease = started(path, clock)
    rounds(store, lease, clock, 2, "before", State.HEALTHY)
    store.release(lease)
    store.close()
    clock.pass_ms(MINUTE_MS)
    clock.wall += 2 * HOUR_MS
    store, lease = started(path, clock)
    rounds(store, lease, clock, 1, "after", State.HEALTHY)
    assert clock_events(reader(tmp_path, clock)) == ["the clock jumped forward by 2.0 h"]


@pytest.mark.parametrize("drift_ms", [0, 900, -900])
def test_a_slewed_clock_is_no_jump(tmp_path: Path, drift_ms: int) -> None:
    clock, path = ManualClock(), tmp_path / "observed.db"
    store, lease = started(path, clock)
    rounds(store, lease, clock, 2, "before", State.HEALTHY)
    clock.wall += drift_ms
    rounds(store, lease, clock, 2, "before", State.HEALTHY)
    assert clock_events(reader(tmp_path, clock)) == []
    assert count(path, "era") == 0


def test_two_rounds_in_one_ms_are_two_rounds(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "observed.db"
    store, lease = started(path, clock)
    for words in ("one", "two"):
        store.write_round(lease, clock.wall, [observed(words=words)], judged(clock.wall), INTERVALS)
    assert count(path, "recent") == 2
    assert reader(tmp_path, clock).component("application", None).targets[0].words == "two"


JUMPS = st.lists(
    st.tuples(
        st.sampled_from(
            [0, 0, 0, 1500, -1500, 90_000, -90_000, HOUR_MS, -HOUR_MS, 3 * 24 * HOUR_MS, -3 * 24 * HOUR_MS]
        ),
        st.sampled_from(list(State)[:3]),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(JUMPS)
def test_however_the_clock_jumps_now_shows_the_last_poll_and_every_poll_is_kept(
    steps: list[tuple[int, State, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        clock, path = ManualClock(), Path(directory) / "observed.db"
        store, lease = started(path, clock)
        reads = reader(Path(directory), clock)
        for number, (jump_ms, state, maintain) in enumerate(steps):
            clock.wall += jump_ms
            rounds(store, lease, clock, 1, f"poll {number}", state)
            if maintain:
                store.maintain(lease, clock.wall)
            detail = reads.component("application", None)
            target = detail.targets[0]
            assert (target.words, target.state) == (f"poll {number}", state)
            assert target.tried_ms is not None and 0 <= detail.header.at_ms - target.tried_ms <= 5000
            assert detail.row.state is state and detail.header.state is state
            assert (detail.header.sources_late, detail.header.sources) == (0, 1)
        assert polls_kept(path) == len(steps)
        store.close()
        reads.close()


def polls_kept(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        unpacked = connection.execute("SELECT count(*) FROM recent").fetchone()[0]
        packed = connection.execute(
            "SELECT coalesce(sum(n), 0) FROM block WHERE series_id IN (SELECT id FROM series WHERE metric = '#polled')"
        ).fetchone()[0]
    return int(unpacked) + int(packed)


def test_a_window_is_cut_where_eras_begin() -> None:
    timeline = Timeline([(1, 1000), (2, 400)])
    assert timeline.position(300) == 300
    assert timeline.position(500) == position_of(2, 500)
    assert timeline.position(1500) == position_of(2, 1500)
    assert timeline.segments(100, 1200) == [
        Segment(position_of(2, 400), position_of(2, 1200)),
        Segment(100, 399),
    ]
    assert Timeline([]).segments(5, 9) == [Segment(5, 9)]
    assert wall_of(position_of(7, START_MS)) == START_MS
    assert position_of(1, 0) == 1 << ERA_SHIFT
