"""Help (`?`): every key that is in force, from the bindings themselves, remapped or not."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from screens.keys import Entry
from screens.scroll import Content, ScrollPage
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, beside, blank, cut, fit, wrap

GROUPS = {
    "screen": "SCREENS",
    "health": "HEALTH",
    "metrics": "METRICS",
    "deployments": "DEPLOYMENTS",
    "alerts": "ALERTS",
    "reasons": "REASONS",
    "ledger": "LEDGER",
    "actions": "ACTIONS",
    "plan": "PLAN",
    "run": "RUN",
    "card": "ESCAPE CARD",
    "list": "MOVE",
    "time": "TIME",
    "app": "EVERYWHERE",
}
_TWO_COLUMNS_FROM = 76
_LEGEND = 9
_ORIGINS = ("sql", "api", "tls", "host", "none: nobody measures it")


class HelpPage(ScrollPage[None]):
    """The key table of the page from which it was opened."""

    NAME = "help"

    def __init__(self, entries: Iterable[Entry]) -> None:
        super().__init__()
        self.entries = tuple(entries)

    def content(self, width: int, selected: str | None) -> Content:
        return Content(help_lines(self.entries, width, self.host.glyphs))


def help_lines(entries: Iterable[Entry], width: int, glyphs: Glyphs) -> list[Line]:
    """The groups in two columns where there is room, then how to read the states."""
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
    for id, keys, words in entries:
        groups.setdefault(id.partition(".")[0], []).append((keys, words))
    column = (width - 2) // 2 if width >= _TWO_COLUMNS_FROM else width
    blocks = [_block(GROUPS.get(name, name.upper()), rows, column) for name, rows in groups.items() if rows]
    if column == width:
        lines = [line for block in blocks for line in block]
    else:
        left, right = _balanced(blocks)
        lines = beside([(left, column), (right, column)], max(len(left), len(right)), 2)
        lines = [cut(line, width) for line in lines]
    return [*lines, *_legend(width, glyphs)]


def _block(head: str, rows: list[tuple[str, str]], width: int) -> list[Line]:
    lines = [cut([Span(f" {head}", "head")], width)]
    for keys, words in rows:
        for at, row in enumerate(wrap(words, width - 18)):
            lines.append(cut([Span(f"   {fit('' if at else keys, 14)}", "accent"), Span(f" {row}")], width))
    return [*lines, blank(width)]


def _balanced(blocks: list[list[Line]]) -> tuple[list[Line], list[Line]]:
    """Whole groups left until half of all lines stand there."""
    half = sum(map(len, blocks)) / 2
    left: list[Line] = []
    right: list[Line] = []
    for block in blocks:
        (left if not right and len(left) + len(block) / 2 <= half else right).extend(block)
    return left, right


def _legend(width: int, glyphs: Glyphs) -> list[Line]:
    states = [f"{glyph} {state.value}" for state, glyph in glyphs.state.items()]
    strip = [f"{glyphs.strip[state]} {state.value}" for state in list(glyphs.strip)[:3]]
    return [
        *_legend_line("STATES", states, width),
        *_legend_line("STRIP", [*strip, "? not observed"], width),
        *_legend_line("FROM", ["users: what users feel", "probe: what we tried", *_ORIGINS], width),
    ]


def _legend_line(head: str, entries: list[str], width: int) -> list[Line]:
    """The entries side by side, in as many lines as they need: none is cut."""
    lines: list[Line] = []
    row = ""
    for entry in entries:
        if row and _LEGEND + cell_len(f"{row}  {entry}") > width:
            lines.append(cut([Span(fit(f" {'' if lines else head}", _LEGEND), "head"), Span(row)], width))
            row = ""
        row = f"{row}  {entry}" if row else entry
    return [*lines, cut([Span(fit(f" {'' if lines else head}", _LEGEND), "head"), Span(row)], width)]
