"""Our public status page (Statuspage) as maintenance uses it: read before every creation, so nothing is told twice.

A scheduled maintenance of ours is known by its metadata, and by a reference in its text where the page gives no
metadata back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.actions.base import Context
from console.actions.wire import Api, Method, Rejected, Unanswered
from console.model import payload
from console.model.configuration import Secret
from console.model.observation import Json
from console.model.operations import Statuspage
from console.model.times import iso
from console.sources.faults import Fault

PACE_S = 1.1
"""The page takes one request a second for each token."""
BUSY = frozenset({420, 429})
TRIES = 3
LONGEST_WAIT_S = 15.0
REFERENCE, LEAST_REFERENCE = 12, 8
"""Characters of a run's token in the text: its beginning is enough to know it by."""
SCHEDULED = "scheduled"
OVER = frozenset({"completed", "resolved", "postmortem"})
UNDER_MAINTENANCE, OPERATIONAL = "under_maintenance", "operational"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One scheduled maintenance on the page."""

    id: str
    name: str
    status: str
    run: str
    """The run of ours that made it; empty: not ours, or the page does not say."""

    @property
    def over(self) -> bool:
        """Whether it is at its end."""
        return self.status in OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the page is to say. `key` is the run of ours that it belongs to."""

    key: str
    environment: str
    name: str
    body: str
    from_ms: int
    until_ms: int
    mail: bool


