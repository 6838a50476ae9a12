"""The verdict: causes before effects, what began just before, and whose it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.configuration import Contact
from console.model.observation import ErrorKind, Event, Outcome
from console.model.states import State
from tests.model.scene import Scene
from tests.model.test_components_around import INCIDENT, blocking


def deployed(scene: Scene, seconds_ago: float) -> Scene:
    """A deployment went live so long ago."""
    at_ms = scene.now.wall_ms - int(seconds_ago * 1000)
    data = {"short": "8f3c1d2", "message": "pricing v2", "author": "op1"}
    text = '8f3c1d2 "pricing v2" live (op1)'
    scene.events.append(Event(at_ms=at_ms, kind="deployment", subject="vercel", text=text, data=data))
    return scene


def down(scene: Scene, *targets: str, kind: ErrorKind = ErrorKind.CONNECT) -> Scene:
    """Two rounds in which these targets are not reached and all others are well."""
    for _ in range(2):
        for target in scene.tracks:
            if target not in targets:
                scene.see(target)
        for target in targets:
            scene.fail(target, kind)
        scene.later(5)
    return scene


def test_all_well() -> None:
    verdict = Scene().all_well().verdict()
    assert verdict.state is State.HEALTHY
    assert not verdict.reasons and not verdict.next_steps
    assert (verdict.whose, verdict.whose_words) == ("", "vendors: none reporting")


def keys(scene: Scene) -> list[str]:
    """The keys of the reasons in their order."""
    return [reason.key for reason in scene.verdict().reasons]


def test_a_database_that_is_down_comes_before_the_application_it_takes_along() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        checks = {"checks": {"database": {"status": "fail"}}}
        scene.see("health", State.UNHEALTHY, "database fails", facts=checks)
        scene.see("route:/pricing", State.UNHEALTHY, "500")
        scene.fail("postgres.activity").fail("postgres.canary").fail("supabase.pooler").later(5)
    assert keys(scene) == ["database.down", "supabase.pooler", "application.check:database", "routes.down"]
    causes = [reason.cause for reason in scene.verdict().reasons]
    assert causes == [None, *["likely follows from database down"] * 3]
    assert scene.verdict().whose == "us"


def test_a_blocker_comes_before_the_routes_that_hang_behind_it_though_they_are_worse() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("postgres.activity", volatile={"blocking": [blocking(8, ddl=True)]})
        scene.verdict()
        scene.fail("route:/pricing", ErrorKind.TIMEOUT, "no answer within 10 s").later(5)
    verdict = scene.verdict()
    assert [reason.state for reason in verdict.reasons] == [State.DEGRADED, State.UNHEALTHY]
    assert verdict.reasons[0].key == "database.blocking:4711"
    assert verdict.reasons[1].cause == "likely follows from database blocking"
    assert verdict.next_steps == ("ask app/importer or end pid 4711",)
    assert verdict.state is State.UNHEALTHY


def test_what_began_later_is_no_cause() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
    scene.verdict()
    for _ in range(20):
        scene.all_well(1, but=("route:/pricing",)).see("route:/pricing", State.UNHEALTHY, "500")
    scene.see("postgres.activity", volatile={"blocking": [blocking(8, ddl=True)]})
    assert keys(scene) == ["routes.down", "database.blocking:4711"]
    assert scene.verdict().reasons[0].cause is None


def test_exhausted_connections_come_before_the_failing_health_check() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        checks = {"checks": {"database": {"status": "fail"}}}
        scene.see("health", State.UNHEALTHY, "database fails", facts=checks)
        scene.see("postgres.activity", State.UNHEALTHY, samples={"connections": 57.0}).later(5)
    assert keys(scene)[:2] == ["database.exhausted", "application.check:database"]
    assert scene.verdict().reasons[0].text == "connections exhausted: 57 of 60 connections, 3 reserved"


@pytest.mark.parametrize(
    ("seconds_ago", "cause"),
    [
        (40, 'began 45 s after deployment 8f3c1d2 "pricing v2" (op1 {at}): likely'),
        (400, 'began 6 m after deployment 8f3c1d2 "pricing v2" (op1 {at}): possibly'),
        (-2, 'began 3 s after deployment 8f3c1d2 "pricing v2" (op1 {at}): likely'),
        (900, None),
        (-60, None),
    ],
)
def test_a_deployment_just_before_is_named_with_its_author(seconds_ago: float, cause: str | None) -> None:
    scene = deployed(Scene().all_well(), seconds_ago).later(5)
    for _ in range(2):
        scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
    at = scene.events[0].at_ms // 60_000 * 60_000
    words = cause.format(at=f"{at // 3_600_000 % 24:02}:{at // 60_000 % 60:02}") if cause else None
    verdict = scene.verdict()
    assert verdict.reasons[0].cause == words
    step = "roll back 8f3c1d2: radar rollback"
    assert verdict.next_steps == ((step,) if cause and "likely" in cause else ())
    assert verdict.suggested == (("rollback", {}) if cause and "likely" in cause else None)


def release(scene: Scene, short: str, message: str, kind: str = "deployment") -> Scene:
    """A deployment or rollback goes live now."""
    text = f'{"rolled back to " if kind == "rollback" else ""}{short} "{message}"'
    data = {"short": short, "message": message, "author": "op1"}
    scene.events.append(Event(at_ms=scene.now.wall_ms, kind=kind, subject="vercel", text=text, data=data))
    return scene


@pytest.mark.parametrize(
    ("short", "message", "kind", "told"),
    [
        ("528d33a", 'Revert "feat: pricing v2"', "deployment", "possibly"),
        ("528d33a", "Rollback of pricing", "deployment", "possibly"),
        ("0000aaa", "pricing v1", "rollback", "possibly"),
        ("0000aaa", "pricing v1", "deployment", "possibly"),
        ("528d33a", "feat: pricing v3", "deployment", "likely"),
    ],
)
@pytest.mark.parametrize("stored", [False, True])
def test_what_puts_an_earlier_deployment_back_is_never_to_be_undone(
    short: str, message: str, kind: str, told: str, stored: bool
) -> None:
    scene = release(Scene().all_well(), "0000aaa", "pricing v1").later(60)
    release(scene, "8f3c1d2", "feat: pricing v2").later(20)
    release(scene, short, message, kind).later(40)
    if stored:  # events read back from the store hold their text alone
        scene.events = [replace(event, data={}) for event in scene.events]
    for _ in range(2):
        scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
    verdict = scene.verdict()
    assert short in (verdict.reasons[0].cause or "")
    assert (verdict.reasons[0].cause or "").endswith(told)
    step = f"roll back {short}: radar rollback"
    assert verdict.next_steps == ((step,) if told == "likely" else ())


def test_what_was_rolled_back_already_is_not_to_be_rolled_back_again() -> None:
    """The users' rates reach back over minutes: a second rollback would take the cure away."""
    scene = release(Scene().all_well(), "0000aaa", "pricing v1").later(60)
    release(scene, "8f3c1d2", "feat: pricing v2").later(20)
    for _ in range(12):
        scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
    assert scene.verdict().suggested == ("rollback", {})
    release(scene, "0000aaa", "pricing v1", "rollback").later(5)
    scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
    verdict = scene.verdict()
    assert verdict.suggested is None and "8f3c1d2" in (verdict.reasons[0].cause or "")
    assert "look on: rolled back to 0000aaa" in verdict.next_steps[0]


