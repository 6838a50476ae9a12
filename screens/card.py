"""The escape card: how to do the same with the vendors' own tools, when this console cannot."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import BindingType

from console.model.actions import Plan
from screens.files import write_private
from screens.page import key
from screens.scroll import Content, ScrollPage
from widgets.lines import Line, Span, blank, cut, wrap
from widgets.words import full


def card_text(plan: Plan, now_ms: int) -> str:
    """The card as text: what it is for, and the commands as they are typed."""
    head = [f"# {plan.title}", f"# {plan.environment}: {plan.target}; made {full(now_ms)}; without secrets"]
    undo = [f"# undo: {plan.undo}"] if plan.undo else []
    return "\n".join([*head, *plan.escape, *undo]) + "\n"


class CardPage(ScrollPage[None]):
    """Opened from a plan. `y` copies it whole, `x` writes it to a file."""

    NAME = "card"
    BINDINGS: ClassVar[list[BindingType]] = [key("x", "write", "write to a file", "card.write", short="to a file")]

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def content(self, width: int, selected: str | None) -> Content:
        lines: list[Line] = [
            cut([Span(" ESCAPE CARD  ", "head"), Span(self.plan.title, "strong")], width),
            blank(width),
        ]
        if not self.plan.escape:
            lines.append(cut([Span(" No other tool is known to do this.", "text")], width))
            return Content(lines)
        told = (
            "The same with the vendors' own tools, signed in as you: for when this console's token or disk is broken."
        )
        lines += [cut([Span(f" {row}", "dim")], width) for row in wrap(told, width - 2)]
        lines.append(blank(width))
        for command in self.plan.escape:
            # Whole, for it is typed: never cut, further lines of one command are further in.
            rows = wrap(command, width - 6)
            lines += [cut([Span("   " if at == 0 else "     "), Span(row)], width) for at, row in enumerate(rows)]
        lines += [blank(width), cut([Span(" UNDO  ", "head"), Span(self.plan.undo or "not by this console")], width)]
        return Content(lines)

    def copied(self) -> str | None:
        """The whole card, each command in one line."""
        return card_text(self.plan, self.host.clock_ms())

    def action_write(self) -> None:
        """Write it beside the session."""
        now_ms = self.host.clock_ms()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000))
        path = self.host.session_path.with_name(f"escape-card-{self.plan.action}-{stamp}.txt")
        try:
            write_private(path, card_text(self.plan, now_ms))
        except OSError as error:
            self.say(f"not written: {error.strerror}: {path}")
        else:
            self.say(f"written for you alone: {path}")
