"""Vercel as actions use it: the project, its deployments, moving production, building and following.

Every path stands in one table, since versions are per endpoint and go one by one. A change is sent once; a question
that a rate limit refuses says how long to wait. What the API refuses is told with what it means here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import quote, urlencode

from console.actions.wire import Api, Rejected
from console.model import payload
from console.model.build_log import lines_of
from console.model.configuration import Secret, Vercel
from console.model.inquiries import LogLine
from console.model.observation import ErrorKind, Json, Outcome
from console.model.ports import Refused
from console.model.text import clean
from console.model.vercel_project import (
    Deployment,
    Project,
    RollingRelease,
    Variable,
    deployment_of,
    deployments_of,
    project_of,
    rolling_of,
    unmoved_of,
    variables_of,
)
from console.model.wire import Change, Unanswered
from console.sources.base import api_value
from console.sources.faults import Fault
from console.sources.http import Answer, Clients, retry_after_s
from console.store.clock import now_ms

Move = Literal["rollback", "promote"]

PATHS = {
    "project": "/v9/projects/{project}",
    "deployments": "/v7/deployments",
    "deployment": "/v13/deployments/{deployment}",
    "create": "/v13/deployments",
    "cancel": "/v12/deployments/{deployment}/cancel",
    "events": "/v3/deployments/{deployment}/events",
    "rollback": "/v1/projects/{project}/rollback/{deployment}",
    "promote": "/v10/projects/{project}/promote/{deployment}",
    "rollback aliases": "/v9/projects/{project}/rollback/aliases",
    "promote aliases": "/v9/projects/{project}/promote/aliases",
    "rolling release": "/v1/projects/{project}/rolling-release",
    "environment": "/v10/projects/{project}/env",
}
PAGE = 100  # the most that one page holds
PAGES = 5  # five hundred deployments back are far enough
DESCRIPTION_LIMIT = 250
LOG_EVENTS = 200
FAILED_ALIASES = 20

_MEANING = {
    401: "no token reached it",
    402: "the plan does not allow it: Hobby goes back to the previous production deployment only",
    404: "no such project or deployment, or another team's: is `team` right?",
    409: "another rollback or promotion is running for the project",
    410: "this version of the API is gone: radar needs an update",
    422: "the deployment is not eligible",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A change that Vercel took. `asked_ms`: by its own clock where it tells the time, else by ours."""

    status: int
    asked_ms: int
    found: Json = None


