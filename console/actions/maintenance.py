"""Maintenance mode on and off (E1, SU1): the flag, the page as visitors see it, the status page, the people.

The flag is the deed. Everything after it is looked at or told, and telling may fail without losing the rest. The page
is required: to tell the public of a maintenance that nobody sees would be untrue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from console.actions import maintenance_schedule as schedule
from console.actions import maintenance_telling as telling
from console.actions.base import Context, done, failed, text_of, unknown
from console.actions.maintenance_facts import checks, gathered, seen_page, sign_in
from console.actions.maintenance_providers import Provider, confirmed, provider_of
from console.actions.wire import Rejected
from console.model import payload
from console.model.actions import ActionRequest, Holding, Option, Plan, Risk, Step, StepKind, StepResult
from console.model.maintenance import HOLDING, OFF, Flag, Sign, flag_of, is_served, message_of
from console.model.observation import Json
from console.model.operations import Maintenance
from console.model.ports import Refused
from console.sources.application import address
from console.sources.faults import Fault
from console.store.service import service

EXCLUSION = "maintenance"
FLAG, PAGE = "flag", "page"
DEFAULT_MESSAGE = "We are doing maintenance and will be back soon."
OVER_MESSAGE = "The maintenance is over."
LOOK_S = 1.0
LEAST_LOOK_S = 20.0
LONGEST_MINUTES = 7 * 24 * 60


class SetMaintenance:
    """`maintenance` {on, message?, mail?, minutes?, ends?, announced?}. `ends`: the collector's service ends it after
    `minutes`."""

    NAME: ClassVar[str] = "maintenance"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The flag and what stands around it. Raises `Refused` without a provider, and for parameters that are none."""
        asked = parameters_of(request)
        facts = await gathered(context, provider_for(context))
        if schedule.ENDS not in asked:
            return facts
        seen = await asyncio.to_thread(service, context.settings.observed_path)
        return {**facts, "service": seen.alive, "service_words": seen.words}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """On or off, with everybody who is told."""
        asked, provider, maintenance = parameters_of(request), provider_for(context), settings_for(context)
        on, name = asked["on"] is True, context.environment.name
        mail, ends = _mail(context, asked), schedule.ENDS in asked
        word = "on" if on else "off"
        public = "maintenance in progress, its components under maintenance" if on else "completed, all operational"
        return Plan(
            action=self.NAME,
            title=f"Put {name} into maintenance" if on else f"End the maintenance of {name}",
            environment=name,
            target=f"{name} by {provider.name}",
            short_id=word,
            risk=Risk.DISRUPTIVE,
            exclusion=EXCLUSION,
            checks=(*checks(facts, provider, context, on=on), *(schedule.checks(facts) if ends else ())),
            steps=(
                _flag_step(provider, payload.text(facts, "call") or provider.call, on=on),
                *((schedule.step(float(str(asked["minutes"]))),) if ends else ()),
                _page_step(context, maintenance, provider, on=on),
                *telling.steps(context.operations, public, mail=mail),
            ),
            lost=("whatever visitors are doing now: the next request of theirs meets the page",) if on else (),
            afterwards=_afterwards(asked) if on else ("visitors get the application again",),
            undo=f"radar maintenance {'off' if on else 'on'} (about {provider.propagation_s + 2:.0f} s)",
            undo_request=ActionRequest(action=self.NAME, parameters={"on": not on}),
            escape=(*_escape(facts, provider, on=on), _look_by_hand(context, maintenance)),
            options=(*_mail_option(context, mail=mail), *(schedule.option(asked) if on else ())),
            # Nothing here that changes by itself: a plan that says something else than a moment ago is refused.
            data={**asked, "mail": mail},
        )

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """One step."""
        if step.key == FLAG:
            return await _write(context, plan)
        if step.key == PAGE:
            return await _see(context, plan)
        if step.key == schedule.ENDS:
            return schedule.write(context, plan.data)
        return await telling.carry_out(context, step, _news(context, plan))

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """By the flag as it stands."""
        on = plan.data["on"] is True
        found = (await confirmed(provider_for(context), on=on, wait_s=2.0)).flag
        if found.on is on:
            return _switched(context, plan, found, found.words)
        if found.on is None:
            return unknown(f"the flag: {found.words}")
        return failed(f"the flag is {found.words}: it was not switched")


