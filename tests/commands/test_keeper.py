"""Somebody always collects, and never two of ours."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from console.commands import keeper
from console.commands.keeper import Keeper, collected, collecting, lost
from console.store.files import connect_reader
from console.store.lease import TAKEOVER_MS, read_lease
from tests.commands.conftest import Collector, Site
from tests.commands.test_collect import until


class Process:
    """Stands for a child: its end is decided by the test."""

    def __init__(self, pid: int = 1) -> None:
        self.pid = pid
        self.status: int | None = None
        self.stopped = False

    def poll(self) -> int | None:
        return self.status

    def stop(self) -> None:
        self.stopped, self.status = True, 0


class Place:
    """Whether somebody else collects, and the children that were started."""

    def __init__(self) -> None:
        self.collected = False
        self.lost: set[int] = set()
        self.children: list[Process] = []
        self.spawned = threading.Event()

    def spawn(self) -> Process:
        self.children.append(Process(len(self.children) + 1))
        self.spawned.set()
        return self.children[-1]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(keeper, "LOOK_S", 0.01)
    return Place()


@pytest.fixture
def kept(place: Place) -> Iterator[Keeper]:
    made = Keeper(place.spawn, lambda: place.collected, lambda pid: pid in place.lost)
    yield made
    made.stop()


def test_a_child_is_started_at_once_where_nobody_collects(place: Place, kept: Keeper) -> None:
    kept.start()
    assert place.spawned.wait(10)
    kept.stop()
    assert len(place.children) == 1
    assert place.children[0].stopped


def test_it_is_starting_until_a_child_had_time_and_not_when_that_ended(
    place: Place, kept: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Keeper(place.spawn, lambda: False, delay_s=5.0).starting, "at once, after the first paint"
    kept.start()
    assert place.spawned.wait(10)
    until(lambda: kept.starting)
    monkeypatch.setattr(keeper, "STARTING_S", 0.0)
    assert not kept.starting, "it hangs, or cannot begin"


def test_nothing_of_ours_starts_beside_another_collector(place: Place, kept: Keeper) -> None:
    place.collected = True
    kept.start()
    assert not kept.starting


def test_none_is_started_beside_another_collector_until_that_is_gone(place: Place, kept: Keeper) -> None:
    place.collected = True
    kept.start()
    assert not place.spawned.wait(0.1)
    place.collected = False
    assert place.spawned.wait(10)


def test_one_that_ended_is_replaced_and_one_that_runs_is_not_doubled(place: Place, kept: Keeper) -> None:
    kept.start()
    assert place.spawned.wait(10)
    place.spawned.clear()
    assert not place.spawned.wait(0.1)
    place.children[0].status = 1
    assert place.spawned.wait(10)
    assert len(place.children) == 2


def test_one_that_runs_and_lost_its_lease_is_ended_and_replaced(place: Place, kept: Keeper) -> None:
    kept.start()
    assert place.spawned.wait(10)
    place.spawned.clear()
    place.lost.add(1)
    assert place.spawned.wait(10)
    assert place.children[0].stopped
    place.spawned.clear()
    assert not place.spawned.wait(0.1), "the new one has its lease"


def test_a_lease_seen_run_out_once_is_a_machine_that_woke_up(place: Place, kept: Keeper) -> None:
    looks: list[int] = []

    def lost_once(pid: int) -> bool:
        looks.append(pid)
        return len(looks) == 1

    kept._lost = lost_once
    kept.start()
    assert place.spawned.wait(10)
    until(lambda: len(looks) > 5, 10)
    assert len(place.children) == 1 and not place.children[0].stopped


def test_the_lease_tells_which_process_lost_it(site: Site, collector: Collector) -> None:
    observed = site.settings.observed_path
    assert not lost(observed, os.getpid())
    _age_lease(observed, TAKEOVER_MS)
    assert lost(observed, os.getpid())
    assert not lost(observed, os.getpid() + 1), "another's is not ours to end"
    collector.store.release(collector.lease)
    _age_lease(observed, TAKEOVER_MS)
    assert not lost(observed, os.getpid())
    assert not lost(site.directory / "none.db", os.getpid())


def _age_lease(observed: Path, ms: int) -> None:
    with closing(sqlite3.connect(observed, timeout=0.5, isolation_level=None)) as connection:
        connection.execute("UPDATE lease SET renewed_boot_ms = renewed_boot_ms - ?", (ms,))


def test_a_stopped_collector_is_replaced_by_one_that_collects(site: Site) -> None:
    observed = site.settings.observed_path
    with collecting(site.settings):
        until(lambda: collected(observed), 30)
        stopped = _holder(observed)
        until(lambda: _stopped_between_writes(observed, stopped), 10)
        until(lambda: collected(observed) and _holder(observed) != stopped, 30)
        assert not psutil.pid_exists(stopped)


def _stopped_between_writes(observed: Path, pid: int) -> bool:
    """Stop it, and age its lease instead of waiting for 15 s; False when it was stopped while it held the lock."""
    os.kill(pid, signal.SIGSTOP)
    try:
        _age_lease(observed, TAKEOVER_MS)
    except sqlite3.OperationalError:
        os.kill(pid, signal.SIGCONT)
        return False
    return True


def _holder(observed: Path) -> int:
    with closing(connect_reader(observed)) as connection:
        row = read_lease(connection)
    assert row is not None
    return row.holder.pid


def test_one_that_ends_at_once_again_and_again_is_started_less_and_less_often(place: Place, kept: Keeper) -> None:
    kept.start()
    assert place.spawned.wait(10)
    for _ in range(4):
        place.spawned.clear()
        place.children[-1].status = 1
        assert place.spawned.wait(10)
    assert kept._pause_s >= 0.16


def test_the_lease_tells_whether_somebody_collects(site: Site, collector: Collector) -> None:
    observed = site.settings.observed_path
    assert collected(observed)
    collector.store.release(collector.lease)
    assert not collected(observed)
    assert not collected(site.directory / "none.db")
    (site.directory / "bad.db").write_bytes(b"no database" * 100)
    assert not collected(site.directory / "bad.db")
