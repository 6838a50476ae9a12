"""One chart in lines: title with origin, curve over its axes, marks, and what it comes to in figures.

The curves are plotext's (`widgets.raster`). Axes, marks, target, heat map and tones are ours: plotext draws a line
across a gap unless it is cut, its tick labels choose the plot's width (here all time axes stand in the same columns),
it has no dashed line that gives way to a curve, and it knows no tones that follow a theme.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from console.model.metric_views import ChartView, LineView, Mark
from widgets.chart_frame import GUTTER, LEAST_HEIGHT, ChartFrame
from widgets.chart_heat import heat_cells, heat_labels
from widgets.chart_words import foremost, is_beyond, mark_sign, mark_tone, plain_words, summary, title_words
from widgets.glyphs import ASCII
from widgets.lines import Back, Line, Span, Tone, backed, blank, cut, ends, fit, wrap
from widgets.raster import BLANK, Points, Run, ascii_of, braille, merged
from widgets.scale import Scale, labelled, row_of, scale_of, tick_words, ticks, time_labels, touched

_DOTS_APART = 2.0
"""Of a dotted curve, in half columns."""
_TARGET, _DASHES, _NEAR = "target", 6, 3
"""The word of the target, how many cells of its line stay for dashes at least, and how many rows off it may stand."""
_FILLED = 4
"""From how many cells side by side on data hides the target behind it; of so many one is a dash then."""
_FEW = 3
"""Up to how many marks on the axis of time itself are worth a time each."""
_WORST: tuple[Tone, ...] = ("dim", "text", "unknown", "warn", "bad")
_OTHERS: tuple[Tone, ...] = ("second", "third")
"""Of the lines beside the foremost one; in most themes both are dim."""
_NAME, _TRIES = 14, 24
"""How long the name of a line is at most, and at how many places room for it is looked for."""


@dataclass(slots=True)
class Cell:
    """One cell of a plot."""

    text: str = " "
    tone: Tone = "dim"
    back: Back = "plain"
    drawn: bool = False
    """A curve goes through it."""


Cells = list[list[Cell]]


def chart_lines(chart: ChartView, frame: ChartFrame) -> list[Line]:
    """The chart in exactly the frame's width and height."""
    if frame.columns < 2 or frame.height < LEAST_HEIGHT:
        return [blank(frame.width)] * frame.height
    if _is_empty(chart):
        return [_title(chart, frame), *_absent(chart, frame), blank(frame.width)]
    return [_title(chart, frame), *_plot(chart, frame), *_axes(frame), summary(chart, frame)]


def _axes(frame: ChartFrame) -> list[Line]:
    """Below a plot: what happened, and when."""
    return [*([_marks_line(frame)] if frame.parts_marks else []), _time_axis(frame)]


def _is_empty(chart: ChartView) -> bool:
    known = any(value is not None for line in chart.lines for value in line.values)
    heat = chart.heat is not None and any(counts for counts in chart.heat.counts)
    return not known and not heat


def _title(chart: ChartView, frame: ChartFrame) -> Line:
    mark = Span(frame.glyphs.bar if frame.selected else " ", "accent")
    name = Span(title_words(chart), "strong" if frame.selected else "head")
    unit = Span(f"  {chart.unit}", "dim")
    origin = Span(f"{chart.origin.value} ", "dim")
    line = ends([mark, name, unit], [origin], frame.width, frame.glyphs.ellipsis)
    return backed(line, "selected") if frame.selected else line


def _absent(chart: ChartView, frame: ChartFrame) -> list[Line]:
    """Why there is nothing to see, in the room of the plot; and the axis of time, where there is a source."""
    told = chart.trouble or chart.absent or f"no samples in this window from {chart.origin.value}"
    what, colon, remedy = told.partition(": ")
    room = frame.columns - 3
    words: list[Span] = [Span(row) for row in wrap(what + colon.rstrip(), room)]
    words += [Span(row, "dim") for row in wrap(remedy, room) if remedy]
    rows: list[Line] = [blank(frame.width)] if frame.rows > 3 else []
    for index, text in enumerate(words):
        sign = Span("? ", "unknown") if index == 0 else Span("  ")
        rows.append(cut([Span(" " * GUTTER), sign, text], frame.width, frame.glyphs.ellipsis))
    axes = _axes(frame)
    if chart.absent and not chart.trouble:
        axes = [blank(frame.width)] * len(axes)
    return [*rows[: frame.rows], *[blank(frame.width)] * (frame.rows - len(rows)), *axes]


