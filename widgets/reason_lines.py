"""What is wrong, worst first, in words; whose it is; what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.states import State
from console.model.views import HealthView, Reason, Verdict
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, cut, ends, width_of
from widgets.words import age, when

_INDENT = "     "
_FILLS = "The console starts a collector: values in seconds. If not: radar doctor."


def reason_lines(view: HealthView, width: int, room: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """At most `room` lines: the reasons with what began just before, then the verdict and the next steps."""
    verdict = view.verdict
    if verdict is None:
        return _never_judged(view, width, glyphs)
    if not verdict.reasons:
        return [_well(view, verdict, width, now_ms, glyphs)]
    whose = _whose(view, verdict, now_ms)
    closing = _closing(verdict, whose, 0, width, glyphs)
    shown, causes = _shares(verdict.reasons, room - len(closing))
    lines: list[Line] = []
    for index, reason in enumerate(verdict.reasons[:shown]):
        told = _reason(reason, "" if lines else "WHY", width, now_ms, glyphs)
        lines += told if index in causes else told[:1]
    return [*lines, *_closing(verdict, whose, len(verdict.reasons) - shown, width, glyphs)]


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


def _well(view: HealthView, verdict: Verdict, width: int, now_ms: int, glyphs: Glyphs) -> Line:
    header = view.header
    glyph = Span(f"{glyphs.state[verdict.state]} ", STATE_TONES[verdict.state])
    polled = f"{header.sources - header.sources_late} of {header.sources} sources in time"
    words = "Nothing is wrong" if verdict.state is State.HEALTHY else "No finding"
    left = [Span(" WHY ", "head"), glyph, Span(words, "strong"), Span(f": {polled}.", "text")]
    return ends(left, _whose(view, verdict, now_ms), width, glyphs.ellipsis)


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
    told, since_word, tail = text.rpartition(" since ")
    if since_word and tail.endswith(")") and " (" in tail:
        return told, since_word + tail
    since = "" if reason.since_ms is None else f" since {when(reason.since_ms, now_ms)}"
    return text, f"{since} ({reason.origin.value})"


def _kept(begin: list[Span], words: list[Span], tail: list[Span], width: int, glyphs: Glyphs) -> Line:
    room = width - sum(len(span.text) for span in (*begin, *tail))
    body = cut(words, max(0, room), glyphs.ellipsis)
    if body and not body[-1].text.strip():
        return cut([*begin, *body[:-1], *tail], width, glyphs.ellipsis)
    return cut([*begin, *body, *tail], width, glyphs.ellipsis)


def _whose(view: HealthView, verdict: Verdict, now_ms: int) -> list[Span]:
    """Whose it is; for a verdict that is no longer kept up, when it was judged."""
    if view.header.state is State.STALE and view.verdict_ms is not None:
        return [Span(f"judged {age(now_ms, view.verdict_ms)} ago, not since ", "warn")]
    tone: Tone = "warn" if verdict.whose in ("vendor", "supabase", "bastion") else "dim"
    return [Span(f"{verdict.whose_words} ", tone)] if verdict.whose_words else []


def _closing(verdict: Verdict, right: list[Span], hidden: int, width: int, glyphs: Glyphs) -> list[Line]:
    """`NEXT` with the steps, and whose it is: at the right, or on a line of its own where it is long."""
    left: list[Span] = [Span(f"{_INDENT}{glyphs.ellipsis}and {hidden} more  ", "dim")] if hidden else []
    if verdict.next_steps:
        left += [Span(" NEXT " if not hidden else "NEXT ", "head"), Span("   ".join(verdict.next_steps), "text")]
    if not left and not right:
        return []
    if width_of(left) + width_of(right) < width:
        return [ends(left, right, width, glyphs.ellipsis)]
    return [cut([Span(f"{_INDENT}  "), *right], width, glyphs.ellipsis), cut(left, width, glyphs.ellipsis)]
