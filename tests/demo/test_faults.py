"""Every fault really does what its name says, is seen from outside, and leaves nothing behind when switched off."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from console.demo.faults import FAULTS, DemoFault, active, set_fault
from console.demo.stack import DemoStack
from tests.demo.effects import ON_ACTIONS, Check
from tests.demo.site import Answer, Site, get, until

PAGES = ("/", "/pricing", "/api/v1/audits", "/api/v1/reviews", "/api/v1/clients")
HEALTH = "/api/v1/system/health"
PROJECT_HEALTH = "/v1/projects/radardemoprojectrefx/health?services=rest&services=auth&services=db"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One demo for all tests of this module: each puts back what it changed, and the next one sees if not."""
    with DemoStack(tmp_path_factory.mktemp("demo") / "place") as stack:
        yield Site(stack.directory / "radar.toml")


def database_check(site: Site) -> str:
    """What the health answer says of the database; empty when there is no such answer."""
    answer = site.app(HEALTH)
    return str(answer.json()["checks"]["database"]["status"]) if answer.status == 200 else ""


def troubles(site: Site) -> list[str]:
    """What does not answer as it does without a fault."""
    found = [f"{path}: {answer.status} {answer.error}" for path in PAGES if (answer := site.app(path)).status != 200]
    found += [] if database_check(site) == "pass" else [f"health: {site.app(HEALTH)}"]
    gateway = site.gateway("/rest/v1/clients")
    return found + ([] if gateway.status == 200 else [f"gateway: {gateway}"])


def well(site: Site) -> bool:
    """Everything answers as it does without a fault."""
    return not troubles(site)


def until_well(site: Site) -> None:
    """Wait for it; say what is not well."""
    deadline = time.monotonic() + 15
    while found := troubles(site):
        assert time.monotonic() < deadline, "; ".join(found)


def refused(answer: Answer) -> bool:
    """Whether the connection was refused."""
    return "ConnectionRefusedError" in answer.error


def days_left(site: Site) -> float:
    """Of the certificate served, verified against the demo's own authority."""
    host, _, port = site.settings["certificates"][0].partition(":")
    context = ssl.create_default_context(cafile=site.settings["certificate_ca"])
    with socket.create_connection((host, int(port)), 5) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
        certificate = tls.getpeercert()
    assert certificate is not None
    return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86_400


def failures(site: Site, path: str, tries: int = 20) -> int:
    """How many of the tries answered 500."""
    with ThreadPoolExecutor(8) as pool:
        return sum(answer.status == 500 for answer in pool.map(site.app, [path] * tries))


def slow(site: Site, path: str, least_s: float) -> bool:
    """Whether an answer takes at least that long."""
    began = time.monotonic()
    return site.app(path, 8.0).status == 200 and time.monotonic() - began >= least_s


def sql_error(site: Site, dsn: str = "DATABASE_URL") -> str:
    """Why a new SQL session cannot ask; empty when it can."""
    try:
        site.sql("SELECT 1", dsn, timeout_s=2)
    except psycopg.Error as error:
        return str(error)
    return ""


