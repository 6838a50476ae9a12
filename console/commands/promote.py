"""`radar promote ID`: let a deployment serve production; ends the pin of a rollback."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting
from console.commands.parts import settings_of
from console.model.actions import ActionRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("to", metavar="ID", help="the deployment or commit")
    parser.add_argument("--hold-ci", action="store_true", help="hold CI meanwhile: a deploy freeze of one hour")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done and verified; 1: done, but worse; 2: refused, failed or unknown."""
    held = {"hold_ci": True} if arguments.hold_ci else {}
    request = ActionRequest(action="promote", parameters={"to": arguments.to, **held})
    return act(arguments, settings_of(arguments), request)
