"""The keeper of a deploy freeze: what the CI begins while one is in force is cancelled, once for each attempt of a run.

It only writes due rows, which the service's executor hands to the runner: each is a run of `cancel-run` in the journal,
for the person who froze, with that person's authority. A run in the middle of deploying or migrating is left alone
until it is past that; `cancel-run` looks at that once more itself, and what it refuses is asked for again later.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from console.collector.store_thread import StoreThread
from console.collector.told import operations_of
from console.model import payload
from console.model.configuration import Settings
from console.model.maintenance import channels
from console.model.not_held import WentLive, went_live, words
from console.model.observation import Event, Json, Outcome
from console.model.pipeline import stage_of
from console.notify.wording import notice, where_words
from console.store import due, freezes, outbox
from console.store.clock import Clock
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace, change_mark
from console.store.freezes import FreezeEntry
from console.store.lookback import Seen
from console.store.not_held import called
from console.store.records import Records

log = logging.getLogger("radar.collector")

TARGET = "github"
RELEASES = ("deployment", "rollback")
LOOK_S = 2.0
LEAST_PAUSE_MS = 20_000
LONGEST_PAUSE_MS = 10 * 60_000
OWN_MS = 120_000
"""So long the run that began the freeze may take to end CI runs itself; of a killed one nobody would."""
EVENTS = 100
HALF_WAY = frozenset({"deploy production", "database migration"})


class Observed(Protocol):
    """What was seen last."""

    def last_observation(self, target: str) -> Seen | None:
        """The newest span of a target."""

    def recent_events(self, most: int) -> tuple[Event, ...]:
        """The events that happened last, oldest first."""


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt of a run that a freeze holds."""

    freeze: FreezeEntry
    run: int
    number: int
    attempt: int

    @property
    def key(self) -> str:
        """Names it, so that it is asked for once."""
        return f"freeze/{self.freeze.id}/{self.run}/{self.attempt}"


class Freezing:
    """Run beside the executor of due actions, by the service."""

    def __init__(self, settings: Settings, clock: Clock, thread: StoreThread, store: Observed) -> None:
        self._clock, self._thread, self._store = clock, thread, store
        self._configured = operations_of(settings).github is not None
        self._channels = channels(operations_of(settings))
        self._where = where_words(settings.environment.name, settings.environment.label)
        self._path = settings.records_path
        self._records = Records(self._path)
        self._signature: tuple[int, int] | None = None
        self._freezes: tuple[FreezeEntry, ...] = ()
        self._trouble = ""
        self._told: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while self._configured:
                await self._tried()
                await asyncio.sleep(LOOK_S)
        finally:
            await self._thread.run(self._records.close)

    async def _tried(self) -> None:
        try:
            if self._is_due():  # else no other thread is woken for it
                await self._thread.run(self.look)
            self._trouble = ""
        except (StoreError, UnsuitablePlace) as error:
            if str(error) != self._trouble:
                log.error("the deploy freeze is not kept: %s", error)
            self._trouble = str(error)
        except Exception:
            # A defect here must not end the service: it is told, and tried again.
            log.exception("the deploy freeze cannot be kept")

    def look(self) -> None:
        """Ask for the end of what a freeze in force holds. Waits for locks: not on the event loop."""
        now_ms = self._clock.wall_ms()
        if not self._is_due():
            return
        found = change_mark(self._path)  # as it was before reading, so that what is written meanwhile is seen next time
        self._freezes = self._records.read(lambda connection: freezes.in_force(connection, now_ms))
        self._signature = found
        if self._freezes and self._channels:
            self._tell_not_held(now_ms)
        seen = self._store.last_observation(TARGET) if self._freezes else None
        if seen is None or seen.observation.outcome is not Outcome.ANSWERED:
            return
        for held in to_cancel(self._freezes, seen.observation.facts, seen.last_ms):
            self._ask(held, now_ms)

    def _tell_not_held(self, now_ms: int) -> None:
        """What went live all the same, once for each deployment and channel."""
        since_ms = min(each.began_ms for each in self._freezes)
        lives = list(_lives(self._store.recent_events(EVENTS), since_ms))
        if not lives:
            return
        frozen, moves = self._records.read(
            lambda connection: (freezes.frozen_at(connection, now_ms), freezes.moves(connection, since_ms))
        )
        for freeze, live in went_live(frozen, lives, moves):
            text = words(freeze, live)
            event = f"freeze/{freeze.id}/live/{live.id}/{live.at_ms}"
            if event not in self._told:
                content = notice(text, where=self._where, severity="high")
                self._records.write(partial(_told, event=event, channels=self._channels, title=text, content=content))
                self._told.add(event)

    def _ask(self, held: Held, now_ms: int) -> None:
        tried = self._records.read(lambda connection: freezes.tries(connection, held.key))
        if tried.count and not (tried.in_vain and now_ms - tried.last_ms >= pause_ms(tried.count)):
            return
        log.warning("deploy freeze by %s: CI run #%d is to be cancelled", held.freeze.owner, held.number)
        due.add(
            self._records,
            key=f"{held.key}/{tried.count + 1}" if tried.count else held.key,
            due_ms=now_ms,
            action="cancel-run",
            parameters={"run": held.run, "attempt": held.attempt},
            title=f"Cancel CI run #{held.number}: deploy freeze",
            reason=f"deploy freeze: {held.freeze.reason}",
            operator=held.freeze.owner,
            operator_uid=held.freeze.owner_uid,
        )

    def _is_due(self) -> bool:
        """Whether a freeze is in force, or records.db is another than when it was last read."""
        return bool(self._freezes) or change_mark(self._path) not in (None, self._signature)


