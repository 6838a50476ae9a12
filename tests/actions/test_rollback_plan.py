"""The plan of a rollback: which deployment, why not another, what will not come back, what else moves production."""

from __future__ import annotations

import shlex
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from console.actions.promote import Promote
from console.actions.rollback import Rollback
from console.model.configuration import Secret
from console.model.ports import Refused
from tests.actions.hosting import (
    LIST,
    NEW,
    OLD,
    PREVIEW,
    PROJECT,
    STAGED,
    context,
    held,
    hosting,
    job,
    nothing_observed,
    now_ms,
    observed,
    planned,
    project,
    rollback_run,
    running,
    shown,
    words_of,
)
from tests.sources.loopback import answering, cases, replay


async def test_the_plan_goes_back_to_the_newest_that_served_before() -> None:
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server))
        assert len(server.requests) <= 5, "few requests: key to plan within 300 ms"
    assert plan.title == "Roll back production from 0909090 to 0606060"
    assert plan.target == f"0606060 ({OLD})" and plan.short_id == "0606060" == plan.phrase
    assert plan.undo == f"radar promote {NEW}" and plan.undo_request and plan.undo_request.parameters == {"to": NEW}
    assert [step.key for step in plan.steps] == ["before", "ask", "follow", "see", "watch"]
    assert plan.steps[1].call == f"POST /v1/projects/{PROJECT}/rollback/{OLD} (asynchronous)"
    assert "later pushes" in plan.afterwards[0] and any("schema" in words for words in plan.lost)
    assert not plan.refusals and "teamId" in plan.escape[1] and "$VERCEL_TOKEN" in plan.escape[1]
    assert plan.escape[0] == f"vercel rollback {OLD} --scope team_Example1"
    assert f"vercel inspect 127.0.0.1:{server.port}" in plan.escape[3]


async def test_looking_again_gives_the_same_digest_until_the_world_changes() -> None:
    script = hosting()
    async with running(script) as server:
        where = context(server)
        first, second = await planned(Rollback(), where), await planned(Rollback(), where)
        assert first.digest == second.digest
        script.say("rolling", answering(500, {})).say("env", answering(403, {}))
        assert (await planned(Rollback(), where)).digest == first.digest, "what is not known now is in the checks"
        script.say("project", project(NEW, job(STAGED, at_ms=now_ms() - 5000)))
        assert (await planned(Rollback(), where)).digest != first.digest


@pytest.mark.parametrize("name", [OLD, "0606060", "06" * 20])
async def test_a_deployment_can_be_named(name: str) -> None:
    async with running(hosting()) as server:
        assert (await planned(Rollback(), context(server), to=name)).data["target"] == OLD


@pytest.mark.parametrize(
    ("name", "why"),
    [(STAGED, "never served"), (PREVIEW, "a preview"), (NEW, "serves production now"),
     ("0808080", "building"), ("0707070", "its build failed")],
)  # fmt: skip
async def test_why_a_deployment_is_not_eligible(name: str, why: str) -> None:
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server), to=name)
    assert any(why in words for words in plan.refusals), plan.checks


async def test_another_projects_deployment_and_one_that_is_not_there_are_refused() -> None:
    script = hosting()
    async with running(script) as server:
        with pytest.raises(Refused, match="no deployment dpl_nowhere"):
            await planned(Rollback(), context(server), to="dpl_nowhere")
        script.say("deployment", {"id": "dpl_other", "projectId": "prj_other", "target": "production"})
        with pytest.raises(Refused, match="another project"):
            await planned(Rollback(), context(server), to="dpl_other")


async def test_what_a_rollback_has_left_is_not_gone_back_to() -> None:
    reads = observed(runs=[rollback_run(OLD)])
    listed = [entry for entry in LIST["deployments"] if entry["uid"] in (NEW, OLD, STAGED)]
    older = {**listed[1], "uid": "dpl_older", "created": 1_700_000_000_000, "aliasAssigned": 1_700_000_000_000}
    script = hosting().say("deployments", {"deployments": [*listed, older]})
    async with running(script) as server:
        assert (await planned(Rollback(), context(server))).data["target"] == OLD
        assert (await planned(Rollback(), context(server, reads))).data["target"] == "dpl_older"
        script.say("deployments", {"deployments": listed})
        with pytest.raises(Refused, match=r"nothing to go back to.*a rollback left it"):
            await planned(Rollback(), context(server, reads))


async def test_a_running_job_refuses_and_an_old_one_does_not() -> None:
    script = hosting().say("project", project(NEW, job(STAGED, "in-progress", "promote")))
    async with running(script) as server:
        assert "promote to 0505050 is in-progress" in (await planned(Rollback(), context(server))).refusals[0]
        script.say("project", cases("vercel_project_get")[5]["body"])
        assert not (await planned(Rollback(), context(server))).refusals


