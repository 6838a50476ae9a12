"""What users meet, from a Prometheus: the target `metrics` where the application's own answer would be no truth.

Where its instances answer in turn, each tells of itself alone. The figures take the shape of a scrape's (growth since
the last poll), so that everything behind them is one: a rate a second, times the seconds since then, is a growth.

All expressions count or none: an answer that is stale, partial or warned of would be half a truth, and half of it is
no errors.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from typing import NamedTuple

from console.model import payload
from console.model.bounds import is_value
from console.model.configuration import Environment, Prometheus, PrometheusUsers
from console.model.observation import LONGEST_GROWTH, ErrorKind, Json, Observation, Origin, Sample, Source
from console.model.prometheus import combined
from console.model.states import State
from console.sources.base import HttpSource
from console.sources.faults import Fault
from console.sources.http import Client, Clients
from console.sources.prometheus import (
    AHEAD,
    AHEAD_S,
    OLD_S,
    SERIES_LIMIT,
    Point,
    doubts,
    misshapen,
    newest,
    no_value,
    one_series,
    read,
    request,
)

TARGET = "metrics"
BUCKETS_LIMIT = 200
MILLISECONDS = 1000.0
NAMES = {"requests": "requests", "errors": "errors", "duration": "response times", "memory": "memory"}
_OURS = (ErrorKind.BODY, ErrorKind.STATUS)
"""Faults that are one expression's; the others are Prometheus' own."""


class Figure(NamedTuple):
    """What one expression gives: its newest point, by bucket where it is a histogram."""

    at_s: float
    values: Mapping[float, float]

    @property
    def value(self) -> float:
        """The one value."""
        return self.values[math.inf]


class PrometheusUsersSource(HttpSource):
    """Every expression of `prometheus.users` at once. That it is not reached says nothing of the application."""

    origin = Origin.PROMETHEUS
    unreachable = State.UNKNOWN

    def __init__(
        self, prometheus: Prometheus, expressions: PrometheusUsers, client: Client, *, interval_s: float
    ) -> None:
        super().__init__(TARGET, client, interval_s=interval_s)
        self._prometheus = prometheus
        self._expressions = expressions
        self._counted_s: float | None = None

    async def ask(self) -> Observation:
        """The figures since the last poll."""
        now_s = time.time()
        names = {name: query for name in _FIELDS if (query := getattr(self._expressions, name)) is not None}
        # All are waited for, also where one fails: there is never more than one poll of a target under way.
        asked = (self._figure(name, query, now_s) for name, query in names.items())
        found = await asyncio.gather(*asked, return_exceptions=True)
        figures: dict[str, Figure] = {}
        for name, figure in zip(names, found, strict=True):
            if isinstance(figure, BaseException):
                raise figure
            figures[name] = figure
        offers = [words for name, words in NAMES.items() if name in figures]
        facts: dict[str, Json] = {"offers": [*offers]}
        words = f"offers {', '.join(offers)}"
        return self.answered(State.HEALTHY, words, facts=facts, samples=self._samples(figures))

    async def _figure(self, name: str, query: str, now_s: float) -> Figure:
        """The newest of one expression. Raises `Fault`, whose words name it, for less than a whole answer."""
        series = BUCKETS_LIMIT if name == "duration" else SERIES_LIMIT
        try:
            document = read(await self.get(request(self._prometheus, query, now_s, series)))
            if doubt := next(doubts(document), None):
                misshapen(doubt)
            figure = _buckets(document) if name == "duration" else _single(document)
            if figure.at_s - now_s > AHEAD_S:
                misshapen(AHEAD)
            if now_s - figure.at_s > OLD_S:
                misshapen(f"the newest point is older than {OLD_S:g} s: nothing is scraped or pushed")
        except Fault as fault:
            if fault.kind not in _OURS:
                raise
            raise Fault(
                fault.kind, f"{name}: {fault.words}", state=State.UNKNOWN, http_status=fault.http_status
            ) from None
        return figure

    def _samples(self, figures: Mapping[str, Figure]) -> dict[str, Sample]:
        """As a scrape gives them; nothing is counted twice when the newest point is the one of the poll before."""
        gauges = {"memory": "memory_bytes", "memory_limit": "memory_limit_bytes"}
        samples: dict[str, Sample] = {gauges[name]: figures[name].value for name in gauges if name in figures}
        elapsed_s = self._elapsed_s(figures["requests"].at_s)
        if elapsed_s <= 0:
            return samples
        samples |= {name: figures[name].value * elapsed_s for name in ("requests", "errors")}
        cumulative = {bound: rate * elapsed_s for bound, rate in figures["duration"].values.items()}
        latency = combined([cumulative], MILLISECONDS)
        return samples | ({"latency_ms": latency} if latency is not None else {})

    def _elapsed_s(self, at_s: float) -> float:
        """Seconds that the rates of this poll stand for: since the last one, and no more than a growth may span."""
        before_s = at_s - self._interval_s if self._counted_s is None else self._counted_s
        self._counted_s = max(at_s, before_s)
        return min(at_s - before_s, LONGEST_GROWTH * self._interval_s)


_FIELDS = ("requests", "errors", "duration", "memory", "memory_limit")


def build(environment: Environment, clients: Clients) -> list[Source]:
    """What users meet from Prometheus, where it is configured."""
    prometheus = environment.prometheus
    if prometheus is None or prometheus.users is None:
        return []
    client, interval_s = clients.of(prometheus.url), environment.intervals.metrics_s
    return [PrometheusUsersSource(prometheus, prometheus.users, client, interval_s=interval_s)]


def _single(document: Json) -> Figure:
    point = newest(one_series(document))
    if point is None:
        misshapen("gives no series: nothing matches, or nothing was measured lately; … or vector(0) where none is 0")
    return Figure(point[0], {math.inf: _number(point)})


def _buckets(document: Json) -> Figure:
    """One series for each bucket, all of the same newest moment."""
    points: dict[float, Point] = {}
    for series in payload.items(document, "data", "result"):
        bound, point = _bound(series), newest(series)
        if bound in points:
            misshapen("gives several series of one bucket; make it sum by (le) (…)")
        if point is not None:
            points[bound] = point
    if not points:
        misshapen("gives no buckets: nothing matches, or nothing was measured lately")
    at_s = max(at_s for at_s, _ in points.values())
    values = {bound: _number(point) for bound, point in points.items() if point[0] == at_s}
    if math.inf not in values:
        misshapen('gives no bucket le="+Inf", which counts all')
    return Figure(at_s, values)


def _bound(series: Json) -> float:
    label = payload.text(series, "metric", "le", limit=40)
    try:
        return float(label or "")
    except ValueError:
        misshapen("gives series without le; make it sum by (le) (rate(…_bucket[2m]))")


def _number(point: Point) -> float:
    value = float(point[1])
    if not is_value(value):
        misshapen(f"gives {no_value(value)}")
    if value < 0:
        misshapen("gives less than 0; a rate of a counter, or bytes, never are")
    return value
