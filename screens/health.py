"""Health: what is wrong, since when, why and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from textual.binding import BindingType

from console.model.ports import StoreReads
from console.model.states import State
from console.model.views import AlertsView, ComponentDetail, Header, HealthView, Wish
from screens.feed import Fed, Question
from screens.page import Page, key
from widgets.canvas import Canvas
from widgets.health_lines import Frame, HealthPage, columns, health_page
from widgets.lines import Line
from widgets.outlived import detail_later, health_later

EVENTS = 40
BARS = 4
"""Lines of a tall terminal that are not the body's: header, notice, an empty one, footer."""


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
    """As a person chose it; None: nobody did, so the component of the first reason is, else the remembered one."""
    remembered: str | None

    def __call__(self, reads: StoreReads, at_ms: int | None) -> HealthAnswer:
        health = reads.health(at_ms, strip_slices=self.slices, events=EVENTS)
        key = selected_of(health, self.selected, self.remembered) if self.detail else None
        return HealthAnswer(health, None if key is None else reads.component(key, at_ms))


def selected_of(view: HealthView, chosen: str | None, remembered: str | None) -> str | None:
    """The component to select: the chosen one, else that of the first reason, else the remembered or the first one."""
    keys = [row.key for row in view.components]
    reasons = view.verdict.reasons if view.verdict else ()
    wanted = [chosen, *(reason.component for reason in reasons), remembered, *keys]
    return next((key for key in wanted if key in keys), None)


def health_question(width: int, height: int, chosen: str | None, remembered: str | None) -> HealthQuestion:
    """The question of a page in a terminal of that size. Before textual has started the console asks it already."""
    widths = columns(width, height - BARS)
    if not widths.detail:
        return HealthQuestion(widths.strip_slices, False, None, None)
    return HealthQuestion(widths.strip_slices, True, chosen, None if chosen else remembered)


_PROBLEMS = (State.UNHEALTHY, State.DEGRADED)


