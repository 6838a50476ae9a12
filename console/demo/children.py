"""The supervisor's end of the line to one of its children. See `console.demo.link`."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ANSWER_TIMEOUT_S = 10.0
READY_TIMEOUT_S = 30.0
_KEPT = ("PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "RADAR_PG_BIN", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
Message = dict[str, Any]


class ChildFault(Exception):
    """A child did not start, answer, or do what it was told; the text says which and why."""


class Child:
    """One Python process of the demo. To be started from the main thread: see `lifetime.die_with_parent`."""

    def __init__(self, module: str, directory: Path, unasked: Callable[[Message], None]) -> None:
        """`unasked(message)` is called in a thread of ours for what the child tells by itself."""
        self.name = module.rpartition(".")[2]
        self._module = module
        self._directory = directory
        self._unasked = unasked
        self._numbers = itertools.count(1)
        self._answers: dict[int, queue.SimpleQueue[Message]] = {}
        self._ready: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def running(self) -> bool:
        """Whether the process lives; it may be stopped by a signal."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_path(self) -> Path:
        """What it writes on standard error: nothing, while all is well."""
        return self._directory / "logs" / f"{self.name}.log"

    def spawn(self) -> None:
        """Start the process; it imports what it needs and waits for its configuration."""
        self._ready, self._answers = queue.SimpleQueue(), {}
        with self.log_path.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, str(os.getpid()), str(self._directory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(),
                cwd="/",
            )
        threading.Thread(target=self._listen, args=(self._process, self._ready), daemon=True).start()

    def configure(self, configuration: Mapping[str, object]) -> None:
        """Hand it its configuration; `wait_ready` waits until it serves."""
        self._write(dict(configuration))

    def wait_ready(self) -> None:
        """Return when it said that it serves. Raises `ChildFault` when it ends before or takes too long."""
        try:
            message = self._ready.get(timeout=READY_TIMEOUT_S)
        except queue.Empty:
            message = {"ended": True}
        if "ended" in message:
            raise ChildFault(f"{self.name} did not start; the end of {self.log_path}: {self._log_end()}")

    def tell(self, **message: object) -> int:
        """Give an order without waiting: a stopped process carries it out when it goes on. Gives its number."""
        number = next(self._numbers)
        self._write({**message, "number": number})
        return number

    def ask(self, **message: object) -> Message:
        """Give an order and wait until it is carried out. Raises `ChildFault`."""
        number = next(self._numbers)
        self._answers[number] = queue.SimpleQueue()
        self._write({**message, "number": number})
        try:
            answer = self._answers[number].get(timeout=ANSWER_TIMEOUT_S)
        except queue.Empty:
            raise ChildFault(f"{self.name} did not answer within {ANSWER_TIMEOUT_S:.0f} s") from None
        finally:
            self._answers.pop(number, None)
        if "error" in answer:
            raise ChildFault(f"{self.name}: {answer['error']}")
        return answer

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.running and self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once; what it serves holds nothing that is worth an orderly end."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._process = None

    def _write(self, message: Message) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):  # it ended: whoever waits for its answer is told
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _listen(self, process: subprocess.Popen[bytes], ready: queue.SimpleQueue[Message]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError, OSError):  # closed by `kill`
            for line in process.stdout:
                self._take(json.loads(line), ready)
        process.wait()  # reaped, whatever ended it
        ready.put({"ended": True})
        for waiting in list(self._answers.values()):
            waiting.put({"error": "it ended"})

    def _take(self, message: Message, ready: queue.SimpleQueue[Message]) -> None:
        if "ready" in message:
            ready.put(message)
        elif "answer" in message:
            waiting = self._answers.get(message["answer"])
            if waiting is not None:
                waiting.put(message)
        else:
            self._unasked(message)

    def _log_end(self) -> str:
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return " / ".join(text.strip().splitlines()[-3:]) or "it wrote nothing"


def environment() -> dict[str, str]:
    """For a process of the demo: where programs and our packages are; no secret of whoever started it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}
