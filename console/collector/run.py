"""The collector: takes the lease, polls and judges while it holds it, stands by while another does."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import socket
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

from console.collector.exposition import Exposition
from console.collector.judge import Judge
from console.collector.lookback import take_over
from console.collector.notify import Notifier
from console.collector.notifying import notifications_of
from console.collector.rounds import Rounds
from console.collector.secrets import Fingerprint, fingerprint
from console.collector.store_thread import StoreThread
from console.collector.told import operations_of
from console.collector.upkeep import Upkeep
from console.model.configuration import Environment, Settings
from console.model.moment import Moment
from console.model.observation import Source
from console.model.operations import Operations
from console.store.clock import Clock, SystemClock
from console.store.errors import LeaseLost, StoreDamaged, StoreError
from console.store.lease import LeaseRow, difference
from console.store.observe import Holder, Lease, ObservedStore

log = logging.getLogger("radar.collector")

RETRY_S = 2.0
"""How often a collector that stands by tries to take the lease (0.2 ms each)."""

Build = Callable[[Environment], Sequence[Source]]


async def run(
    settings: Settings,
    *,
    stop: asyncio.Event,
    notify: Callable[[str], None] | None = None,
    build: Build | None = None,
    clock: Clock | None = None,
    exposition: Exposition | None = None,
    carries_out: bool = False,
) -> None:
    """Collect until `stop` is set. Store errors are told and outlived.

    `notify`: where sd_notify's messages go. `build`: makes the sources; by default all that are configured.
    `exposition` hears what is seen and judged. What the settings left out is told in the log.
    `carries_out`: do what is due as well, which only a service lives long enough for.
    """
    for warning in settings.warnings:
        log.warning("%s", warning)  # whatever becomes of the words, what follows is done
    every = partial(_build_all, operations=operations_of(settings))
    used = clock or SystemClock()
    await Collector(settings, build or every, used, notify, exposition, carries_out=carries_out).run(stop)


def _build_all(environment: Environment, operations: Operations) -> Sequence[Source]:
    from console.sources.registry import build  # httpx and psycopg: 150 ms that a stand-by need not pay

    return build(environment, operations)


class Collector:
    """One process' part in collecting for one environment."""

    def __init__(
        self,
        settings: Settings,
        build: Build,
        clock: Clock,
        notify: Callable[[str], None] | None = None,
        exposition: Exposition | None = None,
        *,
        carries_out: bool = False,
    ) -> None:
        notifier = Notifier()
        self._settings, self._build, self._clock = settings, build, clock
        self._notify = notify or notifier
        self._watchdog_ms = int((notifier.watchdog_s or 0) * 1000)
        self._fed_ms = 0
        self._carries_out = carries_out
        self._status = ""
        self._exposition = exposition or Exposition(settings.environment.name)
        self._holder = holder_of(fingerprint(settings.environment, operations_of(settings)), clock)
        self._store: ObservedStore | None = None
        self._thread = StoreThread()
        self._judge: Judge | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Stand by, hold, stand by, until `stop`."""
        self._notify("READY=1")
        try:
            while not stop.is_set():
                lease = await self._acquire()
                if lease is None:
                    await self._rest(stop)
                else:
                    await self._hold(lease, stop)
        finally:
            self._notify("STOPPING=1")
            if self._store is not None:
                await self._thread.run(self._store.close)
            self._thread.close()

    async def _acquire(self) -> Lease | None:
        """The lease, or None while another holds it or the store cannot be opened."""
        try:
            if self._store is None:
                self._store = await self._thread.run(ObservedStore.open, self._settings.observed_path, self._clock)
            lease = await self._thread.run(self._store.acquire, self._holder)
            if lease is None:
                self._tell(f"standing by: {self._other(await self._thread.run(self._store.lease_row))} collects")
        except StoreError as error:
            self._tell(f"the store cannot be written: {error}")
            return None
        return lease

    def _other(self, row: LeaseRow | None) -> str:
        """Who collects, and how its settings differ from ours."""
        if row is None:
            return "another collector"
        differs = difference(row.holder, self._holder.fingerprint, self._holder.identities)
        return row.holder.words + (f" with other settings ({differs})" if differs else "")

    async def _rest(self, stop: asyncio.Event) -> None:
        """Wait a little, and go on feeding the watchdog."""
        self._alive(self._status)
        try:
            async with asyncio.timeout(RETRY_S):
                await stop.wait()
        except TimeoutError:
            pass

    async def _hold(self, lease: Lease, stop: asyncio.Event) -> None:
        """Poll and judge until `stop` or until the lease is lost, then step down."""
        assert self._store is not None
        sources = self._build(self._settings.environment)
        judge = self._judge or await self._begin(sources)
        self._judge = None
        notifications = notifications_of(self._settings, self._clock)
        rounds = Rounds(
            self._settings,
            sources,
            self._store,
            lease,
            judge,
            self._clock,
            self._alive,
            self._thread,
            self._exposition,
            notifications,
        )
        stopper = asyncio.create_task(_interrupt(stop, rounds))
        due = self._due_actions()
        try:
            await rounds.run(stop)
            await self._thread.run(self._store.release, lease)
        except StoreDamaged as error:
            log.error("%s", error)
            judge.tell_again()
            self._judge = judge
        except LeaseLost as error:
            self._tell(f"stepped down: {error}")
        except StoreError as error:  # of the release: the lease then runs out by itself
            self._tell(f"the lease is not released: {error}")
        finally:
            stopper.cancel()
            if due is not None:
                due.cancel()
                await asyncio.wait([due])
            if notifications is not None:
                await notifications.close()
            await rounds.close()

    def _due_actions(self) -> asyncio.Task[None] | None:
        if not self._carries_out:
            return None
        from console.collector.due import DueActions
        from console.collector.freezing import Freezing

        assert self._store is not None
        executor = DueActions(self._settings, self._clock, self._thread)
        keeper = Freezing(self._settings, self._clock, self._thread, self._store)
        return asyncio.create_task(_together(executor.run(), keeper.run()))

    async def _begin(self, sources: Sequence[Source]) -> Judge:
        intervals = {source.target: source.interval_s for source in sources}
        upkeep = Upkeep(operations_of(self._settings).maintenance)
        judge = Judge(self._settings.environment, intervals, upkeep=upkeep)
        now = Moment(self._clock.boot_ms(), self._clock.wall_ms())
        try:
            assert self._store is not None
            await self._thread.run(take_over, judge, self._store, self._settings, now)
        except StoreError as error:
            self._tell(f"what was before is not read: {error}")
        return judge

    def _alive(self, status: str) -> None:
        """Called every second or two: the watchdog is fed in time, a new status told."""
        now_ms = self._clock.boot_ms()
        if self._watchdog_ms and now_ms - self._fed_ms >= self._watchdog_ms:
            self._fed_ms = now_ms
            self._notify("WATCHDOG=1")
        if status != self._status:
            self._status = status
            self._notify(f"STATUS={status}")

    def _tell(self, status: str) -> None:
        if status != self._status:
            log.warning("%s", status)
        self._alive(status)


async def _interrupt(stop: asyncio.Event, rounds: Rounds) -> None:
    await stop.wait()
    rounds.interrupt()


async def _together(*work: Coroutine[None, None, None]) -> None:
    await asyncio.gather(*work)


def holder_of(own: Fingerprint, clock: Clock) -> Holder:
    """This process as a holder of the lease: `user@host`, pid, and what it polls and judges by."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return Holder(
        name=f"{user}@{socket.gethostname()}",
        pid=os.getpid(),
        boot_id=clock.boot_id,
        fingerprint=own.digest,
        identities=own.identities,
    )
