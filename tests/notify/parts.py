"""Messages as the outbox gives them, and the real wire to a loopback server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from console.model.configuration import Contact, Environment
from console.model.judgement import AlertChange
from console.model.notifications import Message, Part
from console.model.observation import Json, Origin
from console.notify import report, rules
from console.notify.rules import What
from console.sources.http import Clients, Limits
from console.sources.wire import Wire
from tests.sources.loopback import Loopback

NOW_MS = 1_795_000_000_000
MINUTE_MS = 60_000
ENVIRONMENT = Environment(
    name="production",
    url="https://app.example.com",
    label="demo",
    contacts={"any": (Contact(name="On call", phone="+49 30 1"),)},
)
ALERT = AlertChange(
    rule="error-rate",
    subject="users",
    severity="high",
    text="38 % of requests fail",
    origin=Origin.USERS,
    pending_ms=NOW_MS - 30_000,
    began_ms=NOW_MS,
)


def alert(**changes: Any) -> AlertChange:
    """`ALERT` with changes."""
    return replace(ALERT, **changes)


def part(payload: Mapping[str, Json], event: str = "event-1", title: str = "A title", made_ms: int = NOW_MS) -> Part:
    """One row."""
    return Part(id=1, event=event, title=title, made_ms=made_ms, due_ms=made_ms, payload=payload)


def alert_part(what: What = "began", channel: str = "slack", made_ms: int = NOW_MS, **changes: Any) -> Part:
    """The row of an alert's event."""
    entry = rules.Entry(
        event=rules.event_of("production", alert(**changes), what),
        channel=channel,
        what=what,
        alert=alert(**changes),
        severity=alert(**changes).severity,
    )
    payload = report.payload_of(entry, ENVIRONMENT, None, made_ms)
    return part(payload, entry.event, report.title_of(entry), made_ms)


def message(parts: Sequence[Part], channel: str = "slack", attempts: int = 1) -> Message:
    """What a claim gives."""
    return Message(channel=channel, parts=tuple(parts), attempts=attempts)


def wire(total_s: float = 5.0) -> Wire:
    """The collector's own."""
    return Wire(Clients(), Limits(connect_s=2.0, read_s=total_s, total_s=total_s))


def posted(server: Loopback, number: int = -1) -> dict[str, Any]:
    """The JSON of a request."""
    found: dict[str, Any] = json.loads(server.requests[number].body)
    return found
