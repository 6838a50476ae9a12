"""The CI of the demo's repository: its runs, and the work of those in progress, which really deploys.

Job names and their order are those of the application's workflow; the security job is commented out there.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from console.demo.standins.answers import iso, now_ms
from console.demo.standins.project import Project
from console.demo.world import DAY_MS, HOUR_MS, Deployment, World

FIRST_RUN = 380
RUN_ID = 19_000_000_000
JOB_ID = 53_000_000_000
QUEUED_S = 0.5
"""Until a runner is free."""
CANCEL_S = 1.0
"""From the acceptance of a cancellation to the end of the run."""

PAST_S = {
    "lint": 38, "test": 74, "integration-test": 96, "build": 95, "migrate": 14, "deploy-staging": 61,
    "deploy-production": 120, "performance": 45, "notify": 4,
}  # fmt: skip
"""What each job took in the 30 days before, in seconds."""
LIVE_S = {
    "lint": 2.0, "test": 4.0, "integration-test": 5.0, "build": 12.0, "migrate": 4.0, "deploy-staging": 8.0,
    "deploy-production": 4.0, "performance": 3.0, "notify": 0.5,
}  # fmt: skip
"""And what it takes in a run of the demo's own, before the deployment itself."""
SLOW_BUILD_S = 60.0
"""The build of `ci-run-active`: a minute to see the run and to hold it."""
_STEPS = {"test": "npm test", "integration-test": "npm run test:integration", "migrate": "npm run migrate:production"}
_BEFORE = (("Set up job", 0.0), ("Run actions/checkout@v4", 0.03), ("npm ci", 0.08))
_MAIN_AT = 0.3
_AFTER = (("Post Run actions/checkout@v4", 0.96), ("Complete job", 0.99))
"""The steps around the one that a job is named for, and at which share of its time each begins."""
_FAILURES = ((19, "integration-test", "feat: audit reminders (#393)"), (3, "test", "refactor: review parser (#417)"))
"""(days ago, failing job, title): what never came to deploy."""


@dataclass(slots=True)
class Job:
    """One job of the newest attempt."""

    name: str
    seconds: float
    status: str = "queued"
    conclusion: str | None = None
    started_ms: int | None = None
    ended_ms: int | None = None

    def begin(self) -> None:
        """It is in progress."""
        self.status, self.started_ms = "in_progress", now_ms()

    def end(self, conclusion: str) -> None:
        """It is at its end."""
        self.status, self.conclusion, self.ended_ms = "completed", conclusion, now_ms()


@dataclass(slots=True)
class Run:
    """One run of the workflow on main."""

    number: int
    sha: str
    title: str
    login: str
    created_ms: int
    jobs: list[Job]
    status: str = "completed"
    conclusion: str | None = "success"
    attempt: int = 1
    started_ms: int = 0
    updated_ms: int = 0
    cancelling: bool = False
    work: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def id(self) -> int:
        """GitHub's id."""
        return RUN_ID + self.number

    def end(self, conclusion: str) -> None:
        """It is at its end, and so is every job of it."""
        for job in self.jobs:
            if job.status != "completed":
                job.end("cancelled" if conclusion == "cancelled" else "skipped")
        self.status, self.conclusion, self.updated_ms = "completed", conclusion, now_ms()


class Unready(Exception):
    """GitHub refuses; the text is its message."""


