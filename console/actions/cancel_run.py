"""The end of a CI run before its end. Accepted is not done: it is followed until the run has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from console.actions import ci, in_progress
from console.actions.base import Context, done, failed, unknown
from console.actions.github_api import GitHubApi, Job, Run
from console.actions.wire import Rejected
from console.model import payload
from console.model.actions import (
    ActionRequest,
    Check,
    CheckResult,
    Option,
    Plan,
    Risk,
    Step,
    StepKind,
    StepOutcome,
    StepResult,
)
from console.model.observation import Json
from console.model.words import seconds
from console.sources.faults import Fault

Jobs = Sequence[Job] | None
"""None: they cannot be read."""
ENDS_S = 90.0
BY_ITSELF = "has ended by itself"
AT_ITS_END = 409


class CancelRun:
    """`cancel-run` {run, force?, attempt?}. `attempt`: this attempt and no later one (the freeze's keeper asks so)."""

    NAME: ClassVar[str] = "cancel-run"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The run and its jobs."""
        api = ci.api_of(context)
        run = await ci.find(api, ci.number_of(request))
        jobs, going_on = await asyncio.gather(ci.jobs_or_none(api, run.id), in_progress.read(context))
        told: Json = [job.told() for job in jobs] if jobs is not None else None
        return {
            "run": run.told(), "jobs": told, "repository": api.repository, "at_ms": context.now_ms(),
            "in_progress": going_on,
        }  # fmt: skip

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """Ask, and see it end."""
        run, repository = Run.of(facts["run"]), str(facts["repository"])
        force = request.parameters.get("force") is True
        root = f"/repos/{repository}/actions/runs/{run.id}"
        again = ActionRequest(action="rerun", parameters={"run": run.id})
        forced = "force: end also what ignores being cancelled"
        return Plan(
            action=self.NAME,
            title=f"{'Force-cancel' if force else 'Cancel'} CI run #{run.number}",
            environment=context.environment.name,
            target=f"#{run.number} ({run.id})",
            short_id=str(run.number),
            risk=Risk.DISRUPTIVE,
            exclusion=f"CI run {run.id}",
            checks=_checks(request, run, facts),
            steps=(
                Step(
                    key="ask", kind=StepKind.CHANGE, words=f"ask for the end of attempt {run.attempt}",
                    call=f"POST {root}/{'force-cancel' if force else 'cancel'}",
                ),
                Step(key="ends", kind=StepKind.FOLLOW, words="see it end", call=f"GET {root}", expected_s=15.0),
            ),
            lost=("what its jobs have not finished",),
            afterwards=("run again, it is a new attempt from the beginning",),
            undo=f"radar rerun {run.number}",
            undo_request=again,
            escape=(
                f"gh run cancel {run.id} --repo {repository}",
                f"gh api -X POST repos/{repository}/actions/runs/{run.id}/force-cancel",
            ),
            options=(Option(key="f", words=forced, parameter="force", value=True, on=force),),
            data={"run": run.id, "number": run.number, "force": force, "seen": run.attempt, **_only(request)},
        )  # fmt: skip

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Ask, or follow."""
        api, run = ci.api_of(context), int(str(plan.data["run"]))
        if step.key == "ask":
            return _cancelled(await ask(api, run, partial(_why_not_now, plan), force=plan.data["force"] is True))
        return _cancelled(await ended(context, api, run))

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """It took place when the run is at its end. One that goes on says nothing: the end takes its time."""
        run = await ci.api_of(context).run(int(str(plan.data["run"])))
        return unknown(f"#{run.number} is still {run.stands}") if run.active else _cancelled(_ended(run))


def _only(request: ActionRequest) -> dict[str, Json]:
    """The one attempt that is meant, where one is named."""
    wanted = request.parameters.get("attempt")
    return {"attempt": wanted} if wanted is not None else {}


def _why_not_now(plan: Plan, run: Run, jobs: Jobs) -> str:
    """What has changed since the plan was made: it named an attempt, and what would be left half done. For the keeper
    of a freeze, whom nobody watches, all that is half done; empty: nothing speaks against it."""
    planned = plan.data.get("attempt", plan.data.get("seen", run.attempt))
    if run.attempt != planned:
        return f"it is at attempt {run.attempt}, not {planned}"
    warned = any(check.key == ci.half_way_key(run) and check.result is not CheckResult.PASS for check in plan.checks)
    if "attempt" not in plan.data and (warned or jobs is None):
        return ""
    return ci.half_way_words(run.number, jobs)


async def ask(api: GitHubApi, number: int, why_not: Callable[[Run, Jobs], str], *, force: bool = False) -> StepResult:
    """Look once more, and ask for the run's end: between plan and request it may have ended, or begun to migrate.

    `why_not`: what speaks against it as the run stands now; empty: nothing. Raises `Rejected` or `Unanswered`.
    """
    try:
        run, jobs = await asyncio.gather(api.run(number), ci.jobs_or_none(api, number))
    except Fault as fault:
        return failed(f"the run cannot be read: {fault.words}: nothing was asked for")
    if not run.active:
        return done(f"{_ended(run).words}: nothing had to be asked for")
    if why := why_not(run, jobs):
        return failed(f"{why}: nothing was asked for")
    try:
        await api.cancel(number, force=force)
    except Rejected as rejected:
        if rejected.status == AT_ITS_END:
            return done("it was at its end already")
        raise
    return done("GitHub has accepted it")


async def ended(context: Context, api: GitHubApi, run: int, limit_s: float = ENDS_S) -> StepResult:
    """Follow the run to its end."""
    found = await ci.polled(context, api, run, lambda seen: None if seen.active else _ended(seen), limit_s)
    if isinstance(found, StepResult):
        return found
    if found is None:
        return failed(f"asked for, but the run could not be read for {seconds(limit_s)}")
    return failed(f"#{found.number} is still {found.stands} after {seconds(limit_s)}: cancel it again by force")


def _cancelled(result: StepResult) -> StepResult:
    """Of a person who wants a run cancelled: one that came to its own end was not, and may have deployed."""
    if BY_ITSELF not in result.words:
        return result
    return replace(result, outcome=StepOutcome.FAILED, words=f"{result.words}: it was not cancelled")


def _ended(run: Run) -> StepResult:
    if run.conclusion == "cancelled":
        return done(f"#{run.number} is cancelled")
    return done(f"#{run.number} {BY_ITSELF}: {run.stands}")


def _checks(request: ActionRequest, run: Run, facts: Mapping[str, Json]) -> tuple[Check, ...]:
    at_ms, told = ci.moment(facts, "at_ms"), facts["jobs"]
    found = [_active(run, at_ms)]
    wanted = request.parameters.get("attempt")
    if wanted is not None and wanted != run.attempt:
        words = f"it is at attempt {run.attempt}, not {wanted}"
        found.append(Check(key="attempt", result=CheckResult.FAIL, words=words, source=ci.SOURCE, at_ms=at_ms))
    if run.active:
        jobs = tuple(map(Job.of, told)) if isinstance(told, list) else None
        found.append(ci.half_way_check(run, jobs, at_ms, by_keeper=wanted is not None))
    return (*found, *in_progress.checks(payload.mapping(facts, "in_progress"), but=run.id))


def _active(run: Run, at_ms: int | None) -> Check:
    result = CheckResult.PASS if run.active else CheckResult.FAIL
    words = f"#{run.number} is {run.stands}" + ("" if run.active else ": there is nothing to cancel")
    return Check(key="active", result=result, words=words, source=ci.SOURCE, at_ms=at_ms)
