"""`python -m console.demo.backend PARENT_PID DIRECTORY`: the reference backend as a child of the demo's supervisor."""

from __future__ import annotations

import asyncio
from pathlib import Path

from console.demo.backend import maintenance
from console.demo.backend.application import build
from console.demo.backend.logfile import LogFile
from console.demo.backend.metrics import Metrics
from console.demo.backend.pool import Pool
from console.demo.backend.state import State
from console.demo.link import Link, Message, run
from console.demo.listeners import HttpListener


class Service:
    """The listeners of the backend and the orders that it takes."""

    def __init__(self, configuration: Message) -> None:
        self._state, self._staging = State(), State()
        self._log = LogFile(Path(configuration["log"]))
        pool = Pool(configuration["database"])
        application = build(pool, self._state, Metrics(), self._log)
        staging = build(pool, self._staging, Metrics(), self._log)
        # The console comes by the one way, users by the other: a bastion that is offline takes only its own.
        self._outside = HttpListener(application, configuration["port"])
        self._users = HttpListener(application, configuration["users_port"])
        self._beside = HttpListener(staging, configuration["staging_port"])
        self._flag = configuration["maintenance"]
        self._following: asyncio.Task[None] | None = None
        self._flood: asyncio.Task[None] | None = None

    async def open(self, orders: list[Message]) -> None:
        """Listen; `orders` are those in force already (deployment, faults) when this process replaces another."""
        for order in orders:
            await self.obey(order)
        await self._users.open()
        self._following = asyncio.create_task(maintenance.follow(self._flag, self._state))

    async def obey(self, message: Message) -> None:
        """Carry out one order of the supervisor."""
        if message["order"] == "way":
            for way in (self._outside, self._beside):
                await (way.open() if message["open"] else way.close())
            return
        (self._staging if message.get("target") == "staging" else self._state).apply(message)
        if message.get("name") == "log-flood":
            self._turn_flood(bool(message["on"]))

    def _turn_flood(self, on: bool) -> None:
        if self._flood is not None:
            self._flood.cancel()
        self._flood = asyncio.create_task(self._log.flood()) if on else None


async def main(link: Link, configuration: Message) -> None:
    """Serve until the supervisor ends."""
    service = Service(configuration)
    await service.open(configuration["orders"])
    link.announce(ready=True)
    await link.serve(service.obey)


if __name__ == "__main__":
    run(main)
