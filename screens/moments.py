"""Go to a time (`@`): typed as people say it, shown in UTC and local time before it is gone to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from textual.widget import Widget

from console.model.times import MOMENT_FORMS, parse_moment
from screens.page import Page
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import Line, Span, blank, cut
from widgets.words import duration, full


class MomentPage(Page[int | None]):
    """Returns the moment in ms, None when left."""

    NAME = "moment"
    AUTO_FOCUS = "#moment"

    def __init__(self) -> None:
        super().__init__()
        self.typed = ""

    def extra(self) -> Iterable[Widget]:
        yield Field(MOMENT_FORMS, id="moment", longest=60)

    def keys(self) -> list[Key]:
        return [Key("enter", "show it"), Key("esc", "leave")]

    def _read(self) -> int | str | None:
        """The moment typed, words why it is none, None while nothing is typed."""
        if not self.typed.strip():
            return None
        try:
            return parse_moment(self.typed, self.host.clock_ms())
        except ValueError as error:
            return str(error)

    def body(self, width: int, height: int) -> list[Line]:
        return [blank(width), *(cut([span], width, self.host.glyphs.ellipsis) for span in self._words())]

    def _words(self) -> list[Span]:
        found = self._read()
        if found is None:
            return [Span(" Show the console as it was at a moment, in UTC. L goes back to now.", "dim")]
        if isinstance(found, str):
            return [Span(f" {found}", "warn")]
        local = datetime.fromtimestamp(found / 1000).astimezone()
        ago = duration((self.host.clock_ms() - found) / 1000)
        here = f"{local:%H:%M:%S} {local:%Z}" if local.utcoffset() else "the same here"
        return [Span(f" {full(found)}, {ago} ago   ({here})", "strong")]

    def on_input_changed(self, event: Field.Changed) -> None:
        """Say at once how it is understood."""
        self.typed = event.value
        self.paint()

    def on_input_submitted(self, event: Field.Submitted) -> None:
        """Go there, if it is a moment."""
        found = self._read()
        if isinstance(found, int):
            self.dismiss(found)
