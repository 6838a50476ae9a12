"""Vercel, read only: which deployment serves production, since when, by whom, and what is not as usual there.

Every field may be missing: callers without full permission get a reduced project. The raw answer is not kept, since it
can hold environment variables.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from console.model import payload
from console.model.configuration import Environment, Secret, Vercel
from console.model.observation import Event, Json, Observation, Origin, Source
from console.model.states import State
from console.sources.base import HttpSource, api_value
from console.sources.faults import Fault
from console.sources.http import Client, Clients, Limits, Request
from console.sources.retold import Retold
from console.sources.vercel_deployments import LIMITS as LIST_LIMITS
from console.sources.vercel_deployments import DeploymentList, deployment_of

PROJECT_PATH = "/v9/projects/{project}"
ROLLING_RELEASE_PATH = "/v1/projects/{project}/rolling-release"
FAILED_JOB_S = 3600  # a failed rollback is news for an hour; the job itself stays in the answer for ever
LATEST = 5
CLOCKS_APART_MS = 300_000  # between Vercel and this host
LISTS_S = LIST_LIMITS.total_s


class VercelSource(HttpSource):
    """The project with its production deployment. Emits an event when another deployment goes live."""

    origin = Origin.API
    unreachable = State.UNKNOWN

    def __init__(self, settings: Vercel, client: Client, *, interval_s: float) -> None:
        super().__init__("vercel", client, interval_s=interval_s)
        self._timeout_s += LISTS_S  # slow lists must not lose the project's answer
        self._settings = settings
        self._live: str | None = None
        """The id of the production deployment as last seen."""
        self._polled_ms = 0
        self._list = DeploymentList(self._request, self.get, settings.project)
        self._retold = Retold()

    async def ask(self) -> Observation:
        """The state of the project."""
        project = api_value(await self.get(self._request(PROJECT_PATH)), "Vercel")
        now_ms = time.time_ns() // 1_000_000
        production = deployment_of(payload.mapping(project, "targets", "production"))
        facts = _facts(project, production) | {"rolling_release": await self._rolling(project)}
        state, words = _judge(facts, production, now_ms)
        lists = {"latest": _latest(project), **await self._list.read((production.get("id"), _latest(project)))}
        volatile = lists if self._retold.is_due(lists) else {}
        observation = self.answered(state, words, facts=facts, volatile=volatile)
        return replace(observation, events=self._events(project, production, now_ms))

    def _request(self, path: str, query: Mapping[str, str] | None = None, limits: Limits | None = None) -> Request:
        return request_to(self._settings, path, query or {}, limits or Limits())

    async def _rolling(self, project: Json) -> bool | None:
        """Whether a rolling release is in progress. The project only tells whether one is configured."""
        if not payload.mapping(project, "rollingRelease"):
            return False
        try:
            answer = api_value(await self.get(self._request(ROLLING_RELEASE_PATH)), "Vercel")
        except Fault:
            return None  # the project itself was read; this part is unknown
        return payload.text(answer, "rollingRelease", "state") == "ACTIVE"

    def _events(self, project: Json, production: dict[str, Json], now_ms: int) -> tuple[Event, ...]:
        """One event at the first poll and at each change; its key makes the store keep it once."""
        before_ms, self._polled_ms = self._polled_ms, now_ms
        live = production.get("id")
        if not isinstance(live, str) or live == self._live:
            return ()
        changed_after_ms = None if self._live is None else before_ms
        self._live = live
        return (_live_event(project, production, now_ms, changed_after_ms),)


def request_to(settings: Vercel, path: str, query: Mapping[str, str], limits: Limits, *, cut: bool = False) -> Request:
    """A question in the project's scope; `{project}` in the path is its name."""
    asked = dict(query)
    if settings.team is not None:
        asked["teamId" if settings.team.startswith("team_") else "slug"] = settings.team
    scope = f"?{urlencode(asked, quote_via=quote, safe='')}" if asked else ""
    url = settings.api.rstrip("/") + path.format(project=quote(settings.project, safe="")) + scope
    token = Secret(f"Bearer {settings.token.reveal()}")
    return Request(url=url, credentials={"authorization": token}, limits=limits, cut=cut)


def build(environment: Environment, clients: Clients) -> list[Source]:
    """The project, if configured."""
    settings = environment.vercel
    if settings is None:
        return []
    return [VercelSource(settings, clients.of(settings.api), interval_s=environment.intervals.vercel_s)]


def _facts(project: Json, production: dict[str, Json]) -> dict[str, Json]:
    return {
        "project": payload.text(project, "name"),
        "project_id": payload.text(project, "id"),
        "production": production or None,
        "auto_assign": payload.flag(project, "autoAssignCustomDomains"),
        "paused": payload.flag(project, "paused") is True,
        "attack_mode": payload.flag(project, "security", "attackModeEnabled") is True,
        "last_alias_request": _job(payload.mapping(project, "lastAliasRequest")),
        "rollback": _rollback(payload.mapping(project, "rollbackDescription")),
    }


