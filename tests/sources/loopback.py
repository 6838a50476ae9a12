"""Real servers on loopback for the tests: scripted to the byte, with TLS where a test asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent.parent / "fixtures"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""


Writer = asyncio.StreamWriter
Handler = Callable[[Seen, Writer], Awaitable[None]]


@dataclass
class Loopback:
    """A listening server and what it saw."""

    port: int = 0
    scheme: str = "http"
    requests: list[Seen] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "", host: str = "127.0.0.1") -> str:
        """The server's address with `path`."""
        return f"{self.scheme}://{host}:{self.port}{path}"


@contextlib.asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Loopback]:
    """A server that gives each request to `handler`, keep-alive until the handler closes the writer."""
    loopback = Loopback(scheme="https" if tls else "http")
    writers: set[Writer] = set()

    async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
        loopback.connections += 1
        writers.add(writer)
        # Cancelled: the test is over; unsuppressed, Python 3.11 would log it as an error.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                seen = parse(await reader.readuntil(b"\r\n\r\n"))
                seen = replace(seen, body=await reader.readexactly(int(seen.headers.get("content-length", "0"))))
                loopback.requests.append(seen)
                await handler(seen, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    loopback.port = server.sockets[0].getsockname()[1]
    try:
        yield loopback
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


def parse(head: bytes) -> Seen:
    """The path and headers of a request's head."""
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    method, path, *_ = first.split(" ")
    return Seen(path, {name.lower(): value.strip() for name, _, value in pairs}, method)


def response(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer; `content-length` is given unless the headers name one or a transfer encoding."""
    given = dict(headers or {})
    if not {"content-length", "transfer-encoding"} & {name.lower() for name in given}:
        given["content-length"] = str(len(body))
    known = {known.value for known in HTTPStatus}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase if status in known else 'X'}"]
    lines += [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answering(status: int = 200, body: object = b"", headers: Mapping[str, str] | None = None) -> Handler:
    """A handler that always gives the same; a body that is no bytes is sent as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw(response(status, sent, {"content-type": "application/json"} | dict(headers or {})))


def raw(data: bytes) -> Handler:
    """A handler that writes these bytes."""

    async def handle(_seen: Seen, writer: Writer) -> None:
        writer.write(data)
        await writer.drain()

    return handle


def routed(routes: Mapping[str, Handler]) -> Handler:
    """A handler by path without query; 404 in HTML for the rest, as the application does."""

    async def handle(seen: Seen, writer: Writer) -> None:
        missing = answering(404, b"<!doctype html><title>404</title>", {"content-type": "text/html"})
        await routes.get(seen.path.partition("?")[0], missing)(seen, writer)

    return handle


async def hang(_seen: Seen, _writer: Writer) -> None:
    """Answer nothing, ever."""
    await asyncio.Event().wait()


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of a recorded contract."""
    found: list[dict[str, Any]] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))["cases"]
    return found


def replay(case: Mapping[str, Any]) -> Handler:
    """A handler that gives the answer of a recorded case."""
    body = case.get("body_text", case.get("body", ""))
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return raw(response(case["status"], sent, case["headers"]))


async def until(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    """Wait for a condition; fails when it does not come true in time."""
    for _ in range(int(deadline_s * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not true within {deadline_s:g} s")
