"""The values that commands print, as JSON. The keys are documented in docs/commands.md; times are ISO in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.model.differences import Change
from console.model.incident import Happening, Incident
from console.model.judgement import ComponentJudgement
from console.model.observation import Buckets, Observation
from console.model.times import iso
from console.model.views import AlertRow, Reason, RuleRow, SilenceRow, Verdict

Document = dict[str, Any]


def moment(at_ms: int | None) -> str | None:
    """ISO in UTC, or null."""
    return None if at_ms is None else iso(at_ms)


def verdict(value: Verdict) -> Document:
    """The state of the whole, its reasons worst first, and whose fault it is."""
    return {
        "state": value.state.value,
        "whose": value.whose,
        "whose_words": value.whose_words,
        "reasons": [reason(part) for part in value.reasons],
        "next_steps": list(value.next_steps),
    }


def reason(value: Reason) -> Document:
    """One thing that is wrong."""
    return {
        "key": value.key,
        "state": value.state.value,
        "component": value.component,
        "text": value.text,
        "since": moment(value.since_ms),
        "origin": value.origin.value,
        "cause": value.cause,
        "incident": value.incident,
    }


def happening(value: Happening) -> Document:
    """One line of a time line."""
    return {"at": moment(value.at_ms), "kind": value.kind, "text": value.text, "by": value.by or None}


def incident(value: Incident) -> Document:
    """Everything between two times."""
    return {
        "environment": value.environment,
        "from": moment(value.from_ms),
        "to": moment(value.to_ms),
        "happened": [happening(each) for each in value.happenings],
        "figures": [
            {"title": each.title, "unit": each.unit, "origin": each.origin, "target": each.target,
             "values": [{"at": moment(at_ms), "value": found}
                        for at_ms, found in zip(each.at_ms, each.values, strict=True)]}
            for each in value.figures
        ],
    }  # fmt: skip


def component(value: ComponentJudgement) -> Document:
    """One component as judged in this round."""
    return {
        "key": value.key,
        "name": value.name,
        "state": value.state.value,
        "figure": value.figure,
        "origin": value.origin.value,
        "explanation": list(value.explanation),
        "targets": list(value.targets),
        "error": value.error,
    }


def observation(value: Observation) -> Document:
    """One poll. Volatile lists (sessions, the raw answer) are left to the console."""
    return {
        "target": value.target,
        "outcome": value.outcome.value,
        "state": value.state.value,
        "words": value.words,
        "origin": value.origin.value,
        "error_kind": value.error_kind.value if value.error_kind else None,
        "facts": dict(value.facts),
        "samples": _plain_samples(value.samples),
    }


def _plain_samples(samples: Mapping[str, float | Buckets]) -> Document:
    return {name: value for name, value in samples.items() if not isinstance(value, Buckets)}


def change(value: Change) -> Document:
    """One line of `radar watch --json`."""
    return {
        "at": iso(value.at_ms),
        "kind": value.kind,
        "subject": value.subject,
        "state": value.state.value if value.state else None,
        "was": value.was.value if value.was else None,
        "text": value.text,
    }


def alert(value: AlertRow) -> Document:
    """One alert, firing or ended."""
    return {
        "id": value.id,
        "rule": value.rule,
        "subject": value.subject,
        "severity": value.severity,
        "text": value.text,
        "origin": value.origin.value,
        "value": value.value,
        "limit": value.limit,
        "unit": value.unit,
        "began": iso(value.began_ms),
        "ended": moment(value.ended_ms),
        "held": value.held,
        "acknowledged": _acknowledged(value),
        "silenced_until": moment(value.silenced_until_ms),
    }


def _acknowledged(value: AlertRow) -> Document | None:
    if value.acknowledged_ms is None:
        return None
    return {"by": value.acknowledged_by, "at": iso(value.acknowledged_ms), "note": value.acknowledged_note}


def rule(value: RuleRow) -> Document:
    """One rule, and how near it is to firing."""
    return {
        "name": value.name,
        "severity": value.severity,
        "condition": value.condition,
        "state": value.state,
        "value": value.value,
        "unit": value.unit,
        "silenced_until": moment(value.silenced_until_ms),
    }


def silence(value: SilenceRow) -> Document:
    """One silence."""
    return {
        "id": value.id,
        "matcher": value.matcher,
        "reason": value.reason,
        "by": value.by,
        "began": iso(value.began_ms),
        "expires": iso(value.expires_ms),
        "ended": moment(value.ended_ms),
    }
