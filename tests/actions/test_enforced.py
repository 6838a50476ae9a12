"""Enforced authority with real accounts and the real sudo, on a private /etc. Skipped without root and sudo."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def _may_make_hosts() -> bool:
    if os.geteuid() != 0 or not all(map(shutil.which, ("sudo", "unshare", "visudo", "mount"))):
        return False
    tried = ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.skipif(not _may_make_hosts(), reason="needs root, sudo and mount namespaces"),
    pytest.mark.xdist_group("enforced"),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every account may pass: pytest's own is closed to others."""
    with tempfile.TemporaryDirectory(prefix="radar-enforced-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def on_the_host(place: Path, script: str, *arguments: str) -> dict[str, Any]:
    """Run one of the scripts there; what it printed."""
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.actions.site"]
    done = subprocess.run(
        [*command, str(place), script, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_an_operator_acts_through_the_service_under_their_own_name(place: Path) -> None:
    told = on_the_host(place, "act", "rt-operator")
    assert told.get("outcome") == "done", told
    assert told["operator"].startswith("rt-operator (") and told["authority"] == "enforced"
    assert "you may do this: operator by user rt-operator (enforced)" in told["checks"]
    assert {path.name for path in (place / "remote").glob("*.made")} == {"ask.made", "again.made"}
    assert (place / "remote" / "ask.made").stat().st_uid == 7301


def test_the_services_run_goes_on_when_the_operators_line_is_cut(place: Path) -> None:
    told = on_the_host(place, "cut", "rt-operator")
    assert told["ended_by"] == signal.SIGHUP and told["then"] == "running"
    assert told["outcome"] == "done" and told["operator"].startswith("rt-operator (")


@pytest.mark.parametrize(("name", "risk", "words"), [
    ("rt-viewer", "safe", "you may not do this"),
    ("rt-operator", "destructive", "you may not do this, which is destructive"),
    ("rt-stranger", "safe", "the runner ended without an answer"),  # sudo's rule is for the group oncall
])  # fmt: skip
def test_who_may_not_is_refused_by_the_service(place: Path, name: str, risk: str, words: str) -> None:
    told = on_the_host(place, "act", name, risk)
    assert words in told["refused"], told
    assert list((place / "remote").iterdir()) == []


def test_an_admin_by_group_may_do_what_is_destructive(place: Path) -> None:
    told = on_the_host(place, "act", "rt-admin", "destructive")
    assert told.get("outcome") == "done", told


@pytest.mark.parametrize("name", ["rt-viewer", "rt-operator"])
def test_a_configuration_of_ones_own_is_no_way_round(place: Path, name: str) -> None:
    told = on_the_host(place, "own_configuration", name)
    assert "is acted upon only by the account radar" in told["refused"], told
    assert list((place / "remote").iterdir()) == []


def test_secrets_and_records_are_the_services(place: Path) -> None:
    told = on_the_host(place, "hold", "rt-viewer")
    assert told["held_by"] == "radar" and told["withheld"] is True
    assert (told["reads_env"], told["writes_place"], told["writes_records"]) == (False, False, False)
    assert told["reads_records"] is True and told["mode"] == "-rw-r-----"
    assert told["token_in_repr"] is False
    assert "sudo -u radar radar check" in told["check"]


def test_what_people_record_stands_in_their_name(place: Path) -> None:
    assert on_the_host(place, "enter", "rt-operator")["by"][0].startswith("rt-operator (")


def test_a_viewer_records_nothing(place: Path) -> None:
    assert (
        "only an operator may silence alerts; viewer: rt-viewer" in on_the_host(place, "enter", "rt-viewer")["refused"]
    )


def test_the_rule_lets_nobody_do_more(place: Path) -> None:
    assert all(status != 0 for status in on_the_host(place, "shell", "rt-operator").values())


@pytest.mark.parametrize("name", ["rt-viewer", "rt-operator"])
def test_the_services_runner_reads_no_file_of_the_callers(place: Path, name: str) -> None:
    said = on_the_host(place, "foreign_file", name)["said"]
    assert "this account acts upon production by /etc/radar/radar.toml, and upon nothing else" in said


def test_readers_cannot_touch_the_locks_of_runs(place: Path) -> None:
    told = on_the_host(place, "runs_directory", "rt-viewer")
    assert (told["mode"], told["writes"], told["unlinked"]) == ("drwxr-s---", False, False)
