"""The maintenance flag as the application knows it: asked of the Edge Config every second, as a middleware would.

While the Edge Config does not answer, what was read last holds: a flag that cannot be read must not close a site.
"""

from __future__ import annotations

import asyncio
import json
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, JSONResponse, Response

from console.demo.backend.state import State
from console.demo.requests import Connection

INTERVAL_S = 1.0
RETRY_AFTER_S = 120


async def follow(address: str, state: State) -> None:
    """Keep `state.maintenance` as the item at `address` says, for ever."""
    parts = urlsplit(address)
    connection = Connection(parts.port or 80)
    while True:
        try:
            answer = await connection.request("GET", f"{parts.path}?{parts.query}", {})
            value = json.loads(answer.body) if answer.status == 200 else None
        except (OSError, EOFError, ValueError):
            value = None
        if value is not None:
            state.maintenance = message_of(value)
        await asyncio.sleep(INTERVAL_S)


def message_of(value: object) -> str | None:
    """What visitors are told by the flag; None: it is off. It may be a bare boolean."""
    told = value if isinstance(value, dict) else {"enabled": value}
    if not (told.get("enabled") is True or told.get("on") is True):
        return None
    return str(told.get("message") or "We are working on it and will be back soon.")[:500]


def page(path: str, words: str) -> Response:
    """503 with the maintenance page, or its JSON for the API."""
    headers = {"x-maintenance": "on", "retry-after": str(RETRY_AFTER_S), "cache-control": "no-store"}
    if path.startswith("/api/"):
        return JSONResponse({"error": "maintenance", "message": words}, 503, headers)
    text = f"<h1>Down for maintenance</h1><p>{escape(words)}</p>"
    return HTMLResponse(f"<!doctype html><title>Maintenance</title>{text}", 503, headers)
