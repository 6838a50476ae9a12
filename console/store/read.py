"""The one place where screens read the store: every read takes the moment that it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from console.model.configuration import Environment
from console.model.ports import StoreUnreadable
from console.model.service_levels import SLO_WINDOWS_S
from console.model.views import AlertsView, ComponentDetail, Header, HealthView
from console.store import read_alerts, read_component, read_health, read_targets, uptime
from console.store.clock import Clock, SystemClock, now_ms
from console.store.identity import identity
from console.store.moment import Bodies, Moment
from console.store.read_header import Ours, empty_header, header
from console.store.read_records import Place, RecordsAt, records_at
from console.store.reading import ReadFile, Unreadable
from console.store.schema import OBSERVED_ID, OBSERVED_VERSION, RECORDS_ID, RECORDS_VERSION
from console.store.timeline import wall_of

# What reads the charts is imported with the first of them: 25 ms that no first picture needs.
if TYPE_CHECKING:
    from console.model.action_views import ActionsView, RunView
    from console.model.deployments import DeploymentsView
    from console.model.incident import Happening
    from console.model.metric_views import MetricsQuestion, MetricsView, SloView
    from console.store.closed_cells import ClosedCells
    from console.store.read_deployments import Journal
    from console.store.slo_counts import Closed


class StoreReader:
    """Reads of both files (`ports.StoreReads`). Opens them when first asked, holds no transaction between reads."""

    def __init__(
        self,
        observed_path: Path,
        records_path: Path,
        environment: Environment,
        fingerprint: str | None,
        clock: Callable[[], int] = now_ms,
        *,
        identities: Mapping[str, str] | None = None,
        machine: Clock | None = None,
    ) -> None:
        """`clock`: what `at_ms=None` means. `fingerprint`, `identities`: of our own settings, to say how those of the
        collector differ. `machine`: where CLOCK_BOOTTIME comes from."""
        self._observed = ReadFile(observed_path, OBSERVED_ID, OBSERVED_VERSION)
        self._records = ReadFile(records_path, RECORDS_ID, RECORDS_VERSION)
        self._place = Place(records_path.parent, identity().uid, live=True)
        self._now = clock
        self._ours = Ours(
            environment=environment,
            fingerprint=fingerprint,
            identities=identities or {},
            clock=machine or SystemClock(),
        )
        self._closed: tuple[Bodies | None, Closed] | None = None
        self._cells: tuple[Bodies | None, ClosedCells] | None = None

    def compare_with(self, fingerprint: str, identities: Mapping[str, str]) -> None:
        """From the next read on, say how the collector's settings differ from these. From any thread."""
        self._ours = replace(self._ours, fingerprint=fingerprint, identities=identities)

    def version(self) -> int:
        """A number that changes when anything was written to either file."""
        try:
            observed = self._observed.version()
        except Unreadable as error:
            raise StoreUnreadable(str(error)) from error
        with suppress(Unreadable):  # views go on without the records, and say so
            return observed << 32 | self._records.version()
        return observed << 32

    def health(self, at_ms: int | None, *, strip_slices: int = 15, events: int = 8) -> HealthView:
        """The Health screen at a moment."""
        with self._at(at_ms) as (moment, records, shown_ms):
            if moment is None:
                return HealthView(
                    header=empty_header(self._ours, shown_ms, records),
                    verdict=None,
                    verdict_ms=None,
                    components=(),
                    strip_s=read_health.STRIP_S,
                    targets=(),
                    uptime=uptime.unknown(self._ours.environment.thresholds.uptime_share),
                    lately=(),
                )
            verdict, verdict_ms = read_health.verdict(moment)
            return HealthView(
                header=header(moment, self._ours, records),
                verdict=verdict,
                verdict_ms=verdict_ms,
                components=read_health.component_rows(moment, strip_slices),
                strip_s=read_health.STRIP_S,
                targets=read_targets.targets(moment),
                uptime=uptime.cells(moment, self._ours.environment.thresholds.uptime_share),
                lately=read_health.lately(moment, events),
            )

    def component(self, key: str, at_ms: int | None) -> ComponentDetail:
        """One component with every target of it."""
        with self._at(at_ms) as (moment, records, shown_ms):
            if moment is None:
                return ComponentDetail(
                    header=empty_header(self._ours, shown_ms, records),
                    row=read_component.unknown_row(key, 15),
                    explanation=(),
                    targets=(),
                    events=(),
                )
            explanation, targets, events = read_component.parts(moment, key)
            return ComponentDetail(
                header=header(moment, self._ours, records),
                row=read_component.row(moment, key, 15),
                explanation=explanation,
                targets=targets,
                events=events,
            )

    def alerts(self, at_ms: int | None) -> AlertsView:
        """Alerts firing at a moment, history before it, rules and silences."""
        with self._at(at_ms) as (moment, records, shown_ms):
            if moment is None:
                return AlertsView(
                    header=empty_header(self._ours, shown_ms, records),
                    firing=(),
                    history=(),
                    rules=(),
                    silences=records.silences,
                )
            return AlertsView(
                header=header(moment, self._ours, records),
                firing=read_alerts.firing(moment, records),
                history=read_alerts.history(moment, records),
                rules=read_alerts.rules(moment, records),
                silences=records.silences,
            )

    def metrics(self, at_ms: int | None, question: MetricsQuestion) -> MetricsView:
        """A page of charts: what was known at that moment."""
        from console.store import read_metrics

        ours = self._ours
        with self._at(at_ms) as (moment, records, shown_ms):
            if moment is None:
                top = empty_header(ours, shown_ms, records)
                return read_metrics.empty(ours.environment, question, shown_ms, top)
            top = header(moment, ours, records)
            return read_metrics.page(moment, ours.environment, question, top, self._closed_cells())

    def slo(self, at_ms: int | None, *, windows_s: Sequence[int] = SLO_WINDOWS_S) -> SloView:
        """The service level targets with their budgets at a moment, their figures over these windows."""
        from console.model.metric_views import SloView
        from console.store import read_slo

        with self._at(at_ms) as (moment, records, shown_ms):
            environment = self._ours.environment
            if moment is None:
                nothing = read_slo.unknown(environment, windows_s)
                return SloView(header=empty_header(self._ours, shown_ms, records), objectives=nothing)
            found = read_slo.objectives(moment, environment, self._closed_hours(), windows_s)
            return SloView(header=header(moment, self._ours, records), objectives=found)

    def actions(self, at_ms: int | None) -> ActionsView:
        """Runs of actions, what is due, what is open, what was told."""
        from console.store import read_actions

        with self._at(at_ms) as (moment, records, shown_ms):
            top = self._header(moment, records, shown_ms)
            return read_actions.journal(self._records, replace(self._place, live=at_ms is None), shown_ms, top)

    def run(self, token: str, at_ms: int | None) -> RunView:
        """One run with its steps as they stood at that moment."""
        from console.store import read_actions

        with self._at(at_ms) as (moment, records, shown_ms):
            top = self._header(moment, records, shown_ms)
            place = replace(self._place, live=at_ms is None)
            return read_actions.run_view(self._records, token, place, shown_ms, top)

    def deployments(self, at_ms: int | None) -> DeploymentsView:
        """Deployments and CI runs as they were known at that moment."""
        from console.store import read_deployments

        with self._at(at_ms) as (moment, records, shown_ms):
            environment, top = self._ours.environment, self._header(moment, records, shown_ms)
            journal = self._journal_at(shown_ms)
            if moment is None:
                return read_deployments.empty(environment, top, journal)
            return read_deployments.view(moment, environment, top, journal, self._closed_cells())

    def _journal_at(self, at_ms: int) -> Journal:
        """What actions did and left behind; nothing where the records cannot be read, which the header says."""
        from console.store import read_changes
        from console.store.read_deployments import Journal, rollbacks
        from console.store.read_journal import holdings_at

        with suppress(Unreadable), self._records.transaction() as connection:
            if connection is None:
                return Journal((), ())
            lately = tuple(read_changes.recorded(connection, at_ms))
            return Journal(holdings_at(connection, at_ms), lately, rollbacks(connection, at_ms))
        return Journal((), (), unread=True)

    def happenings(self, from_ms: int, to_ms: int) -> tuple[Happening, ...]:
        """What is on record of a stretch of time, oldest first. Raises `StoreUnreadable`."""
        from console.store import read_incident

        with self._at(None) as (moment, records, _):
            seen = read_incident.observed(moment, records, from_ms, to_ms) if moment is not None else []
            with self._records.transaction() as connection:
                told = read_incident.recorded(connection, from_ms, to_ms) if connection is not None else []
        return tuple(sorted((*seen, *told), key=lambda each: each.at_ms))

    def _header(self, moment: Moment | None, records: RecordsAt, shown_ms: int) -> Header:
        ours = self._ours
        return header(moment, ours, records) if moment is not None else empty_header(ours, shown_ms, records)

    def _closed_cells(self) -> ClosedCells:
        """The cells of closed stretches, as long as the file is the same."""
        from console.store.closed_cells import ClosedCells

        if self._cells is None or self._cells[0] is not self._observed.bodies:
            self._cells = self._observed.bodies, ClosedCells()
        return self._cells[1]

    def _closed_hours(self) -> Closed:
        """What was counted of closed hours, as long as the file is the same."""
        from console.store.slo_counts import Closed

        if self._closed is None or self._closed[0] is not self._observed.bodies:
            self._closed = self._observed.bodies, Closed()
        return self._closed[1]

    def change_after(self, at_ms: int, *, forward: bool) -> int | None:
        """The nearest moment after (or before) `at_ms` at which a judgement changed or an alert began or ended."""
        with self._at(at_ms) as (moment, _, _):
            return nearest_change(moment, forward) if moment is not None else None

    def close(self) -> None:
        """Release the files."""
        self._observed.close()
        self._records.close()

    @contextmanager
    def _at(self, at_ms: int | None) -> Iterator[tuple[Moment | None, RecordsAt, int]]:
        shown_ms = self._now() if at_ms is None else at_ms
        records = self._records_at(shown_ms, live=at_ms is None)
        try:
            with self._observed.transaction() as connection:
                moment = Moment(connection, at_ms, shown_ms, self._observed.bodies) if connection is not None else None
                yield moment, records, shown_ms
        except Unreadable as error:
            raise StoreUnreadable(str(error)) from error

    def _records_at(self, at_ms: int, *, live: bool) -> RecordsAt:
        try:
            with self._records.transaction() as connection:
                return records_at(connection, at_ms, replace(self._place, live=live))
        except Unreadable as error:
            # Health goes on without them and says so: they hold nothing of the state of the system.
            return RecordsAt(trouble=str(error), at_ms=at_ms)


def nearest_change(moment: Moment, forward: bool) -> int | None:
    """See `StoreReader.change_after`."""
    comparison, order = (">", "ASC") if forward else ("<", "DESC")
    found = [
        row[0]
        for table in ("change", "alert", "alert_end")
        for row in moment.connection.execute(
            f"SELECT at FROM {table} WHERE at {comparison} ? ORDER BY at {order} LIMIT 1", (moment.position,)
        )
    ]
    nearest = (min if forward else max)(found, default=None)
    return wall_of(nearest) if nearest is not None else None
