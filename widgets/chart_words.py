"""What a chart says in words and figures: its title, the line below it, the values under the cursor."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from console.model.metric_views import ChartView, LineView, Mark
from console.model.states import State
from widgets.chart_frame import ChartFrame
from widgets.chart_heat import heat_legend, heat_words
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, cut, width_of
from widgets.scale import scale_of, stretch_words
from widgets.words import duration, number, share

_QUANTILE = re.compile(r"p\d+(\.\d+)?")
_QUANTILE_MEANT = "p95"
"""Of several quantiles the one that has a target."""
_GAP = "   "
_TROUBLE = State.UNKNOWN
_HOUR_MS = 3_600_000


def title_words(chart: ChartView) -> str:
    """The title as a head: `RESPONSE p95`."""
    return " ".join(word if _QUANTILE.fullmatch(word) else word.upper() for word in chart.title.split(" "))


def foremost(chart: ChartView) -> int:
    """Which line a chart is about, where it has several: that of its target, else p95; where the target is meant for
    all of them the worst, else the first. Beside an earlier time it is the first too: which is the worst changes with
    the data, and with it what would be compared."""
    labels = [line.label for line in chart.lines]
    named = [labels.index(label) for label in (chart.target_of, _QUANTILE_MEANT) if label in labels]
    if named or chart.target is None or len(labels) < 2 or chart.compared:
        return named[0] if named else 0
    if chart.target_is_floor:
        lowest = [line.lowest for line in chart.lines]
        return min(range(len(labels)), key=lambda at: math.inf if (low := lowest[at]) is None else low)
    return max(range(len(labels)), key=lambda at: chart.lines[at].peak or 0)


def is_beyond(value: float | None, chart: ChartView) -> bool:
    """Whether a value misses the chart's target."""
    if value is None or chart.target is None:
        return False
    return value < chart.target if chart.target_is_floor else value > chart.target


def mark_sign(kind: str, glyphs: Glyphs) -> str:
    """The sign of what happened."""
    return glyphs.marks.get(kind, glyphs.mark)


def mark_tone(mark: Mark) -> Tone:
    """Plain, or that of the state to which it led; what is well needs nobody."""
    tone = STATE_TONES[mark.state] if mark.state is not None else "text"
    return "text" if tone == "good" else tone


def value_words(chart: ChartView, line: LineView, at: int, glyphs: Glyphs) -> str:
    """The value of a stretch: `1,620`, a lower bound as `≥ 10,000`, `?` in a gap."""
    value = line.values[at] if 0 <= at < len(line.values) else None
    return _told(chart, value, at in line.lower_bounds, glyphs)


def _told(chart: ChartView, value: float | None, at_least: bool, glyphs: Glyphs) -> str:
    if value is None or math.isnan(value):
        return "?"
    text = plain_words(chart, value)
    return f"{glyphs.least} {text}" if at_least else text


def plain_words(chart: ChartView, value: float) -> str:
    """A value or a target in the chart's unit. Of a share that must not fall hundredths count, and none is rounded up:
    99.96 % is not called 100 %."""
    near_whole = chart.target_is_floor and chart.unit == "%" and math.isfinite(value)
    return share(value / 100).removesuffix(" %") if near_whole else number(value)


def now_words(chart: ChartView, line: LineView, glyphs: Glyphs) -> str:
    """The newest value, `?` when it is too old."""
    newest = next((at for at in range(len(line.values) - 1, -1, -1) if line.values[at] is not None), -1)
    return _told(chart, line.now, newest in line.lower_bounds, glyphs)


def _extreme(chart: ChartView, line: LineView, glyphs: Glyphs) -> list[list[Span]]:
    """The greatest value in the window; of what must not fall the least."""
    if chart.target_is_floor:
        lowest = _told(chart, line.lowest, False, glyphs)
        return [] if line.lowest is None else [[Span("lowest ", "dim"), Span(lowest)]]
    at_least = any(line.values[at] == line.peak for at in line.lower_bounds if at < len(line.values))
    return [] if line.peak is None else [[Span("peak ", "dim"), Span(_told(chart, line.peak, at_least, glyphs))]]


def summary(chart: ChartView, frame: ChartFrame) -> Line:
    """The line below a chart, as much of it as there is room for: what matters most stays."""
    if chart.trouble is not None:
        sign = Span(f"{frame.glyphs.state[_TROUBLE]} ", STATE_TONES[_TROUBLE])
        return cut([Span(" "), sign, Span(chart.trouble)], frame.width, frame.glyphs.ellipsis)
    groups = _heat_groups(chart, frame) if chart.heat is not None else _groups(chart, frame, others=True)
    if width_of(_flat(groups[:2])) > frame.width and len(chart.lines) > 1:
        groups = _groups(chart, frame, others=False)
    while len(groups) > 1 and width_of(_flat(groups)) > frame.width:
        groups.pop()
    return cut(_flat(groups), frame.width, frame.glyphs.ellipsis)


