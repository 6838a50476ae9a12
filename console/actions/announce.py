"""Emergency maintenance with notice (SU1: one hour): announced now, done by the collector's service, cancellable.

What is written is a due row. The collector takes it once, at its time, and has a runner carry it out under the name and
the role of the person who announced it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from console.actions import maintenance_schedule as schedule
from console.actions import maintenance_telling as telling
from console.actions.base import Context, done, failed
from console.actions.maintenance import EXCLUSION, SetMaintenance, minutes_of, parameters_of
from console.actions.maintenance_facts import checks, gathered
from console.actions.maintenance_flag import provider_for, settings_for
from console.model import payload
from console.model.actions import ActionRequest, Check, CheckResult, Plan, Risk, Step, StepKind, StepResult
from console.model.observation import Json
from console.model.ports import Refused
from console.model.times import ago, date_time
from console.model.words import window_words
from console.store import due
from console.store.due import DueEntry
from console.store.service import service

DUE, CANCEL = "due", "cancel"


class Announce:
    """`announce` {minutes?, message?, lasts?, ends?, mail?}: `minutes` is the notice, `lasts` the planned length;
    `ends`: the service ends it then."""

    NAME: ClassVar[str] = "announce"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """As for maintenance itself; and whether anybody will carry it out. Raises `Refused`."""
        message = payload.text(_asked(context, request), "message") or ""
        facts = await gathered(context, provider_for(context), message)
        seen = await asyncio.to_thread(service, context.settings.observed_path)
        others = [{"id": each.id, "due_ms": each.due_ms, "title": each.title} for each in _waiting(context)]
        return {**facts, "service": seen.alive, "service_words": seen.words, "others": others}  # type: ignore[dict-item]

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """Announced in the minute in which it is confirmed."""
        asked, name = _asked(context, request), context.environment.name
        notice, mail = float(str(asked["notice"])), asked["mail"] is True
        until = window_words(round(notice * 60))
        row = Step(
            key=DUE,
            kind=StepKind.RECORD,
            words=f"have the collector's service put {name} into maintenance {until} from now",
            call="a due row in records.db",
            expected_s=0.1,
        )
        public = f"maintenance scheduled, {until} from now"
        return Plan(
            action=self.NAME,
            title=f"Announce maintenance of {name} in {until}",
            environment=name,
            target=f"{name} by {provider_for(context).name}",
            short_id="announce",
            risk=Risk.DISRUPTIVE,
            exclusion=EXCLUSION,
            checks=(
                *checks(facts, provider_for(context), context, on=True),
                *_own_checks(facts, notice, settings_for(context).notice_minutes),
            ),
            steps=(row, *telling.steps(context.operations, public, mail=mail)),
            afterwards=(
                f"the ledger counts down; at its time {name} goes into maintenance without another question",
                *_ends_words(asked),
                "what is missed by more than 10 min is not done, and told",
                *_page_end(context, asked),
            ),
            undo="radar maintenance cancel (tells that it is cancelled)",
            undo_request=ActionRequest(action=CancelDue.NAME),
            options=schedule.option(asked),
            escape=("at its time, by hand:", *(str(each) for each in payload.items(facts, "escape", "on"))),
            data=asked,
        )

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """The row is written once for each run, so that a resumed one announces nothing twice."""
        if step.key == DUE:
            return _scheduled(context, plan)
        due_ms = int(payload.number(context.done, "due_ms") or context.now_ms())
        return await telling.carry_out(context, step, _news(context, plan.data, due_ms, "announced", context.run or ""))

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """There is no change outside."""
        return await self.carry_out(context, plan, step)


def _ends_words(asked: Mapping[str, Json]) -> tuple[str, ...]:
    minutes = payload.number(asked, "minutes") or 0
    return (f"the service ends it {window_words(round(minutes * 60))} later",) if asked.get(schedule.ENDS) else ()


def _page_end(context: Context, asked: Mapping[str, Json]) -> tuple[str, ...]:
    """What the status page says of the end where none is planned: of what is scheduled it must have one."""
    if context.operations.statuspage is None or asked.get("minutes") is not None:
        return ()
    window = settings_for(context).window_minutes
    return (f"the status page takes nothing scheduled without an end: it says {window} min; nobody else is told one",)


def _asked(context: Context, request: ActionRequest) -> dict[str, Json]:
    """The parameters, checked. Raises `Refused`."""
    parameters = dict(request.parameters)
    lasts = minutes_of(ActionRequest(action=Announce.NAME, parameters=parameters), "lasts")
    notice = minutes_of(ActionRequest(action=Announce.NAME, parameters=parameters), notice=True)
    bare = ActionRequest(
        action=SetMaintenance.NAME,
        parameters={
            "on": True,
            "message": parameters.get("message"),
            "mail": parameters.get("mail"),
            "minutes": lasts,
            "ends": schedule.asked_for(parameters, "lasts"),
        },
    )
    asked = parameters_of(bare)
    statuspage = context.operations.statuspage
    asked["mail"] = statuspage is not None and (asked.get("mail", statuspage.email) is True)
    asked["notice"] = notice if notice is not None else float(settings_for(context).notice_minutes)
    return asked


def _own_checks(facts: Mapping[str, Json], notice: float, promised: int) -> tuple[Check, ...]:
    found = [*schedule.checks(facts)]
    for other in payload.items(facts, "others"):
        told = (
            f"already due: {payload.text(other, 'title')} at {date_time(int(payload.number(other, 'due_ms') or 0))} UTC"
        )
        words = f"{told}; radar maintenance cancel takes it back"
        found.append(Check(key="announced", result=CheckResult.FAIL, words=words, source="records"))
    if notice < promised:
        words = f"people are promised {promised} min of notice, this is {window_words(round(notice * 60))}"
        found.append(Check(key="notice", result=CheckResult.WARN, words=words, source="settings"))
    return tuple(found)


def _waiting(context: Context) -> list[DueEntry]:
    """Announced maintenances that nobody has taken yet."""
    return [each for each in due.waiting(context.records) if each.action == SetMaintenance.NAME]


def _scheduled(context: Context, plan: Plan) -> StepResult:
    name, notice_ms = context.environment.name, int(float(str(plan.data["notice"])) * 60_000)
    told = {
        key: plan.data[key] for key in ("on", "message", "mail", "minutes", "ends") if plan.data.get(key) is not None
    }
    row = due.add(
        context.records,
        key=context.run or "",
        due_ms=context.now_ms() + notice_ms,
        action=SetMaintenance.NAME,
        parameters=told,
        title=f"Maintenance of {name}",
        reason=context.reason,
        operator=context.operator,
        operator_uid=schedule.uid_of(context),
    )
    words = f"due {row.id}: {name} goes into maintenance at {date_time(row.due_ms)} UTC; radar maintenance cancel"
    return done(words, due=row.id, due_ms=row.due_ms)


def _news(context: Context, data: Mapping[str, Json], due_ms: int, what: str, key: str) -> telling.News:
    """What is told of something to come: its time, and no end where none is planned. The status page must have one."""
    minutes = payload.number(data, "minutes")
    lasts_ms = int((minutes or settings_for(context).window_minutes) * 60_000)
    is_on = what == "announced"
    until_ms = due_ms + lasts_ms if minutes and is_on else None
    return telling.News(
        key=key,
        what=what,
        message=_message(payload.text(data, "message"), due_ms, until_ms) if is_on else _cancelled_words(due_ms),
        from_ms=due_ms,
        until_ms=until_ms,
        page_until_ms=due_ms + lasts_ms if is_on else None,
        mail=data.get("mail") is True,
    )


def _message(given: str | None, due_ms: int, until_ms: int | None) -> str:
    lasts = f" It is planned until {date_time(until_ms)} UTC." if until_ms else ""
    return given or f"Maintenance is planned for {date_time(due_ms)} UTC.{lasts}"


def _cancelled_words(due_ms: int) -> str:
    return f"The maintenance announced for {date_time(due_ms)} UTC is cancelled."


class CancelDue:
    """`cancel-due` {due?}: take back what waits; without a number the next maintenance."""

    NAME: ClassVar[str] = "cancel-due"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The row. Raises `Refused` when there is none that waits."""
        row = _wanted(context, request.parameters.get("due"))
        told = ("id", "due_ms", "title", "operator", "action", "words")
        return {
            "now_ms": context.now_ms(),
            "parameters": dict(row.parameters),
            **{key: getattr(row, key) for key in told},
        }

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """Safe: nothing happens that would not have happened without the announcement."""
        number, title = facts["id"], payload.text(facts, "title") or "?"
        due_ms, now_ms = int(payload.number(facts, "due_ms") or 0), int(payload.number(facts, "now_ms") or 0)
        data: dict[str, Json] = {key: facts[key] for key in ("id", "due_ms", "parameters")}
        is_maintenance = facts.get("action") == SetMaintenance.NAME
        mail = payload.flag(facts, "parameters", "mail") is True
        row = Step(
            key=CANCEL, kind=StepKind.RECORD, words=f"take back due {number}", call="records.db", expected_s=0.1
        )  # fmt: skip
        tell = telling.steps(context.operations, "the scheduled maintenance is withdrawn", mail=mail)
        by, left_s, said = payload.text(facts, "operator"), (due_ms - now_ms) / 1000, payload.text(facts, "words")
        stands = f"in {ago(left_s)}" if left_s >= 0 else f"{ago(-left_s)} ago" + (f" ({said})" if said else "")
        when = f"due at {date_time(due_ms)} UTC, {stands}, by {by}"
        return Plan(
            action=self.NAME,
            title=f"Cancel: {title}",
            environment=context.environment.name,
            target=f"{title} (due {number})",
            short_id=f"due{number}",
            risk=Risk.SAFE,
            exclusion=EXCLUSION if is_maintenance else None,
            checks=(Check(key="waits", result=CheckResult.PASS, words=when, source="records"),),
            steps=(row, *(tell if is_maintenance else ())),
            undo=_anew(facts.get("action")),
            data=data,
        )

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Taking back what was taken back already is harmless; what was taken is too late."""
        if step.key == CANCEL:
            return _cancelled(context, int(str(plan.data["id"])))
        parameters = payload.mapping(plan.data, "parameters")
        key = payload.text(parameters, "announced") or context.run or ""
        due_ms = int(payload.number(plan.data, "due_ms") or 0)
        return await telling.carry_out(context, step, _news(context, parameters, due_ms, "cancelled", key))

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """There is no change outside."""
        return await self.carry_out(context, plan, step)


def _anew(action: Json) -> str:
    if action == schedule.END:
        return "radar maintenance on --for 30m --ends (sets another end); the ledger tells once the planned end is past"
    return "radar maintenance on --in 1h (announces it anew)"


def _wanted(context: Context, number: Json) -> DueEntry:
    if number is None:
        open_ones = (*_waiting(context), *due.not_done(context.records, SetMaintenance.NAME))
        if not open_ones:
            raise Refused("no maintenance is announced: there is nothing to cancel")
        return open_ones[0]
    if isinstance(number, bool) or not isinstance(number, int):
        raise Refused("due must be the number of what is due: radar open lists it")
    row = due.find(context.records, number)
    if row is None:
        raise Refused(f"nothing of number {number} is due")
    if row.state != "waiting" and not row.is_not_done:
        raise Refused(f"due {number} ({row.title}) is {row.state}: {row.words or 'too late to cancel it'}")
    return row


def _cancelled(context: Context, number: int) -> StepResult:
    row = due.cancel(context.records, number, context.operator)
    if row is None or row.state != "cancelled":
        return failed(f"due {number} was taken in the meantime; radar maintenance off ends what it began")
    return done(f"due {number} is cancelled by {row.cancelled_by}")
