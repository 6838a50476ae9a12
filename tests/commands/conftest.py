"""A configuration, a store from before, and `radar` run in this process or as a real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.cli import main
from console.collector.run import holder_of
from console.collector.secrets import fingerprint
from console.model.configuration import Settings
from console.model.judgement import RuleReading
from console.model.observation import Event
from console.model.states import State
from console.settings import load
from console.store.clock import SystemClock, now_ms
from console.store.identity import identity
from console.store.observe import Lease, ObservedStore
from tests.store import samples

RADAR = [sys.executable, "-m", "console.cli"]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that it printed."""
        return json.loads(self.out)


Radar = Callable[..., Done]


@dataclass(frozen=True)
class Site:
    """A radar.toml whose application is at a closed port, with everything below one directory."""

    directory: Path
    file: Path

    @property
    def settings(self) -> Settings:
        return load(self.file, None, {"HOME": str(self.directory)})

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process that must find nothing of the user's."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return {**kept, "HOME": str(self.directory), "TERM": "dumb"}

    def start(self, *arguments: str, **pipes: Any) -> subprocess.Popen[str]:
        """`radar` as a process of its own."""
        command = [*RADAR, "--config", str(self.file), *arguments]
        return subprocess.Popen(command, text=True, env=self.variables, cwd=Path.cwd(), **pipes)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Port 1 of loopback: nobody listens there, and the kernel says so at once."""
    file = tmp_path / "radar.toml"
    file.write_text(
        'state_directory = "state"\n'
        '[environments.production]\nurl = "http://127.0.0.1:1"\nroutes = ["/"]\negress = false\n'
    )
    file.chmod(0o600)
    return Site(tmp_path, file)


@pytest.fixture
def as_operator(site: Site) -> None:
    """Who runs the tests is named in the table of roles: without it they are a viewer."""
    with site.file.open("a") as file:
        file.write(f'access = {{operators = ["{identity().name}"]}}\n')


@pytest.fixture
def radar(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Radar:
    """Run a command in this process on the site's configuration."""
    monkeypatch.setenv("HOME", str(site.directory))
    for name in ("RADAR_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, config: bool = True) -> Done:
        typed = ["--config", str(site.file), *arguments] if config else [*arguments]
        try:
            status = main(typed)
        except SystemExit as left:
            status = int(left.code or 0)
        captured = capsys.readouterr()
        return Done(status, captured.out, captured.err)

    return run


RULE = RuleReading(
    name="error rate", severity="high", condition="above 5 % for 5 m", state="firing", value=0.38, unit="share"
)


@dataclass
class Collector:
    """Writes rounds as a live collector does."""

    store: ObservedStore
    lease: Lease
    last_ms: int = 0

    def round(self, state: State = State.HEALTHY, *, firing: bool = False, event: str = "") -> int:
        """One round; gives its moment."""
        self.last_ms = max(now_ms(), self.last_ms + 1)
        at_ms = self.last_ms
        well = state is State.HEALTHY
        alerts = (samples.alert(began_ms=at_ms),) if firing else ()
        happened = (Event(at_ms=at_ms, kind="deployment", subject="vercel", text=event),) if event else ()
        judgement = samples.judged(
            at_ms,
            (samples.component(state=state),),
            samples.verdict(state, *([] if well else ["health"])),
            alerts=alerts,
            rules=(RULE,),
        )
        self.store.write_round(
            self.lease, at_ms, [samples.observed(state=state, events=happened)], judgement, {"health": 5.0}
        )
        return at_ms


@pytest.fixture
def collector(site: Site) -> Iterator[Collector]:
    """A live lease of this process on the site's store."""
    store = ObservedStore.open(site.settings.observed_path)
    lease = store.acquire(holder_of(fingerprint(site.settings.environment), SystemClock()))
    assert lease is not None
    yield Collector(store, lease)
    store.release(lease)
    store.close()
