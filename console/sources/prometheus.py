"""A figure of one's own from a Prometheus or VictoriaMetrics: an expression that gives one series.

A short range is asked for rather than a moment: the newest point says by its own time how old it is. VictoriaMetrics
hides the newest 30 s (`-search.latencyOffset`): it repeats the value before them under the newer times.
"""

from __future__ import annotations

import base64
import math
import re
import time
from collections.abc import Iterator, Mapping
from typing import Never

from console.model import payload
from console.model.bounds import BEYOND, is_value
from console.model.configuration import CustomMetric, Environment, Prometheus, Secret
from console.model.observation import ErrorKind, Json, Observation, Origin, Outcome, Source
from console.model.states import State
from console.model.text import clean, redact
from console.sources.base import HttpSource
from console.sources.faults import Fault
from console.sources.http import Answer, Client, Clients, Limits, Request

PREFIX = "prometheus:"
VALUE, AGE = "value", "age_s"
PATH = "/api/v1/query_range"
LOOKBACK_S = 300.0
"""A point older than this is no value of now; it is also how far Prometheus itself looks back for one."""
STEP_S = 15.0
"""Twenty-one points in the range: far from the 11,000 that a server refuses, and below the fifty from which on
VictoriaMetrics shifts the times of points to multiples of the step."""
OLD_S = 90.0
"""An age that is told: neither the step nor VictoriaMetrics' 30 s explain it."""
AHEAD_S = 30.0
"""How far the clock of who measured may be ahead of ours: what is timed later is no value of now."""
AHEAD = f"the newest point is timed more than {AHEAD_S:g} s ahead of this machine's clock: one of both is wrong"
SERIES_LIMIT = 2
"""One more than can be used."""
BODY_LIMIT_BYTES = 512 * 1024
READ = "gives one series"
_HTML = b"<"
_RANGE = re.compile(r" on the time range \(.*?\)")
"""VictoriaMetrics quotes the range of each question: words that change with every poll would be news each time."""
_CREDENTIALS = "check token, or user and password, in prometheus"

Point = tuple[float, str]


class PrometheusSource(HttpSource):
    """`prometheus:NAME`. That it is not reached says nothing of what it measures."""

    origin = Origin.PROMETHEUS
    unreachable = State.UNKNOWN

    def __init__(self, metric: CustomMetric, prometheus: Prometheus, client: Client) -> None:
        assert metric.query is not None
        super().__init__(f"{PREFIX}{metric.name}", client, interval_s=metric.interval_s)
        self._query = metric.query
        self._prometheus = prometheus

    async def ask(self) -> Observation:
        """The newest point of the range that ends now."""
        now_s = time.time()
        document = read(await self.get(request(self._prometheus, self._query, now_s, SERIES_LIMIT)))
        point, remarks = newest(one_series(document)), [*doubts(document), *_infos(document)]
        if point is None:
            return self._without_value("gives no series: nothing matches, or nothing was measured lately", remarks)
        age_s, value = now_s - point[0], float(point[1])
        if age_s > LOOKBACK_S:
            return self._without_value("the newest point is too old to be a value of now", remarks)
        if age_s < -AHEAD_S:
            return self._without_value(AHEAD, remarks)
        if not is_value(value):
            return self._without_value(f"gives {no_value(value)}", remarks)
        if age_s > OLD_S:
            remarks.insert(0, f"the newest point is older than {OLD_S:g} s")
        return self.answered(
            State.DEGRADED if remarks else State.HEALTHY,
            "; ".join((READ, *remarks)),
            facts={},
            samples={VALUE: value, AGE: max(0.0, age_s)},
            volatile={"point_ms": round(point[0] * 1000)},
        )

    def _without_value(self, words: str, remarks: list[str]) -> Observation:
        """An answer without a value: never 0."""
        return self.answered(State.UNKNOWN, "; ".join((words, *remarks)), facts={})


def build(environment: Environment, clients: Clients) -> list[Source]:
    """One target for each figure with a `query`."""
    prometheus = environment.prometheus
    if prometheus is None:
        return []
    client = clients.of(prometheus.url)
    return [PrometheusSource(metric, prometheus, client) for metric in environment.custom if metric.query is not None]


def request(prometheus: Prometheus, query: str, now_s: float, series: int) -> Request:
    """The question for the range that ends now, of at most so many series."""
    form = {
        "query": query,
        "start": f"{now_s - LOOKBACK_S:.3f}",
        "end": f"{now_s:.3f}",
        "step": f"{STEP_S:g}",
        "limit": f"{series}",  # newer servers send no more; what others send is capped in bytes
    }
    return Request(
        url=prometheus.url.rstrip("/") + PATH,
        headers={"accept": "application/json"},
        credentials=_credentials(prometheus),
        form=form,
        limits=Limits(body_bytes=BODY_LIMIT_BYTES),
    )


def _credentials(prometheus: Prometheus) -> Mapping[str, Secret]:
    if prometheus.token is not None:
        return {"authorization": Secret(f"Bearer {prometheus.token.reveal()}")}
    if prometheus.password is not None:
        pair = f"{prometheus.user or ''}:{prometheus.password.reveal()}".encode()
        return {"authorization": Secret(f"Basic {base64.b64encode(pair).decode()}")}
    return {}


