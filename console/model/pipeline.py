"""A run of the workflow laid on the ten stages that the application's document promises (D1). Pure.

Which job stands for which stage is told by its name, and for no other reason: what a name does not tell is not guessed.
Several jobs of one stage (a matrix) are one cell with the worst of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from console.model import payload
from console.model.deployments import STAGES, CiRunRow, StageCell, StageState
from console.model.observation import Json

Job = Mapping[str, Json]

_NAMES = (
    ("integration tests", r"integration|e2e|end.to.end"),
    ("security scan", r"secur|codeql|snyk|trivy|\baudit"),
    ("database migration", r"migrat"),
    ("deploy staging", r"staging"),
    ("performance monitoring", r"perf|lighthouse|monitor"),
    ("notify", r"notif|slack"),
    ("deploy production", r"deploy|\bprod|release"),
    ("lint & type check", r"lint|type.?check|\btypes?\b|\btsc\b|format"),
    ("build", r"build|compile|bundle"),
    ("unit tests", r"test|jest|vitest"),
)
"""The first that matches counts: `integration-test` is no unit test, `deploy-staging` no production."""
_STAGE_OF = tuple((stage, re.compile(pattern, re.IGNORECASE)) for stage, pattern in _NAMES)

_ENDED: Mapping[str | None, tuple[StageState, str]] = {
    "success": ("passed", ""),
    "neutral": ("passed", "neutral"),
    "failure": ("failed", ""),
    "timed_out": ("failed", "timed out"),
    "startup_failure": ("failed", "did not start"),
    "cancelled": ("cancelled", ""),
    "stale": ("cancelled", "given up by GitHub: stale"),
    "skipped": ("skipped", ""),
    "action_required": ("waiting", "needs somebody's approval"),
}
_GOING: Mapping[str, tuple[StageState, str]] = {
    "in_progress": ("running", ""),
    "queued": ("waiting", "queued"),
    "requested": ("waiting", "queued"),
    "pending": ("waiting", "queued"),
    "waiting": ("waiting", "needs somebody's approval"),
}
_WORST: tuple[StageState, ...] = ("failed", "unknown", "running", "waiting", "cancelled", "passed", "skipped", "absent")
ABSENT = "no job of this run stands for it"
COMMENTED_OUT = "commented out in the workflow"
NOT_BEGUN = "not begun"
NOT_READ = "its jobs are not read: only the newest runs' are"
NOT_STARTED = "the workflow did not start"


def stage_of(name: str) -> str | None:
    """The stage that a job stands for, by its name; None: for none of the ten."""
    return next((stage for stage, pattern in _STAGE_OF if pattern.search(name)), None)


def state_of(status: str | None, conclusion: str | None) -> tuple[StageState, str]:
    """How a job or a run stands, and what more is to be said. What GitHub may say tomorrow is unknown."""
    if status == "completed":
        return _ENDED.get(conclusion, ("unknown", f"ended as {conclusion or 'nothing that GitHub tells'}"))
    return _GOING.get(status or "", ("unknown", f"GitHub calls it {status or 'nothing'}"))


def run_row(run: Mapping[str, Json], at_ms: int) -> CiRunRow:
    """A stored run as it stood at a moment, on the ten stages."""
    jobs = run.get("jobs")
    listed = [payload.mapping(job) for job in jobs] if isinstance(jobs, list) else None
    status = payload.text(run, "status") or "unknown"
    return CiRunRow(
        id=int(payload.number(run, "id") or 0),
        number=int(payload.number(run, "number") or 0),
        attempt=int(payload.number(run, "attempt") or 1),
        title=payload.text(run, "title") or "",
        branch=payload.text(run, "branch"),
        commit=payload.text(run, "commit"),
        author=payload.text(run, "author"),
        status=status,
        conclusion=payload.text(run, "conclusion"),
        event=payload.text(run, "event"),
        started_ms=_began_ms(run, listed),
        updated_ms=payload.time_ms(run, "updated_ms"),
        ended_ms=_ended_ms(run, listed) if status == "completed" else None,
        stages=stages_of(run, listed, at_ms),
        url=payload.text(run, "url"),
    )


def _began_ms(run: Mapping[str, Json], jobs: Sequence[Job] | None) -> int | None:
    began = [at_ms for job in jobs or () if (at_ms := payload.time_ms(job, "started_ms")) is not None]
    return payload.time_ms(run, "started_ms") or min(began, default=None)


def _ended_ms(run: Mapping[str, Json], jobs: Sequence[Job] | None) -> int | None:
    """When the last job ended. `updated_at` moves with late edits, so it counts only where the jobs are not known."""
    ended = [at_ms for job in jobs or () if (at_ms := payload.time_ms(job, "completed_ms")) is not None]
    return max(ended, default=payload.time_ms(run, "updated_ms"))


def stages_of(run: Mapping[str, Json], jobs: Sequence[Job] | None, at_ms: int) -> tuple[StageCell, ...]:
    """The ten cells of a run. `jobs` None: nobody knows them."""
    found: dict[str, list[Job]] = {}
    for job in jobs or ():
        stage = stage_of(payload.text(job, "name") or "")
        if stage is not None:
            found.setdefault(stage, []).append(job)
    return tuple(
        _cell(stage, found[stage], at_ms) if stage in found else _without(stage, run, jobs is not None)
        for stage in STAGES
    )


def _without(stage: str, run: Mapping[str, Json], known: bool) -> StageCell:
    """A stage for which no job stands: not read, not begun, or not there."""
    if not known:
        return StageCell(name=stage, state="unknown", words=NOT_READ)
    if stage == "security scan":
        return StageCell(name=stage, state="absent", words=COMMENTED_OUT)
    if payload.text(run, "status") != "completed":
        return StageCell(name=stage, state="waiting", words=NOT_BEGUN)
    started = payload.text(run, "conclusion") != "startup_failure"
    return StageCell(name=stage, state="absent", words=ABSENT if started else NOT_STARTED)


def _cell(stage: str, jobs: Sequence[Job], at_ms: int) -> StageCell:
    """All jobs of a stage as one: the worst of them decides, and is the one whose log is read."""
    states = [state_of(payload.text(job, "status"), payload.text(job, "conclusion")) for job in jobs]
    at = min(range(len(jobs)), key=lambda index: _WORST.index(states[index][0]))
    job, (state, words) = jobs[at], states[at]
    step = payload.text(job, "failing_step") if state == "failed" else None
    running = payload.text(job, "running_step") if state == "running" else None
    number = payload.number(job, "id")
    several = f"{payload.text(job, 'name') or 'a job'}: " if len(jobs) > 1 and (step or running) else ""
    return StageCell(
        name=stage,
        state=state,
        duration_s=None if state in ("waiting", "skipped") else _duration_s(jobs, at_ms),
        job_id=int(number) if number is not None else None,
        failing_step=several + step if step else "",
        words=several + running if running else words,
    )


def _duration_s(jobs: Sequence[Job], at_ms: int) -> float | None:
    """From the first begin to the last end, or to the moment while one runs."""
    began = [at for job in jobs if (at := payload.time_ms(job, "started_ms")) is not None]
    if not began:
        return None
    ended = [payload.time_ms(job, "completed_ms") for job in jobs]
    last_ms = max(at_ms if at is None else at for at in ended)
    return max(0, last_ms - min(began)) / 1000


# What is said of a run


def run_state(run: CiRunRow) -> StageState:
    """How the whole run stands."""
    return state_of(run.status, run.conclusion)[0]


def failing(run: CiRunRow) -> StageCell | None:
    """The first stage that failed; None: none did, or it is not known which."""
    return next((cell for cell in run.stages if cell.state == "failed"), None)


def under_way(run: CiRunRow) -> StageCell | None:
    """The last stage that runs now."""
    return next((cell for cell in reversed(run.stages) if cell.state == "running"), None)


def run_words(run: CiRunRow) -> str:
    """How it stands, with the stage that decides: `failed at unit tests: npm test`."""
    state, words = state_of(run.status, run.conclusion)
    failed, now = failing(run), under_way(run)
    if state == "failed" and failed is not None:
        step = failed.failing_step or failed.words
        return f"failed at {failed.name}" + (f": {step}" if step else "")
    if state == "running" and now is not None:
        return f"at {now.name}" + (f": {now.words}" if now.words else "")
    if state == "running" and failed is not None:
        return f"goes on though {failed.name} failed"
    return words or ("runs" if state == "running" else state)


def run_duration_s(run: CiRunRow, at_ms: int) -> float | None:
    """How long its newest attempt took, or has taken; None: it has not begun, or nobody knows."""
    if run.started_ms is None or run_state(run) == "waiting":
        return None
    end_ms = at_ms if run.active else run.ended_ms
    return None if end_ms is None else max(0, end_ms - run.started_ms) / 1000
