"""Pictures of every page in every state, from recorded stores with a fixed clock."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from console.model.configuration import Display
from tests.screens.driving import until, until_fed, until_text
from tests.screens.scripted import ScriptedReads
from tests.snapshots.conftest import Open
from tests.snapshots.story_alerts import NOW, M

Compare = Callable[..., bool]
Prepare = Callable[[Pilot[None]], Awaitable[None]]

SMALL, MIDDLE, LARGE = (80, 24), (160, 48), (200, 60)
BOTH = pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "160x48"])
ALL = pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "160x48", "200x60"])


class DemoFaults:
    """Two faults as a demo lists them."""

    def list(self) -> list[tuple[str, str, bool]]:
        return [("backend-down", "the backend does not answer", False), ("db-hang", "the database hangs", True)]

    def set(self, name: str, on: bool) -> None:
        """Nothing is switched for a picture."""


def after(*keys: str, text: str = "", selector: str = "") -> Prepare:
    """Wait for values, press keys, wait for a text."""

    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if text:
            await until_text(pilot, text, selector)
        await pilot.pause()

    return prepare


def shown(compare: Compare, app: App[None], size: tuple[int, int], prepare: Prepare) -> bool:
    """Whether the picture is as it was."""
    return compare(app, terminal_size=size, run_before=prepare)


@ALL
@pytest.mark.parametrize("story", ["night", "calm"])
def test_health(snap_compare: Compare, opened: Open, story: str, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened(story), size, after(text="application"))


@BOTH
@pytest.mark.parametrize("story", ["least", "offline", "forbidden"])
def test_health_in_other_nights(snap_compare: Compare, opened: Open, story: str, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened(story), size, after(text="application"))


@BOTH
def test_health_without_a_store(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened(None), size, after(text="nothing was ever polled"))


@BOTH
def test_health_while_loading(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    hang = threading.Event()

    async def loading(pilot: Pilot[None]) -> None:
        await until_text(pilot, "reading the store")

    assert shown(snap_compare, opened(None, reads=ScriptedReads(hang=hang)), size, loading)
    hang.set()


@BOTH
def test_health_when_the_collector_is_dead(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("night", later_s=95), size, after(text="STALE"))


@BOTH
def test_health_on_a_damaged_store(snap_compare: Compare, opened: Open, tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "observed.db").write_bytes(b"no database at all " * 500)
    assert shown(snap_compare, opened(None), size, after(text="!", selector="#notice"))


@BOTH
def test_health_keeps_the_last_value_when_the_store_fails(
    snap_compare: Compare, opened: Open, size: tuple[int, int]
) -> None:
    reads = ScriptedReads()

    async def fail(pilot: Pilot[None]) -> None:
        await until_text(pilot, "LATELY")
        reads.trouble = "the store cannot be read: the disk is full"
        reads.number += 1
        await until_text(pilot, "the disk is full", "#notice")
        await pilot.pause()

    assert shown(snap_compare, opened(None, reads=reads), size, fail)


@BOTH
def test_health_not_live(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("night", at_ms=NOW - 5 * M), size, after(text="NOT LIVE"))


def test_health_paused(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night"), SMALL, after("p", text="PAUSED"))


def test_health_in_a_demo(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("calm", name="tabletalk", label="demo"), SMALL, after(text="tabletalk"))


@pytest.mark.parametrize("theme", ["light", "ansi", "colour-blind"])
@pytest.mark.parametrize("page", ["1", "9"], ids=["health", "alerts"])
def test_themes(snap_compare: Compare, opened: Open, theme: str, page: str) -> None:
    app = opened("night", display=Display(theme=theme))  # type: ignore[arg-type]
    assert shown(snap_compare, app, SMALL, after(page, text="application"))


def test_without_colours(snap_compare: Compare, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = opened("night")
    monkeypatch.delenv("NO_COLOR")
    assert shown(snap_compare, app, SMALL, after(text="application"))


def test_in_ascii(snap_compare: Compare, opened: Open) -> None:
    app = opened("night", display=Display(glyphs="ascii"))
    assert shown(snap_compare, app, SMALL, after(text="application"))


@BOTH
@pytest.mark.parametrize("key", ["home", "j j j"], ids=["application", "database"])
def test_component(snap_compare: Compare, opened: Open, key: str, size: tuple[int, int]) -> None:
    prepare = after(*key.split(), "enter", text="JUDGED SO BECAUSE")
    assert shown(snap_compare, opened("night"), size, prepare)


def test_component_scrolled_to_its_end(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night"), SMALL, after("enter", "G", text=" end "))


@BOTH
def test_alerts(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("night"), size, after("9", text="FIRING 2"))


@BOTH
def test_alerts_with_none_firing(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("calm"), size, after("9", text="No alert is firing"))


def test_alerts_filtered(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night"), SMALL, after("9", "slash", *"rate", text="FIRING 1 of 2"))


def test_alerts_without_a_store(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened(None), SMALL, after("9", text="No round"))


def test_alert_in_full(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night"), SMALL, after("9", "enter", text="firing since"))


def test_acting_on_an_alert(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night"), SMALL, after("9", "a", "down", "down", text="acknowledge: seen"))


def test_acting_not_live_says_why_not(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night", at_ms=NOW - 2 * M), SMALL, after("9", "a", text="actions are off"))


@BOTH
def test_help(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("night"), size, after("question_mark", text="EVERYWHERE"))


def test_palette_in_a_demo(snap_compare: Compare, opened: Open) -> None:
    app = opened("night", faults=DemoFaults())
    assert shown(snap_compare, app, (80, 40), after("colon", text="fault backend-down on"))


def test_palette_narrowed(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night"), SMALL, after("colon", *"theme", "down", text="theme light"))


def test_contacts(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night"), SMALL, after("C", text="DBA on call"))


def test_contacts_when_there_are_none(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("night", contacts={}, links={}), SMALL, after("C", text="No contacts"))


@BOTH
def test_ledger(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened("night"), size, after("o", text="OWNER"))


def test_ledger_when_nothing_is_open(snap_compare: Compare, opened: Open) -> None:
    assert shown(snap_compare, opened("calm"), SMALL, after("o", text="Nothing abnormal"))


def test_going_to_a_time(snap_compare: Compare, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    import time

    time.tzset()
    app = opened("night")
    try:
        assert shown(snap_compare, app, SMALL, after("at", "minus", *"90m", text="01:42:44 UTC"))
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_terminal_too_small(snap_compare: Compare, opened: Open) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: getattr(pilot.app, "last_header", None) is not None, "fed")
        await pilot.pause()

    assert shown(snap_compare, opened("night"), (50, 10), prepare)
