"""Supabase in its parts: every recorded answer, and the gateway told apart from the key, auth and the database."""

from __future__ import annotations

from typing import Any

import pytest

from console.model.configuration import Environment, Secret, Supabase
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from console.sources import supabase
from console.sources.http import Clients
from tests.sources.loopback import Handler, Loopback, answering, cases, replay, routed, serving

REF = "exampleprojectrefaaa"
TOKEN, KEY = "sbp_0000000000000000000000000000000000000000", "eyExampleAnonKey"
PROJECT = f"/v1/projects/{REF}"
WELL = replay(cases("supabase_project_get")[0])
ALL_HEALTHY = replay(cases("supabase_health")[0])


async def seen(target: str, handler: Handler, *, key: str | None = KEY) -> tuple[Observation, Loopback]:
    """One poll of one part of a project whose API and gateway are both `handler`."""
    async with serving(handler) as server:
        settings = Supabase(
            ref=REF,
            token=Secret(TOKEN),
            anon_key=Secret(key) if key else None,
            api=server.url("/"),
            gateway=server.url("/"),
        )
        sources = supabase.build(Environment(name="test", url=server.url(), supabase=settings), Clients())
        source = next(source for source in sources if source.target == target)
        found = await source.observe()
        await source.close()
    assert TOKEN not in repr(found) and KEY not in repr(found)
    return found, server


PROJECT_STATES: dict[str, tuple[Outcome, State, ErrorKind | None]] = {
    "healthy": (Outcome.ANSWERED, State.HEALTHY, None),
    "restoring": (Outcome.ANSWERED, State.UNHEALTHY, None),
    "paused": (Outcome.ANSWERED, State.UNHEALTHY, None),
    "unknown status": (Outcome.ANSWERED, State.UNKNOWN, None),
    "bad token": (Outcome.FORBIDDEN, State.UNKNOWN, ErrorKind.CREDENTIALS),
    "no permission": (Outcome.FORBIDDEN, State.UNKNOWN, ErrorKind.CREDENTIALS),
    "fair use restriction": (Outcome.FORBIDDEN, State.UNKNOWN, ErrorKind.CREDENTIALS),
    "unknown project": (Outcome.FAILED, State.UNKNOWN, ErrorKind.STATUS),
    "server error": (Outcome.FAILED, State.UNKNOWN, ErrorKind.STATUS),
    "gateway timeout html": (Outcome.FAILED, State.UNKNOWN, ErrorKind.STATUS),
}


@pytest.mark.parametrize("case", cases("supabase_project_get"), ids=lambda case: case["name"])
async def test_every_recorded_project_answer(case: dict[str, Any]) -> None:
    found, server = await seen("supabase.project", routed({PROJECT: replay(case), f"{PROJECT}/health": ALL_HEALTHY}))
    assert (found.outcome, found.state, found.error_kind) == PROJECT_STATES[case["name"]]
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("case", cases("supabase_health"), ids=lambda case: case["name"])
async def test_every_recorded_health_answer(case: dict[str, Any]) -> None:
    found, server = await seen("supabase.project", routed({PROJECT: WELL, f"{PROJECT}/health": replay(case)}))
    services = found.facts["services"]
    assert found.outcome is Outcome.ANSWERED  # the project itself was read, whatever the services' answer
    assert isinstance(services, dict)
    if case["name"] == "degraded":
        assert found.state is State.DEGRADED
        assert services["pooler"] == "UNHEALTHY" and services["realtime"] == "COMING_UP"
        assert found.words == (
            "project active_healthy; services: pooler unhealthy, realtime coming_up, db_postgres_user unhealthy"
        )
        assert found.volatile["services"] == {
            "pooler": "Connection timed out",
            "db_postgres_user": "remaining connection slots are reserved",
        }
    else:
        assert found.state is State.HEALTHY
        assert bool(services) == (case["status"] == 200)
    assert server.requests[1].path.startswith(f"{PROJECT}/health?services=auth&services=db&services=pooler&")


