"""One plan between a person and the runner: looked at, changed, confirmed, carried out. Holds the parts they need."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from console.actions.authority import Standing
from console.actions.base import Action, Context
from console.actions.begin import Begun, begin, boot_id, host, refuse_unconfirmed, take
from console.actions.engine import Engine, Progress, progress_of, unsettled
from console.actions.messages import Entry, Opening, Reply
from console.actions.parts import context_of, standing_of
from console.actions.preflight import common_checks, identity_check, watching_checks
from console.actions.registry import action_of
from console.actions.resuming import (
    RESUME_S,
    SETTLE_S,
    Resumed,
    by_hand,
    changes_more,
    has_changed,
    is_untouched,
    news,
    refuse_other,
    rest_of,
    untouched_words,
)
from console.model.actions import (
    REASON_LIMIT,
    ActionRequest,
    CheckResult,
    Plan,
    Risk,
    RunOutcome,
    Step,
    StepOutcome,
)
from console.model.observation import Json
from console.model.ports import Refused
from console.model.roles import Authority
from console.model.secrets import Concealer
from console.model.text import clean
from console.store.journal import Journal, StoredRun
from console.store.runlock import RunLock, is_carried_out

FRESH_S = 10.0
"""A plan that is older is made again before it is carried out, and must still say the same."""


class Negotiation:
    """What the runner knows between two lines of its input."""

    def __init__(self, context: Context, standing: Standing) -> None:
        self._context = context
        self._standing = standing
        self.conceal = Concealer(context.environment, context.operations)
        """Takes the environment's secrets out of what is shown and recorded."""
        self._journal = Journal(context.records, standing.who, self.conceal)
        self._action: Action | None = None
        self._request = ActionRequest(action="")
        self._plan: Plan | None = None
        self._made_s = 0.0
        self._resumed: Resumed | None = None
        self.fresh_plan: Plan | None = None
        """The plan as it is now, when it was made anew and says something else than the one that was confirmed."""

    @classmethod
    def open(cls, opening: Opening) -> Negotiation:
        """The parts, by the settings of whoever may say which. Raises `SettingsError` or `Refused`."""
        context, standing = context_of(opening)
        return cls(context, standing)

    # Looking

    async def first(self, opening: Opening) -> Reply:
        """The plan for what is wanted."""
        if opening.resume is not None:
            return await self._rest_of(opening.resume)
        if opening.due is not None:
            self._request, self._standing, self._context = self._due(opening.due)
            self._journal = Journal(self._context.records, self._standing.who, self.conceal)
        else:
            self._request = ActionRequest(action=opening.action or "", parameters=self._shown(opening.parameters))
        self._action = action_of(self._request.action)
        return Reply(plan=await self._look(), reason=self._journal.armed())

    async def change(self, parameters: Mapping[str, Json]) -> Reply:
        """The plan with other options."""
        if self._resumed is not None:
            raise Refused("the rest of a run has no options")
        merged = {**self._request.parameters, **self._shown(parameters)}
        self._request = dataclasses.replace(self._request, parameters=merged)
        return Reply(plan=await self._look(), reason=self._journal.armed())

    async def _look(self) -> Plan:
        self._plan = await (self._planned() if self._resumed is None else self._rest(self._resumed))
        self._made_s = _clock_s()
        return self._plan

    async def _planned(self) -> Plan:
        action = self._known_action()
        facts = await action.facts(self._context, self._request)
        plan = action.plan(self._context, self._request, facts)
        own = self._resumed.run.token if self._resumed else None
        common = common_checks(self._context, self._standing, self._journal, plan, own=own)
        return dataclasses.replace(plan, checks=(*plan.checks, *common), request=self._request)

    async def _look_again(self, seen: Plan) -> Plan:
        """The plan as it is now, where it is what was seen. Raises `Refused`, and then has it in `fresh_plan`."""
        plan = await self._look()
        fresh = news(seen, plan)
        if plan.digest == seen.digest and not fresh:
            return plan
        self.fresh_plan = plan
        if plan.digest != seen.digest:
            raise Refused("what would be done has changed since you looked: look again, nothing was done")
        told = "; ".join(check.words for check in fresh)
        raise Refused(f"what you would meet has changed: look again, nothing was done; new is: {told}")

    # Doing

    async def confirm(self, reason: str, typed: str) -> Begun:
        """The first row of the run stands when this returns. Raises `Refused`, with nothing done."""
        self.fresh_plan = None
        plan = self._known_plan()
        armed = "" if plan.risk is Risk.SAFE else self._journal.armed()  # what needs no reason takes none of others
        reason = clean(self.conceal(reason), REASON_LIMIT) or armed
        refuse_unconfirmed(plan, self._standing, reason=reason, typed=typed)
        if _clock_s() - self._made_s > FRESH_S:
            plan = await self._look_again(plan)
            refuse_unconfirmed(plan, self._standing, reason=reason, typed=typed)
        if self._resumed is not None:
            return await self._adopt(self._resumed)
        self._context = dataclasses.replace(self._context, reason=reason)
        return await begin(self._context, plan, self._standing, self._journal, reason)

    async def carry_out(self, begun: Begun) -> bool:
        """All that is left; whether it ended well. Writes the run's end."""
        plan = self._known_plan()
        context = dataclasses.replace(self._context, run=begun.token)
        engine = Engine(context, self._known_action(), plan, self._journal, begun.run_id)
        progress = self._resumed.progress if self._resumed else Progress()
        outcome, words = await engine.run(progress)
        await take(context, self._journal.end(begun.run_id, outcome, words))
        if outcome is not RunOutcome.UNKNOWN:
            begun.lock.release()
        return outcome is RunOutcome.DONE

    def log_path(self, token: str) -> Path:
        """Where a run's own words go: defects and the interpreter's, for those who mend the console."""
        return self._context.settings.state_directory / "runs" / f"{token}.log"

    def enter(self, entry: Entry) -> str:
        """Write something into the people's records that is no action; gives its text as it is on record. Raises
        `Refused`, where they may not."""
        from console.actions.entries import write

        return write(self._context, self._standing, entry, self.conceal)

    # What was planned for a time

    async def begin_due(self, due: int) -> Begun:
        """The first row of a run that was confirmed when it was planned. Raises `Refused`, and notes why."""
        from console.store.due import note_refusal, note_run

        plan = self._known_plan()
        try:
            refuse_unconfirmed(
                plan, self._standing, reason=self._context.reason, typed=f"{plan.environment}/{plan.short_id}"
            )
            begun = await begin(self._context, plan, self._standing, self._journal, self._context.reason)
        except Refused as refused:
            note_refusal(self._context.records, due, str(refused))
            raise
        note_run(self._context.records, due, begun.token)
        return begun

    def _due(self, due: int) -> tuple[ActionRequest, Standing, Context]:
        from console.store.due import taken

        if self._standing.authority is Authority.ENFORCED and "SUDO_UID" in os.environ:
            raise Refused("what is due is begun by the collector's service, at its time; not by a person")
        row = taken(self._context.records, due)
        if row is None:
            raise Refused(f"nothing of number {due} is due and taken")
        standing = standing_of(self._context, row.operator_uid)
        context = dataclasses.replace(self._context, operator=row.operator, reason=row.reason)
        return ActionRequest(action=row.action, parameters=row.parameters), standing, context

    # The rest of an interrupted run

    async def _rest_of(self, token: str) -> Reply:
        until_s = asyncio.get_running_loop().time() + RESUME_S
        run, lock = self._locked_run(token)
        plan = msgspec.json.decode(run.plan, type=Plan)
        progress = progress_of(plan, self._journal.entries(run.id))
        ends = unsettled(plan, progress) or is_untouched(plan, progress)
        self._refuse(Risk(run.risk) if ends else Risk.SAFE)  # before anything is written
        self._refuse_elsewhere()
        self._action = action_of(plan.action)
        self._context = dataclasses.replace(self._context, run=run.token, reason=run.reason)
        ended = await self._settled(plan, progress, run)
        if ended is not None:
            lock.release()
            return Reply(ended=ended)
        self._resumed = Resumed(run, lock, plan, progress)
        try:
            async with asyncio.timeout_at(until_s):
                return Reply(plan=await self._look(), reason=run.reason)
        except TimeoutError:
            raise Refused("what is left cannot be looked at anew in time: try again") from None

    async def _settled(self, plan: Plan, progress: Progress, run: StoredRun) -> str | None:
        """Find out what became of the changes whose end nobody wrote. How the run ended, if that is its end; None:
        there is a rest to carry out. Raises `Refused` while the remote state does not say."""
        broken = next((step for step in plan.steps if step.required and _failed(progress, step)), None)
        if broken is not None:  # killed after that was written, and before the run's end was
            words = f"{broken.words}: it failed, and the run was cut off before it could say so"
            return await self._ended(run, RunOutcome.FAILED, words)
        engine = Engine(self._context, self._known_action(), plan, self._journal, run.id)
        until_s = asyncio.get_running_loop().time() + SETTLE_S
        for step in unsettled(plan, progress):
            again = step.required and has_changed(plan, progress)
            result = await engine.settle(step, progress.data, again=again, until_s=until_s)
            progress.took(step, result)
            if result.outcome is StepOutcome.UNKNOWN and step.required:
                await self._ended(run, RunOutcome.UNKNOWN, result.words)
                raise Refused(f"still unknown: {result.words}. radar actions close {run.id} ends it by hand")
            if again and result.outcome is StepOutcome.FAILED:
                del progress.outcomes[step.key]
            elif step.required and result.outcome is StepOutcome.FAILED:
                words = untouched_words(plan, progress, result.words)
                return await self._ended(run, RunOutcome.NOT_DONE, words)
        if is_untouched(plan, progress):  # what was planned then is not what would be planned now
            return await self._ended(run, RunOutcome.NOT_DONE, untouched_words(plan, progress))
        return None

    async def _ended(self, run: StoredRun, outcome: RunOutcome, words: str) -> str:
        await take(self._context, self._journal.end(run.id, outcome, words))
        return words

    async def _rest(self, resumed: Resumed) -> Plan:
        """What is left, as a plan. While a change is among it, the whole is planned anew: it must be the same, and its
        checks are those of today. Raises `Refused`."""
        rest = rest_of(resumed.plan, resumed.progress)
        if not changes_more(rest):
            return dataclasses.replace(rest, checks=watching_checks(self._context, self._standing, rest))
        if resumed.plan.request is None:
            raise Refused(f"what was asked for is not known, so that it cannot be planned anew. {by_hand(resumed)}")
        self._request = resumed.plan.request
        try:
            fresh = await self._planned()
        except Refused as refused:
            raise Refused(f"what is left cannot be planned anew: {refused}. {by_hand(resumed)}") from None
        refuse_other(resumed, rest, fresh)
        return dataclasses.replace(rest, checks=fresh.checks)

    async def _adopt(self, resumed: Resumed) -> Begun:
        run = resumed.run
        await take(self._context, self._journal.adopt(run.id, os.getpid(), boot_id(), host()))
        return Begun(run.id, run.token, resumed.lock)

    async def close_run(self, token: str, reason: str) -> str:
        """End an open run by hand. Raises `Refused` while it is carried out, and without a reason."""
        if not reason.strip():
            raise Refused("closing a run needs a reason: nobody will look after it any more")
        run, lock = self._locked_run(token)
        self._refuse(Risk(run.risk))
        said = await self._left(run)
        words = "; ".join(filter(None, (f"by hand: {reason.strip()}", said)))
        await take(self._context, self._journal.end(run.id, RunOutcome.CLOSED, words))
        lock.release()
        return f"run {run.id} is closed by hand; {said or 'what it had changed stays as it is'}"

    async def _left(self, run: StoredRun) -> str:
        """What the run leaves in force, read and held before it ends; empty: nothing that is known of."""
        from console.actions.closing import left_by

        plan = msgspec.json.decode(run.plan, type=Plan)
        context = dataclasses.replace(self._context, run=run.token, reason=run.reason)
        found = await left_by(context, plan, progress_of(plan, self._journal.entries(run.id)))
        if found is None:
            return ""
        step, result = found
        self._journal.conclude(run.id, step.key, result)
        return result.words

    def _open_run(self, token: str) -> StoredRun:
        run = self._journal.find(token)
        if run is None or run.ended_ms is not None:
            raise Refused("there is no such run, or it is at its end")
        return run

    def _locked_run(self, token: str) -> tuple[StoredRun, RunLock]:
        """An open run that nobody carries out, and its lock. Raises `Refused`."""
        lock = self._lock_of(self._open_run(token))
        return self._open_run(token), lock  # read again: whoever held the lock may have ended it meanwhile

    def _refuse(self, risk: Risk) -> None:
        check = self._standing.check(risk)
        if check.result is CheckResult.FAIL:
            raise Refused(check.words)

    def _refuse_elsewhere(self) -> None:
        """Nothing is asked of a system that is not the configured one, let alone carried out there."""
        wrong = next((check for check in identity_check(self._context) if check.result is CheckResult.FAIL), None)
        if wrong is not None:
            raise Refused(wrong.words)

    def _lock_of(self, run: StoredRun) -> RunLock:
        directory = self._context.settings.state_directory
        lives = is_carried_out(directory, run.token, run.pid, run.boot_id)  # also where its lock was removed
        lock = None if lives else RunLock.take(directory, run.token)
        if lock is None:
            raise Refused(f"run {run.id} is being carried out (pid {run.pid} on {run.host}): nothing to resume")
        return lock

    # Inside

    def _shown(self, parameters: Mapping[str, Json]) -> dict[str, Json]:
        """What people gave, without secrets: it goes into plans, messages and what is due."""
        return {name: self.conceal(value) if isinstance(value, str) else value for name, value in parameters.items()}

    def _known_plan(self) -> Plan:
        if self._plan is None:
            raise Refused("there is no plan")
        return self._plan

    def _known_action(self) -> Action:
        if self._action is None:
            raise Refused("there is no action")
        return self._action


def _failed(progress: Progress, step: Step) -> bool:
    return progress.outcomes.get(step.key) is StepOutcome.FAILED


def _clock_s() -> float:
    """Goes on while the machine sleeps: a plan that was open over night is old."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
