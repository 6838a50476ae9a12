"""How the commands print: lines for people, one JSON document for programs."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from console.commands.concealing import concealed, concealed_document
from console.commands.writing import write
from console.model.configuration import Display
from console.model.secrets import HIDDEN_WORDS, hidden
from console.model.states import ASCII_GLYPHS, GLYPHS, State
from console.model.text import clean_block
from console.model.times import date_time

_COLOURS = {
    State.HEALTHY: "32",
    State.DEGRADED: "33",
    State.UNHEALTHY: "31",
    State.UNKNOWN: "35",
    State.STALE: "35",
    State.NOT_CONFIGURED: "2",
}
_CAPITALS = "2"  # dim, as section heads are on the screens
_MARK = f"\ufdd0{os.urandom(4).hex()}:"
"""Begins a colour of ours until it is written. Text from outside cannot know it, and so can colour nothing."""
_PAINT = re.compile(f"{_MARK}(\\d+)m")

_IN_ASCII = str.maketrans(
    {"·": "-", "…": "...", "×": "x", "→": "->", "—": "-", "–": "-", "≥": ">=", "≤": "<=", "’": "'", "↵": "|"}
)
_ASCII_LOCALES = ("C", "POSIX")


def draws_signs() -> bool:
    """Whether standard output takes more than ASCII, by its encoding and by the locale that was asked for.

    Python reads the C locale as UTF-8 (PEP 538 sets LC_CTYPE, PEP 540 the encoding): who writes LANG=C means ASCII.
    """
    if not (sys.stdout.encoding or "ascii").lower().startswith("utf"):
        return False
    coerced = os.environ.get("LC_CTYPE") == "C.UTF-8"
    asked = os.environ.get("LC_ALL") or (not coerced and os.environ.get("LC_CTYPE")) or os.environ.get("LANG")
    return asked not in _ASCII_LOCALES


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option that every printing command has."""
    parser.add_argument("--json", action="store_true", help="print one JSON document (docs/commands.md)")


class Output:
    """Standard output with or without colours and beyond ASCII, as the terminal and the user want it."""

    def __init__(self, arguments: argparse.Namespace, display: Display | None = None) -> None:
        self._signs = draws_signs()
        self.unicode = self._signs and (display is None or display.glyphs == "unicode")
        self.colour = not arguments.no_color and _may_colour()

    def line(self, text: str = "") -> None:
        """One line, at once: a reader at the other end of a pipe should not wait for it. The terminal obeys no byte of
        it but our own colours."""
        shown = _PAINT.sub("\x1b[\\1m", clean_block(concealed(text)))
        write(f"{shown if self._signs else shown.translate(_IN_ASCII)}\n")

    def as_of(self, at_ms: int | None) -> None:
        """The moment that all that follows is shown as of; None, which is now, says nothing."""
        if at_ms is not None:
            self.line(f"{self.head('as of')} {date_time(at_ms)} UTC, not of now")

    def folded(self, first: str, text: str, indent: str) -> None:
        """`text` after `first`, on as many lines as the terminal's width asks for; on one without a terminal."""
        if not sys.stdout.isatty():
            self.line(first + text)
            return
        width = shutil.get_terminal_size().columns - len(indent)
        # A path or a command to be copied stays whole.
        lines = textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False)
        self.line(first + f"\n{indent}".join(lines))

    def head(self, text: str) -> str:
        """A section's head."""
        return self._painted(text.upper(), _CAPITALS)

    def state(self, state: State) -> str:
        """Glyph and word, coloured unless it is well."""
        return self.painted(f"{self.glyph(state)} {state.value}", state)

    def painted(self, text: str, state: State) -> str:
        """`text` in the state's colour; what is well is quiet."""
        return text if state is State.HEALTHY else self._painted(text, _COLOURS[state])

    def glyph(self, state: State) -> str:
        """The state's glyph in the set that the terminal has."""
        return (GLYPHS if self.unicode else ASCII_GLYPHS)[state]

    def table(self, rows: Iterable[Sequence[str]], indent: str = "  ") -> None:
        """Rows with their columns aligned; the last is not padded."""
        kept = [tuple(cell.replace("\n", "↵") for cell in row) for row in rows]
        widths = [max(map(_width, column)) for column in zip(*kept, strict=True)][:-1]
        for row in kept:
            cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
            self.line(indent + "  ".join([*cells, row[-1]]).rstrip())

    def _painted(self, text: str, code: str) -> str:
        return f"{_MARK}{code}m{text}{_MARK}0m" if self.colour else text


def document(content: Mapping[str, object]) -> None:
    """Print the one JSON document. In ASCII: no byte in it can mean something to a terminal."""
    write(json.dumps(concealed_document(content), indent=2, allow_nan=False) + "\n")


def json_line(content: Mapping[str, object]) -> None:
    """Print one JSON object on a line of its own, at once."""
    write(json.dumps(concealed_document(content), allow_nan=False) + "\n")


def tell_hidden(typed: str, written: str) -> None:
    """Say on standard error that a secret was taken out of what somebody typed, if one was."""
    if hidden(typed, written):
        complain(HIDDEN_WORDS)


def complain(text: str) -> None:
    """Say to people, on standard error, what went wrong."""
    write(f"radar: {clean_block(concealed(text))}\n", sys.stderr)


def _width(text: str) -> int:
    return len(_PAINT.sub("", text))


def _may_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
