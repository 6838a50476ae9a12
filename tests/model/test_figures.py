"""Figures beside their states: the same minutes, lower bounds told as such, nothing green where nothing is known."""

from __future__ import annotations

import pytest

from console.model.alert_rules import measure_all
from console.model.alerts import Measure, Says
from console.model.components import judge_components
from console.model.configuration import Prometheus, PrometheusUsers
from console.model.finding import FIGURE_WIDTH
from console.model.observation import Buckets, ErrorKind, Origin
from console.model.states import State
from console.model.target_rows import target_rows
from console.model.views import TargetRow
from console.model.windows import UNANSWERED, Estimate, bucket_quantile, waited
from tests.model.scene import Scene
from tests.model.test_components import poll_routes, scrape

INFINITE = float("inf")


def rows(scene: Scene) -> dict[str, TargetRow]:
    """The service-level targets by name."""
    return {row.name: row for row in target_rows(scene.situation())}


def measures(scene: Scene, rule: str) -> list[Measure]:
    """What one rule measures now."""
    situation = scene.situation()
    found = dict((each.name, list(told)) for each, told in measure_all(situation, judge_components(situation)))
    return found[rule]


def hang(scene: Scene, *targets: str, times: int = 1, waited_ms: float = 10_000.0) -> Scene:
    """Polls that are given up after `waited_ms`, as the collector notes them."""
    for _ in range(times):
        for target in targets:
            scene.fail(target, ErrorKind.TIMEOUT, "no answer within 10 s")
            scene.windows.add(f"{target}|{UNANSWERED}", scene.now, waited_ms)
        scene.later(5)
    return scene


def offline(scene: Scene, *targets: str) -> Scene:
    """Three rounds in which the witness and these targets are not reached."""
    for _ in range(3):
        scene.fail("egress")
        for target in targets:
            scene.fail(target, witness=False)
        scene.later(5)
    return scene


# --- the same minutes -------------------------------------------------------------------------------------------------


def test_users_figures_are_of_the_minutes_that_their_state_is_of() -> None:
    scene = scrape(Scene("metrics"), 100, 30, 50, 50)
    assert scene.component("users").figure == "p95 1,900 ms, 30 %"
    assert (rows(scene)["errors"].state, rows(scene)["p95"].state) == (State.DEGRADED, State.DEGRADED)
    scrape(scene, 100, 0, 100, 0)
    users = scene.component("users")
    assert (users.state, users.figure) == (State.HEALTHY, "p95 95 ms, 0 %")
    errors, p95 = rows(scene)["errors"], rows(scene)["p95"]
    still = "still in the 5 min window"
    assert (errors.value, errors.state, errors.aside) == (0.15, State.DEGRADED, f"last minute 0 %; {still}")
    assert (p95.state, p95.aside) == (State.DEGRADED, f"last minute 95 ms; {still}")


PROMETHEUS = Prometheus(url="https://p.example.com", users=PrometheusUsers(requests="r", errors="e", duration="d"))


def test_users_figures_from_prometheus_name_it_in_health_and_in_the_rules() -> None:
    for prometheus, origin in ((PROMETHEUS, Origin.PROMETHEUS), (None, Origin.USERS)):
        scene = scrape(Scene("metrics", metrics="/api/metrics", prometheus=prometheus), 100, 30, 50, 50)
        users = scene.component("users")
        assert (users.figure, users.origin, users.state) == ("p95 1,900 ms, 30 %", origin, State.UNHEALTHY)
        assert {finding.origin for finding in scene.findings("users").values()} == {origin}
        assert (rows(scene)["p95"].origin, rows(scene)["errors"].origin) == (origin, origin)
        (measure,) = measures(scene, "error-rate")
        assert (measure.origin, measure.says) == (origin, Says.BREACHED)


def test_a_prometheus_that_is_stale_or_partial_makes_the_users_unknown_at_once() -> None:
    for prometheus, state in ((PROMETHEUS, State.UNKNOWN), (None, State.HEALTHY)):
        scene = scrape(Scene("metrics", metrics="/api/metrics", prometheus=prometheus), 100, 0, 100, 0)
        assert scene.component("users").state is State.HEALTHY
        scene.see("metrics", State.UNKNOWN, "errors: the answer is partial")
        users = scene.component("users")
        assert users.state is State.UNKNOWN
        assert rows(scene)["errors"].state is rows(scene)["p95"].state is state
        (measure,) = measures(scene, "error-rate")
        assert measure.says is (Says.UNKNOWN if prometheus else Says.CLEARED)
        if prometheus:
            assert users.figure == "not told"
            assert "metrics are unknown: errors: the answer is partial." in users.explanation


