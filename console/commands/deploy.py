"""`radar deploy staging|production`: build and deploy a ref (for `npm run deploy:staging`, `deploy:production`)."""

from __future__ import annotations

import argparse

from console.commands.acting import act, add_acting, add_hold_ci, asked
from console.commands.parts import settings_of


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("target", choices=("staging", "production"), help="where to")
    parser.add_argument("--ref", help="branch, tag or commit; default: the production branch")
    parser.add_argument("--despite-freeze", action="store_true", help="deploy although a deploy freeze is in force")
    add_hold_ci(parser)
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done and verified; 1: done, but worse; 2: refused, failed or unknown."""
    request = asked(
        "deploy", target=arguments.target, ref=arguments.ref, despite_freeze=arguments.despite_freeze or None,
        hold_ci=arguments.hold_ci or None,
    )  # fmt: skip
    return act(arguments, settings_of(arguments), request)
