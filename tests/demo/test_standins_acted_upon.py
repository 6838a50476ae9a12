"""What is asked of the stand-ins really changes them, and each other: runs deploy, builds go live, flags are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.demo.faults import set_fault
from console.demo.stack import DemoStack
from tests.demo.effects import posted, read_flag
from tests.demo.site import Site, get, until

HEALTH = "/api/v1/system/health"


# One demo for the module is started once (8 s), not once in each process.
pytestmark = pytest.mark.xdist_group("standins-acted-upon")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One demo; each test leaves production free and no job running."""
    with DemoStack(tmp_path_factory.mktemp("demo") / "place") as stack:
        yield Site(stack.directory / "radar.toml")


def jobs(site: Site, run: int) -> dict[str, Any]:
    return {job["name"]: job for job in site.ci(run, "/jobs").json()["jobs"]}


def settled(site: Site) -> bool:
    job = site.project()["lastAliasRequest"]
    return job is None or job["jobStatus"] not in ("pending", "in-progress")


# CI


def test_thirty_days_of_runs_have_nine_jobs_and_two_never_came_to_deploy(site: Site) -> None:
    runs = site.runs("?per_page=100")
    assert len(runs) > 20 and [run["run_number"] for run in runs] == sorted(
        (r["run_number"] for r in runs), reverse=True
    )
    assert {run["conclusion"] for run in runs} == {"success", "failure"}
    failed = [run for run in runs if run["conclusion"] == "failure"]
    assert len(failed) == 2 == len(site.runs("?status=failure"))
    told = jobs(site, failed[0]["id"])
    assert list(told) == [
        "lint", "test", "integration-test", "build", "migrate", "deploy-staging", "deploy-production", "performance",
        "notify",
    ]  # fmt: skip
    (job,) = [job for job in told.values() if job["conclusion"] == "failure"]
    (step,) = [step for step in job["steps"] if step["conclusion"] == "failure"]
    assert step["name"].startswith("npm ") and job["steps"][-1]["name"] == "Complete job"
    assert told["deploy-production"]["conclusion"] == "skipped"


def test_the_log_of_a_job_is_elsewhere_and_has_colours(site: Site) -> None:
    (run, *_) = site.runs("?status=failure")
    job = next(job for job in jobs(site, run["id"]).values() if job["conclusion"] == "failure")
    answer = site.github(f"/repos/{site.settings['github']['repository']}/actions/jobs/{job['id']}/logs")
    assert answer.status == 302
    text = get(answer.headers["location"], 5.0, {})
    assert text.status == 200 and b"\x1b[31m" in text.body and b"1 failed" in text.body


def test_a_run_that_is_cancelled_ends_and_does_not_deploy(site: Site) -> None:
    before = site.production()["id"]
    set_fault(site.directory, "ci-run-active", True)
    (run,) = site.runs("?status=in_progress")
    assert site.ci(run["id"], "/rerun", "POST").status == 403, "it runs already"
    assert site.ci(run["id"], "/cancel", "POST").status == 202
    assert site.ci(run["id"]).json()["status"] == "in_progress", "accepted is not done"
    until(lambda: site.ci(run["id"]).json()["conclusion"] == "cancelled")
    assert site.ci(run["id"], "/cancel", "POST").status == 409
    assert {job["conclusion"] for job in jobs(site, run["id"]).values()} == {"success", "cancelled"}
    assert site.production()["id"] == before
    set_fault(site.directory, "ci-run-active", False)
    assert site.ci(1, "/cancel", "POST").status == 404


def test_a_rerun_runs_through_and_really_deploys(site: Site) -> None:
    run = site.runs("?status=success")[0]
    before, every = site.production(), [one["id"] for one in site.runs("?per_page=100")]
    assert site.ci(run["id"], "/rerun-failed-jobs", "POST").status == 403, "nothing of it has failed"
    assert site.ci(run["id"], "/rerun", "POST").status == 201
    assert site.ci(run["id"]).json()["run_attempt"] == 2
    until(lambda: site.ci(run["id"]).json()["status"] == "in_progress")
    until(lambda: site.production()["id"] != before["id"], within_s=60, what="it has deployed")
    assert site.production()["meta"]["githubCommitSha"] == run["head_sha"]
    until(lambda: site.ci(run["id"]).json()["conclusion"] == "success")
    assert [one["id"] for one in site.runs("?per_page=100")] == every, "what a run has deployed has no second one"


