"""A page longer than the screen: moved by line, half page, ends; with a cursor where it has lines to select."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from textual.binding import BindingType
from textual.events import Key, MouseScrollDown, MouseScrollUp

from console.model.words import counted
from screens.page import Page, key
from screens.twice import Twice
from widgets.canvas import Canvas
from widgets.lines import Line, Span, cut, ends

Result = TypeVar("Result")

MOVES: list[BindingType] = [
    key("j,down", "move(1)", "line down", "list.down"),
    key("k,up", "move(-1)", "line up", "list.up"),
    key("g", "first_twice", "first line, twice", "list.top"),
    key("G,end", "move(100000)", "last line", "list.bottom"),
    key("home", "move(-100000)", "first line", "list.home"),
    key("ctrl+d,pagedown", "half(1)", "half a page down", "list.half_down"),
    key("ctrl+u,pageup", "half(-1)", "half a page up", "list.half_up"),
]


@dataclass(frozen=True, slots=True)
class Content:
    """The lines of a page, and which of them can be selected: line number and key, from top to bottom."""

    lines: Sequence[Line]
    rows: Sequence[tuple[int, str]] = field(default=())


class ScrollPage(Page[Result]):
    """Base of pages that scroll. The cursor is kept by key, so it survives a refresh that moves its line."""

    BINDINGS: ClassVar[list[BindingType]] = MOVES

    def __init__(self) -> None:
        super().__init__()
        self.top = 0
        self._content = Content(())
        self._height = 1
        self._pressed = Twice()

    def content(self, width: int, selected: str | None) -> Content:
        """All lines in that width, the selected one marked."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """Under which cursor and scroll are remembered."""
        return self.NAME

    @property
    def selected(self) -> str | None:
        """The key of the selected line, as remembered."""
        return self.host.session.cursors.get(self.place)

    def on_mount(self) -> None:
        """Go where one was."""
        self.top = self.host.session.scrolls.get(self.place, 0)

    def body(self, width: int, height: int) -> list[Line]:
        content = self.content(width, self.selected)
        keys = [key for _, key in content.rows]
        if keys and self.selected not in keys:
            self._remember(keys[0])
            content = self.content(width, keys[0])
        self._content = content
        overflows = len(content.lines) > height
        self._height = height - 1 if overflows else height
        self.top = max(0, min(self.top, len(content.lines) - self._height))
        shown = list(content.lines[self.top : self.top + self._height])
        return [*shown, self._position(width)] if overflows else shown

    def _position(self, width: int) -> Line:
        total = len(self._content.lines)
        below = total - self.top - self._height
        where = f" {self.host.glyphs.down} {counted(below, 'line')} more" if below > 0 else " end"
        lines = f"{self.top + 1}{self.host.glyphs.dash}{self.top + self._height} of {total} "
        return ends([Span(where, "dim")], [Span(lines, "dim")], width)

    def _remember(self, key: str) -> None:
        self.host.session.cursors[self.place] = key

    def go_line(self, top: int) -> None:
        self.top = max(0, min(top, len(self._content.lines) - self._height))
        self.host.session.scrolls[self.place] = self.top
        self.paint()

    def action_move(self, by: int) -> None:
        """Move the cursor by selectable lines, or the page by lines where there are none."""
        rows = self._content.rows
        if not rows:
            self.go_line(self.top + by)
            return
        keys = [key for _, key in rows]
        index = keys.index(self.selected) if self.selected in keys else 0
        at = index + by
        self._remember(keys[max(0, min(len(rows) - 1, at))])
        # Beyond the first row what stands above it, such as a head, comes into view.
        self.go_line(0 if at <= 0 else self._top_for(min(at, len(rows) - 1)))
        self.chosen()

    def _top_for(self, index: int) -> int:
        """The least move that shows the row with the lines below it, up to the next row."""
        rows = self._content.rows
        line = rows[index][0]
        end = rows[index + 1][0] if index + 1 < len(rows) else len(self._content.lines)
        return min(line, max(self.top, end - self._height))

    def action_half(self, direction: int) -> None:
        """Half a page: the cursor goes along."""
        step = max(1, self._height // 2)
        self.action_move(direction * step)

    def action_first_twice(self) -> None:
        """`gg`: to the top at the second press."""
        if self._pressed.is_second():
            self.action_move(-100_000)

    def chosen(self) -> None:
        """Another line was selected."""

    def on_key(self, event: Key) -> None:
        """Remember the last two keys, for `gg`."""
        self._pressed.hear(event.key)

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        """Select the line clicked on."""
        for line, row in self._content.rows:
            if line == self.top + event.y - self.lead and event.canvas_id == "body":
                self._remember(row)
                self.paint()
                self.chosen()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """The wheel moves the page, not the cursor."""
        self.go_line(self.top + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """The wheel moves the page, not the cursor."""
        self.go_line(self.top - 3)


def empty(width: int, *sentences: str) -> list[Line]:
    """Why a page is empty and what would fill it."""
    return [cut([Span(f" {text}", "text" if index == 0 else "dim")], width) for index, text in enumerate(sentences)]
