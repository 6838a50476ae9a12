"""The table of components: state, since when, the figure that matters, the last half hour, age, origin."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from console.model.states import State
from console.model.views import ComponentRow, HealthView
from console.model.words import window_words
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Back, Line, Span, Tone, backed, cut, fit
from widgets.words import MINUTE_S, age

_BOTH_FROM = 36
"""Cells of the figure's column from which it holds the last value and an error."""


class _Widths(NamedTuple):
    """Cells of each column; the figure takes what the others leave."""

    name: int
    figure: int
    strip: int

    state: int = 11
    since: int = 5
    age: int = 5
    origin: int = 5


def _widths(width: int, slices: int) -> _Widths:
    # bar 1, gaps: name 1, state 0, since 2, figure 1, strip 0, age 2, and one at the edge
    name = 12 if width < 96 else 14
    fixed = 1 + name + 1 + 11 + 5 + 2 + 1 + 5 + 2 + 5 + 1
    strip = min(slices, max(0, width - fixed - 12))
    return _Widths(name, max(0, width - fixed - strip), strip)


def component_table(view: HealthView, width: int, now_ms: int, glyphs: Glyphs, selected: str | None) -> list[Line]:
    """The head and one line a component; the selected one behind a bar."""
    slices = max((len(row.strip) for row in view.components), default=0)
    widths = _widths(width, slices)
    lines = [_head(view, widths, width)]
    lines += [_row(row, widths, width, now_ms, glyphs, row.key == selected) for row in view.components]
    return lines


def _head(view: HealthView, widths: _Widths, width: int) -> Line:
    window = window_words(view.strip_s).upper() if view.strip_s >= MINUTE_S else ""
    text = (
        f" {fit('COMPONENT', widths.name)} {fit('STATE', widths.state)}{fit('FOR', widths.since, 'right')}  "
        f"{fit('FIGURE', widths.figure)} {fit(window, widths.strip)}{fit('AGE', widths.age, 'right')}  FROM"
    )
    return cut([Span(text, "head")], width)


def _row(row: ComponentRow, widths: _Widths, width: int, now_ms: int, glyphs: Glyphs, selected: bool) -> Line:
    back: Back = "selected" if selected else "plain"
    dots = glyphs.ellipsis
    spans = [
        Span(glyphs.bar if selected else " ", "accent"),
        Span(fit(row.name, widths.name, ellipsis=dots) + " ", "strong" if selected else "text"),
        *_state(row, widths, now_ms, glyphs),
        *_middle(row, widths, glyphs),
        Span(fit(age(now_ms, row.seen_ms), widths.age, "right"), _age_tone(row, now_ms)),
        Span("  "),
        Span(fit(row.origin.value, widths.origin), "dim"),
    ]
    line = cut(spans, width)
    return backed(line, back) if selected else line


def _state(row: ComponentRow, widths: _Widths, now_ms: int, glyphs: Glyphs) -> list[Span]:
    tone: Tone = STATE_TONES[row.state]
    word = row.state.value
    if row.state is State.NOT_CONFIGURED:
        return [Span(fit(f"{glyphs.state[row.state]} {word}", widths.state + widths.since + 2), "dim")]
    word_tone: Tone = "text" if row.state is State.HEALTHY else tone
    return [
        Span(f"{glyphs.state[row.state]} ", tone),
        Span(fit(word, widths.state - 2), word_tone),
        Span(fit(age(now_ms, row.since_ms), widths.since, "right"), "text"),
        Span("  "),
    ]


def _middle(row: ComponentRow, widths: _Widths, glyphs: Glyphs) -> list[Span]:
    """Figure and strip. When the newest try gave no value: the last value dim and why beside it; where there is no room
    for both the value, and why is told by the detail and the reasons."""
    quiet = row.state in (State.NOT_CONFIGURED, State.STALE)
    dots = glyphs.ellipsis
    strip = [Span(" "), *strip_spans(row.strip[-widths.strip :] if widths.strip else (), widths.strip, glyphs)]
    # That it is stale says the state; since when, its age.
    if not row.error or row.state is State.STALE:
        figure = "" if row.figure == row.state.value else row.figure
        return [Span(fit(figure, widths.figure, ellipsis=dots), "dim" if quiet else "text"), *strip]
    if widths.figure >= _BOTH_FROM:
        return [*_failed(row, widths.figure, widths.figure // 2, dots), *strip]
    return [Span(fit(row.figure or row.error, widths.figure, ellipsis=dots), "dim" if row.figure else "warn"), *strip]


def _failed(row: ComponentRow, width: int, column: int, dots: str) -> list[Span]:
    """The value, and the error from `column` on, or earlier where it needs more room."""
    error = row.error or ""
    value = fit(row.figure, min(cell_len(row.figure), width // 2 + 2), ellipsis=dots)
    taken = cell_len(value) + 2 if value else 0
    begin = max(taken, min(column, width - cell_len(error))) if value else 0
    return [Span(fit(value, begin), "dim"), Span(fit(error, width - begin, ellipsis=dots), "warn")]


def _age_tone(row: ComponentRow, now_ms: int) -> Tone:
    """Old is worth a colour: more than three intervals without a success."""
    if row.seen_ms is None or row.interval_s is None:
        return "dim"
    return "warn" if now_ms - row.seen_ms > 3000 * row.interval_s else "dim"


def strip_spans(states: tuple[State, ...], width: int, glyphs: Glyphs) -> list[Span]:
    """One cell a slice, oldest first; runs of one tone are one span."""
    spans = [Span(" " * (width - len(states)))] if len(states) < width else []
    for state in states:
        tone: Tone = "dim" if state in (State.HEALTHY, State.UNKNOWN, State.STALE) else STATE_TONES[state]
        glyph = glyphs.strip[state]
        if spans and spans[-1].tone == tone and spans[-1].text.strip():
            spans[-1] = Span(spans[-1].text + glyph, tone)
        else:
            spans.append(Span(glyph, tone))
    return spans
