"""The Metrics page in lines: pages and window, charts in a grid, marks, the values under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from console.model.charts import PAGES, PageName
from console.model.metric_views import ChartView, Mark, MetricsQuestion, MetricsView
from console.model.words import window_words
from widgets.chart import chart_lines
from widgets.chart_frame import GUTTER, LEAST_HEIGHT, Axis, ChartFrame, axis_of
from widgets.chart_heat import heat_words
from widgets.chart_words import foremost, mark_sign, mark_tone, now_words, value_words
from widgets.glyphs import Glyphs
from widgets.lines import Back, Line, Span, beside, blank, cut, ends, width_of
from widgets.scale import stretch_words
from widgets.words import age, clock, duration, when

GAP = 2
_TWO_FROM, _THREE_FROM = 76, 180
_LOW = 9
"""Lines of a chart on a low page: two rows of them at 80×24."""
_HIGHEST = 20
_AIRY = 11
"""Lines of a chart from which the last one stays blank."""
_ROOMY = 32
_FOOT_ROWS = 2
_CUT_FROM = 16
"""Cells in which the beginning of a mark still says something."""
_LOOKED_BACK = 12
"""So many newer marks are shown before the chosen one, at most."""
_MARKS = Span(" MARKS   ", "head")
_SHORT = ("App", "Db", "Infra", "Business", "Custom")
EARLIER = {0: "", 86_400_000: "yesterday", 604_800_000: "last week"}
"""Compared with how long before, in ms, and what that is called."""


def columns_of(width: int) -> int:
    """How many charts stand beside each other."""
    return 1 if width < _TWO_FROM else 2 if width < _THREE_FROM else 3


def chart_width(width: int, columns: int) -> int:
    """Of each chart."""
    return (width - GAP * (columns - 1)) // columns


def points_of(width: int, whole: bool) -> int:
    """For how many points a chart has room: two for each column of its plot."""
    return max(2, 2 * (chart_width(width, 1 if whole else columns_of(width)) - GUTTER))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsFrame:
    """The room of the page, and where a person is on it."""

    width: int
    height: int
    now_ms: int
    glyphs: Glyphs
    asked: MetricsQuestion
    """What the page waits for, while that is not yet what is shown."""
    live: bool = True
    """What is shown is what is, not a moment of the past."""
    stale: bool = False
    """The store cannot be read now: the newest values are the last that were."""
    selected: str = ""
    top: int = 0
    """The first row of charts that is shown."""
    cursor_ms: int | None = None
    mark: Mark | None = None


class MetricsPage(NamedTuple):
    """The lines, and what stands where in them."""

    lines: list[Line]
    top: int
    """The first row of charts that is shown, so that the selected one is among them."""
    places: list[tuple[int, int, int, int, str]]
    """`(x, y, width, height, key)` of each chart shown."""


def metrics_page(view: MetricsView, frame: MetricsFrame) -> MetricsPage:
    """The page in exactly the frame's room."""
    head = [page_line(view, frame), *[blank(frame.width)] * (frame.height >= _ROOMY)]
    foot = foot_lines(view, frame)
    room = frame.height - len(head) - len(foot)
    if not view.charts:
        told = cut([Span(f" There are no charts on {view.question.page.capitalize()}.")], frame.width)
        return MetricsPage([*head, told, *[blank(frame.width)] * (room - 1), *foot], 0, [])
    shown = _Shown.of(view, frame, room)
    lines: list[Line] = []
    places = []
    for row in range(shown.top, min(shown.rows, shown.top + shown.fitting)):
        charts = view.charts[row * shown.columns : (row + 1) * shown.columns]
        places += [
            (index * (shown.width + GAP), len(head) + len(lines), shown.width, shown.height, chart.key)
            for index, chart in enumerate(charts)
        ]
        lines += _row(view, charts, frame, shown)
    lines = [*head, *lines, *[blank(frame.width)] * (room - len(lines)), *foot]
    return MetricsPage(lines[: frame.height], shown.top, places)


