"""A full disk: said in words, nothing stored is lost, people's records still fit, and it goes on by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


def can_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def story(directory: Path, kind: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.store.full_disk_process", str(directory), kind]
    result = subprocess.run(
        [*(UNSHARE if kind == "tmpfs" else []), *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert result.returncode == 0, result.stderr
    return {told["step"]: told for told in map(json.loads, result.stdout.splitlines())}


@pytest.mark.parametrize(
    "kind",
    [
        "limit",
        pytest.param("tmpfs", marks=pytest.mark.skipif(not can_unshare(), reason="no mount namespaces here")),
    ],
)
def test_a_full_disk_is_told_survived_and_recovered_from(tmp_path: Path, kind: str) -> None:
    told = story(tmp_path, kind)
    assert told["full"]["words"].startswith("no room to write observed.db")
    before = told["before"]["spans"]
    assert len(before) == 5
    assert told["full"]["spans"][-5:] == before
    assert told["recorded"]["silences"] == 1
    after = told["after"]
    assert after["spans"][0] == "after"
    assert after["spans"][1:] == told["full"]["spans"]
    assert after["events"][0].startswith("the disk was full for")
    assert after["last_error"] == after["events"][0]