class VercelApi:
    """One project under one token and team. Reads raise `Fault`, changes `Rejected` or `Unanswered`."""

    def __init__(self, settings: Vercel, clients: Clients) -> None:
        self.project_name = settings.project
        self.team = settings.team
        credentials = {"authorization": Secret(f"Bearer {settings.token.reveal()}")}
        self._api = Api("Vercel", settings.api, credentials, clients)

    # Questions

    async def project(self) -> Project:
        """The project, with the last request to move its production."""
        found = await self._read(self.path("project", query={"rollbackInfo": "true"}))
        if not isinstance(found, dict):
            raise Fault(ErrorKind.BODY, "Vercel: the answer about the project is no object")
        return project_of(found)

    async def deployments(
        self, *, target: str | None = None, until_ms: int | None = None, limit: int = PAGE
    ) -> tuple[tuple[Deployment, ...], int | None]:
        """A page of deployments, newest first, and `until_ms` of the next; None: it is the last."""
        asked = {"projectId": self.project_name, "limit": str(limit), "target": target, "until": _written(until_ms)}
        return deployments_of(await self._read(self.path("deployments", query=asked)))

    async def deployment(self, name: str) -> Deployment:
        """One deployment by id or address; callers without full permission get little of it."""
        found = deployment_of(await self._read(self.path("deployment", name)))
        if found is None:
            raise Fault(ErrorKind.BODY, f"Vercel: the answer about {clean(name, 80)} names no deployment")
        return found

    async def find(self, wanted: str) -> Deployment | None:
        """A deployment by id, address, commit or the beginning of one; None: there is none among the newest hundreds.

        Raises `Refused` when the beginning fits more than one commit.
        """
        if wanted.startswith("dpl_") or "." in wanted:
            try:
                return await self.deployment(wanted)
            except Fault as fault:
                if fault.http_status not in (400, 404):
                    raise
        until_ms: int | None = None
        for _ in range(PAGES):
            page, until_ms = await self.deployments(until_ms=until_ms)
            found = match(page, wanted)
            if found is not None or until_ms is None:
                return found
        return None

    async def rolling_release(self) -> RollingRelease | None:
        """The rolling release, active or past; None: there never was one."""
        return rolling_of(await self._read(self.path("rolling release")))

    async def variables(self) -> tuple[Variable, ...]:
        """Names and times of the environment variables, of all pages. Values are neither asked for nor kept.

        Raises `Fault` where there are more than can be read: one that was not read may have changed.
        """
        found: tuple[Variable, ...] = ()
        until_ms: int | None = None
        for _ in range(PAGES):
            page = await self._read(self.path("environment", query={"until": _written(until_ms)}))
            found += variables_of(page)
            until_ms = payload.time_ms(page, "pagination", "next")
            if until_ms is None:
                return found
        raise Fault(ErrorKind.BODY, f"Vercel: only {len(found)} of the environment variables were read, there are more")

    async def unmoved(self, move: Move) -> tuple[str, ...]:
        """The domains that a failed rollback or promotion did not move."""
        names: tuple[str, ...] = ()
        next_ms: int | None = None
        for _ in range(PAGES):
            asked = {"failedOnly": "true", "limit": str(FAILED_ALIASES), "until": _written(next_ms)}
            more, next_ms = unmoved_of(await self._read(self.path(f"{move} aliases", query=asked)))
            names += more
            if next_ms is None:
                break
        return names

    async def build_log(self, deployment: str, limit: int = LOG_EVENTS) -> tuple[LogLine, ...]:
        """The last lines of a build, oldest first. Of JSON and of lines of JSON."""
        path = self.path("events", deployment, {"direction": "backward", "limit": str(limit)})
        answer = await self._answer(path, cut=True)
        return lines_of(answer.body)

    # Changes

    async def move(self, move: Move, deployment: str, description: str = "") -> Accepted:
        """Ask for a rollback or a promotion: 201 is accepted, 202 is queued behind a rolling release."""
        said = description[:DESCRIPTION_LIMIT] if move == "rollback" else ""
        return await self._change("POST", self.path(move, deployment, {"description": said or None}), {})

    async def create(self, body: Mapping[str, Json]) -> Deployment:
        """Ask for a build. `Unanswered` too when what was made cannot be read."""
        accepted = await self._change("POST", self.path("create"), dict(body))
        made = deployment_of(accepted.found)
        if made is None:
            raise Unanswered("Vercel took the request for a build and its answer names no deployment")
        return made

    async def cancel(self, deployment: str) -> Accepted:
        """Ask for the end of a build."""
        return await self._change("PATCH", self.path("cancel", deployment), {})

    # Paths

    def path(self, name: str, deployment: str = "", query: Mapping[str, str | None] | None = None) -> str:
        """The path of an endpoint with its query, the team's scope included."""
        place = PATHS[name].format(project=quote(self.project_name, safe=""), deployment=quote(deployment, safe=""))
        asked = {key: value for key, value in (query or {}).items() if value is not None} | self._scope()
        return f"{place}?{urlencode(asked, quote_via=quote)}" if asked else place

    def shown(self, name: str, deployment: str = "") -> str:
        """The path for people: without its query."""
        return PATHS[name].format(project=self.project_name, deployment=deployment)

    def _scope(self) -> dict[str, str]:
        if self.team is None:
            return {}
        return {"teamId" if self.team.startswith("team_") else "slug": self.team}

    # Inside

    async def _read(self, path: str) -> Json:
        answer = await self._answer(path)
        return None if answer.status == 204 else api_value(answer, "Vercel")

    async def _answer(self, path: str, *, cut: bool = False) -> Answer:
        answer = await self._api.answer(path, cut=cut)
        if 200 <= answer.status < 300:
            return answer
        raise _fault(answer)

    async def _change(self, method: Change, path: str, body: Json) -> Accepted:
        try:
            answer = await self._api.change(method, path, body)
        except Rejected as error:
            words = _worded(error.words, error.answer, error.retry_after_s)
            raise Rejected(words, error.status, error.retry_after_s, error.answer) from None
        return Accepted(status=answer.status, asked_ms=_server_ms(answer), found=payload.decoded(answer.body))


