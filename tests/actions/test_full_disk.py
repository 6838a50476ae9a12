"""The disk is full: when somebody confirms nothing is done; a run that acts keeps its journal, or ends as not known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.store.test_full_disk import UNSHARE, can_unshare

needs_mount = pytest.mark.skipif(not can_unshare(), reason="no mount namespaces here")


def story(tmp_path: Path, kind: str, name: str) -> list[dict[str, Any]]:
    remote, disk = tmp_path / "elsewhere", tmp_path / "disk"
    remote.mkdir()
    disk.mkdir()
    command = [sys.executable, "-m", "tests.actions.full_disk_process", str(disk), kind, name, str(remote)]
    done = subprocess.run(
        [*(UNSHARE if kind == "tmpfs" else []), *command], capture_output=True, text=True, check=False, timeout=60,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("kind", ["limit", pytest.param("tmpfs", marks=needs_mount)])
def test_what_cannot_be_recorded_is_not_begun(tmp_path: Path, kind: str) -> None:
    said, after = story(tmp_path, kind, "asked")
    assert said["refused"].startswith("nothing was done, for it could not be recorded: no room to write records.db")
    assert after == {"runs": [], "made": []}


@needs_mount
def test_a_run_that_meets_a_full_disk_uses_the_ballast_and_ends_its_journal(tmp_path: Path) -> None:
    (told,) = story(tmp_path, "tmpfs", "acting")
    assert told["had_ballast"] and not told["ballast"]
    assert told["outcome"] == "done" and told["steps"] == ["done"] * 4 and told["made"] == ["again", "ask"]


@needs_mount
def test_without_a_ballast_the_run_is_interrupted_not_done_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    told, after = story(tmp_path, "tmpfs", "lost")
    assert told["outcome"] == "interrupted" and told["steps"] == ["intended", None, None, None]
    assert told["made"] == ["ask"]  # nothing was begun that could not be written down first
    assert after == {"after": "done", "steps": ["done"] * 4}
