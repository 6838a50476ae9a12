"""Maintenance as the collector knows it: begun here by the ledger, or seen by the page that the application shows.

A poll that got the page is no failure of its target. It counts as the page when the application says so itself, or, by
the marker in a 503 alone, only while somebody has put it into maintenance here: hosts and proxies write such words too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from console.model.maintenance import PAGE_FACT
from console.model.maintenance_window import window
from console.model.observation import Event, Json, Observation, Outcome
from console.model.operations import Maintenance as Settings
from console.model.situation import IN_MAINTENANCE, Maintenance
from console.model.states import State
from console.model.track import Track
from console.store.files import change_mark
from console.store.maintenance import Held, held
from console.store.records import Records

KIND, SUBJECT = "maintenance", "routes"
WORDS = "in maintenance"


class HeldFile:
    """Looks at records.db by its time stamp, and reads what it says of maintenance only when that changed."""

    def __init__(self, path: Path, environment: str, settings: Settings | None) -> None:
        configured = settings or _DEFAULTS
        self._path, self._environment = path, environment
        self._notice_ms, self._lasts_ms = configured.notice_minutes * 60_000, configured.window_minutes * 60_000
        self._seen: tuple[int, int] | None = None
        self._records: Records | None = None

    def changed(self) -> bool:
        """Whether the file is another than when it was last read."""
        return change_mark(self._path) not in (None, self._seen)

    def read(self, now_ms: int) -> Held:
        """What it says. Waits for locks; raises `StoreError`."""
        found = change_mark(self._path)
        if found is None:
            return Held()
        if self._records is None:
            self._records = Records(self._path)
        told = self._records.read(
            lambda connection: held(
                connection, self._environment, now_ms, notice_ms=self._notice_ms, lasts_ms=self._lasts_ms
            )
        )
        self._seen = found
        return told

    def close(self) -> None:
        """Release the file."""
        if self._records is not None:
            self._records.close()
        self._records = None


class Upkeep:
    """The maintenance that is under way, and the events of its beginning and end. No I/O."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self.held = Held()
        self.current: Maintenance | None = None

    def remember(self, events: Iterable[Event]) -> None:
        """Take over a maintenance whose beginning was told by a collector before this one, and whose end was not."""
        told = [event for event in events if event.kind == KIND and isinstance(event.data.get("since_ms"), int)]
        newest = max(told, key=lambda event: event.at_ms, default=None)
        if newest is not None and newest.data.get("on") is True:
            self.current = Maintenance(since_ms=int(str(newest.data["since_ms"])), by=str(newest.data.get("by") or ""))

    def judged(self, observation: Observation) -> Observation:
        """A poll that got the maintenance page as such; every other one as it is."""
        sign = observation.facts.get(PAGE_FACT)
        ours = self.held.since_ms is not None
        if not (sign == "header" or (sign == "page" and ours)) or observation.outcome is Outcome.BLOCKED:
            return observation
        status = observation.facts.get("http_status")
        return replace(
            observation,
            outcome=Outcome.ANSWERED,
            state=State.DEGRADED,
            words=f"{status}: {WORDS}",
            error_kind=None,
            facts={**observation.facts, IN_MAINTENANCE: True},
            # An answer on purpose is none of the answers whose share and speed are measured.
            samples={name: sample for name, sample in observation.samples.items() if name not in ("ok", "latency_ms")},
        )

    def step(self, now_ms: int, tracks: Mapping[str, Track]) -> tuple[Event, ...]:
        """How it stands now; the events of what has begun or ended since the last call."""
        before = self.current
        self.current = self._now(now_ms, before, shut=is_shut(tracks))
        if (before is None) == (self.current is None):
            return ()
        changed = self.current or before
        assert changed is not None
        return (_event(changed, changed.since_ms if self.current else now_ms, on=self.current is not None),)

    def _now(self, now_ms: int, before: Maintenance | None, *, shut: bool) -> Maintenance | None:
        if self.held.since_ms is None and not shut:
            return None
        since_ms = before.since_ms if before else self.held.since_ms or now_ms
        planned = window(now_ms, self._settings).holds(now_ms) or self.held.is_announced(now_ms)
        return Maintenance(since_ms=since_ms, by=self.held.by, until_ms=self.held.until_ms, planned=planned)


def is_shut(tracks: Mapping[str, Track]) -> bool:
    """Whether any target's newest poll got the maintenance page."""
    return any(track.newest is not None and track.newest.facts.get(IN_MAINTENANCE) is True for track in tracks.values())


def _event(told: Maintenance, at_ms: int, *, on: bool) -> Event:
    text = (
        f"maintenance began{f' by {told.by}' if told.by else ', not switched on here'}" if on else "maintenance ended"
    )
    data: dict[str, Json] = {"on": on, "since_ms": told.since_ms, "by": told.by, "announced": told.planned}
    return Event(
        at_ms=at_ms,
        kind=KIND,
        subject=SUBJECT,
        text=text,
        state=State.DEGRADED if on else State.HEALTHY,
        key=f"{KIND}/{told.since_ms}/{'began' if on else 'ended'}",
        data=data,
    )


_DEFAULTS = Settings(provider="hook")
"""Of notice and window, where nothing is configured: what SU1 promises."""
