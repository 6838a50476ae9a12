"""`radar demo --story` in a real terminal: it plays itself to its end, and a key hands the console over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import RADAR
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.xdist_group("story")


def played(directory: Path, pace: float = 1.0) -> Terminal:
    command = [*RADAR, "demo", "--story", "--pace", str(pace), "--dir", str(directory / "demo")]
    return Terminal(command, columns=120, rows=36, environment={"XDG_STATE_HOME": str(directory / "state")})


def test_it_plays_to_its_end(tmp_path: Path) -> None:
    with played(tmp_path, pace=0.3) as terminal:
        terminal.expect(r"STORY all is well", 120)
        terminal.expect(r"STORY WHY", 90)
        assert re.search(r"deployment 8f3c1d2|8f3c1d2", terminal.text())
        terminal.expect(r"STORY `a`: the plan", 40)
        terminal.expect(r"STORY done and verified: 11 keys", 90)
        terminal.expect(r"STORY `o`, the ledger", 30)
        assert "PINNED" in terminal.text() and "radar promote dpl_" in terminal.text()
        terminal.expect(r"STORY that was the night: healthy again", 150)
        terminal.press("q")
        assert terminal.wait_exit(30) == 0


def test_a_key_hands_the_console_over(tmp_path: Path) -> None:
    with played(tmp_path) as terminal:
        terminal.expect(r"STORY all is well", 120)
        terminal.press("?")
        terminal.expect_not(r"STORY", 15)
        terminal.watch(6)
        assert "STORY" not in terminal.text(), "it says nothing more"
        terminal.press("\x1b")
        terminal.expect(r"^ WHY", 30)
        terminal.press("q")
        assert terminal.wait_exit(30) == 0
