"""Maintenance mode on and off (E1, SU1): the flag, the page as visitors see it, the status page, the people.

The flag is the deed. Everything after it is looked at or told, and telling may fail without losing the rest. The page
is required: to tell the public of a maintenance that nobody sees would be untrue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from console.actions import maintenance_flag as flags
from console.actions import maintenance_schedule as schedule
from console.actions import maintenance_telling as telling
from console.actions.base import Context, done, failed, text_of
from console.actions.maintenance_facts import checks, gathered, seen_page, sign_in
from console.actions.maintenance_flag import provider_for, settings_for
from console.actions.maintenance_providers import Provider
from console.model import payload
from console.model.actions import ActionRequest, Option, Plan, Risk, Step, StepKind, StepResult
from console.model.maintenance import OFF, flag_of, is_served, message_of
from console.model.observation import Json
from console.model.operations import Maintenance
from console.model.ports import Refused
from console.model.words import window_words
from console.sources.application import address
from console.store.service import service

EXCLUSION = "maintenance"
FLAG, PAGE = "flag", "page"
OVER_MESSAGE = "The maintenance is over."
LOOK_S = 1.0
LEAST_LOOK_S = 20.0
LONGEST_MINUTES = 7 * 24 * 60
LOST = "whatever visitors are doing now: the next request of theirs meets the page"


class SetMaintenance:
    """`maintenance` {on, message?, mail?, minutes?, ends?, announced?}. `ends`: the collector's service ends it after
    `minutes`."""

    NAME: ClassVar[str] = "maintenance"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The flag and what stands around it. Raises `Refused` without a provider, and for parameters that are none."""
        asked = parameters_of(request)
        facts = await gathered(context, provider_for(context), payload.text(asked, "message") or "")
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
        changes = flags.is_change(asked, flag_of(facts.get("flag")))
        public = "maintenance in progress, its components under maintenance" if on else "completed, all operational"
        title = f"Put {name} into maintenance" if on else f"End the maintenance of {name}"
        return Plan(
            action=self.NAME,
            title=f"Change {_what(asked)} of the maintenance of {name}" if changes else title,
            environment=name,
            target=f"{name} by {provider.name}",
            short_id=word,
            risk=Risk.DISRUPTIVE,
            exclusion=EXCLUSION,
            checks=(
                *checks(facts, provider, context, on=on, changes=changes),
                *(schedule.checks(facts) if ends else ()),
            ),
            steps=(
                _flag_step(
                    provider, payload.text(facts, "call") or provider.call, on=on, changed=_what(asked, changes)
                ),
                *((schedule.step(float(str(asked["minutes"]))),) if ends else ()),
                _page_step(context, maintenance, provider, on=on),
                *telling.steps(context.operations, "what is in progress changed" if changes else public, mail=mail),
            ),
            lost=(LOST,) if on and not changes else (),
            afterwards=_afterwards(asked) if on else ("visitors get the application again",),
            undo=f"radar maintenance {'off' if on else 'on'} (about {provider.propagation_s + 2:.0f} s)",
            undo_request=ActionRequest(action=self.NAME, parameters={"on": not on}),
            escape=(*_escape(facts, provider, on=on), _look_by_hand(context, maintenance)),
            options=(*_mail_option(context, mail=mail), *(schedule.option(asked) if on else ())),
            # Nothing here that changes by itself: a plan that says something else than a moment ago is refused.
            data={**asked, "mail": mail, **({flags.CHANGES: True} if changes else {})},
        )

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """One step."""
        if step.key == FLAG:
            return await flags.write(context, plan)
        if step.key == PAGE:
            return await _see(context, plan)
        if step.key == schedule.ENDS:
            return schedule.write(context, plan.data)
        return await telling.carry_out(context, step, _news(context, plan))

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """By the flag as it stands."""
        return await flags.resolved(context, plan)


def parameters_of(request: ActionRequest) -> dict[str, Json]:
    """The parameters, checked; what was not given is absent. Raises `Refused`."""
    on = request.parameters.get("on")
    if not isinstance(on, bool):
        raise Refused("maintenance is switched on or off")
    asked: dict[str, Json] = {"on": on}
    if message := text_of(request, "message"):
        try:
            asked["message"] = message_of(message)
        except ValueError as error:
            raise Refused(str(error)) from None
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


def minutes_of(request: ActionRequest, name: str = "minutes", *, notice: bool = False) -> float | None:
    """A length in minutes; `notice`: of an announcement. Raises `Refused` for none, and for more than a week."""
    value = request.parameters.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_MINUTES:
        what = "the notice" if notice else "the planned length"
        raise Refused(f"{what} must be above 0 and at most 7 days")
    return float(value)


