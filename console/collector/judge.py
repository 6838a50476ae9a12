"""What is known of an environment while a collector runs, and the judgement made of it in each round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from console.collector.upkeep import Upkeep, is_shut
from console.model import alerts
from console.model.alert_rules import CONNECTION_FAILURES, measure_all
from console.model.belonging import identity, mismatch, project_of
from console.model.causes import Dated
from console.model.changes import changes
from console.model.component_application import FLAPPING_CONFIRMATIONS
from console.model.component_users import TARGET as USERS
from console.model.component_users import told_by
from console.model.components import judge_components, other_vendors, state_of
from console.model.configuration import Environment, Severity
from console.model.custom_rules import longest_window_s
from console.model.finding import Assessment, Finding
from console.model.judgement import AlertChange, Judgement
from console.model.metric_views import BurnRate
from console.model.moment import Moment
from console.model.observation import ErrorKind, Event, Observation, Origin, Outcome, Sample
from console.model.situation import EGRESS, Online, Situation, witness_says
from console.model.states import State
from console.model.target_rows import target_rows
from console.model.track import CONFIRMATIONS, REACH_FAULTS, Track, failed_checks
from console.model.verdict import conclude
from console.model.windows import UNANSWERED, Windows
from console.sources.egress import is_local

LOOK_BACK_S = 900.0
EVENTS = 500
EVENTS_MS = 48 * 3_600_000
OWN = "collector"
CONNECTION_FAULTS = REACH_FAULTS | {ErrorKind.LIMIT}


@dataclass(frozen=True, slots=True)
class Reaction:
    """What an observation asks of the run loop: to be stored with its events, a round soon, targets asked now."""

    observation: Observation
    is_news: bool = False
    ask: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How the polling itself stands when a round is judged."""

    late: Sequence[str] = ()
    waiting_s: Mapping[str, float] = field(default_factory=dict)
    defect: str | None = None
    burn: Mapping[str, tuple[BurnRate, ...]] = field(default_factory=dict)
    """How fast the error budgets burn, by the key of their target."""


