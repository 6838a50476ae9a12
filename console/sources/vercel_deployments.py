"""Vercel's list of deployments: the newest of production beside the newest of all, read without trust.

A list that fails takes nothing from the project's own answer: what was last read stays, with what is amiss in words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from console.model import payload
from console.model.observation import ErrorKind, Json
from console.sources.base import HOLD_DEFAULT_S, HOLD_LIMIT_S, api_value
from console.sources.faults import Fault
from console.sources.http import Answer, Limits, Request

DEPLOYMENTS_PATH = "/v7/deployments"
LIST_S = 60.0
"""How often the lists are read while nothing has changed; they tell what the project itself does not."""
PRODUCTION, OTHERS = 20, 20
LIMITS = Limits(connect_s=3.0, read_s=5.0, total_s=5.0, body_bytes=1024 * 1024)
STATES = frozenset({"blocked", "building", "canceled", "deleted", "error", "initializing", "queued", "ready"})
SUBSTATES = frozenset({"staged", "rolling", "promoted"})


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
    name = payload.text(found, "uid", limit=80) or payload.text(found, "id", limit=80)
    if name is None:
        return {}
    commit = _meta(found, "CommitSha")
    message = _meta(found, "CommitMessage")
    return {
        "id": name,
        "short": commit[:7] if commit else name.removeprefix("dpl_")[:7],
        "commit": commit,
        "message": message.partition("↵")[0].strip() if message else None,
        "author": _meta(found, "CommitAuthorLogin") or _meta(found, "CommitAuthorName") or _creator(found),
        "created_ms": payload.time_ms(found, "createdAt") or payload.time_ms(found, "created"),
        "state": payload.text(found, "readyState", limit=40) or payload.text(found, "state", limit=40),
        "url": payload.text(found, "url"),
        "alias": [alias for item in list(payload.items(found, "alias"))[:10] if (alias := payload.text(item))],
    }


def item_of(found: Mapping[str, Json]) -> dict[str, Json]:
    """One of the list. A word that Vercel adds to its states tomorrow is `unknown` here, never well."""
    item = deployment_of(found)
    if not item:
        return {}
    del item["alias"]
    target = payload.text(found, "target", limit=40)
    return item | {
        "state": _word(item["state"], STATES) or "unknown",
        "substate": _word(payload.text(found, "readySubstate", limit=40), SUBSTATES),
        "target": target.lower() if target else None,
        "branch": _meta(found, "CommitRef"),
        "candidate": payload.flag(found, "isRollbackCandidate"),
        "gone": payload.flag(found, "softDeletedByRetention") is True or payload.number(found, "deleted") is not None,
        "error": payload.text(found, "errorMessage") or payload.text(found, "aliasError", "message"),
        "source": payload.text(found, "source", limit=40),
        **_assigned(found),
    }


def _assigned(found: Mapping[str, Json]) -> dict[str, Json]:
    """`aliasAssigned` is a time, a truth or nothing: when it went live, and whether it ever did (None: not known)."""
    at_ms = payload.time_ms(found, "aliasAssigned")
    ever = True if at_ms is not None else payload.flag(found, "aliasAssigned")
    return {"live_ms": at_ms, "ever_live": ever}


def _word(said: Json, known: frozenset[str]) -> str | None:
    word = str(said or "").lower()
    return word if word in known else None


def _meta(found: Mapping[str, Json], name: str) -> str | None:
    """A field of the commit, whichever the forge."""
    return next(
        (said for forge in ("github", "gitlab", "bitbucket") if (said := payload.text(found, "meta", forge + name))),
        None,
    )


def _creator(found: Mapping[str, Json]) -> str | None:
    return payload.text(found, "creator", "username", limit=80)