class Pipeline:
    """All runs, oldest first. What deploys goes through `project`."""

    def __init__(self, world: World, project: Project) -> None:
        self._project = project
        self._runs: list[Run] = []
        self._adopted: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        failures = [(world.now_ms - days * DAY_MS - 3 * HOUR_MS, job, title) for days, job, title in _FAILURES]
        past: list[tuple[int, Deployment | tuple[str, str]]] = [
            (one.created_ms, one) for one in world.deployments
        ] + [(at_ms, (job, title)) for at_ms, job, title in failures]  # fmt: skip
        for at_ms, what in sorted(past, key=lambda each: each[0]):
            self._add(_failed(at_ms, *what) if isinstance(what, tuple) else self._of(what))

    def newest_first(self) -> list[Run]:
        """All runs; a deployment that came from a push has one."""
        for one in self._project.newest_first()[::-1]:
            if one.id not in self._adopted and self._project.comes_from_git(one):
                self._add(self._of(one))
        return sorted(self._runs, key=lambda run: -run.number)

    def find(self, run: int) -> Run | None:
        """A run by its id."""
        return next((each for each in self.newest_first() if each.id == run), None)

    def begin_building(self) -> Run:
        """A push to main whose run is at its build, and goes on to deploy."""
        run = self._begin("fix: pricing of the yearly plan (#433)", "jonas", "build")
        next(job for job in run.jobs if job.name == "build").seconds = SLOW_BUILD_S
        self._work_on(run)
        return run

    def begin_migrating(self) -> Run:
        """A push to main whose run stays in its migration until `end` is called."""
        run = self._begin("feat: audit weights (migration 012)", "luis", "migrate")
        next(job for job in run.jobs if job.name == "migrate").begin()
        return run

    def fail(self, run: Run) -> None:
        """Its job in progress fails, and it with it. Nothing when it has ended already."""
        for job in run.jobs:
            if job.status == "in_progress":
                job.end("failure")
        if run.status != "completed":
            run.end("failure")

    def rerun(self, run: Run, *, failed_only: bool) -> None:
        """Another attempt begins. Raises `Unready`."""
        if run.status != "completed":
            raise Unready("This workflow is already running")
        if now_ms() - run.created_ms > 30 * DAY_MS:
            raise Unready("Unable to retry this workflow run because it was created over a month ago")
        if failed_only and run.conclusion == "success":
            raise Unready("This workflow run cannot be retried")
        kept = [job for job in run.jobs if failed_only and job.conclusion == "success"]
        run.jobs = kept + [Job(name, LIVE_S[name]) for name in PAST_S if name not in {job.name for job in kept}]
        run.attempt += 1
        run.status, run.conclusion, run.cancelling, run.started_ms = "queued", None, False, now_ms()
        run.updated_ms = run.started_ms
        self._work_on(run)

    def cancel(self, run: Run) -> bool:
        """Accept its end, which comes a second later. False: it is at its end."""
        if run.status == "completed":
            return False
        if not run.cancelling:
            run.cancelling = True
            self._later(self._end(run))
        return True

    async def _end(self, run: Run) -> None:
        await asyncio.sleep(CANCEL_S)
        if run.status == "completed":
            return
        if run.work is not None:
            run.work.cancel()
        run.end("cancelled")

    def _work_on(self, run: Run) -> None:
        run.work = self._later(self._work(run))

    async def _work(self, run: Run) -> None:
        await asyncio.sleep(QUEUED_S)
        run.status = "in_progress"
        for job in run.jobs:
            if job.status == "completed":
                continue
            job.begin()
            run.updated_ms = now_ms()
            await asyncio.sleep(job.seconds)
            if job.name == "deploy-staging":
                await asyncio.shield(self._project.deploy(run.title, sha=run.sha, target="staging", run=True))
            if job.name == "deploy-production":
                # Shielded: to end the job does not end what Vercel builds.
                made = await asyncio.shield(self._project.deploy(run.title, sha=run.sha, login=run.login, run=True))
                self._adopted.add(made.id)
            job.end("success")
        run.end("success")

    def _begin(self, title: str, login: str, at: str) -> Run:
        """A run whose jobs before `at` are done."""
        began_ms = now_ms() - 240_000
        sha = hashlib.sha1(f"{title}/{began_ms}".encode(), usedforsecurity=False).hexdigest()
        jobs, offset_ms = [Job(name, seconds) for name, seconds in LIVE_S.items()], began_ms
        for job in jobs[: list(LIVE_S).index(at)]:
            job.status, job.conclusion, job.started_ms = "completed", "success", offset_ms
            offset_ms += PAST_S[job.name] * 1000
            job.ended_ms = offset_ms
        run = Run(self._next(), sha, title, login, began_ms, jobs, "in_progress", None, 1, began_ms, now_ms())
        self._runs.append(run)
        return run

    def _of(self, one: Deployment) -> Run:
        """The run that made a deployment: its job for production began when the deployment was made."""
        before_ms = sum(PAST_S[name] for name in list(PAST_S)[: list(PAST_S).index("deploy-production")]) * 1000
        self._adopted.add(one.id)
        return _finished(one.sha, one.message, one.login, one.created_ms - before_ms, now_ms())

    def _add(self, run: Run) -> None:
        run.number = self._next()
        self._runs.append(run)

    def _next(self) -> int:
        return FIRST_RUN + len(self._runs)

    def _later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _finished(sha: str, title: str, login: str, began_ms: int, until_ms: int) -> Run:
    """A run that went well, and took no longer than until then: nothing ends in the future."""
    jobs, at_ms = [], began_ms
    for name, seconds in PAST_S.items():
        ended_ms = min(at_ms + seconds * 1000, until_ms)
        jobs.append(Job(name, seconds, "completed", "success", at_ms, ended_ms))
        at_ms = ended_ms
    return Run(0, sha, title, login, began_ms, jobs, started_ms=began_ms, updated_ms=at_ms)


