"""Maintenance says what is so: done is what was read back, over is what was seen gone, and no end is told that nobody
planned."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.actions import announce, maintenance_flag, maintenance_providers
from console.actions.announce import Announce
from console.actions.base import Action, Context
from console.actions.maintenance import SetMaintenance
from console.actions.wire import LIMITS
from console.model.actions import Holding, RunOutcome, StepOutcome, StepResult
from console.model.observation import Json
from console.store.identity import Who
from console.store.journal import Journal
from console.store.records import Records
from console.store.service import Service
from tests.actions import hosting
from tests.actions.hosting import Ran, carried_out, planned, words_of
from tests.actions.upkeep import Stage, context, edge_config, healthy, hook, opened, outbox
from tests.sources.loopback import Handler, answering

HELD = hosting.held("maintenance", "production")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance_providers, "SEEN_WAIT_S", 0.01)


async def ran_as(where: Context, run: str, **parameters: Any) -> Ran:
    """Planned and carried out as that run."""
    later = replace(where, run=run)
    return await carried_out(SetMaintenance(), later, await planned(SetMaintenance(), later, **parameters))


def told(where: Context) -> list[dict[str, Any]]:
    """What Slack is told, oldest first."""
    rows = where.records.read(
        lambda connection: connection.execute(
            "SELECT title, payload FROM outbox WHERE channel = 'slack' ORDER BY id"
        ).fetchall()
    )
    return [{"title": title, **json.loads(payload)} for title, payload in rows]


# --- done is what was read back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [answering(200, b"<html>login</html>", {"content-type": "text/html"}), answering(200, {"ok": True})]
)
@pytest.mark.parametrize("on", [True, False])
async def test_a_hook_that_says_yes_and_does_nothing_is_not_done(tmp_path: Path, answer: Handler, on: bool) -> None:
    stage = Stage(flag={"on": not on, "enabled": not on}, traps={"POST /hook": [answer]})
    async with opened(stage) as server:
        where = context(server, tmp_path, hook(server))
        ran = await ran_as(where, "run-1", on=on)
    assert ran.outcome is RunOutcome.FAILED and "it was not switched" in ran.words
    assert not ran["flag"].holds and not ran["flag"].releases
    assert outbox(where) == []


async def test_a_flag_that_cannot_be_read_back_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.actions.engine.RESOLVE_TRIES", 1)
    stage = Stage(flag=True)
    broken = answering(500, {"error": "oops"})

    async def then_broken(seen: Any, writer: Any) -> None:
        stage.traps["GET /hook"] = [broken] * 9
        await answering(200, {"ok": True})(seen, writer)

    stage.traps["POST /hook"] = [then_broken]
    async with opened(stage) as server:
        ran = await ran_as(context(server, tmp_path, hook(server)), "run-1", on=False)
    assert ran.outcome is RunOutcome.UNKNOWN and "cannot be read back" in ran.words


async def test_a_hook_that_shows_the_change_some_time_later_is_done(tmp_path: Path) -> None:
    stage = Stage()
    old = answering(200, {"maintenance": {"on": False}})

    async def late(seen: Any, writer: Any) -> None:
        stage._answer(seen, "/hook")
        stage.traps["GET /hook"] = [old, old]
        await answering(200, {"ok": True})(seen, writer)

    stage.traps["POST /hook"] = [late]
    async with opened(stage) as server:
        ran = await ran_as(context(server, tmp_path, hook(server)), "run-1", on=True)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert "read from the remote state" not in ran["flag"].words


# --- held until it is gone --------------------------------------------------------------------------------------------


async def test_while_the_page_is_still_served_the_ledger_holds_it_under_its_owner(tmp_path: Path) -> None:
    stage = Stage(flag=True, plain=answering(503, b"maintenance", {"x-maintenance": "on"}))
    async with opened(stage) as server:
        ran = await ran_as(context(server, tmp_path, edge_config(server)), "run-1", on=False)
    assert ran.outcome is RunOutcome.FAILED and "still there" in ran.words
    assert not ran["flag"].releases and not ran["page"].releases
    (held,) = ran["page"].holds
    assert held.kind == "maintenance" and held.continues
    assert "the flag is off, but the maintenance page is still there" in held.text and "not told" in held.text


async def test_what_comes_back_broken_is_no_maintenance_any_more_and_still_somebodys(tmp_path: Path) -> None:
    stage = Stage(flag=True, plain=answering(500, b"oh"))
    async with opened(stage) as server:
        ran = await ran_as(context(server, tmp_path, edge_config(server)), "run-1", on=False)
    assert ran["page"].releases == (("maintenance", "production"),)
    (held,) = ran["page"].holds
    assert held.kind != "maintenance" and "visitors get now is 500" in held.text


async def test_a_page_that_is_not_seen_leaves_words_that_it_is_on_and_how_to_undo_it(tmp_path: Path) -> None:
    async with opened(Stage(honours=False)) as server:
        ran = await ran_as(context(server, tmp_path, edge_config(server)), "run-1", on=True)
    assert ran.outcome is RunOutcome.FAILED
    assert "maintenance IS on" in ran.words
    assert "done before, and stays: set maintenance on" in ran.words and "undo: radar maintenance off" in ran.words


async def test_of_what_nobody_was_told_nobody_is_told_that_it_is_over(tmp_path: Path) -> None:
    stage = Stage(honours=False)
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server), reads=healthy(holdings=(HELD,)))
        await ran_as(where, "run-1", on=True)
        stage.honours = True
        ran = await ran_as(where, "run-2", on=False)
        assert ran.outcome is RunOutcome.DONE and "nobody was told that it began" in ran["tell"].words
        assert outbox(where) == []
        await ran_as(where, "run-3", on=True)
        await ran_as(where, "run-4", on=False)
    assert [each["title"].rpartition(" ")[2] for each in told(where)] == ["begun", "over"]


# --- no end that nobody planned ---------------------------------------------------------------------------------------


async def test_without_a_planned_end_none_is_told(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await ran_as(where, "run-1", on=True)
        (incident,) = stage.incidents
        assert incident["status"] == "identified" and incident["impact_override"] == "maintenance"
        assert not {"scheduled_for", "scheduled_until"} & set(incident)
        assert told(where)[0]["facts"]["until"] == "no planned end"
        await ran_as(where, "run-2", on=False)
    assert incident["status"] == "resolved" and set(stage.components.values()) == {"operational"}


async def test_ending_it_ends_no_incident_of_an_alert(tmp_path: Path) -> None:
    ours = {"radar": {"key": "a655", "environment": "production"}}
    alert = {"id": "inc_0", "name": "Problems", "status": "investigating", "metadata": ours, "incident_updates": []}
    stage = Stage(flag=True, incidents=[alert])
    async with opened(stage) as server:
        await ran_as(context(server, tmp_path, edge_config(server)), "run-1", on=False)
    assert alert["status"] == "investigating"


# --- on already: changed ----------------------------------------------------------------------------------------------


async def test_on_again_with_another_message_and_end_changes_the_one_that_is_on(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await ran_as(where, "run-1", on=True, message="A")
        since_ms = stage.flag["since_ms"]
        later = replace(where, run="run-2", operator="op2")
        plan = await planned(SetMaintenance(), later, on=True, message="B", minutes=60)
        assert plan.title == "Change message and planned end of the maintenance of production"
        assert "it is not switched" not in words_of(plan, "state")
        assert "changed" in words_of(plan, "state") and "since" in words_of(plan, "state")
        ran = await carried_out(SetMaintenance(), later, plan)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert (stage.flag["since_ms"], stage.flag["by"], stage.flag["message"]) == (since_ms, "op1 (loginuid)", "B")
    assert stage.flag["until_ms"] > since_ms
    (incident,) = stage.incidents
    assert incident["incident_updates"][0]["body"].startswith("B\nPlanned end: ")
    (held,) = ran["flag"].holds
    assert held.continues and held.expires_ms == stage.flag["until_ms"]
    assert [each["title"].rpartition(" ")[2] for each in told(where)] == ["begun", "changed"]


async def test_on_again_without_anything_new_tells_nobody_twice(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await ran_as(where, "run-1", on=True, minutes=30)
        ran = await ran_as(where, "run-2", on=True)
    assert "not written again" in ran["flag"].words and ran["tell"].words == "they were told already"
    assert len(stage.incidents) == 1 and len(told(where)) == 1
    assert ran["flag"].holds[0].expires_ms == stage.flag["until_ms"]


async def test_the_end_that_was_planned_stays_when_only_the_message_is_another(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        first = await ran_as(where, "run-1", on=True, minutes=30)
        ran = await ran_as(where, "run-2", on=True, message="B")
    assert ran["flag"].holds[0].expires_ms == first["flag"].holds[0].expires_ms
    assert ran["statuspage"].outcome is StepOutcome.DONE


# --- in the ledger ----------------------------------------------------------------------------------------------------


def test_what_continues_keeps_its_owner_and_its_beginning(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.db")
    held = Holding(kind="maintenance", subject="production", text="of production: A", expires_ms=5)
    changed = replace(held, text="of production: B", expires_ms=9, continues=True)
    rows = []
    for number, (holding, name) in enumerate([(held, "op1"), (changed, "op2"), (replace(held, text="C"), "op2")]):
        journal = Journal(records, Who(1000 + number, name, "uid"))
        journal.conclude(1, "flag", StepResult(outcome=StepOutcome.DONE, words="", holds=(holding,)))
        rows.append(
            records.read(
                lambda connection: connection.execute(
                    "SELECT text, owner, expires_ms, began_ms FROM holding WHERE ended_ms IS NULL"
                ).fetchall()
            )
        )
    ((first,), (second,), (third,)) = rows
    assert second == ("of production: B", first[1], 9, first[3]) and "op1" in first[1]
    assert third[0] == "C" and "op2" in third[1], "what does not continue begins"


async def test_what_was_cut_off_is_read_again_until_its_request_must_be_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change whose sender was killed may still be carried out: it is not told as one that never was."""
    monkeypatch.setattr(maintenance_flag, "RETRY_S", 0.02)
    monkeypatch.setattr("console.actions.maintenance_flag.LIMITS", replace(LIMITS, total_s=1.0))
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, hook(server))
        plan = await planned(SetMaintenance(), where, on=True)
        cut = replace(where, intended_ms=where.now_ms())
        asyncio.get_running_loop().call_later(0.4, setattr, stage, "flag", {"on": True, "enabled": True})
        late = await SetMaintenance().resolve(cut, plan, plan.steps[0])
        stage.flag = None
        old = replace(where, intended_ms=where.now_ms() - 60_000)
        never = await SetMaintenance().resolve(old, plan, plan.steps[0])
    assert late.outcome is StepOutcome.DONE and never.outcome is StepOutcome.FAILED


# --- what moves production meanwhile ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [SetMaintenance(), Announce()])
async def test_a_rolling_release_is_a_warning_of_the_plan(
    tmp_path: Path, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolling = {"rollingRelease": {"state": "ACTIVE", "canaryDeployment": {"id": hosting.NEW}}}
    path = f"GET /v1/projects/{hosting.PROJECT}/rolling-release"
    stage = Stage(traps={path: [answering(200, rolling)]})
    monkeypatch.setattr(announce, "service", lambda _: Service(True, "collects"))
    on: dict[str, Json] = {"on": True} if isinstance(action, SetMaintenance) else {}
    async with opened(stage) as server:
        plan = await planned(action, context(server, tmp_path, edge_config(server)), **on)
        unread = await planned(action, context(server, tmp_path, edge_config(server)), **on)
    assert "rolling release" in words_of(plan, "in-progress-rolling")
    assert words_of(unread, "in-progress-unread").startswith("warn: whether") and not unread.refusals
