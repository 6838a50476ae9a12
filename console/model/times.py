"""Moments and durations as people type and read them: ms since epoch, seconds, clock times in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
LONGEST_S = 3660 * DAY_S
"""Ten years: longer durations are typing errors, and keep every sum within what datetime can hold."""

MOMENT_FORMS = "2026-11-20T03:04Z, 2026-11-20 03:04, 03:04, yesterday 03:04, -2h"
DURATION_FORMS = "90s, 30m, 2h, 1d, 1w, 1h30m"

_UNITS_S = {"s": 1, "m": MINUTE_S, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S}
_DURATION = re.compile(r"(?:\d{1,9}\s*[smhdw]\s*)+", re.ASCII)
_PART = re.compile(r"(\d{1,9})\s*([smhdw])", re.ASCII)
_CLOCK = re.compile(r"(?:(yesterday|today)\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:z|utc)?", re.ASCII)
_DAYS_BACK = {"today": 0, "yesterday": 1}


def parse_duration(text: str) -> int:
    """Seconds of `90s`, `30m`, `2h`, `1d`, `1w` or a sum such as `1h30m`. Raises ValueError, in words, for others."""
    typed = text.strip().lower()
    if not _DURATION.fullmatch(typed):
        raise ValueError(f"{text!r} is no duration; write one such as {DURATION_FORMS}")
    total_s = sum(int(count) * _UNITS_S[unit] for count, unit in _PART.findall(typed))
    if total_s == 0:
        raise ValueError(f"{text!r} is no time at all; write one such as {DURATION_FORMS}")
    if total_s > LONGEST_S:
        raise ValueError(f"{text!r} is longer than ten years")
    return total_s


def parse_moment(text: str, now_ms: int, *, future: bool = False) -> int:
    """The moment, in ms since epoch, that a person means by `text` at `now_ms`.

    Clock times without a zone are UTC; a bare `03:04` is the last one before now. Raises ValueError, in words,
    for what is no moment, and for one after `now_ms` unless `future`.
    """
    typed = " ".join(text.split()).lower()
    moment_ms = _relative(typed, now_ms) if typed.startswith("-") or typed == "now" else _absolute(typed, text, now_ms)
    if moment_ms < 0:
        raise ValueError(f"{text!r} is before 1970")
    if moment_ms > now_ms and not future:
        raise ValueError(f"{text!r} is {date_time(moment_ms)} UTC, which has not come yet")
    return moment_ms


def _relative(typed: str, now_ms: int) -> int:
    return now_ms if typed == "now" else now_ms - 1000 * parse_duration(typed[1:])


def _absolute(typed: str, text: str, now_ms: int) -> int:
    if match := _CLOCK.fullmatch(typed):
        return _clock_time(match, text, now_ms)
    if typed in _DAYS_BACK:
        return _to_ms(_midnight(now_ms) - timedelta(days=_DAYS_BACK[typed]))
    return _iso_time(typed, text)


def _clock_time(match: re.Match[str], text: str, now_ms: int) -> int:
    day, hour, minute, second = match.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise ValueError(f"{text!r} is no time of day")
    moment = _midnight(now_ms) + timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0))
    moment_ms = _to_ms(moment - timedelta(days=_DAYS_BACK.get(day or "today", 0)))
    return moment_ms - 1000 * DAY_S if day is None and moment_ms > now_ms else moment_ms


def _iso_time(typed: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(typed.removesuffix("utc").strip().upper())
        return _to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no moment; write one such as {MOMENT_FORMS}") from None


def _midnight(now_ms: int) -> datetime:
    return _from_ms(now_ms).replace(hour=0, minute=0, second=0, microsecond=0)


def _from_ms(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _to_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def ago(seconds: float) -> str:
    """How long, in the largest whole unit: `4 s`, `8 m`, `3 h`, `12 d`. A negative age (clock set back) reads `0 s`."""
    whole_s = max(0, int(seconds))
    if whole_s < MINUTE_S:
        return f"{whole_s} s"
    if whole_s < HOUR_S:
        return f"{whole_s // MINUTE_S} m"
    if whole_s < DAY_S:
        return f"{whole_s // HOUR_S} h"
    return f"{whole_s // DAY_S} d"


def clock(at_ms: int) -> str:
    """`HH:MM:SS` in UTC."""
    return f"{_from_ms(at_ms):%H:%M:%S}"


def date_time(at_ms: int) -> str:
    """`YYYY-MM-DD HH:MM` in UTC."""
    return f"{_from_ms(at_ms):%Y-%m-%d %H:%M}"


def iso(at_ms: int) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ`, for JSON and for typing back after `--at`."""
    return f"{_from_ms(at_ms):%Y-%m-%dT%H:%M:%SZ}"