def test_a_restart_of_the_server_explains_what_shows_within_a_minute() -> None:
    for seconds, told in ((40, True), (90, False)):
        scene = Scene().all_well()
        at_ms = scene.now.wall_ms
        scene.events.append(Event(at_ms=at_ms, kind="database", subject="postgres", text="server restarted"))
        scene.later(seconds)
        for _ in range(2):
            scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
        assert ("server restarted" in (scene.verdict().reasons[0].cause or "")) is told


def test_an_application_whose_port_refuses_does_not_follow_from_the_database() -> None:
    scene = down(
        Scene().all_well(), "postgres.activity", "postgres.canary", "health", "ping", "route:/", "supabase.auth"
    )
    causes = {reason.key: reason.cause for reason in scene.verdict().reasons}
    assert causes["application.down"] is None
    assert causes["routes.down"] == "likely follows from application down"
    timeouts = Scene().all_well()
    for _ in range(2):
        timeouts.fail("postgres.activity").fail("postgres.canary")
        timeouts.fail("health", ErrorKind.TIMEOUT).fail("ping", ErrorKind.TIMEOUT).later(5)
    causes = {reason.key: reason.cause for reason in timeouts.verdict().reasons}
    assert causes["application.down"] == "likely follows from database down"


def test_a_challenge_before_the_application_does_not_follow_from_the_gateway() -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.see("supabase.gateway", State.UNHEALTHY, "answers 502").later(5)
    scene.other("health", Outcome.BLOCKED, ErrorKind.CHALLENGED, "the firewall answered (challenge)")
    assert {reason.key: reason.cause for reason in scene.verdict().reasons}["application.unknown:health"] is None


