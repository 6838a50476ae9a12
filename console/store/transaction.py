"""A writing transaction of either file: all of it or nothing, errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from console.store.errors import StoreError


@contextmanager
def writing(
    connection: sqlite3.Connection, translated: Callable[[sqlite3.Error], StoreError]
) -> Iterator[sqlite3.Connection]:
    """Commit at the end, roll back on any error; SQLite's own come as what `translated` makes of them."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except BaseException as error:
        with suppress(sqlite3.Error):  # SQLite rolled back by itself where it had to
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise translated(error) from error
        raise
