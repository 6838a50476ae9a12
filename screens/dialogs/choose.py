"""One of several things to ask for: a page that returns which, and performs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from screens.page import Page, key
from widgets.bars import Key
from widgets.lines import Line, Span, backed, blank, cut, wrap


class ChoosePage(Page[int | None]):
    """Returns the index of the chosen line, None when left."""

    NAME = "choose"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "decide", "this one", "choose.decide"),
        key("j,down", "choose(1)", "next choice", "choose.down"),
        key("k,up", "choose(-1)", "choice before", "choose.up"),
    ]

    def __init__(self, title: str, choices: Sequence[str], hint: str) -> None:
        """`hint`: what comes of choosing, in words."""
        super().__init__()
        self.about = title
        self.choices = tuple(choices)
        self.hint = hint
        self.index = 0

    def keys(self) -> list[Key]:
        glyphs = self.host.glyphs
        return [Key("enter", "this one"), Key(f"{glyphs.up} {glyphs.down}", "choose"), Key("esc", "leave")]

    def body(self, width: int, height: int) -> list[Line]:
        lines = [blank(width), *(cut([Span(f" {row}", "strong")], width) for row in wrap(self.about, width - 2))]
        lines.append(blank(width))
        for index, words in enumerate(self.choices):
            marked = index == self.index
            bar = Span(self.host.glyphs.bar if marked else " ", "accent")
            line = cut([bar, Span(f" {words}", "strong" if marked else "text")], width, self.host.glyphs.ellipsis)
            lines.append(backed(line, "selected") if marked else line)
        return [*lines, blank(width), *(cut([Span(f" {row}", "dim")], width) for row in wrap(self.hint, width - 2))]

    def action_choose(self, by: int) -> None:
        """Another choice."""
        self.index = max(0, min(len(self.choices) - 1, self.index + by))
        self.paint()

    def action_decide(self) -> None:
        """This one."""
        self.dismiss(self.index)