def test_a_vendor_is_not_blamed_for_our_own_lock() -> None:
    scene = Scene().all_well().see("vendor:Supabase", State.UNHEALTHY, "Elevated errors", facts=INCIDENT)
    for _ in range(2):
        idle = {"pid": 9, "user": "app", "application": "jobs", "state_s": 90.0}
        volatile = {"blocking": [blocking(40, ddl=False)], "idle_in_transaction": [idle]}
        scene.see("postgres.activity", samples={"connections": 52.0}, volatile=volatile)
        scene.see("vendor:Supabase", State.UNHEALTHY, "Elevated errors", facts=INCIDENT).later(5)
    verdict = scene.verdict()
    causes = {reason.key: reason.cause for reason in verdict.reasons}
    assert verdict.reasons[0].key == "database.blocking:4711"
    assert verdict.whose == "us"
    assert not any("Supabase reports" in (cause or "") for cause in causes.values())
    assert causes["supabase.vendor:Supabase"] is None, "an incident is not its own cause"
    for _ in range(2):
        scene.fail("postgres.activity").fail("postgres.canary").later(5)
    assert scene.verdict().whose == "vendor", "a database that is gone may well be the vendor's"


@pytest.mark.parametrize(("begins_s", "whose"), [(-3600, "vendor"), (600, "vendor"), (7200, "us")])
def test_an_incident_that_began_long_after_the_fault_is_not_its_cause(begins_s: int, whose: str) -> None:
    scene = down(Scene().all_well(), "health", "ping")
    began_ms = scene.now.wall_ms + begins_s * 1000
    scene.verdict()
    incident = {"id": "i", "name": "Edge errors", "impact": "major", "since_ms": began_ms}
    facts = {"indicator": "major", "incidents": [incident]}
    scene.later(max(0, begins_s)).see("vendor:Vercel", State.UNHEALTHY, "Edge errors", facts=facts)
    for target in ("health", "ping"):
        scene.fail(target)
    assert scene.verdict().whose == whose


def test_an_incident_that_is_over_or_is_not_read_any_more_explains_nothing() -> None:
    for ends in (True, False):
        scene = Scene().all_well().see("vendor:Vercel", State.UNHEALTHY, "Edge errors", facts=INCIDENT)
        for _ in range(2):
            scene = scene.see("vendor:Vercel") if ends else scene.fail("vendor:Vercel")
            scene.later(60)
        for _ in range(2):
            scene.fail("health").fail("ping").later(5)
        verdict = scene.verdict()
        assert (verdict.whose, verdict.reasons[0].cause) == ("us", None)


def test_a_deployment_is_no_cause_of_a_certificate() -> None:
    scene = deployed(Scene().all_well(), 40)
    for _ in range(2):
        scene.see("certificate:app.example.com:443", State.UNHEALTHY, "expired", facts={"verified": False})
    assert scene.verdict().reasons[0].cause is None


def test_what_people_did_is_named_before_what_merely_happened() -> None:
    scene = deployed(Scene().all_well(), 100)
    scene.events.append(
        Event(at_ms=scene.now.wall_ms - 1000, kind="database", subject="postgres", text="server restarted")
    )
    down(scene, "health", "ping")
    assert "deployment 8f3c1d2" in (scene.verdict().reasons[0].cause or "")
    scene.events.pop(0)
    assert "server restarted" in (scene.verdict().reasons[0].cause or "")


def test_an_offline_bastion_comes_first_and_the_whole_is_unknown() -> None:
    scene = Scene().all_well().fail("egress")
    for _ in range(3):
        for target in ("health", "ping", "route:/", "route:/pricing", "postgres.activity", "postgres.canary"):
            scene.fail(target, witness=False)
        scene.later(5)
    verdict = scene.verdict()
    assert [reason.key for reason in verdict.reasons] == ["bastion.offline"]
    assert verdict.state is State.UNKNOWN
    assert verdict.whose == "bastion"
    assert verdict.whose_words == "this bastion is offline: what it cannot reach is unknown"


def test_an_answer_received_by_an_offline_bastion_is_judged() -> None:
    scene = Scene().all_well().fail("egress")
    for _ in range(2):
        scene.see("route:/pricing", State.UNHEALTHY, "500").later(5)
    verdict = scene.verdict()
    assert verdict.state is State.UNHEALTHY
    assert [reason.key for reason in verdict.reasons] == ["bastion.offline", "routes.down"]


