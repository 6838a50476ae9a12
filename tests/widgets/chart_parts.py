"""Charts by hand, for the tests of what draws them."""

from __future__ import annotations

from dataclasses import replace

from console.model.metric_views import ChartView, Heat, LineView, Mark
from console.model.observation import Origin
from widgets.chart_frame import GUTTER, MARKS_FROM, Axis, ChartFrame
from widgets.glyphs import UNICODE, Glyphs
from widgets.lines import Line, width_of

START = 1_763_776_800_000  # 2025-11-22 02:00:00 UTC
MINUTE = 60_000


def line(*values: float | None, label: str = "p95", least: frozenset[int] = frozenset()) -> LineView:
    """A line with its newest value and its peak."""
    known = [value for value in values if value is not None]
    return LineView(
        label=label,
        values=values,
        lower_bounds=least,
        now=values[-1] if values else None,
        peak=max(known, default=None),
    )


def chart(*lines: LineView, **more: object) -> ChartView:
    """A chart of these lines."""
    base = ChartView(key="response", title="RESPONSE", unit="ms", origin=Origin.PROBE, lines=lines)
    return replace(base, **more)  # type: ignore[arg-type]


def heat_of(
    *counts: tuple[float, ...] | None, bounds: tuple[float, ...] = (0, 10, 20, 40), foreign: bool = False
) -> Heat:
    """A distribution."""
    return Heat(bounds=bounds, counts=counts, foreign=foreign)


def frame(
    points: int, width: int = GUTTER + 30, height: int = 12, glyphs: Glyphs = UNICODE, **more: object
) -> ChartFrame:
    """A frame of minutes from 02:00 on: 30 columns of plot by default."""
    axis = Axis(START, MINUTE, points, int(str(more.pop("provisional", points))))
    base = ChartFrame(width=width, height=height, axis=axis, glyphs=glyphs, now_ms=START + points * MINUTE)
    return replace(base, **more)  # type: ignore[arg-type]


def mark(minute: int, **more: object) -> Mark:
    """Something that happened in that minute."""
    base = Mark(at_ms=START + minute * MINUTE, kind="deployment", subject="vercel", text="8f3c1d2 live")
    return replace(base, **more)  # type: ignore[arg-type]


def texts(lines: list[Line]) -> list[str]:
    """The lines as text."""
    return ["".join(span.text for span in line) for line in lines]


def plot(lines: list[Line]) -> list[str]:
    """The plot's cells, without title, axes and summary."""
    return [text[GUTTER:] for text in texts(lines)[1 : -3 if len(lines) >= MARKS_FROM else -2]]


def widths(lines: list[Line]) -> set[int]:
    """Of all lines."""
    return {width_of(line) for line in lines}
