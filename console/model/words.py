"""Figures as people read them: one unit, thousands by comma, no more digits than are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from console.model.times import ago, clock, date_time

DAY_MS = 86_400_000
_FEW = 3


def milliseconds(value: float, *, at_least: bool = False) -> str:
    """`0.8 ms`, `12 ms`, `1,840 ms`; `≥ 10,000 ms` of what is only known to be no less."""
    text = f"{value:.1f} ms" if value < 1 else f"{value:,.0f} ms"
    return f"≥ {text}" if at_least else text


def seconds(value: float) -> str:
    """`12 s`, `3 m`, `2 h`, `12 d`: a duration in its largest whole unit."""
    return ago(value)


def window_words(window_s: float) -> str:
    """A configured length of time, exact: `30 s`, `5 min`, `24 h`, `7 d`."""
    for unit, length, least in (("d", 86_400, 2), ("h", 3600, 1), ("min", 60, 1)):
        if window_s >= least * length and window_s % length == 0:
            return f"{int(window_s // length)} {unit}"
    return f"{window_s:g} s"


def percent(share: float) -> str:
    """`0.4 %`, `7.5 %`, `38 %` of a share from 0 to 1; what is not zero does not read as zero."""
    value = share * 100
    if 0 < value < 0.1:
        return "<0.1 %"
    text = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return f"{text.removesuffix('.0')} %"


def budget_words(left: float) -> str:
    """What is left of an error budget, in whole per cent and rounded down: a budget is never told as more than it is,
    and a little of it does not read as nothing.
    """
    return "<1 %" if 0 < left < 0.01 else f"{math.floor(left * 100 + 1e-6):,} %"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 blocker`, `2 blockers`, `12,000 requests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], few: int = _FEW) -> str:
    """`a, b, c and 5 more`."""
    shown = ", ".join(names[:few])
    return shown if len(names) <= few else f"{shown} and {len(names) - few} more"


def fitted(text: str, width: int) -> str:
    """`text` in at most `width` characters, a cut shown."""
    return text if len(text) <= width else text[: width - 1] + "…"


def time_of_day(at_ms: int, now_ms: int) -> str:
    """`03:04` UTC within a day of `now_ms`, else with its date."""
    if abs(now_ms - at_ms) < DAY_MS:
        return clock(at_ms)[:5]
    return date_time(at_ms)[5:]
