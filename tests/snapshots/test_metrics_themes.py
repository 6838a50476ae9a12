"""Pictures of Metrics in every theme: each page, and what is compared, panned and past; long windows with much room."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.model.charts import PAGES
from console.model.configuration import Display
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.scripted import ScriptedReads
from tests.snapshots.conftest import Open
from tests.snapshots.story_alerts import NOW, M
from tests.snapshots.test_pictures import LARGE, SMALL, Compare, after, shown

DISPLAYS = {
    "light": Display(theme="light"), "ansi": Display(theme="ansi"), "colour-blind": Display(theme="colour-blind"),
}  # fmt: skip
EVERY = pytest.mark.parametrize("display", DISPLAYS.values(), ids=DISPLAYS)


@EVERY
@pytest.mark.parametrize("turns", range(1, len(PAGES)), ids=PAGES[1:])
def test_pages(snap_compare: Compare, opened: Open, turns: int, display: Display) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        await pilot.press("2", *["tab"] * turns)
        await until_text(pilot, "CURSOR")
        await until(pilot, lambda: "reading" not in text_of(pilot, "#body"), f"read {PAGES[turns]}")
        await pilot.pause()

    assert shown(snap_compare, opened("measured", display=display), SMALL, prepare)


@EVERY
@pytest.mark.parametrize(("keys", "text"), [
    ("2 tab c", "compare yesterday"), ("2 less_than_sign less_than_sign home right", "until 02:12"),
], ids=["compared", "panned"])  # fmt: skip
def test_states(snap_compare: Compare, opened: Open, keys: str, text: str, display: Display) -> None:
    made = opened(None, reads=ScriptedReads(), display=display)
    assert shown(snap_compare, made, SMALL, after(*keys.split(), text=text))


@EVERY
def test_past(snap_compare: Compare, opened: Open, display: Display) -> None:
    made = opened("measured", at_ms=NOW - 6 * M, display=display)
    assert shown(snap_compare, made, SMALL, after("2", text="CURSOR"))


@pytest.mark.parametrize(("keys", "text"), [
    ("2 minus minus", "window 24 h"), ("2 minus minus minus minus", "window 30 d"), ("2 c", "compare yesterday"),
], ids=["24h", "30d", "compared"])  # fmt: skip
def test_with_much_room(snap_compare: Compare, opened: Open, keys: str, text: str) -> None:
    assert shown(snap_compare, opened("measured"), LARGE, after(*keys.split(), text=text))
