"""A child's end of its line to the supervisor: JSON lines, orders on standard input, answers on standard output.

The first order is the configuration (so no secret is in an argument or the environment); the end of standard input
means that the supervisor is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from console.demo.lifetime import die_with_parent

Message = dict[str, Any]
Handler = Callable[[Message], Awaitable[Message | None]]


class Link:
    """Reads orders and answers each when its handler has carried it out."""

    def __init__(self) -> None:
        self._reader = asyncio.StreamReader(limit=1 << 22)

    async def open(self) -> Message:
        """Connect to standard input; gives the configuration."""
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._reader), sys.stdin)
        return await self._read()

    def announce(self, **message: object) -> None:
        """Tell the supervisor something unasked, such as `ready=True`. One short write: it fits the pipe."""
        os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")

    async def serve(self, handler: Handler) -> None:
        """Carry out orders until the supervisor closes the line or is gone."""
        while message := await self._read():
            number = message.pop("number")
            try:
                answer = await handler(message) or {}
            except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer, and shown by the supervisor
                answer = {"error": f"{type(error).__name__}: {error}"}
            self.announce(answer=number, **answer)

    async def _read(self) -> Message:
        line = await self._reader.readline()
        if not line:
            return {}
        message: Message = json.loads(line)
        return message


def run(main: Callable[[Link, Message], Awaitable[None]]) -> None:
    """The body of a child's `__main__`: bound to its parent, `main(link, configuration)` runs until the line ends."""
    die_with_parent(int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGHUP):  # ctrl+c is the supervisor's to handle
        signal.signal(number, signal.SIG_IGN)

    async def opened() -> None:
        link = Link()
        await main(link, await link.open())

    asyncio.run(opened())
    os._exit(0)  # nothing of ours needs an orderly end, and a hanging connection must not delay it
