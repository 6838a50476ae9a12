"""Draws the README's recording: `radar demo --story` in a real terminal, its screens as an animated SVG."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.animation import Cell, Frame, animated
from tests.e2e.terminal import Terminal

SETTLED_S = 1.2
"""After a caption came: its page has been drawn by then."""
LONGEST_S = 240.0
LAST_S = 4.0
LEAST_S = 0.3
"""What stood for less is the line of a page that was left."""
END = "that was the night"


def record(columns: int, rows: int) -> list[Frame]:
    """Play the story; a frame for each caption as it came, and one as it went."""
    with TemporaryDirectory(prefix="radar-story-") as directory:
        command = [sys.executable, "-m", "console.cli", "demo", "--story", "--dir", f"{directory}/demo"]
        state = {"XDG_STATE_HOME": f"{directory}/state"}
        with Terminal(command, columns=columns, rows=rows, environment=state) as terminal:
            shots = _watch(terminal)
            terminal.press("q")
            terminal.wait_exit(30)
    times = [at_s for at_s, _ in shots] + [shots[-1][0] + LAST_S]
    frames = [Frame(cells, times[index + 1] - times[index]) for index, (_, cells) in enumerate(shots)]
    return [frame for frame in frames if frame.seconds >= LEAST_S]


def _watch(terminal: Terminal) -> list[tuple[float, tuple[tuple[Cell, ...], ...]]]:
    shots: list[tuple[float, tuple[tuple[Cell, ...], ...]]] = []
    caption, came_s, taken = "", 0.0, True
    began_s, latest = time.monotonic(), terminal.cells()
    while time.monotonic() - began_s < LONGEST_S:
        if not terminal.pump(0.1):
            raise SystemExit(f"the demo ended:\n{terminal.text()}")
        told, now_s = _caption(terminal.text()), time.monotonic()
        if told and told != caption:
            if caption:
                shots.append((now_s - 1.0, latest))
            caption, came_s, taken = told, now_s, False
        elif not taken and now_s - came_s > SETTLED_S:
            shots.append((came_s, terminal.cells()))
            taken = True
            if END in caption:
                return shots
        if "ends here" in caption:
            raise SystemExit(terminal.text())
        latest = terminal.cells()
    raise SystemExit(f"not at its end after {LONGEST_S:g} s:\n{terminal.text()}")


def _caption(screen: str) -> str:
    last = screen.rstrip().splitlines()[-1].strip() if screen.strip() else ""
    return last if last.startswith("STORY") else ""


def main() -> None:
    """Record and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=36)
    parser.add_argument("file", type=Path, nargs="?", default=Path("docs/story.svg"))
    arguments = parser.parse_args()
    frames = record(arguments.columns, arguments.rows)
    arguments.file.write_text(animated(frames, "radar demo --story"), encoding="utf-8")


if __name__ == "__main__":
    main()
