"""`radar doctor`: where the two files are, whether they are sound, and whether somebody collects."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from console.collector.secrets import fingerprint
from console.collector.told import operations_of
from console.commands.finding import Finding, Result
from console.model.configuration import Settings
from console.model.times import ago
from console.store.clock import SystemClock
from console.store.files import UnsuitablePlace, connect_reader, refuse_network, sqlite_faults
from console.store.lease import LeaseRow, difference, read_lease

ENOUGH_FREE_BYTES = 1 << 30
LARGEST_CHECKED_BYTES = 1 << 30
"""Above this the soundness check takes more than some ten seconds, and is left to SQLite's own tools."""

GROUP = "store"
OBSERVED_REMEDY = "the next collector sets it aside and begins another: `radar collect`, or open the console"
RECORDS_REMEDY = "it is never discarded: restore it from a backup, or move it away"


def findings(settings: Settings) -> Iterator[Finding]:
    """The directory, SQLite itself, both files, the collector."""
    yield from _sqlite()
    directory = settings.state_directory
    place = _place(directory)
    yield place
    if place.result is Result.FAILED:
        return
    if directory.exists():
        yield from _permissions(directory)
        yield _space(directory)
    yield _file(settings.observed_path, "a collector makes it at its first round", OBSERVED_REMEDY)
    yield _file(settings.records_path, "the first acknowledgement or silence makes it", RECORDS_REMEDY)
    yield _collector(settings)


def _sqlite() -> Iterator[Finding]:
    faults = sqlite_faults()
    if not faults:
        yield Finding(GROUP, "SQLite", Result.WELL, f"{sqlite3.sqlite_version}, no known fault that touches us")
    for fault in faults:
        yield Finding(GROUP, "SQLite", Result.WARNING, fault, "update the operating system's SQLite when it offers it")


def _place(directory: Path) -> Finding:
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        refuse_network(nearest)
    except UnsuitablePlace as error:
        return Finding(GROUP, "directory", Result.FAILED, str(error), "set state_directory to a local directory")
    if nearest != directory:
        return _not_there(directory, nearest)
    if not os.access(directory, os.R_OK | os.X_OK):
        fix = f"join the group that owns it: {_owner(directory)}"
        return Finding(GROUP, "directory", Result.FAILED, f"{directory} cannot be entered", fix)
    if not os.access(directory, os.W_OK):
        fix = f"to acknowledge and collect, join the group that owns it: {_owner(directory)}"
        return Finding(GROUP, "directory", Result.WARNING, f"{directory} can be read and not written", fix)
    return Finding(GROUP, "directory", Result.WELL, f"{directory}, on a local file system")


def _not_there(directory: Path, nearest: Path) -> Finding:
    if not os.access(nearest, os.W_OK | os.X_OK):
        fix = "set state_directory to one that you may write, or have an administrator make it"
        return Finding(GROUP, "directory", Result.FAILED, f"{directory} cannot be made below {nearest}", fix)
    return Finding(GROUP, "directory", Result.WELL, f"{directory}, to be made at the first start")


def _owner(directory: Path) -> str:
    try:
        return f"{directory.owner()}:{directory.group()}"
    except KeyError:  # an id without a name, as in containers
        found = directory.stat()
        return f"{found.st_uid}:{found.st_gid}"


def _permissions(directory: Path) -> Iterator[Finding]:
    for path in (directory, *sorted(directory.glob("*.db"))):
        if path.stat().st_mode & stat.S_IRWXO:
            words = f"{path} is open to everybody on this host"
            yield Finding(GROUP, "permissions", Result.WARNING, words, f"run: chmod o-rwx {path}")


def _space(directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    words = f"{free / 2**30:,.1f} GiB free"
    if free < ENOUGH_FREE_BYTES:
        return Finding(
            GROUP, "disk", Result.WARNING, words, "free at least 1 GiB; a year of history needs about 300 MiB"
        )
    return Finding(GROUP, "disk", Result.WELL, words)


def _file(path: Path, when: str, remedy: str) -> Finding:
    if not path.exists():
        return Finding(GROUP, path.name, Result.WELL, f"not there yet: {when}")
    size = f"{path.stat().st_size / 2**20:,.1f} MiB"
    if path.stat().st_size > LARGEST_CHECKED_BYTES:
        return Finding(GROUP, path.name, Result.WELL, f"{size}, too large to be checked here")
    try:
        with closing(connect_reader(path)) as connection:
            answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        answer = str(error)
    if answer != "ok":
        return Finding(GROUP, path.name, Result.FAILED, f"{size}, damaged or unreadable: {answer[:200]}", remedy)
    return Finding(GROUP, path.name, Result.WELL, f"{size}, sound")


def _collector(settings: Settings) -> Finding:
    start = f"systemctl start radar-collect@{settings.environment.name}, or open the console, which brings its own"
    if not settings.observed_path.exists():
        return Finding(GROUP, "collector", Result.WARNING, "nobody has collected yet", start)
    try:
        with closing(connect_reader(settings.observed_path)) as connection:
            row = read_lease(connection)
    except sqlite3.Error as error:
        return Finding(GROUP, "collector", Result.UNKNOWN, f"the lease cannot be read: {error}", start)
    if row is None or not row.alive(SystemClock()):
        return Finding(GROUP, "collector", Result.WARNING, "nobody collects now", start)
    own = fingerprint(settings.environment, operations_of(settings))
    if differs := difference(row.holder, own.digest, own.identities):
        fix = "give both the same radar.toml and credentials, and start the collector anew"
        return Finding(
            GROUP, "collector", Result.WARNING, f"{row.holder.words} collects by other settings: {differs}", fix
        )
    return Finding(GROUP, "collector", Result.WELL, f"{row.holder.words}, heard of {_silent(row)} ago")


def _silent(row: LeaseRow) -> str:
    return ago(row.silent_ms(SystemClock()) / 1000)
