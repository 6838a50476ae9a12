"""What is seen from outside of the faults that actions meet: at Vercel, GitHub, Slack and the status page."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from tests.demo.site import Site, get

Check = Callable[[Site], bool]
JOB_S = 1.3
"""Longer than a job of the stand-in takes."""
KNOWN_STATES = {"pending", "in-progress", "succeeded", "failed", "skipped"}


def last_job(site: Site) -> str:
    """How the last job at Vercel stands."""
    return str((site.project()["lastAliasRequest"] or {}).get("jobStatus", ""))


def after_a_promotion(site: Site) -> str:
    """How a promotion of what is live already stands, when one would be done."""
    site.move("promote", site.production()["id"])
    time.sleep(JOB_S)
    return last_job(site)


def job_fails(site: Site) -> bool:
    """The job fails, and two domains have not moved."""
    failed = after_a_promotion(site) == "failed"
    project = site.settings["vercel"]["project"]
    told = site.vercel(f"/v9/projects/{project}/promote/aliases?failedOnly=true&limit=20").json()["aliases"]
    return failed and len(told) == 2 and all(one["status"] == "failed" for one in told)


def conflict(site: Site) -> bool:
    """Somebody else's job is in progress and ours is refused."""
    return last_job(site) == "in-progress" and site.move("promote", site.production()["id"]).status == 409


def rate_limited(site: Site) -> bool:
    """A change is refused with the seconds to wait; reads go on."""
    answer = site.move("rollback", "dpl_none")
    limited = answer.status == 429 and answer.headers["retry-after"] == "42" and answer.json()["error"]["limit"]
    return bool(limited) and site.vercel("/v2/user").status == 200


def lost_answer(site: Site) -> bool:
    """No answer comes, and it is done all the same."""
    answer = site.move("promote", site.production()["id"], timeout_s=1.0)
    time.sleep(JOB_S)
    return answer.status == 0 and last_job(site) == "succeeded"


def unknown_state(site: Site) -> bool:
    """The last job and the newest deployment are in states that nobody knows."""
    if not last_job(site):
        after_a_promotion(site)
    newest = site.vercel("/v7/deployments?limit=1").json()["deployments"][0]
    return last_job(site) not in KNOWN_STATES and newest["readyState"] == "AWAITING-CHECKS"


def token_revoked(site: Site) -> bool:
    """403 to the token that was good."""
    answer = site.vercel("/v2/user")
    return answer.status == 403 and answer.json()["error"]["invalidToken"] is True


def gateway_page(site: Site) -> bool:
    """HTML where JSON was expected."""
    answer = site.vercel("/v2/user")
    return answer.status == 502 and answer.body.startswith(b"<html>")


def rolling(site: Site) -> bool:
    """It is active, and a promotion is queued behind it."""
    project = site.settings["vercel"]["project"]
    release = site.vercel(f"/v1/projects/{project}/rolling-release").json()["rollingRelease"]
    if release is None or release["state"] != "ACTIVE" or site.project()["rollingRelease"] is None:
        return False
    return site.move("promote", site.production()["id"]).status == 202


def run_active(site: Site) -> bool:
    """A run on main is at its build, its deployment still to come."""
    runs = [run for run in site.runs("?branch=main&status=in_progress")]
    if len(runs) != 1:
        return False
    jobs = {job["name"]: job["status"] for job in site.ci(runs[0]["id"], "/jobs").json()["jobs"]}
    return (jobs["build"], jobs["deploy-production"]) == ("in_progress", "queued")


def posted(url: str, body: dict[str, object], token: str = "", timeout_s: float = 5.0) -> int:
    """The status of a JSON object posted; 0: no answer."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return 0


def seen_late(site: Site) -> bool:
    """The application still reads the old value some seconds after the API has taken the new one."""
    store = site.settings["maintenance"]["edge_config"]
    value = str(time.monotonic_ns())
    body = {"items": [{"operation": "upsert", "key": "probe", "value": value}]}
    assert site.vercel(f"/v1/edge-config/{store}/items", "PATCH", body).json() == {"status": "ok"}
    return read_flag(site, "probe") != value


def read_flag(site: Site, key: str) -> object:
    """What the application reads of an item; None: nothing."""
    answer = get(site.flag_address(key), 5.0, {})
    return answer.json() if answer.status == 200 else None


def slack_down(site: Site) -> bool:
    """500 where `ok` was."""
    return posted(site.secrets["SLACK_WEBHOOK_URL"], {"text": "probe"}) == 500


def sink(site: Site, name: str, body: dict[str, object]) -> int:
    """The status that a place of notifications answers with; 0: none came."""
    urls = {"slack": site.secrets["SLACK_WEBHOOK_URL"], "webhook": site.secrets["WEBHOOK_URL"],
            "pagerduty": site.settings["pagerduty"]["api"] + "/v2/enqueue"}  # fmt: skip
    return posted(urls[name], body, site.secrets["WEBHOOK_TOKEN"], timeout_s=1.0)


def events(site: Site) -> int:
    """What PagerDuty's stand-in answers to an event that ends nothing."""
    key = site.secrets["PAGERDUTY_ROUTING_KEY"]
    return sink(site, "pagerduty", {"routing_key": key, "event_action": "resolve", "dedup_key": "probe"})


