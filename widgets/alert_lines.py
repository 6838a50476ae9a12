"""The Alerts page as lines: firing, silences, rules and how near they are, history; and one of them in detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.model.configuration import Severity
from console.model.states import State
from console.model.views import AlertRow, AlertsView, RuleRow, SilenceRow
from console.model.words import counted
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, blank, choosable, cut, fit
from widgets.words import age, duration, figure, when

Row = tuple[Line, str | None]

SEVERITY: Mapping[Severity, tuple[State, Tone]] = {
    "critical": (State.UNHEALTHY, "bad"),
    "high": (State.UNHEALTHY, "bad"),
    "medium": (State.DEGRADED, "warn"),
    "low": (State.DEGRADED, "warn"),
}
RULE_STATES: Mapping[str, tuple[State, Tone]] = {
    "pending": (State.DEGRADED, "warn"),
    "unknown": (State.UNKNOWN, "unknown"),
    "held": (State.UNKNOWN, "unknown"),
    "ok": (State.HEALTHY, "text"),
}
_RULE_ORDER = ("firing", "pending", "held", "unknown", "ok")


def what(alert: AlertRow, tone: Tone) -> list[Span]:
    """Subject and words, the subject once."""
    if alert.text.startswith(alert.subject):
        return [Span(alert.subject, tone), Span(alert.text.removeprefix(alert.subject))]
    return [Span(alert.subject, tone), Span(f": {alert.text}")]


def foremost(firing: Sequence[AlertRow]) -> AlertRow:
    """The one to see to first. There must be one."""
    return min(firing, key=lambda alert: alert.urgency)


@dataclass(frozen=True, slots=True)
class AlertList:
    """Lays the list out for one width, moment, set of signs and selection."""

    view: AlertsView
    width: int
    now_ms: int
    glyphs: Glyphs
    selected: str | None
    filter: str = ""

    def rows(self) -> list[Row]:
        """All lines with the keys `alert:ID`, `silence:ID`, `rule:NAME`."""
        parts = [self._firing(), self._silences(), self._rules(), self._history()]
        rows: list[Row] = []
        for part in parts:
            if part:
                rows += [(blank(self.width), None)] * bool(rows) + part
        return rows

    def _keep(self, *texts: str) -> bool:
        text = " ".join(texts).lower()
        return all(word in text for word in self.filter.lower().split())

    def _head(self, words: str) -> Row:
        return cut([Span(f" {words}", "head")], self.width), None

    def _row(self, key: str, spans: list[Span], tail: list[Span] | None = None) -> Row:
        """A selectable line: `spans` give way to `tail`."""
        bar, ellipsis = self.glyphs.bar, self.glyphs.ellipsis
        marked = key == self.selected
        return choosable(spans, self.width, marked=marked, bar=bar, ellipsis=ellipsis, tail=tail or ()), key

    def _firing(self) -> list[Row]:
        kept = [
            alert for alert in self.view.firing if self._keep(alert.rule, alert.subject, alert.text, alert.severity)
        ]
        count = f"FIRING {len(kept)}" + (f" of {len(self.view.firing)}" if self.filter else "")
        if self.view.firing:
            head = self._head(f"{fit(count, 14)}{fit('FOR', 5, 'right')}  WHAT")
            return [head, *(self._alert(alert) for alert in sorted(kept, key=lambda alert: alert.urgency))]
        rows = [self._head(count if self.judged else "FIRING ?")]
        rules = len(self.view.rules)
        state = State.HEALTHY if self.judged else State.UNKNOWN
        mark = Span(f"  {self.glyphs.state[state]} ", STATE_TONES[state])
        rows.append((cut([mark, Span(self._none_fires(), "strong")], self.width), None))
        rows.append((cut([Span(f"    {self._watched(rules)}", "dim")], self.width), None))
        return rows

    @property
    def judged(self) -> bool:
        """Whether what is shown is kept up: without a collector nobody knows what fires."""
        header = self.view.header
        return bool(self.view.rules) and header.collector.alive and header.state is not State.STALE

    def _none_fires(self) -> str:
        return "No alert is firing." if self.judged else "Not known whether an alert should fire."

    def _watched(self, rules: int) -> str:
        if not rules:
            return "No round was judged yet."
        if not self.judged:
            return "Nobody judges now; when it was last judged none was firing."
        return f"{counted(rules, 'rule')} watched, below, with how each stands."

    def _alert(self, alert: AlertRow) -> Row:
        state, tone = SEVERITY[alert.severity]
        # Somebody has it in hand: the colour has done its work.
        quiet = alert.in_hand
        spans = [
            Span(f"{self.glyphs.state[state]} {fit(alert.severity, 12)}", "text" if quiet else tone),
            Span(fit(age(self.now_ms, alert.began_ms), 5, "right")),
            Span("  "),
            *what(alert, "strong"),
            Span(f" ({alert.origin.value})", "dim"),
        ]
        words = " ".join(self._hands(alert))
        return self._row(f"alert:{alert.id}", spans, [Span(f"  {words} ", "dim")] if words else None)

    def _hands(self, alert: AlertRow) -> list[str]:
        hands = []
        if alert.held:
            hands.append("held")
        if alert.acknowledged_by:
            hands.append(f"seen by {alert.acknowledged_by}")
        if alert.silenced_until_ms is not None:
            hands.append(f"silent till {when(alert.silenced_until_ms, self.now_ms)}")
        return hands

    def _silences(self) -> list[Row]:
        active = [one for one in self.view.silences if one.ended_ms is None and one.expires_ms > self.now_ms]
        kept = [one for one in active if self._keep(one.matcher, one.reason, one.by)]
        if not kept:
            return []
        return [self._head(f"{fit('SILENCED', 21)}{fit('TILL', 13)}{fit('BY', 10)}REASON"), *map(self._silence, kept)]

    def _silence(self, silence: SilenceRow) -> Row:
        spans = [
            Span(f"{fit(silence.matcher, 20, ellipsis=self.glyphs.ellipsis)} "),
            Span(fit(when(silence.expires_ms, self.now_ms), 13), "dim"),
            Span(f"{fit(silence.by, 9)} ", "dim"),
            Span(silence.reason),
        ]
        return self._row(f"silence:{silence.id}", spans)

    def _rules(self) -> list[Row]:
        kept = [rule for rule in self.view.rules if self._keep(rule.name, rule.condition, rule.state, rule.severity)]
        if not kept:
            return []
        kept.sort(key=lambda rule: _RULE_ORDER.index(rule.state) if rule.state in _RULE_ORDER else len(_RULE_ORDER))
        head = f"{fit(f'RULES {len(self.view.rules)}', 21)}{fit('STATE', 12)}{fit('NOW', 9, 'right')}  FIRES WHEN"
        return [self._head(head), *map(self._rule, kept)]

    def _rule(self, rule: RuleRow) -> Row:
        word = rule.state if self.judged else "unknown"
        known = SEVERITY[rule.severity] if word == "firing" else RULE_STATES.get(word)
        state, tone = known or (State.UNKNOWN, "unknown")
        glyph_tone: Tone = "good" if word == "ok" else tone
        silent = rule.silenced_until_ms is not None and rule.silenced_until_ms > self.now_ms
        now = "-" if rule.value is None else figure(rule.value, rule.unit)
        spans = [
            Span(f"{fit(rule.name, 20, ellipsis=self.glyphs.ellipsis)} "),
            Span(f"{self.glyphs.state[state]} ", glyph_tone),
            Span(fit(word, 10), tone),
            Span(fit(now, 9, "right")),
            Span(f"  {rule.condition}", "dim"),
        ]
        return self._row(f"rule:{rule.name}", spans, [Span("  silent ", "dim")] if silent else None)

    def _history(self) -> list[Row]:
        kept = [
            alert for alert in self.view.history if self._keep(alert.rule, alert.subject, alert.text, alert.severity)
        ]
        if not kept:
            return []
        return [self._head(f"{fit('HISTORY', 14)}{fit('LASTED', 6)} WHAT"), *map(self._past, kept)]

    def _past(self, alert: AlertRow) -> Row:
        ended = alert.ended_ms if alert.ended_ms is not None else self.now_ms
        spans = [
            Span(fit(when(alert.began_ms, self.now_ms), 14), "dim"),
            Span(fit(duration((ended - alert.began_ms) / 1000), 5, "right"), "dim"),
            Span("  "),
            *what(alert, "text"),
            Span(f" ({alert.severity}, {alert.origin.value})", "dim"),
        ]
        return self._row(f"alert:{alert.id}", spans)
