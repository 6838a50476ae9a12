"""The application's sources on real servers: every recorded answer and every way of not answering."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from console.model.configuration import Environment
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from console.sources import application, registry
from console.sources.http import Clients, Limits, Request
from tests.sources.loopback import Handler, answering, cases, hang, raw, replay, response, routed, serving

HEALTH = "/api/v1/system/health"
PING = "/api/v1/system/ping"
WELL: dict[str, Any] = {
    "status": "healthy",
    "timestamp": "2026-11-20T10:15:00.000Z",
    "version": "1.0.0",
    "environment": "production",
    "checks": {"database": {"status": "pass"}, "memory": {"status": "pass"}},
    "responseTime": "16ms",
}
BLOCKED, FAILED, ANSWERED = Outcome.BLOCKED, Outcome.FAILED, Outcome.ANSWERED
HEALTHY, DEGRADED, UNHEALTHY, UNKNOWN = State.HEALTHY, State.DEGRADED, State.UNHEALTHY, State.UNKNOWN


async def observed(target: str, handler: Handler, *, routes: tuple[str, ...] = ("/",)) -> Observation:
    """One poll of one target of an application that answers everything with `handler`."""
    async with serving(handler) as server:
        return await observe_at(server.url(), target, routes=routes)


async def observe_at(url: str, target: str, *, routes: tuple[str, ...] = ("/",)) -> Observation:
    environment = Environment(name="test", url=url, routes=routes)
    sources = application.build(environment, Clients())
    source = next(source for source in sources if source.target == target)
    try:
        return await source.observe()
    finally:
        await source.close()


def with_checks(**checks: object) -> dict[str, Any]:
    return WELL | {"checks": WELL["checks"] | checks}


async def test_a_healthy_application() -> None:
    seen = await observed("health", routed({HEALTH: answering(200, WELL)}))
    assert (seen.outcome, seen.state, seen.error_kind) == (ANSWERED, HEALTHY, None)
    assert seen.words == "passes: database; memory check flaps: no measure"
    assert seen.samples["ok"] == 1.0
    assert isinstance(seen.samples["latency_ms"], float)
    facts = dict(seen.facts)
    assert facts.pop("checks") == {
        "database": {"status": "pass", "message": None},
        "memory": {"status": "unknown", "message": "flaps on a healthy server: no measure"},
    }
    assert facts == {
        "http_status": 200,
        "claimed": "healthy",
        "version": "1.0.0",
        "environment": "production",
        "contradiction": False,
    }


async def test_the_flapping_memory_check_changes_neither_state_nor_words_nor_facts() -> None:
    well = await observed("health", answering(200, WELL))
    body = with_checks(memory={"status": "fail", "message": "High memory usage: 91.2%"})
    body |= {"timestamp": "2026-11-20T10:15:05.000Z", "responseTime": "31ms"}
    flapping = await observed("health", answering(200, body))
    assert flapping.state is HEALTHY
    assert "flaps" in flapping.words and "no measure" in flapping.words
    assert (flapping.words, flapping.facts) == (well.words, well.facts)
    assert (well.samples["memory_check_failing"], flapping.samples["memory_check_failing"]) == (0.0, 1.0)
    assert "91.2%" in json.dumps(flapping.volatile)


async def test_healthy_over_a_failing_database_check_is_unhealthy_and_a_contradiction() -> None:
    body = with_checks(database={"status": "fail", "message": "Connection timeout after 5003ms"})
    seen = await observed("health", answering(200, body))
    assert (seen.outcome, seen.state) == (ANSWERED, UNHEALTHY)
    assert seen.facts["contradiction"] is True
    assert seen.words.startswith(
        'database fails: Connection timeout after …ms; yet it answers 200 and claims "healthy"'
    )
    assert seen.samples["ok"] == 0.0


async def test_the_unhandled_error_answer() -> None:
    body = {"status": "unhealthy", "timestamp": "x", "error": "boom postgres://a:pw123@db/x", "responseTime": "9ms"}
    seen = await observed("health", answering(503, body))
    assert (seen.outcome, seen.state, seen.facts["http_status"]) == (ANSWERED, UNHEALTHY, 503)
    assert "boom" in seen.words
    assert "pw123" not in repr(seen)


EXPECTED = {
    "ietf pass": (ANSWERED, HEALTHY, None),
    "contradiction: 200 with fail": (ANSWERED, DEGRADED, None),
    "next.js style": (ANSWERED, DEGRADED, None),
    "terminus": (ANSWERED, UNHEALTHY, None),
    "spring": (ANSWERED, UNHEALTHY, None),
    "kubernetes verbose": (ANSWERED, UNHEALTHY, None),
    "plain OK": (ANSWERED, UNKNOWN, None),
    "login page instead of health": (BLOCKED, UNKNOWN, ErrorKind.CHALLENGED),
    "deployment protection": (BLOCKED, UNKNOWN, ErrorKind.CHALLENGED),
    "challenge": (BLOCKED, UNKNOWN, ErrorKind.CHALLENGED),
    "cdn cached health (suspicious)": (BLOCKED, UNKNOWN, ErrorKind.CACHED),
}


@pytest.mark.parametrize("case", cases("health_endpoints"), ids=lambda case: case["name"])
async def test_every_recorded_health_answer(case: dict[str, Any]) -> None:
    seen = await observed("health", replay(case))
    assert (seen.outcome, seen.state, seen.error_kind) == EXPECTED[case["name"]]
    assert ("ok" in seen.samples) == (seen.state is not UNKNOWN)
    assert ("latency_ms" in seen.samples) == (seen.outcome is ANSWERED)


@pytest.mark.parametrize(
    ("handler", "outcome", "kind", "state"),
    [
        (answering(200, b"<html>hello", {"content-type": "text/html"}), FAILED, ErrorKind.BODY, UNKNOWN),
        (answering(404, b"<html>404", {"content-type": "text/html"}), FAILED, ErrorKind.BODY, UNKNOWN),
        (answering(502, b"<html>Bad Gateway", {"content-type": "text/html"}), FAILED, ErrorKind.BODY, UNHEALTHY),
        (answering(200, b"\x00\xff" * 1000), FAILED, ErrorKind.BODY, UNKNOWN),
        (answering(200, b"[" * 100_000), FAILED, ErrorKind.BODY, UNKNOWN),
        (answering(200, b"x" * 10_000_000), FAILED, ErrorKind.TOO_LARGE, UNKNOWN),
        (answering(200, b""), FAILED, ErrorKind.BODY, UNKNOWN),
        (answering(200, [1, 2]), FAILED, ErrorKind.BODY, UNKNOWN),
        (answering(200, WELL, {"x-vercel-cache": "HIT"}), BLOCKED, ErrorKind.CACHED, UNKNOWN),
        (answering(200, WELL, {"age": "7"}), BLOCKED, ErrorKind.CACHED, UNKNOWN),
        (answering(200, WELL, {"x-vercel-cache": "MISS", "age": "0"}), ANSWERED, None, HEALTHY),
        (answering(403, b"no", {"x-vercel-mitigated": "deny"}), BLOCKED, ErrorKind.CHALLENGED, UNKNOWN),
        (answering(429, {}, {"retry-after": "1"}), BLOCKED, ErrorKind.RATE_LIMITED, UNKNOWN),
        (answering(401, {"error": "who are you"}), Outcome.FORBIDDEN, ErrorKind.CREDENTIALS, UNKNOWN),
        (raw(response(302, b"", {"location": HEALTH})), FAILED, ErrorKind.REDIRECT, UNHEALTHY),
        (
            raw(response(307, b"", {"location": "https://vercel.com/sso-api?x=1"})),
            BLOCKED,
            ErrorKind.CHALLENGED,
            UNKNOWN,
        ),
        (raw(response(307, b"", {"location": "https://other.example.com/"})), FAILED, ErrorKind.REDIRECT, UNKNOWN),
        (raw(b"garbage\r\n\r\n"), FAILED, ErrorKind.BODY, UNKNOWN),
    ],
)
async def test_what_each_bad_answer_becomes(
    handler: Handler, outcome: Outcome, kind: ErrorKind | None, state: State
) -> None:
    seen = await observed("health", handler)
    assert (seen.outcome, seen.error_kind, seen.state) == (outcome, kind, state)
    assert seen.words


@pytest.mark.parametrize(
    "wrong", [None, 1, [], "x", {"status": 5}, {"database": []}, {"database": {"status": {}}}, [[]]]
)
async def test_checks_of_wrong_types_are_never_green(wrong: object) -> None:
    seen = await observed("health", answering(200, WELL | {"checks": wrong}))
    assert seen.state is not HEALTHY


async def test_a_refused_connection_is_unhealthy() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        seen = await observe_at(f"http://127.0.0.1:{free.getsockname()[1]}", "health")
    assert (seen.outcome, seen.error_kind, seen.state) == (FAILED, ErrorKind.CONNECT, UNHEALTHY)
    assert seen.samples == {"ok": 0.0}
    assert seen.words == "connection refused"


async def test_a_hung_application_is_unhealthy() -> None:
    async with serving(hang) as server:
        environment = Environment(name="test", url=server.url())
        source = application.build(environment, Clients())[0]
        assert isinstance(source, application.HealthSource)
        source._request = Request(url=server.url(HEALTH), limits=Limits(read_s=0.2, total_s=0.4))
        seen = await source.observe()
        await source.close()
    assert (seen.outcome, seen.error_kind, seen.state) == (FAILED, ErrorKind.TIMEOUT, UNHEALTHY)


async def test_a_rate_limit_is_obeyed_for_as_long_as_it_asks() -> None:
    async with serving(answering(429, {}, {"retry-after": "3600"})) as server:
        source = application.build(Environment(name="test", url=server.url()), Clients())[0]
        first, second = await source.observe(), await source.observe()
        await source.close()
        assert len(server.requests) == 1
    assert (first.outcome, second.outcome) == (Outcome.BLOCKED, Outcome.HELD)
    assert first.error_kind is second.error_kind is ErrorKind.RATE_LIMITED
    assert first.samples == second.samples == {}


@pytest.mark.parametrize(
    ("handler", "state"),
    [
        (answering(200, {"status": "ok", "message": "pong", "timestamp": "x", "env": "production"}), HEALTHY),
        (answering(200, b"pong", {"content-type": "text/plain"}), HEALTHY),
        (answering(200, {"status": "error"}), DEGRADED),
        (answering(500, {"status": "ok"}), UNHEALTHY),
        (answering(404, b"<html>", {"content-type": "text/html"}), UNKNOWN),
        (answering(200, {"status": "ok"}, {"age": "30"}), UNKNOWN),
    ],
)
async def test_ping(handler: Handler, state: State) -> None:
    seen = await observed("ping", handler)
    assert seen.state is state
    assert seen.samples.get("ok") == {HEALTHY: 1.0, DEGRADED: 1.0, UNHEALTHY: 0.0, UNKNOWN: None}[state]


PAGE = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("handler", "outcome", "state", "words"),
    [
        (answering(200, b"<html>Log in</html>", PAGE), ANSWERED, HEALTHY, "200"),
        (answering(200, b"x" * 2_000_000, PAGE), ANSWERED, HEALTHY, "200"),
        (answering(204, b""), ANSWERED, HEALTHY, "204"),
        (answering(404, b"", PAGE), ANSWERED, DEGRADED, "404"),
        (answering(403, b"", PAGE), ANSWERED, DEGRADED, "403"),
        (answering(500, b"", PAGE), ANSWERED, UNHEALTHY, "500"),
        (answering(503, b"", {"x-vercel-error": "DEPLOYMENT_PAUSED"}), ANSWERED, UNHEALTHY, "503: DEPLOYMENT_PAUSED"),
        (
            answering(401, b"", PAGE | {"server": "Vercel"}),
            BLOCKED,
            UNKNOWN,
            "401: Vercel's login answers, not the application",
        ),
        (
            answering(429, b"", {"x-vercel-mitigated": "challenge"}),
            BLOCKED,
            UNKNOWN,
            "the firewall answered (challenge), not the application",
        ),
        (
            raw(response(307, b"", {"location": "https://id.example.com/login?x=1"})),
            ANSWERED,
            HEALTHY,
            "307: redirects to another site, https://id.example.com/login?…",
        ),
    ],
)
async def test_what_a_route_answers(handler: Handler, outcome: Outcome, state: State, words: str) -> None:
    seen = await observed("route:/", handler)
    assert (seen.outcome, seen.state, seen.words) == (outcome, state, words)
    assert seen.samples.get("ok") == {HEALTHY: 1.0, DEGRADED: 1.0, UNHEALTHY: 0.0, UNKNOWN: None}[state]


async def test_a_redirected_route_is_told_from_one_that_answers_itself() -> None:
    handler = routed({"/": raw(response(307, b"", {"location": "/login"})), "/login": answering(200, b"", PAGE)})
    async with serving(handler) as server:
        seen = await observe_at(server.url(), "route:/")
        direct = await observe_at(server.url(), "route:/login", routes=("/login",))
        assert seen.words == f"200 after a redirect to {server.url('/login')}"
        assert seen.facts["redirect"] == server.url("/login")
    assert (direct.words, direct.facts["redirect"]) == ("200", None)


async def test_a_cached_page_is_a_page_and_said_to_be_cached() -> None:
    seen = await observed("route:/", answering(200, b"", PAGE | {"x-vercel-cache": "HIT"}))
    assert (seen.state, seen.facts["cached"]) == (HEALTHY, True)
    assert (await observed("route:/", answering(200, b"", PAGE))).facts["cached"] is False


async def test_escape_sequences_of_the_application_stay_harmless() -> None:
    body = with_checks(database={"status": "fail", "message": "\x1b]52;c;QQ==\x07 down"})
    body |= {"version": "1\u202e0", "environment": "\x1b[2J"}
    seen = await observed("health", answering(200, body, {"server": "\x1b[31m evil"}))
    text = json.dumps([seen.words, seen.facts, seen.volatile], ensure_ascii=False)
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert "␛]52" in seen.words


def test_the_environments_own_path_counts_and_routes_are_not_doubled() -> None:
    environment = Environment(name="test", url="https://app.example.com/base/", routes=("/", "/", "/pricing"))
    sources = registry.build(environment)
    assert [source.target for source in sources][:4] == ["health", "ping", "route:/", "route:/pricing"]
    health = sources[0]
    assert isinstance(health, application.HealthSource)
    assert health._request.url == "https://app.example.com/base/api/v1/system/health"