def test_routes_figure_is_of_the_last_minute_once_only_the_minutes_before_were_slow() -> None:
    scene = poll_routes(Scene("route:/", "route:/pricing"), "." * 24, 2500)
    assert scene.component("routes").figure == "p95 2,500 ms"
    poll_routes(scene, "." * 13)
    assert (scene.component("routes").state, scene.component("routes").figure) == (State.HEALTHY, "p95 20 ms")


def test_the_canarys_row_agrees_with_the_database() -> None:
    scene = Scene("postgres.activity", "postgres.canary").all_well()
    for _ in range(10):
        scene.see("postgres.canary", samples={"latency_ms": 400.0}).see("postgres.activity").later(5)
    assert (scene.component("database").state, rows(scene)["db query"].state) == (State.DEGRADED, State.DEGRADED)
    for _ in range(20):
        scene.see("postgres.canary").see("postgres.activity").later(5)
    assert scene.component("database").state is State.HEALTHY
    row = rows(scene)["db query"]
    told = "last 20 at most 3 ms; still in the 5 min window"
    assert (row.state, row.value, row.aside) == (State.DEGRADED, 400.0, told)


# --- lower bounds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((90, 0, 10), Estimate(10_000.0, True)), ((90, 10, 0), Estimate(5050.0)), ((0, 0, 0), None)],
)
def test_what_lies_beyond_the_last_bound_is_only_known_to_be_greater(
    counts: tuple[float, ...], expected: Estimate | None
) -> None:
    assert bucket_quantile([Buckets((100.0, 10_000.0, INFINITE), counts)], 0.95) == expected


def test_a_p95_beyond_the_last_bound_is_shown_as_a_lower_bound() -> None:
    scene, buckets = Scene("metrics"), Buckets((100.0, 10_000.0, INFINITE), (50.0, 0.0, 50.0))
    for _ in range(4):
        scene.see("metrics", samples={"requests": 100.0, "errors": 23.0, "latency_ms": buckets}).later(15)
    figure = scene.component("users").figure
    assert figure == "≥ 10,000 ms, 23 %"
    assert len(figure) <= FIGURE_WIDTH
    assert (rows(scene)["p95"].value, rows(scene)["p95"].at_least) == (10_000.0, True)
    assert scene.findings("users")["users.slow"].text == "p95 ≥ 10,000 ms (target 200 ms)"
    assert not rows(scrape(Scene("metrics"), 100, 0, 50, 50))["p95"].at_least


def test_a_quantile_is_a_lower_bound_only_from_the_shortest_time_out_on() -> None:
    assert waited([20.0] * 95, [10_000.0], 0.95) == Estimate(20.0)
    assert waited([20.0] * 10, [10_000.0] * 10, 0.95) == Estimate(10_000.0, True)
    assert waited([], [], 0.95) is None


def test_probes_that_time_out_are_slow_probes() -> None:
    scene = poll_routes(Scene("route:/", "route:/pricing", "egress"), "." * 12)
    assert measures(scene, "probe-response-time")[0].says is Says.UNKNOWN, "twelve polls of a route are few"
    hang(scene, "route:/", times=12)
    measure = measures(scene, "probe-response-time")[0]
    assert (measure.says, measure.text) == (Says.BREACHED, "/ takes longer than 2,000 ms on average")
    assert measure.value == pytest.approx(5010.0)
    assert scene.component("routes").figure == "p95 ≥ 10,000 ms"
    assert rows(scene)["p95"].aside == "probe: ≥ 10,000 ms"


# --- nothing green where nothing is known -----------------------------------------------------------------------------


def test_security_is_what_vercel_tells_and_unknown_without_it() -> None:
    scene = Scene().all_well()
    assert measures(scene, "security")[0].says is Says.CLEARED
    scene.see("vercel", State.DEGRADED, "attack challenge mode is on", facts={"attack_mode": True})
    assert measures(scene, "security")[0].says is Says.BREACHED
    assert measures(Scene("health").all_well(), "security")[0].says is Says.UNKNOWN
    unread = Scene().all_well()
    for _ in range(2):
        unread.fail("vercel")
    assert measures(unread, "security")[0].says is Says.UNKNOWN
    conditions = {each.name: each.condition for each, _ in measure_all(Scene("health").situation(), ())}
    assert conditions["security"] == "not watched yet: no Vercel token"


