"""The figures of the past: rollups of every series with the shape of a day, and what the nights did to them."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from console.demo import business
from console.demo.configuration import ROUTES
from console.demo.incidents import Incident
from console.demo.world import DAY_MS, HOUR_MS, MINUTE_MS, World
from console.model.histograms import LogHistogram
from console.model.metrics import Rollup
from console.model.observation import Buckets

LEVELS = 24
UP = "application|up"
ROUND_S = 5
BOUNDS_MS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0, math.inf)
# Standard normal quantiles in the middle of sixteen equal shares.
_NORMAL = (-1.86, -1.32, -1.01, -0.78, -0.58, -0.40, -0.24, -0.08, 0.08, 0.24, 0.40, 0.58, 0.78, 1.01, 1.32, 1.86)
_SIGMA = 0.45


@dataclass(frozen=True, slots=True)
class Bucket:
    """One hour or minute of the past: how busy it was, and what share of it a night took."""

    start_ms: int
    minutes: int
    level: int
    """0 (night) to `LEVELS` - 1 (peak)."""
    incident: Incident | None
    share: float

    @property
    def rounds(self) -> int:
        """Polls in it."""
        return self.minutes * 60 // ROUND_S


Rolled = Iterator[tuple[str, list[tuple[int, Rollup]]]]


def buckets(world: World, incidents: tuple[Incident, ...], size_ms: int, first_ms: int) -> list[Bucket]:
    """The whole hours or minutes (`size_ms`) from `first_ms` on; the gap is left out."""
    chance = random.Random(f"{world.seed}/{size_ms}")
    return [_bucket(start, size_ms, incidents, chance) for start in _starts(world, size_ms, first_ms)]


def _starts(world: World, size_ms: int, first_ms: int) -> Iterator[int]:
    for start in range(first_ms, world.now_ms - size_ms + 1, size_ms):
        if start + size_ms <= world.gap[0] or start >= world.gap[1]:
            yield start


def uptime_minutes(world: World, incidents: tuple[Incident, ...]) -> list[tuple[int, Rollup]]:
    """Whether the application was up, for all minutes: uptime windows begin and end at any minute."""
    chance = random.Random(world.seed)
    down = {
        start: _gauge(UP, _up, _bucket(start, MINUTE_MS, incidents, chance))
        for one in incidents
        for start in range(one.began_ms // MINUTE_MS * MINUTE_MS, one.ended_ms, MINUTE_MS)
    }
    rounds = 60 // ROUND_S
    up = Rollup(n=rounds, sum=rounds, min=1.0, max=1.0)
    return [(start, down.get(start, up)) for start in _starts(world, MINUTE_MS, world.began_ms)]


def rolled(found: list[Bucket], certificate: str) -> Rolled:
    """(series, its rollups) for every series."""
    for name, base_ms in _latencies():
        yield name, [(one.start_ms, _latency(name, base_ms, one)) for one in found]
    yield "metrics|latency_ms", [(one.start_ms, _users_latency(one)) for one in found]
    for name, value in (_gauges(certificate) | _own(found)).items():
        yield name, list(_gauge_rollups(name, value, found))


def _bucket(start_ms: int, size_ms: int, incidents: tuple[Incident, ...], chance: random.Random) -> Bucket:
    share, incident = 0.0, None
    for one in incidents:
        overlap = min(one.ended_ms, start_ms + size_ms) - max(one.began_ms, start_ms)
        if overlap > 0:
            share, incident = overlap / size_ms, one
    level = round(busy(start_ms) * (LEVELS - 4) + chance.random() * 3)
    return Bucket(start_ms, size_ms // MINUTE_MS, min(LEVELS - 1, level), incident, share)


def busy(at_ms: int) -> float:
    """How busy restaurants' people are at that time of the day (UTC), 0 to 1."""
    hour = at_ms % DAY_MS / HOUR_MS
    noon, evening = math.exp(-(((hour - 12.5) / 2.2) ** 2)), math.exp(-(((hour - 19) / 2.0) ** 2))
    return min(1.0, 0.8 * noon + evening)