# --- the plan's parts -------------------------------------------------------------------------------------------------


def _mail(context: Context, asked: Mapping[str, Json]) -> bool:
    """Only where there is a status page; without a word of the person's as the settings say."""
    statuspage, wish = context.operations.statuspage, asked.get("mail")
    return statuspage is not None and (statuspage.email if wish is None else wish is True)


def _mail_option(context: Context, *, mail: bool) -> tuple[Option, ...]:
    if context.operations.statuspage is None:
        return ()
    words = "mail to the status page's subscribers"
    return (Option(key="m", words=words, parameter="mail", value=not mail, on=mail),)


def _what(asked: Mapping[str, Json], changes: bool = True) -> str:
    """What of a maintenance under way is to be another; empty: nothing."""
    named = (("message", flags.MESSAGE), ("planned end", flags.MINUTES))
    return " and ".join(name for name, key in named if asked.get(key)) if changes else ""


def _flag_step(provider: Provider, call: str, *, on: bool, changed: str) -> Step:
    words = f"set maintenance {'on' if on else 'off'} in {provider.name}"
    if changed:
        words = f"set another {changed} in {provider.name}; since when stays"
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
    planned = f"planned for {window_words(round(minutes * 60))}; {by}" if isinstance(minutes, float) else ""
    held = "alerts of routes that show the maintenance page are held; an answer 500 still counts"
    return tuple(
        each for each in (planned or "without a planned end: the ledger shows it until it is ended", held) if each
    )


def _look_by_hand(context: Context, maintenance: Maintenance) -> str:
    return f"curl -si '{address(context.environment, maintenance.page)}' | head"


# --- the steps --------------------------------------------------------------------------------------------------------


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
            words = f"the maintenance page is gone: {status:.0f}"
            return flags.over(context, words) if status < 500 else _missed(context, page, on=on)
        if asyncio.get_running_loop().time() >= ends_s:
            break
        context.tell(_not_seen(page, on=on))
        await context.wait(LOOK_S)
    return _missed(context, page, on=on)


def _by(sign: str, maintenance: Maintenance) -> str:
    return {
        "header": " and says that it is the maintenance page",
        "page": f' with the word "{maintenance.marker}"',
        "503": f' without the word "{maintenance.marker}", and did not before: look at it',
    }.get(sign, f' with the word "{maintenance.marker}", which was not there before')


def _missed(context: Context, page: dict[str, Json], *, on: bool) -> StepResult:
    """How the step ends where visitors do not get what they should."""
    words = _not_seen(page, on=on)
    if on:
        return failed(f"{words}; maintenance IS on, by its flag: radar maintenance off ends it")
    known = payload.number(page, "status") is not None
    return flags.lingers(context, words, gone=known and sign_in(page) not in ("header", "page"))


def _not_seen(page: dict[str, Json], *, on: bool) -> str:
    if fault := payload.text(page, "fault"):
        return f"what visitors get cannot be seen from here: {fault}"
    status, sign = payload.number(page, "status") or 0, sign_in(page)
    if on:
        return f"the maintenance page is not served: the page answers {status:.0f}"
    if sign in ("header", "page"):
        return f"the maintenance page is still there: the page answers {status:.0f}"
    return f"what visitors get now is {status:.0f}"


def _news(context: Context, plan: Plan) -> telling.News:
    """What is told, with the flag's own times as they were written: no end where none is planned."""
    on, announced = plan.data["on"] is True, plan.data.get("announced")
    flag = flag_of(context.done.get("flag")) if on else OFF
    from_ms = flag.since_ms or context.now_ms()
    page_until_ms = flag.until_ms
    if on and isinstance(announced, str) and page_until_ms is None:  # the page has it as scheduled, with this end
        page_until_ms = from_ms + settings_for(context).window_minutes * 60_000
    message = (flag.message or flags.DEFAULT_MESSAGE) if on else payload.text(plan.data, "message") or OVER_MESSAGE
    return telling.News(
        key=announced if isinstance(announced, str) else context.run or "",
        what=("changed" if plan.data.get(flags.CHANGES) is True else "begun") if on else "over",
        message=message,
        from_ms=from_ms,
        until_ms=flag.until_ms,
        page_until_ms=page_until_ms,
        mail=plan.data.get("mail") is True,
        announced=isinstance(announced, str),
        again=context.done.get("again") is True,
        untold=context.done.get("untold") is True,
    )
