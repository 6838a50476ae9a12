"""Nights on the running demo: what an on-call engineer sees, in which order, and that it goes away.

The night of the bad deployment is in test_acting_nights.py, which ends it by an action.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import RunningDemo

pytestmark = pytest.mark.xdist_group("nights")

WELL = r"● HEALTHY"


@dataclass(frozen=True)
class Night:
    """A fault, and what must be said of it."""

    fault: str
    first_reason: str
    """Regular expression that the first line of WHY must match."""
    words: str
    """Regular expression that must stand somewhere on Health."""
    header: str
    """The verdict in the header."""
    check_status: int
    whose: str
    within_s: float = 45.0


NIGHTS = [
    Night("connections-exhausted", r"connections", r"\d+ by radar_worker", "✗ UNHEALTHY", 2, "us"),
    Night("gateway-down-sql-up", r"gateway", r"SQL", "✗ UNHEALTHY|▲ DEGRADED", 2, ""),
    Night("ci-migration-lock", r"block|lock|wait", r"github-actions|ALTER|queued", "✗ UNHEALTHY|▲ DEGRADED", 2, "us"),
    Night("bastion-offline", r"bastion", r"unknown", r"\? UNKNOWN|▲ DEGRADED|✗ UNHEALTHY", 1, "bastion"),
]


def first_reason(screen: str) -> str:
    """The first line of WHY, and the one below it, as they stand on the screen."""
    found = re.search(r"^ *WHY.*$(?:\n.*){0,1}", screen, re.MULTILINE)
    return found.group(0) if found else ""


@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.fault)
def test_night(demo: RunningDemo, night: Night, record_property: Callable[[str, object], None]) -> None:
    with demo.console() as terminal:
        terminal.expect(WELL, 120)
        demo.fault(night.fault, True)
        switched = time.perf_counter()
        try:
            terminal.wait(
                lambda screen: re.search(night.first_reason, first_reason(screen), re.IGNORECASE),
                night.within_s,
                what=f"first reason {night.first_reason!r}",
            )
            record_property("seconds_to_reason", round(time.perf_counter() - switched, 1))
            terminal.expect(night.words, 20)
            terminal.expect(night.header, 20)
            status, document = demo.check()
            assert status == night.check_status, document
            if night.whose:
                assert document["verdict"]["whose"] == night.whose
        finally:
            demo.fault(night.fault, False)
        terminal.expect(WELL, 120)
        status, document = demo.check()
        assert status == 0, document
