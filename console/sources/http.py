"""Asking by HTTP without trust: sizes and times are capped, redirects followed by hand, secrets sent to one origin.

All sources that speak HTTP do it through `fetch`. Expected faults are raised as `Fault`, whose words are for people and
never quote the error of a library: those contain header values and URLs, which can hold secrets.
"""

from __future__ import annotations

import asyncio
import functools
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import h11

from console.model.configuration import Secret
from console.model.observation import ErrorKind, Outcome
from console.model.states import State
from console.model.text import clean
from console.model.wire import Change
from console.sources.address import Address, InvalidAddress, address_of
from console.sources.connection import (
    Broken,
    Connection,
    ConnectTimeout,
    NoConnection,
    NotHttp,
    Outgoing,
    Pool,
    ReadTimeout,
)
from console.sources.faults import Fault, connect_fault
from console.sources.trust import trusted

USER_AGENT = "radar-console"
BODY_LIMIT_BYTES = 256 * 1024
REDIRECT_LIMIT = 5
KEEPALIVE_S = 75.0  # longer than the longest interval of a target that is asked often
KEPT_ALIVE = 10  # of hundreds of routes each poll finds its turn, without a socket each
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps of one request: seconds and bytes."""

    connect_s: float = 3.0
    read_s: float = 10.0
    total_s: float = 10.0
    body_bytes: int = BODY_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `credentials` are headers for the first URL's origin and no other.

    A `change` of something there is sent once, never again by itself, and follows no redirect.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, Secret] = field(default_factory=dict)
    limits: Limits = Limits()
    redirects: int = 0
    """How many redirects to follow, on the same site only."""
    form: Mapping[str, str] | None = None
    """Fields to POST, for a question too long for a URL; None: a GET."""
    change: Change | None = None
    """The method of a request that changes something there; None: a question."""
    content: bytes = b""
    """The body of a change."""
    cut: bool = False
    """Take the first `limits.body_bytes` of a longer body instead of failing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `url`, `hops` and `location` are fit to be shown; header values and the body are not clean."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_ms: float
    """From the first request to the last byte, connecting and redirects included."""
    hops: tuple[str, ...] = ()
    """Where redirects led, in order."""
    location: str | None = None
    """Where this answer would redirect to, when that was not followed."""


class Client:
    """The connections to one host, kept alive between polls: no cookies, no proxies from the environment."""

    def __init__(self, authority: str | None = None) -> None:
        # One request in flight per target bounds the connections; a limit would let hung routes starve health.
        self.pool = Pool(functools.partial(trusted, authority), most=KEPT_ALIVE, kept_s=KEEPALIVE_S)

    async def close(self) -> None:
        """Release the connections without waiting for a peer that hangs."""
        self.pool.close()


class Clients:
    """One client per host and port, shared by the sources of one process.

    `authority` is the path of a PEM file trusted beside the usual authorities.
    """

    def __init__(self, authority: str | None = None) -> None:
        self._authority = authority
        self._clients: dict[tuple[str, str, int | None], Client] = {}

    def of(self, url: str) -> Client:
        """The client for the origin of `url`."""
        origin = address_of(url).origin
        if origin not in self._clients:
            self._clients[origin] = Client(self._authority)
        return self._clients[origin]

    async def close(self) -> None:
        """Release all connections, beside each other."""
        await asyncio.gather(*(client.close() for client in self._clients.values()))


async def fetch(client: Client, request: Request) -> Answer:
    """The answer to `request`, whatever its status. Raises `Fault` for everything expected."""
    limits = request.limits
    try:
        async with asyncio.timeout(limits.total_s):
            return await _follow(client.pool, request)
    except TimeoutError:
        raise Fault(ErrorKind.TIMEOUT, f"no complete answer within {limits.total_s:g} s") from None
    except _ERRORS as error:
        raise _fault(error, limits) from None


