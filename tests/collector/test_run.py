"""The collector on a real store, with scripted sources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from console.collector.run import run
from console.model.configuration import Egress, Rule, Settings
from console.model.observation import Event, Json
from console.model.states import State
from console.model.views import AlertsView, HealthView
from console.store.clock import SystemClock
from console.store.files import UnsuitablePlace
from console.store.observe import Holder, ObservedStore
from console.store.read import StoreReader
from console.store.records import Records
from tests.collector.scripted import Asked, Clock, answered, hang, refused, scripted, settings, until

USUAL = ("health", "ping", "route:/")


@dataclass
class Running:
    """A collector that runs, and the store as a screen reads it."""

    settings: Settings
    asked: Asked
    reader: StoreReader
    stop: asyncio.Event
    task: asyncio.Task[None]
    clock: Clock
    told: list[str] = field(default_factory=list)

    def health(self) -> HealthView:
        """What Health shows now."""
        return self.reader.health(None, events=50)

    def alerts(self) -> AlertsView:
        """What Alerts shows now."""
        return self.reader.alerts(None)

    def state(self) -> State | None:
        """The verdict's state."""
        verdict = self.health().verdict
        return verdict.state if verdict else None

    def reasons(self) -> list[str]:
        """The keys of the reasons."""
        verdict = self.health().verdict
        return [reason.key for reason in verdict.reasons] if verdict else []

    def cause(self) -> str | None:
        """What is named as the cause of the first reason."""
        verdict = self.health().verdict
        return verdict.reasons[0].cause if verdict else None

    def events(self, kind: str) -> list[str]:
        """The texts of the events of a kind."""
        return [event.text for event in self.health().lately if event.kind == kind]

    async def well(self) -> None:
        """Until the first verdict says that all is well."""
        await until(lambda: self.state() is State.HEALTHY, "a healthy verdict")


