"""A running demo and a console before it, both real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import Terminal

RADAR = [sys.executable, "-m", "console.cli"]


@dataclass(frozen=True)
class RunningDemo:
    """A demo stack with its headless collector, as `radar demo --no-ui` starts it."""

    directory: Path
    configuration: Path
    process: subprocess.Popen[str]

    def radar(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run one command on this demo's configuration."""
        command = [*RADAR, "--config", str(self.configuration), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)

    def fault(self, name: str, on: bool) -> None:
        """Switch a fault; fails the test with the command's own words if it is refused."""
        command = [*RADAR, "demo", "fault", name, "on" if on else "off", "--dir", str(self.directory)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr or done.stdout

    def check(self) -> tuple[int, dict[str, Any]]:
        """`radar check --json`: exit status and document."""
        done = self.radar("check", "--json")
        return done.returncode, json.loads(done.stdout)

    def console(self, *, columns: int = 160, rows: int = 48, **environment: str) -> Terminal:
        """The console on this demo, in a pseudo-terminal of its own."""
        state = {"XDG_STATE_HOME": str(self.directory / "home"), **environment}
        command = [*RADAR, "--config", str(self.configuration)]
        return Terminal(command, columns=columns, rows=rows, environment=state)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """One demo for the nights of a module; it is ended as a supervisor ends it, and must obey."""
    place = tmp_path_factory.mktemp("nights")
    directory = place / "demo"
    with (place / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [*RADAR, "demo", "--no-ui", "--dir", str(directory)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            env=dict(os.environ),
        )
    try:
        yield RunningDemo(directory, _configuration(process, directory), process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()


def _configuration(process: subprocess.Popen[str], directory: Path) -> Path:
    configuration = directory / "radar.toml"
    assert process.stdout is not None
    for line in process.stdout:
        if str(configuration) in line:
            return configuration
    raise AssertionError(f"the demo did not start: {(directory.parent / 'stderr').read_text()}")
