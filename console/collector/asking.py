"""One poll of one source: cancelled at its time-out, its exceptions made visible."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from console.collector.secrets import Redactor
from console.model.bounds import bounded
from console.model.observation import ErrorKind, Event, Observation, Origin, Outcome, Source
from console.model.states import State
from console.store.clock import Clock

log = logging.getLogger("radar.collector")

CANCEL_S = 1.0
"""How long a cancelled poll may take to let go before its time-out is told all the same."""
_PROBES = ("health", "ping", "route:", "postgres.canary", "supabase.gateway", "supabase.auth", "supabase.pooler")
"""Targets for which silence is unavailability."""


class Asker:
    """Asks sources; what is wrong with them is told without secrets."""

    def __init__(self, clock: Clock, redactor: Redactor) -> None:
        self._clock = clock
        self._redact = redactor

    async def ask(self, source: Source) -> AsyncGenerator[Observation, None]:
        """Gives one observation, and ends only when the poll has let go: one that does not is not asked again."""
        task = asyncio.create_task(source.observe())
        try:
            done, _ = await asyncio.wait({task}, timeout=source.timeout_s)
            if done:
                yield self._result(source, task)
                return
            task.cancel()
            await asyncio.wait({task}, timeout=CANCEL_S)
            yield _timed_out(source)
            await asyncio.wait({task})
        finally:
            task.cancel()

    def _result(self, source: Source, task: asyncio.Task[Observation]) -> Observation:
        if task.cancelled():
            return self._defect(source, RuntimeError("cancelled itself"))
        error = task.exception()
        if error is not None:
            return self._defect(source, error)
        observation = task.result()
        if not isinstance(observation, Observation):
            return self._defect(source, TypeError(f"gave a {type(observation).__name__}"))
        named = observation if observation.target == source.target else replace(observation, target=source.target)
        return self._redact.observed(bounded(named))

    def _defect(self, source: Source, error: BaseException) -> Observation:
        """An exception is a defect of ours: it says nothing of the target, and is kept where people look."""
        where = place(error)
        words = self._redact(f"defect in the source: {type(error).__name__} at {where}: {error}")
        log.error("%s: %s", source.target, words)
        now_ms = self._clock.wall_ms()
        event = Event(
            at_ms=now_ms,
            kind="defect",
            subject=source.target,
            text=words,
            key=f"defect/{source.target}/{where}/{now_ms // 3_600_000}",
        )
        return Observation(
            target=source.target,
            outcome=Outcome.FAILED,
            state=State.UNKNOWN,
            words=words,
            origin=Origin.NONE,
            error_kind=ErrorKind.INTERNAL,
            events=(event,),
        )


def _timed_out(source: Source) -> Observation:
    """What we give in place of an observation that did not come. Of a target behind an API it says nothing."""
    is_probe = source.target.startswith(_PROBES)
    return Observation(
        target=source.target,
        outcome=Outcome.FAILED,
        state=State.UNHEALTHY if is_probe else State.UNKNOWN,
        words=f"no answer within {source.timeout_s:g} s",
        origin=_origin(source.target),
        error_kind=ErrorKind.TIMEOUT,
        samples={"ok": 0.0} if is_probe else {},
    )


def _origin(target: str) -> Origin:
    if target.startswith(("postgres.", "sql:")):
        return Origin.SQL
    return Origin.PROMETHEUS if target.startswith("prometheus:") else Origin.PROBE


def place(error: BaseException) -> str:
    """File and line of the defect: no values, which could be secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
