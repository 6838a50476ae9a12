"""The application's metrics on a real server: growth between scrapes, and what is not offered stays unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from console.model.configuration import Environment, MetricNames, Secret
from console.model.observation import Buckets, ErrorKind, Observation, Origin, Outcome
from console.model.states import State
from console.sources import metrics
from console.sources.http import Clients
from tests.sources.loopback import Handler, Seen, Writer, answering, cases, replay, serving

TEXT = {"content-type": "text/plain; version=0.0.4; charset=utf-8"}


def exposition(requests: int, errors: int, fast: int, hits: int) -> bytes:
    return f"""# TYPE http_requests_total counter
http_requests_total{{route="/",status="200"}} {requests - errors}
http_requests_total{{route="/",status="503"}} {errors}
http_request_duration_seconds_bucket{{le="0.1"}} {fast}
http_request_duration_seconds_bucket{{le="+Inf"}} {requests}
http_request_duration_seconds_sum {requests / 10}
http_request_duration_seconds_count {requests}
process_resident_memory_bytes 1.5e+08
nodejs_heap_size_used_bytes 1
process_memory_limit_bytes 536870912
cache_hits_total {hits}
cache_misses_total 10
audits_completed_total {requests}
# TYPE business_clients gauge
business_clients 12
business_signups_total {requests * 2}
business_time_seconds_sum 4
""".encode()


async def scraped(handlers: Sequence[Handler], names: MetricNames | None = None) -> list[Observation]:
    """One poll per handler, by one source."""
    waiting = list(handlers)

    async def handle(seen: Seen, writer: Writer) -> None:
        await waiting.pop(0)(seen, writer)

    async with serving(handle) as server:
        environment = Environment(
            name="test", url=server.url(), metrics="/api/metrics", metric_names=names or MetricNames()
        )
        (source,) = metrics.build(environment, Clients())
        try:
            return [await source.observe() for _ in handlers]
        finally:
            await source.close()


def offering(*numbers: int) -> Handler:
    return answering(200, exposition(*numbers), TEXT)


async def test_what_users_meet_between_two_scrapes() -> None:
    names = MetricNames(business={"audits": "audits_completed_total"})
    first, second = await scraped([offering(100, 5, 80, 30), offering(150, 8, 110, 60)], names)
    assert first.samples == {
        "memory_bytes": 1.5e8,
        "memory_limit_bytes": 536870912.0,
        "business.clients": 12.0,
    }
    assert (second.outcome, second.state, second.origin) == (Outcome.ANSWERED, State.HEALTHY, Origin.USERS)
    assert second.words == "offers requests, response times, memory, cache hits, business figures"
    assert second.facts["business_values"] == ["business.clients"]
    expected: dict[str, object] = {
        "requests": 50.0,
        "errors": 3.0,
        "latency_ms": Buckets((100.0, math.inf), (30.0, 20.0)),
        "mean_ms": pytest.approx(100.0),
        "cache_hit_share": 1.0,
        "business.audits": 50.0,
        "business.signups": 100.0,
    }
    assert second.samples == dict(first.samples) | expected
    assert first.facts == second.facts


async def test_a_restart_of_the_application_makes_no_spike() -> None:
    _, second = await scraped([offering(1000, 50, 800, 300), offering(20, 1, 15, 5)])
    assert (second.samples["requests"], second.samples["errors"]) == (20.0, 1.0)


async def test_without_traffic_nothing_is_claimed() -> None:
    _, second = await scraped([offering(100, 5, 80, 30)] * 2)
    assert (second.samples["requests"], second.samples["errors"]) == (0.0, 0.0)
    assert not {"latency_ms", "mean_ms", "cache_hit_share"} & set(second.samples)


async def test_other_names_are_a_setting() -> None:
    body = 'rq{code="500"} %d\nheap 5\n'
    names = MetricNames(requests="rq", memory=("rss", "heap"))
    _, second = await scraped([answering(200, (body % n).encode(), TEXT) for n in (1, 4)], names)
    assert second.samples == {"requests": 3.0, "errors": 3.0, "memory_bytes": 5.0}
    assert second.words == "offers requests, memory"


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (answering(404, b"<!doctype html>", {"content-type": "text/html"}), ErrorKind.STATUS),
        (answering(200, b"<!doctype html><p>hello", {"content-type": "text/html"}), ErrorKind.BODY),
        (answering(200, b""), ErrorKind.BODY),
        (answering(200, b"\xff" * 5_000_000), ErrorKind.TOO_LARGE),
        (answering(302, b"", {"location": "/login"}), ErrorKind.REDIRECT),
        (replay(cases("supabase_metrics")[1]), ErrorKind.STATUS),
    ],
)
async def test_metrics_that_cannot_be_read_are_unknown_and_never_zero(handler: Handler, kind: ErrorKind) -> None:
    (seen,) = await scraped([handler])
    assert (seen.outcome, seen.state, seen.error_kind) == (Outcome.FAILED, State.UNKNOWN, kind)
    assert seen.samples == {}


async def test_series_of_others_are_not_taken_for_ours() -> None:
    (seen,) = await scraped([answering(200, b"go_goroutines 4\n", TEXT)])
    assert (seen.outcome, seen.state) == (Outcome.ANSWERED, State.UNKNOWN)
    assert seen.words == "none of the series asked for is offered"


def test_without_the_setting_there_is_no_source() -> None:
    assert metrics.build(Environment(name="test", url="http://127.0.0.1:1"), Clients()) == []


async def test_the_token_goes_with_the_scrape_and_is_not_told() -> None:
    seen: list[Seen] = []

    async def handle(request: Seen, writer: Writer) -> None:
        seen.append(request)
        await offering(1, 0, 1, 0)(request, writer)

    async with serving(handle) as server:
        for token in (Secret("metrics-token-1"), None):
            environment = Environment(name="test", url=server.url(), metrics="/api/metrics", metrics_token=token)
            (source,) = metrics.build(environment, Clients())
            observation = await source.observe()
            await source.close()
            assert "metrics-token-1" not in repr(observation)
    assert [each.headers.get("authorization") for each in seen] == ["Bearer metrics-token-1", None]


async def test_several_instances_without_a_start_time_are_told() -> None:
    turns = [offering(1000 + turn, 0, turn, 0) if turn % 2 else offering(50 + turn, 0, turn, 0) for turn in range(8)]
    *_, last = await scraped(turns)
    assert (last.state, last.words) == (State.DEGRADED, metrics.SEVERAL)
    assert "requests" not in last.samples and "memory_bytes" in last.samples
