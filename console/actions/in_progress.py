"""What moves production just now, as a line of every plan: builds and rolling releases at Vercel, runs of the CI.

What is not configured gives no line; what cannot be read warns. `read` asks, `checks` judges; a plan that has read the
same already gives it by `of_vercel`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from console.actions.base import Context
from console.model import payload
from console.model.actions import Check, CheckResult
from console.model.observation import Json
from console.model.vercel_project import Deployment, Project, told
from console.model.words import listed
from console.sources.faults import Fault

T = TypeVar("T")

SOURCE = "vercel api"
OPTIONAL_S = 3.0
"""A plan must stand soon after the key: a vendor that hangs is told as one that says nothing."""
OVER = frozenset({"complete", "aborted"})
NAMES = 2


async def read(context: Context) -> dict[str, Json]:
    """Both vendors, as far as they are configured."""
    vercel, ci = await asyncio.gather(vercel_facts(context), ci_facts(context))
    return {"at_ms": context.now_ms(), "vercel": vercel, "ci": ci}


async def vercel_facts(context: Context) -> dict[str, Json]:
    """The project, its builds for production and its rolling release: each what was found, or why not."""
    if context.environment.vercel is None:
        return {}
    from console.actions.vercel_facts import api_of  # only here: plans of the CI alone need none of Vercel

    api = api_of(context)
    project, builds, rolling = await asyncio.gather(
        _asked(api.project(), told),
        _asked(api.deployments(target="production"), lambda page: [told(one) for one in page[0]]),
        _asked(api.rolling_release(), lambda found: told(found) if found else None),
    )
    return {"project": project, "deployments": builds, "rolling": rolling}


async def ci_facts(context: Context) -> dict[str, Json]:
    """The runs in progress with their jobs; empty where no CI is configured."""
    from console.actions import hold_ci  # which is made of `cancel_run`, whose plan has these lines too

    settings = context.operations.github
    try:
        async with asyncio.timeout(OPTIONAL_S):
            return await hold_ci.facts(context)
    except TimeoutError:
        assert settings is not None  # nothing is asked without it
        why = f"no answer within {OPTIONAL_S:g} s"
        return {
            "repository": settings.repository, "branch": settings.branch, "at_ms": context.now_ms(), "active": None,
            "why": why, "jobs": {},
        }  # fmt: skip


async def _asked(question: Awaitable[T], tell: Callable[[T], Json]) -> Json:
    try:
        async with asyncio.timeout(OPTIONAL_S):
            return {"found": tell(await question), "trouble": ""}
    except TimeoutError:
        return {"found": None, "trouble": f"no answer within {OPTIONAL_S:g} s"}
    except Fault as fault:
        return {"found": None, "trouble": fault.words}


def of_vercel(facts: Mapping[str, Json]) -> dict[str, Json]:
    """What `vercel_facts.read` of a move has read, as `read` would give it."""
    found: dict[str, Json] = {name: {"found": facts[name], "trouble": ""} for name in ("project", "deployments")}
    ci = dict(payload.mapping(facts, "ci"))
    return {"at_ms": facts["now_ms"], "vercel": {**found, "rolling": facts["rolling"]}, "ci": ci}


def checks(found: Mapping[str, Json], *, but: int | None = None) -> tuple[Check, ...]:
    """The lines. `but`: the CI run that the plan itself is about."""
    return (*vercel_checks(found), *ci_checks(payload.mapping(found, "ci"), but=but))


def ci_checks(ci: Mapping[str, Json], *, but: int | None = None) -> tuple[Check, ...]:
    """Runs that are going to deploy. Of others than `but` only what warns is a line."""
    if not ci:
        return ()
    from console.actions import hold_ci

    lines = hold_ci.checks(ci)
    others = tuple(line for line in lines if line.result is not CheckResult.PASS and line.key != f"ci-{but}")
    return lines if but is None else others


def vercel_checks(found: Mapping[str, Json]) -> tuple[Check, ...]:
    """Builds for production, a rolling release, a request to move production."""
    vercel, at_ms = payload.mapping(found, "vercel"), payload.time_ms(found, "at_ms")
    if not vercel:
        return ()
    lines = [_unread(vercel), *(say(vercel) for say in (_job, _rolling, _building))]
    warnings = tuple(
        Check(key=f"in-progress-{key}", result=CheckResult.WARN, words=words, source=SOURCE, at_ms=at_ms)
        for key, words in zip(("unread", "job", "rolling", "building"), lines, strict=True)
        if words
    )
    if warnings:
        return warnings
    words = "no production build, rolling release or move of production is in progress at Vercel"
    return (Check(key="in-progress", result=CheckResult.PASS, words=words, source=SOURCE, at_ms=at_ms),)


def project_of(vercel: Mapping[str, Json]) -> Project | None:
    """The project out of `vercel_facts`, where it was read."""
    raw = payload.at(vercel, "project", "found")
    return Project.of(raw) if isinstance(raw, dict) else None


_ASKED = {
    "project": "production is being moved",
    "deployments": "something is being built for it",
    "rolling": "a rolling release is in progress",
}


def _unread(vercel: Mapping[str, Json]) -> str:
    troubles = {name: why for name in _ASKED if (why := payload.text(vercel, name, "trouble"))}
    if not troubles:
        return ""
    what = " or ".join(_ASKED[name] for name in troubles)
    return f"whether {what} just now cannot be read: {listed(list(dict.fromkeys(troubles.values())), NAMES)}"


def _job(vercel: Mapping[str, Json]) -> str:
    project = project_of(vercel)
    job = project.job if project else None
    if job is None or not job.running:
        return ""
    return f"a {job.type} to {_named(vercel, job.target)} is {job.status} at Vercel"


def _rolling(vercel: Mapping[str, Json]) -> str:
    found = payload.mapping(vercel, "rolling", "found")
    state = payload.text(found, "state") if found else None
    if not found or state in OVER:
        return ""
    canary, share = _named(vercel, payload.text(found, "canary")), payload.number(found, "percentage")
    if state != "active":
        return f"a rolling release of {canary} stands in a way not known here, and may be in progress"
    return f"a rolling release of {canary} is in progress" + (f" at {share:.0f} %" if share is not None else "")


def _building(vercel: Mapping[str, Json]) -> str:
    builds = [one for one in _deployments(vercel) if one.building]
    if not builds:
        return ""
    project = project_of(vercel)
    pinned = project is not None and project.auto_assign is False
    ends = "which does not go live by itself" if pinned else "which goes live when it is ready"
    named = listed([f"{one.called} ({one.state})" for one in builds], NAMES)
    return f"being built for production: {named}, {ends}"


def _deployments(vercel: Mapping[str, Json]) -> list[Deployment]:
    told_ones = payload.items(vercel, "deployments", "found")
    return [one for item in told_ones if (one := Deployment.of(item))]


def _named(vercel: Mapping[str, Json], deployment: str | None) -> str:
    short = next((one.short for one in _deployments(vercel) if one.id == deployment), None)
    return short or deployment or "a deployment not told"
