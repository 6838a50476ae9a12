"""The ends of logs, asked of loopback hosts: every recorded form, the redirect without the token, caps, giving up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.inquiries.hosted import LINES, Hosted
from console.inquiries.late import LateInquiries
from console.model.configuration import Environment, Secret, Settings, Vercel
from console.model.inquiries import LogEnd
from console.model.operations import GitHub, Operations
from console.model.ports import Refused
from tests.sources.loopback import (
    Handler,
    Loopback,
    answering,
    cases,
    hang,
    raw,
    replay,
    response,
    routed,
    serving,
    until,
)

TOKEN = "ghp_ExampleTokenThatMustNeverLeave"
LOG = "/repos/acme/shop/actions/jobs/7/logs"


def settings(vercel: str | None = None, github: str | None = None) -> Settings:
    hosting = Vercel(token=Secret("vcp_ExampleToken"), project="p", team="acme", api=vercel) if vercel else None
    repository = GitHub(token=Secret(TOKEN), repository="acme/shop", api=github) if github else None
    return Settings(
        file=Path("radar.toml"),
        environment=Environment(name="test", url="https://app.example.com", vercel=hosting),
        environments=("test",),
        state_directory=Path(),
        operations=lambda: Operations(github=repository),
    )


async def asked(handler: Handler, ask: Callable[[Hosted], LogEnd]) -> tuple[LogEnd, Loopback]:
    async with serving(handler) as server:
        hosted = Hosted(settings(server.url(), server.url()))
        return await asyncio.to_thread(ask, hosted), server


def build(hosted: Hosted) -> LogEnd:
    return hosted.build_log("dpl_1/x")


def job(hosted: Hosted) -> LogEnd:
    return hosted.job_log(7)


@pytest.mark.parametrize("case", cases("vercel_deployment_events"), ids=lambda case: case["name"])
async def test_every_recorded_answer_of_a_build(case: dict[str, Any]) -> None:
    if case["status"] != 200:
        with pytest.raises(Refused, match=f"Vercel answers {case['status']}"):
            await asked(replay(case), build)
        return
    if "body_lines" in case:
        case = {**case, "body_text": "\n".join(map(json.dumps, case["body_lines"]))}
    log, server = await asked(replay(case), build)
    assert server.requests[0].path.startswith("/v3/deployments/dpl_1%2Fx/events?direction=backward&")
    assert server.requests[0].path.endswith("&slug=acme")
    if "body" in case:
        assert [(line.text, line.wrong) for line in log.lines] == [
            ('Running "npm run build"', False),
            ("Compiled successfully", False),
            ("warn - Using beta feature", False),
        ]
    assert (log.source, log.left_off) == ("127.0.0.1", "") and log.read_ms > 1_700_000_000_000


async def test_lines_in_any_order_and_form_are_put_in_order_and_what_is_broken_is_left_out() -> None:
    events = [
        {"type": "stderr", "created": 30, "text": "third", "level": "error"},
        {"type": "stdout", "created": 25, "text": "> app build\n\n> next build\n"},
        {"type": "stdout", "created": 10, "payload": {"text": "first"}},
        {"type": "stdout", "text": "a keep-alive has no time"},
        {"type": "metric", "created": 15, "text": "no line"},
        {"type": "stdout", "created": 20, "text": "\x1b[31msecond\x1b[0m \x1b]52;c;QQ==\x07\u202e"},
    ]
    body = "\n".join([*map(json.dumps, events), '{"type": "stdout", "crea']).encode()
    log, _ = await asked(answering(200, body), build)
    assert [line.text for line in log.lines] == ["first", "second <U+202E>", "> app build", "> next build", "third"]
    assert [line.wrong for line in log.lines] == [False] * 4 + [True]


async def test_the_log_of_a_job_is_read_where_it_is_stored_without_the_token() -> None:
    text = (
        "2026-11-20T10:00:20.1234567Z ##[group]Run npm test\n2026-11-20T10:00:21.0000000Z \x1b[32mok\x1b[0m 1\n"
        "2026-11-20T10:05:50.0000000Z ##[error]Process completed with exit code 1. password=hunter2\nno stamp"
    ).encode("utf-8-sig")
    async with serving(answering(200, text)) as store:
        moved = raw(response(302, b"", {"location": store.url("/blob?sig=secret")}))
        log, github = await asked(routed({LOG: moved}), job)
        assert [seen.path for seen in store.requests] == ["/blob?sig=secret"]
        assert "authorization" not in store.requests[0].headers
    assert github.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert [line.text for line in log.lines] == [
        "Run npm test", "ok 1", "Process completed with exit code 1. password=(hidden)", "no stamp",
    ]  # fmt: skip
    assert [line.wrong for line in log.lines] == [False, False, True, False]
    assert (log.lines[0].at_ms, log.lines[3].at_ms) == (1795168820000, None)


STAMPED = [
    ("10:00:19.1", "##[group]Run actions/checkout@v4"), ("10:00:19.9", "Syncing repository"),
    ("10:00:20.1", "##[group]Run npm test"), ("10:05:49.0", "FAIL reminders"),
    ("10:05:50.0", "##[error]Process completed with exit code 1."), ("10:05:50.2", "Post job cleanup."),
    ("10:05:51.0", "Cleaning up orphan processes"),
]  # fmt: skip


@pytest.mark.parametrize("told", [True, False])
async def test_the_end_of_a_jobs_log_is_that_of_its_failing_step(told: bool) -> None:
    text = "".join(f"2026-11-20T{at}00000Z {words}\n" for at, words in STAMPED).encode()
    step = {"name": "npm test", "conclusion": "failure", "started_at": "2026-11-20T10:00:20Z",
            "completed_at": "2026-11-20T10:05:50Z"}  # fmt: skip
    detail = answering(200, {"id": 7, "steps": [step]}) if told else answering(404, {"message": "Not Found"})
    async with serving(answering(200, text)) as store:
        moved = raw(response(302, b"", {"location": store.url("/blob")}))
        log, _ = await asked(routed({LOG: moved, "/repos/acme/shop/actions/jobs/7": detail}), job)
    words = [line.text for line in log.lines]
    assert words == ["Run npm test", "FAIL reminders", "Process completed with exit code 1."]
    name = "npm test" if told else "that failed"
    assert log.left_off == (f"the step {name} alone: 2 lines before it and 2 lines after it (cleaning up) are left off")


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (answering(404, {"message": "Not Found"}), "GitHub has no log of this job"),
        (answering(410, {}), "GitHub has no log of this job"),
        (answering(403, {"message": "Resource not accessible"}), "GitHub answers 403: Resource not accessible"),
        (answering(200, {}), "GitHub tells no place of the log"),
        (raw(response(302, b"", {"location": "file:///etc/passwd"})), "a place for the log that is not asked"),
        (raw(response(302, b"", {"location": "ftp://a/b"})), "a place for the log that is not asked"),
        (raw(response(302)), "answers 302"),
    ],
)
async def test_why_there_is_no_log(handler: Handler, said: str) -> None:
    with pytest.raises(Refused, match=said):
        await asked(handler, job)


async def test_a_place_less_safe_than_the_question_is_not_asked() -> None:
    from console.inquiries.hosted import _place
    from console.sources.http import Answer

    answer = Answer(url="", status=302, headers={"location": "http://logs.example.com/x"}, body=b"", latency_ms=1.0)
    with pytest.raises(Refused):
        _place(answer, GitHub(token=Secret(TOKEN), repository="a/b"))


async def test_only_the_end_of_a_long_log_is_kept_and_it_says_so() -> None:
    lines = "\n".join(f"line {at} " + "x" * 2000 for at in range(1000)).encode()
    async with serving(answering(200, lines)) as store:
        log, _ = await asked(raw(response(302, b"", {"location": store.url("/x")})), job)
    assert len(log.lines) == LINES and log.lines[-1].text.startswith("line 999 ")
    assert log.left_off == "700 lines before these are left off"
    assert max(len(line.text) for line in log.lines) <= 400


async def test_what_is_not_configured_says_so() -> None:
    with pytest.raises(Refused, match="Vercel is not configured"):
        await asyncio.to_thread(build, Hosted(settings()))
    with pytest.raises(Refused, match=r"no repository is configured: \[environments.test.github\]"):
        await asyncio.to_thread(job, Hosted(settings()))


async def test_what_asks_late_asks_the_same() -> None:
    late = LateInquiries(settings())
    late.cancel()  # before anything was asked
    with pytest.raises(Refused, match="Vercel is not configured"):
        await asyncio.to_thread(late.build_log, "dpl_1")
    with pytest.raises(Refused, match="no repository is configured"):
        await asyncio.to_thread(late.job_log, 7)
    late.cancel()


async def test_a_question_that_hangs_is_given_up_and_the_next_one_is_asked() -> None:
    async with serving(hang) as server:
        hosted = Hosted(settings(server.url()))
        waiting = asyncio.ensure_future(asyncio.to_thread(build, hosted))
        await until(lambda: bool(server.requests))
        hosted.cancel()
        with pytest.raises(Refused, match="given up"):
            await waiting
    hosted.cancel()  # harmless: nothing is being read
