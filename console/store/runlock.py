"""Who is carrying out a run: the process that holds a lock on the run's own file, which the kernel lets go with it.

An open-file-description lock (F_OFD_SETLK, Linux 3.15): as flock, it belongs to the open file and dies with its last
holder; unlike flock, others can ask whether it is held without taking it for an instant.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Self

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
        path.parent.mkdir(mode=0o2770, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o660)
        try:
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


def is_held(directory: Path, token: str) -> bool | None:
    """Whether a process carries the run out now; None: it cannot be told from here."""
    try:
        descriptor = os.open(lock_path(directory, token), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return None
    try:
        asked = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    held: bool = _FLOCK.unpack(asked)[0] != fcntl.F_UNLCK
    return held
