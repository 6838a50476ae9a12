"""The dead-man's switch: an outside service is told that this collector judges, and raises the alarm when it is not."""

from __future__ import annotations

import asyncio
import logging

from console.model.configuration import Secret
from console.model.wire import NotSent, Post, Unanswered

log = logging.getLogger("radar.collector")

TOLD = "told"
NOT_YET = "not told yet"


class Heartbeat:
    """Asks the URL once in each stretch of `every_s` seconds in which a round was judged and stored."""

    def __init__(self, url: Secret, every_s: float, post: Post) -> None:
        self._url, self._every_s, self._post = url, every_s, post
        self._judged = asyncio.Event()
        self.words = NOT_YET
        """How the newest try went, without numbers that change."""

    def judged(self) -> None:
        """A round was judged and stored."""
        self._judged.set()

    async def run(self) -> None:
        """Until cancelled. A service that fails or hangs delays nothing but itself."""
        while True:
            await self._judged.wait()
            self._judged.clear()
            self._note(await self._beat())
            await asyncio.sleep(self._every_s)
            self._judged.clear()  # only what is judged from now on counts for the next stretch

    async def _beat(self) -> str:
        try:
            answer = await self._post(self._url, {}, b"", method="GET")
        except (NotSent, Unanswered) as error:
            return f"the heartbeat's service is not told: {error}"
        if 200 <= answer.status < 300:
            return TOLD
        return f"the heartbeat's service answers {answer.status}"

    def _note(self, words: str) -> None:
        if words != self.words:
            log.log(logging.INFO if words == TOLD else logging.WARNING, "heartbeat: %s", words)
        self.words = words
