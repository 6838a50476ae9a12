"""The database as PostgreSQL itself tells it: reachable, connections left, who blocks whom, how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.model.finding import (
    Assessment,
    Draft,
    Finding,
    absent,
    nothing_known,
    overdue,
    short_fault,
    unseen,
    well,
    words_of,
)
from console.model.histograms import nearest_rank
from console.model.observation import ErrorKind, Json, Origin
from console.model.situation import HYSTERESIS, Situation
from console.model.states import State
from console.model.track import REACH_FAULTS, Track
from console.model.words import counted, fitted, milliseconds, percent, seconds

KEY = "database"
ACTIVITY = "postgres.activity"
CANARY = "postgres.canary"
DDL_WAIT_S = 2.0
"""A schema change that waits stops everybody behind it, so it is told long before other waits."""
CANARY_SAMPLES = 20
SLOW_CANARIES = 2
HOLDER_WIDTH = 40
"""Characters of a holder's name: with it, a reason takes two lines of 80 columns at most."""


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that others wait for."""

    pid: int
    who: str
    state: str
    age_s: float
    query: str
    queued: int
    longest_s: float
    ddl: str | None
    """The waiting schema change, in short."""


def judge_database(situation: Situation) -> Assessment:
    """The `database` component."""
    tracks = situation.under("postgres.")
    if not tracks:
        return absent(KEY, KEY, 'database = "${DATABASE_URL}" in the configuration reads connections and locks.')
    draft = Draft(key=KEY, name=KEY, origin=Origin.SQL, tracks=tracks, figure=_figure(situation))
    if _find_unreachable(draft, situation, tracks):
        return draft.assessed()
    for track in tracks:
        if _lacks_rights(track):
            _find_rights(draft, track)
        elif not nothing_known(draft, situation, track):
            _judge_target(draft, situation, track)
    _judge_connections(draft, situation)
    _judge_blockers(draft, situation)
    _judge_idle(draft, situation)
    _judge_speed(draft, situation)
    _judge_setting(draft, situation)
    return draft.assessed()


# --- reach ------------------------------------------------------------------------------------------------------------


def _find_unreachable(draft: Draft, situation: Situation, tracks: Sequence[Track]) -> bool:
    """Whether no SQL gets through at all: one finding then, not one for each query."""
    failing = [track for track in tracks if track.fault and track.fails and not situation.excused(track)]
    core = [track for track in failing if track.target in (ACTIVITY, CANARY)]
    configured = [track for track in tracks if track.target in (ACTIVITY, CANARY)]
    if not core or len(core) < len(configured) or any(situation.awaits_witness(track) for track in core):
        return False
    confirmed = sum(track.bad for track in core) >= core[0].confirmations
    if not confirmed and all(track.state is not State.UNHEALTHY for track in core):
        return False
    _find_down(draft, situation, core)
    return True


def _find_down(draft: Draft, situation: Situation, core: Sequence[Track]) -> None:
    track = next((each for each in core if each.error_kind is ErrorKind.LIMIT), core[0])
    words = words_of(track)
    draft.figure = short_fault(track)
    if track.error_kind is ErrorKind.LIMIT:
        text = f"connections exhausted: {words}{held(situation)}"
        draft.note("exhausted", track, text, f"No connection is free: {words}.", state=State.UNHEALTHY)
    elif track.error_kind is ErrorKind.TIMEOUT:
        draft.note("hangs", track, f"hangs: {words}", f"SQL gets no answer in time: {words}.", state=State.UNHEALTHY)
    else:
        draft.note("down", track, f"is down: {words}", f"SQL is not reached: {words}.", state=State.UNHEALTHY)


_WELL = {
    "activity": "Sessions and their locks are read",
    "canary": "The canary query is answered",
    "catalogue": "Sizes, extensions and replicas are read",
}


def _judge_target(draft: Draft, situation: Situation, track: Track) -> None:
    part = track.target.partition(".")[2]
    if track.state is State.HEALTHY:
        overdue(draft, situation, track)
        well(draft, track, _WELL.get(part, f"{part.capitalize()} is read"))
    elif track.error_kind is ErrorKind.LIMIT:
        text = f"connections exhausted: {words_of(track)}{held(situation)}"
        draft.note("exhausted", track, text, f"No connection is free: {words_of(track)}.", state=track.state)
    elif track.fails:
        state = track.state if track.error_kind in REACH_FAULTS and part != "catalogue" else State.DEGRADED
        text = f"{part}: {words_of(track)}"
        draft.note(f"part:{part}", track, text, f"{part.capitalize()}: {words_of(track)}.", state=state)


def _lacks_rights(track: Track) -> bool:
    return track.target == ACTIVITY and not track.fails and track.fact("pg_monitor") is False


def _find_rights(draft: Draft, track: Track) -> None:
    draft.structural = True
    text = "connections and sessions unknown: the role lacks pg_monitor"
    draft.note("rights", track, text, "The role lacks pg_monitor: sessions of others are unknown.", state=State.UNKNOWN)


# --- what the answers say ---------------------------------------------------------------------------------------------


def fresh(situation: Situation, target: str) -> Track | None:
    """The track of a target whose newest poll was answered: older facts are no finding of now."""
    track = situation.track(target)
    return track if track and track.answered and not track.fails else None


def connections(situation: Situation) -> tuple[int, int, int] | None:
    """Connections used, usable by ordinary roles, and in all; None when not known."""
    track = situation.track(ACTIVITY)
    used = situation.last(ACTIVITY, "connections")
    most = track.fact("max_connections") if track else None
    reserved = track.fact("reserved") if track else None
    if used is None or not isinstance(most, int) or most <= 0:
        return None
    return int(used), most - (reserved if isinstance(reserved, int) else 0), most


def _figure(situation: Situation) -> str:
    track, found = situation.track(ACTIVITY), connections(situation)
    if track and (situation.excused(track) or (found is None and track.fails)):
        return unseen(situation, track)
    if found is None:
        return "connections ?"
    number = len(blockers(situation))
    return f"{found[0]}/{found[2]}" + (f", {counted(number, 'blocker')}" if number else " connections")


def _judge_connections(draft: Draft, situation: Situation) -> None:
    found = connections(situation)
    if found is None or fresh(situation, ACTIVITY) is None:
        return
    used, usable, most = found
    warn = situation.environment.thresholds.connections_warn_share
    if used >= usable:
        text = f"connections exhausted: {used} of {most} connections, {most - usable} reserved{held(situation)}"
        sentence = "Every connection that ordinary roles may use is taken."
        draft.find(_finding("exhausted", State.UNHEALTHY, text), sentence)
    elif used / usable > situation.limit(f"{KEY}.connections", warn):
        text = f"{used} of {most} connections{held(situation)}"
        draft.find(
            _finding("connections", State.DEGRADED, text), f"More than {percent(warn)} of the connections are used."
        )
    else:
        draft.say(f"Connections are within their limits: at most {percent(warn)} are used.", State.HEALTHY)


def held(situation: Situation) -> str:
    """`; 41 by worker/import`: who holds most of the connections, when the newest answer saw them near their limit.

    While new polls are refused, with the age of that answer: who held a few before the rush is not told as its cause.
    """
    track, found = situation.track(ACTIVITY), connections(situation)
    if track is None or track.answered is None or track.answered_at is None or found is None:
        return ""
    holders = _items(track.answered.volatile.get("holders"))
    if not holders or found[0] <= found[1] * situation.environment.thresholds.connections_warn_share * (1 - HYSTERESIS):
        return ""
    age = "" if fresh(situation, ACTIVITY) else f" {seconds(situation.now.since_s(track.answered_at))} ago"
    who = fitted(_who(holders[0].get("user"), holders[0].get("application")), HOLDER_WIDTH)
    return f"; {number(holders[0].get('sessions')):.0f} by {who}{age}"


def _who(user: Json, application: Json) -> str:
    return "/".join(str(name) for name in (user, application) if name) or "unknown role"


def blockers(situation: Situation) -> list[Blocker]:
    """The sessions that others wait for, the one with most behind it first."""
    track = fresh(situation, ACTIVITY)
    found = track.answered.volatile.get("blocking") if track and track.answered else None
    read = [_blocker(item) for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return sorted(read, key=lambda each: (each.ddl is None, -each.queued, -each.longest_s))


def _blocker(item: Mapping[str, Json]) -> Blocker:
    waiters = _items(item.get("waiters"))
    ddl = next((waiter for waiter in waiters if waiter.get("ddl") is True), None)
    return Blocker(
        pid=int(number(item.get("root_pid"))),
        who=_who(item.get("root_user"), item.get("root_application")),
        state=str(item.get("root_state") or "state unknown"),
        age_s=number(item.get("root_age_s")),
        query=str(item.get("root_query") or ""),
        queued=max(int(number(item.get("queued"))), len(waiters)),
        longest_s=max((number(waiter.get("waits_s")) for waiter in waiters), default=0.0),
        ddl=fitted(str(ddl.get("query") or "a schema change"), 40) if ddl else None,
    )


def number(value: Json) -> float:
    """A number from outside; 0 for what is none."""
    return float(value) if isinstance(value, int | float) else 0.0


def _items(value: Json) -> list[Mapping[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _judge_blockers(draft: Draft, situation: Situation) -> None:
    warn_s = situation.environment.thresholds.blocked_warn_s
    found = [each for each in blockers(situation) if each.longest_s >= (DDL_WAIT_S if each.ddl else warn_s)]
    for blocker in found[:3]:
        sentence = f"{blocker.who} ({blocker.state}) holds a lock that others wait for."
        draft.find(_blocking(blocker), sentence)
    if not found and fresh(situation, ACTIVITY):
        draft.say(f"No lock is waited for longer than {warn_s:.0f} s.", State.HEALTHY)


def _blocking(blocker: Blocker) -> Finding:
    what = f"blocks {blocker.ddl}, " if blocker.ddl else "blocks "
    queued = f"{counted(blocker.queued, 'session')} queued {seconds(blocker.longest_s)}"
    text = f"pid {blocker.pid} {blocker.who}, {blocker.state} {seconds(blocker.age_s)}, {what}{queued}"
    return Finding(
        key=f"{KEY}.blocking:{blocker.pid}",
        component=KEY,
        state=State.DEGRADED,
        text=text,
        origin=Origin.SQL,
        incident=KEY,
        next_step=f"ask {blocker.who} or end pid {blocker.pid}",
    )


def _judge_idle(draft: Draft, situation: Situation) -> None:
    """A transaction left open holds locks and keeps vacuum from its work; a root blocker is named already."""
    limit_s = situation.environment.thresholds.idle_in_transaction_s
    track = fresh(situation, ACTIVITY)
    named = {finding.key.partition(":")[2] for finding in draft.findings if finding.kind == f"{KEY}.blocking"}
    sessions = _items(track.answered.volatile.get("idle_in_transaction")) if track and track.answered else []
    for session in sessions:
        idle_s = number(session.get("state_s"))
        if idle_s >= limit_s and str(session.get("pid")) not in named:
            _find_idle(draft, session, idle_s)
            return


def _find_idle(draft: Draft, session: Mapping[str, Json], idle_s: float) -> None:
    who = _who(session.get("user"), session.get("application"))
    text = f"pid {session.get('pid')} {who} idle in transaction {seconds(idle_s)}"
    draft.find(_finding("idle", State.DEGRADED, text), f"{who} left a transaction open.")


def recently_slow(latencies: Sequence[float], limit_ms: float) -> bool:
    """Whether any of the last twenty canary queries took too long: only when none did is slowness over."""
    return any(value > limit_ms for value in latencies[-CANARY_SAMPLES:])


def _judge_speed(draft: Draft, situation: Situation) -> None:
    canary = situation.track(CANARY)
    if canary and situation.excused(canary):
        return
    limit_ms = situation.environment.thresholds.query_ms
    latencies = situation.numbers(CANARY, "latency_ms")
    p95 = nearest_rank(latencies, 0.95)
    newest = latencies[-SLOW_CANARIES:]
    turned = len(newest) == SLOW_CANARIES and min(newest) > limit_ms
    lasting = len(latencies) >= CANARY_SAMPLES and (p95 or 0) > situation.limit(f"{KEY}.slow", limit_ms)
    if turned or (lasting and recently_slow(latencies, limit_ms)):
        text = f"canary query takes {milliseconds(max(p95 or 0, min(newest)))} (limit {milliseconds(limit_ms)})"
        draft.find(
            _finding("slow", State.DEGRADED, text), f"The canary query takes longer than {milliseconds(limit_ms)}."
        )
    elif latencies:
        draft.say(f"The canary query takes at most {milliseconds(limit_ms)} at p95.", State.HEALTHY)


def _judge_setting(draft: Draft, situation: Situation) -> None:
    track = situation.track(ACTIVITY)
    if track is None or track.answered is None:
        return
    if track.fact("in_recovery") is True:
        text = "the server is in recovery: it takes no writes"
        draft.find(_finding("recovery", State.DEGRADED, text), "The server is in recovery: it takes no writes.")
    if track.fact("pooler") is True:
        draft.say("This is a pooler: what it tells of sessions is its own server side.")


def _finding(what: str, state: State, text: str) -> Finding:
    return Finding(key=f"{KEY}.{what}", component=KEY, state=state, text=text, origin=Origin.SQL, incident=KEY)
