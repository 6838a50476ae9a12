"""Two looks at one plan: what an interrupted run has left, and what has changed since somebody looked. Pure."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from console.actions.engine import Progress, is_over
from console.model.actions import Check, CheckResult, Plan, Risk, Step, StepKind, StepOutcome
from console.model.ports import Refused
from console.store.journal import StoredRun
from console.store.runlock import RunLock

SETTLE_S = 22.0
"""How long what became of the changes may be asked for. Whoever resumes hears nothing after 30 s (`desk`)."""
RESUME_S = 27.0
"""For that and the look at what is left together."""
_MOVED = frozenset({StepOutcome.DONE, StepOutcome.INTENDED, StepOutcome.UNKNOWN})
_FIGURE = re.compile(r"[\d][\d.,]*\s?(?:%|(?:ms|s|m|min|h|d|days?|hours?|minutes?|seconds?)\b)")
_MOMENT = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


@dataclass(frozen=True, slots=True)
class Resumed:
    """An interrupted run that this process holds."""

    run: StoredRun
    lock: RunLock
    plan: Plan
    """As it was confirmed."""
    progress: Progress


def has_changed(plan: Plan, progress: Progress) -> bool:
    """Whether something outside was changed: then what is left is worth finishing."""
    return any(progress.outcomes.get(step.key) is StepOutcome.DONE for step in _changes(plan.steps))


def is_untouched(plan: Plan, progress: Progress) -> bool:
    """Whether none of its changes was begun, or all that were are known not to have been carried out."""
    changes = _changes(plan.steps)
    return bool(changes) and not any(progress.outcomes.get(step.key) in _MOVED for step in changes)


def untouched_words(plan: Plan, progress: Progress, said: str = "") -> str:
    """How such a run ends."""
    kept = any(
        step.kind is StepKind.RECORD and progress.outcomes.get(step.key) is StepOutcome.DONE for step in plan.steps
    )
    words = f"nothing was changed: {said or 'ask anew'}"
    return f"{words}; what it recorded stays in the ledger: radar open" if kept else words


def rest_of(plan: Plan, progress: Progress) -> Plan:
    """What is left, as a plan: as grave as the whole while a change is among it."""
    left = tuple(step for step in plan.steps if not is_over(step, progress.outcomes.get(step.key)))
    return dataclasses.replace(
        plan, title=f"Go on with: {plan.title}", steps=left, options=(), checks=(),
        risk=plan.risk if _changes(left) else Risk.SAFE,
    )  # fmt: skip


def changes_more(rest: Plan) -> bool:
    """Whether a change is among it."""
    return bool(_changes(rest.steps))


def refuse_other(resumed: Resumed, rest: Plan, fresh: Plan) -> None:
    """Raise `Refused` unless the same would be planned today: the same target, way back, and changes that are left."""
    stored = resumed.plan
    pairs = [(stored.title, fresh.title), (stored.target, fresh.target), (stored.undo, fresh.undo)]
    today = {(step.key, step.words, step.call) for step in _changes(fresh.steps)}
    gone = [step.words for step in _changes(rest.steps) if (step.key, step.words, step.call) not in today]
    other = next((f"planned was: {then or 'nothing'}; it would be now: {now or 'nothing'}" for then, now in pairs
                  if then != now), None)  # fmt: skip
    if other is None and gone:
        other = f"{gone[0]}: this would not be done any more"
    if other is not None:
        raise Refused(f"things have changed since, and the rest is not carried out: {other}. {by_hand(resumed)}")


def by_hand(resumed: Resumed) -> str:
    """What remains for people to do."""
    return f"radar actions close {resumed.run.id} ends it by hand"


def news(seen: Plan, fresh: Plan) -> tuple[Check, ...]:
    """The warnings and refusals that whoever looked has not seen. That one has become older is no news."""
    known = {_told(check) for check in seen.checks}
    grave = (check for check in fresh.checks if check.result is not CheckResult.PASS)
    return tuple(check for check in grave if _told(check) not in known)


def _told(check: Check) -> tuple[str, CheckResult, str]:
    """Without ages, times of day and measured figures, which differ at each look."""
    return check.key, check.result, _MOMENT.sub("…", _FIGURE.sub("…", check.words))


def _changes(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(step for step in steps if step.kind is StepKind.CHANGE)
