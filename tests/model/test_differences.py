"""What `radar watch` tells of two reads of the store."""

from __future__ import annotations

import dataclasses

import pytest

from console.model.differences import Change, Sight, differences
from console.model.observation import Origin
from console.model.states import State
from console.model.views import (
    AlertRow,
    AlertsView,
    CollectorStatus,
    ComponentRow,
    EventRow,
    Header,
    HealthView,
    Reason,
    Verdict,
)

NOW_MS = 1_795_144_364_000
LATER_MS = NOW_MS + 5_000


def header(at_ms: int, state: State, *, alive: bool = True) -> Header:
    return Header(
        at_ms=at_ms,
        environment="production",
        label=None,
        identity=None,
        identity_mismatch=None,
        state=state,
        alerts_firing=0,
        sources_late=0,
        sources=3,
        collector=CollectorStatus(alive=alive, holder="op@host 12"),
    )


def reason(state: State = State.UNHEALTHY) -> Reason:
    return Reason(
        key="routes",
        state=state,
        component="routes",
        text="/pricing 38 % 5xx",
        since_ms=NOW_MS - 1000,
        origin=Origin.PROBE,
        cause="40 s after deployment 8f3c1d2",
    )


def component(state: State) -> ComponentRow:
    return ComponentRow(
        key="routes",
        name="routes",
        state=state,
        since_ms=NOW_MS - 1000,
        figure="p95 1,840 ms",
        strip=(),
        seen_ms=NOW_MS,
        interval_s=5,
        origin=Origin.PROBE,
    )


def alert(**different: object) -> AlertRow:
    row = AlertRow(
        id=7,
        rule="errors",
        subject="application",
        severity="high",
        text="38 % of requests fail",
        origin=Origin.PROBE,
        pending_ms=NOW_MS,
        began_ms=NOW_MS,
        ended_ms=None,
        value=0.38,
        limit=0.05,
        unit="",
    )
    return dataclasses.replace(row, **different)  # type: ignore[arg-type]  # any field


def sight(
    state: State,
    *,
    at_ms: int = NOW_MS,
    alive: bool = True,
    firing: tuple[AlertRow, ...] = (),
    history: tuple[AlertRow, ...] = (),
    lately: tuple[EventRow, ...] = (),
) -> Sight:
    top = header(at_ms, state, alive=alive)
    well = state is State.HEALTHY
    words = "" if well else "vendors: none reporting"
    verdict = Verdict(
        state=state, reasons=() if well else (reason(state),), whose="" if well else "us", whose_words=words
    )
    health = HealthView(
        header=top,
        verdict=verdict,
        verdict_ms=at_ms,
        components=(component(state),),
        strip_s=1800,
        targets=(),
        uptime=(),
        lately=lately,
    )
    return Sight(health=health, alerts=AlertsView(header=top, firing=firing, history=history, rules=()))


def told(found: tuple[Change, ...]) -> list[tuple[str, str, State | None, State | None]]:
    return [(change.kind, change.subject, change.state, change.was) for change in found]


def test_a_well_system_is_told_in_one_line() -> None:
    assert told(differences(None, sight(State.HEALTHY))) == [("verdict", "production", State.HEALTHY, None)]


def test_the_same_again_is_told_in_none() -> None:
    for state in State:
        assert differences(sight(state), sight(state, at_ms=LATER_MS)) == ()


def test_at_the_start_everything_that_is_not_well_is_told() -> None:
    found = differences(None, sight(State.UNHEALTHY, alive=False, firing=(alert(),)))
    assert {change.kind for change in found} == {"collector", "verdict", "reason", "component", "alert"}


def test_a_change_tells_from_what_to_what_and_why_in_the_order_of_time() -> None:
    found = differences(sight(State.HEALTHY), sight(State.UNHEALTHY, at_ms=LATER_MS))
    assert [change.at_ms for change in found] == sorted(change.at_ms for change in found)
    assert sorted(told(found)) == [
        ("component", "routes", State.UNHEALTHY, State.HEALTHY),
        ("reason", "routes", State.UNHEALTHY, None),
        ("verdict", "production", State.UNHEALTHY, State.HEALTHY),
    ]
    texts = " ".join(change.text for change in found)
    assert "38 % 5xx (probe); 40 s after deployment 8f3c1d2" in texts
    assert found[-1].text == "routes: /pricing 38 % 5xx" and "vendors" not in texts, "why, not who is silent"


def test_recovery_takes_the_reason_back() -> None:
    found = differences(sight(State.UNHEALTHY), sight(State.HEALTHY, at_ms=LATER_MS))
    assert ("reason", "no longer: /pricing 38 % 5xx") in {(change.kind, change.text) for change in found}


def test_an_alert_is_told_when_it_fires_is_acknowledged_and_ends() -> None:
    fired = sight(State.HEALTHY, firing=(alert(),))
    acknowledged = sight(
        State.HEALTHY, firing=(alert(acknowledged_ms=LATER_MS, acknowledged_by="op", acknowledged_note="on it"),)
    )
    ended = sight(State.HEALTHY, history=(alert(ended_ms=LATER_MS),))
    assert [change.text for change in differences(sight(State.HEALTHY), fired)] == [
        "7 firing (high): 38 % of requests fail"
    ]
    assert [change.text for change in differences(fired, acknowledged)] == ["7 acknowledged by op: on it"]
    assert [(change.text, change.at_ms) for change in differences(acknowledged, ended)] == [("7 resolved", LATER_MS)]


@pytest.mark.parametrize(
    ("subject", "name"), [("/api", "route-down/api"), ("/", "route-down/"), ("users", "route-down/users")]
)
def test_an_alert_of_a_route_has_one_slash(subject: str, name: str) -> None:
    fired = sight(State.HEALTHY, firing=(alert(rule="route-down", subject=subject),))
    assert [change.subject for change in differences(sight(State.HEALTHY), fired)] == [name]


def test_events_before_the_watch_are_history_and_later_ones_are_told_once() -> None:
    old = EventRow(at_ms=NOW_MS - 9000, kind="deployment", subject="vercel", text="8f3c1d2 live")
    new = EventRow(at_ms=NOW_MS + 1000, kind="rollback", subject="vercel", text="rolled back")
    first, second = sight(State.HEALTHY, lately=(old,)), sight(State.HEALTHY, at_ms=LATER_MS, lately=(new, old))
    assert "event" not in {change.kind for change in differences(None, first)}
    assert [(change.subject, change.text) for change in differences(first, second)] == [("rollback", "rolled back")]
    assert differences(second, second) == ()


def test_a_collector_that_dies_is_told() -> None:
    found = differences(sight(State.HEALTHY), sight(State.HEALTHY, alive=False))
    assert [(change.kind, change.state) for change in found] == [("collector", State.UNKNOWN)]


def test_a_verdict_that_grew_old_is_told_as_such_and_not_as_anybodys_fault() -> None:
    (change,) = (c for c in differences(sight(State.UNHEALTHY), sight(State.STALE)) if c.kind == "verdict")
    assert (change.state, change.was, change.text) == (State.STALE, State.UNHEALTHY, "not judged since 03:12:44")
