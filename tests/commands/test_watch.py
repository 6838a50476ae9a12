"""`radar watch` as a process at the other end of a pipe."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from console.model.states import State
from console.model.times import clock
from console.store.clock import now_ms
from tests.commands.conftest import RULE, Collector, Site
from tests.store import samples


class Watch:
    """A running `radar watch` and the lines that it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self._stdout = process.stdout
        self._rest = b""

    def line(self, within_s: float = 20) -> str:
        """The next line, as soon as it is there."""
        deadline = time.monotonic() + within_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no line within {within_s} s"
            read = os.read(self._stdout.fileno(), 4096)
            assert read, f"it ended: {self.process.stderr.read() if self.process.stderr else ''}"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


@pytest.fixture
def watch(site: Site, collector: Collector) -> Iterator[Watch]:
    collector.round()
    process = site.start("watch", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        yield Watch(process)
    finally:
        process.kill()
        process.communicate()


def test_each_change_is_one_line_at_once(watch: Watch, collector: Collector) -> None:
    assert json.loads(watch.line())["state"] == "healthy"
    collector.round(State.UNHEALTHY, firing=True, event='8f3c1d2 "pricing v2" live')
    told = [json.loads(watch.line()) for _ in range(5)]
    assert {line["kind"] for line in told} == {"verdict", "reason", "component", "alert", "event"}
    assert {line["was"] for line in told if line["kind"] in ("verdict", "component")} == {"healthy"}


def test_what_is_seen_late_does_not_turn_back_the_time(site: Site, collector: Collector) -> None:
    began_ms = collector.round() - 90_000
    process = site.start("watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        lines = Watch(process)
        told = [lines.line()]
        fires = samples.judged(now_ms(), alerts=(samples.alert(began_ms=began_ms),), rules=(RULE,))
        collector.store.write_round(collector.lease, now_ms(), [samples.observed()], fires, {"health": 5.0})
        while "alert" not in told[-1]:
            told.append(lines.line())
    finally:
        process.kill()
        process.communicate()
    assert [line[:8] for line in told] == sorted(line[:8] for line in told)
    assert told[-1].endswith(f"(since {clock(began_ms)})")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(watch: Watch, number: signal.Signals) -> None:
    watch.line()
    watch.process.send_signal(number)
    assert watch.process.wait(10) == 0
    assert watch.process.stderr is not None and watch.process.stderr.read() == ""


def test_it_ends_when_nobody_reads_any_more(watch: Watch) -> None:
    watch.line()
    assert watch.process.stdout is not None
    watch.process.stdout.close()
    assert watch.process.wait(10) == 0
    assert watch.process.stderr is not None and watch.process.stderr.read() == ""


def test_plain_lines_carry_word_and_glyph_and_no_escapes(site: Site, collector: Collector) -> None:
    collector.round(State.UNHEALTHY)
    process = site.start("watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        lines = Watch(process)
        told = [lines.line() for _ in range(3)]
    finally:
        process.kill()
        process.communicate()
    assert any("verdict production: ✗ unhealthy" in line for line in told)
    assert not any("\x1b" in line for line in told)
