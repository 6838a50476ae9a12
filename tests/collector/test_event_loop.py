"""A command ends with its work: a call that hangs in a thread, or a task that does not let go, delays nothing."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future

import pytest

from console.collector import event_loop
from console.collector.event_loop import DaemonThreads

DEADLINE_S = 20.0
PROGRAM = """
import asyncio, sys, threading
from console.collector import event_loop

async def main():
    hangs = asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, {hangs_s})
    await asyncio.wait({{asyncio.ensure_future(hangs)}}, timeout=0.1)
    return 7

sys.exit({run}(main()))
"""


def ended(run: str, hangs_s: float) -> tuple[int, float, str]:
    """Status, seconds and words of a program with a thread that hangs."""
    began = time.monotonic()
    command = [sys.executable, "-c", PROGRAM.format(run=run, hangs_s=hangs_s)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, time.monotonic() - began, done.stderr


def test_a_process_ends_while_a_call_hangs_in_a_thread() -> None:
    status, took_s, said = ended("event_loop.run", 30)
    assert (status, said) == (7, "") and took_s < 5


def test_which_asyncios_own_waits_for() -> None:
    status, took_s, _ = ended("asyncio.run", 2)
    assert status == 7 and took_s > 2


async def answer(value: int) -> int:
    return await asyncio.to_thread(lambda: value)


def test_it_gives_what_the_work_gives_and_raises_what_it_raises() -> None:
    assert event_loop.run(answer(3)) == 3
    with pytest.raises(ZeroDivisionError):
        event_loop.run(asyncio.wait_for(failing(), 5))


async def failing() -> None:
    await asyncio.to_thread(lambda: 1 / 0)


def test_tasks_left_over_are_cancelled_and_may_tidy_up() -> None:
    tidied: list[bool] = []

    async def patient() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            tidied.append(True)

    async def main() -> None:
        kept.append(asyncio.create_task(patient()))
        await asyncio.sleep(0)

    kept: list[asyncio.Task[None]] = []
    event_loop.run(main())
    assert tidied == [True] and kept[0].cancelled()


def test_a_task_that_does_not_let_go_is_left_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        kept.add(asyncio.create_task(deaf()))
        await asyncio.sleep(0)

    kept: set[asyncio.Task[None]] = set()
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        event_loop.run(main())
        kept.clear()
    assert time.monotonic() - began < 2 and not caplog.records


# --- the pool ---------------------------------------------------------------------------------------------------------


def results(futures: list[Future[str]]) -> list[str]:
    return [future.result(DEADLINE_S) for future in futures]


def test_calls_that_hang_take_one_thread_each_and_the_others_go_on() -> None:
    pool, go = DaemonThreads(4), threading.Event()
    hanging = [pool.submit(go.wait) for _ in range(3)]
    names = results([pool.submit(lambda: threading.current_thread().name) for _ in range(50)])
    assert len(set(names)) == 1, "of four, three hang"
    beyond = [pool.submit(go.wait), pool.submit(go.wait)]
    assert not any(future.done() for future in (*hanging, *beyond))
    go.set()
    assert all(future.result(DEADLINE_S) for future in (*hanging, *beyond))
    pool.shutdown()


def test_one_thread_does_calls_in_their_order_and_no_thread_is_started_in_vain() -> None:
    pool, order = DaemonThreads(1, "one"), list[int]()
    for future in [pool.submit(order.append, number) for number in range(200)]:
        future.result(DEADLINE_S)
    assert order == list(range(200))
    wide = DaemonThreads(8, "wide")
    used = Counter(wide.submit(lambda: threading.current_thread().name).result(DEADLINE_S) for _ in range(50))
    assert len(used) == 1


def test_after_the_end_nothing_is_taken_and_what_was_taken_is_done() -> None:
    pool, go = DaemonThreads(1), threading.Event()
    first, second = pool.submit(go.wait), pool.submit(lambda: "done")
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(lambda: None)
    go.set()
    assert first.result(DEADLINE_S) and second.result(DEADLINE_S) == "done"


def test_a_call_cancelled_before_its_turn_is_not_made() -> None:
    pool, go, made = DaemonThreads(1), threading.Event(), list[bool]()
    first, second = pool.submit(go.wait), pool.submit(made.append, True)
    assert second.cancel()
    go.set()
    assert first.result(DEADLINE_S)
    pool.submit(lambda: None).result(DEADLINE_S)
    assert not made
