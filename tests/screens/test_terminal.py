"""The console in a real pseudo-terminal: ends, signals, hostile text, sizes, colours, what it imports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from screens.session import Session, save
from tests.e2e.terminal import Terminal

RESTORED = (b"\x1b[?1049l", b"\x1b[?25h")
QUIT_S = 1.0


@contextmanager
def console(case: str, directory: Path, **more: object) -> Iterator[Terminal]:
    """A console on a scripted store, ready."""
    command = [sys.executable, "-m", "tests.screens.program", case, str(directory)]
    with Terminal(command, **more) as terminal:  # type: ignore[arg-type]
        terminal.expect("LATELY|too small")
        yield terminal


def restored(terminal: Terminal) -> bool:
    """Whether the terminal was given back: main screen, cursor shown."""
    return all(sequence in bytes(terminal.raw) for sequence in RESTORED)


def test_q_quits_and_gives_the_terminal_back(tmp_path: Path) -> None:
    with console("live", tmp_path) as terminal:
        terminal.press("q")
        assert terminal.wait_exit() == 0 and restored(terminal)


def test_quitting_takes_under_a_second_while_reads_and_actions_hang(tmp_path: Path) -> None:
    with console("hang", tmp_path) as terminal:
        terminal.press("r")
        terminal.press("9")
        terminal.expect("reading the store")
        start = time.perf_counter()
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert time.perf_counter() - start < QUIT_S
        assert restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_the_session_is_kept(tmp_path: Path, number: signal.Signals) -> None:
    with console("live", tmp_path) as terminal:
        terminal.press("j")
        terminal.expect("▌users")
        os.kill(terminal.pid, number)
        assert terminal.wait_exit() == 128 + number and restored(terminal)
    assert '"health": "users"' in (tmp_path / "session.json").read_text()


def test_a_hung_up_terminal_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.screens.program", "live", str(tmp_path)]
    terminal = Terminal(command)
    try:
        terminal.expect("LATELY")
        os.close(terminal._descriptor)
        deadline = time.monotonic() + 10
        while os.waitpid(terminal.pid, os.WNOHANG) == (0, 0):
            assert time.monotonic() < deadline, "still running without a terminal"
            time.sleep(0.02)
        terminal.status = 0
    finally:
        if terminal.status is None:
            os.kill(terminal.pid, signal.SIGKILL)


def test_a_crash_shows_no_local_variables(tmp_path: Path) -> None:
    with console("crash", tmp_path) as terminal:
        terminal.press("o")
        assert terminal.wait_exit() != 0
        raw = bytes(terminal.raw)
        assert b"a defect with 24 letters" in re.sub(rb"\x1b\[[\d;]*m", b"", raw) and restored(terminal)
        # The line of the source may stand there, the value of the variable may not.
        assert b"password = 'hunter2" not in raw and b"locals" not in raw


def test_hostile_text_moves_nothing_and_writes_no_clipboard(tmp_path: Path) -> None:
    with console("hostile", tmp_path, columns=160, rows=48) as terminal:
        terminal.expect("q quit")
        terminal.watch(0.3)
        for keys, shown in (("2", "CURSOR"), ("t", "newest first"), ("t", "CURSOR"), ("f", "CURSOR")):
            terminal.press(keys)
            terminal.expect(shown)
        terminal.watch(0.3)
        # The one that textual sends itself: the shape of the mouse pointer.
        raw = bytes(terminal.raw).replace(b"\x1b]22;default\x07", b"")
        assert not any(sequence in raw for sequence in (b"\x1b]", b"\x1bc", b"\x07", "\u202e".encode()))
        assert b"\x9b" not in re.sub(rb"[\xc2-\xf4][\x80-\xbf]+", b"", raw)
        lines = terminal.text().splitlines()
        assert lines[-1].strip().endswith("q quit") and "LIVE" in lines[0]


def test_a_terminal_shrunk_to_20x5_and_back_shows_the_page_again(tmp_path: Path) -> None:
    with console("live", tmp_path, columns=80, rows=24) as terminal:
        terminal.resize(20, 5)
        terminal.wait(lambda text: "UNHEALTHY" in text and "WHY" not in text, what="the short line")
        terminal.press("9")
        terminal.press("j")
        terminal.resize(59, 15)
        terminal.expect("too small: 60×16 needed")
        terminal.resize(80, 24)
        terminal.expect("FIRING 2")
        terminal.press("1")
        terminal.expect("LATELY")


def test_no_color_sends_no_colour_but_tells_states_apart(tmp_path: Path) -> None:
    with console("live", tmp_path, environment={"NO_COLOR": "1"}) as terminal:
        terminal.expect("✗ unhealthy")
        colours = re.findall(rb"\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|38|48|9[0-7]|10[0-7])[;\d]*m", bytes(terminal.raw))
        assert colours == []


TRUECOLOUR = re.compile(rb"\x1b\[[\d;]*[34]8;2;")


def test_the_ansi_theme_uses_the_terminals_own_colours_from_the_start_and_when_chosen(tmp_path: Path) -> None:
    save(tmp_path / "session.json", Session(theme="ansi", configured_theme="dark"))
    with console("live", tmp_path) as terminal:
        terminal.watch(0.2)
        assert not TRUECOLOUR.search(bytes(terminal.raw)) and b"\x1b[1;31" in bytes(terminal.raw)
        terminal.press(":light\r")
        terminal.wait(lambda _: TRUECOLOUR.search(bytes(terminal.raw)), what="the light theme")
        terminal.press(":ansi\r")
        terminal.expect("LATELY")
        terminal.watch(1.0)
        sent = len(terminal.raw)
        terminal.press("j")
        terminal.expect("▌routes")
        assert not TRUECOLOUR.search(bytes(terminal.raw[sent:]))


def test_keys_and_code_from_the_environment_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    variables = {
        "TEXTUAL_PRESS": "q",
        "TEXTUAL_DRIVER": "evil:Driver",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())]),
    }
    with console("live", tmp_path, environment=variables) as terminal:
        terminal.press("9")
        terminal.expect("FIRING 2")


@pytest.mark.parametrize("variables", [{}, {"TMUX": "/tmp/tmux-0/default,1,0"}, {"STY": "1.pts-0"}])
def test_copying_goes_through_osc_52_and_says_so(tmp_path: Path, variables: Mapping[str, str]) -> None:
    with console("live", tmp_path, environment=variables) as terminal:
        terminal.press("y")
        terminal.expect("copied .* to the terminal's clipboard")
        raw = bytes(terminal.raw)
        opening = (
            b"\x1bPtmux;\x1b\x1b]52;c;" if "TMUX" in variables else b"\x1bP\x1b]52;c;" if variables else b"\x1b]52;c;"
        )
        assert opening in raw


HEAVY = (
    "httpx",
    "psycopg",
    "psutil",
    "plotext",
    "msgspec",
    "starlette",
    "uvicorn",
    "screens.alerts",
    "screens.metrics",
)


def test_the_console_starts_without_the_heavy_parts() -> None:
    code = "import sys, console.app; print([name for name in sys.argv[1:] if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    counter = subprocess.run(
        [sys.executable, "-c", "import httpx; " + code, *HEAVY], capture_output=True, text=True, check=True
    )
    assert "httpx" in counter.stdout, "the test itself must see a heavy part"


def test_a_command_typed_in_one_go_goes_into_the_palette_and_nowhere_else(tmp_path: Path) -> None:
    with console("live", tmp_path) as terminal:
        terminal.press(":quit alerts q")
        terminal.expect("Nothing is called 'quit alerts q'")
        terminal.press("\x1b")
        terminal.expect("LATELY")
        terminal.press(":alerts\r")
        terminal.expect("FIRING 2")
