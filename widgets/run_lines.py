"""A run as lines: how it ended or stands, each step, who was not told, what is open now; as the journal says."""

from __future__ import annotations

from typing import NamedTuple

from console.model.action_views import RunRow, RunView, StepRow
from console.model.actions import OPEN_OUTCOMES, RunOutcome, StepKind, StepOutcome
from console.model.states import State
from console.model.words import counted
from widgets.bars import item_title
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, blank, cut, ends, width_of, wrap
from widgets.words import clock, duration

OUTCOMES: dict[RunOutcome, tuple[State, str]] = {
    RunOutcome.DONE: (State.HEALTHY, "done"),
    RunOutcome.WORSE: (State.UNHEALTHY, "done, and worse than before"),
    RunOutcome.FAILED: (State.UNHEALTHY, "failed"),
    RunOutcome.NOT_DONE: (State.NOT_CONFIGURED, "not done: nothing was changed"),
    RunOutcome.CLOSED: (State.NOT_CONFIGURED, "closed by hand"),
    RunOutcome.RUNNING: (State.STALE, "running"),
    RunOutcome.UNKNOWN: (State.UNKNOWN, "unknown whether it was done"),
    RunOutcome.INTERRUPTED: (State.UNKNOWN, "interrupted"),
}
_STEPS: dict[StepOutcome, tuple[State, str]] = {
    StepOutcome.DONE: (State.HEALTHY, "done"),
    StepOutcome.FAILED: (State.UNHEALTHY, "failed"),
    StepOutcome.UNKNOWN: (State.UNKNOWN, "unknown"),
    StepOutcome.SKIPPED: (State.NOT_CONFIGURED, "left out"),
}
_THE_RUN = ("interrupted", "unknown", "running")
"""Kinds of open items that are a run itself."""
_LABEL = 13
_NUMBER = 7


class Keys(NamedTuple):
    """What the page calls its keys."""

    undo: str = "u"
    resume: str = "R"
    close: str = "c"


_KEYS = Keys()


def is_open(run: RunRow) -> bool:
    """Whether it is not at its end."""
    return run.outcome in OPEN_OUTCOMES


def can_undo(view: RunView) -> bool:
    """Whether there is something to undo, and a way: it is at its end, and a step that changes something was done."""
    if view.run is None or view.plan is None or view.plan.undo_request is None or is_open(view.run):
        return False
    kinds = {step.key: step.kind for step in view.plan.steps}
    changing = (StepKind.CHANGE, StepKind.RECORD)
    return any(step.outcome is StepOutcome.DONE and kinds.get(step.key) in changing for step in view.steps)


def run_rows(view: RunView, width: int, now_ms: int, glyphs: Glyphs, keys: Keys = _KEYS) -> list[Line]:
    """All lines of the page."""
    run = view.run
    if run is None:
        return [cut([Span(" This run is not in the journal.")], width)]
    lines = [_title(run, width, glyphs), *_about(run, width), blank(width)]
    lines += [*_standing(view, run, width, now_ms, glyphs, keys), blank(width)]
    lines.append(ends([Span(" STEPS", "head")], [Span(_times(view, run, now_ms), "head")], width))
    for number, step in enumerate(view.steps, 1):
        lines += _step(number, step, run, width, now_ms, glyphs)
    lines += _untold(view, width)
    lines += _open_now(view, run, width, glyphs)
    return lines


def _title(run: RunRow, width: int, glyphs: Glyphs) -> Line:
    state, _ = OUTCOMES[run.outcome]
    right = [Span(f"{glyphs.state[state]} {run.outcome} ", STATE_TONES[state])]
    return ends([Span(f" RUN {run.id}  ", "head"), Span(run.title, "strong")], right, width, glyphs.ellipsis)


