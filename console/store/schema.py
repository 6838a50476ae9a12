"""The tables of both files, and the making and checking of them.

Columns named `at`, `start`, `…_at` hold positions (`timeline.py`), columns named `…_ms` wall times in ms.
"""

from __future__ import annotations

import sqlite3

OBSERVED_ID = 0x52444F42  # "RDOB", in the file's header
RECORDS_ID = 0x52445243  # "RDRC"
OBSERVED_VERSION = 1
RECORDS_VERSION = 1

OBSERVED = """
-- One row: who may write, and the clocks at the newest write.
CREATE TABLE lease(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL, released INTEGER NOT NULL,
  holder TEXT NOT NULL, pid INTEGER NOT NULL, boot_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL, identities TEXT NOT NULL,
  renewed_boot_ms INTEGER NOT NULL, renewed_ms INTEGER NOT NULL,
  last_at INTEGER NOT NULL, odometer_ms INTEGER NOT NULL);
-- Each time the wall clock went back: rows after it sort after all rows before.
CREATE TABLE era(id INTEGER PRIMARY KEY, began_ms INTEGER NOT NULL);
-- Which position was reached at which reading of the monotonic odometer: what retention goes by.
CREATE TABLE mark(odometer_ms INTEGER PRIMARY KEY, at INTEGER NOT NULL);

CREATE TABLE target(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE series(id INTEGER PRIMARY KEY, target_id INTEGER NOT NULL, metric TEXT NOT NULL, kind TEXT NOT NULL,
  UNIQUE(target_id, metric));

-- AUTOINCREMENT: an id means the same body for ever, so that readers may keep what they decoded.
CREATE TABLE body(id INTEGER PRIMARY KEY AUTOINCREMENT, sha BLOB NOT NULL UNIQUE, json TEXT NOT NULL);
CREATE TABLE span(id INTEGER PRIMARY KEY, target_id INTEGER NOT NULL, began_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL, due_at INTEGER NOT NULL, outcome TEXT NOT NULL, error_kind TEXT, state TEXT NOT NULL,
  since_at INTEGER NOT NULL, body_id INTEGER NOT NULL, answered_id INTEGER);
CREATE INDEX span_in_time ON span(target_id, began_at);
CREATE INDEX span_body ON span(body_id);
-- The ends of the open spans, apart and small: 200 targets are extended by writing three pages, not two hundred.
CREATE TABLE open_span(target_id INTEGER PRIMARY KEY, span_id INTEGER NOT NULL, last_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL);
-- Moments at which a component's state or the substance of the verdict changed.
CREATE TABLE change(at INTEGER NOT NULL, target_id INTEGER NOT NULL, state TEXT NOT NULL, before TEXT,
  PRIMARY KEY(at, target_id)) WITHOUT ROWID;

-- Samples: packed rounds, then blocks of ten minutes, then rollups.
CREATE TABLE recent(at INTEGER NOT NULL, target_id INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY(at, target_id)) WITHOUT ROWID;
-- The collector's own samples, apart and few: what Health sums up of the last minutes is read without the rest.
CREATE TABLE recent_judged(at INTEGER NOT NULL, target_id INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY(at, target_id)) WITHOUT ROWID;
CREATE TABLE block(series_id INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(series_id, start)) WITHOUT ROWID;
CREATE TABLE rollup_minute(series_id INTEGER NOT NULL, start INTEGER NOT NULL, n REAL NOT NULL, sum REAL NOT NULL,
  min REAL NOT NULL, max REAL NOT NULL, p50 REAL, p95 REAL, p99 REAL, hist BLOB,
  PRIMARY KEY(series_id, start)) WITHOUT ROWID;
CREATE TABLE rollup_hour(series_id INTEGER NOT NULL, start INTEGER NOT NULL, n REAL NOT NULL, sum REAL NOT NULL,
  min REAL NOT NULL, max REAL NOT NULL, p50 REAL, p95 REAL, p99 REAL, hist BLOB, minutes INTEGER NOT NULL,
  PRIMARY KEY(series_id, start)) WITHOUT ROWID;

-- Hours that have minutes and are not rolled up yet.
CREATE TABLE pending_hour(start INTEGER PRIMARY KEY);

-- Lists that change with each poll, and the figures of each round: compressed JSON.
CREATE TABLE volatile(id INTEGER PRIMARY KEY, target_id INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX volatile_in_time ON volatile(target_id, at);
CREATE TABLE figures(at INTEGER PRIMARY KEY, data BLOB NOT NULL);

-- `at`: when it was recorded; `at_ms`: when it happened.
CREATE TABLE event(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
  subject TEXT NOT NULL, text TEXT NOT NULL, state TEXT, key TEXT NOT NULL UNIQUE, data TEXT NOT NULL);
CREATE INDEX event_in_time ON event(at_ms);
CREATE TABLE alert(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
  severity TEXT NOT NULL, text TEXT NOT NULL, origin TEXT NOT NULL, pending_ms INTEGER NOT NULL,
  began_ms INTEGER NOT NULL, value REAL, "limit" REAL, unit TEXT NOT NULL, UNIQUE(rule, subject, began_ms));
CREATE INDEX alert_in_time ON alert(at);
CREATE TABLE alert_end(alert_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, ended_ms INTEGER NOT NULL);
CREATE INDEX alert_end_in_time ON alert_end(at);
-- An index of those without an end, so that live reads need not look at history.
CREATE TABLE alert_open(alert_id INTEGER PRIMARY KEY);
"""

