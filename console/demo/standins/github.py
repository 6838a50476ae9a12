"""A stand-in for GitHub's Actions: the runs of the demo's pipeline, their jobs and logs, re-running and cancelling."""

from __future__ import annotations

import hashlib
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import Handler, bears, iso, message, now_ms
from console.demo.standins.pipeline import JOB_ID, Job, Pipeline, Run, Unready, log, steps
from console.demo.standins.project import Project
from console.demo.world import ORGANISATION, REPOSITORY, Deployment, World

WORKFLOW = "ci.yml"
_LARGEST_PAGE = 100


class GitHub:
    """One repository with one workflow."""

    def __init__(self, project: Project, pipeline: Pipeline, world: World, token: str) -> None:
        self._project, self._pipeline, self._world, self._token = project, pipeline, world, token
        self._migrating: Run | None = None
        self._building: Run | None = None

    def migrate(self, on: bool) -> None:
        """A run stays in its job `migrate`; switched off, that job fails."""
        if on and self._migrating is None:
            self._migrating = self._pipeline.begin_migrating()
        elif not on and self._migrating is not None:
            self._pipeline.fail(self._migrating)
            self._migrating = None

    def build(self, on: bool) -> None:
        """A run is at its build and goes on to deploy; switched off, it is cancelled if it still runs."""
        if on:
            self._building = self._pipeline.begin_building()
        elif self._building is not None:
            self._pipeline.cancel(self._building)

    def application(self) -> ASGIApp:
        """To be served."""
        repository = "/repos/{owner}/{repo}"
        run = f"{repository}/actions/runs/{{run:int}}"
        routes = [
            self._route("/user", self.user),
            self._route(f"{repository}/actions/runs", self.runs),
            self._route(f"{repository}/actions/workflows/{{workflow}}/runs", self.runs),
            self._route(run, self.run),
            self._route(f"{run}/jobs", self.jobs),
            self._route(f"{run}/rerun", self.rerun, "POST"),
            self._route(f"{run}/rerun-failed-jobs", self.rerun, "POST"),
            self._route(f"{run}/cancel", self.cancel, "POST"),
            self._route(f"{run}/force-cancel", self.cancel, "POST"),
            self._route(f"{repository}/actions/jobs/{{job:int}}", self.job),
            self._route(f"{repository}/actions/jobs/{{job:int}}/logs", self.log_address),
            self._route(f"{repository}/compare/{{span}}", self.compare),
            self._route(f"{repository}/commits/{{ref:path}}", self.commit),
            Route("/job-logs/{job:int}.txt", self.log),
        ]
        return Router(routes, default=message(404, "Not Found"))

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def guarded(request: Request) -> Response:
            if "user-agent" not in request.headers:
                return message(403, "Request forbidden by administrative rules. Please make sure it has a User-Agent")
            if not bears(request, self._token):
                return message(401, "Bad credentials")
            wanted = (request.path_params.get("owner", ORGANISATION), request.path_params.get("repo", REPOSITORY))
            known = request.path_params.get("workflow", WORKFLOW) == WORKFLOW
            return await handler(request) if known and wanted == (ORGANISATION, REPOSITORY) else _missing()

        return Route(path, guarded, methods=[method])

    async def user(self, request: Request) -> Response:
        """Whoever the token belongs to."""
        return JSONResponse({"login": "tabletalk-demo-bot", "id": 1})

    async def runs(self, request: Request) -> Response:
        """Newest first; an unchanged list is a 304 to who has its ETag."""
        found = [document for run in self._pipeline.newest_first() if _fits(document := _document(run), request)]
        size = min(_LARGEST_PAGE, max(1, int(request.query_params.get("per_page", 30))))
        begin = size * (max(1, int(request.query_params.get("page", 1))) - 1)
        return _tagged(request, {"total_count": len(found), "workflow_runs": found[begin : begin + size]})

    async def run(self, request: Request) -> Response:
        """One run."""
        run = self._pipeline.find(request.path_params["run"])
        return _missing() if run is None else JSONResponse(_document(run))

    async def jobs(self, request: Request) -> Response:
        """The jobs of a run's newest attempt."""
        run = self._pipeline.find(request.path_params["run"])
        if run is None:
            return _missing()
        told = [_job(run, index, job) for index, job in enumerate(run.jobs)]
        return _tagged(request, {"total_count": len(told), "jobs": told})

    async def rerun(self, request: Request) -> Response:
        """201: another attempt is queued."""
        run = self._pipeline.find(request.path_params["run"])
        if run is None:
            return _missing()
        try:
            self._pipeline.rerun(run, failed_only=request.url.path.endswith("rerun-failed-jobs"))
        except Unready as refusal:
            return message(403, str(refusal))
        return JSONResponse({}, 201)

    async def cancel(self, request: Request) -> Response:
        """202: it will end; 409: it has."""
        run = self._pipeline.find(request.path_params["run"])
        if run is None:
            return _missing()
        if self._pipeline.cancel(run):
            return JSONResponse({}, 202)
        return message(409, "Cannot cancel a workflow run that is completed.")

    async def job(self, request: Request) -> Response:
        """One job with its steps."""
        found = self._job(request.path_params["job"])
        if found is None:
            return _missing()
        run = next(each for each in self._pipeline.newest_first() if any(job is found for job in each.jobs))
        place = next(at for at, job in enumerate(run.jobs) if job is found)
        return JSONResponse(_job(run, place, found))

    async def log_address(self, request: Request) -> Response:
        """302 to the plain text, which is elsewhere and wants no token."""
        if self._job(request.path_params["job"]) is None:
            return _missing()
        return RedirectResponse(str(request.base_url) + f"job-logs/{request.path_params['job']}.txt", 302)

    async def log(self, request: Request) -> Response:
        """What a job has printed."""
        job = self._job(request.path_params["job"])
        return PlainTextResponse(log(job)) if job is not None else PlainTextResponse("gone", 410)

    async def commit(self, request: Request) -> Response:
        """The commit of a ref; 422 for one that is none."""
        ref = request.path_params["ref"]
        one = self._commit(ref)
        if one is None:
            return message(422, f"No commit found for SHA: {ref}")
        signed = {"name": one.author, "email": f"{one.login}@tabletalk.example", "date": iso(one.created_ms)}
        return JSONResponse({
            "sha": one.sha, "commit": {"message": one.message, "author": signed, "committer": signed},
            "author": {"login": one.login, "id": 2},
        })  # fmt: skip

    async def compare(self, request: Request) -> Response:
        """The commits and files between two of the deployed ones."""
        base, _, head = request.path_params["span"].partition("...")
        older, newer = self._commit(base), self._commit(head)
        if older is None or newer is None:
            return _missing()
        low, high = sorted((older.created_ms, newer.created_ms))
        between = [one for one in self._project.newest_first()[::-1] if low < one.created_ms <= high]
        between = [one for one in between if one.target == "production"]
        ahead = newer.created_ms >= older.created_ms
        names = [f"database/migrations/{one.number:03d}_{one.name}.sql" for one in self._world.migrations
                 if low < one.at_ms <= high]  # fmt: skip
        names += [f"src/app/change-{one.short}.ts" for one in between]
        commits = [{"sha": one.sha, "commit": {"message": one.message}} for one in between] if ahead else []
        return JSONResponse({
            "status": "ahead" if ahead else "behind", "ahead_by": len(commits), "total_commits": len(commits),
            "behind_by": 0 if ahead else len(between), "commits": commits,
            "files": [{"filename": name, "status": "added"} for name in names] if ahead else [],
        })  # fmt: skip

    def _commit(self, wanted: str) -> Deployment | None:
        if wanted == "main":
            return next(one for one in self._project.newest_first() if one.target == "production")
        found = (one for one in self._project.newest_first() if len(wanted) >= 7 and one.sha.startswith(wanted))
        return next(found, None)

    def _job(self, wanted: int) -> Job | None:
        number, index = divmod(wanted - JOB_ID, 100)
        run = next((each for each in self._pipeline.newest_first() if each.number == number), None)
        return run.jobs[index] if run is not None and index < len(run.jobs) else None


