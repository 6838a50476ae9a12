"""One line to type in, without frame and without a blinking cursor."""

from __future__ import annotations

from textual.events import Key, Paste
from textual.widgets import Input

from console.model.text import clean


class Field(Input):
    """Textual's input in the console's colours. Digits and letters typed here act nowhere else."""

    DEFAULT_CSS = """
    Field, Field:focus {
        height: 1;
        width: 100%;
        padding: 0 1;
        border: none;
        background: $radar-selected;
        color: $radar-text;
        & > .input--placeholder { color: $radar-dim; }
        & > .input--cursor { background: $radar-text; color: $radar-surface; text-style: none; }
        & > .input--selection { background: $radar-accent; color: $radar-surface; }
        &:ansi > .input--cursor { text-style: reverse; }
        &:ansi > .input--placeholder { text-style: dim; }
    }
    """

    def __init__(self, hint: str, *, id: str, longest: int) -> None:
        """`hint` stands in the empty line; no more than `longest` characters can be typed."""
        super().__init__(placeholder=hint, id=id, max_length=longest, select_on_focus=False)
        self.cursor_blink = False

    def _on_paste(self, event: Paste) -> None:
        """The first line, disarmed: a terminal obeys what is pasted, too. What has no room is cut."""
        event.stop()
        event.prevent_default()
        start, end = sorted(self.selection)
        room = (self.max_length or len(event.text)) - len(self.value) + end - start
        self.replace(clean((event.text.splitlines() or [""])[0], room)[: max(0, room)], start, end)

    def take(self, event: Key) -> bool:
        """Type that key here at once, if it is a character or deletes one; whether it did.

        Textual's way leads through two queues, and an Enter that follows in the same packet is faster.
        """
        if event.key == "backspace":
            self.action_delete_left()
            return True
        if event.is_printable and event.character:
            start, end = sorted(self.selection)
            self.replace(event.character, start, end)
            return True
        return False
