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
    assert scene.component("application").figure == "database check fail"
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
    assert poll_routes(Scene("route:/", "route:/pricing"), ".." * 2, 900).component("routes").state is State.HEALTHY


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


# --- database ---------------------------------------------------------------------------------------------------------


def used(connections: float, **volatile: object) -> Scene:
    """A database with so many connections used, of 60 with 3 reserved."""
    scene = Scene().all_well()
    return scene.see("postgres.activity", samples={"connections": connections}, volatile=volatile)


@pytest.mark.parametrize(
    ("connections", "state", "key"),
    [
        (45, State.HEALTHY, None),
        (54, State.DEGRADED, "database.connections"),
        (57, State.UNHEALTHY, "database.exhausted"),
    ],
)
def test_connections_against_their_limit(connections: float, state: State, key: str | None) -> None:
    scene = used(connections)
    assert scene.component("database").state is state
    assert scene.component("database").figure == f"{connections:.0f}/60 connections"
    assert list(scene.findings("database")) == ([key] if key else [])


def test_a_limit_is_left_a_tenth_lower_than_it_was_met() -> None:
    scene = used(50)
    assert scene.component("database").state is State.DEGRADED
    scene.see("postgres.activity", samples={"connections": 44.0})
    assert scene.component("database").state is State.DEGRADED
    scene.see("postgres.activity", samples={"connections": 40.0})
    assert scene.component("database").state is State.HEALTHY


def blocking(waits_s: float, *, ddl: bool) -> dict[str, object]:
    """A queue behind one session."""
    waiter = {"pid": 7, "query": "ALTER TABLE reviews ADD COLUMN a int", "waits_s": waits_s, "ddl": ddl}
    return {
        "root_pid": 4711, "root_user": "app", "root_application": "importer", "root_state": "idle in transaction",
        "root_age_s": 95.0, "queued": 12, "waiters": [waiter],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("waits_s", "ddl", "told"), [(1.0, True, False), (3.0, True, True), (3.0, False, False), (12.0, False, True)]
)
def test_blocked_schema_changes_are_told_at_once_other_waits_after_ten_seconds(
    waits_s: float, ddl: bool, told: bool
) -> None:
    scene = used(12, blocking=[blocking(waits_s, ddl=ddl)])
    assert ("database.blocking:4711" in scene.findings("database")) is told


def test_a_blocker_is_named_with_what_waits_behind_it() -> None:
    scene = used(12, blocking=[blocking(40, ddl=True)])
    text = scene.findings("database")["database.blocking:4711"].text
    assert text == (
        "pid 4711 app/importer, idle in transaction 1 m, blocks ALTER TABLE reviews ADD COLUMN a int, "
        "12 sessions queued 40 s"
    )
    assert scene.component("database").figure == "12/60, 1 blocker"


def test_an_idle_transaction_is_told_unless_it_is_the_blocker_named_already() -> None:
    idle = {"pid": 4711, "user": "app", "application": "importer", "state_s": 90.0}
    assert "database.idle" in used(12, idle_in_transaction=[idle]).findings("database")
    both = used(12, idle_in_transaction=[idle], blocking=[blocking(40, ddl=True)])
    assert list(both.findings("database")) == ["database.blocking:4711"]
    assert not used(12, idle_in_transaction=[idle | {"state_s": 30.0}]).findings("database")


@pytest.mark.parametrize(
    ("kind", "key", "figure"),
    [
        (ErrorKind.CONNECT, "database.down", "refuses to connect"),
        (ErrorKind.TIMEOUT, "database.hangs", "no answer in time"),
        (ErrorKind.LIMIT, "database.exhausted", "no connection free"),
    ],
)
def test_a_database_that_is_not_reached_is_one_finding(kind: ErrorKind, key: str, figure: str) -> None:
    scene = Scene().all_well()
    for target in ("postgres.activity", "postgres.canary", "postgres.catalogue"):
        scene.fail(target, kind)
    assert list(scene.findings("database")) == [key]
    assert scene.component("database").figure == figure


def test_a_slow_canary_is_told_after_two() -> None:
    scene = Scene().all_well(4)
    scene.see("postgres.canary", samples={"latency_ms": 400.0})
    assert scene.component("database").state is State.HEALTHY
    scene.see("postgres.canary", samples={"latency_ms": 400.0})
    assert "database.slow" in scene.findings("database")


def test_a_role_without_rights_makes_connections_unknown_and_not_the_whole() -> None:
    scene = Scene().all_well()
    scene.see("postgres.activity", State.UNKNOWN, "lacks pg_monitor", facts={"pg_monitor": False})
    assert scene.component("database").state is State.UNKNOWN
    assert scene.verdict().state is State.HEALTHY


# --- supabase, vercel, certificate, bastion ---------------------------------------------------------------------------


def test_the_gateway_down_while_direct_sql_works_is_named_so() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("supabase.gateway", State.UNHEALTHY, "answers 502").see("postgres.canary").later(5)
    assert scene.findings("supabase")["supabase.gateway"].text == "gateway: answers 502 while direct SQL works"
    for _ in range(2):
        scene.fail("postgres.canary").see("supabase.gateway", State.UNHEALTHY, "answers 502").later(5)
    assert scene.findings("supabase")["supabase.gateway"].text == "gateway: answers 502, direct SQL fails too"


