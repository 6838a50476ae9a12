"""The real runner killed in the middle of setting the flag: what was done is read from the flag, and not done again."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
from pathlib import Path

import pytest

from console.actions.desk import Desk
from console.model.actions import ActionRequest, RunOutcome
from console.model.configuration import Settings
from console.model.ports import Refused
from console.settings import load
from console.store.journal import Journal, StoredRun
from console.store.read import StoreReader
from console.store.records import Records, identity
from tests.actions.upkeep import HOOK_TOKEN, Stage, opened
from tests.collector.scripted import until
from tests.sources.loopback import Seen, Writer

USER = pwd.getpwuid(os.getuid()).pw_name
VARIABLES = {"PATH": os.environ["PATH"], "HOOK_TOKEN": HOOK_TOKEN}
ON = ActionRequest(action="maintenance", parameters={"on": True, "message": "Back soon"})


def settings_of(directory: Path, url: str) -> Settings:
    file = directory / "radar.toml"
    file.write_text(
        f'state_directory = "{directory / "state"}"\n[environments.test]\nurl = "{url}"\n'
        f'[environments.test.access]\nadmins = ["{USER}"]\n'
        f'[environments.test.maintenance]\nprovider = "hook"\nhook = "{url}/hook"\nhook_token = "${{HOOK_TOKEN}}"\n'
    )
    file.chmod(0o600)
    return load(file, "test", {"HOOK_TOKEN": HOOK_TOKEN})


def stored(settings: Settings) -> StoredRun:
    (run,) = Journal(Records(settings.records_path), identity()).open_runs()
    return run


@pytest.mark.parametrize("carried_out", [True, False])
async def test_killed_while_the_flag_is_set(tmp_path: Path, carried_out: bool) -> None:
    asked = asyncio.Event()
    stage = Stage()

    async def hanging(seen: Seen, _writer: Writer) -> None:
        if carried_out:
            stage._answer(seen, "/hook")
        asked.set()
        await asyncio.Event().wait()

    stage.traps["POST /hook"] = [hanging]
    async with opened(stage) as server:
        settings = settings_of(tmp_path, server.url())
        desk = Desk(settings, VARIABLES)
        ticket = await asyncio.to_thread(desk.plan, ON)
        token = await asyncio.to_thread(lambda: ticket.confirm(reason="disk full", typed="on"))
        async with asyncio.timeout(20):
            await asked.wait()
        os.kill(stored(settings).pid, signal.SIGKILL)
        reader = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)

        def outcome() -> RunOutcome | None:
            run = reader.run(token, None).run
            return run.outcome if run else None

        await until(lambda: outcome() is RunOutcome.INTERRUPTED, "it shows as interrupted")
        assert reader.actions(None).holdings == ()
        await _resumed(desk, token, carried_out=carried_out)
        wanted = RunOutcome.DONE if carried_out else RunOutcome.NOT_DONE
        await until(lambda: outcome() is wanted, "it is at its end")
        assert len(stage.asked("POST", "/hook")) == 1
        assert stage.is_on is carried_out
        assert [row.kind for row in reader.actions(None).holdings] == (["maintenance"] if carried_out else [])
        reader.close()


async def _resumed(desk: Desk, token: str, *, carried_out: bool) -> None:
    """Go on with it: the flag says whether there is anything to go on with."""
    if not carried_out:
        with pytest.raises(Refused, match="it was not switched"):
            await asyncio.to_thread(desk.resume, token)
        return
    rest = await asyncio.to_thread(desk.resume, token)
    assert [step.key for step in rest.plan.steps] == ["page"]
    await asyncio.to_thread(lambda: rest.confirm(reason="disk full", typed=rest.plan.phrase))
