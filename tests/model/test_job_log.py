"""The failing step out of a job's log: by the steps' times, by GitHub's marks where they are not told."""

from __future__ import annotations

from typing import Any

import pytest

from console.model.inquiries import LogLine
from console.model.job_log import FailingStep, Marked, failing_step, left_off_words, own_lines

AT_MS = 1_795_168_800_000


def line(text: str, after_s: float | None, mark: str = "") -> Marked:
    at_ms = AT_MS + int(after_s * 1000) if after_s is not None else None
    return Marked(line=LogLine(text=text, at_ms=at_ms, wrong=mark == "error"), mark=mark)


LOG = [
    line("Run actions/checkout@v4", 0, "group"),
    line("Syncing repository", 1.2),
    line("Run npm test", 1.6, "group"),
    line("FAIL reminders.test.ts", 40),
    line("a stack without a time", None),
    line("Process completed with exit code 1.", 62.4, "error"),
    line("of which more is told", None),
    line("Post job cleanup.", 62.7),
    line("Cleaning up orphan processes", 63.5),
]
OWN = (2, 7)


def step(began_s: int, ended_s: int) -> FailingStep:
    return FailingStep(name="npm test", began_ms=AT_MS + began_s * 1000, ended_ms=AT_MS + ended_s * 1000)


def test_by_its_times_with_the_marks_at_the_edges() -> None:
    """Both edges fall into a second of another step's lines, as times of steps are whole seconds."""
    assert own_lines(LOG, step(1, 62)) == OWN


@pytest.mark.parametrize("told", [None, FailingStep(name="x", began_ms=None, ended_ms=None), step(900, 960)])
def test_by_the_marks_where_the_times_are_not_told_or_fit_nothing(told: FailingStep | None) -> None:
    assert own_lines(LOG, told) == OWN


def test_an_error_that_the_step_goes_on_after_does_not_end_it() -> None:
    going_on = [*LOG[:4], line("warned as an error", 41, "error"), line("it goes on", 50), line("the end", 62.1)]
    assert own_lines(going_on, step(1, 62)) == (2, 7)


def test_what_has_no_error_and_no_step_is_shown_whole() -> None:
    assert own_lines(LOG[:2], None) == (0, 2) and own_lines([], step(1, 2)) == (0, 0)


def test_the_step_that_failed_and_none_after_it() -> None:
    told: dict[str, Any] = {"steps": [
        {"name": "npm ci", "conclusion": "success"},
        {"name": "npm test", "conclusion": "failure", "started_at": "2026-11-20T10:00:00Z", "completed_at": None},
        {"name": "Upload", "conclusion": "cancelled"},
    ]}  # fmt: skip
    assert failing_step(told) == FailingStep(name="npm test", began_ms=AT_MS, ended_ms=None)
    assert failing_step({"steps": [{"name": "x", "conclusion": "success"}]}) is None
    assert failing_step(None) is None and failing_step({"steps": "?"}) is None


def test_what_is_left_off_is_told() -> None:
    assert left_off_words("npm test", 0, 0) == ""
    words = left_off_words("npm test", 1200, 4)
    assert words == "the step npm test alone: 1,200 lines before it and 4 lines after it (cleaning up) are left off"
