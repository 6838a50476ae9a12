"""Holding the CI: a deploy freeze with its expiry, and the end of the runs that would deploy during it.

`freeze` is made of these pieces, and any other action may offer them as an option: `facts`, `checks`, `option`, `steps`
with `data` for its plan, then `carry_out` and `resolve`, which answer None for a step that is not theirs.

The holding is recorded before anything is cancelled: a run that begins in between is then the keeper's to cancel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from console.actions import cancel_run, ci
from console.actions.base import Context, done, failed, unknown
from console.actions.github_api import Run, followed_up, half_way, jobs_of, settled
from console.model.actions import (
    ActionRequest,
    Check,
    CheckResult,
    Holding,
    Option,
    Plan,
    Step,
    StepKind,
    StepOutcome,
    StepResult,
)
from console.model.observation import Json
from console.model.words import counted, listed, seconds
from console.sources.faults import Fault

DATA = "hold_ci"
"""Where a plan's data keep what these steps need, and the parameter that switches the option on."""
HOLD, ENDS, CANCEL = "hold-ci", "ci-ends", "cancel-ci-"
HOUR_MS = 3_600_000


async def facts(context: Context, only: Run | None = None) -> dict[str, Json]:
    """The runs in progress with their jobs; `only`: just this one. Empty when no CI is configured."""
    if context.operations.github is None:
        return {}
    api = ci.api_of(context)
    told: dict[str, Json] = {"repository": api.repository, "branch": api.branch, "at_ms": context.now_ms()}
    try:
        active = (only,) if only is not None else await api.active_runs()
    except Fault as fault:
        return {**told, "active": None, "why": fault.words, "jobs": {}}
    jobs = await followed_up([run.id for run in active], api)
    return {**told, "active": [run.told() for run in active], "jobs": jobs}


def would_deploy(found: Mapping[str, Json], *, also_half_way: bool = False) -> tuple[Run, ...]:
    """The active runs that may still deploy, and can be ended without leaving something half done.

    A run without a job for production yet may get one, and one whose jobs cannot be read may have it: both count.
    """
    return tuple(
        run
        for run in _active(found)
        if run.active and not _settled(found, run) and (also_half_way or not _half_way(found, run))
    )


def checks(found: Mapping[str, Json]) -> tuple[Check, ...]:
    """What every plan that changes the deployment says of the CI: runs in progress are warnings."""
    at_ms = ci.moment(found, "at_ms")
    if not found:
        return ()
    if found["active"] is None:
        words = f"which CI runs are in progress cannot be read: {found.get('why')}"
        return (Check(key="ci", result=CheckResult.WARN, words=words, source=ci.SOURCE, at_ms=at_ms),)
    deploying = [run for run in _active(found) if run.active and not _settled(found, run)]
    if not deploying:
        words = f"no CI run on {found['branch']} is going to deploy"
        return (Check(key="ci", result=CheckResult.PASS, words=words, source=ci.SOURCE, at_ms=at_ms),)
    return tuple(
        Check(key=f"ci-{run.id}", result=CheckResult.WARN, words=_run_words(found, run), source=ci.SOURCE, at_ms=at_ms)
        for run in deploying
    )


def option(found: Mapping[str, Json], *, on: bool, hours: float = 1.0) -> Option | None:
    """`h`: hold the CI while the plan runs. None: nothing is going to deploy."""
    runs = would_deploy(found)
    if not runs:
        return None
    names = listed([f"#{run.number}" for run in runs])
    what = "CI run" if len(runs) == 1 else "CI runs"
    words = f"hold {what} {names} while this plan runs (deploy freeze, {seconds(hours * 3600)})"
    return Option(key="h", words=words, parameter=DATA, value=True, on=on)


def data(
    found: Mapping[str, Json], *, hours: float = 1.0, run: Run | None = None, also_half_way: bool = False
) -> dict[str, Json]:
    """What the steps need, to be merged into the plan's data."""
    repository = str(found["repository"])
    runs: list[Json] = [
        {"id": each.id, "number": each.number} for each in would_deploy(found, also_half_way=also_half_way)
    ]
    return {
        DATA: {
            "subject": ci.subject(repository, run.id if run else None), "repository": repository,
            "branch": found["branch"], "hours": hours, "run": run.id if run else None,
            "number": run.number if run else None, "runs": runs, "half_way": also_half_way,
        }
    }  # fmt: skip


