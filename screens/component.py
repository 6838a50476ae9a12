"""One component over the whole screen: every check, the raw answers, the history, how it was judged."""

from __future__ import annotations

from typing import NamedTuple

from console.model.ports import StoreReads
from console.model.views import ComponentDetail, Header, Reason
from screens.feed import Question
from screens.scroll import Content, ScrollPage
from widgets.component_lines import component_content
from widgets.lines import plain
from widgets.outlived import detail_later


class ComponentAnswer(NamedTuple):
    """The component, and those reasons of the verdict that are its own."""

    detail: ComponentDetail
    reasons: tuple[Reason, ...]


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

        def ask(reads: StoreReads, at_ms: int | None) -> ComponentAnswer:
            verdict = reads.health(at_ms, strip_slices=1, events=1).verdict
            own = tuple(reason for reason in verdict.reasons if reason.component == key) if verdict else ()
            return ComponentAnswer(reads.component(key, at_ms), own)

        return ask

    def header_of(self, view: object | None) -> Header | None:
        return view.detail.header if isinstance(view, ComponentAnswer) else None

    def copied(self) -> str | None:
        """The whole page, not only what is on the screen."""
        return plain(self._content.lines)

    def content(self, width: int, selected: str | None) -> Content:
        answer = self.view
        if not isinstance(answer, ComponentAnswer):
            return Content(self.waiting(width))
        detail, now_ms = answer.detail, self.now_ms(answer.detail.header)
        if self.host.trouble is not None:
            detail = detail_later(detail, now_ms)
        return Content(component_content(detail, width, now_ms, self.host.glyphs, reasons=answer.reasons))