def test_a_status_page_that_is_not_read_is_no_finding_about_its_vendor() -> None:
    scene = Scene().all_well()
    for _ in range(3):
        scene.fail("vendor:Supabase").fail("vercel").later(5)
    assert not scene.findings("supabase")
    assert scene.findings("vercel")["vercel.unknown:vercel"].state is State.UNKNOWN


INCIDENT = {"indicator": "major", "incidents": [{"id": "i", "name": "Elevated errors", "impact": "major"}]}


def test_a_vendors_incident_is_told_in_its_component() -> None:
    scene = Scene().all_well().see("vendor:Supabase", State.UNHEALTHY, "Elevated errors", facts=INCIDENT)
    assert scene.findings("supabase")["supabase.vendor:Supabase"].text == 'Supabase reports "Elevated errors" (major)'
    assert scene.component("vercel").state is State.HEALTHY


CERTIFICATE = "certificate:app.example.com:443"


@pytest.mark.parametrize(
    ("state", "words", "left", "verified", "expected"),
    [
        (State.HEALTHY, "trusted", 61.0, True, State.HEALTHY),
        (State.DEGRADED, "due for renewal", 20.0, True, State.DEGRADED),
        (State.UNHEALTHY, "about to end", 2.0, True, State.DEGRADED),
        (State.UNHEALTHY, "expired", -1.0, True, State.UNHEALTHY),
        (State.UNHEALTHY, "not trusted: self-signed", 61.0, False, State.UNHEALTHY),
    ],
)
def test_a_certificate_is_unhealthy_when_browsers_refuse_it(
    state: State, words: str, left: float, verified: bool, expected: State
) -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see(CERTIFICATE, state, words, facts={"verified": verified}, samples={"days_left": left})
    assert scene.component("certificate").state is expected


def test_a_certificate_keeps_its_dates_while_the_server_is_not_reached() -> None:
    scene = Scene().all_well().fail(CERTIFICATE).fail(CERTIFICATE)
    certificate = scene.component("certificate")
    assert (certificate.state, certificate.figure) == (State.HEALTHY, "61 of 90 days left")
    assert certificate.error == REFUSED


def test_an_offline_bastion_makes_what_it_cannot_reach_unknown_and_judges_answers_as_they_are() -> None:
    scene = Scene().all_well().fail("egress")
    for _ in range(3):
        for target in ("health", "ping", "route:/", "postgres.activity", "postgres.canary"):
            scene.fail(target, witness=False)
        scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
    found = scene.assess()
    assert found["bastion"].judgement.state is State.UNHEALTHY
    assert found["application"].judgement.state is State.UNKNOWN
    assert found["database"].judgement.state is State.UNKNOWN
    assert [finding.text for finding in found["routes"].findings] == ["/pricing: 500"]
    assert not found["application"].findings, "one reason is enough: the bastion's"


def test_a_failure_to_reach_waits_for_the_witness_that_was_asked_before_it() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.later(5).fail("health", witness=False).fail("ping", witness=False)
    assert scene.component("application").state is State.UNKNOWN
    assert scene.see("egress").component("application").state is State.UNHEALTHY


def test_a_witness_that_is_never_asked_is_not_waited_for_long() -> None:
    scene = Scene().all_well().later(1)
    for _ in range(5):
        scene.fail("health", witness=False).fail("ping", witness=False).later(5)
    assert scene.component("application").state is State.UNHEALTHY


def test_without_a_witness_a_failure_is_a_failure() -> None:
    scene = Scene("health", "ping").all_well().fail("health").fail("ping")
    assert scene.component("application").state is State.UNHEALTHY


def test_a_defect_of_ours_is_no_fault_of_the_target() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.other("health", Outcome.FAILED, ErrorKind.INTERNAL, "defect in the source: ValueError").later(5)
    assert scene.component("application").state is State.UNKNOWN
    assert scene.component("application").error == "defect in the source: ValueError"


def test_a_held_poll_keeps_what_was_known() -> None:
    scene = Scene().all_well()
    for _ in range(3):
        scene.fail("health", ErrorKind.TIMEOUT, "no answer within 10 s").later(10)
    scene.other("health", Outcome.HELD, ErrorKind.CIRCUIT)
    assert scene.component("application").state is State.UNHEALTHY
    assert "no answer within 10 s" in scene.findings("application")["application.health"].text


def test_equal_judgements_are_equal_whatever_the_numbers() -> None:
    """Explanations hold no changing numbers: else each round would begin a new span."""
    scene = poll_routes(Scene("route:/", "route:/pricing", "postgres.activity", "postgres.canary"), "." * 12)
    scene.see("postgres.activity", samples={"connections": 52.0}).see("postgres.canary")
    before = scene.assess()
    poll_routes(scene, "..", 35.0).see("postgres.activity", samples={"connections": 54.0})
    scene.see("postgres.canary", samples={"latency_ms": 9.0})
    after = scene.assess()
    for key, assessment in before.items():
        assert assessment.judgement.explanation == after[key].judgement.explanation
    assert before["database"].judgement.figure != after["database"].judgement.figure
