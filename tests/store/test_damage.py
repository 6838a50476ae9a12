"""A damaged, removed or replaced observed.db: said in words, set aside, begun anew, and read again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from console.model.ports import StoreUnreadable
from console.store.errors import LeaseLost, StoreBusy, StoreDamaged, StoreError
from console.store.observe import CHECK_PAUSE_MS, Lease, ObservedStore
from console.store.read import StoreReader
from console.store.records import Records
from tests.store.samples import ENVIRONMENT, ManualClock, holder, judged, observed

INTERVALS = {"health": 5.0}


def started(path: Path, clock: ManualClock) -> tuple[ObservedStore, Lease]:
    store = ObservedStore.open(path, clock)
    lease = store.acquire(holder())
    assert lease is not None
    return store, lease


def filled(path: Path, clock: ManualClock, rounds: int = 50) -> None:
    store, lease = started(path, clock)
    for number in range(rounds):
        now_ms = clock.pass_ms(61_000)
        one = observed(facts={"n": number, "padding": "x" * 500})
        store.write_round(lease, now_ms, [one], judged(now_ms, up=1.0), INTERVALS)
    store.release(lease)
    store.close()


def overwrite(path: Path, offset: int, data: bytes) -> None:
    """From another process, as it would be: closing the file here would drop this process's locks on it."""
    program = "import os,sys; os.pwrite(os.open(sys.argv[1], os.O_RDWR), sys.stdin.buffer.read(), int(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", program, str(path), str(offset)], input=data, check=True)


def truncate(path: Path, size: int) -> None:
    subprocess.run([sys.executable, "-c", f"import os; os.truncate({str(path)!r}, {size})"], check=True)


def reader(directory: Path, clock: ManualClock) -> StoreReader:
    return StoreReader(
        directory / "observed.db", directory / "records.db", ENVIRONMENT, "f1", clock.wall_ms, machine=clock
    )


def set_aside(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if ".damaged-" in path.name)


DAMAGES = {
    "header": lambda path: overwrite(path, 0, b"this is not a database at all!!!"),
    "a page within": lambda path: overwrite(path, 4096, os.urandom(4096)),
    "many pages": lambda path: overwrite(path, 8192, b"\xff" * (64 * 1024)),
    "cut off": lambda path: truncate(path, 20_000),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_file_damaged_while_nobody_collects_is_set_aside_at_the_start(tmp_path: Path, name: str) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock)
    DAMAGES[name](path)
    store, lease = started(path, clock)
    store.write_round(lease, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)
    aside = set_aside(tmp_path)
    assert len(aside) >= 1 and aside[0].startswith("observed.db.damaged-2025")
    view = reader(tmp_path, clock).health(None)
    event = next(row for row in view.lately if row.kind == "store")
    assert f"set aside as {aside[0]}, begun anew" in event.text
    assert view.header.collector.last_error == event.text
    assert view.components[0].key == "application"


@pytest.mark.parametrize("name", ["header", "many pages"])
def test_a_reader_says_that_it_is_damaged_and_reads_the_new_file(tmp_path: Path, name: str) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock)
    reads = reader(tmp_path, clock)
    assert reads.health(None).verdict is not None
    version = reads.version()
    reads.close()
    DAMAGES[name](path)
    with pytest.raises(
        StoreUnreadable, match=r"observed\.db is damaged.*the next collector sets it aside.*radar collect"
    ):
        for _ in range(3):
            reads.health(None)
            reads.component("application", None)
    store, lease = started(path, clock)
    store.write_round(lease, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)
    assert reads.health(None).header.collector.alive
    assert reads.version() != version


def test_damage_under_a_running_collector_is_found_and_the_lease_taken_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock)
    store, lease = started(path, clock)
    reads = reader(tmp_path, clock)
    store.write_round(lease, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)
    DAMAGES["many pages"](path)
    clock.pass_ms(CHECK_PAUSE_MS)
    with pytest.raises(StoreDamaged, match="set aside as"):
        store.maintain(lease, clock.wall)
    lease = store.acquire(holder())  # type: ignore[assignment]
    store.write_round(lease, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)
    assert reads.health(None).header.collector.alive
    assert len(set_aside(tmp_path)) >= 1


