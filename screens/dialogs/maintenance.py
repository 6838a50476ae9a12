"""When, or for how long, and what people are told: asked before the plan of a maintenance. Performs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from console.model.maintenance import MESSAGE_LIMIT
from console.model.observation import Json
from screens.page import Page, key
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import Line, Span, backed, blank, cut, wrap

Given = Mapping[str, Json]
_HINT = "Then its plan is shown, with the reason to give; nothing is done before that is confirmed."


NOTICES: tuple[tuple[str, Given], ...] = (
    ("in 1 h, or with the notice that the settings promise", {}),
    ("in 15 min", {"minutes": 15}),
    ("in 30 min", {"minutes": 30}),
    ("in 2 h", {"minutes": 120}),
    ("in 8 h", {"minutes": 480}),
    ("in 24 h", {"minutes": 1440}),
)
"""When an announced maintenance begins. Less than promised is warned of by the plan."""
LENGTHS: tuple[tuple[str, Given], ...] = (
    ("now, planned for 30 min", {"minutes": 30}),
    ("now, planned for 15 min", {"minutes": 15}),
    ("now, planned for 1 h", {"minutes": 60}),
    ("now, planned for 2 h", {"minutes": 120}),
    ("now, without a planned end", {}),
)


class MaintenancePage(Page[Given | None]):
    """Returns the parameters, None when left."""

    NAME = "ask-maintenance"
    AUTO_FOCUS = "#message"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("down", "choose(1)", "next choice", "ask.down"),
        key("up", "choose(-1)", "choice before", "ask.up"),
    ]

    def __init__(self, title: str, choices: Sequence[tuple[str, Given]]) -> None:
        super().__init__()
        self.about = title
        self.choices = tuple(choices)
        self.index = 0

    def extra(self) -> Iterable[Widget]:
        yield Field("what visitors and the status page are told; empty: a general message", id="message",
                    longest=MESSAGE_LIMIT)  # fmt: skip

    def keys(self) -> list[Key]:
        glyphs = self.host.glyphs
        return [Key("enter", "its plan"), Key(f"{glyphs.up} {glyphs.down}", "choose"), Key("esc", "leave")]

    def body(self, width: int, height: int) -> list[Line]:
        lines = [blank(width), *(cut([Span(f" {row}", "strong")], width) for row in wrap(self.about, width - 2))]
        lines.append(blank(width))
        for index, (words, _) in enumerate(self.choices):
            marked = index == self.index
            bar = Span(self.host.glyphs.bar if marked else " ", "accent")
            line = cut([bar, Span(f" {words}", "strong" if marked else "text")], width, self.host.glyphs.ellipsis)
            lines.append(backed(line, "selected") if marked else line)
        return [*lines, blank(width), *(cut([Span(f" {row}", "dim")], width) for row in wrap(_HINT, width - 2))]

    def action_choose(self, by: int) -> None:
        """Another choice."""
        self.index = max(0, min(len(self.choices) - 1, self.index + by))
        self.paint()

    def on_input_submitted(self, event: Field.Submitted) -> None:
        """Go on to the plan."""
        message = event.value.strip()
        _, given = self.choices[self.index]
        self.dismiss({**given, "message": message} if message else given)
