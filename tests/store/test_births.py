"""A file that is made, or brought to a newer format, while somebody looks at it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from console.store.schema import (
    OBSERVED_ID,
    OBSERVED_VERSION,
    RECORDS_ID,
    RECORDS_VERSION,
    create_observed,
    create_records,
    verify,
)

Make = Callable[[sqlite3.Connection], None]


class Interrupted(sqlite3.Connection):
    """A look at a file in which somebody else is served just before the statement of number `at`."""

    at = 0
    statements = 0
    other: Callable[[], None]

    def execute(self, *arguments: Any, **named: Any) -> sqlite3.Cursor:
        if self.statements == self.at:
            self.other()
        self.statements += 1
        return super().execute(*arguments, **named)


def made_by_another(path: Path, make: Make) -> None:
    """A maker that does not wait; one that finds the file locked comes later."""
    maker = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        make(maker)
    except sqlite3.OperationalError as error:
        assert "locked" in str(error)
    finally:
        maker.close()


def look(path: Path, at: int, other: Callable[[], None]) -> Interrupted:
    """A connection during whose statement `at` the other one comes."""
    connection = sqlite3.connect(path, isolation_level=None, factory=Interrupted)
    connection.at, connection.other = at, other
    return connection


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize(
    ("make", "file_id", "version"),
    [(create_observed, OBSERVED_ID, OBSERVED_VERSION), (create_records, RECORDS_ID, RECORDS_VERSION)],
    ids=["observed", "records"],
)
def test_a_file_made_while_it_is_looked_at_is_empty_or_ours(
    tmp_path: Path, make: Make, file_id: int, version: int, at: int
) -> None:
    path = tmp_path / "file.db"
    path.touch()
    connection = look(path, at, partial(made_by_another, path, make))
    seen = verify(connection, file_id, version)
    made_by_another(path, make)
    assert verify(connection, file_id, version), "its maker came to it in the end"
    assert seen or at > 0, "made before the first look"
    assert not connection.in_transaction
    connection.close()


@pytest.mark.parametrize("at", range(8))
def test_two_that_make_a_file_at_once_both_find_it_made(tmp_path: Path, at: int) -> None:
    path = tmp_path / "records.db"
    path.touch()
    connection = look(path, at, partial(made_by_another, path, create_records))
    create_records(connection)
    assert verify(connection, RECORDS_ID, RECORDS_VERSION)
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone()[0] > 1
    connection.close()
