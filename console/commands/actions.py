"""`radar actions`: the journal; one run with its steps; going on with an interrupted one, ending it, cancelling."""

from __future__ import annotations

import argparse
from contextlib import closing

from console.cli import FAILED, OFFERED, SHORT, UNUSABLE, WELL
from console.commands import action_documents
from console.commands.acting import act, add_acting, carry
from console.commands.output import Output, complain, document
from console.commands.parts import operator, reading, settings_of
from console.model.action_views import ActionsView, DueRow, RunRow, RunView
from console.model.actions import OPEN_OUTCOMES, ActionRequest
from console.model.configuration import Settings
from console.model.plan_text import OUTCOME_WORDS, STEP_WORDS, ended_text
from console.model.ports import Refused, StoreReads, StoreUnreadable
from console.model.times import date_time, iso

VERBS = ("show", "resume", "close", "cancel")
DISARM = "disarm"


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    told = "a run's number; show, resume, close NUMBER; cancel what is due; disarm"
    verb = parser.add_argument("verb", nargs="?", help=told)
    setattr(verb, OFFERED, (*VERBS, DISARM))
    parser.add_argument("number", nargs="?", type=int, help="the run's number, or that of what is due")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: well; 1: a run is interrupted or unknown; 2: refused or failed; 3: these words mean nothing."""
    try:
        verb, number = _wanted(arguments)
    except ValueError as error:
        complain(str(error))
        return UNUSABLE
    if verb not in ("list", "show") and arguments.at_ms is not None:
        complain(f"actions {verb} takes no --at: what was cannot be changed; radar actions and radar actions NUMBER do")
        return UNUSABLE
    settings = settings_of(arguments)
    try:
        if verb == "cancel":
            return act(arguments, settings, ActionRequest(action="cancel-due", parameters={"due": number}))
        if verb == DISARM:
            return _disarm(arguments, settings)
        if verb in ("resume", "close"):
            return _open_run(arguments, settings, verb, number)
        with reading(settings) as reads:
            return _show(arguments, settings, reads, number) if verb == "show" else _list(arguments, settings, reads)
    except (Refused, StoreUnreadable) as error:
        complain(str(error))
        return FAILED


def _wanted(arguments: argparse.Namespace) -> tuple[str, int]:
    """What to do, and with which number. Raises `ValueError`, in words."""
    verb = arguments.verb or "list"
    if verb.isascii() and verb.isdigit() and arguments.number is None:
        return "show", int(verb)
    if verb == DISARM and arguments.number is None:
        return verb, 0
    if verb != "list" and (verb not in VERBS or arguments.number is None):
        verbs = ", ".join(VERBS)
        raise ValueError(f"write radar actions, radar actions NUMBER, {DISARM}, or one of {verbs} with a number")
    return verb, arguments.number or 0


def _open_run(arguments: argparse.Namespace, settings: Settings, verb: str, number: int) -> int:
    from console.actions.desk import Desk

    with reading(settings) as reads:
        token = _row(reads, number).token
    with closing(Desk(settings)) as desk:
        if verb == "resume":
            return carry(arguments, settings, desk.resume(token))
        told = desk.close_run(token, arguments.reason)
    if arguments.json:
        document({"closed": number, "words": told})
    else:
        Output(arguments, settings.display).line(told)
    return WELL


def _disarm(arguments: argparse.Namespace, settings: Settings) -> int:
    with operator(settings) as person:
        person.alerts.disarm()
    if arguments.json:
        document({"disarmed": True})
    else:
        Output(arguments, settings.display).line("disarmed: the next action asks for a reason")
    return WELL


def _row(reads: StoreReads, number: int, at_ms: int | None = None) -> RunRow:
    row = next((each for each in reads.actions(at_ms).runs if each.id == number), None)
    if row is None:
        raise Refused(f"there is no run {number} among the open and the newest ones")
    return row


def _list(arguments: argparse.Namespace, settings: Settings, reads: StoreReads) -> int:
    view = reads.actions(arguments.at_ms)
    if arguments.json:
        document({"at": iso(view.header.at_ms)} | action_documents.journal(view))
    else:
        output = Output(arguments, settings.display)
        output.as_of(arguments.at_ms)
        _print(output, view, live=arguments.at_ms is None)
    loose = [each for each in view.runs if each.outcome in OPEN_OUTCOMES and each.outcome != "running"]
    return SHORT if loose else WELL


def _print(output: Output, view: ActionsView, *, live: bool) -> None:
    if not view.runs and not view.due:
        none = "none is due" if live else "none was due"
        output.line(f"No action was ever carried out from here{'' if live else ' before'}, and {none}.")
    if view.runs:
        output.line(output.head("runs"))
        output.table([(str(each.id), date_time(each.began_ms), OUTCOME_WORDS[each.outcome].partition(":")[0],
                       each.operator, each.title) for each in view.runs])  # fmt: skip
    if view.due:
        output.line(output.head("due"))
        output.table([(str(each.id), date_time(each.due_ms), each.state, each.operator, _due_words(each))
                      for each in view.due])  # fmt: skip
    if view.holdings:
        output.line(output.head("left open"))
        output.table([(each.kind, each.owner, each.text, each.undo) for each in view.holdings])


def _due_words(row: DueRow) -> str:
    """What it is, and where it was not done why."""
    return f"{row.title}: {row.words}" if row.words else row.title


def _show(arguments: argparse.Namespace, settings: Settings, reads: StoreReads, number: int) -> int:
    view = reads.run(_row(reads, number, arguments.at_ms).token, arguments.at_ms)
    if arguments.json:
        document(action_documents.run_of(view))
    else:
        output = Output(arguments, settings.display)
        output.as_of(arguments.at_ms)
        _print_run(output, view)
    return WELL


def _print_run(output: Output, view: RunView) -> None:
    assert view.run is not None
    run = view.run
    output.line(f"run {run.id}  {run.title}")
    output.table([
        ("outcome", ended_text(run.outcome, run.words)), ("began", date_time(run.began_ms)),
        ("ended", date_time(run.ended_ms) if run.ended_ms else "-"), ("by", f"{run.operator} ({run.authority})"),
        ("reason", run.reason or "-"), ("target", run.target), ("undo", run.undo or "there is none"),
    ])  # fmt: skip
    output.line(output.head("steps"))
    output.table([(str(place), STEP_WORDS[step.outcome] if step.outcome else "not begun", step.words, step.said)
                  for place, step in enumerate(view.steps, start=1)])  # fmt: skip
