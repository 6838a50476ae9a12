"""Where the maintenance flag is kept: an Edge Config (Global Config) item, a row in the database, behind an HTTP hook.

Reading changes nothing and raises `Fault`. Writing is sent once and raises `Rejected` or `Unanswered`.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit

from console.actions.wire import Api, Rejected
from console.model import payload
from console.model.configuration import Environment, Secret, Vercel
from console.model.maintenance import OFF, Flag, flag_of, written_by_hand
from console.model.observation import Json
from console.model.operations import Maintenance
from console.model.ports import Refused
from console.model.wire import Unanswered
from console.sources.base import api_value
from console.sources.faults import Fault
from console.sources.http import Clients

PREFIXES = ("edge-config", "global-config")
"""Vercel renamed it in 2026; which of the two answers differs by account."""
PROPAGATION_S = 10.0
"""How long Vercel says that a change takes to reach every region."""
SEEN_TRIES = 5
SEEN_WAIT_S = 1.0
MISSING = "no maintenance provider is configured: add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The flag as it was read. `mark` is another when anything in the store around it was changed."""

    flag: Flag
    mark: str = ""


class Provider(Protocol):
    """One way to keep the flag."""

    @property
    def name(self) -> str:
        """For words: `Edge Config ecfg_…`."""
        ...

    @property
    def propagation_s(self) -> float:
        """How long a change takes to reach the application, at most."""
        ...

    @property
    def call(self) -> str:
        """The call that writes it, without secrets."""
        ...

    async def read(self) -> Reading:
        """The flag as it stands. Raises `Fault`."""
        ...

    async def write(self, flag: Flag, mark: str = "") -> str:
        """Set it. `mark`: of the reading that the plan was made from. Gives a warning, or nothing to say.

        Raises `Rejected` or `Unanswered`.
        """
        ...

    def escape(self, *, on: bool, message: str = "") -> tuple[str, ...]:
        """The same by other tools, without secrets."""
        ...


def provider_of(environment: Environment, maintenance: Maintenance | None, clients: Clients) -> Provider:
    """The configured provider. Raises `Refused` with the lines to add."""
    if maintenance is None:
        lines = (
            f'[environments.{environment.name}.maintenance] with provider = "edge-config" and edge_config = "ecfg_…"'
        )
        raise Refused(f'{MISSING} {lines} to radar.toml; other providers are "database" and "hook"')
    if maintenance.provider == "database" and maintenance.database is not None:
        from console.actions.maintenance_row import DatabaseRow  # psycopg: 100 ms that the others need not pay

        return DatabaseRow(maintenance.database, maintenance.table, maintenance.key, environment.database_ca)
    if maintenance.provider == "hook" and maintenance.hook is not None:
        return Hook(maintenance.hook, maintenance.hook_token, clients)
    if environment.vercel is None:
        raise Refused(
            f"{MISSING} [environments.{environment.name}.vercel] with token and project: Edge Config needs it"
        )
    return EdgeConfig(environment.vercel, maintenance.edge_config or "", maintenance.key, clients)


class EdgeConfig:
    """An item of an Edge Config, which the application's middleware reads. There is no compare-and-swap."""

    propagation_s = PROPAGATION_S

    def __init__(self, vercel: Vercel, store: str, key: str, clients: Clients) -> None:
        self._store, self._key, self._base = store, key, vercel.api.rstrip("/")
        self._team = f"?teamId={quote(vercel.team, safe='')}" if vercel.team else ""
        self._prefix = PREFIXES[0]
        self._api = Api("Vercel", vercel.api, {"authorization": Secret(f"Bearer {vercel.token.reveal()}")}, clients)

    @property
    def name(self) -> str:
        """For words."""
        return f"Edge Config {self._store}"

    @property
    def call(self) -> str:
        """The call that writes it."""
        return f"PATCH {self._path('/items')} upsert {self._key}"

    async def read(self) -> Reading:
        """The item; 204 is no item, and that is off. The mark is the store's digest."""
        found = await self._get("")
        mark = payload.text(found, "digest") or str(payload.number(found, "updatedAt") or "")
        return Reading(flag=await self._item(), mark=mark)

    async def write(self, flag: Flag, mark: str = "") -> str:
        """Upsert the item."""
        try:
            before = await self.read()
        except Fault as fault:  # nothing was sent yet that changes anything
            raise Rejected(f"not written, for it cannot be read before: {fault.words}") from None
        body: Json = {"items": [{"operation": "upsert", "key": self._key, "value": flag.value}]}
        await self._api.change("PATCH", self._path("/items"), body)
        return "the store was changed by somebody else since the plan was made" if mark not in ("", before.mark) else ""

    def escape(self, *, on: bool, message: str = "") -> tuple[str, ...]:
        """By curl: no command of Vercel's own CLI for this is documented."""
        value = written_by_hand(on=on, message=message)
        items = f'{{"items": [{{"operation": "upsert", "key": "{self._key}", "value": {value}}}]}}'
        return (
            f"curl -X PATCH '{self._base}{self._path('/items')}' -H \"authorization: Bearer $VERCEL_TOKEN\" "
            f"-H 'content-type: application/json' -d {shlex.quote(items)}",
            f"vercel.com, Storage, {self._store}: set the item {self._key} to {value}",
        )

    async def _item(self) -> Flag:
        found = await self._get(f"/item/{quote(self._key, safe='')}")
        return OFF if found is None else flag_of(payload.at(found, "value"))

    async def _get(self, path: str) -> Json:
        """The JSON there; None: 204. Where one prefix answers 404 the other is tried, and kept when it answers."""
        try:
            return await self._api.read(self._path(path))
        except Fault as fault:
            if fault.http_status != 404:
                raise
        tried = self._prefix
        self._prefix = PREFIXES[1 - PREFIXES.index(tried)]
        try:
            return await self._api.read(self._path(path))
        except Fault as fault:
            self._prefix = tried
            if fault.http_status != 404:
                raise
            words = f"Vercel has no Edge Config {self._store} in this team, neither as {' nor as '.join(PREFIXES)}"
            raise Fault(fault.kind, words, http_status=404) from None

    def _path(self, rest: str) -> str:
        return f"/v1/{self._prefix}/{quote(self._store, safe='')}{rest}{self._team}"


