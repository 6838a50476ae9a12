"""A ref is looked up at GitHub before anything is built of it: what it is, what it brings, and that it exists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.actions.deploy import Deploy
from console.demo.world import ORGANISATION, REPOSITORY, Deployment
from console.model.actions import Plan
from tests.actions.ci_site import SUBJECT, Site
from tests.actions.hosting import planned, project, words_of

LINK = {"type": "github", "org": ORGANISATION, "repo": REPOSITORY, "productionBranch": "main"}


@pytest.fixture
def site(site: Site) -> Site:
    """What is live was built from the third commit."""
    serve(site, commits(site)[2])
    return site


def commits(site: Site) -> list[Deployment]:
    """What was pushed to main, newest first."""
    return [one for one in site.project.newest_first() if one.target == "production"]


def serve(site: Site, live: Deployment, link: Any = LINK) -> None:
    """Vercel tells that this one is live."""
    told = project(link=link)
    told["targets"]["production"]["meta"]["githubCommitSha"] = live.sha
    site.vercel.say("project", told).say("deployments", {"deployments": [], "pagination": {}})


def sent(plan: Plan) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(plan.data["body"]))
    return dict(body["gitSource"])


@pytest.mark.parametrize("target", ["staging", "production"])
async def test_the_plan_names_the_commit_and_what_is_new(site: Site, target: str) -> None:
    head, between, live = commits(site)[:3]
    plan = await planned(Deploy(), site.where, target=target, ref="main")
    said = words_of(plan, "ref")
    assert said.startswith(f'pass: main is {head.short} "{head.message}" by {head.login}, ')
    new = words_of(plan, "new")
    assert new.startswith(f"pass: 2 commits more than live {live.short}: ") and between.message in new
    assert sent(plan) == {"type": "github", "org": ORGANISATION, "repo": REPOSITORY, "ref": "main", "sha": head.sha}
    assert plan.data["commit"] == head.sha


@pytest.mark.parametrize("target", ["staging", "production"])
async def test_what_does_not_exist_is_not_built(site: Site, target: str) -> None:
    plan = await planned(Deploy(), site.where, target=target, ref="nosuchbranch")
    assert plan.refusals[0] == f"{SUBJECT} has no branch, tag or commit nosuchbranch"


async def test_the_beginning_of_a_commit_is_sent_whole(site: Site) -> None:
    one = commits(site)[1]
    plan = await planned(Deploy(), site.where, target="staging", ref=one.sha[:8])
    assert sent(plan)["ref"] == sent(plan)["sha"] == one.sha


async def test_another_commit_of_the_branch_is_another_plan(site: Site) -> None:
    before = await planned(Deploy(), site.where, target="staging", ref="main")
    await site.project.deploy("feat: pushed meanwhile")
    after = await planned(Deploy(), site.where, target="staging", ref="main")
    assert before.digest != after.digest


async def test_older_code_over_newer_and_what_is_live_already_are_told(site: Site) -> None:
    newest, _, older = commits(site)[:3]
    serve(site, newest)
    plan = await planned(Deploy(), site.where, target="production", ref=older.sha)
    assert (
        words_of(plan, "older") == f"warn: live {newest.short} has 2 commits that it lacks: older code goes over newer"
    )
    same = await planned(Deploy(), site.where, target="production", ref="main")
    assert words_of(same, "new") == f"pass: {newest.short} is live already: nothing is new in it"


async def test_migrations_that_it_brings_are_named(site: Site) -> None:
    serve(site, commits(site)[-1])
    plan = await planned(Deploy(), site.where, target="production", ref="main")
    assert words_of(plan, "brings-migrations").startswith("warn: it brings ")


async def test_what_github_does_not_tell_is_not_known_and_forbids_nothing(site: Site) -> None:
    await site.listener.close()
    plan = await planned(Deploy(), site.where, target="staging", ref="main")
    assert words_of(plan, "ref").startswith("warn: whether there is a main, and what it is, is not known: ")
    assert not plan.refusals and "sha" not in sent(plan)


async def test_a_project_of_another_repository_is_not_looked_up_in_this_one(site: Site) -> None:
    serve(site, commits(site)[2], {**LINK, "repo": "other"})
    said = words_of(await planned(Deploy(), site.where, target="staging", ref="main"), "ref")
    assert said.endswith(f"the project is built from another repository than {SUBJECT}, which is configured")
