"""A command that acts, with the scripted action: `python -m tests.actions.acting_scripted CONFIG REMOTE [SCRIPT]…`.

It is `console.commands.acting.act` with the real desk; only its runners know the scripted action. SCRIPT: `ask=wait`.
Writes its number into `REMOTE/console`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from console.actions import desk
from console.actions.desk import Desk, Runner
from console.commands.acting import act, add_acting
from console.model.actions import ActionRequest
from console.model.observation import Json
from console.settings import load

ROOT = Path(__file__).parents[2]


def main() -> int:
    """As the real command: 0 done, 2 refused or failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("remote", type=Path)
    parser.add_argument("script", nargs="*")
    parser.add_argument("--no-color", action="store_true", default=True)
    add_acting(parser)
    arguments = parser.parse_args()
    (arguments.remote / "console").write_text(str(os.getpid()))

    def start(self: Desk) -> Runner:
        return Runner([sys.executable, "-m", "tests.actions.scripted"], {"PYTHONPATH": str(ROOT)})

    desk.Desk._start = start  # type: ignore[method-assign]
    parameters: dict[str, Json] = {"remote": str(arguments.remote)}
    for word in arguments.script:
        name, _, value = word.partition("=")
        parameters[name] = value
    return act(arguments, load(arguments.config, "test", {}), ActionRequest(action="scripted", parameters=parameters))


if __name__ == "__main__":
    sys.exit(main())
