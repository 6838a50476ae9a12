"""The backend's in-memory cache: a value lives for its time to live, and hits and misses are counted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from console.demo.backend.metrics import Metrics

LARGEST = 256


class Cache:
    """Keys to values with an end; at most `LARGEST`, the oldest goes first."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._values: dict[str, tuple[object, float]] = {}

    async def get(self, key: str, ttl_s: float, make: Callable[[], Awaitable[object]]) -> object:
        """The cached value, or a new one; an exception of `make` is passed on and nothing is kept."""
        value, ends = self._values.get(key, (None, 0.0))
        if time.monotonic() < ends:
            self._metrics.events["cache_hits"] += 1
            return value
        self._metrics.events["cache_misses"] += 1
        value = await make()
        self._values.pop(key, None)
        self._values[key] = (value, time.monotonic() + ttl_s)
        if len(self._values) > LARGEST:
            del self._values[next(iter(self._values))]
        return value
