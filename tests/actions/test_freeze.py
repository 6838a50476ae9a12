"""Deploy freezes: what they end and leave, as an action, as an option of others, and by their keeper."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from console.actions import ci, hold_ci
from console.actions.cancel_run import CancelRun
from console.actions.freeze import Freeze
from console.actions.github_api import GitHubApi
from console.model.actions import ActionRequest, CheckResult, Plan, Risk, RunOutcome, StepKind, StepOutcome
from console.model.ports import Refused
from console.model.views import OpenItem
from console.store import due
from tests.actions.ci_site import SUBJECT, Site
from tests.actions.hosting import (
    carried_out,
    held,
    now_ms,
    planned,
    project,
    words_of,
)
from tests.sources.loopback import answering

# Freeze


def cancels(plan: Plan) -> list[str]:
    return [step.key for step in plan.steps if step.kind is StepKind.CHANGE]


async def test_freeze_holds_and_cancels_what_would_deploy(site: Site) -> None:
    run, before = site.building(), now_ms()
    plan = await planned(Freeze(), site.where, on=True, hours=2)
    assert cancels(plan) == [f"cancel-ci-{run.id}"] and plan.risk is Risk.DISRUPTIVE
    assert plan.steps[0].key == "hold-ci", "what begins between the two is the keeper's"
    ran = await carried_out(Freeze(), site.where, plan)
    assert ran.outcome is RunOutcome.DONE and run.conclusion == "cancelled"
    (holding,) = ran["hold-ci"].holds
    assert holding.request == ActionRequest(action="freeze", parameters={"on": False})
    assert (holding.kind, holding.subject, holding.undo) == ("freeze", SUBJECT, "radar freeze off")
    assert holding.expires_ms and 7_200_000 <= holding.expires_ms - before < 7_260_000
    assert site.where.reason in holding.text


@pytest.mark.parametrize("at", ["deploy-production", "migrate"])
async def test_freeze_does_not_cut_what_is_half_way_unless_told(site: Site, at: str) -> None:
    run = site.building(at)
    plan = await planned(Freeze(), site.where, on=True)
    assert cancels(plan) == [] and plan.risk is Risk.DISRUPTIVE, "its keeper ends what others begin later"
    assert words_of(plan, f"ci-{run.id}").startswith("warn") and [option.key for option in plan.options] == ["c"]
    told = await planned(Freeze(), site.where, on=True, half_way=True)
    assert cancels(told) == [f"cancel-ci-{run.id}"] and told.digest != plan.digest


async def test_what_has_deployed_already_is_left_alone(site: Site) -> None:
    site.building("performance")
    plan = await planned(Freeze(), site.where, on=True)
    assert cancels(plan) == [] and "no CI run on main is going to deploy" in words_of(plan, "ci")


async def test_freeze_of_one_run_holds_only_that(site: Site) -> None:
    one, other = site.building(), site.building()
    ran = await site.run(Freeze(), on=True, run=one.number)
    assert one.conclusion == "cancelled" and other.conclusion is None
    assert ran["hold-ci"].holds[0].subject == f"{SUBJECT} run {one.id}"


async def test_while_github_does_not_answer_the_freeze_is_recorded(site: Site) -> None:
    await site.listener.close()
    plan = await planned(Freeze(), site.where, on=True)
    assert words_of(plan, "ci").startswith("warn: which CI runs are in progress cannot be read")
    ran = await carried_out(Freeze(), site.where, plan)
    assert ran.outcome is RunOutcome.DONE and ran["hold-ci"].holds


async def test_freeze_says_that_nobody_keeps_it(site: Site) -> None:
    assert "only while someone looks" in words_of(await planned(Freeze(), site.where, on=True), "keeper")


@pytest.mark.parametrize("hours", [0, -1, 73, "1", True, None])
async def test_hours_are_some_and_not_days(site: Site, hours: Any) -> None:
    with pytest.raises(Refused):
        await planned(Freeze(), site.where, on=True, hours=hours)


async def test_on_or_off_must_be_said(site: Site) -> None:
    with pytest.raises(Refused, match="on or off"):
        await planned(Freeze(), site.where)


def mine(site: Site, began_ms: int, owner: str = "op1 (loginuid)", subject: str = SUBJECT) -> SimpleNamespace:
    row = held("freeze", subject, expires_ms=began_ms + 600_000)
    row.began_ms, row.owner = began_ms, owner
    return row


async def test_the_end_names_what_was_cancelled_and_how_to_run_it_again(site: Site) -> None:
    run, began = site.building(), now_ms()
    plan = await planned(Freeze(), site.where, on=True)
    site.journaled(plan, await carried_out(Freeze(), site.where, plan))
    where = site.holding(mine(site, began))
    ran = await carried_out(Freeze(), where, await planned(Freeze(), where, on=False))
    assert ran["release"].releases == (("freeze", SUBJECT),)
    assert f"radar rerun {run.number}" in ran["release"].words
    assert (await planned(Freeze(), site.where, on=False)).refusals, "there is none to end"


async def test_the_end_names_what_was_made_days_before_or_elsewhere(site: Site) -> None:
    """A new attempt keeps the time of making of its run, which can be days ago and of another branch."""
    run, began = site.building(), now_ms()
    run.created_ms -= 3 * 86_400_000
    plan = await planned(Freeze(), site.where, on=True)
    site.journaled(plan, await carried_out(Freeze(), site.where, plan))
    where = site.holding(mine(site, began))
    assert f"radar rerun {run.number}" in " ".join((await planned(Freeze(), where, on=False)).afterwards)


async def test_the_end_names_what_the_keeper_cancelled_and_nothing_of_before(site: Site) -> None:
    before, kept = site.building(), site.building()
    first = await planned(CancelRun(), site.where, run=before.id)
    site.journaled(first, await carried_out(CancelRun(), site.where, first))
    began = now_ms()
    row = due.add(
        site.where.records, key=f"freeze/1/{kept.id}/1", due_ms=began, action="cancel-run", parameters={}, title="t",
        reason="r", operator="op1", operator_uid=1,
    )  # fmt: skip
    plan = await planned(CancelRun(), site.where, run=kept.id, attempt=1)
    site.journaled(plan, await carried_out(CancelRun(), site.where, plan))
    newest = site.where.records.read(lambda c: c.execute("SELECT token FROM run ORDER BY id DESC LIMIT 1").fetchone())
    due.note_run(site.where.records, row.id, newest[0])
    told = " ".join((await planned(Freeze(), site.holding(mine(site, began)), on=False)).afterwards)
    assert f"radar rerun {kept.number}" in told and f"#{before.number} " not in told


async def test_what_ran_again_since_is_not_asked_for_once_more(site: Site) -> None:
    run, began = site.building(), now_ms()
    plan = await planned(Freeze(), site.where, on=True)
    site.journaled(plan, await carried_out(Freeze(), site.where, plan))
    run.attempt, run.conclusion = 2, "success"
    told = " ".join((await planned(Freeze(), site.holding(mine(site, began)), on=False)).afterwards)
    assert "is success now at attempt 2" in told and "radar rerun" not in told


async def test_the_freeze_of_somebody_else_is_ended_by_more_than_enter(site: Site) -> None:
    own = await planned(Freeze(), site.holding(mine(site, now_ms())), on=False)
    assert own.risk is Risk.SAFE and "op1" in own.title and words_of(own, "others") == ""
    both = site.holding(mine(site, now_ms()), mine(site, now_ms(), "op2 (loginuid)", f"{SUBJECT} run 19000000407"))
    plan = await planned(Freeze(), both, on=False)
    assert plan.risk is Risk.DISRUPTIVE and "op1 (loginuid)" in plan.title and "op2 (loginuid)" in plan.title
    assert words_of(plan, "others").startswith("warn: it is not yours: op2")
    over = mine(site, now_ms() - 3_600_000, "op2 (loginuid)")
    assert (await planned(Freeze(), site.holding(over), on=False)).risk is Risk.SAFE, "it has run out"


# What it does not hold


async def test_the_plan_says_that_vercel_deploys_by_itself(site: Site) -> None:
    plan = await planned(Freeze(), site.where, on=True)
    said = words_of(plan, "not-held")
    assert said.startswith("warn: NOT HELD: Vercel builds each push to main of ") and "vercel git disconnect" in said
    told = " ".join(plan.afterwards)
    assert "what is merged does not deploy" not in told and "not held: what Vercel builds" in told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"autoAssignCustomDomains": False}, "pass: Vercel builds pushes to main of "),
        ({"link": None}, "pass: the Vercel project is linked to no repository"),
        ({"link": None, "autoAssignCustomDomains": None}, "warn: whether Vercel deploys by itself what is pushed is"),
        ({"autoAssignCustomDomains": None}, "warn: NOT HELD: Vercel builds each push to main of "),
    ],
)
async def test_what_vercel_does_by_itself_is_told_as_it_is(site: Site, changes: dict[str, Any], said: str) -> None:
    site.vercel.say("project", project(**changes))
    assert words_of(await planned(Freeze(), site.where, on=True), "not-held").startswith(said)


async def test_whether_vercel_deploys_that_cannot_be_read_warns(site: Site) -> None:
    site.vercel.say("project", answering(403, {"error": {"code": "forbidden", "message": "no"}}))
    said = words_of(await planned(Freeze(), site.where, on=True), "not-held")
    assert said.startswith("warn: whether Vercel deploys by itself what is pushed cannot be read: ")


async def test_the_end_names_what_went_live_during_it(site: Site) -> None:
    text = '8f3c1d2 "pricing v2" went live during the deploy freeze of op1'
    where = site.holding(mine(site, now_ms()), open_items=[OpenItem(kind="not held", text=text)])
    ran = await carried_out(Freeze(), where, await planned(Freeze(), where, on=False))
    assert f"NOT HELD: {text}" in ran["release"].words
    nothing = await planned(Freeze(), site.holding(mine(site, now_ms())), on=False)
    assert "NOT HELD" not in " ".join(nothing.afterwards)


# One run alone


async def test_a_hold_of_one_run_claims_nothing_of_the_rest(site: Site) -> None:
    one = site.building()
    plan = await planned(Freeze(), site.where, on=True, run=one.number)
    assert plan.title == f"Hold CI run #{one.number} for 1 h" and words_of(plan, "not-held") == ""
    told = " ".join(plan.afterwards)
    assert "other runs and radar deploy go on" in told and "radar deploy production refuse" not in told
    ran = await carried_out(Freeze(), site.where, plan)
    assert f"CI run #{one.number} alone is held" in ran["hold-ci"].holds[0].text


async def test_what_has_ended_is_not_held(site: Site) -> None:
    one = site.building()
    one.end("success")
    plan = await planned(Freeze(), site.where, on=True, run=one.number)
    assert plan.refusals == (f"#{one.number} is at its end (success): there is nothing to hold",)


async def test_an_older_freeze_is_named_before_it_is_replaced(site: Site) -> None:
    plan = await planned(Freeze(), site.holding(held("freeze", SUBJECT, expires_ms=now_ms() + 60_000)), on=True)
    assert "op2" in words_of(plan, "freeze") and not plan.refusals


async def test_another_plan_offers_it_as_an_option(site: Site) -> None:
    assert hold_ci.option(await hold_ci.facts(site.where), on=False) is None
    run = site.building()
    facts = await hold_ci.facts(site.where)
    option = hold_ci.option(facts, on=True)
    assert (
        option
        and option.key == "h"
        and option.words == f"hold CI run #{run.number} while this plan runs (deploy freeze, 1 h)"
    )
    assert [check.result for check in hold_ci.checks(facts)] == [CheckResult.WARN]
    without = dataclasses.replace(site.where, operations=dataclasses.replace(site.where.operations, github=None))
    assert await hold_ci.facts(without) == {} and hold_ci.checks({}) == ()


# What happened since the plan was made


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs whose end was asked for."""
    found: list[int] = []
    post = GitHubApi.cancel

    async def noted(self: GitHubApi, run: int, *, force: bool = False) -> None:
        found.append(run)
        await post(self, run, force=force)

    monkeypatch.setattr(GitHubApi, "cancel", noted)
    return found


