"""A maintenance past its planned end: told once by the service, whoever forgot it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from console.collector.due import DueActions
from console.collector.store_thread import StoreThread
from console.model.configuration import Secret, Settings
from console.model.operations import Operations, PagerDuty, Slack, Webhook
from console.store import overdue
from console.store.clock import now_ms
from console.store.overdue import TELL_AFTER_MS
from console.store.records import Records
from tests.actions.place import Place, place
from tests.collector.scripted import Clock

MINUTE = 60_000


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = place(tmp_path, monkeypatch)
    return replace(made, settings=telling(made.settings))


def telling(settings: Settings, *, anybody: bool = True) -> Settings:
    """The same with a channel for colleagues and one that wakes people; or with none for colleagues."""
    url = Secret("http://127.0.0.1:9/x")
    operations = Operations(
        slack=Slack(webhook=url) if anybody else None,
        webhooks=(Webhook(name="ops", url=url),) if anybody else (),
        pagerduty=PagerDuty(routing_key=Secret("k" * 32)),
    )
    return replace(settings, operations=lambda: operations)


@pytest.fixture
def records(here: Place) -> Iterator[Records]:
    with closing(Records(here.settings.records_path)) as found:
        yield found


def held(records: Records, expires_ms: int | None, kind: str = "maintenance", ended_ms: int | None = None) -> None:
    values = (kind, "demo", "of demo: We move the database", "op1 (uid)", now_ms() - 60 * MINUTE, expires_ms, ended_ms)
    records.write(
        lambda connection: connection.execute(
            "INSERT INTO holding(kind, subject, text, owner, began_ms, expires_ms, undo, ended_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, 'radar maintenance off', ?)",
            values,
        )
    )


def told(records: Records) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = records.read(
        lambda connection: connection.execute(
            "SELECT channel, title, json_extract(payload, '$.severity'), json_extract(payload, '$.text') FROM outbox "
            "ORDER BY channel"
        ).fetchall()
    )
    return rows


def service(here: Place, clock: Clock | None = None) -> DueActions:
    return DueActions(here.settings, clock or Clock(), StoreThread(), {})


async def test_past_its_planned_end_colleagues_are_told_once(here: Place, records: Records) -> None:
    held(records, now_ms() - 12 * MINUTE)
    first = service(here)
    await first.look()
    await first.look()
    await service(here).look()  # another one that takes over
    assert [row[:3] for row in told(records)] == [
        ("slack", "Maintenance of demo is past its planned end", "medium"),
        ("webhook:ops", "Maintenance of demo is past its planned end", "medium"),
    ]
    assert "We move the database" in told(records)[0][3]


async def test_before_its_end_when_it_is_over_or_without_an_end_nobody_is_told(here: Place, records: Records) -> None:
    held(records, now_ms() + 5 * MINUTE)
    held(records, None)
    held(records, now_ms() - 5 * MINUTE, ended_ms=now_ms() - 4 * MINUTE)
    held(records, now_ms() - 5 * MINUTE, kind="freeze")
    await service(here).look()
    assert told(records) == []


async def test_it_is_told_at_its_time_though_nothing_is_written_meanwhile(here: Place, records: Records) -> None:
    held(records, now_ms() + 5 * MINUTE)
    clock = Clock()
    waiting = service(here, clock)
    await waiting.look()
    clock.wall_offset_ms = 5 * MINUTE + TELL_AFTER_MS - MINUTE  # who ends it at that moment is given a little time
    await waiting.look()
    assert told(records) == []
    clock.wall_offset_ms += 2 * MINUTE
    await waiting.look()
    assert len(told(records)) == 2


async def test_each_maintenance_is_told_of_for_itself(here: Place, records: Records) -> None:
    held(records, now_ms() - 12 * MINUTE)
    await service(here).look()
    records.write(lambda connection: connection.execute("UPDATE holding SET ended_ms = ?", (now_ms(),)))
    held(records, now_ms() - 11 * MINUTE)
    await service(here).look()
    assert len(told(records)) == 4


async def test_with_nobody_to_tell_nothing_waits_for_it(here: Place, records: Records) -> None:
    held(records, now_ms() - 12 * MINUTE)
    alone = DueActions(telling(here.settings, anybody=False), Clock(), StoreThread(), {})
    await alone.look()
    assert told(records) == [] and await asyncio.to_thread(overdue.next_ms, records) is not None