def steps(held: Mapping[str, Json]) -> tuple[Step, ...]:
    """What `data` gave, as steps: record the freeze, end each run, see them end."""
    what = held[DATA]
    assert isinstance(what, dict)
    runs, root = _runs(what), f"/repos/{what['repository']}/actions/runs"
    named = f"hold of CI run #{what['number']}" if what["run"] is not None else f"deploy freeze of {what['subject']}"
    words = f"record the {named} for {_hours(what)}"
    cancels = tuple(
        Step(
            key=f"{CANCEL}{run}", kind=StepKind.CHANGE, words=f"ask for the end of CI run #{number}",
            call=f"POST {root}/{run}/cancel",
        )
        for run, number in runs
    )  # fmt: skip
    seen = f"see {counted(len(runs), 'run')} end"
    follow = Step(key=ENDS, kind=StepKind.FOLLOW, words=seen, call=f"GET {root}/…", expected_s=15.0)
    return (Step(key=HOLD, kind=StepKind.RECORD, words=words), *cancels, *((follow,) if runs else ()))


async def carry_out(context: Context, plan: Plan, step: Step) -> StepResult | None:
    """Do a step of `steps`; None: it is none of them."""
    what = plan.data.get(DATA)
    if not isinstance(what, dict):
        return None
    if step.key == HOLD:
        return _hold(context, what)
    if step.key.startswith(CANCEL):
        number, also = int(step.key.removeprefix(CANCEL)), what.get("half_way") is True
        return await cancel_run.ask(ci.api_of(context), number, lambda run, jobs: _why_not_now(run, jobs, also=also))
    return await _ends(context, _runs(what)) if step.key == ENDS else None


async def resolve(context: Context, plan: Plan, step: Step) -> StepResult | None:
    """Of the end of a run that was asked for: whether it came; None: not a step of ours."""
    if not step.key.startswith(CANCEL):
        return None
    run = await ci.api_of(context).run(int(step.key.removeprefix(CANCEL)))
    return unknown(f"#{run.number} is still {run.stands}") if run.active else done(f"#{run.number} is {run.stands}")


def _why_not_now(run: Run, jobs: cancel_run.Jobs, *, also: bool) -> str:
    """What began to migrate or deploy since the plan was made is not cut, unless that was asked for. Where the jobs
    cannot be read it is as planned."""
    return "" if also or jobs is None else ci.half_way_words(run.number, jobs)


def _hold(context: Context, what: Mapping[str, Json]) -> StepResult:
    hours = what["hours"]
    assert isinstance(hours, int | float)
    ends_ms = context.now_ms() + int(hours * HOUR_MS)
    run, because = what["run"], f": {context.reason}" if context.reason else ""
    branch = f"CI runs on {what['branch']} of {what['repository']} are held"
    text = f"CI run #{what.get('number') or run} alone is held" if run is not None else branch
    holding = Holding(
        kind=ci.FREEZE,
        subject=str(what["subject"]),
        text=f"{text}{because}",
        expires_ms=ends_ms,
        undo=f"radar freeze off --run {what.get('number') or run}" if run is not None else "radar freeze off",
        request=ActionRequest(action="freeze", parameters={"on": False, **({"run": run} if run is not None else {})}),
    )
    held = done(f"in force for {_hours(what)}")
    return StepResult(outcome=held.outcome, words=held.words, holds=(holding,))


async def _ends(context: Context, runs: Sequence[tuple[int, int]]) -> StepResult:
    api = ci.api_of(context)
    ends = await asyncio.gather(*(cancel_run.ended(context, api, run) for run, _ in runs))
    words = "; ".join(end.words for end in ends)
    return done(words) if all(end.outcome is StepOutcome.DONE for end in ends) else failed(words)


def _active(found: Mapping[str, Json]) -> tuple[Run, ...]:
    told = found.get("active")
    return tuple(map(Run.of, told)) if isinstance(told, list) else ()


def _jobs(found: Mapping[str, Json]) -> Mapping[str, Json]:
    told = found.get("jobs")
    return told if isinstance(told, dict) else {}


def _settled(found: Mapping[str, Json], run: Run) -> bool:
    return settled(jobs_of(_jobs(found), run.id) or ()) is True


def _half_way(found: Mapping[str, Json], run: Run) -> tuple[str, ...]:
    return half_way(jobs_of(_jobs(found), run.id) or ())


def _run_words(found: Mapping[str, Json], run: Run) -> str:
    busy = _half_way(found, run)
    then = f"is in {busy[0]} just now" if busy else "is going to deploy over it"
    return f"CI run {run.words} is {run.stands} on {found['branch']} and {then}"


def _runs(what: Mapping[str, Json]) -> list[tuple[int, int]]:
    told = what.get("runs")
    rows = told if isinstance(told, list) else []
    return [(int(str(row["id"])), int(str(row["number"]))) for row in rows if isinstance(row, dict)]


def _hours(what: Mapping[str, Json]) -> str:
    hours = what["hours"]
    assert isinstance(hours, int | float)
    return seconds(hours * 3600)
