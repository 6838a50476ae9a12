"""The backend's own figures in the Prometheus text format 0.0.4."""

from __future__ import annotations

import bisect
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MEMORY_LIMIT_BYTES = 512 * 1024 * 1024  # what a small function has; ours uses about a tenth
LONGEST_FLAP = 19
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Metrics:
    """Counters since the process began; they restart with it."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.events = Counter[str](cache_hits=0, cache_misses=0, business_reviews=0, business_audits=0)
        """Cache hits and misses, `business_…`: metric name without `_total`."""
        self._started_s = time.time()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one finished request."""
        self.requests[method, route, status] += 1
        buckets = self._buckets.setdefault(route, [0] * (len(BOUNDS_S) + 1))
        buckets[bisect.bisect_left(BOUNDS_S, seconds)] += 1
        self._seconds[route] = self._seconds.get(route, 0.0) + seconds

    def text(self) -> str:
        """All families."""
        return "\n".join([*self._requests(), *self._durations(), *self._memory(), *self._events(), ""])

    def _requests(self) -> Iterator[str]:
        yield "# HELP http_requests_total Requests answered, system routes left out."
        yield "# TYPE http_requests_total counter"
        for (method, route, status), count in sorted(self.requests.items()):
            yield f'http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'

    def _durations(self) -> Iterator[str]:
        yield "# HELP http_request_duration_seconds Time until the answer was sent."
        yield "# TYPE http_request_duration_seconds histogram"
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*BOUNDS_S, "+Inf"), buckets, strict=True):
                total += count
                yield f'http_request_duration_seconds_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'http_request_duration_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}'
            yield f'http_request_duration_seconds_count{{route="{route}"}} {total}'

    def _memory(self) -> Iterator[str]:
        yield "# TYPE process_resident_memory_bytes gauge"
        yield f"process_resident_memory_bytes {resident_bytes()}"
        yield "# TYPE process_memory_limit_bytes gauge"
        yield f"process_memory_limit_bytes {MEMORY_LIMIT_BYTES}"
        yield "# TYPE process_start_time_seconds gauge"
        yield f"process_start_time_seconds {self._started_s:.3f}"

    def _events(self) -> Iterator[str]:
        for name, count in sorted(self.events.items()):
            yield f"# TYPE {name}_total counter"
            yield f"{name}_total {count}"


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES


class MemoryCheck:
    """The health answer's memory check: it compares heap used with heap *allocated*, so it fails at random.

    85 of 120 probes failed on a fresh server of the real application; nine of ten under the fault memory-flap. Never
    twenty in a row: it flaps.
    """

    def __init__(self) -> None:
        self._failures = 0

    def check(self, flapping: bool) -> dict[str, str]:
        """The next answer."""
        fails = random.random() < (0.9 if flapping else 85 / 120) and self._failures < LONGEST_FLAP
        self._failures = self._failures + 1 if fails else 0
        if not fails:
            return {"status": "pass"}
        return {"status": "fail", "message": f"Memory usage is high: {random.uniform(90, 98):.1f}%"}
