"""This bastion host itself: processor, memory, disk, load. Never the application's."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from console.model.configuration import Environment
from console.model.observation import Json, Observation, Origin, Outcome, Sample, Source
from console.model.states import State
from console.model.text import clean
from console.sources.base import Polled

TARGET = "host"
TIMEOUT_S = 5.0
MEMORY_WARN = 0.95
DISK_WARN = 0.90
DISK_FULL = 0.98  # SQLite needs room to checkpoint


class HostSource(Polled):
    """The host's own figures. Reading them takes well under a millisecond of /proc."""

    def __init__(self, *, interval_s: float, disk: str = "/") -> None:
        super().__init__(TARGET, interval_s=interval_s, timeout_s=TIMEOUT_S)
        self._disk = disk
        self._is_primed = False

    async def observe(self) -> Observation:
        """The figures now; the processor's share is over the time since the last poll, so not in the first."""
        import psutil  # 15 ms: after the start

        memory, disk = psutil.virtual_memory(), psutil.disk_usage(self._disk)
        processor = psutil.cpu_percent(interval=None) / 100
        samples: dict[str, Sample] = {
            "memory_share": 1 - memory.available / memory.total,
            "disk_share": disk.percent / 100,
            "load1": os.getloadavg()[0],
        }
        if self._is_primed:
            samples["cpu_share"] = processor
        self._is_primed = True
        facts: dict[str, Json] = {
            "hostname": clean(socket.gethostname(), 120),
            "cores": psutil.cpu_count() or 1,
            "memory_bytes": memory.total,
        }
        return _judged(facts, samples, samples["memory_share"], samples["disk_share"])

    async def close(self) -> None:
        """Nothing is kept open."""


def build(environment: Environment) -> list[Source]:
    """The host, always."""
    return [HostSource(interval_s=environment.intervals.host_s)]


def _judged(facts: Mapping[str, Json], samples: Mapping[str, Sample], memory: Sample, disk: Sample) -> Observation:
    assert isinstance(memory, float) and isinstance(disk, float)
    state, words = judge(memory, disk)
    return Observation(
        target=TARGET,
        outcome=Outcome.ANSWERED,
        state=state,
        words=words,
        origin=Origin.HOST,
        facts=facts,
        samples=samples,
    )


def judge(memory_share: float, disk_share: float) -> tuple[State, str]:
    """The state of the host. The processor is no measure: a busy host works."""
    if disk_share >= DISK_FULL:
        return State.UNHEALTHY, "the disk is full: nothing more can be recorded"
    if disk_share >= DISK_WARN:
        return State.DEGRADED, f"more than {DISK_WARN:.0%} of the disk is used"
    if memory_share >= MEMORY_WARN:
        return State.DEGRADED, f"more than {MEMORY_WARN:.0%} of the memory is used"
    return State.HEALTHY, "well"
