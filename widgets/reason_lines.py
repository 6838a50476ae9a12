"""What is wrong, worst first, in words; whose it is; what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.model.states import State
from console.model.views import HealthView, Reason, Verdict
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, cut, ends
from widgets.words import when

_INDENT = "     "
_FILLS = "The console starts a collector: values in seconds. If not: radar doctor."
_SINCE = re.compile(r"(.*\S)( since [^()]{1,30} \([^()]{1,60}\))")


def reason_lines(view: HealthView, width: int, room: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """At most `room` lines: the reasons with what began just before, then the verdict and the next steps."""
    verdict = view.verdict
    if verdict is None:
        return _never_judged(view, width, glyphs)
    if not verdict.reasons:
        return [_well(view, verdict, width, glyphs), *_closing(verdict, 0, width, glyphs)]
    shown, causes = _shares(verdict.reasons, room - 1)
    lines: list[Line] = []
    for index, reason in enumerate(verdict.reasons[:shown]):
        told = _reason(reason, "" if lines else "WHY", width, now_ms, glyphs)
        lines += told if index in causes else told[:1]
    return [*lines, *_closing(verdict, len(verdict.reasons) - shown, width, glyphs)]


def _shares(reasons: Sequence[Reason], room: int) -> tuple[int, set[int]]:
    """How many reasons are shown, and which with their cause: the first's before a further reason, others' after."""
    first = 1 if reasons[0].cause is not None and room > 1 else 0
    shown = min(len(reasons), room - first)
    spare = room - first - shown
    others = [index for index, reason in enumerate(reasons[:shown]) if index > 0 and reason.cause is not None]
    return shown, {*([0] if first else []), *others[:spare]}


def _never_judged(view: HealthView, width: int, glyphs: Glyphs) -> list[Line]:
    polls = view.header.collector.alive
    words = "Nothing is judged yet: the first round is being polled." if polls else "Nothing was ever polled here."
    fills = "Values stand here after it, in a few seconds." if polls else _FILLS
    glyph = Span(f"{glyphs.state[State.UNKNOWN]} ", STATE_TONES[State.UNKNOWN])
    return [cut([Span(" WHY ", "head"), glyph, Span(words)], width), cut([Span(f"{_INDENT}  {fills}", "dim")], width)]


def _well(view: HealthView, verdict: Verdict, width: int, glyphs: Glyphs) -> Line:
    header = view.header
    glyph = Span(f"{glyphs.state[verdict.state]} ", STATE_TONES[verdict.state])
    polled = f"{header.sources - header.sources_late} of {header.sources} sources answer in time"
    words = "Nothing is wrong" if verdict.state is State.HEALTHY else "No finding"
    return cut([Span(" WHY ", "head"), glyph, Span(words, "strong"), Span(f": {polled}.", "text")], width)


def _reason(reason: Reason, label: str, width: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    tone = STATE_TONES[reason.state]
    begin = [Span(f" {label:<4}", "head"), Span(f"{glyphs.state[reason.state]} ", tone)]
    text = reason.text.removeprefix(f"{reason.component}: ")
    told, tail_text = _parted(text, reason, now_ms)
    tail = [Span(tail_text, "dim")]
    words = [Span(reason.component, "strong"), Span(f": {told}")]
    # The words may be cut, since when and from where may not.
    first = _kept(begin, words, tail, width, glyphs)
    if reason.cause is None:
        return [first]
    cause = [Span(f"{_INDENT}  "), Span(reason.cause, "text")]
    return [first, cut(cause, width, glyphs.ellipsis)]


def _parted(text: str, reason: Reason, now_ms: int) -> tuple[str, str]:
    """What is wrong; since when and from where, as the text says itself or as the reason does."""
    if found := _SINCE.fullmatch(text):
        return found[1], found[2]
    since = "" if reason.since_ms is None else f" since {when(reason.since_ms, now_ms)}"
    return text, f"{since} ({reason.origin.value})"


def _kept(begin: list[Span], words: list[Span], tail: list[Span], width: int, glyphs: Glyphs) -> Line:
    room = width - sum(len(span.text) for span in (*begin, *tail))
    body = cut(words, max(0, room), glyphs.ellipsis)
    if body and not body[-1].text.strip():
        return cut([*begin, *body[:-1], *tail], width, glyphs.ellipsis)
    return cut([*begin, *body, *tail], width, glyphs.ellipsis)


def _closing(verdict: Verdict, hidden: int, width: int, glyphs: Glyphs) -> list[Line]:
    """`NEXT` with the steps, and at the right whose it is."""
    tone: Tone = "warn" if verdict.whose in ("vendor", "bastion") else "dim"
    left: list[Span] = []
    if hidden:
        left.append(Span(f"{_INDENT}{glyphs.ellipsis}and {hidden} more  ", "dim"))
    if verdict.next_steps:
        left += [Span(" NEXT ", "head"), Span("   ".join(verdict.next_steps), "text")]
    right = [Span(f"{verdict.whose_words} ", tone)] if verdict.whose_words else []
    if not left and not right:
        return []
    return [ends(left, right, width, glyphs.ellipsis)] if right else [cut(left, width, glyphs.ellipsis)]
