"""Signals, sizes and ends: the console and its collector as processes on a bad night."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.e2e.conftest import RunningDemo
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.xdist_group("nights")

VALUES = r"application +\S+ \w+"
SHOW_CURSOR = b"\x1b[?25h"
LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"


def collectors(directory: str) -> list[psutil.Process]:
    """The processes that collect for this demo."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if directory in " ".join(line) and ("collect" in line or "--no-ui" in line):
            found.append(process)
    return found


@pytest.fixture
def terminal(demo: RunningDemo) -> Iterator[Terminal]:
    with demo.console(columns=80, rows=24) as terminal:
        terminal.expect(VALUES, 30)
        yield terminal


def test_q_quits_in_under_a_second_while_the_backend_and_the_database_hang(
    demo: RunningDemo, terminal: Terminal
) -> None:
    demo.fault("backend-hang", True)
    demo.fault("db-hang", True)
    try:
        terminal.expect(r"✗", 60)
        started = time.perf_counter()
        terminal.press("q")
        assert terminal.wait_exit(5) == 0
        assert time.perf_counter() - started < 1.0
    finally:
        demo.fault("db-hang", False)
        demo.fault("backend-hang", False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_console_and_restores_the_terminal(terminal: Terminal, number: signal.Signals) -> None:
    os.kill(terminal.pid, number)
    terminal.wait_exit(5)
    assert LEAVE_ALTERNATE_SCREEN in terminal.raw
    assert terminal.raw.rfind(SHOW_CURSOR) > 0
    assert b"Traceback" not in terminal.raw


def test_ctrl_c_does_not_quit(terminal: Terminal) -> None:
    terminal.press("\x03")
    terminal.watch(0.5)
    terminal.expect(VALUES)
    assert psutil.pid_exists(terminal.pid)


def test_a_killed_console_leaves_no_process_of_its_own(terminal: Terminal) -> None:
    children = psutil.Process(terminal.pid).children(recursive=True)
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.wait_exit(5)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_the_terminal_shrunk_to_20_by_5_and_back_shows_health_again(terminal: Terminal) -> None:
    terminal.resize(20, 5)
    terminal.watch(1.0)
    terminal.resize(80, 24)
    terminal.expect(VALUES)
    terminal.expect(r"COMPONENT")


def test_a_stopped_and_continued_console_goes_on(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGSTOP)
    try:
        terminal.watch(2.0)
    finally:
        os.kill(terminal.pid, signal.SIGCONT)
    clock = re.search(r"LIVE (\d\d:\d\d:\d\d)", terminal.text())
    terminal.wait(
        lambda screen: (now := re.search(r"LIVE (\d\d:\d\d:\d\d)", screen)) and clock and now[1] > clock[1],
        20,
        what="the clock going on",
    )


def test_a_note_written_in_the_console_stands_in_the_incidents_export(demo: RunningDemo, terminal: Terminal) -> None:
    terminal.press("i")
    terminal.expect("INCIDENT NOTE")
    terminal.type("pricing was slow before it failed")
    terminal.press("\r")
    terminal.expect("the note is on record")
    assert "pricing was slow before it failed" in demo.radar("incident", "export", "--from", "-5m").stdout