@asynccontextmanager
async def collecting(chosen: Settings, asked: Asked, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Collect while inside; it must end within a second."""
    stop, told, clock = asyncio.Event(), list[str](), clock or Clock()
    task = asyncio.create_task(run(chosen, stop=stop, notify=told.append, build=asked.build, clock=clock))
    reader = StoreReader(chosen.observed_path, chosen.records_path, chosen.environment, None, clock.wall_ms)
    try:
        yield Running(chosen, asked, reader, stop, task, clock, told)
        assert not task.done() or task.exception() is None
    finally:
        stop.set()
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(task, 5)
        reader.close()
        assert asyncio.get_running_loop().time() - began < 1.5


async def test_what_is_polled_is_judged_and_shown(tmp_path: Path) -> None:
    asked = scripted(*USUAL)
    async with collecting(settings(tmp_path), asked) as running:
        await running.well()
        asked.sources["health"].now = refused("health")
        asked.sources["ping"].now = refused("ping")
        await until(lambda: running.reasons() == ["application.down"], "the reason")
        assert running.state() is State.UNHEALTHY
        asked.sources["health"].now = answered("health")
        asked.sources["ping"].now = answered("ping")
        await running.well()
        assert running.health().header.collector.alive
        assert running.health().header.sources_late == 0
    assert running.told[0] == "READY=1"
    assert "STATUS=healthy, 3 targets" in running.told
    assert running.told[-1] == "STOPPING=1"


async def test_the_lease_is_released_at_the_end_and_taken_at_once(tmp_path: Path) -> None:
    chosen, first, second = settings(tmp_path), scripted(*USUAL), scripted(*USUAL)
    async with collecting(chosen, second) as standing:
        await standing.well()
        async with collecting(chosen, first) as other:
            await until(lambda: any("standing by" in told for told in other.told), "the second to stand by")
            assert first.built == 0, "who stands by polls nothing"
            standing.stop.set()
            await standing.task
            calls = second.sources["health"].calls
            await until(lambda: first.built == 1, "the other to take over", 4)
            await until(lambda: first.sources["health"].calls > 3, "its polls")
            assert second.sources["health"].calls == calls
            assert all(source.closed for source in second.sources.values())


async def test_who_has_other_settings_stands_by_and_says_how_they_differ(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    async with collecting(chosen, scripted(*USUAL)) as standing:
        await standing.well()
        other = settings(tmp_path, routes=("/other",))
        async with collecting(other, scripted(*USUAL)) as running:
            await until(lambda: any("standing by" in told for told in running.told), "it to stand by")
            assert "with other settings (routes /, /api/v1/system/ping (ours /other))" in running.told[-1]


async def test_what_was_seen_last_is_stored_before_the_end(tmp_path: Path) -> None:
    chosen, asked = settings(tmp_path), scripted(*USUAL, interval_s=3600)
    async with collecting(chosen, asked) as running:
        await running.well()
        last = happening(3)
        asked.sources["health"].now = answered("health", events=(last,))
        Records(chosen.records_path).request_poll()
        await until(lambda: asked.sources["health"].calls > 1, "the last poll")
        await asyncio.sleep(0.05)  # its answer reaches the collector within the next turns of the loop
        running.stop.set()
        await running.task
        assert running.events("test") == [last.text]


async def test_who_loses_the_lease_steps_down_at_once_and_writes_nothing_more(tmp_path: Path) -> None:
    chosen, asked = settings(tmp_path), scripted(*USUAL)
    async with collecting(chosen, asked) as running:
        await running.well()
        later = Clock()
        later.boot_offset_ms = 3_600_000
        thief = ObservedStore.open(chosen.observed_path, later)
        holder = Holder(name="thief@b", pid=1, boot_id=later.boot_id, fingerprint="other")
        lease = thief.acquire(holder)
        assert lease is not None
        await until(lambda: any("stepped down" in told for told in running.told), "it to step down")
        await until(lambda: all(source.closed for source in asked.sources.values()), "connections to be released", 2)
        calls = asked.sources["health"].calls
        row = thief.lease_row()
        assert row is not None and row.holder.name == "thief@b"
        thief.release(lease)
        thief.close()
        await until(lambda: asked.sources["health"].calls > calls + 3, "it to take the lease again", 6)


async def test_a_request_to_poll_is_served_within_a_second(tmp_path: Path) -> None:
    chosen, asked = settings(tmp_path), scripted(*USUAL, interval_s=3600)
    async with collecting(chosen, asked) as running:
        await running.well()
        calls = asked.sources["health"].calls
        records = Records(chosen.records_path)
        records.request_poll()
        await until(lambda: asked.sources["health"].calls > calls, "the poll", 2)
        records.request_poll()
        await until(lambda: asked.sources["health"].calls > calls + 1, "the second poll", 2)
        await until(lambda: records.take_poll_requests() == 0, "the requests to be taken")
        records.close()


async def test_an_alert_survives_a_restart_of_the_collector_and_ends_once(tmp_path: Path) -> None:
    rule = Rule(name="queue", series="metrics|business.queue", above=5.0, for_s=0.5, window_s=5.0, minimum_samples=1)
    chosen, asked = settings(tmp_path, rules=(rule,)), scripted("health", "metrics")
    asked.sources["metrics"].now = answered("metrics", samples={"business.queue": 9.0})
    async with collecting(chosen, asked) as running:
        await until(lambda: [alert.rule for alert in running.alerts().firing] == ["queue"], "the alert")
        number = running.alerts().firing[0].id
        began_ms = running.alerts().firing[0].began_ms
    async with collecting(chosen, asked) as running:
        await until(lambda: asked.sources["metrics"].calls > 40, "polls of the second collector")
        firing = running.alerts().firing
        assert [(alert.id, alert.began_ms) for alert in firing] == [(number, began_ms)]
        await until(lambda: running.alerts().rules[-1].state == "firing", "a round that is not late")


async def test_reasons_keep_their_since_over_a_restart(tmp_path: Path) -> None:
    chosen, asked = settings(tmp_path), scripted(*USUAL)
    async with collecting(chosen, asked) as running:
        await running.well()
        for target in ("health", "ping"):
            asked.sources[target].now = refused(target)
        await until(lambda: running.reasons() == ["application.down"], "the reason")
        verdict = running.health().verdict
        assert verdict is not None
        since_ms = verdict.reasons[0].since_ms
    async with collecting(chosen, asked) as running:
        calls = asked.sources["health"].calls
        await until(lambda: asked.sources["health"].calls > calls + 10, "polls of the second collector")
        verdict = running.health().verdict
        assert verdict is not None and verdict.reasons[0].since_ms == since_ms


async def test_events_and_the_cause_they_give_are_the_same_over_a_restart(tmp_path: Path) -> None:
    """What is read back is whole: a cause in other words would be another judgement of the same night."""
    chosen, asked = settings(tmp_path), scripted(*USUAL, "vercel")
    data: dict[str, Json] = {"short": "8f3c1d2", "message": "pricing v2", "author": "op1"}
    deployed = Event(
        at_ms=SystemClock().wall_ms(), kind="deployment", subject="vercel", text='8f3c1d2 "pricing v2" live (op1)',
        key="deployment/dpl_1", data=data,
    )  # fmt: skip
    asked.sources["vercel"].now = answered("vercel", events=(deployed,))
    causes = []
    async with collecting(chosen, asked) as running:
        await running.well()
        for target in ("health", "ping"):
            asked.sources[target].now = refused(target)
        await until(lambda: running.reasons() == ["application.down"], "the reason")
        causes.append(running.cause())
    asked.sources["vercel"].now = answered("vercel")
    restarted_ms = SystemClock().wall_ms()
    async with collecting(chosen, asked) as running:
        await until(lambda: (running.health().verdict_ms or 0) > restarted_ms, "a verdict of the second collector")
        causes.append(running.cause())
    assert causes[0] is not None and 'deployment 8f3c1d2 "pricing v2" (op1 ' in causes[0]
    assert causes[1] == causes[0]


async def test_a_defect_in_a_source_is_visible_and_the_others_go_on(tmp_path: Path) -> None:
    asked = scripted(*USUAL)
    asked.sources["route:/"].now = KeyError("oops")
    async with collecting(settings(tmp_path), asked) as running:
        await until(lambda: bool(running.events("defect")), "the event")
        assert "KeyError" in running.events("defect")[0]
        await until(lambda: running.reasons() == ["routes.unknown:route:/"], "the reason")
        assert running.health().components[0].state is State.HEALTHY


@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000])
async def test_a_jump_of_the_wall_clock_is_an_event_and_polling_goes_on(tmp_path: Path, jump_ms: int) -> None:
    asked = scripted(*USUAL)
    async with collecting(settings(tmp_path), asked) as running:
        await running.well()
        running.clock.wall_offset_ms = jump_ms
        await until(lambda: bool(running.events("clock")), "the event")
        calls = asked.sources["health"].calls
        await until(lambda: asked.sources["health"].calls > calls + 5, "polls after the jump")
        assert running.state() is State.HEALTHY
        assert running.health().header.sources_late == 0


async def test_a_pause_of_the_process_is_told_and_makes_nothing_late(tmp_path: Path) -> None:
    asked = scripted(*USUAL)
    async with collecting(settings(tmp_path), asked) as running:
        await running.well()
        running.clock.boot_offset_ms = 8_000
        await until(lambda: bool(running.events("collector")), "the event")
        assert "did not run for 8 s" in running.events("collector")[0]
        assert running.state() is State.HEALTHY


async def test_a_full_store_is_told_polls_go_on_and_what_follows_is_stored(tmp_path: Path) -> None:
    asked = scripted(*USUAL)
    chosen = settings(tmp_path)
    async with collecting(chosen, asked) as running:
        await running.well()
        limit_pages(chosen, 1)
        asked.sources["health"].now = answered("health", events=(happening(1),))
        await until(lambda: any("nothing is stored" in told for told in running.told), "the error to be told", 40)
        calls = asked.sources["health"].calls
        await until(lambda: asked.sources["health"].calls > calls + 20, "polls that go on")
        asked.sources["health"].now = answered("health", events=(happening(2),))
        limit_pages(chosen, 1_000_000)
        await until(lambda: {"happening 1", "happening 2"} <= set(running.events("test")), "both events", 40)
        assert running.health().header.collector.last_error is not None


def happening(number: int) -> Event:
    """An event that must not be lost."""
    now_ms = SystemClock().wall_ms()
    return Event(at_ms=now_ms, kind="test", subject="health", text=f"happening {number}", key=f"test/{number}")


def limit_pages(chosen: Settings, pages: int) -> None:
    """Make the collector's own connection refuse to grow the file, as a full disk does."""
    import gc

    for found in gc.get_objects():
        if isinstance(found, ObservedStore) and found._path == chosen.observed_path and found._connection:
            found._connection.execute(f"PRAGMA max_page_count = {pages}")


async def test_a_damaged_store_is_begun_anew_and_open_alerts_are_told_again(tmp_path: Path) -> None:
    rule = Rule(name="queue", series="metrics|business.queue", above=5.0, for_s=0.0, window_s=60.0, minimum_samples=1)
    chosen, asked = settings(tmp_path, rules=(rule,)), scripted("health", "metrics")
    asked.sources["metrics"].now = answered("metrics", samples={"business.queue": 9.0})
    async with collecting(chosen, asked) as running:
        await until(lambda: len(running.alerts().firing) == 1, "the alert")
        began_ms = running.alerts().firing[0].began_ms
        chosen.observed_path.unlink()
        await until(lambda: bool(running.events("store")), "the event of the new store")
        await until(lambda: [alert.began_ms for alert in running.alerts().firing] == [began_ms], "the alert again")


async def test_an_offline_bastion_leaves_uptime_unobserved_and_recovers(tmp_path: Path) -> None:
    egress = Egress(targets=("http://127.0.0.1:9",))
    asked = scripted(*USUAL, "egress", "host")
    chosen = settings(tmp_path, egress=egress)
    async with collecting(chosen, asked) as running:
        await running.well()
        for target in (*USUAL, "egress"):
            asked.sources[target].now = refused(target)
        await until(lambda: running.reasons() == ["bastion.offline"], "the reason")
        verdict = running.health().verdict
        assert verdict is not None and (verdict.state, verdict.whose) == (State.UNKNOWN, "bastion")
        before = up_samples(chosen)
        asked_before = asked.sources["health"].calls
        await until(lambda: asked.sources["health"].calls > asked_before + 10, "polls while offline")
        assert up_samples(chosen) == before, "time that was not observed is not downtime"
        for target in (*USUAL, "egress"):
            asked.sources[target].now = answered(target)
        await running.well()
        assert not running.alerts().firing


def up_samples(chosen: Settings) -> list[float]:
    """The uptime samples stored so far."""
    store = ObservedStore.open(chosen.observed_path)
    try:
        return [float(sample) for _, sample in store.recent_samples("application|up", 0) if isinstance(sample, float)]
    finally:
        store.close()


async def test_the_end_takes_under_a_second_while_everything_hangs(tmp_path: Path) -> None:
    asked = scripted(*USUAL)
    async with collecting(settings(tmp_path), asked) as running:
        await running.well()
        for source in asked.sources.values():
            source.now, source.timeout_s = hang, 60
        await until(lambda: all(source.in_flight for source in asked.sources.values()), "all to hang")
        began = asyncio.get_running_loop().time()
        running.stop.set()
        await running.task
        assert asyncio.get_running_loop().time() - began < 0.9


async def test_a_place_where_no_store_can_be_ends_it_with_words(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    chosen.state_directory.write_text("a file in its place")
    with pytest.raises(UnsuitablePlace, match="is no directory"):
        await run(chosen, stop=asyncio.Event(), build=scripted("health").build, notify=lambda _: None)


async def test_a_defect_in_the_maintenance_of_the_store_is_told_and_ends_no_polling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OverflowError("intermediate overflow in fsum")

    monkeypatch.setattr(ObservedStore, "maintain", failing)
    asked = scripted(*USUAL)
    async with collecting(settings(tmp_path), asked) as running:
        await running.well()
        calls = asked.sources["health"].calls

        def told() -> bool:
            return "the store is not kept up: OverflowError" in (running.health().header.collector.last_error or "")

        await until(told, "the defect to be told", 15)
        await until(lambda: asked.sources["health"].calls > calls + 3, "further polls")
        assert not running.task.done()
