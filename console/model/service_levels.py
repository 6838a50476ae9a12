"""What Health and the SLO board agree on. Apart, since every start of the console pays for what Health imports."""

from __future__ import annotations

SLO_WINDOWS_S = (300, 3_600, 86_400, 2_592_000)
"""The windows of the SLO board; error budgets are those of the last."""
ENOUGH_SHARE = 0.5
"""Less than half of a window says nothing of the window: its figures, its budget and its burn rate are unknown."""
