"""The two clocks: wall time for people, CLOCK_BOOTTIME for durations (it runs on while the machine sleeps)."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Where the store takes its time from; tests give their own."""

    @property
    def boot_id(self) -> str:
        """Differs after each boot of the machine: monotonic times compare only within one."""

    def wall_ms(self) -> int:
        """Ms since epoch UTC; may jump."""

    def boot_ms(self) -> int:
        """Ms since boot, sleep included; never goes back."""


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Without /proc the boot second stands in for the id: it is the same for every process of one boot.
        return f"booted-{round(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME), -1):.0f}"


class SystemClock:
    """The machine's own clocks."""

    @property
    def boot_id(self) -> str:
        return _boot_id()

    def wall_ms(self) -> int:
        return now_ms()

    def boot_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def now_ms() -> int:
    """The wall clock in ms since epoch UTC."""
    return time.time_ns() // 1_000_000
