"""SLO: the service level targets with their windows, error budgets and burn rates; what used a budget up."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.model.metric_views import Consumer, Objective, SloView
from console.model.ports import StoreReads
from screens.feed import Question
from screens.page import key
from screens.scroll import Content, ScrollPage
from widgets.lines import Line, beside, blank, plain
from widgets.slo_lines import Board, slo_later

DETAIL_FROM = 140
_GAP = 2
_INSIDE_MS = 60_000
"""So far into an incident its causes and its figures are judged."""
_BESIDE_SHARE = (9, 16)
"""Of a wide page, what the board takes."""


def _ask(reads: StoreReads, at_ms: int | None) -> SloView:
    return reads.slo(at_ms)


class SloPage(ScrollPage[None]):
    """Opened by `b` from Metrics. Esc goes back."""

    NAME = "slo"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "open", "what used the budget up", "slo.open", short="what used it"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._room = 0

    def question(self) -> Question:
        return _ask

    def shown(self) -> tuple[SloView, Board] | None:
        """What was read, as it stands now, and how it is laid out; None: nothing was."""
        view = self.view
        if not isinstance(view, SloView):
            return None
        now_ms = self.now_ms(view.header)
        view = view if self.host.trouble is None else slo_later(view, now_ms)
        return view, Board(self.size.width, now_ms, self.host.glyphs)

    def body(self, width: int, height: int) -> list[Line]:
        self._room = height
        if width < DETAIL_FROM or (found := self.shown()) is None:
            return super().body(width, height)
        main = width * _BESIDE_SHARE[0] // _BESIDE_SHARE[1]
        lines, rest = super().body(main, height), width - main - _GAP
        chosen = chosen_of(found[0], self.selected)
        detail = Board(rest, found[1].now_ms, self.host.glyphs).uncut(chosen, height) if chosen else []
        return beside([(lines, main), (detail, rest)], height, _GAP)

    def content(self, width: int, selected: str | None) -> Content:
        found = self.shown()
        if found is None:
            return Content(self.waiting(width))
        view, made = found
        board = Board(width, made.now_ms, made.glyphs)
        lines = board.targets(view.objectives, selected)
        rows = [(1 + 2 * index, objective.key) for index, objective in enumerate(view.objectives)]
        chosen = chosen_of(view, selected)
        if self.size.width >= DETAIL_FROM:
            lines += board.all_used(view.objectives, self._room - len(lines))
        elif chosen is not None:
            lines += [blank(width), *board.detail(chosen, room=max(7, self._room - len(lines) - 1))]
        return Content(lines, rows)

    def copied(self) -> str | None:
        """The board with all of every target, not only what has room."""
        found = self.shown()
        if found is None:
            return None
        view, board = found
        lines = board.targets(view.objectives, None)
        for objective in view.objectives:
            lines += [blank(board.width), *board.detail(objective)]
        return plain(lines)

    async def action_open(self) -> None:
        """The selected target over the whole screen."""
        if isinstance(self.view, SloView) and self.selected is not None:
            await self.open_page(TargetPage(self.selected))


class TargetPage(ScrollPage[None]):
    """One target: what used its budget up, each to be looked at."""

    NAME = "target"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "open", "the component at that time", "target.open", short="that time"),
    ]

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    @property
    def place(self) -> str:
        return f"target:{self.key}"

    def question(self) -> Question:
        return _ask

    def _objective(self) -> Objective | None:
        return chosen_of(self.view, self.key)

    def content(self, width: int, selected: str | None) -> Content:
        view, objective = self.view, self._objective()
        if not isinstance(view, SloView) or objective is None:
            return Content(self.waiting(width))
        now_ms = self.now_ms(view.header)
        if self.host.trouble is not None:
            objective = chosen_of(slo_later(view, now_ms), self.key) or objective
        board = Board(width, now_ms, self.host.glyphs)
        keys = [_name(consumer) for consumer in objective.consumers]
        index = keys.index(selected) if selected in keys else None
        lines = [*board.targets([objective], None), blank(width), *board.detail(objective, index)]
        if objective.absent or not keys or objective.budget_left is None:
            return Content(lines)
        first = len(lines) - len(keys)
        if index is not None:
            lines += [blank(width), *board.told(objective.consumers[index])]
        return Content(lines, [(first + at, key) for at, key in enumerate(keys)])

    def _chosen(self) -> Consumer | None:
        objective = self._objective()
        found = objective.consumers if objective is not None else ()
        return next((consumer for consumer in found if _name(consumer) == self.selected), None)

    async def action_open(self) -> None:
        """The component as it was when what is selected had just begun. L goes back to now."""
        from screens.component import ComponentPage

        chosen = self._chosen()
        if chosen is None or not chosen.subject:
            self.say("this has no moment of its own to go to")
            return
        self.host.go_to(min(chosen.began_ms + _INSIDE_MS, chosen.ended_ms or chosen.began_ms + _INSIDE_MS))
        await self.open_page(ComponentPage(chosen.component))


def chosen_of(view: object, key: str | None) -> Objective | None:
    """The target of that key, or none."""
    found = view.objectives if isinstance(view, SloView) else ()
    return next((objective for objective in found if objective.key == key), None)


def _name(consumer: Consumer) -> str:
    return f"{consumer.began_ms}/{consumer.subject}"
