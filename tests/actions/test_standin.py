"""The same actions against the demo's stand-in for Vercel, whose jobs and builds take their time and can go wrong."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from console.actions import hold_ci, vercel_follow, wire
from console.actions.base import Context
from console.actions.deploy import Deploy
from console.actions.promote import Promote
from console.actions.rollback import Rollback
from console.demo.listeners import HttpListener
from console.demo.ports import Ports
from console.demo.standins import project as standin
from console.demo.standins.edge_config import EdgeConfig
from console.demo.standins.project import Project
from console.demo.standins.vercel import Vercel as StandIn
from console.demo.world import PROJECT, TEAM, author
from console.model.actions import RunOutcome
from console.model.configuration import Secret, Vercel
from console.model.operations import GitHub
from console.sources.http import Limits
from tests.actions.hosting import (
    HEALTH,
    TOKEN,
    Hosting,
    Ran,
    carried_out,
    context,
    healthy,
    hosting,
    now_ms,
    planned,
    running,
)
from tests.sources.loopback import Seen, Writer, answering


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LIMITS", Limits(connect_s=1.0, read_s=0.5, total_s=1.0, body_bytes=1 << 20))
    for name, limit_s in {"FOLLOW_S": 2.0, "POLL_S": 0.01, "RESOLVE_S": 0.3}.items():
        monkeypatch.setattr(vercel_follow, name, limit_s)
    monkeypatch.setattr(standin, "STEP_S", 0.05)
    monkeypatch.setattr(standin, "API_BUILD_S", 0.2)


@dataclass
class Site:
    """The stand-in, and a context that acts on it."""

    project: Project
    faults: set[str]
    where: Context

    async def run(self, action: Any, **parameters: Any) -> Ran:
        return await carried_out(action, self.where, await planned(action, self.where, **parameters))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The demo's Vercel on one port; the application on another, whose version is that of what serves."""
    world, faults = author(now_ms()), set[str]()
    application = hosting()

    def moved(target: str, live: Any) -> None:
        if target == "production":
            application.say("health", healthy(f"{live.version}+{live.short}"))

    project = Project(world, moved, faults)
    moved("production", project.production)
    ports = Ports(("vercel",))
    listener = HttpListener(
        StandIn(project, world, EdgeConfig(world, "read", faults), TOKEN, faults).application(), ports["vercel"]
    )
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(application))
        await listener.open()
        stack.push_async_callback(listener.close)
        stack.callback(ports.close)
        url = f"http://127.0.0.1:{ports['vercel']}"
        vercel = Vercel(token=Secret(TOKEN), project=PROJECT, team=TEAM, api=url)
        yield Site(project, faults, context(server, vercel=vercel, health=HEALTH))


async def test_rolled_back_and_undone(site: Site) -> None:
    bad, good = site.project.production, site.project.before()
    ran = await site.run(Rollback())
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert site.project.production.id == good.id and site.project.auto_assign is False
    assert f"+{good.short}" in ran["see"].words and ran["follow"].holds[0].undo == f"radar promote {bad.id}"
    undone = await site.run(Promote(), to=bad.id)
    assert undone.outcome is RunOutcome.DONE, undone.words
    assert site.project.production.id == bad.id and site.project.auto_assign is True
    assert ("pinned", PROJECT) in undone["follow"].releases


async def test_a_lost_answer_is_resolved_as_done(site: Site) -> None:
    site.faults.add("vercel-lost-answer")
    ran = await site.run(Rollback())
    assert ran.outcome is RunOutcome.DONE and "Vercel took it" in ran["ask"].words


async def test_a_job_that_fails_names_its_domains(site: Site) -> None:
    site.faults.add("vercel-job-fails")
    ran = await site.run(Rollback())
    assert ran.outcome is RunOutcome.FAILED and "not moved: demo.tabletalk.example" in ran.words


async def test_states_that_nobody_knows(site: Site) -> None:
    site.faults.add("vercel-unknown-state")
    ran = await site.run(Rollback())
    assert ran.outcome is RunOutcome.DONE and "is unknown" in ran["follow"].words


async def test_somebody_elses_job_refuses(site: Site) -> None:
    site.project.interfere(True)
    assert (await planned(Rollback(), site.where)).refusals


