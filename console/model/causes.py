"""What began just before a fault, and which fault follows from which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.model.finding import Finding
from console.model.observation import ErrorKind, Event
from console.model.states import State, rank
from console.model.words import seconds, time_of_day

BEFORE_MS = 600_000
"""What happened more than ten minutes before is not told as the cause."""
LIKELY_MS = 120_000
AT_ONCE_MS = 60_000
"""What merely happens to a server shows at once: a fault that begins later has another cause."""
CLOCKS_APART_MS = 10_000
"""Two clocks and a poll: an event may be stamped a little after what it caused."""
POLLS_APART_MS = 30_000
"""The cause may be polled later than its effect."""

_VISIBLE = ("application", "routes", "users")
_CROWDING = ("database.connections", "database.exhausted", "database.slow", "database.idle", "database.part")
_BY_USE = ("database.connections", "database.exhausted", "database.slow")
"""What the use of a database can bring about: no deployment stops a server, and a blocker is named by itself."""
_CHANGES = {
    "deployment": (0, (*_VISIBLE, *_BY_USE)),
    "rollback": (0, (*_VISIBLE, *_BY_USE)),
    "migration": (0, (*_VISIBLE, *_BY_USE, "database.blocking")),
    "setting": (1, (*_VISIBLE, "database", "supabase", "vercel")),
    "database": (2, (*_VISIBLE, "database", "supabase")),
}
"""Kind of event: how readily it is named, and the kinds of findings that it can bring about."""

_RELEASES = ("deployment", "rollback")
_REVERT = re.compile(r"\s*(revert|roll(ed|ing)?[ -]?back|re-?deploy)\b", re.IGNORECASE)
_COMMIT = re.compile(r"(?:rolled back to )?([0-9a-f]{7})\b")
_BEHIND = ("database", "supabase")
_DATABASE_SHOWS = ("application", "routes", "users", "supabase.auth", "supabase.pooler")
_ROOTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bastion.offline", ("bastion", "bastion.unknown")),
    ("bastion.names", ()),
    ("supabase.project", (*_DATABASE_SHOWS, "database", "supabase.gateway")),
    ("database.down", (*_DATABASE_SHOWS, "database", "supabase")),
    ("database.hangs", (*_DATABASE_SHOWS, "database", "supabase")),
    ("database.blocking", (*_DATABASE_SHOWS, *_CROWDING)),
    ("database.exhausted", (*_DATABASE_SHOWS, *_CROWDING)),
    ("database.connections", _DATABASE_SHOWS),
    ("database.idle", ("database.connections", "database.slow")),  # whom it harms, it blocks: that is named itself
    ("database.recovery", _DATABASE_SHOWS),
    ("database.slow", _DATABASE_SHOWS),
    ("supabase.gateway", (*_VISIBLE, "supabase.auth", "supabase.services")),
    ("supabase.auth", (*_VISIBLE, "supabase.services")),
    ("supabase.pooler", (*_VISIBLE, "supabase.services")),
    ("vercel.paused", _VISIBLE),
    ("certificate.invalid", _VISIBLE),
    ("application.down", ("application", "routes", "users", "certificate.unknown")),
    ("application.check", ("routes", "users")),
    ("application", ("routes", "users")),
    ("routes.down", ("routes", "users")),
    ("routes", ("users",)),
)
"""Kinds of findings, the deepest cause first, and what each explains."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A finding and since when it stands."""

    finding: Finding
    since_ms: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A finding in its place, and the finding that it follows from."""

    dated: Dated
    root: Dated | None


def _place(finding: Finding) -> int:
    return next((at for at, (kind, _) in enumerate(_ROOTS) if _within(finding.kind, kind)), len(_ROOTS))


def _within(kind: str, wanted: str) -> bool:
    return kind == wanted or kind.startswith(f"{wanted}.")


def explains(root: Dated, effect: Dated) -> bool:
    """Whether `effect` is what one expects to see of `root`, which is the deeper cause and not the later one."""
    place = _place(root.finding)
    if place >= _place(effect.finding) or root.since_ms > effect.since_ms + POLLS_APART_MS:
        return False
    if effect.finding.vendor:
        return False  # a vendor tells of its own trouble; ours is none of its causes
    if root.finding.component in _BEHIND and (_is_refused(effect.finding) or effect.finding.turned_away):
        return False
    return any(_is_effect(effect.finding.kind, kind) for kind in _ROOTS[place][1])


def _is_effect(kind: str, expected: str) -> bool:
    """What is unknown is unknown for a reason of its own, unless it is expected by name."""
    return kind == expected or (_within(kind, expected) and not kind.endswith(".unknown"))


def _is_refused(finding: Finding) -> bool:
    """Whether the application's own port refuses: its process is gone, whatever happens behind it."""
    return finding.component in _VISIBLE and finding.fault == ErrorKind.CONNECT


