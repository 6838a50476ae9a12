"""The Health page as lines, at every size."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.model.observation import Origin
from console.model.states import State
from console.model.views import HealthView, Reason, Verdict
from tests.screens.sample import EVENTS, NOW, VERDICT, M, S, component, header, health, well
from widgets.glyphs import ASCII
from widgets.health_lines import Frame, columns, health_page
from widgets.lines import plain, width_of


def page(view: HealthView, width: int = 80, height: int = 21, **more: object) -> str:
    frame = Frame(width=width, height=height, now_ms=NOW)._replace(**more)  # type: ignore[arg-type]
    return plain(health_page(view, frame, "database", component("database")).lines)


@settings(max_examples=60, deadline=None)
@given(st.integers(60, 240), st.integers(13, 70), st.sampled_from(["night", "well", "never"]))
def test_every_line_is_exactly_as_wide_and_the_page_as_high(width: int, height: int, case: str) -> None:
    slices = columns(width, height).strip_slices
    made = {"night": health(slices), "well": well(slices), "never": health(slices, verdict=None)}[case]
    shown = health_page(made, Frame(width=width, height=height, now_ms=NOW), "database", component("database"))
    assert {width_of(line) for line in shown.lines} == {width}
    assert len(shown.lines) == height


def test_at_80x24_nothing_is_lost() -> None:
    shown = page(health())
    for row in health().components:
        assert row.name in shown and row.figure in shown
    for words in ("/api/v1/audits 38 % 5xx", "ours; vendors silent", "budget left", "rollback by op2", "✗ 1,840 ms"):
        assert words in shown


def test_a_reason_told_as_a_sentence_is_not_told_twice() -> None:
    told = "routes: /api/v1/audits 38 % 5xx since 03:04 (probe, 47 of 124)"
    verdict = replace(VERDICT, reasons=(replace(VERDICT.reasons[0], text=told, cause=None),))
    shown = page(health(verdict=verdict))
    assert "routes: /api/v1/audits 38 % 5xx since 03:04 (probe, 47 of 124)" in shown
    assert shown.count("since 03:04") == 1


def test_a_long_reason_keeps_since_when_and_from_where() -> None:
    reason = replace(VERDICT.reasons[0], text="routes: " + "very long words " * 20 + "since 03:04 (probe)", cause=None)
    assert "… since 03:04 (probe)" in page(health(verdict=replace(VERDICT, reasons=(reason,))))


BLOCKED = (
    "pid 41233 psql of alice on bastion-1, idle in transaction 12 m, blocks ALTER TABLE reviews, 31 sessions queued 3 m"
)


def test_at_80x24_the_first_reason_and_its_cause_are_uncut() -> None:
    cause = 'likely follows from migration 012 "reviews score" by CI #412 at 02:58'
    first = replace(VERDICT.reasons[2], text=BLOCKED, cause=cause)
    others = [replace(reason, cause=None) for reason in VERDICT.reasons]
    shown = page(health(verdict=replace(VERDICT, reasons=(first, *others, *others))))
    told = " ".join(" ".join(line[7:].strip() for line in shown.splitlines()[:4]).split())
    assert told.startswith(f"database: {BLOCKED} since 03:10 (sql) {cause}")
    assert "…and 5 more W all" in shown and "LATELY" in shown


def test_a_short_first_reason_leaves_its_second_line_to_others() -> None:
    assert page(health()).count("LATELY") == 1 and "rollback by op2" in page(health())


@pytest.mark.parametrize(
    ("whose", "words", "shown"),
    [
        ("us", "vendors: none reporting", "ours; vendors silent"),
        ("us", "vendors: github not read", "ours; vendors: github not read"),
        ("vendor", "supabase reports an outage", "vendor: supabase reports an outage"),
        ("bastion", "egress fails", "this bastion; egress fails"),
        ("bastion", "this bastion is offline", "this bastion is offline"),
        ("unknown", "not known", "not known"),
    ],
)
def test_whose_it_is_stands_at_the_right(whose: str, words: str, shown: str) -> None:
    verdict = replace(VERDICT, whose=whose, whose_words=words)
    assert any(line.rstrip().endswith(f"  {shown}") for line in page(health(verdict=verdict)).splitlines()[:5])


def test_whose_it_is_has_a_line_of_its_own_where_all_others_are_full() -> None:
    words = "supabase reports a degradation of its pooler in eu-central-1"
    shown = page(health(verdict=replace(VERDICT, whose="vendor", whose_words=words)))
    assert f"\n       vendor: {words}" in shown


def test_next_says_no_more_than_the_verdict_and_cuts_no_name() -> None:
    steps = ("roll back 8f3c1d2", "ask psql of alice or end pid 41233", "contact Database on call, Berlin")
    shown = page(health(verdict=replace(VERDICT, next_steps=steps)))
    assert all(step in shown for step in steps)
    assert "NEXT" not in page(health(verdict=replace(VERDICT, next_steps=())))


def test_tall_pages_have_room_for_every_reason() -> None:
    for width, height in ((160, 44), (200, 56)):
        shown = page(health(verdict=_reasons(12)), width=width, height=height)
        assert "part11" in shown and "more" not in shown and "LATELY" in shown


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


def test_well_is_not_said_when_nobody_judges() -> None:
    stale = well()
    stale = replace(stale, header=replace(stale.header, state=State.STALE), verdict_ms=NOW - 25 * S)
    shown = page(stale)
    assert "… Not known: last judged 25 s ago (then: nothing wrong)." in shown
    assert "Nothing is wrong" not in shown and "●" not in shown.splitlines()[0]


def test_well_with_alerts_that_still_fire_says_so() -> None:
    view = well()
    shown = page(replace(view, header=replace(view.header, alerts_firing=2)))
    assert "Nothing is wrong now; 2 alerts still firing." in shown


def test_what_is_well_again_but_over_its_limit_in_the_window_is_marked_and_told() -> None:
    told = "last minute 0 %; still in the 5 min window"
    row = next(row for row in well().targets if row.name == "errors")
    over = tuple(
        replace(each, value=0.035, state=State.DEGRADED, aside=told) if each.name == row.name else each
        for each in well().targets
    )
    shown = page(replace(well(), targets=over))
    assert "▲ 3.5 %" in shown
    assert "Nothing is wrong now; errors still over the limit in the 5 min window." in shown
    assert "still" not in page(well())
    assert "last minute 0 %" in page(replace(well(), targets=over), width=120)


def test_what_is_not_configured_is_said_once() -> None:
    rows = tuple(
        replace(row, state=State.NOT_CONFIGURED, figure="not configured") if row.key == "vercel" else row
        for row in health().components
    )
    line = next(line for line in page(health(components=rows), width=120).splitlines() if "vercel" in line)
    assert line.count("not configured") == 1


def test_the_limit_stands_near_its_value_on_a_wide_page() -> None:
    for width in (120, 139, 220):
        line = next(line for line in page(well(), width=width).splitlines() if line.startswith(" p95"))
        assert line.index("<200 ms") - line.index("96 ms") < 40


def test_a_vendors_report_stands_once() -> None:
    view = health()
    assert view.verdict is not None
    top = replace(view.verdict.reasons[0], text='Supabase reports "Elevated errors" (major)', cause=None)
    told = 'vendor: Supabase reports "Elevated errors" (major)'
    verdict = replace(view.verdict, reasons=(top,), whose="vendor", whose_words=told)
    shown = page(health(verdict=verdict), width=160)
    assert shown.count("Elevated errors") == 1 and "vendor: Supabase" in shown


def test_never_polled_says_what_would_fill_the_page() -> None:
    empty = health(verdict=None, components=(), targets=(), lately=(), uptime=())
    dead = replace(empty, header=replace(header(State.UNKNOWN), collector=replace(empty.header.collector, alive=False)))
    assert "? Not judged yet: nothing was ever polled." in page(dead) and "radar doctor" in page(dead)
    assert "the first round is being polled" in page(empty)


def test_an_error_stands_beside_the_last_value_where_there_is_room_and_never_over_the_strip() -> None:
    rows = tuple(replace(row, error="timeout after 4 s") if row.key == "vercel" else row for row in health().components)
    for width, told in ((80, False), (120, True)):
        line = next(line for line in page(health(components=rows), width=width).splitlines() if "vercel" in line)
        assert "live 8f3c1d2" in line and "20 s" in line and "·" * 15 in line
        assert ("timeout after 4 s" in line) == told
    bare = tuple(replace(row, figure="") for row in rows)
    assert "timeout after 4 s" in page(health(components=bare))


def test_a_stale_verdict_says_when_it_was_judged() -> None:
    stale = health(header=header(State.STALE))
    assert "judged <5 s ago, not since" in page(stale)
    assert "not since" not in page(health())


def test_unknown_targets_show_the_probes_figure_aside() -> None:
    rows = tuple(replace(row, aside="probe: 1,840 ms") if row.name == "memory" else row for row in health().targets)
    assert "? probe 1,840 ms" in page(health(targets=rows))
    assert "? unknown (probe: 1,840 ms)" in page(health(targets=rows), width=120)


def test_rows_of_targets_that_are_no_longer_kept_up_are_stale_with_their_age() -> None:
    rows = tuple(replace(row, state=State.STALE, seen_ms=NOW - 3 * M) for row in well().targets)
    shown = page(replace(well(), targets=rows))
    assert "… 96 ms      3 m" in shown and "… 0.1 %      3 m" in shown
    aside = replace(rows[0], value=None, aside="probe: 1,840 ms")
    assert "… stale (probe: 1,840 ms) 3 m" in page(replace(well(), targets=(aside,)), width=120)


def test_no_row_of_targets_is_of_now_when_nobody_judges() -> None:
    view = well()
    view = replace(view, header=replace(view.header, state=State.STALE), verdict_ms=NOW - 25 * S)
    assert "… 96 ms     25 s" in page(view) and "… 96 ms" not in page(well())


def test_a_lower_bound_is_told_as_one() -> None:
    rows = tuple(replace(row, at_least=True) for row in well().targets)
    assert "≥96 ms" in page(replace(well(), targets=rows))
    assert ">=96 ms" in page(replace(well(), targets=rows), glyphs=ASCII)


def test_the_selected_line_has_a_bar() -> None:
    assert "\n▌database" in page(health())


def test_the_ascii_set_leaves_no_other_sign() -> None:
    assert page(health(), glyphs=ASCII).isascii()


@pytest.mark.parametrize(("width", "shown"), [(80, (80, 0, 0)), (139, (139, 0, 0))])
def test_narrow_pages_have_one_column(width: int, shown: tuple[int, int, int]) -> None:
    widths = columns(width, 21)
    assert (widths.main, widths.detail, widths.lately) == shown


@pytest.mark.parametrize("width", range(140, 260, 7))
@pytest.mark.parametrize("height", [21, 56])
def test_wide_pages_use_the_whole_width(width: int, height: int) -> None:
    widths = columns(width, height)
    used = widths.main + 2 + widths.detail + (2 + widths.lately if widths.lately else 0)
    assert used == width and widths.detail >= 40 and (widths.lately > 0) == (width >= 180 and height < 40)


def test_on_a_low_page_the_third_column_shows_what_happened_lately() -> None:
    lines = page(health(), width=200, height=30).splitlines()
    assert any("LATELY" in line and "COMPONENT" in line for line in lines)
    assert all(event.text.split()[0] in "\n".join(lines) for event in EVENTS)


def test_on_a_tall_page_lately_stands_uncut_below_the_tables_and_strips_are_long() -> None:
    event = replace(EVENTS[0], text="a long story of what happened " * 3 + "and its end")
    lines = page(health(60, lately=(event, *EVENTS)), width=200, height=56).splitlines()
    assert any(line.startswith(" LATELY") and "and its end" in line for line in lines)
    assert any("·" * 28 + "x" * 32 in line for line in lines)


def test_text_from_outside_cannot_move_the_cursor() -> None:
    rows = tuple(replace(row, figure="\x1b[2J\x1b]0;owned\x07") for row in health().components)
    shown = page(health(components=rows))
    assert "\x1b" not in shown and "␛[2J" in shown


def test_markup_is_only_text() -> None:
    rows = tuple(replace(row, figure="[/] [bold]$primary") for row in health().components)
    assert "[/] [bold]$primary" in page(health(components=rows))
