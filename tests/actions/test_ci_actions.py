"""Re-running and cancelling runs of the CI, on the stand-in as it moves."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.actions import cancel_run, rerun
from console.actions.cancel_run import CancelRun
from console.actions.github_api import GitHubApi
from console.actions.rerun import Rerun
from console.demo.standins import pipeline as standin
from console.demo.standins.pipeline import Pipeline, Run
from console.model.actions import Risk, RunOutcome, StepOutcome
from console.model.observation import Json
from console.model.plan_text import ended_text
from console.model.ports import Refused
from console.model.wire import Unanswered
from tests.actions.ci_site import SUBJECT, Site, last
from tests.actions.hosting import (
    carried_out,
    held,
    nothing_observed,
    now_ms,
    planned,
    words_of,
)

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
    assert "is going to deploy over it" in words_of(
        await planned(Rerun(), site.where, run=last(site).id), f"ci-{going.id}"
    )


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
    before = await Rerun().resolve(site.where, plan, plan.steps[1])
    assert before.outcome is StepOutcome.FAILED and "not re-run" in before.words

    async def lost(self: GitHubApi, run: int, *, failed_only: bool = False) -> None:
        await original(self, run, failed_only=failed_only)
        raise Unanswered("GitHub: no answer within 0.5 s")

    original = GitHubApi.rerun
    monkeypatch.setattr(GitHubApi, "rerun", lost)
    ran = await carried_out(Rerun(), site.where, plan)
    assert ran.outcome is RunOutcome.DONE and "remote state" in ran["ask"].words and run.attempt == 2


async def test_what_somebody_else_reran_since_the_plan_is_not_asked_for(site: Site) -> None:
    run = last(site)
    plan = await planned(Rerun(), site.where, run=run.id)
    run.attempt = 2
    ran = await carried_out(Rerun(), site.where, plan)
    assert ran.outcome is RunOutcome.FAILED and "somebody has re-run it since, nothing was asked" in ran.words
    assert "ask" not in ran.notes.results and run.attempt == 2


async def test_an_attempt_of_before_our_asking_is_somebodys(site: Site) -> None:
    run = last(site)
    plan = await planned(Rerun(), site.where, run=run.id)
    run.attempt, run.started_ms = 2, now_ms()
    ask = next(step for step in plan.steps if step.key == "ask")
    unlooked = await Rerun().resolve(site.where, plan, ask)
    assert unlooked.outcome is StepOutcome.UNKNOWN and "whether it is ours is not known" in unlooked.words
    ours = await Rerun().resolve(dataclasses.replace(site.where, done={"looked_ms": now_ms() - 1000}), plan, ask)
    assert ours.outcome is StepOutcome.DONE and "attempt 2 of #" in ours.words
    theirs = await Rerun().resolve(dataclasses.replace(site.where, done={"looked_ms": now_ms() + 900_000}), plan, ask)
    assert theirs.outcome is StepOutcome.FAILED and "it is somebody's, not ours" in theirs.words


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


async def test_what_only_waits_has_not_begun_and_is_not_called_verified(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No runner is free: GitHub has accepted the attempt, and nothing of it runs."""

    async def waits(pipeline: Pipeline, run: Run) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Pipeline, "_work", waits)
    monkeypatch.setattr(rerun, "APPEARS_S", 4.0)
    ran = await site.run(Rerun(), run=last(site).id)
    assert ran.outcome is RunOutcome.DONE
    assert "accepted: attempt 2 of #" in ran.words and "is queued after 4 s, its begin is not verified" in ran.words
    assert ended_text(ran.outcome, ran.words).startswith("accepted, not verified. all steps done; accepted: ")


async def test_what_has_begun_is_verified(site: Site) -> None:
    ran = await site.run(Rerun(), run=last(site).id)
    assert ended_text(ran.outcome, ran.words).startswith("done and verified")
    assert " is queued" not in ran["begins"].words


async def test_cancel_of_what_ended_meanwhile_is_told_as_not_cancelled(site: Site) -> None:
    run = site.building()
    plan = await planned(CancelRun(), site.where, run=run.id)
    run.end("success")
    ran = await carried_out(CancelRun(), site.where, plan)
    assert ran.outcome is RunOutcome.FAILED
    words = f"#{run.number} has ended by itself: success: nothing had to be asked for: it was not cancelled"
    assert ran["ask"].words == words and words in ran.words
    assert words_of(await planned(CancelRun(), site.where, run=run.id), "active").startswith("fail")


async def test_cancel_of_what_ends_by_itself_after_it_was_asked_for_is_told_as_not_cancelled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = site.building()
    cancel = GitHubApi.cancel

    async def too_late(self: GitHubApi, number: int, *, force: bool = False) -> None:
        await cancel(self, number, force=force)
        run.end("success")

    monkeypatch.setattr(GitHubApi, "cancel", too_late)
    ran = await site.run(CancelRun(), run=run.id)
    assert ran.outcome is RunOutcome.FAILED and "has ended by itself: success: it was not cancelled" in ran.words


@pytest.mark.parametrize(("change", "words"), [
    ("migrates", "migrate of #{} is in progress: nothing was asked for"),
    ("attempt", "it is at attempt 2, not 1: nothing was asked for"),
])  # fmt: skip
async def test_what_changed_since_the_plan_is_not_cancelled(site: Site, change: str, words: str) -> None:
    run = site.building()
    plan = await planned(CancelRun(), site.where, run=run.id)
    if change == "migrates":
        jobs = {job.name: job for job in run.jobs}
        jobs["build"].status, jobs["migrate"].status = "completed", "in_progress"
    else:
        run.attempt = 2
    ran = await carried_out(CancelRun(), site.where, plan)
    assert ran.outcome is RunOutcome.FAILED and ran["ask"].words == words.format(run.number)
    assert run.conclusion is None
    seen = await site.run(CancelRun(), run=run.id)  # the counter-test: somebody who has seen it
    assert seen.outcome is RunOutcome.DONE and run.conclusion == "cancelled"


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


# The stand-in itself


def test_nothing_of_a_run_is_later_than_its_end(site: Site) -> None:
    site.pipeline.newest_first()
    for run in site.pipeline.newest_first():
        ended = [job.ended_ms for job in run.jobs if job.ended_ms is not None]
        assert max(ended) <= run.updated_ms <= now_ms(), run.number


async def test_a_run_that_a_deployment_of_now_came_from_does_not_end_later(site: Site) -> None:
    made = await site.project.deploy("feat: pricing v2", faulty=True)
    run = next(each for each in site.pipeline.newest_first() if each.sha == made.sha)
    assert run.updated_ms <= now_ms() and max(job.ended_ms or 0 for job in run.jobs) <= now_ms()


def test_the_log_of_a_job_that_failed_ends_in_cleaning_up_and_bears_the_runs_times(site: Site) -> None:
    run = last(site, "failure")
    job = next(each for each in run.jobs if each.conclusion == "failure")
    lines = standin.log(job).splitlines()
    assert "Cleaning up" in lines[-1] and job.started_ms and job.ended_ms
    stamps = [datetime.fromisoformat(each.split(" ")[0][:23] + "+00:00").timestamp() * 1000 for each in lines]
    assert job.started_ms - 1 <= min(stamps) and max(stamps) <= job.ended_ms + 100 and stamps == sorted(stamps)
    failing = [step for step in standin.steps(job) if step["conclusion"] == "failure"]
    assert [step["name"] for step in failing] == ["npm test"] and standin.steps(job)[-1]["conclusion"] == "success"
    assert standin.steps(run.jobs[-1]) == [], "what was skipped has no steps"
