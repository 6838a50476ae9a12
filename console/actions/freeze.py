"""Deploy freeze: for some hours what the CI would deploy is held, with an owner, a reason and an expiry."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar

from console.actions import ci, freeze_facts, freeze_limits, hold_ci, in_progress
from console.actions.base import Context, failed, unknown
from console.actions.github_api import Run
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
from console.model.ports import Refused
from console.model.words import listed, seconds
from console.store.service import service

LONGEST_HOURS = 72.0
RELEASE = "release"
OWNERS = 3


class Freeze:
    """`freeze` {on, hours?, run?, half_way?}. `run`: only this one. `half_way`: end also what deploys just now."""

    NAME: ClassVar[str] = "freeze"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """What runs, what is held already; for the end of a freeze also what happened during it."""
        api = ci.api_of(context)
        wanted = ci.number_of(request)
        run, held = await ci.find(api, wanted) if wanted is not None else None, await ci.holdings(context)
        told: dict[str, Json] = {"held": held, "run": run.told() if run else None, "operator": context.operator}
        if not _on(request):
            during = await freeze_facts.during(context, api, held)
            where: dict[str, Json] = {"repository": api.repository, "branch": api.branch, "at_ms": context.now_ms()}
            return {**where, **told, **during}
        found, vercel, kept = await asyncio.gather(
            hold_ci.facts(context, run),
            in_progress.vercel_facts(context),
            asyncio.to_thread(kept_by_a_service, context),
        )
        return {**found, **told, "vercel": vercel, "kept": kept}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """Hold, or let go."""
        return _hold(context, request, facts) if _on(request) else _release(context, facts)

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Record, cancel, follow; or release."""
        if step.key == RELEASE:
            subjects = plan.data["subjects"]
            assert isinstance(subjects, list)
            return StepResult(
                outcome=StepOutcome.DONE,
                words="; ".join(("deployments are free again", *plan.afterwards)),
                releases=tuple((ci.FREEZE, str(each)) for each in subjects),
            )
        return await hold_ci.carry_out(context, plan, step) or failed(f"there is no step {step.key}")

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """A run's end is read from GitHub."""
        return await hold_ci.resolve(context, plan, step) or unknown("nothing outside tells of it")


def kept_by_a_service(context: Context) -> bool | None:
    """Whether a collector's service watches over the freeze: only it cancels runs that begin later. None: unknown."""
    return service(context.settings.observed_path).alive


def _on(request: ActionRequest) -> bool:
    wanted = request.parameters.get("on")
    if not isinstance(wanted, bool):
        raise Refused("freeze on or off?")
    return wanted


