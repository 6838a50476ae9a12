"""What the targets and rules say while nothing new is known: their last value, and that it is one of before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.model.judgement import RuleReading
from console.model.observation import Observation, Origin
from console.model.states import State
from console.model.views import TargetRow
from console.store import codec
from console.store.observe import Lease, ObservedStore
from console.store.read import StoreReader
from tests.store.samples import ENVIRONMENT, ManualClock, failed, holder, judged, observed

INTERVALS = {"health": 5.0, "metrics": 15.0, "postgres.canary": 5.0}
RULE = RuleReading(name="error rate", severity="high", condition="> 5 %", state="ok", value=0.01, unit="share")


def row(name: str, value: float | None = 81.0, aside: str | None = None) -> TargetRow:
    state = State.UNKNOWN if value is None else State.HEALTHY
    return TargetRow(
        name=name,
        value=value,
        unit="ms",
        limit=200.0,
        origin=Origin.USERS,
        state=state,
        samples=60,
        window_s=300,
        aside=aside,
    )


class Rounds:
    """A collector by hand."""

    def __init__(self, store: ObservedStore, lease: Lease, clock: ManualClock) -> None:
        self.store, self.lease, self.clock = store, lease, clock

    def write(self, *observations: Observation, p95: float | None = 81.0, aside: str | None = None) -> int:
        rows = (row("p95", p95, aside), row("db query", 12.0))
        judgement = judged(self.clock.pass_ms(5000), targets=rows, rules=(RULE,))
        self.store.write_round(self.lease, self.clock.wall, observations, judgement, INTERVALS)
        return self.clock.wall


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def rounds(tmp_path: Path, clock: ManualClock) -> Rounds:
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    return Rounds(store, lease, clock)


@pytest.fixture
def reads(tmp_path: Path, clock: ManualClock) -> StoreReader:
    return StoreReader(
        tmp_path / "observed.db", tmp_path / "records.db", ENVIRONMENT, "f1", clock.wall_ms, machine=clock
    )


def by_name(reads: StoreReader, at_ms: int | None = None) -> dict[str, TargetRow]:
    return {each.name: each for each in reads.health(at_ms).targets}


def test_a_row_is_as_judged_while_its_source_answers(rounds: Rounds, reads: StoreReader) -> None:
    seen_ms = rounds.write(observed("metrics"), observed("postgres.canary"))
    rounds.write(observed("postgres.canary"))
    rows = by_name(reads)
    assert {name: each.state for name, each in rows.items()} == {"p95": State.HEALTHY, "db query": State.HEALTHY}
    assert (rows["p95"].seen_ms, rows["db query"].seen_ms) == (seen_ms, seen_ms + 5000)


def test_without_a_collector_every_row_is_stale_and_keeps_its_value(
    rounds: Rounds, reads: StoreReader, clock: ManualClock
) -> None:
    seen_ms = rounds.write(observed("metrics"), observed("postgres.canary"))
    clock.pass_ms(11_000)  # more than two intervals of the judgement
    rows = by_name(reads)
    assert {(each.state, each.value, each.seen_ms) for each in rows.values()} == {
        (State.STALE, 81.0, seen_ms),
        (State.STALE, 12.0, seen_ms),
    }
    assert {each.state for each in by_name(reads, seen_ms).values()} == {State.HEALTHY}  # then it was not


def test_a_row_whose_source_failed_is_stale_and_only_that(rounds: Rounds, reads: StoreReader) -> None:
    seen_ms = rounds.write(observed("metrics"), observed("postgres.canary"))
    rounds.write(observed("metrics"), failed("postgres.canary"))
    rows = by_name(reads)
    assert (rows["db query"].state, rows["db query"].value, rows["db query"].seen_ms) == (State.STALE, 12.0, seen_ms)
    assert rows["p95"].state is State.HEALTHY


def test_the_last_value_stays_when_the_window_has_lost_it(rounds: Rounds, reads: StoreReader) -> None:
    seen_ms = rounds.write(observed("metrics"), p95=95.0)
    rounds.write(failed("metrics"), p95=None, aside="probe: 40 ms")
    found = by_name(reads)["p95"]
    assert (found.value, found.state, found.seen_ms, found.aside) == (95.0, State.STALE, seen_ms, "probe: 40 ms")


def test_a_row_that_never_had_a_value_is_unknown_and_not_stale(
    rounds: Rounds, reads: StoreReader, clock: ManualClock
) -> None:
    rounds.write(failed("metrics"), p95=None)
    assert (by_name(reads)["p95"].state, by_name(reads)["p95"].seen_ms) == (State.UNKNOWN, None)
    clock.pass_ms(60_000)
    assert by_name(reads)["p95"].state is State.UNKNOWN


def test_a_source_that_is_not_polled_any_more_makes_its_row_stale(rounds: Rounds, reads: StoreReader) -> None:
    rounds.write(observed("metrics"), observed("postgres.canary"))
    for _ in range(3):
        rounds.write(observed("metrics"))
    rows = by_name(reads)
    assert (rows["db query"].state, rows["p95"].state) == (State.STALE, State.HEALTHY)


def test_rules_are_unknown_when_nobody_judges(rounds: Rounds, reads: StoreReader, clock: ManualClock) -> None:
    judged_ms = rounds.write(observed("metrics"))
    assert [(rule.state, rule.value) for rule in reads.alerts(None).rules] == [("ok", 0.01)]
    clock.pass_ms(11_000)
    assert [(rule.state, rule.value) for rule in reads.alerts(None).rules] == [("unknown", None)]
    assert reads.alerts(judged_ms).rules[0].state == "ok"


@pytest.mark.parametrize("at_least", [True, False])
def test_that_a_value_is_a_lower_bound_is_kept(
    rounds: Rounds, reads: StoreReader, clock: ManualClock, at_least: bool
) -> None:
    bound = replace(row("p95", 10_000.0), at_least=at_least)
    judgement = judged(clock.pass_ms(5000), targets=(bound, row("db query", 12.0)))
    rounds.store.write_round(rounds.lease, clock.wall, [observed("metrics")], judgement, INTERVALS)
    assert {name: each.at_least for name, each in by_name(reads).items()} == {"p95": at_least, "db query": False}
    assert by_name(reads, clock.wall)["p95"].at_least is at_least, "also at a moment"


def test_rows_of_before_bounds_were_kept_are_no_bounds() -> None:
    record = codec.figures_record(judged(0, targets=(replace(row("p95"), at_least=True),)))
    old = {"targets": [values[:9] for values in record["targets"]]}
    assert codec.targets_from(record)[0].at_least
    assert codec.targets_from(old) == (row("p95"),)
