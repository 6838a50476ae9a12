"""The charts of each page: which series they draw, and what would fill them where there are none. Pure.

What users meet comes from the application's own metrics or Prometheus alone. Where neither is, a chart of probes says
that it is one; a rate of users' requests has no chart of probes, since how often we ask says nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from console.model.catalogue_more import business, custom
from console.model.charts import ChartSpec, PageName, SeriesSpec, Statistic
from console.model.component_users import is_told, told_by
from console.model.configuration import Environment
from console.model.observation import Origin

PERCENT = 100.0
MIB = 1 / (1024 * 1024)
KIB = 1 / 1024
ROUTES_SHOWN = 6
PROMETHEUS_FILL = "prometheus.users.%s in the settings has given none yet: radar doctor tries it"
METRICS_FILL = 'the application offers no metrics: metrics = "/api/metrics" in the settings reads them once it has some'
DATABASE_FILL = 'no database is configured: database = "${DATABASE_URL}" in the settings reads it'
_QUANTILES = ((Statistic.P50, "p50"), (Statistic.P95, "p95"), (Statistic.P99, "p99"))


def charts_of(
    environment: Environment, page: PageName, available: Collection[str], values: Collection[str] = ()
) -> tuple[ChartSpec, ...]:
    """The charts of a page, with the lines whose series are `available`; a chart without any says what would fill it.

    `values`: series `metrics|business.…` that are values, where the others are growths.
    """
    if page == "business":
        found = business(environment, available, values)
    elif page == "custom":
        found = custom(environment)
    else:
        found = _PAGES[page](environment)
    return tuple(_with(chart, available) for chart in found)


def _with(chart: ChartSpec, available: Collection[str]) -> ChartSpec:
    """The chart with those of its lines that exist; `absent` only where there are none."""
    lines = [_line(line, available) for line in chart.series]
    there = tuple(line for line in lines if line is not None)
    sources = dict.fromkeys(key.rpartition("|")[0] for line in chart.series for key in (*line.keys, *line.per))
    return replace(
        chart, series=there, absent="" if there else chart.absent, sources=() if there else tuple(sources)
    )  # fmt: skip


def _line(line: SeriesSpec, available: Collection[str]) -> SeriesSpec | None:
    keys = tuple(key for key in line.keys if key in available)
    per = tuple(key for key in line.per if key in available)
    return replace(line, keys=keys, per=per) if keys and (per or not line.per) else None


def quantiles(*keys: str) -> tuple[SeriesSpec, ...]:
    """p50, p95 and p99 of the merged series."""
    return tuple(SeriesSpec(label=label, keys=keys, statistic=statistic) for statistic, label in _QUANTILES)


def mean(label: str, key: str, scale: float = 1.0) -> SeriesSpec:
    """The mean of one series."""
    return SeriesSpec(label=label, keys=(key,), statistic=Statistic.MEAN, scale=scale)


# Application


def _application(environment: Environment) -> Iterator[ChartSpec]:
    limits = environment.thresholds
    known = is_told(environment)
    latency = ("metrics|latency_ms",) if known else _routes(environment, "latency_ms")
    origin = told_by(environment) if known else Origin.PROBE
    absent = _offered(environment, "response times", "duration") if known else "no route has been probed yet"
    yield ChartSpec(
        key="response",
        title="RESPONSE",
        unit="ms",
        origin=origin,
        series=quantiles(*latency),
        target=limits.p95_ms,
        target_of="p95",
        absent=absent,
    )
    yield ChartSpec(
        key="distribution",
        title="RESPONSE DISTRIBUTION",
        unit="ms",
        origin=origin,
        series=quantiles(*latency)[1:2],
        target=limits.p95_ms,
        heat=True,
        absent=absent,
    )
    yield _requests(environment)
    yield _errors(environment)
    yield _memory(environment)
    yield ChartSpec(
        key="cache",
        title="CACHE HITS",
        unit="%",
        origin=Origin.USERS,
        series=(mean("hits", "metrics|cache_hit_share", PERCENT),),
        absent=_cache_fill(environment),
    )
    yield ChartSpec(
        key="routes",
        title="RESPONSE BY ROUTE p95",
        unit="ms",
        origin=Origin.PROBE,
        series=tuple(
            SeriesSpec(label=route, keys=(f"route:{route}|latency_ms",), statistic=Statistic.P95)
            for route in environment.routes[:ROUTES_SHOWN]
        ),
        target=limits.p95_ms,
        absent='no route has been probed yet: routes = ["/", "/api/…"] in the settings names them',
    )
    yield ChartSpec(
        key="availability",
        title="AVAILABILITY",
        unit="%",
        origin=Origin.PROBE,
        series=(mean("up", "application|up", PERCENT),),
        target=limits.uptime_share * PERCENT,
        target_is_floor=True,
        absent="the application has not been judged yet: radar collect polls it",
    )


def _routes(environment: Environment, metric: str) -> tuple[str, ...]:
    return tuple(f"route:{route}|{metric}" for route in environment.routes)


def _cache_fill(environment: Environment) -> str:
    if told_by(environment) is Origin.PROMETHEUS:
        return "prometheus.users has none of the cache: a figure of your own (custom) with a query draws them"
    return _offered(environment, "cache hits", "cache_hits")


def _offered(environment: Environment, what: str, setting: str) -> str:
    """Why there is nothing of what users meet, and which setting would fill it."""
    if not is_told(environment):
        return METRICS_FILL
    if told_by(environment) is Origin.PROMETHEUS:
        return PROMETHEUS_FILL % setting
    return (
        f"the application's metrics have given no {what} yet: metric_names.{setting} in the settings names the series"
    )


def _requests(environment: Environment) -> ChartSpec:
    return ChartSpec(
        key="requests",
        title="REQUESTS",
        unit="/s",
        origin=told_by(environment),
        series=(
            SeriesSpec(label="requests", keys=("metrics|requests",), statistic=Statistic.RATE),
            SeriesSpec(label="errors", keys=("metrics|errors",), statistic=Statistic.RATE),
        ),
        absent=_offered(environment, "requests", "requests"),
    )


def _errors(environment: Environment) -> ChartSpec:
    users = SeriesSpec(
        label="failed requests",
        keys=("metrics|errors",),
        per=("metrics|requests",),
        statistic=Statistic.RATIO,
        scale=PERCENT,
    )
    probes = SeriesSpec(
        label="failed probes",
        keys=_routes(environment, "ok"),
        statistic=Statistic.MEAN,
        complement=True,
        scale=PERCENT,
    )
    known = is_told(environment)
    return ChartSpec(
        key="errors",
        title="ERRORS" if known else "FAILED PROBES",
        unit="%",
        origin=told_by(environment) if known else Origin.PROBE,
        series=(users if known else probes,),
        target=environment.thresholds.error_share * PERCENT,
        absent=_offered(environment, "requests", "requests") if known else "no route has been probed yet",
    )


def _memory(environment: Environment) -> ChartSpec:
    used = ("metrics|memory_bytes",)
    line = SeriesSpec(
        label="of its limit",
        keys=used,
        per=("metrics|memory_limit_bytes",),
        statistic=Statistic.RATIO,
        scale=PERCENT,
    )
    if environment.memory_limit_bytes:
        line = SeriesSpec(
            label="of its limit",
            keys=used,
            statistic=Statistic.MEAN,
            scale=PERCENT / environment.memory_limit_bytes,
        )
    words = "the metrics have given no memory with a limit yet: metric_names.memory, memory_limit_bytes in the settings"
    if not environment.metrics or told_by(environment) is Origin.PROMETHEUS:
        words = _offered(environment, "memory", "memory")
    return ChartSpec(
        key="memory",
        title="MEMORY",
        unit="%",
        origin=told_by(environment),
        series=(line,),
        target=environment.thresholds.memory_share * PERCENT,
        absent=words,
    )


# Database


def _database(environment: Environment) -> Iterator[ChartSpec]:
    configured = environment.database is not None
    none = "the database has given none yet: the role may lack pg_monitor" if configured else DATABASE_FILL
    activity = "postgres.activity|"
    for key, title, unit, series in (
        (
            "connections",
            "CONNECTIONS",
            "",
            (
                mean("all", f"{activity}connections"),
                SeriesSpec(label="limit", keys=(f"{activity}connections_max",), statistic=Statistic.MAX),
                mean("active", f"{activity}active"),
                mean("idle in transaction", f"{activity}idle_in_transaction"),
            ),
        ),
        ("canary", "CANARY QUERY", "ms", quantiles("postgres.canary|latency_ms")),
        (
            "transactions",
            "TRANSACTIONS",
            "/s",
            (mean("commits", f"{activity}commits"), mean("rollbacks", f"{activity}rollbacks")),
        ),
        ("blocks", "CACHE HITS", "%", (mean("found in memory", f"{activity}blocks_hit_share", PERCENT),)),
        ("wal", "WAL", "KiB/s", (mean("written", "postgres.catalogue|wal_bytes_per_s", KIB),)),
        (
            "replica",
            "REPLICA LAG",
            "MiB",
            (
                SeriesSpec(
                    label="behind",
                    keys=("postgres.catalogue|replica_lag_bytes",),
                    statistic=Statistic.MAX,
                    scale=MIB,
                ),
            ),
        ),
        (
            "deadlocks",
            "DEADLOCKS",
            "/min",
            (SeriesSpec(label="deadlocks", keys=(f"{activity}deadlocks",), statistic=Statistic.RATE, scale=60.0),),
        ),
        (
            "waits",
            "LONGEST WAIT FOR A LOCK",
            "s",
            (SeriesSpec(label="longest", keys=(f"{activity}longest_wait_s",), statistic=Statistic.MAX),),
        ),
    ):
        chart = ChartSpec(key=key, title=title, unit=unit, origin=Origin.SQL, series=series, absent=none)
        yield _with_target(chart, environment, configured=configured)


def _with_target(chart: ChartSpec, environment: Environment, *, configured: bool) -> ChartSpec:
    limits = environment.thresholds
    if chart.key == "canary":
        return replace(chart, target=limits.query_ms, target_of="p95")
    if chart.key == "waits":
        return replace(chart, target=limits.blocked_warn_s)
    if chart.key == "replica" and configured:
        return replace(chart, absent="no replica: where the database has one, its lag shows here by itself")
    return chart


# Infrastructure


def _infrastructure(environment: Environment) -> Iterator[ChartSpec]:
    none = "this host has not been looked at yet: radar collect polls it"
    for key, title, unit, series in (
        ("processor", "PROCESSOR OF THIS HOST", "%", mean("busy", "host|cpu_share", PERCENT)),
        ("memory", "MEMORY OF THIS HOST", "%", mean("used", "host|memory_share", PERCENT)),
        ("disk", "DISK OF THIS HOST", "%", mean("used", "host|disk_share", PERCENT)),
        ("load", "LOAD OF THIS HOST", "", mean("1 minute", "host|load1")),
    ):
        yield ChartSpec(key=key, title=title, unit=unit, origin=Origin.HOST, series=(series,), absent=none)
    yield ChartSpec(
        key="latency",
        title="LATENCY FROM THIS HOST p95",
        unit="ms",
        origin=Origin.PROBE,
        series=tuple(
            SeriesSpec(label=label, keys=(f"{target}|latency_ms",), statistic=Statistic.P95)
            for label, target in (
                ("application", "ping"),
                ("gateway", "supabase.gateway"),
                ("auth", "supabase.auth"),
                ("pooler", "supabase.pooler"),
                ("direct SQL", "postgres.canary"),
            )
        ),
        absent="no target has answered yet: radar collect polls them",
    )
    own = "no collector has told of itself yet: radar collect does"
    for key, title, unit, series in (
        ("collector.processor", "PROCESSOR OF THE COLLECTOR", "%", mean("one core", "collector|cpu_share", PERCENT)),
        ("collector.memory", "MEMORY OF THE COLLECTOR", "MiB", mean("resident", "collector|rss_bytes", MIB)),
    ):
        yield ChartSpec(key=key, title=title, unit=unit, origin=Origin.HOST, series=(series,), absent=own)


_PAGES = {"application": _application, "database": _database, "infrastructure": _infrastructure}
