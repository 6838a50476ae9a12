"""The sample night of the pages: hand-built values with a fixed clock."""

from __future__ import annotations

from dataclasses import replace

from console.model.observation import ErrorKind, Origin, Outcome
from console.model.states import State
from console.model.views import (
    CollectorStatus,
    ComponentDetail,
    ComponentRow,
    EventRow,
    Header,
    HealthView,
    OpenItem,
    Reason,
    SpanRow,
    TargetDetail,
    TargetRow,
    UptimeCell,
    Verdict,
)

NOW = 1_763_781_164_000  # 2025-11-22 03:12:44 UTC
S, M, H, D = 1000, 60_000, 3_600_000, 86_400_000
GOOD, WARN, BAD, UNKNOWN = State.HEALTHY, State.DEGRADED, State.UNHEALTHY, State.UNKNOWN


def header(state: State = BAD, **changes: object) -> Header:
    """The first line of the sample night."""
    base = Header(
        at_ms=NOW,
        environment="production",
        label=None,
        identity="abcdref",
        identity_mismatch=None,
        state=state,
        alerts_firing=2,
        sources_late=2,
        sources=14,
        collector=CollectorStatus(alive=True, holder="op1@bastion 4711", renewed_age_s=2.0),
        open_items=(
            OpenItem(kind="silence", text="SILENCE memory high", owner="op2", since_ms=NOW - H, expires_ms=NOW + 3 * H),
            OpenItem(kind="silence", text="SILENCE route:/export", owner="op1", since_ms=NOW - D, expires_ms=NOW + D),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def strip(slices: int, bad: int = 0, state: State = BAD, rest: State = GOOD) -> tuple[State, ...]:
    """The last `bad` fifteenths in one state."""
    count = bad * slices // 15
    return (rest,) * (slices - count) + (state,) * count


def components(slices: int) -> tuple[ComponentRow, ...]:
    """The table of the sample night."""

    def row(
        key: str, state: State, since: int | None, figure: str, seen: int | None, origin: Origin, **more: object
    ) -> ComponentRow:
        name = str(more.pop("name", key))
        base = ComponentRow(
            key=key,
            name=name,
            state=state,
            since_ms=None if since is None else NOW - since,
            figure=figure,
            strip=strip(slices),
            seen_ms=None if seen is None else NOW - seen,
            interval_s=5,
            origin=origin,
        )
        return replace(base, **more)  # type: ignore[arg-type]

    return (
        row("application", BAD, 8 * M, "database fails", 3 * S, Origin.PROBE, strip=strip(slices, 8)),
        row("routes", BAD, 8 * M, "p95 1,840 ms", 4 * S, Origin.PROBE, strip=strip(slices, 8), name="routes 6/8"),
        row("users", UNKNOWN, None, "no log, no metrics", None, Origin.NONE, strip=strip(slices, 15, UNKNOWN)),
        row("database", WARN, 2 * M, "54/60, 1 blocker", 2 * S, Origin.SQL, strip=strip(slices, 1, WARN)),
        row("vercel", GOOD, 12 * D, "live 8f3c1d2", 20 * S, Origin.API, interval_s=20),
        row("supabase", GOOD, 3 * H, "gateway 81 ms", 20 * S, Origin.PROBE, interval_s=20),
        row("certificate", GOOD, 41 * D, "61 of 90 days left", 40 * M, Origin.TLS, interval_s=3600),
        row("bastion", GOOD, 9 * D, "egress ok", 2 * S, Origin.HOST),
    )


TARGETS = (
    TargetRow(name="p95", value=1840, unit="ms", limit=200, origin=Origin.PROBE, state=BAD, samples=124, window_s=300),
    TargetRow(
        name="errors", value=0.38, unit="share", limit=0.01, origin=Origin.PROBE, state=BAD, samples=124, window_s=300
    ),
    TargetRow(
        name="memory", value=None, unit="share", limit=0.8, origin=Origin.NONE, state=UNKNOWN, samples=0, window_s=300
    ),
    TargetRow(name="db query", value=12, unit="ms", limit=100, origin=Origin.SQL, state=GOOD, samples=60, window_s=300),
)
UPTIME = (
    UptimeCell(window_s=86400, up_share=0.99312, observed_share=1.0, target_share=0.999, budget_left_share=-5.8),
    UptimeCell(window_s=7 * 86400, up_share=0.99884, observed_share=0.982, target_share=0.999, budget_left_share=-0.16),
    UptimeCell(window_s=30 * 86400, up_share=None, observed_share=0.41, target_share=0.999, budget_left_share=None),
)
EVENTS = (
    EventRow(at_ms=NOW - 8 * M, kind="state", subject="routes", text="routes unhealthy", state=BAD),
    EventRow(at_ms=NOW - 9 * M, kind="deployment", subject="vercel", text='8f3c1d2 "pricing v2" live (op1)'),
    EventRow(at_ms=NOW - 14 * M, kind="migration", subject="database", text="migration 012 by CI #412"),
    EventRow(at_ms=NOW - 92 * M, kind="rollback", subject="vercel", text='rollback by op2 "login 500s"'),
    EventRow(at_ms=NOW - 3 * H, kind="state", subject="supabase", text="supabase healthy", state=GOOD),
    EventRow(at_ms=NOW - 5 * H, kind="vendor", subject="supabase", text="supabase: elevated latency, resolved"),
    EventRow(at_ms=NOW - 26 * H, kind="restart", subject="collector", text="collector began on bastion-1 (op1)"),
    EventRow(at_ms=NOW - 12 * D, kind="state", subject="vercel", text="vercel healthy", state=GOOD),
)
VERDICT = Verdict(
    state=BAD,
    reasons=(
        Reason(
            key="routes",
            state=BAD,
            component="routes",
            text="/api/v1/audits 38 % 5xx, 47 of 124",
            since_ms=NOW - 8 * M,
            origin=Origin.PROBE,
            cause='began 40 s after deployment 8f3c1d2 "pricing v2" (op1 03:03): likely',
            incident="deployment",
        ),
        Reason(
            key="application",
            state=BAD,
            component="application",
            text="database check fails: connection refused",
            since_ms=NOW - 8 * M,
            origin=Origin.PROBE,
        ),
        Reason(
            key="database",
            state=WARN,
            component="database",
            text="54 of 60 connections",
            since_ms=NOW - 2 * M,
            origin=Origin.SQL,
            incident="database",
        ),
    ),
    whose="us",
    whose_words="vendors: none reporting",
    next_steps=("9 alerts", "C contacts", "see deployment 8f3c1d2"),
)
WELL = Verdict(state=GOOD, reasons=(), whose="", whose_words="vendors: none reporting")


def health(slices: int = 15, events: int = 8, verdict: Verdict | None = VERDICT, **changes: object) -> HealthView:
    """The Health screen of the sample night."""
    base = HealthView(
        header=header(),
        verdict=verdict,
        verdict_ms=NOW - 2 * S,
        components=components(slices),
        strip_s=1800,
        targets=TARGETS,
        uptime=UPTIME,
        lately=EVENTS[:events],
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def well(slices: int = 15, events: int = 8) -> HealthView:
    """The same environment on a good night."""
    rows = tuple(
        replace(
            row,
            state=GOOD,
            strip=strip(slices),
            since_ms=NOW - 9 * D,
            figure=figure,
            seen_ms=row.seen_ms or NOW - 9 * S,
        )
        for row, figure in zip(
            components(slices),
            (
                "all checks pass",
                "p95 118 ms",
                "p95 96 ms, 0.1 %",
                "14/60",
                "live 41ab9e0",
                "gateway 81 ms",
                "61 of 90 days left",
                "egress ok",
            ),
            strict=True,
        )
    )
    rows = tuple(replace(row, origin=Origin.USERS) if row.key == "users" else row for row in rows)
    targets = tuple(
        replace(row, value=value, state=GOOD, origin=origin)
        for row, value, origin in zip(
            TARGETS, (96, 0.001, 0.61, 12), (Origin.USERS, Origin.USERS, Origin.USERS, Origin.SQL), strict=True
        )
    )
    uptime = tuple(replace(cell, up_share=0.99996, observed_share=1.0, budget_left_share=0.96) for cell in UPTIME)
    return health(
        slices,
        verdict=WELL,
        header=header(GOOD, alerts_firing=0, sources_late=0, open_items=()),
        components=rows,
        targets=targets,
        uptime=uptime,
        lately=EVENTS[4 : 4 + events],
    )


def span_row(began: int, lasted: int, state: State, words: str, **more: object) -> SpanRow:
    """One stretch of history."""
    base = SpanRow(
        began_ms=NOW - began,
        last_ms=NOW - began + lasted,
        outcome=Outcome.ANSWERED,
        error_kind=None,
        state=state,
        words=words,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def component(key: str, row: ComponentRow | None = None) -> ComponentDetail:
    """What Enter opens."""
    found = row or next(row for row in components(30) if row.key == key)
    answer = TargetDetail(
        target="health",
        state=BAD,
        words="answers 200 and healthy, but its database check fails",
        outcome=Outcome.ANSWERED,
        error_kind=None,
        origin=Origin.PROBE,
        seen_ms=NOW - 3 * S,
        tried_ms=NOW - 3 * S,
        due_ms=NOW + 7 * S,
        interval_s=5,
        facts={
            "checks": {
                "database": {"status": "fail", "message": "connection refused"},
                "memory": {"status": "pass", "message": None},
            },
            "claimed": "healthy",
            "version": "1.0.0",
            "environment": "production",
            "http_status": 200,
            "contradiction": True,
        },
        samples={"latency_ms": 16.0, "ok": 0.0},
        volatile={
            "raw": {
                "url": "https://app.example.com/api/v1/system/health",
                "http_status": 200,
                "headers": {"content-type": "application/json"},
                "body": '{"status": "healthy", "timestamp": "2025-11-22T03:12:41Z", "checks": {}}',
            }
        },
        volatile_ms=NOW - 3 * S,
        history=(
            span_row(8 * M, 8 * M - 3 * S, BAD, "answers 200 and healthy, but its database check fails"),
            span_row(9 * D, 9 * D - 8 * M, GOOD, "all checks pass"),
        ),
    )
    ping = replace(
        answer,
        target="ping",
        state=WARN,
        words="no answer in 4 s",
        outcome=Outcome.FAILED,
        error_kind=ErrorKind.TIMEOUT,
        seen_ms=NOW - 40 * S,
        due_ms=NOW - 20 * S,
        facts={"http_status": 200},
        samples={"latency_ms": 41.0},
        volatile={},
        volatile_ms=None,
        history=(
            span_row(40 * S, 37 * S, WARN, "no answer in 4 s", outcome=Outcome.FAILED, error_kind=ErrorKind.TIMEOUT),
        ),
    )
    return ComponentDetail(
        header=header(),
        row=found,
        explanation=(
            "The health route says healthy, its check of the database says fail: the check counts.",
            "Three polls in a row agree, so this is no flapping.",
        ),
        targets=(answer, ping),
        events=EVENTS[:4],
    )