@pytest.mark.parametrize("ends", ["success", "cancelled"])
async def test_what_has_ended_meanwhile_is_told_and_not_asked_for(site: Site, asked_for: list[int], ends: str) -> None:
    ended, goes_on = site.building(), site.building()
    plan = await planned(Freeze(), site.where, on=True)
    ended.end(ends)
    ran = await carried_out(Freeze(), site.where, plan)
    assert asked_for == [goes_on.id] and ran.outcome is RunOutcome.DONE and goes_on.conclusion == "cancelled"
    words = "is cancelled" if ends == "cancelled" else "has ended by itself: success"
    assert ran[f"cancel-ci-{ended.id}"].words == f"#{ended.number} {words}: nothing had to be asked for"


async def test_what_began_to_migrate_meanwhile_is_not_cut(site: Site, asked_for: list[int]) -> None:
    run = site.building()
    plan, told = [await planned(Freeze(), site.where, on=True, half_way=half_way) for half_way in (False, True)]
    jobs = {job.name: job for job in run.jobs}
    jobs["build"].status, jobs["migrate"].status = "completed", "in_progress"
    ran = await carried_out(Freeze(), site.where, plan)
    assert ran.outcome is RunOutcome.FAILED and asked_for == [] and run.conclusion is None
    assert ran[f"cancel-ci-{run.id}"].words == f"migrate of #{run.number} is in progress: nothing was asked for"
    assert ran["hold-ci"].holds, "the freeze itself is in force"
    assert (await carried_out(Freeze(), site.where, told)).outcome is RunOutcome.DONE and asked_for == [run.id]


