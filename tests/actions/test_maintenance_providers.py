"""The providers of the maintenance flag that speak HTTP, against a loopback with the traps of their contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.actions import maintenance_providers
from console.actions.maintenance import SetMaintenance
from console.actions.maintenance_providers import Hook, provider_of, read_back
from console.actions.wire import Rejected
from console.model.maintenance import Flag
from console.model.observation import Json
from console.model.wire import Unanswered
from console.sources.faults import Fault
from tests.actions import hosting
from tests.actions.hosting import planned
from tests.actions.upkeep import HOOK_TOKEN, STORE, Stage, context, edge_config, hook, opened
from tests.sources.loopback import Loopback, answering, cases, replay

ITEM = f"/v1/edge-config/{STORE}/item/maintenance"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance_providers, "SEEN_WAIT_S", 0.01)


def provider(server: Loopback, directory: Path, **changes: Any) -> Any:
    where = context(server, directory, edge_config(server), **changes)
    return provider_of(where.environment, where.operations.maintenance, where.clients)


# --- the flag in an Edge Config ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "on"),
    [(None, False), (False, False), (True, True), ({"enabled": True}, True), ({"on": True, "enabled": True}, True),
     ({"on": False}, False), ({"on": True, "enabled": False}, None), ("yes", None), ({}, None)],
)  # fmt: skip
async def test_the_flag_is_read_in_every_form_and_a_contradiction_is_unknown(
    tmp_path: Path, value: Json, on: bool | None
) -> None:
    async with opened(Stage(flag=value)) as server:
        assert (await provider(server, tmp_path).read()).flag.on is on


@pytest.mark.parametrize("case", [c for c in cases("vercel_edge_config_item") if c["status"] >= 400], ids=str)
async def test_an_answer_that_refuses_is_a_fault_and_never_off(tmp_path: Path, case: dict[str, Any]) -> None:
    stage = Stage(flag=True, traps={f"GET {ITEM}": [replay(case)]})
    async with opened(stage) as server:
        with pytest.raises(Fault) as caught:
            await provider(server, tmp_path).read()
    assert hosting.TOKEN not in caught.value.words


async def test_a_store_under_the_new_name_is_found_and_written_there(tmp_path: Path) -> None:
    stage = Stage(prefix="global-config")
    async with opened(stage) as server:
        plan = await planned(SetMaintenance(), context(server, tmp_path, edge_config(server)), on=True)
        assert plan.steps[0].call.startswith(f"PATCH /v1/global-config/{STORE}/items")
        assert any("/v1/global-config/" in line for line in plan.escape)
        assert await provider(server, tmp_path).write(Flag(on=True)) == ""
    assert stage.is_on


async def test_a_store_under_neither_name_is_told_with_both(tmp_path: Path) -> None:
    async with opened(Stage(prefix="elsewhere")) as server:
        with pytest.raises(Fault, match="neither as"):
            await provider(server, tmp_path).read()


async def test_who_writes_at_the_same_time_is_noticed(tmp_path: Path) -> None:
    stage = Stage(others_write={"enabled": False})
    async with opened(stage) as server:
        kept = provider(server, tmp_path)
        assert await kept.write(Flag(on=True)) == ""
        with pytest.raises(Unanswered, match="another value"):
            await read_back(kept, Flag(on=True))


async def test_a_store_changed_since_it_was_read_is_noticed_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        assert "changed by somebody else" in await provider(server, tmp_path).write(Flag(on=True), "digest-old")
    async with opened(Stage()) as server:
        assert await provider(server, tmp_path).write(Flag(on=True), "digest-0") == ""


async def test_what_cannot_be_read_before_is_not_written(tmp_path: Path) -> None:
    stage = Stage(traps={f"GET {ITEM}": [answering(500, {"error": {"message": "internal"}})]})
    async with opened(stage) as server:
        with pytest.raises(Rejected):
            await provider(server, tmp_path).write(Flag(on=True))
    assert not stage.asked("PATCH", "/items")


# --- the hook ---------------------------------------------------------------------------------------------------------


async def test_the_hook_is_read_and_written_with_its_token_and_says_neither(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, hook(server))
        found = provider_of(where.environment, where.operations.maintenance, where.clients)
        assert isinstance(found, Hook)
        assert (await found.read()).flag.on is False
        await found.write(Flag(on=True, message="soon"))
        assert (await found.read()).flag.message == "soon"
        shown = f"{found.name} {found.call} {found.escape(on=True)}"
        assert HOOK_TOKEN not in shown and "in-the-url" not in shown
    assert stage.asked("POST", "/hook")[0].path == "/hook?key=in-the-url"


@pytest.mark.parametrize("body", [b"<html>", b"{", b'{"maintenance": null}', b'{"maintenance": "on"}'])
async def test_a_hook_that_says_nothing_readable_is_not_taken_for_off(tmp_path: Path, body: bytes) -> None:
    stage = Stage(traps={"GET /hook": [answering(200, body)]})
    async with opened(stage) as server:
        where = context(server, tmp_path, hook(server))
        found = provider_of(where.environment, where.operations.maintenance, where.clients)
        try:
            assert (await found.read()).flag.on is None
        except Fault as fault:
            assert "in-the-url" not in fault.words
