"""Carries out a plan step by step: the journal first, then the deed; what nobody knows is asked of the remote state."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.actions.base import Action, Context, failed, unknown
from console.actions.wire import Rejected
from console.model.actions import Plan, RunOutcome, Step, StepKind, StepOutcome, StepResult
from console.model.observation import Json
from console.model.plan_text import NOT_VERIFIED
from console.model.wire import Unanswered
from console.model.words import listed
from console.sources.faults import Fault
from console.store.journal import WORSE, Journal, RunEntry

RESOLVE_TRIES = 5
RESOLVE_WAIT_S = 2.0
_ENDS = frozenset({StepOutcome.DONE, StepOutcome.FAILED, StepOutcome.SKIPPED})
_LOOSE = frozenset({StepOutcome.INTENDED, StepOutcome.UNKNOWN})


@dataclass(slots=True)
class Progress:
    """What is known of the steps of a run so far, by step key."""

    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    data: dict[str, Json] = field(default_factory=dict)
    worse: bool = False
    shortfalls: dict[str, str] = field(default_factory=dict)
    """Steps that failed without losing the rest, or were accepted and not seen to come: how, in words."""

    def took(self, step: Step, result: StepResult) -> None:
        """Remember how a step ended."""
        self.outcomes[step.key] = result.outcome
        self.data.update(result.data)
        self.worse = self.worse or result.worse
        self.shortfalls.pop(step.key, None)
        if result.outcome in (StepOutcome.FAILED, StepOutcome.UNKNOWN) and not step.required:
            self.shortfalls[step.key] = f"{step.words}: {result.words}"
        elif result.outcome is StepOutcome.DONE and NOT_VERIFIED in result.words:
            self.shortfalls[step.key] = result.words


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
            if is_over(step, progress.outcomes.get(step.key)):
                continue
            result = await self._one(step, progress.data)
            progress.took(step, result)
            if result.outcome is StepOutcome.FAILED and step.required:
                return RunOutcome.FAILED, f"{step.words}: {result.words}{self._stays(progress)}"
            if result.outcome is StepOutcome.UNKNOWN and step.required:
                return RunOutcome.UNKNOWN, f"{step.words}: {result.words}{self._stays(progress)}"
        words = "; ".join(("all steps done", *progress.shortfalls.values()))
        return (RunOutcome.WORSE, f"done, but worse than before: {words}") if progress.worse else (
            RunOutcome.DONE, words)  # fmt: skip

    def _stays(self, progress: Progress) -> str:
        """What a run that ends here has changed already, and how that is undone; empty: nothing."""
        made = [
            step.words
            for step in self._plan.steps
            if step.kind is StepKind.CHANGE and progress.outcomes.get(step.key) is StepOutcome.DONE
        ]
        undo = f"; undo: {self._plan.undo}" if self._plan.undo else ""
        return f"; done before, and stays: {listed(made, 2)}{undo}" if made else ""

    async def settle(
        self, step: Step, data: Mapping[str, Json], *, again: bool, until_s: float | None = None
    ) -> StepResult:
        """Of a step that was begun and whose end nobody wrote: what the remote state says. Journals it.

        `again`: one that was not carried out will be done once more; it then has no end yet in the journal.
        `until_s`: by the event loop's clock, when somebody who waits must be told that it is still unknown.
        """
        context = dataclasses.replace(self._context_of(step, data), intended_ms=self._intended_ms(step))
        result = await self._resolved(context, step, unknown("begun, and its end was not written"), until_s)
        if again and result.outcome is StepOutcome.FAILED:
            self._journal.progress(self._run_id, step.key, f"not carried out, to be done again: {result.words}")
        else:
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
            return unknown(defect(error)) if step.kind is StepKind.CHANGE else failed(defect(error))

    async def _resolved(
        self, context: Context, step: Step, before: StepResult, until_s: float | None = None
    ) -> StepResult:
        """Ask the remote state some times: what was accepted can take seconds to show."""
        said = before.words
        for attempt in range(RESOLVE_TRIES):
            try:
                async with asyncio.timeout_at(until_s):
                    if attempt:
                        await context.wait(RESOLVE_WAIT_S)
                    result = await self._action.resolve(context, self._plan, step)
            except TimeoutError:
                return unknown(f"{said}; the remote state was not told in time")
            except (Rejected, Unanswered, Fault) as error:
                said = f"{before.words}; the remote state cannot be read: {error}"
                continue
            except Exception as error:  # noqa: BLE001 - a defect here leaves unknown what is unknown, and is told
                return unknown(f"{before.words}; the remote state cannot be read: {defect(error)}")
            if result.outcome is not StepOutcome.UNKNOWN:
                return dataclasses.replace(result, words=f"{result.words} (read from the remote state)")
            said = f"{before.words}; {result.words}"
        return unknown(said)

    def _intended_ms(self, step: Step) -> int | None:
        entries = self._journal.entries(self._run_id)
        intended = [each.at_ms for each in entries if each.step == step.key and each.outcome == StepOutcome.INTENDED]
        return max(intended, default=None)

    def _context_of(self, step: Step, data: Mapping[str, Json]) -> Context:
        told = [""]

        def tell(words: str) -> None:
            if words != told[0]:
                told[0] = words
                self._journal.progress(self._run_id, step.key, words)

        return dataclasses.replace(self._context, tell=tell, done=dict(data))


def is_over(step: Step, outcome: StepOutcome | None) -> bool:
    """Whether it is not to be done any more. What people were perhaps told is not told twice, and what the rest does
    not need is not tried again."""
    return outcome in _ENDS or (outcome is StepOutcome.UNKNOWN and not step.required)


def progress_of(plan: Plan, entries: Sequence[RunEntry]) -> Progress:
    """What the journal says of a run: by its entries, oldest first."""
    progress = Progress()
    known = {step.key: step for step in plan.steps}
    last: dict[str, StepResult] = {}
    for entry in entries:
        if entry.step in known and entry.outcome in set(StepOutcome):
            data = json.loads(entry.data)
            progress.worse = progress.worse or data.pop(WORSE, False) is True
            last[entry.step] = StepResult(outcome=StepOutcome(entry.outcome), words=entry.words, data=data)
            progress.data.update(data)
    for key, result in last.items():
        progress.took(known[key], result)
    return progress


def defect(error: Exception) -> str:
    """In words that hold no value: the message of an error may quote one."""
    return f"a defect of the console: {type(error).__name__} in {_place(error)}"


def trail(error: Exception) -> str:
    """The way to where it was raised: files and lines, no values."""
    frames = traceback.extract_tb(error.__traceback__, limit=-12)
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames) or "nowhere"


def _place(error: Exception) -> str:
    return trail(error).rpartition(" > ")[2]


def unsettled(plan: Plan, progress: Progress) -> tuple[Step, ...]:
    """The changes that were begun and have no end, or an unknown one."""
    changes = (step for step in plan.steps if step.kind is StepKind.CHANGE)
    return tuple(step for step in changes if progress.outcomes.get(step.key) in _LOOSE)
