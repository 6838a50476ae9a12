"""What moves production just now is a line of every plan: of the CI and of Vercel, read or not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from console.actions.base import Action, Context
from console.actions.cancel_run import CancelRun
from console.actions.deploy import Deploy
from console.actions.freeze import Freeze
from console.actions.rerun import Rerun
from console.model.actions import CheckResult, Plan
from tests.actions.ci_site import Site, last
from tests.actions.hosting import LIST, OLD, job, planned, project
from tests.sources.loopback import answering

ROLLING = {"rollingRelease": {"state": "ACTIVE", "canaryDeployment": {"id": OLD}, "currentCanaryPercentage": 10}}


@pytest.fixture
def site(site: Site) -> Site:
    """At Vercel nothing is being built."""
    ready = [one for one in LIST["deployments"] if one.get("readyState") == "READY"]
    site.vercel.say("deployments", LIST | {"deployments": ready})
    return site


def every_plan(site: Site) -> list[tuple[Action, dict[str, Any]]]:
    run = site.building()
    return [
        (Rerun(), {"run": last(site).id}), (CancelRun(), {"run": run.id}), (Freeze(), {"on": True}),
        (Deploy(), {"target": "staging", "ref": "main"}),
    ]  # fmt: skip


def warned(plan: Plan) -> list[str]:
    return [check.words for check in plan.checks if check.result is CheckResult.WARN and "in-progress" in check.key]


async def test_a_rolling_release_and_a_build_warn_in_each(site: Site) -> None:
    site.vercel.say("rolling", ROLLING).say("deployments", LIST)  # whose newest is being built
    for action, parameters in every_plan(site):
        said = warned(await planned(action, site.where, **parameters))
        assert any("a rolling release of" in words and "at 10 %" in words for words in said), action.NAME
        assert any(words.startswith("being built for production: ") for words in said), action.NAME


async def test_a_move_of_production_warns_in_each(site: Site) -> None:
    site.vercel.say("project", project(job=job(OLD, "in-progress")))
    for action, parameters in every_plan(site):
        said = warned(await planned(action, site.where, **parameters))
        assert any("a rollback to" in words and "is in-progress" in words for words in said), action.NAME


async def test_nothing_in_progress_is_said_once_and_warns_of_nothing(site: Site) -> None:
    for action, parameters in every_plan(site):
        plan = await planned(action, site.where, **parameters)
        assert warned(plan) == [] and [check.key for check in plan.checks].count("in-progress") == 1, action.NAME


async def test_what_cannot_be_read_warns_and_forbids_nothing(site: Site) -> None:
    site.vercel.say("rolling", answering(403, {"error": {"code": "forbidden", "message": "no"}}))
    for action, parameters in every_plan(site):
        plan = await planned(action, site.where, **parameters)
        (said,) = warned(plan)
        assert said.startswith("whether a rolling release is in progress just now cannot be read: "), action.NAME
        assert not plan.refusals


async def test_what_is_not_configured_gives_no_line(site: Site) -> None:
    without = _without_vercel(site.where)
    run = site.building()
    for action, parameters in ((Rerun(), {"run": last(site).id}), (CancelRun(), {"run": run.id})):
        plan = await planned(action, without, **parameters)
        assert not any("in-progress" in check.key for check in plan.checks)


async def test_another_run_of_the_ci_warns_and_the_run_itself_does_not(site: Site) -> None:
    one, other = site.building(), site.building()
    keys = [check.key for check in (await planned(CancelRun(), site.where, run=one.id)).checks]
    assert f"ci-{other.id}" in keys and f"ci-{one.id}" not in keys
    staging = await planned(Deploy(), site.where, target="staging", ref="main")
    assert f"ci-{one.id}" in [check.key for check in staging.checks]


def _without_vercel(where: Context) -> Context:
    environment = dataclasses.replace(where.environment, vercel=None)
    return dataclasses.replace(where, settings=dataclasses.replace(where.settings, environment=environment))
