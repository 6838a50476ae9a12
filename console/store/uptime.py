"""Uptime over windows: the share of observed time that the application was up, and the share that was observed."""

from __future__ import annotations

from console.model.service_levels import ENOUGH_SHARE, budget_share
from console.model.views import UptimeCell
from console.store.moment import Moment
from console.store.window import Series, Tally

WINDOWS_S = (86_400, 7 * 86_400, 30 * 86_400)
UP = "application|up"


def unknown(target_share: float) -> tuple[UptimeCell, ...]:
    """Nothing was observed."""
    return tuple(cell(window_s, Tally(), target_share) for window_s in WINDOWS_S)


def cells(moment: Moment, target_share: float) -> tuple[UptimeCell, ...]:
    """Uptime of each window that ends at the moment."""
    series = Series(moment, UP)
    return tuple(cell(window_s, series.tally(window_s), target_share) for window_s in WINDOWS_S)


def cell(window_s: int, tally: Tally, target_share: float) -> UptimeCell:
    """One window. `tally` is of samples that are 1 while up and 0 while not."""
    observed = min(1.0, tally.minutes / (window_s / 60))
    up = tally.sum / tally.n if tally.n and observed >= ENOUGH_SHARE else None
    return UptimeCell(
        window_s=window_s,
        up_share=up,
        observed_share=observed,
        target_share=target_share,
        budget_left_share=None if up is None else budget_share(up, target_share),
    )
