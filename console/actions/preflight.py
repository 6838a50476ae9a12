"""The checks that every plan has, whatever it is about: who asks, what runs, whether this is the right system."""

from __future__ import annotations

from console.actions import break_glass
from console.actions.authority import Standing
from console.actions.base import Context
from console.actions.host_checks import session_check
from console.model.actions import Check, CheckResult, Plan
from console.model.ports import StoreUnreadable
from console.store.journal import Journal


def common_checks(context: Context, standing: Standing, journal: Journal, plan: Plan) -> tuple[Check, ...]:
    """Identity, exclusion, the session, authority: in this order, since the last is what a person looks for."""
    glass = () if context.glass is None else (break_glass.check(context.glass, standing),)
    return (*glass, *_identity(context), *_exclusion(journal, plan), *session_check(plan), standing.check(plan.risk))


def _identity(context: Context) -> tuple[Check, ...]:
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


def _exclusion(journal: Journal, plan: Plan) -> tuple[Check, ...]:
    held = f"{plan.environment}: {plan.exclusion}"
    for run in journal.open_runs():
        if plan.exclusion is not None and run.exclusion == held:
            words = f"run {run.id} is not at its end: {run.title} ({run.operator}); see radar actions {run.id}"
            return (Check(key="exclusion", result=CheckResult.FAIL, words=words, source="journal"),)
    return ()
