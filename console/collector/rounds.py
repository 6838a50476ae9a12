"""One holding of the lease: sources are polled, each round is judged and stored in one transaction."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from console.collector.asking import place
from console.collector.burning import Burning
from console.collector.exposition import Exposition
from console.collector.judge import OWN, Judge, Progress
from console.collector.notifying import Notifications
from console.collector.polling import Poller, Slot
from console.collector.process import rss_bytes
from console.collector.requests import PollRequestsFile
from console.collector.secrets import Redactor
from console.collector.store_thread import StoreThread
from console.collector.told import operations_of
from console.collector.upkeep import HeldFile
from console.model.configuration import Settings
from console.model.judgement import Judgement
from console.model.moment import Moment
from console.model.observation import Event, Json, Observation, Origin, Outcome, Source
from console.model.states import State
from console.model.track import Evidence, Track, weigh
from console.store.clock import Clock
from console.store.errors import LeaseLost, StoreDamaged, StoreError
from console.store.lease import Lease
from console.store.observe import ObservedStore

T = TypeVar("T")

log = logging.getLogger("radar.collector")

LONGEST_ROUND_S = 5.0
"""Rounds renew the lease, so they are at most this far apart."""
PULSE_S = 1.0
FIRST_ROUND_S = 2.0
"""How long the first round waits for targets that do not answer."""
NEWS_S = 0.25
"""News waits this long for more of it."""
NEWS_PAUSE_S = 1.0
DEFECT_S = 300.0
MAINTAIN_S = 10.0
STUCK_S = 60.0
"""A call of the store that takes longer than any disk."""
KEPT = 2_000
"""Observations kept while nothing can be written, the newest of each target with its events."""


@dataclass(slots=True)
class Pending:
    """What was observed and is not stored yet."""

    observations: list[Observation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, observation: Observation) -> None:
        """Keep an observation for the next round."""
        self.observations.append(observation)

    def put_back(self, earlier: Pending) -> None:
        """What could not be stored goes before what came since, and is thinned."""
        self.observations = [*earlier.observations, *self.observations]
        self.events = [*earlier.events, *self.events]
        self.thin()

    def thin(self) -> None:
        """While nothing can be written: the newest observation of each target; what is lost shows as not observed."""
        newest = {observation.target: observation for observation in self.observations}
        lost = [observation for observation in self.observations if newest[observation.target] is not observation]
        self.events += [event for observation in lost for event in observation.events]
        self.observations = list(newest.values())
        del self.events[: max(0, len(self.events) - KEPT)]


class Rounds:
    """Polls and judges while the lease is held."""

    def __init__(
        self,
        settings: Settings,
        sources: Sequence[Source],
        store: ObservedStore,
        lease: Lease,
        judge: Judge,
        clock: Clock,
        alive: Callable[[str], None] = lambda status: None,
        thread: StoreThread | None = None,
        exposition: Exposition | None = None,
        notifications: Notifications | None = None,
    ) -> None:
        """`alive` is called every second with the status in words; `exposition` and `notifications` hear what is seen
        and judged."""
        self._alive = alive
        self._store, self._lease, self._judge, self._clock = store, lease, judge, clock
        self._thread = thread or StoreThread()
        self._redact = Redactor(settings.environment, operations_of(settings))
        self._poller = Poller(sources, self._deliver, clock, self._redact)
        self._exposition = exposition or Exposition(settings.environment.name)
        self._exposition.hold(judge, self._poller.late)
        self._notifications = notifications
        self._requests = PollRequestsFile(settings.records_path)
        maintenance = operations_of(settings).maintenance
        self._held = HeldFile(settings.records_path, settings.environment.name, maintenance)
        self._pending = Pending()
        self._burning = Burning(store, settings.environment.thresholds, clock)
        self._interval_s = min([LONGEST_ROUND_S, *(source.interval_s for source in sources)])
        self._wake = asyncio.Event()
        now_ms = clock.boot_ms()
        self._due_ms = now_ms + int(FIRST_ROUND_S * 1000)
        self._judged_ms = now_ms
        self._maintained_ms = now_ms
        self._unheard = set(self._poller.slots)
        self._defect: tuple[str, int] | None = None
        self._processor = (time.process_time(), now_ms)
        self.status = "first round"

    # The loop

    async def run(self, stop: asyncio.Event) -> None:
        """Poll and judge until `stop`. Raises `LeaseLost` when another has the lease, `StoreDamaged` if nobody has.

        `close` must follow: releasing the lease in between is more urgent than the connections.
        """
        self._poller.start()
        try:
            while not stop.is_set():
                await self._until_due()
                self._pulse()
                await self._hear_requests()
                if self._clock.boot_ms() >= self._due_ms:
                    await self._round()
            if self._pending.observations:
                await self._write()
        finally:
            self._poller.cancel()

    async def close(self) -> None:
        """Release the sources' connections and the file of requests."""
        self._exposition.release()
        await self._poller.stop()
        await self._thread.run(self._requests.close)
        await self._thread.run(self._held.close)

    def interrupt(self) -> None:
        """Wake the loop, which then looks at its stop event."""
        self._wake.set()

    async def _until_due(self) -> None:
        wait_s = min((self._due_ms - self._clock.boot_ms()) / 1000, PULSE_S)
        if wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._wake.clear()

    def _pulse(self) -> None:
        self._alive(self.status)
        stalled_ms = self._poller.pulse()
        if stalled_ms:
            self._note_stall(stalled_ms)

    async def _hear_requests(self) -> None:
        try:
            if self._requests.changed() and await self._stored(self._requests.taken):
                self._poller.ask_now()
                self._soon(NEWS_PAUSE_S)
            if self._held.changed():
                self._judge.upkeep.held = await self._stored(partial(self._held.read, self._clock.wall_ms()))
        except StoreError as error:
            self._report(f"poll requests are not read: {error}")

    def _note_stall(self, stalled_ms: int) -> None:
        now_ms = self._clock.wall_ms()
        text = f"the collector did not run for {stalled_ms / 1000:.0f} s (stopped, asleep or starved)"
        log.warning("%s", text)
        self._pending.events.append(Event(at_ms=now_ms, kind=OWN, subject=OWN, text=text, key=f"stall/{now_ms}"))

    def _soon(self, seconds: float) -> None:
        """Have a round soon, though not two within a second."""
        earliest_ms = max(self._clock.boot_ms(), self._judged_ms + int(NEWS_PAUSE_S * 1000))
        self._due_ms = min(self._due_ms, earliest_ms + int(seconds * 1000))
        self._wake.set()

    # Observations

    def _deliver(self, slot: Slot, observation: Observation) -> None:
        at = self._now()
        waited_ms = at.steady_ms - slot.started_ms if slot.started_ms is not None else None
        reaction = self._judge.note(observation, at, waited_ms)
        self._pending.add(reaction.observation)
        self._exposition.polled(reaction.observation)
        track = self._judge.tracks[observation.target]
        slot.is_troubled = track.trouble > 0 or track.state in (State.DEGRADED, State.UNHEALTHY)
        slot.is_unsettled = _is_unsettled(track)
        if self._unheard:
            self._unheard.discard(observation.target)
            if not self._unheard:
                self._soon(NEWS_S)
        elif reaction.is_news:
            self._soon(NEWS_S)
        self._poller.ask_now(reaction.ask)

    # Rounds

    async def _round(self) -> None:
        now_ms = self._clock.boot_ms()
        self._judged_ms, self._due_ms = now_ms, now_ms + int(self._interval_s * 1000)
        for held in self._poller.held():
            settled = replace(held, state=self._judge.tracks[held.target].state)
            self._pending.add(self._judge.note(settled, self._now()).observation)
        self._pending.events += self._judge.upkeep.step(self._clock.wall_ms(), self._judge.tracks)
        self._add_own()
        await self._write()

    async def _write(self) -> None:
        """Judge and store. What cannot be stored now is tried again with the next round."""
        at = self._now()
        progress = Progress(
            late=self._poller.late(),
            waiting_s=self._poller.waiting_s(),
            defect=self._current_defect(),
            burn=self._burning.rates,
        )
        judgement = self._judge.conclude(at, progress)
        intervals = {target: slot.pace_s for target, slot in self._poller.slots.items()}
        intervals |= {OWN: self._interval_s, "verdict": self._interval_s}
        taken, self._pending = self._pending, Pending()  # what is delivered meanwhile is the next round's
        write = partial(self._store.write_round, self._lease, at.wall_ms, taken.observations, judgement, intervals)
        try:
            await self._stored(write)
            taken = Pending()
            self._judge.saved()
            self._exposition.judged(judgement)
            self._tell(judgement, stored=True)
            self.status = f"{judgement.verdict.state.value}, {len(self._poller.slots)} targets"
        except (LeaseLost, StoreDamaged):
            raise
        except StoreError as error:
            self._pending.put_back(taken)
            self._exposition.unstored()
            self._tell(judgement, stored=False)
            self._report(str(error))
            self.status = f"nothing is stored: {self._redact(str(error))}"
        else:
            await self._kept_up()

    async def _kept_up(self) -> None:
        """Maintain the store. What it cannot do is told: polling and judging go on without it."""
        try:
            await self._maintain()
        except (LeaseLost, StoreDamaged):
            raise
        except StoreError as error:
            self._report(str(error))
        except Exception as error:  # noqa: BLE001 - a defect, met with every call, would end one process after another
            self._report(f"defect: the store is not kept up: {type(error).__name__} at {place(error)}: {error}")

    def _tell(self, judgement: Judgement, *, stored: bool) -> None:
        """People are told of alerts even while nothing can be stored."""
        if self._notifications is not None:
            judge = self._judge
            self._notifications.judged(judgement, judge.fired(), offline=judge.offline, stored=stored)

    async def _maintain(self) -> None:
        now_ms = self._clock.boot_ms()
        if now_ms - self._maintained_ms >= MAINTAIN_S * 1000:
            self._maintained_ms = now_ms
            await self._stored(partial(self._store.maintain, self._lease, self._clock.wall_ms()))
        if self._burning.is_due:
            await self._stored(self._burning.read)

    async def _stored(self, call: Callable[[], T]) -> T:
        """Have the store's thread do it. The pulse goes on meanwhile, for as long as a slow disk is believed in."""
        begun_ms = self._clock.boot_ms()

        def pulse() -> None:
            if self._clock.boot_ms() - begun_ms < STUCK_S * 1000:
                self._pulse()
            else:
                self._poller.pulse()  # the watchdog is not fed: a store that never comes back is one to restart

        return await self._thread.run_beside(pulse, PULSE_S, call)

    def _add_own(self) -> None:
        """The collector as a target of its own: its health, processor and memory."""
        defect = self._current_defect()
        late = len(self._poller.late())
        events, self._pending.events = tuple(self._pending.events), []
        observation = Observation(
            target=OWN,
            outcome=Outcome.ANSWERED,
            state=State.DEGRADED if defect or late else State.HEALTHY,
            words=defect or ("sources are late" if late else "polls in time"),
            origin=Origin.HOST,
            facts={"last_error": defect, "targets": len(self._poller.slots), **self._outward()},
            samples={"cpu_share": self._processor_share(), "rss_bytes": rss_bytes(), "late": float(late)},
            events=events,
        )
        self._pending.add(self._judge.note(observation, self._now()).observation)

    def _outward(self) -> Mapping[str, Json]:
        """How the dead-man's switch was told, where there is one."""
        return self._notifications.facts if self._notifications is not None else {}

    def _processor_share(self) -> float:
        """Share of one core since the round before."""
        before_s, before_ms = self._processor
        now_s, now_ms = time.process_time(), self._clock.boot_ms()
        self._processor = now_s, now_ms
        return (now_s - before_s) * 1000 / max(1, now_ms - before_ms)

    # Own errors

    def _report(self, words: str) -> None:
        words = self._redact(words)
        if self._defect is None or self._defect[0] != words:
            log.error("%s", words)
        self._defect = words, self._clock.boot_ms()

    def _current_defect(self) -> str | None:
        if self._defect is None or self._clock.boot_ms() - self._defect[1] > DEFECT_S * 1000:
            return None
        return self._defect[0]

    def _now(self) -> Moment:
        return Moment(self._clock.boot_ms(), self._clock.wall_ms())


def _is_unsettled(track: Track) -> bool:
    """Whether the newest poll says otherwise than the state that the polls before it settled."""
    if track.newest is None:
        return False
    evidence = weigh(track.newest)
    if evidence is Evidence.GOOD:
        return track.state is not State.HEALTHY
    if evidence is Evidence.BAD:
        return track.state is not State.UNHEALTHY
    return evidence is Evidence.WEAK and track.state is State.HEALTHY
