"""Another attempt of a CI run: of all its jobs, or of those that failed. It may deploy, so it is disruptive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from console.actions import ci, in_progress
from console.actions.base import CHANGES_DEPLOYMENT, Context, done, failed, unknown
from console.actions.github_api import GitHubApi, Job, Run
from console.model import payload
from console.model.actions import ActionRequest, Check, CheckResult, Plan, Risk, Step, StepKind, StepOutcome, StepResult
from console.model.observation import Json
from console.model.plan_text import NOT_VERIFIED
from console.model.words import seconds
from console.sources.faults import Fault

OLDEST_MS = 30 * 86_400_000
"""GitHub re-runs nothing that is older."""
APPEARS_S = 60.0
CLOCKS_APART_MS = 300_000
"""Between GitHub's clock and this host's."""
LOOK = "look"
RESOLVE_S = 10.0
WAITING = frozenset({"queued", "requested", "waiting", "pending"})
"""It is accepted, and nothing of it runs yet."""


class Rerun:
    """`rerun` {run, failed_only?, despite_freeze?}."""

    NAME: ClassVar[str] = "rerun"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The run, its jobs, what else runs on the branch, and what is held."""
        api = ci.api_of(context)
        run = await ci.find(api, ci.number_of(request))
        jobs, going_on, held, newest = await asyncio.gather(
            ci.jobs_or_none(api, run.id), in_progress.read(context), ci.holdings(context), _deployed_since(api, run)
        )
        return {
            "run": run.told(),
            "jobs": [job.told() for job in jobs] if jobs is not None else None,
            "in_progress": going_on,
            "held": held,
            "newer": newest,
            "repository": api.repository,
            "branch": api.branch,
            "at_ms": context.now_ms(),
        }

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """Ask, and see the new attempt begin."""
        run, repository = Run.of(facts["run"]), str(facts["repository"])
        failed_only = request.parameters.get("failed_only") is True
        root = f"/repos/{repository}/actions/runs/{run.id}"
        call = f"POST {root}/{'rerun-failed-jobs' if failed_only else 'rerun'}"
        what = "the failed jobs of " if failed_only else ""
        short = (run.commit or "")[:7]
        return Plan(
            action=self.NAME,
            title=f"Re-run {what}CI run #{run.number}",
            environment=context.environment.name,
            target=f"#{run.number} ({run.id})",
            short_id=str(run.number),
            risk=Risk.DISRUPTIVE,
            exclusion=CHANGES_DEPLOYMENT,
            checks=_checks(request, run, facts),
            steps=(
                Step(key=LOOK, kind=StepKind.SEE, words="see that nobody else re-runs it", call=f"GET {root}"),
                Step(key="ask", kind=StepKind.CHANGE, words=f"ask for attempt {run.attempt + 1}", call=call),
                Step(
                    key="begins", kind=StepKind.FOLLOW, words="see the new attempt begin", call=f"GET {root}",
                    expected_s=10.0,
                ),
            ),
            lost=(f"the results of attempt {run.attempt} are replaced by those of the new one",),
            afterwards=(
                f"it runs the workflow on {short or 'its commit'} again: on {run.branch} that can migrate and deploy",
                f"its end is not waited for: {run.url or 'see the CI'}; once it has deployed, ending it undoes nothing",
            ),
            undo=f"radar cancel-run {run.number}",
            undo_request=ActionRequest(action="cancel-run", parameters={"run": run.id}),
            escape=(f"gh run rerun {run.id} --repo {repository}{' --failed' if failed_only else ''}",),
            data={"run": run.id, "number": run.number, "attempt": run.attempt, "failed_only": failed_only},
        )  # fmt: skip

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Ask, or follow."""
        api, run = ci.api_of(context), _number(plan, "run")
        if step.key == LOOK:
            return _still(plan, await api.run(run), context.now_ms())
        if step.key == "ask":
            await api.rerun(run, failed_only=plan.data["failed_only"] is True)
            return done("GitHub has accepted it")
        found = await ci.polled(context, api, run, lambda seen: _begun(context, plan, seen), APPEARS_S)
        if isinstance(found, StepResult):
            return found
        return _unseen(plan, found)

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """It took place when the number of attempts has grown since we looked, right before asking."""
        api = ci.api_of(context)
        run = _number(plan, "run")
        found = await ci.polled(context, api, run, lambda seen: _appeared(context, plan, seen), RESOLVE_S)
        if isinstance(found, StepResult):
            return found
        if found is None:
            return unknown("the run cannot be read")
        return failed(f"#{found.number} is still at attempt {found.attempt} ({found.stands}): it was not re-run")


def _number(plan: Plan, name: str) -> int:
    value = plan.data[name]
    assert isinstance(value, int)
    return value


def _still(plan: Plan, seen: Run, now_ms: int) -> StepResult:
    """That it is as it was planned. What begins after this began after we looked."""
    if seen.attempt > _number(plan, "attempt"):
        return failed(f"{_whose(seen)} is {seen.stands}: somebody has re-run it since, nothing was asked")
    return done(f"attempt {seen.attempt} is its newest", looked_ms=now_ms)


def _unseen(plan: Plan, seen: Run | None) -> StepResult:
    """What is known of an attempt that was accepted and did not begin while we looked."""
    if seen is not None and seen.attempt > _number(plan, "attempt"):
        words = f"accepted: {_whose(seen)} is {seen.stands} after {seconds(APPEARS_S)}"
        return done(f"{words}, its begin is {NOT_VERIFIED}: {seen.url or seen.id}", url=seen.url)
    return failed(f"GitHub has accepted it, but no new attempt is seen after {seconds(APPEARS_S)}")


def _begun(context: Context, plan: Plan, seen: Run) -> StepResult | None:
    """The new attempt, where it is ours and has begun: what only waits for a runner has not."""
    appeared = _appeared(context, plan, seen)
    waits = appeared is not None and appeared.outcome is StepOutcome.DONE and seen.status in WAITING
    return None if waits else appeared


def _appeared(context: Context, plan: Plan, seen: Run) -> StepResult | None:
    """The new attempt, where it is ours: made after we had looked."""
    if seen.attempt <= _number(plan, "attempt"):
        return None
    looked_ms = ci.moment(context.done, "looked_ms")
    if looked_ms is None:
        return unknown(f"{_whose(seen)} is {seen.stands}: whether it is ours is not known")
    if seen.started_ms is not None and seen.started_ms < looked_ms - CLOCKS_APART_MS:
        return failed(f"{_whose(seen)} is {seen.stands}, and was before we asked: it is somebody's, not ours")
    return done(f"{_whose(seen)} is {seen.stands}: {seen.url or seen.id}", url=seen.url)


def _whose(seen: Run) -> str:
    return f"attempt {seen.attempt} of #{seen.number}" + (f" by {seen.actor}" if seen.actor else "")


async def _deployed_since(api: GitHubApi, run: Run) -> Json:
    """The newest run of the deployed branch that succeeded after this one; None: none, or not known."""
    try:
        newest = next(iter(await api.runs(branch=api.branch, status="success", limit=1)), None)
    except Fault:
        return None
    return newest.told() if newest is not None and newest.number > run.number else None


def _checks(request: ActionRequest, run: Run, facts: Mapping[str, Json]) -> tuple[Check, ...]:
    at_ms = ci.moment(facts, "at_ms") or 0
    found: list[Check | None] = [_ended(run, at_ms), _young(run, at_ms), _freeze(request, run, facts, at_ms)]
    if request.parameters.get("failed_only") is True:
        found.append(_failures(facts, at_ms))
    if run.branch == facts["branch"]:
        found += [_newer(facts, at_ms), _pinned(facts, at_ms)]
    going_on = in_progress.checks(payload.mapping(facts, "in_progress"), but=run.id)
    return (*(each for each in found if each), *going_on)


def _ended(run: Run, at_ms: int) -> Check:
    result = CheckResult.FAIL if run.active else CheckResult.PASS
    words = f"#{run.number} is {run.stands}" + (": only what is at its end is re-run" if run.active else "")
    return Check(key="ended", result=result, words=words, source=ci.SOURCE, at_ms=at_ms)


def _young(run: Run, at_ms: int) -> Check:
    if run.created_ms is None:
        return Check(key="age", result=CheckResult.WARN, words="its age is not known", source=ci.SOURCE, at_ms=at_ms)
    age_ms = at_ms - run.created_ms
    words = f"it is {seconds(age_ms / 1000)} old; GitHub re-runs what is younger than 30 d"
    result = CheckResult.PASS if age_ms < OLDEST_MS else CheckResult.FAIL
    return Check(key="age", result=result, words=words, source=ci.SOURCE, at_ms=at_ms)


def _freeze(request: ActionRequest, run: Run, facts: Mapping[str, Json], at_ms: int) -> Check:
    held = facts["held"]
    if held is None:
        words = "whether a deploy freeze is in force cannot be read"
        return Check(key="freeze", result=CheckResult.WARN, words=words, source="records", at_ms=at_ms)
    row = ci.frozen(held, str(facts["repository"]), run.id, at_ms)
    if row is None:
        return Check(
            key="freeze", result=CheckResult.PASS, words="no deploy freeze is in force", source="records", at_ms=at_ms
        )
    despite = request.parameters.get("despite_freeze") is True
    words = f"{ci.freeze_words(row)} is in force" + ("" if despite else ": end it by radar freeze off")
    result = CheckResult.WARN if despite else CheckResult.FAIL
    return Check(key="freeze", result=result, words=words, source="records", at_ms=at_ms)


def _failures(facts: Mapping[str, Json], at_ms: int) -> Check:
    told = facts["jobs"]
    if not isinstance(told, list):
        return Check(key="failed", result=CheckResult.WARN, words="its jobs cannot be read", source=ci.SOURCE)
    names = [job.name for job in map(Job.of, told) if job.failed]
    words = f"failed: {', '.join(names)}" if names else "no job of it has failed: re-run it whole"
    result = CheckResult.PASS if names else CheckResult.FAIL
    return Check(key="failed", result=result, words=words, source=ci.SOURCE, at_ms=at_ms)


def _newer(facts: Mapping[str, Json], at_ms: int) -> Check | None:
    if facts["newer"] is None:
        return None
    newer = Run.of(facts["newer"])
    words = f"{newer.words} has succeeded since: this one would deploy older code over it"
    return Check(key="newer", result=CheckResult.WARN, words=words, source=ci.SOURCE, at_ms=at_ms)


def _pinned(facts: Mapping[str, Json], at_ms: int) -> Check | None:
    held = facts["held"]
    rows = [row for row in held if isinstance(row, dict)] if isinstance(held, list) else []
    row = next((row for row in rows if row.get("kind") == "pinned"), None)
    if row is None:
        return None
    words = f"production is pinned by {row.get('owner')}: what it deploys is built and does not go live"
    return Check(key="pinned", result=CheckResult.WARN, words=words, source="records", at_ms=at_ms)