def _job(found: Mapping[str, Json]) -> Json:
    """The last request to move production; it can be anybody's and of yesterday."""
    if not found:
        return None
    return {
        "type": payload.text(found, "type", limit=40),
        "status": payload.text(found, "jobStatus", limit=40),
        "from": payload.text(found, "fromDeploymentId", limit=80),
        "to": payload.text(found, "toDeploymentId", limit=80),
        "requested_ms": payload.time_ms(found, "requestedAt"),
    }


def _rollback(found: Mapping[str, Json]) -> Json:
    if not found:
        return None
    return {
        "by": payload.text(found, "username", limit=80),
        "description": payload.text(found, "description", limit=250),
        "at_ms": payload.time_ms(found, "createdAt"),
    }


def _latest(project: Json) -> list[Json]:
    """The newest deployments with their states, live or not."""
    return [
        {
            "id": payload.text(item, "id", limit=80),
            "state": payload.text(item, "readyState", limit=40),
            "target": payload.text(item, "target", limit=40),
            "created_ms": payload.time_ms(item, "createdAt"),
        }
        for item in list(payload.items(project, "latestDeployments"))[:LATEST]
    ]


def _judge(facts: Mapping[str, Json], production: Mapping[str, Json], now_ms: int) -> tuple[State, str]:
    """The state of the hosting; a pinned production is somebody's choice and no illness."""
    if facts["paused"] is True:
        return State.UNHEALTHY, "the project is paused: visitors get 503"
    if not production:
        return State.UNKNOWN, "no production deployment is shown to this token"
    live = f"live {_called(production)}"
    job = payload.mapping(facts, "last_alias_request")
    requested_ms = payload.number(job, "requested_ms") or 0
    if job.get("status") == "failed" and now_ms - requested_ms < FAILED_JOB_S * 1000:
        return State.DEGRADED, f"the last {job.get('type') or 'move of production'} failed; {live}"
    if facts["attack_mode"] is True:
        return State.DEGRADED, f"attack challenge mode is on: API clients are blocked; {live}"
    if job.get("status") in ("pending", "in-progress"):
        return State.HEALTHY, f"{job.get('type') or 'a move of production'} in progress; {live}"
    pinned = "; new deployments do not go live by themselves" if facts["auto_assign"] is False else ""
    return State.HEALTHY, live + pinned


def _called(production: Mapping[str, Json]) -> str:
    """`8f3c1d2 "pricing v2"`."""
    message = production.get("message")
    return f"{production['short']}" + (f' "{str(message)[:60]}"' if message else "")


def _live_event(project: Json, production: Mapping[str, Json], now_ms: int, changed_after_ms: int | None) -> Event:
    """That this deployment went live, by whom and when. `changed_after_ms`: the poll at which another one was live."""
    job = payload.mapping(_job(payload.mapping(project, "lastAliasRequest")))
    ours = job.get("to") == production["id"] and job.get("status") not in ("failed", "skipped")
    at_ms = _live_since_ms(project, production, job if ours else {}, now_ms, changed_after_ms)
    kind = "rollback" if ours and job.get("type") == "rollback" else "deployment"
    by = payload.text(project, "rollbackDescription", "username", limit=80) if kind == "rollback" else None
    author = by or production.get("author")
    called = _called(production)
    text = f"rolled back to {called}" if kind == "rollback" else f"{called} live"
    data: dict[str, Json] = {name: production[name] for name in ("id", "short", "commit", "message", "created_ms")}
    return Event(
        at_ms=at_ms,
        kind=kind,
        subject="vercel",
        text=text + (f" (by {by} at Vercel)" if by else f" ({author})" if author else ""),
        key=f"{kind}/{production['id']}/live/{at_ms}",
        data=data | {"author": author},
    )


def _live_since_ms(
    project: Json, production: Mapping[str, Json], job: Mapping[str, Json], now_ms: int, changed_after_ms: int | None
) -> int:
    """When it went live, as Vercel tells; else when it was first seen live.

    What was live before may be so again with its old time of assignment: then the change itself is what we know.
    """
    assigned_ms = payload.time_ms(project, "targets", "production", "aliasAssigned")
    told_ms = max(filter(None, (assigned_ms, payload.time_ms(job, "requested_ms"))), default=None)
    if changed_after_ms is not None:
        is_news = told_ms is not None and told_ms >= changed_after_ms - CLOCKS_APART_MS
        return min(told_ms, now_ms) if told_ms is not None and is_news else now_ms
    return min(told_ms or payload.time_ms(production, "created_ms") or now_ms, now_ms)
