"""What all pages do: feeding, trouble, resizing, the bell, and how little they send."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.configuration import Display
from tests.e2e.terminal import Terminal
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.sample import NOW, health, well
from tests.screens.sample_alerts import alerts
from tests.screens.scripted import ScriptedReads

BUDGET_B_PER_S = 400


async def test_trouble_keeps_the_last_value_and_shows_the_words(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        reads.trouble = "the disk is full"
        reads.number += 1
        await until_text(pilot, "the disk is full", "#notice")
        assert "database fails" in text_of(pilot) and "LAST READ" in text_of(pilot)
        reads.trouble = None
        await until_text(pilot, "LIVE", "#header")
        assert "disk" not in text_of(pilot)


async def test_while_nothing_can_be_read_nothing_is_green_and_ages_go_on(make_app: MakeApp) -> None:
    now = [NOW]
    reads = ScriptedReads(make_health=well, make_alerts=lambda: alerts(firing=()))
    async with make_app(reads, clock_ms=lambda: now[0]).run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "● Nothing is wrong")
        now[0] += 90_000
        reads.trouble = "the disk is full"
        reads.number += 1
        await until_text(pilot, "the disk is full", "#notice")
        head, shown = text_of(pilot, "#header"), text_of(pilot, "#body")
        assert "… STALE" in head and "LAST READ 03:12:44 UTC" in head and "HEALTHY" not in head
        assert "… Not known: last judged 1 m ago (then: nothing wrong)." in shown
        rows = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
        database = next(line for line in shown.splitlines() if line[1:].startswith("database"))
        assert "… stale" in database and "1 m" in database and "<5 s" not in database
        assert "● healthy" in rows["certificate"], "its interval of an hour has not passed"
        await pilot.press("enter")
        await until_text(pilot, "The store cannot be read")
        await pilot.press("escape", "9")
        await until_text(pilot, "the disk is full")
        assert "●" not in text_of(pilot, "#body")


async def test_trouble_from_the_start_fills_the_page_with_why(make_app: MakeApp) -> None:
    async with make_app(ScriptedReads(trouble="observed.db may not be read by you")).run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "observed.db may not be read by you", "#body")
        await pilot.press("9")
        await until_text(pilot, "observed.db may not be read by you", "#body")


async def test_growing_wide_brings_the_detail_and_longer_strips(make_app: MakeApp) -> None:
    reads = ScriptedReads()
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        assert not any(what.startswith("component") for what, _ in reads.asked)
        await pilot.resize_terminal(160, 48)
        await until_text(pilot, "JUDGED SO BECAUSE")
        await pilot.press("j")
        await until(pilot, lambda: ("component routes", None) in reads.asked, "asked for the routes")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "JUDGED" not in text_of(pilot), "narrow again")


async def test_every_size_from_tiny_to_huge_and_back(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        for page in ("1", "9"):
            await pilot.press(page)
            for size in [(20, 5), (1, 1), (60, 16), (59, 16), (60, 15), (250, 80), (140, 20), (80, 24)]:
                await pilot.resize_terminal(*size)
                await pilot.pause()
        await pilot.press("1")
        await until_text(pilot, "LATELY")


async def test_a_value_of_an_impossible_shape_is_told_and_does_not_end_the_console(make_app: MakeApp) -> None:
    broken = ScriptedReads(make_health=lambda slices, events: replace(health(slices, events), targets=None))  # type: ignore[arg-type]
    async with make_app(broken).run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "This page cannot be drawn: TypeError")
        await pilot.press("9")
        await until_text(pilot, "FIRING 2")


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_bell_rings_for_a_new_alert_only_if_wanted(make_app: MakeApp, wanted: bool) -> None:
    reads = ScriptedReads(make_health=well)
    app = make_app(reads, display=Display(bell=wanted))
    rung: list[bool] = []
    app.bell = lambda: rung.append(True)  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        reads.make_health = health
        reads.number += 1
        await until_text(pilot, "UNHEALTHY")
        reads.make_health = lambda slices, events: replace(health(slices, events))
        reads.number += 1
        await pilot.pause(0.1)
    assert rung == [True] * wanted


def test_an_idle_page_sends_little_and_begins_at_the_cell_that_changed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.screens.program", "live", str(tmp_path)]
    with Terminal(command, columns=160, rows=48) as terminal:
        terminal.expect("LATELY")
        terminal.watch(2)
        seconds = 11
        before = len(terminal.raw)
        sent = terminal.watch(seconds)
        assert 0 < sent < BUDGET_B_PER_S * seconds
        raw = bytes(terminal.raw[before:])
        # The clock ends the first line: a line sent from its beginning would mean that textual crops no more as we say.
        assert b"production" not in raw and b"\x1b[1;15" in raw
