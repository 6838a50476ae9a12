"""Following what Vercel accepted, until it is done and ours: accepted is not done, and done can be somebody else's.

Time at Vercel is compared with time at Vercel: our own request is the one after the last one seen before we asked.
Where a question fails it is asked again; a token that is refused is not asked with for three minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from console.actions.base import Context, done, failed, unknown
from console.actions.vercel_api import Move, VercelApi
from console.model.actions import StepResult
from console.model.inquiries import LogLine
from console.model.observation import Outcome
from console.model.vercel_project import Deployment, Job, Project
from console.model.words import listed, seconds
from console.sources.faults import Fault

T = TypeVar("T")

POLL_S = 1.0
FOLLOW_S = 180.0  # the job goes on at Vercel: after this nobody knows, which is not failed
QUEUED_S = 900.0  # behind a rolling release
RESOLVE_S = 10.0  # longer than what was accepted takes to show
CLOCKS_APART_MS = 300_000  # between Vercel's own machines, and this host where it must stand in
REFUSED_OFTEN = 3
WAIT_LIMIT_S = 60.0
LOG_LINES = 8
BUILD_S = 1800.0  # a build that is queued behind others
LIVE_S = 120.0  # from READY to serving, checks before the domains included


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A move of production that was asked for, as a plan's data and the steps before keep it."""

    move: Move
    target: str
    before_ms: int | None
    """`requestedAt` of the last job seen before we asked; None: there was none."""
    asked_ms: int | None = None
    """When Vercel took ours; None: not known."""
    queued: bool = False
    same: bool = False
    """The target serves already: what the move changes is the assignment of later pushes."""

    def moved(self, project: Project) -> bool:
        """Whether the project is as the move would leave it."""
        live = project.production
        return live is not None and live.id == self.target and (not self.same or project.auto_assign is True)

    def ours(self, job: Job | None) -> bool:
        """Whether a job is the one that was asked for."""
        return job is not None and job.target == self.target and job.type in (self.move, "unknown") and self.after(job)

    def after(self, job: Job) -> bool:
        """Whether a job came after we asked, or at the same time."""
        if job.requested_ms is None:
            return self.before_ms is None
        if self.before_ms is not None and job.requested_ms <= self.before_ms:
            return False
        return self.asked_ms is None or job.requested_ms >= self.asked_ms - CLOCKS_APART_MS


async def follow(context: Context, api: VercelApi, asked: Asked) -> tuple[StepResult, Project | None]:
    """Until production is moved, the job failed, or nobody can know; and the project as last seen."""
    limit_s = QUEUED_S if asked.queued else FOLLOW_S
    seen: list[Project] = []

    async def look() -> StepResult | None:
        project = await api.project()
        seen.append(project)
        result = judged(project, asked)
        if isinstance(result, StepResult):
            return await _with_domains(api, asked, result)
        context.tell(result)
        return None

    result = await _polled(context, look, limit_s)
    last = seen[-1] if seen else None
    if result is not None:
        return result, last
    words = f"not at its end after {seconds(limit_s)}: it goes on at Vercel, so its outcome is not known"
    return unknown(words + (f"; {_stands(last, asked)}" if last else "")), last


def judged(project: Project, asked: Asked) -> StepResult | str:
    """How a move stands: its end, or in words what it waits for."""
    job, live = project.job, project.production
    if job is None or not asked.ours(job):
        return _without_job(project, asked)
    if job.status == "failed":
        return failed(f"Vercel's {asked.move} failed", job_failed=True)
    if job.status in ("pending", "in-progress"):
        return f"the {asked.move} is {job.status}"
    if asked.moved(project) or (asked.same and job.status == "succeeded"):
        said = "succeeded" if job.status == "succeeded" else f"is {job.status}"
        return done(f"production is {_named(live)}: the {asked.move} {said}")
    if live is None and job.status == "succeeded":
        return done(f"the {asked.move} succeeded; which deployment serves is not shown to this token")
    if job.status == "skipped":
        return failed(f"Vercel skipped the {asked.move}: production is {_named(live)}")
    return f"the {asked.move} is {job.status}, production is still {_named(live)}"


def _without_job(project: Project, asked: Asked) -> StepResult | str:
    job, live = project.job, project.production
    foreign = job if job is not None and job.requested_ms is not None and asked.after(job) else None
    if asked.moved(project):
        also = f"; since then somebody asked for a {foreign.type} to {foreign.target}" if foreign else ""
        return done(f"production is {_named(live)}{also}")
    if foreign is not None and foreign.status == "succeeded" and live is not None and live.id == foreign.target:
        return failed(f"somebody else's {foreign.type} came after it: production is {_named(live)}")
    if foreign is not None:
        return f"somebody else's {foreign.type} to {foreign.target} is {foreign.status}: not ours"
    return "waiting behind the rolling release" if asked.queued else "Vercel does not show the request yet"


