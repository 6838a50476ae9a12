"""What commands that change something share: the plan, the question, the yes, and following the run."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial

from console.cli import FAILED, SHORT, WELL
from console.commands import action_documents
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import reading
from console.commands.writing import Unwritable, drop, give_up
from console.model.action_views import RunView, StepRow
from console.model.actions import REASON_LIMIT, ActionRequest, Plan, Risk, RunOutcome, StepOutcome
from console.model.configuration import Settings
from console.model.observation import Json
from console.model.plan_text import STEP_WORDS, ended_text, escape_text, plan_text
from console.model.ports import PlanTicket, Refused, StoreReads, StoreUnreadable
from console.model.prompt import Prompt

LOOK_S = 0.25
_STATUS = {RunOutcome.DONE: WELL, RunOutcome.WORSE: SHORT}


def add_acting(parser: argparse.ArgumentParser) -> None:
    """The options of every such command."""
    parser.add_argument("--plan", action="store_true", help="print the plan and do nothing")
    parser.add_argument("--escape", action="store_true", help="print the escape card and do nothing")
    parser.add_argument("--reason", default="", help="why; without a terminal it must be given")
    parser.add_argument("--confirm", default="", metavar="ENVIRONMENT/TARGET", help="the yes, without a terminal")
    parser.add_argument("--break-glass", action="store_true", help="records.db cannot be written: record elsewhere")
    parser.add_argument("--no-wait", action="store_true", help="do not follow the run to its end")
    add_json(parser)


def add_hold_ci(parser: argparse.ArgumentParser) -> None:
    """The option of every command that moves production."""
    parser.add_argument("--hold-ci", action="store_true", help="hold CI meanwhile: a deploy freeze of one hour")


def asked(action: str, **parameters: Json) -> ActionRequest:
    """The request with what was given: None is what was not."""
    return ActionRequest(
        action=action, parameters={name: value for name, value in parameters.items() if value is not None}
    )


def act(arguments: argparse.Namespace, settings: Settings, request: ActionRequest) -> int:
    """Plan, ask, carry out, follow. 0: done and verified; 1: done, but worse; 2: refused, failed or unknown."""
    from console.actions.desk import Desk

    with closing(Desk(settings, break_glass=arguments.break_glass)) as desk:
        try:
            return carry(arguments, settings, desk.plan(request))
        except (Refused, StoreUnreadable) as error:
            complain(str(error))
            if arguments.escape:
                print_card(arguments, request.action, request.parameters, settings)
            return FAILED


def carry(arguments: argparse.Namespace, settings: Settings, ticket: PlanTicket) -> int:
    """From a plan to the end of its run. Raises `Refused`."""
    output = Output(arguments, settings.display)
    interrupted = "left: nothing was done"
    try:
        if arguments.plan or arguments.escape:
            return _shown(arguments, output, ticket.plan)
        if not arguments.json:
            _print_plan(output, ticket.plan)
        if ticket.plan.refusals:
            raise Refused(f"this cannot be done now: {ticket.plan.refusals[0]}")
        reason, typed = _yes(arguments, ticket)
        interrupted = "not waited for: whether it began stands in the journal (radar actions)"
        token = ticket.confirm(reason=reason, typed=typed)
    except KeyboardInterrupt:
        complain(interrupted)
        raise
    finally:
        ticket.leave()
    if arguments.no_wait:
        _told(lambda: _tell_begun(arguments, output, token))
        return WELL
    try:
        with reading(_recorded_in(arguments, settings)) as reads:
            return _followed(arguments, output, reads, token)
    except StoreUnreadable as error:
        raise StoreUnreadable(f"{error}; the run goes on: radar actions") from None


def _told(print_it: Callable[[], None]) -> None:
    """Once a run has begun, a reader that left and a full disk under standard output end neither it nor its status."""
    try:
        print_it()
    except BrokenPipeError:
        drop(sys.stdout)
    except Unwritable as error:
        give_up(error)


def _recorded_in(arguments: argparse.Namespace, settings: Settings) -> Settings:
    """The settings by which the run's journal is found."""
    if not arguments.break_glass:
        return settings
    from console.actions.break_glass import second_place

    return replace(settings, state_directory=second_place(settings))


def print_card(
    arguments: argparse.Namespace, action: str, parameters: Mapping[str, Json], settings: Settings | None
) -> None:
    """The escape card that needs no plan, and with `settings=None` not even settings."""
    from console.commands.escape_facts import known
    from console.model.escape_cards import card

    output = Output(arguments, settings.display if settings else None)
    output.line(f"ESCAPE CARD  {action}: no plan could be made; fill in what stands in capitals")
    for line in card(action, parameters, known(settings, action, parameters)):
        output.line(f"  {line}")


def _shown(arguments: argparse.Namespace, output: Output, plan: Plan) -> int:
    if arguments.json:
        import msgspec

        document({"plan": msgspec.to_builtins(plan)})
    else:
        for line in escape_text(plan) if arguments.escape else plan_text(plan, _now_ms()):
            output.line(line)
    return WELL if not plan.refusals else FAILED


