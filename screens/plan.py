"""The plan of an action as a page: asked for at once, shown when it is there. Until it is confirmed nothing is done."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import BindingType
from textual.events import Key, ScreenResume

from console.model.actions import REASON_LIMIT, ActionRequest, Option, Risk
from console.model.observation import Json
from console.model.states import State
from console.model.words import counted
from screens.confirming import ConfirmPage, Stage
from screens.feed import Done, Fed
from screens.page import Page, key
from screens.talk import Ask, Talk, Told
from screens.twice import Twice
from widgets.bars import Key as Entry
from widgets.field import Field
from widgets.lines import Line, Span, Tone, blank, cut, wrap
from widgets.plan_lines import WIDEST, Look, plan_rows, plan_text, verb_of

_TITLES = {
    "rollback": "Roll back production",
    "promote": "Promote a deployment",
    "deploy": "Deploy",
    "rerun": "Run a CI run again",
    "cancel-run": "Cancel a CI run",
    "freeze": "Deploy freeze",
    "maintenance": "Maintenance mode",
    "maintenance-end": "End a maintenance",
    "announce": "Announce a maintenance",
    "cancel-due": "Call off what is due",
    "maintenance-table": "Create the maintenance table",
}


async def open_plan(page: Page[Any], request: ActionRequest, *, reason: str = "") -> None:
    """Ask for the plan of an action and show it over that page, or say there why not.

    `reason`: in words, to begin with; a person may change it.
    """
    title = _TITLES.get(request.action, request.action)
    await open_ticket(page, title, lambda desk: desk.plan(request), reason=reason)


async def open_ticket(page: Page[Any], title: str, ask: Ask, *, reason: str = "") -> None:
    """The same for any way to a plan, such as the rest of an interrupted run."""
    host = page.host
    if not host.moment.live:
        page.say(f"{host.moment.word}: actions are off; L goes back to now")
    elif host.desk is None:
        page.say("this console acts on nothing: it was started without a desk for actions")
    else:
        await page.open_page(PlanPage(title, Talk(host.desk, ask), reason))


class PlanPage(ConfirmPage):
    """Opened by `open_plan`. A confirmed plan is followed by the page of its run, in its place."""

    NAME = "plan"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("E", "card", "escape card", "plan.card", short="escape card"),
        key("R", "again", "look again", "plan.again", short="look again"),
        key("w", "whole", "every check and call to its end", "plan.whole", short="details"),
        key("j", "scroll_plan(1)", "line down", "plan.line_down"),
        key("k", "scroll_plan(-1)", "line up", "plan.line_up"),
        key("g", "first_twice", "first line, twice", "plan.top"),
        key("G,end", "scroll_plan(100000)", "last line", "plan.bottom"),
        key("home", "scroll_plan(-100000)", "first line", "plan.home"),
        key("pagedown,ctrl+d", "scroll_half(1)", "half a page down", "plan.down"),
        key("pageup,ctrl+u", "scroll_half(-1)", "half a page up", "plan.up"),
    ]

    def __init__(self, title: str, talk: Talk, reason: str = "") -> None:
        super().__init__()
        self.about = title
        self.top = 0
        self._talk = talk
        self._first_reason = reason[:REASON_LIMIT]
        self._made_ms = 0
        self._height = 1
        self._lines: list[Line] = []
        self._esc_asked = False
        self._whole = False
        self._pressed = Twice()
        self._offered = False
        """A reason that a person has deleted does not come back."""
        self._token: str | None = None
        """Of the run that was begun."""

    def on_mount(self) -> None:
        """Ask at once; the page stands before the answer does."""
        self.reason.value = self._first_reason
        self.shape()
        self._ask()

    def on_unmount(self) -> None:
        """Whatever waits for a confirmation is told that there will be none."""
        self._talk.over = True
        self.host.hands.do(self.app, self._talk.leave)

    # Talking

    def _ask(self) -> None:
        self.stage, self.problem = Stage.ASKING, ""
        self.host.hands.do(self, self._talk.ask, then=self._heard)

    def _heard(self, told: Told) -> None:
        """A plan, a changed one, the token of a run, or a refusal."""
        if told.token is not None:
            self.host.begun.add(told.token)
            self._follow(told.token)
            return
        before, asked = self.plan, self.stage
        self.plan, self.problem = told.plan, told.refused
        self.stage = Stage.REFUSED if told.plan is None else Stage.SHOWN
        self._offer(told)
        if asked is not Stage.CONFIRMING or told.plan != before:
            self._made_ms = self.host.clock_ms()
        if told.plan is None or before is None or told.plan.phrase != before.phrase or asked is Stage.CONFIRMING:
            self.clear_typed()
        self.shape()
        self.guard()

    def _offer(self, told: Told) -> None:
        """The reason that this person is armed with, where the plan needs one and brings none of its own."""
        self.armed, self.settled = told.reason, bool(told.reason and self._first_reason)
        plan = told.plan
        if plan is None or plan.risk is Risk.SAFE or self.settled:
            return
        if not self.reason.value and not self._offered:
            self._offered = True
            with self.prevent(Field.Changed):
                self.reason.value = told.reason

    def _follow(self, token: str) -> None:
        """The run's page in place of this one; while another page stands over it, when that is left."""
        from screens.run import RunPage

        self._token = token
        if self.app.screen is self:
            self.app.switch_screen(RunPage(token))

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Back from another page."""
        if self._token is not None:
            self.call_later(self._follow, self._token)

    def on_done(self, message: Done) -> None:
        """A defect on the way: what is not known is not claimed."""
        if message.then is None and message.words:
            message.prevent_default()
            rest = " It is not known whether it began: actions (:) lists what did." if self._is_confirming else ""
            self.problem = f"{message.words}.{rest}"
            self.stage = Stage.REFUSED if self.plan is None else Stage.SHOWN
            self.shape()

    @property
    def _is_confirming(self) -> bool:
        return self.stage is Stage.CONFIRMING

    # How it looks

    def body(self, width: int, height: int) -> list[Line]:
        self._lines = self._all_lines(width, height)
        self._height = height
        self.top = max(0, min(self.top, len(self._lines) - height))
        shown = self._lines[self.top : self.top + height]
        below = len(self._lines) - self.top - height
        if below > 0:
            more = f" {self.host.glyphs.down} {below + 1} lines more: pgdn"
            shown = [*shown[:-1], cut([Span(more, "accent")], width)]
        return shown

    def _all_lines(self, width: int, height: int) -> list[Line]:
        if self.plan is not None:
            lines = plan_rows(self.plan, self._look(min(width, WIDEST), height), whole=self._whole)
            return [cut(line, width) for line in lines]
        head = cut([Span(" PLAN  ", "head"), Span(self.about, "strong")], width)
        if self.stage is Stage.ASKING:
            told = " asking: the systems concerned are looked at, nothing is changed"
            return [head, blank(width), cut([Span(told, "dim")], width)]
        rows = [cut([Span(f" {row}", "strong")], width) for row in wrap(self.problem, width - 2)]
        rest = [" There is no plan, and nothing was done.", " R looks again once that is changed."]
        return [head, blank(width), *rows, blank(width), *(cut([Span(row, "dim")], width) for row in rest)]

    def _look(self, width: int, height: int) -> Look:
        key_words = self._key_of("plan.whole") or "w"
        return Look(width, height, self.host.clock_ms(), self._made_ms, self.host.glyphs, key_words)

    def paint_bars(self) -> None:
        """Beside what all pages share, the line below the fields: what is to be done, or what is wrong."""
        super().paint_bars()
        words, tone = self._words()
        self._show("#words", cut([Span(f" {words}", tone)], self.size.width, self.host.glyphs.ellipsis))

    def _words(self) -> tuple[str, Tone]:
        plan = self.plan
        if self.stage is Stage.CONFIRMING:
            return "confirmed: it is looked at once more, then its first row is written", "strong"
        if self.stage is Stage.CHANGING:
            return "looking again, with the option changed", "dim"
        if plan is None:
            return "", "dim"
        if self.stage is Stage.ASKING:
            return "looking again: nothing is changed", "dim"
        if plan.refusals:
            sign = self.host.glyphs.state[State.UNHEALTHY]
            failing = counted(len(plan.refusals), "check fails", "checks fail")
            return f"Not now: {failing} ({sign}). Once that is mended, R looks again.", "bad"
        if self.problem:
            return self.problem, "warn"
        return self._next_step(verb_of(plan), plan.phrase), "dim"

    def _next_step(self, verb: str, phrase: str) -> str:
        """What a person does next, by where the focus is."""
        where = self.focused.id if self.focused is not None else ""
        if where == "verb":
            return f"enter: {verb}. It is looked at once more first."
        if where == "typed":
            return f"type {phrase}, then enter"
        if where == "reason":
            if self.offers_armed:
                return f"{self.armed_words} with that reason: enter keeps it, type to replace it"
            return f"enter, {phrase}, enter" if phrase else f"enter goes on to {verb}"
        if not phrase:
            return f"tab, enter: {verb}. Nothing has been done yet."
        return f"tab, {'' if self.settled else 'enter, '}{phrase}, enter. Nothing has been done yet."

    def keys(self) -> list[Entry]:
        back = Entry(self._key_of("app.back"), "back")
        if isinstance(self.focused, Field):
            return [back, Entry("tab", "next field or button"), Entry("enter", "go on")]
        copy = Entry(self._key_of("app.copy"), "copy")
        *listed, go, help_, leave = self._listed("")
        if self.plan is None:
            again = [Entry(self._key_of("plan.again"), "look again")] if self.stage is Stage.REFUSED else []
            return [back, *again, go, help_, leave]
        return [back, *listed, copy, go, help_, leave]

    def copied(self) -> str | None:
        """The whole plan as text."""
        return plan_text(self.plan, self._look(*self.size)) if self.plan is not None else super().copied()

    def on_fed(self, message: Fed) -> None:
        """Ages go on."""
        self.shape()

    # What a person does

    def on_key(self, event: Key) -> None:
        """The options' own keys, while nothing is being typed. The last two keys are remembered for `gg`."""
        self._pressed.hear(event.key)
        plan = self.plan
        if plan is None or isinstance(self.focused, Field) or self.stage is not Stage.SHOWN:
            return
        if any(event.character == option.key for option in plan.options):
            event.stop()
            wanted = {each.parameter: _given(each, event.character == each.key) for each in plan.options}
            self.stage, self.problem = Stage.CHANGING, ""
            self.shape()
            self.host.hands.do(self, lambda: self._talk.change(wanted), then=self._heard)

    def confirm(self, reason: str, typed: str) -> None:
        """The runner looks once more, and begins."""
        self.stage, self.problem = Stage.CONFIRMING, ""
        self.shape()
        self.host.hands.do(self, lambda: self._talk.confirm(reason, typed), then=self._heard)

    def action_again(self) -> None:
        """Look at the live facts anew."""
        if self.stage in (Stage.SHOWN, Stage.REFUSED):
            self._ask()
            self.shape()

    async def action_card(self) -> None:
        """The same with the vendors' own tools."""
        if self.plan is None:
            self.say("there is no plan, and so no escape card")
            return
        from screens.card import CardPage

        await self.open_page(CardPage(self.plan))

    def action_whole(self) -> None:
        """Every call to its end, or the plan on one page."""
        self._whole, self.top = not self._whole, 0
        self.paint()

    def action_scroll_plan(self, by: int) -> None:
        """So many lines down or up in a plan that is longer than the page."""
        self.top += by
        self.paint()

    def action_scroll_half(self, direction: int) -> None:
        """Half a page."""
        self.action_scroll_plan(direction * max(1, self._height // 2))

    def action_first_twice(self) -> None:
        """`gg`: to the top at the second press."""
        if self._pressed.is_second():
            self.action_scroll_plan(-100_000)

    def leave_field(self) -> bool:
        """Esc while the confirmation is on its way: whether it began is not known yet."""
        if not self._is_confirming or self._esc_asked:
            return False
        self._esc_asked = True
        self.say("the confirmation is on its way; esc again leaves, actions (:) lists what began")
        return True


def _given(option: Option, toggled: bool) -> Json:
    """The value of an option as it shall be: switched when its key was pressed, else as it stands."""
    if option.on is not toggled:
        return option.value
    return False if isinstance(option.value, bool) else None
