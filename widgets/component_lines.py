"""One component in full: how it was judged, every target polled for it, the raw answers, the history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len

from console.model.observation import Json, Outcome
from console.model.states import State
from console.model.views import ComponentDetail, Reason, SpanRow, TargetDetail
from console.model.words import window_words
from widgets.bars import state_spans
from widgets.blocking_lines import blocking_lines
from widgets.event_lines import event_spans, moment_width
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, beside, blank, cut, ends, fit, width_of, wrap
from widgets.outline import label, outline, words
from widgets.reason_lines import whole_reason
from widgets.words import DAY_S, age, clock, day, duration

_CHECKS = {"pass": State.HEALTHY, "ok": State.HEALTHY, "warn": State.DEGRADED, "fail": State.UNHEALTHY}
_CLAIMS = {
    "environment": "claims environment",
    "version": "claims version",
    "claimed": "claims to be",
    "contradiction": "contradicts itself",
}
"""What the health answer says of itself: NODE_ENV is `production` in previews and demos too."""
_OUTCOME_TONES: Mapping[Outcome, Tone] = {Outcome.ANSWERED: "dim", Outcome.HELD: "unknown", Outcome.BLOCKED: "unknown"}


def component_content(
    detail: ComponentDetail,
    width: int,
    now_ms: int,
    glyphs: Glyphs,
    *,
    brief: bool = False,
    reasons: Sequence[Reason] = (),
) -> list[Line]:
    """Every line of the component and its `reasons`; `brief` is the detail beside the list, without raw answers."""
    part = _Part(width, now_ms, glyphs, brief)
    lines = part.summary(detail)
    if reasons:
        lines += [blank(width), part.head("WHY")]
        lines += [line for reason in reasons for line in whole_reason(reason, width, now_ms, glyphs)]
    lines += part.explanation(detail)
    for target in detail.targets:
        lines += [blank(width), *part.target(target)]
    if detail.events and not brief:
        lines += [blank(width), part.head("LATELY")]
        moment = moment_width(detail.events, now_ms)
        lines += [
            part.line([Span("  "), *event_spans(event, now_ms, glyphs, moment=moment)]) for event in detail.events
        ]
    return lines


class _Part:
    """Builds the parts of the page for one width, moment and set of signs."""

    def __init__(self, width: int, now_ms: int, glyphs: Glyphs, brief: bool) -> None:
        self.width = width
        self.now_ms = now_ms
        self.glyphs = glyphs
        self.brief = brief

    def line(self, spans: Iterable[Span]) -> Line:
        return cut(spans, self.width, self.glyphs.ellipsis)

    def head(self, words: str, aside: str = "") -> Line:
        return self.line([Span(f" {words}", "head"), Span(f"  {aside}" if aside else "", "dim")])

    def wrapped(self, text: str, indent: str, tone: Tone = "text", first: Span | None = None) -> list[Line]:
        lead = first or Span(indent)
        rows = wrap(text, max(10, self.width - len(indent) - 1))
        return [self.line([lead if i == 0 else Span(indent), Span(row, tone)]) for i, row in enumerate(rows)]

    def summary(self, detail: ComponentDetail) -> list[Line]:
        row = detail.row
        since = "" if row.since_ms is None else f" for {age(self.now_ms, row.since_ms)}"
        left = [Span(f" {row.name}", "strong"), Span("  "), *state_spans(row.state, self.glyphs), Span(since, "dim")]
        seen = "never seen" if row.seen_ms is None else f"seen {age(self.now_ms, row.seen_ms)} ago"
        lines = [ends(left, [Span(f"{row.origin.value} ", "dim")], self.width, self.glyphs.ellipsis)]
        lines.append(self.line([Span(f" {row.figure or 'no figure'}"), Span(f"   {seen}", "dim")]))
        return [*lines, *(self.wrapped(row.error, " ", "warn") if row.error else [])]

    def explanation(self, detail: ComponentDetail) -> list[Line]:
        if not detail.explanation:
            return []
        lines = [blank(self.width), self.head("JUDGED SO BECAUSE")]
        for sentence in detail.explanation:
            lines += self.wrapped(sentence, "   ")
        return lines

    def target(self, target: TargetDetail) -> list[Line]:
        lines = [self._title(target), *self.wrapped(target.words, "   ")]
        lines += self._tries(target)
        lines += self._checks(target.facts.get("checks"))
        lines += self._facts(target)
        lines += self._figures(target)
        lines += self._volatile(target)
        return [*lines, *self._history(target.history)]

    def _title(self, target: TargetDetail) -> Line:
        left = [Span(f" {target.target}", "strong"), Span("  "), *state_spans(target.state, self.glyphs)]
        return ends(left, [Span(f"{target.origin.value} ", "dim")], self.width, self.glyphs.ellipsis)

    def _tries(self, target: TargetDetail) -> list[Line]:
        kind = f" ({target.error_kind.value})" if target.error_kind else ""
        tone = _OUTCOME_TONES.get(target.outcome, "warn")
        seen, tried = age(self.now_ms, target.seen_ms), age(self.now_ms, target.tried_ms)
        words = [f"answered {seen} ago" if target.seen_ms is not None else "never answered"]
        if target.tried_ms != target.seen_ms:
            words.append(f"tried {tried} ago" if target.tried_ms is not None else "never tried")
        words.append(f"every {window_words(target.interval_s)}")
        if target.due_ms is not None and target.due_ms < self.now_ms:
            words.append(f"overdue for {age(self.now_ms, target.due_ms)}")
        outcome = "" if target.outcome is Outcome.ANSWERED else f"{target.outcome.value}{kind}, "
        rows = wrap(outcome + ", ".join(words), self.width - 4)
        return [
            self.line([Span("   "), Span(row, "dim" if target.outcome is Outcome.ANSWERED else tone)]) for row in rows
        ]

    def _checks(self, checks: Json) -> list[Line]:
        if not isinstance(checks, dict):
            return []
        return [self._check(name, check) for name, check in checks.items()]

    def _check(self, name: str, check: Json) -> Line:
        found = check if isinstance(check, dict) else {}
        state = _CHECKS.get(str(found.get("status")), State.UNKNOWN)
        message = found.get("message")
        spans = [
            Span(f"   {fit(name, 14)} "),
            Span(f"{self.glyphs.state[state]} {found.get('status')}", STATE_TONES[state]),
        ]
        return self.line([*spans, Span(f"  {message}" if message else "", "text")])

    def _facts(self, target: TargetDetail) -> list[Line]:
        pairs = [
            (_CLAIMS.get(key) or label(key), _words(key, value))
            for key, value in flat(target.facts)
            if not key.startswith("checks.")
        ]
        return self._pairs(pairs) if pairs else []

    def _figures(self, target: TargetDetail) -> list[Line]:
        pairs = [_figure(key, value) for key, value in sorted(target.samples.items())]
        return [self.head("  FIGURES"), *self._pairs(pairs)] if pairs else []

    def _pairs(self, pairs: list[tuple[str, str]]) -> list[Line]:
        """Name and value; short ones in as many columns as have room."""
        names = min(28, max(cell_len(name) for name, _ in pairs))
        cell = names + max(cell_len(value) for _, value in pairs) + 7
        columns = min(4, max(1, (self.width - 1) // cell))
        if columns > 1:
            cells = [cut([Span(f"   {fit(name, names)}  ", "dim"), Span(value)], cell) for name, value in pairs]
            height = -(-len(cells) // columns)
            parts = [(cells[at : at + height], cell) for at in range(0, len(cells), height)]
            return [self.line(row) for row in beside(parts, height, gap=0)]
        lines = []
        for name, value in pairs:
            indent = " " * (3 + names + 2)
            lines += self.wrapped(value, indent, first=Span(f"   {fit(name, names)}  ", "dim"))
        return lines

    def _volatile(self, target: TargetDetail) -> list[Line]:
        """What changes with each poll. Beside the list only who blocks whom, which cannot wait."""
        lines: list[Line] = []
        for name, value in target.volatile.items():
            if value in (None, [], {}, "") or (self.brief and name != "blocking"):
                continue
            head = "RAW ANSWER" if name == "raw" else name.replace("_", " ").upper()
            shown = blocking_lines(value, self.width, self.glyphs.ellipsis) if name == "blocking" else None
            lines += [self.head(f"  {head}", self._taken(target)), *(shown or self._outlined(value))]
        return lines

    def _outlined(self, value: Json) -> list[Line]:
        body = value.get("body") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(body, str):
            return outline(value, self.width, self.glyphs.ellipsis)
        rest = {name: part for name, part in value.items() if name != "body"}
        return [*outline(rest, self.width, self.glyphs.ellipsis), *outline(body, self.width, self.glyphs.ellipsis)]

    def _taken(self, target: TargetDetail) -> str:
        at_ms = target.volatile_ms
        return "" if at_ms is None else f"{clock(at_ms, seconds=True)} UTC, {age(self.now_ms, at_ms)} ago"

    def _history(self, history: tuple[SpanRow, ...]) -> list[Line]:
        if not history:
            return []
        rows = history[:4] if self.brief else history
        return [self.head("  HISTORY", "UTC"), *(line for row in rows for line in self._stretch(row))]

    def _stretch(self, row: SpanRow) -> list[Line]:
        """When it began, how long it lasted, and what was seen; its words wrap on the whole page."""
        today = self.now_ms - row.began_ms < DAY_S * 1000
        began = f"{'' if today and self.brief else day(row.began_ms):>6} {clock(row.began_ms, seconds=not self.brief)}"
        lasted = duration((row.last_ms - row.began_ms) / 1000)
        kind = f"{row.outcome.value}" + (f", {row.error_kind.value}" if row.error_kind else "")
        glyph, word = state_spans(row.state, self.glyphs)
        state = [glyph, word._replace(text=fit(word.text, 9))]
        spans = [Span(f"   {began}", "dim"), Span(f"{lasted:>6}  ", "dim"), *state]
        shown = [Span(f"  {kind}", "dim")] if row.outcome is not Outcome.ANSWERED else []
        lead = [*spans, *shown, Span("  ")]
        taken = width_of(lead)
        first, *rest = [row.words] if self.brief else wrap(row.words, max(20, self.width - taken - 1))
        return [self.line([*lead, Span(first)]), *(self.line([Span(" " * taken), Span(text)]) for text in rest)]


def _figure(name: str, value: float) -> tuple[str, str]:
    """A sample by name; whether it answered as expected is told so and not as a number."""
    if name == "ok":
        return "answers as expected", "yes" if value == 1 else "no"
    return label(name), words(name, value)


def flat(values: Mapping[str, Json], prefix: str = "") -> Iterable[tuple[str, Json]]:
    """Names and plain values of nested mappings, `a.b` for what is inside."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _words(name: str, value: Json) -> str:
    if isinstance(value, list):
        return (
            ", ".join(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in value)
            or "none"
        )
    return words(name, value)
