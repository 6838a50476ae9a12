"""After a rollback: what is seen from outside, whether it is better or worse, and a run that is resumed elsewhere."""

from __future__ import annotations

import json

import pytest

from console.actions import outside
from console.actions.base import Context
from console.actions.outside import names
from console.actions.promote import Promote
from console.actions.rollback import Rollback
from console.actions.vercel_follow import Asked, judged
from console.model.actions import RunOutcome, StepOutcome, StepResult
from console.model.observation import Json
from console.model.vercel_project import Deployment, project_of
from tests.actions.hosting import (
    ACCEPTED,
    NEW,
    OLD,
    STAGED,
    context,
    healthy,
    hosting,
    impatient,
    job,
    moved,
    moving,
    planned,
    project,
    rolled_back,
    running,
    sick,
)
from tests.sources.loopback import Seen, Writer, answering, hang


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


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


async def test_one_lost_answer_is_no_finding() -> None:
    script = moving(moved(), answering(502, b"x"), moved())
    assert (await rolled_back(script)).outcome is RunOutcome.DONE
    script = moving(moved(), answering(500, {}))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.DONE and "Vercel does not tell what serves" in ran["see"].words


async def test_a_firewall_proves_nothing_and_is_told() -> None:
    challenge = answering(403, b"<html>", {"x-vercel-mitigated": "challenge", "x-vercel-id": "fra1::abc"})
    ran = await rolled_back(moving(moved()).say("health", challenge))
    assert "cannot be seen from here" in ran["see"].words and "fra1::abc" in ran["see"].words


async def test_sick_before_and_well_after_is_done() -> None:
    script = hosting().say("health", sick())

    async def heal(seen: Seen, writer: Writer) -> None:
        script.say("project", moved())
        script.say("health", healthy())
        await ACCEPTED(seen, writer)

    ran = await rolled_back(script.say("rollback", heal))
    assert ran.outcome is RunOutcome.DONE and ran["before"].data["before"]["states"]["health"] == "unhealthy"


async def test_well_before_and_sick_after_is_worse_and_offers_the_undo() -> None:
    script = moving(moved()).say("page", answering(200, b"x"), answering(500, b"x"))
    ran = await rolled_back(script)
    assert ran.outcome is RunOutcome.WORSE and f"undo: radar promote {NEW}" in ran["watch"].words


async def test_sick_before_and_after_is_no_success_and_not_worse() -> None:
    ran = await rolled_back(moving(moved()).say("page", answering(500, b"x")))
    assert ran.outcome is RunOutcome.FAILED and "not worse than before" in ran.words
    assert ran["follow"].holds, "the pin is in the ledger all the same"


async def test_a_lost_answer_does_not_lose_the_picture_of_before() -> None:
    script = hosting().say("page", answering(500, b"x"))

    async def carry_out_and_hang(seen: Seen, writer: Writer) -> None:
        script.say("project", moved())
        await hang(seen, writer)

    ran = await rolled_back(script.say("rollback", carry_out_and_hang))
    assert "read from the remote state" in ran["ask"].words
    assert ran.outcome is RunOutcome.FAILED and "not worse than before" in ran.words, "it was sick before, and is"


async def test_without_a_picture_of_before_nothing_is_called_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    async def defect(_: Context) -> dict[str, Json]:
        raise RuntimeError("a defect")

    monkeypatch.setattr(outside, "before", defect)
    ran = await rolled_back(moving(moved()).say("page", answering(500, b"x")))
    assert ran["before"].outcome is StepOutcome.FAILED and ran["ask"].outcome is StepOutcome.DONE
    assert ran.outcome is RunOutcome.FAILED and "nothing to compare with" in ran.words
    assert f"undo: radar promote {NEW}" in ran["watch"].words
    ran = await rolled_back(moving(moved()))
    assert ran.outcome is RunOutcome.DONE


# --- resumed --------------------------------------------------------------------------------------------------------


async def test_every_step_can_be_resumed_from_plan_and_data_alone() -> None:
    script = hosting()
    async with running(script) as server:
        where = context(server)
        plan = await planned(Rollback(), where)
        assert plan.data == json.loads(json.dumps(plan.data))
        script.say("project", moved())
        resolved = await Rollback().resolve(where, plan, plan.steps[1])
        assert resolved.outcome is StepOutcome.DONE, "the asking process is gone, and left nothing"
        for step in plan.steps[2:]:
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
