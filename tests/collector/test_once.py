"""One round of every source, for `radar check`."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest

from console.collector.once import one_round
from console.model.configuration import Egress
from console.model.maintenance import PAGE_FACT
from console.model.observation import ErrorKind, Json, Observation
from console.model.states import State
from console.store.records import Records
from tests.collector.scripted import Answer, answered, hang, refused, scripted, settings
from tests.collector.test_upkeep import hold


async def test_all_well_in_one_round(tmp_path: Path) -> None:
    asked = scripted("health", "ping", "route:/")
    observations, judgement = await one_round(settings(tmp_path), build=asked.build)
    assert {observation.target for observation in observations} == {"health", "ping", "route:/"}
    assert judgement.verdict.state is State.HEALTHY
    assert all(source.calls == 1 and source.closed for source in asked.sources.values())
    assert not (tmp_path / "state").exists(), "no store is needed, none is made"


async def test_one_failure_counts_since_there_is_no_second(tmp_path: Path) -> None:
    asked = scripted("health", "ping", "route:/", "route:/pricing")
    asked.sources["route:/pricing"].now = answered("route:/pricing", State.UNHEALTHY, "500")
    _, judgement = await one_round(settings(tmp_path), build=asked.build)
    assert judgement.verdict.state is State.UNHEALTHY
    assert [(reason.key, reason.text) for reason in judgement.verdict.reasons] == [("routes.down", "/pricing: 500")]


async def test_a_slow_route_is_asked_again_and_told_when_it_is_slow_again(tmp_path: Path) -> None:
    def slow(*latencies_ms: float) -> Answer:
        left = iter(latencies_ms)

        async def answer() -> Observation:
            return answered("route:/", State.HEALTHY, "200", samples={"ok": 1.0, "latency_ms": next(left)})

        return answer

    asked = scripted("health", "ping", "route:/", "route:/pricing")
    asked.sources["route:/"].now = slow(3100.0, 2900.0)
    _, judgement = await one_round(settings(tmp_path), build=asked.build)
    assert judgement.verdict.state is State.DEGRADED
    assert judgement.verdict.reasons[0].text == "/ takes 2,900 ms (limit 200 ms)"
    assert (asked.sources["route:/"].calls, asked.sources["route:/pricing"].calls) == (2, 1)
    asked = scripted("health", "ping", "route:/")
    asked.sources["route:/"].now = slow(3100.0, 90.0)
    _, judgement = await one_round(settings(tmp_path), build=asked.build)
    assert judgement.verdict.state is State.HEALTHY, "the first one paid for the handshakes"


async def test_an_offline_bastion_is_told_from_an_application_that_is_down(tmp_path: Path) -> None:
    chosen = settings(tmp_path, egress=Egress(targets=("http://127.0.0.1:9",)))
    for online in (True, False):
        asked = scripted("health", "ping", "certificate:127.0.0.1:1", "egress", "host")
        for target in ("health", "ping", *(() if online else ("egress",))):
            asked.sources[target].now = refused(target)
        _, judgement = await one_round(chosen, build=asked.build)
        expected = (State.UNHEALTHY, "us") if online else (State.UNKNOWN, "bastion")
        assert (judgement.verdict.state, judgement.verdict.whose) == expected


async def test_a_source_that_hangs_costs_its_time_out_and_one_that_breaks_is_told(tmp_path: Path) -> None:
    asked = scripted("health", "ping", "host")
    asked.sources["health"].now, asked.sources["health"].timeout_s = hang, 0.1
    asked.sources["host"].now = ZeroDivisionError("oops")
    observations, judgement = await one_round(settings(tmp_path), build=asked.build)
    kinds = {observation.target: observation.error_kind for observation in observations}
    assert kinds == {"ping": None, "health": ErrorKind.TIMEOUT, "host": ErrorKind.INTERNAL}
    assert judgement.verdict.reasons[0].text == "health check fails: no answer within 0.1 s, while ping answers"


async def test_what_is_asked_a_second_time_has_what_is_left_of_the_whole_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first poll takes half of it, and the second hangs."""
    monkeypatch.setattr("console.collector.once.TOTAL_S", 2.0)
    asked = scripted("route:/", "ping")

    async def slow_then_hangs() -> Observation:
        await (asyncio.sleep(1.2) if asked.sources["route:/"].calls == 1 else asyncio.sleep(60))
        return answered("route:/", samples={"latency_ms": 3000.0})

    asked.sources["route:/"].now = slow_then_hangs
    began = time.monotonic()
    observations, _ = await one_round(settings(tmp_path), build=asked.build)
    assert asked.sources["route:/"].calls == 2 and time.monotonic() - began < 2.0 + 0.9
    assert {observation.target for observation in observations} == {"route:/", "ping"}


async def test_what_needs_two_samples_is_unknown(tmp_path: Path) -> None:
    _, judgement = await one_round(settings(tmp_path), build=scripted("metrics").build)
    assert {component.key: component.state for component in judgement.components}["users"] is State.UNKNOWN
    assert all(row.value is None for row in judgement.targets)


async def test_the_real_sources_of_an_application_that_is_not_there(tmp_path: Path) -> None:
    """The registry itself, on a port where nobody listens."""
    observations, judgement = await one_round(settings(tmp_path))
    assert {observation.target for observation in observations} >= {"health", "ping", "route:/", "host"}
    assert judgement.verdict.state is State.UNHEALTHY
    assert judgement.verdict.reasons[0].key == "application.down"
    assert judgement.verdict.reasons[0].text == "does not answer: connection refused"


async def test_the_maintenance_page_by_its_marker_is_one_while_the_ledger_holds_it(tmp_path: Path) -> None:
    asked, place = scripted("health", "ping", "route:/"), settings(tmp_path)
    facts: dict[str, Json] = {"http_status": 503, PAGE_FACT: "page"}
    asked.sources["route:/"].now = answered("route:/", State.UNHEALTHY, "503", facts=facts)
    _, judgement = await one_round(place, build=asked.build)
    assert judgement.verdict.state is State.UNHEALTHY
    with closing(Records(place.records_path)) as records:
        hold(records, "test", "op1 (loginuid)")
    _, judgement = await one_round(place, build=asked.build)
    (reason,) = judgement.verdict.reasons
    assert (reason.state, reason.text) == (State.DEGRADED, "/: in maintenance by op1 (loginuid)")
