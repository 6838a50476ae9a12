"""Any other listener: one JSON object by POST. Whether it notices a message told twice is not known, so a message whose
answer is lost is not sent again; the event's id stands in a header for those that want to tell."""

from __future__ import annotations

from typing import Any

from console.model.configuration import Secret
from console.model.notifications import WEBHOOK, Message, Part
from console.model.times import iso
from console.model.wire import NotSent, Post, Unanswered
from console.notify.channel import JSON_TYPE, Delivery, encoded, is_page, not_sent, refused, unanswered
from console.notify.wording import tellings_of

EVENT_HEADER = "x-radar-event"


class Webhook:
    """The channel `webhook:NAME`."""

    pace_s = 0.0

    def __init__(self, name: str, url: Secret, token: Secret | None, post: Post) -> None:
        self.name = WEBHOOK + name
        self.address = url
        self._credentials = {"authorization": Secret(f"Bearer {token.reveal()}")} if token else {}
        self._post = post

    async def deliver(self, message: Message, now_ms: int) -> Delivery:
        """Post it once."""
        headers = {**JSON_TYPE, EVENT_HEADER: _header(message.event)}
        body = encoded(document_of(message, now_ms))
        try:
            response = await self._post(self.address, headers, body, credentials=self._credentials)
        except NotSent as error:
            return not_sent(self.name, error)
        except Unanswered as error:
            return unanswered(self.name, error, idempotent=False)
        if 200 <= response.status < 300:
            if is_page(response):  # a proxy or a login page between us and the listener
                words = f"{self.name} answers {response.status} with an HTML page: perhaps a login page took it"
                return Delivery(state="unknown", words=words)
            return Delivery(state="sent", words=f"{response.status}")
        return refused(self.name, response)


def _header(event: str) -> str:
    """The event's id as a header can carry it."""
    return event.encode("ascii", "backslashreplace").decode("ascii")[:400]


def document_of(message: Message, now_ms: int) -> dict[str, Any]:
    """The object that is posted: all its events as data, and in words."""
    tellings = tellings_of(message.parts, now_ms)
    return {
        "event": message.event,
        "attempt": message.attempts,
        "text": "\n".join(telling.title for telling in tellings),
        "events": [_event(part) for part in message.parts],
    }


def _event(part: Part) -> dict[str, Any]:
    payload = {name: value for name, value in part.payload.items() if name != "group"}
    return {"event": part.event, "title": part.title, "made": iso(part.made_ms), **payload}
