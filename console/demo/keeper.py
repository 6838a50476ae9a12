"""Runs one program so that it and all that it starts die with the process that asked, whatever kills that one.

A script of its own: `python -I -S keeper.py PARENT_PID IDENTITY PROGRAM [ARGUMENT…]`, standard library only. A signal
on the parent's death set directly on PostgreSQL is not enough: a stopped (SIGSTOP) server never handles it, it ends the
server when the *thread* that started it ends, and the kernel drops it when the program changes its user. The keeper
stays between, is not stopped by the demo's faults, and is the subreaper of everything below it.

IDENTITY is who the program runs as: `same`, `namespace` (user 1000 of a new user namespace: PostgreSQL refuses
root, and files stay root's own) or `nobody`. Signals INT, QUIT, TERM are handed on. The first line on standard output
is the program's process id; the exit status is the program's, 71 when the identity could not be taken.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWUSER = 0x10000000
NOBODY = 65534
NO_IDENTITY = 71
PARENT_GONE = 70
GRACE_S = 2.0
HANDED_ON = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}
WATCHED = HANDED_ON | {signal.SIGUSR1, signal.SIGHUP, signal.SIGCHLD}


def main(arguments: list[str]) -> int:
    """Run the program to its end and give its exit status."""
    parent, identity, command = int(arguments[0]), arguments[1], arguments[2:]
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
    if os.getppid() != parent:
        return PARENT_GONE
    child = _spawn(identity, command)
    print(child, flush=True)
    return _watch(parent, child)


def _watch(parent: int, child: int) -> int:
    while True:
        number = signal.sigwait(WATCHED)
        if number == signal.SIGCHLD:
            status = _reap(child)
            if status is not None:
                _end(descendants(os.getpid()))
                return status
        elif number in HANDED_ON:
            os.kill(child, number)
        # The kernel also sends the signal when only the *thread* that started us ended; then the parent is still ours.
        elif number == signal.SIGUSR1 and os.getppid() != parent:
            _bury(child)
            return PARENT_GONE


def _spawn(identity: str, command: list[str]) -> int:
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        take_identity(identity)
    except OSError as error:
        print(f"keeper: cannot run as {identity}: {error}", file=sys.stderr, flush=True)
        os._exit(NO_IDENTITY)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    _prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)  # after the change of user, which clears it
    if os.getppid() != keeper:
        os._exit(PARENT_GONE)
    try:
        os.execv(command[0], command)
    except OSError as error:
        print(f"keeper: cannot run {command[0]}: {error}", file=sys.stderr, flush=True)
        os._exit(127)


def take_identity(identity: str) -> None:
    """Become the named identity, for good. Raises OSError when the system does not allow it."""
    if identity == "namespace":
        user, group = os.geteuid(), os.getegid()
        if _libc().unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "no user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"1000 {user} 1")
        Path("/proc/self/gid_map").write_text(f"1000 {group} 1")
    elif identity == "nobody":
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def descendants(root: int) -> list[int]:
    """Process ids of everything below `root`, parents before children; zombies are left out."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                if state != "Z":
                    children.setdefault(int(parent), []).append(int(entry.name))
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _reap(child: int) -> int | None:
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, raw = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == child:
                status = os.waitstatus_to_exitcode(raw)
    return status if status is None or status >= 0 else 128 - status


def _bury(child: int) -> None:
    """End the program at once but cleanly: PostgreSQL takes QUIT as an immediate shutdown and ends its backends."""
    below = descendants(os.getpid())
    _signal([child], signal.SIGQUIT)
    _signal(below, signal.SIGCONT)
    _end(below)


def _end(processes: list[int]) -> None:
    """Wait `GRACE_S` for them to end by themselves, then kill what is left, stopped or not."""
    for _ in range(int(GRACE_S / 0.1)):
        if not descendants(os.getpid()):
            return
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)
        _reap(0)
    _signal([*processes, *descendants(os.getpid())], signal.SIGKILL)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
