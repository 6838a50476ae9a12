"""A real PostgreSQL server of our own, for the demo and the tests: private, on loopback, dying with its parent."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from console.demo import binaries, keeper
from console.demo.binaries import PgBinaries

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
PORT_WAIT_S = 3.0
PORT_TAKEN = "could not create any TCP/IP sockets"  # PostgreSQL's last word when its port is taken
POLL_S = 0.01
# Below Linux's range for outgoing connections (32768–60999), so that nothing takes the port between stop and restart.
PORTS = range(20_000, 32_000)
LONGEST_SOCKET_PATH = 107  # bytes in sockaddr_un
IDENTITIES = Literal["same", "namespace", "nobody"]


class ServerFault(Exception):
    """The server cannot be started or stopped; the text says why, with the end of its log."""


class EmbeddedPostgres:
    """One server over one private directory. Every method blocks: call it off the event loop.

    It is made at the first `start()` and kept between starts; the port stays the same for the life of the object.
    Whatever ends this process, SIGKILL too, ends the server; see `console.demo.keeper`.
    """

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        max_connections: int = 60,
        *,
        installation: PgBinaries | None = None,
        settings: Mapping[str, str] | None = None,
        identity: IDENTITIES | None = None,
    ) -> None:
        """`settings` are more lines of postgresql.conf. `identity` None: as ourselves, or what is possible as root."""
        self.directory = directory
        self.port = port or _free_port()
        self.max_connections = max_connections
        self.installation = installation or binaries.find()
        self._settings = dict(settings or {})
        self._identity = identity
        self._process: subprocess.Popen[str] | None = None
        self._pid: int | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's own directory. Under `directory`, unless another user, who cannot go there, must own it."""
        return self._place() / "data"

    @property
    def log_path(self) -> Path:
        """What the server writes on standard error."""
        return self.directory / "server.log"

    @property
    def password(self) -> str:
        """The password of `postgres`; also for the roles of the demo, so that `dsn` serves them."""
        return (self.directory / "password").read_text().strip()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._pid if self.running else None

    @property
    def running(self) -> bool:
        """Whether the server's process lives; it may be frozen."""
        return self._process is not None and self._process.poll() is None

    def dsn(self, user: str = "postgres", database: str = "postgres") -> str:
        """A connection string with the password, by loopback TCP."""
        return f"postgresql://{quote(user)}:{quote(self.password)}@127.0.0.1:{self.port}/{quote(database)}"

    def start(self) -> None:
        """Make the cluster if there is none, start it, return when it accepts connections."""
        if self.running:
            return
        self._make()
        self._clear_stale_pid()
        self._configure()
        began = time.monotonic()
        while True:
            self._spawn([str(self.installation.program("postgres")), "-D", str(self.data)], self.log_path)
            if self._became_ready():
                return
            if PORT_TAKEN not in self._log_end() or time.monotonic() - began > PORT_WAIT_S:
                raise ServerFault(f"PostgreSQL did not start: {self._log_end()}")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """End the server: `fast` ends sessions and writes a checkpoint, `immediate` recovers at the next start."""
        if self._process is None:
            return
        self.thaw()
        self._hand(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        if not self._ended_within(STOP_TIMEOUT_S):
            self._kill()
        self._process, self._pid = None, None

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop and start on the same port."""
        self.stop(mode)
        self.start()

    def remove(self) -> None:
        """Stop it and delete its data, log and password."""
        self.stop("immediate")
        shutil.rmtree(self._place(), ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def processes(self) -> list[int]:
        """The process ids of the server and its backends."""
        return keeper.descendants(self._process.pid) if self._process is not None else []

    def freeze(self) -> None:
        """Stop all its processes where they are (SIGSTOP): connections stay open and nothing answers."""
        if self._pid is not None and self.running:
            os.kill(self._pid, signal.SIGSTOP)  # first, so that no backend is born meanwhile
        _signal_all(self.processes(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        _signal_all(self.processes(), signal.SIGCONT)

    def _place(self) -> Path:
        """Where the data lies. `nobody` cannot pass through root's directories: a private one in the temporary one."""
        if self._identity != "nobody":
            return self.directory
        mark = hashlib.sha256(str(self.directory.resolve()).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"radar-postgres-{mark}"

    def _make(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._identity = self._identity or self._possible_identity()
        if (self.data / "PG_VERSION").exists() and (self.directory / "password").exists():
            self._check_major()
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self._make_place()
        _write_private(self.directory / "password", secrets.token_urlsafe(24))
        self._initdb()

    def _make_place(self) -> None:
        if self._identity != "nobody":
            return
        place = self._place()
        place.mkdir(mode=0o700, exist_ok=True)
        if place.is_symlink() or place.stat().st_uid not in (0, keeper.NOBODY):
            raise ServerFault(f"{place} belongs to somebody else")
        os.chown(place, keeper.NOBODY, keeper.NOBODY)

    def _check_major(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self.installation.major):
            raise ServerFault(
                f"{self.data} was made by PostgreSQL {made_by}, and {self.installation.directory} is"
                f" {self.installation.major}: use that version or another directory"
            )

    def _possible_identity(self) -> IDENTITIES:
        """As root: a user namespace where the system has them, else `nobody`. PostgreSQL itself refuses root."""
        if os.geteuid() != 0:
            return "same"
        command = _keeper("namespace", [str(self.installation.program("postgres")), "--version"])
        tried = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return "namespace" if tried.returncode == 0 else "nobody"

    def _initdb(self) -> None:
        """Without fsync, with a random password for TCP, without one for the socket in the private directory."""
        password = self._place() / "password.initdb"
        _write_private(password, self.password)
        if self._identity == "nobody":
            os.chown(password, keeper.NOBODY, keeper.NOBODY)
        command = [str(self.installation.program("initdb")), "-D", str(self.data), "-U", "postgres", "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C", "--auth-host=scram-sha-256", "--auth-local=trust"]
        command += [f"--pwfile={password}"]
        if self.installation.major >= 16:  # the password is 192 random bits: 4096 rounds only slow the connections
            command += ["-c", "scram_iterations=1", "-c", "dynamic_shared_memory_type=mmap"]
        self._spawn(command, self.directory / "initdb.log")
        ended = self._ended_within(START_TIMEOUT_S)
        password.unlink(missing_ok=True)
        if not ended or not (self.data / "PG_VERSION").exists():
            self._kill()
            raise ServerFault(f"initdb failed: {_end_of(self.directory / 'initdb.log')}")

    def _configure(self) -> None:
        """Write postgresql.conf anew, so that this object's arguments hold for old directories too."""
        lines = {**self._base_settings(), **self._settings}
        text = "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in lines.items())
        _write_private(self.data / "postgresql.conf", text)
        if self._identity == "nobody":
            os.chown(self.data / "postgresql.conf", keeper.NOBODY, keeper.NOBODY)

    def _base_settings(self) -> dict[str, str]:
        statements = "pg_stat_statements" in self.installation.extensions
        zones = Path("/usr/share/zoneinfo/UTC").exists() or not self.installation.system_time_zones
        socket_path = self._place() / f".s.PGSQL.{self.port}.lock"
        return {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._place()) if _fits(socket_path) else "",
            "unix_socket_permissions": "0700",
            "max_connections": str(self.max_connections),
            "shared_preload_libraries": "pg_stat_statements" if statements else "",
            "timezone": "UTC" if zones else "GMT",  # the same time; GMT is known without any file
            "log_timezone": "UTC" if zones else "GMT",
            # Its data are made anew at will, and only the machine's own crash could lose them.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_wal_size": "128MB",
            "shared_buffers": "32MB",
            # The default leaves files in /dev/shm when the server is killed.
            "dynamic_shared_memory_type": "mmap",
            "jit": "off",
        }

    def _spawn(self, command: list[str], log: Path) -> None:
        with os.fdopen(_private(log, os.O_APPEND), "ab") as errors:
            self._process = subprocess.Popen(
                _keeper(self._identity or "same", command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # ctrl+c in the terminal is the demo's own to handle
                cwd="/",
                env=_environment(),
            )
        assert self._process.stdout is not None
        first = self._process.stdout.readline().strip()
        self._process.stdout.close()
        self._pid = int(first) if first.isdigit() else None

    def _became_ready(self) -> bool:
        """Whether it came to accept connections; it says so in the last line of postmaster.pid, as pg_ctl reads it."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._ended_within(POLL_S):
                return False
            with contextlib.suppress(OSError):
                lines = (self.data / "postmaster.pid").read_text().split("\n")
                if len(lines) > 7 and lines[0] == str(self._pid) and lines[7].strip() == "ready":
                    return True
        self._kill()
        return False

    def _clear_stale_pid(self) -> None:
        """Remove the mark of a server that is gone; wait for one that is going; end one whose keeper was killed.

        PostgreSQL does this itself only when no process at all has that number: not for a zombie, nor when another
        program has it by now.
        """
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while (pid := self._marked_pid()) is not None and _directory_of(pid) == self.data.resolve():
            if not _kept(pid):
                _signal_all([*keeper.descendants(pid), pid], signal.SIGKILL)
            elif time.monotonic() > deadline:
                raise ServerFault(f"another server (process {pid}) runs in {self.directory}: stop that demo first")
            time.sleep(POLL_S)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _marked_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None

    def _hand(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _ended_within(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _kill(self) -> None:
        """End it by force; the keeper then ends what is left."""
        if self._pid is not None and self.running:
            _signal_all([self._pid], signal.SIGKILL)
            self._ended_within(STOP_TIMEOUT_S)
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait()

    def _log_end(self) -> str:
        return _end_of(self.log_path)


def _keeper(identity: str, command: list[str]) -> list[str]:
    return [sys.executable, "-I", "-S", keeper.__file__, str(os.getpid()), identity, *command]


def _environment() -> dict[str, str]:
    """Nothing of ours but the path: no PG* variable may point the server elsewhere, no secret reaches it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _kept(pid: int) -> bool:
    """Whether the process' parent is a keeper."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        parent = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1]
        return keeper.__file__.encode() in Path(f"/proc/{parent}/cmdline").read_bytes()
    return False


def _directory_of(pid: int) -> Path | None:
    """The working directory of a living process: PostgreSQL's is its data directory. None for a zombie."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _signal_all(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _free_port() -> int:
    for _ in range(100):
        port = random.choice(PORTS)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise ServerFault("no free port on 127.0.0.1")


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST_SOCKET_PATH


def _private(path: Path, flag: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600)


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(_private(path, os.O_TRUNC), "w") as file:
        file.write(text)


def _end_of(log: Path) -> str:
    """The last lines of a log, for an error's text."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000))
        return " / ".join(file.read().decode(errors="replace").strip().splitlines()[-6:])
    return "it wrote nothing"
