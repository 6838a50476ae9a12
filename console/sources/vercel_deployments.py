"""Vercel's list of deployments: the newest of production beside the newest of all, read without trust.

A list that fails takes nothing from the project's own answer: what was last read stays, with what is amiss in words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from console.model import payload, vercel_project
from console.model.observation import ErrorKind, Json
from console.sources.base import HOLD_DEFAULT_S, HOLD_LIMIT_S, api_value
from console.sources.faults import Fault
from console.sources.http import Answer, Limits, Request

DEPLOYMENTS_PATH = "/v7/deployments"
LIST_S = 60.0
"""How often the lists are read while nothing has changed; they tell what the project itself does not."""
PRODUCTION, OTHERS = 20, 20
LIMITS = Limits(connect_s=3.0, read_s=5.0, total_s=5.0, body_bytes=1024 * 1024)
ALIASES = 10


class Ask(Protocol):
    """Makes a request of the project's scope."""

    def __call__(self, path: str, query: Mapping[str, str], limits: Limits) -> Request: ...


class DeploymentList:
    """The lists of one project as last read."""

    def __init__(self, request: Ask, get: Callable[[Request], Awaitable[Answer]], project: str) -> None:
        self._request, self._get, self._project = request, get, project
        self._signature: object = None
        self._due_s = float("-inf")
        self._items: list[Json] = []
        self._read_ms: int | None = None
        self._trouble: str | None = None

    async def read(self, signature: object) -> dict[str, Json]:
        """`deployments`, and `deployments_trouble` when they could not be read. Asked anew each minute, and as soon as
        `signature` (what the project says of its deployments) is another one."""
        now_s = time.monotonic()
        if signature != self._signature and self._trouble is None:
            self._due_s = now_s
        self._signature = signature
        if now_s >= self._due_s:
            self._due_s = now_s + LIST_S
            await self._refresh(now_s)
        if self._trouble is None:
            return {"deployments": self._items}
        return {
            "deployments": self._items,
            "deployments_trouble": self._trouble,
            "deployments_read_ms": self._read_ms,
        }

    async def _refresh(self, now_s: float) -> None:
        try:
            production, others = await asyncio.gather(
                self._page({"target": "production", "limit": str(PRODUCTION)}), self._page({"limit": str(OTHERS)})
            )
        except Fault as fault:
            self._trouble = fault.words
            if fault.kind is ErrorKind.RATE_LIMITED:  # a bucket of this endpoint's own: the project is asked on
                self._due_s = now_s + min(fault.retry_after_s or HOLD_DEFAULT_S, HOLD_LIMIT_S)
            return
        found = {str(item["id"]): item for item in (*production, *others)}
        newest_first = sorted(found.values(), key=lambda item: -(payload.number(item, "created_ms") or 0))
        self._items = [*newest_first]
        self._read_ms, self._trouble = time.time_ns() // 1_000_000, None

    async def _page(self, query: Mapping[str, str]) -> list[dict[str, Json]]:
        request = self._request(DEPLOYMENTS_PATH, {"projectId": self._project, **query}, LIMITS)
        answer = api_value(await self._get(request), "Vercel's list of deployments")
        items = [item_of(payload.mapping(item)) for item in list(payload.items(answer, "deployments"))[:OTHERS]]
        return [item for item in items if item]


def deployment_of(found: Mapping[str, Json]) -> dict[str, Json]:
    """What people want to know of a deployment, from any of the API's answers; empty when there is none."""
    one = vercel_project.deployment_of(found)
    if one is None:
        return {}
    return _plain(one) | {
        "state": payload.text(found, "readyState", limit=40) or payload.text(found, "state", limit=40),
        "alias": list(one.aliases[:ALIASES]),
    }


def item_of(found: Mapping[str, Json]) -> dict[str, Json]:
    """One of the list. A word that Vercel adds to its states tomorrow is `unknown` here, never well."""
    one = vercel_project.deployment_of(found)
    if one is None:
        return {}
    return _plain(one) | {
        "state": one.state,
        "substate": one.substate or None,
        "target": one.target,
        "branch": one.branch,
        "candidate": one.candidate,
        "gone": one.deleted,
        "error": one.error or None,
        "source": payload.text(found, "source", limit=40),
        "live_ms": one.live_ms,
        "ever_live": one.aliased,
    }


def _plain(one: vercel_project.Deployment) -> dict[str, Json]:
    return {
        "id": one.id,
        "short": one.short,
        "commit": one.commit,
        "message": one.message,
        "author": one.author,
        "created_ms": one.created_ms,
        "url": one.url,
    }
