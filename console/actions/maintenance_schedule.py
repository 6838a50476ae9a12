"""The due row that ends a maintenance at its planned end: asked for by the plan, written by the run, taken back by
whatever switches maintenance on or off before."""

from __future__ import annotations

from collections.abc import Mapping

from console.actions.base import Context, done, failed
from console.model import payload
from console.model.actions import Check, CheckResult, Option, Step, StepKind, StepResult
from console.model.observation import Json
from console.model.ports import Refused
from console.model.times import date_time
from console.model.words import window_words
from console.store import due
from console.store.errors import StoreError
from console.store.identity import identity

END, ENDS = "maintenance-end", "ends"
"""The action of the row; the parameter that asks for it, and the step that writes it."""


def asked_for(parameters: Mapping[str, Json], length: str = "minutes") -> bool:
    """Whether it shall end by itself. Raises `Refused` where there is no planned end. `length`: of which parameter."""
    value = parameters.get(ENDS)
    if value is None or value is False:
        return False
    if value is not True:
        raise Refused("ends is true or false")
    if not parameters.get(length):
        raise Refused("it ends by itself only at a planned end: give the planned length too (--for 30m)")
    return True


def checks(facts: Mapping[str, Json]) -> tuple[Check, ...]:
    """Whether anybody will carry it out."""
    alive, words = facts.get("service"), str(facts.get("service_words"))
    result = CheckResult.PASS if alive is True else CheckResult.FAIL if alive is False else CheckResult.WARN
    return (Check(key="service", result=result, words=words, source="store"),)


def option(parameters: Mapping[str, Json], length: str = "minutes") -> tuple[Option, ...]:
    """For a plan with a planned end."""
    if not parameters.get(length):
        return ()
    on = parameters.get(ENDS) is True
    return (Option(key="t", words="end it by itself at its planned end", parameter=ENDS, value=not on, on=on),)


def step(minutes: float) -> Step:
    """The step that writes the row. It stands before the page is looked at: what fails there leaves the flag set."""
    return Step(
        key=ENDS,
        kind=StepKind.RECORD,
        words=f"have the collector's service end it {window_words(round(minutes * 60))} from now",
        call="a due row in records.db",
        expected_s=0.1,
    )


def write(context: Context, data: Mapping[str, Json]) -> StepResult:
    """The row is written once for each run."""
    until_ms = payload.time_ms(payload.mapping(context.done, "flag"), "until_ms")
    if until_ms is None:
        return failed("the flag has no planned end, and so nothing will end it")
    name = context.environment.name
    row = due.add(
        context.records,
        key=f"{context.run}/end",
        due_ms=until_ms,
        action=END,
        parameters={"mail": data.get("mail") is True},
        title=f"End of the maintenance of {name}",
        reason=context.reason,
        operator=context.operator,
        operator_uid=uid_of(context),
    )
    return done(f"due {row.id}: it ends at {date_time(row.due_ms)} UTC; radar actions cancel {row.id} takes that back")


def forget(context: Context) -> str:
    """Take back ends that were planned before; in words what came of it, empty when there was none."""
    try:
        rows = [row for row in due.waiting(context.records) if row.action == END]
        rows = [row for row in rows if row.parameters.get("announced") != f"{context.run}/end"]
        for row in rows:
            due.cancel(context.records, row.id, context.operator)
    except StoreError as error:
        return f"; the end that was planned before could not be taken back: {error}"
    return f"; its planned end (due {rows[0].id}) is taken back" if rows else ""


def uid_of(context: Context) -> int:
    """Of the person who asked for the run, as its row has it."""
    row = context.records.read(
        lambda connection: connection.execute("SELECT operator_uid FROM run WHERE token = ?", (context.run,)).fetchone()
    )
    return int(row[0]) if row else identity().uid
