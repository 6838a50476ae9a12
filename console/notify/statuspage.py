"""Atlassian Statuspage: one incident a subject, with its components. Read before every try, so that an update whose
answer was lost is found and not made twice. Subscribers get mail only where the message says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from console.model import payload as json_payload
from console.model.configuration import Secret
from console.model.notifications import STATUSPAGE, Message, Part
from console.model.observation import Json
from console.model.text import clean, clean_block, redact
from console.notify.channel import (
    JSON_TYPE,
    SAID,
    Delivery,
    Method,
    NotSent,
    Post,
    Unanswered,
    decoded,
    encoded,
    not_sent,
    refused,
    unanswered,
)

NAME_LIMIT = 255
BODY_LIMIT = 20_000
OVER = ("resolved", "completed", "postmortem")
_BETWEEN_S = 1.0
"""One request a second and token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What an incident shall say. `key` names it over all its updates: `maintenance:RUN`."""

    key: str
    name: str
    status: str
    """`investigating`, `identified`, `monitoring`, `resolved`; `scheduled`, `in_progress`, `verifying`, `completed`."""
    body: str
    components: Mapping[str, str] = field(default_factory=dict)
    """Id to `operational`, `under_maintenance`, `degraded_performance`, `partial_outage`, `major_outage`."""
    impact: str | None = None
    scheduled_for: str | None = None
    """ISO in UTC, for what is planned."""
    scheduled_until: str | None = None
    mail: bool = False


def payload_of(update: Update) -> dict[str, Json]:
    """The payload of the outbox for an update."""
    values = {
        "key": update.key, "name": update.name, "status": update.status, "body": update.body, "impact": update.impact,
        "scheduled_for": update.scheduled_for, "scheduled_until": update.scheduled_until, "mail": update.mail,
    }  # fmt: skip
    return {"kind": "incident", "incident": {**values, "components": dict(update.components)}}


class Refusal(Exception):
    """The page did not do it; holds how the delivery ended."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery.words)
        self.delivery = delivery


class Statuspage:
    """The channel `statuspage`."""

    name = STATUSPAGE
    pace_s = 3 * _BETWEEN_S
    """A message is at most three requests."""

    def __init__(self, key: Secret, page: str, api: str, post: Post) -> None:
        self.address = Secret(f"{api.rstrip('/')}/v1/pages/{quote(page, safe='')}")
        self._credentials = {"authorization": Secret(f"OAuth {key.reveal()}")}
        self._post = post

    async def deliver(self, message: Message, now_ms: int) -> Delivery:
        """See whether the page says it already; if not, say it once."""
        part = message.parts[0]
        try:
            if part.payload.get("kind") == "test":
                await self._ask("GET", "/components")
                return Delivery(state="sent", words="the key is accepted; a test changes nothing on the page")
            return await self._say(part)
        except NotSent as error:
            return not_sent("Statuspage", error)
        except Unanswered as error:  # told again: the next try reads first
            return unanswered("Statuspage", error, idempotent=True)
        except Refusal as refusal:
            return refusal.delivery

    async def _say(self, part: Part) -> Delivery:
        update = update_of(part.payload)
        if update is None:
            return Delivery(state="failed", words="Statuspage: the message names no incident")
        found = await self.find(update.key)
        if found is not None and _event_of(found) == part.event:
            return Delivery(state="sent", words="the page says it already")
        if found is None and update.status in OVER:
            return Delivery(state="sent", words="there is no such incident on the page (any more)")
        body = encoded({"incident": incident_of(update, part.event)})
        if found is None:
            made = await self._ask("POST", "/incidents", body)
            return Delivery(state="sent", words=_shown("made", made))
        number = json_payload.text(found, "id") or ""
        changed = await self._ask("PATCH", f"/incidents/{quote(number, safe='')}", body)
        return Delivery(state="sent", words=_shown("updated", changed))

    async def find(self, key: str) -> Mapping[str, Json] | None:
        """The newest incident of that key among those not resolved, then among all. Raises as `deliver` does not."""
        for path in ("/incidents/unresolved", "/incidents?limit=50"):
            listed = await self._ask("GET", path)
            for incident in listed if isinstance(listed, list) else ():
                if isinstance(incident, dict) and json_payload.at(incident, "metadata", "radar", "key") == key:
                    return incident
        return None

    async def components(self) -> Mapping[str, str]:
        """Id to name of the page's components: proves key and page. Raises as `find`."""
        listed = await self._ask("GET", "/components")
        found = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        return {json_payload.text(item, "id") or "": clean(json_payload.text(item, "name") or "") for item in found}

    async def _ask(self, method: Method, path: str, body: bytes = b"") -> Json:
        """The JSON of a 2xx answer. Raises `Refusal`, `NotSent`, `Unanswered`."""
        url = Secret(self.address.reveal() + path)
        headers = JSON_TYPE if body else {}
        response = await self._post(url, headers, body, method=method, credentials=self._credentials)
        answer = decoded(response)
        if 200 <= response.status < 300:
            if answer is None:  # a proxy's page: what became of a change is not known, and the next try reads first
                raise Refusal(Delivery(state="again", words=f"Statuspage answers {response.status}, and no JSON"))
            return answer
        raise Refusal(refused("Statuspage", response, _error(answer)))


def _error(answer: Json) -> str:
    error = json_payload.at(answer, "error")
    first: Any = error[0] if isinstance(error, list) and error else error
    return redact(clean(first, SAID)) if isinstance(first, str) else ""


def _shown(what: str, incident: Json) -> str:
    return f"incident {json_payload.text(incident, 'id') or '?'} {what}"


def _event_of(incident: Mapping[str, Json]) -> Json:
    return json_payload.at(incident, "metadata", "radar", "event")


def update_of(payload: Mapping[str, Json]) -> Update | None:
    """The update that a payload holds; None: it holds none."""
    incident = payload.get("incident")
    if not isinstance(incident, dict):
        return None
    values = {name: json_payload.text(incident, name, limit=NAME_LIMIT) for name in ("key", "name", "status")}
    key, name, status = values["key"], values["name"], values["status"]
    if not (key and name and status):
        return None
    body = incident.get("body")
    return Update(
        key=key,
        name=name,
        status=status,
        body=body if isinstance(body, str) else "",
        components={each: str(state) for each, state in json_payload.mapping(incident, "components").items()},
        impact=json_payload.text(incident, "impact"),
        scheduled_for=json_payload.text(incident, "scheduled_for"),
        scheduled_until=json_payload.text(incident, "scheduled_until"),
        mail=incident.get("mail") is True,
    )


def incident_of(update: Update, event: str) -> dict[str, Any]:
    """The incident as the page takes it: components with it, since resolving one puts none back; no mail by default."""
    optional: Sequence[tuple[str, str | None]] = (
        ("impact_override", update.impact),
        ("scheduled_for", update.scheduled_for),
        ("scheduled_until", update.scheduled_until),
    )
    components = {"component_ids": list(update.components), "components": dict(update.components)}
    return {
        "name": clean(update.name, NAME_LIMIT),
        "status": update.status,
        "body": clean_block(update.body, BODY_LIMIT),
        "deliver_notifications": update.mail,
        "metadata": {"radar": {"key": update.key, "event": event}},
        **(components if update.components else {}),
        **{name: value for name, value in optional if value},
    }
