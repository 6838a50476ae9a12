"""How actions speak to hosted APIs: a question may be asked again, a change is sent once and may end unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping

from console.model.configuration import Secret
from console.model.observation import Json
from console.model.wire import Change, Unanswered
from console.sources.base import api_value
from console.sources.faults import Fault
from console.sources.http import Answer, Clients, Limits, Request, fetch, retry_after_s

LIMITS = Limits(connect_s=3.0, read_s=10.0, total_s=12.0, body_bytes=2 * 1024 * 1024)


class Rejected(Exception):
    """The change was certainly not carried out; the text says why."""

    def __init__(
        self, words: str, status: int | None = None, retry_after_s: float | None = None, answer: Answer | None = None
    ) -> None:
        super().__init__(words)
        self.words = words
        self.status = status
        self.retry_after_s = retry_after_s
        self.answer = answer
        """The refusal itself, for who reads more of it than its message."""


class Api:
    """One hosted API under one credential. `name` is used in words: `Vercel answers 403: …`."""

    def __init__(self, name: str, base: str, credentials: Mapping[str, Secret], clients: Clients) -> None:
        self.name = name
        self._base = base.rstrip("/")
        self._credentials = credentials
        self._client = clients.of(base)

    async def read(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """The JSON at `path`. Raises `Fault`."""
        answer = await self.answer(path, headers)
        return None if answer.status == 204 else api_value(answer, self.name)

    async def answer(self, path: str, headers: Mapping[str, str] | None = None, *, cut: bool = False) -> Answer:
        """The answer as it is, whatever its status. Raises `Fault`."""
        return await fetch(self._client, self._request(path, headers or {}, cut=cut))

    async def change(
        self, method: Change, path: str, body: Json = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask for a change; gives the answer of 2xx. Raises `Rejected` or `Unanswered`, and nothing else."""
        content = b"" if body is None else json.dumps(body).encode()
        told = {"content-type": "application/json", **(headers or {})}
        try:
            answer = await fetch(self._client, self._request(path, told, method=method, content=content))
        except Fault as fault:
            if fault.sent:
                raise Unanswered(f"{self.name}: {fault.words}") from None
            raise Rejected(f"{self.name}: {fault.words}") from None
        return self._accepted(answer)

    def _accepted(self, answer: Answer) -> Answer:
        if 200 <= answer.status < 300:
            return answer
        try:
            api_value(answer, self.name)
        except Fault as fault:
            # Whoever stands before the API answers 502 and 504 for a request that may have got through; so may a 500.
            if answer.status >= 500:
                raise Unanswered(fault.words) from None
            raise Rejected(fault.words, answer.status, _wait_s(answer), answer) from None
        raise Unanswered(f"{self.name} answers {answer.status}")

    def _request(
        self,
        path: str,
        headers: Mapping[str, str],
        *,
        method: Change | None = None,
        content: bytes = b"",
        cut: bool = False,
    ) -> Request:
        return Request(
            url=self._base + path,
            headers=headers,
            credentials=self._credentials,
            limits=LIMITS,
            change=method,
            content=content,
            cut=cut,
        )


def _wait_s(answer: Answer) -> float | None:
    """How long the API asks to be left alone, when it refused for that; a 403 with nothing left is GitHub's way."""
    limited = answer.status == 429 or answer.headers.get("x-ratelimit-remaining", "").strip() == "0"
    return retry_after_s(answer.headers) if limited else None
