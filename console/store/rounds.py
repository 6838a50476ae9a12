"""Writing one round: spans, packed samples, volatile lists, figures, events, alerts. Inside the fenced transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from console.model.bounds import usable
from console.model.judgement import AlertChange, Judgement
from console.model.observation import Buckets, Event, Observation, Outcome, Sample, SeriesKind
from console.model.states import State
from console.store import codec
from console.store.memory import Memory, inserted
from console.store.names import COMPONENT, JUDGED, VERDICT
from console.store.spans import ANSWERED, Poll, Recorded, record
from console.store.timeline import position_of, wall_of

DEFAULT_INTERVAL_S = 5.0
VOLATILE_CALM_MS = 60_000
VOLATILE_BUSY_MS = 10_000


def kind_of(metric: str, sample: Sample) -> str:
    """How a series' samples combine: latencies and foreign histograms are distributions."""
    distribution = isinstance(sample, Buckets) or metric.endswith("_ms")
    return (SeriesKind.DISTRIBUTION if distribution else SeriesKind.GAUGE).value


class RoundWriter:
    """One round at one position."""

    def __init__(self, connection: sqlite3.Connection, memory: Memory, at: int, intervals: Mapping[str, float]) -> None:
        self._connection = connection
        self._memory = memory
        self._at = at
        self._intervals = intervals

    def observations(self, observations: Iterable[Observation]) -> None:
        """Record what the polls of this round gave."""
        for observation in observations:
            recorded = self._span(
                observation.target,
                observation.state,
                codec.observation_body(observation),
                outcome=observation.outcome.value,
                error_kind=observation.error_kind.value if observation.error_kind else None,
            )
            self._samples(recorded.target_id, observation.samples, observation.outcome is Outcome.ANSWERED)
            self._volatile(recorded, observation)
            self._events(observation.events)

    def judgement(self, judgement: Judgement) -> None:
        """Record what was concluded in this round."""
        for component in judgement.components:
            key = COMPONENT + component.key
            recorded = self._span(key, component.state, codec.component_body(component), component.interval_s)
            self._change(recorded, component.state.value)
        record = codec.verdict_record(judgement.verdict)
        verdict = self._span(VERDICT, judgement.verdict.state, codec.dumps(record))
        if verdict.begun:
            self._change(Recorded(verdict.target_id, True, verdict.before, True), judgement.verdict.state.value)
        for target, samples in judgement.samples.items():
            self._own_samples(target, samples)
        self._judged_values(judgement)
        self._figures(judgement)
        for alert in judgement.alerts:
            write_alert(self._connection, alert, self._at)

    def _span(
        self,
        key: str,
        state: State,
        body: str,
        interval_s: float | None = None,
        outcome: str = ANSWERED,
        error_kind: str | None = None,
    ) -> Recorded:
        seconds = interval_s if interval_s is not None else self._interval_s(key)
        poll = Poll(
            key=key,
            outcome=outcome,
            error_kind=error_kind,
            state=state.value,
            body=body,
            interval_ms=max(1, round(seconds * 1000)),
        )
        return record(self._connection, self._memory, poll, self._at)

    def _interval_s(self, key: str) -> float:
        found = self._intervals.get(key)
        if found is None and (key == VERDICT or key.startswith(COMPONENT)):
            found = min(self._intervals.values(), default=None)  # judged with every round
        return found if found is not None else DEFAULT_INTERVAL_S

    def _change(self, recorded: Recorded, state: str) -> None:
        if recorded.changed:
            self._connection.execute(
                "INSERT OR IGNORE INTO change(at, target_id, state, before) VALUES (?, ?, ?, ?)",
                (self._at, recorded.target_id, state, recorded.before),
            )

    def _samples(self, target: int, samples: Mapping[str, Sample], answered: bool) -> None:
        # The row is written without samples too: it says when the poll was.
        self._connection.execute(
            "INSERT OR REPLACE INTO recent(at, target_id, data) VALUES (?, ?, ?)",
            (self._at, target, codec.samples_text(self._series(target, samples), answered)),
        )

    def _own_samples(self, key: str, samples: Mapping[str, Sample]) -> None:
        target = self._memory.target_id(self._connection, key)
        self._connection.execute(
            "INSERT OR REPLACE INTO recent_judged(at, target_id, data) VALUES (?, ?, ?)",
            (self._at, target, codec.samples_text(self._series(target, samples), True)),
        )

    def _series(self, target: int, samples: Mapping[str, Sample]) -> list[tuple[int, Sample]]:
        return [
            (self._memory.series_id(self._connection, target, metric, kind_of(metric, sample)), sample)
            for metric, sample in samples.items()
            if usable(sample)
        ]

    def _volatile(self, recorded: Recorded, observation: Observation) -> None:
        if not observation.volatile:
            return
        # Other facts are news too: with another deployment live, the list of what could be is another one.
        is_calm = observation.state is State.HEALTHY and not recorded.begun
        pause_ms = VOLATILE_CALM_MS if is_calm else VOLATILE_BUSY_MS
        last_at = self._memory.volatile_at.get(recorded.target_id)
        if last_at is not None and not recorded.changed and 0 <= self._at - last_at < pause_ms:
            return
        self._connection.execute(
            "INSERT INTO volatile(target_id, at, data) VALUES (?, ?, ?)",
            (recorded.target_id, self._at, codec.volatile_body(observation.volatile)),
        )
        self._memory.volatile_at[recorded.target_id] = self._at

    def _judged_values(self, judgement: Judgement) -> None:
        """The targets' values as series too: when the figures of a moment are thinned out, these still tell them."""
        values = {row.name: row.value for row in judgement.targets if row.value is not None}
        if values:
            self._own_samples(JUDGED, values)

    def _figures(self, judgement: Judgement) -> None:
        data = codec.packed(codec.figures_record(judgement))
        if data != self._memory.figures:
            self._connection.execute("INSERT OR REPLACE INTO figures(at, data) VALUES (?, ?)", (self._at, data))
            self._memory.figures = data

    def _events(self, events: Iterable[Event]) -> None:
        for event in events:
            write_event(self._connection, event, self._at)