def test_failed_jobs_alone_keep_what_has_succeeded(site: Site) -> None:
    run = site.runs("?status=failure")[0]
    assert site.ci(run["id"], "/rerun-failed-jobs", "POST").status == 201
    assert jobs(site, run["id"])["lint"]["status"] == "completed"
    assert site.ci(run["id"], "/force-cancel", "POST").status == 202
    until(lambda: site.ci(run["id"]).json()["conclusion"] == "cancelled")


def test_a_migration_that_is_switched_off_has_failed_in_its_run(site: Site) -> None:
    set_fault(site.directory, "ci-migration-lock", True)
    (run,) = site.runs("?status=in_progress")
    assert jobs(site, run["id"])["migrate"]["status"] == "in_progress"
    set_fault(site.directory, "ci-migration-lock", False)
    assert jobs(site, run["id"])["migrate"]["conclusion"] == "failure" == site.ci(run["id"]).json()["conclusion"]


def test_what_lies_between_two_commits_has_its_migrations(site: Site) -> None:
    listed = site.vercel("/v7/deployments?limit=100&target=production").json()["deployments"]
    shas = [one["meta"]["githubCommitSha"] for one in listed if one["aliasAssigned"]]
    path = f"/repos/{site.settings['github']['repository']}/compare"
    found = site.github(f"{path}/{shas[-1]}...{shas[0]}").json()
    assert found["status"] == "ahead" and found["ahead_by"] >= len(shas) - 1
    assert any(file["filename"].startswith("database/migrations/") for file in found["files"])
    assert site.github(f"{path}/{shas[0]}...{shas[-1]}").json()["status"] == "behind"
    assert site.github(f"{path}/{shas[0]}...ffffffffff").status == 404


# Vercel


def created(site: Site, **body: object) -> Any:
    return site.vercel("/v13/deployments?forceNew=1", "POST", {"name": "tabletalk-radar", **body})


GIT = {"type": "github", "org": "tabletalk-demo", "repo": "radar", "ref": "main"}


def state(site: Site, deployment: str) -> str:
    return str(site.vercel(f"/v13/deployments/{deployment}").json()["readyState"])


def test_a_build_for_production_goes_live_by_itself(site: Site) -> None:
    made = created(site, target="production", gitSource=GIT).json()
    assert made["readyState"] == "QUEUED" and made["target"] == "production"
    until(lambda: state(site, made["id"]) == "BUILDING")
    until(lambda: site.production()["id"] == made["id"], within_s=20)
    assert site.app(HEALTH).json()["version"] and state(site, made["id"]) == "READY"


def test_a_build_while_production_is_pinned_does_not_go_live(site: Site) -> None:
    before = next(one for one in site.vercel("/v7/deployments?limit=20").json()["deployments"]
                  if one["isRollbackCandidate"])  # fmt: skip
    assert site.move("rollback", before["uid"]).status == 201
    until(lambda: site.production()["id"] == before["uid"] and settled(site))
    made = created(site, target="production", deploymentId=before["uid"]).json()
    until(lambda: state(site, made["id"]) == "READY", within_s=20)
    assert site.production()["id"] == before["uid"]
    assert site.move("promote", made["id"]).status == 201
    until(lambda: site.production()["id"] == made["id"] and settled(site))
    assert site.project()["autoAssignCustomDomains"] is True


def test_staging_gets_its_own_builds_and_serves_them(site: Site) -> None:
    live, url = site.production()["id"], site.settings["staging"]
    version = get(url + HEALTH, 5.0, {}).json()["version"]
    made = created(site, target="staging", gitSource=GIT).json()
    until(lambda: get(url + HEALTH, 5.0, {}).json()["version"] != version, within_s=20)
    assert site.production()["id"] == live
    assert site.vercel(f"/v13/deployments/{made['id']}").json()["alias"] == ["staging.demo.tabletalk.example"]
    assert site.move("promote", made["id"]).status == 422, "only what was built for production is promoted"


