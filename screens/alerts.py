"""Alerts: what fires, what is silenced, how near each rule is, what fired before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from console.model.ports import StoreReads
from console.model.secrets import HIDDEN_WORDS, hidden
from console.model.views import AlertsView
from screens.dialogs.act import Acknowledge, ActPage, Choice, Decision, EndSilence, ShowPlan, Silence, choices_for
from screens.feed import Fed, Question
from screens.filtered import FilteredPage
from screens.page import Page, key
from screens.scroll import Content, ScrollPage, empty
from widgets.alert_detail import alert_detail
from widgets.alert_lines import AlertList, foremost
from widgets.lines import Line, beside, plain
from widgets.outlived import alerts_later

DETAIL_FROM = 140
_GAP = 2


class AlertsScreen(FilteredPage[None]):
    """The second screen."""

    NAME = "alerts"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "open", "detail of the line", "alerts.open", short="detail"),
        key("a", "act", "acknowledge, silence", "alerts.act", short="act"),
        key("slash", "filter", "filter the lines", "alerts.filter", short="filter"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._moved = False
        """Whether a person has chosen the line; until then it is the alert to see to first."""

    def question(self) -> Question:
        def ask(reads: StoreReads, at_ms: int | None) -> AlertsView:
            return reads.alerts(at_ms)

        return ask

    def come(self) -> None:
        """Whoever comes here for an alert finds the cursor on one that fires."""
        firing = self.view.firing if isinstance(self.view, AlertsView) else ()
        self._moved = self._moved and (not firing or self.selected in [f"alert:{alert.id}" for alert in firing])
        self._go_foremost(self.view)

    def chosen(self) -> None:
        self._moved = True

    def on_fed(self, message: Fed) -> None:
        """Until a person chooses a line, the cursor is on the foremost alert that fires."""
        self._go_foremost(message.answer)

    def _go_foremost(self, view: object) -> None:
        if self._moved or self.filter or not isinstance(view, AlertsView):
            return
        if not view.firing:
            # Rules change places with their states: where nobody chose one, the cursor stays on top.
            self.host.session.cursors.pop(self.place, None)
            self.top = 0
            return
        wanted = f"alert:{foremost(view.firing).id}"
        if self.selected != wanted:
            self._remember(wanted)
            self.top = 0

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        if not isinstance(view, AlertsView):
            return Content(self.waiting(width))
        view, now_ms = self._at(view)
        rows = AlertList(view, width, now_ms, self.host.glyphs, selected, self.filter).rows()
        keys = [(y, key) for y, (_, key) in enumerate(rows) if key is not None]
        return Content([line for line, _ in rows], keys)

    def _at(self, view: AlertsView) -> tuple[AlertsView, int]:
        """What is known now of what was read, and the moment that ages are told for."""
        now_ms = self.now_ms(view.header)
        return (view if self.host.trouble is None else alerts_later(view, now_ms)), now_ms

    def _main_width(self, width: int) -> int:
        return width if width < DETAIL_FROM else min(112, width * 5 // 8)

    def body(self, width: int, height: int) -> list[Line]:
        main = self._main_width(width)
        lines = super().body(main, height)
        view = self.view
        if main == width or not isinstance(view, AlertsView):
            return lines
        rest = width - main - _GAP
        view, now_ms = self._at(view)
        detail = alert_detail(view, self.selected, rest, now_ms, self.host.glyphs)
        return beside([(lines, main), (detail, rest)], height, _GAP)

    def copied(self) -> str | None:
        """The selected line in full."""
        view = self.view
        if not isinstance(view, AlertsView):
            return None
        return plain(alert_detail(view, self.selected, 100, view.header.at_ms, self.host.glyphs))

    async def action_open(self) -> None:
        """The selected line in full, over the whole screen."""
        if self.selected is not None and isinstance(self.view, AlertsView):
            await self.open_page(AlertPage(self.selected))

    async def action_act(self) -> None:
        """Open the choices for the selected line."""
        await open_choices(self, self.view, self.selected)


class AlertPage(ScrollPage[None]):
    """One line of the Alerts list in full."""

    NAME = "alert"
    BINDINGS: ClassVar[list[BindingType]] = [key("a", "act", "acknowledge, silence", "alerts.act", short="act")]

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    def question(self) -> Question:
        def ask(reads: StoreReads, at_ms: int | None) -> AlertsView:
            return reads.alerts(at_ms)

        return ask

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        if not isinstance(view, AlertsView):
            return Content(self.waiting(width))
        lines = alert_detail(view, self.key, width, self.now_ms(view.header), self.host.glyphs)
        return Content(lines or empty(width, "This line is no longer on record at the moment shown."))

    async def action_act(self) -> None:
        """Open the choices for this line."""
        await open_choices(self, self.view, self.key)


async def open_choices(page: Page[None], view: object, key: str | None, before: Sequence[Choice] = ()) -> None:
    """Show what can be done about a line of the Alerts list, after the choices in `before`; do what is decided."""
    if not page.host.moment.live:
        page.say(f"{page.host.moment.word}: actions are off; L goes back to now")
    elif not isinstance(view, AlertsView) or key is None:
        page.say("there is nothing to act on: no line is selected")
    else:
        title, choices = choices_for(view, key)
        if choices:
            await page.open_page(ActPage(title, [*before, *choices]), lambda decision: _perform(page, decision))
        else:
            page.say(f"{title}: there is nothing to do")


async def open_plans(page: Page[None], title: str) -> None:
    """What can be done where no alert says it: the plans of all actions that need no choice before them."""
    from screens.palette import ASKING, PLANS

    choices = [Choice(f"{name}: {words}", ShowPlan((action, given))) for name, action, given, words in PLANS]
    choices += [Choice(f"{name}: {words}", ShowPlan((name, {}), asks=action)) for name, action, words in ASKING]
    await page.open_page(ActPage(title, choices), lambda decision: _perform(page, decision))


def _perform(page: Page[None], decision: Decision | None) -> None:
    """Carry a decision to the records, off the event loop; what came of it is said on the page."""
    if decision is None:
        return
    if isinstance(decision, ShowPlan):
        if decision.asks:
            page.call_later(page.app.run_action, decision.asks, page)
        else:
            page.call_later(_show_plan, page, decision)
        return
    actions = page.host.alert_actions

    def run() -> str:
        match decision:
            case Acknowledge(alert_id, note):
                return _also(note, actions.acknowledge(alert_id, note))
            case Silence(matcher, minutes, reason):
                return _also(reason, actions.silence(matcher, minutes, reason))
            case EndSilence(silence_id):
                actions.end_silence(silence_id)
                return ""

    page.host.hands.do(page, run, then=lambda also: page.say(_words(decision) + also))


def _also(typed: str, written: str) -> str:
    return f"; {HIDDEN_WORDS}" if hidden(typed, written) else ""


async def _show_plan(page: Page[None], decision: ShowPlan) -> None:
    from console.model.actions import ActionRequest
    from screens.plan import open_plan

    action, parameters = decision.wish
    await open_plan(page, ActionRequest(action=action, parameters=parameters))


def _words(decision: Acknowledge | Silence | EndSilence) -> str:
    match decision:
        case Acknowledge():
            return "acknowledged, on record with your name"
        case Silence(matcher, minutes, _):
            return f"{matcher} is silent for {minutes} min; it stands in the ledger (o) until then"
        case EndSilence():
            return "the silence is ended"
