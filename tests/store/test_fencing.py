"""Real processes: a stopped holder that goes on writes nothing, a killed one loses nothing that it committed."""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.store.clock import SystemClock, now_ms
from console.store.errors import StoreBusy
from console.store.lease import TAKEOVER_MS, Lease
from console.store.observe import ObservedStore
from console.store.read import StoreReader
from tests.store.samples import ENVIRONMENT, holder, observed

DEADLINE_S = 30.0


class LaterClock(SystemClock):
    """The machine's clock as it will be when the lease has run out: the test need not wait for it."""

    def boot_ms(self) -> int:
        return super().boot_ms() + TAKEOVER_MS + 1000


@contextmanager
def collector(path: Path, name: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.collector_process", str(path), name, *options],
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert said(process) == "acquired"
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], DEADLINE_S)
    assert ready, "the collector process says nothing"
    return process.stdout.readline().strip()


def rows_of(path: Path, name: str) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM recent r JOIN target t ON t.id = r.target_id WHERE t.key = ?", (name,)
        ).fetchone()
    return int(row[0])


def stop_between_writes(process: subprocess.Popen[str], store: ObservedStore) -> Lease:
    """Freeze the process and take over. One frozen within a transaction holds the lock, so it is let go on a little."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        os.kill(process.pid, signal.SIGSTOP)
        try:
            lease = store.acquire(holder("new", pid=2))
        except StoreBusy:
            os.kill(process.pid, signal.SIGCONT)
            said(process)  # it has got on
            continue
        assert lease is not None
        return lease
    raise AssertionError("never stopped between two writes")


@pytest.mark.parametrize("fenced", [True, False], ids=["fenced", "unfenced"])
def test_a_stopped_and_continued_holder_writes_no_row_after_the_takeover(tmp_path: Path, fenced: bool) -> None:
    path = tmp_path / "observed.db"
    with collector(path, "old", *([] if fenced else ["--unfenced"])) as process:
        said(process)
        store = ObservedStore.open(path, LaterClock())
        lease = stop_between_writes(process, store)
        before = rows_of(path, "old")
        store.write_round(lease, now_ms(), [observed("new")], None, {"new": 5.0})
        os.kill(process.pid, signal.SIGCONT)
        if fenced:
            while not (line := said(process)).startswith("lost"):
                assert line  # rounds that it had committed before it was stopped
            assert "new 2 took over as epoch 2" in line
            assert rows_of(path, "old") == before
            assert process.wait(DEADLINE_S) == 0
        else:  # the counter-test: without the check the very same run does write
            deadline = time.monotonic() + DEADLINE_S
            while rows_of(path, "old") == before and time.monotonic() < deadline:
                said(process)
            assert rows_of(path, "old") > before


def test_a_holder_killed_at_any_moment_loses_nothing_that_it_committed(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    chance = random.Random(20260101)
    committed: list[int] = []
    for number in range(6):
        ObservedStore.open(path, LaterClock()).close()
        name = f"run{number}"
        expire(path)
        with collector(path, name) as process:
            for _ in range(chance.randrange(1, 60)):
                committed.append(int(said(process)))
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            # The last line may be cut off where it was killed.
            committed += [int(line) for line in process.stdout.read().split("\n")[:-1] if line]
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = {row[0] for row in connection.execute("SELECT at FROM recent")}
        assert [at for at in committed if at not in stored] == []


def expire(path: Path) -> None:
    """As if the 15 s had passed since the kill."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE lease SET renewed_boot_ms = renewed_boot_ms - ?", (TAKEOVER_MS,))


def test_ten_readers_beside_a_writer_see_whole_rounds_only(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    with collector(path, "writer") as process:
        said(process)
        readers = [StoreReader(path, tmp_path / "records.db", ENVIRONMENT, "f1") for _ in range(10)]
        versions = set()
        for _ in range(40):
            for reads in readers:
                detail = reads.component("application", None)
                target = detail.targets[0]
                assert target.words == f"round at {target.tried_ms}"
                assert detail.header.collector.alive
            versions.add(readers[0].version())
            said(process)
        assert len(versions) > 10
        for reads in readers:
            reads.close()
