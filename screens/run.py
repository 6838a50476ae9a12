"""A run as it goes on: its steps live, how it ends, what can be undone. Leaving the page stops nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType

from console.model.action_views import RunView
from console.model.actions import RunOutcome
from console.model.ports import StoreReads
from screens.feed import Fed, Question
from screens.page import key
from screens.plan import open_plan, open_ticket
from screens.scroll import Content, ScrollPage
from widgets.bars import Key as Entry
from widgets.lines import cut, plain
from widgets.plan_lines import WIDEST
from widgets.run_lines import Keys, can_undo, is_open, run_rows

_RESUMED = (RunOutcome.INTERRUPTED, RunOutcome.UNKNOWN)


@dataclass(frozen=True)
class RunQuestion:
    """What the page asks the store."""

    token: str

    def __call__(self, reads: StoreReads, at_ms: int | None) -> RunView:
        return reads.run(self.token, at_ms)


class RunPage(ScrollPage[None]):
    """Follows one run by the journal: it never tells more than is written there."""

    NAME = "run"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("u", "undo", "undo: opens the plan", "run.undo", short="undo"),
        key("R", "resume", "go on with the rest", "run.resume", short="go on"),
        key("c", "close", "close it by hand, with a reason", "run.close", short="close"),
    ]

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    @property
    def place(self) -> str:
        return "run"

    def on_mount(self) -> None:
        """Each run is read from its top."""
        self.top = 0

    def question(self) -> Question:
        return RunQuestion(self.token)

    def on_fed(self, message: Fed) -> None:
        """A run that has ended holds up no quitting."""
        view = message.answer
        if isinstance(view, RunView) and view.run is not None and not is_open(view.run):
            self.host.begun.discard(self.token)

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        if not isinstance(view, RunView):
            return Content(self.waiting(width))
        keys = Keys(self._key_of("run.undo"), self._key_of("run.resume"), self._key_of("run.close"))
        lines = run_rows(view, min(width, WIDEST), self.now_ms(view.header), self.host.glyphs, keys)
        return Content([cut(line, width) for line in lines])

    def keys(self) -> list[Entry]:
        """Without what cannot be done with this run."""
        view = self.view
        undo = isinstance(view, RunView) and can_undo(view)
        resume = isinstance(view, RunView) and view.run is not None and view.run.outcome in _RESUMED
        off = [*([] if undo else ["undo"]), *([] if resume else ["go on", "close"])]
        return [entry for entry in super().keys() if entry.words not in off]  # noqa: SIM118 - a method of pages

    def copied(self) -> str | None:
        """The whole page."""
        return plain(self._content.lines)

    async def action_undo(self) -> None:
        """The plan that undoes it."""
        view = self.view
        if (
            isinstance(view, RunView)
            and view.plan is not None
            and view.plan.undo_request is not None
            and can_undo(view)
        ):
            reason = f"undo of run {view.run.id}: {view.run.reason}" if view.run else ""
            await open_plan(self, view.plan.undo_request, reason=reason)
        else:
            self.say(self._why_no_undo(view))

    def _why_no_undo(self, view: object) -> str:
        run = view.run if isinstance(view, RunView) else None
        if run is not None and is_open(run):
            return "the run is not at its end: nothing can be undone yet"
        return "this console knows nothing to undo here"

    async def action_resume(self) -> None:
        """The plan of the rest, after the remote state was read."""
        view = self.view
        run = view.run if isinstance(view, RunView) else None
        if run is not None and run.outcome in _RESUMED:
            token = self.token
            await open_ticket(self, f"Go on with run {run.id}: {run.title}", lambda desk: desk.resume(token))
        else:
            self.say("only an interrupted run, or one of unknown outcome, can be gone on with")

    async def action_close(self) -> None:
        """End it by hand, once a reason is given."""
        from screens.dialogs.close import ClosePage

        view, desk = self.view, self.host.desk
        run = view.run if isinstance(view, RunView) else None
        if not self.host.moment.live:
            self.say(f"{self.host.moment.word}: actions are off; L goes back to now")
        elif desk is None:
            self.say("this console acts on nothing: it was started without a desk for actions")
        elif run is None or run.outcome not in _RESUMED:
            self.say("only an interrupted run, or one of unknown outcome, is closed by hand")
        else:
            await self.open_page(ClosePage(f"run {run.id}: {run.title}"), self._close)

    def _close(self, reason: str | None) -> None:
        desk, token = self.host.desk, self.token
        if reason is not None and desk is not None:
            self.host.hands.do(self, lambda: desk.close_run(token, reason), then=self._told_closed)

    def _told_closed(self, words: str) -> None:
        self.say(words)
        self.ask()