class Hook:
    """An address of the application's own that answers the flag to GET and takes it by POST. Its URL is a secret."""

    name = "maintenance hook"
    propagation_s = 5.0

    def __init__(self, url: Secret, token: Secret | None, clients: Clients) -> None:
        parts = urlsplit(url.reveal())
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        credentials: Mapping[str, Secret] = {"authorization": Secret(f"Bearer {token.reveal()}")} if token else {}
        self._api = Api("the maintenance hook", f"{parts.scheme}://{parts.netloc}", credentials, clients)

    @property
    def call(self) -> str:
        """The call that writes it."""
        return 'POST the hook {"maintenance": {…}}'

    async def read(self) -> Reading:
        """What it answers: `{"maintenance": …}` or the flag itself; 204 is off."""
        answer = await self._api.answer(self._path, {"accept": "application/json"})
        if answer.status == 204:
            return Reading(flag=OFF)
        value = api_value(answer, "the maintenance hook")
        told = value.get("maintenance", value) if isinstance(value, dict) else value
        return Reading(flag=flag_of(told) if told is not None else Flag(on=None))

    async def write(self, flag: Flag, mark: str = "") -> str:
        """Have it set."""
        await self._api.change("POST", self._path, {"maintenance": flag.value})
        return ""

    def escape(self, *, on: bool, message: str = "") -> tuple[str, ...]:
        """By curl."""
        value = f'{{"maintenance": {written_by_hand(on=on, message=message)}}}'
        head = "-H \"authorization: Bearer $MAINTENANCE_HOOK_TOKEN\" -H 'content-type: application/json'"
        return (f'curl -X POST "$MAINTENANCE_HOOK" {head} -d {shlex.quote(value)}',)


async def reading_or_fault(provider: Provider) -> Reading | Fault:
    """The flag, or why it cannot be read: a system that does not answer is a fact too."""
    try:
        return await provider.read()
    except Fault as fault:
        return fault


async def read_back(provider: Provider, flag: Flag) -> str:
    """What to know of the flag as it stands some seconds after it was written; empty: as it was written. Raises
    `Unanswered` where it stands otherwise or cannot be read: whoever said yes may have done nothing."""
    found = Flag(on=None)
    for attempt in range(SEEN_TRIES):
        if attempt:
            await asyncio.sleep(SEEN_WAIT_S)
        try:
            found = (await provider.read()).flag
        except Fault as fault:
            raise Unanswered(f"it was answered as done, but cannot be read back: {fault.words}") from None
        if found == flag_of(flag.value):
            return ""
        if found == Flag(on=flag.on):
            return "it keeps neither message nor times"
    if found.on is flag.on:
        return f"what is read back is another value, as if somebody else wrote too: {found.words}"
    raise Unanswered(f"it was answered as done, but what is read back is another value: {found.words}")


async def confirmed(provider: Provider, *, on: bool, wait_s: float, patience_s: float = 0.0) -> Reading:
    """The flag; where it does not stand as wanted read again after `wait_s`, and until `patience_s` have passed: a
    change that was accepted late would else be told as one that never was. Raises `Fault`."""
    clock = asyncio.get_running_loop().time
    ends_s = clock() + max(wait_s, patience_s)
    while True:
        found = await provider.read()
        if found.flag.on is on or clock() >= ends_s:
            return found
        await asyncio.sleep(wait_s)
