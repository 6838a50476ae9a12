"""How long the SLO board takes to read, cold and warm, and the burn rates that the collector asks for once a minute.

`python -m tests.bench.slo_reads [--reads 60] [--keep FILE]`

On the history of `metrics_reads`, in which everything is as bad as chance: each hour's memory has to be counted by its
minutes. Absolute times on a shared machine lie: read the processor time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from console.model.histograms import nearest_rank
from console.store.observe import ObservedStore
from tests.bench.metrics_reads import ENVIRONMENT, PROBED, author, newest_ms, reader_of, timed

COLD_MS, WARM_MS, BURN_MS = 150.0, 50.0, 20.0
STEP_MS = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="author into this file, or use it when it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = options.keep or Path(directory) / "observed.db"
        if not path.exists():
            author(path, 30)
        report(path, options.reads)


def report(path: Path, reads: int) -> None:
    """A line for each kind of read."""
    last_ms = newest_ms(path)
    print(f"{'read':34} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8}  within")
    for words, environment in (("board", ENVIRONMENT), ("board, probes only", PROBED)):
        now = [last_ms - reads * STEP_MS]

        def clock(now: list[int] = now) -> int:
            now[0] += STEP_MS
            return now[0]

        for _ in range(3):
            reader = reader_of(path, environment, lambda: last_ms)
            show(f"{words}, cold", lambda reader=reader: reader.slo(None), 1, COLD_MS)  # type: ignore[misc]
            reader.close()
        reader = reader_of(path, environment, clock)
        reader.slo(None)
        show(f"{words}, warm", lambda reader=reader: reader.slo(None), reads, WARM_MS)  # type: ignore[misc]
        reader.close()
    store = ObservedStore.open(path)
    store.burn_rates(ENVIRONMENT.thresholds)
    show("burn rates for the collector", lambda: store.burn_rates(ENVIRONMENT.thresholds), reads, BURN_MS)
    store.close()


def show(name: str, ask: Callable[[], object], reads: int, limit_ms: float) -> None:
    began_s = time.process_time()
    found = [timed(ask) for _ in range(reads)]
    processor_ms = (time.process_time() - began_s) / reads * 1000
    p50, p95 = nearest_rank(found, 0.5) or 0.0, nearest_rank(found, 0.95) or 0.0
    verdict = "yes" if p50 <= limit_ms else "NO"
    print(f"{name:34} {p50:8.1f} {p95:8.1f} {processor_ms:8.1f}  {limit_ms:.0f} ms: {verdict}", flush=True)


if __name__ == "__main__":
    main()
