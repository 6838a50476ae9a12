"""A stand-in for the Vercel API: what the console reads; rollback, promote, builds, and the faults of all that."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import Handler, WithHeaders, bears, html
from console.demo.standins.edge_config import EdgeConfig
from console.demo.standins.project import Conflict, Project
from console.demo.world import BUILD_MS, DAY_MS, HOUR_MS, PROJECT, PROJECT_NAME, Deployment, World

PREFIX = "/v{version:int}"
LIMITED_S = 42
NO_SUCH_REF = (
    "The provided GitHub repository does not contain the requested branch or commit reference. "
    "Please ensure the repository is not empty."
)
LARGEST_BODY = 256 * 1024
CHANGES = ("POST", "PATCH")


class Vercel:
    """The routes over one project."""

    def __init__(
        self, project: Project, world: World, edge_config: EdgeConfig, token: str, faults: Collection[str] = frozenset()
    ) -> None:
        self._project, self._world, self._edge_config = project, world, edge_config
        self._token, self._faults = token, faults

    def application(self) -> ASGIApp:
        """To be served."""
        project = f"{PREFIX}/projects/{{project}}"
        routes = [
            self._route("/v2/user", self.user),
            self._route(project, self.project),
            self._route(f"{PREFIX}/deployments", self.deployments),
            self._route(f"{PREFIX}/deployments", self.create, "POST"),
            self._route(f"{PREFIX}/now/deployments", self.deployments),
            self._route(f"{PREFIX}/deployments/{{deployment}}", self.deployment),
            self._route(f"{PREFIX}/deployments/{{deployment}}/events", self.events),
            self._route(f"{PREFIX}/deployments/{{deployment}}/cancel", self.cancel, "PATCH"),
            self._route(f"{project}/env", self.variables),
            self._route(f"{project}/rolling-release", self.rolling_release),
            self._route(f"{project}/rollback/aliases", self.aliases),
            self._route(f"{project}/promote/aliases", self.aliases),
            self._route(f"{project}/{{kind:str}}/{{deployment}}", self.move, "POST"),
            *(self._route(f"{PREFIX}{path}", *rest) for path, *rest in self._edge_config.routes()),
        ]
        return WithHeaders(Router(routes, default=_error_page), _headers)

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def guarded(request: Request) -> Response:
            refusal = self._refusal(request)
            return refusal or await handler(request)

        return Route(path, guarded, methods=[method])

    def _refusal(self, request: Request) -> Response | None:
        if "vercel-html" in self._faults:
            return html(502, "502 Bad Gateway")
        if "authorization" not in request.headers:
            return _error(401, "unauthorized", "Missing authentication token", missingToken=True)
        if not bears(request, self._token) or "vercel-token-revoked" in self._faults:
            return _error(403, "forbidden", "Not authorized", invalidToken=True)
        if "vercel-rate-limited" in self._faults and request.method in CHANGES:
            return _limited()
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
        one = self._find(request.path_params["deployment"])
        if one is None:
            return _error(404, "not_found", "Deployment not found")
        more = {"status": self._project.item(one)["readyState"], "aliasAssigned": one.live_ms is not None}
        crons = [{"path": "/api/cron/reports", "schedule": "0 3 * * *"}]
        return JSONResponse({**self._project.item(one), **more, "crons": crons, "autoAssignCustomDomains": True})

    async def rolling_release(self, request: Request) -> Response:
        """The one that is active, else none."""
        return JSONResponse({"rollingRelease": self._project.rolling_release()})

    async def aliases(self, request: Request) -> Response:
        """The domains that the last job did not move."""
        before, kind = self._project.production.id, request.url.path.rsplit("/", 2)[1]
        told: list[dict[str, object]] = [
            {
                "id": f"als_demo{index}", "status": "failed",
                "alias": {"alias": name, "deploymentId": before} if kind == "rollback" else name,
            }
            for index, name in enumerate(self._project.unmoved)
        ]  # fmt: skip
        return JSONResponse({"aliases": told, "pagination": {"count": len(told), "next": None, "prev": None}})

    async def move(self, request: Request) -> Response:
        """Rollback and promote: 201 means accepted; 202 waits for a rolling release."""
        kind = request.path_params["kind"]
        target = self._project.deployments.get(request.path_params["deployment"])
        if kind not in ("rollback", "promote") or target is None:
            return _error(404, "not_found", "Deployment not found")
        if kind == "rollback" and target.live_ms is None:
            return _error(422, "unprocessable_entity", "Deployment was never aliased to a production domain")
        if kind == "promote" and (target.target != "production" or target.id in self._project.ready):
            return _error(422, "unprocessable_entity", "The deployment is not a production deployment.")
        if kind == "promote" and self._project.rolling_since_ms is not None:
            return Response(status_code=202)
        try:
            self._project.move(target, kind, request.query_params.get("description", "")[:250])
        except Conflict as conflict:
            return _error(409, "conflict", str(conflict))
        if "vercel-lost-answer" in self._faults:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        return Response(status_code=201)

    async def create(self, request: Request) -> Response:
        """A build of a commit, or once more of a deployment: QUEUED at first, live by itself unless pinned."""
        body = await _body(request)
        target = body.get("target") or body.get("customEnvironmentSlugOrId")
        if target not in ("production", "staging", None, "preview"):
            return _error(400, "bad_request", "Invalid request: `target` should be equal to one of the allowed values")
        kind = None if target in (None, "preview") else str(target)
        said = body.get("meta")
        meta = {str(key): str(value)[:200] for key, value in said.items()} if isinstance(said, dict) else {}
        promote = meta.get("action") == "promote"
        wanted = body.get("deploymentId")
        if wanted is not None:
            source = self._project.deployments.get(str(wanted))
            if source is None:
                return _error(404, "not_found", "Deployment not found")
            return self._made(self._project.request(source, kind, "", promote=promote, meta=meta))
        git = body.get("gitSource")
        if not isinstance(git, dict) or git.get("type") != "github" or not (git.get("ref") or git.get("sha")):
            return _error(400, "bad_request", "Invalid request: missing required property `gitSource`")
        ref = str(git.get("sha") or git.get("ref"))[:200]
        commit = self._commit(ref)
        if commit is None:
            return _error(400, "incorrect_git_source_info", NO_SUCH_REF)
        return self._made(self._project.request(commit, kind, ref, promote=promote, meta=meta))

    def _made(self, fresh: Deployment) -> Response:
        return JSONResponse({**self._project.item(fresh), "status": "QUEUED", "aliasAssigned": False})

    def _commit(self, ref: str) -> Deployment | None:
        """What a push of that commit made; of the branch that deploys, its newest."""
        pushed = [one for one in self._project.newest_first() if one.target == "production"]
        if ref == "main":
            return pushed[0]
        return next((one for one in pushed if len(ref) >= 7 and one.sha.startswith(ref)), None)

    async def cancel(self, request: Request) -> Response:
        """End a build."""
        one = self._project.deployments.get(request.path_params["deployment"])
        if one is None:
            return _error(404, "not_found", "Deployment not found")
        if not self._project.cancel(one):
            return _error(400, "bad_request", "The deployment is not building")
        return JSONResponse(self._project.item(one))

    async def events(self, request: Request) -> Response:
        """The build's log, colours and keep-alives among it: an array, or with `format=lines` one event a line."""
        one = self._find(request.path_params["deployment"])
        if one is None:
            return _error(404, "not_found", "Deployment not found")
        told = _events(one, self._project.ready.get(one.id, "READY"))
        limit = int(request.query_params.get("limit", 100))
        if limit >= 0:
            told = told[-limit:] if request.query_params.get("direction") == "backward" else told[:limit]
        if request.query_params.get("format") == "lines":
            return Response("".join(json.dumps(event) + "\n" for event in told), 200, None, "application/stream+json")
        return JSONResponse(told)

    async def variables(self, request: Request) -> Response:
        """Names of the environment, one of them changed after the newest build."""
        return JSONResponse({"envs": _variables(self._world)})

    def _find(self, wanted: str) -> Deployment | None:
        found = self._project.deployments.values()
        return next((one for one in found if wanted in (one.id, self._project.item(one)["url"])), None)