async def test_a_rolling_release_warns_that_the_same_request_aborts_it() -> None:
    script = hosting().say("rolling", cases("vercel_rolling_release")[1]["body"])
    async with running(script) as server:
        words = words_of(await planned(Rollback(), context(server)), "rolling")
    assert words == "warn: a rolling release of 0909090 is in progress at 10 %: this request aborts it"


async def test_a_rolling_release_that_cannot_be_read_is_told_whether_or_not_the_project_tells_of_one() -> None:
    script = hosting().say("rolling", answering(403, {"error": {"message": "no"}}))
    async with running(script) as server:
        unread = words_of(await planned(Rollback(), context(server)), "rolling")
        assert unread.startswith("warn: whether a rolling release is in progress is not known")
        script.say("project", project(rollingRelease={"target": "production"}))
        assert words_of(await planned(Rollback(), context(server)), "rolling").startswith("warn: whether a rolling")


@pytest.mark.parametrize(
    ("state", "result"), [("STARTING", "warn"), ("PAUSED", "warn"), ("COMPLETE", ""), ("ABORTED", "")]
)
async def test_of_a_rolling_release_only_what_is_over_is_over(state: str, result: str) -> None:
    release = {**cases("vercel_rolling_release")[1]["body"]["rollingRelease"], "state": state}
    async with running(hosting().say("rolling", {"rollingRelease": release})) as server:
        plan = await planned(Rollback(), context(server))
    assert words_of(plan, "rolling").partition(":")[0] == result
    assert (words_of(plan, "job") == "") is bool(result), "never beside a line that says that none is in progress"


async def test_the_wrong_project_is_refused() -> None:
    script = hosting().say("project", project(id="prj_other", name="other"))
    async with running(script) as server:
        assert "configured is" in (await planned(Rollback(), context(server))).refusals[0]


@pytest.mark.parametrize(
    ("url", "words"),
    [("https://app.other.example", "warn: project shop-web"), ("https://shop.example.com", "pass: project shop-web"),
     ("http://10.0.0.7:3000", "pass: project shop-web")],
)  # fmt: skip
async def test_the_watched_domain_must_be_productions(url: str, words: str) -> None:
    async with running(hosting()) as server:
        where = context(server)
        where = replace(where, settings=replace(where.settings, environment=replace(where.environment, url=url)))
        plan = await planned(Rollback(), where)
    assert words_of(plan, "project").startswith(words)


async def test_changed_variables_are_named_and_their_values_are_not() -> None:
    changed = {
        "key": "API_KEY",
        "type": "sensitive",
        "target": ["production"],
        "updatedAt": 1795168200000,
        "value": "hunter2",
    }
    other = {"key": "OTHER", "type": "plain", "target": "preview", "updatedAt": 1795168200000, "value": "hunter2"}
    script = hosting().say("env", {"envs": [changed, other]})
    async with running(script) as server:
        plan = await planned(Rollback(), context(server))
        words = words_of(plan, "variables")
        assert words.startswith("warn") and "API_KEY" in words and "rotated secrets" in words and "OTHER" not in words
        assert "hunter2" not in repr(plan)
        script.say("env", answering(403, {"error": {"message": "no"}}))
        assert "not known" in words_of(await planned(Rollback(), context(server)), "variables")
        script.say("env", {"envs": [other]})
        assert words_of(await planned(Rollback(), context(server)), "variables").startswith("pass")


def observed_database(newest: str | None, events: tuple[Any, ...] = ()) -> Any:
    facts: dict[str, Any] = {} if newest is None else {"latest_migration": {"version": newest, "name": "plans"}}
    return SimpleNamespace(targets=(SimpleNamespace(target="postgres.catalogue", facts=facts),), events=events)


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [("012", "012", "pass: no migration since"), ("012", "011", "warn: the newest migration was 011_plans"),
     (None, "011", "warn: which migrations are applied was not observed"),
     ("012", None, "warn: what was applied when 0606060 was built was not observed")],
)  # fmt: skip
async def test_migrations_are_compared(now: str | None, then: str | None, words: str) -> None:
    def component(_key: str, at_ms: int | None) -> Any:
        return observed_database(now if at_ms is None else then)

    async with running(hosting()) as server:
        where = context(server, nothing_observed(component=component), database=Secret("postgres://x"))
        assert words_of(await planned(Rollback(), where), "migrations").startswith(words)


async def test_another_domain_assigned_to_it_does_not_hide_a_migration() -> None:
    """Back and forth moves the time of its domains to now; its code stays of the schema that it was built on."""
    event = SimpleNamespace(kind="migration", at_ms=1795168000000, text="migration 013_drop applied")
    moments: list[int] = []

    def component(_key: str, at_ms: int | None) -> Any:
        moments.extend([at_ms] if at_ms is not None else [])
        return observed_database("013" if (at_ms or now_ms()) > event.at_ms else "012", (event,))

    listed = [entry for entry in LIST["deployments"] if entry["uid"] in (NEW, OLD)]
    script = hosting().say("project", project(NEW)).say("deployments", {"deployments": [
        {**listed[0], "aliasAssigned": now_ms()}, {**listed[1], "aliasAssigned": now_ms() - 7000},
    ]})  # fmt: skip
    async with running(script) as server:
        where = context(server, nothing_observed(component=component), database=Secret("postgres://x"))
        rolled = words_of(await planned(Rollback(), where, to=OLD), "migrations")
        script.say("project", project(OLD))
        promoted = words_of(await planned(Promote(), where, to=NEW), "migrations")
    assert rolled.startswith("warn: migration 013_drop applied after 0606060 was built"), rolled
    assert moments == [listed[1]["created"], listed[0]["created"]]
    assert promoted.startswith("pass"), "that one was built after it"


