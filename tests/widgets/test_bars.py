"""Header, ledger or banner, footer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console.model.observation import Origin
from console.model.states import State
from console.model.views import CollectorStatus, Header, OpenItem, Reason
from tests.screens.sample import GOOD, NOW, M, S, header
from widgets.bars import Bars, Key, Moment, footer_line, header_line, notice_line, small_lines
from widgets.glyphs import UNICODE
from widgets.ledger_lines import ledger_rows
from widgets.lines import Line, plain, width_of

REASONS = tuple(
    Reason(key=words, state=state, component="x", text=words, since_ms=None, origin=Origin.PROBE)
    for words, state in (("routes are down", State.UNHEALTHY), ("connections run out", State.DEGRADED))
)


def bars(of: Header | None = None, **more: object) -> Bars:
    base = Bars(environment="production", header=of or header(), moment=Moment(now_ms=NOW))
    return base._replace(**more)  # type: ignore[arg-type]


def text(line: Line) -> str:
    return plain([line]).rstrip("\n")


def test_the_header_names_place_state_alerts_lateness_and_moment() -> None:
    shown = " ".join(text(header_line(bars(), 80)).split())
    assert shown == "production=abcdref ✗ UNHEALTHY 2 alerts 2/14 late LIVE 03:12:40 UTC"


REF = "abcdefghijklmnopqrst"
"""A Supabase project's ref has twenty letters."""


def shown_at(width: int, role: str, armed_m: int | None = None, **changes: Any) -> str:
    until_ms = None if armed_m is None else NOW + armed_m * M
    of = header(identity=REF, armed_until_ms=until_ms, **changes)
    return text(header_line(bars(of, role=role), width))


def test_the_role_has_room_at_80_columns_the_end_of_the_identity_gives_way() -> None:
    assert shown_at(80, "OPERATOR").split() == [
        "production=abcdefg…", "✗", "UNHEALTHY", "2", "alerts", "2/14", "late", "OPERATOR", "LIVE", "03:12:40",
    ]  # fmt: skip
    wide = shown_at(120, "OPERATOR")
    assert f"production={REF} " in wide and "OPERATOR" in wide and "LIVE 03:12:40 UTC" in wide


def test_how_long_one_is_armed_stands_at_80_columns_whatever_else_is_told() -> None:
    assert "armed 12 m" in shown_at(80, "OPERATOR", 12)
    worst = shown_at(80, "OPERATOR", 12, alerts_firing=12, sources_late=12, sources=30)
    assert "armed 12 m" in worst and "12 alerts" in worst and "12 late  armed 12 m    LIVE 03:12" in worst
    assert "OPERATOR armed 12 m" in shown_at(100, "OPERATOR", 12)


def test_an_identity_that_is_not_the_configured_one_is_never_cut() -> None:
    assert f"production={REF} " in shown_at(80, "OPERATOR", identity_mismatch="another project")
    assert f"production={REF} " in shown_at(80, "")


def test_a_collector_that_starts_is_told_with_the_age_of_what_is_shown() -> None:
    dead = replace(header().collector, alive=False, renewed_age_s=7200.0)
    told = text(notice_line(bars(header(collector=dead, open_items=()), starting=True), 80))
    assert told.strip().startswith("! the collector is starting: shown is what was stored 2 h ago")
    assert "nothing is polled" not in told
    never = replace(dead, renewed_age_s=None)
    told = text(notice_line(bars(header(collector=never, open_items=()), starting=True), 80))
    assert "the collector is starting: nothing is stored yet" in told
    assert "no collector for 2 h: nothing is polled" in text(notice_line(bars(header(collector=dead)), 120))


def test_before_the_first_read_the_state_is_unknown_not_well() -> None:
    shown = text(header_line(bars(header=None), 80))
    assert "? UNKNOWN" in shown and "alerts" not in shown


def test_a_demo_is_labelled() -> None:
    assert "production demo" in text(header_line(bars(header(label="demo", identity=None)), 80))
    assert "demo demo" not in text(header_line(bars(header(label="demo", environment="demo", identity=None)), 80))


def test_the_clock_steps_by_five_seconds_when_live_and_is_exact_when_not() -> None:
    assert "LIVE 03:12:40 UTC" in text(header_line(bars(), 80))
    past = Moment(now_ms=NOW, at_ms=NOW - 8 * M + 3 * S)
    assert "AT 22 Nov 03:04:47 UTC" in text(header_line(bars(moment=past), 80))
    assert "PAUSED 03:12:44 UTC" in text(header_line(bars(moment=Moment(now_ms=NOW, paused_ms=NOW)), 80))


def test_not_live_is_a_banner_over_the_full_width_with_the_reason() -> None:
    line = notice_line(bars(moment=Moment(now_ms=NOW, at_ms=NOW - 8 * M)), 80)
    assert width_of(line) == 80 and {span.back for span in line} == {"banner"}
    assert "NOT LIVE" in text(line) and "8 m ago" in text(line) and "actions are off" in text(line)


def test_the_second_line_is_empty_when_nothing_is_abnormal() -> None:
    assert text(notice_line(bars(header(open_items=())), 80)) == ""