def test_connections_are_not_well_while_the_database_does_not_answer() -> None:
    scene = Scene().all_well()
    assert measures(scene, "connections")[0].says is Says.CLEARED
    scene.fail("postgres.activity")
    assert measures(scene, "connections")[0].says is Says.UNKNOWN
    scene.fail("postgres.activity", ErrorKind.LIMIT, "sorry, too many clients already")
    assert measures(scene, "connections")[0].says is Says.BREACHED


# --- words ------------------------------------------------------------------------------------------------------------


def test_what_an_alert_says_holds_no_figure_that_will_be_out_of_date() -> None:
    scene = poll_routes(Scene("route:/", "route:/pricing"), "." * 12 + ".x.x.x.x.x.x")
    before = measures(scene, "probe-error-rate")[0]
    poll_routes(scene, "xx")
    after = measures(scene, "probe-error-rate")[0]
    assert (before.says, after.says) == (Says.BREACHED, Says.BREACHED)
    assert before.value != after.value
    assert before.text == after.text == "more than 5 % of the probes fail"


def test_no_requests_are_no_few_requests() -> None:
    assert scrape(Scene("metrics"), 0, 0, 0, 0).component("users").figure == "no requests yet"
    assert scrape(Scene("metrics"), 4, 0, 4, 0, times=1).component("users").figure == "4 requests, few"


@pytest.mark.parametrize(
    ("status", "words", "text"),
    [
        ("ACTIVE_HEALTHY", "project active_healthy; services: auth unhealthy", "services: auth unhealthy"),
        ("COMING_UP", "project coming_up", "project coming_up"),
        ("INACTIVE", "project inactive", "project inactive"),
        ("ACTIVE_HEALTHY", "answers 500", "services: answers 500"),
    ],
)
def test_supabase_is_named_once(status: str, words: str, text: str) -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("supabase.project", State.UNHEALTHY, words, facts={"status": status}).later(5)
    assert [finding.text for finding in scene.findings("supabase").values()] == [text]


def test_a_database_in_good_state_says_what_is_good() -> None:
    explanation = Scene().all_well().component("database").explanation
    assert "Activity is read." not in explanation
    assert "No lock is waited for longer than 10 s." in explanation
    assert "Connections are within their limits: at most 80 % are used." in explanation


# --- offline ----------------------------------------------------------------------------------------------------------

OUTSIDE = (
    "health", "ping", "route:/", "route:/pricing", "metrics", "postgres.activity", "postgres.canary",
    "postgres.catalogue", "vercel", "supabase.gateway", "supabase.auth", "supabase.pooler", "supabase.project",
    "vendor:Vercel", "vendor:Supabase", "certificate:app.example.com:443",
)  # fmt: skip


def test_a_slow_query_before_the_bastion_went_offline_is_no_finding_of_now() -> None:
    scene = Scene().all_well(4)
    for _ in range(2):
        scene.see("postgres.canary", samples={"latency_ms": 400.0}).later(5)
    assert list(scene.findings("database")) == ["database.slow"]
    assert not offline(scene, *OUTSIDE).findings("database")


@pytest.mark.parametrize("seen_before", [True, False])
def test_an_offline_bastion_contradicts_itself_nowhere(seen_before: bool) -> None:
    scene = Scene()
    if seen_before:
        scene.all_well(14)
        poll_routes(scene, "." * 20, 2500)
        scene.all_well(2)
    offline(scene, *OUTSIDE)
    found = scene.assess()
    for key in ("application", "routes", "users", "database", "vercel", "supabase", "certificate"):
        assert found[key].judgement.state is State.UNKNOWN, key
    figures = {key: each.judgement.figure for key, each in found.items()}
    for key in ("application", "routes", "users", "database", "supabase"):
        assert figures[key] == "not reached", key
    assert figures["vercel"] == ("live 8f3c1d2" if seen_before else "not reached")
    assert figures["certificate"] == ("61 of 90 days left" if seen_before else "not reached")
    verdict = scene.verdict()
    assert (verdict.state, verdict.whose) == (State.UNKNOWN, "bastion")
    assert [reason.key for reason in verdict.reasons] == ["bastion.offline"]
    assert {measure.says for measure in measures(scene, "certificate")} == {Says.HELD}
