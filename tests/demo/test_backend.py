"""The reference backend is what SYSTEM.md says of the application: its promises and its traps."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse

from console.demo.backend.guard import RATE_LIMIT, Guard
from console.demo.backend.logfile import LogFile
from console.demo.backend.metrics import LONGEST_FLAP, MemoryCheck, Metrics
from console.demo.backend.state import State
from console.demo.faults import set_fault
from console.demo.stack import DemoStack
from tests.demo.site import Site, until

HEALTH = "/api/v1/system/health"


# One demo for the module is started once (8 s), not once in each process.
pytestmark = pytest.mark.xdist_group("backend")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One healthy demo."""
    with DemoStack(tmp_path_factory.mktemp("demo") / "place") as stack:
        yield Site(stack.directory / "radar.toml")


class Browser:
    """A session: cookies and a CSRF token."""

    def __init__(self, site: Site) -> None:
        self.parts = urlsplit(site.settings["url"])
        answer = site.app("/api/v1/auth/csrf")
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        self.token = answer.json()["csrfToken"]

    def post(self, path: str, body: object, **headers: str) -> int:
        """The status of a writing request."""
        connection = http.client.HTTPConnection(str(self.parts.hostname), self.parts.port, timeout=5)
        sent = {"cookie": self.cookie, "content-type": "application/json", **headers}
        try:
            connection.request("POST", path, json.dumps(body), sent)
            return connection.getresponse().status
        finally:
            connection.close()


def test_the_health_answer_has_the_applications_shape(site: Site) -> None:
    answer = site.app(HEALTH)
    body = answer.json()
    assert answer.status == 200
    assert set(body) == {"status", "timestamp", "version", "environment", "checks", "responseTime"}
    assert (body["status"], body["environment"], body["checks"]["database"]) == (
        "healthy", "production", {"status": "pass"},
    )  # fmt: skip
    assert body["responseTime"].endswith("ms") and body["timestamp"].endswith("Z")


def test_paths_that_the_document_promises_and_the_code_lacks_are_html_404s(site: Site) -> None:
    for path in ("/api/health", "/api/docs", "/nothing"):
        answer = site.app(path)
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (404, "text/html")


def test_each_probe_costs_the_database_one_query(site: Site) -> None:
    query = "SELECT calls FROM extensions.pg_stat_statements WHERE query LIKE 'SELECT status FROM public.system_health'"
    site.app(HEALTH)
    before = site.sql(query)
    for _ in range(10):
        site.app(HEALTH)
    assert site.sql(query) == before + 10


def test_ping_does_not_touch_the_database(site: Site) -> None:
    set_fault(site.directory, "db-hang", True)
    try:
        assert site.app("/api/v1/system/ping").json()["status"] == "ok"
        assert site.app(HEALTH, 1.0).status == 0
    finally:
        set_fault(site.directory, "db-hang", False)


