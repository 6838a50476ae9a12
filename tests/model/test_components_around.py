"""The database and what stands around the application, judged: each rule with the case in which it must not speak."""

from __future__ import annotations

import pytest

from console.model.observation import ErrorKind, Outcome
from console.model.states import State
from tests.model.scene import Scene
from tests.model.test_components import poll_routes

REFUSED = "connection refused"


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


def holder(sessions: int, user: str | None = "worker", application: str | None = "import") -> dict[str, object]:
    return {"user": user, "application": application, "sessions": sessions}


@pytest.mark.parametrize(
    ("connections", "holders", "text"),
    [
        (57, [holder(41), holder(9, "app", "web")], "; 41 by worker/import"),
        (57, [holder(41, application="")], "; 41 by worker"),
        (57, [holder(41, None, None)], "; 41 by unknown role"),
        (57, [holder(41, "w" * 63, "i" * 63)], "; 41 by " + "w" * 39 + "…"),
        (57, [], ""),
        (57, None, ""),
    ],
)
def test_exhausted_connections_are_told_with_who_holds_most(connections: float, holders: object, text: str) -> None:
    scene = used(connections, holders=holders)
    found = scene.findings("database")["database.exhausted"]
    assert found.text == f"connections exhausted: 57 of 60 connections, 3 reserved{text}"
    assert len(f"database {found.text}") < 2 * 80 - 20, "two lines, with glyph, age and origin"


def test_connections_near_their_limit_are_told_with_who_holds_most_and_many_connections_are_not() -> None:
    assert used(54, holders=[holder(41)]).findings("database")["database.connections"].text == (
        "54 of 60 connections; 41 by worker/import"
    )
    assert not used(45, holders=[holder(41)]).findings("database")


def refused(scene: Scene, *targets: str) -> str:
    """The reason when polls of these are refused for want of a connection, twice, five seconds apart."""
    for _ in range(2):
        for target in targets:
            scene.fail(target, ErrorKind.LIMIT, "its connection limit is reached")
        scene.later(5)
    return scene.findings("database")["database.exhausted"].text


POLLS = ("postgres.activity", "postgres.canary", "postgres.catalogue")


@pytest.mark.parametrize("targets", [POLLS, POLLS[:1]])
def test_who_held_the_connections_before_polls_were_refused_is_told_with_its_age(targets: tuple[str, ...]) -> None:
    text = refused(used(55, holders=[holder(41)]), *targets)
    assert text == "connections exhausted: its connection limit is reached; 41 by worker/import 10 s ago"


def test_who_held_a_few_connections_before_the_rush_is_not_told_as_its_cause() -> None:
    assert "worker" not in refused(used(20, holders=[holder(12)]), *POLLS)


def test_who_held_the_connections_long_ago_is_not_told() -> None:
    scene = used(55, holders=[holder(41)]).later(280)
    assert refused(scene, *POLLS).endswith("; 41 by worker/import 4 m ago")
    assert "worker" not in refused(scene.later(15), *POLLS), "older than every figure"


def test_a_refused_canary_beside_sessions_that_are_read_is_told_with_who_holds_them_now() -> None:
    scene = used(55, holders=[holder(41)])
    assert refused(scene, "postgres.canary").endswith("reached; 41 by worker/import")


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
    scene.see("postgres.activity", samples={"connections": 52.0}, volatile={"holders": [holder(40)]})
    scene.see("postgres.canary")
    before = scene.assess()
    poll_routes(scene, "..", 35.0)
    scene.see("postgres.activity", samples={"connections": 54.0}, volatile={"holders": [holder(42)]})
    scene.see("postgres.canary", samples={"latency_ms": 9.0})
    after = scene.assess()
    for key, assessment in before.items():
        assert assessment.judgement.explanation == after[key].judgement.explanation
    assert before["database"].judgement.figure != after["database"].judgement.figure
