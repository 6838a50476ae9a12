"""Who carries a run out: by its lock, and by the process where the lock is gone, blocked or no file."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from console.model.actions import RunOutcome
from console.model.ports import Refused
from console.store.clock import SystemClock
from console.store.runlock import RunLock, is_carried_out, lock_path
from tests.actions.place import Place, place

BOOT = SystemClock().boot_id
NOBODY = 2**22 - 1
TOKEN = "a1b2"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def test_a_lock_is_held_until_it_is_let_go(tmp_path: Path) -> None:
    lock = RunLock.take(tmp_path, TOKEN)
    assert lock is not None and RunLock.take(tmp_path, TOKEN) is None
    assert is_carried_out(tmp_path, TOKEN, NOBODY, BOOT)
    lock.release()
    assert not is_carried_out(tmp_path, TOKEN, NOBODY, BOOT)


def test_a_pipe_in_its_place_hangs_nobody_and_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    os.mkfifo(lock_path(tmp_path, TOKEN))
    assert not is_carried_out(tmp_path, TOKEN, NOBODY, BOOT)
    with pytest.raises(OSError, match="no file"):
        RunLock.take(tmp_path, TOKEN)


def test_a_run_whose_lock_somebody_removed_still_runs(here: Place) -> None:
    token = here.desk.plan(here.request(ask="wait")).confirm(reason="why", typed="f1f1f1f")
    lock_path(here.settings.state_directory, token).unlink()
    run = here.reader().run(token, None).run
    assert run is not None and run.outcome is RunOutcome.RUNNING
    with pytest.raises(Refused, match="is being carried out"):
        here.desk.resume(token)
    (here.remote / "go").touch()
    ended = here.ended(token).run
    assert ended is not None and ended.outcome is RunOutcome.DONE


def test_a_reader_that_keeps_the_file_locked_ends_no_run(here: Place) -> None:
    token = here.desk.plan(here.request(ask="wait")).confirm(reason="why", typed="f1f1f1f")
    reader = sqlite3.connect(f"file:{here.settings.records_path}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM run").fetchone()
    (here.remote / "go").touch()
    step = lambda view: view.steps[0].ended_ms is not None  # noqa: E731
    with pytest.raises(AssertionError):
        here.ended(token, step, patience_s=3.5)  # longer than SQLite's own patience of two seconds
    reader.execute("COMMIT")
    ended = here.ended(token).run
    assert ended is not None and ended.outcome is RunOutcome.DONE
