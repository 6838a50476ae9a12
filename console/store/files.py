"""The files under the store: their directory, permissions and file system, and how SQLite opens them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

DIRECTORY_MODE = 0o2770  # setgid: files of every operator belong to the shared group
SHARED_MODE, SERVICE_MODE = 0o660, 0o640
"""Files of a directory that its group may write are the group's to write; else only their owner's: a service's."""
WRITE_WAIT_S = 2.0
READ_WAIT_S = 0.25  # a reader of a WAL waits only while somebody recovers it

# SQLite's WAL needs shared memory and POSIX locks between all users of the file, which these do not give.
_NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "gpfs",
        "ocfs2",
        "coda",
        "ncpfs",
        "davfs",
        *("fuse." + kind for kind in ("sshfs", "glusterfs", "s3fs", "rclone", "ceph", "davfs", "gcsfuse", "juicefs")),
    }
)


class UnsuitablePlace(Exception):
    """The directory cannot hold the store; the text says why and what to do."""


def prepare_directory(directory: Path) -> None:
    """Create the directory as 2770 whatever the umask; one that exists keeps its mode. Refuses network file systems."""
    created = False
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            created = True
        if created:
            directory.chmod(DIRECTORY_MODE)
    except OSError as error:
        raise UnsuitablePlace(f"cannot create the directory {directory}: {error.strerror}") from error
    if not directory.is_dir():
        raise UnsuitablePlace(f"{directory} is no directory: the store needs one")
    refuse_network(directory)


def prepare_file(path: Path) -> None:
    """Create an empty file as 0660 whatever the umask, before SQLite opens it. An existing one of ours gets that mode.
    0640 where the group may not write the directory.

    An existing file is changed by its path: closing a descriptor of it would drop every lock that SQLite
    holds on it in this process.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        _repair_mode(path)
        return
    except OSError as error:
        raise _uncreatable(path, error) from error
    try:
        os.fchmod(descriptor, mode_in(path.parent))
    finally:
        os.close(descriptor)


def mode_in(directory: Path) -> int:
    """The mode of files in that directory."""
    return SHARED_MODE if directory.stat().st_mode & 0o020 else SERVICE_MODE


def _repair_mode(path: Path) -> None:
    try:
        found = path.stat()
        mode = mode_in(path.parent)
        if found.st_uid == os.geteuid() and found.st_mode & 0o777 != mode:
            path.chmod(mode)
    except OSError as error:
        raise _uncreatable(path, error) from error


def _uncreatable(path: Path, error: OSError) -> UnsuitablePlace:
    return UnsuitablePlace(f"cannot create {path}: {error.strerror}")


def refuse_network(directory: Path, mounts: str | None = None) -> None:
    """Raise `UnsuitablePlace` when the directory is on a network file system. `mounts`: text of mountinfo."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return  # no /proc: not a Linux that could tell
    kind = filesystem_of(directory.resolve(), mounts)
    if kind is not None:
        raise UnsuitablePlace(
            f"{directory} is on a network file system ({kind}), where the store's locks and shared memory do not hold: "
            "choose a local directory"
        )


def filesystem_of(directory: Path, mounts: str) -> str | None:
    """The kind of the network file system that holds the directory, or None when it is local."""
    best, kind, options = "", "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if len(fields) < 5 or len(tail) < 3:
            continue
        point = _unescaped(fields[4])
        # Of equal mount points the later line lies on top.
        if len(point) >= len(best) and directory.is_relative_to(point):
            best, kind, options = point, tail[0], tail[2]
    if kind == "9p" and ("trans=tcp" in options or "trans=rdma" in options):
        return kind
    return kind if kind in _NETWORK else None


def _unescaped(point: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open read-only, with no transaction and no memory map; raises `sqlite3.Error`."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=READ_WAIT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("PRAGMA query_only = 1")
    return connection


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open for writing a file that `prepare_file` made; transactions are begun by hand."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=WRITE_WAIT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    # Some distributions build SQLite to overwrite what it deletes, which doubles the log of every retention pass.
    connection.execute("PRAGMA secure_delete = 0")
    return connection


def change_mark(path: Path) -> tuple[int, int] | None:
    """Differs once somebody has written to the file, for 2 µs; None: there is none yet."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def inode_of(path: Path) -> tuple[int, int] | None:
    """What tells one file from another that took its name; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def sqlite_faults(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> tuple[str, ...]:
    """Known faults of that SQLite version that touch a WAL, in words for `doctor`; empty: none known.

    The WAL-reset fault (3.7.0 to 3.51.2; repaired in 3.51.3, 3.50.7, 3.44.6) needs two connections that write or
    checkpoint at once. Here only the lease holder does either, so it is a warning and no refusal.
    """
    found = []
    repaired = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if version >= (3, 7, 0) and not repaired and version != (3, 52, 0):
        found.append(
            f"SQLite {'.'.join(map(str, version))} has the WAL-reset fault (repaired in 3.51.3, 3.50.7 and 3.44.6): "
            "two writers at one instant can damage observed.db; only the lease holder writes it, so the risk is small"
        )
    return tuple(found)
