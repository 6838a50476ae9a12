"""Real collectors as real processes: taking over, standing still, dying with the parent."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from console.collector.child import Child, spawn_child
from console.model.configuration import Settings
from console.settings import load
from console.store.clock import SystemClock
from console.store.files import connect_reader
from console.store.lease import TAKEOVER_MS, LeaseRow, read_lease
from console.store.read import StoreReader

pytestmark = pytest.mark.xdist_group("collector-processes")
BODY = {"status": "healthy", "checks": {"database": {"status": "pass"}, "memory": {"status": "pass"}}}


class Handler(BaseHTTPRequestHandler):
    """Answers everything with the health document, and counts who asks."""

    askers: dict[str, int]

    def do_GET(self) -> None:
        """One answer."""
        body = json.dumps(BODY).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def configuration(tmp_path: Path) -> Iterator[Settings]:
    """Settings of an application on loopback that is well."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "radar.toml"
    file.write_text(
        f'state_directory = "{tmp_path}"\n[environments.test]\nurl = "http://127.0.0.1:{server.server_port}"\n'
        f'metrics = "${{METRICS_PATH}}"\n[environments.test.intervals]\napplication_s = 1\n'
    )
    yield load(file, None, {"METRICS_PATH": "/metrics"})
    server.shutdown()
    server.server_close()


def lease(settings: Settings) -> LeaseRow | None:
    """The lease as stored; None while the file is being made."""
    try:
        with closing(connect_reader(settings.observed_path)) as connection:
            return read_lease(connection)
    except sqlite3.OperationalError:
        return None


def holder(settings: Settings) -> int | None:
    """The pid of a live holder."""
    row = lease(settings)
    return row.holder.pid if row and row.alive(SystemClock()) else None


def until(condition: Callable[[], bool], what: str, deadline_s: float = 30.0) -> float:
    """Wait for a condition; gives how long it took (s)."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < deadline_s, f"not within {deadline_s} s: {what}"
        threading.Event().wait(0.02)
    return time.monotonic() - began


def log_of(settings: Settings) -> str:
    """What the collectors said."""
    return (settings.state_directory / "collector.log").read_text()


def spawn(settings: Settings) -> Child:
    """A collector as the console starts it, with a variable that only the parent has."""
    settings.state_directory.mkdir(exist_ok=True)
    return spawn_child(settings, {**os.environ, "METRICS_PATH": "/metrics"})


def rows(settings: Settings) -> int:
    """Rounds stored so far."""
    with closing(connect_reader(settings.observed_path)) as connection:
        return int(connection.execute("SELECT count(*) FROM recent").fetchone()[0])


def test_a_killed_collector_is_succeeded_and_one_that_stood_still_steps_down(configuration: Settings) -> None:
    first = spawn(configuration)
    until(lambda: holder(configuration) == first.pid, "the first to hold the lease")
    until(lambda: rows(configuration) > 0, "its first round")
    second = spawn(configuration)
    try:
        os.kill(first.pid, signal.SIGSTOP)
        took_s = until(lambda: holder(configuration) == second.pid, "the second to take over")
        assert took_s >= TAKEOVER_MS / 1000 - 6
        epoch = epoch_of(configuration)
        os.kill(first.pid, signal.SIGCONT)
        until(lambda: "stepped down" in log_of(configuration), "the first to step down")
        assert holder(configuration) == second.pid and epoch_of(configuration) == epoch
        second.stop()
        took_s = until(lambda: holder(configuration) == first.pid, "the first to be back")
        assert took_s < 4, "a clean end releases the lease"
        third = spawn(configuration)
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: holder(configuration) == third.pid, "the third to take over")
        third.stop()
    finally:
        for child in (first, second):
            child.stop()


def epoch_of(settings: Settings) -> int:
    """The epoch of the lease."""
    row = lease(settings)
    assert row is not None
    return row.epoch


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly_and_releases_the_lease(configuration: Settings, number: signal.Signals) -> None:
    child = spawn(configuration)
    try:
        until(lambda: holder(configuration) == child.pid, "the lease")
        os.kill(child.pid, number)
        assert until(lambda: child.poll() is not None, "its end") < 2
        assert child.poll() == 0
        row = lease(configuration)
        assert row is not None and row.released
    finally:
        child.stop()


PARENT = """
import sys, threading
from pathlib import Path
from console.collector.child import spawn_child
from console.settings import load
variables = {"METRICS_PATH": "/metrics", "PATH": "/usr/bin:/bin"}
child = spawn_child(load(Path(sys.argv[1]), None, variables), variables)
print(child.pid, flush=True)
threading.Event().wait()
"""


def test_a_child_dies_with_its_parent_whatever_kills_that(configuration: Settings) -> None:
    configuration.state_directory.mkdir(exist_ok=True)
    command = [sys.executable, "-c", PARENT, str(configuration.file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        try:
            until(lambda: holder(configuration) == pid, "the child to hold the lease")
        finally:
            parent.kill()
    until(lambda: not is_running(pid), "the child's end", 5)
    row = lease(configuration)
    assert row is not None and row.released


def is_running(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_whose_parent_is_gone_already_ends_at_once(configuration: Settings) -> None:
    command = [sys.executable, "-m", "console.collector", "1", str(configuration.file), "test"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=20, check=False)
    assert done.returncode == 1
    assert not configuration.observed_path.exists()


def test_variables_reach_the_child_through_its_input_and_not_its_environment(configuration: Settings) -> None:
    child = spawn(configuration)
    try:
        until(lambda: holder(configuration) == child.pid, "the child to understand its settings")
        assert "METRICS_PATH" not in psutil.Process(child.pid).environ()
        assert "METRICS_PATH" not in " ".join(psutil.Process(child.pid).cmdline())
    finally:
        child.stop()


def test_unusable_settings_end_the_child_with_words(configuration: Settings) -> None:
    configuration.state_directory.mkdir(exist_ok=True)
    child = spawn_child(configuration, {"PATH": "/usr/bin:/bin"})
    until(lambda: child.poll() is not None, "its end")
    assert child.poll() == 3
    assert "METRICS_PATH is not set" in log_of(configuration)


def test_a_full_disk_is_outlived(configuration: Settings) -> None:
    """A limit on the size of files stands in for the disk: it meets the same calls."""
    child = spawn(configuration)
    reader = StoreReader(configuration.observed_path, configuration.records_path, configuration.environment, None)
    try:
        until(lambda: holder(configuration) == child.pid and rows(configuration) > 0, "the first rounds")
        process = psutil.Process(child.pid)
        process.rlimit(psutil.RLIMIT_FSIZE, (4096, psutil.RLIM_INFINITY))
        until(lambda: "full" in log_of(configuration), "the error to be told")
        before = rows(configuration)
        process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        until(lambda: rows(configuration) > before, "rounds to be stored again")
        assert child.poll() is None
        assert reader.health(None).header.collector.alive
    finally:
        child.stop()
        reader.close()
