"""Deploying a ref against a scripted Vercel: built, followed with the end of its log, and live or said not to be."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from console.actions.deploy import Deploy
from console.model.actions import Risk, RunOutcome
from console.model.ports import Refused
from tests.actions.hosting import (
    NEW,
    PROJECT,
    Hosting,
    Reads,
    carried_out,
    context,
    held,
    hosting,
    impatient,
    job,
    nothing_observed,
    planned,
    project,
    running,
    words_of,
)
from tests.actions.test_promote import BUILT, built, taking
from tests.sources.loopback import Seen, Writer, answering, cases

ERROR = cases("vercel_deployment_get")[2]["body"]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


async def deployed(script: Hosting, target: str = "production", ref: str = "main", reads: Reads | None = None) -> Any:
    async with running(script) as server:
        where = context(server, reads)
        return await carried_out(Deploy(), where, await planned(Deploy(), where, target=target, ref=ref))


async def test_the_plan_of_production() -> None:
    async with running(hosting()) as server:
        plan = await planned(Deploy(), context(server), target="production", ref="main")
    assert (plan.title, plan.risk, plan.phrase) == ("Deploy main to production", Risk.DISRUPTIVE, "main")
    assert [step.key for step in plan.steps] == ["before", "build", "built", "live", "see", "watch"]
    assert plan.undo == f"radar rollback --to {NEW}" and not plan.refusals
    assert '"ref": "main"' in plan.escape[0] and "/v13/deployments?teamId=team_Example1" in plan.escape[0]
    assert words_of(plan, "freeze") == "pass: no deploy freeze is in force"
    assert "build for production waits" not in words_of(plan, "job")


async def test_the_plan_of_staging_is_safe_and_leaves_production_alone() -> None:
    async with running(hosting()) as server:
        plan = await planned(Deploy(), context(server), target="staging", ref="09" * 20)
    assert (plan.risk, plan.phrase, plan.undo) == (Risk.SAFE, "", "") and plan.title == "Deploy 0909090 to staging"
    assert [step.key for step in plan.steps] == ["build", "built", "look"]


@pytest.mark.parametrize(
    ("parameters", "why"),
    [({"target": "moon", "ref": "main"}, "staging or production"),
     ({"target": "staging", "ref": "--force"}, "no ref"), ({"target": "staging", "ref": "a'; rm -rf"}, "no ref"),
     ({"target": "staging", "ref": "a..b"}, "no ref"), ({"target": 5, "ref": "main"}, "must be a text")],
)  # fmt: skip
async def test_what_is_no_ref_and_no_target(parameters: dict[str, Any], why: str) -> None:
    async with running(hosting()) as server:
        with pytest.raises(Refused, match=why):
            await planned(Deploy(), context(server), **parameters)


async def test_without_a_ref_it_is_the_branch_of_production() -> None:
    script = hosting()
    async with running(script) as server:
        assert (await planned(Deploy(), context(server), target="staging")).title == "Deploy main to staging"
        script.say("project", project(link={"type": "github", "org": "acme", "repo": "shop"}))
        with pytest.raises(Refused, match="which ref"):
            await planned(Deploy(), context(server), target="staging")


@pytest.mark.parametrize("link", [None, {"type": "gitlab"}, {"type": "github", "org": "acme"}])
async def test_only_what_is_linked_to_github_is_deployed(link: Any) -> None:
    async with running(hosting().say("project", project(link=link))) as server:
        with pytest.raises(Refused, match="linked to"):
            await planned(Deploy(), context(server), target="production", ref="main")


async def test_a_freeze_refuses_unless_it_is_overruled() -> None:
    reads = nothing_observed(actions=SimpleNamespace(holdings=(held("freeze", "acme/shop", "incident"),), runs=()))
    async with running(hosting()) as server:
        where = context(server, reads)
        assert "radar freeze off" in (await planned(Deploy(), where, target="production", ref="main")).refusals[0]
        despite = await planned(Deploy(), where, target="production", ref="main", despite_freeze=True)
        assert not despite.refusals and "goes on despite it" in words_of(despite, "freeze")
        assert not (await planned(Deploy(), where, target="staging", ref="main")).refusals
        over = nothing_observed(actions=SimpleNamespace(holdings=(held("freeze", "acme/shop", expires_ms=5),), runs=()))
        assert not (await planned(Deploy(), context(server, over), target="production", ref="main")).refusals
        one = nothing_observed(actions=SimpleNamespace(holdings=(held("freeze", "acme/shop run 77"),), runs=()))
        assert not (await planned(Deploy(), context(server, one), target="production", ref="main")).refusals
        blind = context(server, nothing_observed(actions=None))
        assert "cannot be read" in words_of(await planned(Deploy(), blind, target="production", ref="main"), "freeze")


async def test_production_is_built_followed_and_seen() -> None:
    script = hosting().say("deployment", built("QUEUED"), built("BUILDING"), built())
    taking(script, project(), project(BUILT), body=built("INITIALIZING"), name="create")
    ran = await deployed(script)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert json.loads(script.asked("create")[0].body) == {
        "name": "shop-web", "project": PROJECT, "target": "production", "meta": {"radarRun": "run-token-1"},
        "gitSource": {"type": "github", "org": "acme-example", "repo": "shop-web", "ref": "main"},
    }  # fmt: skip
    assert {"built: the build is queued", "built: the build is building"} <= set(ran.notes.told)


async def test_a_commit_is_named_as_such() -> None:
    script = hosting().say("create", answering(400, {"error": {"message": "ref not found"}}))
    ran = await deployed(script, ref="09" * 20)
    assert json.loads(script.asked("create")[0].body)["gitSource"]["sha"] == "09" * 20
    assert ran.outcome is RunOutcome.FAILED and "ref not found" in ran.words and len(script.asked("create")) == 1


async def test_a_failed_build_shows_the_end_of_its_log() -> None:
    lines = "\n".join(cases("vercel_deployment_events")[0]["body_lines"]).encode()
    script = hosting().say("create", built("QUEUED")).say("deployment", built("BUILDING"), ERROR)
    script.say("events", answering(200, lines, {"content-type": "application/stream+json"}))
    ran = await deployed(script)
    assert ran.outcome is RunOutcome.FAILED
    assert "the build is error: Command" in ran.words and "warn - Using beta feature" in ran.words
    assert ran["built"].data["log"] == ['Running "npm run build"', "Compiled successfully", "warn - Using beta feature"]
    script.say("events", answering(500, {})).say("deployment", ERROR)
    assert "its log cannot be read" in (await deployed(script)).words


@pytest.mark.parametrize("state", ["CANCELED", "DELETED"])
async def test_a_build_that_somebody_ended(state: str) -> None:
    script = hosting().say("create", built("QUEUED")).say("deployment", built(state)).say("events", answering(200, []))
    ran = await deployed(script)
    assert ran.outcome is RunOutcome.FAILED and state.lower() in ran.words


async def test_a_build_in_a_state_not_known_here_is_unknown_in_the_end() -> None:
    script = hosting().say("create", built("QUEUED")).say("deployment", built("HIBERNATING"))
    ran = await deployed(script)
    assert ran.outcome is RunOutcome.UNKNOWN and "the build is unknown" in " ".join(ran.notes.told)


async def test_pinned_production_is_built_and_said_not_to_be_live() -> None:
    script = hosting().say("project", project(autoAssignCustomDomains=False)).say("create", built("QUEUED"))
    script.say("deployment", built())
    async with running(script) as server:
        where = context(server)
        plan = await planned(Deploy(), where, target="production", ref="main")
        assert [step.key for step in plan.steps] == ["build", "built"] and plan.undo == ""
        assert "does not go live" in words_of(plan, "live") and "radar promote" in plan.afterwards[0]
        assert (await carried_out(Deploy(), where, plan)).outcome is RunOutcome.DONE


async def test_production_pinned_while_it_was_built() -> None:
    script = hosting().say("deployment", built())
    taking(script, project(autoAssignCustomDomains=False), body=built("QUEUED"), name="create")
    ran = await deployed(script)
    assert ran.outcome is RunOutcome.FAILED and f"radar promote {BUILT}" in ran.words


async def test_checks_before_the_domains_that_fail() -> None:
    stuck = built(checks={"deployment-alias": {"state": "failed"}})
    ran = await deployed(hosting().say("create", built("QUEUED")).say("deployment", stuck))
    assert ran.outcome is RunOutcome.FAILED and "checks before its domains failed" in ran.words


async def test_staging_is_looked_at_and_may_be_protected() -> None:
    script = hosting().say("create", built("QUEUED")).say("deployment", built())
    ran = await deployed(script, target="staging")
    assert json.loads(script.asked("create")[0].body)["target"] == "staging"
    assert ran.outcome is RunOutcome.DONE, "that nobody could look at it loses nothing"


async def test_without_a_staging_environment_it_is_a_preview() -> None:
    refusal = answering(400, {"error": {"code": "bad_request", "message": "Unknown target environment `staging`"}})
    script = hosting().say("create", refusal, answering(200, built("QUEUED"))).say("deployment", built())
    ran = await deployed(script, target="staging")
    assert "so it is a preview" in ran["build"].words and len(script.asked("create")) == 2
    assert "target" not in json.loads(script.asked("create")[1].body)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 422, 429])
async def test_every_refusal_begins_nothing(status: int) -> None:
    script = hosting().say("create", answering(status, {"error": {"message": "no"}}))
    ran = await deployed(script)
    assert ran.outcome is RunOutcome.FAILED and f"Vercel answers {status}: no" in ran.words


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_what_may_have_got_through_is_looked_for(status: int) -> None:
    ran = await deployed(hosting().say("create", answering(status, b"<html>", {"content-type": "text/html"})))
    assert "nothing was begun" in ran.words


async def test_a_running_job_refuses() -> None:
    script = hosting().say("project", project(job=job(NEW, "pending", "promote")))
    async with running(script) as server:
        assert (await planned(Deploy(), context(server), target="production", ref="main")).refusals


async def test_truncated_json_after_it_was_begun_is_found_again() -> None:
    script = hosting().say("deployment", built())

    async def begun(seen: Seen, writer: Writer) -> None:
        entry = {"uid": BUILT, "readyState": "QUEUED", "meta": {"radarRun": "run-token-1"}}
        script.say("deployments", {"deployments": [entry]}).say("project", project(BUILT))
        await answering(200, b'{"id": "dpl_Exam')(seen, writer)

    ran = await deployed(script.say("create", begun))
    assert ran.outcome is RunOutcome.DONE and ran["build"].data["built"] == BUILT
