"""`--at`: what reads the store tells of that moment, before or after the command's name; the rest refuses it."""

from __future__ import annotations

import pytest

from console.cli import COMMANDS, LOOKING_BACK, parser
from console.commands.completion import _walk
from console.commands.metrics import WINDOWS
from console.model.charts import WINDOWS_S
from console.model.states import State
from console.model.times import iso
from tests.commands.conftest import Collector, Radar

LONG_AGO = "2026-01-02T03:04:05Z"
NOW_ONLY = sorted({*COMMANDS} - {*LOOKING_BACK})
NEEDED = {
    "completion": ["bash"], "ack": ["1"], "silence": ["x"], "promote": ["x"], "deploy": ["staging"], "freeze": ["on"],
    "rerun": ["1"], "cancel-run": ["1"], "maintenance": ["status"], "incident": ["note", "x"],
}  # fmt: skip


@pytest.mark.parametrize("command", LOOKING_BACK)
def test_a_command_that_reads_the_store_tells_of_that_moment(command: str, collector: Collector, radar: Radar) -> None:
    collector.round(State.UNHEALTHY, firing=True)
    for typed in (["--at", LONG_AGO, command], [command, "--at", LONG_AGO]):
        told = radar(*typed)
        assert told.out.startswith("AS OF 2026-01-02 03:04 UTC, not of now\n"), told.out + told.err
        given = radar(*typed, "--json").document
        assert given.get("at", LONG_AGO) == LONG_AGO and not given.get("firing")
        assert "at" in given


def test_what_fires_now_did_not_then(collector: Collector, radar: Radar) -> None:
    at_ms = collector.round(State.UNHEALTHY, firing=True)
    assert "error rate" in radar("alerts").out
    assert len(radar("--at", "now", "alerts", "--json").document["firing"]) == 1
    assert radar("alerts", "--at", iso(at_ms - 60_000), "--json").document["firing"] == []


@pytest.mark.parametrize("command", NOW_ONLY)
@pytest.mark.parametrize("last", [True, False])
def test_what_is_about_now_refuses_it_in_words(command: str, last: bool, radar: Radar) -> None:
    typed = [command, *NEEDED.get(command, [])]
    done = radar(*typed, "--at", "-2h") if last else radar("--at", "-2h", *typed)
    assert done.status == 3 and f"{command} takes no --at" in done.err and done.out == ""


@pytest.mark.parametrize("typed", [["resume", "1"], ["close", "1", "--reason", "x"], ["cancel", "1"], ["disarm"]])
def test_nothing_of_the_past_is_acted_on(typed: list[str], radar: Radar) -> None:
    done = radar("actions", *typed, "--at", "-2h")
    assert done.status == 3 and f"actions {typed[0]} takes no --at" in done.err


@pytest.mark.parametrize("command", LOOKING_BACK)
@pytest.mark.parametrize("time", ["garbage", "2999-01-01"])
def test_a_time_that_is_none_is_refused(command: str, time: str, radar: Radar) -> None:
    assert [radar(*typed).status for typed in (["--at", time, command], [command, "--at", time])] == [3, 3]


def test_the_windows_are_those_of_the_screen() -> None:
    assert tuple(WINDOWS.values()) == WINDOWS_S and {"5m", "15m", "1h", "6h", "24h", "7d", "30d"} == {*WINDOWS}


def test_help_offers_it_where_it_means_something() -> None:
    made = parser((), whole=True)
    below = next(action for action in made._actions if hasattr(action, "_choices_actions")).choices or {}
    offered = {words.path: [option for option, _ in words.options] for words in _walk(made, ())}
    assert "--at" in offered[("metrics",)] and "--at" not in offered[("doctor",)]
    assert "--at" in below["metrics"].format_help() and "--at" not in below["doctor"].format_help()  # type: ignore[index]
