"""Health: what is wrong, since when, why and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from textual.binding import BindingType

from console.model.ports import StoreReads
from console.model.views import AlertsView, ComponentDetail, Header, HealthView
from screens.feed import Question
from screens.page import Page, key
from widgets.canvas import Canvas
from widgets.health_lines import Frame, HealthPage, columns, health_page
from widgets.lines import Line

EVENTS = 40


class HealthAnswer(NamedTuple):
    """The page, and the selected component where it stands beside the list."""

    health: HealthView
    detail: ComponentDetail | None


@dataclass(frozen=True)
class HealthQuestion:
    """What the page asks the store: with the detail of a component where there is room for it."""

    slices: int
    detail: bool
    selected: str | None

    def __call__(self, reads: StoreReads, at_ms: int | None) -> HealthAnswer:
        health = reads.health(at_ms, strip_slices=self.slices, events=EVENTS)
        keys = [row.key for row in health.components]
        if not self.detail or not keys:
            return HealthAnswer(health, None)
        return HealthAnswer(health, reads.component(self.selected if self.selected in keys else keys[0], at_ms))


def health_question(width: int, selected: str | None) -> HealthQuestion:
    """The question of a page that wide. Before textual has started the console asks it already."""
    widths = columns(width)
    return HealthQuestion(widths.strip_slices, bool(widths.detail), selected if widths.detail else None)


class HealthScreen(Page[None]):
    """The first screen."""

    NAME = "health"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "open", "open the component", "health.open", short="detail"),
        key("a", "act", "act on its alert", "health.act", short="act"),
        key("j,down", "move(1)", "line down", "list.down"),
        key("k,up", "move(-1)", "line up", "list.up"),
        key("g,home", "move(-1000)", "first line", "list.top"),
        key("G,end", "move(1000)", "last line", "list.bottom"),
        key("ctrl+d,pagedown", "move(4)", "half a page down", "list.half_down"),
        key("ctrl+u,pageup", "move(-4)", "half a page up", "list.half_up"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, str] = {}

    @property
    def selected(self) -> str | None:
        """The key of the selected component; the first one when the remembered one is not there."""
        answer = self.view
        if not isinstance(answer, HealthAnswer):
            return None
        keys = [row.key for row in answer.health.components]
        kept = self.host.session.cursors.get(self.NAME)
        return kept if kept in keys else (keys[0] if keys else None)

    def question(self) -> Question:
        return health_question(self.size.width, self.selected or self.host.session.cursors.get(self.NAME))

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        """With the room, what is worth asking changes: longer strips, the detail beside."""
        if self.host.feed.asked != self.question():
            self.ask()

    def header_of(self, view: object | None) -> Header | None:
        return view.health.header if isinstance(view, HealthAnswer) else None

    def body(self, width: int, height: int) -> list[Line]:
        answer = self.view
        if not isinstance(answer, HealthAnswer):
            return self.waiting(width)
        frame = Frame(width=width, height=height, now_ms=answer.health.header.at_ms, glyphs=self.host.glyphs)
        page: HealthPage = health_page(answer.health, frame, self.selected, answer.detail)
        self._rows = page.rows
        return list(page.lines)

    def action_move(self, by: int) -> None:
        """Select another component."""
        answer = self.view
        if isinstance(answer, HealthAnswer) and answer.health.components:
            keys = [row.key for row in answer.health.components]
            index = keys.index(self.selected) if self.selected in keys else 0
            self._select(keys[max(0, min(len(keys) - 1, index + by))])

    def _select(self, key: str) -> None:
        self.host.session.cursors[self.NAME] = key
        self.paint()
        if columns(self.size.width).detail:
            self.ask()

    async def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        """Select the component clicked on; open it when it is selected already."""
        key = self._rows.get(event.y - self.lead) if event.canvas_id == "body" else None
        if key is not None and key == self.selected:
            await self.action_open()
        elif key is not None:
            self._select(key)

    async def action_open(self) -> None:
        """Open the selected component over the whole screen."""
        answer, key = self.view, self.selected
        if isinstance(answer, HealthAnswer) and key is not None:
            from screens.component import ComponentPage

            await self.open_page(ComponentPage(key))

    def action_act(self) -> None:
        """Act on the alert of the selected component, else on the worst one that nobody has seen."""
        if not self.host.moment.live:
            self.say(f"{self.host.moment.word}: actions are off; L goes back to now")
            return
        self.host.feed.ask(self, lambda reads: reads.alerts(None), self._act_on)

    def _act_on(self, view: AlertsView) -> None:
        from screens.alerts import open_choices
        from widgets.alert_lines import foremost

        if view.firing:
            own = [alert for alert in view.firing if alert.subject == self.selected]
            self.call_later(open_choices, self, view, f"alert:{foremost(own or view.firing).id}")
        else:
            self.say("there is nothing to act on: no alert is firing")