def _about(run: RunRow, width: int) -> list[Line]:
    by = f"{run.operator}, {run.authority}, {clock(run.began_ms, seconds=True)} UTC"
    rows = [row for text in (by, run.reason) if text for row in wrap(text, width - _LABEL - 1)]
    heads = ["BY", *[""] * (len(wrap(by, width - _LABEL - 1)) - 1), "REASON"]
    return [
        cut([Span(f" {head:<{_LABEL - 1}}", "head"), Span(row)], width)
        for head, row in zip([*heads, *[""] * len(rows)], rows, strict=False)
    ]


def _standing(view: RunView, run: RunRow, width: int, now_ms: int, glyphs: Glyphs, keys: Keys) -> list[Line]:
    """How it ended or stands, in words, and what can be done about it now."""
    state, words = OUTCOMES[run.outcome]
    tone: Tone = "strong" if run.outcome is RunOutcome.DONE else STATE_TONES[state]
    told = [_sentence(words), *([_sentence(run.words)] if run.words else [])]
    if run.words and (run.outcome is RunOutcome.DONE or "worse" in run.words):
        told = told[1:]
    if run.outcome is RunOutcome.RUNNING:
        told = [_waited_for(view)]
        tone = "text"
    elif run.outcome is RunOutcome.INTERRUPTED:
        told.append("Its runner is gone before the end: what stands below is all that was written.")
    lines = [
        cut([Span(f" {glyphs.state[state] if at == 0 else ' '} ", STATE_TONES[state]), Span(row, tone)], width)
        for at, row in enumerate(wrap(" ".join(told), width - 4))
    ]
    for key, what in _offers(view, run, keys):
        lines.append(cut([Span("   "), Span(key, "accent"), Span(f" {what}")], width, glyphs.ellipsis))
    return lines


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


def _waited_for(view: RunView) -> str:
    at = next((step for step in view.steps if step.outcome is StepOutcome.INTENDED), None)
    if at is None:
        return "It is under way; the next step has not begun."
    return f"It is under way: {at.words}{': ' + at.said if at.said else ''}."


def _offers(view: RunView, run: RunRow, keys: Keys) -> list[tuple[str, str]]:
    if run.outcome in (RunOutcome.INTERRUPTED, RunOutcome.UNKNOWN):
        return [
            (keys.resume, "go on: the remote state is read first, then a plan of the rest is shown"),
            (keys.close, "close it by hand, with a reason: where nobody can go on with it"),
        ]
    if can_undo(view):
        what = "undo what was done" if run.outcome is RunOutcome.FAILED else "undo it"
        return [(keys.undo, f"{what}: {run.undo or (view.plan.undo if view.plan else '')}")]
    if run.outcome is RunOutcome.RUNNING:
        return [("esc", "leaves this page; the run goes on without it")]
    return []


def _times(view: RunView, run: RunRow, now_ms: int) -> str:
    expected_s = view.plan.expected_s if view.plan else sum(step.expected_s for step in view.steps)
    end_ms = run.ended_ms if run.ended_ms is not None else now_ms
    took = took_words((end_ms - run.began_ms) / 1000)
    if run.outcome in (RunOutcome.INTERRUPTED, RunOutcome.UNKNOWN):
        return f"begun {took} ago "
    return f"{'took ' if run.ended_ms is not None else ''}{took}, expected {took_words(expected_s)} "


def took_words(seconds: float) -> str:
    """`<1 s`, `4 s`, `3 m`: a length of time that is over."""
    return "<1 s" if seconds < 1 else f"{seconds:.0f} s" if seconds < 120 else duration(seconds)


