"""Who blocks whom in the database: the session at the root, what it does, and who waits behind it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len

from console.model.observation import Json
from widgets.lines import Line, Span, cut, fit, wrap
from widgets.outline import words
from widgets.words import MINUTE_S, duration

Item = Mapping[str, Json]


def blocking_lines(value: Json, width: int, ellipsis: str = "…") -> list[Line] | None:
    """The chains in lines; None for a value of another shape, which is then shown as it is."""
    if not isinstance(value, list) or not all(isinstance(item, dict) and "root_pid" in item for item in value):
        return None
    return [line for item in value if isinstance(item, dict) for line in _chain(item, width, ellipsis)]


def _chain(item: Item, width: int, ellipsis: str) -> list[Line]:
    who = " ".join(_text(item, name) for name in ("root_user", "root_application") if _text(item, name))
    title = [
        Span("   pid "),
        Span(_text(item, "root_pid"), "strong"),
        Span(f"  {who}" if who else ""),
        Span(f"  {_text(item, 'root_state')}", "warn"),
        Span(_for(item.get("root_age_s")), "dim"),
        Span(f"  {_text(item, 'queued')} queued" if _text(item, "queued") else "", "warn"),
    ]
    rows = wrap(_text(item, "root_query"), max(10, width - 8)) if _text(item, "root_query") else []
    lines = [cut(title, width, ellipsis), *(cut([Span(f"       {row}")], width, ellipsis) for row in rows)]
    waiters = item.get("waiters")
    if isinstance(waiters, list):
        lines += [_waiter(waiter, width, ellipsis) for waiter in waiters if isinstance(waiter, dict)]
    return lines


def _waiter(waiter: Item, width: int, ellipsis: str) -> Line:
    changes = Span("changes the schema  ", "warn") if waiter.get("ddl") is True else Span("")
    lock = " ".join(_text(waiter, name) for name in ("mode", "relation") if _text(waiter, name))
    spans = [
        Span(f"     waits {fit(_seconds(waiter.get('waits_s')), 6, 'right')}  "),
        Span(f"pid {fit(_text(waiter, 'pid'), 7)} ", "dim"),
        Span(f"{fit(lock, max(20, cell_len(lock)))}  " if lock else "", "dim"),
        changes,
        Span(_text(waiter, "query")),
    ]
    return cut(spans, width, ellipsis)


def _text(item: Item, name: str) -> str:
    value = item.get(name)
    return "" if value is None else words("", value)


def _seconds(value: Json) -> str:
    if not isinstance(value, int | float):
        return "?"
    return f"{value:.0f} s" if value < MINUTE_S else duration(value)


def _for(value: Json) -> str:
    return f" for {duration(value)}" if isinstance(value, int | float) else ""
