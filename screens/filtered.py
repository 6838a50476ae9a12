"""Screens of lines that a few words choose from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from textual.widget import Widget

from screens.scroll import ScrollPage
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import fit

Result = TypeVar("Result")


_LONGEST = 16
"""Cells of a filter in the footer."""


def cut_words(words: str) -> str:
    """As much of a filter as the footer has room for."""
    return fit(words, min(_LONGEST, len(words)))


class FilteredPage(ScrollPage[Result]):
    """A page with a field in which words are typed that a line must hold. They stay for the session."""

    def extra(self) -> Iterable[Widget]:
        field = Field("filter: words that the line must hold", id="filter", longest=100)
        field.display = False
        yield field

    def keys(self) -> list[Key]:
        if isinstance(self.focused, Field):
            return [Key("enter", "keep the filter"), Key("esc", "no filter")]
        if self.filter:
            return [Key("esc", f'ends the filter "{cut_words(self.filter)}"'), *super().keys()]
        return super().keys()

    @property
    def filter(self) -> str:
        """The words that a line must hold."""
        return self.host.session.filters.get(self.NAME, "")

    def action_filter(self) -> None:
        """Type words that a line must hold."""
        field = self.query_one("#filter", Field)
        field.value = self.filter
        field.display = True
        self.set_focus(field)

    def on_input_changed(self, event: Field.Changed) -> None:
        """Filter while typing."""
        self.host.session.filters[self.NAME] = event.value
        self.paint()

    def on_input_submitted(self, event: Field.Submitted) -> None:
        """Back to the list; an empty filter shows all."""
        self.set_focus(None)
        event.input.display = bool(event.value)
        self.paint_bars()

    def leave_field(self) -> bool:
        """Esc: no filter, whether its field is shown or it was left by an earlier visit."""
        field = self.query_one("#filter", Field)
        if not field.display and not self.filter:
            return False
        self.host.session.filters[self.NAME] = ""
        self.set_focus(None)
        field.display = False
        self.paint()
        return True
