"""The ends of logs that a person asked for on a page: read off the event loop, kept as long as the page, given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.model.inquiries import LogEnd
from console.model.ports import Inquiries, Refused
from screens.page import Page
from widgets.deployment_detail import READING, Log

NONE = "this console asks hosted systems nothing: it was started without inquiries"


class Logs:
    """By key: a log's end, or in words why there is none. Shared by a list and the details that it opens."""

    def __init__(self) -> None:
        self._known: dict[str, LogEnd | str] = {}

    def get(self, key: str) -> Log:
        """What is known of it; None: nobody asked."""
        return self._known.get(key)

    @property
    def reading(self) -> bool:
        """Whether one is being read."""
        return READING in self._known.values()

    def ask(self, page: Page[Any], key: str, read: Callable[[Inquiries], LogEnd], came: Callable[[], None]) -> None:
        """Read it; `came` is called when it is there, or when it is known why not."""
        inquiries = page.host.inquiries
        if inquiries is None:
            page.say(NONE)
        elif self.reading:
            page.say("one is being read: esc gives up")
        else:
            self._known[key] = READING
            page.paint()
            page.host.hands.do(page, lambda: _read(inquiries, read), then=lambda found: self._take(key, found, came))

    def _take(self, key: str, found: LogEnd | str, came: Callable[[], None]) -> None:
        self._known[key] = found
        came()

    def give_up(self, page: Page[Any]) -> bool:
        """End what is being read; whether there was anything."""
        inquiries = page.host.inquiries
        if not self.reading or inquiries is None:
            return False
        inquiries.cancel()
        return True


def _read(inquiries: Inquiries, read: Callable[[Inquiries], LogEnd]) -> LogEnd | str:
    try:
        return read(inquiries)
    except Refused as refusal:
        return f"not read: {refusal}"
