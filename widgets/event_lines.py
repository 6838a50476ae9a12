"""What happened lately, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.views import EventRow
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, blank, cut, width_of, wrap
from widgets.words import age, when

_LABEL = " LATELY  "


def event_spans(event: EventRow, now_ms: int, glyphs: Glyphs, aligned: bool = True, moment: int = 6) -> list[Span]:
    """When (in `moment` cells) and what, with the state it led to."""
    return [Span(f"{when(event.at_ms, now_ms):>{moment}} ", "dim"), *_what(event, glyphs, aligned)]


def _what(event: EventRow, glyphs: Glyphs, aligned: bool = True) -> list[Span]:
    spans = []
    if event.state is not None:
        spans.append(Span(f"{glyphs.state[event.state]} ", STATE_TONES[event.state]))
    elif aligned:
        spans.append(Span("  "))
    return [*spans, Span(event.text)]


def event_column(
    events: Sequence[EventRow], width: int, room: int, now_ms: int, glyphs: Glyphs, label: bool = False
) -> list[Line]:
    """One line an event: below its head, or with the head as a label before the first."""
    lines = [] if label else [cut([Span("LATELY", "head")], width)]
    if not events:
        return [*lines, cut([Span(_LABEL if label else "", "head"), Span("nothing recorded yet", "dim")], width)][:room]
    wraps = not label and 2 * len(events) + 1 <= room
    events = events[:room]
    moment = moment_width(events, now_ms)
    for index, event in enumerate(events):
        lead = [Span(_LABEL if index == 0 else " " * len(_LABEL), "head")] if label else []
        lines += _event([*lead, *event_spans(event, now_ms, glyphs, moment=moment)], width, glyphs, wraps)
    return lines[:room]


def moment_width(events: Sequence[EventRow], now_ms: int) -> int:
    """Cells for when: a time of day or a date; around midnight both."""
    return max([6, *(len(when(event.at_ms, now_ms)) for event in events)])


def _event(spans: list[Span], width: int, glyphs: Glyphs, wraps: bool) -> list[Line]:
    """One line, or two where there is room for the end of the words."""
    *begin, words = spans
    taken = width_of(begin)
    first, *rest = wrap(words.text, width - taken - 1) if wraps else [words.text]
    lines = [cut([*begin, Span(first)], width, glyphs.ellipsis)]
    if rest:
        lines.append(cut([Span(" " * taken), Span(" ".join(rest))], width, glyphs.ellipsis))
    return lines


def change_column(events: Sequence[EventRow], width: int, room: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """Beside a list that tells ages: how long ago each was, its words on two lines where they need them."""
    lines = [cut([Span("LATELY", "head")], width)]
    if not events:
        return [*lines, cut([Span("nothing recorded yet", "dim")], width)][:room]
    for event in events:
        spans = [Span(f"{age(now_ms, event.at_ms):>4} ", "dim"), *_what(event, glyphs)]
        told = _event(spans, width, glyphs, wraps=True)
        if len(lines) + len(told) > room:
            break
        lines += told
    return lines[:room]


def event_pairs(events: Sequence[EventRow], width: int, room: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """Two events a line, for a low page."""
    half = (width - len(_LABEL) - 2) // 2
    lines = []
    for index in range(0, min(len(events), 2 * room), 2):
        lead = Span(_LABEL if index == 0 else " " * len(_LABEL), "head")
        pair = [
            cut(event_spans(event, now_ms, glyphs, False, 0), half, glyphs.ellipsis)
            for event in events[index : index + 2]
        ]
        right = pair[1] if len(pair) > 1 else blank(half)
        lines.append(cut([lead, *pair[0], Span(" "), *right], width))
    return lines