def _missing() -> Response:
    return message(404, "Not Found")


def _tagged(request: Request, content: dict[str, object]) -> Response:
    body = json.dumps(content).encode()
    tag = f'W/"{hashlib.sha256(body).hexdigest()}"'
    headers = {
        "etag": tag, "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4990", "x-ratelimit-used": "10",
        "x-ratelimit-reset": str(now_ms() // 1000 + 3000), "x-ratelimit-resource": "core",
    }  # fmt: skip
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, "application/json; charset=utf-8")


def _fits(document: dict[str, object], request: Request) -> bool:
    asked = request.query_params
    equal = all(asked.get(name) in (None, document[key]) for name, key in
                (("branch", "head_branch"), ("event", "event"), ("head_sha", "head_sha")))  # fmt: skip
    states = (None, document["status"], document["conclusion"])
    since = asked.get("created", "").removeprefix(">=")
    return equal and asked.get("status") in states and (not since or str(document["created_at"]) >= since)


def _document(run: Run) -> dict[str, object]:
    page = f"https://github.com/{ORGANISATION}/{REPOSITORY}/actions/runs/{run.id}"
    return {
        "id": run.id, "name": "CI", "display_title": run.title, "head_branch": "main", "head_sha": run.sha,
        "path": f".github/workflows/{WORKFLOW}", "run_number": run.number, "run_attempt": run.attempt, "event": "push",
        "status": run.status, "conclusion": run.conclusion, "workflow_id": 555001, "html_url": page,
        "created_at": iso(run.created_ms), "updated_at": iso(run.updated_ms), "run_started_at": iso(run.started_ms),
        "actor": {"login": run.login, "id": 2}, "triggering_actor": {"login": run.login, "id": 2},
        "pull_requests": [],
        "head_commit": {
            "id": run.sha, "message": run.title, "timestamp": iso(run.created_ms), "author": {"name": run.login},
        },
    }  # fmt: skip


def _job(run: Run, index: int, job: Job) -> dict[str, object]:
    return {
        "id": JOB_ID + run.number * 100 + index, "run_id": run.id, "run_attempt": run.attempt, "workflow_name": "CI",
        "name": job.name, "head_branch": "main", "head_sha": run.sha, "status": job.status,
        "conclusion": job.conclusion, "created_at": iso(run.started_ms),
        "started_at": iso(job.started_ms) if job.started_ms is not None else None,
        "completed_at": iso(job.ended_ms) if job.ended_ms is not None else None, "steps": steps(job),
        "labels": ["ubuntu-latest"], "runner_name": None, "html_url": None,
    }  # fmt: skip
