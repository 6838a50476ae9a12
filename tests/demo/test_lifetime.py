"""A demo lives as long as the process that started it, whatever ends that one; two of them do not meet."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.demo.faults import DemoFault, active, set_fault
from console.demo.lifetime import processes_of
from console.demo.place import discard_data
from console.demo.server import EmbeddedPostgres
from console.demo.stack import DemoStack, default_directory
from console.demo.world import author
from tests.demo.site import Site, alive, below, until

STARTER = """
import sys, threading
from pathlib import Path
from console.demo.faults import set_fault
from console.demo.stack import DemoStack
stack = DemoStack(Path(sys.argv[1]))
started = threading.Thread(target=stack.start) if "thread" in sys.argv else None
if started:
    started.start(); started.join()
else:
    stack.start()
for fault in sys.argv[2:]:
    if fault != "thread":
        set_fault(stack.directory, fault, True)
print(stack.pid, flush=True)
try:
    threading.Event().wait()
except KeyboardInterrupt:
    stack.stop()
"""
PARTS = {"supervisor", "backend", "standins", "load", "postgres"}


@contextmanager
def started(directory: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int, set[int]]]:
    """A process that has started a demo: itself, its supervisor's pid, and all of the demo's processes."""
    command = [sys.executable, "-c", STARTER, str(directory), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, int(line), below(int(line))
    finally:
        process.kill()
        process.wait()


def all_gone(processes: set[int]) -> bool:
    """Whether none of them lives."""
    return not any(alive(pid) for pid in processes)


def of_process(pid: int, file: str) -> str:
    """What the kernel shows of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def names(processes: set[int]) -> set[str]:
    """Which parts of a demo they are."""
    lines = [of_process(pid, "cmdline") for pid in processes]
    return {part for part in PARTS if any(part in line for line in lines)}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_everything_ends_with_the_process_that_started_it(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path / "demo") as (process, _, parts):
        assert names(parts) == PARTS
        process.send_signal(number)
        process.wait(15)
        until(lambda: all_gone(parts), what="all processes ended")
    assert processes_of(tmp_path / "demo") == []


@pytest.mark.parametrize("fault", ["db-hang", "backend-hang", "connections-exhausted"])
def test_everything_ends_when_the_supervisor_is_killed_amid_a_fault(tmp_path: Path, fault: str) -> None:
    with started(tmp_path / "demo", fault) as (_, supervisor, parts):
        assert names(parts) == PARTS
        os.kill(supervisor, signal.SIGKILL)
        until(lambda: all_gone(parts), what="all processes ended")
    assert processes_of(tmp_path / "demo") == []


def test_everything_ends_when_it_was_started_off_the_main_thread(tmp_path: Path) -> None:
    with started(tmp_path / "demo", "thread") as (process, _, parts):
        assert names(parts) == PARTS, "the thread that started it has ended, and the demo goes on"
        process.kill()
        until(lambda: all_gone(parts), what="all processes ended")


def test_a_killed_part_is_started_again(tmp_path: Path) -> None:
    with DemoStack(tmp_path / "demo") as stack:
        site = Site(tmp_path / "demo" / "radar.toml")
        [backend] = [pid for pid in processes_of(stack.directory) if "backend" in names({pid})]
        os.kill(backend, signal.SIGKILL)
        until(lambda: site.app("/").status == 200)
        assert alive(backend) is False