def test_a_maintenance_past_its_planned_end_comes_first_and_in_the_colour_of_a_warning() -> None:
    silence = OpenItem(kind="silence", text="SILENCE memory", owner="op2", expires_ms=NOW - 12 * M)
    left = OpenItem(kind="maintenance", text="of production: back soon", owner="op1", expires_ms=NOW - 12 * M)
    line = notice_line(bars(header(open_items=(silence, left))), 80)
    assert text(line).startswith(" ! MAINTENANCE 12 m past its planned end by op1   ! SILENCE memory by")
    loud = [span.text.strip() for span in line if span.tone == "warn"]
    assert loud == ["!", "MAINTENANCE 12 m past its planned end by op1", "!"]
    within = replace(left, expires_ms=NOW + 12 * M)
    quiet = notice_line(bars(header(open_items=(silence, within))), 80)
    assert [span.text.strip() for span in quiet if span.tone == "warn"] == ["!", "!"]
    rows = [text(row) for row, _ in ledger_rows(header(open_items=(left,)), 80, NOW, UNICODE, None)]
    assert "12 m past" in rows[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity_mismatch": "expected abcdref, observed xyz"}, "observed xyz"),
        ({"collector": CollectorStatus(alive=False, renewed_age_s=40)}, "no collector for 40 s: nothing is polled"),
        (
            {"collector": CollectorStatus(alive=True, difference="another database")},
            "collector differs: another database",
        ),
        ({"collector": CollectorStatus(alive=True, last_error="the disk is full")}, "collector: the disk is full"),
    ],
)
def test_what_is_abnormal_is_folded_into_the_second_line(changes: dict[str, object], words: str) -> None:
    assert words in text(notice_line(bars(replace(header(), **changes)), 120))  # type: ignore[arg-type]


def test_an_unreadable_store_comes_before_all_else() -> None:
    assert text(notice_line(bars(trouble="the store is damaged"), 80)).startswith(" ! the store is damaged")


def test_what_could_not_be_read_is_not_called_live() -> None:
    assert "LAST READ 03:12:44 UTC" in text(header_line(bars(trouble="damaged"), 80))
    assert "NOT READ" in text(header_line(bars(header=None, trouble="damaged"), 80))


def test_what_the_last_act_came_to_stands_in_the_footer() -> None:
    keys = [Key("q", "quit"), Key("a", "act", enabled=False)]
    assert text(footer_line(keys, None, 80, UNICODE)) == " q quit  a act"
    assert text(footer_line(keys, "copied 3 lines", 80, UNICODE)) == " copied 3 lines"
    assert [span.tone for span in footer_line(keys, None, 80, UNICODE) if span.text == "a"] == ["dim"]


def test_a_footer_without_room_leaves_out_what_is_not_needed_to_leave() -> None:
    keys = [Key(str(number), "screen") for number in range(6)]
    keys += [Key(":", "go"), Key("?", "help"), Key("q", "quit")]
    assert text(footer_line(keys, None, 60, UNICODE)).endswith("2 screen  : go  ? help  q quit")
    assert "5 screen" in text(footer_line(keys, None, 90, UNICODE))


@pytest.mark.parametrize("width", [5, 20, 59])
def test_a_small_terminal_is_told_the_state_first(width: int) -> None:
    for height in (1, 3, 6, 15):
        lines = small_lines(bars(), REASONS, width, height, (60, 16))
        assert {width_of(line) for line in lines} == {width} or height == 1
        assert text(lines[0]).startswith("✗") and len(lines) <= height
        told = "\n".join(map(text, lines))
        assert ("60×16" in told and "q quits" in told) or height == 1 or width < 20


def test_a_small_terminal_tells_the_worst_reasons_that_fit() -> None:
    told = [text(line).rstrip() for line in small_lines(bars(), REASONS, 40, 4, (60, 16))]
    assert told[1:] == ["✗ x: routes are down", "▲ x: connections run out", "too small: 60×16 needed; q quits"]
    assert "damaged" not in str(small_lines(bars(header(GOOD), trouble="damaged"), REASONS, 40, 4, (60, 16)))


def test_an_unreadable_store_leaves_no_state_of_now() -> None:
    shown = text(header_line(bars(header(GOOD), trouble="damaged"), 80))
    assert "… STALE" in shown and "HEALTHY" not in shown
    assert text(small_lines(bars(header(GOOD), trouble="damaged"), (), 40, 6, (60, 16))[0]).startswith("…")


def test_the_condition_is_not_cut_for_a_moment_that_the_banner_tells() -> None:
    past = Moment(now_ms=NOW, at_ms=NOW - 8 * M)
    long = header(environment="tabletalk-production", label="demo", sources=22, sources_late=0)
    assert "0/22 late" in text(header_line(bars(long, moment=past), 80))
    assert "AT 22 Nov" in text(header_line(bars(moment=past), 80))


def test_the_state_word_is_loud_only_in_the_header() -> None:
    assert State.UNHEALTHY.value.upper() in text(header_line(bars(), 80))
