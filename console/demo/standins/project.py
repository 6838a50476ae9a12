"""The state of the stand-in's Vercel project: deployments, which one is production, and the jobs that move it.

Faults that change how a job goes are read when it goes on, so that one can be switched off under a waiting job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from console.demo.standins.answers import now_ms
from console.demo.world import (
    DAY_MS,
    HOUR_MS,
    ORGANISATION,
    PROJECT,
    PROJECT_NAME,
    REPOSITORY,
    TEAM,
    Deployment,
    World,
    new_deployment,
)  # fmt: skip

BUILD_S = 0.8
API_BUILD_S = 6.0
"""Of a build that was asked for by the API: long enough to be followed."""
STEP_S = 0.4
KEPT = 120
DOMAINS = ("demo.tabletalk.example", "www.demo.tabletalk.example")
STAGING = "staging.demo.tabletalk.example"
STAGED = 5
"""So many of the newest commits have a deployment at staging too."""
RUNNING = ("pending", "in-progress")
UNKNOWN_WORD = "awaiting-checks"
"""A state that no client has heard of."""
BUILD_ERROR = 'Command "npm run build" exited with 1'
STAGES: list[dict[str, object]] = [
    {"index": 0, "isFinalStage": False, "targetPercentage": 10, "requireApproval": True, "duration": None},
    {"index": 1, "isFinalStage": True, "targetPercentage": 100, "requireApproval": False, "duration": None},
]


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
    """One project. `moved(target, deployment)` is called whenever another deployment begins to serve `production` or
    `staging`."""

    def __init__(
        self, world: World, moved: Callable[[str, Deployment], None], faults: Collection[str] = frozenset()
    ) -> None:
        self._moved, self._faults = moved, faults
        self.deployments = {one.id: one for one in world.deployments}
        self.ready: dict[str, str] = {}
        """Ready state where it is not READY."""
        self.sources: dict[str, str] = {}
        """Where a deployment came from, where that is no push."""
        self.notes: dict[str, dict[str, str]] = {}
        """What who asked for a build wrote into its `meta`."""
        self.production = world.deployments[-1]
        self.auto_assign = True
        self.job: Job | None = None
        self.foreign: Job | None = None
        """A move that somebody else has asked for (fault vercel-conflict)."""
        self.rolling_since_ms: int | None = None
        """A rolling release is active."""
        self.rollback_description: dict[str, object] | None = None
        self.unmoved: tuple[str, ...] = ()
        """The domains that the last job did not move."""
        self._moving = asyncio.Event()
        self._moving.set()
        self._made = len(world.deployments)
        self._tasks: set[asyncio.Task[None]] = set()
        self._author_others(world)

    def _author_others(self, world: World) -> None:
        """Staging's deployments of the newest commits, and a build that failed three days ago."""
        for one in world.deployments[-STAGED:]:
            copy = replace(one, id=f"dpl_Staging{one.id[11:]}", target="staging", created_ms=one.created_ms - 61_000,
                           live_ms=None)  # fmt: skip
            self.deployments[copy.id] = copy
            self.sources[copy.id] = "git"
            self.staging = copy
        broken = new_deployment(90, world.now_ms - 3 * DAY_MS - 2 * HOUR_MS, message="chore: next 16 canary (#418)")
        self.deployments[broken.id] = broken
        self.ready[broken.id], self.sources[broken.id] = "ERROR", "cli"

    def newest_first(self) -> list[Deployment]:
        """All deployments."""
        return sorted(self.deployments.values(), key=lambda one: -one.created_ms)

    def before(self) -> Deployment:
        """What served production before what serves it now."""
        now_live_ms = self.production.live_ms or 0
        served = [one for one in self.deployments.values() if one.live_ms is not None and one.live_ms < now_live_ms]
        return max(served, key=lambda one: one.live_ms or 0, default=self.production)

    def serving(self) -> dict[str, Deployment]:
        """What serves each target."""
        return {"production": self.production, "staging": self.staging}

    def comes_from_git(self, one: Deployment) -> bool:
        """Whether a push made it, for production: such a one has a run of the CI."""
        return one.target == "production" and one.id not in self.sources

    def busy(self) -> bool:
        """Whether a job is moving production."""
        return self.foreign is not None or (self.job is not None and self.job.status in RUNNING)

    def queue(self, on: bool) -> None:
        """Jobs stay pending until it is off."""
        (self._moving.clear if on else self._moving.set)()

    def interfere(self, on: bool) -> None:
        """Somebody else's promotion is in progress; off: it has succeeded, and moved nothing."""
        self.foreign = Job(self.before().id, self.production.id, "promote", now_ms(), "in-progress") if on else None

    def move(self, target: Deployment, kind: str, description: str | None = None) -> None:
        """Accept a rollback or promote: it is carried out in steps. Raises `Conflict`."""
        if self.busy():
            raise Conflict("Another rollback or promotion is already in progress for this project.")
        self.job, self.unmoved = Job(self.production.id, target.id, kind, now_ms()), ()
        self.rolling_since_ms = None
        if kind == "rollback":
            self.rollback_description = {"username": "op", "description": description or "", "createdAt": now_ms()}
        self._later(self._carry_out(self.job, target))

    async def deploy(
        self,
        message: str,
        *,
        sha: str = "",
        login: str = "",
        faulty: bool = False,
        promote: bool = False,
        target: str = "production",
        run: bool = False,
    ) -> Deployment:
        """Build a new deployment; it goes live unless production is pinned by a rollback (`promote` ends that).

        `run`: a run of the CI has made it, and knows.
        """
        fresh = self._new(message, sha=sha, login=login, faulty=faulty, target=target)
        if run and target == "production":
            self.sources[fresh.id] = "git"
        await self._build(fresh, BUILD_S)
        self.auto_assign = self.auto_assign or promote
        self._assign(fresh)
        return self.deployments[fresh.id]

    def request(
        self, source: Deployment | None, target: str | None, ref: str, *, promote: bool, meta: dict[str, str]
    ) -> Deployment:
        """A build that was asked for by the API, of `ref` or once more of a deployment; it goes on by itself."""
        message = source.message if source else f"Deploy {ref}"
        sha = source.sha if source else ref if len(ref) == 40 else ""
        fresh = self._new(message, sha=sha, faulty=source.faulty if source else False, target=target)
        self.sources[fresh.id], self.notes[fresh.id] = "redeploy" if source else "api-trigger-git-deploy", meta
        self._later(self._requested(fresh, promote=promote))
        return fresh

    def cancel(self, one: Deployment) -> bool:
        """End a build. False: there is none."""
        if self.ready.get(one.id) not in ("QUEUED", "BUILDING"):
            return False
        self.ready[one.id] = "CANCELED"
        return True

    async def _requested(self, fresh: Deployment, *, promote: bool) -> None:
        await self._build(fresh, API_BUILD_S)
        if fresh.id not in self.ready:
            self.auto_assign = self.auto_assign or promote
            self._assign(fresh)

    async def _build(self, fresh: Deployment, seconds: float) -> None:
        await asyncio.sleep(seconds / 4)
        if self.ready[fresh.id] == "QUEUED":
            self.ready[fresh.id] = "BUILDING"
            await asyncio.sleep(seconds * 3 / 4)
        if self.ready[fresh.id] == "BUILDING":
            del self.ready[fresh.id]

    def _new(
        self, message: str, *, sha: str = "", login: str = "", faulty: bool = False, target: str | None = "production"
    ) -> Deployment:
        self._made += 1
        fresh = new_deployment(self._made + 11, now_ms(), message=message, sha=sha, faulty=faulty)
        fresh = replace(fresh, target=target, login=login or fresh.login)
        self.deployments[fresh.id], self.ready[fresh.id] = fresh, "QUEUED"
        for old in self.newest_first()[KEPT:]:
            del self.deployments[old.id]
        return fresh

    def _assign(self, fresh: Deployment) -> None:
        if fresh.target == "staging":
            self.staging = fresh
            self._moved("staging", fresh)
        elif fresh.target == "production" and self.auto_assign:
            self._go_live(fresh)

    def _go_live(self, target: Deployment) -> None:
        live = replace(target, live_ms=now_ms())
        self.deployments[target.id] = self.production = live
        self._moved("production", live)

    async def _carry_out(self, job: Job, target: Deployment) -> None:
        await asyncio.sleep(STEP_S)
        await self._moving.wait()
        job.status = "in-progress"
        await asyncio.sleep(STEP_S)
        if "vercel-job-fails" in self._faults:
            job.status, self.unmoved = "failed", DOMAINS
            return
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
            "latestDeployments": latest, "lastRollbackTarget": None,
            "rollingRelease": {"target": "production", "stages": STAGES} if self.rolling_since_ms else None,
            "paused": False, "lastAliasRequest": self._last_request(),
            "rollbackDescription": self.rollback_description,
            "link": {
                "type": "github", "org": ORGANISATION, "repo": REPOSITORY, "repoId": 1, "productionBranch": "main",
            },
            "security": {"attackModeEnabled": False, "firewallEnabled": True, "firewallConfigVersion": 7},
        }  # fmt: skip

    def _last_request(self) -> dict[str, object] | None:
        job = self.foreign or self.job
        told = job.document() if job else None
        return {**told, "jobStatus": UNKNOWN_WORD} if told and "vercel-unknown-state" in self._faults else told

    def rolling_release(self) -> dict[str, object] | None:
        """As `GET /v1/projects/{id}/rolling-release` answers."""
        if self.rolling_since_ms is None:
            return None
        before, canary = self.before(), self.production
        return {
            "state": "ACTIVE", "substate": None, "currentDeployment": self.item(before),
            "canaryDeployment": self.item(canary), "queuedDeploymentId": None, "advancementType": "manual-approval",
            "stages": STAGES, "activeStage": STAGES[0], "nextStage": STAGES[1], "startedAt": self.rolling_since_ms,
            "updatedAt": self.rolling_since_ms, "currentCanaryPercentage": 10,
        }  # fmt: skip

    def item(self, one: Deployment) -> dict[str, object]:
        """One deployment, with the field names of both the list (`uid`) and the single answer (`id`)."""
        state = self._state(one)
        live = one.live_ms is not None
        return {
            "uid": one.id, "id": one.id, "name": PROJECT_NAME, "projectId": PROJECT, "target": one.target,
            "url": f"{PROJECT_NAME}-{one.short}-tabletalk.vercel.app", "created": one.created_ms,
            "createdAt": one.created_ms, "buildingAt": one.created_ms + 2_000,
            **({"ready": one.created_ms + 97_000} if state == "READY" else {}), "state": state, "readyState": state,
            "readySubstate": ("PROMOTED" if live else "STAGED") if state == "READY" else None,
            "aliasAssigned": one.live_ms, "aliasError": None,
            "isRollbackCandidate": live and one.id != self.production.id,
            "alias": self._domains(one), "source": self.sources.get(one.id, "git"), "inspectorUrl": None,
            **({"errorCode": "BUILD_FAILED", "errorMessage": BUILD_ERROR} if state == "ERROR" else {}),
            "creator": {"uid": f"usr_{one.login}", "username": one.login, "githubLogin": one.login},
            "meta": self._meta(one),
        }  # fmt: skip

    def _state(self, one: Deployment) -> str:
        """Under vercel-unknown-state the newest one is in a state that no client has heard of."""
        if "vercel-unknown-state" in self._faults and one.id == self.newest_first()[0].id:
            return UNKNOWN_WORD.upper()
        return self.ready.get(one.id, "READY")

    def _domains(self, one: Deployment) -> list[str]:
        if one.id == self.staging.id:
            return [STAGING]
        return list(DOMAINS) if one.id == self.production.id else []

    def _meta(self, one: Deployment) -> dict[str, str]:
        return {
            "githubCommitSha": one.sha, "githubCommitMessage": one.message, "githubCommitRef": "main",
            "githubCommitAuthorName": one.author, "githubCommitAuthorLogin": one.login, "githubOrg": ORGANISATION,
            "githubRepo": REPOSITORY, "githubDeployment": "1", **self.notes.get(one.id, {}),
        }  # fmt: skip
