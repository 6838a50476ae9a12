"""The smallest question: how long does the database take to say 1, touching no table, waiting for no lock?"""

from __future__ import annotations

from collections.abc import Sequence

from console.model.observation import Observation, Origin, Outcome
from console.model.states import State
from console.sources.base import Polled
from console.sources.faults import Fault
from console.sources.postgres_session import Session, query

TIMEOUT_S = 6.0
MARGIN_S = 1.0  # ours ends first and gives the words


class CanarySource(Polled):
    """`select 1`, on whichever of our connections is not busy: it never queues behind a slow question of our own."""

    def __init__(
        self,
        target: str,
        sessions: Sequence[Session],
        *,
        interval_s: float,
        slow_ms: float,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`target`: `postgres.canary` or `supabase.pooler`. `sessions`: the first is its own, the others are borrowed
        when that is busy."""
        super().__init__(target, interval_s=interval_s, timeout_s=timeout_s)
        self._sessions = sessions
        self._slow_ms = slow_ms

    async def observe(self) -> Observation:
        """Ask once."""
        session = next((one for one in self._sessions if one.free), self._sessions[0])
        try:
            answer = await session.ask(query("canary"), budget_s=self._timeout_s - MARGIN_S)
        except Fault as fault:
            return unanswered(self._target, fault, available=True)
        slow = answer.latency_ms > self._slow_ms
        return Observation(
            target=self._target,
            outcome=Outcome.ANSWERED,
            state=State.DEGRADED if slow else State.HEALTHY,
            words=f"answers slower than {self._slow_ms:g} ms" if slow else "answers",
            origin=Origin.SQL,
            facts={"address": session.endpoint.address},
            samples={"latency_ms": answer.latency_ms, "ok": 1.0},
        )

    async def close(self) -> None:
        """Release its own connection."""
        await self._sessions[0].close()


def unanswered(target: str, fault: Fault, *, available: bool = False) -> Observation:
    """The observation of a fault. `available`: the target counts for availability, so that a failure is `ok` 0."""
    state = fault.state or (State.UNHEALTHY if fault.outcome is Outcome.FAILED else State.UNKNOWN)
    down = available and state is State.UNHEALTHY
    return Observation(
        target=target,
        outcome=fault.outcome,
        state=state,
        words=fault.words,
        origin=Origin.SQL,
        error_kind=fault.kind,
        samples={"ok": 0.0} if down else {},
    )
