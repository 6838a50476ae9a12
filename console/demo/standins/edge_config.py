"""A stand-in for Vercel's Edge Config: one store, written by the API and read by the application at another address.

What is written reaches the application at once; under `edge-config-slow` after the ten seconds that Vercel names as
the longest.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import Handler, message, now_ms
from console.demo.world import DAY_MS, EDGE_CONFIG, TEAM, World

SLOW_S = 10.0
LARGEST_BODY = 64 * 1024
LONGEST_KEY = 256
OPERATIONS = ("create", "update", "upsert", "delete")


class EdgeConfig:
    """One store. `routes` for the API, `reading` for the application's side."""

    def __init__(self, world: World, read_token: str, faults: Collection[str] = frozenset()) -> None:
        made_ms = world.now_ms - 60 * DAY_MS
        self._read_token, self._faults = read_token, faults
        self._items: dict[str, dict[str, object]] = {
            "maintenance": {"key": "maintenance", "value": {"enabled": False}, "edgeConfigId": EDGE_CONFIG,
                            "createdAt": made_ms, "updatedAt": made_ms},
        }  # fmt: skip
        self._made_ms = made_ms
        self._seen = dict(self._items)
        """What the application reads."""
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[tuple[Any, ...]]:
        """(path below the version, handler, method): under both names, the old one and the new one."""
        found: list[tuple[Any, ...]] = []
        for name in ("edge-config", "global-config"):
            store = f"/{name}/{{store}}"
            found += [
                (f"/{name}", self.stores), (store, self._known(self.store)),
                (f"{store}/items", self._known(self.items)),
                (f"{store}/items", self._known(self.write), "PATCH"),
                (f"{store}/item/{{key}}", self._known(self.item)),
            ]  # fmt: skip
        return found

    def reading(self) -> ASGIApp:
        """The application's side: `/STORE/item/KEY?token=…`."""
        return Router([Route("/{store}/item/{key}", self.read)], default=message(404, "edge_config_not_found"))

    def _known(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            if request.path_params["store"] == EDGE_CONFIG:
                return await handler(request)
            return _error(404, "not_found", "The requested Edge Config was not found")

        return guarded

    async def stores(self, request: Request) -> Response:
        """All stores: this one."""
        return JSONResponse([self._document()])

    async def store(self, request: Request) -> Response:
        """What the store is."""
        return JSONResponse(self._document())

    async def items(self, request: Request) -> Response:
        """Everything in it."""
        return JSONResponse(list(self._items.values()))

    async def item(self, request: Request) -> Response:
        """One item; 204 says that there is none."""
        found = self._items.get(request.path_params["key"])
        return Response(status_code=204) if found is None else JSONResponse(found)

    async def write(self, request: Request) -> Response:
        """Carry out a list of operations, all or none."""
        raw = await request.body()
        try:
            operations = json.loads(raw)["items"] if len(raw) <= LARGEST_BODY else None
        except (ValueError, KeyError, TypeError):
            operations = None
        if not isinstance(operations, list) or not operations:
            return _error(400, "bad_request", "Invalid request: `items` is required")
        fresh = dict(self._items)
        for operation in operations:
            if refusal := _carry_out(fresh, operation):
                return _error(400, "bad_request", refusal)
        if "edge-config-second-writer" in self._faults:
            fresh = _overwritten(fresh)
        self._items = fresh
        await self._spread(fresh)
        return JSONResponse({"status": "ok"})

    async def read(self, request: Request) -> Response:
        """The value of one item, as the application sees it now."""
        if request.path_params["store"] != EDGE_CONFIG or request.query_params.get("token") != self._read_token:
            return message(401, "unauthorized")
        found = self._seen.get(request.path_params["key"])
        return message(404, "edge_config_item_not_found") if found is None else JSONResponse(found["value"])

    async def _spread(self, items: dict[str, dict[str, object]]) -> None:
        if "edge-config-slow" not in self._faults:
            self._seen = items
            return
        task = asyncio.ensure_future(self._spread_later(items))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _spread_later(self, items: dict[str, dict[str, object]]) -> None:
        await asyncio.sleep(SLOW_S)
        if self._items is items:
            self._seen = items

    def _document(self) -> dict[str, object]:
        written = json.dumps(self._items, sort_keys=True).encode()
        changed = max((int(str(item["updatedAt"])) for item in self._items.values()), default=self._made_ms)
        return {
            "id": EDGE_CONFIG, "slug": "radar_flags", "ownerId": TEAM, "createdAt": self._made_ms, "updatedAt": changed,
            "digest": hashlib.sha256(written).hexdigest(), "sizeInBytes": len(written), "itemCount": len(self._items),
        }  # fmt: skip


def _overwritten(items: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """What somebody else made of it, in the same moment."""
    other = {"enabled": False, "message": "written by somebody else"}
    return {key: {**item, "value": other, "updatedAt": now_ms() + 1} for key, item in items.items()}


def _carry_out(items: dict[str, dict[str, object]], operation: object) -> str:
    """Change `items`; why it cannot be done, else nothing."""
    told = operation if isinstance(operation, dict) else {}
    kind, key = told.get("operation"), told.get("key")
    if kind not in OPERATIONS or not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        return "Invalid request: `operation` and `key` are required"
    if (kind == "create" and key in items) or (kind in ("update", "delete") and key not in items):
        return f"The item {key!r} {'exists already' if kind == 'create' else 'does not exist'}"
    before = items.pop(key, None)
    if kind != "delete":
        if "value" not in told:
            return "Invalid request: `value` is required"
        made_ms = before["createdAt"] if before else now_ms()
        items[key] = {
            "key": key, "value": told["value"], "edgeConfigId": EDGE_CONFIG, "createdAt": made_ms,
            "updatedAt": now_ms(),
        }  # fmt: skip
    return ""


def _error(status: int, code: str, text: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": text}}, status)
