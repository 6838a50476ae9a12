"""The stand-ins answer as the contracts say the hosted systems do, refusals included."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from console.demo.stack import DemoStack
from console.demo.world import REF
from console.model.observation import Observation, Outcome, Source
from console.model.states import State
from console.settings import load
from console.sources.registry import build
from tests.demo.site import Site, get

# One demo for the module is started once (8 s), not once in each process.
pytestmark = pytest.mark.xdist_group("standins")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One healthy demo."""
    with DemoStack(tmp_path_factory.mktemp("demo") / "place") as stack:
        yield Site(stack.directory / "radar.toml")


def test_vercel_refuses_without_or_with_a_wrong_token(site: Site) -> None:
    url = site.settings["vercel"]["api"] + "/v2/user"
    without, wrong = get(url, 5, {}), get(url, 5, {"authorization": "Bearer nonsense"})
    assert (without.status, without.json()["error"]["missingToken"]) == (401, True)
    assert (wrong.status, wrong.json()["error"]["code"], wrong.json()["error"]["invalidToken"]) == (
        403,
        "forbidden",
        True,
    )
    assert site.vercel("/v2/user").json()["user"]["username"] == "demo"


def test_vercel_tells_the_production_deployment_with_its_commit(site: Site) -> None:
    live = site.production()
    assert live["readyState"] == "READY" and live["id"].startswith("dpl_") and isinstance(live["createdAt"], int)
    assert len(live["meta"]["githubCommitSha"]) == 40 and live["meta"]["githubCommitAuthorLogin"]
    answer = site.vercel(f"/v9/projects/{site.settings['vercel']['project']}")
    assert {"x-vercel-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(answer.headers)
    assert answer.json()["autoAssignCustomDomains"] is True and answer.json()["lastAliasRequest"] is None


def test_vercel_pages_deployments_by_time(site: Site) -> None:
    seen: list[str] = []
    until = ""
    while True:
        page = site.vercel(f"/v7/deployments?limit=7{until}").json()
        seen += [one["uid"] for one in page["deployments"]]
        if page["pagination"]["next"] is None:
            break
        until = f"&until={page['pagination']['next']}"
    everything = site.vercel("/v6/deployments?limit=100").json()["deployments"]
    assert seen == [one["uid"] for one in everything]
    assert len(seen) == len(set(seen)) > 20
    targets = {one["target"] for one in everything}
    assert targets == {"production", "staging"}
    only = site.vercel("/v7/deployments?limit=100&target=staging").json()["deployments"]
    assert [one["uid"] for one in only] == [one["uid"] for one in everything if one["target"] == "staging"]


def test_vercel_gets_one_deployment_by_id_and_address_and_none_by_another(site: Site) -> None:
    live = site.production()
    assert site.vercel(f"/v13/deployments/{live['id']}").json()["aliasAssigned"] is True
    assert site.vercel(f"/v13/deployments/{live['url']}").json()["id"] == live["id"]
    assert site.vercel("/v13/deployments/dpl_none").json()["error"]["code"] == "not_found"
    assert site.vercel("/v9/projects/prj_other").status == 404
    project = site.settings["vercel"]["project"]
    assert site.vercel(f"/v1/projects/{project}/rollback/dpl_none", "POST").status == 404


def test_supabase_tells_the_project_and_its_services(site: Site) -> None:
    project = site.supabase(f"/v1/projects/{REF}")
    assert (project.json()["ref"], project.json()["status"]) == (REF, "ACTIVE_HEALTHY")
    assert int(project.headers["x-ratelimit-reset"]) <= 60, "seconds left, not an epoch"
    services = site.supabase(f"/v1/projects/{REF}/health?services=auth&services=db,rest").json()
    assert [(one["name"], one["status"]) for one in services] == [
        ("auth", "ACTIVE_HEALTHY"), ("db", "ACTIVE_HEALTHY"), ("rest", "ACTIVE_HEALTHY"),
    ]  # fmt: skip
    assert site.supabase(f"/v1/projects/{REF}/health").status == 400
    assert site.supabase("/v1/projects/otherprojectrefxxxxx").status == 404
    assert get(site.settings["supabase"]["api"] + f"/v1/projects/{REF}", 5, {}).json() == {"message": "Unauthorized"}


def test_the_gateway_wants_its_key_and_gives_rows(site: Site) -> None:
    assert site.gateway("/rest/v1/").json()["swagger"] == "2.0"
    assert len(site.gateway("/rest/v1/reviews").json()) == 20
    assert site.gateway("/auth/v1/health").json()["name"] == "GoTrue"
    assert get(site.settings["supabase"]["gateway"] + "/rest/v1/", 5, {}).status == 401
    assert site.gateway("/rest/v1/secrets").status == 404


def test_github_tells_runs_and_jobs_and_an_unchanged_list_is_a_304(site: Site) -> None:
    path = "/repos/tabletalk-demo/radar/actions/runs?per_page=3"
    runs = site.github(path)
    assert len(runs.json()["workflow_runs"]) == 3 < runs.json()["total_count"]
    newest = runs.json()["workflow_runs"][0]
    assert newest["head_sha"] == site.production()["meta"]["githubCommitSha"]
    jobs = site.github(f"/repos/tabletalk-demo/radar/actions/runs/{newest['id']}/jobs").json()["jobs"]
    assert [job["name"] for job in jobs][:2] == ["lint", "test"]
    assert site.github(path, **{"if-none-match": runs.headers["etag"]}).status == 304
    assert get(site.settings["github"]["api"] + path, 5, {}).status == 403, "GitHub refuses who gives no user agent"
    assert site.github("/repos/tabletalk-demo/other/actions/runs").status == 404


def test_status_pages_are_statuspages(site: Site) -> None:
    for name in ("vercel", "supabase", "github"):
        page = site.vendor(name).json()
        assert page["status"] == {"indicator": "none", "description": "All Systems Operational"}
        configured = next(vendor["components"] for vendor in site.settings["vendors"] if vendor["name"] == name)
        assert set(configured) <= {component["name"] for component in page["components"]}


def test_witnesses_answer_an_empty_204(site: Site) -> None:
    for url in site.settings["egress"]["targets"]:
        assert (get(url, 5, {}).status, get(url, 5, {}).body) == (204, b"")


def test_slack_takes_messages_and_refuses_nonsense(site: Site) -> None:
    url = site.secrets["SLACK_WEBHOOK_URL"]
    assert _post(url, json.dumps({"text": "hello"}).encode()) == (200, b"ok")
    assert _post(url, b"{") == (400, b"invalid_payload")
    received = get(url.partition("/services/")[0] + "/received", 5, {}).json()
    assert [one["body"]["text"] for one in received if one["to"] == "slack"] == ["hello"]


def test_prometheus_wants_its_token_and_gives_one_series(site: Site) -> None:
    url = f"{site.settings['prometheus']['url']}/api/v1/query_range?start=1000&end=1300&step=15&query="
    token = {"authorization": f"Bearer {site.secrets['PROMETHEUS_TOKEN']}"}
    assert get(url, 5, {}).status == 401
    (series,) = get(f"{url}review_import_queue_length", 5, token).json()["data"]["result"]
    assert len(series["values"]) == 21 and series["values"][-1][0] == 1300
    assert get(f"{url}absent", 5, token).json()["data"]["result"] == []
    assert get(url, 5, token).json()["errorType"] == "bad_data"
    assert get(url.replace("step=15", "step=0.01"), 5, token).status == 400


def _post(url: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


async def test_every_source_of_the_console_sees_a_healthy_demo(site: Site) -> None:
    environment = load(site.directory / "radar.toml", None, {}).environment
    sources = build(environment)
    seen = await _observe(sources)
    await asyncio.gather(*(source.close() for source in sources))
    expected = {"health", "metrics", "postgres.activity", "vercel", "supabase.gateway", "supabase.pooler", "egress"}
    assert expected <= set(seen)
    for target, observation in seen.items():
        if target != "host":  # the machine that the tests run on may be busy
            assert observation.outcome is Outcome.ANSWERED, observation
            assert observation.state is State.HEALTHY, observation


async def _observe(sources: list[Source]) -> dict[str, Observation]:
    found = await asyncio.gather(*(asyncio.wait_for(source.observe(), source.timeout_s) for source in sources))
    return {observation.target: observation for observation in found}
