"""Sees to it that somebody collects while this process runs: a child of ours when nobody else does.

A console that found another's collector at its start would be left without one when that console quits; so the
lease is looked at every few seconds (a read of 0.1 ms), and a child is started when its holder is gone.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from console.model.configuration import Settings

LOOK_S = 3.0
FIRST_PAINT_S = 0.5
"""What is stored already is shown first: a child that starts beside us would take half of what two cores have."""
LONGEST_PAUSE_S = 60.0


class Child(Protocol):
    """A collector process of ours, which dies with us whatever kills us."""

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""

    def stop(self) -> None:
        """End it, in a fraction of a second even while everything hangs."""


class Keeper:
    """Starts a collector when nobody holds the lease, and again when that one ended: at longer and longer intervals."""

    def __init__(self, spawn: Callable[[], Child], collected: Callable[[], bool], *, delay_s: float = 0.0) -> None:
        """`delay_s`: how long the first child waits."""
        self._spawn = spawn
        self._collected = collected
        self._delay_s = delay_s
        self._child: Child | None = None
        self.found_another = False
        """Whether somebody else collected when we came."""
        self._pause_s = LOOK_S
        self._next_s = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to look, in a thread of its own that lives as long as we do."""
        self.found_another = self._collected()
        self._thread.start()

    def stop(self) -> None:
        """End our child, if there is one."""
        self._stopped.set()
        self._thread.join(LOOK_S)
        if self._child is not None:
            self._child.stop()

    def _keep(self) -> None:
        # The kernel's signal at the parent's death is tied to the thread that spawned; this one lives until we end.
        self._stopped.wait(self._delay_s)
        while not self._stopped.is_set():
            self._look()
            self._stopped.wait(LOOK_S)

    def _look(self) -> None:
        running = self._child is not None and self._child.poll() is None
        if running or time.monotonic() < self._next_s or self._collected():
            return
        self._child = self._spawn()
        self._next_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


def collected(observed: Path) -> bool:
    """Whether a live collector holds the lease. A store that cannot be read is for a collector to mend."""
    from console.store.clock import SystemClock
    from console.store.files import connect_reader
    from console.store.lease import read_lease

    if not observed.exists():
        return False
    try:
        with closing(connect_reader(observed)) as connection:
            row = read_lease(connection)
    except sqlite3.Error:
        return False
    return row is not None and row.alive(SystemClock())


@contextmanager
def collecting(settings: Settings) -> Iterator[Keeper]:
    """While inside, somebody collects."""
    observed = settings.observed_path
    delay_s = FIRST_PAINT_S if observed.exists() else 0.0
    keeper = Keeper(lambda: _spawn(settings), lambda: collected(observed), delay_s=delay_s)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()


def _spawn(settings: Settings) -> Child:
    from console.collector.child import spawn_child

    return spawn_child(settings)
