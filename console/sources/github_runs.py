"""Runs and jobs of GitHub Actions as plain values, read without trust; and its rate limits."""

from __future__ import annotations

from collections.abc import Mapping

from console.model import payload
from console.model.observation import Json
from console.sources.http import Answer, retry_after_s

STATUSES = frozenset({"queued", "in_progress", "completed", "requested", "waiting", "pending"})
CONCLUSIONS = frozenset(
    {"success", "failure", "cancelled", "skipped", "timed_out", "action_required", "neutral", "stale"}
) | {"startup_failure"}
FAILED = frozenset({"failure", "timed_out", "startup_failure"})
STEPS_LIMIT = 200
SECONDARY_S = 60.0
"""The least wait after a secondary limit that does not say for how long."""


def run_of(found: Mapping[str, Json]) -> dict[str, Json]:
    """What people want to know of a run; empty when it has no id."""
    number = payload.number(found, "id")
    if number is None:
        return {}
    login = payload.text(found, "triggering_actor", "login", limit=80) or payload.text(
        found, "actor", "login", limit=80
    )
    title = payload.text(found, "display_title", limit=120) or payload.text(found, "head_commit", "message", limit=120)
    return {
        "id": int(number),
        "number": _whole(found, "run_number", 0),
        "attempt": _whole(found, "run_attempt", 1),
        "workflow": payload.text(found, "name", limit=80),
        "title": (title or "").partition("↵")[0].strip(),
        "branch": payload.text(found, "head_branch", limit=120),
        "commit": payload.text(found, "head_sha", limit=64),
        "author": login or payload.text(found, "head_commit", "author", "name", limit=80),
        "event": payload.text(found, "event", limit=40),
        **_outcome(found),
        "started_ms": payload.time_ms(found, "run_started_at") or payload.time_ms(found, "created_at"),
        "updated_ms": payload.time_ms(found, "updated_at"),
        "url": payload.text(found, "html_url"),
    }


def job_of(found: Mapping[str, Json]) -> dict[str, Json]:
    """What people want to know of a job, with the step that failed or runs."""
    steps = [payload.mapping(step) for step in list(payload.items(found, "steps"))[:STEPS_LIMIT]]
    failing = next((step for step in steps if payload.text(step, "conclusion") in FAILED), {})
    running = next((step for step in steps if payload.text(step, "status") == "in_progress"), {})
    number = payload.number(found, "id")
    return {
        "id": int(number) if number is not None else None,
        "name": payload.text(found, "name", limit=120) or "",
        **_outcome(found),
        "created_ms": payload.time_ms(found, "created_at"),
        "started_ms": payload.time_ms(found, "started_at"),
        "completed_ms": payload.time_ms(found, "completed_at"),
        "failing_step": payload.text(failing, "name", limit=120),
        "running_step": payload.text(running, "name", limit=120),
    }


def _outcome(found: Mapping[str, Json]) -> dict[str, Json]:
    """Status and conclusion. A word of tomorrow is `unknown`, and nothing where GitHub says nothing."""
    status, conclusion = payload.text(found, "status", limit=40), payload.text(found, "conclusion", limit=40)
    return {
        "status": status if status in STATUSES else "unknown",
        "conclusion": conclusion if conclusion is None or conclusion in CONCLUSIONS else "unknown",
    }


def _whole(found: Mapping[str, Json], name: str, default: int) -> int:
    number = payload.number(found, name)
    return default if number is None else int(number)


def words_of(run: Mapping[str, Json]) -> str:
    """How a run stands in one line: `run #809 in progress: feat: new cart API`."""
    stands = str(run["status"] if run["status"] != "completed" else run["conclusion"] or "ended").replace("_", " ")
    attempt = f" (attempt {run['attempt']})" if run["attempt"] not in (0, 1) else ""
    return f"run #{run['number']}{attempt} {stands}: {run['title']}"


def spent(answer: Answer) -> bool:
    """Whether nothing is left of the hour's primary limit."""
    return answer.headers.get("x-ratelimit-remaining", "").strip() == "0"


def limit_words(answer: Answer) -> str:
    """Which of its limits is reached."""
    return "the hourly limit" if spent(answer) else "the secondary limit"


def limited_s(answer: Answer) -> float | None:
    """How long to wait where an answer is a rate limit; None: it is none. Limits come as 403 too: the primary one tells
    0 left, the secondary one says so in words."""
    if answer.status not in (403, 429):
        return None
    told = spent(answer) or "retry-after" in answer.headers
    if answer.status == 403 and not told and b"secondary rate limit" not in answer.body[:2000].lower():
        return None
    wait_s = retry_after_s(answer.headers) if told else None
    return SECONDARY_S if wait_s is None else wait_s
