"""`radar alerts`: what is firing, how near each rule is to firing, who silenced what; with `--history` what ended."""

from __future__ import annotations

import argparse
from dataclasses import replace

from console.cli import FAILED, SHORT, WELL
from console.commands import documents
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import reading, settings_of
from console.model.ports import StoreUnreadable
from console.model.states import State
from console.model.times import ago, date_time, iso
from console.model.views import AlertRow, AlertsView, RuleRow, SilenceRow


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--history", action="store_true", help="also those that ended")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: nothing is firing; 1: something, or nobody judges; 2: something critical, or the store cannot be read."""
    settings = settings_of(arguments)
    try:
        with reading(settings) as reads:
            view = reads.alerts(arguments.at_ms)
            view = replace(view, firing=tuple(sorted(view.firing, key=lambda row: row.urgency)))
    except StoreUnreadable as error:
        complain(str(error))
        return FAILED
    if arguments.json:
        document(_document(view, history=arguments.history))
    else:
        output = Output(arguments, settings.display)
        output.as_of(arguments.at_ms)
        _print(output, view, history=arguments.history)
    return _status(view)


def _status(view: AlertsView) -> int:
    if any(row.severity == "critical" for row in view.firing):
        return FAILED
    return SHORT if view.firing or not _judged(view) else WELL


def _judged(view: AlertsView) -> bool:
    """Whether somebody judges now: else nobody knows what should fire."""
    return bool(view.rules) and view.header.collector.alive and view.header.state is not State.STALE


def _document(view: AlertsView, *, history: bool) -> documents.Document:
    return {
        "at": iso(view.header.at_ms),
        "environment": view.header.environment,
        "collecting": view.header.collector.alive,
        "firing": [documents.alert(row) for row in view.firing],
        "rules": [documents.rule(row) for row in view.rules],
        "silences": [documents.silence(row) for row in view.silences],
        **({"history": [documents.alert(row) for row in view.history]} if history else {}),
    }


def _print(output: Output, view: AlertsView, *, history: bool) -> None:
    if why := _not_judged(view):
        complain(why)
    output.line(output.head(f"firing {len(view.firing)}"))
    _table(
        output, [_firing(row, view.header.at_ms) for row in view.firing], "nothing" if _judged(view) else "not known"
    )
    output.line(output.head("rules"))
    _table(output, [_rule(row) for row in view.rules], "none was judged yet: start `radar collect`")
    in_force = [row for row in view.silences if _in_force(row, view.header.at_ms)]
    output.line(output.head("silences"))
    _table(output, [_silence(row) for row in in_force], "none")
    if history:
        output.line(output.head("history"))
        _table(output, [_ended(row) for row in view.history], "nothing ended yet")


def _not_judged(view: AlertsView) -> str | None:
    """Why nobody knows what should fire; None: somebody does."""
    if _judged(view):
        return None
    if not view.rules:
        return "nothing is judged yet, so it is not known what should fire: start `radar collect`"
    who = "the collector is late" if view.header.collector.alive else "nobody collects"
    return f"{who}, so nothing is judged now: what follows is from the last round"


def _table(output: Output, rows: list[tuple[str, ...]], empty: str) -> None:
    output.table(rows or [(empty,)])


def _firing(row: AlertRow, now_ms: int) -> tuple[str, ...]:
    marks = [f"acknowledged by {row.acknowledged_by}"] if row.acknowledged_ms else []
    marks += [f"silenced till {date_time(row.silenced_until_ms)}"] if row.silenced_until_ms else []
    marks += [f"held: {row.held_why}"] if row.held else []
    age = ago((now_ms - row.began_ms) / 1000)
    return str(row.id), row.severity, row.name, age, "; ".join([f"{row.text} ({row.origin})", *marks])


def _rule(row: RuleRow) -> tuple[str, ...]:
    silenced = f"silenced till {date_time(row.silenced_until_ms)}" if row.silenced_until_ms else ""
    return row.state, row.name, row.severity, row.condition, silenced


def _silence(row: SilenceRow) -> tuple[str, ...]:
    return str(row.id), row.matcher, f"till {date_time(row.expires_ms)}", f"{row.reason} ({row.by})"


def _in_force(row: SilenceRow, now_ms: int) -> bool:
    return row.ended_ms is None and row.expires_ms > now_ms


def _ended(row: AlertRow) -> tuple[str, ...]:
    lasted = ago((row.ended_ms - row.began_ms) / 1000) if row.ended_ms else "still"
    return date_time(row.began_ms), lasted, row.severity, row.name, row.text
