"""On which line of a TOML text a key stands. tomllib does not tell, and an error without its line is half an error."""

from __future__ import annotations

import re

from console.model.conversion import KeyPath

_SPACE = r"[ \t]*"
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:{_SPACE}\.{_SPACE}{_KEY})*"
_HEADER = re.compile(rf"{_SPACE}(\[\[?){_SPACE}({_DOTTED}){_SPACE}\]")
_ASSIGNMENT = re.compile(rf"{_SPACE}({_DOTTED}){_SPACE}=")
_PART = re.compile(_KEY)
# What changes how the text after it is read: a string, the opening of one over several lines, a comment, a bracket.
_TOKEN = re.compile(r"""\"\"\"|'''|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#.*|[\[{]|[\]}]""")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Every table and key of a TOML text with its line, counted from 1. A table of an array has its index in the path.

    Keys within an inline table are not told apart: they stand on the line of the key that holds them.
    """
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    value = _OpenValue()
    for number, line in enumerate(text.splitlines(), start=1):
        if value.open:
            value.read(line)
        elif header := _HEADER.match(line):
            table = _table_path(header, counts)
            found.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            _note(found, table, _parts(assignment.group(1)), number)
            value.read(line[assignment.end() :])
    return found


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of `path`, or of the nearest table or key around it; None when nothing around it was written."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _note(found: dict[KeyPath, int], table: KeyPath, parts: KeyPath, number: int) -> None:
    """A dotted key also stands for the tables that it makes."""
    for length in range(1, len(parts) + 1):
        found.setdefault((*table, *parts[:length]), number)


def _table_path(header: re.Match[str], counts: dict[KeyPath, int]) -> KeyPath:
    """The header's path with the index of the newest table wherever it goes through an array of tables."""
    path: KeyPath = ()
    parts = _parts(header.group(2))
    for position, part in enumerate(parts):
        path = (*path, part)
        if position == len(parts) - 1 and header.group(1) == "[[":
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> KeyPath:
    return tuple(_unquoted(part) for part in _PART.findall(dotted))


def _unquoted(part: str) -> str:
    return part[1:-1] if part[0] in "\"'" else part


class _OpenValue:
    """Whether a value goes on over the next line: an array, or a string of several lines."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0

    @property
    def open(self) -> bool:
        """True while the next line still belongs to the value."""
        return bool(self._quote) or self._depth > 0

    def read(self, line: str) -> None:
        """Take in one more line of the value."""
        position = 0
        while position < len(line):
            if self._quote:
                position = self._leave_string(line, position)
            elif token := _TOKEN.search(line, position):
                position = token.end()
                self._take(token.group())
            else:
                return

    def _take(self, token: str) -> None:
        if token in ('"""', "'''"):
            self._quote = token
        elif token in "[{":
            self._depth += 1
        elif token in "]}":
            self._depth = max(0, self._depth - 1)

    def _leave_string(self, line: str, position: int) -> int:
        end = line.find(self._quote, position)
        while end > 0 and self._quote == '"""' and line[end - 1] == "\\":
            end = line.find(self._quote, end + 1)
        if end < 0:
            return len(line)
        end += len(self._quote)
        self._quote = ""
        return end