def test_security_headers_are_on_every_answer(site: Site) -> None:
    for path in ("/", HEALTH, "/api/v1/audits", "/nothing"):
        headers = site.app(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
        assert {"strict-transport-security", "referrer-policy", "permissions-policy"} <= set(headers)


def test_writing_needs_a_csrf_token(site: Site) -> None:
    browser, review = Browser(site), {"client": 7, "rating": 4, "text": "fine"}
    assert browser.post("/api/v1/reviews", review) == 403
    assert browser.post("/api/v1/reviews", review, **{"x-csrf-token": "0" * 64}) == 403
    assert browser.post("/api/v1/reviews", review, **{"x-csrf-token": browser.token}) == 201
    assert browser.post("/api/v1/reviews", review, **{"x-csrf-token": browser.token, "cookie": "session=other"}) == 403


@pytest.mark.parametrize(
    "body",
    [[], {}, {"client": "7", "rating": 4, "text": "x"}, {"client": 7, "rating": 9, "text": "x"},
     {"client": True, "rating": 4, "text": "x"}, {"client": 7, "rating": 4, "text": 5}, "'; DROP TABLE reviews; --"],
)  # fmt: skip
def test_input_is_validated(site: Site, body: object) -> None:
    browser = Browser(site)
    assert browser.post("/api/v1/reviews", body, **{"x-csrf-token": browser.token}) == 400


def test_written_data_are_really_there(site: Site) -> None:
    browser = Browser(site)
    before = site.figure("business_audits_total")
    assert browser.post("/api/v1/audits", {"client": 5, "score": 77}, **{"x-csrf-token": browser.token}) == 201
    assert any(audit["score"] == 77 for audit in site.app("/api/v1/audits").json())
    assert site.figure("business_audits_total") > before


async def test_one_address_is_limited_and_others_are_not(tmp_path: Path) -> None:
    inner = PlainTextResponse("fine")
    guard = Guard(inner, State(), Metrics(), LogFile(tmp_path / "log"), frozenset())

    async def status_for(address: bytes) -> int:
        scope = {
            "type": "http",
            "path": "/",
            "method": "GET",
            "headers": [(b"x-forwarded-for", address)],
            "client": None,
        }
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await guard(scope, _nothing_more, keep)
        return int(sent[0]["status"])

    statuses = Counter(await asyncio.gather(*(status_for(b"192.0.2.7") for _ in range(RATE_LIMIT + 5))))
    assert statuses == {200: RATE_LIMIT, 429: 5}
    assert await status_for(b"192.0.2.8") == 200


async def _nothing_more() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_the_cache_is_counted(site: Site) -> None:
    hits = site.figure("cache_hits_total")
    for _ in range(5):
        site.app("/api/v1/clients")
    assert site.figure("cache_hits_total") >= hits + 4


def test_metrics_tell_requests_and_response_times(site: Site) -> None:
    before = site.figure("http_requests_total"), site.figure("http_request_duration_seconds_count")
    site.app("/pricing")
    after = site.figure("http_requests_total"), site.figure("http_request_duration_seconds_count")
    assert after[0] > before[0] and after[1] > before[1]
    assert 0 < site.figure("process_resident_memory_bytes") < site.figure("process_memory_limit_bytes")


def test_the_load_moves_and_writes_business_data(site: Site) -> None:
    requests = site.figure("http_requests_total")
    until(lambda: site.figure("http_requests_total") > requests + 10)
    until(lambda: site.figure("business_reviews_total") > 2, within_s=40)


def test_debug_pages_are_public_and_hold_no_secret(site: Site) -> None:
    for path in ("/debug-env", "/api/v1/system/debug", "/api/v1/maintenance/cleanup"):
        answer = site.app(path)
        assert answer.status == 200
        assert not any(secret.encode() in answer.body for secret in site.secrets.values() if secret)


def test_the_log_is_structured_and_tells_errors(site: Site) -> None:
    set_fault(site.directory, "backend-errors", True)
    until(lambda: site.app("/pricing").status == 500)
    set_fault(site.directory, "backend-errors", False)
    lines = (site.directory / "logs" / "application.log").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert all({"time", "level", "msg"} <= set(entry) for entry in entries)
    assert any(entry["level"] == "error" and "ECONNRESET" in entry["msg"] for entry in entries)
    assert any(entry.get("path") == "/pricing" and entry.get("status") == 500 for entry in entries)


def test_the_memory_check_flaps_and_never_stays() -> None:
    check = MemoryCheck()
    failed = [check.check(flapping=True)["status"] == "fail" for _ in range(5_000)]
    longest = max(len(run) for run in "".join("x" if fails else "." for fails in failed).split("."))
    assert longest == LONGEST_FLAP
    assert 0.8 < sum(failed) / len(failed) < 0.93
    calm = [check.check(flapping=False)["status"] == "fail" for _ in range(5_000)]
    assert 0.66 < sum(calm) / len(calm) < 0.75


def test_the_log_turns_over_below_its_cap(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "application.log")
    for _ in range(60):
        log.raw("x" * 1_000_000 + "\n")
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) < 52_000_000
