"""The backend's few connections to PostgreSQL: opened on demand, replaced when broken or old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg

SIZE = 8
LIFETIME_S = (
    20.0  # so that a server without free connections is felt within four rounds, as behind a pooler that recycles
)
ACQUIRE_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5


class PoolTimeout(Exception):
    """All connections were busy for the whole time-out."""


class Pool:
    """At most `SIZE` connections; the one used last is used next, so that a quiet server has few."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._free = asyncio.Semaphore(SIZE)
        self._idle: list[tuple[psycopg.AsyncConnection, float]] = []
        self.waiting = 0

    async def value(self, query: LiteralString, parameters: tuple[object, ...] = ()) -> object:
        """The first column of the first row. Raises psycopg.Error or `PoolTimeout`."""
        async with self._connection() as connection:
            cursor = await connection.execute(query, parameters)
            row = await cursor.fetchone()
        return row[0] if row else None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        await self._enter()
        try:
            connection, born = await self._take()
            yield connection
            # Reached only when nothing was raised: after an error the state of the connection is not worth asking.
            self._idle.append((connection, born))
        finally:
            self._free.release()

    async def _enter(self) -> None:
        self.waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), ACQUIRE_TIMEOUT_S)
        except TimeoutError:
            raise PoolTimeout(f"no free connection of {SIZE} within {ACQUIRE_TIMEOUT_S:.0f} s") from None
        finally:
            self.waiting -= 1

    async def _take(self) -> tuple[psycopg.AsyncConnection, float]:
        now = time.monotonic()
        while self._idle:
            connection, born = self._idle.pop()
            if now - born < LIFETIME_S and not connection.broken:
                return connection, born
            await connection.close()
        fresh = await psycopg.AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="radar-web",
            prepare_threshold=1,
        )
        return fresh, now
