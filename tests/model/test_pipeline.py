"""A run on the ten stages: which job stands for which, and what is said of what is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.deployments import STAGES, CiRunRow, StageCell
from console.model.pipeline import failing, run_duration_s, run_row, run_state, run_words, stage_of, state_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
S = 1000
NOW = 1_795_172_000_000


def job(name: str, conclusion: str | None = "success", began: int = 0, took: int | None = 60, **more: Any) -> Any:
    """A stored job that began `began` seconds after the run."""
    status = "completed" if conclusion else "in_progress"
    ended = None if took is None or conclusion is None else NOW + (began + took) * S
    return {
        "id": abs(hash(name)) % 10_000, "name": name, "status": status, "conclusion": conclusion,
        "started_ms": NOW + began * S, "completed_ms": ended,
    } | more  # fmt: skip


def run(
    *jobs: Any, status: str = "completed", conclusion: str | None = "success", at: int = 600, **more: Any
) -> CiRunRow:
    found: dict[str, Any] = {"id": 7, "number": 412, "title": "pricing v2", "status": status, "conclusion": conclusion}
    found |= {"started_ms": NOW, "updated_ms": NOW + 999 * S, "jobs": list(jobs)} | more
    return run_row(found, NOW + at * S)


def cell(row: CiRunRow, name: str) -> StageCell:
    return next(each for each in row.stages if each.name == name)


APPLICATION = (
    "lint", "test", "integration-test", "build", "migrate", "deploy-staging", "deploy-production", "performance",
    "notify",
)  # fmt: skip
"""The job names of the application's own workflow."""


