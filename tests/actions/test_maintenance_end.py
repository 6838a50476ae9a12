"""Maintenance that ends by itself: asked for in the plan, a due row of the service, taken back by whoever is faster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.actions import announce, maintenance
from console.actions.announce import Announce, CancelDue
from console.actions.base import Context
from console.actions.maintenance import SetMaintenance
from console.actions.maintenance_end import EndMaintenance
from console.model.actions import Plan, RunOutcome
from console.model.ports import Refused
from console.store import due
from console.store.clock import now_ms
from console.store.service import Service
from tests.actions.hosting import Ran, carried_out, planned, words_of
from tests.actions.upkeep import Stage, context, edge_config, opened

MINUTE = 60_000


@pytest.fixture(autouse=True)
def _served(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, alive=True)


def serve(monkeypatch: pytest.MonkeyPatch, *, alive: bool) -> None:
    found = Service(alive, "radar@bastion 1 collects" if alive else "no collector lives")
    for module in (announce, maintenance):
        monkeypatch.setattr(module, "service", lambda _: found)


async def switched(where: Context, **parameters: object) -> tuple[Plan, Ran]:
    given = {"on": True, **parameters}
    plan = await planned(SetMaintenance(), where, **given)  # type: ignore[arg-type]  # texts, numbers and flags
    return plan, await carried_out(SetMaintenance(), where, plan)


async def test_it_is_due_at_the_planned_end_and_carried_out_then(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        plan, ran = await switched(where, minutes=30, ends=True)
        assert ran.outcome is RunOutcome.DONE, ran.words
        assert [step.key for step in plan.steps[:3]] == ["flag", "ends", "page"] and stage.is_on
        (row,) = due.waiting(where.records)
        assert (row.action, row.due_ms) == ("maintenance-end", stage.flag["until_ms"])
        assert 0 <= now_ms() + 30 * MINUTE - row.due_ms < 30_000 and row.operator == where.operator
        later = replace(where, run="run-token-2", done={})
        (taken,) = due.claim(where.records, row.due_ms + 1)
        ending = await planned(EndMaintenance(), later, **dict(taken.parameters))
        over = await carried_out(EndMaintenance(), later, ending)
    assert over.outcome is RunOutcome.DONE, over.words
    assert not stage.is_on and stage.incidents[-1]["status"] == "completed"
    assert ending.action == "maintenance-end" and ending.title == "End the maintenance of production as planned"


async def test_a_resumed_run_plans_one_end(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        plan, _ = await switched(where, minutes=30, ends=True)
        await carried_out(SetMaintenance(), where, plan)
        assert len(due.waiting(where.records)) == 1


async def test_without_asking_nothing_ends_it(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        plan, _ = await switched(where, minutes=30)
        assert due.waiting(where.records) == () and any("nothing ends it by itself" in line for line in plan.afterwards)
        (option,) = (each for each in plan.options if each.parameter == "ends")
        assert (option.value, option.on) == (True, False)
        assert words_of(plan, "service") == ""


async def test_it_is_refused_without_a_service_and_without_a_planned_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        with pytest.raises(Refused, match="only at a planned end"):
            await planned(SetMaintenance(), where, on=True, ends=True)
        with pytest.raises(Refused, match="switched on"):
            await planned(SetMaintenance(), where, on=False, minutes=30, ends=True)
        serve(monkeypatch, alive=False)
        plan = await planned(SetMaintenance(), where, on=True, minutes=30, ends=True)
        assert words_of(plan, "service").startswith("fail") and plan.refusals
        assert (await planned(SetMaintenance(), where, on=True, minutes=30)).refusals == ()


async def test_who_ends_it_before_takes_the_planned_end_back(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        await switched(where, minutes=30, ends=True)
        later = replace(where, run="run-token-2", operator="op2 (loginuid)", done={})
        ran = await carried_out(SetMaintenance(), later, await planned(SetMaintenance(), later, on=False))
        assert ran["flag"].words.endswith("its planned end (due 1) is taken back")
        assert due.waiting(where.records) == ()
        row = due.find(where.records, 1)
        assert row is not None and row.cancelled_by == "op2 (loginuid)"


async def test_another_planned_end_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        await switched(where, minutes=30, ends=True)
        await switched(replace(where, run="run-token-2", done={}), minutes=90, ends=True)
        (row,) = due.waiting(where.records)
        assert row.id == 2 and 0 <= now_ms() + 90 * MINUTE - row.due_ms < 30_000


async def test_taking_the_end_back_ends_nothing(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await switched(where, minutes=30, ends=True)
        later = replace(where, run="run-token-2", done={})
        plan = await planned(CancelDue(), later, due=1)
        assert [step.key for step in plan.steps] == ["cancel"] and "--ends" in plan.undo
        await carried_out(CancelDue(), later, plan)
        assert due.waiting(where.records) == () and stage.is_on


async def test_an_announced_one_ends_by_itself_where_that_was_announced(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        with pytest.raises(Refused, match="only at a planned end"):
            await planned(Announce(), where, ends=True)
        plan = await planned(Announce(), where, lasts=45, ends=True)
        assert "the service ends it 45 min later" in plan.afterwards
        await carried_out(Announce(), where, plan)
        (row,) = due.waiting(where.records)
        assert row.parameters["ends"] is True
        (taken,) = due.claim(where.records, row.due_ms + 1)
        later = replace(where, run="run-token-2", done={})
        _, ran = await switched(later, **dict(taken.parameters))
        assert ran.outcome is RunOutcome.DONE, ran.words
        (end,) = due.waiting(where.records)
        assert end.action == "maintenance-end"
        assert (
            await planned(Announce(), replace(where, run="run-token-3"))
        ).refusals == ()  # an end is no announcement
