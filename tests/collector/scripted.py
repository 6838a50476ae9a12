"""Sources that do as told, and what is needed to run a collector on them with a real store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from console.model.configuration import Environment, Settings
from console.model.observation import ErrorKind, Observation, Origin, Outcome
from console.model.states import State
from console.store.clock import SystemClock

Answer = Callable[[], Awaitable[Observation]]
DEADLINE_S = 20.0


def answered(target: str, state: State = State.HEALTHY, words: str = "answers", **more: Any) -> Observation:
    """An answer of a target."""
    return Observation(target=target, outcome=Outcome.ANSWERED, state=state, words=words, origin=Origin.PROBE, **more)


def refused(target: str) -> Observation:
    """A target that is not reached."""
    return Observation(
        target=target,
        outcome=Outcome.FAILED,
        state=State.UNHEALTHY,
        words="connection refused",
        origin=Origin.PROBE,
        error_kind=ErrorKind.CONNECT,
    )


class Scripted:
    """A source that stands in for the wire. `now` is what it gives next; it counts what is asked of it."""

    def __init__(self, target: str, interval_s: float = 0.05, timeout_s: float = 5.0) -> None:
        self.target, self.interval_s, self.timeout_s = target, interval_s, timeout_s
        self.now: Observation | BaseException | Answer = answered(target)
        self.calls = self.in_flight = self.most_in_flight = 0
        self.closed = False
        self.asked_at: list[float] = []

    async def observe(self) -> Observation:
        """Give what the test said."""
        self.calls += 1
        self.asked_at.append(time.monotonic())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            if isinstance(self.now, BaseException):
                raise self.now
            return self.now if isinstance(self.now, Observation) else await self.now()
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        """Note it."""
        self.closed = True


async def hang() -> Observation:
    """Never answer, and let go when cancelled."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


class Clock(SystemClock):
    """The machine's clocks, moved by a test."""

    def __init__(self) -> None:
        self.wall_offset_ms = self.boot_offset_ms = 0

    def wall_ms(self) -> int:
        """Wall time as moved."""
        return super().wall_ms() + self.wall_offset_ms

    def boot_ms(self) -> int:
        """Time since boot as moved."""
        return super().boot_ms() + self.boot_offset_ms


@dataclass
class Asked:
    """What an environment's sources are in a test, by target."""

    sources: dict[str, Scripted] = field(default_factory=dict)
    built: int = 0

    def build(self, _: Environment) -> list[Scripted]:
        """Give the sources, as the registry would."""
        self.built += 1
        return list(self.sources.values())


def scripted(*targets: str, interval_s: float = 0.05) -> Asked:
    """Sources for these targets, all well."""
    return Asked({target: Scripted(target, interval_s) for target in targets})


def settings(directory: Path, **changes: Any) -> Settings:
    """Settings of an environment whose store is in `directory`."""
    environment = Environment(name="test", url="http://127.0.0.1:9", egress=None)
    return Settings(
        file=directory / "radar.toml",
        environment=replace(environment, **changes),
        environments=("test",),
        state_directory=directory / "state",
    )


async def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition, looking often."""
    ends = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < ends, f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.01)