RECORDS = """
CREATE TABLE acknowledgement(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
  began_ms INTEGER NOT NULL, by TEXT NOT NULL, note TEXT NOT NULL);
CREATE INDEX acknowledgement_of ON acknowledgement(rule, subject, began_ms);
CREATE TABLE silence(id INTEGER PRIMARY KEY, began_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
  matcher TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL);
CREATE INDEX silence_expiry ON silence(expires_ms);
CREATE TABLE silence_end(silence_id INTEGER PRIMARY KEY, ended_ms INTEGER NOT NULL, by TEXT NOT NULL);
CREATE TABLE poll_request(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, by TEXT NOT NULL);
"""


class WrongSchema(Exception):
    """The file is sound but not ours, or of a newer version; the text says which and what to do."""


def create_observed(connection: sqlite3.Connection) -> None:
    """Make the tables of observed.db where there are none; WAL and synchronous NORMAL in any case."""
    # Only the lease holder checkpoints, and does so by hand.
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    connection.execute(f"PRAGMA journal_size_limit = {1024 * 1024}").fetchall()
    _create(connection, OBSERVED, OBSERVED_ID, OBSERVED_VERSION)


def create_records(connection: sqlite3.Connection) -> None:
    """Make the tables of records.db where there are none; rollback journal and synchronous FULL in any case."""
    connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    _create(connection, RECORDS, RECORDS_ID, RECORDS_VERSION)


def _create(connection: sqlite3.Connection, tables: str, file_id: int, version: int) -> None:
    if verify(connection, file_id, version):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not verify(connection, file_id, version):  # another process may have been first
            for statement in _statements(tables):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {file_id}")
            connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(tables: str) -> list[str]:
    return [statement for statement in tables.split(";\n") if statement.strip()]


def verify(connection: sqlite3.Connection, file_id: int, version: int) -> bool:
    """True when our tables are there, False when the file is empty. Raises `WrongSchema` or `sqlite3.Error`."""
    found_id, found_version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if found_id == file_id and found_version == version:
        return True
    if found_id == file_id and found_version > version:
        raise WrongSchema(f"written by a newer radar (format {found_version}, this one reads {version}): update radar")
    if connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None:
        return False
    raise WrongSchema(f"not a file of radar (application id {found_id:#x}, format {found_version}): move it away")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return int(row[0])