def test_stand_ins_that_are_started_again_still_have_the_faults_that_are_on(tmp_path: Path) -> None:
    with DemoStack(tmp_path / "demo") as stack:
        site = Site(stack.directory / "radar.toml")
        set_fault(stack.directory, "gateway-down-sql-up", True)
        [standins] = [pid for pid in processes_of(stack.directory) if "standins" in names({pid})]
        os.kill(standins, signal.SIGKILL)
        until(lambda: site.gateway("/rest/v1/").status == 502)
        set_fault(stack.directory, "gateway-down-sql-up", False)
        assert site.gateway("/rest/v1/").status == 200
        assert site.app("/api/v1/system/health").json()["version"] == author(0).deployments[-1].version


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_data_that_lie_elsewhere_are_discarded_too(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", identity="nobody")
    server.start()
    server.stop("immediate")
    assert server.data.exists() and tmp_path not in server.data.parents
    discard_data(tmp_path)
    assert not server.data.parent.exists()
    assert not (tmp_path / "postgres").exists()


def test_two_side_by_side_do_not_meet(tmp_path: Path) -> None:
    first, second = DemoStack(tmp_path / "one"), DemoStack(tmp_path / "two")
    starting = threading.Thread(target=first.start)
    starting.start()
    try:
        second.start()
        starting.join()
        one, two = Site(first.directory / "radar.toml"), Site(second.directory / "radar.toml")
        set_fault(first.directory, "backend-down", True)
        assert (one.app("/").status, two.app("/").status) == (0, 200)
        assert (active(first.directory), active(second.directory)) == (("backend-down",), ())
        first.stop()
        assert two.app("/").status == 200 and two.sql("SELECT 1") == 1
    finally:
        starting.join()
        first.stop()
        second.stop()


def test_a_directory_in_use_is_refused_in_words(tmp_path: Path) -> None:
    with DemoStack(tmp_path / "demo") as stack:
        with pytest.raises(DemoFault, match=rf"a demo runs in {stack.directory} \(process {stack.pid}\)"):
            DemoStack(tmp_path / "demo").start()
        assert Site(tmp_path / "demo" / "radar.toml").app("/").status == 200, "the first one goes on"


def test_a_directory_with_somebodys_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoFault, match="is not empty and no demo made it"):
        DemoStack(tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_directory_is_begun_anew_after_a_crash(tmp_path: Path) -> None:
    with started(tmp_path / "demo", "db-hang") as (_, supervisor, parts):
        tokens = (tmp_path / "demo" / ".env").read_text()
        os.kill(supervisor, signal.SIGKILL)
        # At once: what the crash left may still be ending.
        with DemoStack(tmp_path / "demo") as stack:
            site = Site(stack.directory / "radar.toml")
            assert active(stack.directory) == (), "a demo begins healthy"
            assert site.app("/api/v1/system/health").json()["checks"]["database"] == {"status": "pass"}
            assert site.sql("SELECT count(*) FROM pg_stat_database") > 0
            assert tokens != (tmp_path / "demo" / ".env").read_text()
            assert all_gone(parts)


def test_files_with_secrets_are_private(tmp_path: Path) -> None:
    with DemoStack(tmp_path / "demo") as stack:
        for name in ("radar.toml", ".env", "control.sock", "postgres/password", "tls/server.pem"):
            assert stat.S_IMODE((stack.directory / name).stat().st_mode) == 0o600, name
        secrets = [value for value in Site(stack.directory / "radar.toml").secrets.values() if value]
        assert stack.pid is not None
        for pid in below(stack.pid):
            for file in ("cmdline", "environ"):
                assert not any(secret in of_process(pid, file) for secret in secrets), f"{file} of {pid}"


def test_a_deep_directory_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100) / 'quoted "name" with spaces'
    with DemoStack(deep) as stack:
        assert active(stack.directory) == ()
        assert Site(stack.directory / "radar.toml").app("/").status == 200


def test_stopping_twice_and_waiting_for_a_stopped_one_are_harmless(tmp_path: Path) -> None:
    stack = DemoStack(tmp_path / "demo")
    stack.stop()
    stack.start()
    stack.stop()
    stack.stop()
    stack.wait()
    assert stack.pid is None
    with pytest.raises(DemoFault, match="no demo answers"):
        active(stack.directory)


def test_default_directories_differ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first, second = default_directory(), default_directory()
    assert first != second
    assert tmp_path in first.parents


def test_nothing_is_printed(tmp_path: Path) -> None:
    with started(tmp_path / "demo", "backend-errors") as (process, _, _):
        process.terminate()
        out, errors = process.communicate(timeout=15)
    assert (out, errors) == ("", "")
