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
        item = self._item
        if item is None:
            self.say("there is nothing open to undo")
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


def _where(item: OpenItem) -> str:
    if item.kind == "silence":
        return "a silence is ended on Alerts (9): its line, then a"
    return "no action of this console undoes it: it ends where it was begun"
