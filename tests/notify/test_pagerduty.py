"""PagerDuty: every documented answer, and the same alert under the same key however often it is told."""

from __future__ import annotations

from typing import Any

import pytest

from console.model.configuration import Secret
from console.notify.channel import Delivery
from console.notify.pagerduty import PagerDuty, event_of
from console.notify.rules import What
from console.notify.wording import dedup_key, trial_notice
from tests.notify.parts import NOW_MS, alert_part, message, part, posted, wire
from tests.sources.loopback import Handler, answering, cases, hang, replay, serving

KEY = "0123456789abcdef0123456789abcdef"
STATES = {202: "sent", 400: "failed", 429: "again", 500: "again"}


async def delivered(handler: Handler, total_s: float = 5.0) -> Delivery:
    async with serving(handler) as server:
        channel = PagerDuty(Secret(KEY), server.url(), wire(total_s))
        delivery = await channel.deliver(message([alert_part(channel="pagerduty")]), NOW_MS)
    assert KEY not in f"{delivery} {channel.__dict__}"
    return delivery


@pytest.mark.parametrize("case", cases("pagerduty_enqueue"), ids=lambda case: case["name"])
async def test_every_documented_answer(case: dict[str, Any]) -> None:
    delivery = await delivered(replay(case))
    assert delivery.state == STATES[case["status"]]
    if case["status"] == 400:
        assert "routing_key" in delivery.words


@pytest.mark.parametrize(
    "handler",
    [answering(200, b"<html>proxy</html>"), answering(202, b"<html>proxy</html>"), hang, answering(504, b"")],
    ids=["html", "html 202", "hang", "gateway"],
)
async def test_what_is_not_accepted_for_certain_is_told_again_under_the_same_key(handler: Handler) -> None:
    assert (await delivered(handler, total_s=0.3)).state == "again"


async def test_the_event_as_it_is_sent() -> None:
    async with serving(replay(cases("pagerduty_enqueue")[0])) as server:
        channel = PagerDuty(Secret(KEY), server.url(), wire())
        await channel.deliver(message([alert_part(channel="pagerduty", text="x" * 2000)]), NOW_MS)
        body = posted(server)
        assert server.requests[0].path == "/v2/enqueue"
    assert (body["routing_key"], body["event_action"]) == (KEY, "trigger")
    assert body["dedup_key"] == "production:error-rate:users"
    assert body["payload"]["severity"] == "error" and body["payload"]["source"] == "app.example.com"
    assert len(body["payload"]["summary"]) <= 1024 and body["payload"]["custom_details"]["look"]


@pytest.mark.parametrize(("what", "action"), [("acknowledged", "acknowledge"), ("ended", "resolve")])
def test_what_follows_carries_the_key_of_the_beginning(what: What, action: str) -> None:
    event = event_of(alert_part(what), NOW_MS)
    assert event == {"event_action": action, "dedup_key": event_of(alert_part(), NOW_MS)["dedup_key"]}


def test_keys_stay_within_their_limit_and_apart() -> None:
    long = "/" + "a" * 300
    assert len(dedup_key("production", "route-down", long)) <= 255
    assert dedup_key("production", "route-down", long) != dedup_key("production", "route-down", long + "b")
    assert dedup_key("production", "route-down", long) == dedup_key("production", "route-down", long)


def test_a_test_wakes_nobody() -> None:
    event = event_of(part(trial_notice("[production]", "op1"), "production:test:2026-W47"), NOW_MS)
    assert event == {"event_action": "resolve", "dedup_key": "production:test:2026-W47"}
