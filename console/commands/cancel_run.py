"""`radar cancel-run RUN`: the end of a CI run before its end."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting
from console.commands.parts import settings_of
from console.model.actions import ActionRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("run", metavar="RUN", help="its number, as in #413, or its id")
    parser.add_argument("--force", action="store_true", help="end also what ignores being cancelled")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: it is at its end; 2: refused, failed or unknown."""
    parameters = {"run": arguments.run, **({"force": True} if arguments.force else {})}
    return act(arguments, settings_of(arguments), ActionRequest(action="cancel-run", parameters=parameters))
