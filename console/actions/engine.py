"""Carries out a plan step by step: the journal first, then the deed; what nobody knows is asked of the remote state."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.actions.base import Action, Context, failed, unknown
from console.actions.wire import Rejected, Unanswered
from console.model.actions import Plan, RunOutcome, Step, StepKind, StepOutcome, StepResult
from console.model.observation import Json
from console.sources.faults import Fault
from console.store.journal import WORSE, Journal

RESOLVE_TRIES = 5
RESOLVE_WAIT_S = 2.0
_ENDS = frozenset({StepOutcome.DONE, StepOutcome.FAILED, StepOutcome.SKIPPED})


@dataclass(slots=True)
class Progress:
    """What is known of the steps of a run so far, by step key."""

    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    data: dict[str, Json] = field(default_factory=dict)
    worse: bool = False
    shortfalls: list[str] = field(default_factory=list)
    """Steps that failed without losing the rest, in words."""

    def took(self, step: Step, result: StepResult) -> None:
        """Remember how a step ended."""
        self.outcomes[step.key] = result.outcome
        self.data.update(result.data)
        self.worse = self.worse or result.worse
        if result.outcome is not StepOutcome.DONE and not step.required:
            self.shortfalls.append(f"{step.words}: {result.words}")


class Engine:
    """One run. It is the only task of its process: the journal's few milliseconds on the loop keep nobody waiting."""

    def __init__(self, context: Context, action: Action, plan: Plan, journal: Journal, run_id: int) -> None:
        self._context = context
        self._action = action
        self._plan = plan
        self._journal = journal
        self._run_id = run_id

    async def run(self, progress: Progress) -> tuple[RunOutcome, str]:
        """Carry out what is left; how it ended, in a word and in words. The run's end is the caller's to write."""
        for step in self._plan.steps:
            if progress.outcomes.get(step.key) in _ENDS:
                continue
            result = await self._one(step, progress.data)
            progress.took(step, result)
            if result.outcome is StepOutcome.FAILED and step.required:
                return RunOutcome.FAILED, f"{step.words}: {result.words}"
            if result.outcome is StepOutcome.UNKNOWN and step.required:
                return RunOutcome.UNKNOWN, f"{step.words}: {result.words}"
        words = "; ".join(("all steps done", *progress.shortfalls) if progress.shortfalls else ("all steps done",))
        return (RunOutcome.WORSE, f"done, but worse than before: {words}") if progress.worse else (
            RunOutcome.DONE, words)  # fmt: skip

    async def settle(self, step: Step, data: Mapping[str, Json]) -> StepResult:
        """Of a step that was begun and whose end nobody wrote: what the remote state says. Journals it."""
        context = self._context_of(step, data)
        result = await self._resolved(context, step, unknown("begun, and its end was not written"))
        self._journal.conclude(self._run_id, step.key, result)
        return result

    async def _one(self, step: Step, data: Mapping[str, Json]) -> StepResult:
        self._journal.intend(self._run_id, step.key)
        context = self._context_of(step, data)
        result = await self._attempt(context, step)
        if result.outcome is StepOutcome.UNKNOWN and step.kind is StepKind.CHANGE:
            result = await self._resolved(context, step, result)
        self._journal.conclude(self._run_id, step.key, result)
        return result

    async def _attempt(self, context: Context, step: Step) -> StepResult:
        try:
            return await self._action.carry_out(context, self._plan, step)
        except Rejected as error:
            return failed(error.words)
        except Unanswered as error:
            return unknown(str(error))
        except Fault as fault:
            return failed(fault.words) if step.kind is not StepKind.CHANGE or not fault.sent else unknown(fault.words)
        except Exception as error:  # noqa: BLE001 - a defect in a step: the run must not end without a word of it
            words = f"a defect of the console: {type(error).__name__} in {_place(error)}"
            return unknown(words) if step.kind is StepKind.CHANGE else failed(words)

    async def _resolved(self, context: Context, step: Step, before: StepResult) -> StepResult:
        """Ask the remote state some times: what was accepted can take seconds to show."""
        said = before.words
        for attempt in range(RESOLVE_TRIES):
            if attempt:
                await context.wait(RESOLVE_WAIT_S)
            try:
                result = await self._action.resolve(context, self._plan, step)
            except (Rejected, Unanswered, Fault) as error:
                said = f"{before.words}; the remote state cannot be read: {error}"
                continue
            if result.outcome is not StepOutcome.UNKNOWN:
                return dataclasses.replace(result, words=f"{result.words} (read from the remote state)")
            said = f"{before.words}; {result.words}"
        return unknown(said)

    def _context_of(self, step: Step, data: Mapping[str, Json]) -> Context:
        told = [""]

        def tell(words: str) -> None:
            if words != told[0]:
                told[0] = words
                self._journal.progress(self._run_id, step.key, words)

        return dataclasses.replace(self._context, tell=tell, done=dict(data))


def progress_of(plan: Plan, entries: Sequence[tuple[str, str, str]]) -> Progress:
    """What the journal says of a run: `(step, outcome, data as JSON)` of its entries, oldest first."""
    progress = Progress()
    known = {step.key for step in plan.steps}
    for key, outcome, data in entries:
        if key in known and outcome in set(StepOutcome):
            progress.outcomes[key] = StepOutcome(outcome)
            left = json.loads(data)
            progress.worse = progress.worse or left.pop(WORSE, False) is True
            progress.data.update(left)
    return progress


def _place(error: Exception) -> str:
    """Where it was raised: file and line, no values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "nowhere"


def unsettled(plan: Plan, progress: Progress) -> Step | None:
    """The step that was begun and has no end, or an unknown one."""
    loose = (StepOutcome.INTENDED, StepOutcome.UNKNOWN)
    return next((step for step in plan.steps if progress.outcomes.get(step.key) in loose), None)
