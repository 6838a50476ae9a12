"""Times, durations and numbers as people read them. UTC; never more digits than are known."""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
STEP_S = 5
"""Ages under a minute step by this, so that an idle page repaints no more often than the collector polls."""


def duration(seconds: float) -> str:
    """A length of time in one unit: `8 m`, `3 h`, `12 d`; under a minute in steps of five seconds."""
    if seconds < STEP_S:
        return f"<{STEP_S} s"
    if seconds < MINUTE_S:
        return f"{int(seconds // STEP_S * STEP_S)} s"
    if seconds < HOUR_S:
        return f"{int(seconds // MINUTE_S)} m"
    if seconds < 2 * DAY_S:
        return f"{int(seconds // HOUR_S)} h"
    return f"{int(seconds // DAY_S)} d"


def age(now_ms: int, then_ms: int | None) -> str:
    """How long ago, or `-` when never."""
    return "-" if then_ms is None else duration(max(0, now_ms - then_ms) / 1000)


def _utc(at_ms: int) -> datetime:
    # Beyond the years that datetime knows (a corrupt row) the nearest known moment is shown.
    return datetime.fromtimestamp(min(max(at_ms, 0), 253_402_300_799_000) / 1000, UTC)


def clock(at_ms: int, seconds: bool = False) -> str:
    """The time of day: `03:04` or `03:04:05`."""
    return f"{_utc(at_ms):%H:%M:%S}" if seconds else f"{_utc(at_ms):%H:%M}"


def day(at_ms: int) -> str:
    """The date without the year: `22 Nov`."""
    moment = _utc(at_ms)
    return f"{moment.day} {moment:%b}"


def when(at_ms: int, now_ms: int) -> str:
    """The time of day on the same date (UTC); with its date on the one before and after; else the date alone. So two
    moments of one date are told alike."""
    days = abs((_utc(at_ms).date() - _utc(now_ms).date()).days)
    if days == 0:
        return clock(at_ms)
    return f"{day(at_ms)} {clock(at_ms)}" if days == 1 else day(at_ms)


def full(at_ms: int) -> str:
    """The whole moment: `2026-11-22 03:04:05 UTC`."""
    return f"{_utc(at_ms):%Y-%m-%d %H:%M:%S} UTC"


_SHORT_FROM = 1e15
"""Numbers from here on are written with a power of ten."""


def power(text: str) -> str:
    """A number with a power of ten as short as it can be: `1e300` for `1e+300`, `1e-4` for `1e-04`."""
    mantissa, sign, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if sign else text


def number(value: float) -> str:
    """Two figures below ten, whole numbers above, thousands by comma: `0.2`, `6.1`, `97`, `1,840`; `1e300`."""
    size = abs(value)
    if size >= _SHORT_FROM:
        return power(f"{value:.2g}")
    if size >= 9.95 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 1 else f"{value:.2g}"


def figure(value: float | None, unit: str) -> str:
    """A value with its unit, `?` when it is not known. A `share` is shown in per cent."""
    if value is None:
        return "?"
    if unit == "share":
        return f"{number(value * 100)} %"
    if unit == "B":
        return size(value)
    return f"{number(value)} {unit}".rstrip()


def size(value_bytes: float) -> str:
    """An amount of memory or disk: `512 B`, `23.5 GiB`; one decimal below a hundred."""
    value, unit = float(value_bytes), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        # From 999.5 on it would be written with four digits.
        if abs(value) < 999.5 or unit == "TiB":
            break
        value /= 1024
    digits = 0 if unit == "B" or abs(value) >= 99.95 else 1
    return f"{value:,.{digits}f} {unit}"


def share(value: float | None, digits: int = 2) -> str:
    """A share in per cent with up to `digits` decimals, rounded down so that 99.996 % is not called 100 %."""
    if value is None:
        return "?"
    scale = 10**digits
    floored = int(value * 100 * scale + 1e-6) / scale
    text = f"{floored:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text} %"
