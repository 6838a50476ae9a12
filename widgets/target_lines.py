"""The service-level targets with their origin, and beside them the uptime with the share that was observed."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len

from console.model.states import State
from console.model.views import HealthView, TargetRow, UptimeCell
from console.model.words import budget_words, counted, window_words
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, cut, fit
from widgets.words import age, figure, share

_NAME, _LIMIT, _FROM = 9, 8, 6
_LABEL, _CELL = 11, 8
_VALUE_MOST = 36
"""Cells of a value with what it rests on: the limit it is held against stands near."""
_SAMPLES_FROM = 26


def target_lines(view: HealthView, width: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """A head and one line a target. Uptime stands to the right where it has room."""
    uptime = _uptime(view.uptime) if width >= 76 else []
    right = _LABEL + _CELL * len(view.uptime) if uptime else 0
    left = width - right - (4 if uptime else 1)
    targets = [_head(view, left), *(_target(_aged(view, row), left, now_ms, glyphs) for row in view.targets)]
    lines = []
    for y in range(max(len(targets), len(uptime))):
        spans = list(targets[y]) if y < len(targets) else [Span(" " * left)]
        if uptime:
            spans.append(Span("   "))
            spans += uptime[y] if y < len(uptime) else ()
        lines.append(cut(spans, width, glyphs.ellipsis))
    return lines


def _aged(view: HealthView, row: TargetRow) -> TargetRow:
    """While nobody judges no row is of now, whatever it says itself."""
    if view.header.state is not State.STALE or row.state is State.NOT_CONFIGURED:
        return row
    return replace(row, state=State.STALE, seen_ms=row.seen_ms if row.seen_ms is not None else view.verdict_ms)


def _value_width(width: int) -> int:
    return max(8, min(_VALUE_MOST, width - 1 - _NAME - _LIMIT - _FROM))


def _head(view: HealthView, width: int) -> Line:
    window = window_words(view.targets[0].window_s).upper() if view.targets else ""
    value = _value_width(width)
    text = f" {fit('TARGET', _NAME)}{fit(window, value)}{fit('LIMIT', _LIMIT)}{fit('FROM', _FROM)}"
    return cut([Span(text, "head")], width)


def _target(row: TargetRow, width: int, now_ms: int, glyphs: Glyphs) -> Line:
    limit = figure(row.limit, row.unit)
    spans = [
        Span(f" {fit(row.name, _NAME, ellipsis=glyphs.ellipsis)}"),
        *_value(row, _value_width(width) - 1, now_ms, glyphs),
        Span(" "),
        Span(fit(f"<{limit}", _LIMIT), "dim"),
        Span(fit(row.origin.value, _FROM), "dim"),
    ]
    return cut(spans, width, glyphs.ellipsis)


def _value(row: TargetRow, width: int, now_ms: int, glyphs: Glyphs) -> list[Span]:
    """The value and what it rests on; of one that is no longer kept up, dim, how old it is."""
    stale = row.state is State.STALE
    tone: Tone = "text" if row.state is State.HEALTHY else STATE_TONES[row.state]
    old = f" {age(now_ms, row.seen_ms)}" if stale and row.seen_ms is not None else ""
    if row.value is None:
        told = _unknown(row, width - 2 - len(old))
        words = told + old if len(told + old) <= width - 2 else told
        return [Span(f"{glyphs.state[row.state]} ", tone), Span(fit(words, width - 2, ellipsis=glyphs.ellipsis), "dim")]
    mark = "  " if row.state is State.HEALTHY else f"{glyphs.state[row.state]} "
    least = glyphs.least if row.at_least else ""
    column = width - 2 - len(old) if stale else max(10, min(12, width - 2))
    value = fit(least + figure(row.value, row.unit), column)
    of = old if stale else counted(row.samples, "sample") if width >= _SAMPLES_FROM else ""
    rest = width - 2 - cell_len(value)
    return [
        Span(mark, tone),
        Span(value, "dim" if stale else tone),
        Span(fit(_of(row, of, rest), rest), "dim"),
    ]


def _of(row: TargetRow, samples: str, room: int) -> str:
    """What a value rests on; of one that was over its limit and is no longer, that first, as far as there is room."""
    told = row.aside if row.aside and row.state is State.DEGRADED else ""
    return next((words for words in (told, told.partition(";")[0]) if words and len(words) <= room), samples)


def _unknown(row: TargetRow, room: int) -> str:
    """What users feel is not known; what a probe saw stands aside and says that it is a probe's."""
    if not row.aside:
        return row.state.value
    whole = f"{row.state.value} ({row.aside})"
    return whole if len(whole) <= room else row.aside.replace(": ", " ")


def _uptime(cells: tuple[UptimeCell, ...]) -> list[list[Span]]:
    if not cells:
        return []
    head = fit("SEEN UPTIME", _LABEL) + "".join(fit(window_words(cell.window_s), _CELL, "right") for cell in cells)
    return [
        [Span(head, "head")],
        [Span(fit("up", _LABEL)), *(_up(cell) for cell in cells)],
        _row("observed", [share(cell.observed_share, 1) for cell in cells]),
        _row("target", [share(cell.target_share) for cell in cells]),
        [Span(fit("budget left", _LABEL)), *(_budget(cell) for cell in cells)],
    ]


def _row(label: str, texts: list[str]) -> list[Span]:
    return [Span(fit(label, _LABEL)), Span("".join(fit(text, _CELL, "right") for text in texts), "dim")]


def _up(cell: UptimeCell) -> Span:
    missed = cell.up_share is not None and cell.up_share < cell.target_share
    tone: Tone = "unknown" if cell.up_share is None else "warn" if missed else "text"
    return Span(fit(share(cell.up_share), _CELL, "right"), tone)


def _budget(cell: UptimeCell) -> Span:
    left = cell.budget_left_share
    if left is not None and left <= 0:
        return Span(fit("spent", _CELL, "right"), "warn")
    words = "?" if left is None else budget_words(left)
    return Span(fit(words, _CELL, "right"), "unknown" if left is None else "text")