class _Shown(NamedTuple):
    """How the charts are laid into the room."""

    columns: int
    rows: int
    fitting: int
    width: int
    height: int
    top: int

    @classmethod
    def of(cls, view: MetricsView, frame: MetricsFrame, room: int) -> _Shown:
        whole = view.question.only is not None
        columns = 1 if whole else columns_of(frame.width)
        rows = -(-len(view.charts) // columns)
        fitting = max(1, min(rows, room // _LOW))
        height = max(LEAST_HEIGHT, room if whole else min(_HIGHEST, room // fitting))
        keys = [chart.key for chart in view.charts]
        at = keys.index(frame.selected) // columns if frame.selected in keys else 0
        top = max(0, min(max(frame.top, at - fitting + 1), at, rows - fitting))
        return cls(columns, rows, fitting, chart_width(frame.width, columns), height, top)


def _row(view: MetricsView, charts: Sequence[ChartView], frame: MetricsFrame, shown: _Shown) -> list[Line]:
    height = shown.height - (shown.height >= _AIRY)
    base = chart_frame(view, frame, shown.width, height)
    columns = [
        (chart_lines(chart, replace(base, selected=chart.key == frame.selected)), shown.width) for chart in charts
    ]
    rest = frame.width - len(charts) * (shown.width + GAP) + GAP
    return [(*line, *blank(rest)) if rest > 0 else line for line in beside(columns, shown.height, GAP)]


def chart_frame(view: MetricsView, frame: MetricsFrame, width: int, height: int) -> ChartFrame:
    """What all charts of the page have in common."""
    axis = axis_of(view)
    return ChartFrame(
        width=width,
        height=height,
        axis=axis,
        glyphs=frame.glyphs,
        now_ms=frame.now_ms,
        cursor=cursor_point(axis, frame.cursor_ms),
        marks=view.marks,
        mark=frame.mark,
        word=_newest_word(view, frame),
        earlier=EARLIER.get(view.question.compare_ms, ""),
    )


def _newest_word(view: MetricsView, frame: MetricsFrame) -> str:
    """What the newest values are called: they are of now only where nothing stands between."""
    if view.question.until_ms is not None:
        return "end"
    return "last" if frame.stale else "now" if frame.live else "then"


def cursor_point(axis: Axis, cursor_ms: int | None) -> int | None:
    """The stretch under the cursor."""
    return None if cursor_ms is None else axis.point_at(cursor_ms)


def page_line(view: MetricsView, frame: MetricsFrame) -> Line:
    """The pages, that which is shown strong; the window, and whether it was moved away from now."""
    right = _window(view.question, frame)
    tabs = _tabs(view.question.page, [page.capitalize() for page in PAGES])
    if width_of(tabs) + width_of(right) + 2 > frame.width:
        tabs = _tabs(view.question.page, _SHORT)
    return ends(tabs, right, frame.width, frame.glyphs.ellipsis)


def _tabs(shown: PageName, names: Sequence[str]) -> list[Span]:
    spans: list[Span] = []
    for page, name in zip(PAGES, names, strict=True):
        spans += [Span("  " if spans else " "), Span(name, "strong" if page == shown else "dim")]
    return spans


def _window(question: MetricsQuestion, frame: MetricsFrame) -> list[Span]:
    if (frame.asked.page, frame.asked.window_s) != (question.page, question.window_s):
        words = f"reading {frame.asked.page.capitalize()}, {window_words(frame.asked.window_s)}"
        return [Span(f"{words}{frame.glyphs.ellipsis} ", "dim")]
    length = window_words(question.window_s)
    if question.until_ms is None:
        return [Span("window ", "dim"), Span(length), Span("  UTC ", "dim")]
    ago = age(frame.now_ms, question.until_ms)
    return [Span(f"{length} until {when(question.until_ms, frame.now_ms)}, {ago} ago ", "warn")]


# What stands below the charts


def _foot_height(frame: MetricsFrame) -> int:
    """Always the same, so that no chart changes its height under a moving cursor."""
    return 1 + 2 * _FOOT_ROWS if frame.height >= _ROOMY else 2


def foot_lines(view: MetricsView, frame: MetricsFrame) -> list[Line]:
    """The marks, and the values under the cursor: a line each on a low page, two where there is room."""
    if frame.height < _ROOMY:
        return [*_mark_lines(view, frame, 1), *_cursor_lines(view, frame, 1)]
    parts = (_mark_lines(view, frame, _FOOT_ROWS), _cursor_lines(view, frame, _FOOT_ROWS))
    padded = [[*lines, *[blank(frame.width)] * (_FOOT_ROWS - len(lines))] for lines in parts]
    return [blank(frame.width), *padded[0], *padded[1]]


def _mark_lines(view: MetricsView, frame: MetricsFrame, room: int) -> list[Line]:
    """The marks that have room, the newest first, the chosen one always among them. The last one may be cut; what is
    left is counted on both sides."""
    more = _more(view, frame)
    if not view.marks:
        return [ends([_MARKS, Span("none in this window", "dim")], more, frame.width, frame.glyphs.ellipsis)]
    newest = list(reversed(view.marks))
    at = newest.index(frame.mark) if frame.mark in newest else 0
    entries = [_mark_spans(mark, frame) for mark in newest]
    for begin in range(max(0, at - _LOOKED_BACK), at + 1):
        lines, whole = _mark_rows(entries, begin, more, frame, room)
        if at == 0 or begin + whole > at:
            break
    return lines


def _mark_rows(
    entries: Sequence[Sequence[Span]], begin: int, more: Sequence[Span], frame: MetricsFrame, room: int
) -> tuple[list[Line], int]:
    """The lines from an entry on, and how many entries are whole in them."""
    rest, whole, lines = entries[begin:], 0, []
    for row in range(room):
        newer = [Span(f"+{begin}  ", "dim")] if begin and row == 0 else []
        head = [_MARKS if row == 0 else Span(" " * width_of([_MARKS])), *newer]
        tail = more if row == 0 else []
        limit = frame.width - width_of(head) - width_of(tail) - 2
        shown = _fitting(rest, limit, last=row == room - 1, glyphs=frame.glyphs)
        rest, whole = rest[shown.taken :], whole + shown.whole
        lines.append(ends([*head, *shown.spans], tail, frame.width, frame.glyphs.ellipsis))
    return lines, whole


class _Fitting(NamedTuple):
    """The entries that fit in a line, how many they are, and how many of them are whole."""

    spans: list[Span]
    taken: int
    whole: int


def _fitting(entries: Sequence[Sequence[Span]], limit: int, *, last: bool, glyphs: Glyphs) -> _Fitting:
    """In the last line the next entry is cut to the rest."""
    spans: list[Span] = []
    for at, entry in enumerate(entries):
        left = len(entries) - at - 1
        count = f"  +{left}" if last and left else ""
        gap = [Span("   ")] * bool(spans)
        rest = limit - width_of([*spans, *gap]) - len(count)
        if width_of(entry) > rest and not (last and rest >= _CUT_FROM):
            return _Fitting([*spans, *([Span(f"  +{left + 1}", "dim")] if last else [])], at, at)
        spans += [*gap, *(cut(entry, min(rest, width_of(entry)), glyphs.ellipsis))]
        if width_of(entry) > rest:
            return _Fitting([*spans, Span(count, "dim")], at + 1, at)
    return _Fitting(spans, len(entries), len(entries))


def _mark_spans(mark: Mark, frame: MetricsFrame) -> list[Span]:
    chosen = mark == frame.mark
    until = "" if mark.until_ms is None else f"{frame.glyphs.dash}{clock(mark.until_ms)}"
    back: Back = "selected" if chosen else "plain"
    sign = frame.glyphs.bar if chosen else mark_sign(mark.kind, frame.glyphs)
    return [
        Span(f"{sign} ", "accent" if chosen else mark_tone(mark), back),
        Span(f"{when(mark.at_ms, frame.now_ms)}{until} ", "dim", back),
        Span(mark.text, "strong" if chosen else "text", back),
    ]


def _more(view: MetricsView, frame: MetricsFrame) -> list[Span]:
    """How many charts are above and below the ones shown."""
    if view.question.only is not None or not view.charts:
        return []
    shown = _Shown.of(view, frame, frame.height - 1 - (frame.height >= _ROOMY) - _foot_height(frame))
    last = min(len(view.charts), (shown.top + shown.fitting) * shown.columns)
    first = shown.top * shown.columns
    if first == 0 and last == len(view.charts):
        return []
    above, below = first, len(view.charts) - last
    told = [f"{sign} {count}" for sign, count in ((frame.glyphs.up, above), (frame.glyphs.down, below)) if count]
    return [Span(f"{'  '.join(told)} more ", "dim")]


def _cursor_lines(view: MetricsView, frame: MetricsFrame, room: int) -> list[Line]:
    """The exact values of all charts at one time; compared with what."""
    axis = axis_of(view)
    at = cursor_point(axis, frame.cursor_ms)
    earlier = EARLIER.get(view.question.compare_ms) or ("off" if not view.question.compare_ms else "earlier")
    right = [Span("compare ", "dim"), Span(f"{earlier} ", "text" if view.question.compare_ms else "dim")]
    told = [chart for chart in view.charts if chart.absent is None and (chart.heat is None or room > 1)]
    entries = [_value_spans(chart, at, frame.glyphs) for chart in told]
    begin = [Span(" CURSOR  ", "head"), Span(_moment(view, axis, at, frame))]
    rows: list[list[Span]] = [list(begin)]
    for entry in entries:
        limit = frame.width - (width_of(right) + 1 if len(rows) == 1 else 1)
        if width_of(rows[-1]) + 2 + width_of(entry) > limit:
            if len(rows) == room:
                rows[-1].append(Span(f"  {frame.glyphs.ellipsis}", "dim"))
                break
            rows.append([Span(" " * width_of([begin[0]]))])
        rows[-1] += [Span("  "), *entry]
    lines = [ends(rows[0], right, frame.width, frame.glyphs.ellipsis)]
    return [*lines, *(cut(row, frame.width, frame.glyphs.ellipsis) for row in rows[1:])]


def _moment(view: MetricsView, axis: Axis, at: int | None, frame: MetricsFrame) -> str:
    if at is None:
        return chart_frame(view, frame, 0, 0).word
    begin = stretch_words(axis.start_ms + at * axis.step_ms, axis.step_ms, frame.now_ms)
    whole = axis.step_ms >= 60_000 and frame.width >= 2 * _TWO_FROM
    return f"{begin} +{duration(axis.step_ms / 1000)}" if whole else begin


def _in_line(title: str) -> str:
    """A title in capitals is the head of a chart; within a line of values it would shout."""
    return title.lower() if title.removesuffix(" p95").isupper() else title


def _value_spans(chart: ChartView, at: int | None, glyphs: Glyphs) -> list[Span]:
    name = Span(f"{_in_line(chart.title)} ", "dim")
    # The last value of a source that gives nothing now is not that of now.
    if not (chart.heat or chart.lines) or (at is None and chart.trouble is not None):
        return [name, Span("?", "unknown")]
    if chart.heat is not None:
        text = heat_words(chart.heat, at, chart.unit, glyphs)
        return [name, Span(text, "unknown" if text == "?" else "text")]
    line = chart.lines[foremost(chart)]
    text = now_words(chart, line, glyphs) if at is None else value_words(chart, line, at, glyphs)
    if text == "?":
        return [name, Span(text, "unknown")]
    return [name, Span(f"{text} {chart.unit}".rstrip())]
