"""The journal of actions: what is open, what is due, what was done. Enter opens a run, or calls off what is due."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.model.action_views import ActionsView
from console.model.actions import ActionRequest
from console.model.ports import StoreReads
from screens.feed import Question
from screens.page import key
from screens.plan import open_plan
from screens.scroll import Content, ScrollPage
from widgets.action_lines import Sheet, action_rows, selectable
from widgets.lines import plain


def _question(reads: StoreReads, at_ms: int | None) -> ActionsView:
    return reads.actions(at_ms)


class ActionsPage(ScrollPage[None]):
    """Opened by the palette and from the ledger."""

    NAME = "actions"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "open", "open it; call it off", "actions.open", short="open"),
    ]

    def question(self) -> Question:
        return _question

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        if not isinstance(view, ActionsView):
            return Content(self.waiting(width))
        rows = action_rows(view, Sheet(width, self.now_ms(view.header), self.host.glyphs, selected))
        return Content([line for line, _ in rows], selectable(rows))

    def copied(self) -> str | None:
        """The whole page."""
        return plain(self._content.lines)

    async def action_open(self) -> None:
        """The selected line: a run, or the plan that calls off what is due."""
        kind, _, name = (self.selected or "").partition(":")
        if kind == "run":
            from screens.run import RunPage

            await self.open_page(RunPage(name))
        elif kind == "due":
            await open_plan(self, ActionRequest(action="cancel-due", parameters={"due": int(name)}))
        else:
            self.say("there is nothing to open here")
