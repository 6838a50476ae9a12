"""Uptime over windows: the share of observed time that the application was up, and the share that was observed."""

from __future__ import annotations

from console.model.views import UptimeCell
from console.store.moment import Moment

WINDOWS_S = (86_400, 7 * 86_400, 30 * 86_400)


def unknown(target_share: float) -> tuple[UptimeCell, ...]:
    """Nothing was observed."""
    return tuple(cell(window_s, 0.0, 0.0, 0.0, target_share) for window_s in WINDOWS_S)


def cell(window_s: int, n: float, up: float, minutes: float, target_share: float) -> UptimeCell:
    """`n` samples, `up` of them 1, in `minutes` minutes that have any."""
    return UptimeCell(
        window_s=window_s,
        up_share=None,
        observed_share=0.0,
        target_share=target_share,
        budget_left_share=None,
    )


def cells(moment: Moment, target_share: float) -> tuple[UptimeCell, ...]:
    """Uptime of each window."""
    return unknown(target_share)
