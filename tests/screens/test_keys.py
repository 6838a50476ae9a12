"""Every key does what the help says, nothing inside a field, and all can be remapped."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.widgets import Input

from console.model.configuration import Display
from screens.alerts import AlertPage, AlertsScreen
from screens.component import ComponentPage
from screens.contacts import ContactsPage
from screens.dialogs.act import ActPage
from screens.health import HealthScreen
from screens.help import HelpPage
from screens.ledger import LedgerPage
from screens.metrics import MetricsScreen
from screens.moments import MomentPage
from screens.palette import PalettePage
from screens.scroll import ScrollPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.scripted import ScriptedActions, ScriptedReads


@pytest.mark.parametrize(
    ("keys", "page"),
    [
        (["9"], AlertsScreen),
        (["9", "1"], HealthScreen),
        (["2"], MetricsScreen),
        (["2", "9"], AlertsScreen),
        (["enter"], ComponentPage),
        (["enter", "escape"], HealthScreen),
        (["enter", "1"], HealthScreen),
        (["9", "enter"], AlertPage),
        (["9", "a"], ActPage),
        (["a"], ActPage),
        (["question_mark"], HelpPage),
        (["C"], ContactsPage),
        (["o"], LedgerPage),
        (["o", "o"], LedgerPage),
        (["at"], MomentPage),
        (["colon"], PalettePage),
        (["ctrl+p"], PalettePage),
        (["ctrl+p", "ctrl+p"], PalettePage),
        (["escape"], HealthScreen),
        (["ctrl+c"], HealthScreen),
        (["ctrl+q"], HealthScreen),
    ],
)
async def test_a_key_leads_to_its_page(make_app: MakeApp, keys: list[str], page: type) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
            await until_fed(pilot) if not isinstance(pilot.app.screen, PalettePage | MomentPage | ActPage) else None
        await until(pilot, lambda: type(pilot.app.screen) is page, f"at {page.__name__}")
        assert pilot.app.is_running


async def test_q_quits(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await until_fed(pilot)
        await pilot.press("q")
    assert app.return_code == 0 and not app.is_running


async def test_moving_selects_components_and_is_remembered(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        assert "▌routes" in text_of(pilot), "the component of the first reason"
        for key, bar in [
            ("k", "▌application"),
            ("j", "▌routes"),
            ("down", "▌users"),
            ("k", "▌routes"),
            ("up", "▌application"),
            ("up", "▌application"),
        ]:
            await pilot.press(key)
            assert bar in text_of(pilot)
        for key, bar in [("G", "▌bastion"), ("g", "▌application"), ("end", "▌bastion"), ("home", "▌application")]:
            await pilot.press(key)
            assert bar in text_of(pilot)
        await pilot.press("j", "enter")
        await until_text(pilot, "routes 6/8")
        assert "38 % 5xx, 47 of 124" in text_of(pilot, "#body"), "its own reason"
        await pilot.press("escape")
        assert "▌routes" in text_of(pilot)


async def test_a_long_page_scrolls_by_line_half_page_and_ends(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("enter")
        await until_text(pilot, "JUDGED SO BECAUSE")
        page = page_of(pilot)
        assert isinstance(page, ScrollPage)
        for key, top in [("j", 1), ("k", 0), ("k", 0), ("ctrl+d", 10), ("ctrl+u", 0), ("down", 1), ("g", 1), ("g", 0)]:
            await pilot.press(key)
            assert page.top == top, key
        await pilot.press("G")
        assert " end " in text_of(pilot, "#body") and page.top > 20
        await pilot.press("g", "j")
        assert page.top > 20, "one g is not gg"
        await pilot.press("home")
        assert page.top == 0


async def test_a_long_list_moves_its_cursor_into_view(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 18)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("G")
        assert "▌10 Oct" in text_of(pilot)
        await pilot.press("g", "g")
        assert "▌✗ critical" in text_of(pilot) and "FIRING 2" in text_of(pilot)


async def test_mouse_selects_and_opens(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.click("#body", offset=(5, 9))
        assert "▌database" in text_of(pilot)
        await pilot.click("#body", offset=(5, 9))
        await until(pilot, lambda: isinstance(pilot.app.screen, ComponentPage), "opened")


async def test_the_filter_narrows_while_typing_and_escape_ends_it(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("slash", *"database")
        await until_text(pilot, "FIRING 1 of 2")
        await pilot.press("enter", "j")
        assert "FIRING 1 of 2" in text_of(pilot) and "▌✗ firing" not in text_of(pilot)
        await pilot.press("1")
        await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "keys act again")


async def test_escape_in_the_filter_shows_all_again(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("slash", *"zzz")
        await until_text(pilot, "FIRING 0 of 2")
        await pilot.press("escape")
        await until_text(pilot, "FIRING 2 ")


async def test_letters_and_digits_never_act_inside_a_field(make_app: MakeApp) -> None:
    actions = ScriptedActions()
    async with make_app(actions=actions).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        for opener in ("colon", "at"):
            await pilot.press(opener)
            await until(pilot, lambda: isinstance(pilot.app.focused, Input), "asked")
            page = pilot.app.screen
            typed = [
                "1",
                "9",
                "q",
                "a",
                "r",
                "p",
                "j",
                "G",
                "L",
                "C",
                "o",
                "y",
                "comma",
                "at",
                "colon",
                "question_mark",
                "slash",
            ]
            await pilot.press(*typed)
            field = pilot.app.focused
            assert pilot.app.screen is page and isinstance(field, Input)
            assert field.value == "19qarpjGLCoy,@:?/"
            await pilot.press("escape")
    assert actions.done == []


async def test_every_key_in_the_help_is_bound_and_described(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 48)) as pilot:
        await until_fed(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpPage), "help")
        page = pilot.app.screen
        assert isinstance(page, HelpPage)
        shown = text_of(pilot)
        assert len(page.entries) > 20
        for _, keys, words in page.entries:
            assert keys in shown and words in shown


async def test_all_keys_can_be_remapped_and_are_shown_as_remapped(make_app: MakeApp) -> None:
    display = Display(keys={"screen.alerts": "f9", "app.quit": "Q", "list.down": "n"})
    async with make_app(display=display).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        assert "f9 Alerts" in text_of(pilot, "#footer") and "Q quit" in text_of(pilot, "#footer")
        await pilot.press("9", "q", "j")
        assert isinstance(pilot.app.screen, HealthScreen) and "▌routes" in text_of(pilot)
        await pilot.press("n")
        assert "▌users" in text_of(pilot)
        await pilot.press("f9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("Q")
    assert not pilot.app.is_running


async def test_a_page_that_hangs_leaves_the_keys_alive(make_app: MakeApp) -> None:
    reads = ScriptedReads(hang=threading.Event())
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpPage), "help")
        await pilot.press("escape")
        await until_text(pilot, "reading the store")
    assert reads.hang is not None
    reads.hang.set()


async def test_the_session_file_is_private(make_app: MakeApp, tmp_path: Path) -> None:
    async with make_app().run_test() as pilot:
        await until_fed(pilot)
        await pilot.press("j", "q")
    assert (tmp_path / "session.json").stat().st_mode & 0o777 == 0o600
