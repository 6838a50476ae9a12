"""The Metrics screen: every key does what the help says, the past, what is remembered, what is exported."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from textual.pilot import Pilot

from console.model.charts import PAGES
from console.model.metric_views import MetricsQuestion, MetricsView
from screens.alerts import AlertPage
from screens.help import HelpPage
from screens.metrics import MetricsScreen
from screens.metrics_place import Place, keep_place, load_place
from screens.session import Session
from screens.slo import SloPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.sample import NOW, D, H, M
from tests.screens.sample_metrics import metrics
from tests.screens.scripted import ScriptedReads
from widgets.chart_frame import GUTTER

SMALL = (80, 24)


def screen_of(pilot: Pilot[None]) -> MetricsScreen:
    """The Metrics screen, which is on the screen."""
    return cast(MetricsScreen, pilot.app.screen)


async def at_metrics(pilot: Pilot[None], *keys: str) -> MetricsScreen:
    """Go there, and press."""
    await until_fed(pilot)
    await pilot.press("2")
    await until_text(pilot, "CURSOR")
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    return screen_of(pilot)


async def asked(pilot: Pilot[None], reads: ScriptedReads, wanted: Callable[[MetricsQuestion], bool], what: str) -> None:
    """Wait until the page shows the answer to such a question."""

    def shown() -> bool:
        view = page_of(pilot).view
        return isinstance(view, MetricsView) and wanted(view.question) and wanted(reads.questions[-1])

    await until(pilot, shown, what)


async def test_two_leads_to_the_charts_of_the_application(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        text = text_of(pilot)
        for words in ("RESPONSE  ms", "FAILED PROBES  %", "MEMORY", "RESPONSE DISTRIBUTION", "window 1 h", "m mark"):
            assert words in text
    question = reads.questions[-1]
    assert (question.page, question.window_s, question.until_ms, question.points) == (
        "application",
        3600,
        None,
        2 * (39 - GUTTER),
    )


async def test_tab_and_l_and_h_turn_the_pages_round(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        for key, page in [("tab", PAGES[1]), ("l", PAGES[2]), ("tab", PAGES[3]), ("tab", PAGES[4]), ("tab", PAGES[0])]:
            await pilot.press(key)
            await asked(pilot, reads, lambda question, page=page: question.page == page, page)  # type: ignore[misc]
        for key, page in [("shift+tab", PAGES[4]), ("h", PAGES[3])]:
            await pilot.press(key)
            await asked(pilot, reads, lambda question, page=page: question.page == page, page)  # type: ignore[misc]


async def test_a_chart_is_selected_and_scrolled_to(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot)
        assert "▌RESPONSE " in text_of(pilot)
        for key, bar in [
            ("j", "▌FAILED PROBES"),
            ("down", "▌MEMORY"),
            ("k", "▌FAILED PROBES"),
            ("ctrl+d", "▌RESPONSE DISTRIBUTION"),
            ("G", "▌AVAILABILITY"),
            ("up", "▌CACHE HITS"),
            ("ctrl+u", "▌RESPONSE BY ROUTE"),
            ("g", "▌RESPONSE "),
            ("k", "▌RESPONSE "),
        ]:
            await pilot.press(key)
            assert bar in text_of(pilot, "#body"), key
        assert page.host.session.cursors["metrics:application"] == "response"


async def test_the_cursor_moves_by_columns_and_follows_again_at_the_end(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot)
        assert "CURSOR  now" in text_of(pilot)
        await pilot.press("left")
        first = page.place.cursor_ms
        assert first is not None and "CURSOR  03:12" in text_of(pilot)
        await pilot.press("left", "left")
        assert page.place.cursor_ms == first - 4 * M, "60 stretches in 33 columns"
        await pilot.press("shift+left")
        assert page.place.cursor_ms < first - 18 * M
        await pilot.press("home")
        assert "CURSOR  02:13" in text_of(pilot)
        await pilot.press("right")
        assert page.place.cursor_ms > NOW - H
        for _ in range(4):
            await pilot.press("shift+right")
        assert page.place.cursor_ms is None and "CURSOR  now" in text_of(pilot)
        await pilot.press("home", "end")
        assert page.place.cursor_ms is None


async def test_the_window_is_zoomed_from_five_minutes_to_thirty_days(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        for key, window in [("plus", 900), ("equals_sign", 300)]:
            await pilot.press(key)
            await asked(pilot, reads, lambda question, window=window: question.window_s == window, str(window))  # type: ignore[misc]
        await pilot.press("plus")
        assert "the shortest window" in text_of(pilot, "#footer")
        for _ in range(6):
            await pilot.press("minus")
        await asked(pilot, reads, lambda question: question.window_s == 30 * 86_400, "30 days")
        assert "window 30 d" in text_of(pilot)
        await pilot.press("minus")
        assert "the longest window" in text_of(pilot, "#footer")


async def test_it_is_panned_by_half_a_window_and_back_to_now(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        await pilot.press("greater_than_sign")
        assert "ends at the moment shown already" in text_of(pilot, "#footer")
        await pilot.press("less_than_sign", "less_than_sign")
        await asked(pilot, reads, lambda question: question.until_ms == NOW - H, "an hour ago")
        assert "1 h until 02:12, 1 h ago" in text_of(pilot) or "1 h until 02:12, 60 m ago" in text_of(pilot)
        await pilot.press("greater_than_sign", "greater_than_sign")
        await asked(pilot, reads, lambda question: question.until_ms is None, "now")


async def test_zooming_keeps_the_cursor_in_the_middle(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot, "home", "right", "right", "right")
        cursor = page.place.cursor_ms
        await pilot.press("plus")
        await asked(pilot, reads, lambda question: question.window_s == 900, "15 minutes")
        assert cursor is not None and reads.questions[-1].until_ms == cursor + 450_000
        assert page.place.cursor_ms == cursor


async def test_one_chart_takes_the_page_and_escape_gives_it_back(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "j", "f")
        await asked(pilot, reads, lambda question: question.only == "errors", "one chart")
        assert reads.questions[-1].points == 2 * (80 - GUTTER) and "MEMORY" not in text_of(pilot)
        await pilot.press("escape")
        await asked(pilot, reads, lambda question: question.only is None, "all charts")
        await pilot.press("enter")
        await asked(pilot, reads, lambda question: question.only == "errors", "one chart by enter")
        await pilot.press("f")
        await asked(pilot, reads, lambda question: question.only is None, "all charts again")
        assert "▌FAILED PROBES" in text_of(pilot)


async def test_a_narrow_terminal_shows_the_table_until_charts_are_asked_for(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(79, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("2")
        await until_text(pilot, "newest first")
        await pilot.press("t")
        await until_text(pilot, "CURSOR")
        await pilot.press("t")
        await until_text(pilot, "newest first")
        await pilot.resize_terminal(60, 16)
        await until_text(pilot, "newest first")


async def test_j_and_k_go_from_chart_to_chart_in_full_screen(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "f")
        await asked(pilot, reads, lambda question: question.only == "response", "the first")
        await pilot.press("k")
        assert "this is the first chart" in text_of(pilot, "#footer")
        await pilot.press("j")
        await asked(pilot, reads, lambda question: question.only == "errors", "the second")
        await until_text(pilot, "▌FAILED PROBES")
        await pilot.press("G")
        await asked(pilot, reads, lambda question: question.only not in ("errors", None), "the last")
        await pilot.press("j")
        assert "this is the last chart" in text_of(pilot, "#footer")
        await pilot.press("escape")
        await asked(pilot, reads, lambda question: question.only is None, "all charts again")


async def test_the_table_scrolls_and_moves_on_to_other_charts(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "t")
        await until_text(pilot, "newest first")
        assert " 03:12…" in text_of(pilot) and "1–17 of 60 lines" in text_of(pilot)
        await pilot.press("j")
        assert "2–18 of 60 lines" in text_of(pilot)
        await pilot.press("ctrl+d")
        assert "10–26 of 60 lines" in text_of(pilot)
        await pilot.press("G")
        assert "44–60 of 60 lines" in text_of(pilot) and " 02:13" in text_of(pilot)
        await pilot.press("g", "end")
        assert "44–60 of 60 lines" in text_of(pilot), "as in every list"
        await pilot.press("g", "right")
        assert text_of(pilot, "#body").split("\n")[1].split()[:2] == ["FAILED", "PROBES"]
        await pilot.press("left", "end", "home")
        assert "1–17 of 60 lines" in text_of(pilot)
        await pilot.press("escape")
        await until_text(pilot, "CURSOR")
        await pilot.press("t", "t")
        assert "CURSOR" in text_of(pilot)


async def test_it_is_compared_with_yesterday_last_week_and_nothing(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        assert "compare off" in text_of(pilot)
        for before, word in [(D, "yesterday"), (7 * D, "last week"), (0, "off")]:
            await pilot.press("c")
            await asked(pilot, reads, lambda question, before=before: question.compare_ms == before, word)  # type: ignore[misc]
            await until_text(pilot, f"compare {word}")


async def test_marks_are_walked_with_the_cursor(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot)
        for key, subject in [
            ("m", "▌ 03:05 alert"),
            ("m", "▌ 03:03 8f3c1d2"),
            ("m", "▌ 02:58 migr"),
            ("M", "▌ 03:03 8f3"),
        ]:
            await pilot.press(key)
            assert subject in text_of(pilot), key
        assert page.place.cursor_ms == NOW - 9 * M
        await pilot.press("M", "M")
        assert "no later mark" in text_of(pilot, "#footer")
        await pilot.press("home", "M")
        assert "▌ 02:58 migration" in text_of(pilot), "from the cursor on"
        await pilot.press("m")
        assert "no earlier mark" in text_of(pilot, "#footer")
        await pilot.press("end", "M")
        assert "no later mark" in text_of(pilot, "#footer"), "after now there is none"


async def test_without_marks_that_is_said(make_app: MakeApp) -> None:
    reads = ScriptedReads(make_metrics=lambda question, at_ms: replace(metrics(question, at_ms), marks=()))
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "m")
        assert "nothing happened in this window" in text_of(pilot, "#footer")


async def test_enter_opens_the_alert_of_a_mark(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "m", "enter")
        await until(pilot, lambda: type(pilot.app.screen) is AlertPage, "at the alert")
        await pilot.press("escape")
        await until_text(pilot, "CURSOR")


async def test_enter_on_another_mark_shows_the_console_at_that_moment(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "m", "m", "m", "enter")
        await until_text(pilot, "NOT LIVE", "#notice")
        assert reads.asked[-1] == ("metrics application", NOW - 14 * M)


async def test_the_past_shows_only_what_was_known_then(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads, at_ms=NOW - 20 * M).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        assert "none in this window" in text_of(pilot) and "2,010" not in text_of(pilot)
        await pilot.press("less_than_sign", "greater_than_sign")
        await asked(pilot, reads, lambda question: question.until_ms is None, "the moment shown")
        await pilot.press("L")
        await until_text(pilot, "! 03:05 alert")
        await pilot.press("p")
        await until_text(pilot, "PAUSED", "#notice")
        assert reads.asked[-1] == ("metrics application", NOW)


async def test_b_opens_the_targets(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "b")
        await until(pilot, lambda: isinstance(pilot.app.screen, SloPage), "at the targets")


async def test_a_click_selects_a_chart_and_sets_the_cursor(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot)
        await pilot.click("#body", offset=(41 + GUTTER, 4))
        assert "▌FAILED PROBES" in text_of(pilot) and page.place.cursor_ms == metrics(page._asked()).start_ms


async def test_escape_lets_the_cursor_follow_again(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "left", "escape")
        assert "CURSOR  now" in text_of(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MetricsScreen)


async def test_every_key_is_in_the_help(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 60)) as pilot:
        await at_metrics(pilot, "question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpPage), "help")
        page = pilot.app.screen
        assert isinstance(page, HelpPage)
        own = {id for id, _, _ in page.entries if id.startswith("metrics.")}
        wanted = {binding.id for binding in MetricsScreen.BINDINGS}  # type: ignore[union-attr]
        assert own == wanted - {"time.live"}
        assert all(words in text_of(pilot) for _, _, words in page.entries), "none is cut at 80 columns"


async def test_keys_do_nothing_while_nothing_was_read(make_app: MakeApp) -> None:
    reads = ScriptedReads(hang=threading.Event())
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await pilot.press("2")
        await until_text(pilot, "reading the store")
        await pilot.press(*"jkgGmMftxcb", "escape", "escape", "left", "right", "home", "end", "enter", "tab", "plus")
        assert pilot.app.is_running
    assert reads.hang is not None
    reads.hang.set()


async def test_what_cannot_be_read_keeps_the_last_values(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        reads.trouble = "the store cannot be read: the disk is full"
        reads.number += 1
        await until_text(pilot, "the disk is full", "#notice")
        assert "CURSOR  last  response 1,840 ms" in text_of(pilot)


async def test_a_store_that_was_never_read_says_why(make_app: MakeApp) -> None:
    async with make_app(ScriptedReads(trouble="there is no store yet")).run_test(size=SMALL) as pilot:
        await until_fed(pilot)
        await pilot.press("2")
        await until_text(pilot, "The store cannot be read.")


async def test_a_wider_terminal_asks_for_more_points(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)
        await pilot.resize_terminal(160, 48)
        await asked(pilot, reads, lambda question: question.points == 2 * (79 - GUTTER), "more points")


async def test_page_window_chart_and_comparison_survive_the_next_start(make_app: MakeApp) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "tab", "minus", "c")
        await until_text(pilot, "CONNECTIONS")
        await pilot.press("j", "q")
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        await at_metrics(pilot)  # a start opens Health
        await until_text(pilot, "▌CANARY QUERY")
        question = reads.questions[-1]
        assert (question.page, question.window_s, question.compare_ms) == ("database", 21_600, D)


@pytest.mark.parametrize("kept", [-1, 99, 10**5])
def test_a_place_of_another_version_is_survived(kept: int) -> None:
    session = Session(scrolls={"metrics:page": kept, "metrics:window": kept, "metrics:compare": kept})
    assert load_place(session) == Place()
    keep_place(session, Place(page=2, window=6, compare=1))
    assert load_place(session) == Place(page=2, window=6, compare=1)
