"""Figures of people's own from Prometheus: a loopback server that follows the recorded contract, word by word."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest

from console.model.configuration import CustomMetric, Environment, Prometheus, Secret
from console.model.observation import ErrorKind, Observation, Origin, Outcome
from console.model.states import State
from console.sources import prometheus
from console.sources.http import Clients
from tests.sources.loopback import Handler, Loopback, answering, cases, hang, replay, serving, until

ROOT = "/prometheus"
QUERY = 'sum(rate(audits_total{client="ø & co"}[5m]))'


def environment(url: str, **settings: Any) -> Environment:
    return Environment(
        name="test",
        url="http://127.0.0.1:9",
        prometheus=Prometheus(url=url, **settings),
        custom=(CustomMetric(name="audits", query=QUERY), CustomMetric(name="other", series="health|latency_ms")),
    )


async def poll(handler: Handler, **settings: Any) -> tuple[Observation, Loopback]:
    async with serving(handler) as server:
        (source,) = prometheus.build(environment(server.url(ROOT + "/"), **settings), Clients())
        try:
            return await source.observe(), server
        finally:
            await source.close()


def matrix(*series: Mapping[str, Any], **more: Any) -> Handler:
    document = {"status": "success", "data": {"resultType": "matrix", "result": list(series)}}
    return answering(200, document | more)


def values(*pairs: tuple[float, str]) -> dict[str, Any]:
    """A series whose points are so many seconds old."""
    now_s = time.time()
    return {"metric": {"a": "b"}, "values": [[now_s - age_s, value] for age_s, value in pairs]}


async def test_the_newest_point_is_the_figure_and_its_age_is_told() -> None:
    seen, server = await poll(matrix(values((60, "1"), (30, "2"), (5, "3.5e+00"))))
    assert (seen.target, seen.outcome, seen.state) == ("prometheus:audits", Outcome.ANSWERED, State.HEALTHY)
    assert seen.origin is Origin.PROMETHEUS
    assert seen.samples["value"] == 3.5 and seen.samples["age_s"] == pytest.approx(5, abs=2)
    (asked,) = server.requests
    assert (asked.method, asked.path) == ("POST", "/prometheus/api/v1/query_range")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in asked.headers


async def test_the_range_is_short_and_its_points_are_few() -> None:
    _, server = await poll(matrix())
    form = {name: value for name, (value,) in parse_qs(server.requests[0].body.decode()).items()}
    assert form["query"] == QUERY
    points = (float(form["end"]) - float(form["start"])) / float(form["step"]) + 1
    assert points <= 50 and float(form["end"]) == pytest.approx(time.time(), abs=10)


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"token": Secret("geheim")}, "Bearer geheim"),
        ({"user": "radar", "password": Secret("p:q")}, f"Basic {base64.b64encode(b'radar:p:q').decode()}"),
    ],
)
async def test_credentials_go_to_this_server_and_to_no_other(settings: dict[str, Any], header: str) -> None:
    async with serving(matrix(values((1, "1")))) as other:
        moved = answering(307, b"", {"location": other.url("/api/v1/query_range")})
        seen, server = await poll(moved, **settings)
        assert server.requests[0].headers["authorization"] == header
        assert other.requests == []
    assert (seen.error_kind, seen.state) == (ErrorKind.REDIRECT, State.UNKNOWN)
    assert seen.words.startswith("307: redirects to http://127.0.0.1:") and "prometheus.url" in seen.words
    assert "geheim" not in repr(seen)


NO_VALUE: list[tuple[list[tuple[float, str]] | None, str]] = [
    (None, "gives no series: nothing matches"),
    ([], "gives no series"),
    ([(30, "4"), (0, "NaN")], "gives NaN, which is no value"),
    ([(0, "+Inf")], "gives +Inf, which is no value"),
    ([(0, "-Inf")], "gives -Inf"),
    ([(0, "1.7e308")], "gives a number beyond 1e+21, which is no value that can be kept"),
    ([(301, "4")], "the newest point is too old"),
    ([(10, "4"), (-86_400, "7")], "the newest point is timed more than 30 s ahead of this machine's clock"),
]


@pytest.mark.parametrize(("points", "words"), NO_VALUE)
async def test_no_value_is_unknown_and_never_0(points: list[tuple[float, str]] | None, words: str) -> None:
    seen, _ = await poll(matrix() if points is None else matrix(values(*points)))
    assert seen.words.startswith(words)
    assert (seen.outcome, seen.state, seen.samples) == (Outcome.ANSWERED, State.UNKNOWN, {})


REFUSED = [
    (matrix(values((1, "1")), values((1, "2"))), "gives several series; make it one"),
    (matrix({"metric": {}, "histograms": [[1795169580, {"count": "3"}]]}), "gives a native histogram; ask histogram_"),
    (matrix({"metric": {}, "values": [[1795169580, 3]]}), "the points are not as Prometheus gives them"),
    (matrix({"metric": {}, "values": [[1795169580, "1_000"]]}), "the points are not as"),
    (matrix({"metric": {}, "values": ["x"]}), "the points are not as"),
    (answering(200, {"status": "success", "data": {"resultType": "string", "result": [1, "x"]}}), "gives a text"),
    (answering(200, {"status": "success", "data": None}), "the answer has no result"),
    (answering(200, b"<html>login</html>"), "a page in place of an answer"),
    (answering(200, b"ok"), "the answer is no JSON"),
    (answering(200, {"hello": "world"}), "this is no answer of Prometheus"),
    (answering(404, b"<html>404</html>"), "404: no Prometheus at this address; prometheus.url is what stands before"),
    (answering(200, b'{"status":"success","data":"' + b"x" * 10_000_000 + b'"}'), "the answer is larger than 512 KiB"),
]


@pytest.mark.parametrize(("handler", "words"), REFUSED)
async def test_what_is_no_single_series_of_numbers_is_refused_in_words(handler: Handler, words: str) -> None:
    seen, _ = await poll(handler)
    assert seen.words.startswith(words)
    assert (seen.outcome, seen.state, seen.samples) == (Outcome.FAILED, State.UNKNOWN, {})


async def test_a_bare_pair_is_a_number_without_labels() -> None:
    scalar = {"status": "success", "data": {"resultType": "scalar", "result": [time.time(), "7"]}}
    seen, _ = await poll(answering(200, scalar))
    assert seen.state is State.HEALTHY and seen.samples["value"] == 7.0


REMARKS = [
    ({"warnings": ["chunk lost", "other"]}, "gives one series; warning: chunk lost (and 1 more)"),
    ({"infos": ["metric might not be a counter"]}, "gives one series; remark: metric might not be a counter"),
    ({"isPartial": True}, "gives one series; the answer is partial: a part of the cluster did not answer"),
]


@pytest.mark.parametrize(("more", "words"), REMARKS)
async def test_what_the_server_says_against_its_answer_degrades_it(more: dict[str, Any], words: str) -> None:
    seen, _ = await poll(matrix(values((1, "4")), **more))
    assert (seen.words, seen.state) == (words, State.DEGRADED)
    assert seen.samples["value"] == 4.0, "the value stays a value"
    seen, _ = await poll(matrix(values((1, "4")), isPartial=False, warnings=[], stats={"seriesFetched": "1"}))
    assert seen.state is State.HEALTHY


async def test_an_old_point_is_told_before_it_is_too_old() -> None:
    seen, _ = await poll(matrix(values((120, "4"))))
    assert (seen.words, seen.state) == ("gives one series; the newest point is older than 90 s", State.DEGRADED)
    assert seen.samples["value"] == 4.0


RECORDED = {
    "matrix with gap": "gives several series",
    "empty": "gives no series",
    "bad query": 'refuses the query (bad_data): invalid parameter "query": 1:5: parse error',
    "too many points": "refuses the query (bad_data): exceeded maximum resolution of 11,000 points",
    "timeout": "the query takes too long there: query timed out",
    "proxy auth html": "401: not allowed; check token",
    "proxy 502": "502: no answer of Prometheus, as from a proxy in front of it",
    "partial cluster answer": "the newest point is too old",
    "error": "refuses the query: error when executing query=",
}
CASES = [*cases("prometheus_query_range"), *cases("victoriametrics_query_range")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
async def test_every_recorded_answer_has_its_words(case: dict[str, Any]) -> None:
    seen, _ = await poll(replay(case))
    words = RECORDED[case["name"]]
    assert seen.words.startswith(words) and seen.state is State.UNKNOWN and seen.samples == {}


async def test_a_prometheus_that_is_not_reached_or_hangs_leaves_the_figure_unknown() -> None:
    (source,) = prometheus.build(environment("http://127.0.0.1:1"), Clients())
    seen = await source.observe()
    await source.close()
    assert (seen.outcome, seen.state, seen.error_kind) == (Outcome.FAILED, State.UNKNOWN, ErrorKind.CONNECT)
    assert seen.samples == {} and source.timeout_s < 30


async def test_closing_does_not_wait_for_one_that_hangs() -> None:
    async with serving(hang) as server:
        (source,) = prometheus.build(environment(server.url()), Clients())
        polling = asyncio.create_task(source.observe())
        await until(lambda: bool(server.requests))
        polling.cancel()
        began = time.monotonic()
        await source.close()
        assert time.monotonic() - began < 1


async def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    seen, _ = await poll(matrix(values((-20, "4"))))
    assert (seen.state, seen.samples) == (State.HEALTHY, {"value": 4.0, "age_s": 0.0})
