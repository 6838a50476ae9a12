"""Rules from the settings: a statistic of one stored series, or of several by `*`, over a window."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from console.model.alerts import AlertRule, Measure, Measured, Says
from console.model.component_users import bucket_mean, told_by
from console.model.configuration import Rule
from console.model.histograms import nearest_rank
from console.model.observation import Buckets, Origin
from console.model.situation import Situation
from console.model.windows import bucket_quantile

HYSTERESIS = 0.1
UNITS = {"_ms": "ms", "_share": "share", "_bytes": "B", "_s": "s", "days_left": "d"}
_ORIGINS = {
    "postgres.": Origin.SQL,
    "sql:": Origin.SQL,
    "prometheus:": Origin.PROMETHEUS,
    "host": Origin.HOST,
    "vercel": Origin.API,
}

_STATISTICS: dict[str, Callable[[Sequence[float]], float | None]] = {
    "mean": statistics.fmean,
    "p95": lambda values: nearest_rank(values, 0.95),
    "max": max,
    "min": min,
    "last": lambda values: values[-1],
}


def longest_window_s(rules: Sequence[Rule]) -> float:
    """The longest window that any of the rules looks back."""
    return max((rule.window_s for rule in rules), default=0.0)


def measure_all(situation: Situation) -> Measured:
    """Every custom rule with its measures of this round."""
    return [(_rule(rule), _measures(situation, rule)) for rule in situation.environment.rules]


def _rule(rule: Rule) -> AlertRule:
    return AlertRule(
        name=rule.name,
        severity=rule.severity,
        condition=f"{rule.statistic} of {rule.series} {_limits(rule)} over {rule.window_s:g} s",
        for_s=rule.for_s,
        unit=next((unit for suffix, unit in UNITS.items() if rule.series.endswith(suffix)), ""),
    )


def _limits(rule: Rule) -> str:
    return f"> {rule.above:g}" if rule.above is not None else f"< {rule.below:g}" if rule.below is not None else ""


def _measures(situation: Situation, rule: Rule) -> Sequence[Measure]:
    found = situation.windows.matching(rule.series)
    return [_measure(situation, rule, series) for series in found] or [_unknown(rule.series)]


def _unknown(series: str) -> Measure:
    return Measure(subject=series, says=Says.UNKNOWN)


def _measure(situation: Situation, rule: Rule, series: str) -> Measure:
    value = _statistic(situation, rule, series)
    track = situation.track(series.rpartition("|")[0])
    if value is None:
        held = track is not None and situation.excused(track)
        return Measure(subject=series, says=Says.HELD if held else Says.UNKNOWN)
    return Measure(
        subject=series,
        says=_says(rule, value),
        text=f"{rule.statistic} of {series} is {_limits(rule)}",
        origin=_origin(situation, series),
        value=value,
        limit=rule.above if rule.above is not None else rule.below,
    )


def _origin(situation: Situation, series: str) -> Origin:
    if series.startswith("metrics"):
        return told_by(situation.environment)
    return next((origin for prefix, origin in _ORIGINS.items() if series.startswith(prefix)), Origin.PROBE)


def _statistic(situation: Situation, rule: Rule, series: str) -> float | None:
    buckets = situation.windows.histograms(series, rule.window_s, situation.now)
    if buckets:
        enough = sum(sum(one.counts) for one in buckets) >= rule.minimum_samples
        return _of_buckets(rule, buckets) if enough else None
    values = situation.windows.numbers(series, rule.window_s, situation.now)
    return _STATISTICS[rule.statistic](values) if values and len(values) >= rule.minimum_samples else None


def _of_buckets(rule: Rule, buckets: list[Buckets]) -> float | None:
    """Mean or p95; the others are not to be had from a histogram."""
    if rule.statistic == "mean":
        return bucket_mean(buckets)
    found = bucket_quantile(buckets, 0.95) if rule.statistic == "p95" else None
    return found.value if found else None


def _says(rule: Rule, value: float) -> Says:
    """Either limit breaches; clear of both by a tenth of the limit ends."""
    over = rule.above is not None and value > rule.above
    under = rule.below is not None and value < rule.below
    if over or under:
        return Says.BREACHED
    near_above = rule.above is not None and value > rule.above - abs(rule.above) * HYSTERESIS
    near_below = rule.below is not None and value < rule.below + abs(rule.below) * HYSTERESIS
    return Says.BETWEEN if near_above or near_below else Says.CLEARED
