"""Telling a full disk, a locked and a damaged file apart, and setting a damaged observed.db aside."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from console.store.errors import StoreBusy, StoreError, StoreFull
from console.store.files import inode_of

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_ROOMLESS = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_ROOM_BYTES = 1024 * 1024  # an I/O error with less than this free is a full disk that the system reports otherwise


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extension; 0 when there is none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than full, locked or forbidden."""
    return primary_code(error) in _DAMAGE or "malformed" in str(error) or "not a database" in str(error)


def is_full(error: sqlite3.Error, path: Path) -> bool:
    """Whether there was no room: SQLite says so, or the system refused to write, or hardly anything is free."""
    if primary_code(error) == sqlite3.SQLITE_FULL:
        return True
    # A quota and a limit on file sizes come as failed writes; a file that cannot be made as one that cannot be opened.
    refused = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_WRITE
    return refused or (primary_code(error) in _ROOMLESS and free_bytes(path) < _ROOM_BYTES)


def in_words(error: sqlite3.Error, path: Path) -> StoreError:
    """The error of a write that rolled back, for people."""
    code = primary_code(error)
    if is_full(error, path):
        return StoreFull(
            f"no room to write {path.name} (disk, quota or size limit; {free_bytes(path) // 1024} KiB free on the disk "
            f"of {path.parent}): what is stored is kept, the next round tries again; free some space"
        )
    if code in _BUSY:
        again = "; the next round tries again" if path.name == "observed.db" else ""
        return StoreBusy(f"{path.name} is locked by another program{again}")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(f"{path} is not writable for this user: it needs to be 0660 in a directory 2770 of its group")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(f"{path} cannot be opened: check that the directory exists and is writable for this user")
    return StoreError(f"{path.name}: {error}; the next round tries again")


def free_bytes(path: Path) -> int:
    """Free bytes on the disk of a file."""
    try:
        found = os.statvfs(path.parent)
        return found.f_bavail * found.f_frsize
    except OSError:
        return 0


def set_aside(path: Path, inode: tuple[int, int] | None, at_ms: int) -> Path | None:
    """Rename a damaged file and its log to `NAME.damaged-TIME`. None: somebody already did, or it is gone.

    `inode` is what the caller had open: of two processes that find the damage at once, the second must not
    set aside what the first began anew.
    """
    with _alone(path):
        if inode is None or inode_of(path) != inode:
            return None
        stamp = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        target = path.with_name(f"{path.name}.damaged-{stamp}")
        number = 1
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
        path.rename(target)
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
        return target


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    # The directory itself is the lock file: nothing to create, and it outlives every rename in it.
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
