"""What is recorded for the pictures: nights with their components, verdicts, targets, alerts and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from console.model.judgement import AlertChange, ComponentJudgement
from console.model.observation import ErrorKind, Event, Json, Origin, Outcome
from console.model.states import State
from console.model.views import Reason, TargetRow, Verdict
from tests.screens.sample_metrics import Curve
from tests.snapshots import story_metrics
from tests.snapshots.story_alerts import ABSENT, BAD, GOOD, NIGHT_ALERTS, NOW, UNKNOWN, WARN, D, H, M, S


@dataclass(frozen=True)
class Part:
    """A component, its targets, and its states: `(state, began before now)`, oldest first."""

    key: str
    figure: str
    origin: Origin
    targets: tuple[str, ...]
    states: tuple[tuple[State, int], ...] = ((GOOD, 40 * D),)
    interval_s: float = 5
    seen: int = 2 * S
    name: str = ""
    words: str = "answers as it should"
    error: str | None = None
    outcome: Outcome = Outcome.ANSWERED
    error_kind: ErrorKind | None = None
    facts: tuple[tuple[str, Json], ...] = ()
    explanation: tuple[str, ...] = ()

    @property
    def judgement(self) -> ComponentJudgement:
        """As it stands now."""
        return ComponentJudgement(
            key=self.key,
            name=self.name or self.key,
            state=self.states[-1][0],
            figure=self.figure,
            origin=self.origin,
            explanation=self.explanation or (f"Every target of it is {self.states[-1][0]}.",),
            targets=self.targets,
            interval_s=self.interval_s,
            error=self.error,
        )


NIGHT = (
    Part(
        "application",
        "database fails",
        Origin.PROBE,
        ("health", "ping"),
        ((GOOD, 9 * D), (BAD, 8 * M)),
        seen=3 * S,
        words="answers 200 and healthy, but its database check fails",
        facts=(
            (
                "checks",
                {
                    "database": {"status": "fail", "message": "connection refused"},
                    "memory": {"status": "pass", "message": None},
                },
            ),
            ("claimed", "healthy"),
            ("version", "1.0.0"),
            ("environment", "production"),
            ("http_status", 200),
            ("contradiction", True),
        ),
        explanation=(
            "The health route claims healthy while its check of the database fails: the check counts.",
            "Three polls in a row agree, so this is no flapping.",
        ),
    ),
    Part(
        "routes",
        "p95 1,840 ms",
        Origin.PROBE,
        ("route:/", "route:/api/v1/audits"),
        ((GOOD, 9 * D), (BAD, 8 * M)),
        seen=4 * S,
        name="routes 6/8",
        words="500 Internal Server Error",
        facts=(("http_status", 500), ("content_type", "text/html")),
        explanation=("Two of eight routes answer 5xx.",),
    ),
    Part(
        "users",
        "no log, no metrics",
        Origin.NONE,
        (),
        ((UNKNOWN, 40 * D),),
        explanation=("The application offers no metrics.",),
    ),
    Part(
        "database",
        "54/60, 1 blocker",
        Origin.SQL,
        ("postgres.activity", "postgres.canary"),
        ((GOOD, 9 * D), (WARN, 2 * M)),
        words="54 of 60 connections; one session blocks 3",
        facts=(
            ("max_connections", 60),
            ("reserved", 3),
            ("server_version", "17.6"),
            ("in_recovery", False),
            ("address", "10.0.3.7:5432"),
        ),
        explanation=("Connections are above 80 % of the limit.", "One session blocks others for less than a minute."),
    ),
    Part("vercel", "live 8f3c1d2", Origin.API, ("vercel",), ((GOOD, 12 * D),), 20, 9 * S),
    Part(
        "supabase",
        "gateway 81 ms",
        Origin.PROBE,
        ("supabase.gateway", "supabase.auth"),
        ((WARN, 5 * H), (GOOD, 3 * H)),
        20,
        9 * S,
    ),
    Part(
        "certificate",
        "61 of 90 days left",
        Origin.TLS,
        ("certificate:app.example.com:443",),
        ((GOOD, 40 * D),),
        3600,
        40 * M,
    ),
    Part("bastion", "egress ok", Origin.HOST, ("host", "egress"), ((GOOD, 9 * D),)),
)
CALM_FIGURES = {
    "application": "all checks pass",
    "routes": "p95 118 ms",
    "users": "p95 96 ms, 0.1 %",
    "database": "14/60 connections",
}
CALM = tuple(
    replace(
        part,
        states=((GOOD, 9 * D),),
        figure=CALM_FIGURES.get(part.key, part.figure),
        words="answers as it should",
        name="routes 8/8" if part.key == "routes" else "",
        origin=Origin.USERS if part.key == "users" else part.origin,
        facts=(("http_status", 200),) if part.origin is Origin.PROBE else (),
        explanation=("All of it is well.",),
    )
    for part in NIGHT
)
LEAST = tuple(
    part
    if part.key in ("application", "routes", "certificate", "bastion")
    else replace(part, states=((ABSENT, 40 * D),), figure=f"add [{part.key}]", targets=(), origin=Origin.NONE)
    for part in CALM
)
OFFLINE = tuple(
    replace(
        part,
        states=((GOOD, 9 * D), (UNKNOWN, 3 * M)),
        outcome=Outcome.HELD,
        error_kind=ErrorKind.EGRESS,
        error="bastion offline",
        words="not tried: this bastion is offline",
        seen=3 * M,
    )
    if part.key not in ("database", "bastion", "users")
    else replace(part, states=((GOOD, 9 * D), (BAD, 3 * M)), figure="no egress, no DNS")
    if part.key == "bastion"
    else part
    for part in CALM
)
FORBIDDEN = tuple(
    replace(
        part,
        states=((GOOD, 9 * D), (UNKNOWN, 20 * M)),
        outcome=Outcome.FORBIDDEN,
        error_kind=ErrorKind.CREDENTIALS,
        error="token refused (403)",
        words="the token may not read this project: renew it in Vercel",
        seen=20 * M,
    )
    if part.key == "vercel"
    else part
    for part in CALM
)


def _reason(component: str, state: State, text: str, since: int, origin: Origin, cause: str | None = None) -> Reason:
    return Reason(
        key=component,
        state=state,
        component=component,
        text=f"{component}: {text}",
        since_ms=NOW - since,
        origin=origin,
        cause=cause,
        incident="database" if component == "database" else "deployment",
    )


NIGHT_VERDICT = Verdict(
    state=BAD,
    reasons=(
        _reason(
            "routes",
            BAD,
            "/api/v1/audits 38 % 5xx since 03:04 (probe, 47 of 124)",
            8 * M,
            Origin.PROBE,
            'likely 40 s after deployment 8f3c1d2 "pricing v2" (op1, 03:03)',
        ),
        _reason("application", BAD, "check database fails since 03:04 (probe)", 8 * M, Origin.PROBE),
        _reason("database", WARN, "54 of 60 connections, 1 blocker since 03:10 (sql)", 2 * M, Origin.SQL),
    ),
    whose="us",
    whose_words="vendors: none reporting",
    next_steps=("roll back 8f3c1d2", "contact DBA on call"),
)
CALM_VERDICT = Verdict(state=GOOD, reasons=(), whose="", whose_words="vendors: none reporting")
OFFLINE_VERDICT = Verdict(
    state=UNKNOWN,
    reasons=(
        _reason("bastion", BAD, "offline: 0 of 2 outside targets, no DNS since 03:09 (host)", 3 * M, Origin.HOST),
    ),
    whose="bastion",
    whose_words="this bastion is offline: what it cannot reach is unknown",
    next_steps=("check the network of this host",),
)


def _target(
    name: str, value: float | None, unit: str, limit: float, origin: Origin, state: State, aside: str | None = None
) -> TargetRow:
    return TargetRow(
        name=name,
        value=value,
        unit=unit,
        limit=limit,
        origin=origin,
        state=state,
        samples=124 if value is not None else 0,
        window_s=300,
        aside=aside,
    )


NIGHT_TARGETS = (
    _target("p95", None, "ms", 200, Origin.NONE, UNKNOWN, "probe: 1,840 ms"),
    _target("errors", None, "share", 0.01, Origin.NONE, UNKNOWN, "probe: 38 %"),
    _target("memory", None, "share", 0.8, Origin.NONE, UNKNOWN),
    _target("db query", 12, "ms", 100, Origin.SQL, GOOD),
)
CALM_TARGETS = (
    _target("p95", 96, "ms", 200, Origin.USERS, GOOD),
    _target("errors", 0.001, "share", 0.01, Origin.USERS, GOOD),
    _target("memory", 0.61, "share", 0.8, Origin.USERS, GOOD),
    _target("db query", 12, "ms", 100, Origin.SQL, GOOD),
)


EVENTS = (
    Event(at_ms=NOW - 29 * D, kind="restart", subject="collector", text="collector began on bastion-1"),
    Event(at_ms=NOW - 9 * D - H, kind="deployment", subject="vercel", text='41ab9e0 "fix login" live (op2)'),
    Event(at_ms=NOW - 92 * M, kind="rollback", subject="vercel", text='rollback by op2 "login 500s"'),
    Event(at_ms=NOW - 14 * M, kind="migration", subject="database", text="migration 012 by CI #412"),
)
NIGHT_EVENTS = (
    *EVENTS,
    Event(at_ms=NOW - 9 * M, kind="deployment", subject="vercel", text='8f3c1d2 "pricing v2" live (op1)'),
)


@dataclass(frozen=True)
class Story:
    """What is recorded."""

    parts: tuple[Part, ...]
    verdict: Verdict
    targets: tuple[TargetRow, ...]
    since: int
    """Ms before now since when the verdict stands."""
    alerts: tuple[AlertChange, ...] = ()
    events: tuple[Event, ...] = EVENTS
    down: int = 0
    """Ms before now since when the application is down."""
    silence: bool = False
    series: Mapping[str, Curve] = field(default_factory=dict)
    """What was measured, by series."""


BLOCKING: Json = [
    {
        "root_pid": 4242,
        "root_user": "ci",
        "root_application": "migrate",
        "root_state": "idle in transaction",
        "root_query": "ALTER TABLE reviews ADD COLUMN score integer",
        "root_age_s": 41.0,
        "waiters": [
            {
                "pid": 4301,
                "query": "SELECT * FROM reviews WHERE client_id = $1",
                "waits_s": 38.2,
                "mode": "AccessShareLock",
            },
            {"pid": 4307, "query": "INSERT INTO reviews VALUES ($1, $2)", "waits_s": 12.0, "mode": "RowExclusiveLock"},
        ],
        "queued": 3,
    }
]
STORIES = {
    "night": Story(NIGHT, NIGHT_VERDICT, NIGHT_TARGETS, 8 * M, NIGHT_ALERTS, NIGHT_EVENTS, 8 * M, silence=True),
    "calm": Story(CALM, CALM_VERDICT, CALM_TARGETS, 9 * D),
    "measured": Story(
        NIGHT,
        NIGHT_VERDICT,
        NIGHT_TARGETS,
        8 * M,
        NIGHT_ALERTS,
        NIGHT_EVENTS,
        8 * M,
        silence=True,
        series=story_metrics.NIGHT,
    ),
    "measured calm": Story(CALM, CALM_VERDICT, CALM_TARGETS, 9 * D, series=story_metrics.CALM),
    "least": Story(LEAST, CALM_VERDICT, NIGHT_TARGETS[:3], 9 * D, events=EVENTS[:1]),
    "offline": Story(OFFLINE, OFFLINE_VERDICT, NIGHT_TARGETS, 3 * M),
    "forbidden": Story(
        FORBIDDEN,
        replace(
            CALM_VERDICT,
            state=UNKNOWN,
            reasons=(_reason("vercel", UNKNOWN, "token refused (403) since 02:52 (api)", 20 * M, Origin.API),),
            whose="unknown",
        ),
        CALM_TARGETS,
        20 * M,
    ),
}
