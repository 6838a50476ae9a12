"""One event loop for a whole command, which ends when its work has ended and waits for nobody who hangs.

A name lookup (getaddrinfo) cannot be cancelled: where DNS hangs it takes half a minute. `asyncio.run` waits for the
threads of its pool, and so does the interpreter, since no thread of concurrent.futures is a daemon. Those here are.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_THREADS = 32
"""As many as a pool of asyncio's own has at most."""
END_S = 0.1
"""How long cancelled tasks may take in the end. The console kills a collector that takes 0.4 s to end."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, but that tasks left over get 0.1 s to end, and threads none."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonThreads())
    try:
        return loop.run_until_complete(main)
    finally:
        # Whoever does not let go in time is told of by nobody: the process ends.
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(_end())
        loop.close()


async def _end() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=END_S)


class DaemonThreads(ThreadPoolExecutor):
    """A pool that takes calls in their order, and for whose threads the end of the process does not wait.

    asyncio insists on the class; none of its own threads ever starts.
    """

    def __init__(self, most: int = MOST_THREADS, name: str = "daemon") -> None:
        super().__init__(most)
        self._most, self._name = most, name
        self._jobs: SimpleQueue[Callable[[], Callable[[], None]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0
        """Threads at rest, less the calls that wait for one."""
        self._started = 0
        self._ended = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The call's result, to come. Raises RuntimeError after `shutdown`."""
        if self._ended:
            raise RuntimeError("this pool takes no more calls")
        future: Future[T] = Future()
        self._jobs.put(partial(_do, future, partial(fn, *args, **kwargs)))
        with self._lock:
            self._free -= 1
            if self._free < 0 and self._started < self._most:
                self._start()
        return future

    def _start(self) -> None:
        self._started += 1
        self._free += 1
        threading.Thread(target=self._work, daemon=True, name=f"{self._name} {self._started}").start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls. Those taken are done unless the process ends, and never waited for."""
        self._ended = True
        for _ in range(self._started):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            deliver = job()
            with self._lock:
                self._free += 1  # before the answer is known: whoever calls again at once finds this thread
            deliver()


def _do(future: Future[T], call: Callable[[], T]) -> Callable[[], None]:
    """Make the call; gives what tells its outcome."""
    if not future.set_running_or_notify_cancel():
        return _nothing
    try:
        return partial(future.set_result, call())
    except BaseException as error:  # noqa: BLE001 - it is the caller's, who gets it from the future
        return partial(future.set_exception, error)


def _nothing() -> None:
    """Of a call that was cancelled before its turn there is nothing to tell."""
