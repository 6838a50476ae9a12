"""The SLO board: reached by key and palette, its targets opened, a moment gone to, nothing green that is not known."""

from __future__ import annotations

from console.model.metric_views import SloView
from screens.slo import SloPage, TargetPage
from tests.screens import sample_slo
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.sample import NOW, D, M
from tests.screens.scripted import ScriptedReads


def reads_of(view: SloView) -> ScriptedReads:
    return ScriptedReads(make_slo=lambda: view)


async def test_b_on_metrics_opens_it_and_esc_goes_back(make_app: MakeApp) -> None:
    async with make_app(reads_of(sample_slo.full())).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("2", "b")
        await until_text(pilot, "BUDGET LEFT")
        assert isinstance(page_of(pilot), SloPage)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(page_of(pilot), SloPage), "left the board")


async def test_the_palette_opens_it_from_anywhere(make_app: MakeApp) -> None:
    async with make_app(reads_of(sample_slo.full())).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9", "colon", *"slo")
        await until_text(pilot, "SLO board")
        await pilot.press("enter")
        await until_text(pilot, "BUDGET LEFT")


async def test_the_selected_target_is_explained_below(make_app: MakeApp) -> None:
    async with make_app(reads_of(sample_slo.burning())).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "95 % of the requests within 200 ms, from users" in text_of(pilot, "#body")
        await pilot.press("j", "j")
        await until_text(pilot, "up in 99.9 % of the rounds observed, from probe")
        assert "goes on: check database fails" in text_of(pilot, "#body")
        await pilot.press("j")
        await until_text(pilot, "the application offers no metrics")


async def opened(pilot: object, *keys: str) -> None:
    await until_fed(pilot)  # type: ignore[arg-type]
    await pilot.press("2", "b", *keys)  # type: ignore[attr-defined]
    await until_text(pilot, "BUDGET LEFT")  # type: ignore[arg-type]


async def test_enter_lists_all_that_used_the_budget_and_enter_again_goes_to_its_time(make_app: MakeApp) -> None:
    reads = reads_of(sample_slo.burning())
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "j", "j", "enter")
        await until(pilot, lambda: isinstance(page_of(pilot), TargetPage), "opened the target")
        await until_text(pilot, "2025-11-13 03:12:44 UTC")
        await pilot.press("j")
        await until_text(pilot, "Cause named then: likely 40 s after deployment 8f3c1d2")
        await pilot.press("k", "enter")
        await until_text(pilot, "NOT LIVE")
        moment = NOW - 9 * D + M
        await until(pilot, lambda: ("component application", moment) in reads.asked, "asked for the component then")
        await pilot.press("L")
        await until_text(pilot, "LIVE", "#header")


async def test_what_is_spread_over_all_times_has_no_moment(make_app: MakeApp) -> None:
    async with make_app(reads_of(sample_slo.burning())).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "enter")
        await until_text(pilot, "a little at all times")
        await pilot.press("enter")
        await until_text(pilot, "no moment of its own", "#footer")


async def test_a_target_that_is_not_known_has_nothing_to_select(make_app: MakeApp) -> None:
    async with make_app(reads_of(sample_slo.little())).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "enter")
        await until(pilot, lambda: isinstance(page_of(pilot), TargetPage), "opened the target")
        await until_text(pilot, "offers no metrics")
        await pilot.press("enter")
        await until_text(pilot, "no moment of its own", "#footer")


async def test_while_nothing_can_be_read_the_figures_stay_and_nothing_is_green(make_app: MakeApp) -> None:
    reads = reads_of(sample_slo.full())
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "●" in text_of(pilot, "#body")
        reads.trouble = "the disk is full"
        reads.number += 1
        await until_text(pilot, "the disk is full", "#notice")
        await until_text(pilot, "stale", "#body")
        assert "●" not in text_of(pilot, "#body") and "96 ms" in text_of(pilot, "#body")


async def test_on_a_wide_screen_the_detail_stands_beside_the_board(make_app: MakeApp) -> None:
    async with make_app(reads_of(sample_slo.burning())).run_test(size=(160, 48)) as pilot:
        await opened(pilot)
        first = next(line for line in text_of(pilot, "#body").splitlines() if "BUDGET LEFT" in line)
        assert "P95 RESPONSE" in first
        for row in range(2, 7):
            assert f"p95 {300 + 40 * row} ms" in text_of(pilot, "#body"), "all that used it"


async def test_the_past_is_asked_for_at_its_moment(make_app: MakeApp) -> None:
    reads = reads_of(sample_slo.full())
    async with make_app(reads, at_ms=NOW - D).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert ("slo", NOW - D) in reads.asked


async def test_all_of_it_is_copied(make_app: MakeApp) -> None:
    async with make_app(reads_of(sample_slo.burning())).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        copied = page_of(pilot).copied() or ""
        assert copied.count("p95 3") + copied.count("p95 4") + copied.count("p95 5") == 6
        assert "UPTIME" in copied and "DATABASE QUERY" in copied
