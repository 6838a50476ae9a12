"""`radar` with one command more, `scripted JSON`: the scripted action by the real runner, for real terminals."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from functools import partialmethod
from pathlib import Path

from console import cli
from console.actions import desk, negotiation
from console.commands.acting import act, add_acting
from console.commands.parts import settings_of
from console.model.actions import ActionRequest

ROOT = Path(__file__).parents[2]
STALE = "--stale"
"""First word: the runner makes each plan again before it is carried out, as it does with one of ten seconds."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("script", type=json.loads)
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """As every command that acts."""
    return act(arguments, settings_of(arguments), ActionRequest(action="scripted", parameters=arguments.script))


def runner(*flags: str) -> desk.Runner:
    """Not isolated, so that it knows the scripted action; everything else is the real one. `RUNNER_STATE_HOME`: where
    its second place is."""
    place = {"XDG_STATE_HOME": os.environ["RUNNER_STATE_HOME"]} if "RUNNER_STATE_HOME" in os.environ else {}
    return desk.Runner([sys.executable, "-m", __spec__.name, "runner", *flags], {"PYTHONPATH": str(ROOT), **place})


def _started(_: desk.Desk, *flags: str) -> desk.Runner:
    return runner(*flags)


def main() -> int:
    """`runner [--stale]`, else what `radar` takes."""
    if sys.argv[1] == "runner":
        from console.actions.runner import main as serve

        importlib.import_module("tests.actions.scripted")  # enters itself into the registry
        negotiation.FRESH_S = 0.0 if STALE in sys.argv else negotiation.FRESH_S
        return serve()
    flags = [sys.argv.pop(1)] if sys.argv[1] == STALE else []
    desk.Desk._start = partialmethod(_started, *flags)  # type: ignore[assignment]
    cli.COMMANDS["scripted"] = "the scripted action"
    sys.modules["console.commands.scripted"] = sys.modules[__name__]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
