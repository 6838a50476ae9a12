"""`/metrics` on a loopback port, out of the collector's own event loop: small, short, and closed to everything else."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

HEAD_LIMIT_BYTES = 8 * 1024
REQUEST_S = 5.0
"""From the connection to the last byte."""
MOST_CONNECTIONS = 4
FRESH_S = 1.0
"""The text is not made more often than this: who asks a thousand times a second gets it a thousand times."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class CannotListen(Exception):
    """In words for people."""


@contextlib.asynccontextmanager
async def exposing(
    address: tuple[str, int] | None, text: Callable[[], str], *, request_s: float = REQUEST_S
) -> AsyncIterator[int | None]:
    """Serve `text` at `/metrics` of the address while within; gives the port. None: nowhere. Raises `CannotListen`."""
    if address is None:
        yield None
        return
    host, port = address
    listener = _Listener(text, request_s)
    try:
        server = await asyncio.start_server(listener.serve, host, port, limit=HEAD_LIMIT_BYTES, backlog=16)
    except OSError as error:
        raise CannotListen(_words(f"{host}:{port}", error)) from None
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        listener.cut()


def _words(place: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"cannot expose metrics: {place} is in use by another program; choose another port with --expose"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"cannot expose metrics: this user may not listen on {place}; choose a port above 1023"
    return f"cannot expose metrics on {place}: {(error.strerror or 'error').lower()}"


class _Listener:
    """Answers one request a connection, a few at a time."""

    def __init__(self, text: Callable[[], str], request_s: float) -> None:
        self._text = text
        self._request_s = request_s
        self._made = b""
        self._made_s = float("-inf")
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its begin to its end."""
        if len(self._open) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            async with asyncio.timeout(self._request_s):
                writer.write(self._answer(await _head(reader)))
                writer.write_eof()
                await writer.drain()
                await reader.read(1)  # until the other end has closed too: what was sent has arrived
            writer.close()
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    def cut(self) -> None:
        """End every connection."""
        for writer in self._open:
            writer.transport.abort()

    def _answer(self, head: bytes | None) -> bytes:
        if head is None:
            return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, "allow: GET\r\n")
        return _response(HTTPStatus.OK, body=self._fresh()) if path == b"/metrics" else _response(HTTPStatus.NOT_FOUND)

    def _fresh(self) -> bytes:
        now_s = time.monotonic()
        if now_s - self._made_s >= FRESH_S:
            self._made, self._made_s = self._text().encode("utf-8", "replace"), now_s
        return self._made


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    """The request's head; None when it is too long."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return None


def _response(status: HTTPStatus, more: str = "", body: bytes | None = None) -> bytes:
    sent = f"{status.phrase}; the figures are at /metrics\n".encode() if body is None else body
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {CONTENT_TYPE}\r\n{more}"
    return f"{head}content-length: {len(sent)}\r\nconnection: close\r\n\r\n".encode() + sent
