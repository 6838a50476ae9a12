"""`python -m console.demo.load PARENT_PID DIRECTORY`: the users of the demo, as a child of its supervisor.

A day is compressed into ten minutes: a quiet night, a noon and an evening peak, 5 to 15 requests a second. It begins
in the morning. They read pages and lists, and write reviews and audits with a CSRF token, as a browser does.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import time

from console.demo.link import Link, Message, run
from console.demo.requests import Connection

DAY_S = 600.0
MORNING = 0.4
LEAST_PER_S, MOST_PER_S = 5.0, 15.0
MOST_WAITING = 24  # users who wait for a hanging site; the others have left
COOKIE = "_vcrcs=solved"

READS = (
    "/",
    "/",
    "/pricing",
    "/api/v1/clients",
    "/api/v1/reviews",
    "/api/v1/reviews",
    "/api/v1/audits",
    "/api/v1/audits",
)
WRITE_SHARE = 0.12
WORDS = ("Lovely evening", "Slow service", "Great pasta", "Too loud", "Would come again", "Cold soup")


def requests_per_s(phase: float) -> float:
    """The load at a phase of the day, 0 and 1 being midnight."""
    noon = math.exp(-(((phase - 0.52) / 0.09) ** 2))
    evening = math.exp(-(((phase - 0.79) / 0.08) ** 2))
    return LEAST_PER_S + (MOST_PER_S - LEAST_PER_S) * min(1.0, 0.8 * noon + evening)


class User:
    """One browser: a connection, a session, an address of its own."""

    def __init__(self, port: int, number: int, chance: random.Random) -> None:
        self._connection = Connection(port)
        self._headers = {"cookie": COOKIE, "x-forwarded-for": f"203.0.113.{number}", "user-agent": "Mozilla/5.0 demo"}
        self._chance = chance
        self._token = ""
        self.busy = False

    async def act(self) -> None:
        """Read or write once; whatever fails is the site's, and counted there."""
        self.busy = True
        try:
            await (self._write() if self._chance.random() < WRITE_SHARE else self._read(self._chance.choice(READS)))
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            self._token = ""
        finally:
            self.busy = False

    async def _read(self, path: str) -> None:
        await self._connection.request("GET", path, self._headers)

    async def _write(self) -> None:
        if not self._token:
            await self._begin_session()
        client = self._chance.randint(1, 120)
        if self._chance.random() < 0.7:
            path = "/api/v1/reviews"
            body: dict[str, object] = {"client": client, "rating": self._rating(), "text": self._chance.choice(WORDS)}
        else:
            path, body = "/api/v1/audits", {"client": client, "score": self._chance.randint(35, 99)}
        headers = {**self._headers, "content-type": "application/json", "x-csrf-token": self._token}
        answer = await self._connection.request("POST", path, headers, json.dumps(body).encode())
        if answer.status == 403:  # the backend has been started anew, with another key
            self._token = ""

    async def _begin_session(self) -> None:
        answer = await self._connection.request("GET", "/api/v1/auth/csrf", self._headers)
        session = answer.headers.get("set-cookie", "").partition(";")[0]
        self._headers["cookie"] = f"{COOKIE}; {session}"
        self._token = str(json.loads(answer.body)["csrfToken"])

    def _rating(self) -> int:
        return self._chance.choice((2, 3, 4, 4, 5, 5))


async def browse(port: int, seed: int) -> None:
    """Send requests at the pace of the day, for ever. Nobody waits for somebody else's answer."""
    chance = random.Random(seed)
    users = [User(port, number + 1, chance) for number in range(MOST_WAITING)]
    acting: set[asyncio.Task[None]] = set()
    began = time.monotonic()
    while True:
        pace = requests_per_s(((time.monotonic() - began) / DAY_S + MORNING) % 1.0)
        await asyncio.sleep(chance.expovariate(pace))
        free = next((user for user in users if not user.busy), None)
        if free is not None:
            free.busy = True
            task = asyncio.create_task(free.act())
            acting.add(task)
            task.add_done_callback(acting.discard)


async def main(link: Link, configuration: Message) -> None:
    """Load the backend until the supervisor ends."""
    browsing = asyncio.create_task(browse(configuration["port"], configuration["seed"]))
    link.announce(ready=True)
    await link.serve(_nothing)
    browsing.cancel()


async def _nothing(message: Message) -> None:
    """There are no orders yet."""


if __name__ == "__main__":
    run(main)
