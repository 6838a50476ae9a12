"""Whose it is and every next step; then every reason uncut, each a line to select."""

from __future__ import annotations

from console.model.states import State
from console.model.views import HealthView
from console.model.words import counted
from widgets.bars import state_spans
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, backed, blank, cut, width_of
from widgets.reason_lines import whole_reason, whose_words
from widgets.words import age

Row = tuple[Line, str | None]


def reason_rows(view: HealthView, width: int, now_ms: int, glyphs: Glyphs, selected: str | None) -> list[Row]:
    """The lines; the first one of a reason carries its key."""
    verdict = view.verdict
    if verdict is None or not verdict.reasons:
        return [(cut([Span(_none(view))], width), None)]
    rows: list[Row] = [(_head(view, len(verdict.reasons), width, now_ms, glyphs), None)]
    if words := whose_words(verdict):
        rows.append((cut([Span(" WHOSE  ", "head"), Span(words)], width, glyphs.ellipsis), None))
    for index, step in enumerate(verdict.next_steps):
        head = " NEXT   " if index == 0 else " " * 8
        rows.append((cut([Span(head, "head"), Span(step)], width, glyphs.ellipsis), None))
    rows.append((blank(width), None))
    for reason in verdict.reasons:
        lines = whole_reason(reason, width, now_ms, glyphs)
        marked = reason.key == selected
        lines = (
            [_marked(line, glyphs.bar if index == 0 else " ") for index, line in enumerate(lines)] if marked else lines
        )
        rows += [(line, reason.key if index == 0 else None) for index, line in enumerate(lines)]
    return rows


def _none(view: HealthView) -> str:
    if view.verdict is None:
        return " Nothing was judged yet: reasons stand here when something is wrong."
    if view.header.state is State.STALE:
        return " Not known: nobody judges now; when it was last judged nothing was wrong."
    return " Nothing is wrong: reasons stand here when something is."


def _head(view: HealthView, count: int, width: int, now_ms: int, glyphs: Glyphs) -> Line:
    judged = "" if view.verdict_ms is None else f"  judged {age(now_ms, view.verdict_ms)} ago"
    spans = [Span(" WHY    ", "head"), *state_spans(view.header.state, glyphs)]
    return cut([*spans, Span(f"  {counted(count, 'reason')}, worst first{judged}", "dim")], width, glyphs.ellipsis)


def _marked(line: Line, bar: str) -> Line:
    """The line behind a bar, on the ground of what is selected."""
    first, *rest = line
    whole = (Span(bar, "accent"), first._replace(text=first.text[1:]), *rest)
    assert width_of(whole) == width_of(line)
    return backed(whole, "selected")
