"""Any other listener: one JSON object, the event's id in a header, never twice after an unknown outcome."""

from __future__ import annotations

import pytest

from console.model.configuration import Secret
from console.notify.channel import Delivery
from console.notify.webhook import EVENT_HEADER, Webhook
from tests.notify.parts import NOW_MS, alert_part, message, posted, wire
from tests.sources.loopback import Handler, answering, hang, serving

TOKEN = "webhook-token-secret"


async def delivered(handler: Handler) -> Delivery:
    async with serving(handler) as server:
        channel = Webhook("audit", Secret(server.url("/hook")), Secret(TOKEN), wire(0.3))
        return await channel.deliver(message([alert_part()], "webhook:audit"), NOW_MS)


@pytest.mark.parametrize(
    ("handler", "state"),
    [
        (answering(204), "sent"),
        (answering(201, b"{}"), "sent"),
        (answering(401, b"no"), "failed"),
        (answering(429, b"", {"retry-after": "7"}), "again"),
        (answering(500, b"oops"), "again"),
        (hang, "unknown"),
        (answering(200, b"<h1>Sign in</h1>", {"content-type": "text/html; charset=utf-8"}), "unknown"),
        (answering(200, b" <!DOCTYPE html><title>Sign in"), "unknown"),
        (answering(200, b"ok", {"content-type": "text/html"}), "sent"),
        (answering(200, b'{"said": "<html>"}', {"content-type": "application/json"}), "sent"),
    ],
    ids=["204", "201", "401", "429", "500", "hang", "login page", "untyped page", "PHP's ok", "HTML in JSON"],
)
async def test_answers(handler: Handler, state: str) -> None:
    delivery = await delivered(handler)
    assert delivery.state == state and TOKEN not in delivery.words


async def test_the_object_and_the_headers() -> None:
    async with serving(answering(200)) as server:
        channel = Webhook("audit", Secret(server.url("/hook")), Secret(TOKEN), wire())
        parts = [alert_part(), alert_part(subject="/café")]
        await channel.deliver(message(parts, "webhook:audit", attempts=3), NOW_MS)
        headers, body = server.requests[0].headers, posted(server)
    assert headers[EVENT_HEADER] == parts[0].event and headers["authorization"] == f"Bearer {TOKEN}"
    assert body["event"] == parts[0].event and body["attempt"] == 3
    assert [each["name"] for each in body["events"]] == ["error-rate/users", "error-rate/café"]
    assert body["events"][0]["began_ms"] == NOW_MS and body["events"][0]["facts"]["look"]
