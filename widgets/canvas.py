"""The one way in which pages reach the terminal: the line API, repainting only the cells that changed.

A `Static.update` repaints its whole area (4,000 B/s for eight tiles with ages); this sends the changed cells of the
changed lines only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.events import Click, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines import Back, Line, Span, Tone, changed, guard

_BOLD: frozenset[Tone | Back] = frozenset({"strong"})
# In the terminal's own colours grey is faintness, and a ground is weight or the other way round.
_ANSI_BOLD: frozenset[Tone | Back] = frozenset({"strong", "bad", "selected"})
_ANSI_FAINT: frozenset[Tone | Back] = frozenset({"dim", "head"})
_INKS: Mapping[Tone, str] = {"strong": "text", "head": "dim"}
_GROUNDS: Mapping[Back, str] = {"plain": "surface"}


def style_of(tone: Tone, back: Back, colours: Mapping[str, str], ansi: bool) -> Style:
    """A tone on a ground in a theme's colours (`radar-…`). In Python, since ten CSS classes for each of a page's
    widgets cost 50 ms of the start."""
    ink = "banner-text" if back == "banner" else _INKS.get(tone, tone)
    colour = Color.parse(colours[f"radar-{ink}"]).rich_color
    ground = Color.parse(colours[f"radar-{_GROUNDS.get(back, back)}"]).rich_color
    if not ansi:
        return Style(color=colour, bgcolor=ground, bold=tone in _BOLD or None)
    bold = tone in _ANSI_BOLD or back in _ANSI_BOLD or None
    faint = tone in _ANSI_FAINT or None
    return Style(color=colour, bgcolor=ground, bold=bold, dim=faint, reverse=back == "banner" or None)


class Canvas(Widget):
    """Shows lines as they are given; never scrolls, has no timer and no border."""

    ALLOW_SELECT = False

    class Resized(Message):
        """The room changed: the page has to be laid out anew. Said by the body only, one time for all."""

    class Clicked(Message):
        """A line was clicked."""

        def __init__(self, canvas_id: str, x: int, y: int) -> None:
            super().__init__()
            self.canvas_id = canvas_id
            self.x = x
            self.y = y

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._styles: dict[tuple[Tone, Back], Style] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines, repainting the cells in which they differ from those shown before."""
        old, new = self._lines, tuple(lines)
        if old == new:
            return
        self._lines = new
        regions = []
        for y in range(max(len(old), len(new))):
            if y >= len(old) or y >= len(new):
                regions.append(Region(0, y, self.size.width, 1))
            else:
                regions += [Region(begin, y, end - begin, 1) for begin, end in changed(old[y], new[y])]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One line as a strip, blank below the last."""
        width = self.size.width
        base = self._style("text", "plain")
        if y >= len(self._lines):
            return Strip.blank(width, base)
        return Strip(self._segments(self._lines[y])).adjust_cell_length(width, base)

    def _segments(self, line: Line) -> list[Segment]:
        """Neighbours of one style as one segment; blanks take the style before them: each style costs 40 bytes."""
        joined: list[Span] = []
        for span in line:
            last = joined[-1] if joined else None
            if last and last.back == span.back and (last.tone == span.tone or span.text.isspace()):
                joined[-1] = last._replace(text=last.text + span.text)
            elif span.text:
                joined.append(span)
        return [Segment(guard(span.text), self._style(span.tone, span.back)) for span in joined]

    def _style(self, tone: Tone, back: Back) -> Style:
        style = self._styles.get((tone, back))
        if style is None:
            colours, ansi = self.app.theme_variables, self.app.native_ansi_color
            self._styles[tone, back] = style = style_of(tone, back, colours, ansi)
        return style

    def notify_style_update(self) -> None:
        """A theme changed: forget the colours."""
        super().notify_style_update()
        self._styles = {}

    def on_resize(self, event: Resize) -> None:
        """Say that the page has to be laid out anew."""
        event.stop()
        if self.id == "body":
            self.post_message(self.Resized())

    def on_click(self, event: Click) -> None:
        """Say which line was clicked."""
        event.stop()
        self.post_message(self.Clicked(self.id or "", event.x, event.y))