async def test_migrations_that_were_seen_are_named() -> None:
    event = SimpleNamespace(kind="migration", at_ms=1795168000000, text="migration 012_plans applied")
    reads = nothing_observed(component=lambda *_: observed_database("012", (event,)))
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server, reads, database=Secret("postgres://x")))
    assert "migration 012_plans applied after 0606060 was built" in words_of(plan, "migrations")


async def test_how_it_did_when_it_ran() -> None:
    reads = observed(shown(OLD, p95=118.0, errors=0.002))
    async with running(hosting()) as server:
        plan = await planned(Rollback(), context(server, reads))
    assert (
        words_of(plan, "target") == 'pass: 0606060 "fix: tax rounding" ran in production 16 h, p95 118 ms, errors 0.2 %'
    )


async def test_a_store_that_cannot_be_read_warns_and_hinders_nothing() -> None:
    async with running(hosting()) as server:
        where = context(server, nothing_observed(actions=None, deployments=None))
        plan = await planned(Rollback(), where)
    assert words_of(plan, "records").startswith("warn") and not plan.refusals


async def test_pinned_production_is_told_with_its_owner() -> None:
    script = hosting().say("project", project(autoAssignCustomDomains=False))
    reads = nothing_observed(actions=SimpleNamespace(holdings=(held("pinned", PROJECT, "pinned by x"),), runs=()))
    async with running(script) as server:
        assert (
            words_of(await planned(Rollback(), context(server, reads)), "pinned") == "warn: already pinned by x (op2)"
        )
        assert "somebody's choice" in words_of(await planned(Rollback(), context(server)), "pinned")


async def test_builds_in_progress_warn() -> None:
    async with running(hosting()) as server:
        words = words_of(await planned(Rollback(), context(server)), "building")
    assert words.startswith("warn: being built for production: 0808080") and "go live over this" in words


@pytest.mark.parametrize(
    "case", [case for case in cases("vercel_project_get") if case["status"] != 200], ids=lambda case: case["name"]
)
async def test_without_the_project_there_is_no_plan_but_a_way_without(case: dict[str, Any]) -> None:
    async with running(hosting().say("project", replay(case))) as server:
        with pytest.raises(Refused, match="vercel rollback"):
            await planned(Rollback(), context(server))


async def test_a_reduced_project_needs_a_name() -> None:
    script = hosting().say("project", {"id": PROJECT, "name": "shop-web"})
    async with running(script) as server:
        with pytest.raises(Refused, match="name the one"):
            await planned(Rollback(), context(server))
        plan = await planned(Rollback(), context(server), to=OLD)
    assert plan.undo == "" and plan.undo_request is None


async def test_not_configured_is_refused_with_the_lines_to_add() -> None:
    async with running(hosting()) as server:
        with pytest.raises(Refused, match=r"\[environments.NAME.vercel\]"):
            await planned(Rollback(), context(server, vercel=None))


async def test_two_deployments_of_one_commit_are_told_apart() -> None:
    listed = [entry for entry in LIST["deployments"] if entry["uid"] in (NEW, OLD)]
    again = {**listed[1], "uid": "dpl_builtAnewOfTheSame", "created": listed[1]["created"] - 1000}
    script = hosting().say("deployments", {"deployments": [*listed, again]})
    async with running(script) as server:
        plan = await planned(Rollback(), context(server), to=again["uid"])
        other = await planned(Rollback(), context(server), to=OLD)
    assert plan.short_id == "TheSame" and plan.phrase == "TheSame" and plan.confirms("production/TheSame")
    assert other.phrase == OLD[-7:] and not plan.confirms("0606060") and not plan.confirms(other.phrase)
    assert plan.title == "Roll back production from 0909090 to TheSame"


async def test_the_words_to_copy_are_quoted() -> None:
    async with running(hosting()) as server:
        where = context(server)
        vercel = where.environment.vercel
        assert vercel is not None
        odd = replace(vercel, project="a;reboot", team="$(id)")
        environment = replace(where.environment, vercel=odd)
        where = replace(where, settings=replace(where.settings, environment=environment))
        plan = await planned(Rollback(), where)
    assert shlex.split(plan.escape[0]) == ["vercel", "rollback", OLD, "--scope", "$(id)"]
    for line in plan.escape:
        bare = line.replace("'a;reboot'", "").replace("'$(id)'", "")
        assert "a;reboot" not in bare and "$(id)" not in bare, line
