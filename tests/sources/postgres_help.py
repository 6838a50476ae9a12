"""Parts of the tests of PostgreSQL: sources over a connection string, sessions of other people, a wire to cut."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import psycopg
from psycopg import conninfo

from console.model.configuration import Environment, Secret, Thresholds
from console.model.observation import Observation, Source
from console.sources import postgres

Sources = Mapping[str, Source]


def port_of(dsn: str) -> int:
    return int(psycopg.conninfo.conninfo_to_dict(dsn)["port"] or 0)


def environment(dsn: str, thresholds: Thresholds | None = None) -> Environment:
    """An environment with nothing but a database."""
    return Environment(name="test", url="http://127.0.0.1", database=Secret(dsn), thresholds=thresholds or Thresholds())


@contextlib.asynccontextmanager
async def sources(dsn: str, thresholds: Thresholds | None = None) -> AsyncIterator[Sources]:
    """The three targets, by key, closed in the end."""
    built = {source.target: source for source in postgres.build(environment(dsn, thresholds))}
    try:
        yield built
    finally:
        for source in built.values():
            await source.close()


async def activity(dsn: str, thresholds: Thresholds | None = None) -> Observation:
    """One observation of the activity, on a connection of its own."""
    async with sources(dsn, thresholds) as built:
        return await built["postgres.activity"].observe()


async def until(
    observe: Callable[[], Awaitable[Observation]], holds: Callable[[Observation], bool], seconds: float = 20.0
) -> Observation:
    """Observe until it holds; the last observation, with which the test then fails, when it never does."""
    async with asyncio.timeout(seconds + 10):
        ends = asyncio.get_running_loop().time() + seconds
        while True:
            seen = await observe()
            if holds(seen) or asyncio.get_running_loop().time() > ends:
                return seen
            await asyncio.sleep(0.05)


async def session(dsn: str, name: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """A session of somebody else; a transaction lasts only where it says `begin`."""
    return await psycopg.AsyncConnection.connect(dsn, application_name=name, autocommit=True)


def changed(dsn: str, **parameters: object) -> str:
    """The connection string with other parameters."""
    return conninfo.make_conninfo(dsn, **cast(Any, parameters))


def impatient(**limits: float) -> Thresholds:
    """The usual thresholds but for these."""
    return replace(Thresholds(), **limits)


async def execute(dsn: str, *statements: str) -> None:
    """Run statements as the test's own superuser."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement.encode())


class Wire:
    """A loopback port that leads to a server, and can lead to another, lead nowhere, or behave as a pooler."""

    def __init__(self, port: int) -> None:
        self.to_port = port
        self.refuse_options = False
        """Answer session settings in the startup packet as PgBouncer does."""
        self.drop_options = False
        """Take them out without a word."""
        self.silent = False
        """Take what comes and answer nothing."""
        self.accepted = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Reset all that is connected."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            startup = await _startup(reader, writer)
            if self.silent:
                await reader.read()
            elif self.refuse_options and b"\0options\0" in startup:
                writer.write(_error("08P01", "unsupported startup parameter: options"))
                await writer.drain()
            else:
                await self._forward(_without_options(startup) if self.drop_options else startup, reader, writer)
        writer.close()

    async def _forward(self, startup: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.to_port)
        self._writers.add(back)
        back.write(startup)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The startup packet; requests for TLS before it are answered with no."""
    while True:
        length = await reader.readexactly(4)
        body = await reader.readexactly(struct.unpack("!I", length)[0] - 4)
        if struct.unpack("!I", body[:4])[0] in (80877103, 80877104):  # SSLRequest, GSSENCRequest
            writer.write(b"N")
            continue
        return length + body


def _without_options(startup: bytes) -> bytes:
    words = startup[8:].split(b"\0")
    pairs = [(words[at], words[at + 1]) for at in range(0, len(words) - 2, 2)]
    body = b"".join(name + b"\0" + value + b"\0" for name, value in pairs if name != b"options") + b"\0"
    return struct.pack("!I", len(body) + 8) + startup[4:8] + body


def _error(code: str, message: str) -> bytes:
    fields = b"".join(kind + value.encode() + b"\0" for kind, value in ((b"S", "FATAL"), (b"C", code), (b"M", message)))
    return b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