def _step(number: int, step: StepRow, run: RunRow, width: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """Glyph, number, words, outcome and time; below it what came of it, or the call that is under way."""
    sign, word, tone = _outcome(step, run, glyphs)
    took = _took(step, run, now_ms)
    right = [Span(f"{word}", tone), Span(f"{took:>7} ", "dim")]
    ink: Tone = "dim" if step.outcome is None else "text"
    lines = [
        ends(
            [Span(f"  {sign} ", tone), Span(f"{number:>2} ", "dim"), Span(step.words, ink)],
            right,
            width,
            glyphs.ellipsis,
        )
    ]
    said = step.said or (step.call if step.outcome in (StepOutcome.INTENDED, StepOutcome.UNKNOWN) else "")
    strong: Tone = "text" if step.outcome in (StepOutcome.FAILED, StepOutcome.UNKNOWN) else "dim"
    if said and said != step.words:
        lines += [cut([Span(" " * _NUMBER), Span(row, strong)], width) for row in wrap(said, width - _NUMBER - 1)]
    return lines


def _outcome(step: StepRow, run: RunRow, glyphs: Glyphs) -> tuple[str, str, Tone]:
    """Sign, word, tone. A step that was begun is under way only while somebody is known to be at it."""
    if step.outcome is None:
        return glyphs.strip[State.HEALTHY], "not begun", "dim"
    if step.outcome is StepOutcome.INTENDED:
        if run.outcome is RunOutcome.RUNNING:
            return glyphs.state[State.STALE], "under way", "strong"
        return glyphs.state[State.UNKNOWN], "begun, end unknown", "unknown"
    state, word = _STEPS[step.outcome]
    if step.outcome is StepOutcome.FAILED and not step.required:
        return glyphs.state[State.DEGRADED], "failed, the rest went on", "warn"
    return glyphs.state[state], word, STATE_TONES[state]


def _took(step: StepRow, run: RunRow, now_ms: int) -> str:
    if step.began_ms is None or step.outcome is None:
        return ""
    if step.ended_ms is None and run.outcome is not RunOutcome.RUNNING:
        return "?"
    return took_words(((step.ended_ms if step.ended_ms is not None else now_ms) - step.began_ms) / 1000)


def _untold(view: RunView, width: int) -> list[Line]:
    """People who were not told, since a step that may fail did."""
    failed = [
        step for step in view.steps if not step.required and step.outcome in (StepOutcome.FAILED, StepOutcome.UNKNOWN)
    ]
    if not failed:
        return []
    words = f"{counted(len(failed), 'step')} of telling people did not succeed: tell them yourself"
    return [blank(width), cut([Span(" NOT TOLD   ", "head"), Span(words, "warn")], width)]


def _open_now(view: RunView, run: RunRow, width: int, glyphs: Glyphs) -> list[Line]:
    """What somebody must undo now, from the ledger, and what the plan said would be different."""
    items = [item for item in view.header.open_items if item.run == run.token and item.kind not in _THE_RUN]
    texts = [(item_title(item), item.undo) for item in items]
    lines: list[Line] = [blank(width)]
    for index, (text, undo) in enumerate(texts):
        head = " OPEN NOW" if index == 0 else ""
        begin = [Span(f"{head:<{_LABEL}}", "head"), Span(text, "warn")]
        end = [Span(f"   ends by: {undo}", "dim")] if undo else []
        if width_of([*begin, *end]) < width:
            lines.append(cut([*begin, *end], width))
            continue
        lines.append(cut(begin, width, glyphs.ellipsis))
        lines.append(cut([Span(" " * _LABEL), Span(f"ends by: {undo}", "dim")], width, glyphs.ellipsis))
    if not texts and not is_open(run):
        lines.append(
            cut([Span(f"{' OPEN NOW':<{_LABEL}}", "head"), Span("nothing that somebody must undo", "dim")], width)
        )
    done = run.outcome in (RunOutcome.DONE, RunOutcome.WORSE)
    rows = [
        row for text in (view.plan.afterwards if view.plan and done else ()) for row in wrap(text, width - _LABEL - 1)
    ]
    heads = [" AFTERWARDS", *[""] * len(rows)]
    lines += [
        cut([Span(f"{head:<{_LABEL}}", "head"), Span(row)], width) for head, row in zip(heads, rows, strict=False)
    ]
    return lines
