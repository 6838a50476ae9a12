"""The private server: it lives as long as its parent, outlives what the one before left, and lets nobody else in."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from console.demo import binaries
from console.demo.server import EmbeddedPostgres, ServerFault

PARENT = """
import sys, threading
from pathlib import Path
from console.demo.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
if "freeze" in sys.argv:
    server.freeze()
print(server._process.pid, *server.processes(), flush=True)
threading.Event().wait()
"""


def until(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Wait for the condition; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "server")
    yield server
    server.stop("immediate")


def parent(directory: Path, *arguments: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A process that has started a server, and the ids of the keeper and all of PostgreSQL."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, [int(word) for word in process.stdout.readline().split()]


def test_it_starts_as_promised(server: EmbeddedPostgres) -> None:
    server.start()
    assert one(server.dsn(), "show timezone") == "UTC"
    assert one(server.dsn(), "show max_connections") == "60"
    assert one(server.dsn(), "show shared_preload_libraries") == "pg_stat_statements"
    assert server.running and server.pid in server.processes()


def test_it_comes_back_on_its_port_with_its_data(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("create table kept (n int)")
    port = server.port
    for mode in ("fast", "immediate"):
        server.restart(mode)
        assert server.port == port
        assert one(server.dsn(), "select count(*) from kept") == 0
    server.stop()
    assert not server.running and server.processes() == []
    server.stop()  # a second time does nothing


def test_another_object_takes_up_the_directory(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    again = EmbeddedPostgres(server.directory, max_connections=20, settings={"work_mem": "1MB"})
    again.start()
    assert one(again.dsn(), "show max_connections") == "20"
    assert one(again.dsn(), "show work_mem") == "1MB"
    again.stop()


def test_a_frozen_server_answers_nothing_and_still_stops(server: EmbeddedPostgres) -> None:
    server.start()
    server.freeze()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn(), connect_timeout=2)
    server.thaw()
    assert one(server.dsn(), "select 1") == 1
    server.freeze()
    server.stop()
    assert not server.running


@pytest.mark.parametrize("how", ["running", "freeze"])
def test_everything_dies_with_a_killed_parent(tmp_path: Path, how: str) -> None:
    process, family = parent(tmp_path / "server", how)
    assert len(family) >= 5 and all(alive(pid) for pid in family)
    process.kill()
    process.wait()
    assert until(lambda: not any(alive(pid) for pid in family)), [pid for pid in family if alive(pid)]


def test_everything_dies_with_a_killed_keeper(tmp_path: Path) -> None:
    process, family = parent(tmp_path / "server")
    os.kill(family[0], signal.SIGKILL)
    assert until(lambda: not any(alive(pid) for pid in family))
    process.kill()
    process.wait()


def test_backends_die_with_a_killed_postmaster(server: EmbeddedPostgres) -> None:
    server.start()
    family = server.processes()
    server.freeze()
    os.kill(family[0], signal.SIGKILL)
    assert until(lambda: not server.running and not any(alive(pid) for pid in family))
    server.start()
    assert one(server.dsn(), "select 1") == 1


def test_what_a_killed_keeper_left_frozen_is_ended_by_the_next_start(tmp_path: Path) -> None:
    process, family = parent(tmp_path / "server", "freeze")
    os.kill(family[0], signal.SIGKILL)
    process.kill()
    process.wait()
    server = EmbeddedPostgres(tmp_path / "server")
    server.start()
    assert until(lambda: not any(alive(pid) for pid in family))
    assert one(server.dsn(), "select 1") == 1
    server.stop()


def test_it_outlives_the_thread_that_started_it(server: EmbeddedPostgres) -> None:
    """The counter-test: the kernel reports a parent's death when only its thread has ended."""
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    family = server.processes()
    assert not until(lambda: not server.running, seconds=0.5)
    assert all(alive(pid) for pid in family)
    assert one(server.dsn(), "select 1") == 1


def test_a_stale_mark_with_a_living_stranger_is_no_obstacle(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n1\n\n\n0 0\nready   \n")
    server.start()
    assert one(server.dsn(), "select 1") == 1


def test_a_stale_mark_of_a_zombie_is_no_obstacle(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    assert until(lambda: not alive(zombie.pid))
    (server.data / "postmaster.pid").write_text(f"{zombie.pid}\n{server.data}\n0\n1\n\n\n0 0\nready   \n")
    server.start()
    assert one(server.dsn(), "select 1") == 1
    zombie.wait()


def test_two_servers_never_share_a_directory(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start()
    monkeypatch.setattr("console.demo.server.STOP_TIMEOUT_S", 0.3)
    with pytest.raises(ServerFault, match="another server"):
        EmbeddedPostgres(server.directory).start()
    assert one(server.dsn(), "select 1") == 1


def test_a_taken_port_is_said(server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start()
    monkeypatch.setattr("console.demo.server.PORT_WAIT_S", 0.0)
    other = EmbeddedPostgres(tmp_path / "other", port=server.port)
    with pytest.raises(ServerFault, match="Address already in use"):
        other.start()
    assert not other.running


def test_nobody_else_gets_in(server: EmbeddedPostgres) -> None:
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.dsn().replace(server.password, "wrong"))
    private = [server.directory, server.directory / "password", server.data, server.data / "postgresql.conf"]
    assert not any(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private)
    with psycopg.connect(host=str(server.directory), port=server.port, user="postgres", dbname="postgres") as local:
        assert local.execute("select 1").fetchone() == (1,)


def test_a_long_directory_only_costs_the_socket(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("deep" * 25))
    server.start()
    assert one(server.dsn(), "select 1") == 1
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
@pytest.mark.parametrize("identity", ["namespace", "nobody"])
def test_root_runs_it_as_somebody_else(tmp_path: Path, identity: str) -> None:
    server = EmbeddedPostgres(tmp_path / "server", identity=identity)  # type: ignore[arg-type]
    try:
        server.start()
    except ServerFault as fault:
        pytest.skip(f"not possible here: {fault}")
    assert one(server.dsn(), "select 1") == 1
    family = server.processes()
    server.freeze()
    server.stop("immediate")
    assert not any(alive(pid) for pid in family)
    server.remove()
    assert not server.data.exists()


def test_a_directory_of_another_version_is_said(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(ServerFault, match="was made by PostgreSQL 12"):
        server.start()


def test_the_lookup_takes_the_variable_and_nothing_in_its_place(tmp_path: Path) -> None:
    found = binaries.find({})
    assert binaries.find({"RADAR_PG_BIN": str(found.directory)}).found_by == "$RADAR_PG_BIN"
    with pytest.raises(binaries.NoPostgres, match=r"RADAR_PG_BIN.*no postgres"):
        binaries.find({"RADAR_PG_BIN": str(tmp_path)})


def test_the_lookup_knows_what_was_found() -> None:
    found = binaries.find({})
    assert found.major >= 13 and found.version.startswith(str(found.major))
    assert "plpgsql" in found.extensions
    assert found.program("initdb").exists()
    with pytest.raises(binaries.NoPostgres):
        found.program("pg_nonsense")


@pytest.mark.parametrize(
    ("script", "problem"),
    [("echo 'postgres (PostgreSQL) 9.6.1'", "13 or newer"), ("echo nothing", "no version"), ("exit 3", "does not run")],
)
def test_the_lookup_refuses_what_is_no_server(tmp_path: Path, script: str, problem: str) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(binaries.NoPostgres, match=problem):
        binaries.probe(tmp_path, "test")
