"""The figures of the charts as CSV and Markdown, in files of the user's own; no cell is a formula."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from console.model.metric_views import MetricsView
from console.model.text import clean
from console.model.times import iso
from screens.files import write_private
from widgets.chart_words import foremost
from widgets.metric_table import Column, table_columns

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_WRITTEN = "written: PATH.csv, .md"


def export(view: MetricsView, directory: Path, now_ms: int, room: int = 200) -> str:
    """Write both files; in words of about `room` cells where they are, or why not."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000))
    environment = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in view.header.environment)
    stem = f"metrics-{environment[:40]}-{view.question.page}-{stamp}"
    columns = table_columns(view)
    if not columns:
        return "there are no figures here to export"
    try:
        for suffix, text in ((".csv", csv_of(view, columns)), (".md", markdown_of(view, columns))):
            write_private(directory / f"{stem}{suffix}", text)
    except OSError as error:
        return f"not exported: {error.strerror}: {directory}"
    place = str(directory / stem)
    if len(place) > room - len(_WRITTEN):  # the name is what it is found by; the place is that of the session's file
        place = f"…/{stem}"
    return _WRITTEN.replace("PATH", place)


def csv_of(view: MetricsView, columns: Sequence[Column]) -> str:
    """A line for each stretch, oldest first: of which environment it is, when it begins, the values, whether it had
    closed, what happened in it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["environment", *_heads(columns)])
    environment = safe(view.header.environment)
    writer.writerows([environment, *row] for row in _rows(view, columns))
    return file.getvalue()


def markdown_of(view: MetricsView, columns: Sequence[Column]) -> str:
    """The same as a table, below what it is."""
    question = view.question
    end = view.start_ms + view.points * view.step_ms
    what = f"{safe(view.header.environment)}: {question.page.capitalize()}"
    head = f"# {what}, {iso(view.start_ms)} to {iso(end)}, steps of {view.step_ms / 1000:g} s"
    heads = _heads(columns)
    lines = [head, "", _cells(heads), _cells(["---"] * len(heads)), *(_cells(row) for row in _rows(view, columns))]
    return "\n".join(lines) + "\n"


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _heads(columns: Sequence[Column]) -> list[str]:
    named = [safe(f"{column.title}, {column.chart.origin.value}{_target(column)}") for column in columns]
    return ["begins (UTC)", *named, "closed", "marks"]


def _target(column: Column) -> str:
    """The target of the line, if it has one: `, target < 200`."""
    chart = column.chart
    meant = chart.lines if not chart.target_of else [chart.lines[foremost(chart)]]
    if chart.target is None or not any(line is column.line for line in meant):
        return ""
    return f", target {'>' if chart.target_is_floor else '<'} {chart.target:g}"


def _rows(view: MetricsView, columns: Sequence[Column]) -> Iterable[list[str]]:
    for at in range(view.points):
        begin = view.start_ms + at * view.step_ms
        marks = [mark.text for mark in view.marks if begin <= mark.at_ms < begin + view.step_ms]
        closed = "yes" if at < view.provisional else "no"
        yield [iso(begin), *(_value(column, at) for column in columns), closed, safe("; ".join(marks))]


def _value(column: Column, at: int) -> str:
    """A number in full, at least so much as `>=10000`, nothing for a gap."""
    value = column.line.values[at] if at < len(column.line.values) else None
    if value is None:
        return ""
    return f">={value!r}" if at in column.line.lower_bounds else repr(value)


def safe(text: str) -> str:
    """Text from outside as one harmless cell: cleaned, and with an apostrophe before what would be a formula."""
    cleaned = clean(text)
    return f"'{cleaned}" if cleaned.startswith(_FORMULA) else cleaned
