"""The palette (`:` and ctrl+p): every screen, action and setting by name; in the demo `fault NAME on|off`.

A page, not a floating box: a modal repaints the screen twice (110 kB over SSH). It returns an action and runs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.widget import Widget

from screens.page import Page, key
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import Line, Span, backed, blank, cut, ends, fit, width_of, wrap

_NAME = 30
"""Cells of a name: `fault certificate-expiring off`."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    name: str
    action: str
    keys: str = ""
    words: str = ""


def all_commands(
    entries: Sequence[tuple[str, str, str]], themes: Sequence[str], glyphs: Sequence[str]
) -> list[Command]:
    """The page's own actions `(action, keys, what it does)`, the SLO board where it has no key, and the settings."""
    commands = [Command(words, action, keys) for action, keys, words in entries]
    if "app.board" not in [action for action, _, _ in entries]:
        commands.append(Command("SLO board", "app.board", words="targets, error budgets, burn rates"))
    commands.append(Command("actions", "app.journal", words="what was done, what is due, what is open"))
    commands += [Command(f"theme {name}", f"app.theme({name!r})") for name in themes]
    return commands + [Command(f"glyphs {name}", f"app.glyphs({name!r})") for name in glyphs]


def fault_commands(faults: Sequence[tuple[str, str, bool]]) -> list[Command]:
    """`fault NAME on`, or `off` for one that is on; those first."""
    commands = [
        Command(
            f"fault {name} {'off' if on else 'on'}",
            f"app.fault({name!r}, {not on})",
            "",
            f"is on: {words}" if on else words,
        )
        for name, words, on in faults
    ]
    return sorted(commands, key=lambda command: not command.words.startswith("is on"))


PLANS: tuple[tuple[str, str, dict[str, bool | str], str], ...] = (
    ("roll back production", "rollback", {}, "its plan: the version before the one that is live"),
    ("deploy staging", "deploy", {"target": "staging"}, "its plan: builds the branch of production"),
    ("deploy production", "deploy", {"target": "production"}, "its plan: builds that branch, and it serves then"),
    ("freeze deployments", "freeze", {"on": True}, "its plan: CI runs are held back"),
    ("end the freeze", "freeze", {"on": False}, "its plan"),
    ("maintenance on", "maintenance", {"on": True}, "its plan: users see the maintenance page"),
    ("maintenance off", "maintenance", {"on": False}, "its plan"),
)
"""Actions that need no choice before their plan: name, action, what is given to it, what it is."""


ASKING: tuple[tuple[str, str, str], ...] = (
    ("promote a deployment", "app.promote", "asks which, then its plan: it serves production"),
    ("maintenance for a time", "app.maintenance", "asks for how long and for a message, then its plan"),
    ("announce maintenance", "app.announce", "asks when and for a message, then its plan: with notice, cancellable"),
)
"""Those that ask first: name, action of the app, what it is."""


def plan_commands() -> list[Command]:
    """The actions, first those that need no choice before their plan. Asking changes nothing."""
    commands = [Command(name, f"app.plan({action!r}, {given!r})", words=words) for name, action, given, words in PLANS]
    return [*commands, *(Command(name, action, words=words) for name, action, words in ASKING)]


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
        key("end", "choose(1000)", "last line", "palette.last", first=True),
        key("home", "choose(-1000)", "first line", "palette.first", first=True),
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
        top = max(0, self.index - height + 5)
        lines = [line for at, command in enumerate(found[top:]) for line in self._line(command, at + top, width)]
        if len(lines) < height and not top:
            return [blank(width), *lines]
        shown = lines[: height - 2]
        left = len(lines) - len(shown)
        where = f" {self.host.glyphs.down} {left} more" if left else " end"
        at = f"{self.index + 1} of {len(found)} "
        return [blank(width), *shown, ends([Span(where, "dim")], [Span(at, "dim")], width)]

    def _line(self, command: Command, index: int, width: int) -> list[Line]:
        """The command in a line; the chosen one with all of its description."""
        glyphs, marked = self.host.glyphs, index == self.index
        room = _NAME if command.words else max(_NAME, cell_len(command.name))  # nothing else is told of it
        begin = [
            Span(glyphs.bar if marked else " ", "accent"),
            Span(f" {fit(command.name, room, ellipsis=glyphs.ellipsis)} ", "strong" if marked else "text"),
        ]
        if command.keys:
            begin.append(Span(f"{command.keys}  ", "accent"))
        taken = width_of(begin)
        first, *rest = wrap(command.words, width - taken - 1) if marked else [command.words]
        rows = [[*begin, Span(first, "dim")], *([Span(" " * taken), Span(row, "dim")] for row in rest)]
        lines = [cut(spans, width, glyphs.ellipsis) for spans in rows]
        return [backed(line, "selected") for line in lines] if marked else lines

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
