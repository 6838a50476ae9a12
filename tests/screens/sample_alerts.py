"""The alerts of the sample night."""

from __future__ import annotations

from dataclasses import replace

from console.model.observation import Origin
from console.model.views import (
    AlertRow,
    AlertsView,
    RuleRow,
    SilenceRow,
)
from tests.screens.sample import NOW, D, H, M, header

FIRING = (
    AlertRow(
        id=7,
        rule="errors-high",
        subject="routes",
        severity="critical",
        text="38 % of requests fail, above 5 %",
        origin=Origin.PROBE,
        pending_ms=NOW - 9 * M,
        began_ms=NOW - 8 * M,
        ended_ms=None,
        value=0.38,
        limit=0.05,
        unit="share",
    ),
    AlertRow(
        id=8,
        rule="connections",
        subject="database",
        severity="high",
        text="54 of 60 connections used",
        origin=Origin.SQL,
        pending_ms=NOW - 3 * M,
        began_ms=NOW - 2 * M,
        ended_ms=None,
        value=54,
        limit=48,
        unit="",
        acknowledged_by="op1",
        acknowledged_ms=NOW - M,
        acknowledged_note="looking at the pool",
    ),
)
HISTORY = (
    AlertRow(
        id=5,
        rule="response-slow",
        subject="routes",
        severity="medium",
        text="p95 2,310 ms, above 2,000 ms",
        origin=Origin.PROBE,
        pending_ms=NOW - 3 * H,
        began_ms=NOW - 3 * H,
        ended_ms=NOW - 3 * H + 12 * M,
        value=2310,
        limit=2000,
        unit="ms",
    ),
    AlertRow(
        id=3,
        rule="certificate",
        subject="certificate",
        severity="low",
        text="20 of 90 days left",
        origin=Origin.TLS,
        pending_ms=NOW - 43 * D,
        began_ms=NOW - 43 * D,
        ended_ms=NOW - 41 * D,
        value=20,
        limit=30,
        unit="d",
    ),
)
RULES = (
    RuleRow(
        name="errors-high",
        severity="high",
        condition="error rate above 5 % for 60 s",
        state="firing",
        value=0.38,
        unit="share",
    ),
    RuleRow(
        name="connections",
        severity="high",
        condition="connections above 80 % for 60 s",
        state="firing",
        value=0.9,
        unit="share",
    ),
    RuleRow(
        name="response-slow",
        severity="medium",
        condition="p95 above 2,000 ms for 60 s",
        state="pending",
        value=1840,
        unit="ms",
    ),
    RuleRow(name="database-blocked", severity="high", condition="blocked above 60 s", state="ok", value=4, unit="s"),
    RuleRow(
        name="memory-high",
        severity="critical",
        condition="memory above 80 % for 300 s",
        state="unknown",
        value=None,
        unit="share",
        silenced_until_ms=NOW + 3 * H,
    ),
    RuleRow(name="egress", severity="low", condition="witness fails for 30 s", state="ok", value=None, unit=""),
)
SILENCES = (
    SilenceRow(
        id=1,
        matcher="memory-high",
        reason="flaps since the upgrade, #88",
        by="op2",
        began_ms=NOW - H,
        expires_ms=NOW + 3 * H,
        ended_ms=None,
    ),
)


def alerts(**changes: object) -> AlertsView:
    """The Alerts screen of the sample night."""
    base = AlertsView(header=header(), firing=FIRING, history=HISTORY, rules=RULES, silences=SILENCES)
    return replace(base, **changes)  # type: ignore[arg-type]
