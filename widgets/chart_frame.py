"""Where a chart is drawn: its room, the grid of time, what is marked in it."""

from __future__ import annotations

from dataclasses import dataclass

from console.model.metric_views import Mark, MetricsView
from widgets.glyphs import Glyphs

GUTTER = 7
"""Cells at the left for a margin, labels of five cells and the axis itself: the same for all charts of a page."""
MARKS_FROM = 10
"""Lines of a chart from which marks have one of their own; below it they stand between the times."""
LEAST_HEIGHT = 6
_FRAME = 3
"""Title, axis of time, summary."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis of time that all charts of a page share: its stretches, and the columns in which they are drawn."""

    start_ms: int
    step_ms: int
    points: int
    provisional: int

    @property
    def end_ms(self) -> int:
        """Where the last stretch ends."""
        return self.start_ms + self.points * self.step_ms

    def column(self, point: int, width: int) -> int:
        """In which of `width` columns the middle of a stretch is drawn."""
        return (2 * point + 1) * width // (2 * max(1, self.points))

    def column_at(self, at_ms: int, width: int) -> int | None:
        """The column of a moment; None outside the window."""
        inside = self.start_ms <= at_ms < self.end_ms
        return (at_ms - self.start_ms) * width // (self.end_ms - self.start_ms) if inside else None

    def point_at(self, at_ms: int) -> int | None:
        """The stretch of a moment; None outside the window."""
        return (at_ms - self.start_ms) // self.step_ms if self.start_ms <= at_ms < self.end_ms else None


def axis_of(view: MetricsView) -> Axis:
    """The axis of a page."""
    return Axis(view.start_ms, max(1, view.step_ms), max(1, view.points), view.provisional)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartFrame:
    """Where a chart is drawn and what of it is marked."""

    width: int
    height: int
    axis: Axis
    glyphs: Glyphs
    now_ms: int
    selected: bool = False
    cursor: int | None = None
    """The stretch under the cursor; None: it follows the newest one."""
    marks: tuple[Mark, ...] = ()
    mark: Mark | None = None
    """The chosen one."""
    word: str = "now"
    """What the newest value is called: `now`, `then`, `last`, `end`."""
    earlier: str = ""
    """What the compared values are called: `yesterday`, `last week`."""

    @property
    def columns(self) -> int:
        """Of the plot."""
        return self.width - GUTTER

    @property
    def rows(self) -> int:
        """Of the plot."""
        return self.height - _FRAME - self.parts_marks

    @property
    def parts_marks(self) -> bool:
        """Whether the marks stand on a line of their own: always so, that no plot changes its height with them."""
        return self.height >= MARKS_FROM
