"""The nights of the last 30 days: what was wrong, what the console then said, what people did. All invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.demo.world import DAY_MS, HOUR_MS, MINUTE_MS, World
from console.model.configuration import Severity
from console.model.observation import Origin
from console.model.states import State
from console.model.views import Whose


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One thing that was wrong with one component."""

    component: str
    state: State
    text: str
    figure: str
    origin: Origin
    kind: str = "application"
    """Kind of incident, for contacts."""
    targets: tuple[str, ...] = ()
    """The polled targets that showed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alert that was raised for it."""

    rule: str
    subject: str
    severity: Severity
    text: str
    origin: Origin
    pending_s: int = 30
    value: float | None = None
    limit: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event around it."""

    at_ms: int
    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One night."""

    began_ms: int
    ended_ms: int
    symptoms: tuple[Symptom, ...]
    alarms: tuple[Alarm, ...]
    happenings: tuple[Happening, ...] = ()
    whose: Whose = "us"
    whose_words: str = "vendors: none reporting"
    cause: str | None = None
    down: bool = False
    """The application itself was unhealthy: it counts against uptime."""
    slower: float = 1.0
    """By how much users' and probes' response times were longer."""
    error_share: float = 0.0
    gauges: Mapping[str, float] = field(default_factory=dict)
    """Series to the value that they had."""

    @property
    def worst(self) -> State:
        """The state of the whole."""
        return State.UNHEALTHY if any(one.state is State.UNHEALTHY for one in self.symptoms) else State.DEGRADED


def of(world: World) -> tuple[Incident, ...]:
    """All nights, oldest first; none overlaps another."""
    now_ms = world.now_ms
    return (
        _bad_deployment(world),
        _vendor_outage(now_ms - 19 * DAY_MS - 3 * HOUR_MS),
        _connections(now_ms - 12 * DAY_MS - 5 * HOUR_MS),
        _migration_lock(now_ms - 5 * DAY_MS - 9 * HOUR_MS),
        _slow_evening(now_ms - 26 * HOUR_MS),
    )


def _bad_deployment(world: World) -> Incident:
    """25 days ago: audits fail after a deployment, and it is rolled back after eleven minutes."""
    wanted_ms = world.now_ms - 25 * DAY_MS
    culprit = min(world.deployments, key=lambda one: abs(one.created_ms - wanted_ms))
    began = (culprit.live_ms or culprit.created_ms) + 40_000
    ended = began + 11 * MINUTE_MS
    routes, users = "/api/v1/audits: 41 % 5xx, 54 of 132", "22 % of the users' requests fail: 1,310 of 5,954 requests"
    return Incident(
        began_ms=began, ended_ms=ended, error_share=0.22, slower=1.6,
        cause=f'deployment {culprit.short} "{culprit.message}" ({culprit.login}) 40 s before: likely',
        symptoms=(
            Symptom(component="routes", state=State.UNHEALTHY, text=routes, figure="5xx 41 %", origin=Origin.PROBE,
                    kind="deployment", targets=("route:/api/v1/audits",)),
            Symptom(component="users", state=State.UNHEALTHY, text=users, figure="errors 22 %", origin=Origin.USERS),
        ),
        alarms=(
            Alarm(rule="route-down", subject="/api/v1/audits", severity="high", text="/api/v1/audits: 500",
                  origin=Origin.PROBE),
            Alarm(rule="error-rate", subject="users", severity="high", text=users, origin=Origin.USERS, value=0.22,
                  limit=0.05, unit="share"),
        ),
        happenings=(
            Happening(at_ms=ended - 25_000, kind="rollback", subject="vercel",
                      text=f'rolled back from {culprit.short} "{culprit.message}" (jonas)'),
        ),
    )  # fmt: skip


def _vendor_outage(began: int) -> Incident:
    """19 days ago: Supabase's gateway fails for 52 minutes, and Supabase says so after six."""
    ended = began + 52 * MINUTE_MS
    name = "Elevated gateway errors in eu-central-1"
    text = "gateway: 502, while direct SQL answers"
    return Incident(
        began_ms=began, ended_ms=ended, whose="vendor",
        whose_words=f'supabase reports "{name}" (major)',
        symptoms=(
            Symptom(component="supabase", state=State.DEGRADED, text=text, figure="gateway down", origin=Origin.PROBE,
                    kind="vendor", targets=("supabase.gateway", "supabase.auth")),
        ),
        alarms=(
            Alarm(rule="supabase", subject="gateway", severity="high", text=text, origin=Origin.PROBE, pending_s=60),
            Alarm(rule="vendor", subject="supabase", severity="low", text=f'supabase reports "{name}" (major)',
                  origin=Origin.API, pending_s=60),
        ),
        happenings=(
            Happening(at_ms=began + 6 * MINUTE_MS, kind="vendor", subject="supabase", text=f"{name} (major)"),
            Happening(at_ms=ended + 90_000, kind="vendor", subject="supabase", text=f"{name}: resolved"),
        ),
    )  # fmt: skip


