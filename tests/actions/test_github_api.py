"""GitHub as actions use it: every recorded answer, what is sent, and what is never sent twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.actions.github_api import GitHubApi, Run, configured, half_way, settled
from console.actions.wire import Rejected
from console.model.configuration import Secret
from console.model.observation import ErrorKind
from console.model.operations import GitHub
from console.model.ports import Refused
from console.model.wire import Unanswered
from console.sources.faults import Fault
from console.sources.http import Clients
from tests.sources.loopback import Handler, Loopback, Seen, Writer, answering, cases, replay, serving

TOKEN = "github_pat_Example"


def api(server: Loopback, workflow: str | None = None) -> GitHubApi:
    settings = GitHub(token=Secret(TOKEN), repository="acme/shop", api=server.url(), workflow=workflow)
    return GitHubApi(settings, Clients())


def case_of(fixture: str, name: str) -> dict[str, Any]:
    return next(case for case in cases(fixture) if case["name"] == name)


async def cancelled(handler: Handler) -> Loopback:
    async with serving(handler) as server:
        await api(server).cancel(7)
        return server


async def test_who_asks_and_for_what_is_said_with_each_request() -> None:
    async with serving(replay(case_of("github_workflow_runs", "mixed"))) as server:
        await api(server).active_runs()
        (seen,) = server.requests
    assert seen.headers["accept"] == "application/vnd.github+json"
    assert seen.headers["x-github-api-version"] == "2022-11-28"
    assert seen.headers["user-agent"] and seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.path == "/repos/acme/shop/actions/runs?per_page=100&exclude_pull_requests=true&branch=main"


async def test_a_configured_workflow_is_the_only_one_asked_about() -> None:
    async with serving(answering(200, {"workflow_runs": []})) as server:
        assert await api(server, workflow="ci/deploy.yml").runs(status="success", since="2026-11-20T00:00:00Z") == ()
        (seen,) = server.requests
    assert seen.path.startswith("/repos/acme/shop/actions/workflows/ci%2Fdeploy.yml/runs?per_page=30&")
    assert "status=success&created=%3E%3D2026-11-20T00%3A00%3A00Z" in seen.path


async def test_runs_are_read_and_survive_json() -> None:
    async with serving(replay(case_of("github_workflow_runs", "mixed"))) as server:
        runs = await api(server).runs()
    first = runs[0]
    assert (first.id, first.number, first.status, first.active) == (19000000009, 809, "in_progress", True)
    assert first.words == '#809 "feat: new cart API (#412)" (dev2-example)' and first.stands == "in progress"
    assert [Run.of(json.loads(json.dumps(run.told()))) for run in runs] == list(runs)
    assert not runs[1].active and runs[1].stands == "success"


async def test_active_runs_are_those_without_an_end() -> None:
    async with serving(replay(case_of("github_workflow_runs", "mixed"))) as server:
        every, active = await api(server).runs(), await api(server).active_runs()
    assert active and set(active) == {run for run in every if run.status != "completed"} != set(every)


async def test_jobs_are_read() -> None:
    async with serving(replay(cases("github_run_jobs")[0])) as server:
        jobs = await api(server).jobs(7)
    assert [(job.name, job.status, job.failed) for job in jobs] == [
        ("build", "completed", False), ("test (node 22)", "completed", True), ("deploy", "queued", False),
    ]  # fmt: skip


@pytest.mark.parametrize("entry", [None, {}, [], {"id": "x"}, {"id": True}, 5])
async def test_what_is_no_run_is_left_out(entry: object) -> None:
    async with serving(answering(200, {"workflow_runs": [entry, {"id": 1}]})) as server:
        (run,) = await api(server).runs()
    assert (run.id, run.title, run.status, run.attempt) == (1, "without a title", "unknown", 1)
    assert run.active, "an unknown state is no end"


async def test_a_hostile_title_is_one_clean_line() -> None:
    async with serving(answering(200, {"workflow_runs": [{"id": 1, "display_title": "a\x1b[31m\nb\u202e"}]})) as server:
        (run,) = await api(server).runs()
    assert "\x1b" not in run.title and "\n" not in run.title and "\u202e" not in run.title


CANCELS = [(case["name"], case) for case in cases("github_run_cancel") if case["status"] not in (202, 304)]


@pytest.mark.parametrize(("name", "case"), CANCELS, ids=[name for name, _ in CANCELS])
async def test_every_refused_change_says_whether_it_was_carried_out(name: str, case: dict[str, Any]) -> None:
    expected = Unanswered if case["status"] >= 500 else Rejected
    async with serving(replay(case)) as server:
        with pytest.raises(expected) as caught:
            await api(server).cancel(7)
        assert len(server.requests) == 1, "a change is sent once"
    if isinstance(caught.value, Rejected):
        assert caught.value.status == case["status"] and caught.value.words.startswith("GitHub answers ")
        assert (caught.value.retry_after_s is not None) == ("rate limit" in name), name
    assert TOKEN not in str(caught.value)


async def test_an_accepted_change_is_silent() -> None:
    server = await cancelled(replay(case_of("github_run_cancel", "accepted")))
    (seen,) = server.requests
    assert (seen.method, seen.path, seen.body) == ("POST", "/repos/acme/shop/actions/runs/7/cancel", b"{}")


@pytest.mark.parametrize(
    ("failed_only", "path"),
    [(False, "/repos/acme/shop/actions/runs/7/rerun"), (True, "/repos/acme/shop/actions/runs/7/rerun-failed-jobs")],
)
async def test_a_rerun_is_of_all_or_of_what_failed(failed_only: bool, path: str) -> None:
    async with serving(replay(case_of("github_run_rerun", "accepted"))) as server:
        await api(server).rerun(7, failed_only=failed_only)
        assert [(seen.method, seen.path) for seen in server.requests] == [("POST", path)]


async def test_by_force_is_another_path() -> None:
    async with serving(answering(202, {})) as server:
        await api(server).cancel(7, force=True)
        assert server.requests[0].path.endswith("/runs/7/force-cancel")


async def test_a_change_whose_answer_never_comes_is_unanswered_and_one_that_was_never_sent_is_rejected() -> None:
    async def drop(_seen: Seen, writer: Writer) -> None:
        writer.transport.abort()

    async with serving(drop) as server:
        with pytest.raises(Unanswered, match="closed before the answer"):
            await api(server).cancel(7)
        assert len(server.requests) == 1
    with pytest.raises(Rejected, match="refused"):
        await api(Loopback(port=server.port)).cancel(7)


async def test_a_404_says_what_it_can_mean() -> None:
    async with serving(replay(case_of("github_run_cancel", "not found or private"))) as server:
        with pytest.raises(Fault, match="no such run or commit in acme/shop, or the token may not see") as caught:
            await api(server).run(7)
        with pytest.raises(Rejected, match="the token may not see"):
            await api(server).cancel(7)
    assert caught.value.http_status == 404


@pytest.mark.parametrize("name", ["primary rate limit", "secondary rate limit"])
async def test_a_rate_limit_is_no_missing_permission(name: str) -> None:
    async with serving(replay(case_of("github_run_cancel", name))) as server:
        with pytest.raises(Fault, match="rate limited until") as caught:
            await api(server).runs()
    assert caught.value.kind is ErrorKind.RATE_LIMITED and caught.value.retry_after_s is not None


async def test_a_missing_permission_is_no_rate_limit() -> None:
    async with serving(replay(case_of("github_run_cancel", "no permission"))) as server:
        with pytest.raises(Fault, match="the token needs `Actions: write` on acme/shop") as caught:
            await api(server).runs()
    assert caught.value.kind is ErrorKind.CREDENTIALS


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"workflow_runs": [', b"[1]"])
async def test_nonsense_is_a_fault_or_nothing(body: bytes) -> None:
    async with serving(answering(200, body)) as server:
        if body == b"[1]":
            assert await api(server).runs() == ()
        else:
            with pytest.raises(Fault):
                await api(server).runs()


async def test_what_lies_between_two_commits() -> None:
    told = {"ahead_by": 2, "commits": [{"commit": {"message": "one\n\nbody"}}, {}], "files": [{"filename": "a.sql"}]}
    async with serving(answering(200, told)) as server:
        found = await api(server).compare("main", "feat/x y")
        assert server.requests[0].path == "/repos/acme/shop/compare/main...feat%2Fx%20y"
    assert found.ahead_by == 2 and len(found.messages) == 1 and found.files == ("a.sql",)


def test_without_settings_the_lines_to_add_are_told() -> None:
    with pytest.raises(Refused, match="github"):
        configured(None)


async def test_a_run_without_a_production_job_may_still_get_one() -> None:
    def job(name: str, status: str) -> dict[str, Any]:
        return {"id": 1, "name": name, "status": status, "conclusion": "success" if status == "completed" else None}

    async def jobs_of(*told: dict[str, Any]) -> Any:
        async with serving(answering(200, {"jobs": list(told)})) as server:
            return await api(server).jobs(7)

    assert settled(await jobs_of(job("build", "in_progress"))) is None
    assert settled(await jobs_of(job("deploy-production", "queued"))) is False
    assert settled(await jobs_of(job("Deploy to production", "completed"))) is True
    assert half_way(await jobs_of(job("deploy-production", "queued"), job("migrate", "in_progress"))) == ("migrate",)
    assert half_way(await jobs_of(job("deploy-staging", "in_progress"))) == ()


def job(number: int) -> dict[str, Any]:
    return {"id": number, "name": "deploy-production" if number == 150 else "test", "status": "queued"}


def paged(total: int) -> Handler:
    """Jobs in pages of a hundred."""

    async def answer(seen: Seen, writer: Writer) -> None:
        page = int(seen.path.rpartition("page=")[2])
        jobs = [job(number) for number in range(1, total + 1)][(page - 1) * 100 : page * 100]
        await answering(200, {"total_count": total, "jobs": jobs})(seen, writer)

    return answer


@pytest.mark.parametrize(("total", "pages"), [(3, 1), (100, 1), (101, 2), (160, 2), (300, 3)])
async def test_jobs_of_every_page_are_read(total: int, pages: int) -> None:
    async with serving(paged(total)) as server:
        jobs = await api(server).jobs(7)
        assert len(jobs) == total and len(server.requests) == pages
    assert any(job.deploys for job in jobs) == (total >= 150)


async def test_more_jobs_than_are_read_is_a_fault_and_no_shorter_list() -> None:
    async with serving(paged(1001)) as server:
        with pytest.raises(Fault, match="more than 1000 jobs"):
            await api(server).jobs(7)


@pytest.mark.parametrize(
    ("status", "headers", "said", "wait_s"),
    [
        (403, {"x-ratelimit-remaining": "0", "retry-after": "90"}, r"\(the hourly limit\): nothing was changed", 90),
        (429, {"retry-after": "30"}, r"\(the secondary limit\): nothing was changed", 30),
        (403, {}, r"\(the secondary limit\): nothing was changed", 60),
    ],
)
async def test_a_limit_on_a_change_is_told_as_one_with_its_end(
    status: int, headers: dict[str, str], said: str, wait_s: int
) -> None:
    body = {"message": "You have exceeded a secondary rate limit"}
    with pytest.raises(Rejected, match=rf"answers {status}: rate limited until \d\d:\d\d:\d\d UTC " + said) as caught:
        await cancelled(answering(status, body, headers))
    assert caught.value.retry_after_s == pytest.approx(wait_s, abs=2) and caught.value.status == status


async def test_a_403_that_is_no_limit_is_told_as_what_it_is() -> None:
    with pytest.raises(Rejected, match="Actions: write") as caught:
        await cancelled(answering(403, {"message": "Resource not accessible by personal access token"}))
    assert "rate limited" not in caught.value.words and caught.value.retry_after_s is None
