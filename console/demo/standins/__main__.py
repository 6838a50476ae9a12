"""`python -m console.demo.standins PARENT_PID DIRECTORY`: the hosted systems, as a child of the demo's supervisor."""

from __future__ import annotations

import ssl
from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.demo.link import Link, Message, run
from console.demo.listeners import HttpListener, Relay
from console.demo.standins.answers import now_ms
from console.demo.standins.edge_config import EdgeConfig
from console.demo.standins.faulty import Faulty
from console.demo.standins.github import GitHub
from console.demo.standins.pipeline import Pipeline
from console.demo.standins.project import Project
from console.demo.standins.prometheus import Prometheus
from console.demo.standins.sinks import Sinks
from console.demo.standins.supabase import Gateway, Management, Rest
from console.demo.standins.vendors import StatusPages, witness_application
from console.demo.standins.vercel import Vercel
from console.demo.world import BAD_COMMIT, Deployment, author

DATABASE_WAYS = ("database", "pooler")


class Service:
    """All stand-ins in one event loop, and the orders that they take."""

    def __init__(self, link: Link, configuration: Message) -> None:
        self._link = link
        self._certificates = Path(configuration["certificates"])
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._show_certificate("server")
        world = author(configuration["now_ms"], configuration["seed"])
        self._faults: set[str] = set()
        self._project = Project(world, self._moved, self._faults)
        tokens, rest = configuration["tokens"], Rest(configuration["database"])
        self._gateway = Gateway(rest, tokens["anon_key"])
        self._github = GitHub(self._project, Pipeline(world, self._project), world, tokens["github"])
        self._pages = StatusPages()
        flags = EdgeConfig(world, tokens["edge_config"], self._faults)
        applications = {
            "vercel": Vercel(self._project, world, flags, tokens["vercel"], self._faults).application(),
            "supabase": Management(world, rest, self._gateway, tokens["supabase"]).application(),
            "gateway": self._gateway.application(), "github": self._github.application(),
            "status": self._pages.application(), "edge_config": flags.reading(),
            "sinks": Sinks(tokens["statuspage"], tokens["webhook"], self._faults).application(),
            "prometheus": Prometheus(tokens["prometheus"]).application(),
            "witness1": witness_application(), "witness2": witness_application(),
        }  # fmt: skip
        self._ways = self._make_ways(applications, configuration["ports"])
        self._closed: set[str] = set()

    def _make_ways(self, applications: dict[str, Any], ports: dict[str, int]) -> dict[str, HttpListener | Relay]:
        ways: dict[str, HttpListener | Relay] = {
            name: HttpListener(Faulty(name, application, self._faults), ports[name])
            for name, application in applications.items()
        }
        ways["tls"] = Relay(ports["tls"], ports["users"], self._tls)
        return ways | {name: Relay(ports[name], ports["postgres"]) for name in DATABASE_WAYS}

    async def open(self) -> None:
        """Listen everywhere."""
        await self._arrange()

    async def obey(self, message: Message) -> Message | None:
        """Carry out one order of the supervisor."""
        match message["order"]:
            case "fault":
                await self._fault(message["name"], bool(message["on"]))
            case "database":
                await self._close("database is down", not message["up"])
            case "serving":
                return {name: asdict(one) for name, one in self._project.serving().items()}
        return None

    async def _fault(self, name: str, on: bool) -> None:
        (self._faults.add if on else self._faults.discard)(name)
        match name:
            case "bastion-offline":
                await self._close(name, on)
            case "gateway-down-sql-up":
                self._gateway.down = on
            case "vendor-incident":
                self._pages.since_ms = now_ms() - 60_000 if on else None
            case "ci-migration-lock":
                self._github.migrate(on)
            case "ci-run-active":
                self._github.build(on)
            case "vercel-queued":
                self._project.queue(on)
            case "vercel-conflict":
                self._project.interfere(on)
            case "rolling-release":
                self._project.rolling_since_ms = now_ms() if on else None
            case "certificate-expiring":
                self._show_certificate("expiring" if on else "server")
            case "bad-deploy":
                await (self._deploy_badly() if on else self._revert())

    async def _deploy_badly(self) -> None:
        sha, text, _ = BAD_COMMIT
        await self._project.deploy(text, sha=sha, faulty=True, promote=True)

    async def _revert(self) -> None:
        """A new deployment without the defect; nothing when a rollback has taken the bad one away already."""
        if self._project.production.faulty:
            await self._project.deploy(f'Revert "{BAD_COMMIT[1]}"', promote=True)

    def _moved(self, target: str, deployment: Deployment) -> None:
        self._link.announce(moved=target, deployment=asdict(deployment))

    def _show_certificate(self, name: str) -> None:
        self._tls.load_cert_chain(self._certificates / f"{name}.pem")

    async def _close(self, reason: str, on: bool) -> None:
        (self._closed.add if on else self._closed.discard)(reason)
        await self._arrange()

    async def _arrange(self) -> None:
        """Open and close listeners as the reasons in force ask."""
        for name, way in self._ways.items():
            cut = "bastion-offline" in self._closed or (name in DATABASE_WAYS and "database is down" in self._closed)
            await (way.close() if cut else way.open())


async def main(link: Link, configuration: Message) -> None:
    """Serve until the supervisor ends."""
    service = Service(link, configuration)
    await service.open()
    link.announce(ready=True)
    await link.serve(service.obey)


if __name__ == "__main__":
    run(main)
