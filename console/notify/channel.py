"""What every channel is given and gives back. How bytes travel is not known here: the wire is handed in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from console.model.configuration import Secret
from console.model.notifications import Message
from console.model.text import clean, decode, redact
from console.model.wire import BUSY, NotSent, Response, Unanswered

SAID = 120
"""Characters of what a channel answers that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a try ended. `again`: certainly not told, and worth another try; `failed`: not worth one."""

    state: Literal["sent", "again", "failed", "unknown"]
    words: str
    retry_after_s: float | None = None


class Channel(Protocol):
    """One place where messages go."""

    @property
    def name(self) -> str:
        """As in the outbox: `slack`, `webhook:NAME`."""

    @property
    def pace_s(self) -> float:
        """Seconds between two messages that the channel wants at least."""

    @property
    def address(self) -> Secret:
        """The URL, to tell whether it is on this host."""

    async def deliver(self, message: Message, now_ms: int) -> Delivery:
        """Send it once. Raises nothing that is expected."""


JSON_TYPE = {"content-type": "application/json"}


def encoded(value: Mapping[str, Any]) -> bytes:
    """JSON for the wire."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def is_page(response: Response) -> bool:
    """Whether it is a page for people: no listener of messages answers so. A bare `ok` is none, though PHP calls it
    text/html."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = decode(response.body[:4000]).lstrip().lower()
    typed = kind in ("text/html", "application/xhtml+xml")
    return text.startswith(("<!doctype html", "<html")) or (typed and "<" in text)


def said(response: Response) -> str:
    """What the answer says, as one short line; of HTML only that it is HTML."""
    text = decode(response.body[:4000]).strip()
    if text.lower().startswith(("<!doctype", "<html", "<?xml")):
        return "an HTML page"
    return redact(clean(text, SAID))


def refused(name: str, response: Response, words: str = "") -> Delivery:
    """What an answer other than success means: 429 (420 of Statuspage) and 5xx are worth another try, the rest is
    not. A gateway's 502 may hide a message that got through: told twice is better than not told."""
    told = words or said(response)
    text = f"{name} answers {response.status}" + (f": {told}" if told else "")
    if response.status in BUSY or response.status >= 500:
        return Delivery(state="again", words=text, retry_after_s=response.retry_after_s)
    return Delivery(state="failed", words=text)


def not_sent(name: str, error: NotSent) -> Delivery:
    """It never got there."""
    return Delivery(state="again", words=f"{name}: {error}")


def unanswered(name: str, error: Unanswered, *, idempotent: bool) -> Delivery:
    """It may have got there: told again only where that is harmless."""
    return Delivery(state="again" if idempotent else "unknown", words=f"{name}: {error}")
