"""Runs something under the kernel's tracing and keeps a copy of files at every system call.

Only the stops are used, no registers: the same on every processor. Linux.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_TRACEME, _SYSCALL, _KILL = 0, 24, 8


def traced(work: Callable[[], None], files: list[Path]) -> Iterator[dict[str, bytes]]:
    """The files by name at each system call of `work`, which runs in a process of its own, when they differ from those
    before. A file that is not there is absent. Raises `OSError` where tracing is not allowed, `RuntimeError` when
    `work` failed."""
    child = os.fork()
    if child == 0:
        _work(work)
    _stopped(child)
    last: dict[str, bytes] = {}
    while True:
        _ptrace(_SYSCALL, child)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSTOPPED(status):
            if status != 0:
                raise RuntimeError(f"what was traced ended with {os.waitstatus_to_exitcode(status)}")
            return
        found = {path.name: path.read_bytes() for path in files if path.exists()}
        if found != last:
            last = found
            yield found


def _work(work: Callable[[], None]) -> None:
    status = 1
    try:
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        work()
        status = 0
    except BaseException as error:  # noqa: BLE001 - nothing may leave the child but by its end; the error is shown
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        os._exit(status)


def _stopped(child: int) -> None:
    if not os.WIFSTOPPED(os.waitpid(child, 0)[1]):
        raise PermissionError("tracing is not allowed here")


def _ptrace(what: int, pid: int) -> None:
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    call.restype = ctypes.c_long
    if call(what, pid, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