@pytest.mark.parametrize(("reports", "whose"), [(True, "vendor"), (False, "supabase")])
def test_the_gateway_down_is_the_vendors(reports: bool, whose: str) -> None:
    scene = Scene().all_well()
    if reports:
        scene.see("vendor:Supabase", State.UNHEALTHY, "Elevated errors", facts=INCIDENT)
    for _ in range(2):
        scene.see("supabase.gateway", State.UNHEALTHY, "answers 502")
        scene.see("supabase.auth", State.UNHEALTHY, "answers 502").later(5)
    verdict = scene.verdict()
    assert verdict.whose == whose
    assert [reason.key for reason in verdict.reasons][:2] == ["supabase.gateway", "supabase.auth"]
    assert (verdict.reasons[0].cause == 'Supabase reports "Elevated errors" (major)') is reports


def test_a_vendors_incident_makes_our_fault_its_unless_we_just_deployed() -> None:
    incident = {"indicator": "major", "incidents": [{"id": "i", "name": "Edge errors", "impact": "major"}]}
    scene = Scene().all_well().see("vendor:Vercel", State.UNHEALTHY, "Edge errors", facts=incident)
    down(scene, "health", "ping", "vendor:Vercel")
    scene.see("vendor:Vercel", State.UNHEALTHY, "Edge errors", facts=incident)
    assert scene.verdict().whose == "vendor"
    assert scene.verdict().whose_words == 'vendor: Vercel reports "Edge errors" (major)'
    assert deployed(scene, 40).verdict().whose == "us"


def test_an_incident_of_the_week_before_is_no_excuse() -> None:
    old_ms = Scene().now.wall_ms - 7 * 86_400_000
    incident = {"indicator": "minor", "incidents": [{"id": "i", "name": "x", "impact": "minor", "since_ms": old_ms}]}
    scene = Scene().all_well()
    for _ in range(2):
        scene.fail("health").fail("ping").see("vendor:Vercel", State.DEGRADED, "x", facts=incident).later(5)
    assert scene.verdict().whose == "us"


def test_no_vendor_watched_is_said() -> None:
    scene = down(Scene("health", "ping").all_well(), "health", "ping")
    assert scene.verdict().whose_words == "vendors: not watched"


def test_a_blocked_probe_leaves_the_whole_unknown_and_nobody_at_fault() -> None:
    scene = Scene().all_well()
    scene.other("health", Outcome.BLOCKED, ErrorKind.CHALLENGED, "the firewall answered (challenge)")
    verdict = scene.verdict()
    assert (verdict.state, verdict.whose) == (State.UNKNOWN, "unknown")
    assert verdict.reasons[0].text == "health is unknown: the firewall answered (challenge)"


def test_users_without_metrics_do_not_make_the_whole_unknown() -> None:
    scene = Scene("health", "ping", "route:/").all_well()
    assert scene.component("users").state is State.UNKNOWN
    assert scene.verdict().state is State.HEALTHY


def test_a_vendor_without_a_component_is_a_reason_of_its_own() -> None:
    scene = Scene("health", "ping", "vendor:GitHub", vercel=None, supabase=None).all_well()
    scene.see("vendor:GitHub", State.DEGRADED, "slow", facts=INCIDENT)
    verdict = scene.verdict()
    assert (verdict.state, verdict.whose) == (State.DEGRADED, "vendor")
    assert verdict.reasons[0].component == "vendors"


def test_whom_to_call() -> None:
    contacts = {"application": (Contact(name="Runbook", link="https://r"), Contact(name="Mira", phone="+1"))}
    scene = down(Scene("health", "ping", contacts=contacts).all_well(), "health", "ping")
    assert scene.verdict().next_steps == ("contact Mira",)


def test_for_a_vendors_incident_the_vendor_is_to_be_called() -> None:
    support = (Contact(name="Vercel support", link="https://v"), Contact(name="Supabase support", link="https://s"))
    contacts = {"vendor": support, "any": (Contact(name="On-call lead", phone="+1"),)}
    for vendor, told in (("Supabase", "contact Supabase support, https://s"), ("GitHub", "contact On-call lead")):
        scene = Scene("health", "ping", f"vendor:{vendor}", contacts=contacts).all_well()
        scene.see(f"vendor:{vendor}", State.DEGRADED, "slow", facts=INCIDENT)
        assert scene.verdict().next_steps == (told,)


def test_the_reasons_of_an_incident_stay_the_same_while_its_numbers_change() -> None:
    scene = deployed(Scene().all_well(), 10)
    seen = set()
    for connections in (52.0, 53.0, 54.0, 55.0):
        for target in ("health", "ping"):
            scene.fail(target)
        scene.see("postgres.activity", State.DEGRADED, samples={"connections": connections}).later(5)
        verdict = scene.verdict()
        seen.add((verdict.whose, tuple((reason.key, reason.cause) for reason in verdict.reasons)))
    assert len(seen) == 1
