"""An application with its maintenance flag, and a status page, as one stateful loopback server with traps to lay."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from console.actions.base import Context
from console.model.configuration import Secret
from console.model.observation import Json
from console.model.operations import Maintenance, Operations, Slack, Statuspage, Webhook
from console.model.states import State
from console.store.records import Records
from tests.actions import hosting
from tests.sources.loopback import Handler, Loopback, Seen, Writer, answering, response, serving

STORE, KEY, HOOK_TOKEN = "ecfg_example0001", "statuspage-key-that-is-secret", "hook-token-that-is-secret"
NOTICE = answering(429, {"error": "Rate limit exceeded"}, {"retry-after": "1"})


@dataclass
class Stage:
    """Everything that maintenance touches. `lost`: changes that are carried out, and whose answer never comes."""

    prefix: str = "edge-config"
    flag: Any = None
    """What the application is told; None: the item is absent."""
    honours: bool = True
    """Whether the application shows its maintenance page while the flag is on."""
    plain: Handler = field(default_factory=lambda: answering(200, b"<h1>Radar</h1>", {"content-type": "text/html"}))
    page: Handler = field(
        default_factory=lambda: answering(
            503, b"<h1>Maintenance</h1>", {"content-type": "text/html", "x-maintenance": "on"}
        )
    )
    incidents: list[dict[str, Any]] = field(default_factory=list)
    components: dict[str, str] = field(default_factory=lambda: {"cmp_web": "operational", "cmp_api": "operational"})
    lost: set[str] = field(default_factory=set)
    gives_metadata: bool = True
    traps: dict[str, list[Handler]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    digest: str = "digest-0"
    others_write: Json = None
    """What somebody else writes right after us."""

    def asked(self, method: str, part: str) -> list[Seen]:
        """The requests of that kind."""
        return [seen for seen in self.seen if seen.method == method and part in seen.path]

    async def handle(self, seen: Seen, writer: Writer) -> None:
        self.seen.append(seen)
        path = seen.path.partition("?")[0]
        name = f"{seen.method} {path}"
        if self.traps.get(name):
            await self.traps[name].pop(0)(seen, writer)
            return
        status, body = self._answer(seen, path)
        if seen.method in self.lost and status < 300:
            writer.transport.abort()
            return
        if path == "/":
            await (self.page if self.is_on and self.honours else self.plain)(seen, writer)
            return
        sent = b"" if status == 204 else json.dumps(body).encode()
        writer.write(response(status, sent, {"content-type": "application/json"}))
        await writer.drain()

    @property
    def is_on(self) -> bool:
        """As the documented middleware reads it."""
        return self.flag is True or (isinstance(self.flag, dict) and self.flag.get("enabled") is True)

    def _answer(self, seen: Seen, path: str) -> tuple[int, Any]:
        store = f"/v1/{self.prefix}/{STORE}"
        if path == store:
            return 200, {"id": STORE, "digest": self.digest}
        if path == f"{store}/item/maintenance":
            return (204, None) if self.flag is None else (200, {"key": "maintenance", "value": self.flag})
        if path == f"{store}/items":
            (item,) = json.loads(seen.body)["items"]
            return self._write(item["value"], {"status": "ok"})
        if path == "/hook":
            return self._hook(seen)
        if path.startswith("/v1/pages/page_1/"):
            return self._public(seen, path.removeprefix("/v1/pages/page_1/"))
        return 404, {"error": {"code": "not_found", "message": "no such"}}

    def _write(self, value: Json, answer: Any) -> tuple[int, Any]:
        self.flag = value if self.others_write is None else self.others_write
        self.digest += "'"
        return 200, answer

    def _hook(self, seen: Seen) -> tuple[int, Any]:
        if seen.headers.get("authorization") != f"Bearer {HOOK_TOKEN}":
            return 401, {"error": "who are you"}
        if seen.method == "POST":
            return self._write(json.loads(seen.body)["maintenance"], {"ok": True})
        return 200, {"maintenance": {"on": False} if self.flag is None else self.flag}

    def _public(self, seen: Seen, rest: str) -> tuple[int, Any]:
        if seen.headers.get("authorization") != f"OAuth {KEY}":
            return 401, {"error": "Could not authenticate"}
        kind, _, key = rest.partition("/")
        if kind == "components" and seen.method == "GET":
            return 200, [{"id": name, "status": status} for name, status in self.components.items()]
        if kind == "components":
            self.components[key] = json.loads(seen.body)["component"]["status"]
            return 200, {"id": key}
        if seen.method == "GET":
            return 200, [self._shown(each) for each in reversed(self.incidents)]
        return self._incident(seen, key)

    def _incident(self, seen: Seen, key: str) -> tuple[int, Any]:
        told = json.loads(seen.body)["incident"]
        if seen.method == "POST":
            incident = {**told, "id": f"inc_{len(self.incidents) + 1}", "incident_updates": []}
            self.incidents.append(incident)
        else:
            incident = next(each for each in self.incidents if each["id"] == key)
            incident.update({name: value for name, value in told.items() if name != "body"})
        if "body" in told:
            incident["incident_updates"].insert(0, {"body": told["body"], "status": told["status"]})
        self.components.update(told.get("components") or {})
        return (201 if seen.method == "POST" else 200), self._shown(incident)

    def _shown(self, incident: dict[str, Any]) -> dict[str, Any]:
        hidden = {"deliver_notifications", "component_ids"} | (set() if self.gives_metadata else {"metadata"})
        return {name: value for name, value in incident.items() if name not in hidden}


@contextlib.asynccontextmanager
async def opened(stage: Stage) -> AsyncIterator[Loopback]:
    """The stage, listening."""
    async with serving(stage.handle) as server:
        yield server


def edge_config(server: Loopback) -> Maintenance:
    return Maintenance(provider="edge-config", edge_config=STORE)


def hook(server: Loopback) -> Maintenance:
    return Maintenance(provider="hook", hook=Secret(server.url("/hook?key=in-the-url")), hook_token=Secret(HOOK_TOKEN))


def row(dsn: str) -> Maintenance:
    return Maintenance(provider="database", database=Secret(dsn))


class Reads:
    """What was observed: these reasons, and these rows of the ledger."""

    def __init__(self, reasons: tuple[Any, ...], holdings: tuple[Any, ...]) -> None:
        self._reasons, self._holdings = reasons, holdings

    def health(self, _at_ms: int | None, **_: int) -> Any:
        database = SimpleNamespace(key="database", state=State.HEALTHY)
        verdict = SimpleNamespace(reasons=self._reasons)
        return SimpleNamespace(verdict=verdict, verdict_ms=hosting.now_ms(), components=(database,))

    def actions(self, _at_ms: int | None) -> Any:
        return SimpleNamespace(holdings=self._holdings, runs=())


def healthy(*reasons: Any, holdings: tuple[Any, ...] = ()) -> Reads:
    """A store that knows of these reasons, and of these rows of the ledger."""
    return Reads(reasons, holdings)


def context(
    server: Loopback,
    directory: Path,
    maintenance: Maintenance,
    *,
    reads: Any = None,
    public: bool = True,
    channels: Iterable[str] = ("slack", "ops"),
    email: bool = False,
) -> Context:
    """A context with real records."""
    statuspage = Statuspage(
        key=Secret(KEY), page="page_1", components=("cmp_web", "cmp_api"), api=server.url(), email=email
    )
    names = list(channels)
    operations = Operations(
        maintenance=maintenance,
        statuspage=statuspage if public else None,
        slack=Slack(webhook=Secret(server.url("/slack"))) if "slack" in names else None,
        webhooks=tuple(Webhook(name=name, url=Secret(server.url("/w"))) for name in names if name != "slack"),
    )
    bare = hosting.context(server, cast(Any, reads or healthy()))
    settings = replace(bare.settings, state_directory=directory)
    return replace(bare, settings=settings, operations=operations, records=Records(settings.records_path))


def outbox(where: Context) -> list[tuple[str, str, str]]:
    """(event, channel, title) of everything that is to be told."""
    return where.records.read(
        lambda connection: connection.execute("SELECT event, channel, title FROM outbox ORDER BY id").fetchall()
    )
