"""Rollback against a scripted Vercel: what the plan says, and that accepted is not done."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from console.actions import outside, vercel_follow, wire
from console.actions.outside import names
from console.actions.promote import Promote
from console.actions.rollback import Rollback
from console.actions.vercel_follow import Asked, judged
from console.model.actions import RunOutcome, StepOutcome, StepResult
from console.model.configuration import Secret
from console.model.ports import Refused
from console.model.vercel_project import Deployment, project_of
from console.sources.http import Limits
from tests.actions.hosting import (
    LIST,
    NEW,
    OLD,
    PREVIEW,
    PROJECT,
    STAGED,
    Hosting,
    Quick,
    carried_out,
    context,
    healthy,
    held,
    hosting,
    job,
    nothing_observed,
    now_ms,
    planned,
    project,
    running,
    sick,
    words_of,
)
from tests.sources.loopback import Seen, Writer, answering, cases, hang, replay

ACCEPTED = answering(201, b"")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes are tenths of seconds here."""
    monkeypatch.setattr(wire, "LIMITS", Limits(connect_s=1.0, read_s=0.3, total_s=0.5, body_bytes=1 << 20))
    monkeypatch.setattr(vercel_follow, "FOLLOW_S", 0.4)
    monkeypatch.setattr(vercel_follow, "POLL_S", 0.01)
    monkeypatch.setattr(vercel_follow, "RESOLVE_S", 0.1)
    monkeypatch.setattr(outside, "SEE_S", 0.1)
    Quick.waits.clear()


def moving(*projects: dict[str, Any], script: Hosting | None = None) -> Hosting:
    """A Vercel that takes the rollback; after that the project is answered so."""
    script = script or hosting()
    script.say("rollback", ACCEPTED)

    async def accept(seen: Seen, writer: Writer) -> None:
        script.say("project", *projects)
        await ACCEPTED(seen, writer)

    script.answers["rollback"] = [accept]
    return script


def moved(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    return project(OLD, job(OLD, status), autoAssignCustomDomains=False, **changes)


async def rolled_back(script: Hosting, **parameters: Any) -> Any:
    async with running(script) as server:
        where = context(server)
        return await carried_out(Rollback(), where, await planned(Rollback(), where, **parameters))


# --- the plan -------------------------------------------------------------------------------------------------------


async def test_the_plan_goes_back_to_the_newest_that_served_before() -> None:
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server))
        assert len(server.requests) <= 5, "few requests: key to plan within 300 ms"
    assert plan.title == "Roll back production from 0909090 to 0606060"
    assert plan.target == f"0606060 ({OLD})" and plan.short_id == "0606060" == plan.phrase
    assert plan.undo == f"radar promote {NEW}" and plan.undo_request and plan.undo_request.parameters == {"to": NEW}
    assert [step.key for step in plan.steps] == ["ask", "follow", "see", "watch"]
    assert plan.steps[0].call == f"POST /v1/projects/{PROJECT}/rollback/{OLD} (asynchronous)"
    assert "later pushes" in plan.afterwards[0] and any("schema" in words for words in plan.lost)
    assert not plan.refusals and "teamId" in plan.escape[1] and "$VERCEL_TOKEN" in plan.escape[1]
    assert plan.escape[0] == f"vercel rollback {OLD} --scope team_Example1"
    assert f"vercel inspect 127.0.0.1:{server.port}" in plan.escape[3]


async def test_looking_again_gives_the_same_digest_until_the_world_changes() -> None:
    script = hosting()
    async with running(script) as server:
        where = context(server)
        first, second = await planned(Rollback(), where), await planned(Rollback(), where)
        assert first.digest == second.digest
        script.say("rolling", answering(500, {})).say("env", answering(403, {}))
        assert (await planned(Rollback(), where)).digest == first.digest, "what is not known now is in the checks"
        script.say("project", project(NEW, job(STAGED, at_ms=now_ms() - 5000)))
        assert (await planned(Rollback(), where)).digest != first.digest


@pytest.mark.parametrize("name", [OLD, "0606060", "06" * 20])
async def test_a_deployment_can_be_named(name: str) -> None:
    async with running(hosting()) as server:
        assert (await planned(Rollback(), context(server), to=name)).data["target"] == OLD


