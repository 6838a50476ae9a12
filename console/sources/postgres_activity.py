"""Connections, sessions and who blocks whom, in one round trip, judged from this one answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from console.model.configuration import Thresholds
from console.model.observation import LONGEST_GROWTH, Event, Json, Observation, Origin, Outcome, Sample
from console.model.states import State, rank, worst
from console.sources import postgres_blocking as blocking
from console.sources.base import Polled
from console.sources.faults import Fault
from console.sources.postgres_canary import MARGIN_S, unanswered
from console.sources.postgres_rows import Activity, Counters, Identity, Server, decode, held, line, shown
from console.sources.postgres_session import Session, query

TARGET = "postgres.activity"
TIMEOUT_S = 6.0
IDENTITY_BUDGET_S = 0.5
SESSIONS_SHOWN = 20
BLOCKING_SAID_S = 1.0  # every busy database has waits of milliseconds
WELL = "connections and locks are well"


@dataclass(frozen=True, slots=True)
class _Finding:
    state: State
    words: str


@dataclass(frozen=True, slots=True)
class _Before:
    """What the poll before this one saw, for growth and for changes of the server."""

    server: Server
    counters: Counters | None
    system: str | None


class ActivitySource(Polled):
    """`postgres.activity`."""

    def __init__(
        self, session: Session, thresholds: Thresholds, *, interval_s: float, timeout_s: float = TIMEOUT_S
    ) -> None:
        super().__init__(TARGET, interval_s=interval_s, timeout_s=timeout_s)
        self._session = session
        self._thresholds = thresholds
        self._before: _Before | None = None

    async def observe(self) -> Observation:
        """Ask once."""
        try:
            answer = await self._session.ask(query("activity"), budget_s=self._timeout_s - MARGIN_S)
            activity = decode(answer.raw, Activity)
        except Fault as fault:
            return unanswered(TARGET, fault)
        before = self._before
        self._before = _Before(activity.server, activity.counters, await self._system(activity.server))
        return self._judged(activity, before, self._before)

    async def close(self) -> None:
        """Release the connection, which the canary shares."""
        await self._session.close()

    def _judged(self, activity: Activity, before: _Before | None, now: _Before) -> Observation:
        queues = blocking.queues(activity.waiters, activity.sessions)
        found = sorted(_findings(activity, queues, self._thresholds), key=lambda finding: -rank(finding.state))
        endpoint = self._session.endpoint
        return Observation(
            target=TARGET,
            outcome=Outcome.ANSWERED,
            state=worst([State.HEALTHY, *(finding.state for finding in found)]),
            words="; ".join(finding.words for finding in found) or WELL,
            origin=Origin.SQL,
            facts=_facts(activity, now, address=endpoint.address, pooler=endpoint.pooler),
            samples={**_samples(activity), **_growth(activity, before, LONGEST_GROWTH * self._interval_s)},
            volatile=_volatile(activity, queues),
            events=_changes(before, now),
        )

    async def _system(self, server: Server) -> str | None:
        """The cluster's own number, asked anew only when the server is not the one seen before. None: not allowed."""
        before = self._before
        if before is not None and _same(before.server, server):
            return before.system
        try:
            answer = await self._session.ask(query("identity"), budget_s=IDENTITY_BUDGET_S)
            return line(decode(answer.raw, Identity).system, 40)
        except Fault:
            return None


def _findings(activity: Activity, queues: list[blocking.Queue], limits: Thresholds) -> list[_Finding]:
    found = [_blocked(queue, limits) for queue in queues if queue.longest_s >= BLOCKING_SAID_S]
    if activity.counts is None:
        role = line(activity.server.role, 63)
        found.append(
            _Finding(
                State.UNKNOWN,
                f"connections and sessions unknown: `{role}` lacks pg_monitor (grant pg_monitor to the role)",
            )
        )
        return found
    share = activity.counts.connections / max(1, activity.server.max_connections - activity.server.reserved)
    if share >= 1:
        found.append(_Finding(State.UNHEALTHY, "all connections that clients may use are taken"))
    elif share >= limits.connections_warn_share:
        alert = share >= limits.connections_alert_share
        found.append(_Finding(State.UNHEALTHY if alert else State.DEGRADED, "connections are near their limit"))
    if activity.counts.longest_idle_s >= limits.idle_in_transaction_s:
        found.append(_Finding(State.DEGRADED, "a session is idle in a transaction for too long"))
    return found


def _blocked(queue: blocking.Queue, limits: Thresholds) -> _Finding:
    state = State.HEALTHY
    if queue.longest_s >= limits.blocked_warn_s:
        state = State.UNHEALTHY if queue.longest_s >= limits.blocked_alert_s else State.DEGRADED
    return _Finding(state, blocking.words(queue))


