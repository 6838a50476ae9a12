"""Long-lived connections to PostgreSQL, directly or through a pooler, that never hang their caller.

An `Endpoint` is what a connection string leads to; it remembers failures for all its sessions. A `Session` is one
connection, opened at first use and again when lost, that answers one statement at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo, sql
from psycopg.pq import ExecStatus, TransactionStatus

from console.model.configuration import Secret
from console.model.observation import ErrorKind
from console.model.states import State
from console.model.text import clean
from console.sources import postgres_faults
from console.sources.faults import Fault
from console.sources.postgres_faults import NoConnection

APPLICATION_NAME = "radar-console"  # queries in sql/ tell our own sessions by it
OLDEST_VERSION = 130_000
POOLER_PORT = "6543"  # Supavisor's and Supabase's PgBouncer's transaction mode
CONNECT_S = 4
ADDRESSES = 2  # with three addresses that all hang, the second would not be reached within a poll
CANCEL_S = 1.0
CLOSE_S = 0.2
BACKOFF_S = 0.5
BACKOFF_LIMIT_S = 4.0  # below the shortest interval: it spares the server bursts, and delays no regular poll
# Hosts ban an address after a few wrong passwords, and that would lock out the people on this bastion too.
CREDENTIALS_BACKOFF_S = 60.0
CREDENTIALS_BACKOFF_LIMIT_S = 600.0

# It warns on standard error of each cancelled statement, which is our daily bread.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

T = TypeVar("T")
Connection = psycopg.AsyncConnection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server is told to end by itself."""

    statement_ms: int = 2000
    lock_ms: int = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """The first column of the first row, as sent, and the round trip's time."""

    raw: bytes
    latency_ms: float


@cache
def query(name: str) -> str:
    """A statement from `sql/NAME.sql`, without its comments."""
    text = (resources.files("console.sources") / "sql" / f"{name}.sql").read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def query_in(name: str, schema: str) -> str:
    """A statement from `sql/NAME.sql` with `{schema}` replaced by the quoted name."""
    return query(name).replace("{schema}", sql.Identifier(schema).as_string(None))


