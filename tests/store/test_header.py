"""The header of every view: what is late, who collects, what it last reported; and what changes the version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.model.judgement import RuleReading
from console.model.observation import Event, Json, Outcome
from console.model.states import State
from console.model.times import date_time
from console.model.views import OpenItem
from console.store.observe import Lease, ObservedStore
from console.store.read import StoreReader
from console.store.read_header import COLLECTOR
from console.store.records import Records
from tests.store.samples import ENVIRONMENT, ManualClock, alert, component, holder, judged, observed, verdict

INTERVALS = {"health": 5.0, "ping": 5.0, "certificate:a:443": 3600.0, COLLECTOR: 5.0}
PARTS = (
    component(targets=("health", "ping")),
    component("certificate", targets=("certificate:a:443",), interval_s=3600.0),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> ObservedStore:
    return ObservedStore.open(tmp_path / "observed.db", clock)


@pytest.fixture
def lease(store: ObservedStore) -> Lease:
    lease = store.acquire(holder())
    assert lease is not None
    return lease


@pytest.fixture
def reads(tmp_path: Path, clock: ManualClock) -> StoreReader:
    return StoreReader(
        tmp_path / "observed.db", tmp_path / "records.db", ENVIRONMENT, "f1", clock.wall_ms, machine=clock
    )


def test_each_source_is_late_against_its_own_interval(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    polled = [observed("health"), observed("ping"), observed("certificate:a:443"), observed(COLLECTOR)]
    store.write_round(lease, clock.wall, polled, judged(clock.wall, PARTS), INTERVALS)
    for _ in range(3):
        store.write_round(lease, clock.pass_ms(5000), [observed("ping")], judged(clock.wall, PARTS), INTERVALS)
    header = reads.health(None).header
    assert (header.sources_late, header.sources) == (1, 3)  # the health probe; the collector is no source
    rows = {row.key: row.state for row in reads.health(None).components}
    assert rows == {"application": State.HEALTHY, "certificate": State.HEALTHY}
    clock.pass_ms(60_000)
    rows = {row.key: row.state for row in reads.health(None).components}
    assert rows == {"application": State.STALE, "certificate": State.HEALTHY}
    assert reads.health(None).header.sources_late == 2


def test_a_source_that_no_component_tells_of_is_late_while_it_gives_nothing(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    refused = replace(observed("github"), outcome=Outcome.FORBIDDEN, state=State.UNKNOWN, samples={})
    for github, late in ((observed("github"), 0), (refused, 1), (observed("github"), 0)):
        store.write_round(lease, clock.pass_ms(1000), [observed(), github], judged(clock.wall, PARTS), INTERVALS)
        header = reads.health(None).header
        assert (header.sources_late, header.sources) == (late, 2)
    refused_health = replace(refused, target="health")  # a component's own failure is told by its state
    store.write_round(lease, clock.pass_ms(1000), [refused_health], judged(clock.wall, PARTS), INTERVALS)
    assert reads.health(None).header.sources_late == 0


def test_a_target_that_is_not_configured_any_more_is_not_late_for_ever(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    both = (component(targets=("health", "route:/old")),)
    store.write_round(lease, clock.wall, [observed(), observed("route:/old")], judged(clock.wall, both), INTERVALS)
    assert reads.health(None).header.sources == 2
    for _ in range(3):
        one = (component(targets=("health",)),)
        store.write_round(lease, clock.pass_ms(5000), [observed()], judged(clock.wall, one), INTERVALS)
    header = reads.health(None).header
    assert (header.sources_late, header.sources) == (0, 1)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [({"last_error": "KeyError in judge"}, "KeyError in judge"), ({"last_error": None}, None), ({}, "too slow")],
)
def test_what_the_collector_reports_of_itself_is_shown(
    store: ObservedStore,
    lease: Lease,
    clock: ManualClock,
    reads: StoreReader,
    facts: dict[str, str | None],
    expected: str | None,
) -> None:
    own = observed(COLLECTOR, State.DEGRADED, words="too slow", facts=dict(facts))
    store.write_round(lease, clock.wall, [own], judged(clock.wall), INTERVALS)
    assert reads.health(None).header.collector.last_error == expected


def test_the_verdicts_words_follow_each_round_while_its_span_goes_on(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    moments = []
    for share in (31, 38, 45):
        bad = verdict(State.UNHEALTHY, "routes", text=f"{share} % 5xx")
        store.write_round(lease, clock.pass_ms(5000), [observed()], judged(clock.wall, whole=bad), INTERVALS)
        moments.append(clock.wall)
    texts = [view.reasons[0].text for view in (reads.health(each).verdict for each in moments) if view]
    assert texts == ["31 % 5xx", "38 % 5xx", "45 % 5xx"]
    assert reads.change_after(moments[0], forward=True) is None  # a number is no change of the judgement
    well_ms = clock.pass_ms(5000)
    store.write_round(lease, well_ms, [observed()], judged(well_ms), INTERVALS)
    assert reads.change_after(moments[0], forward=True) == well_ms
    assert reads.change_after(well_ms, forward=False) == moments[0]


def test_rules_and_held_alerts_are_as_in_the_newest_round(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    def reading(state: str) -> tuple[RuleReading, ...]:
        return (
            RuleReading(name="error rate", severity="high", condition="> 5 %", state=state, value=0.4, unit="share"),
        )

    first_ms = clock.wall
    firing = judged(first_ms, alerts=(alert(began_ms=first_ms),), rules=reading("firing"))
    store.write_round(lease, first_ms, [observed()], firing, INTERVALS)
    held_ms = clock.pass_ms(5000)
    store.write_round(lease, held_ms, [observed()], judged(held_ms, rules=reading("held")), INTERVALS)
    assert (reads.alerts(None).firing[0].held, reads.alerts(first_ms).firing[0].held) == (True, False)
    assert [rule.state for rule in reads.alerts(None).rules] == ["held"]
    ended_ms = clock.pass_ms(5000)
    over = judged(ended_ms, alerts=(alert(began_ms=first_ms, ended_ms=ended_ms),), rules=reading("ok"))
    store.write_round(lease, ended_ms, [observed()], over, INTERVALS)
    assert reads.alerts(None).firing == ()
    assert reads.alerts(None).history[0].ended_ms == ended_ms
    assert [row.ended_ms for row in reads.alerts(held_ms).firing] == [None]


def test_an_event_read_twice_is_stored_once_and_shown_when_it_was_known(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    live = Event(
        at_ms=clock.wall - 40_000, kind="deployment", subject="health", text="8f3c1d2 live", key="deployment/1"
    )
    before_ms = clock.wall
    store.write_round(lease, before_ms, [observed()], judged(before_ms), INTERVALS)
    for _ in range(2):
        store.write_round(lease, clock.pass_ms(5000), [observed(events=(live,))], judged(clock.wall), INTERVALS)
    assert [row.text for row in reads.health(None).lately] == ["8f3c1d2 live"]
    assert reads.health(before_ms).lately == ()  # it had happened, and nobody knew
    assert [row.text for row in reads.component("application", None).events] == ["8f3c1d2 live"]


def test_volatile_lists_are_kept_seldom_while_well_and_often_while_not(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    def shown() -> list[int]:
        kept = []
        for number in range(13):
            now_ms = clock.pass_ms(5000)
            one = observed(state=state, volatile={"number": number})
            store.write_round(lease, now_ms, [one], judged(now_ms), INTERVALS)
            value = reads.component("application", None).targets[0].volatile["number"]
            assert isinstance(value, int)
            kept.append(value)
        return sorted(set(kept))

    state = State.HEALTHY
    assert shown() == [0, 12]
    state = State.DEGRADED
    assert shown() == [0, 2, 4, 6, 8, 10, 12]  # at once with the change, then each ten seconds


def test_values_that_are_too_large_are_replaced_by_a_note(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    one = observed(facts={"huge": "x" * 100_000}, volatile={"raw": "y" * 1_000_000})
    store.write_round(lease, clock.wall, [one], judged(clock.wall), INTERVALS)
    target = reads.component("application", None).targets[0]
    assert "more than" in str(target.facts["dropped"])
    assert "more than" in str(target.volatile["dropped"])


def test_text_and_times_from_outside_break_no_round(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    wild = tuple(
        Event(at_ms=at_ms, kind="vendor", subject="health", text="\ud800 \x00", key=str(at_ms))
        for at_ms in (10**30, -5)
    )
    one = observed(
        "route:/\udcff", words="\ud800", facts={"\udcff": "\ud800"}, samples={"m\ud800": 1.0}, events=wild,
        volatile={"n": 10**30},
    )  # fmt: skip
    parts = (component(targets=("route:/\udcff",), explanation=("\udcff",)),)
    for _ in range(2):
        store.write_round(lease, clock.pass_ms(5000), [one], judged(clock.wall, parts), INTERVALS)
    target = reads.component("application", None).targets[0]
    assert (target.words, target.samples) == ("?", {"m?": 1.0})
    assert [row.at_ms for row in reads.health(None).lately] == [0]  # what lies in the future is not shown yet


def test_the_version_changes_with_each_write_and_not_without(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    versions = [reads.version(), reads.version()]
    assert versions[0] == versions[1]
    store.write_round(lease, clock.wall, [observed()], judged(clock.wall), INTERVALS)
    assert reads.version() not in versions


def test_the_samples_of_the_moment_are_shown_from_rounds_blocks_and_minutes(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    for number in range(400):
        one = observed(samples={"ok": float(number)})
        store.write_round(lease, clock.pass_ms(5000), [one], judged(clock.wall), INTERVALS)
    at_ms = clock.wall - 30 * 60_000
    assert reads.component("application", at_ms).targets[0].samples == {"ok": 39.0}
    for _ in range(5):
        store.maintain(lease, clock.wall)
    assert reads.component("application", at_ms).targets[0].samples == {"ok": 39.0}
    assert reads.component("application", None).targets[0].samples == {"ok": 399.0}


def pin(records: Path, at_ms: int) -> None:
    """As a rollback leaves it."""
    book = Records.open(records)
    book.write(
        lambda connection: connection.execute(
            "INSERT INTO holding(kind, subject, text, owner, began_ms, undo) "
            "VALUES ('pinned', 'prj', 'by rollback to 0606060', 'op1', ?, 'radar promote dpl_left')",
            (at_ms,),
        )
    )
    book.close()


def test_a_pin_that_somebody_ended_elsewhere_says_so(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader, tmp_path: Path
) -> None:
    def polled(auto_assign: bool) -> None:
        facts: dict[str, Json] = {"auto_assign": auto_assign, "production": {"id": "dpl_now"}}
        told = [observed("vercel", facts=facts), observed("health")]
        store.write_round(lease, clock.pass_ms(30_000), told, judged(clock.wall, PARTS), {**INTERVALS, "vercel": 30.0})

    def item() -> OpenItem:
        (found,) = reads.health(None).header.open_items
        return found

    polled(True)
    pin(tmp_path / "records.db", clock.wall + 1000)
    assert "seen gone" not in item().text, "that was before it"
    polled(False)
    assert (item().undo, item().text) == ("radar promote dpl_left", "by rollback to 0606060")
    polled(True)
    gone_ms = clock.wall
    polled(True)
    assert f"seen gone since {date_time(gone_ms)} UTC: radar promote ends this entry" in item().text
    assert (item().undo, item().request) == ("radar promote dpl_now", ("promote", {"to": "dpl_now"}))


def test_what_is_not_configured_or_was_never_polled_is_not_stale(
    store: ObservedStore, lease: Lease, clock: ManualClock, reads: StoreReader
) -> None:
    base = judged(clock.wall, PARTS)
    named = {
        "vercel": (State.NOT_CONFIGURED, ()),
        "users": (State.UNKNOWN, ("metrics",)),
        "application": (State.HEALTHY, ("health",)),
    }
    parts = tuple(
        replace(base.components[0], key=key, name=key, state=state, targets=targets, figure="as judged")
        for key, (state, targets) in named.items()
    )
    store.write_round(lease, clock.wall, [observed("health")], replace(base, components=parts), INTERVALS)
    clock.pass_ms(600_000)
    rows = {row.key: (row.state, row.figure) for row in reads.health(None).components}
    assert rows["vercel"] == (State.NOT_CONFIGURED, "as judged")
    assert rows["users"] == (State.UNKNOWN, "not polled yet")
    assert rows["application"][0] is State.STALE