def sessions(site: Site, application: str) -> int:
    """Sessions with that application name."""
    return int(site.sql(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}'"))


def log_bytes(site: Site) -> int:
    """Of the application's log, with the turned-over part."""
    return sum(path.stat().st_size for path in (site.directory / "logs").glob("application.log*"))


def floods(site: Site) -> bool:
    """Whether the log grows by more than 100 kB in half a second."""
    before = log_bytes(site)
    time.sleep(0.5)
    return log_bytes(site) - before > 100_000


def memory_flaps_more(site: Site) -> bool:
    """Nine failures in ten instead of seven: 245 of 300 is four standard deviations away from both."""
    with ThreadPoolExecutor(16) as pool:
        bodies = pool.map(lambda _: site.app(HEALTH).json(), range(300))
    more: bool = sum(body["checks"]["memory"]["status"] == "fail" for body in bodies) > 245
    return more


def lies(site: Site) -> bool:
    """200 and `healthy` over a failing database check, while the pages work."""
    body = site.app(HEALTH).json()
    lying = body["status"] == "healthy" and body["checks"]["database"]["status"] == "fail"
    return bool(lying) and site.app(PAGES[2]).status == 200


def cached(site: Site) -> bool:
    """The same answer again, marked as the edge's."""
    first, second = site.app(HEALTH), site.app(HEALTH)
    return first.headers["x-vercel-cache"] == "HIT" and int(first.headers["age"]) > 0 and first.body == second.body


def challenged(site: Site) -> bool:
    """The console is challenged, a browser that has passed is not."""
    answer = site.app("/")
    passed = site.app("/", cookie="_vcrcs=solved").status
    return answer.status == 403 and answer.headers["x-vercel-mitigated"] == "challenge" and passed == 200


def bad_deployment(site: Site) -> bool:
    """Vercel names the culprit and the backend serves its errors."""
    live = site.production()
    named = (
        live["meta"]["githubCommitSha"].startswith("8f3c1d2") and "pricing v2" in live["meta"]["githubCommitMessage"]
    )
    return bool(named) and site.app("/pricing").status == 500 and failures(site, "/api/v1/audits") > 3


def idle_in_transaction(site: Site) -> bool:
    """A session is idle in a transaction and holds locks."""
    query = (
        "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE a.state = 'idle in transaction'"
        " AND a.application_name = 'invoice-job' AND l.mode = 'RowExclusiveLock'"
    )
    return int(site.sql(query)) > 0


def migration_lock(site: Site) -> bool:
    """The CI's ALTER TABLE waits for a reader, others wait for it, and GitHub shows the run."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND "
    altering = int(site.sql(blocked + "application_name = 'github-actions' AND query LIKE 'ALTER TABLE%'"))
    queued = int(site.sql(blocked + "application_name = 'dashboard'"))
    runs = site.github("/repos/tabletalk-demo/radar/actions/runs?status=in_progress").json()["total_count"]
    return altering == 1 and queued == 3 and runs == 1


def gateway_down(site: Site) -> bool:
    """The gateway is down for REST and auth, SQL works, the management API says which services."""
    codes = (site.gateway("/rest/v1/clients").status, site.gateway("/auth/v1/health").status)
    services = {one["name"]: one["status"] for one in site.supabase(PROJECT_HEALTH).json()}
    expected = {"rest": "UNHEALTHY", "auth": "UNHEALTHY", "db": "ACTIVE_HEALTHY"}
    return codes == (502, 502) and services == expected and not sql_error(site)


def vendor_incident(site: Site) -> bool:
    """Supabase reports it, the others do not."""
    page = site.vendor("supabase").json()
    others = site.vendor("vercel").json()["status"]["indicator"], site.vendor("github").json()["status"]["indicator"]
    return page["status"]["indicator"] == "major" and len(page["incidents"]) == 1 and others == ("none", "none")


def offline(site: Site) -> bool:
    """Nothing is reachable for the console; users are still served."""
    witnesses = [get(url, 2.0, {}) for url in site.settings["egress"]["targets"]]
    others = [site.app("/"), site.vendor("vercel"), site.gateway("/rest/v1/"), site.vercel("/v2/user")]
    unreachable = all(refused(answer) for answer in witnesses + others)
    return unreachable and all("refused" in sql_error(site, dsn) for dsn in ("DATABASE_URL", "POOLER_URL"))


def hangs(site: Site) -> bool:
    """Connecting works and no answer comes."""
    return "Timeout" in site.app(HEALTH, 1.0).error or "timed out" in site.app(HEALTH, 1.0).error


def database_down(site: Site) -> bool:
    """SQL is refused; the health answer says 200 and `healthy` all the same."""
    body = site.app(HEALTH).json()
    lying = body["status"] == "healthy" and body["checks"]["database"]["status"] == "fail"
    return "refused" in sql_error(site) and lying and site.gateway("/rest/v1/clients").status == 503


def database_hangs(site: Site) -> bool:
    """SQL does not answer, nor does the health route, nor the gateway's REST; ping and auth do."""
    hung = "Timeout" in site.app(HEALTH, 1.5).error
    alive = site.app("/api/v1/system/ping").status == 200 and site.gateway("/auth/v1/health").status == 200
    return hung and alive and "timeout" in sql_error(site)


def exhausted(site: Site) -> bool:
    """A new session is refused for want of a slot."""
    return "remaining connection slots are reserved" in sql_error(site) or "too many clients" in sql_error(site)


EFFECTS: dict[str, Check] = {
    **ON_ACTIONS,
    "backend-down": lambda site: refused(site.app(HEALTH)),
    "backend-hang": hangs,
    "backend-slow": lambda site: slow(site, "/", 2.0) and slow(site, HEALTH, 2.0),
    "backend-errors": lambda site: all(failures(site, path) > 3 for path in PAGES) and site.app(HEALTH).status == 200,
    "lying-health": lies,
    "memory-flap": memory_flaps_more,
    "health-cached": cached,
    "firewall-challenge": challenged,
    "bad-deploy": bad_deployment,
    "db-down": database_down,
    "db-hang": database_hangs,
    "connections-exhausted": exhausted,
    "idle-in-transaction": idle_in_transaction,
    "ci-migration-lock": migration_lock,
    "slow-queries": lambda site: slow(site, "/api/v1/audits", 0.5) and slow(site, "/api/v1/reviews", 0.5),
    "gateway-down-sql-up": gateway_down,
    "vendor-incident": vendor_incident,
    "bastion-offline": offline,
    "certificate-expiring": lambda site: 1.9 < days_left(site) < 2.1,
    "log-flood": floods,
}


def test_every_fault_has_a_test() -> None:
    assert set(EFFECTS) == set(FAULTS)


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_is_real_and_is_undone(site: Site, name: str) -> None:
    effect = EFFECTS[name]
    until_well(site)
    until(lambda: not effect(site), what=f"{name} is not seen without the fault, else the check proves nothing")
    set_fault(site.directory, name, True)
    assert active(site.directory) == (name,)
    until(lambda: effect(site), what=f"{name} is seen")
    set_fault(site.directory, name, False)
    assert active(site.directory) == ()
    until_well(site)
    until(lambda: not effect(site), what=f"{name} is gone")


def test_a_fault_switched_on_twice_is_one(site: Site) -> None:
    set_fault(site.directory, "backend-errors", True)
    set_fault(site.directory, "backend-errors", True)
    set_fault(site.directory, "backend-errors", False)
    assert failures(site, "/") == 0


def test_an_unknown_fault_is_refused_with_the_names_there_are(site: Site) -> None:
    with pytest.raises(DemoFault, match="no fault is named db-gone; there are: backend-down"):
        set_fault(site.directory, "db-gone", True)


def test_without_a_demo_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DemoFault, match=r"no demo answers in .*: start one with `radar demo`"):
        set_fault(tmp_path, "db-down", True)