def parameters_of(request: ActionRequest) -> dict[str, Json]:
    """The parameters, checked; what was not given is absent. Raises `Refused`."""
    on = request.parameters.get("on")
    if not isinstance(on, bool):
        raise Refused("maintenance is switched on or off")
    asked: dict[str, Json] = {"on": on}
    if message := text_of(request, "message"):
        asked["message"] = message_of(message)
    for name in ("mail", "announced"):
        if (value := request.parameters.get(name)) is not None:
            asked[name] = value
    if (minutes := minutes_of(request)) is not None:
        asked["minutes"] = minutes
    if schedule.asked_for({**asked, schedule.ENDS: request.parameters.get(schedule.ENDS)}):
        if not on:
            raise Refused("what ends by itself is switched on")
        asked[schedule.ENDS] = True
    return asked


def minutes_of(request: ActionRequest, name: str = "minutes") -> float | None:
    """A length in minutes. Raises `Refused` for what is none, and for more than a week."""
    value = request.parameters.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_MINUTES:
        raise Refused(f"{name} must be a number above 0 and at most {LONGEST_MINUTES} (7 days)")
    return float(value)


# --- the plan's parts -------------------------------------------------------------------------------------------------


def settings_for(context: Context) -> Maintenance:
    provider_for(context)  # which refuses with the lines to add
    assert context.operations.maintenance is not None
    return context.operations.maintenance


def provider_for(context: Context) -> Provider:
    return provider_of(context.environment, context.operations.maintenance, context.clients)


def _mail(context: Context, asked: Mapping[str, Json]) -> bool:
    """Only where there is a status page; without a word of the person's as the settings say."""
    statuspage, wish = context.operations.statuspage, asked.get("mail")
    return statuspage is not None and (statuspage.email if wish is None else wish is True)


def _mail_option(context: Context, *, mail: bool) -> tuple[Option, ...]:
    if context.operations.statuspage is None:
        return ()
    words = "mail to the status page's subscribers"
    return (Option(key="m", words=words, parameter="mail", value=not mail, on=mail),)


def _flag_step(provider: Provider, call: str, *, on: bool) -> Step:
    words = f"set maintenance {'on' if on else 'off'} in {provider.name}"
    return Step(key=FLAG, kind=StepKind.CHANGE, words=words, call=call, expected_s=2.0)


def _escape(facts: Mapping[str, Json], provider: Provider, *, on: bool) -> tuple[str, ...]:
    found = payload.items(facts, "escape", "on" if on else "off")
    return tuple(str(each) for each in found) or provider.escape(on=on)


def _page_step(context: Context, maintenance: Maintenance, provider: Provider, *, on: bool) -> Step:
    words = "see from outside that visitors get the maintenance page" if on else "see from outside that it is gone"
    call = f"GET {address(context.environment, maintenance.page)}"
    return Step(key=PAGE, kind=StepKind.SEE, words=words, call=call, expected_s=provider.propagation_s)


def _afterwards(asked: Mapping[str, Json]) -> tuple[str, ...]:
    minutes = asked.get("minutes")
    by = "the collector's service ends it then" if asked.get(schedule.ENDS) else "nothing ends it by itself"
    planned = f"planned for {minutes:g} min; {by}" if isinstance(minutes, float) else ""
    held = "alerts of routes that show the maintenance page are held; an answer 500 still counts"
    return tuple(
        each for each in (planned or "without a planned end: the ledger shows it until it is ended", held) if each
    )


def _look_by_hand(context: Context, maintenance: Maintenance) -> str:
    return f"curl -si '{address(context.environment, maintenance.page)}' | head"


# --- the steps --------------------------------------------------------------------------------------------------------


async def _write(context: Context, plan: Plan) -> StepResult:
    """Write the flag, unless it stands there as wanted already."""
    provider, wanted = provider_for(context), _wanted(context, plan)
    try:
        reading = await provider.read()
    except Fault as fault:  # nothing was sent yet that changes anything
        raise Rejected(f"nothing was changed, for it cannot be read before: {fault.words}") from None
    found, before = reading.flag, sign_in(await seen_page(context, settings_for(context)))
    if found.on is wanted.on and (not wanted.on or (wanted.message == found.message and wanted.until_ms is None)):
        return _switched(context, plan, found, f"it was {found.words} already: not written again")
    warning = await provider.write(wanted, reading.mark)
    words = f"it is {wanted.words}" + (f"; {warning}" if warning else "")
    return _switched(context, plan, wanted, words, before)


