"""The backend's structured log: a JSON object a line, capped at two files of 24 MiB."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path

FILE_BYTES = 24 * 1024 * 1024  # two of them stay under 50 MB, a flood too
FLOOD_LINES = 150
FLOOD_PAUSE_S = 0.1

_TRACE = "\n".join(
    ["TypeError: Cannot read properties of undefined (reading 'score')"]
    + [f"    at audit (/var/task/.next/server/app/api/v1/audits/route.js:{line}:17)" for line in (41, 88, 120)]
)


class LogFile:
    """Appends lines; turns the file over when it is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", buffering=1 << 16)
        self._size_bytes = path.stat().st_size

    def write(self, level: str, message: str, **context: object) -> None:
        """One structured line, with the context as further keys."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.raw(json.dumps({"time": moment, "level": level, "msg": message, **context}) + "\n")

    def raw(self, text: str) -> None:
        """Text as it is: what a library prints on standard error."""
        self._file.write(text)
        self._file.flush()
        self._size_bytes += len(text)
        if self._size_bytes > FILE_BYTES:
            self._turn_over()

    def _turn_over(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_suffix(self._path.suffix + ".1"))
        self._file = self._path.open("a", buffering=1 << 16)
        self._size_bytes = 0

    async def flood(self) -> None:
        """About 1,500 entries a second, half of them stack traces without time or level, until cancelled."""
        while True:
            for _ in range(FLOOD_LINES // 2):
                self.write("error", "audit failed", requestId=f"{time.monotonic_ns():x}", retry=True)
                self.raw(_TRACE + "\n")
            await asyncio.sleep(FLOOD_PAUSE_S)
