"""The plan of an action: shown, changed, confirmed by a person who has read it."""

from __future__ import annotations

import asyncio
import threading

import pytest
from textual.events import Paste

from screens.confirming import GUARD_S, Stage
from screens.health import HealthScreen
from screens.run import RunPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.planning import app_with, opened, plan_page, until_ready
from tests.screens.sample import NOW, M
from tests.screens.sample_actions import DESTRUCTIVE, FAILING, SAFE
from tests.screens.scripted_desk import ScriptedDesk


async def test_from_health_to_a_confirmed_rollback_it_is_eleven_keys(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    pressed = 0
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:

        async def press(*keys: str) -> None:
            nonlocal pressed
            pressed += len(keys)
            await pilot.press(*keys)

        await until_fed(pilot)
        await press("a")
        await until_ready(pilot)
        await press("tab", "enter", *"41ab9e0", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunPage), "the run's page")
        await until_text(pilot, "All steps done.")
    assert pressed == 11, "12 are allowed"
    assert desk.said("plan") == [("plan", "rollback", {})]
    (confirmed,) = desk.said("confirm")
    assert confirmed[2] == "41ab9e0" and "38 % 5xx" in str(confirmed[1])
    assert desk.open_tickets == 0


async def test_who_is_armed_needs_ten_keys_for_what_brings_its_own_reason(make_app: MakeApp) -> None:
    desk = ScriptedDesk(armed="errors since 8f3c1d2")
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)  # a
        assert "38 % 5xx" in page.reason.value and "armed" not in text_of(pilot, "#reason-label")
        await pilot.press("tab", *"41ab9e0", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunPage), "the run's page")
    ((_, reason, _),) = desk.said("confirm")
    assert "38 % 5xx" in str(reason), "not what was said of something else"


async def test_the_page_stands_while_systems_are_asked_and_leaving_it_leaves_the_plan(make_app: MakeApp) -> None:
    desk = ScriptedDesk(hang=threading.Event())
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("a")
        await until_text(pilot, "asking")
        assert "Roll back production" in text_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "back")
        assert desk.hang is not None
        desk.hang.set()
        await until(pilot, lambda: bool(desk.said("leave")), "left")
    assert desk.open_tickets == 0 and not desk.said("confirm")


async def test_enter_on_cancel_leaves_and_so_does_esc_from_a_field(make_app: MakeApp) -> None:
    for keys in (["enter"], ["escape"], ["tab", "escape"], ["tab", "enter", "4", "escape"]):
        desk = ScriptedDesk()
        async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
            await opened(pilot)
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "back")
            await until(pilot, lambda: bool(desk.said("leave")), "left")  # noqa: B023 - awaited in this round
        assert not desk.said("confirm")


async def test_what_is_typed_wrong_confirms_nothing_and_is_told(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "enter", *"41ab9e1", "enter")
        assert "type 41ab9e0 to confirm: what was typed is '41ab9e1'" in page.problem
        await pilot.press("tab", "tab")  # cancel, then around: the button that begins it is passed over
        assert page.focused is page.reason
    assert not desk.said("confirm")


async def test_a_reason_is_asked_for(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        page.reason.value = ""
        await pilot.press("tab", "enter")
        assert "a reason is needed" in page.problem and page.focused is page.reason
        await pilot.press(*"1q?", "enter", *"41ab9e0", "enter")
        await until(pilot, lambda: bool(desk.said("confirm")), "confirmed")
    assert desk.said("confirm") == [("confirm", "1q?", "41ab9e0")]


async def test_keys_typed_ahead_and_in_the_first_half_second_are_dropped(make_app: MakeApp) -> None:
    desk = ScriptedDesk(hang=threading.Event())
    ahead = ["tab", "enter", *"41ab9e0", "enter"]
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("a", *ahead)
        await until_text(pilot, "asking")
        assert desk.hang is not None
        desk.hang.set()
        page = plan_page(pilot)
        await until(pilot, lambda: page.stage is Stage.SHOWN, "shown")
        await pilot.press(*ahead)
        await until(pilot, lambda: page._drawn_s is not None, "drawn")
        assert page.typed.value == "" and page.focused is not None and page.focused.id == "cancel"
        assert not desk.said("confirm")
        await asyncio.sleep(GUARD_S)
        await pilot.press(*ahead)  # the counter-test: the same keys, of somebody who has seen it
        await until(pilot, lambda: bool(desk.said("confirm")), "confirmed")


@pytest.mark.parametrize("key", ["paste", "ctrl+v"])
async def test_what_is_pasted_as_confirmation_is_dropped_and_told(make_app: MakeApp, key: str) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "enter")
        pilot.app.copy_to_clipboard("41ab9e0")
        if key == "paste":
            pilot.app.post_message(Paste("41ab9e0"))
        else:
            await pilot.press(key)
        await until(pilot, lambda: "what is pasted is dropped" in page.problem, "told")
        await pilot.press("enter")
        assert page.typed.value == "" and not desk.said("confirm")
        await pilot.press("shift+tab")
        pilot.app.post_message(Paste("and more"))  # the reason may be pasted
        await until(pilot, lambda: page.reason.value.endswith("and more"), "pasted")