def write_event(connection: sqlite3.Connection, event: Event, at: int) -> None:
    """Store an event once, however often it is read."""
    connection.execute(
        "INSERT OR IGNORE INTO event(at, at_ms, kind, subject, text, state, key, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            at,
            wall_of(position_of(0, event.at_ms)),  # times from outside may be anything
            codec.plain(event.kind),
            codec.plain(event.subject),
            codec.plain(event.text),
            event.state.value if event.state else None,
            codec.plain(event.key) or own_key(event.kind, event.subject, event.at_ms),
            codec.dumps(dict(event.data)),
        ),
    )


def own_key(kind: str, subject: str, at_ms: int) -> str:
    """What tells an event from others that has no key of its own."""
    return f"{kind}/{subject}/{at_ms}"


def write_alert(connection: sqlite3.Connection, alert: AlertChange, at: int) -> None:
    """Store the begin of an alert, its end, or both when the begin was never stored."""
    row = connection.execute(
        "SELECT id FROM alert WHERE rule = ? AND subject = ? AND began_ms = ?",
        (alert.rule, alert.subject, alert.began_ms),
    ).fetchone()
    number = row[0] if row else begin_alert(connection, alert, at)
    if alert.ended_ms is None:
        return
    connection.execute(
        "INSERT OR IGNORE INTO alert_end(alert_id, at, ended_ms) VALUES (?, ?, ?)", (number, at, alert.ended_ms)
    )
    connection.execute("DELETE FROM alert_open WHERE alert_id = ?", (number,))


def begin_alert(connection: sqlite3.Connection, alert: AlertChange, at: int) -> int:
    """Store the begin of an alert; gives its id."""
    number = inserted(
        connection,
        'INSERT INTO alert(at, rule, subject, severity, text, origin, pending_ms, began_ms, value, "limit", unit) '
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            at,
            codec.plain(alert.rule),
            codec.plain(alert.subject),
            alert.severity,
            codec.plain(alert.text),
            alert.origin.value,
            alert.pending_ms,
            alert.began_ms,
            alert.value,
            alert.limit,
            alert.unit,
        ),
    )
    connection.execute("INSERT INTO alert_open(alert_id) VALUES (?)", (number,))
    return number