def _print_plan(output: Output, plan: Plan) -> None:
    """Raises `Refused` where nobody reads it any more: who has not seen the plan has not confirmed it."""
    try:
        for line in (*plan_text(plan, _now_ms()), ""):
            output.line(line)
    except BrokenPipeError:
        drop(sys.stdout)
        raise Refused("nobody reads the plan any more: nothing was done") from None


# The yes


def _yes(arguments: argparse.Namespace, ticket: PlanTicket) -> tuple[str, str]:
    """Reason and confirmation. Raises `Refused` where nobody can be asked and they were not given."""
    plan = ticket.plan
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not arguments.json
    if arguments.confirm or not asks:
        phrase = f"{plan.environment}/{plan.short_id}"
        reason = _given_reason(arguments, ticket)
        if plan.risk is not Risk.SAFE and (not reason or not plan.confirms(arguments.confirm)):
            raise Refused(f"without a terminal this needs --reason and --confirm {phrase}: nothing was done")
        return reason, arguments.confirm
    reason = _given_reason(arguments, ticket)
    if plan.risk is not Risk.SAFE and not reason:
        reason = _answer(Prompt("REASON  ", takes_paste=True, longest=REASON_LIMIT))
    question = f"TYPE {plan.phrase} to do it, anything else to leave: " if plan.phrase else "ENTER does it, q leaves: "
    typed = _answer(Prompt(question, phrase=plan.phrase))
    if (plan.phrase and not plan.confirms(typed)) or (not plan.phrase and typed):
        raise Refused("left: nothing was done")
    return reason, typed


def _given_reason(arguments: argparse.Namespace, ticket: PlanTicket) -> str:
    """The reason given, else the one that this person is armed with, which is told; what is safe takes over none."""
    reason: str = arguments.reason.strip()
    if reason or not ticket.reason or ticket.plan.risk is Risk.SAFE:
        return reason
    if not arguments.json:
        print(f"armed with: {ticket.reason}; --reason gives another")
    return ticket.reason


def _answer(prompt: Prompt) -> str:
    from console.commands import asking

    try:
        return asking.answer(prompt)
    except asking.Left:
        raise Refused("left: nothing was done") from None


# Following


def _followed(arguments: argparse.Namespace, output: Output, reads: StoreReads, token: str) -> int:
    view, news = None, _News()
    try:
        for view in _views(reads, token):
            for line in () if arguments.json else news.lines(view):
                _told(partial(output.line, line))
    except KeyboardInterrupt:
        complain(f"not followed any more; the run goes on: radar actions {view.run.id if view and view.run else ''}")
        return 130
    assert view is not None and view.run is not None
    last = view
    _told(lambda: _tell_end(arguments, output, last))
    return _STATUS.get(view.run.outcome, FAILED)


def _tell_end(arguments: argparse.Namespace, output: Output, view: RunView) -> None:
    assert view.run is not None
    if arguments.json:
        document(action_documents.run_of(view))
        return
    output.line(f"run {view.run.id}: {ended_text(view.run.outcome, view.run.words)}")
    if view.run.outcome in (RunOutcome.DONE, RunOutcome.WORSE) and view.run.undo:
        output.line(f"undo: {view.run.undo}")


def _views(reads: StoreReads, token: str) -> Iterator[RunView]:
    """The run each time that something was written, until it is at its end or nobody carries it out any more. Raises
    `StoreUnreadable` where its first row, which stands already, cannot be found: of another account's second place."""
    pause, version = threading.Event(), -1
    while True:
        if (newest := reads.version()) != version:
            version = newest
            view = reads.run(token, None)
            if view.run is None:
                raise StoreUnreadable(f"the journal of {token} is not found from here")
            yield view
            if view.run.outcome is not RunOutcome.RUNNING:
                return
        elif _is_abandoned(reads, token):
            version = -1
        pause.wait(LOOK_S)


def _is_abandoned(reads: StoreReads, token: str) -> bool:
    """Whether the runner is gone without having written so: nothing changes any more, and nothing tells."""
    run = reads.run(token, None).run
    return run is not None and run.outcome is RunOutcome.INTERRUPTED


class _News:
    """Which steps stand otherwise than they were told last."""

    def __init__(self) -> None:
        self._told: dict[str, StepOutcome] = {}

    def lines(self, view: RunView) -> Iterator[str]:
        """A line each."""
        for number, step in enumerate(view.steps, start=1):
            if step.outcome is not None and self._told.get(step.key) is not step.outcome:
                self._told[step.key] = step.outcome
                yield _step_line(number, step)


def _step_line(number: int, step: StepRow) -> str:
    assert step.outcome is not None
    said = f": {step.said}" if step.said else ""
    return f"  {number}  {STEP_WORDS[step.outcome]:<8} {step.words}{said}"


def _tell_begun(arguments: argparse.Namespace, output: Output, token: str) -> None:
    if arguments.json:
        document({"begun": token})
    else:
        output.line(f"begun: radar actions tells how it goes ({token})")


def _now_ms() -> int:
    from console.store.clock import now_ms

    return now_ms()
