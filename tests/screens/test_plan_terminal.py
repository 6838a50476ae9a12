"""Confirming a plan in a real pseudo-terminal: what was typed ahead, and what is pasted, confirms nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

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
        terminal.type(AHEAD)  # the counter-test: the same keys of somebody who has seen it
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


def _asked(terminal: Terminal) -> None:
    """The plan stands, and is believed to have been seen."""
    terminal.expect("LATELY")
    terminal.press("a")
    terminal.expect("Nothing has been done yet")
    terminal.watch(0.8)


@pytest.mark.parametrize("tail", ["\r", ""])
def test_a_word_that_comes_at_once_is_no_typing_though_no_terminal_says_pasted(tmp_path: Path, tail: str) -> None:
    """A terminal without bracketed paste, or a program that sends keys: all of it in one read()."""
    with _console(tmp_path) as terminal:
        _asked(terminal)
        terminal.type("\t\r")
        terminal.expect("type 41ab9e0, then enter")
        terminal.press(f"41ab9e0{tail}")
        terminal.expect("pasted or typed ahead, and dropped: type 41ab9e0 key by key")
        terminal.watch(0.3)
        assert not re.search("to confirm: +4", terminal.text()) and _told(tmp_path) == ["plan"]
        terminal.type("\r")
        terminal.expect("type 41ab9e0 to confirm")
        assert _told(tmp_path) == ["plan"]
        terminal.type("41ab9e0\r", gap_s=0.03)  # the counter-test: the same word, typed
        terminal.expect("All steps done")
        assert _told(tmp_path) == ["plan", "confirm"]


def test_what_comes_at_once_is_seen_whatever_the_console_does_meanwhile(tmp_path: Path) -> None:
    """While a page is drawn the thread that reads keys waits for the interpreter: one read() looks like typing."""
    with _console(tmp_path) as terminal:
        _asked(terminal)
        terminal.type("\t\r")
        for _ in range(40):
            terminal.press("41ab9e0\r")
            terminal.expect("pasted or typed ahead")
            assert _told(tmp_path) == ["plan"]
            terminal.type("x")
            terminal.expect("type 41ab9e0, then enter")


def test_a_few_keys_in_one_packet_are_typing(tmp_path: Path) -> None:
    """A slow line gathers two or three strokes."""
    with _console(tmp_path) as terminal:
        _asked(terminal)
        for packet in ("\t\r", "41a", "b9", "e0\r"):
            terminal.press(packet)
            terminal.watch(0.1)
        terminal.expect("All steps done")
        assert _told(tmp_path) == ["plan", "confirm"]


def test_a_reason_may_be_pasted_but_not_what_follows_it(tmp_path: Path) -> None:
    with _console(tmp_path) as terminal:
        _asked(terminal)
        terminal.press("\t")
        terminal.expect("enter, 41ab9e0, enter")
        terminal.press("because of it\r41ab9e0\r")
        terminal.expect("pasted: its first line is the reason; enter goes on")
        assert "because of it" in terminal.text() and _told(tmp_path) == ["plan"]
        terminal.type("\rx")
        terminal.expect("to confirm: +x +Cancel")
        assert _told(tmp_path) == ["plan"]


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
