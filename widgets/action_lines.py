"""The journal as lines: what is open, what is due, what was not delivered, what was done. Open ones first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from console.model.action_views import ActionsView, DeliveryRow, DueRow, RunRow
from console.model.states import State
from console.model.words import counted
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, backed, blank, cut, fit
from widgets.run_lines import OUTCOMES, is_open, took_words
from widgets.words import DAY_S, age, day, duration, full, when

WIDE = 120
_FAILING = ("failed", "unknown", "dropped")
_BY = 16
_TOOK = 6
_STATE = 12
_SOON_MS = 300_000

Row = tuple[Line, str | None]
"""A line, and its key when it can be selected."""


class Sheet(NamedTuple):
    """The room, the moment that ages are told for, the signs, the selected line."""

    width: int
    now_ms: int
    glyphs: Glyphs
    selected: str | None


def action_rows(view: ActionsView, sheet: Sheet) -> list[Row]:
    """All lines of the page."""
    open_runs = [run for run in view.runs if is_open(run)]
    done = [run for run in view.runs if not is_open(run)]
    waiting = [due for due in view.due if due.state in ("waiting", "taken")]
    past = [due for due in view.due if due.state == "missed"]
    failing = [delivery for delivery in view.deliveries if delivery.state in _FAILING]
    blocks = [
        _block("OPEN", [_run(run, sheet) for run in open_runs], sheet, right=_heads(sheet, "")),
        _block("DUE", [_due(due, sheet) for due in (*waiting, *past)], sheet),
        _block("NOT DELIVERED", [_delivery(each, sheet) for each in failing], sheet),
        _block("DONE", [_run(run, sheet) for run in done], sheet, right=_heads(sheet, "TOOK")),
    ]
    rows = [row for block in blocks if block for row in (*block, (blank(sheet.width), None))]
    return rows[:-1] if rows else _empty(sheet)


def _empty(sheet: Sheet) -> list[Row]:
    words = [
        Span(" Nothing was done by this console yet, and nothing is due."),
        Span(" Each action that is confirmed stands here with its steps, its reason and who did it.", "dim"),
        Span(" a on Health, or a name in the palette (:), opens a plan. Opening one changes nothing.", "dim"),
    ]
    return [(cut([span], sheet.width, sheet.glyphs.ellipsis), None) for span in words]


def _heads(sheet: Sheet, took: str) -> str:
    by = "BY" if sheet.width >= WIDE else ""
    return f"{fit(took, _TOOK, 'right')}  {fit(by, _BY if by else 0)}{'  ' if by else ''}BEGAN{' ' * (_at(sheet) - 5)}"


def _block(head: str, entries: Sequence[list[Row]], sheet: Sheet, right: str = "") -> list[Row]:
    if not entries:
        return []
    count = f" {len(entries)}"
    line = [Span(f" {head}{count}", "head")]
    if right:
        gap = sheet.width - len(head) - len(count) - 1 - len(right) - 1
        line.append(Span(f"{' ' * max(1, gap)}{right} ", "head"))
    return [(cut(line, sheet.width), None), *(row for entry in entries for row in entry)]


def _selected(line: Line, key: str, sheet: Sheet) -> Line:
    """The line, behind a bar and on the ground of what is selected where it is."""
    if key != sheet.selected:
        return line
    first, *rest = line
    return backed((Span(sheet.glyphs.bar, "accent"), first._replace(text=first.text[1:]), *rest), "selected")


def _run(run: RunRow, sheet: Sheet) -> list[Row]:
    """Glyph, outcome, number and title; how long it took, by whom, when. Of one that ended badly, why."""
    state, _ = OUTCOMES[run.outcome]
    tone: Tone = "text" if state is State.HEALTHY else STATE_TONES[state]
    wide = sheet.width >= WIDE
    by = f"{fit(run.operator, _BY, ellipsis=sheet.glyphs.ellipsis)}  " if wide else ""
    length = "" if is_open(run) else took_words(((run.ended_ms or run.began_ms) - run.began_ms) / 1000)
    took = f"{fit(length, _TOOK, 'right')}  {by}"
    right = f"{took}{fit(_began(run, sheet), _at(sheet))} "
    left = [
        Span(f" {sheet.glyphs.state[state]} ", STATE_TONES[state]),
        Span(fit(run.outcome, _STATE), tone),
        Span(f"{run.id:>4}  ", "dim"),
    ]
    room = sheet.width - sum(len(span.text) for span in left) - len(right) - 1
    title = Span(
        fit(run.title, room, ellipsis=sheet.glyphs.ellipsis), "strong" if run.token == sheet.selected else "text"
    )
    key = f"run:{run.token}"
    rows: list[Row] = [(_selected(cut([*left, title, Span(f" {right}", "dim")], sheet.width), key, sheet), key)]
    why = run.words if run.outcome not in ("done", "running") and run.words else run.reason
    told = f"{'' if wide else f'{run.operator}: '}{why}"
    if told.strip() and (is_open(run) or run.outcome != "done" or wide):
        rows.append((cut([Span(" " * 21), Span(told, "dim")], sheet.width, sheet.glyphs.ellipsis), None))
    return rows


def _at(sheet: Sheet) -> int:
    return 12 if sheet.width >= WIDE else 6


def _began(run: RunRow, sheet: Sheet) -> str:
    """How long ago up to a day, then the date; where there is room the time of day."""
    if sheet.width >= WIDE:
        return when(run.began_ms, sheet.now_ms)
    recent = sheet.now_ms - run.began_ms < DAY_S * 1000
    return age(sheet.now_ms, run.began_ms) if recent else day(run.began_ms)


def _due(due: DueRow, sheet: Sheet) -> list[Row]:
    """What will be done, in how long, by whom it was planned."""
    left_ms = due.due_ms - sheet.now_ms
    tone: Tone = "warn" if left_ms < _SOON_MS else "text"
    count = f"in {duration(left_ms / 1000)}" if left_ms > 0 else "now"
    if due.state == "missed":
        count, tone = "missed", "bad"
    elif due.state == "taken":
        count, tone = "begun", "text"
    moment = full(due.due_ms) if sheet.width >= WIDE else f"{when(due.due_ms, sheet.now_ms)} UTC"
    spans = [
        Span("   "),
        Span(fit(count, _STATE), tone),
        Span(f"{due.id:>4}  ", "dim"),
        Span(due.title),
        Span(f"  {moment}, {due.operator}: {due.reason}", "dim"),
    ]
    key = f"due:{due.id}"
    return [(_selected(cut(spans, sheet.width, sheet.glyphs.ellipsis), key, sheet), key)]


def _delivery(each: DeliveryRow, sheet: Sheet) -> list[Row]:
    """Which message reached which channel not, and why."""
    tone: Tone = "unknown" if each.state == "unknown" else "warn"
    state = State.UNKNOWN if each.state == "unknown" else State.DEGRADED
    tried = f"{counted(each.attempts, 'try', 'tries')}, {when(each.changed_ms, sheet.now_ms)}"
    spans = [
        Span(f" {sheet.glyphs.state[state]} ", tone),
        Span(fit(each.state, _STATE), tone),
        Span(f"{each.channel}  ", "strong"),
        Span(each.title),
        Span(f"  {each.words} ({tried})", "dim"),
    ]
    return [(cut(spans, sheet.width, sheet.glyphs.ellipsis), None)]


def selectable(rows: Iterable[Row]) -> list[tuple[int, str]]:
    """Line number and key of the rows that can be selected."""
    return [(y, key) for y, (_, key) in enumerate(rows) if key is not None]