def _latencies() -> Iterator[tuple[str, float]]:
    yield "health|latency_ms", 33.0
    yield "ping|latency_ms", 31.0
    for index, path in enumerate(ROUTES):
        yield f"route:{path}|latency_ms", 32.0 + 2 * index
    yield "postgres.canary|latency_ms", 1.1
    yield "supabase.gateway|latency_ms", 29.0
    yield "supabase.auth|latency_ms", 24.0


def _latency(name: str, base_ms: float, bucket: Bucket) -> Rollup:
    calm = _distribution(base_ms, bucket.level, bucket.rounds, bucket.minutes)
    incident = bucket.incident
    if incident is None or incident.slower == 1.0 or not name.startswith(("route:", "health")):
        return calm
    ill = round(bucket.rounds * bucket.share)
    parts = [_distribution(base_ms, bucket.level, bucket.rounds - ill, bucket.minutes)] if ill < bucket.rounds else []
    parts += [_distribution(base_ms * incident.slower, bucket.level, ill, 0)] if ill else []
    return Rollup.merged(parts) or calm


@functools.cache
def _distribution(base_ms: float, level: int, count: int, minutes: int) -> Rollup:
    """`count` response times, log-normal around a median that grows with the load."""
    median = base_ms * (1 + 0.6 * level / LEVELS)
    values = [median * math.exp(_SIGMA * z) for z in _NORMAL]
    histogram, left = LogHistogram(), count
    for index, value in enumerate(values):
        part = left // (len(values) - index)
        if part:
            histogram.add(value, part)
        left -= part
    p50, p95, p99 = (histogram.quantile(q) for q in (0.5, 0.95, 0.99))
    mean = sum(values) / len(values)
    return Rollup(
        n=count, sum=mean * count, min=values[0], max=values[-1], hist=histogram, p50=p50, p95=p95, p99=p99,
        minutes=minutes,
    )  # fmt: skip


def _users_latency(bucket: Bucket) -> Rollup:
    slower = bucket.incident.slower if bucket.incident and bucket.share > 0.1 else 1.0
    return _users_distribution(bucket.level, slower, bucket.minutes)


@functools.cache
def _users_distribution(level: int, slower: float, minutes: int) -> Rollup:
    """The application's own histogram: counts per bound of its exporter."""
    requests = _requests(level) * minutes
    median = 34.0 * slower * (1 + 0.6 * level / LEVELS)
    counts = [0.0] * len(BOUNDS_MS)
    for z in _NORMAL:
        value = median * math.exp(_SIGMA * z)
        counts[next(index for index, bound in enumerate(BOUNDS_MS) if value <= bound)] += round(requests / len(_NORMAL))
    rollup = Rollup.of_buckets([Buckets(BOUNDS_MS, tuple(counts))])
    assert rollup is not None
    return _in_minutes(rollup, minutes)


def _in_minutes(rollup: Rollup, minutes: int) -> Rollup:
    return Rollup(
        n=rollup.n, sum=rollup.sum, min=rollup.min, max=rollup.max, hist=rollup.hist, p50=rollup.p50, p95=rollup.p95,
        p99=rollup.p99, minutes=minutes,
    )  # fmt: skip


def _requests(level: int) -> float:
    """Users' requests in a minute."""
    return 300.0 + 600.0 * level / LEVELS


Gauge = Callable[[Bucket], float]
_BY_TIME = frozenset({"postgres.catalogue|database_bytes", "sql:paid_share|value"})
"""Series that depend on more than how busy it was."""