async def test_a_service_in_a_state_nobody_knows_is_never_green() -> None:
    body = [{"name": "db", "status": "CONTEMPLATING"}, "garbage", {"status": "UNHEALTHY"}]
    found, _ = await seen("supabase.project", routed({PROJECT: WELL, f"{PROJECT}/health": answering(200, body)}))
    assert found.state is State.UNKNOWN
    assert found.facts["services"] == {"db": "CONTEMPLATING"}


PGRST = {"code": "PGRST000", "message": "Could not connect with the database", "details": None, "hint": None}
HTML = {"content-type": "text/html"}


@pytest.mark.parametrize(
    ("handler", "key", "outcome", "state", "words"),
    [
        (answering(200, {"swagger": "2.0"}), KEY, Outcome.ANSWERED, State.HEALTHY, "answers"),
        (answering(200, b"x" * 900_000), KEY, Outcome.ANSWERED, State.HEALTHY, "answers"),
        (answering(502, b"<html>", HTML), KEY, Outcome.ANSWERED, State.UNHEALTHY, "answers 502"),
        (answering(503, PGRST), KEY, Outcome.ANSWERED, State.UNHEALTHY, "answers 503"),
        (answering(404, {}), KEY, Outcome.ANSWERED, State.DEGRADED, "answers 404"),
        (
            answering(401, {"message": "Invalid API key"}),
            KEY,
            Outcome.FORBIDDEN,
            State.UNKNOWN,
            "401: the gateway refuses the anon key",
        ),
        (
            answering(401, {"code": "42501", "message": "permission denied"}),
            KEY,
            Outcome.ANSWERED,
            State.HEALTHY,
            "PostgREST answers, though not this request",
        ),
        (
            answering(401, {"message": "No API key found in request"}),
            None,
            Outcome.ANSWERED,
            State.HEALTHY,
            "the gateway answers; no anon_key to go on with",
        ),
    ],
)
async def test_the_gateway(handler: Handler, key: str | None, outcome: Outcome, state: State, words: str) -> None:
    found, server = await seen("supabase.gateway", handler, key=key)
    assert (found.outcome, found.state, found.words) == (outcome, state, words)
    assert server.requests[0].path == "/rest/v1/"
    assert server.requests[0].headers.get("apikey") == key
    assert found.samples.get("ok") == {State.HEALTHY: 1.0, State.DEGRADED: 1.0, State.UNHEALTHY: 0.0}.get(state)


@pytest.mark.parametrize(
    ("handler", "key", "state"),
    [
        (answering(200, {"version": "v2.180.0", "name": "GoTrue", "description": "x"}), KEY, State.HEALTHY),
        (answering(503, {}), KEY, State.UNHEALTHY),
        (answering(401, {}), KEY, State.UNKNOWN),
        (answering(401, {}), None, State.UNKNOWN),
        (answering(200, b"<html>", HTML), KEY, State.UNKNOWN),
    ],
)
async def test_auth(handler: Handler, key: str | None, state: State) -> None:
    found, server = await seen("supabase.auth", handler, key=key)
    assert found.state is state
    assert server.requests[0].path == "/auth/v1/health"


async def test_a_gateway_that_is_down_leaves_no_doubt() -> None:
    settings = Supabase(ref=REF, gateway="http://127.0.0.1:9")
    gateway, auth = supabase.build(Environment(name="test", url="http://x", supabase=settings), Clients())
    for found in (await gateway.observe(), await auth.observe()):
        assert (found.outcome, found.state, found.samples) == (Outcome.FAILED, State.UNHEALTHY, {"ok": 0.0})
    await gateway.close()


async def test_a_management_api_that_is_down_says_nothing_of_the_project() -> None:
    settings = Supabase(ref=REF, token=Secret(TOKEN), api="http://127.0.0.1:9")
    sources = supabase.build(Environment(name="test", url="http://x", supabase=settings), Clients())
    found = await sources[-1].observe()
    assert (found.target, found.outcome, found.state) == ("supabase.project", Outcome.FAILED, State.UNKNOWN)


def test_what_is_not_configured_has_no_source() -> None:
    assert supabase.build(Environment(name="test", url="http://x"), Clients()) == []
