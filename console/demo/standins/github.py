"""A stand-in for GitHub's Actions: a run for each deployment, and one in progress under ci-migration-lock."""

from __future__ import annotations

import hashlib
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import Handler, bears, iso, message, now_ms
from console.demo.standins.project import Project
from console.demo.world import ORGANISATION, REPOSITORY, Deployment

JOBS = ("lint", "test", "integration-test", "build", "migrate", "deploy-staging", "deploy-production", "notify")
FIRST_RUN = 380
RUN_ID = 19_000_000_000


class GitHub:
    """One repository. `migrating_since_ms`: a run is in progress, in its job `migrate`."""

    def __init__(self, project: Project, token: str) -> None:
        self._project, self._token = project, token
        self.migrating_since_ms: int | None = None

    def application(self) -> ASGIApp:
        """To be served."""
        repository = "/repos/{owner}/{repo}"
        routes = [
            self._route("/user", self.user),
            self._route(f"{repository}/actions/runs", self.runs),
            self._route(f"{repository}/actions/runs/{{run:int}}", self.run),
            self._route(f"{repository}/actions/runs/{{run:int}}/jobs", self.jobs),
        ]
        return Router(routes, default=message(404, "Not Found"))

    def _route(self, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            if not bears(request, self._token):
                return message(401, "Bad credentials")
            wanted = (request.path_params.get("owner", ORGANISATION), request.path_params.get("repo", REPOSITORY))
            return await handler(request) if wanted == (ORGANISATION, REPOSITORY) else message(404, "Not Found")

        return Route(path, guarded)

    async def user(self, request: Request) -> Response:
        """Whoever the token belongs to."""
        return JSONResponse({"login": "tabletalk-demo-bot", "id": 1})

    async def runs(self, request: Request) -> Response:
        """Newest first; an unchanged list is a 304 to who has its ETag."""
        status = request.query_params.get("status")
        found = [run for run in self._runs() if status in (None, run["status"], run["conclusion"])]
        size = min(100, max(1, int(request.query_params.get("per_page", 30))))
        body = json.dumps({"total_count": len(found), "workflow_runs": found[:size]}).encode()
        tag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        return Response(body, 200, {"etag": tag}, "application/json; charset=utf-8")

    async def run(self, request: Request) -> Response:
        """One run."""
        for run in self._runs():
            if run["id"] == request.path_params["run"]:
                return JSONResponse(run)
        return message(404, "Not Found")

    async def jobs(self, request: Request) -> Response:
        """The jobs of a run; those behind `migrate` are still queued in the one in progress."""
        run = next((run for run in self._runs() if run["id"] == request.path_params["run"]), None)
        if run is None:
            return message(404, "Not Found")
        jobs = [_job(run, index, name) for index, name in enumerate(JOBS)]
        return JSONResponse({"total_count": len(jobs), "jobs": jobs})

    def _runs(self) -> list[dict[str, object]]:
        oldest_first = self._project.newest_first()[::-1]
        finished = [_run(FIRST_RUN + index, one) for index, one in enumerate(oldest_first)]
        if self.migrating_since_ms is not None:
            finished.append(_migrating(FIRST_RUN + len(finished), self.migrating_since_ms))
        return finished[::-1]


def _run(number: int, one: Deployment) -> dict[str, object]:
    made = one.created_ms
    return _document(number, one.sha, one.message, one.login, made - 400_000, (made + 120_000, "completed", "success"))


def _migrating(number: int, since_ms: int) -> dict[str, object]:
    sha = hashlib.sha1(str(since_ms).encode(), usedforsecurity=False).hexdigest()
    title = "feat: audit weights (migration 012)"
    return _document(number, sha, title, "luis", since_ms - 240_000, (now_ms(), "in_progress", None))


def _document(
    number: int, sha: str, title: str, login: str, began_ms: int, end: tuple[int, str, str | None]
) -> dict[str, object]:
    updated_ms, status, conclusion = end
    page = f"https://github.com/{ORGANISATION}/{REPOSITORY}/actions/runs/{RUN_ID + number}"
    return {
        "id": RUN_ID + number, "name": "CI", "display_title": title, "head_branch": "main", "head_sha": sha,
        "path": ".github/workflows/ci.yml", "run_number": number, "run_attempt": 1, "event": "push", "status": status,
        "conclusion": conclusion, "workflow_id": 555001, "html_url": page, "created_at": iso(began_ms),
        "updated_at": iso(updated_ms), "run_started_at": iso(began_ms), "actor": {"login": login, "id": 2},
        "triggering_actor": {"login": login, "id": 2}, "pull_requests": [],
        "head_commit": {"id": sha, "message": title, "timestamp": iso(began_ms), "author": {"name": login}},
    }  # fmt: skip


def _job(run: dict[str, object], index: int, name: str) -> dict[str, object]:
    progress = "completed"
    if run["status"] == "in_progress":
        here = JOBS.index("migrate")
        progress = "completed" if index < here else "in_progress" if index == here else "queued"
    done = progress == "completed"
    return {
        "id": 53_000_000_000 + int(str(run["run_number"])) * 100 + index, "run_id": run["id"], "run_attempt": 1,
        "workflow_name": "CI", "name": name, "head_branch": "main", "head_sha": run["head_sha"], "status": progress,
        "conclusion": "success" if done else None, "created_at": run["created_at"], "started_at": run["created_at"],
        "completed_at": run["updated_at"] if done else None, "steps": [], "labels": ["ubuntu-latest"],
        "html_url": run["html_url"],
    }  # fmt: skip
