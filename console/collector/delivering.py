"""Sends what waits in the outbox: one message in flight per channel, beside the rounds and never in their way."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from console.collector.secrets import Redactor
from console.collector.store_thread import StoreThread
from console.model.notifications import Message
from console.notify.channel import Channel, Delivery
from console.store import outbox
from console.store.clock import Clock
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace, change_mark
from console.store.records import Records

log = logging.getLogger("radar.collector")

LOOK_S = 1.0
"""How soon a message that another process added is seen; a look is one stat."""
TROUBLE_S = 10.0
"""How long the outbox is left alone after it could not be used."""
FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 600.0
LONGEST_HOLD_S = 3600.0
"""A Retry-After of days would silence us."""
GIVE_UP_MS = 24 * 3_600_000
TIDY_MS = 600_000


class Deliverer:
    """The sending half. Only the holder of the lease runs one."""

    def __init__(
        self,
        records: Records,
        path: Path,
        channels: Mapping[str, Channel],
        thread: StoreThread,
        clock: Clock,
        redact: Redactor,
    ) -> None:
        self._records, self._path, self._channels = records, path, channels
        self._thread, self._clock, self._redact = thread, clock, redact
        self._flights: dict[str, asyncio.Task[None]] = {}
        self._free_ms: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._signature: tuple[int, int] | None = None
        self._due_ms: int | None = None
        self._tidied_ms: int | None = None
        self.trouble = ""
        """In words why nothing can be sent; empty: it can."""
        self.held: Collection[str] = ()
        """Channels that cannot be reached from here now: this bastion is offline."""

    def wake(self) -> None:
        """Something was added, or a channel is free again."""
        self._signature = None
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await self._done(self._begin)
            while True:
                await self._tried(self._pass)
                await self._rest(TROUBLE_S if self.trouble else LOOK_S)
        finally:
            # What is in flight is cut off. Its rows stay `sending`: who delivers next knows that nobody knows.
            for flight in self._flights.values():
                flight.cancel()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _done(self, work: Callable[[], Awaitable[object]]) -> None:
        """Try until it is done."""
        while True:
            if await self._tried(work):
                return
            await asyncio.sleep(TROUBLE_S)

    async def _tried(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Whether it was done; what the store says against it is told once."""
        words = ""
        try:
            await work()
        except (StoreError, UnsuitablePlace) as error:
            words = f"notifications wait, the outbox cannot be used: {self._redact(str(error))}"
        except Exception as error:  # noqa: BLE001 - a defect of ours must not end the telling for good, nor be silent
            words = f"notifications wait, a defect: {type(error).__name__}"
        if words and words != self.trouble:
            log.error("%s", words)
        self.trouble = words
        return not words

    async def _begin(self) -> None:
        cut_off = await self._thread.run(outbox.recover, self._records, self._clock.wall_ms())
        if cut_off:
            log.warning("%d notifications were under way when the collector before ended", cut_off)

    async def _pass(self) -> None:
        """Give every channel that is free its next message, where one is due."""
        now_ms = self._clock.wall_ms()
        await self._tidy(now_ms)
        signature = change_mark(self._path)
        if signature == self._signature and (self._due_ms is None or now_ms < self._due_ms):
            return
        waiting = False
        for name, channel in self._channels.items():
            if not self._is_free(name):
                waiting = True
            elif message := await self._thread.run(outbox.claim, self._records, now_ms, name):
                self._flights[name] = asyncio.create_task(self._send(channel, message))
        self._due_ms = await self._thread.run(self._records.read, outbox.next_due_ms)
        # As it was before claiming, so that what was added meanwhile is seen; held channels are looked at again.
        self._signature = None if waiting else change_mark(self._path)

    async def _tidy(self, now_ms: int) -> None:
        boot_ms = self._clock.boot_ms()
        if self._tidied_ms is None or boot_ms - self._tidied_ms >= TIDY_MS:
            self._tidied_ms = boot_ms
            await self._thread.run(outbox.retire, self._records, now_ms, tuple(self._channels))

    def _is_free(self, name: str) -> bool:
        flight = self._flights.get(name)
        if flight is not None and not flight.done():
            return False
        return name not in self.held and self._clock.boot_ms() >= self._free_ms.get(name, 0)

    # One message

    async def _send(self, channel: Channel, message: Message) -> None:
        now_ms = self._clock.wall_ms()
        try:
            delivery = await channel.deliver(message, now_ms)
        except Exception as error:  # noqa: BLE001 - a defect of ours: told by its name, its text may quote the message
            log.error("%s: a defect: %s", channel.name, type(error).__name__)
            delivery = Delivery(state="unknown", words=f"a defect of radar: {type(error).__name__}")
        self._free_ms[channel.name] = self._clock.boot_ms() + int(channel.pace_s * 1000)
        if delivery.state != "sent":
            log.warning("%s", self._redact(f"{channel.name}: {delivery.words}"))
        await self._settle(message, delivery)
        self.wake()

    async def _settle(self, message: Message, delivery: Delivery) -> None:
        """Until it stands in the outbox: before that nothing else is sent to this channel."""
        await self._done(lambda: self._thread.run(self._settled, message, delivery))

    def _settled(self, message: Message, delivery: Delivery) -> None:
        now_ms, ids = self._clock.wall_ms(), [part.id for part in message.parts]
        words = self._redact(delivery.words)
        if delivery.state != "again":
            outbox.settle(self._records, ids, delivery.state, words, at_ms=now_ms)
        elif now_ms - min(part.made_ms for part in message.parts) > GIVE_UP_MS:
            words = f"given up after {message.attempts} tries: {words}"
            outbox.settle(self._records, ids, "failed", words, at_ms=now_ms)
        else:
            due_ms = now_ms + int(wait_s(message.attempts, delivery.retry_after_s) * 1000)
            outbox.settle(self._records, ids, "waiting", words, due_ms=due_ms, at_ms=now_ms)


def wait_s(attempts: int, retry_after_s: float | None, share: float | None = None) -> float:
    """Seconds until the next try: 2, 4, 8 … 600, by chance down to half of it, and what the channel asked for at
    least. `share`: the chance, 0 to 1."""
    longest_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * float(1 << min(attempts - 1, 20)))
    chance = random.random() if share is None else share
    asked_s = min(retry_after_s or 0.0, LONGEST_HOLD_S)
    return max(longest_s * (0.5 + chance / 2), asked_s + (chance if asked_s else 0.0))
