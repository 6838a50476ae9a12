"""The ledger (`o`): everything abnormal that somebody must undo, with owner, since, until and how."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.model.views import OpenItem
from screens.page import key
from screens.scroll import Content, ScrollPage
from widgets.action_lines import selectable
from widgets.ledger_lines import item_key, ledger_rows


class LedgerPage(ScrollPage[None]):
    """Enter on an entry opens the run that is open, or the plan that undoes it."""

    NAME = "ledger"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter,a", "open", "open it; undo it", "ledger.open", short="undo"),
        key("J", "app.journal", "journal of actions", "ledger.journal", short="journal"),
    ]

    _asked: str | None = None
    """The entry that the next Enter ends: the first one only asks."""

    def content(self, width: int, selected: str | None) -> Content:
        host = self.host
        rows = ledger_rows(host.last_header, width, host.moment.shown_ms, host.glyphs, selected)
        return Content([line for line, _ in rows], selectable(rows))

    @property
    def _item(self) -> OpenItem | None:
        header = self.host.last_header
        items = header.open_items if header is not None else ()
        return next((item for index, item in enumerate(items) if item_key(index, item) == self.selected), None)

    async def action_open(self) -> None:
        """What leads to the end of the selected entry."""
        item, asked = self._item, self._asked
        self._asked = None
        if item is None:
            self.say("there is nothing open to undo")
        elif item.entry is not None:
            self._end(item, asked)
        elif item.request is not None:
            from console.model.actions import ActionRequest
            from screens.plan import open_plan

            action, parameters = item.request
            await open_plan(self, ActionRequest(action=action, parameters=parameters), reason=f"end of: {item.text}")
        elif item.run is not None:
            from screens.run import RunPage

            await self.open_page(RunPage(item.run))
        else:
            self.say(f"it is undone elsewhere: {item.undo}" if item.undo else _where(item))

    def _end(self, item: OpenItem, asked: str | None) -> None:
        """At the second Enter: nothing of it needs a plan, and nobody should do it by one key too many."""
        assert item.entry is not None
        if asked != self.selected:
            self._asked = self.selected
            self.say(f"enter again: {_ENDS[item.entry[0]]}")
            return
        kind, number = item.entry
        actions = self.host.alert_actions

        def run() -> None:
            if kind == "end-silence":
                actions.end_silence(number)
            elif kind == "disarm":
                actions.disarm()
            else:
                actions.dismiss(number)

        self.host.hands.do(self, run, then=lambda _: self.say(_ENDED[kind]))


_ENDS = {
    "end-silence": "the silence ends now, for everybody",
    "disarm": "you must give a reason again",
    "dismiss": "the message leaves the ledger, and is not sent again",
}
_ENDED = {"end-silence": "the silence is ended", "disarm": "disarmed", "dismiss": "taken off the ledger"}


def _where(item: OpenItem) -> str:
    if item.kind == "arming":
        return "only who is armed can end it, before its time"
    return "no action of this console undoes it: it ends where it was begun"
