"""The console's budgets, measured as ratios in one run: start, keys, idle processor, idle bytes.

Run by `make bench`. A demo collects for a while, so that the store is one from before; then the console
and a bare Textual application start in turn in the same pseudo-terminal. Absolute times on a shared
machine lie: read the ratios, and the processor time. Writes `tests/bench/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.bench.process_time import processor_s, resident_mib
from tests.e2e.terminal import Terminal

RADAR = [sys.executable, "-m", "console.cli"]
BARE = [sys.executable, "-m", "tests.bench.bare_app"]
RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True)
class Row:
    """One line of the results: what was measured, the figure, the budget."""

    what: str
    figure: str
    budget: str
    kept: bool | None


def start_s(command: list[str], pattern: str) -> float:
    """Seconds from the start of the command until the pattern stands on its screen."""
    with Terminal(command, columns=160, rows=48) as terminal:
        return terminal.expect(pattern, 30)


def measure_start(configuration: Path, runs: int) -> list[Row]:
    """Start to Health with values against a bare application, in turn."""
    radar = [*RADAR, "--config", str(configuration)]
    pairs = [(start_s(radar, r"application +\S+ \w+"), start_s(BARE, "bare and ready")) for _ in range(runs)]
    ratio = statistics.median(ours / bare for ours, bare in pairs)
    ours, bare = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    figure = f"{ratio:.2f} x ({ours:.0f} ms against {bare:.0f} ms)"
    return [Row("start to Health with values", figure, "1.5 x a bare Textual app", ratio <= 1.5)]


def key_latencies(terminal: Terminal, presses: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the Alerts screen: first visit, and visits after it."""
    first: list[float] = []
    later: list[float] = []
    for number in range(presses):
        terminal.press("9")
        taken = terminal.expect(r"RULE|FIRING", 10) * 1000
        (later if number else first).append(taken)
        terminal.press("1")
        terminal.expect(r"COMPONENT", 10)
        terminal.watch(0.2)
    return first, later


def measure_running(configuration: Path, collector: psutil.Process, idle_s: float, settle_s: float) -> list[Row]:
    """Keys, then the idle console: its processor time, its collector's, its bytes and memory."""
    with Terminal([*RADAR, "--config", str(configuration)], columns=160, rows=48) as terminal:
        terminal.expect(r"application +\S+ \w+", 30)
        first, later = key_latencies(terminal, 21)
        terminal.watch(settle_s)
        console = psutil.Process(terminal.pid)
        before = processor_s(console), processor_s(collector)
        sent = terminal.watch(idle_s) / idle_s
        ours = (processor_s(console) - before[0]) / idle_s
        theirs = (processor_s(collector) - before[1]) / idle_s
        later.sort()
        p95 = later[int(0.95 * (len(later) - 1))]
        return [
            Row("key to a screen, first visit", f"{first[0]:.0f} ms", "200 ms", first[0] <= 200),
            Row("key to a screen seen before, p95 of 20", f"{p95:.0f} ms", "80 ms", p95 <= 80),
            Row(f"idle console over {idle_s:.0f} s", f"{ours:.2%} of a core", "0.5 %", ours <= 0.005),
            Row(f"idle collector over {idle_s:.0f} s", f"{theirs:.2%} of a core", "1 %", theirs <= 0.01),
            Row("idle bytes to the terminal at 160x48", f"{sent:.0f} B/s", "400 B/s", sent <= 400),
            Row("resident memory, console", f"{resident_mib(console):.0f} MiB", "", None),
            Row("resident memory, collector", f"{resident_mib(collector):.0f} MiB", "", None),
        ]


def render(rows: list[Row]) -> str:
    """The results as a Markdown table."""
    lines = [
        "# Measured budgets",
        "",
        f"By `make bench` on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} shared cores, demo running beside it.",
        "Absolute times depend on the machine; ratios and processor shares are what is judged.",
        "",
        "| what | measured | budget | kept |",
        "|---|---|---|---|",
    ]
    words = {True: "yes", False: "**no**", None: ""}
    lines += [f"| {row.what} | {row.figure} | {row.budget} | {words[row.kept]} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Start a demo, measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=60)
    parser.add_argument("--settle", type=float, default=40, help="seconds before the idle measurement begins")
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        demo = subprocess.Popen(
            [*RADAR, "demo", "--no-ui", "--dir", directory], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            assert demo.stdout is not None
            configuration = Path(directory) / "radar.toml"
            while str(configuration) not in (line := demo.stdout.readline()):
                if not line:
                    raise SystemExit("the demo ended before it was ready")
            rows = measure_start(configuration, options.runs)
            rows += measure_running(configuration, psutil.Process(demo.pid), options.idle, options.settle)
        finally:
            demo.terminate()
            demo.wait(20)
    text = render(rows)
    RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
