"""Which alert is told to which channel, when: pure, and the same however often it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console.model.judgement import AlertChange
from console.model.observation import Origin
from console.model.operations import Notify
from console.model.states import State
from console.model.views import Reason, Verdict
from console.notify.report import payload_of
from console.notify.rules import Decision, Quiet, Situation, Told, decide, escalations, event_of
from tests.notify.parts import ENVIRONMENT, MINUTE_MS, NOW_MS, alert

CHANNELS = ("slack", "pagerduty", "statuspage", "webhook:audit")


def situation(**changes: Any) -> Situation:
    base = Situation(environment="production", notify=Notify(), channels=CHANNELS, now_ms=NOW_MS, firing=(alert(),))
    return replace(base, **changes)


def said(decision: Decision) -> list[str]:
    return [f"{entry.channel} {entry.what} {entry.severity}" for entry in decision.entries]


def after(decision: Decision, state: str = "sent", attempts: int = 1) -> dict[tuple[str, str], Told]:
    """The outbox after the entries of a decision."""
    return {
        (entry.event, entry.channel): Told(NOW_MS, state, attempts, number)
        for number, entry in enumerate(decision.entries)
    }


def ended(by_ms: int = 8 * MINUTE_MS, **changes: Any) -> AlertChange:
    return alert(ended_ms=NOW_MS + by_ms, **changes)


@pytest.mark.parametrize(
    ("severity", "channels"),
    [
        ("critical", ["slack", "pagerduty", "webhook:audit"]),
        ("high", ["slack", "pagerduty", "webhook:audit"]),
        ("medium", ["slack", "webhook:audit"]),
        ("low", []),
    ],
)
def test_each_channel_is_told_of_what_is_severe_enough_for_it(severity: str, channels: list[str]) -> None:
    decision = decide(situation(firing=(alert(severity=severity),)))
    assert said(decision) == [f"{channel} began {severity}" for channel in channels], "never the public page"


def test_the_least_severity_is_a_setting() -> None:
    notify = Notify(least={"slack": "critical", "audit": "low"})
    decision = decide(situation(notify=notify, firing=(alert(severity="low"), alert(subject="b"))))
    assert said(decision) == ["pagerduty began high", "webhook:audit began low", "webhook:audit began high"]


def test_what_was_told_is_not_told_again() -> None:
    first = decide(situation())
    assert not decide(situation(told=after(first))).entries
    again = situation(told=after(first), firing=(alert(began_ms=NOW_MS + 1),))
    assert len(decide(again).entries) == 3, "the counter-test: the next occurrence is another event"


def test_the_end_is_told_where_the_beginning_was() -> None:
    told = {key: each for key, each in after(decide(situation())).items() if key[1] == "slack"}
    assert said(decide(situation(firing=(), ended=(ended(),), told=told))) == ["slack ended high"]
    failed = {key: replace(each, state="failed") for key, each in told.items()}
    assert not decide(situation(firing=(), ended=(ended(),), told=failed)).entries
    unknown = {key: replace(each, state="unknown") for key, each in told.items()}
    assert decide(situation(firing=(), ended=(ended(),), told=unknown)).entries


@pytest.mark.parametrize(
    ("began_s", "now_s", "told"),
    [
        (-30, 1, False),  # it began in the maintenance, a second after whose end nobody can know whether it goes on
        (20, 100, False),
        (-30, 121, True),
        (70, 80, True),  # it began well after
        (-120, 1, True),  # it began before, and was held meanwhile
    ],
)
def test_what_a_maintenance_leaves_behind_wakes_nobody(began_s: int, now_s: int, told: bool) -> None:
    quiet = Quiet(settling=(NOW_MS - 70_000, NOW_MS))
    firing = (alert(rule="burn-fast", severity="critical", began_ms=NOW_MS + began_s * 1000),)
    assert bool(decide(situation(firing=firing, now_ms=NOW_MS + now_s * 1000, quiet=quiet)).entries) is told
    security = (replace(firing[0], rule="security"),)
    assert decide(situation(firing=security, now_ms=NOW_MS + now_s * 1000, quiet=quiet)).entries


def test_nobody_is_woken_for_what_is_over_already() -> None:
    waiting = after(decide(situation()), state="waiting", attempts=0)
    decision = decide(situation(firing=(), ended=(ended(),), told=waiting))
    paged = [each.id for (_, channel), each in waiting.items() if channel == "pagerduty"]
    assert decision.drop == tuple(paged) and "pagerduty ended high" not in said(decision)
    tried = after(decide(situation()), state="waiting", attempts=1)
    decision = decide(situation(firing=(), ended=(ended(),), told=tried))
    assert not decision.drop and "pagerduty ended high" in said(decision), "it may have got there"


def test_silence_and_maintenance_hold_back_and_what_still_fires_after_them_is_told() -> None:
    silenced = Quiet(silenced=lambda rule, subject: rule == "error-rate" and subject == "users")
    assert not decide(situation(quiet=silenced)).entries
    assert decide(situation(quiet=silenced, firing=(alert(subject="b"),))).entries
    assert not decide(situation(quiet=Quiet(maintenance=True))).entries
    assert decide(situation(quiet=Quiet(maintenance=True), firing=(alert(rule="security"),))).entries
    assert len(decide(situation(now_ms=NOW_MS + 60 * MINUTE_MS)).entries) == 3


def test_an_end_is_told_even_in_a_silence() -> None:
    told = after(decide(situation()))
    quiet = Quiet(silenced=lambda rule, subject: True, maintenance=True)
    assert len(decide(situation(firing=(), ended=(ended(),), told=told, quiet=quiet)).entries) == 3


ESCALATE = Notify(escalate_s={"medium": 600, "high": 300, "critical": 300})


def test_what_nobody_acknowledges_is_told_again_one_severity_higher() -> None:
    told = after(decide(situation(notify=ESCALATE)))
    early = situation(notify=ESCALATE, told=told, now_ms=NOW_MS + 4 * MINUTE_MS)
    assert not decide(early).entries
    due = replace(early, now_ms=NOW_MS + 5 * MINUTE_MS)
    assert said(decide(due)) == [f"{name} escalated critical" for name in ("slack", "pagerduty", "webhook:audit")]
    told |= after(decide(due))
    assert not decide(replace(due, told=told)).entries, "each step once"
    last = replace(due, told=told, now_ms=NOW_MS + 10 * MINUTE_MS)
    assert said(decide(last)) == [f"{name} escalated critical" for name in ("slack", "pagerduty", "webhook:audit")]
    assert not decide(replace(last, told=told | after(decide(last)), now_ms=NOW_MS + 900 * MINUTE_MS)).entries


@pytest.mark.parametrize(
    "changes",
    [
        {"acknowledged": {("error-rate", "users", NOW_MS): "op1 (loginuid)"}},
        {"quiet": Quiet(silenced=lambda rule, subject: True)},
        {"quiet": Quiet(offline=True)},
        {"quiet": Quiet(maintenance=True)},
    ],
    ids=["acknowledged", "silenced", "offline", "maintenance"],
)
def test_what_is_in_hand_or_held_is_not_raised(changes: dict[str, Any]) -> None:
    told = after(decide(situation(notify=ESCALATE)))
    late = situation(notify=ESCALATE, told=told, now_ms=NOW_MS + 60 * MINUTE_MS, **changes)
    assert "escalated" not in " ".join(said(decide(late)))


def test_an_alert_too_slight_for_a_channel_reaches_it_when_it_is_raised() -> None:
    slight = (alert(severity="medium"),)
    told = after(decide(situation(notify=ESCALATE, firing=slight)))
    due = situation(notify=ESCALATE, firing=slight, told=told, now_ms=NOW_MS + 10 * MINUTE_MS)
    assert "pagerduty escalated high" in said(decide(due))
    told |= after(decide(due))
    over = situation(firing=(), ended=(ended(severity="medium"),), told=told)
    assert "pagerduty ended medium" in said(decide(over)), "and its end as well"


def test_what_a_silence_held_back_is_not_raised_in_the_moment_it_is_told() -> None:
    later = NOW_MS + 60 * MINUTE_MS
    decision = decide(situation(notify=ESCALATE, now_ms=later))
    assert {entry.what for entry in decision.entries} == {"began"}
    told = {key: replace(each, made_ms=later) for key, each in after(decision).items()}
    assert not decide(situation(notify=ESCALATE, told=told, now_ms=later + MINUTE_MS)).entries
    assert decide(situation(notify=ESCALATE, told=told, now_ms=later + 5 * MINUTE_MS)).entries


def test_steps_end_where_no_time_is_set() -> None:
    assert escalations(Notify(escalate_s={"medium": 60}), "medium") == [(1, "high", 60)]
    assert escalations(Notify(escalate_s={"medium": 60, "high": 30}), "medium") == [
        (1, "high", 60),
        (2, "critical", 90),
    ]
    assert escalations(Notify(), "high") == []


def test_an_acknowledgement_goes_to_pagerduty_once() -> None:
    told = after(decide(situation()))
    seen = situation(told=told, acknowledged={("error-rate", "users", NOW_MS): "op1"})
    assert said(decide(seen)) == ["pagerduty acknowledged high"]
    assert not decide(replace(seen, told=told | after(decide(seen)))).entries
    assert not [each for each in said(decide(replace(seen, told={}))) if "acknowledged" in each], "first it must begin"


def test_the_event_is_the_same_in_every_process() -> None:
    assert event_of("production", alert(), "began") == f"production:error-rate:users:{NOW_MS}:began"


# --- what is told -----------------------------------------------------------------------------------------------------


def reason(component: str, cause: str | None = None, incident: str = "application") -> Reason:
    return Reason(
        key=f"{component}.x", state=State.UNHEALTHY, component=component, text="text", since_ms=NOW_MS,
        origin=Origin.PROBE, cause=cause, incident=incident,
    )  # fmt: skip


def test_cause_and_step_are_those_of_what_the_alert_is_about() -> None:
    verdict = Verdict(
        state=State.UNHEALTHY,
        reasons=(reason("users", 'deployment 8f3c1d2 "pricing v2" 2 m before'), reason("certificate")),
        whose="us",
        whose_words="",
        next_steps=("roll back to 41ab9e0", "contact On call"),
    )
    facts = facts_of(alert(), verdict)
    assert facts["cause"].startswith("deployment 8f3c1d2") and facts["do"] == "roll back to 41ab9e0"
    assert facts["contact"] == "On call +49 30 1" and facts["from"].startswith("users")
    other = facts_of(alert(rule="certificate", origin=Origin.TLS), verdict)
    assert "cause" not in other and "do" not in other, "the counter-test: not the cause of something else"


def facts_of(change: AlertChange, verdict: Verdict | None) -> dict[str, str]:
    (entry, *_) = decide(situation(firing=(change,))).entries
    facts = payload_of(entry, ENVIRONMENT, verdict, NOW_MS)["facts"]
    assert isinstance(facts, dict)
    return {name: str(text) for name, text in facts.items()}
