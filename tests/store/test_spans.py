"""Spans: whatever sequence of polls was stored, a read at any moment says what was known then."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from console.model.observation import ErrorKind, Event, Observation, Outcome
from console.model.states import State
from console.store.observe import Lease, ObservedStore
from console.store.read import StoreReader
from tests.store.samples import ENVIRONMENT, ManualClock, component, failed, holder, judged, observed

INTERVAL_S = 5.0
DUE_MS = int(2 * INTERVAL_S * 1000)
INTERVALS = {"health": INTERVAL_S}

KINDS: dict[str, Observation] = {
    "well": observed(),
    "other": observed(words="memory check warns", facts={"http_status": 200, "memory": "warn"}),
    "degraded": observed(state=State.DEGRADED, words="slow"),
    "timeout": failed(),
    "refused": failed(kind=ErrorKind.CONNECT),
    "blocked": observed(
        state=State.UNKNOWN, outcome=Outcome.BLOCKED, error_kind=ErrorKind.CHALLENGED, words="challenge", samples={}
    ),
}


@dataclass(frozen=True)
class Step:
    """A poll this long after the one before; before it the process may restart or maintain the store."""

    gap_ms: int
    kind: str
    restart: bool
    maintain: bool


STEPS = st.lists(
    st.builds(
        Step,
        gap_ms=st.sampled_from([1, 900, 5000, 5000, 5000, 9_999, 10_000, 10_001, 61_000, 700_000]),
        kind=st.sampled_from(sorted(KINDS)),
        restart=st.booleans(),
        maintain=st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@dataclass(frozen=True)
class Polled:
    at_ms: int
    observation: Observation


def play(path: Path, clock: ManualClock, steps: list[Step]) -> list[Polled]:
    """Store the steps; gives what was polled when."""
    store = ObservedStore.open(path, clock)
    lease = take(store)
    polls = []
    for step in steps:
        clock.pass_ms(step.gap_ms)
        if step.restart:
            store.release(lease)
            store.close()
            store = ObservedStore.open(path, clock)
            lease = take(store)
        if step.maintain:
            store.maintain(lease, clock.wall)
        observation = KINDS[step.kind]
        judgement = judged(clock.wall, (component(targets=("health",)),))
        store.write_round(lease, clock.wall, [observation], judgement, INTERVALS)
        polls.append(Polled(clock.wall, observation))
    store.close()
    return polls


def take(store: ObservedStore) -> Lease:
    lease = store.acquire(holder())
    assert lease is not None
    return lease


@settings(max_examples=60, deadline=None)
@given(STEPS, st.lists(st.integers(-20_000, 20_000), min_size=5, max_size=5))
def test_any_sequence_of_polls_is_reproduced_by_reads_at_any_moment(steps: list[Step], offsets: list[int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        clock = ManualClock()
        polls = play(Path(directory) / "observed.db", clock, steps)
        reads = StoreReader(
            Path(directory) / "observed.db", Path(directory) / "records.db", ENVIRONMENT, None, machine=clock
        )
        moments = {poll.at_ms for poll in polls}
        moments |= {poll.at_ms + offset for poll in polls for offset in (-1, 1, DUE_MS, DUE_MS + 1)}
        moments |= {polls[index % len(polls)].at_ms + offset for index, offset in enumerate(offsets)}
        for at_ms in sorted(moments):
            compare(reads, polls, at_ms)
        reads.close()


def compare(reads: StoreReader, polls: list[Polled], at_ms: int) -> None:
    known = [poll for poll in polls if poll.at_ms <= at_ms]
    detail = reads.component("application", at_ms)
    if not known:
        assert detail.targets == ()
        return
    last = known[-1]
    found = detail.targets[0]
    stale = at_ms > last.at_ms + DUE_MS
    assert found.state == (State.STALE if stale else last.observation.state)
    assert (found.outcome, found.error_kind) == (last.observation.outcome, last.observation.error_kind)
    assert found.words.endswith(last.observation.words)
    assert found.tried_ms == last.at_ms
    answers = [poll for poll in known if poll.observation.outcome is Outcome.ANSWERED]
    assert found.seen_ms == (answers[-1].at_ms if answers else None)
    assert found.facts == (answers[-1] if answers else last).observation.facts
    assert detail.header.sources_late == (1 if stale else 0)


def span_count(path: Path, target: str = "health") -> int:
    with sqlite3.connect(path) as connection:
        row = connection.execute(
            "SELECT count(*) FROM span s JOIN target t ON t.id = s.target_id WHERE t.key = ?", (target,)
        ).fetchone()
    return int(row[0])


def test_130_polls_that_change_twice_are_three_spans(tmp_path: Path) -> None:
    steps = [Step(5000, "well", False, False)] * 60
    steps += [Step(5000, "timeout", False, False)] * 10 + [Step(5000, "well", False, False)] * 60
    play(tmp_path / "observed.db", ManualClock(), steps)
    assert span_count(tmp_path / "observed.db") == 3


def test_a_poll_after_it_was_due_begins_a_span_though_nothing_changed(tmp_path: Path) -> None:
    play(
        tmp_path / "observed.db", ManualClock(), [Step(5000, "well", False, False), Step(10_001, "well", False, False)]
    )
    assert span_count(tmp_path / "observed.db") == 2


def test_a_restart_does_not_end_a_span(tmp_path: Path) -> None:
    play(tmp_path / "observed.db", ManualClock(), [Step(5000, "well", True, False)] * 3)
    assert span_count(tmp_path / "observed.db") == 1


def test_equal_bodies_are_stored_once(tmp_path: Path) -> None:
    play(tmp_path / "observed.db", ManualClock(), [Step(61_000, "well", False, False)] * 20)
    with sqlite3.connect(tmp_path / "observed.db") as connection:
        bodies = connection.execute("SELECT count(*) FROM body WHERE json LIKE '%all checks pass%'").fetchone()[0]
    assert (span_count(tmp_path / "observed.db"), bodies) == (20, 1)


def test_events_are_read_back_whole_in_the_order_in_which_they_happened(tmp_path: Path) -> None:
    clock = ManualClock()
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    at_ms = clock.wall
    deployed = Event(
        at_ms=at_ms - 5000, kind="deployment", subject="vercel", text="8f3c1d2 live", key="deployment/dpl_1",
        data={"short": "8f3c1d2", "created_ms": 7, "author": None},
    )  # fmt: skip
    plain = Event(at_ms=at_ms - 9000, kind="setting", subject="postgres", text="60 to 80", state=State.DEGRADED)
    store.write_round(lease, at_ms, [observed(events=(deployed, plain))], judged(at_ms), {"health": 5.0})
    store.write_round(lease, clock.pass_ms(5000), [observed(events=(deployed,))], judged(clock.wall), {"health": 5.0})
    assert store.recent_events(10) == (plain, deployed)
    assert store.recent_events(1) == (deployed,)


def test_a_state_keeps_its_age_while_its_words_change(tmp_path: Path) -> None:
    clock = ManualClock()
    steps = [Step(5000, "well", False, False), Step(5000, "other", False, False), Step(5000, "well", True, False)]
    polls = play(tmp_path / "observed.db", clock, steps)
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    seen = store.last_observation("health")
    assert seen is not None and seen.state_since_ms == polls[0].at_ms
    assert seen.began_ms == polls[2].at_ms