def _facts(activity: Activity, now: _Before, *, address: str, pooler: bool) -> dict[str, Json]:
    server = activity.server
    return {
        "max_connections": server.max_connections,
        "reserved": server.reserved,
        "in_recovery": server.in_recovery,
        "server_version": line(server.version_text, 40),
        "address": address,
        "server_address": _place(server),
        "system_identifier": now.system,
        "started_ms": server.started_ms,
        "pg_monitor": server.sees_all,
        "pooler": pooler,
        "blockers": _longest_wait(activity) >= BLOCKING_SAID_S,
    }


def _samples(activity: Activity) -> dict[str, Sample]:
    """The figures of this moment; those that our role may not see are absent, never 0."""
    samples: dict[str, Sample] = {
        "connections_max": float(activity.server.max_connections),
        "blocked": float(activity.waiting),
        "longest_wait_s": _longest_wait(activity),
    }
    counts = activity.counts
    if counts is not None:
        samples |= {
            "connections": float(counts.connections),
            "own_connections": float(counts.own),
            "active": float(counts.active),
            "idle_in_transaction": float(counts.idle_in_transaction),
            "slow_queries": float(counts.slow),
            "longest_transaction_s": counts.longest_transaction_s,
        }
    return samples


def _growth(activity: Activity, before: _Before | None, longest_s: float) -> dict[str, Sample]:
    """Commits and rollbacks a second, deadlocks since the poll before, the share of blocks found in memory.

    Nothing across a restart, a reset of the statistics or a long gap: when in between it happened is not known.
    """
    now, old = activity.counters, before.counters if before is not None else None
    if now is None or old is None or before is None or not _same(before.server, activity.server):
        return {}
    elapsed_s = (activity.server.at_ms - before.server.at_ms) / 1000
    read, hit = now.blocks_read - old.blocks_read, now.blocks_hit - old.blocks_hit
    grown = (now.commits - old.commits, now.rollbacks - old.rollbacks, now.deadlocks - old.deadlocks, read, hit)
    if not 0 < elapsed_s <= longest_s or min(grown) < 0:
        return {}
    samples: dict[str, Sample] = {
        "commits": grown[0] / elapsed_s,
        "rollbacks": grown[1] / elapsed_s,
        "deadlocks": float(grown[2]),
    }
    return samples | {"blocks_hit_share": hit / (hit + read)} if hit + read else samples


def _volatile(activity: Activity, queues: list[blocking.Queue]) -> dict[str, Json]:
    others = [session for session in activity.sessions if not session.own]
    idle = [session for session in others if (session.state or "").startswith("idle in transaction")]
    idle.sort(key=lambda session: -(session.state_s or 0.0))
    return {
        "blocking": [blocking.described(queue) for queue in queues[: blocking.ROOTS_SHOWN]],
        "sessions": [shown(session) for session in others[:SESSIONS_SHOWN]],
        "idle_in_transaction": [shown(session) for session in idle[:SESSIONS_SHOWN]],
        "states": _states(activity.states),
        "holders": None if activity.holders is None else [held(holder) for holder in activity.holders],
        "own": activity.counts.own if activity.counts is not None else None,
    }


def _states(states: Mapping[str, int] | None) -> Json:
    return None if states is None else {line(name, 40) or "?": count for name, count in states.items()}


def _changes(before: _Before | None, now: _Before) -> tuple[Event, ...]:
    """What happened to the server itself since the poll before."""
    if before is None:
        return ()
    was, server = before.server, now.server
    if _moved(before, now):
        same = now.system is not None and now.system == before.system
        text = f"moved to another address{', the same cluster' if same else ''}: {_place(server)}"
        return (_event(server, text, f"moved/{_place(server)}/{server.started_ms}"),)
    if was.started_ms != server.started_ms:
        return (_event(server, "server restarted", f"restarted/{server.started_ms}", at_ms=server.started_ms),)
    if was.in_recovery != server.in_recovery:
        text = "became a standby" if server.in_recovery else "a standby became the primary"
        return (_event(server, text, f"role/{server.in_recovery}/{server.at_ms}"),)
    return ()


def _moved(before: _Before, now: _Before) -> bool:
    if before.system is not None and now.system is not None and before.system != now.system:
        return True
    return (before.server.address, before.server.port) != (now.server.address, now.server.port)


def _event(server: Server, text: str, key: str, *, at_ms: int | None = None) -> Event:
    now_ms = time.time_ns() // 1_000_000
    return Event(
        at_ms=min(at_ms or now_ms, now_ms),  # the server's clock may be ahead of ours
        kind="database",
        subject="postgres",
        text=text,
        key=f"database/{key}",
        data={"version": line(server.version_text, 40), "in_recovery": server.in_recovery},
    )


def _same(one: Server, other: Server) -> bool:
    return (one.address, one.port, one.started_ms) == (other.address, other.port, other.started_ms)


def _place(server: Server) -> str:
    """Where the server itself says that it is; None of it over a socket."""
    return f"{line(server.address, 60) or 'local socket'}:{server.port or ''}".rstrip(":")


def _longest_wait(activity: Activity) -> float:
    return max((waiter.waits_s or 0.0 for waiter in activity.waiters), default=0.0)
