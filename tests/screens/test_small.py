"""A terminal that is too small for a page: nothing is confirmed, typed or begun there, nor right after it grew."""

from __future__ import annotations

import asyncio

import pytest

import screens.page
from screens.confirming import GUARD_S
from screens.plan import PlanPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.planning import app_with, opened, until_ready
from tests.screens.scripted import ScriptedActions
from tests.screens.scripted_desk import ScriptedDesk, ScriptedNotes


async def test_what_cannot_be_seen_is_not_confirmed(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ScriptedDesk()
    app = app_with(make_app, desk)
    async with app.run_test(size=(80, 24)) as pilot:
        page = await opened(pilot)
        await pilot.press("tab", "enter")
        await pilot.resize_terminal(40, 10)
        await until_text(pilot, "too small", "#header")
        page.shape()
        assert not page.query_one("#reason-row").display and not page.query_one("#type-row").display
        await pilot.press(*"41ab9e0", "enter", "tab", *"41ab9e0", "enter")
        assert desk.said("confirm") == [] and page.typed.value == ""
        monkeypatch.setattr(screens.page, "SEEN_S", 3600.0)  # the half second, longer than any pause of this test
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: page._drawn_s is not None, "drawn again")
        await pilot.press("tab", "tab", *"41ab9e0", "enter")  # at once: nothing of it counts
        assert desk.said("confirm") == [] and page.typed.value == ""
        page._counts_s = 0.0
        await until_ready(pilot)
        await until_text(pilot, "tab, enter,", "#words")
        await pilot.press("tab", "enter", *"41ab9e0", "enter")
        await until(pilot, lambda: bool(desk.said("confirm")), "the counter-test: it can be confirmed once it was seen")


async def test_the_worst_reasons_are_told_as_far_as_they_fit(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(40, 12)) as pilot:
        await until_text(pilot, "✗ UNHEALTHY", "#header")
        await until_text(pilot, "✗ routes: /api/v1/audits 38 % 5xx", "#header")
        await until_text(pilot, "too small: 60×16 needed; q quits", "#header")
        await pilot.resize_terminal(40, 4)
        await until(pilot, lambda: "database" not in text_of(pilot, "#header"), "less of it")
        assert "q quits" in text_of(pilot, "#header")


async def test_esc_leaves_a_plan_that_cannot_be_seen(make_app: MakeApp) -> None:
    async with app_with(make_app).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.resize_terminal(40, 10)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, PlanPage), "left")


async def test_nothing_is_typed_into_a_form_that_cannot_be_seen(make_app: MakeApp) -> None:
    actions, notes = ScriptedActions(), ScriptedNotes()
    app = make_app(actions=actions, notes=notes)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("a")
        await until_text(pilot, "acknowledge: seen")
        await pilot.resize_terminal(40, 10)
        await pilot.press(*"why", "enter")
        assert actions.done == [] and getattr(app.focused, "value", "") == "" and app.is_running
        await pilot.resize_terminal(80, 24)
        await asyncio.sleep(GUARD_S)  # the time itself is what is waited for
        await pilot.pause()
        assert getattr(app.focused, "id", "") == "note", "what is typed goes on into the field"
        await pilot.resize_terminal(40, 10)
        await pilot.press("escape", "i", *"text", "enter")
        assert notes.taken == [] and app.session.note == ""
        await pilot.resize_terminal(80, 24)
        await asyncio.sleep(GUARD_S)  # the time itself is what is waited for
        await pilot.press(*"text", "enter")
        await until(pilot, lambda: notes.taken == ["text"], "the counter-test")
