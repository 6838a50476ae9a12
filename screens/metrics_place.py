"""Where a person is on the Metrics screen: page, window, moment, cursor. Values and rules; no screen, no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.model.charts import PAGES, WINDOWS_S, PageName
from console.model.metric_views import Mark, MetricsQuestion
from screens.session import Session
from widgets.chart_frame import Axis
from widgets.metric_lines import EARLIER

HOUR = WINDOWS_S.index(3_600)
CHARTS_FROM = 80
"""Columns from which charts are drawn unasked."""
_COMPARED = tuple(EARLIER)
_NAME = "metrics"


@dataclass(slots=True)
class Place:
    """One person's place. Page, window, comparison and charts are remembered; what was panned to is not."""

    page: int = 0
    window: int = HOUR
    compare: int = 0
    until_ms: int | None = None
    """Where the window ends; None: at the moment shown."""
    cursor_ms: int | None = None
    """None: the cursor follows the newest values."""
    mark: Mark | None = None
    whole: bool = False
    """One chart over the whole page."""
    table: bool | None = None
    """Figures in place of charts; None: where charts have no room."""

    @property
    def page_name(self) -> PageName:
        """The page."""
        return PAGES[self.page]

    @property
    def window_s(self) -> int:
        """The length of the window."""
        return WINDOWS_S[self.window]

    @property
    def compare_ms(self) -> int:
        """How long before to compare with; 0: not at all."""
        return _COMPARED[self.compare]

    @property
    def cursor_name(self) -> str:
        """Under which the selected chart of this page is remembered."""
        return f"{_NAME}:{self.page_name}"

    def question(self, points: int, shown_ms: int, selected: str | None) -> MetricsQuestion:
        """What the page asks. A window that ends at the moment shown ends at the moment of the read."""
        until = self.until_ms if self.until_ms is not None and self.until_ms < shown_ms else None
        return MetricsQuestion(
            page=self.page_name,
            window_s=self.window_s,
            until_ms=until,
            points=points,
            compare_ms=self.compare_ms,
            only=selected if self.whole else None,
        )

    @staticmethod
    def tabled_at(width: int) -> bool:
        """Whether charts have so little room that figures are shown, until charts are asked for."""
        return width < CHARTS_FROM

    def turn(self, by: int) -> None:
        """To another page, round and round."""
        self.page = (self.page + by) % len(PAGES)
        self.whole, self.mark = False, None

    def zoom(self, by: int, shown_ms: int, step_ms: int) -> bool:
        """A longer or a shorter window; the cursor stays in its middle. Whether there was one."""
        window = self.window + by
        if not 0 <= window < len(WINDOWS_S):
            return False
        self.window = window
        middle = self.cursor_ms
        if middle is not None:
            self._end_at(middle + self.window_s * 500, shown_ms, step_ms)
        return True

    def pan(self, direction: int, shown_ms: int, step_ms: int, records_from_ms: int | None = None) -> bool:
        """Half a window back or on: to the moment shown at most, back to where records begin. Whether there was all of
        that half."""
        if direction > 0 and self.until_ms is None:
            return False
        end = self.until_ms if self.until_ms is not None else shown_ms
        wanted = end + direction * self.window_s * 500
        first = wanted if records_from_ms is None else records_from_ms + self.window_s * 1000
        if direction < 0 and first >= end:
            return False
        self._end_at(wanted if direction > 0 else max(wanted, first), shown_ms, step_ms)
        self._drop_cursor(shown_ms)
        return direction > 0 or wanted >= first

    def follow(self) -> bool:
        """The window ends at the moment shown, the cursor is at its end. Whether the window was panned."""
        panned = self.until_ms is not None
        self.until_ms = self.cursor_ms = self.mark = None
        return panned

    def _end_at(self, end_ms: int, shown_ms: int, step_ms: int) -> None:
        """Less than a stretch before the moment shown is that moment."""
        self.until_ms = end_ms if end_ms < shown_ms - step_ms else None

    def _drop_cursor(self, shown_ms: int) -> None:
        """A cursor that is out of the window follows its end again."""
        end = self.until_ms if self.until_ms is not None else shown_ms
        if self.cursor_ms is not None and not end - self.window_s * 1000 <= self.cursor_ms < end:
            self.cursor_ms = self.mark = None

    def cursor_to(self, axis: Axis, point: int) -> None:
        """The cursor on a stretch; no mark is chosen then."""
        self.cursor_ms, self.mark = axis.start_ms + point * axis.step_ms, None

    def move_cursor(self, axis: Axis, columns: int, by: int) -> None:
        """By columns; beyond the last one the cursor follows the newest values again."""
        last = axis.column(axis.points - 1, columns)
        point = None if self.cursor_ms is None else axis.point_at(self.cursor_ms)
        # The first step back from following shows where the cursor is: on the last column.
        target = last + 1 + by if point is None else axis.column(point, columns) + by
        if target > last:
            self.cursor_ms = self.mark = None
        else:
            self.cursor_to(axis, point_in(axis, max(0, target), columns, by))

    def go_mark(self, marks: Sequence[Mark], axis: Axis, by: int) -> bool:
        """To the next mark in that direction, the cursor with it. Whether there was one."""
        mark = self._mark_beside(marks, by)
        if mark is None:
            return False
        self.mark = mark
        self.cursor_ms = min(max(mark.at_ms, axis.start_ms), axis.end_ms - 1)
        return True

    def _mark_beside(self, marks: Sequence[Mark], by: int) -> Mark | None:
        """From the chosen one, else from the cursor, else from the end of the window: after that there is none."""
        if self.mark in marks:
            at = marks.index(self.mark) + by
            return marks[at] if 0 <= at < len(marks) else None
        if self.cursor_ms is None:
            return marks[-1] if by < 0 else None
        cursor = self.cursor_ms
        found = [mark for mark in marks if (mark.at_ms > cursor if by > 0 else mark.at_ms < cursor)]
        return (found[0] if by > 0 else found[-1]) if found else None

    def compare_next(self) -> None:
        """Off, yesterday, last week, off."""
        self.compare = (self.compare + 1) % len(_COMPARED)


def point_in(axis: Axis, column: int, columns: int, direction: int) -> int:
    """The stretch of a column that is met first in that direction, or the next one where it holds none."""
    points = range(axis.points) if direction > 0 else range(axis.points - 1, -1, -1)
    for point in points:
        at = axis.column(point, columns)
        if at >= column if direction > 0 else at <= column:
            return point
    return points[-1]


def load_place(session: Session) -> Place:
    """Where a person was when the console ended."""
    kept = session.scrolls
    return Place(
        page=_index(kept.get(f"{_NAME}:page"), len(PAGES), 0),
        window=_index(kept.get(f"{_NAME}:window"), len(WINDOWS_S), HOUR),
        compare=_index(kept.get(f"{_NAME}:compare"), len(_COMPARED), 0),
    )


def keep_place(session: Session, place: Place) -> None:
    """For the next start."""
    session.scrolls[f"{_NAME}:page"] = place.page
    session.scrolls[f"{_NAME}:window"] = place.window
    session.scrolls[f"{_NAME}:compare"] = place.compare


def _index(kept: int | None, count: int, otherwise: int) -> int:
    return kept if kept is not None and 0 <= kept < count else otherwise
