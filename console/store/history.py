"""Authoring a past: everything that the collector would have stored, written in one transaction (demo, tests)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from console.model.judgement import AlertChange, ComponentJudgement, Judgement
from console.model.metrics import Rollup
from console.model.observation import Event, Json, Observation, Outcome, Sample, SeriesKind
from console.model.states import State
from console.model.views import Verdict
from console.store import codec, files, memory, rounds, schema
from console.store.clock import Clock, SystemClock
from console.store.errors import StoreBusy
from console.store.lease import Holder, read_lease
from console.store.names import COMPONENT, HOUR_MS, VERDICT
from console.store.pulse import MARK_MS
from console.store.rollups import ROLLUP_COLUMNS, rollup_values
from console.store.spans import Poll, extend, record


class HistoryWriter:
    """Writes observed.db as if a collector had been there. A context manager: all is stored at its end, or nothing.

    What is written for one target goes in the order of time. Times are ms since epoch, and none lies after now. For
    files without a collector only: it takes no lease, and leaves one that anybody may take at once.
    """

    def __init__(self, path: Path) -> None:
        files.prepare_directory(path.parent)
        files.prepare_file(path)
        self._connection = files.connect_writer(path)
        schema.create_observed(self._connection)
        self._memory = memory.Memory()
        self._first_ms: int | None = None
        self._last_ms = 0

    def __enter__(self) -> Self:
        self._connection.execute("BEGIN IMMEDIATE")
        row = read_lease(self._connection)
        if row is not None and row.alive(SystemClock()):
            self._connection.execute("ROLLBACK")
            self._connection.close()
            raise StoreBusy(f"{row.holder.words} collects into this file: a past is authored before that")
        self._memory = memory.load(self._connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
            self._connection.execute("COMMIT")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        else:
            self._connection.execute("ROLLBACK")
        self._connection.close()

    # Spans

    def observation(
        self, observation: Observation, began_ms: int, last_ms: int, interval_s: float, *, raw: bool = True
    ) -> None:
        """A target gave this from its poll at `began_ms` to that at `last_ms`, whose samples these are. `raw`: whether
        they are stored; not where that time has rollups, which tell of all its polls."""
        poll = Poll(
            key=observation.target,
            outcome=observation.outcome.value,
            error_kind=observation.error_kind.value if observation.error_kind else None,
            state=observation.state.value,
            body=codec.observation_body(observation),
            interval_ms=round(interval_s * 1000),
        )
        self._span(poll, began_ms, last_ms)
        answered = observation.outcome is Outcome.ANSWERED
        if raw:
            self.samples(observation.target, last_ms, observation.samples, answered=answered)
        if observation.volatile:
            self.volatile(observation.target, last_ms, observation.volatile)
        for event in observation.events:
            self.event(event)

    def component(
        self, component: ComponentJudgement, began_ms: int, last_ms: int, interval_s: float | None = None
    ) -> None:
        """A component was judged so from `began_ms` to `last_ms`."""
        seconds = interval_s if interval_s is not None else component.interval_s or rounds.DEFAULT_INTERVAL_S
        body = codec.component_body(component)
        self._judged(COMPONENT + component.key, component.state, body, seconds, began_ms, last_ms)

    def verdict(self, verdict: Verdict, began_ms: int, last_ms: int, interval_s: float = 5.0) -> None:
        """The whole was judged so from `began_ms` to `last_ms`."""
        body = codec.dumps(codec.verdict_record(verdict))
        self._judged(VERDICT, verdict.state, body, interval_s, began_ms, last_ms)

    def judgement(self, judgement: Judgement, last_ms: int | None = None, interval_s: float = 5.0) -> None:
        """All of a judgement: verdict, components, figures, alerts, its samples. It held until `last_ms`."""
        end_ms = judgement.at_ms if last_ms is None else last_ms
        for component in judgement.components:
            self.component(component, judgement.at_ms, end_ms)
        self.verdict(judgement.verdict, judgement.at_ms, end_ms, interval_s)
        self.figures(judgement)
        for alert in judgement.alerts:
            self.alert(alert)
        for target, samples in judgement.samples.items():
            self.samples(target, judgement.at_ms, samples, judged=True)

    def _judged(self, key: str, state: State, body: str, interval_s: float, began_ms: int, last_ms: int) -> None:
        poll = Poll(
            key=key,
            outcome=Outcome.ANSWERED.value,
            error_kind=None,
            state=state.value,
            body=body,
            interval_ms=round(interval_s * 1000),
        )
        target, changed, before = self._span(poll, began_ms, last_ms)
        if changed:
            self._connection.execute(
                "INSERT OR IGNORE INTO change(at, target_id, state, before) VALUES (?, ?, ?, ?)",
                (began_ms, target, state.value, before),
            )

    def _span(self, poll: Poll, began_ms: int, last_ms: int) -> tuple[int, bool, str | None]:
        self._reach(began_ms, last_ms)
        recorded = record(self._connection, self._memory, poll, began_ms)
        extend(self._connection, self._memory, recorded.target_id, last_ms, poll.interval_ms)
        changed = recorded.begun if poll.key == VERDICT else recorded.changed
        return recorded.target_id, changed, recorded.before

    # Samples

    def samples(
        self, target: str, at_ms: int, samples: Mapping[str, Sample], *, answered: bool = True, judged: bool = False
    ) -> None:
        """The raw samples of one poll, or of the collector's own; for the last minutes, older ones are rollups."""
        self._reach(at_ms, at_ms)
        owner = self._memory.target_id(self._connection, target)
        series = [
            (self._memory.series_id(self._connection, owner, metric, rounds.kind_of(metric, sample)), sample)
            for metric, sample in samples.items()
        ]
        self._connection.execute(
            f"INSERT OR REPLACE INTO {'recent_judged' if judged else 'recent'}(at, target_id, data) VALUES (?, ?, ?)",
            (at_ms, owner, codec.samples_text(series, answered)),
        )

    def minutes(self, series: str, rollups: Iterable[tuple[int, Rollup]]) -> None:
        """(start ms, rollup) of whole minutes of a series `TARGET|METRIC`."""
        self._rollups("rollup_minute", series, rollups)

    def hours(self, series: str, rollups: Iterable[tuple[int, Rollup]]) -> None:
        """(start ms, rollup) of whole hours; `rollup.minutes` says how many of its minutes had samples."""
        self._rollups("rollup_hour", series, rollups)

    def _rollups(self, table: str, series: str, rollups: Iterable[tuple[int, Rollup]]) -> None:
        target, _, metric = series.rpartition("|")
        rows = [(start_ms, *rollup_values(rollup)) for start_ms, rollup in rollups]
        if not rows:
            return
        kind = SeriesKind.DISTRIBUTION if metric.endswith("_ms") or rows[0][8] is not None else SeriesKind.GAUGE
        owner = self._memory.target_id(self._connection, target)
        number = self._memory.series_id(self._connection, owner, metric, kind.value)
        self._reach(min(row[0] for row in rows), max(row[0] for row in rows))
        hour = table == "rollup_hour"
        columns = ROLLUP_COLUMNS + (", minutes" if hour else "")
        marks = ", ".join("?" * (11 if hour else 10))
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {table}(series_id, start, {columns}) VALUES ({marks})",
            ((number, *row) if hour else (number, *row[:-1]) for row in rows),
        )

    # The rest

    def figures(self, judgement: Judgement, at_ms: int | None = None) -> None:
        """The figures, targets and rule readings of a judgement; they are shown from then until the next ones."""
        moment_ms = judgement.at_ms if at_ms is None else at_ms
        self._reach(moment_ms, moment_ms)
        data = codec.packed(codec.figures_record(judgement))
        self._connection.execute("INSERT OR REPLACE INTO figures(at, data) VALUES (?, ?)", (moment_ms, data))

    def volatile(self, target: str, at_ms: int, values: Mapping[str, Json]) -> None:
        """The volatile part of one poll."""
        self._connection.execute(
            "INSERT INTO volatile(target_id, at, data) VALUES (?, ?, ?)",
            (self._memory.target_id(self._connection, target), at_ms, codec.volatile_body(values)),
        )

    def event(self, event: Event) -> None:
        """An event, known from the moment at which it happened."""
        self._reach(event.at_ms, event.at_ms)
        rounds.write_event(self._connection, event, event.at_ms)

    def alert(self, alert: AlertChange) -> None:
        """An alert that began at its `began_ms` and, unless that is None, ended at `ended_ms`."""
        self._reach(alert.began_ms, alert.ended_ms or alert.began_ms)
        rounds.begin_alert(self._connection, alert, alert.began_ms)
        if alert.ended_ms is not None:
            rounds.write_alert(self._connection, alert, alert.ended_ms)

    def lease(self, holder: Holder, clock: Clock | None = None) -> None:
        """As if `holder` held the lease and had just renewed it; for recorded stores that show a living collector."""
        self._finish()
        machine = clock or SystemClock()
        self._connection.execute(
            "UPDATE lease SET epoch = epoch + 1, released = 0, holder = ?, pid = ?, boot_id = ?, fingerprint = ?, "
            "identities = ?, renewed_boot_ms = ?, renewed_ms = ?",
            (
                holder.name,
                holder.pid,
                holder.boot_id,
                holder.fingerprint,
                codec.dumps(dict(holder.identities)),
                machine.boot_ms(),
                machine.wall_ms(),
            ),
        )

    def _reach(self, first_ms: int, last_ms: int) -> None:
        self._first_ms = first_ms if self._first_ms is None else min(self._first_ms, first_ms)
        self._last_ms = max(self._last_ms, last_ms)

    def _finish(self) -> None:
        """Lease and marks, so that a collector goes on from here and retention counts the authored time as passed."""
        if self._first_ms is None:
            return
        passed_ms = self._last_ms - self._first_ms
        self._connection.execute(
            "INSERT INTO lease VALUES (1, 0, 1, '', 0, '', '', '{}', -1, 0, ?1, ?2) ON CONFLICT(id) DO UPDATE SET "
            "last_at = max(last_at, ?1), odometer_ms = max(odometer_ms, ?2)",
            (self._last_ms, passed_ms),
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO mark(odometer_ms, at) VALUES (?, ?)",
            ((reached, self._first_ms + reached) for reached in range(0, passed_ms + 1, max(MARK_MS, HOUR_MS))),
        )
