"""The state of the stand-in's Vercel project: deployments, which one is production, and the jobs that move it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from console.demo.standins.answers import now_ms
from console.demo.world import PROJECT, PROJECT_NAME, TEAM, Deployment, World, new_deployment

BUILD_S = 0.8
STEP_S = 0.4
KEPT = 120


@dataclass(slots=True)
class Job:
    """The last request to move production."""

    source: str | None
    target: str
    kind: str
    requested_ms: int
    status: str = "pending"

    def document(self) -> dict[str, object]:
        """As the project's `lastAliasRequest` has it."""
        return {
            "fromDeploymentId": self.source, "toDeploymentId": self.target, "jobStatus": self.status,
            "requestedAt": self.requested_ms, "type": self.kind,
        }  # fmt: skip


class Conflict(Exception):
    """Another job is running for the project."""


class Project:
    """One project. `moved(deployment)` is called whenever another deployment begins to serve production."""

    def __init__(self, world: World, moved: Callable[[Deployment], None]) -> None:
        self._moved = moved
        self.deployments = {one.id: one for one in world.deployments}
        self.ready: dict[str, str] = {}
        """Ready state where it is not READY."""
        self.production = world.deployments[-1]
        self.auto_assign = True
        self.job: Job | None = None
        self.rollback_description: dict[str, object] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def newest_first(self) -> list[Deployment]:
        """All deployments."""
        return sorted(self.deployments.values(), key=lambda one: -one.created_ms)

    def move(self, target: Deployment, kind: str, description: str | None = None) -> None:
        """Accept a rollback or promote: it is carried out in steps. Raises `Conflict`."""
        if self.job is not None and self.job.status in ("pending", "in-progress"):
            raise Conflict("another alias job is running")
        self.job = Job(self.production.id, target.id, kind, now_ms())
        if kind == "rollback":
            self.rollback_description = {"username": "op", "description": description or "", "createdAt": now_ms()}
        self._later(self._carry_out(self.job, target))

    async def deploy(self, message: str, *, sha: str = "", faulty: bool = False, promote: bool = False) -> Deployment:
        """Build a new deployment; it goes live unless production is pinned by a rollback (`promote` ends that)."""
        fresh = new_deployment(len(self.deployments) + 12, now_ms(), message=message, sha=sha, faulty=faulty)
        self._add(fresh)
        self.ready[fresh.id] = "BUILDING"
        await asyncio.sleep(BUILD_S)
        del self.ready[fresh.id]
        self.auto_assign = self.auto_assign or promote
        if self.auto_assign:
            self._go_live(fresh)
        return self.deployments[fresh.id]

    def _add(self, fresh: Deployment) -> None:
        self.deployments[fresh.id] = fresh
        for old in self.newest_first()[KEPT:]:
            del self.deployments[old.id]

    def _go_live(self, target: Deployment) -> None:
        live = replace(target, live_ms=now_ms())
        self.deployments[target.id] = self.production = live
        self._moved(live)

    async def _carry_out(self, job: Job, target: Deployment) -> None:
        await asyncio.sleep(STEP_S)
        job.status = "in-progress"
        await asyncio.sleep(STEP_S)
        self._go_live(target)
        self.auto_assign = job.kind == "promote"
        job.status = "succeeded"

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def document(self) -> dict[str, object]:
        """As `GET /v9/projects/{id}` answers."""
        latest = [self.item(one) for one in self.newest_first()[:3]]
        return {
            "id": PROJECT, "name": PROJECT_NAME, "accountId": TEAM, "framework": "nextjs", "nodeVersion": "22.x",
            "createdAt": self.newest_first()[-1].created_ms, "updatedAt": self.production.live_ms, "live": False,
            "autoAssignCustomDomains": self.auto_assign, "targets": {"production": self.item(self.production)},
            "latestDeployments": latest, "lastRollbackTarget": None, "rollingRelease": None, "paused": False,
            "lastAliasRequest": self.job.document() if self.job else None,
            "rollbackDescription": self.rollback_description,
            "link": {"type": "github", "org": "tabletalk-demo", "repo": "radar", "productionBranch": "main"},
            "security": {"attackModeEnabled": False, "firewallEnabled": True, "firewallConfigVersion": 7},
        }  # fmt: skip

    def item(self, one: Deployment) -> dict[str, object]:
        """One deployment, with the field names of both the list (`uid`) and the single answer (`id`)."""
        state = self.ready.get(one.id, "READY")
        live = one.live_ms is not None
        return {
            "uid": one.id, "id": one.id, "name": PROJECT_NAME, "projectId": PROJECT, "target": one.target,
            "url": f"{PROJECT_NAME}-{one.short}-tabletalk.vercel.app", "created": one.created_ms,
            "createdAt": one.created_ms, "buildingAt": one.created_ms + 2_000,
            **({"ready": one.created_ms + 97_000} if state == "READY" else {}), "state": state, "readyState": state,
            "readySubstate": ("PROMOTED" if live else "STAGED") if state == "READY" else None,
            "aliasAssigned": one.live_ms, "aliasError": None,
            "isRollbackCandidate": live and one.id != self.production.id,
            "alias": ["demo.tabletalk.example"] if one.id == self.production.id else [], "source": "git",
            "inspectorUrl": None,
            "creator": {"uid": f"usr_{one.login}", "username": one.login, "githubLogin": one.login},
            "meta": self._meta(one),
        }  # fmt: skip

    def _meta(self, one: Deployment) -> dict[str, str]:
        return {
            "githubCommitSha": one.sha, "githubCommitMessage": one.message, "githubCommitRef": "main",
            "githubCommitAuthorName": one.author, "githubCommitAuthorLogin": one.login, "githubOrg": "tabletalk-demo",
            "githubRepo": "radar", "githubDeployment": "1",
        }  # fmt: skip
