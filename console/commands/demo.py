"""`radar demo`: a real PostgreSQL, a backend under load and stand-ins for the hosted APIs, and the console on them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli import FAILED, UNUSABLE, WELL
from console.commands.output import Output, add_json, complain, document, json_line
from console.model.configuration import Settings
from console.model.ports import Refused

if TYPE_CHECKING:
    from console.commands.story import Story


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command and of `demo fault`."""
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where it keeps its files; emptied at each start")
    parser.add_argument("--no-ui", action="store_true", help="collect without the console until SIGINT or SIGTERM")
    parser.add_argument("--story", action="store_true", help="play a night with captions; any key ends that")
    parser.add_argument("--pace", type=float, default=1.0, metavar="N", help="captions stand so much longer; default 1")
    add_json(parser)
    parser.usage = "radar demo [-h] [--dir DIR] [--no-ui] [--story] [--pace N] [--json] [fault [NAME [on|off]]]"
    commands = parser.add_subparsers(dest="demo_command", metavar="fault", title="instead of that", prog="radar demo")
    fault = commands.add_parser("fault", help="switch a fault; without a name, list them", allow_abbrev=False)
    fault.add_argument("name", nargs="?", metavar="NAME", help="which fault")
    fault.formatter_class = _WithFaults
    fault.add_argument("switch", nargs="?", choices=("on", "off"), metavar="on|off")
    fault.add_argument("--dir", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="where the demo runs")
    fault.add_argument("--no-color", action="store_true", default=argparse.SUPPRESS, help="print no colours")
    fault.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")


class _WithFaults(argparse.RawDescriptionHelpFormatter):
    """Help that ends with the list of faults, whose names are imported for it alone."""

    _whole = False

    def start_section(self, heading: str | None) -> None:
        """Usage alone has no sections: an error of usage needs no list."""
        self._whole = True
        super().start_section(heading)

    def format_help(self) -> str:
        """The help, then name and effect of each."""
        text = super().format_help()
        if not self._whole:
            return text
        from console.demo.faults import FAULTS

        width = max(map(len, FAULTS))
        return text + "\n".join(["\nfaults:", *(f"  {name:{width}}  {does}" for name, does in FAULTS.items()), ""])


def run(arguments: argparse.Namespace) -> int:
    """The demo until the console is quit, or until a signal; `fault`: 0 when it is in effect, 2 when refused."""
    try:
        return _fault(arguments) if arguments.demo_command == "fault" else _demo(arguments)
    except Refused as error:
        complain(str(error))
        return FAILED


def _demo(arguments: argparse.Namespace) -> int:
    from console.commands.collect import collect
    from console.commands.console import open_console, unfit
    from console.commands.faults import free_directory
    from console.demo.faults import DemoFault
    from console.demo.stack import DemoStack

    if arguments.no_ui and arguments.story:
        complain("--story is played on the console: leave --no-ui away")
        return UNUSABLE
    if not arguments.no_ui and (why := unfit()):
        complain(f"{why}; use `radar demo --no-ui`, and `radar watch` with the configuration that it prints")
        return UNUSABLE
    directory = _given(arguments) or free_directory()
    _say(arguments, f"starting the demo in {directory}: a real PostgreSQL, a backend, 30 days of history")
    stack = DemoStack(directory)
    try:
        file = stack.start()
        _say(arguments, f"its configuration is {file}", {"directory": str(directory), "configuration": str(file)})
        settings = _settings(file)
        if arguments.no_ui:
            return collect(settings)
        return open_console(settings, story=_story(settings, directory, arguments.pace) if arguments.story else None)
    except DemoFault as error:
        raise Refused(str(error)) from None
    finally:
        stack.stop()


def _story(settings: Settings, directory: Path, pace: float) -> Story:
    from console.commands.faults import DemoFaults
    from console.commands.story import Story

    return Story(settings, DemoFaults(directory), pace=pace)


def _say(arguments: argparse.Namespace, words: str, content: Mapping[str, object] | None = None) -> None:
    """A line for people; for programs only what they asked for."""
    if not arguments.json:
        Output(arguments).line(words)
    elif content:
        json_line(content)


def _given(arguments: argparse.Namespace) -> Path | None:
    return arguments.dir.expanduser().absolute() if arguments.dir else None


def _settings(file: Path) -> Settings:
    from console.settings import load

    return load(file, None, os.environ)


def _fault(arguments: argparse.Namespace) -> int:
    if arguments.name is None:
        return _list(arguments)
    if arguments.switch is None:
        complain(f"on or off? radar demo fault {arguments.name} on")
        return UNUSABLE
    from console.commands.faults import DemoFaults, running_directory

    DemoFaults(_given(arguments) or running_directory()).set(arguments.name, arguments.switch == "on")
    if arguments.json:
        document({"fault": arguments.name, "on": arguments.switch == "on"})
    else:
        Output(arguments).line(f"{arguments.name} is {arguments.switch}")
    return WELL


def _list(arguments: argparse.Namespace) -> int:
    """Every fault, and which are on where a demo runs."""
    from console.commands.faults import DemoFaults, known, running_directory

    try:
        rows = DemoFaults(_given(arguments) or running_directory()).list()
    except Refused as error:
        complain(str(error))
        rows = known()
    if arguments.json:
        document({"faults": [{"name": name, "does": does, "on": on} for name, does, on in rows]})
    else:
        Output(arguments).table([("on" if on else "", name, does) for name, does, on in rows])
    return WELL
