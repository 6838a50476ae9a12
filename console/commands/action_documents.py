"""Actions as JSON: runs, steps, what is due, what is open. The keys are documented in docs/commands.md."""

from __future__ import annotations

from console.commands.documents import Document, moment
from console.model.action_views import ActionsView, DueRow, HoldingRow, RunRow, RunView, StepRow


def run(value: RunRow) -> Document:
    """One run."""
    return {
        "id": value.id,
        "token": value.token,
        "action": value.action,
        "title": value.title,
        "target": value.target,
        "risk": value.risk,
        "reason": value.reason,
        "operator": value.operator,
        "authority": value.authority,
        "began": moment(value.began_ms),
        "ended": moment(value.ended_ms),
        "outcome": value.outcome.value,
        "words": value.words,
        "undo": value.undo or None,
    }


def step(value: StepRow) -> Document:
    """One step of a run."""
    return {
        "key": value.key,
        "words": value.words,
        "call": value.call or None,
        "required": value.required,
        "outcome": value.outcome.value if value.outcome else None,
        "said": value.said,
        "began": moment(value.began_ms),
        "ended": moment(value.ended_ms),
    }


def run_of(view: RunView) -> Document:
    """A run with its steps; an empty object when there is no such run."""
    return {**run(view.run), "steps": [step(each) for each in view.steps]} if view.run else {}


def holding(value: HoldingRow) -> Document:
    """Something temporary that somebody must undo."""
    return {
        "kind": value.kind,
        "subject": value.subject,
        "text": value.text,
        "owner": value.owner,
        "since": moment(value.began_ms),
        "until": moment(value.expires_ms),
        "undo": value.undo,
    }


def due(value: DueRow) -> Document:
    """Something that is carried out at a time."""
    return {
        "id": value.id,
        "action": value.action,
        "title": value.title,
        "due": moment(value.due_ms),
        "operator": value.operator,
        "reason": value.reason,
        "state": value.state,
        "words": value.words or None,
    }


def journal(view: ActionsView) -> Document:
    """All of it."""
    return {
        "runs": [run(each) for each in view.runs],
        "open": [holding(each) for each in view.holdings],
        "due": [due(each) for each in view.due],
    }
