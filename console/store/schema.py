"""The tables of both files, and the making and checking of them.

Columns named `at`, `start`, `…_at` hold positions (`timeline.py`), columns named `…_ms` wall times in ms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

OBSERVED_ID = 0x52444F42  # "RDOB", in the file's header
RECORDS_ID = 0x52445243  # "RDRC"
OBSERVED_VERSION = 1
RECORDS_VERSION = 2

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

# What format 2 added. AUTOINCREMENT: an id is never used again, so that a gap tells of a deletion.
ACTIONS = """
CREATE TABLE run(id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, began_ms INTEGER NOT NULL,
  action TEXT NOT NULL, title TEXT NOT NULL, target TEXT NOT NULL, risk TEXT NOT NULL, exclusion TEXT,
  plan TEXT NOT NULL, reason TEXT NOT NULL, operator TEXT NOT NULL, operator_uid INTEGER NOT NULL,
  authority TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, boot_id TEXT NOT NULL,
  ended_ms INTEGER, outcome TEXT, words TEXT);
-- The unfinished row is the lease: never timed out.
CREATE UNIQUE INDEX run_exclusion ON run(exclusion) WHERE ended_ms IS NULL AND exclusion IS NOT NULL;
CREATE INDEX run_in_time ON run(began_ms);
-- Write-ahead: `intended` is committed before the step runs.
CREATE TABLE run_entry(id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  step TEXT NOT NULL, outcome TEXT NOT NULL, words TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX run_entry_of ON run_entry(run_id);
-- Append-only; each hash covers the entry and the hash before it.
CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,
  actor_uid INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, words TEXT NOT NULL, data TEXT NOT NULL,
  previous TEXT NOT NULL, hash TEXT NOT NULL);
-- Which sinks outside took the hash of an entry.
CREATE TABLE anchor(audit_id INTEGER NOT NULL, sink TEXT NOT NULL, at_ms INTEGER NOT NULL, taken INTEGER NOT NULL,
  words TEXT NOT NULL);
CREATE INDEX anchor_of ON anchor(audit_id);
CREATE TABLE arming(id INTEGER PRIMARY KEY AUTOINCREMENT, uid INTEGER NOT NULL, operator TEXT NOT NULL,
  reason TEXT NOT NULL, began_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL);
CREATE TABLE holding(id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER, kind TEXT NOT NULL, subject TEXT NOT NULL,
  text TEXT NOT NULL, owner TEXT NOT NULL, began_ms INTEGER NOT NULL, expires_ms INTEGER, undo TEXT NOT NULL,
  ended_ms INTEGER, ended_by TEXT, request TEXT NOT NULL DEFAULT '');
-- Carried out by the collector's service at its time.
CREATE TABLE due(id INTEGER PRIMARY KEY AUTOINCREMENT, made_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL,
  action TEXT NOT NULL, parameters TEXT NOT NULL, title TEXT NOT NULL, reason TEXT NOT NULL, operator TEXT NOT NULL,
  operator_uid INTEGER NOT NULL, taken_ms INTEGER, run_token TEXT, cancelled_ms INTEGER, cancelled_by TEXT,
  words TEXT NOT NULL DEFAULT '');
CREATE INDEX due_in_time ON due(due_ms);
CREATE TABLE note(id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL);
-- A message to a channel: one row each, so that a message to two is told twice and never to one twice.
CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, channel TEXT NOT NULL,
  title TEXT NOT NULL, made_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, payload TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting', changed_ms INTEGER NOT NULL,
  words TEXT NOT NULL DEFAULT '', UNIQUE(event, channel));
CREATE INDEX outbox_waiting ON outbox(state, due_ms);
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
    _create(connection, RECORDS + ACTIONS, RECORDS_ID, RECORDS_VERSION, {1: ACTIONS})


def _create(
    connection: sqlite3.Connection, tables: str, file_id: int, version: int, later: Mapping[int, str] | None = None
) -> None:
    """`later`: what each older format lacks; a file of such a format is brought up to this one."""
    older = later or {}
    if _found(connection, file_id, version, older) == version:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = _found(connection, file_id, version, older)  # another process may have been first
        if found != version:
            for statement in _statements(tables if found is None else older[found]):
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


def _found(connection: sqlite3.Connection, file_id: int, version: int, older: Mapping[int, str]) -> int | None:
    """The format of the file; None: it is empty. Raises `WrongSchema` or `sqlite3.Error`."""
    with one_moment(connection):
        found_version = _pragma(connection, "user_version")
        if _pragma(connection, "application_id") == file_id and found_version in older:
            return found_version
        return version if _verify(connection, file_id, version) else None


def verify(connection: sqlite3.Connection, file_id: int, version: int) -> bool:
    """True when our tables are there, False when the file is empty. Raises `WrongSchema` or `sqlite3.Error`."""
    with one_moment(connection):
        return _verify(connection, file_id, version)


@contextmanager
def one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """All reads within see the file as it was before its maker's commit or after it, never a part of each."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _verify(connection: sqlite3.Connection, file_id: int, version: int) -> bool:
    found_id, found_version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if found_id == file_id and found_version == version:
        return True
    if found_id == file_id and found_version > version:
        raise WrongSchema(f"written by a newer radar (format {found_version}, this one reads {version}): update radar")
    if connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None:
        return False
    if found_id == file_id:
        raise WrongSchema(
            f"of an older format ({found_version}): the next radar that writes to it brings it up to date"
        )
    raise WrongSchema(f"not a file of radar (application id {found_id:#x}, format {found_version}): move it away")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return int(row[0])
