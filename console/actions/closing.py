"""Closing a run by hand: what it may have left in force is read and named, and the ledger holds it, before it ends.

Nothing is changed outside. What cannot be read is held as perhaps: somebody must look, and the ledger is where they do.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol, runtime_checkable

from console.actions.base import Context, unknown
from console.actions.engine import Progress, defect
from console.actions.registry import action_of
from console.model.actions import Holding, Plan, Step, StepKind, StepOutcome, StepResult
from console.model.ports import Refused
from console.sources.faults import Fault

LOOK_S = 10.0
"""Longer than any answer that is worth waiting for; whoever closes hears nothing after 30 s (`desk`)."""
_NOT_BEGUN = frozenset({None, StepOutcome.FAILED, StepOutcome.SKIPPED})


@runtime_checkable
class Leaves(Protocol):
    """An action that can leave something in force when its run is cut off."""

    def perhaps(self, context: Context, plan: Plan) -> tuple[Holding, ...]:
        """What is held where the remote state cannot be read."""

    async def left(self, context: Context, plan: Plan) -> StepResult:
        """How the remote state stands, in words, with what is in force by the run, or perhaps will be. Reads only."""


async def left_by(context: Context, plan: Plan, progress: Progress) -> tuple[Step, StepResult] | None:
    """What a run that is closed leaves, and at which of its steps that is written; None: nothing that is known of."""
    changes = [step for step in plan.steps if step.kind is StepKind.CHANGE]
    if all(progress.outcomes.get(step.key) in _NOT_BEGUN for step in changes):
        return None
    try:
        action = action_of(plan.action)
    except Refused:
        return None
    if not isinstance(action, Leaves):
        return None
    where = replace(context, done=dict(progress.data))
    return _last(plan, progress), await _looked(action, where, plan)


def _last(plan: Plan, progress: Progress) -> Step:
    """The step at which it was cut off."""
    return [step for step in plan.steps if progress.outcomes.get(step.key) is not None][-1]


async def _looked(action: Leaves, context: Context, plan: Plan) -> StepResult:
    held = action.perhaps(context, plan)
    try:
        async with asyncio.timeout(LOOK_S):
            return await action.left(context, plan)
    except TimeoutError:
        return replace(unknown(f"the remote state was not told within {LOOK_S:g} s"), holds=held)
    except (Fault, Refused) as error:
        return replace(unknown(f"the remote state cannot be read: {error}"), holds=held)
    except Exception as error:  # noqa: BLE001 - a defect here must not keep the run from being closed, and is told
        return replace(unknown(f"the remote state cannot be read: {defect(error)}"), holds=held)
