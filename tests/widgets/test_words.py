"""Times and numbers as people read them."""

from __future__ import annotations

import pytest

from console.model.words import window_words
from widgets import words

NOW = 1_763_781_164_000  # 2025-11-22 03:12:44 UTC


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "<5 s"),
        (4.9, "<5 s"),
        (7, "5 s"),
        (59, "55 s"),
        (60, "1 m"),
        (3599, "59 m"),
        (7200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_durations_step_by_five_seconds_and_have_one_unit(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_an_age_in_the_future_is_none() -> None:
    assert words.age(NOW, NOW + 60_000) == "<5 s"
    assert words.age(NOW, None) == "-"


def test_on_the_same_date_the_time_of_day_else_with_its_date_then_the_date() -> None:
    assert words.when(NOW - 3_600_000, NOW) == "02:12"
    assert words.when(NOW + 3_600_000, NOW) == "04:12"
    assert words.when(NOW - 90_000_000, NOW) == "21 Nov 02:12", "as any other moment of that date"
    assert words.when(NOW - 180_000_000, NOW) == "20 Nov"
    assert words.when(NOW - 23 * 3_600_000, NOW) == "21 Nov 04:12", "a time of day that is still to come today"
    assert words.when(NOW + 21 * 3_600_000, NOW) == "23 Nov 00:12"


@pytest.mark.parametrize("at_ms", [-1, 0, 10**17])
def test_impossible_moments_are_shown_not_raised(at_ms: int) -> None:
    assert words.full(at_ms)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1840, "ms", "1,840 ms"),
        (12.04, "ms", "12 ms"),
        (6.12, "ms", "6.1 ms"),
        (9.96, "ms", "10 ms"),
        (0.0021, "share", "0.21 %"),
        (0.38, "share", "38 %"),
        (None, "ms", "?"),
        (54, "", "54"),
        (25_276_510_208, "B", "23.5 GiB"),
        (1023, "B", "1.0 KiB"),
        (512, "B", "512 B"),
        (999 * 1024, "B", "999 KiB"),
    ],
)
def test_figures(value: float | None, unit: str, text: str) -> None:
    assert words.figure(value, unit) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.99996, 2, "99.99 %"),
        (1.0, 2, "100 %"),
        (0.999, 2, "99.9 %"),
        (0.982, 1, "98.2 %"),
        (0.0, 1, "0 %"),
        (None, 2, "?"),
    ],
)
def test_shares_are_never_rounded_up(value: float | None, digits: int, text: str) -> None:
    assert words.share(value, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(300, "5 min"), (86_400, "24 h"), (604_800, "7 d"), (7, "7 s"), (1800, "30 min")]
)
def test_configured_lengths_are_exact(seconds: float, text: str) -> None:
    assert window_words(seconds) == text
