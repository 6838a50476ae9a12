"""HTTP/1.1 over one connection, and the connections to one host that are kept alive.

h11 reads and writes the protocol, asyncio does the rest. httpx's pool, locks and streams, made for many requests at a
time, took most of a poll's processor time, and its imports a third of the time to a cold plan.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import h11

from console.sources.address import Address

LARGEST_HEAD_BYTES = 100 * 1024
NEXT_ADDRESS_S = 0.25
"""Between tries of the addresses of one name, each beside those before it (RFC 8305)."""
_ENDED = ("peer ", "can't handle event type ConnectionClosed")
"""How h11's words begin where the end of the connection is what was wrong."""


class Broken(Exception):
    """The connection ended before the answer did."""

    def __init__(self, *, is_worn: bool = False) -> None:
        super().__init__("closed")
        self.is_worn = is_worn
        """It was used before and gave nothing of this answer: it was closed while nobody looked."""


class NotHttp(Exception):
    """What came is no HTTP/1.1."""


class NoConnection(Exception):
    """The cause says why."""


class ConnectTimeout(Exception):
    """Not connected in time."""


class ReadTimeout(Exception):
    """Nothing came for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One request as it is sent. `host` and `content-length` are added."""

    method: str
    address: Address
    headers: Sequence[tuple[str, str]]
    body: bytes | None
    connect_s: float
    read_s: float


class Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD_BYTES)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_busy = self.is_over = self.was_used = False
        self.idle_since_s = 0.0

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """What nobody asked for ends it: the next request would take it for its answer."""
        if not self._is_busy:
            self.close()
            return
        self._protocol.receive_data(data)
        self._wake()

    def eof_received(self) -> None:
        """The peer sends no more; asyncio closes it then."""
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._ended()

    def _ended(self) -> None:
        if not self.is_over:
            self.is_over = True
            if self._is_busy and self._protocol.their_state is not h11.ERROR:
                self._protocol.receive_data(b"")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # One request

    def send(self, outgoing: Outgoing) -> None:
        """Begin it. Raises `h11.LocalProtocolError` when it cannot be written."""
        assert self._transport is not None
        body = outgoing.body
        headers = [("host", outgoing.address.netloc), *outgoing.headers]
        if body is not None:
            headers.append(("content-length", str(len(body))))
        self._is_busy = True
        request = h11.Request(method=outgoing.method, target=outgoing.address.target, headers=headers)
        written = [self._protocol.send(request)]
        if body:
            written.append(self._protocol.send(h11.Data(data=body)))
        written.append(self._protocol.send(h11.EndOfMessage()))
        self._transport.write(b"".join(part for part in written if part))

    async def head(self, read_s: float) -> h11.Response:
        """The answer's status and headers."""
        try:
            while not isinstance(event := await self._next(read_s), h11.Response):
                if not isinstance(event, h11.InformationalResponse):
                    raise NotHttp
        except Broken:
            raise Broken(is_worn=self.was_used) from None
        return event

    async def body(self, read_s: float) -> AsyncIterator[bytes]:
        """The parts of its body, as they come."""
        while isinstance(event := await self._next(read_s), h11.Data):
            yield bytes(event.data)

    def rest(self) -> bool:
        """After an answer: whether another request may follow on this connection. Else it is closed."""
        done = self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE
        if not done or self.is_over or self._protocol.trailing_data[0]:
            self.close()
            return False
        self._protocol.start_next_cycle()
        self._is_busy, self.was_used, self.idle_since_s = False, True, time.monotonic()
        return True

    def close(self) -> None:
        """At once: an orderly end would wait for the peer's."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()

    async def _next(self, read_s: float) -> Any:
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                if self.is_over:
                    raise Broken
                await self._heard(read_s)
        except h11.RemoteProtocolError as error:
            ended = self.is_over and str(error).startswith(_ENDED)
            raise (Broken() if ended else NotHttp()) from None
        if isinstance(event, h11.ConnectionClosed):
            raise Broken
        return event

    async def _heard(self, read_s: float) -> None:
        """Something more came, or the end."""
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = loop.call_later(read_s, _run_out, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None


def _run_out(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(ReadTimeout())


class Pool:
    """The connections to one host that wait for their next request."""

    def __init__(self, trusted: Callable[[], SSLContext], *, most: int, kept_s: float) -> None:
        """`trusted` is asked at the first https. At most `most` are kept, each for `kept_s` seconds."""
        self._trusted, self._most, self._kept_s = trusted, most, kept_s
        self._idle: dict[tuple[str, str, int | None], list[Connection]] = {}

    async def take(self, address: Address, connect_s: float, *, anew: bool = False) -> Connection:
        """One to `address`; `anew`: not used before. Raises `NoConnection` or `ConnectTimeout`."""
        idle = self._idle.get(address.origin, [])
        while idle and not anew:
            connection = idle.pop()
            if not connection.is_over and time.monotonic() - connection.idle_since_s < self._kept_s:
                return connection
            connection.close()
        context = self._trusted() if address.scheme == "https" else None
        try:
            return await connected(address, context, connect_s)
        except (OSError, ValueError, ExceptionGroup) as error:  # ValueError: a name that no certificate can be for
            raise NoConnection from error

    def give_back(self, address: Address, connection: Connection) -> None:
        """Keep it for the next request, where it can have one."""
        if not connection.rest():
            return
        idle = self._idle.setdefault(address.origin, [])
        idle.append(connection)
        while len(idle) > self._most:
            idle.pop(0).close()

    def close(self) -> None:
        """Release those that wait."""
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()


async def connected(address: Address, context: SSLContext | None, connect_s: float) -> Connection:
    """A new connection. Raises `ConnectTimeout`, OSError or a group of them: each address' own."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(connect_s):
            reached = await _reached(address.host, address.port_number)
    except TimeoutError:
        raise ConnectTimeout from None
    name = None if context is None else address.host.rstrip(".")
    try:
        async with asyncio.timeout(connect_s):  # for TLS as long again
            _, connection = await loop.create_connection(Connection, sock=reached, ssl=context, server_hostname=name)
    except TimeoutError:
        raise ConnectTimeout from None
    return connection


