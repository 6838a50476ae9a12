"""What was read, looked at later: when the store cannot be read, nothing on the page is of now any more."""

from __future__ import annotations

from dataclasses import replace

from console.model.states import State
from console.model.views import AlertsView, ComponentDetail, ComponentRow, Header, HealthView

_PACE_S = 5.0
"""Taken where a component has no interval: that of a round."""


def header_later(header: Header, now_ms: int) -> Header:
    """The header as it stands at `now_ms` without having been read again."""
    return replace(header, at_ms=now_ms, state=State.STALE)


def health_later(view: HealthView, now_ms: int) -> HealthView:
    """The page at `now_ms`: the verdict is stale at once, a component when two of its intervals have passed unread."""
    read_ms = view.header.at_ms
    rows = tuple(_row_later(row, read_ms, now_ms) for row in view.components)
    return replace(view, header=header_later(view.header, now_ms), components=rows)


def _row_later(row: ComponentRow, read_ms: int, now_ms: int) -> ComponentRow:
    late = now_ms - read_ms > 2000 * (row.interval_s or _PACE_S)
    if not late or row.state in (State.NOT_CONFIGURED, State.STALE):
        return row
    return replace(row, state=State.STALE, since_ms=read_ms)


def detail_later(detail: ComponentDetail, now_ms: int) -> ComponentDetail:
    """The same for one component with its targets."""
    read_ms = detail.header.at_ms
    targets = tuple(
        replace(target, state=State.STALE) if now_ms - read_ms > 2000 * target.interval_s else target
        for target in detail.targets
    )
    row = _row_later(detail.row, read_ms, now_ms)
    return replace(detail, header=header_later(detail.header, now_ms), row=row, targets=targets)


def alerts_later(view: AlertsView, now_ms: int) -> AlertsView:
    """The same for the alerts: what fired then is shown, what does not fire is not known."""
    return replace(view, header=header_later(view.header, now_ms))
