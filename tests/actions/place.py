"""An environment with a state directory of its own, and a desk whose runners know the scripted action."""

from __future__ import annotations

import os
import pwd
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.actions import desk
from console.actions.desk import Desk, Runner
from console.model.action_views import RunView
from console.model.actions import ActionRequest, RunOutcome
from console.model.configuration import Settings
from console.model.observation import Json
from console.settings import load
from console.store.read import StoreReader
from console.store.records import Records

ROOT = Path(__file__).parents[2]
USER = pwd.getpwuid(os.getuid()).pw_name
PATIENCE_S = 30.0


@dataclass
class Place:
    """What a test needs of it."""

    settings: Settings
    remote: Path

    @property
    def desk(self) -> Desk:
        """The front of the counter."""
        return Desk(self.settings, {"PATH": os.environ["PATH"]})

    def request(self, **script: Json) -> ActionRequest:
        """The scripted action."""
        return ActionRequest(action="scripted", parameters={"remote": str(self.remote), **script})

    def reader(self) -> StoreReader:
        """The store as the screens read it."""
        return StoreReader(self.settings.observed_path, self.settings.records_path, self.settings.environment, None)

    def records(self) -> Records:
        """The people's file, for writing."""
        return Records(self.settings.records_path)

    def made(self) -> set[str]:
        """Which changes the remote has seen."""
        return {path.stem for path in self.remote.glob("*.made")}

    def ended(
        self, token: str, until: Callable[[RunView], bool] | None = None, *, patience_s: float = PATIENCE_S
    ) -> RunView:
        """The run once it is at its end, or as `until` wants it."""
        reads, stop_s = self.reader(), time.monotonic() + patience_s
        wanted = until or (lambda view: view.run is not None and view.run.outcome is not RunOutcome.RUNNING)
        while not wanted(view := reads.run(token, None)):
            assert time.monotonic() < stop_s, view
            os.sched_yield()
        reads.close()
        return view


def place(
    directory: Path, monkeypatch: pytest.MonkeyPatch, role: str = "admins", module: str = "tests.actions.scripted"
) -> Place:
    """With the present user in that role. `module`: the runner with the action that is to be tried."""
    file = directory / "radar.toml"
    file.write_text(
        f'state_directory = "{directory / "state"}"\n[environments.test]\nurl = "http://127.0.0.1:9"\n'
        f'[environments.test.access]\n{role} = ["{USER}"]\n'
    )
    remote = directory / "remote"
    remote.mkdir()

    def start(self: Desk) -> Runner:
        # Not isolated: the scripted action stands in the tests. Everything else is the real runner.
        return Runner([sys.executable, "-m", module], {"PYTHONPATH": str(ROOT)})

    monkeypatch.setattr(desk.Desk, "_start", start)
    return Place(load(file, "test", {}), remote)
