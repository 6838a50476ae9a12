"""Asking by HTTP without trust: sizes and times are capped, redirects followed by hand, secrets sent to one origin.

All sources that speak HTTP do it through `fetch`. Expected faults are raised as `Fault`, whose words are for people and
never quote the error of a library: those contain header values and URLs, which can hold secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import logging
import sys
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from console.model.configuration import Secret
from console.model.observation import ErrorKind, Outcome
from console.model.states import State
from console.model.text import clean
from console.model.wire import Change
from console.sources.faults import Fault, connect_fault
from console.sources.http_library import httpx
from console.sources.trust import trusted

USER_AGENT = "radar-console"
BODY_LIMIT_BYTES = 256 * 1024
REDIRECT_LIMIT = 5
KEEPALIVE_S = 75.0  # longer than the longest interval of a target that is asked often
KEPT_ALIVE = 10  # httpcore looks at each idle one before each request: 200 of them double the cost of a poll
CLOSE_S = 0.5  # a peer that hangs must not delay the end

# httpcore looks for this optional package four times a request; where it is missing, each look scans sys.path: two
# fifths of a poll's processor time (1.1 ms, 0.65 ms without). None makes the look fail at once.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# Its INFO lines hold whole URLs.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


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
    """The connections to one host, kept alive between polls.

    The transport alone, without httpx's client around it: no cookies, no proxies from the environment, and no second
    opinion about redirects (the client parses `location` even when told not to follow it, and raises).
    """

    def __init__(self, authority: str | None = None) -> None:
        self._authority = authority
        self._transport: httpx.AsyncHTTPTransport | None = None

    @property
    def transport(self) -> httpx.AsyncHTTPTransport:
        """The connections themselves, opened at first use, inside the event loop."""
        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport(
                verify=trusted(self._authority),
                # One request in flight per target bounds the connections; a limit would let hung routes starve health.
                limits=httpx.Limits(
                    max_connections=None, max_keepalive_connections=KEPT_ALIVE, keepalive_expiry=KEEPALIVE_S
                ),
            )
        return self._transport

    async def close(self) -> None:
        """Release the connections without waiting for a peer that hangs."""
        transport, self._transport = self._transport, None
        if transport is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await transport.aclose()


class Clients:
    """One client per host and port, shared by the sources of one process.

    `authority` is the path of a PEM file trusted beside the usual authorities.
    """

    def __init__(self, authority: str | None = None) -> None:
        self._authority = authority
        self._clients: dict[tuple[str, str, int | None], Client] = {}

    def of(self, url: str) -> Client:
        """The client for the origin of `url`."""
        parsed = httpx.URL(url)
        return self._clients.setdefault((parsed.scheme, parsed.host, parsed.port), Client(self._authority))

    async def close(self) -> None:
        """Release all connections, beside each other."""
        await asyncio.gather(*(client.close() for client in self._clients.values()))


async def fetch(client: Client, request: Request) -> Answer:
    """The answer to `request`, whatever its status. Raises `Fault` for everything expected."""
    limits = request.limits
    try:
        async with asyncio.timeout(limits.total_s):
            return await _follow(client.transport, request)
    except TimeoutError:
        raise Fault(ErrorKind.TIMEOUT, f"no complete answer within {limits.total_s:g} s") from None
    except httpx.HTTPError as error:
        raise _fault(error, limits) from None
    except httpx.InvalidURL:
        raise Fault(ErrorKind.INTERNAL, "the URL is not valid", state=State.UNKNOWN, sent=False) from None


async def _follow(transport: httpx.AsyncHTTPTransport, request: Request) -> Answer:
    """Ask, and follow redirects on the same site up to the request's limit."""
    began = time.perf_counter()
    first = url = _checked(request.url)
    hops: list[str] = []
    seen = {str(url)}
    while True:
        status, headers, body = await _ask(transport, url, request, trusted=_origin(url) == _origin(first))
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


async def _ask(
    transport: httpx.AsyncHTTPTransport, url: httpx.URL, request: Request, *, trusted: bool
) -> tuple[int, dict[str, str], bytes]:
    """One exchange. Once more when a kept-alive connection died in the moment of use: that is nobody's fault."""
    used_anew: list[str] = []
    try:
        return await _exchange(transport, url, request, used_anew, trusted=trusted)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        if used_anew or request.change:  # what may have been carried out is not asked for twice
            raise
    return await _exchange(transport, url, request, used_anew, trusted=trusted)


