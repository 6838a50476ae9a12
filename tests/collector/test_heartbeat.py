"""The dead-man's switch: beats while rounds are judged and stored, and at no other time; its service delays nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.collector.notifying import Notifications
from console.model.configuration import Secret, Settings
from console.model.operations import Notify, Operations
from tests.collector.scripted import scripted, until
from tests.collector.test_run import collecting
from tests.collector.told import configured, judge, judgement, notifying
from tests.sources.loopback import Handler, Loopback, answering, hang, serving

BEAT = "/ping/0123456789abcdef-secret"


@asynccontextmanager
async def beating(directory: Path, handler: Handler, every_s: float = 0.2) -> AsyncIterator[tuple[Settings, Loopback]]:
    """Settings whose heartbeat goes to a server."""
    async with serving(handler) as server:
        notify = Notify(heartbeat=Secret(server.url(BEAT)), heartbeat_s=every_s)
        yield configured(directory, Operations(notify=notify)), server


async def test_it_beats_while_rounds_are_judged_and_stops_with_them(tmp_path: Path) -> None:
    async with beating(tmp_path, answering(200, b"OK")) as (chosen, server), notifying(chosen) as telling:
        judge(telling)
        await until(lambda: len(server.requests) == 1, "the first beat")
        assert (server.requests[0].method, server.requests[0].path) == ("GET", BEAT)
        judge(telling)
        await until(lambda: told(telling) == "told", "the answer")

        def again() -> bool:
            judge(telling)
            return len(server.requests) >= 3

        await until(again, "more beats")
        beats = len(server.requests)
        async with notifying(chosen) as other:  # the counter-test: a second collector that judges nothing
            telling.judged(judgement(), (), offline=False, stored=False)
            judge(other)
            await until(lambda: len(server.requests) > beats, "a beat of the other")
        assert len(server.requests) <= beats + 2


def told(telling: Notifications) -> object:
    return telling.facts["heartbeat"]


@pytest.mark.parametrize(
    ("handler", "words"), [(answering(404, b"gone"), "answers 404"), (hang, "not told yet")], ids=["404", "hangs"]
)
async def test_a_failure_is_shown_and_delays_no_round(tmp_path: Path, handler: Handler, words: str) -> None:
    async with beating(tmp_path, handler) as (chosen, server):
        asked = scripted("health")
        async with collecting(chosen, asked) as running:
            await until(lambda: bool(server.requests), "a beat")
            calls = asked.sources["health"].calls
            await until(lambda: asked.sources["health"].calls > calls + 5, "polls")
            await until(lambda: words in fact(running.reader.component("bastion", None)), words)
    assert b"abcdef-secret" not in b"".join(file.read_bytes() for file in chosen.state_directory.iterdir())


def fact(detail: object) -> str:
    """What the collector's own target says of it."""
    return " ".join(
        str(target.facts.get("heartbeat")) for target in getattr(detail, "targets", ()) if target.target == "collector"
    )