def _plot(chart: ChartView, frame: ChartFrame) -> list[Line]:
    cells = [[Cell() for _ in range(frame.columns)] for _ in range(frame.rows)]
    if chart.heat is not None:
        labels = heat_labels(chart.heat, frame.rows)
        _lay_heat(chart, frame, cells)
    else:
        target = chart.target
        scale = scale_of(_values(chart), target, chart.unit, floor=chart.target_is_floor)
        labels = {row: tick_words(value) for row, value in ticks(scale, target, frame.rows).items()}
        _lay_curves(chart, frame, scale, cells)
    _lay_cursor(frame, cells)  # before what is written: words keep out of its column
    if chart.heat is None:
        _lay_names(chart, frame, scale, cells)
        _lay_target(chart, frame, scale, cells)
    return [_row(cells[y], labels.get(y), frame) for y in range(frame.rows)]


def _values(chart: ChartView) -> Iterable[float]:
    for line in (*chart.lines, *chart.compared):
        yield from (value for value in line.values if value is not None)


def _row(cells: Sequence[Cell], label: str | None, frame: ChartFrame) -> Line:
    axis = frame.glyphs.axis if label is None else frame.glyphs.tick
    spans = [Span(fit(label or "", GUTTER - 1, "right") + axis, "dim")]
    for (tone, back), group in groupby(cells, lambda cell: (cell.tone, cell.back)):
        spans.append(Span("".join(cell.text for cell in group), tone, back))
    return tuple(spans)


# The curves, from the least important to the one that the title means


def _lay_curves(chart: ChartView, frame: ChartFrame, scale: Scale, cells: Cells) -> None:
    main = foremost(chart)
    if chart.compared:
        # Against an earlier time only the foremost line is drawn: two dotted curves could not be told apart.
        earlier = [chart.compared[main]] if main < len(chart.compared) else []
        _lay_line(earlier, frame, scale, cells, dotted=True, tone=lambda y, x: "dim")
    else:
        for index, line in enumerate(chart.lines):
            if index != main:
                _lay_line([line], frame, scale, cells, dotted=True, tone=lambda y, x, at=index: _other(at, main))  # type: ignore[misc]
    if chart.lines:
        _lay_line([chart.lines[main]], frame, scale, cells, dotted=False, tone=_tones(chart, main, frame, scale))


def _other(index: int, main: int) -> Tone:
    """The tone of a line that is not the foremost one."""
    return _OTHERS[(index - (index > main)) % len(_OTHERS)]


def _tones(chart: ChartView, main: int, frame: ChartFrame, scale: Scale) -> Callable[[int, int], Tone]:
    """The foremost line is plain; beyond its target it warns, and what has not closed yet is dim."""
    columns, axis = frame.columns, frame.axis
    open_from = axis.column(axis.provisional, columns) if axis.provisional < axis.points else columns
    beyond = {axis.column(at, columns) for at, value in enumerate(chart.lines[main].values) if is_beyond(value, chart)}
    limit = row_of(chart.target, scale, frame.rows) if chart.target is not None else 0

    def tone(y: int, x: int) -> Tone:
        reached = y >= limit if chart.target_is_floor else y <= limit
        if x in beyond and (reached or scale.high < (chart.target or 0)):
            return "warn"
        return "dim" if x >= open_from else "text"

    return tone


def _lay_line(
    lines: Iterable[LineView],
    frame: ChartFrame,
    scale: Scale,
    cells: Cells,
    *,
    dotted: bool,
    tone: Callable[[int, int], Tone],
) -> None:
    """The dots of these lines on top of what is there: they add to its dots and take its tone."""
    runs = tuple(run for line in lines for run in _runs(line.values, frame, scale, dotted))
    plain = frame.glyphs is not ASCII
    for y, row in enumerate(braille(runs, frame.columns, frame.rows)):
        for x, character in enumerate(row):
            if character == BLANK:
                continue
            cell = cells[y][x]
            below = cell.text if cell.text > BLANK else BLANK
            cell.text = merged(character, below) if plain else ascii_of(character)
            cell.tone, cell.drawn = tone(y, x), True


