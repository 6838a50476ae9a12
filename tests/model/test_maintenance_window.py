"""The regular window of SU1: monthly, 02:00 UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.maintenance_window import window
from console.model.operations import Maintenance

SETTINGS = Maintenance(provider="hook")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-11-23 03:04", "2026-12-01 02:00"),
        ("2026-12-01 01:59:59", "2026-12-01 02:00"),
        ("2026-12-01 02:00", "2026-12-01 02:00"),
        ("2026-12-01 03:59:59", "2026-12-01 02:00"),
        ("2026-12-01 04:00", "2027-01-01 02:00"),
        ("2026-12-31 23:59", "2027-01-01 02:00"),
    ],
)
def test_the_window_that_is_now_or_comes_next(now: str, start: str) -> None:
    assert shown(window(ms(now), SETTINGS).start_ms) == start
    assert shown(window(ms(now), None).start_ms) == start, "what SU1 promises, where nothing is configured"


def test_a_day_that_the_month_has_not_is_its_last() -> None:
    settings = replace(SETTINGS, window_day=31)
    assert shown(window(ms("2026-02-03 00:00"), settings).start_ms) == "2026-02-28 02:00"
    assert shown(window(ms("2028-02-03 00:00"), settings).start_ms) == "2028-02-29 02:00"


def test_one_that_reaches_into_the_next_month_still_holds_there() -> None:
    settings = replace(SETTINGS, window_day=31, window_hour=23, window_minutes=180)
    found = window(ms("2026-12-01 01:00"), settings)
    assert shown(found.start_ms) == "2026-11-30 23:00" and found.holds(ms("2026-12-01 01:00"))


def test_its_words_count_down() -> None:
    assert window(ms("2026-11-23 03:04"), SETTINGS).words(ms("2026-11-23 03:04")) == (
        "2026-12-01 02:00 to 04:00 UTC, in 7 d"
    )
    now = ms("2026-12-01 03:20")
    assert window(now, SETTINGS).words(now) == "2026-12-01 02:00 to 04:00 UTC, now, 40 m left"


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 31), st.integers(0, 23), st.integers(1, 24 * 60))
def test_it_never_lies_in_the_past_and_is_at_most_a_month_away(at_ms: int, day: int, hour: int, minutes: int) -> None:
    found = window(at_ms, replace(SETTINGS, window_day=day, window_hour=hour, window_minutes=minutes))
    assert found.end_ms > at_ms and found.start_ms - at_ms <= 31 * 86_400_000
    assert found.end_ms - found.start_ms == minutes * 60_000
