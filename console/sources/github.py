"""GitHub Actions, read only: the newest runs of the branch that deploys, and the jobs of those that matter.

Every URL is asked conditionally: an answer 304 costs nothing of the rate limit and gives what was read before. The jobs
of a run that is over are read once. Whether a run failed is no state of the application: what is told of it is told by
the Deployments screen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from console.model import payload
from console.model.configuration import Secret
from console.model.observation import ErrorKind, Event, Json, Observation, Origin, Outcome, Source
from console.model.operations import GitHub, Operations
from console.model.states import State
from console.sources.base import HttpSource, api_value
from console.sources.faults import Fault
from console.sources.github_runs import FAILED, SECONDARY_S, job_of, limited_s, run_of, spent, words_of
from console.sources.http import Answer, Client, Clients, Limits, Request
from console.sources.retold import Retold

TARGET = "github"
RUNS = 20
JOBS_OF = 8
"""Of so many runs that are over the jobs are read in one poll, the newest first, and of every one that is not over."""
JOBS_LIMIT = 100
LIMITS = Limits(connect_s=3.0, read_s=8.0, total_s=8.0, body_bytes=2 * 1024 * 1024)
"""A run is told with its whole repository, twice: twenty of them are 300 kB."""
TIMEOUT_S = 28.0
LONGEST_HOLD_S = 3600.0
"""The primary limit is one of an hour."""
NEWS_MS = 86_400_000
"""A run that failed longer ago than this is no news any more when it is first seen."""
_VERSION = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


class GitHubSource(HttpSource):
    """The runs of one repository's workflow. Emits an event when one has failed."""

    origin = Origin.API
    unreachable = State.UNKNOWN

    def __init__(self, settings: GitHub, client: Client) -> None:
        super().__init__(TARGET, client, interval_s=settings.interval_s, limits=LIMITS)
        self._timeout_s = TIMEOUT_S
        self._settings = settings
        self._known: dict[str, tuple[str, Json]] = {}
        """URL to its ETag and what it gave."""
        self._jobs: dict[tuple[int, int], list[Json]] = {}
        """Jobs of runs that are over, by run and attempt."""
        self._failed: set[tuple[int, int]] = set()
        self._retold = Retold()

    async def ask(self) -> Observation:
        """The runs with their jobs."""
        asked: set[str] = set()
        found = payload.items(await self._get(self._runs_path(), asked), "workflow_runs")
        runs = [run for item in list(found)[:RUNS] if (run := run_of(payload.mapping(item)))]
        wanted = self._wanted(runs)
        told = {run["id"]: await self._jobs_of(run, asked) for run in wanted}
        self._forget(runs, asked)
        every: list[dict[str, Json]] = [{**run, "jobs": told.get(run["id"])} for run in runs]
        listed: list[Json] = [*every]
        volatile: dict[str, Json] = {"runs": listed} if self._retold.is_due(listed) else {}
        newest = {name: runs[0][name] for name in ("id", "number", "status", "conclusion")} if runs else None
        facts: dict[str, Json] = {
            "repository": self._settings.repository,
            "branch": self._settings.branch,
            "newest": newest,
            "active": [run["id"] for run in runs if run["status"] != "completed"],
            "active_runs": [_going(run) for run in every if run["status"] != "completed"],
        }
        words = words_of(runs[0]) if runs else f"no run on {self._settings.branch} yet"
        observation = self.answered(State.HEALTHY, words, facts=facts, volatile=volatile)
        return replace(observation, events=self._events(listed))

    def _wanted(self, runs: list[dict[str, Json]]) -> list[dict[str, Json]]:
        """Those whose jobs are told now: all that go on, all that are known, and the newest of the rest."""
        known = [run for run in runs if run["status"] != "completed" or _key(run) in self._jobs]
        rest = [run for run in runs if run not in known]
        # Of what failed people ask first at which step: it does not wait for those that went well.
        urgent = sorted(rest, key=lambda run: run["conclusion"] not in FAILED)
        return [*known, *urgent[:JOBS_OF]]

    def _runs_path(self) -> str:
        workflow = self._settings.workflow
        part = f"workflows/{quote(workflow, safe='')}/runs" if workflow else "runs"
        query = {"branch": self._settings.branch, "per_page": str(RUNS), "exclude_pull_requests": "true"}
        return f"/actions/{part}?{urlencode(query)}"

    async def _jobs_of(self, run: Mapping[str, Json], asked: set[str]) -> list[Json] | None:
        """The jobs of a run's newest attempt; None: GitHub does not show them (any more)."""
        key = _key(run)
        if key in self._jobs:
            return self._jobs[key]
        try:
            answer = await self._get(f"/actions/runs/{key[0]}/jobs?filter=latest&per_page={JOBS_LIMIT}", asked)
        except Fault as fault:
            if fault.http_status not in (404, 410):
                raise
            return None
        jobs: list[Json] = [*(job_of(payload.mapping(job)) for job in list(payload.items(answer, "jobs"))[:JOBS_LIMIT])]
        if run["status"] == "completed" and all(payload.text(job, "status") == "completed" for job in jobs):
            self._jobs[key] = jobs
        return jobs

    def _forget(self, runs: list[dict[str, Json]], asked: set[str]) -> None:
        """Keep nothing of what is not listed any more."""
        keys = {_key(run) for run in runs}
        self._jobs = {key: jobs for key, jobs in self._jobs.items() if key in keys}
        self._known = {url: known for url, known in self._known.items() if url in asked}

    async def _get(self, path: str, asked: set[str]) -> Json:
        """The JSON at a path of the repository; what was read before where that has not changed. Raises `Fault`."""
        asked.add(path)
        tag, before = self._known.get(path, ("", None))
        answer = await self.get(self._request(path, {"if-none-match": tag} if tag else {}))
        if answer.status == 304 and tag:
            return before
        _refuse_limited(answer)
        if answer.status == 404 and "/jobs" not in path:
            raise Fault(
                ErrorKind.CREDENTIALS,
                f"GitHub answers 404: this token may not see {self._settings.repository}, or there is no such thing",
                outcome=Outcome.FORBIDDEN,
                http_status=404,
            )
        value = api_value(answer, "GitHub")
        if "etag" in answer.headers:
            self._known[path] = answer.headers["etag"][:200], value
        return value

    def _request(self, path: str, headers: Mapping[str, str]) -> Request:
        return request_to(self._settings, path, headers)

    def _unanswered(self, fault: Fault) -> Observation:
        """A limit is obeyed for as long as GitHub says, at most for its hour."""
        observation = super()._unanswered(fault)
        if fault.kind is ErrorKind.RATE_LIMITED and fault.outcome is Outcome.BLOCKED:
            wait_s = SECONDARY_S if fault.retry_after_s is None else fault.retry_after_s
            self._held_until = time.monotonic() + min(wait_s, LONGEST_HOLD_S)
        return observation

    def _events(self, runs: list[Json]) -> tuple[Event, ...]:
        """One for each run that has failed and is news; its key makes the store keep it once."""
        now_ms = time.time_ns() // 1_000_000
        failed = [dict(payload.mapping(run)) for run in runs if payload.text(run, "conclusion") in FAILED]
        news = [
            run
            for run in failed
            if _key(run) not in self._failed and now_ms - (payload.time_ms(run, "updated_ms") or 0) < NEWS_MS
        ]
        self._failed = {_key(run) for run in failed}
        return tuple(_event(run, now_ms) for run in news)


