"""What stands before the backend's routes: the edge with its firewall, faults, limits, headers, measuring, the log."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.demo.backend import maintenance
from console.demo.backend.logfile import LogFile
from console.demo.backend.metrics import Metrics
from console.demo.backend.state import State

SYSTEM = "/api/v1/system/"
HANDLER_TIMEOUT_S = 300.0  # Vercel ends a function then
RATE_LIMIT, RATE_WINDOW_S = 3000, 60.0  # a console that probes 200 routes every 5 s stays below
PASSED_CHALLENGE = b"_vcrcs="  # the cookie of a browser that has solved the firewall's challenge

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_CHALLENGE = (
    "<!doctype html><html><head><title>Vercel Security Checkpoint</title></head><body>Checking your browser</body>"
)


class Guard:
    """The one middleware; outermost."""

    def __init__(
        self, application: ASGIApp, state: State, metrics: Metrics, log: LogFile, known: frozenset[str]
    ) -> None:
        """`known` are the paths that are measured under their own name."""
        self._application, self._state, self._metrics, self._log, self._known = application, state, metrics, log, known
        self._windows: dict[str, tuple[float, int]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        sent = _Sent(send, self._headers(scope))
        try:
            await asyncio.wait_for(self._answer(scope, receive, sent), HANDLER_TIMEOUT_S)
        except TimeoutError:
            if not sent.status:
                await _plain(504, "FUNCTION_INVOCATION_TIMEOUT")(scope, receive, sent)
        finally:
            self._account(scope, sent.status or 499, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            early = self._refusal(scope) or await self._fault(scope["path"])
            await (early or self._application)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - as a server does: whatever a route raises is a 500 and in the log
            self._log.write("error", str(error), path=scope["path"], error=type(error).__name__)
            await _server_error(scope["path"])(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = dict(scope["headers"])
        if "firewall-challenge" in self._state.faults and PASSED_CHALLENGE not in headers.get(b"cookie", b""):
            return HTMLResponse(_CHALLENGE, 403, {"x-vercel-mitigated": "challenge", "cache-control": "no-store"})
        path = scope["path"]
        if self._state.maintenance is not None and not path.startswith(SYSTEM) and path != "/api/metrics":
            return maintenance.page(path, self._state.maintenance)
        if self._over_limit(_client(scope, headers)):
            return JSONResponse({"error": "Too many requests"}, 429, {"retry-after": "10"})
        return None

    def _over_limit(self, client: str) -> bool:
        now = time.monotonic()
        began, count = self._windows.get(client, (now, 0))
        if now - began > RATE_WINDOW_S:
            began, count = now, 0
            if len(self._windows) > 10_000:
                self._windows.clear()
        self._windows[client] = (began, count + 1)
        return count >= RATE_LIMIT

    async def _fault(self, path: str) -> Response | None:
        faults = self._state.faults
        await asyncio.sleep(random.uniform(2.3, 3.1) if "backend-slow" in faults else _way_s())
        if path.startswith(SYSTEM) or path == "/api/metrics":
            return None
        if "backend-errors" in faults and random.random() < 0.6:
            raise RuntimeError("ECONNRESET: upstream closed the connection")
        return await self._defect(path) if self._state.serving.faulty else None

    async def _defect(self, path: str) -> Response | None:
        """What the bad deployment's code does: pricing always fails, audits mostly, everything else is a bit slower."""
        await asyncio.sleep(random.uniform(0.05, 0.3))
        if path == "/pricing" or (path == "/api/v1/audits" and random.random() < 0.6):
            raise TypeError("Cannot read properties of undefined (reading 'tiers')")
        return None

    def _headers(self, scope: Scope) -> dict[str, str]:
        request = f"fra1::iad1::{secrets.token_hex(3)}-{int(time.time() * 1000)}-{secrets.token_hex(6)}"
        limit = {"ratelimit-policy": f'"default";q={RATE_LIMIT};w={RATE_WINDOW_S:.0f}'}
        return {**SECURITY_HEADERS, **limit, "server": "Vercel", "x-vercel-id": request}

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        path, method = scope["path"], scope["method"]
        if path.startswith(SYSTEM) or path == "/api/metrics":
            return
        if self._state.maintenance is not None and status == 503:
            return  # as with the documented middleware: who is turned away meets no error of the application's
        self._metrics.observe(method, path if path in self._known else "other", status, seconds)
        level = "error" if status >= 500 else "info"
        self._log.write(
            level, f"{method} {path} {status}", method=method, path=path, status=status, ms=round(seconds * 1000, 1),
            version=self._state.serving.version,
        )  # fmt: skip


def _way_s() -> float:
    """What the edge and a warm function take at a hosted site: median 28 ms, 95 % under 65 ms."""
    return random.lognormvariate(-3.58, 0.5)


class _Sent:
    """Remembers the status, and adds the headers that every answer has."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add(message)
        await self._send(message)

    def _add(self, message: MutableMapping[str, Any]) -> None:
        present = {name for name, _ in message["headers"]}
        added = [(name.encode(), value.encode()) for name, value in self._headers.items()]
        message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in present)]


def _client(scope: Scope, headers: dict[bytes, bytes]) -> str:
    return headers.get(b"x-forwarded-for", b"").decode(errors="replace")[:64] or str((scope["client"] or ("?",))[0])


def _server_error(path: str) -> Response:
    if path.startswith("/api/"):
        return JSONResponse({"error": "Internal Server Error"}, 500)
    return HTMLResponse("<!doctype html><title>500</title><h1>500</h1><p>Internal Server Error</p>", 500)


def _plain(status: int, text: str) -> Response:
    return Response(text, status, {"x-vercel-error": text}, "text/plain")