async def _with_domains(api: VercelApi, asked: Asked, result: StepResult) -> StepResult:
    """A failed move with the domains that did not go along."""
    if not result.data.get("job_failed"):
        return result
    try:
        names = await api.unmoved(asked.move)
    except Fault as fault:
        return failed(f"{result.words}; which domains did not move cannot be read: {fault.words}")
    if not names:
        return failed(f"{result.words}; no domain is named that did not move")
    return failed(f"{result.words}; not moved: {listed(names, 5)}", not_moved=list(names))


async def resolve(context: Context, api: VercelApi, asked: Asked) -> StepResult:
    """Whether a move whose answer was lost was taken. Raises `Fault` when the project cannot be read."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        project = await api.project()
        job, live = project.job, project.production
        if asked.ours(job):
            return done(f"Vercel took it: the {asked.move} is {job.status if job else ''}")
        if asked.moved(project):
            return done(f"production is {_named(live)}")
        if job is not None and asked.after(job):
            return unknown(f"the last request at Vercel is somebody else's {job.type} to {job.target}")
        if clock() - began >= RESOLVE_S:
            return failed(f"Vercel shows no such request after {RESOLVE_S:g} s: nothing was changed")
        await context.wait(POLL_S)


async def built(context: Context, api: VercelApi, deployment: str) -> tuple[StepResult, Deployment | None]:
    """Until a build is READY or failed, with the end of its log; and the deployment as last seen."""
    seen: list[Deployment] = []

    async def look() -> StepResult | None:
        one = await api.deployment(deployment)
        seen.append(one)
        if one.state == "ready":
            return done(f"{one.short} is built")
        if one.state in ("error", "canceled", "deleted"):
            return await _broken(api, one)
        context.tell(f"the build is {one.state}")
        return None

    result = await _polled(context, look, BUILD_S)
    return result or unknown(f"the build is not at its end after {seconds(BUILD_S)}"), seen[-1] if seen else None


async def _broken(api: VercelApi, one: Deployment) -> StepResult:
    words = f"the build is {one.state}" + (f": {one.error}" if one.error else "")
    try:
        lines = await api.build_log(one.id)
    except Fault as fault:
        return failed(f"{words}; its log cannot be read: {fault.words}")
    last = [line.text for line in _telling(lines)]
    return failed(f"{words}; its log ends: {' ↵ '.join(last[-3:])}" if last else words, log=list(last))


def _telling(lines: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
    return lines[-LOG_LINES:]


async def live(context: Context, api: VercelApi, deployment: str) -> tuple[StepResult, Project | None]:
    """Until a deployment that was built serves production; pinned production does not change."""
    seen: list[Project] = []

    async def look() -> StepResult | None:
        project = await api.project()
        seen.append(project)
        if project.production is not None and project.production.id == deployment:
            return done(f"production is {_named(project.production)}")
        one = await api.deployment(deployment)
        if one.alias_checks == "failed" or (one.error and one.aliased is not True):
            return failed(f"built, not live: {one.error or 'the checks before its domains failed'}")
        if project.auto_assign is False:
            return failed(f"built, not live: production is pinned; to make it live: radar promote {deployment}")
        context.tell("built, waiting for the domains")
        return None

    result = await _polled(context, look, LIVE_S)
    last = seen[-1] if seen else None
    return result or failed(f"built, and not live after {seconds(LIVE_S)}: radar promote {deployment}"), last


async def _polled(
    context: Context, look: Callable[[], Awaitable[StepResult | None]], limit_s: float
) -> StepResult | None:
    """Look each second until there is a result; None: there was none in time. Faults are told and looked beyond."""
    clock = asyncio.get_running_loop().time
    began, refusals = clock(), 0
    while True:
        wait_s = POLL_S
        try:
            result = await look()
            if result is not None:
                return result
            refusals = 0
        except Fault as fault:
            context.tell(f"it cannot be followed now: {fault.words}")
            refusals = refusals + 1 if fault.outcome is Outcome.FORBIDDEN or fault.http_status in (404, 410) else 0
            if refusals >= REFUSED_OFTEN:
                return unknown(f"it cannot be followed, and goes on at Vercel: {fault.words}")
            wait_s = max(POLL_S, min(fault.retry_after_s or POLL_S, WAIT_LIMIT_S))
        if clock() - began + wait_s > limit_s:
            return None
        await context.wait(wait_s)


def _stands(project: Project, asked: Asked) -> str:
    result = judged(project, asked)
    return result.words if isinstance(result, StepResult) else result


def _named(live: Deployment | None) -> str:
    return f"{live.short} ({live.id})" if live else "not told"
