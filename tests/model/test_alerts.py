"""Alerts: their life as a state machine under any input, and the rules on situations with counter-situations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.model import alerts
from console.model.alert_rules import CONNECTION_FAILURES, measure_all
from console.model.alerts import AlertRule, Measure, Says, Standing
from console.model.components import judge_components
from console.model.configuration import Rule
from console.model.judgement import AlertChange, RuleReading
from console.model.moment import Moment
from console.model.observation import ErrorKind, Event, Origin
from console.model.states import State
from tests.model.scene import START, Scene
from tests.model.test_components import poll_routes, scrape
from tests.model.test_components_around import blocking

RULE = AlertRule(name="error-rate", severity="high", condition="> 5 %", for_s=30, resolve_s=60, unit="share")
ROUND_S = 5


class Machine:
    """The machine fed with one word a round: b breached, c cleared, - between, ? unknown, h held, . no measure."""

    WORDS: ClassVar = {"b": Says.BREACHED, "c": Says.CLEARED, "-": Says.BETWEEN, "?": Says.UNKNOWN, "h": Says.HELD}

    def __init__(self, rule: AlertRule = RULE, standings: dict[alerts.Key, Standing] | None = None) -> None:
        self.rule, self.now = rule, START
        self.standings = standings or {}
        self.changes: list[AlertChange] = []
        self.readings: list[str] = []

    def feed(self, words: str, step_s: float = ROUND_S) -> Machine:
        """One round for each letter."""
        for word in words:
            says = self.WORDS.get(word)
            measures = [Measure(subject="users", says=says, value=0.1, limit=0.05)] if says else []
            measured = [(self.rule, measures)]
            self.standings, changes = alerts.step(self.standings, measured, self.now)
            self.changes += changes
            self.readings.append(alerts.readings(self.standings, measured)[0].state)
            self.now = Moment(self.now.steady_ms + int(step_s * 1000), self.now.wall_ms + int(step_s * 1000))
        return self

    @property
    def life(self) -> list[tuple[int, int | None]]:
        """(begin, end) of each change, in seconds since the start."""
        return [
            (self._s(change.began_ms), None if change.ended_ms is None else self._s(change.ended_ms))
            for change in self.changes
        ]

    @staticmethod
    def _s(at_ms: int) -> int:
        return (at_ms - START.wall_ms) // 1000


@pytest.mark.parametrize(
    ("words", "life"),
    [
        ("b" * 6, []),
        ("b" * 7, [(30, None)]),
        ("b" * 5 + "c" + "b" * 6, []),
        ("b" * 5 + "-" + "b" * 6, []),
        ("bbb" + "?" * 100 + "bbb", []),
        ("b" * 4 + "?" * 4 + "b" * 5, [(55, None)]),
        ("b" * 7 + "c" * 12, [(30, None)]),
        ("b" * 7 + "c" * 13, [(30, None), (30, 95)]),
        ("b" * 7 + "c" * 12 + "-" + "c" * 12, [(30, None)]),
        ("b" * 7 + "?" * 500, [(30, None)]),
        ("b" * 7 + "h" * 500, [(30, None)]),
        ("b" * 7 + "c" * 6 + "h" * 50 + "c" * 8, [(30, None), (30, 350)]),
        ("b" * 7 + "." * 14, [(30, None), (30, 95)]),
        ("h" * 100, []),
    ],
)
def test_pending_firing_resolved(words: str, life: list[tuple[int, int | None]]) -> None:
    assert Machine().feed(words).life == life


def test_the_same_does_not_fire_again_within_five_minutes() -> None:
    machine = Machine().feed("b" * 7 + "c" * 13)
    machine.feed("b" * 59)
    assert len(machine.changes) == 2
    machine.feed("b" * 2)
    assert machine.life[2] == (395, None)


def test_a_stopped_collector_proves_nothing_for_the_time_it_stood_still() -> None:
    machine = Machine(replace(RULE, for_s=120)).feed("b")
    machine.now = Moment(machine.now.steady_ms + 3_600_000, machine.now.wall_ms + 3_600_000)
    machine.feed("b")
    assert not machine.changes


def test_a_jump_of_the_wall_clock_neither_fires_nor_loses_an_end() -> None:
    machine = Machine().feed("b" * 2)
    machine.now = Moment(machine.now.steady_ms, machine.now.wall_ms + 86_400_000)
    machine.feed("b" * 4)
    assert not machine.changes
    machine.feed("b" * 1)
    assert len(machine.changes) == 1
    machine.now = Moment(machine.now.steady_ms, machine.now.wall_ms - 2 * 86_400_000)
    machine.feed("c" * 13)
    begun, ended = machine.changes
    assert ended.ended_ms is not None and ended.ended_ms >= begun.began_ms
    assert ended.began_ms == begun.began_ms


def test_an_alert_open_in_the_store_goes_on_after_a_restart() -> None:
    before = Machine().feed("b" * 7).changes
    machine = Machine(standings=alerts.reopened(before))
    machine.feed("b" * 100)
    assert not machine.changes and set(machine.readings) == {"firing"}
    machine.feed("c" * 13)
    assert [change.began_ms for change in machine.changes] == [before[0].began_ms]


def test_readings_say_how_each_rule_stands() -> None:
    machine = Machine().feed("c?bh" + "b" * 8 + "h?")
    assert machine.readings == ["ok", "unknown", "pending", "held", *["pending"] * 6, *["firing"] * 2, "held", "firing"]


WORDS = st.text(alphabet="bc-?h.", min_size=1, max_size=400)


@settings(max_examples=300, deadline=None)
@given(words=WORDS, for_s=st.sampled_from([0.0, 5.0, 30.0, 60.0]), step_s=st.sampled_from([1.0, 5.0, 7.0, 45.0]))
def test_whatever_is_measured_each_alert_has_one_begin_and_at_most_one_end(
    words: str, for_s: float, step_s: float
) -> None:
    machine = Machine(replace(RULE, for_s=for_s)).feed(words, step_s)
    is_open = False
    ended_s: int | None = None
    for begin, end in machine.life:
        if end is None:
            assert not is_open, "two open alerts of one subject"
            assert ended_s is None or begin - ended_s >= alerts.NOT_AGAIN_S
        else:
            assert is_open and begin <= end
            ended_s = end
        is_open = end is None
    firing = [standing for standing in machine.standings.values() if standing.firing]
    assert bool(firing) is is_open, "every firing has an end or is open"


@settings(max_examples=200, deadline=None)
@given(words=WORDS, for_s=st.sampled_from([5.0, 30.0, 60.0]))
def test_an_alert_fires_only_after_being_breached_for_as_long_as_the_rule_says(words: str, for_s: float) -> None:
    machine = Machine(replace(RULE, for_s=for_s)).feed(words)
    for change in machine.changes:
        if change.ended_ms is None:
            position = (change.began_ms - START.wall_ms) // (ROUND_S * 1000)
            known = words[: position + 1].replace("?", "").replace("h", "")
            breached = len(known) - len(known.rstrip("b"))
            assert breached > 0 and words[position] == "b"
            assert (breached - 1) * ROUND_S >= for_s


@settings(max_examples=200, deadline=None)
@given(words=st.text(alphabet="?h", min_size=1, max_size=200), firing=st.booleans())
def test_unknown_neither_fires_nor_resolves(words: str, firing: bool) -> None:
    machine = Machine().feed("b" * 7 if firing else "b" * 6)
    before = len(machine.changes)
    assert len(machine.feed(words).changes) == before


# --- the rules --------------------------------------------------------------------------------------------------------


def measures(scene: Scene, rule: str) -> list[Measure]:
    """What one rule measures in the scene."""
    situation = scene.situation()
    found = {each.name: list(found) for each, found in measure_all(situation, judge_components(situation))}
    return found[rule]


def says(scene: Scene, rule: str) -> Says:
    """What the only measure of a rule says."""
    return measures(scene, rule)[0].says


def connected(failures: Sequence[float]) -> Scene:
    """A database with so many failures to connect in each of the last rounds."""
    scene = Scene().all_well()
    for failed in failures:
        scene.windows.add(CONNECTION_FAILURES, scene.later(5).now, failed)
    return scene


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        (100, 6, Says.BREACHED),
        (100, 5, Says.BETWEEN),
        (100, 4, Says.CLEARED),
        (4, 4, Says.UNKNOWN),
        (0, 0, Says.UNKNOWN),
    ],
)
def test_error_rate_needs_twenty_requests(requests: float, errors: float, expected: Says) -> None:
    assert says(scrape(Scene("metrics"), requests, errors, 100, 0, times=1), "error-rate") is expected
    assert says(Scene("health"), "error-rate") is Says.UNKNOWN, "no metrics are not zero errors"


@settings(max_examples=60, deadline=None)
@given(requests=st.lists(st.integers(0, 6), min_size=1, max_size=12))
def test_error_rate_never_fires_on_fewer_samples_than_the_minimum(requests: list[int]) -> None:
    scene = Scene("metrics")
    for number in requests:
        scene.see("metrics", samples={"requests": float(number), "errors": float(number)}).later(15)
        enough = sum(requests[: requests.index(number) + 1]) >= 20
        assert says(scene, "error-rate") is not Says.BREACHED or enough or sum(requests) >= 20


def test_response_time_is_the_users_mean() -> None:
    for requests, expected in ((100.0, Says.BREACHED), (5.0, Says.UNKNOWN)):
        scene = Scene("metrics").see("metrics", samples={"requests": requests, "mean_ms": 2500.0})
        assert says(scene, "response-time") is expected
    assert says(scrape(Scene("metrics"), 100, 0, 0, 100), "response-time") is Says.CLEARED, "1.5 s by its buckets"


def test_memory_is_the_applications_and_critical() -> None:
    scene = Scene("metrics", "host").see("host", samples={"memory_share": 0.99})
    scene.see("metrics", samples={"requests": 100.0})
    assert says(scene, "memory") is Says.UNKNOWN
    scene.see("metrics", samples={"memory_bytes": 81.0, "memory_limit_bytes": 100.0})
    assert says(scene, "memory") is Says.BREACHED
    assert reading(scene, "memory").severity == "critical"


def reading(scene: Scene, rule: str) -> RuleReading:
    """How a rule reads in the scene."""
    situation = scene.situation()
    found = alerts.readings({}, measure_all(situation, judge_components(situation)))
    return next(each for each in found if each.name == rule)


def test_a_failed_connection_to_the_database_is_one_too_many_for_five_minutes() -> None:
    assert says(connected([0.0, 0.0]), "database-connection") is Says.CLEARED
    assert says(connected([0.0, 1.0, 0.0]), "database-connection") is Says.BREACHED
    assert says(connected([1.0]).later(299), "database-connection") is Says.BREACHED
    assert says(connected([1.0, *[0.0] * 61]), "database-connection") is Says.CLEARED
    assert says(Scene("health"), "database-connection") is Says.UNKNOWN


@pytest.mark.parametrize("rule", ["application-down", "database-connection", "probe-error-rate", "route-down"])
def test_alerts_are_held_while_the_bastion_is_offline(rule: str) -> None:
    scene = connected([1.0]).fail("egress")
    for _ in range(3):
        for target in ("health", "ping", "route:/", "route:/pricing", "postgres.activity", "postgres.canary"):
            scene.fail(target, witness=False)
        scene.later(5)
    assert {measure.says for measure in measures(scene, rule)} == {Says.HELD}
    assert says(scene, "egress") is Says.BREACHED
    assert reading(scene, rule).state == "held"


def test_all_routes_down_are_one_alert() -> None:
    routes = ("route:/", "route:/a", "route:/b")
    scene = Scene(*routes)
    for _ in range(2):
        for route in routes:
            scene.fail(route, ErrorKind.CONNECT).later(1)
    breached = [measure.subject for measure in measures(scene, "route-down") if measure.says is Says.BREACHED]
    assert breached == ["all routes"]
    for _ in range(2):
        scene.see("route:/b")
    breached = [measure.subject for measure in measures(scene, "route-down") if measure.says is Says.BREACHED]
    assert breached == ["/", "/a"]


def test_probe_errors_are_the_probes() -> None:
    scene = poll_routes(Scene("route:/", "route:/pricing"), ".x.x.x.x.x.x")
    measure = measures(scene, "probe-error-rate")[0]
    assert (measure.says, measure.origin) == (Says.BREACHED, Origin.PROBE)
    assert says(poll_routes(Scene("route:/", "route:/pricing"), "xx"), "probe-error-rate") is Says.UNKNOWN


@pytest.mark.parametrize(("waits_s", "expected"), [(70, Says.BREACHED), (55, Says.BETWEEN), (20, Says.CLEARED)])
def test_blocking(waits_s: float, expected: Says) -> None:
    scene = Scene().all_well()
    scene.see("postgres.activity", volatile={"blocking": [blocking(waits_s, ddl=False)]})
    assert says(scene, "blocking") is expected


@pytest.mark.parametrize(("used", "expected"), [(53, Says.BREACHED), (48, Says.BETWEEN), (30, Says.CLEARED)])
def test_connections(used: float, expected: Says) -> None:
    scene = Scene().all_well().see("postgres.activity", samples={"connections": used})
    assert says(scene, "connections") is expected


def test_the_alert_on_connections_names_who_holds_most_where_that_is_known() -> None:
    holders = [{"user": "worker", "application": "import", "sessions": 52}]
    scene = Scene().all_well().see("postgres.activity", samples={"connections": 57.0}, volatile={"holders": holders})
    assert measures(scene, "connections")[0].text == "57 of 60 connections; 52 by worker/import"
    for _ in range(2):
        scene.later(5).fail("postgres.activity", ErrorKind.LIMIT, "its connection limit is reached")
    assert measures(scene, "connections")[0].text == (
        "connections exhausted: the database refuses more; 52 by worker/import 10 s ago"
    )
    scene = Scene().all_well().see("postgres.activity", samples={"connections": 57.0})
    assert measures(scene, "connections")[0].text == "57 of 60 connections"


@pytest.mark.parametrize(
    ("left", "life", "verified", "expected"),
    [
        (61.0, 90.0, True, Says.CLEARED),
        (12.0, 90.0, True, Says.BREACHED),
        (6.5, 47.0, True, Says.BREACHED),
        (5.0, 6.0, True, Says.CLEARED),
        (61.0, 90.0, False, Says.BREACHED),
    ],
)
def test_certificates(left: float, life: float, verified: bool, expected: Says) -> None:
    scene = Scene().all_well()
    samples = {"days_left": left, "lifetime_days": life}
    scene.see("certificate:app.example.com:443", facts={"verified": verified}, samples=samples)
    assert says(scene, "certificate") is expected


def test_security_incidents_fire_and_are_over_a_quarter_of_an_hour_after_the_last() -> None:
    scene = Scene().all_well()
    assert says(scene, "security") is Says.CLEARED
    scene.events.append(Event(at_ms=scene.now.wall_ms, kind="security", subject="/debug-env", text="page is public"))
    assert measures(scene, "security")[0].subject == "/debug-env"
    assert says(scene, "security") is Says.BREACHED
    assert says(scene.later(901), "security") is Says.CLEARED


def test_late_sources() -> None:
    scene = Scene().all_well()
    assert says(scene, "collector-late") is Says.CLEARED
    scene.more["late"] = ("health",)
    assert says(scene, "collector-late") is Says.BREACHED


def test_supabase_parts_apart() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("supabase.gateway", State.UNHEALTHY, "answers 502")
    found = {measure.subject: measure.says for measure in measures(scene, "supabase")}
    assert found["gateway"] is Says.BREACHED
    assert {found[part] for part in ("auth", "pooler", "project")} == {Says.CLEARED}


CUSTOM = Rule(name="queue", series="metrics|business.queue", above=100.0, minimum_samples=3, statistic="mean")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([150, 150], Says.UNKNOWN),
        ([150, 150, 150], Says.BREACHED),
        ([95, 95, 95], Says.BETWEEN),
        ([10, 10, 10], Says.CLEARED),
    ],
)
def test_custom_rules(values: list[float], expected: Says) -> None:
    scene = Scene("metrics", rules=(CUSTOM,))
    for value in values:
        scene.see("metrics", samples={"business.queue": float(value)}).later(15)
    assert says(scene, "queue") is expected


def test_custom_rules_below_and_by_pattern() -> None:
    rule = Rule(name="slow", series="route:*|latency_ms", below=1000.0, minimum_samples=1, statistic="last")
    scene = Scene("route:/", "route:/a", rules=(rule,)).see("route:/").see("route:/a", samples={"latency_ms": 2000.0})
    found = {measure.subject: measure.says for measure in measures(scene, "slow")}
    assert found == {"route:/|latency_ms": Says.BREACHED, "route:/a|latency_ms": Says.CLEARED}
    assert reading(scene, "slow").condition == "last of route:*|latency_ms < 1000 over 300 s"
    assert measures(Scene("health", rules=(rule,)), "slow")[0].says is Says.UNKNOWN


def test_every_rule_reads_each_round() -> None:
    names = [each.name for each, _ in measure_all(Scene().situation(), ())]
    assert len(names) == len(set(names)) == 19
    for name in names:
        assert reading(Scene(), name).condition