async def _reached(host: str, port: int) -> socket.socket:
    """A socket connected to the first of the host's addresses that answers."""
    found = await _addresses(host, port)
    if len(found) == 1:
        return await _dialled(*found[0])
    tries: set[asyncio.Task[socket.socket]] = set()
    errors: list[Exception] = []
    try:
        for family, place in found:
            tries.add(asyncio.create_task(_dialled(family, place)))
            if (won := await _first(tries, errors, NEXT_ADDRESS_S)) is not None:
                return won
        while tries:
            if (won := await _first(tries, errors, None)) is not None:
                return won
        raise ExceptionGroup("no address answers", errors)
    finally:
        await _called_off(tries)


async def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """The host's addresses in the system's order, both kinds in turn."""
    with contextlib.suppress(OSError):
        socket.inet_pton(socket.AF_INET, host)
        return [(socket.AF_INET, (host, port))]
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = list(dict.fromkeys((info[0], info[4]) for info in infos))
    if not found:
        raise OSError("no address")
    first = [each for each in found if each[0] == found[0][0]]
    other = [each for each in found if each[0] != found[0][0]]
    both = [each for pair in zip(first, other, strict=False) for each in pair]
    return [*both, *first[len(other) :], *other[len(first) :]]


async def _dialled(family: int, place: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, place)
    except BaseException:
        made.close()
        raise
    return made


async def _first(
    tries: set[asyncio.Task[socket.socket]], errors: list[Exception], wait_s: float | None
) -> socket.socket | None:
    """The first of the tries that came through; those that did not leave their errors."""
    done, _ = await asyncio.wait(tries, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    for each in sorted(done, key=lambda task: task.exception() is not None):
        error = each.exception()
        if error is None:
            tries.discard(each)
            return each.result()
        tries.discard(each)
        errors.append(error if isinstance(error, Exception) else OSError("cancelled"))
    return None


async def _called_off(tries: set[asyncio.Task[socket.socket]]) -> None:
    """End tries that nobody waits for any more, and close what they reached meanwhile."""
    for each in tries:
        each.cancel()
    for ended in await asyncio.gather(*tries, return_exceptions=True):
        if isinstance(ended, socket.socket):
            ended.close()
