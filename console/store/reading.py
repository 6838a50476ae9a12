"""One file opened for reading: reopened when it is replaced, closed when it is damaged, never in a long transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from console.store import damage
from console.store.files import connect_reader, connect_writer, inode_of
from console.store.moment import Bodies
from console.store.schema import WrongSchema, verify


class Unreadable(Exception):
    """The file cannot be read now; the text says why and what to do. The next read opens it again."""


class ReadFile:
    """A file that may be missing, empty, locked, damaged, or another one than a moment ago."""

    def __init__(self, path: Path, file_id: int, version: int) -> None:
        self._path = path
        self._file_id = file_id
        self._version = version
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._opened = 0
        self.bodies: Bodies | None = None

    def version(self) -> int:
        """Changes when anybody wrote, and when the file appeared, vanished or was replaced."""
        connection = self._live()
        if connection is None:
            return self._opened << 20
        try:
            row = connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        return self._opened << 20 | int(row[0]) & 0xFFFFF

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection | None]:
        """One short read transaction; None when there is no file yet. Raises `Unreadable`."""
        connection = self._undone()
        if connection is None:
            yield None
            return
        try:
            connection.execute("BEGIN")
            yield connection
        except (sqlite3.Error, ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
            # Values that do not decode are damage too: what is written here is only ever written by us.
            raise self._unreadable(error) from error
        finally:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Release the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._opened += 1
        self._connection = None

    def _undone(self) -> sqlite3.Connection | None:
        """The connection; opened again, which undoes it, where a writer died within its commit since we opened."""
        connection = self._live()
        if connection is None or not self._journal.exists():
            return connection
        try:
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            if damage.primary_code(error) != sqlite3.SQLITE_READONLY:
                return connection  # a writer at work: the read itself waits for it, and tells
            self.close()
        return self._live()

    @property
    def _journal(self) -> Path:
        return self._path.with_name(self._path.name + "-journal")

    def _live(self) -> sqlite3.Connection | None:
        try:
            inode = inode_of(self._path)
        except OSError as error:
            raise Unreadable(f"{self._path} cannot be looked at: {error.strerror}") from error
        if self._connection is not None and inode != self._inode:
            self.close()
        if self._connection is None and inode is not None:
            self._open(inode)
        return self._connection

    def _open(self, inode: tuple[int, int]) -> None:
        try:
            connection = self._connect()
        except sqlite3.Error as error:
            if inode_of(self._path) != inode:
                return  # removed or replaced at this very moment: the next read sees what came of it
            raise self._unreadable(error) from error
        except WrongSchema as error:
            raise Unreadable(f"{self._path}: {error}") from error
        if connection is not None:
            self._connection, self._inode = connection, inode
            self.bodies = Bodies(connection)
            self._opened += 1

    def _connect(self) -> sqlite3.Connection | None:
        connection = connect_reader(self._path)
        try:
            if verify(connection, self._file_id, self._version):
                return connection
        except sqlite3.OperationalError:
            connection.close()
            if not self._journal.exists():
                raise
            self._roll_back()
            return self._connect()
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None  # an empty file: its maker has not come to the tables yet

    def _roll_back(self) -> None:
        """A writer died within its commit: what it left can only be undone by somebody who may write."""
        connection = connect_writer(self._path)
        try:
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        finally:
            connection.close()

    def _unreadable(self, error: Exception) -> Unreadable:
        self.close()
        name = self._path.name
        if not isinstance(error, sqlite3.Error):
            return Unreadable(f"{name} holds what this radar cannot read ({type(error).__name__}: {error})")
        if damage.is_damage(error):
            return Unreadable(f"{name} is damaged ({error}): {self._remedy()}")
        code = damage.primary_code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Unreadable(f"{name} is locked by another program: reading it again")
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY):
            return Unreadable(f"{self._path} cannot be opened: this user needs to be in the group of its directory")
        return Unreadable(f"{name} cannot be read ({error}): reading it again")

    def _remedy(self) -> str:
        if self._path.name.startswith("records"):
            return "it is never discarded: restore it from a backup, or move it away"
        return "the next collector sets it aside and begins another; where none runs, start one: `radar collect`"