async def test_a_plan_that_fails_a_check_has_nothing_to_confirm_and_says_what_to_do(make_app: MakeApp) -> None:
    desk = ScriptedDesk(make_plan=lambda: FAILING)
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        assert not page.reason.display and not page.typed.display and not page.query_one("#verb").display
        assert "run 6 is not at its end" in text_of(pilot) and "R looks again" in page._words()[0]
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "Back is all there is")
    assert not desk.said("confirm")


async def test_looking_again_asks_anew(make_app: MakeApp) -> None:
    plans = [FAILING]
    desk = ScriptedDesk(make_plan=lambda: plans.pop() if plans else SAFE)
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("R")
        await until_text(pilot, "Run CI run #413 again")
        page = await until_ready(pilot)
        await pilot.press("tab", "enter")  # safe: Enter on the button is enough
        await until(pilot, lambda: bool(desk.said("confirm")), "confirmed")
        assert page.plan is SAFE
    assert len(desk.said("plan")) == 2 and desk.open_tickets == 0


async def test_a_destructive_action_wants_environment_and_target(make_app: MakeApp) -> None:
    desk = ScriptedDesk(make_plan=lambda: DESTRUCTIVE)
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab", "enter", *"radar_maintenance", "enter")
        assert not desk.said("confirm")
        await pilot.press("home", *"production/", "enter")
        await until(pilot, lambda: bool(desk.said("confirm")), "confirmed")
    assert desk.said("confirm")[0][2] == "production/radar_maintenance"


async def test_an_option_is_switched_by_its_key_but_not_while_something_is_typed(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_with(make_app, desk).run_test(size=(80, 36)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "h")
        assert page.reason.value.endswith("h") and not desk.said("change")
        await pilot.press("shift+tab", "h")
        await until_text(pilot, "cancel CI run #413")
        await until_ready(pilot)
        await pilot.press("h")
        await until(pilot, lambda: "cancel CI run #413" not in text_of(pilot), "off again")
    assert desk.said("change") == [("change", {"hold_ci": True}), ("change", {"hold_ci": False})]


async def test_a_refused_confirmation_is_told_and_nothing_was_begun(make_app: MakeApp) -> None:
    desk = ScriptedDesk(refuses="this plan is older than 2 minutes: look again")
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "enter", *"41ab9e0", "enter")
        await until(pilot, lambda: "older than 2 minutes" in page.problem, "told")
        assert page.typed.value == "" and pilot.app.screen is page
        assert not page.host.begun


async def test_without_a_plan_the_reason_stands_there(make_app: MakeApp) -> None:
    desk = ScriptedDesk(refusal="Vercel refuses the token: renew it in radar.toml")
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        assert "renew it" in text_of(pilot) and "nothing was done" in text_of(pilot)
        await pilot.press("E")
        await until_text(pilot, "no escape card", "#footer")
        desk.refusal = None
        await pilot.press("R")
        await until_text(pilot, "STEPS")
        assert page.plan is not None


async def test_the_age_of_a_plan_is_shown(make_app: MakeApp) -> None:
    now = [NOW]
    async with app_with(make_app, clock_ms=lambda: now[0]).run_test(size=(160, 48)) as pilot:
        await opened(pilot)
        await until_text(pilot, "looked <5 s ago")
        now[0] += 3 * M
        page_of(pilot).paint()
        await until_text(pilot, "looked 3 m ago")


async def test_a_long_plan_is_read_by_the_keys_of_every_list(make_app: MakeApp) -> None:
    async with app_with(make_app).run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("w")
        end = len(page._lines) - page._height
        assert end > 3
        for key, top in (("j", 1), ("j", 2), ("k", 1), ("G", end), ("k", end - 1), ("g", end - 1), ("g", 0),
                         ("ctrl+d", min(end, page._height // 2)), ("ctrl+u", 0)):  # fmt: skip
            await pilot.press(key)
            assert page.top == top, key
        await pilot.press("tab", "tab", "G", "j")
        assert page.typed.value == "Gj" and page.top == 0, "in a field they are letters"