def test_a_build_can_be_ended_and_is_not_live_then(site: Site) -> None:
    live = site.production()["id"]
    made = created(site, target="production", gitSource=GIT).json()
    assert site.vercel(f"/v12/deployments/{made['id']}/cancel", "PATCH", {}).status == 200
    assert state(site, made["id"]) == "CANCELED"
    assert site.vercel(f"/v12/deployments/{made['id']}/cancel", "PATCH", {}).status == 400
    assert site.production()["id"] == live


@pytest.mark.parametrize("body", [{}, {"target": "moon"}, {"gitSource": {"type": "gitlab"}}, {"gitSource": "main"}])
def test_a_build_of_nothing_is_refused(site: Site, body: dict[str, object]) -> None:
    assert created(site, **body).status == 400


def test_a_build_of_what_is_not_there_is_not_found(site: Site) -> None:
    assert created(site, target="production", deploymentId="dpl_none").status == 404


def test_the_build_log_comes_in_both_shapes_and_with_keep_alives(site: Site) -> None:
    name = site.production()["id"]
    told = site.vercel(f"/v3/deployments/{name}/events?limit=-1").json()
    assert {"text" in event or "payload" in event or event["type"] in ("delimiter", "deployment-state")
            for event in told} == {True}  # fmt: skip
    assert any("payload" in event for event in told) and any("created" not in event for event in told)
    lines = site.vercel(f"/v3/deployments/{name}/events?limit=-1&format=lines")
    assert lines.headers["content-type"].startswith("application/stream+json")
    assert lines.body.count(b"\n") == len(told) and b"\\u001b[32m" in lines.body
    broken = next(one for one in site.vercel("/v7/deployments?limit=100").json()["deployments"]
                  if one["readyState"] == "ERROR")  # fmt: skip
    assert "Type error" in str(site.vercel(f"/v3/deployments/{broken['uid']}/events").json())


def test_the_environment_has_names_and_no_values(site: Site) -> None:
    project = site.settings["vercel"]["project"]
    found = site.vercel(f"/v10/projects/{project}/env").json()["envs"]
    assert {one["key"] for one in found} >= {"SUPABASE_SERVICE_ROLE_KEY"} and {one["value"] for one in found} == {""}


# Edge Config and the application


def test_the_application_honours_the_flag_and_says_so(site: Site) -> None:
    store = site.settings["maintenance"]["edge_config"]
    prefix = f"/v1/edge-config/{store}"
    assert read_flag(site, "maintenance") == {"enabled": False} and site.app("/").status == 200
    digest = site.vercel(prefix).json()["digest"]

    def write(value: object) -> None:
        body = {"items": [{"operation": "upsert", "key": "maintenance", "value": value}]}
        assert site.vercel(f"{prefix}/items", "PATCH", body).json() == {"status": "ok"}

    write({"enabled": True, "message": "until <noon>"})
    until(lambda: site.app("/").status == 503)
    page, answer = site.app("/"), site.app("/api/v1/clients")
    assert page.headers["x-maintenance"] and b"until &lt;noon&gt;" in page.body and b"maintenance" in page.body.lower()
    assert (answer.status, answer.json()["message"]) == (503, "until <noon>")
    assert site.app(HEALTH).status == 200, "the health answer is for us, not for visitors"
    assert site.vercel(prefix).json()["digest"] != digest
    write({"enabled": False})
    until(lambda: site.app("/").status == 200)


