"""Burn-rate alerts from the store on: read once a minute, forgotten when old, never fired by a fresh start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from console.collector.burning import Burning
from console.model.configuration import Settings, Thresholds
from console.model.metric_views import BurnRate
from console.model.metrics import Rollup
from console.store.clock import SystemClock
from console.store.errors import StoreError
from console.store.history import HistoryWriter
from console.store.observe import ObservedStore
from tests.collector.scripted import Clock, answered, refused, scripted, settings, until
from tests.collector.test_run import USUAL, collecting

M, H, D = 60_000, 3_600_000, 86_400_000
RATES = {"uptime": (BurnRate(long_s=3600, short_s=300, limit=14.4, long=1.0, short=2.0, firing=False),)}


@dataclass
class Store:
    """Counts what it is asked, and fails when told."""

    asked: int = 0
    trouble: str | None = None
    limits: list[Thresholds] = field(default_factory=list)

    def burn_rates(self, limits: Thresholds) -> Mapping[str, tuple[BurnRate, ...]]:
        self.asked += 1
        self.limits.append(limits)
        if self.trouble:
            raise StoreError(self.trouble)
        return RATES


def test_rates_are_read_once_a_minute_and_forgotten_when_they_cannot_be_read() -> None:
    store, clock = Store(), Clock()
    burning = Burning(cast(ObservedStore, store), Thresholds(), clock)
    assert burning.is_due and burning.rates == {}
    burning.read()
    assert burning.rates == RATES and not burning.is_due
    clock.boot_offset_ms = 59_000
    assert not burning.is_due
    clock.boot_offset_ms = 61_000
    assert burning.is_due
    store.trouble = "locked"
    with pytest.raises(StoreError):
        burning.read()
    assert not burning.is_due, "it is tried again in a minute, not at once"
    assert burning.rates == RATES, "two minutes old rates still tell something of hours"
    clock.boot_offset_ms = 182_000
    assert burning.rates == {}
    store.trouble = None
    burning.read()
    assert burning.rates == RATES


def gauge(value: float, minutes: int = 1) -> Rollup:
    return Rollup(n=12 * minutes, sum=12 * minutes * value, min=value, max=value, minutes=minutes)


def author(chosen: Settings, *, down_from: int, down_until: int) -> None:
    """Two days of uptime by minutes and hours; down from and until so many minutes ago."""
    now_ms = SystemClock().wall_ms()
    first = (now_ms - 2 * D) // H * H
    hours: dict[int, list[Rollup]] = {}
    with HistoryWriter(chosen.observed_path) as writer:
        found = []
        for at in range(first, now_ms // M * M, M):
            down = now_ms - down_from * M <= at < now_ms - down_until * M
            found.append((at, gauge(0.0 if down else 1.0)))
            hours.setdefault(at // H * H, []).append(found[-1][1])
        writer.minutes("application|up", found)
        merged = [(start, Rollup.merged(rollups)) for start, rollups in hours.items() if start + H <= now_ms]
        writer.hours("application|up", [(start, rollup) for start, rollup in merged if rollup is not None])


async def rules_after_a_read(
    chosen: Settings, *, up: bool, judged: bool = True
) -> tuple[list[str], dict[str, tuple[str, float | None]]]:
    """(burn rules that fire, state and value of each) after the second read. `judged`: there is enough to judge by."""
    asked = scripted(*USUAL)
    for target in USUAL:
        asked.sources[target].now = answered(target) if up else refused(target)
    async with collecting(chosen, asked) as running:
        await until(lambda: bool(running.alerts().rules), "the first round")
        running.clock.boot_offset_ms += 61_000  # the next read, with what was polled since
        calls = asked.sources["health"].calls
        await until(lambda: asked.sources["health"].calls > calls + 20, "more polls")

        def found() -> dict[str, tuple[str, float | None]]:
            rules = running.alerts().rules
            return {rule.name: (rule.state, rule.value) for rule in rules if rule.name.startswith("burn")}

        await until(lambda: not judged or found()["burn-fast"][1] is not None, "the burn rates to be judged")
        firing = [alert.rule for alert in running.alerts().firing if alert.rule.startswith("burn")]
        return firing, found()


async def test_an_outage_that_goes_on_fires_the_fast_and_the_slow_rule(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    author(chosen, down_from=40, down_until=0)
    firing, rules = await rules_after_a_read(chosen, up=False)
    assert {"burn-fast", "burn-slow"} <= set(firing)
    state, value = rules["burn-fast"]
    assert state == "firing" and value is not None and value > 14.4


async def test_an_outage_that_is_over_does_not_fire_though_the_hour_is_over_the_limit(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    author(chosen, down_from=45, down_until=35)
    firing, rules = await rules_after_a_read(chosen, up=True)
    assert "burn-fast" not in firing and rules["burn-fast"] == ("ok", 0.0)


async def test_a_fresh_start_never_fires_whatever_it_sees(tmp_path: Path) -> None:
    firing, rules = await rules_after_a_read(settings(tmp_path), up=False, judged=False)
    assert firing == []
    assert {state for state, _ in rules.values()} == {"unknown"}
