"""Maintenance mode on and off: the plan, the steps, answers that are lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.actions import maintenance_providers
from console.actions.maintenance import SetMaintenance
from console.model.actions import ActionRequest, Risk, RunOutcome
from console.model.observation import Json
from console.model.operations import Operations
from console.model.ports import Refused
from console.model.states import State
from tests.actions import hosting
from tests.actions.hosting import carried_out, planned, words_of
from tests.actions.upkeep import KEY, STORE, Stage, context, edge_config, healthy, opened, outbox
from tests.sources.loopback import Seen, Writer, answering

ITEMS = f"/v1/edge-config/{STORE}/items"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance_providers, "SEEN_WAIT_S", 0.01)


# --- the plan ---------------------------------------------------------------------------------------------------------


async def test_without_a_provider_the_lines_to_add_are_told(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = replace(context(server, tmp_path, edge_config(server)), operations=Operations())
        with pytest.raises(Refused, match=r"\[environments.production.maintenance\]"):
            await planned(SetMaintenance(), where, on=True)


async def test_the_plan_says_what_is_done_and_how_it_is_undone_without_secrets(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        plan = await planned(SetMaintenance(), context(server, tmp_path, edge_config(server)), on=True, minutes=30)
    assert (plan.risk, plan.short_id, plan.exclusion) == (Risk.DISRUPTIVE, "on", "maintenance")
    assert [step.key for step in plan.steps] == ["flag", "page", "statuspage", "tell"]
    assert plan.undo_request is not None and plan.undo_request.parameters == {"on": False}
    assert plan.refusals == ()
    shown = repr(plan)
    assert not any(secret in shown for secret in (hosting.TOKEN, KEY, "/slack"))


async def test_a_provider_that_does_not_answer_forbids_it(tmp_path: Path) -> None:
    async with opened(Stage(prefix="elsewhere")) as server:
        plan = await planned(SetMaintenance(), context(server, tmp_path, edge_config(server)), on=True)
    assert words_of(plan, "provider").startswith("fail")


async def test_the_plan_says_the_same_when_it_is_made_again_although_the_page_changed(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        before = await planned(SetMaintenance(), where, on=True)
        stage.plain, stage.digest = answering(500, b"oh"), "another"
        assert (await planned(SetMaintenance(), where, on=True)).digest == before.digest
        assert (await planned(SetMaintenance(), where, on=True, message="else")).digest != before.digest


@pytest.mark.parametrize(
    "parameters",
    [{}, {"on": "yes"}, {"on": True, "minutes": -1}, {"on": True, "minutes": True}, {"on": True, "message": 3}],
)
async def test_parameters_that_are_none_are_refused(tmp_path: Path, parameters: dict[str, Json]) -> None:
    async with opened(Stage()) as server:
        with pytest.raises(Refused):
            await planned(SetMaintenance(), context(server, tmp_path, edge_config(server)), **parameters)


async def test_an_unreachable_status_page_warns_and_forbids_nothing(tmp_path: Path) -> None:
    stage = Stage(traps={"GET /v1/pages/page_1/components": [answering(403, {"error": "Forbidden"})]})
    async with opened(stage) as server:
        plan = await planned(SetMaintenance(), context(server, tmp_path, edge_config(server)), on=True)
    assert "403: Forbidden" in words_of(plan, "statuspage") and plan.refusals == ()


async def test_ending_what_another_began_is_warned_of(tmp_path: Path) -> None:
    reason = SimpleNamespace(state=State.UNHEALTHY, component="routes", key="routes.down", text="all fail")
    reads = healthy(reason, holdings=(hosting.held("maintenance", "production"),))
    async with opened(Stage(flag=True)) as server:
        where = context(server, tmp_path, edge_config(server), reads=reads)
        plan = await planned(SetMaintenance(), where, on=False)
        began = await planned(SetMaintenance(), where, on=True)
    assert "op2 began it" in words_of(plan, "owner") and words_of(began, "owner") == ""
    assert "routes: all fail" in words_of(plan, "health")


# --- on and off -------------------------------------------------------------------------------------------------------


async def test_on_writes_the_flag_sees_the_page_and_tells(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        ran = await carried_out(
            SetMaintenance(), where, await planned(SetMaintenance(), where, on=True, message="Back soon", minutes=30)
        )
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert isinstance(stage.flag, dict)
    assert stage.flag["message"] == "Back soon" and stage.flag["by"] == "op1 (loginuid)"
    assert stage.flag["until_ms"] - stage.flag["since_ms"] == 30 * 60_000
    assert "says that it is the maintenance page" in ran["page"].words
    (incident,) = stage.incidents
    assert (incident["status"], incident["deliver_notifications"]) == ("in_progress", False)
    assert set(stage.components.values()) == {"under_maintenance"}
    (holding,) = ran["flag"].holds
    assert holding.request == ActionRequest(action="maintenance", parameters={"on": False})
    assert (holding.kind, holding.subject, holding.undo) == ("maintenance", "production", "radar maintenance off")
    assert holding.expires_ms == stage.flag["until_ms"]
    assert [channel for _, channel, _ in outbox(where)] == ["slack", "webhook:ops"]


async def test_off_takes_everything_back(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
        later = replace(where, run="run-token-2")
        ran = await carried_out(SetMaintenance(), later, await planned(SetMaintenance(), later, on=False))
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert not stage.is_on
    assert not ran["flag"].releases, "held until the page is seen gone"
    assert ("maintenance", "production") in ran["page"].releases
    assert [incident["status"] for incident in stage.incidents] == ["resolved"]
    assert set(stage.components.values()) == {"operational"}
    assert [title for _, _, title in outbox(where)][-1] == "Maintenance of production over"


async def test_what_is_on_already_is_not_written_again_and_still_held(tmp_path: Path) -> None:
    stage = Stage(flag=True)
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        plan = await planned(SetMaintenance(), where, on=True)
        stage.flag = {"enabled": True, "message": "We are doing maintenance and will be back soon."}
        ran = await carried_out(SetMaintenance(), where, plan)
    assert "already on" in words_of(plan, "state") and words_of(plan, "state").startswith("pass")
    assert ran.outcome is RunOutcome.DONE and "not written again" in ran["flag"].words
    assert not stage.asked("PATCH", "/items") and len(ran["flag"].holds) == 1


async def test_a_page_that_nobody_is_served_ends_the_run_before_anybody_is_told(tmp_path: Path) -> None:
    stage = Stage(honours=False)
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran.outcome is RunOutcome.FAILED and "is not served: the page answers 200" in ran.words
    assert stage.incidents == [] and outbox(where) == []
    assert ran["flag"].holds  # the flag is on all the same, and the ledger says so


@pytest.mark.parametrize(
    ("page", "served"),
    [
        (answering(503, b"maintenance", {"content-type": "text/html"}), True),
        (answering(503, b"oh"), True),
        (answering(200, b"We are in Maintenance"), True),
        (answering(500, b"maintenance", {"x-maintenance": "on"}), False),
        (answering(200, b"welcome", {"x-maintenance": "off"}), False),
    ],
)
async def test_what_counts_as_the_page(tmp_path: Path, page: Any, served: bool) -> None:
    async with opened(Stage(page=page)) as server:
        where = context(server, tmp_path, edge_config(server), public=False)
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert (ran.outcome is RunOutcome.DONE) is served, ran.words


@pytest.mark.parametrize("before", [answering(503, b"overloaded"), answering(200, b"our maintenance plans")])
async def test_what_looked_so_before_proves_nothing(tmp_path: Path, before: Any) -> None:
    stage = Stage(plain=before, honours=False)
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server), public=False)
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran.outcome is RunOutcome.FAILED, ran.words


async def test_an_application_that_comes_back_broken_is_told(tmp_path: Path) -> None:
    stage = Stage(flag=True, plain=answering(500, b"oh"))
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server), public=False)
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=False))
    assert ran.outcome is RunOutcome.FAILED and "what visitors get now is 500" in ran.words
    assert not stage.is_on


# --- answers that are lost --------------------------------------------------------------------------------------------


async def test_a_flag_whose_answer_is_lost_is_resolved_from_the_flag(tmp_path: Path) -> None:
    stage = Stage(lost={"PATCH"})
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server), public=False)
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert "read from the remote state" in ran["flag"].words and ran["flag"].holds
    assert len(stage.asked("PATCH", "/items")) == 1


async def test_a_flag_that_was_not_set_after_all_is_told_as_that(tmp_path: Path) -> None:
    async def cut(_seen: Seen, writer: Writer) -> None:
        writer.transport.abort()

    stage = Stage(traps={f"PATCH {ITEMS}": [cut]})
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server), public=False)
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran.outcome is RunOutcome.FAILED and "it was not switched" in ran.words
    assert not ran["flag"].holds


async def test_a_resumed_run_tells_nobody_twice(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        plan = await planned(SetMaintenance(), where, on=True)
        first = await carried_out(SetMaintenance(), where, plan)
        again = await carried_out(SetMaintenance(), where, plan, done=dict(first["flag"].data).items())
    assert again.outcome is RunOutcome.DONE
    assert len(stage.incidents) == 1 and len(stage.asked("POST", "/incidents")) == 1
    assert len(outbox(where)) == 2