def _wanted(context: Context, plan: Plan) -> Flag:
    if plan.data["on"] is not True:
        return OFF
    now_ms, minutes = context.now_ms(), plan.data.get("minutes")
    return Flag(
        on=True,
        message=payload.text(plan.data, "message") or DEFAULT_MESSAGE,
        since_ms=now_ms,
        until_ms=now_ms + int(minutes * 60_000) if isinstance(minutes, float | int) else None,
        by=context.operator,
    )


def _switched(context: Context, plan: Plan, flag: Flag, words: str, before: Sign = "") -> StepResult:
    """Done, with its entry in the ledger or without it any more. `before`: what the page looked like until then."""
    name = context.environment.name
    words += schedule.forget(context)
    if plan.data["on"] is not True:
        return StepResult(outcome=done("").outcome, words=words, releases=((HOLDING, name),))
    holding = Holding(
        kind=HOLDING,
        subject=name,
        text=f"of {name}: {flag.message or 'no message'}",
        expires_ms=flag.until_ms,
        undo="radar maintenance off",
        request=ActionRequest(action=SetMaintenance.NAME, parameters={"on": False}),
    )
    return StepResult(
        outcome=done("").outcome, words=words, data={"flag": flag.value, "before": before}, holds=(holding,)
    )


async def _see(context: Context, plan: Plan) -> StepResult:
    """Look as a visitor does, until it is as wanted or for as long as a change may take to spread."""
    maintenance, on = settings_for(context), plan.data["on"] is True
    before = sign_in({"sign": context.done.get("before")})
    patience_s = max(LEAST_LOOK_S, 2 * provider_for(context).propagation_s)
    ends_s, page = asyncio.get_running_loop().time() + patience_s, dict[str, Json]()
    for _ in range(int(patience_s / LOOK_S)):
        page = await seen_page(context, maintenance)
        sign, status = sign_in(page), payload.number(page, "status")
        if on and status is not None and is_served(sign, before):
            return done(f"the page answers {status:.0f}{_by(sign, maintenance)}")
        if not on and status is not None and sign not in ("header", "page", "503"):
            return _back(int(status))
        if asyncio.get_running_loop().time() >= ends_s:
            break
        context.tell(_not_seen(page, on=on).words)
        await context.wait(LOOK_S)
    return _not_seen(page, on=on)


def _by(sign: str, maintenance: Maintenance) -> str:
    return {
        "header": " and says that it is the maintenance page",
        "page": f' with the word "{maintenance.marker}"',
        "503": f' without the word "{maintenance.marker}", and did not before: look at it',
    }.get(sign, f' with the word "{maintenance.marker}", which was not there before')


def _back(status: int) -> StepResult:
    if status >= 500:
        return failed(f"the maintenance page is gone, but what visitors get now is {status}")
    return done(f"the maintenance page is gone: {status}")


def _not_seen(page: Mapping[str, Json], *, on: bool) -> StepResult:
    wanted = "the maintenance page is not served" if on else "the maintenance page is still there"
    if fault := payload.text(page, "fault"):
        return failed(f"what visitors get cannot be seen from here: {fault}")
    return failed(f"{wanted}: the page answers {payload.number(page, 'status') or 0:.0f}")


def _news(context: Context, plan: Plan) -> telling.News:
    """What is told, with the flag's own times as they were written."""
    on = plan.data["on"] is True
    flag = flag_of(context.done.get("flag")) if on else OFF
    now_ms = context.now_ms()
    window_ms = settings_for(context).window_minutes * 60_000
    from_ms = flag.since_ms or now_ms
    announced = plan.data.get("announced")
    return telling.News(
        key=announced if isinstance(announced, str) else context.run or "",
        what="begun" if on else "over",
        message=(flag.message or DEFAULT_MESSAGE) if on else payload.text(plan.data, "message") or OVER_MESSAGE,
        from_ms=from_ms,
        until_ms=flag.until_ms or from_ms + window_ms,
        mail=plan.data.get("mail") is True,
    )
