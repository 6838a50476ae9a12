"""What is seen from outside after something was changed: does the right version answer, is it better or worse.

The probes are those of the collector, asked here by the process that acts. What a firewall or a cache answered says
nothing of the application, and is told as not seen.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from console.actions.base import Context, done, failed
from console.model import payload
from console.model.actions import StepOutcome, StepResult
from console.model.health import parse_health
from console.model.observation import Json, Observation, Outcome
from console.model.operations import Verification
from console.model.states import State
from console.model.text import clean
from console.model.vercel_project import Deployment
from console.model.words import listed, seconds
from console.sources.application import address, build
from console.sources.faults import Fault
from console.sources.http import REDIRECT_LIMIT, Answer, Limits, Request, fetch

HEALTH = "health"
_COMMIT = re.compile("[0-9a-f]{7,40}")
SEE_S = 30.0  # from the project's word to the last edge
SEE_POLL_S = 1.0
BEFORE_S = 2.0  # a picture of before must not keep a rollback waiting
LIMITS = Limits(connect_s=3.0, read_s=5.0, total_s=6.0)
_HARM = {State.HEALTHY: 0, State.DEGRADED: 1, State.UNHEALTHY: 2}


async def before(context: Context) -> dict[str, Json]:
    """How it is now, for `see` and `watch` to compare with: each target's state, and the version that health tells.

    What does not answer in time is unhealthy.
    """
    sources = build(context.environment, context.clients)
    asked_of = {asyncio.ensure_future(source.observe()): source.target for source in sources}
    try:
        answered, late = await asyncio.wait(asked_of, timeout=BEFORE_S)
    finally:
        for task in asked_of:
            task.cancel()
    states: dict[str, Json] = {asked_of[task]: State.UNHEALTHY.value for task in late}
    states |= {asked_of[task]: task.result().state.value for task in answered}
    version = next((task.result().facts.get("version") for task in answered if asked_of[task] == HEALTH), None)
    return {"states": states, "version": version}


async def see(context: Context, target: Deployment | None) -> StepResult:
    """Until the configured address answers, as the target where it tells its version; from outside."""
    version_before = payload.text(context.done, "before", "version")
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        good, words = await _seen(context, target, version_before)
        if good:
            return done(words)
        context.tell(words)
        if clock() - began >= SEE_S:
            return failed(f"not seen within {seconds(SEE_S)}: {words}")
        await context.wait(SEE_POLL_S)


async def _seen(context: Context, target: Deployment | None, version_before: str | None) -> tuple[bool, str]:
    """Whether it is seen, and what was seen."""
    host = urlsplit(context.environment.url).hostname or context.environment.url
    try:
        answer = await asked(context, address(context.environment, context.environment.health))
    except Fault as fault:
        return False, f"{host}: {fault.words}"
    health = parse_health(answer.status, answer.headers, answer.body)
    edge = clean(answer.headers.get("x-vercel-id", ""), 60)
    by = f"; by Vercel ({edge})" if edge else ""
    if health.outcome is Outcome.BLOCKED:
        return True, f"{host} cannot be seen from here: {health.words}{by}"
    version = health.facts.get("version")
    if isinstance(version, str) and target is not None and (same := names(version, target)) is not None:
        return same, f"{host} answers {answer.status} as version {version}" + (by if same else ": not yet the target's")
    if answer.status >= 500:
        return False, f"{host} answers {answer.status}{by}"
    told = f"as version {version}, which names no commit" if version else "without telling its version"
    before = (
        "" if not version_before else " (as before)" if version == version_before else f" (before: {version_before})"
    )
    return True, f"{host} answers {answer.status} {told}{before}{by}"


def names(version: str, target: Deployment) -> bool | None:
    """Whether a version is the target's; None: it names no commit and no deployment, so nobody can tell."""
    said = version.strip().lower()
    if said == target.id.lower():
        return True
    parts = [part for part in re.split("[-+._]", said) if _COMMIT.fullmatch(part)]
    if target.commit and any(target.commit.lower().startswith(part) for part in parts):
        return True
    others = [part for part in parts if not part.isdecimal()]  # what has digits only may be a date or a number
    return False if (target.commit and others) or said.startswith("dpl_") else None


async def asked(context: Context, url: str) -> Answer:
    """One page or health answer from outside. Raises `Fault`."""
    request = Request(url=url, limits=LIMITS, redirects=REDIRECT_LIMIT, cut=True)
    return await fetch(context.clients.of(url), request)


async def watch(context: Context, undo: str) -> StepResult:
    """Rounds of probes until enough good ones came in a row, or as many that are worse than before, or time is up."""
    was = payload.mapping(context.done, "before", "states") or None
    told = context.operations.verification
    sources = build(context.environment, context.clients)
    clock = asyncio.get_running_loop().time
    began, good, bad, rounds = clock(), 0, 0, 0
    while True:
        found = await asyncio.gather(*(source.observe() for source in sources))
        rounds += 1
        good = good + 1 if _good(found) else 0
        bad = bad + 1 if was is not None and _worse(found, was) else 0
        context.tell(f"round {rounds}: {_words(found)}; {good} of {told.rounds} good")
        if good >= told.rounds:
            return done(f"{told.rounds} good rounds: {_words(found)}")
        if bad >= told.rounds or clock() - began + told.interval_s > told.window_s:
            return _not_good(found, was, told, undo)
        await context.wait(told.interval_s)


def _not_good(
    found: Sequence[Observation], was: Mapping[str, Json] | None, told: Verification, undo: str
) -> StepResult:
    words = f"{_words(found)}" + (f"; undo: {undo}" if undo else "")
    if was is None:
        return failed(f"not {told.rounds} good rounds in a row, and nothing to compare with: {words}")
    if _worse(found, was):
        return StepResult(outcome=StepOutcome.DONE, words=f"worse than before: {words}", worse=True)
    if all(observation.state not in _HARM for observation in found):
        return failed(f"nothing can be seen from here: {words}")
    return failed(f"not {told.rounds} good rounds in a row, though not worse than before: {words}")


def _good(found: Sequence[Observation]) -> bool:
    """Nothing known is bad, and something is known."""
    known = [_HARM[one.state] for one in found if one.state in _HARM]
    return bool(known) and max(known) == 0


def _worse(found: Sequence[Observation], was: Mapping[str, Json]) -> bool:
    """Whether more got worse than got better. What was not known before counts as having been well."""
    return sum(_HARM[one.state] - _harm_before(was.get(one.target)) for one in found if one.state in _HARM) > 0


def _harm_before(state: Json) -> int:
    return next((harm for known, harm in _HARM.items() if known.value == state), 0)


def _words(found: Sequence[Observation]) -> str:
    bad = [f"{one.target}: {one.words}" for one in found if one.state is not State.HEALTHY]
    return listed(bad, 3) if bad else f"{len(found)} targets healthy"
