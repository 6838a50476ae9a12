"""The maintenance flag as a row in the application's own database.

The table is made by an action of its own and by nothing else. Every statement has a time-out on the server, for a
database in trouble is one in which this waits; and parameters, for the message is anybody's text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from console.actions.maintenance_providers import Reading
from console.actions.wire import Rejected
from console.model.configuration import Secret
from console.model.maintenance import OFF, Flag, flag_of, written_by_hand
from console.model.observation import ErrorKind
from console.model.wire import Unanswered
from console.sources import postgres_faults
from console.sources.faults import Fault
from console.sources.postgres_session import Connection, Endpoint, Limits

STATEMENT_MS, LOCK_MS = 3000, 1000
LOCK = "radar maintenance"
"""Names the advisory lock that every radar takes which changes maintenance in this database."""
TOTAL_S = 10.0

T = TypeVar("T")


class NoTable(Fault):
    """There is no such table yet."""


class DatabaseRow:
    """One row of one table."""

    propagation_s = 5.0

    def __init__(self, dsn: Secret, table: str, key: str, authority: str | None = None) -> None:
        """`table` may be `schema.table`; `authority` is a file of trusted certificates."""
        self._endpoint = Endpoint(dsn, "maintenance.database", authority=authority)
        self._table, self._key = table, key
        self._name = sql.Identifier(*table.split("."))

    @property
    def name(self) -> str:
        """For words."""
        return f"table {self._table} at {self._endpoint.address}"

    @property
    def call(self) -> str:
        """The statement that writes it."""
        return f"INSERT INTO {self._table} … ON CONFLICT (key) DO UPDATE for key '{self._key}'"

    async def read(self) -> Reading:
        """The row; none is off. Raises `Fault`; `NoTable` while the table was not made."""
        return Reading(flag=await self._within(self._found))

    async def write(self, flag: Flag, mark: str = "") -> str:
        """Insert or replace the row. Raises `Rejected` or `Unanswered`."""
        statement = sql.SQL(
            "INSERT INTO {table} (key, value, changed_at) VALUES (%s, %s, now()) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at"
        ).format(table=self._name)
        await self._change(statement, (self._key, Jsonb(flag.value)))
        return ""

    async def exists(self) -> bool:
        """Whether the table is there. Raises `Fault`."""

        async def asked(connection: Connection) -> bool:
            cursor = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", (self._name.as_string(None),))
            row = await cursor.fetchone()
            return bool(row and row[0])

        return await self._within(asked)

    async def why_not_made(self) -> str:
        """Why this role may not make the table; empty: it may, or it is there. Raises `Fault`."""
        schema = self._table.rpartition(".")[0]

        async def asked(connection: Connection) -> str:
            found = await connection.execute(
                "SELECT current_user, n.nspname, has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n "
                "WHERE n.nspname = coalesce(nullif(%s, ''), current_schema())",
                (schema,),
            )
            row = await found.fetchone()
            if row is None:
                return f"there is no schema {schema}" if schema else "this role has no schema to make a table in"
            return "" if row[2] else f"the role {row[0]} may not make a table in schema {row[1]}"

        return "" if await self.exists() else await self._within(asked)

    async def make_table(self) -> None:
        """Make the table, unless it is there. Raises `Rejected` or `Unanswered`."""
        await self._change(self.definition, ())

    @property
    def definition(self) -> sql.Composed:
        """The statement that makes the table."""
        return sql.SQL(
            "CREATE TABLE IF NOT EXISTS {table} (key text PRIMARY KEY, value jsonb NOT NULL, "
            "changed_at timestamptz NOT NULL DEFAULT now())"
        ).format(table=self._name)

    def escape(self, *, on: bool, message: str = "") -> tuple[str, ...]:
        """By psql."""
        value = written_by_hand(on=on, message=message).replace("'", "''")
        return (
            "psql \"$MAINTENANCE_DATABASE_URL\" <<'SQL'",
            f"INSERT INTO {self._table} (key, value) VALUES ('{self._key}', '{value}') "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value;",
            "SQL",
        )

    # Inside

    async def _found(self, connection: Connection) -> Flag:
        statement = sql.SQL("SELECT value FROM {table} WHERE key = %s").format(table=self._name)
        row = await (await connection.execute(statement, (self._key,))).fetchone()
        return flag_of(row[0]) if row else OFF  # type: ignore[arg-type]  # jsonb is Json

    async def _change(self, statement: sql.Composed, values: tuple[object, ...]) -> None:
        """One transaction. Until COMMIT is sent nothing has happened; after that only the server knows."""
        sent: list[bool] = []

        async def changed(connection: Connection) -> None:
            await _alone(connection)
            await connection.execute(statement, values)
            sent.append(True)
            await connection.execute("COMMIT")

        try:
            await self._within(changed, writes=True)
        except Fault as fault:
            if sent:
                raise Unanswered(fault.words) from None
            raise Rejected(fault.words) from None

    async def _within(self, work: Callable[[Connection], Awaitable[T]], *, writes: bool = False) -> T:
        """`work` in a transaction with its limits, on a connection of its own. Raises `Fault`."""
        try:
            async with asyncio.timeout(TOTAL_S):
                connection = await self._endpoint.connect(Limits(STATEMENT_MS, LOCK_MS))
                try:
                    return await self._limited(connection, work, writes=writes)
                finally:
                    await connection.close()  # what was not committed is rolled back
        except TimeoutError:
            raise Fault(ErrorKind.TIMEOUT, f"the database gives no answer within {TOTAL_S:g} s") from None

    async def _limited(self, connection: Connection, work: Callable[[Connection], Awaitable[T]], *, writes: bool) -> T:
        try:
            # Once more inside the transaction: a pooler drops what is set for the session.
            await connection.execute("BEGIN READ WRITE" if writes else "BEGIN READ ONLY")
            await connection.execute(f"SET LOCAL statement_timeout = {STATEMENT_MS}")
            await connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
            return await work(connection)
        except errors.UndefinedTable:
            words = f"there is no table {self._table} yet: radar maintenance table makes it"
            raise NoTable(ErrorKind.STATUS, words) from None
        except errors.InsufficientPrivilege:
            raise Fault(
                ErrorKind.CREDENTIALS, f"the role of maintenance.database may not do this to {self._table}"
            ) from None
        except psycopg.Error as error:
            fault = postgres_faults.asking(error)
            raise Fault(fault.kind, f"the database {fault.words}", state=fault.state) from None


async def _alone(connection: Connection) -> None:
    """Until the transaction ends nobody else changes this, on another bastion neither. Raises `Fault`."""
    cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (LOCK,))
    row = await cursor.fetchone()
    if not row or not row[0]:
        raise Fault(ErrorKind.STATUS, "somebody else changes maintenance in this very moment: look again")
