"""From the announcement to the flag with every part real: desk, runner, records, the collector's service, a hook."""

from __future__ import annotations

import asyncio
import os
import pwd
from pathlib import Path

import pytest

from console.actions.desk import Desk
from console.collector.run import run
from console.model.action_views import RunRow
from console.model.actions import ActionRequest, RunOutcome
from console.model.configuration import Settings
from console.settings import load
from console.store.read import StoreReader
from tests.actions.upkeep import HOOK_TOKEN, Stage, opened
from tests.collector.scripted import scripted, until

USER = pwd.getpwuid(os.getuid()).pw_name
SOON_MINUTES = 0.02


def settings_of(directory: Path, url: str) -> Settings:
    file = directory / "radar.toml"
    file.write_text(
        f'state_directory = "{directory / "state"}"\n[environments.test]\nurl = "{url}"\n'
        f'[environments.test.access]\nadmins = ["{USER}"]\n'
        f'[environments.test.maintenance]\nprovider = "hook"\nhook = "{url}/hook?key=x"\n'
        f'hook_token = "${{HOOK_TOKEN}}"\nnotice_minutes = 1\n'
    )
    return load(file, "test", {"HOOK_TOKEN": HOOK_TOKEN})


async def confirmed(settings: Settings, typed: str, request: ActionRequest) -> str:
    def ask() -> str:
        desk = Desk(settings, {"PATH": os.environ["PATH"], "HOOK_TOKEN": HOOK_TOKEN})
        ticket = desk.plan(request)
        assert ticket.plan.refusals == (), ticket.plan.refusals
        return ticket.confirm(reason="disk full", typed=typed)

    return await asyncio.to_thread(ask)


async def test_announced_maintenance_is_on_at_its_time_and_off_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, stop = Stage(), asyncio.Event()
    monkeypatch.setenv("HOOK_TOKEN", HOOK_TOKEN)  # what a service has in its own environment
    async with opened(stage) as server:
        settings = settings_of(tmp_path, server.url())
        asked = scripted("health", "route:/")
        service = asyncio.create_task(
            run(settings, stop=stop, notify=lambda _: None, build=asked.build, carries_out=True)
        )
        reader = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
        await until(lambda: reader.health(None).header.collector.alive, "a service lives")
        announced = ActionRequest(action="announce", parameters={"minutes": SOON_MINUTES, "message": "Back soon"})
        await confirmed(settings, "announce", announced)
        await until(lambda: stage.is_on, "the flag is on at its time")

        def runs() -> dict[str, RunRow]:
            return {each.action: each for each in reader.actions(None).runs}

        await until(lambda: runs().get("maintenance", None) is not None, "a run stands for it")
        await until(lambda: runs()["maintenance"].outcome is RunOutcome.DONE, "the run is at its end")
        assert runs()["maintenance"].operator == runs()["announce"].operator
        assert stage.flag["by"] == runs()["announce"].operator and stage.flag["message"] == "Back soon"
        assert "maintenance" in {item.kind for item in reader.health(None).header.open_items}

        def events() -> set[str]:
            return {event.text for event in reader.health(None, events=50).lately}

        await until(lambda: any(text.startswith("maintenance began") for text in events()), "it is marked")
        await confirmed(settings, "off", ActionRequest(action="maintenance", parameters={"on": False}))
        await until(lambda: "maintenance ended" in events(), "its end is marked")
        assert not stage.is_on and reader.actions(None).holdings == ()
        records = settings.records_path.read_bytes() + settings.observed_path.read_bytes()
        assert HOOK_TOKEN.encode() not in records and b"key=x" not in records
        reader.close()
        stop.set()
        await service
