"""`radar demo --no-ui` and what the other commands say of it: one real demo for all of these tests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from console.demo.faults import FAULTS
from tests.commands.conftest import RADAR
from tests.commands.test_collect import until

pytestmark = pytest.mark.xdist_group("command-demo")


@dataclass(frozen=True)
class Demo:
    """A running `radar demo --no-ui`."""

    directory: Path
    process: subprocess.Popen[str]
    variables: dict[str, str]

    def radar(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*RADAR, *arguments], capture_output=True, text=True, env=self.variables, timeout=90)

    def document(self, *arguments: str) -> tuple[int, Any]:
        done = self.radar("--config", str(self.directory / "radar.toml"), *arguments, "--json")
        return done.returncode, json.loads(done.stdout)

    def fault(self, name: str, switch: str) -> subprocess.CompletedProcess[str]:
        return self.radar("demo", "fault", name, switch, "--dir", str(self.directory))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    base = tmp_path_factory.mktemp("command-demo")
    variables = {**os.environ, "HOME": str(base), "XDG_STATE_HOME": str(base / "state"), "TERM": "dumb"}
    # The user's own: a demo must not touch what it names.
    variables["DATABASE_URL"] = "postgresql://radar@127.0.0.1:1/production"
    command = [*RADAR, "demo", "--no-ui", "--json", "--dir", str(base / "demo")]
    with (base / "stderr").open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=variables)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (base / "stderr").read_text()
        assert json.loads(line)["configuration"] == str(base / "demo" / "radar.toml")
        yield Demo(base / "demo", process, variables)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()


def test_the_demo_is_well_and_labelled(demo: Demo) -> None:
    status, found = demo.document("check")
    assert (status, found["state"], found["label"]) == (0, "healthy", "demo")
    assert {component["key"] for component in found["components"]} >= {"application", "database", "vercel", "supabase"}
    assert found["environment"] != "production"


def test_a_fault_shows_in_the_next_check_and_goes_away(demo: Demo) -> None:
    assert demo.fault("backend-down", "on").returncode == 0
    try:
        status, found = demo.document("check")
        assert status == 2
        assert found["verdict"]["reasons"][0]["component"] in ("application", "routes")
        listed = json.loads(demo.radar("demo", "fault", "--dir", str(demo.directory), "--json").stdout)
        assert [fault["name"] for fault in listed["faults"] if fault["on"]] == ["backend-down"]
    finally:
        assert demo.fault("backend-down", "off").returncode == 0
    until(lambda: demo.document("check")[0] == 0, 30)


def test_what_cannot_be_switched_is_refused_with_the_reason(demo: Demo, tmp_path: Path) -> None:
    done = demo.fault("coffee", "on")
    assert (done.returncode, done.stdout) == (2, "")
    assert all(name in done.stderr for name in FAULTS)
    assert demo.radar("demo", "fault", "backend-down").returncode == 3
    told = demo.radar("demo", "fault", "--help").stdout
    assert [name for name, does in FAULTS.items() if f"  {name} " not in told or does not in told] == []
    assert demo.radar("demo", "fault", "backend-down", "sideways").returncode == 3
    elsewhere = demo.radar("demo", "fault", "backend-down", "on", "--dir", str(tmp_path))
    assert elsewhere.returncode == 2
    assert "radar demo" in elsewhere.stderr


def test_a_second_demo_in_the_same_directory_is_refused(demo: Demo) -> None:
    done = demo.radar("demo", "--no-ui", "--dir", str(demo.directory))
    assert done.returncode == 2
    assert "a demo runs in" in done.stderr
    assert "Traceback" not in done.stderr


def test_somebodys_directory_is_not_emptied(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert demo.radar("demo", "--no-ui", "--dir", str(tmp_path)).returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_the_doctor_finds_every_credential_good(demo: Demo) -> None:
    _, found = demo.document("doctor")
    systems = [finding for finding in found["findings"] if finding["group"] == "systems"]
    assert {finding["result"] for finding in systems} == {"well"}, systems
    assert {"vercel", "supabase.project", "postgres.activity", "egress"} <= {finding["name"] for finding in systems}


def test_the_doctor_says_the_fix_of_a_credential_that_is_not(demo: Demo, tmp_path: Path) -> None:
    broken = tmp_path / "demo"
    broken.mkdir()
    text = (demo.directory / "radar.toml").read_text()
    (broken / "radar.toml").write_text(text.replace(f'"{demo.directory}/state"', f'"{broken}/state"'))
    variables = (demo.directory / ".env").read_text().splitlines()
    wrong = [f"{line}x" if line.startswith(("VERCEL_TOKEN", "SUPABASE_ACCESS")) else line for line in variables]
    (broken / ".env").write_text("\n".join(wrong).replace("radar_monitor:", "radar_monitor:wrong"))
    done = demo.radar("--config", str(broken / "radar.toml"), "doctor", "--json")
    assert done.returncode == 2
    fixes = {finding["name"]: finding["fix"] for finding in json.loads(done.stdout)["findings"]}
    assert "vercel.com/account/tokens" in fixes["vercel"]
    assert "supabase.com/dashboard/account/tokens" in fixes["supabase.project"]
    assert "DATABASE_URL" in fixes["postgres.canary"]
    assert not any(line.split("=", 1)[1] in done.stdout for line in wrong)


def test_sigterm_leaves_nothing_behind(demo: Demo) -> None:
    """The last of these tests: it ends the demo."""
    demo.process.terminate()
    assert demo.process.wait(20) == 0
    assert "Traceback" not in (demo.directory.parent / "stderr").read_text()
    until(lambda: not _processes_of(demo.directory), 10)


def _processes_of(directory: Path) -> list[list[str]]:
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if str(directory) in " ".join(words):
            found.append(words)
    return found
