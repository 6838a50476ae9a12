"""Slack by an incoming webhook. The URL is the secret. Nothing comes back but `ok`, so that a message whose answer is
lost can be neither found nor taken back: it is not sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.model.configuration import Secret
from console.model.notifications import SLACK, Message, Part
from console.model.text import clean, clean_block
from console.model.wire import NotSent, Post, Response, Unanswered
from console.notify.channel import JSON_TYPE, Delivery, encoded, not_sent, refused, said, unanswered
from console.notify.wording import Telling, tellings_of

HEADER_LIMIT = 150
SECTION_LIMIT = 3000
TEXT_LIMIT = 3000
CONTEXT_LIMIT = 2000
WHOLE = 15
"""Events told in full; those beyond are lines. A message has at most 50 blocks."""

_MEANINGS = {
    "invalid_payload": "the message was not understood: this is a defect of radar",
    "invalid_blocks": "the message was not understood: this is a defect of radar",
    "no_text": "the message was not understood: this is a defect of radar",
    "user_not_found": "its user is gone: make a new webhook",
    "action_prohibited": "an administrator forbids it",
    "invalid_token": "the webhook is not valid (any more): make a new one",
    "channel_not_found": "its channel is gone: make a new webhook",
    "no_service": "the webhook was revoked: make a new one",
    "no_team": "the workspace is gone",
    "channel_is_archived": "its channel is archived: make a webhook for another",
    "rollup_error": "Slack's own error",
}


class Slack:
    """The channel `slack`."""

    name = SLACK
    pace_s = 1.0

    def __init__(self, webhook: Secret, post: Post) -> None:
        self.address = webhook
        self._post = post

    async def deliver(self, message: Message, now_ms: int) -> Delivery:
        """Post it once."""
        try:
            response = await self._post(self.address, JSON_TYPE, encoded(rendered(message, now_ms)))
        except NotSent as error:
            return not_sent("Slack", error)
        except Unanswered as error:
            return unanswered("Slack", error, idempotent=False)
        return _judged(response)


def _judged(response: Response) -> Delivery:
    told = said(response)
    if response.status == 200 and told == "ok":
        return Delivery(state="sent", words="ok")
    if response.status == 200:  # a proxy or a login page between us and Slack
        return Delivery(state="unknown", words=f"Slack answers 200 without ok: {told}")
    meaning = _MEANINGS.get(told)
    return refused("Slack", response, f"{told} ({meaning})" if meaning else told)


def escaped(text: str) -> str:
    """`text` in mrkdwn without a meaning: no link, no mention, no `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rendered(message: Message, now_ms: int) -> dict[str, Any]:
    """The message's body."""
    tellings = tellings_of(message.parts, now_ms)
    title = clean(_title(tellings), HEADER_LIMIT)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}]
    blocks += [block for telling in tellings[:WHOLE] for block in _sections(telling, alone=len(tellings) == 1)]
    if len(tellings) > WHOLE:
        lines = "\n".join(f"• {escaped(telling.title)}" for telling in tellings[WHOLE:])
        blocks.append(_section(lines))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _ids(message.parts)}]})
    text = "\n".join([title, *(telling.title for telling in tellings)] if len(tellings) > 1 else [title])
    return {
        "text": _cut(escaped(clean_block(text, TEXT_LIMIT)), TEXT_LIMIT),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _title(tellings: Sequence[Telling]) -> str:
    if len(tellings) == 1:
        return tellings[0].title
    return f"{tellings[0].where} {len(tellings)} messages: {tellings[0].summary}, …"


def _sections(telling: Telling, *, alone: bool) -> list[dict[str, Any]]:
    lines = [] if alone else [f"*{escaped(telling.title)}*"]
    lines += [escaped(line) for line in telling.lines]
    lines += [f"*{escaped(name)}* {_value(name, text)}" for name, text in telling.facts.items()]
    return [_section("\n".join(lines))] if lines else []


def _value(name: str, text: str) -> str:
    return f"`{escaped(text)}`" if name == "look" else escaped(text)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, SECTION_LIMIT)}}


def _cut(text: str, limit: int) -> str:
    """At most so long, and never in the middle of an entity."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    begin = kept.rfind("&", -6)
    return (kept if begin < 0 or ";" in kept[begin:] else kept[:begin]) + "…"


def _ids(parts: Sequence[Part]) -> str:
    words = ", ".join(f"`{escaped(part.event)}`" for part in parts)
    return _cut(f"event {words}", CONTEXT_LIMIT)
