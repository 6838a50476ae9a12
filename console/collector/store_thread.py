"""The store's own thread: SQLite waits for locks and disks, and the event loop must not wait with it.

A loop that stands still for 0.3 s makes every answer that arrives meanwhile 0.3 s slower than it was. The store is not
for two threads at once, so there is one, and calls are done in the order in which they are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from console.collector.event_loop import DaemonThreads

P = ParamSpec("P")
T = TypeVar("T")


class StoreThread:
    """Runs calls of the store one after the other, off the event loop."""

    def __init__(self) -> None:
        self._executor = DaemonThreads(1, "store")

    async def run(self, call: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """`call`'s result or error. Who is cancelled waits no longer; the call itself is done to its end."""
        return await asyncio.wrap_future(self._executor.submit(call, *arguments, **named))

    async def run_beside(self, beside: Callable[[], None], every_s: float, call: Callable[[], T]) -> T:
        """`run`, with `beside` called on the loop every `every_s` seconds meanwhile."""
        task = asyncio.ensure_future(self.run(call))
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=every_s)
                if not task.done():
                    beside()
            return task.result()
        finally:
            task.cancel()

    def close(self) -> None:
        """Take no more calls. One that is under way is not waited for."""
        self._executor.shutdown(wait=False)
