"""The write-ahead log: folded in by the holder only, never waited for, and cut again after a reader held it up."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from console.model.observation import Json
from console.store import observe
from console.store.files import connect_reader
from console.store.observe import Lease, ObservedStore
from console.store.read import StoreReader
from tests.store.samples import ENVIRONMENT, ManualClock, holder, judged, observed

CHECKPOINT_BYTES = 256 * 1024
KEPT_BYTES = 1024 * 1024


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "CHECKPOINT_BYTES", CHECKPOINT_BYTES)
    monkeypatch.setattr(observe, "TRUNCATE_BYTES", 2 * KEPT_BYTES)


def started(path: Path, clock: ManualClock) -> tuple[ObservedStore, Lease]:
    store = ObservedStore.open(path, clock)
    lease = store.acquire(holder())
    assert lease is not None
    return store, lease


def write(store: ObservedStore, lease: Lease, clock: ManualClock, rounds: int) -> None:
    for number in range(rounds):
        raw: dict[str, Json] = {"raw": [f"{clock.boot}/{number}/{line}" for line in range(500)]}
        one = observed(facts={"n": clock.boot}, volatile=raw)
        store.write_round(lease, clock.pass_ms(61_000), [one], judged(clock.wall), {"health": 61.0})


def log_bytes(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def test_a_log_does_not_grow_beyond_what_a_few_rounds_need(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    sizes = []
    for _ in range(60):
        write(store, lease, clock, 10)
        sizes.append(log_bytes(path))
    assert max(sizes) < KEPT_BYTES + 2 * CHECKPOINT_BYTES
    assert path.stat().st_size > CHECKPOINT_BYTES


def test_a_reader_stopped_within_a_read_holds_up_no_round(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    write(store, lease, clock, 1)
    stuck = connect_reader(path)
    stuck.execute("BEGIN")
    stuck.execute("SELECT count(*) FROM span").fetchone()
    began = time.process_time()
    write(store, lease, clock, 400)
    assert log_bytes(path) > 2 * KEPT_BYTES
    assert time.process_time() - began < 20
    stuck.close()
    write(store, lease, clock, 60)
    assert log_bytes(path) < 2 * KEPT_BYTES


def test_reads_leave_no_transaction_open(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    store, lease = started(path, clock)
    write(store, lease, clock, 3)
    reads = StoreReader(path, tmp_path / "records.db", ENVIRONMENT, None, clock.wall_ms, machine=clock)
    reads.health(None)
    reads.component("application", None)
    reads.alerts(None)
    reads.version()
    write(store, lease, clock, 1)
    with sqlite3.connect(path) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


def test_who_lost_the_lease_does_not_fold_the_log_in(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    first, lease = started(path, clock)
    write(first, lease, clock, 2)
    second = ObservedStore.open(path, clock)
    clock.pass_ms(20_000)
    assert second.acquire(holder("op2@a")) is not None
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    connection.execute("CREATE TABLE filler(x)")
    connection.execute("INSERT INTO filler VALUES (zeroblob(?))", (2 * CHECKPOINT_BYTES,))
    before = path.stat().st_size
    first._checkpoint_when_large(lease)
    assert path.stat().st_size == before
    connection.close()