@pytest.mark.parametrize(
    ("name", "why"),
    [(STAGED, "never served"), (PREVIEW, "no production deployment"), (NEW, "serves production now"),
     ("0808080", "building"), ("0707070", "no production deployment")],
)  # fmt: skip
async def test_why_a_deployment_is_not_eligible(name: str, why: str) -> None:
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server), to=name)
    assert any(why in words for words in plan.refusals), plan.checks


async def test_another_projects_deployment_and_one_that_is_not_there_are_refused() -> None:
    script = hosting()
    async with running(script) as server:
        with pytest.raises(Refused, match="no deployment dpl_nowhere"):
            await planned(Rollback(), context(server), to="dpl_nowhere")
        script.say("deployment", {"id": "dpl_other", "projectId": "prj_other", "target": "production"})
        with pytest.raises(Refused, match="another project"):
            await planned(Rollback(), context(server), to="dpl_other")


async def test_what_a_rollback_has_left_is_not_gone_back_to() -> None:
    left = SimpleNamespace(action="rollback", undo=f"radar promote {OLD}")
    reads = nothing_observed(actions=SimpleNamespace(holdings=(), runs=(left,)))
    listed = [entry for entry in LIST["deployments"] if entry["uid"] in (NEW, OLD, STAGED)]
    older = {**listed[1], "uid": "dpl_older", "created": 1_700_000_000_000, "createdAt": 1_700_000_000_000}
    script = hosting().say("deployments", {"deployments": [*listed, older]})
    async with running(script) as server:
        assert (await planned(Rollback(), context(server))).data["target"] == OLD
        assert (await planned(Rollback(), context(server, reads))).data["target"] == "dpl_older"
        script.say("deployments", {"deployments": listed})
        with pytest.raises(Refused, match=r"nothing to go back to.*a rollback left it"):
            await planned(Rollback(), context(server, reads))


async def test_a_running_job_refuses_and_an_old_one_does_not() -> None:
    script = hosting().say("project", project(NEW, job(STAGED, "in-progress", "promote")))
    async with running(script) as server:
        assert "promote to 0505050 is in-progress" in (await planned(Rollback(), context(server))).refusals[0]
        script.say("project", cases("vercel_project_get")[5]["body"])
        assert not (await planned(Rollback(), context(server))).refusals


async def test_a_rolling_release_warns_that_the_same_request_aborts_it() -> None:
    script = hosting().say("rolling", cases("vercel_rolling_release")[1]["body"])
    async with running(script) as server:
        words = words_of(await planned(Rollback(), context(server)), "rolling")
    assert words == "warn: a rolling release of 0909090 is in progress at 10 %: this request aborts it"


async def test_a_rolling_release_that_cannot_be_read_is_told_where_one_is_configured() -> None:
    script = hosting().say("rolling", answering(403, {"error": {"message": "no"}}))
    async with running(script) as server:
        assert words_of(await planned(Rollback(), context(server)), "rolling") == ""
        script.say("project", project(rollingRelease={"target": "production"}))
        assert words_of(await planned(Rollback(), context(server)), "rolling").startswith("warn: whether a rolling")


async def test_the_wrong_project_is_refused() -> None:
    script = hosting().say("project", project(id="prj_other", name="other"))
    async with running(script) as server:
        assert "configured is" in (await planned(Rollback(), context(server))).refusals[0]


@pytest.mark.parametrize(
    ("url", "words"),
    [("https://app.other.example", "warn: project shop-web"), ("https://shop.example.com", "pass: project shop-web"),
     ("http://10.0.0.7:3000", "pass: project shop-web")],
)  # fmt: skip
async def test_the_watched_domain_must_be_productions(url: str, words: str) -> None:
    async with running(hosting()) as server:
        where = context(server)
        where = replace(where, settings=replace(where.settings, environment=replace(where.environment, url=url)))
        plan = await planned(Rollback(), where)
    assert words_of(plan, "project").startswith(words)


