"""A stand-in for the Vercel API: what the console reads, and rollback and promote."""

from __future__ import annotations

import secrets
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import Handler, WithHeaders, bears
from console.demo.standins.project import Conflict, Project
from console.demo.world import PROJECT, PROJECT_NAME

PREFIX = "/v{version:int}"


class Vercel:
    """The routes over one project."""

    def __init__(self, project: Project, token: str) -> None:
        self._project, self._token = project, token

    def application(self) -> ASGIApp:
        """To be served."""
        project = f"{PREFIX}/projects/{{project}}"
        routes = [
            self._route("/v2/user", self.user),
            self._route(project, self.project),
            self._route(f"{PREFIX}/deployments", self.deployments),
            self._route(f"{PREFIX}/now/deployments", self.deployments),
            self._route(f"{PREFIX}/deployments/{{deployment}}", self.deployment),
            self._route(f"{project}/rolling-release", self.rolling_release),
            self._route(f"{project}/rollback/aliases", self.aliases),
            self._route(f"{project}/promote/aliases", self.aliases),
            self._route(f"{project}/{{kind:str}}/{{deployment}}", self.move, "POST"),
        ]
        return WithHeaders(Router(routes, default=_error_page), _headers)

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def guarded(request: Request) -> Response:
            refusal = self._refusal(request)
            return refusal or await handler(request)

        return Route(path, guarded, methods=[method])

    def _refusal(self, request: Request) -> Response | None:
        if "authorization" not in request.headers:
            return _error(401, "unauthorized", "Missing authentication token", missingToken=True)
        if not bears(request, self._token):
            return _error(403, "forbidden", "Not authorized", invalidToken=True)
        if request.path_params.get("project", PROJECT) not in (PROJECT, PROJECT_NAME):
            return _error(404, "not_found", "Project not found")
        return None

    async def user(self, request: Request) -> Response:
        """Whoever the token belongs to."""
        return JSONResponse({"user": {"id": "usr_demo", "username": "demo", "email": "demo@tabletalk.example"}})

    async def project(self, request: Request) -> Response:
        """The project with the deployment that serves production."""
        return JSONResponse(self._project.document())

    async def deployments(self, request: Request) -> Response:
        """Newest first, filtered and paged as the real one does it."""
        query = request.query_params
        until, since = int(query.get("until", 2**62)), int(query.get("since", 0))
        chosen = [
            item
            for one in self._project.newest_first()
            if since <= one.created_ms < until
            and _fits(item := self._project.item(one), query.get("target"), query.get("state"))
        ]
        limit = min(100, max(1, int(query.get("limit", 20))))
        page, more = chosen[:limit], len(chosen) > limit
        following = page[-1]["created"] if more else None
        return JSONResponse({"pagination": {"count": len(page), "next": following, "prev": None}, "deployments": page})

    async def deployment(self, request: Request) -> Response:
        """One, by id or address."""
        wanted = request.path_params["deployment"]
        for one in self._project.deployments.values():
            item = self._project.item(one)
            if wanted in (one.id, item["url"]):
                return JSONResponse({**item, "aliasAssigned": one.live_ms is not None})
        return _error(404, "not_found", "Deployment not found")

    async def rolling_release(self, request: Request) -> Response:
        """None is configured."""
        return JSONResponse({"rollingRelease": None})

    async def aliases(self, request: Request) -> Response:
        """No domain ever fails to move, so far."""
        return JSONResponse({"aliases": [], "pagination": {"count": 0, "next": None, "prev": None}})

    async def move(self, request: Request) -> Response:
        """Rollback and promote: 201 means accepted."""
        kind = request.path_params["kind"]
        target = self._project.deployments.get(request.path_params["deployment"])
        if kind not in ("rollback", "promote") or target is None:
            return _error(404, "not_found", "Deployment not found")
        if kind == "rollback" and target.live_ms is None:
            return _error(422, "unprocessable_entity", "Deployment was never aliased to a production domain")
        try:
            self._project.move(target, kind, request.query_params.get("description", "")[:250])
        except Conflict as conflict:
            return _error(409, "conflict", str(conflict))
        return Response(status_code=201)


def _fits(item: dict[str, object], target: str | None, states: str | None) -> bool:
    return (target is None or item["target"] == target) and (states is None or item["state"] in states.split(","))


def _headers() -> dict[str, str]:
    moment = time.time()
    return {
        "x-vercel-id": f"fra1::{secrets.token_hex(3)}-{int(moment * 1000)}-{secrets.token_hex(6)}", "server": "Vercel",
        "x-ratelimit-limit": "500", "x-ratelimit-remaining": "498", "x-ratelimit-reset": str(int(moment) + 60),
    }  # fmt: skip


def _error(status: int, code: str, text: str, **more: object) -> Response:
    return JSONResponse({"error": {"code": code, "message": text, **more}}, status)


_error_page = _error(404, "not_found", "The requested resource was not found")
