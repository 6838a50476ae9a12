"""Ending a run by hand, whose runner is gone or whose outcome nobody knows: a page that returns the reason."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from console.model.actions import REASON_LIMIT
from screens.page import Page
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import Line, Span, blank, cut, wrap

_TOLD = (
    "Nothing is changed outside, and nobody looks after it any more: what it had changed stays as it is. Look at the "
    "system itself first; the plan's escape card has the commands. Going on (R) reads the remote state and is better "
    "where it can be told."
)


class ClosePage(Page[str | None]):
    """Returns the reason, None when left."""

    NAME = "close-run"
    AUTO_FOCUS = "#reason"

    def __init__(self, called: str) -> None:
        """`called`: which run, in words."""
        super().__init__()
        self.about = f"Close {called} by hand"
        self.problem = ""

    def extra(self) -> Iterable[Widget]:
        yield Field("why it is closed, and what you saw, for those who come after", id="reason", longest=REASON_LIMIT)

    def keys(self) -> list[Key]:
        return [Key("enter", "close it"), Key("esc", "leave")]

    def body(self, width: int, height: int) -> list[Line]:
        lines = [blank(width), *(cut([Span(f" {row}", "strong")], width) for row in wrap(self.about, width - 2))]
        lines += [blank(width), *(cut([Span(f" {row}", "dim")], width) for row in wrap(_TOLD, width - 2))]
        if self.problem:
            lines += [blank(width), cut([Span(f" {self.problem}", "warn")], width)]
        return lines

    def on_input_submitted(self, event: Field.Submitted) -> None:
        """Give the reason back, if there is one."""
        reason = event.value.strip()
        if not self.host.moment.live:
            self._refuse("Not live: actions are off until the console is live again (esc, then L).")
        elif not reason:
            self._refuse("A reason is needed: it stands in journal and audit.")
        else:
            self.dismiss(reason)

    def _refuse(self, words: str) -> None:
        self.problem = words
        self.paint()