class StatusPage:
    """One page under one key. Reads raise `Fault`, changes `Rejected` or `Unanswered`."""

    def __init__(self, settings: Statuspage, context: Context) -> None:
        self._settings, self._context = settings, context
        credentials = {"authorization": Secret(f"OAuth {settings.key.reveal()}")}
        self._api = Api("Statuspage", settings.api, credentials, context.clients)
        self._page = f"/v1/pages/{settings.page}"
        self._asked = False

    async def components(self) -> Mapping[str, str]:
        """The status of every component, by id. Raises `Fault`."""
        found = await self._read(f"{self._page}/components")
        return {key: payload.text(each, "status") or "?" for each in _list(found) if (key := payload.text(each, "id"))}

    async def entries(self, environment: str) -> tuple[Entry, ...]:
        """The scheduled maintenances that we made for that environment, newest first. Raises `Fault`."""
        found = await self._read(f"{self._page}/incidents")
        return tuple(entry for each in _list(found) if (entry := _entry(each, environment)))

    async def schedule(self, told: Told) -> Entry:
        """Announce it, unless that was done already."""
        changes: dict[str, Json] = {"status": SCHEDULED, "scheduled_auto_in_progress": False}
        return await self._made(told, changes)

    async def begin(self, told: Told) -> Entry:
        """It is in progress, its components under maintenance: the announced one where there is one, else a new one."""
        return await self._made(told, {"status": "in_progress", "components": self._all(UNDER_MAINTENANCE)})

    async def end(self, environment: str, body: str, *, mail: bool) -> tuple[Entry, ...]:
        """Complete all of ours that are in progress; the components operational again, which the page does not do by
        itself. What is announced for later stays."""
        open_ones = [each for each in await self.entries(environment) if not each.over and each.status != SCHEDULED]
        changes: dict[str, Json] = {"status": "completed", "body": body, "deliver_notifications": mail}
        ended = [await self._updated(each, {**changes, "components": self._all(OPERATIONAL)}) for each in open_ones]
        if not open_ones:
            await self._set_components(OPERATIONAL)
        return tuple(ended)

    async def withdraw(self, told: Told) -> Entry | None:
        """Complete the one that was announced under that key; None when there is none that is open."""
        found = await self._of(told)
        if found is None or found.over:
            return None
        changes: dict[str, Json] = {"status": "completed", "body": _body(told), "deliver_notifications": told.mail}
        return await self._updated(found, {**changes, "components": self._all(OPERATIONAL)})

    # Inside

    async def _made(self, told: Told, changes: Mapping[str, Json]) -> Entry:
        """Look first; make it or bring it up to date; and look again when nobody answered."""
        found = await self._of(told)
        if found is not None:
            if found.status == changes["status"] or found.over:
                return found
            return await self._updated(
                found, {**changes, "body": _body(told), "deliver_notifications": told.mail}
            )  # fmt: skip
        try:
            made = await self._change("POST", f"{self._page}/incidents", self._incident(told, changes))
        except Unanswered:
            return await self._after_all(told)
        entry = _entry(made, told.environment)
        return entry or Entry(
            id=payload.text(made, "id") or "?",
            name=told.name,
            status=payload.text(made, "status") or "?",
            run=told.key,
        )

    async def _after_all(self, told: Told) -> Entry:
        """The one that was made though no answer came. Raises `Unanswered` when it is not there, or cannot be read."""
        try:
            found = await self._of(told)
        except Fault as fault:
            words = f"Statuspage gave no answer, and cannot be read: {fault.words}; it is not made again blindly"
            raise Unanswered(words) from None
        if found is None:
            raise Unanswered("Statuspage gave no answer, and nothing of ours stands there so far; look at the page")
        return found

    async def _of(self, told: Told) -> Entry | None:
        return next((each for each in await self.entries(told.environment) if told.key.startswith(each.run)), None)

    def _incident(self, told: Told, changes: Mapping[str, Json]) -> dict[str, Json]:
        return {
            "name": told.name,
            "body": _body(told),
            "impact_override": "maintenance",
            "scheduled_for": iso(told.from_ms),
            "scheduled_until": iso(told.until_ms),
            "scheduled_remind_prior": False,
            "scheduled_auto_completed": False,
            "component_ids": list(self._settings.components),
            "deliver_notifications": told.mail,
            "metadata": {"radar": {"run": told.key, "environment": told.environment}},
            **changes,
        }

    async def _updated(self, entry: Entry, changes: Mapping[str, Json]) -> Entry:
        """Setting a status twice changes nothing the second time, but a body is told twice: so it is looked first."""
        changed = await self._change("PATCH", f"{self._page}/incidents/{entry.id}", dict(changes))
        status = payload.text(changed, "status") or str(changes["status"])
        return Entry(id=entry.id, name=entry.name, status=status, run=entry.run)

    async def _set_components(self, status: str) -> None:
        for key in self._settings.components:
            await self._change("PATCH", f"{self._page}/components/{key}", {"status": status}, wrapped="component")

    def _all(self, status: str) -> dict[str, Json]:
        return {key: status for key in self._settings.components}

    async def _read(self, path: str) -> Json:
        """Raises `Fault`; waits where the page asks for patience."""
        for attempt in range(TRIES):
            await self._paced()
            try:
                return await self._api.read(path)
            except Fault as fault:
                if fault.http_status not in BUSY or attempt == TRIES - 1:
                    raise
                await self._patience(fault.retry_after_s)
        raise AssertionError("every try returns or raises")

    async def _change(self, method: Method, path: str, body: dict[str, Json], wrapped: str = "incident") -> Json:
        for attempt in range(TRIES):
            await self._paced()
            try:
                answer = await self._api.change(method, path, {wrapped: body})
            except Rejected as rejected:
                if rejected.status not in BUSY or attempt == TRIES - 1:
                    raise
                await self._patience(rejected.retry_after_s)
                continue
            try:
                return payload.decode_json(answer.body)
            except payload.Unreadable:
                raise Unanswered(f"Statuspage answers {answer.status} with something that cannot be read") from None
        raise AssertionError("every try returns or raises")

    async def _paced(self) -> None:
        if self._asked:
            await self._context.wait(PACE_S)
        self._asked = True

    async def _patience(self, wait_s: float | None) -> None:
        told_s = min(PACE_S * 2 if wait_s is None else wait_s, LONGEST_WAIT_S)
        self._context.tell(f"Statuspage asks for patience: again in {told_s:.0f} s")
        await self._context.wait(told_s)


def _body(told: Told) -> str:
    return f"{told.body}\n\n{_reference(told.key, told.environment)}"


def _reference(key: str, environment: str) -> str:
    return f"(reference {environment}/{key[:REFERENCE]})"


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def _entry(value: Json, environment: str) -> Entry | None:
    """One of ours, of that environment; None for everybody else's."""
    key, run = payload.text(value, "id"), _run_of(value, environment)
    if key is None or run is None:
        return None
    name, status = payload.text(value, "name") or "?", payload.text(value, "status") or "?"
    return Entry(id=key, name=name, status=status, run=run)


def _run_of(value: Json, environment: str) -> str | None:
    """The run by the metadata; else its beginning, by the reference in the newest or any earlier text."""
    if payload.text(value, "metadata", "radar", "environment") == environment:
        return payload.text(value, "metadata", "radar", "run")
    for update in payload.items(value, "incident_updates"):
        text = payload.text(update, "body", limit=5000) or ""
        _, found, rest = text.rpartition(f"(reference {environment}/")
        if found and len(rest.partition(")")[0]) >= LEAST_REFERENCE:
            return rest.partition(")")[0]
    return None
