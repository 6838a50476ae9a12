"""`radar freeze on|off`: hold what would deploy to production, with an owner and an expiry."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting
from console.commands.parts import settings_of
from console.model.actions import ActionRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("state", choices=("on", "off"), help="begin or end it")
    parser.add_argument("--run", metavar="RUN", help="hold only this CI run: its number or id")
    parser.add_argument("--hours", type=float, help="how long it lasts; default: 1")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done; 2: refused, failed or unknown."""
    hours = {"hours": arguments.hours} if arguments.hours is not None else {}
    run = {"run": arguments.run} if arguments.run else {}
    parameters = {"on": arguments.state == "on", **hours, **run}
    return act(arguments, settings_of(arguments), ActionRequest(action="freeze", parameters=parameters))
