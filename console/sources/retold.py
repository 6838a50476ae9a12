"""When a list that changes seldom is given to the store, which keeps each one it is given for 48 hours."""

from __future__ import annotations

import time

NEWS_S = 75.0
"""A changed list is given for this long: the store takes one a minute, and drops what comes sooner."""
AGAIN_S = 600.0
"""An unchanged one is given this often, so that at any moment of the last days one was known."""


class Retold:
    """One list of one source."""

    def __init__(self) -> None:
        self._known: object = None
        self._changed_s = self._told_s = float("-inf")

    def is_due(self, value: object, now_s: float | None = None) -> bool:
        """Whether to give it now. `now_s`: on the monotonic clock."""
        now_s = time.monotonic() if now_s is None else now_s
        if value != self._known:
            self._known, self._changed_s = value, now_s
        if now_s - self._changed_s >= NEWS_S and now_s - self._told_s < AGAIN_S:
            return False
        self._told_s = now_s
        return True
