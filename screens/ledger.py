"""The ledger (`o`): everything abnormal that somebody must undo, with owner, since and until."""

from __future__ import annotations

from screens.scroll import Content, ScrollPage
from widgets.ledger_lines import ledger_rows


class LedgerPage(ScrollPage[None]):
    """Read only: each entry is undone where it was done."""

    NAME = "ledger"

    def content(self, width: int, selected: str | None) -> Content:
        host = self.host
        rows = ledger_rows(host.last_header, width, host.moment.shown_ms, host.glyphs, selected)
        return Content([line for line, _ in rows], [(y, key) for y, (_, key) in enumerate(rows) if key is not None])
