"""Who stands at the head of a queue for locks: pure rules over the rows of one moment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from console.model.observation import Json
from console.sources.postgres_rows import SessionRow, Waiter, line, seconds

ROOTS_SHOWN = 10
WAITERS_SHOWN = 20
PREPARED = 0  # pg_blocking_pids' word for a prepared transaction, which has no process

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*\n|/\*.*?\*/|begin\s*(?:transaction|work)?\s*;|set\s[^;]*;)*", re.I | re.S)
_DDL = re.compile(
    r"(alter|create|drop|truncate|reindex|cluster|lock\s+table|vacuum\s+\(?full|refresh|comment|grant|revoke)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Queue:
    """A session that waits for nobody and whom others wait for, with all that queue behind it, longest first."""

    root_pid: int
    root: SessionRow | None
    waiters: tuple[Waiter, ...]
    """In its way directly or behind somebody who waits for it."""
    sessions: Mapping[int, SessionRow]

    @property
    def longest_s(self) -> float:
        """How long the first of them waits, in seconds."""
        return max((waiter.waits_s or 0.0 for waiter in self.waiters), default=0.0)

    @property
    def ddl(self) -> Waiter | None:
        """The change of schema that waits the longest; it holds up all who come after it."""
        return next((waiter for waiter in self.waiters if is_ddl(waiter, self.sessions.get(waiter.pid))), None)


def queues(waiters: Iterable[Waiter], sessions: Iterable[SessionRow]) -> list[Queue]:
    """The queues, the longest wait first. A circle, which the server breaks by itself, is headed by its lowest pid."""
    known = {session.pid: session for session in sessions}
    waiting = {waiter.pid: waiter for waiter in waiters}
    behind: dict[int, list[Waiter]] = {}
    for waiter in waiting.values():
        for root in _roots(waiter.pid, waiting):
            if root != waiter.pid:
                behind.setdefault(root, []).append(waiter)
    found = [Queue(root, known.get(root), _longest_first(members), known) for root, members in behind.items()]
    return sorted(found, key=lambda queue: -queue.longest_s)


def is_ddl(waiter: Waiter, session: SessionRow | None) -> bool:
    """Whether it changes the schema: by its words, or by a lock that shuts everybody else out of a table."""
    if waiter.mode == "AccessExclusiveLock":
        return True
    text = (session.query if session is not None else None) or ""
    return _DDL.match(text, _leading(text)) is not None


def statement(session: SessionRow | None) -> str | None:
    """The kind of a statement in two words, such as `ALTER TABLE`; None when there is none to see."""
    text = (session.query if session is not None else None) or ""
    words = re.findall(r"[A-Za-z]+", text[_leading(text) : _leading(text) + 60])[:2]
    if not words:
        return None
    pair = words[0].upper() in ("ALTER", "CREATE", "DROP", "LOCK", "REFRESH", "TRUNCATE", "REINDEX", "VACUUM")
    return " ".join(word.upper() for word in (words if pair else words[:1]))


def described(queue: Queue) -> dict[str, Json]:
    """A queue for the volatile lists."""
    root = queue.root
    return {
        "root_pid": queue.root_pid,
        "root_user": line(root.user, 63) if root else None,
        "root_application": line(root.application, 63) if root else None,
        "root_client": line(root.client, 63) if root else None,
        "root_state": _state(queue),
        "root_query": line(root.query) if root else None,
        "root_age_s": seconds(root.transaction_s) if root else None,
        "root_state_s": seconds(root.state_s) if root else None,
        "queued": len(queue.waiters),
        "waiters": [_waiter(waiter, queue.sessions) for waiter in queue.waiters[:WAITERS_SHOWN]],
    }


def words(queue: Queue) -> str:
    """Who is in whose way, without changing numbers: `ALTER TABLE waits for psql of alice, idle in transaction …`."""
    ddl = queue.ddl
    held_up = f"{statement(queue.sessions.get(ddl.pid)) or 'a change of schema'} waits" if ddl else "sessions wait"
    return f"{held_up} for {_who(queue)}"


def _who(queue: Queue) -> str:
    if queue.root_pid == PREPARED:
        return "a prepared transaction that nobody finished"
    root = queue.root
    if root is None:
        return f"a session of which nothing is known (pid {queue.root_pid})"
    name = line(root.application, 40) or line(root.backend, 40) or "a session"
    of = f" of {line(root.user, 40)}" if root.user else ""
    state = _state(queue)
    return f"{name}{of} (pid {queue.root_pid}{f', {state}' if state else ''})"


def _state(queue: Queue) -> str | None:
    if queue.root_pid == PREPARED:
        return "prepared transaction"
    return line(queue.root.state or queue.root.backend, 63) if queue.root else None


def _waiter(waiter: Waiter, sessions: Mapping[int, SessionRow]) -> dict[str, Json]:
    session = sessions.get(waiter.pid)
    return {
        "pid": waiter.pid,
        "user": line(session.user, 63) if session else None,
        "application": line(session.application, 63) if session else None,
        "query": line(session.query) if session else None,
        "waits_s": seconds(waiter.waits_s),
        "mode": line(waiter.mode, 40),
        "relation": line(waiter.relation, 130),
        "ddl": is_ddl(waiter, session),
    }


def _roots(pid: int, waiting: Mapping[int, Waiter]) -> set[int]:
    """Those at the head of everything that `pid` waits for, through any number of others."""
    reached = _reached(pid, waiting)
    heads = {at for at in reached if not _blockers(at, waiting)}
    return heads or {min(at for at in reached if at in _reached(at, waiting))}


def _reached(pid: int, waiting: Mapping[int, Waiter]) -> set[int]:
    """Whom `pid` waits for, directly or not; itself only if it stands in a circle or waits for nobody."""
    seen: set[int] = set()
    to_visit = _blockers(pid, waiting) or [pid]
    while to_visit:
        at = to_visit.pop()
        if at not in seen:
            seen.add(at)
            to_visit += _blockers(at, waiting)
    return seen


def _blockers(pid: int, waiting: Mapping[int, Waiter]) -> list[int]:
    return [blocker for blocker in waiting[pid].blockers if blocker != pid] if pid in waiting else []


def _longest_first(waiters: list[Waiter]) -> tuple[Waiter, ...]:
    return tuple(sorted(waiters, key=lambda waiter: (-(waiter.waits_s or 0.0), waiter.pid)))


def _leading(text: str) -> int:
    """How much comment, BEGIN and SET stands before the statement itself."""
    found = _COMMENTS.match(text)
    return found.end() if found else 0
