"""Every key does what the help says, nothing inside a field, and all can be remapped."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from console.model.configuration import Display
from console.model.ports import Refused
from console.model.views import CollectorStatus, HealthView
from screens import session as sessions
from screens.alerts import AlertPage, AlertsScreen
from screens.component import ComponentPage
from screens.contacts import ContactsPage
from screens.dialogs.act import ActPage
from screens.health import HealthScreen
from screens.help import HelpPage
from screens.ledger import LedgerPage
from screens.moments import MomentPage
from screens.palette import PalettePage
from screens.reasons import ReasonsPage
from screens.scroll import ScrollPage
from screens.session import Session
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.scripted import NOW, VERDICT, H, M, ScriptedActions, ScriptedReads, alerts, health, well


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


@pytest.mark.parametrize(
    ("keys", "page"),
    [
        (["9"], AlertsScreen),
        (["9", "1"], HealthScreen),
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
    sessions.save(tmp_path / "session.json", Session(mode="alerts", cursors={"alerts": "alert:5"}))
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
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


async def test_coming_to_the_alerts_the_cursor_is_on_the_foremost_one(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "▌✗ critical")
        await pilot.press("G", "k", "k", "k")
        assert "▌✗ critical" not in text_of(pilot)
        await pilot.press("1", "9")
        await until_text(pilot, "▌✗ critical")
