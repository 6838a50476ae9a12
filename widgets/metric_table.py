"""The figures of the charts as a table: a line for each stretch of time, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.model.metric_views import ChartView, LineView, MetricsView
from widgets.chart_words import foremost, value_words
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, Tone, cut, fit
from widgets.scale import stretch_words
from widgets.words import number

_NARROWEST, _WIDEST = 9, 24
_GAP = 2


class Column(NamedTuple):
    """One line of one chart, or its compared twin."""

    chart: ChartView
    line: LineView
    head: str
    """Its name where there are several lines: `p95`, `p95 yesterday`."""

    @property
    def title(self) -> str:
        """Chart, line and unit in words."""
        unit = f" ({self.chart.unit})" if self.chart.unit else ""
        own = (
            "" if self.head in ("", self.chart.title) or self.chart.title.endswith(f" {self.head}") else f" {self.head}"
        )
        return f"{self.chart.title}{own}{unit}"


def table_columns(charts: Sequence[ChartView], earlier: str) -> list[Column]:
    """The columns of the charts that have values; a distribution stays a picture."""
    found = []
    for chart in charts:
        for index, line in enumerate(chart.lines):
            found.append(Column(chart, line, line.label if len(chart.lines) > 1 else ""))
            if index == foremost(chart) and index < len(chart.compared):
                found.append(Column(chart, chart.compared[index], f"{line.label} {earlier}"))
    return found


def table_lines(view: MetricsView, first: str, width: int, now_ms: int, glyphs: Glyphs, earlier: str) -> list[Line]:
    """Two head lines, then a line for each stretch. Columns from the chart `first` on, as many as have room."""
    keys = [chart.key for chart in view.charts]
    begin = keys.index(first) if first in keys else 0
    columns = table_columns(view.charts[begin:], earlier)
    if not columns:
        told = next((chart.absent for chart in view.charts[begin:] if chart.absent), None)
        return [cut([Span(f" {told or 'There are no figures here.'}", "dim")], width, glyphs.ellipsis)]
    moment = max(len(stretch_words(at, view.step_ms, now_ms)) for at in (view.start_ms, _at(view, view.points - 1))) + 2
    widths = _widths(columns, width - moment - 1)
    shown = columns[: len(widths)]
    left = len(columns) - len(shown)
    return [
        _head("", moment, [column.chart.title for column in shown], widths, width, glyphs),
        _head(
            " UTC", moment, [f"{column.head} {column.chart.unit}".strip() for column in shown], widths, width, glyphs
        ),
        *(_row(view, at, moment, shown, widths, width, now_ms, glyphs) for at in range(view.points - 1, -1, -1)),
        *([cut([Span(f" {left} columns more: right, or f for one chart", "dim")], width)] if left else []),
    ]


def _at(view: MetricsView, at: int) -> int:
    return view.start_ms + at * view.step_ms


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    """The widths of as many columns as have room, at least one."""
    found: list[int] = []
    for column in columns:
        longest = max((len(number(value)) + 2 for value in column.line.values if value is not None), default=1)
        head = max(len(column.chart.title), len(f"{column.head} {column.chart.unit}"))
        wanted = min(_WIDEST, max(_NARROWEST, head, longest)) + _GAP
        if found and sum(found) + wanted > room:
            break
        found.append(min(wanted, room))
    return found


def _head(label: str, moment: int, texts: Sequence[str], widths: Sequence[int], width: int, glyphs: Glyphs) -> Line:
    spans = [Span(fit(label, moment), "head")]
    for text, cells in zip(texts, widths, strict=True):
        spans += [Span(" " * _GAP), Span(fit(text, cells - _GAP, "right", glyphs.ellipsis), "head")]
    return cut(spans, width, glyphs.ellipsis)


def _row(
    view: MetricsView,
    at: int,
    moment: int,
    columns: Sequence[Column],
    widths: Sequence[int],
    width: int,
    now_ms: int,
    glyphs: Glyphs,
) -> Line:
    still_open = at >= view.provisional
    spans = [Span(fit(f" {stretch_words(_at(view, at), view.step_ms, now_ms)}", moment), "dim")]
    for column, cells in zip(columns, widths, strict=True):
        text = value_words(column.line, at, glyphs)
        tone: Tone = "unknown" if text == "?" else "dim" if still_open else "text"
        spans.append(Span(fit(text, cells, "right", glyphs.ellipsis), tone))
    return cut([*spans, Span(" not closed yet" if still_open else "", "dim")], width, glyphs.ellipsis)
