"""One deployment or one run with every fact that is known of it, and the end of its log when somebody asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.model.deployment_rules import PRODUCTION, eligible_words, served_s
from console.model.deployments import CiRunRow, DeploymentRow
from console.model.inquiries import LogEnd, LogLine
from console.model.observation import Origin
from console.model.pipeline import failing, run_duration_s, run_state, run_words, under_way
from widgets.deployment_lines import SIGNS, deployment_state, effect_tone, effect_value, sign, took_words
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, Tone, blank, choosable, cut, fit, wrap
from widgets.words import age, clock, duration, full

Row = tuple[Line, str | None]
Fact = tuple[str, str]
Log = LogEnd | str | None
"""The end of a log; in words why there is none, or that it is being read; None: nobody asked."""
READING = "reading"
_NAME = 14
_FIGURE = 8
"""Narrower than a name: beside two figures and their origin there are 44 cells at 180 columns."""
_LEAST_LOG = 5
"""So many lines of a log are laid out however little room there is."""


def deployment_rows(
    row: DeploymentRow, width: int, now_ms: int, glyphs: Glyphs, log: Log, key: str, height: int | None = None
) -> list[Row]:
    """A deployment in full. `key` reads its log; of that so much of the end is shown as `height` lines hold."""
    glyph, word, tone = deployment_state(row, glyphs)
    title = [Span(f" {row.short}", "strong"), Span(f"  {glyph} ".replace("    ", "  "), tone), Span(word, tone)]
    lines = [cut(title, width, glyphs.ellipsis), *_text(row.message or "no commit message", width), blank(width)]
    lines += _facts(_deployment_facts(row, now_ms), width)
    lines += [blank(width), *_effect_lines(row, width)]
    lines.append(blank(width))
    room = None if height is None else height - len(lines)
    lines += _log_lines("BUILD LOG", log, Sheet(width, now_ms, glyphs, key), room)
    return [(line, None) for line in lines]


def run_rows(
    run: CiRunRow,
    width: int,
    now_ms: int,
    glyphs: Glyphs,
    log: Log,
    key: str,
    selected: str | None,
    height: int | None = None,
) -> list[Row]:
    """A run with its ten stages; those with a job can be selected by `stage:NAME`. `height`: see `deployment_rows`."""
    state = run_state(run)
    tone: Tone = SIGNS[state][2] if state != "passed" else "good"
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    title = [Span(f" run #{run.number}{attempt}", "strong"), Span("  "), Span(run_words(run), tone)]
    rows: list[Row] = [(line, None) for line in (cut(title, width, glyphs.ellipsis), *_text(run.title, width))]
    rows += [(blank(width), None), *_stage_rows(run, width, glyphs, selected), (blank(width), None)]
    stage = log_stage(run, selected)
    of = f" of {stage}" if stage else ""
    rest = [*_facts(_run_facts(run, now_ms), width), blank(width)]
    room = None if height is None else height - len(rows) - len(rest)
    rest += _log_lines(f"LOG{of.upper()}", log, Sheet(width, now_ms, glyphs, key), room)
    return [*rows, *((line, None) for line in rest)]


def log_stage(run: CiRunRow, selected: str | None) -> str | None:
    """The stage whose log is meant: the selected one, else that which failed, runs, or was the last with a job."""
    chosen = next((cell for cell in run.stages if f"stage:{cell.name}" == selected), None)
    with_job = [cell for cell in run.stages if cell.job_id is not None and cell.state not in ("skipped", "waiting")]
    found = chosen or failing(run) or under_way(run) or (with_job[-1] if with_job else None)
    return found.name if found is not None else None


def job_of(run: CiRunRow, stage: str | None) -> int | None:
    """The job whose log is that of a stage."""
    return next((cell.job_id for cell in run.stages if cell.name == stage), None)


def _stage_rows(run: CiRunRow, width: int, glyphs: Glyphs, selected: str | None) -> list[Row]:
    head = f" {fit('STAGE', 23)}{fit('STATE', 11)}{fit('TOOK', 6, 'right')}  STEP"
    rows: list[Row] = [(cut([Span(head, "head")], width), None)]
    for cell in run.stages:
        key = f"stage:{cell.name}" if cell.job_id is not None else None
        marked = key is not None and key == selected
        tone = SIGNS[cell.state][2]
        loud: Tone = tone if cell.state in ("failed", "running", "cancelled", "unknown") else "text"
        quiet: Tone = "dim" if cell.state in ("absent", "skipped", "waiting") else loud
        spans = [
            Span(fit(cell.name, 23), quiet if quiet == "dim" else "text"),
            Span(f"{sign(cell.state, glyphs)} ", tone),
            Span(fit(cell.state, 9), quiet),
            Span(fit(took_words(cell.duration_s) if cell.duration_s is not None else "", 6, "right"), "dim"),
            Span(f"  {cell.failing_step or cell.words}", "bad" if cell.failing_step else "dim"),
        ]
        rows.append((choosable(spans, width, marked=marked, bar=glyphs.bar, ellipsis=glyphs.ellipsis), key))
    return rows


def _deployment_facts(row: DeploymentRow, now_ms: int) -> list[Fact]:
    facts = [("target", row.target or "preview"), ("state", row.state)]
    if row.error:
        facts.append(("error", row.error))
    facts += [("made", _moment(row.created_ms, now_ms)), ("live", _live(row, now_ms))]
    if row.note:
        facts.append(("note", row.note))
    if row.amiss:
        facts.append(("amiss", row.amiss))
    if not row.current and (row.target == PRODUCTION or row.candidate):
        facts.append(("go back", eligible_words(row)))
    facts += [("author", row.author or "unknown"), ("branch", row.branch or "unknown"), ("id", row.id)]
    return [*facts, *([("url", row.url)] if row.url else [])]


def _live(row: DeploymentRow, now_ms: int) -> str:
    if row.live_ms is None:
        return "since when is not known" if row.current else "never, as far as is known"
    served = served_s(row, now_ms)
    last = row.until_ms is not None and row.served_ms is not None and row.served_ms > row.until_ms - row.live_ms
    whole = ", in all for" if last and not row.current else ", for"
    return full(row.live_ms) + (f"{whole} {duration(served)}" if served is not None else "")


def _run_facts(run: CiRunRow, now_ms: int) -> list[Fact]:
    took = run_duration_s(run, now_ms)
    facts = [("began", _moment(run.started_ms, now_ms))]
    facts.append(("took" if not run.active else "has taken", took_words(took)))
    facts += [("commit", (run.commit or "unknown")[:12]), ("branch", run.branch or "unknown")]
    facts += [("by", run.author or "unknown"), ("event", run.event or "unknown")]
    return [*facts, ("id", str(run.id)), *([("url", run.url)] if run.url else [])]


def _moment(at_ms: int | None, now_ms: int) -> str:
    return "unknown" if at_ms is None else f"{full(at_ms)}, {age(now_ms, at_ms)} ago"


def _effect_lines(row: DeploymentRow, width: int) -> list[Line]:
    """Before and after, one figure a line, and why a side is not known; or why there is nothing."""
    known = [effect for effect in row.effects if effect.origin is not Origin.NONE]
    window = _window_words(row.effects[0].window_s if row.effects else 900)
    head = f" {fit('EFFECT', _FIGURE)} {fit(f'{window} BEFORE', 15, 'right')}{fit('AFTER', 11, 'right')}  FROM"
    lines = [cut([Span(head, "head")], width)]
    for effect in known:
        unit = "%" if effect.figure == "errors" else effect.unit
        values = [
            f"{effect_value(effect, each)} {unit}" if each is not None else "?"
            for each in (effect.before, effect.after)
        ]
        spans = [
            Span(f" {fit(effect.figure, _FIGURE)} {fit(values[0], 15, 'right')}"),
            Span(fit(values[1], 11, "right"), effect_tone(effect)),
            Span(f"  {effect.origin.value}", "dim"),
        ]
        lines.append(cut(spans, width))
    if any(effect.by_hours for effect in known):
        lines += _text("by whole hours: of that time no minutes are on record", width, "dim")
    for words in dict.fromkeys(effect.words for effect in known if effect.words):
        lines += _text(f"? {words}", width, "dim")
    return lines if known else [*lines, *_text(_no_effect(row), width, "dim")]


def _window_words(window_s: int) -> str:
    return f"{window_s // 3600} H" if window_s >= 3600 else f"{window_s // 60} MIN"


def _no_effect(row: DeploymentRow) -> str:
    if row.target != PRODUCTION:
        return "told of production only"
    if row.live_ms is None:
        return "it was never live, as far as is known"
    if not row.effects:
        return "told of the 24 newest that were live within the last 60 days"
    words = "; ".join(dict.fromkeys(effect.words for effect in row.effects if effect.words))
    return f"not known: {words or 'too little was measured before and after'}"


class Sheet(NamedTuple):
    """The room, the moment that ages are told for, the signs, and what reads a log."""

    width: int
    now_ms: int
    glyphs: Glyphs
    key: str


def _log_lines(head: str, log: Log, sheet: Sheet, room: int | None) -> list[Line]:
    width, now_ms, glyphs, key = sheet
    if not isinstance(log, LogEnd):
        words = log or f"{key} reads its end" if key else "its end is read from the console"
        told = "reading its end; esc gives up" if log == READING else words
        return [cut([Span(f" {head}", "head")], width), *_text(told, width, "dim")]
    where = f"{log.source}, read {age(now_ms, log.read_ms)} ago"
    lines = [cut([Span(f" {head}", "head"), Span(f"  {where}", "dim")], width, glyphs.ellipsis)]
    if log.left_off:
        lines += _text(log.left_off, width, "dim")
    if not log.lines:
        return [*lines, *_text("it is empty", width, "dim")]
    rows = [row for line in log.lines for row in _log_line(line, width)]
    return [*lines, *(rows if room is None else rows[-max(_LEAST_LOG, room - len(lines)) :])]


def _log_line(line: LogLine, width: int) -> list[Line]:
    """Whole, on as many lines as it needs: what failed is often told at the end of a long one."""
    stamp = f" {clock(line.at_ms, seconds=True)} " if line.at_ms is not None else " " * 10
    tone: Tone = "bad" if line.wrong else "text"
    rows = wrap(line.text, max(10, width - len(stamp)))
    return [
        cut([Span(stamp if index == 0 else " " * len(stamp), "dim"), Span(row, tone)], width)
        for index, row in enumerate(rows)
    ]


def _text(words: str, width: int, tone: Tone = "text") -> list[Line]:
    return [cut([Span(f" {row}", tone)], width) for row in wrap(words, width - 2)]


def _facts(facts: Sequence[Fact], width: int) -> list[Line]:
    lines = []
    for name, value in facts:
        for index, row in enumerate(wrap(value, max(10, width - _NAME - 3))):
            lines.append(cut([Span(f" {fit(name if index == 0 else '', _NAME)} ", "dim"), Span(row)], width))
    return lines
