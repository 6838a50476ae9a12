"""The stand-in of GitHub Actions with a pipeline that moves, and a context that acts on it."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
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
from console.model.actions import Plan
from console.model.configuration import Secret
from console.model.operations import GitHub
from console.model.views import OpenItem
from console.sources.http import Limits
from console.store.identity import Who
from console.store.journal import Beginning, Journal
from console.store.records import Records
from tests.actions.hosting import (
    TOKEN,
    Hosting,
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
    monkeypatch.setattr(standin, "QUEUED_S", 0.02)
    monkeypatch.setattr(standin, "LIVE_S", dict.fromkeys(standin.LIVE_S, 0.02))
    monkeypatch.setattr(builds, "BUILD_S", 0.02)


@dataclass
class Site:
    """The stand-in, and a context that acts on it."""

    project: Project
    pipeline: Pipeline
    where: Context
    listener: HttpListener
    vercel: Hosting
    """What Vercel and the application answer."""

    async def run(self, action: Any, **parameters: Any) -> Ran:
        return await carried_out(action, self.where, await planned(action, self.where, **parameters))

    def holding(self, *rows: SimpleNamespace, open_items: Sequence[OpenItem] = ()) -> Context:
        """The context, with these in the ledger."""
        actions = SimpleNamespace(holdings=rows, runs=(), header=SimpleNamespace(open_items=open_items))
        return dataclasses.replace(self.where, reads=cast(Any, nothing_observed(actions=actions)))

    def journaled(self, plan: Plan, ran: Ran, began_ms: int | None = None) -> None:
        """Have the journal know of a run that was carried out."""
        journal = Journal(self.where.records, Who(4711, "op1", "loginuid"))
        run, _ = journal.begin(
            Beginning(
                token=f"token-{now_ms()}-{plan.short_id}", action=plan.action, title=plan.title, target=plan.target,
                risk=plan.risk, exclusion=None, plan=msgspec.json.encode(plan).decode(), reason="x",
                authority="guard rails", host="h", pid=1, boot_id="b",
            )
        )  # fmt: skip
        for step, result in ran.notes.results.items():
            journal.intend(run, step)
            journal.conclude(run, step, result)
        journal.end(run, ran.outcome, ran.words)

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
        vercel = hosting()
        server = await stack.enter_async_context(running(vercel))
        await listener.open()
        stack.push_async_callback(listener.close)
        stack.callback(ports.close)
        github = GitHub(token=Secret(TOKEN), repository=SUBJECT, api=f"http://127.0.0.1:{ports['github']}")
        where = context(server)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        records = Records.open(place / "records.db")
        stack.callback(records.close)
        where = dataclasses.replace(
            where, operations=dataclasses.replace(where.operations, github=github), records=records
        )
        yield Site(project, pipeline, where, listener, vercel)


def last(site: Site, conclusion: str = "success") -> Run:
    return next(run for run in site.pipeline.newest_first() if run.conclusion == conclusion)
