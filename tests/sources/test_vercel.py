"""Vercel, read only: every recorded project answer through the real client, and the events that follow from changes."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model import payload
from console.model.configuration import Environment, Secret, Vercel
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from console.sources import vercel
from console.sources.http import Clients
from console.sources.vercel_deployments import deployment_of
from tests.sources.loopback import Handler, Loopback, Seen, Writer, answering, cases, raw, replay, response, serving

TOKEN = "vcp_ExampleTokenThatMustNeverBeShown"
LIVE = "dpl_Example00000000000000000009"
NORMAL: dict[str, Any] = cases("vercel_project_get")[0]["body"]
MINUTE_MS = 60_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def polled(
    *handlers: Handler, team: str | None = "team_Example1", polls: int | None = None
) -> tuple[list[Observation], Loopback]:
    """One poll per handler, or `polls` of them, by one source."""
    waiting = list(handlers)

    async def handle(seen: Seen, writer: Writer) -> None:
        is_list = seen.path.startswith("/v7/deployments")
        no_list = answering(200, {"deployments": []})
        await (no_list if is_list else waiting.pop(0) if waiting else answering(404, {}))(seen, writer)

    async with serving(handle) as server:
        settings = Vercel(token=Secret(TOKEN), project="shop web/1", team=team, api=server.url())
        (source,) = vercel.build(Environment(name="test", url=server.url(), vercel=settings), Clients())
        found = [await source.observe() for _ in range(polls or len(handlers))]
        await source.close()
    assert TOKEN not in repr(found)
    server.requests = [seen for seen in server.requests if not seen.path.startswith("/v7/deployments")]
    return found, server


def project(**changes: object) -> dict[str, Any]:
    return NORMAL | changes


def deployed(name: str, message: str, at_ms: int | bool) -> dict[str, Any]:
    """`targets` with another deployment as production."""
    production = copy.deepcopy(NORMAL["targets"]["production"])
    production |= {"id": f"dpl_{name}", "aliasAssigned": at_ms, "createdAt": 1_700_000_000_000}
    production["meta"] |= {"githubCommitSha": f"{name:0<40}", "githubCommitMessage": message}
    return {"production": production}


EXPECTED: dict[str, tuple[Outcome, State, ErrorKind | None]] = {
    "missing token": (Outcome.FORBIDDEN, State.UNKNOWN, ErrorKind.CREDENTIALS),
    "invalid token": (Outcome.FORBIDDEN, State.UNKNOWN, ErrorKind.CREDENTIALS),
    "no permission": (Outcome.FORBIDDEN, State.UNKNOWN, ErrorKind.CREDENTIALS),
    "server error": (Outcome.FAILED, State.UNKNOWN, ErrorKind.STATUS),
    "html from a proxy": (Outcome.FAILED, State.UNKNOWN, ErrorKind.STATUS),
    "paused": (Outcome.ANSWERED, State.UNHEALTHY, None),
}


@pytest.mark.parametrize("case", cases("vercel_project_get"), ids=lambda case: case["name"])
async def test_every_recorded_answer(case: dict[str, Any]) -> None:
    (seen,), _ = await polled(replay(case))
    expected = EXPECTED.get(case["name"], (Outcome.ANSWERED, State.HEALTHY, None))
    assert (seen.outcome, seen.state, seen.error_kind) == expected
    if expected[0] is Outcome.FORBIDDEN:
        assert seen.words.endswith(case["body"]["error"]["message"])


async def test_the_live_deployment_and_how_it_was_asked_for() -> None:
    (seen,), server = await polled(answering(200, NORMAL))
    assert server.requests[0].path == "/v9/projects/shop%20web%2F1?teamId=team_Example1"
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.words == 'live 0909090 "feat: new cart API (#412)"'
    assert seen.facts["production"] == {
        "id": LIVE,
        "short": "0909090",
        "commit": "09" * 20,
        "message": "feat: new cart API (#412)",
        "author": "dev0-example",
        "created_ms": 1795168920000,
        "state": "READY",
        "url": "shop-web-0009example-acme.vercel.app",
        "alias": ["shop.example.com"],
    }
    assert (seen.facts["auto_assign"], seen.facts["paused"], seen.facts["rolling_release"]) == (True, False, False)
    assert seen.facts["last_alias_request"] is None


@pytest.mark.parametrize(("team", "query"), [(None, ""), ("acme", "?slug=acme"), ("team_1", "?teamId=team_1")])
async def test_the_scope_of_the_question(team: str | None, query: str) -> None:
    _, server = await polled(answering(200, NORMAL), team=team)
    assert server.requests[0].path == f"/v9/projects/shop%20web%2F1{query}"


async def test_a_pinned_production_is_said_and_is_no_illness() -> None:
    (pinned, unknown), _ = await polled(
        answering(200, project(autoAssignCustomDomains=False)),
        answering(200, {name: value for name, value in NORMAL.items() if name != "autoAssignCustomDomains"}),
    )
    assert (pinned.state, pinned.facts["auto_assign"]) == (State.HEALTHY, False)
    assert pinned.words.endswith("new deployments do not go live by themselves")
    assert unknown.facts["auto_assign"] is None


@pytest.mark.parametrize(("age_ms", "state"), [(5 * MINUTE_MS, State.DEGRADED), (25 * 60 * MINUTE_MS, State.HEALTHY)])
async def test_a_failed_rollback_is_news_for_an_hour(age_ms: int, state: State) -> None:
    job = {"type": "rollback", "jobStatus": "failed", "toDeploymentId": "dpl_x", "requestedAt": now_ms() - age_ms}
    (seen,), _ = await polled(answering(200, project(lastAliasRequest=job)))
    assert seen.state is state


async def test_a_rolling_release_is_in_progress_only_when_vercel_says_so() -> None:
    configured = project(rollingRelease={"target": "production", "stages": []})
    active = answering(200, {"rollingRelease": {"state": "ACTIVE"}})
    none = answering(200, {"rollingRelease": None})
    (first, second), server = await polled(
        answering(200, configured), active, answering(200, configured), none, polls=2
    )
    assert (first.facts["rolling_release"], second.facts["rolling_release"]) == (True, False)
    assert server.requests[1].path == "/v1/projects/shop%20web%2F1/rolling-release?teamId=team_Example1"


def events(found: Sequence[Observation]) -> list[tuple[str, str, str]]:
    return [(event.kind, event.text, event.key) for seen in found for event in seen.events]


async def test_a_new_deployment_is_one_event_with_a_key_that_lasts() -> None:
    at_ms = now_ms() - MINUTE_MS
    before, after = (
        answering(200, NORMAL),
        answering(200, project(targets=deployed("8f3c1d2", "pricing v2\n\nbody", at_ms))),
    )
    found, _ = await polled(before, before, after, after)
    assert events(found) == [
        (
            "deployment",
            '0909090 "feat: new cart API (#412)" live (dev0-example)',
            f"deployment/{LIVE}/live/{found[0].events[0].at_ms}",
        ),
        ("deployment", '8f3c1d2 "pricing v2" live (dev0-example)', f"deployment/dpl_8f3c1d2/live/{at_ms}"),
    ]
    assert [len(seen.events) for seen in found] == [1, 0, 1, 0]
    assert found[2].events[0].data["message"] == "pricing v2"
    again, _ = await polled(after)  # another collector, later: the same key, so it is stored once
    assert again[0].events[0].key == found[2].events[0].key


async def test_a_rollback_is_told_by_whom_and_when_it_was_asked_for() -> None:
    old_ms, asked_ms = 1_700_000_000_000, now_ms() - 5000
    job = {"type": "rollback", "jobStatus": "succeeded", "toDeploymentId": "dpl_old", "requestedAt": asked_ms}
    rolled = project(
        targets=deployed("old", "last good", old_ms),
        lastAliasRequest=job,
        rollbackDescription={"username": "op2", "description": "login 500s", "createdAt": asked_ms},
    )
    found, _ = await polled(answering(200, NORMAL), answering(200, rolled))
    assert events(found[1:]) == [
        ("rollback", 'rolled back to old "last good" (by op2 at Vercel)', f"rollback/dpl_old/live/{asked_ms}")
    ]
    assert found[1].facts["rollback"] == {"by": "op2", "description": "login 500s", "at_ms": asked_ms}


@pytest.mark.parametrize("assigned", [1_700_000_000_000, True])
async def test_what_was_live_before_and_is_again_gets_the_time_of_the_change(assigned: int | bool) -> None:
    began_ms = now_ms()
    back = answering(200, project(targets=deployed("old", "last good", assigned)))
    found, _ = await polled(answering(200, NORMAL), back)
    assert found[1].events[0].at_ms >= began_ms


async def test_somebody_elses_job_is_not_taken_for_the_live_deployments() -> None:
    job = {"type": "rollback", "jobStatus": "in-progress", "toDeploymentId": "dpl_other", "requestedAt": now_ms()}
    (seen,), _ = await polled(answering(200, project(lastAliasRequest=job)))
    assert seen.events[0].kind == "deployment"
    assert seen.words.startswith("rollback in progress; live ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": "forbidden", "message": "bad"}}, "Vercel answers 403: bad"),
        ({"err": {"message": "bad"}}, "Vercel answers 403: bad"),
        ({"code": "forbidden", "message": "bad"}, "Vercel answers 403: bad"),
        ({"error": ["bad", "worse"]}, "Vercel answers 403: bad"),
        ({"error": {"message": {"deep": 1}}}, "Vercel answers 403"),
        ([], "Vercel answers 403"),
    ],
)
async def test_every_form_of_the_error_envelope(body: object, said: str) -> None:
    (seen,), _ = await polled(answering(403, body))
    assert (seen.outcome, seen.words) == (Outcome.FORBIDDEN, said)


@pytest.mark.parametrize("headers", [{"retry-after": "30"}, {"x-ratelimit-reset": str(int(time.time()) + 3600)}, {}])
async def test_a_rate_limit_is_obeyed(headers: dict[str, str]) -> None:
    (first, second), server = await polled(
        answering(429, {"error": {"code": "rate_limited"}}, headers), answering(200, NORMAL)
    )
    assert (first.outcome, first.error_kind, first.state) == (Outcome.BLOCKED, ErrorKind.RATE_LIMITED, State.UNKNOWN)
    assert (second.outcome, second.error_kind) == (Outcome.HELD, ErrorKind.RATE_LIMITED)
    assert len(server.requests) == 1


async def test_a_rate_limit_ends() -> None:
    (first, second), _ = await polled(answering(429, {}, {"retry-after": "0"}), answering(200, NORMAL))
    assert (first.outcome, second.outcome) == (Outcome.BLOCKED, Outcome.ANSWERED)


async def test_a_redirect_is_not_followed_with_the_token() -> None:
    async with serving(answering(200, NORMAL)) as other:
        (seen,), _ = await polled(raw(response(302, b"", {"location": other.url("/v9")})))
        assert other.requests == []
    assert (seen.outcome, seen.error_kind) == (Outcome.FAILED, ErrorKind.REDIRECT)


async def test_the_environment_variables_in_the_answer_are_not_kept() -> None:
    (seen,), _ = await polled(answering(200, project(env=[{"key": "DATABASE_URL", "value": "postgres://u:p@h/x"}])))
    assert "DATABASE_URL" not in repr(seen)


async def test_no_production_deployment_is_unknown() -> None:
    (seen,), _ = await polled(answering(200, project(targets={})))
    assert (seen.outcome, seen.state, seen.facts["production"]) == (Outcome.ANSWERED, State.UNKNOWN, None)


async def test_a_hostile_commit_message_is_disarmed() -> None:
    (seen,), _ = await polled(
        answering(200, project(targets=deployed("evil", "\x1b]52;c;QQ==\x07 \u202e[/bold]", True)))
    )
    assert not set(repr(seen)) & {"\x1b", "\x07", "\u202e"}
    assert "␛]52" in seen.words


VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}) | st.just([1, {}])
)
FIELDS = ["targets", "lastAliasRequest", "autoAssignCustomDomains", "paused", "security", "rollbackDescription", "name"]
INNER = ["production", "id", "meta", "aliasAssigned", "createdAt", "jobStatus", "toDeploymentId", "requestedAt", "type"]


@given(
    st.dictionaries(
        st.sampled_from(FIELDS),
        VALUES | st.dictionaries(st.sampled_from(INNER), VALUES | st.dictionaries(st.sampled_from(INNER), VALUES)),
    )
)
def test_fields_of_any_type_are_read_without_an_error(body: Any) -> None:
    production = deployment_of(payload.mapping(body, "targets", "production"))
    facts = vercel._facts(body, production)
    state, words = vercel._judge(facts, production, 0)
    assert words and isinstance(state, State)
    if production:
        assert vercel._live_event(body, production, 1000, None).text
