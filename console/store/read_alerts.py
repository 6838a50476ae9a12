"""Alerts at a moment: firing, past, rules and silences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from console.model.judgement import RuleReading
from console.model.observation import Origin, Outcome
from console.model.views import AlertRow, RuleRow
from console.store import codec
from console.store.maintained import maintained
from console.store.moment import Moment
from console.store.read_records import RecordsAt

HISTORY = 200

_ALERT = (
    "SELECT a.id, a.rule, a.subject, a.severity, a.text, a.origin, a.pending_ms, a.began_ms, e.ended_ms, a.value, "
    'a."limit", a.unit FROM alert a LEFT JOIN alert_end e ON e.alert_id = a.id AND e.at <= ?1 '
)
# Those open now, and those that ended after the moment: so that a live read looks at no history.
_FIRING = _ALERT + (
    "WHERE a.at <= ?1 AND e.at IS NULL AND a.id IN (SELECT alert_id FROM alert_open UNION ALL "
    "SELECT alert_id FROM alert_end WHERE at > ?1) ORDER BY a.began_ms DESC, a.id DESC"
)
_BETWEEN = _ALERT + "WHERE a.at <= ?1 AND a.began_ms <= ?2 AND (e.ended_ms IS NULL OR e.ended_ms >= ?3)"
_PAST = _ALERT + "WHERE a.at <= ?1 AND e.at IS NOT NULL ORDER BY a.at DESC, a.id DESC LIMIT ?2"


def firing(moment: Moment, records: RecordsAt) -> tuple[AlertRow, ...]:
    """Alerts that had begun and not ended, newest first."""
    held = {rule.name for rule in _rules(moment) if rule.state == "held"}
    rows = _rows(moment.connection.execute(_FIRING, (moment.position,)), records, held)
    if not any(row.held for row in rows):
        return rows
    why = _held_why(moment)
    return tuple(replace(row, held_why=why) if row.held else row for row in rows)


def _held_why(moment: Moment) -> str:
    """Why rules are held at that moment."""
    from console.model.situation import EGRESS  # 20 ms that no start need pay

    witness = moment.span(EGRESS)
    if witness is not None and witness.outcome != Outcome.ANSWERED:
        return "this bastion is offline"
    shut = next((each for each in maintained(moment, moment.at_ms) if each.goes_on), None)
    if shut is not None:
        return f"in maintenance{f' by {shut.by}' if shut.by else ''}"
    return "what it measures cannot be judged now"


def history(moment: Moment, records: RecordsAt) -> tuple[AlertRow, ...]:
    """Alerts that had ended, newest first."""
    return _rows(moment.connection.execute(_PAST, (moment.position, HISTORY)), records, set())


def between(moment: Moment, records: RecordsAt, from_ms: int, to_ms: int) -> tuple[AlertRow, ...]:
    """Alerts that were firing at any moment of that time, oldest first."""
    rows = _rows(moment.connection.execute(_BETWEEN, (moment.position, to_ms, from_ms)), records, set())
    return tuple(sorted(rows, key=lambda alert: alert.began_ms))


def rules(moment: Moment, records: RecordsAt) -> tuple[RuleRow, ...]:
    """Every rule as it stood in the newest judgement; unknown when that is late: nobody judges any more."""
    late = not moment.judged
    found = []
    for rule in _rules(moment):
        silence = records.silence_of(rule.name)
        found.append(
            RuleRow(
                name=rule.name,
                severity=rule.severity,
                condition=rule.condition,
                state="unknown" if late else rule.state,
                value=None if late else rule.value,
                unit=rule.unit,
                silenced_until_ms=silence.expires_ms if silence else None,
            )
        )
    return tuple(found)


def _rules(moment: Moment) -> tuple[RuleReading, ...]:
    return codec.rules_from(moment.figures) if moment.figures else ()


def _rows(rows: Iterable[tuple[Any, ...]], records: RecordsAt, held: set[str]) -> tuple[AlertRow, ...]:
    return tuple(_row(row, records, row[1] in held) for row in rows)


def _row(row: tuple[Any, ...], records: RecordsAt, held: bool) -> AlertRow:
    number, rule, subject, severity, text, origin, pending_ms, began_ms, ended_ms, value, limit, unit = row
    seen = records.acknowledgements.get((rule, subject, began_ms))
    silence = records.silence_of(rule, subject) if ended_ms is None else None
    return AlertRow(
        id=number,
        rule=rule,
        subject=subject,
        severity=severity,
        text=text,
        origin=Origin(origin),
        pending_ms=pending_ms,
        began_ms=began_ms,
        ended_ms=ended_ms,
        value=value,
        limit=limit,
        unit=unit,
        acknowledged_by=seen.by if seen else None,
        acknowledged_ms=seen.at_ms if seen else None,
        acknowledged_note=seen.note if seen else None,
        silenced_until_ms=silence.expires_ms if silence else None,
        silenced_by=silence.by if silence else None,
        held=held,
    )
