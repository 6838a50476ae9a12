"""The polls: one loop for each target, so that never two polls of it are in flight."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from console.collector.asking import CANCEL_S, Asker
from console.collector.schedule import Course, first_delay_s, next_due_ms, pace_s
from console.collector.secrets import Redactor
from console.model.observation import ErrorKind, Observation, Origin, Outcome, Source
from console.model.states import State
from console.store.clock import Clock

STALL_MS = 3_000
"""A pulse this late means that this process was stopped or starved: what it measured then is nothing."""
CLOSE_S = 0.5


@dataclass(slots=True)
class Slot:
    """One target and how its polls go."""

    source: Source
    due_ms: int
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    started_ms: int | None = None
    """When the poll in flight began; None: there is none."""
    ended_ms: int | None = None
    timeouts: int = 0
    is_unsettled: bool = False
    is_troubled: bool = False

    @property
    def course(self) -> Course:
        """What the schedule goes by."""
        return Course(
            interval_s=self.source.interval_s,
            timeouts=self.timeouts,
            is_unsettled=self.is_unsettled,
            is_troubled=self.is_troubled,
        )

    @property
    def pace_s(self) -> float:
        """Seconds between polls as they are now."""
        return pace_s(self.course)


class Poller:
    """Asks every source when it is due, and hands each observation to `deliver`, which may set the slot's course."""

    def __init__(
        self,
        sources: Sequence[Source],
        deliver: Callable[[Slot, Observation], None],
        clock: Clock,
        redactor: Redactor,
        chance: random.Random | None = None,
    ) -> None:
        self._clock = clock
        self._deliver = deliver
        self._asker = Asker(clock, redactor)
        self._chance = chance or random.Random()  # only spreads polls in time
        now_ms = clock.boot_ms()
        self._pulse_ms = self._awake_since_ms = now_ms
        self.slots = {source.target: Slot(source, now_ms + _delay_ms(sources, at)) for at, source in enumerate(sources)}
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to poll."""
        self._loops = [asyncio.create_task(self._run(slot), name=target) for target, slot in self.slots.items()]

    def cancel(self) -> None:
        """End at once: polls in flight are cancelled and their results dropped."""
        for loop in self._loops:
            loop.cancel()

    async def stop(self) -> None:
        """`cancel`, and release what the sources hold; nobody is waited for who hangs."""
        self.cancel()
        closing = [asyncio.create_task(slot.source.close()) for slot in self.slots.values()]
        waiting = [*self._loops, *closing]
        if waiting:
            _, left = await asyncio.wait(waiting, timeout=CLOSE_S)
            for task in left:
                task.cancel()
        self._loops = []

    def ask_now(self, targets: Iterable[str] | None = None) -> None:
        """Ask these targets (all when None) now; one that hangs is left alone, one in flight is in flight."""
        for target in self.slots if targets is None else targets:
            slot = self.slots.get(target)
            if slot is not None and slot.started_ms is None and not slot.course.is_open:
                slot.wake.set()

    def pulse(self) -> int:
        """To be called every second. Gives the ms for which this process did not run; 0 as a rule."""
        now_ms = self._clock.boot_ms()
        stalled_ms = now_ms - self._pulse_ms
        self._pulse_ms = now_ms
        if stalled_ms < STALL_MS:
            return 0
        self._awake_since_ms = now_ms
        return stalled_ms

    def late(self) -> list[str]:
        """Targets whose last poll ended longer ago than twice their pace and a poll's time allow."""
        now_ms = self._clock.boot_ms()
        return [target for target, slot in self.slots.items() if now_ms > self._deadline_ms(slot)]

    def waiting_s(self) -> dict[str, float]:
        """Targets whose poll has been in flight for longer than their interval, and for how long (s)."""
        now_ms = self._clock.boot_ms()
        begun = {target: slot for target, slot in self.slots.items() if slot.started_ms is not None}
        waits = {target: (now_ms - (slot.started_ms or now_ms)) / 1000 for target, slot in begun.items()}
        return {target: wait_s for target, wait_s in waits.items() if wait_s > self.slots[target].source.interval_s}

    def held(self) -> list[Observation]:
        """For each target that hangs and is not being asked: that it is held back. The state is the caller's to set."""
        open_slots = [slot for slot in self.slots.values() if slot.course.is_open and slot.started_ms is None]
        return [_held(slot.source.target) for slot in open_slots]

    def _deadline_ms(self, slot: Slot) -> float:
        last_ms = max(slot.ended_ms or slot.due_ms, self._awake_since_ms)
        return last_ms + 1000 * (2 * slot.pace_s + slot.source.timeout_s + CANCEL_S)

    # One target

    async def _run(self, slot: Slot) -> None:
        while True:
            await self._until_due(slot)
            slot.started_ms = self._clock.boot_ms()
            await self._poll(slot, slot.started_ms)
            slot.started_ms, slot.ended_ms = None, self._clock.boot_ms()

    async def _until_due(self, slot: Slot) -> None:
        wait_s = (slot.due_ms - self._clock.boot_ms()) / 1000
        if wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await slot.wake.wait()
            except TimeoutError:
                pass
        slot.wake.clear()

    async def _poll(self, slot: Slot, started_ms: int) -> None:
        async for observation in self._asker.ask(slot.source):
            self._finish(slot, started_ms, observation)

    def _finish(self, slot: Slot, started_ms: int, observation: Observation) -> None:
        """Deliver, then set when to ask again; what was measured while this process stood still is dropped."""
        now_ms = self._clock.boot_ms()
        if now_ms - self._pulse_ms > STALL_MS or started_ms < self._awake_since_ms:
            slot.due_ms = now_ms
            return
        slot.timeouts = slot.timeouts + 1 if observation.error_kind is ErrorKind.TIMEOUT else 0
        self._deliver(slot, observation)
        slot.due_ms = next_due_ms(slot.course, started_ms, now_ms, self._chance)


def _delay_ms(sources: Sequence[Source], position: int) -> int:
    return int(1000 * first_delay_s(position, len(sources), sources[position].interval_s))


def _held(target: str) -> Observation:
    return Observation(
        target=target,
        outcome=Outcome.HELD,
        state=State.UNKNOWN,
        words="hangs: left alone between rare polls",
        origin=Origin.PROBE,
        error_kind=ErrorKind.CIRCUIT,
    )