def no_value(value: float) -> str:
    """What a value that is none is, in words."""
    if math.isfinite(value):
        return BEYOND
    name = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return f"{name}, which is no value"


# --- the answer as a whole --------------------------------------------------------------------------------------------


def read(answer: Answer) -> Json:
    """The answer of a success. Raises `Fault` in words for everything else."""
    try:
        document = payload.decode_json(answer.body)
    except payload.Unreadable as error:
        raise _foreign(answer, str(error)) from None
    status = payload.text(document, "status")
    if answer.status == 200 and status == "success":
        return document
    raise _error(answer, document) if status == "error" else _foreign(answer, "this is no answer of Prometheus")


def _foreign(answer: Answer, words: str) -> Fault:
    """What stands in front of Prometheus answers, or something else at its address."""
    status, page = answer.status, answer.body.lstrip().startswith(_HTML)
    if answer.location:
        words = f"{status}: redirects to {answer.location}; set prometheus.url to what answers itself"
        return Fault(ErrorKind.REDIRECT, words, http_status=status, state=State.UNKNOWN)
    if status in (401, 403):
        return _forbidden(status, "not allowed")
    if status == 404:
        words = f"404: no Prometheus at this address; prometheus.url is what stands before {PATH}"
        return Fault(ErrorKind.STATUS, words, http_status=status)
    if status != 200:
        what = "a page" if page else "no answer of Prometheus"
        return Fault(ErrorKind.STATUS, f"{status}: {what}, as from a proxy in front of it", http_status=status)
    words = "a page in place of an answer: a login or a proxy?" if page else words
    return Fault(ErrorKind.BODY, words, http_status=status)


def _error(answer: Answer, document: Json) -> Fault:
    """Prometheus' own error. VictoriaMetrics gives the status as its type, which says nothing."""
    kind = payload.text(document, "errorType", limit=40) or ""
    said = redact(_RANGE.sub("", payload.text(document, "error", limit=300) or "without a word"))
    status = answer.status
    if status in (401, 403):
        return _forbidden(status, said)
    if kind == "timeout":
        return Fault(ErrorKind.TIMEOUT, f"the query takes too long there: {said}", http_status=status)
    what = "refuses the query" if status in (400, 422) else f"{status}"
    named = f" ({kind})" if kind and not kind.isdigit() else ""
    return Fault(ErrorKind.STATUS, f"{what}{named}: {said}", http_status=status)


def _forbidden(status: int, said: str) -> Fault:
    words = f"{status}: {said}; {_CREDENTIALS}"
    return Fault(ErrorKind.CREDENTIALS, words, outcome=Outcome.FORBIDDEN, http_status=status)


def doubts(document: Json) -> Iterator[str]:
    """What the server itself says against its answer: that it is partial, and warnings."""
    if payload.flag(document, "isPartial"):
        yield "the answer is partial: a part of the cluster did not answer"
    yield from _said(document, "warnings", "warning")


def _infos(document: Json) -> Iterator[str]:
    """What the server says of the expression."""
    yield from _said(document, "infos", "remark")


def _said(document: Json, name: str, word: str) -> Iterator[str]:
    said = [text for item in payload.items(document, name) if (text := payload.text(item, limit=120))]
    if said:
        more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
        yield f"{word}: {redact(clean(said[0], 120))}{more}"


# --- the one series ---------------------------------------------------------------------------------------------------


def one_series(document: Json) -> Json:
    """The one series, or the bare pair of a number without labels; None where there is none. Raises `Fault`."""
    kind, result = payload.text(document, "data", "resultType"), payload.mapping(document, "data").get("result")
    if kind == "string":
        misshapen("gives a text; a figure is a number")
    if not isinstance(result, list):
        misshapen("the answer has no result")
    if kind == "scalar":
        return result
    if len(result) > 1:
        misshapen("gives several series; make it one: sum(…), max(…), or a matcher more")
    return result[0] if result else None


def newest(series: Json) -> Point | None:
    """The newest (seconds, number as text). Raises `Fault` where the points are none."""
    if series is None:
        return None
    if not isinstance(series, dict):
        return _point(series)
    if series.get("histograms") or series.get("histogram"):
        misshapen("gives a native histogram; ask histogram_quantile(0.95, …) of it, or its histogram_count(…)")
    points = [_point(pair) for pair in payload.items(series, "values")]
    points += [_point(series["value"])] if "value" in series else []
    return max(points, default=None)


def _point(pair: Json) -> Point:
    """`[seconds, "number"]`. Raises `Fault`."""
    if isinstance(pair, list) and len(pair) == 2:
        at_s, value = payload.number(pair[0]), pair[1]
        if at_s is not None and isinstance(value, str) and _is_number(value):
            return at_s, value
    misshapen("the points are not as Prometheus gives them")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # float() would take 1_000


def misshapen(words: str) -> Never:
    """Raise the `Fault` of an answer that cannot be a figure."""
    raise Fault(ErrorKind.BODY, words, state=State.UNKNOWN)
