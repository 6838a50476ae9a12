"""How long a page of eight charts takes to read, cold, warm and panned, on 90 days of history.

`python -m tests.bench.metrics_reads [--days 90] [--reads 60] [--keep FILE]`

Beside each stands its ratio to a floor of the same run: fetching the same hour rollups by one bare statement, not
decoded. Absolute times on a shared machine lie: read the ratios, and the processor time.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from console.model.charts import PageName
from console.model.configuration import Environment, Secret
from console.model.histograms import nearest_rank
from console.model.metric_views import MetricsQuestion
from console.model.metrics import Rollup
from console.model.observation import Buckets
from console.store.clock import now_ms
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.read import StoreReader
from tests.bench import store_reads

ROUTES = tuple(f"/route/{number}" for number in range(8))
ENVIRONMENT = Environment(
    name="bench",
    url="http://127.0.0.1",
    routes=ROUTES,
    metrics="/api/metrics",
    database=Secret("postgres://127.0.0.1/app"),
)
PROBED = ENVIRONMENT.__class__(name="bench", url="http://127.0.0.1", routes=ROUTES)
BOUNDS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0, float("inf"))
LATENCIES = [f"route:{route}|latency_ms" for route in ROUTES] + [
    f"{target}|latency_ms"
    for target in ("health", "ping", "postgres.canary", "supabase.gateway", "supabase.auth", "supabase.pooler")
]
GAUGES = (
    ["application|up", *(f"route:{route}|ok" for route in ROUTES)]
    + [
        f"metrics|{name}"
        for name in ("requests", "errors", "memory_bytes", "memory_limit_bytes", "cache_hit_share", "business.audits")
    ]
    + [
        f"postgres.activity|{name}"
        for name in (
            "connections", "connections_max", "active", "idle_in_transaction", "commits", "rollbacks",
            "blocks_hit_share", "deadlocks", "longest_wait_s", "blocked",
        )
    ]
    + ["postgres.catalogue|wal_bytes_per_s"]
    + [f"host|{name}" for name in ("cpu_share", "memory_share", "disk_share", "load1")]
    + ["collector|cpu_share", "collector|rss_bytes"]
)  # fmt: skip
PAGES: tuple[tuple[PageName, Environment], ...] = (
    ("application", ENVIRONMENT),
    ("application", PROBED),
    ("database", ENVIRONMENT),
)
POINTS = 150
LIMITS_MS = {"cold": 150.0, "warm": 50.0, "pan": 120.0}
CHANCE = random.Random(3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--reads", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="author into this file, or use it when it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = options.keep or Path(directory) / "observed.db"
        if not path.exists():
            author(path, options.days)
        report(path, options.reads, options.days)


# The history


def author(path: Path, days: int) -> None:
    """As a collector leaves it: hours for all of it, minutes for 30 days, samples of the last minutes."""
    began_s = time.monotonic()
    end_ms = now_ms() // MINUTE_MS * MINUTE_MS
    first_ms = end_ms - days * DAY_MS
    with HistoryWriter(path) as writer:
        store_reads.write_happenings(writer, first_ms, end_ms)
        store_reads.write_figures(writer, end_ms - 2 * DAY_MS, end_ms)
        for series, minutes, hours in kinds():
            begin = end_ms - min(30, days) * DAY_MS
            writer.minutes(series, ((at, CHANCE.choice(minutes)) for at in range(begin, end_ms, MINUTE_MS)))
            hour_starts = range(first_ms // HOUR_MS * HOUR_MS, end_ms // HOUR_MS * HOUR_MS, HOUR_MS)
            writer.hours(series, ((at, CHANCE.choice(hours)) for at in hour_starts))
        write_samples(writer, end_ms)
    print(f"authored {days} days in {time.monotonic() - began_s:.0f} s")


def kinds() -> Iterator[tuple[str, list[Rollup], list[Rollup]]]:
    """(series, what its minutes are of, what its hours are of)."""
    own = [Rollup.of([CHANCE.lognormvariate(4, 0.5) for _ in range(12)], distribution=True) for _ in range(400)]
    plain = [Rollup.of([CHANCE.random()] * 12, distribution=False) for _ in range(400)]
    foreign = [Rollup.of_buckets([Buckets(BOUNDS, tuple(CHANCE.random() * 9 for _ in BOUNDS))]) for _ in range(400)]
    pools = {name: [one for one in made if one] for name, made in zip("opf", (own, plain, foreign), strict=True)}
    hours = {name: [_merged(CHANCE.sample(made, 60)) for _ in range(20)] for name, made in pools.items()}
    for series in LATENCIES:
        yield series, pools["o"], hours["o"]
    for series in GAUGES:
        yield series, pools["p"], hours["p"]
    yield "metrics|latency_ms", pools["f"], hours["f"]


def _merged(rollups: list[Rollup]) -> Rollup:
    found = Rollup.merged(rollups)
    assert found is not None
    return found


def write_samples(writer: HistoryWriter, end_ms: int) -> None:
    """Fifteen minutes that are not packed yet, of every target."""
    targets: dict[str, list[str]] = {}
    for key in (*LATENCIES, *GAUGES):
        target, _, metric = key.rpartition("|")
        targets.setdefault(target, []).append(metric)
    for at_ms in range(end_ms, end_ms + 15 * MINUTE_MS, 5000):
        for target, metrics in targets.items():
            writer.samples(target, at_ms, {metric: CHANCE.random() for metric in metrics})


# The reads


def report(path: Path, reads: int, days: int) -> None:
    last_ms = newest_ms(path)
    floor = [floor_ms(path) for _ in range(10)]
    floor_p50 = nearest_rank(floor, 0.5) or 1.0
    print(f"the floor, 30 days of hour rollups of 22 series fetched: {floor_p50:.1f} ms")
    print(f"{'read':44} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'CPU ms':>8} {'x floor':>8}  within")
    for page, environment in PAGES:
        name = f"{page}{'' if environment is ENVIRONMENT else ', probes only'}"
        for window_s, words in ((300, "5 m"), (3600, "1 h"), (86_400, "24 h"), (604_800, "7 d"), (2_592_000, "30 d")):
            question = MetricsQuestion(page=page, window_s=window_s, points=POINTS)
            show(f"{name}, {words}, cold", *cold(path, environment, question, last_ms, reads // 6), floor_p50, "cold")
            show(f"{name}, {words}, warm", *warm(path, environment, question, last_ms, reads), floor_p50, "warm")
    for page, environment in PAGES[:2]:
        name = f"{page}{'' if environment is ENVIRONMENT else ', probes only'}, 30 d panned"
        show(name, *panned(path, environment, page, last_ms, reads, days), floor_p50, "pan")


def newest_ms(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT max(at) FROM recent").fetchone()[0])


def floor_ms(path: Path) -> float:
    """The rows that a page of 30 days is made of, by one statement."""
    began = time.perf_counter()
    with sqlite3.connect(path) as connection:
        last = connection.execute("SELECT max(start) FROM rollup_hour").fetchone()[0]
        ids = [row[0] for row in connection.execute("SELECT id FROM series ORDER BY id LIMIT 22")]
        connection.execute(
            f"SELECT series_id, start, n, sum, min, max, hist FROM rollup_hour "
            f"WHERE series_id IN ({', '.join(map(str, ids))}) AND start > ?",
            (last - 30 * DAY_MS,),
        ).fetchall()
    connection.close()
    return (time.perf_counter() - began) * 1000


def reader_of(path: Path, environment: Environment, clock: Callable[[], int]) -> StoreReader:
    return StoreReader(path, path.with_name("records.db"), environment, None, clock)


def timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def cold(
    path: Path, environment: Environment, question: MetricsQuestion, last_ms: int, reads: int
) -> tuple[list[float], float]:
    """Each by a reader that has read nothing before: opening the file, all of the page."""
    found, began_s = [], time.process_time()
    for _ in range(max(3, reads)):
        reader = reader_of(path, environment, lambda: last_ms)
        found.append(timed(lambda reader=reader: reader.metrics(None, question)))  # type: ignore[misc]
        reader.close()
    return found, (time.process_time() - began_s) / len(found) * 1000


def warm(
    path: Path, environment: Environment, question: MetricsQuestion, last_ms: int, reads: int
) -> tuple[list[float], float]:
    """The rounds of an open page: each five seconds later than the one before."""
    now = [last_ms - reads * 5000]
    reader = reader_of(path, environment, lambda: now[0])
    reader.metrics(None, question)
    found, began_s = [], time.process_time()
    for _ in range(reads):
        now[0] += 5000
        found.append(timed(lambda: reader.metrics(None, question)))
    reader.close()
    return found, (time.process_time() - began_s) / reads * 1000


def panned(
    path: Path, environment: Environment, page: PageName, last_ms: int, reads: int, days: int
) -> tuple[list[float], float]:
    """A quarter of the window back with each key, and from the oldest back to now."""
    reader = reader_of(path, environment, lambda: last_ms)
    reader.metrics(None, MetricsQuestion(page=page, window_s=2_592_000, points=POINTS))
    room_ms, step_ms = (days - 30) * DAY_MS, 30 * DAY_MS // 4
    found, began_s, back_ms, by_ms = [], time.process_time(), 0, step_ms
    for _ in range(reads):
        by_ms = -step_ms if back_ms + step_ms > room_ms else step_ms if back_ms <= 0 else by_ms
        back_ms += by_ms
        question = MetricsQuestion(page=page, window_s=2_592_000, points=POINTS, until_ms=last_ms - back_ms)
        found.append(timed(lambda question=question: reader.metrics(None, question)))  # type: ignore[misc]
    reader.close()
    return found, (time.process_time() - began_s) / reads * 1000


def show(name: str, found: list[float], processor_ms: float, floor: float, kind: str) -> None:
    p50, p95 = nearest_rank(found, 0.5) or 0.0, nearest_rank(found, 0.95) or 0.0
    judged = p95 if kind == "pan" else p50
    verdict = f"{LIMITS_MS[kind]:.0f} ms: {'yes' if judged <= LIMITS_MS[kind] else 'NO'}"
    print(f"{name:44} {p50:8.1f} {p95:8.1f} {max(found):8.1f} {processor_ms:8.1f} {p50 / floor:8.2f}  {verdict}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