async def _follow(pool: Pool, request: Request) -> Answer:
    """Ask, and follow redirects on the same site up to the request's limit."""
    began = time.perf_counter()
    first = url = _checked(request.url)
    hops: list[str] = []
    seen = {str(url)}
    while True:
        status, headers, body = await _ask(pool, url, request, trusted=url.origin == first.origin)
        target = _redirect(url, status, headers)
        if target is None or not request.redirects or request.change or not _same_site(url, target):
            break
        if str(target) in seen:
            raise Fault(ErrorKind.REDIRECT, f"redirects in a circle, back to {shown(target)}", http_status=status)
        if len(hops) >= request.redirects:
            raise Fault(ErrorKind.REDIRECT, f"more than {request.redirects} redirects", http_status=status)
        seen.add(str(target))
        hops.append(shown(target))
        url = target
    return Answer(
        url=shown(url),
        status=status,
        headers=headers,
        body=body,
        latency_ms=(time.perf_counter() - began) * 1000,
        hops=tuple(hops),
        location=shown(target) if target is not None else None,
    )


async def _ask(pool: Pool, url: Address, request: Request, *, trusted: bool) -> tuple[int, dict[str, str], bytes]:
    """One exchange. Once more when a kept-alive connection died in the moment of use: that is nobody's fault."""
    outgoing = _outgoing(url, request, trusted=trusted)
    try:
        return await _exchange(pool, outgoing, request)
    except Broken as broken:
        if not broken.is_worn or request.change:  # what may have been carried out is not asked for twice
            raise
    return await _exchange(pool, outgoing, request, anew=True)


def _outgoing(url: Address, request: Request, *, trusted: bool) -> Outgoing:
    headers, body = _headers(request, trusted=trusted), request.content or None
    if request.form is not None:
        headers, body = {"content-type": FORM} | headers, urlencode(request.form).encode()
    method = request.change or ("GET" if request.form is None else "POST")
    return Outgoing(
        method=method,
        address=url,
        headers=tuple(headers.items()),
        body=b"" if body is None and method in ("POST", "PUT", "PATCH") else body,
        connect_s=request.limits.connect_s,
        read_s=request.limits.read_s,
    )


async def _exchange(
    pool: Pool, outgoing: Outgoing, request: Request, *, anew: bool = False
) -> tuple[int, dict[str, str], bytes]:
    """Send and read to the end or the cap."""
    connection = await pool.take(outgoing.address, outgoing.connect_s, anew=anew)
    try:
        connection.send(outgoing)
        head = await connection.head(outgoing.read_s)
        headers = _told(head)
        return head.status_code, headers, await _read(connection, head.status_code, headers, request)
    finally:
        pool.give_back(outgoing.address, connection)


