"""`radar` with no command: the console. What is imported here is paid for at each start."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli import FAILED, UNUSABLE, WELL
from console.commands.keeper import Keeper, collecting
from console.commands.output import complain, draws_signs
from console.commands.parts import operator, reading, settings_of
from console.model.configuration import Settings
from console.model.ports import StoreReads

if TYPE_CHECKING:
    from console.commands.faults import DemoFaults
    from console.commands.story import Story


def run(arguments: argparse.Namespace) -> int:
    """Open the console until it is quit; 3 where it cannot be drawn."""
    if why := unfit():
        complain(f"{why}; use `radar watch`, which prints plain lines, or `radar check`")
        return UNUSABLE
    return open_console(settings_of(arguments), arguments.at_ms)


def open_console(settings: Settings, at_ms: int | None = None, story: Story | None = None) -> int:
    """The console on these settings, with a collector of its own while nobody else collects."""
    from console.store.files import UnsuitablePlace, prepare_directory

    settings = drawable(settings)

    try:
        prepare_directory(settings.state_directory)
    except UnsuitablePlace as error:
        complain(str(error))
        return UNUSABLE
    with collecting(settings) as keeper, reading(settings, compared=keeper.found_another) as reads:
        return _run_app(settings, reads, at_ms, story, keeper)


def drawable(settings: Settings) -> Settings:
    """The settings with the ASCII set of glyphs where the terminal's encoding has no other, and with its own colours
    where it has but sixteen and nobody chose: ours would become the nearest ones, two states the same red."""
    display = settings.display
    if display.theme == "auto" and few_colours(os.environ):
        display = replace(display, theme="ansi")
    if not draws_signs():
        display = replace(display, glyphs="ascii")
    return replace(settings, display=display)


def few_colours(variables: Mapping[str, str]) -> bool:
    """Whether the terminal names no more than sixteen colours, as `linux` and `screen` do."""
    many = variables.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    return not many and variables.get("TERM", "").rpartition("-")[2] not in ("256color", "direct", "truecolor", "kitty")


def _run_app(settings: Settings, reads: StoreReads, at_ms: int | None, story: Story | None, keeper: Keeper) -> int:
    # Imports make a hundred thousand objects that stay: looking through them again and again costs 25 ms of a start,
    # and later every full collection. So not while importing, and never again for these.
    gc.disable()
    from console.actions.late import LateDesk
    from console.app import RadarApp
    from console.inquiries.late import LateInquiries

    gc.freeze()
    gc.enable()
    # The person has a reader of his own: the feed reads in a thread, what he asks for is read beside it.
    with operator(settings) as person, closing(LateDesk(settings)) as desk:
        faults = _demo_faults(settings.demo_directory)
        app = RadarApp(
            settings,
            reads,
            person.alerts,
            person.polls,
            person.notes,
            at_ms=at_ms,
            faults=faults,
            desk=desk,
            inquiries=LateInquiries(settings),
            starting=lambda: keeper.starting,
        )
        if story is not None:
            app.heard_key = story.heard
            story.begin(app)
        app.run()
        if story is not None:
            story.stop()
    return FAILED if app.return_code else WELL


def _demo_faults(directory: Path | None) -> DemoFaults | None:
    if directory is None:
        return None
    from console.commands.faults import DemoFaults

    return DemoFaults(directory)


def unfit() -> str | None:
    """Why this terminal cannot show the console; None: it can."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return "the console needs a terminal for its input and output"
    if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return f"the terminal (TERM={os.environ.get('TERM', '')}) cannot draw a screen"
    return None
