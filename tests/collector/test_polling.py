"""Polls of scripted sources on a real event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from console.collector.polling import Poller, Slot
from console.collector.secrets import Redactor
from console.model.configuration import Environment, Secret
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from tests.collector.scripted import Clock, Scripted, answered, hang, until

ENVIRONMENT = Environment(name="test", url="http://127.0.0.1:9", database=Secret("postgresql://u:hunter2secret@h/d"))


class Polls:
    """A poller and what it delivered."""

    def __init__(self, *sources: Scripted) -> None:
        self.clock = Clock()
        self.seen: list[Observation] = []
        self.poller = Poller(sources, self._deliver, self.clock, Redactor(ENVIRONMENT))

    def _deliver(self, _: Slot, observation: Observation) -> None:
        self.seen.append(observation)

    def of(self, target: str) -> list[Observation]:
        """What one target gave."""
        return [observation for observation in self.seen if observation.target == target]


@asynccontextmanager
async def polling(*sources: Scripted) -> AsyncIterator[Polls]:
    """Poll while inside, with a pulse as the run loop gives it."""
    polls = Polls(*sources)
    polls.poller.start()
    pulse = asyncio.create_task(_pulse(polls.poller))
    try:
        yield polls
    finally:
        pulse.cancel()
        await polls.poller.stop()


async def _pulse(poller: Poller) -> None:
    while True:
        poller.pulse()
        await asyncio.sleep(0.05)


async def test_every_target_is_asked_at_its_own_interval() -> None:
    often, seldom = Scripted("often", 0.02), Scripted("seldom", 3600)
    async with polling(often, seldom) as polls:
        await until(lambda: len(polls.of("often")) > 10, "ten polls")
    assert seldom.calls == 1
    assert often.closed and seldom.closed


async def test_never_two_polls_of_one_target_are_in_flight() -> None:
    slow = Scripted("slow", 0.01)

    async def slowly() -> Observation:
        await asyncio.sleep(0.05)
        return answered("slow")

    slow.now = slowly
    async with polling(slow) as polls:
        for _ in range(200):
            polls.poller.ask_now()
            await asyncio.sleep(0.001)
        await until(lambda: len(polls.seen) >= 3, "three polls")
    assert slow.most_in_flight == 1


async def test_a_poll_that_hangs_is_cancelled_and_repeated_at_the_usual_pace_once_only() -> None:
    source = Scripted("health", 0.05, timeout_s=0.05)
    source.now = hang
    async with polling(source) as polls:
        await until(lambda: len(polls.seen) == 2, "two time-outs")
        slot = polls.poller.slots["health"]
        assert slot.pace_s == 10, "one follow-up, then seldom"
        polls.poller.ask_now()
        await until(lambda: len(polls.seen) == 3, "a person may ask a target whose circuit is closed")
        assert slot.course.is_open
        assert [held.outcome for held in polls.poller.held()] == [Outcome.HELD]
        polls.poller.ask_now()
        await asyncio.sleep(0.1)
        assert source.calls == 3, "nobody asks a target that hangs"
    assert {observation.error_kind for observation in polls.seen} == {ErrorKind.TIMEOUT}
    assert polls.seen[0].state is State.UNHEALTHY


async def test_an_answer_closes_the_circuit() -> None:
    source = Scripted("health", 0.05, timeout_s=0.05)
    source.now = hang
    async with polling(source) as polls:
        await until(lambda: len(polls.seen) == 2, "two time-outs")
        source.now = answered("health")
        polls.poller.ask_now()
        await until(lambda: len(polls.seen) >= 4, "polls at the usual pace again")
        assert polls.poller.slots["health"].pace_s == 0.05


async def test_a_source_that_does_not_let_go_is_told_and_not_asked_again() -> None:
    source = Scripted("stubborn", 0.02, timeout_s=0.05)
    free = asyncio.Event()

    async def stubborn() -> Observation:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        return answered("stubborn")

    source.now = stubborn
    async with polling(source) as polls:
        await until(lambda: len(polls.seen) == 1, "its time-out")
        polls.poller.ask_now()
        await asyncio.sleep(0.1)
        assert (source.calls, source.most_in_flight) == (1, 1)
        source.now = answered("stubborn")
        free.set()
        await until(lambda: len(polls.seen) > 1, "asked again once it let go", 40)


async def test_an_exception_is_an_observation_without_secrets_and_an_event() -> None:
    source = Scripted("health")
    source.now = ValueError("bad DSN postgresql://u:hunter2secret@h/d\x1b]0;x\x07")
    async with polling(source) as polls:
        await until(lambda: len(polls.seen) > 2, "polls that go on")
    observation = polls.seen[0]
    assert (observation.outcome, observation.error_kind) == (Outcome.FAILED, ErrorKind.INTERNAL)
    assert observation.state is State.UNKNOWN
    assert "ValueError at scripted.py:" in observation.words
    assert "hunter2secret" not in observation.words and "\x1b" not in observation.words
    assert observation.events[0].kind == "defect"
    assert len({event.key for seen in polls.seen for event in seen.events}) == 1, "one event an hour"


async def test_one_source_that_hangs_or_breaks_delays_no_other() -> None:
    hanging, broken, well = Scripted("a", 0.02, 30), Scripted("b", 0.02), Scripted("c", 0.02)
    hanging.now, broken.now = hang, RuntimeError("defect")
    async with polling(hanging, broken, well) as polls:
        await until(lambda: len(polls.of("c")) > 20, "polls of the one that is well")
        assert polls.poller.waiting_s().keys() == {"a"}


async def test_what_was_measured_while_the_process_stood_still_is_dropped() -> None:
    source = Scripted("health", 0.05)
    go = asyncio.Event()

    async def waits() -> Observation:
        await go.wait()
        return answered("health", words="late")

    source.now = waits
    polls = Polls(source)
    polls.poller.start()
    await until(lambda: source.in_flight == 1, "a poll in flight")
    polls.clock.boot_offset_ms = 10_000
    source.now = answered("health", words="fresh")
    go.set()
    await until(lambda: source.calls > 1, "asked again at once")
    assert polls.poller.pulse() >= 10_000
    await until(lambda: len(polls.seen) > 0, "a poll after the pause")
    await polls.poller.stop()
    assert {observation.words for observation in polls.seen} == {"fresh"}


async def test_a_target_that_is_not_polled_in_time_is_late() -> None:
    source = Scripted("health", 5.0, timeout_s=2.0)
    async with polling(source) as polls:
        await until(lambda: len(polls.seen) == 1, "the first poll")
        assert polls.poller.late() == []
        polls.clock.boot_offset_ms = 14_000
        assert polls.poller.late() == ["health"]
        polls.poller.pulse()
        assert polls.poller.late() == [], "after a pause of this process it gets its time anew"


async def test_the_end_takes_no_longer_while_everything_hangs() -> None:
    sources = [Scripted(f"t{number}", 0.05, timeout_s=60) for number in range(20)]
    for source in sources:
        source.now = hang
    async with polling(*sources):
        await until(lambda: all(source.in_flight for source in sources), "all in flight")
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 0.9
    assert all(source.in_flight == 0 for source in sources)
