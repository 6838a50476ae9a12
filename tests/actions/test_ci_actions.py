"""Re-run, cancel and freeze against the demo's stand-in for GitHub, whose runs really go on, end and deploy."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.actions import cancel_run, ci, hold_ci, rerun, wire
from console.actions.base import Context
from console.actions.cancel_run import CancelRun
from console.actions.freeze import Freeze
from console.actions.github_api import GitHubApi
from console.actions.rerun import Rerun
from console.demo.listeners import HttpListener
from console.demo.ports import Ports
from console.demo.standins import pipeline as standin
from console.demo.standins import project as builds
from console.demo.standins.github import GitHub as StandIn
from console.demo.standins.pipeline import Pipeline, Run
from console.demo.standins.project import Project
from console.demo.world import ORGANISATION, REPOSITORY, author
from console.model.actions import CheckResult, Plan, Risk, RunOutcome, StepKind, StepOutcome
from console.model.configuration import Secret
from console.model.observation import Json
from console.model.operations import GitHub
from console.model.ports import Refused
from console.model.wire import Unanswered
from console.sources.http import Limits
from tests.actions.hosting import (
    TOKEN,
    Ran,
    carried_out,
    context,
    held,
    hosting,
    nothing_observed,
    now_ms,
    planned,
    running,
    words_of,
)

SUBJECT = f"{ORGANISATION}/{REPOSITORY}"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LIMITS", Limits(connect_s=1.0, read_s=0.5, total_s=1.0, body_bytes=1 << 20))
    monkeypatch.setattr(standin, "CANCEL_S", 0.05)
    monkeypatch.setattr(standin, "LIVE_S", dict.fromkeys(standin.LIVE_S, 0.02))
    monkeypatch.setattr(builds, "BUILD_S", 0.02)


@dataclass
class Site:
    """The stand-in, and a context that acts on it."""

    project: Project
    pipeline: Pipeline
    where: Context
    listener: HttpListener

    async def run(self, action: Any, **parameters: Any) -> Ran:
        return await carried_out(action, self.where, await planned(action, self.where, **parameters))

    def holding(self, *rows: SimpleNamespace) -> Context:
        """The context, with these in the ledger."""
        actions = SimpleNamespace(holdings=rows, runs=())
        return dataclasses.replace(self.where, reads=cast(Any, nothing_observed(actions=actions)))

    def building(self, at: str = "build") -> Run:
        """A run in progress in that job, which stays there."""
        run = self.pipeline.begin_migrating()
        for job in run.jobs:
            job.status, job.conclusion = "completed", "success"
        place = [job.name for job in run.jobs].index(at)
        for job in run.jobs[place:]:
            job.status, job.conclusion = ("in_progress" if job.name == at else "queued"), None
        return run


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    world = author(now_ms())
    project = Project(world, lambda _target, _live: None)
    pipeline = Pipeline(world, project)
    ports = Ports(("github",))
    listener = HttpListener(StandIn(project, pipeline, world, TOKEN).application(), ports["github"])
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(hosting()))
        await listener.open()
        stack.push_async_callback(listener.close)
        stack.callback(ports.close)
        github = GitHub(token=Secret(TOKEN), repository=SUBJECT, api=f"http://127.0.0.1:{ports['github']}")
        where = context(server)
        where = dataclasses.replace(where, operations=dataclasses.replace(where.operations, github=github))
        yield Site(project, pipeline, where, listener)


def last(site: Site, conclusion: str = "success") -> Run:
    return next(run for run in site.pipeline.newest_first() if run.conclusion == conclusion)


# Re-run


async def test_rerun_begins_another_attempt_and_is_not_waited_for(site: Site) -> None:
    run = last(site)
    ran = await site.run(Rerun(), run=run.id)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert run.attempt == 2 and "attempt 2 of #" in ran["begins"].words and "github.com" in ran["begins"].words


@pytest.mark.parametrize("name", ["number", "text", "hash"])
async def test_a_run_is_named_as_people_say_it(site: Site, name: str) -> None:
    run = last(site)
    named: dict[str, Json] = {"number": run.number, "text": str(run.id), "hash": f"#{run.number}"}
    plan = await planned(Rerun(), site.where, run=named[name])
    assert plan.data["run"] == run.id and plan.short_id == str(run.number) and plan.risk is Risk.DISRUPTIVE


@pytest.mark.parametrize("wanted", [None, True, -1, 0, "main", 4.5, 99_999, 19_000_009_999, [1]])
async def test_what_is_no_run_is_refused(site: Site, wanted: Any) -> None:
    with pytest.raises(Refused):
        await planned(Rerun(), site.where, run=wanted)


async def test_only_failed_jobs_where_some_have_failed(site: Site) -> None:
    well, ill = last(site), last(site, "failure")
    assert words_of(await planned(Rerun(), site.where, run=well.id, failed_only=True), "failed").startswith(
        "fail: no job"
    )
    ran = await site.run(Rerun(), run=ill.id, failed_only=True)
    assert ran.outcome is RunOutcome.DONE and ill.jobs[0].status == "completed"


async def test_an_older_run_warns_that_it_puts_older_code_back(site: Site) -> None:
    newest, *_, older = [run for run in site.pipeline.newest_first() if run.conclusion == "success"][:5]
    assert "older code over it" in words_of(await planned(Rerun(), site.where, run=older.id), "newer")
    assert words_of(await planned(Rerun(), site.where, run=newest.id), "newer") == ""


async def test_what_is_too_old_or_runs_is_not_rerun(site: Site) -> None:
    oldest, going = site.pipeline.newest_first()[-1], site.building()
    oldest.created_ms -= 86_400_000 * 31
    assert words_of(await planned(Rerun(), site.where, run=oldest.id), "age").startswith("fail")
    plan = await planned(Rerun(), site.where, run=going.id)
    assert words_of(plan, "ended").startswith("fail")
    assert "in progress on main" in words_of(await planned(Rerun(), site.where, run=last(site).id), "others")


@pytest.mark.parametrize(
    ("row", "result"),
    [
        (held("freeze", SUBJECT, expires_ms=now_ms() + 600_000), "fail"),
        (held("freeze", SUBJECT, expires_ms=now_ms() - 1), "pass"),
        (held("freeze", "other/name", expires_ms=now_ms() + 600_000), "pass"),
        (held("pinned", SUBJECT), "pass"),
    ],
)
async def test_a_freeze_in_force_refuses_unless_despite_it(site: Site, row: SimpleNamespace, result: str) -> None:
    where = site.holding(row)
    plan = await planned(Rerun(), where, run=last(site).id)
    assert words_of(plan, "freeze").startswith(result) and bool(plan.refusals) == (result == "fail")
    despite = await planned(Rerun(), where, run=last(site).id, despite_freeze=True)
    assert words_of(despite, "freeze").startswith("warn" if result == "fail" else "pass")


async def test_a_pin_warns_that_nothing_goes_live_by_it(site: Site) -> None:
    pinned = await planned(Rerun(), site.holding(held("pinned", "prj_x")), run=last(site).id)
    assert words_of(pinned, "pinned").startswith("warn: production is pinned by op2")
    assert words_of(await planned(Rerun(), site.where, run=last(site).id), "pinned") == ""


async def test_a_freeze_that_cannot_be_read_warns(site: Site) -> None:
    where = dataclasses.replace(site.where, reads=cast(Any, nothing_observed(actions=None)))
    assert words_of(await planned(Rerun(), where, run=last(site).id), "freeze").startswith("warn")


async def test_of_a_lost_answer_the_attempts_tell(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    run = last(site)
    plan = await planned(Rerun(), site.where, run=run.id)
    before = await Rerun().resolve(site.where, plan, plan.steps[0])
    assert before.outcome is StepOutcome.FAILED and "not re-run" in before.words

    async def lost(self: GitHubApi, run: int, *, failed_only: bool = False) -> None:
        await original(self, run, failed_only=failed_only)
        raise Unanswered("GitHub: no answer within 0.5 s")

    original = GitHubApi.rerun
    monkeypatch.setattr(GitHubApi, "rerun", lost)
    ran = await carried_out(Rerun(), site.where, plan)
    assert ran.outcome is RunOutcome.DONE and "remote state" in ran["ask"].words and run.attempt == 2


async def test_accepted_and_never_seen_is_a_failure(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(self: GitHubApi, run: int, *, failed_only: bool = False) -> None:
        return

    monkeypatch.setattr(GitHubApi, "rerun", nothing)
    monkeypatch.setattr(rerun, "APPEARS_S", 4.0)
    ran = await site.run(Rerun(), run=last(site).id)
    assert ran.outcome is RunOutcome.FAILED and "no new attempt" in ran.words


# Cancel


async def test_cancel_is_followed_to_the_end(site: Site) -> None:
    run = site.building()
    ran = await site.run(CancelRun(), run=run.id)
    assert ran.outcome is RunOutcome.DONE and "is cancelled" in ran["ends"].words and run.conclusion == "cancelled"


async def test_cancel_of_what_ended_meanwhile_is_done_with_words(site: Site) -> None:
    run = site.building()
    plan = await planned(CancelRun(), site.where, run=run.id)
    run.end("success")
    ran = await carried_out(CancelRun(), site.where, plan)
    assert ran.outcome is RunOutcome.DONE
    assert "at its end already" in ran["ask"].words and "ended by itself: success" in ran["ends"].words
    assert words_of(await planned(CancelRun(), site.where, run=run.id), "active").startswith("fail")


@pytest.mark.parametrize(("at", "result"), [("deploy-production", "warn"), ("migrate", "warn"), ("build", "pass"),
                                            ("deploy-staging", "pass")])  # fmt: skip
async def test_cancel_warns_half_way(site: Site, at: str, result: str) -> None:
    run = site.building(at)
    assert words_of(await planned(CancelRun(), site.where, run=run.id), f"half-way-{run.id}").startswith(result)


async def test_a_run_that_ignores_it_is_told_and_force_is_offered(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    run = site.building()
    monkeypatch.setattr(cancel_run, "ENDS_S", 4.0)
    monkeypatch.setattr(cancel_run.ended, "__defaults__", (4.0,))
    monkeypatch.setattr(standin, "CANCEL_S", 60.0)
    plan = await planned(CancelRun(), site.where, run=run.id)
    assert [(option.key, option.on) for option in plan.options] == [("f", False)]
    ran = await carried_out(CancelRun(), site.where, plan)
    assert ran.outcome is RunOutcome.FAILED and "by force" in ran.words
    forced = await planned(CancelRun(), site.where, run=run.id, force=True)
    assert forced.steps[0].call.endswith("/force-cancel") and forced.options[0].on and forced.digest != plan.digest
    resolved = await CancelRun().resolve(site.where, plan, plan.steps[0])
    assert resolved.outcome is StepOutcome.UNKNOWN, "it still runs: that says nothing"


async def test_cancel_of_an_attempt_leaves_a_later_one(site: Site) -> None:
    run = site.building()
    run.attempt = 2
    assert (await planned(CancelRun(), site.where, run=run.id, attempt=1)).refusals
    assert not (await planned(CancelRun(), site.where, run=run.id, attempt=2)).refusals


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
    assert (holding.kind, holding.subject, holding.undo) == ("freeze", SUBJECT, "radar freeze off")
    assert holding.expires_ms and 7_200_000 <= holding.expires_ms - before < 7_260_000
    assert site.where.reason in holding.text


@pytest.mark.parametrize("at", ["deploy-production", "migrate"])
async def test_freeze_does_not_cut_what_is_half_way_unless_told(site: Site, at: str) -> None:
    run = site.building(at)
    plan = await planned(Freeze(), site.where, on=True)
    assert cancels(plan) == [] and plan.risk is Risk.SAFE
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


async def test_the_end_names_what_was_cancelled_and_how_to_run_it_again(site: Site) -> None:
    run = site.building()
    began = now_ms()
    await site.run(Freeze(), on=True)
    row = held("freeze", SUBJECT, expires_ms=began + 600_000)
    row.began_ms = began
    ran = await carried_out(Freeze(), site.holding(row), await planned(Freeze(), site.holding(row), on=False))
    assert ran["release"].releases == (("freeze", SUBJECT),)
    assert f"radar rerun {run.number}" in ran["release"].words
    assert (await planned(Freeze(), site.where, on=False)).refusals, "there is none to end"


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
