"""Listeners that a fault can close and open again: what a cut cable or a dead host looks like from the console."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from console.demo.ports import LOOPBACK

BACKLOG = 256
Application = Any
"""An ASGI application, as uvicorn types it."""


class HttpListener:
    """Serves an ASGI application on one port of 127.0.0.1 with uvicorn's protocol."""

    def __init__(self, application: Application, port: int) -> None:
        self.port = port
        # One day of keep-alive: the console's clients decide when an idle connection ends.
        self._config = uvicorn.Config(
            application, http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, date_header=False, timeout_keep_alive=86_400,
        )  # fmt: skip
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen. Does nothing when it does already."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                self._protocol, LOOPBACK, self.port, reuse_address=True, backlog=BACKLOG
            )

    async def close(self) -> None:
        """Stop listening and cut every connection, as a host does that falls silent and refuses."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self._state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def _protocol(self) -> asyncio.Protocol:
        return H11Protocol(config=self._config, server_state=self._state, app_state={})


class Relay:
    """Hands bytes on to another port: the way to PostgreSQL, a pooler, or what stands behind a TLS end."""

    def __init__(self, port: int, target_port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._target_port = target_port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._ways: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen. Does nothing when it does already."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._connected, LOOPBACK, self.port, ssl=self._tls, reuse_address=True, backlog=BACKLOG
            )

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for way in list(self._ways):
            way.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._ways.add(task)
        try:
            await self._join(reader, writer)
            writer.close()  # an orderly end: what is still to be sent is sent
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()  # the far end refused or went, or the cable was cut
        finally:
            self._ways.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target_port)
        ways = [asyncio.ensure_future(_pump(reader, far_writer)), asyncio.ensure_future(_pump(far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