class Endpoint:
    """What a connection string leads to. The string is shown nowhere."""

    def __init__(self, dsn: Secret, setting: str, *, authority: str | None = None) -> None:
        """`setting` names the key in radar.toml, for words; `authority` is a file of trusted certificates."""
        self.setting = setting
        self.pooler = False
        """Session settings do not hold: each statement brings its own, in a transaction of its own."""
        self._dsn = dsn
        self._authority = authority
        self._failures = 0
        self._refusal: NoConnection | None = None
        self._not_before = 0.0  # on the monotonic clock
        with contextlib.suppress(Fault):
            self.pooler = self._parameters().get("port") == POOLER_PORT

    @property
    def address(self) -> str:
        """`host:port` as configured."""
        try:
            parameters = self._parameters()
        except Fault:
            return "?"
        return clean(f"{parameters.get('host', 'localhost')}:{parameters.get('port', '5432')}", 120)

    async def connect(self, limits: Limits) -> Connection:
        """A new connection, or `Fault`. Soon after a failure the failure itself, without trying."""
        if self._refusal is not None and time.monotonic() < self._not_before:
            raise _again(self._refusal)
        try:
            connection = await self._connect(limits)
        except NoConnection as fault:
            self._remember(fault)
            raise
        self._refusal, self._failures = None, 0
        return connection

    async def _connect(self, limits: Limits) -> Connection:
        if not self.pooler:
            connection = await self._direct(limits)
            if connection is not None:
                return connection
            self.pooler = True
        try:
            return await self._open({})
        except psycopg.Error as error:
            raise postgres_faults.connecting(error, self.setting) from None

    async def _direct(self, limits: Limits) -> Connection | None:
        """A connection on which our session settings hold; None where a pooler refuses or ignores them."""
        options = (
            f"-c statement_timeout={limits.statement_ms} -c lock_timeout={limits.lock_ms}"
            " -c default_transaction_read_only=on -c idle_in_transaction_session_timeout=10000"
        )
        try:
            connection = await self._open({"options": options})
        except psycopg.Error as error:
            if postgres_faults.options_refused(error):
                return None
            raise postgres_faults.connecting(error, self.setting) from None
        kept = False
        try:
            if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
                # Any bytes may be in there; the server would refuse to send those that are no UTF-8.
                await connection.execute("set client_encoding = 'SQL_ASCII'")
            kept = await _settings_hold(connection)
        except psycopg.Error as error:
            raise postgres_faults.connecting(error, self.setting) from None
        finally:
            if not kept:
                await connection.close()
        return connection if kept else None

    async def _open(self, more: dict[str, str]) -> Connection:
        parameters = self._parameters()
        if "options" in more:
            more = {"options": f"{parameters.get('options', '')} {more['options']}".strip()}
        where = await self._resolved(parameters)
        tries = where.get("hostaddr", "").count(",") + 1
        ours = {
            "application_name": APPLICATION_NAME,
            "client_encoding": "utf8",
            "connect_timeout": str(CONNECT_S // tries),
            "keepalives_idle": "10",
            "keepalives_interval": "5",
            "keepalives_count": "3",
            "tcp_user_timeout": "15000",
        }
        whole = conninfo.make_conninfo("", **{**parameters, **where, **more, **ours})
        # Through a transaction pooler, a prepared statement may meet another server connection.
        return await psycopg.AsyncConnection.connect(whole, autocommit=True, prepare_threshold=None)

    def _parameters(self) -> dict[str, str]:
        try:
            parsed = conninfo.conninfo_to_dict(self._dsn.reveal())
        except psycopg.ProgrammingError:  # its text quotes the string
            raise postgres_faults.unreadable_setting(self.setting) from None
        parameters = {name: str(value) for name, value in parsed.items() if value is not None}
        if not all(port.isdigit() for port in parameters.get("port", "5432").split(",") if port):
            raise postgres_faults.unreadable_setting(self.setting)
        # Kerberos is looked for by blocking calls, and nobody reaches this database by it.
        parameters.setdefault("gssencmode", "disable")
        if self._authority is not None:
            parameters.setdefault("sslmode", "verify-full")
            parameters.setdefault("sslrootcert", self._authority)
        return parameters

    async def _resolved(self, parameters: dict[str, str]) -> dict[str, str]:
        """The host's addresses. psycopg would ask in a thread that a hanging name server keeps alive at our exit."""
        host = parameters.get("host", "")
        if not host or host.startswith(("/", "@")) or "," in host or "hostaddr" in parameters or _is_address(host):
            return {}
        try:
            found = await resolve(host, ADDRESSES)
        except OSError:
            raise postgres_faults.not_resolved() from None
        return {"host": ",".join([host] * len(found)), "hostaddr": ",".join(found)}

    def _remember(self, fault: NoConnection) -> None:
        self._refusal = fault
        first, limit = BACKOFF_S, BACKOFF_LIMIT_S
        if fault.kind is ErrorKind.CREDENTIALS:
            first, limit = CREDENTIALS_BACKOFF_S, CREDENTIALS_BACKOFF_LIMIT_S
        wait_s = min(first * 2**self._failures, limit)
        self._failures = min(self._failures + 1, 10)
        self._not_before = time.monotonic() + wait_s * random.uniform(0.8, 1.0)


class Session:
    """One connection of an endpoint: one statement at a time, others wait their turn."""

    def __init__(self, endpoint: Endpoint, limits: Limits | None = None) -> None:
        self.endpoint = endpoint
        self._limits = limits or Limits()
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def free(self) -> bool:
        """Whether a statement would be sent at once, without connecting first."""
        return not self._lock.locked() and self._connection is not None and not self._connection.closed

    async def ask(self, statement: str, *, budget_s: float, foreign: bool = False) -> Answer:
        """The answer to a statement without parameters, or `Fault` after at most `budget_s` seconds.

        `foreign`: it was not written by us. It is sent so that the server takes it for one statement only, in a
        read-only transaction that is rolled back: what it sets in the session is undone too. Three round trips.

        When the caller is cancelled or the time is over, the statement is cancelled on the server too, in the
        background; where that fails, the connection is closed.
        """
        task = self._track(asyncio.create_task(self._ask(statement, self._alone if foreign else self._execute)))
        try:
            await asyncio.wait({task}, timeout=budget_s)
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        if task.done():
            return task.result()
        self._abandon(task)
        raise Fault(ErrorKind.TIMEOUT, f"no answer within {budget_s:g} s", state=State.UNHEALTHY)

    async def close(self) -> None:
        """Close the connection, whatever it is doing: at most `CLOSE_S` for a polite cancel."""
        for _ in range(2):  # psycopg passes the first cancel on to the server and closes at the second
            for task in self._running:
                task.cancel()
            if self._running:
                await asyncio.wait(set(self._running), timeout=CLOSE_S)
        await self._drop()

    async def _ask(self, statement: str, send: Callable[[Connection, str], Awaitable[Answer]]) -> Answer:
        """Once more on a new connection when the old one proves to be dead: a restart is seen by its own figures."""
        async with self._lock:
            was_open = self._connection is not None and not self._connection.closed
            try:
                return await send(await self._connected(), statement)
            except psycopg.Error as error:
                fault = postgres_faults.asking(error)
                if not was_open or fault.kind is ErrorKind.LIMIT or not self._lost():
                    raise fault from None
            await self._drop()
            try:
                return await send(await self._connected(), statement)
            except psycopg.Error as error:
                raise postgres_faults.asking(error) from None

    def _lost(self) -> bool:
        return self._connection is not None and self._connection.closed

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await self.endpoint.connect(self._limits)
        return self._connection

    async def _execute(self, connection: Connection, statement: str) -> Answer:
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            await connection.rollback()
        began = time.perf_counter()
        cursor = await connection.execute(self._guarded(statement).encode())
        latency_ms = (time.perf_counter() - began) * 1000
        while (result := cursor.pgresult) is not None and result.status != ExecStatus.TUPLES_OK and cursor.nextset():
            pass
        raw = result.get_value(0, 0) if result is not None and result.ntuples else None
        return Answer(raw or b"null", latency_ms)

    async def _alone(self, connection: Connection, statement: str) -> Answer:
        """The statement by itself between a begin and a rollback of ours."""
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            await connection.rollback()
        await connection.execute(f"begin read only; {self._own_limits()}".encode())
        try:
            began = time.perf_counter()
            # Asking for a binary answer makes psycopg use the protocol in which a second statement is an error.
            cursor = await connection.execute(statement.encode(), binary=True)
            latency_ms = (time.perf_counter() - began) * 1000
        except psycopg.Error as error:
            if words := postgres_faults.refusal(error):
                raise Fault(ErrorKind.STATUS, words, state=State.UNKNOWN) from None
            raise
        finally:
            if not connection.closed:  # also after an error: a transaction left open is ended with its session
                await connection.rollback()
        result = cursor.pgresult
        raw = result.get_value(0, 0) if result is not None and result.ntuples else None
        return Answer(raw or b"null", latency_ms)

    def _own_limits(self) -> str:
        limits = self._limits
        return f"set local statement_timeout = {limits.statement_ms}; set local lock_timeout = {limits.lock_ms}"

    def _guarded(self, statement: str) -> str:
        """Through a pooler our limits come with the statement, in one round trip, and end with it."""
        if not self.endpoint.pooler or statement == query("canary"):
            return statement
        return f"begin read only; {self._own_limits()}; {statement}; commit"

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _abandon(self, task: asyncio.Task[Answer]) -> None:
        self._track(asyncio.create_task(_bury(task)))

    def _track(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        self._running.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not report what nobody waits for any more


async def _bury(task: asyncio.Task[Answer]) -> None:
    for _ in range(2):
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_S)
        if task.done():
            return


async def _settings_hold(connection: Connection) -> bool:
    cursor = await connection.execute(query("connected").encode())
    row = await cursor.fetchone()
    found = row[0] if row is not None else None
    if not isinstance(found, dict):
        return False
    if isinstance(found.get("version"), int) and found["version"] < OLDEST_VERSION:
        raise NoConnection(ErrorKind.STATUS, "PostgreSQL older than 13 is not supported", state=State.UNKNOWN)
    return bool(found.get("statement_timeout")) and bool(found.get("read_only"))


async def resolve(host: str, most: int) -> list[str]:
    """At most `most` addresses of a name, in the system's order. Raises OSError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:  # a name that cannot be encoded is not found either
        raise OSError("no name") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))[:most]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _again(fault: NoConnection) -> NoConnection:
    return NoConnection(fault.kind, fault.words, outcome=fault.outcome, state=fault.state)