def _runs(values: Sequence[float | None], frame: ChartFrame, scale: Scale, dotted: bool) -> Iterable[Run]:
    """Stretches without a gap. What has not closed yet is no line but points."""
    axis, top = frame.axis, 4 * frame.rows - 1
    step = 2 * frame.columns / axis.points
    place = [(step * (at + 0.5) - 0.5) for at in range(len(values))]
    known = [(at, value) for at, value in enumerate(values) if value is not None and not math.isnan(value)]
    before: tuple[int, Points] = (-2, ())
    # Neighbours have the same difference of position and index; whether they have closed parts them too.
    for (_, still_open), group in groupby(
        enumerate(known), lambda item: (item[1][0] - item[0], item[1][0] >= axis.provisional)
    ):
        found = [at_value for _, at_value in group]
        points = tuple((place[at], scale.height_of(value, top)) for at, value in found)
        # From what has closed, dots lead to what has not: only a gap looks like one.
        joint = before[1] if still_open and before[0] == found[0][0] - 1 else ()
        whole = not dotted and not still_open
        yield Run(points if whole else _dots((*joint, *points)), joined=whole)
        before = (found[-1][0], points[-1:])


def _dots(points: Points) -> Points:
    """The same curve in dots of an even distance."""
    found = [points[0]]
    for (x, y), (after_x, after_y) in pairwise(points):
        while found[-1][0] + _DOTS_APART <= after_x:
            at = found[-1][0] + _DOTS_APART
            found.append((at, y + (after_y - y) * (at - x) / (after_x - x)))
    return (*found, points[-1]) if found[-1] != points[-1] else tuple(found)


