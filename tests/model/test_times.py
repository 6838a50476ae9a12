"""Moments and durations as typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.times import LONGEST_S, ago, clock, date_time, iso, parse_duration, parse_moment

NOW_MS = 1_795_144_364_500  # 2026-11-20T03:12:44.5Z
DAY_MS = 86_400_000


def test_now_is_what_the_cases_below_assume() -> None:
    assert iso(NOW_MS) == "2026-11-20T03:12:44Z"
    assert clock(NOW_MS) == "03:12:44"
    assert date_time(NOW_MS) == "2026-11-20 03:12"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-11-20T03:04Z", "2026-11-20T03:04:00Z"),
        ("2026-11-20T03:04:05z", "2026-11-20T03:04:05Z"),
        ("2026-11-20 03:04", "2026-11-20T03:04:00Z"),
        ("2026-11-20 03:04 UTC", "2026-11-20T03:04:00Z"),
        ("2026-11-20T04:04+01:00", "2026-11-20T03:04:00Z"),
        ("2026-11-19", "2026-11-19T00:00:00Z"),
        ("03:04", "2026-11-20T03:04:00Z"),
        ("3:04", "2026-11-20T03:04:00Z"),
        ("03:12:44", "2026-11-20T03:12:44Z"),
        ("03:13", "2026-11-19T03:13:00Z"),  # not yet today: the last one was yesterday
        ("yesterday 03:04", "2026-11-19T03:04:00Z"),
        ("  Yesterday   03:04 ", "2026-11-19T03:04:00Z"),
        ("yesterday", "2026-11-19T00:00:00Z"),
        ("today 03:04", "2026-11-20T03:04:00Z"),
        ("-2h", "2026-11-20T01:12:44Z"),
        ("-1d 2h", "2026-11-19T01:12:44Z"),
        ("now", "2026-11-20T03:12:44Z"),
    ],
)
def test_a_moment_is_read_as_a_person_means_it(typed: str, expected: str) -> None:
    assert iso(parse_moment(typed, NOW_MS)) == expected


@pytest.mark.parametrize(
    "typed",
    ["", "-", "2h", "25:00", "03:61", "2026-13-01", "soon", "-2", "-99999w", "0001-01-01", "1969-12-31", "١٢:٣٠"],
)
def test_what_is_no_moment_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is|longer"):
        parse_moment(typed, NOW_MS)


def test_the_future_is_refused_unless_asked_for() -> None:
    with pytest.raises(ValueError, match="has not come yet"):
        parse_moment("2026-11-21", NOW_MS)
    with pytest.raises(ValueError, match="has not come yet"):
        parse_moment("today 04:00", NOW_MS)
    assert iso(parse_moment("2026-11-21", NOW_MS, future=True)) == "2026-11-21T00:00:00Z"


@pytest.mark.parametrize(
    ("typed", "expected_s"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), ("1w", 604800), ("1h30m", 5400), (" 1 h ", 3600)],
)
def test_a_duration_is_read(typed: str, expected_s: int) -> None:
    assert parse_duration(typed) == expected_s


@pytest.mark.parametrize("typed", ["", "2", "h", "-2h", "1.5h", "0m", "1y", "11000d", "9999999999s"])
def test_what_is_no_duration_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(typed)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 m"),
        (3599, "59 m"),
        (3600, "1 h"),
        (86399, "23 h"),
        (86400 * 12, "12 d"),
    ],
)
def test_an_age_has_one_unit(seconds: float, words: str) -> None:
    assert ago(seconds) == words


@given(st.integers(min_value=0, max_value=NOW_MS // 1000))
def test_a_written_moment_is_read_back(second: int) -> None:
    assert parse_moment(iso(second * 1000), NOW_MS) == second * 1000


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    try:
        moment_ms = parse_moment(text, NOW_MS)
    except ValueError:
        return
    assert 0 <= moment_ms <= NOW_MS


@given(st.text(alphabet="0123456789smhdw ", max_size=20))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        duration_s = parse_duration(text)
    except ValueError:
        return
    assert 0 < duration_s <= LONGEST_S