def _hours(request: ActionRequest) -> float:
    value = request.parameters.get("hours", 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_HOURS:
        raise Refused(f"hours must be a number above 0 and up to {LONGEST_HOURS:g}")
    return float(value)


def _hold(context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
    only = Run.of(facts["run"]) if facts["run"] is not None else None
    hours, half_way = _hours(request), request.parameters.get("half_way") is True
    kept = hold_ci.data(facts, hours=hours, run=only, also_half_way=half_way)
    steps = hold_ci.steps(kept)
    what = f"CI run #{only.number}" if only else f"{facts['branch']} of {facts['repository']}"
    cancels = [step for step in steps if step.kind is StepKind.CHANGE]
    release: dict[str, Json] = {"on": False, **({"run": only.id} if only else {})}
    lasts = seconds(hours * 3600)
    return Plan(
        action=Freeze.NAME,
        title=f"Hold {what} for {lasts}" if only else f"Freeze deployments of {what} for {lasts}",
        environment=context.environment.name,
        target=what,
        short_id=str(only.number) if only else str(facts["repository"]).partition("/")[2],
        # Also with nothing to cancel now: for hours its keeper ends what other people begin.
        risk=Risk.DISRUPTIVE,
        exclusion=ci.FREEZE,
        checks=(
            *_to_be_held(only, facts), *hold_ci.checks(facts), *in_progress.vercel_checks(facts),
            *(() if only else freeze_limits.checks(facts)), *_holding_checks(facts),
        ),
        steps=steps,
        lost=("what the jobs of the cancelled runs have not finished",) if cancels else (),
        afterwards=_afterwards(only, facts, lasts),
        undo=f"radar freeze off --run {only.number}" if only else "radar freeze off",
        undo_request=ActionRequest(action=Freeze.NAME, parameters=release),
        escape=_escape(facts, kept),
        options=_options(facts, half_way=half_way),
        data={"on": True, **kept},
    )  # fmt: skip


def _to_be_held(only: Run | None, facts: Mapping[str, Json]) -> tuple[Check, ...]:
    """What has ended deploys nothing any more."""
    if only is None or only.active:
        return ()
    words = f"#{only.number} is at its end ({only.stands}): there is nothing to hold"
    return (
        Check(key="ended", result=CheckResult.FAIL, words=words, source=ci.SOURCE, at_ms=ci.moment(facts, "at_ms")),
    )


def _afterwards(only: Run | None, facts: Mapping[str, Json], lasts: str) -> tuple[str, ...]:
    if only is not None:
        return (
            f"for {lasts} this run alone is held, and the service ends another attempt of it",
            f"radar rerun {only.number} refuses meanwhile; other runs and radar deploy go on: it is no deploy freeze",
        )
    by = "the service ends CI runs" if facts["kept"] is True else "while a service runs it ends CI runs"
    return (
        f"for {lasts} {by} on {facts['branch']} as it sees them, before they deploy; the ledger shows who holds them",
        freeze_limits.words(facts),
        "radar rerun and radar deploy production refuse while it is in force",
        "its end names the runs that were cancelled, which radar rerun starts again, and what went live during it",
    )


def _release(context: Context, facts: Mapping[str, Json]) -> Plan:
    at_ms, repository = ci.moment(facts, "at_ms") or 0, str(facts["repository"])
    only = Run.of(facts["run"]) if facts["run"] is not None else None
    rows = [row for row in _rows(facts) if only is None or row.get("subject") == ci.subject(repository, only.id)]
    subjects: list[Json] = [row.get("subject") for row in rows]
    owners = list(dict.fromkeys(str(row.get("owner")) for row in rows))
    whose = f" of {listed(owners, OWNERS)}" if owners else ""
    others = [row for row in ci.in_force(list(map(dict, rows)), at_ms) if row.get("owner") != facts["operator"]]
    return Plan(
        action=Freeze.NAME,
        title=f"End the deploy freeze of {repository}" + (f", held by {listed(owners, OWNERS)}" if owners else ""),
        environment=context.environment.name,
        target=repository,
        short_id=repository.partition("/")[2],
        risk=Risk.DISRUPTIVE if others else Risk.SAFE,
        exclusion=ci.FREEZE,
        checks=(_recorded(facts, rows, at_ms), *_others(others, at_ms)),
        steps=(Step(key=RELEASE, kind=StepKind.RECORD, words=f"record the end of the deploy freeze{whose}"),),
        afterwards=freeze_facts.words(facts),
        undo="radar freeze on",
        undo_request=ActionRequest(action=Freeze.NAME, parameters={"on": True}),
        data={"on": False, "subjects": subjects},
    )


def _recorded(facts: Mapping[str, Json], rows: Sequence[Mapping[str, Json]], at_ms: int) -> Check:
    """Every freeze that is ended, by whom it is."""
    words = "; ".join(f"{ci.freeze_words(row)}: {row.get('text')}" for row in rows) or "no deploy freeze is recorded"
    if facts["held"] is None:
        words = "whether a deploy freeze is in force cannot be read"
    result = CheckResult.PASS if rows else CheckResult.FAIL
    return Check(key="freeze", result=result, words=words, source="records", at_ms=at_ms)


def _others(rows: Sequence[Mapping[str, Json]], at_ms: int) -> tuple[Check, ...]:
    """Freezes in force that are not who asks'."""
    return tuple(
        Check(
            key="others", result=CheckResult.WARN, source="records", at_ms=at_ms,
            words=f"it is not yours: {row.get('owner')} holds it for a reason, ask before you end it",
        )
        for row in rows
    )  # fmt: skip


def _rows(facts: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The freezes that are recorded, those that have expired too: their rows are ended with them."""
    held, repository = facts["held"], str(facts["repository"])
    rows = held if isinstance(held, list) else []
    return [
        row
        for row in rows
        if isinstance(row, dict)
        and row.get("kind") == ci.FREEZE
        and str(row.get("subject")).partition(" ")[0] == repository
    ]


def _holding_checks(facts: Mapping[str, Json]) -> tuple[Check, ...]:
    at_ms = ci.moment(facts, "at_ms") or 0
    found = [
        Check(
            key="freeze", result=CheckResult.WARN, words=f"{ci.freeze_words(row)} is in force, and is replaced",
            source="records", at_ms=at_ms,
        )
        for row in ci.in_force(facts["held"], at_ms)
        if row.get("subject") == ci.subject(str(facts["repository"]), _only(facts))
    ]  # fmt: skip
    if facts["kept"] is not True:
        words = (
            "no `radar collect` service is known to run here: runs that begin later are not cancelled, "
            "the freeze is held only while someone looks"
        )
        found.append(Check(key="keeper", result=CheckResult.WARN, words=words, source="this host", at_ms=at_ms))
    return tuple(found)


def _only(facts: Mapping[str, Json]) -> int | None:
    return Run.of(facts["run"]).id if facts["run"] is not None else None


def _options(facts: Mapping[str, Json], *, half_way: bool) -> tuple[Option, ...]:
    """Offered where something deploys or migrates just now."""
    if len(hold_ci.would_deploy(facts, also_half_way=True)) == len(hold_ci.would_deploy(facts)):
        return ()
    words = "end also what deploys or migrates just now: it may be left half done"
    return (Option(key="c", words=words, parameter="half_way", value=True, on=half_way),)


def _escape(facts: Mapping[str, Json], kept: Mapping[str, Json]) -> tuple[str, ...]:
    repository, branch = facts["repository"], facts["branch"]
    runs = [step.key.removeprefix(hold_ci.CANCEL) for step in hold_ci.steps(kept) if step.kind is StepKind.CHANGE]
    return (
        f"gh run list --repo {repository} --branch {branch} --status in_progress",
        *(f"gh run cancel {run} --repo {repository}" for run in runs),
        f"gh workflow disable WORKFLOW --repo {repository}   # and `enable` afterwards",
    )