def _gauges(certificate: str) -> dict[str, Gauge]:
    per_round = ROUND_S / 60
    share: dict[str, Gauge] = {f"route:{path}|ok": _ok for path in ROUTES}
    return share | {
        UP: _up, "health|ok": _up, "ping|ok": _always, "supabase.gateway|ok": _gateway,
        "supabase.auth|ok": _gateway, "supabase.pooler|ok": _always, "postgres.canary|ok": _always,
        "egress|ok": _always,
        "metrics|requests": lambda one: _requests(one.level) * per_round,
        "metrics|errors": lambda one: _requests(one.level) * per_round * _errors(one),
        "metrics|memory_bytes": lambda one: 44e6 + 0.5e6 * one.level,
        "metrics|memory_limit_bytes": lambda _: 512 * 1024.0 * 1024.0,
        "metrics|cache_hit_share": lambda one: 0.62 + 0.01 * one.level,
        "metrics|business.reviews": lambda one: 0.084 * _requests(one.level) * per_round,
        "metrics|business.audits": lambda one: 0.036 * _requests(one.level) * per_round,
        "postgres.activity|connections": lambda one: 7.0 + one.level / 8,
        "postgres.activity|connections_max": lambda _: 60.0,
        "postgres.activity|active": lambda one: 0.2 + one.level / 40,
        "postgres.activity|idle_in_transaction": lambda _: 0.0,
        "postgres.activity|blocked": lambda _: 0.0,
        "postgres.activity|commits": lambda one: _requests(one.level) / 60 * 0.8,
        "postgres.activity|rollbacks": lambda _: 0.0,
        "postgres.activity|deadlocks": lambda _: 0.0,
        "postgres.activity|blocks_hit_share": lambda _: 0.998,
        "postgres.catalogue|database_bytes": lambda one: 9.2e6 + (one.start_ms % (400 * DAY_MS)) / DAY_MS * 4_000,
        "host|cpu_share": lambda one: 0.04 + 0.004 * one.level,
        "host|memory_share": lambda _: 0.21,
        "host|disk_share": lambda _: 0.34,
        "host|load1": lambda one: 0.1 + 0.01 * one.level,
        f"{certificate}|lifetime_days": lambda _: 90.0,
    }  # fmt: skip


def _own(found: list[Bucket]) -> dict[str, Gauge]:
    """The figures of the owners' own."""
    end_ms = found[-1].start_ms if found else 0
    return {name: _past(past, end_ms) for name, past in business.pasts()}


def _past(past: business.Past, end_ms: int) -> Gauge:
    return lambda one: past(_requests(one.level), (end_ms - one.start_ms) / DAY_MS)


def _gauge_rollups(name: str, value: Gauge, found: list[Bucket]) -> Iterator[tuple[int, Rollup]]:
    """Calm buckets of one level are equal, so each is made once: there are seventy thousand."""
    calm: dict[int, Rollup] = {}
    for bucket in found:
        if bucket.incident or name in _BY_TIME:
            yield bucket.start_ms, _gauge(name, value, bucket)
        else:
            if bucket.level not in calm:
                calm[bucket.level] = _gauge(name, value, bucket)
            yield bucket.start_ms, calm[bucket.level]


def _gauge(name: str, value: Gauge, bucket: Bucket) -> Rollup:
    calm = value(bucket)
    ill = bucket.incident.gauges.get(name, calm) if bucket.incident else calm
    mean = calm + (ill - calm) * bucket.share
    return Rollup(
        n=bucket.rounds, sum=mean * bucket.rounds, min=min(calm, mean), max=max(calm, ill), minutes=bucket.minutes
    )


def _always(bucket: Bucket) -> float:
    return 1.0


def _up(bucket: Bucket) -> float:
    return 1.0 - bucket.share if bucket.incident and bucket.incident.down else 1.0


def _ok(bucket: Bucket) -> float:
    return 1.0 - bucket.share * bucket.incident.error_share if bucket.incident else 1.0


def _gateway(bucket: Bucket) -> float:
    return 1.0 - bucket.share if bucket.incident and bucket.incident.whose == "vendor" else 1.0


def _errors(bucket: Bucket) -> float:
    """The share of users' requests that failed: one in two thousand on a good day."""
    return 0.0005 + (bucket.share * bucket.incident.error_share if bucket.incident else 0.0)
