"""A rollback carried out against a scripted Vercel: accepted is not done, and done can be somebody else's."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions import vercel_follow
from console.model.actions import ActionRequest, RunOutcome, StepOutcome
from tests.actions.hosting import (
    NEW,
    OLD,
    PROJECT,
    STAGED,
    Quick,
    accepting,
    hosting,
    impatient,
    job,
    moved,
    moving,
    now_ms,
    project,
    rolled_back,
)
from tests.sources.loopback import Seen, Writer, answering, cases, hang, replay


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


async def test_accepted_followed_seen_and_watched() -> None:
    script = moving(project(job=job(OLD, "pending")), project(job=job(OLD, "in-progress")), moved())
    ran = await rolled_back(script)
    assert (ran.outcome, ran["ask"].outcome) == (RunOutcome.DONE, StepOutcome.DONE), ran.words
    assert "production is 0606060" in ran["follow"].words
    (pin,) = ran["follow"].holds
    assert (pin.kind, pin.subject, pin.undo) == ("pinned", PROJECT, f"radar promote {NEW}")
    assert "by rollback to 0606060: errors 38 %" in pin.text
    assert pin.request == ActionRequest(action="promote", parameters={"to": NEW})
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
    script.answers["rollback"][0] = accepting(script, limited, html, answering(200, b'{"id": '), hang, moved())
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.DONE, ran.words
    told = " ".join(ran.notes.told)
    assert "429" in told and "502" in told and "no JSON" in told


async def test_a_long_rate_limit_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vercel_follow, "FOLLOW_S", 100.0)
    script = moving()
    script.answers["rollback"][0] = accepting(
        script, answering(429, {"error": {"message": "slow"}}, {"retry-after": "42"}), moved()
    )
    assert (await rolled_back(script)).outcome is RunOutcome.DONE
    assert 42.0 in Quick.waits


LIMITED = answering(429, {"error": {"code": "rate_limited", "message": "slow down"}}, {"retry-after": "42"})


async def test_a_request_that_was_refused_for_its_rate_is_sent_once_more_when_vercel_says() -> None:
    script = moving(moved())
    taken = script.answers["rollback"][0]
    ran = await rolled_back(script.say("rollback", LIMITED, taken))
    assert ran.outcome is RunOutcome.DONE and len(script.asked("rollback")) == 2
    assert 43.0 in Quick.waits and any("Vercel takes nothing for 42 s: waiting" in told for told in ran.notes.told)


@pytest.mark.parametrize("after", ["42", "61", "", "-"])
async def test_it_is_not_waited_for_twice_nor_for_long_nor_without_a_time(after: str) -> None:
    headers = {"retry-after": after} if after else {}
    script = hosting().say("rollback", answering(429, {"error": {"message": "slow down"}}, headers))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.FAILED and "429" in ran.words
    assert len(script.asked("rollback")) == (2 if after == "42" else 1)


async def test_who_was_faster_while_it_was_waited_for_is_told_and_nothing_is_asked_again() -> None:
    script = hosting()

    async def refuse(seen: Seen, writer: Writer) -> None:
        script.say("project", project(STAGED, job(STAGED, kind="promote")))
        await LIMITED(seen, writer)

    ran = await rolled_back(script.say("rollback", refuse))
    assert ran.outcome is RunOutcome.FAILED and "somebody moved it while Vercel had to be waited for" in ran.words
    assert len(script.asked("rollback")) == 1


async def test_a_token_revoked_midway_is_unknown_and_not_asked_with_for_minutes() -> None:
    script = moving()
    revoked = answering(403, {"error": {"message": "Not authorized", "invalidToken": True}})
    script.answers["rollback"][0] = accepting(script, revoked)
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.UNKNOWN and "not valid or has expired" in ran.words
    assert len(script.asked("project")) == 1 + vercel_follow.REFUSED_OFTEN