def _flat(groups: Sequence[Sequence[Span]]) -> list[Span]:
    spans = [Span(" ")]
    for index, group in enumerate(groups):
        spans += [Span(_GAP)] * bool(index)
        spans += group
    return spans


def _groups(chart: ChartView, frame: ChartFrame, *, others: bool) -> list[list[Span]]:
    """The parts of the summary, the dispensable ones last; with the lesser lines, or without the `others`."""
    lines = chart.lines
    if chart.absent is not None or not lines:
        return [[]]
    main = foremost(chart)
    found = [_values_group(chart, frame, main, others=others)]
    over = _over(chart) if chart.target_of or main == 0 else None
    if chart.target is not None and not chart.over_s and _is_beyond_reach(chart):
        over = Span(f"target {'>' if chart.target_is_floor else '<'}{plain_words(chart, chart.target)}", "dim")
    if over is not None:
        found.append([over])
    if frame.earlier and main < len(chart.compared):
        found.append(_earlier_group(chart, chart.compared[main], frame))
    return [*found, *_extreme(chart, lines[main], frame.glyphs)]


def _values_group(chart: ChartView, frame: ChartFrame, main: int, *, others: bool) -> list[Span]:
    """The newest values, or those under the cursor: of a single line after the word, of several after their names."""
    at, glyphs = frame.cursor, frame.glyphs
    moment = frame.word if at is None else moment_words(frame, at)
    spans: list[Span] = [] if at is None and len(chart.lines) > 1 else [Span(f"{moment} ", "dim")]
    for index, line in enumerate(chart.lines):
        if index != main and not others:
            continue
        text = now_words(chart, line, glyphs) if at is None else value_words(chart, line, at, glyphs)
        value = line.now if at is None else line.values[at] if at < len(line.values) else None
        bad = index == main and is_beyond(value, chart)
        spans += [Span("  ")] * (bool(index) and others)
        spans += [Span(f"{line.label} ", "dim")] * (len(chart.lines) > 1)
        spans.append(Span(text, "unknown" if text == "?" else "warn" if bad else "text" if index == main else "dim"))
    return spans


def moment_words(frame: ChartFrame, at: int) -> str:
    """When the stretch begins."""
    return stretch_words(frame.axis.start_ms + at * frame.axis.step_ms, frame.axis.step_ms, frame.now_ms)


def _earlier_group(chart: ChartView, line: LineView, frame: ChartFrame) -> list[Span]:
    if chart.compared_absent is not None:
        return [Span(f"{frame.earlier} ?: {chart.compared_absent}", "dim")]
    at = frame.cursor if frame.cursor is not None else min(frame.axis.points, len(line.values)) - 1
    told = f"{value_words(chart, line, at, frame.glyphs)}{held_words(chart, frame.axis.step_ms)}"
    return [Span(f"{frame.earlier} ", "dim"), Span(told, "dim")]


def held_words(chart: ChartView, step_ms: int) -> str:
    """How long each compared value is held, where no more is kept of then than that: ` by hours`."""
    if chart.compared_step_ms <= step_ms:
        return ""
    return " by hours" if chart.compared_step_ms >= _HOUR_MS else " by minutes"


def _over(chart: ChartView) -> Span | None:
    """How long the target was missed."""
    if chart.over_s is None or chart.target is None:
        return None
    word = "under" if chart.target_is_floor else "over"
    return Span(f"{word} {duration(chart.over_s)}", "warn") if chart.over_s > 0 else Span(f"{word} 0", "dim")


def _is_beyond_reach(chart: ChartView) -> bool:
    values = [value for line in (*chart.lines, *chart.compared) for value in line.values if value is not None]
    scale = scale_of(values, chart.target, chart.unit, floor=chart.target_is_floor)
    return not scale.low <= (chart.target or 0) <= scale.high


def _heat_groups(chart: ChartView, frame: ChartFrame) -> list[list[Span]]:
    """What is most frequent now or under the cursor, what the shades mean, whose the bounds are."""
    heat, glyphs = chart.heat, frame.glyphs
    assert heat is not None
    at = frame.cursor
    moment = frame.word if at is None else moment_words(frame, at)
    found = [[Span(f"{moment} ", "dim"), Span(heat_words(heat, at, chart.unit, glyphs))]]
    if heat.foreign:
        found.append([Span("bounds of the exporter", "dim")])
    return [*found, [Span(heat_legend(glyphs.shades), "dim")]]
