"""Setting the maintenance flag, and what the ledger holds of it: from the flag on until the page is seen gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from console.actions import maintenance_schedule as schedule
from console.actions import maintenance_telling as telling
from console.actions.base import Context, done, failed, unknown
from console.actions.maintenance_facts import seen_page, sign_in
from console.actions.maintenance_providers import Provider, confirmed, provider_of, read_back
from console.actions.wire import LIMITS, Rejected
from console.model import payload
from console.model.actions import ActionRequest, Holding, Plan, StepOutcome, StepResult
from console.model.maintenance import HOLDING, OFF, Flag, Sign
from console.model.observation import Json
from console.model.operations import Maintenance
from console.model.ports import StoreUnreadable
from console.sources.faults import Fault

ACTION = "maintenance"
CHANGES, MESSAGE, MINUTES = "changes", "message", "minutes"
"""In the plan's data: that it is on already, and what is to be another then."""
DEFAULT_MESSAGE = "We are doing maintenance and will be back soon."
NOT_SERVED_RIGHT = "maintenance-end"
"""The kind of what is left when the flag is off, the page gone, and visitors get errors: nobody was told of its end."""
RETRY_S = 2.0
NEAR_MS = 300_000
"""So far the end of a flag that was read may lie from one that would be written now."""


def settings_for(context: Context) -> Maintenance:
    """Of the maintenance. Raises `Refused` with the lines to add."""
    provider_for(context)
    assert context.operations.maintenance is not None
    return context.operations.maintenance


def provider_for(context: Context) -> Provider:
    """Where the flag is kept. Raises `Refused` with the lines to add."""
    return provider_of(context.environment, context.operations.maintenance, context.clients)


def is_change(asked: Mapping[str, Json], flag: Flag) -> bool:
    """Whether it is on already, and something of it shall be another."""
    return asked.get("on") is True and flag.on is True and bool(asked.get(MESSAGE) or asked.get(MINUTES))


async def write(context: Context, plan: Plan) -> StepResult:
    """Write the flag, unless it stands there as wanted already; done only when it is read back."""
    provider = provider_for(context)
    try:
        reading = await provider.read()
    except Fault as fault:  # nothing was sent yet that changes anything
        raise Rejected(f"nothing was changed, for it cannot be read before: {fault.words}") from None
    found, before = reading.flag, sign_in(await seen_page(context, settings_for(context)))
    flag = _wanted(context, plan, found)
    if found.on is flag.on and (not flag.on or flag == found):
        return await _switched(context, plan, found, f"it was {found.words} already: not written again", again=True)
    warnings = [await provider.write(flag, reading.mark), await read_back(provider, flag)]
    words = "; ".join((f"it is {flag.words}", *filter(None, warnings)))
    return await _switched(context, plan, flag, words, before)


async def resolved(context: Context, plan: Plan) -> StepResult:
    """By the flag as it stands. Raises `Fault`."""
    on = plan.data["on"] is True
    patience_s = 0.0  # a request whose answer was waited for is over; one that was cut off may still be carried out
    if context.intended_ms is not None:
        patience_s = LIMITS.total_s - (context.now_ms() - context.intended_ms) / 1000
    found = (await confirmed(provider_for(context), on=on, wait_s=RETRY_S, patience_s=patience_s)).flag
    if found.on is None:
        return unknown(f"the flag: {found.words}")
    if found.on is not on:
        return failed(f"the flag is {found.words}: it was not switched")
    if plan.data.get(CHANGES) is True and not _is_as_wanted(context, plan, found):
        return failed(f"the flag is {found.words}: it was not changed")
    return await _switched(context, plan, found, found.words)


def _wanted(context: Context, plan: Plan, found: Flag) -> Flag:
    """What is on already stays so since then; what was not given anew stays as it is."""
    if plan.data["on"] is not True:
        return OFF
    now_ms, minutes = context.now_ms(), plan.data.get(MINUTES)
    message = payload.text(plan.data, MESSAGE)
    until_ms = now_ms + int(minutes * 60_000) if isinstance(minutes, float | int) else None
    if found.on is True:
        return replace(found, message=message or found.message, until_ms=until_ms or found.until_ms)
    return Flag(
        on=True, message=message or DEFAULT_MESSAGE, since_ms=now_ms, until_ms=until_ms, by=context.operator
    )  # fmt: skip


def _is_as_wanted(context: Context, plan: Plan, found: Flag) -> bool:
    wanted = _wanted(context, plan, found)
    return wanted.message == found.message and abs((wanted.until_ms or 0) - (found.until_ms or 0)) < NEAR_MS


async def _switched(
    context: Context, plan: Plan, flag: Flag, words: str, before: Sign = "", *, again: bool = False
) -> StepResult:
    """Done, with what the ledger holds. `before`: what the page looked like until then; `again`: it was so already."""
    if plan.data["on"] is not True:
        words += schedule.forget(context)
        untold = await asyncio.to_thread(_is_untold, context)
        return StepResult(outcome=StepOutcome.DONE, words=words, data={"untold": untold})
    if plan.data.get(MINUTES) is not None or not (again or plan.data.get(CHANGES) is True):
        words += schedule.forget(context)
    text = f"of {context.environment.name}: {flag.message or 'no message'}"
    held = _holding(context, text, flag.until_ms, continues=again or plan.data.get(CHANGES) is True)
    return StepResult(
        outcome=StepOutcome.DONE,
        words=words,
        data={"flag": flag.value, "before": before, "again": again},
        holds=(held,),
    )


def _is_untold(context: Context) -> bool:
    """Whether a maintenance of ours was begun and nobody was told: then nobody needs to be told that it is over."""
    try:
        held = any(row.kind == HOLDING for row in context.reads.actions(None).holdings)
    except StoreUnreadable:
        return False
    return held and not telling.is_told(context)


def _holding(context: Context, text: str, until_ms: int | None, *, continues: bool, kind: str = HOLDING) -> Holding:
    return Holding(
        kind=kind,
        subject=context.environment.name,
        text=text,
        expires_ms=until_ms,
        undo="radar maintenance off",
        request=ActionRequest(action=ACTION, parameters={"on": False}),
        continues=continues,
    )


def over(context: Context, words: str) -> StepResult:
    """The page is seen gone: nothing is held any more."""
    name = context.environment.name
    return replace(done(words), releases=((HOLDING, name), (NOT_SERVED_RIGHT, name)))


def lingers(context: Context, words: str, *, gone: bool) -> StepResult:
    """The flag is off, and visitors do not get the application: somebody must look again. `gone`: the page at least
    is seen gone, so that what they get now is a failure and no maintenance."""
    name = context.environment.name
    told = "the status page and people are not told that it is over"
    text = f"of {name}: the flag is off, but {words}; {told}"
    held = _holding(context, text, None, continues=True, kind=NOT_SERVED_RIGHT if gone else HOLDING)
    again = f"{words}; {told}: radar maintenance off again, once visitors get the application"
    return replace(failed(again), holds=(held,), releases=((HOLDING, name),) if gone else ())
