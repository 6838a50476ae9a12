"""Faults that lie between a client and a hosted system, whatever the system does: refused, lost, or spoiled answers.

Each rule names an application, which of its requests, and what becomes of them. What the system itself must do
otherwise, such as a job that fails, stands in its own stand-in.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console.demo.standins.answers import html, message

CHANGES = ("POST", "PATCH", "PUT", "DELETE")
RETRY_S = 5
RESET_S = 60
UNKNOWN_STATE = "hibernating"
"""A state of a run that GitHub does not document."""

Does = Callable[["Exchange"], Awaitable[Response | None]]
"""Gives the answer; None: none ever comes."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and the way to have it carried out."""

    request: Request
    carry_out: Callable[[], Awaitable[Response]]
    count: int
    """How many this fault has met before."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which requests of which application a fault meets."""

    application: str
    does: Does
    methods: Collection[str] = CHANGES
    path: str = ""


def answering(make: Callable[[Exchange], Response]) -> Does:
    """Refused before anything is carried out."""

    async def does(exchange: Exchange) -> Response:
        return make(exchange)

    return does


async def lost(exchange: Exchange) -> Response | None:
    """Carried out, and no answer comes."""
    await exchange.carry_out()
    return None


async def silent(exchange: Exchange) -> Response | None:
    """Neither carried out nor answered."""
    return None


