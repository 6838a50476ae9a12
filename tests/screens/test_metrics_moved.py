"""Windows that were moved away from now: the way back, the moment of the banner, where records begin; the footer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.metric_views import MetricsQuestion, MetricsView
from screens.metrics_place import Place
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until_fed, until_text
from tests.screens.sample import NOW, D, H, M
from tests.screens.sample_metrics import metrics
from tests.screens.scripted import ScriptedReads
from tests.screens.test_metrics import SMALL, asked, at_metrics


@pytest.mark.parametrize("key", ["L", "end"])
async def test_a_panned_window_comes_back_to_now(make_app: MakeApp, key: str) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot, "less_than_sign", "left")
        await asked(pilot, reads, lambda question: question.until_ms is not None, "half an hour ago")
        await pilot.press(key)
        await asked(pilot, reads, lambda question: question.until_ms is None, "now")
        await until_text(pilot, "CURSOR  now")
        assert page.place == Place()


async def test_a_step_on_with_nothing_after_it_brings_the_window_back_and_says_so(make_app: MakeApp) -> None:
    reads = ScriptedReads(changes=())
    async with make_app(reads).run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot, "less_than_sign")
        await asked(pilot, reads, lambda question: question.until_ms is not None, "half an hour ago")
        await pilot.press("full_stop")
        await asked(pilot, reads, lambda question: question.until_ms is None, "now")
        await until_text(pilot, "nothing changed after that: back to live", "#footer")
        assert page.place == Place()
        await pilot.press("full_stop")
        await until_text(pilot, "this is now", "#footer")


@pytest.mark.parametrize("at_ms", [NOW - D, None])
async def test_charts_show_the_moment_that_was_gone_to(make_app: MakeApp, at_ms: int | None) -> None:
    reads = ScriptedReads()
    async with make_app(reads, at_ms=NOW - 2 * D).run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot, "less_than_sign", "less_than_sign")
        await asked(pilot, reads, lambda question: question.until_ms == NOW - 2 * D - H, "an hour before")
        page.host.go_to(at_ms)
        await asked(pilot, reads, lambda question: question.until_ms is None, "the moment gone to")
        assert ("metrics application", at_ms) == reads.asked[-1]


async def test_a_panned_window_stays_while_the_moment_does(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot, "less_than_sign", "tab", "c")
        await asked(pilot, reads, lambda question: question.compare_ms > 0, "compared")
        assert page.place.until_ms == NOW - 30 * M == reads.questions[-1].until_ms


def test_back_within_a_stretch_of_now_is_now() -> None:
    place = Place()
    assert place.pan(-1, NOW, M) and place.until_ms == NOW - 30 * M
    assert place.pan(1, NOW + 50_000, M) and place.until_ms is None
    place.pan(-1, NOW, M)
    assert place.pan(1, NOW + 2 * M, M) and place.until_ms == NOW


def since(records_from_ms: int) -> ScriptedReads:
    """Of a store that was begun then."""

    def make(question: MetricsQuestion, at_ms: int | None) -> MetricsView:
        return replace(metrics(question, at_ms), records_from_ms=records_from_ms)

    return ScriptedReads(make_metrics=make)


async def test_panning_ends_where_records_begin(make_app: MakeApp) -> None:
    reads = since(NOW - 2 * H)
    async with make_app(reads).run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot, "less_than_sign", "less_than_sign")
        assert page.place.until_ms == NOW - H and "records begin" not in text_of(pilot, "#footer")
        await pilot.press("less_than_sign")
        assert page.place.until_ms == NOW - H and "records begin 01:12" in text_of(pilot, "#footer")


async def test_a_window_longer_than_the_records_is_not_panned(make_app: MakeApp) -> None:
    async with make_app(since(NOW - 29 * D)).run_test(size=SMALL) as pilot:
        page = await at_metrics(pilot, *["minus"] * 4, "less_than_sign")
        assert page.place.window_s == 30 * 86_400 and page.place.until_ms is None
        assert "records begin 24 Oct" in text_of(pilot, "#footer")


def test_the_last_part_before_records_begin_is_less_than_half_a_window() -> None:
    place = Place()
    assert not place.pan(-1, NOW, M, NOW - 80 * M) and place.until_ms == NOW - 20 * M
    assert not place.pan(-1, NOW, M, NOW - 80 * M) and place.until_ms == NOW - 20 * M


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((60, 20), "1 Health  5 Dep  9 Alerts  tab page  : go  ? help  q quit"),
        ((80, 24), "1 Health  5 Dep  9 Alerts  tab page  m mark  f full  : go  ? help  q quit"),
        ((100, 30), "5 Dep  9 Alerts  tab page  m mark  f full  t table  : go"),
        ((160, 48), "t table  < > pan  b targets  + - zoom  c compare  @ time  : go"),
    ],
)
async def test_the_footer_names_first_what_is_used_most(make_app: MakeApp, size: tuple[int, int], words: str) -> None:
    async with make_app().run_test(size=size) as pilot:
        await until_fed(pilot)
        await pilot.press("2")
        await until_text(pilot, "RESPONSE")
        await until_text(pilot, words, "#footer")