async def test_a_job_that_stays_queued_is_unknown(site: Site) -> None:
    site.project.queue(True)
    ran = await site.run(Rollback())
    assert ran.outcome is RunOutcome.UNKNOWN and "pending" in ran.words


async def test_a_promotion_behind_a_rolling_release_that_ends(site: Site) -> None:
    target = site.project.before()
    site.project.rolling_since_ms = now_ms()
    plan = await planned(Promote(), site.where, to=target.id)
    assert any("waits behind it" in check.words for check in plan.checks)


async def test_production_is_deployed_from_a_branch(site: Site) -> None:
    before = site.project.production.id
    ran = await site.run(Deploy(), target="production", ref="main")
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert site.project.production.id == ran["build"].data["built"] != before


async def test_a_ref_that_does_not_exist_is_refused_as_vercel_does(site: Site) -> None:
    before = len(site.project.deployments)
    ran = await site.run(Deploy(), target="staging", ref="nosuchbranch")
    assert ran.outcome is RunOutcome.FAILED and "does not contain the requested branch or commit" in ran.words
    assert len(site.project.deployments) == before


async def test_a_preview_is_built_anew_even_where_production_is_pinned(site: Site) -> None:
    site.project.auto_assign = False
    staging = next(one for one in site.project.newest_first() if one.target == "staging")
    ran = await site.run(Promote(), to=staging.id)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert site.project.production.id == ran["build"].data["built"] and site.project.auto_assign is True


async def test_the_ci_is_held_while_production_goes_back(site: Site) -> None:
    """GitHub is a scripted server here: one run that would deploy, and that ends when it is asked to."""
    run = {
        "id": 19000000408,
        "run_number": 408,
        "display_title": "pricing",
        "head_branch": "main",
        "status": "in_progress",
    }
    script = Hosting()
    runs, one = "/repos/acme/shop/actions/runs", "/repos/acme/shop/actions/runs/19000000408"

    async def cancel(seen: Seen, writer: Writer) -> None:
        script.say(one, {**run, "status": "completed", "conclusion": "cancelled"})
        await answering(202, {})(seen, writer)

    script.say(runs, {"workflow_runs": [run]}).say(one, run).say(f"{one}/jobs", {"jobs": []}).say(
        f"{one}/cancel", cancel
    )
    async with running(script) as server:
        github = GitHub(token=Secret("ghp_Example"), repository="acme/shop", api=server.url())
        where = replace(site.where, operations=replace(site.where.operations, github=github))
        offered = await planned(Rollback(), where)
        assert [(option.key, option.on) for option in offered.options] == [("h", False)]
        assert any("#408" in check.words for check in offered.checks)
        plan = await planned(Rollback(), where, hold_ci=True)
        assert [step.key for step in plan.steps] == [
            "hold-ci", f"{hold_ci.CANCEL}19000000408", "before", "ask", "follow", "ci-ends", "see", "watch",
        ]  # fmt: skip
        assert plan.digest != offered.digest
        ran = await carried_out(Rollback(), where, plan)
        assert ran.outcome is RunOutcome.DONE and ran["hold-ci"].holds[0].kind == "freeze", ran.words


async def test_a_ci_that_cannot_be_held_does_not_keep_production_broken(site: Site) -> None:
    run = {"id": 19000000408, "run_number": 408, "head_branch": "main", "status": "in_progress"}
    runs, one = "/repos/acme/shop/actions/runs", "/repos/acme/shop/actions/runs/19000000408"
    script = Hosting().say(runs, {"workflow_runs": [run]}).say(one, run).say(f"{one}/jobs", {"jobs": []})
    script.say(f"{one}/cancel", answering(403, {"message": "Resource not accessible"}))
    async with running(script) as server:
        github = GitHub(token=Secret("ghp_Example"), repository="acme/shop", api=server.url())
        where = replace(site.where, operations=replace(site.where.operations, github=github))
        ran = await carried_out(Rollback(), where, await planned(Rollback(), where, hold_ci=True))
    assert ran.outcome is RunOutcome.DONE and "Resource not accessible" in ran.words
    assert site.project.auto_assign is False


async def test_the_facts_are_there_within_a_tenth_of_a_second(site: Site) -> None:
    await planned(Rollback(), site.where)
    began = time.perf_counter()
    await planned(Rollback(), site.where)
    taken_s = time.perf_counter() - began
    assert taken_s < 0.5, "a tenth of a second on a machine that does nothing else"
