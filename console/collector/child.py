"""A collector as the child of a console: it dies with it, whatever kills that one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from console.model.configuration import Settings

STOP_S = 0.4
"""How long a child may take to release the lease; then it is killed, and the lease runs out by itself."""
LOG_NAME = "collector.log"
LARGEST_LOG_BYTES = 1_000_000
_PR_SET_PDEATHSIG = 1
# What a child may inherit; the variables that settings refer to come through its standard input.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE")


class Child:
    """The running child."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End it: it releases the lease, or is killed after 0.4 s."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()


def spawn_child(settings: Settings, process_environment: Mapping[str, str] = os.environ) -> Child:
    """Start a collector for these settings. It ends with the calling *thread*: call from one that lives on.

    Its words go to `collector.log` beside the store. It gets a session of its own, so that ctrl+c in a pager that the
    console started does not end it.
    """
    command = [sys.executable, "-m", "console.collector", str(os.getpid()), str(settings.file)]
    inherited = {name: process_environment[name] for name in INHERITED if name in process_environment}
    with _log_file(settings.state_directory) as output:
        process = subprocess.Popen(
            [*command, settings.environment.name],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=inherited | {"PYTHONUNBUFFERED": "1"} | _import_path(),
            start_new_session=True,
        )
    _hand_over(process, process_environment)
    return Child(process)


def _import_path() -> dict[str, str]:
    """Where this process finds the package, when it is not installed but run from its sources."""
    return {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}


def _log_file(directory: Path) -> IO[bytes]:
    """The child's log, begun anew when it has grown; nowhere when the directory cannot be written."""
    path = directory / LOG_NAME
    try:
        is_large = path.exists() and path.stat().st_size > LARGEST_LOG_BYTES
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_TRUNC if is_large else os.O_APPEND)
        return os.fdopen(os.open(path, flags, 0o600), "wb")
    except OSError:
        return Path(os.devnull).open("wb")


def _hand_over(process: subprocess.Popen[bytes], process_environment: Mapping[str, str]) -> None:
    """The variables that `${NAME}` in the settings may mean, through a pipe: not in the child's own environment."""
    assert process.stdin is not None
    with contextlib.suppress(OSError), process.stdin as pipe:  # it ended already: `poll` tells
        pipe.write(json.dumps(dict(process_environment)).encode())


def variables_handed_over() -> dict[str, str]:
    """In the child: what the parent handed over. Empty when it handed over nothing that can be read."""
    try:
        found = json.loads(sys.stdin.buffer.read())
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel end this process when its parent ends; end at once when it has ended already.

    SIGTERM, so that the lease is released. To be called first thing in a child.
    """
    import ctypes  # 4 ms that the console need not pay

    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent_pid:  # it ended between our start and the call above
        os._exit(1)
