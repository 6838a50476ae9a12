"""What the recorded nights have measured: hours of thirty days, minutes of four hours, samples of the last one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from console.model.metrics import Rollup
from console.store.history import HistoryWriter
from tests.screens.sample_metrics import Curve, broken, wave
from tests.snapshots.story_alerts import NOW, D, H, M, S

CALM: Mapping[str, Curve] = {
    "route:/|latency_ms": wave(40, 66, 31 * M, 8),
    "route:/|ok": lambda ms: 1.0,
    "route:/api/v1/system/ping|latency_ms": wave(90, 130, 23 * M, 14),
    "route:/api/v1/system/ping|ok": lambda ms: 1.0,
    "postgres.activity|connections": wave(12, 17, 13 * M, 2),
    "postgres.activity|connections_max": lambda ms: 60.0,
    "postgres.activity|active": wave(1, 4, 7 * M, 1),
    "postgres.activity|blocks_hit_share": lambda ms: 0.993,
    "postgres.activity|commits": wave(60, 110, 17 * M, 9),
    "postgres.activity|rollbacks": lambda ms: 0.4,
    "postgres.canary|latency_ms": wave(9, 15, 9 * M, 3),
    "host|cpu_share": wave(0.04, 0.2, 11 * M, 0.05),
    "host|memory_share": wave(0.41, 0.44, 120 * M),
    "host|disk_share": lambda ms: 0.63,
    "host|load1": wave(0.1, 0.9, 8 * M, 0.2),
    "ping|latency_ms": wave(22, 31, 5 * M, 4),
}
NIGHT: Mapping[str, Curve] = {
    **CALM,
    "route:/api/v1/system/ping|latency_ms": broken(CALM["route:/api/v1/system/ping|latency_ms"], 1840),
    "route:/api/v1/system/ping|ok": broken(lambda ms: 1.0, 0.24),
    "postgres.activity|connections": broken(CALM["postgres.activity|connections"], 54),
    "postgres.activity|active": broken(CALM["postgres.activity|active"], 31),
}


def write_series(writer: HistoryWriter, curves: Mapping[str, Curve]) -> None:
    """Every series as a collector would have kept it by now."""
    for series, curve in curves.items():
        distribution = series.endswith("_ms")
        minutes = [(at, _rollup(curve, at, M, distribution)) for at in range((NOW - 4 * H) // M * M, NOW // M * M, M)]
        writer.minutes(series, [(at, rollup) for at, rollup in minutes if rollup is not None])
        hours = [(at, _rollup(curve, at, H, distribution)) for at in range((NOW - 30 * D) // H * H, NOW // H * H, H)]
        writer.hours(series, [(at, rollup) for at, rollup in hours if rollup is not None])
    for at in range((NOW - 70 * M) // M * M, NOW, 10 * S):
        _write_raw(writer, curves, at)


def _rollup(curve: Curve, at_ms: int, length_ms: int, distribution: bool) -> Rollup | None:
    """Of twelve samples in that stretch, of latencies some slower than others."""
    values = [curve(at_ms + index * length_ms // 12) for index in range(12)]
    spread = [1 + 0.3 * math.sin(index * 2.1) if distribution else 1.0 for index in range(12)]
    known = [value * by for value, by in zip(values, spread, strict=True) if value is not None]
    return Rollup.of(known, distribution=distribution)


def _write_raw(writer: HistoryWriter, curves: Mapping[str, Curve], at_ms: int) -> None:
    targets: dict[str, dict[str, float]] = {}
    for series, curve in curves.items():
        target, _, metric = series.rpartition("|")
        value = curve(at_ms)
        if value is not None:
            targets.setdefault(target, {})[metric] = value
    for target, samples in targets.items():
        writer.samples(target, at_ms, dict(samples))
