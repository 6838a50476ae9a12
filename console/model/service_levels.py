"""What Health and the SLO board agree on. Apart, since every start of the console pays for what Health imports."""

from __future__ import annotations

SLO_WINDOWS_S = (300, 3_600, 86_400, 2_592_000)
"""The windows of the SLO board; error budgets are those of the last."""
ENOUGH_SHARE = 0.5
"""Less than half of a window says nothing of the window: its figures, its budget and its burn rate are unknown."""


def budget_share(good_share: float, objective: float) -> float | None:
    """What is left of an error budget: 1 untouched, 0 used up, below 0 overdrawn; None: nothing may fail."""
    allowed = 1 - objective
    return 1 - (1 - good_share) / allowed if allowed > 0 else None
