"""`radar rerun RUN`: another attempt of a CI run, of all its jobs or of those that failed."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting
from console.commands.parts import settings_of
from console.model.actions import ActionRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("run", metavar="RUN", help="its number, as in #413, or its id")
    parser.add_argument("--failed-only", action="store_true", help="only the jobs that failed")
    parser.add_argument("--despite-freeze", action="store_true", help="run it although a deploy freeze is in force")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: another attempt has begun; 2: refused, failed or unknown."""
    wanted = {"failed_only": arguments.failed_only, "despite_freeze": arguments.despite_freeze}
    parameters = {"run": arguments.run, **{name: True for name, value in wanted.items() if value}}
    return act(arguments, settings_of(arguments), ActionRequest(action="rerun", parameters=parameters))
