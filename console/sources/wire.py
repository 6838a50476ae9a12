"""One request by HTTP, sent once; errors say whether it may have arrived."""

from __future__ import annotations

from collections.abc import Mapping

from console.model.configuration import Secret
from console.model.wire import Method, NotSent, Response, Unanswered
from console.sources.faults import Fault
from console.sources.http import Clients, Limits, Request, fetch, retry_after_s

LIMITS = Limits(connect_s=5.0, read_s=10.0, total_s=15.0, body_bytes=1024 * 1024)


class Wire:
    """`Post` over the same client as every source."""

    def __init__(self, clients: Clients, limits: Limits = LIMITS) -> None:
        self._clients, self._limits = clients, limits

    async def __call__(
        self,
        url: Secret,
        headers: Mapping[str, str],
        body: bytes,
        *,
        method: Method = "POST",
        credentials: Mapping[str, Secret] | None = None,
    ) -> Response:
        """The answer, whatever its status. Raises `NotSent` or `Unanswered`, whose words hold no address."""
        address = url.reveal()
        request = Request(
            url=address,
            headers=headers,
            credentials=credentials or {},
            limits=self._limits,
            change=None if method == "GET" else method,
            content=body,
            cut=True,
        )
        try:
            answer = await fetch(self._clients.of(address), request)
        except Fault as fault:
            if fault.sent:
                raise Unanswered(fault.words) from None
            raise NotSent(fault.words) from None
        return Response(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            retry_after_s=retry_after_s(answer.headers),
        )

    async def close(self) -> None:
        """Release the connections."""
        await self._clients.close()