def test_faults_that_exclude_each_other_say_so(site: Site) -> None:
    set_fault(site.directory, "db-down", True)
    try:
        with pytest.raises(DemoFault, match="switch db-down off first"):
            set_fault(site.directory, "db-hang", True)
        with pytest.raises(DemoFault, match="needs a database that answers"):
            set_fault(site.directory, "idle-in-transaction", True)
    finally:
        set_fault(site.directory, "db-down", False)
    until_well(site)


def test_a_backend_started_again_still_has_the_faults_that_are_on(site: Site) -> None:
    set_fault(site.directory, "backend-errors", True)
    set_fault(site.directory, "backend-down", True)
    set_fault(site.directory, "backend-down", False)
    assert failures(site, "/") > 3
    set_fault(site.directory, "backend-errors", False)
    assert failures(site, "/") == 0


def test_a_rollback_really_puts_the_old_version_back(site: Site) -> None:
    before = site.production()
    version = site.app(HEALTH).json()["version"]
    set_fault(site.directory, "bad-deploy", True)
    assert site.app(HEALTH).json()["version"] != version
    project = site.settings["vercel"]["project"]
    assert site.vercel(f"/v1/projects/{project}/rollback/{before['id']}?description=audits+500s", "POST").status == 201
    assert site.vercel(f"/v1/projects/{project}/rollback/{before['id']}", "POST").status == 409
    until(lambda: site.app(HEALTH).json()["version"] == version)
    until(lambda: site.vercel(f"/v9/projects/{project}").json()["lastAliasRequest"]["jobStatus"] == "succeeded")
    assert site.app("/pricing").status == 200
    assert site.vercel(f"/v9/projects/{project}").json()["autoAssignCustomDomains"] is False
    set_fault(site.directory, "bad-deploy", False)
    assert site.production()["id"] == before["id"]
    assert site.vercel(f"/v10/projects/{project}/promote/{before['id']}", "POST").status == 201
    until(lambda: site.vercel(f"/v9/projects/{project}").json()["autoAssignCustomDomains"] is True)