async def test_changed_variables_are_named_and_their_values_are_not() -> None:
    changed = {
        "key": "API_KEY",
        "type": "sensitive",
        "target": ["production"],
        "updatedAt": 1795168200000,
        "value": "hunter2",
    }
    other = {"key": "OTHER", "type": "plain", "target": "preview", "updatedAt": 1795168200000, "value": "hunter2"}
    script = hosting().say("env", {"envs": [changed, other]})
    async with running(script) as server:
        plan = await planned(Rollback(), context(server))
        words = words_of(plan, "variables")
        assert words.startswith("warn") and "API_KEY" in words and "rotated secrets" in words and "OTHER" not in words
        assert "hunter2" not in repr(plan)
        script.say("env", answering(403, {"error": {"message": "no"}}))
        assert "not known" in words_of(await planned(Rollback(), context(server)), "variables")
        script.say("env", {"envs": [other]})
        assert words_of(await planned(Rollback(), context(server)), "variables").startswith("pass")


def observed_database(newest: str | None, events: tuple[Any, ...] = ()) -> Any:
    facts: dict[str, Any] = {} if newest is None else {"latest_migration": {"version": newest, "name": "plans"}}
    return SimpleNamespace(targets=(SimpleNamespace(target="postgres.catalogue", facts=facts),), events=events)


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [("012", "012", "pass: no migration since"), ("012", "011", "warn: the newest migration was 011_plans"),
     (None, "011", "warn: which migrations are applied was not observed"),
     ("012", None, "warn: what was applied when 0606060 went live was not observed")],
)  # fmt: skip
async def test_migrations_are_compared(now: str | None, then: str | None, words: str) -> None:
    def component(_key: str, at_ms: int | None) -> Any:
        return observed_database(now if at_ms is None else then)

    async with running(hosting()) as server:
        where = context(server, nothing_observed(component=component), database=Secret("postgres://x"))
        assert words_of(await planned(Rollback(), where), "migrations").startswith(words)


async def test_migrations_that_were_seen_are_named() -> None:
    event = SimpleNamespace(kind="migration", at_ms=1795168000000, text="migration 012_plans applied")
    reads = nothing_observed(component=lambda *_: observed_database("012", (event,)))
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server, reads, database=Secret("postgres://x")))
    assert "migration 012_plans applied after 0606060 went live" in words_of(plan, "migrations")


async def test_how_it_did_when_it_ran() -> None:
    effects = (SimpleNamespace(figure="p95", after=118.0), SimpleNamespace(figure="errors", after=0.002))
    shown = SimpleNamespace(deployments=(SimpleNamespace(id=OLD, effects=effects),))
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server, nothing_observed(deployments=shown)))
    assert (
        words_of(plan, "target") == 'pass: 0606060 "fix: tax rounding" ran in production 16 h, p95 118 ms, errors 0.2 %'
    )


async def test_a_store_that_cannot_be_read_warns_and_hinders_nothing() -> None:
    async with running(hosting()) as server:
        where = context(server, nothing_observed(actions=None, deployments=None))
        plan = await planned(Rollback(), where)
    assert words_of(plan, "records").startswith("warn") and not plan.refusals


async def test_pinned_production_is_told_with_its_owner() -> None:
    script = hosting().say("project", project(autoAssignCustomDomains=False))
    reads = nothing_observed(actions=SimpleNamespace(holdings=(held("pinned", PROJECT, "pinned by x"),), runs=()))
    async with running(script) as server:
        assert (
            words_of(await planned(Rollback(), context(server, reads)), "pinned") == "warn: already pinned by x (op2)"
        )
        assert "somebody's choice" in words_of(await planned(Rollback(), context(server)), "pinned")


async def test_builds_in_progress_warn() -> None:
    async with running(hosting()) as server:
        words = words_of(await planned(Rollback(), context(server)), "building")
    assert words.startswith("warn: being built for production: 0808080") and "go live over this" in words


@pytest.mark.parametrize(
    "case", [case for case in cases("vercel_project_get") if case["status"] != 200], ids=lambda case: case["name"]
)
async def test_without_the_project_there_is_no_plan_but_a_way_without(case: dict[str, Any]) -> None:
    async with running(hosting().say("project", replay(case))) as server:
        with pytest.raises(Refused, match="vercel rollback"):
            await planned(Rollback(), context(server))


