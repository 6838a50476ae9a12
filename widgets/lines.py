"""Lines of text with tones: what the pages are made of before they meet a terminal.

A `Line` is a tuple of spans that together are exactly as wide as the view. Building lines needs no terminal, so
the layout of every page is tested as plain values; `canvas.Canvas` turns them into strips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

Tone = Literal["text", "strong", "dim", "head", "accent", "second", "third", "good", "warn", "bad", "unknown"]
Back = Literal["plain", "selected", "banner"]


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


def choosable(
    spans: Sequence[Span], width: int, *, marked: bool, bar: str, ellipsis: str = "…", tail: Sequence[Span] = ()
) -> Line:
    """A line that can be chosen, behind a bar and on another ground where it is; the spans give way to the tail."""
    lead = Span(bar if marked else " ", "accent")
    line = (*cut([lead, *spans], width - width_of(tail), ellipsis), *tail)
    return backed(line, "selected") if marked else line


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
    for word in _unparted(guard(text.replace("\n", " ")).split(" ")):
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


_UNITS = frozenset({"s", "m", "h", "d", "ms", "min", "%", "B", "KiB", "MiB", "GiB"})


def _unparted(words: Sequence[str]) -> list[str]:
    """The words, a number and its unit as one: `12 m` is not broken after the 12."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1][-1:].isdigit() and word.rstrip(",;.:)") in _UNITS:
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


def _head(word: str, width: int) -> str:
    """The longest beginning of the word that fits, at least one character."""
    end = 1
    while end < len(word) and cell_len(word[: end + 1]) <= width:
        end += 1
    return word[:end]


_NEAR = 10
"""Unchanged cells that are cheaper sent again than skipped: moving the cursor and a style cost some 40 bytes."""


def changed(old: Line, new: Line) -> list[tuple[int, int]]:
    """The ranges of cells `(begin, end)` in which two lines of equal width differ; ranges near each other are one."""
    if old == new:
        return []
    before, after = _cells(old), _cells(new)
    if len(before) != len(after):
        return [(0, max(len(before), len(after)))]
    ranges: list[tuple[int, int]] = []
    for at, (one, other) in enumerate(zip(before, after, strict=True)):
        if one == other:
            continue
        if ranges and at - ranges[-1][1] <= _NEAR:
            ranges[-1] = (ranges[-1][0], at + 1)
        else:
            ranges.append((at, at + 1))
    return ranges


def _cells(line: Line) -> list[tuple[str, Tone, Back, int]]:
    """Character, tone and ground of every cell; a wide character stands in each of its cells."""
    cells: list[tuple[str, Tone, Back, int]] = []
    for text, tone, back in line:
        if text.isascii():
            cells += [(character, tone, back, 0) for character in text]
            continue
        for character in text:
            width = cell_len(character)
            if width == 0 and cells:  # a combining mark belongs to the character before it
                last = cells[-1]
                cells[-1] = (last[0] + character, *last[1:])
            cells += [(character, tone, back, part) for part in range(width)]
    return cells
