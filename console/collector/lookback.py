"""What a collector that starts takes over from the one before it, so that nothing starts from zero."""

from __future__ import annotations

from collections.abc import Iterator

from console.collector.judge import EVENTS, Judge
from console.model.alert_rules import CONNECTION_FAILURES
from console.model.configuration import Environment, Settings
from console.model.moment import Moment
from console.model.ports import StoreUnreadable
from console.store.observe import ObservedStore
from console.store.read import StoreReader

LOOK_BACK_MS = 900_000
SAME_MS = 60_000
"""A judgement older than this is not gone on with: reasons that stand now begin anew."""

_METRICS = {
    "route:": ("ok", "latency_ms"),
    "health": ("latency_ms", "memory_check_failing"),
    "metrics": ("requests", "errors", "latency_ms", "mean_ms", "memory_bytes", "memory_limit_bytes"),
    "postgres.canary": ("latency_ms",),
    "postgres.activity": ("connections",),
    "supabase.gateway": ("latency_ms",),
    "certificate:": ("days_left", "lifetime_days"),
    "host": ("cpu_share", "disk_share"),
}
"""Metrics that rules look back at, by the begin of the target's key."""


def take_over(judge: Judge, store: ObservedStore, settings: Settings, now: Moment) -> None:
    """Open alerts, samples of the last minutes, newest observations, reasons and events. Raises `StoreError`."""
    judge.remember(store.open_alerts(), _onsets(settings, now), store.recent_events(EVENTS))
    for series in _series(judge, settings.environment):
        for at_ms, sample in store.recent_samples(series, now.wall_ms - LOOK_BACK_MS):
            judge.windows.add(series, now.before(now.wall_ms - at_ms), sample)
    for target, track in judge.tracks.items():
        seen = store.last_observation(target)
        if seen is not None and 0 <= now.wall_ms - seen.last_ms <= SAME_MS:
            at = now.before(now.wall_ms - seen.last_ms)
            track.resume(seen.observation, at, now.before(now.wall_ms - seen.state_since_ms))


def _series(judge: Judge, environment: Environment) -> Iterator[str]:
    for target in judge.tracks:
        for prefix, metrics in _METRICS.items():
            if target == prefix or (prefix.endswith(":") and target.startswith(prefix)):
                yield from (f"{target}|{metric}" for metric in metrics)
    yield CONNECTION_FAILURES
    yield from (rule.series for rule in environment.rules if "*" not in rule.series)


def _onsets(settings: Settings, now: Moment) -> dict[str, int]:
    """Since when the reasons of the last verdict stand; nothing where nothing can be read."""
    reader = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
    try:
        view = reader.health(None, events=0)
    except StoreUnreadable:
        return {}
    finally:
        reader.close()
    is_recent = view.verdict_ms is not None and 0 <= now.wall_ms - view.verdict_ms <= SAME_MS
    reasons = view.verdict.reasons if view.verdict and is_recent else ()
    return {reason.key: reason.since_ms for reason in reasons if reason.since_ms is not None}
