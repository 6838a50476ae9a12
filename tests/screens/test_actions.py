"""Alerts are acknowledged and silenced from the pages, polls asked for, and what came of it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.views import CollectorStatus, HealthView
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.sample import NOW, health
from tests.screens.sample_alerts import alerts
from tests.screens.scripted import ScriptedActions, ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk


async def test_acknowledging_takes_a_note_and_says_what_came_of_it(make_app: MakeApp) -> None:
    actions = ScriptedActions()
    async with make_app(actions=actions).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("a")
        await until_text(pilot, "acknowledge: seen")
        await pilot.press(*"on1t9q", "enter")
        await until_text(pilot, "acknowledged, on record")
    assert actions.done == [("acknowledge", 7, "on1t9q")]


async def test_a_silence_needs_a_reason_and_always_has_an_end(make_app: MakeApp) -> None:
    actions = ScriptedActions()
    async with make_app(actions=actions).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("a")
        await until_text(pilot, "acknowledge: seen")
        await pilot.press("down", "down", "enter")
        assert "needs a reason" in text_of(pilot) and actions.done == []
        await pilot.press(*"why", "enter")
        await until_text(pilot, "errors-high/routes is silent for 120 min")
    assert actions.done == [("silence", "errors-high/routes", 120, "why")]


async def test_a_silence_can_be_ended(make_app: MakeApp) -> None:
    actions = ScriptedActions()
    async with make_app(actions=actions).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("j", "j", "a")
        await until_text(pilot, "end this silence now")
        await pilot.press("enter")
        await until_text(pilot, "the silence is ended")
    assert actions.done == [("end silence", 1)]


@pytest.mark.parametrize(("role", "hint"), [
    ("VIEWER", "You are a viewer here: this needs an operator"), ("READ-ONLY", "This environment is read-only"),
    ("OPERATOR", "A note is welcome"),
])  # fmt: skip
async def test_who_may_not_is_told_before_anything_is_typed(make_app: MakeApp, role: str, hint: str) -> None:
    async with make_app(desk=ScriptedDesk(role_words=role)).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await until_text(pilot, role, "#header")
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("a")
        await until_text(pilot, hint)


async def test_a_refusal_is_said_in_its_own_words(make_app: MakeApp) -> None:
    actions = ScriptedActions(refusal="viewers may not acknowledge")
    async with make_app(actions=actions).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("a")
        await until_text(pilot, "acknowledge: seen")
        await pilot.press("enter")
        await until_text(pilot, "viewers may not acknowledge", "#footer")
        await pilot.press("j")
        assert "viewers" not in text_of(pilot, "#footer")


async def test_acting_from_health_takes_the_alert_of_the_selected_component(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("home", "j", "j", "j", "a")
        await until_text(pilot, "database: 54 of 60 connections used")


async def test_acting_with_nothing_firing_says_so(make_app: MakeApp) -> None:
    reads = ScriptedReads(make_alerts=lambda: alerts(firing=()))
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("a")
        await until_text(pilot, "no alert is firing", "#footer")


async def test_poll_now_is_asked_for(make_app: MakeApp) -> None:
    actions = ScriptedActions()
    async with make_app(actions=actions).run_test() as pilot:
        await until_fed(pilot)
        await pilot.press("r")
        await until_text(pilot, "asked the collector")
    assert actions.done == [("poll",)]


async def test_poll_now_says_when_nobody_polls(make_app: MakeApp) -> None:
    def dead(slices: int, events: int) -> HealthView:
        view = health(slices, events)
        return replace(view, header=replace(view.header, collector=CollectorStatus(alive=False)))

    actions = ScriptedActions()
    async with make_app(ScriptedReads(make_health=dead), actions=actions).run_test() as pilot:
        await until_fed(pilot)
        await pilot.press("r")
        await until_text(pilot, "nobody polls", "#footer")
    assert actions.done == []


async def test_what_was_said_gives_way_to_the_keys_after_ten_seconds(make_app: MakeApp) -> None:
    now = [NOW]
    reads = ScriptedReads()
    async with make_app(reads, clock_ms=lambda: now[0]).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("r")
        await until_text(pilot, "asked the collector", "#footer")
        for later_s, stands in ((9, True), (11, False)):
            now[0] = NOW + later_s * 1000
            reads.number += 1
            asked = len(reads.asked)
            await until(pilot, lambda asked=asked: len(reads.asked) > asked, "read anew")  # type: ignore[misc]
            await until(
                pilot,
                lambda stands=stands: ("asked the collector" in text_of(pilot, "#footer")) == stands,  # type: ignore[misc]
                f"said: {stands}",
            )


@pytest.mark.parametrize("keys", [["comma"], ["p"]])
async def test_not_live_turns_actions_off_and_says_why(make_app: MakeApp, keys: list[str]) -> None:
    actions = ScriptedActions()
    async with make_app(actions=actions).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press(*keys)
        await until_text(pilot, "actions are off", "#notice")
        for key in ("a", "r"):
            await pilot.press(key)
            await until_text(pilot, "actions are off", "#footer")
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("a")
        await until_text(pilot, "actions are off", "#footer")
    assert actions.done == []
