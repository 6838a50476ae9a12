"""Whether what a window of minutes is over still goes on: the short window of the alerts of "The Site Reliability
Workbook", chapter 5. After a fault was mended the long window is full of it still; that must not begin an alert."""

from __future__ import annotations

from collections.abc import Callable

PARTS_S = (15.0, 30.0, 60.0, 120.0)
"""The newest part of the window, the shortest that proves anything."""
EXPECTED = 3.0
"""At the window's own share so many failures would be in the part: that none is there has a chance of e⁻³ (5 %)."""
ENOUGH = 10
"""Of so many latencies a mean is more than chance."""


def share_goes_on(share: float | None, limit: float, part: Callable[[float], tuple[float, float]]) -> bool:
    """Whether the newest part is over the limit, too. `part`: failures, and of how many, in the last seconds. Where
    even the longest part holds too few to tell, it is taken to go on."""
    for seconds in PARTS_S if share is not None and share > limit else ():
        failures, count = part(seconds)
        if count * (share or 0.0) >= EXPECTED:
            return failures / count > limit
    return True


def mean_goes_on(limit: float, part: Callable[[float], tuple[float | None, float]]) -> bool:
    """The same for a mean. `part`: the mean, where it is known, and of how many."""
    for seconds in PARTS_S:
        mean, count = part(seconds)
        if mean is not None and count >= ENOUGH:
            return mean > limit
    return True
