"""The time line of an incident as values, and how it is written down. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.model.text import BLOCK_LIMIT, clean
from console.model.times import ago, clock, date_time
from console.model.views import AlertRow, EventRow, OpenItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of the time line."""

    at_ms: int
    kind: str
    """`alert`, `alert over`, `note`, `action`, `step`, `acknowledged`, `silence`, `state`, or an event's kind."""
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure over the incident: `values` at `at_ms`, None where nothing was known."""

    title: str
    unit: str
    origin: str
    at_ms: tuple[int, ...]
    values: tuple[float | None, ...]
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Everything between two times."""

    environment: str
    from_ms: int
    to_ms: int
    happenings: tuple[Happening, ...]
    """Oldest first."""
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the next shift must know."""

    environment: str
    at_ms: int
    since_ms: int
    state: str
    reasons: tuple[str, ...]
    open_items: tuple[OpenItem, ...]
    firing: tuple[AlertRow, ...]
    happenings: tuple[Happening, ...]


def alert_lines(alerts: Iterable[AlertRow], from_ms: int, to_ms: int) -> list[Happening]:
    """The beginnings and ends of alerts within the time, and who had seen them."""
    lines = []
    for alert in alerts:
        named = f"{alert.name} ({alert.severity}): {alert.text}"
        lines.append(Happening(at_ms=alert.began_ms, kind="alert", text=named))
        if alert.ended_ms is not None:
            lines.append(Happening(at_ms=alert.ended_ms, kind="alert over", text=alert.name))
        if alert.acknowledged_ms is not None:
            note = f": {alert.acknowledged_note}" if alert.acknowledged_note else ""
            lines.append(Happening(at_ms=alert.acknowledged_ms, kind="acknowledged", text=alert.name + note,
                                   by=alert.acknowledged_by or ""))  # fmt: skip
    return within(lines, from_ms, to_ms)


def event_lines(events: Iterable[EventRow]) -> list[Happening]:
    """Events: deployments, migrations, vendors, maintenance, restarts."""
    return [Happening(at_ms=each.at_ms, kind=each.kind, text=f"{each.subject}: {each.text}") for each in events]


def within(lines: Iterable[Happening], from_ms: int, to_ms: int) -> list[Happening]:
    """Those of the time, oldest first."""
    return sorted((line for line in lines if from_ms <= line.at_ms <= to_ms), key=lambda line: line.at_ms)


def markdown(incident: Incident) -> str:
    """The incident as Markdown. Text from outside is put so that no Markdown of its own is obeyed."""
    head = [
        f"# Incident in {incident.environment}",
        "",
        f"From {date_time(incident.from_ms)} to {date_time(incident.to_ms)} (UTC).",
        "",
        "## Time line",
        "",
    ]
    return "\n".join([*head, *_table(incident.happenings), "", *_figures(incident.figures), ""])


def _table(happenings: Sequence[Happening]) -> list[str]:
    if not happenings:
        return ["Nothing is on record in this time."]
    rows = [f"| {_second(each.at_ms)} | {escaped(each.kind)} | {escaped(each.text)} | {escaped(each.by)} |"
            for each in happenings]  # fmt: skip
    return ["| when (UTC) | kind | what | by |", "| --- | --- | --- | --- |", *rows]


def _figures(figures: Sequence[Figure]) -> list[str]:
    """One table: a row a moment, a column a figure."""
    if not figures:
        return []
    heads = [f"{escaped(each.title)} ({escaped(each.unit)}, {each.origin})" for each in figures]
    targets = ["" if each.target is None else f"target {each.target:g}" for each in figures]
    moments = sorted({at_ms for each in figures for at_ms in each.at_ms})
    known = [dict(zip(each.at_ms, each.values, strict=True)) for each in figures]
    within_minutes = len({date_time(at_ms) for at_ms in moments}) < len(moments)
    shown = _second if within_minutes else date_time
    rows = [_row([shown(at_ms), *(_value(each.get(at_ms)) for each in known)]) for at_ms in moments]
    return ["## Figures", "", _row(["when (UTC)", *heads]), _row(["---", *("---:" for _ in figures)]),
            _row(["", *targets]), *rows]  # fmt: skip


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _value(value: float | None) -> str:
    return "?" if value is None else f"{value:,.4g}"


def _second(at_ms: int) -> str:
    """`2026-11-23 03:33:51`: within an incident seconds tell what came first."""
    return f"{date_time(at_ms).partition(' ')[0]} {clock(at_ms)}"


_OBEYED = frozenset("\\`*_{}[]()<>#+!|~&$")
_NOTHING = "&#8203;"
_SEEN_LATER = re.compile(r"@(?=[\w\\])|#(?=\d)|:(?=(?:\d{0,40}[A-Za-z_+\\-][\w+\\-]{0,80}|100|1234):)")
"""What GitHub looks for in the text that it has rendered, where no backslash helps: mentions and mail, issues, emoji.
A space of no width parts their sign from the name, as Dependabot does it."""


def escaped(text: str) -> str:
    """Text within a Markdown table: one line, in which nothing is a link, a tag, a cell, an emphasis, an entity, a
    formula, a picture or a mention of somebody, or obeyed by the terminal on which it is shown."""
    shown = "".join(f"\\{letter}" if letter in _OBEYED else letter for letter in clean(text, BLOCK_LIMIT))
    shown = shown.replace("://", "\\://").replace("www.", "www\\.")  # what GitHub would link by itself
    return _SEEN_LATER.sub(rf"\g<0>{_NOTHING}", shown)


def handover_text(handover: Handover) -> list[str]:
    """The handover as lines; a line end in a note makes no line."""
    lines = [
        f"HANDOVER  {handover.environment}  {date_time(handover.at_ms)} UTC",
        "",
        f"NOW  {handover.state}",
        *(f"  {reason}" for reason in handover.reasons),
        "",
        "OPEN  what somebody must undo or look after",
        *(_open_line(item, handover.at_ms) for item in handover.open_items),
    ]
    lines += [] if handover.open_items else ["  nothing"]
    lines += ["", "FIRING", *(_alert_line(alert) for alert in handover.firing)]
    lines += [] if handover.firing else ["  nothing"]
    lines += ["", f"SINCE {date_time(handover.since_ms)}"]
    lines += [f"  {_second(each.at_ms)}  {each.kind}: {each.text}" + (f" ({each.by})" if each.by else "")
              for each in handover.happenings]  # fmt: skip
    lines += [] if handover.happenings else ["  nothing happened"]
    return [line.replace("\n", "↵") for line in lines]


def _open_line(item: OpenItem, now_ms: int) -> str:
    until = f", until {date_time(item.expires_ms)}" if item.expires_ms is not None else ""
    until += f", {ago((now_ms - (item.expires_ms or 0)) / 1000)} past" if item.is_overdue(now_ms) else ""
    since = f", since {date_time(item.since_ms)}" if item.since_ms is not None else ""
    undo = f"; undo: {item.undo}" if item.undo else ""
    return f"  {item.kind}: {item.text} ({item.owner or 'nobody known'}{since}{until}){undo}"


def _alert_line(alert: AlertRow) -> str:
    seen = f"seen by {alert.acknowledged_by}" if alert.acknowledged_by else "seen by nobody"
    return f"  {alert.severity}  {alert.name} since {date_time(alert.began_ms)}: {alert.text} ({seen})"
