"""Our public page at Atlassian Statuspage. It is read before every change, so that what was told and whose answer was
lost is found and not told twice. Components go with the incident, since resolving one puts none back; subscribers get
mail only where that was asked for.

What is ours is known by its metadata, and by a reference in its text where the page gives no metadata back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from console.model import payload
from console.model.configuration import Secret
from console.model.observation import Json
from console.model.text import clean, clean_block, redact
from console.model.wire import Method, Post, Unanswered
from console.notify.channel import JSON_TYPE, SAID, Delivery, encoded, refused, unanswered

NAME = "Statuspage"
PACE_S = 1.1
"""The page takes one request a second for each token."""
NAME_LIMIT = 255
BODY_LIMIT = 20_000
SCHEDULED, COMPLETED = "scheduled", "completed"
OVER = frozenset({"resolved", COMPLETED, "postmortem"})
IDENTIFIED, RESOLVED = "identified", "resolved"
REALTIME = frozenset({"investigating", IDENTIFIED, "monitoring"})
"""Of an incident; what is scheduled, the page takes with an end only."""
UNPLANNED = "Maintenance"
"""The name of a maintenance without a planned end, which is told as an incident: by it, it is known from an alert's."""
REFERENCE, LEAST_REFERENCE = 12, 8
"""Characters of a key in the text: its beginning is enough to know it by."""
_LIST = "/incidents?limit=50"
"""Newest first, those that are planned too: what is ours and open is never older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What an incident shall say."""

    key: str
    """Names it over all its updates: `maintenance:RUN`."""
    environment: str = ""
    name: str
    status: str
    """`investigating`, `identified`, `monitoring`, `resolved`; `scheduled`, `in_progress`, `verifying`, `completed`."""
    body: str
    components: Mapping[str, str | None] = field(default_factory=dict)
    """Id to `operational`, `under_maintenance`, `degraded_performance`, `partial_outage`, `major_outage`; None: named,
    and left as it is."""
    impact: str | None = None
    scheduled_for: str | None = None
    """ISO in UTC, for what is planned."""
    scheduled_until: str | None = None
    mail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One incident or planned maintenance of ours on the page."""

    id: str
    name: str
    status: str
    key: str
    """Of the update that it tells, or its beginning."""
    event: str | None = None
    """The event told last; None: the page does not say."""

    @property
    def over(self) -> bool:
        """Whether it is at its end."""
        return self.status in OVER

    @property
    def is_maintenance(self) -> bool:
        """Whether it is a maintenance under way: neither over nor still to come, and no alert's incident."""
        return not self.over and self.status != SCHEDULED and (self.status not in REALTIME or self.name == UNPLANNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of an update."""

    entry: Entry | None
    """None: there is none, and it was not opened only to be closed."""
    changed: bool
    """False: the page says it already."""


class Refusal(Exception):
    """The page did not do it, or does not say so; holds how a delivery ends by it."""

    def __init__(self, delivery: Delivery, *, certain: bool) -> None:
        super().__init__(delivery.words)
        self.delivery = delivery
        self.certain = certain
        """Whether nothing was changed for certain."""


class PublicPage:
    """One page under one key. Every method asks at once: who calls keeps `PACE_S`. All raise `Refusal`, `NotSent` and,
    where something is changed, `Unanswered`."""

    def __init__(self, key: Secret, page: str, api: str, post: Post) -> None:
        self.address = Secret(f"{api.rstrip('/')}/v1/pages/{quote(page, safe='')}")
        self._credentials = {"authorization": Secret(f"OAuth {key.reveal()}")}
        self._post = post

    async def components(self) -> Mapping[str, str]:
        """Id to name of the page's components: proves key and page."""
        listed = await self._ask("GET", "/components")
        return {key: payload.text(each, "name") or "" for each in _list(listed) if (key := payload.text(each, "id"))}

    async def entries(self, environment: str) -> tuple[Entry, ...]:
        """Ours of that environment, newest first."""
        listed = await self._ask("GET", _LIST)
        return tuple(entry for each in _list(listed) if (entry := _entry(each, environment)))

    async def find(self, update: Update) -> Entry | None:
        """The newest that tells of the same."""
        return next((each for each in await self.entries(update.environment) if update.key.startswith(each.key)), None)

    async def say(self, update: Update, event: str | None = None) -> Said:
        """Look first; make it or bring it up to date. Without an `event` it is its status that is told once."""
        found = await self.find(update)
        if found is None and update.status in OVER:
            return Said(entry=None, changed=False)
        if found is None:
            made = await self._ask("POST", "/incidents", {"incident": incident_of(update, event)})
            return Said(entry=_answered(made, update), changed=True)
        if _says(found, update, event):
            return Said(entry=found, changed=False)
        return Said(entry=await self.change(found, update, event), changed=True)

    async def change(self, entry: Entry, update: Update, event: str | None = None) -> Entry:
        """Bring that one up to date, unread: a status told twice changes nothing, but a text is told twice."""
        path, body = f"/incidents/{quote(entry.id, safe='')}", {"incident": changes_of(update, event)}
        return _answered(await self._ask("PATCH", path, body), update, entry)

    async def set_component(self, component: str, status: str) -> None:
        """The state of one component, without an incident."""
        await self._ask("PATCH", f"/components/{quote(component, safe='')}", {"component": {"status": status}})

    async def _ask(self, method: Method, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """The JSON of a 2xx answer."""
        url = Secret(self.address.reveal() + path)
        content, headers = (b"", {}) if body is None else (encoded(body), JSON_TYPE)
        try:
            response = await self._post(url, headers, content, method=method, credentials=self._credentials)
        except Unanswered as error:
            if method != "GET":
                raise
            raise Refusal(unanswered(NAME, error, idempotent=True), certain=True) from None
        answer = payload.decoded(response.body)
        if not 200 <= response.status < 300:
            certain = response.status < 500 or method == "GET"
            raise Refusal(refused(NAME, response, _error(answer)), certain=certain)
        if answer is None:  # a proxy's page: what became of a change is not known, and the next try reads first
            words = f"{NAME} answers {response.status}, and no JSON"
            raise Refusal(Delivery(state="again", words=words), certain=method == "GET")
        return answer


def incident_of(update: Update, event: str | None) -> dict[str, Any]:
    """A new incident as the page takes it. Nothing happens to a planned one by itself."""
    planned = {
        "scheduled_for": update.scheduled_for,
        "scheduled_until": update.scheduled_until,
        "scheduled_remind_prior": False,
        "scheduled_auto_in_progress": False,
        "scheduled_auto_completed": False,
    }
    return {
        "name": clean(update.name, NAME_LIMIT),
        **changes_of(update, event),
        **({"impact_override": update.impact} if update.impact else {}),
        **(planned if update.scheduled_for else {}),
    }


def changes_of(update: Update, event: str | None) -> dict[str, Any]:
    """What an update changes, as the page takes it: mail is the page's default and not ours."""
    states = {key: state for key, state in update.components.items() if state}
    ours = {"key": update.key, "event": event, "environment": update.environment}
    reference = f"\n\n(reference {update.environment}/{update.key[:REFERENCE]})" if update.environment else ""
    return {
        "status": update.status,
        "body": clean_block(update.body, BODY_LIMIT - len(reference)) + reference,
        "deliver_notifications": update.mail,
        "metadata": {"radar": {name: value for name, value in ours.items() if value}},
        **({"scheduled_until": update.scheduled_until} if update.scheduled_until else {}),
        **({"component_ids": list(update.components)} if update.components else {}),
        **({"components": states} if states else {}),
    }


def ending(update: Update, entry: Entry) -> Update:
    """The end of that entry, whoever began it: `completed`, or `resolved` where it is an incident."""
    return replace(update, key=entry.key, status=RESOLVED if entry.status in REALTIME else update.status)


def _says(found: Entry, update: Update, event: str | None) -> bool:
    """Whether the page says it already. A maintenance that is completed stays so."""
    if found.status == COMPLETED:
        return True
    return found.status == update.status if event is None or found.event is None else found.event == event


def _error(answer: Json) -> str:
    error = payload.at(answer, "error")
    first: Any = error[0] if isinstance(error, list) and error else error
    return redact(clean(first, SAID)) if isinstance(first, str) else ""


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def _answered(value: Json, update: Update, before: Entry | None = None) -> Entry:
    """What a change gave; what its answer leaves out is as it was told."""
    return Entry(
        id=payload.text(value, "id") or (before.id if before else "?"),
        name=before.name if before else update.name,
        status=payload.text(value, "status") or update.status,
        key=update.key,
    )


def _entry(value: Json, environment: str) -> Entry | None:
    """One of ours, of that environment; None for everybody else's."""
    number, key = payload.text(value, "id"), _key_of(value, environment)
    if number is None or key is None:
        return None
    name, status = payload.text(value, "name") or "?", payload.text(value, "status") or "?"
    event = payload.text(value, "metadata", "radar", "event")
    return Entry(id=number, name=name, status=status, key=key, event=event)


def _key_of(value: Json, environment: str) -> str | None:
    """The key by the metadata; else its beginning, by the reference in the newest or any earlier text."""
    key = payload.text(value, "metadata", "radar", "key")
    if key is not None:
        return key if (payload.text(value, "metadata", "radar", "environment") or "") == environment else None
    for update in payload.items(value, "incident_updates"):
        text = payload.text(update, "body", limit=BODY_LIMIT) or ""
        _, found, rest = text.rpartition(f"(reference {environment}/")
        if found and len(rest.partition(")")[0]) >= LEAST_REFERENCE:
            return rest.partition(")")[0]
    return None