async def _exchange(
    transport: httpx.AsyncHTTPTransport, url: httpx.URL, request: Request, used_anew: list[str], *, trusted: bool
) -> tuple[int, dict[str, str], bytes]:
    """Send and read to the end or the cap. `used_anew` gets an entry once a retry would not be the same any more."""

    async def trace(event: str, _info: object) -> None:
        if event in ("connection.connect_tcp.started", "http11.receive_response_headers.complete"):
            used_anew.append(event)

    timeout = httpx.Timeout(request.limits.read_s, connect=request.limits.connect_s)
    response = await transport.handle_async_request(
        httpx.Request(
            request.change or ("GET" if request.form is None else "POST"),
            url,
            headers=_headers(request, trusted=trusted),
            data=request.form,
            content=request.content or None,
            extensions={"timeout": timeout.as_dict(), "trace": trace},
        )
    )
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status_code, headers, await _read(response, headers, request)
    finally:
        await response.aclose()


async def _read(response: httpx.Response, headers: Mapping[str, str], request: Request) -> bytes:
    limit = request.limits.body_bytes
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > limit:
            break
    body = _decompress(bytes(raw[: limit + 1]), headers.get("content-encoding", ""), limit)
    if len(body) <= limit or request.cut:
        return body[:limit]
    raise Fault(ErrorKind.TOO_LARGE, f"the answer is larger than {limit // 1024} KiB", http_status=response.status_code)


def _decompress(raw: bytes, encoding: str, limit: int) -> bytes:
    """Undo a compression that was not asked for, to one byte beyond `limit`: httpx would unpack a bomb whole."""
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


@functools.lru_cache(maxsize=1024)  # parsing is a fifth of a poll's cost
def _checked(url: str) -> httpx.URL:
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Fault(ErrorKind.INTERNAL, "only http and https URLs are asked", state=State.UNKNOWN, sent=False)
    return parsed.copy_with(username=None, password=None, fragment=None)


def _redirect(url: httpx.URL, status: int, headers: Mapping[str, str]) -> httpx.URL | None:
    """The absolute target of a redirect; None when the answer is none."""
    if status not in (301, 302, 303, 307, 308) or "location" not in headers:
        return None
    try:
        target = url.join(headers["location"]).copy_with(username=None, password=None, fragment=None)
        shown(target)
    except (httpx.InvalidURL, ValueError):
        raise Fault(ErrorKind.REDIRECT, f"{status}: the redirect's target is no URL", http_status=status) from None
    return target


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _same_site(url: httpx.URL, target: httpx.URL) -> bool:
    """The same host with or without `www.`, and never back from https: who answers decides where we go next."""
    schemes = (url.scheme, target.scheme)
    return (
        url.host.removeprefix("www.") == target.host.removeprefix("www.")
        and target.scheme in ("http", "https")
        and schemes != ("https", "http")
    )


@functools.lru_cache(maxsize=1024)
def shown(url: httpx.URL | str) -> str:
    """A URL fit to be shown: without user, password, query and fragment, which can hold secrets."""
    parsed = httpx.URL(url)
    bare = parsed.copy_with(username=None, password=None, query=None, fragment=None)
    return clean(str(bare), 200) + ("?…" if parsed.query else "")


def retry_after_s(headers: Mapping[str, str], *, now_s: float | None = None) -> float | None:
    """Seconds to wait: `Retry-After` in seconds or as a date, else `X-RateLimit-Reset`; None when unreadable."""
    now_s = time.time() if now_s is None else now_s
    written = headers.get("retry-after", "").strip()
    if not written:
        return _reset_s(headers.get("x-ratelimit-reset", "").strip(), now_s)
    if written.isascii() and written.isdigit():
        return float(written[:9])
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


def _fault(error: httpx.HTTPError, limits: Limits) -> Fault:
    """A transport error in our own words."""
    if isinstance(error, httpx.ConnectTimeout):
        return Fault(ErrorKind.TIMEOUT, f"no connection within {limits.connect_s:g} s", sent=False)
    if isinstance(error, httpx.TimeoutException):
        return Fault(ErrorKind.TIMEOUT, f"no answer within {limits.read_s:g} s")
    if isinstance(error, httpx.ConnectError):
        return connect_fault(error)
    if isinstance(error, httpx.RemoteProtocolError) and "without" not in str(error) and "closed" not in str(error):
        return Fault(ErrorKind.BODY, "the answer is not HTTP")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return Fault(ErrorKind.CLOSED, "the connection was closed before the answer was complete")
    return Fault(ErrorKind.INTERNAL, f"the request failed: {type(error).__name__}", state=State.UNKNOWN)
