"""`radar promote ID`: let a deployment serve production; ends the pin of a rollback."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting, add_hold_ci, asked
from console.commands.parts import settings_of


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("to", metavar="ID", help="the deployment or commit")
    add_hold_ci(parser)
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done and verified; 1: done, but worse; 2: refused, failed or unknown."""
    request = asked("promote", to=arguments.to, hold_ci=arguments.hold_ci or None)
    return act(arguments, settings_of(arguments), request)