def _told(
    connection: sqlite3.Connection, *, event: str, channels: tuple[str, ...], title: str, content: Mapping[str, Json]
) -> None:
    for channel in channels:
        outbox.enter(connection, event, channel, title, content)


def _lives(events: Iterable[Event], since_ms: int) -> Iterator[WentLive]:
    """The deployments among them that began to serve production since then."""
    for event in events:
        name = payload.text(event.data, "id")
        if event.kind in RELEASES and event.subject == "vercel" and event.at_ms > since_ms and name is not None:
            yield WentLive(id=name, called=called(event.data), at_ms=event.at_ms)


def pause_ms(tries: int) -> int:
    """How long an attempt is left alone after so many tries in vain: it deployed just then, or GitHub did not tell."""
    return int(min(LEAST_PAUSE_MS * 2 ** min(tries - 1, 10), LONGEST_PAUSE_MS))


def to_cancel(entries: tuple[FreezeEntry, ...], facts: Mapping[str, Json], seen_ms: int) -> Iterator[Held]:
    """The attempts to be cancelled by what was seen of the CI at `seen_ms`. Pure."""
    repository = payload.text(facts, "repository")
    for run in payload.items(facts, "active_runs"):
        number = payload.number(run, "id")
        if number is None or any(stage_of(str(job)) in HALF_WAY for job in payload.items(run, "running")):
            continue
        subjects = (repository, f"{repository} run {int(number)}")
        for entry in entries:
            excepted = any(target.endswith(f"({int(number)})") for target in entry.excepted)
            is_held = entry.subject in subjects and seen_ms >= entry.began_ms and not _own(entry, number, seen_ms)
            if is_held and not excepted:
                attempt, shown = payload.number(run, "attempt") or 1, payload.number(run, "number") or number
                yield Held(entry, int(number), int(shown), int(attempt))
                break


def _own(entry: FreezeEntry, run: float, seen_ms: int) -> bool:
    """Whether the freeze's own run ends it: what was seen before that run's end tells nothing of how it went."""
    if int(run) not in entry.own:
        return False
    ended_ms = entry.own_ended_ms if entry.own_ended_ms is not None else entry.began_ms + OWN_MS
    return seen_ms < ended_ms
