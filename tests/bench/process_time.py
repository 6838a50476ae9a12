"""Processor time and memory of processes, read from the kernel's accounts."""

from __future__ import annotations

import psutil


def processor_s(process: psutil.Process) -> float:
    """User and system seconds that this process has used itself, without its children."""
    times = process.cpu_times()
    return float(times.user + times.system)


def resident_mib(process: psutil.Process) -> float:
    """Resident memory now, in MiB."""
    return float(process.memory_info().rss) / 2**20
