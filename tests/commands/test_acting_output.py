"""What becomes of an action, and of its exit status, when nobody reads what is printed: as a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from console.model.actions import RunOutcome
from tests.actions.place import Place, place
from tests.commands.acting_program import ROOT

YES = ("--reason", "it is broken", "--confirm", "test/f1f1f1f")
FULL = Path("/dev/full")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def scripted(here: Place, stdout: int | IO[bytes], *options: str, **script: object) -> subprocess.Popen[str]:
    words = json.dumps({"remote": str(here.remote), **script})
    command = [sys.executable, "-m", "tests.commands.acting_program", "--config", str(here.settings.file), "scripted"]
    return subprocess.Popen(
        [*command, words, *options], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def runs(here: Place) -> list[RunOutcome]:
    return [run.outcome for run in here.reader().actions(None).runs]


def test_a_plan_that_nobody_reads_is_not_carried_out(here: Place) -> None:
    read, write = os.pipe()
    os.close(read)
    process = scripted(here, write, *YES)
    os.close(write)
    assert "nobody reads the plan any more: nothing was done" in process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert here.made() == set() and runs(here) == []


@pytest.mark.parametrize(("script", "status"), [({}, 0), ({"watch": "worse"}, 1), ({"again": "rejected"}, 2)])
def test_a_reader_that_leaves_ends_neither_the_run_nor_its_status(
    here: Place, script: dict[str, str], status: int
) -> None:
    process = scripted(here, subprocess.PIPE, *YES, ask="wait", **script)
    assert process.stdout is not None
    while "begun" not in process.stdout.readline():
        pass
    process.stdout.close()
    (here.remote / "go").touch()
    assert process.stderr is not None and process.stderr.read() == ""
    assert process.wait(30) == status
    assert runs(here)[0] is not RunOutcome.RUNNING
    process.stderr.close()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_document_is_told_and_the_status_is_the_runs(here: Place) -> None:
    with FULL.open("wb") as full:
        process = scripted(here, full, *YES, "--json")
        said = process.communicate(timeout=30)[1]
    assert said == "radar: cannot write to standard output: no space left on device\n"
    assert process.returncode == 0 and runs(here) == [RunOutcome.DONE]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_plan_leaves_everything_as_it_is(here: Place) -> None:
    with FULL.open("wb") as full:
        process = scripted(here, full, *YES)
        said = process.communicate(timeout=30)[1]
    assert "no space left" in said and process.returncode == 2
    assert here.made() == set() and runs(here) == []


def test_breaking_the_glass_is_followed_where_it_is_recorded_and_never_for_ever(
    here: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here.settings.records_path.parent.mkdir(parents=True)
    here.settings.records_path.write_bytes(b"this is no database" * 1000)
    for inherited, status in ((str(tmp_path / "mine"), 0), (str(tmp_path / "of-another-account"), 2)):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "mine"))
        monkeypatch.setenv("RUNNER_STATE_HOME", inherited)
        process = scripted(here, subprocess.PIPE, *YES, "--break-glass")
        out, err = process.communicate(timeout=30)
        assert process.returncode == status, out + err
        assert "BREAK GLASS" in out
        assert ("is not found from here; the run goes on" in err) == (status == 2)
    assert here.made() == {"ask", "again"}