def test_the_applications_jobs_stand_for_nine_of_the_ten_and_the_security_scan_is_told_as_commented_out() -> None:
    row = run(*(job(name) for name in APPLICATION))
    assert tuple(each.name for each in row.stages) == STAGES
    assert [each.state for each in row.stages] == ["passed"] * 3 + ["absent"] + ["passed"] * 6
    assert cell(row, "security scan").words == "commented out in the workflow"
    assert cell(run(job("security-scan")), "security scan").state == "passed"


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("Lint & Type Check", "lint & type check"),
        ("typecheck", "lint & type check"),
        ("test (node 22)", "unit tests"),
        ("Integration Tests", "integration tests"),
        ("e2e / chromium", "integration tests"),
        ("CodeQL", "security scan"),
        ("npm audit", "security scan"),
        ("ci / build", "build"),
        ("Run Database Migrations", "database migration"),
        ("Deploy to Staging", "deploy staging"),
        ("Deploy to Production", "deploy production"),
        ("deploy", "deploy production"),
        ("lighthouse", "performance monitoring"),
        ("Notify Slack", "notify"),
        ("label", None),
        ("", None),
    ],
)
def test_a_job_by_its_name(name: str, stage: str | None) -> None:
    assert stage_of(name) == stage


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("completed", "success", "passed"),
        ("completed", "neutral", "passed"),
        ("completed", "failure", "failed"),
        ("completed", "timed_out", "failed"),
        ("completed", "startup_failure", "failed"),
        ("completed", "cancelled", "cancelled"),
        ("completed", "stale", "cancelled"),
        ("completed", "skipped", "skipped"),
        ("completed", "action_required", "waiting"),
        ("completed", "of tomorrow", "unknown"),
        ("completed", None, "unknown"),
        ("in_progress", None, "running"),
        ("queued", None, "waiting"),
        ("waiting", None, "waiting"),
        ("of tomorrow", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_how_a_job_stands(status: str | None, conclusion: str | None, state: str) -> None:
    assert state_of(status, conclusion)[0] == state


def test_a_failed_stage_names_its_step_and_what_came_after_is_skipped() -> None:
    row = run(
        job("lint"), job("test", "failure", failing_step="npm test"), job("build", "skipped"),
        job("migrate", "cancelled"), conclusion="failure",
    )  # fmt: skip
    assert cell(row, "unit tests").failing_step == "npm test"
    assert [cell(row, name).state for name in ("build", "database migration", "notify")] == [
        "skipped", "cancelled", "absent",
    ]  # fmt: skip
    assert (run_state(row), run_words(row)) == ("failed", "failed at unit tests: npm test")
    assert failing(run(job("lint"))) is None


def test_of_a_matrix_the_worst_job_decides_and_is_named() -> None:
    row = run(
        job("test (20)", took=50),
        job("test (22)", "failure", took=90, id=22, failing_step="npm test"),
        conclusion="failure",
    )
    found = cell(row, "unit tests")
    assert (found.state, found.job_id, found.failing_step, found.duration_s) == (
        "failed", 22, "test (22): npm test", 90.0,
    )  # fmt: skip


def test_a_run_under_way_waits_where_github_lists_no_job_yet() -> None:
    row = run(
        job("lint"), job("test"), job("build", None, 120, running_step="next build"),
        job("deploy-staging", None, status="waiting", started_ms=NOW + S),
        status="in_progress", conclusion=None, at=300,
    )  # fmt: skip
    assert cell(row, "build").state == "running" and cell(row, "build").duration_s == 180.0
    assert (cell(row, "notify").state, cell(row, "notify").words) == ("waiting", "not begun")
    assert cell(row, "deploy staging").words == "needs somebody's approval"
    assert cell(row, "deploy staging").duration_s is None
    assert cell(row, "security scan").state == "absent"
    assert (run_words(row), run_duration_s(row, NOW + 300 * S)) == ("at build: next build", 300.0)
    failed = run(job("test", "failure"), status="in_progress", conclusion=None)
    assert run_words(failed) == "goes on though unit tests failed"


def test_jobs_that_were_not_read_are_unknown_and_no_green() -> None:
    row = run(jobs=None)
    assert {each.state for each in row.stages} == {"unknown"}
    assert run_words(row) == "passed"
    assert run_duration_s(row, NOW) == 999.0  # of the run itself, for want of its jobs


def test_a_workflow_that_did_not_start_says_so() -> None:
    row = run(conclusion="startup_failure")
    assert cell(row, "build").words == "the workflow did not start"
    assert (run_state(row), run_words(row)) == ("failed", "did not start")


def test_the_duration_is_that_of_the_jobs_and_not_of_late_edits() -> None:
    assert run_duration_s(run(job("lint", took=40), job("test", began=40, took=60)), NOW) == 100.0
    assert run_duration_s(run(status="queued", conclusion=None), NOW) is None
    assert run_duration_s(run(started_ms=None, jobs=[]), NOW) is None


def test_the_recorded_jobs() -> None:
    from console.sources.github_runs import job_of, run_of

    jobs = json.loads((FIXTURES / "github_run_jobs.json").read_text())["cases"][0]["body"]["jobs"]
    found = json.loads((FIXTURES / "github_workflow_runs.json").read_text())["cases"][0]["body"]["workflow_runs"][2]
    row = run_row(run_of(found) | {"jobs": [job_of(each) for each in jobs]}, NOW)
    assert (row.number, row.attempt, run_words(row)) == (807, 2, "failed at unit tests: npm test")
    assert (cell(row, "build").state, cell(row, "build").duration_s) == ("passed", 335.0)
    assert cell(row, "deploy production").state == "waiting"


VALUES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JOB = st.dictionaries(st.sampled_from(["id", "name", "status", "conclusion", "started_ms", "completed_ms"]), VALUES)


@given(st.dictionaries(st.sampled_from(["id", "status", "conclusion", "started_ms"]), VALUES), st.lists(JOB | VALUES))
def test_anything_stored_is_laid_on_ten_stages(body: dict[str, Any], jobs: list[Any]) -> None:
    row = run_row(body | {"jobs": jobs}, NOW)
    assert len(row.stages) == 10 and run_words(row)
    assert (run_duration_s(row, NOW) or 0) >= 0
