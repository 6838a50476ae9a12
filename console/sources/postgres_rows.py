"""What the statements in `sql/` answer, as typed rows. Texts in them are as sent: `line` makes them fit to be shown."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from console.model.observation import ErrorKind, Json
from console.model.states import State
from console.model.text import clean, redact
from console.sources.faults import Fault

QUERY_LIMIT = 300
T = TypeVar("T")


class Row(msgspec.Struct, kw_only=True):
    """One JSON object; fields that it does not name are dropped, so that a newer query does not break an older us."""


class Server(Row):
    """The server that answered. Times are ms of its clock."""

    at_ms: int
    version: int
    version_text: str
    max_connections: int
    reserved: int
    in_recovery: bool
    started_ms: int
    address: str | None
    port: int | None
    role: str
    sees_all: bool


class Counts(Row):
    """Sessions of clients; `own` are the console's, which the others leave out."""

    connections: int
    own: int
    active: int
    idle_in_transaction: int
    slow: int
    longest_transaction_s: float
    longest_idle_s: float


class Holder(Row):
    """How many sessions one user has under one name of application."""

    user: str | None
    application: str | None
    sessions: int


class Waiter(Row):
    """A session that waits for a lock, and who is in its way; 0 is a prepared transaction."""

    pid: int
    blockers: list[int]
    mode: str | None
    relation: str | None
    waits_s: float | None


class SessionRow(Row):
    """One row of pg_stat_activity; what our role may not see is None."""

    pid: int
    user: str | None = None
    application: str | None = None
    client: str | None = None
    database: str | None = None
    backend: str | None = None
    state: str | None = None
    wait: str | None = None
    transaction_s: float | None = None
    statement_s: float | None = None
    state_s: float | None = None
    query_hex: str | None = None
    own: bool = False

    @property
    def query(self) -> str | None:
        """The statement, the newest or the one running; bytes of another encoding show as U+FFFD."""
        return None if self.query_hex is None else bytes.fromhex(self.query_hex).decode(errors="replace")


class Counters(Row):
    """Counters of this database since the statistics' last reset."""

    commits: int
    rollbacks: int
    deadlocks: int
    blocks_read: int
    blocks_hit: int


class Activity(Row):
    """The answer of activity.sql. Where our role does not see all sessions, `counts`, `states` and `holders` are None.

    `holders` are the three with most sessions, the greatest first; None also where there are none.
    """

    server: Server
    counts: Counts | None
    states: dict[str, int] | None
    holders: list[Holder] | None
    waiting: int
    waiters: list[Waiter]
    sessions: list[SessionRow]
    counters: Counters | None


class Identity(Row):
    """Which cluster."""

    system: str


class Database(Row):
    """The answer of database.sql."""

    database_bytes: int | None
    extensions: list[str]
    statements_schema: str | None
    slots_retained_bytes: int | None


class Replica(Row):
    """A standby, or another reader of the log."""

    name: str | None
    client: str | None
    state: str | None
    sync: str | None
    lag_bytes: int | None
    lag_s: float | None


class Replication(Row):
    """The answer of replication.sql."""

    in_recovery: bool
    position_bytes: int | None
    behind_bytes: int | None
    replicas: list[Replica]


class Table(Row):
    """Live and dead rows of a table."""

    name: str
    live: int
    dead: int
    vacuumed_ms: int | None


class Tables(Row):
    """The answer of tables.sql."""

    dead: int
    live: int
    tables: list[Table]


class Relation(Row):
    """A table and its size with indexes."""

    name: str
    bytes: int | None


class Largest(Row):
    """The answer of largest.sql."""

    largest: list[Relation]


class MigrationTable(Row):
    """A table of applied migrations."""

    schema: str
    readable: bool


class MigrationTables(Row):
    """The answer of migrations.sql."""

    tables: list[MigrationTable]


class LatestMigration(Row):
    """The answer of latest_migration.sql."""

    count: int
    latest: dict[str, object] | None


class Statement(Row):
    """A statement's totals."""

    id: str | None
    calls: int
    total_ms: float
    mean_ms: float
    rows: int
    query: str | None


class Statements(Row):
    """The answer of statements.sql."""

    statements: list[Statement]


def decode(raw: bytes, kind: type[T]) -> T:
    """The answer as `kind`. Raises `Fault` when it is something else.

    A database in SQL_ASCII sends whatever bytes were put in, so they are made UTF-8 first.
    """
    try:
        return msgspec.json.decode(raw.decode(errors="replace"), type=kind)
    except msgspec.MsgspecError:
        raise Fault(ErrorKind.BODY, "the answer is not what was asked for", state=State.UNKNOWN) from None


def line(text: str | None, limit: int = QUERY_LIMIT) -> str | None:
    """A text from the server as one harmless line without known secrets."""
    if text is None:
        return None
    return redact(clean(" ".join(text[: limit * 2].split()), limit))


def shown(session: SessionRow) -> dict[str, Json]:
    """A session for the volatile lists."""
    return {
        "pid": session.pid,
        "user": line(session.user, 63),
        "application": line(session.application, 63),
        "client": line(session.client, 63),
        "database": line(session.database, 63),
        "state": line(session.state or session.backend, 63),
        "waits_for": line(session.wait, 63),
        "transaction_s": seconds(session.transaction_s),
        "statement_s": seconds(session.statement_s),
        "state_s": seconds(session.state_s),
        "query": line(session.query),
    }


def held(holder: Holder) -> dict[str, Json]:
    """A holder of sessions for the volatile lists."""
    return {
        "user": line(holder.user, 63),
        "application": line(holder.application, 63),
        "sessions": holder.sessions,
    }


def seconds(value: float | None) -> float | None:
    """An age, to the tenth."""
    return None if value is None else round(value, 1)
