"""Driving a console in tests: wait for what it shows, read it as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast

from textual.pilot import Pilot

from screens.page import Page
from widgets.canvas import Canvas
from widgets.lines import plain

DEADLINE_S = 10.0


def page_of(pilot: Pilot[None]) -> Page[object]:
    """The page on the screen."""
    return cast("Page[object]", pilot.app.screen)


def text_of(pilot: Pilot[None], selector: str = "") -> str:
    """What the page shows as text, or one part of it (`#header`, `#notice`, `#body`, `#footer`)."""
    parts = [selector] if selector else ["#header", "#notice", "#body", "#footer"]
    return "".join(plain(canvas.lines) for part in parts for canvas in pilot.app.screen.query(part).results(Canvas))


async def until(pilot: Pilot[None], condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fails with what is shown after the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"never {what}; shown:\n{text_of(pilot)}"
        await asyncio.sleep(0.01)
        await pilot.pause()


async def until_text(pilot: Pilot[None], text: str, selector: str = "") -> None:
    """Wait until the text is shown."""
    await until(pilot, lambda: text in text_of(pilot, selector), f"showed {text!r}")


async def until_fed(pilot: Pilot[None]) -> None:
    """Wait until the page has a value, or the words why not."""
    app = pilot.app
    await until(pilot, lambda: page_of(pilot).view is not None or getattr(app, "trouble", None) is not None, "fed")
