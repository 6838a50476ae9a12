"""The end of a CI run before its end. Accepted is not done: it is followed until the run has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from console.actions import ci
from console.actions.base import Context, done, failed, unknown
from console.actions.github_api import GitHubApi, Job, Run
from console.actions.wire import Rejected
from console.model.actions import ActionRequest, Check, CheckResult, Option, Plan, Risk, Step, StepKind, StepResult
from console.model.observation import Json
from console.model.words import seconds
from console.sources.faults import Fault

ENDS_S = 90.0
AT_ITS_END = 409


class CancelRun:
    """`cancel-run` {run, force?, attempt?}. `attempt`: this attempt and no later one (the freeze's keeper asks so)."""

    NAME: ClassVar[str] = "cancel-run"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The run and its jobs."""
        api = ci.api_of(context)
        run = await ci.find(api, ci.number_of(request))
        jobs = await ci.jobs_or_none(api, run.id)
        told: Json = [job.told() for job in jobs] if jobs is not None else None
        return {"run": run.told(), "jobs": told, "repository": api.repository, "at_ms": context.now_ms()}

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
            data={"run": run.id, "number": run.number, "force": force, **_only(request)},
        )  # fmt: skip

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Ask, or follow."""
        api, run = ci.api_of(context), int(str(plan.data["run"]))
        if step.key == "ask":
            if (why := await _why_not_now(api, plan)) is not None:
                return failed(f"{why}: nothing was asked for")
            return await ask(api, run, force=plan.data["force"] is True)
        return await ended(context, api, run)

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """It took place when the run is at its end. One that goes on says nothing: the end takes its time."""
        run = await ci.api_of(context).run(int(str(plan.data["run"])))
        return unknown(f"#{run.number} is still {run.stands}") if run.active else _ended(run)


def _only(request: ActionRequest) -> dict[str, Json]:
    """The one attempt that is meant, where one is named."""
    wanted = request.parameters.get("attempt")
    return {"attempt": wanted} if wanted is not None else {}


async def _why_not_now(api: GitHubApi, plan: Plan) -> str | None:
    """Looked at once more for the keeper of a freeze, whom nobody watches: between the plan and the request a job may
    have begun to migrate. None: nothing speaks against it."""
    attempt, number = plan.data.get("attempt"), int(str(plan.data["run"]))
    if attempt is None:
        return None
    try:
        run, jobs = await asyncio.gather(api.run(number), ci.jobs_or_none(api, number))
    except Fault as fault:
        return f"the run cannot be read: {fault.words}"
    if run.attempt != attempt:
        return f"it is at attempt {run.attempt}, not {attempt}"
    return (ci.half_way_words(run.number, jobs) or None) if run.active else None


async def ask(api: GitHubApi, run: int, *, force: bool = False) -> StepResult:
    """Ask for the run's end. That it is at its end already is no failure. Raises `Rejected` or `Unanswered`."""
    try:
        await api.cancel(run, force=force)
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


def _ended(run: Run) -> StepResult:
    if run.conclusion == "cancelled":
        return done(f"#{run.number} is cancelled")
    return done(f"#{run.number} has ended by itself: {run.stands}")


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
    return tuple(found)


def _active(run: Run, at_ms: int | None) -> Check:
    result = CheckResult.PASS if run.active else CheckResult.FAIL
    words = f"#{run.number} is {run.stands}" + ("" if run.active else ": there is nothing to cancel")
    return Check(key="active", result=result, words=words, source=ci.SOURCE, at_ms=at_ms)
