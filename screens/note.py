"""An incident note (`i`): a line of text that is put on record with its time. One that is not sent is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.widget import Widget

from console.model.ports import Notes, Refused
from console.model.secrets import HIDDEN_WORDS, hidden
from screens.feed import Done
from screens.page import Page
from screens.session import NOTE_LIMIT
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import Line, Span, blank, cut, wrap
from widgets.words import full


async def open_note(page: Page[Any]) -> None:
    """The page to write a note on, or why there is none."""
    if not page.host.moment.live:
        page.say(f"{page.host.moment.word}: a note bears the time of now; L goes back to now")
    elif not isinstance(page, NotePage):
        await page.open_page(NotePage(), lambda words: page.say(words) if words else None)


class NotePage(Page[str | None]):
    """Returns the words of what came of it, None when left."""

    NAME = "note"
    AUTO_FOCUS = "#note"

    def __init__(self) -> None:
        super().__init__()
        self.problem = ""
        self._leaves = False
        self._sending = False

    def extra(self) -> Iterable[Widget]:
        field = Field("what was seen, decided, said", id="note", longest=NOTE_LIMIT)
        field.value = self.host.session.note
        yield field

    def keys(self) -> list[Key]:
        return [Key("enter", "put on record"), Key("esc", "leave")]

    def body(self, width: int, height: int) -> list[Line]:
        lines = [blank(width), cut([Span(" INCIDENT NOTE", "head")], width)]
        now = full(self.host.clock_ms())
        words = f"It goes on record with the time of Enter ({now}) and your name, and stands in the incident's export."
        lines += [cut([Span(f" {row}", "dim")], width) for row in wrap(words, width - 2)]
        if self.problem:
            lines += [blank(width), *(cut([Span(f" {row}", "warn")], width) for row in wrap(self.problem, width - 2))]
        return lines

    def on_input_changed(self, event: Field.Changed) -> None:
        """What is typed is kept at once: a console that ends loses no note."""
        self.host.session.note = event.value
        self._leaves = False

    def on_input_submitted(self, event: Field.Submitted) -> None:
        """Put it on record."""
        notes, text = self.host.notes, event.value.strip()
        if not text:
            self._tell("There is nothing to put on record yet.")
        elif not self.host.moment.live:
            self._tell("Not live: a note bears the time of now (esc, then L).")
        elif not self._sending:
            self._sending = True
            self._tell("It is being written.")
            self.host.hands.do(self, lambda: _added(notes, text), then=self._sent)

    def on_done(self, message: Done) -> None:
        """A defect on the way: it may be sent again."""
        self._sending = self._sending and message.then is not None

    def _sent(self, came: tuple[str, str]) -> None:
        self._sending = False
        refusal, words = came
        if refusal:
            self._tell(f"Not on record: {refusal}")
            return
        self.host.session.note = ""
        self.dismiss(words)

    def _tell(self, words: str) -> None:
        self.problem = words
        self.paint()

    def leave_field(self) -> bool:
        """Esc with something typed asks once."""
        if self._leaves or not self.host.session.note.strip():
            return False
        self._leaves = True
        self._tell("Not sent. Esc again leaves: what is typed is kept, and i opens it again.")
        return True


def _added(notes: Notes, text: str) -> tuple[str, str]:
    """Why it was not taken; empty: it was, and this is what to say of it."""
    try:
        written = notes.add(text)
    except Refused as error:
        return str(error), ""
    return "", f"the note is on record{f'; {HIDDEN_WORDS}' if hidden(text, written) else ''}"
