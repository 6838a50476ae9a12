"""Spans, the writing half: a poll extends the open span of its target or begins the next one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from console.store.memory import Memory, OpenSpan, body_id, inserted, sameness
from console.store.timeline import era_of, position_of, wall_of

# Restarts and takeovers (15 s) do not make a state younger: `since` is carried over a gap of this length.
SINCE_GAP_MS = 60_000
ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What decides whether a span goes on."""

    key: str
    outcome: str
    error_kind: str | None
    state: str
    body: str
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a poll was recorded: in a new span, and with a state other than the one before."""

    target_id: int
    begun: bool
    before: str | None
    changed: bool


def record(connection: sqlite3.Connection, memory: Memory, poll: Poll, at: int) -> Recorded:
    """Extend or begin. `at` is the position of the round."""
    target = memory.target_id(connection, poll.key)
    found = memory.open.get(target)
    same = sameness(poll.key, poll.body)
    if found is not None and _extends(found, poll, same, at):
        extend(connection, memory, target, at, poll.interval_ms)
        return Recorded(target, False, found.state, False)
    begun = _begin(connection, target, poll, at, found, same)
    memory.open[target] = begun
    changed = found is None or found.state != poll.state or begun.since_at == at
    return Recorded(target, True, found.state if found else None, changed)


def extend(connection: sqlite3.Connection, memory: Memory, target: int, at: int, interval_ms: int) -> None:
    """Let the open span of a target reach to a poll at `at`."""
    found = memory.open[target]
    found.last_at, found.due_at = at, at + 2 * interval_ms
    connection.execute("UPDATE open_span SET last_at = ?, due_at = ? WHERE target_id = ?", (at, found.due_at, target))


def _extends(found: OpenSpan, poll: Poll, same: bytes, at: int) -> bool:
    return (
        at <= found.due_at
        and era_of(at) == era_of(found.last_at)
        and (found.outcome, found.error_kind, found.state, found.same)
        == (poll.outcome, poll.error_kind, poll.state, same)
    )


def _begin(
    connection: sqlite3.Connection, target: int, poll: Poll, at: int, before: OpenSpan | None, same: bytes
) -> OpenSpan:
    if before is not None:
        connection.execute(
            "UPDATE span SET last_at = ?, due_at = ? WHERE id = ?", (before.last_at, before.due_at, before.id)
        )
    due_at = at + 2 * poll.interval_ms
    since_at = _since(before, poll.state, at)
    answered = before.answered_id if before is not None and poll.outcome != ANSWERED else None
    body = body_id(connection, poll.body)
    span = inserted(
        connection,
        "INSERT INTO span(target_id, began_at, last_at, due_at, outcome, error_kind, state, since_at, body_id, "
        "answered_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (target, at, at, due_at, poll.outcome, poll.error_kind, poll.state, since_at, body, answered),
    )
    connection.execute("INSERT OR REPLACE INTO open_span VALUES (?, ?, ?, ?)", (target, span, at, due_at))
    answered = span if poll.outcome == ANSWERED else answered
    return OpenSpan(span, at, at, due_at, poll.outcome, poll.error_kind, poll.state, since_at, same, answered)


def _since(before: OpenSpan | None, state: str, at: int) -> int:
    if before is None or before.state != state:
        return at
    carried_until = max(before.due_at, before.last_at + SINCE_GAP_MS)
    if era_of(at) != era_of(before.last_at):
        # The wall clock went back: the state goes on, and cannot have begun after now.
        return position_of(era_of(at), min(wall_of(before.since_at), wall_of(at)))
    return before.since_at if at <= carried_until else at
