"""Runs on a disk that fills, told as JSON lines. `python -m tests.actions.full_disk_process DIRECTORY KIND STORY`.

KIND `tmpfs`: DIRECTORY becomes a file system of 16 MiB of this process (run it in a mount namespace of its own);
`limit`: a limit on the size of files, which every runner inherits, stands for the full disk.
STORY `asked`: the disk is full when somebody confirms; `acting`: it fills in the first step; `lost`: as that, and
there is no ballast either.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.model.actions import RunOutcome
from console.model.ports import Refused
from console.store import ballast
from console.store.journal import Journal
from console.store.records import identity
from tests.actions.place import Place, place

PHRASE = "f1f1f1f"
PATIENCE_S = 20.0


def main(directory: Path, kind: str, story: str) -> None:
    """Play it."""
    if kind == "tmpfs":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "radar-test", str(directory)], check=True)
    here = place(directory, pytest.MonkeyPatch())
    remote = directory if story == "asked" else Path(sys.argv[4])  # the remote's disk is not ours
    here.remote = remote
    here.records().request_poll()
    if story == "asked":
        _asked(here, kind)
    else:
        _acting(here, without_ballast=story == "lost")


def _asked(here: Place, kind: str) -> None:
    """Neither records.db nor its journal takes a byte more, and there is no ballast to give."""
    ballast.free(here.settings.records_path)
    if kind == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    ticket = here.desk.plan(here.request())
    if kind == "tmpfs":
        ballast.free(here.settings.records_path)  # made again by the runner
        _fill(here.settings.state_directory)
    try:
        tell(begun=ticket.confirm(reason="why", typed=PHRASE))
    except Refused as refused:
        tell(refused=str(refused))
    ticket.leave()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    runs = here.reader().actions(None).runs
    tell(runs=[run.outcome for run in runs], made=sorted(here.made()))


def _acting(here: Place, *, without_ballast: bool) -> None:
    token = here.desk.plan(here.request(ask="wait")).confirm(reason="why", typed=PHRASE)
    journal = Journal(here.records(), identity())
    until_s = time.monotonic() + PATIENCE_S
    while "waits" not in [entry.words for entry in journal.entries(1)]:
        assert time.monotonic() < until_s
    had_ballast = ballast.path_of(here.settings.records_path).exists()
    _fill(here.settings.state_directory)
    # A runner makes its ballast again while there is room, also just after we took it: on a full disk it stays away.
    while without_ballast and ballast.path_of(here.settings.records_path).exists():
        ballast.free(here.settings.records_path)
        _fill(here.settings.state_directory)
    (here.remote / "go").touch()
    view = here.ended(token)
    assert view.run is not None
    tell(
        had_ballast=had_ballast, outcome=view.run.outcome, steps=[step.outcome for step in view.steps],
        made=sorted(here.made()), ballast=ballast.path_of(here.settings.records_path).exists(),
    )  # fmt: skip
    if view.run.outcome is RunOutcome.INTERRUPTED:
        (here.settings.state_directory / "filler").unlink()
        here.desk.resume(token).confirm(reason="", typed=PHRASE)
        view = here.ended(token, lambda seen: seen.run is not None and seen.run.ended_ms is not None)
        assert view.run is not None
        tell(after=view.run.outcome, steps=[step.outcome for step in view.steps])


def _fill(directory: Path) -> None:
    with (directory / "filler").open("ab", buffering=0) as file:
        for size in (64 * 1024, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
