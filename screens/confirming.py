"""The confirmation of a plan: a reason, the phrase that is typed, Cancel and the button that begins it.

Keys typed before the plan was seen, and in its first half second, are dropped; so is what is pasted as confirmation,
also where the terminal does not say that it is pasted.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import DescendantFocus, Event, Key, Paste, ScreenResume
from textual.message import Message

from console.model.actions import REASON_LIMIT, Plan, Risk
from console.model.keystrokes import FIRST_LINE, Burst, believed, refusal
from screens.page import Page, key
from widgets.canvas import Canvas
from widgets.field import Field
from widgets.lines import Span
from widgets.plan_lines import verb_of
from widgets.pressed import Button
from widgets.words import clock

GUARD_S = 0.5
"""What is typed in this time after the plan was drawn was meant for something else."""

_SCROLLING = ("j", "k", "pagedown", "pageup", "ctrl+d", "ctrl+u", "up", "down")


class Stage(StrEnum):
    """How far it is."""

    ASKING = "asking"
    SHOWN = "shown"
    CHANGING = "changing"
    CONFIRMING = "confirming"
    REFUSED = "refused"
    """There is no plan."""


class TypedField(Field):
    """Takes what is typed, and nothing that is pasted."""

    class Pasted(Message):
        """Somebody tried."""

    def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Pasted())

    def action_paste(self) -> None:
        """ctrl+v is no typing either."""
        self.post_message(self.Pasted())


class ConfirmPage(Page[None]):
    """Base of the plan's page: what stands below the plan. A subclass says what confirming does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab,down", "walk(1)", "next field, button", "plan.next", first=True),
        key("shift+tab,up", "walk(-1)", "field, button before", "plan.previous", first=True),
        key("enter", "press", "go on; press the button", "plan.press", first=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage.ASKING
        self.plan: Plan | None = None
        self.problem = ""
        """What is wrong with the confirmation, or why there is no plan."""
        self.armed = ""
        """The reason that this person gave in the last 15 minutes: offered again where none is given for this plan."""
        self.settled = False
        """Whether the reason is this plan's own and the person is armed: nothing has to be looked at before typing."""
        self._drawn_s: float | None = None
        self._burst = Burst()
        self._burst_is_over = False
        """Of what came at once nothing more is taken."""
        self._told_of: tuple[str, str] | None = None
        """What stood in the fields when something was told last."""

    def confirm(self, reason: str, typed: str) -> None:
        """All that is needed is there."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Canvas(id="header")
        yield Canvas(id="notice")
        yield Canvas(id="body")
        with Horizontal(id="reason-row", classes="form"):
            yield Canvas(id="reason-label")
            yield Field("why, for those who come after", id="reason", longest=REASON_LIMIT)
        with Horizontal(id="type-row", classes="form"):
            yield Canvas(id="type-label")
            yield TypedField("", id="typed", longest=120)
            yield Button("Cancel", id="cancel")
            yield Button("", id="verb")
        yield Canvas(id="words")
        yield Canvas(id="footer")

    @property
    def reason(self) -> Field:
        """Why it is done."""
        return self.query_one("#reason", Field)

    @property
    def typed(self) -> TypedField:
        """Where the phrase is typed."""
        return self.query_one("#typed", TypedField)

    @property
    def confirmable(self) -> bool:
        """Whether the plan may be carried out at all."""
        return self.plan is not None and not self.plan.refusals

    # What was typed too early

    def takes(self, event: Event) -> bool:
        """Esc always; else nothing that happened before the plan stood for half a second."""
        if isinstance(event, Key) and event.key == "escape":
            return True
        if not super().takes(event):
            return False
        pasted = isinstance(event, Key) and self._is_pasted(event)
        if self.stage in (Stage.ASKING, Stage.REFUSED) and self.plan is None:
            return self.stage is Stage.REFUSED or not isinstance(event, Key | Paste)
        if self._drawn_s is None or event.time < self._drawn_s + GUARD_S:
            return False
        if isinstance(event, Key) and pasted and not self._may_paste(event):
            self._drop_burst()
            return False
        # Over a slow line keys come several in a packet: each is done before the next is looked at.
        return not (isinstance(event, Key) and isinstance(self.focused, Field) and self.focused.take(event))

    def _is_pasted(self, event: Key) -> bool:
        """Whether it came at once with so many others that nobody typed them."""
        length = self._burst.add(event.time)
        self._burst_is_over = self._burst_is_over and length > 1
        return length > believed(self.plan.phrase if self.plan is not None else "")

    def _may_paste(self, event: Key) -> bool:
        """A reason's first line may be pasted; a key that is held down scrolls on, over a slow line in jumps."""
        if self._burst_is_over:
            return False
        if isinstance(self.focused, Field):
            return self.focused is self.reason and event.is_printable
        return event.key in _SCROLLING

    def _drop_burst(self) -> None:
        """What of it was taken for typing goes, too; the rest of it is passed over."""
        if self._burst_is_over:
            return
        self._burst_is_over = True
        if self.focused is self.reason:
            self._tell(FIRST_LINE)
            return
        self.clear_typed()
        self.shape()
        self._tell(refusal(self.plan.phrase if self.plan is not None else ""))

    def guard(self) -> None:
        """From now on nothing counts until what is shown now has been seen."""
        self._drawn_s = None
        self.set_focus(self.query_one("#cancel", Button))
        self.call_after_refresh(self._seen)

    def clear_typed(self) -> None:
        """What was typed was meant for something else. What is told stays."""
        with self.prevent(Field.Changed):
            self.typed.value = ""

    def _seen(self) -> None:
        self._drawn_s = time.monotonic()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Back from another page: what was typed there is none of ours. The first time there may be no field yet."""
        if self.query_one_optional("#verb", Button) is not None:
            self.clear_typed()
            self.guard()

    def reappear(self) -> None:
        """What was typed before the plan could not be seen is typed anew, once it has been."""
        if self.query_one_optional("#verb", Button) is not None:
            self.clear_typed()
            self.shape()
            self.guard()

    def shape(self) -> None:
        """Which fields and buttons there are, by stage and risk."""
        if self.query_one_optional("#verb", Button) is None:
            return  # not composed yet, or no more
        plan, glyphs = self.plan, self.host.glyphs
        confirmable = self.confirmable
        typing = confirmable and plan is not None and bool(plan.phrase)
        self.query_one("#reason-row").display = confirmable and not self.is_small
        self.reason.display = confirmable
        self.typed.display = typing
        label = f" TYPE    {plan.phrase} to confirm: " if plan is not None and typing else ""
        self.query_one("#type-label").styles.width = len(label) if typing else "1fr"
        self._show("#type-label", (Span(label[:9], "head"), Span(label[9:], "strong")))
        self.query_one("#cancel", Button).name_it("Cancel" if confirmable else "Back", glyphs, enabled=True)
        verb = self.query_one("#verb", Button)
        verb.display = confirmable
        verb.name_it(verb_of(plan) if plan is not None else "", glyphs, enabled=self._is_ready)
        lead = f"{self.armed_words} with: " if self.offers_armed else ""
        self.query_one("#reason-label").styles.width = 9 + len(lead)
        self._show("#reason-label", (Span(" REASON  ", "head"), Span(lead, "dim")))
        self.paint()

    @property
    def offers_armed(self) -> bool:
        """Whether the reason that stands there is the one given for something else before."""
        return bool(self.armed) and not self.settled and self.reason.value == self.armed

    @property
    def armed_words(self) -> str:
        """`armed until 06:21`."""
        header = self.host.last_header
        until_ms = header.armed_until_ms if header is not None else None
        return f"armed until {clock(until_ms)}" if until_ms is not None else "armed"

    @property
    def _is_ready(self) -> bool:
        """Whether all that a confirmation needs is there."""
        plan = self.plan
        if plan is None or not self.confirmable or self.stage is not Stage.SHOWN:
            return False
        return not self.missing

    @property
    def missing(self) -> str:
        """What the confirmation still needs, in words."""
        plan = self.plan
        if plan is None:
            return "there is no plan"
        if plan.risk is not Risk.SAFE and not self._given_reason:
            return "a reason is needed: it stands in the journal"
        if plan.phrase and not plan.confirms(self.typed.value):
            typed = self.typed.value.strip()
            return f"type {plan.phrase} to confirm" + (f": what was typed is {typed!r}" if typed else "")
        return ""

    @property
    def _given_reason(self) -> str:
        return self.reason.value.strip()

    def _order(self) -> list[Button | Field]:
        """Where tab goes: what can be filled in, then the buttons, as they stand on the page."""
        verb, cancel = self.query_one("#verb", Button), self.query_one("#cancel", Button)
        fields = [field for field in (self.reason, self.typed) if field.display and self.confirmable]
        return [*fields, cancel, *([verb] if verb.display and verb.can_focus else [])]

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """What comes next depends on where one is. A reason that was given for something else is typed over."""
        if self.focused is self.reason and self.offers_armed:
            self.reason.action_select_all()
        self.paint_bars()

    def action_walk(self, by: int) -> None:
        """To the next field or button."""
        order = self._order()
        at = order.index(self.focused) if self.focused in order else len(order) - 1
        passes = (
            self.settled
            and by == 1
            and isinstance(self.focused, Button)
            and order[(at + 1) % len(order)] is self.reason
        )
        self.set_focus(order[(at + by + passes) % len(order)])

    def action_press(self) -> None:
        """Enter: on a button presses it, in a field goes on to the next, in the last one confirms."""
        if isinstance(self.focused, Button):
            self._press(self.focused.id or "")
        elif self.focused is not self.reason:
            self._confirm()
        elif not self._given_reason and self.plan and self.plan.risk is not Risk.SAFE:
            self._tell("a reason is needed: it stands in the journal")
        else:
            self.action_walk(1 if self.typed.display else 2)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by the mouse."""
        self._press(event.button_id)

    def _press(self, button_id: str) -> None:
        if button_id == "verb":
            self._confirm()
        elif not self.leave_field():
            self.dismiss(None)

    def on_input_changed(self, event: Field.Changed) -> None:
        """What is missing changes with every character. What was typed before something was told is no news."""
        if self._written != self._told_of:
            self.problem = ""
        self.shape()

    def on_typed_field_pasted(self, event: TypedField.Pasted) -> None:
        """A confirmation is typed by a person who has read what it is for."""
        assert self.plan is not None
        self._tell(f"what is pasted is dropped: type {self.plan.phrase} to confirm")

    def _confirm(self) -> None:
        if self.plan is None or self.stage is not Stage.SHOWN or not self.confirmable or self.is_small:
            return
        if not self.host.moment.live:
            self._tell("not live: actions are off until the console is live again (L)")
        elif self.missing:
            self._tell(self.missing)
        else:
            self.confirm(self._given_reason, self.typed.value.strip())

    @property
    def _written(self) -> tuple[str, str]:
        return self.reason.value, self.typed.value

    def _tell(self, words: str) -> None:
        self.problem, self._told_of = words, self._written
        self.paint_bars()
