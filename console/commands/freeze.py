"""`radar freeze on|off`: hold what would deploy to production, with an owner and an expiry."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting, asked
from console.commands.parts import settings_of


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("state", choices=("on", "off"), help="begin or end it")
    parser.add_argument("--run", metavar="RUN", help="hold only this CI run: its number or id")
    parser.add_argument("--hours", type=float, help="how long it lasts; default: 1")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done; 2: refused, failed or unknown."""
    request = asked("freeze", on=arguments.state == "on", hours=arguments.hours, run=arguments.run or None)
    return act(arguments, settings_of(arguments), request)
