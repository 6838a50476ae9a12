"""The service-level targets (B1) over the last five minutes. What only a probe saw stands aside, never as the value."""

from __future__ import annotations

from dataclasses import replace

from console.model.component_database import CANARY, CANARY_SAMPLES, recently_slow
from console.model.component_routes import MINIMUM_SAMPLES, probe_figures
from console.model.component_users import latest, told_by, users
from console.model.histograms import nearest_rank
from console.model.observation import Origin
from console.model.situation import RECENT_S, Situation
from console.model.states import State
from console.model.views import TargetRow
from console.model.words import milliseconds, percent, window_words

WINDOW_S = int(RECENT_S)


def target_rows(situation: Situation) -> tuple[TargetRow, ...]:
    """p95 and errors of the users, memory of the application, the canary query."""
    figures, limits = users(situation), situation.environment.thresholds
    origin = told_by(situation.environment)
    p95_now, errors_now = latest(situation, figures)
    past_p95 = f"last minute {milliseconds(p95_now.p95_ms or 0)}" if p95_now else None
    past_errors = f"last minute {percent(errors_now.error_share or 0)}" if errors_now else None
    aside_p95, aside_errors = _probed(situation)
    requests = int(figures.requests or 0)
    p95 = _row("p95", figures.p95_ms, "ms", limits.p95_ms, origin, requests, aside_p95, past_p95)
    return (
        replace(p95, at_least=figures.p95 is not None and figures.p95.at_least),
        _row(
            "errors",
            figures.error_share,
            "share",
            limits.error_share,
            origin,
            requests,
            aside_errors,
            past_errors,
        ),
        _row("memory", figures.memory_share, "share", limits.memory_share, origin, 1),
        _query_row(situation),
    )


def _probed(situation: Situation) -> tuple[str | None, str | None]:
    """What the probes saw of p95 and errors."""
    probes = probe_figures(situation)
    p95 = f"probe: {milliseconds(probes.p95.value, at_least=probes.p95.at_least)}" if probes.p95 else None
    return p95, f"probe: {percent(probes.failures / probes.polls)}" if probes.polls >= MINIMUM_SAMPLES else None


def _query_row(situation: Situation) -> TargetRow:
    latencies = situation.numbers(CANARY, "latency_ms")
    limit_ms = situation.environment.thresholds.query_ms
    newest = latencies[-CANARY_SAMPLES:]
    is_past = len(newest) == CANARY_SAMPLES and not recently_slow(latencies, limit_ms)
    past = f"last {CANARY_SAMPLES} at most {milliseconds(max(newest))}" if is_past else None
    return _row("db query", nearest_rank(latencies, 0.95), "ms", limit_ms, Origin.SQL, len(latencies), past=past)


def _row(
    name: str,
    value: float | None,
    unit: str,
    limit: float,
    origin: Origin,
    samples: int,
    aside: str | None = None,
    past: str | None = None,
) -> TargetRow:
    """`past`: in words, that what is over the limit is so no longer. Its component is well then; the figure of the
    whole window is over the limit none the less, and is marked."""
    state = State.UNKNOWN if value is None else State.HEALTHY if value <= limit else State.DEGRADED
    told = f"{past}; still in the {window_words(WINDOW_S)} window" if past is not None else None
    return TargetRow(
        name=name,
        value=value,
        unit=unit,
        limit=limit,
        origin=origin if value is not None else Origin.NONE,
        state=state,
        samples=samples if value is not None else 0,
        window_s=WINDOW_S,
        aside=aside if value is None else told if value > limit else None,
    )
