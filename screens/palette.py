"""The palette (`:` and ctrl+p): every screen, action and setting by name; in the demo `fault NAME on|off`.

A page, not a floating box: a modal repaints the screen twice (110 kB over SSH). It returns an action and runs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from screens.page import Page, key
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import Line, Span, backed, blank, cut, fit


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    name: str
    action: str
    keys: str = ""
    words: str = ""


def fault_commands(faults: Sequence[tuple[str, str, bool]]) -> list[Command]:
    """`fault NAME on|off`, whichever would change something first."""
    commands = []
    for name, words, on in faults:
        for turn in (not on, on):
            state = f"{'is on' if on else 'is off'}: {words}"
            commands.append(
                Command(f"fault {name} {'on' if turn else 'off'}", f"app.fault({name!r}, {turn})", "", state)
            )
    return sorted(commands, key=lambda command: "is on" not in command.words)


def matching(commands: Sequence[Command], typed: str) -> list[Command]:
    """Those that hold every word typed: names that begin with it first, then names, then descriptions."""
    words = typed.lower().split()
    scored = [(score, command) for command in commands if (score := _score(command, words)) is not None]
    return [command for _, command in sorted(scored, key=lambda found: found[0])]


def _score(command: Command, words: list[str]) -> int | None:
    name = command.name.lower()
    if name.startswith(" ".join(words)):
        return 0
    if all(word in name for word in words):
        return 1
    text = f"{name} {command.words.lower()}"
    return 2 if all(word in text for word in words) else None


class PalettePage(Page[str | None]):
    """Returns the action of the chosen line, None when left."""

    NAME = "palette"
    AUTO_FOCUS = "#command"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("down,ctrl+n", "choose(1)", "next line", "palette.down"),
        key("up", "choose(-1)", "line before", "palette.up"),
        key("pagedown", "choose(10)", "page down", "palette.page_down"),
        key("pageup", "choose(-10)", "page up", "palette.page_up"),
    ]

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self.commands = tuple(commands)
        self.typed = ""
        self.index = 0

    def extra(self) -> Iterable[Widget]:
        yield Field("type a screen, an action or a setting", id="command", longest=100)

    def add(self, commands: Sequence[Command]) -> None:
        """Commands that became known later."""
        self.commands += tuple(commands)
        self.paint()

    def keys(self) -> list[Key]:
        glyphs = self.host.glyphs
        return [Key("enter", "go"), Key(f"{glyphs.up} {glyphs.down}", "choose"), Key("esc", "leave")]

    @property
    def found(self) -> list[Command]:
        """The lines that hold what is typed."""
        return matching(self.commands, self.typed)

    def body(self, width: int, height: int) -> list[Line]:
        found = self.found
        if not found:
            return [blank(width), cut([Span(f" Nothing is called {self.typed!r}.", "dim")], width)]
        self.index = min(self.index, len(found) - 1)
        top = max(0, self.index - height + 3)
        lines = [self._line(command, at + top == self.index, width) for at, command in enumerate(found[top:])]
        return [blank(width), *lines]

    def _line(self, command: Command, marked: bool, width: int) -> Line:
        glyphs = self.host.glyphs
        spans = [
            Span(glyphs.bar if marked else " ", "accent"),
            Span(f" {fit(command.name, 30, ellipsis=glyphs.ellipsis)}", "strong" if marked else "text"),
            Span(f" {fit(command.keys, 10, ellipsis=glyphs.ellipsis)}", "accent"),
            Span(f" {command.words}", "dim"),
        ]
        line = cut(spans, width, glyphs.ellipsis)
        return backed(line, "selected") if marked else line

    def action_choose(self, by: int) -> None:
        """Another line."""
        self.index = max(0, min(len(self.found) - 1, self.index + by))
        self.paint()

    def on_input_changed(self, event: Field.Changed) -> None:
        """Narrow the list."""
        self.typed = event.value.removeprefix(":")
        self.index = 0
        self.paint()

    def on_input_submitted(self, event: Field.Submitted) -> None:
        """Return the chosen one."""
        found = self.found
        if found:
            self.dismiss(found[self.index].action)
