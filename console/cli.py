"""The `radar` command. Start-up counts: only the module of the command that was typed is imported.

Exit statuses: 0 well, 1 degraded or falling short, 2 down or failed, 3 unusable configuration or usage.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from console.commands.writing import Unwritable, drop, flush, give_up, write

WELL, SHORT, FAILED, UNUSABLE = 0, 1, 2, 3
OFFERED = "offered"
"""An argument's attribute for completion: words that it takes beside others, so that they are no `choices`."""

COMMANDS = {
    "demo": "start the embedded stack and open the console on it; `demo fault` injects faults",
    "check": "one round of every source: the state, with its reasons",
    "watch": "one plain line for each change: for dumb terminals, screen readers and pipes",
    "collect": "the collector, headless: for a service manager",
    "alerts": "the alerts that are firing, and the rules",
    "metrics": "the service level targets over a window, their budgets, and the charts' figures",
    "ack": "acknowledge an alert",
    "silence": "hold the notifications of a rule for a time, or end that",
    "notify": "the channels that people are told by, how each got through last; `notify test` tries them",
    "deployments": "what serves production and what could, what each did; the CI runs on their ten stages",
    "rollback": "put production back to an earlier deployment",
    "promote": "let a deployment serve production; ends the pin of a rollback",
    "deploy": "build and deploy a ref to staging or production",
    "freeze": "hold what would deploy to production, with an owner and an expiry",
    "rerun": "run a CI run again, whole or what failed of it",
    "cancel-run": "end a CI run before its end",
    "maintenance": "maintenance mode: on, off, announced, cancelled; its status and the next regular window",
    "actions": "the journal of actions: its runs, what is due; resume, close, cancel",
    "open": "everything abnormal that somebody must undo or look after",
    "handover": "what the next shift must know: state, ledger, alerts, actions, notes",
    "incident": "put a note on record; write the time line between two times as Markdown",
    "audit": "who did what; `audit verify`: whether the record of it is whole, and known outside",
    "doctor": "try the configuration, every credential, the store and the terminal, and say the fix",
    "completion": "print the completion script of a shell",
}
LOOKING_BACK = ("alerts", "metrics", "deployments", "actions", "open", "handover")
"""Commands that read the store and so can show it as it was; the others know `--at` only to refuse it."""


class Parser(argparse.ArgumentParser):
    """Errors of usage end with status 3; argparse's own 2 means `down` here. `-2h` is a time, never an option."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # argparse lets `--to -5` pass, but not `--from -15m`. No option of ours begins with a digit.
        self._negative_number_matcher = re.compile(r"-\d")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how the command is written."""
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    typed = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without a glyph is no reason to fail
    try:
        return _ended(typed)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader left, as `radar watch | head` does: nothing is wrong
        drop(sys.stdout)
        return WELL
    except Unwritable as error:
        give_up(error)
        return FAILED


def _ended(typed: list[str]) -> int:
    """The status of a command whose words have all been taken; argparse's own end in SystemExit."""
    try:
        return _run(parser(typed).parse_args(typed))
    finally:
        flush()


def _run(arguments: argparse.Namespace) -> int:
    from console.settings import SettingsError

    try:
        if not _looks_back(arguments):
            return UNUSABLE
        status: int = importlib.import_module(_module(arguments.command or "console")).run(arguments)
        return status
    except SettingsError as error:
        from console.model.text import clean_block

        write(f"radar: {clean_block(str(error))}\n", sys.stderr)
        if getattr(arguments, "escape", False):  # what is done by hand needs no settings of ours
            from console.commands.acting import print_card

            print_card(arguments, arguments.command, vars(arguments), None)
        return UNUSABLE


def _looks_back(arguments: argparse.Namespace) -> bool:
    """Read what `--at` means into `at_ms`; False, and said why, where it is no moment or nothing is shown of then."""
    arguments.at_ms = None
    if arguments.at is None:
        return True
    from console.commands.output import complain
    from console.model.times import parse_moment
    from console.store.clock import now_ms

    if arguments.command not in (None, *LOOKING_BACK):
        others = ", ".join(LOOKING_BACK)
        complain(f"{arguments.command} takes no --at: it is about now. These do: radar alone, {others}")
        return False
    try:
        arguments.at_ms = parse_moment(arguments.at, now_ms())
    except ValueError as error:
        complain(f"--at: {error}")
    return arguments.at_ms is not None


def _module(command: str) -> str:
    return f"console.commands.{command.replace('-', '_')}"


def parser(typed: Sequence[str], *, whole: bool = False) -> Parser:
    """The parser for what was typed: other commands are known by name only, unless `whole`."""
    made = Parser(prog="radar", description=_DESCRIPTION, epilog=_EPILOG, allow_abbrev=False)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_common(made, config=None, environment=None, no_color=False)
    made.add_argument("--version", action=_Version, nargs=0, help="print the version")
    _add_at(made, None)
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        if whole or name in typed:
            _add_common(command, **dict.fromkeys(("config", "environment", "no_color"), argparse.SUPPRESS))
            _add_at(command, argparse.SUPPRESS, shown=name in LOOKING_BACK)
            importlib.import_module(_module(name)).configure(command)
    return made


def _add_common(
    made: argparse.ArgumentParser, *, config: str | None, environment: str | None, no_color: bool | str
) -> None:
    """Options that may stand before or after the command; after it without a default, which would undo the former."""
    made.add_argument("--config", metavar="FILE", type=Path, default=config, help="the radar.toml to use")
    made.add_argument("--env", metavar="NAME", dest="environment", default=environment, help="which environment of it")
    made.add_argument("--no-color", action="store_true", default=no_color, help="print no colours")


def _add_at(made: argparse.ArgumentParser, default: str | None, *, shown: bool = True) -> None:
    """Every command knows it, so that one that cannot look back says so instead of telling of now."""
    words = "show that moment: 03:04, yesterday 03:04, -2h" if shown else argparse.SUPPRESS
    made.add_argument("--at", metavar="TIME", default=default, help=words)


class _Version(argparse.Action):
    """Reads the installed version only when it is asked for: importlib.metadata costs 20 ms."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        write(f"radar {version('radar-console')}\n")
        parser.exit(WELL)


_DESCRIPTION = """\
The operations console of TableTalk Radar. With no command it opens the console;
`radar demo` needs no configuration."""
_EPILOG = """\
exit status: 0 well, 1 degraded or falling short, 2 down or failed,
             3 unusable configuration or usage
configuration: --config, $RADAR_CONFIG, ~/.config/radar/radar.toml,
               /etc/radar/radar.toml"""

if __name__ == "__main__":
    sys.exit(main())
