"""The checks that every plan has, whatever it is about: who asks, what runs, whether this is the right system."""

from __future__ import annotations

from console.actions import break_glass
from console.actions.authority import Standing
from console.actions.base import Context
from console.actions.host_checks import session_check
from console.model.action_views import RunRow
from console.model.actions import ELSEWHERE, Check, CheckResult, Plan, StepKind
from console.model.ports import StoreUnreadable
from console.store.journal import Journal, StoredRun

_LOCKING = "maintenance"
"""Begin of the names of what is done in the application's database, under its lock, where the flag is a row there."""


def common_checks(
    context: Context, standing: Standing, journal: Journal, plan: Plan, *, own: str | None = None
) -> tuple[Check, ...]:
    """Identity, exclusion, the session, authority: in this order, since the last is what a person looks for.

    `own`: the token of the run that is gone on with, which does not stand in its own way.
    """
    glass = () if context.glass is None else (break_glass.check(context.glass, standing),)
    held = (*_exclusion(journal, plan, own), *(_main_exclusion(context, plan) if context.glass else ()))
    alone = held or elsewhere_check(context, plan)
    return (*glass, *identity_check(context), *alone, *session_check(plan), standing.check(plan.risk))


def watching_checks(context: Context, standing: Standing, plan: Plan) -> tuple[Check, ...]:
    """For the rest of a run that changes nothing more: identity and authority."""
    return (*identity_check(context), standing.check(plan.risk))


def identity_check(context: Context) -> tuple[Check, ...]:
    """What is observed must be what is configured; nothing observed is no proof of either."""
    try:
        header = context.reads.health(None, strip_slices=1, events=1).header
    except StoreUnreadable as error:
        words = f"what was observed cannot be read: {error}"
        return (Check(key="identity", result=CheckResult.WARN, words=words, source="store"),)
    if header.identity_mismatch:
        words = f"this is not the configured system: {header.identity_mismatch}"
        return (Check(key="identity", result=CheckResult.FAIL, words=words, source="store", at_ms=header.at_ms),)
    return ()


def elsewhere_check(context: Context, plan: Plan) -> tuple[Check, ...]:
    """Journal and locks are this host's. Nobody knows from here whether there is another one that acts."""
    if plan.exclusion is None or all(step.kind is not StepKind.CHANGE for step in plan.steps):
        return ()
    maintenance = context.operations.maintenance
    locked = plan.action.startswith(_LOCKING) and maintenance is not None and maintenance.provider == "database"
    words = "any other bastion: advisory lock and remote state only" if locked else ""
    words = f"no other run here; {words or 'against any other bastion only remote state protects'}"
    return (Check(key=ELSEWHERE, result=CheckResult.PASS, words=words),)


def _exclusion(journal: Journal, plan: Plan, own: str | None) -> tuple[Check, ...]:
    held = f"{plan.environment}: {plan.exclusion}"
    for run in journal.open_runs():
        if plan.exclusion is not None and run.exclusion == held and run.token != own:
            return (_busy(run, "journal"),)
    return ()


def _main_exclusion(context: Context, plan: Plan) -> tuple[Check, ...]:
    """The glass is broken: the second file knows nothing of the runs that stand open in records.db."""
    if plan.exclusion is None:
        return ()
    try:
        runs = [row for row in context.reads.actions(None).runs if row.ended_ms is None]
        plans = [(row, context.reads.run(row.token, None).plan) for row in runs]
    except StoreUnreadable as error:
        words = f"whether a run is open cannot be read from records.db: ask the others before you go on ({error})"
        return (Check(key="exclusion", result=CheckResult.WARN, words=words, source="records"),)
    for row, other in plans:
        if other is None or (other.environment, other.exclusion) == (plan.environment, plan.exclusion):
            return (_busy(row, "records"),)
    return ()


def _busy(run: StoredRun | RunRow, source: str) -> Check:
    words = f"run {run.id} is not at its end: {run.title} ({run.operator}); see radar actions {run.id}"
    return Check(key="exclusion", result=CheckResult.FAIL, words=words, source=source)