def written_flag(site: Site) -> tuple[int, object]:
    """The status of a write of the Edge Config, and what the application reads then."""
    store = site.settings["maintenance"]["edge_config"]
    value = str(time.monotonic_ns())
    body = {"items": [{"operation": "upsert", "key": "probe", "value": value}]}
    answer = site.vercel(f"/v1/edge-config/{store}/items", "PATCH", body, timeout_s=1.0)
    return answer.status, read_flag(site, "probe") == value


def newest_run(site: Site) -> dict[str, object]:
    """As GitHub tells it."""
    return site.runs("?per_page=1")[0]


def rerun_lost(site: Site) -> bool:
    """No answer comes; without the fault a run that cannot be cancelled says so."""
    return site.ci(int(str(newest_run(site)["id"])), "/cancel", "POST").status == 0


def queued(site: Site) -> bool:
    """Every job of the newest run waits."""
    jobs = site.ci(int(str(newest_run(site)["id"])), "/jobs").json()["jobs"]
    return {job["status"] for job in jobs} == {"queued"}


def github_limited(site: Site) -> bool:
    """403 with nothing left."""
    repository = site.settings["github"]["repository"]
    answer = site.github(f"/repos/{repository}/actions/runs")
    return answer.status == 403 and answer.headers["x-ratelimit-remaining"] == "0"


def truncated(site: Site) -> bool:
    """JSON that is none."""
    body = site.github(f"/repos/{site.settings['github']['repository']}/actions/runs").body
    try:
        json.loads(body)
    except ValueError:
        return body.startswith(b"{")
    return False


def moved(site: Site) -> int:
    """What a rollback to nothing is answered with: 404 without a fault."""
    return site.move("rollback", "dpl_none").status


ON_ACTIONS: dict[str, Check] = {
    "slack-lost-answer": lambda site: sink(site, "slack", {"text": "probe"}) == 0,
    "slack-rate-limited": lambda site: sink(site, "slack", {"text": "probe"}) == 429,
    "pagerduty-rate-limited": lambda site: events(site) == 429,
    "pagerduty-lost-answer": lambda site: events(site) == 0,
    "webhook-down": lambda site: sink(site, "webhook", {"a": 1}) == 500,
    "webhook-login-page": lambda site: get(site.secrets["WEBHOOK_URL"], 1.0, {}, "POST", {}).body.startswith(b"<html>"),
    "heartbeat-down": lambda site: get(site.secrets["HEARTBEAT_URL"], 1.0, {}).status == 0,
    "statuspage-rate-limited": lambda site: site.statuspage("/components").status in (420, 429),
    "edge-config-lost-answer": lambda site: written_flag(site)[0] == 0,
    "edge-config-second-writer": lambda site: written_flag(site) == (200, False),
    "vercel-payment-required": lambda site: moved(site) == 402,
    "vercel-gone": lambda site: moved(site) == 410,
    "vercel-not-eligible": lambda site: moved(site) == 422,
    "github-queued": queued,
    "github-conflict": lambda site: site.ci(1, "/cancel", "POST").status == 409,
    "github-rate-limited": github_limited,
    "github-lost-answer": rerun_lost,
    "github-unknown-state": lambda site: newest_run(site)["status"] == "hibernating",
    "github-token-revoked": lambda site: site.github("/user").status == 401,
    "github-html": lambda site: site.github("/user").body.startswith(b"<html>"),
    "github-truncated": truncated,
    "vercel-queued": lambda site: after_a_promotion(site) == "pending",
    "vercel-job-fails": job_fails,
    "vercel-conflict": conflict,
    "vercel-rate-limited": rate_limited,
    "vercel-lost-answer": lost_answer,
    "vercel-unknown-state": unknown_state,
    "vercel-token-revoked": token_revoked,
    "vercel-html": gateway_page,
    "rolling-release": rolling,
    "ci-run-active": run_active,
    "slack-down": slack_down,
    "statuspage-down": lambda site: site.statuspage("/components").status == 500,
    "edge-config-slow": seen_late,
}
