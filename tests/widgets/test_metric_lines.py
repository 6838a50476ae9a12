"""The Metrics page in lines: exact room, charts in a grid, marks and values below, the table, moved windows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.charts import PAGES, WINDOWS_S, PageName
from console.model.metric_views import MetricsQuestion, MetricsView
from tests.screens.sample import NOW, D, H, M
from tests.screens.sample_metrics import MARKS, metrics
from widgets.glyphs import SETS, UNICODE, Glyphs
from widgets.lines import plain, width_of
from widgets.metric_lines import MetricsFrame, columns_of, metrics_page, points_of
from widgets.metric_table import Table, table_columns

SIZES = [(60, 13), (80, 21), (100, 30), (160, 44), (200, 56), (300, 90)]


def view_of(width: int, page: PageName = "application", **more: object) -> MetricsView:
    question = MetricsQuestion(page=page, window_s=3600, points=points_of(width, "only" in more))
    return metrics(replace(question, **more))  # type: ignore[arg-type]


def frame_of(view: MetricsView, width: int, height: int, glyphs: Glyphs = UNICODE, **more: object) -> MetricsFrame:
    base = MetricsFrame(width=width, height=height, now_ms=NOW, glyphs=glyphs, asked=view.question)
    return replace(base, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("glyphs", SETS.values(), ids=SETS)
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_page_has_exactly_its_room(width: int, height: int, page: PageName, glyphs: Glyphs) -> None:
    view = view_of(width, page)
    for selected in (view.charts[0].key, view.charts[-1].key):
        shown = metrics_page(view, frame_of(view, width, height, glyphs, selected=selected))
        assert len(shown.lines) == height and {width_of(line) for line in shown.lines} == {width}
        assert selected in [place[4] for place in shown.places], "the selected chart is always seen"
        if glyphs is not UNICODE:
            assert plain(shown.lines).isascii()


@pytest.mark.parametrize(("width", "columns"), [(60, 1), (80, 2), (160, 2), (180, 3), (200, 3)])
def test_more_room_shows_more_charts_beside_each_other(width: int, columns: int) -> None:
    assert columns_of(width) == columns


def test_four_charts_are_seen_at_80x24_and_all_eight_at_160x48() -> None:
    for width, height, count in ((80, 21, 4), (160, 44, 8), (200, 56, 8)):
        view = view_of(width)
        assert len(metrics_page(view, frame_of(view, width, height)).places) == count


def test_a_low_page_tells_how_many_charts_are_above_and_below() -> None:
    view = view_of(80)
    first = metrics_page(view, frame_of(view, 80, 21, selected="response"))
    assert "↓ 4 more" in plain(first.lines) and first.top == 0
    last = metrics_page(view, frame_of(view, 80, 21, selected="availability", top=first.top))
    assert "↑ 4 more" in plain(last.lines) and last.top == 2
    middle = metrics_page(view, frame_of(view, 80, 21, selected="distribution", top=last.top))
    assert middle.top == 1, "no more is moved than has to be"


def test_the_page_line_tells_a_window_that_was_moved() -> None:
    live = view_of(80)
    assert "window 1 h  UTC" in plain(metrics_page(live, frame_of(live, 80, 21)).lines)
    moved = view_of(80, window_s=86_400, until_ms=NOW - H)
    head = plain(metrics_page(moved, frame_of(moved, 80, 21)).lines).split("\n")[0]
    assert head.endswith("24 h until 02:12, 60 m ago") or head.endswith("24 h until 02:12, 1 h ago")
    assert "now " not in plain(metrics_page(moved, frame_of(moved, 80, 21)).lines[1:])
    long = view_of(80, until_ms=NOW - 40 * D)
    assert "Infra " in plain(metrics_page(long, frame_of(long, 80, 21)).lines), "the names of the pages give way"


def test_what_is_waited_for_is_said_and_what_is_shown_stays_named() -> None:
    view = view_of(80)
    asked = replace(view.question, page="database", window_s=86_400)
    head = plain(metrics_page(view, frame_of(view, 80, 21, asked=asked)).lines).split("\n")[0]
    assert "reading Database, 24 h…" in head


def test_marks_are_newest_first_cut_at_the_end_and_counted() -> None:
    view = view_of(80)
    row = plain(metrics_page(view, frame_of(view, 80, 21)).lines[-2:-1])
    assert row.index("alert application") < row.index("+2")
    wide = view_of(160)
    text = plain(metrics_page(wide, frame_of(wide, 160, 44)).lines)
    assert text.index("8f3c1d2 live (op1)") < text.index("migration 012 (CI #412)")
    chosen = plain(metrics_page(view, frame_of(view, 80, 21, mark=MARKS[1])).lines[-2:-1])
    assert "▌ 02:58 migration 012" in chosen and "+2  ▌" in chosen, "what is newer is counted"
    chosen = plain(metrics_page(wide, frame_of(wide, 160, 44, mark=MARKS[2])).lines)
    assert chosen.index("alert application") < chosen.index("▌ 03:03 8f3c1d2") < chosen.index("migration 012")
    none = plain(metrics_page(replace(view, marks=()), frame_of(view, 80, 21)).lines)
    assert "none in this window" in none


def test_the_cursor_line_has_the_exact_values_of_all_charts() -> None:
    view = view_of(160)
    at = next(index for index in range(view.points) if view.start_ms + index * view.step_ms >= NOW - 20 * M)
    cursor = view.start_ms + at * view.step_ms
    text = plain(metrics_page(view, frame_of(view, 160, 44, cursor_ms=cursor)).lines[-3:])
    value = view.charts[0].lines[1].values[at]
    assert value is not None and f"response {value:,.0f} ms" in text and "failed probes 0 %" in text
    assert "availability 100 %" in text and "response by route p95" in text and "02:53:00" in text


def test_a_stale_page_calls_its_newest_values_the_last() -> None:
    view = view_of(80)
    assert "CURSOR  last" in plain(metrics_page(view, frame_of(view, 80, 21, stale=True)).lines)
    assert "CURSOR  then" in plain(metrics_page(view, frame_of(view, 80, 21, live=False)).lines)
    assert "CURSOR  now" in plain(metrics_page(view, frame_of(view, 80, 21)).lines)


def test_nothing_is_called_now_while_its_source_gives_nothing() -> None:
    view = view_of(160, "database")
    late = replace(
        view, charts=tuple(replace(chart, trouble="database hangs since 03:04") for chart in view.charts[:2])
    )
    text = plain(metrics_page(late, frame_of(late, 160, 44)).lines[-3:])
    assert "CURSOR  now" in text and "connections ?" in text and "canary query ?" in text
    before = plain(metrics_page(late, frame_of(late, 160, 44, cursor_ms=NOW - 20 * M)).lines[-3:])
    assert "?" not in before, "what was measured then stays"
    spread = view_of(160, only="distribution")
    failed = replace(spread, charts=tuple(replace(chart, trouble="no answer") for chart in spread.charts))
    assert "response distribution ?" in plain(metrics_page(failed, frame_of(failed, 160, 44)).lines[-3:])


def test_one_chart_takes_the_whole_page() -> None:
    view = view_of(80, only="response")
    shown = metrics_page(view, frame_of(view, 80, 21, selected="response"))
    assert [place[:4] for place in shown.places] == [(0, 1, 80, 18)]


@pytest.mark.parametrize("window_s", WINDOWS_S)
@pytest.mark.parametrize(("width", "height"), [(80, 21), (200, 56)])
def test_every_window_is_laid_out(window_s: int, width: int, height: int) -> None:
    view = view_of(width, window_s=window_s)
    lines = metrics_page(view, frame_of(view, width, height)).lines
    assert {width_of(line) for line in lines} == {width}


def test_the_table_has_the_same_figures_in_columns_that_line_up() -> None:
    view = view_of(100)
    table = Table(view, "response", 100, NOW, UNICODE)
    head, rows = table.head(), table.rows(0, 3)
    assert {width_of(line) for line in [*head, *rows]} == {100} and len(table) == view.points
    newest = plain(rows[:1]).split()
    assert newest[0] == "03:12…" and newest[1:3] == ["420", "1,840"] and "≥ 2,010" in plain(rows)
    assert plain(head).split()[:3] == ["RESPONSE", "RESPONSE", "RESPONSE"] and table.hidden > 0
    gap = plain(table.rows(0, len(table)))
    assert " ?" in gap
    later = Table(view, "routes", 100, NOW, UNICODE)
    assert "RESPONSE BY ROUTE" in plain(later.head())


def test_a_table_of_nothing_says_why() -> None:
    view = view_of(80, "custom")
    table = Table(view, "custom", 80, NOW, UNICODE)
    assert len(table) == 0 and "nothing is set" in plain(table.head()) and table.rows(0, 10) == []


def test_the_table_names_what_is_compared() -> None:
    view = view_of(160, compare_ms=D)
    assert "p95 yesterday ms" in plain(Table(view, "response", 160, NOW, UNICODE).head())
    heads = [column.head for column in table_columns(view) if column.chart.key == "response"]
    assert heads == ["p50", "p50 yesterday", "p95", "p95 yesterday", "p99", "p99 yesterday"]
