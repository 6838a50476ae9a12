"""A listener that plays all channels, and judgements made by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from console.collector.notifying import Notifications
from console.model.configuration import Secret, Settings
from console.model.judgement import AlertChange, Judgement
from console.model.observation import Origin
from console.model.operations import Notify, Operations, PagerDuty, Slack, Webhook
from console.model.states import State
from console.model.views import Verdict
from console.store import outbox
from console.store.records import Records
from tests.collector.scripted import Clock, settings
from tests.sources.loopback import Handler, Loopback, Seen, Writer, response, serving

TOKEN = "T000/B000/verysecrettoken0123456789"
KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Listener:
    """Slack, PagerDuty, a webhook and a heartbeat's service in one. What it answers can be changed by path."""

    server: Loopback
    answers: dict[str, bytes | Handler] = field(default_factory=dict)
    taken: list[Seen] = field(default_factory=list)
    """Requests that were answered as usual."""

    def of(self, path: str) -> list[Any]:
        """The bodies taken at a path."""
        return [json.loads(seen.body or b"null") for seen in self.taken if seen.path.startswith(path)]

    def slack(self) -> list[str]:
        """The texts that Slack took."""
        return [body["text"] for body in self.of("/services")]

    def pages(self) -> list[tuple[str, str]]:
        """What PagerDuty took: (action, key)."""
        return [(body["event_action"], body["dedup_key"]) for body in self.of("/v2/enqueue")]


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """The listener while inside."""

    async def handle(seen: Seen, writer: Writer) -> None:
        for path, answer in listener.answers.items():
            if seen.path.startswith(path):
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                    return
                return await answer(seen, writer)
        listener.taken.append(seen)
        page = response(202, b'{"status": "success", "message": "Event processed"}')
        writer.write(page if seen.path.startswith("/v2") else response(200, b"ok"))
        await writer.drain()

    async with serving(handle) as server:
        listener = Listener(server)
        yield listener


def operations(listener: Listener, **notify: Any) -> Operations:
    """Slack and PagerDuty at the listener; no weekly test, groups of 0.2 s."""
    return Operations(
        slack=Slack(webhook=Secret(listener.server.url(f"/services/{TOKEN}"))),
        pagerduty=PagerDuty(routing_key=Secret(KEY), api=listener.server.url()),
        notify=Notify(**{"test_weekly": False, "group_s": 0.2, **notify}),
    )


def webhook(listener: Listener) -> Webhook:
    """A webhook at the listener."""
    return Webhook(name="audit", url=Secret(listener.server.url("/hook")))


def configured(directory: Path, chosen: Operations, **environment: Any) -> Settings:
    """Settings with these operations."""
    (directory / "state").mkdir(exist_ok=True)
    return replace(settings(directory, **environment), operations=lambda: chosen)


def fires(subject: str = "users", began_ms: int = 1_795_000_000_000, **more: Any) -> AlertChange:
    """An alert."""
    values = {"severity": "high", "text": "38 % of requests fail", **more}
    return AlertChange(
        rule="error-rate", subject=subject, origin=Origin.USERS, pending_ms=began_ms, began_ms=began_ms, **values
    )


def judgement(*changes: AlertChange) -> Judgement:
    """A round in which these began or ended."""
    verdict = Verdict(state=State.HEALTHY, reasons=(), whose="", whose_words="")
    return Judgement(at_ms=0, verdict=verdict, components=(), targets=(), alerts=changes)


@asynccontextmanager
async def notifying(chosen: Settings, clock: Clock | None = None) -> AsyncIterator[Notifications]:
    """One holding of the lease."""
    made = Notifications(chosen, chosen.operations(), clock or Clock())
    made.start()
    try:
        yield made
    finally:
        await asyncio.wait_for(made.close(), 2)


def judge(
    notifications: Notifications, firing: Sequence[AlertChange] = (), *changes: AlertChange, offline: bool = False
) -> None:
    """A round."""
    notifications.judged(judgement(*changes), firing, offline=offline, stored=True)


def rows(chosen: Settings) -> dict[str, str]:
    """The state of each delivery."""
    records = Records(chosen.records_path)
    try:
        found = records.read(lambda connection: outbox.deliveries(connection, 1 << 60))
        return {f"{row.channel} {row.title}": row.state for row in found}
    finally:
        records.close()