class HealthScreen(Page[None]):
    """The first screen."""

    NAME = "health"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "open", "open the component", "health.open", short="detail"),
        # First of all: what is typed on at once meets the plan, which drops it, and does not act below it.
        key("a", "act", "act: a plan, an alert", "health.act", short="act", first=True),
        key("e", "problem(1)", "next problem", "health.next_problem"),
        key("E", "problem(-1)", "problem before", "health.previous_problem"),
        key("W", "reasons", "all reasons", "health.reasons"),
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
        self._reason_lines = 0
        self._ready_for: Wish | None = None
        self._moved = False
        """Whether a person has chosen the component."""

    @property
    def _chosen(self) -> str | None:
        return self._kept if self._moved else None

    @property
    def _kept(self) -> str | None:
        return self.host.session.cursors.get(self.NAME)

    @property
    def selected(self) -> str | None:
        """The key of the selected component; until a person chooses one, that of the first reason."""
        answer = self.view
        return selected_of(answer.health, self._chosen, self._kept) if isinstance(answer, HealthAnswer) else None

    def question(self) -> Question:
        return health_question(self.size.width, self.size.height, self._chosen, self._kept)

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        """With the room, what is worth asking changes: longer strips, the detail beside."""
        if self.host.feed.asked != self.question():
            self.ask()

    def on_fed(self, message: Fed) -> None:
        """With the first word of an action that would help, have its plan stand sooner."""
        answer = message.answer
        verdict = answer.health.verdict if isinstance(answer, HealthAnswer) else None
        suggested = verdict.suggested if verdict is not None else None
        if suggested is not None and suggested != self._ready_for:
            self.make_ready()
        self._ready_for = suggested

    def header_of(self, view: object | None) -> Header | None:
        return view.health.header if isinstance(view, HealthAnswer) else None

    def body(self, width: int, height: int) -> list[Line]:
        answer = self.view
        if not isinstance(answer, HealthAnswer):
            return self.waiting(width)
        view, detail = answer
        now_ms = self.now_ms(view.header)
        if self.host.trouble is not None:
            view, detail = health_later(view, now_ms), detail and detail_later(detail, now_ms)
        all_key = self._key_of("health.reasons")
        act_key = self._key_of("health.act") if self.host.desk is not None and self.host.moment.live else ""
        glyphs = self.host.glyphs
        frame = Frame(width, height, now_ms, glyphs, all_key, act_key)
        page: HealthPage = health_page(view, frame, self.selected, detail)
        self._rows, self._reason_lines = page.rows, page.head
        return list(page.lines)

    def action_move(self, by: int) -> None:
        """Select another component."""
        answer = self.view
        if isinstance(answer, HealthAnswer) and answer.health.components:
            keys = [row.key for row in answer.health.components]
            index = keys.index(self.selected) if self.selected in keys else 0
            self._select(keys[max(0, min(len(keys) - 1, index + by))])

    def action_problem(self, by: int) -> None:
        """Select the next (or previous) component that has a problem."""
        answer = self.view
        if not isinstance(answer, HealthAnswer):
            return
        verdict = answer.health.verdict
        named = {reason.component for reason in verdict.reasons} if verdict else set()
        keys = [row.key for row in answer.health.components]
        bad = [row.key for row in answer.health.components if row.state in _PROBLEMS or row.key in named]
        if not bad:
            self.say("no component has a problem")
            return
        at = keys.index(self.selected) if self.selected in keys else 0
        order = [keys[(at + by * step) % len(keys)] for step in range(1, len(keys) + 1)]
        self._select(next(key for key in order if key in bad))

    def _select(self, key: str) -> None:
        self._moved = True
        self.host.session.cursors[self.NAME] = key
        self.paint()
        if columns(self.size.width, self.size.height - BARS).detail:
            self.ask()

    async def action_reasons(self) -> None:
        """Every reason uncut."""
        from screens.reasons import ReasonsPage

        await self.open_page(ReasonsPage())

    async def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        """Select the component clicked on; open it when it is selected already. A click on the reasons shows all."""
        y = event.y - self.lead if event.canvas_id == "body" else -1
        key = self._rows.get(y)
        if 0 <= y < self._reason_lines:
            await self.action_reasons()
        elif key is not None and key == self.selected:
            await self.action_open()
        elif key is not None:
            self._select(key)

    async def action_open(self) -> None:
        """Open the selected component over the whole screen."""
        answer, key = self.view, self.selected
        if isinstance(answer, HealthAnswer) and key is not None:
            from screens.component import ComponentPage

            await self.open_page(ComponentPage(key))

    async def action_act(self) -> None:
        """The plan of what the top reason suggests; for a component that a person has chosen, and where nothing is
        suggested, what can be done about its alert, or about the worst one that nobody has seen; else all plans."""
        if not self.host.moment.live:
            self.say(f"{self.host.moment.word}: actions are off; L goes back to now")
        elif self._suggested is not None and not self._moved:
            await self._plan_suggested()
        else:
            self.host.feed.ask(self, lambda reads: reads.alerts(None), self._act_on)

    @property
    def _suggested(self) -> Wish | None:
        answer = self.view
        verdict = answer.health.verdict if isinstance(answer, HealthAnswer) else None
        return verdict.suggested if verdict is not None and self.host.desk is not None else None

    async def _plan_suggested(self) -> None:
        from console.model.actions import ActionRequest
        from screens.plan import open_plan

        answer, wish = self.view, self._suggested
        verdict = answer.health.verdict if isinstance(answer, HealthAnswer) else None
        if wish is not None and verdict is not None:
            top = verdict.reasons[0] if verdict.reasons else None
            reason = f"{top.component}: {top.text.removeprefix(f'{top.component}: ')}" if top else ""
            await open_plan(self, ActionRequest(action=wish[0], parameters=wish[1]), reason=reason)

    def _act_on(self, view: AlertsView) -> None:
        """What can be done about the chosen component's alert; where none of its fires, the plans of all actions."""
        from console.model.alert_places import component_of
        from screens.alerts import open_choices, open_plans
        from screens.dialogs.act import Choice, ShowPlan
        from widgets.alert_lines import foremost

        own = [alert for alert in view.firing if component_of(alert) == self.selected]
        concerned = own or (() if self._moved else view.firing)
        wish = self._suggested
        if concerned:
            before = [Choice(f"{wish[0]}: see its plan", ShowPlan(wish))] if wish is not None else []
            self.call_later(open_choices, self, view, f"alert:{foremost(concerned).id}", before)
        elif self.host.desk is None:
            self.say(f"there is nothing to act on: {self._none_fires(view)}")
        else:
            self.call_later(open_plans, self, f"{self._none_fires(view).capitalize()}. What can be done:")

    def _none_fires(self, view: AlertsView) -> str:
        return f"no alert of {self.selected} is firing" if self._moved and view.firing else "no alert is firing"
