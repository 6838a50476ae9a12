"""How one request goes out and what comes of it, for whoever must know whether it may have arrived. How bytes travel is
not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from console.model.configuration import Secret

Change = Literal["POST", "PUT", "PATCH", "DELETE"]
"""The methods that change something there."""
Method = Change | Literal["GET"]
BUSY = frozenset({420, 429})
"""Refused for being asked too often: nothing was carried out. 420 is Statuspage's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer. The body is not clean."""

    status: int
    body: bytes = b""
    retry_after_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class NotSent(Exception):
    """The request has certainly not reached the other side; the text says why and holds no address."""


class Unanswered(Exception):
    """The request was sent and nobody knows what came of it; the text says why and holds no secret."""


class Post(Protocol):
    """The wire. `url` may be the secret itself; `credentials` are headers. Sent once and never again by itself."""

    async def __call__(
        self,
        url: Secret,
        headers: Mapping[str, str],
        body: bytes,
        *,
        method: Method = "POST",
        credentials: Mapping[str, Secret] | None = None,
    ) -> Response:
        """The answer, whatever its status. Raises `NotSent` or `Unanswered`."""
