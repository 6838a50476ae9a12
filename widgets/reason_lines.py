"""What is wrong, worst first, in words; whose it is; what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from console.model.states import State
from console.model.views import HealthView, Reason, Verdict
from console.model.words import counted, listed, window_words
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, cut, ends, width_of, wrap
from widgets.words import age, when

_INDENT = "     "
_LEAD = 7
"""Cells before the words of a reason: label, glyph."""
_FILLS = "The console starts a collector: values in seconds. If not: radar doctor."
_FIRST_ROWS = 3
_ALL_ROWS = 99
ALL = "W"
"""The key that leads to all reasons."""


class _Look(NamedTuple):
    """What all lines are drawn with."""

    width: int
    now_ms: int
    glyphs: Glyphs
    act_key: str = ""
    """Opens the plan of what is suggested; empty: nothing does."""

    def line(self, *spans: Span) -> Line:
        return cut(spans, self.width, self.glyphs.ellipsis)


def reason_lines(
    view: HealthView, width: int, room: int, now_ms: int, glyphs: Glyphs, all_key: str = ALL, act_key: str = ""
) -> list[Line]:
    """At most `room` lines, one more where the first reason wraps or whose it is one of its own: the reasons with
    what began just before, whose it is and the next steps. `all_key` leads to the reasons that have no room,
    `act_key` to the plan of what is suggested."""
    look = _Look(width, now_ms, glyphs, act_key)
    verdict = view.verdict
    if verdict is None:
        return _never_judged(view, look)
    if not verdict.reasons:
        return [_well(view, verdict, look)]
    whose = _whose(view, verdict, now_ms)
    lines = _laid_out(verdict, room, all_key, look)
    for words in (whose, _shorter(whose)):
        if (placed := _placed(lines, words, width)) is not None:
            return placed
    wraps = len(_reason(verdict.reasons[0], "WHY", look, rows=_FIRST_ROWS)) > 1
    lines = _laid_out(verdict, room - wraps, all_key, look)
    after = len(lines) - len(_closing(verdict, 0, all_key, look))
    return [*lines[:after], look.line(Span(f"{_INDENT}  "), *whose), *lines[after:]]


def whole_reason(reason: Reason, width: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """One reason uncut with its cause, in as many lines as it needs."""
    look = _Look(width, now_ms, glyphs)
    return [*_reason(reason, "", look, rows=_ALL_ROWS), *_cause(reason, look, rows=_ALL_ROWS)]


# --- nothing to tell --------------------------------------------------------------------------------------------------


def _never_judged(view: HealthView, look: _Look) -> list[Line]:
    polls = view.header.collector.alive
    words = "Not judged yet: the first round is being polled." if polls else "Not judged yet: nothing was ever polled."
    fills = "Values stand here after it, in a few seconds." if polls else _FILLS
    glyph = Span(f"{look.glyphs.state[State.UNKNOWN]} ", STATE_TONES[State.UNKNOWN])
    return [look.line(Span(" WHY ", "head"), glyph, Span(words)), look.line(Span(f"{_INDENT}  {fills}", "dim"))]


def _well(view: HealthView, verdict: Verdict, look: _Look) -> Line:
    """No reason is on record: what that means depends on whether anybody still looks, and on what still fires."""
    header = view.header
    if header.state is State.STALE:
        return _not_known(view, verdict, look)
    glyph = Span(f"{look.glyphs.state[verdict.state]} ", STATE_TONES[verdict.state])
    rest = [Span(f": {header.sources - header.sources_late} of {header.sources} sources in time.")]
    words = "Nothing is wrong" if verdict.state is State.HEALTHY else "No finding"
    if over := [row.name for row in view.targets if row.value is not None and row.state is State.DEGRADED]:
        words += " now"
        rest = [Span(f"; {listed(over)} still over the limit in the {window_words(view.targets[0].window_s)} window.")]
    if header.alerts_firing:
        words = words.removesuffix(" now") + " now"
        rest = [Span(f"; {counted(header.alerts_firing, 'alert')} still firing.", "warn")]
    left = [Span(" WHY ", "head"), glyph, Span(words, "strong"), *rest]
    whose = _whose(view, verdict, look.now_ms)
    fitting = [right for right in (whose, _shorter(whose)) if width_of(left) + width_of(right) + 2 < look.width]
    return ends(left, fitting[0], look.width) if fitting else look.line(*left)


def _not_known(view: HealthView, verdict: Verdict, look: _Look) -> Line:
    then = "nothing wrong" if verdict.state is State.HEALTHY else "no finding"
    last = f": last judged {age(look.now_ms, view.verdict_ms)} ago" if view.verdict_ms is not None else ""
    glyph = Span(f"{look.glyphs.state[State.STALE]} ", STATE_TONES[State.STALE])
    return look.line(Span(" WHY ", "head"), glyph, Span("Not known", "strong"), Span(f"{last} (then: {then})."))


# --- reasons ----------------------------------------------------------------------------------------------------------


def _laid_out(verdict: Verdict, room: int, all_key: str, look: _Look) -> list[Line]:
    """The first reason and its cause, then as many others as have room, then other causes, then the closing."""
    reasons = verdict.reasons
    first = _reason(reasons[0], "WHY", look, rows=_FIRST_ROWS)
    room += min(1, len(first) - 1)
    room -= len(first) + len(_closing(verdict, 0, all_key, look))
    cause = _cause(reasons[0], look, rows=2 if room > 2 else 1)[: max(0, room)]
    room -= len(cause)
    shown = 1 + max(0, min(len(reasons) - 1, room))
    lines = [*first, *cause]
    for reason, causes in _others(reasons[1:shown], room - (shown - 1), look):
        lines += [*reason, *causes]
    return [*lines, *_closing(verdict, len(reasons) - shown, all_key, look)]


def _others(reasons: Sequence[Reason], spare: int, look: _Look) -> list[tuple[list[Line], list[Line]]]:
    """Reasons on a line each with their causes; what then is spare shows them uncut."""
    parts: list[tuple[list[Line], list[Line]]] = []
    for reason in reasons:
        cause = _cause(reason, look, rows=1)[: max(0, spare)]
        spare -= len(cause)
        parts.append((_reason(reason, "", look, rows=1), cause))
    for index, reason in enumerate(reasons):
        whole = _reason(reason, "", look, rows=2)
        if len(whole) > 1 and spare > 0:
            spare -= 1
            parts[index] = whole, parts[index][1]
    return parts


def _reason(reason: Reason, label: str, look: _Look, rows: int) -> list[Line]:
    """What, since when and from where, in at most `rows` lines: the words may be cut, the rest may not."""
    begin = [Span(f" {label:<4}", "head"), Span(f"{look.glyphs.state[reason.state]} ", STATE_TONES[reason.state])]
    told, tail = _parted(reason.text.removeprefix(f"{reason.component}: "), reason, look.now_ms)
    words = f"{reason.component}: {told}"
    wrapped = wrap(words + tail, look.width - _LEAD) if rows > 1 else []
    kept: list[str] = []
    if len(wrapped) > 1:
        last = min(rows, len(wrapped)) - 1
        kept, words = wrapped[:last], " ".join(wrapped[last:])
        tail = tail if words.endswith(tail) else ""
        words = words.removesuffix(tail)
    lines: list[Line] = []
    for row in kept:
        lines.append(look.line(*begin, *_named(row, "" if lines else reason.component)))
        begin = [Span(" " * _LEAD)]
    room = look.width - _LEAD - cell_len(tail)
    body = _named(words, "" if lines else reason.component)
    if width_of(body) > room:
        body = list(cut(body, max(0, room), look.glyphs.ellipsis))
    return [*lines, look.line(*begin, *body, Span(tail, "dim"))]


def _named(words: str, name: str) -> list[Span]:
    """The words, the name that they begin with in weight."""
    return [Span(name, "strong"), Span(words.removeprefix(name))] if name else [Span(words)]


def _parted(text: str, reason: Reason, now_ms: int) -> tuple[str, str]:
    """What is wrong; since when and from where, as the text says itself or as the reason does."""
    told, since_word, tail = text.rpartition(" since ")
    if since_word and tail.endswith(")") and " (" in tail:
        return told, since_word + tail
    since = "" if reason.since_ms is None else f" since {when(reason.since_ms, now_ms)}"
    return text, f"{since} ({reason.origin.value})"


def _cause(reason: Reason, look: _Look, rows: int) -> list[Line]:
    if reason.cause is None:
        return []
    begin = Span(" " * _LEAD)
    found = wrap(reason.cause, look.width - _LEAD - 1) if rows > 1 else [reason.cause]
    last = " ".join(found[rows - 1 :])
    return [look.line(begin, Span(row)) for row in [*found[: rows - 1], *([last] if last else [])]]


# --- whose, and what next ---------------------------------------------------------------------------------------------


def _whose(view: HealthView, verdict: Verdict, now_ms: int) -> list[Span]:
    """Whose it is; for a verdict that is no longer kept up, when it was judged."""
    if view.header.state is State.STALE and view.verdict_ms is not None:
        return [Span(f"judged {age(now_ms, view.verdict_ms)} ago, not since ", "warn")]
    tone: Tone = "warn" if verdict.whose in ("vendor", "supabase", "bastion") else "dim"
    words = _named_once(whose_words(verdict), verdict)
    return [Span(f"{words} ", tone)] if words else []


def _named_once(words: str, verdict: Verdict) -> str:
    """Whose it is, without the report that stands among the reasons already."""
    whose, _, report = words.partition(" reports ")
    told = [f"{reason.text} {reason.cause or ''}" for reason in verdict.reasons[:1]]
    return whose if report and any(report[:20] in text for text in told) else words


def whose_words(verdict: Verdict) -> str:
    """Whose fault it is, said: ours, a vendor's or this bastion's; and what that rests on."""
    words = verdict.whose_words
    if verdict.whose == "us" and not words.startswith("ours"):
        return f"ours; {words}" if words else "ours"
    if verdict.whose == "vendor" and not words.startswith("vendor"):
        return f"vendor: {words}"
    if verdict.whose == "bastion" and "this bastion" not in words:
        return f"this bastion; {words}" if words else "this bastion"
    return words


def _shorter(whose: list[Span]) -> list[Span]:
    """The same where the whole has no room beside a reason."""
    return [span._replace(text=span.text.replace("vendors: none reporting", "vendors silent")) for span in whose]


def _placed(lines: list[Line], right: list[Span], width: int) -> list[Line] | None:
    """The lines with `right` at the end of the last one that has room for it; None: none has."""
    if not right:
        return lines
    for index in reversed(range(len(lines))):
        left = list(lines[index])
        if left and not left[-1].text.strip():
            left.pop()
        if width_of(left) + width_of(right) + 2 < width:
            return [*lines[:index], ends(left, right, width), *lines[index + 1 :]]
    return None


def _closing(verdict: Verdict, hidden: int, all_key: str, look: _Look) -> list[Line]:
    """How many reasons have no room, and `NEXT` with the steps; a second line where they are long."""
    left: list[Span] = []
    if hidden:
        left = [
            Span(f"{_INDENT}{look.glyphs.ellipsis}and {hidden} more ", "dim"),
            Span(all_key, "accent"),
            Span(" all  ", "dim"),
        ]
    if verdict.next_steps:
        left.append(Span("NEXT " if hidden else f"{_INDENT}NEXT ", "head"))
    lines: list[Line] = []
    for index, step in enumerate(verdict.next_steps):
        gap = "   " if index else ""
        if index and width_of(left) + width_of([Span(gap + step)]) >= look.width and not lines:
            lines.append(look.line(*left))
            left, gap = [Span(f"{_INDENT}     ")], ""
        key = look.act_key if index == 0 and verdict.suggested else ""
        left += [Span(gap), Span(f"{key} ", "accent"), Span(step)] if key else [Span(gap + step)]
    return [*lines, look.line(*left)] if left else lines
