"""`radar silence`: hold the notifications of a rule for a time, with a reason; or end that.

The expiry is mandatory: a silence that nobody ends is how the next incident is missed.
"""

from __future__ import annotations

import argparse

from console.cli import FAILED, UNUSABLE, WELL
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import Operator, operator, settings_of
from console.model.ports import Refused, StoreReads, StoreUnreadable
from console.model.times import ago, parse_duration

Answer = tuple[dict[str, object], str]


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("matcher", nargs="?", metavar="RULE[/SUBJECT]", help="as `radar alerts` shows it")
    parser.add_argument("--for", dest="length", metavar="TIME", help="how long: 30m, 2h, 1d")
    parser.add_argument("--reason", help="why, for the others")
    parser.add_argument("--end", type=int, metavar="ID", help="end the silence of that number")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done; 2: refused; 3: what is missing was not given."""
    if missing := _missing(arguments):
        complain(missing)
        return UNUSABLE
    settings = settings_of(arguments)
    try:
        with operator(settings) as person:
            content, words = (_begin if arguments.end is None else _end)(arguments, person)
    except (Refused, StoreUnreadable) as error:
        complain(str(error))
        return FAILED
    if arguments.json:
        document(content)
    else:
        Output(arguments, settings.display).line(words)
    return WELL


def _missing(arguments: argparse.Namespace) -> str | None:
    """What is wrong with what was typed; also replaces the length by its seconds."""
    if arguments.end is not None:
        return "write either a rule or --end ID" if arguments.matcher or arguments.length else None
    if not arguments.matcher:
        return "which rule? `radar alerts` lists them: radar silence RULE[/SUBJECT] --for 2h --reason TEXT"
    if not arguments.length:
        return "for how long? A silence needs an end: --for 2h"
    if not (arguments.reason or "").strip():
        return "why? The others will want to know: --reason TEXT"
    try:
        arguments.length = parse_duration(arguments.length)
    except ValueError as error:
        return str(error)
    return None


def _end(arguments: argparse.Namespace, person: Operator) -> Answer:
    person.alerts.end_silence(arguments.end)
    return {"ended": arguments.end}, f"silence {arguments.end} is ended"


def _begin(arguments: argparse.Namespace, person: Operator) -> Answer:
    _refuse_unknown(arguments.matcher, person.reads)
    minutes = -(-arguments.length // 60)
    person.alerts.silence(arguments.matcher, minutes, arguments.reason)
    content = {"silenced": arguments.matcher, "minutes": minutes, "reason": arguments.reason}
    return content, f"{arguments.matcher} is silenced for {ago(minutes * 60)}"


def _refuse_unknown(matcher: str, reads: StoreReads) -> None:
    """A silence with a typing error in it would hold nothing, and nobody would know."""
    names = sorted({rule.name for rule in reads.alerts(None).rules})
    if names and matcher.partition("/")[0] not in names:
        raise Refused(f"no rule is called {matcher.partition('/')[0]!r}; there are: {', '.join(names)}")
