"""4 MiB kept beside records.db, so that what people record still fits when the disk is full."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from console.store.damage import free_bytes
from console.store.files import mode_in

BALLAST_BYTES = 4 * 1024 * 1024


def path_of(records: Path) -> Path:
    """Where the ballast of a records.db is."""
    return records.with_name(f"{records.stem}.ballast")


def fill(records: Path) -> bool:
    """Make the ballast when there is none and twice its size is free; True when it is there afterwards."""
    path = path_of(records)
    with suppress(FileNotFoundError):
        if path.stat().st_size >= BALLAST_BYTES:
            return True
    if free_bytes(path) < 2 * BALLAST_BYTES:
        return False
    try:
        _reserve(path)
    except OSError:
        # A reserve that cannot be made is no reason to refuse records; an incomplete one would pretend to be one.
        free(records)
        return False
    return True


def _reserve(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, mode_in(path.parent))
        os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
    finally:
        os.close(descriptor)


def free(records: Path) -> bool:
    """Give the ballast's room back; False when there was none."""
    try:
        path_of(records).unlink()
    except OSError:
        return False
    return True
