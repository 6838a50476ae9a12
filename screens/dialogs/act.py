"""What to do about an alert, a rule or a silence: a page that returns a typed decision and performs nothing.

One list of choices and one line of text: arrows choose, letters go into the text, Enter decides, Esc leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from console.model.views import AlertRow, AlertsView, Wish
from screens.page import Page, key
from widgets.bars import Key
from widgets.field import Field
from widgets.lines import Line, Span, backed, blank, cut, wrap

NOTE_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Seen, and somebody is on it."""

    alert_id: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Hold notifications of a rule, or of a rule for one subject."""

    matcher: str
    minutes: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndSilence:
    """Let notifications go out again."""

    silence_id: int


@dataclass(frozen=True, slots=True)
class ShowPlan:
    """The plan of an action; asking for it changes nothing."""

    wish: Wish
    asks: str = ""
    """The action of the app that asks first for what the plan needs."""


Decision = Acknowledge | Silence | EndSilence | ShowPlan


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the list."""

    words: str
    decision: Decision
    needs_text: bool = False


UNABLE = {"VIEWER": "You are a viewer here", "READ-ONLY": "This environment is read-only"}
"""Told before anything is typed; whether it holds is decided where the row is written."""
SPANS = ((30, "30 m"), (120, "2 h"), (480, "8 h"), (1440, "24 h"))


def choices_for(view: AlertsView, key: str) -> tuple[str, list[Choice]]:
    """A title and what can be done about a line of the Alerts list; no choices when nothing can."""
    kind, _, name = key.partition(":")
    if kind == "alert":
        alert = next((one for one in view.firing if str(one.id) == name), None)
        return _about_alert(alert) if alert else ("this alert is over", [])
    if kind == "silence":
        silence = next((one for one in view.silences if str(one.id) == name and one.ended_ms is None), None)
        ends = [Choice("end this silence now", EndSilence(silence.id))] if silence else []
        return (f"the silence of {silence.matcher}" if silence else "this silence is over"), ends
    return f"the rule {name}", [_silence(name, name, span) for span in SPANS]


def _about_alert(alert: AlertRow) -> tuple[str, list[Choice]]:
    choices = [Choice("acknowledge: seen, somebody is on it", Acknowledge(alert.id))]
    choices += [_silence(alert.name, f"{alert.rule} of {alert.subject} only", span) for span in SPANS]
    choices.append(_silence(alert.rule, f"{alert.rule} of every subject", SPANS[0]))
    return f"{alert.subject}: {alert.text}", choices


def _silence(matcher: str, words: str, span: tuple[int, str]) -> Choice:
    return Choice(f"silence {words} for {span[1]}", Silence(matcher, span[0]), needs_text=True)


class ActPage(Page[Decision | None]):
    """Returns the decision, None when left. What it would do is performed by the page that opened it."""

    NAME = "act"
    AUTO_FOCUS = "#note"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("down", "choose(1)", "next choice", "act.down"),
        key("up", "choose(-1)", "choice before", "act.up"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.about = title
        self.choices = tuple(choices)
        self.index = 0
        self.problem = ""

    def extra(self) -> Iterable[Widget]:
        yield Field("note or reason, for those who come after", id="note", longest=NOTE_LIMIT)

    def keys(self) -> list[Key]:
        glyphs = self.host.glyphs
        return [Key("enter", "do it"), Key(f"{glyphs.up} {glyphs.down}", "choose"), Key("esc", "leave")]

    def body(self, width: int, height: int) -> list[Line]:
        lines = [blank(width)]
        lines += [cut([Span(f" {row}", "strong")], width) for row in wrap(self.about, width - 2)]
        lines.append(blank(width))
        for index, choice in enumerate(self.choices):
            marked = index == self.index
            bar = Span(self.host.glyphs.bar if marked else " ", "accent")
            line = cut(
                [bar, Span(f" {choice.words}", "strong" if marked else "text")], width, self.host.glyphs.ellipsis
            )
            lines.append(backed(line, "selected") if marked else line)
        lines += [blank(width), cut([Span(f" {self._hint()}", "warn" if self.problem else "dim")], width)]
        return lines

    def _hint(self) -> str:
        if self.problem:
            return self.problem
        if self.host.role in UNABLE and not isinstance(self.choices[self.index].decision, ShowPlan):
            return f"{UNABLE[self.host.role]}: this needs an operator, and will be refused."
        if isinstance(self.choices[self.index].decision, ShowPlan):
            return "Enter shows its plan, which changes nothing; Esc leaves."
        needs = self.choices[self.index].needs_text
        return "Type the reason above, then Enter." if needs else "A note is welcome; Enter does it, Esc leaves."

    def action_choose(self, by: int) -> None:
        """Another choice."""
        self.index = max(0, min(len(self.choices) - 1, self.index + by))
        self.problem = ""
        self.paint()

    def on_input_submitted(self, event: Field.Submitted) -> None:
        """Decide, if what is needed is there."""
        choice = self.choices[self.index]
        text = event.value.strip()
        if not self.host.moment.live:
            self._refuse("Not live: actions are off until the console is live again (esc, then L).")
        elif choice.needs_text and not text:
            self._refuse("A silence needs a reason: it hides an alert from everybody.")
        else:
            self.dismiss(_with_text(choice.decision, text))

    def _refuse(self, words: str) -> None:
        self.problem = words
        self.paint()


def _with_text(decision: Decision, text: str) -> Decision:
    if isinstance(decision, Acknowledge):
        return Acknowledge(decision.alert_id, text)
    if isinstance(decision, Silence):
        return Silence(decision.matcher, decision.minutes, text)
    return decision
