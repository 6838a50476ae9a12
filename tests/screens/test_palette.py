"""The palette finds and runs what there is."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.model.ports import Refused
from screens.component import ComponentPage
from screens.dialogs.maintenance import MaintenancePage
from screens.health import HealthScreen
from screens.palette import Command, PalettePage
from screens.plan import PlanPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.sample_deployments import pinned
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk


class Faults:
    """The demo's faults, remembered."""

    def __init__(self) -> None:
        self.done: list[tuple[str, bool]] = []

    def list(self) -> list[tuple[str, str, bool]]:
        return [("backend-down", "the backend does not answer", False), ("db-hang", "the database hangs", True)]

    def set(self, name: str, on: bool) -> None:
        if name == "db-hang":
            raise Refused("no demo runs here")
        self.done.append((name, on))


async def test_the_palette_lists_screens_actions_settings_and_runs_them(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 48)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(pilot.app.screen, PalettePage), "in the palette")
        shown = text_of(pilot)
        for words in ("Health", "Alerts", "contacts and links", "theme light", "glyphs ascii"):
            assert words in shown
        assert "fault" not in shown
        await pilot.press(*"glyphs", "space", *"asc", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "back")
        await until_text(pilot, "x UNHEALTHY")


async def test_the_palette_runs_an_action_of_the_page_below(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon", *"open", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComponentPage), "opened")


async def test_a_theme_is_chosen_in_the_palette(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon", *"light", "enter")
        await until(pilot, lambda: pilot.app.theme == "light", "light")


async def test_faults_of_the_demo_are_switched_in_the_palette(make_app: MakeApp) -> None:
    faults = Faults()
    async with make_app(faults=faults).run_test(size=(80, 48)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon")
        await until_text(pilot, "fault backend-down on")
        await pilot.press(*"fault", "space", *"backend", "enter")
        await until_text(pilot, "fault backend-down is on")
        await pilot.press("colon")
        await until_text(pilot, "fault db-hang off")
        assert text_of(pilot).count("fault db-hang") == 1, "told once, not by the console once more"
        assert "fault db-hang on" not in text_of(pilot) and "fault backend-down off" not in text_of(pilot)
        await pilot.press(*"fault", "space", *"db", "enter")
        await until_text(pilot, "no demo runs here", "#footer")
    assert faults.done == [("backend-down", True)]


async def test_nothing_found_says_so(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon", *"zzz")
        await until_text(pilot, "Nothing is called 'zzz'.")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HealthScreen), "back")


async def test_the_chosen_line_of_the_palette_tells_its_whole_description(make_app: MakeApp) -> None:
    words = "the health answer's memory check fails nine times in ten on a healthy server: raises nothing"
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.app.push_screen(PalettePage([Command(f"fault {n} on", "", "", f"{words} {n}") for n in range(30)]))
        await until_text(pilot, "nothing 0")
        assert "nothing 1" not in " ".join(text_of(pilot).split())
        await pilot.press(*["down"] * 29)
        assert "nothing 29" in " ".join(text_of(pilot).split()), "the last one is seen whole"


async def typed(pilot: Pilot[None], command: str) -> None:
    """Choose a line of the palette by its name."""
    await until_fed(pilot)
    await pilot.press("colon")
    await until(pilot, lambda: isinstance(pilot.app.screen, PalettePage), "in the palette")
    await pilot.press(*command, "enter")


async def test_an_announcement_asks_for_when_and_for_the_message_and_then_shows_its_plan(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(80, 24)) as pilot:
        await typed(pilot, "announce")
        await until(pilot, lambda: isinstance(pilot.app.screen, MaintenancePage), "asked")
        assert "the notice that the settings promise" in text_of(pilot) and desk.said("plan") == []
        await pilot.press("down", "down", *"Back soon", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "its plan")
        assert desk.said("plan") == [("plan", "announce", {"minutes": 30, "message": "Back soon"})]


async def test_with_nothing_chosen_the_promised_notice_and_the_general_message_stand(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(80, 24)) as pilot:
        await typed(pilot, "announce")
        await until(pilot, lambda: isinstance(pilot.app.screen, MaintenancePage), "asked")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "its plan")
        assert desk.said("plan") == [("plan", "announce", {})]


async def test_who_leaves_the_question_has_asked_for_nothing(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(80, 24)) as pilot:
        await typed(pilot, "maintenance for")
        await until(pilot, lambda: isinstance(pilot.app.screen, MaintenancePage), "asked")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, MaintenancePage), "left")
        assert desk.said("plan") == []
        await typed(pilot, "maintenance for")
        await until(pilot, lambda: isinstance(pilot.app.screen, MaintenancePage), "asked")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "its plan")
        assert desk.said("plan") == [("plan", "maintenance", {"on": True, "minutes": 30})]


@pytest.mark.parametrize("target", ["staging", "production"])
async def test_deploying_has_lines_of_its_own(make_app: MakeApp, target: str) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon", *"deploy", "space", *target, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "its plan")
    assert desk.said("plan") == [("plan", "deploy", {"target": target})]


async def test_promoting_asks_which_and_opens_the_plan_of_that(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    reads = ScriptedReads(make_deployments=pinned)
    async with make_app(reads, desk=desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon", *"promote", "enter")
        await until_text(pilot, "Which deployment should be promoted?")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "its plan")
    ((_, action, given),) = desk.said("plan")
    assert action == "promote" and "to" in dict(given)  # type: ignore[call-overload]  # what was asked for


async def test_a_line_that_tells_nothing_else_is_not_cut(make_app: MakeApp) -> None:
    async with make_app(desk=ScriptedDesk()).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("5")
        await until_text(pilot, "CI RUNS")
        await pilot.press("colon", *"promote")
        await until_text(pilot, "roll back, promote, deploy, run again")


async def test_the_palette_says_what_is_below_and_goes_to_its_end(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press(":")
        await until_text(pilot, " more")
        assert " 1 of " in text_of(pilot)
        page = pilot.app.screen
        assert isinstance(page, PalettePage)
        await pilot.press("end")
        assert page.index == len(page.found) - 1 and f"{len(page.found)} of {len(page.found)}" in text_of(pilot)
        assert " end" in text_of(pilot) and "▌" in text_of(pilot)
        await pilot.press("home")
        assert page.index == 0
