"""How long the reads that Health makes take on 90 days of history, alone and with ten readers beside a writer.

`python -m tests.bench.store_reads [--days 90] [--series 60] [--reads 300] [--keep FILE]`
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from console.model.configuration import Environment
from console.model.histograms import nearest_rank
from console.model.judgement import AlertChange, ComponentJudgement, Judgement
from console.model.metrics import Rollup
from console.model.observation import ErrorKind, Event, Observation, Origin, Outcome
from console.model.states import State
from console.model.views import Reason, TargetRow, Verdict
from console.store.clock import SystemClock, now_ms
from console.store.history import HistoryWriter
from console.store.lease import Holder
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS, RAW_MS
from console.store.observe import ObservedStore
from console.store.read import StoreReader

ENVIRONMENT = Environment(name="bench", url="http://127.0.0.1")
READERS = 10
COMPONENTS = {
    "application": ("health", "ping"),
    "routes": ("route:/", "route:/pricing", "route:/api/v1/audits"),
    "users": ("metrics",),
    "database": ("postgres.activity", "postgres.canary", "postgres.catalogue"),
    "vercel": ("vercel",),
    "supabase": ("supabase.project", "supabase.gateway", "supabase.auth", "supabase.pooler"),
    "certificate": ("certificate:app.example.com:443",),
    "bastion": ("host", "egress"),
}
TARGETS = [target for targets in COMPONENTS.values() for target in targets]
CHANCE = random.Random(90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--series", type=int, default=60)
    parser.add_argument("--reads", type=int, default=300)
    parser.add_argument("--keep", type=Path, help="author into this file, or use it when it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = options.keep or Path(directory) / "observed.db"
        if not path.exists():
            author(path, options.days, options.series)
        report(path, options.reads)


# The history


def author(path: Path, days: int, series: int) -> None:
    """Ninety days as the collector leaves them: minutes for 30, hours for all, spans, figures, events, alerts."""
    began_s = time.monotonic()
    end_ms = now_ms() // MINUTE_MS * MINUTE_MS
    with HistoryWriter(path) as writer:
        write_spans(writer, end_ms - days * DAY_MS, end_ms)
        write_rollups(writer, end_ms, days, series)
        write_happenings(writer, end_ms - days * DAY_MS, end_ms)
        write_figures(writer, end_ms - days * DAY_MS, end_ms)
    print(f"authored {days} days in {time.monotonic() - began_s:.0f} s")


def write_spans(writer: HistoryWriter, first_ms: int, end_ms: int) -> None:
    for target in TARGETS:
        for began_ms, until_ms, state in stretches(first_ms, end_ms):
            writer.observation(observation(target, state), began_ms, until_ms, 5.0)
    for key in COMPONENTS:
        for began_ms, until_ms, state in stretches(first_ms, end_ms):
            writer.component(component(key, state, 0), began_ms, until_ms)
    for began_ms, until_ms, state in stretches(first_ms, end_ms):
        writer.verdict(verdict(state), began_ms, until_ms)


def stretches(first_ms: int, end_ms: int) -> Iterator[tuple[int, int, State]]:
    """About 24 changes a day, healthy for nine tenths of the time."""
    at_ms = first_ms
    while at_ms < end_ms:
        for state, mean_ms in ((State.HEALTHY, 108 * MINUTE_MS), (State.DEGRADED, 12 * MINUTE_MS)):
            until_ms = min(end_ms, at_ms + 5000 + int(CHANCE.expovariate(1 / mean_ms)))
            if at_ms < until_ms:
                yield at_ms, until_ms - 1, state
            at_ms = until_ms


def write_rollups(writer: HistoryWriter, end_ms: int, days: int, series: int) -> None:
    names = ["application|up", "judged|p95"] + [f"{target}|latency_ms" for target in TARGETS]
    names += [f"postgres.activity|gauge{number}" for number in range(series - len(names))]
    made = [Rollup.of([CHANCE.lognormvariate(4, 0.5) for _ in range(12)], distribution=True) for _ in range(200)]
    plain = [Rollup.of([CHANCE.random()] * 12, distribution=False) for _ in range(200)]
    for name in names[:series]:
        pool = [each for each in (made if name.endswith("_ms") else plain) if each is not None]
        minutes = range(end_ms - min(30, days) * DAY_MS, end_ms, MINUTE_MS)
        writer.minutes(name, ((start, CHANCE.choice(pool)) for start in minutes))
        first_hour = (end_ms - days * DAY_MS) // HOUR_MS * HOUR_MS
        hours = range(first_hour, end_ms // HOUR_MS * HOUR_MS, HOUR_MS)
        whole = Rollup.merged(pool[:60])
        assert whole is not None
        writer.hours(name, ((start, whole) for start in hours))


def write_happenings(writer: HistoryWriter, first_ms: int, end_ms: int) -> None:
    for number, at_ms in enumerate(range(first_ms, end_ms, DAY_MS // 12)):
        writer.event(Event(at_ms=at_ms, kind="deployment", subject="vercel", text=f"{number:07x} live (op1)"))
        writer.alert(alert(at_ms, at_ms + 10 * MINUTE_MS))
    writer.alert(alert(end_ms - MINUTE_MS, None))


def write_figures(writer: HistoryWriter, first_ms: int, end_ms: int) -> None:
    cuts = ((first_ms, HOUR_MS), (end_ms - 30 * DAY_MS, 10 * MINUTE_MS), (end_ms - RAW_MS, MINUTE_MS))
    ends = [*(start for start, _ in cuts[1:]), end_ms]
    for (start_ms, step_ms), until_ms in zip(cuts, ends, strict=True):
        for number, at_ms in enumerate(range(start_ms, until_ms, step_ms)):
            writer.figures(judgement(at_ms, number))


def observation(target: str, state: State) -> Observation:
    bad = state is not State.HEALTHY
    return Observation(
        target=target,
        outcome=Outcome.FAILED if bad else Outcome.ANSWERED,
        error_kind=ErrorKind.TIMEOUT if bad else None,
        state=state,
        words="no answer in time" if bad else "answers as it should",
        origin=Origin.PROBE,
        facts={} if bad else {"http_status": 200, "checks": {name: {"status": "pass"} for name in "abcdef"}},
        samples={"latency_ms": CHANCE.lognormvariate(4, 0.5), "ok": 0.0 if bad else 1.0},
    )


def component(key: str, state: State, number: int) -> ComponentJudgement:
    return ComponentJudgement(
        key=key,
        name=key,
        state=state,
        figure=f"p95 {80 + number % 50} ms",
        origin=Origin.PROBE,
        explanation=("judged from its checks and its latency over five minutes",),
        targets=COMPONENTS[key],
        interval_s=5.0,
    )


def verdict(state: State) -> Verdict:
    bad = state is not State.HEALTHY
    reason = Reason(
        key="routes",
        state=state,
        component="routes",
        text="38 % of answers are errors",
        since_ms=None,
        origin=Origin.PROBE,
        cause="deployment 8f3c1d2",
    )
    return Verdict(
        state=state,
        reasons=(reason,) * 3 if bad else (),
        whose="us" if bad else "",
        whose_words="vendors: none reporting",
    )


def judgement(at_ms: int, number: int) -> Judgement:
    return Judgement(
        at_ms=at_ms,
        verdict=verdict(State.HEALTHY),
        components=tuple(component(key, State.HEALTHY, number) for key in COMPONENTS),
        targets=tuple(target_row(name, number) for name in ("p95", "errors", "memory", "db query")),
        identity="abcdref",
        samples={"application": {"up": 1.0}},
    )


def target_row(name: str, number: int) -> TargetRow:
    return TargetRow(
        name=name,
        value=81.0 + number % 40,
        unit="ms",
        limit=200.0,
        origin=Origin.PROBE,
        state=State.HEALTHY,
        samples=60,
        window_s=300,
    )


def alert(began_ms: int, ended_ms: int | None) -> AlertChange:
    return AlertChange(
        rule="error rate",
        subject="routes",
        severity="high",
        text="38 % of answers are errors",
        origin=Origin.PROBE,
        pending_ms=60_000,
        began_ms=began_ms,
        ended_ms=ended_ms,
    )


# The reads


def report(path: Path, reads: int) -> None:
    size = sum(each.stat().st_size for each in path.parent.glob(path.name + "*"))
    print(f"size of the store: {size / 1024 / 1024:.0f} MiB")
    print(f"{'read':32} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'CPU ms':>8}")
    for name, ask in questions().items():
        began_s = time.process_time()
        found = measured(path, ask, reads)
        show(name, found, (time.process_time() - began_s) / (reads + 1) * 1000)
    stop = multiprocessing.get_context("spawn").Event()
    print(f"with {READERS} readers in a process each, and a writer of a round each 50 ms, on {os.cpu_count()} cores:")
    with_company(path, reads, stop)


def questions() -> dict[str, Callable[[StoreReader], object]]:
    chance = random.Random(1)
    last_ms = now_ms()
    return {
        "version": lambda reads: reads.version(),
        "health, live": lambda reads: reads.health(None),
        "health, a moment of 30 days": lambda reads: reads.health(last_ms - chance.randrange(30 * DAY_MS)),
        "component, live": lambda reads: reads.component("database", None),
        "alerts, live": lambda reads: reads.alerts(None),
        "step back": lambda reads: reads.change_after(last_ms - chance.randrange(30 * DAY_MS), forward=False),
    }


def measured(path: Path, ask: Callable[[StoreReader], object], reads: int) -> list[float]:
    """Ms of each read after the first."""
    reader = StoreReader(path, path.with_name("records.db"), ENVIRONMENT, None)
    ask(reader)
    found = []
    for _ in range(reads):
        began = time.perf_counter()
        ask(reader)
        found.append((time.perf_counter() - began) * 1000)
    reader.close()
    return found


def show(name: str, found: list[float], processor_ms: float | None = None) -> None:
    p50, p95 = nearest_rank(found, 0.5), nearest_rank(found, 0.95)
    processor = "" if processor_ms is None else f"{processor_ms:8.2f}"
    print(f"{name:32} {p50:8.2f} {p95:8.2f} {max(found):8.2f} {processor}")
    sys.stdout.flush()


def with_company(path: Path, reads: int, stop: object) -> None:
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[list[float]] = context.Queue()
    writer = context.Process(target=write_rounds, args=(path, stop))
    writer.start()
    readers = [context.Process(target=read_health, args=(path, reads, answers)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    found = [each for _ in readers for each in answers.get(timeout=300)]
    for process in readers:
        process.join()
    stop.set()  # type: ignore[attr-defined]
    writer.join()
    show("health, live, each of ten", found)


def read_health(path: Path, reads: int, answers: multiprocessing.Queue[list[float]]) -> None:
    """A console's feed: a read, then a pause; ten that never pause would measure the scheduler of two cores."""
    reader = StoreReader(path, path.with_name("records.db"), ENVIRONMENT, None)
    reader.health(None)
    found = []
    for _ in range(reads // 3):
        time.sleep(random.uniform(0.02, 0.08))
        began = time.perf_counter()
        reader.health(None)
        found.append((time.perf_counter() - began) * 1000)
    answers.put(found)


def write_rounds(path: Path, stop: object) -> None:
    store = ObservedStore.open(path)
    lease = store.acquire(Holder(name="bench", pid=os.getpid(), boot_id=SystemClock().boot_id, fingerprint="bench"))
    assert lease is not None
    intervals = dict.fromkeys(TARGETS, 5.0)
    number = 0
    while not stop.wait(0.05):  # type: ignore[attr-defined]
        number += 1
        at_ms = now_ms()
        store.write_round(
            lease,
            at_ms,
            [observation(target, State.HEALTHY) for target in TARGETS],
            judgement(at_ms, number),
            intervals,
        )
        store.maintain(lease, at_ms)
    store.release(lease)
    store.close()


if __name__ == "__main__":
    main()