async def truncated(exchange: Exchange) -> Response | None:
    """JSON that ends in the middle, as a proxy leaves it that lost its source."""
    found = await exchange.carry_out()
    body = bytes(found.body)
    return Response(body[: len(body) // 2], found.status_code, None, "application/json; charset=utf-8")


def changing(change: Callable[[Any], None]) -> Does:
    """The answer's JSON, changed."""

    async def does(exchange: Exchange) -> Response | None:
        found = await exchange.carry_out()
        try:
            content = json.loads(bytes(found.body))
        except ValueError:
            return found
        change(content)
        return JSONResponse(content, found.status_code)

    return does


def _runs_of(content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, dict):
        return []
    return list(content.get("workflow_runs", [content] if "run_number" in content else []))


def _queued(content: Any) -> None:
    """What runs has not begun, and so does not end; neither have its jobs."""
    for one in [*_runs_of(content), *(content.get("jobs", []) if isinstance(content, dict) else [])]:
        if one.get("status") == "in_progress" or one.get("conclusion") is None:
            one.update(status="queued", conclusion=None, started_at=None, completed_at=None)
    if isinstance(content, dict) and "jobs" in content:
        for job in content["jobs"]:
            job.update(status="queued", conclusion=None, started_at=None, completed_at=None, steps=[])


def _unknown_state(content: Any) -> None:
    for run in _runs_of(content)[:1]:
        run.update(status=UNKNOWN_STATE, conclusion=None)


def _limited_github(exchange: Exchange) -> Response:
    """403 where the hour's requests are used up; a change meets the second limit, 429."""
    if exchange.request.method in CHANGES:
        told = message(429, "You have exceeded a secondary rate limit.")
        told.headers["retry-after"] = str(RETRY_S)
        return told
    told = message(403, "API rate limit exceeded for installation ID 1.")
    reset = str(int(time.time()) + RESET_S)
    told.headers.update({"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})
    return told


def _busy_page(exchange: Exchange) -> Response:
    """420 and 429 by turns: Statuspage documents both for the same."""
    status = 429 if exchange.count % 2 else 420
    return JSONResponse({"error": "Rate limit exceeded"}, status, {"retry-after": "1"})


def _vercel(status: int, code: str, text: str) -> Does:
    return answering(lambda _: JSONResponse({"error": {"code": code, "message": text}}, status))


_LATER = {"retry-after": str(RETRY_S)}
_MOVES = r"/(rollback|promote)/"
RULES: Mapping[str, Rule] = {
    "slack-lost-answer": Rule("sinks", lost, path="^/services/"),
    "slack-rate-limited": Rule(
        "sinks", answering(lambda _: PlainTextResponse("rate_limited", 429, _LATER)), path="^/services/"
    ),
    "pagerduty-rate-limited": Rule(
        "sinks", answering(lambda _: JSONResponse({"status": "throttle exceeded"}, 429)), path="^/v2/enqueue"
    ),
    "pagerduty-lost-answer": Rule("sinks", lost, path="^/v2/enqueue"),
    "webhook-down": Rule("sinks", answering(lambda _: PlainTextResponse("oops", 500)), path="^/hooks/"),
    "webhook-login-page": Rule("sinks", answering(lambda _: html(200, "Sign in")), path="^/hooks/"),
    "heartbeat-down": Rule("sinks", silent, methods=("GET", "POST"), path="^/heartbeat/"),
    "statuspage-rate-limited": Rule("sinks", answering(_busy_page), methods=("GET", *CHANGES), path="^/v1/pages/"),
    "edge-config-lost-answer": Rule("vercel", lost, path="/(edge|global)-config/"),
    "vercel-payment-required": Rule(
        "vercel", _vercel(402, "payment_required", "This feature is not available on your plan"), path=_MOVES
    ),
    "vercel-gone": Rule("vercel", _vercel(410, "gone", "This API version is gone"), path=_MOVES),
    "vercel-not-eligible": Rule(
        "vercel", _vercel(422, "unprocessable_entity", "Deployment is not eligible"), path=_MOVES
    ),
    "github-queued": Rule("github", changing(_queued), methods=("GET",), path="/actions/(runs|workflows)"),
    "github-conflict": Rule(
        "github",
        answering(lambda _: message(409, "Cannot change a workflow run that is being changed.")),
        path="/actions/runs/",
    ),
    "github-rate-limited": Rule("github", answering(_limited_github), methods=("GET", *CHANGES), path="^/repos/"),
    "github-lost-answer": Rule("github", lost, path="/actions/runs/"),
    "github-unknown-state": Rule(
        "github", changing(_unknown_state), methods=("GET",), path="/actions/(runs|workflows)"
    ),
    "github-token-revoked": Rule("github", answering(lambda _: message(401, "Bad credentials")), ("GET", *CHANGES)),
    "github-html": Rule("github", answering(lambda _: html(502, "502 Bad Gateway")), ("GET", *CHANGES)),
    "github-truncated": Rule("github", truncated, methods=("GET",), path="^/repos/"),
}


class Faulty:
    """An application whose answers meet the faults that are on."""

    def __init__(self, name: str, application: ASGIApp, faults: Collection[str]) -> None:
        """`faults`: the names of those that are on; it changes."""
        self._application, self._faults = application, faults
        self._rules = {fault: rule for fault, rule in RULES.items() if rule.application == name}
        self._counts = dict.fromkeys(self._rules, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every application is called."""
        fault = self._met(scope) if self._faults and scope["type"] == "http" else None
        if fault is None:
            await self._application(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        count = self._counts[fault]
        self._counts[fault] += 1
        answer = await self._rules[fault].does(Exchange(request, lambda: self._carried_out(scope, body), count))
        if answer is not None:
            await answer(scope, receive, send)
            return
        while (await receive())["type"] != "http.disconnect":
            pass

    def _met(self, scope: Scope) -> str | None:
        found = (
            name
            for name, rule in self._rules.items()
            if name in self._faults and scope["method"] in rule.methods and re.search(rule.path, scope["path"])
        )
        return next(found, None)

    async def _carried_out(self, scope: Scope, body: bytes) -> Response:
        """The application's own answer, whole."""
        parts: list[bytes] = []
        start: dict[str, Any] = {}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(told: Any) -> None:
            start.update(told if told["type"] == "http.response.start" else {})
            parts.append(told.get("body", b""))

        await self._application(scope, receive, send)
        made = Response(b"".join(parts), start["status"])
        made.raw_headers = list(start["headers"])
        return made
