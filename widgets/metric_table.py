"""The figures of the charts as a table: a line for each stretch of time, the newest first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from console.model.metric_views import ChartView, LineView, MetricsView
from console.model.words import counted
from widgets.chart_words import held_words
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, Tone, blank, cut, ends, fit
from widgets.metric_lines import EARLIER, MetricsFrame, page_line
from widgets.scale import stretch_words
from widgets.words import number

_NARROWEST, _WIDEST = 9, 24
_GAP = 2
_PLAIN_TO = 1e12
"""Larger figures are written short."""


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
        return f"{self.chart.title} {self.head}".rstrip() + unit

    def digits(self) -> int:
        """Decimals of all its figures, so that they line up: as many as its lesser ones need, three at most."""
        sizes = sorted(abs(value) for value in self.line.values if value)
        size = sizes[len(sizes) // 4] if sizes else 100.0
        return next((digits for digits, least in enumerate((9.95, 0.995, 0.0995)) if size >= least), 3)

    def words(self, at: int, digits: int, glyphs: Glyphs) -> str:
        """The figure of a stretch, `?` in a gap."""
        value = self.line.values[at] if 0 <= at < len(self.line.values) else None
        if value is None or math.isnan(value):
            return "?"
        text = f"{value:,.{digits}f}" if abs(value) < _PLAIN_TO else number(value)
        return f"{glyphs.least} {text}" if at in self.line.lower_bounds else text


def table_columns(view: MetricsView, first: str = "") -> list[Column]:
    """The columns of the charts that have values, from the chart `first` on; a distribution stays a picture."""
    keys = [chart.key for chart in view.charts]
    earlier = EARLIER.get(view.question.compare_ms) or "earlier"
    found = []
    for chart in view.charts[keys.index(first) if first in keys else 0 :]:
        if chart.heat is not None:
            continue
        for index, line in enumerate(chart.lines):
            found.append(Column(chart, line, line.label if len(chart.lines) > 1 else ""))
            if index < len(chart.compared):
                found.append(
                    Column(chart, chart.compared[index], f"{line.label} {earlier}{held_words(chart, view.step_ms)}")
                )
    return found


@dataclass(frozen=True, slots=True)
class _Shown:
    column: Column
    digits: int
    width: int


class Table:
    """The columns from one chart on that have room, and any of the lines: only those are made that are seen."""

    def __init__(self, view: MetricsView, first: str, width: int, now_ms: int, glyphs: Glyphs) -> None:
        self.view, self.width, self.now_ms, self.glyphs = view, width, now_ms, glyphs
        self.first = first
        columns = table_columns(view, first)
        # The dates that appear are those of the ends.
        ends = (view.start_ms, view.start_ms + (view.points - 1) * view.step_ms)
        self._moment = max(len(stretch_words(at, view.step_ms, now_ms)) for at in ends) + 2
        self._shown = self._fitting(columns)
        self.hidden = len(columns) - len(self._shown)
        """Columns without room."""

    def __len__(self) -> int:
        return self.view.points if self._shown else 0

    def _fitting(self, columns: Sequence[Column]) -> list[_Shown]:
        found: list[_Shown] = []
        room = self.width - self._moment - 1
        for column in columns:
            digits = column.digits()
            figures = (column.words(at, digits, self.glyphs) for at in range(len(column.line.values)))
            head = max(len(column.chart.title), len(f"{column.head} {column.chart.unit}"))
            wanted = min(_WIDEST, max(_NARROWEST, head, *map(len, figures))) + _GAP
            if found and wanted > room:
                break
            found.append(_Shown(column, digits, min(wanted, room)))
            room -= wanted
        return found

    def head(self) -> list[Line]:
        """Two lines: charts, then lines with their units. Without figures, why there are none."""
        if not self._shown:
            own = [chart for chart in self.view.charts if chart.key == self.first] or self.view.charts
            told = next((chart.absent for chart in own if chart.absent), "there are no figures here")
            return [cut([Span(f" {told}", "dim")], self.width, self.glyphs.ellipsis)]
        charts = [shown.column.chart.title for shown in self._shown]
        lines = [f"{shown.column.head} {shown.column.chart.unit}".strip() for shown in self._shown]
        return [self._cells("", charts), self._cells(" UTC", lines)]

    def _cells(self, label: str, texts: Sequence[str]) -> Line:
        spans = [Span(fit(label, self._moment), "head")]
        for text, shown in zip(texts, self._shown, strict=True):
            cells = fit(text, shown.width - _GAP, "right", self.glyphs.ellipsis)
            spans += [Span(" " * _GAP), Span(cells, "head")]
        return cut(spans, self.width, self.glyphs.ellipsis)

    def rows(self, begin: int, end: int) -> list[Line]:
        """Lines of the table, counted from the newest."""
        return [self._row(self.view.points - 1 - row) for row in range(begin, min(end, len(self)))]

    def _row(self, at: int) -> Line:
        view, still_open = self.view, at >= self.view.provisional
        moment = stretch_words(view.start_ms + at * view.step_ms, view.step_ms, self.now_ms)
        mark = self.glyphs.ellipsis if still_open else ""
        spans = [Span(fit(f" {moment}{mark}", self._moment), "dim")]
        for shown in self._shown:
            text = shown.column.words(at, shown.digits, self.glyphs)
            tone: Tone = "unknown" if text == "?" else "dim" if still_open else "text"
            spans.append(Span(fit(text, shown.width, "right", self.glyphs.ellipsis), tone))
        return cut(spans, self.width, self.glyphs.ellipsis)


class TablePage(NamedTuple):
    """The lines, and which part of the table they show."""

    lines: list[Line]
    row: int
    """The first line of the table that is shown."""
    rows: int
    """Lines for which there is room."""


def table_page(view: MetricsView, frame: MetricsFrame, row: int, key: str) -> TablePage:
    """The table in exactly the frame's room, from a line on; `key` shows further columns."""
    table = Table(view, frame.selected, frame.width, frame.now_ms, frame.glyphs)
    head = table.head()
    rows = max(1, frame.height - 2 - len(head))
    row = max(0, min(row, len(table) - rows))
    shown = table.rows(row, row + rows)
    padding = [blank(frame.width)] * (rows - len(shown))
    foot = _foot(table, row, len(shown), key, frame)
    return TablePage([page_line(view, frame), *head, *shown, *padding, foot], row, rows)


def _foot(table: Table, row: int, shown: int, key: str, frame: MetricsFrame) -> Line:
    glyphs = frame.glyphs
    more = f"; {counted(table.hidden, 'column')} more with {key}" if table.hidden else ""
    words = f" newest first, {glyphs.ellipsis} not closed yet{more}"
    where = f"{row + 1}{glyphs.dash}{row + shown} of {counted(len(table), 'line')} " if shown else ""
    return ends([Span(words, "dim")], [Span(where, "dim")], frame.width, glyphs.ellipsis)
