"""The demo from outside: start it, wait for it, stop it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

from console.demo.children import environment
from console.demo.faults import DemoFault

STOP_TIMEOUT_S = 15.0


class DemoStack:
    """One demo in one directory; two in different directories run side by side.

    The directory is begun anew at each start, after a crash too: history, data and tokens are new; the configuration
    of a stopped demo stays readable. Whatever ends the process that started a demo ends the demo.
    """

    def __init__(self, directory: Path | None = None) -> None:
        """`directory` None: a new one under the user's state directory."""
        self.directory = (directory or default_directory()).absolute()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of its supervisor while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> Path:
        """Start everything and give the path of its radar.toml. Blocks for some seconds; raises `DemoFault`.

        From the main thread, if possible: the kernel then ends the demo with this process even if its files stay open.
        """
        if self.pid is not None:
            raise DemoFault(f"the demo in {self.directory} runs already")
        thread = "main" if threading.current_thread() is threading.main_thread() else "thread"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "console.demo.supervisor", str(os.getpid()), str(self.directory), thread],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd="/",
            start_new_session=True,  # ctrl+c in the terminal reaches `radar`, which then stops us in order
        )
        try:
            return self._await_ready(self._process)
        except BaseException:  # ctrl+c too must leave nothing running
            self.stop()
            raise

    def wait(self) -> None:
        """Return when the demo has ended."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """End the demo, by force if it does not end within 15 s. Does nothing when none runs."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its children and the database's keeper end themselves then
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            _close(stream)
        self._process = None

    def __enter__(self) -> DemoStack:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _await_ready(self, process: subprocess.Popen[bytes]) -> Path:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        message = json.loads(line) if line else {"error": _last_line(process.stderr)}
        if "error" in message:
            raise DemoFault(f"the demo did not start: {message['error']}")
        return Path(message["ready"])


def default_directory() -> Path:
    """A new name under `$XDG_STATE_HOME` (else `~/.local/state`)."""
    base = os.environ.get("XDG_STATE_HOME", "")
    state = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return state / "radar-console" / f"demo-{os.getpid()}-{secrets.token_hex(3)}"


def _last_line(stream: IO[bytes]) -> str:
    lines = stream.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:500] if lines else "its supervisor ended without a word"


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        try:
            stream.close()
        except BrokenPipeError:
            return
