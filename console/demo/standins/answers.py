"""What the stand-ins for hosted APIs share: bearer tokens, rate-limit headers, error envelopes, moments."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


def now_ms() -> int:
    """Milliseconds since epoch."""
    return time.time_ns() // 1_000_000


def iso(at_ms: int) -> str:
    """A moment as these APIs write it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def bears(request: Request, token: str, scheme: str = "Bearer") -> bool:
    """Whether the request carries the token."""
    return hmac.compare_digest(request.headers.get("authorization", ""), f"{scheme} {token}")


class WithHeaders:
    """Adds headers, made anew for each answer, to an application's answers."""

    def __init__(self, application: ASGIApp, headers: Callable[[], Mapping[str, str]]) -> None:
        self._application, self._headers = application, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.encode(), value.encode()) for name, value in self._headers().items()]
                message["headers"] = [*message["headers"], *extra]  # type: ignore[misc]
            await send(message)

        await self._application(scope, receive, adding)  # type: ignore[arg-type]


def html(status: int, title: str) -> Response:
    """A proxy's own page, where JSON was expected."""
    return Response(f"<html><head><title>{title}</title></head><body>{title}</body></html>", status, None, "text/html")


def message(status: int, text: str) -> Response:
    """The error envelope of Supabase and GitHub."""
    return JSONResponse({"message": text}, status)
