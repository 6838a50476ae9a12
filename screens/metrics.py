"""Metrics: pages of charts, a cursor over all of them, and what happened when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType

from console.model.charts import PageName
from console.model.metric_views import DEPLOYMENT, MetricsQuestion, MetricsView
from console.model.ports import StoreReads
from screens.feed import Question
from screens.metrics_place import Place, keep_place, load_place, point_in
from screens.page import Page, key
from widgets.bars import Key
from widgets.canvas import Canvas
from widgets.chart_frame import GUTTER, axis_of
from widgets.lines import Line, plain
from widgets.metric_lines import MetricsFrame, MetricsPage, columns_of, metrics_page, points_of
from widgets.metric_table import Table, table_page
from widgets.raster import warm
from widgets.words import when

_FOOTER = (
    *(("next_page", "page"), ("previous_mark", "mark"), ("whole", "full"), ("table", "table")),
    *(("pan_back pan_on", "pan"), ("board", "targets"), ("zoom_in zoom_out", "zoom"), ("compare", "compare")),
)
_ROOM_FOR_ITSELF = 100
"""Columns from which the footer names this screen too."""

KEYS: list[BindingType] = [
    key("tab,l", "turn(1)", "next page", "metrics.next_page"),
    key("shift+tab,h", "turn(-1)", "page before", "metrics.previous_page"),
    key("j,down", "move(1)", "next chart", "metrics.down"),
    key("k,up", "move(-1)", "chart before", "metrics.up"),
    key("g", "move(-1000)", "first chart", "metrics.first"),
    key("G", "move(1000)", "last chart", "metrics.last"),
    key("ctrl+d,pagedown", "half(1)", "half a page down", "metrics.half_down"),
    key("ctrl+u,pageup", "half(-1)", "half a page up", "metrics.half_up"),
    key("left", "cursor(-1)", "cursor a column back", "metrics.cursor_back"),
    key("right", "cursor(1)", "cursor a column on", "metrics.cursor_on"),
    key("shift+left", "cursor(-10)", "cursor ten back", "metrics.cursor_far_back"),
    key("shift+right", "cursor(10)", "cursor ten on", "metrics.cursor_far_on"),
    key("home", "cursor_begin", "begin; first line", "metrics.cursor_begin"),
    key("end", "cursor_end", "now again; last line", "metrics.cursor_end"),
    key("plus,equals_sign", "zoom(-1)", "shorter window", "metrics.zoom_in"),
    key("minus", "zoom(1)", "longer window", "metrics.zoom_out"),
    key("less_than_sign", "pan(-1)", "half a window back", "metrics.pan_back"),
    key("greater_than_sign", "pan(1)", "half a window on", "metrics.pan_on"),
    key("f", "whole", "this chart, or all", "metrics.whole"),
    key("t", "table", "table, or charts", "metrics.table"),
    key("c", "compare", "compare with earlier", "metrics.compare"),
    key("m", "mark(-1)", "mark before", "metrics.previous_mark"),
    key("M", "mark(1)", "mark after", "metrics.next_mark"),
    key("enter", "open", "open mark, or chart", "metrics.open"),
    key("x", "export", "export CSV, Markdown", "metrics.export"),
    key("b", "app.board", "targets and budgets", "metrics.board"),
    # As on every page; here the window comes back too.
    key("L", "live", "live: back to now", "time.live"),
]


def _footer(shared: list[Key], key_of: Callable[[str], str], width: int) -> list[Key]:
    """The keys of all pages with those of this one between; what has no room gives way from the end."""
    if width < _ROOM_FOR_ITSELF:
        shared = [entry for entry in shared if entry.words != "Metrics"]
    named = [Key(" ".join(key_of(f"metrics.{name}") for name in names.split()), words) for names, words in _FOOTER]
    at = next((index for index, entry in enumerate(shared) if entry.words == "time"), len(shared))
    return [*shared[:at], *named, *shared[at:]]


@dataclass(frozen=True)
class MetricsAsk:
    """The page's question to the store. It runs in the reader's thread, where what draws is imported too."""

    question: MetricsQuestion

    def __call__(self, reads: StoreReads, at_ms: int | None) -> MetricsView:
        view = reads.metrics(at_ms, self.question)
        warm()
        return view


class MetricsScreen(Page[None]):
    """The charts; why so long: a method for each of its thirty keys, each over the same few values."""

    NAME = "metrics"
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self) -> None:
        super().__init__()
        self._place: Place | None = None
        self._page = MetricsPage([], 0, [])
        self._page_of: tuple[MetricsView, MetricsFrame] | None = None
        """What the page was drawn from."""
        self._known: dict[PageName, list[str]] = {}  # the charts of the pages that were read
        self._row = 0
        """The first line of the table that is shown."""
        self._rows = 1
        self._at_ms: int | None = None  # the moment gone to for which was asked last

    @property
    def place(self) -> Place:
        """Where a person is; at first where they were when the console ended."""
        if self._place is None:
            self._place = load_place(self.host.session)
        return self._place

    @property
    def _in_table(self) -> bool:
        return self.place.tabled_at(self.size.width) if self.place.table is None else self.place.table

    @property
    def selected(self) -> str | None:
        """The key of the selected chart."""
        kept = self.host.session.cursors.get(self.place.cursor_name)
        keys = self._charts()
        return kept if kept in keys or not keys else keys[0]

    def _charts(self) -> list[str]:
        """The keys of all charts of the page, also while one alone is shown."""
        page = self.place.page_name
        view = self._view_of(page)
        if view is not None and (view.question.only is None or page not in self._known):
            self._known[page] = [chart.key for chart in view.charts]
        return self._known.get(page, [])

    def _view_of(self, page: PageName) -> MetricsView | None:
        """What was read, if it is of that page."""
        view = self.view
        return view if isinstance(view, MetricsView) and view.question.page == page else None

    # What is asked and drawn

    def question(self) -> Question:
        return MetricsAsk(self._asked())

    def _asked(self) -> MetricsQuestion:
        return self.place.question(
            points_of(self.size.width, self.place.whole), self.host.moment.shown_ms, self.selected
        )

    def ask(self) -> None:
        """Another moment was gone to: the charts end there, wherever they were panned to before."""
        at_ms = self.host.moment.at_ms
        if at_ms != self._at_ms:
            self.place.until_ms = None
        self._at_ms = at_ms
        super().ask()

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        """With the room, the number of points changes."""
        if self.host.feed.asked != self.question():
            self.ask()
        self.paint()

    def body(self, width: int, height: int) -> list[Line]:
        view = self.view
        if not isinstance(view, MetricsView):
            return self.waiting(width)
        frame = self._frame(view, width, height)
        if self._in_table:
            return self._table(view, frame)
        if self._page_of is None or self._page_of[0] is not view or self._page_of[1] != frame:
            # Who comes back sees the page that was drawn, 20 ms sooner; what is read meanwhile follows.
            self._page, self._page_of = metrics_page(view, frame), (view, frame)
        return self._page.lines

    def _frame(self, view: MetricsView, width: int, height: int) -> MetricsFrame:
        host, place = self.host, self.place
        return MetricsFrame(
            width=width,
            height=height,
            now_ms=self.now_ms(view.header),
            glyphs=host.glyphs,
            asked=self._asked(),
            live=host.moment.live,
            stale=host.trouble is not None,
            selected=self.selected or "",
            top=self._page.top,
            cursor_ms=place.cursor_ms,
            mark=place.mark if place.mark in view.marks else None,
        )

    def _table(self, view: MetricsView, frame: MetricsFrame) -> list[Line]:
        page = table_page(view, frame, self._row, self._key_of("metrics.cursor_on"))
        self._row, self._rows = page.row, page.rows
        return page.lines

    def keys(self) -> list[Key]:
        """The footer: what is used most first."""
        return _footer(super().keys(), self._key_of, self.size.width)

    def copied(self) -> str | None:
        """The whole table, or what is shown."""
        view = self.view
        if not isinstance(view, MetricsView) or not self._in_table:
            return super().copied()
        table = Table(view, self.selected or "", self.size.width, self.now_ms(view.header), self.host.glyphs)
        return plain([*table.head(), *table.rows(0, len(table))])

    def _changed(self, *, ask: bool = True) -> None:
        """Another place: remembered, drawn as far as it is known, asked for."""
        keep_place(self.host.session, self.place)
        self.paint()
        if ask:
            self.ask()

    # Which page, which chart

    def action_turn(self, by: int) -> None:
        """Another page."""
        self.place.turn(by)
        self._row = 0
        self._changed()

    def action_move(self, by: int) -> None:
        """Another chart, or another line of the table."""
        if self._in_table:
            self._row = max(0, self._row + by)
            self.paint()
            return
        self._step(by)

    def _step(self, by: int) -> None:
        """So many charts on; the one that takes the whole page is asked for."""
        keys = self._charts()
        if self.selected not in keys:
            return
        at = keys.index(self.selected)
        chart = keys[max(0, min(len(keys) - 1, at + by))]
        if self.place.whole and chart == keys[at]:
            self.say(f"this is the {'last' if by > 0 else 'first'} chart of the page")
        self._select(chart)
        if self.place.whole:
            self.ask()

    def _select(self, chart: str) -> None:
        self.host.session.cursors[self.place.cursor_name] = chart
        self.paint()

    def action_half(self, direction: int) -> None:
        """Half a page: two rows of charts, or half the lines of the table."""
        columns = 1 if self.place.whole else columns_of(self.size.width)
        step = max(1, self._rows // 2) if self._in_table else columns
        self.action_move(direction * step)

    # When

    def action_cursor(self, by: int) -> None:
        """The cursor by columns; beyond the last one it follows the newest values again. In the table: charts."""
        if self._in_table:
            self._step(1 if by > 0 else -1)
            return
        view = self._view_of(self.place.page_name)
        if view is None:
            return
        self.place.move_cursor(axis_of(view), view.question.points // 2, by)
        self.paint()

    def action_cursor_begin(self) -> None:
        """To the first stretch."""
        view = self._view_of(self.place.page_name)
        if self._in_table:
            self.action_move(-100_000)
        elif view is not None:
            self.place.cursor_to(axis_of(view), 0)
            self.paint()

    def action_cursor_end(self) -> None:
        """To the moment shown, and on with it."""
        if self._in_table:
            self.action_move(100_000)
        elif self.place.follow():
            self._changed()
        else:
            self.paint()

    def follow(self) -> bool:
        """A window that was panned ends at the moment shown again."""
        return self.place.follow()

    def action_live(self) -> None:
        """Back to now, the window and the cursor too."""
        self.follow()
        self.host.go_to(None)

    def action_zoom(self, by: int) -> None:
        """A longer or a shorter window."""
        if self.place.zoom(by, self.host.moment.shown_ms, self._step_ms()):
            self._changed()
        else:
            self.say("this is the longest window" if by > 0 else "this is the shortest window")

    def action_pan(self, direction: int) -> None:
        """Half a window back, or on."""
        view, shown_ms, before = self.view, self.host.moment.shown_ms, self.place.until_ms
        records = view.records_from_ms if isinstance(view, MetricsView) else None
        whole = self.place.pan(direction, shown_ms, self._step_ms(), records)
        if self.place.until_ms != before:
            self._changed()
        if not whole and direction > 0:
            self.say("the window ends at the moment shown already")
        elif not whole and records is not None:
            self.say(f"records begin {when(records, shown_ms)}")

    def _step_ms(self) -> int:
        """Of the charts shown."""
        return self.view.step_ms if isinstance(self.view, MetricsView) else 0

    def action_compare(self) -> None:
        """Beside the same time of yesterday, of last week, or alone."""
        self.place.compare_next()
        self._changed()

    # How it is shown

    def action_whole(self) -> None:
        """The selected chart over the whole page, or all again."""
        if self.selected is not None:
            self.place.whole, self.place.table = not self.place.whole, False
            self._changed()

    def action_table(self) -> None:
        """The figures as a table, or the charts again."""
        self.place.table = not self._in_table
        self._row = 0
        self._changed(ask=False)

    def leave_field(self) -> bool:
        """Esc: from the table to the charts, from one chart to all; then to the cursor that follows."""
        place = self.place
        if place.table and not place.tabled_at(self.size.width):
            self.action_table()
        elif place.whole:
            self.action_whole()
        elif place.cursor_ms is not None:
            place.cursor_ms = place.mark = None
            self.paint()
        else:
            return False
        return True

    # What happened

    def action_mark(self, by: int) -> None:
        """The mark after the cursor, or before it; the cursor goes there."""
        view = self._view_of(self.place.page_name)
        if view is None or not view.marks:
            self.say("nothing happened in this window")
            return
        if not self.place.go_mark(view.marks, axis_of(view), by):
            self.say(f"no {'later' if by > 0 else 'earlier'} mark in this window")
        self.paint()

    async def action_open(self) -> None:
        """What the chosen mark names: its alert, deployment or component, else the moment. Without one, the chart."""
        mark = self.place.mark
        if mark is None:
            self.action_whole()
        elif mark.kind == "alert" and mark.reference:
            from screens.alerts import AlertPage

            await self.open_page(AlertPage(f"alert:{mark.reference}"))
        elif mark.reference.startswith(DEPLOYMENT):
            await self.host.action_deployment(mark.reference, mark.text)
        elif mark.reference:
            from screens.component import ComponentPage

            await self.open_page(ComponentPage(mark.reference))
        else:
            self.say(f"the console shows {when(mark.at_ms, self.host.clock_ms())}: L goes back to now")
            self.host.go_to(mark.at_ms)

    def action_export(self) -> None:
        """The figures shown, as files."""
        from screens.metrics_export import export

        view, directory = self.view, self.host.session_path.parent
        if not isinstance(view, MetricsView):
            self.say("there are no figures yet")
            return
        now_ms, room = self.host.clock_ms(), self.size.width
        self.host.hands.do(self, lambda: export(view, directory, now_ms, room), then=self.say)

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        """Select the chart that was clicked on, with the cursor at that column."""
        view = self._view_of(self.place.page_name)
        y = event.y - self.lead
        if event.canvas_id != "body" or view is None or self._in_table:
            return
        for left, top, width, height, chart in self._page.places:
            if left <= event.x < left + width and top <= y < top + height:
                column = event.x - left - GUTTER
                if column >= 0:
                    axis = axis_of(view)
                    self.place.cursor_to(axis, point_in(axis, column, width - GUTTER, 1))
                self._select(chart)
