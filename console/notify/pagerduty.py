"""PagerDuty by Events API v2. The routing key in the body is the secret. An event may be sent twice: its dedup_key says
that it is the same alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from console.model import payload as json_payload
from console.model.configuration import Secret
from console.model.notifications import PAGERDUTY, Message, Part
from console.model.observation import Json
from console.model.text import clean, redact
from console.model.times import iso
from console.model.wire import NotSent, Post, Response, Unanswered
from console.notify.channel import JSON_TYPE, SAID, Delivery, encoded, not_sent, refused, unanswered
from console.notify.wording import KEY_LIMIT, tellings_of

SUMMARY_LIMIT = 1024
SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}
_ACTIONS: Mapping[str, Literal["trigger", "acknowledge", "resolve"]] = {
    "began": "trigger",
    "escalated": "trigger",
    "acknowledged": "acknowledge",
    "ended": "resolve",
}


class PagerDuty:
    """The channel `pagerduty`: one event at a time."""

    name = PAGERDUTY
    pace_s = 0.0

    def __init__(self, routing_key: Secret, api: str, post: Post) -> None:
        self.address = Secret(f"{api.rstrip('/')}/v2/enqueue")
        self._key = routing_key
        self._post = post

    async def deliver(self, message: Message, now_ms: int) -> Delivery:
        """Enqueue it once."""
        body = {"routing_key": self._key.reveal(), **event_of(message.parts[0], now_ms)}
        try:
            response = await self._post(self.address, JSON_TYPE, encoded(body))
        except NotSent as error:
            return not_sent("PagerDuty", error)
        except Unanswered as error:
            return unanswered("PagerDuty", error, idempotent=True)
        return _judged(response)


def event_of(part: Part, now_ms: int) -> dict[str, Any]:
    """The event without its routing key.

    A test resolves a key that nobody opened: that proves network and routing key, and wakes nobody.
    """
    payload = part.payload
    action = "resolve" if payload.get("kind") == "test" else _ACTIONS.get(str(payload.get("what")), "trigger")
    key = clean(str(payload.get("key") or part.event), KEY_LIMIT)
    if action != "trigger":
        return {"event_action": action, "dedup_key": key}
    telling = tellings_of((part,), now_ms)[0]
    return {
        "event_action": action,
        "dedup_key": key,
        "client": "radar",
        "payload": {
            "summary": clean(telling.title, SUMMARY_LIMIT),
            "source": clean(str(payload.get("source") or telling.where), SUMMARY_LIMIT),
            "severity": SEVERITIES.get(str(payload.get("severity")), "warning"),
            "timestamp": iso(_moment(payload.get("began_ms"), part.made_ms)),
            "class": clean(str(payload.get("rule") or payload.get("kind") or "notice")),
            "custom_details": {**telling.facts, "note": " ".join(telling.lines), "event": part.event},
        },
    }


def _moment(value: Json, otherwise_ms: int) -> int:
    return value if isinstance(value, int) else otherwise_ms


def _judged(response: Response) -> Delivery:
    answer = json_payload.decoded(response.body)
    status = json_payload.text(json_payload.at(answer, "status"))
    if response.status == 202 and status == "success":
        return Delivery(state="sent", words="accepted")
    if 200 <= response.status < 400:  # not PagerDuty: a proxy's page, or a redirect
        return Delivery(state="again", words=f"PagerDuty answers {response.status}, and not that it is accepted")
    errors = json_payload.at(answer, "errors")
    listed = [error for error in errors if isinstance(error, str)] if isinstance(errors, list) else []
    told = listed[0] if listed else json_payload.text(json_payload.at(answer, "message")) or status or ""
    return refused("PagerDuty", response, redact(clean(told, SAID)))
