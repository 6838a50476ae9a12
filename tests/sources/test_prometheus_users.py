"""What users meet from Prometheus: growths out of rates; what is stale, partial or half an answer gives nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest

from console.model.configuration import Environment, Intervals, Prometheus, PrometheusUsers
from console.model.observation import Buckets, ErrorKind, Observation, Origin, Outcome
from console.model.states import State
from console.sources import prometheus_users, registry
from console.sources.http import Clients
from tests.sources.loopback import Handler, Seen, Writer, raw, response, serving

EXPRESSIONS = PrometheusUsers(
    requests="the requests", errors="the errors", duration="the buckets", memory="the memory", memory_limit="the limit"
)
INTERVAL_S = 15.0
Told = Mapping[str, Mapping[str, Any]]


def series(value: str, age_s: float = 0.0, **labels: str) -> dict[str, Any]:
    """A series whose newest point is so many seconds old."""
    at_s = round(time.time(), 3) - age_s
    return {"metric": labels, "values": [[at_s - 15, "1"], [at_s, value]]}


def document(*found: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(found)}} | more


def buckets(*rates: tuple[str, str], age_s: float = 0.0) -> dict[str, Any]:
    at = time.time() - age_s
    return document(*({"metric": {"le": bound}, "values": [[at, rate]]} for bound, rate in rates))


def whole(**changes: Mapping[str, Any]) -> Told:
    """10 requests a second, of which 1 fails, half of them within 0.1 s, and changes to it."""
    told: dict[str, Mapping[str, Any]] = {
        "requests": document(series("10")),
        "errors": document(series("1")),
        "buckets": buckets(("0.1", "5"), ("1", "9"), ("+Inf", "10")),
        "memory": document(series("80")),
        "limit": document(series("100")),
    }
    return told | changes


def telling(told: Told) -> Handler:
    """A server that answers each expression by its last word."""

    async def handle(seen: Seen, writer: Writer) -> None:
        query = parse_qs(seen.body.decode())["query"][0]
        body = json.dumps(told[query.rpartition(" ")[2]]).encode()
        await raw(response(200, body, {"content-type": "application/json"}))(seen, writer)

    return handle


def environment(url: str, users: PrometheusUsers | None = EXPRESSIONS, **settings: Any) -> Environment:
    return Environment(name="test", url="http://127.0.0.1:9", prometheus=Prometheus(url=url, users=users), **settings)


async def poll(told: Told, users: PrometheusUsers = EXPRESSIONS) -> Observation:
    async with serving(telling(told)) as server:
        (source,) = prometheus_users.build(environment(server.url("/"), users), Clients())
        try:
            return await source.observe()
        finally:
            await source.close()


async def test_rates_become_what_grew_since_the_last_poll() -> None:
    seen = await poll(whole())
    assert (seen.target, seen.outcome, seen.state) == ("metrics", Outcome.ANSWERED, State.HEALTHY)
    assert (seen.origin, seen.words) == (Origin.PROMETHEUS, "offers requests, errors, response times, memory")
    assert (seen.samples["requests"], seen.samples["errors"]) == pytest.approx((10 * INTERVAL_S, INTERVAL_S))
    latency = seen.samples["latency_ms"]
    assert isinstance(latency, Buckets)
    assert latency.bounds == pytest.approx((100.0, 1000.0, float("inf")))
    assert latency.counts == pytest.approx((5 * INTERVAL_S, 4 * INTERVAL_S, INTERVAL_S))
    assert (seen.samples["memory_bytes"], seen.samples["memory_limit_bytes"]) == (80.0, 100.0)


async def test_a_second_poll_counts_the_seconds_between_and_the_same_point_never_twice() -> None:
    told = dict(whole())
    intervals = Intervals(metrics_s=5.0)
    async with serving(telling(told)) as server:
        (source,) = prometheus_users.build(environment(server.url("/"), intervals=intervals), Clients())
        await source.observe()
        again = await source.observe()
        told["requests"] = document(series("10", age_s=-4.0))
        later = await source.observe()
        told["requests"] = document(series("10", age_s=-29.0))
        gap = await source.observe()
        await source.close()
    assert "requests" not in again.samples and "latency_ms" not in again.samples
    assert again.samples["memory_bytes"] == 80.0
    assert later.samples["requests"] == pytest.approx(10 * 4.0, abs=10)
    grown = gap.samples["requests"]
    assert isinstance(grown, float) and grown == pytest.approx(10 * 3 * 5.0), "a gap is no spike"


HALF = [
    ("requests", document(), "requests: gives no series: nothing matches"),
    ("errors", document(), "errors: gives no series"),
    ("errors", document(series("NaN")), "errors: gives NaN, which is no value"),
    ("errors", document(series("-1")), "errors: gives less than 0"),
    ("memory", document(series("1.7e308")), "memory: gives a number beyond 1e+21"),
    ("requests", document(series("10", age_s=-86_400)), "requests: the newest point is timed more than 30 s ahead"),
    ("requests", document(series("10", age_s=91)), "requests: the newest point is older than 90 s"),
    ("buckets", buckets(("0.1", "5"), ("+Inf", "10"), age_s=91), "duration: the newest point is older than 90 s"),
    ("errors", document(series("0"), isPartial=True), "errors: the answer is partial"),
    ("buckets", buckets(("+Inf", "10")) | {"warnings": ["a store is gone"]}, "duration: warning: a store is gone"),
    ("buckets", document(), "duration: gives no buckets"),
    ("buckets", buckets(("0.1", "5")), 'duration: gives no bucket le="+Inf"'),
    ("buckets", buckets(("0.1", "5"), ("0.1", "5")), "duration: gives several series of one bucket"),
    ("buckets", document(series("5", quantile="0.5")), "duration: gives series without le"),
    ("memory", document(series("1"), series("2")), "memory: gives several series"),
    ("limit", {"status": "error", "errorType": "bad_data", "error": "x"}, "memory_limit: 200 (bad_data): x"),
]


@pytest.mark.parametrize(("name", "answer", "words"), HALF)
async def test_less_than_a_whole_answer_is_unknown_and_gives_no_figure(
    name: str, answer: Mapping[str, Any], words: str
) -> None:
    seen = await poll(whole(**{name: answer}))
    assert seen.words.startswith(words)
    assert (seen.state, seen.samples, seen.origin) == (State.UNKNOWN, {}, Origin.PROMETHEUS)


async def test_a_remark_on_an_expression_takes_nothing_from_its_answer() -> None:
    seen = await poll(whole(errors=document(series("1")) | {"infos": ["metric might not be a counter"]}))
    assert seen.state is State.HEALTHY and seen.samples["errors"] == pytest.approx(INTERVAL_S)


async def test_memory_need_not_be_configured() -> None:
    seen = await poll(whole(), PrometheusUsers(requests="the requests", errors="the errors", duration="the buckets"))
    assert seen.words == "offers requests, errors, response times" and "memory_bytes" not in seen.samples


async def test_a_prometheus_that_is_not_reached_says_nothing_of_the_application() -> None:
    (source,) = prometheus_users.build(environment("http://127.0.0.1:9"), Clients())
    seen = await source.observe()
    await source.close()
    assert (seen.error_kind, seen.state, seen.samples) == (ErrorKind.CONNECT, State.UNKNOWN, {})


async def test_no_traffic_is_no_request_and_no_response_time() -> None:
    none = buckets(("0.1", "0"), ("+Inf", "0"))
    seen = await poll(whole(requests=document(series("0")), errors=document(series("0")), buckets=none))
    assert (seen.samples["requests"], seen.samples["errors"]) == (0.0, 0.0) and "latency_ms" not in seen.samples


async def test_the_configured_prometheus_goes_before_the_applications_own_metrics() -> None:
    for users, origin in ((EXPRESSIONS, Origin.PROMETHEUS), (None, Origin.USERS)):
        sources = registry.build(environment("http://127.0.0.1:9", users, metrics="/api/metrics", egress=None))
        (source,) = [each for each in sources if each.target == "metrics"]
        seen = await source.observe()
        await asyncio.gather(*(each.close() for each in sources))
        assert seen.origin is origin
