"""One alert, rule or silence with every fact that is known of it, times in full."""

from __future__ import annotations

from console.model.views import AlertRow, AlertsView, RuleRow, SilenceRow
from widgets.alert_lines import SEVERITY
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, Tone, blank, cut, fit, wrap
from widgets.words import age, duration, figure, full

Fact = tuple[str, str]


def alert_detail(view: AlertsView, key: str | None, width: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    """The selected line of the list in full; nothing when it is gone."""
    kind, _, name = (key or "").partition(":")
    if kind == "alert":
        alert = next((one for one in (*view.firing, *view.history) if str(one.id) == name), None)
        return _alert(view, alert, width, now_ms, glyphs) if alert else []
    if kind == "rule":
        rule = next((one for one in view.rules if one.name == name), None)
        return _page(rule.name, rule.condition, _rule_facts(rule, now_ms), width) if rule else []
    silence = next((one for one in view.silences if str(one.id) == name), None)
    return _page(silence.matcher, silence.reason, _silence_facts(silence, now_ms), width) if silence else []


def _moment(at_ms: int, now_ms: int) -> str:
    ago = f"{age(now_ms, at_ms)} ago" if at_ms <= now_ms else f"in {duration((at_ms - now_ms) / 1000)}"
    return f"{full(at_ms)}, {ago}"


def _alert(view: AlertsView, alert: AlertRow, width: int, now_ms: int, glyphs: Glyphs) -> list[Line]:
    state, tone = SEVERITY[alert.severity]
    over = alert.ended_ms is not None
    title = [
        Span(f" {alert.subject}", "strong"),
        Span(f"  {glyphs.state[state]} {alert.severity}", "dim" if over else tone),
        Span("  over" if over else "  firing", "dim"),
    ]
    rule = next((one for one in view.rules if one.name == alert.rule), None)
    return [cut(title, width), *_body(alert.text, _alert_facts(alert, rule, now_ms), width)]


def _alert_facts(alert: AlertRow, rule: RuleRow | None, now_ms: int) -> list[Fact]:
    facts = [("rule", alert.rule), ("fires when", rule.condition if rule else "-")]
    facts += [("value", figure(alert.value, alert.unit)), ("limit", figure(alert.limit, alert.unit))]
    facts += [("from", alert.origin.value), ("first seen", _moment(alert.pending_ms, now_ms))]
    facts.append(("firing since", _moment(alert.began_ms, now_ms)))
    if alert.ended_ms is not None:
        facts.append(
            ("ended", f"{_moment(alert.ended_ms, now_ms)}, after {duration((alert.ended_ms - alert.began_ms) / 1000)}")
        )
    if alert.held:
        facts.append(("held", f"{alert.held_why}: nothing is concluded"))
    facts += _hands(alert, now_ms)
    return facts


def _hands(alert: AlertRow, now_ms: int) -> list[Fact]:
    facts = []
    if alert.acknowledged_ms is not None:
        facts.append(("seen by", f"{alert.acknowledged_by or '?'}, {_moment(alert.acknowledged_ms, now_ms)}"))
        facts.append(("note", alert.acknowledged_note or "-"))
    elif alert.ended_ms is None:
        facts.append(("seen by", "nobody yet: a acknowledges or silences"))
    if alert.silenced_until_ms is not None:
        facts.append(("silent until", f"{_moment(alert.silenced_until_ms, now_ms)}, by {alert.silenced_by or '?'}"))
    return facts


def _rule_facts(rule: RuleRow, now_ms: int) -> list[Fact]:
    facts = [("state", rule.state), ("now", figure(rule.value, rule.unit)), ("severity", rule.severity)]
    if rule.silenced_until_ms is not None:
        facts.append(("silent until", _moment(rule.silenced_until_ms, now_ms)))
    return facts


def _silence_facts(silence: SilenceRow, now_ms: int) -> list[Fact]:
    facts = [("silences", silence.matcher), ("by", silence.by), ("since", _moment(silence.began_ms, now_ms))]
    facts.append(("until", _moment(silence.expires_ms, now_ms)))
    if silence.ended_ms is not None:
        facts.append(("ended", _moment(silence.ended_ms, now_ms)))
    return facts


def _page(title: str, words: str, facts: list[Fact], width: int) -> list[Line]:
    return [cut([Span(f" {title}", "strong")], width), *_body(words, facts, width)]


def _body(words: str, facts: list[Fact], width: int) -> list[Line]:
    lines = [cut([Span(f" {row}")], width) for row in wrap(words, width - 2)]
    lines.append(blank(width))
    for name, value in facts:
        for index, row in enumerate(wrap(value, max(10, width - 17))):
            tone: Tone = "dim"
            lines.append(cut([Span(f" {fit(name if index == 0 else '', 14)} ", tone), Span(row)], width))
    return lines
