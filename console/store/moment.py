"""One read at one moment: the connection, the position it sees up to, and the queries that every view shares."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from console.model.observation import Outcome
from console.model.states import State
from console.store import blocks, codec
from console.store.codec import Record
from console.store.lease import LeaseRow, read_lease
from console.store.names import COMPONENT, POLLED, VERDICT
from console.store.timeline import Segment, Timeline, era_of, wall_of

LIVE_SLACK_MS = 5_000  # a round written since the reader looked at its clock, or stamped ahead of it, is part of now


class Bodies:
    """Decoded bodies of one opened file. Their ids are never used again, so they are kept from read to read."""

    KEPT = 2_000

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, Record] = {}

    def of(self, body_id: int) -> Record:
        """The body, decoded once. Raises ValueError when it is damaged or missing."""
        found = self._known.get(body_id)
        if found is None:
            row = self._connection.execute("SELECT json FROM body WHERE id = ?", (body_id,)).fetchone()
            if row is None:
                raise ValueError(f"body {body_id} is missing")
            if len(self._known) >= self.KEPT:
                self._known.clear()
            found = self._known[body_id] = codec.loads(row[0])
        return found


@dataclass(frozen=True, slots=True)
class SpanAt:
    """A span as it stood at the moment of the read."""

    id: int
    target: str
    began_at: int
    last_at: int
    due_at: int
    outcome: str
    error_kind: str | None
    state: State
    since_at: int
    body_id: int
    bodies: Bodies
    answered_id: int | None
    end_at: int
    """Its last extension as stored, which may be after the moment of the read."""

    @property
    def body(self) -> Record:
        """The judged facts."""
        return self.bodies.of(self.body_id)

    @property
    def interval_ms(self) -> int:
        """Ms between polls when it was last extended."""
        return max(1, (self.due_at - self.end_at) // 2)


class Recorded(NamedTuple):
    """A stretch of time, in ms, and what a target's polls gave in it."""

    from_ms: int
    until_ms: int
    state: State
    outcome: str
    error_kind: str | None


# An open span's end is beside it; the target's id leads to it, since a target has one open span.
_SPAN = (
    "SELECT s.id, s.target_id, s.began_at, coalesce(o.last_at, s.last_at), coalesce(o.due_at, s.due_at), s.outcome, "
    "s.error_kind, s.state, s.since_at, s.body_id, s.answered_id FROM span s "
    "LEFT JOIN open_span o ON o.target_id = s.target_id AND o.span_id = s.id "
)