async def test_a_reduced_project_needs_a_name() -> None:
    script = hosting().say("project", {"id": PROJECT, "name": "shop-web"})
    async with running(script) as server:
        with pytest.raises(Refused, match="name the one"):
            await planned(Rollback(), context(server))
        plan = await planned(Rollback(), context(server), to=OLD)
    assert plan.undo == "" and plan.undo_request is None


async def test_not_configured_is_refused_with_the_lines_to_add() -> None:
    async with running(hosting()) as server:
        with pytest.raises(Refused, match=r"\[environments.NAME.vercel\]"):
            await planned(Rollback(), context(server, vercel=None))


# --- carried out ----------------------------------------------------------------------------------------------------


async def test_accepted_followed_seen_and_watched() -> None:
    script = moving(project(job=job(OLD, "pending")), project(job=job(OLD, "in-progress")), moved())
    ran = await rolled_back(script)
    assert (ran.outcome, ran["ask"].outcome) == (RunOutcome.DONE, StepOutcome.DONE), ran.words
    assert "production is 0606060" in ran["follow"].words
    (pin,) = ran["follow"].holds
    assert (pin.kind, pin.subject, pin.undo) == ("pinned", PROJECT, f"radar promote {NEW}")
    assert "pinned by rollback to 0606060: errors 38 %" in pin.text
    assert "version 1.4.0, which names no commit (as before)" in ran["see"].words
    assert "2 good rounds" in ran["watch"].words
    assert len(script.asked("rollback")) == 1 and "description=errors%2038%20%25" in script.asked("rollback")[0].path
    assert {"follow: the rollback is pending", "follow: the rollback is in-progress"} <= set(ran.notes.told)


@pytest.mark.parametrize("case", cases("vercel_rollback_request"), ids=lambda case: case["name"])
async def test_every_documented_answer_to_the_request(case: dict[str, Any]) -> None:
    script = hosting().say("rollback", replay(case))
    ran = await rolled_back(script)
    status = case["status"]
    if status == 201:
        assert ran.outcome is RunOutcome.UNKNOWN and ran["follow"].outcome is StepOutcome.UNKNOWN
    elif status >= 500:  # resolved from the remote state, which shows nothing
        assert ran["ask"].outcome is StepOutcome.FAILED and "nothing was changed" in ran.words
    else:
        assert ran.outcome is RunOutcome.FAILED and str(status) in ran.words
    assert len(script.asked("rollback")) == 1


@pytest.mark.parametrize("status", [400, 410, 429])
async def test_other_refusals_fail(status: int) -> None:
    ran = await rolled_back(hosting().say("rollback", answering(status, {"err": {"message": "no"}})))
    assert ran.outcome is RunOutcome.FAILED and f"Vercel answers {status}: no" in ran.words


async def test_a_time_out_after_it_was_carried_out_is_resolved_as_done() -> None:
    script = hosting()

    async def carry_out_and_hang(seen: Seen, writer: Writer) -> None:
        script.say("project", project(job=job(OLD, "pending")), moved())
        await hang(seen, writer)

    script.say("rollback", carry_out_and_hang)
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.DONE and "Vercel took it: the rollback is pending" in ran["ask"].words
    assert len(script.asked("rollback")) == 1, "never asked twice"


async def test_a_time_out_before_it_was_carried_out_is_resolved_as_not_done() -> None:
    ran = await rolled_back(hosting().say("rollback", hang))
    assert ran.outcome is RunOutcome.FAILED and "nothing was changed" in ran["ask"].words
    assert not ran["ask"].holds


async def test_a_time_out_beside_somebody_elses_job_is_unknown() -> None:
    script = hosting()

    async def other(seen: Seen, writer: Writer) -> None:
        script.say("project", project(job=job(STAGED, "in-progress", "promote")))
        await hang(seen, writer)

    ran = await rolled_back(script.say("rollback", other))
    assert ran.outcome is RunOutcome.UNKNOWN and "somebody else's promote" in ran.words


async def test_somebody_elses_job_is_not_our_success() -> None:
    theirs = project(STAGED, job(STAGED, "succeeded", "promote"))
    ran = await rolled_back(moving(project(job=job(STAGED, "in-progress", "promote")), theirs))
    assert ran.outcome is RunOutcome.FAILED and "somebody else's promote came after it" in ran.words
    assert not ran["follow"].holds