def _connections(began: int) -> Incident:
    """12 days ago: a review import takes all connections for nine minutes."""
    database = "connections exhausted: 57 of 60 connections, 3 reserved; 41 by radar_worker/review-import"
    return Incident(
        began_ms=began, ended_ms=began + 9 * MINUTE_MS, down=True, error_share=0.35, slower=4.0,
        gauges={"postgres.activity|connections": 57.0},
        symptoms=(
            Symptom(component="database", state=State.UNHEALTHY, text=database, figure="57/60 connections",
                    origin=Origin.SQL, kind="database", targets=("postgres.activity",)),
            Symptom(component="application", state=State.UNHEALTHY, text="database check fails, status says healthy",
                    figure="database check fail", origin=Origin.PROBE, targets=("health",)),
            _users_fail(0.35),
        ),
        alarms=(
            Alarm(rule="application-down", subject="application", severity="critical", origin=Origin.PROBE,
                  text="database check fails, status says healthy", pending_s=15),
            Alarm(rule="connections", subject="database", severity="high",
                  text="57 of 60 connections; 41 by radar_worker/review-import",
                  origin=Origin.SQL, pending_s=60, value=1.0, limit=0.9, unit="share"),
        ),
    )  # fmt: skip


def _migration_lock(began: int) -> Incident:
    """5 days ago: a migration from CI waits behind an idle reader for three minutes, and everybody behind it."""
    text = "pid 4711 weekly-report, idle in transaction 4 m, blocks ALTER TABLE, 9 sessions queued 3 m"
    return Incident(
        began_ms=began, ended_ms=began + 3 * MINUTE_MS, down=True, error_share=0.18, slower=6.0,
        cause="CI run #398 migrates since 20 s before: likely",
        gauges={"postgres.activity|blocked": 9.0, "postgres.activity|connections": 21.0},
        symptoms=(
            Symptom(component="database", state=State.UNHEALTHY, text=text, figure="21/60, 1 blocker",
                    origin=Origin.SQL, kind="database", targets=("postgres.activity",)),
            Symptom(component="application", state=State.UNHEALTHY, text="health check fails: no answer within 10 s",
                    figure="timeout", origin=Origin.PROBE, targets=("health", "route:/api/v1/audits")),
            _users_fail(0.18),
        ),
        alarms=(
            Alarm(rule="application-down", subject="application", severity="critical", origin=Origin.PROBE,
                  text="health check fails: no answer within 10 s", pending_s=15),
            Alarm(rule="blocking", subject="database", severity="high", origin=Origin.SQL, pending_s=0, unit="s",
                  text="pid 4711 weekly-report has blocked others for 3 m", value=178.0, limit=60.0),
        ),
        happenings=(
            Happening(at_ms=began - 20_000, kind="ci", subject="github", text="CI run #398 migrates (luis)"),
        ),
    )  # fmt: skip


def _slow_evening(began: int) -> Incident:
    """Yesterday: a busy evening, above the target and below any alert."""
    return Incident(
        began_ms=began, ended_ms=began + 14 * MINUTE_MS, slower=9.0,
        symptoms=(
            Symptom(component="routes", state=State.DEGRADED, text="p95 640 ms (limit 200 ms)", figure="p95 640 ms",
                    origin=Origin.PROBE),
            Symptom(component="users", state=State.DEGRADED, text="p95 610 ms (limit 200 ms)", figure="p95 610 ms",
                    origin=Origin.USERS),
        ),
        alarms=(),
    )  # fmt: skip


def _users_fail(share: float) -> Symptom:
    text = f"{share * 100:.0f} % of the users' requests fail"
    figure = f"errors {share * 100:.0f} %"
    return Symptom(component="users", state=State.UNHEALTHY, text=text, figure=figure, origin=Origin.USERS)
