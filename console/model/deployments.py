"""Deployments and CI runs as values, and the pure rules about them (D1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from console.model.observation import Origin
from console.model.value import value
from console.model.views import EventRow, Header

STAGES = (
    "lint & type check", "unit tests", "integration tests", "security scan", "build", "database migration",
    "deploy staging", "deploy production", "performance monitoring", "notify",
)  # fmt: skip
"""The ten stages of the pipeline (D1), in their order."""

PAGE = 20
"""So many of the newest deployments (of production, and of all) and runs are read."""
BY_HOURS_S = 3600
"""The window of an effect that only whole hours tell of."""

StageState = Literal["passed", "failed", "running", "waiting", "skipped", "cancelled", "absent", "unknown"]


@value
class Effect:
    """A figure over the window before and after a deployment went live. None: not known."""

    figure: Literal["p95", "errors"]
    before: float | None
    after: float | None
    unit: str
    origin: Origin
    window_s: int
    words: str = ""
    """Why a side is not known; empty where both are."""

    @property
    def by_hours(self) -> bool:
        """Whether it is of whole hours: of that time nothing finer is kept."""
        return self.window_s >= BY_HOURS_S


@value
class DeploymentRow:
    """One deployment at Vercel."""

    id: str
    short: str
    message: str
    author: str | None
    target: str | None
    """`production`, `staging`, or None: a preview."""
    state: str
    """Vercel's word in small letters: ready, building, queued, error, canceled, blocked, deleted; else `unknown`."""
    created_ms: int | None
    live_ms: int | None
    """When it began to serve, as far as is known; None: never, or not known."""
    until_ms: int | None = None
    """When another one took over from it; None: none has, or it is not known."""
    current: bool
    candidate: bool | None
    """Whether Vercel takes it for a rollback; None: it does not say."""
    why_not: str = ""
    """Why production cannot go back to it; empty: it can, or it is the current one."""
    branch: str | None = None
    error: str = ""
    note: str = ""
    """What happened to it: `rolled back from at 01:40`."""
    url: str | None = None
    effects: tuple[Effect, ...] = ()
    served_ms: int | None = None
    """For how long it has served in all; None: not known. What served twice did not begin anew."""
    amiss: str = ""
    """What the store holds against it from when it served; empty: nothing is on record."""
    passed: str = ""
    """Why production goes back to it only where it is named; empty: nothing is known that speaks for that."""


@value
class StageCell:
    """One of the ten stages of one run."""

    name: str
    state: StageState
    duration_s: float | None = None
    job_id: int | None = None
    failing_step: str = ""
    words: str = ""
    """Such as `commented out in the workflow` for a stage that no job stands for."""


@value
class CiRunRow:
    """One run of the pipeline (GitHub Actions), laid on the ten stages."""

    id: int
    number: int
    attempt: int
    title: str
    branch: str | None
    commit: str | None
    author: str | None
    status: str
    conclusion: str | None
    event: str | None
    started_ms: int | None
    updated_ms: int | None
    ended_ms: int | None = None
    """When the last of its jobs ended; None: not over, or not known."""
    stages: tuple[StageCell, ...] = ()
    url: str | None = None

    @property
    def active(self) -> bool:
        """Whether it runs, or will."""
        return self.status != "completed"


@value
class DeploymentsView:
    """Everything that the Deployments screen shows. Empty lists with `…_words` say why they are empty."""

    header: Header
    deployments: tuple[DeploymentRow, ...]
    deployments_ms: int | None
    """When Vercel last answered."""
    deployments_words: str
    auto_assign: bool | None
    assign_asked: bool = True
    """Whether Vercel was asked for that at the moment: only then it can have kept it from us."""
    pinned_by: str | None
    """Who pinned production by a rollback of ours; None: nobody that we know of."""
    project_names: tuple[str, ...] = ()
    """The project's name and id, as Vercel tells them."""
    rolled_back: bool = False
    """Whether Vercel's last request is a rollback to what serves, whoever asked for it."""
    records_unread: bool = False
    """Whether our own records could not be read: then who pinned it is not known."""
    rolling_release: bool | None
    runs: tuple[CiRunRow, ...]
    runs_ms: int | None
    runs_words: str
    frozen_until_ms: int | None = None
    frozen_by: str | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    lately: tuple[EventRow, ...] = ()
    """What changed lately and bears on deployments, newest first: what went live, actions, alerts and more."""
