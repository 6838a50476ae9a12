"""The Health page as lines: reasons, components, targets and uptime, what happened lately; beside them the detail.

Everything is computed for the room there is: nothing scrolls at 80×24, more room shows more facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.model.views import ComponentDetail, HealthView
from widgets.component_lines import component_content
from widgets.component_table import component_table
from widgets.event_lines import event_column, event_pairs
from widgets.glyphs import UNICODE, Glyphs
from widgets.lines import Line, beside, blank
from widgets.reason_lines import ALL, reason_lines
from widgets.target_lines import target_lines

DETAIL_FROM = 140
LATELY_FROM = 180
TALL_FROM = 40
"""Lines of a body from which a wide page has room for LATELY below the tables, where its words are not cut."""
_GAP = 2
_LONG_STRIPS_FROM = 128
"""Cells of the main column in which a strip of sixty slices leaves room for the figures."""
_ROWS_ALONE = 5
"""Lines from which each event has one of its own."""


class Frame(NamedTuple):
    """The room of a page and the signs to draw with."""

    width: int
    height: int
    now_ms: int
    glyphs: Glyphs = UNICODE
    all_key: str = ALL
    """Leads to all reasons, as remapped."""
    act_key: str = ""
    """Opens the plan of what is suggested; empty: this console has no desk for it."""


class Columns(NamedTuple):
    """Widths of the page's columns; 0: not shown."""

    main: int
    detail: int
    lately: int

    @property
    def strip_slices(self) -> int:
        """How many slices of the last half hour have room."""
        return 60 if self.main >= _LONG_STRIPS_FROM else 30 if self.main >= 96 else 15


def columns(width: int, height: int) -> Columns:
    """How a page with a body of that room is divided."""
    if width < DETAIL_FROM:
        return Columns(width, 0, 0)
    if width < LATELY_FROM:
        main = min(100, 84 + (width - DETAIL_FROM) * 3 // 4)
        return Columns(main, width - main - _GAP, 0)
    if height >= TALL_FROM:
        main = max(_LONG_STRIPS_FROM, width * 13 // 20)
        return Columns(main, width - main - _GAP, 0)
    main = min(100, 94 + (width - LATELY_FROM) // 3)
    lately = min(56, 34 + (width - LATELY_FROM) // 3)
    return Columns(main, width - main - lately - 2 * _GAP, lately)


class HealthPage(NamedTuple):
    """The lines, which line shows which component, and how many lines tell the reasons."""

    lines: tuple[Line, ...]
    rows: dict[int, str]
    head: int


def health_page(view: HealthView, frame: Frame, selected: str | None, detail: ComponentDetail | None) -> HealthPage:
    """Lay the page out. `detail` is that of the selected component where there is room for it."""
    widths = columns(frame.width, frame.height)
    room = _reason_room(view, frame)
    head = reason_lines(view, frame.width, room, frame.now_ms, frame.glyphs, frame.all_key, frame.act_key)
    height = frame.height - len(head)
    if view.verdict is None and not view.components:
        return HealthPage((*head, *[blank(frame.width)] * height), {}, len(head))
    main, rows = _main_column(view, frame, widths, selected, height)
    parts: list[tuple[Sequence[Line], int]] = [(main, widths.main)]
    if widths.detail:
        lines = component_content(detail, widths.detail, frame.now_ms, frame.glyphs, brief=True) if detail else []
        parts.append(([blank(widths.detail), *lines][:height], widths.detail))
    if widths.lately:
        events = event_column(view.lately, widths.lately, height - 1, frame.now_ms, frame.glyphs)
        parts.append(([blank(widths.lately), *events], widths.lately))
    body = beside(parts, height, _GAP)
    return HealthPage((*head, *body), {y + len(head): key for y, key in rows.items()}, len(head))


def _reason_room(view: HealthView, frame: Frame) -> int:
    """Lines for the reasons: what the tables leave, five at least; on a tall page all but what LATELY needs."""
    tables = 1 + len(view.components) + 1 + max(4, len(view.targets)) + 2
    spare = frame.height - tables
    return max(5, min(9, spare), spare - 10)


def _main_column(
    view: HealthView, frame: Frame, widths: Columns, selected: str | None, height: int
) -> tuple[list[Line], dict[int, str]]:
    width, glyphs, now_ms = widths.main, frame.glyphs, frame.now_ms
    table = component_table(view, width, now_ms, glyphs, selected)
    targets = target_lines(view, width, now_ms, glyphs)
    wanted = 0 if widths.lately else 2
    spare = height - len(table) - len(targets) - wanted
    gaps = [1 if spare > 2 else 0, 1 if spare > 0 else 0, 1 if spare > 1 else 0]
    lines = [blank(width)] * gaps[0]
    rows = {len(lines) + 1 + index: row.key for index, row in enumerate(view.components)}
    lines += [*table, *[blank(width)] * gaps[1], *targets, *[blank(width)] * gaps[2]]
    if not widths.lately:
        lines += _lately(view, width, height - len(lines), now_ms, glyphs)
    return lines[:height], {y: key for y, key in rows.items() if y < height}


def _lately(view: HealthView, width: int, room: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    if room >= min(len(view.lately), _ROWS_ALONE):
        return event_column(view.lately, width, room, now_ms, glyphs, label=True)
    return event_pairs(view.lately, width, room, now_ms, glyphs)
