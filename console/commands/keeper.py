"""Sees to it that somebody collects while this process runs: a child of ours when nobody else does.

A console that found another's collector at its start would be left without one when that console quits; so the
lease is looked at every few seconds (a read of 0.1 ms), and a child is started when its holder is gone. A child of
ours that holds a lease which ran out is stopped or hangs: it is killed, and what it would still write is fenced off.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from console.model.configuration import Settings

if TYPE_CHECKING:
    from console.store.lease import LeaseRow

LOOK_S = 3.0
FIRST_PAINT_S = 0.5
"""What is stored already is shown first: a child that starts beside us would take half of what two cores have."""
LONGEST_PAUSE_S = 60.0
STARTING_S = 10.0
"""A collector that holds no lease so long after its start is no longer starting."""
LOST_LOOKS = 2
"""How often in a row a lease must be seen run out: after a sleep of the machine its holder needs a moment to renew."""


class Child(Protocol):
    """A collector process of ours, which dies with us whatever kills us."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""

    def stop(self) -> None:
        """End it, in a fraction of a second even while everything hangs."""


class Keeper:
    """Starts a collector when nobody holds the lease, and again when that one ended: at longer and longer intervals."""

    def __init__(
        self,
        spawn: Callable[[], Child],
        collected: Callable[[], bool],
        lost: Callable[[int], bool] = lambda _: False,
        *,
        delay_s: float = 0.0,
    ) -> None:
        """`lost`: whether the lease of the process of that id ran out. `delay_s`: how long the first child waits."""
        self._spawn = spawn
        self._collected = collected
        self._lost = lost
        self._lost_looks = 0
        self._delay_s = delay_s
        self._child: Child | None = None
        self.found_another = False
        """Whether somebody else collected when we came."""
        self._pause_s = LOOK_S
        self._next_s = 0.0
        self._begun_s = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to look, in a thread of its own that lives as long as we do."""
        self.found_another = self._collected()
        self._thread.start()

    @property
    def starting(self) -> bool:
        """Whether a collector of ours is about to poll: it was begun just now, or will be at once."""
        if self._child is None:
            return not self.found_another and time.monotonic() - self._begun_s < self._delay_s + LOOK_S
        return self._child.poll() is None and time.monotonic() - self._begun_s < STARTING_S

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

    def _hangs(self, child: Child) -> bool:
        """Whether our child lost its lease and yet runs, such as one that was stopped; it is ended then."""
        self._lost_looks = self._lost_looks + 1 if self._lost(child.pid) else 0
        if self._lost_looks < LOST_LOOKS:
            return False
        self._lost_looks = 0
        child.stop()
        return True

    def _look(self) -> None:
        if self._child is not None and self._child.poll() is None and not self._hangs(self._child):
            return
        if time.monotonic() < self._next_s or self._collected():
            return
        self._begun_s = time.monotonic()
        self._child = self._spawn()
        self._next_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


def collected(observed: Path) -> bool:
    """Whether a live collector holds the lease. A store that cannot be read is for a collector to mend."""
    from console.store.clock import SystemClock

    row = _lease(observed)
    return row is not None and row.alive(SystemClock())


def lost(observed: Path, pid: int) -> bool:
    """Whether the process of this host and boot with that id holds the lease, and let it run out."""
    from console.store.clock import SystemClock

    row, clock = _lease(observed), SystemClock()
    if row is None or row.released or (row.holder.pid, row.holder.boot_id) != (pid, clock.boot_id):
        return False
    return not row.alive(clock)


def _lease(observed: Path) -> LeaseRow | None:
    from console.store.files import connect_reader
    from console.store.lease import read_lease

    if not observed.exists():
        return None
    try:
        with closing(connect_reader(observed)) as connection:
            return read_lease(connection)
    except sqlite3.Error:
        return None


@contextmanager
def collecting(settings: Settings) -> Iterator[Keeper]:
    """While inside, somebody collects: where a service account holds the secrets, it alone can."""
    observed = settings.observed_path
    delay_s = FIRST_PAINT_S if observed.exists() else 0.0
    is_served = settings.held_by is not None
    keeper = Keeper(
        lambda: _spawn(settings),
        lambda: is_served or collected(observed),
        lambda pid: lost(observed, pid),
        delay_s=delay_s,
    )
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()


def _spawn(settings: Settings) -> Child:
    from console.collector.child import spawn_child

    return spawn_child(settings)
