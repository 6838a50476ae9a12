"""From the first reason to the next problem, to all of them, and to the moments of their changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from console.model.views import HealthView
from screens import session as sessions
from screens.alerts import AlertPage
from screens.component import ComponentPage
from screens.health import HealthScreen
from screens.moments import MomentPage
from screens.reasons import ReasonsPage
from screens.session import Session
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.sample import NOW, VERDICT, H, M, health, well
from tests.screens.scripted import ScriptedReads


async def test_e_goes_from_problem_to_problem_and_says_when_there_is_none(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        for key, bar in [
            ("e", "▌database"),
            ("e", "▌application"),
            ("e", "▌routes"),
            ("E", "▌application"),
            ("E", "▌database"),
        ]:
            await pilot.press(key)
            assert bar in text_of(pilot), key
        reads.make_health = well
        reads.number += 1
        await until_text(pilot, "Nothing is wrong")
        await pilot.press("e")
        assert "no component has a problem" in text_of(pilot, "#footer") and "▌database" in text_of(pilot)


@pytest.mark.parametrize("way", ["key", "palette", "click"])
async def test_all_reasons_stand_uncut_on_a_page_and_lead_to_their_components(make_app: MakeApp, way: str) -> None:
    words = " ".join(f"word{n}" for n in range(60))

    def many(slices: int, events: int) -> HealthView:
        base = VERDICT.reasons[2]
        more = tuple(replace(base, key=f"r{n}", text=f"{words} number {n}", cause=f"cause {n}") for n in range(9))
        return health(slices, events, verdict=replace(VERDICT, reasons=(*VERDICT.reasons, *more)))

    async with make_app(ScriptedReads(make_health=many)).run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "more W all")
        if way == "click":
            await pilot.click("#body", offset=(20, 0))
        else:
            await pilot.press(*(["W"] if way == "key" else ["colon", *"all", "space", *"reas", "enter"]))
        await until(pilot, lambda: isinstance(pilot.app.screen, ReasonsPage), "all reasons")
        await until_text(pilot, "12 reasons, worst first")
        shown = text_of(pilot, "#body")
        assert "ours; vendors: none reporting" in shown and "see deployment 8f3c1d2" in shown
        await pilot.press("G")
        await until_text(pilot, "number 8")
        assert "cause 8" in text_of(pilot, "#body")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComponentPage), "its component")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "back")


async def test_until_a_person_chooses_the_cursor_follows_the_first_reason(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(160, 48)) as pilot:
        await until_text(pilot, "▌routes")
        assert ("component routes", None) in reads.asked
        other = replace(VERDICT, reasons=VERDICT.reasons[2:])
        reads.make_health = lambda slices, events: health(slices, events, verdict=other)
        reads.number += 1
        await until_text(pilot, "▌database")
        await pilot.press("j")
        reads.make_health = health
        reads.number += 1
        await until_text(pilot, "38 % 5xx")
        assert "▌vercel" in text_of(pilot)


async def test_on_the_alerts_too_and_not_a_remembered_line_of_the_history(make_app: MakeApp, tmp_path: Path) -> None:
    sessions.save(tmp_path / "session.json", Session(cursors={"alerts": "alert:5"}))
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "▌✗ critical")
        await pilot.press("j")
        await until_text(pilot, "▌✗ high")
        reads.number += 1
        asked = len(reads.asked)
        await until(pilot, lambda: len(reads.asked) > asked, "read anew")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, AlertPage), "opened")
        await pilot.press("escape")
        await until_text(pilot, "▌✗ high")


async def test_stepping_goes_to_the_changes_and_back_to_live(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("comma")
        await until_text(pilot, "NOT LIVE  22 Nov 03:04:44 UTC, 8 m ago")
        await pilot.press("left_square_bracket")
        await until_text(pilot, "AT 22 Nov 03:03:44 UTC")
        await pilot.press("full_stop")
        await until_text(pilot, "AT 22 Nov 03:04:44 UTC")
        await pilot.press("right_square_bracket")
        await until_text(pilot, "LIVE 03:12:40")
        await pilot.press("comma", "L")
        await until_text(pilot, "LIVE 03:12:40")
    assert ("health", NOW - 8 * M) in reads.asked and ("health", None) in reads.asked


async def test_before_the_first_change_there_is_nothing_to_step_to(make_app: MakeApp) -> None:
    async with make_app(ScriptedReads(changes=())).run_test() as pilot:
        await until_fed(pilot)
        await pilot.press("comma")
        await until_text(pilot, "no change before this is on record")


@pytest.mark.parametrize(("typed", "words"), [("02:00", "AT 22 Nov 02:00:00 UTC"), ("-8m", "AT 22 Nov 03:04:44 UTC")])
async def test_going_to_a_time_shows_how_it_is_understood(make_app: MakeApp, typed: str, words: str) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("at")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input), "asked")
        for character in typed:
            await pilot.press({":": "colon", "-": "minus"}.get(character, character))
        await until_text(pilot, " UTC, ", "#body")
        await pilot.press("enter")
        await until_text(pilot, words)


async def test_what_is_no_time_is_refused_in_words(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("at", *"soon", "enter")
        await until_text(pilot, "'soon' is no moment")
        assert isinstance(pilot.app.screen, MomentPage)


async def test_pausing_holds_the_moment_and_goes_on(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("p")
        await until_text(pilot, "PAUSED 03:12:44 UTC")
        await until(pilot, lambda: ("health", NOW) in reads.asked, "read at the moment of the pause")
        await pilot.press("p")
        await until_text(pilot, "LIVE")


async def test_started_at_a_moment_it_shows_that_one(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads, at_ms=NOW - 2 * H).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        assert "AT 22 Nov 01:12:44 UTC" in text_of(pilot)
    assert {at for what, at in reads.asked if what == "health"} == {NOW - 2 * H}


async def test_coming_to_the_alerts_the_cursor_is_on_the_foremost_one(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "▌✗ critical")
        await pilot.press("G", "k", "k", "k")
        assert "▌✗ critical" not in text_of(pilot)
        await pilot.press("1", "9")
        await until_text(pilot, "▌✗ critical")
