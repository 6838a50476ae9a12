"""`radar collect` as a service manager runs it, and the collector that `radar watch` brings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from console.commands.keeper import collected
from tests.commands.conftest import Radar, Site


def until(condition: Callable[[], object], within_s: float = 20) -> None:
    """Wait for a condition; fails when it does not come about."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def service(site: Site, tmp_path: Path) -> socket.socket:
    """What systemd listens on."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "notify"))
    listening.settimeout(20)
    return listening


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_is_ready_collects_and_ends_in_order(
    site: Site, service: socket.socket, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [*_radar(site), "collect"],
        env={**site.variables, "NOTIFY_SOCKET": str(site.directory / "notify")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert service.recv(1000) == b"READY=1"
        until(lambda: collected(site.settings.observed_path))
        process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        error = process.communicate()[1]
    assert "Traceback" not in error
    assert not collected(site.settings.observed_path), "the lease is given back"
    said = []
    while b"STOPPING=1" not in said:
        said.append(service.recv(1000))


def test_where_the_store_cannot_be_it_ends_with_3(site: Site) -> None:
    (site.directory / "state").write_text("a file")
    done = subprocess.run([*_radar(site), "collect"], env=site.variables, capture_output=True, text=True, timeout=30)
    assert done.returncode == 3
    assert "cannot create the directory" in done.stderr


def test_the_watchs_own_collector_dies_with_it_whatever_kills_it(site: Site) -> None:
    process = site.start("watch", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        until(lambda: collected(site.settings.observed_path))
        (child,) = psutil.Process(process.pid).children()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10)
    until(lambda: not collected(site.settings.observed_path))


def _radar(site: Site) -> list[str]:
    from tests.commands.conftest import RADAR

    return [*RADAR, "--config", str(site.file)]


def test_a_service_exposes_what_it_sees_on_loopback_and_nowhere_else(site: Site) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.listen()
        taken = subprocess.run(
            [*_radar(site), "collect", "--expose", f"127.0.0.1:{port}"],
            env=site.variables,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert taken.returncode == 3 and f"127.0.0.1:{port} is in use by another program" in taken.stderr
    assert "Traceback" not in taken.stderr
    process = subprocess.Popen([*_radar(site), "collect", "--expose", f"localhost:{port}"], env=site.variables)
    try:
        until(lambda: b"radar_collector_rounds_total" in _scraped(port) and b"radar_component_state" in _scraped(port))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()


def _scraped(port: int) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return bytes(answer.read())
    except OSError:
        return b""


def test_an_address_that_others_reach_is_refused_in_words(radar: Radar) -> None:
    done = radar("collect", "--expose", "0.0.0.0:9464")
    assert done.status == 3
    assert "this can be reached from other hosts" in done.err and "127.0.0.1:9464" in done.err


def test_an_address_that_is_empty_as_of_an_unset_variable_is_refused_in_words(radar: Radar, site: Site) -> None:
    done = radar("collect", "--expose", "")
    assert done.status == 3
    assert "--expose: this is no HOST:PORT" in done.err and "127.0.0.1:9464" in done.err
    assert not site.settings.state_directory.exists()


def test_a_wrong_figure_is_told_and_does_not_keep_the_collector_from_alerting(site: Site) -> None:
    mistakes = 'custom = [{name = "A", series = "a|b"}, {name = "b", sqll = "select 1"}]\n'
    site.file.write_text(site.file.read_text() + mistakes)
    process = site.start("collect", stderr=subprocess.PIPE)
    try:
        until(lambda: collected(site.settings.observed_path))
        process.send_signal(signal.SIGTERM)
        error = process.communicate(timeout=10)[1]
    finally:
        process.kill()
    assert process.returncode == 0
    first, second = [line for line in error.splitlines() if line.startswith("WARNING ")]
    place = f"WARNING radar.collector: {site.file}, line 6: environments.production.custom"
    assert first.startswith(f"{place}[0].name: this is no name for a figure: the figure is left out; write")
    assert second.startswith(
        f"{place}[1].sqll: 'sqll' is not a setting here: the figure is left out; did you mean sql?"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_warnings_that_nobody_can_be_told_do_not_keep_the_collector_from_alerting(site: Site) -> None:
    site.file.write_text(site.file.read_text() + 'custom = [{name = "A", series = "a|b"}]\n')
    with Path("/dev/full").open("wb") as full:
        process = site.start("collect", stderr=full)
    try:
        until(lambda: collected(site.settings.observed_path))
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    finally:
        process.kill()
    assert not collected(site.settings.observed_path), "the lease is given back"
