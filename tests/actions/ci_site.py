"""The stand-in of GitHub Actions with a pipeline that moves, and a context that acts on it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.actions import wire
from console.actions.base import Context
from console.demo.listeners import HttpListener
from console.demo.ports import Ports
from console.demo.standins import pipeline as standin
from console.demo.standins import project as builds
from console.demo.standins.github import GitHub as StandIn
from console.demo.standins.pipeline import Pipeline, Run
from console.demo.standins.project import Project
from console.demo.world import ORGANISATION, REPOSITORY, author
from console.model.configuration import Secret
from console.model.operations import GitHub
from console.sources.http import Limits
from tests.actions.hosting import (
    TOKEN,
    Ran,
    carried_out,
    context,
    hosting,
    nothing_observed,
    now_ms,
    planned,
    running,
)

SUBJECT = f"{ORGANISATION}/{REPOSITORY}"


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the stand-in."""
    monkeypatch.setattr(wire, "LIMITS", Limits(connect_s=1.0, read_s=0.5, total_s=1.0, body_bytes=1 << 20))
    monkeypatch.setattr(standin, "CANCEL_S", 0.05)
    monkeypatch.setattr(standin, "LIVE_S", dict.fromkeys(standin.LIVE_S, 0.02))
    monkeypatch.setattr(builds, "BUILD_S", 0.02)


@dataclass
class Site:
    """The stand-in, and a context that acts on it."""

    project: Project
    pipeline: Pipeline
    where: Context
    listener: HttpListener

    async def run(self, action: Any, **parameters: Any) -> Ran:
        return await carried_out(action, self.where, await planned(action, self.where, **parameters))

    def holding(self, *rows: SimpleNamespace) -> Context:
        """The context, with these in the ledger."""
        actions = SimpleNamespace(holdings=rows, runs=())
        return dataclasses.replace(self.where, reads=cast(Any, nothing_observed(actions=actions)))

    def building(self, at: str = "build") -> Run:
        """A run in progress in that job, which stays there."""
        run = self.pipeline.begin_migrating()
        for job in run.jobs:
            job.status, job.conclusion = "completed", "success"
        place = [job.name for job in run.jobs].index(at)
        for job in run.jobs[place:]:
            job.status, job.conclusion = ("in_progress" if job.name == at else "queued"), None
        return run


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Site]:
    """The stand-in, listening."""
    world = author(now_ms())
    project = Project(world, lambda _target, _live: None)
    pipeline = Pipeline(world, project)
    ports = Ports(("github",))
    listener = HttpListener(StandIn(project, pipeline, world, TOKEN).application(), ports["github"])
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(hosting()))
        await listener.open()
        stack.push_async_callback(listener.close)
        stack.callback(ports.close)
        github = GitHub(token=Secret(TOKEN), repository=SUBJECT, api=f"http://127.0.0.1:{ports['github']}")
        where = context(server)
        where = dataclasses.replace(where, operations=dataclasses.replace(where.operations, github=github))
        yield Site(project, pipeline, where, listener)


def last(site: Site, conclusion: str = "success") -> Run:
    return next(run for run in site.pipeline.newest_first() if run.conclusion == conclusion)
