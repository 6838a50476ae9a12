"""Pictures of the Metrics screen in every state, of recorded stores and of hand-built values."""

from __future__ import annotations

import threading
from typing import Any, Literal

import pytest
from textual.pilot import Pilot

from console.app import RadarApp
from console.model.charts import PAGES
from console.model.configuration import Display
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.scripted import ScriptedReads
from tests.snapshots.conftest import Open
from tests.snapshots.story_alerts import NOW, M
from tests.snapshots.test_pictures import ALL, BOTH, LARGE, MIDDLE, SMALL, Compare, after, shown


def scripted(opened: Open, **more: Any) -> RadarApp:
    """A console on hand-built values."""
    return opened(None, reads=ScriptedReads(), **more)


# Of recorded stores


@ALL
@pytest.mark.parametrize("turns", range(len(PAGES)), ids=PAGES)
def test_recorded(snap_compare: Compare, opened: Open, turns: int, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        await pilot.press("2", *["tab"] * turns)
        await until_text(pilot, "CURSOR")
        await until(pilot, lambda: "reading" not in text_of(pilot, "#body"), f"read {PAGES[turns]}")
        await pilot.pause()

    assert shown(snap_compare, opened("measured"), size, prepare)


@BOTH
@pytest.mark.parametrize("zooms", [2, 4], ids=["24h", "30d"])
def test_recorded_over_a_longer_time(snap_compare: Compare, opened: Open, zooms: int, size: tuple[int, int]) -> None:
    length = {2: "window 24 h", 4: "window 30 d"}[zooms]
    assert shown(snap_compare, opened("measured"), size, after("2", *["minus"] * zooms, text=length))


@BOTH
def test_recorded_on_a_good_night(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("measured calm"), size, after("2", text="CURSOR"))


@BOTH
def test_recorded_in_the_past(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("measured", at_ms=NOW - 6 * M), size, after("2", text="CURSOR"))


@BOTH
def test_recorded_nothing(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("least"), size, after("2", text="CURSOR"))


def test_without_a_store(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened(None), SMALL, after("2", text="CURSOR"))


@BOTH
def test_when_the_collector_is_dead(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("measured", later_s=300), size, after("2", text="CURSOR"))


# Of hand-built values


@ALL
@pytest.mark.parametrize("keys", ["", "tab"], ids=["application", "late and forbidden"])
def test_metrics(snap_compare: Compare, opened: Open, keys: str, size: tuple[int, int]) -> None:
    text = "CONNECTIONS" if keys else "RESPONSE"
    assert shown(snap_compare, scripted(opened), size, after("2", *keys.split(), text=text))


@BOTH
def test_the_end_of_the_list(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, scripted(opened), size, after("2", "G", text="AVAILABILITY"))


@ALL
def test_a_cursor_on_a_mark(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, scripted(opened), size, after("2", "m", "m", text="CURSOR  03:03"))


@BOTH
def test_panned(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    keys = ("2", "less_than_sign", "less_than_sign", "home", "right")
    assert shown(snap_compare, scripted(opened), size, after(*keys, text="until 02:12"))


@BOTH
def test_compared(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    keys = ("2", "tab", "c")
    assert shown(snap_compare, scripted(opened), size, after(*keys, text="compare yesterday"))


@ALL
@pytest.mark.parametrize("moves", [0, 3], ids=["lines", "distribution"])
def test_one_chart(snap_compare: Compare, opened: Open, moves: int, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        await after("2", *["j"] * moves, "f")(pilot)
        await until(pilot, lambda: "MEMORY" not in text_of(pilot, "#body"), "alone")
        await pilot.pause()

    assert shown(snap_compare, scripted(opened), size, prepare)


@ALL
def test_the_table(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, scripted(opened), size, after("2", "t", text="newest first"))


def test_the_table_of_nothing(snap_compare: Compare, opened: Open) -> None:
    prepare = after("2", "shift+tab", "t", text="nothing is set")
    assert shown(snap_compare, scripted(opened), SMALL, prepare)


@BOTH
def test_loading(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    hang = threading.Event()

    async def loading(pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await until_text(pilot, "reading the store")

    assert shown(snap_compare, opened(None, reads=ScriptedReads(hang=hang)), size, loading)
    hang.set()


def test_failed(snap_compare: Compare, opened: Open) -> None:
    reads = ScriptedReads(trouble="the store cannot be read: the disk is full")
    assert shown(snap_compare, opened(None, reads=reads), SMALL, after("2", text="The store cannot be read."))


def test_failed_after_it_was_read(snap_compare: Compare, opened: Open) -> None:
    reads = ScriptedReads()

    async def fail(pilot: Pilot[None]) -> None:
        await after("2", text="CURSOR")(pilot)
        reads.trouble = "the store cannot be read: the disk is full"
        reads.number += 1
        await until_text(pilot, "the disk is full", "#notice")
        await pilot.pause()

    assert shown(snap_compare, opened(None, reads=reads), SMALL, fail)


def test_paused(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, scripted(opened), SMALL, after("2", "p", text="PAUSED"))


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "160x48", "200x60"])
@pytest.mark.parametrize("theme", ["light", "ansi", "colour-blind"])
def test_themes(
    snap_compare: Compare,
    opened: Open,
    theme: Literal["light", "ansi", "colour-blind"],
    size: tuple[int, int],
) -> None:
    app = scripted(opened, display=Display(theme=theme))
    assert shown(snap_compare, app, size, after("2", "m", text="CURSOR  03:05"))


def test_without_colours(snap_compare: Compare, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = scripted(opened)
    monkeypatch.delenv("NO_COLOR")
    assert shown(snap_compare, app, SMALL, after("2", "m", text="CURSOR  03:05"))


@BOTH
def test_in_ascii(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = scripted(opened, display=Display(glyphs="ascii"))
    assert shown(snap_compare, app, size, after("2", "m", text="CURSOR  03:05"))


def test_on_a_narrow_terminal(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, scripted(opened), (64, 30), after("2", text="newest first"))


def test_the_help(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, scripted(opened), (80, 48), after("2", "question_mark", text="METRICS"))
