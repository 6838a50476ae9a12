"""Lines of text with tones: what the pages are made of before they meet a terminal.

A `Line` is a tuple of spans that together are exactly as wide as the view. Building lines needs no terminal, so
the layout of every page is tested as plain values; `canvas.Canvas` turns them into strips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

Tone = Literal["text", "strong", "dim", "head", "accent", "good", "warn", "bad", "unknown"]
Back = Literal["plain", "selected", "banner"]

TONES: tuple[Tone, ...] = ("text", "strong", "dim", "head", "accent", "good", "warn", "bad", "unknown")
BACKS: tuple[Back, ...] = ("plain", "selected", "banner")


class Span(NamedTuple):
    """Text in one tone on one background."""

    text: str
    tone: Tone = "text"
    back: Back = "plain"


Line = tuple[Span, ...]
Align = Literal["left", "right"]


def guard(text: str) -> str:
    """The text with every character that a terminal could obey or hide replaced by a visible one of one cell.

    Text was cleaned where it entered; this is the second lock, at the door to the terminal.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code > 0x9F and character.isspace():
        return " "
    if code == 0x7F:
        return "␡"
    return chr(0x2400 + code) if code < 0x20 else "�"


def fit(text: str, width: int, align: Align = "left", ellipsis: str = "…") -> str:
    """The text in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    text = guard(text)
    missing = width - cell_len(text)
    if missing < 0:
        kept = max(0, width - cell_len(ellipsis))
        return set_cell_size(set_cell_size(text, kept) + ellipsis, width)
    return text + " " * missing if align == "left" else " " * missing + text


def width_of(spans: Iterable[Span]) -> int:
    """The cells that the spans take."""
    return sum(cell_len(span.text) for span in spans)


def cut(spans: Iterable[Span], width: int, ellipsis: str = "…") -> Line:
    """The spans in exactly `width` cells: the last one that does not fit is cut, what is missing is blank."""
    kept: list[Span] = []
    room = width
    for span in spans:
        span = span._replace(text=guard(span.text))
        cells = cell_len(span.text)
        if cells > room:
            kept.append(span._replace(text=fit(span.text, room, ellipsis=ellipsis)))
            return tuple(kept)
        kept.append(span)
        room -= cells
    return (*kept, Span(" " * room)) if room else tuple(kept)


def ends(left: Sequence[Span], right: Sequence[Span], width: int, ellipsis: str = "…") -> Line:
    """One line with `left` at its beginning and `right` at its end; `left` gives way."""
    tail = cut(right, min(width, width_of(right)), ellipsis)
    room = width - width_of(tail)
    if not tail:
        return cut(left, width, ellipsis)
    return (*cut(left, max(0, room - 1), ellipsis), Span(" " * min(1, room)), *tail)


def blank(width: int) -> Line:
    """An empty line."""
    return (Span(" " * width),)


def backed(line: Line, back: Back) -> Line:
    """The line on another background."""
    return tuple(span._replace(back=back) for span in line)


def plain(lines: Iterable[Line]) -> str:
    """The lines as text, for copying: no trailing blanks, no blank end."""
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines).rstrip() + "\n"


def beside(columns: Sequence[tuple[Sequence[Line], int]], height: int, gap: int = 2) -> list[Line]:
    """Columns of lines, each `(lines, width)`, side by side in `height` lines with `gap` cells between."""
    rows: list[Line] = []
    for y in range(height):
        spans: list[Span] = []
        for index, (lines, width) in enumerate(columns):
            if index:
                spans.append(Span(" " * gap))
            spans.extend(lines[y] if y < len(lines) else blank(width))
        rows.append(tuple(spans))
    return rows


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken at blanks, or inside a word that is longer."""
    rows: list[str] = []
    row = ""
    for word in guard(text.replace("\n", " ")).split(" "):
        joined = f"{row} {word}" if row else word
        if cell_len(joined) <= width:
            row = joined
            continue
        if row:
            rows.append(row)
        while cell_len(word) > width > 0:
            piece = _head(word, width)
            rows.append(piece)
            word = word[len(piece) :]
        row = word
    return [*rows, row] if row or not rows else rows


def _head(word: str, width: int) -> str:
    """The longest beginning of the word that fits, at least one character."""
    end = 1
    while end < len(word) and cell_len(word[: end + 1]) <= width:
        end += 1
    return word[:end]


def changed(old: Line, new: Line) -> tuple[int, int] | None:
    """The cells `(begin, end)` in which two lines of equal width differ; None when they are the same."""
    if old == new:
        return None
    first = _common(old, new)
    begin = width_of(old[:first])
    last = _common(old[first:][::-1], new[first:][::-1])
    end = max(width_of(old), width_of(new)) - width_of(new[len(new) - last :])
    return begin, max(end, begin + 1)


def _common(left: Sequence[Span], right: Sequence[Span]) -> int:
    """How many spans at the beginning are equal."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count
