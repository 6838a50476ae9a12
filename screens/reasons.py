"""All reasons uncut, those too that have no room on Health; Enter opens the component."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.model.views import HealthView
from screens.page import key
from screens.scroll import Content, ScrollPage
from widgets.all_reasons import reason_rows
from widgets.lines import plain
from widgets.outlived import health_later


class ReasonsPage(ScrollPage[None]):
    """Opened from Health. Esc goes back."""

    NAME = "reasons"
    BINDINGS: ClassVar[list[BindingType]] = [key("enter", "open", "open its component", "reasons.open", short="detail")]

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        if not isinstance(view, HealthView):
            return Content(self.waiting(width))
        now_ms = self.now_ms(view.header)
        if self.host.trouble is not None:
            view = health_later(view, now_ms)
        rows = reason_rows(view, width, now_ms, self.host.glyphs, selected)
        return Content([line for line, _ in rows], [(y, key) for y, (_, key) in enumerate(rows) if key is not None])

    def copied(self) -> str | None:
        """The whole page, not only what is on the screen."""
        return plain(self._content.lines)

    async def action_open(self) -> None:
        """The component of the selected reason over the whole screen."""
        view = self.view
        if not isinstance(view, HealthView) or view.verdict is None:
            return
        component = next((one.component for one in view.verdict.reasons if one.key == self.selected), None)
        if component in [row.key for row in view.components]:
            from screens.component import ComponentPage

            await self.open_page(ComponentPage(str(component)))
        else:
            self.say("this reason belongs to no component of the table")
