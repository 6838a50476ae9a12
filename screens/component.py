"""One component over the whole screen: every check, the raw answers, the history, how it was judged."""

from __future__ import annotations

from console.model.ports import StoreReads
from console.model.views import ComponentDetail
from screens.feed import Question
from screens.scroll import Content, ScrollPage
from widgets.component_lines import component_content
from widgets.lines import plain


class ComponentPage(ScrollPage[None]):
    """Opened by Enter on Health. Scrolls; Esc goes back."""

    NAME = "component"

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    @property
    def place(self) -> str:
        return f"component:{self.key}"

    def question(self) -> Question:
        key = self.key

        def ask(reads: StoreReads, at_ms: int | None) -> ComponentDetail:
            return reads.component(key, at_ms)

        return ask

    def copied(self) -> str | None:
        """The whole page, not only what is on the screen."""
        return plain(self._content.lines)

    def content(self, width: int, selected: str | None) -> Content:
        detail = self.view
        if not isinstance(detail, ComponentDetail):
            return Content(self.waiting(width))
        return Content(component_content(detail, width, detail.header.at_ms, self.host.glyphs))
