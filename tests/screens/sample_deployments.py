"""The Deployments page of the sample night: a bad version nine minutes live, a run that failed, one under way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.model.deployments import DeploymentRow, DeploymentsView, Effect
from console.model.inquiries import LogEnd, LogLine
from console.model.observation import Origin
from console.model.pipeline import run_row
from console.model.states import State
from console.model.views import EventRow
from tests.screens.sample import NOW, D, H, M, S, header

JOBS = ("lint", "test", "integration-test", "build", "migrate", "deploy-staging", "deploy-production", "performance",
        "notify")  # fmt: skip
TOOK = (42, 95, 188, 140, 12, 70, 75, 33, 2)


def effects(p95: tuple[float | None, float | None], errors: tuple[float | None, float | None], origin: Origin) -> Any:
    return (
        Effect(figure="p95", before=p95[0], after=p95[1], unit="ms", origin=origin, window_s=900),
        Effect(figure="errors", before=errors[0], after=errors[1], unit="share", origin=origin, window_s=900),
    )


def by_hours() -> Any:
    """Of a time of which only hours are on record, and after it served too little."""
    why = "after: only hours are kept of that time, and it served for less than the whole hour after"
    found = effects((104, None), (0.001, None), Origin.USERS)
    return tuple(replace(each, window_s=3600, words=why) for each in found)


def deployment(short: str, message: str, made: int, **more: Any) -> DeploymentRow:
    given: dict[str, Any] = {
        "id": f"dpl_{short}Qz81kXo", "short": short, "message": message, "author": "mira", "target": "production",
        "state": "ready", "created_ms": NOW - made, "live_ms": NOW - made + 2 * M, "current": False, "candidate": True,
        "branch": "main", "url": f"radar-{short}-tabletalk.vercel.app",
    }  # fmt: skip
    return DeploymentRow(**given | more)


BAD = deployment(
    "8f3c1d2", "pricing v2", 11 * M, author="op1", live_ms=NOW - 9 * M, current=True, candidate=False,
    effects=effects((118, 1840), (0.002, 0.38), Origin.USERS),
)  # fmt: skip
GOOD = deployment(
    "41ab9e0", "fix login redirect for invited members of a second workspace", 9 * D, author="op2",
    live_ms=NOW - 9 * D + 3 * M, until_ms=NOW - 9 * M, effects=effects((121, 118), (0.002, 0.002), Origin.USERS),
)  # fmt: skip
DEPLOYMENTS = (
    deployment("c77e01b", "menu import: accept tabs", 70 * S, state="building", live_ms=None, candidate=False,
               why_not="it is building"),
    BAD,
    deployment("d20f9aa", "bump next to 15.3", 2 * D, state="error", live_ms=None, candidate=False, author="luis",
               error="Command \"npm run build\" exited with 1", why_not="its build failed"),
    GOOD,
    deployment("77b0c4e", "prices by region", 12 * D, until_ms=NOW - 9 * D + 3 * M, author="luis",
               effects=effects((117, 119), (0.001, 0.003), Origin.PROBE)),
    deployment("0a91f3d", "hotfix: null cover image", 31 * D, until_ms=NOW - 12 * D + 2 * M, candidate=False,
               why_not="Vercel takes it for no rollback (plan or age)", effects=by_hours()),
    deployment("5e44b21", "audit weights", 26 * M, target="staging", live_ms=None, candidate=None, author="luis",
               why_not="never served production: it is of staging", branch="audit-weights"),
    deployment("b8813fa", "try: denser tables", 3 * H, target=None, live_ms=None, candidate=None,
               why_not="a preview: never aliased", branch="dense"),
)  # fmt: skip


def happened(ago_ms: int, kind: str, text: str, state: State | None = None) -> EventRow:
    return EventRow(at_ms=NOW - ago_ms, kind=kind, subject=kind, text=text, state=state)


def run(number: int, title: str, began: int, *, failed: str = "", now: str = "", **more: Any) -> Any:
    """A run whose jobs passed up to the one that failed or runs now."""
    stop = JOBS.index(failed or now) if failed or now else len(JOBS)
    jobs, at = [], NOW - began
    for index, (name, took) in enumerate(zip(JOBS, TOOK, strict=True)):
        state: dict[str, Any] = {"status": "completed", "conclusion": "success", "completed_ms": at + took * S}
        if index == stop and failed:
            state |= {"conclusion": "failure", "failing_step": "npm run test:integration"}
        elif index == stop:
            state = {"status": "in_progress", "conclusion": None, "running_step": "supabase db push"}
        elif index > stop:
            state |= {"conclusion": "skipped"}
        if now and index > stop:
            break
        jobs.append({"id": number * 100 + index, "name": name, "started_ms": at, **state})
        at += took * S
    found: dict[str, Any] = {
        "id": 19_000_000_000 + number, "number": number, "attempt": 1, "title": title, "branch": "main",
        "commit": "8f3c1d2" + "0" * 33, "author": "op1", "event": "push", "started_ms": NOW - began,
        "status": "in_progress" if now else "completed", "updated_ms": at, "jobs": jobs,
        "conclusion": None if now else "failure" if failed else "success",
        "url": f"https://github.com/tabletalk/radar/actions/runs/{19_000_000_000 + number}",
    }  # fmt: skip
    return run_row(found | more, NOW)


RUNS = (
    run(413, "menu import: accept tabs", 6 * M, now="migrate", author="mira"),
    run(412, "pricing v2", 22 * M),
    run(411, "bump next to 15.3", 2 * D, failed="integration-test", author="luis", attempt=2),
    run(410, "fix login redirect for invited members", 9 * D, author="op2"),
    run(409, "prices by region", 12 * D, author="luis", jobs=None),
    run(408, "prices by region", 12 * D + H, author="luis", conclusion="cancelled", jobs=[
        {"id": 1, "name": "lint", "status": "completed", "conclusion": "success", "started_ms": NOW - 12 * D - H,
         "completed_ms": NOW - 12 * D - H + 40 * S},
        {"id": 2, "name": "test", "status": "completed", "conclusion": "cancelled", "started_ms": NOW - 12 * D - H,
         "completed_ms": NOW - 12 * D - H + 55 * S},
    ]),
)  # fmt: skip


LATELY = (
    happened(4 * M, "alert", "error-rate/users: 38 % of requests fail", State.UNHEALTHY),
    happened(9 * M, "deployment", "8f3c1d2 live (op1)"),
    happened(14 * M, "migration", "migration 012 prices_by_region by CI"),
    happened(3 * H, "action", "Put production into maintenance: done (op2)", State.HEALTHY),
    happened(2 * D, "action", "Roll back production from d20f9aa to 41ab9e0: failed (luis)", State.UNHEALTHY),
    happened(9 * D, "deployment", "41ab9e0 live (op2)"),
)


def deployments(**changes: Any) -> DeploymentsView:
    """The page of the sample night."""
    given: dict[str, Any] = {
        "header": header(), "deployments": DEPLOYMENTS, "deployments_ms": NOW - 9 * S, "deployments_words": "",
        "auto_assign": True, "pinned_by": None, "rolling_release": False, "runs": RUNS, "runs_ms": NOW - 20 * S,
        "runs_words": "", "lately": LATELY,
    }  # fmt: skip
    return DeploymentsView(**given | changes)


def pinned() -> DeploymentsView:
    """After the rollback: production is pinned, pushes build and stay where they are."""
    back = replace(
        GOOD, live_ms=NOW - 2 * M, until_ms=None, current=True, candidate=False, note="rolled back to 03:10 by op2",
        effects=effects((1840, 124), (0.38, 0.002), Origin.USERS),
    )  # fmt: skip
    left = replace(BAD, current=False, candidate=True, until_ms=NOW - 2 * M, note="rolled back from 03:10 by op2")
    rows = tuple({BAD.id: left, GOOD.id: back}.get(row.id, row) for row in DEPLOYMENTS)
    return deployments(
        deployments=rows, auto_assign=False, pinned_by="op2 (loginuid)", frozen_by="op2 (loginuid)",
        frozen_until_ms=NOW + 47 * M,
    )  # fmt: skip


def build_log(deployment_id: str) -> LogEnd:
    """The end of a build that failed."""
    lines = [
        LogLine(text='Running "npm run build"', at_ms=NOW - 100 * S),
        LogLine(text="   Creating an optimized production build ...", at_ms=NOW - 96 * S),
        LogLine(text="Type error: Property 'cover' does not exist on type 'Venue'.", at_ms=NOW - 61 * S, wrong=True),
        LogLine(text='Command "npm run build" exited with 1', at_ms=NOW - 60 * S, wrong=True),
    ]
    return LogEnd(title=deployment_id, source="api.vercel.com", read_ms=NOW - 3 * S, lines=tuple(lines))


def job_log(job_id: int) -> LogEnd:
    """The end of a job's log."""
    lines = [LogLine(text=f"ok {at} audits of a venue", at_ms=NOW - (90 - at) * S) for at in range(30)]
    lines.append(LogLine(text="not ok 31 audits of a venue without a price", at_ms=NOW - 59 * S))
    lines.append(LogLine(text="Process completed with exit code 1.", at_ms=NOW - 58 * S, wrong=True))
    return LogEnd(
        title=f"job {job_id}", source="logs.example.com", read_ms=NOW - 3 * S, lines=tuple(lines),
        left_off="412 lines before these are left off",
    )  # fmt: skip


class ScriptedInquiries:
    """Gives the sample's logs, or refuses; remembers what it was asked."""

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal = refusal
        self.asked: list[object] = []
        self.cancelled = 0

    def build_log(self, deployment_id: str) -> LogEnd:
        self._enter(deployment_id)
        return build_log(deployment_id)

    def job_log(self, job_id: int) -> LogEnd:
        self._enter(job_id)
        return job_log(job_id)

    def _enter(self, what: object) -> None:
        from console.model.ports import Refused

        self.asked.append(what)
        if self.refusal is not None:
            raise Refused(self.refusal)

    def cancel(self) -> None:
        self.cancelled += 1
