"""A chart in lines: exact room, gaps as gaps, target, marks in their columns, words for what is not there."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.model.observation import Origin
from console.model.states import State
from tests.widgets.chart_parts import MINUTE, chart, frame, heat_of, line, mark, plot, texts, widths
from widgets.chart import chart_lines
from widgets.chart_frame import GUTTER
from widgets.chart_words import foremost
from widgets.glyphs import ASCII, SETS, UNICODE
from widgets.lines import Line, guard

CORPUS = json.loads((Path(__file__).parents[1] / "fixtures" / "terminal_escape_corpus.json").read_text("utf-8"))
BRAILLE = {chr(code) for code in range(0x2801, 0x2900)}


def tones_of(lines: list[Line], characters: set[str]) -> set[str]:
    """In which tones any of the characters is drawn."""
    return {span.tone for row in lines for span in row if characters & set(span.text)}


def drawn(row: str) -> list[int]:
    """The columns with a curve."""
    return [x for x, character in enumerate(row) if character in BRAILLE]


@pytest.mark.parametrize("glyphs", SETS.values(), ids=SETS)
@pytest.mark.parametrize(("width", "height"), [(36, 9), (39, 9), (80, 30), (200, 12), (9, 6), (7, 6), (3, 9), (30, 4)])
def test_a_chart_has_exactly_its_room(width: int, height: int, glyphs: object) -> None:
    shown = chart(line(*range(60)), target=30.0, over_s=60.0)
    lines = chart_lines(shown, frame(60, width, height, glyphs, cursor=7, marks=(mark(3),)))  # type: ignore[arg-type]
    assert len(lines) == height and widths(lines) == {width}


def test_a_line_goes_from_the_first_to_the_last_column_and_from_below_to_the_top() -> None:
    rows = plot(chart_lines(chart(line(*range(61))), frame(61)))
    assert drawn(rows[-1])[0] == 0 and drawn(rows[0])[-1] == 29


def test_a_gap_stays_a_gap() -> None:
    values = [10.0 if not 20 <= at < 30 else None for at in range(60)]
    rows = plot(chart_lines(chart(line(*values)), frame(60)))
    filled = {x for row in rows for x in drawn(row)}
    assert filled == set(range(30)) - set(range(10, 15))
    whole = plot(chart_lines(chart(line(*[10.0] * 60)), frame(60)))
    assert {x for row in whole for x in drawn(row)} == set(range(30))


def test_a_single_value_is_a_dot_and_none_at_all_is_said() -> None:
    rows = plot(chart_lines(chart(line(None, None, 5.0, None)), frame(4)))
    assert sum(len(drawn(row)) for row in rows) == 1
    nothing = texts(chart_lines(chart(line(None, None)), frame(2)))
    assert "? no samples in this window" in nothing[2] and not any(drawn(row) for row in nothing)


def test_dots_lead_to_what_has_not_closed() -> None:
    values = [0.0] * 59 + [100.0]
    closed = chart_lines(chart(line(*values)), frame(60))
    still_open = chart_lines(chart(line(*values)), frame(60, provisional=59))
    for lines, tone in ((closed, "text"), (still_open, "dim")):
        assert plot(lines)[0][-1] in BRAILLE and lines[1][-1].tone == tone
    assert sum(len(drawn(row)) for row in plot(closed)) > sum(len(drawn(row)) for row in plot(still_open))


def test_what_has_not_closed_hangs_on_nothing_behind_a_gap() -> None:
    lines = chart_lines(chart(line(10.0, 10.0, None, 10.0)), frame(4, provisional=3))
    assert [drawn(row) for row in plot(lines) if drawn(row)] == [[*range(3, 12), 26]]


def test_the_target_is_a_dashed_line_with_its_word_and_number() -> None:
    shown = texts(chart_lines(chart(line(*[10.0] * 60), target=100.0), frame(60)))
    assert shown[1].startswith("   100┤╌╌╌") and shown[1].endswith("╌ target")
    without = "".join(texts(chart_lines(chart(line(*[10.0] * 60)), frame(60))))
    assert "target" not in without and "╌" not in without


def test_where_the_curve_fills_the_targets_row_both_are_seen_and_its_word_stands_beside() -> None:
    lines = chart_lines(chart(line(*[1.0] * 60, 1000.0), target=2.0), frame(61))
    rows = plot(lines)
    assert "target 2" in rows[-2], "on a line that is not its own with the value"
    dashes, dots = rows[-1].count("╌"), len(drawn(rows[-1]))
    assert dashes >= 7 and dots >= 3 * dashes - 1, "the curve keeps the greater part"
    assert {span.tone for span in lines[len(rows)] if "╌" in span.text} == {"dim"}


def test_a_curve_that_leaves_room_for_the_dashes_is_not_broken() -> None:
    lines = chart_lines(chart(line(*[1.0] * 30, *[1000.0] * 31), target=2.0), frame(61))
    assert "⣀" * 10 in plot(lines)[-1] and "╌" * 8 in plot(lines)[-1]
    assert not [span for row in lines for span in row if span.tone == "accent" and "╌" in span.text]


def test_the_word_of_the_target_stands_on_its_line_with_dashes() -> None:
    for values in ([0.5] * 20 + [30.0] * 40, [30.0] * 40 + [0.5] * 20, [0.5] * 20 + [30.0] * 30 + [0.5] * 10):
        rows = plot(chart_lines(chart(line(*values), target=1.0, unit="%"), frame(60)))
        assert "target" in rows[-1] and "╌╌" in rows[-1]
        assert "target" not in "".join(rows[:-1])


def test_dashes_are_worth_more_than_the_word_in_their_line() -> None:
    rows = plot(chart_lines(chart(line(*[0.5] * 46, *[30.0] * 14), target=1.0, unit="%"), frame(60)))
    assert "╌╌" in rows[-1] and "target" not in rows[-1] and "target 1 " in rows[-2]


def test_a_target_far_away_is_told_and_not_drawn() -> None:
    shown = texts(chart_lines(chart(line(*[2.0] * 60), target=100.0, over_s=0.0), frame(60)))
    assert not any("╌" in row for row in shown) and "target <100" in shown[-1]


def test_only_what_misses_its_target_has_a_colour() -> None:
    calm = chart(line(*[50.0] * 60), target=200.0, over_s=0.0)
    assert tones_of(chart_lines(calm, frame(60)), BRAILLE) == {"text"}
    bad = chart(line(*[50.0] * 30, *[400.0] * 30), target=200.0, over_s=1800.0)
    lines = chart_lines(bad, frame(60))
    assert tones_of(lines, BRAILLE) == {"text", "warn"}
    assert [span.text for span in lines[-1] if span.tone == "warn"] == ["400", "over 30 m"]


def test_a_floor_is_missed_from_below() -> None:
    lines = chart_lines(chart(line(*[100.0] * 59, 90.0), target=99.9, target_is_floor=True, over_s=60.0), frame(60))
    assert [span.text for span in lines[-1] if span.tone == "warn"] == ["90", "under 1 m"]


def test_marks_stand_in_the_columns_of_their_times() -> None:
    marks = (mark(0), mark(20), mark(59, state=State.UNHEALTHY))
    lines = chart_lines(chart(line(*[1.0] * 60)), frame(60, marks=marks))
    row = texts(lines)[-3][GUTTER:]
    assert [x for x, character in enumerate(row) if character == "▲"] == [0, 10, 29]
    assert tones_of([lines[-3]], {"▲"}) == {"text", "bad"}


def test_labels_of_time_are_centred_on_their_times_and_cover_no_mark() -> None:
    row = texts(chart_lines(chart(line(*[1.0] * 60)), frame(60)))[-2]
    for label, minute in (("02:20", 20), ("02:40", 40)):
        assert row.index(label) + 2 == GUTTER + minute // 2
    low = texts(chart_lines(chart(line(*[1.0] * 60)), frame(60, height=9, marks=(mark(20),))))[-2]
    assert "02:20" not in low and low[GUTTER + 9 : GUTTER + 12] == " ▲ " and low.count(":") >= 2


@pytest.mark.parametrize("height", [9, 12])
def test_times_are_not_overwritten_by_marks(height: int) -> None:
    """As with thirty days of deployments: all times stand, and the chosen mark."""
    bare = texts(chart_lines(chart(line(*[1.0] * 60)), frame(60, height=height)))[-2]
    marks = tuple(mark(at) for at in range(0, 60, 5))
    shown = chart_lines(chart(line(*[1.0] * 60)), frame(60, height=height, marks=marks))
    assert [word for word in texts(shown)[-2].split() if ":" in word] == bare.split()
    signs = texts(shown)[-3 if height == 12 else -2].count("▲")
    assert signs == 12 if height == 12 else signs >= 3
    chosen = chart_lines(chart(line(*[1.0] * 60)), frame(60, height=height, marks=marks, mark=marks[4]))
    assert "accent" in tones_of(chosen[-3:-1], {"▲"})


def test_marks_have_the_sign_of_their_kind_and_several_at_one_column_their_number() -> None:
    kinds = ("deployment", "rollback", "migration", "alert", "fault", "maintenance", "vendor", "restart", "change")
    marks = tuple(mark(4 * at, kind=kind) for at, kind in enumerate(kinds))
    crowd = (mark(50), mark(50, kind="alert", state=State.UNHEALTHY), mark(51))
    for glyphs, signs in ((UNICODE, "▲▼◆!✗■○↻•"), (ASCII, "^v#!x=o@*")):
        lines = chart_lines(chart(line(*[1.0] * 60)), frame(60, glyphs=glyphs, marks=(*marks, *crowd)))
        assert texts(lines)[-3].replace(" ", "") == signs + "3"
        assert tones_of([lines[-3]], {"3"}) == {"bad"}


def test_no_word_stands_across_the_cursor() -> None:
    for cursor in range(60):
        shown = chart(line(*[1.0] * 60), target=2.0)
        lines = chart_lines(shown, frame(60, cursor=cursor))
        assert any("target" in text for text in plot(lines))
        written = [span for each in lines for span in each if span.back == "selected"]
        assert not any(character.isalpha() for span in written for character in span.text)


def test_lines_that_share_a_row_keep_their_names() -> None:
    figures = (("p50", 20.0), ("p95", 58.0), ("p99", 61.0))
    shown = chart(*(line(100.0, *[value] * 59, label=label) for label, value in figures))
    rows = [next(y for y, text in enumerate(plot(chart_lines(shown, frame(60)))) if name in text)
            for name in ("p99", "p95", "p50")]  # fmt: skip
    assert rows == sorted(rows) and len(set(rows)) == 3


def test_no_label_of_the_axis_reaches_the_edge() -> None:
    lines = chart_lines(chart(line(*[2_000.0] * 60)), frame(60))
    assert {text[0] for text in texts(lines)} == {" "} and any("2,000┤" in text for text in texts(lines))


def test_the_cursor_is_a_line_and_the_summary_tells_its_values() -> None:
    lines = chart_lines(chart(line(*range(60))), frame(60, cursor=30))
    rows = plot(lines)
    assert all(row[15] == "│" or row[15] in BRAILLE for row in rows)
    assert texts(lines)[-1].startswith(" 02:30 30 ")
    assert texts(chart_lines(chart(line(*range(60))), frame(60)))[-1].startswith(" now 59 ")


def test_a_cursor_in_a_gap_knows_nothing() -> None:
    lines = chart_lines(chart(line(1.0, None, 3.0)), frame(3, cursor=1))
    assert texts(lines)[-1].startswith(" 02:01 ? ") and tones_of([lines[-1]], {"?"}) == {"unknown"}


def test_a_lower_bound_is_told_as_one() -> None:
    shown = chart(line(1.0, 10_000.0, least=frozenset({1})))
    assert "now ≥ 10,000   peak ≥ 10,000" in texts(chart_lines(shown, frame(2)))[-1]
    assert "now >= 10,000" in texts(chart_lines(shown, frame(2, glyphs=ASCII)))[-1]
    assert texts(chart_lines(shown, frame(2, cursor=0)))[-1].startswith(" 02:00 1 ")


def test_several_lines_are_told_apart_without_colour() -> None:
    lines = [line(*[value] * 60, label=label) for label, value in (("p50", 20.0), ("p95", 90.0), ("p99", 180.0))]
    shown = chart_lines(chart(*lines, target=200.0, target_of="p95"), frame(60, 60, 20))
    text = "\n".join(plot(shown))
    assert all(label in text for label in ("p50", "p95", "p99"))
    assert "p50 20  p95 90  p99 180" in texts(shown)[-1]
    dots = {
        label: sum(len(drawn(row)) for row in plot(chart_lines(chart(one), frame(60))))
        for label, one in (("p95", lines[1]),)
    }
    assert dots["p95"] == 30, "the foremost one is a whole line"
    assert tones_of(shown, BRAILLE) == {"text", "second", "third"}


def test_the_foremost_line_stays_where_not_all_have_room() -> None:
    lines = [line(*[1234.0] * 4, label=label) for label in ("p50", "p95", "p99")]
    shown = chart(*lines, target=200.0, target_of="p95", over_s=480.0)
    assert texts(chart_lines(shown, frame(4, 36)))[-1].strip() == "p95 1,234   over 8 m   peak 1,234"


def test_against_an_earlier_time_only_the_foremost_line_is_drawn() -> None:
    lines = (line(*[10.0] * 60, label="p50"), line(*[50.0] * 60, label="p95"))
    before = (line(*[15.0] * 60, label="p50"), line(*[30.0] * 60, label="p95"))
    shown = texts(chart_lines(chart(*lines, compared=before), frame(60, 60, earlier="yesterday")))
    assert "yesterday 30" in shown[-1] and " by " not in shown[-1]
    for step_ms, words in ((MINUTE, "yesterday 30 "), (60 * MINUTE, "yesterday 30 by hours")):
        held = chart(*lines, compared=before, compared_step_ms=step_ms)
        assert words in f"{texts(chart_lines(held, frame(60, 60, earlier='yesterday')))[-1]} "
    nothing = chart(*lines, compared=before, compared_absent="nothing is on record of then")
    told = texts(chart_lines(nothing, frame(60, 80, earlier="yesterday")))[-1]
    assert "yesterday ?: nothing is on record of then" in told
    assert sum(bool(drawn(row)) for row in shown) == 2


def test_which_line_is_compared_does_not_change_with_the_data() -> None:
    slow, quick = (line(*[value] * 60, label=label) for value, label in ((500.0, "/b"), (5.0, "/a")))
    for lines in ((quick, slow), (slow, quick)):
        assert foremost(chart(*lines, target=200.0, compared=lines)) == 0, "the first of the settings"
        assert lines[foremost(chart(*lines, target=200.0))] is slow, "alone, the worst"


def test_a_target_near_the_whole_is_not_rounded_up() -> None:
    full = chart(line(*[100.0] * 60, 20.0), target=99.9, target_is_floor=True, unit="%")
    assert "target 99.9" in "".join(texts(chart_lines(full, frame(61)))), "where the curve fills its row"
    far = chart(line(*[20.0] * 60), target=99.9, target_is_floor=True, unit="%", over_s=0.0)
    assert "target 100" not in "".join(texts(chart_lines(far, frame(60))))


def test_huge_values_are_written_short_and_whole() -> None:
    shown = texts(chart_lines(chart(line(1.0, 1e300)), frame(2)))
    assert shown[1].startswith(" 1e300┤") and "now 1e300   peak 1e300" in shown[-1]


def test_a_floor_tells_its_lowest_value() -> None:
    up = replace(line(100.0, 99.2, 100.0), lowest=99.2)
    told = texts(chart_lines(chart(up, target=99.9, target_is_floor=True, over_s=60.0, unit="%"), frame(3, 60)))[-1]
    assert told.strip() == "now 100   under 1 m   lowest 99.2"
    unknown = chart(up, target=99.9, target_is_floor=True, unit="%")
    assert texts(chart_lines(unknown, frame(3, 60)))[-1].strip() == "now 100   lowest 99.2"
    almost = chart(line(99.967), target=99.9, target_is_floor=True, unit="%")
    assert "now 99.96 " in texts(chart_lines(almost, frame(1, 60)))[-1], "never rounded up"
    assert "lowest" not in texts(chart_lines(chart(up, target=99.9), frame(3, 60)))[-1]


def test_of_several_floors_the_lowest_is_the_one() -> None:
    lines = (replace(line(100.0, label="a"), lowest=99.0), replace(line(100.0, label="b"), lowest=98.0))
    assert foremost(chart(*lines, target=99.9, target_is_floor=True)) == 1


def test_what_is_absent_or_in_trouble_is_told_in_words() -> None:
    absent = texts(
        chart_lines(chart(absent="no metrics: add metrics = to the settings", origin=Origin.NONE), frame(60))
    )
    assert "? no metrics:" in absent[2] and "add metrics =" in absent[3] and absent[0].rstrip().endswith("none")
    assert not any("┤" in row or "02:" in row for row in absent)
    both = texts(chart_lines(chart(absent="not configured", trouble="forbidden since 02:52"), frame(60)))
    assert "? forbidden since 02:52" in both[2], "what fails is worth more than what is missing"
    trouble = texts(chart_lines(chart(line(1.0, 2.0), trouble="forbidden since 02:52"), frame(2)))
    assert trouble[-1].startswith(" ? forbidden since 02:52") and any(drawn(row) for row in trouble), "the values stay"


def test_the_title_names_unit_and_origin() -> None:
    assert texts(chart_lines(chart(line(1.0)), frame(1)))[0].split() == ["RESPONSE", "ms", "probe"]
    selected = chart_lines(chart(line(1.0)), frame(1, selected=True))[0]
    assert selected[0].text == "▌" and {span.back for span in selected} == {"selected"}


def test_the_ascii_set_draws_in_ascii() -> None:
    shown = chart(line(*range(60)), line(*range(60, 0, -1)), target=30.0, over_s=5.0, unit="%")
    lines = chart_lines(shown, frame(60, glyphs=ASCII, cursor=9, marks=(mark(3),), selected=True))
    assert all(row.isascii() for row in texts(lines)) and any("|" in row for row in plot(lines))
    heat = chart_lines(chart(heat=heat_of((1, 2, 3), (3, 2, 1))), frame(2, glyphs=ASCII))
    assert all(row.isascii() for row in texts(heat))


def test_a_distribution_is_shaded_by_its_shares_with_bounds_at_the_left() -> None:
    shown = chart(heat=heat_of((9, 1, 0), (0, 1, 9), None, (0, 0, 0), foreign=True))
    lines = chart_lines(shown, frame(4, GUTTER + 4, 6 + 3))
    rows = plot(lines)
    assert rows == [" █  ", " █  ", "▒▒  ", "▒▒  ", "█   ", "█   "]
    labels = [text[: GUTTER - 1].strip() for text in texts(lines)[1:-2]]
    assert [label for label in labels if label] == ["20", "10", "0"]
    wide = texts(chart_lines(shown, frame(4, 90)))
    assert "bounds of the exporter" in wide[-1]
    own = texts(chart_lines(chart(heat=heat_of((9, 1, 0))), frame(1, 90)))
    assert "exporter" not in own[-1] and "most 0–10 ms (90 %)" in own[-1]


def test_bounds_have_no_more_digits_than_needed() -> None:
    shown = chart(heat=heat_of((1.0, 9.0), bounds=(18.92, 101.53, 1262.4)))
    labels = [text[: GUTTER - 1].strip() for text in texts(chart_lines(shown, frame(1, 60, 7)))[1:-2]]
    assert [label for label in labels if label] == ["102", "19"]


def test_the_last_bound_may_be_infinite() -> None:
    shown = chart(heat=heat_of((1.0, 9.0), bounds=(0, 100, math.inf)))
    assert "most ≥ 100 ms (90 %)" in texts(chart_lines(shown, frame(1, 60)))[-1]


NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**9), 10**9).map(float))


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=70), st.one_of(st.none(), st.floats(-1e12, 1e12)), st.booleans())
def test_any_values_are_drawn_in_their_room(values: list[float | None], target: float | None, floor: bool) -> None:
    shown = chart(line(*values), target=target, target_is_floor=floor, over_s=1.0)
    for glyphs in (UNICODE, ASCII):
        lines = chart_lines(shown, frame(len(values), glyphs=glyphs))
        assert len(lines) == 12 and widths(lines) == {GUTTER + 30}


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: case.get("name", "case"))
def test_no_label_reaches_the_terminal_as_it_came(case: dict[str, str]) -> None:
    text = case["input"]
    lines = (line(1.0, 2.0, label=text), line(3.0, 1.0, label=f"b{text}"))
    for shown in (chart(*lines, title=text, unit=text), chart(absent=text), chart(lines[0], trouble=text)):
        rows = chart_lines(shown, frame(2, 60))
        assert all(guard(span.text) == span.text for row in rows for span in row)
