"""Promote against a scripted Vercel: it switches the assignment on, queues behind a release, rebuilds previews."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from console.actions import vercel_build
from console.actions.promote import Promote
from console.model.actions import Risk, RunOutcome, StepOutcome
from console.model.ports import Refused
from tests.actions.hosting import (
    LIST,
    NEW,
    OLD,
    PREVIEW,
    PROJECT,
    STAGED,
    Hosting,
    Reads,
    carried_out,
    context,
    held,
    hosting,
    impatient,
    job,
    nothing_observed,
    observed,
    planned,
    project,
    rollback_run,
    running,
    shown,
    words_of,
)
from tests.sources.loopback import Seen, Writer, answering, cases, hang, replay

BUILT = "dpl_Example00000000000000000012"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


def pinned(live: str = OLD) -> dict[str, Any]:
    """Production as a rollback left it."""
    return project(live, autoAssignCustomDomains=False)


def taking(
    script: Hosting, *projects: dict[str, Any], status: int = 201, body: Any = b"", name: str = "promote"
) -> Hosting:
    """The change is taken; after that the project is answered so."""

    async def accept(seen: Seen, writer: Writer) -> None:
        script.say("project", *projects)
        await answering(status, body)(seen, writer)

    return script.say(name, accept)


async def promoted(script: Hosting, to: str, **more: Any) -> Any:
    async with running(script) as server:
        where = context(server)
        return await carried_out(Promote(), where, await planned(Promote(), where, to=to), **more)


async def test_the_plan_says_that_the_assignment_is_switched_on() -> None:
    script = hosting().say("project", pinned())
    reads = nothing_observed(actions=SimpleNamespace(holdings=(held("pinned", PROJECT, "pinned by x"),), runs=()))
    async with running(script) as server:
        plan = await planned(Promote(), context(server, reads), to=NEW)
        assert words_of(plan, "pinned") == "pass: this ends: pinned by x (op2)"
        by_choice = await planned(Promote(), context(server), to=NEW)
    assert plan.title == "Promote 0909090 to production from 0606060" and plan.short_id == "0909090"
    assert "switches that ON, even where it was off on purpose" in plan.afterwards[0]
    assert plan.undo == f"radar rollback --to {OLD}" and plan.undo_request and plan.undo_request.action == "rollback"
    assert plan.escape[0] == f"vercel promote {NEW} --scope team_Example1"
    assert plan.steps[1].call == f"POST /v10/projects/{PROJECT}/promote/{NEW} (asynchronous)"
    assert "by somebody's choice: this switches it ON" in words_of(by_choice, "pinned")


async def test_it_is_followed_and_releases_the_pin() -> None:
    script = taking(hosting().say("project", pinned()), project(OLD, job(NEW, "pending", "promote")),
                    project(NEW, job(NEW, "succeeded", "promote")))  # fmt: skip
    ran = await promoted(script, NEW)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert ("pinned", PROJECT) in ran["follow"].releases and not ran["follow"].holds
    assert "description" not in script.asked("promote")[0].path


async def test_a_rollback_to_the_same_is_not_our_promotion() -> None:
    script = taking(hosting().say("project", pinned()), project(OLD, job(NEW, "succeeded", "rollback")))
    ran = await promoted(script, NEW)
    assert ran.outcome is not RunOutcome.DONE and not ran["follow"].releases


async def test_what_serves_already_is_promoted_only_to_end_the_pin() -> None:
    script = hosting()
    async with running(script) as server:
        assert "serves production already" in (await planned(Promote(), context(server), to=NEW)).refusals[0]
    script = taking(hosting().say("project", pinned(NEW)), pinned(NEW), project(NEW, job(NEW, "succeeded", "promote")))
    ran = await promoted(script, NEW)
    assert ran.outcome is RunOutcome.DONE and ran["follow"].releases
    assert "Vercel does not show the request yet" in " ".join(ran.notes.told), (
        "it was production before: that proves nothing"
    )


def recorded(*runs: SimpleNamespace, pin: bool = False, errors: float | None = None) -> Reads:
    """What our journal and store know."""
    holdings = (held("pinned", PROJECT, "pinned by x"),) if pin else ()
    return observed(shown(NEW, errors=errors), runs=runs, holdings=holdings)


async def test_what_a_rollback_left_warns_with_its_errors() -> None:
    script = hosting().say("project", pinned())
    async with running(script) as server:
        left = recorded(rollback_run(NEW), pin=True, errors=0.289)
        said = words_of(await planned(Promote(), context(server, left), to=NEW), "target")
        assert said.startswith("warn") and "a rollback left it (run 7, op2: errors 28.9 %)" in said
        assert "errors 29 %" in said, "as observed, not only as somebody said"
        failed = recorded(rollback_run(NEW, RunOutcome.FAILED), errors=0.001)
        assert words_of(await planned(Promote(), context(server, failed), to=NEW), "target").startswith("pass")
        bad = words_of(await planned(Promote(), context(server, recorded(errors=0.289)), to=NEW), "target")
        assert bad.startswith("warn") and "errors 29 %" in bad
        elsewhere = job(OLD, "succeeded")
        script.say("project", project(OLD, elsewhere, autoAssignCustomDomains=False))
        assert "the last rollback at Vercel left it" in words_of(
            await planned(Promote(), context(server), to=NEW), "target"
        )


async def test_a_pin_that_was_ended_elsewhere_is_released_without_asking_vercel() -> None:
    script = hosting()
    async with running(script) as server:
        where = context(server, recorded(pin=True))
        plan = await planned(Promote(), where, to=NEW)
        assert not plan.refusals and plan.risk is Risk.SAFE and [step.key for step in plan.steps] == ["look", "release"]
        ran = await carried_out(Promote(), where, plan)
        assert ran.outcome is RunOutcome.DONE and ("pinned", PROJECT) in ran["release"].releases
        script.say("project", pinned(NEW))
        ran = await carried_out(Promote(), where, plan)
        assert ran.outcome is RunOutcome.FAILED and "release" not in ran.notes.results, "it is pinned again"
        again = await planned(Promote(), where, to=NEW)
    assert [step.key for step in again.steps] == ["before", "ask", "follow", "see", "watch"], "now it switches it on"
    assert not script.asked("promote")


async def test_a_build_that_went_live_by_itself_ends_the_entry_too() -> None:
    script = hosting().say("deployment", built("BUILDING"), built())
    taking(script, project(), project(BUILT), body=built("QUEUED"), name="create")
    ran = await promoted(script, PREVIEW)
    assert ("pinned", PROJECT) in ran["live"].releases


async def test_202_waits_behind_the_rolling_release() -> None:
    released = cases("vercel_rolling_release")[1]["body"]
    script = hosting().say("project", project(OLD, rollingRelease={"target": "production"})).say("rolling", released)
    async with running(script) as server:
        plan = await planned(Promote(), context(server), to=NEW)
    assert "the promotion waits behind it" in words_of(plan, "rolling")
    waiting = [project(OLD)] * 60  # longer than a job that is not queued is followed
    script = taking(script, *waiting, project(NEW, job(NEW, "succeeded", "promote")), status=202)
    ran = await promoted(script, NEW)
    assert ran.outcome is RunOutcome.DONE and "queued behind the rolling release" in ran["ask"].words
    assert "waiting behind the rolling release" in " ".join(ran.notes.told)


@pytest.mark.parametrize("case", cases("vercel_promote_request"), ids=lambda case: case["name"])
async def test_every_documented_answer(case: dict[str, Any]) -> None:
    script = hosting().say("project", pinned()).say("promote", replay(case))
    ran = await promoted(script, NEW)
    if case["status"] < 300:
        assert ran.outcome is RunOutcome.UNKNOWN
    else:
        assert ran.outcome is RunOutcome.FAILED
        assert ("nothing was changed" if case["status"] >= 500 else str(case["status"])) in ran.words
    assert len(script.asked("promote")) == 1


async def test_carried_out_and_never_answered_is_resolved() -> None:
    script = hosting().say("project", pinned())

    async def carry_out_and_hang(seen: Seen, writer: Writer) -> None:
        script.say("project", project(NEW, job(NEW, "succeeded", "promote")))
        await hang(seen, writer)

    ran = await promoted(script.say("promote", carry_out_and_hang), NEW)
    assert ran.outcome is RunOutcome.DONE and len(script.asked("promote")) == 1


async def test_failed_domains_of_a_promotion() -> None:
    script = taking(hosting().say("project", pinned()), project(OLD, job(NEW, "failed", "promote")))
    script.say("promote aliases", {"aliases": [{"alias": "shop.example.com", "id": "x", "status": "failed"}]})
    ran = await promoted(script, NEW)
    assert (
        ran.outcome is RunOutcome.FAILED and "not moved: shop.example.com" in ran.words and not ran["follow"].releases
    )


@pytest.mark.parametrize(("name", "why"), [("0808080", "building"), ("0707070", "error")])
async def test_what_is_not_built_cannot_be_promoted(name: str, why: str) -> None:
    async with running(hosting()) as server:
        plan = await planned(Promote(), context(server), to=name)
    assert any(why in words for words in plan.refusals)


async def test_a_staged_build_may_be_promoted_though_its_checks_failed() -> None:
    async with running(hosting()) as server:
        plan = await planned(Promote(), context(server), to=STAGED)
        assert not plan.refusals and words_of(plan, "target").startswith("warn")
        with pytest.raises(Refused, match="which deployment"):
            await planned(Promote(), context(server))


async def test_a_freeze_is_told() -> None:
    reads = nothing_observed(actions=SimpleNamespace(holdings=(held("freeze", "acme/shop"),), runs=()))
    async with running(hosting()) as server:
        plan = await planned(Promote(), context(server, reads), to=STAGED)
    assert words_of(plan, "freeze").startswith("warn: a deploy freeze is in force")


# --- previews -------------------------------------------------------------------------------------------------------


def built(state: str = "READY", **more: Any) -> dict[str, Any]:
    return {"id": BUILT, "readyState": state, "target": "production", "url": "127.0.0.1:1", **more}


async def test_a_preview_is_built_anew_and_followed_until_it_serves() -> None:
    script = hosting().say("deployment", built("BUILDING"), built())
    taking(script, project(), project(BUILT), body=built("QUEUED"), name="create")
    async with running(script) as server:
        plan = await planned(Promote(), context(server), to=PREVIEW)
        assert [step.key for step in plan.steps] == ["before", "build", "built", "live", "see", "watch"]
        assert words_of(plan, "target").startswith("warn") and "built anew" in words_of(plan, "target")
    ran = await promoted(script, PREVIEW)
    assert ran.outcome is RunOutcome.DONE, ran.words
    sent = json.loads(script.asked("create")[0].body)
    assert sent == {
        "deploymentId": PREVIEW, "name": "shop-web", "target": "production",
        "meta": {"action": "promote", "radarRun": "run-token-1"},
    }  # fmt: skip
    assert "built: the build is building" in ran.notes.told and not script.asked("promote")


async def test_where_nothing_goes_live_by_itself_the_new_build_is_promoted() -> None:
    script = hosting().say("project", pinned()).say("deployment", built())
    script.say("create", built("QUEUED"))
    taking(script, project(BUILT, job(BUILT, "succeeded", "promote")))
    ran = await promoted(script, PREVIEW)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert [seen.path.partition("?")[0] for seen in script.asked("promote")] == [
        f"/v10/projects/{PROJECT}/promote/{BUILT}"
    ]
    assert ran["follow"].releases


@pytest.mark.parametrize("live", [NEW, None])
async def test_who_moved_production_during_the_build_is_not_overruled(live: str | None) -> None:
    script = hosting().say("project", pinned())
    then = pinned(live or OLD) | ({} if live else {"targets": {}})

    async def build(seen: Seen, writer: Writer) -> None:
        script.say("project", then)
        await answering(200, built("QUEUED"))(seen, writer)

    ran = await promoted(script.say("create", build).say("deployment", built()), PREVIEW)
    assert ran.outcome is RunOutcome.FAILED and "production was 0606060" in ran.words
    assert "nothing was asked" in ran["ask"].words and not script.asked("promote")


async def test_a_build_whose_answer_is_lost_is_found_again_by_the_runs_token() -> None:
    script = hosting().say("deployment", built())
    entry = {**LIST["deployments"][0], "uid": BUILT, "meta": {"radarRun": "run-token-1"}}

    async def carry_out_and_hang(seen: Seen, writer: Writer) -> None:
        script.say("deployments", {"deployments": [entry, *LIST["deployments"]]}).say("project", project(BUILT))
        await hang(seen, writer)

    ran = await promoted(script.say("create", carry_out_and_hang), PREVIEW)
    assert ran.outcome is RunOutcome.DONE and ran["build"].data["built"] == BUILT
    assert len(script.asked("create")) == 1


async def test_a_build_of_another_run_is_not_ours() -> None:
    script = hosting().say("create", hang)
    entry = {**LIST["deployments"][0], "uid": BUILT, "meta": {"radarRun": "run-token-2"}}
    script.say("deployments", {"deployments": [entry, *LIST["deployments"]]})
    ran = await promoted(script, PREVIEW)
    assert ran["build"].outcome is StepOutcome.FAILED and "nothing was begun" in ran["build"].words


async def test_where_no_meta_is_told_nobody_knows() -> None:
    script = hosting().say("create", hang)
    async with running(script) as server:
        where = context(server)
        plan = await planned(Promote(), where, to=PREVIEW)
        script.say("deployments", {"deployments": [{"uid": "dpl_x"}]})
        result = await vercel_build.resolve(where, plan.steps[1])
    assert result is not None and result.outcome is StepOutcome.UNKNOWN


async def test_a_state_in_a_word_that_is_not_known_here_warns_and_refuses_nothing() -> None:
    one = next(entry for entry in LIST["deployments"] if entry["uid"] == NEW)
    odd = {**one, "readyState": "AWAITING-CHECKS", "state": "AWAITING-CHECKS"}
    script = hosting().say("project", pinned()).say("deployments", {"deployments": [odd]})
    async with running(script) as server:
        plan = await planned(Promote(), context(server), to=NEW)
    assert not plan.refusals and "a word that is not known here" in words_of(plan, "target")
    script.say("deployments", {"deployments": [{**one, "readyState": "ERROR"}]})
    async with running(script) as server:
        assert "its build is error" in (await planned(Promote(), context(server), to=NEW)).refusals[0]