class Moment:
    """A store at a moment. Everything is asked inside one short transaction that the caller holds."""

    def __init__(
        self, connection: sqlite3.Connection, at_ms: int | None, now_ms: int, bodies: Bodies | None = None
    ) -> None:
        self.connection = connection
        self._bodies = bodies or Bodies(connection)
        self.live = at_ms is None
        self.at_ms = now_ms if at_ms is None else at_ms
        self.timeline = Timeline(connection.execute("SELECT id, began_ms FROM era"))
        self.lease: LeaseRow | None = read_lease(connection)
        self.position = self.timeline.position(self.at_ms)
        if self.live and self.lease is not None and 0 < self.lease.last_at - self.position < LIVE_SLACK_MS:
            self.position = self.lease.last_at
            self.at_ms = wall_of(self.position)
        self._spans: dict[str, SpanAt | None] = {}
        self._targets: dict[str, int] = dict(connection.execute("SELECT key, id FROM target"))

        self._names = {number: key for key, number in self._targets.items()}

    @property
    def keys(self) -> Mapping[str, int]:
        """All targets ever stored, with their ids."""
        return self._targets

    def span(self, target: str) -> SpanAt | None:
        """The newest span of a target that had begun by the moment."""
        if target not in self._spans:
            self._spans[target] = self._newest(target)
        return self._spans[target]

    def _newest(self, target: str) -> SpanAt | None:
        row = self.connection.execute(
            _SPAN + "WHERE s.target_id = ? AND s.began_at <= ? ORDER BY s.began_at DESC LIMIT 1",
            (self._targets.get(target), self.position),
        ).fetchone()
        return self._span(row) if row else None

    def spans(self, target: str, limit: int) -> list[SpanAt]:
        """The newest spans of a target by the moment, newest first."""
        rows = self.connection.execute(
            _SPAN + "WHERE s.target_id = ? AND s.began_at <= ? ORDER BY s.began_at DESC LIMIT ?",
            (self._targets.get(target), self.position, limit),
        )
        return [self._span(row) for row in rows]

    def span_by_id(self, span_id: int) -> SpanAt | None:
        """A span by its id."""
        row = self.connection.execute(_SPAN + "WHERE s.id = ?", (span_id,)).fetchone()
        return self._span(row) if row else None

    def _span(self, row: tuple[Any, ...]) -> SpanAt:
        number, target, began_at, end_at, due_at, outcome, error_kind, state, since_at, body_id, answered_id = row
        return SpanAt(
            id=number,
            target=self._names[target],
            began_at=began_at,
            last_at=min(end_at, self.position),
            due_at=due_at,
            outcome=outcome,
            error_kind=error_kind,
            state=State(state),
            since_at=since_at,
            body_id=body_id,
            bodies=self._bodies,
            answered_id=answered_id,
            end_at=end_at,
        )

    def late(self, span: SpanAt) -> bool:
        """Whether the next poll was due before the moment and had not come."""
        if era_of(self.position) != era_of(span.due_at):
            # The wall clock went back since: its due time is of another reckoning, but a new era means new rounds.
            return self.at_ms > wall_of(span.due_at)
        return self.position > span.due_at

    @property
    def judged(self) -> bool:
        """Whether the newest judgement is one of now: the next was not due before the moment."""
        span = self.span(VERDICT)
        return span is not None and not self.late(span)

    def stretches(self, target: str, from_ms: int) -> list[tuple[int, int, State]]:
        """(from, until, state) in ms of what was observed of a target since `from_ms`, newest first."""
        return [(low, high, state) for low, high, state, _, _ in self.recorded(target, from_ms)]

    def recorded(self, target: str, from_ms: int) -> list[Recorded]:
        """What was recorded of a target since `from_ms`, newest first.

        Each span is observed from its begin until its due time, the next begin or the moment, whichever is first.
        """
        found: list[Recorded] = []
        for segment in self.timeline.segments(from_ms, self.at_ms):
            high = max(segment.high, self.position) if not found else segment.high
            found += self._recorded(self._targets.get(target), Segment(segment.low, high))
        return found

    def _recorded(self, target: int | None, segment: Segment) -> list[Recorded]:
        rows = self.connection.execute(
            "SELECT s.began_at, coalesce(o.due_at, s.due_at), s.state, s.outcome, s.error_kind FROM span s "
            "LEFT JOIN open_span o ON o.target_id = s.target_id AND o.span_id = s.id "
            "WHERE s.target_id = ?1 AND s.began_at <= ?3 "
            "AND s.began_at >= coalesce((SELECT max(began_at) FROM span WHERE target_id = ?1 AND began_at <= ?2), ?2) "
            "ORDER BY s.began_at DESC",
            (target, segment.low, segment.high),
        )
        found, next_at = [], segment.high
        for began_at, due_at, state, outcome, error_kind in rows:
            low, high = max(began_at, segment.low), min(due_at, next_at)
            if low < high or began_at == segment.high:
                found.append(Recorded(wall_of(low), wall_of(high), State(state), outcome, error_kind))
            next_at = began_at
        return found

    def answered(self, target: str) -> SpanAt | None:
        """The newest span in which the target answered; None: there was none by the moment."""
        span = self.span(target)
        return None if span is None else self.answered_before(span)

    def answered_before(self, span: SpanAt) -> SpanAt | None:
        """The span itself when its target answered in it, else the newest before it in which it did."""
        if span.outcome == Outcome.ANSWERED:
            return span
        return self.span_by_id(span.answered_id) if span.answered_id is not None else None

    def tried_at(self, span: SpanAt) -> int:
        """Position of the last poll of a span by the moment; where that is not kept any more, one interval before."""
        if span.end_at <= self.position:
            return span.end_at
        target = self._targets[span.target]
        row = self.connection.execute(
            "SELECT at FROM recent WHERE at BETWEEN ? AND ? AND target_id = ? ORDER BY at DESC LIMIT 1",
            (span.began_at, self.position, target),
        ).fetchone()
        return int(row[0]) if row else self._packed_try(target, span)

    def last_answer(self, span: SpanAt) -> int | None:
        """Position of the last answer of the span's target by the moment; None: there was none."""
        answered = self.answered_before(span)
        if answered is span:
            return self.tried_at(span)
        return answered.last_at if answered else None

    def _packed_try(self, target: int, span: SpanAt) -> int:
        rows = self.connection.execute(
            "SELECT b.start, b.data FROM block b JOIN series s ON s.id = b.series_id WHERE s.target_id = ? "
            "AND s.metric = ? AND b.start <= ? ORDER BY b.start DESC LIMIT 2",
            (target, POLLED, self.position),
        )
        for start, data in rows:  # two, since the block that the moment is in may begin with a later poll
            tries = [at for at, _ in blocks.decode(start, data) if span.began_at <= at <= self.position]
            if tries:
                return max(tries)
        return max(span.began_at, self.position - span.interval_ms)

    @cached_property
    def _figures(self) -> tuple[int, Record] | None:
        return self._figures_at(self.position)

    def _figures_at(self, position: int) -> tuple[int, Record] | None:
        row = self.connection.execute(
            "SELECT at, data FROM figures WHERE at <= ? ORDER BY at DESC LIMIT 1", (position,)
        ).fetchone()
        return (row[0], codec.unpacked(row[1])) if row else None

    def figures_by(self, position: int) -> Record | None:
        """The newest figures by a position before the moment."""
        found = self._figures_at(position)
        return found[1] if found else None

    @property
    def figures(self) -> Record | None:
        """The newest figures by the moment."""
        return self._figures[1] if self._figures else None

    @property
    def figures_at(self) -> int:
        """Their position; 0 when there are none."""
        return self._figures[0] if self._figures else 0

    def figure(self, component: str) -> str:
        """What matters of a component in a few words, as last judged."""
        found = dict(self.figures["components"]) if self.figures else {}
        return str(found.get(component, ""))

    @cached_property
    def components(self) -> list[str]:
        """Keys of the components judged at the moment, in their order."""
        if self.figures is not None:
            return [key for key, _ in self.figures["components"]]
        keys = sorted((number, key) for key, number in self._targets.items() if key.startswith(COMPONENT))
        return [key.removeprefix(COMPONENT) for _, key in keys]

    @cached_property
    def polled(self) -> list[str]:
        """Keys of all polled targets ever stored, without judgements."""
        return [key for key in self._targets if key != VERDICT and not key.startswith(COMPONENT)]
