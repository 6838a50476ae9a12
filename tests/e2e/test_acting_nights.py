"""Nights that end by an action: a bad deployment undone by keys and by commands alone, maintenance on and off."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import RunningDemo
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.xdist_group("nights")

WELL = r"● HEALTHY"
MOST_KEYS = 12
MOST_S = 30.0


@contextmanager
def bad_deployment(demo: RunningDemo) -> Iterator[None]:
    """While inside, the demo has deployed what answers with errors."""
    demo.fault("bad-deploy", True)
    try:
        yield
    finally:
        demo.fault("bad-deploy", False)


class Counted:
    """Presses keys and counts them."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = 0

    def press(self, *keys: str) -> None:
        """One after the other."""
        for key in keys:
            self.terminal.type(key)
            self.keys += 1


def test_maintenance_is_seen_from_outside_and_ended(demo: RunningDemo) -> None:
    with demo.console() as terminal:
        terminal.expect(WELL, 180)
        plan = json.loads(demo.radar("maintenance", "on", "--plan", "--json").stdout)["plan"]
        phrase = f"demo/{plan['short_id']}"
        on = demo.radar("maintenance", "on", "--reason", "a change of the schema", "--confirm", phrase, timeout_s=120)
        try:
            assert on.returncode == 0, on.stderr + on.stdout
            terminal.expect(r"! MAINTENANCE", 30)
            terminal.expect_not(r"✗ UNHEALTHY", 30)
        finally:
            off = demo.radar("maintenance", "off", "--reason", "done", "--confirm", "demo/off", timeout_s=120)
        assert off.returncode == 0, off.stderr + off.stdout
        terminal.expect_not(r"! MAINTENANCE", 30)


def test_a_bad_deployment_is_seen_on_the_charts_named_and_undone_in_twelve_keystrokes(
    demo: RunningDemo, record_property: Callable[[str, object], None]
) -> None:
    """From "something is wrong" to "since then, with this deployment" by eye and by keys, and to the cure."""
    with demo.console() as terminal:
        terminal.expect(WELL, 180)
        terminal.press("2")
        terminal.expect("RESPONSE DISTRIBUTION", 20)
        terminal.wait(lambda screen: 0 <= errors_percent(screen) < 1, 60, what="a known error rate within its target")
        with bad_deployment(demo):
            see_it_on_the_charts(terminal)
            status, document = demo.check()
            assert status == 2 and document["verdict"]["whose"] == "us", document
            terminal.press("1")
            terminal.expect("✗ UNHEALTHY", 20)
            terminal.expect(r"deployment [0-9a-f]{7}", 20)
            undo_it(terminal, record_property)
            terminal.expect(r"! PINNED by rollback to", 20)
    ended = json.loads(demo.radar("actions", "--json").stdout)["runs"][0]
    assert ended["outcome"] == "done" and ended["action"] == "rollback"
    promote(demo)


def see_it_on_the_charts(terminal: Terminal) -> None:
    """The error rate leaves its target; a mark names the deployment and leads to it."""
    terminal.wait(lambda screen: errors_percent(screen) > 1, 90, what="errors over their target")
    terminal.expect(r"MARKS(?:.*\n){1,3}.*[0-9a-f]{7} \"|MARKS.*[0-9a-f]{7} \"", 30)
    terminal.expect(r"✗ [0-9:]+ application unhealthy|✗ [0-9:]+ routes unhealthy", 30)
    for _ in range(12):  # alerts and components that came of it are newer
        terminal.press("m")
        terminal.watch(0.3)
        if chosen := re.search(r'▌ [0-9:]+ ([0-9a-f]{7}) "', terminal.text()):
            break
    assert chosen is not None, terminal.text()
    terminal.press("\r")
    terminal.expect("CI RUNS", 20)
    terminal.expect(rf"▌.*{chosen[1]}", 20)
    terminal.press("2")
    terminal.expect("RESPONSE DISTRIBUTION", 20)


def undo_it(terminal: Terminal, record_property: Callable[[str, object], None]) -> None:
    """By what Health suggests, counting keys and seconds."""
    terminal.expect(r"NEXT a roll back [0-9a-f]{7}", 60)
    hands, began = Counted(terminal), time.perf_counter()
    hands.press("a")
    terminal.expect(r"PLAN +Roll back \w+ from [0-9a-f]{7} to [0-9a-f]{7}", 20)
    record_property("seconds_to_plan", round(time.perf_counter() - began, 2))
    terminal.expect(r"TYPE +[0-9a-f]{7} to confirm", 20)
    short = re.search(r"TYPE +([0-9a-f]{7}) to confirm", terminal.text())
    assert short is not None
    terminal.watch(0.6)  # what is pressed in the page's first half second is no answer
    hands.press("\t", "\r", *short[1], "\r")
    terminal.expect(r"All steps done", MOST_S)
    record_property("seconds_to_verified", round(time.perf_counter() - began, 1))
    record_property("keystrokes", hands.keys)
    assert hands.keys <= MOST_KEYS


def errors_percent(screen: str) -> float:
    """The newest error rate, as the line of the cursor tells it; -1 where it is unknown."""
    found = re.search(r"errors ([\d.,]+) %", screen[screen.find("CURSOR") :])
    return float(found[1].replace(",", "")) if found else -1.0


def test_the_same_by_commands_alone(demo: RunningDemo) -> None:
    with bad_deployment(demo):
        plan = json.loads(demo.radar("rollback", "--plan", "--json").stdout)["plan"]
        refused = demo.radar("rollback", "--reason", "errors since the deployment")
        assert refused.returncode == 2 and f"--confirm demo/{plan['short_id']}" in refused.stderr
        done = demo.radar("rollback", "--reason", "errors", "--confirm", f"demo/{plan['short_id']}", timeout_s=120)
        assert done.returncode == 0, done.stderr + done.stdout
        assert "done and verified" in done.stdout
        left = json.loads(demo.radar("open", "--json").stdout)["open"]
        assert [item["kind"] for item in left] == ["pinned", "arming"] and left[0]["undo"].startswith("radar promote ")
        assert demo.radar("audit").stdout.count("rollback") == 0  # the audit tells titles, not names of actions
        assert "Roll back" in demo.radar("audit").stdout
    promote(demo)
    left = json.loads(demo.radar("open", "--json").stdout)["open"]
    assert [item["kind"] for item in left] == ["arming"], "what was given as the reason holds a quarter of an hour"


def promote(demo: RunningDemo) -> None:
    """The way back: the newest good deployment, which ends the pin."""
    production = [each for each in json.loads(demo.radar("deployments", "--json").stdout)["deployments"]
                  if each["state"] == "ready" and each["target"] == "production"]  # fmt: skip
    good = next(each for each in production if "pricing v2" not in each["message"] or "Revert" in each["message"])
    done = demo.radar("promote", good["id"], "--reason", "mended", "--confirm", f"demo/{good['short']}", timeout_s=120)
    assert done.returncode in (0, 1), done.stderr + done.stdout
