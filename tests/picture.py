"""Draws the README's picture: Health on a real demo with a fault (`make picture`)."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from console.app import RadarApp
from console.collector.child import spawn_child
from console.commands.faults import DemoFaults
from console.commands.parts import operator, reading
from console.demo.stack import DemoStack
from console.model.configuration import Settings
from console.settings import load

QUIET_S = 20.0
TROUBLE_S = 60.0


def main() -> None:
    """Start a demo, let it be well for a while, switch the fault on, and draw when the users have felt it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", default="bad-deploy")
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=34)
    parser.add_argument("--seconds", type=float, default=TROUBLE_S, help="how long the fault lasts before the picture")
    parser.add_argument("file", type=Path, nargs="?", default=Path("docs/health.svg"))
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="radar-picture-") as directory, DemoStack(Path(directory) / "demo") as stack:
        settings = load(stack.directory / "radar.toml", None, os.environ)
        child = spawn_child(settings)
        try:
            time.sleep(QUIET_S)  # no test: what is drawn should have a past
            DemoFaults(stack.directory).set(arguments.fault, True)
            time.sleep(arguments.seconds)
            asyncio.run(draw(settings, arguments))
        finally:
            child.stop()


async def draw(settings: Settings, arguments: argparse.Namespace) -> None:
    """One first paint in a terminal of that size, as SVG."""
    with reading(settings) as reads, operator(settings) as person:
        app = RadarApp(settings, reads, person.alerts, person.polls, person.notes)
        async with app.run_test(size=(arguments.columns, arguments.rows)) as pilot:
            await pilot.pause(2)
            arguments.file.write_text(app.export_screenshot(title="radar"))


if __name__ == "__main__":
    main()
