"""GitHub Actions, read only: every recorded answer through the real client, conditional requests, limits, events."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model import payload
from console.model.configuration import Secret
from console.model.observation import ErrorKind, Json, Observation, Outcome
from console.model.operations import GitHub, Operations
from console.model.states import State
from console.sources import github
from console.sources.github_runs import CONCLUSIONS, STATUSES, job_of, run_of
from console.sources.http import Clients
from tests.sources.loopback import Loopback, Seen, Writer, cases, response, serving

TOKEN = "github_pat_ExampleTokenThatMustNeverBeShown"
RUNS = cases("github_workflow_runs")
JOBS = cases("github_run_jobs")
MIXED: list[dict[str, Any]] = RUNS[0]["body"]["workflow_runs"]
Answer = tuple[int, Mapping[str, str], object]


class Actions:
    """A loopback GitHub: what it answers for the runs and for jobs, with an ETag for each list."""

    def __init__(self, runs: object = None, jobs: Mapping[str, Any] | None = None) -> None:
        self.runs: object = {"workflow_runs": MIXED} if runs is None else runs
        self.jobs: object = JOBS[0]["body"] if jobs is None else jobs
        self.forced: dict[str, Answer] = {}
        """`runs` or `jobs` to an answer in place of the list."""

    async def __call__(self, seen: Seen, writer: Writer) -> None:
        kind = "jobs" if "/jobs" in seen.path else "runs"
        if kind in self.forced:
            status, headers, body = self.forced[kind]
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            writer.write(response(status, b"" if status == 304 else sent, headers))
        else:
            body = json.dumps(self.jobs if kind == "jobs" else self.runs).encode()
            tag = f'W/"{hash(body)}"'
            same = seen.headers.get("if-none-match") == tag
            writer.write(response(304 if same else 200, b"" if same else body, {"etag": tag}))
        await writer.drain()


async def polled(
    actions: Actions, polls: int = 1, between: Any = None, **settings: Any
) -> tuple[list[Observation], Loopback]:
    async with serving(actions) as server:
        github_settings = GitHub(token=Secret(TOKEN), repository="acme/shop", api=server.url(), **settings)
        (source,) = github.build(Operations(github=github_settings), Clients())
        found = []
        for at in range(polls):
            if between is not None and at:
                between(at)
            found.append(await source.observe())
        await source.close()
    assert TOKEN not in repr(found)
    return found, server


def runs_of(seen: Observation) -> list[Mapping[str, Json]]:
    return [payload.mapping(run) for run in payload.items(dict(seen.volatile), "runs")]


def paths(server: Loopback) -> list[str]:
    return [seen.path for seen in server.requests]


def test_no_repository_has_no_source() -> None:
    assert github.build(Operations(), Clients()) == github.build(None, Clients()) == []


async def test_the_runs_with_their_jobs_and_how_they_were_asked_for() -> None:
    (seen,), server = await polled(Actions(), workflow="ci.yml")
    assert paths(server)[0] == (
        "/repos/acme/shop/actions/workflows/ci.yml/runs?branch=main&per_page=20&exclude_pull_requests=true"
    )
    assert paths(server)[1] == "/repos/acme/shop/actions/runs/19000000009/jobs?filter=latest&per_page=100"
    headers = server.requests[0].headers
    assert (headers["authorization"], headers["user-agent"]) == (f"Bearer {TOKEN}", "radar-console")
    assert headers["x-github-api-version"] == "2022-11-28"
    assert (seen.state, seen.words) == (State.HEALTHY, "run #809 in progress: feat: new cart API (#412)")
    assert seen.facts["active"] == [19000000009, 19000000005]
    runs = runs_of(seen)
    assert [(run["status"], run["conclusion"], run["attempt"]) for run in runs] == [
        ("in_progress", None, 1),
        ("completed", "success", 1),
        ("completed", "failure", 2),
        ("completed", "cancelled", 1),
        ("waiting", None, 1),
    ]
    jobs = [payload.mapping(job) for job in payload.items(runs[2].get("jobs"))]
    assert [(job["name"], job["conclusion"], job["failing_step"]) for job in jobs] == [
        ("build", "success", None),
        ("test (node 22)", "failure", "npm test"),
        ("deploy", None, None),
    ]


@pytest.mark.parametrize("case", RUNS, ids=lambda case: case["name"])
async def test_every_recorded_answer(case: dict[str, Any]) -> None:
    actions = Actions()
    actions.forced["runs"] = case["status"], case["headers"], case.get("body", case.get("body_text", ""))
    (seen,), _ = await polled(actions)
    expected = {
        "bad credentials": (Outcome.FORBIDDEN, ErrorKind.CREDENTIALS),
        "primary rate limit": (Outcome.BLOCKED, ErrorKind.RATE_LIMITED),
        "secondary rate limit": (Outcome.BLOCKED, ErrorKind.RATE_LIMITED),
        "not found or private": (Outcome.FORBIDDEN, ErrorKind.CREDENTIALS),
        "not modified": (Outcome.FAILED, ErrorKind.REDIRECT),  # of a list that was never read
    }.get(case["name"], (Outcome.ANSWERED, None))
    assert (seen.outcome, seen.error_kind) == expected
    assert seen.state is (State.HEALTHY if expected[1] is None else State.UNKNOWN)
    if case["name"] == "not found or private":
        assert seen.words == "GitHub answers 404: this token may not see acme/shop, or there is no such thing"


async def test_what_has_not_changed_is_not_sent_again_and_ended_runs_are_read_once() -> None:
    found, server = await polled(Actions(), polls=2)
    ended = [run for run in MIXED if run["status"] == "completed"]
    first, second = server.requests[: 1 + len(MIXED)], server.requests[1 + len(MIXED) :]
    assert [seen.headers.get("if-none-match") for seen in first] == [None] * (1 + len(MIXED))
    assert all(seen.headers["if-none-match"] for seen in second)
    # The fixture's jobs hold one that is queued: even of an ended run they are asked for again.
    assert len(second) == 1 + len(MIXED) and ended
    assert runs_of(found[0]) == runs_of(found[1])
    over = {"jobs": [job for job in JOBS[0]["body"]["jobs"] if job["status"] == "completed"]}
    _, calm = await polled(Actions(jobs=over), polls=2)
    assert len(calm.requests) == 1 + len(MIXED) + 1 + len(MIXED) - len(ended)


async def test_older_runs_are_read_a_few_at_a_time() -> None:
    over = {"jobs": [job for job in JOBS[0]["body"]["jobs"] if job["status"] == "completed"]}
    ended = [MIXED[1] | {"id": at} for at in range(20)]
    found, server = await polled(Actions({"workflow_runs": ended}, over), polls=4)
    assert [sum(run["jobs"] is not None for run in runs_of(seen)) for seen in found] == [8, 16, 20, 20]
    assert len(server.requests) == 4 + 20


async def test_a_changed_list_is_taken_over() -> None:
    actions = Actions()
    newer = copy.deepcopy(MIXED[:1])
    newer[0] |= {"status": "completed", "conclusion": "success"}

    def change(_: int) -> None:
        actions.runs = {"workflow_runs": newer}

    found, _ = await polled(actions, polls=2, between=change)
    assert found[1].facts["active"] == [] and len(runs_of(found[1])) == 1


async def test_jobs_that_github_does_not_show_are_unknown_and_lose_nothing_else() -> None:
    actions = Actions()
    actions.forced["jobs"] = 404, {}, {"message": "Not Found"}
    (seen,), _ = await polled(actions)
    assert seen.outcome is Outcome.ANSWERED
    assert {run["jobs"] for run in runs_of(seen)} == {None}


@pytest.mark.parametrize(
    ("headers", "body", "held"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 1800)}, {"message": "limit"}, True),
        ({"retry-after": "60"}, {"message": "slow down"}, True),
        ({}, {"message": "You have exceeded a secondary rate limit."}, True),
        ({"x-ratelimit-remaining": "4999"}, {"message": "Resource not accessible by personal access token"}, False),
    ],
)
async def test_a_403_is_a_limit_or_a_refusal(headers: dict[str, str], body: object, held: bool) -> None:
    actions = Actions()
    actions.forced["runs"] = 403, headers, body
    found, server = await polled(actions, polls=2)
    assert [seen.outcome for seen in found] == (
        [Outcome.BLOCKED, Outcome.HELD] if held else [Outcome.FORBIDDEN, Outcome.FORBIDDEN]
    )
    assert len(server.requests) == (1 if held else 2)


async def test_a_limit_in_the_middle_leaves_the_rest_for_later() -> None:
    actions = Actions()
    actions.forced["jobs"] = 429, {"retry-after": "60"}, {"message": "secondary rate limit"}
    (seen,), server = await polled(actions)
    assert (seen.outcome, len(server.requests)) == (Outcome.BLOCKED, 2)
    assert seen.words.startswith("429")


async def test_a_run_that_fails_is_one_event_and_an_old_one_is_none() -> None:
    now = datetime.now(UTC).isoformat()
    fresh = copy.deepcopy(MIXED)
    fresh[2]["updated_at"] = now
    found, _ = await polled(Actions({"workflow_runs": fresh}), polls=2)
    assert [(event.kind, event.text, event.key) for seen in found for event in seen.events] == [
        ("ci", f"CI #807 failed at test (node 22): {fresh[2]['display_title']} (dev2-example)", "ci/19000000007/2")
    ]
    old, _ = await polled(Actions({"workflow_runs": [fresh[2] | {"updated_at": "2020-01-01T00:00:00Z"}]}))
    assert old[0].events == ()


async def test_hostile_texts_are_disarmed_and_lists_bounded() -> None:
    evil = MIXED[0] | {"display_title": "\x1b]52;c;QQ==\x07 \u202e", "head_branch": "x" * 4000}
    jobs = {"jobs": [JOBS[0]["body"]["jobs"][0] | {"name": "\x1b[2J" + "y" * 900} for _ in range(300)]}
    (seen,), _ = await polled(Actions({"workflow_runs": [evil | {"id": at} for at in range(60)]}, jobs))
    assert not set(repr(seen)) & {"\x1b", "\x07", "\u202e"}
    assert len(runs_of(seen)) == 20
    assert max(len(payload.items(run.get("jobs"))) for run in runs_of(seen)) == 100


VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({})
)


@given(st.dictionaries(st.sampled_from([*MIXED[0], *JOBS[0]["body"]["jobs"][0]]), VALUES))
def test_fields_of_any_type_are_read_without_an_error(body: dict[str, Any]) -> None:
    run, job = run_of(body), job_of(body)
    assert not run or run["status"] in (*STATUSES, "unknown")
    assert job["conclusion"] in (*CONCLUSIONS, "unknown", None)


async def test_of_what_failed_the_jobs_are_read_first() -> None:
    """The failing step of an old run is what people ask for; that the newest ones went well is told without jobs."""
    runs = [
        MIXED[1]
        | {"id": 19_000_000_100 - at, "run_number": 100 - at, "conclusion": "failure" if at == 15 else "success"}
        for at in range(20)
    ]
    (seen,), _ = await polled(Actions({"workflow_runs": runs}))
    told = {run["number"]: run["jobs"] for run in seen.volatile["runs"]}  # type: ignore[union-attr,index,call-overload]
    assert told[85] and told[100] and told[81] is None
