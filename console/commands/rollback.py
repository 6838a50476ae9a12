"""`radar rollback [--to ID]`: put production back to an earlier deployment."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting, add_hold_ci, asked
from console.commands.parts import settings_of


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--to", metavar="ID", help="the deployment or commit; default: the one before the current")
    add_hold_ci(parser)
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done and verified; 1: done, but worse; 2: refused, failed or unknown."""
    request = asked("rollback", to=arguments.to or None, hold_ci=arguments.hold_ci or None)
    return act(arguments, settings_of(arguments), request)
