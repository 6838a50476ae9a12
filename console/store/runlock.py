"""Who is carrying out a run: the process that holds a lock on the run's own file, which the kernel lets go with it.

An open-file-description lock (F_OFD_SETLK, Linux 3.15): as flock, it belongs to the open file and dies with its last
holder; unlike flock, others can ask whether it is held without taking it for an instant.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from pathlib import Path
from typing import Self

from console.store.clock import SystemClock
from console.store.files import SHARED_MODE, mode_in

_FLOCK = struct.Struct("hhqqi4x")  # struct flock on Linux, 64 bit: type, whence, start, length, pid


class RunLock:
    """Held until closed."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path

    @classmethod
    def take(cls, directory: Path, token: str) -> Self | None:
        """The lock of that run; None: another process holds it. Raises `OSError` where it cannot be had at all."""
        path = lock_path(directory, token)
        _prepare(path.parent)
        mode = mode_in(path.parent) if mode_in(path.parent) == SHARED_MODE else 0o600
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            _refuse_irregular(descriptor)
            if os.fstat(descriptor).st_uid == os.geteuid():
                os.fchmod(descriptor, mode)
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return None
            raise
        return cls(descriptor, path)

    def release(self) -> None:
        """Let it go and remove the file: the run is at its end."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def lock_path(directory: Path, token: str) -> Path:
    """Where the lock of a run is, below the state directory."""
    if not token.isalnum():
        raise ValueError("a run's token is letters and digits")
    return directory / "runs" / f"{token}.lock"


def is_carried_out(directory: Path, token: str, pid: int, boot_id: str) -> bool:
    """Whether a process carries the run out now: by its lock; where that is gone or not to be asked, by the process."""
    held = _is_held(directory, token)
    return _lives(pid, boot_id) if held is None else held


def _is_held(directory: Path, token: str) -> bool | None:
    """Whether the lock is held; None: there is none, or it is not for us to ask."""
    try:
        path = lock_path(directory, token)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        _refuse_irregular(descriptor)
        asked = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    held: bool = _FLOCK.unpack(asked)[0] != fcntl.F_UNLCK
    return held


def _lives(pid: int, boot_id: str) -> bool:
    """Whether that process is a runner, of this boot."""
    if boot_id != SystemClock().boot_id:
        return False
    try:
        return b"actions" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _refuse_irregular(descriptor: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "the lock is no file")


def _prepare(directory: Path) -> None:
    """Below the state directory, with its mode: what only a service may write there nobody else may here."""
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return
    directory.chmod(directory.parent.stat().st_mode & 0o7777)
