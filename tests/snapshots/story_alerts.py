"""The rules and the alerts of the recorded nights."""

from __future__ import annotations

from console.model.configuration import Severity
from console.model.judgement import AlertChange, RuleReading
from console.model.observation import Origin
from console.model.states import State

NOW = 1_763_781_164_000  # 2025-11-22 03:12:44 UTC
S, M, H, D = 1000, 60_000, 3_600_000, 86_400_000
GOOD, WARN, BAD, UNKNOWN, ABSENT = (
    State.HEALTHY,
    State.DEGRADED,
    State.UNHEALTHY,
    State.UNKNOWN,
    State.NOT_CONFIGURED,
)


def _rule(
    name: str, severity: Severity, condition: str, state: str = "ok", value: float | None = None, unit: str = ""
) -> RuleReading:
    return RuleReading(name=name, severity=severity, condition=condition, state=state, value=value, unit=unit)


def rules(firing: bool) -> tuple[RuleReading, ...]:
    """How the rules stand."""
    fires = "firing" if firing else "ok"
    return (
        _rule("application", "critical", "unhealthy", fires),
        _rule("probe-error-rate", "high", "> 5 % over 5 min", fires, 0.38 if firing else 0.002, "share"),
        _rule(
            "connections",
            "high",
            "> 90 % of the limit",
            "pending" if firing else "ok",
            0.9 if firing else 0.23,
            "share",
        ),
        _rule("blocking", "high", "waits > 60 s", "ok", 4 if firing else 0, "s"),
        _rule("error-rate", "high", "> 5 % over 5 min", "unknown", None, "share"),
        _rule("memory", "critical", "> 80 % of the limit", "unknown", None, "share"),
        _rule("certificate", "high", "not valid, or near its end", "ok", 61, "d"),
        _rule("egress", "high", "this bastion is offline"),
        _rule("collector-late", "medium", "a source is not polled in time"),
        _rule("vendor", "low", "a vendor reports an incident"),
    )


PAST_ALERT = AlertChange(
    rule="probe-response-time",
    severity="medium",
    subject="routes",
    text="/api/v1/audits takes 2,310 ms on average",
    origin=Origin.PROBE,
    pending_ms=NOW - 28 * H,
    began_ms=NOW - 28 * H + M,
    ended_ms=NOW - 28 * H + 13 * M,
    value=2310,
    limit=2000,
    unit="ms",
)
NIGHT_ALERTS = (
    AlertChange(
        rule="application",
        severity="critical",
        subject="application",
        text="check database fails",
        origin=Origin.PROBE,
        pending_ms=NOW - 8 * M,
        began_ms=NOW - 7 * M,
    ),
    AlertChange(
        rule="probe-error-rate",
        severity="high",
        subject="routes",
        text="38 % of the probes fail: 47 of 124",
        origin=Origin.PROBE,
        pending_ms=NOW - 8 * M,
        began_ms=NOW - 6 * M,
        value=0.38,
        limit=0.05,
        unit="share",
    ),
)