def _lay_names(chart: ChartView, frame: ChartFrame, scale: Scale, cells: Cells) -> None:
    """The name of each line beside it, near its end, where cells are free and no other line is nearer: lines are told
    apart without colour. Of two that share a row the upper one's stands above and the lower one's below. Lines that lie
    on each other stay without; the figures below have all names."""
    main = foremost(chart)
    for index, line in enumerate(chart.lines if len(chart.lines) > 1 and not chart.compared else ()):
        others = [other.values for other in chart.lines if other is not line]
        name = fit(line.label, min(_NAME, len(line.label)), ellipsis=frame.glyphs.ellipsis)
        known = [at for at, value in enumerate(line.values) if value is not None]
        for at in known[:: -max(1, len(known) // _TRIES)]:
            value = line.values[at] or 0.0
            row = row_of(value, scale, frame.rows)
            near = [values[at] or 0.0 for values in others if at < len(values)]
            free = [row + by for by in (-1, 1) if all(_parted(value, other, by, scale, frame.rows) for other in near)]
            right = frame.axis.column(at, frame.columns) + 1
            if _put(cells, free, right - len(name), name, "text" if index == main else _other(index, main)):
                break


def _parted(value: float, other: float, by: int, scale: Scale, rows: int) -> bool:
    """Whether a name above (-1) or below (1) a value is not taken for the other's: that is far, or on the far side."""
    far = abs(row_of(other, scale, rows) - (row_of(value, scale, rows) + by)) > 1
    return far or (other < value if by < 0 else other > value)


def _put(cells: Cells, rows: Iterable[int], begin: int, text: str, tone: Tone) -> bool:
    """Write the text into the first of the rows in which it meets nothing; whether it was written."""
    for y in rows:
        inside = 0 <= y < len(cells) and begin >= 0 and begin + len(text) <= len(cells[0])
        if text and inside and all(cell.text == " " for cell in cells[y][max(0, begin - 1) : begin + len(text) + 1]):
            for x, character in enumerate(text, begin):
                cells[y][x] = Cell(character, tone)
            return True
    return False


def _lay_target(chart: ChartView, frame: ChartFrame, scale: Scale, cells: Cells) -> None:
    """A dashed line in the cells that are free, with the word in it, best at an end. Where data leaves no room for both
    the word stands on another line, with the value: there it would be read as being that of the line."""
    target = chart.target
    if target is None or not scale.low <= target <= scale.high:
        return
    y = row_of(target, scale, frame.rows)
    word, right = _TARGET, frame.columns - len(_TARGET)
    free = sum(cell.text == " " for cell in cells[y])
    places = (right, 0, *range(right - 1, 0, -1))
    if free >= len(word) + _DASHES and any(_put(cells, (y,), begin, word, "dim") for begin in places):
        _space(cells[y])
    else:
        told = f"{word} {plain_words(chart, target)}"
        others = sorted((row for row in range(frame.rows) if row != y), key=lambda row: (abs(row - y), row))[:_NEAR]
        right = frame.columns - len(told)
        any(_put(cells, others, begin, told, "dim") for begin in (0, right, *range(right - 1, 0, -1)))
        _dash_over(cells[y], frame)
    for cell in cells[y]:
        if cell.text == " " and cell.tone == "dim":
            cell.text = frame.glyphs.dashed


def _dash_over(row: list[Cell], frame: ChartFrame) -> None:
    """Where data fills the target's row, a dash of the target in every few cells: both are seen, by their tones."""
    for filled, group in groupby(row, lambda cell: cell.drawn):
        run = list(group)
        if filled and len(run) >= _FILLED:
            for cell in run[1:-1:_FILLED]:
                cell.text, cell.tone = frame.glyphs.dashed, "dim"


def _space(row: list[Cell]) -> None:
    """A blank that stays blank beside the word in the dashed line."""
    at = "".join(cell.text for cell in row).index(_TARGET)
    for x in (at - 1, at + len(_TARGET)):
        if 0 <= x < len(row) and row[x].text == " ":
            row[x].tone = "text"


def _lay_heat(chart: ChartView, frame: ChartFrame, cells: Cells) -> None:
    assert chart.heat is not None
    axis, columns = frame.axis, frame.columns
    open_from = axis.column(axis.provisional, columns) if axis.provisional < axis.points else columns
    for y, row in enumerate(heat_cells(chart.heat, columns, frame.rows, frame.glyphs.shades)):
        for x, character in enumerate(row):
            strong = character in frame.glyphs.shades[-2:] and x < open_from
            cells[y][x] = Cell(character, "text" if strong else "dim")


def _lay_cursor(frame: ChartFrame, cells: Cells) -> None:
    if frame.cursor is None:
        return
    x = frame.axis.column(frame.cursor, frame.columns)
    for row in cells:
        if row[x].text in (" ", frame.glyphs.dashed):
            row[x] = Cell(frame.glyphs.axis, "accent")
        else:
            row[x].back = "selected"


def _time_axis(frame: ChartFrame) -> Line:
    """Clean times below their columns. On a low chart the marks stand between them: a few take the place of a time,
    many give way to the times, for then the line of marks tells them better."""
    axis, columns = frame.axis, frame.columns
    places = {} if frame.parts_marks else _mark_places(frame)
    chosen = _chosen(frame)
    kept = frozenset() if chosen is None or not places else frozenset({chosen})
    taken = frozenset(places) if len(places) <= _FEW else frozenset()
    labels = time_labels(axis.start_ms, axis.end_ms, columns, taken, kept)
    covered = touched(labels) - kept
    row = [Span(character, "dim") for character in labelled(labels, columns, GUTTER)]
    for x, span in places.items():
        if x not in covered:
            row[GUTTER + x] = span
    return tuple(_joined(row))


def _marks_line(frame: ChartFrame) -> Line:
    """What happened, each in the column of its time."""
    row = [Span(" ", "dim")] * (GUTTER + frame.columns)
    for x, span in _mark_places(frame).items():
        row[GUTTER + x] = span
    return tuple(_joined(row))


def _chosen(frame: ChartFrame) -> int | None:
    """The column of the chosen mark."""
    return frame.axis.column_at(frame.mark.at_ms, frame.columns) if frame.mark is not None else None


def _mark_places(frame: ChartFrame) -> dict[int, Span]:
    """By column the sign of what happened then, in the tone of the worst; of several how many."""
    found: dict[int, list[Mark]] = {}
    for mark in frame.marks:
        x = frame.axis.column_at(mark.at_ms, frame.columns)
        if x is not None:
            found.setdefault(x, []).append(mark)
    chosen, glyphs = _chosen(frame), frame.glyphs
    return {
        x: Span(
            mark_sign(marks[0].kind, glyphs) if len(marks) == 1 else str(len(marks)) if len(marks) < 10 else "+",
            "accent" if x == chosen else max((mark_tone(mark) for mark in marks), key=_WORST.index),
            "selected" if x == chosen else "plain",
        )
        for x, marks in found.items()
    }


def _joined(spans: Iterable[Span]) -> Iterable[Span]:
    for (tone, back), group in groupby(spans, lambda span: (span.tone, span.back)):
        yield Span("".join(span.text for span in group), tone, back)
