"""The application's own metrics in the Prometheus format: what users meet, where the application tells it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from console.model.component_users import told_by
from console.model.configuration import Environment, MetricNames, Secret
from console.model.observation import (
    BUSINESS_VALUES,
    LONGEST_GROWTH,
    ErrorKind,
    Json,
    Observation,
    Origin,
    Sample,
    Source,
)
from console.model.prometheus import Exposition, Growth, Labels, Scrapes, parse
from console.model.states import State
from console.model.text import clean, decode
from console.sources.application import address
from console.sources.base import HttpSource
from console.sources.faults import Fault
from console.sources.http import Answer, Client, Clients, Limits, Request

ACCEPT = "text/plain;version=0.0.4, application/openmetrics-text;q=0.5"
BODY_LIMIT_BYTES = 4 * 1024 * 1024  # two hundred routes with a histogram each are 1 MiB
BUSINESS_LIMIT = 20
MILLISECONDS = 1000.0
SEVERAL = "several instances answer in turn and offer no process_start_time_seconds: what grew is unknown"


class MetricsSource(HttpSource):
    """One scrape: growth since the last one. That it is not reached says nothing of the application's health."""

    origin = Origin.USERS
    unreachable = State.UNKNOWN

    def __init__(
        self, url: str, names: MetricNames, client: Client, *, interval_s: float, token: Secret | None = None
    ) -> None:
        super().__init__("metrics", client, interval_s=interval_s)
        self._names = names
        credentials = {"authorization": Secret(f"Bearer {token.reveal()}")} if token else {}
        self._scrapes = Scrapes(LONGEST_GROWTH * interval_s)
        self._request = Request(
            url=url, headers={"accept": ACCEPT}, credentials=credentials, limits=Limits(body_bytes=BODY_LIMIT_BYTES)
        )

    async def ask(self) -> Observation:
        """The growth since the last scrape; the first scrape gives gauges only."""
        answer = await self.get(self._request)
        exposition = _exposition(answer)
        growth = self._scrapes.since_last(exposition, time.clock_gettime(time.CLOCK_BOOTTIME), time.time())
        samples = dict(_gauges(exposition, self._names))
        if growth is not None:
            samples |= dict(_growths(growth, self._names))
        offered = list(_offered(exposition, self._names))
        facts: dict[str, Json] = {"http_status": answer.status, "offers": [*offered]}
        if values := _business_values(exposition, self._names):
            facts[BUSINESS_VALUES] = [*values]
        if self._scrapes.are_mixed:
            return self.answered(State.DEGRADED, SEVERAL, facts=facts, samples=samples)
        if not offered:
            return self.answered(State.UNKNOWN, "none of the series asked for is offered", facts=facts, samples=samples)
        return self.answered(State.HEALTHY, f"offers {', '.join(offered)}", facts=facts, samples=samples)


def build(environment: Environment, clients: Clients) -> list[Source]:
    """The metrics, if the application has them and no Prometheus tells of all its instances."""
    if environment.metrics is None or told_by(environment) is not Origin.USERS:
        return []
    url, interval_s = address(environment, environment.metrics), environment.intervals.metrics_s
    client, token = clients.of(url), environment.metrics_token
    return [MetricsSource(url, environment.metric_names, client, interval_s=interval_s, token=token)]


def _exposition(answer: Answer) -> Exposition:
    """The answer as an exposition. Raises `Fault` when it is none."""
    if answer.status != 200:
        kind = ErrorKind.REDIRECT if answer.location else ErrorKind.STATUS
        raise Fault(
            kind, f"{answer.status}: no metrics at this address", http_status=answer.status, state=State.UNKNOWN
        )
    exposition = parse(decode(answer.body))
    if not exposition.values:
        raise Fault(ErrorKind.BODY, "the answer holds no metrics", http_status=answer.status)
    return exposition


def _offered(exposition: Exposition, names: MetricNames) -> Iterator[str]:
    """What people call the figures that the exposition holds."""
    found = {name for name, _ in exposition.values}
    wanted = {
        "requests": (names.requests,),
        "response times": (f"{names.duration}_bucket",),
        "memory": names.memory,
        "cache hits": (names.cache_hits,),
        "business figures": (*names.business.values(), *(name for name in found if _is_business(name, names))),
    }
    return (words for words, series in wanted.items() if found & set(series))


def _gauges(exposition: Exposition, names: MetricNames) -> Iterator[tuple[str, Sample]]:
    memory = next((value for name in names.memory if (value := exposition.gauge(name)) is not None), None)
    values = {"memory_bytes": memory, "memory_limit_bytes": exposition.gauge(names.memory_limit)}
    values |= {metric: exposition.gauge(name) for metric, name in _business_values(exposition, names).items()}
    return ((metric, value) for metric, value in values.items() if value is not None)


def _growths(growth: Growth, names: MetricNames) -> Iterator[tuple[str, Sample]]:
    values: dict[str, Sample | None] = {
        "requests": growth.counter(names.requests),
        "errors": growth.counter(names.requests, lambda labels: _is_error(labels, names)),
        "latency_ms": growth.buckets(names.duration, MILLISECONDS),
        "mean_ms": growth.mean(names.duration, MILLISECONDS),
        "cache_hit_share": _hit_share(growth, names),
    }
    values |= {
        metric: growth.counter(name)
        for metric, name in _business(growth.now, names).items()
        if growth.now.is_counter(name)
    }
    return ((metric, value) for metric, value in values.items() if value is not None)


def _is_error(labels: Labels, names: MetricNames) -> bool:
    return any(name in names.status_labels and value.startswith("5") for name, value in labels)


def _hit_share(growth: Growth, names: MetricNames) -> float | None:
    hits, misses = growth.counter(names.cache_hits), growth.counter(names.cache_misses)
    total = (hits or 0.0) + (misses or 0.0)
    return (hits or 0.0) / total if total else None


def _business(exposition: Exposition, names: MetricNames) -> dict[str, str]:
    """`business.NAME` to the series' name: those configured, and those of the prefix in the order of their names."""
    prefixed = sorted({name for name, _ in exposition.values if _is_business(name, names)})[:BUSINESS_LIMIT]
    found = {name.removeprefix(names.business_prefix).removesuffix("_total"): name for name in prefixed}
    return {f"business.{clean(metric, 60)}": name for metric, name in (found | dict(names.business)).items()}


def _business_values(exposition: Exposition, names: MetricNames) -> dict[str, str]:
    """Those of the business figures that are no counters: what counts of them is their value."""
    found = _business(exposition, names).items()
    return {metric: name for metric, name in found if not exposition.is_counter(name)}


def _is_business(name: str, names: MetricNames) -> bool:
    parts = ("_bucket", "_sum", "_count", "_created")  # of histograms and summaries, no figures by themselves
    return bool(names.business_prefix) and name.startswith(names.business_prefix) and not name.endswith(parts)
