"""The event loop goes on while the store waits for a lock or a disk; the store meets one thread only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from console.collector.store_thread import StoreThread
from console.store.errors import StoreBusy
from console.store.observe import ObservedStore
from tests.collector.scripted import DEADLINE_S, answered, scripted, settings, until
from tests.collector.test_run import USUAL, collecting, happening

CALLS = ("acquire", "lease_row", "write_round", "maintain", "release", "close", "open_alerts", "last_observation")


def watched(monkeypatch: pytest.MonkeyPatch, name: str, before: Callable[[], None]) -> None:
    """Have `before` called whenever this call of the store begins."""
    real = getattr(ObservedStore, name)

    def call(store: ObservedStore, *arguments: Any) -> Any:
        before()
        return real(store, *arguments)

    monkeypatch.setattr(ObservedStore, name, call)


@pytest.mark.parametrize("name", ["write_round", "maintain"])
async def test_polls_go_on_while_the_store_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("console.collector.rounds.MAINTAIN_S", 0.0)
    asked = scripted(*USUAL)
    polled, waits, in_time = threading.Event(), threading.Event(), list[bool]()

    def wait() -> None:
        if not waits.is_set():
            waits.set()
            in_time.append(polled.wait(DEADLINE_S / 4))

    async with collecting(settings(tmp_path), asked) as running:
        await running.well()
        watched(monkeypatch, name, wait)
        await until(waits.is_set, "the store to be called")
        calls = asked.sources["health"].calls
        await until(lambda: asked.sources["health"].calls >= calls + 5, "polls while the store waits")
        polled.set()
        await until(lambda: bool(in_time), "the store to go on")
        await running.well()
    assert in_time == [True]


async def test_the_store_is_called_by_one_thread_that_is_not_the_loops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.collector.rounds.MAINTAIN_S", 0.0)
    threads: dict[str, set[int]] = {}

    def note(name: str) -> None:
        threads.setdefault(name, set()).add(threading.get_ident())

    for name in CALLS:
        watched(monkeypatch, name, partial(note, name))
    async with collecting(settings(tmp_path), scripted(*USUAL)) as running:
        await running.well()
        await until(lambda: "maintain" in threads, "maintenance")
    assert {"acquire", "write_round", "maintain", "release", "close"} <= set(threads)
    assert len(set.union(*threads.values())) == 1
    assert threading.get_ident() not in threads["write_round"]


async def test_what_arrives_while_the_store_writes_is_stored_by_the_next_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, writes, goes_on = scripted(*USUAL), threading.Event(), threading.Event()
    failures = iter([True])

    def wait() -> None:
        if not writes.is_set():
            writes.set()
            goes_on.wait(DEADLINE_S / 4)
        elif next(failures, False):
            raise StoreBusy("observed.db is locked")

    async with collecting(settings(tmp_path), asked) as running:
        await running.well()
        watched(monkeypatch, "write_round", wait)
        await until(writes.is_set, "a round to be written")
        event = happening(7)
        asked.sources["health"].now = answered("health", events=(event,))
        calls = asked.sources["health"].calls
        await until(lambda: asked.sources["health"].calls >= calls + 3, "it to be polled")
        asked.sources["health"].now = answered("health")
        goes_on.set()
        await until(lambda: running.events("test") == [event.text], "the event, though the next round is not stored")


async def test_a_pulse_goes_on_beside_a_call_and_errors_are_the_callers() -> None:
    thread, pulses, goes_on = StoreThread(), list[int](), threading.Event()

    def pulse() -> None:
        pulses.append(1)
        if len(pulses) == 3:
            goes_on.set()

    assert await thread.run_beside(pulse, 0.01, lambda: goes_on.wait(DEADLINE_S))
    assert len(pulses) >= 3
    with pytest.raises(ZeroDivisionError):
        await thread.run_beside(pulse, 0.01, lambda: 1 // 0)
    thread.close()


async def test_who_is_cancelled_waits_no_longer_and_the_call_is_done_to_its_end() -> None:
    thread, begun, goes_on, done = StoreThread(), threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        begun.set()
        goes_on.wait(DEADLINE_S)
        done.append("first")

    task = asyncio.create_task(thread.run(first))
    await until(begun.is_set, "the call to begin")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    later = asyncio.create_task(thread.run(done.append, "second"))
    goes_on.set()
    await later
    assert done == ["first", "second"], "never two at once"
    thread.close()
