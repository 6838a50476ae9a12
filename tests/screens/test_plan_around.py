"""The plan of an action among the other pages: where it opens from, what is left and copied of it, what follows it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.events import Paste

from console.model.actions import ActionRequest
from screens.card import CardPage
from screens.health import HealthScreen
from screens.palette import PalettePage
from screens.plan import open_plan
from screens.run import RunPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.planning import app_with, opened, suggesting, until_ready
from tests.screens.sample_actions import REASON, TOKEN
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk


@pytest.mark.parametrize("keys", [["comma"], ["p"]])
async def test_not_live_no_plan_is_opened(make_app: MakeApp, keys: list[str]) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press(*keys)
        await until_text(pilot, "actions are off", "#notice")
        await open_plan(page_of(pilot), ActionRequest(action="rollback"))
        await until_text(pilot, "actions are off", "#footer")
    assert desk.done == []


async def test_a_plan_that_was_open_is_not_confirmed_when_the_console_is_not_live_any_more(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("comma")
        await until_text(pilot, "NOT LIVE", "#notice")
        await pilot.press("tab", "enter", *"41ab9e0", "enter")
        assert "not live" in page.problem
    assert not desk.said("confirm")


async def test_without_a_desk_actions_say_so(make_app: MakeApp) -> None:
    async with make_app(ScriptedReads(make_health=suggesting)).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await open_plan(page_of(pilot), ActionRequest(action="rollback"))
        await until_text(pilot, "acts on nothing", "#footer")


async def test_the_escape_card_is_whole_copied_whole_and_written_for_the_user_alone(
    make_app: MakeApp, tmp_path: Path
) -> None:
    async with app_with(make_app).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("E")
        await until(pilot, lambda: isinstance(pilot.app.screen, CardPage), "the card")
        copied = page_of(pilot).copied() or ""
        assert page.plan is not None and all(command in copied.splitlines() for command in page.plan.escape)
        await pilot.press("x")
        await until_text(pilot, "written for you alone", "#footer")
        await pilot.press("escape")
        assert pilot.app.screen is page
    assert [(file.read_text(), file.stat().st_mode & 0o777) for file in _cards(tmp_path)] == [(copied, 0o600)]


def _cards(directory: Path) -> list[Path]:
    return list(directory.glob("escape-card-rollback-*.txt"))


async def test_coming_back_to_a_plan_begins_with_nothing_typed(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "enter", *"41ab9e0", "tab", "E")
        await until(pilot, lambda: isinstance(pilot.app.screen, CardPage), "the card")
        await pilot.press("escape", "tab", "tab", "enter")
        assert page.typed.value == "" and not desk.said("confirm")


async def test_the_plan_is_copied_as_text(make_app: MakeApp) -> None:
    async with app_with(make_app).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        copied = page.copied() or ""
        assert "POST /v1/projects/prj_7Hq2e7/rollback/dpl_41ab9e0" in copied and "UNDO" in copied


async def test_for_a_component_that_was_chosen_the_plan_is_the_first_choice(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("j", "j", "a")
        await until_text(pilot, "rollback: see its plan")
        assert "acknowledge: seen" in text_of(pilot)
        await pilot.press("enter")
        await until_ready(pilot)
    assert desk.said("plan") == [("plan", "rollback", {})]


async def test_the_palette_opens_plans_where_there_is_a_desk(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon", *"freeze dep", "enter")
        await until_ready(pilot)
    assert desk.said("plan") == [("plan", "freeze", {"on": True})]


async def test_the_run_of_a_confirmed_plan_is_one_that_this_console_began(make_app: MakeApp) -> None:
    app = app_with(make_app, ScriptedDesk(token="running"))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab", "enter", *"41ab9e0", "enter")
        await until_text(pilot, "It is under way")
        assert app.begun == {"running"} and TOKEN not in app.begun
        assert REASON in text_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "back: the run goes on")
        await pilot.press("q")
        await until_text(pilot, "q again quits; the action goes on", "#footer")
        assert app.is_running
        await pilot.press("q")
    assert app.return_code == 0


async def test_a_plan_that_is_confirmed_below_another_page_is_followed_when_that_is_left(make_app: MakeApp) -> None:
    held = threading.Event()
    desk = ScriptedDesk(waits=held)
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab", "enter", *"41ab9e0", "enter")
        await until_text(pilot, "confirmed: it is looked at once more", "#words")
        await pilot.press("escape")
        await until_text(pilot, "the confirmation is on its way", "#footer")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(pilot.app.screen, PalettePage), "the palette")
        held.set()
        await until(pilot, lambda: bool(page_of(pilot).host.begun), "begun")
        assert isinstance(pilot.app.screen, PalettePage)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunPage), "the run's page")


async def test_a_defect_at_the_confirmation_claims_nothing(make_app: MakeApp) -> None:
    async with app_with(make_app, ScriptedDesk(breaks=True)).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "enter", *"41ab9e0", "enter")
        await until(pilot, lambda: "not known whether it began" in page.problem, "told")


async def test_pasted_controls_are_disarmed_and_what_is_too_long_is_cut(make_app: MakeApp) -> None:
    async with app_with(make_app).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "ctrl+u")
        page.reason.value = ""
        pilot.app.post_message(Paste("\x1b]52;c;aGk=\x07" + "x" * 400 + "\nsecond"))
        await until(pilot, lambda: bool(page.reason.value), "pasted")
        assert page.reason.value.isprintable() and len(page.reason.value) == 300


async def test_a_runner_waits_once_health_suggests_an_action_and_not_before(make_app: MakeApp) -> None:
    desk, idle = ScriptedDesk(), ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await until(pilot, lambda: desk.prepared == 1, "a runner that waits")
    async with make_app(desk=idle).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
    assert (desk.prepared, idle.prepared) == (1, 0), "once, and only where something is suggested"