async def test_yesterdays_job_to_the_same_deployment_is_not_ours() -> None:
    old = job(OLD, "succeeded", at_ms=now_ms() - 86_400_000)
    script = moving(project(NEW, old)).say("project", project(NEW, old))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.UNKNOWN and "does not show the request yet" in ran.words


async def test_clocks_may_differ_by_minutes() -> None:
    late = now_ms() - 200_000
    ran = await rolled_back(moving(project(OLD, job(OLD, at_ms=late), autoAssignCustomDomains=False)))
    assert ran.outcome is RunOutcome.DONE


async def test_a_failed_job_names_the_domains_that_did_not_move() -> None:
    script = moving(project(job=job(OLD, "failed")))
    script.say("rollback aliases", replay(cases("vercel_rollback_aliases")[0]))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.FAILED and "not moved: shop.example.com, www.shop.example.com" in ran.words
    assert not ran["follow"].holds, "nothing moved, nothing is pinned"


async def test_a_failed_job_that_stopped_the_assignment_is_in_the_ledger() -> None:
    script = moving(project(job=job(OLD, "failed"), autoAssignCustomDomains=False))
    script.say("rollback aliases", answering(500, {}))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.FAILED and "cannot be read" in ran.words and ran["follow"].holds


async def test_an_unknown_status_is_followed_by_what_serves() -> None:
    ran = await rolled_back(moving(project(job=job(OLD, "thawing")), moved("thawing")))
    assert ran.outcome is RunOutcome.DONE and "is unknown" in ran["follow"].words
    ran = await rolled_back(moving(project(job=job(OLD, "thawing"))))
    assert ran.outcome is RunOutcome.UNKNOWN and "goes on at Vercel" in ran.words


async def test_succeeded_without_having_moved_is_not_done() -> None:
    ran = await rolled_back(moving(project(NEW, job(OLD, "succeeded"))))
    assert ran.outcome is RunOutcome.UNKNOWN and "production is still 0909090" in ran.words


async def test_skipped_is_nothing_to_do_or_failed() -> None:
    assert (await rolled_back(moving(moved("skipped")))).outcome is RunOutcome.DONE
    ran = await rolled_back(moving(project(job=job(OLD, "skipped"))))
    assert ran.outcome is RunOutcome.FAILED and "skipped" in ran.words


async def test_missing_fields_while_following() -> None:
    ran = await rolled_back(
        moving({"id": PROJECT}, {"id": PROJECT, "lastAliasRequest": {"toDeploymentId": OLD}}, moved())
    )
    assert ran.outcome is RunOutcome.DONE


async def test_following_goes_on_over_faults_and_honours_a_rate_limit() -> None:
    limited = answering(429, {"error": {"message": "slow down"}}, {"retry-after": "0"})
    html = answering(502, b"<html>bad</html>", {"content-type": "text/html"})
    script = moving(project(job=job(OLD, "pending")))
    script.answers["rollback"][0] = _then(script, limited, html, answering(200, b'{"id": '), hang, moved())
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.DONE, ran.words
    told = " ".join(ran.notes.told)
    assert "429" in told and "502" in told and "no JSON" in told


async def test_a_long_rate_limit_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vercel_follow, "FOLLOW_S", 100.0)
    script = moving()
    script.answers["rollback"][0] = _then(
        script, answering(429, {"error": {"message": "slow"}}, {"retry-after": "42"}), moved()
    )
    assert (await rolled_back(script)).outcome is RunOutcome.DONE
    assert 42.0 in Quick.waits


async def test_a_token_revoked_midway_is_unknown_and_not_asked_with_for_minutes() -> None:
    script = moving()
    revoked = answering(403, {"error": {"message": "Not authorized", "invalidToken": True}})
    script.answers["rollback"][0] = _then(script, revoked)
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.UNKNOWN and "not valid or has expired" in ran.words
    assert len(script.asked("project")) == 1 + vercel_follow.REFUSED_OFTEN


def _then(script: Hosting, *answers: Any) -> Any:
    async def accept(seen: Seen, writer: Writer) -> None:
        script.say("project", *answers)
        await ACCEPTED(seen, writer)

    return accept


