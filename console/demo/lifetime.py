"""Who dies with whom: every process of the demo ends with the one that started it, whatever killed that one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
LEFTOVERS_GRACE_S = 3.0  # a PostgreSQL whose parent was killed is given 2 s by its keeper


def die_with_parent(parent_pid: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send `death_signal` to this process when its parent ends; exit at once if it has ended already.

    To be called first thing in a child whose parent spawned it from its main thread: the kernel sends the
    signal when the spawning *thread* ends. Elsewhere than on Linux it does nothing: there the closed standard
    input of a child is the only sign.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(death_signal), 0, 0, 0)
    if os.getppid() != parent_pid:  # it ended between our start and the call above
        os._exit(1)


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each process that still lives."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def processes_of(directory: Path) -> list[int]:
    """Processes of the demo in `directory`, ours excepted: its supervisor, children, PostgreSQL with all sessions.

    Somebody's shell or editor in that directory is none of them.
    """
    place = str(directory)
    return [pid for pid in _all_processes() if pid != os.getpid() and _belongs(pid, place)]


def end_leftovers(directory: Path) -> None:
    """Wait until the processes of a crashed demo in `directory` have ended; kill those that have not in 3 s."""
    deadline = time.monotonic() + LEFTOVERS_GRACE_S
    while (left := _not_above_us(processes_of(directory))) and time.monotonic() < deadline:
        time.sleep(0.05)
    send(left, signal.SIGKILL)


def _all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _not_above_us(pids: list[int]) -> list[int]:
    """Without our own ancestors: the command that started us names the directory too."""
    ancestors = set()
    pid = os.getppid()
    while pid > 1:
        ancestors.add(pid)
        pid = _parent(pid)
    return [pid for pid in pids if pid not in ancestors]


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return 0


def _belongs(pid: int, place: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        here = str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:  # it ended, is a zombie, or another user's
        return False
    if words[0].startswith("postgres: "):  # a session: its title takes the place of its arguments
        return _inside(here, place)
    ours = any(word.startswith("console.demo.") or Path(word).name in ("keeper.py", "postgres") for word in words)
    return ours and any(_inside(word, place) for word in words)


def _inside(path: str, place: str) -> bool:
    return path == place or path.startswith(place + "/")