async def test_as_an_option_of_another_plan_it_looks_again_too(site: Site, asked_for: list[int]) -> None:
    run = site.building()
    found = await hold_ci.facts(site.where)
    plan = Plan(
        action="rollback", title="", environment="demo", target="", short_id="x", risk=Risk.DISRUPTIVE, exclusion=None,
        checks=(), steps=hold_ci.steps(hold_ci.data(found)), data=hold_ci.data(found),
    )  # fmt: skip
    run.end("success")
    result = await hold_ci.carry_out(site.where, plan, plan.steps[1])
    assert result is not None and result.outcome is StepOutcome.DONE and asked_for == []
    assert "has ended by itself: success: nothing had to be asked for" in result.words


# The keeper of a freeze, whom nobody watches


@pytest.mark.parametrize("at", ["deploy-production", "migrate"])
async def test_the_keeper_ends_nothing_half_way(site: Site, at: str) -> None:
    run = site.building(at)
    plan = await planned(CancelRun(), site.where, run=run.id, attempt=1)
    assert words_of(plan, f"half-way-{run.id}").startswith("fail") and plan.refusals
    by_hand = await planned(CancelRun(), site.where, run=run.id)
    assert not by_hand.refusals, "a person may choose it"


async def test_the_keeper_ends_nothing_whose_jobs_it_cannot_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    run = site.building()

    async def unreadable(*_: object) -> None:
        return None

    monkeypatch.setattr(ci, "jobs_or_none", unreadable)
    assert (await planned(CancelRun(), site.where, run=run.id, attempt=1)).refusals
    assert not (await planned(CancelRun(), site.where, run=run.id)).refusals


@pytest.mark.parametrize("change", ["migrates", "attempt", "unread"])
async def test_the_keeper_looks_again_right_before_it_asks(
    site: Site, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    run = site.building()
    plan = await planned(CancelRun(), site.where, run=run.id, attempt=1)
    assert not plan.refusals
    if change == "migrates":
        jobs = {job.name: job for job in run.jobs}
        jobs["build"].status, jobs["migrate"].status = "completed", "in_progress"
    elif change == "attempt":
        run.attempt = 2
    else:
        await site.listener.close()
    ran = await carried_out(CancelRun(), site.where, plan)
    assert ran.outcome is RunOutcome.FAILED and "nothing was asked for" in ran.words
    assert run.conclusion is None


async def test_the_keeper_ends_what_only_builds(site: Site) -> None:
    run = site.building()
    ran = await site.run(CancelRun(), run=run.id, attempt=1)
    assert ran.outcome is RunOutcome.DONE and run.conclusion == "cancelled"
