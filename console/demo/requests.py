"""The smallest HTTP/1.1 client that a load needs: keep-alive, bodies with a length, time-outs. For loopback only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from console.demo.ports import LOOPBACK

TIMEOUT_S = 12.0
LARGEST_BODY = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection, opened when needed and again after an error. A httpx request would cost four times as much."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send and wait for the answer. Raises OSError (time-outs too) or ValueError."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._exchange(method, path, headers, body)
        except BaseException:
            self.close()  # the rest of an answer that was not read must not become the next one's
            raise

    def close(self) -> None:
        """Drop the connection."""
        if self._stream is not None:
            self._stream[1].transport.abort()
            self._stream = None

    async def _exchange(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if self._stream is None:
            self._stream = await asyncio.open_connection(LOOPBACK, self._port)
        reader, writer = self._stream
        lines = [
            f"{method} {path} HTTP/1.1",
            "host: demo.tabletalk.example",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        writer.write("\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        answered = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        length = int(answered.get("content-length", "0"))
        if length > LARGEST_BODY:
            raise ValueError(f"a body of {length} bytes")
        content = await reader.readexactly(length)
        if answered.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(head[0].split(" ")[1]), answered, content)
