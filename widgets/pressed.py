"""Something to press with Enter or a click: words that show whether they have the focus and can be pressed."""

from __future__ import annotations

from textual.events import Click
from textual.message import Message

from widgets.canvas import Canvas
from widgets.glyphs import UNICODE, Glyphs
from widgets.lines import Span, backed


class Button(Canvas):
    """One line high, as wide as its words."""

    can_focus = True

    class Pressed(Message):
        """It was clicked."""

        def __init__(self, button_id: str) -> None:
            super().__init__()
            self.button_id = button_id

    def __init__(self, words: str, *, id: str) -> None:
        super().__init__(id=id)
        self.words = words
        self.glyphs = UNICODE

    def name_it(self, words: str, glyphs: Glyphs, *, enabled: bool) -> None:
        """Say this, and whether it can be pressed: what cannot is passed over by tab."""
        self.words, self.glyphs, self.can_focus = words, glyphs, enabled
        self.styles.width = len(words) + 4
        self.draw()

    def draw(self) -> None:
        """By focus and by whether it can be pressed."""
        if self.has_focus:
            self.show([backed((Span(f"{self.glyphs.bar} ", "accent"), Span(f"{self.words}  ", "strong")), "selected")])
        else:
            self.show([(Span(f"  {self.words}  ", "text" if self.can_focus else "dim"),)])

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show it."""
        super().watch_has_focus(has_focus)
        self.draw()

    def on_click(self, event: Click) -> None:
        """Pressed by the mouse."""
        event.stop()
        self.post_message(self.Pressed(self.id or ""))