def configured(settings: Vercel | None) -> Vercel:
    """The settings. Raises `Refused` with the lines to add."""
    if settings is None:
        raise Refused(
            "Vercel is not configured: add [environments.NAME.vercel] with token = "
            '"${VERCEL_TOKEN}" and project = "prj_…" to radar.toml'
        )
    return settings


def match(listed: tuple[Deployment, ...], wanted: str) -> Deployment | None:
    """The newest deployment that `wanted` names: an id, a commit, or at least four characters of its beginning.

    Raises `Refused` when it fits several commits, of which nobody can say which is meant.
    """
    exact = [one for one in listed if wanted in (one.id, one.commit, one.url)]
    if exact:
        return exact[0]
    found = [one for one in listed if len(wanted) >= 4 and _begins(one, wanted)]
    if len({one.commit or one.id for one in found}) > 1:
        names = ", ".join(f"{one.short} ({one.id})" for one in found[:3])
        raise Refused(f"{clean(wanted, 80)} fits several deployments: {names}; give more of it")
    return found[0] if found else None


def _begins(one: Deployment, wanted: str) -> bool:
    names = (one.commit or "", one.id, one.id.removeprefix("dpl_"))
    return any(name.startswith(wanted) for name in names)


def _written(number: int | None) -> str | None:
    return None if number is None else str(number)


def _fault(answer: Answer) -> Fault:
    """Why a question was refused. `retry_after_s` where the API says how long to wait."""
    wait_s = retry_after_s(answer.headers) if answer.status == 429 else None
    try:
        api_value(answer, "Vercel")
    except Fault as fault:
        words = _worded(fault.words, answer, wait_s)
        kind = ErrorKind.RATE_LIMITED if answer.status == 429 else fault.kind
        outcome = Outcome.BLOCKED if answer.status == 429 else fault.outcome
        return Fault(kind, words, outcome=outcome, http_status=answer.status, retry_after_s=wait_s)
    return Fault(ErrorKind.STATUS, f"Vercel answers {answer.status}", http_status=answer.status)


def _worded(words: str, answer: Answer | None, wait_s: float | None) -> str:
    """The refusal with what it means."""
    if answer is None:
        return words
    if answer.status == 403:
        return f"{words} ({_forbidden(answer)})"
    if answer.status == 429:
        return f"{words} (rate limited; asks for {wait_s:.0f} s)" if wait_s is not None else f"{words} (rate limited)"
    meaning = _MEANING.get(answer.status)
    return f"{words} ({meaning})" if meaning else words


def _forbidden(answer: Answer) -> str:
    """A bad token, too few rights, or a single sign-on that ended: one status for all of them."""
    said = payload.decoded(answer.body)
    if any(payload.flag(said, *path, "invalidToken") for path in ((), ("error",), ("err",))):
        return "the token is not valid or has expired"
    return "the token may not do this here, or its team wants a new single sign-on"


def _server_ms(answer: Answer) -> int:
    """When the API says it answered; by this host's clock where it does not."""
    try:
        return int(parsedate_to_datetime(answer.headers.get("date", "")).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        return now_ms()
