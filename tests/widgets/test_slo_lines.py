"""The SLO board as lines: nothing of what counts is cut at 80 columns, nothing unknown reads as well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.metric_views import SloView
from console.model.states import State
from console.model.words import budget_words
from tests.screens.sample import NOW, M
from tests.screens.sample_slo import EARLIER, burning, empty, full, little, objective, stale, unknown
from widgets.glyphs import ASCII, UNICODE, Glyphs
from widgets.lines import plain, width_of
from widgets.slo_lines import Board, amount, met_words, rate_words, slo_later

ALL = (full, burning, little, empty, stale)


def shown(view: SloView, key: str, width: int = 80, glyphs: Glyphs = UNICODE, room: int | None = None) -> str:
    board = Board(width, NOW, glyphs)
    chosen = next(each for each in view.objectives if each.key == key)
    lines = [*board.targets(view.objectives, key), *board.detail(chosen, room=room)]
    assert {width_of(line) for line in lines} == {width}
    return plain(lines)


@pytest.mark.parametrize("width", [60, 80, 100, 160, 200])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("make", ALL)
def test_every_line_is_as_wide_as_the_page(make: type, width: int, glyphs: Glyphs) -> None:
    for each in make().objectives:
        text = shown(make(), each.key, width, glyphs)
        assert glyphs is UNICODE or text.replace("…", "").isascii()


def test_at_80_columns_stand_name_target_all_four_windows_budget_and_burn_rate() -> None:
    text = shown(burning(), "uptime")
    for words in (
        "5 MIN",
        "1 H",
        "24 H",
        "30 D",
        "BUDGET LEFT",
        "p95 response < 200 ms",
        "uptime > 99.9 %",
        "1,840 ms",
    ):
        assert words in text
    assert "database query < 100 ms" in text and "-2 % spent" in text and "budget burning" in text
    assert "99 % budget burning, 1h burn 133/14.4" in shown(burning(), "uptime", 110)
    for words in ("1 h, 5 min", "6 h, 30 min", "3 d, 6 h", "> 14.4", "> 6", "> 1", "1,000"):
        assert words in text
    for state in ("healthy", "degraded", "unhealthy", "unknown"):
        assert state in text


def test_what_used_a_budget_up_stands_below_with_begin_length_share_words_and_cause() -> None:
    text = shown(burning(), "uptime", 160)
    assert "13 Nov" in text and "12 m" in text and "28 %  does not answer: connection refused" in text
    assert "03:04" in text and "goes on: check database fails" in text and "deployment 8f3c1d2" in text


def test_what_has_no_room_is_counted() -> None:
    text = shown(burning(), "p95", room=9)
    assert "5 more: enter" in text
    assert "more: enter" not in shown(burning(), "p95")


def test_unknown_is_a_question_mark_with_what_would_make_it_known() -> None:
    text = shown(little(), "memory")
    assert '? the application offers no metrics: metrics = "/api/metrics"' in text
    assert "WHAT USED IT" not in text and "Nothing has used" not in text
    assert "0 %  unknown" not in text
    assert "probe" in shown(little(), "p95") and "95 % of the probes within 200 ms, from probe" in shown(
        little(), "p95"
    )
    assert "not configured" in text


def test_a_young_store_says_how_much_more_it_must_see() -> None:
    text = shown(little(), "uptime", 100)
    assert "The budget is not known: 3.4 % of 30 days were observed, 50 % are needed." in text


def test_a_spent_budget_has_no_bar_and_a_whole_one_is_full() -> None:
    assert "▄▄▄▄▄▄▄▄" in shown(full(), "memory") and "100 % ▄▄▄▄▄▄▄▄" in shown(full(), "memory")
    only = replace(burning(), objectives=(objective("uptime", State.DEGRADED, budget_left=-35.12),))
    assert "-3,512 % spent" in shown(only, "uptime") and "▄" not in shown(only, "uptime")
    assert "########" in shown(full(), "memory", glyphs=ASCII)


def test_at_60_columns_stands_what_is_now() -> None:
    head = shown(burning(), "uptime", 60).split("\n")[0]
    assert "5 MIN" in head and "30 D" not in head
    between = shown(burning(), "uptime", 70).split("\n")[0]
    assert "5 MIN" in between and "30 D" in between and "24 H" not in between


def test_a_value_that_misses_its_target_has_a_colour_whatever_the_budget() -> None:
    first = objective("p95", State.DEGRADED)
    missed = replace(first, cells=(replace(first.cells[0], value=1_840.0), *first.cells[1:]))
    tones = {span.text.strip(): span.tone for span in Board(80, NOW, UNICODE).targets([missed], None)[1]}
    assert tones["1,840 ms"] == "warn" and tones["96 ms"] == "text"
    text = plain(Board(80, NOW, UNICODE).targets([missed], None))
    assert "degraded" in text and "budget ok" in text


def test_the_word_beside_the_budget_is_that_of_the_budget() -> None:
    words = [plain(Board(80, NOW, UNICODE).targets([each], None)) for each in burning().objectives[:3]]
    assert all(word in text for word, text in zip(("overdrawn", "budget ok", "budget burning"), words, strict=True))


def test_nothing_is_green_while_the_store_cannot_be_read() -> None:
    later = slo_later(little(), NOW + M)
    assert {each.state for each in later.objectives} == {State.STALE, State.NOT_CONFIGURED}
    assert later.header.state is State.STALE
    assert "●" in shown(full(), "p95") and "●" not in shown(slo_later(full(), NOW + M), "p95")


def test_a_lower_bound_is_called_one() -> None:
    first = objective("p95")
    bound = replace(first, cells=tuple(replace(cell, value=10_000.0, at_least=True) for cell in first.cells))
    assert "≥10 s" in plain(Board(80, NOW, UNICODE).targets([bound], None))


def test_one_of_them_is_told_uncut_with_its_times_in_full() -> None:
    text = plain(Board(60, NOW, UNICODE).told(replace(EARLIER, cause="deployment 8f3c1d2", text="x " * 60)))
    assert "2025-11-13 03:12:44 UTC – 2025-11-13 03:24:44 UTC" in text
    assert text.count("x") == 60 and "Cause named then: deployment 8f3c1d2" in text


@pytest.mark.parametrize(
    ("good", "words"),
    [(1.0, "100 %"), (0.99996, "99.99 %"), (0.999, "99.90 %"), (0.5, "50.00 %"), (0.0, "0.00 %"), (None, "?")],
)
def test_shares_are_rounded_down(good: float | None, words: str) -> None:
    assert met_words(good) == words


def test_figures_as_people_read_them() -> None:
    assert [rate_words(value) for value in (0.0, 0.04, 0.44, 9.94, 14.4, 1000)] == [
        "0", "0", "0.4", "9.9", "14", "1,000",
    ]  # fmt: skip
    assert [amount(value) for value in (0, 1_555, 20_364_524)] == ["0", "1,555", "20.4 M"]
    assert [budget_words(value) for value in (0.0, 0.004, 0.28, 0.7199, -0.002, -1.35)] == [
        "0 %", "<1 %", "28 %", "71 %", "-1 %", "-135 %",
    ]  # fmt: skip
    assert unknown("memory").budget_left is None