@pytest.mark.parametrize(
    "operation",
    [
        {"operation": "create", "key": "maintenance", "value": 1}, {"operation": "update", "key": "none", "value": 1},
        {"operation": "delete", "key": "none"}, {"operation": "upsert", "key": ""}, {"operation": "upsert", "key": "k"},
        "nonsense",
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_changes_nothing(site: Site, operation: object) -> None:
    path = f"/v1/edge-config/{site.settings['maintenance']['edge_config']}"
    before = site.vercel(f"{path}/items").json()
    both = {"items": [{"operation": "upsert", "key": "other", "value": 1}, operation]}
    assert site.vercel(f"{path}/items", "PATCH", both).status == 400
    assert site.vercel(f"{path}/items").json() == before
    assert site.vercel(f"{path}/item/other").status == 204


def test_edge_config_has_two_names_and_one_store(site: Site) -> None:
    store = site.settings["maintenance"]["edge_config"]
    assert site.vercel(f"/v1/global-config/{store}").json() == site.vercel(f"/v1/edge-config/{store}").json()
    assert site.vercel("/v1/edge-config/ecfg_other").status == 404
    assert get(site.flag_address().partition("?")[0], 5.0, {}).status == 401


# People


def test_the_status_page_keeps_incidents_and_the_states_of_components(site: Site) -> None:
    told = {"name": "Rollback", "status": "investigating", "body": "x", "metadata": {"radar": {"event": "e1"}}}
    body = {"incident": {**told, "components": {"cmp_api": "partial_outage"}, "deliver_notifications": False}}
    made = site.statuspage("/incidents", "POST", body).json()
    assert made["components"][0]["status"] == "partial_outage" and made["metadata"]["radar"]["event"] == "e1"
    assert [one["id"] for one in site.statuspage("/incidents/unresolved").json()] == [made["id"]]
    ended = site.statuspage(
        f"/incidents/{made['id']}", "PATCH", {"incident": {"status": "resolved", "body": "y"}}
    ).json()
    assert ended["resolved_at"] and ended["incident_updates"][0]["body"] == "y"
    states = {one["id"]: one["status"] for one in site.statuspage("/components").json()}
    assert states["cmp_api"] == "partial_outage", "an incident that ends does not put its components right"
    right = {"component": {"status": "operational"}}
    assert site.statuspage("/components/cmp_api", "PATCH", right).json()["status"] == "operational"
    assert site.statuspage("/incidents", "POST", {"incident": {}}).status == 422
    assert site.statuspage("/components/cmp_api", "PATCH", {"component": {"status": "purple"}}).status == 422
    assert site.statuspage("/incidents/inc_none").status == 404


def test_maintenance_is_scheduled_and_goes_on(site: Site) -> None:
    body = {"incident": {"name": "Work", "status": "scheduled", "scheduled_for": "2026-11-21T02:00:00Z",
                         "component_ids": ["cmp_website"]}}  # fmt: skip
    made = site.statuspage("/incidents", "POST", body).json()
    assert (made["status"], made["impact"], made["scheduled_for"]) == (
        "scheduled",
        "maintenance",
        "2026-11-21T02:00:00Z",
    )
    site.statuspage(f"/incidents/{made['id']}", "PATCH", {"incident": {"status": "in_progress"}})
    assert [one["id"] for one in site.statuspage("/incidents/active_maintenance").json()] == [made["id"]]
    assert site.statuspage("/incidents/upcoming").json() == []


def test_pagerduty_takes_events_and_refuses_half_ones(site: Site) -> None:
    url = site.settings["pagerduty"]["api"] + "/v2/enqueue"
    key = site.secrets["PAGERDUTY_ROUTING_KEY"]
    whole: dict[str, object] = {"routing_key": key, "event_action": "trigger", "dedup_key": "a",
                                "payload": {"summary": "s", "source": "d", "severity": "critical"}}  # fmt: skip
    assert posted(url, whole) == 202
    halves: list[dict[str, object]] = [{"routing_key": "x"}, {"payload": {}}]
    assert [posted(url, {**whole, **half}) for half in halves] == [400, 400]
    assert posted(url, {"routing_key": key, "event_action": "resolve"}) == 400


def test_a_webhook_wants_its_token_and_a_heartbeat_is_kept(site: Site) -> None:
    url, token = site.secrets["WEBHOOK_URL"], site.secrets["WEBHOOK_TOKEN"]
    assert get(url, 5.0, {"authorization": f"Bearer {token}"}, "POST", {"event": "x"}).status == 200
    assert get(url, 5.0, {}, "POST", {"event": "y"}).status == 401
    assert site.received("webhook desk") == [{"event": "x"}]
    assert get(site.secrets["HEARTBEAT_URL"], 5.0, {}).status == 200 and site.received("heartbeat")