def in_order(findings: Sequence[Dated]) -> list[Ranked]:
    """Worst first, and each cause before its effects: a cause weighs as much as the worst that follows from it."""
    roots = {id(each): _root_of(each, findings) for each in findings}

    def weight(each: Dated) -> int:
        effects = (rank(other.finding.state) for other in findings if explains(each, other))
        return max([rank(each.finding.state), *effects])

    ordered = sorted(findings, key=lambda each: (-weight(each), _place(each.finding), each.since_ms, each.finding.key))
    return [Ranked(each, roots[id(each)]) for each in ordered]


def _root_of(effect: Dated, findings: Iterable[Dated]) -> Dated | None:
    found = (each for each in findings if explains(each, effect))
    return min(found, key=lambda each: _place(each.finding), default=None)


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed, or happened, just before a fault."""

    event: Event
    gap_ms: int
    restores: bool
    """Whether it put back what had been before: to undo it would bring the old fault back."""

    @property
    def is_likely(self) -> bool:
        """Whether it is near enough to be called likely."""
        return self.gap_ms <= LIKELY_MS and not self.restores


def change_before(dated: Dated, events: Sequence[Event]) -> Change | None:
    """The change just before a fault that can have caused it: one made by people before one that merely happened."""
    near = [event for event in events if event.kind in _CHANGES and _can_cause(event, dated)]
    standing = [event for event in near if not _is_superseded(event, dated, events)]
    found = min(standing, key=lambda event: (_CHANGES[event.kind][0], abs(dated.since_ms - event.at_ms)), default=None)
    return Change(found, dated.since_ms - found.at_ms, _restores(found, events)) if found else None


def _can_cause(event: Event, dated: Dated) -> bool:
    kinds = _CHANGES[event.kind][1]
    if event.state is State.HEALTHY or dated.finding.state is State.UNKNOWN:
        return False  # an incident that is over; a target of which nothing is known
    if not any(_within(dated.finding.kind, kind) for kind in kinds):
        return False
    before_ms = AT_ONCE_MS if event.kind == "database" else BEFORE_MS
    return -CLOCKS_APART_MS <= dated.since_ms - event.at_ms <= before_ms


def _is_superseded(event: Event, dated: Dated, events: Iterable[Event]) -> bool:
    """Whether another deployment had taken its place before the fault began: what is not live breaks nothing."""
    if event.kind not in _RELEASES:
        return False
    return any(
        later.kind in _RELEASES and later.subject == event.subject and event.at_ms < later.at_ms <= dated.since_ms
        for later in events
    )


def _restores(event: Event, events: Iterable[Event]) -> bool:
    """Whether a deployment puts back an earlier one: by its kind, its title, or since its commit was live before."""
    if event.kind == "rollback":
        return True
    if event.kind != "deployment":
        return False
    title = str(event.data.get("message") or "") or event.text.partition('"')[2]
    if _REVERT.match(title):
        return True
    commit = commit_of(event)
    earlier = [each for each in events if each.kind in _RELEASES and each.at_ms < event.at_ms]
    return commit is not None and any(commit_of(each) == commit for each in earlier)


def commit_of(event: Event) -> str | None:
    """The short commit of a deployment. Where its data do not hold it, its text does."""
    short = event.data.get("short")
    if isinstance(short, str):
        return short
    told = _COMMIT.match(event.text) if event.kind in _RELEASES else None
    return told[1] if told else None


def cause_words(change: Change, now_ms: int) -> str:
    """`began 40 s after deployment 8f3c1d2 "pricing v2" (op1 03:03): likely`."""
    began = f"began {seconds(change.gap_ms / 1000)} after" if change.gap_ms >= 1000 else "began with"
    return f"{began} {change_words(change.event, now_ms)}: {'likely' if change.is_likely else 'possibly'}"


def change_words(event: Event, now_ms: int) -> str:
    """A change by its kind, name, author and time of day."""
    when = time_of_day(event.at_ms, now_ms)
    short, message, author = (event.data.get(name) for name in ("short", "message", "author"))
    if not short:
        return f"{event.kind} {event.text} ({when})" if event.kind != "database" else f"{event.text} ({when})"
    named = f"{event.kind} {short}" + (f' "{message}"' if message else "")
    return f"{named} ({author} {when})" if author else f"{named} ({when})"
