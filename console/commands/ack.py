"""`radar ack ID`: say that somebody has seen the alert and is on it."""

from __future__ import annotations

import argparse

from console.cli import FAILED, WELL
from console.commands.output import Output, add_json, complain, document, tell_hidden
from console.commands.parts import operator, settings_of
from console.model.ports import Refused, StoreUnreadable


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("id", type=alert_number, metavar="ID", help="the alert's number, as `radar alerts` shows it")
    parser.add_argument("--note", default="", help="what you know, or what you are doing")
    add_json(parser)


def alert_number(typed: str) -> int:
    """The number of an alert. Raises `ArgumentTypeError` with what to write."""
    try:
        return int(typed)
    except ValueError:
        words = f"{typed!r} is none: write an alert's number, as radar alerts shows it"
        raise argparse.ArgumentTypeError(words) from None


def run(arguments: argparse.Namespace) -> int:
    """0: recorded; 2: refused, with the reason."""
    settings = settings_of(arguments)
    try:
        with operator(settings) as person:
            note = person.alerts.acknowledge(arguments.id, arguments.note)
    except (Refused, StoreUnreadable) as error:
        complain(str(error))
        return FAILED
    if arguments.json:
        document({"acknowledged": arguments.id, "note": note})
    else:
        Output(arguments, settings.display).line(f"alert {arguments.id} is acknowledged")
    tell_hidden(arguments.note, note)
    return WELL
