"""A real pseudo-terminal with a terminal emulator behind it: what a person at the keyboard would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import psutil
import pyte

from tests.animation import Cell


class _Screen(pyte.Screen):
    """pyte, tolerant of the private modes and reports that it does not know."""

    def select_graphic_rendition(self, *attrs: int, **kwargs: object) -> None:
        super().select_graphic_rendition(*attrs)

    def report_device_status(self, *args: object, **kwargs: object) -> None:
        """A program's question to the terminal: pyte has no wire to answer on."""

    def report_device_attributes(self, *args: object, **kwargs: object) -> None:
        """As above."""


class NotSeen(AssertionError):
    """What was expected did not appear in time; the text holds the screen as it stood."""


class Terminal:
    """Runs a command in a pseudo-terminal of `columns` x `rows` and reads its screen.

    Counts the bytes sent to the terminal in `received_bytes`. `environment` is added to the process's own.
    """

    def __init__(
        self, command: Sequence[str], *, columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None
    ) -> None:
        self.received_bytes = 0
        self.raw = bytearray()
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.started_at = time.perf_counter()
        variables = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        for name in ("NO_COLOR", "TMUX", "STY", "COLUMNS", "LINES"):
            variables.pop(name, None)
        variables.update(environment or {})
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            _become(command, variables)
        self.resize(columns, rows)
        self.status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.end()

    def resize(self, columns: int, rows: int) -> None:
        """Change the size as a window manager does (SIGWINCH reaches the program)."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def press(self, keys: str) -> None:
        """Send keys at once: literal text, with escapes already in it (`\\x1b`, `\\r`)."""
        os.write(self._descriptor, keys.encode())

    def type(self, keys: str, gap_s: float = 0.05) -> None:
        """Send keys one by one as a person types, reading what is shown meanwhile."""
        for key in keys:
            self.press(key)
            self.watch(gap_s)

    def pump(self, timeout_s: float = 0.01) -> bool:
        """Read what has arrived; False when the program closed the terminal."""
        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        if not ready:
            return True
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:
            return False
        self.received_bytes += len(data)
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def text(self) -> str:
        """The screen, a line per row."""
        return "\n".join(self._screen.display)

    def cells(self) -> tuple[tuple[Cell, ...], ...]:
        """The screen with its colours, a tuple per row."""
        screen = self._screen
        rows = (tuple(_cell(screen.buffer[y][x]) for x in range(screen.columns)) for y in range(screen.lines))
        return tuple(rows)

    def wait(self, seen: Callable[[str], object], timeout_s: float = 15.0, *, what: str = "the condition") -> float:
        """Read until `seen(screen text)` is true; gives the seconds it took. Raises `NotSeen`."""
        start = time.perf_counter()
        while not seen(self.text()):
            if time.perf_counter() - start > timeout_s:
                raise NotSeen(f"not seen within {timeout_s:g} s: {what}\n{self.text()}")
            if not self.pump() and not seen(self.text()):
                raise NotSeen(f"the program ended before {what} was seen\n{self.text()}")
        return time.perf_counter() - start

    def expect(self, pattern: str, timeout_s: float = 15.0) -> float:
        """Read until the regular expression stands on the screen; gives the seconds it took."""
        compiled = re.compile(pattern, re.MULTILINE)
        return self.wait(compiled.search, timeout_s, what=repr(pattern))

    def expect_not(self, pattern: str, timeout_s: float = 15.0) -> float:
        """Read until the regular expression no longer stands on the screen."""
        compiled = re.compile(pattern, re.MULTILINE)
        return self.wait(lambda text: not compiled.search(text), timeout_s, what=f"the end of {pattern!r}")

    def watch(self, seconds: float) -> int:
        """Read for that long, as an idle user does; gives the bytes received meanwhile."""
        before, end = self.received_bytes, time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.pump(0.05)
        return self.received_bytes - before

    def wait_exit(self, timeout_s: float = 10.0) -> int:
        """Read until the program has ended; gives its exit status (negative: the signal)."""
        end = time.perf_counter() + timeout_s
        while self.status is None:
            if time.perf_counter() > end:
                raise NotSeen(f"still running after {timeout_s:g} s\n{self.text()}")
            self.pump()
            done, code = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(code)
        return self.status

    def hang_up(self, timeout_s: float = 10.0) -> int:
        """Cut the line, as a lost connection does: the terminal is gone, and its program gets SIGHUP. Gives its exit
        status; what it started lives on."""
        os.close(self._descriptor)
        self._descriptor = -1
        end = time.perf_counter() + timeout_s
        while self.status is None:
            if time.perf_counter() > end:
                raise NotSeen("the program outlives its terminal")
            done, code = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(code)
            os.sched_yield()
        return self.status

    def end(self) -> None:
        """End the program and its children, whatever state it is in."""
        if self.status is None:
            family = _family(self.pid)
            for process in family:
                try:
                    process.send_signal(signal.SIGKILL)
                except psutil.Error:
                    continue
            _, code = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(code)
        if self._descriptor >= 0:
            os.close(self._descriptor)


def _cell(found: Any) -> Cell:
    return Cell(found.data or " ", found.fg, found.bg, found.bold, found.reverse)


def _become(command: Sequence[str], variables: Mapping[str, str]) -> None:
    try:
        os.execvpe(command[0], list(command), dict(variables))
    finally:
        os._exit(127)


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.Error:
        return []
