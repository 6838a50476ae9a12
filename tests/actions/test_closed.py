"""A run that is closed by hand: what it left at Vercel is read, named and held, or held as perhaps."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.actions.closing import left_by
from console.actions.engine import Progress
from console.actions.promote import Promote
from console.actions.rollback import Rollback
from console.model.actions import RunOutcome, StepOutcome, StepResult
from console.settings import load
from console.store.identity import who_is
from console.store.journal import Beginning, Journal
from console.store.records import Records
from tests.actions.hosting import NEW, OLD, PROJECT, TOKEN, Hosting, context, hosting, job, planned, project, running
from tests.actions.place import Place, place
from tests.sources.loopback import answering

INTENDED, DONE = StepOutcome.INTENDED, StepOutcome.DONE
IN_FOLLOW = {"before": DONE, "ask": DONE, "follow": INTENDED}


async def closed(script: Hosting, outcomes: dict[str, StepOutcome], *told: Any, promotes: bool = False) -> Any:
    """What closing finds; `told`: what the project answers by then."""
    async with running(script) as server:
        where, action = context(server), Promote() if promotes else Rollback()
        plan = await planned(action, where, to=NEW) if promotes else await planned(action, where)
        script.say("project", *told)
        return await left_by(where, plan, Progress(outcomes=dict(outcomes)))


def of(found: Any) -> StepResult:
    assert found is not None
    result: StepResult = found[1]
    return result


async def test_a_rollback_that_took_place_is_held_as_a_pin() -> None:
    step, result = await closed(hosting(), IN_FOLLOW, project(OLD, job(OLD), autoAssignCustomDomains=False))
    assert step.key == "follow" and "production is 0606060, and pushes do not go live" in result.words
    (held,) = result.holds
    assert (held.kind, held.subject, held.undo) == ("pinned", PROJECT, f"radar promote {NEW}")
    assert held.text.startswith("by rollback to 0606060")


async def test_one_that_is_pending_is_held_as_perhaps() -> None:
    result = of(await closed(hosting(), IN_FOLLOW, project(NEW, job(OLD, "pending"))))
    assert "the rollback is pending and goes on at Vercel" in result.words
    assert result.holds[0].text.startswith("perhaps, by rollback to 0606060")


@pytest.mark.parametrize("answer", [answering(403, {"error": {"message": "no"}}), answering(500, b"")])
async def test_one_of_which_nothing_can_be_read_is_held_as_perhaps(answer: Any) -> None:
    result = of(await closed(hosting(), {"before": DONE, "ask": INTENDED}, answer))
    assert "the remote state cannot be read" in result.words and result.holds[0].text.startswith("perhaps")


async def test_one_that_never_took_place_holds_nothing() -> None:
    result = of(await closed(hosting(), {"before": DONE, "ask": INTENDED}, project()))
    assert "production is 0909090, and pushes go live by themselves; nothing is pinned" in result.words
    assert not result.holds


@pytest.mark.parametrize("outcomes", [{}, {"before": INTENDED}, {"before": DONE, "ask": StepOutcome.FAILED}])
async def test_nothing_is_asked_where_nothing_was_changed(outcomes: dict[str, StepOutcome]) -> None:
    script = hosting()
    assert await closed(script, outcomes, answering(500, b"")) is None


async def test_a_promotion_that_took_place_ends_the_pin() -> None:
    script = hosting().say("project", project(OLD, autoAssignCustomDomains=False))
    result = of(await closed(script, IN_FOLLOW, project(NEW, job(NEW, "succeeded", "promote")), promotes=True))
    assert ("pinned", PROJECT) in result.releases
    script = hosting().say("project", project(OLD, autoAssignCustomDomains=False))
    still = project(OLD, job(NEW, "pending", "promote"), autoAssignCustomDomains=False)
    assert not of(await closed(script, IN_FOLLOW, still, promotes=True)).releases


def begun(records: Records, plan: bytes) -> int:
    """A run whose runner was killed while it followed the job."""
    journal = Journal(records, who_is(os.getuid()))
    run, _ = journal.begin(
        Beginning(
            token="t1", action="rollback", title="Roll back", target=f"0606060 ({OLD})", risk="disruptive",
            exclusion="x", plan=plan.decode(), reason="errors", authority="guard rails", host="h", pid=1, boot_id="b",
        )
    )  # fmt: skip
    for step in ("before", "ask"):
        journal.intend(run, step)
        journal.conclude(run, step, StepResult(outcome=DONE, words="", data={}))
    journal.intend(run, "follow")
    return run


async def test_closing_by_the_real_runner_leaves_the_pin_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = hosting()
    here = place(tmp_path, monkeypatch, module="console.actions.runner")
    async with running(script) as server:
        plan = msgspec.json.encode(await planned(Rollback(), context(server)))
        file = tmp_path / "radar.toml"
        vercel = f'[environments.test.vercel]\ntoken = "{TOKEN}"\nproject = "{PROJECT}"\napi = "{server.url()}"\n'
        file.write_text(file.read_text() + vercel)
        here = Place(load(file, "test", {}), here.remote)
        records = here.records()
        begun(records, plan)
        records.close()
        script.say("project", project(OLD, job(OLD), autoAssignCustomDomains=False))
        said = await asyncio.to_thread(here.desk.close_run, "t1", "the runner is gone")
    assert "closed by hand; Vercel: production is 0606060" in said
    view = here.reader().actions(None)
    assert view.runs[0].outcome is RunOutcome.CLOSED and "pushes do not go live" in view.runs[0].words
    assert [(row.kind, row.subject) for row in view.holdings] == [("pinned", PROJECT)]
    kinds = {item.kind for item in here.reader().health(None).header.open_items}
    assert kinds == {"pinned"}
