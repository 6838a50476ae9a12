"""Maintenance on the status page: never told twice, mail only when it was opted in, nothing lost with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.actions import maintenance_providers
from console.actions.maintenance import SetMaintenance
from console.model.actions import RunOutcome, StepOutcome
from console.model.observation import Json
from console.notify.statuspage import Statuspage
from console.sources.wire import Wire
from console.store.clock import now_ms
from console.store.outbox import claim
from console.store.read_outbox import channel_states, troubles
from tests.actions import hosting
from tests.actions.hosting import carried_out, planned
from tests.actions.upkeep import Stage, context, edge_config, opened, outbox
from tests.sources.loopback import Seen, Writer, answering, cases, replay


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance_providers, "SEEN_WAIT_S", 0.01)


# --- the status page --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gives_metadata", [True, False])
async def test_an_incident_whose_answer_is_lost_is_found_and_not_made_again(
    tmp_path: Path, gives_metadata: bool
) -> None:
    stage = Stage(lost={"POST"}, gives_metadata=gives_metadata)
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran.outcome is RunOutcome.DONE and ran["statuspage"].outcome is StepOutcome.DONE, ran["statuspage"].words
    assert len(stage.incidents) == 1


async def test_an_incident_that_is_not_there_after_a_lost_answer_is_unknown_and_loses_nothing_else(
    tmp_path: Path,
) -> None:
    async def cut(_seen: Seen, writer: Writer) -> None:
        writer.transport.abort()

    stage = Stage(traps={"POST /v1/pages/page_1/incidents": [cut]})
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran.outcome is RunOutcome.DONE and "look at the page" in ran.words
    assert ran["statuspage"].outcome is StepOutcome.UNKNOWN
    assert len(stage.asked("POST", "/incidents")) == 1
    assert [channel for event, channel, _ in outbox(where) if not event.endswith("/page")] == ["slack", "webhook:ops"]


@pytest.mark.parametrize("status", [420, 429])
async def test_a_rate_limit_is_waited_for(tmp_path: Path, status: int) -> None:
    busy = answering(status, {"error": "Rate limit exceeded"}, {"retry-after": "3"})
    stage = Stage(traps={"POST /v1/pages/page_1/incidents": [busy]})
    hosting.Quick.waits.clear()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran["statuspage"].outcome is StepOutcome.DONE and len(stage.incidents) == 1
    assert 3.0 in hosting.Quick.waits, "what the page asked for"


@pytest.mark.parametrize(
    "case", [c for c in cases("statuspage_maintenance_create") if c["status"] in (403, 404, 422)], ids=str
)
async def test_a_refusal_of_the_page_is_told_in_its_words_and_loses_nothing_else(
    tmp_path: Path, case: dict[str, Any]
) -> None:
    stage = Stage(traps={"POST /v1/pages/page_1/incidents": [replay(case)]})
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
    assert ran.outcome is RunOutcome.DONE and f"Statuspage answers {case['status']}" in ran.words
    said = case["body"]["error"]
    assert (said[0] if isinstance(said, list) else said) in ran["statuspage"].words


@pytest.mark.parametrize("on", [True, False])
async def test_what_the_page_does_not_take_is_left_to_the_collector_and_is_told_there(tmp_path: Path, on: bool) -> None:
    """500: the ledger shows it at once, `radar notify` says failing, and the collector's channel tells it."""
    stage = Stage(flag=None if on else True)
    if not on:
        ours = {"radar": {"key": "run-before", "environment": "demo"}}
        begun = {"id": "inc_1", "name": "m", "status": "in_progress", "metadata": ours, "incident_updates": []}
        stage.incidents.append(begun)
    for name in ("GET", "POST"):
        stage.traps[f"{name} /v1/pages/page_1/incidents"] = [answering(500, {"error": "oops"})]
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        if not on:
            stage.incidents[0]["metadata"]["radar"]["environment"] = where.environment.name
        ran = await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=on))
        assert ran.outcome is RunOutcome.DONE and "the collector tries again" in ran["statuspage"].words
        (item,) = where.records.read(lambda connection: troubles(connection, now_ms()))
        assert "statuspage failing" in item.text and "500" in item.text
        state = where.records.read(channel_states)["statuspage"]
        assert state.state == "failing" and state.waiting == 1
        stage.traps.clear()
        message = claim(where.records, now_ms() + 3000, "statuspage")
        assert message is not None and where.operations.statuspage is not None
        settings = where.operations.statuspage
        channel = Statuspage(settings.key, settings.page, settings.api, Wire(where.clients))
        delivery = await channel.deliver(message, now_ms())
    assert delivery.state == "sent", delivery.words
    (incident,) = stage.incidents
    assert incident["status"] in (("in_progress", "identified") if on else ("completed",))


async def test_a_beginning_that_was_not_told_does_not_follow_the_end(tmp_path: Path) -> None:
    stage = Stage(traps={"GET /v1/pages/page_1/incidents": [answering(500, {"error": "oops"})]})
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=True))
        assert where.records.read(channel_states)["statuspage"].waiting == 1
        await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=False))
        assert claim(where.records, now_ms() + 60_000, "statuspage") is None
    assert stage.incidents == []


@pytest.mark.parametrize(
    ("given", "email", "sent"), [(None, False, False), (None, True, True), (True, False, True), (False, True, False)]
)
async def test_mail_is_sent_only_when_it_was_opted_in(
    tmp_path: Path, given: bool | None, email: bool, sent: bool
) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server), email=email)
        wish: dict[str, Json] = {} if given is None else {"mail": given}
        plan = await planned(SetMaintenance(), where, on=True, **wish)
        await carried_out(SetMaintenance(), where, plan)
    assert stage.incidents[0]["deliver_notifications"] is sent
    assert ("mail to its subscribers" in plan.steps[2].words) is sent


async def test_what_others_wrote_on_the_page_is_left_alone(tmp_path: Path) -> None:
    other = {
        "id": "inc_0",
        "name": "Elsewhere",
        "status": "in_progress",
        "incident_updates": [{"body": "ours, not yours"}],
    }
    stage = Stage(flag=True, incidents=[other])
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await carried_out(SetMaintenance(), where, await planned(SetMaintenance(), where, on=False))
    assert other["status"] == "in_progress"
