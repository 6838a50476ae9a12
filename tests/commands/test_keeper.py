"""Somebody always collects, and never two of ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from console.commands import keeper
from console.commands.keeper import Keeper, collected
from tests.commands.conftest import Collector, Site


class Process:
    """Stands for a child: its end is decided by the test."""

    def __init__(self) -> None:
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
        self.children: list[Process] = []
        self.spawned = threading.Event()

    def spawn(self) -> Process:
        self.children.append(Process())
        self.spawned.set()
        return self.children[-1]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(keeper, "LOOK_S", 0.01)
    return Place()


@pytest.fixture
def kept(place: Place) -> Iterator[Keeper]:
    made = Keeper(place.spawn, lambda: place.collected)
    yield made
    made.stop()


def test_a_child_is_started_at_once_where_nobody_collects(place: Place, kept: Keeper) -> None:
    kept.start()
    assert place.spawned.wait(10)
    kept.stop()
    assert len(place.children) == 1
    assert place.children[0].stopped


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
