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


def child_named(parent: psutil.Process, words: str) -> psutil.Process | None:
    """The first descendant whose command line holds `words`; None when there is none."""
    for process in parent.children(recursive=True):
        try:
            if words in " ".join(process.cmdline()):
                return process
        except psutil.Error:
            continue
    return None
