"""Confirming a plan in a real pseudo-terminal: what was typed ahead, and what is pasted, confirms nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.e2e.terminal import Terminal

AHEAD = "\t\r41ab9e0\r"
"""All that a confirmation takes, as one would type it blindly."""


def _told(directory: Path) -> list[str]:
    file = directory / "desk.txt"
    return file.read_text().split() if file.exists() else []


def _console(directory: Path) -> Terminal:
    return Terminal([sys.executable, "-m", "tests.screens.program", "acting", str(directory)])


def test_what_is_typed_ahead_in_one_go_confirms_nothing(tmp_path: Path) -> None:
    with _console(tmp_path) as terminal:
        terminal.expect("LATELY")
        terminal.press("a" + AHEAD * 3)
        terminal.expect("41ab9e0 to confirm: +▌ Cancel")
        terminal.watch(0.8)
        assert "Nothing has been done yet" in terminal.text() and _told(tmp_path) == ["plan"]
        terminal.press(AHEAD)  # the counter-test: the same keys of somebody who has seen it
        terminal.expect("All steps done")
        assert _told(tmp_path) == ["plan", "confirm"]


def test_what_arrives_while_the_console_is_stopped_confirms_nothing(tmp_path: Path) -> None:
    """Bytes that lie in the terminal's buffer when the plan is drawn were typed before it."""
    import os
    import signal

    with _console(tmp_path) as terminal:
        terminal.expect("LATELY")
        terminal.press("a")
        terminal.expect("asking")
        os.kill(terminal.pid, signal.SIGSTOP)
        terminal.press(AHEAD * 3)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.expect("41ab9e0 to confirm: +▌ Cancel")
        terminal.watch(0.8)
        assert "Nothing has been done yet" in terminal.text() and _told(tmp_path) == ["plan"]


def test_pasted_text_confirms_nothing(tmp_path: Path) -> None:
    with _console(tmp_path) as terminal:
        terminal.expect("LATELY")
        terminal.press("a")
        terminal.expect("Nothing has been done yet")
        terminal.watch(0.8)
        terminal.press("\t\r")
        terminal.expect("type 41ab9e0, then enter")
        terminal.press("\x1b[200~41ab9e0\r\x1b[201~")
        terminal.expect("what is pasted is dropped")
        terminal.press("\r")
        terminal.expect("type 41ab9e0 to confirm")
        assert _told(tmp_path) == ["plan"]
        terminal.press("\x1b")
        terminal.expect("LATELY")
        terminal.wait(lambda _: _told(tmp_path) == ["plan", "leave"], what="the plan was left")
