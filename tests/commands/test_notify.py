"""`radar notify` and what doctor says of the channels: a real collector, a real listener."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from console.store import outbox
from console.store.identity import identity
from console.store.records import Records
from tests.commands.conftest import Collector, Done, Radar, Site

KEY = "0123456789abcdef0123456789abcdef"
COMPONENTS = [{"id": "cmp_web", "name": "Website"}]


class Channels(BaseHTTPRequestHandler):
    """Slack, PagerDuty and a status page. `status`: what Slack answers."""

    status: int
    taken: list[tuple[str, Any]]

    def do_GET(self) -> None:
        allowed = self.headers.get("authorization") == "OAuth page-key"
        self._answer(*((200, json.dumps(COMPONENTS).encode()) if allowed else (401, b'{"error": "no such key"}')))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.taken.append((self.path, json.loads(body)))
        if self.path.startswith("/v2"):
            self._answer(202, b'{"status": "success"}')
        else:
            self._answer(self.status, b"ok" if self.status == 200 else b"no_service")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def channels(site: Site) -> Iterator[Any]:
    """A listener, and the site's configuration with channels at it."""
    handler = type("Handler", (Channels,), {"status": 200, "taken": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    handler.base = base  # type: ignore[attr-defined]
    configure(
        site, f'slack = {{webhook = "{base}/services/hook"}}', f'pagerduty = {{routing_key = "{KEY}", api = "{base}"}}'
    )
    yield handler
    server.shutdown()
    server.server_close()


def configure(site: Site, *lines: str) -> None:
    """Add lines to the environment."""
    account = f'notify = {{test_weekly = false}}\naccess = {{admins = ["{identity().name}"]}}'
    site.file.write_text("\n".join([site.file.read_text(), account, *lines, ""]))


@contextmanager
def collecting(site: Site) -> Iterator[None]:
    """A real collector that holds the lease."""
    process = site.start("collect")
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def until(tried: Callable[[], Done], well: Callable[[Done], bool]) -> Done:
    """Try a command until it ends as wanted."""
    for _ in range(300):
        done = tried()
        if well(done):
            return done
        threading.Event().wait(0.1)
    raise AssertionError(f"{done}")


def alive(radar: Radar) -> None:
    """Until somebody collects."""
    until(lambda: radar("alerts", "--json"), lambda done: bool(done.out) and done.document["collecting"])


def test_a_test_goes_through_the_collector_to_every_channel(site: Site, radar: Radar, channels: Any) -> None:
    with collecting(site):
        alive(radar)
        done = radar("notify", "test", "--json")
        assert done.status == 0, done
        assert [(row["channel"], row["state"]) for row in done.document["deliveries"]] == [
            ("slack", "sent"),
            ("pagerduty", "sent"),
        ]
        assert [path for path, _ in channels.taken] == ["/services/hook", "/v2/enqueue"]
        assert channels.taken[1][1]["event_action"] == "resolve", "nobody is woken"
        channels.status = 404
        done = radar("notify", "test", "--channel", "slack")
        assert done.status == 2 and "no_service" in done.out
    listed = radar("notify", "--json")
    assert listed.status == 2
    states = {each["name"]: each["state"] for each in listed.document["channels"]}
    assert states == {"slack": "failing", "pagerduty": "sent"}
    shown = radar("notify")
    assert "slack" in shown.out and "revoked" in shown.out and "alerts from high up" in shown.out
    assert "services/hook" not in shown.out + listed.out and KEY not in shown.out + listed.out


def test_where_nobody_collects_a_test_is_refused(radar: Radar, channels: Any) -> None:
    done = radar("notify", "test")
    assert done.status == 2 and "nobody collects" in done.err and not channels.taken


def test_a_viewer_is_refused(site: Site, radar: Radar, channels: Any, collector: Collector) -> None:
    collector.round()
    site.file.write_text(site.file.read_text().replace(f'admins = ["{identity().name}"]', 'admins = ["somebody-else"]'))
    done = radar("notify", "test")
    assert done.status == 2 and "you may not do this" in done.err
    assert not channels.taken


def test_with_nothing_configured_the_line_to_add_is_told(radar: Radar) -> None:
    done = radar("notify")
    assert done.status == 1 and "[environments.production.slack]" in done.out
    assert radar("notify", "test").status == 2
    assert radar("notify", "--channel", "slack").status == 3


@pytest.mark.parametrize("last", ["0", "-3", "many"])
def test_a_number_of_messages_that_is_none_is_refused(radar: Radar, channels: Any, last: str) -> None:
    assert radar("notify", "--last", last).status == 3
    assert radar("notify", "--last", "1").status == 1, "the counter-test"


def test_how_often_the_switch_is_told_is_what_is_configured(site: Site, radar: Radar, channels: Any) -> None:
    told = f'notify = {{heartbeat = "{channels.base}/beat", heartbeat_s = 10, '
    site.file.write_text(site.file.read_text().replace("notify = {", told))
    assert "dead-man's switch: told every 10 s while rounds are judged and stored" in radar("notify").out


def test_an_unknown_outcome_is_told_as_unknown(site: Site, radar: Radar, channels: Any) -> None:
    with closing(Records.open(site.settings.records_path)) as records:
        outbox.add(records, "e", "slack", "title", {"kind": "notice", "text": ""}, at_ms=1)
        outbox.claim(records, 2, "slack")
        outbox.recover(records, 3)
    done = radar("notify", "--json")
    assert done.status == 1
    assert done.document["channels"][0]["state"] == "unknown" and done.document["deliveries"][0]["attempts"] == 1


# --- doctor -----------------------------------------------------------------------------------------------------------


def found(done: Done) -> dict[str, str]:
    return {each["name"]: each["result"] for each in done.document["findings"] if each["group"] == "notifications"}


def test_doctor_tries_what_sends_nothing(site: Site, radar: Radar, channels: Any) -> None:
    page = f'statuspage = {{key = "page-key", page = "p", components = ["cmp_web"], api = "{channels.base}"}}'
    heartbeat = f'heartbeat = "{channels.base}/beat"'
    site.file.write_text(site.file.read_text().replace("notify = {", f"{page}\nnotify = {{{heartbeat}, "))
    done = radar("doctor", "--json")
    assert found(done) == dict.fromkeys(("slack", "pagerduty", "statuspage", "heartbeat"), "well")
    assert not channels.taken, "nothing was sent"


@pytest.mark.parametrize(
    ("line", "name", "result", "words"),
    [
        ('slack = {webhook = "https://elsewhere.example.com/x"}', "slack", "warning", "no address of Slack's"),
        ('pagerduty = {routing_key = "short"}', "pagerduty", "failed", "32 letters and digits"),
        ('statuspage = {key = "wrong", page = "p", api = "BASE"}', "statuspage", "failed", "no such key"),
        (
            'statuspage = {key = "page-key", page = "p", components = ["cmp_x"], api = "BASE"}',
            "statuspage",
            "failed",
            "no component cmp_x",
        ),
        (
            'statuspage = {key = "page-key", page = "p", alerts = ["high", "memroy"], api = "BASE"}',
            "statuspage",
            "failed",
            "neither a severity nor a rule: memroy",
        ),
    ],
)
def test_doctor_says_what_cannot_work(
    site: Site, radar: Radar, channels: Any, line: str, name: str, result: str, words: str
) -> None:
    kept = [each for each in site.file.read_text().splitlines() if not each.startswith(("slack", "pagerduty"))]
    site.file.write_text("\n".join([*kept, line.replace("BASE", channels.base), ""]))
    done = radar("doctor", "--json")
    assert found(done) == {name: result}
    assert words in done.out
