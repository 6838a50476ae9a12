"""The channel `statuspage`: an update is told to the public page once; read before every try."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from console.model import payload as json_payload
from console.model.configuration import Secret
from console.model.notifications import STATUSPAGE, Message, Part
from console.model.observation import Json
from console.model.wire import NotSent, Post, Unanswered
from console.notify.channel import Delivery, not_sent, unanswered
from console.notify.public_page import NAME, NAME_LIMIT, PACE_S, PublicPage, Refusal, Said, Update, ending


def payload_of(update: Update) -> dict[str, Json]:
    """The payload of the outbox for an update."""
    values = {
        "key": update.key, "environment": update.environment, "name": update.name, "status": update.status,
        "body": update.body, "impact": update.impact, "scheduled_for": update.scheduled_for,
        "scheduled_until": update.scheduled_until, "mail": update.mail,
    }  # fmt: skip
    return {"kind": "incident", "incident": {**values, "components": dict(update.components)}}


class Statuspage:
    """The channel `statuspage`."""

    name = STATUSPAGE
    pace_s = 2 * PACE_S
    """A message is at most two requests."""

    def __init__(self, key: Secret, page: str, api: str, post: Post) -> None:
        self._page = PublicPage(key, page, api, post)
        self.address = self._page.address

    async def deliver(self, message: Message, now_ms: int) -> Delivery:
        """See whether the page says it already; if not, say it once."""
        part = message.parts[0]
        try:
            if part.payload.get("kind") == "test":
                await self._page.components()
                return Delivery(state="sent", words="the key is accepted; a test changes nothing on the page")
            return await self._say(part)
        except NotSent as error:
            return not_sent(NAME, error)
        except Unanswered as error:  # told again: the next try reads first
            return unanswered(NAME, error, idempotent=True)
        except Refusal as refusal:
            return refusal.delivery

    async def _say(self, part: Part) -> Delivery:
        update = update_of(part.payload)
        if update is None:
            return Delivery(state="failed", words=f"{NAME}: the message names no incident")
        if part.payload.get("every") is True:
            return Delivery(state="sent", words=f"{await self._end_every(update)} are told to be over")
        return Delivery(state="sent", words=_words(await self._page.say(update, part.event)))

    async def _end_every(self, update: Update) -> str:
        """Every maintenance of ours that is in progress, whoever began it, as the action itself does it."""
        ours = await self._page.entries(update.environment)
        found = [each for each in ours if each.is_maintenance]
        for each in found:
            await asyncio.sleep(PACE_S)
            await self._page.change(each, ending(update, each))
        for component, state in update.components.items() if not found else ():
            await asyncio.sleep(PACE_S)
            await self._page.set_component(component, state or "operational")
        return ", ".join(each.id for each in found) or "the components"


def _words(said: Said) -> str:
    if said.entry is None:
        return "there is no such incident on the page (any more)"
    return f"incident {said.entry.id} is told" if said.changed else "the page says it already"


def update_of(payload: Mapping[str, Json]) -> Update | None:
    """The update that a payload holds; None: it holds none."""
    incident = payload.get("incident")
    values = {each: json_payload.text(incident, each, limit=NAME_LIMIT) for each in ("key", "name", "status")}
    key, name, status = values["key"], values["name"], values["status"]
    if not (key and name and status):
        return None
    body = json_payload.at(incident, "body")
    return Update(
        key=key,
        environment=json_payload.text(incident, "environment") or "",
        name=name,
        status=status,
        body=body if isinstance(body, str) else "",
        components={
            each: state if isinstance(state, str) else None
            for each, state in json_payload.mapping(incident, "components").items()
        },
        impact=json_payload.text(incident, "impact"),
        scheduled_for=json_payload.text(incident, "scheduled_for"),
        scheduled_until=json_payload.text(incident, "scheduled_until"),
        mail=json_payload.at(incident, "mail") is True,
    )
