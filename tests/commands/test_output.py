"""Where the words go: a full disk under standard output or standard error, and a reader that left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.commands.conftest import Collector, Site

FULL = Path("/dev/full")
SAID = "radar: cannot write to standard output: no space left on device\n"

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def ended(site: Site, *typed: str, both: bool = False) -> tuple[int, str]:
    """Status and words of a command whose standard output is on a full disk; `both`: standard error as well."""
    with FULL.open("wb") as full:
        stderr = full if both else subprocess.PIPE
        process = site.start(*typed, stdout=full, stderr=stderr, stdin=subprocess.DEVNULL)
        try:
            said = process.communicate(timeout=30)[1]
        finally:
            process.kill()
    return process.returncode, said or ""


@pytest.mark.parametrize(
    "typed",
    [
        ["metrics", "--json"],
        ["metrics"],
        ["alerts"],
        ["alerts", "--json"],
        ["check"],
        ["check", "--json"],
        ["doctor", "--offline"],
        ["watch"],
        ["watch", "--json"],
        ["actions"],
        ["open", "--json"],
        ["handover"],
        ["incident", "export", "--from", "-1h"],
        ["audit"],
        ["completion", "bash"],
        ["--help"],
        ["--version"],
    ],
)
def test_a_full_disk_is_told_in_one_line_and_is_no_shortfall(
    site: Site, collector: Collector, typed: list[str]
) -> None:
    collector.round()
    assert ended(site, *typed) == (2, SAID)


def test_where_nothing_can_be_said_the_status_says_it(site: Site, collector: Collector) -> None:
    collector.round()
    assert ended(site, "alerts", both=True)[0] == 2
    with FULL.open("wb") as full:
        process = site.start("alerts", "--env", "nowhere", stdout=subprocess.DEVNULL, stderr=full)
        assert process.wait(30) == 2, "the words of the mistake are lost, so is its status"


@pytest.mark.parametrize("typed", [["alerts"], ["completion", "fish"], ["--help"]])
def test_a_reader_that_left_is_still_no_error(site: Site, collector: Collector, typed: list[str]) -> None:
    collector.round()
    read, write = os.pipe()
    os.close(read)
    process = site.start(*typed, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (process.communicate(timeout=30)[1], process.returncode) == ("", 0)


def test_an_error_of_the_system_that_is_none_of_the_output_is_not_taken_for_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.cli import main

    def failing(_: object) -> int:
        raise PermissionError(13, "of something else")

    monkeypatch.setattr("console.commands.completion.run", failing)
    with pytest.raises(PermissionError, match="something else"):
        main(["completion", "bash"])
