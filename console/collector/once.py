"""One round of every source without a store: what `radar check` and `radar doctor` ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from console.collector.asking import Asker
from console.collector.judge import Judge, Progress
from console.collector.polling import CLOSE_S
from console.collector.secrets import Redactor
from console.collector.told import operations_of
from console.collector.upkeep import Upkeep
from console.model.component_routes import PREFIX
from console.model.configuration import Environment, Settings
from console.model.judgement import Judgement
from console.model.maintenance import HOLDING
from console.model.moment import Moment
from console.model.observation import Observation, Source
from console.model.operations import Operations
from console.model.ports import StoreUnreadable
from console.store.clock import SystemClock
from console.store.maintenance import Held

TOTAL_S = 40.0
"""Longer than any source's time-out and the cancelling after it."""


async def one_round(
    settings: Settings, *, build: Callable[[Environment], Sequence[Source]] | None = None
) -> tuple[list[Observation], Judgement]:
    """Every source asked once, all at the same time, and what follows from it. One failure counts: there is no second.

    A slow route is asked once more, on the connection that is open then: the first answer pays for the handshakes.
    What needs more samples (rates, shares over time) is unknown.
    """
    operations = operations_of(settings)
    sources = list(build(settings.environment) if build else _all(settings.environment, operations))
    intervals = {source.target: source.interval_s for source in sources}
    judge = Judge(settings.environment, intervals, confirmations=1, upkeep=Upkeep(operations.maintenance))
    judge.upkeep.held = _held(settings)
    asker = Asker(SystemClock(), Redactor(settings.environment, operations))
    ends_s = asyncio.get_running_loop().time() + TOTAL_S
    observations = await _ask(asker, sources, ends_s)
    slow = _slow(observations, settings.environment.thresholds.p95_ms)
    again = await _ask(asker, [source for source in sources if source.target in slow], ends_s)
    await _settle([asyncio.create_task(source.close()) for source in sources], CLOSE_S)
    order = list(intervals)
    for observation in sorted([*observations, *again], key=lambda each: order.index(each.target)):
        judge.note(observation, _now())
    judge.upkeep.step(_now().wall_ms, judge.tracks)
    return observations, judge.conclude(_now(), Progress())


def _held(settings: Settings) -> Held:
    """Who put it into maintenance here, as the ledger says; nobody where there is none that can be read."""
    if not settings.records_path.exists():
        return Held()
    from console.store.read import StoreReader

    reader = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
    try:
        rows = [row for row in reader.actions(None).holdings if row.kind == HOLDING]
    except StoreUnreadable:
        return Held()
    finally:
        reader.close()
    return Held(since_ms=rows[-1].began_ms, by=rows[-1].owner, until_ms=rows[-1].expires_ms) if rows else Held()


def _slow(observations: Sequence[Observation], limit_ms: float) -> set[str]:
    """The routes that took longer than they may."""
    taken = {each.target: each.samples.get("latency_ms") for each in observations if each.target.startswith(PREFIX)}
    return {target for target, sample in taken.items() if isinstance(sample, float) and sample > limit_ms}


def _all(environment: Environment, operations: Operations) -> Sequence[Source]:
    from console.sources.registry import build  # httpx and psycopg

    return build(environment, operations)


async def _ask(asker: Asker, sources: Sequence[Source], ends_s: float) -> list[Observation]:
    """One observation of each source that answers until `ends_s` of the loop's clock, in the order of the answers."""
    found: list[Observation] = []

    async def ask(source: Source) -> None:
        answers = asker.ask(source)
        found.append(await anext(answers))
        await answers.aclose()

    polls = [asyncio.create_task(ask(source)) for source in sources]
    await _settle(polls, max(0.0, ends_s - asyncio.get_running_loop().time()))
    return found


async def _settle(tasks: Sequence[asyncio.Task[None]], timeout_s: float) -> None:
    """Wait for all, though not for those who hang."""
    _, left = await asyncio.wait(tasks, timeout=timeout_s) if tasks else (set(), set())
    for task in left:
        task.cancel()


def _now() -> Moment:
    clock = SystemClock()
    return Moment(clock.boot_ms(), clock.wall_ms())