def test_a_removed_file_is_begun_anew_and_readers_follow(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock)
    store, lease = started(path, clock)
    reads = reader(tmp_path, clock)
    assert reads.health(None).verdict is not None
    for name in ("observed.db", "observed.db-wal", "observed.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    empty = reads.health(None)
    assert empty.verdict is None and not empty.header.collector.alive
    with pytest.raises(StoreDamaged, match="removed"):
        store.write_round(lease, clock.pass_ms(1000), [observed()], None, INTERVALS)
    again = store.acquire(holder())
    assert again is not None
    store.write_round(again, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)
    view = reads.health(None)
    assert view.header.collector.alive
    assert any("removed" in row.text for row in view.lately)


def test_two_that_find_the_damage_set_it_aside_once(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock)
    first, lease = started(path, clock)
    second = ObservedStore.open(path, clock)
    DAMAGES["header"](path)
    truncate(tmp_path / "observed.db-wal", 0)
    with pytest.raises(StoreDamaged):
        clock.pass_ms(CHECK_PAUSE_MS)
        first.maintain(lease, clock.wall)
    again = first.acquire(holder())
    assert again is not None
    first.write_round(again, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)
    with pytest.raises(StoreDamaged, match="replaced"):
        second.acquire(holder("op2@a"))
    assert second.acquire(holder("op2@a")) is None
    assert len([name for name in set_aside(tmp_path) if not name.endswith(("-wal", "-shm"))]) == 1
    first.write_round(again, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)


def test_a_lease_of_the_file_before_writes_nothing_into_the_new_one(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    first, old = started(path, clock)
    for name in ("observed.db", "observed.db-wal", "observed.db-shm"):
        (tmp_path / name).unlink()
    second = ObservedStore.open(path, clock)
    new = second.acquire(holder("op2@a", pid=22))
    assert new is not None and new.epoch == old.epoch
    with pytest.raises(StoreDamaged):
        first.write_round(old, clock.pass_ms(1000), [observed()], None, INTERVALS)
    with pytest.raises(LeaseLost, match="op2@a 22 took over"):
        first.write_round(old, clock.pass_ms(1000), [observed()], None, INTERVALS)
    second.write_round(new, clock.pass_ms(1000), [], judged(clock.wall), INTERVALS)
    assert reader(tmp_path, clock).health(None).lately == ()  # the first wrote nothing at all
    assert second.last_observation("health") is None


def test_an_empty_file_is_not_damaged(tmp_path: Path) -> None:
    (tmp_path / "observed.db").touch()
    clock = ManualClock()
    assert reader(tmp_path, clock).health(None).verdict is None
    _, lease = started(tmp_path / "observed.db", clock)
    assert lease.epoch == 1 and set_aside(tmp_path) == []


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "observed.db") as connection:
        connection.execute("CREATE TABLE somebody(elses TEXT)")
    with pytest.raises(StoreError, match="not a file of radar"):
        ObservedStore.open(tmp_path / "observed.db", ManualClock())
    with pytest.raises(StoreUnreadable, match="not a file of radar"):
        reader(tmp_path, ManualClock()).health(None)
    assert set_aside(tmp_path) == []


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock, 2)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnreadable, match="written by a newer radar"):
        reader(tmp_path, clock).health(None)
    with pytest.raises(StoreError, match="written by a newer radar"):
        ObservedStore.open(path, clock)


def test_a_locked_file_is_said_to_be_locked_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.store.files.WRITE_WAIT_S", 0.05)
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock)
    store, lease = started(path, clock)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="locked by another program"):
        store.write_round(lease, clock.pass_ms(1000), [observed()], None, INTERVALS)
    assert reader(tmp_path, clock).health(None).verdict is not None
    other.execute("ROLLBACK")
    store.write_round(lease, clock.pass_ms(1000), [observed()], judged(clock.wall), INTERVALS)
    other.close()


def test_a_reader_that_is_locked_out_says_so_and_recovers(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock, 3)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM mark")
    reads = reader(tmp_path, clock)
    with pytest.raises(StoreUnreadable, match="locked by another program"):
        reads.health(None)
    other.close()
    assert reads.health(None).verdict is not None


def test_a_row_that_does_not_decode_is_told_and_not_shown(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock, 3)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE figures SET data = x'00'")
    with pytest.raises(StoreUnreadable, match="cannot read"):
        reader(tmp_path, clock).health(None)


def test_records_that_are_damaged_are_kept_and_health_goes_on_without_them(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock)
    records = Records.open(tmp_path / "records.db")
    records.silence("rule", "reason", "op1", clock.wall + 1000)
    records.close()
    overwrite(tmp_path / "records.db", 0, b"garbage garbage!")
    view = reader(tmp_path, clock).health(None)
    assert view.verdict is not None
    assert view.header.open_items[0].kind == "records"
    assert "never discarded" in view.header.open_items[0].text
    with pytest.raises(StoreError, match="never discarded"):
        Records.open(tmp_path / "records.db")
    assert (tmp_path / "records.db").read_bytes().startswith(b"garbage")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_others_is_said_to_need_the_group(tmp_path: Path) -> None:
    path, clock = tmp_path / "observed.db", ManualClock()
    filled(path, clock, 2)
    path.chmod(0)
    with pytest.raises(StoreUnreadable, match="group"):
        reader(tmp_path, clock).health(None)
