"""Components judged from what was polled: tables of situations, each with the case in which the rule must not speak."""

from __future__ import annotations

import random

import pytest

from console.model.finding import FIGURE_WIDTH
from console.model.observation import Buckets, ErrorKind, Origin, Outcome
from console.model.states import State
from tests.model.scene import Scene

REFUSED = "connection refused"


def test_all_well_is_all_healthy_and_says_why() -> None:
    for key, assessment in Scene().all_well(3).assess().items():
        judgement = assessment.judgement
        assert judgement.state is (State.UNKNOWN if key == "users" else State.HEALTHY), judgement
        assert judgement.explanation and all(line.endswith(".") for line in judgement.explanation)
        assert 0 < len(judgement.figure) <= FIGURE_WIDTH
        assert not assessment.findings


def test_the_worst_is_explained_first() -> None:
    scene = Scene().all_well().see("postgres.activity", samples={"connections": 57.0})
    first, *rest = scene.component("database").explanation
    assert first == "Every connection that ordinary roles may use is taken."
    assert "The canary query is answered." in rest


def test_what_is_not_configured_says_how_to_configure_it() -> None:
    found = Scene("health", "ping", "host", url="http://127.0.0.1:1", vercel=None, supabase=None, vendors=()).assess()
    for key in ("routes", "database", "vercel", "supabase", "certificate"):
        assert found[key].judgement.state is State.NOT_CONFIGURED
        assert found[key].judgement.explanation
    assert found["users"].judgement.figure == "no log, no metrics"
    assert found["users"].judgement.state is State.UNKNOWN
    assert found["users"].judgement.origin is Origin.NONE


def test_before_the_first_poll_nothing_is_green() -> None:
    for assessment in Scene().assess().values():
        assert assessment.judgement.state is not State.HEALTHY
        assert not assessment.findings


# --- application ------------------------------------------------------------------------------------------------------


def test_one_failed_poll_is_told_and_counts_for_nothing() -> None:
    scene = Scene().all_well().fail("health")
    application = scene.component("application")
    assert application.state is State.HEALTHY
    assert application.error == REFUSED
    assert any("one poll proves nothing" in line for line in application.explanation)


def test_the_second_failure_in_a_row_is_a_fault_and_one_between_good_ones_is_not() -> None:
    assert Scene().all_well().fail("health").later(5).fail("health").component("application").state is State.UNHEALTHY
    flicker = Scene().all_well().fail("health").later(5).see("health").later(5).fail("health")
    assert flicker.component("application").state is State.HEALTHY


def test_two_probes_that_fail_once_each_are_two_failures() -> None:
    scene = Scene().all_well().fail("health").fail("ping")
    assert list(scene.findings("application")) == ["application.down"]
    assert scene.component("application").figure == "refuses to connect"


def test_health_alone_down_is_told_apart_from_the_application_down() -> None:
    scene = Scene().all_well().fail("health", ErrorKind.TIMEOUT, "no answer within 10 s").see("ping")
    assert scene.component("application").state is State.DEGRADED, "ten seconds of silence are evidence at once"
    scene.later(5).fail("health", ErrorKind.TIMEOUT, "no answer within 10 s").see("ping")
    finding = scene.findings("application")["application.health"]
    assert finding.state is State.UNHEALTHY
    assert finding.text == "health check fails: no answer within 10 s, while ping answers"


def test_a_poll_without_an_answer_shows_before_its_time_out() -> None:
    scene = Scene().all_well()
    scene.more["waiting_s"] = {"health": 6.0}
    assert list(scene.findings("application")) == ["application.waiting:health"]
    assert scene.component("application").state is State.DEGRADED


def test_recovery_takes_two_good_polls_and_keeps_its_words_until_then() -> None:
    scene = Scene().all_well().fail("health").fail("ping").later(5).fail("health").fail("ping")
    scene.later(5).see("health").see("ping")
    text = f"does not answer: {REFUSED}; the newest poll is good again"
    assert scene.findings("application")["application.down"].text == text
    scene.later(5).see("health").see("ping")
    assert scene.component("application").state is State.HEALTHY


FAILING_DATABASE = {
    "checks": {"database": {"status": "fail", "message": "connect ECONNREFUSED"}},
    "contradiction": True,
}


def test_healthy_over_a_failing_database_check_is_unhealthy() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("health", State.UNHEALTHY, "database fails", facts=FAILING_DATABASE).later(5)
    finding = scene.findings("application")["application.check:database"]
    assert finding.text == 'database check fails though the answer says "healthy"'
    assert scene.component("application").figure == "database fails"
    assert scene.component("application").state is State.UNHEALTHY


@pytest.mark.parametrize("kind", [ErrorKind.CHALLENGED, ErrorKind.CACHED])
def test_an_answer_in_its_place_says_nothing_of_the_application(kind: ErrorKind) -> None:
    scene = Scene().all_well().other("health", Outcome.BLOCKED, kind, "a cache answered")
    assert scene.component("application").state is State.UNKNOWN
    assert scene.findings("application")["application.unknown:health"].state is State.UNKNOWN


def flapping_hour(seed: int, share: float) -> list[State]:
    """The states of the application over one hour in which the memory check fails at random."""
    chance, scene = random.Random(seed), Scene("health", "ping")
    states = []
    for _ in range(720):
        scene.see("health", samples={"memory_check_failing": float(chance.random() < share)}).see("ping").later(5)
        states.append(scene.component("application").state)
    return states


@pytest.mark.parametrize("seed", range(12))
def test_an_hour_of_a_flapping_memory_check_raises_nothing(seed: int) -> None:
    assert set(flapping_hour(seed, 0.71)) == {State.HEALTHY}


