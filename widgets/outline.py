"""Volatile values as people read them: an answer with its body, lists of sessions, anything else as an outline.

They come from outside and have any shape: nothing here may fail on one, and nothing grows beyond its limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rich.cells import cell_len

from console.model.observation import Json
from widgets.lines import Line, Span, cut, wrap
from widgets.words import figure, full, number

LINES = 400
"""Lines of one section; what is more is counted."""
_DEEPEST = 8
_UNITS = {"_s": "s", "_ms": "ms", "_bytes": "B", "_share": "share"}
_MOMENTS_MS = 10**12
"""A number of ms from here on is no length of time but a moment: 2001 or later."""

Row = tuple[int, list[Span]]
"""Depth and spans, not yet wrapped."""


def outline(value: Json, width: int, ellipsis: str = "…") -> list[Line]:
    """The value in lines of that width, at most `LINES`."""
    lines: list[Line] = []
    hidden = 0
    for depth, spans in _rows(value, 0):
        wrapped = _wrapped(depth, spans, width)
        hidden += max(0, len(lines) + len(wrapped) - LINES)
        lines += wrapped[: LINES - len(lines)]
    if hidden:
        lines.append(cut([Span(f"   {ellipsis}{hidden:,} lines more", "dim")], width))
    return lines


def _wrapped(depth: int, spans: list[Span], width: int) -> list[Line]:
    """Spans after each other, a name never parted from the beginning of its value."""
    indent = "   " + "  " * min(depth, _DEEPEST)
    whole = width - len(indent) - 1
    lines: list[Line] = []
    row: list[Span] = [Span(indent)]
    room = whole
    for index, span in enumerate(spans):
        follows = cell_len(spans[index + 1].text) if span.tone == "dim" and index + 1 < len(spans) else 0
        wanted = cell_len(span.text) + follows
        if room < whole and room < min(wanted, whole):
            lines.append(cut(row, width))
            row, room = [Span(indent)], whole
        first, *rest = wrap(span.text, max(10, room)) if cell_len(span.text) > room else [span.text]
        row.append(span._replace(text=first))
        room -= cell_len(first)
        for piece in wrap(" ".join(rest), max(10, whole)) if rest else ():
            lines.append(cut(row, width))
            row, room = [Span(indent), span._replace(text=piece)], whole - cell_len(piece)
    return [*lines, cut(row, width)]


def _rows(value: Json, depth: int) -> Iterator[Row]:
    if isinstance(value, dict):
        yield from _mapping(value, depth)
    elif isinstance(value, list):
        yield from _list(value, depth)
    elif isinstance(value, str):
        yield from ((depth, [Span(line)]) for line in _text(value))
    else:
        yield depth, [Span(words("", value))]


def _mapping(values: Mapping[str, Json], depth: int) -> Iterator[Row]:
    """Plain values one after the other on a line, then what is nested, each below its name."""
    plain = [(name, value) for name, value in values.items() if not _nested(value)]
    spans: list[Span] = []
    for name, value in plain:
        if value is not None:
            spans += [Span(f"{label(name)} ", "dim"), Span(f"{words(name, value)}   ")]
    if spans:
        yield depth, spans
    for name, value in values.items():
        if _nested(value) and value:
            yield depth, [Span(label(name), "dim")]
            yield from _rows(value, depth + 1)


def _list(values: list[Json], depth: int) -> Iterator[Row]:
    for value in values:
        if not _nested(value):
            yield depth, [Span(words("", value))]
            continue
        first = True
        for inner, spans in _rows(value, depth):
            # The first line of an item begins with a sign, so that one sees where the next item begins.
            yield inner, [Span("- " if first else "  ", "dim"), *spans]
            first = False


def _nested(value: Json) -> bool:
    return isinstance(value, dict | list) or (isinstance(value, str) and "\n" in value)


def _text(text: str) -> list[str]:
    """A body: JSON laid out, else as it is."""
    begin = text.lstrip()[:1]
    if begin in ("{", "["):
        try:
            return json.dumps(json.loads(text), ensure_ascii=False, indent=2).split("\n")
        except (ValueError, RecursionError):
            pass  # cut in the middle, or no JSON after all: shown as it came
    return text.split("\n")


def label(name: str) -> str:
    """A name as people read it: without the unit that its value shows, blanks for underscores."""
    end = next((end for end in _UNITS if name.endswith(end)), "")
    return name.removesuffix(end).replace("_", " ")


def words(name: str, value: Json) -> str:
    """One plain value, with the unit that its name ends in."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if name.endswith("_ms") and value >= _MOMENTS_MS:
            return full(int(value))
        unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")
        # A number without a unit may be an identifier: no commas in it.
        return figure(value, unit) if unit else str(value) if isinstance(value, int) else number(value)
    return "-" if value is None else str(value)