async def _body(request: Request) -> dict[str, object]:
    raw = await request.body()
    try:
        found = json.loads(raw) if len(raw) <= LARGEST_BODY else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _events(one: Deployment, state: str) -> list[dict[str, object]]:
    began_ms, name = one.created_ms + 2_000, f"bld_{one.id[4:16]}"
    text = [
        ("command", 0, 'Running "npm run build"'),
        ("stdout", 8_000, "> tabletalk-radar@1.0.0 build\n> next build"),
        ("stdout", 31_000, "\x1b[32m✓\x1b[39m Compiled successfully in \x1b[1m22.4s\x1b[22m"),
        ("stderr", 33_000, "\x1b[33mwarn\x1b[39m  - You have enabled experimental features (ppr)"),
        ("stdout", 52_000, "\x1b[2K\x1b[1G   Generating static pages (14/14)"),
    ]
    if state == "ERROR":
        text = [
            *text[:2],
            ("stderr", 29_000, "\x1b[31mType error:\x1b[39m Property 'tiers' does not exist on type 'Plan'"),
            ("stderr", 29_500, 'Error: Command "npm run build" exited with 1'),
        ]
    told: list[dict[str, object]] = []
    for serial, (kind, after_ms, words) in enumerate(text):
        event = {
            "deploymentId": one.id, "id": f"evt{serial}", "serial": str(serial), "date": began_ms + after_ms,
            "text": words, "info": {"type": "build", "name": name, "entrypoint": "."},
        }  # fmt: skip
        shape = {"payload": event} if serial % 2 else event  # both are seen
        told.append({"type": kind, "created": began_ms + after_ms, **shape})
    told.append({"type": "delimiter", "date": 0})
    ended_ms = began_ms + BUILD_MS
    told.append({
        "type": "deployment-state", "created": ended_ms, "date": ended_ms, "deploymentId": one.id, "id": "evt9",
        "serial": "9", "info": {"type": "build", "name": name, "readyState": state},
    })  # fmt: skip
    return told


