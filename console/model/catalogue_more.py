"""The charts of the pages Business and Custom: what the application counts, and figures of the settings. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from console.model.charts import ChartSpec, SeriesSpec, Statistic
from console.model.component_users import TARGET, told_by
from console.model.configuration import CustomMetric, Environment
from console.model.observation import Origin

BUSINESS = "metrics|business."
PER_MINUTE = 60.0
BUSINESS_FILL = (
    "nothing is counted: series that the application's metrics call business_… show here by themselves, "
    'and so does custom = [{ name = "signups", page = "business", sql = "select count(*) from auth.users" }]'
)
CUSTOM_FILL = 'nothing is set: custom = [{ name = "queued", sql = "select count(*) from jobs" }] in [environments.%s]'
_ORIGINS = {
    "postgres": Origin.SQL,
    "sql": Origin.SQL,
    "database": Origin.SQL,
    "prometheus": Origin.PROMETHEUS,
    "host": Origin.HOST,
    "collector": Origin.HOST,
    "certificate": Origin.TLS,
    "vercel": Origin.API,
    "vendor": Origin.API,
}


def business(environment: Environment, available: Collection[str], values: Collection[str]) -> Iterator[ChartSpec]:
    """What the application's metrics count, by name, and the figures of the settings meant for this page."""
    keys = sorted(key for key in available if key.startswith(BUSINESS))
    own = [metric for metric in environment.custom if metric.page == "business"]
    if not keys and not own:
        yield ChartSpec(key="business", title="BUSINESS", unit="", origin=Origin.USERS, series=(), absent=BUSINESS_FILL)
    yield from (_counted(key, is_value=key in values) for key in keys)
    yield from (_figure(metric, environment) for metric in own)


def _counted(key: str, *, is_value: bool) -> ChartSpec:
    name = key.removeprefix(BUSINESS)
    line = SeriesSpec(label=name, keys=(key,), statistic=Statistic.RATE, scale=PER_MINUTE)
    if is_value:
        line = SeriesSpec(label=name, keys=(key,), statistic=Statistic.MEAN)
    unit = "" if is_value else "/min"
    return ChartSpec(
        key=f"business.{name}", title=_title(name), unit=unit, origin=Origin.USERS, series=(line,), absent=""
    )


def custom(environment: Environment) -> Iterator[ChartSpec]:
    """The figures of the settings that are not meant for Business."""
    own = [metric for metric in environment.custom if metric.page == "custom"]
    if not own:
        words = CUSTOM_FILL % environment.name
        yield ChartSpec(key="custom", title="CUSTOM", unit="", origin=Origin.NONE, series=(), absent=words)
    yield from (_figure(metric, environment) for metric in own)


def _figure(metric: CustomMetric, environment: Environment) -> ChartSpec:
    key = series_of(metric)
    line = SeriesSpec(label=metric.name, keys=(key,), statistic=Statistic(metric.statistic))
    kind = "sql" if metric.sql else "query" if metric.query else "series"
    return ChartSpec(
        key=f"custom.{metric.name}",
        title=metric.title or _title(metric.name),
        unit=metric.unit,
        origin=origin_of(key, environment),
        series=(line,),
        target=next((goal for goal in (metric.at_least, metric.at_most, metric.target) if goal is not None), None),
        target_is_floor=metric.at_least is not None,
        absent=f"no value yet: {kind} of the custom metric {metric.name} has given none",
    )


def series_of(metric: CustomMetric) -> str:
    """The series that a figure of the settings is stored as."""
    if metric.series:
        return metric.series
    return f"{'sql' if metric.sql else 'prometheus'}:{metric.name}|value"


def origin_of(key: str, environment: Environment) -> Origin:
    """From where the figures of a series come, by its target; a probe's where nothing else is said."""
    target = key.rpartition("|")[0]
    if target == TARGET:
        return told_by(environment)
    return _ORIGINS.get(target.partition(":")[0].partition(".")[0], Origin.PROBE)


def _title(name: str) -> str:
    return name.replace("_", " ").upper()
