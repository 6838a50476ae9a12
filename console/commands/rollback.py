"""`radar rollback [--to ID]`: put production back to an earlier deployment."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting
from console.commands.parts import settings_of
from console.model.actions import ActionRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--to", metavar="ID", help="the deployment or commit; default: the one before the current")
    parser.add_argument("--hold-ci", action="store_true", help="hold CI meanwhile: a deploy freeze of one hour")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done and verified; 1: done, but worse; 2: refused, failed or unknown."""
    wanted = {"to": arguments.to} if arguments.to else {}
    held = {"hold_ci": True} if arguments.hold_ci else {}
    return act(arguments, settings_of(arguments), ActionRequest(action="rollback", parameters={**wanted, **held}))
