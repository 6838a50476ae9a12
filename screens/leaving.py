"""Quitting asks once while an action that this console began is running, or a note is not sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.model.ports import StoreReads

if TYPE_CHECKING:  # the page imports no host that would import this
    from screens.page import Page

AGAIN_S = 10.0
"""The second press counts for as long as the words of the first one stand."""


class Leaving:
    """Remembers the first press."""

    def __init__(self) -> None:
        self._asked_s: float | None = None

    def ask(self, page: Page[object], leave: Callable[[], None]) -> None:
        """Leave, or say why to press again. A store that hangs holds up nobody: the second press leaves."""
        host = page.host
        asked, now_s = self._asked_s, time.monotonic()
        again = asked is not None and now_s - asked < AGAIN_S
        if again or not (host.begun or host.session.note):
            leave()
            return
        self._asked_s = now_s
        if host.begun:
            begun = frozenset(host.begun)
            page.say("an action that was begun here may be running: q again quits; the action goes on")
            host.feed.ask(page, lambda reads: still_open(reads, begun), lambda found: self._found(page, found, leave))
        else:
            page.say("a note is begun and not sent: q again quits; it is kept, i opens it")

    def _found(self, page: Page[object], found: frozenset[str], leave: Callable[[], None]) -> None:
        host = page.host
        host.begun &= found
        if not host.begun and not host.session.note:
            leave()


def still_open(reads: StoreReads, tokens: frozenset[str]) -> frozenset[str]:
    """Those runs that are not at their end; one that the store does not know is taken for open."""
    from console.model.actions import OPEN_OUTCOMES

    runs = {token: reads.run(token, None).run for token in tokens}
    return frozenset(token for token, run in runs.items() if run is None or run.outcome in OPEN_OUTCOMES)
