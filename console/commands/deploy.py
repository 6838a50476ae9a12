"""`radar deploy staging|production`: build and deploy a ref (for `npm run deploy:staging`, `deploy:production`)."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting
from console.commands.parts import settings_of
from console.model.actions import ActionRequest


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("target", choices=("staging", "production"), help="where to")
    parser.add_argument("--ref", help="branch, tag or commit; default: the production branch")
    parser.add_argument("--despite-freeze", action="store_true", help="deploy although a deploy freeze is in force")
    parser.add_argument("--hold-ci", action="store_true", help="hold CI meanwhile: a deploy freeze of one hour")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done and verified; 1: done, but worse; 2: refused, failed or unknown."""
    wanted = {
        "target": arguments.target, "ref": arguments.ref, "despite_freeze": arguments.despite_freeze or None,
        "hold_ci": arguments.hold_ci or None,
    }  # fmt: skip
    parameters = {name: value for name, value in wanted.items() if value is not None}
    return act(arguments, settings_of(arguments), ActionRequest(action="deploy", parameters=parameters))
