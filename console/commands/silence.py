"""`radar silence`: hold the notifications of a rule for a time, with a reason; or end that.

The expiry is mandatory: a silence that nobody ends is how the next incident is missed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from console.cli import FAILED, UNUSABLE, WELL
from console.commands.output import Output, add_json, complain, document, tell_hidden
from console.commands.parts import Operator, operator, settings_of
from console.model.ports import Refused, StoreReads, StoreUnreadable
from console.model.times import ago, parse_duration

_OTHERS = ("all routes", "bastion", "collector")
"""What alerts are about beside components and targets."""

Answer = tuple[dict[str, object], str]


class _NoSuchRule(Exception):
    """The text says which rules there are."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("matcher", nargs="?", metavar="RULE[/SUBJECT]", help="as `radar alerts` shows it")
    parser.add_argument("--for", dest="length", metavar="TIME", help="how long: 30m, 2h, 1d")
    parser.add_argument("--reason", help="why, for the others")
    parser.add_argument("--end", type=_silence_number, metavar="ID", help="end the silence of that number")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done; 2: refused; 3: what is missing was not given, or there is no such rule."""
    if missing := _missing(arguments):
        complain(missing)
        return UNUSABLE
    settings = settings_of(arguments)
    try:
        with operator(settings) as person:
            content, words = (_begin if arguments.end is None else _end)(arguments, person)
    except _NoSuchRule as error:
        complain(str(error))
        return UNUSABLE
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
    rule, slash, subject = arguments.matcher.strip().partition("/")
    _refuse_unknown(rule, person.reads)
    if slash and (doubt := _doubt(rule, subject or "/", person.reads)):
        complain(doubt)
    minutes = -(-arguments.length // 60)
    reason = person.alerts.silence(arguments.matcher, minutes, arguments.reason)
    tell_hidden(arguments.reason, reason)
    content = {"silenced": arguments.matcher, "minutes": minutes, "reason": reason}
    return content, f"{arguments.matcher} is silenced for {ago(minutes * 60)}"


def _refuse_unknown(rule: str, reads: StoreReads) -> None:
    """A silence with a typing error in it would hold nothing, and nobody would know."""
    names = sorted({known.name for known in reads.alerts(None).rules})
    if names and rule not in names:
        raise _NoSuchRule(f"no rule is called {rule!r}.{_nearest(rule, names)} There are: {', '.join(names)}")


def _doubt(rule: str, subject: str, reads: StoreReads) -> str | None:
    """A subject that nobody has seen may come to be; more often it is a typing error."""
    view = reads.alerts(None)
    seen = {row.subject for row in (*view.firing, *view.history) if row.rule == rule} | _watched(reads)
    typed = {subject, f"/{subject}"}  # of `route-down/api` the subject is the route: `alert_name`
    if not seen or (typed | {each.rpartition("|")[0] for each in typed}) & seen:
        return None
    held = "The silence holds nothing until there is one."
    return f"nothing called {subject!r} was ever seen.{_nearest(subject, sorted(seen))} {held}"


def _watched(reads: StoreReads) -> set[str]:
    """Components and targets, with and without what kind of target it is: alerts are about these."""
    components = [row.key for row in reads.health(None).components]
    targets = {target.target for key in components for target in reads.component(key, None).targets}
    short = {re.split("[:.]", target, maxsplit=1)[-1] for target in targets}
    return {*components, *targets, *short, *_OTHERS} if targets else set()


def _nearest(typed: str, known: Sequence[str]) -> str:
    import difflib  # only a typing error pays for it

    near = difflib.get_close_matches(typed, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _silence_number(typed: str) -> int:
    try:
        return int(typed)
    except ValueError:
        words = f"{typed!r} is none: write a silence's number, as radar alerts shows it"
        raise argparse.ArgumentTypeError(words) from None