def _failed(began_ms: int, failing: str, title: str) -> Run:
    sha = hashlib.sha1(title.encode(), usedforsecurity=False).hexdigest()
    run = _finished(sha, title, "aiko", began_ms, now_ms())
    place = list(PAST_S).index(failing)
    run.jobs[place].conclusion = run.conclusion = "failure"
    run.updated_ms = run.jobs[place].ended_ms or began_ms
    for job in run.jobs[place + 1 :]:  # skipped when the one before them has failed
        job.conclusion, job.started_ms, job.ended_ms = "skipped", run.updated_ms, run.updated_ms
    return run


def steps(job: Job) -> list[dict[str, object]]:
    """The steps of a job; the one that it is named for is the one that fails. A job that was skipped has none."""
    if job.conclusion == "skipped":
        return []
    named = [*_BEFORE, (_main(job), _MAIN_AT), *_AFTER]
    ends = [share for _, share in named[1:]] + [1.0]
    told: list[dict[str, object]] = []
    for index, ((name, begin), end) in enumerate(zip(named, ends, strict=True)):
        status, conclusion = _stands(job, index - len(_BEFORE))
        began_ms, ended_ms = _at(job, begin), _at(job, end)
        told.append({
            "number": index + 1, "name": name, "status": status, "conclusion": conclusion,
            "started_at": iso(began_ms) if began_ms is not None and status != "queued" else None,
            "completed_at": iso(ended_ms) if ended_ms is not None and status == "completed" else None,
        })  # fmt: skip
    return told


def _main(job: Job) -> str:
    return _STEPS.get(job.name, f"npm run {job.name}")


def _stands(job: Job, place: int) -> tuple[str, str | None]:
    """Status and conclusion of a step before (negative), at (0) or after the main one."""
    if place == 0:
        return job.status, job.conclusion
    is_over = job.status == "completed" or (job.status == "in_progress" and place < 0)
    return ("completed", "success") if is_over else ("queued", None)


def _at(job: Job, share: float) -> int | None:
    """The moment at that share of a job's time; of one in progress by what it is expected to take."""
    if job.started_ms is None:
        return None
    ended_ms = job.ended_ms if job.ended_ms is not None else job.started_ms + int(job.seconds * 1000)
    return job.started_ms + int((ended_ms - job.started_ms) * share)


def log(job: Job) -> str:
    """What it printed, ANSI and all: before its main step the setting up, after it the cleaning up."""
    failed = job.conclusion == "failure"
    parts = (
        (0.0, ["Current runner version: '2.321.0'", "##[group]Operating System", "Ubuntu 24.04", "##[endgroup]"]),
        (0.03, ["##[group]Run actions/checkout@v4", "with:", "  fetch-depth: 1", "##[endgroup]", "Syncing repository"]),
        (0.08, ["##[group]Run npm ci", "npm ci", "##[endgroup]", "added 812 packages in 9s"]),
        (_MAIN_AT, [f"##[group]Run {_main(job)}", "\x1b[36;1mnpm run\x1b[0m", "##[endgroup]"]),
        (0.95, [*_printed(job), *(["##[error]Process completed with exit code 1."] if failed else [])]),
        (0.96, ["Post job cleanup.", "[command]/usr/bin/git version", "git version 2.47.1",
                "[command]/usr/bin/git config --local --unset-all http.https://github.com/.extraheader"]),
        (0.99, ["Cleaning up orphan processes"]),
    )  # fmt: skip
    return "".join(
        f"{_stamp(job, share, place)} {line}\n" for share, lines in parts for place, line in enumerate(lines)
    )


def _printed(job: Job) -> list[str]:
    if job.conclusion == "failure" and job.name == "migrate":
        return ["error: canceling statement due to lock timeout", "  at ALTER TABLE public.audits ADD COLUMN weight"]
    if job.conclusion == "failure":
        return [
            "\x1b[31m  ✗ audits › sends a reminder after seven days\x1b[39m",
            "    expected 7, received 6 (tests/reminders.test.ts:41:18)",
            "\x1b[1mTests:\x1b[22m 1 failed, 212 passed, 213 total",
        ]
    return ["\x1b[32m✓ done\x1b[39m"]


def _stamp(job: Job, share: float, place: int) -> str:
    """The time of a line as the runner writes it, to a ten millionth of a second."""
    at_ms = (_at(job, share) or 0) + place
    return f"{iso(at_ms).removesuffix('Z')}.{at_ms % 1000:03d}0000Z"