class Judge:
    """The tracks, samples, events and alerts of one environment. Knows no store and no clock."""

    def __init__(
        self,
        environment: Environment,
        intervals: Mapping[str, float],
        *,
        confirmations: int = CONFIRMATIONS,
        upkeep: Upkeep | None = None,
    ) -> None:
        """`intervals`: seconds between polls of every target, in order of configuration."""
        self._environment = environment
        self.tracks = {
            target: Track(target, interval_s, confirmations) for target, interval_s in (*intervals.items(), (OWN, 5.0))
        }
        self.windows = Windows(_longest_s(environment, intervals))
        self._exempt = exempt_targets(environment, intervals)
        self._database_project = _database_project(environment)
        self._events: dict[tuple[str, str, str], Event] = {}
        self._onsets: dict[str, int] = {}
        self._faults: dict[str, str] = {}
        """The kind of trouble of each reason that stands."""
        self._standings: dict[alerts.Key, alerts.Standing] = {}
        self._unsaved: list[AlertChange] = []
        self._unconnected: dict[str, int] = {}
        self.upkeep = upkeep or Upkeep()

    # What was before

    def remember(self, open_alerts: Iterable[AlertChange], onsets: Mapping[str, int], events: Iterable[Event]) -> None:
        """Take over what a collector before this one had concluded."""
        self._standings = alerts.reopened(open_alerts)
        self._onsets = dict(onsets)
        self._remember_events(events)
        self.upkeep.remember(self._events.values())

    def tell_again(self) -> None:
        """The store was begun anew: alerts that are open begin in it once more."""
        self._unsaved = list(self.fired())

    def saved(self) -> None:
        """What the newest judgement held has been stored."""
        self._unsaved = []

    def firing(self) -> Counter[Severity]:
        """How many alerts fire, by severity."""
        return Counter(alert.severity for alert in self.fired())

    def fired(self) -> tuple[AlertChange, ...]:
        """The alerts that fire."""
        return tuple(standing.firing for standing in self._standings.values() if standing.firing)

    @property
    def offline(self) -> bool:
        """Whether this bastion is offline, as the witness says."""
        return witness_says(self.tracks.get(EGRESS)) is Online.NO

    # What is seen

    def note(self, observation: Observation, at: Moment, waited_ms: float | None = None) -> Reaction:
        """Take in one poll. `waited_ms`: how long it was waited for."""
        track = self.tracks.get(observation.target)
        if track is None:
            return Reaction(observation)
        observation = self.upkeep.judged(observation)
        observation = replace(observation, events=(*observation.events, *self._changes(track, observation, at)))
        self._remember_events(observation.events)
        before, said = track.state, witness_says(self.tracks.get(EGRESS))
        track.note(observation, at)
        if self._excuse(track):
            observation = replace(observation, samples=_without_ok(observation.samples))
        elif observation.error_kind is ErrorKind.TIMEOUT and waited_ms is not None:
            self.windows.add(f"{track.target}|{UNANSWERED}", at, waited_ms // 100 * 100)
        for metric, sample in observation.samples.items():
            self.windows.add(f"{track.target}|{metric}", at, sample)
        self._count_connection(track, observation)
        back = self._hear_witness(said) if track.target == EGRESS else ()
        return Reaction(observation, is_news=track.state is not before, ask=(*back, *self._witness(track)))

    def _changes(self, track: Track, observation: Observation, at: Moment) -> list[Event]:
        """The events that the difference to the answer before tells."""
        if observation.outcome is not Outcome.ANSWERED:
            return []
        return list(changes(track.answered, observation, at.wall_ms, deployments_told="vercel" in self.tracks))

    def _remember_events(self, events: Iterable[Event]) -> None:
        for event in events:
            known = self._events.get(key := (event.kind, event.subject, event.key or str(event.at_ms)))
            if known is None or event.data or not known.data:
                self._events[key] = event
        for key in list(self._events)[: max(0, len(self._events) - EVENTS)]:
            del self._events[key]

    def _count_connection(self, track: Track, observation: Observation) -> None:
        """A failed connection counts once it is confirmed: one lost packet is none."""
        sql = observation.target.startswith("postgres.") and observation.error_kind in CONNECTION_FAULTS
        check = observation.target == "health" and "database" in failed_checks(observation)
        if (sql or check) and track.bad >= track.confirmations:
            self._unconnected[track.target] = self._unconnected.get(track.target, 0) + 1

    def _witness(self, track: Track) -> tuple[str, ...]:
        """A first failure to reach asks the witness at once: until it answers nobody knows whose fault it is."""
        first = track.trouble == 1 and track.error_kind in REACH_FAULTS
        return (EGRESS,) if first and EGRESS in self.tracks and track.target not in (EGRESS, *self._exempt) else ()

    def _hear_witness(self, before: Online) -> tuple[str, ...]:
        """While the bastion is offline a failure to reach proves nothing; once it is back, that is asked anew."""
        says = witness_says(self.tracks[EGRESS])
        if Online.NO not in (before, says):
            return ()
        failed = [track for track in self.tracks.values() if self._is_excusable(track)]
        for track in failed:
            self._forget(track)
        return () if says is Online.NO else tuple(track.target for track in failed)

    def _excuse(self, track: Track) -> bool:
        """Whether the poll told of the way and not of its target; then it counts for nothing."""
        if witness_says(self.tracks.get(EGRESS)) is not Online.NO or not self._is_excusable(track):
            return False
        track.forget_failures()
        return True

    def _forget(self, track: Track) -> None:
        """Failures before the witness was heard are the way's, too: shares over minutes leave them out."""
        if track.trouble_since is not None:
            for metric in ("ok", UNANSWERED):
                self.windows.forget(f"{track.target}|{metric}", track.trouble_since)
        track.forget_failures()

    def _is_excusable(self, track: Track) -> bool:
        return track.error_kind in REACH_FAULTS and track.target not in (EGRESS, *self._exempt)

    # What is concluded

    def conclude(self, at: Moment, progress: Progress) -> Judgement:
        """The judgement of this round. Until `saved` is called, later ones repeat its alerts."""
        situation = self._situation(at, progress)
        failures = self._connection_failures(situation)
        assessments = judge_components(situation)
        measured = measure_all(situation, assessments)
        self._standings, changed = alerts.step(self._standings, measured, at)
        self._unsaved += changed
        return Judgement(
            at_ms=at.wall_ms,
            verdict=conclude(situation, assessments, self._dated(situation, assessments)),
            components=tuple(each.judgement for each in assessments),
            targets=target_rows(situation),
            alerts=tuple(self._unsaved),
            rules=alerts.readings(self._standings, measured),
            identity=identity(situation),
            identity_mismatch=mismatch(situation, self._database_project),
            samples=self._samples(situation, assessments, failures),
        )

    def _situation(self, at: Moment, progress: Progress) -> Situation:
        return Situation(
            now=at,
            environment=self._environment,
            tracks=self.tracks,
            windows=self.windows,
            events=tuple(event for event in self._events.values() if at.wall_ms - event.at_ms < EVENTS_MS),
            exempt=self._exempt,
            late=progress.late,
            defect=progress.defect,
            waiting_s=progress.waiting_s,
            burn=progress.burn,
            standing=frozenset(self._onsets),
            maintenance=self.upkeep.current,
        )

    def _dated(self, situation: Situation, assessments: Sequence[Assessment]) -> list[Dated]:
        found = [finding for each in assessments for finding in each.findings]
        found += other_vendors(situation, assessments)
        onsets = {finding.key: self._onset(finding, situation.now) for finding in found}
        self._inherit(found, onsets)
        self._onsets, self._faults = onsets, {finding.key: finding.fault for finding in found}
        return [Dated(finding, onsets[finding.key]) for finding in found]

    def _onset(self, finding: Finding, now: Moment) -> int:
        """Since when it stands: as told before, else the poll that first showed it, else now."""
        first_ms = finding.since.wall_ms if finding.since else now.wall_ms
        return self._onsets.get(finding.key, first_ms)

    def _inherit(self, found: Sequence[Finding], onsets: dict[str, int]) -> None:
        """A finding in whose place another stands (down becomes errors, errors down) hands on its onset.

        Only within one kind of trouble: what begins as another ends has another cause.
        """
        ended = {key: at_ms for key, at_ms in self._onsets.items() if key not in onsets}
        for finding in found:
            earlier = [at_ms for key, at_ms in ended.items() if self._became(key, finding)]
            if finding.key not in self._onsets and earlier:
                onsets[finding.key] = min(onsets[finding.key], *earlier)

    def _became(self, key: str, finding: Finding) -> bool:
        component, _, what = key.partition(".")
        if component != finding.component or not finding.fault:
            return False
        waited = what.startswith("waiting") and finding.fault == ErrorKind.TIMEOUT
        return waited or self._faults.get(key) == finding.fault

    def _connection_failures(self, situation: Situation) -> float | None:
        """Confirmed failures since the round before; None when the database was never asked."""
        asked = [track for track in self._connecting() if track.newest is not None]
        if not asked:
            return None
        waits = {track.target for track in asked if situation.awaits_witness(track)}
        excused = {track.target for track in asked if situation.excused(track)}
        counts = self._unconnected.items()
        failures = float(sum(count for target, count in counts if target not in waits | excused))
        self._unconnected = {target: count for target, count in counts if target in waits}
        self.windows.add(CONNECTION_FAILURES, situation.now, failures)
        return failures

    def _connecting(self) -> list[Track]:
        found = [track for target, track in self.tracks.items() if target.startswith("postgres.")]
        return found + [track for target, track in self.tracks.items() if target == "health"]

    def _samples(
        self, situation: Situation, assessments: Sequence[Assessment], failures: float | None
    ) -> dict[str, dict[str, Sample]]:
        """The collector's own series: whether the application is up, and failed connections."""
        target, _, metric = CONNECTION_FAILURES.partition("|")
        samples: dict[str, dict[str, Sample]] = {} if failures is None else {target: {metric: failures}}
        up = self._up(situation, assessments)
        return samples if up is None else samples | {"application": {"up": up}}

    def _up(self, situation: Situation, assessments: Sequence[Assessment]) -> float | None:
        """1.0 or 0.0; None while it is not known, a first failure waits to be confirmed, or it is shut as planned."""
        maintenance = situation.maintenance
        if maintenance is not None and maintenance.planned:
            return None
        if maintenance is not None and is_shut(self.tracks):
            return 0.0
        state = state_of(assessments, "application")
        if state is State.UNHEALTHY:
            return 0.0
        probes = [track for name in ("health", "ping") if (track := situation.track(name))]
        if state not in (State.HEALTHY, State.DEGRADED) or any(track.bad for track in probes):
            return None
        return 1.0


def exempt_targets(environment: Environment, targets: Collection[str]) -> frozenset[str]:
    """The targets whose failures the witness does not excuse: on this host or in its own network.

    A witness that is itself local (the demo's) is there for local targets, and excuses all.
    """
    egress = environment.egress
    if egress is None or all(is_local(url) for url in egress.targets):
        return frozenset()
    return frozenset(target for target in targets if is_local(_address(environment, target)))


def _address(environment: Environment, target: str) -> str:
    """Where a target is, as far as the settings tell; the outside where they do not."""
    outside = "https://outside.example.com"
    if target.startswith("certificate:"):
        return f"https://{target.partition(':')[2]}"
    if target.startswith(("postgres.", "sql:")) and environment.database:
        return environment.database.reveal()
    from_prometheus = target == USERS and told_by(environment) is Origin.PROMETHEUS
    if (target.startswith("prometheus:") or from_prometheus) and environment.prometheus:
        return environment.prometheus.url
    if target == "metrics" and environment.metrics and "://" in environment.metrics:
        return environment.metrics
    if target in ("health", "ping", "metrics") or target.startswith("route:"):
        return environment.url
    if target in ("supabase.gateway", "supabase.auth") and environment.supabase:
        return environment.supabase.gateway or outside
    return outside


def _without_ok(samples: Mapping[str, Sample]) -> dict[str, Sample]:
    return {metric: sample for metric, sample in samples.items() if metric != "ok"}


def _database_project(environment: Environment) -> str | None:
    """The Supabase project that the database's address belongs to."""
    if environment.database is None:
        return None
    try:
        parts = urlsplit(environment.database.reveal())
        return project_of(parts.hostname or "", parts.username or "")
    except ValueError:
        return None


def _longest_s(environment: Environment, intervals: Mapping[str, float]) -> float:
    """How far back the rules look, the flapping check's sixty answers included."""
    flapping_s = (FLAPPING_CONFIRMATIONS + 10) * intervals.get("health", 0.0)
    return max(LOOK_BACK_S, longest_window_s(environment.rules), flapping_s)
