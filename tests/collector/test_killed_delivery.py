"""A collector killed while its messages are under way: real processes, a real SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from console.collector.child import Child, spawn_child
from console.model.configuration import Settings
from console.settings import load
from console.store import outbox
from console.store.records import Records
from tests.collector.test_processes import log_of, until

pytestmark = pytest.mark.xdist_group("collector-processes")
VARIABLES = {
    "SLACK": "/services/T000/B000/verysecrettoken0123456789",
    "KEY": "0123456789abcdef0123456789abcdef",
}


class Everything(BaseHTTPRequestHandler):
    """An application that is down, and channels that take a message and answer nothing while `hangs` is set."""

    hangs: threading.Event
    taken: list[tuple[str, Any]]

    def do_GET(self) -> None:
        self._answer(503, b'{"status": "unhealthy", "checks": {"queue": {"status": "fail"}}}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.taken.append((self.path, json.loads(body)))
        if self.hangs.is_set():
            threading.Event().wait(60)
        page = b'{"status": "success", "message": "Event processed"}'
        self._answer(*((202, page) if self.path.startswith("/v2") else (200, b"ok")))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@pytest.fixture
def server() -> Iterator[type[Everything]]:
    handler = type("Handler", (Everything,), {"hangs": threading.Event(), "taken": []})
    listener = Server(("127.0.0.1", 0), handler)
    handler.port = listener.server_port  # type: ignore[attr-defined]
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield handler
    listener.shutdown()
    listener.server_close()


@pytest.fixture
def settings(tmp_path: Path, server: Any) -> Settings:
    base = f"http://127.0.0.1:{server.port}"
    file = tmp_path / "radar.toml"
    file.write_text(
        f'state_directory = "{tmp_path}"\n[environments.test]\nurl = "{base}"\negress = false\n'
        f'slack = {{webhook = "{base}${{SLACK}}"}}\npagerduty = {{routing_key = "${{KEY}}", api = "{base}"}}\n'
        "notify = {test_weekly = false, group_s = 1}\n[environments.test.intervals]\napplication_s = 1\n"
    )
    return load(file, None, VARIABLES)


def spawn(settings: Settings) -> Child:
    return spawn_child(settings, {**os.environ, **VARIABLES})


def states(settings: Settings) -> dict[str, tuple[str, int]]:
    """The deliveries of application-down: state and attempts, by channel."""
    with closing(Records(settings.records_path)) as records:
        rows = records.read(lambda connection: outbox.deliveries(connection, 1 << 60))
    return {row.channel: (row.state, row.attempts) for row in rows if row.title.startswith("application-down")}


def told(server: Any, path: str) -> list[Any]:
    return [body for taken, body in server.taken if taken.startswith(path) and "application-down" in json.dumps(body)]


def test_killed_in_the_middle_pagerduty_is_told_again_under_the_same_key_and_slack_never(
    settings: Settings, server: Any
) -> None:
    server.hangs.set()
    first = spawn(settings)
    try:
        until(lambda: bool(told(server, "/v2")) and bool(told(server, "/services")), "both to be under way", 60)
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: first.poll() is not None, "its end")
        assert states(settings) == {"slack": ("sending", 1), "pagerduty": ("sending", 1)}
        server.hangs.clear()
        second = spawn(settings)
        try:
            until(lambda: states(settings).get("pagerduty") == ("sent", 2), "PagerDuty to be told again", 60)
            assert states(settings)["slack"] == ("unknown", 1)
        finally:
            second.stop()
    finally:
        first.stop()
    pages, messages = told(server, "/v2"), told(server, "/services")
    assert len(messages) == 1, "Slack may have it, so it is not told twice"
    assert len(pages) == 2 and pages[0]["dedup_key"] == pages[1]["dedup_key"] == "test:application-down:application"
    kept = log_of(settings).encode() + settings.records_path.read_bytes()
    assert b"under way when the collector before ended" in kept
    assert b"verysecret" not in kept and VARIABLES["KEY"].encode() not in kept
