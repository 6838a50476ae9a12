"""The service-level targets (B1) over the last five minutes. What only a probe saw stands aside, never as the value."""

from __future__ import annotations

from console.model.component_database import CANARY
from console.model.component_routes import MINIMUM_SAMPLES, probe_figures
from console.model.component_users import users
from console.model.observation import Origin
from console.model.situation import RECENT_S, Situation
from console.model.states import State
from console.model.views import TargetRow
from console.model.windows import nearest_rank
from console.model.words import milliseconds, percent

WINDOW_S = int(RECENT_S)


def target_rows(situation: Situation) -> tuple[TargetRow, ...]:
    """p95 and errors of the users, memory of the application, the canary query."""
    figures, limits = users(situation), situation.environment.thresholds
    latencies, failures, polls = probe_figures(situation)
    p95 = nearest_rank(latencies, 0.95) if len(latencies) >= MINIMUM_SAMPLES else None
    aside_p95 = f"probe: {milliseconds(p95)}" if p95 is not None else None
    aside_errors = f"probe: {percent(failures / polls)}" if polls >= MINIMUM_SAMPLES else None
    requests = int(figures.requests or 0)
    return (
        _row("p95", figures.p95_ms, "ms", limits.p95_ms, Origin.USERS, requests, aside_p95),
        _row("errors", figures.error_share, "share", limits.error_share, Origin.USERS, requests, aside_errors),
        _row("memory", figures.memory_share, "share", limits.memory_share, Origin.USERS, 1),
        _query_row(situation),
    )


def _query_row(situation: Situation) -> TargetRow:
    latencies = situation.numbers(CANARY, "latency_ms")
    limit_ms = situation.environment.thresholds.query_ms
    return _row("db query", nearest_rank(latencies, 0.95), "ms", limit_ms, Origin.SQL, len(latencies))


def _row(
    name: str, value: float | None, unit: str, limit: float, origin: Origin, samples: int, aside: str | None = None
) -> TargetRow:
    state = State.UNKNOWN if value is None else State.HEALTHY if value <= limit else State.DEGRADED
    return TargetRow(
        name=name,
        value=value,
        unit=unit,
        limit=limit,
        origin=origin if value is not None else Origin.NONE,
        state=state,
        samples=samples if value is not None else 0,
        window_s=WINDOW_S,
        aside=aside if value is None else None,
    )
