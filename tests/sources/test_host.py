"""The host's own figures."""

from __future__ import annotations

import subprocess
import sys

import pytest

from console.model.configuration import Environment
from console.model.observation import Origin, Outcome
from console.model.states import State
from console.sources import host
from console.sources.host import judge


async def test_the_figures_of_this_host() -> None:
    (source,) = host.build(Environment(name="test", url="http://x"))
    first, second = await source.observe(), await source.observe()
    assert (first.outcome, first.origin) == (Outcome.ANSWERED, Origin.HOST)
    assert set(first.samples) == {"memory_share", "disk_share", "load1"}  # no share of no time
    assert set(second.samples) == {"memory_share", "disk_share", "load1", "cpu_share"}
    for name in ("memory_share", "disk_share", "cpu_share"):
        share = second.samples[name]
        assert isinstance(share, float) and 0 <= share <= 1
    assert first.facts == second.facts
    assert set(first.facts) == {"hostname", "cores", "memory_bytes"}


@pytest.mark.parametrize(
    ("memory", "disk", "state"),
    [
        (0.5, 0.5, State.HEALTHY),
        (0.96, 0.5, State.DEGRADED),
        (0.5, 0.92, State.DEGRADED),
        (0.5, 0.99, State.UNHEALTHY),
    ],
)
def test_the_state_of_a_host(memory: float, disk: float, state: State) -> None:
    assert judge(memory, disk)[0] is state


def test_importing_the_source_does_not_import_psutil() -> None:
    code = "import sys, console.sources.host; sys.exit('psutil' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