# --- seen and watched -----------------------------------------------------------------------------------------------


async def test_the_version_from_outside_must_be_the_targets() -> None:
    script = moving(moved()).say("health", healthy("1.2-beefbee"))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.FAILED and "not yet the target's" in ran.words
    script = moving(moved()).say("health", healthy("beefbee"), healthy("beefbee"), healthy("v1.2-0606060"))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.DONE and "as version v1.2-0606060" in ran["see"].words


@pytest.mark.parametrize(
    ("version", "same"),
    [("06ab606", True), ("1.4.0+06ab606", True), (OLD, True), ("beefbee", False), (NEW, False), ("1.4.0", None),
     ("2026.1120", None), ("20261120", None), ("1.4.0-beta", None)],
)  # fmt: skip
def test_which_versions_name_the_target(version: str, same: bool | None) -> None:
    assert names(version, Deployment(id=OLD, short="06ab606", commit="06ab606" + "0" * 33)) is same


async def test_production_that_moves_away_again_is_seen() -> None:
    script = moving(moved(), project(STAGED))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.FAILED and "production is 0505050" in ran["see"].words


async def test_a_firewall_proves_nothing_and_is_told() -> None:
    challenge = answering(403, b"<html>", {"x-vercel-mitigated": "challenge", "x-vercel-id": "fra1::abc"})
    ran = await rolled_back(moving(moved()).say("health", challenge))
    assert "cannot be seen from here" in ran["see"].words and "fra1::abc" in ran["see"].words


async def test_sick_before_and_well_after_is_done() -> None:
    script = hosting().say("health", sick())

    async def heal(seen: Seen, writer: Writer) -> None:
        script.say("project", moved())
        await asyncio.sleep(0.05)  # the picture of before is taken beside the request
        script.say("health", healthy())
        await ACCEPTED(seen, writer)

    ran = await rolled_back(script.say("rollback", heal))
    assert ran.outcome is RunOutcome.DONE and ran["ask"].data["before"]["states"]["health"] == "unhealthy"


async def test_well_before_and_sick_after_is_worse_and_offers_the_undo() -> None:
    script = moving(moved()).say("page", answering(200, b"x"), answering(500, b"x"))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.WORSE and f"undo: radar promote {NEW}" in ran["watch"].words


async def test_sick_before_and_after_is_no_success_and_not_worse() -> None:
    ran = await rolled_back(moving(moved()).say("page", answering(500, b"x")))
    assert ran.outcome is RunOutcome.FAILED and "not worse than before" in ran.words
    assert ran["follow"].holds, "the pin is in the ledger all the same"


# --- resumed --------------------------------------------------------------------------------------------------------


async def test_every_step_can_be_resumed_from_plan_and_data_alone() -> None:
    script = hosting()
    async with running(script) as server:
        where = context(server)
        plan = await planned(Rollback(), where)
        assert plan.data == json.loads(json.dumps(plan.data))
        script.say("project", moved())
        resolved = await Rollback().resolve(where, plan, plan.steps[0])
        assert resolved.outcome is StepOutcome.DONE, "the asking process is gone, and left nothing"
        for step in plan.steps[1:]:
            assert (await Rollback().carry_out(where, plan, step)).outcome is StepOutcome.DONE


def test_ours_is_what_came_after_and_goes_where_we_asked() -> None:
    asked = Asked(move="rollback", target=OLD, before_ms=1000)
    result = judged(project_of(project(NEW, job(OLD, "failed", at_ms=1000))), asked)
    assert isinstance(result, str), "the job of before, not ours"
    result = judged(project_of(project(NEW, job(OLD, "failed", at_ms=1001))), asked)
    assert isinstance(result, StepResult) and result.outcome is StepOutcome.FAILED
    result = judged(project_of(project(NEW, job(OLD, "failed", "promote", at_ms=1001))), asked)
    assert isinstance(result, str), "a promotion to the same is not our rollback"


async def test_undo_is_a_plan_of_promote() -> None:
    script = hosting().say("project", moved())
    async with running(script) as server:
        where = context(server)
        plan = await planned(Promote(), where, to=NEW)
    assert not plan.refusals, plan.checks
    assert plan.title == "Promote 0909090 to production from 0606060"
