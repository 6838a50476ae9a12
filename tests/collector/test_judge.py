"""The judge round by round: the witness, connections that fail, changes seen, alerts kept until stored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from console.collector.judge import Judge, Progress, Reaction, exempt_targets
from console.model.configuration import Egress, Environment, Rule, Secret, Supabase, Vercel
from console.model.health import CheckStatus, parse_health
from console.model.judgement import Judgement
from console.model.moment import Moment
from console.model.observation import ErrorKind, Event, Observation
from console.model.states import State
from console.model.windows import UNANSWERED
from tests.collector.scripted import answered, refused

ONLINE = {"targets": {"a": "ok"}, "dns": "ok"}
TARGETS = ("health", "ping", "route:/", "postgres.activity", "postgres.canary", "egress", "host")


class Rounds:
    """A judge, and a clock that moves by rounds of five seconds."""

    def __init__(self, *targets: str, **changes: Any) -> None:
        base = Environment(
            name="test", url="https://app.example.com", database=Secret("postgresql://u@db.example.com/d")
        )
        self.targets = targets or TARGETS
        self.judge = Judge(replace(base, **changes), dict.fromkeys(self.targets, 5.0))
        self.now = Moment(1_000_000, 1_795_000_000_000)
        self.reactions: list[Reaction] = []

    def see(self, observation: Observation) -> Reaction:
        """One poll."""
        reaction = self.judge.note(observation, self.now)
        self.reactions.append(reaction)
        return reaction

    def round(self, *down: str, seconds: int = 5) -> Judgement:
        """One poll of every target, those `down` not reached, and the judgement."""
        for target in self.targets:
            well = answered(target, facts=ONLINE if target == "egress" else {})
            self.see(refused(target) if target in down else well)
        self.now = Moment(self.now.steady_ms + seconds * 1000, self.now.wall_ms + seconds * 1000)
        return self.judge.conclude(self.now, Progress())


def reasons(judgement: Judgement) -> list[str]:
    """The keys of the reasons."""
    return [reason.key for reason in judgement.verdict.reasons]


def states(judgement: Judgement) -> dict[str, State]:
    """The state of each component."""
    return {component.key: component.state for component in judgement.components}


OUTSIDE = ("health", "ping", "route:/", "postgres.activity", "postgres.canary")


def test_offline_and_back_without_one_false_word() -> None:
    rounds = Rounds()
    rounds.round(), rounds.round()
    for _ in range(4):
        judgement = rounds.round(*OUTSIDE, "egress")
        assert reasons(judgement) == ["bastion.offline"]
        assert judgement.verdict.state is State.UNKNOWN
        assert "up" not in judgement.samples.get("application", {})
    back = rounds.round(*OUTSIDE)
    assert "health" in rounds.reactions[-2].ask, "what failed meanwhile is asked again at once"
    assert reasons(back) == []
    judgement = rounds.round()
    assert (reasons(judgement), judgement.verdict.state) == ([], State.HEALTHY)
    assert judgement.samples["application"] == {"up": 1.0}
    assert not judgement.alerts


def test_what_failed_while_offline_is_no_share_of_errors_afterwards() -> None:
    rounds = Rounds("route:/", "egress")
    well = {"ok": 1.0, "latency_ms": 20.0}
    alerts: list[str] = []
    for number in range(60):
        is_off = 10 <= number < 40
        way = replace(refused("route:/"), samples={"ok": 0.0})
        told = rounds.see(way if is_off else answered("route:/", samples=well)).observation
        if number == 12:
            assert "ok" not in told.samples, "nor is it stored as one"
        rounds.see(refused("egress") if is_off else answered("egress", facts=ONLINE))
        rounds.now = Moment(rounds.now.steady_ms + 5000, rounds.now.wall_ms + 5000)
        judgement = rounds.judge.conclude(rounds.now, Progress())
        rounds.judge.saved()
        alerts += [alert.rule for alert in judgement.alerts]
        assert [key for key in reasons(judgement) if key.startswith("routes")] == []
    assert set(alerts) == {"egress"}
    assert 0.0 not in rounds.judge.windows.newest("route:/|ok", 60), "nor is the one before the witness was heard"


def test_a_time_out_counts_as_long_as_it_was_waited_for() -> None:
    rounds = Rounds("route:/", egress=None)
    late = replace(refused("route:/"), error_kind=ErrorKind.TIMEOUT)
    rounds.judge.note(late, rounds.now, 10_037.0)
    rounds.judge.note(refused("route:/"), rounds.now, 3.0)
    assert rounds.judge.windows.newest(f"route:/|{UNANSWERED}", 5) == [10_000.0]


@pytest.mark.parametrize(("passes_at", "told"), [(None, True), (59, False), (0, False)])
def test_a_memory_check_counts_by_its_sample_since_the_check_itself_is_always_unknown(
    passes_at: int | None, told: bool
) -> None:
    rounds = Rounds("health", "ping", egress=None)
    for number in range(60):
        status = "healthy" if number == passes_at else "unhealthy"
        checks = {"database": {"status": "healthy"}, "memory": {"status": status}}
        body = json.dumps({"status": "healthy", "checks": checks}).encode()
        health = parse_health(200, {"content-type": "application/json"}, body)
        assert json.loads(json.dumps(health.facts["checks"]))["memory"]["status"] == "unknown"
        samples = {"memory_check_failing": float(health.checks["memory"].status is CheckStatus.FAIL)}
        rounds.see(answered("health", health.state, health.words, facts=health.facts, samples=samples))
        rounds.see(answered("ping"))
        rounds.now = Moment(rounds.now.steady_ms + 5000, rounds.now.wall_ms + 5000)
        found = reasons(rounds.judge.conclude(rounds.now, Progress()))
        assert found == (["application.check:memory"] if told and number == 59 else [])


def test_targets_that_come_back_before_the_witness_are_judged_as_they_answer() -> None:
    rounds = Rounds()
    rounds.round()
    for _ in range(3):
        rounds.round(*OUTSIDE, "egress")
    judgement = rounds.round("egress")
    assert reasons(judgement) == ["bastion.offline"]
    assert states(judgement)["application"] is State.HEALTHY


def test_a_first_failure_asks_the_witness() -> None:
    rounds = Rounds()
    rounds.round()
    assert rounds.see(refused("health")).ask == ("egress",)
    assert rounds.see(refused("health")).ask == ()
    assert rounds.see(answered("ping", State.UNHEALTHY, "500")).ask == (), "an answer needs no witness"
    assert Rounds("health", egress=None).see(refused("health")).ask == ()


@pytest.mark.parametrize("offline", [True, False])
def test_failed_connections_count_only_when_they_are_the_databases(offline: bool) -> None:
    rounds = Rounds()
    rounds.round()
    found = 0.0
    for _ in range(4):
        judgement = rounds.round("postgres.activity", "postgres.canary", *(("egress",) if offline else ()))
        sample = judgement.samples["database"]["connection_failures"]
        assert isinstance(sample, float)
        found += sample
    assert (found == 0.0) is offline
    names = [alert.rule for alert in judgement.alerts]
    assert ("database-connection" in names) is not offline


def test_one_lost_connection_is_no_failed_connection() -> None:
    rounds = Rounds()
    rounds.round()
    rounds.round("postgres.canary")
    judgement = rounds.round()
    assert judgement.samples["database"] == {"connection_failures": 0.0}
    assert not judgement.alerts


def test_alerts_are_told_until_they_are_stored() -> None:
    rule = Rule(name="queue", series="health|q", above=1.0, for_s=0.0, minimum_samples=1)
    rounds = Rounds("health", rules=(rule,))
    rounds.see(answered("health", samples={"q": 5.0}))
    first = rounds.judge.conclude(rounds.now, Progress())
    assert [alert.rule for alert in first.alerts] == ["queue"]
    assert rounds.judge.conclude(rounds.now, Progress()).alerts == first.alerts, "the store was full"
    rounds.judge.saved()
    assert rounds.judge.conclude(rounds.now, Progress()).alerts == ()
    rounds.judge.tell_again()
    assert rounds.judge.conclude(rounds.now, Progress()).alerts == first.alerts, "the store was begun anew"


def test_changes_between_two_answers_are_events() -> None:
    rounds = Rounds("health", "postgres.activity")
    for version, connections in (("1.0.0", 60), ("1.0.0", 60), ("1.0.1", 100)):
        told = [
            *rounds.see(answered("health", facts={"version": version})).observation.events,
            *rounds.see(answered("postgres.activity", facts={"max_connections": connections})).observation.events,
        ]
    assert [(event.kind, event.text) for event in told] == [
        ("deployment", "version 1.0.0 → 1.0.1"),
        ("setting", "max_connections 60 → 100"),
    ]
    with_vercel = Rounds("health", "vercel", vercel=Vercel(token=Secret("t"), project="p"))
    with_vercel.see(answered("health", facts={"version": "1"}))
    assert not with_vercel.see(answered("health", facts={"version": "2"})).observation.events, "Vercel tells it better"


def test_a_reason_keeps_its_onset_while_it_stands() -> None:
    rounds = Rounds("health", "ping", egress=None)
    rounds.round()
    began_ms = rounds.now.wall_ms
    for _ in range(5):
        judgement = rounds.round("health", "ping")
        assert judgement.verdict.reasons[0].since_ms == began_ms
    rounds.round(), rounds.round()
    later_ms = rounds.now.wall_ms
    assert rounds.round("health", "ping").verdict.reasons[0].since_ms == later_ms


def test_a_fault_that_changes_its_face_keeps_its_onset() -> None:
    rounds = Rounds("health", "ping", egress=None)
    rounds.round()
    began_ms = rounds.now.wall_ms
    assert reasons(rounds.round("health", "ping")) == ["application.down"]
    rounds.round("health"), rounds.round("health")
    judgement = rounds.round("health")
    assert reasons(judgement) == ["application.health"]
    assert judgement.verdict.reasons[0].since_ms == began_ms


def test_another_kind_of_trouble_has_an_onset_and_a_cause_of_its_own() -> None:
    rounds = Rounds("health", "ping", egress=None)
    rounds.round()
    checks = {"checks": {"database": {"status": "fail"}}}
    for _ in range(6):
        rounds.see(answered("ping"))
        rounds.see(answered("health", State.UNHEALTHY, "database fails", facts=checks))
        rounds.now = Moment(rounds.now.steady_ms + 5000, rounds.now.wall_ms + 5000)
        assert reasons(rounds.judge.conclude(rounds.now, Progress())) in ([], ["application.check:database"])
    began_ms = rounds.now.wall_ms
    event = Event(at_ms=began_ms - 3000, kind="deployment", subject="vercel", text="8f3c1d2 live")
    rounds.judge.remember((), {}, (event,))
    rounds.round("health", "ping")
    reason = rounds.round("health", "ping").verdict.reasons[0]
    assert (reason.key, reason.since_ms) == ("application.down", began_ms)
    assert (reason.cause or "").startswith("began 3 s after deployment 8f3c1d2 live")


def test_events_before_the_start_are_causes() -> None:
    rounds = Rounds("health", "ping", egress=None)
    event = Event(at_ms=rounds.now.wall_ms - 20_000, kind="deployment", subject="vercel", text="8f3c1d2 live")
    rounds.judge.remember((), {}, (event,))
    cause = rounds.round("health", "ping").verdict.reasons[0].cause
    assert cause is not None and cause.startswith("began 20 s after deployment 8f3c1d2 live")


@pytest.mark.parametrize(
    ("url", "egress", "exempt"),
    [
        ("https://app.example.com", Egress(), False),
        ("http://127.0.0.1:3000", Egress(), True),
        ("http://10.0.0.7", Egress(), True),
        ("http://127.0.0.1:3000", Egress(targets=("http://127.0.0.1:4000",)), False),
        ("http://127.0.0.1:3000", None, False),
    ],
)
def test_the_witness_excuses_what_lies_outside(url: str, egress: Egress | None, exempt: bool) -> None:
    found = exempt_targets(Environment(name="test", url=url, egress=egress), ("health", "egress"))
    assert ("health" in found) is exempt


def test_a_database_of_another_project_is_told() -> None:
    dsn = Secret("postgresql://postgres:x@db.zyxwvutsrqponmlkjihg.supabase.co:5432/postgres")
    rounds = Rounds("health", supabase=Supabase(ref="abcdefghijklmnopqrst"), database=dsn)
    words = "database is of project zyxwvutsrqponmlkjihg, supabase.ref is abcdefghijklmnopqrst"
    assert rounds.round().identity_mismatch == words
    same = Rounds("health", supabase=Supabase(ref="zyxwvutsrqponmlkjihg"), database=dsn)
    assert same.round().identity_mismatch is None


def test_routes_by_the_hundred_are_judged_in_little_time() -> None:
    """Two hundred routes at 5 s: a round may cost some percent of its five seconds, not half of them."""
    import time

    rounds = Rounds("health", "ping", *(f"route:/{number}" for number in range(200)))
    for _ in range(60):
        for target in rounds.targets:
            rounds.see(answered(target, samples={"ok": 1.0, "latency_ms": 20.0}))
        rounds.now = Moment(rounds.now.steady_ms + 5000, rounds.now.wall_ms + 5000)
    began = time.process_time()
    for _ in range(5):
        rounds.judge.conclude(rounds.now, Progress())
    assert (time.process_time() - began) / 5 < 0.25
