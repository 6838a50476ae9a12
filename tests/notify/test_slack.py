"""Slack: every documented answer, what may be told again, and text that must not become markup."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.model.configuration import Secret
from console.notify.channel import Delivery
from console.notify.slack import Slack, escaped, rendered
from tests.notify.parts import MINUTE_MS, NOW_MS, alert_part, message, part, posted, wire
from tests.sources.loopback import Handler, Seen, Writer, answering, cases, hang, replay, response, serving

SECRET = "/services/T000/B000/topsecrettoken"
STATES = {200: "sent", 400: "failed", 404: "failed", 410: "failed", 429: "again", 500: "again"}


async def delivered(handler: Handler, total_s: float = 5.0) -> Delivery:
    async with serving(handler) as server:
        delivery = await Slack(Secret(server.url(SECRET)), wire(total_s)).deliver(message([alert_part()]), NOW_MS)
    assert "topsecret" not in f"{delivery}"
    return delivery


@pytest.mark.parametrize("case", cases("slack_webhook"), ids=lambda case: case["name"])
async def test_every_documented_answer(case: dict[str, Any]) -> None:
    delivery = await delivered(replay(case))
    assert delivery.state == STATES[case["status"]]
    assert case["body"] in delivery.words
    assert delivery.retry_after_s == (3.0 if case["status"] == 429 else None)


async def test_a_retry_after_given_as_a_date_is_read() -> None:
    headers = {"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}
    delivery = await delivered(answering(429, b"rate_limited", headers))
    assert delivery.state == "again" and delivery.retry_after_s and delivery.retry_after_s > 1e9


@pytest.mark.parametrize(
    ("handler", "state"),
    [
        (answering(200, b"<!doctype html><title>Sign in</title>", {"content-type": "text/html"}), "unknown"),
        (answering(503, b"<html>busy</html>", {"content-type": "text/html"}), "again"),
        (answering(302, b"", {"location": "https://elsewhere.example.com/"}), "failed"),
        (answering(403, b"invalid_token"), "failed"),
    ],
    ids=["login page", "html 503", "redirect", "token"],
)
async def test_answers_that_are_not_slacks(handler: Handler, state: str) -> None:
    assert (await delivered(handler)).state == state


async def test_a_time_out_after_it_was_sent_is_unknown() -> None:
    delivery = await delivered(hang, total_s=0.3)
    assert delivery.state == "unknown" and "no " in delivery.words


async def test_a_connection_cut_after_it_was_taken_is_unknown() -> None:
    async def cut(_seen: Seen, writer: Writer) -> None:
        writer.transport.abort()

    assert (await delivered(cut)).state == "unknown"


async def test_a_refused_connection_is_certainly_not_told_and_tried_again() -> None:
    async with serving(hang) as server:
        url = server.url(SECRET)
    delivery = await Slack(Secret(url), wire()).deliver(message([alert_part()]), NOW_MS)
    assert delivery.state == "again" and "refused" in delivery.words and "topsecret" not in delivery.words


async def test_the_message_tells_all_that_is_needed() -> None:
    async with serving(answering(200, b"ok")) as server:
        assert (await Slack(Secret(server.url()), wire()).deliver(message([alert_part()]), NOW_MS)).state == "sent"
        body = posted(server)
        assert server.requests[0].headers["content-type"] == "application/json"
    assert body["text"] == "[production · demo] HIGH error-rate/users: 38 % of requests fail"
    assert body["blocks"][0]["type"] == "header"
    told = body["blocks"][1]["text"]["text"]
    for word in ("*since* 2026-", "*from* users", "*contact* On call +49 30 1", "*look* `radar --env production --at"):
        assert word in told
    assert body["blocks"][-1]["elements"][0]["text"] == f"event `production:error-rate:users:{NOW_MS}:began`"


HOSTILE = "<!channel> & <https://evil.example|click> \x1b[31m\nsecond line ‮"


def test_text_from_outside_becomes_no_markup() -> None:
    body = rendered(message([alert_part(text=HOSTILE, subject="<@U1>")]), NOW_MS)
    everything = json.dumps(body, ensure_ascii=False)
    assert "&lt;!channel&gt; &amp; &lt;https" in body["text"]
    header = body["blocks"][0]["text"]
    assert header["type"] == "plain_text", "where < has no meaning"
    assert "<" not in everything.replace(json.dumps(header, ensure_ascii=False), "")
    assert "\x1b" not in everything and "\\u001b" not in everything
    assert escaped("<&>") == "&lt;&amp;&gt;"


def test_what_is_long_is_cut_to_slacks_limits_and_not_within_an_entity() -> None:
    parts = [part({"kind": "notice", "where": "[p]", "text": "&" * 9000}, title="T" * 190)]
    parts += [alert_part(subject=f"/route/{number}", text="<" * 300) for number in range(49)]
    blocks = rendered(message(parts), NOW_MS)["blocks"]
    assert len(blocks) <= 50
    for block in blocks:
        text = block["text"]["text"] if "text" in block else block["elements"][0]["text"]
        assert len(text) <= (150 if block["type"] == "header" else 3000)
        assert not text.endswith(("&", "&a", "&am", "&amp", "&l…", "&lt…", "&…", "&am…", "&amp…"))


def test_a_group_is_one_message_with_each_alert_named() -> None:
    parts = [alert_part(), alert_part(rule="route-down", subject="/api")]
    body = rendered(message(parts), NOW_MS)
    assert "2 messages" in body["blocks"][0]["text"]["text"]
    assert "error-rate/users" in body["text"] and "route-down/api" in body["text"]


def test_an_alert_that_ended_before_it_was_told_is_told_once_with_its_end() -> None:
    end = alert_part("ended", ended_ms=NOW_MS + 8 * MINUTE_MS)
    body = rendered(message([alert_part(), end]), NOW_MS + 9 * MINUTE_MS)
    assert body["text"] == "[production · demo] resolved after 8 m: error-rate/users: 38 % of requests fail"
    other = alert_part("ended", began_ms=NOW_MS - 60 * MINUTE_MS, ended_ms=NOW_MS - MINUTE_MS)
    assert "HIGH" in rendered(message([alert_part(), other]), NOW_MS)["text"], "another time is another alert"


def test_what_is_told_late_says_so_and_old_ones_are_summed_up() -> None:
    late = rendered(message([alert_part()]), NOW_MS + 12 * MINUTE_MS)
    assert "Told late: this was 12 m ago" in late["blocks"][1]["text"]["text"]
    assert "Told late" not in json.dumps(rendered(message([alert_part()]), NOW_MS + MINUTE_MS))
    parts = [alert_part(subject=f"/{number}") for number in range(3)]
    old = rendered(message(parts), NOW_MS + 150 * MINUTE_MS)
    assert "(2 h ago)" in old["text"] and "since" not in json.dumps(old), "one line each"
    alone = rendered(message(parts[:1]), NOW_MS + 150 * MINUTE_MS)
    assert "Told late: this was 2 h ago" in json.dumps(alone) and "*since*" in json.dumps(alone)


async def test_truncated_answers_and_raw_bytes_do_no_harm() -> None:
    async def truncated(_seen: Seen, writer: Writer) -> None:
        writer.write(response(200, b"ok", {"content-length": "20"}))
        await writer.drain()
        writer.close()

    assert (await delivered(truncated)).state == "unknown"