def test_a_memory_check_that_never_passes_is_told_after_sixty_answers() -> None:
    states = flapping_hour(0, 1.1)
    assert states[:59] == [State.HEALTHY] * 59
    assert set(states[59:]) == {State.DEGRADED}


# --- routes -----------------------------------------------------------------------------------------------------------


def test_a_route_that_answers_500_twice_is_down_and_named() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("route:/pricing", State.UNHEALTHY, "500", facts={"http_status": 500}).later(5)
    assert scene.findings("routes")["routes.down"].text == "/pricing: 500"
    assert scene.component("routes").name == "routes 1/2"


def test_all_routes_down_are_one_finding() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.fail("route:/").fail("route:/pricing").later(5)
    assert [finding.text for finding in scene.findings("routes").values()] == [f"all 2 routes: {REFUSED}"]


def poll_routes(scene: Scene, pattern: str, latency_ms: float = 20.0) -> Scene:
    """Polls of both routes, five seconds apart: `x` fails."""
    for sign in pattern:
        for route in ("route:/", "route:/pricing"):
            state = State.UNHEALTHY if sign == "x" else State.HEALTHY
            status = {"http_status": 500 if sign == "x" else 200}
            scene.see(route, state, str(status["http_status"]), facts=status, samples={"latency_ms": latency_ms})
        scene.later(5)
    return scene


@pytest.mark.parametrize(
    ("pattern", "state"),
    [
        ("." * 12, State.HEALTHY),
        ("." * 11 + "x", State.HEALTHY),
        (".........x.x", State.DEGRADED),
        (".........x.x", State.DEGRADED),
        ("." * 20 + "x...........x...........x", State.DEGRADED),
        ("xxxx" + "." * 2, State.HEALTHY),
        ("xxxx" + "." * 8, State.HEALTHY),
        (".x.x.x" + "." * 14, State.HEALTHY),
    ],
)
def test_errors_of_some_requests_are_told_and_an_outage_that_is_over_is_not(pattern: str, state: State) -> None:
    assert poll_routes(Scene("route:/", "route:/pricing"), pattern).component("routes").state is state


def test_errors_carry_their_evidence() -> None:
    finding = poll_routes(Scene("route:/", "route:/pricing"), "..x..x.x..x.").findings("routes")["routes.errors"]
    assert finding.text == "/ 36 % 5xx, 1 other too"
    assert finding.evidence == "4 of 11"


def test_slow_routes_show_with_the_second_slow_probe_and_end_within_a_minute() -> None:
    scene = poll_routes(Scene("route:/", "route:/pricing"), "." * 12)
    poll_routes(scene, ".", 2500)
    assert scene.component("routes").state is State.HEALTHY, "one slow probe is chance"
    poll_routes(scene, ".", 2500)
    assert "routes.slow" in scene.findings("routes")
    poll_routes(scene, "." * 24, 2500)
    assert "routes.slow" in scene.findings("routes")
    poll_routes(scene, "." * 12)
    assert scene.component("routes").state is State.HEALTHY


def test_a_p95_of_few_samples_is_not_judged() -> None:
    assert poll_routes(Scene("route:/", "route:/pricing"), ".." * 2, 400).component("routes").state is State.HEALTHY


def test_two_probes_of_three_times_the_limit_need_no_p95() -> None:
    scene = poll_routes(Scene("route:/", "route:/pricing"), ".." * 2, 900)
    assert scene.findings("routes")["routes.slow"].text == "/ takes 900 ms, 1 other too (limit 200 ms)"
    assert poll_routes(scene, ".." * 18, 900).findings("routes")["routes.slow"].text.startswith("/ p95 900 ms")


# --- users ------------------------------------------------------------------------------------------------------------


def scrape(scene: Scene, requests: float, errors: float, fast: float, slow: float, times: int = 4) -> Scene:
    """Scrapes fifteen seconds apart, growth spread evenly; `fast` under 100 ms, `slow` between 1 and 2 s."""
    buckets = Buckets(bounds=(100.0, 1000.0, 2000.0, float("inf")), counts=(fast, 0.0, slow, 0.0))
    for _ in range(times):
        scene.see("metrics", samples={"requests": requests, "errors": errors, "latency_ms": buckets}).later(15)
    return scene


@pytest.mark.parametrize(
    ("requests", "errors", "fast", "slow", "state"),
    [
        (100, 0, 100, 0, State.HEALTHY),
        (100, 3, 100, 0, State.DEGRADED),
        (100, 8, 100, 0, State.UNHEALTHY),
        (100, 0, 80, 20, State.DEGRADED),
        (4, 4, 0, 4, State.UNKNOWN),
    ],
)
def test_users_are_judged_by_their_own_figures(
    requests: float, errors: float, fast: float, slow: float, state: State
) -> None:
    scene = scrape(Scene("metrics"), requests, errors, fast, slow)
    assert scene.component("users").state is state
    assert scene.component("users").origin is Origin.USERS


def test_users_errors_end_with_the_last_minute() -> None:
    scene = scrape(Scene("metrics"), 100, 50, 100, 0)
    assert scene.component("users").state is State.UNHEALTHY
    assert scrape(scene, 100, 0, 100, 0).component("users").state is State.HEALTHY


def test_memory_of_the_application_is_never_the_bastions() -> None:
    scene = Scene("metrics", "host").see("host", samples={"memory_share": 0.99})
    scrape(scene, 100, 0, 100, 0)
    assert scene.component("users").state is State.HEALTHY
    scene.see("metrics", samples={"memory_bytes": 90.0, "memory_limit_bytes": 100.0})
    assert scene.findings("users")["users.memory"].text == "the application's memory is at 90 % of its limit"