def _told(head: h11.Response) -> dict[str, str]:
    """Its headers by their lower-case names; what came more than once as one, with commas."""
    headers: dict[str, str] = {}
    for name, value in head.headers:  # h11 gives names in lower case
        key, text = name.decode("ascii"), _text(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _read(connection: Connection, status: int, headers: Mapping[str, str], request: Request) -> bytes:
    limit = request.limits.body_bytes
    raw = bytearray()
    async for chunk in connection.body(request.limits.read_s):
        raw += chunk
        if len(raw) > limit:
            break
    body = _decompress(bytes(raw[: limit + 1]), headers.get("content-encoding", ""), limit)
    if len(body) <= limit or request.cut:
        return body[:limit]
    raise Fault(ErrorKind.TOO_LARGE, f"the answer is larger than {limit // 1024} KiB", http_status=status)


def _decompress(raw: bytes, encoding: str, limit: int) -> bytes:
    """Undo a compression that was not asked for, to one byte beyond `limit`: a bomb is not unpacked."""
    if encoding.strip().lower() in ("", "identity") or not raw:
        return raw
    if encoding.strip().lower() not in ("gzip", "deflate", "x-gzip"):
        raise Fault(ErrorKind.BODY, "the answer is compressed in a way that was not asked for")
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(raw, limit + 1)
    except zlib.error:
        raise Fault(ErrorKind.BODY, "the answer's compression is damaged") from None


def _headers(request: Request, *, trusted: bool) -> dict[str, str]:
    headers = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"} | dict(request.headers)
    if trusted:
        for name, secret in request.credentials.items():
            value = secret.reveal()
            if not (value.isascii() and value.isprintable()):  # the libraries' errors would quote it
                raise Fault(
                    ErrorKind.CREDENTIALS,
                    f"the credential for `{name}` holds characters that no header can carry",
                    outcome=Outcome.FORBIDDEN,
                    sent=False,
                )
            headers[name] = value
    return headers


def _checked(url: str) -> Address:
    address = address_of(url)
    if address.scheme not in ("http", "https") or not address.host:
        raise Fault(ErrorKind.INTERNAL, "only http and https URLs are asked", state=State.UNKNOWN, sent=False)
    return address


def _redirect(url: Address, status: int, headers: Mapping[str, str]) -> Address | None:
    """The absolute target of a redirect; None when the answer is none."""
    if status not in (301, 302, 303, 307, 308) or "location" not in headers:
        return None
    try:
        return url.join(headers["location"])
    except InvalidAddress:
        raise Fault(ErrorKind.REDIRECT, f"{status}: the redirect's target is no URL", http_status=status) from None


def _same_site(url: Address, target: Address) -> bool:
    """The same host with or without `www.`, and never back from https: who answers decides where we go next."""
    return (
        url.host.removeprefix("www.") == target.host.removeprefix("www.")
        and target.scheme in ("http", "https")
        and (url.scheme, target.scheme) != ("https", "http")
    )


@functools.lru_cache(maxsize=1024)
def shown(url: Address | str) -> str:
    """A URL fit to be shown: without user, password, query and fragment, which can hold secrets."""
    address = address_of(url) if isinstance(url, str) else url
    return clean(address.bare(), 200) + ("?…" if address.query else "")


def retry_after_s(headers: Mapping[str, str], *, now_s: float | None = None) -> float | None:
    """Seconds to wait: `Retry-After` in seconds or as a date, else `X-RateLimit-Reset`; None when unreadable."""
    now_s = time.time() if now_s is None else now_s
    written = headers.get("retry-after", "").strip()
    if not written:
        return _reset_s(headers.get("x-ratelimit-reset", "").strip(), now_s)
    if written.isascii() and written.isdigit():
        return float(written[:9])
    from email.utils import parsedate_to_datetime  # 10 ms, and a date is rare

    try:
        return max(0.0, parsedate_to_datetime(written).timestamp() - now_s)
    except (TypeError, ValueError, OverflowError):
        return None


def _reset_s(written: str, now_s: float) -> float | None:
    """A reset given as seconds left (IETF, Supabase), as epoch seconds (Vercel, GitHub) or as epoch ms."""
    if not (written.isascii() and written.isdigit()) or len(written) > 15:
        return None
    amount = float(written)
    if amount < 1e9:
        return amount
    return max(0.0, (amount / 1000 if amount > 1e12 else amount) - now_s)


_Error = Broken | NotHttp | NoConnection | ConnectTimeout | ReadTimeout | InvalidAddress | h11.LocalProtocolError
_ERRORS = (Broken, NotHttp, NoConnection, ConnectTimeout, ReadTimeout, InvalidAddress, h11.LocalProtocolError)


def _fault(error: _Error, limits: Limits) -> Fault:
    """What went wrong in our own words."""
    if isinstance(error, ConnectTimeout):
        return Fault(ErrorKind.TIMEOUT, f"no connection within {limits.connect_s:g} s", sent=False)
    if isinstance(error, ReadTimeout):
        return Fault(ErrorKind.TIMEOUT, f"no answer within {limits.read_s:g} s")
    if isinstance(error, NoConnection):
        return connect_fault(error)
    if isinstance(error, NotHttp):
        return Fault(ErrorKind.BODY, "the answer is not HTTP")
    if isinstance(error, Broken):
        return Fault(ErrorKind.CLOSED, "the connection was closed before the answer was complete")
    if isinstance(error, InvalidAddress):
        return Fault(ErrorKind.INTERNAL, "the URL is not valid", state=State.UNKNOWN, sent=False)
    words = "the request failed: it cannot be written as HTTP"
    return Fault(ErrorKind.INTERNAL, words, state=State.UNKNOWN, sent=False)
