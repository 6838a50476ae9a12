"""The directory of a demo: claimed by one supervisor, begun anew at each start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from console.demo.lifetime import end_leftovers
from console.demo.server import EmbeddedPostgres

MARK = ".radar-demo"
OURS = ("postgres", "tls", "state", "logs", "radar.toml", ".env", "control.sock")


class InUse(Exception):
    """The directory cannot be used; the text says why."""


def claim(directory: Path) -> int:
    """Take the directory and empty it of what an earlier demo left, killed or not. Gives the lock's file handle.

    The lock ends with this process. Raises `InUse` when a demo runs there, or when it holds somebody's files.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = directory / MARK
    if not mark.exists() and any(directory.iterdir()):
        raise InUse(f"{directory} is not empty and no demo made it: name an empty or new directory")
    handle = os.open(mark, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InUse(f"a demo runs in {directory} (process {_holder(handle)}): stop it or name another one") from None
    os.truncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    _begin_anew(directory)
    return handle


def discard_data(directory: Path) -> None:
    """Delete PostgreSQL's files, also where they lie when it had to run as another user."""
    server = EmbeddedPostgres(directory / "postgres", port=1, identity="nobody")
    if server.data.exists():
        shutil.rmtree(server.data.parent, ignore_errors=True)
    shutil.rmtree(directory / "postgres", ignore_errors=True)


def _begin_anew(directory: Path) -> None:
    end_leftovers(directory)
    discard_data(directory)
    for name in OURS:
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in ("logs", "state"):
        (directory / name).mkdir(mode=0o700)


def _holder(handle: int) -> str:
    with contextlib.suppress(OSError):
        return os.pread(handle, 20, 0).decode(errors="replace").strip()
    return "unknown"
