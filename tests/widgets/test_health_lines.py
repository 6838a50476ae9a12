"""The Health page as lines, at every size."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.model.observation import Origin
from console.model.states import State
from console.model.views import HealthView, Reason, Verdict
from tests.screens.scripted import EVENTS, NOW, VERDICT, component, header, health, well
from widgets.glyphs import ASCII
from widgets.health_lines import Frame, columns, health_page
from widgets.lines import plain, width_of


def page(view: HealthView, width: int = 80, height: int = 21, **more: object) -> str:
    frame = Frame(width=width, height=height, now_ms=NOW)._replace(**more)  # type: ignore[arg-type]
    return plain(health_page(view, frame, "database", component("database")).lines)


@settings(max_examples=60, deadline=None)
@given(st.integers(60, 240), st.integers(13, 70), st.sampled_from(["night", "well", "never"]))
def test_every_line_is_exactly_as_wide_and_the_page_as_high(width: int, height: int, case: str) -> None:
    slices = columns(width).strip_slices
    made = {"night": health(slices), "well": well(slices), "never": health(slices, verdict=None)}[case]
    shown = health_page(made, Frame(width=width, height=height, now_ms=NOW), "database", component("database"))
    assert {width_of(line) for line in shown.lines} == {width}
    assert len(shown.lines) == height


def test_at_80x24_nothing_is_lost() -> None:
    shown = page(health())
    for row in health().components:
        assert row.name in shown and row.figure in shown
    for words in ("/api/v1/audits 38 % 5xx", "vendors: none reporting", "budget left", "rollback by op2", "✗ 1,840 ms"):
        assert words in shown


def test_a_reason_told_as_a_sentence_is_not_told_twice() -> None:
    told = "routes: /api/v1/audits 38 % 5xx since 03:04 (probe, 47 of 124)"
    verdict = replace(VERDICT, reasons=(replace(VERDICT.reasons[0], text=told, cause=None),))
    shown = page(health(verdict=verdict))
    assert "routes: /api/v1/audits 38 % 5xx since 03:04 (probe, 47 of 124)" in shown
    assert shown.count("since 03:04") == 1


def test_a_long_reason_keeps_since_when_and_from_where() -> None:
    reason = replace(VERDICT.reasons[0], text="routes: " + "very long words " * 9 + "since 03:04 (probe)", cause=None)
    assert "… since 03:04 (probe)" in page(health(verdict=replace(VERDICT, reasons=(reason,))))


def _reasons(count: int) -> Verdict:
    reasons = tuple(
        Reason(
            key=str(n),
            state=State.DEGRADED,
            component=f"part{n}",
            text="slow",
            since_ms=NOW,
            origin=Origin.PROBE,
            cause="why",
        )
        for n in range(count)
    )
    return replace(VERDICT, reasons=reasons)


def test_reasons_that_have_no_room_are_counted() -> None:
    shown = page(health(verdict=_reasons(7)))
    assert "part0" in shown and "part2" in shown and "part3" not in shown
    assert "…and 4 more" in shown


def test_only_the_first_cause_stands_before_a_further_reason() -> None:
    shown = page(health(verdict=_reasons(3)))
    assert all(f"part{n}" in shown for n in range(3)) and shown.count("why") == 1
    assert page(health(verdict=_reasons(3)), height=40).count("why") == 3


def test_well_is_said_with_what_it_rests_on() -> None:
    assert "Nothing is wrong: 14 of 14 sources in time." in page(well())


def test_never_polled_says_what_would_fill_the_page() -> None:
    empty = health(verdict=None, components=(), targets=(), lately=(), uptime=())
    dead = replace(empty, header=replace(header(State.UNKNOWN), collector=replace(empty.header.collector, alive=False)))
    assert "Nothing was ever polled here." in page(dead) and "radar doctor" in page(dead)
    assert "the first round is being polled" in page(empty)


def test_an_error_stands_beside_the_last_value() -> None:
    rows = tuple(replace(row, error="timeout after 4 s") if row.key == "vercel" else row for row in health().components)
    for width in (80, 120):
        line = next(line for line in page(health(components=rows), width=width).splitlines() if "vercel" in line)
        assert "live 8f3c1d2" in line and "timeout after 4 s" in line and "20 s" in line


def test_a_stale_verdict_says_when_it_was_judged() -> None:
    stale = health(header=header(State.STALE))
    assert "judged <5 s ago, not since" in page(stale)
    assert "not since" not in page(health())


def test_unknown_targets_show_the_probes_figure_aside() -> None:
    rows = tuple(replace(row, aside="probe: 1,840 ms") if row.name == "memory" else row for row in health().targets)
    assert "? probe 1,840 ms" in page(health(targets=rows))
    assert "? unknown (probe: 1,840 ms)" in page(health(targets=rows), width=120)


def test_the_selected_line_has_a_bar() -> None:
    assert "\n▌database" in page(health())


def test_the_ascii_set_leaves_no_other_sign() -> None:
    assert page(health(), glyphs=ASCII).isascii()


@pytest.mark.parametrize(("width", "shown"), [(80, (80, 0, 0)), (139, (139, 0, 0))])
def test_narrow_pages_have_one_column(width: int, shown: tuple[int, int, int]) -> None:
    widths = columns(width)
    assert (widths.main, widths.detail, widths.lately) == shown


@pytest.mark.parametrize("width", range(140, 260, 7))
def test_wide_pages_use_the_whole_width(width: int) -> None:
    widths = columns(width)
    used = widths.main + 2 + widths.detail + (2 + widths.lately if widths.lately else 0)
    assert used == width and widths.detail >= 40 and (widths.lately > 0) == (width >= 180)


def test_the_third_column_shows_what_happened_lately() -> None:
    lines = page(health(), width=200, height=57).splitlines()
    assert any("LATELY" in line and "COMPONENT" in line for line in lines)
    assert all(event.text.split()[0] in "\n".join(lines) for event in EVENTS)


def test_text_from_outside_cannot_move_the_cursor() -> None:
    rows = tuple(replace(row, figure="\x1b[2J\x1b]0;owned\x07") for row in health().components)
    shown = page(health(components=rows))
    assert "\x1b" not in shown and "␛[2J" in shown


def test_markup_is_only_text() -> None:
    rows = tuple(replace(row, figure="[/] [bold]$primary") for row in health().components)
    assert "[/] [bold]$primary" in page(health(components=rows))
