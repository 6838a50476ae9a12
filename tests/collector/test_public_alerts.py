"""Alerts on the public page, from a round to the page itself: once, found again after a lost answer, ended."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.collector import delivering
from console.model.configuration import Secret, Settings
from console.model.operations import Notify, Operations, Statuspage
from tests.collector.scripted import until
from tests.collector.told import configured, fires, judge, notifying, rows
from tests.notify.test_statuspage import KEY, Page
from tests.sources.loopback import Loopback, serving

HOSTILE = "db-7.internal refuses SELECT 1"
BEGAN, OVER = "statuspage public incident began", "statuspage public incident over"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "FIRST_RETRY_S", 0.1)
    monkeypatch.setattr("console.notify.statuspage.Statuspage.pace_s", 0.05)


def telling(directory: Path, server: Loopback, *alerts: str) -> Settings:
    page = Statuspage(key=Secret(KEY), page="page_1", components=("cmp_web",), api=server.url(), alerts=alerts,
                      alert_after_s=0)  # fmt: skip
    return configured(directory, Operations(statuspage=page, notify=Notify(test_weekly=False)))


def down(**more: Any) -> Any:
    return fires(HOSTILE, severity="critical", text=HOSTILE, **more)


async def test_from_its_beginning_to_its_end_there_is_one_incident(tmp_path: Path) -> None:
    page = Page()
    async with serving(page) as server:
        chosen = telling(tmp_path, server, "critical")
        alert = down()
        async with notifying(chosen) as collector:
            for _ in range(3):
                judge(collector, [alert, down(began_ms=alert.began_ms + 5000)], alert)
            await until(lambda: rows(chosen) == {BEGAN: "sent"}, "told")
        async with notifying(chosen) as successor:  # another collector takes over
            judge(successor, [alert])
            judge(successor, [], replace(alert, ended_ms=alert.began_ms + 60_000))
            await until(lambda: rows(chosen) == {BEGAN: "sent", OVER: "sent"}, "over")
    (incident,) = page.incidents
    assert incident["updates"] == ["investigating", "resolved"] and incident["components"] == {"cmp_web": "operational"}
    assert incident["deliver_notifications"] is False and incident["impact_override"] == "critical"
    assert "internal" not in json.dumps(page.incidents) and "SELECT" not in json.dumps(page.incidents)


async def test_after_a_lost_answer_the_page_is_read_and_nothing_made_twice(tmp_path: Path) -> None:
    page = Page()
    page.lost = True
    async with serving(page) as server:
        chosen = telling(tmp_path, server, "error-rate")
        async with notifying(chosen) as collector:
            judge(collector, [down()])
            await until(lambda: bool(page.incidents), "carried out, and no answer")
            page.lost = False
            await until(lambda: rows(chosen) == {BEGAN: "sent"}, "found")
    assert len(page.incidents) == 1 and page.asked.count("POST /incidents") == 1
    assert page.incidents[0]["updates"] == ["investigating"]


async def test_what_ends_while_this_host_is_offline_is_told_once_that_is_over(tmp_path: Path) -> None:
    page = Page()
    async with serving(page) as server:
        chosen = telling(tmp_path, server, "critical")
        alert = down()
        async with notifying(chosen) as collector:
            judge(collector, [alert])
            await until(lambda: rows(chosen) == {BEGAN: "sent"}, "told")
            judge(collector, [], replace(alert, ended_ms=alert.began_ms + 60_000), offline=True)
            judge(collector, [], offline=True)
            judge(collector, [])
            await until(lambda: rows(chosen) == {BEGAN: "sent", OVER: "sent"}, "over")
    assert page.incidents[0]["updates"] == ["investigating", "resolved"]


async def test_without_the_setting_the_page_is_not_even_asked(tmp_path: Path) -> None:
    page = Page()
    async with serving(page) as server:
        chosen = telling(tmp_path, server)
        async with notifying(chosen) as collector:
            judge(collector, [down()])
            await asyncio.wait_for(collector._thread.run(collector._planner.plan), 2)
    assert page.asked == [] and rows(chosen) == {}