def _variables(world: World) -> list[dict[str, object]]:
    made_ms = world.now_ms - 200 * DAY_MS
    names = (
        ("SUPABASE_URL", "plain", made_ms), ("SUPABASE_ANON_KEY", "encrypted", world.now_ms - 41 * DAY_MS),
        ("SUPABASE_SERVICE_ROLE_KEY", "sensitive", world.now_ms - 2 * DAY_MS),
        ("CSRF_SECRET", "sensitive", world.now_ms - 90 * DAY_MS), ("MAIL_FROM", "plain", world.now_ms - 5 * HOUR_MS),
    )  # fmt: skip
    return [
        {
            "id": f"env_demo{index}", "key": name, "type": kind, "target": ["production"], "value": "",
            "createdAt": made_ms, "updatedAt": changed_ms, "createdBy": "usr_mira", "updatedBy": "usr_jonas",
            "configurationId": None,
        }
        for index, (name, kind, changed_ms) in enumerate(names)
    ]  # fmt: skip


def _limited() -> Response:
    reset = int(time.time()) + LIMITED_S
    limit = {"total": 100, "remaining": 0, "reset": reset, "resetMs": reset * 1000}
    response = _error(
        429, "rate_limited", f"The rate limit of 100 exceeded. Try again in {LIMITED_S} seconds", limit=limit
    )
    response.headers["retry-after"] = str(LIMITED_S)
    return response


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