def build(operations: Operations | None, clients: Clients) -> list[Source]:
    """The repository, if configured."""
    settings = operations.github if operations is not None else None
    return [GitHubSource(settings, clients.of(settings.api))] if settings is not None else []


def request_to(settings: GitHub, path: str, headers: Mapping[str, str] | None = None) -> Request:
    """A question at a path of the repository."""
    return Request(
        url=f"{settings.api.rstrip('/')}/repos/{settings.repository}{path}",
        headers={**_VERSION, **(headers or {})},
        credentials={"authorization": Secret(f"Bearer {settings.token.reveal()}")},
        limits=LIMITS,
    )


def _refuse_limited(answer: Answer) -> None:
    """A limit comes as 403 too. Raises `Fault`."""
    wait_s = limited_s(answer)
    if wait_s is None:
        return
    raise Fault(
        ErrorKind.RATE_LIMITED,
        f"{answer.status}: GitHub's {'hourly' if spent(answer) else 'secondary'} rate limit is reached",
        outcome=Outcome.BLOCKED,
        state=State.UNKNOWN,
        http_status=answer.status,
        retry_after_s=wait_s,
    )


def _key(run: Mapping[str, Json]) -> tuple[int, int]:
    return int(payload.number(run, "id") or 0), int(payload.number(run, "attempt") or 1)


def _event(run: Mapping[str, Json], now_ms: int) -> Event:
    number, attempt = _key(run)
    jobs = [payload.mapping(job) for job in payload.items(run.get("jobs"))]
    failing = next((job for job in jobs if payload.text(job, "conclusion") in FAILED), {})
    where = payload.text(failing, "name")
    place = f" at {where}" if where else ""
    author = payload.text(run, "author")
    return Event(
        at_ms=min(payload.time_ms(run, "updated_ms") or now_ms, now_ms),
        kind="ci",
        subject=TARGET,
        text=f"CI #{run['number']} failed{place}: {run['title']}" + (f" ({author})" if author else ""),
        key=f"ci/{number}/{attempt}",
        data={"id": number, "number": run["number"], "attempt": attempt, "commit": run["commit"]},
    )


def _going(run: Mapping[str, Json]) -> Json:
    """Of a run that is not over, what the keeper of a deploy freeze needs."""
    jobs = [payload.mapping(job) for job in payload.items(run, "jobs")]
    running: list[Json] = [job["name"] for job in jobs if job.get("status") == "in_progress"]
    return {**{name: run[name] for name in ("id", "number", "attempt")}, "running": running}
